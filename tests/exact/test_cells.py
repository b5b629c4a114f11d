"""TD's fixed point and natural-weight means, against sums over the joint chain."""

import itertools
import math
import re
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from sacrepro import NetworkedMDP, best_joint, decay_supremum, natural_weights, truncated_policy_gradient
from sacrepro.exact import dense, expected_critic, expected_update, natural_mean, q_function, td_fixed_point, truncation
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver import stationary
from sacrepro.exact.solver.stationary import eliminated_law, stationary_law
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.study.measures.fixed_points import solve


def joint_law(mdp, zeta, pi):
    n, joint = mdp.n, pi.reshape(*pi.shape, *(1,) * mdp.n)
    for j in range(n):
        shape = [1] * (2 * n)
        shape[j], shape[n + j] = zeta[j].shape
        joint = joint * zeta[j].reshape(shape)
    return joint


def outer_axes(mdp, i, kappa):
    hood = neighborhood(mdp.graph, i, kappa)
    return tuple(axis for j in range(mdp.n) if j not in hood for axis in (j, mdp.n + j))


@pytest.fixture(params=[0, 1, 2])
def case(request):
    graph = [nx.path_graph(4), nx.cycle_graph(4), nx.star_graph(3)][request.param]
    mdp = random_mdp(graph, seed=request.param, state_sizes=(2, 3, 2, 2), action_sizes=(2, 1, 3, 2))
    return mdp, gaussian_theta(mdp, np.random.default_rng(request.param))


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_natural_mean_is_the_conditional_mean(case, kappa):
    mdp, theta = case
    zeta = policies(mdp, theta)
    joint = joint_law(mdp, zeta, dense.occupancy(mdp, zeta))
    for i in range(mdp.n):
        axes = outer_axes(mdp, i, kappa)
        Q_i = q_function(mdp, theta, i)
        expected = (joint * Q_i).sum(axis=axes, keepdims=True) / joint.sum(axis=axes, keepdims=True)
        assert np.abs(natural_mean(mdp, theta, i, kappa) - expected).max() <= 1e-8


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_td_fixed_point_satisfies_its_equation(case, kappa):
    """E_μ[1{cell}(r_i + γ q(x') - q(x))] = 0 for every cell, the mean update of TD(0), over the joint chain."""
    mdp, theta = case
    zeta, n = policies(mdp, theta), mdp.n
    mu = stationary_law(chain_of(mdp, theta)).pi
    joint = joint_law(mdp, zeta, mu)
    for i in range(n):
        q = td_fixed_point(mdp, theta, i, kappa)
        axes = outer_axes(mdp, i, kappa)
        assert q.shape == tuple(1 if k in axes else d for k, d in enumerate(joint.shape))
        after = (joint_law(mdp, zeta, np.ones(mdp.state_sizes)) * q).sum(axis=tuple(range(n, 2 * n)))
        target = dense.q_function(mdp, after, i)
        gap = (joint * (target - q)).sum(axis=axes)
        assert np.abs(gap).max() <= 1e-10


def test_td_leaves_the_hull_of_q():
    """The counterexample of the audit: q*(s_1=1) = 7.5909, while Q_1(1,·) ∈ [8.6217, 8.6267]."""
    first, second = np.array([[0.98, 0.0], [0.97, 0.94]]), np.array([[1.0, 0.99], [0.57, 0.23]])
    kernels = tuple(np.stack([1 - p, p], axis=-1)[:, :, None, :] for p in (first, second))
    rewards = (np.array([[0.0], [1.0]]), np.zeros((2, 1)))
    mdp = NetworkedMDP(nx.path_graph(2), kernels, rewards, 0.9, (np.full(2, 0.5),) * 2)
    theta = uniform_theta(mdp)
    q, Q = td_fixed_point(mdp, theta, 0, 0), q_function(mdp, theta, 0)
    assert round(float(q[1, 0, 0, 0]), 4) == 7.5909
    assert round(float(Q[1].min()), 4) == 8.6217
    assert round(float(Q[1].max()), 4) == 8.6267


def test_with_every_agent_inside_both_are_q(case):
    mdp, theta = case
    for i in range(mdp.n):
        Q_i = q_function(mdp, theta, i)
        assert np.abs(td_fixed_point(mdp, theta, i, 3) - Q_i).max() <= 1e-8
        assert np.abs(natural_mean(mdp, theta, i, 3) - Q_i).max() <= 1e-8


def few_that_choose(n):
    """A path whose first three agents have two states and two actions, all others one of each."""
    sizes = [2] * 3 + [1] * (n - 3)
    return random_mdp(nx.path_graph(n), seed=0, state_sizes=sizes, action_sizes=sizes, gamma=0.5)


@pytest.mark.parametrize("n", [18, 23, 31])
def test_more_agents_inside_than_einsum_has_names_for(n):
    mdp = few_that_choose(n)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    for i in (0, 2, n - 1):
        assert np.abs(td_fixed_point(mdp, theta, i, n) - q_function(mdp, theta, i)).max() <= 1e-8
    assert natural_weights(mdp, theta, 0, n).min() == 1.0


@pytest.mark.parametrize("n", [30, 31])
def test_the_law_of_a_critic_with_more_agents_inside_than_einsum_has_names_for(n):
    mdp, few, at = few_that_choose(n), few_that_choose(3), {"h": 1.0, "t0": 2.0, "T": 5}
    few = NetworkedMDP(few.graph, (*mdp.P[:2], mdp.P[2].reshape(2, 2, 2, 2)), mdp.r[:3], 0.5, mdp.pi0[:3])
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    for kappa in (1, 2):
        small, large = (expected_critic(m, theta[: m.n], kappa=kappa, **at) for m in (few, mdp))
        assert np.abs(large[0][0].ravel() - small[0][0].ravel()).max() <= 1e-12
    assert [g.shape for g in expected_update(mdp, theta, kappa=n - 1, **at).g_hat] == [r_i.shape for r_i in mdp.r]


def test_tables_that_no_array_holds_are_refused():
    mdp = few_that_choose(32)
    theta, Q_hat = uniform_theta(mdp), [np.zeros(2)] * 32
    for asked in (
        lambda: td_fixed_point(mdp, theta, 0, 1),
        lambda: natural_weights(mdp, theta, 0, 1),
        lambda: truncated_policy_gradient(mdp, theta, Q_hat, 1),
        lambda: natural_mean(mdp, theta, 0, 1),
    ):
        with pytest.raises(ValueError, match=r"over all 32 agents has 2 axes an agent, .*: 31 agents are taken"):
            asked()
    mdp = few_that_choose(33)
    for asked in (
        lambda: expected_critic(mdp, uniform_theta(mdp), kappa=1, T=5, h=1.0, t0=2.0),
        lambda: decay_supremum(mdp, 0, 1),
        lambda: best_joint(mdp),
    ):
        with pytest.raises(ValueError, match="32 agents are taken"):
            asked()


def test_weights_that_cannot_fit_are_refused_before_a_law_is_computed():
    mdp = random_mdp(nx.path_graph(24), seed=0)
    with pytest.raises(MemoryError, match=r"w_3 with 281474976710656 entries needs .* allowed"):
        natural_weights(mdp, uniform_theta(mdp), 3, 1)


def test_several_recurrent_classes_are_refused():
    mdp = relay(3, gamma=0.9)
    with pytest.raises(ValueError, match="not unique"):
        td_fixed_point(mdp, uniform_theta(mdp), 0, 0)


def test_one_recurrent_class_among_transient_states_is_accepted():
    """Two agents that fall into state 0 for good: μ is a point mass, other cells keep finite values."""
    fall = np.zeros((2, 2, 1, 2))
    fall[..., 0] = [[[1.0], [1.0]], [[0.5], [0.5]]]
    fall[..., 1] = 1 - fall[..., 0]
    kernels = (fall, fall.transpose(1, 0, 2, 3).copy())
    rewards = (np.array([[0.0], [1.0]]),) * 2
    mdp = NetworkedMDP(nx.path_graph(2), kernels, rewards, 0.9, (np.full(2, 0.5),) * 2)
    theta = uniform_theta(mdp)
    assert np.abs(stationary_law(chain_of(mdp, theta)).pi - np.array([[1, 0], [0, 0]])).max() <= 1e-10
    q = td_fixed_point(mdp, theta, 0, 0).ravel()
    # By hand: q(0) = 0, q(1) = 1 + .9 q(1)/2.
    assert np.abs(q - [0.0, 1 / 0.55]).max() <= 1e-9


def absorbed_at_one():
    """Two agents that end in (1, 1); from s_0 = 0 what agent 0 does depends on s_1."""
    first = np.array([[[1.0, 0.0], [2 / 3, 1 / 3]], [[1.0, 0.0], [0.0, 1.0]]])[:, :, None, :]
    second = np.array([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])[:, :, None, :]
    rewards = (np.array([[1.0], [0.0]]), np.zeros((2, 1)))
    return NetworkedMDP(nx.path_graph(2), (first, second), rewards, 0.9, (np.full(2, 0.5),) * 2)


def test_transient_states_have_no_mass_at_all():
    """Where μ has none, the outside is uniform, not what rounding left: q(0) = 1 + .9 (5/6 q(0) + 1/6 q(1))."""
    mdp = absorbed_at_one()
    theta = uniform_theta(mdp)
    assert stationary_law(chain_of(mdp, theta)).pi.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert td_fixed_point(mdp, theta, 0, 0).ravel() == pytest.approx([4.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("mu", "message"),
    [
        (np.full((2, 2), np.nan), r"mu has entry nan at \(0, 0\)"),
        ([[1.5, -0.5], [0.0, 0.0]], r"mu has entry -0.5 at \(0, 1\)"),
        (np.ones((2, 2)), "mu sums to 4.0, expected 1"),
        (np.ones(4) / 4, r"mu has shape \(4,\), expected \(2, 2\)"),
    ],
)
def test_what_is_no_law_is_refused(mu, message):
    mdp = absorbed_at_one()
    with pytest.raises(ValueError, match=message):
        td_fixed_point(mdp, uniform_theta(mdp), 0, 0, mu=mu)


def test_a_periodic_chain_has_its_stationary_law():
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])[:, None, :]
    mdp = NetworkedMDP(nx.empty_graph(1), (swap,), (np.array([[0.0], [1.0]]),), 0.5, (np.array([1.0, 0.0]),))
    assert np.abs(stationary_law(chain_of(mdp, uniform_theta(mdp))).pi - 0.5).max() <= 1e-12


def test_unknown_agents_and_negative_kappa():
    mdp = random_mdp(nx.path_graph(2), seed=0)
    for function in (td_fixed_point, natural_mean):
        with pytest.raises(ValueError, match="agent 5"):
            function(mdp, uniform_theta(mdp), 5, 0)
        with pytest.raises(ValueError, match="kappa must be at least 0"):
            function(mdp, uniform_theta(mdp), 0, -1)


def hardly_leaving(others: int, gap: float, gamma: float = 0.9):
    """Agent 0 leaves state 0 with probability e^-gap / (1 + e^-gap) and state 1 three times as seldom; others mix.

    Agent 1 copies agent 0, all others toss coins, all alone but for that. μ_0 = (1/4, 3/4) whatever the gap is.
    """
    stay_or_flip = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]])
    copy = np.zeros((2, 2, 1, 2))
    copy[0, :, 0, 0] = copy[1, :, 0, 1] = 1.0
    graph = nx.empty_graph(2 + others)
    graph.add_edge(0, 1)
    own = np.broadcast_to(stay_or_flip[:, None], (2, 2, 2, 2))
    kernels = (own, copy, *(np.full((2, 1, 2), 0.5),) * others)
    rewards = (np.array([[0.0, 0.0], [1.0, 1.0]]), *(np.zeros((2, 1)),) * (1 + others))
    theta_0 = np.array([[gap, 0.0], [gap + np.log(3.0), 0.0]])
    # P(flip | 1) = 1/(1 + 3 e^gap): a third of P(flip | 0) = 1/(1 + e^gap), up to e^-gap.
    mdp = NetworkedMDP(graph, kernels, rewards, gamma, (np.array([1.0, 0.0]),) * (2 + others))
    return mdp, (theta_0, *(np.zeros((2, 1)),) * (1 + others))


@pytest.mark.parametrize("gap", [5.0, 20.0, 29.0, 40.0, 300.0])
def test_a_chain_that_hardly_ever_leaves_a_part_has_its_own_stationary_law(gap):
    """Any mixture of the two parts has a residual of e^-gap; only one is stationary."""
    mdp, theta = hardly_leaving(1, gap)
    out_0, out_1 = 1.0 / (1.0 + math.exp(gap)), 1.0 / (1.0 + 3.0 * math.exp(gap))
    law = stationary_law(chain_of(mdp, theta))
    expected = np.array([out_1, out_0]) / (out_0 + out_1)
    assert law.pi.sum(axis=(1, 2)) == pytest.approx(expected, rel=1e-12, abs=0)
    # Agent 1 is where agent 0 was: they differ only right after a passage.
    assert law.pi[1, 0].sum() == pytest.approx(expected[0] * out_0, rel=1e-12, abs=0)


def test_every_entry_of_an_eliminated_law_is_within_its_relative_error():
    """Against the balance equations in fractions, on chains whose entries span 25 orders of magnitude."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mdp = random_mdp(nx.path_graph(3), seed=seed)
        kernels = []
        for P_i in mdp.P:
            rare = 10.0 ** -rng.uniform(2.0, 12.0, P_i.shape[:-1])
            kernels.append(np.stack([1.0 - rare, rare], axis=-1)[..., :: rng.choice([-1, 1])])
        mdp = NetworkedMDP(mdp.graph, tuple(kernels), mdp.r, 0.9, mdp.pi0)
        chain = chain_of(mdp, uniform_theta(mdp))
        mu, relative = eliminated_law(chain)
        assert 0.0 < relative < 1e-12
        size = mu.size
        P_bar = [[[Fraction(float(p)) for p in row] for row in P_i.reshape(-1, 2)] for P_i in mdp.P]
        states = list(itertools.product(range(2), repeat=3))
        exact = [[math.prod(row_of(mdp, P_bar, j, s)[t[j]] for j in range(3)) for t in states] for s in states]
        sums = [sum(row) for row in exact]
        balance = [[exact[x][y] / sums[x] - (x == y) for x in range(size)] for y in range(size - 1)]
        law = solve([*balance, [Fraction(1)] * size], [Fraction(0)] * (size - 1) + [Fraction(1)])
        for state, probability in zip(states, law, strict=True):
            assert abs(Fraction(float(mu[state])) / probability - 1) <= relative
        assert mu.max() / mu.min() > 1e6


def row_of(mdp, P_bar, j, s):
    """The law of s_j' after s, with both actions alike."""
    hood = mdp.neighbors[j]
    place = int(np.ravel_multi_index([s[k] for k in hood], (2,) * len(hood)))
    rows = P_bar[j][2 * place : 2 * place + 2]
    return [(rows[0][x] + rows[1][x]) / 2 for x in range(2)]


def test_an_eliminated_law_needs_one_recurrent_class_and_no_state_of_it_too_seldom():
    for flips, known in ((0.0, False), (0.5, True)):  # agent 0 keeps its state, or takes 1 for ever
        own = np.array([[1.0 - flips, flips], [0.0, 1.0]])[:, :, None].swapaxes(1, 2)
        mdp = NetworkedMDP(nx.empty_graph(1), (own,), (np.zeros((2, 1)),), 0.9, (np.full(2, 0.5),))
        found = eliminated_law(chain_of(mdp, uniform_theta(mdp)))
        assert (found is not None) is known
        assert not known or found[0].tolist() == [0.0, 1.0]
    for gap, known in ((20.0, True), (300.0, False), (730.0, False)):
        mdp, theta = hardly_leaving(1, gap)
        assert (eliminated_law(chain_of(mdp, theta)) is not None) is known


def test_larger_chains_are_solved_from_two_starts_or_refused(monkeypatch):
    mdp, theta = hardly_leaving(4, 29.0)
    monkeypatch.setattr(stationary, "ELIMINATED", 1)
    law = stationary_law(chain_of(mdp, theta))
    assert law.pi[0].sum() == pytest.approx(0.25, rel=1e-9)
    monkeypatch.setattr(stationary, "LARGEST_DENSE", 1)
    with pytest.raises(ValueError, match=r"two starts end 1.* of its 64 recurrent joint states"):
        stationary_law(chain_of(mdp, theta))
    mixing, theta = hardly_leaving(4, 2.0)
    iterated = stationary_law(chain_of(mixing, theta))
    monkeypatch.undo()
    assert np.abs(iterated.pi - stationary_law(chain_of(mixing, theta)).pi).max() <= 1e-12


def test_passages_below_the_range_of_floats_are_refused():
    mdp, theta = hardly_leaving(0, 730.0)
    with pytest.raises(ValueError, match=r"below 1e-308"):
        stationary_law(chain_of(mdp, theta))


def test_td_on_a_chain_that_hardly_ever_leaves_a_part():
    """Agent 1 is in state 1 with probability .2 or .8 as agent 0 says: q* weighs agent 0 by Bayes' rule under μ."""
    mdp, theta = hardly_leaving(0, 40.0)
    listens = np.empty((2, 2, 1, 2))
    listens[0], listens[1] = [0.8, 0.2], [0.2, 0.8]
    rewards = (np.zeros((2, 2)), np.array([[0.0], [1.0]]))
    mdp = NetworkedMDP(mdp.graph, (mdp.P[0], listens), rewards, mdp.gamma, mdp.pi0)
    q = td_fixed_point(mdp, theta, 1, 0).ravel()
    # P(s_0 = 1 | s_1 = 0) = .75·.2 / (.75·.2 + .25·.8), and with s_1 = 1 instead .75·.8 / (.75·.8 + .25·.2).
    one = np.array([0.15 / 0.35, 0.6 / 0.65])
    rises = 0.2 + 0.6 * one
    M = np.stack([1 - rises, rises], axis=1)
    assert q == pytest.approx(np.linalg.solve(np.eye(2) - mdp.gamma * M, [0.0, 1.0]), rel=1e-9)


@pytest.mark.parametrize("graph", [nx.path_graph(7), nx.star_graph(5), nx.cycle_graph(6), nx.wheel_graph(6)], ids=str)
def test_no_product_behind_a_fixed_point_is_larger_than_is_demanded(graph, monkeypatch):
    """On the way of einsum, for every agent and κ; some product is as large, so that what is demanded is no more."""
    sizes = [2, 3, 1, 2, 3, 2, 2][: len(graph)]
    mdp = random_mdp(graph, seed=0, state_sizes=tuple(sizes), action_sizes=tuple(sizes[::-1]))
    made = []

    def noted(*operands, optimize):
        told = np.einsum_path(*operands, optimize=optimize)[1]
        made.append(float(re.search(r"Largest intermediate:\s+(\S+)", told).group(1)))
        return dense.contracted(*operands, optimize=optimize)

    monkeypatch.setattr(truncation, "contracted", noted)
    shares = []
    for i, kappa in itertools.product(range(mdp.n), range(3)):
        made.clear()
        td_fixed_point(mdp, uniform_theta(mdp), i, kappa)
        shares.append(max(made) / truncation.cell_entries(mdp, i, kappa))
    assert 0.9 < max(shares) < 1.001  # einsum tells four digits
