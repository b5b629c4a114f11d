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
