"""The operator P^θ: V ↦ Σ_{s'} Π_j P̄_j(s_j' | s_{N_j}) V(s') without its matrix, and its adjoint.

The next states are summed out group by group along `elimination_order`. Tables are flat; their axes follow the *memory
order*, the reverse of the elimination order, so that the group to be eliminated is always the last primed block:

    before a step:  (s'_rest, s'_G, s_U),        after it:  (s'_rest, s_new, s_U),        U = states present already.

The operator may be restricted to tables over a set B of agents (`support`); the result then lives on N[B], the union of
the neighborhoods of B: the light cone. Structured products of this kind are the shuffle algorithm of stochastic
automata networks (Fernandes, Plateau, Stewart, Journal of the ACM 45, 1998) on a general graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from sacrepro.exact.product.elimination import elimination_order
from sacrepro.exact.product.steps import Choice, Step, build_step, choose_steps
from sacrepro.model.checks import Array


class FactoredOperator:
    """P^θ on tables over the agents of `support`, all agents by default.

    P_bar   : P̄_j, shape (S_k for k in sorted N_j) + (S_j,); only those of `support` are read.
    hoods   : the closed neighborhoods N_j.
    sizes   : the S_j.
    support : B, the agents that the incoming table depends on.
    order   : elimination order of all agents; `elimination_order` by default.
    known   : steps of other operators with the same P̄, shared and added to.

    memory_in, memory_out : axes of incoming and outgoing tables, tuples of agents.
    roundings, adjoint_roundings : roundings that an entry passes through in one product; see `rounding`.
    kernel_roundings : the same for `kernel_adjoint`.
    """

    def __init__(
        self,
        P_bar: Sequence[Array],
        hoods: tuple[tuple[int, ...], ...],
        sizes: tuple[int, ...],
        support: Iterable[int] | None = None,
        order: tuple[int, ...] | None = None,
        largest_group: int = 6,
        known: dict[Choice, Step] | None = None,
    ) -> None:
        self.order = elimination_order(hoods, sizes).agents if order is None else order
        inside = set(range(len(sizes)) if support is None else support)
        eliminated = [j for j in self.order if j in inside]
        reached = set().union(*(hoods[j] for j in inside)) if inside else set()
        self.sizes = sizes
        self.memory_in = tuple(reversed(eliminated))
        self.memory_out = tuple(j for j in reversed(self.order) if j in reached)
        self.entries_in = math.prod(sizes[j] for j in self.memory_in)
        self.entries_out = math.prod(sizes[j] for j in self.memory_out)
        choices = choose_steps(hoods, sizes, tuple(eliminated), largest_group)
        self.steps = [build_step(P_bar, hoods, sizes, choice, {} if known is None else known) for choice in choices]
        present = self.steps[-1].present if self.steps else ()
        self._unpermute = _permutation(present, self.memory_out, sizes)
        self._repermute = _permutation(self.memory_out, present, sizes)
        self.peak = max([self.entries_in, self.entries_out, *(step.entries_out for step in self.steps)])
        self.roundings = sum(step.roundings for step in self.steps)
        self.adjoint_roundings = sum(step.adjoint_roundings for step in self.steps)
        self.kernel_roundings = (
            max([0, *(step.kernel_roundings for step in self.steps)]) + self.roundings + self.adjoint_roundings + 1
        )
        self._buffers = [np.empty(0), np.empty(0)]

    def __call__(self, V: Array) -> Array:
        """P^θ V in the agents' own order: V of shape (..., S_0, …, S_{n-1}), full support only."""
        return self._in_natural_order(V, self.forward)

    def transpose(self, pi: Array) -> Array:
        """π P^θ in the agents' own order: pi of shape (..., S_0, …, S_{n-1}), full support only."""
        return self._in_natural_order(pi, self.adjoint)

    def forward(self, V: Array, out: Array | None = None) -> Array:
        """P^θ V for flat tables in memory order: (b, entries_in) to (b, entries_out).

        V in single precision, of which `roundings` says nothing, gives a result in single precision.
        """
        b = len(V)
        out = np.empty((b, self.entries_out), V.dtype) if out is None else out
        table = V
        for number, step in enumerate(self.steps):
            last = number == len(self.steps) - 1 and self._unpermute is None
            target = out.reshape(-1) if last else self._buffer(number % 2, b * step.entries_out, V.dtype)
            step.forward(table.reshape(-1), target, b)
            table = target
        if self._unpermute is not None:
            shape, axes = self._unpermute
            out.reshape([b, *(shape[a] for a in axes)])[...] = table.reshape([b, *shape]).transpose(
                [0, *(a + 1 for a in axes)]
            )
        elif not self.steps:
            out[...] = V
        return out

    def adjoint(self, pi: Array, out: Array | None = None) -> Array:
        """π P^θ for flat tables in memory order: (b, entries_out) to (b, entries_in)."""
        b = len(pi)
        out = np.empty((b, self.entries_in)) if out is None else out
        table = self._repermuted(pi)
        for number in range(len(self.steps) - 1, -1, -1):
            step = self.steps[number]
            target = out.reshape(-1) if number == 0 else self._buffer(number % 2, b * step.entries_in)
            step.adjoint(table.reshape(-1), target, b)
            table = target
        if not self.steps:
            out[...] = pi
        return out

    def kernel_adjoint(self, V: Array, pi: Array) -> dict[int, Array]:
        """∂⟨π, P^θ V⟩ / ∂P̄_j for every agent j of the support, each of P̄_j's shape; V and pi flat, in memory order.

        Entry (s_{N_j}, s_j') is Σ over everything else of π(s) Π_{k≠j} P̄_k(s_k'|s_{N_k}) V(s'): the table from
        which every expectation that replaces one agent's kernel can be read. Costs three products.
        """
        tables = [V.reshape(-1)]
        for step in self.steps[:-1]:
            target = np.empty(step.entries_out)
            step.forward(tables[-1], target, 1)
            tables.append(target)
        weights = self._repermuted(pi.reshape(1, -1)).reshape(-1)
        result: dict[int, Array] = {}
        for number in range(len(self.steps) - 1, -1, -1):
            step = self.steps[number]
            result.update(step.kernel_adjoint(tables[number], weights))
            tables.pop()
            if number:
                target = np.empty(step.entries_in)
                step.adjoint(weights, target, 1)
                weights = target
        return result

    def to_memory(self, table: Array) -> Array:
        """Tables (..., S_0, …, S_{n-1}) over all agents as flat ones (b, entries) in memory order."""
        n = len(self.sizes)
        lead = table.ndim - n
        axes = [*range(lead), *(lead + j for j in self.memory_in)]
        return np.ascontiguousarray(table.transpose(axes)).reshape(-1, self.entries_in)

    def from_memory(self, table: Array, lead: tuple[int, ...] = ()) -> Array:
        """The inverse of `to_memory`: a view of shape (*lead, S_0, …, S_{n-1})."""
        where = {j: k for k, j in enumerate(self.memory_in)}
        shaped = table.reshape([*lead, *(self.sizes[j] for j in self.memory_in)])
        return shaped.transpose([*range(len(lead)), *(len(lead) + where[j] for j in range(len(self.sizes)))])

    def _in_natural_order(self, table: Array, product: Callable[[Array], Array]) -> Array:
        if len(self.memory_in) != len(self.sizes):
            raise ValueError(f"the operator is restricted to agents {self.memory_in}; use forward or adjoint")
        lead = table.shape[: table.ndim - len(self.sizes)]
        return np.ascontiguousarray(self.from_memory(product(self.to_memory(table)), lead))

    def _repermuted(self, table: Array) -> Array:
        if self._repermute is None:
            return table
        shape, axes = self._repermute
        b = len(table)
        moved = table.reshape([b, *shape]).transpose([0, *(a + 1 for a in axes)])
        return np.ascontiguousarray(moved).reshape(b, -1)

    def _buffer(self, which: int, entries: int, dtype: Any = np.float64) -> Array:
        buffer = self._buffers[which].view(dtype)
        if buffer.size < entries:
            self._buffers[which] = np.empty(entries * buffer.itemsize // 8 + 1)
            buffer = self._buffers[which].view(dtype)
        return buffer[:entries]


def _permutation(
    source: tuple[int, ...], target: tuple[int, ...], sizes: tuple[int, ...]
) -> tuple[list[int], list[int]] | None:
    """Shape of a table with axes `source`, and the transposition that brings them into the order `target`."""
    if source == target:
        return None
    where = {j: k for k, j in enumerate(source)}
    axes = [where[j] for j in target]
    # Axes that stay adjacent move as one; merging them keeps numpy's copies long.
    runs: list[list[int]] = []
    for a in axes:
        if runs and runs[-1][-1] + 1 == a:
            runs[-1].append(a)
        else:
            runs.append([a])
    by_source = sorted(range(len(runs)), key=lambda r: runs[r][0])
    shape = [math.prod(sizes[source[a]] for a in runs[r]) for r in by_source]
    position = {r: k for k, r in enumerate(by_source)}
    return shape, [position[r] for r in range(len(runs))]
