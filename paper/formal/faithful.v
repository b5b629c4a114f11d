(* Exact values of tables in fractions, by elimination, and two models drawn at random on which what model.v and
   td_fixed_point.v define is computed: Q, V, D and q*. tests/test_formal.py compares them with enumeration in Python. *)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect ssralg ssrnum vector.
From sacrepro Require Import law bellman model truncation td_fixed_point rational.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.

Fixpoint words n : seq (seq bool) := if n is k.+1 then [seq b :: w | b <- [:: false; true], w <- words k] else [:: [::]].

(* x with rows * (x, -1) = 0. Nothing is proved about it: whatever it finds is checked against the equation. *)
Fixpoint eliminate n (rows : seq (seq fraction)) : seq fraction :=
  match n, rows with
  | k.+1, (a :: row) :: rest =>
      let lead r := Qred (Qdiv (head (0#1) r) a) in
      let xs := eliminate k [seq (let c := lead r in [seq Qred (Qminus x.2 (Qmult c x.1)) | x <- zip row (behead r)]) | r <- rest] in
      Qred (Qdiv (Qminus (last (0#1) row) (foldr (fun x y => Qplus (Qmult x.1 x.2) y) (0#1) (zip row xs))) a) :: xs
  | _, _ => [::]
  end.

(* The solution of f = T f for an affine T of functions on words of n bits *)
Definition fixed_point n (T : (seq bool -> fraction) -> seq bool -> fraction) : seq fraction :=
  eliminate (size (words n)) [seq (let zero := T (fun _ => 0#1) z in rcons [seq Qminus (if z == w then 1#1 else 0#1)
    (Qminus (T (fun x => if x == w then 1#1 else 0#1) z) zero) | w <- words n] zero) | z <- words n].

Definition bit_of (w : seq bool) k := nth false w k.
Definition on4 (f : seq bool -> fraction) : values := fun s t a b => f [:: s; t; a; b].
Definition at4 (T : values) w := T (bit_of w 0) (bit_of w 1) (bit_of w 2) (bit_of w 3).
Definition at2 (T : bool -> bool -> fraction) w := T (bit_of w 0) (bit_of w 1).

(* V, the values of states, and Q of them *)
Definition of_V m i (v : seq bool -> fraction) : values := bellman2 m i (fun s t _ _ => v [:: s; t]).
Definition V_list m i : seq fraction := fixed_point 2 (fun v => at2 (act2 m (of_V m i v))).
Definition Q_list m i : seq fraction := let t := V_list m i in [seq Qred (at4 (of_V m i (at_index t)) w) | w <- words 4].
Definition Q_table m i : values := let t := Q_list m i in on4 (at_index t).
Definition maximum : seq fraction -> fraction := foldr (fun x y => if Qle_bool x y then y else x) (0#1).
Definition gap_of (i : bool) (f : values) : fraction :=
  maximum [seq Qred (Qminus (at4 f z) (at4 f w)) | z <- words 4, w <-
    [seq w <- words 4 | (bit_of z i == bit_of w i) && (bit_of z i.+2 == bit_of w i.+2)]].
Definition gap m i : fraction := gap_of i (Q_table m i).
(* The stationary law, the sum of all in the place of the last equation *)
Definition mu_list m : seq fraction :=
  fixed_point 2 (fun f w => if w == [:: true; true] then Qminus (1#1) (Qplus (f [:: false; false]) (Qplus (f [:: false; true]) (f [:: true; false])))
    else sum2 (fun s t => Qmult (f [:: s; t]) (act2 m (fun s t a b =>
      Qmult (side (one m false s t a) (bit_of w 0)) (side (one m true s t b) (bit_of w 1))) s t))).
Definition mu_table m : bool -> bool -> fraction := let t := mu_list m in fun s s' => at_index t [:: s; s'].
Definition odds m : bool -> fraction :=
  let mu := mu_table m in let odd s := Qred (Qdiv (mu s true) (Qplus (mu s true) (mu s false))) in
  let t := [:: odd false; odd true] in fun s => at_index t [:: s].
Definition q_list m : seq fraction :=
  let c := odds m in
  fixed_point 2 (fun f => at2 (td2 m c (fun s a => f [:: s; a]))).
Definition q_table m : bool -> bool -> fraction := let t := q_list m in fun s a => at_index t [:: s; a].

(* What is computed solves the equations that define Q_0, Q_1, D_0(0), D_1(0), the stationary law and q*; by Q_of, D_of,
   stationary_of and q_star_of of rational.v it is what the library defines. *)
Definition consistent m : bool :=
  let f := Q_table m false in let g := Q_table m true in let q := q_table m in let mu := mu_table m in let c := odds m in
  [&& is_model m, solves m false f, solves m true g, gap_is false f (gap_of false f), gap_is true g (gap_of true g),
      stationary2 m mu, conditional mu c false && conditional mu c true & td_solves m c q].

Definition drawn_1 := Tables
  [:: 3#10; 7#10; 1#10; 9#10; 1#2; 2#5; 4#5; 1#5;  3#5; 1#10; 7#10; 3#10; 1#5; 9#10; 2#5; 1#2]
  [:: 1#5; 7#10; 9#10; 0#1;  1#1; 3#10; 1#2; 4#5] (4#5) [:: 1#5; 7#10; 2#5; 9#10].
Definition drawn_2 := Tables
  [:: 1#7; 5#7; 0#1; 3#7; 1#1; 2#7; 6#7; 4#7;  2#7; 1#1; 5#7; 1#7; 3#7; 0#1; 4#7; 6#7]
  [:: 2#3; 0#1; 1#3; 1#1;  0#1; 1#3; 1#1; 2#3] (1#2) [:: 1#3; 1#1; 2#3; 1#6].

Lemma drawn_1_consistent : consistent drawn_1. Proof. by vm_compute. Qed.
Lemma drawn_2_consistent : consistent drawn_2. Proof. by vm_compute. Qed.
