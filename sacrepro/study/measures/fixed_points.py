"""TD's fixed points: which cases have one, what it is, how far rounding moves it, and the biases that bound it.

One of a two-agent model without actions, κ = 0, is computed by rational arithmetic: no rounding at all. Kernels are
given in decimals, so that every number of the counterexample can be checked with a pencil.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sacrepro.bounds.critic import critic_bias, td_fixed_point_local
from sacrepro.bounds.critic import td_fixed_point as bias_of_the_gap
from sacrepro.bounds.decay import lemma3
from sacrepro.exact.dense import averaged_kernels, demand_matrices, transition_matrix
from sacrepro.exact.truncation import td_fixed_point as fixed_point
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.record.case import COMPARED, Case, once

#: What |q* - Q_i| is bounded by: the bias of the critic theorem, D_i(κ)/(1-γ), and what Lemma 3's structure gives.
PAPER, GAP, LOCALITY = "paper", "decay gap alone", "locality"


def critic_biases(mdp: NetworkedMDP, kappa: int, gap: float) -> dict[str, float]:
    """The three bounds on |q* - Q_i|, with D_i(κ) ≤ gap."""
    return {
        PAPER: critic_bias(*lemma3(mdp.r_bar, mdp.gamma), kappa, mdp.gamma),
        GAP: bias_of_the_gap(gap, mdp.gamma),
        LOCALITY: td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa),
    }


def has_unique_stationary_law(case: Case) -> bool:
    """Whether the chain of joint states under θ has a single recurrent class.

    The relay and the broadcast star have several: agents that keep their own bit for ever.
    """
    zeta = policies(case.mdp, case.theta)
    if all((P_bar_i > 0).all() for P_bar_i in averaged_kernels(case.mdp, zeta)):
        return True
    demand_matrices(case.mdp, 6)  # P^θ, and the places of what is positive, several times over
    moves = csr_array(transition_matrix(case.mdp, zeta) > 0)
    classes, label = connected_components(moves, directed=True, connection="strong")
    start, end = moves.nonzero()
    left = np.unique(label[start[label[start] != label[end]]])
    return bool(classes - len(left) == 1)


def critics(case: Case) -> Iterator[tuple[int, list[Array]]]:
    """(κ, (q*_0, …, q*_{n-1})) for each κ at which all are known; with nobody outside, q*_j is Q_j."""
    mdp = case.mdp
    found = {(j, kappa): q for j, kappa, q in fixed_points(case)}
    for kappa in sorted({kappa for _, kappa in found}):
        whole = [j for j in range(mdp.n) if not outside(mdp.graph, j, kappa)]
        if all(j in whole or (j, kappa) in found for j in range(mdp.n)):
            yield kappa, [case.Q(j) if j in whole else found[j, kappa] for j in range(mdp.n)]


#: Entries of the kernel (S_B) × (A_B) × (S_B) up to which a neighborhood B is checked.
MOST_ENTRIES = 2**22


@once
def fixed_points(case: Case) -> list[tuple[int, int, Array]]:
    """(i, κ, q*) for every agent and κ that is checked."""
    case.demand_tables(COMPARED)
    if not has_unique_stationary_law(case):
        return []
    return [
        (i, kappa, fixed_point(case.mdp, case.theta, i, kappa))
        for i in range(case.mdp.n)
        for kappa in case.kappas(i)
        if kernel_entries(case.mdp, i, kappa) <= MOST_ENTRIES
    ]


def inside_states(mdp: NetworkedMDP, i: int, kappa: int) -> int:
    """Number of values of s_{N_i^κ}."""
    return int(np.prod([mdp.state_sizes[j] for j in neighborhood(mdp.graph, i, kappa)]))


def kernel_entries(mdp: NetworkedMDP, i: int, kappa: int) -> int:
    """Entries of the law of s_{N_i^κ}' given the cell: S_B · A_B · S_B."""
    actions = int(np.prod([mdp.action_sizes[j] for j in neighborhood(mdp.graph, i, kappa)]))
    return inside_states(mdp, i, kappa) ** 2 * actions


#: Digits after the point that the given probabilities have at most.
DECIMALS = 10**6


def td_hull(next_is_one: Sequence[Array], gamma: float) -> tuple[list[Fraction], Fraction]:
    """Q_0(s_0 = 1, s_1) for both s_1, and q*(s_0 = 1), for r_0 = s_0.

    next_is_one : P(s_i' = 1 | s_0, s_1) for i = 0, 1, decimals.
    """
    discount = decimal(gamma)
    states = [(s, t) for s in range(2) for t in range(2)]
    P = [[side(next_is_one[0], z, s) * side(next_is_one[1], z, t) for s, t in states] for z in states]
    rewards = [Fraction(s) for s, _ in states]
    Q = solve([[Fraction(x == y) - discount * P[x][y] for y in range(4)] for x in range(4)], rewards)
    # μ (P - I) = 0, with one equation replaced by Σ μ = 1.
    balance = [[P[x][y] - Fraction(x == y) for x in range(4)] for y in range(3)]
    mu = solve([*balance, [Fraction(1)] * 4], [Fraction(0)] * 3 + [Fraction(1)])
    M = [[Fraction(0)] * 2 for _ in range(2)]
    for x, (s, _) in enumerate(states):
        for y, (s_next, _) in enumerate(states):
            M[s][s_next] += mu[x] * P[x][y] / sum(mu[k] for k in range(4) if states[k][0] == s)
    q = solve([[Fraction(x == y) - discount * M[x][y] for y in range(2)] for x in range(2)], [Fraction(0), Fraction(1)])
    return [Q[2], Q[3]], q[1]


def decimal(x: float) -> Fraction:
    """The decimal number that a float was written as."""
    return Fraction(float(x)).limit_denominator(DECIMALS)


def side(one: Array, z: tuple[int, int], outcome: int) -> Fraction:
    """P(s_i' = outcome | z)."""
    p = decimal(one[z])
    return p if outcome else 1 - p


def solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """The solution of a regular linear system, by elimination."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        pivot = next(k for k in range(column, len(rows)) if rows[k][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for k in range(len(rows)):
            if k != column:
                factor = rows[k][column] / rows[column][column]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[column], strict=True)]
    return [rows[k][-1] / rows[k][k] for k in range(len(rows))]
