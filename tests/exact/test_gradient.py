"""J and ∇J with certificates: ball arithmetic from the floats up, and instances where the certificate is met."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from sacrepro import NetworkedMDP
from sacrepro.exact import dense, evaluate, objective_and_gradient, policy_gradient
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver.bellman import mean_values
from sacrepro.exact.solver.occupancy import Law, occupancy
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases


def ball_gradient(mdp, theta):
    """(J, ∇J) in 200-bit ball arithmetic: the softmax of θ and kernels at face value, J by a solve, ∇J by Lemma 1."""
    flint = pytest.importorskip("flint")
    flint.ctx.prec = 200
    arb, S = flint.arb, mdp.state_sizes
    zeta = []
    for theta_i in theta:
        weights = [[arb(float(x)).exp() for x in row] for row in theta_i]
        zeta.append([[w / sum(row, arb(0)) for w in row] for row in weights])
    states = list(np.ndindex(*S))
    own = [hood.index(i) for i, hood in enumerate(mdp.neighbors)]
    moves = [{} for _ in S]
    averaged = [{} for _ in S]
    for i, P_i in enumerate(mdp.P):
        for row in np.ndindex(*P_i.shape[:-2]):
            for after in range(S[i]):
                law = [arb(float(x)) for x in P_i[(*row, slice(None), after)]]
                moves[i][row, after] = law
                averaged[i][row, after] = sum((z * p for z, p in zip(zeta[i][row[own[i]]], law, strict=True)), arb(0))
    local = [[tuple(s[j] for j in hood) for hood in mdp.neighbors] for s in states]

    def product(s, after, skip=None):
        entry = arb(1)
        for i in range(mdp.n):
            if i != skip:
                entry *= averaged[i][local[s][i], after[i]]
        return entry

    gamma, n = arb(float(mdp.gamma)), mdp.n
    matrix = flint.arb_mat(len(states), len(states))
    reward = flint.arb_mat(len(states), 1)
    for s, state in enumerate(states):
        for column, after in enumerate(states):
            matrix[s, column] = (1 if s == column else 0) - gamma * product(s, after)
        terms = (
            z * arb(float(x)) for i in range(n) for z, x in zip(zeta[i][state[i]], mdp.r[i][state[i]], strict=True)
        )
        reward[s, 0] = sum(terms, arb(0)) / n
    V = matrix.solve(reward)
    pi0 = flint.arb_mat(len(states), 1, [product_of(mdp, state, arb) for state in states])
    visits = matrix.transpose().solve(pi0)
    J = sum((pi0[s, 0] * V[s, 0] for s in range(len(states))), arb(0))
    blocks = []
    for i in range(n):
        block = np.array([[arb(0)] * mdp.action_sizes[i] for _ in range(S[i])], dtype=object)
        for s, state in enumerate(states):
            Q = []
            for a in range(mdp.action_sizes[i]):
                following = (
                    product(s, after, skip=i) * moves[i][local[s][i], after[i]][a] * V[k, 0]
                    for k, after in enumerate(states)
                )
                Q.append(arb(float(mdp.r[i][state[i], a])) / n + gamma * sum(following, arb(0)))
            mean = sum((z * q for z, q in zip(zeta[i][state[i]], Q, strict=True)), arb(0))
            for a, q in enumerate(Q):
                block[state[i], a] += visits[s, 0] * zeta[i][state[i]][a] * (q - mean)
        blocks.append(block)
    return J, blocks


def product_of(mdp, state, arb):
    if isinstance(mdp.pi0, np.ndarray):
        return arb(float(mdp.pi0[state]))
    weight = arb(1)
    for pi0_i, s_i in zip(mdp.pi0, state, strict=True):
        weight *= arb(float(pi0_i[s_i]))
    return weight


@pytest.mark.usefixtures("either_solver")
@given(cases(max_n=3, max_size=2))
@settings(max_examples=25)
def test_both_certificates_hold_in_ball_arithmetic(case):
    """|J - J(θ)| ≤ J_error and ‖g_i - ∇_{θ_i} J‖₂ ≤ gradient_error with no tolerance at all, loose and tight."""
    flint = pytest.importorskip("flint")
    mdp, theta = case
    J, blocks = ball_gradient(mdp, theta)
    for tol in (1e-1, 1e-10):
        result = objective_and_gradient(mdp, theta, tol)
        assert abs(J - flint.arb(result.J)) <= flint.arb(result.J_error)
        for computed, exact in zip(result.gradient, blocks, strict=True):
            gaps = [flint.arb(float(x)) - y for x, y in zip(computed.ravel(), exact.ravel(), strict=True)]
            bound = flint.arb(result.gradient_error)
            assert sum((gap * gap for gap in gaps), flint.arb(0)) <= bound * bound


def two_states(gamma):
    """One agent that goes where it says, from state 0; r = 0 except by the state: V_0 and V_1 are free to differ."""
    kernel = np.broadcast_to(np.eye(2), (2, 2, 2)).copy()
    return NetworkedMDP(nx.empty_graph(1), (kernel,), (np.zeros((2, 2)),), gamma, (np.array([1.0, 0.0]),))


@pytest.mark.usefixtures("either_solver")
@pytest.mark.parametrize("gamma", [0.5, 0.99])
def test_the_share_of_the_value_function_is_met_with_equality(gamma):
    """V̄ wrong by +e in one state, -e in the other: the gradient moves by √2/4 · 2γe/(1-γ), what is charged."""
    mdp, e = two_states(gamma), 1e-3
    chain = chain_of(mdp, uniform_theta(mdp))
    # π here is a point mass, which no policy has: what is tested is the map from errors to errors.
    law = Law(np.array([1.0, 0.0]), 0.0, 0)
    wrong = chain.expected_score(np.array([e, -e]), law.pi, [1.0], (0,))[0]
    charged = chain.gradient_error(np.array([e, -e]), e, law.pi, law.error)
    assert np.linalg.norm(wrong) <= charged <= np.linalg.norm(wrong) * (1 + 1e-6)


@pytest.mark.usefixtures("either_solver")
@pytest.mark.parametrize("gamma", [0.5, 0.99])
def test_the_share_of_the_occupancy_is_met_with_equality(gamma):
    """π wrong by e in one state, for a Q with oscillation 2γ h over the action."""
    mdp, e, h = two_states(gamma), 1e-3, 3.0
    chain = chain_of(mdp, uniform_theta(mdp))
    V = np.array([h, -h])
    right, wrong = np.array([1.0, 0.0]), np.array([1.0 - e, 0.0])
    moved = chain.expected_score(V, right, [1.0], (0,))[0] - chain.expected_score(V, wrong, [1.0], (0,))[0]
    charged = chain.gradient_error(V, 0.0, wrong, e)
    assert np.linalg.norm(moved) <= charged <= np.linalg.norm(moved) * (1 + 1e-6)


def test_the_oscillation_of_the_reward_is_charged():
    """γ = 0: only r_i enters, and π wrong by e moves the gradient by √2/4 · osc r · e."""
    base, e = two_states(0.0), 1e-3
    mdp = NetworkedMDP(base.graph, base.P, (np.array([[4.0, 0.0], [0.0, 0.0]]),), 0.0, base.pi0)
    chain = chain_of(mdp, uniform_theta(mdp))
    V, right, wrong = np.zeros(2), np.array([1.0, 0.0]), np.array([1.0 - e, 0.0])
    moved = chain.expected_score(V, right, [1.0], (0,))[0] - chain.expected_score(V, wrong, [1.0], (0,))[0]
    charged = chain.gradient_error(V, 0.0, wrong, e)
    assert np.linalg.norm(moved) <= charged <= np.linalg.norm(moved) * (1 + 1e-6)


def test_rounding_is_charged_and_is_not_all():
    """With exact inputs the certificate is a few hundred units of rounding; with a loose tol it is not."""
    mdp = random_mdp(nx.path_graph(9), seed=1)
    theta = gaussian_theta(mdp, np.random.default_rng(1))
    chain = chain_of(mdp, theta)
    V = dense.values(mdp, policies(mdp, theta)).mean(axis=0)
    rounding = chain.gradient_error(V, 0.0, occupancy(chain).pi, 0.0)
    assert 2.0**-53 < rounding < 1e-11
    assert objective_and_gradient(mdp, theta, 1e-4).gradient_error > 1e-6


@pytest.mark.usefixtures("either_solver")
@given(cases(max_n=4))
@settings(max_examples=30)
def test_the_mean_value_function_is_the_mean(case):
    mdp, theta = case
    groups = [tuple(range(mdp.n)), (0,), (0, mdp.n - 1)]
    V, error, _ = mean_values(chain_of(mdp, theta), 1e-10, groups)
    result = evaluate(mdp, theta)
    for row, group in enumerate(groups):
        mean = result.V[list(group)].mean(axis=0).ravel()
        assert np.abs(V[row] - mean).max() <= error + result.error + 1e-13 * (1 + np.abs(mean).max())
    both = objective_and_gradient(mdp, theta)
    assert abs(both.J - result.J) <= both.J_error + result.J_error
    assert all(np.array_equal(a, b) for a, b in zip(both.gradient, policy_gradient(mdp, theta), strict=True))


@pytest.mark.parametrize("tol", [1e-2, 1e-5])
def test_a_loose_solve_stays_within_its_certificate(tol):
    mdp = random_mdp(nx.cycle_graph(9), seed=4, gamma=0.95, concentration=0.2)
    theta = gaussian_theta(mdp, np.random.default_rng(4))
    loose, tight = objective_and_gradient(mdp, theta, tol), objective_and_gradient(mdp, theta, 1e-11)
    gap = max(np.linalg.norm(a - b) for a, b in zip(loose.gradient, tight.gradient, strict=True))
    assert tight.gradient_error < gap <= loose.gradient_error + tight.gradient_error
    assert abs(loose.J - tight.J) <= loose.J_error + tight.J_error
