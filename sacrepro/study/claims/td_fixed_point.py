"""Where the critic settles: TD's fixed point q* against Q_i, under the paper's bias and under two smaller ones.

``paper`` is the bias of the critic theorem, 2cρ^{κ+1}/(1-γ)², with Lemma 3's (c, ρ). ``decay gap alone`` is
D_i(κ)/(1-γ), which needs nothing but the decay over cells. ``locality`` is r̄γ^{κ+1}/(1-γ), with Lemma 3's structure.

Skipped: cases whose stationary law is not unique (TD then has no single limit), and κ whose kernel on the cells would
hold more than `MOST_ENTRIES` entries.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.exact.dense import q_function
from sacrepro.instances.extremal import NEXT_IS_ONE, ladder, td_witness
from sacrepro.study.measures.fixed_points import (
    GAP,
    LOCALITY,
    PAPER,
    critic_biases,
    fixed_points,
    inside_states,
    solve_error,
    td_hull,
)
from sacrepro.study.measures.fixed_points import MOST_ENTRIES as MOST_ENTRIES  # named above
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, FALSE, ONE_SIDED, SWAP, planted, times


def check(case: Case) -> Iterator[Comparison]:
    """max |q* - Q_i| over (s, a) against three right sides, for each agent and each κ that leaves somebody outside."""
    mdp = case.mdp
    for i, kappa, q in fixed_points(case):
        left = float(np.abs(q - q_function(mdp, case.V[i], i)).max())
        gap_error = case.D_error / (1.0 - mdp.gamma)
        error = 2.0 * case.error + gap_error + solve_error(mdp, inside_states(mdp, i, kappa))
        yield from case.left(i, kappa, left, error).against(critic_biases(mdp, kappa, float(case.D[i, kappa])))


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


CLAIM = Claim(
    order=140, words="TD's limit is close to Q_i",
    statement="|q* - Q_i| ≤ 2cρ^{κ+1}/(1-γ)² (paper), D_i(κ)/(1-γ) (decay gap alone), r̄γ^{κ+1}/(1-γ) (locality), "
              "for the fixed point q* of TD on the cells of N_i^κ",
    reference="Section 3.2, lines 4-9; Appendix C", proof="td_fixed_point", check=check, shares="tables",
    variants=(Variant(PAPER, "td_fixed_point_paper"), Variant(GAP, "td_fixed_point_gap"),
              Variant(LOCALITY, "td_fixed_point_b")),
    drawing=Drawing("sides", r"$\max\,|q^* - Q_i|$",
                    {PAPER: r"$2c\rho^{\kappa+1}/(1-\gamma)^2$, the paper's critic bias",
                     GAP: r"$D_i(\kappa)/(1-\gamma)$", LOCALITY: r"$\bar r\gamma^{\kappa+1}/(1-\gamma)$"},
                    "measured, largest over agents and policies",
                    "|q* - Q_i| against the paper's critic bias and the two smaller ones."),
    attack=Attack(stream=9, built=("fading relay .1", "fading relay .9", "ladder")),
    plants=(*planted(EXPONENT, "fading relay .1", times(0.1), PAPER), *planted(EXPONENT, "ladder", times(0.5), GAP),
            *planted(EXPONENT, "fading relay .9", times(0.9), LOCALITY), *planted(FACTOR, "ladder", times(0.5), GAP),
            *planted(FACTOR, "fading relay .9", times(0.1), LOCALITY)),
    hidden={FACTOR: "paper: 2cρ^{κ+1}/(1-γ) is true, by td_fixed_point (a)",
            SWAP: "paper: 2cγ^{κ+1}/(1-ρ)² ≥ 2cρ^{κ+1}, and locality gives cρ^{κ+1} for ρ = γ: true there",
            ONE_SIDED: "the fixed point is defined on N_i^κ only; the engine takes no other cells"},
    counterexamples=(
        Counterexample("form (5)", "the TD update gives a truncated Q-function: min_z Q_i(z) ≤ q* on every cell",
                       "Section 3.2, the critic", FALSE, is_of_form_5),
        Counterexample("the gap alone", "|q* - Q_i| ≤ D_i(κ)", "Section 3.2, the critic", "fails without 1/(1-γ)",
                       within_the_gap),
    ),
)  # fmt: skip
