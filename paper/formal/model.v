(* Section 2 of the paper: agents on an undirected graph, eq. (1), localized policies, Q_i of eq. (3), pi^theta of Lemma 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

(* Each agent has finite sets S_i and A_i of its own; N i j says that j is in N_i, which includes i. *)
Record network := Network {
  agent :> finType;
  state : agent -> finType;
  action : agent -> finType;
  N : rel agent;
  N_refl : reflexive N;
  N_sym : symmetric N
}.
Arguments state {n}. Arguments action {n}. Arguments N {n}.

Definition states (G : network) := {dffun forall i : G, state i}.
Definition actions (G : network) := {dffun forall i : G, action i}.
Definition joint (G : network) := (states G * actions G)%type.   (* z = (s, a) *)

Section Balls.
Variable G : network.

(* N_i^kappa: what can be reached from i in kappa hops. *)
Definition hop (B : pred G) : pred G := fun k => [exists j, B j && N j k].
Fixpoint ball (i : G) kappa : pred G := if kappa is k.+1 then hop (ball i k) else pred1 i.

Lemma sub_hop (B : pred G) j : B j -> hop B j.
Proof. by move=> Bj; apply/existsP; exists j; rewrite Bj N_refl. Qed.

Lemma hop_mono (B C : pred G) : (forall j, B j -> C j) -> forall j, hop B j -> hop C j.
Proof. by move=> BC j /existsP[k /andP[/BC Ck kj]]; apply/existsP; exists k; rewrite Ck. Qed.

Lemma ball_mono i k l j : (k <= l)%N -> ball i k j -> ball i l j.
Proof. by move/subnK <-; elim: (l - k)%N => // m IH /IH /sub_hop. Qed.

Lemma ball_center i k : ball i k i.
Proof. by apply: (@ball_mono _ 0); rewrite /= ?eqxx. Qed.

Lemma ball_trans i k j l m : ball i k j -> ball j l m -> ball i (k + l) m.
Proof.
move=> ij; elim: l m => [|l IH] m /=; first by move/eqP->; rewrite addn0.
by move=> jm; rewrite addnS; apply: hop_mono jm; apply: IH.
Qed.

(* j in N_i^kappa iff i in N_j^kappa, because the graph is undirected. *)
Lemma ball_sym i k j : ball i k j = ball j k i.
Proof.
have half x y : ball x k y -> ball y k x.
  elim: k x y => [|k IH] x y; first by rewrite /= eq_sym.
  case/existsP=> l /andP[/IH lx ly]; apply: (@ball_trans y 1 l k x) lx.
  by apply/existsP; exists y; rewrite /= eqxx N_sym.
by apply/idP/idP; apply: half.
Qed.

Implicit Types (z w : joint G) (B C : pred G).

(* z and w agree on the states of B and the actions of C. *)
Definition alike B C z w := agree B z.1 w.1 /\ agree C z.2 w.2.
Definition depends B C (V : Type) (f : joint G -> V) := forall z w, alike B C z w -> f z = f w.

(* z and w lie in one cell (s_{N_i^kappa}, a_{N_i^kappa}). *)
Definition same_cell i kappa z w := alike (ball i kappa) (ball i kappa) z w.
Definition same_cellb i kappa z w := [forall j, ball i kappa j ==> (z.1 j == w.1 j) && (z.2 j == w.2 j)].

Lemma same_cellP i kappa z w : reflect (same_cell i kappa z w) (same_cellb i kappa z w).
Proof.
apply: (iffP forallP) => [H|[s a] j]; last by apply/implyP=> Bj; rewrite s ?a ?eqxx.
by split=> j Bj; move/implyP: (H j) => /(_ Bj) /andP[/eqP ? /eqP ?].
Qed.

Lemma alike_sym B C z w : alike B C z w -> alike B C w z.
Proof. by case=> s a; split=> j Bj; rewrite ?(s j Bj) ?(a j Bj). Qed.

Lemma alike_sub (B C B' C' : pred G) z w : (forall j, B' j -> B j) -> (forall j, C' j -> C j) ->
  alike B C z w -> alike B' C' z w.
Proof. by move=> BB CC [s a]; split=> j Bj; [apply/s/BB | apply/a/CC]. Qed.
End Balls.

(* P_i(s_i' | z) for each agent, drawn independently given z = (s, a): the product form of eq. (1). r_i in [0, rbar].
   What P_i and r_i see of z is said by `local` below, and by `coupled` in reward_radius.v. *)
Record mdp (R : realFieldType) (G : network) := Mdp {
  P : forall i : G, joint G -> state i -> R;
  r : forall i : G, joint G -> R;
  pi0 : states G -> R;
  rbar : R;
  gamma : R;
  P_law : forall i z, law (@P i z);
  r_range : forall i z, 0 <= r i z <= rbar;
  pi0_law : law pi0;
  gamma01 : 0 <= gamma < 1
}.
Arguments P {R G} m i z s'.

(* The paper's model: P_i(s_i' | s_{N_i}, a_i) and r_i(s_i, a_i). *)
Definition local (R : realFieldType) (G : network) (M : mdp R G) := forall i : G,
  (forall s', depends (N i) (pred1 i) (fun z => P M i z s')) /\ depends (pred1 i) (pred1 i) (r M i).

(* A localized policy: zeta_i(a_i | s_i). *)
Record policy (R : realFieldType) (G : network) := Policy {
  zeta : forall i : G, state i -> action i -> R;
  zeta_law : forall i s, law (@zeta i s)
}.
Arguments zeta {R G} p i s a.

Section Values.
Variables (R : realFieldType) (G : network) (M : mdp R G) (theta : policy R G).
Implicit Types (z w : joint G) (s : states G) (f : joint G -> R) (i : G).

(* zeta^theta(. | s) and P(. | z), the product laws of actions and of next states *)
Definition choice s : actions G -> R := prod (fun i => zeta theta i (s i)).
Definition next z : states G -> R := prod (fun i => P M i z).

Lemma choice_law s : law (choice s). Proof. by apply: prod_law => i; apply: zeta_law. Qed.
Lemma next_law z : law (next z). Proof. by apply: prod_law => i; apply: P_law. Qed.

(* E_{a ~ zeta(. | s)} f(s, a), and P^theta((s, a), (s', a')), the chain of pairs *)
Definition act f s : R := mean (choice s) (fun a => f (s, a)).
Definition K z w : R := next z w.1 * choice w.1 w.2.

Lemma mean_K z f : mean (K z) f = mean (next z) (act f).
Proof.
transitivity (\sum_s \sum_a next z s * choice s a * f (s, a)).
  by rewrite pair_bigA; apply: eq_bigr => -[s a].
by apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _; rewrite mulrA.
Qed.

Lemma K_law z : law (K z).
Proof.
split=> [w|]; first by rewrite mulr_ge0 //; [case: (next_law z) | case: (choice_law w.1)].
have <- : mean (K z) (fun _ => 1) = 1; last by apply: eq_bigr => w _; rewrite mulr1.
by rewrite mean_K (eq_mean _ (g := fun _ => 1)) => [|s]; [exact: mean_const (next_law z) | exact: mean_const (choice_law s)].
Qed.

(* Q_i^theta, eq. (3): the solution of Q_i(z) = r_i(z) + gamma E[Q_i(z') | z], which exists and is unique (Q_unique). *)
Definition Q i : joint G -> R := solve (gamma M) K (r M i).
Definition V i : states G -> R := act (Q i).

Theorem QE i z : Q i z = r M i z + gamma M * mean (next z) (V i).
Proof. by rewrite -mean_K; apply: solveE; [apply: gamma01 | apply: K_law]. Qed.

Theorem Q_unique i f : (forall z, f z = r M i z + gamma M * mean (next z) (act f)) -> f =1 Q i.
Proof.
by move=> fE; apply: solve_unique; [apply: gamma01 | apply: K_law | move=> z; rewrite fE -mean_K].
Qed.

(* D_i(kappa), the left side of Definition 2: the largest |Q_i(z) - Q_i(w)| over pairs of one cell *)
Definition D i kappa : R :=
  largest (fun x : joint G * joint G => same_cellb i kappa x.1 x.2) (fun x => `|Q i x.1 - Q i x.2|).

Lemma D_ge i kappa z w : same_cell i kappa z w -> `|Q i z - Q i w| <= D i kappa.
Proof. by move/same_cellP=> zw; apply: (@le_largest _ _ _ _ (z, w)). Qed.

Lemma D_le i kappa b : 0 <= b -> (forall z w, same_cell i kappa z w -> `|Q i z - Q i w| <= b) -> D i kappa <= b.
Proof. by move=> b0 zb; apply: largest_le => // -[z w] /same_cellP; apply: zb. Qed.

Lemma bound_ge0 n i : 0 <= rbar M / (1 - gamma M) * gamma M ^+ n.
Proof.
have [s _] := law_ex (pi0_law M); have [a _] := law_ex (choice_law s).
have /andP[r0 r1] := r_range M i (s, a); have /andP[g0 g1] := gamma01 M.
by rewrite mulr_ge0 ?exprn_ge0 ?divr_ge0 ?(le_trans r0 r1) // subr_ge0 ltW.
Qed.

(* E[r_i(t) | z(0) = z]; the first T terms of eq. (3), and a remainder in [0, gamma^T rbar / (1 - gamma)] *)
Definition reward_at t i : joint G -> R := run K t (r M i).

Theorem Q_series T i z : exists rest, 0 <= rest <= rbar M / (1 - gamma M) /\
  Q i z = \sum_(t < T) gamma M ^+ t * reward_at t i z + gamma M ^+ T * rest.
Proof.
exists (run K T (Q i) z); split; last by apply: solve_partial; [apply: gamma01 | apply: K_law].
apply: run_bounds => [|w]; first exact: K_law.
by have := solve_bounds (gamma01 M) K_law (r_range M i) w; rewrite mul0r.
Qed.

(* Two starts: beyond the first n rewards lies a difference of two numbers in [0, gamma^n rbar / (1 - gamma)]. *)
Lemma Q_tail n i z w : `|(Q i z - Q i w) -
    (\sum_(t < n) gamma M ^+ t * reward_at t i z - \sum_(t < n) gamma M ^+ t * reward_at t i w)|
  <= rbar M / (1 - gamma M) * gamma M ^+ n.
Proof.
have [x [/andP[x0 x1] ->]] := Q_series n i z; have [y [/andP[y0 y1] ->]] := Q_series n i w.
rewrite [- (_ + _ * y)]opprD addrACA [X in `|X|]addrC addKr -mulrBr normrM mulrC.
have /andP[g0 _] := gamma01 M; rewrite (ger0_norm (exprn_ge0 _ _)) // ler_wpmul2r ?exprn_ge0 //.
rewrite ler_norml ler_subl_addr ler_subr_addl (le_trans x1) ?ler_addl // andbT.
by apply: le_trans x0; rewrite subr_le0.
Qed.

Lemma Q_close n i z w : (forall t, (t < n)%N -> reward_at t i z = reward_at t i w) ->
  `|Q i z - Q i w| <= rbar M / (1 - gamma M) * gamma M ^+ n.
Proof.
move=> zw; have := Q_tail n i z w.
by under eq_bigr => t _ do rewrite zw //; rewrite subrr subr0.
Qed.

Corollary Q_bounds i z : 0 <= Q i z <= rbar M / (1 - gamma M).
Proof. by have [x [x01 ->]] := Q_series 0 i z; rewrite big_ord0 add0r mul1r. Qed.


(* P^theta(s, s'), the chain of states, and pi^theta = (1 - gamma) sum_t gamma^t pi_t^theta of Lemma 1: the solution of
   pi = (1 - gamma) pi_0 + gamma pi P^theta, which exists, is unique and is a law. *)
Definition P_theta s s' : R := act (fun z => next z s') s.
Definition pi_theta : states G -> R := occupancy (gamma M) P_theta (pi0 M).

Lemma P_theta_law s : law (P_theta s).
Proof. by apply: mean_law => [|a]; [apply: choice_law | apply: next_law]. Qed.

Theorem pi_thetaE s : pi_theta s = (1 - gamma M) * pi0 M s + gamma M * mean pi_theta (P_theta ^~ s).
Proof. exact: (occupancyE (gamma01 M) P_theta_law). Qed.

Theorem pi_theta_unique p :
  (forall s, p s = (1 - gamma M) * pi0 M s + gamma M * mean p (P_theta ^~ s)) -> p =1 pi_theta.
Proof. exact: (occupancy_unique (gamma01 M) P_theta_law). Qed.

Theorem pi_theta_law : law pi_theta.
Proof. exact: (occupancy_law (gamma01 M) P_theta_law (pi0_law M)). Qed.

(* E_{s ~ pi^theta, a ~ zeta^theta(. | s)} *)
Definition E_pi f : R := mean pi_theta (act f).
End Values.

(* Definition 2: the (c, rho)-exponential decay property, for every localized policy *)
Definition exponential_decay (R : realFieldType) (G : network) (M : mdp R G) (c rho : R) :=
  forall (theta : policy R G) i kappa z w, same_cell i kappa z w ->
    `|Q M theta i z - Q M theta i w| <= c * rho ^+ kappa.+1.
