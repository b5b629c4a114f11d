"""SARSA and Q-learning on truncated Q-functions against plain Python on the same keys, and where they must end."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn.plain_control import plain_control
from learn.test_algorithm1 import Bandits, learning_problems
from sacrepro.exact import evaluate
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import control
from sacrepro.learn.problem import Problem, Settings, iterated
from sacrepro.learn.td_control import QTables, run_control
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import softmax
from sacrepro.simulate import Simulator

STEPS = {"h": 3.0, "t0": 5.0}
VARIANTS = [
    {"target": target, **explore}
    for target in ("sarsa", "q_learning")
    for explore in ({"epsilon": 0.3}, {"epsilon": 0.0}, {"temperature": 0.5})
]


@settings(max_examples=60, deadline=None)
@given(learning_problems(), st.sampled_from(VARIANTS), st.integers(1, 40), st.integers(0, 2**64 - 1))
def test_control_is_its_plain_definition(problem, variant, T, seed):
    """ε-greedy policies agree bit for bit, Boltzmann ones up to the rounding of one division and one exponential."""
    mdp, _, kappa = problem
    arguments = {"kappa": kappa, "M": 4, "T": T, "seed": seed, **STEPS, **variant}
    trace = control(mdp, record_every=1, **arguments)
    policies, _, J, share = plain_control(mdp, **arguments)
    for m in range(5):
        for i in range(mdp.n):
            assert np.abs(softmax(trace.thetas[i][m]) - policies[m][i]).max() <= 1e-13
    assert trace.first_visit_share.tolist() == share
    for m in range(4):
        assert abs(trace.J_estimate[m] - J[m]) <= 4 * (mdp.n * (T + 1) + 8) * 2.0**-53 * J[m]


@pytest.mark.filterwarnings("ignore:kappa")
@pytest.mark.parametrize("target", ["sarsa", "q_learning"])
@pytest.mark.parametrize("kappa", [0, 1, 3])
def test_tables_are_kept_bit_for_bit(target, kappa):
    mdp = random_mdp(nx.cycle_graph(5), seed=3, state_sizes=(2, 3, 1, 2, 4), action_sizes=(3, 2, 2, 1, 2))
    simulator = Simulator(mdp)
    settings = Settings(kappa=kappa, M=3, T=60, **STEPS)
    problem = Problem(simulator, tuple(np.zeros(r_i.shape) for r_i in mdp.r), settings, (11,))
    tables = QTables(problem, target, 0.2, None)
    iterated(simulator, problem, tables)
    _, Q_hat, _, _ = plain_control(mdp, kappa=kappa, M=3, T=60, seed=11, target=target, epsilon=0.2, **STEPS)
    found = [{} for _ in range(mdp.n)]
    for k in np.flatnonzero(tables.Q_hat.agent):
        i, number, x = int(tables.Q_hat.agent[k]) - 1, int(tables.Q_hat.cell[k]), []
        for j in reversed(neighborhood(mdp.graph, i, kappa)):
            number, z_j = divmod(number, mdp.state_sizes[j] * mdp.action_sizes[j])
            x.append(divmod(z_j, mdp.action_sizes[j]))
        found[i][tuple(reversed(x))] = float(tables.Q_hat.value[k])
    assert found == Q_hat


@pytest.mark.parametrize("variant", VARIANTS)
def test_seeds_in_one_call_are_the_seeds_one_by_one(variant):
    mdp = random_mdp(nx.cycle_graph(6), seed=0)
    arguments = {"kappa": 1, "M": 4, "T": 50, "record_every": 2, **STEPS, **variant}
    settings = Settings(**{name: value for name, value in arguments.items() if name not in variant})
    together = run_control(mdp, settings, (4, 0, 9), **variant)
    for seed, trace in zip((4, 0, 9), together, strict=True):
        alone = control(mdp, seed=seed, **arguments)
        assert all(np.array_equal(a, b) for a, b in zip(trace.thetas, alone.thetas, strict=True))
        assert np.array_equal(trace.J_estimate, alone.J_estimate)
        assert np.array_equal(trace.first_visit_share, alone.first_visit_share)
    assert not np.array_equal(together[0].J_estimate, together[1].J_estimate)


def test_q_learning_on_a_users_simulator():
    """The same bandits as a model and as a user's simulator: the same run bit for bit."""
    n = 3
    kernels = tuple(np.ones((1,) * (1 + len(neighbors)) + (2, 1)) for _, neighbors in nx.path_graph(n).adjacency())
    mdp = NetworkedMDP(nx.path_graph(n), kernels, (np.array([[0.0, 1.0]]),) * n, 0.5, (np.ones(1),) * n)
    arguments = {"kappa": 1, "M": 4, "T": 30, "seed": 6, "target": "q_learning", "epsilon": 0.5, **STEPS}
    own, house = control(Bandits(n), **arguments), control(mdp, **arguments)
    assert all(np.array_equal(a, b) for a, b in zip(own.thetas, house.thetas, strict=True))
    assert np.array_equal(own.J_estimate, house.J_estimate)


def best_deterministic(mdp):
    """max J over the deterministic policies of one agent, by enumeration."""
    S, A = mdp.r[0].shape
    logits = np.where(np.eye(A) == 1, 0.0, -np.inf)
    return max(evaluate(mdp, (logits[list(choice)],)).J for choice in np.ndindex(*(A,) * S))


@pytest.mark.parametrize("target", ["sarsa", "q_learning"])
def test_one_agent_learns_the_best_policy(target):
    """With one agent the marginal is the table: both methods are the textbook's and find the optimum."""
    mdp = random_mdp(nx.empty_graph(1), seed=4, state_sizes=(3,), action_sizes=(2,), gamma=0.8, concentration=0.2)
    trace = control(mdp, kappa=0, M=400, T=200, h=20.0, t0=40.0, seed=0, target=target, epsilon=0.5)
    greedy = tuple(np.where(theta_i == theta_i.max(axis=1, keepdims=True), 0.0, -np.inf) for theta_i in trace.theta)
    assert abs(evaluate(mdp, greedy).J - best_deterministic(mdp)) <= 1e-9
    uniform = (np.zeros(mdp.r[0].shape),)
    assert evaluate(mdp, greedy).J > evaluate(mdp, uniform).J + 0.01


def test_a_neighbor_that_is_not_rewarded_acts_for_the_one_that_is():
    """Agent 1 copies agent 0, whose action is its next state, and alone is rewarded: κ = 1 sees it, κ = 0 does not."""
    P = (np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2, 2)))
    for s0, s1, a in np.ndindex(2, 2, 2):
        P[0][s0, s1, a, a] = 1.0
        P[1][s0, s1, a, s0] = 1.0
    r = (np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    mdp = NetworkedMDP(nx.path_graph(2), P, r, 0.8, (np.full(2, 0.5),) * 2)
    arguments = {"M": 100, "T": 200, "h": 20.0, "t0": 40.0, "seed": 0, "epsilon": 0.5}
    for target in ("sarsa", "q_learning"):
        near = control(mdp, kappa=1, target=target, **arguments)
        assert (near.theta[0][:, 1] > near.theta[0][:, 0]).all()
        alone = control(mdp, kappa=0, target=target, **arguments)
        assert np.array_equal(alone.theta[0], np.log(np.full((2, 2), 0.5)))


def test_the_two_targets_differ():
    mdp = random_mdp(nx.path_graph(4), seed=0)
    arguments = {"kappa": 1, "M": 6, "T": 50, "seed": 1, "temperature": 0.5, **STEPS}
    sarsa, q_learning = (control(mdp, target=target, **arguments) for target in ("sarsa", "q_learning"))
    assert not np.array_equal(sarsa.J_estimate, q_learning.J_estimate)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"target": "expected"}, ValueError, "target must be one of sarsa, q_learning, got 'expected'"),
        ({"epsilon": None}, ValueError, "exactly one of epsilon and temperature"),
        ({"temperature": 1.0}, ValueError, "exactly one of epsilon and temperature"),
        ({"epsilon": 1.5}, ValueError, r"epsilon must lie in \[0, 1\]"),
        ({"epsilon": float("nan")}, ValueError, r"epsilon must lie in \[0, 1\]"),
        ({"epsilon": True}, TypeError, "epsilon must be a number"),
        ({"epsilon": None, "temperature": 0.0}, ValueError, "temperature must be finite and above 0"),
        ({"epsilon": None, "temperature": "1"}, TypeError, "temperature must be a number"),
        ({"kappa": -1}, ValueError, "kappa must be at least 0"),
        ({"h": 2.0, "t0": 1.0}, ValueError, "convex combination"),
        ({"seed": 2**64}, ValueError, "seed must lie in"),
    ],
)
def test_invalid_arguments_are_refused(change, error, message):
    arguments = {"kappa": 1, "M": 1, "T": 3, "h": 1.0, "t0": 1.0, "seed": 0, "epsilon": 0.1} | change
    with pytest.raises(error, match=message):
        control(random_mdp(nx.path_graph(2), seed=0), **arguments)


def test_too_many_cells_to_number_are_refused():
    mdp = random_mdp(nx.path_graph(40), seed=0)
    with pytest.raises(ValueError, match=r"control needs at most 2\^62 cells an agent, but agent 16 has 2\^66.0"):
        control(mdp, kappa=16, M=1, T=3, h=1.0, t0=1.0, seed=0, epsilon=0.1)
