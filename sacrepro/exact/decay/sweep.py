"""D_i(κ) for all κ at once by one depth-first sweep over (s, a), in O(S^n + A^n) memory.

Agents are ordered by distance from i. States are assigned in that order, nearest slowest; as soon as the states of
N_j are known, the axis s_j' of the table V_i is turned into an axis a_j by P_j(·|s_{N_j}, ·). At a leaf all states are
known and the table holds Q_i(s, ·). Minima and maxima are folded back in the same order: when the states beyond the p
nearest agents have all been visited, the running range over each (s, a) of these p agents is complete, and every
N_i^κ is such a set. Axes are stored farthest first, so that each inner loop runs over contiguous entries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import mul
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import njit
from sacrepro.model.mdp import LocalModel


class SweepPlan(NamedTuple):
    """The order of the agents around i and, for each agent in the order in which its axis is turned, where things are.

    agents    : the agents that V_i can depend on, nearest first. prefix : \\|N_i^κ\\| for κ = 0, 1, ….
    level     : for each turn, the position in `agents` whose state completes N_j.
    turned    : (S_j, A_j, entries farther, entries nearer) at each turn. kernels, kernel_at : flat, with offsets.
    places, strides, places_at : positions of the neighbors of j and their strides in its kernel, flat.
    sizes, actions : S_j and A_j in the order of `agents`. position : where in `agents` the agent of each turn stands.
    """

    agents: tuple[int, ...]
    prefix: tuple[int, ...]
    level: Array
    turned: Array
    kernels: Array
    kernel_at: Array
    places: Array
    strides: Array
    places_at: Array
    sizes: Array
    actions: Array
    position: Array


def sweep_plan(mdp: LocalModel, i: int) -> SweepPlan:
    """`SweepPlan` of agent i; agents that i is not connected to are left out, for V_i does not depend on them."""
    agents, prefix = _outwards(mdp, i)
    return plan_of({j: mdp.neighbors[j] for j in agents}, {j: mdp.P[j] for j in agents}, agents, prefix)


def _outwards(mdp: LocalModel, i: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """`SweepPlan.agents` and `SweepPlan.prefix`."""
    distance = nx.single_source_shortest_path_length(mdp.graph, i)
    prefix = tuple(sum(d <= kappa for d in distance.values()) for kappa in range(max(distance.values()) + 1))
    return tuple(sorted(distance, key=lambda j: (distance[j], j))), prefix


def plan_of(
    hoods: Mapping[int, tuple[int, ...]], P: Mapping[int, Array], agents: tuple[int, ...], prefix: tuple[int, ...]
) -> SweepPlan:
    """`SweepPlan` of given kernels, ``P[j]`` (S_k for k in hoods[j]) + (A_j, length of the table's axis j)."""
    position, level, order = _turns(hoods, agents)
    size = {j: P[j].shape[hoods[j].index(j)] for j in agents}
    width = {j: P[j].shape[-1] for j in agents}
    turned, kernels, kernel_at, places, strides, places_at = [], [], [0], [], [], [0]
    for j in order:
        A_j, length = P[j].shape[-2:]
        farther = math.prod(width[k] for k in agents[position[j] + 1 :])
        nearer = math.prod(width[k] for k in agents[: position[j]])
        turned.append((length, A_j, farther, nearer))
        width[j] = A_j
        kernels.append(np.ascontiguousarray(P[j]).ravel())
        kernel_at.append(kernel_at[-1] + P[j].size)
        stride = length * A_j
        for k in reversed(hoods[j]):
            places.append(position[k])
            strides.append(stride)
            stride *= size[k]
        places_at.append(len(places))
    return SweepPlan(
        agents,
        prefix,
        np.array([level[j] for j in order]),
        np.array(turned),
        np.concatenate(kernels),
        np.array(kernel_at),
        np.array(places),
        np.array(strides),
        np.array(places_at),
        np.array([size[j] for j in agents]),
        np.array([P[j].shape[-2] for j in agents]),
        np.array([position[j] for j in order]),
    )


def _turns(
    hoods: Mapping[int, tuple[int, ...]] | Sequence[tuple[int, ...]], agents: tuple[int, ...]
) -> tuple[dict[int, int], dict[int, int], list[int]]:
    """(position, level, order): places of the agents, the place that completes each N_j, and whose turn comes when."""
    position = {j: p for p, j in enumerate(agents)}
    level = {j: max(position[k] for k in hoods[j]) for j in agents}
    return position, level, sorted(agents, key=lambda j: (level[j], position[j]))


def sweep_bytes(mdp: LocalModel, i: int) -> int:
    """Bytes of what `sweep_oscillations` works on: a table before each turn, two ranges for each p and all a of p."""
    agents, _ = _outwards(mdp, i)
    entries = math.prod(mdp.state_sizes[j] for j in agents)
    total, acted = entries, 1
    for j in _turns(mdp.neighbors, agents)[2][:-1]:
        entries = entries // mdp.state_sizes[j] * mdp.action_sizes[j]
        total += entries
    for j in agents:
        total += 2 * acted
        acted *= mdp.action_sizes[j]
    return 8 * total


def plan_bytes(plan: SweepPlan) -> int:
    """The same of a plan that is made."""
    tables = sum(length * farther * nearer for length, _, farther, nearer in plan.turned.tolist())
    return 8 * (tables + 2 * sum(accumulate(plan.actions[:-1].tolist(), mul, initial=1)))


def sweep_work(mdp: LocalModel, i: int) -> int:
    """Entries of Q_i that `sweep_oscillations` visits."""
    component = nx.node_connected_component(mdp.graph, i)
    return math.prod(mdp.state_sizes[j] * mdp.action_sizes[j] for j in component)


def sweep_table(mdp: LocalModel, plan: SweepPlan, V_i: Array) -> Array:
    """V_i, (S_0, …, S_{n-1}), as the sweep stores it: agents of the plan, farthest first, flat and centred."""
    for j in range(mdp.n):
        if j not in plan.agents:
            V_i = V_i.take([0], axis=j)
    axes = [*reversed(plan.agents), *(j for j in range(mdp.n) if j not in plan.agents)]
    table = np.ascontiguousarray(V_i.transpose(axes)).ravel()
    return table - 0.5 * (table.min() + table.max())


def sweep_oscillations(plan: SweepPlan, table: Array) -> Array:
    """Largest oscillation of Σ_{s'} Π_j P_j(s_j'|s_{N_j}, a_j) V(s') over the cells of N_i^κ, for each κ of the plan.

    table : as from `sweep_table`. Multiply by γ for D_i(κ).
    """
    ranges = _sweep(
        table,
        sizes=plan.sizes,
        actions=plan.actions,
        level=plan.level,
        turned=plan.turned,
        kernels=plan.kernels,
        kernel_at=plan.kernel_at,
        places=plan.places,
        strides=plan.strides,
        places_at=plan.places_at,
    )
    return np.array([ranges[p] for p in plan.prefix])


@njit(fastmath={"nnan", "nsz"})
def _turn(x: Any, out: Any, kernel: Any, S: int, A: int, farther: int, nearer: int) -> None:
    """out(farther, a, nearer) = Σ_s' kernel[a, s'] x(farther, s', nearer)."""
    for f in range(farther):
        if S == 2:
            x0, x1 = x[2 * f * nearer :], x[(2 * f + 1) * nearer :]
            if A == 2:
                o0, o1 = out[2 * f * nearer :], out[(2 * f + 1) * nearer :]
                k00, k01, k10, k11 = kernel[0], kernel[1], kernel[2], kernel[3]
                for u in range(nearer):
                    a, b = x0[u], x1[u]
                    o0[u] = k00 * a + k01 * b
                    o1[u] = k10 * a + k11 * b
            else:
                for a in range(A):
                    o = out[(A * f + a) * nearer :]
                    k0, k1 = kernel[2 * a], kernel[2 * a + 1]
                    for u in range(nearer):
                        o[u] = k0 * x0[u] + k1 * x1[u]
        else:
            for a in range(A):
                o = out[(A * f + a) * nearer :]
                for u in range(nearer):
                    o[u] = kernel[a * S] * x[S * f * nearer + u]
                for s in range(1, S):
                    k = kernel[a * S + s]
                    y = x[(S * f + s) * nearer :]
                    for u in range(nearer):
                        o[u] += k * y[u]


@njit(fastmath={"nnan", "nsz"})
def _turn_and_fold(x: Any, low: Any, high: Any, kernel: Any, S: int, A: int, nearer: int) -> None:
    """The last turn, folded at once: ranges of Σ_s' kernel[a, s'] x(s', nearer) over a join (low, high)."""
    if S == 2 and A == 2:
        x1 = x[nearer:]
        k00, k01, k10, k11 = kernel[0], kernel[1], kernel[2], kernel[3]
        for u in range(nearer):
            a = k00 * x[u] + k01 * x1[u]
            b = k10 * x[u] + k11 * x1[u]
            # Selections, not min and max: the compiler turns only these into vector instructions.
            least = a if a < b else b
            most = b if a < b else a
            low[u] = least if least < low[u] else low[u]
            high[u] = most if most > high[u] else high[u]
    else:
        for u in range(nearer):
            for a in range(A):
                value = 0.0
                for s in range(S):
                    value += kernel[a * S + s] * x[s * nearer + u]
                low[u] = value if value < low[u] else low[u]
                high[u] = value if value > high[u] else high[u]


@njit(fastmath={"nnan", "nsz"})
def _two_turns_and_fold(x: Any, low: Any, high: Any, last: Any, other: Any, between: int, nearer: int) -> None:
    """The last two turns of binary agents in one pass over x(s'_last, between, s'_other, nearer)."""
    half = 2 * between * nearer
    k00, k01, k10, k11 = last[0], last[1], last[2], last[3]
    for f in range(between):
        at = 2 * f * nearer
        x00, x01 = x[at:], x[at + nearer :]
        x10, x11 = x[half + at :], x[half + at + nearer :]
        for a_other in range(2):
            c0, c1 = other[2 * a_other], other[2 * a_other + 1]
            lower, upper = low[at + a_other * nearer :], high[at + a_other * nearer :]
            for u in range(nearer):
                y0 = c0 * x00[u] + c1 * x01[u]
                y1 = c0 * x10[u] + c1 * x11[u]
                a = k00 * y0 + k01 * y1
                b = k10 * y0 + k11 * y1
                least = a if a < b else b
                most = b if a < b else a
                lower[u] = least if least < lower[u] else lower[u]
                upper[u] = most if most > upper[u] else upper[u]


@njit(fastmath={"nnan", "nsz"})
def _fold(low: Any, high: Any, low_into: Any, high_into: Any, A: int, nearer: int) -> float:
    """Join ranges over (a, nearer) into those over nearer; returns the largest range and empties the source."""
    largest = 0.0
    for a in range(A):
        lower, upper = low[a * nearer :], high[a * nearer :]
        for u in range(nearer):
            span = upper[u] - lower[u]
            largest = span if span > largest else largest
            low_into[u] = lower[u] if lower[u] < low_into[u] else low_into[u]
            high_into[u] = upper[u] if upper[u] > high_into[u] else high_into[u]
    for u in range(A * nearer):
        low[u], high[u] = np.inf, -np.inf
    return largest


@njit()
def _sweep(
    table: Any,
    sizes: Any,
    actions: Any,
    level: Any,
    turned: Any,
    kernels: Any,
    kernel_at: Any,
    places: Any,
    strides: Any,
    places_at: Any,
) -> Any:
    """Largest range over the cells of the p nearest agents, for p = 0 … m; p = 0 is not tracked and stays 0."""
    m = len(sizes)
    ranges = np.zeros(m + 1)
    # tables[k] is the table before turn k; low[p], high[p] are ranges over the actions of the p nearest agents.
    table_at = np.zeros(m, dtype=np.int64)
    entries = len(table)
    total = entries
    for k in range(m - 1):
        entries = entries // turned[k, 0] * turned[k, 1]
        table_at[k + 1] = total
        total += entries
    tables = np.empty(total)
    for k in range(len(table)):
        tables[k] = table[k]
    range_at = np.zeros(m + 1, dtype=np.int64)
    actions_of = np.ones(m + 1, dtype=np.int64)
    for p in range(m):
        actions_of[p + 1] = actions_of[p] * actions[p]
        range_at[p + 1] = range_at[p] + actions_of[p]
    low = np.full(range_at[m], np.inf)
    high = np.full(range_at[m], -np.inf)
    s = np.zeros(m, dtype=np.int64)
    two_at_once = m >= 2 and level[m - 2] == m - 1
    for k in range(m - 2, m):
        two_at_once = two_at_once and turned[k, 0] == 2 and turned[k, 1] == 2
    other, pair, between, inner = kernels, tables, m, m  # so that their types are known
    changed = 0
    while True:
        for k in range(m):
            if level[k] < changed:
                continue
            at = kernel_at[k]
            for place in range(places_at[k], places_at[k + 1]):
                at += strides[place] * s[places[place]]
            S, A, farther, nearer = turned[k, 0], turned[k, 1], turned[k, 2], turned[k, 3]
            kernel, before = kernels[at:], tables[table_at[k] :]
            if k == m - 2 and two_at_once:
                other, between, inner = kernel, farther // 2, nearer
                pair = before
            elif k == m - 1 and two_at_once:
                lower, upper = low[range_at[m - 1] :], high[range_at[m - 1] :]
                _two_turns_and_fold(pair, lower, upper, kernel, other, between, inner)
            elif k < m - 1:
                _turn(before, tables[table_at[k + 1] :], kernel, S, A, farther, nearer)
            else:
                _turn_and_fold(before, low[range_at[m - 1] :], high[range_at[m - 1] :], kernel, S, A, nearer)
        p = m - 1
        while p >= 0:
            s[p] += 1
            if s[p] < sizes[p]:
                break
            s[p] = 0
            if p > 0:
                q = p - 1
                largest = _fold(
                    low[range_at[p] :],
                    high[range_at[p] :],
                    low[range_at[q] :],
                    high[range_at[q] :],
                    actions[q],
                    actions_of[q],
                )
                ranges[p] = max(ranges[p], largest)
            p -= 1
        if p < 0:
            return ranges
        changed = p
