"""Exact yardsticks against brute force, and what they tell apart."""

import math

import networkx as nx
import numpy as np
import pytest

from sacrepro.exact import evaluate, objective_and_gradient, policy_gradient, q_function, td_fixed_point
from sacrepro.exact.dense import transition_matrix
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac_seeds
from sacrepro.learn.samples import Samples, VisitedCells, samples, visited_cells
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, softmax, uniform_theta
from sacrepro.simulate import Simulator
from sacrepro.study.experiments.exact_errors import Yardstick, cosine, critic_error_rows, gradient_error, step_sizes
from sacrepro.study.experiments.runs import BINS, FRESH, diagnostic_rows, learning_rows, simulated_rows, visit_histogram
from sacrepro.study.measures.stationarity import entropy, first_order_gap, stationarity_rows

MDP = random_mdp(nx.path_graph(3), seed=1, state_sizes=(2, 3, 2), action_sizes=(2, 2, 1), gamma=0.8)
THETA = gaussian_theta(MDP, np.random.default_rng(0))


def stationary(mdp, theta):
    """μ by a power of the dense matrix."""
    P = np.linalg.matrix_power(transition_matrix(mdp, policies(mdp, theta)), 4096)
    return P[0].reshape(mdp.state_sizes)


@pytest.mark.parametrize("kappa", [0, 1])
def test_the_critics_error_is_its_definition(kappa):
    """Every mean and maximum by loops over (s, a)."""
    loop = visited_cells(MDP, THETA, 0, kappa=kappa, T=30, h=3.0, t0=5.0, seed=2)
    found = Yardstick(MDP, THETA, kappa).critic_error(loop.Q_hat)
    mu, zeta = stationary(MDP, THETA), policies(MDP, THETA)
    near = far = written = 0.0
    near_sup = far_sup = 0.0
    for i in range(3):
        hood = neighborhood(MDP.graph, i, kappa)
        cells = loop.Q_hat[i]
        table = {(*s, *a): (v, u) for s, a, v, u in zip(*map(np.ndarray.tolist, cells[1:5]), strict=True)}
        Q, q = q_function(MDP, THETA, i), td_fixed_point(MDP, THETA, i, kappa)
        for z in np.ndindex(*MDP.state_sizes, *MDP.action_sizes):
            s, a = z[:3], z[3:]
            weight = mu[s] * math.prod(zeta[j][s[j], a[j]] for j in range(3)) / 3
            value, updated = table.get((*(s[j] for j in hood), *(a[j] for j in hood)), (0.0, False))
            q_z = q[tuple(k if axis % 3 in hood else 0 for axis, k in enumerate(z))]
            near, near_sup = near + weight * abs(q_z - value), max(near_sup, abs(q_z - value))
            far, far_sup = far + weight * abs(Q[z] - value), max(far_sup, abs(Q[z] - value))
            written += weight * updated
    assert np.allclose(found, (near, near_sup, far, far_sup, written), rtol=1e-8, atol=1e-10)
    assert 0.0 < written < 1.0 or kappa == 0


def test_errors_and_bias_obey_the_triangle():
    """mean |Q - Q̂| lies between |bias - mean |q* - Q̂|| and their sum; with nobody outside there is no bias."""
    rows = list(critic_error_rows(MDP, "random", [0, 1, 2], [10, 300], 3))
    assert [(row.kappa, row.T, row.seed) for row in rows[:4]] == [(0, 10, 0), (0, 10, 1), (0, 10, 2), (0, 300, 0)]
    for row in rows:
        assert abs(row.bias - row.to_q_star) - 1e-9 <= row.to_Q <= row.bias + row.to_q_star + 1e-9
        assert row.bias <= row.bias_sup <= row.locality <= row.paper
    assert all(row.bias == 0.0 for row in rows if row.kappa == 2)
    assert rows[0].bias > 1e-4
    short, long = (np.mean([row.to_q_star for row in rows if row.T == T and row.kappa == 0]) for T in (10, 300))
    assert long < short


def test_the_step_sizes_of_the_experiment():
    """Three agents in a row, S = 3, A = 2: N_1^1 has all of them, so h = 4 · 6^3 / (1-γ) and t0 = 2h."""
    h, t0 = step_sizes(MDP, 1)
    assert h == pytest.approx(4 * 6**3 / (1 - MDP.gamma))
    assert t0 == 2 * h
    assert {row.instance for row in critic_error_rows(MDP, "here", [0], [5], 2)} == {"here"}


def test_a_stationary_law_that_is_not_unique_is_refused():
    kernel = np.broadcast_to(np.eye(2)[:, None, :], (2, 2, 2))
    stuck = NetworkedMDP(nx.empty_graph(1), (kernel,), (np.eye(2),), 0.5, (np.full(2, 0.5),))
    with pytest.raises(ValueError, match="stationary law is not unique"):
        Yardstick(stuck, uniform_theta(stuck), 0)


def test_bias_and_variance_by_hand():
    """Two samples (0, 2) and (4, 2) against ∇J = (1, 1): mean (2, 2), variance 8, ‖mean - ∇J‖² - 8/2 = 2 - 4."""
    sampled = Samples((np.array([[[0.0]], [[4.0]]]), np.array([[[2.0]], [[2.0]]])), np.zeros(2))
    found = gradient_error(sampled, (np.array([[1.0]]), np.array([[1.0]])))
    assert (found.bias_squared, found.variance, found.norm_squared) == (-2.0, 8.0, 2.0)
    assert found.cosine == pytest.approx((math.sqrt(0.5) + 6 / math.sqrt(40)) / 2)
    assert math.isnan(cosine(np.zeros((1, 2)), np.ones(2)))


def test_entropy_of_uniform_and_of_deterministic_policies():
    assert entropy((np.full((3, 4), 0.25),)) == pytest.approx(math.log(4))
    assert entropy((np.eye(2), np.full((1, 2), 0.5))) == pytest.approx(math.log(2) / 2)


def test_the_gap_is_the_best_derivative_towards_another_policy():
    """Against differences of J towards each agent's and state's best vertex."""
    zeta, step = policies(MDP, THETA), 1e-5
    J = evaluate(MDP, THETA).J
    total = 0.0
    for i in range(3):
        for s in range(MDP.state_sizes[i]):
            slopes = []
            for b in range(MDP.action_sizes[i]):
                moved = [block.copy() for block in zeta]
                moved[i][s] += step * (np.eye(MDP.action_sizes[i])[b] - moved[i][s])
                slopes.append((evaluate(MDP, tuple(np.log(block) for block in moved)).J - J) / step)
            total += max(slopes)
    assert first_order_gap(zeta, policy_gradient(MDP, THETA)) == pytest.approx(total, rel=1e-3)


def test_a_small_gradient_is_not_a_small_gap():
    """One state, rewards 0 and 1, the worse action nearly certain: ‖∇J‖ is 10^-8, the gap 1/(1-γ)."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 2, 1)),), (np.array([[0.0, 1.0]]),), 0.5, (np.ones(1),))
    theta = (np.array([[18.0, 0.0]]),)
    gradient = policy_gradient(mdp, theta)
    assert np.linalg.norm(gradient[0]) < 1e-7
    assert first_order_gap((softmax(theta[0]),), gradient) == pytest.approx(2.0, rel=1e-6)


def test_the_histogram_counts_cells():
    visits = np.array([1, 9, 10, 99, 100, 999, 1000, 5000])
    nothing = np.zeros((8, 1), dtype=int)
    cells = VisitedCells((0,), nothing, nothing, np.zeros(8), np.ones(8, bool), visits)
    assert visit_histogram([cells]) == {f"visits_{least}": 0.25 for least in BINS}


STEPS = {"h": 3.0, "t0": 5.0}


def test_diagnostics_are_of_the_run_itself():
    """The share of first visits is the recorded one, and the cosine is that of θ(m+1) - θ(m)."""
    runs = sac_seeds(MDP, uniform_theta(MDP), kappa=1, M=4, T=50, eta=0.5, seeds=(0, 1), record_every=1, **STEPS)
    for seed, run in enumerate(runs):
        thetas = [block[[0, 2]] for block in run.thetas]
        rows = list(diagnostic_rows(MDP, "random", 1, seed, [0, 2], thetas, T=50, **STEPS))
        for record, m in enumerate((0, 2)):
            found = {row.quantity: row.value for row in rows if row.m == m}
            theta = tuple(block[record] for block in thetas)
            assert found["first_visit_share"] == run.first_visit_share[m]
            assert found["J"] == pytest.approx(evaluate(MDP, theta).J, abs=1e-9)
            moved = np.concatenate([(block[m + 1] - block[m]).ravel() for block in run.thetas])
            nabla = np.concatenate([block.ravel() for block in policy_gradient(MDP, theta)])
            assert found["cosine"] == pytest.approx(cosine(moved[None], nabla), abs=1e-9)
            assert sum(found[f"visits_{least}"] for least in BINS) == pytest.approx(1.0)
            assert found["variance"] > 0


def test_simulation_agrees_with_exact_values():
    """J by simulation within six standard errors and the cut of the exact one."""
    thetas = [block[None] for block in THETA]
    simulated = next(simulated_rows(MDP, "random", 1, 3, [0], thetas, episodes=400, T=60))
    exact = next(stationarity_rows(MDP, "random", 1, 3, np.array([0]), thetas))
    assert abs(simulated.J - exact.J) <= 6 * simulated.standard_error + simulated.cut
    assert simulated.cut < 1e-3 * exact.J < simulated.standard_error
    assert exact.gap >= 0.0


def test_rows_along_a_run_are_means_since_the_record_before():
    m, J, share = np.array([0, 2, 5]), np.arange(5.0), np.arange(5.0) / 10
    assert list(learning_rows("here", 1, 7, m, J, share)) == [
        ("here", 1, 7, 2, 0.5, pytest.approx(0.05)), ("here", 1, 7, 5, 3.0, pytest.approx(0.3)),
    ]  # fmt: skip


def test_exact_rows_along_a_run():
    theta = gaussian_theta(MDP, np.random.default_rng(0))
    thetas = [np.stack([np.zeros_like(block), block]) for block in theta]
    rows = list(stationarity_rows(MDP, "here", 1, 7, np.array([0, 40]), thetas))
    assert [row[:4] for row in rows] == [("here", 1, 7, 0), ("here", 1, 7, 40)]
    found = objective_and_gradient(MDP, theta)
    zeta = policies(MDP, theta)
    assert rows[1][4:] == (
        found.J, pytest.approx(sum((block**2).sum() for block in found.gradient)),
        first_order_gap(zeta, found.gradient), entropy(zeta),
        pytest.approx(found.gradient_error * math.sqrt(MDP.n)),
    )  # fmt: skip


def test_simulated_rows_use_episodes_of_their_own():
    """Seeds that no run learns with and no other run is simulated with; the mean and its error are of those."""
    thetas = [np.zeros((1, *r_i.shape)) for r_i in MDP.r]
    (row,) = simulated_rows(MDP, "here", 1, 2, [30], thetas, episodes=4, T=9)
    fresh = range(FRESH + 8, FRESH + 12)
    returns = samples(Simulator(MDP), uniform_theta(MDP), 30, kappa=0, T=9, h=1.0, t0=1.0, seeds=fresh).J_estimate
    assert row[:4] == ("here", 1, 2, 30)
    assert returns.mean() == row.J
    assert row.standard_error == pytest.approx(math.sqrt(((returns - returns.mean()) ** 2).sum() / 3 / 4))
    assert row.cut == pytest.approx(0.8**10 * MDP.r_bar / 0.2)
