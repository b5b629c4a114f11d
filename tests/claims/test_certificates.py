"""What a comparison says about itself: where it was made, and how far its sides may be off, term by term."""

import dataclasses

import pytest

from claims.instances import random_case
from sacrepro.claims import CLAIMS, claim, td_fixed_point, truncation
from sacrepro.claims.td_fixed_point import inside_states, solve_error

CASE = random_case(family="path", gamma=0.5)
#: Errors large enough to tell them apart, each with its own digits.
COARSE = dataclasses.replace(CASE, instance="here", policy="now", error=1e-3, D_error=1e-5)


@pytest.mark.parametrize("name", [name for name in CLAIMS if name != "critic"])
def test_every_comparison_names_its_instance_and_policy(name):
    """`critic` runs episodes and takes its labels the same way; it is left out for time."""
    case = COARSE if name not in ("definition2", "complexity") else dataclasses.replace(CASE, instance="here")
    rows = list(claim(name).check(case))
    assert rows
    assert {row.instance for row in rows} == {"here"}
    assert {row.policy for row in rows} == {case.policy}
    assert {row.agent for row in rows} <= set(range(case.mdp.n))
    assert all(row.error >= 0.0 for row in rows)


def test_the_certificate_of_truncation():
    """Q̂_i and Q_i are each off by the error of V_i at most."""
    rows = list(truncation.check(COARSE))
    assert {row.error for row in rows} == {2e-3}
    assert {row.hypothesis for row in rows} == {""}


def test_the_certificate_of_the_td_fixed_point():
    """2·error + D_error/(1-γ) + the rounding of the solve."""
    for row in td_fixed_point.check(COARSE):
        own = solve_error(CASE.mdp, inside_states(CASE.mdp, row.agent, row.kappa))
        assert row.error == pytest.approx(2e-3 + 2e-5 + own, rel=1e-12)
        assert row.error > 2e-3 + 2e-5
    assert solve_error(CASE.mdp, 8) == pytest.approx(16 * 64 * 2.0**-53 * CASE.mdp.r_bar * 4, rel=1e-12)
