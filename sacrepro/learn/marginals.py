"""Algorithm 1, line 11: Σ_{cells of j with z_i = z} F_j(cell), added to G[i, z] for every i ∈ N_j^κ."""

from __future__ import annotations

import numpy as np

from sacrepro.learn.cells import Hoods, dense_codes, group_end
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled

#: Joint pairs of a group of members, a table that stays in the first-level cache beside the trajectory.
GROUP = 1 << 10


@compiled
def dense_marginals(F: Array, cells: int, pair: Array, hoods: Hoods, begin: int, end: int, G: Array) -> None:
    """From a table over all cells of the members begin, …, end-1, which is overwritten.

    In turn: the first member's marginal, then the sum over that member.
    """
    rest = cells
    for e in range(begin, end):
        i = hoods.agent[e]
        pairs = np.uint64(hoods.pairs[i])
        rest = rest // hoods.pairs[i]
        row = np.uint64(rest)
        start = np.uint64(pair[i])
        whole = row & ~np.uint64(7)
        for k in range(pairs):
            base = k * row
            f0 = f1 = f2 = f3 = f4 = f5 = f6 = f7 = 0.0
            for c in range(base, base + whole, np.uint64(8)):
                f0 += F[c]
                f1 += F[c + np.uint64(1)]
                f2 += F[c + np.uint64(2)]
                f3 += F[c + np.uint64(3)]
                f4 += F[c + np.uint64(4)]
                f5 += F[c + np.uint64(5)]
                f6 += F[c + np.uint64(6)]
                f7 += F[c + np.uint64(7)]
            for c in range(base + whole, base + row):
                f0 += F[c]
            G[start + k] += ((f0 + f1) + (f2 + f3)) + ((f4 + f5) + (f6 + f7))
        for k in range(np.uint64(1), pairs):
            base = k * row
            for c in range(row):
                F[c] += F[base + c]


@compiled
def visited_marginals(
    F: Array,
    cells: int,
    first: Array,
    z: Array,
    pair: Array,
    hoods: Hoods,
    j: int,
    part: Array,
    table: Array,
    G: Array,
) -> None:
    """From the visited cells, in the order of first visit; z_i of a cell is read where it was first visited.

    Members are taken in groups of at most `GROUP` joint pairs, whose dense table costs one addition a cell.
    """
    begin, end = hoods.start[j], hoods.start[j + 1]
    while begin < end:
        stop, pairs = group_end(hoods, begin, end, GROUP)
        dense_codes(z, hoods, begin, stop, part)
        for c in range(pairs):
            table[c] = 0.0
        for c in range(cells):
            table[part[first[c]]] += F[c]
        dense_marginals(table, pairs, pair, hoods, begin, stop, G)
        begin = stop
