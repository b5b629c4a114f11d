"""Lemma 4: the truncated policy gradient is close to the policy gradient.

Each comparison is made twice. ``worst case`` takes Lemma 3's (c, ρ) and L_i = √2, which hold for every policy;
``own hypothesis`` takes what the lemma's hypotheses amount to on this instance: the measured decay gap
max_j D_j(κ) in place of c ρ^{κ+1}, and the measured score norm in place of L_i.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.lemma4 import lemma4
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.claims.weights import FAMILIES, weight_families
from sacrepro.claims.worst_weights import WORST, worst_weights_errors
from sacrepro.exact.dense import q_function
from sacrepro.graph import neighborhood
from sacrepro.model import Array
from sacrepro.policy import SCORE_BOUND, policies, score_norm
from sacrepro.truncation import truncate, truncated_gradient_from

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


def truncated_q_functions(case: Case) -> dict[tuple[int, str], list[Array]]:
    """Q̂_j for every agent j, keyed by (κ, weight family); κ runs while some agent has somebody outside N_j^κ."""
    mdp = case.mdp
    kappas = sorted({kappa for i in range(mdp.n) for kappa in case.kappas(i)})
    tables: dict[tuple[int, str], list[Array]] = {}
    for j in range(mdp.n):
        Q_j = q_function(mdp, case.V[j], j)
        for kappa in kappas:
            for family, w in weight_families(case, Q_j, j, kappa):
                tables.setdefault((kappa, family), []).append(truncate(Q_j, neighborhood(mdp.graph, j, kappa), w))
    return tables
