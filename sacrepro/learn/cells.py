"""The cells of Algorithm 1: one value of (s_{N_i^κ}, a_{N_i^κ}) is one entry of Q̂_i.

Small tables are indexed by the mixed-radix number of z_j = s_j·A_j + a_j over the sorted agents j of N_i^κ, the last
one fastest. Large ones, of any size, are indexed by the order of first visit: an episode visits at most T+1 cells. A
cell recurs where all z_j do, which in short episodes is one word of bits a step and agent, and their conjunction.

Line 11 sums over the cells of j that have z_i in common, for every i ∈ N_j^κ. With `warm_start`, an extension, line 3
keeps the Q̂ that the last outer iteration left: Q̂_i of every agent is then one entry of a single hash table under the
key (i, cell), and only entries that line 7 has written are in it; all others are zero. The step sizes of line 6 start
again in every inner loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.model.graph import segments
from sacrepro.model.notices import beyond_diameter, warn
from sacrepro.simulate.random_bits import mix

#: A table with more cells than this is indexed by first visit; 2^12 doubles fit the first-level caches.
DENSE = 1 << 12

#: The most steps t = 0..T of an episode whose recurrent cells are found by words of bits.
SHORT = 64

#: Codes are compressed to ids before they could reach this.
_LARGEST_CODE = 2.0**62
_G = np.uint64(0x9E3779B97F4A7C15)


class Hoods(NamedTuple):
    """N_i^κ for every agent, flat.

    start : (n+1,) where N_i^κ begins in `agent`.        agent : the sorted members, concatenated.
    pairs : (n,) S_i·A_i.                                cells : (n,) Π_{j ∈ N_i^κ} S_j·A_j, or 0 if above `DENSE`.
    """

    start: Array
    agent: Array
    pairs: Array
    cells: Array


def hoods(graph: nx.Graph, kappa: int, state_sizes: Sequence[int], action_sizes: Sequence[int]) -> Hoods:
    """N_i^κ of all agents at once, by sparse products of the adjacency matrix; warns of a κ beyond the diameter."""
    import scipy.sparse

    n = len(graph)
    rows = dict(graph.adjacency())
    beside = [rows[i] for i in range(n)]
    begin = np.cumsum([0, *map(len, beside)])
    agents = np.fromiter(chain.from_iterable(beside), dtype=np.int64, count=begin[-1])
    reach = scipy.sparse.eye_array(n, dtype=np.int8, format="csr")
    one_hop = reach + scipy.sparse.csr_array((np.ones(len(agents), dtype=np.int8), agents, begin), shape=(n, n))
    one_hop.data[:] = 1
    for diameter in range(kappa):
        wider = reach @ one_hop
        wider.data[:] = 1
        if wider.nnz == reach.nnz:
            warn(beyond_diameter(kappa, diameter))
            break
        reach = wider
    reach.sort_indices()
    start = reach.indptr.astype(np.int64)
    pairs = np.multiply(state_sizes, action_sizes, dtype=np.int64)
    bits = np.add.reduceat(np.log2(pairs[reach.indices]), start[:-1])
    # Products above 2^63 wrap around, but their logarithms show them, and only small ones are kept.
    products = np.multiply.reduceat(pairs[reach.indices], start[:-1])
    cells = np.where((bits < np.log2(DENSE) + 0.5) & (products <= DENSE), products, 0)
    return Hoods(start, reach.indices.astype(np.uint32), pairs, cells)


def copied(hoods: Hoods, copies: int) -> Hoods:
    """The neighborhoods of B = `copies` disjoint copies of the network; copy b of agent i is the agent i·B + b."""
    if copies == 1:
        return hoods
    n = len(hoods.pairs)
    start, entries = segments(hoods.start, np.repeat(np.arange(n), copies))
    own = np.repeat(np.tile(np.arange(copies), n), np.diff(start))
    agent = (hoods.agent[entries] * np.int64(copies) + own).astype(np.uint32)
    return Hoods(start, agent, np.repeat(hoods.pairs, copies), np.repeat(hoods.cells, copies))


@compiled
def dense_codes(z: Array, hoods: Hoods, begin: int, end: int, ids: Array) -> None:
    """Writes the mixed-radix number of z_j at each t over the members begin, …, end-1 of `hoods.agent`."""
    z_j = z[hoods.agent[begin]]
    for t in range(len(ids)):
        ids[t] = z_j[t]
    for e in range(begin + 1, end):
        j = hoods.agent[e]
        radix = ids.dtype.type(hoods.pairs[j])
        z_j = z[j]
        for t in range(len(ids)):
            ids[t] = ids[t] * radix + z_j[t]


@compiled
def group_end(hoods: Hoods, begin: int, end: int, most: int) -> tuple[int, int]:
    """How far a group of members from `begin` reaches with at most `most` joint pairs, and how many it has."""
    size = hoods.pairs[hoods.agent[begin]]
    e = begin + 1
    while e < end and size * hoods.pairs[hoods.agent[e]] <= most:
        size *= hoods.pairs[hoods.agent[e]]
        e += 1
    return e, size


@compiled
def compress(code: Array, slot: Array, ids: Array, first: Array) -> int:
    """Writes ids in the order of first visit, equal exactly when codes are, and the first t of each; returns how many.

    slot has a power-of-two length of at least twice the number of codes, or four times for few collisions; it holds
    id + 1, and 0 where it is free.
    """
    slot.fill(0)
    mask = np.uint64(len(slot) - 1)
    shift = np.uint64(64)
    size = mask
    while size > 0:
        size >>= np.uint64(1)
        shift -= np.uint64(1)
    count = np.uint32(0)
    for t in range(len(code)):
        c = code[t]
        at = (c * _G) >> shift
        known = np.uint32(slot[at])
        while known > 0 and code[first[known - np.uint32(1)]] != c:
            at = (at + np.uint64(1)) & mask
            known = np.uint32(slot[at])
        if known == 0:
            first[count] = t
            count += np.uint32(1)
            slot[at] = slot.dtype.type(count)
            known = count
        ids[t] = known - np.uint32(1)
    return int(count)


@compiled
def id_of(c: np.uint64, code: Array, slot: Array, first: Array) -> int:
    """The id that `compress` gave the code c, or -1 if it is not among them."""
    mask = np.uint64(len(slot) - 1)
    shift = np.uint64(64)
    size = mask
    while size > 0:
        size >>= np.uint64(1)
        shift -= np.uint64(1)
    at = (c * _G) >> shift
    while slot[at] > 0:
        if code[first[slot[at] - np.uint32(1)]] == c:
            return int(slot[at]) - 1
        at = (at + np.uint64(1)) & mask
    return -1


@compiled
def visited_ids(z: Array, hoods: Hoods, i: int, part: Array, code: Array, slot: Array, ids: Array, first: Array) -> int:
    """Writes agent i's cells as ids in the order of first visit; returns how many there are. Exact for any κ.

    Members are taken in groups whose joint pairs fit 16 bits; part is scratch for one group's codes.
    """
    begin, end = hoods.start[i], hoods.start[i + 1]
    size = 1.0
    code.fill(0)
    while begin < end:
        stop, pairs = group_end(hoods, begin, end, 1 << 16)
        dense_codes(z, hoods, begin, stop, part)
        if size * float(pairs) > _LARGEST_CODE:
            size = float(compress(code, slot, ids, first))
            for t in range(len(code)):
                code[t] = np.uint64(ids[t])
        radix = np.uint64(pairs)
        for t in range(len(code)):
            code[t] = code[t] * radix + np.uint64(part[t])
        size *= float(pairs)
        begin = stop
    return compress(code, slot, ids, first)


@compiled
def recurrences(z: Array, hoods: Hoods, same: Array) -> None:
    """Writes same[j, t], whose bit u < t tells whether z_j(u) = z_j(t); at most `SHORT` steps."""
    agents, steps = same.shape
    if agents == 0:
        return
    seen = np.zeros(hoods.pairs.max(), np.uint64)
    for j in range(agents):
        z_j = z[j]
        for t in range(steps):
            same[j, t] = seen[z_j[t]]
            seen[z_j[t]] |= np.uint64(1) << np.uint64(t)
        for t in range(steps):
            seen[z_j[t]] = 0


@compiled
def short_ids(same: Array, hoods: Hoods, i: int, bits: Array, ids: Array, first: Array) -> int:
    """As `visited_ids`, from `recurrences`; bits is scratch for one word a step."""
    begin, end = hoods.start[i], hoods.start[i + 1]
    j = hoods.agent[begin]
    for t in range(len(bits)):
        bits[t] = same[j, t]
    for e in range(begin + 1, end):
        j = hoods.agent[e]
        for t in range(len(bits)):
            bits[t] &= same[j, t]
    count = 0
    for t in range(len(bits)):
        if bits[t] == 0:
            first[count] = t
            ids[t] = count
            count += 1
        else:
            u = 0
            while not (bits[t] >> np.uint64(u)) & np.uint64(1):
                u += 1
            ids[t] = ids[u]
    return count


class Carried(NamedTuple):
    """An open-addressing table of a power-of-two length, at most half full.

    agent : i + 1, or 0 where the slot is free.     cell : the cell's mixed-radix number, below 2^63.
    value : Q̂_i(cell).                              taken : (1,) how many slots are taken.
    """

    agent: Array
    cell: Array
    value: Array
    taken: Array


def carried(entries: int) -> Carried:
    """An empty table with room for `entries`."""
    size = 1 << (2 * entries + 1).bit_length()
    return Carried(np.zeros(size, np.uint32), np.zeros(size, np.uint64), np.zeros(size), np.zeros(1, np.int64))


def with_room(table: Carried, entries: int) -> Carried:
    """The table itself if it has room for so many entries more, or a larger one with the same entries."""
    needed = int(table.taken[0]) + entries
    if 2 * needed <= len(table.agent):
        return table
    larger = carried(2 * needed)
    _move(table, larger)
    return larger


@compiled
def slot_of(table: Carried, i: int, cell: np.uint64) -> np.uint64:
    """Where the entry (i, cell) is, or the free slot where it belongs."""
    agent, cells = table.agent, table.cell
    mask = np.uint64(len(agent) - 1)
    mark = np.uint32(i + 1)
    at = mix(cell + np.uint64(mark) * _G) & mask
    while agent[at] != 0 and (agent[at] != mark or cells[at] != cell):
        at = (at + np.uint64(1)) & mask
    return at


@compiled
def carry(table: Carried, i: int, cell: np.uint64, value: float) -> None:
    """Q̂_i(cell) = value from now on."""
    at = slot_of(table, i, cell)
    table.taken[0] += int(table.agent[at] == 0)
    table.agent[at] = np.uint32(i + 1)
    table.cell[at] = cell
    table.value[at] = value


@compiled
def _move(table: Carried, larger: Carried) -> None:
    for k in range(len(table.agent)):
        if table.agent[k] != 0:
            carry(larger, int(table.agent[k]) - 1, table.cell[k], table.value[k])


#: Joint pairs of a group of members, a table that stays in the first-level cache beside the trajectory.
GROUP = 1 << 10

#: Entries of such a table that cost as much as one step of one member without it.
SPARSE = 4


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
        if e == end - 1:  # row is 1
            for k in range(pairs):
                G[start + k] += F[k]
            break
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

    Members are taken in groups of at most `GROUP` joint pairs, whose dense table costs one addition a cell; in episodes
    that are much shorter than that table each member costs one.
    """
    begin, end = hoods.start[j], hoods.start[j + 1]
    visited, cells = cells, 0
    for c in range(visited):
        if F[c] != 0.0:
            F[cells], first[cells] = F[c], first[c]
            cells += 1
    if cells == 0:
        return
    while begin < end:
        stop, pairs = group_end(hoods, begin, end, GROUP)
        if stop == begin + 1 and cells < pairs <= SPARSE * len(part):  # the dense table's sums, of its few entries
            start, z_i = pair[hoods.agent[begin]], z[hoods.agent[begin]]
            for c in range(cells):
                table[z_i[first[c]]] = 0.0
            for c in range(cells):
                table[z_i[first[c]]] += F[c]
            for c in range(cells):
                G[start + z_i[first[c]]] += table[z_i[first[c]]]
                table[z_i[first[c]]] = 0.0
            begin = stop
            continue
        if SPARSE * len(part) * (stop - begin) < pairs:
            for e in range(begin, stop):
                i = hoods.agent[e]
                start, z_i = pair[i], z[i]
                for c in range(cells):
                    G[start + z_i[first[c]]] += F[c]
            begin = stop
            continue
        dense_codes(z, hoods, begin, stop, part)
        for c in range(pairs):
            table[c] = 0.0
        for c in range(cells):
            table[part[first[c]]] += F[c]
        dense_marginals(table, pairs, pair, hoods, begin, stop, G)
        begin = stop
