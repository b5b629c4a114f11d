(* Lemma 3: the (rbar / (1 - gamma), gamma)-exponential decay property holds. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Theorem lemma3 (R : realFieldType) (G : network) (M : mdp R G) :
  local M -> exponential_decay M (rbar M / (1 - gamma M)) (gamma M).
Proof.
move=> loc theta i kappa z w zw; apply: Q_close => t; rewrite ltnS => tk.
exact: reward_at_cell tk zw.
Qed.

Corollary lemma3_D (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) i kappa :
  local M -> D M theta i kappa <= rbar M * gamma M ^+ kappa.+1 / (1 - gamma M).
Proof. by move=> loc; rewrite mulrAC; apply: D_le => [|z w]; [apply: bound_ge0 | apply: lemma3]. Qed.
