"""Local kernels of every kind behind one interface: the law of s_i' given what agent i sees, one row for each sight.

| kernel        | one row for each                                        | of                                      |
|---------------|---------------------------------------------------------|-----------------------------------------|
| `TableKernel` | (s_{N_i}, a_i)                                          | `NetworkedMDP`, eq. (1)                 |
| `SumKernel`   | (s_i, Σ_{j≠i} s_j, a_i)                                 | `CountedMDP`                            |
| `CountKernel` | (s_i, a_i, how many of the neighbors are in each state) | network files                           |
| `PairKernel`  | (s_{N_i}, a_{N_i})                                      | `CoupledMDP`                            |

Where the neighbors enter through a sum or through counts, an agent of degree d with two states needs d + 1 rows for
each (s_i, a_i), not 2^d.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import ClassVar, NamedTuple, Self

import numpy as np

from sacrepro.model.checks import Array

#: Numbers of compositions that are kept to look counts up.
MOST_CODES = 1 << 24

#: ((w_j), (v_j)), one weight for each agent of N_i.
Strides = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False, repr=False)
class Kernel(ABC):
    """P_i of one agent, or of agents that are alike, stacked.

    rows    : (R, S_i), laws of s_i'; with a leading axis over agents that are alike, (m, R, S_i).
    sizes   : S_j of the agents of N_i, sorted, i included.        actions : their A_j.
    own     : the place of i among them.
    """

    rows: Array
    sizes: tuple[int, ...]
    actions: tuple[int, ...]
    own: int

    #: Whether neighbors of one size may change places: the order of `sizes` is then free.
    symmetric: ClassVar[bool] = False

    @abstractmethod
    def strides(self) -> Strides | None:
        """((w_j), (v_j)) with row = Σ_j w_j s_j + v_j a_j over N_i, or None where the row is not linear."""

    @abstractmethod
    def table(self) -> Array:
        """The kernel over all that N_i does: (S_j for j in N_i) + (A_i, S_i), for pairs + (A_j for j in N_i) + (S_i,).

        It has as many entries as that makes: callers refuse what is too large, naming the agent.
        """

    @abstractmethod
    def varied(self, k: int) -> Array:
        """Rows by the value of argument k: (values, everything else, S_i), after the axis of stacked agents.

        The argument is s_j, for i itself the pair (s_i, a_i), and (s_j, a_j) in kernels of pairs.
        """

    def averaged(self) -> Self:
        """The kernel of the uniform policy, whose agents have one action."""
        return replace(self, rows=self._mean(), actions=(1,) * len(self.actions))

    def _mean(self) -> Array:
        """The rows averaged over actions, which are innermost."""
        return self._shaped(-1, self.A).mean(axis=-2)

    def row(self, s: Sequence[Array] | Array, a: Sequence[Array] | Array) -> Array:
        """Number of the row at (s_{N_i}, a_{N_i}): one integer array for each agent of N_i, broadcast."""
        strides = self.strides()
        assert strides is not None, "a kernel whose rows are not linear says where they are"
        terms = [w * x for w, x in zip(strides[0], s, strict=True)]
        terms += [v * x for v, x in zip(strides[1], a, strict=True) if v]
        return np.asarray(sum(terms))

    def arguments(self) -> list[Hashable]:
        """One name for each argument of `varied`; what has equal names moves the law alike."""
        if not self.symmetric:
            return list(range(len(self.sizes)))
        return [-1 if k == self.own else S_j for k, S_j in enumerate(self.sizes)]

    def ordered(self) -> tuple[Kernel, list[int] | None]:
        """The kernel of its group in `alike`, and the places of N_i in its order, None where that is their own.

        Where neighbors may change places, i comes first and they follow by size, whoever they are.
        """
        if not self.symmetric:
            return self, None
        order = sorted(range(len(self.sizes)), key=lambda k: (k != self.own, self.sizes[k]))
        actions = (self.A,) * len(order)
        return replace(self, sizes=tuple([self.sizes[k] for k in order]), actions=actions, own=0), order

    @property
    def S(self) -> int:
        """S_i."""
        return self.sizes[self.own]

    @property
    def A(self) -> int:
        """A_i."""
        return self.actions[self.own]

    @property
    def _lead(self) -> tuple[int, ...]:
        return self.rows.shape[:-2]

    def _shaped(self, *shape: int) -> Array:
        """The rows with these axes in place of theirs, and S_i."""
        return self.rows.reshape(*self._lead, *shape, self.S)

    def _first(self, table: Array, argument: Sequence[int]) -> Array:
        """`table`, S_i last, with the axes of the argument as one and all others as one."""
        lead = len(self._lead)
        moved = [lead + axis for axis in argument]
        others = [axis for axis in range(lead, table.ndim - 1) if axis not in moved]
        values = math.prod(table.shape[axis] for axis in moved)
        ordered = table.transpose(*range(lead), *moved, *others, table.ndim - 1)
        return ordered.reshape(*self._lead, values, -1, table.shape[-1])

    def _own_strides(self, own: int, others: Sequence[int], action: int) -> Strides:
        states = [*others]
        states[self.own] = own
        return tuple(states), tuple(action if k == self.own else 0 for k in range(len(self.sizes)))


class TableKernel(Kernel):
    """One row for each (s_{N_i}, a_i), in row-major order."""

    def strides(self) -> Strides:
        """Row-major, the action innermost."""
        weights = _row_major((*self.sizes, self.A))
        return self._own_strides(weights[self.own], weights[:-1], 1)

    def table(self) -> Array:
        """The rows as they are."""
        return self._shaped(*self.sizes, self.A)

    def varied(self, k: int) -> Array:
        """As in `Kernel`."""
        return self._first(self.table(), [k, len(self.sizes)] if k == self.own else [k])


class SumKernel(Kernel):
    """One row for each (s_i, k, a_i), k = Σ_{j≠i} s_j."""

    symmetric = True

    @property
    def sums(self) -> int:
        """How many values k has."""
        return sum(self.sizes) - self.S - len(self.sizes) + 2

    def strides(self) -> Strides:
        """All neighbors have the stride of the sum."""
        return self._own_strides(self.sums * self.A, [self.A] * len(self.sizes), 1)

    def table(self) -> Array:
        """As in `Kernel`."""
        states = np.indices(self.sizes, sparse=True)
        k = np.broadcast_to(sum(states) - states[self.own], self.sizes)
        return self._shaped(self.S, self.sums, self.A)[..., np.broadcast_to(states[self.own], self.sizes), k, :, :]

    def varied(self, k: int) -> Array:
        """As in `Kernel`; neighbor j moves the sum of the others by any of its states."""
        table, lead = self._shaped(self.S, self.sums, self.A), len(self._lead)
        if k == self.own:
            return self._first(table, [0, 2])
        others = np.arange(self.sums - self.sizes[k] + 1)
        return self._first(np.take(table, others[:, None] + np.arange(self.sizes[k]), axis=lead + 1), [2])


class CountKernel(Kernel):
    """One row for each (s_i, a_i, composition of the neighbors' states), or each (s_i, a_i) if they do not matter.

    All neighbors have the same number of states.
    """

    symmetric = True

    @property
    def degree(self) -> int:
        """Number of neighbors."""
        return len(self.sizes) - 1

    @property
    def beside(self) -> int:
        """Number of states that each neighbor has."""
        return self.sizes[self.own - 1] if self.degree else 1

    @property
    def compositions(self) -> int:
        """K, the number of compositions that are told apart: 1 if the neighbors do not matter."""
        return self.rows.shape[-2] // (self.S * self.A)

    @property
    def coupled(self) -> bool:
        """Whether the neighbors matter."""
        return self.compositions > 1

    @property
    def laws(self) -> Array:
        """The rows as an array (S_i, A_i, K, S_i), after the axis of stacked agents."""
        return self._shaped(self.S, self.A, self.compositions)

    def strides(self) -> Strides | None:
        """Linear where the number of a composition is: for two states it is how many neighbors are in the second."""
        if self.coupled and self.beside > 2:
            return None
        K = self.compositions
        return self._own_strides(self.A * K, [int(self.coupled)] * len(self.sizes), K)

    def row(self, s: Sequence[Array] | Array, a: Sequence[Array] | Array) -> Array:
        """As in `Kernel`, by looking up the composition."""
        if self.strides() is not None:
            return super().row(s, a)
        beside = [x for k, x in enumerate(s) if k != self.own]
        counts = np.stack([np.asarray(sum(x == state for x in beside)) for state in range(self.beside)], axis=-1)
        return (s[self.own] * self.A + a[self.own]) * self.compositions + rank(counts, self.degree)

    def table(self) -> Array:
        """As in `Kernel`; the neighbors' axes are there even if they do not matter."""
        d, S, table, lead = self.degree, self.beside, self.laws, len(self._lead)
        if self.coupled:
            states = np.indices((S,) * d).reshape(d, -1)
            counts = np.stack([(states == x).sum(axis=0) for x in range(S)], axis=-1)
            table = np.take(table, rank(counts, d), axis=lead + 2)
        shaped = table.reshape(*table.shape[: lead + 2], *((S,) * d if self.coupled else (1,) * d), self.S)
        others = [lead + 2 + k for k in range(d)]
        order = (*range(lead), *others[: self.own], lead, *others[self.own :], lead + 1, lead + 2 + d)
        full = (*self._lead, *self.sizes, self.A, self.S)
        return np.ascontiguousarray(np.broadcast_to(shaped.transpose(order), full))

    def varied(self, k: int) -> Array:
        """As in `Kernel`; a neighbor in state x adds one to the count of x. One value where it does not matter."""
        lead = len(self._lead)
        if k == self.own:
            return self._first(self.laws, [0, 1])
        if not self.coupled:
            return self.rows[..., None, :, :]
        others = compositions(self.degree - 1, self.beside)
        moved = rank(others[:, None, :] + np.eye(self.beside, dtype=int), self.degree)
        return self._first(np.take(self.laws, moved, axis=lead + 2), [3])

    def _mean(self) -> Array:
        return self.laws.mean(axis=-3).reshape(*self._lead, -1, self.S)

    def of(self, row: int, own: int) -> CountKernel:
        """The kernel of one of the stacked agents, which stands at place `own` among its neighbors."""
        others = [S_j for k, S_j in enumerate(self.sizes) if k != self.own]
        actions = [A_j for k, A_j in enumerate(self.actions) if k != self.own]
        sizes = (*others[:own], self.S, *others[own:])
        return CountKernel(self.rows[row], sizes, (*actions[:own], self.A, *actions[own:]), own)


class PairKernel(Kernel):
    """One row for each (s_{N_i}, a_{N_i}), in row-major order."""

    def strides(self) -> Strides:
        """Row-major, states before actions."""
        weights = _row_major((*self.sizes, *self.actions))
        return weights[: len(self.sizes)], weights[len(self.sizes) :]

    def table(self) -> Array:
        """The rows as they are."""
        return self._shaped(*self.sizes, *self.actions)

    def varied(self, k: int) -> Array:
        """As in `Kernel`."""
        return self._first(self.table(), [k, len(self.sizes) + k])

    def _mean(self) -> Array:
        return self._shaped(-1, math.prod(self.actions)).mean(axis=-2)


class Alike(NamedTuple):
    """Agents whose kernels differ in their numbers alone.

    kernel : the kernel of the first.        rows : the different rows that there are, (R, S_i) each.
    agents : (m,).        which : (m,), where in `rows` those of each agent are.
    hoods  : (m, |N_i|), the agents that the arguments of the kernel belong to.
    """

    kernel: Kernel
    rows: Sequence[Array] | Array
    agents: Array
    which: Array
    hoods: Array


def alike(
    kernels: Sequence[Kernel], hoods: Sequence[Sequence[int]], agents: Sequence[int] | None = None
) -> list[Alike]:
    """The agents, 0, 1, … by default, in groups of like kernels. hoods : N_i of each, in the order of its kernel."""
    groups: dict[Hashable, _Group] = {}
    places: dict[int, tuple[_Group, int, list[int] | None]] = {}
    for i, kernel, hood in zip(range(len(kernels)) if agents is None else agents, kernels, hoods, strict=True):
        if id(kernel) not in places:
            first, order = kernel.ordered()
            key = (type(first), first.sizes, first.actions, first.own)
            group = groups.get(key) or groups.setdefault(key, _Group(first))
            places[id(kernel)] = (group, group.place(kernel.rows), order)
        group, place, order = places[id(kernel)]
        group.agents.append(i)
        group.which.append(place)
        group.hoods.append(hood if order is None else [hood[k] for k in order])
    return [
        Alike(group.kernel, group.rows, np.array(group.agents), np.array(group.which), np.array(group.hoods))
        for group in groups.values()
    ]


class _Group:
    """What becomes an `Alike`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.rows = kernel, list[Array]()
        self.agents, self.which, self.hoods = list[int](), list[int](), list[Sequence[int]]()
        self._known: dict[int, int] = {}

    def place(self, rows: Array) -> int:
        """Where these rows are among the different ones."""
        place = self._known.setdefault(id(rows), len(self.rows))
        if place == len(self.rows):
            self.rows.append(rows)
        return place


def _row_major(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


# Compositions: in how many ways neighbors are in each state, numbered.


def composition_count(degree: int, S: int) -> int:
    """How many ways there are to put `degree` neighbors into S states."""
    return math.comb(degree + S - 1, S - 1)


def compositions(degree: int, S: int) -> Array:
    """(k_0, …, k_{S-1}) with sum `degree`, in lexicographic order of (k_{S-1}, …, k_1); shape (K, S)."""
    if S == 1:
        return np.array([[degree]])
    if S == 2:
        k = np.arange(degree + 1)
        return np.stack([degree - k, k], axis=1)
    bars = np.array(list(combinations(range(degree + S - 1), S - 1)))
    edges = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), degree + S - 1)], axis=1)
    rows = np.diff(edges, axis=1) - 1
    return rows[np.lexsort(rows[:, 1:].T)]


def rank(counts: Array, degree: int) -> Array:
    """The row of `compositions` that holds each composition; counts of shape (…, S), result of shape (…)."""
    S = counts.shape[-1]
    if S <= 2:
        return counts[..., -1] if S == 2 else np.zeros(counts.shape[:-1], dtype=np.int64)
    weights = np.concatenate([[0], (degree + 1) ** np.arange(S - 1, dtype=object)]).astype(np.int64)
    return np.searchsorted(compositions(degree, S) @ weights, counts @ weights)


def ranks_fit(degree: int, S: int) -> bool:
    """Whether `rank` can number the compositions in 63 bits."""
    return (degree + 1) ** max(S - 1, 1) < 1 << 62


def codes(degree: int, S: int) -> tuple[Array, Array]:
    """(weight, number): the composition of neighbors in states s_j is row number[Σ_j weight[s_j]].

    Shapes (S,) and ((degree+1)^{S-1},). Raises ValueError where these are more than `MOST_CODES`.
    """
    if (degree + 1) ** (S - 1) > MOST_CODES:
        raise ValueError(f"{degree} neighbors of {S} states have more than {MOST_CODES} codes")
    weight = np.concatenate([[0], (degree + 1) ** np.arange(S - 1)])
    number = np.zeros((degree + 1) ** (S - 1), dtype=np.int64)
    rows = compositions(degree, S)
    number[rows @ weight] = np.arange(len(rows))
    return weight, number
