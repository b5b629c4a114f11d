(* Lemma 4 with the measured gaps D_j(kappa) and the tabular softmax: one block of lemma4_vector (a); Gamma = sqrt(2) / 4. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model truncation lemma4 softmax.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* |h_hat_i - grad_i J|^2 <= (2 Gamma (1/n) sum_j D_j / (1 - gamma))^2, and (2 Gamma)^2 = 1/2 *)
Theorem lemma4_gaps (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G)
    kappa (w : G -> joint G -> joint G -> R) (i : G) : (forall j, weights j kappa (w j)) ->
  norm2 (fun k => h_hat M kappa (fun j => Q_hat M theta j (w j)) k - gradient M (k : param (softmax theta) i))
  <= 2%:R^-1 * ((#|G|%:R^-1 * \sum_j D M theta j kappa) / (1 - gamma M)) ^+ 2.
Proof.
move=> w_ok; apply: error_norm => [j|j z||v].
- exact: Q_hat_cell.
- exact: truncation_D.
- by rewrite invr_ge0 ler0n.
- by apply: visits_covariance; apply: softmax_covariance.
Qed.
