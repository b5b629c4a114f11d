(* Lemma 4: the truncated policy gradient (7) against the policy gradient. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model light_cone lemma3 truncation.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* grad log zeta_i(a | s), a vector with one entry for each k in `param i`; its mean is zero because sum_a zeta_i(a | s) = 1 *)
Record scores (R : realFieldType) (G : network) (theta : policy R G) := Scores {
  param : G -> finType;
  score : forall i : G, state i -> action i -> param i -> R;
  score_mean : forall i s k, mean (zeta theta i s) (fun a => @score i s a k) = 0
}.
Arguments score {R G theta} s i : rename.

Section Lemma4.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Implicit Types (i j : G) (f X : joint G -> R) (Qh : G -> joint G -> R).

(* The law of (s, a): s ~ pi^theta, a ~ zeta^theta(. | s) *)
Definition visits (z : joint G) : R := pi_theta M theta z.1 * choice theta z.1 z.2.

Lemma mean_visits f : mean visits f = E_pi M theta f.
Proof.
transitivity (\sum_s \sum_a pi_theta M theta s * choice theta s a * f (s, a)).
  by rewrite pair_bigA; apply: eq_bigr => -[s a].
by apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _; rewrite mulrA.
Qed.

Lemma visits_law : law visits.
Proof.
split=> [z|]; first by rewrite mulr_ge0 //; [case: (pi_theta_law M theta) | case: (choice_law theta z.1)].
have <- : mean visits (fun _ => 1) = 1; last by apply: eq_bigr => z _; rewrite mulr1.
rewrite mean_visits /E_pi (eq_mean _ (g := fun _ => 1)) => [|s].
  exact: mean_const (pi_theta_law M theta).
exact: mean_const (choice_law theta s).
Qed.

Definition score_at i (z : joint G) : param sc i -> R := score sc i (z.1 i) (z.2 i).

(* Eq. (4), with Q = (1/n) sum_j Q_j of (3); here it is the definition of the gradient. Entry k of its block i: *)
Definition gradient i (k : param sc i) : R :=
  (1 - gamma M)^-1 * E_pi M theta (fun z => #|G|%:R^-1 * (\sum_j Q M theta j z) * score_at z k).

(* Eq. (7) *)
Definition h_hat kappa Qh i (k : param sc i) : R :=
  (1 - gamma M)^-1 * E_pi M theta (fun z => #|G|%:R^-1 * (\sum_(j | ball i kappa j) Qh j z) * score_at z k).

(* A function that does not see a_i is uncorrelated with the score of i. *)
Lemma E_pi_score i (k : param sc i) f : depends predT (predC1 i) f -> E_pi M theta (fun z => f z * score_at z k) = 0.
Proof.
move=> fi; rewrite /E_pi /mean big1 // => s _; rewrite /act /score_at /=.
rewrite (mean_independent (B := predC1 i) (f := fun a => f (s, a)) (g := fun a => score sc i (s i) (a i) k)) => [|j|a b ab|a b ab].
- by rewrite (mean_factor (fun a => score sc i (s i) a k)) ?score_mean ?mulr0 // => j; apply: zeta_law.
- exact: zeta_law.
- by apply: fi; split.
- by rewrite (ab i) //= eqxx.
Qed.

(* For any tables on the cells of N_j^kappa: agents j outside N_i^kappa may be added to (7), as Q_j's table does not see a_i there. *)
Lemma error kappa Qh i (k : param sc i) : (forall j, depends (ball j kappa) (ball j kappa) (Qh j)) ->
  h_hat kappa Qh k - gradient k =
  (1 - gamma M)^-1 * mean visits (fun z => #|G|%:R^-1 * (\sum_j (Qh j z - Q M theta j z)) * score_at z k).
Proof.
move=> Qh_cell; rewrite /h_hat /gradient -!mean_visits -mulrBr -meanB; congr (_ * _).
pose far z := #|G|%:R^-1 * \sum_(j | ~~ ball i kappa j) Qh j z.
have far0 : mean visits (fun z => far z * score_at z k) = 0.
  rewrite mean_visits; apply: E_pi_score => z w [zs za]; congr (_ * _); apply: eq_bigr => j ij.
  apply: Qh_cell; split=> l lj; [exact: zs | apply: za].
  by apply: contraNneq ij => <-; rewrite ball_sym.
rewrite -[LHS]addr0 -[X in _ + X = _]far0 -meanD; apply: eq_mean => z.
rewrite -mulrBl -mulrDl /far -mulrBr -mulrDr; congr (_ * _ * _).
by rewrite sumrB [in RHS](bigID (ball i kappa)) /= addrAC.
Qed.

(* (E[Y X] / (1 - gamma))^2 <= (mean gap / (1 - gamma))^2 E[X^2] with Y = (1/n) sum_j (Qh_j - Q_j), by Cauchy and Schwarz *)
Section Close.
Variables (kappa : nat) (Qh : G -> joint G -> R) (gap : G -> R).
Hypothesis Qh_cell : forall j, depends (ball j kappa) (ball j kappa) (Qh j).
Hypothesis close : forall j z, `|Qh j z - Q M theta j z| <= gap j.

Let Y z := #|G|%:R^-1 * \sum_j (Qh j z - Q M theta j z).
Definition mean_gap : R := #|G|%:R^-1 * \sum_j gap j.

Lemma square_bound X :
  ((1 - gamma M)^-1 * mean visits (fun z => Y z * X z)) ^+ 2 <= (mean_gap / (1 - gamma M)) ^+ 2 * mean visits (fun z => X z ^+ 2).
Proof.
rewrite exprMn [X in _ <= X * _]exprMn [X in _ <= X * _]mulrC -[X in _ <= X]mulrA ler_wpmul2l ?sqr_ge0 //.
apply: le_trans (mean_sqr _ visits_law) _; rewrite -meanZ; apply: (le_mean visits_law) => z _.
rewrite exprMn ler_wpmul2r ?sqr_ge0 // -(@real_normK _ (Y z)) ?num_real //.
have Yz : `|Y z| <= mean_gap.
  rewrite normrM ger0_norm ?invr_ge0 ?ler0n // ler_wpmul2l ?invr_ge0 ?ler0n //.
  by apply: le_trans (ler_norm_sum _ _ _) _; apply: ler_sum.
by rewrite ler_expn2r ?nnegrE ?normr_ge0 // (le_trans _ Yz).
Qed.

Lemma dot_error i (u : param sc i -> R) : dot u (fun k => h_hat kappa Qh k - gradient k) =
  (1 - gamma M)^-1 * mean visits (fun z => Y z * dot u (score_at z)).
Proof.
rewrite /dot; under eq_bigr do rewrite error // mulrCA; rewrite -mulr_sumr; congr (_ * _).
rewrite (eq_mean _ (g := fun z => \sum_k u k * (Y z * score_at z k))) => [|z].
  by rewrite mean_sum; apply: eq_bigr => k _; rewrite meanZ.
by rewrite mulr_sumr; apply: eq_bigr => k _; rewrite mulrCA.
Qed.

(* If E<v, score>^2 <= Lambda |v|^2 for all v, then |h_hat_i - grad_i J|^2 <= Lambda (mean gap / (1 - gamma))^2. *)
Theorem error_norm i Lambda : 0 <= Lambda ->
  (forall v : param sc i -> R, mean visits (fun z => dot v (score_at z) ^+ 2) <= Lambda * norm2 v) ->
  norm2 (fun k => h_hat kappa Qh k - gradient (k : param sc i)) <= Lambda * (mean_gap / (1 - gamma M)) ^+ 2.
Proof.
move=> L0 cov; set v := fun k => _; apply: norm2_le; first by rewrite mulr_ge0 ?sqr_ge0.
have {1}-> : norm2 v = dot v v by apply: eq_bigr => k _; rewrite expr2.
rewrite {2}/v dot_error; apply: le_trans (square_bound _) _.
by rewrite [Lambda * _]mulrC -[X in _ <= X]mulrA ler_wpmul2l ?sqr_ge0.
Qed.

(* In a direction u in which the score is at most L *)
Theorem error_direction i L (u : param sc i -> R) : (forall s a, `|dot u (score sc i s a)| <= L) ->
  `|dot u (fun k => h_hat kappa Qh k - gradient k)| <= mean_gap * L / (1 - gamma M).
Proof.
move=> uL; have [z _] := law_ex visits_law; have L0 : 0 <= L by apply: le_trans (uL (z.1 i) (z.2 i)).
have m0 : 0 <= mean_gap / (1 - gamma M).
  have [_ g1] := andP (gamma01 M); rewrite mulr_ge0 ?mulr_ge0 ?invr_ge0 ?ler0n ?subr_ge0 ?(ltW g1) //.
  by apply: sumr_ge0 => j _; apply: le_trans (close j z).
have b0 := mulr_ge0 m0 L0; rewrite mulrAC -(@ler_pexpn2r _ 2) ?nnegrE // real_normK ?num_real // dot_error.
apply: le_trans (square_bound _) _; rewrite [X in _ <= X]exprMn ler_wpmul2l ?sqr_ge0 //.
apply: (mean_le visits_law) => y _; rewrite -(@real_normK _ (dot u _)) ?num_real //.
by apply: ler_expn2r; rewrite ?nnegrE //; apply: uL.
Qed.

Lemma mean_gap_le b (i : G) : (forall j, gap j <= b) -> mean_gap <= b.
Proof.
move=> gb; rewrite ler_pdivr_mull; last by rewrite ltr0n; apply/card_gt0P; exists i.
by rewrite mulr_natl -sumr_const; apply: ler_sum.
Qed.
End Close.

(* Scores of norm at most L: E<v, score>^2 <= L^2 |v|^2. *)
Lemma score_cov i L (v : param sc i -> R) : (forall s a, norm2 (score sc i s a) <= L ^+ 2) ->
  mean visits (fun z => dot v (score_at z) ^+ 2) <= L ^+ 2 * norm2 v.
Proof.
move=> sL; apply: (mean_le visits_law) => z _; apply: le_trans (cauchy_schwarz _ _) _.
by rewrite mulrC ler_wpmul2r ?norm2_ge0 //; apply: sL.
Qed.
End Lemma4.

(* Tables on the cells that are within eps of Q_j, truncated or not: in every direction u, ... *)
Section Tables.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Variables (kappa : nat) (Qh : G -> joint G -> R) (eps : R) (i : G) (L : R).
Hypothesis Qh_cell : forall j, depends (ball j kappa) (ball j kappa) (Qh j).
Hypothesis close : forall j z, `|Qh j z - Q M theta j z| <= eps.
Let d0 : 0 < 1 - gamma M. Proof. by rewrite subr_gt0; case/andP: (gamma01 M). Qed.

Theorem tables_direction (u : param sc i -> R) : (forall s a, `|dot u (score sc i s a)| <= L) ->
  `|dot u (fun k => h_hat M kappa Qh k - gradient M k)| <= eps * L / (1 - gamma M).
Proof.
move=> uL; have [z _] := law_ex (visits_law M theta); have L0 : 0 <= L by apply: le_trans (uL (z.1 i) (z.2 i)).
apply: le_trans (error_direction Qh_cell close uL) _.
by rewrite ler_wpmul2r ?invr_ge0 ?(ltW d0) // ler_wpmul2r // (mean_gap_le i).
Qed.

(* ... hence in norm, both sides squared. *)
Theorem tables_norm : (forall s a, norm2 (score sc i s a) <= L ^+ 2) ->
  norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param sc i)) <= (eps * L / (1 - gamma M)) ^+ 2.
Proof.
move=> sL; apply: le_trans (error_norm Qh_cell close (sqr_ge0 L) (fun v => score_cov M v sL)) _.
rewrite [eps * L]mulrC -[L * eps / _]mulrA [X in _ <= X]exprMn ler_wpmul2l ?sqr_ge0 //.
have [z _] := law_ex (visits_law M theta); have e0 : 0 <= eps by apply: le_trans (close i z).
have m0 : 0 <= mean_gap (fun _ : G => eps) by rewrite mulr_ge0 ?invr_ge0 ?ler0n ?sumr_ge0.
by rewrite ler_expn2r ?nnegrE ?divr_ge0 ?ler_wpmul2r ?invr_ge0 ?(ltW d0) // (mean_gap_le i).
Qed.
End Tables.

(* Lemma 4: |h_hat_i - grad_i J| <= c L_i rho^(kappa + 1) / (1 - gamma), for any weights w_j of (5)-(6) *)
Section Statement.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Variables (c rho : R) (kappa : nat) (w : G -> joint G -> joint G -> R) (i : G) (L : R).
Hypotheses (decay : exponential_decay M c rho) (w_ok : forall j, weights j kappa (w j)).
Let Qh j := Q_hat M theta j (w j).

Let Qh_cell j : depends (ball j kappa) (ball j kappa) (Qh j). Proof. exact: Q_hat_cell. Qed.
Let close j z : `|Qh j z - Q M theta j z| <= c * rho ^+ kappa.+1.
Proof. by apply: (truncation_gap (w_ok j)) => y; apply: decay. Qed.
Let bound : c * L / (1 - gamma M) * rho ^+ kappa.+1 = c * rho ^+ kappa.+1 * L / (1 - gamma M).
Proof. by rewrite mulrAC [c * L * _]mulrAC. Qed.

Theorem lemma4_direction (u : param sc i -> R) : (forall s a, `|dot u (score sc i s a)| <= L) ->
  `|dot u (fun k => h_hat M kappa Qh k - gradient M k)| <= c * L / (1 - gamma M) * rho ^+ kappa.+1.
Proof. by rewrite bound; apply: tables_direction. Qed.

Theorem lemma4 : (forall s a, norm2 (score sc i s a) <= L ^+ 2) ->
  norm2 (fun k => h_hat M kappa Qh k - gradient M (k : param sc i)) <= (c * L / (1 - gamma M) * rho ^+ kappa.+1) ^+ 2.
Proof. by rewrite bound; apply: tables_norm. Qed.
End Statement.

(* The two right sides that the table of verdicts has: Lemma 3's (c, rho), and the largest gap of this policy *)
Section Readings.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G) (sc : scores theta).
Variables (kappa : nat) (w : G -> joint G -> joint G -> R) (i : G) (L : R).
Hypotheses (w_ok : forall j, weights j kappa (w j)) (sL : forall s a, norm2 (score sc i s a) <= L ^+ 2).

Corollary lemma4_worst_case : local M ->
  norm2 (fun k => h_hat M kappa (fun j => Q_hat M theta j (w j)) k - gradient M (k : param sc i))
  <= (rbar M / (1 - gamma M) * L / (1 - gamma M) * gamma M ^+ kappa.+1) ^+ 2.
Proof. by move=> loc; apply: lemma4 => //; apply: lemma3. Qed.

Corollary lemma4_own_hypothesis gap : (forall j, D M theta j kappa <= gap) ->
  norm2 (fun k => h_hat M kappa (fun j => Q_hat M theta j (w j)) k - gradient M (k : param sc i))
  <= (gap * L / (1 - gamma M)) ^+ 2.
Proof.
move=> D_gap; apply: tables_norm sL => [j|j z]; first exact: Q_hat_cell.
by apply: le_trans (truncation_D M theta (w_ok j) z) (D_gap j).
Qed.
End Readings.
