"""Lemma 4, sharper: one right side for any weights of eq. (6), one for the natural weights.

The weight families are those of `lemma4`; ``natural weights`` has the rows of the natural law alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sacrepro.bounds.gradient import any_weights_error, natural_weights_error
from sacrepro.instances.extremal import latch
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.measures.truncation import NATURAL, error_at_the_latch, seeing_out, truncation_errors
from sacrepro.study.record import Attack, Case, Claim, Comparison, Drawing, Plant, Variant
from sacrepro.study.record.claim import EXPONENT, FACTOR, ONE_SIDED, SCORES, SHARE, TOTAL, WEIGHTS, planted, times

ANY, OF_NATURAL = "any weights", "natural weights"


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i - ∇_{θ_i}J‖ against the sharper bounds, for each agent, κ and weight family, and for the worst weights."""
    for miss in truncation_errors(case):
        rights = {ANY: for_any_weights(case.mdp, miss.agent, miss.kappa)}
        if miss.case == NATURAL:
            rights[OF_NATURAL] = for_natural_weights(case.mdp, miss.agent, miss.kappa)
        yield from miss.against(rights)


def for_any_weights(mdp: NetworkedMDP, i: int, kappa: int) -> float:
    """`any_weights_error` around agent i."""
    hood = (sphere_sizes(mdp.graph, i), seeing_out(mdp.graph, i, kappa))
    return any_weights_error(*hood, kappa, mdp.n, mdp.gamma, mdp.r_bar)


def for_natural_weights(mdp: NetworkedMDP, i: int, kappa: int) -> float:
    """`natural_weights_error` around agent i."""
    return natural_weights_error(sphere_sizes(mdp.graph, i), kappa, mdp.n, mdp.gamma, mdp.r_bar)


def at_the_latch(weights: float = 1.0, over: tuple[int, ...] | None = None) -> Iterator[Comparison]:
    """Agent 0 of the latch, with weights of another total or a sum over other agents than N_0^κ."""
    miss = error_at_the_latch(weights, over)
    return miss.against({"": for_any_weights(latch(6, 0.2), 0, miss.kappa)})


def natural_one_sided() -> Iterator[Comparison]:
    """The sum over {0} with Q̂_0 of natural weights misses agents 1, …, κ, which natural weights do not excuse."""
    miss = error_at_the_latch(over=(0,))
    return miss.against({"": for_natural_weights(latch(6, 0.2), 0, miss.kappa)})


CLAIM = Claim(
    order=110, words="the truncated policy gradient of agent i, falling with 1/n and with who can reach whom",
    statement=(
        "‖ĥ_i - ∇_{θ_i}J‖ ≤ (Γ/n) [Σ_{d≤κ} m_d min(2G/(1-γ), R_d(1/(1-γ) + M)) + M Σ_{d>κ} |S_i(d)| R_d], Γ = √2/4, "
        "G = r̄γ^{κ+1}/(1-γ), R_0 = r̄/(1-γ), R_d = r̄γ^{d+1}/(1-γ), M = (1-γ) Σ_s γ^s √(s+1); natural weights without "
        "the first sum"
    ),
    reference="sharpens Lemma 4", proof="lemma4_sharp", check=check,
    shares="tables", variants=(Variant(ANY), Variant(OF_NATURAL)),
    drawing=Drawing(
        "lines", r"$\|\hat h_i - \nabla_{\theta_i} J\|$",
        {ANY: "bound, any weights", OF_NATURAL: "bound, natural weights, the stars alone"},
        "one marker an agent, policy and weight family",
        "‖ĥ_i - ∇_{θ_i}J‖ for any weights, and as stars for natural ones; lines: the largest of each bound.",
        starred=OF_NATURAL,
    ),
    attack=Attack(stream=8, built=("broadcast .9", "latch .02")),
    plants=(*planted(EXPONENT, "broadcast .1", times(0.1), ANY),
            *planted(EXPONENT, "latch .02", times(0.02), OF_NATURAL), *planted(FACTOR, "broadcast .9", times(0.1), ANY),
            *planted(FACTOR, "latch .9", times(0.1), OF_NATURAL), *planted(SCORES, "broadcast .9", times(SHARE), ANY),
            *planted(SCORES, "latch .02", times(SHARE), OF_NATURAL),
            Plant(ONE_SIDED, OF_NATURAL, "latch .02", rows=natural_one_sided),
            Plant(ONE_SIDED, ANY, at_the_latch, rows=partial(at_the_latch, over=(0,))),
            Plant(WEIGHTS, ANY, at_the_latch, rows=partial(at_the_latch, TOTAL))),
)  # fmt: skip
