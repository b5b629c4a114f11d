"""Algorithm 1 line by line, with dictionaries and loops: the oracle of the compiled learner.

Nothing here is shared with the compiled path but the trajectory. Q̂_i^t is bit-identical to it on the same keys: every
entry goes through the same operations in the same order. ĝ_i(m) is a sum of n_i(T+1) terms that the two add in
different orders, and differs by rounding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import score, softmax
from sacrepro.simulate.stepped import as_simulator

#: A cell: the states, then the actions, of the sorted agents of N_i^κ.
Cell = tuple[tuple[int, ...], tuple[int, ...]]


@in_one_line
class Iteration(NamedTuple):
    """One outer iteration of Algorithm 1.

    theta_next : θ(m+1), blocks (S_i, A_i).           g_hat : ĝ_i(m), blocks (S_i, A_i).
    Q_hat      : Q̂_i^T, one dictionary {cell: value} an agent, holding the cells that line 7 updated.
    magnitude  : Σ_t γ^t (1/n) Σ_{j ∈ N_i^κ} Q̂_j^T, one number an agent: the scale of the rounding error in ĝ_i.
    J_estimate : Σ_t γ^t (1/n) Σ_i r_i(t).            first_visit_share : first updates of an entry among all n·T.
    """

    theta_next: tuple[Array, ...]
    g_hat: tuple[Array, ...]
    Q_hat: tuple[dict[Cell, float], ...]
    magnitude: tuple[float, ...]
    J_estimate: float
    first_visit_share: float


def outer_iteration(
    mdp: object,
    theta: Sequence[Array],
    m: int,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seed: int,
) -> Iteration:
    """θ(m+1) from θ(m) by lines 2-12 of Algorithm 1, and everything computed on the way."""
    simulator = as_simulator(mdp)
    n, gamma = simulator.n, simulator.gamma
    zeta = [softmax(theta_i) for theta_i in theta]
    s, a, r = simulator.rollout(zeta, T, seed=seed, m=m)  # lines 2 and 5
    hood = [neighborhood(simulator.graph, i, kappa) for i in range(n)]
    cells = [[cell(s, a, hood_i, t) for t in range(T + 1)] for hood_i in hood]
    first_visits = 0
    Q_hat: list[dict[Cell, float]] = []
    for i in range(n):
        Q_hat_i: dict[Cell, float] = {}  # line 3: an absent entry is zero
        for t in range(1, T + 1):  # line 4
            alpha = h / (t - 1 + t0)  # line 6
            last, now = cells[i][t - 1], cells[i][t]
            first_visits += last not in Q_hat_i
            old, ahead = Q_hat_i.get(last, 0.0), Q_hat_i.get(now, 0.0)
            Q_hat_i[last] = (1 - alpha) * old + alpha * (float(r[i, t - 1]) + gamma * ahead)  # line 7
            # line 8: every other entry keeps its value
        Q_hat.append(Q_hat_i)
    along = [[Q_hat[j].get(c, 0.0) for c in cells[j]] for j in range(n)]  # Q̂_j^T(s_{N_j^κ}(t), a_{N_j^κ}(t))
    g_hat, magnitude, theta_next = [], [], []
    for i in range(n):  # line 10
        g_hat_i = np.zeros(zeta[i].shape)
        scores = score(zeta[i])
        size = 0.0
        for t in range(T + 1):  # line 11
            Q = 0.0
            for j in hood[i]:
                Q += along[j][t]
            g_hat_i[s[i, t]] += gamma**t * (1 / n) * Q * scores[s[i, t], a[i, t]]
            size += gamma**t * (1 / n) * Q
        g_hat.append(g_hat_i)
        magnitude.append(size)
        theta_next.append(theta[i] + eta / np.sqrt(m + 1.0) * g_hat_i)  # line 12
    J_estimate = sum(gamma**t * float(r[i, t]) / n for t in range(T + 1) for i in range(n))
    return Iteration(
        tuple(theta_next), tuple(g_hat), tuple(Q_hat), tuple(magnitude), J_estimate, first_visits / (n * T)
    )


def cell(s: Array, a: Array, hood: Sequence[int], t: int) -> Cell:
    """(s_{N_i^κ}(t), a_{N_i^κ}(t))."""
    return tuple(int(s[j, t]) for j in hood), tuple(int(a[j, t]) for j in hood)


def sac_transcribed(
    mdp: object,
    theta0: Sequence[Array],
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seed: int,
) -> tuple[Iteration, ...]:
    """Lines 1-13: the outer iterations m = 0, …, M-1 in turn."""
    theta = tuple(np.array(theta_i, dtype=np.float64) for theta_i in theta0)
    iterations = []
    for m in range(M):
        iterations.append(outer_iteration(mdp, theta, m, kappa=kappa, T=T, h=h, t0=t0, eta=eta, seed=seed))
        theta = iterations[-1].theta_next
    return tuple(iterations)
