(* appendix_a (a): D_i(kappa) <= rbar sum_{t > kappa} gamma^t d_i(t), d_i(t) the distance of the laws of (s_i(t), a_i(t)) from two starts. *)
From mathcomp Require Import all_ssreflect all_algebra.
From sacrepro Require Import law bellman model light_cone influence.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section AppendixA.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat) (d : nat -> R).
Hypothesis loc : local M.
Implicit Types z w : joint G.

Definition pair_at z : state i * action i := (z.1 i, z.2 i).

(* The law of (s_i(t), a_i(t)) from z *)
Definition law_at t z (x : state i * action i) : R := run (K M theta) t (fun y => (pair_at y == x)%:R) z.

Lemma law_at_law t z : law (law_at t z).
Proof.
elim: t z => [|t IH] z; last exact: mean_law (K_law M theta z) IH.
split=> [x|]; first exact: ler0n.
by rewrite -[RHS](proj2 (point_law R (pair_at z))); apply: eq_bigr => x _; rewrite /law_at /= eq_sym.
Qed.

Lemma law_at_mean t z (f : state i * action i -> R) : run (K M theta) t (fun y => f (pair_at y)) z = mean (law_at t z) f.
Proof.
elim: t z => [|t IH] z; first by rewrite (mean_point (x := pair_at z) _ (law_at_law 0 z)) // /law_at /= eqxx.
by rewrite /= /E (eq_mean _ IH) mean_mean.
Qed.

(* d_i(t), wanted for t > kappa only *)
Hypothesis d_ge : forall t z w, (kappa < t)%N -> same_cell i kappa z w -> TV (law_at t z) (law_at t w) <= d t.
Hypothesis d_ge0 : forall t, 0 <= d t.

Lemma reward_at_TV t z w : (kappa < t)%N -> same_cell i kappa z w ->
  reward_at M theta t i z - reward_at M theta t i w <= rbar M * d t.
Proof.
move=> kt zw; pose rho x := if [pick y | pair_at y == x] is Some y then r M i y else r M i z.
have rhoE y : rho (pair_at y) = r M i y.
  rewrite /rho; case: pickP => [v /eqP[vs va]|/(_ y)]; last by rewrite eqxx.
  by case: (loc i) => _ ri; apply: ri; split=> j /eqP ->.
have rho_range x : 0 <= rho x <= rbar M by rewrite /rho; case: pickP => [y _|_]; apply: r_range.
have E y : reward_at M theta t i y = mean (law_at t y) rho.
  by rewrite -law_at_mean; apply: eq_run => v; rewrite rhoE.
rewrite !E; apply: le_trans (mean_TV (c := rbar M) (law_at_law t z) (law_at_law t w) _) _ => [x y|].
  have /andP[x0 x1] := rho_range x; have /andP[y0 y1] := rho_range y.
  by rewrite ler_subl_addr (le_trans x1) // ler_addl.
rewrite ler_wpmul2l ?d_ge //; by have /andP[z0 /(le_trans z0)] := r_range M i z.
Qed.

Theorem appendix_a T : D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * d t) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
have [s _] := law_ex (pi0_law M); have [a _] := law_ex (choice_law theta s).
have /andP[r0 r1] := r_range M i (s, a); have rb0 := le_trans r0 r1.
rewrite mulr_sumr; under eq_bigr do rewrite mulrCA.
apply: (@horizon R G M theta kappa.+1 (fun t => rbar M * d t)) => [t|t z w|t z w]; last exact: reward_at_TV.
  by rewrite mulr_ge0.
exact: (@reward_at_cell R G M theta t i kappa z w loc).
Qed.
End AppendixA.

Print Assumptions appendix_a.
