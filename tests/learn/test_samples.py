"""Samples at a fixed θ are what runs with the same keys compute there."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from learn.test_algorithm1 import Bandits
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import pairwise, reinforce, sac
from sacrepro.learn.cells import hoods, visited_marginals
from sacrepro.learn.critic import scratch
from sacrepro.learn.samples import samples, visited_cells
from sacrepro.learn.without_tables import Pairwise, Returns
from sacrepro.model.policy import gaussian_theta, uniform_theta

STEPS = {"h": 3.0, "t0": 5.0}


def test_samples_are_the_iterations_of_runs():
    mdp = random_mdp(nx.path_graph(4), seed=3, state_sizes=(2, 3, 1, 2), action_sizes=(3, 2, 2, 1))
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    found = samples(mdp, theta, 7, kappa=1, T=40, seeds=range(3, 9), **STEPS)
    for k, seed in enumerate(range(3, 9)):
        once = visited_cells(mdp, theta, 7, kappa=1, T=40, seed=seed, **STEPS)
        assert found.J_estimate[k] == once.J_estimate
        for i in range(mdp.n):
            assert np.array_equal(found.g_hat[i][k], once.g_hat[i])


@pytest.mark.parametrize(("n", "T", "counted"), [(3, 10**6, 16), (9, 10**6, 32), (9, 65_534, 16), (9, 65_535, 32)])
def test_cells_are_counted_as_wide_as_they_are_many(n, T, counted):
    """Nine agents with 4 pairs each have 2^18 cells; an episode visits at most T+1 of them, and one of three 2^6."""
    everybody = hoods(nx.complete_graph(n), 1, (2,) * n, (2,) * n)
    work = scratch(everybody, T)
    assert work.ids.itemsize == work.slot.itemsize == counted // 8


@pytest.mark.parametrize(("pairs", "first_together"), [(4, True), (16, True), (17, False), (65, False)])
def test_the_order_of_sums_depends_on_sizes_alone(pairs, first_together):
    """Cells with one z_i are summed first where a table has at most four entries a step, else one by one."""
    agent, T, half = hoods(nx.empty_graph(1), 0, (pairs,), (1,)), 3, 2.0**-53
    F, first, G = np.array([half, 0.0, half]), np.array([0, 1, 2], dtype=np.uint32), np.ones(pairs)
    z, part, table = np.full((1, T + 1), 3, dtype=np.uint8), np.zeros(T + 1, dtype=np.uint16), np.full(1024, np.nan)
    visited_marginals(F, 3, first, z, np.array([0, pairs]), agent, 0, part, table, G)
    assert G[3] == (1.0 + 2 * half if first_together else 1.0)
    assert (np.delete(G, 3) == 1.0).all()


def test_many_seeds_are_split_into_batches_without_a_trace(monkeypatch):
    mdp = random_mdp(nx.path_graph(4), seed=3)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    whole = samples(mdp, theta, 0, kappa=1, T=20, seeds=range(10), **STEPS)
    monkeypatch.setattr("sacrepro.simulate.trajectory._AGENTS_TOGETHER", 12)
    parts = samples(mdp, theta, 0, kappa=1, T=20, seeds=range(10), **STEPS)
    assert np.array_equal(whole.J_estimate, parts.J_estimate)
    assert all(np.array_equal(a, b) for a, b in zip(whole.g_hat, parts.g_hat, strict=True))


@pytest.mark.parametrize("method", ["returns", "pairwise", "advantages"])
def test_samples_of_other_methods(method):
    mdp = random_mdp(nx.path_graph(3), seed=1)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    common = {"kappa": 1, "M": 1, "T": 30, "eta": 1.0, "seed": 5}
    told, run = {
        "returns": ({"lines": Returns}, lambda: reinforce(mdp, theta, **common)),
        "pairwise": ({"lines": Pairwise}, lambda: pairwise(mdp, theta, **common, **STEPS)),
        "advantages": ({"baseline": True}, lambda: sac(mdp, theta, baseline=True, **common, **STEPS)),
    }[method]
    found, run = samples(mdp, theta, 0, kappa=1, T=30, seeds=(5,), **told, **STEPS), run()
    for i in range(mdp.n):
        assert np.array_equal(theta[i] + found.g_hat[i][0], run.theta[i])


def test_samples_of_a_users_simulator():
    theta = tuple(np.zeros((1, 2)) for _ in range(3))
    found = samples(Bandits(3), theta, 0, kappa=1, T=30, seeds=(4, 5), **STEPS)
    for k, seed in enumerate((4, 5)):
        run = sac(Bandits(3), theta, kappa=1, M=1, T=30, eta=1.0, seed=seed, **STEPS)
        assert all(np.array_equal(found.g_hat[i][k], run.theta[i]) for i in range(3))


@pytest.mark.parametrize(("m", "error"), [(-1, ValueError), (1 << 64, ValueError), (0.5, TypeError)])
def test_samples_are_of_an_outer_iteration(m, error):
    """Seen: numpy's OverflowError, and m = 0.5 taken for 0."""
    mdp = random_mdp(nx.path_graph(2), seed=0)
    with pytest.raises(error, match="m must"):
        samples(mdp, uniform_theta(mdp), m, kappa=0, T=5, h=1.0, t0=2.0, seeds=(0,))
