"""Mean and covariance of Q̂_i^T, exactly: the second moments close under a linear recursion as the means do.

With q = (1, Q̂^t(y) for the cells y) and z = (s, a_B), the table is M_t(z) = E[q qᵀ 1{z(t) = z}]. Line 7 adds α δ to the
entry y = x(t-1) of q, δ = r_i + γ Q̂(x(t)) - Q̂(y), so with e_y the unit vector of that entry

    q qᵀ  →  q qᵀ + α δ (e_y qᵀ + q e_yᵀ) + α² δ² e_y e_yᵀ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.exact.law.chain import CellChain, CellShape, cell_chain
from sacrepro.exact.law.inputs import (
    WORK,
    LawCost,
    afford,
    as_Q_hat,
    first_tables,
    kappa_within,
    mixed_chain,
    step_sizes,
)
from sacrepro.exact.law.tables import error_growth, rounding_error
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
