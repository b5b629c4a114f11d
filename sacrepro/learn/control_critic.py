"""What `sacrepro.learn.control` compiles: line 7 with the next or the greedy cell, and the marginals of the tables."""

from __future__ import annotations

import numpy as np

from sacrepro.learn.cells import Hoods, visited_ids
from sacrepro.learn.critic import Schedule, Scratch
from sacrepro.learn.warm_start import Carried, carry, slot_of
from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled


@compiled
def with_greedy(z: Array, A: Array, pair: Array, q: Array, T: int, both: Array) -> None:
    """Copies z_i(t) to both[i, t], t ≤ T, and where it is twice as long (s_i(t), argmax q_i(s_i(t),·)) behind them."""
    length = T + 1
    for i in range(len(A)):
        for t in range(length):
            both[i, t] = z[i, t]
        if both.shape[1] == length:
            continue
        actions = np.int64(A[i])
        for t in range(length):
            low = (np.int64(z[i, t]) // actions) * actions
            row = pair[i] + low
            best = 0
            for a in range(1, actions):
                if q[row + a] > q[row + best]:
                    best = a
            both[i, length + t] = low + best


@compiled
def control_critic(
    both: Array,
    code: Array,
    reward: Array,
    start: Array,
    pair: Array,
    hoods: Hoods,
    plan: Schedule,
    work: Scratch,
    table: Carried,
    ahead: int,
    copies: int,
    G: Array,
    visits: Array,
    J: Array,
    share: Array,
) -> None:
    """Line 7 with the cell at both[:, ahead + t] for what comes after t-1, in every agent's table.

    Adds to visits[i, z] the number of t with z_i(t) = z, and to G[i, z] the sum of Σ_{j ∈ N_i^κ} Q̂_j^T(cell_j(t)) over
    them. Agents, rewards, J and the share are those of `critic`; the share counts entries never written before.
    """
    alpha, keep, weight, gamma = plan.alpha, plan.keep, plan.weight, plan.gamma
    T = len(alpha)
    n = len(hoods.pairs) // copies
    ids, first, Q_hat, W, numbers = work.ids[0], work.first[0], work.Q_hat[0], work.W[0], work.code
    J.fill(0.0)
    share.fill(0.0)
    for i in range(len(hoods.pairs)):
        b = i % copies
        cells = visited_ids(both, hoods, i, work.part, numbers, work.slot, ids, first)
        own = start[i]
        for c in range(cells):
            at = slot_of(table, i, numbers[first[c]])
            W[c] = 0.0
            Q_hat[c] = table.value[at]
            share[b] += int(first[c] < T and table.agent[at] == 0)
        for t in range(T):
            target = reward[own + code[i, t]] + gamma * Q_hat[ids[ahead + t + 1]]
            Q_hat[ids[t]] = keep[t] * Q_hat[ids[t]] + alpha[t] * target
        total = 0.0
        for t in range(T + 1):
            W[ids[t]] += 1.0
            visits[pair[i] + both[i, t]] += 1.0
            total += weight[t] * reward[own + code[i, t]]
        J[b] += total
        for c in range(cells):
            if first[c] < T:
                carry(table, i, numbers[first[c]], Q_hat[c])
        for e in range(hoods.start[i], hoods.start[i + 1]):
            j = hoods.agent[e]
            for c in range(cells):
                if first[c] <= T:
                    G[pair[j] + both[j, first[c]]] += W[c] * Q_hat[c]
    for b in range(copies):
        J[b] /= n
        share[b] /= n * T


@compiled
def marginal_means(G: Array, visits: Array, q: Array) -> None:
    """q = G/visits where there were visits; elsewhere q keeps its value."""
    for k in range(len(q)):
        if visits[k] > 0.0:
            q[k] = G[k] / visits[k]
