"""The best σ of Assumption 3 for a given τ, and its rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sacrepro.exact.dense import transition_matrix
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array
from sacrepro.model.graph import diameter, neighborhood
from sacrepro.model.mdp import NetworkedMDP

MOST_ENTRIES = 2**22


def best_sigma(mdp: NetworkedMDP, zeta: tuple[Array, ...], taus: Sequence[int]) -> dict[tuple[int, int, int], float]:
    """σ_i(τ) by (i, κ, τ): min over (s, a) at time 1 and cells of P(s_B(τ), a_B(τ) | s(1) = s, a(1) = a), B = N_i^κ."""
    n, S = mdp.n, mdp.state_sizes
    operands: list[Any] = []
    for j in range(n):
        operands += [mdp.P[j], [*mdp.neighbors[j], n + j, 2 * n + j]]
    law = np.einsum(*operands, list(range(3 * n)), optimize="greedy").reshape(-1, int(np.prod(S)))
    onward = transition_matrix(mdp, zeta)
    hoods = {
        (i, kappa): neighborhood(mdp.graph, i, kappa) for i in range(n) for kappa in range(diameter(mdp.graph) + 1)
    }
    found: dict[tuple[int, int, int], float] = {}
    for tau in range(2, max(taus) + 1):
        if tau in taus:
            least = {hood: least_cell(mdp, zeta, law, hood) for hood in set(hoods.values())}
            found |= {(i, kappa, tau): least[hood] for (i, kappa), hood in hoods.items()}
        law = law @ onward
    return found


def least_cell(mdp: NetworkedMDP, zeta: Sequence[Array], law: Array, hood: Sequence[int]) -> float:
    """The least probability of a cell of `hood` under the laws of the joint state in the rows of `law`."""
    sizes = [mdp.state_sizes[j] for j in hood]
    joint = np.array(np.unravel_index(np.arange(law.shape[1]), mdp.state_sizes))
    seen = np.eye(int(np.prod(sizes)))[np.ravel_multi_index(joint[list(hood)], sizes)]
    least = (law @ seen).min(axis=0).reshape(sizes)
    for position, j in enumerate(hood):
        shape = [-1 if k == position else 1 for k in range(len(hood))]
        least = least * zeta[j].min(axis=1).reshape(shape)
    return float(least.min())


def entries(mdp: NetworkedMDP) -> int:
    """Probabilities of a joint state given a joint pair (s, a)."""
    return int(np.prod([float(S_j) ** 2 * A_j for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True)]))


def relative_error(mdp: NetworkedMDP, tau: int) -> float:
    """A bound on the relative error of σ_i(τ): sums of products of non-negative terms, and kernels that miss sum 1."""
    u = float(np.finfo(float).eps) / 2
    roundings = 2 * (tau + 1) * (int(np.prod(mdp.state_sizes)) + 4 * mdp.n)
    return 2.0 * roundings * u + 2.0 * tau * mdp.n * NORMALISATION_TOLERANCE
