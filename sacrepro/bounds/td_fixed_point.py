"""Where TD settles: the fixed point q* is not a truncated Q-function of form (5), but it stays near Q_i.

Both bounds hold for the fixed point of q(x) = r_i(x) + γ E_m[q(x') | x] with ANY conditional law m of the outside given
the cell, of which TD's is one (`paper/proofs.md`, td_fixed_point).
"""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2
from sacrepro.bounds.lemma3 import lemma3


def td_fixed_point(gap: float, gamma: float) -> float:
    """gap / (1-γ) ≥ |q* - Q_i| when Q_i varies by `gap` (≤ c ρ^{κ+1}) at most over every cell; nothing else is used."""
    return gap / (1.0 - gamma)


def td_fixed_point_local(r_bar: float, gamma: float, kappa: int) -> float:
    """r̄ γ^{κ+1} / (1-γ) ≥ |q* - Q_i|: with the locality of eq. (1) averaging over the outside costs nothing more."""
    return definition2(*lemma3(r_bar, gamma), kappa)
