"""Lemma 4, sharper: the truncation error of the policy gradient shrinks with 1/n and with what can reach whom.

Three facts carry it (proofs in `paper/proofs.md`, lemma4_sharp):

* scores have mean zero, so E_a Δ(a) ∇log ζ_i has norm at most Γ osc(Δ): Γ = L_i/2 in general, √2/4 for tabular softmax;
* an action reaches an agent at distance d after d+1 steps, so it moves that agent's value by r̄γ^{d+1}/(1-γ) at most;
* scores are a martingale difference, so a reward meets √(s+1) of s+1 of them: M ≤ 1/√(1-γ), not 1/(1-γ).

Under natural weights the agents of N_i^κ contribute nothing, because then E[Q̂_j - Q_j | cell] = 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Γ of the tabular softmax, a quarter of L_i = √2 of Assumption 4.
TABULAR_COVARIANCE = math.sqrt(2.0) / 4.0

#: Terms of the sum M that are added one by one.
TERMS = 4096


def action_reach(d: int, gamma: float, r_bar: float) -> float:
    """R_d = r̄ γ^{d+1} / (1-γ), how far a_i can move the value of an agent d ≥ 1 hops away; R_0 = r̄ / (1-γ)."""
    return r_bar * gamma ** (d + 1 if d else 0) / (1.0 - gamma)


def score_sum_factor(gamma: float) -> float:
    """M = (1-γ) Σ_{s≥0} γ^s √(s+1) ≤ 1/√(1-γ): how sums of s+1 scores add up over a discounted lifetime.

    From above: beyond `TERMS` the root is replaced by its tangent.
    """
    s = np.arange(TERMS)
    sum_to_there = math.fsum(gamma**s * np.sqrt(s + 1.0))
    root = math.sqrt(TERMS + 1.0)
    tail = gamma**TERMS * (root / (1.0 - gamma) + 0.5 * gamma / (root * (1.0 - gamma) ** 2))
    return min((1.0 - gamma) * (sum_to_there + tail), 1.0 / math.sqrt(1.0 - gamma))


def natural_weights_error(
    spheres: Sequence[int], kappa: int, n: int, gamma: float, r_bar: float, Gamma: float = TABULAR_COVARIANCE
) -> float:
    """(Γ/n) M Σ_{d>κ} |S_i(d)| R_d ≥ ‖ĥ_i - ∇_{θ_i}J‖ under natural weights.

    spheres : |S_i(d)| for d = 0, 1, … With κ = -1 it bounds ‖∇_{θ_i}J‖ itself.
    """
    beyond = (size * action_reach(d, gamma, r_bar) for d, size in enumerate(spheres) if d > kappa)
    return Gamma / n * score_sum_factor(gamma) * math.fsum(beyond)


def any_weights_error(
    spheres: Sequence[int],
    seeing_out: Sequence[int],
    kappa: int,
    n: int,
    gamma: float,
    r_bar: float,
    Gamma: float = TABULAR_COVARIANCE,
) -> float:
    """The bound of natural weights plus (Γ/n) Σ_{d≤κ} m_d min(2R/(1-γ), R_d (1/(1-γ) + M)).

    R = r̄γ^{κ+1}/(1-γ) is Lemma 3's gap; seeing_out : m_d, how many agents j with d(i, j) = d ≤ κ can be reached by
    somebody outside N_j^κ. At most half of Lemma 4's bound with Lemma 3's (c, ρ).
    """
    gap = r_bar * gamma ** (kappa + 1) / (1.0 - gamma)
    per_step = 1.0 / (1.0 - gamma)
    inside = (
        m * min(2.0 * gap * per_step, action_reach(d, gamma, r_bar) * (per_step + score_sum_factor(gamma)))
        for d, m in enumerate(seeing_out[: kappa + 1])
    )
    return natural_weights_error(spheres, kappa, n, gamma, r_bar, Gamma) + Gamma / n * math.fsum(inside)
