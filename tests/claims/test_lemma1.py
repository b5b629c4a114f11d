"""Lemma 1 holds, its left side is computed without it, and it needs π^θ."""

import dataclasses

import numpy as np
from hypothesis import given, settings

from claims.instances import random_case
from sacrepro.exact import dense
from sacrepro.model.policy import policies
from sacrepro.study.claims.lemma1 import check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=25)
@given(cases(max_n=3))
def test_holds(case):
    rows = list(check(exact_case("random", "drawn", *case)))
    assert len(rows) == case[0].n
    assert all(holds(row) for row in rows)


def test_tight():
    """An identity: both derivatives agree to rounding, far below the size of the gradient."""
    case = random_case()
    for row, block in zip(check(case), case.gradient, strict=True):
        assert row.error < 1e-6 * np.linalg.norm(block)
        assert holds(row)


def test_necessary():
    """With the undiscounted law of s(0) in place of π^θ, or without the factor 1/(1-γ), the identity fails."""
    case = random_case()
    zeta = policies(case.mdp, case.theta)
    Q = sum(dense.q_function(case.mdp, case.V[i], i) for i in range(case.mdp.n)) / case.mdp.n
    for gradient in (
        dense.gradient_from_q(case.mdp, zeta, case.mdp.joint_pi0(), (Q,) * case.mdp.n),
        tuple((1 - case.mdp.gamma) * block for block in case.gradient),
    ):
        rows = list(check(dataclasses.replace(case, gradient=gradient)))
        assert verdict("lemma1", "", "", rows).verdict == "violated"
