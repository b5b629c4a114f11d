"""The critic's limit in the actor: the three biases hold, a gate pins the ratio, and the constants are derived."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.critic import critic_sharp, theorem5_bias, theorem5_bias_sharp
from sacrepro.bounds.decay import lemma3
from sacrepro.instances.extremal import gate, mirage
from sacrepro.study.claims.critic_sharp import check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=25)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def locality(rows):
    """The rows of the sharpest variant."""
    return [row for row in rows if row.hypothesis == "locality"]


def test_tight():
    """Solved by hand to first order in γ: at the gate left/right tends to 1/8.

    TD's law has the source dark, so q*_0 does not see that opening pays γ. A fair coin turns the difference γ into
    √2/4 γ, agents are averaged with 1/2, and only t = 0 is of first order: √2γ/8 against √2γ.
    """
    ratios = []
    for gamma in (0.02, 0.01):
        row = next(row for row in locality(check(uniform_case(gate(gamma)))) if row.agent == 0)
        ratios.append(row.left / row.right)
    assert 2 * ratios[1] - ratios[0] == pytest.approx(1 / 8, abs=1e-3)


@pytest.mark.parametrize(("gamma", "rungs"), [(0.9, 60), (0.95, 60), (0.98, 90)])
def test_necessary_horizons_of_the_decay_gap_alone(gamma, rungs):
    """The mirage keeps nearly 1/8 of L_i max_j D_j/(1-γ)² as γ → 1: with 1/(1-γ) less the bound is false.

    At the frozen door no action matters, for TD a_0 = 1 is worth Δ more at each of some 1/(1-γ) rungs, and a discounted
    lifetime of 1/(1-γ) steps is spent there. A fair coin keeps 1/4 of L_i, the mean over two agents 1/2.
    """
    case = uniform_case(mirage(rungs, 1000, 0.001, gamma))
    rows = [row for row in check(case) if row.hypothesis == "decay gap alone" and row.agent == 0]
    (row,) = rows
    assert 0.095 <= row.left / row.right <= 0.125
    assert np.abs(case.gradient[0]).max() <= 1e-3 * row.left
    assert holds(row._replace(right=(1 - gamma) * row.right)) == (gamma < 0.9)


def test_necessary_exponent():
    """At small γ the gate violates the sentence with κ+2."""
    rows = [row._replace(right=0.05 * row.right) for row in locality(check(uniform_case(gate(0.05))))]
    assert verdict("", "", "", rows).verdict == "violated"


def test_necessary_bias():
    """A critic that is off by more than the bias on half of the actions breaks the bound."""
    case = uniform_case(gate(0.05))
    moved = dataclasses.replace(case, gradient=tuple(np.add(block, [0.2, -0.2]) for block in case.gradient))
    assert not all(holds(row) for row in locality(check(moved)))


def test_the_relay_has_no_single_critic():
    assert list(check(uniform_case(RELAY))) == []


def test_every_reading_is_compared():
    rows = list(check(random_case()))
    assert {row.hypothesis for row in rows} == {"paper", "decay gap alone", "locality"}
    assert {row.kappa for row in rows} == {0, 1}


@pytest.mark.parametrize("gamma", [0.5, 0.7, 0.9])
def test_the_second_term_of_9(gamma):
    """ε_κ is 2 · (L r̄/(1-γ)²) · L · (errors)/(1-γ), the errors of the proofs added up; sharper by 2/(1-γ)²."""
    L, r_bar, kappa = 1.7, 0.8, 2
    c, rho = lemma3(r_bar, gamma)
    decay = c * rho ** (kappa + 1)
    steepest = L * r_bar / (1 - gamma) ** 2
    printed = critic_sharp(L, 4 * decay / (1 - gamma) ** 2 + 2 * decay / (1 - gamma) ** 2, gamma)
    assert theorem5_bias(c, rho, kappa, L, r_bar, gamma) == pytest.approx(2 * steepest * printed)
    ours = critic_sharp(L, 2 * decay + decay, gamma)
    assert theorem5_bias_sharp(kappa, L, r_bar, gamma) == pytest.approx(2 * steepest * ours)
