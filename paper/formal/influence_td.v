(* influence (d): TD's limit q* against Q_i. Everything outside N_i^kappa differs in every step: w = 1 there, and inside
   w(0) = 0, w(t + 1) = min(1, C w(t)); then |q* - Q_i| <= rbar sum_t gamma^t w_i(t). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone truncation td_fixed_point influence influence_own appendix_a.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Two averages of numbers of which any two that occur are close *)
Lemma mean_apart (R : realFieldType) (X Y : finType) (p : X -> R) (q : Y -> R) f g c :
  law p -> law q -> (forall x y, p x != 0 -> q y != 0 -> f x - g y <= c) -> mean p f - mean q g <= c.
Proof.
move=> pl ql fg; rewrite -(mean_const (mean q g) pl) -meanB; apply: (mean_le pl) => x px.
rewrite -(mean_const (f x) ql) -meanB; apply: (mean_le ql) => y qy; exact: fg.
Qed.

Section Limit.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat).
Implicit Types (z y : joint G) (f g : joint G -> R) (a : G -> R) (j k : G).
Variable C : G -> G -> R.
Hypothesis C_ge : forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k.
Let C0 j k : 0 <= C j k. Proof. exact: (C_ge0 theta C_ge). Qed.
Notation inside := (ball i kappa).
Notation T_K := (E (K M theta)).

(* w_O = 1 in every step, and inside w(t + 1) = min(1, C w(t)) from some w(0), 0 unless said otherwise *)
Fixpoint w_from (w0 : G -> R) t j : R :=
  if inside j then (if t is t'.+1 then Num.min 1 (\sum_k C j k * w_from w0 t' k) else w0 j) else 1.
Definition w := w_from (fun _ => 0).

Lemma w_out w0 t j : ~~ inside j -> w_from w0 t j = 1. Proof. by case: t => [|t] /= /negPf ->. Qed.
Lemma w_start w0 j : inside j -> w_from w0 0 j = w0 j. Proof. by move=> /= ->. Qed.
Lemma w_next w0 t j : inside j -> w_from w0 t.+1 j = Num.min 1 (\sum_k C j k * w_from w0 t k). Proof. by move=> /= ->. Qed.
Arguments w_from : simpl never.

Lemma w_le1 w0 t j : (forall k, w0 k <= 1) -> w_from w0 t j <= 1.
Proof.
move=> w01; have [jB|jO] := boolP (inside j); last by rewrite w_out.
by case: t => [|t]; rewrite ?w_start ?w_next // le_minl lexx.
Qed.

(* A chain that draws the outside anew, by p(. | cell), before it moves by P^theta: TD's, and P^theta itself *)
Definition redrawn (h p : joint G -> joint G -> R) :=
  [/\ forall z, law (p z), forall z y, p z y != 0 -> same_cell i kappa z y & forall f z, E h f z = mean (p z) (T_K f)].

Lemma P_redrawn : redrawn (K M theta) (fun z y => (y == z)%:R).
Proof.
split=> [z|z y|f z]; first exact: point_law.
  by have [->|] := eqVneq y z; rewrite ?eqxx.
by rewrite (@mean_point _ _ _ _ z (point_law R z)) ?eqxx.
Qed.

Lemma td_redrawn m : weights i kappa m -> redrawn (td_kernel M theta m) m.
Proof. by case=> ml mc _; split=> // f z; apply: E_td. Qed.

(* a lives inside: what moves f - g is inside only. One step, with the bound 1 for the agents of A and C for the others *)
Lemma step_redrawn h h' p p' f g a b (A : pred G) : redrawn h p -> redrawn h' p' -> (forall j, 0 <= a j) ->
  apart f g a b -> let a' k := \sum_(j | ~~ A j) a j * C j k in
  apart (E h f) (E h' g) (fun k => if inside k then a' k else 0)
    (b + \sum_(j | A j) a j + \sum_(k | ~~ inside k) a' k).
Proof.
move=> [pl pc hE] [pl' pc' hE'] a0 fg a' z v; rewrite hE hE'; apply: mean_apart => // y u /pc zy /pc' vu.
apply: le_trans (step_apart theta C_ge A a0 fg y u) _; rewrite -[X in _ <= X]addrA ler_add2l.
have a'0 k : 0 <= a' k by apply: sumr_ge0 => j _; rewrite mulr_ge0.
rewrite (bigID inside) /= addrC; apply: ler_add.
  by apply: ler_sum => k _; rewrite -[X in _ <= X]mulr1 (ler_wpmul2l (a'0 k)) // /differ lern1 leq_b1.
rewrite [X in _ <= X](bigID inside) /= ler_paddr ?sumr_ge0 // => [k /negPf kO|]; first by rewrite kO mul0r.
apply: ler_sum => k kB; rewrite kB (ler_wpmul2l (a'0 k)) // /differ.
by case: zy vu => zs za [vs va]; rewrite (zs k kB) (za k kB) (vs k kB) (va k kB).
Qed.

Lemma run_step h t f z : run h t (E h f) z = run h t.+1 f z.
Proof. by elim: t z => //= t IH z; apply: eq_mean. Qed.

(* Lines 1 and 2 of the proof, for the dual of the coupling: t steps of two such chains, and what is read off their ends,
   such as their difference in one cell *)
Theorem redrawn_read (read : (joint G -> R) -> (joint G -> R) -> R) (w0 : G -> R) h h' p p' :
  (forall f f' g g', f =1 f' -> g =1 g' -> read f g = read f' g') ->
  (forall f g a b, (forall j, 0 <= a j) -> (forall j, ~~ inside j -> a j = 0) -> apart f g a b ->
     read f g <= b + \sum_j a j * w0 j) ->
  redrawn h p -> redrawn h' p' -> forall t f g a b, (forall j, 0 <= a j) -> (forall j, ~~ inside j -> a j = 0) ->
  apart f g a b -> read (run h t f) (run h' t g) <= b + \sum_j a j * w_from w0 t j.
Proof.
move=> read_eq read_le hp hp'; elim=> [|t IH] f g a b a0 aO fg.
  apply: le_trans (read_le _ _ _ _ a0 aO fg) _; rewrite ler_add2l; apply: ler_sum => j _.
  by have [jB|/aO ->] := boolP (inside j); [rewrite w_start | rewrite !mul0r].
pose A j := (1 < \sum_k C j k * w_from w0 t k); pose a' k := \sum_(j | ~~ A j) a j * C j k.
have a'0 k : 0 <= a' k by apply: sumr_ge0 => j _; rewrite mulr_ge0.
rewrite -(read_eq _ _ _ _ (run_step h t f) (run_step h' t g)).
apply: le_trans (IH _ _ _ _ _ _ (step_redrawn A hp hp' a0 fg)) _ => [k|k /negPf -> //|].
  by case: ifP => // _; apply: a'0.
rewrite -/a' -!addrA ler_add2l.
have -> : \sum_(k | ~~ inside k) a' k + \sum_k (if inside k then a' k else 0) * w_from w0 t k = \sum_k a' k * w_from w0 t k.
  rewrite [in RHS](bigID inside) /= addrC [in LHS](bigID inside) /= [X in _ + X + _]big1 ?addr0 => [|k /negPf ->].
    by congr (_ + _); apply: eq_bigr => k kB; [rewrite kB | rewrite (w_out _ t kB) mulr1].
  by rewrite mul0r.
rewrite [in X in _ <= X](bigID A) /=; apply: ler_add.
  apply: ler_sum => j Aj; have [jB|/aO ->] := boolP (inside j); last by rewrite mul0r.
  by rewrite (w_next _ _ jB) min_l ?mulr1 // ltW.
rewrite /a'; under eq_bigr do rewrite mulr_suml; rewrite exchange_big; apply: ler_sum => j; rewrite -leNgt => Aj.
have [jB|/aO ->] := boolP (inside j); last by rewrite mul0r big1 // => k _; rewrite !mul0r.
by rewrite (w_next _ _ jB) min_r // mulr_sumr; apply: ler_sum => k _; rewrite mulrA.
Qed.

Corollary redrawn_apart h h' p p' t f g a b : redrawn h p -> redrawn h' p' -> (forall j, 0 <= a j) ->
  (forall j, ~~ inside j -> a j = 0) -> apart f g a b ->
  forall z v, same_cell i kappa z v -> run h t f z - run h' t g v <= b + \sum_j a j * w t j.
Proof.
move=> hp hp' a0 aO fg z v zv; apply: (redrawn_read (read := fun f g => f z - g v)) hp hp' _ _ _ _ _ a0 aO fg.
  by move=> f1 f2 g1 g2 f12 g12; rewrite f12 g12.
move=> {}f {}g {}a {}b {}a0 {}aO {}fg; apply: le_trans (fg z v) _; rewrite ler_add2l; apply: ler_sum => j _.
have [jB|/aO ->] := boolP (inside j); last by rewrite !mul0r.
by rewrite mulr0 /differ; case: zv => zs za; rewrite (zs j jB) (za j jB) !eqxx mulr0.
Qed.

Variable m : joint G -> joint G -> R.
Hypotheses (loc : local M) (m_ok : weights i kappa m).
Notation td := (td_kernel M theta m).
Let g0 : 0 <= gamma M. Proof. by case/andP: (gamma01 M). Qed.
Let d0 : 0 < 1 - gamma M. Proof. by rewrite subr_gt0; case/andP: (gamma01 M). Qed.

Lemma limit_at t z : `|run td t (r M i) z - run (K M theta) t (r M i) z| <= rbar M * w t i.
Proof.
have zz : same_cell i kappa z z by [].
have aO j : ~~ inside j -> own M i j = 0.
  by rewrite /own; have [->|] := eqVneq j i; rewrite ?ball_center ?mulr0.
have half h h' p p' : redrawn h p -> redrawn h' p' -> run h t (r M i) z - run h' t (r M i) z <= rbar M * w t i.
  move=> hp hp'; rewrite -(own_sum M i (w t)) -[X in _ <= X]add0r.
  by apply: (redrawn_apart t hp hp' (own_ge0 M theta i) aO) zz; apply: reward_within.
by rewrite ler_norml ler_oppl opprB; apply/andP; split; apply: half; (exact: P_redrawn || exact: (td_redrawn m_ok)).
Qed.

(* Rewards that differ by at most b t in step t, and the terms past a horizon T *)
Lemma td_horizon (b : nat -> R) T z :
  (forall t, `|run td t (r M i) z - run (K M theta) t (r M i) z| <= rbar M * b t) -> `|q_star M theta i m z - Q M theta i z| <=
  rbar M * (\sum_(t < T.+1) gamma M ^+ t * b t) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
move=> close; have tl y : law (td y) by apply: (td_law M theta m_ok).
have part (h : joint G -> joint G -> R) : (forall y, law (h y)) -> exists rest, 0 <= rest <= rbar M / (1 - gamma M) /\
    solve (gamma M) h (r M i) z = \sum_(t < T.+1) gamma M ^+ t * run h t (r M i) z + gamma M ^+ T.+1 * rest.
  move=> hl; exists (run h T.+1 (solve (gamma M) h (r M i)) z); split; last exact: solve_partial (gamma01 M) hl _ _ _.
  apply: run_bounds => // y; by have := solve_bounds (gamma01 M) hl (r_range M i) y; rewrite mul0r.
have [x [/andP[x0 x1] xE]] := part _ tl; have [y [/andP[y0 y1] yE]] := part _ (K_law M theta).
rewrite /q_star /Q xE yE opprD addrACA -mulrBr; apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
  rewrite -sumrB mulr_sumr; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => t _.
  by rewrite -mulrBr normrM (ger0_norm (exprn_ge0 _ g0)) [X in _ <= X]mulrCA ler_wpmul2l ?exprn_ge0.
rewrite normrM (ger0_norm (exprn_ge0 _ g0)) mulrC ler_wpmul2r ?exprn_ge0 // ler_norml ler_subl_addr ler_subr_addl.
by rewrite (le_trans x1) ?ler_addl // andbT (le_trans _ x0) // subr_le0.
Qed.

(* (d) *)
Theorem influence_td T z : `|q_star M theta i m z - Q M theta i z| <=
  rbar M * (\sum_(t < T.+1) gamma M ^+ t * w t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof. by apply: (td_horizon (b := w ^~ i)) => t; apply: limit_at. Qed.

Lemma geometric_le T : \sum_(t < T) gamma M ^+ t <= 1 / (1 - gamma M).
Proof. by rewrite ler_pdivl_mulr // mulrC -opprB mulNr -subrX1 opprB ler_subl_addr ler_addl exprn_ge0. Qed.

(* Finite sums S_T of gamma^t w(t): at most 1 / (1 - gamma); at most F(x) = gamma C x inside if x is at least all of them;
   and 0 up to the steps that somebody outside takes to come in. *)
Definition S T j : R := \sum_(t < T) gamma M ^+ t * w t j.

Lemma S_le T j : S T j <= 1 / (1 - gamma M).
Proof.
apply: le_trans (geometric_le T); apply: ler_sum => t _.
by rewrite -[X in _ <= X]mulr1 ler_wpmul2l ?exprn_ge0 // w_le1 // => k; exact: ler01.
Qed.

Lemma S_next T j : inside j -> S T.+1 j <= gamma M * \sum_k C j k * S T k.
Proof.
move=> jB; rewrite /S big_ord_recl /w (w_start _ jB) mulr0 add0r.
have -> : \sum_k C j k * (\sum_(t < T) gamma M ^+ t * w t k) = \sum_(t < T) gamma M ^+ t * \sum_k C j k * w t k.
  under eq_bigr do rewrite mulr_sumr; rewrite exchange_big; apply: eq_bigr => t _.
  by rewrite mulr_sumr; apply: eq_bigr => k _; rewrite mulrCA.
rewrite mulr_sumr; apply: ler_sum => t _; rewrite mulrA -exprS ler_wpmul2l ?exprn_ge0 //.
by rewrite (w_next _ t jB) le_minl lexx orbT.
Qed.

Lemma S_mono (x : G -> R) T j : (forall k, S T k <= x k) -> \sum_k C j k * S T k <= \sum_k C j k * x k.
Proof. by move=> Sx; apply: ler_sum => k _; rewrite ler_wpmul2l. Qed.

Lemma S_closed_form (x : G -> R) T j : (forall j, 0 <= x j) -> (forall j, ~~ inside j -> 1 / (1 - gamma M) <= x j) ->
  (forall j, inside j -> gamma M * (\sum_k C j k * x k) <= x j) -> S T j <= x j.
Proof.
move=> x0 xO xB; elim: T j => [|T IH] j; first by rewrite /S big_ord0.
have [jB|jO] := boolP (inside j); last by apply: le_trans (S_le _ _) (xO j jO).
by apply: le_trans (S_next T jB) (le_trans _ (xB j jB)); rewrite ler_wpmul2l //; apply: S_mono.
Qed.

(* deep d j: whatever comes from outside, by entries of C above 0, takes d steps or more to j. *)
Fixpoint deep d j : Prop := if d is d'.+1 then inside j /\ (forall k, C j k != 0 -> deep d' k) else True.

Lemma w_far d t j : deep d j -> (t < d)%N -> w t j = 0.
Proof.
elim: t d j => [|t IH] [//|d] j [jB jd] td; first exact: w_start.
rewrite /w (w_next _ _ jB) big1 ?min_r ?ler01 // => k _.
have [->|/jd dk] := eqVneq (C j k) 0; first by rewrite mul0r.
by rewrite -/(w t k) (IH d) ?mulr0.
Qed.

Lemma far_sum (v : nat -> R) d T : (forall t, v t <= 1) -> (forall t, (t < d)%N -> v t = 0) ->
  \sum_(t < T) gamma M ^+ t * v t <= gamma M ^+ d / (1 - gamma M).
Proof.
move=> v1 v0; have d1 : 0 <= 1 - gamma M by apply: ltW.
have [Td|dT] := leqP T d.
  by rewrite big1 => [|t _]; [rewrite divr_ge0 ?exprn_ge0 | rewrite v0 ?mulr0 // (leq_trans (ltn_ord t) Td)].
rewrite -(subnKC (ltnW dT)) big_split_ord /= big1 ?add0r => [|t _]; last by rewrite v0 ?mulr0.
apply: le_trans (_ : _ <= gamma M ^+ d * \sum_(t < T - d) gamma M ^+ t) _; last first.
  by rewrite ler_wpmul2l ?exprn_ge0 // -div1r geometric_le.
rewrite mulr_sumr; apply: ler_sum => t _; rewrite exprD -[X in _ <= X]mulr1 ler_wpmul2l ?mulr_ge0 ?exprn_ge0 //.
Qed.

Lemma w1 t j : w t j <= 1. Proof. by apply: w_le1 => k; exact: ler01. Qed.

Lemma S_far d T j : deep d j -> S T j <= gamma M ^+ d / (1 - gamma M).
Proof. by move=> jd; apply: (far_sum (v := w ^~ j)) => t; [exact: w1 | exact: w_far]. Qed.

(* From above: x is a bound of the light cone, 0 where nothing ever comes, and every further step is min(x, F(x)). *)
Definition far (x : G -> R) j :=
  (exists2 d, deep d j & gamma M ^+ d / (1 - gamma M) <= x j) \/ ((forall d, deep d j) /\ 0 <= x j).
Fixpoint above (x : G -> R) n j : R :=
  if inside j then (if n is n'.+1 then Num.min (above x n' j) (gamma M * \sum_k C j k * above x n' k) else x j)
  else 1 / (1 - gamma M).

Lemma far_bounds (v : nat -> R) (x : G -> R) T j : (forall t, v t <= 1) ->
  (forall d t, deep d j -> (t < d)%N -> v t = 0) -> far x j -> \sum_(t < T) gamma M ^+ t * v t <= x j.
Proof.
move=> v1 v0 [[d jd dx]|[jd x0]]; first by apply: le_trans (far_sum T v1 (fun t => v0 d t jd)) dx.
by rewrite big1 // => t _; rewrite (v0 T) ?mulr0.
Qed.

Lemma S_above (x : G -> R) n T j : (forall j, inside j -> far x j) -> S T j <= above x n j.
Proof.
move=> xj; elim: n T j => [|n IH] T j /=; case: ifP => [jB|_]; try exact: S_le.
  by apply: (far_bounds (v := w ^~ j)) (xj j jB) => [t|d t]; [exact: w1 | exact: w_far].
rewrite le_minr IH; case: T => [|T]; last first.
  by apply: le_trans (S_next T jB) _; rewrite ler_wpmul2l //; apply: S_mono => k.
by rewrite /S big_ord0 mulr_ge0 // sumr_ge0 // => k _; rewrite mulr_ge0 //; have := IH 0%N k; rewrite /S big_ord0.
Qed.

(* All agents at once: x_d bounds the sums of every agent that is d hops or more from the outside. *)
Hypothesis C_local : forall j k, ~~ N j k -> C j k = 0.

Lemma ball_deep d j : (forall k, ball j d k -> inside k) -> deep d.+1 j.
Proof.
elim: d j => [|d IH] j jd; split=> [|k Cjk //]; try by apply: jd; apply: ball_center.
have jk : N j k by apply: contraNT Cjk => /C_local ->.
apply: IH => l kl; apply: jd; rewrite -add1n; apply: ball_trans kl; apply/existsP; exists j; by rewrite /= eqxx.
Qed.

Lemma S_everywhere (x : nat -> G -> R) T d j : (forall d j, 0 <= x d j) -> (forall j, 1 / (1 - gamma M) <= x 0%N j) ->
  (forall d j, Num.min (gamma M ^+ d.+1 / (1 - gamma M))
     (gamma M * (C j j * x d.+1 j + \sum_(k | k != j) C j k * x d k)) <= x d.+1 j) -> deep d j -> S T j <= x d j.
Proof.
move=> x0 x_out x_step; elim: T d j => [|T IH] d j jd; first by rewrite /S big_ord0.
case: d jd => [|d] jd; first by apply: le_trans (S_le _ _) _.
apply: le_trans (x_step d j); rewrite le_minr (S_far _ jd) /=.
case: (jd) => jB dk; apply: le_trans (S_next T jB) _; rewrite ler_wpmul2l // (bigD1 j) //=; apply: ler_add.
  by rewrite ler_wpmul2l // IH.
apply: ler_sum => k _; have [->|/dk kd] := eqVneq (C j k) 0; first by rewrite !mul0r.
by rewrite ler_wpmul2l // IH.
Qed.
End Limit.
Arguments w_from : simpl never.

(* From the second step on, states alone move, by the kernels that the policy averages, and C_own, their matrix, serves if
   the outside is redrawn given states: m(s, a | cell) = n(s | s_B) 1{a_B} zeta_O(a_O | s_O), as TD's law is. *)
Section Own.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat).
Variables (C C_own : G -> G -> R) (m : joint G -> joint G -> R) (n : states G -> states G -> R).
Notation inside := (ball i kappa).
Hypotheses (loc : local M) (m_ok : weights i kappa m).
Hypothesis C_ge : forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k.
Hypothesis C_own_ge : forall j k s s', agree (predC1 k) s s' -> TV (@P_bar R G M theta j s) (@P_bar R G M theta j s') <= C_own j k.
Hypotheses (n_law : forall s, law (n s)) (n_cell : forall s u, n s u != 0 -> agree inside s u).
Hypothesis mE : forall z y, m z y =
  n z.1 y.1 * \prod_j (if inside j then (z.2 j == y.2 j)%:R else zeta theta j (y.1 j) (y.2 j)).
Notation td := (td_kernel M theta m).
Notation M_own := (averaged M theta).
Notation T_K := (E (K M theta)).

Let C_joint j k (y v : joint G) : alike (predC1 k) (predC1 k) y v -> TV (P M_own j y) (P M_own j v) <= C_own j k.
Proof. by case=> yv _; apply: C_own_ge. Qed.

(* The chain of states with the outside redrawn; actions play no part *)
Definition p_own (z y : joint G) : R := n z.1 y.1 * (z.2 == y.2)%:R.
Definition td_own (z y : joint G) : R := mean (p_own z) (fun x => K M_own theta x y).

Lemma mean_p_own z f : mean (p_own z) f = mean (n z.1) (fun s => f (s, z.2)).
Proof.
transitivity (\sum_s \sum_a p_own z (s, a) * f (s, a)); first by rewrite pair_bigA; apply: eq_bigr => -[s a].
apply: eq_bigr => s _ /=; by rewrite (bigD1 z.2) //= /p_own /= eqxx mulr1 big1 ?addr0 // => a /negPf; rewrite eq_sym => ->; rewrite mulr0 mul0r.
Qed.

Lemma own_redrawn : redrawn M_own theta i kappa td_own p_own.
Proof.
split=> [z|z y|f z]; last by rewrite /E /td_own mean_mean.
  split=> [y|]; first by rewrite mulr_ge0 ?ler0n //; case: (n_law z.1).
  have <- : mean (p_own z) (fun _ => 1) = 1; last by apply: eq_bigr => y _; rewrite mulr1.
  by rewrite mean_p_own; apply: (mean_const _ (n_law z.1)).
rewrite /p_own mulf_eq0 negb_or => /andP[/n_cell zs]; have [za _|_] := eqVneq z.2 y.2; last by rewrite eqxx.
by split=> // j _; rewrite za.
Qed.

(* Averaged over its actions, TD's next state is that of the states' chain. *)
Lemma act_td f s : act theta (E td f) s = mean (n s) (act theta (T_K f)).
Proof.
transitivity (\sum_u n s u * \sum_(a' : actions G)
    (\sum_(a : actions G) choice theta s a * \prod_j (if inside j then (a j == a' j)%:R else zeta theta j (u j) (a' j))) * T_K f (u, a')).
  transitivity (\sum_(a : actions G) \sum_u \sum_(a' : actions G) choice theta s a * (m (s, a) (u, a') * T_K f (u, a'))).
    apply: eq_bigr => a _; rewrite E_td pair_bigA mulr_sumr; by apply: eq_bigr => -[u a'].
  rewrite exchange_big; apply: eq_bigr => u _ /=; rewrite exchange_big mulr_sumr; apply: eq_bigr => a' _ /=.
  rewrite mulr_suml mulr_sumr; apply: eq_bigr => a _; by rewrite mE /= -!mulrA mulrCA.
apply: eq_bigr => u _; have [->|/n_cell su] := eqVneq (n s u) 0; first by rewrite !mul0r.
congr (_ * _); apply: eq_bigr => a' _; congr (_ * _).
transitivity (\prod_j mean (zeta theta j (s j)) (fun b => if inside j then (b == a' j)%:R else zeta theta j (u j) (a' j))).
  by rewrite -mean_prod.
apply: eq_bigr => j _; have [jB|_] := boolP (inside j); last exact: (mean_const _ (zeta_law theta (s j))).
rewrite /mean (bigD1 (a' j)) //= eqxx mulr1 big1 ?addr0 ?(su j jB) // => b /negPf ->; by rewrite mulr0.
Qed.

Lemma act_T_K f s b : act theta (T_K f) s = mean (next M_own (s, b)) (act theta f).
Proof.
transitivity (act theta (fun z => mean (next M z) (act theta f)) s); first by apply: eq_bigr => a _; rewrite /E mean_K.
rewrite {1}/act mean_mean; apply: eq_bigr => s' _; congr (_ * _); exact: (P_theta_averaged theta loc (s, b) s').
Qed.

Lemma run_td t f z : act theta (run td t f) z.1 = run td_own t (fun y => act theta f y.1) z.
Proof.
elim: t z => // t IH z; rewrite /= act_td /E /td_own -mean_mean mean_p_own; apply: eq_mean => s.
rewrite (act_T_K _ _ z.2) mean_K; apply: eq_mean => u.
rewrite -[LHS](mean_const _ (choice_law theta u)); apply: eq_mean => b; exact: (IH (u, b)).
Qed.

(* w(0) = 0 inside, w(1) = min(1, C 1_O), w(t + 1) = min(1, C_own w(t)) *)
Definition w_own t j : R := if t is t'.+1 then w_from i kappa C_own (w i kappa C 1) t' j else w i kappa C 0 j.

Lemma limit_at_own t z : `|run td t (r M i) z - run (K M theta) t (r M i) z| <= rbar M * w_own t i.
Proof.
case: t => [|t]; first exact: (limit_at theta C_ge loc m_ok 0 z).
pose rho y := act theta (r M i) (y : joint G).1.
have first_step (h : joint G -> joint G -> R) p (hE : redrawn M theta i kappa h p) (g g' : joint G -> R) :
    act theta g =1 act theta g' -> E h g z = E h g' z.
  case: hE => _ _ hE gg; rewrite !hE; apply: eq_mean => y; rewrite /E !mean_K; exact: eq_mean.
have tdE : run td t.+1 (r M i) z = E td (run td_own t rho) z.
  rewrite -[LHS]/(E td (run td t (r M i)) z); apply: (first_step _ _ (td_redrawn M theta m_ok)) => s.
  rewrite -[LHS](mean_const _ (choice_law theta s)); apply: eq_mean => b; exact: (run_td t (r M i) (s, b)).
have KE : run (K M theta) t.+1 (r M i) z = E (K M theta) (run (K M_own theta) t rho) z.
  rewrite -[LHS]/(T_K (run (K M theta) t (r M i)) z); apply: (first_step _ _ (P_redrawn M theta i kappa)) => s.
  rewrite -[LHS](mean_const _ (choice_law theta s)); apply: eq_mean => b; exact: (run_averaged theta loc t (r M i) (s, b)).
have aO j : ~~ inside j -> own M i j = 0.
  by rewrite /own; have [->|] := eqVneq j i; rewrite ?ball_center ?mulr0.
have rho_apart : apart rho rho (own M i) 0.
  move=> y v; rewrite add0r own_sum /differ; have [yv|] := eqVneq (y.1 i) (v.1 i).
    suff -> : rho y = rho v by rewrite subrr mulr_ge0 ?ler0n ?(rbar_ge0 M theta i).
    by case: (loc i) => _ ri; apply: (act_depends theta ri) => j /orP[] /eqP ->.
  have bounds x : 0 <= rho x <= rbar M.
    by rewrite /rho /act mean_ge ?mean_le //; try exact: choice_law; move=> b _; case/andP: (r_range M i ((x : joint G).1, b)).
  by move=> _; rewrite mulr1; have /andP[y0 y1] := bounds y; have /andP[v0 v1] := bounds v; rewrite ler_subl_addr (le_trans y1) // ler_addl.
have zz : same_cell i kappa z z by [].
have half h h' p p' k k' q q' : redrawn M theta i kappa h p -> redrawn M theta i kappa h' p' ->
    redrawn M_own theta i kappa k q -> redrawn M_own theta i kappa k' q' ->
    E h (run k t rho) z - E h' (run k' t rho) z <= rbar M * w_own t.+1 i.
  move=> hp hp' kq kq'; rewrite -(own_sum M i (w_own t.+1)) -[X in _ <= X]add0r.
  apply: (redrawn_read C_joint (read := fun f g => E h f z - E h' g z) (w0 := w i kappa C 1)) kq kq' _ _ _ _ _ _ aO rho_apart.
  - by move=> f f' g g' ff gg; congr (_ - _); apply: eq_mean.
  - move=> f g a b a0 a_out fg; exact: (redrawn_apart C_ge 1 hp hp' a0 a_out fg zz).
  exact: own_ge0.
rewrite tdE KE ler_norml ler_oppl opprB; apply/andP; split; apply: half;
  first [exact: (td_redrawn M theta m_ok) | exact: own_redrawn | exact: P_redrawn].
Qed.

Theorem influence_td_own T z : `|q_star M theta i m z - Q M theta i z| <=
  rbar M * (\sum_(t < T.+1) gamma M ^+ t * w_own t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof. by apply: (td_horizon m_ok (b := w_own ^~ i)) => t; apply: limit_at_own. Qed.

Let C0 j k : 0 <= C j k. Proof. exact: (C_ge0 theta C_ge). Qed.
Let C_own0 j k : 0 <= C_own j k. Proof. exact: (C_ge0 theta C_joint). Qed.
Let g0 : 0 <= gamma M. Proof. by case/andP: (gamma01 M). Qed.

Lemma own_next t j : inside j -> w_own t.+1 j <=
  \sum_(k | ~~ inside k) (if t is 0 then C j k else C_own j k) + \sum_(k | inside k) C_own j k * w_own t k.
Proof.
move=> jB; case: t => [|t].
  rewrite [w_own _ _]w_start // /w w_next // le_minl; apply/orP; right.
  rewrite (bigID inside) /= addrC; apply: ler_add.
    by apply: ler_sum => k kO; rewrite w_out // mulr1.
  by apply: ler_sum => k kB; rewrite /w !w_start // !mulr0.
rewrite [w_own _ _]w_next // le_minl; apply/orP; right; rewrite (bigID inside) /= addrC; apply: ler_add.
  by apply: ler_sum => k kO; rewrite w_out // mulr1.
exact: ler_sum.
Qed.

Lemma S_own_next (x : G -> R) T j : (forall k, inside k -> \sum_(t < T) gamma M ^+ t * w_own t k <= x k) -> inside j ->
  \sum_(t < T.+1) gamma M ^+ t * w_own t j <= gamma M * (\sum_(k | ~~ inside k) C j k
    + gamma M / (1 - gamma M) * (\sum_(k | ~~ inside k) C_own j k) + \sum_(k | inside k) C_own j k * x k).
Proof.
move=> IH jB; rewrite big_ord_recl [w_own _ _]w_start // mulr0 add0r.
apply: le_trans (_ : gamma M * (\sum_(t < T) gamma M ^+ t * (\sum_(k | ~~ inside k) (if (t : nat) is 0 then C j k else C_own j k))
    + \sum_(t < T) gamma M ^+ t * (\sum_(k | inside k) C_own j k * w_own t k)) <= _).
  rewrite -big_split /= mulr_sumr; apply: ler_sum => t _; rewrite -mulrDr mulrA -exprS ler_wpmul2l ?exprn_ge0 //.
  exact: own_next.
rewrite ler_wpmul2l //; apply: ler_add.
  case: T {IH} => [|T].
    by rewrite big_ord0 addr_ge0 ?mulr_ge0 ?invr_ge0 ?sumr_ge0 // subr_ge0 ltW; case/andP: (gamma01 M).
  rewrite big_ord_recl /= mul1r ler_add2l -mulr_suml ler_wpmul2r ?sumr_ge0 //.
  under eq_bigr do rewrite exprS; rewrite -mulr_sumr ler_wpmul2l // -div1r; exact: geometric_le.
under [X in X <= _]eq_bigr do rewrite mulr_sumr; rewrite exchange_big; apply: ler_sum => k kB.
under eq_bigr do rewrite mulrCA; rewrite -mulr_sumr ler_wpmul2l //; exact: IH.
Qed.

Hypothesis C_own_C : forall j k, C j k = 0 -> C_own j k = 0.

Lemma w_own_le1 t j : w_own t j <= 1.
Proof. by case: t => [|t]; rewrite ?w1 // w_le1 // => k; apply: w1. Qed.

Lemma w_own_far d t j : deep i kappa C d j -> (t < d)%N -> w_own t j = 0.
Proof.
case: t => [|t] jd td; first exact: w_far jd td.
rewrite /=; elim: t d j jd td => [|t IH] [//|d] j [jB jd] td.
  by rewrite w_start // (w_far (d := d.+1)).
rewrite w_next // big1 ?min_r ?ler01 // => k _.
have [/C_own_C ->|/jd dk] := eqVneq (C j k) 0; first by rewrite mul0r.
by rewrite (IH d) ?mulr0.
Qed.

Definition F_own (x : G -> R) j : R :=
  gamma M * (\sum_(k | ~~ inside k) C j k + gamma M / (1 - gamma M) * (\sum_(k | ~~ inside k) C_own j k)
    + \sum_(k | inside k) C_own j k * x k).
Fixpoint above_own (x : G -> R) n j : R :=
  if n is n'.+1 then Num.min (above_own x n' j) (F_own (above_own x n') j) else x j.

Lemma S_own_above (x : G -> R) steps T j : (forall j, inside j -> far M i kappa C x j) -> inside j ->
  \sum_(t < T) gamma M ^+ t * w_own t j <= above_own x steps j.
Proof.
move=> xj; elim: steps T j => [|steps IH] T j jB /=.
  by apply: (far_bounds (v := w_own ^~ j)) (xj j jB) => [t|d t]; [exact: w_own_le1 | exact: w_own_far].
rewrite le_minr IH //=; case: T => [|T]; last by apply: S_own_next => // k kB; apply: IH.
rewrite big_ord0 mulr_ge0 // addr_ge0 ?addr_ge0 ?mulr_ge0 ?invr_ge0 ?sumr_ge0 //.
  by rewrite subr_ge0 ltW //; case/andP: (gamma01 M).
by move=> k kB; rewrite mulr_ge0 //; have := IH 0%N k kB; rewrite big_ord0.
Qed.
End Own.

(* What bounds all finite sums bounds q* - Q_i: a limit, for fields in which gamma^T becomes small. *)
Section Archimedean.
Variables (R : archiFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat).
Variables (C : G -> G -> R) (m : joint G -> joint G -> R).
Hypotheses (loc : local M) (m_ok : weights i kappa m).
Hypothesis C_ge : forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k.

Lemma influence_td_limit x z : (forall T, S M i kappa C T i <= x) -> `|q_star M theta i m z - Q M theta i z| <= rbar M * x.
Proof.
move=> Sx; apply: (le_limit (b := rbar M / (1 - gamma M) * gamma M) (gamma01 M)) => T; rewrite -[_ * gamma M * _]mulrA -exprS.
apply: le_trans (influence_td theta C_ge loc m_ok T z) _; rewrite ler_add2r (ler_wpmul2l (rbar_ge0 M theta i)) //; exact: Sx.
Qed.

(* Closed form: x = (I - gamma C_BB)^(-1) gamma C_BO 1 / (1 - gamma) inside and 1 / (1 - gamma) outside, or any such x *)
Theorem influence_td_closed_form (x : G -> R) z : (forall j, 0 <= x j) ->
  (forall j, ~~ ball i kappa j -> 1 / (1 - gamma M) <= x j) ->
  (forall j, ball i kappa j -> gamma M * (\sum_k C j k * x k) <= x j) ->
  `|q_star M theta i m z - Q M theta i z| <= rbar M * x i.
Proof. by move=> x0 xO xB; apply: influence_td_limit => T; apply: (S_closed_form theta C_ge). Qed.

(* What the library computes: from a bound of the light cone, n steps of min(x, F(x)) *)
Theorem influence_td_above (x : G -> R) n z : (forall j, ball i kappa j -> far M i kappa C x j) ->
  `|q_star M theta i m z - Q M theta i z| <= rbar M * above M i kappa C x n i.
Proof. by move=> xj; apply: influence_td_limit => T; apply: (S_above theta C_ge). Qed.

(* With C_own, the matrix of the averaged kernels, from the second step on *)
Theorem influence_td_own_above (C_own : G -> G -> R) (n : states G -> states G -> R) (x : G -> R) steps z :
  (forall j k s s', agree (predC1 k) s s' -> TV (@P_bar R G M theta j s) (@P_bar R G M theta j s') <= C_own j k) ->
  (forall j k, C j k = 0 -> C_own j k = 0) ->
  (forall s, law (n s)) -> (forall s u, n s u != 0 -> agree (ball i kappa) s u) ->
  (forall z y, m z y = n z.1 y.1 * \prod_j (if ball i kappa j then (z.2 j == y.2 j)%:R else zeta theta j (y.1 j) (y.2 j))) ->
  (forall j, ball i kappa j -> far M i kappa C x j) ->
  `|q_star M theta i m z - Q M theta i z| <= rbar M * above_own M i kappa C C_own x steps i.
Proof.
move=> C_own_ge C_own_C n_law n_cell mE xj.
apply: (le_limit (b := rbar M / (1 - gamma M) * gamma M) (gamma01 M)) => T; rewrite -[_ * gamma M * _]mulrA -exprS.
apply: le_trans (influence_td_own loc m_ok C_ge C_own_ge n_law n_cell mE T z) _.
by rewrite ler_add2r (ler_wpmul2l (rbar_ge0 M theta i)) //; apply: (S_own_above C_ge C_own_ge C_own_C) => //; apply: ball_center.
Qed.

(* All agents at once, by one product with C for each kappa *)
Theorem influence_td_everywhere (x : nat -> G -> R) z : (forall j k, ~~ N j k -> C j k = 0) -> (forall d j, 0 <= x d j) ->
  (forall j, 1 / (1 - gamma M) <= x 0%N j) ->
  (forall d j, Num.min (gamma M ^+ d.+1 / (1 - gamma M))
     (gamma M * (C j j * x d.+1 j + \sum_(k | k != j) C j k * x d k)) <= x d.+1 j) ->
  `|q_star M theta i m z - Q M theta i z| <= rbar M * x kappa.+1 i.
Proof. by move=> Cl x0 x_out x_step; apply: influence_td_limit => T; apply: (S_everywhere theta C_ge) => //; apply: (ball_deep Cl). Qed.
End Archimedean.
