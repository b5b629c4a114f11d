"""Lemma 3 on smaller cells: states of N_i^κ with the actions of N_i^{κ-1} only.

`case` says how many cells the smaller table has of how many, which is what the statement saves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sacrepro.bounds.decay import actions_kept, actions_one_hop_later
from sacrepro.exact.dense import q_function
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "Q_i varies by r̄ γ^{κ+1} / (1-γ) at most over a cell (s_{N_i^κ}, a_{N_i^{κ-1}})"
REFERENCE = "sharpens Lemma 3"


def check(case: Case) -> Iterator[Comparison]:
    """The oscillation over the smaller cells against Lemma 3's bound, for each κ that leaves a state or action out."""
    mdp = case.mdp
    for i in range(mdp.n):
        Q_i = q_function(mdp, case.V[i], i)
        for kappa in range(case.D.shape[1]):
            axes = open_axes(mdp, i, kappa)
            if not axes:
                continue
            left = float((Q_i.max(axis=axes) - Q_i.min(axis=axes)).max())
            right = actions_one_hop_later(mdp.r_bar, mdp.gamma, kappa)
            yield Comparison(
                case.instance, case.policy, "", saving(mdp, i, kappa), i, kappa, left, right, 2 * case.error
            )


def open_axes(mdp: NetworkedMDP, i: int, kappa: int) -> tuple[int, ...]:
    """The axes of Q_i that the smaller cell leaves open: states outside N_i^κ, actions outside N_i^{κ-1}."""
    states = outside(mdp.graph, i, kappa)
    actions = outside(mdp.graph, i, actions_kept(kappa))
    return (*states, *(mdp.n + j for j in actions))


def saving(mdp: NetworkedMDP, i: int, kappa: int) -> str:
    """How many cells there are, of how many with the actions of all of N_i^κ."""
    hood = neighborhood(mdp.graph, i, kappa)
    states = math.prod(mdp.state_sizes[j] for j in hood)
    kept = math.prod(mdp.action_sizes[j] for j in neighborhood(mdp.graph, i, actions_kept(kappa)))
    return f"{states * kept} of {states * math.prod(mdp.action_sizes[j] for j in hood)} cells"
