(* The relay attains Lemma 3 at every agent i and every kappa < i, for every length, gamma and rbar. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model lemma3.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Agents 0, ..., n on a path with one bit each; agent i copies agent i - 1, agent 0 keeps its bit; r_i = rbar s_i. *)
Section Relay.
Variables (R : realFieldType) (n : nat) (rbar gamma : R).
Hypotheses (rbar0 : 0 <= rbar) (gamma01 : 0 <= gamma < 1).

Definition path_edge : rel 'I_n.+1 := fun i j => [|| i == j, i.+1 == j :> nat | j.+1 == i :> nat].
Lemma path_refl : reflexive path_edge. Proof. by move=> i; rewrite /path_edge eqxx. Qed.
Lemma path_sym : symmetric path_edge.
Proof. by move=> i j; rewrite /path_edge eq_sym [X in _ || X]orbC. Qed.
Definition path := Network (fun _ => bool_finType) (fun _ => unit_finType) path_refl path_sym.

Definition prev (i : 'I_n.+1) : 'I_n.+1 := inord i.-1.
Lemma prevE i : prev i = i.-1 :> nat.
Proof. by rewrite inordK // ltnS (leq_trans (leq_pred i)) // -ltnS. Qed.

Definition copy (i : path) (z : joint path) (s' : bool) : R := (s' == z.1 (prev i))%:R.
Definition bit (i : path) (z : joint path) : R := rbar * (z.1 i)%:R.
Definition start (s : states path) : R := (s == [ffun=> false])%:R.

Lemma copy_law i z : law (copy i z). Proof. exact: point_law. Qed.
Lemma bit_range i z : 0 <= bit i z <= rbar.
Proof. by rewrite /bit; case: (z.1 i); rewrite ?mulr1 ?mulr0 ?lexx ?rbar0. Qed.
Lemma start_law : law start. Proof. exact: point_law. Qed.

Definition relay : mdp R path := @Mdp R path copy bit start rbar gamma copy_law bit_range start_law gamma01.

Lemma relay_local : local relay.
Proof.
move=> i; split=> [s' z w [zs _]|z w [zs _]]; last by rewrite /= /bit (zs i) /=.
rewrite /= /copy (zs (prev i)) // -[N _ _]/(path_edge i (prev i)) /path_edge prevE.
by case: (posnP i) => [i0|/prednK ->]; rewrite ?eqxx ?orbT // -val_eqE /= prevE i0.
Qed.

(* The only policy there is *)
Lemma idle_law (i : path) (s : bool) : law (fun _ : unit => 1 : R).
Proof. by split=> [_|]; rewrite ?ler01 // (big_pred1 tt) // => -[]. Qed.
Definition idle : policy R path := Policy (zeta := fun i s a => 1) idle_law.

Section Values.
Variable theta : policy R path.

Definition at_rest (s : states path) : joint path := (s, [ffun=> tt]).
Definition shift (s : states path) : states path := [ffun i => s (prev i)].

Lemma act_relay f s : act theta f s = f (at_rest s).
Proof.
apply: mean_point; first exact: choice_law.
rewrite /choice /prod big1 // => i _; have := proj2 (@zeta_law _ _ theta i (s i)).
by rewrite (big_pred1 tt) => [|[]] //; rewrite ffunE.
Qed.

Lemma Q_relay i s : Q relay theta i (at_rest s) = rbar * (s i)%:R + gamma * Q relay theta i (at_rest (shift s)).
Proof.
rewrite QE /V (mean_point _ (x := shift s)) ?act_relay //; first exact: next_law.
by rewrite /next /prod big1 // => j _; rewrite /= /copy /shift ffunE eqxx.
Qed.

(* The bits of agents 0, ..., c - 1 are on; a step later those of agents 0, ..., c. *)
Definition front (c : nat) : states path := [ffun i : 'I_n.+1 => (i < c)%N].
Lemma shift_front c : (0 < c)%N -> shift (front c) = front c.+1.
Proof.
move=> c0; apply/ffunP=> i; rewrite !ffunE prevE.
by case: (i : nat) => //=; rewrite c0.
Qed.

Let d_neq0 : 1 - gamma != 0. Proof. by rewrite subr_eq0 gt_eqF //; case/andP: gamma01. Qed.
Lemma fixed a x : x = a + gamma * x -> x = a / (1 - gamma).
Proof. by move=> xE; apply: (canRL (mulfK d_neq0)); rewrite mulrBr mulr1 mulrC {1}xE addrK. Qed.

Lemma Q_zero i : Q relay theta i (at_rest (front 0)) = 0.
Proof.
have e : shift (front 0) = front 0 by apply/ffunP=> j; rewrite !ffunE.
by rewrite -(mul0r (1 - gamma)^-1); apply: fixed; rewrite {1}Q_relay e ffunE mulr0.
Qed.

Lemma Q_on (i : 'I_n.+1) c : (i < c)%N -> Q relay theta i (at_rest (front c)) = rbar / (1 - gamma).
Proof.
elim: {c}(n.+1 - c)%N {-2}c (erefl (n.+1 - c)%N) => [|m IH] c cm ic.
  have e : shift (front c) = front c.
    move/eqP: cm; rewrite subn_eq0 => nc; apply/ffunP=> j; rewrite !ffunE.
    by rewrite !(leq_trans (ltn_ord _) nc).
  by apply: fixed; rewrite {1}Q_relay e ffunE ic mulr1.
rewrite Q_relay shift_front ?IH ?ffunE ?ic ?mulr1 //; last 3 first.
- by rewrite subnS cm.
- exact: leqW.
- exact: leq_trans ic.
by rewrite mulrCA -{1}[rbar]mulr1 -mulrDr -{1}(divff d_neq0) -mulrDl subrK mul1r.
Qed.

Lemma Q_off (i : 'I_n.+1) d : (d <= i)%N -> Q relay theta i (at_rest (front (i.+1 - d))) = rbar * gamma ^+ d / (1 - gamma).
Proof.
elim: d => [|d IH] di; first by rewrite subn0 Q_on // mulr1.
rewrite subSS Q_relay shift_front ?subn_gt0 // -subSn 1?ltnW // IH 1?ltnW // ffunE ltnNge leq_subr mulr0 add0r.
by rewrite exprS !mulrA [gamma * rbar]mulrC.
Qed.

Lemma ball_reach (i j : 'I_n.+1) k : ball (i : path) k j -> (i <= j + k)%N.
Proof.
elim: k j => [|k IH] j /=; first by move/eqP->; rewrite addn0.
case/existsP=> l /andP[/IH il lj]; rewrite addnS; apply: leq_trans il _.
rewrite -addSn leq_add2r; case/or3P: lj => /eqP; [by move->|by move <-; apply/leqW/leqnSn|by move=> ->].
Qed.

Theorem relay_tight (i : 'I_n.+1) kappa : (kappa < i)%N ->
  D relay theta i kappa = rbar * gamma ^+ kappa.+1 / (1 - gamma).
Proof.
move=> ki; apply/eqP; rewrite eq_le (lemma3_D theta i kappa relay_local) /=.
have cell : same_cell (i : path) kappa (at_rest (front (i - kappa))) (at_rest (front 0)).
  by split=> j /ball_reach ij; rewrite !ffunE // ltnNge leq_subLR addnC ij.
have := D_ge relay theta cell; rewrite Q_zero subr0 -subSS Q_off // => /(le_trans _); apply.
exact: ler_norm.
Qed.
End Values.
End Relay.
