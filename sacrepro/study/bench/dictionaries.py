"""Algorithm 1 as it is usually published: dictionaries keyed by tuples, numpy's random generator at every step.

A peer of `sacrepro bench sac`, written to be typical and not to be slow: tables and policies are looked up, nothing is
recomputed within a step, and line 11 runs over one pass of the episode. It shares no code with the learner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP

#: (s_{N_i^κ}, a_{N_i^κ}).
Cell = tuple[tuple[int, ...], tuple[int, ...]]


class DictionaryIteration(NamedTuple):
    """θ(m+1), blocks (S_i, A_i), and what was sampled: s, a and r at t = 0..T, one tuple of n entries a step."""

    theta_next: list[Array]
    s: list[tuple[int, ...]]
    a: list[tuple[int, ...]]
    r: list[tuple[float, ...]]


def dictionary_iteration(
    mdp: NetworkedMDP,
    hoods: Sequence[tuple[int, ...]],
    theta: Sequence[Array],
    m: int,
    rng: np.random.Generator,
    *,
    T: int,
    h: float,
    t0: float,
    eta: float,
) -> DictionaryIteration:
    """θ(m+1) from θ(m) = `theta` by lines 2-12 of Algorithm 1, with N_i^κ in `hoods`."""
    n, gamma = mdp.n, mdp.gamma
    zeta = []
    for theta_i in theta:
        weights = np.exp(theta_i - theta_i.max(axis=1, keepdims=True))
        zeta.append(weights / weights.sum(axis=1, keepdims=True))
    Q_hat: list[dict[Cell, float]] = [{} for _ in range(n)]
    state = _start(mdp, rng)
    s: list[tuple[int, ...]] = []
    a: list[tuple[int, ...]] = []
    r: list[tuple[float, ...]] = []
    last: list[Cell] = []
    for t in range(T + 1):
        action = tuple(int(rng.choice(len(zeta[i][state[i]]), p=zeta[i][state[i]])) for i in range(n))
        cells = [(tuple([state[j] for j in hood]), tuple([action[j] for j in hood])) for hood in hoods]
        if t > 0:
            alpha = h / (t - 1 + t0)
            for i in range(n):
                Q_hat_i = Q_hat[i]
                target = r[-1][i] + gamma * Q_hat_i.get(cells[i], 0.0)
                Q_hat_i[last[i]] = (1 - alpha) * Q_hat_i.get(last[i], 0.0) + alpha * target
        s.append(state)
        a.append(action)
        r.append(tuple(float(mdp.r[i][state[i], action[i]]) for i in range(n)))
        if t < T:
            rows = [mdp.P[i][(*[state[j] for j in mdp.neighbors[i]], action[i])] for i in range(n)]
            state = tuple(int(rng.choice(len(row), p=row)) for row in rows)
        last = cells
    g_hat = [np.zeros_like(theta_i) for theta_i in theta]
    for t in range(T + 1):
        value = [
            Q_hat[j].get((tuple([s[t][k] for k in hood]), tuple([a[t][k] for k in hood])), 0.0)
            for j, hood in enumerate(hoods)
        ]
        for i in range(n):
            Q = gamma**t / n * sum([value[j] for j in hoods[i]])
            g_hat[i][s[t][i]] -= Q * zeta[i][s[t][i]]
            g_hat[i][s[t][i], a[t][i]] += Q
    theta_next = [theta[i] + eta / np.sqrt(m + 1) * g_hat[i] for i in range(n)]
    return DictionaryIteration(theta_next, s, a, r)


def dictionary_sac(
    mdp: NetworkedMDP,
    theta0: Sequence[Array],
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seed: int,
) -> list[Array]:
    """θ(M) of Algorithm 1 from θ(0) = `theta0`, one array of shape (S_i, A_i) an agent."""
    rng = np.random.default_rng(seed)
    hoods = [neighborhood(mdp.graph, i, kappa) for i in range(mdp.n)]
    theta = [np.array(theta_i, dtype=np.float64) for theta_i in theta0]
    for m in range(M):
        theta = dictionary_iteration(mdp, hoods, theta, m, rng, T=T, h=h, t0=t0, eta=eta).theta_next
    return theta


def _start(mdp: NetworkedMDP, rng: np.random.Generator) -> tuple[int, ...]:
    if isinstance(mdp.pi0, np.ndarray):
        outcome = rng.choice(mdp.pi0.size, p=mdp.pi0.ravel())
        return tuple(int(s_i) for s_i in np.unravel_index(outcome, mdp.pi0.shape))
    return tuple(int(rng.choice(len(marginal), p=marginal)) for marginal in mdp.pi0)
