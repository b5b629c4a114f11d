(* td_fixed_point: the fixed point q* of TD(0) on the cells of N_i^kappa, for any conditional law m(. | cell). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone lemma3 truncation.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section FixedPoint.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat).
Variable m : joint G -> joint G -> R.
Hypotheses (loc : local M) (m_ok : weights i kappa m).
Implicit Types z w : joint G.
Let m_law z : law (m z). Proof. by case: m_ok. Qed.
Let m_cell z y : m z y != 0 -> same_cell i kappa z y. Proof. by case: m_ok => _ + _; apply. Qed.

(* M(. | x): draw z from m(. | x), then z' from P^theta(. | z). T_m q(x) = r_i(x) + gamma sum_x' M(x' | x) q(x'). *)
Definition td_kernel z w : R := mean (m z) (fun y => K M theta y w).
Definition T_m (f : joint G -> R) : joint G -> R := bellman (gamma M) td_kernel (r M i) f.
Definition q_star : joint G -> R := solve (gamma M) td_kernel (r M i).

Lemma td_law z : law (td_kernel z).
Proof. by apply: mean_law => // y; apply: K_law. Qed.

Theorem q_starE z : q_star z = T_m q_star z.
Proof. by apply: solveE; [apply: gamma01 | apply: td_law]. Qed.

Theorem q_star_unique f : f =1 T_m f -> f =1 q_star.
Proof. by apply: solve_unique; [apply: gamma01 | apply: td_law]. Qed.

Lemma E_td z f : E td_kernel f z = mean (m z) (E (K M theta) f).
Proof. by rewrite /E mean_mean. Qed.

Lemma r_cell z w : same_cell i kappa z w -> r M i z = r M i w.
Proof.
by case: (loc i) => _ ri; move/alike_sub=> zw; apply: ri; apply: zw => j /eqP->; apply: ball_center.
Qed.

(* T_m q, hence q*, is a function of the cell. *)
Lemma T_m_cell f : depends (ball i kappa) (ball i kappa) (T_m f).
Proof.
case: m_ok => _ _ mm z w zw; rewrite /T_m /bellman (r_cell zw); congr (_ + _ * _).
by apply: eq_bigr => y _; congr (_ * _); apply: eq_bigr => x _; rewrite (mm _ _ zw).
Qed.

Lemma q_star_cell : depends (ball i kappa) (ball i kappa) q_star.
Proof. by move=> z w zw; rewrite !q_starE; apply: T_m_cell. Qed.

(* T_m Q is the average of Q over the cell, as r_i depends on the cell only. *)
Lemma T_m_Q z : T_m (Q M theta i) z = Q_hat M theta i m z.
Proof.
rewrite /T_m /bellman E_td -(mean_const (r M i z) (m_law z)) -meanZ -meanD; apply: eq_bigr => y _.
have [->|/m_cell zy] := eqVneq (m z y) 0; first by rewrite !mul0r.
by rewrite (r_cell zy) [in RHS]QE -mean_K.
Qed.

(* (a) q* - Q = gamma M (q* - Q) + (Qbar - Q), and |Qbar - Q| <= Delta as Qbar is an average of Q over the cell. *)
Theorem td_fixed_point_a Delta : (forall z w, same_cell i kappa z w -> `|Q M theta i z - Q M theta i w| <= Delta) ->
  forall z, `|q_star z - Q M theta i z| <= Delta / (1 - gamma M).
Proof.
move=> gap; set e := fun z => q_star z - Q M theta i z.
have step z : `|e z - gamma M * E td_kernel e z| <= Delta.
  have -> : e z - gamma M * E td_kernel e z = Q_hat M theta i m z - Q M theta i z.
    rewrite -T_m_Q /e {1}q_starE /T_m /bellman /E meanB mulrBr opprB.
    by rewrite addrAC; congr (_ - _); rewrite -addrA; congr (_ + _); rewrite addrC subrK.
  by apply: (truncation_gap m_ok) => w; apply: gap.
move=> z; rewrite ler_norml -mulNr; apply/andP; split.
  apply: (super_solution (gamma01 M) td_law (f := e)) => {}z; have := step z; rewrite ler_norml => /andP[+ _].
  by rewrite ler_subr_addr addrC.
apply: (sub_solution (gamma01 M) td_law (f := e)) => {}z; have := step z; rewrite ler_norml => /andP[_].
by rewrite ler_subl_addr.
Qed.

Corollary td_fixed_point_gap z : `|q_star z - Q M theta i z| <= D M theta i kappa / (1 - gamma M).
Proof. by apply: td_fixed_point_a => y w; apply: D_ge. Qed.

(* (c) The band: F = the first kappa + 1 rewards, one number in each cell, and G = rbar gamma^(kappa + 1) / (1 - gamma). *)
Definition F : joint G -> R := Q_T M theta kappa i.
Definition band : R := rbar M / (1 - gamma M) * gamma M ^+ kappa.+1.
Definition center z : R := F z + band / 2%:R.

(* line 1 *)
Lemma T_m_F z : T_m F z = F z + gamma M ^+ kappa.+1 * mean (m z) (reward_at M theta kappa.+1 i).
Proof.
rewrite /T_m /bellman E_td.
rewrite (eq_mean _ (g := fun y => \sum_(t < kappa.+1) gamma M ^+ t * reward_at M theta t.+1 i y)); last first.
  move=> y; rewrite /E /F /Q_T mean_sum; apply: eq_bigr => t _; exact: meanZ.
rewrite mean_sum big_ord_recr /= meanZ mulrDr addrA mulrA -exprS; congr (_ + _).
rewrite /F /Q_T big_ord_recl expr0 mul1r; congr (_ + _); rewrite mulr_sumr; apply: eq_bigr => t _.
rewrite meanZ mulrA -exprS; congr (_ * _); rewrite -[RHS](mean_const _ (m_law z)).
apply: eq_bigr => y _; have [->|/m_cell zy] := eqVneq (m z y) 0; first by rewrite !mul0r.
by rewrite -(reward_at_cell theta loc (ltn_ord t) zy).
Qed.

Let band_ge0 : 0 <= band. Proof. exact: (bound_ge0 M theta). Qed.
Let g0 : 0 <= gamma M. Proof. by case/andP: (gamma01 M). Qed.
Let d0 : 0 < 1 - gamma M. Proof. by rewrite subr_gt0; case/andP: (gamma01 M). Qed.

Lemma T_m_F_band z : F z <= T_m F z <= F z + (1 - gamma M) * band.
Proof.
have r01 y : 0 <= reward_at M theta kappa.+1 i y <= rbar M by apply: run_bounds; [apply: K_law | apply: r_range].
rewrite T_m_F ler_addl ler_add2l /band mulrA [(1 - _) * _]mulrC divfK ?gt_eqF //.
rewrite [rbar M * _]mulrC ler_wpmul2l ?exprn_ge0 ?mulr_ge0 ?exprn_ge0 //=.
  by apply: mean_ge => // y _; case/andP: (r01 y).
by apply: mean_le => // y _; case/andP: (r01 y).
Qed.

(* line 2 *)
Lemma T_m_mono f g z c : (forall w, f w <= g w + c) -> T_m f z <= T_m g z + gamma M * c.
Proof.
move=> fg; rewrite /T_m /bellman -addrA ler_add2l -mulrDr ler_wpmul2l //.
by rewrite -[X in _ + X](mean_const _ (td_law z)) -meanD; apply: (le_mean (td_law z)) => w _; apply: fg.
Qed.

Theorem td_fixed_point_c_band q : (forall z, F z <= q z <= F z + band) -> forall z, F z <= T_m q z <= F z + band.
Proof.
move=> Fq z; have /andP[F0 F1] := T_m_F_band z; apply/andP; split.
  apply: le_trans F0 _; rewrite -[T_m q z]addr0 -(mulr0 (gamma M)).
  by apply: T_m_mono => w; rewrite addr0; case/andP: (Fq w).
apply: le_trans (T_m_mono (g := F) (c := band) z _) _; first by move=> w; case/andP: (Fq w).
by apply: le_trans (ler_add F1 (lexx _)) _; rewrite -addrA -mulrDl subrK mul1r.
Qed.

(* line 3, c = F + G/2 *)
Theorem td_fixed_point_c q b : (forall z, `|q z - center z| <= b) ->
  forall z, `|T_m q z - center z| <= gamma M * b + (1 - gamma M) * (band / 2%:R).
Proof.
rewrite /center; set h := band / 2%:R => qb z.
have /andP[F0 F1] := T_m_F_band z; rewrite ler_distl; apply/andP; split.
  have -> : F z + h - (gamma M * b + (1 - gamma M) * h) = F z - gamma M * (b - h).
    by rewrite -addrA; congr (_ + _); rewrite mulrBl mul1r mulrBr opprB opprD addrCA subKr addrC.
  rewrite ler_subl_addr; apply: le_trans F0 (T_m_mono _ _) => w.
  by move: (qb w); rewrite ler_distl => /andP[+ _]; rewrite addrA ler_subr_addr ler_subl_addr.
apply: le_trans (T_m_mono (g := F) (c := h + b) z _) _ => [w|].
  by move: (qb w); rewrite ler_distl addrA => /andP[].
apply: le_trans (ler_add F1 (lexx _)) _; rewrite -!addrA ler_add2l.
have -> : band = h + h by rewrite -mulr2n -mulr_natr divfK ?pnatr_eq0.
by rewrite !mulrDr addrACA -mulrDl subrK mul1r [_ * h + _]addrC.
Qed.

(* Q_i and every q* lie in the band, ... *)
Lemma Q_band z : F z <= Q M theta i z <= F z + band.
Proof.
have [x [/andP[x0 x1] ->]] := Q_series M theta kappa.+1 i z.
by rewrite ler_addl ler_add2l /band mulr_ge0 ?exprn_ge0 //= mulrC ler_wpmul2r ?exprn_ge0.
Qed.

Lemma T_mB f g z : T_m f z - T_m g z = gamma M * E td_kernel (fun w => f w - g w) z.
Proof. by rewrite /T_m /bellman opprD addrACA subrr add0r -mulrBr /E meanB. Qed.

Lemma q_star_band z : F z <= q_star z <= F z + band.
Proof.
rewrite -subr_ge0 -[_ <= F z + _]subr_le0 -(mul0r (1 - gamma M)^-1); apply/andP; split.
  apply: (super_solution (gamma01 M) td_law (f := fun w => q_star w - F w)) => w.
  by rewrite add0r -T_mB -q_starE ler_add2l ler_opp2; case/andP: (T_m_F_band w).
apply: (sub_solution (gamma01 M) td_law (f := fun w => q_star w - (F w + band))) => w.
rewrite add0r -(T_mB q_star (fun w => F w + band)) -q_starE ler_add2l ler_opp2.
suff /(_ w)/andP[] : forall y, F y <= T_m (fun v => F v + band) y <= F y + band by [].
by apply: td_fixed_point_c_band => y; rewrite ler_addl band_ge0 lexx.
Qed.

(* ... which is (b). *)
Theorem td_fixed_point_b z : `|q_star z - Q M theta i z| <= rbar M * gamma M ^+ kappa.+1 / (1 - gamma M).
Proof.
rewrite mulrAC -/band; have /andP[a0 a1] := Q_band z; have /andP[b0 b1] := q_star_band z.
rewrite ler_distl ler_subl_addr (le_trans b1) ?ler_add2r // andbT.
by apply: le_trans a1 _; rewrite ler_add2r.
Qed.

(* The paper's bias 2 c rho^(kappa + 1) / (1 - gamma)^2, c = rbar / (1 - gamma) and rho = gamma *)
Corollary td_fixed_point_paper z :
  `|q_star z - Q M theta i z| <= 2%:R * (rbar M / (1 - gamma M) * gamma M ^+ kappa.+1) / (1 - gamma M) ^+ 2.
Proof.
have d1 : 1 - gamma M <= 1 by rewrite ler_subl_addr ler_addl.
apply: le_trans (td_fixed_point_b z) _; rewrite mulrAC -/band ler_pdivl_mulr ?exprn_gt0 // mulrC ler_wpmul2r //.
by apply: le_trans (exprn_ile1 _ (ltW d0) d1) _; rewrite ler1n.
Qed.
End FixedPoint.

(* Mean updates T_{m_t} with any m_t, changing from step to step: the critic is drawn to within G/2 of c, and |Q_i - c| <= G/2. *)
Theorem td_fixed_point_c_run (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) i kappa
    (m : nat -> joint G -> joint G -> R) (q : nat -> joint G -> R) b :
  local M -> (forall t, weights i kappa (m t)) -> (forall t, q t.+1 =1 T_m M theta i (m t) (q t)) ->
  (forall z, `|q 0%N z - center M theta i kappa z| <= b) ->
  forall t z, `|q t z - center M theta i kappa z| <= gamma M ^+ t * b + band M kappa / 2%:R.
Proof.
move=> loc m_ok qE q0; have h0 : 0 <= band M kappa / 2%:R by rewrite divr_ge0 ?ler0n // (bound_ge0 M theta).
elim=> [|t IH] z; first by rewrite mul1r (le_trans (q0 z)) // ler_addl.
rewrite qE; apply: le_trans (td_fixed_point_c loc (m_ok t) IH z) _.
by rewrite mulrDr mulrA -exprS -addrA ler_add2l -mulrDl addrC subrK mul1r.
Qed.
