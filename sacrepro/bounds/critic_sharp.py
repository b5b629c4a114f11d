"""What a biased critic does to the actor, with the paper's bias and with the sharper ones of `td_fixed_point`.

The last two functions are the second term of (9): twice the largest ‖∇J‖ times the bias of the direction of ascent.
"""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2
from sacrepro.bounds.td_fixed_point import td_fixed_point_local


def critic_sharp(L_i: float, bias: float, gamma: float) -> float:
    """L_i bias / (1-γ) ≥ ‖ĥ_i - ∇_{θ_i}J‖ when (7) is fed tables with |Q̂_j - Q_j| ≤ bias and Q_j decays by ≤ 2 bias."""
    return L_i * bias / (1.0 - gamma)


def theorem5_bias(c: float, rho: float, kappa: int, L: float, r_bar: float, gamma: float) -> float:
    """12 L² c r̄ ρ^{κ+1} / (1-γ)^5, ε_κ as printed in (9)."""
    return 12.0 * L**2 * r_bar * definition2(c, rho, kappa) / (1.0 - gamma) ** 5


def theorem5_bias_sharp(kappa: int, L: float, r_bar: float, gamma: float) -> float:
    """6 L² r̄² γ^{κ+1} / (1-γ)^4: ε_κ with the bias of Lemma 3's structure (`paper/proofs.md`, critic_sharp)."""
    return 6.0 * L**2 * r_bar * td_fixed_point_local(r_bar, gamma, kappa) / (1.0 - gamma) ** 3
