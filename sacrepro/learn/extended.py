"""Algorithm 1, lines 3-11, with the extensions of section 3.2's Discussion: warm start, TD(λ), advantages.

One agent at a time on the cells it visits, numbered in the order of first visit, so any κ is exact. Nothing here is
compiled before an extension is used.
"""

from __future__ import annotations

import numpy as np

from sacrepro.learn.baseline import advantage_marginals
from sacrepro.learn.cells import Hoods, visited_ids
from sacrepro.learn.critic import Schedule, Scratch
from sacrepro.learn.iterations import Observed
from sacrepro.learn.marginals import visited_marginals
from sacrepro.learn.problem import Problem
from sacrepro.learn.td_lambda import td_lambda
from sacrepro.learn.warm_start import Carried, carried, carry, slot_of, with_room
from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled

#: A warm start and a baseline look cells up by number, so there can be no more of them than this.
MOST_CELLS = 62


class Extended:
    """Lines 3-10 with extensions. Raises ValueError where cells must be numbered and an agent has too many."""

    def __init__(self, problem: Problem, *, warm_start: bool, lambda_: float, baseline: bool) -> None:
        self.problem, self.warm_start, self.lambda_, self.baseline = problem, warm_start, lambda_, baseline
        self.table = carried(1)
        if warm_start or baseline:
            check_cells(problem, "warm_start" if warm_start else "baseline")

    def __call__(self, episode: Observed, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """Writes G, J and share; with a warm start Q̂ is kept for the next call."""
        problem = self.problem
        if self.warm_start:
            self.table = with_room(self.table, len(problem.A) * problem.T)
        extended_critic(
            *episode,
            problem.A,
            problem.pair,
            zeta,
            problem.hoods,
            problem.plan,
            problem.work,
            self.table,
            self.warm_start,
            self.lambda_,
            self.baseline,
            problem.copies,
            G,
            J,
            share,
        )


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
    z: Array,
    code: Array,
    reward: Array,
    start: Array,
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
    alpha, keep, weight, gamma = plan.alpha, plan.keep, plan.weight, plan.gamma
    T = len(alpha)
    n = len(hoods.pairs) // copies
    ids, first, Q_hat, W = work.ids[0], work.first[0], work.Q_hat[0], work.W[0]
    numbers, slot = work.code, work.slot
    e = np.empty(T + 1)
    G.fill(0.0)
    J.fill(0.0)
    share.fill(0.0)
    for i in range(len(hoods.pairs)):
        b = i % copies
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
