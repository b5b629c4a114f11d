"""Lemma 3: the (r̄/(1-γ), γ)-exponential decay property of Definition 2."""

from __future__ import annotations

from collections.abc import Iterator

from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ)"
REFERENCE = "Lemma 3, Definition 2"


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against c ρ^{κ+1} with Lemma 3's (c, ρ), for each agent and each κ that leaves somebody outside."""
    c, rho = lemma3(case.mdp.r_bar, case.mdp.gamma)
    for i in range(case.mdp.n):
        for kappa in case.kappas(i):
            left, right = float(case.D[i, kappa]), definition2(c, rho, kappa)
            yield Comparison(case.instance, case.policy, "", "", i, kappa, left, right, case.D_error)
