"""An action acts one hop later than a state, so Lemma 3's bound holds for smaller tables.

a_j(0) moves s_j(1) and nothing else, so agent i feels it d(i, j) + 1 steps later, when it would feel a state from one
hop farther out. Proof in `paper/proofs.md`.
"""

from __future__ import annotations

from sacrepro.bounds.definition2 import definition2
from sacrepro.bounds.lemma3 import lemma3


def actions_kept(kappa: int) -> int:
    """max(κ-1, 0): actions are kept on N_i^{κ-1}, and i's own at κ = 0, because r_i(s_i, a_i) sees it at once."""
    return max(kappa - 1, 0)


def actions_one_hop_later(r_bar: float, gamma: float, kappa: int) -> float:
    """r̄ γ^{κ+1} / (1-γ), Lemma 3's bound, on the oscillation of Q_i over a cell (s_{N_i^κ}, a_{N_i^{κ-1}})."""
    return definition2(*lemma3(r_bar, gamma), kappa)
