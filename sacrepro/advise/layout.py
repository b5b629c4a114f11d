"""Where agents are drawn: the same place for the same graph, for five agents and for a hundred thousand."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.model import Array

#: Up to so many agents distances on the page follow distances in the graph; beyond, agents lie on rings around a hub.
SPREAD = 150


def layout(graph: nx.Graph) -> Array:
    """(x, y) of each agent in the unit disk, shape (n, 2)."""
    n = len(graph)
    if n <= SPREAD and nx.is_connected(graph) and n > 2:
        place = nx.kamada_kawai_layout(graph, pos=nx.circular_layout(graph))
        return np.array([place[i] for i in range(n)])
    return rings(graph)


def rings(graph: nx.Graph) -> Array:
    """Radius: hops from the agent of largest degree of the piece; angle: a share for every leaf of a search tree."""
    n = len(graph)
    parent, depth = np.full(n, -1), np.zeros(n, dtype=int)
    order: list[int] = []
    pieces = sorted(nx.connected_components(graph), key=lambda piece: (-len(piece), min(piece)))
    roots = []
    for piece in pieces:
        root = min(piece, key=lambda i: (-graph.degree(i), i))
        roots.append(root)
        depth[root] = 1 if len(pieces) > 1 else 0
        order.append(root)
        for i, j in nx.bfs_edges(graph, root, sort_neighbors=sorted):
            parent[j], depth[j] = i, depth[i] + 1
            order.append(j)
    leaves = np.zeros(n)
    for i in reversed(order):
        leaves[i] = max(leaves[i], 1.0)
        if parent[i] >= 0:
            leaves[parent[i]] += leaves[i]
    first, taken = np.zeros(n), np.zeros(n)
    start = 0.0
    for root in roots:
        first[root] = start
        start += leaves[root]
    for i in order:
        if parent[i] >= 0:
            first[i] = first[parent[i]] + taken[parent[i]]
            taken[parent[i]] += leaves[i]
    angle = 2.0 * np.pi * (first + 0.5 * leaves) / start
    radius = depth / max(int(depth.max()), 1)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
