"""Who is joined to whom, as arrays: of a million agents no other graph is made until somebody asks for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import chain

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sacrepro.model.checks import Array


class Links:
    """Who is joined to whom: edges, (m, 2), in the order of a file; where they are directed, either way or both."""

    def __init__(self, n: int, edges: Array) -> None:
        self.n, self.edges = n, edges

    @cached_property
    def graph(self) -> nx.Graph:
        """On 0, …, n-1."""
        graph = nx.empty_graph(self.n)
        graph.add_edges_from(self.edges.tolist())
        return graph

    @cached_property
    def adjacency(self) -> csr_array:
        """(n, n), 1 where two agents are joined; in each row neighbors in order."""
        ends = np.concatenate([self.edges.T, self.edges.T[::-1]], axis=1)
        found = csr_array((np.ones(ends.shape[1]), tuple(ends)), shape=(self.n, self.n))
        found.data[:] = 1.0
        found.sort_indices()
        return found


def links_of(graph: nx.Graph) -> Links:
    """`Links` of a graph on 0, …, n-1."""
    links = Links(len(graph), np.array(graph.edges, dtype=np.int64).reshape(-1, 2))
    links.__dict__["graph"] = graph
    return links


def adjacency(graph: nx.Graph) -> csr_array:
    """The adjacency matrix of ones, agents in order; in each row neighbors in order."""
    return links_of(graph).adjacency


def reading(links: Links, reads: Sequence[Sequence[int]] | None) -> csr_array:
    """`Network.reading`: the adjacency matrix, or in a directed network 1 in row i at each of `reads[i]`."""
    if reads is None:
        return links.adjacency
    begins = np.cumsum([0, *map(len, reads)], dtype=np.int32)
    places = np.fromiter(chain.from_iterable(reads), dtype=np.int32, count=int(begins[-1]))
    return csr_array((np.ones(len(places)), places, begins), shape=(links.n, links.n))


def row_of(A: csr_array, i: int) -> list[int]:
    """The columns of row i."""
    columns: list[int] = A.indices[A.indptr[i] : A.indptr[i + 1]].tolist()
    return columns


def pieces(A: csr_array) -> list[Array]:
    """The connected components of an adjacency matrix, as `Network.pieces`."""
    count, label = connected_components(A)
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count)))


def hops(A: csr_array, i: int, most: float = math.inf) -> dict[int, int]:
    """d(i, j) of every agent within so many hops, nearest first: for few of them."""
    found, nearest = {i: 0}, [i]
    while nearest and found[nearest[0]] < most:
        d = found[nearest[0]] + 1
        nearest = [j for j in dict.fromkeys(k for near in nearest for k in row_of(A, near)) if j not in found]
        found |= dict.fromkeys(nearest, d)
    return found
