"""V_i^θ, J, π^θ, ∇J, Q_i: the dense oracle and exact rational arithmetic, each to the certificate's own error."""

import decimal
import functools
import types

import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve

from sacrepro import CountedMDP, NetworkedMDP, Policy, as_coupled, evaluate_many
from sacrepro.exact import (
    certified_decay,
    decay_profile,
    dense,
    discounted_state_distribution,
    evaluate,
    local_value,
    natural_mean,
    natural_truncated_gradient,
    policy_gradient,
    q_function,
    td_fixed_point,
    worst_decay,
)
from sacrepro.exact.chain import chain_of
from sacrepro.exact.product.elimination import elimination_order
from sacrepro.exact.product.matrix import MATRIX_ENTRIES, product_roundings
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.solver import bellman, krylov, stationary
from sacrepro.exact.solver import occupancy as occupancy_room
from sacrepro.exact.solver.bellman import _certify, residual_error, values
from sacrepro.exact.solver.occupancy import occupancy, remaining_products
from sacrepro.exact.values import objective, objectives
from sacrepro.instances.models import sis
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases

#: What a dense solve of (I - γP) x = b can lose: its condition number 2/(1-γ) times a few hundred units.
DENSE = 400 * 2.0**-53


def dense_slack(mdp):
    return DENSE * 2 * mdp.r_bar / (1 - mdp.gamma) ** 2


def exact_values(mdp, zeta):
    """V_i over rational numbers, the floating point kernels and policies taken at face value."""
    flint = pytest.importorskip("flint")

    def rational(x):
        return flint.fmpq(*float(x).as_integer_ratio())

    states = list(np.ndindex(*mdp.state_sizes))
    averaged = []
    for i, hood in enumerate(mdp.neighbors):
        own = hood.index(i)
        table = {}
        for row in np.ndindex(*mdp.P[i].shape[:-2]):
            for after in range(mdp.state_sizes[i]):
                terms = (
                    rational(zeta[i][row[own], a]) * rational(mdp.P[i][(*row, a, after)])
                    for a in range(zeta[i].shape[1])
                )
                table[row, after] = sum(terms, flint.fmpq(0))
        averaged.append(table)
    gamma = rational(mdp.gamma)
    matrix = flint.fmpq_mat(len(states), len(states))
    rewards = flint.fmpq_mat(len(states), mdp.n)
    for k, s in enumerate(states):
        for column, after in enumerate(states):
            entry = flint.fmpq(1)
            for i, hood in enumerate(mdp.neighbors):
                entry *= averaged[i][tuple(s[j] for j in hood), after[i]]
            matrix[k, column] = (1 if k == column else 0) - gamma * entry
        for i in range(mdp.n):
            products = (rational(zeta[i][s[i], a]) * rational(mdp.r[i][s[i], a]) for a in range(zeta[i].shape[1]))
            rewards[k, i] = sum(products, flint.fmpq(0))
    return matrix.solve(rewards)


@pytest.mark.usefixtures("either_solver")
@given(cases(max_n=3, max_size=2))
@settings(max_examples=25)
def test_the_certificate_holds_in_rational_arithmetic(case):
    """Floats in, rationals out: |V - V^θ| ≤ error with no tolerance at all."""
    flint = pytest.importorskip("flint")
    mdp, theta = case
    result = evaluate(mdp, theta)
    exact = exact_values(mdp, policies(mdp, theta))
    for i in range(mdp.n):
        for k, value in enumerate(result.V[i].ravel()):
            difference = exact[k, i] - flint.fmpq(*float(value).as_integer_ratio())
            assert abs(difference) <= flint.fmpq(*float(result.error).as_integer_ratio())


@pytest.mark.parametrize("gamma", [0.999, 0.999999])
def test_the_certificate_of_a_matrix_is_met_near_gamma_one(gamma):
    """Values of 1/(1-γ) that differ by 1: the solution is centred and refined, and rational arithmetic finds it."""
    flint = pytest.importorskip("flint")
    mdp = random_mdp(nx.path_graph(4), seed=3, gamma=gamma)
    theta = gaussian_theta(mdp, np.random.default_rng(3))
    V, error, _ = values(chain_of(mdp, theta), None, best=1e-300)
    exact = exact_values(mdp, policies(mdp, theta))
    gap = max(
        abs(exact[k, i] - flint.fmpq(*float(value).as_integer_ratio()))
        for i in range(mdp.n)
        for k, value in enumerate(V[i])
    )
    assert gap <= flint.fmpq(*float(error).as_integer_ratio())
    assert error <= 1e3 * np.finfo(float).eps / (1 - gamma) ** 2


@pytest.mark.parametrize("evaluated", ["everybody", "light cone"])
def test_a_reward_under_a_rare_action_keeps_its_certificate(evaluated):
    """θ_b - θ_a rounds by 2^-46 near 250: the mean reward ζ_b is off by a hundred of its own roundings, not by ten."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        theta = (np.array([[rng.uniform(100, 130), rng.uniform(-150, -120)]]),)
        mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 2, 1)),), (np.array([[0.0, 1.0]]),), 0.5, (np.ones(1),))
        if evaluated == "everybody":
            result = evaluate(mdp, theta)
            V, error = float(result.V[0, 0]), result.error
        else:
            local = local_value(mdp, theta, 0)
            V, error = float(local.V[0]), local.error
        with decimal.localcontext(prec=60):
            gap = decimal.Decimal(float(theta[0][0, 1])) - decimal.Decimal(float(theta[0][0, 0]))
            truth = 2 * gap.exp() / (1 + gap.exp())
            assert abs(decimal.Decimal(V) - truth) <= decimal.Decimal(error)
        assert error <= 1e-13


@pytest.mark.parametrize("tol", [1e-3, 1e-7, 1e-10])
@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_the_certificate_is_honest_and_not_idle(tol, gamma):
    """The error stays within the certificate at every tol, and loose runs really are looser."""
    mdp = random_mdp(nx.cycle_graph(9), seed=5, gamma=gamma, concentration=0.2)
    theta = gaussian_theta(mdp, np.random.default_rng(5))
    result = evaluate(mdp, theta, tol)
    truth = dense.values(mdp, policies(mdp, theta))
    error = np.abs(result.V - truth).max()
    assert error <= result.error + dense_slack(mdp)
    assert result.error <= tol
    J = float((mdp.joint_pi0() * truth.mean(axis=0)).sum())
    assert abs(J - result.J) <= result.J_error + dense_slack(mdp)
    if tol == 1e-3:
        assert error > 1e-9


@pytest.mark.usefixtures("either_solver")
@given(cases(max_n=4))
@settings(max_examples=50)
def test_values_occupancy_and_gradient_are_the_oracle_s(case):
    mdp, theta = case
    zeta = policies(mdp, theta)
    result = evaluate(mdp, theta)
    assert result.V.shape == (mdp.n, *mdp.state_sizes)
    assert np.abs(result.V - dense.values(mdp, zeta)).max() <= result.error + dense_slack(mdp)
    law = occupancy(chain_of(mdp, theta))
    assert np.abs(law.pi - dense.occupancy(mdp, zeta)).sum() <= law.error + DENSE / (1 - mdp.gamma)
    assert abs(law.pi.sum() - 1) <= law.error + 1e-12
    # √2 bounds the score, r̄/(1-γ) the Q that it multiplies.
    margin = np.sqrt(2) / (1 - mdp.gamma) * (result.error + law.error * mdp.r_bar / (1 - mdp.gamma) + dense_slack(mdp))
    for block, expected in zip(policy_gradient(mdp, theta), dense.policy_gradient(mdp, theta), strict=True):
        assert block.shape == expected.shape
        assert np.abs(block - expected).max() <= margin


@given(cases(max_n=3))
@settings(max_examples=25)
def test_q_tables_are_the_oracle_s(case):
    mdp, theta = case
    V = dense.values(mdp, policies(mdp, theta))
    for i in range(mdp.n):
        Q_i = q_function(mdp, theta, i)
        assert np.abs(Q_i - dense.q_function(mdp, V[i], i)).max() <= 1.001e-10 + dense_slack(mdp)


def test_gradient_is_the_derivative_of_J():
    """Lemma 1 without Lemma 1: central differences of J, step h, whose error is h²/6 of a third derivative."""
    mdp = random_mdp(nx.path_graph(4), seed=2, gamma=0.7)
    theta = gaussian_theta(mdp, np.random.default_rng(2))
    gradient, h = policy_gradient(mdp, theta), 1e-4
    for i in range(mdp.n):
        for entry in np.ndindex(*theta[i].shape):
            moved = []
            for sign in (1, -1):
                blocks = [block.copy() for block in theta]
                blocks[i][entry] += sign * h
                moved.append(evaluate(mdp, tuple(blocks), 1e-12).J)
            assert abs((moved[0] - moved[1]) / (2 * h) - gradient[i][entry]) <= 1e-7


def test_natural_truncated_gradient_is_the_gradient_once_every_agent_is_inside():
    mdp = random_mdp(nx.path_graph(4), seed=4)
    theta = gaussian_theta(mdp, np.random.default_rng(4))
    full = policy_gradient(mdp, theta)
    for block, expected in zip(natural_truncated_gradient(mdp, theta, 3), full, strict=True):
        assert np.abs(block - expected).max() <= 1e-9
    assert max(np.abs(a - b).max() for a, b in zip(natural_truncated_gradient(mdp, theta, 0), full, strict=True)) > 1e-6


def sticky(n, gamma, flip=0.01):
    """Random kernels that act with probability `flip` and otherwise keep the state: a slow chain."""
    base = random_mdp(nx.path_graph(n), seed=0, gamma=gamma)
    kernels = []
    for i, hood in enumerate(base.neighbors):
        shape = [2 if j == i else 1 for j in hood]
        kernels.append((1 - flip) * np.eye(2).reshape([*shape, 1, 2]) + flip * base.P[i])
    return NetworkedMDP(base.graph, tuple(kernels), base.r, gamma, base.pi0)


@pytest.mark.usefixtures("either_solver")
def test_a_slow_chain_takes_few_products():
    """γ = .999 and sticky: value iteration would need thousands of products."""
    mdp = sticky(7, 0.999)
    theta = uniform_theta(mdp)
    result = evaluate(mdp, theta, 1e-8)
    assert result.products <= 200
    assert np.abs(result.V - dense.values(mdp, policies(mdp, theta))).max() <= result.error + 1e-9
    law = occupancy(chain_of(mdp, theta), 1e-8)
    assert law.products <= 200
    assert np.abs(law.pi - dense.occupancy(mdp, policies(mdp, theta))).sum() <= law.error + 1e-9


@pytest.mark.usefixtures("either_solver")
@pytest.mark.parametrize("tol", [1.0, 1e-1, 1e-2, 1e-4])
def test_the_occupancy_certificate_holds_where_the_chain_forgets_slowly(tol):
    """Without its factor 1/(1-γ) the residual would claim too much here."""
    mdp = sticky(4, 0.99, flip=0.002)
    point = (np.array([1.0, 0.0]),) * 4
    mdp = NetworkedMDP(mdp.graph, mdp.P, mdp.r, mdp.gamma, point)
    theta = uniform_theta(mdp)
    law = occupancy(chain_of(mdp, theta), tol)
    error = np.abs(law.pi - dense.occupancy(mdp, policies(mdp, theta))).sum()
    assert error <= law.error + DENSE / (1 - mdp.gamma)
    assert law.error <= tol


def lone(P, r, gamma):
    """One agent with one action."""
    start = np.eye(len(P))[0]
    return NetworkedMDP(nx.empty_graph(1), (P[:, None, :],), (r[:, None],), gamma, (start,))


@functools.cache
def circle(n, gamma):
    """One agent goes round n states: BiCGSTAB diverges on it."""
    return lone(np.roll(np.eye(n), 1, axis=1), (np.arange(n) == 5).astype(float), gamma)


@functools.cache
def walk(n, gamma):
    """A fair walk on n states that pays in the upper half: the residual falls by γ a step, hardly, for n² steps."""
    P = 0.5 * (np.eye(n, k=1) + np.eye(n, k=-1))
    P[0, 0] = P[-1, -1] = 0.5
    return lone(P, (np.arange(n) >= n // 2).astype(float), gamma)


def by_either(*chains):
    """Chains by a matrix and by products; where they have more states than a matrix may have, by products alone."""
    asked = [(solver, made) for made in chains for solver in ("matrix", "products")[made[1] > MATRIX_ENTRIES :]]
    return pytest.mark.parametrize(("either_solver", "made"), asked, indirect=["either_solver"])


@by_either((walk, 200, 0.999), (walk, 2500, 0.99), (circle, 300, 0.99), (circle, 2200, 0.9))
def test_a_slow_chain_is_not_taken_for_rounding_noise(either_solver, made):
    """Each product leaves the residual almost where it was, or BiCGSTAB makes it worse: all errors are small."""
    mdp = made[0](*made[1:])
    assert (chain_of(mdp, uniform_theta(mdp)).matrix is None) is (either_solver == "products")
    theta = uniform_theta(mdp)
    found = evaluate(mdp, theta)
    assert found.error <= 2 * gamma_k(3 * mdp.r[0].shape[0]) / (1 - mdp.gamma) ** 2 + 1e-10
    n = len(mdp.P[0])
    P = csr_array(mdp.P[0][:, 0, :])
    direct = spsolve((eye_array(n) - mdp.gamma * P).tocsc(), mdp.r[0][:, 0])
    assert np.abs(found.V[0] - direct).max() <= found.error + DENSE / (1 - mdp.gamma) ** 2


@by_either((circle, 65, 0.999), (circle, 300, 0.9999), (circle, 2200, 0.9), (walk, 200, 0.999))
def test_the_occupancy_of_a_slow_chain(either_solver, made):
    """Round a circle of n states from 0: π(k) = (1-γ) γ^k / (1-γ^n), at the walk by a direct solve; ∇J follows."""
    mdp = made[0](*made[1:])
    theta = uniform_theta(mdp)
    law = occupancy(chain_of(mdp, theta))
    P = mdp.P[0][:, 0, :]
    n = len(P)
    if P[0, 1] == 1.0:
        expected = (1 - mdp.gamma) * mdp.gamma ** np.arange(n) / (1 - mdp.gamma**n)
    else:
        system = (eye_array(n) - mdp.gamma * csr_array(P)).T.tocsc()
        expected = (1 - mdp.gamma) * spsolve(system, np.eye(n)[0])
    assert law.error <= 1e-8
    assert np.abs(law.pi - expected).sum() <= law.error + DENSE / (1 - mdp.gamma)
    assert np.abs(policy_gradient(mdp, theta)[0]).max() == 0.0


@pytest.mark.usefixtures("either_solver")
def test_an_unattainable_tolerance_names_an_attainable_one():
    mdp = sticky(4, 0.999)
    theta = uniform_theta(mdp)
    with pytest.raises(ValueError, match="attainable: tol = ") as refusal:
        evaluate(mdp, theta, 1e-14)
    assert evaluate(mdp, theta, float(str(refusal.value).split("attainable: tol = ")[1])).error > 0
    with pytest.raises(ValueError, match="tol must be positive"):
        evaluate(mdp, theta, 0.0)
    bellman.check_tol(1e-300)


@pytest.mark.usefixtures("either_solver")
@pytest.mark.parametrize("gamma", [0.99999, 0.9999999])
def test_near_gamma_one_small_networks_take_few_products(gamma):
    """Rounding of the rows, which no product makes smaller, is no reason to go on for 1/(1-γ) of them."""
    for graph in (nx.path_graph(2), nx.cycle_graph(4)):
        mdp = random_mdp(graph, seed=1, gamma=gamma)
        found = evaluate(mdp, uniform_theta(mdp))
        assert found.products <= 200
        assert found.error <= 1e3 * np.finfo(float).eps / (1 - gamma) ** 2


@pytest.mark.usefixtures("either_solver")
@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_without_a_tolerance_the_error_is_what_rounding_allows(scale):
    """One state that pays `scale`: V = scale/(1-γ) is known, and 1e-10 is out of reach."""
    one = np.ones((1, 1, 1))
    mdp = NetworkedMDP(nx.empty_graph(1), (one,), (np.full((1, 1), scale),), 0.999, (np.ones(1),))
    theta = uniform_theta(mdp)
    found = evaluate(mdp, theta)
    assert abs(float(found.V[0, 0]) - scale / (1 - mdp.gamma)) <= found.error
    # Some roundings of V, over 1-γ.
    assert found.error <= 100 * np.finfo(float).eps * scale / (1 - mdp.gamma) ** 2
    assert found.error > 1e-10
    with pytest.raises(ValueError, match="below what rounding allows"):
        evaluate(mdp, theta, 1e-10)
    assert certified_decay(mdp, theta).upper.shape == (1, 1)


@pytest.mark.parametrize(
    ("tol", "error"), [("x", TypeError), (True, TypeError), (np.inf, ValueError), (np.nan, ValueError)]
)
def test_what_is_no_tolerance_is_refused(tol, error):
    mdp = sticky(2, 0.9)
    theta = uniform_theta(mdp)
    for asked in (
        lambda: evaluate(mdp, theta, tol),
        lambda: policy_gradient(mdp, theta, tol),
        lambda: q_function(mdp, theta, 0, tol),
        lambda: decay_profile(mdp, theta, tol=tol),
        lambda: certified_decay(mdp, theta, tol=tol),
        lambda: discounted_state_distribution(mdp, theta, tol),
        lambda: local_value(mdp, theta, 0, tol),
    ):
        with pytest.raises(error, match="tol must be"):
            asked()


@pytest.mark.parametrize(("slack", "error"), [(-1e-3, ValueError), (np.nan, ValueError), ("1", TypeError)])
def test_what_is_no_slack_is_refused(slack, error):
    mdp = sticky(2, 0.9)
    with pytest.raises(error, match="slack must be"):
        certified_decay(mdp, uniform_theta(mdp), slack=slack, sweep_limit=0)


@pytest.mark.parametrize("name", ["sweep_limit", "branch_limit"])
@pytest.mark.parametrize(("limit", "error"), [(-1, ValueError), ("a", TypeError), (1e3, TypeError), (True, TypeError)])
def test_what_is_no_limit_is_refused(name, limit, error):
    mdp = sticky(2, 0.9)
    with pytest.raises(error, match=f"{name} must be"):
        certified_decay(mdp, uniform_theta(mdp), **{name: limit})
    with pytest.raises(error, match="work must be"):
        decay_profile(mdp, uniform_theta(mdp), work=limit)


@pytest.mark.parametrize("most", [5e-324, 1e-320, 1e-310, 2.0**-1001])
def test_rewards_whose_certificates_underflow_would_undo_are_refused(most):
    mdp = sticky(2, 0.9)
    r = (mdp.r[0], np.array(mdp.r[1]) * (most / mdp.r[1].max()))
    with pytest.raises(ValueError, match=r"r\[1\] of agent 1 has no entry above .*multiply all rewards by a constant"):
        NetworkedMDP(mdp.graph, mdp.P, r, mdp.gamma, mdp.pi0)


def test_certificates_of_the_least_rewards_hold():
    mdp = random_mdp(nx.path_graph(3), seed=0, gamma=0.9)
    theta, factor = gaussian_theta(mdp, np.random.default_rng(0)), 2.0**-998  # exact, but for what underflows
    small = NetworkedMDP(mdp.graph, mdp.P, tuple(r_i * factor for r_i in mdp.r), mdp.gamma, mdp.pi0)
    one = evaluate(mdp, theta)
    other = evaluate(small, theta, 1e-12 * one.V.max() * factor)
    assert 0 < other.error <= 1e-12 * other.V.max() * (1 + 1e-9)
    assert np.abs(other.V / factor - one.V).max() <= one.error + other.error / factor


def test_a_model_by_counts_is_not_taken_for_another():
    """On a path of two its kernels, by (own state, sum, action), have the shape of a NetworkedMDP's."""
    graph, rng = nx.path_graph(2), np.random.default_rng(0)
    kernels = tuple(rng.dirichlet(np.ones(2), size=(2, 2, 2)) for _ in range(2))
    counted = CountedMDP(graph, kernels, (rng.random((2, 2)), rng.random((2, 2))), 0.9, (np.full(2, 0.5),) * 2)
    theta = (np.zeros((2, 2)),) * 2
    V = dense.values(counted.expanded(), policies(counted, theta))
    assert pytest.approx(V, abs=1e-9) == evaluate(counted, theta).V
    for i in (0, 1):
        assert pytest.approx(V[i], abs=1e-7) == local_value(counted, theta, i).V


def test_the_relay_by_hand():
    """Agent 0 keeps its state, r = s: V_0 = s_0/(1-γ); agent i gets the state of agent 0 after i steps."""
    gamma = 0.9
    mdp = relay(4, gamma=gamma)
    V = evaluate(mdp, uniform_theta(mdp)).V
    for s in np.ndindex(2, 2, 2, 2):
        assert abs(V[0][s] - s[0] / (1 - gamma)) <= 1e-10
        first = sum(gamma**t * s[3 - t] for t in range(3))
        assert abs(V[3][s] - first - gamma**3 * s[0] / (1 - gamma)) <= 1e-10


def test_isolated_and_one_state_agents_and_gamma_zero():
    mdp = random_mdp(nx.empty_graph(3), seed=0, state_sizes=(1, 3, 2), action_sizes=(2, 1, 1), gamma=0.0)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    V = evaluate(mdp, theta).V
    assert V.shape == (3, 1, 3, 2)
    for i, zeta_i in enumerate(policies(mdp, theta)):
        expected = (zeta_i * mdp.r[i]).sum(axis=1).reshape([-1 if j == i else 1 for j in range(3)])
        assert np.abs(V[i] - expected).max() <= 1e-10


def test_requests_that_cannot_fit_are_refused_before_they_start():
    mdp = random_mdp(nx.path_graph(30), seed=0)
    theta = uniform_theta(mdp)
    what_fits = r"1073741824 joint states.* needs .*about \d+ joint states would fit"
    for call in (evaluate, discounted_state_distribution, policy_gradient, decay_profile):
        with pytest.raises(MemoryError, match=what_fits):
            call(mdp, theta)
    for call in (td_fixed_point, natural_mean, worst_decay):
        with pytest.raises(MemoryError, match=what_fits):
            call(mdp, 0, 1) if call is worst_decay else call(mdp, theta, 0, 1)
    with pytest.raises(MemoryError, match=r"Q_0 with 10\^18 entries"):
        q_function(mdp, theta, 0)
    small = random_mdp(nx.path_graph(6), seed=0)
    with pytest.raises(MemoryError, match="1 kB are allowed"):
        evaluate(small, uniform_theta(small), memory_limit=1000)


def test_a_refusal_stays_readable_whatever_n_is():
    """2^2000 joint states: the order of elimination is not looked for, and no number runs over several lines."""
    mdp = random_mdp(nx.path_graph(2000), seed=0)
    for call in (lambda: evaluate(mdp, uniform_theta(mdp)), lambda: q_function(mdp, uniform_theta(mdp), 0)):
        with pytest.raises(MemoryError, match=r"10\^") as refusal:
            call()
        assert len(str(refusal.value)) < 400


def test_batches_and_light_cones_agree_with_single_agents():
    """n = 14 runs agents on their light cones; the answer is that of a direct residual check."""
    mdp = random_mdp(nx.path_graph(14), seed=7)
    theta = gaussian_theta(mdp, np.random.default_rng(7))
    result = evaluate(mdp, theta)
    chain = chain_of(mdp, theta)
    for i in (0, 7):
        reward = chain.rewards[i].reshape([-1 if j == i else 1 for j in range(14)])
        residual = reward + mdp.gamma * chain.careful_operator(result.V[i]) - result.V[i]
        assert np.abs(residual).max() <= (1 + mdp.gamma) * result.error + 1e-13


@given(cases(max_n=4), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_many_policies_are_each_evaluated(case, seed):
    """Logits, probabilities and -inf among them: the same as one by one, to both certificates."""
    mdp, theta = case
    rng = np.random.default_rng(seed)
    thetas = [theta, gaussian_theta(mdp, rng), Policy(policies(mdp, gaussian_theta(mdp, rng, 3.0)))]
    thetas.append(Policy.of(mdp, lambda i, s: int(rng.integers(mdp.action_sizes[i]))).theta)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sacrepro.exact.values.MANY_ENTRIES", 1)  # one after the other
        single = evaluate_many(mdp, thetas)
    many = evaluate_many(mdp, thetas)
    assert many.V.shape == (4, mdp.n, *mdp.state_sizes)
    assert many.J.shape == many.error.shape == many.J_error.shape == (4,)
    for k, theta_k in enumerate(thetas):
        one = evaluate(mdp, theta_k)
        assert np.abs(many.V[k] - one.V).max() <= many.error[k] + one.error
        assert abs(many.J[k] - one.J) <= many.J_error[k] + one.J_error
        assert np.abs(many.V[k] - single.V[k]).max() <= many.error[k] + single.error[k]
        assert 0 <= many.error[k] <= 1e-10


def test_many_policies_of_a_larger_or_coupled_model_go_one_by_one():
    rng = np.random.default_rng(0)
    large = random_mdp(nx.path_graph(9), seed=0)
    coupled = as_coupled(random_mdp(nx.path_graph(2), seed=0))
    for mdp in (large, coupled):
        thetas = [gaussian_theta(mdp, rng) for _ in range(2)]
        many = evaluate_many(mdp, thetas)
        for k, theta in enumerate(thetas):
            assert np.array_equal(many.V[k], evaluate(mdp, theta).V)


@pytest.mark.parametrize("given", [lambda good: good, list, np.array, lambda good: [block.tolist() for block in good]])
def test_one_policy_is_not_many(given):
    mdp = random_mdp(nx.path_graph(3), seed=0)
    good = tuple(uniform_theta(mdp))
    for one in (given(good), Policy([np.full((2, 2), 0.5)] * 3)):
        with pytest.raises(TypeError, match=r"expected a sequence of policies; this is one policy: pass \[theta\]"):
            evaluate_many(mdp, one)
    none: dict[str, object] = {"dict": {0: good}, "str": "uniform", "generator; pass list": (x for x in [good])}
    for kind, other in (none | {"ndarray": np.array(0.0)}).items():
        with pytest.raises(TypeError, match=f"expected a sequence of policies, got {kind}"):
            evaluate_many(mdp, other)
    assert len(evaluate_many(mdp, np.array([good, good])).J) == 2


def test_what_is_wrong_with_one_of_many_policies_is_told_by_its_place():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    good = uniform_theta(mdp)
    short, impossible = (*good[:2], np.zeros((2, 3))), (*good[:2], np.full((2, 2), -np.inf))
    with pytest.raises(ValueError, match=r"thetas\[1\]\[2\] of agent 2 has shape \(2, 3\)"):
        evaluate_many(mdp, [good, short])
    with pytest.raises(ValueError, match=r"thetas\[1\]: agent 2: theta_i has logits"):
        evaluate_many(mdp, [good, impossible])
    with pytest.raises(ValueError, match=r"thetas\[1\]: zeta\[2\] of agent 2 has shape \(2, 3\)"):
        evaluate_many(mdp, [good, Policy([*[np.full((2, 2), 0.5)] * 2, np.full((2, 3), 1 / 3)])])
    with pytest.raises(TypeError, match=r"thetas\[1\] must be a sequence of arrays"):
        evaluate_many(mdp, [good, 3.0])
    with pytest.raises(ValueError, match="thetas holds no policy"):
        evaluate_many(mdp, [])
    with pytest.raises(ValueError, match=r"thetas\[0\]: tol = 1e-18 is below what rounding allows"):
        evaluate_many(mdp, [good], 1e-18)
    with pytest.raises(MemoryError, match="100 B are allowed"):
        evaluate_many(mdp, [good], memory_limit=100)


# What certificates are made of, term by term, on numbers so large that no term is lost beside another.


def rough_chain(**more):
    """γ = ½, rows between ¾ and 5/4, and so many roundings that γ_k is of order 1e-3."""
    return types.SimpleNamespace(
        gamma=0.5, row_sums=(0.75, 1.25), discount_range=lambda: (1.5, 2.5), reward_sizes=(1.0, 3.0, 2.0), sizes=(2, 3),
        kernel_roundings=1e13, reward_roundings=2e13, n=3, **more
    )  # fmt: skip


def test_the_error_of_a_residual_by_hand():
    """Groups (0, 2) and (2,): rewards up to 2. Rows miss 1 by ¼ of the shift; everything is summed up over 1/(1-γ)."""
    found = residual_error(rough_chain(), [(0, 2), (2,)], 0.125, 1e16, 4e15)
    k = product_roundings((2, 3)) + 3e13 + 2 + 8
    rounding = gamma_k(k) * (1.25e16 + 2.0) + gamma_k(8) * (1e16 + 0.5 * 4e15)
    error = (0.125 + rounding + 0.25 * 4e15) * 2.5 + 2.0**-53 * 1.4e16
    assert found == (pytest.approx(error * (1 + 1e-9), rel=1e-14), pytest.approx(rounding, rel=1e-14))
    centred = residual_error(rough_chain(), [(1,)], 0.125, 1.0)
    k = product_roundings((2, 3)) + 3e13 + 1 + 8
    rounding = gamma_k(k) * (1.25 + 3.0) + gamma_k(8)
    assert centred == (pytest.approx((0.125 + rounding) * 2.5, rel=2e-9), pytest.approx(rounding, rel=1e-14))
    low = rough_chain()
    low.row_sums = (0.5, 1.25)
    assert residual_error(low, [(1,)], 0.0, 0.0, 8.0)[0] > 0.5 * 8 * 2.5


def test_the_interval_of_macqueen_by_hand():
    """Two groups, one of them below and one around 0; γ times the centre is off by a quarter of it."""
    T_V, center = np.array([[1.0, -6.0], [4.0, 2.0]]), np.array([0.25, -3.0])
    low, high = np.array([-2.0, 0.5]), np.array([-1.0, 8.0])
    shift, error, floor = _certify(rough_chain(), [(0, 2), (1,)], 5e12, T_V, low, high, center)
    k = 1.5e13 + 4
    size = np.array([6.0 + 2.0, 4.0 + 8.0])
    epsilon = gamma_k(k) * 1.625 * size + np.array([2.0, 3.0]) * gamma_k(k + 2e13 + 2) + 0.125 * np.abs(center)
    below, above = low - 0.5 * center - epsilon, high - 0.5 * center + epsilon
    lower, upper = np.minimum(1.5 * below, 0.5 * below), np.maximum(1.5 * above, 0.5 * above)
    rounding = epsilon + 8 * 2.0**-53 * (size + np.abs(center) + np.abs(lower) + np.abs(upper))
    assert shift == pytest.approx(0.5 * (lower + upper) + 0.5 * center, rel=1e-14)
    assert error == pytest.approx((0.5 * (upper - lower) + rounding) * (1 + 1e-9), rel=1e-14)
    unknown = 0.25 * np.abs(low + high) * 1.0
    assert floor == pytest.approx((1.5 * epsilon + unknown + rounding) * (1 + 1e-9), rel=1e-14)
    # Rows of 1 leave rounding alone in the floor: γ_19, γ_40 and the eight of what is added up.
    exact = rough_chain()
    exact.row_sums, exact.discount_range, exact.kernel_roundings, exact.reward_roundings = (
        (1.0, 1.0),
        lambda: (2, 2),
        10,
        20,
    )
    floor = _certify(exact, [(0,)], 5, T_V[1:], np.array([-1.0]), np.array([8.0]), np.array([-3.0])).floor
    tiny = gamma_k(19) * 1.5 * 12 + gamma_k(19 + 21)
    whole = 2 * tiny + 8 * 2.0**-53 * (12 + 3 + 0.5 + 9.5)
    assert floor == pytest.approx(whole, rel=1e-8, abs=0)
    # Both signs occur: a row that pays more or less than the centre for ever.
    assert below[0] < 0 < below[1]
    assert above[0] < 0 < above[1]


def test_the_error_of_an_objective_by_hand():
    """π_0 of 2 and 3 states, as a product and as a table; V of 10^13 so that its roundings are seen."""
    V, pi = 1e13 * np.arange(6.0).reshape(2, 3), (np.array([0.25, 0.75]), np.array([0.5, 0.25, 0.25]))
    mass = 1 + 2e-12 * 3
    whole = np.multiply.outer(*pi)
    larger = np.zeros((20, 20))
    larger[:2, :3] = whole
    padded = np.zeros((20, 20))
    padded[:2, :3] = V
    for start, table, k in ((pi, V, 3 + 4), (whole, V, 6 + 1), (larger, padded, 21 + 21)):
        for count in (1, 4):  # V as the sum of so many tables
            J, error = objective(start, table, 0.125, count)
            assert pytest.approx(3e13 / count, rel=1e-15) == J
            rounding = gamma_k(k + count + 1) * (J + 2 * mass * 0.125)
            assert error == pytest.approx((mass * 0.125 + rounding) * (1 + 1e-9), rel=1e-14)
    # A value function of zeros that is off by 1 everywhere: its roundings are those of 1.
    J, error = objective(pi, np.full((2, 3), -1.0), 1.0)
    assert (J, error) == (-1.0, pytest.approx(mass * (1 + 1e-9), rel=1e-14))
    many = objectives(pi, np.stack([V, 2 * V]), np.array([0.0, 1.0]))
    assert many[0] == pytest.approx([3e13, 6e13], rel=1e-15)
    assert many[1] == pytest.approx([gamma_k(9) * 3e13, mass + gamma_k(9) * 6e13], rel=2e-9)


def test_what_value_tables_take_by_hand(monkeypatch):
    """8 bytes for each of tables + 4, three tables of the largest product; from 2^14 entries on 20 powers besides."""
    asked = []
    monkeypatch.setattr(bellman, "demand", lambda *given: asked.append(given))
    hoods = ((0, 1), (0, 1, 2), (1, 2))
    bellman.demand_value_tables(hoods, (2, 3, 2), 10**6, 5)
    peak = elimination_order(hoods, (2, 3, 2)).peak
    needed = 8 * 12 * 9 + 24 * peak
    assert asked[-1][1:3] == (needed, 10**6)
    assert f"about {10**6 * 12 // needed} joint states would fit" in asked[-1][3]
    assert asked[-1][0] == (f"5 value tables over 12 joint states, with intermediate tables of {peak} entries or more,")
    path = tuple(tuple(range(max(i - 1, 0), min(i + 2, 14))) for i in range(14))
    peak = elimination_order(path, (2,) * 14).peak
    bellman.demand_value_tables(path, (2,) * 14, None, 1)
    assert asked[-1][1:3] == (8 * 2**14 * (5 + 20) + 24 * peak, None)
    # Where the tables alone do not fit no order is looked for.
    bellman.demand_value_tables(path, (2,) * 14, 8 * 2**14 * 25, 1)
    assert asked[-1][1] == 8 * 2**14 * 25 + 24 * peak
    monkeypatch.setattr(bellman, "elimination_order", None)
    bellman.demand_value_tables(path, (2,) * 14, 8 * 2**14 * 25 - 1, 1)
    assert asked[-1][1] == 8 * 2**14 * 25 + 24 * 2**14
    bellman.demand_value_tables(path, (2,) * 14, 5, 1)
    assert asked[-1][3] == (
        "about 1 joint states would fit on such a graph; one agent of a larger network is a matter of "
        "sacrepro.exact.local_value and local_decay"
    )


def test_how_many_products_are_left_by_hand():
    """A quarter in each of the last eight: two halvings a product, down from 1024 of the goal."""
    norms = [7.0] * 6 + [4.0**-k for k in range(9)]
    assert remaining_products(norms, norms[-1] / 1024) == pytest.approx(5.0, rel=1e-14)
    assert remaining_products(norms, 2 * norms[-1]) == 0.0
    assert remaining_products([1.0] * 9, 0.1) == np.inf
    assert remaining_products([1.0] * 8 + [0.0], 0.1) == 0.0
    gamma = 0.75  # MacQueen: the span times γ/(2(1-γ)) is the error
    goal = norms[-1] * 1.5 / 1024
    assert bellman._remaining_products(norms, goal, gamma) == pytest.approx(5.0, rel=1e-14)
    assert bellman._remaining_products(norms[1:], goal, gamma) == pytest.approx(5.0, rel=1e-14)
    assert bellman._remaining_products(norms[2:], goal, gamma) == 0.0
    assert bellman._remaining_products([1.0] * 13 + [0.0], goal, gamma) == 0.0
    assert bellman._remaining_products([1.0] * 14, goal, gamma) == np.inf
    assert bellman._remaining_products(norms, 1e3, gamma) == 0.0
    flat = [2.0, *[5.0] * 9, 1.98]
    assert bellman._no_progress(flat)
    assert not bellman._no_progress(flat[1:])
    assert not bellman._no_progress([2.0, *[5.0] * 9, 1.97])
    assert remaining_products([2.0**-k for k in range(9)], 2.0**-12) == pytest.approx(4.0, rel=1e-14)


def test_the_error_of_an_occupancy_by_hand():
    """One residual of π P γ, exactly 0 here, and three times the roundings of a product, summed up over 1/(1-γ)."""
    from_product = gamma_k(7 + 1e13 + 3 + 70) * 3.0
    assert occupancy_room._rounding(rough_chain(), 7) == pytest.approx(from_product, rel=1e-14)
    exact = types.SimpleNamespace(kernel_roundings=10, n=3)
    assert occupancy_room._rounding(exact, 7) == pytest.approx(gamma_k(90) * 3.0, rel=1e-14, abs=0)
    start, P = np.array([0.5, 0.5]), np.eye(2)

    def law(x):
        assert x.tolist() == [0.25, 0.25]
        return np.array([0.75, -0.25])

    matrix = types.SimpleNamespace(law=law, P=P, roundings=7)
    chain = rough_chain(start=(start,))
    chain.sizes = (1, 2)
    chain.start = (np.ones(1), start)
    pi, error, products = occupancy_room._solution(chain, matrix)
    # What is below 0 is cut off, (1, 0) is left: one step leads to (¾, ¼), ½ away.
    assert pi.tolist() == [[0.75, 0.25]]
    assert error == pytest.approx((0.5 * 0.5 + from_product) * 2.5 * (1 + 1e-9), rel=1e-14)
    assert products == 1


def test_the_law_of_a_censored_chain_by_hand():
    """A walk over three states, 1 : 2 : 1; passages of 10^-200 between two of them are no less accurate."""
    walk_of_three = np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]])
    assert stationary._censored(walk_of_three) == pytest.approx([0.25, 0.5, 0.25], rel=1e-15)
    rare = np.array([[1.0, 1e-200, 0.0], [3e-200, 1.0, 1e-200], [0.0, 2e-200, 1.0]])
    assert stationary._censored(rare) == pytest.approx(np.array([6, 2, 1]) / 9, rel=1e-15)
    dense_rows = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]])
    assert stationary._censored(dense_rows) == pytest.approx([5 / 12, 1 / 3, 1 / 4], rel=1e-15)
    assert stationary._censored(np.ones((1, 1))).tolist() == [1.0]
    with np.errstate(all="ignore"):
        assert not np.isfinite(stationary._censored(np.eye(2))).all()


def test_the_law_of_a_long_censored_chain_by_hand():
    """Up with .3, down with .2 over 150 states, beyond two blocks: μ_k is 1.5 times μ_{k-1}, to relative accuracy."""
    size = 2 * stationary.BLOCK + 22
    P = np.diag(np.full(size - 1, 0.3), 1) + np.diag(np.full(size - 1, 0.2), -1)
    np.fill_diagonal(P, 1.0 - P.sum(axis=1))
    ratios = np.cumprod(np.full(size, 1.5))
    shuffled = np.random.default_rng(0).permutation(size)
    law = stationary._censored(np.ascontiguousarray(P[np.ix_(shuffled, shuffled)]))
    assert law == pytest.approx((ratios / ratios.sum())[shuffled], rel=1e-13)


@pytest.mark.parametrize("graph", [nx.path_graph(14), nx.random_regular_graph(3, 14, seed=14)], ids=["path", "cubic"])
def test_single_precision_serves_values_of_large_models_and_certifies_none(graph, monkeypatch):
    """V_i in double precision alone and with late powers in single: both within their certificates."""
    mdp = random_mdp(graph, seed=0, gamma=0.9)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    kinds = []
    forward = FactoredOperator.forward

    def noted(operator, V, out=None):
        kinds.append(V.dtype)
        return forward(operator, V, out)

    monkeypatch.setattr(FactoredOperator, "forward", noted)
    found = evaluate(mdp, theta, agents=[3, 7])
    # What is certified is the residual of the last product, and that is one in double precision.
    assert np.float32 in kinds
    assert kinds[-1] == np.float64
    kinds.clear()
    monkeypatch.setattr(krylov, "SINGLE_SHARE", 0.0)
    double = evaluate(mdp, theta, agents=[3, 7], tol=1e-11)
    assert set(kinds) == {np.dtype(np.float64)}
    assert found.error <= 1e-10
    assert np.abs(found.V - double.V).max() <= found.error + double.error


def test_what_the_powers_of_a_slow_chain_leave_is_taken_again(monkeypatch):
    """Where few tables are kept: a second combination, of what the first left, replaces most of value iteration."""
    mdp = sis(nx.cycle_graph(14), gamma=0.9)
    theta = uniform_theta(mdp)
    whole = evaluate(mdp, theta, agents=[0], tol=1e-11)
    starts = []
    start = krylov.krylov_start

    def noted(chain, axes, reward, tol, out):
        starts.append(len(axes))
        return start(chain, axes, reward, tol, out)

    monkeypatch.setattr(bellman, "krylov_start", noted)
    monkeypatch.setattr(krylov, "POWERS_KEPT", 2)
    again = evaluate(mdp, theta, agents=[0])
    assert starts[0] == 1
    assert set(starts[1:]) == {14}
    monkeypatch.setattr(bellman._Iteration, "_may_start_again", lambda iteration, distance: False)
    once = evaluate(mdp, theta, agents=[0])
    assert again.products < once.products
    for found in (again, once):
        assert found.error <= 1e-10
        assert np.abs(found.V - whole.V).max() <= found.error + whole.error
