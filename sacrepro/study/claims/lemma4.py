"""Lemma 4: the truncated policy gradient is close to the policy gradient.

Each comparison is made twice. ``worst case`` takes Lemma 3's (c, ρ) and L_i = √2, which hold for every policy;
``own hypothesis`` takes what the lemma's hypotheses amount to on this instance: the measured decay gap
max_j D_j(κ) in place of c ρ^{κ+1}, and the measured score norm in place of L_i.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import lemma4
from sacrepro.exact.truncation import truncated_gradient_from
from sacrepro.model.policy import SCORE_BOUND, policies, score_norm
from sacrepro.study.measures.truncation import (
    FAMILIES,
    WORST,
    truncated_q_functions,
    worst_weights_errors,
)
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+1} / (1-γ) for any weights of eq. (6)"

REFERENCE = "Lemma 4, eq. (7)"


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i - ∇_{θ_i}J‖ against both right sides, for each agent, κ and weight family, and for the worst weights."""
    mdp = case.mdp
    zeta = policies(mdp, case.theta)
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    truncated = truncated_q_functions(case)
    for kappa in range(case.D.shape[1]):
        gap = float(case.D[:, kappa].max())
        for family in FAMILIES:
            if (kappa, family) not in truncated:
                continue
            h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, truncated[kappa, family], kappa)
            for i in range(mdp.n):
                left = float(np.linalg.norm(h_hat[i] - case.gradient[i]))
                for hypothesis, right in (
                    ("worst case", lemma4(c, rho, kappa, SCORE_BOUND, mdp.gamma)),
                    ("own hypothesis", lemma4(gap, 1.0, kappa, score_norm(zeta[i]), mdp.gamma)),
                ):
                    where = (case.instance, case.policy, hypothesis, family, i, kappa)
                    yield Comparison(*where, left, right, case.gradient_error)
    for kappa, errors in worst_weights_errors(case).items():
        gap = float(case.D[:, kappa].max())
        for i, left in enumerate(errors):
            rights = {
                "worst case": lemma4(c, rho, kappa, SCORE_BOUND, mdp.gamma),
                "own hypothesis": lemma4(gap, 1.0, kappa, score_norm(zeta[i]), mdp.gamma),
            }
            for hypothesis, right in rights.items():
                where = (case.instance, case.policy, hypothesis, WORST, i, kappa)
                yield Comparison(*where, left, right, case.gradient_error)
