"""Eqs. (5)-(6): any truncated Q-function is within the decay bound of Q_i."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.decay import lemma3, truncation
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import truncate
from sacrepro.model.graph import neighborhood
from sacrepro.study.measures.truncation import weight_families
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "|Q̂_i - Q_i| ≤ r̄ γ^{κ+1} / (1-γ) for any weights of eq. (6)"
REFERENCE = "eqs. (5)-(6)"


def check(case: Case) -> Iterator[Comparison]:
    """max |Q̂_i - Q_i| against c ρ^{κ+1} for each agent, κ and weight family."""
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i in range(mdp.n):
        Q_i = q_function(mdp, case.V[i], i)
        for kappa in case.kappas(i):
            right = truncation(c, rho, kappa)
            for family, w in weight_families(case, Q_i, i, kappa):
                Q_hat_i = truncate(Q_i, neighborhood(mdp.graph, i, kappa), w)
                left = float(np.abs(Q_hat_i - Q_i).max())
                yield Comparison(case.instance, case.policy, "", family, i, kappa, left, right, 2.0 * case.error)
