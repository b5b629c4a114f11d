(* Eqs. (5)-(6): a truncated Q-function is within the decay gap of Q_i, whatever its weights. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone lemma3.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* w z y: the weight of y in the cell of z; non-negative, eq. (6), zero outside the cell, the same for all z of a cell *)
Definition weights (R : realFieldType) (G : network) i kappa (w : joint G -> joint G -> R) :=
  [/\ forall z, law (w z), forall z y, w z y != 0 -> same_cell i kappa z y
    & forall z y, same_cell i kappa z y -> w z =1 w y].

(* There are such weights: the uniform ones. *)
Lemma uniform_weights (R : realFieldType) (G : network) i kappa : weights i kappa
  (fun z y : joint G => (same_cellb i kappa z y)%:R / #|same_cellb i kappa z|%:R : R).
Proof.
have same (z y : joint G) : same_cell i kappa z y -> same_cellb i kappa z =1 same_cellb i kappa y.
  move=> [zs za] x; apply/same_cellP/same_cellP=> -[xs xa]; split=> j Bj;
    by rewrite -?xs -?xa ?(zs j Bj) ?(za j Bj).
split=> [z|z y|z y /same zy x]; first split=> [y|].
- by rewrite divr_ge0 ?ler0n.
- rewrite -mulr_suml (_ : \sum_y _ = #|same_cellb i kappa z|%:R) ?divff //.
    by rewrite pnatr_eq0 -lt0n; apply/card_gt0P; exists z; apply/same_cellP.
  by rewrite -sum1_card natr_sum [RHS]big_mkcond; apply: eq_bigr => y _; rewrite -[y \in _]/(same_cellb i kappa z y); case: ifP.
- by case: same_cellP => // _; rewrite mul0r eqxx.
- by rewrite zy (eq_card zy).
Qed.

Section Truncation.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (i : G) (kappa : nat).
Variable w : joint G -> joint G -> R.
Hypothesis w_ok : weights i kappa w.

(* eq. (5) *)
Definition Q_hat z : R := mean (w z) (Q M theta i).

Lemma Q_hat_cell : depends (ball i kappa) (ball i kappa) Q_hat.
Proof. by case: w_ok => _ _ ww z y zy; apply: eq_bigr => x _; rewrite (ww _ _ zy). Qed.

Theorem truncation_gap gap z :
  (forall y, same_cell i kappa z y -> `|Q M theta i z - Q M theta i y| <= gap) -> `|Q_hat z - Q M theta i z| <= gap.
Proof.
case: w_ok => wl wc _ zgap; rewrite -[X in _ - X](mean_const _ (wl z)) -meanB.
by apply: mean_norm => // y /wc zy; rewrite distrC zgap.
Qed.

Corollary truncation_D z : `|Q_hat z - Q M theta i z| <= D M theta i kappa.
Proof. by apply: truncation_gap => y; apply: D_ge. Qed.

Corollary truncation z : local M -> `|Q_hat z - Q M theta i z| <= rbar M * gamma M ^+ kappa.+1 / (1 - gamma M).
Proof. by move=> loc; rewrite mulrAC; apply: truncation_gap => y; apply: lemma3. Qed.
End Truncation.
