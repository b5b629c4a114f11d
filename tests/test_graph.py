"""Neighborhoods, spheres and refusals of `sacrepro.graph`."""

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sacrepro import neighborhood
from sacrepro.graph import check_graph, diameter, max_neighborhood_size, outside, sphere_sizes
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
