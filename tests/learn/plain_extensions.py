"""The extensions of Algorithm 1 and REINFORCE in plain Python: the oracles of the compiled ones.

Nothing is shared with them but the episodes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import softmax
from sacrepro.simulate import as_simulator


class Run(NamedTuple):
    """Per outer iteration: θ(m+1); Q̂^T, one dictionary of written cells an agent; and the scale of ĝ's rounding."""

    theta_next: list
    Q_hat: list
    magnitude: list
    J_estimate: list
    share: list


def cell(s, a, hood, t):
    return tuple((int(s[j, t]), int(a[j, t])) for j in hood)


def mixed_score(p, epsilon, s, a):
    """∂ log((1-ε) p(a|s) + ε/A) / ∂θ(s, ·) by the chain rule."""
    actions = len(p[s])
    zeta = (1 - epsilon) * p[s, a] + epsilon / actions
    return np.array([(1 - epsilon) * p[s, a] * ((a == b) - p[s, b]) / zeta for b in range(actions)])


def replaced(x, k, b):
    return (*x[:k], (x[k][0], b), *x[k + 1 :])


def plain_extended(
    mdp,
    theta0,
    *,
    kappa,
    M,
    T,
    h,
    t0,
    eta,
    seed,
    warm_start=False,
    lambda_=0.0,
    baseline=False,
    epsilon=0.0,
    monte_carlo=False,
):
    simulator = as_simulator(mdp)
    n, gamma = simulator.n, simulator.gamma
    hood = [neighborhood(simulator.graph, i, kappa) for i in range(n)]
    theta = [np.array(theta_i) for theta_i in theta0]
    run = Run([], [], [], [], [])
    Q_hat = [{} for _ in range(n)]
    for m in range(M):
        p = [softmax(theta_i) for theta_i in theta]
        zeta = [(1 - epsilon) * p_i + epsilon / p_i.shape[1] for p_i in p]
        s, a, r = simulator.rollout(zeta, T, seed=seed, m=m)
        if not warm_start:
            Q_hat = [{} for _ in range(n)]
        first = 0
        for i in range(n):
            Q, trace = Q_hat[i], {}
            for t in range(1, T + 1):
                alpha = h / (t - 1 + t0)
                last, now = cell(s, a, hood[i], t - 1), cell(s, a, hood[i], t)
                first += last not in Q
                if lambda_ == 0:
                    Q[last] = (1 - alpha) * Q.get(last, 0.0) + alpha * (r[i, t - 1] + gamma * Q.get(now, 0.0))
                    continue
                delta = r[i, t - 1] + gamma * Q.get(now, 0.0) - Q.get(last, 0.0)
                for x in trace:
                    trace[x] *= gamma * lambda_
                trace[last] = trace.get(last, 0.0) + 1.0
                for x, e in trace.items():
                    Q[x] = Q.get(x, 0.0) + alpha * delta * e
        g_hat = [np.zeros_like(theta_i) for theta_i in theta]
        magnitude = [0.0] * n
        for i in range(n):
            for t in range(T + 1):
                total = size = 0.0
                for j in hood[i]:
                    x = cell(s, a, hood[j], t)
                    value = Q_hat[j].get(x, 0.0)
                    if monte_carlo:
                        value = sum(gamma ** (u - t) * r[j, u] for u in range(t, T + 1))
                    mean = spread = 0.0
                    if baseline:
                        for b in range(len(zeta[i][0])):
                            other = zeta[i][s[i, t], b] * Q_hat[j].get(replaced(x, hood[j].index(i), b), 0.0)
                            mean += other
                            spread += abs(other)
                    total += value - mean
                    size += abs(value) + spread
                g_hat[i][s[i, t]] += gamma**t / n * total * mixed_score(p[i], epsilon, s[i, t], a[i, t])
                magnitude[i] += gamma**t / n * size
        theta = [theta[i] + eta / np.sqrt(m + 1) * g_hat[i] for i in range(n)]
        run.theta_next.append(theta)
        run.Q_hat.append([dict(Q) for Q in Q_hat])
        run.magnitude.append(magnitude)
        run.J_estimate.append(sum(gamma**t * r[i, t] / n for t in range(T + 1) for i in range(n)))
        run.share.append(first / (n * T))
    return run


def g_hat_error(magnitude: float, neighbors: int, T: int, actions: int) -> float:
    """A bound on the rounding error of any entry of ĝ_i, whatever the order of the sum of line 11.

    The terms γ^t (1/n) Q̂_j^T are non-negative, each entry of the score is at most 1 in absolute value, and every term
    passes fewer than neighbors·(T+1) + actions + 8 roundings, of relative size u = 2^-53; ζ_i, from `exp` and one
    division, adds at most a few more. With N u < 1/2 the error is at most 2 N u times the sum of the terms, in either
    of two evaluations, hence the factor 4.
    """
    roundings = neighbors * (T + 1) + 2 * actions + 16
    return 4 * roundings * 2.0**-53 * magnitude
