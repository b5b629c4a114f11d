"""P^θ as a matrix where there are few joint states: one LU decomposition of I - γP^θ serves V_i, π^θ and ∇J.

Which row of P̄_j belongs to a joint state is a matter of the graph and the sizes; these lists are cached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from sacrepro.model.checks import Array

#: Up to this many joint states the matrix is faster than the factored product: 2 to 8 times at 2⁴ … 2⁷, 1.5 at 2⁸.
MATRIX_ENTRIES = 1 << 8


@lru_cache(maxsize=64)
def local_rows(hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> Array:
    """For each of `hoods` and each joint state s, row-major, where s_{N_j} stands in a flat table over N_j."""
    entries = np.arange(math.prod(sizes))
    states = [entries // math.prod(sizes[k + 1 :]) % size for k, size in enumerate(sizes)]
    rows = []
    for hood in hoods:
        row = np.zeros_like(entries)
        for k in hood:
            row = row * sizes[k] + states[k]
        rows.append(row)
    return np.array(rows)


@lru_cache(maxsize=64)
def own_states(sizes: tuple[int, ...], agents: tuple[int, ...]) -> Array:
    """1 where agent j of `agents`, who all have S_j states, is in state x in joint state s, else 0: axes j, x, s."""
    rows = local_rows(tuple((j,) for j in agents), sizes)
    return (rows[:, None, :] == np.arange(sizes[agents[0]])[:, None]).astype(np.float64)


@lru_cache(maxsize=64)
def joint_rows(hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> Array:
    """The same in the flat tables one after the other."""
    lengths = [math.prod(sizes[k] for k in hood) for hood in hoods]
    return local_rows(hoods, sizes) + np.cumsum([0, *lengths[:-1]])[:, None]


@lru_cache(maxsize=64)
def local_entries(hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
    """Where P̄_j(x | s_{N_j}) stands in the flat P̄_0, P̄_1, … one after the other, axes (j, x) and s; S_0 + … + S_j."""
    rows, first, entries = local_rows(hoods, sizes), 0, []
    for row, hood, S_j in zip(rows, hoods, sizes, strict=True):
        entries.append(first + row * S_j + np.arange(S_j)[:, None])
        first += math.prod(sizes[k] for k in hood) * S_j
    return np.concatenate(entries), tuple(accumulate(sizes))


@lru_cache(maxsize=16)
def factor_entries(hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> list[Array]:
    """For the first agents and for the others, where Π_j P̄_j(x_j | s_{N_j}) has its factors: axes j, (x_j), s.

    The two have about equally many joint states; one part where there is one agent.
    """
    entries, ends = local_entries(hoods, sizes)
    cut = min(range(len(sizes)), key=lambda k: math.prod(sizes[:k]) + math.prod(sizes[k:]))
    parts = []
    for part in filter(None, (range(cut), range(cut, len(sizes)))):
        states = local_rows(tuple((k,) for k in range(len(part))), tuple(sizes[j] for j in part))
        parts.append(entries[states + np.array([[ends[j] - sizes[j]] for j in part])])
    return parts


def split_tables(flat: Array, tables: Sequence[Sequence[int]], sizes: Sequence[int]) -> tuple[Array, ...]:
    """The tables that stand one after the other in `flat`, each over the states of these agents: views."""
    shapes = [[sizes[k] for k in axes] for axes in tables]
    parts = np.split(flat, list(accumulate(math.prod(shape) for shape in shapes[:-1])))
    return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


class Stack(NamedTuple):
    """Agents of equally many states and actions, their tables one after the other, so that one call serves all.

    rows : which row (i, s_i) each row of the kernels is weighted by. P : (rows, A, S). r : (rows (i, s_i), A).
    ends : where each P̄_i but the last ends, flat.
    """

    agents: tuple[int, ...]
    rows: Array
    P: Array
    r: Array
    ends: tuple[int, ...]


def transposed(laws: Array, hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...]) -> Array:
    """P^θ with s' first, from the flat P̄_0, P̄_1, …; what leads them, one entry a policy, leads the result."""
    first, *others = [
        np.multiply.reduce(laws.take(entries, axis=-1), axis=-3) for entries in factor_entries(hoods, sizes)
    ]
    for other in others:
        first = first[..., :, None, :] * other[..., None, :, :]
    return first.reshape(*laws.shape[:-1], -1, first.shape[-1])


def product_roundings(sizes: tuple[int, ...]) -> int:
    """Roundings of an entry of P V or π P, inside P's entries and in the sum."""
    return math.prod(sizes) + len(sizes) - 1


@cache
def lapack() -> Any:
    """scipy's LAPACK, which is imported when the first system is solved."""
    from scipy.linalg import lapack

    return lapack


def solved(transposed: Array, rewards: Array, gamma: float) -> tuple[Array, Array, Array]:
    """(V, LU, pivots): V = r + γ P V for each row r; P is given as its transpose, for LAPACK takes columns first.

    I - γP is regular, for γ < 1.
    """
    system = transposed * -gamma
    diagonal = system.reshape(-1)[:: len(system) + 1]
    diagonal += 1.0
    lu, pivots, V, _ = lapack().dgesv(system.T, rewards.T, overwrite_a=True)
    return V.T, lu, pivots


def many_values(transposed: Array, rewards: Array, gamma: float) -> tuple[Array, Array]:
    """(V, r + γ P V - V) of each policy: P is transposed, (policies, S^n, S^n), r is (policies, agents, S^n)."""
    V = np.empty_like(rewards)
    for V_k, P_k, r_k in zip(V, transposed, rewards, strict=True):
        V_k[...] = solved(P_k, r_k, gamma)[0]
    return V, gamma * (V @ transposed) + rewards - V


class Matrix:
    """P^θ(s'|s) = Π_j P̄_j(s_j' | s_{N_j}) over joint states in row-major order, and I - γP^θ decomposed.

    P : shape (S^n, S^n). roundings : of an entry of P V or π P, inside P's entries and in the sum.
    """

    def __init__(self, laws: Array, hoods: tuple[tuple[int, ...], ...], sizes: tuple[int, ...], gamma: float) -> None:
        self.laws, self.hoods, self.sizes, self.gamma = laws, hoods, sizes, gamma
        self.P = transposed(laws, hoods, sizes).T
        self.roundings = product_roundings(sizes)
        self._decomposed: tuple[Array, Array] | None = None

    @property
    def kernel_roundings(self) -> int:
        """Roundings of an entry of `following_means` after it is summed over all joint states, as for `scores`."""
        return 2 * self.roundings + len(self.sizes)

    def following_means(self, V: Array) -> list[Array]:
        """E[V(s') | s, s_j' = x] for each agent j, axes x, s: what is left to s_j' of one product.

        Loops over s, which comes last, are long.
        """
        entries, ends = local_entries(self.hoods, self.sizes)
        local = np.split(self.laws.take(entries), ends[:-1])
        beyond = [np.ones((1, len(self.P)))]
        for own in local[:0:-1]:
            beyond.append((own[:, None] * beyond[-1]).reshape(-1, len(self.P)))
        table: Array = V.reshape(len(local[0]), -1)
        means: list[Array] = [table @ beyond.pop()]
        table = table.T @ local[0]
        for own in local[1:]:
            # Axes s_j', next states of later agents, s; next states of earlier agents are summed out.
            table = table.reshape(len(own), -1, own.shape[1])
            means.append(np.einsum("xrs,rs->xs", table, beyond.pop()))
            table = np.einsum("xrs,xs->rs", table, own)
        return means

    def scores(
        self, stacks: Sequence[Stack], zeta: Sequence[Array], V: Array, law: Array, shares: Sequence[float]
    ) -> dict[int, Array]:
        """`Chain.expected_score` of every agent, the agents of a stack at once. V, law : over joint states, flat."""
        means, blocks = self.following_means(V), dict[int, Array]()
        for agents, _, P, r, _ in stacks:
            rows, (A, S) = joint_rows(tuple(self.hoods[i] for i in agents), self.sizes), P.shape[1:]
            after = np.einsum("isax,ixs->isa", P[rows], np.stack([means[i] for i in agents]))
            own = own_states(self.sizes, agents)
            Q = np.array([shares[i] for i in agents])[:, None, None] * r.reshape(-1, S, A) * (own @ law)[..., None]
            Q += self.gamma * (own @ (law[:, None] * after))
            weights = np.stack([zeta[i] for i in agents])
            weighted = weights * Q
            gradient = (weighted - weights * weighted.sum(axis=-1, keepdims=True)) / (1.0 - self.gamma)
            blocks.update(zip(agents, gradient, strict=True))
        return blocks

    def values(self, rewards: Array) -> Array:
        """V = r + γ P V for each row r."""
        if self._decomposed is not None:
            return lapack().dgetrs(*self._decomposed, rewards.T)[0].T
        V, lu, pivots = solved(self.P.T, rewards, self.gamma)
        self._decomposed = lu, pivots
        return V

    def law(self, start: Array) -> Array:
        """π = start + γ π P, one vector."""
        if self._decomposed is None:
            self.values(np.zeros((1, len(start))))
        assert self._decomposed is not None
        return lapack().dgetrs(*self._decomposed, start, trans=1)[0]
