(* appendix_a (a): D_i(kappa) <= rbar sum_{t > kappa} gamma^t d_i(t), d_i(t) the distance of the laws of (s_i(t), a_i(t)) from two starts. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone influence.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section AppendixA.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G).
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

Lemma reward_at_TV t z w : reward_at M theta t i z - reward_at M theta t i w <= rbar M * TV (law_at t z) (law_at t w).
Proof.
pose rho x := if [pick y | pair_at y == x] is Some y then r M i y else r M i z.
have rhoE y : rho (pair_at y) = r M i y.
  rewrite /rho; case: pickP => [v /eqP[vs va]|/(_ y)]; last by rewrite eqxx.
  by case: (loc i) => _ ri; apply: ri; split=> j /eqP ->.
have rho_range x : 0 <= rho x <= rbar M by rewrite /rho; case: pickP => [y _|_]; apply: r_range.
have E y : reward_at M theta t i y = mean (law_at t y) rho.
  by rewrite -law_at_mean; apply: eq_run => v; rewrite rhoE.
rewrite !E; apply: mean_TV; try exact: law_at_law; move=> x y.
have /andP[x0 x1] := rho_range x; have /andP[y0 y1] := rho_range y.
by rewrite ler_subl_addr (le_trans x1) // ler_addl.
Qed.

Theorem appendix_a kappa (d : nat -> R) T : (forall t, 0 <= d t) ->
  (forall t z w, (kappa < t)%N -> same_cell i kappa z w -> TV (law_at t z) (law_at t w) <= d t) ->
  D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * d t) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
move=> d0 d_ge; have rb0 := rbar_ge0 M theta i.
rewrite mulr_sumr; under eq_bigr do rewrite mulrCA.
apply: (@horizon R G M theta kappa.+1 (fun t => rbar M * d t)) => [t|t z w|t z w kt zw]; first by rewrite mulr_ge0.
  exact: (@reward_at_cell R G M theta t i kappa z w loc).
by apply: le_trans (reward_at_TV t z w) _; rewrite ler_wpmul2l ?d_ge.
Qed.

(* A later law is a mixture of earlier ones, ... *)
Lemma law_at_later T c t z w : (forall z w, TV (law_at T z) (law_at T w) <= c) -> (T <= t)%N ->
  TV (law_at t z) (law_at t w) <= c.
Proof.
move=> Tc /subnK <-; elim: (t - T)%N z w => {t} [|t IH] z w; first exact: Tc.
exact: TV_mix (K_law M theta z) (K_law M theta w) IH.
Qed.

(* ... and what is to come after n steps differs by at most 1 / (1 - gamma) times as much as the reward at n. *)
Lemma run_Q_spread n b : (forall z w, reward_at M theta n i z - reward_at M theta n i w <= b) ->
  forall z w, run (K M theta) n (Q M theta i) z - run (K M theta) n (Q M theta i) w <= b / (1 - gamma M).
Proof.
set u := run _ n _ => rb z w; have /andP[g0 _] := gamma01 M.
have uE y : u y = reward_at M theta n i y + gamma M * E (K M theta) u y.
  rewrite /u; elim: (n) y => [|k IH] y; first exact: (solveE (gamma01 M) (K_law M theta)).
  by rewrite /= {1}/E (eq_mean _ IH) meanD meanZ.
have [hi _ hi_max] := @arg_maxP _ _ _ z xpredT u isT; have [lo _ lo_min] := @arg_minP _ _ _ z xpredT u isT.
apply: le_trans (_ : u hi - u lo <= _); first by apply: ler_add; rewrite ?ler_opp2; [apply: hi_max | apply: lo_min].
rewrite ler_pdivl_mulr; last exact: (d_gt0 (gamma01 M)); rewrite mulrBr mulr1 ler_subl_addr.
apply: le_trans (_ : (reward_at M theta n i hi + gamma M * E (K M theta) u hi) -
  (reward_at M theta n i lo + gamma M * E (K M theta) u lo) <= _); first by rewrite -!uE.
rewrite opprD addrACA -mulrBr ler_add // [X in _ <= X]mulrC ler_wpmul2l // ler_add // ?ler_opp2.
  by apply: (mean_le (K_law M theta hi)) => y _; apply: hi_max.
by apply: (mean_ge (K_law M theta lo)) => y _; apply: lo_min.
Qed.

(* What the check sums: distances of the laws from any two starts up to T, and d(T) ever after *)
Theorem appendix_a_measured kappa (d : nat -> R) T :
  (forall t z w, (t <= T)%N -> TV (law_at t z) (law_at t w) <= d t) ->
  D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * d t + d T * gamma M ^+ (maxn T kappa).+1 / (1 - gamma M)).
Proof.
move=> d_ge; have rb0 := rbar_ge0 M theta i; have /andP[g0 _] := gamma01 M; have e0 := d_gt0 (gamma01 M).
have [s _] := law_ex (pi0_law M); have [a _] := law_ex (choice_law theta s).
have d0 t : (t <= T)%N -> 0 <= d t by move=> tT; apply: le_trans (TV_ge0 _ _) (d_ge t (s, a) (s, a) tT).
have late t z w : (T <= t)%N -> reward_at M theta t i z - reward_at M theta t i w <= rbar M * d T.
  move=> Tt; apply: le_trans (reward_at_TV t z w) _; rewrite ler_wpmul2l //.
  by apply: law_at_later Tt => y v; apply: d_ge.
set n := (maxn T kappa).+1.
have half z w : same_cell i kappa z w -> Q M theta i z - Q M theta i w <=
    rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * d t + d T * gamma M ^+ n / (1 - gamma M)).
  move=> zw; rewrite /Q !(solve_partial (gamma01 M) (K_law M theta) n) -/(Q M theta i) opprD addrACA -sumrB mulrDr.
  apply: ler_add; last first.
    rewrite -mulrBr [d T * _]mulrC -mulrA mulrCA ler_wpmul2l ?exprn_ge0 // mulrA.
    by apply: run_Q_spread => y v; apply: late; rewrite leqW // leq_maxl.
  rewrite mulr_sumr (bigID (fun t : 'I_n => (kappa < t)%N)) /= [X in _ + X]big1 ?addr0 => [|t]; last first.
    by rewrite -leqNgt => tk; rewrite -!/(reward_at M theta t i _) (reward_at_cell theta loc tk zw) subrr.
  have [Tk|kT] := leqP T kappa.
    rewrite big1 => [|t kt]; last by have := ltn_ord t; rewrite {2}/n (maxn_idPr Tk) ltnS leqNgt kt.
    by apply: sumr_ge0 => t _; rewrite mulr_ge0 // mulr_ge0 ?exprn_ge0 // d0 // -ltnS.
  rewrite /n (maxn_idPl (ltnW kT)); apply: ler_sum => t kt; rewrite -mulrBr mulrCA ler_wpmul2l ?exprn_ge0 //.
  by apply: le_trans (reward_at_TV t z w) _; rewrite ler_wpmul2l // d_ge // -ltnS.
apply: D_le => [|z w zw]; last by rewrite ler_norml ler_oppl opprB !half //; apply: alike_sym.
by apply: le_trans (half (s, a) (s, a) _); [rewrite subrr | split].
Qed.
End AppendixA.

(* The closed forms are limits. So the field is archimedean, as the rationals and the reals are: gamma^T becomes as small as one likes. *)
Section Archimedean.
Variable R : archiFieldType.

Lemma le_limit (x y b g : R) : 0 <= g < 1 -> (forall T, x <= y + b * g ^+ T) -> x <= y.
Proof.
move=> /andP[g0 g1] xy; rewrite leNgt; apply/negP=> yx; pose e := x - y; have e0 : 0 < e by rewrite subr_gt0.
have eb T : e <= b * g ^+ T by rewrite ler_subl_addl.
have d0 : 0 < 1 - g by rewrite subr_gt0.
have b0 : 0 <= b by apply: le_trans (ltW e0) _; have := eb 0%N; rewrite mulr1.
set n := Num.bound (b / (e * (1 - g))); have bn : b <= n%:R * (e * (1 - g)).
  by rewrite -ler_pdivr_mulr ?mulr_gt0 // ltW // archi_boundP // divr_ge0 // mulr_ge0 ?ltW.
have gn : n%:R * (1 - g) * g ^+ n <= 1 - g ^+ n.
  rewrite -[1 - g ^+ n]opprB subrX1 -mulNr opprB mulrAC mulrC ler_wpmul2l ?(ltW d0) // mulr_natl -[X in _ *+ X]card_ord -sumr_const.
  by apply: ler_sum => t _; apply: ler_wiexpn2l => //; [apply: ltW | apply: ltnW].
have [g_n|gn0] := eqVneq (g ^+ n) 0; first by have := eb n; rewrite g_n mulr0 leNgt e0.
have := eb n; apply/negP; rewrite -ltNge; apply: le_lt_trans (_ : e * (1 - g ^+ n) < _); last first.
  by rewrite gtr_pmulr // ltr_subl_addr ltr_addl lt_def gn0 exprn_ge0.
apply: le_trans (_ : n%:R * (e * (1 - g)) * g ^+ n <= _); first by rewrite ler_wpmul2r ?exprn_ge0.
by rewrite mulrCA -!mulrA ler_wpmul2l ?(ltW e0) // mulrA.
Qed.

Lemma geometric (x : R) k T : (\sum_(t < T.+1 | (k < t)%N) x ^+ t) * (1 - x) = x ^+ k.+1 - x ^+ (maxn T k).+1.
Proof.
elim: T => [|T IH]; first by rewrite big_mkcond big_ord_recr big_ord0 /= add0r mul0r max0n subrr.
set r := maxn T.+1 k; rewrite big_mkcond big_ord_recr /= -big_mkcond mulrDl IH; have [kT|Tk] := ltnP k T.+1.
  have -> : r = T.+1 by apply/maxn_idPl/ltnW.
  have -> : maxn T k = T by apply/maxn_idPl.
  by rewrite mulrBr mulr1 -exprSr addrA subrK.
have -> : r = k by apply/maxn_idPr.
have -> : maxn T k = k by apply/maxn_idPr/ltnW.
by rewrite mul0r addr0.
Qed.

Variables (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat) (c m : R).
Hypotheses (loc : local M) (c0 : 0 <= c) (m01 : 0 <= m <= 1).

Theorem appendix_a_two_starts : (forall t z w, (0 < t)%N -> TV (law_at M theta (i := i) t z) (law_at M theta (i := i) t w) <= c * m ^+ t) ->
  D M theta i kappa <= c * rbar M / (1 - gamma M * m) * (gamma M * m) ^+ kappa.+1.
Proof.
move=> close; have /andP[g0 g1] := gamma01 M; have /andP[m0 m1] := m01; have rb0 := rbar_ge0 M theta i.
have d0 : 0 < 1 - gamma M * m by rewrite subr_gt0 (le_lt_trans _ g1) // ler_pimulr.
apply: (@le_limit _ _ (rbar M / (1 - gamma M) * gamma M) (gamma M) (gamma01 M)) => T.
apply: le_trans (@appendix_a R G M theta i loc kappa (fun t => c * m ^+ t) T _ _) _ => [t|t z w kt _|].
- by rewrite mulr_ge0 ?exprn_ge0.
- by apply: close; apply: leq_trans kt.
rewrite exprS mulrA ler_add2r; under eq_bigr do rewrite mulrCA -exprMn; rewrite -mulr_sumr mulrA [rbar M * c]mulrC -[X in _ <= X]mulrA.
by rewrite ler_wpmul2l ?mulr_ge0 // [X in _ <= X]mulrC ler_pdivl_mulr // geometric ler_subl_addr ler_addl exprn_ge0 ?mulr_ge0.
Qed.
End Archimedean.

(* The paper's hypothesis: the laws are close to a limit, once for each of two starts *)
Theorem appendix_a_limit (R : archiFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) kappa c m (pi : state i * action i -> R) :
  local M -> 0 <= c -> 0 <= m <= 1 -> (forall t z, (0 < t)%N -> TV (law_at M theta (i := i) t z) pi <= c * m ^+ t) ->
  D M theta i kappa <= 2%:R * c * rbar M / (1 - gamma M * m) * (gamma M * m) ^+ kappa.+1.
Proof.
move=> loc c0 m01 close; apply: appendix_a_two_starts => //; first by rewrite mulr_ge0 ?ler0n.
move=> t z w t0; apply: le_trans (TV_triangle _ pi _) _; rewrite -mulrA mulr_natl mulr2n ler_add ?close //.
by rewrite /TV; under eq_bigr do rewrite distrC; apply: close.
Qed.
