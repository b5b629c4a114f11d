"""The weight families of eq. (6) under which truncation and Lemma 4 are checked, and eq. (7) with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Protocol

import networkx as nx
import numpy as np

from sacrepro.exact.dense import gradient_from_q
from sacrepro.exact.truncation import (
    cell_law,
    cell_shape,
    conditional_law,
    outside_axes,
    over_outside,
    truncated_gradient_from,
)
from sacrepro.instances.extremal import latch
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood, sphere_sizes
from sacrepro.model.mdp import Model
from sacrepro.model.policy import pair_marginals, policies, score
from sacrepro.study.record.case import COMPARED, Case, once, uniform_case
from sacrepro.study.record.comparison import Left

NATURAL = "natural"
FAMILIES = ("uniform", "random", "sparse", "largest", "smallest", "opposed", NATURAL)


class Evaluated(Protocol):
    """A model under a policy, with the occupancy that the natural weights need; a `Case` is one."""

    @property
    def mdp(self) -> Model: ...

    @property
    def theta(self) -> tuple[Array, ...]: ...

    @property
    def pi_theta(self) -> Array: ...


def uniform_weights(shape: Sequence[int], hood: Sequence[int]) -> Array:
    """Weights of eq. (6) that are equal over the outside of every cell."""
    inside = int(np.prod(cell_shape(shape, hood)))
    return np.full(tuple(shape), inside / np.prod(shape))


def dirichlet_weights(shape: Sequence[int], hood: Sequence[int], rng: np.random.Generator) -> Array:
    """Random weights of eq. (6): uniform on the simplex, Dirichlet(1), independently in every cell."""
    draws = rng.standard_exponential(size=tuple(shape)) + np.finfo(float).tiny
    return draws / over_outside(np.add, draws, hood)


def sparse_weights(shape: Sequence[int], hood: Sequence[int], rng: np.random.Generator) -> Array:
    """Random weights of eq. (6) on at most two entries of every cell, split uniformly between them."""
    cells, outside = int(np.prod(cell_shape(shape, hood))), int(np.prod(shape)) // int(np.prod(cell_shape(shape, hood)))
    split = rng.random(cells)
    w = np.zeros((cells, outside))
    for share in (split, 1.0 - split):
        w[np.arange(cells), rng.integers(outside, size=cells)] += share
    return _from_cells(w, shape, hood)


def point_mass_weights(Q_i: Array, hood: Sequence[int], *, largest: bool | Array) -> Array:
    """The vertex of eq. (6) that selects the largest (or smallest) entry of Q_i in every cell.

    |Q̂_i - Q_i| is linear in w on a cell, so these vertices attain the worst case over all weights.
    largest : one choice for all cells, or one for each, broadcast against the shape of Q̂_i.
    """
    axes = outside_axes(hood, Q_i.ndim // 2)
    inside = tuple(axis for axis in range(Q_i.ndim) if axis not in axes)
    choice = np.broadcast_to(largest, cell_shape(Q_i.shape, hood)).ravel()
    flat = np.transpose(Q_i, inside + axes).reshape(choice.size, -1)
    chosen = np.where(choice, flat.argmax(axis=1), flat.argmin(axis=1))
    w = np.zeros(flat.shape)
    w[np.arange(choice.size), chosen] = 1.0
    return _from_cells(w, Q_i.shape, hood)


def _from_cells(w: Array, shape: Sequence[int], hood: Sequence[int]) -> Array:
    """A table over (s, a) from one row a cell, cells and outsides in row-major order."""
    axes = outside_axes(hood, len(shape) // 2)
    order = tuple(axis for axis in range(len(shape)) if axis not in axes) + axes
    return np.transpose(w.reshape([shape[axis] for axis in order]), np.argsort(order))


def spread_weights(case: Evaluated, shape: tuple[int, ...], i: int, kappa: int) -> Iterator[tuple[str, Array]]:
    """(name, w_i) for the families that are no point masses."""
    hood = neighborhood(case.mdp.graph, i, kappa)
    rng = np.random.default_rng((i, kappa))
    yield "uniform", uniform_weights(shape, hood)
    yield "random", dirichlet_weights(shape, hood, rng)
    yield "sparse", sparse_weights(shape, hood, rng)
    yield NATURAL, conditional_law(case.mdp, policies(case.mdp, case.theta), case.pi_theta, hood)


def truncations(case: Evaluated, Q_i: Array, i: int, kappa: int) -> dict[str, Array]:
    """Q̂_i for each family: uniform, two random ones, three choices of point masses, and the natural law.

    Bit for bit `truncate` with its weights. The point masses are the vertices at which each cell's truncation error is
    largest. ``opposed`` takes the largest entry where the first agent of the cell acts 0 and the smallest elsewhere, so
    that the errors do not cancel against that agent's score.
    """
    hood = neighborhood(case.mdp.graph, i, kappa)
    if len(hood) == case.mdp.n:
        return dict.fromkeys(FAMILIES, Q_i)
    low, high = over_outside(np.minimum, Q_i, hood), over_outside(np.maximum, Q_i, hood)
    first_acts: Array = np.indices(Q_i.shape, sparse=True)[case.mdp.n + hood[0]]
    found = {"largest": high, "smallest": low, "opposed": np.where(first_acts == 0, high, low)}
    for family, w in spread_weights(case, Q_i.shape, i, kappa):
        found[family] = over_outside(np.add, w * Q_i, hood)
    return {family: found[family] for family in FAMILIES}


# The worst weights of eq. (6) for Lemma 4, exactly: no family of weights can do more than these.
#
# ‖ĥ_i - ∇_{θ_i}J‖ is convex in the weights, so it is largest where every cell of every j ∈ N_i^κ takes the largest or
# the smallest entry of Q_j. The score of i depends on (s_i, a_i) alone and its blocks for different s_i are orthogonal,
# so which of the two is best depends on (s_i, a_i) alone, and each s_i is decided by itself: 2^{A_i} choices an s_i.

#: The name of these weights among the families of `weights`.
WORST = "worst of all"


@once
def worst_weights_errors(case: Case) -> dict[int, list[float]]:
    """sup over the weights of eq. (6) of ‖ĥ_i - ∇_{θ_i}J‖ for every agent i, keyed by κ."""
    mdp = case.mdp
    n = mdp.n
    zeta = policies(mdp, case.theta)
    kappas = sorted({kappa for i in range(n) for kappa in case.kappas(i)})
    ends = {(kappa, i): np.zeros((2, *mdp.r[i].shape)) for kappa in kappas for i in range(n)}
    tables = truncated_q_functions(case)
    for j in range(n):
        for kappa in kappas:
            hood = neighborhood(mdp.graph, j, kappa)
            law = cell_law(case.pi_theta, zeta, hood)
            for end, family in enumerate(("smallest", "largest")):
                weighted = law * tables[kappa, family][j]
                marginals = pair_marginals(weighted)
                for i in hood:
                    ends[kappa, i][end] += marginals[i]
    return {
        kappa: [largest(ends[kappa, i] / (n * (1.0 - mdp.gamma)), score(zeta[i]), case.gradient[i]) for i in range(n)]
        for kappa in kappas
    }


def largest(ends: Array, scores: Array, gradient: Array) -> float:
    """√(Σ_s max over choices of an end for each action of ‖Σ_a ends(s,a) score(s,a) - ∇J(s)‖²)."""
    actions = ends.shape[2]
    squares = []
    for choice in product(range(2), repeat=actions):
        chosen = ends[list(choice), :, range(actions)].T
        squares.append(((np.einsum("sa,sab->sb", chosen, scores) - gradient) ** 2).sum(axis=1))
    return float(np.sqrt(np.max(squares, axis=0).sum()))


def seeing_out(graph: nx.Graph, i: int, kappa: int) -> list[int]:
    """m_d for d = 0..κ: how many agents at distance d from i have somebody of their component outside N_j^κ."""
    m = [0] * (kappa + 1)
    for j, d in nx.single_source_shortest_path_length(graph, i, cutoff=kappa).items():
        m[d] += len(sphere_sizes(graph, j)) > kappa + 1
    return m


@once
def truncated_q_functions(case: Case) -> dict[tuple[int, str], list[Array]]:
    """Q̂_j for every agent j, keyed by (κ, weight family); κ runs while some agent has somebody outside N_j^κ."""
    mdp = case.mdp
    case.demand_tables(COMPARED + len(FAMILIES) + mdp.n)  # of agents with nobody outside Q_j itself is kept
    kappas = sorted({kappa for i in range(mdp.n) for kappa in case.kappas(i)})
    tables: dict[tuple[int, str], list[Array]] = {}
    for j in range(mdp.n):
        Q_j = case.Q(j)
        for kappa in kappas:
            for family, Q_hat_j in truncations(case, Q_j, j, kappa).items():
                tables.setdefault((kappa, family), []).append(Q_hat_j)
    return tables


@once
def truncated_gradients(case: Case) -> dict[tuple[int, str], tuple[Array, ...]]:
    """ĥ of eq. (7) from these, keyed as they are."""
    zeta = policies(case.mdp, case.theta)
    return {
        (kappa, family): truncated_gradient_from(case.mdp, zeta, case.pi_theta, Q_hat, kappa)
        for (kappa, family), Q_hat in truncated_q_functions(case).items()
    }


def truncation_errors(case: Case) -> Iterator[Left]:
    """‖ĥ_i - ∇_{θ_i}J‖ for each agent, κ and weight family, then for the worst weights."""
    for (kappa, family), h_hat in truncated_gradients(case).items():
        for i in range(case.mdp.n):
            left = np.linalg.norm(h_hat[i] - case.gradient[i])
            yield case.left(i, kappa, float(left), case.gradient_error, family)
    for kappa, errors in worst_weights_errors(case).items():
        for i, error in enumerate(errors):
            yield case.left(i, kappa, error, case.gradient_error, WORST)


def error_at_the_latch(weights: float = 1.0, over: tuple[int, ...] | None = None) -> Left:
    """‖ĥ_0 - ∇_{θ_0}J‖ of the latch at κ = 4, for uniform weights of a total, summed over N_0^κ or other agents."""
    case, kappa = uniform_case("latch", latch(6, 0.2)), 4
    mdp = case.mdp
    zero = np.zeros((1,) * (2 * mdp.n))
    total = zero
    for j in neighborhood(mdp.graph, 0, kappa) if over is None else over:
        total = total + weights * cell_means(case, j, kappa) / mdp.n
    zeta = policies(mdp, case.theta)
    h_hat = gradient_from_q(mdp, zeta, case.pi_theta, (total, *(zero,) * (mdp.n - 1)))[0]
    label = f"weights sum to {weights:g}" if over is None else f"sum over {over}"
    left = float(np.linalg.norm(h_hat - case.gradient[0]))
    return case.left(0, kappa, left, max(1.0, weights) * case.gradient_error, label)


def cell_means(case: Case, j: int, kappa: int) -> Array:
    """Q̂_j with uniform weights."""
    Q_j = case.Q(j)
    hood = neighborhood(case.mdp.graph, j, kappa)
    w = uniform_weights(Q_j.shape, hood)
    return over_outside(np.add, w * Q_j, hood)


def norm(blocks: tuple[Array, ...]) -> float:
    """‖blocks‖ over all agents' blocks."""
    return math.sqrt(math.fsum(float((block**2).sum()) for block in blocks))


def distance(blocks: tuple[Array, ...], others: tuple[Array, ...]) -> float:
    """‖blocks - others‖ over all agents' blocks."""
    return math.sqrt(math.fsum(float(((x - y) ** 2).sum()) for x, y in zip(blocks, others, strict=True)))
