(* influence (d): TD's limit q* against Q_i. Everything outside N_i^kappa differs in every step: w = 1 there, and inside
   w(0) = 0, w(t + 1) = min(1, C w(t)); then |q* - Q_i| <= rbar sum_t gamma^t w_i(t). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone truncation td_fixed_point influence appendix_a.
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

Fixpoint w t j : R :=
  if inside j then (if t is t'.+1 then Num.min 1 (\sum_k C j k * w t' k) else 0) else 1.

Lemma w_out t j : ~~ inside j -> w t j = 1. Proof. by case: t => [|t] /= /negPf ->. Qed.
Lemma w_start j : inside j -> w 0 j = 0. Proof. by move=> /= ->. Qed.
Lemma w_next t j : inside j -> w t.+1 j = Num.min 1 (\sum_k C j k * w t k). Proof. by move=> /= ->. Qed.
Arguments w : simpl never.

Lemma w_ge0 t j : 0 <= w t j.
Proof.
elim: t j => [|t IH] j; have [jB|jO] := boolP (inside j); try by rewrite w_out ?ler01.
  by rewrite w_start.
by rewrite w_next // le_minr ler01 sumr_ge0 // => k _; rewrite mulr_ge0.
Qed.

Lemma w_le1 t j : w t j <= 1.
Proof.
have [jB|jO] := boolP (inside j); last by rewrite w_out.
by case: t => [|t]; rewrite ?w_start ?w_next // ?le_minl ?lexx ?ler01.
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

(* Lines 1 and 2 of the proof, for the dual of the coupling: t steps of two such chains from one cell *)
Theorem redrawn_apart h h' p p' t f g a b : redrawn h p -> redrawn h' p' -> (forall j, 0 <= a j) ->
  (forall j, ~~ inside j -> a j = 0) -> apart f g a b ->
  forall z v, same_cell i kappa z v -> run h t f z - run h' t g v <= b + \sum_j a j * w t j.
Proof.
move=> hp hp'; elim: t f g a b => [|t IH] f g a b a0 aO fg z v zv.
  apply: le_trans (fg z v) _; rewrite ler_add2l; apply: ler_sum => j _.
  have [jB|/aO ->] := boolP (inside j); last by rewrite !mul0r.
  by rewrite (w_start jB) mulr0 /differ; case: zv => zs za; rewrite (zs j jB) (za j jB) !eqxx mulr0.
pose A j := (1 < \sum_k C j k * w t k); pose a' k := \sum_(j | ~~ A j) a j * C j k.
have a'0 k : 0 <= a' k by apply: sumr_ge0 => j _; rewrite mulr_ge0.
rewrite -!run_step; apply: le_trans (IH _ _ _ _ _ _ (step_redrawn A hp hp' a0 fg) _ _ zv) _ => [k|k /negPf -> //|].
  by case: ifP => // _; apply: a'0.
rewrite -/a' -!addrA ler_add2l.
have -> : \sum_(k | ~~ inside k) a' k + \sum_k (if inside k then a' k else 0) * w t k = \sum_k a' k * w t k.
  rewrite [in RHS](bigID inside) /= addrC [in LHS](bigID inside) /= [X in _ + X + _]big1 ?addr0 => [|k /negPf ->].
    by congr (_ + _); apply: eq_bigr => k kB; [rewrite kB | rewrite (w_out t kB) mulr1].
  by rewrite mul0r.
rewrite [in X in _ <= X](bigID A) /=; apply: ler_add.
  apply: ler_sum => j Aj; have [jB|/aO ->] := boolP (inside j); last by rewrite mul0r.
  by rewrite (w_next _ jB) min_l ?mulr1 // ltW.
rewrite /a'; under eq_bigr do rewrite mulr_suml; rewrite exchange_big; apply: ler_sum => j; rewrite -leNgt => Aj.
have [jB|/aO ->] := boolP (inside j); last by rewrite mul0r big1 // => k _; rewrite !mul0r.
by rewrite (w_next _ jB) min_r // mulr_sumr; apply: ler_sum => k _; rewrite mulrA.
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

(* (d), with the terms past a horizon T *)
Theorem influence_td T z : `|q_star M theta i m z - Q M theta i z| <=
  rbar M * (\sum_(t < T.+1) gamma M ^+ t * w t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
have tl y : law (td y) by apply: (td_law M theta m_ok).
have part (h : joint G -> joint G -> R) : (forall y, law (h y)) -> exists rest, 0 <= rest <= rbar M / (1 - gamma M) /\
    solve (gamma M) h (r M i) z = \sum_(t < T.+1) gamma M ^+ t * run h t (r M i) z + gamma M ^+ T.+1 * rest.
  move=> hl; exists (run h T.+1 (solve (gamma M) h (r M i)) z); split; last exact: solve_partial (gamma01 M) hl _ _ _.
  apply: run_bounds => // y; by have := solve_bounds (gamma01 M) hl (r_range M i) y; rewrite mul0r.
have [x [/andP[x0 x1] xE]] := part _ tl; have [y [/andP[y0 y1] yE]] := part _ (K_law M theta).
rewrite /q_star /Q xE yE opprD addrACA -mulrBr; apply: le_trans (ler_norm_add _ _) _; apply: ler_add.
  rewrite -sumrB mulr_sumr; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => t _.
  rewrite -mulrBr normrM (ger0_norm (exprn_ge0 _ g0)) [X in _ <= X]mulrCA ler_wpmul2l ?exprn_ge0 //; exact: limit_at.
rewrite normrM (ger0_norm (exprn_ge0 _ g0)) mulrC ler_wpmul2r ?exprn_ge0 // ler_norml ler_subl_addr ler_subr_addl.
by rewrite (le_trans x1) ?ler_addl // andbT (le_trans _ x0) // subr_le0.
Qed.

(* Finite sums S_T of gamma^t w(t): at most 1 / (1 - gamma); at most F(x) = gamma C x inside if x is at least all of them;
   and 0 up to the steps that somebody outside takes to come in. *)
Definition S T j : R := \sum_(t < T) gamma M ^+ t * w t j.

Lemma S_le T j : S T j <= 1 / (1 - gamma M).
Proof.
rewrite ler_pdivl_mulr // mulrC; apply: le_trans (_ : _ <= (1 - gamma M) * \sum_(t < T) gamma M ^+ t) _.
  by rewrite ler_pmul2l //; apply: ler_sum => t _; rewrite -[X in _ <= X]mulr1 ler_wpmul2l ?exprn_ge0 ?w_le1.
by rewrite -opprB mulNr -subrX1 opprB ler_subl_addr ler_addl exprn_ge0.
Qed.

Lemma S_next T j : inside j -> S T.+1 j <= gamma M * \sum_k C j k * S T k.
Proof.
move=> jB; rewrite /S big_ord_recl (w_start jB) mulr0 add0r.
have -> : \sum_k C j k * (\sum_(t < T) gamma M ^+ t * w t k) = \sum_(t < T) gamma M ^+ t * \sum_k C j k * w t k.
  under eq_bigr do rewrite mulr_sumr; rewrite exchange_big; apply: eq_bigr => t _.
  by rewrite mulr_sumr; apply: eq_bigr => k _; rewrite mulrCA.
rewrite mulr_sumr; apply: ler_sum => t _; rewrite mulrA -exprS ler_wpmul2l ?exprn_ge0 //.
by rewrite [w _ _](w_next t jB) le_minl lexx orbT.
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

(* All agents at once: x_d bounds the sums of every agent that is d hops or more from the outside. *)
Hypothesis C_local : forall j k, ~~ N j k -> C j k = 0.
Definition deep d j := if d is d'.+1 then forall k, ball j d' k -> inside k else True.

Lemma deep_inside d j : deep d.+1 j -> inside j.
Proof. by apply; apply: ball_center. Qed.

Lemma deep_neighbor d j k : deep d.+1 j -> N j k -> deep d k.
Proof.
case: d => // d jd jk l kl; apply: jd; rewrite -add1n; apply: ball_trans kl.
by apply/existsP; exists j; rewrite /= eqxx.
Qed.

Lemma w_far d t j : deep d j -> (t < d)%N -> w t j = 0.
Proof.
elim: t d j => [|t IH] [//|d] j jd td; have jB := deep_inside jd; first exact: w_start.
rewrite (w_next _ jB) big1 ?min_r ?ler01 // => k _.
have [jk|/C_local ->] := boolP (N j k); last by rewrite mul0r.
by rewrite (IH d) ?mulr0 //; apply: deep_neighbor jk.
Qed.

Lemma S_far d T j : deep d j -> S T j <= gamma M ^+ d / (1 - gamma M).
Proof.
move=> jd; have d1 : 0 <= 1 - gamma M by apply: ltW.
have [Td|dT] := leqP T d.
  by rewrite /S big1 => [|t _]; [rewrite divr_ge0 ?exprn_ge0 | rewrite (w_far jd) ?mulr0 // (leq_trans (ltn_ord t) Td)].
rewrite -(subnKC (ltnW dT)) /S big_split_ord /= big1 ?add0r => [|t _]; last by rewrite (w_far jd) ?mulr0.
rewrite ler_pdivl_mulr //; apply: le_trans (_ : _ <= gamma M ^+ d * ((1 - gamma M) * \sum_(t < T - d) gamma M ^+ t)) _.
  rewrite mulr_suml !mulr_sumr; apply: ler_sum => t _; rewrite exprD -!mulrA ler_wpmul2l ?exprn_ge0 //.
  by rewrite [X in _ <= X]mulrC ler_wpmul2l ?exprn_ge0 // -[X in _ <= X]mul1r ler_wpmul2r ?w_le1.
rewrite -[X in _ <= X]mulr1 ler_wpmul2l ?exprn_ge0 // -opprB mulNr -subrX1 opprB.
by rewrite ler_subl_addr ler_addl exprn_ge0.
Qed.

Lemma S_everywhere (x : nat -> G -> R) T d j : (forall d j, 0 <= x d j) -> (forall j, 1 / (1 - gamma M) <= x 0%N j) ->
  (forall d j, Num.min (gamma M ^+ d.+1 / (1 - gamma M))
     (gamma M * (C j j * x d.+1 j + \sum_(k | k != j) C j k * x d k)) <= x d.+1 j) -> deep d j -> S T j <= x d j.
Proof.
move=> x0 x_out x_step; elim: T d j => [|T IH] d j jd; first by rewrite /S big_ord0.
case: d jd => [|d] jd; first by apply: le_trans (S_le _ _) _.
apply: le_trans (x_step d j); rewrite le_minr (S_far _ jd) /=.
apply: le_trans (S_next T (deep_inside jd)) _; rewrite ler_wpmul2l // (bigD1 j) //=; apply: ler_add.
  by rewrite ler_wpmul2l // IH.
apply: ler_sum => k _; have [jk|/C_local ->] := boolP (N j k); last by rewrite !mul0r.
by rewrite ler_wpmul2l // IH //; apply: deep_neighbor jk.
Qed.
End Limit.

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

(* All agents at once, by one product with C for each kappa *)
Theorem influence_td_everywhere (x : nat -> G -> R) z : (forall j k, ~~ N j k -> C j k = 0) -> (forall d j, 0 <= x d j) ->
  (forall j, 1 / (1 - gamma M) <= x 0%N j) ->
  (forall d j, Num.min (gamma M ^+ d.+1 / (1 - gamma M))
     (gamma M * (C j j * x d.+1 j + \sum_(k | k != j) C j k * x d k)) <= x d.+1 j) ->
  `|q_star M theta i m z - Q M theta i z| <= rbar M * x kappa.+1 i.
Proof. by move=> Cl x0 x_out x_step; apply: influence_td_limit => T; apply: (S_everywhere theta C_ge Cl) => // k. Qed.
End Archimedean.

(* claim: td_fixed_point *)
Print Assumptions influence_td. Print Assumptions influence_td_closed_form. Print Assumptions influence_td_everywhere.
