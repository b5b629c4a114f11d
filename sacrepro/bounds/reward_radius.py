"""Lemmas 3 and 4 for action-coupled models: what they keep, and the hop that rewards of radius 1 cost.

The law of z on N_i^d at time t depends on z(0) on N_i^{d+t}, whether kernels see neighbors' actions or not. A reward
of radius R, r_i(z_{N_i^R}), so sees N_i^{t+R} at time t, and two starts that agree on N_i^κ pay the same for t ≤ κ-R.
Proof in `paper/proofs.md`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from sacrepro.bounds.influence import horizon
from sacrepro.bounds.lemma4_sharp import TABULAR_COVARIANCE, score_sum_factor
from sacrepro.model import Array


def reward_radius(r_bar: float, gamma: float, kappa: int, radius: int) -> float:
    """r̄ γ^{κ+1-R} / (1-γ) ≥ D_i(κ): Lemma 3's bound for R = 0, one power of γ more for R = 1."""
    return r_bar * gamma ** (kappa + 1 - radius) / (1.0 - gamma)


def reward_radius_influence(C: csr_array, seen: csr_array, outsiders: Array, gamma: float, r_bar: float) -> Array:
    """r̄ Σ_{t≥0} γ^t min(1, (B q(t))_i) ≥ D_i(κ), q(0) = 1_O, q(t+1) = min(1, C q(t)); shape of `outsiders`.

    C : `influence_matrix` of the action-coupled model. seen : B, row i marks the agents that r_i sees.
    outsiders : 1_O in columns; row i of the result is the bound for agent i. The rest of the series is added.
    """
    T = horizon(gamma)
    q = np.asarray(outsiders, dtype=float)
    total = np.full(q.shape, gamma ** (T + 1) / (1.0 - gamma))
    for t in range(T + 1):
        total += gamma**t * np.minimum(1.0, seen @ q)
        q = np.minimum(1.0, C @ q)
    return r_bar * total


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
