"""Extension `warm_start` of Algorithm 1: line 3 keeps the Q̂ that the last outer iteration left.

Q̂_i of every agent is one entry of a single hash table under the key (i, cell). Only entries that line 7 has written
are in it; all others are zero. The step sizes of line 6 start again in every inner loop.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.simulate.random_bits import mix

_G = np.uint64(0x9E3779B97F4A7C15)


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
