"""Where the critic settles: TD's fixed point q* against Q_i, under the paper's bias and under two smaller ones.

``paper`` is the bias of the critic theorem, 2cρ^{κ+1}/(1-γ)², with Lemma 3's (c, ρ). ``decay gap alone`` is
D_i(κ)/(1-γ), which needs nothing but the decay over cells. ``locality`` is r̄γ^{κ+1}/(1-γ), with Lemma 3's structure.

Skipped: cases whose stationary law is not unique (TD then has no single limit), and κ whose kernel on the cells would
hold more than `MOST_ENTRIES` entries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic_bias, td_fixed_point, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.exact.dense import q_function
from sacrepro.study.measures.fixed_points import MOST_ENTRIES as MOST_ENTRIES  # named above
from sacrepro.study.measures.fixed_points import fixed_points, inside_states, solve_error
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = (
    "|q* - Q_i| ≤ 2cρ^{κ+1}/(1-γ)² (paper), D_i(κ)/(1-γ) (decay gap alone), r̄γ^{κ+1}/(1-γ) (locality), "
    "for the fixed point q* of TD on the cells of N_i^κ"
)

REFERENCE = "Section 3.2, lines 4-9; Appendix C"


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
