"""Neighborhoods, spheres and refusals of `sacrepro.model.graph`."""

import pickle
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sacrepro import CoupledMDP, NetworkedMDP, local_decay, local_value, neighborhood
from sacrepro.instances.models import sis, social, sysadmin, thermal
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import check_graph, diameter, frozen_graph, max_neighborhood_size, outside, sphere_sizes
from sacrepro.model.mdp import CountedMDP
from strategies import graphs


def test_path_by_hand():
    graph = nx.path_graph(5)
    assert neighborhood(graph, 2, 0) == (2,)
    assert neighborhood(graph, 0, 2) == (0, 1, 2)
    assert outside(graph, 0, 2) == (3, 4)
    assert sphere_sizes(graph, 1) == (1, 2, 1, 1)
    assert diameter(graph) == 4
    assert max_neighborhood_size(graph, 1) == 3


@given(graphs(max_n=6), st.integers(0, 5), st.integers(0, 5))
def test_neighborhoods_are_symmetric_and_grow_by_neighbors(graph, i, kappa):
    i %= len(graph)
    hood = neighborhood(graph, i, kappa)
    assert hood == tuple(sorted(hood))
    assert i in hood
    assert all(i in neighborhood(graph, j, kappa) for j in hood)
    grown = set(hood).union(*(graph.neighbors(j) for j in hood))
    assert set(neighborhood(graph, i, kappa + 1)) == grown
    assert len(hood) == sum(sphere_sizes(graph, i)[: kappa + 1])
    assert set(outside(graph, i, kappa)) == set(graph) - set(hood)


@given(graphs(max_n=6))
def test_nothing_reachable_lies_beyond_the_diameter(graph):
    for i in graph:
        reachable = set(nx.node_connected_component(graph, i))
        assert set(neighborhood(graph, i, diameter(graph))) == reachable
    if diameter(graph) > 0:
        below = diameter(graph) - 1
        assert any(set(neighborhood(graph, i, below)) != nx.node_connected_component(graph, i) for i in graph)


@pytest.mark.parametrize(
    ("graph", "error", "message"),
    [
        (nx.DiGraph([(0, 1)]), TypeError, "undirected"),
        (nx.MultiGraph([(0, 1)]), TypeError, "multigraph"),
        ([(0, 1)], TypeError, "networkx.Graph"),
        (nx.Graph([(1, 2)]), ValueError, "got node 2"),
        (nx.Graph([("a", 0)]), ValueError, "got node 'a'"),
        (nx.Graph(), ValueError, "no nodes"),
    ],
)
def test_refusals(graph, error, message):
    with pytest.raises(error, match=message):
        check_graph(graph)


LOOPED = nx.path_graph(3)
LOOPED.add_edge(1, 1)
UNIFORM = tuple(np.full((2, 2), 0.5) for _ in range(3))


def of_kind(kind, graph):
    """A model of this kind on a path of three with two states and actions each, but for its graph."""
    r = [np.ones((2, 2))] * 3
    hoods = [(0, 1), (0, 1, 2), (1, 2)]
    P = {
        NetworkedMDP: [np.full((2,) * (len(hood) + 2), 0.5) for hood in hoods],
        CountedMDP: [np.full((2, len(hood), 2, 2), 0.5) for hood in hoods],
        CoupledMDP: [np.full((2,) * (2 * len(hood) + 1), 0.5) for hood in hoods],
    }[kind]
    if kind is CoupledMDP:
        r = [np.ones((2,) * (2 * len(hood))) for hood in hoods]
    return kind(graph, tuple(P), tuple(r), 0.5, tuple(np.full(2, 0.5) for _ in range(3)))


def of_protocol(graph):
    """What `local_value` needs of a model, on any graph."""
    whole = of_kind(NetworkedMDP, nx.path_graph(3))
    return SimpleNamespace(graph=graph, P=whole.P, r=whole.r, gamma=whole.gamma)


@pytest.mark.parametrize(
    "call",
    [
        check_graph,
        lambda graph: neighborhood(graph, 0, 1),
        lambda graph: outside(graph, 2, 1),
        lambda graph: max_neighborhood_size(graph, 1),
        lambda graph: of_kind(NetworkedMDP, graph),
        lambda graph: of_kind(CountedMDP, graph),
        lambda graph: of_kind(CoupledMDP, graph),
        lambda graph: local_value(of_protocol(graph), UNIFORM, 0),
        lambda graph: local_decay(of_protocol(graph), UNIFORM, 0, 1),
        lambda graph: sis(graph, gamma=0.5),
        lambda graph: sysadmin(graph, gamma=0.5),
        lambda graph: social(graph, gamma=0.5),
        lambda graph: thermal(graph, gamma=0.5),
        lambda graph: random_mdp(graph, seed=0, gamma=0.5),
    ],
)
def test_an_agent_is_its_own_neighbor_without_an_edge(call):
    call(nx.path_graph(3))
    with pytest.raises(ValueError, match=r"agent 1 is joined to itself; remove this edge: N_i holds i already"):
        call(LOOPED)


def test_a_self_loop_elsewhere_does_not_change_a_neighborhood():
    assert neighborhood(LOOPED, 0, 0) == (0,)


def test_neighborhood_refuses_unknown_agents_and_negative_kappa():
    with pytest.raises(ValueError, match="agent 3 is not in the graph"):
        neighborhood(nx.path_graph(3), 3, 1)
    with pytest.raises(ValueError, match="kappa must be at least 0, got -1"):
        neighborhood(nx.path_graph(3), 0, -1)


@pytest.mark.parametrize("i", [True, 1.0, "1", None, [1]])
def test_an_agent_is_an_integer(i):
    with pytest.raises(TypeError, match="an agent is an integer, got"):
        neighborhood(nx.path_graph(3), i, 1)


@pytest.mark.parametrize("graph", [nx.DiGraph([(0, 1)]), nx.MultiGraph([(0, 1)]), None, {0: [1]}])
def test_a_neighborhood_is_in_an_undirected_simple_graph(graph):
    with pytest.raises(TypeError, match="graph must"):
        neighborhood(graph, 0, 1)


@pytest.mark.parametrize("kappa", [0.5, True, "a", None])
def test_kappa_is_an_integer(kappa):
    with pytest.raises(TypeError, match="kappa must be an integer, got"):
        neighborhood(nx.path_graph(3), 0, kappa)


def test_a_remembered_neighborhood_is_that_of_the_graph_as_it_is():
    """Views and graphs that somebody froze change or may be refused; of a model's own graph N_i^κ is plain integers."""
    loop = nx.freeze(nx.Graph([(0, 0), (0, 1)]))
    for _ in range(2):
        with pytest.raises(ValueError, match="agent 0 is joined to itself"):
            neighborhood(loop, 0, 1)
    path = nx.path_graph(3)
    for view in (path.subgraph([0, 1, 2]), path.copy(as_view=True)):
        assert neighborhood(view, 0, 2) == (0, 1, 2)
    seen = path.subgraph([0, 1, 2])
    path.remove_edge(0, 1)
    assert neighborhood(seen, 0, 2) == (0,)
    graph, hoods = frozen_graph(nx.path_graph(4))
    assert neighborhood(graph, np.int64(1), np.int64(1)) == hoods[1]
    assert all(type(j) is int for kappa in (1, 9, 10**6) for j in neighborhood(graph, 1, kappa))
    assert neighborhood(graph, 1, 10**6) == neighborhood(graph, 1, 3) == (0, 1, 2, 3)
    again = pickle.loads(pickle.dumps(graph))
    assert neighborhood(again, 1, 1) == hoods[1]
