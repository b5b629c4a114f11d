"""TD's fixed points: which cases have one, what it is, how far rounding moves it, and the biases that bound it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sacrepro.bounds.critic import critic_bias, td_fixed_point_local
from sacrepro.bounds.critic import td_fixed_point as bias_of_the_gap
from sacrepro.bounds.decay import lemma3
from sacrepro.exact.dense import averaged_kernels, q_function, transition_matrix
from sacrepro.exact.truncation import td_fixed_point as fixed_point
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.record.case import Case

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
        patient = [j for j in range(mdp.n) if not outside(mdp.graph, j, kappa)]
        if all(j in patient or (j, kappa) in found for j in range(mdp.n)):
            yield kappa, [q_function(mdp, case.V[j], j) if j in patient else found[j, kappa] for j in range(mdp.n)]


#: Entries of the kernel (S_B) × (A_B) × (S_B) up to which a neighborhood B is checked.
MOST_ENTRIES = 2**22


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
