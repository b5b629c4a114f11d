"""Eqs. (5)-(6): any truncated Q-function is within the decay bound of Q_i."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from sacrepro.bounds.decay import lemma3, truncation
from sacrepro.exact.truncation import outside_axes
from sacrepro.instances.relay import relay
from sacrepro.model.graph import neighborhood
from sacrepro.study.measures.truncation import FAMILIES, point_mass_weights, truncated_q_functions
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Plant, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, TOTAL, WEIGHTS, planted, times


def check(case: Case) -> Iterator[Comparison]:
    """max |Q̂_i - Q_i| against c ρ^{κ+1} for each agent, κ and weight family."""
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    tables = truncated_q_functions(case)
    for i in range(mdp.n):
        for kappa in case.kappas(i):
            right, low, high = truncation(c, rho, kappa), tables[kappa, "smallest"][i], tables[kappa, "largest"][i]
            for family in FAMILIES:
                Q_hat = tables[kappa, family][i]
                left = float(np.maximum(Q_hat - low, high - Q_hat).max())  # where Q_i is least or largest in a cell
                yield from case.left(i, kappa, left, 2.0 * case.error, family).against({"": right})


def of_total(total: float) -> Iterator[Comparison]:
    """max |Q̂_i - Q_i| on the relay for point masses on each cell's largest entry, scaled to sum to `total`."""
    case = uniform_case("relay", relay(4, gamma=0.9))
    mdp = case.mdp
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i in range(mdp.n):
        Q_i = case.Q(i)
        for kappa in range(i):
            hood = neighborhood(mdp.graph, i, kappa)
            w = total * point_mass_weights(Q_i, hood, largest=True)
            left = float(np.abs((w * Q_i).sum(axis=outside_axes(hood, mdp.n), keepdims=True) - Q_i).max())
            found = case.left(i, kappa, left, (1.0 + total) * case.error, f"weights sum to {total:g}")
            yield from found.against({"": truncation(c, rho, kappa)})


CLAIM = Claim(
    order=90, words="every truncated Q-function of eq. (5) is within the decay bound of Q_i",
    statement="|Q̂_i - Q_i| ≤ r̄ γ^{κ+1} / (1-γ) for any weights of eq. (6)", reference="eqs. (5)-(6)", check=check,
    shares="tables",
    variants=(Variant(theorem="truncation"),),
    drawing=Drawing(
        "families", r"$\max\,|\hat Q_i - Q_i|$ over cells, agents, policies",
        {"": r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"},
        caption="The largest |Q̂_i - Q_i| over agents and policies for each weight family, against the same bound.",
    ),
    attack=Attack(stream=6, built=("relay",)),
    plants=(*planted(EXPONENT, "relay", times(0.9)), *planted(FACTOR, "relay", times(0.1)),
            Plant(WEIGHTS, "", partial(of_total, 1.0), rows=partial(of_total, TOTAL))),
    counterexamples=(
        Counterexample("weights sum to 1.1", "|Q̂_i - Q_i| ≤ c ρ^{κ+1} for any non-negative weights", "eqs. (5)-(6)",
                       "fails without eq. (6)", partial(of_total, 1.1)),
    ),
)  # fmt: skip
