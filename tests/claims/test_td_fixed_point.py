"""TD's fixed point: it leaves the hull of Q_i, it obeys two bounds smaller than the paper's, and both are sharp."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from brute_force import BruteForce
from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.critic import td_fixed_point_everywhere, td_fixed_point_influence, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.influence import influence, influence_matrix, policy_influence
from sacrepro.exact import natural_mean
from sacrepro.exact import td_fixed_point as fixed_point
from sacrepro.exact.dense import averaged_kernels, q_function, transition_matrix
from sacrepro.exact.truncation import conditional_law, truncate
from sacrepro.instances import build
from sacrepro.instances.extremal import ladder
from sacrepro.instances.relay import fading_relay
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.study.claims.td_fixed_point import check
from sacrepro.study.measures.fixed_points import MOST_ENTRIES, fixed_points, has_unique_stationary_law, kernel_entries
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases

WITNESS = build({"model": "td_witness"})


def enumerated(mdp, theta, i, kappa, mu=None):
    """q* by enumeration: joint pairs, their stationary law, the aggregated chain on cells, one linear system.

    mu : the law of the pairs (s, a), where it is known; cells that it gives no mass count all their pairs alike.
    """
    brute = BruteForce(mdp, policies(mdp, theta))
    size = len(brute.pairs)
    chain = np.array([[brute.step(s, a, t) * brute.act(t, b) for t, b in brute.pairs] for s, a in brute.pairs])
    if mu is None:
        system = np.vstack([chain.T - np.eye(size), np.ones(size)])
        mu = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    hood = brute.hood(i, kappa)
    groups = list(brute.cells(hood).items())
    member = np.array([[z in group for z in brute.pairs] for _, group in groups], dtype=float)
    given_cell = np.where((member @ mu)[:, None] == 0.0, member, member * mu)
    given_cell /= given_cell.sum(axis=1, keepdims=True)
    rewards = np.array([mdp.r[i][dict(zip(hood, key, strict=True))[i]] for key, _ in groups])
    q = np.linalg.solve(np.eye(len(groups)) - mdp.gamma * given_cell @ chain @ member.T, rewards)
    return {key: value for (key, _), value in zip(groups, q, strict=True)}


@settings(max_examples=25)
@given(cases(max_n=3))
def test_holds(case):
    exact = exact_case("random", "drawn", *case)
    rows = list(check(exact))
    assert all(holds(row) for row in rows)
    assert all(row.error <= 1e-6 * max(1.0, case[0].r_bar) for row in rows)


@pytest.mark.parametrize("kappa", [0, 1])
def test_the_fixed_point_agrees_with_enumeration(kappa):
    mdp = build({"model": "random", "graph": {"family": "path", "n": 3}, "seed": 5, "gamma": 0.9})
    theta = gaussian_theta(mdp, np.random.default_rng(1))
    q = fixed_point(mdp, theta, 0, kappa)
    hood = neighborhood(mdp.graph, 0, kappa)
    for key, value in enumerated(mdp, theta, 0, kappa).items():
        states, actions = [0] * 3, [0] * 3
        for j, (s_j, a_j) in zip(hood, key, strict=True):
            states[j], actions[j] = s_j, a_j
        assert q[(*states, *actions)] == pytest.approx(value, rel=1e-9)


def test_the_counterexample_leaves_the_hull():
    """q*(s_0 = 1) = 7.5909 although Q_0(1, ·) ∈ [8.6217, 8.6267]: no weights of eq. (6) give it."""
    case = uniform_case(WITNESS)
    q = fixed_point(WITNESS, case.theta, 0, 0).ravel()
    Q = q_function(WITNESS, case.V[0], 0)[1].ravel()
    assert q[1] == pytest.approx(7.5909, abs=5e-5)
    assert (Q.min(), Q.max()) == pytest.approx((8.6217, 8.6267), abs=5e-5)
    assert q[1] == pytest.approx(enumerated(WITNESS, case.theta, 0, 0)[((1, 0),)], rel=1e-12)
    assert q[1] < Q.min() - 1


def test_the_monte_carlo_limit_is_of_form_5():
    """TD(λ) with λ = 1 averages whole returns, so its limit is E_μ[Q_i | cell]: eq. (5) with μ's weights."""
    case = uniform_case(WITNESS)
    P = transition_matrix(WITNESS, policies(WITNESS, case.theta))
    mu = np.linalg.matrix_power(P, 4096)[0].reshape(2, 2)
    Q = q_function(WITNESS, case.V[0], 0)
    limit = natural_mean(WITNESS, case.theta, 0, 0, pi=mu)
    w = conditional_law(WITNESS, policies(WITNESS, case.theta), mu, (0,))
    np.testing.assert_allclose(limit, truncate(Q, (0,), w), rtol=1e-9)
    assert Q[1].min() < limit.ravel()[1] < Q[1].max()


def own(rows, hypothesis):
    """The rows of one right side."""
    return [row for row in rows if row.hypothesis == hypothesis]


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_tight(gamma):
    """Solved by hand: where a fading relay shows 0, its last agent is off by γ^{κ+1}/(1-γ(1-fade)) at κ = n-2.

    In the long run the source shows 0, so q* = 0 where the inside shows 0, but a 1 at the source arrives after
    κ+1 steps and then fades. That over the locality bound is (1-γ)/(1-γ(1-fade)), which tends to 1 with the fade. The
    comparison is over all cells, also those of transient states, where the outside counts as uniform: by enumeration.
    """
    fade = 0.25
    for n in (2, 3, 4):
        case = uniform_case(fading_relay(n, gamma, fade))
        by_hand = gamma ** (n - 1) / (1 - gamma * (1 - fade))
        assert fixed_point(case.mdp, case.theta, n - 1, n - 2).ravel()[0] == pytest.approx(0.0, abs=1e-12)
        assert q_function(case.mdp, case.V[n - 1], n - 1)[(1, *(0,) * (2 * n - 1))] == pytest.approx(by_hand, rel=1e-9)
        row = next(row for row in own(list(check(case)), "locality") if (row.agent, row.kappa) == (n - 1, n - 2))
        pairs = BruteForce(case.mdp, policies(case.mdp, case.theta)).pairs
        settled = np.array([float(not any(s)) for s, _ in pairs])
        q = enumerated(case.mdp, case.theta, n - 1, n - 2, settled / settled.sum())
        Q = q_function(case.mdp, case.V[n - 1], n - 1)
        inside = neighborhood(case.mdp.graph, n - 1, n - 2)
        apart = [abs(q[tuple((s[j], a[j]) for j in inside)] - Q[(*s, *a)]) for s, a in pairs]
        assert row.left == pytest.approx(max(apart), rel=1e-9)
        assert by_hand * (1 - 1e-9) <= row.left <= row.right
        assert by_hand / row.right == pytest.approx((1 - gamma) / (1 - gamma * (1 - fade)), rel=1e-9)


@pytest.mark.parametrize("fade", [1e-2, 1e-4])
def test_tight_in_the_limit(fade):
    """The ratio of the slowly fading relay, in the cell of zeros, where the stationary law sits."""
    case = uniform_case(fading_relay(3, 0.9, fade))
    q = fixed_point(case.mdp, case.theta, 2, 1)[0, 0, 0, 0, 0, 0]
    Q = q_function(case.mdp, case.V[2], 2)[1, 0, 0, 0, 0, 0]
    ratio = abs(q - Q) / td_fixed_point_local(1.0, 0.9, 1)
    assert ratio == pytest.approx(0.1 / (1 - 0.9 * (1 - fade)), rel=1e-4)


def test_tight_from_the_decay_gap_alone():
    """The ladder comes within a few percent of D_i(κ)/(1-γ), so the factor 1/(1-γ) cannot be dropped."""
    rows = own(check(uniform_case(ladder(8, 50, 0.01, 0.5))), "decay gap alone")
    row = next(row for row in rows if row.agent == 0)
    assert 0.97 < row.left / row.right <= 1.0


def test_necessary_factor():
    """Without the factor 1/(1-γ) - with q* of form (5) - the bound by the decay gap fails on the ladder."""
    rows = own(check(uniform_case(ladder(8, 50, 0.01, 0.5))), "decay gap alone")
    assert verdict("", "", "", [row._replace(right=row.right * 0.5) for row in rows]).verdict == "violated"


def test_necessary_exponent():
    """With κ+2 in place of κ+1 the slowly fading relay violates the bound."""
    rows = own(check(uniform_case(fading_relay(3, 0.9, 1e-3))), "locality")
    assert verdict("", "", "", [row._replace(right=0.9 * row.right) for row in rows]).verdict == "violated"


def test_necessary_locality():
    """On the ladder c and ρ alone give twice what locality gives: a gap of D is no excuse for an error of D."""
    case = uniform_case(ladder(8, 50, 0.01, 0.5))
    q = fixed_point(case.mdp, case.theta, 0, 0)
    Q = q_function(case.mdp, case.V[0], 0)
    assert np.abs(q - Q).max() > 1.9 * case.D[0, 0]
    assert np.abs(q - Q).max() <= td_fixed_point_local(1.0, 0.5, 0)


def test_the_paper_is_22_times_looser_at_gamma_07():
    """Its bias over the local one is 2/(1-γ)² in every comparison."""
    rows = list(check(random_case(gamma=0.7)))
    paper, local = own(rows, "paper"), own(rows, "locality")
    for loose, sharp in zip(paper, local, strict=True):
        assert loose.right / sharp.right == pytest.approx(2 / (1 - 0.7) ** 2)
    assert lemma3(1.0, 0.7).c > 0


def test_cases_without_a_unique_stationary_law_are_skipped():
    """The relay's source keeps its bit: two recurrent classes, no row. Noise makes it one."""
    assert not has_unique_stationary_law(uniform_case(RELAY))
    assert list(check(uniform_case(RELAY))) == []
    noisy = uniform_case(build({"model": "relay", "n": 3, "gamma": 0.9, "noise": 0.5}))
    assert has_unique_stationary_law(noisy)
    assert len(list(check(noisy))) == 6 * 5
    assert has_unique_stationary_law(uniform_case(fading_relay(3, 0.9, 0.5)))
    for rows, unique in (([[0, 0.5, 0.5], [0, 1, 0], [0, 0, 1]], False), ([[0, 0.5, 0.5], [0, 0, 1], [0, 0, 1]], True)):
        alone = (np.array(rows, dtype=float)[:, None, :],)
        mdp = NetworkedMDP(nx.empty_graph(1), alone, (np.ones((3, 1)),), 0.5, (np.full(3, 1 / 3),))
        assert has_unique_stationary_law(uniform_case(mdp)) is unique


def test_large_neighborhoods_are_skipped():
    """On the kite N_i^2 of most agents is too large for the kernel on its cells, N_i^1 is not."""
    kite = build({"model": "sis", "graph": {"family": "krackhardt_kite"}, "gamma": 0.7})
    sizes = [[kernel_entries(kite, i, kappa) for i in range(kite.n)] for kappa in (1, 2)]
    assert max(sizes[0]) <= MOST_ENTRIES < max(sizes[1])
    assert all(size == 8 ** len(neighborhood(kite.graph, i, 1)) for i, size in enumerate(sizes[0]))


def test_uniform_policy_of_the_counterexample():
    """Actions have no effect: every policy gives the same q*."""
    two = build({"model": "td_witness", "actions": 2})
    theta = gaussian_theta(two, np.random.default_rng(0))
    q, one = fixed_point(two, theta, 0, 0), fixed_point(WITNESS, uniform_theta(WITNESS), 0, 0)
    for a in itertools.product(range(2), repeat=1):
        np.testing.assert_allclose(q[:, 0, a[0], 0], one[:, 0, 0, 0], rtol=1e-9)
    with pytest.raises(ValueError, match="actions must be at least 1"):
        build({"model": "td_witness", "actions": 0})


@settings(max_examples=60)
@given(cases(max_n=4, max_size=2))
def test_the_influence_bound_holds(case):
    """For every agent, κ and both variants, from C and with C^θ from the second step on; also for D_i(κ)."""
    mdp, theta = case
    exact = exact_case("random", "drawn", mdp, theta)
    C = influence_matrix(mdp)
    C_theta = policy_influence(averaged_kernels(mdp, policies(mdp, theta)), mdp.neighbors)
    for i, kappa, q in fixed_points(exact):
        outsiders = np.ones((mdp.n, 1))
        outsiders[list(neighborhood(mdp.graph, i, kappa))] = 0.0
        left = float(np.abs(q - q_function(mdp, exact.V[i], i)).max())
        for later in (None, C_theta):
            own = float(td_fixed_point_influence(C, outsiders, mdp.gamma, mdp.r_bar, later)[i, 0])
            everywhere = float(td_fixed_point_everywhere(C, kappa, mdp.gamma, mdp.r_bar, later)[i, kappa])
            assert max(left, float(exact.D[i, kappa])) <= own + 1e-7 * max(1.0, mdp.r_bar)
            assert own <= everywhere * (1.0 + 1e-4)  # iterated from above until it has settled
            assert everywhere <= td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa) * (1.0 + 1e-9)


def test_the_influence_bound_is_its_closed_form_where_nothing_is_clipped():
    mdp = build({"model": "sis", "graph": {"family": "path", "n": 5}, "gamma": 0.6, "beta": [0.1, 0.05]})
    C = influence_matrix(mdp)
    inside = list(neighborhood(mdp.graph, 2, 1))
    outside = [0, 4]
    dense = C.toarray()
    solved = np.linalg.solve(
        np.eye(3) - mdp.gamma * dense[np.ix_(inside, inside)], dense[np.ix_(inside, outside)].sum(axis=1)
    )
    closed = mdp.r_bar * mdp.gamma / (1.0 - mdp.gamma) * solved[inside.index(2)]
    outsiders = np.array([[1.0], [0.0], [0.0], [0.0], [1.0]])
    found = td_fixed_point_influence(C, outsiders, mdp.gamma, mdp.r_bar)[2, 0]
    assert closed <= found <= closed * (1.0 + 1e-4)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_the_influence_bound_is_tight(gamma):
    """On the fading relay C_{i,i-1} = 1, so it is the locality bound, which the relay attains as the fade goes to 0."""
    for n in (2, 3, 4):
        fade = 1e-3
        mdp = fading_relay(n, gamma, fade)
        outsiders = np.zeros((n, 1))
        outsiders[0] = 1.0
        bound = float(td_fixed_point_influence(influence_matrix(mdp), outsiders, gamma, 1.0)[n - 1, 0])
        left = gamma ** (n - 1) / (1 - gamma * (1 - fade))
        assert left / bound == pytest.approx((1 - gamma) / (1 - gamma * (1 - fade)), rel=1e-9)
        assert td_fixed_point_everywhere(influence_matrix(mdp), n - 2, gamma, 1.0)[n - 1, n - 2] == pytest.approx(bound)


def test_the_influence_bound_needs_the_outside_at_every_step():
    """TD draws the outside anew at each step: the influence bound on D_0, where it differs at the start only, fails."""
    case = uniform_case(ladder(8, 50, 0.01, 0.5))
    left = np.abs(fixed_point(case.mdp, case.theta, 0, 0) - q_function(case.mdp, case.V[0], 0)).max()
    C, outsiders = influence_matrix(case.mdp), np.array([[0.0], [1.0]])
    assert case.D[0, 0] <= influence(C, outsiders, 0.5, 1.0)[0, 0] < 0.6 * left
    assert 0.9 * td_fixed_point_influence(C, outsiders, 0.5, 1.0)[0, 0] < left
    assert left <= td_fixed_point_influence(C, outsiders, 0.5, 1.0)[0, 0]
