"""The sharper Lemma 4 holds, is pinned on two stars and a latch, and needs its score constant, exponent and weights."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.instances import BROADCAST, random_case, uniform_case
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import (
    TABULAR_COVARIANCE,
    any_weights_error,
    lemma4,
    natural_weights_error,
    score_sum_factor,
)
from sacrepro.instances.extremal import latch, parity
from sacrepro.instances.relay import broadcast
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.policy import SCORE_BOUND, score
from sacrepro.study.claims.lemma4_sharp import check
from sacrepro.study.measures.truncation import WORST, seeing_out
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import arrays, cases, distributions


@settings(max_examples=40)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def covariance(zeta, Delta):
    """E_a Δ(a) ∂ log ζ(a) / ∂θ."""
    return np.einsum("a,a,ab->b", zeta, Delta, score(zeta[None])[0])


@given(st.data())
def test_score_constant(data):
    """‖E Δ(a) score‖ ≤ (√2/4) osc Δ for every law of a and every Δ, with equality for a fair coin."""
    A = data.draw(st.integers(1, 5))
    zeta, Delta = data.draw(distributions((A,))), data.draw(arrays((A,), -6, 6))
    assert np.linalg.norm(covariance(zeta, Delta)) <= TABULAR_COVARIANCE * np.ptp(Delta) + 1e-14


def test_score_constant_is_attained_by_a_fair_coin():
    coin = np.linalg.norm(covariance(np.array([0.5, 0.5]), np.array([1.0, 0.0])))
    assert coin == pytest.approx(TABULAR_COVARIANCE, rel=1e-12)
    assert pytest.approx(SCORE_BOUND / 4, rel=1e-12) == TABULAR_COVARIANCE


@settings(max_examples=60)
@given(st.integers(2, 9), st.integers(0, 30), st.sampled_from([0.0, 0.3, 0.7, 0.9, 0.99]), st.data())
def test_never_more_than_half_of_lemma4(n, seed, gamma, data):
    """So the minimum with the paper's bound is the sharper one, on every graph."""
    graph = nx.gnp_random_graph(n, 0.4, seed=seed)
    i, kappa = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n))
    own = any_weights_error(sphere_sizes(graph, i), seeing_out(graph, i, kappa), kappa, n, gamma, 1.0)
    c, rho = lemma3(1.0, gamma)
    assert own <= 0.5 * lemma4(c, rho, kappa, SCORE_BOUND, gamma) * (1 + 1e-12)


@pytest.mark.parametrize("n", [4, 6])
@pytest.mark.parametrize("gamma", [0.5, 0.8])
def test_pinned_any_weights(n, gamma):
    """At the hub of the broadcast star n-2 of the n-1 leaves attain their first term: → 1 as n → ∞ and γ → 1.

    Opposed weights turn r̄γ²/(1-γ) into an oscillation over the hub's action at every step, and no Q_j feels the action.
    """
    rows = list(check(uniform_case(broadcast(n, gamma=gamma))))
    row = next(r for r in rows if (r.agent, r.kappa, r.case, r.hypothesis) == (0, 1, "opposed", "any weights"))
    ratio = (n - 2) / (n - 1) / min(2, 1 + (1 - gamma) * score_sum_factor(gamma))
    assert row.left == pytest.approx(ratio * row.right, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.02, 0.3, 0.8])
@pytest.mark.parametrize("kappa", [0, 1])
def test_pinned_natural_weights(gamma, kappa):
    """Agent 0's one fair coin moves every agent beyond κ by all of R_d: left/right is 1/M, → 1 as γ → 0.

    One γ more in the exponent makes the bound false wherever γM < 1.
    """
    case = uniform_case(latch(4, gamma))
    row = next(r for r in check(case) if (r.agent, r.kappa, r.hypothesis) == (0, kappa, "natural weights"))
    assert row.left == pytest.approx(row.right / score_sum_factor(gamma), rel=1e-8)
    if gamma < 0.5:
        assert not holds(row._replace(right=gamma * row.right))


def test_pinned_natural_weights_in_the_limit():
    """At γ = .02 the bound is attained to one per cent, so a score constant two per cent smaller is false."""
    rows = list(check(uniform_case(latch(4, 0.02))))
    natural = [row for row in rows if row.hypothesis == "natural weights"]
    assert verdict("lemma4_sharp", "", "", natural).ratio == pytest.approx(1 / score_sum_factor(0.02), rel=1e-8)
    assert not all(holds(row._replace(right=0.98 * row.right)) for row in natural)


@pytest.mark.parametrize("n", [4, 6])
@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_both_readings_are_attained_on_the_parity_star(n, gamma):
    """Its hub's one fair coin reaches every leaf after a step: 1 - (√2-½)γ and 1 - (√2+1)γ/2 are left, up to γ²."""
    rows = [row for row in check(uniform_case(parity(n, gamma=gamma))) if row.agent == 0]
    natural = next(row for row in rows if (row.kappa, row.hypothesis) == (0, "natural weights"))
    worst = next(row for row in rows if (row.kappa, row.case) == (1, WORST))
    for row, slope in ((natural, math.sqrt(2) - 0.5), (worst, (math.sqrt(2) + 1) / 2)):
        assert row.left / row.right == pytest.approx(1 - slope * gamma, abs=gamma**2)
        assert not holds(row._replace(right=(1 - 2 * gamma) * row.right))


def test_verdicts_of_both_readings():
    groups = by_hypothesis(list(check(random_case(gamma=0.7))))
    assert {rows[0].hypothesis: verdict("lemma4_sharp", "", "", rows).verdict for rows in groups} == {
        "any weights": "holds",
        "natural weights": "holds",
    }


def test_necessary_natural_weights():
    """Other weights break the natural bound: at the hub of the broadcast star it is 0 at κ = 1, opposed weights err."""
    mdp = BROADCAST
    right = natural_weights_error(sphere_sizes(mdp.graph, 0), 1, mdp.n, mdp.gamma, mdp.r_bar)
    row = next(r for r in check(uniform_case(mdp)) if (r.agent, r.kappa, r.case) == (0, 1, "opposed"))
    assert right == 0.0
    assert row.left > row.error


def test_necessary_reach():
    """Every agent that somebody outside can reach has to be counted: with one leaf of n-1 the bound is false."""
    mdp = BROADCAST
    assert seeing_out(mdp.graph, 0, 1) == [0, mdp.n - 1]
    row = next(r for r in check(uniform_case(mdp)) if (r.agent, r.kappa, r.case) == (0, 1, "opposed"))
    one_only = any_weights_error(sphere_sizes(mdp.graph, 0), [0, 1], 1, mdp.n, mdp.gamma, mdp.r_bar)
    assert not holds(row._replace(right=one_only))


@settings(max_examples=40)
@given(cases(max_n=3))
def test_the_gradient_itself(case):
    """With κ = -1 nobody is inside, and the bound is one on ‖∇_{θ_i}J‖, of order (1-γ)^{-3/2}."""
    exact = exact_case("random", "drawn", *case)
    for i, block in enumerate(exact.gradient):
        bound = natural_weights_error(
            sphere_sizes(exact.mdp.graph, i), -1, exact.mdp.n, exact.mdp.gamma, exact.mdp.r_bar
        )
        assert np.linalg.norm(block) <= bound + exact.gradient_error
