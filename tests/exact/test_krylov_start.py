"""The first iterate from the light cone: close to V_i^θ in few products, and never trusted."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from sacrepro.exact import dense, evaluate
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver import bellman, krylov
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases


@pytest.fixture
def always(by_products, monkeypatch):
    """Every table starts from the light cone, and every cone is left as soon as it can be."""
    monkeypatch.setattr(bellman, "START_ENTRIES", 1)
    monkeypatch.setattr(krylov, "FREE_ENTRIES", 1)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_values_from_any_start_are_the_oracle_s(case):
    mdp, theta = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sacrepro.exact.chain.MATRIX_ENTRIES", 0)
        patch.setattr(bellman, "START_ENTRIES", 1)
        patch.setattr(krylov, "FREE_ENTRIES", 1)
        result = evaluate(mdp, theta)
        J = bellman.mean_values(chain_of(mdp, theta), 1e-10, [tuple(range(mdp.n))])[0]
    V = dense.values(mdp, policies(mdp, theta))
    # The dense solve loses its condition number times some units.
    slack = 800 * 2.0**-53 * mdp.r_bar / (1 - mdp.gamma) ** 2
    assert np.abs(result.V - V).max() <= result.error + slack
    assert np.abs(J[0].reshape(mdp.state_sizes) - V.mean(axis=0)).max() <= 1e-10 + slack


def test_few_products_suffice_where_value_iteration_needs_many(monkeypatch):
    mdp = random_mdp(nx.path_graph(14), seed=14, gamma=0.9)
    started = evaluate(mdp, uniform_theta(mdp))
    monkeypatch.setattr(bellman, "START_ENTRIES", 1 << 60)
    iterated = evaluate(mdp, uniform_theta(mdp))
    assert started.products <= 0.75 * iterated.products
    assert np.abs(started.V - iterated.V).max() <= started.error + iterated.error


def test_a_nilpotent_chain_is_solved_by_its_first_powers(always):
    """On the relay P^t r_i stops changing after i steps: no column is left to add, and the start is exact."""
    mdp = relay(5, gamma=0.9)
    result = evaluate(mdp, uniform_theta(mdp))
    s = np.indices(mdp.state_sizes)
    for i in range(5):
        V_i = sum(0.9**t * s[max(i - t, 0)] for t in range(400))
        assert np.abs(result.V[i] - V_i).max() <= result.error + 1e-12
    assert result.products <= 8


def test_a_wrong_start_changes_nothing_but_the_work(always, monkeypatch):
    """The certificate judges: a start that is far off costs products, not accuracy."""
    mdp = random_mdp(nx.cycle_graph(5), seed=3, gamma=0.9)
    expected = evaluate(mdp, uniform_theta(mdp))

    def astray(chain, axes, reward, tol, out):
        out[...] = np.random.default_rng(1).uniform(-50, 50, out.shape)
        return 0

    monkeypatch.setattr(bellman, "krylov_start", astray)
    result = evaluate(mdp, uniform_theta(mdp))
    assert np.abs(result.V - expected.V).max() <= result.error + expected.error


def chain_by_hand(sizes=(2, 3, 2, 2), gamma=0.9):
    mdp = random_mdp(nx.path_graph(len(sizes)), seed=2, gamma=gamma, state_sizes=sizes)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    return mdp, chain_of(mdp, theta), dense.transition_matrix(mdp, policies(mdp, theta))


def started(chain, i, tol):
    """x in natural order, flat, and the products that krylov_start took."""
    out = np.empty(chain.entries)
    products = krylov.krylov_start(chain, (i,), chain.rewards[i].ravel(), tol, out)
    return chain.operator.from_memory(out).ravel(), products


def reward_of(chain, i):
    shape = [size if j == i else 1 for j, size in enumerate(chain.sizes)]
    return np.broadcast_to(chain.rewards[i].reshape(shape), chain.sizes).ravel()


@pytest.mark.parametrize("free", [1, 1 << 10])
def test_the_start_is_the_value_function_where_the_powers_span_it(free, by_products, monkeypatch):
    monkeypatch.setattr(krylov, "FREE_ENTRIES", free)
    _, chain, P = chain_by_hand()
    for i in range(4):
        V_i = np.linalg.solve(np.eye(24) - 0.9 * P, reward_of(chain, i))
        x, products = started(chain, i, 1e-12)
        # Constants do not matter to what comes after.
        assert np.ptp(x - V_i) <= 1e-10
        assert products <= 18


def test_the_start_is_least_squares_on_the_sample(by_products, monkeypatch):
    """Two powers: c of least ‖r - Σ c_t (W_t - γ W_{t+1}) - c‖ on the sampled states, and a step of value iteration."""
    monkeypatch.setattr(krylov, "MOST_POWERS", 2)
    _, chain, P = chain_by_hand()
    at = np.ravel_multi_index(krylov._sample(chain.sizes).T, chain.sizes)
    for i in range(4):
        W = [np.linalg.matrix_power(P, t) @ reward_of(chain, i) for t in range(3)]
        columns = np.stack([np.ones(24), *(W[t] - 0.9 * W[t + 1] for t in (0, 1))])[:, at]
        c = np.linalg.lstsq(columns.T, W[0][at], rcond=None)[0][1:]
        x, products = started(chain, i, 1e-12)
        assert products == 2
        assert np.ptp(x - (W[0] + 0.9 * (c[0] * W[1] + c[1] * W[2]))) <= 1e-12


def test_when_the_powers_end(by_products, monkeypatch):
    """Rewards that span 1.5 tol (1-γ) need none; else until the tables kept, of 2, 4, 4, … entries, are too many."""
    _, chain, _ = chain_by_hand((2, 2), gamma=0.5)
    span = float(np.ptp(chain.rewards[0]))
    assert [started(chain, 0, tol)[1] > 0 for tol in (1.34 * span, 1.33 * span)] == [False, True]
    for most, products in ((1, 0), (2, 1), (5, 1), (6, 2)):
        monkeypatch.setattr(krylov, "kept_entries", lambda entries, most=most: most)
        assert started(chain, 0, 1e-12)[1] == products
    monkeypatch.undo()
    # At most 20; on the relay W_i, W_{i+1}, … are alike, so that i+2 products tell that there is no more to add.
    mdp = random_mdp(nx.path_graph(6), seed=1, gamma=0.9, concentration=0.2)
    assert started(chain_of(mdp, uniform_theta(mdp)), 0, 1e-300)[1] == 20
    mdp = relay(5, gamma=0.9)
    for tol, more in ((1e-12, 1), (1e-300, 2)):
        assert [started(chain_of(mdp, uniform_theta(mdp)), i, tol)[1] for i in range(5)] == [i + more for i in range(5)]
    few, many = krylov.LARGE_POWERS_KEPT, krylov.POWERS_KEPT
    assert [krylov.kept_entries(n) for n in (1 << 20, (1 << 20) + 1)] == [many << 20, few * ((1 << 20) + 1)]


@pytest.mark.parametrize("scale", [2.0**-480, 2.0**-160, 2.0**130, 2.0**160, 2.0**480])
def test_rewards_beyond_single_precision_cost_no_more_products(scale, by_products, monkeypatch):
    """Rewards and `tol` of 10⁴⁸ overflowed, and those of 10⁻⁴⁸ vanished, in tables of single precision."""
    monkeypatch.setattr(krylov, "SINGLE_ENTRIES", 1)
    _, plain, _ = chain_by_hand()
    scaled = replace(plain, means=scale * plain.means)
    for i in range(4):
        x, products = started(plain, i, 1e-7)
        y, as_many = started(scaled, i, 1e-7 * scale)
        assert as_many == products
        assert np.ptp(y / scale - x) <= 1e-7


@pytest.mark.parametrize("entry", [1.0, 1e30, 1e60])
def test_a_large_entry_that_no_sampled_state_has_stays_in_double_precision(entry, by_products, monkeypatch):
    monkeypatch.setattr(krylov, "SINGLE_ENTRIES", 1)
    mdp = random_mdp(nx.empty_graph(1), seed=2, gamma=0.9, state_sizes=(512,))
    rare = np.setdiff1d(np.arange(512), krylov._sample((512,)))[0]
    r = np.zeros((512, 2))
    r[rare] = entry
    x, products = started(chain_of(replace(mdp, r=(r,)), uniform_theta(mdp)), 0, 1e-9)
    # The sample sees nothing to do: r about its middle, whose sum is known.
    assert products == 0
    assert np.ptp(x) == pytest.approx(entry, rel=1e-12)
    # The middle of MacQueen's bounds on V, r + γ/(1-γ) [min r, max r].
    assert x[rare] == pytest.approx(entry + 9.0 * 0.5 * entry, rel=1e-12)


def test_when_a_table_is_kept_in_single_precision():
    """From 2¹⁴ entries on; at goals from 2⁻⁶⁴ to 2⁴⁸; where half a unit of its largest is .15 of the goal at most."""
    assert np.finfo(np.float32).eps / 2 == krylov.SINGLE_UNIT

    def shortened(entries=1 << 14, goal=1.0, largest=0.0, sampled=0.0):
        table = np.zeros(entries)
        table[-1] = largest
        return krylov._shortened(table, np.array([0.0, sampled]), goal).dtype == np.float32

    assert [shortened(entries) for entries in ((1 << 14) - 1, 1 << 14)] == [False, True]
    ends = (2.0**-64, 2.0**48)
    assert [shortened(goal=goal) for end in ends for goal in (end * 0.99, end, end * 1.01)] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    most = 0.15 * 0.5 * 2.0**24
    for kind in ("largest", "sampled"):
        assert [shortened(goal=0.5, **{kind: share * most}) for share in (0.999, 1.0, 1.001)] == [True, True, False]


def test_a_cone_grows_while_that_is_free_and_everybody_is_nobody_s_cone(by_products):
    """Ten binary agents have 2¹⁰ joint states; the operator is made anew only where a table outgrows it."""
    mdp = random_mdp(nx.path_graph(12), seed=1, gamma=0.9)
    chain = chain_of(mdp, uniform_theta(mdp))
    powers = krylov._Powers(chain, 1e-9)
    table, axes = powers.following(chain.rewards[5].ravel(), (5,))
    assert set(axes) == {4, 5, 6}
    assert set(powers._operator.memory_in) == set(range(1, 10))
    assert powers._reach((0,)) == set(range(10))
    once = powers._operator
    table, axes = powers.following(table, axes)
    assert powers._operator is once
    powers.following(np.arange(float(1 << 12)), chain.operator.memory_in)
    assert powers._operator is chain.operator


def test_what_a_power_leaves_out_is_a_twentieth_of_what_it_is_asked_for(by_products, monkeypatch):
    """Agent 1 depends on s_0 by 2⁻⁶: left out where tol (1-γ)/20 is as much."""
    monkeypatch.setattr(krylov, "FREE_ENTRIES", 0)
    P_1 = np.array([[[[0.5, 0.5]]], [[[0.5 - 2.0**-6, 0.5 + 2.0**-6]]]]) * np.ones((2, 2, 1, 1))
    P = (np.full((2, 2, 1, 2), 0.5), P_1)
    r = (np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    mdp = NetworkedMDP(nx.path_graph(2), P, r, 0.5, (np.full(2, 0.5),) * 2)
    chain = chain_of(mdp, uniform_theta(mdp))
    for share, kept in ((1.01, (1,)), (0.99, (0, 1))):
        powers = krylov._Powers(chain, share * 2.0**-6 * 20 / (1 - 0.5))
        assert tuple(sorted(powers.following(np.array([0.0, 1.0]), (1,))[1])) == kept


def test_a_fit_is_least_squares_with_a_constant():
    rng = np.random.default_rng(0)
    right, *columns = rng.standard_normal((4, krylov.SAMPLE))
    fit = krylov._Fit(right)
    assert fit.span == np.ptp(right)
    for count in (1, 2, 3):
        assert fit.add(columns[count - 1])
        matrix = np.stack([np.ones(krylov.SAMPLE), *columns[:count]])
        c = np.linalg.lstsq(matrix.T, right, rcond=None)[0]
        assert fit.coefficients() == pytest.approx(c[1:], rel=1e-12)
        assert fit.residual == pytest.approx(right - c @ matrix, abs=1e-13)
        assert fit.span == pytest.approx(np.ptp(right - c @ matrix), rel=1e-12)
    before = fit.coefficients()
    assert not fit.add(2.0 * columns[0] - columns[2] + 5.0)
    assert not fit.add(np.zeros(krylov.SAMPLE))
    assert (fit.columns, fit.coefficients().tolist()) == (3, before.tolist())
    # Nearly dependent columns are told apart by what is left of them.
    assert fit.add(columns[0] + 1e-9 * rng.standard_normal(krylov.SAMPLE))
    known = fit.basis[: fit.columns + 1]
    assert known @ known.T == pytest.approx(np.eye(5), abs=1e-14)


SIZES = (2, 3, 2, 4)


def wide(table, axes):
    """A flat table over these agents as one with an axis for each of four, length 1 where it has none."""
    order = sorted(range(len(axes)), key=lambda k: axes[k])
    shaped = table.reshape([SIZES[j] for j in axes]).transpose(order)
    return shaped.reshape([SIZES[j] if j in axes else 1 for j in range(4)])


@pytest.mark.parametrize(
    ("axes", "wider"), [((3, 1), (3, 1)), ((1,), (3, 1)), ((3, 1, 0), (3, 0)), ((3, 1), (2, 1)), ((3,), (0,))]
)
def test_tables_over_some_agents_are_added(axes, wider):
    rng = np.random.default_rng(0)
    one, other = (rng.random(int(np.prod([SIZES[j] for j in found]))) for found in (axes, wider))
    expected = wide(one.copy(), axes) + wide(other.copy(), wider)
    total, kept = krylov._sum(one, axes, other, wider, SIZES, (3, 2, 1, 0))
    assert set(kept) == {*axes, *wider}
    assert np.array_equal(wide(total, kept), expected)


def test_axes_along_which_a_table_hardly_moves_are_left_out():
    rng = np.random.default_rng(0)
    base = rng.random((4, 1, 1, 2))
    base[1:] += 1.0
    step = np.array([0.0, 0.125, 0.0625]).reshape(1, 1, 3, 1)
    table = (base + step + np.array([0.0, 0.1875]).reshape(1, 2, 1, 1)).ravel()
    middle, kept = krylov._without_negligible(table, (3, 2, 1, 0), {3}, SIZES, 0.125)
    assert kept[:2] == (3, 2)
    assert 1 not in kept
    assert middle == pytest.approx((base + 0.0625 + np.array([0.0, 0.1875]).reshape(1, 2, 1, 1)).ravel(), abs=1e-15)
    # What is asked to stay stays, and so does an axis that moves in a single entry, wherever that is.
    assert krylov._without_negligible(table, (3, 2, 1, 0), {1, 3}, SIZES, 0.125)[1] == (3, 2, 1, 0)
    sizes = (40, 2, 40)
    for at in ((39, 1, 39), (1, 0, 2)):
        flat = np.zeros((40, 2, 40))
        flat[at] = 1.0
        assert krylov._without_negligible(flat.ravel(), (0, 1, 2), {0, 2}, sizes, 0.5)[1] == (0, 1, 2)
    one, kept = krylov._first_of(table, (3, 2, 1, 0), (3, 0), SIZES)
    assert kept == (3, 0)
    assert np.array_equal(one, table.reshape(4, 2, 3, 2)[:, 0, 0].ravel())


def test_a_correction_halves_the_residual_or_is_none(monkeypatch):
    """Residuals .5 of 1, .625, and .625 within the goal; what is not finite; then a system that is solved."""
    for x, goal, helped in ((0.5, 0.0, True), (0.375, 0.0, False), (0.375, 0.625, True), (np.nan, 9.0, False)):
        monkeypatch.setattr("scipy.sparse.linalg.bicgstab", lambda *a, x=x, **k: (np.array([x, 0.0]), 0))
        found = krylov.halving_correction(lambda v: v, np.array([1.0, 0.0]), goal, 3)
        assert (found is not None) is helped
    monkeypatch.setattr("scipy.sparse.linalg.bicgstab", lambda *a, **k: (np.array([1e300, 0.0]), 0))
    assert krylov.halving_correction(lambda v: 1e300 * v, np.array([1.0, 0.0]), 0.0, 3) is None  # and no warning
    monkeypatch.undo()
    A = np.eye(6) - 0.8 * np.random.default_rng(0).dirichlet(np.ones(6), size=6)
    x = krylov.halving_correction(lambda v: A @ v, A @ np.arange(6.0), 1e-9, 50)
    assert np.linalg.norm(A @ (x - np.arange(6.0))) <= 1e-9
    seen = []
    monkeypatch.setattr("scipy.sparse.linalg.bicgstab", lambda *a, **k: seen.append(k) or (np.zeros(2), 0))
    assert krylov.halving_correction(lambda v: v, np.ones(2), 0.25, 7) is None
    assert seen == [{"rtol": 0.0, "atol": 0.25, "maxiter": 7}]


def test_a_correction_by_elimination_by_bicgstab_and_none(by_products, monkeypatch):
    """V + (I - γP)⁻¹ γPδ up to a constant, where the system is small; what BiCGSTAB finds else, or nothing."""
    _, chain, _ = chain_by_hand()
    operator, rng = chain.operator, np.random.default_rng(0)
    delta, V = rng.random(24), rng.random(24)
    assert krylov.solve_correction(0.9, operator, np.zeros(24), V.copy(), 1e-9, 5, False) == (0, True)
    pushed = 0.9 * operator.forward(delta[None])[0]
    right = pushed - 0.5 * (pushed.min() + pushed.max())
    matrix = np.eye(24) - 0.9 * operator.forward(np.eye(24)).T
    corrected = V.copy()
    assert krylov.solve_correction(0.9, operator, delta, corrected, 1e-9, 5, True) == (2, True)
    assert corrected == pytest.approx(V + np.linalg.solve(matrix, right), rel=1e-12)
    asked = []

    def answer(product, right, goal, steps):
        asked.append((product(np.ones(24)), right.copy(), goal, steps))
        return answers.pop(0)

    monkeypatch.setattr(krylov, "halving_correction", answer)
    monkeypatch.setattr(krylov, "LARGEST_DENSE", 23)
    x, tried = rng.random(24), V.copy()
    answers = [x, None]
    assert krylov.solve_correction(0.9, operator, delta, tried, 1e-3, 5, True) == (2, True)
    assert np.array_equal(tried, V + x)
    monkeypatch.setattr(krylov, "LARGEST_DENSE", 24)
    assert krylov.solve_correction(0.9, operator, delta, tried, 1e-3, 7, False) == (2, False)
    assert np.array_equal(tried, V + x)
    for product, of, goal, steps in asked:
        assert product == pytest.approx(matrix @ np.ones(24), rel=1e-12)
        assert np.array_equal(of, right)
        assert goal == pytest.approx(1e-4 * 0.1 * 24**0.5)
        assert steps == (5 if asked[0][0] is product else 7)


@pytest.mark.parametrize("scale", [2.0**-700, 2.0**-60, 2.0**600])
def test_a_correction_does_not_depend_on_the_scale(scale):
    """Squares of 10⁻²⁰⁰ are 0: a correction by nothing was taken for one that helps, again and again."""
    matrix = np.eye(24) - 0.9 * np.random.default_rng(0).dirichlet(np.ones(24), 24)
    right = np.random.default_rng(1).standard_normal(24)
    x = krylov.halving_correction(lambda v: matrix @ v, right, 1e-9, 60)
    y = krylov.halving_correction(lambda v: matrix @ v, scale * right, 1e-9 * scale, 60)
    assert x is not None
    assert y is not None
    assert y.tolist() == (scale * x).tolist()
