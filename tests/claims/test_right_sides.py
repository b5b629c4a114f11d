"""Right sides against sums written out by hand, with every argument away from 0, 1 and its default.

The claims compare right sides with exact quantities, where a factor that is 1, a tail of 2^-53 or an unused branch of a
minimum would go unseen. Each test here names the formula and evaluates it digit by digit.
"""

import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array

from sacrepro.bounds import influence as influence_room
from sacrepro.bounds.decay import mixing_series
from sacrepro.bounds.gradient import any_weights_error, natural_weights_error
from sacrepro.bounds.influence import (
    horizon,
    influence,
    influence_closed_form,
    influence_everywhere,
    influence_profile,
    influence_row_sums,
    kernel_influence,
)
from sacrepro.bounds.theorem5 import (
    Constants,
    gradient_norm,
    least_h,
    least_T,
    least_t0,
    smoothness,
    steepest_for_agent,
    theorem5,
)
from sacrepro.bounds.theorem5 import horizon as theorem5_horizon
from sacrepro.study.measures.fixed_points import solve

GAMMA, R_BAR = 0.5, 3.0

#: Two copies of agent 1 in sum exceed 1, so that the clip acts; agent 2 hears from agent 1 only.
C = csr_array(np.array([[0.4, 0.9, 0.0], [0.9, 0.4, 0.3], [0.0, 0.8, 0.0]]))


def by_hand(first, later, start, T):
    """r̄ (Σ_{1≤t≤T} γ^t q(t) + γ^{T+1}/(1-γ)) with q(t+1) = min(1, C q(t))."""
    q, total = start, np.zeros(start.shape)
    for t in range(1, T + 1):
        q = np.minimum(1.0, (first if t == 1 else later) @ q)
        total = total + GAMMA**t * q
    return R_BAR * (total + GAMMA ** (T + 1) / (1 - GAMMA))


@pytest.fixture
def short_horizon(monkeypatch):
    """Series are cut after three terms, so that what replaces the rest shows."""
    monkeypatch.setattr(influence_room, "horizon", lambda gamma: 3)


@pytest.mark.usefixtures("short_horizon")
def test_the_series_and_its_rest():
    start = np.array([[0.0], [1.0], [1.0]])
    later = csr_array(0.5 * C.toarray())
    assert influence(C, start, GAMMA, R_BAR) == pytest.approx(by_hand(C.toarray(), C.toarray(), start, 3), rel=1e-12)
    both = influence(C, start, GAMMA, R_BAR, later)
    assert both == pytest.approx(by_hand(C.toarray(), later.toarray(), start, 3), rel=1e-12)
    assert influence(C, start.astype(int), GAMMA, R_BAR).dtype == np.float64


@pytest.mark.usefixtures("short_horizon")
@pytest.mark.parametrize("kappa_max", [0, 1, 5])
def test_all_agents_at_once_and_the_rest(kappa_max):
    """D_i(κ) ≤ r̄ (Σ_{κ<t≤T} γ^t q(t) + γ^{T+1}/(1-γ)) from q(0) = 1, T at least κ_max + 1."""
    T = max(3, kappa_max + 1)
    q, terms = np.ones(3), []
    for t in range(1, T + 1):
        q = np.minimum(1.0, C @ q)
        terms.append(GAMMA**t * q)
    found = influence_everywhere(C, kappa_max, GAMMA, R_BAR)
    assert found.shape == (3, kappa_max + 1)
    for kappa in range(kappa_max + 1):
        expected = R_BAR * (sum(terms[kappa:]) + GAMMA ** (T + 1) / (1 - GAMMA))
        assert found[:, kappa] == pytest.approx(expected, rel=1e-12)


@pytest.mark.usefixtures("short_horizon")
def test_the_profile_of_one_agent_and_the_rest():
    """r̄ (Σ_{1≤t≤T} γ^t min(1, (C^t 1_O)_i) + γ^{T+1}/(1-γ)) with 1_O beyond κ; agent 0 of a path of three."""
    found = influence_profile(C, nx.path_graph(3), 0, GAMMA, R_BAR)
    assert found[2] == 0.0
    for kappa in range(2):
        outside = np.array([0.0, float(kappa < 1), float(kappa < 2)])
        total, moved = GAMMA**4 / (1 - GAMMA), outside
        for t in range(1, 4):
            moved = C @ moved
            total += GAMMA**t * min(1.0, moved[0])
        assert found[kappa] == pytest.approx(R_BAR * total, rel=1e-12)


def test_what_never_matters_to_an_agent_bounds_nothing():
    """Agent 1 does not hear agent 2, so nothing of the rest of the series is left for agent 0 beyond one hop."""
    deaf = csr_array(np.array([[0.2, 0.3, 0.0], [0.1, 0.2, 0.0], [0.0, 0.3, 0.2]]))
    found = influence_profile(deaf, nx.path_graph(3), 0, GAMMA, R_BAR)
    assert found[0] > 0.0
    assert not found[1:].any()


def test_the_horizon_is_the_least():
    assert horizon(0.0) == horizon(2.0**-53) == 1
    assert horizon(2.0**-52) == horizon(2.0**-30) == 1
    assert horizon(0.5) == 52
    assert horizon(0.25, 2.0**-8) == 3
    for gamma in (0.3, 0.7, 0.95):
        T = horizon(gamma)
        assert gamma ** (T + 1) <= 2.0**-53 < gamma**T


def test_the_closed_form_solves_the_linear_system():
    start = np.array([[0, 1], [1, 0], [1, 0]])
    expected = R_BAR * np.linalg.inv(np.eye(3) - 0.3 * C.toarray()) @ start
    assert influence_closed_form(C, start, 0.3, R_BAR) == pytest.approx(expected, rel=1e-12)


def test_the_closed_form_is_a_bound_in_spite_of_rounding():
    """Found by the adversary: agent 0 does not hear agent 1, and the solver alone gives -1e-16 where the truth is 0."""
    deaf = csr_array(np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert influence_closed_form(deaf, np.array([[0.0], [1.0]]), 0.95, 1.0)[0, 0] >= 0.0
    for seed in range(20):
        draws = np.random.default_rng(seed).integers(0, 8, size=(4, 4)) / 32
        start = np.array([0, 0, 1, 1])
        exact = solve(
            [[Fraction(i == j) - Fraction(9, 10) * Fraction(draws[i, j]) for j in range(4)] for i in range(4)],
            [Fraction(int(x)) for x in start],
        )
        bound = influence_closed_form(csr_array(draws), start[:, None], 0.9, 1.0)[:, 0]
        # 0.9 as a float is a little more than 9/10, and C ≥ 0: the bound with it is no smaller.
        assert all(Fraction(float(b)) >= e for b, e in zip(bound, exact, strict=True))
        assert bound == pytest.approx([float(e) for e in exact], rel=1e-12, abs=1e-14)


def test_conditions_are_strict():
    """γμ = 1 exactly has no geometric series."""
    half = csr_array(np.array([[2.0]]))
    with pytest.raises(ValueError, match=r"largest row sum 2\.0"):
        influence_row_sums(half, 0, 0.5, 1.0)


def test_agents_that_influence_nobody_have_their_row_and_column():
    """The last agent is isolated and forgets everything: no entry of C is stored for it, and C keeps its size."""
    P = [np.full((2, 1, 2), 0.5), np.full((2, 1, 2), 0.5)]
    found = kernel_influence(P, [(0,), (1,)])
    assert found.shape == (2, 2)
    assert found.nnz == 0


def test_mixing_series_by_hand():
    """d = (1, .8, .5), then .5 for ever."""
    d = np.array([1.0, 0.8, 0.5])
    rest = {0: 0.5 * 0.8 + 0.25 * 0.5 + 0.5 * 0.125 / 0.5, 1: 0.25 * 0.5 + 0.5 * 0.125 / 0.5, 2: 0.5 * 0.125 / 0.5}
    rest |= {3: 0.5 * 0.0625 / 0.5, 5: 0.5 * 0.5**6 / 0.5}
    for kappa, expected in rest.items():
        assert mixing_series(d, kappa, R_BAR, GAMMA) == pytest.approx(R_BAR * expected, rel=1e-12)


def root_sum(gamma):
    """M = (1-γ) Σ_s γ^s √(s+1), term by term."""
    return (1 - gamma) * math.fsum(gamma**s * math.sqrt(s + 1) for s in range(2000))


@pytest.mark.parametrize("kappa", [0, 1, 2])
@pytest.mark.parametrize("gamma", [0.05, 0.5, 0.95])
def test_lemma4_sharp_by_hand(kappa, gamma):
    """(Γ/n) [M Σ_{d>κ} |S(d)| R_d + Σ_{d≤κ} m_d min(2G/(1-γ), R_d (1/(1-γ) + M))]."""
    n, Gamma, spheres, seeing_out = 7, 0.3, (1, 2, 3, 1), (1, 2, 1)[: kappa + 1]
    M = root_sum(gamma)
    R = [R_BAR * gamma ** (d + 1 if d else 0) / (1 - gamma) for d in range(4)]
    G = R_BAR * gamma ** (kappa + 1) / (1 - gamma)
    natural = Gamma / n * M * sum(spheres[d] * R[d] for d in range(kappa + 1, 4))
    inside = sum(
        m * min(2 * G / (1 - gamma), R[d] * (1 / (1 - gamma) + M)) for d, m in enumerate(seeing_out[: kappa + 1])
    )
    sizes = (kappa, n, gamma, R_BAR, Gamma)
    assert natural_weights_error(spheres, *sizes) == pytest.approx(natural, rel=1e-12)
    assert any_weights_error(spheres, seeing_out, *sizes) == pytest.approx(natural + Gamma / n * inside, rel=1e-12)


def test_both_branches_of_the_minimum_in_lemma4_sharp_are_used():
    """The gap wins at d = 0, the reach at d = κ."""
    gamma, kappa = 0.5, 2
    M, G = root_sum(gamma), gamma**3 / (1 - gamma)
    assert any_weights_error((1,), (1, 0, 0), kappa, 1, gamma, 1.0, 1.0) == pytest.approx(2 * G / (1 - gamma))
    reach = gamma**3 / (1 - gamma) * (1 / (1 - gamma) + M)
    assert any_weights_error((1,), (0, 0, 1), kappa, 1, gamma, 1.0, 1.0) == pytest.approx(reach)


def test_steepest_for_agent_by_hand():
    """(L_i r̄/(2n(1-γ)²)) (1 + 2γ² + 3γ³) for spheres 1, 2, 3."""
    expected = 1.5 * 3.0 / (2 * 6 * 0.25) * (1 + 2 * 0.25 + 3 * 0.125)
    assert steepest_for_agent((1, 2, 3), 6, 1.5, R_BAR, GAMMA) == pytest.approx(expected, rel=1e-12)


def test_theorem5_by_hand():
    """(9) with r̄ = 3, L = 1.7, written out; L' and the third condition of (8)."""
    network = Constants(c=2.0, rho=0.4, sigma=0.1, tau=2, r_bar=R_BAR, gamma=GAMMA, log_cells=1.0)
    L, L_prime, M, eta, delta = 1.7, 0.9, 50, 0.2, 0.05
    steep = 9.0 * 1.7**2 / 0.5**4
    start = 2 * 3.0 / (0.2 * 0.5)
    chance = 8 * steep * math.sqrt(math.log(50) * math.log(80))
    curvature = 96 * steep * 0.9 * 0.2 * math.log(50)
    bias = 12 * 1.7**2 * 3.0 * 2.0 * 0.4**3 / 0.5**5
    expected = (start + chance + curvature) / math.sqrt(51) + bias
    assert theorem5(M, eta, delta, L, L_prime, 2, network) == pytest.approx(expected, rel=1e-12)
    assert smoothness(R_BAR, GAMMA) == pytest.approx(3.0 / (2 * 0.25), rel=1e-12)
    assert gradient_norm(R_BAR, 0.75) == pytest.approx(3.0 / (2 * math.sqrt(2) * 0.125), rel=1e-12)
    assert smoothness(R_BAR, 0.8) == pytest.approx(3.0 / (2 * 0.04), rel=1e-12)
    # log_γ(c(1-γ)/r̄) + (κ+1) log_γ ρ - 1: γ^{T+1} r̄/(1-γ) = c ρ^{κ+1} there.
    T = theorem5_horizon(2, network)
    assert pytest.approx(2.0 * 0.4**3, rel=1e-12) == GAMMA ** (T + 1) * R_BAR / 0.5


def test_the_least_T_obeys_each_of_its_three_conditions():
    """A bias so large that the noise never matters leaves T at t0, or at the horizon, whichever is later."""
    easy = Constants(c=1e12, rho=0.9, sigma=0.4, tau=2, r_bar=1.0, gamma=0.1, log_cells=1.0)
    t0 = least_t0(2.0 / 0.4, 0.4, 2)
    assert least_T(0.1, 2, 10, 0, easy) == math.ceil(t0) == 10
    patient = easy._replace(tau=10_000, c=1e16)
    assert least_T(0.1, 2, 10, 0, patient) == 10_000
    # γ so near 1 that rewards after T matter longer than the critic's noise.
    far = Constants(c=100.0, rho=1 - 1e-6, sigma=0.9, tau=1, r_bar=1.0, gamma=1 - 1e-6, log_cells=0.0)
    T = theorem5_horizon(0, far)
    assert least_t0(least_h(0.9, far.gamma), 0.9, 1) < T
    assert least_T(0.5, 1, 1, 0, far) == math.ceil(T)
