"""Lemma 4: the truncated policy gradient is close to the policy gradient.

Each comparison is made twice. ``worst case`` takes Lemma 3's (c, ρ) and L_i = √2, which hold for every policy;
``own hypothesis`` takes what the lemma's hypotheses amount to on this instance: the measured decay gap
max_j D_j(κ) in place of c ρ^{κ+1}, and the measured score norm in place of L_i.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import lemma4
from sacrepro.instances.relay import broadcast, noisy_broadcast
from sacrepro.model.policy import SCORE_BOUND, policies, score_norm
from sacrepro.study.measures.truncation import error_at_the_latch, truncation_errors
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Plant, Variant, uniform_case
from sacrepro.study.record.claim import (
    EXPONENT,
    FACTOR,
    NOISE,
    ONE_SIDED,
    SCORES,
    SHARE,
    SWAP,
    TOTAL,
    WEIGHTS,
    planted,
    times,
)

WORST, OWN = "worst case", "own hypothesis"

BOUND = "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+1} / (1-γ)"


def check(case: Case) -> Iterator[Comparison]:
    """‖ĥ_i - ∇_{θ_i}J‖ against both right sides, for each agent, κ and weight family, and for the worst weights."""
    gamma, (c, rho) = case.mdp.gamma, lemma3(case.mdp.r_bar, case.mdp.gamma)
    norms = [score_norm(zeta_i) for zeta_i in policies(case.mdp, case.theta)]
    for miss in truncation_errors(case):
        gap = float(case.D[:, miss.kappa].max())
        rights = {
            WORST: lemma4(c, rho, miss.kappa, SCORE_BOUND, gamma),
            OWN: lemma4(gap, 1.0, miss.kappa, norms[miss.agent], gamma),
        }
        yield from miss.against(rights)


def at_the_hub(gamma: float, L_i: float, exponent: int) -> Iterator[Comparison]:
    """The hub of the broadcast, κ = 1, opposed weights, against c L_i ρ^{exponent}/(1-γ)."""
    for row in check(uniform_case("broadcast", broadcast(8, gamma=gamma))):
        if (row.agent, row.kappa, row.case, row.hypothesis) == (0, 1, "opposed", WORST):
            yield row._replace(right=lemma4(*lemma3(1.0, gamma), exponent - 1, L_i, gamma))


def at_the_latch(weights: float = 1.0, over: tuple[int, ...] | None = None) -> Iterator[Comparison]:
    """Agent 0 of the latch, with weights of another total or a sum over other agents than N_0^κ."""
    miss = error_at_the_latch(weights, over)
    return miss.against({"": lemma4(*lemma3(1.0, 0.2), miss.kappa, SCORE_BOUND, 0.2)})


def with_a_rate(swapped: bool) -> Iterator[Comparison]:
    """A broadcast that forgets, (c, ρ) = (r̄/(1-ρ), .7γ) by the influence matrix, or with γ and ρ swapped."""
    gamma = 0.98
    rho = (1.0 - NOISE) * gamma
    rate, discount = (gamma, rho) if swapped else (rho, gamma)
    for row in check(uniform_case("noisy broadcast .98", noisy_broadcast(8, gamma, NOISE))):
        if row.hypothesis == WORST:
            yield row._replace(right=lemma4(1.0 / (1.0 - rho), rate, row.kappa, SCORE_BOUND, discount))


CLAIM = Claim(
    order=100, words="the truncated policy gradient of agent i is close to ∇_{θ_i}J",
    statement=f"{BOUND} for any weights of eq. (6)", reference="Lemma 4, eq. (7)", proof="worst_weights", check=check,
    shares="tables",
    variants=(Variant(WORST, "lemma4_worst_case"), Variant(OWN, "lemma4_own_hypothesis")),
    drawing=Drawing(
        "families", r"$\max_i\,\|\hat h_i - \nabla_{\theta_i} J\|$",
        {WORST: r"$cL_i\rho^{\kappa+1}/(1-\gamma)$, worst case over policies",
         OWN: "with the measured decay gap and score norm"},
        caption="The largest ‖ĥ_i - ∇_{θ_i}J‖ over agents and policies, for each weight family and κ, and both bounds "
                "there.",
    ),
    attack=Attack(stream=7, built=("broadcast .9",)),
    plants=(*planted(EXPONENT, "broadcast .1", times(0.1), WORST, OWN),
            *planted(FACTOR, "broadcast .9", times(0.1), WORST, OWN),
            Plant(SWAP, WORST, partial(with_a_rate, False), rows=partial(with_a_rate, True)),
            *planted(SCORES, "broadcast .9", times(SHARE), WORST, OWN),
            Plant(ONE_SIDED, WORST, at_the_latch, rows=partial(at_the_latch, over=(0,))),
            Plant(WEIGHTS, WORST, at_the_latch, rows=partial(at_the_latch, TOTAL))),
    counterexamples=(
        Counterexample("κ+2", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c L_i ρ^{κ+2} / (1-γ)", "Lemma 4", "fails with κ+2",
                       partial(at_the_hub, 0.1, SCORE_BOUND, 3)),
        Counterexample("L_i = 1/4", "‖ĥ_i - ∇_{θ_i}J‖ ≤ c ρ^{κ+1} / (4(1-γ)) for tabular softmax",
                       "Lemma 4, Assumption 4", "fails without ‖∇log ζ_i‖ ≤ L_i", partial(at_the_hub, 0.9, 0.25, 2)),
        Counterexample("weights sum to 1.1", f"{BOUND} for any non-negative weights", "Lemma 4, eq. (6)",
                       "fails without eq. (6)", partial(at_the_latch, 1.1)),
        Counterexample("one-sided sum", f"{BOUND} with {{i-κ, …, i}} for N_i^κ in eq. (7)", "Lemma 4, eq. (7)",
                       "fails without symmetric N_i^κ", partial(at_the_latch, over=(0,))),
    ),
)  # fmt: skip
