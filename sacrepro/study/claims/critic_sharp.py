"""The direction in which a critic after T = ∞ steps sends the actor: eq. (7) with Q̂_j = q*_j, against ∇_{θ_i}J.

The variants of the right side are those of `td_fixed_point`, each turned into a bias of the gradient. B bounds
|q*_j - Q_j| and nothing is asked of how Q_j varies over a cell: by 2B at most, as q*_j is one number there. Skipped:
cases without a unique stationary law, and κ for which some agent's kernel on its cells is too large, as there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic_sharp
from sacrepro.exact.truncation import solve_error, truncated_gradient_from
from sacrepro.model.policy import SCORE_BOUND, policies
from sacrepro.study.measures.fixed_points import (
    GAP,
    LOCALITY,
    PAPER,
    critic_biases,
    critics,
    inside_states,
)
from sacrepro.study.record import Attack, Case, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.claim import EXPONENT, FACTOR, MIRAGE, SCORES, SHARE, TALLY, planted, times


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i with q* - ∇_{θ_i}J‖ against three right sides, for each agent and each κ that leaves somebody outside."""
    mdp = case.mdp
    zeta = policies(mdp, case.theta)
    for kappa, tables in critics(case):
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, tables, kappa)
        largest = max(inside_states(mdp, j, kappa) for j in range(mdp.n))
        off = solve_error(mdp, largest) + case.D_error / (1.0 - mdp.gamma)
        error = case.gradient_error + critic_sharp(SCORE_BOUND, off, mdp.gamma)
        biases = critic_biases(mdp, kappa, float(case.D[:, kappa].max()))
        rights = {name: critic_sharp(SCORE_BOUND, bias, mdp.gamma) for name, bias in biases.items()}
        for i in range(mdp.n):
            left = float(np.linalg.norm(h_hat[i] - case.gradient[i]))
            yield from case.left(i, kappa, left, error).against(rights)


EVERY = (PAPER, GAP, LOCALITY)

CLAIM = Claim(
    order=160, words="TD's limit gives a direction close to ∇_{θ_i}J",
    statement=(
        "‖ĥ_i(q*) - ∇_{θ_i}J‖ ≤ L_i B/(1-γ) with B = 2cρ^{κ+1}/(1-γ)² (paper), max_j D_j(κ)/(1-γ) (decay gap alone), "
        "r̄γ^{κ+1}/(1-γ) (locality)"
    ),
    reference="proof of Theorem 5, second term of (9)", proof="critic_sharp", check=check, shares="tables",
    variants=(Variant(PAPER, "critic_sharp_paper"), Variant(GAP, "critic_sharp_gap"),
              Variant(LOCALITY, "critic_sharp_local")),
    drawing=Drawing("sides", r"$\max_i\,\|\hat h_i(q^*) - \nabla_{\theta_i} J\|$",
                    {PAPER: r"$2cL_i\rho^{\kappa+1}/(1-\gamma)^3$, the paper's bias",
                     GAP: r"$L_i\max_j D_j(\kappa)/(1-\gamma)^2$",
                     LOCALITY: r"$L_i\bar r\gamma^{\kappa+1}/(1-\gamma)^2$"},
                    "measured, largest over agents and policies",
                    "The bias of eq. (7) with TD's fixed points against the three right sides."),
    attack=Attack(stream=10, built=("gate",)),
    plants=(*planted(EXPONENT, "gate", times(0.01), *EVERY), *planted(FACTOR, "mirage", times(1.0 - MIRAGE), GAP),
            *planted(FACTOR, "tally", times(1.0 - TALLY), LOCALITY), *planted(SCORES, "gate", times(SHARE), *EVERY)),
    hidden={FACTOR: "paper: 2cρ^{κ+1}/(1-γ) is true, by locality"},
)  # fmt: skip
