"""Advice is never wrong: what is starred is an upper bound, whatever labels are called and however long it may take."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_files import SIS, THREE, load_dict

from claims.instances import uniform_case
from sacrepro import (
    NetworkedMDP,
    decay_profile,
    evaluate,
    expected_update,
    load,
    policy_gradient,
    truncated_policy_gradient,
)
from sacrepro.adviser.advice import TABLES, advise
from sacrepro.adviser.certificates import (
    affordable,
    certificates,
    eccentricities,
    gradient_bounds,
    trivial_block,
    trivial_gradient,
)
from sacrepro.adviser.clock import Clock
from sacrepro.adviser.measured import exact_values, light_cones, measured, recurs
from sacrepro.adviser.pilot import Pilot
from sacrepro.adviser.prose import larger, recommendation, words
from sacrepro.adviser.settings import likeliest_pairs
from sacrepro.bounds.critic import likeliest_pair, unwritten
from sacrepro.bounds.influence import policy_influence
from sacrepro.exact import dense, td_fixed_point
from sacrepro.exact.dense import averaged_kernels, q_function
from sacrepro.exact.models import joint_kernel
from sacrepro.instances import build
from sacrepro.instances.network.labelled import network_influence, of_model
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import neighborhood, sphere_sizes
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.measures.fixed_points import has_unique_stationary_law
from strategies import mdps

#: A rule whose decay is slow and whose largest entries are at states that no corner shows.
RULE = {
    "gamma": 0.9,
    "states": ["low", "ok", "full"],
    "actions": ["closed", "open"],
    "attributes": {"inflow": 0.05, "demand": 0.2},
    "kernel": {
        "probabilities": {
            "low": "min(.4, demand + .3*(a==open)) if s==ok else (1 - min(.9, inflow+.3*count(full)) if s==low else 0)",
            "full": "min(.6, inflow + .3*count(full)) if s==ok else (1 - .5*(a==open) if s==full else 0)",
        }
    },
    "reward": "(s==ok) + .2*(a==open)",
}


def rule(n, **changes):
    return load_dict(RULE | {"graph": {"family": "path", "n": n}} | changes)


def errors_of_q(mdp):
    """(D_i(κ), |q*_i - Q_i|) under the uniform policy, (n, κ's) each; the latter None if TD has no single limit."""
    case = uniform_case(mdp)
    D = decay_profile(mdp, case.theta)
    if not has_unique_stationary_law(case):
        return D, None
    P = joint_kernel(mdp).mean(axis=1)
    leads = (P > 0) | np.eye(len(P), dtype=bool)
    for _ in range(len(P).bit_length()):
        leads = leads.astype(float) @ leads > 0
    recurrent = leads.all(axis=0)
    mu, class_P = np.zeros(len(P)), P[np.ix_(recurrent, recurrent)]
    balance = np.vstack([class_P.T - np.eye(len(class_P)), np.ones(len(class_P))])
    mu[recurrent] = np.linalg.lstsq(balance, np.append(np.zeros(len(class_P)), 1.0))[0]
    q = np.zeros_like(D)
    for i, kappa in np.ndindex(*D.shape):
        q[i, kappa] = error_of_the_limit(mdp, mu, q_function(mdp, case.V[i], i), i, kappa)
    return D, q


def error_of_the_limit(mdp, mu, Q_i, i, kappa):
    """|q*_i - Q_i| by enumeration of (s, a): the mean update of TD is zero in every cell that comes again and again."""
    kernel, hood = joint_kernel(mdp), neighborhood(mdp.graph, i, kappa)
    (S, A, _), cell = kernel.shape, []
    for sizes in (mdp.state_sizes, mdp.action_sizes):
        places = np.indices(sizes).reshape(mdp.n, -1)[list(hood)]
        cell.append(np.ravel_multi_index(tuple(places), [sizes[j] for j in hood]))
    x = cell[0][:, None] * (1 + cell[1].max()) + cell[1]
    weight = np.repeat(mu[:, None] / A, A, axis=1)
    mass, into = np.bincount(x.ravel(), weight.ravel()), np.zeros((S, 1 + x.max()))
    np.add.at(into, (np.arange(S)[:, None], x), 1.0 / A)
    flow, gain = np.zeros((len(mass), len(mass))), np.zeros(len(mass))
    np.add.at(flow, x.ravel(), (weight[:, :, None] * kernel).reshape(S * A, S) @ into)
    s_i, a_i = (np.indices(sizes).reshape(mdp.n, -1)[i] for sizes in (mdp.state_sizes, mdp.action_sizes))
    np.add.at(gain, x, weight * mdp.r[i][s_i[:, None], a_i])
    seen, q = mass > 0, np.zeros(len(mass))
    q[seen] = np.linalg.solve((np.diag(mass) - mdp.gamma * flow)[np.ix_(seen, seen)], gain[seen])
    return np.abs(q[x] - Q_i.reshape(S, A))[seen[x]].max()


def test_nine_agents_in_a_row_are_not_told_that_one_hop_is_enough():
    """D(1) = .8026: a simulation from two starts once found .353 there, and one κ more was needed than was advised."""
    for n in (8, 9):
        network = rule(n)
        D = decay_profile(network.mdp(), uniform_theta(network.mdp())).max(axis=0)
        advice = advise(network, 0.5, seconds=0.0, table="truncated")
        assert advice.recommended == advice.measured == 2
        assert advice.shown_for == "the uniform policy"
        assert advice.refuted == 1
        for row, exact in zip(advice.rows, D, strict=False):
            assert row.measured_low <= exact + 1e-9 <= row.measured_high + 2e-9
            assert row.measured_high - row.measured_low < 1e-6
    assert D[1] == pytest.approx(0.8026, abs=5e-5)
    assert "take κ = 2, which is shown to be enough for the uniform policy" in recommendation(advice)
    row = next(line for line in words(network, advice).splitlines() if line.startswith("1 "))
    assert "0.803*" not in row
    assert "= 0.803" in row


def test_the_search_finds_most_of_the_decay_and_confirms_nothing(monkeypatch):
    """Where a simulation from two starts found less than half: states and actions of single agents are moved, too."""
    network = rule(5)
    D = decay_profile(network.mdp(), uniform_theta(network.mdp()))
    monkeypatch.setattr("sacrepro.adviser.sampling.ROUNDS", 1)
    found = measured(network, [2], 2, tol=0.2, seed=0, clock=Clock(1e4), simulate_all=True)
    simulated = [entry for entry in found if entry.method == "simulation"]
    assert [entry.agent for entry in simulated] == [2]
    for entry in simulated:
        assert np.isinf(entry.upper).all()
        assert (entry.lower <= D[entry.agent, :2] + 1e-9).all()
        assert (entry.lower >= [0.85, 0.6] * D[entry.agent, :2]).all()


@settings(max_examples=40)
@given(st.data())
def test_a_recommended_kappa_is_enough_for_the_tables_it_is_recommended_for(data):
    """Against exact decay and TD's exact limit, at any ε; every column lies above what it bounds.

    Where there is one recurrent class, the column of q* is that of the limit itself.
    """
    mdp = data.draw(mdps(max_n=4, max_size=2))
    D, q = errors_of_q(mdp)
    network = of_model(mdp)
    largest = max(float(D.max()), 0.0 if q is None else float(q.max()), 1e-3)
    error = largest * data.draw(st.floats(0.01, 1.5))
    table = data.draw(st.sampled_from(TABLES))
    agents = data.draw(st.lists(st.integers(0, mdp.n - 1), unique=True))
    about = agents or list(range(mdp.n))
    advice = advise(network, error, "q", agents, seconds=0.0, table=table)
    slack = 1e-7 * max(1.0, mdp.r_bar)
    for row in advice.rows:
        exact = D[about, row.kappa].max() if row.kappa < D.shape[1] else 0.0
        assert exact <= row.truncated + slack
        assert row.truncated <= row.certified_truncated <= row.paper
        assert row.measured_low <= exact + slack
        if q is not None:
            limit = q[about, row.kappa].max() if row.kappa < q.shape[1] else 0.0
            assert limit <= row.td + slack
            assert row.td <= limit + slack
        assert row.td <= row.certified_td <= row.paper
    if advice.recommended is not None:
        kappa = advice.recommended
        assert advice.rows[kappa].measured <= error
        exact = q if table == "td" else D
        if exact is not None and kappa < D.shape[1]:
            assert exact[about, kappa].max() <= error + slack


def test_the_limit_of_the_critic_itself_is_found_on_a_small_network():
    """Bounds from the decay asked five friends for κ = 3, the whole network, where q* is within .3 at κ = 1."""
    network = load("workflow/networks/friends.yaml")
    D, q = errors_of_q(network.mdp())
    advice = advise(network, 0.3, seconds=0.0)
    for row in advice.rows[: D.shape[1]]:
        assert row.td == pytest.approx(q[:, row.kappa].max(), rel=1e-6)
        assert row.td < 0.5 * D[:, row.kappa].max() / (1.0 - network.gamma) or row.td == 0.0
    assert advice.measured == next(kappa for kappa, gap in enumerate(q.max(axis=0)) if gap <= 0.3)
    assert "q* by its exact values, D_i(κ)/(1-γ) or that matrix" in " ".join(words(network, advice).split())


#: All healthy is healthy for ever: TD hardly visits the other cells, and has no limit there.
ABSORBED = {"probabilities": {"sick": "0.15 * count(sick) if s == healthy else 0.7"}}


@pytest.mark.parametrize(("n", "known"), [(5, False), (40, None)])
def test_cells_that_are_left_for_ever_are_no_part_of_what_is_certified(n, known):
    """Five friends of whom nobody falls sick by himself were told that κ = 3 is certified, with T = 10,240."""
    network = load_dict(SIS | {"kernel": ABSORBED, "graph": {"family": "path", "n": n}})
    advice = advise(network, 0.3, seconds=0.0)
    assert advice.recurs is known
    told = " ".join(words(network, advice).split())
    which = "some joint states" if known is False else "it may be that some joint states"
    assert f"Here {which} are left for ever: in their cells Q̂_i keeps what it held" in told
    assert "in cells that are visited again and again: " in told.split("RECOMMENDATION")[1]
    other = " ".join(words(network, advise(network, 0.3, seconds=0.0, table="truncated")).split())
    assert "left for ever" not in other
    assert "again and again" not in other


#: Nobody becomes raw again.
RIPENS = {
    "states": ["raw", "low", "high"],
    "kernel": {"probabilities": {"raw": "0.5 * (s == raw)", "high": "0.1 + 0.2 * count(high)"}},
    "reward": "(s == high) + 0.3 * (a == open)",
}


@pytest.mark.parametrize("document", [SIS | {"kernel": ABSORBED}, RULE | RIPENS])
def test_the_limit_is_found_where_joint_states_are_left_for_ever(document):
    """One recurrent class, of one joint state and of eight: bounds from the decay were up to 1/(1-γ) as large."""
    network = load_dict(document | {"graph": {"family": "path", "n": 3}})
    D, q = errors_of_q(network.mdp())
    advice = advise(network, 0.3, seconds=0.0)
    assert advice.recurs is False
    for row in advice.rows[: D.shape[1]]:
        assert row.td == pytest.approx(q[:, row.kappa].max(), rel=1e-6, abs=1e-9)
    assert advice.rows[0].td < 0.5 * D[:, 0].max() / (1.0 - network.gamma)


def test_states_that_come_again_are_told_from_those_that_do_not():
    """A zero alone is no sign: whoever falls sick with certainty and may recover visits every joint state."""
    for kernel, known in (
        ("0.1 * count(sick) if s == healthy else 0.7", False),
        ("0.1 + 0.1 * count(sick) if s == healthy else 0.7", True),
        ("1 if s == healthy else 0.5", True),
        ("1 if s == healthy else 1", False),
    ):
        network = load_dict(SIS | {"kernel": {"probabilities": {"sick": kernel}}, "graph": {"family": "path", "n": 3}})
        assert recurs(network) is known


def test_more_agents_than_axes_leave_open_what_comes_again():
    """Two joint states, one of them left for ever, and 70 agents: advice ended with an error of the exact engine."""
    graph, alone = nx.path_graph(70), np.ones((1, 1))
    P = [np.ones((*(2 if j == 0 else 1 for j in sorted((i, *graph[i]))), 1, 1)) for i in graph]
    P[0] = np.array([[1.0, 0.0], [0.5, 0.5]]).reshape(2, 1, 1, 2)
    network = of_model(model(graph, P, [np.ones((2, 1)), *[alone] * 69], 0.5))
    assert recurs(network) is None
    assert advise(network, 0.3, seconds=0.0).recurs is None


@settings(max_examples=25)
@given(st.data())
def test_gradient_bounds_hold_for_the_whole_gradient_and_for_blocks(data):
    """For TD's limit, whose tables are the tables that Algorithm 1 puts into (7)."""
    mdp = data.draw(mdps(max_n=3, max_size=2))
    case = uniform_case(mdp)
    network = of_model(mdp)
    D, q = errors_of_q(mdp)
    if q is None:
        return
    gradient = policy_gradient(mdp, case.theta)
    slack = 1e-7 * max(1.0, mdp.r_bar)
    bounds = certificates(network, range(mdp.n), D.shape[1])
    uniform = gradient_bounds(bounds.uniform.td, mdp.gamma)
    for kappa in range(D.shape[1]):
        tables = tuple(td_fixed_point(mdp, case.theta, j, kappa) for j in range(mdp.n))
        h_hat = truncated_policy_gradient(mdp, case.theta, tables, kappa)
        blocks = [float(np.linalg.norm(h - g)) for h, g in zip(h_hat, gradient, strict=True)]
        whole = float(np.linalg.norm(blocks))
        assert whole <= uniform[kappa] + slack
        assert whole <= gradient_bounds(q[:, [kappa]], mdp.gamma)[0] + slack
        assert whole <= trivial_gradient(mdp.gamma, mdp.r_bar) + slack
        for i, block in enumerate(blocks):
            assert block <= trivial_block(sphere_sizes(mdp.graph, i), mdp.n, mdp.gamma, mdp.r_bar) + slack


@pytest.mark.parametrize("agents", [(), (0, 3)])
@pytest.mark.parametrize("of", ["q", "gradient"])
def test_no_certificate_exceeds_what_holds_for_every_kappa(of, agents):
    advice = advise(rule(8), 0.5, of, agents, seconds=0.0)
    for row in advice.rows:
        for name in ("certified", "measured", "certified_truncated", "certified_td", "truncated", "td"):
            assert getattr(row, name) <= advice.trivial * (1.0 + 1e-12), name
    assert f"at most {advice.trivial:.3g}" in words(rule(8), advice)


def random_network(rng, n, gamma=0.8):
    """A random graph with two or three states an agent, as plain arrays."""
    graph = nx.gnp_random_graph(n, 0.4, seed=int(rng.integers(1 << 30)))
    S, A = rng.integers(2, 4, n), rng.integers(1, 3, n)
    P, r = [], []
    for i in range(n):
        shape = (*(S[j] for j in sorted((i, *graph[i]))), A[i], S[i])
        base = rng.dirichlet(np.ones(S[i]))
        P.append(0.6 * base + 0.4 * rng.dirichlet(np.ones(S[i]), size=shape[:-1]))
        r.append(rng.random((S[i], A[i])))
    return graph, P, r, gamma


def model(graph, P, r, gamma):
    pi0 = tuple(np.full(len(r_i), 1.0 / len(r_i)) for r_i in r)
    return NetworkedMDP(graph, tuple(P), tuple(r), gamma, pi0)


def relabelled(rng, graph, P, r, gamma):
    """The same network with agents, states, actions and edges in another order, and where each agent went."""
    n = len(graph)
    to = rng.permutation(n)
    states = [rng.permutation(len(r_i)) for r_i in r]
    actions = [rng.permutation(r_i.shape[1]) for r_i in r]
    moved = nx.empty_graph(n)
    edges = [(int(to[i]), int(to[j])) for i, j in graph.edges]
    moved.add_edges_from(edges[k][:: rng.choice([-1, 1])] for k in rng.permutation(len(edges)))
    P_new, r_new = [None] * n, [None] * n
    for i in range(n):
        hood = sorted((i, *graph[i]))
        table = P[i]
        for axis, j in enumerate(hood):
            table = table.take(states[j], axis=axis)
        table = table.take(actions[i], axis=-2).take(states[i], axis=-1)
        order = np.argsort([to[j] for j in hood])
        P_new[to[i]] = table.transpose(*order, len(hood), len(hood) + 1)
        r_new[to[i]] = r[i][states[i]][:, actions[i]]
    return (moved, P_new, r_new, gamma), to


ERRORS = ("certified", "measured", "certified_truncated", "certified_td", "truncated", "td", "paper", "influence")


@pytest.mark.parametrize("seed", range(6))
def test_labels_and_order_change_nothing(seed):
    rng = np.random.default_rng(seed)
    first = random_network(rng, 6)
    second, to = relabelled(rng, *first)
    for of in ("q", "gradient"):
        for seconds in (0.0, 0.01):
            one = advise(of_model(model(*first)), 0.1, of, seconds=seconds)
            other = advise(of_model(model(*second)), 0.1, of, seconds=seconds)
            assert (one.recommended, one.shown_for, one.refuted) == (other.recommended, other.shown_for, other.refuted)
            for a, b in zip(one.rows, other.rows, strict=True):
                for name in ERRORS:
                    assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-6, abs=1e-9), name
            for i, place in enumerate(to):
                a, b = one.agents[i], other.agents[place]
                assert (a.kappa, a.uniform, a.degree) == (b.kappa, b.uniform, b.degree)


def test_names_of_actions_change_nothing():
    one, other = rule(8), rule(8, actions=["open", "closed"])
    for table in TABLES:
        a, b = (advise(network, 0.5, seconds=0.0, table=table) for network in (one, other))
        assert a.recommended == b.recommended
        assert [row.measured for row in a.rows] == pytest.approx([row.measured for row in b.rows], rel=1e-6)


def test_a_component_more_changes_nobody_elses_advice():
    rng = np.random.default_rng(3)
    graph, P, r, gamma = random_network(rng, 5)
    more, P_more, r_more, _ = random_network(rng, 4)
    alone = of_model(model(graph, P, r, gamma))
    both = of_model(model(nx.disjoint_union(graph, more), [*P, *P_more], [*r, *r_more], gamma))
    for table in TABLES:
        for agents in ([0], [0, 1, 2, 3, 4]):
            a, b = (advise(network, 0.1, "q", agents, seconds=0.0, table=table) for network in (alone, both))
            assert a.recommended == b.recommended
            for row, other in zip(a.rows, b.rows, strict=False):
                for name in ("truncated", "td", "certified_truncated", "certified_td"):
                    assert getattr(row, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-12) or (
                        getattr(row, name) == row.paper  # with r̄ over all agents
                    )


def rows_of(sizes):
    """Edges of one path of agents for each size, by names."""
    return [[f"c{k}_{i}", f"c{k}_{i + 1}"] for k, size in enumerate(sizes) for i in range(size - 1)]


@pytest.mark.parametrize("of", ["q", "gradient"])
def test_what_work_cuts_short_hangs_neither_on_order_nor_on_larger_components(of, monkeypatch):
    """Where not all components fit into what is done at once, the smallest do, and equal ones all or none."""
    monkeypatch.setattr("sacrepro.adviser.measured.FREE_PAIRS", 3 << 24)
    monkeypatch.setattr("sacrepro.adviser.certificates.FREE_WORK", 5 << 20)
    edges = rows_of([6, 3, 5, 4, 3, 6, 5])
    more = [[f"x{label}", f"x{other}"] for label, other in rows_of([6, 6])]
    found = []
    for some in (edges, [edge[::-1] for edge in edges[::-1]], more + edges):
        network = load_dict(RULE | {"graph": {"edges": some}})
        advice = advise(network, 0.5, of, seconds=0.0, table="truncated")
        names = [agent.name for agent in advice.agents]
        measurements = {network.names[entry.agent] for entry in advice.measurements}
        found.append(({agent.name: agent[3:5] + agent[7:] for agent in advice.agents}, measurements, advice.refuted))
        assert 0 < len(measurements) < len(names)
        assert "bounds from each agent's own outside" in advice.cut
    first, other, larger = found
    assert first == other
    assert larger[1] == first[1]
    assert all(larger[0][name] == row for name, row in first[0].items())


def test_parts_that_are_done_at_once():
    assert affordable([3, 1, 2, 2, 0], 5).tolist() == [False, True, True, True, True]
    assert affordable([3, 1, 2, 2, 0], 4).tolist() == [False, True, False, False, True]
    assert affordable([np.inf, 1.0], 1.0).tolist() == [False, True]
    assert affordable([], 1.0).tolist() == []


def test_the_order_of_edges_is_no_hub():
    """Two hubs of 321 neighbors, one of them at the end: the first in the file once decided between κ = 8 and 14."""
    edges = [[hub, f"{hub}{leaf}"] for hub in "ab" for leaf in range(320)]
    edges += [["a", "x"], ["x", "y"], ["y", "b"], ["a0", "u"], ["u", "v"], ["v", "w"]]
    for some in (edges, edges[::-1]):
        network = load_dict(SIS | {"graph": {"edges": some}})
        assert eccentricities(network.graph).tolist() == [nx.eccentricity(network.graph, i) for i in range(network.n)]
        advice = advise(network, 1e-6, seconds=0.0)
        assert (advice.recommended, advice.farthest) == (8, 8)


@pytest.mark.parametrize("searches", [0, 3])
def test_eccentricities_that_are_bounds_are_those_of_agents_whatever_they_are_called(searches, monkeypatch):
    graph = nx.disjoint_union(nx.random_internet_as_graph(300, seed=0), nx.random_regular_graph(3, 100, seed=0))
    monkeypatch.setattr("sacrepro.adviser.certificates.MOST_SEARCHED", 300 * searches)
    found = eccentricities(graph)
    for piece in nx.connected_components(graph):
        exact = nx.eccentricity(graph.subgraph(piece))
        assert all(exact[i] <= found[i] < len(piece) for i in piece)
    to = np.random.default_rng(0).permutation(len(graph))
    moved = nx.empty_graph(len(graph))
    moved.add_edges_from((int(to[i]), int(to[j])) for i, j in graph.edges)
    assert (eccentricities(moved)[to[:300]] == found[:300]).all()


def test_an_interval_that_branch_and_bound_leaves_wide_is_narrowed_by_a_light_cone(monkeypatch):
    """More time begins branch and bound: what it gives up on is no worse known than with less time."""
    network = rule(5)
    monkeypatch.setattr("sacrepro.adviser.measured.CONES", (8,))
    monkeypatch.setattr("sacrepro.adviser.measured.simulations", lambda *arguments: [])
    cone = light_cones(network, [2], 2, 0.5, Clock(1e4))[0]
    monkeypatch.setattr("sacrepro.adviser.measured.SWEPT_PAIRS", 4)
    monkeypatch.setattr("sacrepro.adviser.measured.BRANCHED_A_SECOND", 0)
    found = measured(network, [2], 2, tol=0.5, seed=0, clock=Clock(1e4))
    assert [entry.method for entry in found[:2]] == ["branch and bound", "light cone"]
    assert (np.min([entry.upper for entry in found], axis=0) <= cone.upper).all()
    D = decay_profile(network.mdp(), uniform_theta(network.mdp()))[2, :2]
    assert all((entry.lower <= D + 1e-9).all() and (entry.upper + 1e-9 >= D).all() for entry in found)


@pytest.mark.parametrize("table", TABLES)
def test_whenever_the_time_runs_out_the_advice_is_right(table, monkeypatch):
    """The clock is over after so many looks at it: no bound is wrong, none rises with a look more, nothing breaks."""
    network = rule(4)
    D, q = errors_of_q(network.mdp())
    truth = (D if table == "truncated" else q).max(axis=0)
    small = {
        "measured.FREE_PAIRS": 0,
        "measured.CONES": (8,),
        "certificates.FREE_WORK": 0,
        "certificates.FREE_SERIES": 0,
    }
    small |= {
        f"sampling.{name}": most
        for name, most in zip(("ROUNDS", "SEARCHED", "COMPARED", "MOST_COPIES"), (1, 2000, 16, 64), strict=True)
    }
    for name, value in small.items():
        monkeypatch.setattr(f"sacrepro.adviser.{name}", value)
    monkeypatch.setattr("sacrepro.adviser.advice.pilot", lambda network, **arguments: Pilot(None, ""))
    looks = 0

    def left(clock, share=1.0):
        nonlocal looks
        looks -= 1
        return 0.5 * share * clock.seconds if looks >= 0 else 0.0

    monkeypatch.setattr(Clock, "left", left)
    before, cut = np.full(len(truth), np.inf), set()
    for k in range(40):
        looks = k
        advice = advise(network, 0.5, seconds=10.0, table=table)
        bounds = np.array([row.measured for row in advice.rows[: len(truth)]])
        assert (bounds >= truth - 1e-9).all()
        assert (bounds <= before * (1.0 + 1e-12)).all()
        assert all(row.measured_low <= exact + 1e-9 for row, exact in zip(advice.rows, D.max(axis=0), strict=False))
        assert truth[advice.recommended] <= 0.5
        assert words(network, advice)
        before = bounds
        cut |= set(advice.cut)
        if looks > 0:  # not all of them were needed
            break
    assert {"influence series of all agents", "bounds from each agent's own outside", "exact values"} <= cut
    assert not advice.cut


def test_more_time_only_tightens():
    """Upper bounds fall, lower bounds rise, and the κ that is recommended never grows."""
    network = load_dict(RULE | {"graph": {"family": "ring", "n": 16}})
    short, long = (advise(network, 2.0, seconds=seconds, table="truncated") for seconds in (0.0, 12.0))
    assert "light cones" in short.cut
    for a, b in zip(short.rows, long.rows, strict=True):
        assert b.certified <= a.certified
        assert b.measured <= a.measured
        assert b.measured_low >= a.measured_low
        assert b.measured_low <= b.measured_high
    assert long.recommended <= short.recommended
    assert any(entry.method in ("light cone", "simulation", "branch and bound") for entry in long.measurements)


def test_exact_values_are_those_of_each_component_alone():
    network = load_dict(RULE | {"graph": {"edges": [[f"{c}{i}", f"{c}{i + 1}"] for c in "abc" for i in range(4)]}})
    assert network.n == 15  # 3^15 joint states, but 3^5 in each component
    found = exact_values(network, list(range(15)), 3, 0.01, Clock(0.0))
    assert len(found) == 15
    D = decay_profile(rule(5).mdp(), uniform_theta(rule(5).mdp()))
    for entry in found:
        place = int(network.names[entry.agent][1:])
        assert entry.upper == pytest.approx(D[place, :3], abs=1e-7)


@pytest.mark.parametrize("document", [SIS, THREE])
def test_the_averaged_influence_matrix_from_counts_is_that_of_the_tables(document):
    network = load_dict(document)
    mdp = network.mdp()
    P_bar = averaged_kernels(mdp, policies(mdp, uniform_theta(mdp)))
    found = network_influence(network, averaged=True).toarray()
    assert np.allclose(found, policy_influence(P_bar, mdp.neighbors).toarray(), atol=1e-14)
    assert (found <= network_influence(network).toarray() + 1e-14).all()


def test_what_nothing_shows_is_not_recommended():
    """With as few κ as the paper's bound needs there is always one; a coarse table of bounds may have none."""
    network = load_dict(RULE | {"graph": {"family": "ring", "n": 40}})
    advice = advise(network, 0.5, seconds=0.0)
    none = advice._replace(recommended=None, certified=None, measured=None, rows=advice.rows[:3])
    told = recommendation(none)
    assert told.startswith("none. Nothing shows that any κ up to 2 is enough: the best bound there is")
    assert "more time (--seconds; cut short: light cones)" in told
    assert "fewer agents (--agent)" in told
    assert "take κ" not in told


def test_random_models_of_seven_agents_are_advised_rightly():
    rng = np.random.default_rng(0)
    for seed in range(4):
        mdp = model(*random_network(rng, 6, gamma=(0.6, 0.9)[seed % 2]))
        D, q = errors_of_q(mdp)
        for error in (0.02, 0.1, 0.4):
            for table, exact in (("truncated", D), ("td", q)):
                advice = advise(of_model(mdp), error, seconds=0.0, table=table)
                kappa = advice.recommended
                assert kappa is not None
                assert kappa >= D.shape[1] or exact[:, kappa].max() <= error + 1e-7


def test_the_relay_is_told_to_look_all_the_way():
    """Lemma 3 is an equality on it, so that no κ below the distance of the source will do."""
    mdp = build({"model": "relay", "n": 5, "gamma": 0.9})
    advice = advise(of_model(mdp), 4.0, seconds=0.0, table="truncated")
    D = decay_profile(mdp, uniform_theta(mdp)).max(axis=0)
    assert advice.recommended == next(kappa for kappa, gap in enumerate(D) if gap <= 4.0)
    assert neighborhood(mdp.graph, 0, 4) == (0, 1, 2, 3, 4)


def chances_of_staying_unwritten(mdp, i, kappa, T):
    """P(x is none of x_i(1), …, x_i(T-1)) for every cell x of agent i, the start drawn and the policy uniform."""
    hood = neighborhood(mdp.graph, i, kappa)
    sizes = (*mdp.state_sizes, *mdp.action_sizes)
    P = joint_kernel(mdp)
    z = np.indices(sizes).reshape(2 * mdp.n, -1)[[*hood, *(mdp.n + j for j in hood)]]
    found = []
    for cell in set(map(tuple, z.T)):
        missed = (z != np.array(cell)[:, None]).any(axis=0).reshape(P.shape[:2])
        law = np.repeat(mdp.joint_pi0().reshape(-1, 1), P.shape[1], axis=1) / P.shape[1]
        for _ in range(T - 1):
            law = missed * np.einsum("sa,sat->t", law, P)[:, None] / P.shape[1]
        found.append(law.sum())
    return np.array(found)


def likeliest_entry(mdp, i, kappa):
    """What `often` is made of, for one agent."""
    return np.prod([likeliest_pairs(of_model(mdp))[j] for j in neighborhood(mdp.graph, i, kappa)])


@given(st.data())
@settings(max_examples=40)
def test_holds_no_entry_is_written_sooner_than_the_rarest_chance_allows(data):
    mdp = data.draw(mdps(max_n=3))
    i, kappa, T = data.draw(st.integers(0, mdp.n - 1)), data.draw(st.integers(0, 2)), data.draw(st.integers(1, 6))
    p = likeliest_entry(mdp, i, kappa)
    assert chances_of_staying_unwritten(mdp, i, kappa, T).min() >= unwritten(p, T - 1) - 1e-12


def coins(n, p):
    """Agents in a row whose states are drawn anew in every step, 1 with probability p; two actions, paid alike."""
    P = tuple(np.broadcast_to([1 - p, p], (2,) * len(neighborhood(nx.path_graph(n), i, 1)) + (2, 2)) for i in range(n))
    return NetworkedMDP(nx.path_graph(n), P, (np.ones((2, 2)),) * n, 0.5, (np.array([1 - p, p]),) * n)


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_tight_states_drawn_anew_attain_the_chance_and_one_agent_less_is_necessary(kappa):
    mdp = coins(4, 0.75)
    found = chances_of_staying_unwritten(mdp, 0, kappa, 5).min()
    assert found == pytest.approx(unwritten(likeliest_entry(mdp, 0, kappa), 4), abs=1e-14)
    assert likeliest_entry(mdp, 0, kappa) == pytest.approx(0.375 ** (kappa + 1), abs=1e-15)
    # The cell of one agent more is rarer, and its chance is no bound here.
    assert found < unwritten(likeliest_entry(mdp, 0, kappa + 1), 4)


def test_the_next_kappa_is_told_the_steps_it_needs():
    """By hand: coins of .75 and two actions; half of a path of 5 has N_i^1 of 3 agents, and .375³ = .0527."""
    network = of_model(coins(5, 0.75))
    advice = advise(network, 0.1, T=10, seconds=0.0)
    assert [10**row.often for row in advice.rows[:2]] == pytest.approx([0.375, 0.375**3])
    told = larger(advice._replace(recommended=0))
    assert "what T would the tables of κ = 1 need? Under the uniform policy no entry of half of them" in told
    assert "above 0.053 in a step" in told
    assert "in fewer than T = 13 steps" in told  # log 2 / log(1/(1-.0527)) = 12.8
    assert "From T = 640 on the median table may be learned: ten visits an entry" in told
    assert told.endswith("T = 10 is below the first.")
    for T, place in ((12, "below the first"), (13, "between the two"), (639, "between the two"), (640, "beyond both")):
        assert larger(advice._replace(recommended=0, T=T)).endswith(f"T = {T} is {place}.")
    assert larger(advice._replace(recommended=advice.farthest)) == ""
    assert "LARGER κ" not in words(network, advice._replace(recommended=0)), "coins leave nothing to gain"
    coupled = tuple(row._replace(certified=0.1) for row in advice.rows)
    assert "LARGER κ: what T" in words(network, advice._replace(recommended=0, rows=coupled))


def test_the_steps_that_are_proved_are_never_rounded_up():
    """.375²⁹ asks for 1.563e12 steps, in two digits 1.5e12, as 1.6e12 would be more than is proved."""
    advice = advise(of_model(coins(5, 0.75)), 0.1, T=10, seconds=0.0, table="truncated")
    for power_of, told in ((29, "T = 1.5e12"), (30, "T = 4.1e12"), (20, "T = 229,")):
        rows = tuple(row._replace(often=power_of * np.log10(0.375)) for row in advice.rows)
        assert f"in fewer than {told}" in larger(advice._replace(recommended=0, rows=rows))


def test_a_larger_kappa_may_have_the_closest_step_while_its_entries_are_likely_unwritten():
    """So the steps that an entry needs bound nothing that κ is for: here agent 0 acts for agent 1, whom κ = 0 hides."""
    P = [np.full((2, 2, 2, 2), 0.25), np.full((2, 2, 4, 2), 0.25)]
    for a in range(2):
        P[0][..., a, a] = 0.75
        P[1][a, ..., a] = 0.75
    rewards = (np.zeros((2, 2)), np.repeat([[0.0], [1.0]], 4, axis=1))
    mdp = NetworkedMDP(nx.path_graph(2), P, rewards, 0.9, (np.full(2, 0.5),) * 2)
    T, theta = 9, uniform_theta(mdp)
    assert unwritten(likeliest_entry(mdp, 0, 1), T) > 0.5
    blind, seeing = (expected_update(mdp, theta, kappa=kappa, T=T, h=10, t0=20) for kappa in (0, 1))
    off = [np.sqrt(sum((block**2).sum() for block in step.b)) for step in (blind, seeing)]
    assert off[1] + seeing.b_error < 0.99 * (off[0] - blind.b_error)


def test_likeliest_pairs_are_those_of_the_kernels_as_tables():
    for network in (load_dict(SIS), load_dict(THREE), rule(5)):
        expected = [likeliest_pair(P_i, np.full((P_i.shape[-1], A), 1 / A)) for P_i, A in zip(
            network.P, network.action_sizes, strict=True
        )]  # fmt: skip
        assert likeliest_pairs(network) == pytest.approx(expected, abs=1e-15)


def test_limits_of_components_beyond_a_thousand_states_are_those_of_an_enumeration():
    """7 agents, 1,296 states: q* by the aggregated chain of all pairs, solved densely; a bound of D_i(κ)/(1-γ) is 5 to
    12 times that."""
    graph = nx.Graph([(0, 1), (1, 2), (1, 3), (2, 4), (4, 5), (3, 6), (5, 6)])
    mdp = random_mdp(graph, seed=3, state_sizes=(2, 3, 3, 3, 2, 3, 4), action_sizes=(1, 2, 1, 2, 1, 1, 2), gamma=0.9)
    network = of_model(mdp)
    P = dense.transition_matrix(mdp, policies(mdp, theta := uniform_theta(mdp)))
    mu = np.linalg.lstsq(np.vstack([P.T - np.eye(len(P)), np.ones(len(P))]), np.eye(len(P) + 1)[-1], rcond=None)[0]
    V = evaluate(mdp, theta).V
    found = {entry.agent: entry for entry in advise(network, 0.1, seconds=0.0).measurements}
    for i in (0, 6):
        Q_i = q_function(mdp, V[i], i)
        for kappa in range(2):
            q = td_fixed_point(mdp, theta, i, kappa, mu=mu.reshape(mdp.state_sizes))
            gap = float(np.abs(q - Q_i).max())
            assert gap <= found[i].limit[kappa] <= gap + 2e-3 * mdp.r_bar / (1.0 - mdp.gamma)
            assert found[i].limit[kappa] < 0.5 * found[i].upper[kappa] / (1.0 - mdp.gamma)


def test_tables_and_steps_are_those_of_the_agents_asked_about():
    """By hand: on a path of 4, S·A = 4, 4, 6, 4: N_3^1 holds agents 2 and 3, 24 entries; of all, median √(24·96)."""
    mdp = random_mdp(nx.path_graph(4), seed=0, state_sizes=(2, 2, 3, 2))
    one, every = (advise(of_model(mdp), 0.1, agents=agents, seconds=0.0, T=10) for agents in ([3], []))
    assert [10 ** one.rows[1].entries_median, 10 ** one.rows[1].entries_max] == pytest.approx([24, 24])
    assert 10 ** every.rows[1].entries_median == pytest.approx(48)
    assert "its table has 24 entries" in words(of_model(mdp), one._replace(recommended=1))
    assert one.rows[1].table_bytes == every.rows[1].table_bytes
