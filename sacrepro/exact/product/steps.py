"""One step of the factored product: summing out the next states of a group G of agents.

A step maps a table (rows, s'_G, s_U) to (rows, s_new, s_U): the states ``new`` of N[G] appear, those of N[G] ∩ U are
*shared* with the table. Three forms do the same sum:

    right      U is empty: one matrix product (rows, G) × (G, new);
    left       a long last run of U is not shared: a broadcast matrix product (new, G) × (G, run);
    pointwise  one agent, any U: the kernel spread over U, one pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array

#: Entries of a group's kernel, and values of s'_G, beyond which grouping cannot pay.
LARGEST_KERNEL, LARGEST_GROUP = 1 << 15, 64

# What a step takes, in units of one multiply-add alone, about .3 ns. Measured on one core, with G = new and U = run:
# a matrix product does 2.7 (G = 2), 14 (8), 25 (32) multiply-adds a nanosecond; a broadcast one .4 where runs have 4
# entries (G = 2), 3.4 to 4.4 (2), 15 (8), 18 (16) from 64 on; a pass .6 with U of 1, 2.7 with 4, 6 to 8 from 16 on.
# On another processor, on tables beyond its caches: 12 a matrix product (16 to 32), 9 to 12 a broadcast one (8 to 32),
# 2 to 3 a pass. Beyond caches the constants lie between the two, and a 2 × 7 grid took 13 % longer on one machine.

#: A step that reads and writes up to this many entries stays within caches, and has the first of two constants:
#: with the second, gradients on 10 and 12 agents took 1.3 times as long.
CACHED = 1 << 15
#: For each entry read or written.
TRAFFIC = 0.25, 0.6
#: Multiply-adds a unit of a matrix product: this much for each of min(G, new), and at most so many.
RIGHT_SPEED, RIGHT_MOST = 0.4, (16.0, 6.0)
#: The same of a broadcast product, which also does at most this many for each entry of a run.
LEFT_SPEED, LEFT_MOST, LEFT_RUN_SPEED = 0.3, (14.0, 4.0), 0.5
#: Runs below this length are not worth a broadcast product; and what each of its products costs, 40 ns to 100 ns.
SHORTEST_RUN, LEFT_PRODUCT = 4, 400.0
#: Multiply-adds a unit of a pass: from so many entries of U on, and below, where it grows with U.
PASS_SPEED, LONG_PASS, SHORT_PASS_SPEED, SHORT_PASS_GROWTH = 3.0, 16, 0.3, 0.15
#: For each entry of a kernel that is spread over U before the pass.
SPREADING = 2.0
#: For a step whatever its size: 2 µs of calls.
A_STEP = 4e3


@dataclass(frozen=True)
class Step:
    """A group elimination with its kernel; see the module's text for the forms.

    agents  : G, in memory order. present : the axes of U after the step. rows : product of the sizes of s'_rest.
    blocks  : U before the step as runs (entries, shared), the layout of the broadcast.
    kernel  : right (G, new); left (shared runs or 1, …, new, G); pointwise (G, new, U).
    """

    form: str
    agents: tuple[int, ...]
    new: tuple[int, ...]
    present: tuple[int, ...]
    rows: int
    contracted: int
    emitted: int
    blocks: tuple[tuple[int, bool], ...]
    kernel: Array
    factors: tuple[tuple[int, Array], ...]
    hoods: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]

    @cached_property
    def _runs(self) -> tuple[int, ...]:
        return tuple(entries for entries, _ in self.blocks)

    @cached_property
    def _runs_first(self) -> tuple[int, ...]:
        """The axes (rows, G, runs…, last run) in the order of the broadcast: (rows, runs…, G, last run)."""
        last = len(self.blocks) + 1
        return (0, *range(2, last), 1, last)

    @cached_property
    def spread(self) -> int:
        """Entries of U before the step."""
        return math.prod(entries for entries, _ in self.blocks)

    @property
    def entries_in(self) -> int:
        """Entries of the table before the step."""
        return self.rows * self.contracted * self.spread

    @property
    def entries_out(self) -> int:
        """Entries of the table after the step."""
        return self.rows * self.emitted * self.spread

    @property
    def roundings(self) -> int:
        """Roundings of an entry: one product and |s'_G| - 1 sums, and |G| - 1 products inside the kernel."""
        return self.contracted + len(self.agents) - 1

    @property
    def adjoint_roundings(self) -> int:
        """The same for the adjoint, which sums over the new states."""
        return self.emitted + len(self.agents) - 1

    @property
    def kernel_roundings(self) -> int:
        """The same for `kernel_adjoint`: all sums over rows and U, in any order, then the group's other kernels."""
        return self.rows * self.spread + self.kernel.size + 2 * len(self.agents)

    @cached_property
    def _single(self) -> Array:
        """The kernel in single precision."""
        return self.kernel.astype(np.float32)

    def forward(self, table: Array, out: Array, b: int) -> None:
        """Write the step's result for `b` flat tables into `out`, both in double or both in single precision."""
        rows, G, new = b * self.rows, self.contracted, self.emitted
        kernel = self.kernel if table.dtype == np.float64 else self._single
        if self.form == "right":
            np.matmul(table.reshape(rows, G), kernel, out=out.reshape(rows, new))
        elif self.form == "left":
            runs, axes = self._runs, self._runs_first
            np.matmul(
                kernel,
                table.reshape(rows, G, *runs).transpose(axes),
                out=out.reshape(rows, new, *runs).transpose(axes),
            )
        else:
            spread = self.spread
            pointwise(table.reshape(rows, G, spread), kernel, out.reshape(rows, new, spread))

    def adjoint(self, weights: Array, out: Array, b: int) -> None:
        """Write the adjoint's result for `b` flat tables into `out`: sums over s_new, spreads over s'_G."""
        rows, G, new = b * self.rows, self.contracted, self.emitted
        if self.form == "right":
            np.matmul(weights.reshape(rows, new), self.kernel.T, out=out.reshape(rows, G))
        elif self.form == "left":
            runs, axes = self._runs, self._runs_first
            np.matmul(
                self.kernel.swapaxes(-1, -2),
                weights.reshape(rows, new, *runs).transpose(axes),
                out=out.reshape(rows, G, *runs).transpose(axes),
            )
        else:
            spread = self.spread
            pointwise_adjoint(weights.reshape(rows, new, spread), self.kernel, out.reshape(rows, G, spread))

    def kernel_adjoint(self, table: Array, weights: Array) -> dict[int, Array]:
        """∂⟨weights, step(table)⟩ / ∂P̄_j for each agent j of the group, of P̄_j's shape."""
        rows, G, new = self.rows, self.contracted, self.emitted
        before = [k for k in self.present if k not in self.new]
        shared = [k for k in before if any(k in self.hoods[j] for j in self.agents)]
        if self.form == "right":
            joint = weights.reshape(rows, new).T @ table.reshape(rows, G)
        elif self.form == "left":
            x = table.reshape(rows, G, *self._runs).transpose(self._runs_first)
            y = weights.reshape(rows, new, *self._runs).transpose(self._runs_first)
            kept = [k + 1 for k, (_, is_shared) in enumerate(self.blocks) if is_shared]
            dropped = tuple(k for k in range(x.ndim - 2) if k not in kept)
            joint = np.matmul(y, x.swapaxes(-1, -2)).sum(axis=dropped)
        else:
            spread = np.zeros((self.spread, new, G))
            pointwise_kernel(table.reshape(rows, G, self.spread), weights.reshape(rows, new, self.spread), spread)
            dropped = tuple(k for k, agent in enumerate(before) if agent not in shared)
            joint = spread.reshape([*(self.sizes[k] for k in before), new, G]).sum(axis=dropped)
        states = [*shared, *self.new]
        joint = joint.reshape([self.sizes[k] for k in states] + [self.sizes[j] for j in self.agents])
        axes = [("s", k) for k in states] + [("s'", j) for j in self.agents]
        result = {}
        for j, _ in self.factors:
            others = joint
            for k, factor in self.factors:
                if k != j:
                    others = others * _aligned(factor, self._labels(k), axes)
            wanted = self._labels(j)
            summed = tuple(a for a, label in enumerate(axes) if label not in wanted)
            kept_labels = [label for label in axes if label in wanted]
            result[j] = others.sum(axis=summed).transpose([kept_labels.index(label) for label in wanted])
        return result

    def _labels(self, j: int) -> list[tuple[str, int]]:
        return [*(("s", k) for k in self.hoods[j]), ("s'", j)]


class Choice(NamedTuple):
    """What the graph alone decides about a step: its form, its group and the order of the axes."""

    form: str
    group: tuple[int, ...]
    new: tuple[int, ...]
    present: tuple[int, ...]
    shared: tuple[int, ...]
    entries: int


@lru_cache(maxsize=4096)
def choose_steps(
    hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], eliminated: tuple[int, ...], largest_group: int
) -> tuple[Choice, ...]:
    """The steps that sum out `eliminated` in this order, each the cheapest continuation of the last."""
    steps: list[Choice] = []
    present: tuple[int, ...] = ()
    entries, start = math.prod(sizes[j] for j in eliminated), 0
    while start < len(eliminated):
        step = _choose_step(hoods, sizes, eliminated[start:], present, entries, largest_group)
        steps.append(step)
        start += len(step.group)
        present = (*step.new, *present)
        entries //= math.prod(sizes[j] for j in step.group)
    return tuple(steps)


def _choose_step(
    hoods: tuple[tuple[int, ...], ...],
    sizes: tuple[int, ...],
    eliminated: tuple[int, ...],
    present: tuple[int, ...],
    entries: int,
    largest_group: int,
) -> Choice:
    """The cheapest next step per agent, by a rough model of matrix products and memory passes.

    eliminated : the agents still to go, in order; the step takes a prefix.
    present    : U, the states in the table. entries : product of the sizes of the primed axes still in the table.
    """
    last_use = {k: position for position, j in enumerate(eliminated) for k in hoods[j]}
    spread = math.prod(sizes[k] for k in present)
    best: tuple[float, int, str, tuple[int, ...], tuple[int, ...]] | None = None
    reached: set[int] = set()
    for count in range(1, min(largest_group, len(eliminated)) + 1):
        reached.update(hoods[eliminated[count - 1]])
        fresh = sorted(reached - set(present), key=lambda k: (-last_use[k], k))
        shared = tuple(k for k in present if k in reached)
        G = math.prod(sizes[j] for j in eliminated[:count])
        new = math.prod(sizes[k] for k in fresh)
        kernel = G * new * math.prod(sizes[k] for k in shared)
        rows = entries // G
        if count > 1 and (G > LARGEST_GROUP or kernel > LARGEST_KERNEL):
            break
        run = math.prod(sizes[k] for k in present[_run_start(present, shared) :])
        work = rows * spread * new * G
        touched = rows * spread * (new + G)
        beyond = touched > CACHED
        traffic = touched * TRAFFIC[beyond]
        candidates = []
        if not present:
            candidates.append(("right", work / min(RIGHT_MOST[beyond], RIGHT_SPEED * min(G, new) + 1) + traffic))
        elif run >= SHORTEST_RUN:
            speed = min(LEFT_MOST[beyond], LEFT_SPEED * min(G, new) + 1, LEFT_RUN_SPEED * run)
            candidates.append(("left", work / speed + traffic + rows * (spread // run) * LEFT_PRODUCT))
        if count == 1 and present:
            speed = PASS_SPEED if spread >= LONG_PASS else SHORT_PASS_GROWTH * spread + SHORT_PASS_SPEED
            candidates.append(("pointwise", work / speed + traffic + SPREADING * spread * new * G))
        for form, time in candidates:
            per_agent = (time + kernel + A_STEP) / count
            if best is None or per_agent < best[0]:
                best = (per_agent, count, form, tuple(fresh), shared)
    assert best is not None, "one agent can always be eliminated"
    _, count, form, new_axes, shared = best
    return Choice(form, tuple(reversed(eliminated[:count])), new_axes, present, shared, entries)


def build_step(
    P_bar: Sequence[Array],
    hoods: tuple[tuple[int, ...], ...],
    sizes: tuple[int, ...],
    choice: Choice,
    known: dict[Choice, Step],
) -> Step:
    """The step of this `choice` with its kernel, the product of the P̄_j of its group.

    known : steps made before from the same P̄; the sums over different tables share most of their kernels.
    """
    likewise = choice._replace(entries=0)
    step = known.get(likewise)
    if step is None:
        step = _new_step(P_bar, hoods, sizes, choice)
        if step.kernel.size <= LARGEST_KERNEL:
            known[likewise] = step
    return replace(step, rows=choice.entries // step.contracted)


def _new_step(
    P_bar: Sequence[Array], hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], choice: Choice
) -> Step:
    form, group, new, present, shared, entries = choice
    factors = tuple((j, P_bar[j]) for j in group)
    states = [("s", k) for k in shared] + [("s", k) for k in new]
    primes = [("s'", j) for j in group]
    axes = primes + states if form != "left" else states + primes
    shape = [sizes[k] for _, k in axes]
    kernel = np.ones([1] * len(axes))
    for j, factor in factors:
        kernel = kernel * _aligned(factor, [*(("s", k) for k in hoods[j]), ("s'", j)], axes)
    kernel = np.broadcast_to(kernel, shape)
    G, emitted = math.prod(sizes[j] for j in group), math.prod(sizes[k] for k in new)
    cut = _run_start(present, shared) if form == "left" else len(present)
    blocks = _runs(present[:cut], shared, sizes)
    if form == "right":
        kernel = np.ascontiguousarray(kernel).reshape(G, emitted)
    elif form == "left":
        runs = [entries_ if is_shared else 1 for entries_, is_shared in blocks]
        kernel = np.ascontiguousarray(kernel).reshape([*runs, emitted, G])
        blocks = (*blocks, (math.prod(sizes[k] for k in present[cut:]), False))
    else:
        lead = len(group)
        where = {k: lead + a for a, k in enumerate((*shared, *new))}
        order = [*range(lead), *(where[k] for k in new), *(where[k] for k in shared)]
        spread_shape = [*(sizes[j] for j in group), *(sizes[k] for k in new)]
        moved = kernel.transpose(order).reshape([*spread_shape, *(sizes[k] if k in shared else 1 for k in present)])
        full = np.broadcast_to(moved, [*spread_shape, *(sizes[k] for k in present)])
        kernel = np.ascontiguousarray(full).reshape(G, emitted, -1)
    return Step(form, group, new, (*new, *present), entries // G, G, emitted, blocks, kernel, factors, hoods, sizes)


def _run_start(present: tuple[int, ...], shared: tuple[int, ...]) -> int:
    """Where the last run of axes that are not shared begins."""
    cut = len(present)
    while cut and present[cut - 1] not in shared:
        cut -= 1
    return cut


def _runs(present: tuple[int, ...], shared: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[tuple[int, bool], ...]:
    runs: list[tuple[int, bool]] = []
    for k in present:
        is_shared = k in shared
        if runs and runs[-1][1] == is_shared:
            runs[-1] = (runs[-1][0] * sizes[k], is_shared)
        else:
            runs.append((sizes[k], is_shared))
    return tuple(runs)


def _aligned(factor: Array, labels: Sequence[tuple[str, int]], axes: Sequence[tuple[str, int]]) -> Array:
    """`factor`, whose axes are `labels`, transposed and padded with axes of length 1 to the list `axes`."""
    where = {label: a for a, label in enumerate(labels)}
    present = [label for label in axes if label in where]
    moved = factor.transpose([where[label] for label in present])
    return moved.reshape([factor.shape[where[label]] if label in where else 1 for label in axes])


# The pointwise step: one agent's next state is summed out, its kernel spread over U.
#
# Small tables go through numpy, which needs no compiler; large ones through `compiled`, loaded on first use. The choice
# depends on the sizes only, so results do not depend on what ran before.

#: Multiply-adds of one step from which the compiled pass is worth loading a compiler.
COMPILED = 1 << 18


def pointwise(table: Array, kernel: Array, out: Array) -> None:
    """out(rows, new, U) = Σ_{s'} kernel(s', new, U) table(rows, s', U)."""
    if out.size * len(kernel) < COMPILED:
        np.einsum("rgu,geu->reu", table, kernel, out=out)
        return
    from sacrepro.exact.product.pointwise import forward

    forward(table, kernel, out)


def pointwise_adjoint(weights: Array, kernel: Array, out: Array) -> None:
    """out(rows, s', U) = Σ_new kernel(s', new, U) weights(rows, new, U)."""
    if out.size * kernel.shape[1] < COMPILED:
        np.einsum("reu,geu->rgu", weights, kernel, out=out)
        return
    from sacrepro.exact.product.pointwise import adjoint

    adjoint(weights, kernel, out)


def pointwise_kernel(table: Array, weights: Array, out: Array) -> None:
    """out(U, new, s') += Σ_rows table(rows, s', U) weights(rows, new, U)."""
    if table.size * weights.shape[1] < COMPILED:
        out += np.einsum("rgu,reu->ueg", table, weights)
        return
    from sacrepro.exact.product.pointwise import kernel_adjoint

    kernel_adjoint(table, weights, out)
