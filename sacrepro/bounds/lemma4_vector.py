"""Lemma 4 for the whole gradient: ‖ĥ - ∇J‖ over all agents at once, with no factor of n.

Agents act independently given s, so along a unit vector the joint score ∇log ζ^θ has a standard deviation that does
not grow with n: `SCORE_DEVIATION` for the tabular softmax, max_i L_i in general (`paper/proofs.md`, lemma4_vector).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sacrepro.bounds.lemma4 import lemma4
from sacrepro.bounds.lemma4_sharp import score_sum_factor
from sacrepro.model import Array

#: The largest √E⟨u, ∇log ζ^θ⟩² over unit vectors u and tabular softmax policies: half of L_i = √2.
SCORE_DEVIATION = math.sqrt(0.5)


def lemma4_vector(errors: Sequence[float] | Array, gamma: float, deviation: float = SCORE_DEVIATION) -> float:
    """(1/√2) (1/n) Σ_j errors_j / (1-γ) ≥ ‖ĥ - ∇J‖, and so ≥ each block of it; errors_j ≥ |Q̂_j - Q_j|, one an agent.

    D_j(κ) is such a bound for all weights of eq. (6), and the bounds of `td_fixed_point` are for TD's limit. With equal
    errors c ρ^{κ+1} it is Lemma 4 with L_i/2 for L_i.
    """
    return deviation * math.fsum(errors) / (len(errors) * (1.0 - gamma))


def lemma4_vector_paper(c: float, rho: float, kappa: int, L: float, gamma: float) -> float:
    """c L ρ^{κ+1} / (1-γ) with L = √(Σ_i L_i²), which the proof of Theorem 5 uses for ‖ĥ - ∇J‖."""
    return lemma4(c, rho, kappa, L, gamma)


def lemma4_vector_natural(kappa: int, gamma: float, r_bar: float, deviation: float = SCORE_DEVIATION) -> float:
    """r̄γ^{κ+2} M / (2√2 (1-γ)) ≥ ‖ĥ - ∇J‖ under natural weights, M ≤ 1/√(1-γ) as in `lemma4_sharp`.

    γ^{κ+2} times a bound on ‖∇J‖: it says something for every κ, n and γ. κ = -2 is that bound.
    """
    return 0.5 * deviation * r_bar * gamma ** (kappa + 2) * score_sum_factor(gamma) / (1.0 - gamma)
