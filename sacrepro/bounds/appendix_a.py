"""Appendix A: where local states mix, the decay rate is ρ = γm < γ.

Hypothesis: TV(law of (s_i(t), a_i(t)), its limit) ≤ c' m^t from every start (s(0), a(0)).
"""

from __future__ import annotations

import numpy as np

from sacrepro.bounds.lemma3 import Decay
from sacrepro.model import Array


def appendix_a(c_prime: float, m: float, r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (2c'r̄/(1-γm), γm): two starts differ by 2c'm^t at most, once for each way to the limit."""
    return between_starts(2.0 * c_prime, m, r_bar, gamma)


def between_starts(c_prime: float, m: float, r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (c'r̄/(1-γm), γm) when the laws from any TWO starts are c'm^t close: no limit is needed, nor a factor 2.

    m = 1 is allowed, and with c' = 1 it is Lemma 3.
    """
    return Decay(c=c_prime * r_bar / (1.0 - gamma * m), rho=gamma * m)


def mixing_series(distance: Array, kappa: int, r_bar: float, gamma: float) -> float:
    """r̄ Σ_{t≥κ+1} γ^t d(t) ≥ D_i(κ) for distances d(t) between the laws from any two starts.

    distance : d(t) for t = 0..T, each at most the one before; after T it counts as d(T).
    """
    T = len(distance) - 1
    first = min(kappa + 1, T + 1)
    seen = float((gamma ** np.arange(first, T + 1) * distance[first:]).sum())
    return r_bar * (seen + float(distance[T]) * gamma ** max(T + 1, kappa + 1) / (1.0 - gamma))
