"""The influence matrix: decay of Q_i certified from local kernels alone, for every localized policy.

Five readings of the right side, all from the same C: the clipped series; its closed form, where γ·(spectral radius
of C) < 1; the row sums, where γμ < 1; one bound for all agents at once; and the series with the policy's own C^θ in
place of C from the second step on. A reading whose condition fails on an instance has no row there.
"""

from __future__ import annotations

from collections.abc import Iterator

from sacrepro.study.measures.decay import readings
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "D_i(κ) ≤ r̄ Σ_{t≥κ+1} γ^t q_i(t), q(0) = 1_O, q(t+1) = min(1, C q(t))"
REFERENCE = "sharpens Lemma 3 and Appendix A"


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against each reading, for each agent and each κ that leaves somebody outside."""
    places = [(i, kappa) for i in range(case.mdp.n) for kappa in case.kappas(i)]
    if not places:
        return
    for hypothesis, bounds in readings(case, places).items():
        for (i, kappa), right in zip(places, bounds, strict=True):
            left = float(case.D[i, kappa])
            where = (case.instance, case.policy, hypothesis, "", i, kappa)
            yield Comparison(*where, left, float(right), case.D_error)
