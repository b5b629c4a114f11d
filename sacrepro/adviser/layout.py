"""Where agents are drawn: the same place for the same graph, for five agents and for a hundred thousand."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.adviser.certificates import adjacency, distances
from sacrepro.model.checks import Array

#: Up to so many agents all distances on the page follow distances in the graph.
SPREAD = 150
#: Beyond, distances to so many pivots do; but graphs of fewer hops than `FLAT` from a hub are drawn as rings around it.
PIVOTS, FLAT = 30, 8
#: Ring width that agents are scattered over, in hops.
SCATTER = 0.7


def layout(graph: nx.Graph) -> Array:
    """(x, y) of each agent in the unit disk, shape (n, 2)."""
    if len(graph) <= SPREAD and len(graph) > 2 and nx.is_connected(graph):
        place = nx.kamada_kawai_layout(graph, pos=nx.circular_layout(graph))
        return np.array([place[i] for i in range(len(graph))])
    hub = min(graph, key=lambda i: (-graph.degree(i), i))
    A = adjacency(graph)
    return rings(graph) if int(distances(A, hub).max()) < FLAT else pivots(graph, hub)


def pivots(graph: nx.Graph, hub: int) -> Array:
    """Pivot multidimensional scaling (Brandes and Pich, 2006): the plane that shows distances to the pivots best."""
    A = adjacency(graph)
    chosen = [hub]
    columns: list[Array] = []
    nearest = np.full(len(graph), np.inf)
    while len(columns) < min(PIVOTS, len(graph)):
        d = distances(A, chosen[-1]).astype(float)
        d[d < 0] = d.max() + 2.0
        columns.append(d)
        nearest = np.minimum(nearest, d)
        chosen.append(int(nearest.argmax()))
    squared = np.stack(columns, axis=1) ** 2
    centred = squared - squared.mean(axis=0) - squared.mean(axis=1, keepdims=True) + squared.mean()
    _, vectors = np.linalg.eigh(centred.T @ centred)
    place = centred @ vectors[:, :-3:-1]
    place *= np.where(place[np.abs(place).argmax(axis=0), [0, 1]] > 0, 1.0, -1.0)
    return np.asarray(place / max(float(np.abs(place).max()), 1e-300))


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
    # The golden ratio scatters agents of one ring evenly, without chance.
    scatter = np.where(depth > 0, SCATTER * ((np.arange(n) * 0.6180339887498949) % 1.0 - 0.5), 0.0)
    radius = (depth + scatter) / max(int(depth.max()), 1)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
