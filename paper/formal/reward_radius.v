(* reward_radius: kernels that see neighbors' actions, and rewards that see radius rad (0 or 1, or any). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone truncation lemma4 influence.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* P_i(. | s_{N_i}, a_{N_i}) and r_i(s_{N_i^rad}, a_{N_i^rad}) *)
Definition coupled (R : realFieldType) (G : network) (rad : nat) (M : mdp R G) := forall i : G,
  (forall s', depends (N i) (N i) (fun z => P M i z s')) /\ depends (ball i rad) (ball i rad) (r M i).

(* The paper's model is the special case with rad = 0 whose kernels do not listen. *)
Lemma local_coupled (R : realFieldType) (G : network) (M : mdp R G) : local M -> coupled 0 M.
Proof.
move=> loc i; case: (loc i) => Pi ri; split=> // s' z w zw; apply: Pi; apply: alike_sub zw => // j /eqP->.
exact: N_refl.
Qed.

Section Radius.
Variables (R : realFieldType) (G : network) (M : mdp R G) (rad : nat).
Hypothesis cpl : coupled rad M.

(* (a), lines 1 and 2: an action travels like a state. *)
Lemma reward_at_coupled (theta : policy R G) t i : depends (ball i (t + rad)) (ball i (t + rad)) (reward_at M theta t i).
Proof.
elim: t => [|t IH] z w [/= zs za]; first by case: (cpl i) => _; apply.
rewrite /reward_at /= /E !mean_K; apply: (@next_depends _ _ _ (ball i (t + rad))) => [s s' ss'|j Bj s'].
  by apply: (act_depends theta IH) => j; rewrite /= orbb; apply: ss'.
by case: (cpl j) => Pj _; apply: Pj; split=> k jk; [apply: zs | apply: za]; apply/existsP; exists j; rewrite Bj.
Qed.

Lemma reward_at_still (theta : policy R G) t i kappa z w : (t < kappa.+1 - rad)%N -> same_cell i kappa z w ->
  reward_at M theta t i z = reward_at M theta t i w.
Proof.
move=> tk /alike_sub zw; apply: reward_at_coupled; apply: zw => j; apply: ball_mono; move: tk; by rewrite ltn_subRL addnC ltnS.
Qed.

(* (a), line 3; with c = rbar / (1 - gamma) and rad = 0 it is Lemma 3. For kappa + 1 <= rad the bound is trivial. *)
Theorem reward_radius (theta : policy R G) i kappa z w : same_cell i kappa z w ->
  `|Q M theta i z - Q M theta i w| <= rbar M * gamma M ^+ (kappa.+1 - rad) / (1 - gamma M).
Proof.
move=> zw; rewrite mulrAC; apply: Q_close => t tk; exact: reward_at_still zw.
Qed.

(* (b) Lemma 4, with j summed over N_i^kappa as in (7) *)
Theorem reward_radius_b (theta : policy R G) (sc : scores theta) kappa (w : G -> joint G -> joint G -> R) (i : G) L :
  (forall j, weights j kappa (w j)) -> (forall s a, norm2 (score sc i s a) <= L ^+ 2) ->
  norm2 (fun k => h_hat M kappa (fun j => Q_hat M theta j (w j)) k - gradient M (k : param sc i))
  <= (L * rbar M * gamma M ^+ (kappa.+1 - rad) / (1 - gamma M) ^+ 2) ^+ 2.
Proof.
move=> w_ok sL; have -> : L * rbar M * gamma M ^+ (kappa.+1 - rad) / (1 - gamma M) ^+ 2 =
    rbar M * gamma M ^+ (kappa.+1 - rad) / (1 - gamma M) * L / (1 - gamma M).
  by rewrite expr2 invfM !mulrA; congr (_ * _); rewrite [RHS]mulrC !mulrA.
apply: tables_norm sL => [j|j z]; first exact: Q_hat_cell.
by apply: (truncation_gap (w_ok j)) => y; apply: reward_radius.
Qed.

(* (d) Influence, with C over pairs *)
Theorem reward_radius_d (theta : policy R G) (C : G -> G -> R) T i kappa :
  (forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k) ->
  D M theta i kappa <=
  \sum_(t < T.+1 | (kappa.+1 - rad <= t)%N) gamma M ^+ t * (rbar M * Num.min 1 (\sum_(j | ball i rad j) q C (outside R i kappa) t j))
  + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
move=> C_ge; have [s _] := law_ex (pi0_law M); have [b _] := law_ex (choice_law theta s).
have /andP[r0 r1] := r_range M i (s, b); have rb0 := le_trans r0 r1.
have o0 k : 0 <= outside R i kappa k by apply: ler0n.
have qge t j := q_ge0 theta C_ge t j o0.
have gap z w : r M i z - r M i w <= rbar M.
  by have /andP[z0 z1] := r_range M i z; have /andP[w0 w1] := r_range M i w; rewrite ler_subl_addr (le_trans z1) // ler_addl.
apply: (@horizon R G M theta _ (fun t => rbar M * Num.min 1 (\sum_(j | ball i rad j) q C (outside R i kappa) t j))) => [t|t z w|t z w _ zw]; last 1 first.
- rewrite minr_pmulr // mulr1 le_minr; apply/andP; split.
    have /andP[x0 x1] := run_bounds (K_law M theta) t (r_range M i) z.
    have /andP[y0 y1] := run_bounds (K_law M theta) t (r_range M i) w.
    by rewrite ler_subl_addr (le_trans x1) // ler_addl.
  pose a j := rbar M * (ball i rad j)%:R.
  have a0 j : 0 <= a j by rewrite mulr_ge0 ?ler0n.
  have total g : \sum_j a j * g j = rbar M * \sum_(j | ball i rad j) g j.
    rewrite mulr_sumr [RHS]big_mkcond; apply: eq_bigr => j _; rewrite /a -mulrA.
    by case: ifP; rewrite ?mul1r ?mul0r ?mulr0.
  apply: le_trans (moves_at theta C_ge t (b := 0) z w a0 _) _ => [u v|].
    rewrite add0r total; case: (pickP (fun j => ball i rad j && ((u.1 j != v.1 j) || (u.2 j != v.2 j)))) => [j /andP[ij uv]|no].
      rewrite (bigD1 j) //= /differ uv mulrDr mulr1; apply: le_trans (gap u v) _.
      by rewrite ler_addl mulr_ge0 // sumr_ge0 // => k _; apply: ler0n.
    rewrite [X in _ - X](_ : _ = r M i u) ?subrr ?mulr_ge0 ?sumr_ge0 // => [k _|]; first exact: ler0n.
    case: (cpl i) => _ ri; apply: ri; split=> j ij; move: (no j); rewrite ij /= => /negbT;
      by rewrite negb_or !negbK => /andP[/eqP ? /eqP ?].
  rewrite add0r total ler_wpmul2l //; apply: ler_sum => j _.
  by apply: (q_mono theta C_ge) => k; apply: differ_outside.
- by rewrite mulr_ge0 // le_minr ler01 sumr_ge0.
- exact: reward_at_still.
Qed.
End Radius.
