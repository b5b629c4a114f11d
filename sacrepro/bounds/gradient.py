"""How far ĥ_i of eq. (7) is from ∇_{θ_i}J: Lemma 4 as printed, sharper, for the whole gradient, and step by step.

Lemma 4, sharper: the truncation error of the policy gradient shrinks with 1/n and with what can reach whom.

Three facts carry it (proofs in `paper/proofs.md`, lemma4_sharp):

* scores have mean zero, so E_a Δ(a) ∇log ζ_i has norm at most Γ osc(Δ): Γ = L_i/2 in general, √2/4 for tabular softmax;
* an action reaches an agent at distance d after d+1 steps, so it moves that agent's value by r̄γ^{d+1}/(1-γ) at most;
* scores are a martingale difference, so a reward meets √(s+1) of s+1 of them: M ≤ 1/√(1-γ), not 1/(1-γ).

Under natural weights the agents of N_i^κ contribute nothing, because then E[Q̂_j - Q_j | cell] = 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from sacrepro.bounds.decay import definition2, lemma3, reward_radius
from sacrepro.model.checks import Array

#: Γ of the tabular softmax, a quarter of L_i = √2 of Assumption 4.
TABULAR_COVARIANCE = math.sqrt(2.0) / 4.0

#: Terms of the sum M that are added one by one.
TERMS = 4096


def action_reach(d: int, gamma: float, r_bar: float) -> float:
    """R_d = r̄ γ^{d+1} / (1-γ), how far a_i can move the value of an agent d ≥ 1 hops away; R_0 = r̄ / (1-γ)."""
    return r_bar * gamma ** (d + 1 if d else 0) / (1.0 - gamma)


@cache
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


# Lemma 4: the truncated policy gradient is close to the policy gradient.


def lemma4(c: float, rho: float, kappa: int, L_i: float, gamma: float) -> float:
    """c L_i ρ^{κ+1} / (1-γ) ≥ ‖ĥ_i - ∇_{θ_i} J‖ for all weights of eq. (6)."""
    return L_i * definition2(c, rho, kappa) / (1.0 - gamma)


# Lemma 4 for the whole gradient: ‖ĥ - ∇J‖ over all agents at once, with no factor of n.
#
# Agents act independently given s, so along a unit vector the joint score ∇log ζ^θ has a standard deviation that does
# not grow with n: `SCORE_DEVIATION` for the tabular softmax, max_i L_i in general (`paper/proofs.md`, lemma4_vector).

#: The largest √E⟨u, ∇log ζ^θ⟩² over unit vectors u and tabular softmax policies: half of L_i = √2.
SCORE_DEVIATION = math.sqrt(0.5)


def lemma4_vector(errors: Sequence[float] | Array, gamma: float, deviation: float = SCORE_DEVIATION) -> float:
    """(1/√2) (1/n) Σ_j errors_j / (1-γ) ≥ ‖ĥ - ∇J‖, and so ≥ each block of it; errors_j ≥ |Q̂_j - Q_j|, one an agent.

    D_j(κ) is such a bound for all weights of eq. (6), and the bounds of `td_fixed_point` are for TD's limit. With equal
    errors c ρ^{κ+1} it is Lemma 4 with L_i/2 for L_i.
    """
    return deviation * math.fsum(errors) / (len(errors) * (1.0 - gamma))


def lemma4_vector_paper(c: float, rho: float, kappa: int, L: float, gamma: float) -> float:
    """c L ρ^{κ+1} / (1-γ) with L = √(Σ_i L_i²), which the proof of Theorem 5 uses for ‖ĥ - ∇J‖."""
    return lemma4(c, rho, kappa, L, gamma)


def lemma4_vector_natural(kappa: int, gamma: float, r_bar: float, deviation: float = SCORE_DEVIATION) -> float:
    """r̄γ^{κ+2} M / (2√2 (1-γ)) ≥ ‖ĥ - ∇J‖ under natural weights, M ≤ 1/√(1-γ) as in `lemma4_sharp`.

    γ^{κ+2} times a bound on ‖∇J‖: it says something for every κ, n and γ. κ = -2 is that bound.
    """
    return 0.5 * deviation * r_bar * gamma ** (kappa + 2) * score_sum_factor(gamma) / (1.0 - gamma)


# Anatomy of Lemma 4: its right side, with one coarse quantity after the other replaced by what it stands for.

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


def reward_radius_gradient(r_bar: float, gamma: float, kappa: int, radius: int, L_i: float) -> float:
    """L_i r̄ γ^{κ+1-R} / (1-γ)² ≥ ‖ĥ_i - ∇_{θ_i}J‖ for all weights of eq. (6), j summed over N_i^κ as in eq. (7)."""
    return L_i * reward_radius(r_bar, gamma, kappa, radius) / (1.0 - gamma)


def reward_radius_natural(
    spheres: Sequence[int],
    kappa: int,
    n: int,
    gamma: float,
    r_bar: float,
    radius: int,
    Gamma: float = TABULAR_COVARIANCE,
) -> float:
    """(Γ/n) M Σ_{d>κ} |S_i(d)| r̄γ^{d-R}/(1-γ) ≥ ‖ĥ_i - ∇_{θ_i}J‖ under natural weights.

    spheres : |S_i(d)| for d = 0, 1, … An action is felt after d - R steps, where the plain model has d + 1.
    """
    beyond = (size * gamma ** (d - radius) for d, size in enumerate(spheres) if d > kappa)
    return Gamma / n * score_sum_factor(gamma) * r_bar / (1.0 - gamma) * math.fsum(beyond)
