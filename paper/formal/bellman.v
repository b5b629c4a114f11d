(* Discounted sums along a finite Markov chain: f = g + gamma E f has one solution, and so has its adjoint.
   No limits: over any ordered field the solution is the value to which the finite sums tend, solve_partial. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* An injective matrix solves every equation. *)
Section Linear.
Variables (R : realFieldType) (Z : finType) (a : Z -> Z -> R).

Definition times (f : {ffun Z -> R^o}) : {ffun Z -> R^o} := [ffun z => \sum_w a z w * f w].
Lemma times_linear : linear times.
Proof.
move=> c f g; apply/ffunP=> z; rewrite !ffunE scaler_sumr -big_split; apply: eq_bigr => w _.
by rewrite !ffunE /= mulrDr; congr (_ + _); rewrite -[_ *: f w]/(c * f w) -[_ *: _]/(c * _) mulrCA.
Qed.
Canonical times_lin := Linear times_linear.
Definition inverse (g : Z -> R) : Z -> R := (linfun times)^-1%VF [ffun z => g z].

Hypothesis inj : forall f : Z -> R, (forall z, \sum_w a z w * f w = 0) -> forall z, f z = 0.

Lemma inverseK g z : \sum_w a z w * inverse g w = g z.
Proof.
have ker0 : lker (linfun times) == 0%VS.
  rewrite -subv0; apply/subvP=> f; rewrite memv_ker lfunE memv0 => /eqP/ffunP f0.
  apply/eqP/ffunP=> w; rewrite ffunE; apply: inj => y; by move: (f0 y); rewrite !ffunE.
by have /ffunP/(_ z) := lker0_lfunVK ker0 [ffun z => g z : R^o]; rewrite lfunE /= !ffunE.
Qed.
End Linear.

Section Bellman.
Variables (R : realFieldType) (Z : finType) (gamma : R) (k : Z -> Z -> R).
Hypothesis g01 : 0 <= gamma < 1.
Hypothesis k_law : forall z, law (k z).
Implicit Types (f g : Z -> R) (b : R).

Definition E f z := mean (k z) f.
Definition bellman g f z := g z + gamma * E f z.

Lemma g_ge0 : 0 <= gamma. Proof. by case/andP: g01. Qed.
Lemma d_gt0 : 0 < 1 - gamma. Proof. by rewrite subr_gt0; case/andP: g01. Qed.
Lemma d_neq0 : 1 - gamma != 0. Proof. by rewrite gt_eqF ?d_gt0. Qed.

(* What is at most b plus gamma times its own mean is at most b / (1 - gamma). *)
Lemma sub_solution f b : (forall z, f z <= b + gamma * E f z) -> forall z, f z <= b / (1 - gamma).
Proof.
move=> fb z; have [m _ mP] := @arg_maxP _ _ _ z xpredT f isT.
apply: le_trans (mP z isT) _; rewrite ler_pdivl_mulr ?d_gt0 // mulrBr mulr1 ler_subl_addr.
apply: le_trans (fb m) _; rewrite ler_add2l mulrC ler_wpmul2r ?g_ge0 //.
by apply: mean_le => // w _; apply: mP.
Qed.

Lemma super_solution f b : (forall z, b + gamma * E f z <= f z) -> forall z, b / (1 - gamma) <= f z.
Proof.
move=> fb z; rewrite -ler_opp2 -mulNr.
apply: (@sub_solution (fun w => - f w) (- b)) => w.
by rewrite /E meanN mulrN -opprD ler_opp2; apply: fb.
Qed.

Lemma fixed_eq g f f' : f =1 bellman g f -> f' =1 bellman g f' -> f =1 f'.
Proof.
move=> fE f'E z; suff d x y : x =1 bellman g x -> y =1 bellman g y -> x z <= y z.
  by apply/eqP; rewrite eq_le !d.
move=> xE yE; rewrite -subr_le0 -(mul0r (1 - gamma)^-1); apply: (@sub_solution (fun w => x w - y w)) => w.
by rewrite /E meanB {1}xE {1}yE /bellman opprD addrACA subrr !add0r mulrBr.
Qed.

Definition solve : (Z -> R) -> Z -> R := inverse (fun z w => (z == w)%:R - gamma * k z w).

Lemma minus f z : \sum_w ((z == w)%:R - gamma * k z w) * f w = f z - gamma * E f z.
Proof.
under eq_bigr do rewrite mulrBl -mulrA; rewrite sumrB -mulr_sumr; congr (_ - _).
rewrite (bigD1 z) //= eqxx mul1r big1 ?addr0 // => w /negPf; by rewrite eq_sym => ->; rewrite mul0r.
Qed.

(* There is a solution, ... *)
Theorem solveE g : solve g =1 bellman g (solve g).
Proof.
move=> z; apply/eqP; rewrite -subr_eq -minus; apply/eqP; apply: inverseK => f f0.
apply: (@fixed_eq (fun _ => 0)) => w; rewrite /bellman add0r.
  by apply/eqP; rewrite -subr_eq0 -minus f0.
by rewrite /E mean_const // mulr0.
Qed.

(* ... only one, ... *)
Theorem solve_unique g f : f =1 bellman g f -> f =1 solve g.
Proof. by move=> fE; apply: (fixed_eq fE); apply: solveE. Qed.

(* ... and it lies where a discounted sum of numbers in [a, b] must lie. *)
Lemma solve_bounds a b g : (forall z, a <= g z <= b) ->
  forall z, a / (1 - gamma) <= solve g z <= b / (1 - gamma).
Proof.
move=> gab z; apply/andP; split; [apply: super_solution | apply: sub_solution] => w;
  by rewrite [solve g w]solveE ler_add2r; case/andP: (gab w).
Qed.

Fixpoint run t f : Z -> R := if t is t'.+1 then E (run t' f) else f.

Lemma eq_run t f g : f =1 g -> run t f =1 run t g.
Proof. by move=> fg; elim: t => //= t IH z; apply: eq_mean. Qed.

Lemma run_bounds a b t g : (forall z, a <= g z <= b) -> forall z, a <= run t g z <= b.
Proof.
move=> gab; elim: t => //= t IH z.
by rewrite mean_ge ?mean_le // => w _; case/andP: (IH w).
Qed.

(* The sum of the first T terms gamma^t E g(t), and what is left. *)
Lemma solve_partial T g z :
  solve g z = \sum_(t < T) gamma ^+ t * run t g z + gamma ^+ T * run T (solve g) z.
Proof.
elim: T => [|T IH]; first by rewrite big_ord0 add0r mul1r.
rewrite big_ord_recr /= IH -addrA; congr (_ + _).
rewrite exprSr -mulrA -mulrDr; congr (_ * _); elim: T {IH} z => [|T IH] z; first exact: solveE.
by rewrite /= /E -meanZ -meanD; apply: eq_mean.
Qed.

(* The discounted law of the states: pi = (1 - gamma) mu + gamma pi k. *)
Definition occupancy (mu : Z -> R) : Z -> R :=
  inverse (fun w z => (z == w)%:R - gamma * k z w) (fun z => (1 - gamma) * mu z).

Lemma adjoint f w : \sum_z ((z == w)%:R - gamma * k z w) * f z = f w - gamma * mean f (k ^~ w).
Proof.
under eq_bigr do rewrite mulrBl -mulrA; rewrite sumrB -mulr_sumr; congr (_ - _ * _).
  rewrite (bigD1 w) //= eqxx mul1r big1 ?addr0 // => z /negPf ->; by rewrite mul0r.
by apply: eq_bigr => z _; rewrite mulrC.
Qed.

Lemma push_norm f : \sum_w `|mean f (k ^~ w)| <= \sum_z `|f z|.
Proof.
apply: le_trans (_ : \sum_w \sum_z `|f z| * k z w <= _).
  apply: ler_sum => w _; apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum => z _.
  by rewrite normrM [`|k _ _|]ger0_norm //; case: (k_law z).
rewrite exchange_big; apply: ler_sum => z _.
by rewrite -mulr_sumr (proj2 (k_law z)) mulr1.
Qed.

Lemma adjoint_inj f : (forall w, \sum_z ((z == w)%:R - gamma * k z w) * f z = 0) -> forall z, f z = 0.
Proof.
move=> f0; have fE w : f w = gamma * mean f (k ^~ w) by apply/eqP; rewrite -subr_eq0 -adjoint f0.
have S0 : \sum_z `|f z| <= 0.
  rewrite -(pmulr_rle0 _ d_gt0) mulrBl mul1r subr_le0.
  rewrite {1}(eq_bigr (fun w => gamma * `|mean f (k ^~ w)|)) => [|w _]; last first.
    by rewrite {1}fE normrM ger0_norm ?g_ge0.
  by rewrite -mulr_sumr ler_wpmul2l ?g_ge0 ?push_norm.
move=> z; apply/eqP; rewrite -normr_eq0 eq_le normr_ge0 andbT; apply: le_trans S0.
by rewrite (bigD1 z) //= ler_addl sumr_ge0.
Qed.

Section Occupancy.
Variable mu : Z -> R.
Hypothesis mu_law : law mu.
Let pi := occupancy mu.

Theorem occupancyE w : pi w = (1 - gamma) * mu w + gamma * mean pi (k ^~ w).
Proof.
apply/eqP; rewrite -subr_eq -adjoint; apply/eqP.
exact: (inverseK adjoint_inj (fun z => (1 - gamma) * mu z)).
Qed.

Theorem occupancy_unique f : (forall w, f w = (1 - gamma) * mu w + gamma * mean f (k ^~ w)) -> f =1 pi.
Proof.
move=> fE w; apply/eqP; rewrite -subr_eq0; apply/eqP.
apply: (adjoint_inj (f := fun w => f w - pi w)) => {}w; rewrite adjoint {1}fE {1}occupancyE.
by rewrite opprD addrACA subrr add0r -mulrBr -[X in _ - _ * X]/(mean _ _) /mean -sumrB;
   under [in X in _ - X]eq_bigr do rewrite mulrBl; rewrite subrr.
Qed.

Theorem occupancy_law : law pi.
Proof.
have sumE : \sum_w pi w = 1.
  have : \sum_w pi w = (1 - gamma) + gamma * \sum_w pi w.
    rewrite {1}(eq_bigr _ (fun w _ => occupancyE w)) big_split -!mulr_sumr (proj2 mu_law) mulr1.
    rewrite /mean exchange_big; congr (_ + _ * _); apply: eq_bigr => z _.
    by rewrite -mulr_sumr (proj2 (k_law z)) mulr1.
  move/eqP; rewrite -subr_eq -{1}[\sum_w _]mul1r -mulrBl -{2}[1 - gamma]mulr1 => /eqP.
  by apply: (mulfI d_neq0).
split=> // z; have le1 : \sum_z `|pi z| <= 1.
  rewrite -(ler_pmul2l d_gt0) mulr1 mulrBl mul1r ler_subl_addr.
  apply: le_trans (_ : \sum_w ((1 - gamma) * mu w + gamma * `|mean pi (k ^~ w)|) <= _).
    apply: ler_sum => w _; rewrite {1}occupancyE; apply: le_trans (ler_norm_add _ _) _.
    rewrite !normrM (ger0_norm (ltW d_gt0)) (ger0_norm g_ge0) [`|mu w|]ger0_norm //; by case: mu_law.
  by rewrite big_split -!mulr_sumr (proj2 mu_law) mulr1 ler_add2l ler_wpmul2l ?g_ge0 ?push_norm.
suff : `|pi z| - pi z <= 0 by rewrite subr_le0; apply: le_trans.
apply: le_trans (_ : \sum_z (`|pi z| - pi z) <= _); last by rewrite sumrB sumE subr_le0.
by rewrite (bigD1 z) //= ler_addl sumr_ge0 // => w _; rewrite subr_ge0 ler_norm.
Qed.

(* The two solutions are adjoint: (1 - gamma) E_mu sum_t gamma^t g(t) = E_pi g. *)
Lemma occupancy_solve g : mean pi g = (1 - gamma) * mean mu (solve g).
Proof.
rewrite (eq_mean _ (g := fun z => solve g z - gamma * E (solve g) z)); last first.
  by move=> z; apply/eqP; rewrite eq_sym subr_eq; apply/eqP; exact: solveE.
rewrite meanB meanZ /E mean_mean {1}/mean.
under eq_bigr do rewrite occupancyE mulrDl -mulrA.
rewrite big_split -mulr_sumr -[RHS]addr0 -addrA; congr (_ + _).
by under eq_bigr do rewrite -mulrA; rewrite -mulr_sumr subrr.
Qed.
End Occupancy.
End Bellman.
