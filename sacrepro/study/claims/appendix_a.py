"""Appendix A: where local states mix, D_i(κ) decays at the rate γm.

The paper asks for one (c', m) for all policies; the proof uses the policy at hand only, and so does this check, with
(c', m) certified for all t (`mixing`). ``law to its limit`` is the paper's hypothesis, and has rows where a limit is
certified; ``laws of two starts`` needs none; ``measured distances`` sums the distances themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from sacrepro.bounds.decay import appendix_a, between_starts, definition2, mixing_series
from sacrepro.model.policy import policies
from sacrepro.study.measures.decay import mixing
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "D_i(κ) ≤ c ρ^{κ+1}, c = 2c'r̄/(1-γm), ρ = γm, if the law of (s_i(t), a_i(t)) is c'm^t close to its limit"
REFERENCE = "Appendix A"


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against the three readings, with each agent's own c'."""
    mdp = case.mdp
    scale = (mdp.r_bar, mdp.gamma)
    for i, found in enumerate(mixing(mdp, policies(mdp, case.theta))):
        decays = {"laws of two starts": between_starts(found.constant(found.between), found.m, *scale)}
        if found.to_limit is not None:
            decays["law to its limit"] = appendix_a(found.constant(found.to_limit), found.m, *scale)
        for kappa in case.kappas(i):
            rights = {hypothesis: definition2(c, rho, kappa) for hypothesis, (c, rho) in decays.items()}
            rights["measured distances"] = mixing_series(found.between, kappa, *scale)
            for hypothesis, right in rights.items():
                label = "" if hypothesis == "measured distances" else f"m={found.m:.4f}"
                where = (case.instance, case.policy, hypothesis, label, i, kappa)
                yield Comparison(*where, float(case.D[i, kappa]), right, case.D_error)
