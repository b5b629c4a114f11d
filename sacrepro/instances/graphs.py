"""Dependence graphs by name: families with parameters, and real networks that ship with networkx."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx


def path(n: int) -> nx.Graph:
    """0 - 1 - … - n-1."""
    return nx.path_graph(n)


def ring(n: int) -> nx.Graph:
    """The cycle on n ≥ 3 agents."""
    if n < 3:
        raise ValueError(f"ring: n must be at least 3, got {n}")
    return nx.cycle_graph(n)


def star(n: int) -> nx.Graph:
    """Agent 0 in the middle of n-1 leaves."""
    return nx.star_graph(n - 1)


def grid(rows: int, columns: int) -> nx.Graph:
    """The 2-D grid, agents numbered row by row."""
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns), ordering="sorted")


def random_tree(n: int, seed: int) -> nx.Graph:
    """A uniformly random labelled tree on n agents."""
    return nx.random_labeled_tree(n, seed=seed)


def krackhardt_kite() -> nx.Graph:
    """Krackhardt's kite social network, n = 10."""
    return nx.krackhardt_kite_graph()


def florentine_families() -> nx.Graph:
    """Marriages among the Florentine families, n = 15, agents in alphabetical order."""
    return nx.convert_node_labels_to_integers(nx.florentine_families_graph(), ordering="sorted")


FAMILIES: Mapping[str, Callable[..., nx.Graph]] = {
    family.__name__: family for family in (path, ring, star, grid, random_tree, krackhardt_kite, florentine_families)
}


def build_graph(spec: Mapping[str, Any]) -> nx.Graph:
    """The graph that `spec` describes: ``{"family": name, parameter: value, …}``; ValueError names what is wrong."""
    parameters = dict(spec)
    family = parameters.pop("family", None)
    if family not in FAMILIES:
        raise ValueError(f"graph: unknown family {family!r}; known are {', '.join(FAMILIES)}")
    try:
        return FAMILIES[family](**parameters)
    except TypeError as error:
        raise ValueError(f"graph: {error}") from None
