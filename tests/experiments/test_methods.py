"""Methods at equal samples: the rows are of the policies played, and the exact ascent is what its name says."""

import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

from sacrepro.exact import evaluate, policy_gradient
from sacrepro.instances import build
from sacrepro.instances.extremal import courtesy
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac
from sacrepro.learn.problem import Settings
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import softmax, uniform_theta
from sacrepro.study.experiments.methods import ESTIMATORS, EXACT, METHODS, MIXED, estimator_rows, method_rows
from sacrepro.study.measures.stationarity import exact_ascent, limit_direction, stationarity_rows

MDP = random_mdp(nx.path_graph(3), seed=1, gamma=0.8)
SETTINGS, SEEDS = Settings(kappa=1, M=4, T=40, h=3.0, t0=5.0, eta=0.5, record_every=2), 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_leaves_rows_from_the_same_start(method):
    rows = list(method_rows(MDP, "path", method, SETTINGS, SEEDS))
    assert [(row.seed, row.m) for row in rows] == [(0, 0), (0, 2), (0, 4), (1, 0), (1, 2), (1, 4)]
    for row in rows:
        assert row.m > 0 or abs(row.J - evaluate(MDP, uniform_theta(MDP)).J) <= 1e-9
        assert 0 <= row.entropy <= math.log(2) + 1e-12
    assert rows[2].J != rows[5].J
    assert rows[0].method_eta == f"{method} | {0 if method in ('SARSA', 'Q-learning') else 0.5:g}"


def test_the_rows_of_sac_are_those_of_its_runs():
    rows = list(method_rows(MDP, "path", "SAC", SETTINGS, SEEDS))
    trace = sac(MDP, uniform_theta(MDP), kappa=1, M=4, T=40, h=3.0, t0=5.0, eta=0.5, seed=1, record_every=2)
    assert abs(rows[5].J - evaluate(MDP, trace.theta).J) <= 1e-9
    assert rows[3].J_estimate == trace.J_estimate[:2].mean()
    assert rows[5].first_visit_share == trace.first_visit_share[3]


def test_a_mixed_policy_counts_with_its_exploration():
    rows = list(method_rows(MDP, "path", "ε-mixed", SETTINGS, SEEDS))
    trace = sac(MDP, uniform_theta(MDP), kappa=1, M=4, T=40, h=3.0, t0=5.0, eta=0.5, seed=0, epsilon=MIXED)
    played = tuple(np.log((1 - MIXED) * softmax(block) + MIXED / 2) for block in trace.theta)
    assert abs(rows[2].J - evaluate(MDP, played).J) <= 1e-9


def test_one_step_of_exact_ascent():
    theta0 = uniform_theta(MDP)
    thetas, m = exact_ascent(MDP, theta0, M=5, eta=0.5, record_every=2)
    assert m.tolist() == [0, 2, 4, 5]
    gradient = policy_gradient(MDP, theta0)
    once, _ = exact_ascent(MDP, theta0, M=1, eta=0.5, record_every=1)
    twice, _ = exact_ascent(MDP, theta0, M=2, eta=0.5, record_every=1)
    second = policy_gradient(MDP, tuple(blocks[1] for blocks in twice))
    for i in range(3):
        assert thetas[i].shape == (4, 2, 2)
        assert np.allclose(twice[i][2] - twice[i][1], 0.5 / math.sqrt(2) * second[i], atol=1e-12)
        assert np.allclose(once[i][1], 0.5 * gradient[i], atol=1e-12)
        assert np.array_equal(thetas[i][0], theta0[i])


def test_exact_ascent_climbs():
    """With η below 2/L' every step raises J; L' = r̄/(2(1-γ)²)."""
    eta = 2 * (1 - MDP.gamma) ** 2 / MDP.r_bar
    rows = list(method_rows(MDP, "path", EXACT, replace(SETTINGS, M=20, eta=eta), SEEDS))
    J = [row.J for row in rows]
    assert min(np.diff(J)) > 0
    assert math.isnan(rows[0].J_estimate)


def test_the_ascent_along_the_limit_with_nobody_outside_is_the_exact_one():
    theta0 = uniform_theta(MDP)
    patient, _ = exact_ascent(MDP, theta0, M=5, eta=0.5, record_every=5, kappa=2)
    exact, _ = exact_ascent(MDP, theta0, M=5, eta=0.5, record_every=5)
    blind, _ = exact_ascent(MDP, theta0, M=5, eta=0.5, record_every=5, kappa=0)
    for i in range(3):
        assert np.abs(patient[i] - exact[i]).max() <= 1e-8
        assert np.abs(blind[i] - exact[i]).max() > 1e-4


def test_what_is_left_at_each_kappa_on_the_courtesy_chain():
    """Each κ leaves a gap of its own, less and less; ‖∇J‖² goes to zero for every κ and shows none of it."""
    mdp = courtesy(7, gamma=0.9, coupling=0.7, most=3)
    gaps, norms = [], []
    for kappa in range(3):
        thetas, m = exact_ascent(mdp, uniform_theta(mdp), M=60, eta=30.0, record_every=30, kappa=kappa)
        middle, end = list(stationarity_rows(mdp, "courtesy", kappa, 0, m, thetas))[1:]
        gaps.append(end.gap)
        norms.append(end.gradient_norm_squared)
        assert end.gap > 0.75 * middle.gap
        assert end.gradient_norm_squared < 0.6 * middle.gradient_norm_squared
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2]
    assert max(norms) < 1e-3


def test_on_the_row_of_three_users_a_larger_kappa_only_adds_cells():
    """Why κ = 0 does best there: TD's limit points along ∇J without any neighbor, whose cells cost samples."""
    mdp = build({"model": "wireless", "rows": 1, "columns": 3, "deadline": 1, "p": 0.5, "q": 0.8, "gamma": 0.7})
    theta = uniform_theta(mdp)
    gradient = np.concatenate([block.ravel() for block in policy_gradient(mdp, theta)])
    h_hat = np.concatenate([block.ravel() for block in limit_direction(mdp, theta, 0)])
    assert h_hat @ gradient > 0.9 * np.linalg.norm(h_hat) * np.linalg.norm(gradient)
    alone, with_neighbors = (
        [math.prod(theta[j].size for j in neighborhood(mdp.graph, i, k)) for i in range(3)] for k in (0, 1)
    )
    assert min(with_neighbors) > 15 * max(alone)
    assert max(with_neighbors) > 1000


def test_estimators_are_unbiased_where_they_must_be():
    """REINFORCE at the diameter has no bias but the cut at T: its squared bias is lost in the noise of its mean."""
    rows = list(estimator_rows(MDP, "path", kappa=1, lengths=(60,), episodes=400, h=3.0, t0=5.0))
    assert [row.method for row in rows] == [*ESTIMATORS] * 2
    for row in rows:
        assert row.variance > 0
        if row.method == "REINFORCE, full":
            assert abs(row.bias_squared) <= 6 * row.variance / row.episodes
    by_name = {row.method: row for row in rows if row.policy == "uniform"}
    assert by_name["advantages"].variance < by_name["SAC"].variance
    assert by_name["SAC"].variance < by_name["REINFORCE, full"].variance


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="unknown method 'PPO'; known are SAC, independent"):
        list(method_rows(MDP, "path", "PPO", SETTINGS, SEEDS))
