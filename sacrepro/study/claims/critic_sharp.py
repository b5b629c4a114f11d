"""The direction in which an infinitely patient critic sends the actor: eq. (7) with Q̂_j = q*_j, against ∇_{θ_i}J.

The readings of the right side are those of `td_fixed_point`, each turned into a bias of the gradient. B bounds
|q*_j - Q_j| and nothing is asked of how Q_j varies over a cell: by 2B at most, as q*_j is one number there. Skipped:
cases without a unique stationary law, and κ for which some agent's kernel on its cells is too large, as there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic_bias, critic_sharp, td_fixed_point, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.exact.truncation import truncated_gradient_from
from sacrepro.model.policy import SCORE_BOUND, policies
from sacrepro.study.measures.fixed_points import critics, inside_states, solve_error
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

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
