"""Lemma 4, sharper: one right side for any weights of eq. (6), one for the natural weights.

The weight families are those of `lemma4`; ``natural weights`` has the rows of the natural law alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.gradient import any_weights_error, natural_weights_error
from sacrepro.exact.truncation import truncated_gradient_from
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.policy import policies
from sacrepro.study.measures.truncation import WORST, seeing_out, truncated_q_functions, worst_weights_errors
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = (
    "‖ĥ_i - ∇_{θ_i}J‖ ≤ (Γ/n) [Σ_{d≤κ} m_d min(2G/(1-γ), R_d(1/(1-γ) + M)) + M Σ_{d>κ} |S_i(d)| R_d], Γ = √2/4, "
    "G = r̄γ^{κ+1}/(1-γ), R_0 = r̄/(1-γ), R_d = r̄γ^{d+1}/(1-γ), M = (1-γ) Σ_s γ^s √(s+1); natural weights without "
    "the first sum"
)

REFERENCE = "sharpens Lemma 4"


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i - ∇_{θ_i}J‖ against the sharper bounds, for each agent, κ and weight family, and for the worst weights."""
    mdp = case.mdp
    zeta = policies(mdp, case.theta)
    for (kappa, family), Q_hat in truncated_q_functions(case).items():
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, Q_hat, kappa)
        for i in range(mdp.n):
            left = float(np.linalg.norm(h_hat[i] - case.gradient[i]))
            sizes = (kappa, mdp.n, mdp.gamma, mdp.r_bar)
            spheres = sphere_sizes(mdp.graph, i)
            rights = {"any weights": any_weights_error(spheres, seeing_out(mdp.graph, i, kappa), *sizes)}
            if family == "natural":
                rights["natural weights"] = natural_weights_error(spheres, *sizes)
            for hypothesis, right in rights.items():
                where = (case.instance, case.policy, hypothesis, family, i, kappa)
                yield Comparison(*where, left, right, case.gradient_error)
    for kappa, errors in worst_weights_errors(case).items():
        for i, left in enumerate(errors):
            hood = (sphere_sizes(mdp.graph, i), seeing_out(mdp.graph, i, kappa))
            right = any_weights_error(*hood, kappa, mdp.n, mdp.gamma, mdp.r_bar)
            where = (case.instance, case.policy, "any weights", WORST, i, kappa)
            yield Comparison(*where, left, right, case.gradient_error)
