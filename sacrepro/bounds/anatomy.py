"""Anatomy of Lemma 4: its right side, with one coarse quantity after the other replaced by what it stands for."""

from __future__ import annotations

from collections.abc import Sequence

from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.lemma4 import lemma4

#: What each step removes, from Lemma 4's right side to its left side; the steps after the fourth need tables of Q.
STEPS = (
    "r̄ for the reward span",
    "1/(1-γ) of Lemma 3, sup over policies",
    "L_i for the score norm",
    "largest of n agents for their mean",
    "sup over weights",
    "sup over cells",
    "no cancellation between agents",
    "no cancellation in the score's mean",
)


def anatomy(
    r_bar: float, span: float, gaps: Sequence[float], L_i: float, norm: float, gamma: float, kappa: int
) -> tuple[float, ...]:
    """Lemma 4's right side c L_i ρ^{κ+1}/(1-γ) and what is left of it after each of the first four `STEPS`.

    span : largest range of any r_j. gaps : D_j(κ) of every agent. norm : largest ‖∇_{θ_i} log ζ_i‖ at this θ.
    """
    (c, rho), (c_span, _) = lemma3(r_bar, gamma), lemma3(span, gamma)
    return (
        lemma4(c, rho, kappa, L_i, gamma),
        lemma4(c_span, rho, kappa, L_i, gamma),
        lemma4(max(gaps), 1.0, kappa, L_i, gamma),
        lemma4(max(gaps), 1.0, kappa, norm, gamma),
        lemma4(sum(gaps) / len(gaps), 1.0, kappa, norm, gamma),
    )
