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
from functools import partial

import numpy as np

from sacrepro.bounds.critic import td_fixed_point_local
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.gradient import lemma4_vector, lemma4_vector_natural, lemma4_vector_paper
from sacrepro.exact.truncation import solve_error, truncated_gradient_from
from sacrepro.instances.extremal import parity
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import SCORE_BOUND, on_agent_axes, policies, score
from sacrepro.study.measures.fixed_points import critics, inside_states
from sacrepro.study.measures.truncation import NATURAL, distance, truncated_gradients, truncated_q_functions
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, SCORES, SHARE, TALLY, planted, times

ANY, WORST, PAPER, OF_NATURAL, TD = "any weights", "worst case", "paper", "natural weights", "TD's limit"


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

    def rows(
        family: str, kappa: int, h_hat: tuple[Array, ...], rights: dict[str, float], off: float = 0.0
    ) -> Iterator[Comparison]:
        return case.left(0, kappa, distance(h_hat, case.gradient), block_error + off, family).against(rights)

    gradients = truncated_gradients(case)
    for kappa in sorted({kappa for kappa, _ in gradients}):
        small = math.prod((*mdp.state_sizes, *mdp.action_sizes)) <= CLIMBED
        climbs = {start: climbed(case, zeta, kappa, gradients[kappa, start]) for start in STARTS * small}
        own = {ANY: lemma4_vector(case.D[:, kappa].tolist(), gamma)}
        rights = {
            WORST: lemma4_vector([definition2(c, rho, kappa)], gamma),
            PAPER: lemma4_vector_paper(c, rho, kappa, math.sqrt(n) * SCORE_BOUND, gamma),
        }
        found = [
            *((family, h_hat) for (k, family), h_hat in gradients.items() if k == kappa),
            *((f"climbed from {start}", h_hat) for start, h_hat in climbs.items()),
        ]
        for family, h_hat in found:
            yield from rows(family, kappa, h_hat, own, lemma4_vector([case.D_error], gamma))
            yield from rows(family, kappa, h_hat, rights)
            if family == NATURAL:
                yield from rows(family, kappa, h_hat, {OF_NATURAL: lemma4_vector_natural(kappa, gamma, mdp.r_bar)})
    for kappa, q in critics(case):
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, q, kappa)
        solved = max(solve_error(mdp, inside_states(mdp, j, kappa)) for j in range(n))
        right = lemma4_vector([td_fixed_point_local(mdp.r_bar, gamma, kappa)], gamma)
        yield from rows("", kappa, h_hat, {TD: right}, lemma4_vector([solved], gamma))


def climbed(case: Case, zeta: tuple[Array, ...], kappa: int, h_hat: tuple[Array, ...]) -> tuple[Array, ...]:
    """ĥ for tables Q̂_j of form (5) with a large ‖ĥ - ∇J‖: the best for the error's direction so far, `ROUNDS` times.

    Each round is exact for its direction u, so ‖ĥ - ∇J‖ ≥ ⟨u, ĥ - ∇J⟩ does not fall. h_hat : where it starts.
    """
    mdp = case.mdp
    n = mdp.n
    hoods, tables = [neighborhood(mdp.graph, j, kappa) for j in range(n)], truncated_q_functions(case)
    ends = list(zip(tables[kappa, "smallest"], tables[kappa, "largest"], strict=True))
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
        total = total + on_agent_axes(along[i], i, n)
    return total


def worst_on_the_star(variant: str, factor: float) -> Iterator[Comparison]:
    """The largest ‖ĥ - ∇J‖ of a variant on `parity`, against a share of its right side."""
    rows = check(uniform_case("parity", parity(6, gamma=0.02)))
    worst = max((row for row in rows if row.hypothesis == variant), key=lambda row: row.left / row.right)
    yield worst._replace(right=factor * worst.right)


EVERY = (ANY, WORST, PAPER, OF_NATURAL, TD)

CLAIM = Claim(
    order=120, words="the truncated policy gradient of all agents at once, without n",
    statement=(
        "‖ĥ - ∇J‖ ≤ (1/√2) (1/n) Σ_j D_j(κ) / (1-γ) for any weights of eq. (6), ≤ r̄γ^{κ+2} M / (2√2 (1-γ)) for natural "
        "weights, M = (1-γ) Σ_s γ^s √(s+1), and ≤ r̄γ^{κ+1} / (√2 (1-γ)²) for TD's limit; the paper: √(2n) cρ^{κ+1} / "
        "(1-γ)"
    ),
    reference="sharpens Lemma 4 where the proof of Theorem 5 uses it", proof="lemma4_vector", check=check,
    shares="tables",
    variants=(Variant(ANY, "lemma4_vector"), Variant(WORST, "lemma4_vector_worst_case"),
              Variant(PAPER, "lemma4_vector_paper", excuse="2√n above the worst case"), Variant(OF_NATURAL),
              Variant(TD, "lemma4_vector_td")),
    drawing=Drawing("lines", r"$\|\hat h - \nabla J\|$",
                    {PAPER: r"paper, $\sqrt{2n}\,c\rho^{\kappa+1}/(1-\gamma)$",
                     TD: r"TD's limit, $\bar r\gamma^{\kappa+1}/(\sqrt{2}(1-\gamma)^2)$",
                     ANY: "any weights, with the decay gaps of the policy",
                     OF_NATURAL: "natural weights, the stars alone"},
                    "one marker a policy and weight family",
                    "‖ĥ - ∇J‖ over all agents; lines: the largest of each bound. Only the paper's grows with n.",
                    starred=OF_NATURAL),
    attack=Attack(stream=13, built=("parity .02",)),
    plants=(*planted(EXPONENT, "parity .02", times(0.02), *EVERY),
            *planted(FACTOR, "broadcast .9", times(0.1), ANY, WORST),
            *planted(FACTOR, "tally", times(1.0 - TALLY), OF_NATURAL, TD),
            *planted(SCORES, "parity .02", times(SHARE), *EVERY)),
    hidden={FACTOR: "paper: √n times too large, as `worst case` shows, and here √n makes up for 1/(1-γ)"},
    counterexamples=(
        Counterexample("½ for 1/√2", "‖ĥ - ∇J‖ ≤ (1/2) (1/n) Σ_j D_j(κ) / (1-γ) for any weights of eq. (6)",
                       "sharpens Lemma 4", "fails with ½", partial(worst_on_the_star, ANY, SCORE_BOUND / 2)),
        Counterexample("κ+3", "‖ĥ - ∇J‖ ≤ r̄γ^{κ+3} M / (2√2 (1-γ)) for natural weights", "sharpens Lemma 4",
                       "fails with κ+3", partial(worst_on_the_star, OF_NATURAL, 0.02)),
    ),
)  # fmt: skip
