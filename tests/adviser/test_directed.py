"""Directed networks: an arrow j → i says that P_i reads s_j, at every door, and nothing else is read."""

import itertools
import warnings

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sacrepro
from adviser.network_files import load_dict, written
from sacrepro import (
    NetworkedMDP,
    Simulator,
    evaluate,
    from_directed,
    influence_matrix,
    neighborhood,
    q_function,
    sac,
    uniform_theta,
)
from sacrepro.adviser.advice import advise
from sacrepro.adviser.describe import summary
from sacrepro.adviser.sampling import Sampler
from sacrepro.exact.dense import oscillation
from sacrepro.instances.network.files import load
from sacrepro.instances.network.labelled import network_influence, of_model
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.policy import gaussian_theta, policies

SICK = "0.05 + 0.2 * count(sick) + 0.1 * total / max(1, degree) if s == healthy else 0.7 - 0.3 * a"
TWO = {"states": ["healthy", "sick"], "kernel": {"probabilities": {"sick": SICK}}, "reward": "(s == healthy) + 0.1 * a"}
WEIGHTS = {"low": "1 + 2 * count(low) + a", "mid": "1 + total + s", "top": "0.5 + degree * count(top)"}
THREE = {"states": ["low", "mid", "top"], "kernel": {"weights": WEIGHTS}, "reward": "s / 2"}


def law(kind, s, a, seen):
    """The law of s_i' in plain Python; seen : the states that P_i reads."""
    if kind is TWO:
        sick = 0.05 + 0.2 * seen.count(1) + 0.1 * sum(seen) / max(1, len(seen)) if s == 0 else 0.7 - 0.3 * a
        return [1 - sick, sick]
    weights = [1 + 2 * seen.count(0) + a, 1 + sum(seen) + s, 0.5 + len(seen) * seen.count(2)]
    return [w / sum(weights) for w in weights]


@st.composite
def arrows(draw, most=4):
    n = draw(st.integers(2, most))
    pairs = [pair for pair in itertools.permutations(range(n), 2) if draw(st.booleans())]
    degree = [sum(target == i for _, target in pairs) for i in range(n)]
    return n, [pair for pair in pairs if degree[pair[1]] <= 3]


def document(kind, n, pairs):
    graph = {"nodes": list(range(n)), "edges": [list(pair) for pair in pairs], "directed": True}
    return {"graph": graph, "gamma": 0.8, "actions": 2} | kind


@settings(max_examples=40, deadline=None)
@given(arrows(), st.sampled_from([TWO, THREE]))
def test_kernels_read_the_tails_of_arrows(found, kind):
    n, pairs = found
    network = load_dict(document(kind, n, pairs))
    assert {frozenset(edge) for edge in network.graph.edges} == {frozenset(pair) for pair in pairs}
    S = len(kind["states"])
    for i in range(n):
        hood = sorted({i, *network.graph[i]})
        for states in itertools.product(range(S), repeat=len(hood)):
            seen = [x for x, j in zip(states, hood, strict=True) if (j, i) in pairs]
            for a in range(2):
                expected = law(kind, states[hood.index(i)], a, seen)
                assert network.P[i][(*states, a)] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(arrows(), st.sampled_from([TWO, THREE]))
def test_every_reader_of_a_network_agrees(found, kind):
    """The simulator, the influence matrix and the sampler by counts against the model with all its tables."""
    n, pairs = found
    network = load_dict(document(kind, n, pairs))
    mdp = network.mdp()
    run = {"kappa": 1, "M": 3, "T": 20, "h": 2.0, "t0": 4.0, "eta": 1.0, "seed": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sacrepro.InputWarning)  # κ = 1 is beyond the diameter where there is no arrow
        one, other = (sac(x, uniform_theta(mdp), **run) for x in (network.simulator(), Simulator(mdp)))
    assert all(np.array_equal(x, y) for x, y in zip(one.thetas, other.thetas, strict=True))
    C = influence_matrix(mdp).toarray()
    assert np.abs(network_influence(network).toarray() - C).max() <= 1e-12
    for i, j in itertools.permutations(range(n), 2):
        assert C[i, j] == 0.0 or (j, i) in pairs
    rng = np.random.default_rng(0)
    s = rng.integers(0, len(kind["states"]), (n, 50))
    a, u = rng.integers(0, 2, (n, 50)), rng.random((n, 50))
    assert np.array_equal(Sampler(network).next_states(s, a, u), Sampler(of_model(mdp)).next_states(s, a, u))


def test_all_doors_give_one_model(tmp_path):
    arrow = nx.DiGraph([("ann", "bob"), ("bob", "cid"), ("cid", "bob"), ("dan", "cid")])
    rest = {"gamma": 0.8, "actions": 2} | TWO
    nx.write_graphml(arrow, tmp_path / "g.graphml")
    (tmp_path / "edges.txt").write_text("".join(f"{j} {i}\n" for j, i in arrow.edges))
    graphs = [
        {"graphml": "g.graphml"},
        {"edges_file": "edges.txt", "directed": True, "nodes": list(arrow)},
        {"edges": [list(edge) for edge in arrow.edges], "directed": True, "nodes": list(arrow)},
    ]
    loaded = [load(written(tmp_path, rest | {"graph": graph}, f"{k}.yaml")) for k, graph in enumerate(graphs)]
    numbered = nx.convert_node_labels_to_integers(arrow)
    kernels = []
    for i in range(4):
        near = sorted((i, *numbered.predecessors(i)))
        table = np.empty((2,) * len(near) + (2, 2))
        for *states, a in np.ndindex(*table.shape[:-1]):
            seen = [x for x, j in zip(states, near, strict=True) if j != i]
            table[(*states, a)] = law(TWO, states[near.index(i)], a, seen)
        kernels.append(table)
    graph, P = from_directed(numbered, kernels)
    mdp = NetworkedMDP(graph, P, loaded[0].r, 0.8, loaded[0].pi0)
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    for network in loaded:
        assert network.names == tuple(arrow)
        assert sorted(network.graph.edges) == sorted(graph.edges)
        assert all(np.abs(one - other).max() <= 1e-12 for one, other in zip(network.P, P, strict=True))
        assert abs(evaluate(network.mdp(), theta).J - evaluate(mdp, theta).J) <= 1e-9
    assert "directed" in summary(loaded[0])
    assert "P_i reads s_j" in summary(loaded[0])


def test_tables_and_single_neighbors_follow_the_arrows(tmp_path):
    rest = {"gamma": 0.8, "actions": 1, "states": 2, "reward": "s", "kernel": {"probabilities": {"1": "0.5"}}}
    graph = {"edges": [["a", "b"], ["c", "b"], ["b", "c"]], "directed": True}
    table = [[[[1.0, 0.0]], [[0.0, 1.0]]], [[[0.5, 0.5]], [[0.25, 0.75]]]]  # axes b, c: c is told nothing by a
    agents = {"c": {"kernel": {"table": table}}, "b": {"kernel": {"probabilities": {"1": "0.25 + 0.5 * state('a')"}}}}
    network = load(written(tmp_path, rest | {"graph": graph, "agents": agents}))
    assert network.P[2].tolist() == table
    assert network.P[0].shape == (2, 2, 1, 2)  # a, b: b is no matter
    assert network.P[1][1, :, :, 0, 1].tolist() == [[0.75] * 2] * 2
    assert network.P[1][0, :, :, 0, 1].tolist() == [[0.25] * 2] * 2
    agents = {"a": {"kernel": {"probabilities": {"1": "0.5 * state('b')"}}}}
    with pytest.raises(ValueError, match=r"state\('b'\): agent 'b' is read by no arrow: b → a is missing"):
        load(written(tmp_path, rest | {"graph": graph, "agents": agents}))
    agents = {"a": {"kernel": {"probabilities": {"1": "0.5 * state('c')"}}}}
    with pytest.raises(ValueError, match="agent 'c' is not a neighbor of 'a'"):
        load(written(tmp_path, rest | {"graph": graph, "agents": agents}))


def test_one_whom_thousands_read_costs_a_row():
    """No table over those who read it is made, by the simulator or by the advice."""
    pairs = [["star", f"fan{k}"] for k in range(2000)]
    network = load_dict({"graph": {"edges": pairs, "directed": True}, "gamma": 0.5, "actions": 2} | TWO)
    assert len(network.groups) == 2
    trace = sac(network.simulator(), uniform_theta(network), kappa=0, M=2, T=5, h=1.0, t0=2.0, eta=1.0, seed=0)
    assert np.isfinite(trace.theta[0]).all()
    C = network_influence(network)
    assert C[1, 0] > 0.0
    assert C[0, 1] == 0.0
    assert advise(network, 1.0, seconds=0).n == 2001
    with pytest.raises(ValueError, match="2000 neighbors"):
        network.mdp()


def directed(edges):
    return TWO | {"graph": {"edges": edges, "directed": True}, "gamma": 0.8, "actions": 2}


def test_validate_counts_arrows_and_what_is_read():
    edges = [["ann", "bob"], ["bob", "ann"], ["cid", "bob"]]
    told = dict(line.split("  ", 1) for line in summary(load_dict(directed(edges))).splitlines())
    assert told["agents n"].split() == ["3,", "3", "arrows,", "connected"]
    assert told["reads"].strip() == "0 to 2, median 1; the largest is 'bob'"
    assert "degree" not in told
    one = summary(load_dict(directed([["ann", "bob"]])))
    assert "2, 1 arrow, connected" in one


@pytest.mark.parametrize(
    ("graph", "rest", "message"),
    [
        (
            {"graphml": "g.graphml", "directed": True},
            TWO,
            "graph.directed: unknown key beside graphml; the file says so",
        ),
        (
            {"edges": [["a", "b"]], "directed": True},
            {"model": {"name": "sis"}},
            "a named model takes an undirected graph",
        ),
        ({"family": "ring", "n": 4, "directed": True}, TWO, "directed"),
    ],
)
def test_refusals_of_files(tmp_path, graph, rest, message):
    nx.write_graphml(nx.DiGraph([("a", "b")]), tmp_path / "g.graphml")
    own = {} if "model" in rest else {"actions": 2}
    with pytest.raises(ValueError, match=message):
        load(written(tmp_path, {"graph": graph, "gamma": 0.5} | own | rest))


KERNELS = [np.full((2, 2, 2), 0.5), np.full((2, 2, 2, 2), 0.5)]


@pytest.mark.parametrize(
    ("graph", "P", "error", "message"),
    [
        (nx.path_graph(2), KERNELS, TypeError, "expected a networkx.DiGraph without parallel edges, got Graph"),
        (nx.MultiDiGraph([(0, 1)]), KERNELS, TypeError, "parallel edges, got MultiDiGraph"),
        (nx.DiGraph([(0, 1), (1, 1)]), KERNELS, ValueError, "agent 1 is joined to itself"),
        (nx.DiGraph([("a", "b")]), KERNELS, ValueError, r"nodes must be the agents 0..1"),
        (nx.DiGraph([(0, 1)]), KERNELS[:1], ValueError, "one array for each of the 2 agents"),
        (
            nx.DiGraph([(1, 0)]),
            KERNELS,
            ValueError,
            r"P\[0\] of agent 0 has shape \(2, 2, 2\), expected \(S_0, S_1, A_0, S_0\), the states of those it reads, "
            r"\[0, 1\], with S = \[2, 2\]",
        ),
        (nx.DiGraph([(0, 1)]), [np.float64(1.0), KERNELS[1]], ValueError, r"P\[0\] of agent 0 has shape \(\)"),
        (nx.DiGraph([(0, 1)]), ["x", KERNELS[1]], TypeError, r"P\[0\] of agent 0 must hold real numbers"),
    ],
)
def test_refusals_of_kernels(graph, P, error, message):
    with pytest.raises(error, match=message):
        from_directed(graph, P)


@pytest.mark.parametrize("door", [NetworkedMDP, neighborhood])
def test_a_directed_graph_itself_is_refused_with_the_reason(door):
    graph = nx.DiGraph([(1, 0)])
    model = (graph, KERNELS, [np.ones((2, 2))] * 2, 0.5, (np.ones(2) / 2,) * 2)
    reason = r"graph must be undirected, and has an edge 1 → 0: .* Lemma 4 .*from_directed\(graph, P\)"
    with pytest.raises(TypeError, match=reason):
        door(*((graph, 0, 1) if door is neighborhood else model))
    with pytest.raises(TypeError, match="graph must be undirected: "):
        neighborhood(nx.empty_graph(2, create_using=nx.DiGraph), 0, 1)


@settings(max_examples=30, deadline=None)
@given(arrows(), st.integers(0, 10**6), st.sampled_from([0.3, 0.9]))
def test_lemma_3_would_do_with_hops_against_the_arrows(found, seed, gamma):
    """D over the cell of those whom i reads within κ hops is at most r̄γ^{κ+1}/(1-γ), as `paper/errata.md` says."""
    n, pairs = found
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(pairs)
    rng = np.random.default_rng(seed)
    P = []
    for i in range(n):
        shape = (2,) * (1 + graph.in_degree(i)) + (2,)
        P.append(rng.dirichlet([0.3, 0.3], size=shape))
    graph_, kernels = from_directed(graph, P)
    base = random_mdp(graph_, seed=seed, gamma=gamma)
    mdp = NetworkedMDP(graph_, kernels, base.r, gamma, base.pi0)
    theta = gaussian_theta(mdp, rng)
    assert policies(mdp, theta)
    for i in range(n):
        Q_i = q_function(mdp, theta, i)
        for kappa in range(n):
            read = nx.single_source_shortest_path_length(graph.reverse(), i, cutoff=kappa)
            gap = oscillation(Q_i, tuple(sorted(read))).max()
            assert gap <= mdp.r_bar * gamma ** (kappa + 1) / (1 - gamma) * (1 + 1e-9) + 1e-9
