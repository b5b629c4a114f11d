"""Every counterexample violates its sentence, by numbers known by hand, and one that does not fails the run."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest

from sacrepro.claims import CLAIMS
from sacrepro.claims.comparison import JUDGEMENTS, UNEARNED, holds
from sacrepro.claims.rational import solve, td_hull
from sacrepro.claims.witnesses import WITNESSES, judged, key, measured
from sacrepro.exact import q_function, td_fixed_point
from sacrepro.instances.td_witness import NEXT_IS_ONE, td_witness
from sacrepro.policy import uniform_theta


@pytest.fixture(scope="module")
def rows_of():
    """The comparisons of a witness, measured once."""
    return functools.cache(lambda name: measured(next(witness for witness in WITNESSES if key(witness) == name)))


@pytest.mark.parametrize("witness", WITNESSES, ids=key)
def test_every_comparison_of_a_witness_is_violated(witness, rows_of):
    rows = rows_of(key(witness))
    assert rows
    assert not any(holds(row) for row in rows)
    row = judged(witness, rows)
    assert row.verdict == witness.finding
    assert row.verdict not in JUDGEMENTS
    assert row.ratio > 1.0
    assert row.where
    assert witness.claim in CLAIMS


@pytest.mark.parametrize("witness", WITNESSES, ids=key)
def test_a_verdict_must_be_earned(witness, rows_of):
    """One comparison that holds, or none at all, and the finding is gone."""
    rows = rows_of(key(witness))
    assert judged(witness, []).verdict == UNEARNED
    assert judged(witness, [*rows, rows[0]._replace(right=rows[0].left)]).verdict == UNEARNED
    assert judged(witness, [row._replace(error=2.0 * row.left) for row in rows]).verdict == UNEARNED


#: Solved by hand: the largest left/right.
RATIOS = {
    "lemma3: r_i ≤ r̄ and no more": 10.0,  # rewards in [-9, 1]
    "lemma3: |r_i| ≤ r̄": 2.0,
    "lemma3: κ+2": 1 / 0.9,
    "lemma3: two hops a step": 0.9**-2,  # κ = 3: two steps in place of four
    "lemma3: one-sided cells": 0.9**-2,  # κ = 2: one step in place of three
    "actions_one_hop_later: two hops later": 2.0,
    "lemma4: κ+2": 6 / (32 * 0.1),  # (n-2)/(4nγ)
    "lemma4: L_i = 1/4": 6 / 32 * math.sqrt(2) * 4,
}


@pytest.mark.parametrize("name", RATIOS)
def test_ratios_known_by_hand(name, rows_of):
    witness = next(witness for witness in WITNESSES if key(witness) == name)
    assert judged(witness, rows_of(name)).ratio == pytest.approx(RATIOS[name], rel=1e-6)


def test_the_keys_are_unique():
    assert len({key(witness) for witness in WITNESSES}) == len(WITNESSES)


def test_rational_and_floating_arithmetic_agree_on_the_td_witness():
    mdp = td_witness()
    hull, q = td_hull(NEXT_IS_ONE, 0.9)
    Q = q_function(mdp, uniform_theta(mdp), 0)[1].ravel()
    np.testing.assert_allclose([float(x) for x in hull], Q, rtol=1e-9)
    assert td_fixed_point(mdp, uniform_theta(mdp), 0, 0).ravel()[1] == pytest.approx(float(q), rel=1e-9)
    assert all(isinstance(x, Fraction) for x in (*hull, q))


def test_elimination_pivots():
    """A zero on the diagonal: x + y = 3, y alone first."""
    assert solve([[Fraction(0), Fraction(2)], [Fraction(1), Fraction(1)]], [Fraction(4), Fraction(3)]) == [1, 2]
