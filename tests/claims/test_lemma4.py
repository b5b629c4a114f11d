"""Lemma 4 holds, its ratio on the broadcast star is pinned, `parity` is worse, and its hypotheses are needed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import BROADCAST, random_case, uniform_case
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import lemma4
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import outside_axes, truncate, truncated_gradient_from
from sacrepro.instances.extremal import parity
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import broadcast
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import SCORE_BOUND, gaussian_theta, policies
from sacrepro.study.claims.lemma4 import check
from sacrepro.study.measures.truncation import FAMILIES, WORST, uniform_weights, worst_weights_errors
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=25)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def named(row):
    """Agent, κ, weights and right side of a comparison."""
    return row.agent, row.kappa, row.case, row.hypothesis


@pytest.mark.parametrize("n", [4, 6])
@pytest.mark.parametrize("gamma", [0.5, 0.8])
def test_tight(n, gamma):
    """Solved by hand: at the hub, κ = 1, opposed weights, left/right is (n-2)/(4n); κ+2 would make it (n-2)/(4nγ).

    n-2 leaves are each off by r̄γ²/(1-γ) for one action of the hub and by 0 for the other, and the score of a fair coin
    turns a difference of 1 into √2/4, a quarter of L_i.
    """
    case = uniform_case(broadcast(n, gamma=gamma))
    row = next(row for row in check(case) if named(row) == (0, 1, "opposed", "worst case"))
    assert row.left == pytest.approx(row.right * (n - 2) / (4 * n), rel=1e-9)
    own = next(row for row in check(case) if named(row) == (0, 1, "opposed", "own hypothesis"))
    assert own.left == pytest.approx(own.right * (n - 2) / (2 * n), rel=1e-9)


@pytest.mark.parametrize("n", [4, 6, 8])
@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_tight_in_the_limit(n, gamma):
    """On the parity star Lemma 4's ratio under the worst weights is (n-1)/n · (1 - γ/2 + O(γ²)), own gap and L_i.

    With Lemma 3's gap and L_i = √2 it is half of that, times 1-γ: a factor 2 is all that can be gained for every graph.
    """
    rows = [row for row in check(uniform_case(parity(n, gamma=gamma))) if row.agent == 0 and row.kappa == 1]
    worst = {row.hypothesis: row for row in rows if row.case == WORST}
    own = worst["own hypothesis"]
    kept = own.left / own.right * n / (n - 1)
    assert kept == pytest.approx(1 - gamma / 2, abs=gamma**2)
    largest = worst["worst case"]
    assert largest.left / largest.right == pytest.approx(kept * (n - 1) / n * (1 - gamma) / 2, rel=1e-9)
    assert max(row.left / row.right for row in rows if row.hypothesis == "own hypothesis") == own.left / own.right


def test_the_broadcast_is_the_worst_of_all_families_and_agents():
    rows = [row for row in check(uniform_case(BROADCAST)) if row.hypothesis == "worst case"]
    assert {row.case for row in rows} == {*FAMILIES, WORST}
    worst = verdict("lemma4", "", "", rows)
    assert worst.verdict == "holds"
    assert worst.ratio == pytest.approx(4 / 24, rel=1e-9)


def vertices(Q_j, hood):
    """Every table that takes the largest or the smallest entry in each cell, for a handful of cells."""
    axes = outside_axes(hood, Q_j.ndim // 2)
    low, high = Q_j.min(axis=axes, keepdims=True), Q_j.max(axis=axes, keepdims=True)
    for choice in itertools.product((False, True), repeat=low.size):
        yield np.where(np.reshape(choice, low.shape), high, low)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_worst_weights_are_the_largest_of_all_vertices(seed):
    """κ = 0, two agents of two states and actions: 2^4 choices for agent 0's table, and no other enters ĥ_0."""
    mdp = random_mdp(build_graph({"family": "path", "n": 2}), seed=seed, gamma=0.9, concentration=0.3)
    case = exact_case("random", "drawn", mdp, gaussian_theta(mdp, np.random.default_rng(seed)))
    Q = [q_function(mdp, case.V[j], j) for j in range(2)]
    other = truncate(Q[1], (1,), uniform_weights(Q[1].shape, (1,)))
    brute = max(errors(case, 0, [table, other])[0] for table in vertices(Q[0], (0,)))
    assert worst_weights_errors(case)[0][0] == pytest.approx(brute, rel=1e-12)


def test_the_worst_weights_exceed_every_family():
    for case in (random_case(), uniform_case(BROADCAST)):
        rows = list(check(case))
        worst = {(row.agent, row.kappa): row.left for row in rows if row.case == WORST}
        assert all(row.left <= worst[row.agent, row.kappa] + row.error for row in rows)
        assert max(worst.values()) > 0.0


def errors(case, kappa, Q_hat):
    """‖ĥ_i - ∇_{θ_i}J‖ for every agent."""
    h_hat = truncated_gradient_from(case.mdp, policies(case.mdp, case.theta), case.pi_theta, Q_hat, kappa)
    return [np.linalg.norm(h - g) for h, g in zip(h_hat, case.gradient, strict=True)]


def test_necessary_truncated_form():
    """Tables that are not of the form (5), off by r̄/(1-γ) where the first agent acts 0, break the bound at large κ."""
    case = random_case(family="path", gamma=0.5)
    kappa = 3
    Q_hat = []
    for j in range(case.mdp.n):
        Q_j = q_function(case.mdp, case.V[j], j)
        hood = neighborhood(case.mdp.graph, j, kappa)
        table = truncate(Q_j, hood, uniform_weights(Q_j.shape, hood))
        first = case.mdp.n + hood[0]
        acts_zero = np.array([1.0, 0.0]).reshape([2 if axis == first else 1 for axis in range(2 * case.mdp.n)])
        Q_hat.append(table + acts_zero * case.mdp.r_bar / (1 - case.mdp.gamma))
    c, rho = lemma3(case.mdp.r_bar, case.mdp.gamma)
    bound = lemma4(c, rho, kappa, SCORE_BOUND, case.mdp.gamma)
    assert max(errors(case, kappa, Q_hat)) > bound


def test_necessary_decay_gap():
    """With a gap taken one κ too far out - D(2) in place of D(1) - the own-hypothesis bound fails on the broadcast."""
    case = uniform_case(BROADCAST)
    assert case.D[:, 2].max() == 0.0
    row = next(row for row in check(case) if named(row) == (0, 1, "opposed", "own hypothesis"))
    assert row.left > row.error + lemma4(float(case.D[:, 2].max()), 1.0, 1, SCORE_BOUND, case.mdp.gamma)


def test_necessary_score_bound():
    """L_i must cover the scores: with L_i a tenth of the measured score norm the bound fails."""
    case = uniform_case(BROADCAST)
    row = next(row for row in check(case) if named(row) == (0, 1, "opposed", "own hypothesis"))
    assert not holds(row._replace(right=row.right / 10))
