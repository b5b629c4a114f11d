"""Algorithm 1, lines 3-11, with the extensions of section 3.2's Discussion: warm start, TD(λ), advantages.

One agent at a time on the cells it visits, numbered in the order of first visit, so any κ is exact. Nothing here is
compiled before an extension is used.
"""

from __future__ import annotations

import numpy as np

from sacrepro.learn.cells import (
    Carried,
    Hoods,
    carried,
    carry,
    id_of,
    recurrences,
    short_ids,
    slot_of,
    visited_ids,
    visited_marginals,
    with_room,
)
from sacrepro.learn.critic import Schedule, Scratch
from sacrepro.learn.problem import Problem
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.simulate.trajectory import Episode

#: A warm start and a baseline look cells up by number, so there can be no more of them than this.
MOST_CELLS = 62


class Extended:
    """Lines 3-10 with extensions. Raises ValueError where cells must be numbered and an agent has too many."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.table = carried(1)
        if problem.settings.warm_start or problem.settings.baseline:
            check_cells(problem, "warm_start" if problem.settings.warm_start else "baseline")

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """Writes G, J and share; with a warm start Q̂ is kept for the next call."""
        problem, settings = self.problem, self.problem.settings
        if settings.warm_start:
            self.table = with_room(self.table, len(problem.A) * settings.T)
        extended_critic(
            episode, problem.A, problem.pair, zeta, problem.hoods, problem.plan, problem.work, self.table,
            settings.warm_start, settings.lambda_, settings.baseline, problem.copies, G, J, share,
        )  # fmt: skip


def check_cells(problem: Problem, extension: str) -> None:
    """Raises ValueError if some agent has more than 2^62 cells."""
    hoods = problem.hoods
    bits = np.add.reduceat(np.log2(hoods.pairs[hoods.agent]), hoods.start[:-1])
    q = int(bits.argmax())
    if bits[q] > MOST_CELLS:
        raise ValueError(
            f"{extension} needs at most 2^{MOST_CELLS} cells an agent, but agent {q // problem.copies} has "
            f"2^{bits[q]:.1f} with the {hoods.start[q + 1] - hoods.start[q]} agents of its neighborhood; a smaller "
            "kappa is needed"
        )


@compiled
def extended_critic(
    episode: Episode,
    A: Array,
    pair: Array,
    zeta: Array,
    hoods: Hoods,
    plan: Schedule,
    work: Scratch,
    table: Carried,
    warm_start: bool,
    lambda_: float,
    baseline: bool,
    copies: int,
    G: Array,
    J: Array,
    share: Array,
) -> None:
    """As `critic`; `table` holds Q̂ of earlier outer iterations, and is empty unless `warm_start`.

    The share counts updates of entries that line 7 had not written since Q̂ was zero.
    """
    z, code, reward, start = episode
    alpha, keep, weight, gamma = plan.alpha, plan.keep, plan.weight, plan.gamma
    T = len(alpha)
    n = len(hoods.pairs) // copies
    ids, first, Q_hat, W = work.ids[0], work.first[0], work.Q_hat[0], work.W[0]
    numbers, slot = work.code, work.slot
    e = np.empty(T + 1)
    G.fill(0.0)
    J.fill(0.0)
    share.fill(0.0)
    short = len(work.same) > 0 and not (warm_start or baseline)  # these look cells up by number
    if short:
        recurrences(z, hoods, work.same)
    for i in range(len(hoods.pairs)):
        b = i % copies
        if short:
            cells = short_ids(work.same, hoods, i, numbers, ids, first)
        else:
            cells = visited_ids(z, hoods, i, work.part, numbers, slot, ids, first)
        own = start[i]
        for c in range(cells):
            W[c] = 0.0
            Q_hat[c] = 0.0
            known = False
            if warm_start:
                at = slot_of(table, i, numbers[first[c]])
                known = table.agent[at] != 0
                Q_hat[c] = table.value[at]
            share[b] += int(first[c] < T and not known)
        if lambda_ > 0.0:
            td_lambda(plan, lambda_, ids, code[i], reward, own, Q_hat, e)
        else:
            for t in range(T):
                target = reward[own + code[i, t]] + gamma * Q_hat[ids[t + 1]]
                Q_hat[ids[t]] = keep[t] * Q_hat[ids[t]] + alpha[t] * target
        total = 0.0
        for t in range(T + 1):
            W[ids[t]] += weight[t]
            total += weight[t] * reward[own + code[i, t]]
        J[b] += total
        if baseline:
            advantage_marginals(W, Q_hat, cells, first, numbers, slot, table, z, A, pair, zeta, hoods, i, G)
        if warm_start:
            for c in range(cells):
                if first[c] < T:
                    carry(table, i, numbers[first[c]], Q_hat[c])
        if not baseline:
            for c in range(cells):
                W[c] *= Q_hat[c]
            visited_marginals(W, cells, first, z, pair, hoods, i, work.part, work.table, G)
    for b in range(copies):
        J[b] /= n
        share[b] /= n * T


# Extension `baseline` of Algorithm 1: line 11 with advantages.
#
# Agent i holds against its score, for each j ∈ N_i^κ, not Q̂_j(x) but
#
#     Q̂_j(x) - b_ij(x),      b_ij(x) = Σ_b ζ_i(b|s_i) Q̂_j(x with a_i = b),      x = (s_{N_j^κ}, a_{N_j^κ}).
#
# Why this leaves ĥ_i of eq. (7) unchanged for every table Q̂. Fix the states and the actions of all agents but i. Then
# b_ij is a number, since a_i is averaged out of it, and the actions of different agents are independent given the
# states, so
#
#     E[b_ij ∇_{θ_i} log ζ_i(a_i|s_i)] = b_ij Σ_a ζ_i(a|s_i) ∇ log ζ_i(a|s_i) = b_ij ∇ Σ_a ζ_i(a|s_i) = b_ij ∇ 1 = 0.
#
# Taking the mean over everything fixed ends the proof. All it needs is that b_ij does not depend on a_i; with ε-mixed
# policies ζ_i is the mixture. The table must be fixed before the actions are drawn: Algorithm 1 reads Q̂^T off the same
# episode, so line 11 is not an unbiased estimate of (7), with or without a baseline. Where Q̂_j does not change with a_i
# the advantage is zero, and that term's variance with it. Entries that line 7 has not written count as zero in the
# mean, as they do in Q̂.


@compiled
def advantage_marginals(
    W: Array,
    Q_hat: Array,
    cells: int,
    first: Array,
    code: Array,
    slot: Array,
    table: Carried,
    z: Array,
    A: Array,
    pair: Array,
    zeta: Array,
    hoods: Hoods,
    j: int,
    G: Array,
) -> None:
    """Adds Σ_{cells with z_i = z} W(cell) (Q̂_j(cell) - b_ij(cell)) to G[i, z] for each i ∈ N_j^κ.

    Cells of this episode are numbered as by `compress`; Q̂_j of others is in `table`, or zero.
    """
    stride = np.uint64(1)
    for e in range(hoods.start[j + 1] - 1, hoods.start[j] - 1, -1):
        i = hoods.agent[e]
        actions = np.int64(A[i])
        for c in range(cells):
            t = first[c]
            z_i = np.int64(z[i, t])
            own = z_i % actions
            least = code[t] - np.uint64(own) * stride
            mean = 0.0
            for b in range(actions):
                cell = least + np.uint64(b) * stride
                known = id_of(cell, code, slot, first)
                value = Q_hat[known] if known >= 0 else table.value[slot_of(table, j, cell)]
                mean += zeta[pair[i] + z_i - own + b] * value
            G[pair[i] + z_i] += W[c] * (Q_hat[c] - mean)
        stride *= np.uint64(hoods.pairs[i])


# Extension `lambda_` of Algorithm 1: TD(λ) on the visited cells, with accumulating traces, in place of line 7.
#
# In each inner loop e starts at zero, and for t = 1..T, with x(t) the cell that agent i visits at t,
#
#     δ      = r_i(t-1) + γ Q̂_i(x(t)) - Q̂_i(x(t-1)),
#     e(x)   ← γλ e(x) for all x, then e(x(t-1)) ← e(x(t-1)) + 1,
#     Q̂_i(x) ← Q̂_i(x) + α_{t-1} δ e(x) for all x.
#
# λ = 0 is line 7, and is computed as line 7. A trace reaches 1/(1-γλ) where the same cell is visited again and again,
# so line 7's convex combination is lost: Q̂ can be negative or exceed r̄/(1-γ), and where α_t/(1-γλ) is not small it can
# grow before the step sizes tame it. A step costs as many operations as there are cells visited so far.


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
