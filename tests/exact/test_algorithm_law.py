"""The exact law of Algorithm 1: against all trajectories, TD's limit, and the learner's own seeds."""

import itertools
import tracemalloc
import types

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exact.plain_law import Law, entry, mixed_score, softmax_score
from sacrepro import NetworkedMDP, Policy, build, critic_law, evaluate, expected_critic, expected_update, mean_curve
from sacrepro.exact import law_cost, td_fixed_point
from sacrepro.exact.chain import chain_of
from sacrepro.exact.law import cell_chain, moments
from sacrepro.exact.law import cell_chain as algorithm_inputs
from sacrepro.exact.law import update as update_room
from sacrepro.exact.law.update import expected_updates
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.truncation import truncated_policy_gradient
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac_seeds
from sacrepro.learn.samples import samples
from sacrepro.model.mdp import as_coupled
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases, coupled_cases

#: Not an integer and t0 > h: α_0 = .6, and all of them differ.
STEP = {"h": 1.5, "t0": 2.5}
#: The enumeration takes any κ; that one beyond the diameter is told is a test of its own.
ANY_KAPPA = pytest.mark.filterwarnings("ignore:kappa = . is beyond the diameter")


def alphas(T, h, t0):
    return [h / (t + t0) for t in range(T)]


def cells_of(law, hood):
    pairs = [itertools.product(range(law.truth.S[j]), range(law.truth.A[j])) for j in hood]
    return itertools.product(*pairs)


def assert_same_law(update, law):
    """Both means within rounding of the enumeration's."""
    size = max([1.0, *(abs(value) for Q_i in law.Q_hat for value in Q_i.values())])
    assert law.mass == pytest.approx(1.0, abs=1e-12)
    assert update.error <= 1e-11 * max(law.mdp.r_bar, 1.0) / (1.0 - law.mdp.gamma) ** 2
    for block, expected in zip(update.g_hat, law.g_hat, strict=True):
        assert np.abs(block - expected).max() <= 1e-12 * size
    for Q_hat_i, expected, hood in zip(update.Q_hat, law.Q_hat, law.hoods, strict=True):
        for x in cells_of(law, hood):
            assert abs(entry(Q_hat_i, hood, x) - expected.get(x, 0.0)) <= 1e-12 * size


def enumerated(mdp, theta, kappa, T, h, t0, **options):
    zeta = policies(mdp, theta)
    return Law(mdp, zeta, softmax_score(zeta), kappa=kappa, T=T, alpha=alphas(T, h, t0), **options)


def affordable(mdp, T):
    """Whether all trajectories are at most a few thousand."""
    assume(np.prod([S * A for S, A in zip(mdp.state_sizes, mdp.action_sizes, strict=True)]) ** (T + 1.0) <= 5_000)


@ANY_KAPPA
@settings(max_examples=40)
@given(cases(max_n=3, max_size=3), st.integers(0, 3), st.integers(1, 4))
def test_every_trajectory_of_a_model(case, kappa, T):
    mdp, theta = case
    affordable(mdp, T)
    assert_same_law(expected_update(mdp, theta, kappa=kappa, T=T, **STEP), enumerated(mdp, theta, kappa, T, **STEP))


@ANY_KAPPA
@settings(max_examples=30)
@given(coupled_cases(max_n=3, max_size=2), st.integers(0, 2), st.integers(1, 3))
def test_every_trajectory_of_an_action_coupled_model(case, kappa, T):
    """With rewards that see neighbors, which are outside the cell at κ = 0."""
    mdp, theta = case
    affordable(mdp, T)
    assert_same_law(expected_update(mdp, theta, kappa=kappa, T=T, **STEP), enumerated(mdp, theta, kappa, T, **STEP))


def deterministic(seed, graph, S, A, gamma=0.7):
    """Kernels of zeros and ones, actions at random, a joint π_0 on four states."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(graph, seed=seed, state_sizes=S, action_sizes=A, gamma=gamma)
    P = tuple(np.eye(P_i.shape[-1])[rng.integers(P_i.shape[-1], size=P_i.shape[:-1])] for P_i in mdp.P)
    pi0 = np.zeros(int(np.prod(S)))
    pi0[rng.choice(len(pi0), size=min(4, len(pi0)), replace=False)] = rng.dirichlet(np.ones(min(4, len(pi0))))
    return NetworkedMDP(graph, P, mdp.r, gamma, pi0.reshape(S)), gaussian_theta(mdp, rng)


def sizes_that_differ():
    path, apart = nx.path_graph(3), nx.empty_graph(3)
    apart.add_edge(0, 2)
    return [
        deterministic(0, path, (2, 3, 2), (2, 1, 2)),
        deterministic(1, path, (3, 2, 1), (1, 2, 2)),
        deterministic(2, apart, (2, 2, 3), (2, 2, 1)),  # agent 1 is isolated
        deterministic(3, nx.path_graph(2), (2, 3), (2, 2), gamma=0.0),
    ]


@ANY_KAPPA
@pytest.mark.parametrize("kappa", [0, 1, 2])
@pytest.mark.parametrize("case", range(4))
def test_every_trajectory_of_length_four(case, kappa):
    mdp, theta = sizes_that_differ()[case]
    assert_same_law(expected_update(mdp, theta, kappa=kappa, T=4, **STEP), enumerated(mdp, theta, kappa, 4, **STEP))


def test_kernels_of_all_kinds_for_three_steps():
    mdp = random_mdp(nx.path_graph(2), seed=5, state_sizes=(2, 2), action_sizes=(1, 2))
    theta = gaussian_theta(mdp, np.random.default_rng(5))
    for kappa in (0, 1):
        assert_same_law(expected_update(mdp, theta, kappa=kappa, T=3, **STEP), enumerated(mdp, theta, kappa, 3, **STEP))


def test_steps_above_one_are_as_printed():
    """α_0 = 3: line 7 overshoots, the law says by how much, and its certificate grows."""
    mdp, theta = sizes_that_differ()[0]
    update = expected_update(mdp, theta, kappa=1, T=4, h=3.0, t0=1.0)
    law = enumerated(mdp, theta, 1, 4, h=3.0, t0=1.0)
    for block, expected in zip(update.g_hat, law.g_hat, strict=True):
        assert np.abs(block - expected).max() <= update.error
    assert update.error > 10 * expected_update(mdp, theta, kappa=1, T=4, **STEP).error


@pytest.mark.parametrize("case", [0, 2])
def test_mixed_policies_have_their_own_score(case):
    mdp, theta = sizes_that_differ()[case]
    softmax = policies(mdp, theta)
    zeta = [0.7 * zeta_i + 0.3 / zeta_i.shape[1] for zeta_i in softmax]
    law = Law(mdp, zeta, mixed_score(softmax, 0.3), kappa=1, T=3, alpha=alphas(3, **STEP))
    assert_same_law(expected_update(mdp, theta, kappa=1, T=3, epsilon=0.3, **STEP), law)


def test_a_probability_that_is_zero_in_floating_point_has_no_score():
    mdp, _ = random_case(2)
    theta = (np.array([[0.0, -800.0], [0.0, 0.0]]), np.zeros((2, 2)))
    assert policies(mdp, theta)[0][0, 1] == 0.0
    found = expected_update(mdp, theta, kappa=0, T=2, **STEP)
    assert all(np.isfinite(block).all() for block in (*found.g_hat, *found.b))
    assert not found.g_hat[0][0].any()


def as_tables(mdp, law, Q_hat):
    """Dictionaries {cell: value} as tables in the shape of Q̂_i."""
    tables = []
    for Q_i, hood in zip(Q_hat, law.hoods, strict=True):
        sizes = (*mdp.state_sizes, *mdp.action_sizes)
        table = np.zeros([size if k % mdp.n in hood else 1 for k, size in enumerate(sizes)])
        for x, value in Q_i.items():
            entry_at = [0] * (2 * mdp.n)
            for j, (s, a) in zip(hood, x, strict=True):
                entry_at[j], entry_at[mdp.n + j] = s, a
            table[tuple(entry_at)] = value
        tables.append(table)
    return tables


@pytest.mark.parametrize("kappa", [0, 1])
def test_a_warm_start_over_two_outer_iterations(kappa):
    """Footnote 2: every outcome of m = 0 leaves its θ(1) and Q̂; from each of them m = 1 is enumerated."""
    mdp, theta = deterministic(4, nx.path_graph(2), (2, 3), (2, 1))
    first = enumerated(mdp, theta, kappa, 2, keep=True, **STEP)
    for _, g_hat, Q_hat in first.outcomes[::3]:
        theta_1 = tuple(theta_i + 0.5 * g for theta_i, g in zip(theta, g_hat, strict=True))
        law = enumerated(mdp, theta_1, kappa, 2, Q_hat_0=Q_hat, **STEP)
        warm = expected_update(mdp, theta_1, kappa=kappa, T=2, Q_hat=as_tables(mdp, law, Q_hat), **STEP)
        assert_same_law(warm, law)


def random_case(n=3, seed=0, gamma=0.7, graph=None):
    mdp = random_mdp(nx.path_graph(n) if graph is None else graph, seed=seed, gamma=gamma)
    return mdp, gaussian_theta(mdp, np.random.default_rng(seed))


@pytest.mark.parametrize(("n", "kappa"), [(3, 0), (2, 1)])
def test_long_episodes_end_at_the_fixed_point_of_td(n, kappa):
    """E ĝ → eq. (7) at q*, E Q̂^T → q*: the gap halves when T doubles, and the extrapolation closes it."""
    mdp, theta = random_case(n)
    q = [td_fixed_point(mdp, theta, i, kappa) for i in range(mdp.n)]
    h_hat = truncated_policy_gradient(mdp, theta, q, kappa)
    gaps, means = [], []
    for T in (2000, 4000, 8000):
        update = expected_update(mdp, theta, kappa=kappa, T=T, h=300.0, t0=600.0)
        gaps.append(np.concatenate([(g - h).ravel() for g, h in zip(update.g_hat, h_hat, strict=True)]))
        means.append(max(np.abs(mean - q_i).max() for mean, q_i in zip(update.Q_hat, q, strict=True)))
    norms = [np.linalg.norm(gap) for gap in gaps]
    assert norms[0] <= 0.03 * np.linalg.norm(np.concatenate([h.ravel() for h in h_hat]))
    assert norms[2] / norms[1] == pytest.approx(0.5, abs=0.05)
    assert means[2] / means[1] <= 0.6
    assert np.linalg.norm(2 * gaps[2] - gaps[1]) <= 0.25 * norms[2]


def assert_same_moments(law, kappa, found, i):
    """Mean and covariance of agent i's critic within rounding of the enumeration's."""
    hood = law.hoods[i]
    cells = sorted(cells_of(law, hood), key=lambda x: ([s for s, _ in x], [a for _, a in x]))
    mean = np.array([law.Q_hat[i].get(x, 0.0) for x in cells])
    second = np.array([[law.second[i].get((x, y), 0.0) for y in cells] for x in cells])
    size = max(1.0, np.abs(mean).max()) ** 2
    assert found.error <= 1e-11 * max(law.mdp.r_bar, 1.0) ** 2 / (1.0 - law.mdp.gamma) ** 2
    assert np.abs(found.mean.ravel() - mean).max() <= 1e-12 * size
    assert np.abs(found.covariance - (second - np.outer(mean, mean))).max() <= 1e-12 * size


@ANY_KAPPA
@pytest.mark.parametrize("kappa", [0, 1, 2])
@pytest.mark.parametrize("case", range(4))
def test_the_covariance_over_every_trajectory(case, kappa):
    mdp, theta = sizes_that_differ()[case]
    law = enumerated(mdp, theta, kappa, 3, squares=True, **STEP)
    for i in range(mdp.n):
        assert_same_moments(law, kappa, critic_law(mdp, theta, i, kappa=kappa, T=3, **STEP), i)


@ANY_KAPPA
@settings(max_examples=15)
@given(cases(max_n=2, max_size=2), st.integers(0, 1), st.integers(1, 3))
def test_the_covariance_of_any_model(case, kappa, T):
    mdp, theta = case
    affordable(mdp, T)
    law = enumerated(mdp, theta, kappa, T, squares=True, **STEP)
    assert_same_moments(law, kappa, critic_law(mdp, theta, mdp.n - 1, kappa=kappa, T=T, **STEP), mdp.n - 1)


@ANY_KAPPA
@settings(max_examples=10)
@given(coupled_cases(max_n=2, max_size=2), st.integers(0, 1))
def test_the_covariance_of_an_action_coupled_model(case, kappa):
    mdp, theta = case
    affordable(mdp, 2)
    law = enumerated(mdp, theta, kappa, 2, squares=True, **STEP)
    assert_same_moments(law, kappa, critic_law(mdp, theta, 0, kappa=kappa, T=2, **STEP), 0)


def standardised(found, expected):
    """(mean of `found` - expected) / standard error, entry by entry; found : (seeds, …)."""
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    off = np.abs(found.mean(axis=0) - expected)
    return np.where(error > 0, off / np.where(error > 0, error, 1.0), np.where(off <= 1e-12, 0.0, np.inf))


#: Of at most 40 standardised means one is beyond 5.2 with probability below 40 · 2e-7 ≈ 1e-5 if all is right.
LARGEST = 5.2


@pytest.mark.parametrize(("kappa", "T"), [(0, 30), (1, 30), (1, 7)])
def test_the_mean_over_seeds_of_algorithm_1(kappa, T):
    mdp, theta = random_case(4)
    update = expected_update(mdp, theta, kappa=kappa, T=T, h=3.0, t0=5.0)
    found = samples(mdp, theta, 0, kappa=kappa, T=T, h=3.0, t0=5.0, seeds=range(40_000))
    for block, g in zip(update.g_hat, found.g_hat, strict=True):
        assert standardised(g, block).max() <= LARGEST


def test_the_mean_over_seeds_with_mixed_policies():
    mdp, theta = random_case(3, seed=1)
    common = {"kappa": 1, "T": 20, "h": 3.0, "t0": 5.0, "epsilon": 0.4}
    update = expected_update(mdp, theta, **common)
    traces = sac_seeds(mdp, theta, M=1, eta=1.0, seeds=range(20_000), **common)
    for i, block in enumerate(update.g_hat):
        g = np.stack([trace.theta[i] - theta[i] for trace in traces])
        assert standardised(g, block).max() <= LARGEST


def test_the_mean_over_seeds_with_a_warm_start():
    """With so small a step that θ(1) = θ(0) up to 1e-9, E ĝ(1) is the law from Q̂^0 = E Q̂^T of m = 0, by linearity."""
    mdp, theta = random_case(3, seed=2)
    common = {"kappa": 1, "T": 20, "h": 3.0, "t0": 5.0}
    first = expected_update(mdp, theta, **common)
    second = expected_update(mdp, theta, Q_hat=first.Q_hat, **common)
    eta = 1e-9
    traces = sac_seeds(mdp, theta, M=2, eta=eta, seeds=range(20_000), warm_start=True, record_every=1, **common)
    for i in range(mdp.n):
        g = np.stack([(trace.thetas[i][2] - trace.thetas[i][1]) * np.sqrt(2.0) / eta for trace in traces])
        # θ is of order 1, so what is left of a step of 1e-9 is known to 1e-7.
        assert standardised(g, second.g_hat[i]).max() <= LARGEST
        assert standardised(g, first.g_hat[i]).max() > 2 * LARGEST


def test_an_action_coupled_model_that_is_none():
    mdp, theta = random_case(3)
    plain = expected_update(mdp, theta, kappa=1, T=9, **STEP)
    coupled = expected_update(as_coupled(mdp), theta, kappa=1, T=9, **STEP)
    for name in ("g_hat", "Q_hat"):
        for table, other in zip(getattr(plain, name), getattr(coupled, name), strict=True):
            assert table.shape == other.shape
            assert np.abs(table - other).max() <= plain.error + coupled.error


@pytest.mark.parametrize(("graph", "kappa"), [(nx.path_graph(5), 1), (nx.star_graph(4), 0), (nx.cycle_graph(5), 0)])
def test_matrices_and_factored_products_agree(graph, kappa, monkeypatch):
    mdp, theta = random_case(graph=graph)
    dense = expected_update(mdp, theta, kappa=kappa, T=6, **STEP)
    law = critic_law(mdp, theta, 1, kappa=kappa, T=6, **STEP)
    for room in (cell_chain, moments):
        monkeypatch.setattr(room, "DENSE_OUTSIDE", 1)
    factored = expected_update(mdp, theta, kappa=kappa, T=6, **STEP)
    for name in ("g_hat", "Q_hat"):
        for table, other in zip(getattr(dense, name), getattr(factored, name), strict=True):
            assert np.abs(table - other).max() <= dense.error + factored.error
    other_law = critic_law(mdp, theta, 1, kappa=kappa, T=6, **STEP)
    for table, other in zip(law[:2], other_law[:2], strict=True):
        assert np.abs(table - other).max() <= law.error + other_law.error


@pytest.mark.parametrize(("n", "kappa"), [(3, 1), (2, 1), (4, 0)])
def test_many_lengths_at_once_are_each_by_itself(n, kappa, monkeypatch):
    """In any order, across the steps at which a computation can be interrupted."""
    mdp, theta = random_case(n)
    monkeypatch.setattr(moments, "INTERRUPTIBLE", 4)
    lengths = (9, 1, 4, 6)
    for T, found in zip(lengths, expected_updates(mdp, theta, kappa=kappa, lengths=lengths, **STEP), strict=True):
        monkeypatch.setattr(moments, "INTERRUPTIBLE", 100)
        alone = expected_update(mdp, theta, kappa=kappa, T=T, **STEP)
        assert found.error == alone.error
        for name in ("g_hat", "Q_hat", "b"):
            for table, other in zip(getattr(found, name), getattr(alone, name), strict=True):
                assert np.abs(table - other).max() <= found.error + alone.error


def test_agents_who_see_the_same_share_one_recursion():
    """Warm starts of opposite signs cancel in what line 11 sums; the certificate keeps the size of each."""
    mdp, theta = random_case(2)
    Q_hat = [np.full((2, 2, 2, 2), value) for value in (1e6, -1e6)]
    warm = expected_update(mdp, theta, kappa=1, T=7, Q_hat=Q_hat, **STEP)
    plain = expected_update(mdp, theta, kappa=1, T=7, **STEP)
    assert warm.error > 1e4 * plain.error
    for block, other in zip(warm.g_hat, plain.g_hat, strict=True):
        assert np.abs(block - other).max() <= warm.error + plain.error
    for i in range(2):
        critic, _ = expected_critic(mdp, theta, kappa=1, T=7, Q_hat=Q_hat, agents=[i], **STEP)
        assert np.abs(critic[0] - warm.Q_hat[i]).max() <= warm.error


def test_blocks_of_weights_do_not_matter(monkeypatch):
    mdp, theta = random_case(3)
    whole = expected_update(mdp, theta, kappa=1, T=6, **STEP)
    monkeypatch.setattr(algorithm_inputs, "BLOCK_ENTRIES", 1)
    apart = expected_update(mdp, theta, kappa=1, T=6, **STEP)
    critic, error = expected_critic(mdp, theta, kappa=1, T=6, agents=(2, 0), **STEP)
    for block, other in zip(whole.g_hat, apart.g_hat, strict=True):
        assert np.abs(block - other).max() <= whole.error + apart.error
    for mean, i in zip(critic, (2, 0), strict=True):
        assert np.abs(mean - whole.Q_hat[i]).max() <= whole.error + error


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
def test_the_bias_is_that_of_the_policies_that_are_run(epsilon):
    """b = E ĝ - ∇J, with ∇J by central differences of the exact J of the mixture."""
    mdp, theta = random_case(3, seed=3)
    update = expected_update(mdp, theta, kappa=1, T=5, epsilon=epsilon, **STEP)

    def J(i, s, b, step):
        moved = [theta_j.copy() for theta_j in theta]
        moved[i][s, b] += step
        zeta = [(1 - epsilon) * zeta_j + epsilon / 2 for zeta_j in policies(mdp, moved)]
        return evaluate(mdp, Policy(zeta), tol=1e-12).J

    assert update.b_error <= 1e-8
    for i, (g, b_i) in enumerate(zip(update.g_hat, update.b, strict=True)):
        for s, b in np.ndindex(g.shape):
            difference = (J(i, s, b, 1e-3) - J(i, s, b, -1e-3)) / 2e-3
            assert b_i[s, b] == pytest.approx(g[s, b] - difference, abs=1e-7)


def test_the_mean_curve_starts_as_the_expected_update():
    mdp, theta = random_case(2)
    curve = mean_curve(mdp, theta, kappa=0, M=3, T=5, eta=0.5, **STEP)
    at = [block[0] for block in curve]
    for m in range(3):
        step = expected_update(mdp, at, kappa=0, T=5, **STEP).g_hat
        at = [theta_i + 0.5 / np.sqrt(m + 1) * g for theta_i, g in zip(at, step, strict=True)]
        for block, theta_i in zip(curve, at, strict=True):
            assert block.shape == (4, 2, 2)
            assert block[m + 1] == pytest.approx(theta_i, abs=1e-13)


def test_what_does_not_fit_is_refused_before_it_starts():
    mdp, theta = random_case(6)
    cost = law_cost(mdp, kappa=5, T=1000)
    assert (cost.agent, cost.cells) == (0, 4**6)
    with pytest.raises(
        ValueError, match=rf"agent 0's critic, which has 4096 cells,.* exceeds work = {1 << 40}; take a smaller"
    ):
        expected_update(mdp, theta, kappa=5, T=1000, **STEP)
    with pytest.raises(MemoryError, match=r"which has 64 cells, needs .* but 1 kB are allowed"):
        expected_update(mdp, theta, kappa=1, T=2, memory_limit=1000, **STEP)
    small = law_cost(mdp, kappa=0, T=1000, critic_only=True, agents=(3,))
    assert small.multiplications < law_cost(mdp, kappa=0, T=1000).multiplications / 6


@pytest.mark.parametrize(("n", "kappa"), [(5, 1), (6, 0), (3, 1), (3, 2)])
def test_the_memory_is_what_was_told(n, kappa):
    mdp, theta = random_case(n)
    options = {"kappa": kappa, "T": 2, **STEP}
    expected_critic(mdp, theta, **options)
    for critic_only, law in ((False, expected_update), (True, expected_critic)):
        tracemalloc.start()
        law(mdp, theta, **options)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        told = law_cost(mdp, kappa=kappa, T=2, critic_only=critic_only).memory
        assert peak <= told + 200_000
        assert told <= 2 * peak + 200_000


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"kappa": -1}, ValueError, "kappa must be at least 0"),
        ({"T": 0}, ValueError, "T must be at least 1, got 0"),
        ({"T": 2.0}, TypeError, "T must be an integer, got 2.0"),
        ({"h": 0.0}, ValueError, "h must be finite and above 0"),
        ({"t0": np.inf}, ValueError, "t0 must be finite and above 0"),
        ({"t0": "1"}, TypeError, "t0 must be a number, got '1'"),
        ({"epsilon": 1.0}, ValueError, r"epsilon must lie in \[0, 1\)"),
        ({"Q_hat": (np.zeros((2, 2)),)}, ValueError, "Q_hat holds 1 arrays, but there are 2 agents"),
        ({"Q_hat": (np.zeros((2, 1, 2, 1)),) * 2}, ValueError, r"Q_hat\[1\] of agent 1 has shape \(2, 1, 2, 1\)"),
        ({"Q_hat": (np.full((2, 1, 2, 1), np.nan), 0)}, ValueError, r"Q_hat\[0\] of agent 0 has entry nan at \(0, 0"),
    ],
)
def test_wrong_arguments(wrong, error, message):
    mdp, theta = random_case(2)
    with pytest.raises(error, match=message):
        expected_update(mdp, theta, **({"kappa": 0, "T": 2, **STEP} | wrong))
    for lengths in ([], "20", 2, np.array(2)):
        with pytest.raises(ValueError, match="lengths must be a sequence of at least one T, got"):
            expected_updates(mdp, theta, kappa=0, lengths=lengths, **STEP)


def test_wrong_models_and_curves():
    mdp, theta = random_case(2)
    with pytest.raises(ValueError, match="theta holds 1 arrays"):
        expected_update(mdp, theta[:1], kappa=0, T=2, **STEP)
    with pytest.raises(TypeError, match="NetworkedMDP"):
        expected_update("path", theta, kappa=0, T=2, **STEP)
    with pytest.raises(ValueError, match="theta0 holds 1 arrays"):
        mean_curve(mdp, theta[:1], kappa=0, M=1, T=2, eta=1.0, **STEP)
    for wrong in ({"M": 0}, {"eta": 0.0}, {"eta": np.nan}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
            mean_curve(mdp, theta, **({"kappa": 0, "M": 1, "T": 2, "eta": 1.0, **STEP} | wrong))


def test_by_hand():
    """One agent, one state, one action, r = 1, γ = 1/2, α = 1/2 then 1/3: Q̂ = 1/2, then 2/3·1/2 + 1/3·(1 + 1/4)."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 1, 1)),), (np.ones((1, 1)),), 0.5, (np.ones(1),))
    one = expected_update(mdp, uniform_theta(mdp), kappa=0, T=1, h=1.0, t0=2.0)
    two = expected_update(mdp, uniform_theta(mdp), kappa=0, T=2, h=1.0, t0=2.0)
    assert one.Q_hat[0].item() == 0.5
    assert two.Q_hat[0].item() == pytest.approx(0.75, abs=1e-15)
    assert two.g_hat[0].tolist() == [[0.0]]


# What the law takes and how far it may be off, term by term.


def shape_by_hand():
    """Agent 0 of a path at κ = 0: B = {0}, O = {1, 2}; b = 2, a = 2, o = 6, r = 2, c = 4."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(2, 3, 2), action_sizes=(2, 1, 3), gamma=0.5)
    return mdp, cell_chain.CellShape(mdp.graph, mdp.state_sizes, mdp.action_sizes, 0, 0)


def test_the_cost_by_hand(monkeypatch):
    """B twice, 240, by (rim, o, u') and by (o, u'), 180; 1 + 4 weights, in small blocks each beside d = 1 again."""
    mdp, shape = shape_by_hand()
    assert (shape.b, shape.a, shape.o, shape.r, shape.c) == (2, 2, 6, 2, 4)
    assert shape.entries == 2 * 6 * 4 * 5 + (2 + 1) * 6 * 2 * 5 == 420
    assert shape.multiplications == 5 * (6 * 4 * 2 + 36 * 2 * 2) + 36 * 4 * 4 == 1536
    kernels = 6 * 4 * 2 * (2 + 6) + 2 * 36
    assert law_cost(mdp, kappa=0, T=7, agents=[0]) == (8 * (420 * 5 + kernels), 7 * 1536 * 6, 0, 4)
    assert law_cost(mdp, kappa=0, T=7, agents=[0], critic_only=True) == (8 * (420 + kernels), 7 * 1536, 0, 4)
    monkeypatch.setattr(cell_chain, "BLOCK_ENTRIES", 1260)
    assert cell_chain.weights_together(shape) == 3
    assert law_cost(mdp, kappa=0, T=7, agents=[0]) == (8 * (420 * 4 + kernels), 7 * 1536 * 6, 0, 4)
    monkeypatch.setattr(cell_chain, "BLOCK_ENTRIES", 1259)
    assert law_cost(mdp, kappa=0, T=7, agents=[0]) == (8 * (420 * 3 + kernels), 7 * 1536 * 7, 0, 4)
    monkeypatch.setattr(cell_chain, "BLOCK_ENTRIES", 1)
    assert law_cost(mdp, kappa=0, T=7, agents=[0]) == (8 * (420 * 2 + kernels), 7 * 1536 * 9, 0, 4)
    each = [law_cost(mdp, kappa=0, T=7, agents=[i]) for i in range(3)]
    most = max(each, key=lambda cost: cost.multiplications)
    assert law_cost(mdp, kappa=0, T=7) == (
        max(cost.memory for cost in each), sum(cost.multiplications for cost in each), most.agent, most.cells
    )  # fmt: skip
    pair = law_cost(random_mdp(nx.path_graph(2), seed=0), kappa=0, T=1, critic_only=True)
    assert pair.memory == 8 * (2 * 2 * 4 * 5 + 3 * 2 * 2 * 5 + 2 * 16 + 2 * 4 + 16 * 2)
    alike = random_mdp(nx.cycle_graph(3), seed=0)
    assert law_cost(alike, kappa=0, T=7).agent == 0
    # On a ring of three everybody is a neighbor: 64 weights, each beside d = 1, once, and d = 1 for each agent.
    everybody = cell_chain.CellShape(alike.graph, alike.state_sizes, alike.action_sizes, 0, 1)
    once = law_cost(alike, kappa=1, T=7).multiplications
    assert once == 7 * everybody.multiplications * (1 + 64 + 64 + 3)
    # Of two who see the same, with 16 cells or one: all weights, each beside d = 1, which each has alone, too.
    for size, times in ((2, 17 + 16 + 1 + 1), (1, 2 + 1 + 1 + 1)):
        two = random_mdp(nx.path_graph(2), seed=0, state_sizes=(size, size), action_sizes=(size, size))
        both = cell_chain.CellShape(two.graph, two.state_sizes, two.action_sizes, 0, 1)
        assert law_cost(two, kappa=1, T=7).multiplications == 7 * both.multiplications * times
    # Nobody outside: no product over O. b = 12, a = 6, c = 72.
    whole = cell_chain.CellShape(mdp.graph, mdp.state_sizes, mdp.action_sizes, 1, 1)
    assert (whole.o, whole.r, whole.rim, whole.outside) == (1, 1, (), ())
    assert law_cost(mdp, kappa=1, T=7, agents=[1], critic_only=True).memory == 8 * (whole.entries + 72 * 12 * 3)
    # The product over O factored: five tables of 6 times the larger of c²/r = 8 and b (c + 1) = 10.
    monkeypatch.setattr(cell_chain, "DENSE_OUTSIDE", 5)
    assert (shape.entries, shape.kernels) == (2 * 6 * 4 * 5 + 5 * 6 * 10, 3 * 6 * 4 * 2)
    assert whole.kernels == 72 * 12 * 3
    monkeypatch.setattr(cell_chain, "DENSE_OUTSIDE", 0)
    assert whole.entries == 2 * 72 * 73 + 5 * 72 * 72


def test_sixty_four_states_around_are_a_matrix_and_sixty_five_are_factored():
    """s_0 and a_0 are two-valued: b = a = r = 2, c = 4; of 2¹⁸ entries 58 times 4480 are made at once."""
    known = ((8, 8, 2 * 64 * 4 * 5 + 3 * 64 * 2 * 5, 2 * 512 + 2 * 64**2 + 512 * 64, 58),
             (5, 13, 2 * 65 * 4 * 5 + 5 * 65 * 2 * 5, 3 * 520, 44))  # fmt: skip
    for one, other, entries, kernels, together in known:
        shape = cell_chain.CellShape(nx.path_graph(3), (2, one, other), (2, 1, 1), 0, 0)
        assert (shape.entries, shape.kernels, cell_chain.weights_together(shape)) == (entries, kernels, together)


def cell_by_cell(shape, table):
    """A table over all states, then all actions, of the agents inside, with these in ascending order."""
    m, order = len(shape.inside), np.argsort(shape.inside)
    return table.reshape((2,) * (2 * m)).transpose([*order, *(m + order)])


def test_policies_are_mixed_and_tables_given_by_hand():
    """(1-ε) ζ_i + ε/A_i, logits as they are at ε = 0; Q̂^0 of every agent over its own cells, there and back."""
    mdp, theta = random_case(3)
    plain, mixed = (cell_chain.mixed_chain(mdp, theta, epsilon) for epsilon in (0.0, 0.25))
    assert all(one is other for one, other in zip(plain.theta, cell_chain.checked(mdp, theta), strict=True))
    for zeta_i, found in zip(policies(mdp, theta), mixed.policies, strict=True):
        assert found == pytest.approx(0.75 * zeta_i + 0.25 / zeta_i.shape[1], rel=1e-14)
    for model, kappa in itertools.product((as_coupled(mdp), mdp), (1, 0)):
        shapes = [cell_chain.CellShape(mdp.graph, *cell_chain.chain_sizes(model), i, kappa) for i in range(3)]
        tables = [np.arange(float(shape.c)) + 10 * shape.agent for shape in shapes]
        Q_hat = [cell_chain.as_Q_hat(table, shape, model) for table, shape in zip(tables, shapes, strict=True)]
        found = cell_chain.first_tables(model, kappa, Q_hat)
        assert [table.tolist() for table in found] == [table.tolist() for table in tables]
        # Cells of pairs list s_j and a_j of each agent, others all states first.
        pair = tables[0].reshape((2, 2, 2, 2)).transpose(0, 2, 1, 3) if model.couples and kappa else tables[0]
        assert Q_hat[0].ravel().tolist() == cell_by_cell(shapes[0], pair).ravel().tolist()
    Q_hat[1][0, 1, 0, 0, 0, 0] = np.nan
    with pytest.raises(ValueError, match=r"^Q_hat\[1\] of agent 1 has entry nan at \(0, 1, 0, 0, 0, 0\)$"):
        cell_chain.first_tables(mdp, 0, Q_hat)


def test_the_cost_of_the_covariance_by_hand():
    """c + 1 = 5: carried 6·4·25, added 6·4·2·2·6, kernels 2·48 + 2·36 + 48·6; three products in a step."""
    _, shape = shape_by_hand()
    steps = 2 * 600 + 6 * 2 * 2 * 25 * 6 + 6 * 576
    assert moments._cost(shape, 7) == (8 * (2 * 600 + 3 * 576 + 2 * 2 * 6 * 2 * 25 + 456), 7 * steps, 0, 4)


def test_as_much_work_as_is_needed_is_enough():
    mdp, theta = random_case(2)
    cost = law_cost(mdp, kappa=0, T=2)
    options = {"kappa": 0, "T": 2, **STEP}
    expected_update(mdp, theta, work=cost.multiplications, memory_limit=cost.memory, **options)
    with pytest.raises(ValueError, match=rf"need {cost.multiplications} multiply-adds, which exceeds work = "):
        expected_update(mdp, theta, work=cost.multiplications - 1, **options)
    with pytest.raises(MemoryError, match="a smaller kappa or network fits"):
        expected_update(mdp, theta, memory_limit=cost.memory - 1, **options)
    alone = law_cost(mdp, kappa=0, T=2, critic_only=True, agents=[1]).multiplications
    expected_critic(mdp, theta, agents=[1], work=alone, **options)
    with pytest.raises(ValueError, match="exceeds work"):
        expected_critic(mdp, theta, agents=[1], work=alone - 1, **options)


def test_the_roundings_of_a_step_by_hand(monkeypatch):
    """Outside twice; sums over the rim and O, over the cells; kernels; ζ of everybody; two an agent inside, and 16.

    Outside: the kernels of a matrix, or the factored product.
    """
    mdp, shape = shape_by_hand()
    chain = chain_of(mdp, uniform_theta(mdp))
    softmax = sum(2 * 8 + 2 * A + 2 + 4 for A in mdp.action_sizes)
    outside = cell_chain.cell_chain(chain, 0, 0)
    monkeypatch.setattr(cell_chain, "DENSE_OUTSIDE", 6)
    assert outside.roundings == 2 * len(shape.outside) + 2 * 6 + 4 + chain.kernel_roundings + softmax + 2 + 16
    monkeypatch.setattr(cell_chain, "DENSE_OUTSIDE", 5)
    most = max(operator.adjoint_roundings for operator in outside._operators)
    assert most > 2
    assert outside.roundings == 2 * most + 2 * 6 + 4 + chain.kernel_roundings + softmax + 2 + 16
    monkeypatch.undo()
    whole = cell_chain.cell_chain(chain, 1, 1)
    assert whole.roundings == 1 + 72 + chain.kernel_roundings + softmax + 6 + 16


def test_the_rounding_error_by_hand():
    """α = ½, 2, 3 and row sums up to 5/4: ((2 + 5 + 7 + 2) γ_10 + γ_2) q, growing by 3 · 5 · (5/4)³; q = 3/(1-γ), or of
    Q̂^0. γ_2 is the sum over two z.
    """
    cells = types.SimpleNamespace(
        roundings=10, reward=np.array([[1.0, 3.0]]), chain=types.SimpleNamespace(gamma=0.5, row_sums=(0.5, 1.25))
    )
    alpha = np.array([0.5, 2.0, 3.0])
    for start, q in ((np.array([-7.0, 2.0]), 7.0), (np.array([1.0, 2.0]), 6.0)):
        assert moments.error_growth(cells, start, alpha) == (q, pytest.approx(15 * 1.25**3, rel=1e-8))
        expected = (gamma_k(10) * 16 + gamma_k(2)) * q * 15 * 1.25**3
        assert moments.rounding_error(cells, start, alpha) == pytest.approx(expected, rel=1e-8, abs=0)
    cells.chain.row_sums = (0.5, 0.75)
    assert 15 < moments.error_growth(cells, start, alpha)[1] < 15 * (1 + 1e-8)


def test_necessary_after_one_step_the_sum_over_all_z_rounds_more_than_the_step():
    """On a path of 9 agent 4 has 64 cells at κ = 1, beside 64 states outside: 4,096 terms, one after the other."""
    mdp = build({"model": "relay", "n": 9, "gamma": 0.5})
    cells = cell_chain.cell_chain(chain_of(mdp, uniform_theta(mdp)), 4, 1)
    alpha, scale = np.array([0.5]), float(cells.reward.max()) / 0.5
    assert cells.reward.shape == (64, 64)
    assert 4 * gamma_k(cells.roundings) < gamma_k(64 * 64)
    assert moments.rounding_error(cells, np.zeros(64), alpha) > gamma_k(64 * 64) * scale


def test_the_error_of_a_covariance_by_hand(monkeypatch):
    """γ_{2k} (Σ (1 + 2α)² + 3), and the sum over z, of the scale squared; what the mean's error does to its square."""
    mdp, theta = random_case(2)
    cells = cell_chain.cell_chain(chain_of(mdp, theta), 0, 0)
    monkeypatch.setattr(moments, "error_growth", lambda cells, start, alpha: (2.0, 3.0))
    second = gamma_k(2 * cells.roundings) * ((1 + 2 * 0.5) ** 2 + (1 + 2 / 3) ** 2 + 3) + gamma_k(cells.reward.size)
    for first, expected in (
        (0.0, second * 36),
        (0.5, 2 * 6 * 0.5 + 0.25),
        (2.0**-60, second * 36 + 12 * 2.0**-60),
    ):
        monkeypatch.setattr(moments, "rounding_error", lambda cells, start, alpha, first=first: first)
        found = critic_law(mdp, theta, 0, kappa=0, T=2, h=1.0, t0=2.0).error
        assert found == pytest.approx(expected, rel=1e-8 if first != 2.0**-60 else 2e-9, abs=0)
        assert found > expected
    monkeypatch.setattr(moments, "error_growth", lambda cells, start, alpha: (0.0, 0.0))
    monkeypatch.setattr(moments, "rounding_error", lambda cells, start, alpha: 0.5)
    assert critic_law(mdp, theta, 0, kappa=0, T=2, h=1.0, t0=2.0).error == pytest.approx(0.5, rel=1e-8)


@pytest.mark.parametrize(("epsilon", "through"), [(0.0, 1.0), (0.3, 1 + np.sqrt(2))])
def test_the_errors_of_an_update_by_hand(epsilon, through, monkeypatch):
    """Of ĝ: 2|N_j^κ|/(n(1-γ)) of every critic's; of b the gradient's √n blocks besides, through the mixture's score."""
    mdp, theta = random_case(3)
    errors = [0.5, 0.25, 0.125]
    monkeypatch.setattr(update_room, "rounding_error", lambda cells, start, alpha: errors[cells.shape.agent])
    monkeypatch.setattr(
        update_room,
        "objective_and_gradient",
        lambda mdp, theta: objective_and_gradient(mdp, theta)._replace(gradient_error=0.75),
    )
    found = expected_update(mdp, theta, kappa=1, T=2, epsilon=epsilon, **STEP)
    g_error = 2 * (2 * 0.5 + 3 * 0.25 + 2 * 0.125) / (3 * 0.3)
    assert g_error < found.error < g_error * (1 + 1e-8)
    assert found.b_error - found.error == pytest.approx(np.sqrt(3) * 0.75 * through, rel=1e-8)
    assert expected_critic(mdp, theta, kappa=1, T=2, agents=(2, 1), **STEP)[1] == 0.25
    uneven = random_mdp(nx.path_graph(2), seed=0, action_sizes=(3, 2))
    growth = update_room._gradient(uneven, uniform_theta(uneven), 0.3)[1]
    assert growth == pytest.approx((1 + np.sqrt(3)) * np.sqrt(2) * 0.75, rel=1e-12)
    errors[:] = [2.0**-60, 3.0, 2.0**-60]
    patient = random_case(3, gamma=0.0)
    assert 3.0 < expected_update(*patient, kappa=0, T=2, **STEP).error < 3.0 * (1 + 1e-8)


@pytest.mark.parametrize(
    "wrong", [{"M": True}, {"M": 1.0}, {"eta": True}, {"eta": np.inf}, {"eta": "1"}, {"eta": -1.0}]
)
def test_curves_that_make_no_sense(wrong):
    mdp, theta = random_case(2)
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f"^{name} must be .*, got {value!r}$"):
        mean_curve(mdp, theta, **({"kappa": 0, "M": 1, "T": 2, "eta": 1.0, **STEP} | wrong))


def test_a_curve_passes_on_its_policies_and_limits():
    """ε, work and memory are those of every step; M may be a numpy integer, η a whole number."""
    mdp, theta = random_case(2)
    options = {"kappa": 0, "T": 3, "epsilon": 0.25, **STEP}
    curve = mean_curve(mdp, theta, M=np.int64(1), eta=2, **options)
    for block, theta_i, g in zip(curve, theta, expected_update(mdp, theta, **options).g_hat, strict=True):
        assert block[1] == pytest.approx(theta_i + 2 * g, abs=1e-14)
    with pytest.raises(ValueError, match="exceeds work = 5;"):
        mean_curve(mdp, theta, M=1, eta=1.0, work=5, **options)
    with pytest.raises(MemoryError, match="but 5 B are allowed"):
        mean_curve(mdp, theta, M=1, eta=1.0, memory_limit=5, **options)
    with pytest.raises(MemoryError, match="but 5 B are allowed"):
        expected_critic(mdp, theta, memory_limit=5, **options)
    with pytest.raises(ValueError, match="exceeds work = 5;"):
        critic_law(mdp, theta, 0, work=5, **options)
    with pytest.raises(MemoryError, match="but 5 B are allowed"):
        critic_law(mdp, theta, 0, memory_limit=5, **options)


def test_the_covariance_with_a_warm_start_and_mixed_policies():
    mdp, theta = deterministic(4, nx.path_graph(2), (2, 3), (2, 1))
    softmax = policies(mdp, theta)
    zeta = [0.7 * zeta_i + 0.3 / zeta_i.shape[1] for zeta_i in softmax]
    rng = np.random.default_rng(0)
    for kappa in (0, 1):
        plain = Law(mdp, zeta, mixed_score(softmax, 0.3), kappa=kappa, T=1, alpha=alphas(1, **STEP))
        Q_hat_0 = [{x: rng.random() for x in cells_of(plain, hood)} for hood in plain.hoods]
        common = {"kappa": kappa, "Q_hat_0": Q_hat_0, "squares": True}
        law = Law(mdp, zeta, mixed_score(softmax, 0.3), T=2, alpha=alphas(2, **STEP), **common)
        tables = as_tables(mdp, law, Q_hat_0)
        for i in range(2):
            found = critic_law(mdp, theta, i, kappa=kappa, T=2, epsilon=0.3, Q_hat=tables, **STEP)
            assert_same_moments(law, kappa, found, i)
        critic, _ = expected_critic(mdp, theta, kappa=kappa, T=2, epsilon=0.3, Q_hat=tables, **STEP)
        for i in range(2):
            for x in cells_of(law, law.hoods[i]):
                assert entry(critic[i], law.hoods[i], x) == pytest.approx(law.Q_hat[i].get(x, 0.0), abs=1e-12)
