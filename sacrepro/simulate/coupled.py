"""Sampling of an action-coupled model, step by step: an `OwnSimulator`, for small networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.coupled import CoupledMDP
from sacrepro.model import Array


class CoupledSteps:
    """An `OwnSimulator` of a `CoupledMDP`: s_i' ~ P_i(·|s_{N_i}, a_{N_i}), rewards r_i(s_{N_i}, a_{N_i})."""

    def __init__(self, mdp: CoupledMDP) -> None:
        self.graph, self.gamma = mdp.graph, mdp.gamma
        self.state_sizes: Sequence[int] = mdp.state_sizes
        self.action_sizes: Sequence[int] = mdp.action_sizes
        self._mdp = mdp
        self._s = np.zeros(mdp.n, dtype=np.int64)

    def reset(self, rng: np.random.Generator) -> Array:
        """s(0) ~ π_0."""
        pi0 = self._mdp.pi0
        if isinstance(pi0, np.ndarray):
            self._s = np.array(np.unravel_index(drawn(pi0.ravel(), rng), pi0.shape))
        else:
            self._s = np.array([drawn(pi0_i, rng) for pi0_i in pi0])
        return self._s.copy()

    def step(self, a: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """(r, s_next) after the joint action a."""
        mdp, s = self._mdp, self._s
        rows = [(*s[list(hood)], *a[list(hood)]) for hood in mdp.neighbors]
        r = np.array([r_i[row] for r_i, row in zip(mdp.r, rows, strict=True)])
        self._s = np.array([drawn(P_i[row], rng) for P_i, row in zip(mdp.P, rows, strict=True)])
        return r, self._s.copy()


def drawn(law: Array, rng: np.random.Generator) -> int:
    """One outcome of a law; impossible ones are never drawn."""
    cumulative = np.cumsum(law)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
