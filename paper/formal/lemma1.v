(* Lemma 1, the policy gradient theorem (4), for numbers with a derivation. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model lemma4.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* J(theta) = E_{s ~ pi_0} V(s), with V = (1/n) sum_i V_i of eq. (2) *)
Definition J (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) : R :=
  mean (pi0 M) (fun s => #|G|%:R^-1 * \sum_i V M theta i s).

(* d is additive and obeys Leibniz' rule, like differentiation in a direction of theta where R is a field of functions of theta.
   It is zero on what theta does not move: gamma, pi_0, P and r. g_i(s, a) = d log zeta_i(a | s). *)
Section Lemma1.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (d : {additive R -> R}).
Variable g : forall i : G, state i -> action i -> R.
Arguments g {i}.
Hypothesis leibniz : forall x y, d (x * y) = d x * y + x * d y.
Hypotheses (d_gamma : d (gamma M) = 0) (d_pi0 : forall s, d (pi0 M s) = 0).
Hypotheses (d_P : forall i z s', d (P M i z s') = 0) (d_r : forall i z, d (r M i z) = 0).
Hypothesis d_zeta : forall i s a, d (zeta theta i s a) = zeta theta i s a * g s a.

Lemma d1 : d 1 = 0.
Proof. by have := leibniz 1 1; rewrite !mulr1 mul1r => /eqP; rewrite -subr_eq subrr eq_sym => /eqP. Qed.

Lemma d_natV n : d n%:R^-1 = 0.
Proof.
have dn : d n%:R = 0 by rewrite -[n%:R]/(1 *+ n) raddfMn d1 mul0rn.
have [->|n0] := eqVneq (n%:R : R) 0; first by rewrite invr0 raddf0.
have := leibniz n%:R n%:R^-1; rewrite divff // d1 dn mul0r add0r => /esym/eqP.
by rewrite mulf_eq0 (negPf n0) => /eqP.
Qed.

(* d prod_i p_i = prod_i p_i (sum_i g_i) if d p_i = p_i g_i *)
Lemma d_prod (I : finType) (p h : I -> R) : (forall i, d (p i) = p i * h i) ->
  d (\prod_i p i) = (\prod_i p i) * \sum_i h i.
Proof.
move=> dp; elim: (index_enum I) => [|i s IH]; first by rewrite !big_nil d1 mulr0.
by rewrite !big_cons leibniz IH dp mulrDr [p i * h i * _]mulrAC mulrA.
Qed.

Lemma d_mean0 (X : finType) (p f : X -> R) : (forall x, d (p x) = 0) -> d (mean p f) = mean p (fun x => d (f x)).
Proof. by move=> p0; rewrite /mean raddf_sum; apply: eq_bigr => x _; rewrite leibniz p0 mul0r add0r. Qed.

Definition log_derivative (z : joint G) : R := \sum_i g (z.1 i) (z.2 i).   (* d log zeta^theta(a | s) *)

Lemma d_act f s : d (act theta f s) = act theta (fun z => f z * log_derivative z) s + act theta (fun z => d (f z)) s.
Proof.
rewrite /act -meanD /mean raddf_sum; apply: eq_bigr => a _; rewrite leibniz mulrDr; congr (_ + _).
by rewrite (d_prod (fun i => d_zeta (s i) (a i))) mulrAC -mulrA.
Qed.

Lemma d_next z f : d (mean (next M z) f) = mean (next M z) (fun s => d (f s)).
Proof.
apply: d_mean0 => s; rewrite /next /prod (d_prod (h := fun _ => 0)) => [|i]; first by rewrite [X in _ * X]big1 ?mulr0.
by rewrite d_P mulr0.
Qed.

(* d V_i = E[Q_i d log zeta | s] + gamma P^theta d V_i: one more discounted sum, of what E_pi averages *)
Lemma d_V i s : d (V M theta i s) =
  bellman (gamma M) (P_theta M theta) (act theta (fun z => Q M theta i z * log_derivative z)) (fun s => d (V M theta i s)) s.
Proof.
rewrite /bellman {1}/V d_act; congr (_ + _); rewrite /E -mean_mean -meanZ; apply: eq_mean => a.
by rewrite QE raddfD leibniz d_gamma mul0r add0r d_r add0r d_next.
Qed.

Theorem lemma1 : d (J M theta) =
  (1 - gamma M)^-1 * E_pi M theta (fun z => #|G|%:R^-1 * (\sum_i Q M theta i z) * log_derivative z).
Proof.
have dV i : mean (pi0 M) (fun s => d (V M theta i s)) =
    (1 - gamma M)^-1 * mean (pi_theta M theta) (act theta (fun z => Q M theta i z * log_derivative z)).
  rewrite (occupancy_solve (gamma01 M) (P_theta_law M theta)) mulKf; last exact: (d_neq0 (gamma01 M)).
  apply: eq_mean => s; apply: (solve_unique (gamma01 M) (P_theta_law M theta) (f := fun s => d (V M theta i s))) => y.
  exact: d_V.
rewrite /J d_mean0 //; under eq_mean do rewrite leibniz d_natV mul0r add0r raddf_sum.
rewrite meanZ mean_sum; under eq_bigr do rewrite dV; rewrite -mulr_sumr mulrCA; congr (_ * _).
rewrite /E_pi -mean_sum -meanZ; apply: eq_mean => s; rewrite /act -mean_sum -meanZ; apply: eq_mean => a.
by rewrite -mulrA mulr_suml.
Qed.

(* That scores have mean zero (the record `scores`) is no assumption on the policy: it follows from sum_a zeta_i(a | s) = 1. *)
Lemma log_derivative_mean (i : G) (s : state i) : mean (zeta theta i s) (fun a => g s a) = 0.
Proof.
have := d1; rewrite -(proj2 (zeta_law theta s)) raddf_sum => e; rewrite -[RHS]e.
by apply: eq_bigr => a _; rewrite d_zeta.
Qed.
End Lemma1.

(* With scores <u_i, grad log zeta_i> the derivative of J is <u, grad J>, `gradient` being what Lemma 4 compares with. *)
Corollary lemma1_gradient (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta)
    (d : {additive R -> R}) (u : forall i : G, param sc i -> R) :
  (forall x y, d (x * y) = d x * y + x * d y) -> d (gamma M) = 0 -> (forall s, d (pi0 M s) = 0) ->
  (forall i z s', d (P M i z s') = 0) -> (forall i z, d (r M i z) = 0) ->
  (forall i s a, d (zeta theta i s a) = zeta theta i s a * dot (u i) (score sc i s a)) ->
  d (J M theta) = \sum_i dot (u i) (gradient M (sc := sc) (i := i)).
Proof.
move=> leib dg dpi dP dr dz; rewrite (lemma1 leib dg dpi dP dr dz) -mean_visits.
rewrite (eq_mean _ (g := fun z => \sum_i \sum_k u i k * (#|G|%:R^-1 * (\sum_j Q M theta j z) * score_at z k))) => [|z].
  rewrite mean_sum mulr_sumr; apply: eq_bigr => i _; rewrite mean_sum mulr_sumr; apply: eq_bigr => k _.
  by rewrite meanZ mean_visits mulrCA.
rewrite /log_derivative mulr_sumr; apply: eq_bigr => i _; rewrite mulr_sumr; apply: eq_bigr => k _.
by rewrite mulrCA.
Qed.
