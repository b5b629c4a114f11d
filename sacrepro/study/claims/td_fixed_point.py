"""Where the critic settles: TD's fixed point q* against Q_i, under the paper's bias and under smaller ones.

``paper`` is the bias of the critic theorem, 2cρ^{κ+1}/(1-γ)², with Lemma 3's (c, ρ). ``decay gap alone`` is
D_i(κ)/(1-γ), which needs nothing but the decay over cells. ``locality`` is r̄γ^{κ+1}/(1-γ), with Lemma 3's structure.
``influence`` is (d) of influence, from the influence matrix C, with the outside of each agent; ``own influence`` has
the policy's C^θ from the second step on; ``influence at once`` is one bound for all agents. `advise` rests on these.

Skipped: cases whose stationary law is not unique (TD then has no single limit), and κ whose kernel on the cells would
hold more than `MOST_ENTRIES` entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sacrepro.bounds.critic import td_fixed_point_everywhere, td_fixed_point_influence
from sacrepro.bounds.influence import influence, influence_matrix, policy_influence
from sacrepro.exact.dense import averaged_kernels
from sacrepro.exact.truncation import solve_error
from sacrepro.instances.extremal import NEXT_IS_ONE, ladder, td_witness
from sacrepro.model.policy import policies
from sacrepro.study.measures.decay import outsiders
from sacrepro.study.measures.fixed_points import (
    GAP,
    LOCALITY,
    PAPER,
    critic_biases,
    fixed_points,
    inside_states,
    td_hull,
)
from sacrepro.study.measures.fixed_points import MOST_ENTRIES as MOST_ENTRIES  # named above
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, FALSE, ONE_SIDED, SWAP, planted, times

INFLUENCE, OWN, AT_ONCE = "influence", "own influence", "influence at once"


def check(case: Case) -> Iterator[Comparison]:
    """max |q* - Q_i| over (s, a) against each right side, for each agent and each κ that leaves somebody outside."""
    mdp, found = case.mdp, fixed_points(case)
    influences = influence_biases(case, [(i, kappa) for i, kappa, _ in found])
    for i, kappa, q in found:
        left = float(np.abs(q - case.Q(i)).max())
        gap_error = case.D_error / (1.0 - mdp.gamma)
        error = 2.0 * case.error + gap_error + solve_error(mdp, inside_states(mdp, i, kappa))
        rights = critic_biases(mdp, kappa, float(case.D[i, kappa])) | influences[i, kappa]
        yield from case.left(i, kappa, left, error).against(rights)


def influence_biases(case: Case, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], dict[str, float]]:
    """The three bounds from the influence matrix for each (i, κ) of `places`, keyed by the variant."""
    mdp, C = case.mdp, influence_matrix(case.mdp)
    own = policy_influence(averaged_kernels(mdp, policies(mdp, case.theta)), mdp.neighbors)
    most = max((kappa for _, kappa in places), default=0)
    out = outsiders(mdp.graph, places)
    every, given = (td_fixed_point_influence(C, out, mdp.gamma, mdp.r_bar, later) for later in (None, own))
    at_once = td_fixed_point_everywhere(C, most, mdp.gamma, mdp.r_bar)
    return {
        (i, kappa): {INFLUENCE: every[i, column], OWN: given[i, column], AT_ONCE: at_once[i, kappa]}
        for column, (i, kappa) in enumerate(places)
    }


def is_of_form_5() -> Iterator[Comparison]:
    """min_z Q_0(z) over the cell s_0 = 1 against q*(s_0 = 1) on `td_witness`, both by rational arithmetic."""
    hull, q = td_hull(NEXT_IS_ONE, td_witness().gamma)
    low, fixed = float(min(hull)), float(q)
    where = f"Q_0(1, ·) ∈ [{low:.4f}, {float(max(hull)):.4f}], q*(1) = {fixed:.4f}"
    yield Comparison("td_witness", "any", "", where, 0, 0, low, fixed, float(np.spacing(low) + np.spacing(fixed)))


def within_the_gap() -> Iterator[Comparison]:
    """The ladder's |q* - Q_0| against D_0(0) itself, which form (5) would give."""
    for row in check(uniform_case("ladder", ladder(8, 50, 0.01, 0.5))):
        if row.hypothesis == GAP and row.agent == 0:
            yield row._replace(right=0.5 * row.right)


def differing_at_the_start() -> Iterator[Comparison]:
    """The ladder's |q* - Q_0| against the influence series of D_0(0), whose outside differs at the start alone."""
    case = uniform_case("ladder", ladder(8, 50, 0.01, 0.5))
    right = float(influence(influence_matrix(case.mdp), np.array([[0.0], [1.0]]), 0.5, 1.0)[0, 0])
    for row in check(case):
        if row.hypothesis == INFLUENCE and row.agent == 0:
            yield row._replace(right=right)


FROM_C = (INFLUENCE, OWN, AT_ONCE)

CLAIM = Claim(
    order=140, words="TD's limit is close to Q_i",
    statement="|q* - Q_i| ≤ 2cρ^{κ+1}/(1-γ)² (paper), D_i(κ)/(1-γ) (decay gap alone), r̄γ^{κ+1}/(1-γ) (locality), "
              "r̄ Σ_{t≥1} γ^t w_i(t) (influence), for the fixed point q* of TD on the cells of N_i^κ",
    reference="Section 3.2, lines 4-9; Appendix C", proof="td_fixed_point", check=check, shares="tables",
    variants=(Variant(PAPER, "td_fixed_point_paper"), Variant(GAP, "td_fixed_point_gap"),
              Variant(LOCALITY, "td_fixed_point_b"), Variant(INFLUENCE, "influence_td_above"),
              Variant(OWN, "influence_td_own_above"), Variant(AT_ONCE, "influence_td_everywhere")),
    drawing=Drawing("sides", r"$\max\,|q^* - Q_i|$",
                    {PAPER: r"$2c\rho^{\kappa+1}/(1-\gamma)^2$, the paper's critic bias",
                     GAP: r"$D_i(\kappa)/(1-\gamma)$", LOCALITY: r"$\bar r\gamma^{\kappa+1}/(1-\gamma)$",
                     INFLUENCE: "from the influence matrix $C$", OWN: r"with the policy's own $C^\theta$"},
                    "measured, largest over agents and policies",
                    "|q* - Q_i| against the paper's critic bias and the smaller ones."),
    attack=Attack(stream=9, built=("fading relay .1", "fading relay .9", "ladder")),
    plants=(*planted(EXPONENT, "fading relay .1", times(0.1), PAPER), *planted(EXPONENT, "ladder", times(0.5), GAP),
            *planted(EXPONENT, "fading relay .9", times(0.9), LOCALITY), *planted(FACTOR, "ladder", times(0.5), GAP),
            *planted(FACTOR, "fading relay .9", times(0.1), LOCALITY),
            *planted(EXPONENT, "fading relay .9", times(0.9), *FROM_C),
            *planted(FACTOR, "fading relay .9", times(0.1), *FROM_C)),
    hidden={FACTOR: "paper: 2cρ^{κ+1}/(1-γ) is true, by td_fixed_point (a)",
            SWAP: "paper: 2cγ^{κ+1}/(1-ρ)² ≥ 2cρ^{κ+1}, and locality gives cρ^{κ+1} for ρ = γ: true there",
            ONE_SIDED: "the fixed point is defined on N_i^κ only; the engine takes no other cells"},
    counterexamples=(
        Counterexample("form (5)", "the TD update gives a truncated Q-function: min_z Q_i(z) ≤ q* on every cell",
                       "Section 3.2, the critic", FALSE, is_of_form_5),
        Counterexample("the gap alone", "|q* - Q_i| ≤ D_i(κ)", "Section 3.2, the critic", "fails without 1/(1-γ)",
                       within_the_gap),
        Counterexample("the start alone", "|q* - Q_i| ≤ the influence series of D_i(κ)", "sharpens Section 3.2",
                       "fails without 1 outside in every step", differing_at_the_start),
    ),
)  # fmt: skip
