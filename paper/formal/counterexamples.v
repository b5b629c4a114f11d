(* Sentences that fail: each with numbers, computed in fractions; by the theorems of rational.v what passes these checks is the library's. *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
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

(* What these numbers say of the library's q*, Q and D, over any ordered field. The lemmas hold for any tables, so that nothing
   is computed where they are applied. *)
Section Library.
Variable R : realFieldType.

Lemma below_cell m (ok : is_model m) c q f s a : (forall b, unit_interval (c b)) -> td_solves m c q -> solves m false f ->
  forall2 (fun t b => ~~ Qle_bool (f s t a b) (Qplus (q s a) (1#1))) -> forall z : joint pair, z.1 false = s -> z.2 false = a ->
  q_star (model_of R ok) (policy_of R ok) (false : pair) (seen R m c) z + 1 < Q (model_of R ok) (policy_of R ok) (false : pair) z.
Proof.
move=> c01 qE fE /forall2P lt z zs za; rewrite (q_star_of R ok c01 qE) (Q_of R ok (i := false) fE) /read zs za.
by rewrite -(of_Q1 R) -of_QD; apply: of_Q_lt; apply: lt.
Qed.

Lemma td_odds01 b : unit_interval (odds td_witness b). Proof. by case: b; vm_compute. Qed.
Lemma td_q : td_solves td_witness (odds td_witness) (q_table td_witness). Proof. by vm_compute. Qed.
Lemma td_Q : solves td_witness false (Q_table td_witness false). Proof. by vm_compute. Qed.
Lemma td_mu : stationary2 td_witness (mu_table td_witness). Proof. by vm_compute. Qed.
Lemma td_conditional s : conditional (mu_table td_witness) (odds td_witness) s. Proof. by case: s; vm_compute. Qed.

(* TD's fixed point, with the conditional law of the stationary one, is more than 1 below every Q_0(z) of the cell (1, 0). *)
Theorem td_outside_hull (z : joint pair) : z.1 false = true -> z.2 false = false ->
  q_star (model_of R td_ok) (policy_of R td_ok) (false : pair) (seen R td_witness (odds td_witness)) z + 1 <
  Q (model_of R td_ok) (policy_of R td_ok) (false : pair) z.
Proof. exact: (@below_cell td_witness td_ok (odds td_witness) (q_table td_witness) (Q_table td_witness false) true false td_odds01 td_q td_Q td_is_outside). Qed.

Let mu (s s' : bool) : R := of_Q R (mu_table td_witness s s').
Theorem td_stationary : law (fun s : states pair => mu (s false) (s true)) /\
  (forall s, mean (fun s : states pair => mu (s false) (s true)) (P_theta (model_of R td_ok) (policy_of R td_ok) ^~ s) = mu (s false) (s true)) /\
  forall s, of_Q R (odds td_witness s) * (mu s true + mu s false) = mu s true.
Proof.
have [mu_law mu_still] := stationary_of R td_ok td_mu; split=> //; split=> // s.
by have /andP[_ e] := td_conditional s; rewrite /mu -of_QD -of_QM; apply: of_Q_eq.
Qed.

(* The same kernels, rewards and gamma: the same D. *)
Lemma D_same (G : network) (M M' : mdp R G) theta i kappa : @P _ _ M = @P _ _ M' -> r M = r M' -> gamma M = gamma M' ->
  D M theta i kappa = D M' theta i kappa.
Proof. by move=> eP er eg; rewrite /D /Q /K /next eP er eg. Qed.

Lemma coin_ok : is_model coin. Proof. by case/and5P: coin_numbers. Qed.
Lemma coin_Q : solves coin true (Q_table coin true). Proof. by case/and5P: coin_numbers. Qed.
Lemma coin_gap : gap_is true (Q_table coin true) (1881#742). Proof. by case/and5P: coin_numbers. Qed.
Lemma pure_numbers : all (fun w => let m := coin_lover (map bit w) in
  [&& is_model m, solves m true (Q_table m true), gap_is true (Q_table m true) (gap m true) & Qle_bool (gap m true) (171#100)])
  (words 4).
Proof. by case/and5P: coin_numbers. Qed.

(* In the model of the coin lover every deterministic policy, by what it does at (i, s_i), has a smaller D_1(0) than the coin. *)
Theorem coin_beats_deterministic w (ok : is_model (coin_lover (map bit w))) : w \in words 4 ->
  D (model_of R coin_ok) (policy_of R ok) (true : pair) 0 < D (model_of R coin_ok) (policy_of R coin_ok) (true : pair) 0.
Proof.
move=> /(allP pure_numbers)/and4P[_ Qw gw le].
rewrite (@D_same pair (model_of R coin_ok) (model_of R ok)) // (D_of R ok Qw gw) (D_of R coin_ok coin_Q coin_gap).
by apply: le_lt_trans (of_Q_le R le) (of_Q_lt R _).
Qed.
End Library.

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

(* At kappa < i the cell of zeros around i has a state from which a bit arrives at time kappa + 1. *)
Let z0 : joint (path n) := at_rest (front n 0).
Let y (i : 'I_n.+1) kappa : joint (path n) := at_rest (front n (i.+1 - kappa.+1)).
Let zy (i : 'I_n.+1) kappa : (kappa < i)%N -> same_cell (i : path n) kappa z0 (y i kappa).
Proof. by move=> ki; split=> j /ball_reach ij; rewrite !ffunE // subSS [RHS]ltnNge leq_subLR addnC ij. Qed.

(* Eq. (6) with another total: weights of (6) times tau > 1 *)
Theorem weights_of_total (tau : R) (i : 'I_n.+1) kappa : 1 < tau -> (kappa < i)%N -> exists w, weights (i : path n) kappa w /\
  exists z, rbar * gamma ^+ kappa.+1 / (1 - gamma) < `|mean (fun x => tau * w z x) (Q M theta i) - Q M theta i z|.
Proof.
move=> tau1 ki; pose same x x' := same_cellb (i : path n) kappa x x'.
pose u x x' : R := (same x x')%:R / #|same x|%:R; have [ul uc uu] : weights (i : path n) kappa u := uniform_weights R (i : path n) kappa.
pose w x x' : R := if same z0 x then (x' == y i kappa)%:R else u x x'; exists w; split; last first.
  exists z0; have -> : mean (fun x => tau * w z0 x) (Q M theta i) = tau * Q M theta i (y i kappa).
    rewrite /mean; under eq_bigr do rewrite -mulrA; rewrite -mulr_sumr -[X in _ * X]/(mean (w z0) _).
    have -> : w z0 = fun x => (x == y i kappa)%:R by rewrite /w (_ : same _ _ = true) //; apply/same_cellP; split.
    by rewrite (mean_point _ (x := y i kappa)) ?eqxx //; apply: point_law.
  rewrite /z0 Q_zero subr0 (Q_off (ltW rbar0) g01 theta ki); apply: lt_le_trans (ler_norm _).
  by rewrite ltr_pmull // !mulr_gt0 ?exprn_gt0 ?invr_gt0 ?subr_gt0.
have same_eq x x' : same_cell (i : path n) kappa x x' -> same z0 x = same z0 x'.
  move=> [xs xa]; apply/same_cellP/same_cellP=> -[s a]; split=> j Bj; by rewrite ?s ?a ?xs ?xa.
split=> [x|x x'|x x' xx' x''].
- by rewrite /w; case: (same z0 x); [apply: point_law | apply: ul].
- rewrite /w {1}/same; case: same_cellP => [zx|_]; last exact: uc.
  case: (x' =P y i kappa) => [-> _|_]; last by rewrite eqxx.
  by split=> j Bj; [rewrite -(proj1 zx) // (proj1 (zy ki)) | rewrite -(proj2 zx) // (proj2 (zy ki))].
- by rewrite /w -(same_eq _ _ xx'); case: ifP => // _; apply: uu.
Qed.

(* Rewards in [low, rbar] with low < 0: the gap is (rbar - low) / rbar times Lemma 3's bound. So neither |r_i| <= rbar, which is
   low = - rbar, nor r_i <= rbar is enough. A constant in the rewards is one in Q_i. *)
Section Below.
Variable low : R.
Hypothesis low0 : low < 0.
Let wide : 0 <= rbar - low. Proof. by rewrite subr_ge0 ltW // (lt_trans low0). Qed.
Let W := relay n wide g01.
Definition signed (i : path n) z := r W i z + low.

Theorem rewards_below_0 (i : 'I_n.+1) kappa : (kappa < i)%N -> (forall z, low <= signed i z <= rbar) /\
  exists z w, same_cell (i : path n) kappa z w /\
    `|solve gamma (K W theta) (signed i) z - solve gamma (K W theta) (signed i) w| = (rbar - low) * gamma ^+ kappa.+1 / (1 - gamma) /\
    rbar * gamma ^+ kappa.+1 / (1 - gamma) < `|solve gamma (K W theta) (signed i) z - solve gamma (K W theta) (signed i) w|.
Proof.
move=> ki; split=> [z|].
  by have /andP[r0 r1] := r_range W i z; rewrite /signed ler_addr r0 -ler_subr_addr.
have d0 : 0 < 1 - gamma by rewrite subr_gt0.
have shifted z : solve gamma (K W theta) (signed i) z = Q W theta i z + low / (1 - gamma).
  apply/esym; apply: (solve_unique g01 (K_law W theta) (f := fun z => Q W theta i z + low / (1 - gamma))) => x.
  rewrite /bellman /E meanD (mean_const _ (K_law W theta x)) mulrDr addrACA mean_K -QE; congr (_ + _).
  by apply/eqP; rewrite -subr_eq -{1}[low / _]mul1r -mulrBl mulrC divfK // lt0r_neq0.
exists z0, (y i kappa); have gap : `|solve gamma (K W theta) (signed i) z0 - solve gamma (K W theta) (signed i) (y i kappa)| =
    (rbar - low) * gamma ^+ kappa.+1 / (1 - gamma).
  rewrite !shifted opprD addrACA subrr addr0 /z0 Q_zero sub0r normrN (Q_off wide g01 theta ki) ger0_norm //.
  by rewrite !mulr_ge0 ?exprn_ge0 ?invr_ge0 // ltW.
split; first exact: zy; rewrite gap; split=> //.
by rewrite ltr_pmul2r ?invr_gt0 // ltr_pmul2r ?exprn_gt0 // ltr_addl oppr_gt0.
Qed.
End Below.
End Relay.
