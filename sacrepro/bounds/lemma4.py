"""Lemma 4: the truncated policy gradient is close to the policy gradient."""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2


def lemma4(c: float, rho: float, kappa: int, L_i: float, gamma: float) -> float:
    """c L_i ρ^{κ+1} / (1-γ) ≥ ‖ĥ_i - ∇_{θ_i} J‖ for all weights of eq. (6)."""
    return L_i * definition2(c, rho, kappa) / (1.0 - gamma)
