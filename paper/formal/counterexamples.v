(* Sentences that fail: each with numbers, computed in fractions; by the theorems of rational.v what passes these checks is the library's. *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From sacrepro Require Import law bellman model lemma3 relay truncation td_fixed_point rational faithful.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* TD's fixed point outside the hull of Q over a cell: gamma = 9/10, r_0 = s_0, actions without effect. *)
Definition td_witness := Tables
  [:: 98#100; 98#100; 0#1; 0#1; 97#100; 97#100; 94#100; 94#100;  1#1; 1#1; 99#100; 99#100; 57#100; 57#100; 23#100; 23#100]
  [:: 0#1; 0#1; 1#1; 1#1;  0#1; 0#1; 0#1; 0#1] (9#10) [:: 0#1; 0#1; 0#1; 0#1].

(* Agent 1 copies agent 0, which keeps its bit; r_i = s_i. *)
Definition relay_2 := Tables
  [:: 0#1; 0#1; 0#1; 0#1; 1#1; 1#1; 1#1; 1#1;  0#1; 0#1; 0#1; 0#1; 1#1; 1#1; 1#1; 1#1]
  [:: 0#1; 0#1; 1#1; 1#1;  0#1; 0#1; 1#1; 1#1] (9#10) [:: 0#1; 0#1; 0#1; 0#1].

(* Deterministic kernels and rewards; the policy by (i, s_i) *)
Definition coin_lover choose := Tables
  [:: 0#1; 1#1; 1#1; 1#1; 1#1; 1#1; 0#1; 0#1;  0#1; 0#1; 0#1; 0#1; 1#1; 0#1; 0#1; 1#1]
  [:: 0#1; 0#1; 0#1; 0#1;  1#1; 0#1; 0#1; 1#1] (9#10) choose.

Lemma td_ok : is_model td_witness. Proof. by vm_compute. Qed.
Lemma relay_ok : is_model relay_2. Proof. by vm_compute. Qed.

(* The numbers: q*(s_0 = 1), Q_0(1, 0), Q_0(1, 1), a stationary law, and what solves the equations *)
Lemma td_numbers : [&& consistent td_witness,
  Qeq_bool (q_table td_witness true false) (484805692510#63866556943),
  Qeq_bool (Q_table td_witness false true false false false) (34740374785#4027061563) &
  Qeq_bool (Q_table td_witness false true true false false) (4960019755#575294509)].
Proof. by vm_compute. Qed.

(* q* + 1 < min_z Q_0(z) over the cell s_0 = 1 *)
Theorem td_is_outside : forall2 (fun t a => ~~ Qle_bool (Q_table td_witness false true t false a)
  (Qplus (q_table td_witness true false) (1#1))).
Proof. by vm_compute. Qed.

(* The relay: D_1(0) = 9, above gamma^2 / (1 - gamma) = 81/10. *)
Theorem kappa_plus_2_numbers : [&& solves relay_2 true (Q_table relay_2 true),
  gap_is true (Q_table relay_2 true) (9#1) & ~~ Qle_bool (9#1) (81#10)].
Proof. by vm_compute. Qed.

(* Weights 11/10 on (1, 1) of the cell s_1 = 1: the table is 10 off at (0, 1), and the bound is 9. *)
Theorem weights_numbers : let Q := Q_table relay_2 true in
  Qeq_bool (Qminus (Qmult (11#10) (Q true true false false)) (Q false true false false)) (10#1) && ~~ Qle_bool (10#1) (9#1).
Proof. by vm_compute. Qed.

(* A coin at s_1 = 0 has a larger D_1(0) than each of the 16 deterministic policies; the largest of theirs is 171/100. *)
Definition coin := coin_lover [:: 0#1; 0#1; 1#2; 1#1].
Theorem coin_numbers : [&& is_model coin, solves coin true (Q_table coin true),
  gap_is true (Q_table coin true) (1881#742), ~~ Qle_bool (1881#742) (171#100) &
  all (fun w => let m := coin_lover (map bit w) in
    [&& is_model m, solves m true (Q_table m true), gap_is true (Q_table m true) (gap m true) & Qle_bool (gap m true) (171#100)])
    (words 4)].
Proof. by vm_compute. Qed.

(* For every length of the relay, every 0 < gamma < 1 and rbar > 0 *)
Section Relay.
Variables (R : realFieldType) (n : nat) (rbar gamma : R).
Hypotheses (rbar0 : 0 < rbar) (gamma0 : 0 < gamma) (gamma1 : gamma < 1).
Let g01 : 0 <= gamma < 1. Proof. by rewrite ltW. Qed.
Let M := relay n (ltW rbar0) g01.
Variable theta : policy R (path n).

Lemma below k l : (k < l)%N -> rbar * gamma ^+ l / (1 - gamma) < rbar * gamma ^+ k / (1 - gamma).
Proof.
move=> kl; rewrite ltr_pmul2r ?invr_gt0 ?subr_gt0 // ltr_pmul2l // -(subnKC kl) addSn -addnS exprD.
by rewrite gtr_pmulr ?exprn_gt0 // exprn_ilt1 ?ltW.
Qed.

Theorem kappa_plus_2 (i : 'I_n.+1) kappa : (kappa < i)%N -> rbar * gamma ^+ kappa.+2 / (1 - gamma) < D M theta i kappa.
Proof. by move=> ki; rewrite relay_tight // below. Qed.

(* Cells of the agents i, ..., i + kappa alone: z and w agree on all agents from i on. *)
Theorem one_sided (i : 'I_n.+1) kappa : (0 < i)%N -> (0 < kappa)%N -> exists z w : joint (path n),
  (forall j : 'I_n.+1, (i <= j)%N -> z.1 j = w.1 j) /\ z.2 = w.2 /\
  rbar * gamma ^+ kappa.+1 / (1 - gamma) < `|Q M theta i z - Q M theta i w|.
Proof.
move=> i0 k0; exists (at_rest (front n i)), (at_rest (front n 0)); split=> [j ij|]; first by rewrite !ffunE ltnNge ij.
split=> //; rewrite Q_zero subr0; have := Q_off (ltW rbar0) g01 theta i0; rewrite subn1 /= => ->.
by apply: lt_le_trans (ler_norm _); apply: below.
Qed.
End Relay.

(* claim: td_fixed_point *)
Print Assumptions td_numbers. Print Assumptions td_is_outside.
(* claim: lemma3 *)
Print Assumptions kappa_plus_2_numbers. Print Assumptions kappa_plus_2. Print Assumptions one_sided.
(* claim: truncation *)
Print Assumptions weights_numbers.
(* claim: definition2 *)
Print Assumptions coin_numbers.
