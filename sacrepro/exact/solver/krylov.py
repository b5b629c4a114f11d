"""A first iterate for V_i^θ from its light cone: the best combination of r_i, P r_i, P² r_i, …

W_t = (P^θ)^t r_i lives on N_i^t, so the first tables are tiny, and x = Σ_t c_t W_t leaves the residual

    r_i - (I - γP) x = r_i - Σ_t c_t (W_t - γ W_{t+1}),

which is known without another product. GMRES chooses c in this space so that the residual is least in the 2-norm; here
it is least on a sample of joint states, which is as good and needs no sums over the large tables. Value iteration is
c_t = γ^t, and takes about twice as many products. Nothing is promised about the result: the certificate judges it.

Saad, Schultz (1986), GMRES.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from sacrepro.exact.chain import Chain
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import sup
from sacrepro.model.checks import Array

#: Joint states on which the combination is chosen.
SAMPLE = 256

#: Most powers of P that are combined.
MOST_POWERS = 20

#: Tables over up to this many entries are cheaper than another operator: the cone then grows by several hops at once.
FREE_ENTRIES = 1 << 10

#: Large tables are kept and multiplied in single precision once its rounding is this share of the residual aimed at,
#: where that residual is in this range: single precision ends at 2¹²⁸, and below 2⁻¹²⁶ it loses digits.
SINGLE_ENTRIES, SINGLE_UNIT, SINGLE_SHARE, SINGLE_RANGE = 1 << 14, 2.0**-24, 0.15, (2.0**-64, 2.0**48)

#: Powers over all joint states that are kept at once: fewer where each is large.
SMALL_TABLE, POWERS_KEPT, LARGE_POWERS_KEPT = 1 << 20, 20, 2


def kept_entries(entries: int) -> int:
    """Most entries of the powers that are kept at once on `entries` joint states."""
    return entries * (POWERS_KEPT if entries <= SMALL_TABLE else LARGE_POWERS_KEPT)


def krylov_start(chain: Chain, axes: tuple[int, ...], reward: Array, tol: float, out: Array) -> int:
    """Write x ≈ Σ_t γ^t P^t r to `out`, flat in memory order over all agents; returns the products taken.

    axes, reward : r as a flat table over these agents, in memory order; `out` itself may hold it.
    tol : error at which more powers are no use.
    """
    sizes, gamma = chain.sizes, chain.gamma
    powers = _Powers(chain, tol)
    middle = 0.5 * (float(reward.min()) + float(reward.max()))
    # MacQueen's bounds meet `tol` when the residual spans 2 tol (1-γ)/γ; the last step below shrinks it further.
    goal = 1.5 * tol * (1.0 - gamma)
    table = reward - middle
    now = table[_sampled(axes, sizes)]
    table = _shortened(table, now, goal)
    tables = [(axes, table)]
    fit = _Fit(now)
    kept, most_kept = table.nbytes // 8, kept_entries(chain.entries)
    while fit.span > goal and len(tables) <= MOST_POWERS and kept <= most_kept:
        table, axes = powers.following(table, axes)
        following = table[_sampled(axes, sizes)].astype(np.float64, copy=False)
        if not fit.add(now - gamma * following):
            break
        table = _shortened(table, following, goal)
        now = following
        tables.append((axes, table))
        kept += table.nbytes // 8
    # One step of value iteration from x is known too: r + γ P x = r + γ Σ_t c_t W_{t+1}.
    memory = chain.operator.memory_in
    # Those in single precision are small, and lose nothing when they are summed by themselves.
    sums: dict[np.dtype[Any], tuple[Array, tuple[int, ...]]] = {}
    for weight, (wider, table) in zip([1.0, *(gamma * c for c in fit.coefficients())], tables, strict=True):
        total, axes = sums.get(table.dtype, (None, ()))
        summand = np.multiply(table, weight, dtype=table.dtype)
        sums[table.dtype] = (summand, wider) if total is None else _sum(total, axes, summand, wider, sizes, memory)
    (total, axes), *single = sums.values()
    whole = out.reshape([sizes[j] for j in memory])
    shaped = total.reshape([sizes[j] if j in axes else 1 for j in memory])
    np.add(shaped, middle / (1.0 - gamma), out=whole, dtype=np.float64)
    for total, axes in single:
        whole += total.reshape([sizes[j] if j in axes else 1 for j in memory])
    return powers.products


def _shortened(table: Array, sampled: Array, goal: float) -> Array:
    """The table, in single precision where it is large and its rounding small beside `goal`, which is in range."""
    if table.dtype == np.float32 or table.size < SINGLE_ENTRIES or not SINGLE_RANGE[0] <= goal <= SINGLE_RANGE[1]:
        return table
    # A sample tells most tables that are too large; an entry that it misses may be beyond single precision.
    largest = SINGLE_SHARE * goal / SINGLE_UNIT
    return table.astype(np.float32) if float(np.ptp(sampled)) <= largest and sup(table) <= largest else table


class _Powers:
    """P^θ on tables over a few agents: a state at the rim along which a table hardly moves is left out."""

    def __init__(self, chain: Chain, tol: float) -> None:
        self.chain = chain
        self.negligible = 0.05 * tol * (1.0 - chain.gamma)
        self.products = 0
        self._support: frozenset[int] = frozenset()
        self._operator: FactoredOperator | None = None

    def following(self, table: Array, axes: tuple[int, ...]) -> tuple[Array, tuple[int, ...]]:
        """P^θ table, centred, and its agents in memory order."""
        sizes = self.chain.sizes
        if self._operator is None or not self._support.issuperset(axes) or self._wasteful(axes):
            self._support = self._reach(axes)
            everyone = len(self._support) == self.chain.n
            self._operator = self.chain.operator if everyone else self.chain.cone(tuple(self._support))
        operator = self._operator
        self.products += 1
        result = operator.forward(_spread(table, axes, operator.memory_in, sizes)[None])[0]
        reached = set().union(*(self.chain.hoods[j] for j in axes))
        result, kept = _first_of(result, operator.memory_out, reached, sizes)
        if result.size > FREE_ENTRIES:
            result, kept = _without_negligible(result, kept, set(axes), sizes, self.negligible)
        # Constants do not matter, and small numbers round less.
        result -= result[0]
        return result, kept

    def _wasteful(self, axes: tuple[int, ...]) -> bool:
        sizes = self.chain.sizes
        entries = math.prod(sizes[j] for j in self._support)
        return entries > FREE_ENTRIES and entries > math.prod(sizes[j] for j in axes)

    def _reach(self, axes: tuple[int, ...]) -> frozenset[int]:
        """`axes`, and as many hops around them as are free."""
        hoods, sizes = self.chain.hoods, self.chain.sizes
        support = frozenset(axes)
        while True:
            wider = support.union(*(hoods[j] for j in support))
            if wider == support or math.prod(sizes[j] for j in wider) > FREE_ENTRIES:
                return support
            support = wider


class _Fit:
    """Least squares on a sample, one column at a time: columns W_t - γ W_{t+1} and a constant, right side W_0."""

    def __init__(self, right: Array) -> None:
        self.right = right
        self.basis = np.empty((MOST_POWERS + 1, SAMPLE))
        self.basis[0] = SAMPLE**-0.5
        self.triangle = np.zeros((MOST_POWERS + 1, MOST_POWERS + 1))
        self.columns = 0
        # A constant column costs nothing: it moves x by a constant.
        self.residual = right - right.mean()
        self.span = float(np.ptp(right))

    def add(self, column: Array) -> bool:
        """One more column; False where it is a combination of the others up to rounding."""
        count = self.columns + 1
        known = self.basis[:count]
        # Orthogonalised twice: once leaves what rounding makes of nearly dependent columns.
        part = known @ column
        rest = column - part @ known
        again = known @ rest
        rest -= again @ known
        size = math.sqrt(rest @ rest)
        if size <= 1e-13 * math.sqrt(column @ column):
            return False
        self.triangle[:count, count] = part + again
        self.triangle[count, count] = size
        rest /= size
        self.basis[count] = rest
        self.columns = count
        rest *= rest @ self.residual
        self.residual -= rest
        self.span = float(self.residual.max() - self.residual.min())
        return True

    def coefficients(self) -> Array:
        """c_0, c_1, …"""
        part = slice(1, self.columns + 1)
        return np.linalg.solve(self.triangle[part, part], self.basis[part] @ self.right)


@lru_cache(maxsize=4)
def _sample(sizes: tuple[int, ...]) -> Array:
    """`SAMPLE` joint states, one a row."""
    return np.random.default_rng(0).integers(0, sizes, size=(SAMPLE, len(sizes)))


@lru_cache(maxsize=512)
def _sampled(axes: tuple[int, ...], sizes: tuple[int, ...]) -> Array:
    """Where the sampled joint states stand in a flat table over `axes`."""
    strides = np.cumprod([1, *(sizes[j] for j in reversed(axes))])[-2::-1]
    return _sample(sizes)[:, axes] @ strides


def _spread(table: Array, axes: tuple[int, ...], wider: tuple[int, ...], sizes: tuple[int, ...]) -> Array:
    """A flat table over `axes` as one over `wider`, both in memory order."""
    if axes == wider:
        return table
    shape = [sizes[j] if j in axes else 1 for j in wider]
    return np.ascontiguousarray(np.broadcast_to(table.reshape(shape), [sizes[j] for j in wider])).reshape(-1)


def _sum(
    one: Array,
    axes: tuple[int, ...],
    other: Array,
    wider: tuple[int, ...],
    sizes: tuple[int, ...],
    order: tuple[int, ...],
) -> tuple[Array, tuple[int, ...]]:
    """one + other and its axes, flat tables over `axes` and `wider`; either may be overwritten."""
    if axes == wider:
        other += one
        return other, wider
    if not set(axes) <= set(wider):
        if not set(wider) <= set(axes):
            union = tuple(j for j in order if j in axes or j in wider)
            one, axes = _spread(one, axes, union, sizes), union
        one, axes, other, wider = other, wider, one, axes
    shaped = other.reshape([sizes[j] for j in wider])
    shaped += one.reshape([sizes[j] if j in axes else 1 for j in wider])
    return other, wider


def _first_of(
    table: Array, axes: tuple[int, ...], kept: Iterable[int], sizes: tuple[int, ...]
) -> tuple[Array, tuple[int, ...]]:
    """A flat table without the axes outside `kept`, along which it is constant."""
    inside = set(kept)
    if inside.issuperset(axes):
        return table, axes
    index = tuple(slice(None) if j in inside else 0 for j in axes)
    shaped = table.reshape([sizes[j] for j in axes])[index]
    return np.ascontiguousarray(shaped).reshape(-1), tuple(j for j in axes if j in inside)


def _without_negligible(
    table: Array, axes: tuple[int, ...], keep: set[int], sizes: tuple[int, ...], negligible: float
) -> tuple[Array, tuple[int, ...]]:
    """`table` without the axes outside `keep` along which it moves by at most `negligible`: midpoints replace them."""
    kept = list(axes)
    for j in axes:
        if j in keep:
            continue
        after = math.prod(sizes[k] for k in kept[kept.index(j) + 1 :])
        shaped = table.reshape(-1, sizes[j], after)
        # A few entries tell most tables that move.
        few = shaped[:: len(shaped) // 16 + 1, :, :: after // 16 + 1]
        if float(np.ptp(few, axis=1).max()) > negligible:
            continue
        low, high = shaped.min(axis=1), shaped.max(axis=1)
        if float((high - low).max()) <= negligible:
            table = (0.5 * (low + high)).reshape(-1)
            kept.remove(j)
    return table, tuple(kept)


# BiCGSTAB as the solvers of slow chains use it: a correction that helps, or none.

#: Up to this many joint states a chain that BiCGSTAB does not help is solved as a dense linear system.
LARGEST_DENSE = 1 << 11


def halving_correction(product: Callable[[Array], Array], right: Array, goal: float, steps: int) -> Array | None:
    """x with product(x) close to `right`, both of shape (entries,), by `steps` of BiCGSTAB at most.

    None unless x at least halves the residual in 2-norm or brings it below `goal`: BiCGSTAB may break down or diverge.
    """
    from scipy.sparse.linalg import LinearOperator, bicgstab

    linear = LinearOperator((right.size, right.size), matvec=product, dtype=np.float64)
    # Squares of small or large numbers leave the range, and scipy's bound for a breakdown is absolute.
    scale = math.ldexp(0.5, math.frexp(sup(right))[1]) or 1.0
    right, goal = right / scale, goal / scale
    # An x that diverged shows by numbers that are not finite, which compare as False.
    with np.errstate(all="ignore"):
        x, _ = bicgstab(linear, right, rtol=0.0, atol=goal, maxiter=steps)
        helped = np.linalg.norm(right - product(x)) <= max(0.5 * float(np.linalg.norm(right)), goal)
    return np.asarray(x) * scale if helped else None


def corrected(
    apply: Callable[[Array], Array], gamma: float, right: Array, goal: float, steps: int, again: bool
) -> tuple[Array | None, int]:
    """(x, products): (I - γP) x ≈ right by `halving_correction`, of `apply`, which is P or its adjoint on rows.

    again : whether an earlier try with fewer steps did not help; small systems are then solved as they are.
    """
    count = 0

    def product(x: Array) -> Array:
        nonlocal count
        count += 1
        return x - gamma * apply(x[None])[0]

    if again and right.size <= LARGEST_DENSE:
        return np.linalg.solve(np.eye(right.size) - gamma * apply(np.eye(right.size)).T, right), 1
    x = halving_correction(product, right, goal, steps)
    return x, count


def solve_correction(
    gamma: float, operator: FactoredOperator, delta: Array, V: Array, tol: float, steps: int, again: bool
) -> tuple[int, bool]:
    """Add to V an approximate solution x of (I - γP) x = γPδ, by BiCGSTAB where large; returns the products taken.

    The second result says whether x at least halves the residual; else V stays as it was. again : as of `corrected`.
    """
    if sup(delta) == 0.0:
        return 0, True
    # V already took one step: V = T V_old, so the correction from there solves (I - γP) x = γ P δ.
    right = gamma * operator.forward(delta[None])[0]
    right -= 0.5 * (right.min() + right.max())
    x, count = corrected(operator.forward, gamma, right, 0.1 * tol * (1.0 - gamma) * delta.size**0.5, steps, again)
    if x is not None:
        V += x
    return 1 + count, x is not None
