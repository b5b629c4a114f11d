"""D_i(κ) for one κ by branch and bound, for networks whose table Q_i cannot be visited entry by entry.

A partial contraction Σ_{s'_C} Π_{j∈C} P_j V_i is a table over the s' that remain, and every further contraction takes
averages of it. The outer search runs over the cells, largest bound first, and drops what cannot beat the best cell
found; `movement` bounds what Q_i can move by over any cell below a table. Inside a cell two searches over the outside
find the largest and the least entry of Q_i; there the range of a table bounds all descendants.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from sacrepro.exact.movement import most_movement, rim_of
from sacrepro.exact.rounding import row_sum_range
from sacrepro.exact.sweep import SweepPlan
from sacrepro.model import Array


class _Tree(NamedTuple):
    """The decisions of the search: at each level, states to assign and possibly an axis to turn and sum out.

    first, last : positions whose states are assigned. turn : index into the plan's turns, or -1.
    farther, nearer : entries around the axis that goes. width : entries of the table after the decision.
    inside : entries of its axes inside the cell, which are the fastest.
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

    table : as from `sweep_table`. The interval is at most `slack` wide, and what the kernels' rows miss of 1, unless
    `work` table entries were touched first.
    """
    cell = plan.prefix[kappa]
    inner = int((plan.level < cell).sum())
    outer = _tree(plan, cell, 0, inner, 0, cell, len(table))
    below = _tree(plan, cell, inner, len(plan.agents), cell, len(plan.agents), int(outer.width[-1]))
    best, bound = _cells(
        table,
        plan.sizes,
        plan.actions,
        np.stack([plan.position, plan.turned[:, 0]], axis=1),
        plan.kernels,
        plan.kernel_at,
        plan.places,
        plan.strides,
        plan.places_at,
        outer,
        below,
        rim_of(plan, cell, inner, outer.turn),
        cell,
        slack,
        work,
    )
    # Every bound takes contractions for averages; both ends may be off by what their weights miss of 1.
    low, high = row_sum_range([plan.kernels[first:last].reshape(-1, S) for first, last, S in _rows(plan)])
    return float(best), float(bound) + 4.0 * max(high - 1.0, 1.0 - low) * float(np.abs(table).max())


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
        farther = math.prod(length[p] for p in length if p > position and p not in summed)
        width //= length[position]
        summed.add(position)
        rows.append((assigned, needed, k, farther, width // farther, width, inside()))
        assigned = needed
    while assigned < end:
        rows.append((assigned, assigned + 1, -1, 1, 1, width, inside()))
        assigned += 1
    columns = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return _Tree(*(np.ascontiguousarray(column) for column in columns))


@njit(cache=True, fastmath={"nnan", "nsz"})  # type: ignore[untyped-decorator]
def _sum_out(x: Any, out: Any, kernel: Any, S: int, farther: int, nearer: int) -> tuple[float, float]:
    """out(farther, nearer) = Σ_s' kernel[s'] x(farther, s', nearer); returns its least and largest entry."""
    low, high = np.inf, -np.inf
    for f in range(farther):
        o = out[f * nearer : (f + 1) * nearer]
        y = x[S * f * nearer : (S * f + 1) * nearer]
        for u in range(nearer):
            o[u] = kernel[0] * y[u]
        for s in range(1, S):
            z = x[(S * f + s) * nearer : (S * f + s + 1) * nearer]
            for u in range(nearer):
                o[u] += kernel[s] * z[u]
        for u in range(nearer):
            low = o[u] if o[u] < low else low
            high = o[u] if o[u] > high else high
    return low, high


@njit(cache=True)  # type: ignore[untyped-decorator]
def _most_children(sizes: Any, actions: Any, turn_of: Any, tree: Any) -> Any:
    counts = np.ones(len(tree.turn) + 1, dtype=np.int64)
    for d in range(len(tree.turn)):
        for p in range(tree.first[d], tree.last[d]):
            counts[d] *= sizes[p]
        if tree.turn[d] >= 0:
            counts[d] *= actions[turn_of[tree.turn[d], 0]]
    return counts


@njit(cache=True)  # type: ignore[untyped-decorator]
def _assign(child: int, d: int, tree: Any, sizes: Any, s: Any, a: Any, actions: Any, turn_of: Any, fixed: bool) -> None:
    """Write the states and the action that child number `child` of decision d stands for."""
    rest = child
    if tree.turn[d] >= 0 and not fixed:
        p = turn_of[tree.turn[d], 0]
        a[p] = rest % actions[p]
        rest //= actions[p]
    for p in range(tree.first[d], tree.last[d]):
        s[p] = rest % sizes[p]
        rest //= sizes[p]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _expand(
    x: Any,
    into: Any,
    lows: Any,
    highs: Any,
    d: int,
    tree: Any,
    sizes: Any,
    actions: Any,
    turn_of: Any,
    kernels: Any,
    kernel_at: Any,
    places: Any,
    strides: Any,
    places_at: Any,
    s: Any,
    a: Any,
    fixed: bool,
    bounds: tuple[float, float],
) -> tuple[int, int]:
    """All children of decision d: their tables in `into`, their ranges; returns (children, entries touched)."""
    count = 1
    for p in range(tree.first[d], tree.last[d]):
        count *= sizes[p]
    k = tree.turn[d]
    if k < 0:
        for child in range(count):
            lows[child], highs[child] = bounds
        return count, 0
    position = turn_of[k, 0]
    if not fixed:
        count *= actions[position]
    S, width = turn_of[k, 1], tree.width[d]
    for child in range(count):
        _assign(child, d, tree, sizes, s, a, actions, turn_of, fixed)
        at = kernel_at[k] + a[position] * S
        for place in range(places_at[k], places_at[k + 1]):
            at += strides[place] * s[places[place]]
        target = into[child * width : (child + 1) * width]
        lows[child], highs[child] = _sum_out(x, target, kernels[at : at + S], S, tree.farther[d], tree.nearer[d])
    return count, count * width * S


@njit(cache=True)  # type: ignore[untyped-decorator]
def _largest(
    x: Any,
    bounds: tuple[float, float],
    sign: float,
    incumbent: float,
    tree: Any,
    cell: int,
    sizes: Any,
    actions: Any,
    turn_of: Any,
    kernels: Any,
    kernel_at: Any,
    places: Any,
    strides: Any,
    places_at: Any,
    s: Any,
    a: Any,
    store: Any,
    store_at: Any,
    lows: Any,
    highs: Any,
    orders: Any,
    work: int,
) -> tuple[float, int]:
    """(value, work left): the largest sign·Q below x over the outside where above `incumbent`, else `incumbent`."""
    depth = len(tree.turn)
    counts = np.zeros(depth + 1, dtype=np.int64)
    index = np.zeros(depth + 1, dtype=np.int64)
    source = np.full(depth + 1, -1, dtype=np.int64)
    d, enter = 0, True
    low, high = bounds
    while d >= 0:
        if enter:
            if d == depth:
                value = high if sign > 0 else -low
                incumbent = max(incumbent, value)
                d -= 1
                enter = False
                continue
            position = turn_of[tree.turn[d], 0] if tree.turn[d] >= 0 else 0
            fixed = tree.turn[d] >= 0 and position < cell
            origin = x if source[d] < 0 else store[source[d] :]
            counts[d], spent = _expand(
                origin, store[store_at[d] :], lows[d], highs[d], d, tree, sizes, actions, turn_of,
                kernels, kernel_at, places, strides, places_at, s, a, fixed, (low, high),
            )  # fmt: skip
            work -= spent
            if work < 0:
                return incumbent, work
            keys = -highs[d, : counts[d]] if sign > 0 else lows[d, : counts[d]]
            orders[d, : counts[d]] = np.argsort(keys)
            index[d] = 0
        if index[d] == counts[d]:
            d -= 1
            enter = False
            continue
        child = orders[d, index[d]]
        index[d] += 1
        low, high = lows[d, child], highs[d, child]
        if (high if sign > 0 else -low) <= incumbent:
            d -= 1
            enter = False
            continue
        position = turn_of[tree.turn[d], 0] if tree.turn[d] >= 0 else 0
        _assign(child, d, tree, sizes, s, a, actions, turn_of, tree.turn[d] >= 0 and position < cell)
        source[d + 1] = source[d] if tree.turn[d] < 0 else store_at[d] + child * tree.width[d]
        d += 1
        enter = True
    return incumbent, work


@njit(cache=True)  # type: ignore[untyped-decorator]
def _storage(tree: Any, counts: Any) -> Any:
    at = np.zeros(len(tree.turn) + 1, dtype=np.int64)
    for d in range(len(tree.turn)):
        at[d + 1] = at[d] + (counts[d] * tree.width[d] if tree.turn[d] >= 0 else 0)
    return at


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cells(
    table: Any,
    sizes: Any,
    actions: Any,
    turn_of: Any,
    kernels: Any,
    kernel_at: Any,
    places: Any,
    strides: Any,
    places_at: Any,
    tree: Any,
    below: Any,
    rim: Any,
    cell: int,
    slack: float,
    work: int,
) -> tuple[float, float]:
    """(best, bound): the largest oscillation found over the cells, and what none exceeds."""
    m, depth = len(sizes), len(tree.turn)
    s, a = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    tree_counts, below_counts = (
        _most_children(sizes, actions, turn_of, tree),
        _most_children(sizes, actions, turn_of, below),
    )
    store_at, below_at = _storage(tree, tree_counts), _storage(below, below_counts)
    store, below_store = np.empty(store_at[depth]), np.empty(below_at[len(below.turn)])
    most, below_most = tree_counts.max(), below_counts.max()
    lows, highs = np.empty((depth + 1, most)), np.empty((depth + 1, most))
    moves = np.empty((depth + 1, most))
    scratch_low, scratch_high = np.empty(len(table)), np.empty(len(table))
    orders = np.zeros((depth + 1, most), dtype=np.int64)
    below_lows = np.empty((len(below.turn) + 1, below_most))
    below_highs = np.empty((len(below.turn) + 1, below_most))
    below_orders = np.zeros((len(below.turn) + 1, below_most), dtype=np.int64)
    # Agents of the cell whose turn comes only below: their actions belong to the cell but act later.
    waiting = np.zeros(m, dtype=np.int64)
    combinations, waiters = 1, 0
    for d in range(len(below.turn)):
        if below.turn[d] >= 0 and turn_of[below.turn[d], 0] < cell:
            waiting[waiters] = turn_of[below.turn[d], 0]
            combinations *= actions[waiting[waiters]]
            waiters += 1
    counts = np.zeros(depth + 1, dtype=np.int64)
    index = np.zeros(depth + 1, dtype=np.int64)
    source = np.full(depth + 1, -1, dtype=np.int64)
    best, d, enter = 0.0, 0, True
    low, high = table.min(), table.max()
    move = high - low
    open_bound = 0.0
    while d >= 0:
        if enter and d == depth:
            x = table if source[d] < 0 else store[source[d] :]
            if depth > 0 and tree.width[depth - 1] < len(x):
                x = x[: tree.width[depth - 1]]
            for combination in range(combinations):
                if move <= best + slack:
                    break
                rest = combination
                for w in range(waiters):
                    a[waiting[w]] = rest % actions[waiting[w]]
                    rest //= actions[waiting[w]]
                top, work = _largest(
                    x, (low, high), 1.0, low + best, below, cell, sizes, actions, turn_of, kernels, kernel_at,
                    places, strides, places_at, s, a, below_store, below_at, below_lows, below_highs, below_orders,
                    work,
                )  # fmt: skip
                if work >= 0 and top > low + best:
                    minus_bottom, work = _largest(
                        x, (low, high), -1.0, best - top, below, cell, sizes, actions, turn_of, kernels, kernel_at,
                        places, strides, places_at, s, a, below_store, below_at, below_lows, below_highs,
                        below_orders, work,
                    )  # fmt: skip
                    best = max(best, top + minus_bottom)
                if work < 0:
                    open_bound = max(open_bound, move)
                    break
            if work < 0:
                break
            d -= 1
            enter = False
            continue
        if enter:
            origin = table if source[d] < 0 else store[source[d] :]
            counts[d], spent = _expand(
                origin, store[store_at[d] :], lows[d], highs[d], d, tree, sizes, actions, turn_of,
                kernels, kernel_at, places, strides, places_at, s, a, False, (low, high),
            )  # fmt: skip
            work -= spent
            for child in range(counts[d]):
                moves[d, child] = move
                if tree.turn[d] >= 0:
                    _assign(child, d, tree, sizes, s, a, actions, turn_of, False)
                    at = store_at[d] + child * tree.width[d]
                    moved = most_movement(
                        store[at : at + tree.width[d]], d, tree, rim, d == depth - 1, s, places, strides, places_at,
                        kernel_at, scratch_low, scratch_high,
                    )  # fmt: skip
                    moves[d, child] = min(move, moved, highs[d, child] - lows[d, child])
            orders[d, : counts[d]] = np.argsort(-moves[d, : counts[d]])
            index[d] = 0
        if index[d] == counts[d]:
            d -= 1
            enter = False
            continue
        child = orders[d, index[d]]
        index[d] += 1
        low, high, move = lows[d, child], highs[d, child], moves[d, child]
        if move <= best + slack:
            d -= 1
            enter = False
            continue
        _assign(child, d, tree, sizes, s, a, actions, turn_of, False)
        source[d + 1] = source[d] if tree.turn[d] < 0 else store_at[d] + child * tree.width[d]
        d += 1
        enter = True
    bound = best + slack
    if work < 0:
        # What was left unexplored at every level of the search, the current branch included.
        for e in range(d if d < depth else depth):
            for q in range(index[e] - 1, counts[e]):
                child = orders[e, q]
                open_bound = max(open_bound, moves[e, child])
        bound = max(bound, open_bound)
    return best, bound
