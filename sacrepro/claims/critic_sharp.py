"""The direction in which an infinitely patient critic sends the actor: eq. (7) with Q̂_j = q*_j, against ∇_{θ_i}J.

The readings of the right side are those of `td_fixed_point`, each turned into a bias of the gradient. Skipped: cases
without a unique stationary law, and κ for which some agent's kernel on its cells is too large, as there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic_bias
from sacrepro.bounds.critic_sharp import critic_sharp
from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.td_fixed_point import td_fixed_point, td_fixed_point_local
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.claims.td_fixed_point import fixed_points, inside_states, solve_error
from sacrepro.exact.dense import q_function
from sacrepro.graph import outside
from sacrepro.model import Array
from sacrepro.policy import SCORE_BOUND, policies
from sacrepro.truncation import truncated_gradient_from

STATEMENT = (
    "‖ĥ_i(q*) - ∇_{θ_i}J‖ ≤ L_i B/(1-γ) with B = 2cρ^{κ+1}/(1-γ)² (paper), max_j D_j(κ)/(1-γ) (decay gap alone), "
    "r̄γ^{κ+1}/(1-γ) (locality)"
)
REFERENCE = "proof of Theorem 5, second term of (9)"


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i with q* - ∇_{θ_i}J‖ against three right sides, for each agent and each κ that leaves somebody outside."""
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    zeta = policies(mdp, case.theta)
    for kappa, tables in critics(case):
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, tables, kappa)
        largest = max(inside_states(mdp, j, kappa) for j in range(mdp.n))
        off = solve_error(mdp, largest) + case.D_error / (1.0 - mdp.gamma)
        error = case.gradient_error + critic_sharp(SCORE_BOUND, off, mdp.gamma)
        for i in range(mdp.n):
            left = float(np.linalg.norm(h_hat[i] - case.gradient[i]))
            for hypothesis, bias in (
                ("paper", critic_bias(c, rho, kappa, mdp.gamma)),
                ("decay gap alone", td_fixed_point(float(case.D[:, kappa].max()), mdp.gamma)),
                ("locality", td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa)),
            ):
                right = critic_sharp(SCORE_BOUND, bias, mdp.gamma)
                yield Comparison(case.instance, case.policy, hypothesis, "", i, kappa, left, right, error)


def critics(case: Case) -> Iterator[tuple[int, list[Array]]]:
    """(κ, (q*_0, …, q*_{n-1})) for each κ at which all are known; with nobody outside, q*_j is Q_j."""
    mdp = case.mdp
    found = {(j, kappa): q for j, kappa, q in fixed_points(case)}
    for kappa in sorted({kappa for _, kappa in found}):
        patient = [j for j in range(mdp.n) if not outside(mdp.graph, j, kappa)]
        if all(j in patient or (j, kappa) in found for j in range(mdp.n)):
            yield kappa, [q_function(mdp, case.V[j], j) if j in patient else found[j, kappa] for j in range(mdp.n)]
