"""Lemma 4 for the whole gradient, where the proof of Theorem 5 adds up n blocks: no factor of n is needed.

``any weights`` puts in the decay gaps D_j(κ) of this policy, ``worst case`` Lemma 3's (c, ρ), which serves every
policy; ``paper`` is what the proof of Theorem 5 uses, √(Σ L_i²) for max L_i; ``natural weights`` needs no gap at all;
``TD's limit`` is eq. (7) with the fixed points q*_j of `td_fixed_point`, which Algorithm 1 learns.

Besides the weight families of `lemma4` each κ has the weights that two climbs find, ``climbed from uniform`` and
``climbed from opposed``: ‖ĥ - ∇J‖ is convex in the weights, and in a given direction the best are point masses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import td_fixed_point_local
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.gradient import lemma4_vector, lemma4_vector_natural, lemma4_vector_paper
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import outside_axes, truncated_gradient_from
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import SCORE_BOUND, policies, score
from sacrepro.study.measures.fixed_points import critics, inside_states, solve_error
from sacrepro.study.measures.truncation import distance, truncated_q_functions
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = (
    "‖ĥ - ∇J‖ ≤ (1/√2) (1/n) Σ_j D_j(κ) / (1-γ) for any weights of eq. (6), ≤ r̄γ^{κ+2} M / (2√2 (1-γ)) for natural "
    "weights, M = (1-γ) Σ_s γ^s √(s+1), and ≤ r̄γ^{κ+1} / (√2 (1-γ)²) for TD's limit; the paper: √(2n) cρ^{κ+1} / (1-γ)"
)
REFERENCE = "sharpens Lemma 4 where the proof of Theorem 5 uses it"

#: Rounds of the climb over weights, and the families that it starts from.
ROUNDS, STARTS = 4, ("uniform", "opposed")

#: Entries of one Q_j up to which weights are climbed.
CLIMBED = 1 << 16


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ - ∇J‖ over all agents against the bounds without n and the paper's, for each κ and weight family."""
    mdp = case.mdp
    n, gamma = mdp.n, mdp.gamma
    zeta = policies(mdp, case.theta)
    c, rho = lemma3(mdp.r_bar, gamma)
    block_error = math.sqrt(n) * case.gradient_error

    def row(hypothesis: str, family: str, kappa: int, h_hat: tuple[Array, ...], right: float, off: float) -> Comparison:
        where = (case.instance, case.policy, hypothesis, family, 0, kappa)
        return Comparison(*where, distance(h_hat, case.gradient), right, block_error + off)

    tables = truncated_q_functions(case)
    for kappa in sorted({kappa for kappa, _ in tables}):
        small = math.prod((*mdp.state_sizes, *mdp.action_sizes)) <= CLIMBED
        climbs = {start: climbed(case, zeta, kappa, tables[kappa, start]) for start in STARTS * small}
        own = lemma4_vector(case.D[:, kappa].tolist(), gamma)
        rights = {
            "any weights": (own, lemma4_vector([case.D_error], gamma)),
            "worst case": (lemma4_vector([definition2(c, rho, kappa)], gamma), 0.0),
            "paper": (lemma4_vector_paper(c, rho, kappa, math.sqrt(n) * SCORE_BOUND, gamma), 0.0),
        }
        families = [(family, Q_hat) for (k, family), Q_hat in tables.items() if k == kappa]
        found = [
            *((family, truncated_gradient_from(mdp, zeta, case.pi_theta, Q_hat, kappa)) for family, Q_hat in families),
            *((f"climbed from {start}", h_hat) for start, h_hat in climbs.items()),
        ]
        for family, h_hat in found:
            for hypothesis, (right, off) in rights.items():
                yield row(hypothesis, family, kappa, h_hat, right, off)
            if family == "natural":
                yield row("natural weights", family, kappa, h_hat, lemma4_vector_natural(kappa, gamma, mdp.r_bar), 0.0)
    for kappa, q in critics(case):
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, q, kappa)
        solved = max(solve_error(mdp, inside_states(mdp, j, kappa)) for j in range(n))
        right = lemma4_vector([td_fixed_point_local(mdp.r_bar, gamma, kappa)], gamma)
        yield row("TD's limit", "", kappa, h_hat, right, lemma4_vector([solved], gamma))


def climbed(case: Case, zeta: tuple[Array, ...], kappa: int, Q_hat: list[Array]) -> tuple[Array, ...]:
    """ĥ for tables Q̂_j of form (5) with a large ‖ĥ - ∇J‖: the best for the error's direction so far, `ROUNDS` times.

    Each round is exact for its direction u, so ‖ĥ - ∇J‖ ≥ ⟨u, ĥ - ∇J⟩ does not fall. Q_hat : where it starts.
    """
    mdp = case.mdp
    n = mdp.n
    hoods = [neighborhood(mdp.graph, j, kappa) for j in range(n)]
    ends = []
    for j in range(n):
        Q_j, axes = q_function(mdp, case.V[j], j), outside_axes(hoods[j], n)
        ends.append((Q_j.min(axis=axes, keepdims=True), Q_j.max(axis=axes, keepdims=True)))
    h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, Q_hat, kappa)
    for _ in range(ROUNDS):
        along = [
            np.einsum("sab,sb->sa", score(zeta_i), h_i - g_i)
            for zeta_i, h_i, g_i in zip(zeta, h_hat, case.gradient, strict=True)
        ]
        best = [np.where(_on_cells(along, hoods[j]) > 0.0, high, low) for j, (low, high) in enumerate(ends)]
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, best, kappa)
    return h_hat


def _on_cells(along: list[Array], hood: tuple[int, ...]) -> Array:
    """Σ_{i ∈ hood} ⟨u_i, score_i(s_i, a_i)⟩ on the cells of `hood`, length 1 on the axes outside."""
    n = len(along)
    total = np.zeros((1,) * (2 * n))
    for i in hood:
        total = total + along[i].reshape([along[i].shape[axis // n] if axis % n == i else 1 for axis in range(2 * n)])
    return total
