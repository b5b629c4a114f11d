(* definition2: the least rho for c = rbar / (1 - gamma) that a policy asks for, D_i(kappa) = c rho^(kappa + 1), is at most gamma,
   and at most what the influence matrix certifies; and at most what branch and bound certifies for all policies. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model lemma3 influence supremum.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Definition2.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat) (rho : R).
Hypotheses (loc : local M) (rbar0 : 0 < rbar M) (rho0 : 0 <= rho).
Hypothesis asked : D M theta i kappa = rbar M / (1 - gamma M) * rho ^+ kappa.+1.

(* Roots keep the order: what bounds D bounds rho. *)
Lemma definition2_root sigma : 0 <= sigma -> D M theta i kappa <= rbar M / (1 - gamma M) * sigma ^+ kappa.+1 -> rho <= sigma.
Proof.
move=> s0; have [_ g1] := andP (gamma01 M).
by rewrite asked ler_pmul2l ?divr_gt0 ?subr_gt0 // ler_pexpn2r.
Qed.

Theorem definition2_lemma3 : rho <= gamma M.
Proof.
apply: definition2_root; first by case/andP: (gamma01 M).
by rewrite mulrAC; apply: lemma3_D.
Qed.

(* sigma = the root of the smaller of the two bounds, as the check has it *)
Theorem definition2_influence (C : G -> G -> R) T sigma :
  (forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k) -> 0 <= sigma ->
  Num.min (rbar M / (1 - gamma M) * gamma M ^+ kappa.+1)
    (rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * q C (outside R i kappa) t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1)
  = rbar M / (1 - gamma M) * sigma ^+ kappa.+1 -> rho <= sigma.
Proof.
move=> C_ge s0 sE; apply: definition2_root => //; rewrite -sE le_minr; apply/andP; split.
  by rewrite mulrAC; apply: lemma3_D.
exact: influence.
Qed.

(* sigma = the root of the largest bound over boxes that cover all policies *)
Theorem definition2_supremum b sigma : covered M i kappa b -> 0 <= sigma -> b = rbar M / (1 - gamma M) * sigma ^+ kappa.+1 -> rho <= sigma.
Proof.
move=> cover s0 bE; apply: definition2_root => //; rewrite -bE; apply: supremum => //.
by rewrite bE mulr_ge0 ?exprn_ge0 // divr_ge0 ?ltW // subr_gt0; case/andP: (gamma01 M).
Qed.
End Definition2.
