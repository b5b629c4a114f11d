"""SARSA and Q-learning on truncated Q-functions, and the pairwise critic, in plain Python: the oracles.

Nothing is shared with them but the episodes. Sums run in the same order, so that ties stay ties.
"""

from __future__ import annotations

import numpy as np

from learn.plain_extensions import Run, cell, mixed_score
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import softmax
from sacrepro.simulate import as_simulator


def plain_control(mdp, *, kappa, M, T, h, t0, seed, target, epsilon=None, temperature=None):
    """(ζ of outer iterations 0..M, Q̂ after the last, J and share of first updates of each episode)."""
    simulator = as_simulator(mdp)
    n, gamma = simulator.n, simulator.gamma
    hood = [neighborhood(simulator.graph, i, kappa) for i in range(n)]
    q = [np.zeros((S_i, A_i)) for S_i, A_i in zip(simulator.state_sizes, simulator.action_sizes, strict=True)]
    Q_hat = [{} for _ in range(n)]
    policies, J, share = [], [], []
    for m in range(M + 1):
        policies.append([policy(q_i, m, epsilon, temperature) for q_i in q])
        if m == M:
            break
        s, a, r = simulator.rollout(policies[-1], T, seed=seed, m=m)
        greedy = [q_i.argmax(axis=1) for q_i in q]
        b = np.array([greedy[i][s[i]] for i in range(n)])
        first = 0
        G, visits = [np.zeros_like(q_i) for q_i in q], [np.zeros_like(q_i) for q_i in q]
        for i in range(n):
            Q, counts = Q_hat[i], {}
            for t in range(1, T + 1):
                alpha = h / (t - 1 + t0)
                last, ahead = cell(s, a, hood[i], t - 1), cell(s, a if target == "sarsa" else b, hood[i], t)
                first += last not in Q
                Q[last] = (1 - alpha) * Q.get(last, 0.0) + alpha * (r[i, t - 1] + gamma * Q.get(ahead, 0.0))
            for t in range(T + 1):
                x = cell(s, a, hood[i], t)
                counts[x] = counts.get(x, 0) + 1
                visits[i][s[i, t], a[i, t]] += 1
            for x, count in counts.items():
                for j, z_j in zip(hood[i], x, strict=True):
                    G[j][z_j] += count * Q.get(x, 0.0)
        for i in range(n):
            met = visits[i] > 0
            q[i][met] = G[i][met] / visits[i][met]
        J.append(sum(gamma**t * r[i, t] / n for t in range(T + 1) for i in range(n)))
        share.append(first / (n * T))
    return policies, Q_hat, J, share


def policy(q_i, m, epsilon, temperature):
    """ε-greedy with shared ties, or Boltzmann."""
    if epsilon is None:
        return softmax(q_i / (temperature / np.sqrt(m + 1)))
    best = q_i == q_i.max(axis=1, keepdims=True)
    epsilon = epsilon / np.sqrt(m + 1)
    return epsilon / q_i.shape[1] + (1 - epsilon) * (best / best.sum(axis=1, keepdims=True))


def plain_pairwise(mdp, theta0, *, kappa, M, T, h, t0, eta, seed, epsilon=0.0):
    """Algorithm 1 with Q̂_i(cell) = w_i(z_i) + Σ_{j ≠ i} w_ij(z_i, z_j); Q_hat of the run holds the weights."""
    simulator = as_simulator(mdp)
    n, gamma = simulator.n, simulator.gamma
    hood = [neighborhood(simulator.graph, i, kappa) for i in range(n)]
    theta = [np.array(theta_i) for theta_i in theta0]
    run = Run([], [], [], [], [])
    for m in range(M):
        p = [softmax(theta_i) for theta_i in theta]
        zeta = [(1 - epsilon) * p_i + epsilon / p_i.shape[1] for p_i in p]
        s, a, r = simulator.rollout(zeta, T, seed=seed, m=m)
        weights, Q = [{} for _ in range(n)], np.zeros((n, T + 1))

        def features(i, t, s=s, a=a):
            own = (int(s[i, t]), int(a[i, t]))
            return [(own,) if j == i else (own, j, (int(s[j, t]), int(a[j, t]))) for j in hood[i]]

        for i in range(n):
            w = weights[i]
            for t in range(1, T + 1):
                now, ahead = features(i, t - 1), features(i, t)
                Q_now, Q_ahead = sum(w.get(f, 0.0) for f in now), sum(w.get(f, 0.0) for f in ahead)
                step = h / (t - 1 + t0) / len(hood[i]) * (r[i, t - 1] + gamma * Q_ahead - Q_now)
                for f in now:
                    w[f] = w.get(f, 0.0) + step
            Q[i] = [sum(w.get(f, 0.0) for f in features(i, t)) for t in range(T + 1)]
        g_hat, magnitude = [np.zeros_like(theta_i) for theta_i in theta], [0.0] * n
        for i in range(n):
            for t in range(T + 1):
                for j in hood[i]:
                    g_hat[i][s[i, t]] += gamma**t / n * Q[j, t] * mixed_score(p[i], epsilon, s[i, t], a[i, t])
                    magnitude[i] += gamma**t / n * abs(Q[j, t])
        theta = [theta[i] + eta / np.sqrt(m + 1) * g_hat[i] for i in range(n)]
        run.theta_next.append(theta)
        run.Q_hat.append(weights)
        run.magnitude.append(magnitude)
        run.J_estimate.append(sum(gamma**t * r[i, t] / n for t in range(T + 1) for i in range(n)))
    return run
