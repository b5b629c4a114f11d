(* definition2, the sup bracketed: what the policies of a box can make of Q_i(z) - Q_i(w), and the search over boxes.
   paper/proofs.md has boxes of probabilities zeta_j(1 | s_j); here any two laws span an entry (j, s_j) of a box. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Box.
Variables (R : realFieldType) (G : network) (M : mdp R G) (lo hi : policy R G).
Definition entry : finType := [finType of {j : G & state j}].
Implicit Types (theta : policy R G) (u e : entry) (c : entry -> bool) (h : joint G -> R) (v d W : states G -> R).
Notation "j @ s" := (existT (fun k : G => state k) j s : entry) (at level 30).

(* A policy of the box mixes lo and hi in each entry; a corner takes one of the two in each. *)
Definition in_box theta := exists x : entry -> R, (forall u, 0 <= x u <= 1) /\
  forall j s a, zeta theta j s a = (1 - x (j @ s)) * zeta lo j s a + x (j @ s) * zeta hi j s a.
Definition corner_zeta c j s a := if c (j @ s) then zeta hi j s a else zeta lo j s a.
Lemma corner_law c j s : law (@corner_zeta c j s).
Proof. by rewrite /corner_zeta; case: (c _); apply: zeta_law. Qed.
Definition corner c : policy R G := Policy (corner_law c).

(* sum_s sum_a prod_j z_j(a_j | s_j) h(s, a) *)
Definition total (z : forall j : G, state j -> action j -> R) h : R := \sum_(s : states G) mean (prod (fun j => z j (s j))) (fun a => h (s, a)).

(* Line 2: each entry occurs once or not at all in each row, so one entry after the other goes to an end. *)
Section Affine.
Variables (x : entry -> R) (h : joint G -> R).
Hypothesis x01 : forall u, 0 <= x u <= 1.
Definition part (e : seq entry) c j (s : state j) (a : action j) : R :=
  if (j @ s) \in e then corner_zeta c s a else (1 - x (j @ s)) * zeta lo j s a + x (j @ s) * zeta hi j s a.
Definition fix_at c u b : entry -> bool := fun e => if e == u then b else c e.

Lemma part_off (e : seq entry) c u b j (s : state j) a : j @ s != u -> part (u :: e) (fix_at c u b) s a = part e c s a.
Proof. by move=> /negPf su; rewrite /part /corner_zeta inE /fix_at su. Qed.

Lemma part_one (e : seq entry) c u : u \notin e -> total (part e c) h =
  (1 - x u) * total (part (u :: e) (fix_at c u false)) h + x u * total (part (u :: e) (fix_at c u true)) h.
Proof.
move=> ue; rewrite /total !mulr_sumr -big_split; apply: eq_bigr => s _ /=; rewrite /mean !mulr_sumr -big_split.
apply: eq_bigr => a _ /=; rewrite !mulrA -mulrDl; congr (_ * _).
have [su|su] := eqVneq (tag u @ s (tag u)) u; last first.
  have same b : prod (fun j => @part (u :: e) (fix_at c u b) j (s j)) a = prod (fun j => @part e c j (s j)) a.
    apply: eq_bigr => j _; apply: part_off; apply: contraNneq su => ju; rewrite -[X in _ == X]ju.
    by rewrite -ju.
  by rewrite !same -mulrDl subrK mul1r.
have same b : prod (fun j => @part (u :: e) (fix_at c u b) j (s j)) a = (if b then zeta hi (tag u) (s (tag u)) (a (tag u)) else zeta lo (tag u) (s (tag u)) (a (tag u)))
    * \prod_(j | j != tag u) part e c (s j) (a j).
  rewrite /prod (bigD1 (tag u)) //=; congr (_ * _); first by rewrite /part /corner_zeta inE su eqxx /fix_at eqxx.
  by apply: eq_bigr => j ju; apply: part_off; apply: contraNneq ju => <-.
rewrite !same !mulrA -mulrDl /prod (bigD1 (tag u)) //=; congr (_ * _).
by rewrite /part su (negPf ue).
Qed.

Lemma eq_total z z' : (forall j s a, z j s a = z' j s a) -> total z h = total z' h.
Proof. by move=> zz; apply: eq_bigr => s _; apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => j _; apply: zz. Qed.

Lemma part_corner (e : seq entry) : uniq e -> exists c, total (part [::] xpred0) h <= total (part e c) h.
Proof.
elim: e => [|u e IH /= /andP[ue]]; first by exists (xpred0).
move=> /IH[c le]; have /andP[x0 x1] := x01 u; move: le; rewrite (part_one c ue) => le.
have [lh|/ltW hl] := leP (total (part (u :: e) (fix_at c u false)) h) (total (part (u :: e) (fix_at c u true)) h).
  exists (fix_at c u true); apply: le_trans le _; rewrite -{2}[total (part _ (fix_at c u true)) h]mul1r -[X in _ <= X * _](subrK (x u)) [X in _ <= X]mulrDl.
  by rewrite ler_add2r ler_wpmul2l // subr_ge0.
exists (fix_at c u false); apply: le_trans le _; rewrite -{2}[total (part _ (fix_at c u false)) h]mul1r -[X in _ <= X * _](subrK (x u)) [X in _ <= X]mulrDl.
by rewrite ler_add2l ler_wpmul2l.
Qed.
End Affine.

Lemma corners h b theta : in_box theta -> (forall c, total (zeta (corner c)) h <= b) -> total (zeta theta) h <= b.
Proof.
move=> [x [x01 xE]] cb; have [c le] := part_corner h x01 (index_enum_uniq entry).
have -> : total (zeta theta) h = total (part x [::] (xpred0)) h by apply: eq_total => j s a; rewrite xE.
apply: le_trans le _; have -> : total (part x (index_enum entry) c) h = total (zeta (corner c)) h; last exact: cb.
by apply: eq_total => j s a; rewrite /part mem_index_enum.
Qed.

(* r_i^theta + gamma P^theta W, and A^theta and rho^theta of the statement *)
Variable i : G.
Definition backup theta W s : R := act theta (r M i) s + gamma M * mean (P_theta M theta s) W.
Definition A v theta s : R := backup theta v s - v s.
Definition g z w s : R := gamma M * (next M z s - next M w s).
Definition rho d z w theta s : R := g z w s - d s + gamma M * \sum_t d t * P_theta M theta t s.

Lemma V_backup theta s : V M theta i s = backup theta (V M theta i) s.
Proof.
rewrite /backup -mean_mean -meanZ -meanD; apply: eq_mean => a; exact: QE.
Qed.

Lemma total_backup theta d W : total (zeta theta) (fun y => d y.1 * (r M i y + gamma M * mean (next M y) W)) = \sum_s d s * backup theta W s.
Proof.
apply: eq_bigr => s _ /=; rewrite meanZ meanD meanZ mean_mean.
by []. Qed.

(* Line 2 for sums over rows, and for one row *)
Lemma backup_corners d W b theta : in_box theta -> (forall c, \sum_s d s * backup (corner c) W s <= b) -> \sum_s d s * backup theta W s <= b.
Proof. by move=> th cb; rewrite -total_backup; apply: corners th _ => c; rewrite total_backup. Qed.

Lemma row_corners (e : R) W s b theta : in_box theta -> (forall c, e * backup (corner c) W s <= b) -> e * backup theta W s <= b.
Proof.
have one th : \sum_t (if t == s then e else 0) * backup th W t = e * backup th W s.
  by rewrite (bigD1 s) //= eqxx big1 ?addr0 // => t /negPf ->; rewrite mul0r.
by move=> th cb; rewrite -one; apply: backup_corners th _ => c; rewrite one.
Qed.

Lemma backup_split theta W W' s : backup theta W' s = backup theta W s + gamma M * mean (P_theta M theta s) (fun t => W' t - W t).
Proof. by rewrite /backup meanB mulrBr -addrA [X in _ = _ + X]addrC subrK. Qed.

(* W = V_i - v solves W = A + gamma P W. *)
Lemma gap_backup theta v s : V M theta i s - v s = A v theta s + gamma M * mean (P_theta M theta s) (fun t => V M theta i t - v t).
Proof. by rewrite {1}V_backup (backup_split _ v) addrAC. Qed.

Lemma le_discounted theta W W' s : (forall t, W t <= W' t) -> gamma M * mean (P_theta M theta s) W <= gamma M * mean (P_theta M theta s) W'.
Proof.
move=> WW; have /andP[g0 _] := gamma01 M; rewrite ler_wpmul2l //.
by apply: le_mean => [|t _]; [apply: P_theta_law | apply: WW].
Qed.

(* Line 3: constants to start with, then any number of sweeps; from above and from below *)
Theorem supremum_start v m theta s : in_box theta -> (forall c t, A v (corner c) t <= m) -> V M theta i s - v s <= m / (1 - gamma M).
Proof.
move=> th Am; apply: (sub_solution (gamma01 M) (P_theta_law M theta) (f := fun t => V M theta i t - v t)) => {}s.
rewrite gap_backup ler_add2r ler_subl_addr -[backup _ _ _]mul1r.
by apply: row_corners th _ => c; rewrite mul1r -ler_subl_addr; apply: Am.
Qed.

Theorem supremum_start_low v m theta s : in_box theta -> (forall c t, m <= A v (corner c) t) -> m / (1 - gamma M) <= V M theta i s - v s.
Proof.
move=> th Am; apply: (super_solution (gamma01 M) (P_theta_law M theta) (f := fun t => V M theta i t - v t)) => {}s.
rewrite gap_backup ler_add2r ler_subr_addr -ler_opp2 -mulN1r.
by apply: row_corners th _ => c; rewrite mulN1r ler_opp2 -ler_subr_addr; apply: Am.
Qed.

Theorem supremum_sweep v U s b theta : (forall th t, in_box th -> V M th i t - v t <= U t) ->
  (forall c, A v (corner c) s + gamma M * mean (P_theta M (corner c) s) U <= b) -> in_box theta -> V M theta i s - v s <= b.
Proof.
move=> VU Ub th; have e th' : A v th' s + gamma M * mean (P_theta M th' s) U = backup th' (fun t => v t + U t) s - v s.
  by rewrite (backup_split _ v) addrAC; congr (_ + _ * _); apply: eq_mean => t; rewrite addrAC subrr add0r.
rewrite gap_backup; apply: le_trans (_ : A v theta s + gamma M * mean (P_theta M theta s) U <= _).
  by rewrite ler_add2l le_discounted // => t; apply: VU.
rewrite e ler_subl_addr -[backup _ _ _]mul1r; apply: row_corners th _ => c.
by rewrite mul1r -ler_subl_addr -e; apply: Ub.
Qed.

Theorem supremum_sweep_low v L s b theta : (forall th t, in_box th -> L t <= V M th i t - v t) ->
  (forall c, b <= A v (corner c) s + gamma M * mean (P_theta M (corner c) s) L) -> in_box theta -> b <= V M theta i s - v s.
Proof.
move=> VL Lb th; have e th' : A v th' s + gamma M * mean (P_theta M th' s) L = backup th' (fun t => v t + L t) s - v s.
  by rewrite (backup_split _ v) addrAC; congr (_ + _ * _); apply: eq_mean => t; rewrite addrAC subrr add0r.
rewrite gap_backup; apply: le_trans (_ : A v theta s + gamma M * mean (P_theta M theta s) L <= _); last first.
  by rewrite ler_add2l le_discounted // => t; apply: VL.
rewrite e ler_subr_addr -ler_opp2 -mulN1r; apply: row_corners th _ => c.
by rewrite mulN1r ler_opp2 -ler_subr_addr -e; apply: Lb.
Qed.

(* The statement: any v and d, a bracket [L, U] of V_i - v over the box, and what no corner exceeds *)
Theorem supremum_box v d L U b theta z w : (forall th t, in_box th -> L t <= V M th i t - v t <= U t) -> r M i z = r M i w ->
  (forall c, (\sum_s g z w s * v s) + (\sum_s d s * A v (corner c) s)
    + (\sum_s Num.max (rho d z w (corner c) s * L s) (rho d z w (corner c) s * U s)) <= b) ->
  in_box theta -> Q M theta i z - Q M theta i w <= b.
Proof.
move=> LU rr cb th; pose W s := V M theta i s - v s; pose ahead th' := \sum_s d s * (gamma M * mean (P_theta M th' s) W).
have rhoW th' : \sum_s rho d z w th' s * W s = \sum_s (g z w s - d s) * W s + ahead th'.
  have -> : ahead th' = \sum_s gamma M * (\sum_t d t * P_theta M th' t s) * W s.
    rewrite /ahead; under [RHS]eq_bigr do rewrite -mulrA mulr_suml mulr_sumr; rewrite [RHS]exchange_big; apply: eq_bigr => s _.
    by rewrite /mean !mulr_sumr; apply: eq_bigr => t _; rewrite !mulrA [gamma M * d s]mulrC.
  by rewrite -big_split; apply: eq_bigr => s _ /=; rewrite -mulrDl.
have dB th' : \sum_s d s * backup th' (V M theta i) s = \sum_s d s * v s + (\sum_s d s * A v th' s + ahead th').
  by rewrite -!big_split; apply: eq_bigr => s _ /=; rewrite (backup_split _ v) /A -!mulrDr addrA [v s + _]addrC subrK.
have gap : Q M theta i z - Q M theta i w = \sum_s g z w s * v s + \sum_s g z w s * W s.
  rewrite !QE rr opprD addrACA subrr add0r -mulrBr -big_split /mean -sumrB mulr_sumr; apply: eq_bigr => s _ /=.
  by rewrite -mulrDr [v s + _]addrC subrK /g -mulrBl mulrA.
have gW th' : \sum_s d s * A v th' s + \sum_s rho d z w th' s * W s =
    \sum_s (g z w s - d s) * W s - \sum_s d s * v s + \sum_s d s * backup th' (V M theta i) s.
  by rewrite rhoW dB [RHS]addrA subrK addrCA.
rewrite gap; have -> : \sum_s g z w s * W s = \sum_s d s * A v theta s + \sum_s rho d z w theta s * W s.
  rewrite gW -addrA [- _ + _]addrC -sumrB -big_split; apply: eq_bigr => s _ /=.
  by rewrite -V_backup -mulrBr -mulrDl subrK.
rewrite gW addrA -ler_subr_addl; apply: (backup_corners th) => c.
rewrite ler_subr_addl -addrA -gW; apply: le_trans (cb c); rewrite addrA ler_add2l; apply: ler_sum => s _.
have /andP[Ls Us] := LU theta s th; have [r0|/ltW r0] := leP 0 (rho d z w (corner c) s).
  by rewrite le_maxr; apply/orP; right; apply: ler_wpmul2l.
by rewrite le_maxr; apply/orP; left; apply: ler_wnmul2l.
Qed.
End Box.

(* Line 4. A bound that serves every box of a cover serves every policy. *)
Section Supremum.
Variables (R : realFieldType) (G : network) (M : mdp R G) (i : G) (kappa : nat).

(* What `supremum_box` asks for, with L and U from `supremum_start` and any number of `supremum_sweep` *)
Definition certified (lo hi : policy R G) z w b := exists v d L U : states G -> R,
  (forall theta s, in_box lo hi theta -> L s <= V M theta i s - v s <= U s) /\
  forall c, (\sum_s g M z w s * v s) + (\sum_s d s * A M i v (corner lo hi c) s)
    + (\sum_s Num.max (rho M d z w (corner lo hi c) s * L s) (rho M d z w (corner lo hi c) s * U s)) <= b.
Definition covered b := forall z w, same_cell i kappa z w -> forall theta, exists lo hi, in_box lo hi theta /\ certified lo hi z w b.

Theorem supremum b theta : local M -> 0 <= b -> covered b -> D M theta i kappa <= b.
Proof.
move=> loc b0 cover; have half z w : same_cell i kappa z w -> Q M theta i z - Q M theta i w <= b.
  move=> zw; have [lo [hi [th [v [d [L [U [LU cb]]]]]]]] := cover z w zw theta.
  apply: (supremum_box _ _ cb th) => [th' s|]; first exact: LU.
  by case: (loc i) => _; apply; case: zw => zs za; split=> j /eqP ->; [apply: zs | apply: za]; apply: ball_center.
by apply: D_le => // z w zw; rewrite ler_norml ler_oppl opprB !half //; apply: alike_sym.
Qed.
End Supremum.

(* All policies of two actions lie in one box, and a box is cut at the middle of one of its entries. *)
Section Cover.
Variables (R : realFieldType) (G : network).
Implicit Types (lo hi theta : policy R G).

Lemma supremum_everything lo hi (no yes : forall j : G, action j) theta :
  (forall j a, a = no j \/ a = yes j) -> (forall j, no j != yes j) ->
  (forall j s a, zeta lo j s a = (a == no j)%:R) -> (forall j s a, zeta hi j s a = (a == yes j)%:R) -> in_box lo hi theta.
Proof.
move=> two ny loE hiE; exists (fun u => zeta theta (tag u) (tagged u) (yes (tag u))); split=> [u|j s a] /=.
  have [z0 z1] := zeta_law theta (tagged u); rewrite z0 /= -z1 (bigD1 (yes (tag u))) //= ler_addl.
  by apply: sumr_ge0 => a _; apply: z0.
have [_ z1] := zeta_law theta s; rewrite loE hiE; case: (two j a) => ->.
  rewrite eqxx (negPf (ny j)) mulr0 addr0 mulr1 -z1 (bigD1 (no j)) //= (bigD1 (yes j)) 1?eq_sym ?ny //= big1 => [|b /andP[bn by_]].
    by rewrite addr0 addrK.
  by case: (two j b) => e; rewrite e eqxx in bn by_.
by rewrite eqxx eq_sym (negPf (ny j)) mulr0 add0r mulr1.
Qed.

(* What agrees with lo and hi but in entry u, where the middle takes the place of one of them *)
Definition cut (u : entry G) lo hi lo' hi' := forall j s a,
  let middle := (zeta lo j s a + zeta hi j s a) / 2%:R in let at_u := existT (fun k : G => state k) j s == u in
  zeta hi' j s a = (if at_u then middle else zeta hi j s a) /\ zeta lo' j s a = (if at_u then middle else zeta lo j s a).

Lemma cut_low (x p p' : R) : (1 - x *+ 2) * p + x *+ 2 * ((p + p') / 2%:R) = (1 - x) * p + x * p'.
Proof.
have -> : x *+ 2 * ((p + p') / 2%:R) = x * (p + p') by rewrite -(mulr_natr x) -mulrA [2%:R * _]mulrC divfK ?pnatr_eq0.
by rewrite mulrDr addrA -mulrDl mulr2n opprD addrA subrK.
Qed.

Lemma cut_high (x p p' : R) : (1 - (x *+ 2 - 1)) * ((p + p') / 2%:R) + (x *+ 2 - 1) * p' = (1 - x) * p + x * p'.
Proof.
have e : 1 - (x *+ 2 - 1) = (1 - x) *+ 2 by rewrite mulrnBl opprB addrA -mulr2n.
have e' : x *+ 2 - 1 = 1 - (1 - x) *+ 2 by rewrite -e subKr.
by rewrite e e' addrC [p + p']addrC cut_low subKr addrC.
Qed.

Lemma supremum_halves u lo hi lo' hi' theta : cut u lo hi lo' hi' -> in_box lo hi theta -> in_box lo hi' theta \/ in_box lo' hi theta.
Proof.
move=> cutE [x [x01 xE]]; have /andP[x0 x1] := x01 u.
have [half|/ltW half] := leP (x u *+ 2) 1; [left; exists (fun e => if e == u then x u *+ 2 else x e)
  | right; exists (fun e => if e == u then x u *+ 2 - 1 else x e)]; split=> [e|j s a].
- by case: eqP => // _; rewrite mulrn_wge0.
- by have [-> _] := cutE j s a; rewrite xE; case: eqP => // ->; rewrite cut_low.
- by case: eqP => // _; rewrite subr_ge0 half /= ler_subl_addr mulr2n; apply: ler_add.
- by have [_ ->] := cutE j s a; rewrite xE; case: eqP => // ->; rewrite cut_high.
Qed.
End Cover.

(* The search itself: boxes wait with what is known of each; one is bounded, and dropped or cut. *)
Section Search.
Variables (R : realFieldType) (T box : Type) (value : T -> R) (inside : box -> T -> Prop).
Variables (centre : box -> T) (over : box -> R) (first second : box -> box) (width above : R).
Hypothesis over_ge : forall b x, inside b x -> value x <= over b.
Hypothesis halves : forall b x, inside b x -> inside (first b) x \/ inside (second b) x.
Hypothesis width0 : 0 <= width.
Implicit Types (best most k : R) (open : seq (box * R)).

(* What need not be told apart from the best value found *)
Definition enough best := Num.max above (best * (1 + width)).

Fixpoint search boxes best most open : R * R * seq (box * R) :=
  if boxes isn't n.+1 then (best, most, open) else if open isn't (b, k) :: rest then (best, most, [::]) else
  let k' := if enough best < k then Num.min k (over b) else k in
  let best' := if enough best < k then Num.max best (value (centre b)) else best in
  if k' <= enough best' then search n best' (Num.max most k') rest
  else search n best' most [:: (second b, k'), (first b, k') & rest].

Definition bound most open := foldr (fun bk m => Num.max bk.2 m) most open.

(* Nothing exceeds the bound: not what was dropped, not what still waits. *)
Fixpoint valid x most open : Prop := if open is (b, k) :: rest then (inside b x /\ value x <= k) \/ valid x most rest else value x <= most.

Lemma bound_ge most open : most <= bound most open.
Proof. by elim: open => //= bk open IH; rewrite le_maxr IH orbT. Qed.

Lemma valid_bound x most open : valid x most open -> value x <= bound most open.
Proof. by elim: open => //= -[b k] open IH [[_ le]|/IH le]; rewrite /= le_maxr le ?orbT. Qed.

Lemma valid_most x most most' open : most <= most' -> valid x most open -> valid x most' open.
Proof.
move=> mm; elim: open => [le|[b k] open IH [h|/IH h]] /=; [exact: le_trans le mm | by left | by right].
Qed.

Theorem search_above boxes best most open x : valid x most open ->
  value x <= bound (search boxes best most open).1.2 (search boxes best most open).2.
Proof.
elim: boxes best most open => [|n IH] best most [|[b k] rest] v /=; try exact: valid_bound v.
set k' := if _ then Num.min _ _ else _; set best' := if _ then Num.max best _ else _; case: v => [[bx xk]|v].
  have xk' : value x <= k' by rewrite /k'; case: ifP => // _; rewrite le_minr xk over_ge.
  case: (k' <= enough best'); apply: IH => /=; last by have [h|h] := halves bx; [right; left | left].
  by elim: rest => [|[b' m] rest IHr] /=; [rewrite le_maxr xk' orbT | right].
by case: (k' <= enough best'); apply: IH; [apply: valid_most v; rewrite le_maxr lexx | right; right].
Qed.

(* The best value is that of a policy, and never falls. *)
Theorem search_below boxes best most open : let best' := (search boxes best most open).1.1 in
  best <= best' /\ (best' = best \/ exists x, best' = value x).
Proof.
elim: boxes best most open => [|n IH] best most [|[b k] rest] /=; try by split; [|left].
set k' := if _ then Num.min _ _ else _; set best2 := if _ then Num.max best _ else _.
have up : best <= best2 by rewrite /best2; case: ifP => // _; rewrite le_maxr lexx.
have at_x : best2 = best \/ exists x, best2 = value x.
  by rewrite /best2; case: ifP => _; [case: (leP (value (centre b)) best) => _; [left | right; exists (centre b)] | left].
have done m o : let best' := (search n best2 m o).1.1 in best <= best' /\ (best' = best \/ exists x, best' = value x).
  have [le [-> | ex]] := IH best2 m o; split; try exact: le_trans up le; by [|right].
by case: (k' <= enough best2); apply: done.
Qed.

(* What was dropped is within the width that was asked for: so is the bound, if nothing waits any more. *)
Theorem search_width boxes best most open : 0 <= best -> most <= enough best ->
  (search boxes best most open).1.2 <= enough (search boxes best most open).1.1.
Proof.
have mono a c : a <= c -> enough a <= enough c.
  by move=> ac; rewrite /enough le_maxl !le_maxr lexx /= ler_wpmul2r ?orbT // addr_ge0 ?ler01.
elim: boxes best most open => [|n IH] best most [|[b k] rest] b0 mb //=.
set k' := if _ then Num.min _ _ else _; set best2 := if _ then Num.max best _ else _.
have up : best <= best2 by rewrite /best2; case: ifP => // _; rewrite le_maxr lexx.
have mb2 := le_trans mb (mono _ _ up).
by case: (boolP (k' <= enough best2)) => k2; apply: IH => //; rewrite ?(le_trans b0) // le_maxl mb2.
Qed.
End Search.
