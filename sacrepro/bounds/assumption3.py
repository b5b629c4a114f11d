"""Assumption 3, sufficient local exploration: bounds on σ that need local kernels and local policies only."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sacrepro.model import Array


def assumption3(kernels: Sequence[Array], least_actions: Sequence[float]) -> float:
    """Π_{j∈N_i^κ} min P_j · min ζ_j ≤ σ, for every lag of at least one step.

    kernels : P_j for j ∈ N_i^κ. least_actions : for each of them a lower bound on ζ_j(a|s), such as ε/A_j for policies
    mixed with ε of the uniform one; then the bound holds for ALL of these policies, as the assumption demands.
    """
    return math.prod(float(P_j.min()) * z_j for P_j, z_j in zip(kernels, least_actions, strict=True))


def assumption3_ceiling(policies: Sequence[Array]) -> float:
    """Π_{j∈N_i^κ} (max_s min_a ζ_j(a|s)) / S_j ≥ σ, at any lag: some s_{N_i^κ} has at most its share of the mass.

    policies : ζ_j of shape (S_j, A_j) for j ∈ N_i^κ. A softmax whose logits may grow has inf σ = 0.
    """
    return math.prod(float(zeta_j.min(axis=1).max()) / len(zeta_j) for zeta_j in policies)
