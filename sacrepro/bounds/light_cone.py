"""The light cone: what agent i shows up to time T depends on its T-hop surroundings only, so a horizon bounds D_i(κ).

Let D_i^T(κ) be the left side of Definition 2 for Q_i^T(s, a) = E Σ_{t≤T} γ^t r_i(t). It can be computed from N_i^T
alone, at a cost that does not grow with n, and D_i(κ) is within `cone_width` of it. Proof in `paper/proofs.md`.
"""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """low ≤ D_i(κ) ≤ high."""

    low: float
    high: float


def cone_width(T: int, kappa: int, gamma: float, r_bar: float) -> float:
    """r̄ γ^{max(T,κ)+1} / (1-γ) ≥ |D_i(κ) - D_i^T(κ)|: the rewards after T, of which those up to κ are common."""
    return r_bar * gamma ** (max(T, kappa) + 1) / (1.0 - gamma)


def light_cone(D_T: float, T: int, kappa: int, gamma: float, r_bar: float) -> Interval:
    """The interval for D_i(κ) around D_i^T(κ), of width at most 2 r̄ γ^{T+1} / (1-γ)."""
    width = cone_width(T, kappa, gamma, r_bar)
    return Interval(low=max(0.0, D_T - width), high=D_T + width)
