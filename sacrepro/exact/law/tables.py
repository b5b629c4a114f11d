"""The recursion that the law of Algorithm 1's critic follows; `law.update` says what it means.

With z = (s, a_B) and x(z) its cell, and for a weight d_t = 1 or d_t = d_t(x) = Σ_{t'≤t} γ^{t'} 1{x(t') = x},

    B_t(z)[y] = E[d_t Q̂^t(y) 1{z(t) = z}],      B_t(z)[c] = E[d_t 1{z(t) = z}],      y over the c cells.

In one step B leaves z = (o, u, a) for the state (o', u'). What line 7 adds belongs to the entry y = x(t-1), the cell
of z, and it looks at x(t) = (u', a'): γ Q̂^{t-1}(x(t)) depends on a', r_i - Q̂^{t-1}(x(t-1)) does not.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sacrepro.exact.law.chain import CellChain
from sacrepro.exact.rounding import gamma_k
from sacrepro.model.checks import Array


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
