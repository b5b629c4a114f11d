"""Assumption 3: the best σ for each τ, exactly, between a floor from local kernels and a ceiling from counting.

σ_i(τ) is the least probability of a cell of N_i^κ at time τ over all (s, a) at time 1; the lag is τ-1 and the
assumption's σ is min_i σ_i. ``floor`` and ``ceiling`` bound σ_i for the policy θ. ``floor, mixed`` replaces ζ by
(1-ε)ζ + ε/A with ε = `MIXING`; its floor does not depend on θ, so Assumption 3 holds for all such policies at once.
``later`` compares σ_i(τ) with σ_i at the next larger τ: a minimum over starts can only grow. On the relay σ = 0 always.

Skipped: models with more than `MOST_ENTRIES` probabilities of a joint state given a joint pair (s, a).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sacrepro.bounds.assumption3 import assumption3, assumption3_ceiling
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.exact.dense import transition_matrix
from sacrepro.graph import diameter, neighborhood
from sacrepro.model import NORMALISATION_TOLERANCE, Array, NetworkedMDP
from sacrepro.policy import policies

STATEMENT = "Π_{N_i^κ} min P_j min ζ_j ≤ σ_i(τ) ≤ Π_{N_i^κ} max_s min_a ζ_j / S_j, and σ_i(τ) grows with τ"
REFERENCE = "Assumption 3"

MOST_ENTRIES = 2**22

#: Times τ at which σ is computed; τ = 1 is the start itself.
TAUS = (2, 3, 5, 9)

#: ε of the mixed policies.
MIXING = 0.1


def check(case: Case) -> Iterator[Comparison]:
    """The floor, the ceiling and the growth of σ_i(τ) for each agent, κ and τ."""
    mdp = case.mdp
    if entries(mdp) > MOST_ENTRIES:
        return
    zeta = policies(mdp, case.theta)
    mixed = tuple((1.0 - MIXING) * zeta_i + MIXING / zeta_i.shape[1] for zeta_i in zeta)
    sigma, sigma_mixed = best_sigma(mdp, zeta, TAUS), best_sigma(mdp, mixed, TAUS)
    for i in range(mdp.n):
        for kappa in range(case.D.shape[1]):
            hood = neighborhood(mdp.graph, i, kappa)
            kernels = [mdp.P[j] for j in hood]
            floor = assumption3(kernels, [float(zeta[j].min()) for j in hood])
            always = assumption3(kernels, [MIXING / mdp.action_sizes[j] for j in hood])
            ceiling = assumption3_ceiling([zeta[j] for j in hood])
            sides = [("floor", tau, floor, sigma[i, kappa, tau]) for tau in TAUS]
            sides += [("floor, mixed", tau, always, sigma_mixed[i, kappa, tau]) for tau in TAUS]
            sides += [("ceiling", tau, sigma[i, kappa, tau], ceiling) for tau in TAUS]
            sides += [("later", a, sigma[i, kappa, a], sigma[i, kappa, b]) for a, b in pairwise(TAUS)]
            for hypothesis, tau, left, right in sides:
                error = relative_error(mdp, tau) * max(left, right)
                yield Comparison(case.instance, case.policy, hypothesis, f"τ={tau}", i, kappa, left, right, error)


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
