"""Kernels that see the neighbors only through how many of them are in each state.

Such a kernel has one row for each composition (k_0, k_1, …), Σ k_x = degree, in place of one for each joint state of
the neighbors: with two states a hub of degree d needs d + 1 rows, not 2^d.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array

#: Numbers of compositions that are kept to look counts up.
MOST_CODES = 1 << 24


class CountKernel(NamedTuple):
    """The kernels of agents with one rule, degree and state lists, one row for each set of attributes.

    table : (rows, S_i, A_i, K, S_i), next state last; K = 1 if the neighbors do not matter.
    degree, S : number of neighbors, and of states that each neighbor has.
    """

    table: Array
    degree: int
    S: int

    @property
    def coupled(self) -> bool:
        """Whether the neighbors matter."""
        return bool(self.table.shape[3] > 1)


def composition_count(degree: int, S: int) -> int:
    """How many ways there are to put `degree` neighbors into S states."""
    return math.comb(degree + S - 1, S - 1)


def compositions(degree: int, S: int) -> Array:
    """(k_0, …, k_{S-1}) with sum `degree`, in lexicographic order of (k_{S-1}, …, k_1); shape (K, S)."""
    if S == 1:
        return np.array([[degree]])
    if S == 2:
        k = np.arange(degree + 1)
        return np.stack([degree - k, k], axis=1)
    bars = np.array(list(combinations(range(degree + S - 1), S - 1)))
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), degree + S - 1)], axis=1)
    rows = np.diff(edges, axis=1) - 1
    return rows[np.lexsort(rows[:, 1:].T)]


def rank(counts: Array, degree: int) -> Array:
    """The row of `compositions` that holds each composition; counts of shape (…, S), result of shape (…)."""
    S = counts.shape[-1]
    if S <= 2:
        return counts[..., -1] if S == 2 else np.zeros(counts.shape[:-1], dtype=np.int64)
    weights = np.concatenate([[0], (degree + 1) ** np.arange(S - 1, dtype=object)]).astype(np.int64)
    return np.searchsorted(compositions(degree, S) @ weights, counts @ weights)


def ranks_fit(degree: int, S: int) -> bool:
    """Whether `rank` can number the compositions in 63 bits."""
    return (degree + 1) ** max(S - 1, 1) < 1 << 62


def codes(degree: int, S: int) -> tuple[Array, Array]:
    """(weight, number): the composition of neighbors in states s_j is row number[Σ_j weight[s_j]].

    Shapes (S,) and ((degree+1)^{S-1},). Raises ValueError where these are more than `MOST_CODES`.
    """
    if (degree + 1) ** (S - 1) > MOST_CODES:
        raise ValueError(f"{degree} neighbors of {S} states have more than {MOST_CODES} codes")
    weight = np.concatenate([[0], (degree + 1) ** np.arange(S - 1)])
    number = np.zeros((degree + 1) ** (S - 1), dtype=np.int64)
    rows = compositions(degree, S)
    number[rows @ weight] = np.arange(len(rows))
    return weight, number


def tabulated(kernel: CountKernel, row: int, own: int) -> Array:
    """P_i of one agent, axes (s_j for j in sorted N_i), a_i, s_i'; `own` is its place among them."""
    d, S = kernel.degree, kernel.S
    table = kernel.table[row]
    if kernel.coupled:
        states = np.indices((S,) * d).reshape(d, -1)
        counts = np.stack([(states == x).sum(axis=0) for x in range(S)], axis=-1)
        table = table[:, :, rank(counts, d)]
    shape = (*table.shape[:2], *((S,) * d if kernel.coupled else (1,) * d), table.shape[-1])
    others = range(2, 2 + d)
    order = (*others[:own], 0, *others[own:], 1, 2 + d)
    P_i = table.reshape(shape).transpose(order)
    full = (*(S,) * own, table.shape[0], *(S,) * (d - own), *table.shape[1:2], table.shape[-1])
    return np.ascontiguousarray(np.broadcast_to(P_i, full))
