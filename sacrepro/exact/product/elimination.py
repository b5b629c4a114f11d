"""In which order the next states s_j' are summed out of P^ζ(s'|s) = Π_j P̄_j(s_j' | s_{N_j}).

Summing out s_j' brings the states of N_j into the table, so after the set E is gone a table over
(s' outside E, s on N[E]) remains. A good order keeps the largest of these small: on a path it has S^{n+1} entries,
where the joint matrix has S^{2n}. Orders come from dynamic programming over the subsets E for few agents and from a
greedy rule beyond; they depend on the graph and the sizes only and are cached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import numpy as np

from sacrepro.model.checks import Array

#: Subset dynamic programming keeps a table over the 2^n sets E; greedy orders serve beyond this many agents.
SUBSET_LIMIT = 17

Neighborhoods = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class EliminationOrder:
    """An order in which to sum out s_j', and what one product with P^ζ costs along it, one agent at a time.

    agents : the agents in the order of elimination.
    peak   : entries of the largest intermediate table.
    flops  : multiply-adds of one product for one value function.
    memory : bytes of the two tables that one step reads and writes, at its largest.
    """

    agents: tuple[int, ...]
    peak: int
    flops: int
    memory: int


@lru_cache(maxsize=256)
def elimination_order(hoods: Neighborhoods, sizes: tuple[int, ...]) -> EliminationOrder:
    """The best known order for closed neighborhoods N_j = ``hoods[j]`` and state sizes S_j = ``sizes[j]``.

    Minimises the sum of the sizes of the intermediate tables, exactly for n ≤ `SUBSET_LIMIT` when the greedy order
    is not already at the least conceivable peak.
    """
    n, flops = len(sizes), attrgetter("flops")
    # A few agents of least degree, late agents first, so that a path is read from its end.
    starts = sorted(range(n), key=lambda j: (len(hoods[j]), -j))[:4]
    best = min((order_cost(_greedy(hoods, sizes, start), hoods, sizes) for start in starts), key=flops)
    least = math.prod(sizes) * (min(sizes) if any(len(hood) > 1 for hood in hoods) else 1)
    if best.peak > least and n <= SUBSET_LIMIT:
        best = min(best, order_cost(_by_subsets(hoods, sizes), hoods, sizes), key=flops)
    return best


def order_cost(order: tuple[int, ...], hoods: Neighborhoods, sizes: tuple[int, ...]) -> EliminationOrder:
    """`EliminationOrder` of a given order: what eliminating along it costs."""
    rest, seen, size = set(range(len(sizes))), set[int](), math.prod(sizes)
    peak, flops, memory = size, 0, 8 * size
    for j in order:
        new = math.prod(sizes[k] for k in hoods[j] if k not in seen)
        flops += size * new
        after = size // sizes[j] * new
        memory = max(memory, 8 * (size + after))
        peak = max(peak, after)
        rest.discard(j)
        seen.update(hoods[j])
        size = after
    return EliminationOrder(order, peak, flops, memory)


def _greedy(hoods: Neighborhoods, sizes: tuple[int, ...], start: int) -> tuple[int, ...]:
    """Eliminate `start`, then always the agent after which the table grows least; ties to the latest arrival nearby."""
    rest, seen, order = set(range(len(sizes))), set[int](), []
    arrival: dict[int, int] = {}
    j = start
    while True:
        order.append(j)
        rest.discard(j)
        seen.update(hoods[j])
        for k in hoods[j]:
            arrival.setdefault(k, len(order))
        if not rest:
            return tuple(order)
        j = min(
            rest,
            key=lambda k: (
                sum(math.log(sizes[m]) for m in hoods[k] if m not in seen) - math.log(sizes[k]),
                arrival.get(k, len(sizes) + 1),
                -k,
            ),
        )


def _by_subsets(hoods: Neighborhoods, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The order with the least sum of table sizes: f(E) = size(E) + min_{j∈E} f(E∖j) over all sets E."""
    n = len(sizes)
    weight = np.zeros(1)
    reach = np.zeros(1, dtype=np.int64)
    for j in range(n):
        weight = np.concatenate([weight, weight + math.log(sizes[j])])
        reach = np.concatenate([reach, reach | sum(1 << k for k in hoods[j])])
    everything = (1 << n) - 1
    size = np.exp(weight[everything ^ np.arange(1 << n)] + weight[reach])
    cost = np.full(1 << n, np.inf)
    cost[0] = 0.0
    last = np.zeros(1 << n, dtype=np.int8)
    members = np.array([mask.bit_count() for mask in range(1 << n)])
    for count in range(1, n + 1):
        masks: Array = np.flatnonzero(members == count)
        for j in range(n):
            with_j = masks[(masks >> j) & 1 == 1]
            through_j = cost[with_j ^ (1 << j)] + size[with_j]
            better = through_j < cost[with_j]
            cost[with_j[better]] = through_j[better]
            last[with_j[better]] = j
    order, mask = [], everything
    while mask:
        order.append(int(last[mask]))
        mask ^= 1 << int(last[mask])
    return tuple(reversed(order))
