"""Warm start, TD(λ), advantages, ε-mixed policies and REINFORCE against plain Python on the same keys."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learn.plain_extensions import g_hat_error, mixed_score, plain_extended
from learn.test_algorithm1 import Bandits, learning_problems
from sacrepro.exact import evaluate, policy_gradient
from sacrepro.instances.extremal import courtesy
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import reinforce, sac, sac_seeds
from sacrepro.learn.algorithm1 import Actor, run
from sacrepro.learn.cells import carried, carry, compress, hoods, slot_of, with_room
from sacrepro.learn.critic import g_hat_blocks, mixed_blocks
from sacrepro.learn.extensions import Extended, advantage_marginals
from sacrepro.learn.problem import Problem, Settings, iterated
from sacrepro.learn.without_tables import Returns
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, softmax, uniform_theta
from sacrepro.simulate import Simulator

STEPS = {"h": 3.0, "t0": 5.0, "eta": 2.0}
EXTENSIONS = [
    {"warm_start": True},
    {"lambda_": 0.7},
    {"lambda_": 1.0},
    {"baseline": True},
    {"epsilon": 0.2},
    {"warm_start": True, "baseline": True},
    {"warm_start": True, "lambda_": 0.3},
    {"warm_start": True, "lambda_": 0.5, "baseline": True, "epsilon": 0.1},
]


def assert_same_run(mdp, theta0, trace, plain, M, T, kappa):
    """θ(m) agrees up to the rounding of the sums of line 11, J and the share of first visits as well."""
    for i in range(mdp.n):
        size = len(neighborhood(mdp.graph, i, kappa))
        allowed = 0.0
        assert np.array_equal(trace.thetas[i][0], theta0[i])
        for m in range(M):
            plain_i = plain.theta_next[m][i]
            allowed += g_hat_error(plain.magnitude[m][i], size, T, mdp.action_sizes[i]) * STEPS["eta"]
            allowed += 4 * 2.0**-53 * (np.abs(plain_i).max() + 1)
            assert np.abs(trace.thetas[i][m + 1] - plain_i).max() <= allowed
    for m in range(M):
        allowed = 4 * (mdp.n * (T + 1) + 8) * 2.0**-53 * plain.J_estimate[m]
        assert abs(trace.J_estimate[m] - plain.J_estimate[m]) <= allowed


@settings(max_examples=40, deadline=None)
@given(learning_problems(), st.sampled_from(EXTENSIONS), st.integers(1, 40), st.integers(0, 2**64 - 1))
def test_an_extension_is_its_plain_definition(problem, extension, T, seed):
    mdp, theta0, kappa = problem
    arguments = {"kappa": kappa, "M": 3, "T": T, "seed": seed, **STEPS, **extension}
    trace = sac(mdp, theta0, record_every=1, **arguments)
    plain = plain_extended(mdp, theta0, **arguments)
    assert_same_run(mdp, theta0, trace, plain, 3, T, kappa)
    assert trace.first_visit_share.tolist() == plain.share


@settings(max_examples=20, deadline=None)
@given(learning_problems(), st.integers(1, 40), st.integers(0, 2**64 - 1), st.sampled_from([0.0, 0.25]))
def test_reinforce_is_its_plain_definition(problem, T, seed, epsilon):
    mdp, theta0, kappa = problem
    arguments = {"kappa": kappa, "M": 3, "T": T, "seed": seed, "epsilon": epsilon}
    trace = reinforce(mdp, theta0, record_every=1, eta=STEPS["eta"], **arguments)
    plain = plain_extended(mdp, theta0, monte_carlo=True, **STEPS, **arguments)
    assert_same_run(mdp, theta0, trace, plain, 3, T, kappa)
    assert np.isnan(trace.first_visit_share).all()


@pytest.mark.filterwarnings("ignore:kappa")
@pytest.mark.parametrize("lambda_", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("kappa", [0, 1, 3])
def test_Q_hat_is_carried_bit_for_bit(lambda_, kappa):
    """After three outer iterations the table holds the plain dictionaries and nothing else."""
    mdp = random_mdp(nx.cycle_graph(5), seed=3, state_sizes=(2, 3, 1, 2, 4), action_sizes=(3, 2, 2, 1, 2))
    theta0 = gaussian_theta(mdp, np.random.default_rng(1))
    simulator = Simulator(mdp)
    settings = Settings(kappa=kappa, M=3, T=60, warm_start=True, lambda_=lambda_, **STEPS)
    problem = Problem(simulator, theta0, settings, (11,))
    lines = Extended(problem)
    iterated(simulator, problem, Actor(problem, lines))
    plain = plain_extended(mdp, theta0, kappa=kappa, M=3, T=60, seed=11, warm_start=True, lambda_=lambda_, **STEPS)
    found = [{} for _ in range(mdp.n)]
    for k in np.flatnonzero(lines.table.agent):
        i, number, x = int(lines.table.agent[k]) - 1, int(lines.table.cell[k]), []
        for j in reversed(neighborhood(mdp.graph, i, kappa)):
            number, z_j = divmod(number, mdp.state_sizes[j] * mdp.action_sizes[j])
            x.append(divmod(z_j, mdp.action_sizes[j]))
        found[i][tuple(reversed(x))] = float(lines.table.value[k])
    assert found == plain.Q_hat[-1]
    assert int(lines.table.taken[0]) == sum(map(len, found))


def test_the_defaults_are_algorithm_1():
    mdp = random_mdp(nx.path_graph(4), seed=0)
    arguments = {"kappa": 1, "M": 4, "T": 50, "seed": 1, "record_every": 1, **STEPS}
    bare = sac(mdp, uniform_theta(mdp), **arguments)
    said = sac(mdp, uniform_theta(mdp), warm_start=False, lambda_=0, baseline=False, epsilon=0, **arguments)
    assert all(np.array_equal(a, b) for a, b in zip(bare.thetas, said.thetas, strict=True))
    for extension in EXTENSIONS:
        other = sac(mdp, uniform_theta(mdp), **extension, **arguments)
        assert not all(np.array_equal(a, b) for a, b in zip(bare.thetas, other.thetas, strict=True)), extension


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_extended_seeds_in_one_call_are_the_seeds_one_by_one(extension):
    mdp = random_mdp(nx.cycle_graph(6), seed=0)
    theta0 = uniform_theta(mdp)
    arguments = {"kappa": 1, "M": 4, "T": 50, "record_every": 2, **STEPS, **extension}
    together = sac_seeds(mdp, theta0, seeds=(4, 0, 9), **arguments)
    for seed, trace in zip((4, 0, 9), together, strict=True):
        alone = sac(mdp, theta0, seed=seed, **arguments)
        assert all(np.array_equal(a, b) for a, b in zip(trace.thetas, alone.thetas, strict=True))
        assert np.array_equal(trace.first_visit_share, alone.first_visit_share)
        assert np.array_equal(trace.J_estimate, alone.J_estimate)
        assert trace.m.tolist() == alone.m.tolist() == [0, 2, 4]
    assert not np.array_equal(together[0].theta[0], together[1].theta[0])


def test_reinforce_seeds_are_the_seeds_one_by_one():
    mdp = random_mdp(nx.cycle_graph(6), seed=0)
    arguments = {"kappa": 1, "M": 4, "T": 50, "eta": 1.0}
    together = run(Returns, mdp, uniform_theta(mdp), Settings(**arguments), (4, 9))
    for seed, trace in zip((4, 9), together, strict=True):
        alone = reinforce(mdp, uniform_theta(mdp), seed=seed, **arguments)
        assert all(np.array_equal(a, b) for a, b in zip(trace.theta, alone.theta, strict=True))
    assert not np.array_equal(together[0].theta[0], together[1].theta[0])


@pytest.mark.parametrize("extension", [*EXTENSIONS, None])
def test_extensions_on_a_users_simulator(extension):
    """The same bandits as a model and as a user's simulator: the same run bit for bit."""
    n = 3
    kernels = tuple(np.ones((1,) * (1 + len(neighbors)) + (2, 1)) for _, neighbors in nx.path_graph(n).adjacency())
    mdp = NetworkedMDP(nx.path_graph(n), kernels, (np.array([[0.0, 1.0]]),) * n, 0.5, (np.ones(1),) * n)
    arguments = {"kappa": 1, "M": 4, "T": 30, "record_every": 2, "seed": 6}
    if extension is None:
        own, house = (reinforce(which, uniform_theta(mdp), eta=2.0, **arguments) for which in (Bandits(n), mdp))
    else:
        own, house = (sac(which, uniform_theta(mdp), **STEPS, **extension, **arguments) for which in (Bandits(n), mdp))
    assert all(np.array_equal(a, b) for a, b in zip(own.thetas, house.thetas, strict=True))
    assert np.array_equal(own.J_estimate, house.J_estimate)


def test_a_baseline_leaves_the_gradient_of_a_fixed_table_unchanged():
    """Every cell of the middle agent of a path once, with its probability: Σ W (Q̂ - b) score = Σ W Q̂ score."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(2, 3, 2), action_sizes=(3, 2, 2))
    rng = np.random.default_rng(4)
    zeta = [softmax(theta_i) for theta_i in gaussian_theta(mdp, rng)]
    sizes = tuple(S * A for S, A in zip(mdp.state_sizes, mdp.action_sizes, strict=True))
    z = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes)).astype(np.uint8)
    s = z // np.array(mdp.action_sizes)[:, None]
    law = rng.dirichlet(np.ones(np.prod(mdp.state_sizes))).reshape(mdp.state_sizes)
    W = law[tuple(s)]
    for i in range(3):
        W = W * zeta[i].ravel()[z[i]]
    cells = len(W)
    Q_hat, code = rng.standard_normal(cells), np.arange(cells, dtype=np.uint64)
    slot, ids = np.zeros(1 << (2 * cells).bit_length(), np.uint32), np.zeros(cells, np.uint16)
    first = np.zeros(cells, np.uint32)
    assert compress(code, slot, ids, first) == cells
    pair, A = np.concatenate([[0], np.cumsum(sizes)]), np.array(mdp.action_sizes, np.uint32)
    flat = np.concatenate([zeta_i.ravel() for zeta_i in zeta])
    around = hoods(mdp.graph, 1, mdp.state_sizes, mdp.action_sizes)
    advantages = np.zeros(pair[-1])
    advantage_marginals(
        W, Q_hat, cells, first, code, slot, carried(1), z, A, pair, flat, around, 1, advantages
    )  # fmt: skip
    plain = np.zeros(pair[-1])
    for i in range(3):
        np.add.at(plain, pair[i] + z[i].astype(int), W * Q_hat)
    assert np.abs(advantages - plain).max() > 1e-3
    for G in (advantages, plain):
        g_hat_blocks(pair, A, flat, 3, G, G)
    assert np.abs(plain).max() > 1e-3
    assert np.abs(advantages - plain).max() <= 1e-14


def test_the_score_of_a_mixture_is_its_derivative():
    """Central differences of log ζ^ε; the step's cube root balances truncation and rounding."""
    theta_i, epsilon, step = np.random.default_rng(0).standard_normal((2, 3)), 0.3, 1e-5

    def log_zeta(logits):
        zeta = np.empty(6)
        mixed_blocks(np.array([0, 6]), np.array([3], np.uint32), softmax(logits).ravel(), epsilon, zeta)
        assert np.abs(zeta.reshape(2, 3).sum(axis=1) - 1).max() <= 1e-15
        assert zeta.min() >= epsilon / 3
        return np.log(zeta.reshape(2, 3))

    for s in range(2):
        for a in range(3):
            for b in range(3):
                change = np.zeros((2, 3))
                change[s, b] = step
                difference = (log_zeta(theta_i + change) - log_zeta(theta_i - change))[s, a] / (2 * step)
                assert abs(difference - mixed_score(softmax(theta_i), epsilon, s, a)[b]) <= 1e-9


def test_a_mixture_keeps_every_action_possible():
    """With ε = 0 the second action never occurs; with ε = 1/2 it has probability 1/4 whatever θ is."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 2, 1)),), (np.array([[0.0, 1.0]]),), 0.0, (np.ones(1),))
    theta0 = (np.array([[0.0, -np.inf]]),)
    arguments = {"kappa": 0, "M": 400, "T": 1, "seed": 3, "h": 1.0, "t0": 1.0, "eta": 1.0}
    assert sac(mdp, theta0, **arguments).J_estimate.max() == 0.0
    mixed = sac(mdp, theta0, epsilon=0.5, **arguments)
    assert abs(mixed.J_estimate.mean() - 0.25) <= 6 * np.sqrt(0.25 * 0.75 / 400)
    assert mixed.theta[0][0, 1] == -np.inf


def test_the_mean_of_reinforce_at_the_diameter_is_the_policy_gradient():
    """Agent 1 copies agent 0, whose action is its next state; agent 1 alone is rewarded.

    One ascent from each of many seeds: at κ = 1 the mean lies within six standard errors of ∇J, at κ = 0 agent 0 is
    told nothing.
    """
    P = (np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2, 2)))
    for s0, s1, a in np.ndindex(2, 2, 2):
        P[0][s0, s1, a, a] = 1.0
        P[1][s0, s1, a, s0] = 1.0
    r = (np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    mdp = NetworkedMDP(nx.path_graph(2), P, r, 0.5, (np.full(2, 0.5),) * 2)
    theta0 = gaussian_theta(mdp, np.random.default_rng(2))
    start, exact = (np.concatenate([block.ravel() for block in x]) for x in (theta0, policy_gradient(mdp, theta0)))
    within = {}
    for kappa in (0, 1):
        traces = run(Returns, mdp, theta0, Settings(kappa=kappa, M=1, T=50, eta=1.0), range(4000))
        steps = np.array([np.concatenate([block.ravel() for block in trace.theta]) for trace in traces]) - start
        allowed = 6 * steps.std(axis=0) / np.sqrt(len(steps))
        within[kappa] = (np.abs(steps.mean(axis=0) - exact) <= allowed).all()
    assert within == {0: False, 1: True}


@pytest.mark.filterwarnings("ignore:kappa")
def test_beyond_the_diameter_nothing_changes():
    mdp = random_mdp(nx.path_graph(4), seed=0)
    arguments = {"M": 3, "T": 30, "seed": 1, **STEPS}
    full, wider = (sac(mdp, uniform_theta(mdp), kappa=kappa, **arguments) for kappa in (3, 9))
    assert all(np.array_equal(a, b) for a, b in zip(full.theta, wider.theta, strict=True))


def test_the_carried_table_grows_without_loss():
    rng = np.random.default_rng(0)
    entries = {
        (int(i), int(x)): float(v) for i, x, v in zip(*rng.integers(0, 9, (2, 400)), rng.random(400), strict=True)
    }
    table = carried(1)
    for i, x in entries:
        table = with_room(table, 1)
        carry(table, i, np.uint64(x), entries[i, x])
    assert int(table.taken[0]) == len(entries)
    assert 2 * len(entries) <= len(table.agent)
    for (i, x), value in entries.items():
        at = slot_of(table, i, np.uint64(x))
        assert table.agent[at] == i + 1
        assert table.value[at] == value
    assert table.agent[slot_of(table, 77, np.uint64(3))] == 0


@pytest.mark.parametrize(
    ("extension", "error", "message"),
    [
        ({"warm_start": 1}, TypeError, "warm_start must be True or False, got 1"),
        ({"baseline": "yes"}, TypeError, "baseline must be True or False"),
        ({"lambda_": -0.1}, ValueError, r"lambda_ must lie in \[0, 1\]"),
        ({"lambda_": 1.5}, ValueError, r"lambda_ must lie in \[0, 1\]"),
        ({"lambda_": float("nan")}, ValueError, r"lambda_ must lie in \[0, 1\]"),
        ({"lambda_": True}, TypeError, "lambda_ must be a number"),
        ({"epsilon": 1.0}, ValueError, r"epsilon must lie in \[0, 1\), got 1.0"),
        ({"epsilon": -1e-9}, ValueError, r"epsilon must lie in \[0, 1\)"),
        ({"epsilon": "0.1"}, TypeError, "epsilon must be a number"),
    ],
)
def test_invalid_extensions_are_refused(extension, error, message):
    mdp = random_mdp(nx.path_graph(2), seed=0)
    with pytest.raises(error, match=message):
        sac(mdp, uniform_theta(mdp), kappa=1, M=1, T=3, h=1.0, t0=1.0, eta=1.0, seed=0, **extension)
    if "epsilon" in extension:
        with pytest.raises(error, match=message):
            reinforce(mdp, uniform_theta(mdp), kappa=1, M=1, T=3, eta=1.0, seed=0, **extension)


@pytest.mark.parametrize("extension", [{"warm_start": True}, {"baseline": True}])
def test_too_many_cells_to_number_are_refused(extension):
    mdp = random_mdp(nx.path_graph(40), seed=0)
    arguments = {"M": 1, "T": 3, "h": 1.0, "t0": 1.0, "eta": 1.0, "seed": 0}
    sac(mdp, uniform_theta(mdp), kappa=15, **arguments, **extension)  # 31 agents, 2^62 cells
    message = r"needs at most 2\^62 cells an agent, but agent 16 has 2\^66.0 with the 33 agents"
    with pytest.raises(ValueError, match=message):
        sac(mdp, uniform_theta(mdp), kappa=16, **arguments, **extension)
    sac(mdp, uniform_theta(mdp), kappa=16, **arguments, lambda_=0.5)


def test_with_too_few_steps_a_wide_critic_is_myopic():
    """On the courtesy chain at κ = 3 most updates are first visits, Q̂ is hardly more than α r, and J falls."""
    mdp = courtesy(7, gamma=0.9, coupling=0.7, most=3)
    start = evaluate(mdp, uniform_theta(mdp)).J
    arguments = {"M": 600, "T": 300, "h": 50.0, "t0": 100.0, "eta": 0.5, "seeds": range(24)}
    wide = sac_seeds(mdp, uniform_theta(mdp), kappa=3, **arguments)
    assert np.mean([trace.first_visit_share[0] for trace in wide]) > 0.7
    J = np.array([evaluate(mdp, trace.theta).J for trace in wide])
    assert J.mean() + 4 * J.std() / np.sqrt(24) < start
