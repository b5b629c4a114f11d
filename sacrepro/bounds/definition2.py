"""Definition 2: the (c, ρ)-exponential decay property, and the least ρ that a gap asks for."""

from __future__ import annotations


def definition2(c: float, rho: float, kappa: int) -> float:
    """c ρ^{κ+1}, the right side of Definition 2: how much Q_i may vary over a cell of N_i^κ."""
    return c * rho ** (kappa + 1)


def least_rho(gap: float, c: float, kappa: int) -> float:
    """(gap/c)^{1/(κ+1)}: the least ρ with c ρ^{κ+1} ≥ gap, for c > 0."""
    return float((gap / c) ** (1.0 / (kappa + 1)))
