"""Neighbors' actions in kernels cost Lemmas 3 and 4 nothing; neighbors in rewards cost one power of γ, exactly."""

import itertools
from functools import partial
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array

from brute_force import CoupledBruteForce
from claims.instances import RELAY, random_case, uniform_case
from sacrepro import CoupledMDP
from sacrepro.bounds.decay import actions_one_hop_later, lemma3, reward_radius
from sacrepro.bounds.gradient import lemma4, reward_radius_gradient, reward_radius_natural, score_sum_factor
from sacrepro.bounds.influence import influence_matrix, reward_radius_influence
from sacrepro.exact.truncation import truncated_policy_gradient
from sacrepro.instances.relay import longest_shortest_path, relay_along
from sacrepro.instances.wireless import wireless
from sacrepro.model.policy import SCORE_BOUND, policies, uniform_theta
from sacrepro.study.claims.reward_radius import check, coupled, decay_rows, gradient_rows
from sacrepro.study.record.case import Case, gradient_error
from sacrepro.study.record.comparison import holds, verdict
from strategies import coupled_cases, coupled_mdps, graphs

DRAWN = SimpleNamespace(instance="drawn", policy="drawn")
DRAWN.left = partial(Case.left, DRAWN)


@settings(max_examples=60, deadline=None)
@given(coupled_cases(local_rewards=True))
def test_holds_for_local_rewards(case):
    """Lemma 3 and Lemma 4 as printed, for kernels that see neighbors' actions."""
    exact = coupled(*case)
    rows = [*decay_rows(DRAWN, "", "", exact, 0), *gradient_rows(DRAWN, "", exact, 0)]
    assert all(holds(row) for row in rows)


@settings(max_examples=60, deadline=None)
@given(coupled_cases())
def test_holds_for_rewards_of_radius_one(case):
    exact = coupled(*case)
    rows = [*decay_rows(DRAWN, "", "", exact, 1), *gradient_rows(DRAWN, "", exact, 1)]
    assert all(holds(row) for row in rows)


@settings(max_examples=30, deadline=None)
@given(coupled_cases())
def test_left_sides_agree_with_enumeration(case):
    mdp, theta = case
    brute = CoupledBruteForce(mdp, policies(mdp, theta))
    Q = brute.q()
    for row in decay_rows(DRAWN, "", "", coupled(mdp, theta), 1):
        assert row.left == pytest.approx(brute.decay(Q[row.agent], row.agent, row.kappa), abs=row.error + 1e-12)


@settings(max_examples=25)
@given(graphs(min_n=2, max_n=6))
def test_tight_on_every_graph_with_an_edge(graph):
    """The relay along a longest shortest path attains γ^{κ+1-R}/(1-γ) at its k-th agent, κ = k-1."""
    path = longest_shortest_path(graph)
    for radius in (0, 1):
        mdp = relay_along(graph, gamma=0.8, radius=radius)
        rows = list(decay_rows(DRAWN, "", "", coupled(mdp, uniform_theta(mdp)), radius))
        for k in range(1, len(path)):
            row = next(row for row in rows if (row.agent, row.kappa) == (path[k], k - 1))
            assert row.left == pytest.approx(0.8 ** (k - radius) / (1 - 0.8), abs=row.error)
            assert not holds(row._replace(right=0.8 * row.right))
        if len(path) > 1:
            assert verdict("reward_radius", "", "", rows).verdict == "tight"


def heard(gamma, *, radius):
    """Two agents: agent 0 keeps its first action in its state (0 ready, 1 and 2 hold action 0 and 1) forever.

    Agent 1 hears the action itself: for radius 0 it copies it into its own bit, s_1, which pays; for radius 1 it has
    one state and is paid by what agent 0 does or holds.
    """
    keep = np.zeros((3, 2, 3))
    keep[0, 0, 1] = keep[0, 1, 2] = 1.0
    keep[1, :, 1] = keep[2, :, 2] = 1.0
    said = np.array([[0, 1], [0, 0], [1, 1]])  # the bit that agent 0 shows, by (s_0, a_0)
    S_1 = 1 if radius else 2
    P_0 = np.broadcast_to(keep[:, None, :, None, :], (3, S_1, 2, 1, 3))
    P_1 = np.ones((3, 1, 2, 1, 1)) if radius else np.broadcast_to(np.eye(2)[said][:, None, :, None, :], (3, 2, 2, 1, 2))
    r_1 = said[:, None, :, None] if radius else np.broadcast_to(np.array([0.0, 1.0])[:, None, None], (3, 2, 2, 1))
    pi0 = (np.eye(3)[0], np.eye(S_1)[0])
    return CoupledMDP(nx.path_graph(2), (P_0, P_1), (np.zeros((3, S_1, 2, 1)), r_1), gamma, pi0)


@pytest.mark.parametrize("radius", [0, 1])
@pytest.mark.parametrize("gamma", [0.1, 0.9])
def test_tight_for_a_neighbors_action(radius, gamma):
    """D_1(0) = γ^{1-R}/(1-γ), through the action alone."""
    mdp = heard(gamma, radius=radius)
    exact = coupled(mdp, uniform_theta(mdp))
    row = next(row for row in decay_rows(DRAWN, "", "", exact, radius) if row.agent == 1)
    assert row.left == pytest.approx(gamma ** (1 - radius) / (1 - gamma), abs=row.error)
    assert row.left == pytest.approx(row.right, abs=row.error)
    through_action = exact.Q[1][0, 0, 1, 0] - exact.Q[1][0, 0, 0, 0]
    assert through_action == pytest.approx(row.left, abs=2 * exact.Q_error)


def test_necessary_local_rewards_for_lemma3():
    """Lemma 3 is false for radius 1: two agents, agent 0 keeps its bit, r_1 = s_0, so D_1(0) = 1/(1-γ) > γ/(1-γ)."""
    mdp = relay_along(nx.path_graph(2), gamma=0.9, radius=1)
    row = next(row for row in decay_rows(DRAWN, "", "", coupled(mdp, uniform_theta(mdp)), 1) if row.agent == 1)
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    assert row.left == pytest.approx(10.0, abs=row.error)
    assert row.left > c * rho ** (row.kappa + 1) + row.error


def test_necessary_local_rewards_for_lemma4():
    """Lemma 4 is false for radius 1: at κ = 0 agent 0 does not know that its action pays agent 1, at once."""
    mdp = heard(0.05, radius=1)
    exact = coupled(mdp, uniform_theta(mdp))
    row = next(row for row in gradient_rows(DRAWN, "", exact, 1) if row.agent == 0 and row.case == "natural")
    # Q_1 moves by 1/(1-γ) with the first action, a fair coin, in the starting state, which has mass 1-γ; n = 2.
    assert row.left == pytest.approx(np.sqrt(2) / 8 / 0.95, abs=row.error)
    c, rho = lemma3(1.0, 0.05)
    assert row.left > lemma4(c, rho, 0, SCORE_BOUND, 0.05) + row.error
    assert row.left <= reward_radius_gradient(1.0, 0.05, 0, 1, SCORE_BOUND)


def test_necessary_agents_at_distance_kappa():
    """Eq. (7) must sum j up to distance κ. In the plain model those at κ exactly could be left out at no cost in the
    exponent; here leaving out agent 1 at κ = 1 loses γ/(1-γ) of Q_1, more than γ²/(1-γ) allows."""
    gamma = 0.05
    mdp = heard(gamma, radius=0)
    theta = uniform_theta(mdp)
    exact = coupled(mdp, theta)
    error = gradient_error(mdp, exact.Q_error, exact.pi_error, exact.nabla_error)
    whole = truncated_policy_gradient(mdp, theta, exact.Q, 1)
    assert np.linalg.norm(whole[0] - exact.gradient[0]) <= error
    without = truncated_policy_gradient(mdp, theta, [exact.Q[0], np.zeros_like(exact.Q[1])], 1)
    left = np.linalg.norm(without[0] - exact.gradient[0])
    assert left == pytest.approx(np.sqrt(2) / 8 * gamma / (1 - gamma), abs=2 * error)
    assert left > reward_radius_gradient(1.0, gamma, 1, 0, SCORE_BOUND)


def test_necessary_kernels_without_neighbors_actions():
    """`actions_one_hop_later` is false here: at κ = 1 its smaller cell forgets a_0, which moves Q_1 by γ/(1-γ)."""
    mdp = heard(0.9, radius=0)
    Q_1 = coupled(mdp, uniform_theta(mdp)).Q[1]
    assert np.ptp(Q_1, axis=2).max() == pytest.approx(9.0, abs=1e-8)
    assert np.ptp(Q_1, axis=2).max() > actions_one_hop_later(1.0, 0.9, 1)


def test_natural_weights_are_tight_as_gamma_vanishes():
    """The one agent beyond κ = 0 is charged Mγ/(1-γ) and loses γ/(1-γ): ratio 1/M."""
    gamma = 0.02
    mdp = heard(gamma, radius=0)
    exact = coupled(mdp, uniform_theta(mdp))
    row = next(row for row in gradient_rows(DRAWN, "", exact, 0) if row.agent == 0 and row.hypothesis == "ĥ natural, ")
    assert row.right == reward_radius_natural((1, 1), 0, 2, gamma, 1.0, 0)
    assert row.left / row.right == pytest.approx(1 / score_sum_factor(gamma), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(coupled_mdps())
def test_influence_matrix_agrees_with_enumeration(mdp):
    """C_ij by a loop over every two rows of P_i that differ in the pair of j alone."""
    expected = np.zeros((mdp.n, mdp.n))
    for i, hood in enumerate(mdp.neighbors):
        rows = list(np.ndindex(*mdp.r[i].shape))
        for x, y in itertools.combinations(rows, 2):
            differing = {hood[k % len(hood)] for k in range(len(x)) if x[k] != y[k]}
            if len(differing) == 1:
                j = differing.pop()
                expected[i, j] = max(expected[i, j], 0.5 * np.abs(mdp.P[i][x] - mdp.P[i][y]).sum())
    assert np.abs(influence_matrix(mdp).toarray() - expected).max() <= 1e-12


def test_necessary_what_the_reward_sees_in_the_influence_series():
    """With r_1 = s_0 the series over agent 1 alone misses what agent 0 shows at t = 0: it is short by the factor γ."""
    mdp = relay_along(nx.path_graph(2), gamma=0.9, radius=1)
    C, outsiders = influence_matrix(mdp), np.array([[1.0], [0.0]])
    sees_both = csr_array(np.ones((2, 2)))
    D = coupled(mdp, uniform_theta(mdp)).Q[1].max()
    assert reward_radius_influence(C, sees_both, outsiders, 0.9, 1.0)[1, 0] == pytest.approx(D, rel=1e-9)
    assert reward_radius_influence(C, csr_array(np.eye(2)), outsiders, 0.9, 1.0)[1, 0] < 0.95 * D


def test_influence_certifies_a_faster_decay_of_wireless_access():
    """With d = 1 a queue forgets in one slot, so D_i(κ) = 0 for κ ≥ 1; the influence series says so, γ^κ does not."""
    mdp = wireless(rows=1, columns=4, deadline=1, p=0.5, q=0.9)
    rows = list(decay_rows(DRAWN, "", "", coupled(mdp, uniform_theta(mdp)), 1))
    assert all(holds(row) for row in rows)
    for row in rows:
        if row.kappa >= 1:
            assert row.left <= row.error
            assert row.right < 1e-9 if row.hypothesis == "D influence, " else row.right > 0.5


def test_check_makes_models_of_the_case():
    rows = list(check(random_case()))
    assert all(holds(row) for row in rows)
    assert {row.hypothesis for row in rows} == {
        f"{what}, {kind}" for what in ("D", "D influence", "ĥ", "ĥ natural") for kind in ("kernels", "rewards")
    }
    assert {row.case for row in rows if row.hypothesis.startswith("D")} == {"relay", "random"}
    tight = [row for row in check(uniform_case(RELAY)) if row.hypothesis == "D, rewards"]
    assert verdict("reward_radius", "", "", tight).verdict == "tight"
    one_more = [row._replace(right=RELAY.gamma * row.right) for row in tight]
    assert verdict("reward_radius", "", "", one_more).verdict == "violated"


def test_bounds_by_hand():
    assert reward_radius(2.0, 0.5, 1, 0) == 2.0 * 0.25 / 0.5
    assert reward_radius(2.0, 0.5, 1, 1) == 2.0 * 0.5 / 0.5
    assert reward_radius_gradient(2.0, 0.5, 1, 1, 3.0) == 3.0 * 2.0 / 0.5
