(* Two agents with two states and two actions each, given by fractions that compute (Coq's Q), and what a computation
   with them says of the library's model: whatever satisfies Bellman's equation in fractions is Q, q* or D of model.v. *)
From Coq Require Import ZArith QArith Lia.
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model lemma3 truncation td_fixed_point.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.
Notation fraction := QArith_base.Q.

(* Fractions as elements of any ordered field *)
Section Fractions.
Variable R : realFieldType.

Definition of_Z (z : Z) : R := (Z.to_nat z)%:R - (Z.to_nat (Z.opp z))%:R.
Definition of_Q (q : fraction) : R := of_Z (Qnum q) / of_Z (Zpos (Qden q)).

Lemma of_ZE z m n : z = Z.sub (Z.of_nat m) (Z.of_nat n) -> of_Z z = m%:R - n%:R.
Proof.
move=> zE; have e : (Z.to_nat z + n = m + Z.to_nat (Z.opp z))%N by rewrite -!plusE; lia.
by apply/eqP; rewrite /of_Z subr_eq addrAC eq_sym subr_eq -!natrD e.
Qed.

Lemma of_ZD x y : of_Z (Z.add x y) = of_Z x + of_Z y.
Proof.
rewrite (@of_ZE _ (Z.to_nat x + Z.to_nat y) (Z.to_nat (Z.opp x) + Z.to_nat (Z.opp y))); last by rewrite -!plusE; lia.
by rewrite !natrD /of_Z opprD addrACA.
Qed.

Lemma of_ZN x : of_Z (Z.opp x) = - of_Z x.
Proof. by rewrite /of_Z Z.opp_involutive opprB. Qed.

Lemma of_ZM x y : of_Z (Z.mul x y) = of_Z x * of_Z y.
Proof.
rewrite (@of_ZE _ (Z.to_nat x * Z.to_nat y + Z.to_nat (Z.opp x) * Z.to_nat (Z.opp y))
                  (Z.to_nat x * Z.to_nat (Z.opp y) + Z.to_nat (Z.opp x) * Z.to_nat y)); last first.
  rewrite -!plusE -!multE !Nat2Z.inj_add !Nat2Z.inj_mul.
    have: x = Z.sub (Z.of_nat (Z.to_nat x)) (Z.of_nat (Z.to_nat (Z.opp x))) by lia.
  have: y = Z.sub (Z.of_nat (Z.to_nat y)) (Z.of_nat (Z.to_nat (Z.opp y))) by lia.
  move: (Z.of_nat (Z.to_nat y)) (Z.of_nat (Z.to_nat (Z.opp y))) (Z.of_nat (Z.to_nat x)) (Z.of_nat (Z.to_nat (Z.opp x))).
  by move=> c d a b -> ->; ring.
by rewrite /of_Z !natrD !natrM mulrBl !mulrBr opprB opprD addrACA.
Qed.

Lemma of_pos_neq0 p : of_Z (Zpos p) != 0.
Proof. by have [m pm] := Pos2Nat.is_succ p; rewrite (@of_ZE _ m.+1 0) ?subr0 ?pnatr_eq0 //; lia. Qed.

Lemma of_QD x y : of_Q (Qplus x y) = of_Q x + of_Q y.
Proof. by rewrite /of_Q /= of_ZD !of_ZM Pos2Z.inj_mul of_ZM addf_div ?of_pos_neq0. Qed.

Lemma of_QM x y : of_Q (Qmult x y) = of_Q x * of_Q y.
Proof. by rewrite /of_Q /= of_ZM Pos2Z.inj_mul of_ZM mulf_div. Qed.

Lemma of_QN x : of_Q (Qopp x) = - of_Q x.
Proof. by rewrite /of_Q /= of_ZN mulNr. Qed.

Lemma of_QB x y : of_Q (Qminus x y) = of_Q x - of_Q y.
Proof. by rewrite of_QD of_QN. Qed.

Lemma of_Q_eq x y : Qeq_bool x y -> of_Q x = of_Q y.
Proof.
move/Qeq_bool_iff=> xy; apply/eqP; rewrite /of_Q eqr_div ?of_pos_neq0 //.
by move: xy; rewrite /Qeq -!of_ZM => ->.
Qed.

(* x + y over the least common denominator: that of Qplus is the product, and Qred of a sum of four then takes long. *)
Definition add (x y : fraction) : fraction :=
  let: (_, (a, b)) := Pos.ggcd (Qden x) (Qden y) in
  Qmake (Z.add (Z.mul (Qnum x) (Zpos b)) (Z.mul (Qnum y) (Zpos a))) (Pos.mul (Qden x) b).

Lemma of_QA x y : of_Q (add x y) = of_Q x + of_Q y.
Proof.
rewrite -of_QD; apply/of_Q_eq/Qeq_bool_iff; rewrite /add.
case: (Pos.ggcd _ _) (Pos.ggcd_correct_divisors (Qden x) (Qden y)) => g [a b] [xE yE].
by rewrite /Qeq /= !Pos2Z.inj_mul xE yE !Pos2Z.inj_mul; ring.
Qed.

Lemma of_Q_red x : of_Q (Qred x) = of_Q x.
Proof. by apply/of_Q_eq/Qeq_bool_iff/Qred_correct. Qed.

Lemma of_Z_ge0 z : Z.le 0 z -> 0 <= of_Z z.
Proof. by move=> z0; rewrite (@of_ZE _ (Z.to_nat z) 0) ?subr0 ?ler0n //; lia. Qed.

Lemma of_Q_ge0 x : Qle_bool 0 x -> 0 <= of_Q x.
Proof. by move/Qle_bool_iff=> x0; rewrite /of_Q divr_ge0 ?of_Z_ge0 //; move: x0; rewrite /Qle /=; lia. Qed.

Lemma of_Q_le x y : Qle_bool x y -> of_Q x <= of_Q y.
Proof.
move/Qle_bool_iff=> xy; rewrite -subr_ge0 -of_QB; apply/of_Q_ge0/Qle_bool_iff.
by move: xy; rewrite Qle_minus_iff.
Qed.

Lemma of_Q_lt x y : ~~ Qle_bool y x -> of_Q x < of_Q y.
Proof.
move=> yx; have/Qlt_minus_iff xy : Qlt x y by apply/Qnot_le_lt=> /Qle_bool_iff; apply/negP.
rewrite -subr_gt0 -of_QB /of_Q divr_gt0 //; last by rewrite lt0r of_pos_neq0 of_Z_ge0.
case E: (Qnum (Qminus y x)) => [|p|p]; last 2 [by rewrite lt0r of_pos_neq0 of_Z_ge0]; move: xy; rewrite /Qlt -/(Qminus y x) E /=; lia.
Qed.

Lemma of_Q0 : of_Q (Qmake Z0 1) = 0. Proof. by rewrite /of_Q /of_Z /= subrr mul0r. Qed.
Lemma of_Q1 : of_Q (Qmake (Zpos 1) 1) = 1. Proof. by rewrite /of_Q divff // of_pos_neq0. Qed.
End Fractions.

(* Agents false and true (0 and 1), each the other's neighbor. *)
Definition pair : network :=
  Network (agent := bool_finType) (N := fun _ _ => true) (fun _ => bool_finType) (fun _ => bool_finType)
    (fun _ => erefl) (fun _ _ => erefl).
Definition two (a b : bool) : {dffun forall i : pair, bool_finType} := [ffun i : bool => if i then b else a].

Lemma sum_two (R : realFieldType) (F : {dffun forall i : pair, bool_finType} -> R) :
  \sum_s F s = F (two true true) + F (two true false) + (F (two false true) + F (two false false)).
Proof.
rewrite (reindex (fun x : bool * bool => two x.1 x.2)) /=.
  by rewrite -(pair_bigA _ (fun a b => F (two a b))) /= !big_bool.
exists (fun s : {dffun forall i : pair, bool_finType} => (s false, s true)) => [[a b] _|s _]; first by rewrite !ffunE.
by apply/ffunP=> -[]; rewrite ffunE.
Qed.

(* A model in fractions, its tables in the order of the indices: P(s_i' = 1 | s_0, s_1, a_i) by (i, s_0, s_1, a_i),
   r_i(s_i, a_i) by (i, s_i, a_i), zeta_i(1 | s_i) by (i, s_i). *)
Record tables := Tables { kernel : seq fraction; reward : seq fraction; discount : fraction; choose : seq fraction }.
Definition at_index (t : seq fraction) (bits : seq bool) : fraction :=
  nth (Qmake 0 1) t (foldl (fun n b => n.*2 + nat_of_bool b)%N 0%N bits).
Definition side (q : fraction) (b : bool) : fraction := if b then q else Qminus (Qmake 1 1) q.
Definition values := bool -> bool -> bool -> bool -> fraction.   (* of (s_0, s_1, a_0, a_1) *)

(* E f(X, Y), X and Y independent bits; f is computed where its weight is not 0. *)
Definition weighted w (f : bool -> bool -> fraction) a b : fraction := if Qnum w is Z0 then Qmake 0 1 else Qmult w (f a b).
Definition mean2 (p q : fraction) (f : bool -> bool -> fraction) : fraction :=
  let term a b := weighted (Qmult (side p a) (side q b)) f a b in
  Qred (add (add (term true true) (term true false)) (add (term false true) (term false false))).

Section Tables.
Variable m : tables.
Definition one (i s t a : bool) := at_index (kernel m) [:: i; s; t; a].
Definition pays (i s a : bool) := at_index (reward m) [:: i; s; a].
Definition acts (i s : bool) := at_index (choose m) [:: i; s].

(* E[f(s', a') | s, a], and the right side of Bellman's equation *)
Definition act2 (f : values) s t := mean2 (acts false s) (acts true t) (f s t).
Definition next2 (f : values) s t a b := mean2 (one false s t a) (one true s t b) (act2 f).
Definition bellman2 (i : bool) (f : values) s t a b : fraction :=
  Qplus (if i then pays i t b else pays i s a) (Qmult (discount m) (next2 f s t a b)).

Definition unit_interval q := Qle_bool (Qmake 0 1) q && Qle_bool q (Qmake 1 1).
Definition forall2 (P : bool -> bool -> bool) := P false false && P false true && (P true false && P true true).
Definition forall4 (P : bool -> bool -> bool -> bool -> bool) := forall2 (fun a b => forall2 (P a b)).
Definition is_model : bool :=
  [&& forall4 (fun i s t a => unit_interval (one i s t a)), forall4 (fun i s _ a => unit_interval (pays i s a)),
      forall2 (fun i s => unit_interval (acts i s)) & Qle_bool (Qmake 0 1) (discount m) && ~~ Qle_bool (Qmake 1 1) (discount m)].
Definition solves i (f : values) := forall4 (fun s t a b => Qeq_bool (f s t a b) (bellman2 i f s t a b)).

(* d is the largest |f(z) - f(w)| over z, w of one cell of N_i^0 = {i}. *)
Definition gap_is (i : bool) (f : values) (d : fraction) : bool :=
  let cell (s t a b s' t' a' b' : bool) := if i then (t == t') && (b == b') else (s == s') && (a == a') in
  let within P := forall4 (fun s t a b => forall4 (fun s' t' a' b' =>
    if cell s t a b s' t' a' b' then P (Qminus (f s t a b) (f s' t' a' b')) else true)) in
  within (fun x => Qle_bool x d) && ~~ within (fun x => ~~ Qeq_bool x d).

(* TD's fixed point for agent 0 at kappa = 0, q(s_0, a_0), where s_1 = 1 with probability c(s_0) in its cell *)
Definition bit (b : bool) : fraction := if b then Qmake 1 1 else Qmake 0 1.
Definition td2 (c : bool -> fraction) (q : bool -> bool -> fraction) s a : fraction :=
  Qplus (pays false s a) (Qmult (discount m) (mean2 (bit s) (c s) (fun s1 t => mean2 (bit a) (acts true t)
    (next2 (fun s' _ a' _ => q s' a') s1 t)))).
Definition td_solves c q := forall2 (fun s a => Qeq_bool (q s a) (td2 c q s a)).

(* A stationary law of the states, and the conditional law that it leaves to s_1 *)
Definition sum2 (f : bool -> bool -> fraction) := Qplus (Qplus (f true true) (f true false)) (Qplus (f false true) (f false false)).
Definition stationary2 (mu : bool -> bool -> fraction) :=
  [&& forall2 (fun s t => unit_interval (mu s t)), Qeq_bool (sum2 mu) (Qmake 1 1) &
      forall2 (fun s' t' => Qeq_bool (mu s' t') (sum2 (fun s t => Qmult (mu s t)
        (act2 (fun s t a b => Qmult (side (one false s t a) s') (side (one true s t b) t')) s t))))].
Definition conditional (mu : bool -> bool -> fraction) (c : bool -> fraction) s :=
  unit_interval (c s) && Qeq_bool (Qmult (c s) (Qplus (mu s true) (mu s false))) (mu s true).
End Tables.

Lemma forall2P P : forall2 P -> forall a b, P a b.
Proof. by case/andP=> /andP[? ?] /andP[? ?] [] []. Qed.
Lemma forall4P P : forall4 P -> forall a b c d, P a b c d.
Proof. by move=> /forall2P P4 a b; apply/forall2P/P4. Qed.
Lemma forall4I (P : bool -> bool -> bool -> bool -> bool) : (forall a b c d, P a b c d) -> forall4 P.
Proof. by move=> PP; rewrite /forall4 /forall2 !PP. Qed.

Section Library.
Variables (R : realFieldType) (m : tables).
Hypothesis ok : is_model m.
Let q01 q := unit_interval q.
Let kernel01 i s t a : q01 (one m i s t a). Proof. by case/and4P: ok => /forall4P. Qed.
Let pays01 i s a : q01 (pays m i s a). Proof. by case/and4P: ok => _ /forall4P/(_ i s true a). Qed.
Let acts01 i s : q01 (acts m i s). Proof. by case/and4P: ok => _ _ /forall2P. Qed.
Notation "q %:F" := (of_Q R q) (at level 2, format "q %:F").

Lemma side_law q : q01 q -> law (fun b : bool_finType => (side q b)%:F).
Proof.
case/andP=> q0 q1; split=> [[]|]; first exact: of_Q_ge0.
  by rewrite /= of_QB subr_ge0 of_Q_le.
by rewrite big_bool /= of_QB of_Q1 addrC subrK.
Qed.

(* Two independent bits *)
Definition bits p q : {dffun forall i : pair, bool_finType} -> R :=
  prod (fun (i : pair) (b : bool_finType) => (side (if i then q else p) b)%:F).

Lemma bits_law p q : q01 p -> q01 q -> law (bits p q).
Proof. by move=> p01 q01_; apply: prod_law => -[]; apply: side_law. Qed.

Lemma mean_two p q (F : {dffun forall i : pair, bool_finType} -> R) f : (forall a b, F (two a b) = (f a b)%:F) ->
  mean (bits p q) F = (mean2 p q f)%:F.
Proof.
move=> Ff; rewrite /mean sum_two !Ff /mean2 of_Q_red !of_QA /bits /prod !big_bool /= !ffunE /=.
have weightedE w a b : (weighted w f a b)%:F = w%:F * (f a b)%:F.
  by rewrite /weighted; case E: (Qnum w); rewrite ?of_QM // /of_Q E /of_Z !subrr !mul0r.
by rewrite !weightedE !of_QM; congr (_ + _ + (_ + _)); congr (_ * _); exact: mulrC.
Qed.

Definition P_of (i : pair) (z : joint pair) (s' : state i) : R := (side (one m i (z.1 false) (z.1 true) (z.2 i)) s')%:F.
Definition r_of (i : pair) (z : joint pair) : R := (pays m i (z.1 i) (z.2 i))%:F.
Definition zeta_of (i : pair) (s : state i) (a : action i) : R := (side (acts m i s) a)%:F.
Lemma P_of_law i z : law (@P_of i z). Proof. exact/side_law/kernel01. Qed.
Lemma zeta_of_law i s : law (@zeta_of i s). Proof. exact/side_law/acts01. Qed.
Lemma r_of_range i z : 0 <= r_of i z <= 1.
Proof. by case/andP: (pays01 i (z.1 i) (z.2 i)) => r0 r1; rewrite of_Q_ge0 // -(of_Q1 R) of_Q_le. Qed.
Lemma uniform_law : law (bits (Qmake 1 2) (Qmake 1 2)). Proof. exact: bits_law. Qed.
Lemma discount01 : 0 <= (discount m)%:F < 1.
Proof. by case/and4P: ok => _ _ _ /andP[g0 g1]; rewrite of_Q_ge0 // -(of_Q1 R) of_Q_lt. Qed.

Definition model_of : mdp R pair := Mdp P_of_law r_of_range uniform_law discount01.
Definition policy_of : policy R pair := Policy zeta_of_law.
Definition pair_of s t a b : joint pair := (two s t, two a b).
Definition read (f : values) (z : joint pair) : R := (f (z.1 false) (z.1 true) (z.2 false) (z.2 true))%:F.

Lemma local_of : local model_of.
Proof.
move=> i; split=> [s' z w [zs za]|z w [zs za]]; last by rewrite /= /r_of zs ?za /= ?eqxx.
by rewrite /= /P_of !zs // za /= ?eqxx.
Qed.

Lemma eq_prod_law (p q : forall i : pair, bool_finType -> R) : (forall i b, p i b = q i b) -> prod p =1 prod q.
Proof. by move=> pq s; apply: eq_bigr => i _. Qed.

Lemma eq_mean_law (X : finType) (p q f : X -> R) : p =1 q -> mean p f = mean q f.
Proof. by move=> pq; apply: eq_bigr => x _; rewrite pq. Qed.

Lemma act_of f s t : act policy_of (read f) (two s t) = (act2 m f s t)%:F.
Proof.
rewrite /act2 -(@mean_two _ _ (fun a => read f (two s t, a))) => [|a b]; last by rewrite /read !ffunE.
by apply: eq_mean_law; apply: eq_prod_law => -[] b; rewrite /= /zeta_of ffunE.
Qed.

Lemma next_of f z : mean (next model_of z) (act policy_of (read f)) = read (next2 m f) z.
Proof.
rewrite /read /next2 -(@mean_two _ _ (act policy_of (read f))) => [|s t]; last exact: act_of.
by apply: eq_mean_law; apply: eq_prod_law => -[].
Qed.

(* What solves Bellman's equation in fractions is Q_i. *)
Theorem Q_of (i : pair) f : solves m i f -> forall z, Q model_of policy_of i z = read f z.
Proof.
move/forall4P=> fE z; rewrite -(Q_unique (f := read f)) // => w.
rewrite next_of /read (of_Q_eq _ (fE _ _ _ _)) of_QD of_QM /= /r_of.
by case: i {fE}.
Qed.

(* The largest gap of the table is D_i(0). *)
Theorem D_of (i : pair) f d : solves m i f -> gap_is i f d -> D model_of policy_of i 0 = d%:F.
Proof.
move=> /Q_of Qf /andP[/forall4P le_d at_d]; apply/eqP; rewrite eq_le.
have cellE z w : same_cell i 0 z w <-> (z.1 i == w.1 i) && (z.2 i == w.2 i).
  split=> [[zs za]|/andP[/eqP zs /eqP za]]; first by rewrite zs ?za /= ?eqxx.
  by split=> j /= /eqP->.
have le z w : same_cell i 0 z w -> read f z - read f w <= d%:F.
  move/cellE=> zw; rewrite /read -of_QB; apply: of_Q_le.
  move: (forall4P (le_d (z.1 false) (z.1 true) (z.2 false) (z.2 true)) (w.1 false) (w.1 true) (w.2 false) (w.2 true)).
  by move/implyP; apply; case: i zw {Qf le_d at_d cellE}.
have d0 : 0 <= d%:F by rewrite -(subrr (read f (pair_of true true true true))) le //; apply/cellE; rewrite !eqxx.
apply/andP; split.
  apply: D_le => // z w zw; rewrite !Qf ler_norml ler_oppl opprB !le //.
  exact: alike_sym.
move: at_d; apply: contraR; rewrite -ltNge => lt_d.
have none z w : same_cell i 0 z w -> ~~ Qeq_bool (Qminus (f (z.1 false) (z.1 true) (z.2 false) (z.2 true)) (f (w.1 false) (w.1 true) (w.2 false) (w.2 true))) d.
  move=> zw; apply: contraTN lt_d => /of_Q_eq <-; rewrite -leNgt of_QB -!/(read f _) -!Qf.
  by apply: le_trans (ler_norm _) (D_ge _ _ zw).
apply: forall4I => s t a b; apply: forall4I => s' t' a' b'; case: ifP => // zw.
have := none (pair_of s t a b) (pair_of s' t' a' b'); rewrite /= !ffunE /=; apply; apply/cellE; rewrite /= !ffunE.
by case: i zw {Qf le_d cellE le none lt_d}.
Qed.

Section TD.
Variable c : bool -> fraction.
Hypothesis c01 : forall s, unit_interval (c s).

(* Where agent 0 holds (s, a): its own bits for certain, s_1 by c(s), a_1 by agent 1's policy *)
Definition seen (z y : joint pair) : R :=
  bits (bit (z.1 false)) (c (z.1 false)) y.1 * bits (bit (z.2 false)) (acts m true (y.1 true)) y.2.

Lemma bit01 b : unit_interval (bit b). Proof. by case: b. Qed.
Lemma mean_seen z F : mean (seen z) F = mean (bits (bit (z.1 false)) (c (z.1 false))) (fun s =>
  mean (bits (bit (z.2 false)) (acts m true (s true))) (fun a => F (s, a))).
Proof.
transitivity (\sum_s \sum_a seen z (s, a) * F (s, a)); first by rewrite pair_bigA; apply: eq_bigr => -[s a].
by apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _; rewrite mulrA.
Qed.

Lemma own b d : (side (bit b) d)%:F != 0 -> d = b.
Proof. by case: b d => -[]; rewrite /= /of_Q /of_Z /= ?subrr ?mul0r ?eqxx. Qed.

Lemma seen_weights : weights (G := pair) false 0 seen.
Proof.
have law1 (z : joint pair) := bits_law (bit01 (z.1 false)) (c01 (z.1 false)).
have law2 (z y : joint pair) := bits_law (bit01 (z.2 false)) (acts01 true (y.1 true)).
split=> [z|z y|z y [zs za]].
- split=> [y|]; first by rewrite mulr_ge0 //; [case: (law1 z) | case: (law2 z y)].
  have <- : mean (seen z) (fun _ => 1) = 1; last by apply: eq_bigr => w _; rewrite mulr1.
  rewrite mean_seen (eq_mean _ (g := fun _ => 1)) => [|s]; rewrite mean_const //.
  exact: bits_law (bit01 _) (acts01 _ _).
- rewrite mulf_eq0 negb_or => /andP[/prodf_neq0/(_ false isT) s0 /prodf_neq0/(_ false isT) a0].
  by split=> j /= /eqP->; rewrite ?(own s0) ?(own a0).
- by move=> x; rewrite /seen (zs false) ?(za false).
Qed.

Theorem q_star_of q : td_solves m c q ->
  forall z, q_star model_of policy_of (false : pair) seen z = (q (z.1 false) (z.2 false))%:F.
Proof.
move/forall2P=> qE z; set f := fun s (_ : bool) a (_ : bool) => q s a.
rewrite -[RHS]/(read f z) -(@q_star_unique _ _ model_of policy_of false 0 seen _ (read f)) //; first exact: seen_weights.
move=> w; rewrite /T_m /bellman E_td mean_seen /read (of_Q_eq _ (qE _ _)) of_QD of_QM; congr (_ + _ * _).
symmetry; apply: mean_two => s t; rewrite ffunE; apply: mean_two => a b.
by rewrite /E mean_K (next_of f) /read !ffunE.
Qed.
End TD.

Theorem stationary_of mu : stationary2 m mu -> law (fun s : states pair => (mu (s false) (s true))%:F) /\
  forall s, mean (fun s : states pair => (mu (s false) (s true))%:F) (P_theta model_of policy_of ^~ s) = (mu (s false) (s true))%:F.
Proof.
case/and3P=> /forall2P mu01 mu1 /forall2P muP; split; first split=> [s|].
- by case/andP: (mu01 (s false) (s true)) => mu0 _; apply: of_Q_ge0.
- by rewrite sum_two !ffunE /= -of_Q1 -(of_Q_eq _ mu1) !of_QD.
move=> s; rewrite (of_Q_eq _ (muP _ _)) /mean sum_two !ffunE /= !of_QD !of_QM; set f := fun s t a b => _.
have P_of_s x t : P_theta model_of policy_of (two x t) s = (act2 m f x t)%:F.
  rewrite -act_of /P_theta; apply: eq_mean => a; rewrite /next /prod big_bool /read /f of_QM mulrC.
  by rewrite /= /P_of !ffunE.
by rewrite !P_of_s.
Qed.
End Library.
