(* lemma4_vector: Lemma 4 for the whole gradient, free of n: |h_hat - grad J| <= max_i L_i (1/n) sum_j D_j / (1 - gamma),
   and with 1/sqrt(2) in place of max_i L_i for the tabular softmax. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model truncation td_fixed_point lemma4 softmax.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Independent numbers of mean zero: the square of the sum is in the mean the sum of the squares. *)
Lemma mean_sum_sqr (R : realFieldType) (I : finType) (T : I -> finType) (p h : forall i, T i -> R) :
  (forall i, law (p i)) -> (forall i, mean (p i) (h i) = 0) ->
  mean (prod p) (fun w : {dffun forall i, T i} => (\sum_i h i (w i)) ^+ 2) = \sum_i mean (p i) (fun t => h i t ^+ 2).
Proof.
move=> pl h0; rewrite (eq_mean _ (g := fun w : {dffun forall i, T i} => \sum_i \sum_j h i (w i) * h j (w j))) => [|w]; last first.
  by rewrite expr2 mulr_suml; apply: eq_bigr => i _; rewrite mulr_sumr.
rewrite mean_sum; apply: eq_bigr => i _; rewrite mean_sum (bigD1 i) //= [X in _ + X]big1 ?addr0 => [|j ji].
  by rewrite -(mean_factor (fun t => h i t ^+ 2) pl); apply: eq_mean => w; rewrite expr2.
rewrite (mean_independent (B := pred1 i) (f := fun w : {dffun forall i, T i} => h i (w i)) (g := fun w => h j (w j)) pl).
- by rewrite (mean_factor (h j) pl) h0 mulr0.
- by move=> z w zw; rewrite (zw i) //= eqxx.
- by move=> z w zw; rewrite (zw j).
Qed.

Section Vector.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Variables (kappa : nat) (Qh : G -> joint G -> R) (gap : G -> R) (Lambda : R).
Hypothesis Qh_cell : forall j, depends (ball j kappa) (ball j kappa) (Qh j).
Hypothesis close : forall j z, `|Qh j z - Q M theta j z| <= gap j.
Hypotheses (Lambda0 : 0 <= Lambda) (cov : forall i, covariance_le sc Lambda i).

(* In the direction u = (u_i), one block for each agent, ... *)
Theorem vector_direction (u : forall i : G, param sc i -> R) :
  (\sum_i dot (u i) (fun k => h_hat M kappa Qh k - gradient M k)) ^+ 2 <=
  Lambda * (mean_gap gap / (1 - gamma M)) ^+ 2 * \sum_i norm2 (u i).
Proof.
under eq_bigr do rewrite dot_error //.
rewrite -mulr_sumr -mean_sum.
rewrite (eq_mean _ (g := fun z => #|G|%:R^-1 * (\sum_j (Qh j z - Q M theta j z)) * \sum_i dot (u i) (score_at z))).
  apply: le_trans (square_bound close (fun z => \sum_i dot (u i) (score_at z))) _; rewrite [Lambda * _]mulrC -[X in _ <= X]mulrA ler_wpmul2l ?sqr_ge0 //.
  rewrite mean_visits; apply: (mean_le (pi_theta_law M theta)) => s _.
  rewrite /act (mean_sum_sqr (h := fun i a => dot (u i) (score sc i (s i) a))).
  - by rewrite mulr_sumr; apply: ler_sum => i _; apply: cov.
  - by move=> i; apply: zeta_law.
  - by move=> i; rewrite mean_sum big1 // => k _; rewrite meanZ score_mean mulr0.
by move=> z; rewrite [RHS]mulr_sumr.
Qed.

(* ... hence in norm: |h_hat - grad J|^2 <= Lambda ((1/n) sum_j gap_j / (1 - gamma))^2. *)
Theorem vector_norm :
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param sc i)) <= Lambda * (mean_gap gap / (1 - gamma M)) ^+ 2.
Proof.
pose u (i : G) := fun k : param sc i => h_hat M kappa Qh k - gradient M k.
have := vector_direction u; rewrite (eq_bigr (fun i => norm2 (u i))) => [|i _]; last first.
  by apply: eq_bigr => k _; rewrite expr2.
have S0 : 0 <= \sum_i norm2 (u i) by apply: sumr_ge0 => i _; apply: norm2_ge0.
have [-> _|Sn] := eqVneq (\sum_i norm2 (u i)) 0; first by rewrite mulr_ge0 ?sqr_ge0.
by rewrite expr2 ler_pmul2r // lt_def Sn.
Qed.
End Vector.

(* Tables within eps of Q_j, tabular softmax *)
Lemma vector_const (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) kappa (Qh : G -> joint G -> R) eps :
  (forall j, depends (ball j kappa) (ball j kappa) (Qh j)) -> (forall j z, `|Qh j z - Q M theta j z| <= eps) ->
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param (softmax theta) i)) <= 2%:R^-1 * (eps / (1 - gamma M)) ^+ 2.
Proof.
move=> Qh_cell close; case: (pickP G) => [i _|G0]; last first.
  by rewrite big1 => [|i]; [rewrite mulr_ge0 ?sqr_ge0 ?invr_ge0 ?ler0n | case: (negP (negbT (G0 i)))].
have := vector_norm Qh_cell close (Lambda := 2%:R^-1) _ (softmax_covariance (theta := theta)).
rewrite invr_ge0 ler0n => /(_ isT); rewrite /mean_gap sumr_const -[eps *+ _]mulr_natl mulKf //.
by rewrite pnatr_eq0 -lt0n; apply/card_gt0P; exists i.
Qed.

Section Statement.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (kappa : nat).
Variable w : G -> joint G -> joint G -> R.
Hypothesis w_ok : forall j, weights j kappa (w j).
Let Qh j := Q_hat M theta j (w j).

(* Any weights, tabular softmax *)
Theorem lemma4_vector :
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param (softmax theta) i))
  <= 2%:R^-1 * ((#|G|%:R^-1 * \sum_j D M theta j kappa) / (1 - gamma M)) ^+ 2.
Proof.
apply: vector_norm => [j|j z||i].
- exact: Q_hat_cell.
- exact: truncation_D.
- by rewrite invr_ge0 ler0n.
- exact: softmax_covariance.
Qed.

(* Lemma 3's bound in place of the gaps, ... *)
Corollary lemma4_vector_worst_case : local M ->
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param (softmax theta) i))
  <= 2%:R^-1 * (rbar M * gamma M ^+ kappa.+1 / (1 - gamma M) / (1 - gamma M)) ^+ 2.
Proof. by move=> loc; apply: (vector_const (fun j => Q_hat_cell _ _ (w_ok j))) => j z; apply: truncation. Qed.

(* ... and with the L^2 = sum_i L_i^2 = 2n of the proof of Theorem 5, where 1/2 is enough *)
Corollary lemma4_vector_paper : local M ->
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param (softmax theta) i))
  <= (2 * #|G|)%:R * (rbar M / (1 - gamma M) * gamma M ^+ kappa.+1 / (1 - gamma M)) ^+ 2.
Proof.
move=> loc; case: (pickP G) => [i _|G0]; last first.
  by rewrite big1 => [|i]; [rewrite mulr_ge0 ?sqr_ge0 ?ler0n | case: (negP (negbT (G0 i)))].
apply: le_trans (lemma4_vector_worst_case loc) _; rewrite [rbar M * _ / _]mulrAC ler_wpmul2r ?sqr_ge0 //.
have G0 : (0 < #|G|)%N by apply/card_gt0P; exists i.
by apply: le_trans (_ : 1 <= _); rewrite ?invf_le1 ?ltr0n ?ler1n ?muln_gt0.
Qed.

(* Any weights, any policies with scores of norm at most L *)
Theorem lemma4_vector_L (sc : scores theta) L : (forall i s a, norm2 (score sc i s a) <= L ^+ 2) ->
  \sum_i norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param sc i))
  <= L ^+ 2 * ((#|G|%:R^-1 * \sum_j D M theta j kappa) / (1 - gamma M)) ^+ 2.
Proof.
move=> sL; apply: vector_norm => [j|j z||i s v].
- exact: Q_hat_cell.
- exact: truncation_D.
- exact: sqr_ge0.
- apply: (mean_le (zeta_law theta s)) => a _; apply: le_trans (cauchy_schwarz _ _) _.
  by rewrite mulrC ler_wpmul2r ?norm2_ge0.
Qed.
End Statement.

(* TD's limits in (7) *)
Corollary lemma4_vector_td (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) kappa
    (m : G -> joint G -> joint G -> R) : local M -> (forall j, weights j kappa (m j)) ->
  \sum_i norm2 (fun k => h_hat M kappa (fun j => q_star M theta j (m j)) k - gradient M (k : param (softmax theta) i))
  <= 2%:R^-1 * (rbar M * gamma M ^+ kappa.+1 / (1 - gamma M) / (1 - gamma M)) ^+ 2.
Proof.
move=> loc m_ok; apply: vector_const => [j|j z]; first exact: q_star_cell.
exact: td_fixed_point_b.
Qed.
