"""Extension `lambda_` of Algorithm 1: TD(λ) on the visited cells, with accumulating traces, in place of line 7.

In each inner loop e starts at zero, and for t = 1..T, with x(t) the cell that agent i visits at t,

    δ      = r_i(t-1) + γ Q̂_i(x(t)) - Q̂_i(x(t-1)),
    e(x)   ← γλ e(x) for all x, then e(x(t-1)) ← e(x(t-1)) + 1,
    Q̂_i(x) ← Q̂_i(x) + α_{t-1} δ e(x) for all x.

λ = 0 is line 7, and is computed as line 7. A trace reaches 1/(1-γλ) where the same cell is visited again and again,
so line 7's convex combination is lost: Q̂ can be negative or exceed r̄/(1-γ), and where α_t/(1-γλ) is not small it can
grow before the step sizes tame it. A step costs as many operations as there are cells visited so far.
"""

from __future__ import annotations

from sacrepro.learn.critic import Schedule
from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled


@compiled
def td_lambda(
    plan: Schedule, lambda_: float, ids: Array, code: Array, reward: Array, start: int, Q_hat: Array, e: Array
) -> None:
    """Q̂_i^T in place, on cells numbered in the order of first visit: only those visited so far have traces.

    r_i(t) is reward[start + code[t]]; e is scratch.
    """
    alpha, gamma = plan.alpha, plan.gamma
    decay = gamma * lambda_
    seen = 0
    for t in range(len(alpha)):
        now = ids[t]
        delta = reward[start + code[t]] + gamma * Q_hat[ids[t + 1]] - Q_hat[now]
        for x in range(seen):
            e[x] *= decay
        if now == seen:
            e[now] = 0.0
            seen += 1
        e[now] += 1.0
        step = alpha[t] * delta
        for x in range(seen):
            Q_hat[x] += step * e[x]
