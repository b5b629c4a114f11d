"""Mean and covariance of Q̂_i^T, exactly: the second moments close under a linear recursion as the means do.

With q = (1, Q̂^t(y) for the cells y) and z = (s, a_B), the table is M_t(z) = E[q qᵀ 1{z(t) = z}]. Line 7 adds α δ to the
entry y = x(t-1) of q, δ = r_i + γ Q̂(x(t)) - Q̂(y), so with e_y the unit vector of that entry

    q qᵀ  →  q qᵀ + α δ (e_y qᵀ + q e_yᵀ) + α² δ² e_y e_yᵀ.

The means follow such a recursion, too; `law.update` says what it means.

With z = (s, a_B) and x(z) its cell, and for a weight d_t = 1 or d_t = d_t(x) = Σ_{t'≤t} γ^{t'} 1{x(t') = x},

    B_t(z)[y] = E[d_t Q̂^t(y) 1{z(t) = z}],      B_t(z)[c] = E[d_t 1{z(t) = z}],      y over the c cells.

In one step B leaves z = (o, u, a) for the state (o', u'). What line 7 adds belongs to the entry y = x(t-1), the cell
of z, and it looks at x(t) = (u', a'): γ Q̂^{t-1}(x(t)) depends on a', r_i - Q̂^{t-1}(x(t-1)) does not, so that it is
carried along as if it were part of B_{t-1}(z)[y].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from sacrepro.exact.law.cell_chain import (
    DENSE_OUTSIDE,
    WORK,
    CellChain,
    CellShape,
    LawCost,
    afford,
    as_Q_hat,
    cell_chain,
    first_tables,
    kappa_within,
    mixed_chain,
    step_sizes,
)
from sacrepro.exact.models import chain_sizes, exact_model
from sacrepro.exact.rounding import gamma_k
from sacrepro.model.checks import Array
from sacrepro.model.compiled import njit
from sacrepro.model.graph import check_agent
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import Theta

#: Steps between which a computation can be interrupted.
INTERRUPTIBLE = 100


@in_one_line
class CriticLaw(NamedTuple):
    """Mean and covariance of Q̂_i^T in one outer iteration of Algorithm 1.

    mean       : E Q̂_i^T, shape of Q̂_i.
    covariance : (cells, cells), the cells in the order of `mean.ravel()`.
    error      : certified bound on the error of each entry of either.
    """

    mean: Array
    covariance: Array
    error: float


def critic_law(
    mdp: Model | CountedMDP,
    theta: Theta,
    i: int,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
    epsilon: float = 0.0,
    Q_hat: Sequence[Array] | None = None,
    work: int = WORK,
    memory_limit: int | None = None,
) -> CriticLaw:
    """Mean and covariance of agent i's Q̂_i^T; arguments and errors as of `expected_update`.

    >>> from sacrepro import build, critic_law, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> law = critic_law(mdp, uniform_theta(mdp), 0, kappa=0, T=20, h=2, t0=4)
    >>> law._fields
    ('mean', 'covariance', 'error')
    """
    mdp = exact_model(mdp)
    check_agent(i, mdp.n)
    kappa = kappa_within(mdp, kappa)
    alpha = step_sizes(T, h, t0, epsilon)
    shape = CellShape(mdp.graph, *chain_sizes(mdp), i, kappa)
    afford(_cost(shape, T), work, memory_limit)
    cells = cell_chain(mixed_chain(mdp, theta, epsilon), i, kappa)
    start = first_tables(mdp, kappa, Q_hat)[i]
    second = _second_moments(cells, start, alpha)
    mean = second[0, 1:]
    order = as_Q_hat(np.arange(shape.c), shape, mdp).ravel()
    covariance = (second[1:, 1:] - np.multiply.outer(mean, mean))[np.ix_(order, order)]
    q, growth = error_growth(cells, start, alpha)
    first = rounding_error(cells, start, alpha)
    steps = gamma_k(2 * cells.roundings) * float(((1.0 + 2.0 * alpha) ** 2).sum() + 3.0)
    error = (steps + gamma_k(cells.reward.size)) * (q * growth) ** 2
    error += 2.0 * q * growth * first + first**2
    return CriticLaw(as_Q_hat(mean, shape, mdp), covariance, max(first, error) * (1.0 + 1e-9))


def _cost(shape: CellShape, T: int) -> LawCost:
    o, b, a, c, r = shape.o, shape.b, shape.a, shape.c, shape.r
    added = o * c * b * a * (c + 2)
    carried = o * c * (c + 1) ** 2
    steps = b * carried + o * r * b * (c + 1) ** 2 * o + o * added
    tables = 2 * carried + 3 * added + 2 * r * o * b * (c + 1) ** 2 + shape.kernels
    return LawCost(8 * tables, T * steps, shape.agent, c)


def _second_moments(cells: CellChain, start: Array, alpha: Array) -> Array:
    """E[q qᵀ] at time T, (c + 1, c + 1)."""
    o, c = cells.shape.o, cells.shape.c
    q = np.concatenate([[1.0], start])
    M = (cells.start[..., None] * cells.zeta).reshape(o, c, 1, 1) * np.multiply.outer(q, q)
    if o <= DENSE_OUTSIDE:
        tables = _dense_tables(cells)
        for first in range(0, len(alpha), INTERRUPTIBLE):
            M = _second_steps(M, alpha[first : first + INTERRUPTIBLE], *tables)
    else:
        M = _second_steps_factored(cells, M, alpha)
    return M.sum(axis=(0, 1))


@njit(fastmath={"contract"})
def _second_steps(
    M: Array, alpha: Array, inside: Array, around: Array, whole: Array, zeta: Array, reward: Array, gamma: float
) -> Array:
    """M, (o, c, c + 1, c + 1), after one step for each of `alpha`; the tables are those of `_dense_tables`."""
    r, o, b, rows = inside.shape
    c = len(zeta)
    a, N = c // b, c + 1
    moved, carried = np.empty((r * o, b * N * N)), np.empty((o, b * N * N))
    change, added = np.empty((o, N + 1)), np.empty(N + 1)
    for alpha_t in alpha:
        after = np.empty((o, c, N, N))
        for rim in range(r):
            for e in range(o):
                leaving = M[e, rim * rows : (rim + 1) * rows].reshape(rows, N * N)
                np.dot(inside[rim, e], leaving, moved[rim * o + e].reshape(b, N * N))
        np.dot(around, moved, carried)
        for f in range(o):
            for x in range(c):
                target, v = after[f, x], x // a
                for k in range(N):
                    for j in range(N):
                        target[k, j] = carried[f, (v * N + k) * N + j]
        for y in range(c):
            for x in range(c):
                # δ q for z in y and x(t) = x, one entry more for δ².
                for e in range(o):
                    own, delta_q = M[e, y], change[e]
                    for k in range(N):
                        delta_q[k] = reward[e, y] * own[0, k] + gamma * own[1 + x, k] - own[1 + y, k]
                    delta_q[N] = reward[e, y] * delta_q[0] + gamma * delta_q[1 + x] - delta_q[1 + y]
                for f in range(o):
                    target = after[f, x]
                    added[:] = 0.0
                    for e in range(o):
                        share = alpha_t * whole[y, x // a, f, e]
                        for k in range(N + 1):
                            added[k] += share * change[e, k]
                    for k in range(N):
                        target[1 + y, k] += added[k]
                        target[k, 1 + y] += added[k]
                    target[1 + y, 1 + y] += alpha_t * added[N]
        for f in range(o):
            for x in range(c):
                for k in range(N):
                    for j in range(N):
                        after[f, x, k, j] *= zeta[x]
        M = after
    return M


def _second_steps_factored(cells: CellChain, M: Array, alpha: Array) -> Array:
    """As `_second_steps`, with the factored product over O."""
    shape, gamma, P = cells.shape, cells.chain.gamma, cells.P_inside
    o, b, a, c, r = shape.o, shape.b, shape.a, shape.c, shape.r
    every = np.arange(c)
    inside = np.ascontiguousarray(P.reshape(o, r, c // r, b).transpose(1, 0, 3, 2))
    zeta = cells.zeta[..., None, None]
    for alpha_t in alpha:
        moved = inside @ M.reshape(o, r, c // r, -1).swapaxes(0, 1)
        carried = _around(cells, moved.reshape(r, o, -1)).sum(axis=0).reshape(o, b, 1, c + 1, c + 1)
        # δ q for z in y and each x(t), one column more for δ²: (o, y, x(t), c + 2).
        at_y = M[:, every, 1 + every]
        change = np.empty((o, c, c, c + 2))
        change[..., :-1] = cells.reward[..., None, None] * M[:, :, :1] + gamma * M[:, :, 1:] - at_y[:, :, None]
        ahead = change[:, :, every, 1 + every]
        change[..., -1] = (
            cells.reward[..., None] * change[..., 0] + gamma * ahead - change[:, every, :, 1 + every].swapaxes(0, 1)
        )
        weighted = change.reshape(o, r, c // r, b, -1) * P.reshape(o, r, c // r, b, 1)
        added = _around(cells, np.ascontiguousarray(weighted.swapaxes(0, 1)).reshape(r, o, -1))
        # (o, x(t) = (u, a), y, c + 2).
        added = added.reshape(r, o, c // r, c, c + 2).transpose(1, 3, 0, 2, 4).reshape(o, b, a, c, c + 2)
        M = np.broadcast_to(carried, (o, b, a, c + 1, c + 1)).copy()
        M[..., 1:, :] += alpha_t * added[..., :-1]
        M[..., :, 1:] += alpha_t * added[..., :-1].swapaxes(-1, -2)
        M[..., 1 + every, 1 + every] += alpha_t**2 * added[..., -1]
        M = (zeta * M).reshape(o, c, c + 1, c + 1)
    return M


def _around(cells: CellChain, tables: Array) -> Array:
    """`CellChain.around` for every state of the rim: tables (r, o, …)."""
    return np.stack([cells.around(rim, table) for rim, table in enumerate(tables)])


def final_sums(cells: CellChain, Q_start: Array, alpha: Array, marked: Array, lengths: Sequence[int]) -> list[Array]:
    """Σ_z B_T(z) for each T of `lengths`, (c + 1, 1 + len(marked)): y, then the weights d = 1 and d(x) of marked x.

    Q_start : Q̂^0 over the cells. alpha : α_0, …, α_{T-1} of the largest T.
    """
    shape, gamma = cells.shape, cells.chain.gamma
    o, c, k = shape.o, shape.c, 1 + len(marked)
    B, spare = np.zeros((o, c, (c + 1) * k)), np.empty((o, c, (c + 1) * k))
    law = (cells.start[..., None] * cells.zeta).reshape(o, c)
    B[:, :, ::k] = law[..., None] * np.append(Q_start, 1.0)
    stops = sorted({*range(INTERRUPTIBLE, len(alpha), INTERRUPTIBLE), *lengths})
    advance = _advance_dense(cells) if o <= DENSE_OUTSIDE else partial(_advance_factored, cells)
    totals, first = {}, 0
    for last in stops:
        B, spare = advance(B, spare, marked, alpha[first:last], gamma**first)
        first = last
        if first in lengths:
            total = B.sum(axis=(0, 1)).reshape(c + 1, k)
            for w, x in enumerate(marked, 1):
                total[:, w] += gamma**first * B[:, x, ::k].sum(axis=0)
            totals[first] = total
    return [totals[T] for T in lengths]


def _dense_tables(cells: CellChain) -> tuple[Array, Array, Array, Array, Array, float]:
    """inside, around, whole, zeta, reward and gamma of `_steps`: products over O, and over B and O, as matrices."""
    shape = cells.shape
    o, b, c, r = shape.o, shape.b, shape.c, shape.r
    inside = np.ascontiguousarray(cells.P_inside.reshape(o, r, c // r, b).transpose(1, 0, 3, 2))
    around = np.ascontiguousarray(cells.matrices.swapaxes(0, 1)).reshape(o, r * o)
    of_cell = cells.matrices.repeat(c // r, axis=0)
    whole = np.ascontiguousarray(of_cell[:, None] * cells.P_inside.transpose(1, 2, 0)[:, :, None])
    # Copies may be written to: a model's own tables may not, and kernels would be compiled for both.
    return inside, around, whole, np.array(cells.zeta.ravel()), np.array(cells.reward), cells.chain.gamma


def _advance_dense(cells: CellChain) -> Callable[..., tuple[Array, Array]]:
    """The steps with products over O as matrices."""
    tables = _dense_tables(cells)
    return lambda B, spare, marked, alpha, discount: _steps(B, spare, marked, alpha, discount, *tables)


@njit(fastmath={"contract"})
def _steps(
    B: Array,
    spare: Array,
    marked: Array,
    alpha: Array,
    discount: float,
    inside: Array,
    around: Array,
    whole: Array,
    zeta: Array,
    reward: Array,
    gamma: float,
) -> tuple[Array, Array]:
    """B after one step for each of `alpha`, and room for another; the last axis of B is (y, weight).

    discount : γ^t at the first of them. inside : P_inside, (rim, o, u', the cells of the rim). around : (o', (rim, o)).
    whole : (y, u', o', o). zeta : of each cell.
    """
    r, o, b, rows = inside.shape
    c, k = len(zeta), len(marked) + 1
    a, N = c // b, (c + 1) * k
    run = a * k
    moved, carried, ahead, own = np.empty((r * o, b * N)), np.empty((o, b * N)), np.empty(run), np.empty((o, c * k))
    for alpha_t in alpha:
        # The visit of time t counts in d(x).
        for w in range(1, k):
            for e in range(o):
                visited = B[e, marked[w - 1]]
                for y in range(c + 1):
                    visited[y * k + w] += discount * visited[y * k]
        discount *= gamma
        # All that is carried along, with α (r_i - Q̂(y)) for y = x(t-1).
        for e in range(o):
            for y in range(c):
                source = B[e, y]
                for w in range(y * k, y * k + k):
                    own[e, w] = source[w]
                    source[w] += alpha_t * (reward[e, y] * source[(c - y) * k + w] - source[w])
        for rim in range(r):
            for e in range(o):
                leaving = B[e, rim * rows : (rim + 1) * rows]
                np.dot(inside[rim, e], leaving, moved[rim * o + e].reshape(b, N))
        arrived = moved
        if r * o > 1:
            np.dot(around, moved, carried)
            arrived = carried
        # α γ Q̂(x(t)), which belongs to y as well; over all actions at x(t), so that loops are long.
        for y in range(c):
            for e in range(o):
                for w in range(y * k, y * k + k):
                    B[e, y, w] = own[e, w]
            for v in range(b):
                for f in range(o):
                    share, source = alpha_t * gamma * whole[y, v, f, 0], B[0, y, v * run : v * run + run]
                    for entry in range(run):
                        ahead[entry] = share * source[entry]
                    for e in range(1, o):
                        share, source = alpha_t * gamma * whole[y, v, f, e], B[e, y, v * run : v * run + run]
                        for entry in range(run):
                            ahead[entry] += share * source[entry]
                    source = arrived[f, v * N + y * k : v * N + y * k + k]
                    for x in range(a):
                        chance, target = zeta[v * a + x], spare[f, v * a + x, y * k : y * k + k]
                        for w in range(k):
                            target[w] = chance * (source[w] + ahead[x * k + w])
        for f in range(o):
            for x in range(c):
                for w in range(k):
                    spare[f, x, c * k + w] = zeta[x] * arrived[f, (x // a) * N + c * k + w]
        B, spare = spare, B
    return B, spare


def _advance_factored(
    cells: CellChain, B: Array, spare: Array, marked: Array, alpha: Array, discount: float
) -> tuple[Array, Array]:
    """As `_steps`, with the factored product over O."""
    shape, gamma, k = cells.shape, cells.chain.gamma, 1 + len(marked)
    o, b, a, c, r = shape.o, shape.b, shape.a, shape.c, shape.r
    every = np.arange(c)
    inside = cells.P_inside.reshape(o, r, c // r, b).transpose(1, 0, 3, 2)
    for t, alpha_t in enumerate(alpha):
        by_y, next_by_y = B.reshape(o, c, c + 1, k), spare.reshape(o, c, c + 1, k)
        for w, x in enumerate(marked, 1):
            by_y[:, x, :, w] += discount * gamma**t * by_y[:, x, :, 0]
        for rim in range(r):
            part = slice(rim * (c // r), (rim + 1) * (c // r))
            ahead = by_y[:, part, :c].reshape(o, c // r, b, a, k) * cells.P_inside[:, part, :, None, None]
            seen = cells.around(rim, ahead.reshape(o, -1)).reshape(o, c // r, c, k)
            next_by_y[:, :, part] = alpha_t * gamma * seen.swapaxes(1, 2)
        next_by_y[:, :, c] = 0.0
        own = by_y[:, every, every]
        by_y[:, every, every] += alpha_t * (cells.reward[..., None] * by_y[:, :, c] - own)
        for rim in range(r):
            leaving = B[:, rim * (c // r) : (rim + 1) * (c // r)]
            arrived = cells.around(rim, (inside[rim] @ leaving).reshape(o, -1))
            spare.reshape(o, b, a, -1)[...] += arrived.reshape(o, b, 1, -1)
        spare.reshape(o, b, a, -1)[...] *= cells.zeta[..., None]
        B, spare = spare, B
    return B, spare


def rounding_error(cells: CellChain, Q_start: Array, alpha: Array) -> float:
    """Certified bound on the rounding error of E Q̂^T(y); of Σ_x E[Q̂^T(x) d_T(x)], times Σ_t γ^t.

    In the norm Σ_z max(max_y |B(z)[y]|, q E[d 1{z}]) with q ≥ r̄/(1-γ) one step is a contraction while α ≤ 1, and
    expands by 2α - 1 beyond; what it rounds is relative to (1 + 2α) times the norm of the tables. At the end they are
    summed over all z, one after the other.
    """
    q, growth = error_growth(cells, Q_start, alpha)
    steps = gamma_k(cells.roundings) * float((1.0 + 2.0 * alpha).sum() + 2.0)
    return (steps + gamma_k(cells.reward.size)) * q * growth


def error_growth(cells: CellChain, Q_start: Array, alpha: Array) -> tuple[float, float]:
    """(q, growth): the scale of Q̂^0 and r̄/(1-γ), and the factor by which the norm of the tables can grow until T."""
    chain = cells.chain
    q = max(float(cells.reward.max()) / (1.0 - chain.gamma), float(np.abs(Q_start).max()))
    mass = max(1.0, chain.row_sums[1]) ** len(alpha)
    return q, float(np.prod(np.maximum(1.0, 2.0 * alpha - 1.0))) * mass * (1.0 + 1e-9)
