(* A cell that is written with chance at most p a step, given any past, is unwritten after T steps with chance at least
   (1-p)^T, whatever the policy and whatever is learned from the run. With equality where p is that chance. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Unwritten.
Variables (R : realFieldType) (Z : finType) (k : Z -> Z -> R) (cell : pred Z) (p : R).
Hypothesis k_law : forall z, law (k z).

(* From z, the chance that none of the next T states of the chain is in the cell. *)
Fixpoint unwritten T z : R := if T is t.+1 then mean (k z) (fun w => (~~ cell w)%:R * unwritten t w) else 1.

Definition hit z := mean (k z) (fun w => (cell w)%:R).

Lemma missed z c : mean (k z) (fun w => (~~ cell w)%:R * c) = (1 - hit z) * c.
Proof.
have -> : 1 - hit z = mean (k z) (fun w => 1 - (cell w)%:R) by rewrite meanB mean_const.
by rewrite meanZr; congr (_ * _); apply: eq_mean => w; case: (cell w); rewrite /= ?subrr ?subr0.
Qed.

Theorem unwritten_ge T z : p <= 1 -> (forall w, hit w <= p) -> (1 - p) ^+ T <= unwritten T z.
Proof.
move=> p1 small; elim: T z => [|T IH] z; first by rewrite expr0.
have q0 : 0 <= 1 - p by rewrite subr_ge0.
apply: (@le_trans _ _ (mean (k z) (fun w => (~~ cell w)%:R * (1 - p) ^+ T))).
  by rewrite missed exprS ler_wpmul2r ?exprn_ge0 // ler_add2l ler_opp2.
apply: le_mean => // w _; case: (cell w); rewrite ?mul0r //= !mul1r; exact: IH.
Qed.

Theorem unwritten_tight T z : (forall w, hit w = p) -> unwritten T z = (1 - p) ^+ T.
Proof.
move=> every; elim: T z => [|T IH] z; first by rewrite expr0.
by rewrite exprS -{1}(every z) -missed /=; apply: eq_mean => w; rewrite IH.
Qed.
End Unwritten.
