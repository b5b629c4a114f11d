"""Where the critic settles: TD's fixed point q* against Q_i, under the paper's bias and under two smaller ones.

``paper`` is the bias of the critic theorem, 2cρ^{κ+1}/(1-γ)², with Lemma 3's (c, ρ). ``decay gap alone`` is
D_i(κ)/(1-γ), which needs nothing but the decay over cells. ``locality`` is r̄γ^{κ+1}/(1-γ), with Lemma 3's structure.

Skipped: cases whose stationary law is not unique (TD then has no single limit), and κ whose kernel on the cells would
hold more than `MOST_ENTRIES` entries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic_bias
from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.td_fixed_point import td_fixed_point, td_fixed_point_local
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.claims.stationary import has_unique_stationary_law
from sacrepro.exact import td_fixed_point as fixed_point
from sacrepro.exact.dense import q_function
from sacrepro.graph import neighborhood
from sacrepro.model import Array, NetworkedMDP

STATEMENT = (
    "|q* - Q_i| ≤ 2cρ^{κ+1}/(1-γ)² (paper), D_i(κ)/(1-γ) (decay gap alone), r̄γ^{κ+1}/(1-γ) (locality), "
    "for the fixed point q* of TD on the cells of N_i^κ"
)
REFERENCE = "Section 3.2, lines 4-9; Appendix C"

#: Entries of the kernel (S_B) × (A_B) × (S_B) up to which a neighborhood B is checked.
MOST_ENTRIES = 2**22


def check(case: Case) -> Iterator[Comparison]:
    """max |q* - Q_i| over (s, a) against three right sides, for each agent and each κ that leaves somebody outside."""
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i, kappa, q in fixed_points(case):
        left = float(np.abs(q - q_function(mdp, case.V[i], i)).max())
        for hypothesis, right in (
            ("paper", critic_bias(c, rho, kappa, mdp.gamma)),
            ("decay gap alone", td_fixed_point(float(case.D[i, kappa]), mdp.gamma)),
            ("locality", td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa)),
        ):
            gap_error = case.D_error / (1.0 - mdp.gamma)
            error = 2.0 * case.error + gap_error + solve_error(mdp, inside_states(mdp, i, kappa))
            yield Comparison(case.instance, case.policy, hypothesis, "", i, kappa, left, right, error)


def fixed_points(case: Case) -> Iterator[tuple[int, int, Array]]:
    """(i, κ, q*) for every agent and κ that is checked."""
    if not has_unique_stationary_law(case):
        return
    for i in range(case.mdp.n):
        for kappa in case.kappas(i):
            if kernel_entries(case.mdp, i, kappa) <= MOST_ENTRIES:
                yield i, kappa, fixed_point(case.mdp, case.theta, i, kappa)


def inside_states(mdp: NetworkedMDP, i: int, kappa: int) -> int:
    """Number of values of s_{N_i^κ}."""
    return int(np.prod([mdp.state_sizes[j] for j in neighborhood(mdp.graph, i, kappa)]))


def kernel_entries(mdp: NetworkedMDP, i: int, kappa: int) -> int:
    """Entries of the law of s_{N_i^κ}' given the cell: S_B · A_B · S_B."""
    actions = int(np.prod([mdp.action_sizes[j] for j in neighborhood(mdp.graph, i, kappa)]))
    return inside_states(mdp, i, kappa) ** 2 * actions


def solve_error(mdp: NetworkedMDP, N: int) -> float:
    """A bound on the rounding of q*: N equations (I - γM) w = b, diagonally dominant by rows.

    Elimination solves nearby equations, ‖ΔA‖∞ ≤ 3Nu (2N-1) ‖A‖∞ (Higham 2002, Theorems 9.4 and 9.9); ‖w‖∞ ≤ r̄/(1-γ) and
    ‖A^{-1}‖∞ ≤ 1/(1-γ). An error in the conditional law m costs nothing: the bounds hold for every m.
    """
    u = float(np.finfo(float).eps) / 2
    return 16.0 * N * N * u * mdp.r_bar / (1.0 - mdp.gamma) ** 2
