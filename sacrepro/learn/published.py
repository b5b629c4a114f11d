"""The variant of Algorithm 1 in the public code for the wireless benchmark (arXiv 2006.06555), as it runs.

It differs from Algorithm 1 as printed in four places:

* lines 6-7 update Q̂_i under the key (s_{N_i^κ}(t+1), a_{N_i^κ}(t)): states are read after they have moved;
* line 3 is left out: Q̂_i is never reset;
* the steps are α = 1/√(T·(m mod 100) + t) and η_m = 5/√((m mod 100) + 1);
* line 12 moves θ_i after every t, and the score of t+1 is taken there.

Keys of a neighborhood are 64-bit digests of its states and actions: among k keys two are confused with probability
below k²/2^65, 10^-5 for the 2·10^7 of a full run.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sacrepro.learn.cells import hoods
from sacrepro.learn.critic import softmax_blocks
from sacrepro.learn.problem import SACTrace, Settings, check_seed, check_theta0
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.model.policy import Theta
from sacrepro.simulate.random_bits import mix
from sacrepro.simulate.rollout import policy_thresholds
from sacrepro.simulate.wireless import Air, WirelessSimulator, air_rollout

#: Outer iterations after which both steps start again, and the actor's first step.
RESTART, ETA = 100, 5.0

_G = np.uint64(0x9E3779B97F4A7C15)


class Digests(NamedTuple):
    """An open-addressing table of a power-of-two length, at most two thirds full. key : 0 where a slot is free."""

    key: Array
    value: Array
    taken: Array


def sac_published(
    simulator: WirelessSimulator,
    theta0: Theta,
    *,
    kappa: int,
    M: int,
    T: int,
    seed: int,
    record_every: int,
) -> SACTrace:
    """θ(M) of the published variant from θ(0) = `theta0`; arguments and trace as of `sac`.

    `first_visit_share` counts updates of keys that were never updated before, over the whole run.
    """
    stops = Settings(kappa=kappa, M=M, T=T, eta=ETA, record_every=record_every).stops
    blocks = check_theta0(theta0, simulator)
    theta = np.concatenate([theta_i.ravel() for theta_i in blocks])
    near = hoods(simulator.graph, kappa, simulator.state_sizes, simulator.action_sizes)
    S = np.array(simulator.state_sizes, dtype=np.uint32)
    A = np.array(simulator.action_sizes, dtype=np.uint32)
    key = np.array([check_seed(seed)], dtype=np.uint64)
    n, pair = simulator.n, simulator.pair
    table = Digests(np.zeros(1 << 16, np.uint64), np.zeros(1 << 16), np.zeros(1, np.int64))
    z, r = np.empty((2, n, T + 2), simulator.code_type)
    J_estimate, share = np.empty(M), np.empty(M)
    thetas = [theta.copy()]
    for begin, end in pairwise(stops):
        for m in range(begin, end, RESTART):
            part = slice(m, min(end, m + RESTART))
            while 3 * (int(table.taken[0]) + n * T * RESTART) > 2 * len(table.key):
                larger = Digests(
                    np.zeros(2 * len(table.key), np.uint64), np.zeros(2 * len(table.key)), np.zeros(1, np.int64)
                )
                _move(table, larger)
                table = larger
            published_iterations(
                simulator.opaque, S, A, pair, near.start, near.agent, simulator.gamma, key, m, theta, table, z, r,
                J_estimate[part], share[part],
            )  # fmt: skip
            lost = np.flatnonzero(np.isnan(theta) | np.isposinf(theta))
            if len(lost):
                i = int(np.searchsorted(pair, lost[0], side="right")) - 1
                raise ValueError(
                    f"theta[{i}] of agent {i} is no longer finite by outer iteration {part.stop}: lower theta0"
                )
        thetas.append(theta.copy())
    stacked = np.stack(thetas)
    recorded = tuple(stacked[:, pair[i] : pair[i + 1]].reshape(-1, int(S[i]), int(A[i])).copy() for i in range(n))
    return SACTrace(tuple(block[-1].copy() for block in recorded), recorded, np.array(stops), J_estimate, share)


@compiled
def place(table: Digests, key: np.uint64) -> np.uint64:
    """Where the key is, or the free slot where it belongs."""
    keys = table.key
    mask = np.uint64(len(keys) - 1)
    at = (key * _G) & mask
    while keys[at] != 0 and keys[at] != key:
        at = (at + np.uint64(1)) & mask
    return at


@compiled
def _move(table: Digests, larger: Digests) -> None:
    for k in range(len(table.key)):
        if table.key[k] != 0:
            at = place(larger, table.key[k])
            larger.key[at] = table.key[k]
            larger.value[at] = table.value[k]
    larger.taken[0] = table.taken[0]


@compiled
def published_iterations(
    air: Air,
    S: Array,
    A: Array,
    pair: Array,
    start: Array,
    member: Array,
    gamma: float,
    seed: Array,
    m_first: int,
    theta: Array,
    table: Digests,
    z: Array,
    r: Array,
    J_estimate: Array,
    first_visit_share: Array,
) -> None:
    """The outer iterations m = m_first, …, one for each entry of J_estimate; theta and table are moved in place."""
    n, T = len(A), z.shape[1] - 2
    zeta, policy = np.empty_like(theta), np.empty(len(theta), dtype=np.uint32)
    nothing = np.empty(0, dtype=np.int64)
    code, key, Q = np.empty((n, T + 1), np.uint64), np.empty(T + 1, np.uint64), np.empty((n, T + 1))
    sums = np.empty(T + 1)
    probability = np.empty(int(A.max()))
    for k in range(len(J_estimate)):
        m = m_first + k
        softmax_blocks(pair, A, theta, zeta)
        policy_thresholds(S, A, pair, zeta, policy)
        air_rollout(air, A, pair, policy, seed, np.uint64(m), nothing, z, r)
        for i in range(n):
            actions = np.int64(A[i])
            for t in range(T + 1):  # the state after the move, with the action before it
                moved = (np.int64(z[i, t + 1]) // actions) * actions + np.int64(z[i, t]) % actions
                code[i, t] = np.uint64(moved + 1)
        total, new = 0.0, 0
        for i in range(n):
            for t in range(T + 1):
                key[t] = mix(np.uint64(i + 1) * _G)
            for e in range(start[i], start[i + 1]):  # t is the inner loop, because one digest waits for the last
                coded = code[member[e]]
                for t in range(T + 1):
                    key[t] = mix(key[t] + coded[t])
            for t in range(T + 1):
                key[t] |= np.uint64(1)
            weight = 1.0
            for t in range(1, T + 1):
                alpha = 1.0 / np.sqrt(float((m % RESTART) * T + t))
                ahead = place(table, key[t])
                target = r[i, t - 1] + gamma * (table.value[ahead] if table.key[ahead] != 0 else 0.0)
                at = place(table, key[t - 1])
                if table.key[at] == 0:
                    table.key[at] = key[t - 1]
                    table.value[at] = 0.0
                    table.taken[0] += 1
                    new += 1
                table.value[at] += alpha * (target - table.value[at])
                total += weight * r[i, t - 1]
                weight *= gamma
            for t in range(T + 1):
                at = place(table, key[t])
                Q[i, t] = table.value[at] if table.key[at] != 0 else 0.0
        J_estimate[k] = total / n
        first_visit_share[k] = new / (n * T)
        eta = ETA / np.sqrt(float(m % RESTART + 1))
        for i in range(n):
            actions = np.int64(A[i])
            weight = 1.0 / n
            for t in range(T + 1):
                sums[t] = 0.0
            for e in range(start[i], start[i + 1]):
                own = Q[member[e]]
                for t in range(T + 1):
                    sums[t] += own[t]
            for t in range(T + 1):
                held = sums[t]
                s_i, a_i = np.int64(z[i, t]) // actions, np.int64(z[i, t]) % actions
                first = pair[i] + s_i * actions
                if held != 0.0:
                    largest = theta[first]
                    for b in range(1, actions):
                        largest = max(largest, theta[first + b])
                    mass = 0.0
                    for b in range(actions):
                        probability[b] = np.exp(theta[first + b] - largest)
                        mass += probability[b]
                    for b in range(actions):
                        theta[first + b] += eta * weight * held * (float(int(b == a_i)) - probability[b] / mass)
                weight *= gamma
