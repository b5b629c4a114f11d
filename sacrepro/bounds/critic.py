"""Section 3.3 and Appendix C: how far the TD inner loop stays from Q_i, as the paper bounds it."""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2


def critic_bias(c: float, rho: float, kappa: int, gamma: float) -> float:
    """2 c ρ^{κ+1} / (1-γ)²: the part of |Q_i - Q̂_i^T| that no T removes, right side of (8)."""
    return 2.0 * definition2(c, rho, kappa) / (1.0 - gamma) ** 2


def critic(noise: float, bias: float) -> float:
    """noise + bias ≥ |Q_i - Q̂_i^T| with probability 1-δ.

    noise : `sacrepro.bounds.theorem5.critic_noise`. bias : `critic_bias`, or a bound of `td_fixed_point`.
    """
    return noise + bias
