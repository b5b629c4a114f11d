"""The mean step: its bias, exact, tending to what κ alone costs, compared κ by κ beyond its errors; followed; warm."""

import math
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import yaml

from sacrepro.bounds.critic import likeliest_pair, new_cells, steps_to_write, unwritten
from sacrepro.exact.law.update import expected_update, mean_curve
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances import build
from sacrepro.instances.extremal import rare_state
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn.algorithm1 import sac_seeds
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.experiments.exact_bias import (
    GRADIENT,
    MEAN_STEP,
    STARTS,
    BiasRow,
    bias_rows,
    is_best,
    mean_rows,
    warm_rows,
)
from sacrepro.study.measures.stationarity import fresh_direction
from sacrepro.study.measures.truncation import distance, norm

ROOT = Path(__file__).parents[2]
TRIO = random_mdp(nx.path_graph(3), seed=1, gamma=0.5, concentration=0.3)


def test_the_bias_tends_to_what_kappa_alone_costs():
    short, middle, long = bias_rows(TRIO, "trio", [0], [10, 1000, 20_000])
    assert short.bias > 10 * long.bias
    # What is left falls like 1/T: twenty times the steps, a twentieth of it, up to a factor of two.
    assert 10 < abs(middle.bias - middle.limit) / abs(long.bias - long.limit) < 40
    assert long.error < 1e-5 * long.bias
    assert long.limit < 0.01 * long.gradient


def test_small_kappa_is_closest_where_episodes_are_short():
    rows = bias_rows(TRIO, "trio", [0, 1], [10, 100])
    assert [(row.kappa, row.T, row.best) for row in rows] == [(0, 10, 1), (0, 100, 1), (1, 10, 0), (1, 100, 0)]


@pytest.mark.slow
def test_the_page_of_figures_says_where_kappa_1_takes_over():
    """κ = 0 at T = 3,000 and κ = 1 at T = 10,000, on the first of the instances that the figure shows."""
    study = yaml.safe_load((ROOT / "workflow/config/paper.yaml").read_text())
    name = next(iter(study["exact_bias"]))
    rows = bias_rows(build(study["instances"][name]["spec"]), name, [0, 1], [3000, 10_000])
    assert [(row.kappa, row.T) for row in rows if row.best] == [(0, 3000), (1, 10_000)]
    page = " ".join((ROOT / "paper/figures.md").read_text().split())
    assert "Up to T = 3,000 κ = 0 is closest to the gradient, at T = 10,000 κ = 1" in page


def test_a_difference_below_the_errors_decides_nothing():
    rows = [BiasRow("x", kappa, 10, 1.0 + 1e-9 * kappa, 1e-8, 0.0, 1.0, 0, 0.5) for kappa in (0, 1)]
    assert not any(is_best(row, rows) for row in rows)
    assert is_best(rows[0]._replace(error=0.0), [rows[0]._replace(error=0.0), rows[1]._replace(error=0.0)])


def test_a_warm_start_in_the_mean_is_that_of_the_learner():
    """ĝ(1) of 10,000 runs that hardly move, with a warm start: its mean is the exact one, not that of a zero start."""
    settings = {"kappa": 1, "T": 30, "h": 5.0, "t0": 10.0}
    runs = sac_seeds(TRIO, uniform_theta(TRIO), M=2, eta=1e-6, seeds=range(10_000), warm_start=True, **settings)
    drawn = np.array([np.concatenate([(t[2] - t[1]).ravel() for t in run.thetas]) for run in runs]) * np.sqrt(2) / 1e-6
    zero = expected_update(TRIO, uniform_theta(TRIO), **settings)
    warm = expected_update(TRIO, uniform_theta(TRIO), Q_hat=zero.Q_hat, **settings)
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    off = [np.abs(drawn.mean(axis=0) - np.concatenate([b.ravel() for b in law.g_hat])) / error for law in (warm, zero)]
    # 12 entries: beyond 4.5 standard errors by chance in less than one of 10,000 trials.
    assert off[0].max() < 4.5
    assert off[1].max() > 6
    first, second = (row for row in warm_rows(TRIO, "trio", [1], M=2, T=30, h=5, t0=10) if row.start == "warm start")
    assert (first.bias, second.bias) == (norm(zero.b), norm(warm.b))
    assert first.error == zero.b_error < second.error < 1e-8


def test_starts_are_compared_at_equal_samples():
    rows = list(warm_rows(TRIO, "trio", [0], M=4, T=20, h=5, t0=10))
    own = {(row.start, row.m): row.bias for row in rows}
    assert [m for start, m in own if start == "one loop"] == [1, 2, 4]
    assert len({own[start, 1] for start in STARTS}) == len({own["zero start", m] for m in range(1, 5)}) == 1
    assert own["one loop", 4] == bias_of(T=80, kappa=0)
    with pytest.raises(ValueError, match=r"h = 5 and t0 = 4 give .*: h must be at most t0"):
        list(warm_rows(TRIO, "trio", [0], M=1, T=5, h=5, t0=4))


def bias_of(T, kappa):
    return norm(expected_update(TRIO, uniform_theta(TRIO), kappa=kappa, T=T, h=5, t0=10).b)


def test_the_mean_step_starts_with_the_seeds_and_its_first_step_is_their_mean():
    settings = {"kappa": 0, "T": 20, "h": 5.0, "t0": 10.0}
    rows = list(mean_rows(TRIO, "trio", [0.01], seeds=2000, M=1, record_every=1, **settings))
    J = {(row.run, row.m): row.J for row in rows}
    assert len({J[run, 0] for run, _ in J}) == 1
    assert [run for run, m in J if m == 1][:3] == [MEAN_STEP, GRADIENT, "0"]
    seeds = np.array([J[run, 1] for run, m in J if m == 1 and run not in (MEAN_STEP, GRADIENT)])
    error = seeds.std(ddof=1) / np.sqrt(len(seeds))
    # So short a step that J is linear along it: the mean of J is J of the mean, and not that of the exact gradient.
    assert abs(seeds.mean() - J[MEAN_STEP, 1]) < 4 * error
    assert abs(seeds.mean() - J[GRADIENT, 1]) > 6 * error


def test_records_of_the_mean_step_are_those_of_the_runs():
    rows = list(mean_rows(TRIO, "trio", [0.5, 5.0], kappa=0, seeds=2, M=5, T=10, h=2, t0=4, record_every=2))
    assert {row.m for row in rows} == {0, 2, 4, 5}
    curve = mean_curve(TRIO, uniform_theta(TRIO), kappa=0, M=5, T=10, h=2, t0=4, eta=5.0)
    last = next(row for row in rows if (row.eta, row.run, row.m) == (5.0, MEAN_STEP, 5))
    assert last.J == objective_and_gradient(TRIO, tuple(theta_i[5] for theta_i in curve)).J
    assert len(rows) == 2 * 4 * 4


def ends_of(kappa, M, T, h):
    """Row by start after M loops of T steps each, or one of M·T."""
    return {row.start: row for row in warm_rows(TRIO, "trio", [kappa], M=M, T=T, h=h, t0=2 * h) if row.m == M}


def test_necessary_that_a_warm_start_helps_is_no_law():
    """At κ = 0 it may leave more than a zero start; at κ = 1 a larger h brings one long loop closer to it."""
    zero, warm, _ = (ends_of(0, 8, 100, 40.0)[start] for start in STARTS)
    assert warm.bias - warm.error > 1.05 * (zero.bias + zero.error)
    behind = []
    for h in (20.0, 640.0):
        _, warm, one = (ends_of(1, 4, 50, h)[start].bias for start in STARTS)
        behind.append(one / warm)
    assert behind[0] > 1.2 * behind[1] > 1.2


def new_cells_of(mdp, kappa, T):
    """The bound with p_j = Π q_k, all read off local kernels."""
    zeta = policies(mdp, uniform_theta(mdp))
    q = [likeliest_pair(P_i, zeta_i) for P_i, zeta_i in zip(mdp.P, zeta, strict=True)]
    hoods = [neighborhood(mdp.graph, j, kappa) for j in range(mdp.n)]
    return new_cells([math.prod(q[k] for k in hood) for hood in hoods], hoods, mdp.r_bar, mdp.gamma, T)


def off_fresh(mdp, kappa, T, h=5.0, t0=10.0):
    """‖E ĝ - g⁰‖ at the uniform policy."""
    theta = uniform_theta(mdp)
    return distance(
        expected_update(mdp, theta, kappa=kappa, T=T, h=h, t0=t0).g_hat, fresh_direction(mdp, theta, T, h, t0)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("T", [1, 2, 5])
def test_holds_new_cells(seed, T):
    sizes = {"state_sizes": [2, 1, 3], "action_sizes": [2, 3, 1]} if seed % 2 else {}
    mdp = random_mdp(nx.path_graph(3), seed=seed, gamma=(0.1, 0.5, 0.9)[seed % 3], concentration=1.0, **sizes)
    for kappa in (0, 1):
        assert off_fresh(mdp, kappa, T) <= new_cells_of(mdp, kappa, T) + 1e-9


def clocks(states, gamma=0.6):
    """Two agents whose states count up to the last and begin again; rewards of any kind."""
    rng = np.random.default_rng(3)
    tick = np.roll(np.eye(states), 1, axis=1)
    first = np.broadcast_to(tick[:, None, None], (states, states, 2, states))
    second = np.broadcast_to(tick[None, :, None], (states, states, 2, states))
    start = (np.eye(states)[0],) * 2
    return NetworkedMDP(nx.path_graph(2), (first, second), tuple(rng.random((2, states, 2))), gamma, start)


def test_tight_where_no_cell_comes_twice_the_mean_step_is_the_fresh_one():
    """And where the clocks are one state too short it is not: the last visit reads what the first has left."""
    for kappa in (0, 1):
        assert off_fresh(clocks(5), kappa, T=4) < 1e-12
        assert off_fresh(clocks(4), kappa, T=4) > 1e-3


def bandit(actions, gamma=1e-3):
    """One agent, one state; half of the actions are paid."""
    rewards = (np.arange(actions)[None] % 2).astype(float)
    return NetworkedMDP(nx.empty_graph(1), (np.ones((1, actions, 1)),), (rewards,), gamma, (np.ones(1),))


def test_tight_a_coin_attains_a_quarter_of_new_cells():
    ratio = off_fresh(bandit(2), 0, T=1, h=1.0, t0=1.0) / new_cells_of(bandit(2), 0, T=1)
    assert ratio == pytest.approx(0.25, rel=2e-3)


def test_necessary_the_cell_of_one_agent_more_is_too_rare():
    """With p² in place of p the bound fails."""
    zeta = np.full((1, 32), 1 / 32)
    p = likeliest_pair(bandit(32).P[0], zeta)
    assert p == 1 / 32
    assert off_fresh(bandit(32), 0, T=1, h=1.0, t0=1.0) > 1.5 * new_cells([p**2], [[0]], 1.0, 1e-3, 1)


def test_the_widest_cells_begin_on_the_line_of_the_figure():
    """At T = 2 hardly any cell has come twice: the bias is that of g⁰, the nearer the wider the cells."""
    rows = bias_rows(TRIO, "trio", [0, 1, 2], [2])
    gaps = [abs(row.bias - row.fresh) for row in rows]
    assert gaps[0] > 5 * gaps[1] > 5 * gaps[2]
    assert gaps[2] < 1e-3 * rows[2].gradient


def test_a_cell_is_left_unwritten_with_the_chance_of_its_rarity():
    mdp = rare_state(0.125)
    p = likeliest_pair(mdp.P[0][..., 1:], np.ones((1, 1)))
    assert p == 0.125
    assert unwritten(p, 5) == 0.875**5
    T = steps_to_write(p, 0.5)
    assert unwritten(p, math.floor(T)) > 0.5 >= unwritten(p, math.ceil(T))
    assert (steps_to_write(0.0, 0.5), steps_to_write(1.0, 0.5)) == (math.inf, 0.0)
