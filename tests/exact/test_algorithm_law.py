"""The exact law of Algorithm 1: against all trajectories, TD's limit, and the learner's own seeds."""

import itertools
import tracemalloc

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from exact.plain_law import Law, entry, mixed_score, softmax_score
from sacrepro import NetworkedMDP, Policy, critic_law, evaluate, expected_critic, expected_update, mean_curve
from sacrepro.exact import law_cost, td_fixed_point
from sacrepro.exact.law import chain as algorithm_inputs
from sacrepro.exact.law import chain as cell_chain
from sacrepro.exact.truncation import truncated_policy_gradient
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
    law = enumerated(mdp, theta, kappa, 3, **STEP)
    for i in range(mdp.n):
        assert_same_moments(law, kappa, critic_law(mdp, theta, i, kappa=kappa, T=3, **STEP), i)


@ANY_KAPPA
@settings(max_examples=15)
@given(cases(max_n=2, max_size=2), st.integers(0, 1), st.integers(1, 3))
def test_the_covariance_of_any_model(case, kappa, T):
    mdp, theta = case
    affordable(mdp, T)
    law = enumerated(mdp, theta, kappa, T, **STEP)
    assert_same_moments(law, kappa, critic_law(mdp, theta, mdp.n - 1, kappa=kappa, T=T, **STEP), mdp.n - 1)


@ANY_KAPPA
@settings(max_examples=10)
@given(coupled_cases(max_n=2, max_size=2), st.integers(0, 1))
def test_the_covariance_of_an_action_coupled_model(case, kappa):
    mdp, theta = case
    affordable(mdp, 2)
    law = enumerated(mdp, theta, kappa, 2, **STEP)
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
    monkeypatch.setattr(cell_chain, "DENSE_OUTSIDE", 1)
    factored = expected_update(mdp, theta, kappa=kappa, T=6, **STEP)
    for name in ("g_hat", "Q_hat"):
        for table, other in zip(getattr(dense, name), getattr(factored, name), strict=True):
            assert np.abs(table - other).max() <= dense.error + factored.error


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
        ValueError, match=r"agent 0's critic, which has 4096 cells,.* exceeds work = \d+; take a smaller"
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


def test_wrong_models_and_curves():
    mdp, theta = random_case(2)
    with pytest.raises(ValueError, match="theta holds 1 arrays"):
        expected_update(mdp, theta[:1], kappa=0, T=2, **STEP)
    with pytest.raises(TypeError, match="NetworkedMDP"):
        expected_update("path", theta, kappa=0, T=2, **STEP)
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
