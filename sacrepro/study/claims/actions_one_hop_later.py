"""Lemma 3 on smaller cells: states of N_i^κ with the actions of N_i^{κ-1} only.

`case` says how many cells the smaller table has of how many, which is what the statement saves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sacrepro.bounds.decay import actions_kept, actions_one_hop_later
from sacrepro.instances.extremal import latch
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, planted, times


def check(case: Case) -> Iterator[Comparison]:
    """The oscillation over the smaller cells against Lemma 3's bound, for each κ that leaves a state or action out."""
    mdp = case.mdp
    for i in range(mdp.n):
        Q_i = case.Q(i)
        for kappa in range(case.D.shape[1]):
            axes = open_axes(mdp, i, kappa)
            if not axes:
                continue
            left = float((Q_i.max(axis=axes) - Q_i.min(axis=axes)).max())
            right = actions_one_hop_later(mdp.r_bar, mdp.gamma, kappa)
            yield from case.left(i, kappa, left, 2 * case.error, saving(mdp, i, kappa)).against({"": right})


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


def two_hops_later() -> Iterator[Comparison]:
    """The latch against r̄ γ^{κ+2}/(1-γ), which an action acting two hops later would allow."""
    for row in check(uniform_case("latch", latch(4, 0.5))):
        if row.kappa == row.agent >= 1:
            yield row._replace(right=0.5 * row.right)


CLAIM = Claim(
    order=70, words="a cell may leave out the actions of its outermost hop",
    statement="Q_i varies by r̄ γ^{κ+1} / (1-γ) at most over a cell (s_{N_i^κ}, a_{N_i^{κ-1}})",
    reference="sharpens Lemma 3", proof="actions_one_hop_later", check=check, shares="tables",
    variants=(Variant(theorem="actions_one_hop_later"),),
    drawing=Drawing(
        "lines", r"oscillation of $Q_i$ over a cell $(s_{N_i^\kappa}, a_{N_i^{\kappa-1}})$",
        {"": r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"},
        r"with actions of $N_i^{\kappa-1}$ only, one marker an agent and policy",
        "How far Q_i varies where states on N_i^κ and only the actions on N_i^{κ-1} are fixed, below Lemma 3's bound.",
    ),
    attack=Attack(stream=5, built=("relay",)),
    plants=(*planted(EXPONENT, "latch .9", times(0.9)), *planted(FACTOR, "latch .9", times(0.1))),
    counterexamples=(
        Counterexample("two hops later", "Q_i varies by r̄ γ^{κ+2} / (1-γ) at most over these cells", "sharpens Lemma 3",
                       "fails with κ+2", two_hops_later),
    ),
)  # fmt: skip
