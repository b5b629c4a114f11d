"""D_i(κ) for one κ by branch and bound, for networks whose table Q_i cannot be visited entry by entry.

A partial contraction Σ_{s'_C} Π_{j∈C} P_j V_i is a table over the s' that remain, and every further contraction takes
averages of it. What all rows of a kernel have in common is done to V_i first (`movement.minorized`). The outer search
runs over the cells, largest bound first, and drops what cannot beat the best cell found; `movement` bounds what Q_i can
move by over any cell below a table. Inside a cell two searches over the outside find the largest and the least entry
of Q_i; there the range of a table bounds all descendants.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.decay.movement import Kernels, minorized, most_movement, rim_of, row_of
from sacrepro.exact.decay.sweep import SweepPlan
from sacrepro.exact.rounding import row_sum_range
from sacrepro.model.checks import Array
from sacrepro.model.compiled import njit


class _Room(NamedTuple):
    """Where a search keeps the children of its decisions: their tables, ranges, and the order to visit them in."""

    store: Array
    store_at: Array
    lows: Array
    highs: Array
    orders: Array


class _Tree(NamedTuple):
    """The decisions of the search: at each level, states to assign and possibly an axis to turn and sum out.

    first, last : positions whose states are assigned. turn : index into the plan's turns, or -1.
    farther, nearer : entries around the axis that goes. width : entries of the table after the decision.
    inside : entries of its axes inside the cell, which are the slowest.
    """

    first: Array
    last: Array
    turn: Array
    farther: Array
    nearer: Array
    width: Array
    inside: Array


def branch_oscillation(plan: SweepPlan, table: Array, kappa: int, slack: float, work: int) -> tuple[float, float]:
    """(lower, upper) for the largest oscillation of Σ_{s'} Π_j P_j V_i over the cells of N_i^κ; D_i(κ) is γ times it.

    table : as from `sweep_table`. The interval is at most `slack` wide, and rounding, unless `work` table entries were
    touched first.
    """
    cell = plan.prefix[kappa]
    # The axes of the cell become the slowest, so that every loop runs along the outside.
    lengths = plan.turned[np.argsort(plan.position), 0]
    plan, by_position, rounding = minorized(plan, table.reshape(lengths[::-1]).transpose())
    table = by_position.ravel()
    inner = int((plan.level < cell).sum())
    outer = _tree(plan, cell, 0, inner, 0, cell, len(table))
    below = _tree(plan, cell, inner, len(plan.agents), cell, len(plan.agents), int(outer.width[-1]))
    turned = np.stack([plan.position, plan.turned[:, 0]], axis=1)
    kernels = Kernels(
        plan.sizes, plan.actions, turned, plan.kernels, plan.kernel_at, plan.places, plan.strides, plan.places_at
    )
    best, bound = _cells(table, kernels, outer, below, rim_of(plan, cell, inner, outer.turn), cell, slack, work)
    # Every bound takes contractions for averages, as `minorized` does; both are off by what the weights miss of 1.
    low, high = row_sum_range([plan.kernels[first:last].reshape(-1, S) for first, last, S in _rows(plan)])
    missing = max(high - 1.0, 1.0 - low) * float(np.abs(table).max())
    return float(best) - rounding - 2.0 * missing, float(bound) + rounding + 6.0 * missing


def _rows(plan: SweepPlan) -> list[tuple[int, int, int]]:
    """(first, last, S_j): where the kernel of each turn stands among the plan's kernels."""
    ends = plan.kernel_at.tolist()
    return list(zip(ends[:-1], ends[1:], plan.turned[:, 0].tolist(), strict=True))


def _tree(plan: SweepPlan, cell: int, start: int, stop: int, assigned: int, end: int, width: int) -> _Tree:
    """Decisions that perform the turns start..stop-1 and assign the states from `assigned` to `end`."""
    rows = []
    length = {int(p): int(S) for p, S in zip(plan.position, plan.turned[:, 0], strict=True)}
    summed = set(plan.position[:start].tolist())

    def inside() -> int:
        return math.prod(length[p] for p in length if p < cell and p not in summed)

    for k in range(start, stop):
        needed = max(assigned, int(plan.level[k]) + 1)
        # A long run of states is assigned one by one; only the last few branch together with the turn.
        while needed - assigned > 2:
            rows.append((assigned, assigned + 1, -1, 1, 1, width, inside()))
            assigned += 1
        position = int(plan.position[k])
        farther = math.prod(length[p] for p in length if p < position and p not in summed)
        width //= length[position]
        summed.add(position)
        rows.append((assigned, needed, k, farther, width // farther, width, inside()))
        assigned = needed
    if assigned < end:  # one state at most: for κ ≥ 1 each of a cell is seen by somebody whose turn has come
        rows.append((assigned, end, -1, 1, 1, width, inside()))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return _Tree(*(np.ascontiguousarray(column) for column in columns))


@njit(fastmath={"nnan", "nsz"})
def _sum_out(x: Any, out: Any, kernel: Any, S: int, farther: int, nearer: int) -> tuple[float, float]:
    """out(farther, nearer) = Σ_s' kernel[s'] x(farther, s', nearer); returns its least and largest entry."""
    low, high = np.inf, -np.inf
    for f in range(farther):
        o, y = out[f * nearer :], x[S * f * nearer :]
        for u in range(nearer):
            o[u] = kernel[0] * y[u]
        for s in range(1, S):
            z = x[(S * f + s) * nearer :]
            for u in range(nearer):
                o[u] += kernel[s] * z[u]
        for u in range(nearer):
            low = o[u] if o[u] < low else low
            high = o[u] if o[u] > high else high
    return low, high


@njit()
def _most_children(kernels: Any, tree: Any) -> Any:
    counts = np.ones(len(tree.turn) + 1, dtype=np.int64)
    for d in range(len(tree.turn)):
        for p in range(tree.first[d], tree.last[d]):
            counts[d] *= kernels.sizes[p]
        if tree.turn[d] >= 0:
            counts[d] *= kernels.actions[kernels.turned[tree.turn[d], 0]]
    return counts


@njit()
def _sort(keys: Any, count: int, largest_first: bool, order: Any) -> None:
    """Write the places of the first `count` keys in their order to `order`: a few children, so by insertion.

    numba compiles its own sorts, and assignments to slices, for seconds.
    """
    for k in range(count):
        at = k
        while at > 0 and (keys[order[at - 1]] < keys[k] if largest_first else keys[order[at - 1]] > keys[k]):
            order[at] = order[at - 1]
            at -= 1
        order[at] = k


@njit()
def _assign(child: int, d: int, tree: Any, kernels: Any, s: Any, a: Any, fixed: bool) -> None:
    """Write the states and the action that child number `child` of decision d stands for."""
    rest = child
    if tree.turn[d] >= 0 and not fixed:
        p = kernels.turned[tree.turn[d], 0]
        a[p] = rest % kernels.actions[p]
        rest //= kernels.actions[p]
    for p in range(tree.first[d], tree.last[d]):
        s[p] = rest % kernels.sizes[p]
        rest //= kernels.sizes[p]


@njit()
def _expand(
    x: Any, room: Any, d: int, tree: Any, kernels: Any, s: Any, a: Any, fixed: bool, bounds: tuple[float, float]
) -> tuple[int, int]:
    """All children of decision d, their tables and ranges, into `room`; returns (children, entries touched)."""
    lows, highs, into = room.lows[d], room.highs[d], room.store[room.store_at[d] :]
    count = 1
    for p in range(tree.first[d], tree.last[d]):
        count *= kernels.sizes[p]
    k = tree.turn[d]
    if k < 0:
        for child in range(count):
            lows[child], highs[child] = bounds
        return count, 0
    position, S, width = kernels.turned[k, 0], kernels.turned[k, 1], tree.width[d]
    if not fixed:
        count *= kernels.actions[position]
    for child in range(count):
        _assign(child, d, tree, kernels, s, a, fixed)
        at = row_of(k, kernels, s) + a[position] * S
        lows[child], highs[child] = _sum_out(
            x, into[child * width :], kernels.entries[at:], S, tree.farther[d], tree.nearer[d]
        )
    return count, count * width * S


@njit()
def _known(d: int, tree: Any, kernels: Any, cell: int) -> bool:
    """Whether decision d turns an agent of the cell, whose action is given."""
    return tree.turn[d] >= 0 and kernels.turned[tree.turn[d], 0] < cell


@njit()
def _largest(
    x: Any,
    bounds: tuple[float, float],
    sign: float,
    incumbent: float,
    tree: Any,
    cell: int,
    kernels: Any,
    s: Any,
    a: Any,
    room: Any,
    work: int,
) -> tuple[float, int]:
    """(value, work left): the largest sign·Q below x over the outside where above `incumbent`, else `incumbent`."""
    depth = len(tree.turn)
    counts, index = np.zeros(depth, dtype=np.int64), np.zeros(depth, dtype=np.int64)
    source = np.full(depth + 1, -1, dtype=np.int64)
    d: Any = np.int64(0)  # a literal 0 would have all that takes it compiled twice
    enter = True
    low, high = bounds
    while d >= 0:
        if enter:
            if d == depth:
                value = high if sign > 0 else -low
                incumbent = max(incumbent, value)
                d -= 1
                enter = False
                continue
            origin = x if source[d] < 0 else room.store[source[d] :]
            fixed = _known(d, tree, kernels, cell)
            counts[d], spent = _expand(origin, room, d, tree, kernels, s, a, fixed, (low, high))
            work -= spent
            if work < 0:
                return incumbent, work
            _sort(room.highs[d] if sign > 0 else room.lows[d], counts[d], sign > 0, room.orders[d])
            index[d] = 0
        if index[d] == counts[d]:
            d -= 1
            enter = False
            continue
        child = room.orders[d, index[d]]
        index[d] += 1
        low, high = room.lows[d, child], room.highs[d, child]
        if (high if sign > 0 else -low) <= incumbent:
            d -= 1
            enter = False
            continue
        _assign(child, d, tree, kernels, s, a, _known(d, tree, kernels, cell))
        source[d + 1] = source[d] if tree.turn[d] < 0 else room.store_at[d] + child * tree.width[d]
        d += 1
        enter = True
    return incumbent, work


@njit()
def _room(tree: Any, kernels: Any) -> Any:
    """Room for one branch of the tree and all the children beside it."""
    depth = len(tree.turn)
    counts = _most_children(kernels, tree)
    at = np.zeros(depth + 1, dtype=np.int64)
    for d in range(depth):
        at[d + 1] = at[d] + (counts[d] * tree.width[d] if tree.turn[d] >= 0 else 0)
    shape = (depth, counts.max())
    return _Room(np.empty(at[depth]), at, np.empty(shape), np.empty(shape), np.zeros(shape, dtype=np.int64))


@njit()
def _cells(
    table: Any, kernels: Any, tree: Any, below: Any, rim: Any, cell: int, slack: float, work: int
) -> tuple[float, float]:
    """(best, bound): the largest oscillation found over the cells, and what none exceeds."""
    m, depth = len(kernels.sizes), len(tree.turn)
    s, a = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    room, below_room = _room(tree, kernels), _room(below, kernels)
    moves = np.empty_like(room.lows)
    scratch_low, scratch_high = np.empty(len(table)), np.empty(len(table))
    # Agents of the cell whose turn comes only below: their actions belong to the cell but act later.
    waiting = np.zeros(m, dtype=np.int64)
    combinations, waiters = 1, 0
    for level in range(len(below.turn)):
        if _known(level, below, kernels, cell):
            waiting[waiters] = kernels.turned[below.turn[level], 0]
            combinations *= kernels.actions[waiting[waiters]]
            waiters += 1
    counts, index = np.zeros(depth, dtype=np.int64), np.zeros(depth, dtype=np.int64)
    source = np.full(depth + 1, -1, dtype=np.int64)
    d: Any = np.int64(0)
    best, enter, never, always = 0.0, True, depth < 0, depth >= 0
    low, high = table.min(), table.max()
    move = high - low
    while d >= 0:
        if enter and d == depth:
            x = table if source[d] < 0 else room.store[source[d] :]
            for combination in range(combinations):
                if move <= best + slack:
                    break
                rest = combination
                for w in range(waiters):
                    a[waiting[w]] = rest % kernels.actions[waiting[w]]
                    rest //= kernels.actions[waiting[w]]
                top, work = _largest(x, (low, high), 1.0, low + best, below, cell, kernels, s, a, below_room, work)
                if work >= 0 and top > low + best:
                    minus_bottom, work = _largest(
                        x, (low, high), -1.0, best - top, below, cell, kernels, s, a, below_room, work
                    )
                    best = max(best, top + minus_bottom)
                if work < 0:
                    break
            if work < 0:
                break
            d -= 1
            enter = False
            continue
        if enter:
            origin = table if source[d] < 0 else room.store[source[d] :]
            counts[d], spent = _expand(origin, room, d, tree, kernels, s, a, never, (low, high))
            work -= spent
            for child in range(counts[d]):
                moves[d, child] = move
                if tree.turn[d] >= 0:
                    _assign(child, d, tree, kernels, s, a, never)
                    at = room.store_at[d] + child * tree.width[d]
                    x = room.store[at : at + tree.width[d]]
                    most = min(move, room.highs[d, child] - room.lows[d, child])
                    if most > best + slack:
                        most = most_movement(
                            x, d, tree, rim, d == depth - 1, kernels, s, scratch_low, scratch_high, most
                        )
                    moves[d, child] = most
            _sort(moves[d], counts[d], always, room.orders[d])
            index[d] = 0
        if index[d] == counts[d]:
            d -= 1
            enter = False
            continue
        child = room.orders[d, index[d]]
        index[d] += 1
        low, high, move = room.lows[d, child], room.highs[d, child], moves[d, child]
        if move <= best + slack:
            d -= 1
            enter = False
            continue
        _assign(child, d, tree, kernels, s, a, never)
        source[d + 1] = source[d] if tree.turn[d] < 0 else room.store_at[d] + child * tree.width[d]
        d += 1
        enter = True
    bound = best + slack
    if d == depth:
        # Work was used up at a leaf: all that was left at every level of the search, the current branch included.
        bound = max(bound, move)
        for e in range(depth):
            for q in range(index[e] - 1, counts[e]):
                bound = max(bound, moves[e, room.orders[e, q]])
    return best, bound
