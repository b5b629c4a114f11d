(* critic_sharp: from a bound B on the critic's bias to the gradient, and the B of td_fixed_point. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model truncation td_fixed_point lemma4.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section CriticSharp.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Variables (kappa : nat) (m : G -> joint G -> joint G -> R) (i : G) (L : R).
Hypotheses (loc : local M) (m_ok : forall j, weights j kappa (m j)).
Hypothesis sL : forall s a, norm2 (score sc i s a) <= L ^+ 2.
Let q_star j := q_star M theta j (m j).

(* Eq. (7) with q*_j for Q_hat_j. No bound on how Q_j varies over its cells is needed: q*_j is a function of the cell. *)
Theorem critic_sharp B : (forall j z, `|q_star j z - Q M theta j z| <= B) ->
  norm2 (fun k => h_hat M kappa q_star k - gradient M (k : param sc i)) <= (L * B / (1 - gamma M)) ^+ 2.
Proof. by move=> close; rewrite [L * B]mulrC; apply: tables_norm => // j; apply: q_star_cell. Qed.

(* decay gap alone *)
Corollary critic_sharp_decay c rho : exponential_decay M c rho ->
  norm2 (fun k => h_hat M kappa q_star k - gradient M (k : param sc i)) <=
  (L * (c * rho ^+ kappa.+1 / (1 - gamma M)) / (1 - gamma M)) ^+ 2.
Proof. by move=> decay; apply: critic_sharp => j; apply: (td_fixed_point_a loc (m_ok j)) => z w; apply: decay. Qed.

(* ... for the policy at hand *)
Corollary critic_sharp_gap gap : (forall j, D M theta j kappa <= gap) ->
  norm2 (fun k => h_hat M kappa q_star k - gradient M (k : param sc i)) <= (L * (gap / (1 - gamma M)) / (1 - gamma M)) ^+ 2.
Proof.
move=> D_gap; apply: critic_sharp => j; apply: (td_fixed_point_a loc (m_ok j)) => z w zw.
by apply: le_trans (D_ge M theta zw) (D_gap j).
Qed.

(* the paper's *)
Corollary critic_sharp_paper :
  norm2 (fun k => h_hat M kappa q_star k - gradient M (k : param sc i)) <=
  (L * (2%:R * (rbar M / (1 - gamma M) * gamma M ^+ kappa.+1) / (1 - gamma M) ^+ 2) / (1 - gamma M)) ^+ 2.
Proof. by apply: critic_sharp => j; apply: td_fixed_point_paper. Qed.

(* locality *)
Corollary critic_sharp_local :
  norm2 (fun k => h_hat M kappa q_star k - gradient M (k : param sc i)) <=
  (L * (rbar M * gamma M ^+ kappa.+1 / (1 - gamma M)) / (1 - gamma M)) ^+ 2.
Proof. by apply: critic_sharp => j; apply: td_fixed_point_b. Qed.
End CriticSharp.
