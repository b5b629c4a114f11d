"""Lemma 1, eq. (4): the policy gradient theorem, as an identity.

The left side differentiates J itself, without the theorem: J is analytic in θ, so with a step h far below the
rounding unit Im J(θ + i h e) / h equals ∂J/∂θ_i(s,a) up to O(h²) and no difference is taken that could cancel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.exact.dense import complex_step_gradient
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "∇J(θ) = (1/(1-γ)) E Q^θ(s,a) ∇log ζ^θ(a|s)"
REFERENCE = "Lemma 1, eq. (4)"


def check(case: Case) -> Iterator[Comparison]:
    """‖∇_{θ_i}J by eq. (4) - ∇_{θ_i}J by differentiating J‖ against 0, for each agent."""
    mdp = case.mdp
    differentiated = complex_step_gradient(mdp, case.theta)
    for i in range(mdp.n):
        left = float(np.linalg.norm(case.gradient[i] - differentiated[i]))
        yield Comparison(case.instance, case.policy, "", "", i, 0, left, 0.0, case.gradient_error)
