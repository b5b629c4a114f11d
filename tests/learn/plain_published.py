"""The published variant line by line, with dictionaries and tuples: the oracle of `sacrepro.learn.published`.

Nothing is shared with the compiled path but the trajectory.
"""

import math

import numpy as np

from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import softmax


def published(simulator, theta0, *, kappa, M, T, seed, restart, eta):
    """(θ(M), the share of first visits of each outer iteration)."""
    n, gamma = simulator.n, simulator.gamma
    theta = [np.array(theta_i, dtype=float) for theta_i in theta0]
    hood = [neighborhood(simulator.graph, i, kappa) for i in range(n)]
    Q = [{} for _ in range(n)]
    share = []
    for m in range(M):
        s, a, r = simulator.rollout([softmax(theta_i) for theta_i in theta], T + 1, seed=seed, m=m)

        def key(i, t, s=s, a=a):
            return tuple((int(s[j, t + 1]), int(a[j, t])) for j in hood[i])

        first = 0
        for i in range(n):
            for t in range(1, T + 1):
                alpha = 1 / math.sqrt((m % restart) * T + t)
                last, now = key(i, t - 1), key(i, t)
                first += last not in Q[i]
                old = Q[i].get(last, 0.0)
                Q[i][last] = old + alpha * (r[i, t - 1] + gamma * Q[i].get(now, 0.0) - old)
        share.append(first / (n * T))
        for i in range(n):
            for t in range(T + 1):
                held = gamma**t / n * sum(Q[j].get(key(j, t), 0.0) for j in hood[i])
                score = -softmax(theta[i])[s[i, t]]
                score[a[i, t]] += 1.0
                theta[i][s[i, t]] += eta / math.sqrt(m % restart + 1) * held * score
    return theta, share
