"""Algorithm 1, lines 3-11, compiled: the TD inner loop of every agent on a recorded episode, and what the actor reads.

The policy is fixed within an outer iteration and Q̂ starts at zero, so the inner loops of different agents share
nothing but the trajectory. Each runs on a scratch table that fits in cache; `LANES` of them are interleaved to hide the
latency of the recursion. Line 11 needs Σ_t γ^t Q̂_j^T(cell_j(t)) 1{z_i(t) = z} for every i ∈ N_j^κ, and z_i is a part of
cell_j: the sum over t is taken once for each cell,

    F_j(cell) = Q̂_j^T(cell) Σ_t γ^t 1{cell_j(t) = cell},

and F_j is then summed over the cells with z_i = z. Only the order of a sum of non-negative terms differs from line 11.

Lines 11-12 are those of the tabular softmax: ∇_{θ_i} log ζ_i(a|s) has entries 1{b=a} - ζ_i(b|s).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.learn.cells import (
    GROUP,
    SHORT,
    Hoods,
    dense_codes,
    dense_marginals,
    recurrences,
    short_ids,
    visited_ids,
    visited_marginals,
)
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.simulate.trajectory import Episode

#: Inner loops that are interleaved; `inner_loops` is written out for as many.
LANES = 4


class Schedule(NamedTuple):
    """What does not change between outer iterations.

    alpha : (T,) α_{t-1} = h/(t-1+t0) for t = 1..T.        keep : (T,) 1 - α_{t-1}.
    weight : (T+1,) γ^t.                                   gamma : γ.
    """

    alpha: Array
    keep: Array
    weight: Array
    gamma: float


class Scratch(NamedTuple):
    """Tables that are overwritten by every block of `LANES` agents; an outer iteration leaves nothing in them.

    Q̂ starts at -0.0, which computes as zero does. Line 7 writes sums of non-negative terms and +0.0, so a clear sign
    bit marks the entries that it wrote.
    """

    ids: Array  # (LANES, T+1) cell of each step
    first: Array  # (LANES, T+1) first step of each id
    reward: Array  # (LANES, most distinct rewards)
    Q_hat: Array  # (LANES, most cells)
    W: Array  # (LANES, most cells): Σ_t γ^t 1{cell(t) = cell}, then F
    code: Array  # (T+1,)
    slot: Array  # hash table of `compress`
    J: Array  # (LANES,)
    part: Array  # (T+1,): codes of a group of members
    table: Array  # (most pairs of a group,): F summed over the other members
    same: Array  # (n, T+1) of `recurrences`, or no rows in long episodes and where all tables are dense


def schedule(h: float, t0: float, gamma: float, T: int) -> Schedule:
    """The step sizes of line 6, α_t = h/(t+t0), and the weights of line 11."""
    alpha = h / (np.arange(T) + t0)
    weight = np.zeros(T + 1)
    for t in range(T + 1):
        weight[t] = gamma**t  # Python's power, as in the transcription; numpy's may round otherwise
        if weight[t] == 0.0:
            break
    return Schedule(alpha, 1.0 - alpha, weight, gamma)


def scratch(hoods: Hoods, T: int) -> Scratch:
    """Room for one block of agents."""
    cells = max(int(hoods.cells.max()), T + 1)
    pairs = int(hoods.pairs.max())
    narrow = T + 1 < 1 << 16
    if not narrow:  # an agent visits no more cells than there are; half a bit for the rounding of their logarithm
        bits = np.add.reduceat(np.log2(hoods.pairs[hoods.agent]), hoods.start[:-1])
        narrow = bool(bits.max() < 15.5)
    counted = np.uint16 if narrow else np.uint32
    return Scratch(
        ids=np.zeros((LANES, T + 1), dtype=counted),
        first=np.zeros((LANES, T + 1), dtype=np.uint32),
        reward=np.zeros((LANES, max(pairs, T + 1))),
        Q_hat=np.zeros((LANES, cells)),
        W=np.zeros((LANES, cells)),
        code=np.zeros(T + 1, dtype=np.uint64),
        slot=np.zeros(1 << (6 * T + 1).bit_length(), dtype=counted),
        J=np.zeros(LANES),
        part=np.zeros(T + 1, dtype=np.uint16),
        table=np.zeros(max(pairs, GROUP)),
        same=np.zeros((len(hoods.pairs) if T < SHORT and not hoods.cells.all() else 0, T + 1), dtype=np.uint64),
    )


@compiled
def inner_loops(plan: Schedule, work: Scratch, z: Array, low: int) -> None:
    """Lines 4-9 for `LANES` agents from `low` on, and with them Σ_t γ^t 1{cell(t) = cell} and Σ_t γ^t r(t).

    Agent i's reward at t is work.reward[lane, z[i, t]]. Line 7 rounds as it is printed.
    """
    alpha, keep, weight, gamma = plan.alpha, plan.keep, plan.weight, plan.gamma
    T, last = len(alpha), len(z) - 1
    z0, z1, z2, z3 = z[min(low, last)], z[min(low + 1, last)], z[min(low + 2, last)], z[min(low + 3, last)]
    ids0, ids1, ids2, ids3 = work.ids[0], work.ids[1], work.ids[2], work.ids[3]
    r0, r1, r2, r3 = work.reward[0], work.reward[1], work.reward[2], work.reward[3]
    Q0, Q1, Q2, Q3 = work.Q_hat[0], work.Q_hat[1], work.Q_hat[2], work.Q_hat[3]
    W0, W1, W2, W3 = work.W[0], work.W[1], work.W[2], work.W[3]
    J0 = J1 = J2 = J3 = 0.0
    for t in range(T):
        a, k, w = alpha[t], keep[t], weight[t]
        now0, now1, now2, now3 = r0[z0[t]], r1[z1[t]], r2[z2[t]], r3[z3[t]]
        c0, c1, c2, c3 = ids0[t], ids1[t], ids2[t], ids3[t]
        Q0[c0] = k * Q0[c0] + a * (now0 + gamma * Q0[ids0[t + 1]])
        Q1[c1] = k * Q1[c1] + a * (now1 + gamma * Q1[ids1[t + 1]])
        Q2[c2] = k * Q2[c2] + a * (now2 + gamma * Q2[ids2[t + 1]])
        Q3[c3] = k * Q3[c3] + a * (now3 + gamma * Q3[ids3[t + 1]])
        W0[c0] += w
        W1[c1] += w
        W2[c2] += w
        W3[c3] += w
        J0 += w * now0
        J1 += w * now1
        J2 += w * now2
        J3 += w * now3
    w = weight[T]
    W0[ids0[T]] += w
    W1[ids1[T]] += w
    W2[ids2[T]] += w
    W3[ids3[T]] += w
    J = work.J
    J[0] = J0 + w * r0[z0[T]]
    J[1] = J1 + w * r1[z1[T]]
    J[2] = J2 + w * r2[z2[T]]
    J[3] = J3 + w * r3[z3[T]]


@compiled
def prepare(z: Array, reward: Array, start: Array, hoods: Hoods, i: int, lane: int, work: Scratch) -> int:
    """Writes agent i's cells and rewards into its lane and clears its tables; returns how many cells these hold.

    `recurrences` come first, once an episode. Its rewards are reward[start[i]], …, reward[start[i+1] - 1].
    """
    cells = hoods.cells[i]
    if cells > 0:
        dense_codes(z, hoods, hoods.start[i], hoods.start[i + 1], work.ids[lane])
    elif len(work.same) > 0:
        cells = short_ids(work.same, hoods, i, work.code, work.ids[lane], work.first[lane])
    else:
        cells = visited_ids(z, hoods, i, work.part, work.code, work.slot, work.ids[lane], work.first[lane])
    own, Q_hat, W = work.reward[lane], work.Q_hat[lane], work.W[lane]
    first = start[i]
    for k in range(start[i + 1] - first):
        own[k] = reward[first + k]
    for c in range(cells):
        Q_hat[c] = -0.0
    for c in range(cells):
        W[c] = 0.0
    return cells


@compiled
def clear(work: Scratch, used: int) -> None:
    """Lanes from `used` on run on one cell without rewards."""
    for lane in range(used, LANES):
        work.ids[lane].fill(0)
        work.reward[lane].fill(0.0)


@compiled
def spread(z: Array, pair: Array, hoods: Hoods, j: int, lane: int, cells: int, work: Scratch, G: Array) -> int:
    """Adds Σ_{cells with z_i = z} F_j(cell) to G[i, z] for each i ∈ N_j^κ; returns how many entries line 7 wrote."""
    Q_hat, F = work.Q_hat[lane], work.W[lane]
    signs = Q_hat.view(np.int64)
    written = 0
    for c in range(cells):
        written += int(signs[c] >= 0)
        F[c] *= Q_hat[c]
    if hoods.cells[j] > 0:
        dense_marginals(F, cells, pair, hoods, hoods.start[j], hoods.start[j + 1], G)
    else:
        visited_marginals(F, cells, work.first[lane], z, pair, hoods, j, work.part, work.table, G)
    return written


@compiled
def critic(
    episode: Episode,
    pair: Array,
    hoods: Hoods,
    plan: Schedule,
    work: Scratch,
    copies: int,
    G: Array,
    J: Array,
    share: Array,
) -> None:
    """Writes G[i, z] = Σ_t γ^t Σ_{j ∈ N_i^κ} Q̂_j^T(cell_j(t)) 1{z_i(t) = z}, flat like the policies.

    Agent i belongs to copy i mod `copies`, which gets J = Σ_t γ^t (1/n) Σ_i r_i(t) and the share of its n·T updates
    that were the first of their entry.
    """
    z, code, reward, start = episode
    agents = len(hoods.pairs)
    T = len(plan.alpha)
    n = agents // copies
    G.fill(0.0)
    J.fill(0.0)
    share.fill(0.0)
    recurrences(z, hoods, work.same)
    cells = np.zeros(LANES, np.int64)
    for low in range(0, agents, LANES):
        used = min(LANES, agents - low)
        for lane in range(used):
            cells[lane] = prepare(z, reward, start, hoods, low + lane, lane, work)
        clear(work, used)
        inner_loops(plan, work, code, low)
        for lane in range(used):
            b = (low + lane) % copies
            J[b] += work.J[lane]
            share[b] += spread(z, pair, hoods, low + lane, lane, cells[lane], work, G)
    for b in range(copies):
        J[b] /= n
        share[b] /= n * T


@compiled
def softmax_blocks(pair: Array, A: Array, theta: Array, zeta: Array) -> None:
    """Writes ζ_i(a|s) for all agents; theta and zeta are flat over (i, s, a)."""
    for i in range(len(A)):
        for first in range(pair[i], pair[i + 1], A[i]):
            last = first + A[i]
            largest = theta[first]
            for k in range(first, last):
                largest = max(largest, theta[k])
            total = 0.0
            for k in range(first, last):
                zeta[k] = np.exp(theta[k] - largest)
                total += zeta[k]
            for k in range(first, last):
                zeta[k] /= total


@compiled
def g_hat_blocks(pair: Array, A: Array, zeta: Array, n: int, G: Array, g_hat: Array) -> None:
    """Writes ĝ_i(m) of line 11 from G[i, z], the discounted sums that `critic` leaves; all flat over (i, s, a)."""
    for i in range(len(A)):
        for first in range(pair[i], pair[i + 1], A[i]):
            total = 0.0
            for k in range(first, first + A[i]):
                total += G[k]
            for k in range(first, first + A[i]):
                g_hat[k] = (G[k] - zeta[k] * total) / n


@compiled
def ascend(theta: Array, g_hat: Array, eta: float, m: int) -> int:
    """θ(m+1) = θ(m) + η_m ĝ(m) with η_m = η/√(m+1), line 12, in place; returns the first entry that is lost, or -1.

    Lost is what was finite and is not, or is NaN: a logit of -inf, which makes an action impossible, stays.
    """
    eta_m = eta / np.sqrt(m + 1.0)
    nothing = 0.0  # a difference of what is not finite with itself is NaN, and a sum is quicker than a branch
    for k in range(len(theta)):
        after = theta[k] + eta_m * g_hat[k]
        nothing += after - after
    lost = -1
    if nothing != 0.0:
        for k in range(len(theta)):
            after = theta[k] + eta_m * g_hat[k]
            if lost < 0 and not np.isfinite(after) and after != theta[k]:
                lost = k
    for k in range(len(theta)):
        theta[k] += eta_m * g_hat[k]
    return lost


# Extension `epsilon` of Algorithm 1: ε-mixed policies, so that Assumption 3 can hold.
#
#     ζ_i^ε(a|s) = (1-ε) ζ_i(a|s) + ε/A_i,      ζ_i the softmax of θ_i.
#
# Every action keeps probability at least ε/A_i, whatever θ_i; a softmax alone has no such floor. The score is exact,
#
#     ∂ log ζ_i^ε(a|s) / ∂θ_i(s,b) = w_i(a|s) (1{a=b} - ζ_i(b|s)),     w_i = (1-ε) ζ_i / ζ_i^ε ∈ [0, 1],
#
# so the bound L_i = √2 of the softmax stays valid. Line 11 is linear in the score: with G replaced by w·G it is the
# softmax's line 11, which is how it is computed.


@compiled
def mixed_blocks(pair: Array, A: Array, softmax: Array, epsilon: float, zeta: Array) -> None:
    """Writes ζ_i^ε(a|s) for all agents; flat over (i, s, a)."""
    for i in range(len(A)):
        for k in range(pair[i], pair[i + 1]):
            zeta[k] = (1.0 - epsilon) * softmax[k] + epsilon / A[i]


@compiled
def mixed_sums(softmax: Array, zeta: Array, epsilon: float, G: Array) -> None:
    """G[i, (s, a)] times w_i(a|s), in place."""
    for k in range(len(G)):
        G[k] *= (1.0 - epsilon) * softmax[k] / zeta[k]
