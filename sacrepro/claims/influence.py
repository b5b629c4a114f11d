"""The influence matrix: decay of Q_i certified from local kernels alone, for every localized policy.

Five readings of the right side, all from the same C: the clipped series; its closed form, where γ·(spectral radius
of C) < 1; the row sums, where γμ < 1; one bound for all agents at once; and the series with the policy's own C^θ in
place of C from the second step on. A reading whose condition fails on an instance has no row there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.influence import (
    influence,
    influence_closed_form,
    influence_everywhere,
    influence_matrix,
    influence_row_sums,
    policy_influence,
)
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.exact.dense import averaged_kernels
from sacrepro.graph import outside
from sacrepro.model import Array
from sacrepro.policy import policies

STATEMENT = "D_i(κ) ≤ r̄ Σ_{t≥κ+1} γ^t q_i(t), q(0) = 1_O, q(t+1) = min(1, C q(t))"
REFERENCE = "sharpens Lemma 3 and Appendix A"


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against each reading, for each agent and each κ that leaves somebody outside."""
    places = [(i, kappa) for i in range(case.mdp.n) for kappa in case.kappas(i)]
    if not places:
        return
    for hypothesis, bounds in readings(case, places).items():
        for (i, kappa), right in zip(places, bounds, strict=True):
            left = float(case.D[i, kappa])
            where = (case.instance, case.policy, hypothesis, "", i, kappa)
            yield Comparison(*where, left, float(right), case.D_error)


def readings(case: Case, places: list[tuple[int, int]]) -> dict[str, Array]:
    """The bound on D_i(κ) for each (i, κ) of `places`, keyed by the reading."""
    mdp = case.mdp
    gamma, r_bar = mdp.gamma, mdp.r_bar
    C = influence_matrix(mdp)
    own = policy_influence(averaged_kernels(mdp, policies(mdp, case.theta)), mdp.neighbors)
    outsiders = np.zeros((mdp.n, len(places)))
    for column, (i, kappa) in enumerate(places):
        outsiders[list(outside(mdp.graph, i, kappa)), column] = 1.0
    agents = [i for i, _ in places]
    columns = range(len(places))
    everywhere = influence_everywhere(C, max(kappa for _, kappa in places), gamma, r_bar)
    found = {
        "clipped series": influence(C, outsiders, gamma, r_bar)[agents, columns],
        "own C^θ": influence(C, outsiders, gamma, r_bar, own)[agents, columns],
        "all agents at once": np.array([everywhere[place] for place in places]),
    }
    if gamma * float(np.abs(np.linalg.eigvals(C.toarray())).max()) < 1.0:
        found["closed form"] = influence_closed_form(C, outsiders, gamma, r_bar)[agents, columns]
    if gamma * float(C.sum(axis=1).max()) < 1.0:
        found["row sums"] = np.array([influence_row_sums(C, kappa, gamma, r_bar) for _, kappa in places])
    return found
