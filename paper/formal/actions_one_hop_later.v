(* actions_one_hop_later: Lemma 3's bound over the larger cells (s_{N_i^kappa}, a_{N_i^(kappa-1)}), or (s_i, a_i) for kappa = 0. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* kappa.-1 is kappa - 1, and 0 for kappa = 0: ball i 0 = {i} *)
Theorem actions_one_hop_later (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) kappa z w :
  local M -> alike (ball i kappa) (ball i kappa.-1) z w ->
  `|Q M theta i z - Q M theta i w| <= rbar M * gamma M ^+ kappa.+1 / (1 - gamma M).
Proof.
move=> loc /alike_sub zw; rewrite mulrAC; apply: Q_close => t; rewrite ltnS => tk.
apply: (reward_at_depends theta loc); apply: zw => j; apply: ball_mono => //.
by rewrite -!subn1 leq_sub2r.
Qed.
