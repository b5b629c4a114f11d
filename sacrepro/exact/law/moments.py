"""Mean and covariance of Q̂_i^T, exactly: the second moments close under a linear recursion as the means do.

With q = (1, Q̂^t(y) for the cells y) and z = (s, a_B), the table is M_t(z) = E[q qᵀ 1{z(t) = z}]. Line 7 adds α δ to the
entry y = x(t-1) of q, δ = r_i + γ Q̂(x(t)) - Q̂(y), so with e_y the unit vector of that entry

    q qᵀ  →  q qᵀ + α δ (e_y qᵀ + q e_yᵀ) + α² δ² e_y e_yᵀ.

The means follow such a recursion, too; `law.update` says what it means.

With z = (s, a_B) and x(z) its cell, and for a weight d_t = 1 or d_t = d_t(x) = Σ_{t'≤t} γ^{t'} 1{x(t') = x},

    B_t(z)[y] = E[d_t Q̂^t(y) 1{z(t) = z}],      B_t(z)[c] = E[d_t 1{z(t) = z}],      y over the c cells.

In one step B leaves z = (o, u, a) for the state (o', u'). What line 7 adds belongs to the entry y = x(t-1), the cell
of z, and it looks at x(t) = (u', a'): γ Q̂^{t-1}(x(t)) depends on a', r_i - Q̂^{t-1}(x(t-1)) does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from sacrepro.exact.law.chain import (
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
from sacrepro.model.graph import check_agent
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta


class CriticLaw(NamedTuple):
    """Mean and covariance of Q̂_i^T in one outer iteration of Algorithm 1.

    mean       : E Q̂_i^T, shape of Q̂_i.
    covariance : (cells, cells), the cells in the order of `mean.ravel()`.
    error      : certified bound on the error of each entry of either.
    """

    mean: Array
    covariance: Array
    error: float

    def __repr__(self) -> str:
        return brief(self)


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
    error = gamma_k(2 * cells.roundings) * float(((1.0 + 2.0 * alpha) ** 2).sum() + 3.0) * (q * growth) ** 2
    error += 2.0 * q * growth * first + first**2
    return CriticLaw(as_Q_hat(mean, shape, mdp), covariance, max(first, error) * (1.0 + 1e-9))


def _cost(shape: CellShape, T: int) -> LawCost:
    o, b, a, c, r = shape.o, shape.b, shape.a, shape.c, shape.r
    added = o * c * b * a * (c + 2)
    carried = o * c * (c + 1) ** 2
    steps = b * carried + o * r * b * (c + 1) ** 2 * o + o * added
    return LawCost(8 * (2 * carried + 3 * added + 2 * r * o * b * (c + 1) ** 2), T * steps, shape.agent, c)


def _second_moments(cells: CellChain, start: Array, alpha: Array) -> Array:
    """E[q qᵀ] at time T, (c + 1, c + 1)."""
    shape, gamma, P = cells.shape, cells.chain.gamma, cells.P_inside
    o, b, a, c, r = shape.o, shape.b, shape.a, shape.c, shape.r
    every = np.arange(c)
    q = np.concatenate([[1.0], start])
    M = (cells.start[..., None] * cells.zeta).reshape(o, c, 1, 1) * np.multiply.outer(q, q)
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
    return M.sum(axis=(0, 1))


def _around(cells: CellChain, tables: Array) -> Array:
    """`CellChain.around` for every state of the rim: tables (r, o, …)."""
    out = np.empty_like(tables)
    for rim in range(len(tables)):
        cells.around(rim, tables[rim], out[rim])
    return out


def final_sums(cells: CellChain, Q_start: Array, alpha: Array, marked: Array) -> Array:
    """Σ_z B_T(z), shape (c + 1, 1 + len(marked)): y, then the weights d = 1 and d(x) for the marked cells x.

    Q_start : Q̂^0 over the cells. alpha : α_0, …, α_{T-1}.
    """
    shape, gamma = cells.shape, cells.chain.gamma
    o, b, a, c, r, k = shape.o, shape.b, shape.a, shape.c, shape.r, 1 + len(marked)
    # By state: what is carried along; by (y, u'), then a': what line 7 adds, its last column free of a'.
    carried, added = np.zeros((o, b, c + 1, k)), np.zeros((o, c, b, a + 1, k))
    following, added_next = np.empty_like(carried), np.empty_like(added)
    # The states of the rim come first in a cell, and are taken one after the other: what is written is read in cache.
    B, spread = np.empty((o, c // r, c + 1, k)), np.empty((o, c // r, b, a + 1, k))
    moved, arrived = np.empty((o, b, (c + 1) * k)), np.empty((o, b * (c + 1) * k))
    inside = np.ascontiguousarray(cells.P_inside.reshape(o, r, c // r, b).transpose(1, 0, 3, 2))
    carried[:, :, c, 0] = cells.start
    carried[:, :, :c, 0] = cells.start[..., None] * Q_start
    for t, alpha_t in enumerate(alpha):
        following.fill(0.0)
        steps = (gamma**t, alpha_t, gamma)
        for rim in range(r):
            _leave(rim, carried, added, cells.zeta, cells.P_inside, cells.reward, marked, steps, B, spread)
            cells.around(rim, spread.reshape(o, -1), added_next.reshape(o, r, -1)[:, rim])
            np.matmul(inside[rim], B.reshape(o, c // r, -1), out=moved)
            cells.around(rim, moved.reshape(o, -1), arrived)
            following += arrived.reshape(following.shape)
        carried, following, added, added_next = following, carried, added_next, added
    total = np.zeros((c + 1, k))
    for rim in range(r):
        steps = (gamma ** len(alpha), 0.0, gamma)
        _leave(rim, carried, added, cells.zeta, cells.P_inside, cells.reward, marked, steps, B, spread)
        total += B.sum(axis=(0, 1))
    return total


@njit(cache=True)  # type: ignore[untyped-decorator]
def _leave(
    rim: int,
    carried: Array,
    added: Array,
    zeta: Array,
    P_inside: Array,
    reward: Array,
    marked: Array,
    steps: tuple[float, float, float],
    B: Array,
    spread: Array,
) -> None:
    """For the cells with one state of the rim: draw a, count the visit of time t in d(x), and weigh by P_inside.

    steps : γ^t, α_t, γ. Writes B and in `spread` what line 7 is about to add.
    """
    discount, alpha, gamma = steps
    o, rows, b, columns, k = spread.shape
    c, a = added.shape[1], columns - 1
    first = rim * rows
    ready = np.empty((c + 1, k))
    for around in range(o):
        for u in range(first // a, (first + rows) // a):
            ready[:] = carried[around, u]
            for y in range(c):
                for w in range(k):
                    ready[y, w] += added[around, y, u, a, w]
            for choice in range(a):
                x, chance = u * a + choice, zeta[u, choice]
                leaving = B[around, x - first]
                for y in range(c):
                    for w in range(k):
                        leaving[y, w] = chance * (ready[y, w] + added[around, y, u, choice, w])
                for w in range(k):
                    leaving[c, w] = chance * ready[c, w]
                for w in range(1, k):
                    if marked[w - 1] == x:
                        for y in range(c + 1):
                            leaving[y, w] += discount * leaving[y, 0]
                for v in range(b):
                    share = alpha * P_inside[around, x, v]
                    ahead = share * gamma
                    target, source = spread[around, x - first, v], leaving[v * a : (v + 1) * a]
                    for e in range(a):
                        for w in range(k):
                            target[e, w] = ahead * source[e, w]
                    for w in range(k):
                        target[a, w] = share * (reward[around, x] * leaving[c, w] - leaving[x, w])


def rounding_error(cells: CellChain, Q_start: Array, alpha: Array) -> float:
    """Certified bound on the rounding error of E Q̂^T(y); of Σ_x E[Q̂^T(x) d_T(x)], times Σ_t γ^t.

    In the norm Σ_z max(max_y |B(z)[y]|, q E[d 1{z}]) with q ≥ r̄/(1-γ) one step is a contraction while α ≤ 1, and
    expands by 2α - 1 beyond; what it rounds is relative to (1 + 2α) times the norm of the tables.
    """
    q, growth = error_growth(cells, Q_start, alpha)
    return gamma_k(cells.roundings) * float((1.0 + 2.0 * alpha).sum() + 2.0) * q * growth


def error_growth(cells: CellChain, Q_start: Array, alpha: Array) -> tuple[float, float]:
    """(q, growth): the scale of Q̂^0 and r̄/(1-γ), and the factor by which the norm of the tables can grow until T."""
    chain = cells.chain
    q = max(float(cells.reward.max()) / (1.0 - chain.gamma), float(np.abs(Q_start).max()))
    mass = max(1.0, chain.row_sums[1]) ** len(alpha)
    return q, float(np.prod(np.maximum(1.0, 2.0 * alpha - 1.0))) * mass * (1.0 + 1e-9)
