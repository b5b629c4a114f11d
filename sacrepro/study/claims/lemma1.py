"""Lemma 1, eq. (4): the policy gradient theorem, as an identity.

The left side differentiates J itself, without the theorem: J is analytic in θ, so with a step h far below the
rounding unit Im J(θ + i h e) / h equals ∂J/∂θ_i(s,a) up to O(h²) and no difference is taken that could cancel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.exact.dense import complex_step_gradient
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant


def check(case: Case) -> Iterator[Comparison]:
    """‖∇_{θ_i}J by eq. (4) - ∇_{θ_i}J by differentiating J‖ against 0, for each agent."""
    mdp = case.mdp
    differentiated = complex_step_gradient(mdp, case.theta)
    for i in range(mdp.n):
        left = np.linalg.norm(case.gradient[i] - differentiated[i])
        yield from case.left(i, 0, float(left), case.gradient_error).against({"": 0.0})


CLAIM = Claim(
    order=10, words="the policy gradient is a sum of scores times Q_i, agent by agent",
    statement="∇J(θ) = (1/(1-γ)) E Q^θ(s,a) ∇log ζ^θ(a|s)", reference="Lemma 1, eq. (4)",
    beside="that ∂/∂θ is a derivation", check=check, variants=(Variant(theorem="lemma1_gradient"),),
    drawing=Drawing(
        "identity", "difference, one marker an agent and policy",
        markers=r"$\|\nabla_{\theta_i} J\ \mathrm{by\ (4)} - \nabla_{\theta_i} J\ \mathrm{by\ differentiation}\|$",
    ),
    attack="an identity",
)  # fmt: skip
