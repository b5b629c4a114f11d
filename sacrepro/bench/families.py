"""The seeded instances that every method of a benchmark solves."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model import NetworkedMDP

#: Numbers of agents tried in each family, in increasing order.
SIZES = {
    "path": (4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24),
    "ring": (4, 6, 8, 10, 12, 14, 16, 18, 20),
    "grid_2": (4, 6, 8, 10, 12, 14, 16, 18, 20),
    "grid_3": (6, 9, 12, 15, 18),
    "star": (4, 6, 8, 10, 12, 14, 16),
    "regular_3": (4, 6, 8, 10, 12, 14, 16, 18),
}


def refuse_unknown(what: str, asked: Iterable[str], known: Iterable[str]) -> None:
    """ValueError for the first of `asked` that is not known, before anything is measured."""
    for name in asked:
        if name not in tuple(known):
            raise ValueError(f"unknown {what} {name!r}; known are {', '.join(known)}")


def benchmark_graph(family: str, n: int) -> nx.Graph:
    """A path, ring, 2×k or 3×k grid, star, or seeded random 3-regular graph on n agents."""
    refuse_unknown("family", [family], SIZES)
    if family == "path":
        return nx.path_graph(n)
    if family == "ring":
        return nx.cycle_graph(n)
    if family in ("grid_2", "grid_3"):
        rows = int(family[-1])
        return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, n // rows), ordering="sorted")
    if family == "star":
        return nx.star_graph(n - 1)
    return nx.convert_node_labels_to_integers(nx.random_regular_graph(3, n, seed=n), ordering="sorted")


def benchmark_mdp(family: str, n: int, gamma: float) -> NetworkedMDP:
    """Binary states and actions, every kernel row uniform on the simplex, seed n."""
    return random_mdp(benchmark_graph(family, n), seed=n, gamma=gamma)
