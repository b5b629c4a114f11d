"""Dependence graphs by name: families with parameters, and real networks that ship with networkx."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

from sacrepro.instances.parameters import at_least, fitting
from sacrepro.model.notices import rounded


def path(n: int) -> nx.Graph:
    """0 - 1 - … - n-1."""
    at_least(1, "path", n=n)
    return nx.path_graph(n)


def ring(n: int) -> nx.Graph:
    """The cycle on n ≥ 3 agents."""
    at_least(3, "ring", n=n)
    return nx.cycle_graph(n)


def star(n: int) -> nx.Graph:
    """Agent 0 in the middle of n-1 leaves."""
    at_least(1, "star", n=n)
    return nx.star_graph(n - 1)


def complete(n: int) -> nx.Graph:
    """Every agent a neighbor of every other: nothing is local."""
    at_least(1, "complete", n=n)
    return nx.complete_graph(n)


def grid(rows: int, columns: int) -> nx.Graph:
    """The 2-D grid, agents numbered row by row."""
    at_least(1, "grid", rows=rows, columns=columns)
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns), ordering="sorted")


def random_tree(n: int, seed: int) -> nx.Graph:
    """A uniformly random labelled tree on n agents."""
    at_least(1, "random_tree", n=n)
    at_least(0, "random_tree", seed=seed)
    return nx.random_labeled_tree(n, seed=seed)


def krackhardt_kite() -> nx.Graph:
    """Krackhardt's kite social network, n = 10."""
    return nx.krackhardt_kite_graph()


def florentine_families() -> nx.Graph:
    """Marriages among the Florentine families, n = 15, agents in alphabetical order."""
    return nx.convert_node_labels_to_integers(nx.florentine_families_graph(), ordering="sorted")


def karate_club() -> nx.Graph:
    """Friendships in Zachary's karate club, n = 34, degrees up to 17."""
    return _agents(nx.karate_club_graph())


def les_miserables() -> nx.Graph:
    """Characters of Les Misérables who meet in a chapter (Knuth), n = 77 in alphabetical order, degrees up to 36."""
    return _agents(nx.les_miserables_graph())


def davis_women() -> nx.Graph:
    """Davis' Southern women and the events they attended, n = 32 in alphabetical order, degrees up to 14.

    Women and events are both agents: the two-mode graph as it was recorded, whose projection on the 18 women is almost
    complete and would leave nothing outside N_i^1.
    """
    return _agents(nx.davis_southern_women_graph())


def internet(n: int, seed: int) -> nx.Graph:
    """A random graph like that of the internet's autonomous systems (Elmokashfi et al., 2008), with a few huge hubs."""
    at_least(1, "internet", n=n)
    at_least(0, "internet", seed=seed)
    return _agents(nx.random_internet_as_graph(n, seed=seed))


def _agents(graph: nx.Graph) -> nx.Graph:
    """The bare graph on 0..n-1, nodes in sorted order, without weights and attributes."""
    bare = nx.Graph()
    bare.add_nodes_from(sorted(graph))
    bare.add_edges_from(graph.edges)
    return nx.convert_node_labels_to_integers(bare, ordering="sorted")


#: Agents, and edges, of a family that are built.
MOST_AGENTS, MOST_EDGES = 10_000_000, 10_000_000

FAMILIES: Mapping[str, Callable[..., nx.Graph]] = {
    family.__name__: family
    for family in (
        path, ring, star, complete, grid, random_tree, krackhardt_kite, florentine_families, karate_club,
        les_miserables, davis_women, internet,
    )
}  # fmt: skip


def family(spec: Mapping[str, Any]) -> tuple[Callable[..., nx.Graph], dict[str, Any]]:
    """The family that `spec` names, and its parameters; ValueError names the one that is not right."""
    if not isinstance(spec, Mapping):
        raise ValueError(f"graph: expected a mapping such as {{'family': 'ring', 'n': 6}}, got {spec!r}")
    parameters = dict(spec)
    name = parameters.pop("family", None)
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"graph: unknown family {name!r}; known are {', '.join(FAMILIES)}")
    fitting(name, FAMILIES[name], parameters)
    return FAMILIES[name], parameters


def build_graph(spec: Mapping[str, Any]) -> nx.Graph:
    """The graph that `spec` describes: ``{"family": name, parameter: value, …}``; ValueError names what is wrong.

    Agents and edges are counted before they are built.
    """
    build, parameters = family(spec)
    n = math.prod(value for key, value in parameters.items() if key != "seed" and value > 1)
    # No other family has a degree that grows with n; random_internet_as_graph joins a newcomer to a few.
    edges = math.comb(n, 2) if build is complete else n
    for count, what, most in ((n, "agents", MOST_AGENTS), (edges, "edges", MOST_EDGES)):
        if count > most:
            raise ValueError(
                f"graph: {build.__name__}: these parameters ask for {rounded(count)} {what}; at most {most:,} are built"
            )
    return build(**parameters)
