"""Appendix A: where local states mix, D_i(κ) decays at the rate γm.

The paper asks for one (c', m) for all policies; the proof uses the policy at hand only, and so does this check, with
(c', m) certified for all t (`mixing`). ``law to its limit`` is the paper's hypothesis, and has rows where a limit is
certified; ``laws of two starts`` needs none; ``measured distances`` sums the distances themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from sacrepro.bounds.decay import appendix_a, between_starts, definition2, mixing_series
from sacrepro.instances.relay import relay
from sacrepro.study.measures.decay import mixing_of
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, NOISE, SWAP, planted, planted_one_sided, times

LIMIT, STARTS, MEASURED = "law to its limit", "laws of two starts", "measured distances"


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against the three variants, with each agent's own c'."""
    mdp = case.mdp
    scale = (mdp.r_bar, mdp.gamma)
    for i, found in enumerate(mixing_of(case)):
        decays = {STARTS: between_starts(found.constant(found.between), found.m, *scale)}
        if found.to_limit is not None:
            decays[LIMIT] = appendix_a(found.constant(found.to_limit), found.m, *scale)
        for kappa in case.kappas(i):
            rights = {hypothesis: definition2(c, rho, kappa) for hypothesis, (c, rho) in decays.items()}
            gap = case.left(i, kappa, case.D[i, kappa], case.D_error)
            yield from gap._replace(case=f"m={found.m:.4f}").against(rights)
            yield from gap.against({MEASURED: mixing_series(found.between, kappa, *scale)})


def without_its_2() -> Iterator[Comparison]:
    """The noisy relay against c'r̄/(1-γm) (γm)^{κ+1}, for laws c'm^t close to their limit."""
    for row in check(uniform_case("noisy relay", relay(4, gamma=0.9, noise=0.3))):
        if row.hypothesis == LIMIT and row.kappa < row.agent:
            yield row._replace(right=0.5 * row.right)


CLAIM = Claim(
    order=40, words="where local states mix, the rate is γm < γ",
    statement="D_i(κ) ≤ c ρ^{κ+1}, c = 2c'r̄/(1-γm), ρ = γm, if the law of (s_i(t), a_i(t)) is c'm^t close to its limit",
    reference="Appendix A", proof="appendix_a", beside="(c', m) from finitely many steps", check=check, shares="tables",
    variants=(Variant(LIMIT, "appendix_a_limit"), Variant(STARTS, "appendix_a_two_starts"),
              Variant(MEASURED, "appendix_a_measured")),
    drawing=Drawing("lines", r"$D_i(\kappa)$",
                    {LIMIT: r"$2c'\bar r\,(\gamma m)^{\kappa+1}/(1-\gamma m)$",
                     STARTS: "with the distance of two starts", MEASURED: "sum of the measured distances"},
                    r"$D_i(\kappa)$, one marker an agent and policy",
                    "D_i(κ) of every agent and policy below the largest of each bound that mixing gives."),
    attack=Attack(stream=2, built=("noisy relay",)),
    plants=(*planted(EXPONENT, "noisy relay", times(0.9 * (1.0 - NOISE)), STARTS, LIMIT, MEASURED),
            *planted(FACTOR, "noisy relay", times(1.0 - 0.9 * (1.0 - NOISE)), STARTS, LIMIT, MEASURED),
            *planted_one_sided(check, STARTS, MEASURED)),
    hidden={SWAP: "γ^{κ+1} c'r̄/(1-γ) ≥ ρ^{κ+1} c'r̄/(1-ρ) for ρ ≤ γ: true"},
    counterexamples=(
        Counterexample("c for 2c", "D_i(κ) ≤ c ρ^{κ+1}, c = c'r̄/(1-γm), if laws are c'm^t close to their limit",
                       "Appendix A", "fails without the factor 2", without_its_2),
    ),
)  # fmt: skip
