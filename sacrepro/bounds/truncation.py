"""Eqs. (5)-(6): a weighted mean over a cell differs from each entry of the cell by its oscillation at most."""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2


def truncation(c: float, rho: float, kappa: int) -> float:
    """c ρ^{κ+1} ≥ |Q̂_i - Q_i| for all weights of eq. (6), when the (c, ρ)-decay property holds."""
    return definition2(c, rho, kappa)
