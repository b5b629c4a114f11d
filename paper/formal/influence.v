(* influence: D_i(kappa) <= rbar sum_{t > kappa} gamma^t q_i(t), q(0) = 1_O, q(t + 1) = min(1, C q(t)).
   paper/proofs.md couples two copies; here the dual argument: how far E f(t) moves when the pair of one agent is changed. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Total variation *)
Definition TV (R : realFieldType) (X : finType) (p q : X -> R) : R := 2%:R^-1 * \sum_x `|p x - q x|.

Section TotalVariation.
Variables (R : realFieldType) (X : finType).
Implicit Types p q f : X -> R.

Lemma TV_ge0 p q : 0 <= TV p q.
Proof. by rewrite mulr_ge0 ?invr_ge0 ?ler0n // sumr_ge0. Qed.

Lemma TV_le1 p q : law p -> law q -> TV p q <= 1.
Proof.
move=> [p0 p1] [q0 q1]; rewrite ler_pdivr_mull ?ltr0n // mulr1 -[2%:R]/(1 + 1) -{1}p1 -q1 -big_split.
by apply: ler_sum => x _; apply: le_trans (ler_norm_sub _ _) _; rewrite !ger0_norm.
Qed.

(* Means of a function whose values differ by at most c differ by at most c TV. *)
Lemma mean_TV p q f c : law p -> law q -> (forall x y, f x - f y <= c) -> mean p f - mean q f <= c * TV p q.
Proof.
move=> pl ql fc; have [x0 _] := law_ex pl; have [lo _ lo_min] := @arg_minP _ _ _ x0 xpredT f isT.
pose mid := f lo + c / 2%:R.
have f_mid x : `|f x - mid| <= c / 2%:R.
  rewrite ler_distl /mid addrK -addrA -mulrDl -mulr2n -mulr_natr mulfK ?pnatr_eq0 // -ler_subl_addl fc andbT.
  exact: lo_min.
have -> : mean p f - mean q f = \sum_x (p x - q x) * (f x - mid).
  under eq_bigr do rewrite mulrBr mulrBl; rewrite sumrB sumrB -mulr_suml sumrB (proj2 pl) (proj2 ql) subrr mul0r subr0.
  by [].
rewrite /TV mulrA mulr_sumr; apply: ler_sum => x _; apply: le_trans (ler_norm _) _.
by rewrite normrM mulrC ler_wpmul2r.
Qed.

(* Two averages of numbers of which any two are close *)
Lemma mean_close (Y : finType) (p : X -> R) (q : Y -> R) f (g : Y -> R) c :
  law p -> law q -> (forall x y, f x - g y <= c) -> mean p f - mean q g <= c.
Proof.
move=> pl ql fg; rewrite -(mean_const (mean q g) pl) -meanB; apply: (mean_le pl) => x _.
rewrite -(mean_const (f x) ql) -meanB; apply: (mean_le ql) => y _; exact: fg.
Qed.
End TotalVariation.

(* Two mixtures of laws of which any two are close *)
Lemma TV_mix (R : realFieldType) (X Y : finType) (p q : Y -> R) (k : Y -> X -> R) c : law p -> law q -> (forall y y', TV (k y) (k y') <= c) ->
  TV (fun x => mean p (k ^~ x)) (fun x => mean q (k ^~ x)) <= c.
Proof.
move=> pl ql kc; rewrite /TV ler_pdivr_mull ?ltr0n //; pose s x := Num.sg (mean p (k ^~ x) - mean q (k ^~ x)).
have -> : \sum_x `|mean p (k ^~ x) - mean q (k ^~ x)| = mean p (fun y => \sum_x s x * k y x) - mean q (fun y => \sum_x s x * k y x).
  by rewrite !mean_sum -sumrB; apply: eq_bigr => x _; rewrite !meanZ -mulrBr normrEsg.
apply: (mean_close pl ql) => y y'; rewrite -sumrB.
apply: le_trans (_ : \sum_x `|k y x - k y' x| <= _); last by have := kc y y'; rewrite /TV ler_pdivr_mull ?ltr0n.
apply: ler_sum => x _; rewrite -mulrBr; apply: le_trans (ler_norm _) _; rewrite normrM normr_sg.
by case: (_ != 0); rewrite ?mul1r ?mul0r.
Qed.

(* Changing one factor of a joint at a time *)
Section Hybrid.
Variables (R : realFieldType) (I : finType) (T : I -> finType).
Notation W := {dffun forall i, T i}.
Implicit Types (p q : forall i, T i -> R) (u v w z : W) (f : W -> R).

Lemma hybrid_one i p q f c : (forall j, law (p j)) -> (forall j, law (q j)) -> (forall j, j != i -> p j =1 q j) ->
  (forall z w, agree (predC1 i) z w -> f z - f w <= c) ->
  mean (prod p) f - mean (prod q) f <= c * TV (p i) (q i).
Proof.
move=> pl ql pq fc.
have at_i r : (forall j, law (r j)) -> (forall j, j != i -> p j =1 r j) ->
    mean (prod r) f = mean (prod p) (fun w => mean (r i) (fun t => f (put t w))).
  move=> rl pr; transitivity (mean (prod (fun j => if pred1 i j then r j else p j)) f).
    apply: eq_bigr => w _; congr (_ * _); apply: eq_bigr => j _ /=.
    by case: eqVneq => // ji; rewrite pr.
  rewrite resample //; apply: eq_mean => w; rewrite -(mean_factor (fun t => f (put t w)) rl).
  by apply: eq_mean => v; rewrite put_mix.
rewrite (at_i p) // (at_i q) // -meanB; apply: (mean_le (prod_law pl)) => w _.
by apply: mean_TV => // t t'; apply: fc; apply: put_off.
Qed.

(* If f moves by at most a j when factor j is changed, two product laws tell it apart by at most sum_j a_j TV_j. *)
Lemma hybrid p q f (a : I -> R) : (forall j, law (p j)) -> (forall j, law (q j)) ->
  (forall j z w, agree (predC1 j) z w -> f z - f w <= a j) ->
  mean (prod p) f - mean (prod q) f <= \sum_j a j * TV (p j) (q j).
Proof.
move=> pl ql fa; pose r (s : seq I) j := if j \in s then q j else p j.
have rl s j : law (r s j) by rewrite /r; case: ifP.
suff part s : uniq s -> mean (prod p) f - mean (prod (r s)) f <= \sum_(j <- s) a j * TV (p j) (q j).
  have := part _ (index_enum_uniq I); congr (_ - _ <= _); apply: eq_bigr => w _; congr (_ * _).
  by apply: eq_bigr => j _; rewrite /r mem_index_enum.
elim: s => [_|j s IH /= /andP[js su]]; first by rewrite big_nil subr_le0 le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr.
rewrite big_cons [X in _ <= X]addrC -(subrK (mean (prod (r s)) f) (mean (prod p) f)) -addrA; apply: ler_add; first exact: IH.
have -> : a j * TV (p j) (q j) = a j * TV (r s j) (r (j :: s) j) by rewrite /r (negPf js) inE eqxx.
by apply: hybrid_one => // [k kj t|]; [rewrite /r inE (negPf kj) | apply: fa].
Qed.
End Hybrid.

Section Influence.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G).
Implicit Types (z w : joint G) (f : joint G -> R) (a : G -> R) (i j k : G).

(* C_jk: how far P_j moves in total variation when the pair of agent k is changed. As P_j sees s_{N_j} and a_j only, for
   k != j this is the largest over s_k, s_k', the other neighbors' states and a_j, and over pairs for k = j. *)
Variable C : G -> G -> R.
Hypothesis C_ge : forall j k z w, alike (predC1 k) (predC1 k) z w -> TV (P M j z) (P M j w) <= C j k.

Lemma C_ge0 j k : 0 <= C j k.
Proof.
have [s _] := law_ex (pi0_law M); have [a _] := law_ex (choice_law theta s).
by apply: le_trans (C_ge j (z := (s, a)) (w := (s, a)) _); [apply: TV_ge0 | split].
Qed.
Local Hint Resolve C_ge0 : core.

Lemma rbar_ge0 i : 0 <= rbar M.
Proof.
have [s _] := law_ex (pi0_law M); have [a _] := law_ex (choice_law theta s).
by have /andP[r0 r1] := r_range M i (s, a); apply: le_trans r1.
Qed.

(* 1{z_j <> w_j}, and q(t + 1) = min(1, C q(t)) *)
Definition differ z w j : R := ((z.1 j != w.1 j) || (z.2 j != w.2 j))%:R.
Fixpoint q (q0 : G -> R) t : G -> R :=
  if t is t'.+1 then fun j => Num.min 1 (\sum_k C j k * q q0 t' k) else q0.

(* f moves by at most a_j when the pair of j is changed: one at a time; all together; and so for two functions *)
Definition moves f a := forall j z w, alike (predC1 j) (predC1 j) z w -> f z - f w <= a j.
Definition apart f g a b := forall z w, f z - g w <= b + \sum_j a j * differ z w j.
Definition within f a b := apart f f a b.

Lemma act_moves f a j s s' : moves f a -> agree (predC1 j) s s' -> act theta f s - act theta f s' <= a j.
Proof.
move=> fa ss'; have zl t i : law (zeta theta i (t i)) := @zeta_law _ _ theta i (t i).
have -> : act theta f s = mean (prod (fun i => if pred1 j i then zeta theta i (s i) else zeta theta i (s' i))) (fun b => f (s, b)).
  apply: eq_bigr => b _; congr (_ * _); apply: eq_bigr => i _ /=; case: eqVneq => // ij.
  by rewrite ss'.
have -> : act theta f s' = mean (prod (fun i => if pred1 j i then zeta theta i (s' i) else zeta theta i (s' i))) (fun b => f (s', b)).
  by apply: eq_bigr => b _; congr (_ * _); apply: eq_bigr => i _; case: ifP.
rewrite !resample // -?meanB; try by move=> i; apply: zl.
apply: (mean_le (choice_law theta s')) => b _; apply: mean_close; try exact: choice_law.
move=> v v'; apply: fa; split=> //= i ij; by rewrite !ffunE /= (negPf ij).
Qed.

(* Line 2, one step: T f moves by sum_j a_j TV(P_j(. | z), P_j(. | w)). *)
Lemma step_moves f a z w : moves f a -> E (K M theta) f z - E (K M theta) f w <= \sum_j a j * TV (P M j z) (P M j w).
Proof.
move=> fa; rewrite /E !mean_K; apply: hybrid => [j|j|j s s' ss']; try exact: P_law.
exact: act_moves.
Qed.

Lemma TV_triangle (X : finType) (p p' p'' : X -> R) : TV p p'' <= TV p p' + TV p' p''.
Proof.
rewrite /TV -mulrDr ler_wpmul2l ?invr_ge0 ?ler0n // -big_split; apply: ler_sum => x _.
exact: ler_dist_add.
Qed.

(* What a change of one pair costs, for each pair that differs *)
Lemma telescope (F : joint G -> joint G -> R) (c : G -> R) : (forall z, F z z <= 0) ->
  (forall z y w, F z w <= F z y + F y w) -> (forall k z w, alike (predC1 k) (predC1 k) z w -> F z w <= c k) ->
  forall z w, F z w <= \sum_k c k * differ z w k.
Proof.
move=> F0 Ft Fc z w; pose m (s : seq G) : joint G := (mix (mem s) w.1 z.1, mix (mem s) w.2 z.2).
suff part s : F z (m s) <= \sum_(k <- s) c k * differ z w k.
  have e : m (index_enum G) = w.
    by rewrite [w]surjective_pairing /m; congr pair; apply/ffunP=> k; rewrite ffunE /= mem_index_enum.
  by have := part (index_enum G); rewrite e.
elim: s => [|k s IH]; rewrite ?big_nil ?big_cons.
  suff -> : m [::] = z by apply: F0.
  by rewrite [z]surjective_pairing /m; congr pair; apply/ffunP=> k; rewrite ffunE.
apply: le_trans (Ft _ (m s) _) _; rewrite addrC ler_add // /differ.
have [/= zs|] := boolP (_ || _); first rewrite mulr1.
  by apply: Fc; split=> l /= /negPf lk; rewrite !ffunE /= inE lk.
rewrite negb_or !negbK mulr0 => /andP[/eqP zs /eqP za].
suff -> : m (k :: s) = m s by apply: F0.
by congr pair; apply/ffunP=> l; rewrite !ffunE /= inE; case: eqVneq => //= ->; case: ifP.
Qed.

Lemma TV_C j z w : TV (P M j z) (P M j w) <= \sum_k C j k * differ z w k.
Proof.
apply: (telescope (F := fun z w => TV (P M j z) (P M j w))) => [y|y y' y''|k]; last exact: C_ge.
  by rewrite /TV big1 ?mulr0 // => x _; rewrite subrr normr0.
exact: TV_triangle.
Qed.

Lemma moves_within f a : moves f a -> within f a 0.
Proof.
move=> fa z w; rewrite add0r; apply: (telescope (F := fun z w => f z - f w)) => [y|y y' y''|k]; last exact: fa.
  by rewrite subrr.
by rewrite addrA subrK.
Qed.

(* Between two functions that are within b + sum_j a_j 1{z_j <> w_j} lies, but for b, one that moves by a_j. *)
Lemma flatten f g a b : (forall j, 0 <= a j) -> apart f g a b ->
  exists h, moves h a /\ forall z, h z <= g z /\ f z <= h z + b.
Proof.
move=> a0 fgab; pose da z w := \sum_j a j * differ z w j.
pose best z := [arg min_(w < z) (g w + da z w)]%O.
have bestP z w : g (best z) + da z (best z) <= g w + da z w by rewrite /best; case: arg_minP => // y _; apply.
have da0 z : da z z = 0 by apply: big1 => j _; rewrite /differ !eqxx mulr0.
exists (fun z => g (best z) + da z (best z)); split=> [j z w zw|z].
  rewrite ler_subl_addr; apply: le_trans (bestP z (best w)) _; rewrite addrCA ler_add2l.
  rewrite /da (bigD1 j) //= [in X in _ <= X](bigD1 j) //= addrA ler_add //.
    apply: ler_paddr; first by rewrite mulr_ge0 // ler0n.
    by rewrite -[X in _ <= X]mulr1 ler_wpmul2l // lern1 leq_b1.
  by apply: ler_sum => k kj; rewrite /differ; case: zw => zs za; rewrite (zs k kj) (za k kj).
split; first by have := bestP z z; rewrite da0 addr0.
by rewrite -addrA addrC [da _ _ + b]addrC -ler_subl_addr; apply: fgab.
Qed.

(* Lines 2 and 3: one step, with the bound 1 for the agents of A and C for the others *)
Lemma step_apart f g a b (A : pred G) : (forall j, 0 <= a j) -> apart f g a b ->
  apart (E (K M theta) f) (E (K M theta) g) (fun k => \sum_(j | ~~ A j) a j * C j k) (b + \sum_(j | A j) a j).
Proof.
move=> a0 /(flatten a0)[h [ha fh]] z w.
have gK := K_law M theta; have Ez : E (K M theta) f z <= E (K M theta) h z + b.
  by rewrite /E -[X in _ + X](mean_const _ (gK z)) -meanD; apply: (le_mean (gK z)) => y _; case: (fh y).
have Ew : E (K M theta) h w <= E (K M theta) g w by apply: (le_mean (gK w)) => y _; case: (fh y).
apply: le_trans (_ : E (K M theta) h z + b - E (K M theta) h w <= _).
  by rewrite ler_add // ler_opp2.
rewrite addrAC addrC -addrA ler_add2l; apply: le_trans (step_moves z w ha) _.
rewrite (bigID A) /=; apply: ler_add.
  apply: ler_sum => j _; rewrite -[X in _ <= X]mulr1 ler_wpmul2l // TV_le1 //; exact: P_law.
under [X in _ <= X]eq_bigr do rewrite mulr_suml; rewrite [X in _ <= X]exchange_big; apply: ler_sum => j _ /=.
by under eq_bigr do rewrite -mulrA; rewrite -mulr_sumr ler_wpmul2l // TV_C.
Qed.

Lemma run_E t f z : run (K M theta) t (E (K M theta) f) z = E (K M theta) (run (K M theta) t f) z.
Proof. by elim: t z => //= t IH z; apply: eq_mean. Qed.

Lemma q_ge0 (q0 : G -> R) t j : (forall k, 0 <= q0 k) -> 0 <= q q0 t j.
Proof.
move=> q00; elim: t j => //= t IH j; rewrite le_minr ler01 sumr_ge0 // => k _.
by rewrite mulr_ge0.
Qed.

(* Whatever is read off f, such as f z - f w, if it is at most b + sum_j a_j q0_j for every f within (a, b) *)
Theorem moves_read (read : (joint G -> R) -> R) (q0 : G -> R) : (forall f g, f =1 g -> read f = read g) ->
  (forall f a b, (forall j, 0 <= a j) -> within f a b -> read f <= b + \sum_j a j * q0 j) ->
  forall t f a b, (forall j, 0 <= a j) -> within f a b -> read (run (K M theta) t f) <= b + \sum_j a j * q q0 t j.
Proof.
move=> read_eq read_le; elim=> [|t IH] f a b a0 fab; first exact: read_le.
pose A j := (1 < \sum_k C j k * q q0 t k).
rewrite -(read_eq _ _ (run_E t f)); apply: le_trans (IH _ _ _ _ (step_apart A a0 fab)) _.
  by move=> k; apply: sumr_ge0 => j _; rewrite mulr_ge0.
rewrite -addrA ler_add2l [in X in _ <= X](bigID A) /=; apply: ler_add.
  by apply: ler_sum => j Aj; rewrite min_l ?mulr1 // ltW.
under eq_bigr do rewrite mulr_suml; rewrite exchange_big; apply: ler_sum => j; rewrite -leNgt => Aj.
by rewrite min_r // mulr_sumr; apply: ler_sum => k _; rewrite mulrA.
Qed.

Theorem moves_at t f a b z w : (forall j, 0 <= a j) -> within f a b ->
  run (K M theta) t f z - run (K M theta) t f w <= b + \sum_j a j * q (differ z w) t j.
Proof. by apply: (moves_read (read := fun f => f z - f w)) => [g h gh|g a' b' _]; [rewrite !gh | apply]. Qed.

Lemma q_mono (q0 q1 : G -> R) t j : (forall k, q0 k <= q1 k) -> q q0 t j <= q q1 t j.
Proof.
move=> q01; elim: t j => //= t IH j; rewrite le_minr !le_minl lexx /=.
by apply/orP; right; apply: ler_sum => k _; apply: ler_wpmul2l.
Qed.

(* 1_O: the agents outside N_i^kappa *)
Definition outside i kappa j : R := (~~ ball i kappa j)%:R.

Lemma differ_outside i kappa z w j : same_cell i kappa z w -> differ z w j <= outside i kappa j.
Proof.
move=> [zs za]; rewrite /differ /outside ler_nat; have [ij|] := boolP (ball i kappa j); last by rewrite leq_b1.
by rewrite zs ?za ?eqxx.
Qed.

Hypothesis loc : local M.

(* Line 4: |E r_i(t) - E r~_i(t)| <= rbar q_i(t) *)
Definition own i j : R := rbar M * (j == i)%:R.

Lemma own_sum i g : \sum_j own i j * g j = rbar M * g i.
Proof. by rewrite (bigD1 i) //= /own eqxx mulr1 big1 ?addr0 // => j /negPf ->; rewrite mulr0 mul0r. Qed.

Lemma own_ge0 i j : 0 <= own i j.
Proof. by rewrite mulr_ge0 ?ler0n ?(rbar_ge0 i). Qed.

Lemma reward_within i : within (r M i) (own i) 0.
Proof.
move=> u v; rewrite add0r own_sum /differ; have [_|] := boolP (_ || _).
  have /andP[u0 u1] := r_range M i u; have /andP[v0 v1] := r_range M i v.
  by rewrite mulr1 ler_subl_addr (le_trans u1) // ler_addl.
rewrite negb_or !negbK => /andP[/eqP us /eqP ua]; rewrite mulr0 subr_le0.
by case: (loc i) => _ ri; rewrite (ri u v) //; split=> k /eqP ->.
Qed.

Lemma reward_at_moves t i kappa z w : same_cell i kappa z w ->
  reward_at M theta t i z - reward_at M theta t i w <= rbar M * q (outside i kappa) t i.
Proof.
move=> zw; apply: le_trans (moves_at t z w (own_ge0 i) (reward_within i)) _.
by rewrite add0r own_sum (ler_wpmul2l (rbar_ge0 i)) // q_mono // => j; apply: differ_outside.
Qed.

(* (a), with the terms past a horizon T at most rbar gamma^(T + 1) / (1 - gamma) in sum *)
Theorem influence T i kappa : D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * q (outside i kappa) t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
have rb0 := rbar_ge0 i; rewrite mulr_sumr; under eq_bigr do rewrite mulrCA.
apply: (@horizon R G M theta kappa.+1 (fun t => rbar M * q (outside i kappa) t i)) => [t|t z w|t z w _ zw].
- by rewrite mulr_ge0 ?q_ge0 // => k; apply: ler0n.
- exact: (@reward_at_cell R G M theta t i kappa z w loc).
- exact: reward_at_moves.
Qed.

(* All agents at once: q(0) = 1, which no O exceeds *)
Corollary influence_everywhere T i kappa : D M theta i kappa <=
  rbar M * (\sum_(t < T.+1 | (kappa < t)%N) gamma M ^+ t * q (fun _ => 1) t i) + rbar M / (1 - gamma M) * gamma M ^+ T.+1.
Proof.
apply: le_trans (influence T i kappa) _; have /andP[g0 _] := gamma01 M; rewrite ler_add2r.
apply: (ler_wpmul2l (rbar_ge0 i)); apply: ler_sum => t _; apply: (ler_wpmul2l (exprn_ge0 t g0)).
by apply: q_mono => j; rewrite /outside lern1 leq_b1.
Qed.

(* Q_i solves f = r_i - g + beta E f at beta = gamma, g = 0; the Q_i of the average reward, sum_t (E r_i(t) - g), solves it,
   Poisson's equation, at beta = 1. *)
Definition discounts (beta g : R) i f := forall z, f z = r M i z - g + beta * E (K M theta) f z.

Lemma Q_discounts i : discounts (gamma M) 0 i (Q M theta i).
Proof. by move=> z; rewrite QE -mean_K subr0. Qed.

(* How far f moves when the pair of k is changed: d <= rbar 1_i + beta C^T d *)
Lemma discounts_moves beta g i f : 0 <= beta -> discounts beta g i f -> exists d : G -> R, [/\ moves f d, forall k, 0 <= d k
  & forall k, d k <= rbar M * (k == i)%:R + beta * \sum_j d j * C j k].
Proof.
move=> b0 fE; have rb0 := rbar_ge0 i.
pose off k (x : joint G * joint G) := [forall j, (j != k) ==> (x.1.1 j == x.2.1 j) && (x.1.2 j == x.2.2 j)].
have offP k x : reflect (alike (predC1 k) (predC1 k) x.1 x.2) (off k x).
  apply: (iffP forallP) => [H|[zs za] j]; last by apply/implyP=> jk; rewrite zs ?za ?eqxx.
  by split=> j jk; move/implyP: (H j) => /(_ jk) /andP[/eqP ? /eqP ?].
pose d k := largest (off k) (fun x => f x.1 - f x.2).
have d_ge0 k : 0 <= d k by apply: largest_ge0.
have fd : moves f d by move=> k z w zw; apply: (@le_largest _ _ _ _ (z, w)); apply/offP.
exists d; split=> // k; apply: largest_le => [|[z w] /offP /= zw].
  by rewrite addr_ge0 ?mulr_ge0 ?ler0n ?rb0 ?sumr_ge0 // => j _; rewrite mulr_ge0.
rewrite (fE z) (fE w) opprD addrACA -mulrBr; apply: ler_add.
  rewrite opprB addrA subrK.
  have [ki|ki] := eqVneq k i.
    have /andP[z0 z1] := r_range M i z; have /andP[w0 w1] := r_range M i w.
    by rewrite mulr1 ler_subl_addr (le_trans z1) // ler_addl.
  rewrite mulr0 subr_le0; case: (loc i) => _ ri; rewrite (ri z w) //.
  by case: zw => zs za; split=> j /eqP ->; [apply: zs | apply: za]; rewrite /= eq_sym.
rewrite ler_wpmul2l //; apply: le_trans (step_moves z w fd) _.
by apply: ler_sum => j _; rewrite ler_wpmul2l // C_ge.
Qed.

Lemma discounts_closed_form beta g (x : G -> R) i kappa f : 0 <= beta -> discounts beta g i f ->
  (forall j, 0 <= x j) -> (forall j, outside i kappa j + beta * (\sum_k C j k * x k) <= x j) ->
  forall z w, same_cell i kappa z w -> f z - f w <= rbar M * x i.
Proof.
move=> b0 fE x0 xC z w zw; have [d [fd d0 dE]] := discounts_moves b0 fE.
have swap : \sum_k (\sum_j d j * C j k) * x k = \sum_j d j * \sum_k C j k * x k.
  under eq_bigr do rewrite mulr_suml; rewrite exchange_big; apply: eq_bigr => j _.
  by rewrite mulr_sumr; apply: eq_bigr => k _; rewrite mulrA.
apply: le_trans (moves_within fd z w) _; rewrite add0r.
apply: le_trans (_ : \sum_k d k * (x k - beta * \sum_l C k l * x l) <= _).
  apply: ler_sum => k _; rewrite ler_wpmul2l // ler_subr_addr; apply: le_trans (xC k).
  by rewrite ler_add2r differ_outside.
under eq_bigr do rewrite mulrBr mulrCA; rewrite sumrB -mulr_sumr -swap ler_subl_addr.
apply: le_trans (_ : \sum_k (rbar M * (k == i)%:R + beta * \sum_j d j * C j k) * x k <= _).
  by apply: ler_sum => k _; rewrite ler_wpmul2r.
under eq_bigr do rewrite mulrDl -!mulrA; rewrite big_split -!mulr_sumr /= (bigD1 i) //= eqxx mul1r.
by rewrite big1 ?addr0 // => k /negPf ->; rewrite mul0r.
Qed.

Lemma discounts_unroll beta g i f n z : discounts beta g i f ->
  f z = \sum_(t < n) beta ^+ t * (reward_at M theta t i z - g) + beta ^+ n * run (K M theta) n f z.
Proof.
move=> fE; elim: n => [|n IH]; first by rewrite big_ord0 add0r mul1r.
rewrite big_ord_recr /= {}IH -addrA; congr (_ + _); rewrite exprSr -mulrA -mulrDr; congr (_ * _).
elim: n z => [|n IH] z; first exact: fE.
rewrite /= /E (eq_mean _ IH) meanD meanZ /reward_at /= /E meanD; congr (_ + _ + _).
exact: (mean_const _ (K_law M theta z)).
Qed.

Lemma discounts_row_sums beta g mu i kappa f : 0 <= beta -> discounts beta g i f ->
  (forall j, \sum_k C j k <= mu) -> beta * mu < 1 ->
  forall z w, same_cell i kappa z w -> f z - f w <= rbar M / (1 - beta * mu) * (beta * mu) ^+ kappa.+1.
Proof.
move=> b0 fE Cmu bmu z w zw; have mu0 : 0 <= mu by apply: le_trans (Cmu i); apply: sumr_ge0.
have d0 : 0 < 1 - beta * mu by rewrite subr_gt0.
have [d [fd d_ge0 dE]] := discounts_moves b0 fE; have rb0 := rbar_ge0 i.
have Sd : \sum_k d k <= rbar M / (1 - beta * mu).
  rewrite ler_pdivl_mulr // mulrBr mulr1 ler_subl_addr; apply: le_trans (ler_sum _ (fun k _ => dE k)) _.
  rewrite big_split -!mulr_sumr /=; apply: ler_add.
    by rewrite (bigD1 i) //= eqxx big1 ?addr0 ?mulr1 // => k /negPf ->.
  rewrite [X in _ <= X]mulrCA ler_wpmul2l // exchange_big mulr_suml; apply: ler_sum => j _; by rewrite -mulr_sumr ler_wpmul2l.
have q_le t j : q (outside i kappa) t j <= mu ^+ t.
  elim: t j => [|t IH] j /=; first by rewrite /outside lern1 leq_b1.
  rewrite le_minl exprS; apply/orP; right; apply: le_trans (_ : \sum_k C j k * mu ^+ t <= _).
    by apply: ler_sum => k _; rewrite ler_wpmul2l.
  by rewrite -mulr_suml ler_wpmul2r ?exprn_ge0.
rewrite !(discounts_unroll kappa.+1 _ fE).
under eq_bigr => t _ do rewrite (reward_at_cell theta loc (ltn_ord t : (t <= kappa)%N) zw).
rewrite opprD addrACA subrr add0r -mulrBr exprMn mulrCA ler_wpmul2l ?exprn_ge0 //.
apply: le_trans (moves_at kappa.+1 z w d_ge0 (moves_within fd)) _; rewrite add0r.
apply: le_trans (_ : (\sum_k d k) * mu ^+ kappa.+1 <= _); last by rewrite ler_wpmul2r ?exprn_ge0.
rewrite mulr_suml; apply: ler_sum => k _; rewrite ler_wpmul2l //; apply: le_trans (q_le _ k).
by apply: q_mono => j; apply: differ_outside.
Qed.

Lemma both_ways i kappa f b : (forall z w, same_cell i kappa z w -> f z - f w <= b) ->
  forall z w, same_cell i kappa z w -> `|f z - f w| <= b.
Proof. by move=> half z w zw; rewrite ler_norml ler_oppl opprB !half //; apply: alike_sym. Qed.

(* (b), closed form: x = (I - gamma C)^(-1) 1_O, or any x >= 0 with x >= 1_O + gamma C x *)
Theorem influence_closed_form (x : G -> R) i kappa :
  (forall j, 0 <= x j) -> (forall j, outside i kappa j + gamma M * (\sum_k C j k * x k) <= x j) -> D M theta i kappa <= rbar M * x i.
Proof.
move=> x0 xC; have /andP[g0 _] := gamma01 M.
by apply: D_le; [rewrite mulr_ge0 ?(rbar_ge0 i) | apply/both_ways/(discounts_closed_form g0 (Q_discounts i))].
Qed.

(* (b), row sums of C at most mu and gamma mu < 1: (c, rho) = (rbar / (1 - gamma mu), gamma mu) *)
Theorem influence_row_sums mu i kappa : (forall j, \sum_k C j k <= mu) -> gamma M * mu < 1 ->
  D M theta i kappa <= rbar M / (1 - gamma M * mu) * (gamma M * mu) ^+ kappa.+1.
Proof.
move=> Cmu gmu; have /andP[g0 _] := gamma01 M; have mu0 : 0 <= mu by apply: le_trans (Cmu i); apply: sumr_ge0.
apply: D_le; last exact/both_ways/(discounts_row_sums g0 (Q_discounts i)).
by rewrite mulr_ge0 ?divr_ge0 ?(rbar_ge0 i) ?exprn_ge0 ?mulr_ge0 // subr_ge0 ltW.
Qed.

(* (e) The average reward: h is any solution of Poisson's equation. Closed form: x = (I - C)^(-1) 1_O, or any x >= 0 with
   x >= 1_O + C x; row sums of C at most mu < 1. *)
Definition poisson g i h := forall z, h z = r M i z - g + E (K M theta) h z.

Lemma poisson_discounts g i h : poisson g i h -> discounts 1 g i h.
Proof. by move=> hE z; rewrite mul1r. Qed.

Theorem average_reward (x : G -> R) g i kappa h z w : poisson g i h -> same_cell i kappa z w ->
  (forall j, 0 <= x j) -> (forall j, outside i kappa j + (\sum_k C j k * x k) <= x j) -> `|h z - h w| <= rbar M * x i.
Proof.
move=> /poisson_discounts hE zw x0 xC; apply: (both_ways _ zw).
by apply: (discounts_closed_form ler01 hE) => // j; rewrite mul1r.
Qed.

Theorem average_reward_row_sums mu g i kappa h z w : poisson g i h -> same_cell i kappa z w ->
  (forall j, \sum_k C j k <= mu) -> mu < 1 -> `|h z - h w| <= rbar M * mu ^+ kappa.+1 / (1 - mu).
Proof.
move=> /poisson_discounts hE zw Cmu mu1; apply: (both_ways _ zw) => u v uv; rewrite mulrAC.
by have := discounts_row_sums ler01 hE Cmu; rewrite mul1r; apply.
Qed.

(* Finite parts of sum_t (E r_i(t) - E r~_i(t)), in which g drops out *)
Theorem average_reward_sums (x : G -> R) i kappa z w T : same_cell i kappa z w ->
  (forall j, 0 <= x j) -> (forall j, outside i kappa j + (\sum_k C j k * x k) <= x j) ->
  `|\sum_(t < T) (reward_at M theta t i z - reward_at M theta t i w)| <= rbar M * x i.
Proof.
move=> zw x0 xC; rewrite sumrB.
apply: (both_ways (f := fun z => \sum_(t < T) reward_at M theta t i z) _ zw) => {zw}z {}w zw /=; rewrite -sumrB.
have q_sum j : \sum_(t < T) q (outside i kappa) t j <= x j.
  elim: T j => [|n IH] j; first by rewrite big_ord0.
  rewrite big_ord_recl /=; apply: le_trans (xC j); rewrite ler_add2l.
  apply: le_trans (_ : \sum_(t < n) \sum_k C j k * q (outside i kappa) t k <= _).
    by apply: ler_sum => t _; rewrite le_minl lexx orbT.
  by rewrite exchange_big; apply: ler_sum => k _; rewrite -mulr_sumr ler_wpmul2l.
apply: le_trans (ler_wpmul2l (rbar_ge0 i) (q_sum i)).
by rewrite mulr_sumr; apply: ler_sum => t _; apply: reward_at_moves.
Qed.
End Influence.
