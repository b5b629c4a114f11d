(* reward_radius: kernels that see neighbors' actions, and rewards that see radius rad (0 or 1, or any). *)
From mathcomp Require Import all_ssreflect all_algebra.
From sacrepro Require Import law bellman model light_cone truncation lemma4.
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

(* (a), line 3; with c = rbar / (1 - gamma) and rad = 0 it is Lemma 3. For kappa + 1 <= rad the bound is trivial. *)
Theorem reward_radius (theta : policy R G) i kappa z w : same_cell i kappa z w ->
  `|Q M theta i z - Q M theta i w| <= rbar M * gamma M ^+ (kappa.+1 - rad) / (1 - gamma M).
Proof.
move=> /alike_sub zw; rewrite mulrAC; apply: Q_close => t tk.
by apply: reward_at_coupled; apply: zw => j; apply: ball_mono; move: tk; rewrite ltn_subRL addnC ltnS.
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
End Radius.

Print Assumptions reward_radius. Print Assumptions reward_radius_b.
