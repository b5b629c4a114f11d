"""Anatomy of the other inequalities: each right side, with one coarse quantity after the other replaced.

A chain is a list of values from a right side down to its left side; the step between two of them is sound, and their
ratio is what it costs. The steps are those of `paper/proofs.md`, anatomy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from sacrepro.bounds.critic import (
    critic_bias,
    critic_sharp,
    td_fixed_point,
    td_fixed_point_local,
    theorem5_bias,
    theorem5_bias_sharp,
)
from sacrepro.bounds.decay import definition2, lemma3, mixing_series
from sacrepro.bounds.gradient import natural_weights_error
from sacrepro.exact.dense import gradient_from_q
from sacrepro.exact.truncation import solve_error, truncated_gradient_from
from sacrepro.model.checks import Array
from sacrepro.model.graph import outside, sphere_sizes
from sacrepro.model.policy import SCORE_BOUND, policies, score_norm
from sacrepro.study.measures.decay import mixing_of
from sacrepro.study.measures.fixed_points import critics, inside_states
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

#: The steps of each inequality, coarse quantities in the order in which they are replaced.
CHAINS = {
    "lemma3": (
        "r̄ for the range of r_i", "starts that never meet, sup over policies", "TV for r_i, all starts for a cell",
    ),
    "truncation": ("Lemma 3", "worst weights"),
    "td_fixed_point": (
        "2/(1-γ), not needed", "Lemma 3, sup over policies", "1/(1-γ), the error repeated every step",
    ),
    "critic_sharp": (
        "2/(1-γ)², by locality", "r̄γ^{κ+1}/(1-γ) for the critic's error", "L_i for the score norm",
        "sup over cells and agents, no cancellation",
    ),
    "lemma4_sharp": (
        "r̄ for the range of rewards", "ΓM R_d for one far agent", "no cancellation between agents",
    ),
    "(9)": (
        "2/(1-γ)², by locality", "L r̄/(1-γ)² for ‖∇J‖ at this θ", "noise budget, sup over cells, no cancellation",
    ),
}  # fmt: skip


def anatomies(case: Case, Q: list[Array], Q_hat: dict[tuple[int, str], list[Array]]) -> Iterator[Comparison]:
    """A comparison for each step of every chain. Q : all Q_j. Q_hat : all Q̂_j by (κ, weight family)."""
    for chain in (lemma3_chains, truncation_chains, td_chains, natural_chains):
        yield from chain(case, Q, Q_hat)


def apart(
    case: Case, inequality: str, values: Sequence[float], what: str, i: int, kappa: int, error: float
) -> Iterator[Comparison]:
    """One inequality of `CHAINS` taken apart: one value more than steps, and a bound on the error of any difference.

    what : the weights, where there are any.
    """
    for step, (right, left) in zip(CHAINS[inequality], pairwise(values), strict=True):
        yield from case.left(i, kappa, left, error, what).against({f"{inequality}: {step}": right})


def span(case: Case, i: int) -> float:
    """The range of r_i."""
    return float(case.mdp.r[i].max() - case.mdp.r[i].min())


def lemma3_chains(case: Case, Q: list[Array], Q_hat: dict[tuple[int, str], list[Array]]) -> Iterator[Comparison]:
    """r̄γ^{κ+1}/(1-γ) ≥ with the range of r_i ≥ with TV distances ≤ 1 between starts ≥ D_i(κ)."""
    mdp = case.mdp
    found = mixing_of(case)
    for i in range(mdp.n):
        for kappa in case.kappas(i):
            values = (
                definition2(*lemma3(mdp.r_bar, mdp.gamma), kappa),
                definition2(*lemma3(span(case, i), mdp.gamma), kappa),
                mixing_series(found[i].between, kappa, span(case, i), mdp.gamma),
                float(case.D[i, kappa]),
            )
            yield from apart(case, "lemma3", values, "", i, kappa, case.D_error + 1e-12 * values[0])


def truncation_chains(case: Case, Q: list[Array], Q_hat: dict[tuple[int, str], list[Array]]) -> Iterator[Comparison]:
    """r̄γ^{κ+1}/(1-γ) ≥ D_i(κ) ≥ max |Q̂_i - Q_i|."""
    mdp = case.mdp
    for (kappa, family), tables in Q_hat.items():
        for i in range(mdp.n):
            if kappa in case.kappas(i):
                left = float(np.abs(tables[i] - Q[i]).max())
                values = (definition2(*lemma3(mdp.r_bar, mdp.gamma), kappa), float(case.D[i, kappa]), left)
                error = 2.0 * case.error + case.D_error
                yield from apart(case, "truncation", values, family, i, kappa, error)


def td_chains(case: Case, Q: list[Array], Q_hat: dict[tuple[int, str], list[Array]]) -> Iterator[Comparison]:
    """2cρ^{κ+1}/(1-γ)² down to |q* - Q_i|, and L_i times it over 1-γ down to ‖ĥ_i(q*) - ∇_{θ_i}J‖."""
    mdp = case.mdp
    gamma = mdp.gamma
    c, rho = lemma3(mdp.r_bar, gamma)
    zeta = policies(mdp, case.theta)
    for kappa, tables in critics(case):
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, tables, kappa)
        off = solve_error(mdp, max(inside_states(mdp, j, kappa) for j in range(mdp.n)))
        off += 2.0 * case.error + case.D_error / (1.0 - gamma)
        misses = [float(np.abs(tables[j] - Q[j]).max()) for j in range(mdp.n)]
        for i in range(mdp.n):
            if outside(mdp.graph, i, kappa):
                values = (
                    critic_bias(c, rho, kappa, gamma),
                    td_fixed_point(definition2(c, rho, kappa), gamma),
                    td_fixed_point(float(case.D[i, kappa]), gamma),
                    misses[i],
                )
                yield from apart(case, "td_fixed_point", values, "", i, kappa, off)
            largest = max(max(miss, 0.5 * float(case.D[j, kappa])) for j, miss in enumerate(misses))
            measured = score_norm(zeta[i])
            kept = (
                critic_sharp(SCORE_BOUND, critic_bias(c, rho, kappa, gamma), gamma),
                critic_sharp(SCORE_BOUND, td_fixed_point_local(mdp.r_bar, gamma, kappa), gamma),
                critic_sharp(SCORE_BOUND, largest, gamma),
                critic_sharp(measured, largest, gamma),
                float(np.linalg.norm(h_hat[i] - case.gradient[i])),
            )
            error = case.gradient_error + critic_sharp(SCORE_BOUND, off, gamma)
            yield from apart(case, "critic_sharp", kept, "", i, kappa, error)


def natural_chains(case: Case, Q: list[Array], Q_hat: dict[tuple[int, str], list[Array]]) -> Iterator[Comparison]:
    """The sharper Lemma 4 under natural weights, and ε_κ of (9) down to 2‖∇J‖‖ĥ - ∇J‖."""
    mdp = case.mdp
    n, gamma, zeta = mdp.n, mdp.gamma, policies(mdp, case.theta)
    alone = [gradient_from_q(mdp, zeta, case.pi_theta, (Q_j,) * n) for Q_j in Q]
    each = np.array([[float(np.linalg.norm(alone[j][i])) for j in range(n)] for i in range(n)])
    largest_span = max(span(case, j) for j in range(n))
    L = SCORE_BOUND * math.sqrt(n)
    norm = math.sqrt(sum(float(np.sum(block**2)) for block in case.gradient))
    c, rho = lemma3(mdp.r_bar, gamma)
    for (kappa, family), tables in Q_hat.items():
        if family != "natural":
            continue
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, tables, kappa)
        misses = [float(np.linalg.norm(h - g)) for h, g in zip(h_hat, case.gradient, strict=True)]
        for i in range(n):
            spheres = sphere_sizes(mdp.graph, i)
            far = outside(mdp.graph, i, kappa)
            values = (
                natural_weights_error(spheres, kappa, n, gamma, mdp.r_bar),
                natural_weights_error(spheres, kappa, n, gamma, largest_span),
                float(each[i, list(far)].sum()) / n,
                misses[i],
            )
            yield from apart(case, "lemma4_sharp", values, family, i, kappa, 2.0 * case.gradient_error)
        miss = float(np.linalg.norm(misses))
        bias = 3.0 * L * definition2(c, rho, kappa) / (1.0 - gamma)
        biases = (
            theorem5_bias(c, rho, kappa, L, mdp.r_bar, gamma),
            theorem5_bias_sharp(kappa, L, mdp.r_bar, gamma),
            2.0 * norm * bias,
            2.0 * norm * miss,
        )
        together = case.gradient_error * math.sqrt(n)
        error = 2.0 * together * (norm + miss + bias + together)
        yield from apart(case, "(9)", biases, family, 0, kappa, error)
