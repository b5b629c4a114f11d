"""Total variation between the rows of local kernels: how much one argument of P_i can move the law of s_i'.

Agents whose kernels have the same shape and the same position among their neighbors are treated as one array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from sacrepro.model import Array

#: Entries of stacked kernels that are differenced at a time.
BLOCK_ENTRIES = 1 << 21


def largest_distance(rows: Array) -> Array:
    """max over pairs x, y of TV(rows[k, x, …], rows[k, y, …]), then over everything between; shape (m,).

    rows : shape (m, values of the argument, everything else, outcomes).
    """
    largest = np.zeros(len(rows))
    for x, y in combinations(range(rows.shape[1]), 2):
        distance = 0.5 * np.abs(rows[:, x] - rows[:, y]).sum(axis=-1)
        np.maximum(largest, distance.max(axis=1), out=largest)
    return largest


def argument_influences(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> Iterator[tuple[Array, Array, Array]]:
    """(i, j, C_ij) for agents i and their neighbors j, in blocks of agents with kernels of one shape.

    P : kernels with axes (s_k for k in sorted N_i), a_i, s_i'. The argument of agent i itself is the pair (s_i, a_i).
    """
    for own, agents in _alike(P, neighbors):
        shape = P[agents[0]].shape
        states = len(shape) - 2
        for block in _blocks(agents, P[agents[0]].size):
            stacked = np.stack([P[i] for i in block])
            hoods = np.array([neighbors[i] for i in block])
            for axis in range(states):
                argument = [1 + axis, 1 + states] if axis == own else [1 + axis]
                others = [k for k in range(1, states + 2) if k not in argument]
                values = int(np.prod([stacked.shape[k] for k in argument]))
                rows = stacked.transpose(0, *argument, *others, states + 2)
                rows = rows.reshape(len(block), values, -1, shape[-1])
                yield np.array(block), hoods[:, axis], largest_distance(rows)


def count_influences(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> Iterator[tuple[Array, Array, Array]]:
    """(i, j, C_ij) for agents that see the sum k of the other neighbors' states, one block an agent.

    P : kernels with axes s_i, k, a_i, s_i'. Neighbor j moves k by at most S_j - 1, from any k. A table is read once.
    """
    known: dict[int, tuple[float, dict[int, float]]] = {}
    for i, hood in enumerate(neighbors):
        if id(P[i]) not in known:
            rows = P[i].transpose(0, 2, 1, 3)
            own = largest_distance(rows.reshape(1, -1, *rows.shape[2:]))[0]
            known[id(P[i])] = (float(own), {})
        own, by_size = known[id(P[i])]
        entries = []
        for j in hood:
            if j == i:
                entries.append(own)
                continue
            S_j = P[j].shape[0]
            if S_j not in by_size:
                by_size[S_j] = largest_move(P[i], S_j - 1)
            entries.append(by_size[S_j])
        yield np.full(len(hood), i), np.array(hood), np.array(entries)


def largest_move(P_i: Array, most: int) -> float:
    """max of TV(P_i(·|s_i, k, a_i), P_i(·|s_i, k', a_i)) over s_i, a_i and sums with |k - k'| ≤ most."""
    moves = [np.abs(P_i[:, d:] - P_i[:, :-d]).sum(axis=-1).max() for d in range(1, min(most, P_i.shape[1] - 1) + 1)]
    return 0.5 * float(max(moves, default=0.0))


def _alike(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """(own position among the neighbors, agents) for each group with equal kernel shape and own position."""
    groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for i, hood in enumerate(neighbors):
        groups.setdefault((list(hood).index(i), P[i].shape), []).append(i)
    return [(own, agents) for (own, _), agents in groups.items()]


def _blocks(agents: list[int], size: int) -> Iterator[list[int]]:
    step = max(1, BLOCK_ENTRIES // size)
    for start in range(0, len(agents), step):
        yield agents[start : start + step]
