"""The public functions against enumeration, and the laws that every networked MDP obeys."""

import ast
import importlib
import inspect
import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sacrepro
from brute_force import BruteForce
from sacrepro import (
    NetworkedMDP,
    Policy,
    decay_profile,
    discounted_state_distribution,
    evaluate,
    exact,
    natural_weights,
    neighborhood,
    policy_gradient,
    q_function,
    softmax,
    truncate,
    truncated_policy_gradient,
)
from sacrepro.adviser.advice import advise
from sacrepro.adviser.evaluation import Objective, evaluation
from sacrepro.adviser.pilot import trained
from sacrepro.adviser.settings import Proposal
from sacrepro.exact import dense
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.instances import COUNTED
from sacrepro.instances.network.labelled import of_model
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn.samples import samples
from sacrepro.learn.transcription import outer_iteration
from sacrepro.model.graph import diameter, outside
from sacrepro.model.policy import gaussian_theta, policies
from sacrepro.simulate import Simulator, WirelessSimulator, as_simulator
from sacrepro.simulate.stepped import ModelSteps
from strategies import cases, mdps, thetas

#: How well values agree with enumeration, relative to the size of what is compared.
AGREEMENT = 1e-10


def close(computed, enumerated, scale):
    return abs(computed - enumerated) <= AGREEMENT * max(1.0, scale)


def table(values, shape):
    """A dict over joint pairs (s, a) as an array over the axes of s, then a."""
    out = np.empty(shape)
    for (s, a), value in values.items():
        out[(*s, *a)] = value
    return out


@settings(max_examples=40)
@given(cases(max_n=3))
def test_everything_agrees_with_enumeration(case):
    agrees_with_enumeration(*case)


@pytest.mark.parametrize("graph", [nx.path_graph(4), nx.cycle_graph(4), nx.star_graph(3), nx.complete_graph(4)])
def test_four_agents_agree_with_enumeration(graph):
    mdp = random_mdp(graph, seed=4, gamma=0.9, concentration=0.3)
    agrees_with_enumeration(mdp, gaussian_theta(mdp, np.random.default_rng(4)))


def agrees_with_enumeration(mdp, theta):
    zeta = policies(mdp, theta)
    brute = BruteForce(mdp, zeta)
    Q = brute.q()
    scale = mdp.r_bar / (1 - mdp.gamma)
    evaluation = evaluate(mdp, theta)
    pi = discounted_state_distribution(mdp, theta)
    gradient = policy_gradient(mdp, theta)
    D = decay_profile(mdp, theta)
    full = (*mdp.state_sizes, *mdp.action_sizes)
    assert D.shape == (mdp.n, diameter(mdp.graph) + 1)
    assert close(evaluation.J, brute.objective(Q), scale)
    law = brute.occupancy()
    assert all(close(pi[s], law[s], 1.0) for s in brute.states)
    for i in range(mdp.n):
        enumerated = table(Q[i], full)
        assert np.abs(q_function(mdp, theta, i) - enumerated).max() <= AGREEMENT * max(1.0, scale)
        V_i = brute.v(Q[i])
        assert all(close(evaluation.V[(i, *s)], V_i[s], scale) for s in brute.states)
        mean = lambda s, a: sum(Q_j[s, a] for Q_j in Q) / mdp.n  # noqa: E731
        assert np.abs(gradient[i] - brute.gradient(mean, i)).max() <= AGREEMENT * max(1.0, scale / (1 - mdp.gamma))
        for kappa in range(D.shape[1]):
            assert close(D[i, kappa], brute.decay(Q[i], i, kappa), scale)


@settings(max_examples=25)
@given(cases(max_n=3), st.integers(0, 2))
def test_truncated_gradient_agrees_with_enumeration_under_natural_weights(case, kappa):
    mdp, theta = case
    brute = BruteForce(mdp, policies(mdp, theta))
    Q = brute.q()
    Q_hat, enumerated = [], []
    for j in range(mdp.n):
        w = natural_weights(mdp, theta, j, kappa)
        law = brute.natural(j, kappa)
        for (s, a), mass in law.items():
            assert mass is None or abs(w[(*s, *a)] - mass) <= AGREEMENT
        hood = brute.hood(j, kappa)
        Q_hat.append(truncate(q_function(mdp, theta, j), neighborhood(mdp.graph, j, kappa), w))
        means = {cell: sum((law[z] or 0.0) * Q[j][z] for z in group) for cell, group in brute.cells(hood).items()}
        enumerated.append(
            lambda s, a, hood=hood, means=means: means[tuple((k, m) for k, m in ((s[x], a[x]) for x in hood))]
        )
    h_hat = truncated_policy_gradient(mdp, theta, Q_hat, kappa)
    scale = mdp.r_bar / (1 - mdp.gamma) ** 2
    for i in range(mdp.n):
        near = brute.hood(i, kappa)
        expected = brute.gradient(lambda s, a, near=near: sum(enumerated[j](s, a) for j in near) / mdp.n, i)
        assert np.abs(h_hat[i] - expected).max() <= AGREEMENT * max(1.0, scale)


@settings(max_examples=40)
@given(cases())
def test_probability_is_conserved(case):
    mdp, theta = case
    pi = discounted_state_distribution(mdp, theta)
    assert (pi >= -1e-15).all()
    assert abs(pi.sum() - 1.0) < 1e-12
    rows = dense.transition_matrix(mdp, policies(mdp, theta)).sum(axis=1)
    assert np.abs(rows - 1.0).max() < 1e-12


@settings(max_examples=40)
@given(cases())
def test_values_lie_between_zero_and_the_largest_return(case):
    mdp, theta = case
    evaluation = evaluate(mdp, theta)
    assert evaluation.V.min() >= -evaluation.error
    assert evaluation.V.max() <= mdp.r_bar / (1 - mdp.gamma) + evaluation.error


@settings(max_examples=15)
@given(cases(max_n=3))
def test_policy_gradient_matches_finite_differences(case):
    mdp, theta = case
    h = 1e-5
    gradient = policy_gradient(mdp, theta)
    # Central differences err by h²/6 times a third derivative of at most 6 r̄/(1-γ)^4, and by rounding of J over h.
    allowed = h**2 * mdp.r_bar / (1 - mdp.gamma) ** 4 + 1e-13 * mdp.r_bar / (1 - mdp.gamma) ** 2 / h
    for i in range(mdp.n):
        for entry in np.ndindex(*theta[i].shape):
            J = []
            for sign in (1, -1):
                moved = [np.array(block) for block in theta]
                moved[i][entry] += sign * h
                J.append(evaluate(mdp, moved, tol=1e-12 * max(1.0, mdp.r_bar / (1 - mdp.gamma))).J)
            assert abs((J[0] - J[1]) / (2 * h) - gradient[i][entry]) <= allowed


@settings(max_examples=30)
@given(cases(min_n=2), st.randoms(use_true_random=False))
def test_relabelling_agents_permutes_results(case, random):
    mdp, theta = case
    n = mdp.n
    new = list(range(n))
    random.shuffle(new)
    old = np.argsort(new)  # agent old[k] becomes agent k
    graph = nx.relabel_nodes(mdp.graph, dict(enumerate(new)))
    P = []
    for k in range(n):
        hood = mdp.neighbors[old[k]]
        order = np.argsort([new[j] for j in hood])
        P.append(np.transpose(mdp.P[old[k]], (*order, len(hood), len(hood) + 1)))
    relabelled = NetworkedMDP(graph, P, [mdp.r[j] for j in old], mdp.gamma, np.transpose(mdp.joint_pi0(), old).copy())
    theta_new = tuple(theta[j] for j in old)
    before, after = evaluate(mdp, theta), evaluate(relabelled, theta_new)
    tolerance = 1e-10 * max(1.0, mdp.r_bar / (1 - mdp.gamma) ** 2)
    assert abs(before.J - after.J) <= tolerance
    for k in range(n):
        assert np.abs(np.transpose(before.V[old[k]], old) - after.V[k]).max() <= tolerance
    assert np.abs(decay_profile(mdp, theta)[old] - decay_profile(relabelled, theta_new)).max() <= tolerance
    for old_block, new_block in zip(
        [policy_gradient(mdp, theta)[j] for j in old], policy_gradient(relabelled, theta_new), strict=True
    ):
        assert np.abs(old_block - new_block).max() <= tolerance


@settings(max_examples=20)
@given(st.data())
def test_a_disconnected_graph_behaves_as_its_components(data):
    left, right = data.draw(mdps(max_n=2)), data.draw(mdps(max_n=2))
    gamma = left.gamma
    right = NetworkedMDP(right.graph, right.P, right.r, gamma, right.pi0)
    both = NetworkedMDP(
        nx.disjoint_union(left.graph, right.graph),
        left.P + right.P,
        left.r + right.r,
        gamma,
        np.multiply.outer(left.joint_pi0(), right.joint_pi0()),
    )
    theta_left, theta_right = data.draw(thetas(left)), data.draw(thetas(right))
    n = both.n
    tolerance = 1e-10 * max(1.0, both.r_bar / (1 - gamma) ** 2)
    V = evaluate(both, theta_left + theta_right).V
    for mdp, theta, first in ((left, theta_left, 0), (right, theta_right, left.n)):
        alone = evaluate(mdp, theta).V
        for i in range(mdp.n):
            shape = [1] * n
            shape[first : first + mdp.n] = mdp.state_sizes
            assert np.abs(V[first + i] - alone[i].reshape(shape)).max() <= tolerance
        gradient = policy_gradient(both, theta_left + theta_right)
        for i, block in enumerate(policy_gradient(mdp, theta)):
            assert np.abs(gradient[first + i] - block * mdp.n / n).max() <= tolerance
    D = decay_profile(both, theta_left + theta_right)
    for i in range(n):
        assert D[i, -1] <= tolerance  # nothing outside the own component matters


@settings(max_examples=30)
@given(cases(min_n=2), st.integers(0, 3))
def test_the_first_rewards_do_not_depend_on_the_outside(case, kappa):
    """Light cone: E[r_i(t) | s, a] for t ≤ κ is constant over each cell of N_i^κ."""
    mdp, theta = case
    zeta = policies(mdp, theta)
    matrix = dense.transition_matrix(mdp, zeta)
    n = mdp.n
    for i in range(n):
        hood = neighborhood(mdp.graph, i, kappa)
        own = [-1 if j == i else 1 for j in range(n)]
        reward = np.broadcast_to((zeta[i] * mdp.r[i]).sum(axis=1).reshape(own), mdp.state_sizes).ravel()
        for _ in range(kappa):  # E[r_i(t) | s(0), a(0)] = Σ_s' P(s'|s,a) E[r_i(t-1) | s']
            expected = no_discount_q(mdp, reward.reshape(mdp.state_sizes))
            assert dense.oscillation(expected, hood).max() <= 1e-12 * max(1.0, mdp.r_bar)
            reward = matrix @ reward


def no_discount_q(mdp, V_i):
    """E[V_i(s') | s, a], over all states and actions."""
    free = NetworkedMDP(mdp.graph, mdp.P, [np.zeros(r_i.shape) for r_i in mdp.r], 0.5, mdp.pi0)
    return dense.q_function(free, V_i, 0) / 0.5


def test_the_light_cone_is_sharp():
    """On the relay the reward at time κ+1 does depend on the outside, so κ+1 cannot be replaced by κ+2."""
    mdp = sacrepro.instances.build({"model": "relay", "n": 4, "gamma": 0.9})
    theta = tuple(np.zeros((2, 2)) for _ in range(4))
    D = decay_profile(mdp, theta)
    for i, kappa in itertools.product(range(4), range(3)):
        if kappa < i:
            assert D[i, kappa] == pytest.approx(0.9 ** (kappa + 1) / 0.1, rel=1e-12)
        assert (kappa < i) == bool(D[i, kappa] > 1e-9)
        assert outside(mdp.graph, i, kappa) or D[i, kappa] <= 1e-12


def test_every_record_prints_as_one_line():
    """Seen: thousands of lines."""
    mdp = random_mdp(nx.path_graph(5), seed=0)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    run = {"kappa": 1, "M": 200, "T": 5, "seed": 0}
    learned = sacrepro.sac(mdp, theta, **run, h=1, t0=2, eta=1)
    network = of_model(mdp)
    own = ModelSteps(sacrepro.as_coupled(mdp))
    advice = advise(network, 1.0, seconds=0)
    settings = Proposal(1, 5, 1.0, 2.0, 1.0, ("T = 5: a reason that takes a line of its own", "t0 = 2: another one"))
    returns = trained(network, Simulator(mdp), Objective(network, Simulator(mdp)), settings, [0, 1], [0])
    records = [
        mdp,
        network,
        Simulator(mdp),
        as_simulator(own),
        WirelessSimulator([(0,), (0,)], [0.5], [0.5, 0.5], deadline=2, gamma=0.9),
        advice,
        advice.pilot,
        settings,
        returns,
        evaluation(network, theta),
        sacrepro.as_coupled(mdp),
        COUNTED["sis"](nx.star_graph(30), gamma=0.9),
        Policy.from_logits(theta),
        evaluate(mdp, theta),
        sacrepro.objective_and_gradient(mdp, theta),
        sacrepro.certified_decay(mdp, theta),
        sacrepro.worst_decay(mdp, 0, 0, starts=1, exhaustive_limit=1),
        sacrepro.local_value(mdp, theta, 0),
        sacrepro.best_joint(mdp),
        sacrepro.optimality_gap(mdp, theta),
        sacrepro.local_decay(mdp, theta, 0, 2),
        state_law(mdp, theta),
        learned,
        Simulator(mdp).rollout(policies(mdp, theta), 100, seed=0, m=0),
        samples(mdp, theta, 0, kappa=1, T=9, h=1, t0=2, seeds=(0, 1)),
        outer_iteration(mdp, theta, 0, kappa=1, T=5, h=1, t0=2, eta=1, seed=0),
        chain_of(mdp, theta),
    ]
    for record in records:
        assert "\n" not in repr(record), type(record)
        assert len(repr(record)) <= 250, repr(record)
        assert repr(record).startswith((type(record).__name__, "<sacrepro."))
    assert repr(mdp) == f"NetworkedMDP(n=5, edges=4, S=2, A=2, γ=0.9, r̄={mdp.r_bar:g})"
    assert repr(network) == repr(mdp).replace("NetworkedMDP", "Network")
    assert repr(Simulator(mdp)) == "Simulator(n=5, edges=4, S=2, A=2, γ=0.9)"
    value = evaluate(mdp, theta)
    assert f"V=array(5, 2, 2, 2, 2, 2), J={value.J:.10g}, error={value.error:.10g}" in repr(value)
    assert repr(learned).startswith("SACTrace(theta=5 arrays (2, 2), thetas=5 arrays (101, 2, 2), m=array(101,), J_est")


def test_softmax_is_public():
    assert softmax(np.zeros((1, 2))).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("front", [sacrepro, exact])
def test_type_checkers_see_the_names_that_are_loaded(front):
    """The table of names is read off the imports under TYPE_CHECKING, and a name is what its module calls so."""
    imported = {}
    for node in ast.walk(ast.parse(inspect.getsource(front))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sacrepro."):
            if node.module == "sacrepro.model":  # which reads that table
                continue
            assert all(alias.asname == alias.name for alias in node.names)
            imported |= {alias.name: node.module for alias in node.names}
    assert imported == {name: f"{front.__name__}.{room}" for name, room in front._ROOMS.items()}
    for name, module in imported.items():
        assert getattr(front, name) is getattr(importlib.import_module(module), name)


def test_a_stranger_needs_no_other_import():
    """A model built, sampled, learned from and improved, by names of the front alone."""
    mdp = sacrepro.build({"model": "relay", "n": 3, "gamma": 0.5})
    theta = sacrepro.gaussian_theta(mdp, np.random.default_rng(0))
    simulator = sacrepro.Simulator(mdp)
    run = sacrepro.sac(simulator, theta, kappa=1, M=2, T=5, h=1.0, t0=2.0, eta=0.1, seed=0)
    assert [block.shape for block in run.theta] == [block.shape for block in sacrepro.uniform_theta(simulator)]
    assert sacrepro.random_mdp(mdp.graph, seed=0).n == mdp.n


def test_every_public_name_is_there_and_documented():
    for name in sacrepro.__all__:
        assert getattr(sacrepro, name).__doc__, name
    assert set(dir(sacrepro)) == set(sacrepro.__all__)
    with pytest.raises(AttributeError, match="no attribute 'q_learning'"):
        _ = sacrepro.q_learning
