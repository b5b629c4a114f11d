"""Ascent without sampling: along the exact ∇J, and along eq. (7) with TD's fixed points, Algorithm 1 with T = ∞.

The second is what κ alone does: no noise, no unvisited cell, nothing but the bias. Both live here and not with the
learners because they see the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.exact.gradient import objective_and_gradient
from sacrepro.exact.truncation import td_fixed_point, truncated_policy_gradient
from sacrepro.exact.values import q_function
from sacrepro.model.checks import Array
from sacrepro.model.graph import outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import check_theta


def exact_ascent(
    mdp: NetworkedMDP, theta0: Sequence[Array], *, M: int, eta: float, record_every: int, kappa: int | None = None
) -> tuple[tuple[Array, ...], Array]:
    """(thetas, m): line 12 of Algorithm 1 without sampling, recorded as `SACTrace.thetas` and `.m`.

    kappa : None for ∇J(θ(m)) in place of ĝ(m), else κ for ĥ(θ(m)) of eq. (7) with Q̂_j = q*_j.
    η_m = η/√(m+1). thetas holds one array of shape (records, S_i, A_i) an agent; a function of the arguments alone.
    """
    theta = tuple(block.copy() for block in check_theta(mdp, theta0))
    stops = [*range(0, M, record_every), M]
    kept: list[list[Array]] = [[block.copy()] for block in theta]
    for m in range(M):
        g = objective_and_gradient(mdp, theta).gradient if kappa is None else patient_direction(mdp, theta, kappa)
        theta = tuple(block + eta / np.sqrt(m + 1.0) * g_i for block, g_i in zip(theta, g, strict=True))
        if m + 1 in stops:
            for i, block in enumerate(theta):
                kept[i].append(block.copy())
    return tuple(np.stack(blocks) for blocks in kept), np.array(stops)


def patient_direction(mdp: NetworkedMDP, theta: Sequence[Array], kappa: int) -> tuple[Array, ...]:
    """ĥ(θ) of eq. (7) with TD's fixed points q*_j, blocks (S_i, A_i); with nobody outside it is ∇J(θ)."""
    tables = [
        td_fixed_point(mdp, theta, j, kappa) if outside(mdp.graph, j, kappa) else q_function(mdp, theta, j)
        for j in range(mdp.n)
    ]
    return truncated_policy_gradient(mdp, theta, tables, kappa)
