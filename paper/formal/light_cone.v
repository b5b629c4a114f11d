(* light_cone: what the first T + 1 rewards of agent i depend on, and D_i(kappa) from T + 1 of them. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section LightCone.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G).
Implicit Types (z w : joint G) (B C : pred G) (i : G).

(* Agents act by zeta_j(. | s_j): an average over actions depends on the states of those whose actions it read. *)
Lemma act_depends B C f s s' : depends B C f -> agree (predU B C) s s' -> act theta f s = act theta f s'.
Proof.
move=> fBC ss'; transitivity (mean (choice theta s) (fun a => f (s', a))).
  by apply: eq_mean => a; apply: fBC; split=> // j Bj; apply: ss'; rewrite /= Bj.
apply: (@eq_prod _ _ _ C) => [i|i|i Ci|a b ab]; try exact: zeta_law.
  by rewrite ss' //= Ci orbT.
by apply: fBC; split.
Qed.

(* By (1) the next states are independent: only the kernels of those whose states are read count. *)
Lemma next_depends B (f : states G -> R) z w : (forall s s', agree B s s' -> f s = f s') ->
  (forall j, B j -> P M j z =1 P M j w) -> mean (next M z) f = mean (next M w) f.
Proof. by move=> fB zw; apply: (@eq_prod _ _ _ B) => // j; apply: P_law. Qed.

(* Line 1 of the proof: s_j(t) is drawn from P_j(. | s_{N_j}(t-1), a_j(t-1)). *)
Lemma reward_at_depends t i : local M -> depends (ball i t) (ball i t.-1) (reward_at M theta t i).
Proof.
move=> loc; elim: t => [|t IH] z w [/= zs za]; first by case: (loc i) => _; apply.
rewrite /reward_at /= /E !mean_K; apply: (@next_depends (ball i t)) => [s s' ss'|j Bj s'].
  apply: (act_depends IH) => j /orP[|jt]; apply: ss' => //.
  by apply: ball_mono jt; apply: leq_pred.
case: (loc j) => loc_j _; apply: loc_j; split=> [k jk|k /eqP->]; last exact: za.
by apply: zs; apply/existsP; exists j; rewrite Bj.
Qed.

(* Line 2: in one cell the rewards at t <= kappa have one mean. *)
Lemma reward_at_cell t i kappa z w : local M -> (t <= kappa)%N -> same_cell i kappa z w ->
  reward_at M theta t i z = reward_at M theta t i w.
Proof.
move=> loc tk; move/alike_sub=> zw; apply: (reward_at_depends loc); apply: zw => j; apply: ball_mono => //.
exact: leq_trans (leq_pred t) tk.
Qed.

(* Q_i^T and the largest oscillation D_i^T(kappa) of it over a cell *)
Definition Q_T T i z : R := \sum_(t < T.+1) gamma M ^+ t * reward_at M theta t i z.
Definition D_T T i kappa : R :=
  largest (fun x : joint G * joint G => same_cellb i kappa x.1 x.2) (fun x => `|Q_T T i x.1 - Q_T T i x.2|).

Theorem light_cone_sees T i : local M -> depends (ball i T) (ball i T.-1) (Q_T T i).
Proof.
move=> loc z w /alike_sub zw; apply: eq_bigr => -[t /=]; rewrite ltnS => tT _; congr (_ * _).
apply: (reward_at_depends loc); apply: zw => j; apply: ball_mono => //.
by rewrite -!subn1 leq_sub2r.
Qed.

(* V_i^T depends on the states of N_i^T. *)
Corollary light_cone_sees_V T i s s' : local M -> agree (ball i T) s s' -> act theta (Q_T T i) s = act theta (Q_T T i) s'.
Proof.
move=> loc ss'; apply: (act_depends (light_cone_sees (T := T) (i := i) loc)) => j /orP[|jT]; apply: ss' => //.
by apply: ball_mono jT; apply: leq_pred.
Qed.

Theorem light_cone T i kappa : local M ->
  `|D M theta i kappa - D_T T i kappa| <= rbar M / (1 - gamma M) * gamma M ^+ (maxn T kappa).+1.
Proof.
move=> loc; set b := _ * _.
suff gap z w : same_cell i kappa z w ->
    `|Q M theta i z - Q M theta i w| <= `|Q_T T i z - Q_T T i w| + b /\
    `|Q_T T i z - Q_T T i w| <= `|Q M theta i z - Q M theta i w| + b.
  rewrite ler_distl ler_subl_addr; apply/andP; split.
    apply: largest_le => [|[x y] /same_cellP xy]; first by rewrite addr_ge0 ?largest_ge0 ?bound_ge0.
    by apply: le_trans (proj2 (gap _ _ xy)) _; rewrite ler_add2r D_ge.
  apply: D_le => [|x y xy]; first by rewrite addr_ge0 ?largest_ge0 ?bound_ge0.
  apply: le_trans (proj1 (gap _ _ xy)) _; rewrite ler_add2r.
  by apply: (@le_largest _ _ _ _ (x, y)); apply/same_cellP.
move=> zw; have [Tk|kT] := ltnP T kappa.
  have -> : Q_T T i z = Q_T T i w.
    by apply: eq_bigr => t _; rewrite (reward_at_cell (kappa := kappa) loc _ zw) // (leq_trans _ (ltnW Tk)) // -ltnS.
  rewrite subrr normr0 add0r addr_ge0 ?bound_ge0 //; split=> //.
  rewrite /b (maxn_idPr (ltnW Tk)); apply: Q_close => t; rewrite ltnS => tk; exact: reward_at_cell tk zw.
have := Q_tail M theta T.+1 i z w; rewrite -/(Q_T T i z) -/(Q_T T i w) /b (maxn_idPl kT).
set x := _ - Q _ _ _ w; set y := _ - Q_T _ _ w => xy.
by split; rewrite -ler_subl_addl; apply: le_trans (ler_norm _) (le_trans (ler_dist_dist _ _) _); rewrite // distrC.
Qed.

(* If E r_i(t) is one number over a cell for t < n and moves by at most b t for t >= n, then D_i(kappa) is at most the sum of
   the gamma^t b t up to any horizon T, and a remainder. *)
Lemma horizon n (b : nat -> R) T i kappa : (forall t, 0 <= b t) ->
  (forall t z w, (t < n)%N -> same_cell i kappa z w -> reward_at M theta t i z = reward_at M theta t i w) ->
  (forall t z w, (n <= t)%N -> same_cell i kappa z w -> reward_at M theta t i z - reward_at M theta t i w <= b t) ->
  D M theta i kappa <= \sum_(t < T.+1 | (n <= t)%N) gamma M ^+ t * b t + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
move=> b0 still moves; have g0 : 0 <= gamma M by case/andP: (gamma01 M).
apply: D_le => [|z w zw].
  by rewrite addr_ge0 ?bound_ge0 // sumr_ge0 // => t _; rewrite mulr_ge0 ?exprn_ge0.
have tail := Q_tail M theta T.+1 i z w; rewrite -[Q M theta i z - _](subrK (Q_T T i z - Q_T T i w)) addrC.
apply: le_trans (ler_norm_add _ _) (ler_add _ tail).
rewrite /Q_T -sumrB (bigID (fun t : 'I_T.+1 => (n <= t)%N)) /= [X in _ + X]big1 ?addr0 => [|t].
  apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => t kt.
  rewrite -mulrBr normrM (ger0_norm (exprn_ge0 _ g0)) ler_wpmul2l ?exprn_ge0 //.
  by rewrite ler_norml ler_oppl opprB !moves //; apply: alike_sym.
by rewrite -ltnNge => tn; rewrite (still t z w tn zw) subrr.
Qed.
End LightCone.
