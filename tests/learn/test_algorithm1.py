"""Algorithm 1 against its line-by-line transcription, and what must hold of every run."""

from __future__ import annotations

from functools import partial

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn.plain_extensions import g_hat_error
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac, sac_seeds
from sacrepro.learn.critic import schedule
from sacrepro.learn.samples import samples, visited_cells
from sacrepro.learn.transcription import Iteration, outer_iteration, sac_transcribed
from sacrepro.model.checks import Array
from sacrepro.model.graph import diameter, neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, uniform_theta

STEPS = {"h": 3.0, "t0": 5.0, "eta": 2.0}


@st.composite
def learning_problems(draw: st.DrawFn) -> tuple[NetworkedMDP, tuple[Array, ...], int]:
    """A model on a random graph with sizes of its own for each agent, logits, and κ from 0 to the diameter."""
    n = draw(st.integers(1, 6))
    pairs = [(i, j) for i in range(n) for j in range(i)]
    graph = nx.empty_graph(n)
    graph.add_edges_from(draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else [])
    mdp = random_mdp(
        graph,
        seed=draw(st.integers(0, 99)),
        state_sizes=tuple(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))),
        action_sizes=tuple(draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))),
        gamma=draw(st.sampled_from([0.0, 0.5, 0.9])),
        concentration=draw(st.sampled_from([0.1, 1.0])),
    )
    theta = gaussian_theta(mdp, np.random.default_rng(draw(st.integers(0, 99))))
    return mdp, theta, draw(st.integers(0, diameter(graph)))


def assert_same_iteration(mdp: NetworkedMDP, theta: tuple[Array, ...], m: int, kappa: int, T: int, seed: int) -> None:
    """The compiled critic has the transcription's Q̂ bit for bit, and its ĝ and J up to the bound on rounding."""
    plain = outer_iteration(mdp, theta, m, kappa=kappa, T=T, seed=seed, **STEPS)
    compiled = visited_cells(mdp, theta, m, kappa=kappa, T=T, h=STEPS["h"], t0=STEPS["t0"], seed=seed)
    for i in range(mdp.n):
        hood, s, a, value, updated, visits = compiled.Q_hat[i]
        found = {
            (tuple(s_c.tolist()), tuple(a_c.tolist())): float(v)
            for s_c, a_c, v, u in zip(s, a, value, updated, strict=True)
            if u
        }
        assert hood == neighborhood(mdp.graph, i, kappa)
        assert found == plain.Q_hat[i]
        assert visits.sum() == T + 1
        assert (visits >= 1).all()
        allowed = g_hat_error(plain.magnitude[i], len(hood), T, mdp.action_sizes[i])
        assert np.abs(compiled.g_hat[i] - plain.g_hat[i]).max() <= allowed
    assert_scalars(plain, compiled.J_estimate, compiled.first_visit_share, T, mdp.n)


def assert_scalars(plain: Iteration, J_estimate: float, first_visit_share: float, T: int, n: int) -> None:
    # n (T+1) non-negative terms, each through fewer than n + T + 8 roundings, in two evaluations.
    assert abs(J_estimate - plain.J_estimate) <= 4 * (n * (T + 1) + 8) * 2.0**-53 * plain.J_estimate
    assert first_visit_share == plain.first_visit_share


@settings(max_examples=60, deadline=None)
@given(learning_problems(), st.integers(1, 60), st.integers(0, 2**64 - 1))
def test_an_outer_iteration_is_the_transcription(
    problem: tuple[NetworkedMDP, tuple[Array, ...], int], T: int, seed: int
) -> None:
    mdp, theta, kappa = problem
    assert_same_iteration(mdp, theta, 3, kappa, T, seed)


@pytest.mark.parametrize(
    ("kappa", "T"), [(2, 80), (3, 80), (8, 80), (20, 80), (49, 80), (3, 1), (3, 63), (20, 63), (20, 64)]
)
def test_large_tables_are_indexed_exactly(kappa: int, T: int) -> None:
    """On a path of 50 agents the tables reach 4^50 cells: above the dense limit from κ = 3, above 2^64 from κ = 20.

    Episodes of at most 64 steps, T = 63, find recurrent cells by words of bits.
    """
    mdp = random_mdp(nx.path_graph(50), seed=1, concentration=0.05)
    theta = gaussian_theta(mdp, np.random.default_rng(0), scale=4.0)
    assert_same_iteration(mdp, theta, 0, kappa, T, 5)


def test_a_run_is_the_transcription_iterated() -> None:
    mdp = random_mdp(nx.path_graph(5), seed=3, state_sizes=(2, 3, 1, 2, 4), action_sizes=(3, 2, 2, 1, 2))
    theta0 = gaussian_theta(mdp, np.random.default_rng(1))
    arguments = {"kappa": 1, "M": 4, "T": 70, "seed": 11, **STEPS}
    run = sac(mdp, theta0, record_every=1, **arguments)
    plain = sac_transcribed(mdp, theta0, **arguments)
    assert run.m.tolist() == [0, 1, 2, 3, 4]
    for m, iteration in enumerate(plain):
        assert_scalars(iteration, run.J_estimate[m], run.first_visit_share[m], 70, mdp.n)
    for i in range(mdp.n):
        assert run.thetas[i].shape == (5, *theta0[i].shape)
        assert np.array_equal(run.thetas[i][0], theta0[i])
        assert np.array_equal(run.thetas[i][-1], run.theta[i])
        # The trajectories are the same, so θ differs by what rounding leaves in four ĝ_i and four additions.
        allowed = 0.0
        for m, iteration in enumerate(plain):
            hood = neighborhood(mdp.graph, i, 1)
            allowed += g_hat_error(iteration.magnitude[i], len(hood), 70, mdp.action_sizes[i]) * STEPS["eta"]
            allowed += 2 * 2.0**-53 * (np.abs(iteration.theta_next[i]).max() + 1)
            assert np.abs(run.thetas[i][m + 1] - iteration.theta_next[i]).max() <= allowed


@settings(max_examples=30, deadline=None)
@given(learning_problems(), st.integers(1, 200), st.integers(0, 1000))
def test_Q_hat_stays_between_0_and_r_bar_over_1_minus_gamma(
    problem: tuple[NetworkedMDP, tuple[Array, ...], int], T: int, seed: int
) -> None:
    """Line 7 is a convex combination, so no entry leaves [0, r̄/(1-γ)] but for its own roundings."""
    mdp, theta, kappa = problem
    most = mdp.r_bar / (1 - mdp.gamma)
    for Q_hat_i in visited_cells(mdp, theta, 0, kappa=kappa, T=T, h=5.0, t0=5.0, seed=seed).Q_hat:
        assert (Q_hat_i.value >= 0).all()
        assert (Q_hat_i.value <= most * (1 + 8 * T * 2.0**-53)).all()


def test_seeds_in_one_call_are_the_seeds_one_by_one() -> None:
    mdp = random_mdp(nx.cycle_graph(6), seed=0)
    theta0 = uniform_theta(mdp)
    arguments = {"kappa": 1, "M": 5, "T": 50, "record_every": 2, **STEPS}
    together = sac_seeds(mdp, theta0, seeds=(4, 0, 9), **arguments)
    for seed, trace in zip((4, 0, 9), together, strict=True):
        alone = sac(mdp, theta0, seed=seed, **arguments)
        assert trace.m.tolist() == alone.m.tolist() == [0, 2, 4, 5]
        for name in ("theta", "thetas"):
            for block, other in zip(getattr(trace, name), getattr(alone, name), strict=True):
                assert np.array_equal(block, other)
        assert np.array_equal(trace.J_estimate, alone.J_estimate)
        assert np.array_equal(trace.first_visit_share, alone.first_visit_share)
    assert not np.array_equal(together[0].theta[0], together[1].theta[0])


def test_recording_does_not_change_the_run() -> None:
    mdp = random_mdp(nx.path_graph(3), seed=0)
    arguments = {"kappa": 1, "M": 7, "T": 30, "seed": 1, **STEPS}
    often = sac(mdp, uniform_theta(mdp), record_every=1, **arguments)
    seldom = sac(mdp, uniform_theta(mdp), record_every=100, **arguments)
    assert seldom.m.tolist() == [0, 7]
    for block, other in zip(often.theta, seldom.theta, strict=True):
        assert np.array_equal(block, other)


def test_sac_learns_what_is_rewarded() -> None:
    """One agent, one state, two actions with rewards 0 and 1: ζ moves to the second action."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 2, 1)),), (np.array([[0.0, 1.0]]),), 0.5, (np.ones(1),))
    trace = sac(mdp, uniform_theta(mdp), kappa=0, M=200, T=50, h=1.0, t0=1.0, eta=1.0, seed=0)
    assert trace.theta[0][0, 1] - trace.theta[0][0, 0] > 2.0
    assert trace.J_estimate[-20:].mean() > trace.J_estimate[:20].mean()


class Bandits:
    """A simulator of one's own: n one-state agents without a model, whose reward is their action."""

    def __init__(self, n: int) -> None:
        self.graph, self.gamma = nx.path_graph(n), 0.5
        self.state_sizes, self.action_sizes = (1,) * n, (2,) * n

    def reset(self, rng: np.random.Generator) -> Array:
        return np.zeros(len(self.graph), dtype=int)

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        return a.astype(float), np.zeros(len(a), dtype=int)


def test_a_users_simulator_learns_as_the_model_does() -> None:
    """The same bandits as a model and as a user's simulator: the same words, so the same run bit for bit."""
    n = 3
    kernels = tuple(np.ones((1,) * (1 + len(neighbors)) + (2, 1)) for _, neighbors in nx.path_graph(n).adjacency())
    mdp = NetworkedMDP(nx.path_graph(n), kernels, (np.array([[0.0, 1.0]]),) * n, 0.5, (np.ones(1),) * n)
    arguments = {"kappa": 1, "M": 4, "T": 30, "record_every": 2, "seed": 6, **STEPS}
    own, house = sac(Bandits(n), uniform_theta(mdp), **arguments), sac(mdp, uniform_theta(mdp), **arguments)
    for i in range(n):
        assert np.array_equal(own.thetas[i], house.thetas[i])
    assert np.array_equal(own.J_estimate, house.J_estimate)
    assert np.array_equal(own.first_visit_share, house.first_visit_share)


REFUSED = [
    ({"kappa": -1}, ValueError, "kappa must be at least 0"),
    ({"kappa": 1.0}, TypeError, "kappa must be an integer"),
    ({"M": 0}, ValueError, "M must be at least 1"),
    ({"T": 0}, ValueError, "T must be at least 1"),
    ({"T": True}, TypeError, "T must be an integer"),
    ({"h": 0.0}, ValueError, "h must be finite and above 0"),
    ({"h": "1"}, TypeError, "h must be a number"),
    ({"t0": -1.0}, ValueError, "t0 must be finite and above 0"),
    ({"t0": float("nan")}, ValueError, "t0 must be finite"),
    ({"h": 2.0, "t0": 1.0}, ValueError, "convex combination"),
    ({"eta": 0.0}, ValueError, "eta must be finite and above 0"),
    ({"eta": float("inf")}, ValueError, "eta must be finite"),
    ({"seed": -1}, ValueError, "seed must be at least 0"),
    ({"seed": 2**64}, ValueError, "seed must lie in"),
    ({"seed": 0.5}, TypeError, "seed must be an integer"),
    ({"record_every": 0}, ValueError, "record_every must be at least 1"),
    ({"theta0": None}, TypeError, "theta0 must be a sequence of arrays, one an agent, got NoneType"),
    ({"theta0": (np.zeros((2, 2)), np.full((2, 2), "0"))}, TypeError, r"theta0\[1\] of agent 1 must hold real numbers"),
    ({"theta0": (np.zeros((2, 2)), np.zeros((2, 2), complex))}, TypeError, r"theta0\[1\] .* must hold real numbers"),
    ({"theta0": (np.zeros((2, 2)),)}, ValueError, "theta0 holds 1 arrays, but there are 2 agents"),
    ({"theta0": (np.zeros((2, 2)), np.zeros((2, 3)))}, ValueError, r"theta0\[1\] of agent 1 has shape \(2, 3\)"),
    ({"theta0": (np.zeros((2, 2)), np.full((2, 2), np.nan))}, ValueError, r"theta0\[1\] of agent 1 has logit nan"),
    ({"theta0": (np.full((2, 2), -np.inf), np.zeros((2, 2)))}, ValueError, r"theta0\[0\] of agent 0 has logit -inf"),
    ({"mdp": "a model"}, TypeError, "expected a NetworkedMDP, a CoupledMDP, a CountedMDP or a simulator, got str"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED)
def test_invalid_arguments_are_refused(change: dict[str, object], error: type[Exception], message: str) -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    arguments: dict[str, object] = {
        "mdp": mdp,
        "theta0": uniform_theta(mdp),
        "kappa": 1,
        "M": 1,
        "T": 3,
        "h": 1.0,
        "t0": 1.0,
        "eta": 1.0,
        "seed": 0,
    }
    arguments |= change
    with pytest.raises(error, match=message):
        sac(arguments.pop("mdp"), arguments.pop("theta0"), **arguments)  # type: ignore[arg-type]


def test_no_seed_is_no_run() -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    for ask in (
        partial(sac_seeds, mdp, uniform_theta(mdp), M=1, eta=1.0),
        partial(samples, mdp, uniform_theta(mdp), 0),
    ):
        with pytest.raises(ValueError, match="seeds holds no integer, expected at least one"):
            ask(kappa=0, T=2, h=1.0, t0=1.0, seeds=[])


def test_an_impossible_action_stays_impossible() -> None:
    mdp = random_mdp(nx.path_graph(2), seed=0)
    theta0 = (np.array([[0.0, -np.inf], [0.0, 0.0]]), np.zeros((2, 2)))
    trace = sac(mdp, theta0, kappa=1, M=3, T=20, h=1.0, t0=1.0, eta=1.0, seed=0)
    assert trace.theta[0][0, 1] == -np.inf
    assert np.isfinite(trace.theta[0][1]).all()


def test_a_reward_of_minus_zero_counts_as_zero() -> None:
    """The compiled critic marks untouched entries by the sign of zero, which a reward must not carry."""
    mdp = random_mdp(nx.path_graph(2), seed=0)
    shares = []
    for zero in (0.0, -0.0):
        silent = NetworkedMDP(mdp.graph, mdp.P, (np.full((2, 2), zero),) * 2, mdp.gamma, mdp.pi0)
        trace = sac(silent, uniform_theta(mdp), kappa=1, M=2, T=20, h=1.0, t0=1.0, eta=1.0, seed=0)
        shares.append(trace.first_visit_share.tolist())
    assert shares[0] == shares[1]
    assert min(shares[0]) > 0


def test_the_schedule_is_line_6_and_line_11() -> None:
    plan = schedule(3.0, 5.5, 0.3, 2000)
    assert plan.alpha.tolist() == [3.0 / (t - 1 + 5.5) for t in range(1, 2001)]
    assert plan.weight.tolist() == [0.3**t for t in range(2001)]
    assert plan.weight[-1] == 0.0
    assert schedule(1.0, 1.0, 0.0, 2).weight.tolist() == [1.0, 0.0, 0.0]
