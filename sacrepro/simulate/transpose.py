"""From one row a step to one row an agent, eight by eight bytes at a time."""

from __future__ import annotations

import numpy as np

from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled

#: Steps that are sampled before they are transposed; a multiple of 8.
BLOCK = 64

_BYTES = np.uint64(0x00FF00FF00FF00FF)
_PAIRS = np.uint64(0x0000FFFF0000FFFF)
_FOURS = np.uint64(0x00000000FFFFFFFF)
_8, _16, _32 = np.uint64(8), np.uint64(16), np.uint64(32)


@compiled
def transpose(block: Array, t0: int, z: Array) -> None:
    """z[i, t0 + k] = block[k, i] for all k < BLOCK. The number of agents is a multiple of 8, as is t0."""
    if block.itemsize == 1:
        _transpose_bytes(block.view(np.uint64), t0 // 8, z.view(np.uint64))
        return
    for low in range(0, block.shape[1], 8):
        for i in range(low, low + 8):
            for k in range(BLOCK):
                z[i, t0 + k] = block[k, i]


@compiled
def _transpose_bytes(block: Array, column: int, z: Array) -> None:
    """The same on words of 8 bytes: halves, then pairs, then bytes change places between the rows of each square."""
    for word in range(block.shape[1]):
        i = 8 * word
        for k in range(0, BLOCK, 8):
            a0, a1, a2, a3 = block[k, word], block[k + 1, word], block[k + 2, word], block[k + 3, word]
            a4, a5, a6, a7 = block[k + 4, word], block[k + 5, word], block[k + 6, word], block[k + 7, word]
            b0, b4 = (a0 & _FOURS) | (a4 << _32), (a0 >> _32) | (a4 & ~_FOURS)
            b1, b5 = (a1 & _FOURS) | (a5 << _32), (a1 >> _32) | (a5 & ~_FOURS)
            b2, b6 = (a2 & _FOURS) | (a6 << _32), (a2 >> _32) | (a6 & ~_FOURS)
            b3, b7 = (a3 & _FOURS) | (a7 << _32), (a3 >> _32) | (a7 & ~_FOURS)
            a0, a2 = (b0 & _PAIRS) | ((b2 & _PAIRS) << _16), ((b0 >> _16) & _PAIRS) | (b2 & ~_PAIRS)
            a1, a3 = (b1 & _PAIRS) | ((b3 & _PAIRS) << _16), ((b1 >> _16) & _PAIRS) | (b3 & ~_PAIRS)
            a4, a6 = (b4 & _PAIRS) | ((b6 & _PAIRS) << _16), ((b4 >> _16) & _PAIRS) | (b6 & ~_PAIRS)
            a5, a7 = (b5 & _PAIRS) | ((b7 & _PAIRS) << _16), ((b5 >> _16) & _PAIRS) | (b7 & ~_PAIRS)
            c = column + k // 8
            z[i, c], z[i + 1, c] = (a0 & _BYTES) | ((a1 & _BYTES) << _8), ((a0 >> _8) & _BYTES) | (a1 & ~_BYTES)
            z[i + 2, c], z[i + 3, c] = (a2 & _BYTES) | ((a3 & _BYTES) << _8), ((a2 >> _8) & _BYTES) | (a3 & ~_BYTES)
            z[i + 4, c], z[i + 5, c] = (a4 & _BYTES) | ((a5 & _BYTES) << _8), ((a4 >> _8) & _BYTES) | (a5 & ~_BYTES)
            z[i + 6, c], z[i + 7, c] = (a6 & _BYTES) | ((a7 & _BYTES) << _8), ((a6 >> _8) & _BYTES) | (a7 & ~_BYTES)
