"""The rival that no sampling method can beat on its own path: gradient ascent with the exact ∇J.

It lives here and not with the learners because it sees the model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.exact import objective_and_gradient
from sacrepro.model import Array, NetworkedMDP
from sacrepro.policy import check_theta


def exact_ascent(
    mdp: NetworkedMDP, theta0: Sequence[Array], *, M: int, eta: float, record_every: int
) -> tuple[tuple[Array, ...], Array]:
    """(thetas, m): line 12 of Algorithm 1 with ∇J(θ(m)) in place of ĝ(m), recorded as `SACTrace.thetas` and `.m`.

    η_m = η/√(m+1). thetas holds one array of shape (records, S_i, A_i) an agent; a function of the arguments alone.
    """
    theta = tuple(block.copy() for block in check_theta(mdp, theta0))
    stops = [*range(0, M, record_every), M]
    kept: list[list[Array]] = [[block.copy()] for block in theta]
    for m in range(M):
        gradient = objective_and_gradient(mdp, theta).gradient
        theta = tuple(block + eta / np.sqrt(m + 1.0) * g for block, g in zip(theta, gradient, strict=True))
        if m + 1 in stops:
            for i, block in enumerate(theta):
                kept[i].append(block.copy())
    return tuple(np.stack(blocks) for blocks in kept), np.array(stops)
