"""How far Q_i can move over a cell, read off a partial contraction of V_i; the bound of the search in `branch`.

Between two points of a cell the kernels of its agents differ only where a neighbor lies outside: at the rim. Changing
one factor after the other, Q_i moves by at most

    Σ_{j at the rim} TV_j · osc_j(table)  +  osc_outside(table),

TV_j the largest total variation between the kernels of j over the states around the cell, osc_j the largest oscillation
along the axis of j with everything else fixed, osc_outside that over all axes outside the cell.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.decay.sweep import SweepPlan
from sacrepro.exact.rounding import gamma_k
from sacrepro.model.checks import Array
from sacrepro.model.compiled import njit

#: Rows of a kernel that share more than all but this much of their mass are left as they are by `minorized`.
LEAST_DIFFERENCE = 2.0**-10


class Kernels(NamedTuple):
    """What both searches read of the plan: sizes of states and actions by position, and the kernels of the turns.

    turned : position and S_j of each turn. The rest is as in `SweepPlan`.
    """

    sizes: Array
    actions: Array
    turned: Array
    entries: Array
    at: Array
    places: Array
    strides: Array
    places_at: Array


class Rim(NamedTuple):
    """The agents of the cell with neighbors outside.

    turn : index into the plan's turns. size : length of their axis. nearer : (decisions, rim) entries inside of it.
    most : the largest TV_j. variation : TV_j for given states, laid out like the plan's kernels.
    """

    turn: Array
    size: Array
    nearer: Array
    most: Array
    variation: Array


def rim_of(plan: SweepPlan, cell: int, inner: int, turns_of_tree: Array) -> Rim:
    """The rim of a cell: its agents but for the first `inner` turns. turns_of_tree : turn of each decision, or -1."""
    turns = [k for k in range(inner, len(plan.agents)) if plan.position[k] < cell]
    length = {int(p): int(S) for p, S in zip(plan.position, plan.turned[:, 0], strict=True)}
    variation = np.zeros(len(plan.kernels))
    for k in turns:
        places = plan.places[plan.places_at[k] : plan.places_at[k + 1]]
        # The places were listed from the last axis of the kernel to the first.
        states = [int(plan.sizes[p]) for p in reversed(places)]
        part = slice(plan.kernel_at[k], plan.kernel_at[k + 1])
        kernel = plan.kernels[part].reshape(*states, int(plan.turned[k, 1]), int(plan.turned[k, 0]))
        outside = tuple(a for a, p in enumerate(reversed(places)) if p >= cell)
        # Half the sum of the ranges over s' is at least the total variation between any two, and equal for two states.
        moved = 0.5 * np.ptp(kernel, axis=outside, keepdims=True).sum(axis=-1, keepdims=True)
        moved = np.minimum(moved.max(axis=-2, keepdims=True) * (1 + 1e-12), 1.0)
        variation[part] = np.broadcast_to(moved, kernel.shape).ravel()
    nearer = np.ones((len(turns_of_tree), len(turns)), dtype=np.int64)
    summed: set[int] = set()
    for d, turn in enumerate(turns_of_tree):
        if turn >= 0:
            summed.add(int(plan.position[turn]))
        for r, k in enumerate(turns):
            nearer[d, r] = math.prod(S for p, S in length.items() if p > plan.position[k] and p not in summed)
    most = [float(variation[plan.kernel_at[k] : plan.kernel_at[k + 1]].max()) for k in turns]
    size = [length[int(plan.position[k])] for k in turns]
    return Rim(np.array(turns, dtype=np.int64), np.array(size, dtype=np.int64), nearer, np.array(most), variation)


def minorized(plan: SweepPlan, table: Array) -> tuple[SweepPlan, Array, float]:
    """The sums Σ_{s'} Π_j P_j V_i by a table of smaller range, and what rounding may move their differences by.

    table : V_i, the axis of each position in its place. With m the least probability of each s'_j over all rows of P_j,
    a row is m + (1-|m|) w for a law w; so w may stand for P_j where m·V_i + (1-|m|) V_i along the axis of j stands for
    V_i. What every row does alike is thus done once, before the search, and no bound allows for it any more. Axes
    whose rows hardly differ stay as they are.
    """
    kernels, largest, roundings, missed = plan.kernels.copy(), float(np.abs(table).max()), 0, 0.0
    for k, position in enumerate(plan.position):
        part = slice(plan.kernel_at[k], plan.kernel_at[k + 1])
        rows = plan.kernels[part].reshape(-1, int(plan.turned[k, 0]))
        least = rows.min(axis=0)
        rest = 1.0 - float(least.sum())
        if rest < LEAST_DIFFERENCE or not least.any():
            continue
        # What a row misses of 1 would come out of the division 1/rest times as large.
        w = rows - least
        kernels[part] = (w / w.sum(axis=1, keepdims=True)).ravel()
        missed += float(np.abs(rows.sum(axis=1) - 1.0).max())
        table = rest * table + np.expand_dims(np.tensordot(table, least, (position, 0)), position)
        roundings += 3 * len(least) + 6
    return plan._replace(kernels=kernels), table, 2.0 * (gamma_k(roundings) + missed) * largest


@njit(fastmath={"nnan", "nsz"})
def _outside_oscillation(x: Any, inside: int) -> float:
    """The largest oscillation of x(inside, outside) over the outside."""
    most, outside = 0.0, len(x) // inside
    for u in range(inside):
        low, high = np.inf, -np.inf
        for y in x[u * outside : (u + 1) * outside]:
            low = y if y < low else low
            high = y if y > high else high
        most = max(most, high - low)
    return most


@njit(fastmath={"nnan", "nsz"})
def _axis_oscillation(x: Any, S: int, nearer: int, low: Any, high: Any) -> float:
    """The largest oscillation of x(farther, S, nearer) over the axis of length S; low and high are scratch."""
    most = 0.0
    for f in range(len(x) // (S * nearer)):
        y = x[f * S * nearer :]
        for u in range(nearer):
            low[u] = high[u] = y[u]
        for s in range(1, S):
            y = x[(f * S + s) * nearer :]
            for u in range(nearer):
                low[u] = y[u] if y[u] < low[u] else low[u]
                high[u] = y[u] if y[u] > high[u] else high[u]
        for u in range(nearer):
            most = max(most, high[u] - low[u])
    return most


@njit()
def row_of(k: int, kernels: Any, s: Any) -> int:
    """Where the kernel of turn k stands for the states s and its first action."""
    at = kernels.at[k]
    for place in range(kernels.places_at[k], kernels.places_at[k + 1]):
        at += kernels.strides[place] * s[kernels.places[place]]
    return at


@njit()
def most_movement(
    x: Any, d: int, tree: Any, rim: Any, known: bool, kernels: Any, s: Any, low: Any, high: Any, most: float
) -> float:
    """What Q_i can move by over a cell below the table x of decision d; `known`: all states of the cell are.

    Where that is at least `most`, which bounds it already, the sum stops there.
    """
    total = _outside_oscillation(x, tree.inside[d])
    for r in range(len(rim.turn)):
        if total >= most:
            break
        weight = rim.variation[row_of(rim.turn[r], kernels, s)] if known else rim.most[r]
        if weight > 0.0:
            total += weight * _axis_oscillation(x, rim.size[r], rim.nearer[d, r], low, high)
    return min(total, most)
