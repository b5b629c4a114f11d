"""D_i(κ): sweep and branch and bound against the definition, and where its value is known."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from sacrepro.exact import (
    certified_decay,
    decay_profile,
    dense,
    evaluate,
    evaluate_many,
    local_decay,
    policy_gradient,
    q_function,
    worst_decay,
)
from sacrepro.exact.chain import chain_of
from sacrepro.exact.decay import branch, movement, sweep
from sacrepro.exact.decay.branch import branch_oscillation
from sacrepro.exact.decay.movement import Kernels, minorized, most_movement, rim_of
from sacrepro.exact.decay.profile import decay_margin
from sacrepro.exact.decay.sweep import plan_bytes, plan_of, sweep_bytes, sweep_oscillations, sweep_plan, sweep_table
from sacrepro.exact.models import joint_kernel
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import gamma_k
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model import memory
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases

#: The dense solve is the less accurate side: condition 2/(1-γ) times a few hundred units, r̄ ≤ 4, γ ≤ .95.
DENSE = 400 * 2.0**-53 * 4 * 2 / 0.05**2


@given(cases(max_n=4, max_size=2))
@settings(max_examples=40)
def test_profile_is_the_definition(case):
    mdp, theta = case
    expected = dense.decay_profile(mdp, theta)
    D = decay_profile(mdp, theta)
    assert D.shape == expected.shape
    assert np.abs(D - expected).max() <= 2e-10 + DENSE


@given(cases(max_n=4, max_size=3))
@settings(max_examples=25)
def test_both_algorithms_give_certified_intervals(case):
    mdp, theta = case
    expected = dense.decay_profile(mdp, theta)
    for limit in (0, 1 << 28):
        lower, upper = certified_decay(mdp, theta, sweep_limit=limit)
        assert (lower <= expected + DENSE).all()
        assert (expected <= upper + DENSE).all()
        assert (upper - lower <= 2e-9).all()


def one_state(n, actions):
    """A path of agents that stay where they are; each is paid for what it does."""
    graph = nx.path_graph(n)
    P = tuple(np.ones((*(1 for _ in (i, *graph[i])), actions, 1)) for i in range(n))
    return NetworkedMDP(graph, P, (np.arange(actions)[None] / actions,) * n, 0.9, (np.ones(1),) * n)


@pytest.mark.parametrize(("n", "actions", "gigabytes"), [(30, 2, 25), (20, 3, 41)])
def test_what_a_sweep_works_on_is_demanded_before_it_begins(n, actions, gigabytes, monkeypatch):
    """2 (1 + A + … + A^{n-1}) ranges and 1 + A + … + A^{n-1} entries of tables, 8 bytes each."""
    monkeypatch.setattr(memory, "_given", [])
    memory.give(24 << 30)
    mdp = one_state(n, actions)
    theta = uniform_theta(mdp)
    assert sweep_bytes(mdp, n // 2) == 24 * (actions**n - 1) // (actions - 1)
    with pytest.raises(MemoryError, match=rf"a sweep over {actions**n} entries of Q_\d+ needs {gigabytes}\.?\d* GB"):
        decay_profile(mdp, theta)
    with pytest.raises(MemoryError, match=r"entries of Q_3 needs .* lower sweep_limit, beyond which"):
        certified_decay(mdp, theta, [3], [0], sweep_limit=1 << 40)
    with pytest.raises(MemoryError, match="a sweep over the entries of Q_3 needs"):
        worst_decay(mdp, 3, 0, work=1 << 40)
    assert certified_decay(mdp, theta, [3], [0]).upper.max() <= 1e-9  # searched, which takes no such arrays
    few = one_state(8, actions)
    memory.give(10 * sweep_bytes(few, 0))
    assert decay_profile(few, uniform_theta(few)).max() <= 1e-12


@given(cases(max_n=4, max_size=3))
def test_a_table_over_more_axes_than_einsum_names_is_the_same(case):
    mdp, theta = case
    V = dense.values(mdp, policies(mdp, theta))
    with pytest.MonkeyPatch.context() as patch:
        whole = [dense.q_function(mdp, V[i], i) for i in range(mdp.n)]
        patch.setattr(dense, "EINSUM_AXES", 0)
        for i in range(mdp.n):
            assert np.abs(dense.q_function(mdp, V[i], i) - whole[i]).max() <= DENSE


def test_q_around_a_crowd_needs_no_table_over_two_joint_states(monkeypatch):
    """The order that einsum finds for a star of 13 with one action goes through 2^25 entries, of 2^13 in the result."""
    mdp = random_mdp(nx.star_graph(12), seed=0, state_sizes=[2] * 13, action_sizes=[1] * 13, gamma=0.5)
    order, peak = dense.turns(mdp)
    assert (0 in order[-2:], peak) == (True, 2**14)
    theta = uniform_theta(mdp)
    V, r = evaluate(mdp, theta).V[0], mdp.r[0].reshape(2, *(1,) * 12)
    expected = r + 0.5 * V_after(mdp, V)
    monkeypatch.setattr(memory, "_given", [])
    memory.give(10**6)
    assert np.abs(q_function(mdp, theta, 0).reshape(V.shape) - expected).max() <= 1e-9
    with pytest.raises(MemoryError, match="Q_0 with 8192 entries needs 524 kB"):  # the order's tables count, too
        q_function(mdp, theta, 0, memory_limit=400_000)


def V_after(mdp, V):
    """E V(s') of a model without actions, by its factors."""
    operator = FactoredOperator([P_i[..., 0, :] for P_i in mdp.P], mdp.neighbors, mdp.state_sizes)
    return operator(V)


def test_a_table_of_many_agents_with_few_pairs():
    mdp = one_state(18, 2)
    Q = q_function(mdp, uniform_theta(mdp), 0)
    assert Q.shape == (1,) * 18 + (2,) * 18
    paid = Q.reshape(2, -1)
    assert np.ptp(paid, axis=1).max() <= 1e-9
    assert (paid[1] - paid[0]).max() == pytest.approx(0.5)
    assert decay_profile(mdp, uniform_theta(mdp)).max() <= 1e-9


@given(cases(max_n=4, max_size=3))
def test_the_bytes_of_a_sweep_are_those_of_its_arrays(case):
    mdp, _ = case
    for i in range(mdp.n):
        plan = sweep_plan(mdp, i)
        S, _, farther, nearer = plan.turned.T.astype(int)
        ranges = np.cumprod([1, *plan.actions[:-1]]).sum()
        assert plan_bytes(plan) == sweep_bytes(mdp, i) == 8 * ((S * farther * nearer).sum() + 2 * ranges)


def test_more_agents_than_an_array_has_axes_are_one_clear_error():
    for n in (64, 65, 100):
        mdp = one_state(n, 1)
        for asked in (evaluate, decay_profile, certified_decay, policy_gradient):
            with pytest.raises(ValueError, match=rf"over all {n} agents has an axis an agent, .*: 63 agents are taken"):
                asked(mdp, uniform_theta(mdp))
    most = one_state(63, 1)
    theta = uniform_theta(most)
    assert pytest.approx(0.0, abs=1e-9) == evaluate(most, theta).J
    with pytest.raises(ValueError, match="62 agents are taken"):
        evaluate_many(most, [theta])
    with pytest.raises(ValueError, match=r"has 2 axes an agent, .*: 31 agents are taken"):
        q_function(most, theta, 0)
    assert local_decay(one_state(200, 1), uniform_theta(one_state(200, 1)), 3, 1, 0.1).upper.max() <= 0.1
    with pytest.raises(MemoryError):  # what could not be held anyway is told first
        evaluate(relay(100, gamma=0.5), uniform_theta(relay(100, gamma=0.5)))


@given(cases(max_n=4, max_size=2))
@settings(max_examples=25)
def test_an_interrupted_search_is_still_an_interval(case):
    mdp, theta = case
    expected = dense.decay_profile(mdp, theta)
    for limit in (1, 30, 300):
        lower, upper = certified_decay(mdp, theta, sweep_limit=0, branch_limit=limit)
        assert (lower <= expected + DENSE).all()
        assert (expected <= upper + DENSE).all()


def test_the_error_of_the_value_function_is_charged():
    """A loose V_i: the interval holds only because its margin covers 2γ times the certified error of V_i."""
    mdp = relay(5, gamma=0.9)
    theta = uniform_theta(mdp)
    chain = chain_of(mdp, theta)
    exact = dense.decay_profile(mdp, theta)
    e = 1e-2
    V = dense.values(mdp, policies(mdp, theta))[4]
    plan = sweep_plan(mdp, 4)
    # The worst error of size e: it stretches V_i, so D_i(κ) moves by 2γe where a cell sees both ends.
    stretched = V + e * np.sign(V - 0.5 * (V.max() + V.min()))
    D = mdp.gamma * sweep_oscillations(plan, sweep_table(mdp, plan, stretched))
    moved = np.abs(D - exact[4, : len(D)]).max()
    margin = decay_margin(chain, stretched, e)
    assert moved <= margin
    assert moved >= margin * (1 - 1e-6)


def test_rounding_is_charged_even_where_v_is_exact():
    mdp = relay(5, gamma=0.9)
    chain = chain_of(mdp, uniform_theta(mdp))
    V = dense.values(mdp, policies(mdp, uniform_theta(mdp)))[4]
    assert 2.0**-53 * np.abs(V).max() < decay_margin(chain, V, 0.0) < 1e-11
    lower, upper = certified_decay(mdp, uniform_theta(mdp), tol=1e-3)
    assert (upper - lower)[4, 0] > 0


@pytest.mark.parametrize("agent", [0, 3, 4])
def test_sweep_and_branch_and_bound_agree_on_larger_networks(agent):
    mdp = random_mdp(nx.path_graph(8), seed=1, concentration=0.3)
    rng = np.random.default_rng(1)
    plan = sweep_plan(mdp, agent)
    table = sweep_table(mdp, plan, rng.uniform(size=mdp.state_sizes))
    swept = sweep_oscillations(plan, table)
    assert (np.diff(swept) <= 0).all()
    for kappa in range(len(plan.prefix) - 1):
        low, high = branch_oscillation(plan, table, kappa, 1e-9, 1 << 30)
        assert low <= swept[kappa] + 1e-14
        assert swept[kappa] <= high + 1e-14


GRAPHS = [nx.path_graph(3), nx.star_graph(3), nx.cycle_graph(3), nx.path_graph(2)]


@pytest.mark.parametrize("seed", range(20))
def test_sweep_and_search_by_enumeration(seed):
    """Agents of one to three states and actions, then of two; whatever is asked of the search, wherever it stops."""
    rng, graph = np.random.default_rng(seed), GRAPHS[seed % 4] if seed < 16 else nx.path_graph(4)
    n, least, most = len(graph), 1 if seed < 16 else 2, 2 if seed % 4 == 1 or seed >= 16 else 3
    sizes = {"state_sizes": rng.integers(least, most + 1, n), "action_sizes": rng.integers(least, most + 1, n)}
    mdp = random_mdp(graph, seed=seed, concentration=(0.1, 1.0)[seed % 2], **{k: v.tolist() for k, v in sizes.items()})
    V = rng.integers(-8, 9, mdp.state_sizes).astype(float)
    moved = (joint_kernel(mdp) @ V.ravel()).reshape(*mdp.state_sizes, *mdp.action_sizes)
    for i in range(n):
        plan = sweep_plan(mdp, i)
        table, ranges = sweep_table(mdp, plan, V), []
        for kappa in range(len(plan.prefix)):
            ranges.append(float(dense.oscillation(moved, neighborhood(graph, i, kappa)).max()))
        assert table.min() + table.max() == 0.0
        assert sweep_oscillations(plan, table) == pytest.approx(ranges, abs=1e-13)
        for kappa, truth in enumerate(ranges[:-1]):
            for slack, work in ((0.0, 1 << 30), (0.5, 1 << 30), (0.0, 0), (0.0, 20), (0.0, 80), (0.5, 320)):
                low, high = branch_oscillation(plan, table, kappa, slack, work)
                assert low <= truth + 1e-13
                assert truth <= high + 1e-13
                assert work < 1 << 30 or high - low <= slack + 1e-12


@pytest.mark.parametrize(
    ("sizes", "actions", "together"),
    [([3, 2, 2], [3, 2, 2], True), ([2, 3, 2], [2, 2, 2], False), ([2, 2, 3], [2, 2, 2], False),
     ([2, 2, 2], [2, 1, 2], False), ([2, 2, 2], [2, 2, 3], False)],
)  # fmt: skip
def test_the_last_two_axes_are_turned_together_where_both_agents_are_binary(monkeypatch, sizes, actions, together):
    """One call a joint state; whatever the first agent is."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=sizes, action_sizes=actions)
    plan, calls = sweep_plan(mdp, 0), []
    for name in ("_turn_and_fold", "_two_turns_and_fold"):
        kernel = getattr(sweep, name)
        monkeypatch.setattr(sweep, name, lambda *args, k=kernel, name=name: calls.append(name) or k(*args))
    monkeypatch.setattr(sweep, "_sweep", getattr(sweep._sweep, "py_func", sweep._sweep))
    sweep_oscillations(plan, sweep_table(mdp, plan, np.arange(12.0 if 3 in sizes else 8.0).reshape(sizes)))
    assert calls == ["_two_turns_and_fold" if together else "_turn_and_fold"] * int(np.prod(sizes))


@pytest.mark.parametrize("seed", range(6))
def test_a_search_that_stops_after_any_amount_of_work_is_right(seed):
    """Two agents with two or three actions, stopped after 0, 1, 2, … entries until nothing is left to do."""
    rng = np.random.default_rng(seed)
    sizes = {"state_sizes": [2, 2 + seed % 2], "action_sizes": rng.integers(2, 4, 2).tolist()}
    mdp = random_mdp(nx.path_graph(2), seed=seed, concentration=0.3, **sizes)
    V = rng.integers(-8, 9, mdp.state_sizes).astype(float)
    moved = (joint_kernel(mdp) @ V.ravel()).reshape(*mdp.state_sizes, *mdp.action_sizes)
    truth = float(dense.oscillation(moved, (0,)).max())
    plan = sweep_plan(mdp, 0)
    table = sweep_table(mdp, plan, V)
    widths = []
    for work in range(1000):
        low, high = branch_oscillation(plan, table, 0, 0.0, work)
        assert low - 1e-13 <= truth <= high + 1e-13
        widths.append(high - low)
        if high - low <= 1e-12:
            break
    assert widths[0] > 1e-3
    assert widths[-1] <= 1e-12
    assert 4 < len(widths) < 1000


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_a_search_over_one_decision_finds_and_costs(sign):
    """Three states times two actions, each a sum of three entries: 18 are touched, once, whatever is found."""
    mdp = random_mdp(nx.empty_graph(1), seed=0, state_sizes=[3], action_sizes=[2])
    plan, table = sweep_plan(mdp, 0), np.array([1.0, -2.0, 5.0])
    tree, kernels = branch._tree(plan, 0, 0, 1, 0, 1, 3), kernels_of(plan)
    room, ends = branch._room(tree, kernels), (-2.0, 5.0)
    best = float((sign * mdp.P[0] @ table).max())
    for known, work, expected in ((-9.0, 18, (best, 0)), (9.0, 20, (9.0, 2)), (-9.0, 17, (-9.0, -1))):
        s, a = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        found = branch._largest(table, ends, sign, known, tree, 0, kernels, s, a, room, work)
        assert found == (pytest.approx(expected[0], rel=1e-15), expected[1])


def test_work_that_ends_between_the_two_searches_of_the_last_cell():
    """One cell, one action in it: once the largest entry is known and nothing is left, the least is not."""
    mdp = random_mdp(nx.path_graph(2), seed=0, concentration=0.3, state_sizes=[1, 2], action_sizes=[1, 2])
    V, plan = np.array([[-3.0, 4.0]]), sweep_plan(mdp, 0)
    truth = float(np.ptp(joint_kernel(mdp) @ V.ravel()))
    found = [branch_oscillation(plan, sweep_table(mdp, plan, V), 0, 0.0, work) for work in range(60)]
    assert all(low - 1e-13 <= truth <= high + 1e-13 for low, high in found)
    assert found[-1] == pytest.approx((truth, truth), abs=1e-13)


def test_what_a_search_that_stops_leaves_open_is_its_own_cell_and_those_after(monkeypatch):
    """Eight cells, largest bound first: each bound above the truth is what is left open at some amount of work."""
    mdp, bound, bounds = random_mdp(nx.path_graph(3), seed=4, concentration=0.3), branch.most_movement, []
    plan = sweep_plan(mdp, 0)
    table = sweep_table(mdp, plan, np.random.default_rng(4).uniform(size=(2, 2, 2)))
    monkeypatch.setattr(branch, "most_movement", lambda *args: bounds.append(bound(*args)) or bounds[-1])
    monkeypatch.setattr(branch, "_cells", getattr(branch._cells, "py_func", branch._cells))
    truth = branch_oscillation(plan, table, 1, 0.0, 1 << 20)[1]
    above, ends = [found for found in bounds if found > truth + 1e-9], [np.inf]
    assert len(bounds) == 8
    assert len(above) > 1
    while ends[-1] > truth:
        ends.append(branch_oscillation(plan, table, 1, 0.0, len(ends))[1])
    assert all(np.abs(np.array(ends) - found).min() <= 1e-12 for found in above)


def test_cells_that_can_only_equal_the_best_are_left(monkeypatch):
    """Nothing moves on a table of zeros: the first of two decisions tells."""
    mdp, expand, calls = random_mdp(nx.path_graph(5), seed=2), branch._expand, []
    monkeypatch.setattr(branch, "_expand", lambda *args: calls.append(args[2]) or expand(*args))
    monkeypatch.setattr(branch, "_cells", getattr(branch._cells, "py_func", branch._cells))
    assert branch_oscillation(sweep_plan(mdp, 2), np.zeros(32), 1, 0.0, 1 << 24) == (0.0, 0.0)
    assert calls == [0]


def test_what_the_search_over_cells_asks_of_the_two_inside(monkeypatch):
    """Agents 1 and 3 wait: four pairs of actions, each once a cell; the least only where a larger entry was found."""
    mdp = random_mdp(nx.path_graph(5), seed=2, concentration=0.3, state_sizes=[2] * 5, action_sizes=[1, 2, 2, 2, 1])
    V = np.random.default_rng(2).integers(-8, 9, mdp.state_sizes).astype(float)
    moved = (joint_kernel(mdp) @ V.ravel()).reshape(*mdp.state_sizes, *mdp.action_sizes)
    truth, plan = float(dense.oscillation(moved, (1, 2, 3)).max()), sweep_plan(mdp, 2)
    waits = [p for p, j in enumerate(plan.agents) if j in (1, 3)]
    largest, movement_of, asked, turns, last = branch._largest, branch.most_movement, [], set(), [False]

    def noted(x, bounds, sign, incumbent, tree, cell, kernels, s, a, *rest):
        assert sign > 0 or last[0]
        value, work = largest(x, bounds, sign, incumbent, tree, cell, kernels, s, a, *rest)
        last[0] = value > incumbent
        if sign > 0:
            asked.append((*s[:cell], *a[:cell]))
        return value, work

    def bounded(x, d, tree, rim, known, *rest):
        turns.add(int(tree.turn[d]))
        assert known == (d == len(tree.turn) - 1)
        return movement_of(x, d, tree, rim, known, *rest)

    monkeypatch.setattr(branch, "_largest", noted)
    monkeypatch.setattr(branch, "most_movement", bounded)
    monkeypatch.setattr(branch, "_cells", getattr(branch._cells, "py_func", branch._cells))
    found = branch_oscillation(plan, sweep_table(mdp, plan, V), 1, 0.0, 1 << 24)
    assert found == pytest.approx((truth, truth), abs=1e-12)
    assert len(set(asked)) == len(asked) > 4
    assert {tuple(row[3 + p] for p in waits) for row in asked} == set(np.ndindex(*(plan.actions[p] for p in waits)))
    assert turns == {0}


@pytest.mark.parametrize("kappa", [0, 1])
def test_an_agent_that_waits_for_three_others(kappa):
    """A spider's body sees four states: at κ = 0 one is assigned before the two that branch with its turn."""
    spider = nx.Graph([(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6)])
    actions = [2, 1, 1, 1, 1, 1, 1]
    mdp = random_mdp(spider, seed=3, concentration=0.3, state_sizes=[2] * 7, action_sizes=actions)
    V = np.random.default_rng(3).integers(-8, 9, mdp.state_sizes).astype(float)
    moved = (joint_kernel(mdp) @ V.ravel()).reshape(*mdp.state_sizes, *mdp.action_sizes)
    truth = float(dense.oscillation(moved, neighborhood(mdp.graph, 0, kappa)).max())
    plan = sweep_plan(mdp, 0)
    table = sweep_table(mdp, plan, V)
    assert branch_oscillation(plan, table, kappa, 0.0, 1 << 24) == pytest.approx((truth, truth), abs=1e-12)
    assert branch_oscillation(plan, table, kappa, 0.0, 0)[0] <= 0.0
    if kappa == 0:
        below = branch._tree(plan, 1, 0, 7, 1, 7, 128)
        assert list(zip(below.first, below.last, below.turn, below.width, strict=True))[:2] == [
            (1, 2, -1, 128),
            (2, 4, 0, 64),
        ]
        kernels, s, a = kernels_of(plan), np.zeros(7, dtype=np.int64), np.zeros(7, dtype=np.int64)
        room, ends = branch._room(below, kernels), (float(table.min()), float(table.max()))
        # Two states, nothing touched; four pairs of states, each with 64 sums of two entries; then both actions, too.
        for d, fixed, expected in ((0, False, (2, 0)), (1, True, (4, 512)), (1, False, (8, 1024))):
            assert branch._expand(table, room, d, below, kernels, s, a, fixed, ends) == expected


def test_what_the_weights_of_a_search_miss_of_one_is_charged(monkeypatch):
    """Twice to the value of the best cell, a difference of two sums, and six times to the bound."""
    mdp = relay(4, gamma=0.9)
    plan = sweep_plan(mdp, 3)
    table = np.arange(16.0) - 5.0
    low, high = branch_oscillation(plan, table, 1, 0.5, 1 << 20)
    for sums in ((1.0 - 2.0**-8, 1.0), (1.0 - 2.0**-9, 1.0 + 2.0**-8)):
        monkeypatch.setattr(branch, "row_sum_range", lambda kernels, sums=sums: sums)
        moved = branch_oscillation(plan, table, 1, 0.5, 1 << 20)
        assert moved == pytest.approx((low - 2.0 * 10.0 * 2.0**-8, high + 6.0 * 10.0 * 2.0**-8), abs=1e-12)


def test_the_relay_meets_lemma_3_with_equality():
    gamma = 0.9
    mdp = relay(7, gamma=gamma)
    D = decay_profile(mdp, uniform_theta(mdp))
    for i in range(7):
        for kappa in range(7):
            expected = gamma ** (kappa + 1) / (1 - gamma) if kappa < i else 0.0
            assert abs(D[i, kappa] - expected) <= 3e-10


def test_the_relay_by_branch_and_bound_on_sixteen_agents():
    """Q_15 has 4^16 entries; D_15(κ) is known."""
    gamma = 0.5
    mdp = relay(16, gamma=gamma)
    lower, upper = certified_decay(mdp, uniform_theta(mdp), [15], [0, 2, 4], sweep_limit=0)
    for column, kappa in enumerate((0, 2, 4)):
        expected = gamma ** (kappa + 1) / (1 - gamma)
        assert lower[0, column] <= expected <= upper[0, column]
        assert upper[0, column] - lower[0, column] <= 2e-9


def test_a_sweep_that_would_take_hours_is_refused():
    mdp = random_mdp(nx.path_graph(12), seed=0)
    with pytest.raises(ValueError, match="exceeds work = 1000; ask certified_decay"):
        decay_profile(mdp, uniform_theta(mdp), work=1000)
    with pytest.raises(ValueError, match="at least 0"):
        certified_decay(mdp, uniform_theta(mdp), [0], [-1])
    for kappas in ([], [1, 1]):
        with pytest.raises(ValueError, match=r"kappas must name at least one kappa, each once, got \["):
            certified_decay(mdp, uniform_theta(mdp), [0], kappas)


def test_disconnected_agents_do_not_matter():
    joined = nx.disjoint_union(nx.path_graph(3), nx.path_graph(2))
    mdp = random_mdp(joined, seed=6)
    theta = gaussian_theta(mdp, np.random.default_rng(6))
    D = decay_profile(mdp, theta)
    assert D.shape == (5, 3)
    assert np.abs(D - dense.decay_profile(mdp, theta)).max() <= 1e-9
    assert (D[3:, 1:] == 0).all()


def lengths(plan):
    return plan.turned[np.argsort(plan.position), 0]


def kernels_of(plan):
    turned = np.stack([plan.position, plan.turned[:, 0]], axis=1)
    return Kernels(
        plan.sizes, plan.actions, turned, plan.kernels, plan.kernel_at, plan.places, plan.strides, plan.places_at
    )


def bound_and_truth(mdp, i, kappa, V):
    """What `most_movement` says of the table V before anything is summed out, and the largest movement of PV."""
    plan = sweep_plan(mdp, i)
    table = sweep_table(mdp, plan, V)
    cell = plan.prefix[kappa]
    inner = int((plan.level < cell).sum())
    tree = branch._tree(plan, cell, 0, inner, 0, cell, len(table))
    rim = rim_of(plan, cell, inner, tree.turn)
    scratch = np.empty(len(table)), np.empty(len(table))
    truth = sweep_oscillations(plan, table)[kappa]
    before = tree._replace(inside=np.array([np.prod(plan.turned[plan.position < cell, 0])]))
    nearer = [int(np.prod([S for p, S in zip(plan.position, plan.turned[:, 0], strict=True) if p > plan.position[k]]))
              for k in rim.turn]  # fmt: skip
    at_root = rim._replace(nearer=np.array([nearer], dtype=np.int64).reshape(1, -1))
    s = np.zeros(len(plan.agents), dtype=np.int64)
    reversed_table = table.reshape(lengths(plan)[::-1]).transpose().ravel()
    return most_movement(reversed_table, 0, before, at_root, False, kernels_of(plan), s, *scratch, np.inf), truth


@pytest.mark.parametrize("graph", [nx.path_graph(5), nx.cycle_graph(5), nx.star_graph(4), nx.grid_2d_graph(2, 3)])
@pytest.mark.parametrize("kappa", [0, 1])
def test_no_cell_moves_more_than_the_bound_of_the_search(graph, kappa):
    graph = nx.convert_node_labels_to_integers(graph)
    sizes = [2, 3, 2, 2, 3, 2][: len(graph)]
    for seed in range(6):
        mdp = random_mdp(graph, seed=seed, state_sizes=sizes, concentration=0.1)
        V = np.random.default_rng(seed).uniform(size=mdp.state_sizes)
        bound, truth = bound_and_truth(mdp, seed % len(graph), kappa, V)
        assert truth <= bound * (1 + 1e-12)


def test_oscillations_of_a_table_by_numpy():
    """Along the middle axis, and over the last two; what scratch holds from before does not matter."""
    x = np.random.default_rng(0).integers(-9, 10, (4, 3, 5)).astype(float)
    low, high = np.full(60, -1e9), np.full(60, 1e9)
    assert movement._axis_oscillation(x.ravel(), 3, 5, low, high) == np.ptp(x, axis=1).max()
    assert movement._outside_oscillation(x.ravel(), 4) == np.ptp(x.reshape(4, -1), axis=1).max()


@pytest.mark.parametrize("agent", [1, 2])
def test_the_bound_of_the_search_is_attained(agent):
    """On the relay, i = 3, κ = 1: agent 2 copies the outside, so TV = 1, and agent 1 is the outside."""
    mdp = relay(4, gamma=0.9)
    V = np.indices(mdp.state_sizes)[agent].astype(float)
    assert bound_and_truth(mdp, 3, 1, V) == (1.0, 1.0)


@pytest.mark.parametrize("concentration", [0.15, 1.0, 1e4])
@pytest.mark.parametrize("seed", range(8))
def test_the_search_prunes_nothing_that_counts(seed, concentration):
    """Strongly and hardly coupled random networks, all κ, against the sweep."""
    graph = nx.convert_node_labels_to_integers([nx.path_graph(7), nx.cycle_graph(6), nx.grid_2d_graph(2, 3)][seed % 3])
    mdp = random_mdp(graph, seed=seed, concentration=concentration)
    i = seed % len(graph)
    plan = sweep_plan(mdp, i)
    table = sweep_table(mdp, plan, np.random.default_rng(seed).uniform(size=mdp.state_sizes) ** 4)
    swept = sweep_oscillations(plan, table)
    for kappa in range(len(plan.prefix) - 1):
        low, high = branch_oscillation(plan, table, kappa, 1e-9, 1 << 30)
        assert low <= swept[kappa] + 1e-12
        assert swept[kappa] <= high
        assert high - low <= 2e-9


@pytest.mark.parametrize("graph", [nx.path_graph(5), nx.star_graph(4), nx.grid_2d_graph(2, 3)])
def test_a_minorized_table_has_the_same_sums_and_a_smaller_range(graph):
    graph = nx.convert_node_labels_to_integers(graph)
    mdp = random_mdp(graph, seed=1, state_sizes=[2, 3, 2, 2, 3, 2][: len(graph)], concentration=1.0)
    plan = sweep_plan(mdp, 2)
    table = sweep_table(mdp, plan, np.random.default_rng(1).uniform(size=mdp.state_sizes))
    other, by_position, rounding = minorized(plan, table.reshape(lengths(plan)[::-1]).transpose())
    small = by_position.ravel(order="F")
    assert np.ptp(small) < 0.9 * np.ptp(table)
    moved = np.abs(sweep_oscillations(other, small) - sweep_oscillations(plan, table))
    assert moved.max() <= rounding + 2e-15
    assert rounding <= 1e-13
    for first, last, S in branch._rows(other):
        rows = other.kernels[first:last].reshape(-1, S)
        assert (rows >= 0).all()
        assert np.abs(rows.sum(axis=1) - 1).max() <= 1e-12


def test_a_minorized_row_sums_to_one_however_much_the_rows_share():
    """Rows that differ by 2^-9 and miss 1 by two units: a difference divided by 2^-9 would miss it by a thousand."""
    mdp = relay(4, gamma=0.9)
    plan = sweep_plan(mdp, 3)
    table = np.random.default_rng(0).uniform(-1, 1, size=lengths(plan)[::-1])
    nearly = np.where(plan.kernels > 0, 0.5 + 2.0**-9, 0.5 - 2.0**-9) + np.finfo(float).eps
    plan = plan._replace(kernels=nearly)
    other, small, rounding = minorized(plan, table)
    w = other.kernels.reshape(-1, 2)
    assert not (other.kernels == plan.kernels).all()
    assert np.abs(w.sum(axis=1) - 1).max() <= 2 * np.finfo(float).eps
    moved = np.abs(sweep_oscillations(other, small.ravel(order="F")) - sweep_oscillations(plan, table.ravel(order="F")))
    assert moved.max() <= rounding <= 1e-13


def test_kernels_that_hardly_differ_stay_as_they_are():
    mdp = relay(4, gamma=0.9)
    plan = sweep_plan(mdp, 3)
    table = np.arange(16.0).reshape(lengths(plan)[::-1])

    def near(moved):
        return plan._replace(kernels=np.where(plan.kernels > 0, 0.5 + moved, 0.5 - moved))

    # What two rows do not share is a part of 2⁻¹⁰, and a little less.
    assert not (minorized(near(2.0**-11), table)[0].kernels == near(2.0**-11).kernels).any()
    for other in (plan, near(0.999 * 2.0**-11)):
        same, small, rounding = minorized(other, table)
        assert (same.kernels == other.kernels).all()
        assert (small == table).all()
        assert rounding == 0.0


def test_what_rounding_may_move_a_minorized_table_by_hand():
    """Rows of 2 and 3 entries that miss 1 by 2^-9 and 2^-10: 3·2 + 6 and 3·3 + 6 roundings, twice the largest entry."""
    P = {0: np.array([[[0.75, 0.25 - 2.0**-9]], [[0.25, 0.75]]]), 1: np.array([[[0.5, 0.25, 0.25 + 2.0**-10]]])}
    P[1] = np.concatenate([P[1], np.array([[[0.25, 0.25, 0.5]]]), np.array([[[0.25, 0.5, 0.25]]])])
    plan = plan_of({0: (0,), 1: (1,)}, P, (0, 1), (1, 2))
    table = np.arange(6.0).reshape(2, 3)
    other, small, rounding = minorized(plan, table)
    assert rounding == 2.0 * (gamma_k(12 + 15) + 2.0**-9 + 2.0**-10) * 5.0
    # m = (.25, .25 - 2^-9) and (.25, .25, .25): what is left of each row, made a law.
    w = [row for first, last, S in branch._rows(other) for row in other.kernels[first:last].reshape(-1, S)]
    left = [(0.5, 0.0), (0.0, 0.5 + 2.0**-9), (0.25, 0.0, 2.0**-10), (0.0, 0.0, 0.25), (0.0, 0.25, 0.0)]
    assert all(row == pytest.approx(np.array(of) / sum(of), rel=1e-15) for row, of in zip(w, left, strict=True))
    half = (0.5 + 2.0**-9) * table + 0.25 * table[:1] + (0.25 - 2.0**-9) * table[1:]
    assert small == pytest.approx(0.25 * half + 0.25 * half.sum(axis=1, keepdims=True), rel=1e-14)


def test_what_all_rows_share_is_taken_out_of_the_second_axis_where_the_first_shares_nothing():
    """Agent 0 keeps its state; rows of agent 1 share (¼, ½, 0), and what is left of each is one state, ¼ of it."""
    rows = np.array([[[0.5, 0.5, 0.0]], [[0.25, 0.75, 0.0]], [[0.25, 0.5, 0.25]]])
    plan = plan_of({0: (0,), 1: (1,)}, {0: np.eye(2)[:, None], 1: rows}, (0, 1), (1, 2))
    table = np.arange(6.0).reshape(2, 3) ** 2
    other, small, rounding = minorized(plan, table)
    assert other.kernels.tolist() == [*np.eye(2).ravel(), *np.eye(3).ravel()]
    assert small.tolist() == (0.25 * table + 0.25 * table[:, :1] + 0.5 * table[:, 1:2]).tolist()
    assert rounding == 2.0 * gamma_k(3 * 3 + 6) * 25.0


@pytest.mark.parametrize("size", [2, 3])
def test_how_far_a_kernel_at_the_rim_moves(size):
    """Half the sum of the ranges over s' around given s_0, the largest over actions: of two states the TV itself."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(size, 2, 2), action_sizes=(3, 2, 2))
    plan = sweep_plan(mdp, 0)
    rim = rim_of(plan, 1, 0, np.array([-1, *range(3)]))
    moved = 0.5 * np.ptp(mdp.P[0], axis=1).sum(axis=-1).max(axis=-1)
    k = rim.turn.tolist()[0]
    assert (len(rim.turn), plan.position[k], rim.size.tolist()) == (1, 0, [size])
    found = rim.variation[plan.kernel_at[k] : plan.kernel_at[k + 1]].reshape(mdp.P[0].shape)
    assert found == pytest.approx(np.broadcast_to(moved[:, None, None, None], found.shape), rel=1e-11)
    assert (found > np.broadcast_to(moved[:, None, None, None], found.shape)).all()
    assert rim.most == pytest.approx([moved.max()], rel=1e-11)
    # Entries nearer than s_0' in the table: all others, until they are summed out.
    left, nearer = {0: size, 1: 2, 2: 2}, []
    for turn in (-1, 0, 1, 2):
        left.pop(int(plan.position[turn]) if turn >= 0 else -1, None)
        nearer.append(int(np.prod([S for p, S in left.items() if p > 0])))
    assert rim.nearer[:, 0].tolist() == nearer
