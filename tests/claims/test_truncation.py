"""Eqs. (5)-(6) hold for every weight family, point masses attain the bound, and the weights must sum to 1."""

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.decay import lemma3, truncation
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import outside_axes, truncate
from sacrepro.model.graph import neighborhood
from sacrepro.study.claims.truncation import check
from sacrepro.study.measures.truncation import FAMILIES, point_mass_weights, spread_weights, truncations
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=30)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def test_the_left_side_is_the_largest_difference():
    """Where it is read off the ends of a cell, it is the same number."""
    case = random_case(gamma=0.7)
    for row in check(case):
        Q_i = case.Q(row.agent)
        assert row.left == np.abs(truncations(case, Q_i, row.agent, row.kappa)[row.case] - Q_i).max()


def test_tight():
    """On the relay a point mass is off by r̄γ^{κ+1}/(1-γ), so κ+2 would fail."""
    rows = list(check(uniform_case(RELAY)))
    assert {row.case for row in rows} == set(FAMILIES)
    assert verdict("truncation", "", "", rows).verdict == "tight"
    attained = [row for row in rows if row.case == "largest" and row.kappa < row.agent]
    assert len(attained) == 6
    for row in attained:
        assert row.left == pytest.approx(0.9 ** (row.kappa + 1) / 0.1, rel=1e-12)


def weight_families(case, Q_i, i, kappa):
    """(name, w_i) for each family of `truncations`."""
    hood = neighborhood(case.mdp.graph, i, kappa)
    spread = dict(spread_weights(case, Q_i.shape, i, kappa))
    acts_zero = np.indices(Q_i.shape, sparse=True)[case.mdp.n + hood[0]] == 0
    picked = {"largest": True, "smallest": False, "opposed": acts_zero}
    for family in FAMILIES:
        yield family, spread[family] if family in spread else point_mass_weights(Q_i, hood, largest=picked[family])


def test_necessary_normalisation():
    """Weights that sum to 1.1 leave the range of the cell and break the bound."""
    case = random_case(gamma=0.7)
    c, rho = lemma3(case.mdp.r_bar, case.mdp.gamma)
    broken = 0
    for i in range(case.mdp.n):
        Q_i = q_function(case.mdp, case.V[i], i)
        hood = neighborhood(case.mdp.graph, i, 1)
        for _, w in weight_families(case, Q_i, i, 1):
            inflated = (1.1 * w * Q_i).sum(axis=outside_axes(hood, case.mdp.n), keepdims=True)
            broken += np.abs(inflated - Q_i).max() > truncation(case.D[i, 1], 1.0, 1)
    assert broken == case.mdp.n * len(FAMILIES)
    assert c * rho**2 > 0


def test_the_families_are_what_they_are_called():
    """Agent 1 of a path, κ = 0: an entry of Q_1 is known by its place, so each vertex shows which entry it took."""
    case = random_case(family="path")
    Q = np.arange(4.0**5).reshape((2,) * 10)
    tables = {name: truncate(Q, (1,), w) for name, w in weight_families(case, Q, 1, 0)}
    for kappa in range(4):
        hood, found = neighborhood(case.mdp.graph, 1, kappa), truncations(case, Q, 1, kappa)
        assert tuple(found) == FAMILIES
        for name, w in weight_families(case, Q, 1, kappa):
            assert np.array_equal(found[name], truncate(Q, hood, w)), (name, kappa)
    assert set(tables) == set(FAMILIES)
    inside = 2.0**8 * np.arange(2)[:, None] + 2.0**3 * np.arange(2)
    largest, smallest = 4.0**5 - 1 - 2**8 - 2**3 + inside, inside
    assert np.array_equal(tables["largest"].squeeze(), largest)
    assert np.array_equal(tables["smallest"].squeeze(), smallest)
    assert np.array_equal(tables["opposed"].squeeze(), np.where(np.arange(2) == 0, largest, smallest))
    assert np.allclose(tables["uniform"].squeeze(), 0.5 * (largest + smallest))
    again = dict(weight_families(case, Q, 1, 0))
    assert all(np.array_equal(truncate(Q, (1,), again[name]), tables[name]) for name in ("random", "sparse"))
