"""Sampling a network of the user's own without tables: one row of a kernel for each agent, whatever its degree.

The row of agent i is a linear function of the states, ``base_i + (M s)_i + a_i·stride_i``, for kernels by table and for
counts of two states; counts of more states are numbered first.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from sacrepro.adviser.labelled import Network
from sacrepro.model.checks import Array


class Sampler:
    """Next states and rewards of all agents at once; arrays have shape (n, copies).

    graph, state_sizes, action_sizes, gamma : as in the network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.graph: nx.Graph = network.graph
        self.gamma = network.gamma
        self.state_sizes: Sequence[int] = tuple(int(S) for S in network.state_sizes)
        self.action_sizes: Sequence[int] = tuple(int(A) for A in network.action_sizes)
        n, most = network.n, max(self.state_sizes)
        self.A = np.array(self.action_sizes)[:, None]
        self._base, self._stride = np.zeros((n, 1), dtype=np.int64), np.ones((n, 1), dtype=np.int64)
        self._codes: dict[int, tuple[Array, Array, int]] = {}
        blocks, rows = [], 0
        entries: list[tuple[int, int, int]] = []
        for g, kernel in enumerate(network.groups):
            members = np.flatnonzero(network.group == g)
            blocks.append(_cumulative(kernel.laws, most))
            _, S, A, K, _ = kernel.laws.shape
            self._base[members, 0] = rows + network.row[members] * S * A * K
            self._stride[members, 0] = K
            entries += [(int(i), int(i), A * K) for i in members]
            if kernel.coupled and kernel.beside <= 2:
                entries += [(int(i), j, 1) for i in members for j in self.graph[i]]
            elif kernel.coupled:
                self._codes[g] = (members, network.codes(g)[1], kernel.degree)
            rows += len(blocks[-1])
        made: dict[int, int] = {}
        for i, table in network.tables.items():
            if id(table) not in made:
                made[id(table)] = rows
                blocks.append(_cumulative(table, most))
                rows += len(blocks[-1])
            self._base[i] = made[id(table)]
            stride = table.shape[-2]
            for axis, j in reversed(list(enumerate(network.hood(i)))):
                entries.append((i, j, stride))
                stride *= table.shape[axis]
        at, of, value = np.array(entries, dtype=np.int64).reshape(-1, 3).T
        self._M = csr_array((value.astype(float), (at, of)), shape=(n, n))
        self._adjacency = csr_array(nx.to_scipy_sparse_array(self.graph, nodelist=range(n), dtype=float, format="csr"))
        self._law = np.concatenate(blocks)
        self._reward_at = np.concatenate([[0], np.cumsum([r_i.size for r_i in network.r])])[:-1, None]
        self._reward = np.concatenate([r_i.ravel() for r_i in network.r])

    def among(self, members: Array) -> Sampler:
        """The sampler of these agents alone, all others staying in state 0; T steps are right T hops inside.

        `members` are sorted; arrays then have one row for each of them.
        """
        part = copy(self)
        part.graph = self.graph.subgraph(members.tolist())
        part.A, part._base, part._stride = self.A[members], self._base[members], self._stride[members]
        part._M, part._adjacency = self._M[members][:, members], self._adjacency[members][:, members]
        part._reward_at = self._reward_at[members]
        place = {int(i): k for k, i in enumerate(members)}
        part._codes = {}
        for g, (agents, number, d) in self._codes.items():
            inside = [place[int(i)] for i in agents if int(i) in place]
            if inside:
                part._codes[g] = (np.array(inside), number, d)
        return part

    def next_states(self, s: Array, a: Array, u: Array) -> Array:
        """The states after (s, a), by inverting distribution functions at u ∈ [0, 1); all of one shape (n, copies)."""
        row = self._base + (self._M @ s).astype(np.int64) + a * self._stride
        for members, number, d in self._codes.values():
            beside = self._adjacency[members]
            code = sum(((beside @ (s == x)) * (d + 1) ** (x - 1) for x in range(1, int(s.max()) + 1)), np.zeros(1))
            row[members] += number[np.broadcast_to(code, (len(members), s.shape[1])).astype(np.int64)]
        if self._law.shape[1] == 1:
            return (u >= self._law[row, 0]).astype(np.int64)
        moved: Array = (u[..., None] >= self._law[row]).sum(axis=-1)
        return moved

    def rewards(self, s: Array, a: Array) -> Array:
        """r_i(s_i, a_i), shape (n, copies)."""
        found: Array = self._reward[self._reward_at + s * self.A + a]
        return found


def _cumulative(table: Array, most: int) -> Array:
    """Distribution functions without their last value, one row each, filled up with 1 to `most` - 1 columns."""
    law = np.cumsum(table.reshape(-1, table.shape[-1]), axis=1)[:, :-1]
    filled = np.ones((len(law), most - 1))
    filled[:, : law.shape[1]] = law
    return filled
