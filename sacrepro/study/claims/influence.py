"""The influence matrix: decay of Q_i certified from local kernels alone, for every localized policy.

Five variants of the right side, all from the same C: the clipped series; its closed form, where γ·(spectral radius
of C) < 1; the row sums, where γμ < 1; one bound for all agents at once; and the series with the policy's own C^θ in
place of C from the second step on. A variant whose condition fails on an instance has no row there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.influence import influence, policy_influence
from sacrepro.exact.dense import averaged_kernels
from sacrepro.instances.extremal import signal
from sacrepro.model.policy import policies
from sacrepro.study.measures.decay import AT_ONCE, CLIPPED, CLOSED, OWN, ROW_SUMS, variants
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.mistakes import EXPONENT, FACTOR, NOISE, SWAP, planted, planted_one_sided, times


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against each variant, for each agent and each κ that leaves somebody outside."""
    places = [(i, kappa) for i in range(case.mdp.n) for kappa in case.kappas(i)]
    if not places:
        return
    for hypothesis, bounds in variants(case, places).items():
        for (i, kappa), right in zip(places, bounds, strict=True):
            yield from case.left(i, kappa, case.D[i, kappa], case.D_error).against({hypothesis: right})


def averaged_at_once() -> Iterator[Comparison]:
    """`signal` against the influence series with C^θ from the first step on."""
    case = uniform_case("signal", signal())
    own = policy_influence(averaged_kernels(case.mdp, policies(case.mdp, case.theta)), case.mdp.neighbors)
    right = float(influence(own, np.array([[1.0], [0.0]]), 0.9, 1.0)[1, 0])
    return case.left(1, 0, case.D[1, 0], case.D_error).against({"": right})


def swapped(row: Comparison) -> Comparison:
    """Where the source is just outside, ρ^{κ+1}/(1-γ) becomes γ^{κ+1}/(1-ρ), ρ = (1-ε)γ, on noisy hops with γ = .9."""
    right = 0.9 ** (row.kappa + 1) / (1.0 - (1.0 - NOISE) * 0.9)
    return row._replace(right=right) if row.agent == row.kappa + 1 else row


EVERY = (CLIPPED, OWN, AT_ONCE, CLOSED, ROW_SUMS)

CLAIM = Claim(
    order=50, words="a rate for every policy, from the local kernels alone",
    statement="D_i(κ) ≤ r̄ Σ_{t≥κ+1} γ^t q_i(t), q(0) = 1_O, q(t+1) = min(1, C q(t))",
    reference="sharpens Lemma 3 and Appendix A", proof="influence", check=check, needs=(),
    variants=(Variant(CLIPPED, "influence"), Variant(OWN, "influence_own"), Variant(AT_ONCE, "influence_everywhere"),
              Variant(CLOSED, "influence_closed_form"), Variant(ROW_SUMS, "influence_row_sums")),
    drawing=Drawing(
        "lines", r"$D_i(\kappa)$",
        {CLIPPED: r"clipped series of $C$", OWN: r"with the policy's own $C^\theta$",
         CLOSED: r"$\bar r[(I-\gamma C)^{-1}1_O]_i$", ROW_SUMS: r"row sums of $C$",
         AT_ONCE: "one bound for all agents"},
        r"$D_i(\kappa)$, one marker an agent and policy",
        "D_i(κ) of every agent and policy, and as lines the largest of each bound that the influence matrix gives.",
    ),
    attack=Attack(stream=3, built=("noisy relay",)),
    plants=(*planted(EXPONENT, "noisy relay", times(0.9 * (1.0 - NOISE)), *EVERY),
            *planted(FACTOR, "noisy relay", times(1.0 - 0.9 * (1.0 - NOISE)), *EVERY),
            *planted(SWAP, "noisy hops", swapped, CLIPPED), *planted_one_sided(check, CLIPPED, OWN, AT_ONCE)),
    counterexamples=(
        Counterexample("C^θ at once", "D_i(κ) ≤ the influence series with C^θ from the first step on",
                       "sharpens Lemma 3", "fails without C at the first step", averaged_at_once),
    ),
)  # fmt: skip
