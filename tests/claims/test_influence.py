"""The influence matrix bounds the decay of every policy, the noisy relay attains it, and C_ii needs the actions."""

import itertools
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array, issparse

import sacrepro
from claims.instances import SIGNAL, uniform_case
from sacrepro.bounds.influence import (
    horizon,
    influence,
    influence_closed_form,
    influence_everywhere,
    influence_matrix,
    influence_profile,
    influence_row_sums,
    policy_influence,
)
from sacrepro.exact import dense
from sacrepro.exact.dense import averaged_kernels, oscillation, transition_matrix
from sacrepro.instances.extremal import non_normal
from sacrepro.instances.models import sis
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.claims.influence import AVERAGE, check, differential, forgetting
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases, mdps

NOISY = relay(5, gamma=0.9, noise=0.3)


@settings(max_examples=60)
@given(cases())
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def enumerated_influence(mdp):
    """C by a loop over every entry of every kernel."""
    C = np.zeros((mdp.n, mdp.n))
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, 1)
        axes = [range(size) for size in mdp.P[i].shape[:-1]]
        for x, y in itertools.product(itertools.product(*axes), repeat=2):
            differing = {hood[k] if k < len(hood) else i for k in range(len(axes)) if x[k] != y[k]}
            if len(differing) == 1:
                j = differing.pop()
                C[i, j] = max(C[i, j], 0.5 * np.abs(mdp.P[i][x] - mdp.P[i][y]).sum())
    return C


@settings(max_examples=40)
@given(mdps(max_n=3))
def test_matrix_agrees_with_enumeration(mdp):
    C = sacrepro.influence_matrix(mdp)
    assert issparse(C)
    assert C.shape == (mdp.n, mdp.n)
    assert np.abs(C.toarray() - enumerated_influence(mdp)).max() <= 1e-15
    assert (C.data > 0).all()


@given(cases())
def test_averaging_actions_lowers_every_entry(case):
    mdp, theta = case
    own = policy_influence(averaged_kernels(mdp, policies(mdp, theta)), mdp.neighbors)
    assert (own.toarray() <= influence_matrix(mdp).toarray() + 1e-15).all()


def test_sis_couples_neighbors_by_beta_max():
    C = influence_matrix(sis(nx.path_graph(3), gamma=0.9, beta=(0.4, 0.2), epsilon=0.05)).toarray()
    assert C[0, 1] == pytest.approx(0.95 * 0.4, rel=1e-12)
    assert C[0, 2] == 0.0


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_tight(gamma, noise):
    """On the noisy relay every variant is r̄ρ^{κ+1}/(1-ρ) with ρ = γ(1-ε), and D_i(κ) is just that: κ+2 fails."""
    case = uniform_case(relay(5, gamma=gamma, noise=noise))
    rho = gamma * (1 - noise)
    rows = [row for row in check(case) if row.kappa < row.agent and row.hypothesis != AVERAGE]
    assert {row.hypothesis for row in rows} == {
        "clipped series", "own C^θ", "all agents at once", "closed form", "row sums",
    }  # fmt: skip
    for row in rows:
        assert row.left == pytest.approx(rho ** (row.kappa + 1) / (1 - rho), abs=2 * row.error)
        assert row.right == pytest.approx(rho ** (row.kappa + 1) / (1 - rho), rel=1e-12)
    for group in by_hypothesis(rows):
        assert verdict("influence", "", "", group).verdict == "tight"
        assert verdict("influence", "", "", [r._replace(right=r.right * gamma) for r in group]).verdict == "violated"


def test_the_profile_of_one_agent_is_the_series_for_its_outsides():
    mdp = sis(nx.path_graph(6), gamma=0.8, beta=(0.2, 0.1))
    C = influence_matrix(mdp)
    profile = influence_profile(C, mdp.graph, 2, mdp.gamma, mdp.r_bar)
    powers = [np.linalg.matrix_power(C.toarray(), t) for t in range(horizon(mdp.gamma) + 1)]
    for kappa, bound in enumerate(profile):
        others = list(outside(mdp.graph, 2, kappa))
        series = sum(mdp.gamma**t * min(1.0, power[2, others].sum()) for t, power in enumerate(powers))
        assert bound == pytest.approx(mdp.r_bar * series, rel=1e-12, abs=1e-13)
    assert (influence_everywhere(C, 3, mdp.gamma, mdp.r_bar)[2] >= profile).all()


def test_the_profile_survives_powers_that_overflow():
    """At a hub of degree 2000 C^t outgrows float64 long before the series ends, and is clipped at 1 all the same."""
    C = np.zeros((2001, 2001))
    C[0, 1:], C[1:, 0] = 0.9, 0.9
    profile = influence_profile(csr_array(C), nx.star_graph(2000), 1, 0.99, 1.0)
    # Another leaf reaches leaf 1 through the hub, so at even t only; the 1999 of them are clipped from t = 2 on.
    assert profile[1] == pytest.approx(0.99**2 / (1 - 0.99**2), rel=1e-9)


def test_the_truncated_series_stays_above_a_much_longer_one():
    """The rest of the series is added, so a bound that never decays comes out whole: r̄γ/(1-γ)."""
    C = csr_array(np.array([[1.0, 0.0], [1.0, 0.0]]))
    bound = influence(C, np.array([[1.0], [0.0]]), 0.99, 2.0)[1, 0]
    assert bound == pytest.approx(2.0 * 0.99 / 0.01, rel=1e-12)


def test_closed_form_and_row_sums_refuse_what_does_not_converge():
    C = csr_array(np.full((2, 2), 0.6))
    with pytest.raises(ValueError, match="spectral radius"):
        influence_closed_form(C, np.eye(2), 0.9, 1.0)
    with pytest.raises(ValueError, match="row sum"):
        influence_row_sums(C, 0, 0.9, 1.0)


def test_necessary_actions_outside():
    """C_ii over states alone misses what outside actions do: agent 1 sees a_0 at t = 2."""
    case = uniform_case(SIGNAL)
    C = influence_matrix(case.mdp).toarray()
    assert C.tolist() == [[1.0, 0.0], [1.0, 0.0]]
    assert case.D[1, 0] == pytest.approx(0.9 + 0.81, abs=2 * case.error)
    C[0, 0] = 0.0
    states_alone = influence(csr_array(C), np.array([[1.0], [0.0]]), 0.9, 1.0)[1, 0]
    assert states_alone == pytest.approx(0.9, rel=1e-12)
    assert case.D[1, 0] > states_alone + 2 * case.error


def test_necessary_first_step():
    """C^θ averages actions away, so it may not serve at the first step, where outside actions are given."""
    case = uniform_case(SIGNAL)
    own = policy_influence(averaged_kernels(case.mdp, policies(case.mdp, case.theta)), case.mdp.neighbors)
    from_the_start = influence(own, np.array([[1.0], [0.0]]), 0.9, 1.0)[1, 0]
    assert case.D[1, 0] > from_the_start + 2 * case.error
    assert all(holds(row) for row in check(case))


def test_the_policys_own_matrix_serves_from_the_second_step_on():
    """Under the uniform policy the mean kernel copies its neighbor less often than the kernel of one action does."""
    mdp = random_mdp(nx.path_graph(4), seed=2, gamma=0.6, concentration=0.3)
    case = uniform_case(mdp)
    own = policy_influence(averaged_kernels(mdp, policies(mdp, case.theta)), mdp.neighbors)
    C = influence_matrix(mdp)
    rows = {(row.hypothesis, row.agent, row.kappa): row.right for row in check(case)}
    assert any(rows["own C^θ", i, 0] < 0.9 * rows["clipped series", i, 0] for i in range(4))
    for i in range(4):
        ones = np.array([[float(j not in neighborhood(mdp.graph, i, 0))] for j in range(4)])
        assert rows["own C^θ", i, 0] == pytest.approx(influence(C, ones, 0.6, mdp.r_bar, own)[i, 0], rel=1e-12)


@pytest.mark.parametrize("stay", [0.2, 0.9])
def test_near_gamma_1_the_rest_of_the_series_is_bounded_not_summed(stay, monkeypatch):
    """Seen: 3.7·10⁷ products at γ = .999999. Where C contracts, nothing is lost; elsewhere the bound stays a bound."""
    mdp = random_mdp(nx.path_graph(4), seed=0, gamma=0.9)
    C = stay / influence_matrix(mdp).sum(axis=1).max() * influence_matrix(mdp)
    outsiders = np.array([[0.0], [0.0], [1.0], [1.0]])
    for gamma in (0.9, 0.999999):
        started = time.process_time()
        profile = influence_profile(C, mdp.graph, 0, gamma, 1.0)
        column = influence(C, outsiders, gamma, 1.0)[0, 0]
        everywhere = influence_everywhere(C, 3, gamma, 1.0)[0]
        assert time.process_time() - started < 10.0
        closed = np.linalg.solve(np.eye(4) - gamma * C.toarray(), outsiders)[0, 0]
        for found in (profile[1], column):
            assert closed * (1 - 1e-9) <= found <= closed * (1 + 1e-9)
        assert everywhere[1] >= closed * (1 - 1e-9)
        monkeypatch.setattr("sacrepro.bounds.influence.MOST_STEPS", 5)
        cut = influence_profile(C, mdp.graph, 0, gamma, 1.0)
        assert (cut >= profile * (1 - 1e-12)).all()
        assert (cut <= profile + gamma**5 * stay**5 / (1.0 - stay) + 1e-9).all()
        monkeypatch.undo()
    # An influence matrix that does not contract: the trivial rest is added.
    monkeypatch.setattr("sacrepro.bounds.influence.MOST_STEPS", 5)
    assert influence_profile(2.0 / stay * C, mdp.graph, 0, 0.999, 1.0)[0] >= 0.999**6 / 0.001


def test_a_non_normal_influence_matrix():
    """H = [[.6, 0], [.6, .6]]: H^t has t·.6^t below its diagonal, so κ = 10 leaves .11, and 10^-2 takes κ = 16."""
    H = np.array([[0.6, 0.0], [0.6, 0.6]])
    np.testing.assert_allclose(influence_matrix(non_normal()).toarray(), H, rtol=0, atol=1e-15)
    tails = [sum(np.linalg.matrix_power(H, t)[1, 0] for t in range(kappa + 1, 400)) for kappa in range(20)]
    assert tails[10] == pytest.approx(0.113, abs=5e-4)
    assert next(kappa for kappa, tail in enumerate(tails) if tail < 0.01) == 16


# The average reward, the sequel's setting.


def of_the_average(case):
    return [row for row in check(case) if row.hypothesis == AVERAGE]


@settings(max_examples=40)
@given(cases(max_n=3))
def test_average_reward_holds(case):
    assert all(holds(row) for row in of_the_average(exact_case("random", "drawn", *case)))


def test_average_reward_is_tight_on_the_noisy_relay():
    """r̄μ^{κ+1}/(1-μ), μ = 1-ε, the sequel's bound: attained where the source is outside, and γ plays no part."""
    for gamma in (0.3, 0.9):
        rows = of_the_average(uniform_case(relay(4, gamma=gamma, noise=0.3)))
        reached = {(row.agent, row.kappa): row for row in rows if row.agent > row.kappa}
        assert len(reached) == 6
        for (_, kappa), row in reached.items():
            assert row.left == pytest.approx(0.7 ** (kappa + 1) / 0.3, rel=1e-9)
            assert row.right == pytest.approx(0.7 ** (kappa + 1) / 0.3, rel=1e-9)
            assert abs(row.left - row.right) <= row.error < 1e-9


def test_the_differential_Q_is_the_limit_of_the_discounted_one():
    """D_i(κ) as γ → 1: within 10⁻⁴ at 1-γ = 10⁻⁶."""
    mdp = random_mdp(nx.path_graph(3), seed=1, gamma=0.5, concentration=20.0)
    near = NetworkedMDP(mdp.graph, mdp.P, mdp.r, 1.0 - 1e-6, mdp.pi0)
    rows = of_the_average(uniform_case(mdp))
    discounted = dense.decay_profile(near, policies(near, uniform_theta(near)))
    assert len(rows) == 5
    for row in rows:
        assert row.left == pytest.approx(discounted[row.agent, row.kappa], abs=1e-4)
    assert max(row.left for row in rows) > 0.01


def test_necessary_a_spectral_radius_below_1():
    """The relay never forgets: C has the eigenvalue 1, the sum of differences need not converge: there is no row."""
    assert of_the_average(uniform_case(relay(4, gamma=0.9))) == []
    assert forgetting(np.eye(2)) is None
    assert forgetting(np.full((2, 2), 0.5)) == 1.0
    assert forgetting(np.array([[0.0, 1.0], [0.5, 0.5]])) == pytest.approx(2.0)


def test_what_a_chain_forgets_bounds_the_sum_of_its_distances():
    P = np.array([[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.3, 0.0, 0.7]])
    total, power = 0.0, np.eye(3)
    for _ in range(400):
        total += max(0.5 * np.abs(power - row).sum(axis=1).max() for row in power)
        power = power @ P
    assert total <= forgetting(P) <= 4.0 * total


def test_the_differential_is_certified_against_a_spoilt_solve(monkeypatch):
    """An error that is put into h shows in the residual, and the certificate covers what it does to oscillations."""
    case = uniform_case(random_mdp(nx.path_graph(2), seed=3, gamma=0.5, concentration=5.0))
    P = transition_matrix(case.mdp, policies(case.mdp, case.theta))
    exact, small = differential(case, 0, P, forgetting(P))
    solve = np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda A, b: solve(A, b) + 0.01 * np.arange(len(b)))
    spoilt, error = differential(case, 0, P, forgetting(P))
    off = np.abs(oscillation(spoilt, (0,)) - oscillation(exact, (0,))).max()
    assert small < 1e-10 < off <= error
