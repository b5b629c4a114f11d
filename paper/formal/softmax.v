(* The tabular softmax: its score, by formula, and the covariance of the score. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model lemma4.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* The variance of x under any law is at most |x|^2 / 2. *)
Lemma variance_half (R : realFieldType) (X : finType) (p x : X -> R) : law p ->
  mean p (fun a => (x a - mean p x) ^+ 2) <= 2%:R^-1 * norm2 x.
Proof.
move=> pl; have [a0 _] := law_ex pl; set m := mean p x.
have [lo _ lo_min] := @arg_minP _ _ _ a0 xpredT x isT; have [hi _ hi_max] := @arg_maxP _ _ _ a0 xpredT x isT.
pose c := (x hi + x lo) / 2%:R; pose d := (x hi - x lo) / 2%:R.
have two : (2%:R : R) != 0 by rewrite pnatr_eq0.
have hiE : x hi = c + d by apply: (mulIf two); rewrite mulrDl !divfK // mulr_natr mulr2n addrACA subrr addr0.
have loE : x lo = c - d by apply: (mulIf two); rewrite mulrBl !divfK // mulr_natr mulr2n opprB [x hi + _]addrC addrACA subrr addr0.
have about_c : mean p (fun a => (x a - m) ^+ 2) <= mean p (fun a => (x a - c) ^+ 2).
  rewrite -subr_ge0 -meanB (eq_mean _ (g := fun a => (m - c) * ((x a - c) + (x a - m)))) => [|a].
    by rewrite meanZ meanD !meanB !(mean_const _ pl) -/m subrr addr0 -expr2 sqr_ge0.
  by rewrite subr_sqr; congr (_ * _); rewrite opprB addrC addrA subrK.
apply: le_trans about_c _; apply: (mean_le pl) => a _.
have ad : `|x a - c| <= d by rewrite ler_distl -hiE -loE; apply/andP; split; [apply: lo_min | apply: hi_max].
rewrite -(@real_normK _ (x a - c)) ?num_real // ler_pdivl_mull ?ltr0n //.
apply: le_trans (_ : 2%:R * d ^+ 2 <= _).
  by rewrite ler_wpmul2l ?ler0n // ler_expn2r ?nnegrE // (le_trans _ ad).
have [e|ne] := eqVneq hi lo; first by rewrite /d e subrr mul0r expr0n mulr0 norm2_ge0.
rewrite /norm2 (bigD1 hi) // (bigD1 lo) 1?eq_sym //= addrA hiE loE.
apply: le_trans (_ : (c + d) ^+ 2 + (c - d) ^+ 2 <= _); last by rewrite ler_addl sumr_ge0 // => k _; apply: sqr_ge0.
rewrite sqrrD sqrrB addrACA [c ^+ 2 + _ + _]addrACA subrr addr0 mulr_natl mulr2n ler_addr.
by rewrite addr_ge0 ?sqr_ge0.
Qed.

Section Covariance.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta) (Lambda : R).

(* The covariance of the score of i, given s_i: E<v, score>^2 <= Lambda |v|^2 *)
Definition covariance_le (i : G) := forall s (v : param sc i -> R),
  mean (zeta theta i s) (fun a => dot v (score sc i s a) ^+ 2) <= Lambda * norm2 v.

Lemma visits_covariance i (v : param sc i -> R) : covariance_le i ->
  mean (visits M theta) (fun z => dot v (score_at z) ^+ 2) <= Lambda * norm2 v.
Proof.
move=> cov; rewrite mean_visits; apply: (mean_le (pi_theta_law M theta)) => s _.
by rewrite /act (mean_factor (fun a => dot v (score sc i (s i) a) ^+ 2)) // => j; apply: zeta_law.
Qed.
End Covariance.

(* d log zeta_i(a | s) / d theta_i(s', a') = 1{s = s'} (1{a = a'} - zeta_i(a' | s)) *)
Section Softmax.
Variables (R : realFieldType) (G : network) (theta : policy R G).

Definition softmax_score (i : G) s a (k : state i * action i) : R :=
  (s == k.1)%:R * ((a == k.2)%:R - zeta theta i s k.2).

Lemma softmax_mean (i : G) s k : mean (zeta theta i s) (fun a => softmax_score s a k) = 0.
Proof.
rewrite meanZ meanB (mean_const _ (zeta_law theta s)) /mean (bigD1 k.2) //= eqxx mulr1 big1 ?addr0.
  by rewrite subrr mulr0.
by move=> a /negPf ->; rewrite mulr0.
Qed.

Definition softmax : scores theta := Scores softmax_mean.

Lemma dot_softmax (i : G) s a (v : state i * action i -> R) :
  dot v (softmax_score s a) = v (s, a) - mean (zeta theta i s) (fun b => v (s, b)).
Proof.
transitivity (\sum_s' \sum_b v (s', b) * softmax_score s a (s', b)).
  by rewrite pair_bigA; apply: eq_bigr => -[s' b].
rewrite (bigD1 s) //= [X in _ + X]big1 ?addr0.
  under eq_bigr do rewrite /softmax_score eqxx mul1r mulrBr; rewrite sumrB /=; congr (_ - _).
    by rewrite (bigD1 a) //= eqxx mulr1 big1 ?addr0 // => b /negPf; rewrite eq_sym => ->; rewrite mulr0.
  by apply: eq_bigr => b _; rewrite mulrC.
move=> s' /negPf s's; apply: big1 => b _; by rewrite /softmax_score eq_sym s's mul0r mulr0.
Qed.

Lemma softmax_covariance i : covariance_le softmax 2%:R^-1 i.
Proof.
move=> s v; rewrite (eq_mean _ (g := fun a => (v (s, a) - mean (zeta theta i s) (fun b => v (s, b))) ^+ 2)); last first.
  by move=> a; rewrite -dot_softmax.
apply: le_trans (variance_half (fun b => v (s, b)) (zeta_law theta s)) _.
have -> : norm2 v = \sum_s' \sum_b v (s', b) ^+ 2 by rewrite pair_bigA; apply: eq_bigr => -[s' b].
rewrite ler_wpmul2l ?invr_ge0 ?ler0n // /norm2 (bigD1 s) //=.
by rewrite ler_addl sumr_ge0 // => s' _; apply: sumr_ge0 => b _; apply: sqr_ge0.
Qed.

(* |score|^2 <= 2, so L_i = sqrt 2 serves every tabular softmax policy. *)
Theorem softmax_norm (i : G) (s : state i) (a : action i) : norm2 (score softmax i s a) <= 2%:R.
Proof.
have [z0 z1] := zeta_law theta s; have z_le1 b : zeta theta i s b <= 1.
  by rewrite -z1 (bigD1 b) //= ler_addl sumr_ge0.
rewrite /norm2 -(pair_bigA _ (fun s' b => softmax_score s a (s', b) ^+ 2)) (bigD1 s) //= [X in _ + X]big1 ?addr0; last first.
  by move=> s' /negPf s's; apply: big1 => b _; rewrite /softmax_score eq_sym s's mul0r expr0n.
have -> : 2%:R = \sum_b ((a == b)%:R + zeta theta i s b) :> R.
  by rewrite big_split z1 (bigD1 a) //= eqxx big1 ?addr0 // => b /negPf; rewrite eq_sym => ->.
apply: ler_sum => b _; rewrite /softmax_score eqxx mul1r /=; case: eqP => _.
  apply: le_trans (_ : 1 - zeta theta i s b <= _).
    by rewrite expr2 ler_pimulr ?subr_ge0 // ler_subl_addr ler_addl.
  by rewrite ler_add2l (le_trans _ (z0 b)) // oppr_le0.
by rewrite sub0r sqrrN add0r expr2 ler_pimulr.
Qed.
End Softmax.
