(* influence (c): from the second step on, states alone are a Markov chain, and C^theta, the matrix of its kernels, serves. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone influence.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Independent factors, each a function of one draw *)
Lemma mean_prod (R : realFieldType) (I : finType) (T : I -> finType) (p f : forall i, T i -> R) :
  mean (prod p) (fun w : {dffun forall i, T i} => \prod_i f i (w i)) = \prod_i mean (p i) (f i).
Proof. by rewrite /mean -sum_prod; apply: eq_bigr => w _; rewrite /prod -big_split. Qed.

Section Own.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (C C_own : G -> G -> R).
Hypothesis loc : local M.
Hypothesis C_ge : forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k.

(* sum_a zeta_i(a | s_i) P_i(s' | s_{N_i}, a) *)
Definition P_bar (i : G) (s : states G) (s' : state i) : R := act theta (fun z => P M i z s') s.
Arguments P_bar : clear implicits.
Hypothesis C_own_ge : forall j k s s', agree (predC1 k) s s' -> TV (P_bar j s) (P_bar j s') <= C_own j k.

Lemma P_bar_law i (z : joint G) : law (P_bar i z.1).
Proof. by apply: mean_law => [|a]; [apply: choice_law | apply: P_law]. Qed.
Definition averaged : mdp R G := @Mdp R G (fun i z => P_bar i z.1) (r M) (pi0 M) (rbar M) (gamma M) P_bar_law (r_range M) (pi0_law M) (gamma01 M).

Lemma P_theta_averaged z s' : P_theta M theta z.1 s' = next averaged z s'.
Proof.
have [b _] := law_ex (choice_law theta z.1).
pose f (i : G) (a : action i) := P M i (z.1, put a b) (s' i).
have fE i a : P M i (z.1, a) (s' i) = f i (a i).
  case: (loc i) => Pi _; apply: Pi; split=> // j /eqP -> /=; rewrite ffunE.
  by case: (i =P i) => // e; rewrite eq_axiomK.
rewrite /P_theta /act /next /prod; transitivity (mean (choice theta z.1) (fun a => \prod_i f i (a i))).
  by apply: eq_mean => a; apply: eq_bigr => i _; apply: fE.
rewrite mean_prod; apply: eq_bigr => i _; rewrite /= /P_bar /act.
rewrite -(mean_factor (f i) (fun j => zeta_law theta (z.1 j))); apply: eq_mean => a; exact: esym (fE i a).
Qed.

Lemma run_averaged t f z : act theta (run (K M theta) t f) z.1 = run (K averaged theta) t (fun y => act theta f y.1) z.
Proof.
elim: t z => // t IH z; rewrite /= /E.
rewrite [RHS]mean_K {1}/act; under eq_mean do rewrite mean_K; rewrite mean_mean.
transitivity (mean (next averaged z) (act theta (run (K M theta) t f))).
  by apply: eq_bigr => s _; congr (_ * _); rewrite -P_theta_averaged.
apply: eq_mean => s; rewrite -[LHS](mean_const _ (choice_law theta s)); apply: eq_mean => a; exact: (IH (s, a)).
Qed.

(* q(1) = min(1, C 1_O), q(t + 1) = min(1, C^theta q(t)) *)
Definition q_own i kappa t : G -> R := q C_own (q C (outside R i kappa) 1) t.-1.

Let C_own_joint j k (y v : joint G) : alike (predC1 k) (predC1 k) y v -> TV (P averaged j y) (P averaged j v) <= C_own j k.
Proof. by case=> yv _; apply: C_own_ge. Qed.

Lemma reward_at_own t i kappa z w : (kappa < t)%N -> same_cell i kappa z w ->
  reward_at M theta t i z - reward_at M theta t i w <= rbar M * q_own i kappa t i.
Proof.
case: t => // t _ zw; have rb0 := rbar_ge0 M theta i; pose rho y := act theta (r M i) (y : joint G).1.
have rE y : reward_at M theta t.+1 i y = E (K M theta) (run (K averaged theta) t rho) y.
  rewrite /reward_at /= /E !mean_K; apply: eq_mean => s.
  rewrite -[LHS](mean_const _ (choice_law theta s)); apply: eq_mean => b; exact: (run_averaged t (r M i) (s, b)).
pose a j := rbar M * (j == i)%:R; have a0 j : 0 <= a j by rewrite mulr_ge0 ?ler0n.
have pick g : \sum_j a j * g j = rbar M * g i.
  by rewrite (bigD1 i) //= /a eqxx mulr1 big1 ?addr0 // => j /negPf ->; rewrite mulr0 mul0r.
have rho01 y : 0 <= rho y <= rbar M.
  by rewrite /rho /act mean_ge ?mean_le //; try exact: choice_law; move=> b _; case/andP: (r_range M i ((y : joint G).1, b)).
have rho_within : within rho a 0.
  move=> y v; rewrite add0r pick /differ; have [yv|] := eqVneq (y.1 i) (v.1 i).
    suff -> : rho y = rho v by rewrite subrr mulr_ge0 ?ler0n.
    by case: (loc i) => _ ri; apply: (act_depends theta ri) => j /orP[] /eqP ->.
  move=> _; rewrite mulr1; have /andP[y0 y1] := rho01 y; have /andP[v0 v1] := rho01 v.
  by rewrite ler_subl_addr (le_trans y1) // ler_addl.
have step f b c : (forall j, 0 <= b j) -> within f b c ->
    E (K M theta) f z - E (K M theta) f w <= c + \sum_j b j * q C (differ R z w) 1 j.
  by move=> b0 fb; apply: (moves_at theta C_ge 1 z w b0 fb).
rewrite !rE; apply: le_trans (moves_read theta C_own_joint
  (read := fun f => E (K M theta) f z - E (K M theta) f w) _ step t a0 rho_within) _ => [f g fg|].
  by rewrite /E !(eq_mean _ fg).
rewrite add0r pick ler_wpmul2l // -[q_own _ _ _ _]/(q C_own (q C (outside R i kappa) 1) t i); apply: (q_mono theta C_own_joint) => j.
by apply: (q_mono theta C_ge) => k; apply: differ_outside.
Qed.

Theorem influence_own T i kappa : D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * q_own i kappa t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
have rb0 := rbar_ge0 M theta i; rewrite mulr_sumr; under eq_bigr do rewrite mulrCA.
apply: (@horizon R G M theta kappa.+1 (fun t => rbar M * q_own i kappa t i)) => [t|t z w|t z w]; last exact: reward_at_own.
  rewrite mulr_ge0 //; apply: (q_ge0 theta C_own_joint) => j; apply: (q_ge0 theta C_ge) => k; exact: ler0n.
exact: (@reward_at_cell R G M theta t i kappa z w loc).
Qed.
End Own.
