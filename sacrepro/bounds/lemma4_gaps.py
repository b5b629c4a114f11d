"""Lemma 4 with a gap of its own for every agent: what the influence matrix says about Q becomes a bound on ∇J."""

from __future__ import annotations

import math

from sacrepro.bounds.lemma4_sharp import TABULAR_COVARIANCE
from sacrepro.model import Array


def lemma4_gaps(gaps: Array, gamma: float, Gamma: float = TABULAR_COVARIANCE) -> float:
    """(2Γ/(1-γ)) (1/n) Σ_j D_j(κ) ≥ ‖ĥ_i - ∇_{θ_i}J‖ for every i and all weights of eq. (6); `paper/proofs.md`.

    gaps : bounds on D_j(κ), one for each of the n agents; or on how far TD's limits are from Q_j, if they stand in (7).
    With equal gaps c ρ^{κ+1} it is Lemma 4 with L_i/2 for L_i. For the tabular softmax it bounds ‖ĥ - ∇J‖, all blocks.
    """
    return 2.0 * Gamma / (1.0 - gamma) * math.fsum(gaps) / len(gaps)
