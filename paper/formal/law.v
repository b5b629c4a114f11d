(* Laws on finite sets, and on products of them: agents draw independently. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Definition law (R : realFieldType) (X : finType) (p : X -> R) := (forall x, 0 <= p x) /\ \sum_x p x = 1.
Definition mean (R : realFieldType) (X : finType) (p f : X -> R) := \sum_x p x * f x.

Section Law.
Variables (R : realFieldType) (X : finType).
Implicit Types (p : X -> R) (f g : X -> R) (a b c : R).

Lemma mean_const p c : law p -> mean p (fun _ => c) = c.
Proof. by move=> [_ p1]; rewrite /mean -mulr_suml p1 mul1r. Qed.

Lemma eq_mean p f g : f =1 g -> mean p f = mean p g.
Proof. by move=> fg; apply: eq_bigr => x _; rewrite fg. Qed.

Lemma meanD p f g : mean p (fun x => f x + g x) = mean p f + mean p g.
Proof. by rewrite /mean -big_split; apply: eq_bigr => x _; rewrite mulrDr. Qed.

Lemma meanZ p c f : mean p (fun x => c * f x) = c * mean p f.
Proof. by rewrite /mean mulr_sumr; apply: eq_bigr => x _; rewrite mulrCA. Qed.

Lemma meanZr p c f : mean p (fun x => f x * c) = mean p f * c.
Proof. by rewrite mulrC -meanZ; apply: eq_mean => x; rewrite mulrC. Qed.

Lemma meanN p f : mean p (fun x => - f x) = - mean p f.
Proof. by rewrite -mulN1r -meanZ; apply: eq_mean => x; rewrite mulN1r. Qed.

Lemma meanB p f g : mean p (fun x => f x - g x) = mean p f - mean p g.
Proof. by rewrite meanD meanN. Qed.

Lemma mean_sum (J : finType) p (F : J -> X -> R) : mean p (fun x => \sum_j F j x) = \sum_j mean p (F j).
Proof. by rewrite /mean exchange_big; apply: eq_bigr => x _; rewrite mulr_sumr. Qed.

Lemma mean_mean (Y : finType) p (q : X -> Y -> R) (f : Y -> R) :
  mean p (fun x => mean (q x) f) = mean (fun y => mean p (q ^~ y)) f.
Proof.
rewrite /mean; under eq_bigr do rewrite mulr_sumr.
by rewrite exchange_big; apply: eq_bigr => y _; rewrite mulr_suml; apply: eq_bigr => x _; rewrite mulrA.
Qed.

Lemma mean_law (Y : finType) p (q : X -> Y -> R) :
  law p -> (forall x, law (q x)) -> law (fun y => mean p (q ^~ y)).
Proof.
move=> [p0 p1] ql; split=> [y|].
  by apply: sumr_ge0 => x _; rewrite mulr_ge0 //; case: (ql x).
rewrite /mean exchange_big -[RHS]p1; apply: eq_bigr => x _.
by rewrite -mulr_sumr (proj2 (ql x)) mulr1.
Qed.

Lemma law_ex p : law p -> exists x, p x != 0.
Proof.
move=> [_ p1]; case: (pickP (fun x => p x != 0)) => [x|p0]; first by exists x.
by move/eqP: p1; rewrite big1 1?eq_sym ?oner_eq0 // => x _; apply/eqP/negbFE/p0.
Qed.

(* The same inequality on the support of the law is enough. *)
Lemma le_mean p f g : law p -> (forall x, p x != 0 -> f x <= g x) -> mean p f <= mean p g.
Proof.
move=> [p0 _] fg; apply: ler_sum => x _; have [->|px] := eqVneq (p x) 0; first by rewrite !mul0r.
by apply: ler_wpmul2l => //; apply: fg.
Qed.

Lemma mean_ge p f a : law p -> (forall x, p x != 0 -> a <= f x) -> a <= mean p f.
Proof. by move=> pl af; rewrite -[a](mean_const _ pl); apply: le_mean. Qed.

Lemma mean_le p f b : law p -> (forall x, p x != 0 -> f x <= b) -> mean p f <= b.
Proof. by move=> pl fb; rewrite -[b](mean_const _ pl); apply: le_mean. Qed.

Lemma mean_norm p f b : law p -> (forall x, p x != 0 -> `|f x| <= b) -> `|mean p f| <= b.
Proof.
move=> pl fb; rewrite ler_norml mean_ge ?mean_le // => x /fb; rewrite ler_norml; by case/andP.
Qed.

(* A law with mass 1 at x. *)
Lemma mean_point p f x : law p -> p x = 1 -> mean p f = f x.
Proof.
move=> [p0 p1] px; rewrite /mean (bigD1 x) //= px mul1r big1 ?addr0 // => y yx.
have rest : \sum_(v | v != x) p v = 0 by move: p1; rewrite (bigD1 x) //= px => e; apply: (addrI 1); rewrite addr0.
by rewrite (psumr_eq0P _ rest) ?mul0r.
Qed.

Lemma point_law (x : X) : law (fun y => (y == x)%:R : R).
Proof.
split=> [y|]; first exact: ler0n.
by rewrite (bigD1 x) //= eqxx big1 ?addr0 // => y /negPf ->.
Qed.

(* Jensen, or Cauchy and Schwarz *)
Lemma mean_sqr p f : law p -> mean p f ^+ 2 <= mean p (fun x => f x ^+ 2).
Proof.
move=> pl; set m := mean p f; rewrite -subr_ge0.
have -> : mean p (fun x => f x ^+ 2) - m ^+ 2 = mean p (fun x => (f x - m) ^+ 2).
  rewrite [RHS](eq_mean _ (g := fun x => f x ^+ 2 + ((- (m *+ 2)) * f x + m ^+ 2))); last first.
    by move=> x; rewrite sqrrB addrA mulNr mulrnAl [m * _]mulrC.
  rewrite !meanD meanZ (mean_const _ pl) -/m mulNr mulrnAl -expr2 mulr2n opprD.
  by rewrite -!addrA addNr addr0.
by apply: mean_ge => // x _; apply: sqr_ge0.
Qed.
End Law.

(* Vectors and their squared Euclidean norm; square roots are avoided, so any ordered field will do. *)
Section Vectors.
Variables (R : realFieldType) (X : finType).
Implicit Types u v : X -> R.

Definition dot u v : R := \sum_k u k * v k.
Definition norm2 v : R := \sum_k v k ^+ 2.

Lemma norm2_ge0 v : 0 <= norm2 v.
Proof. by apply: sumr_ge0 => k _; apply: sqr_ge0. Qed.

Lemma cauchy_schwarz u v : dot u v ^+ 2 <= norm2 u * norm2 v.
Proof.
have prod2 (a b : X -> R) : (\sum_k a k) * (\sum_l b l) = \sum_k \sum_l a k * b l.
  by rewrite mulr_suml; apply: eq_bigr => k _; rewrite mulr_sumr.
rewrite -subr_ge0 -(pmulrn_lge0 _ (isT : 0 < 2)%N).
have -> : (norm2 u * norm2 v - dot u v ^+ 2) *+ 2 = \sum_k \sum_l (u k * v l - v k * u l) ^+ 2.
  rewrite mulrnBl mulr2n {2}[norm2 u * _]mulrC expr2 !prod2 -sumrMnl -big_split -sumrB.
  apply: eq_bigr => k _; rewrite -sumrMnl -big_split -sumrB; apply: eq_bigr => l _ /=.
  by rewrite sqrrB !exprMn addrAC [u k * v l * _]mulrACA [v l * u l]mulrC.
by apply: sumr_ge0 => k _; apply: sumr_ge0 => l _; apply: sqr_ge0.
Qed.

(* A bound on the component of v along v itself is a bound on v. *)
Lemma norm2_le v b : 0 <= b -> norm2 v ^+ 2 <= b * norm2 v -> norm2 v <= b.
Proof.
move=> b0; have [-> //|v0] := eqVneq (norm2 v) 0.
by rewrite expr2 ler_pmul2r // lt_def v0 norm2_ge0.
Qed.
End Vectors.

(* The largest of finitely many numbers, 0 if there are none above it *)
Section Largest.
Variables (R : realFieldType) (X : finType) (A : pred X) (f : X -> R).

Definition largest : R := \big[Num.max/0]_(x | A x) f x.

Lemma largest_ge0 : 0 <= largest.
Proof. by rewrite /largest; elim/big_rec: _ => // x m _ m0; rewrite le_maxr m0 orbT. Qed.

Lemma largest_le b : 0 <= b -> (forall x, A x -> f x <= b) -> largest <= b.
Proof. by move=> b0 fb; rewrite /largest; elim/big_ind: _ => // x y xb yb; rewrite le_maxl xb. Qed.

Lemma le_largest x : A x -> f x <= largest.
Proof.
rewrite /largest => Ax; have := mem_index_enum x; elim: (index_enum X) => // y s IH.
rewrite in_cons big_cons => /orP[/eqP <-|/IH h]; first by rewrite Ax le_maxr lexx.
by case: ifP => // _; rewrite le_maxr h orbT.
Qed.
End Largest.

(* Independent draws: a joint w has one entry w i of type T i for each i; types may differ. *)
Section Product.
Variables (R : realFieldType) (I : finType) (T : I -> finType).
Notation W := {dffun forall i, T i}.
Implicit Types (p q : forall i, T i -> R) (v w z : W) (B : pred I) (f g : W -> R).

Definition prod p : W -> R := fun w => \prod_i p i (w i).

Lemma sum_prod p : \sum_w prod p w = \prod_i (\sum_t p i t).
Proof.
pose F (u : {i & T i}) := p (tag u) (tagged u).
pose h w : {ffun I -> {i & T i}} := [ffun i => Tagged T (w i)].
have h_inj : injective h.
  move=> z w /ffunP E; apply/ffunP=> i; move: (E i); rewrite !ffunE => /eqP.
  by rewrite eq_Tagged /= => /eqP.
have -> : \prod_i (\sum_t p i t) = \prod_i (\sum_(u : {i & T i} | tag u == i) F u).
  apply: eq_bigr => i _; transitivity (\sum_(j | pred1 i j) \sum_t p j t); first by rewrite big_pred1_eq.
  rewrite (sig_big_dep (pred1 i) (fun _ => xpredT) (fun i t => p i t)) /=.
  by apply: eq_bigl => u; rewrite andbT.
rewrite bigA_distr_big_dep [RHS](reindex_omap h (fun u => [pick w | h w == u])) /=.
  apply: eq_big => [w|w _]; last by apply: eq_bigr => i _; rewrite /F ffunE.
  have -> : h w \in family (fun i u => tag u == i) by apply/familyP=> i; rewrite unfold_in ffunE.
  by case: pickP => [v /eqP/h_inj-> |/(_ w)]; rewrite eqxx.
move=> u /familyP uI; case: pickP => [w /eqP <- //|no].
have e i : tag (u i) = i by apply/eqP; apply: (uI i).
pose w : W := [ffun i => ecast i (T i) (e i) (tagged (u i))].
case/negP: (negbT (no w)); apply/eqP/ffunP=> i; rewrite !ffunE.
by case: (u i) (e i) => j t /= e'; case: _ / e'.
Qed.

Lemma prod_law p : (forall i, law (p i)) -> law (prod p).
Proof.
move=> pl; split=> [w|]; first by apply: prodr_ge0 => i _; case: (pl i).
by rewrite sum_prod big1 // => i _; case: (pl i).
Qed.

Definition agree B z w := forall i, B i -> z i = w i.
Definition mix B z w : W := [ffun i => if B i then z i else w i].

Lemma sum_mix B (F : W * W -> R) : \sum_x F x = \sum_(x : W * W) F (mix B x.1 x.2, mix B x.2 x.1).
Proof.
apply: (reindex_inj (can_inj (g := fun x : W * W => (mix B x.1 x.2, mix B x.2 x.1)) _)) => -[z w] /=.
by congr pair; apply/ffunP=> i; rewrite !ffunE; case: (B i).
Qed.

(* A product law sees of f only the factors on which f depends: swap the rest with an independent copy. *)
Lemma eq_prod B p q f : (forall i, law (p i)) -> (forall i, law (q i)) ->
  (forall i, B i -> p i =1 q i) -> (forall z w, agree B z w -> f z = f w) ->
  mean (prod p) f = mean (prod q) f.
Proof.
move=> pl ql pq fB; have pad a b : (forall i, law (b i)) ->
    mean (prod a) f = \sum_(x : W * W) prod a x.1 * prod b x.2 * f x.1.
  move=> bl; rewrite -(pair_bigA _ (fun z w : W => prod a z * prod b w * f z)) /=.
  apply: eq_bigr => z _; rewrite -mulr_suml -mulr_sumr; case: (prod_law bl) => _ ->.
  by rewrite mulr1.
rewrite (pad p q ql) (pad q p pl) (sum_mix B); apply: eq_bigr => -[z w] _ /=; congr (_ * _).
  rewrite /prod -!big_split; apply: eq_bigr => i _; rewrite /= !ffunE.
  by case: ifP => [/pq E|_]; rewrite ?E // mulrC.
by apply: fB => i Bi; rewrite ffunE Bi.
Qed.

(* Functions of different factors are independent. *)
Lemma mean_independent B p f g : (forall i, law (p i)) ->
  (forall z w, agree B z w -> f z = f w) -> (forall z w, agree (predC B) z w -> g z = g w) ->
  mean (prod p) (fun w => f w * g w) = mean (prod p) f * mean (prod p) g.
Proof.
move=> pl fB gB; rewrite /mean mulr_suml; under [RHS]eq_bigr do rewrite mulr_sumr.
rewrite [RHS](pair_bigA _ (fun z w : W => prod p z * f z * (prod p w * g w))) /= (sum_mix B).
transitivity (\sum_(x : W * W) prod p x.1 * (f x.1 * g x.1) * prod p x.2).
  rewrite -(pair_bigA _ (fun z w : W => prod p z * (f z * g z) * prod p w)) /=.
  by apply: eq_bigr => z _; rewrite -mulr_sumr; case: (prod_law pl) => _ ->; rewrite mulr1.
apply: eq_bigr => -[z w] _ /=.
have -> : f (mix B z w) = f z by apply: fB => i Bi; rewrite ffunE Bi.
have -> : g (mix B w z) = g z by apply: gB => i /negPf Bi; rewrite ffunE Bi.
rewrite [RHS]mulrACA [LHS]mulrAC; congr (_ * _).
by rewrite /prod -!big_split; apply: eq_bigr => i _; rewrite /= !ffunE; case: (B i); rewrite // mulrC.
Qed.

Lemma mean_factor p i (h : T i -> R) : (forall j, law (p j)) ->
  mean (prod p) (fun w => h (w i)) = mean (p i) h.
Proof.
move=> pl; pose h_at j (t : T j) := if j =P i is ReflectT e then h (ecast x (T x) e t) else 1.
have h_i t : h_at i t = h t by rewrite /h_at; case: eqP => // e; rewrite eq_axiomK.
have h_j j t : j != i -> h_at j t = 1 by rewrite /h_at; case: eqP.
transitivity (\sum_w prod (fun j t => p j t * h_at j t) w).
  apply: eq_bigr => w _; rewrite /prod big_split /=; congr (_ * _).
  by rewrite (bigD1 i) //= h_i big1 ?mulr1 // => j /h_j.
rewrite sum_prod (bigD1 i) //= [X in _ * X]big1 ?mulr1 => [|j ji].
  by apply: eq_bigr => t _; rewrite h_i.
by under eq_bigr do rewrite h_j // mulr1; case: (pl j).
Qed.

(* Draw the factors of B from q and the others from p. *)
Lemma resample (B : pred I) p q f : (forall i, law (p i)) -> (forall i, law (q i)) ->
  mean (prod (fun i => if B i then q i else p i)) f = mean (prod p) (fun w => mean (prod q) (fun v => f (mix B v w))).
Proof.
move=> pl ql; pose s i := if B i then p i else q i.
have sl : law (prod s) by apply: prod_law => i; rewrite /s; case: (B i).
transitivity (\sum_(x : W * W) prod (fun i => if B i then q i else p i) x.1 * prod s x.2 * f x.1).
  rewrite -(pair_bigA _ (fun z u : W => prod (fun i => if B i then q i else p i) z * prod s u * f z)) /=.
  by apply: eq_bigr => z _; rewrite -mulr_suml -mulr_sumr (proj2 sl) mulr1.
rewrite (sum_mix B) /mean; under [RHS]eq_bigr do rewrite mulr_sumr.
rewrite exchange_big [RHS]pair_bigA; apply: eq_bigr => -[v w] _ /=; rewrite mulrA [prod p w * _]mulrC; congr (_ * _).
by rewrite /prod -!big_split; apply: eq_bigr => i _; rewrite /= !ffunE /s; case: (B i); rewrite // mulrC.
Qed.

Definition put i (t : T i) w : W := [ffun j => if i =P j is ReflectT e then ecast x (T x) e t else w j].

Lemma put_mix i v w : put (v i) w = mix (pred1 i) v w.
Proof.
apply/ffunP=> j; rewrite !ffunE /= eq_sym.
by case: (i =P j) => // e; case: j / e.
Qed.

Lemma put_off i (t t' : T i) w : agree (predC1 i) (put t w) (put t' w).
Proof. by move=> j /=; rewrite !ffunE eq_sym; case: (i =P j). Qed.

(* One factor at a time: repeated for every i, this writes the mean as a nested sum. *)
Lemma mean_put p i f : (forall j, law (p j)) ->
  mean (prod p) f = mean (p i) (fun t => mean (prod p) (fun w => f (put t w))).
Proof.
move=> pl; transitivity (mean (prod (fun j => if pred1 i j then p j else p j)) f).
  by apply: eq_bigr => w _; congr (_ * _); apply: eq_bigr => j _; case: ifP.
rewrite resample //; transitivity (mean (prod p) (fun w => mean (p i) (fun t => f (put t w)))).
  by apply: eq_mean => w; rewrite -(mean_factor (fun t => f (put t w)) pl); apply: eq_mean => v; rewrite put_mix.
rewrite /mean; under eq_bigr do rewrite mulr_sumr; rewrite exchange_big; apply: eq_bigr => t _.
by rewrite mulr_sumr; apply: eq_bigr => w _; rewrite mulrCA.
Qed.
End Product.
