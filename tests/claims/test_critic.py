"""The critic over T: a deterministic case by hand, the slope -1/2, the plateau at q*, and a vacuous bound."""

import math

import networkx as nx
import numpy as np
import pytest

from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.critic import critic, critic_bias
from sacrepro.exact import td_fixed_point as fixed_point
from sacrepro.exact.dense import q_function
from sacrepro.instances import build
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.claims.critic import LENGTHS, MOST_STEPS, check, critic_tables
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict

WITNESS = uniform_case(build({"model": "td_witness"}), "td_witness")


@pytest.mark.parametrize("case", [WITNESS, random_case(gamma=0.7), random_case(family="star", gamma=0.5)])
def test_holds(case):
    """Every comparison holds, and only because r̄/(1-γ) is smaller than every finite-time bound: vacuous."""
    rows = list(check(case))
    assert {row.case for row in rows} == {f"T={T}" for T in LENGTHS if T * case.mdp.n <= MOST_STEPS}
    assert all(holds(row) for row in rows)
    assert {row.trivial for row in rows} == {case.mdp.r_bar / (1 - case.mdp.gamma)}
    assert all(row.left <= row.trivial + row.error for row in rows)
    assert {verdict("", "", "", group).verdict for group in by_hypothesis(rows)} == {"vacuous"}


def test_tight():
    """One state, one action, r = 1: the error is Π_t (1 - α_t (1-γ)) / (1-γ), whatever the seed."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 1, 1)),), (np.ones((1, 1)),), 0.5, (np.ones(1),))
    T, h, t0 = 50, 3.0, 7.0
    table = critic_tables(mdp, (np.zeros((1, 1)),), 0, T, h, t0)[0]
    by_hand = 2.0 * math.prod(1 - h / (t + t0) * 0.5 for t in range(T))
    assert 2.0 - table[0, 0] == pytest.approx(by_hand, rel=1e-12)


def error(kappa, T, seed, limit):
    """The root mean square over cells of Q̂_0^T - limit on the witness."""
    table = critic_tables(WITNESS.mdp, WITNESS.theta, kappa, T, 60.0, 120.0, seed)[0]
    return float(np.mean((table - limit) ** 2))


def test_the_slope():
    """With nobody outside (κ = 1) the error falls like T^{-1/2}: 16 times the steps, a quarter of the error."""
    Q = q_function(WITNESS.mdp, WITNESS.V[0], 0)
    short, long = (math.sqrt(np.mean([error(1, T, seed, Q) for seed in range(6)])) for T in (500, 8000))
    assert 2.5 < short / long < 6.5


def test_the_plateau():
    """With κ = 0 it does not: Q̂^T settles at q*, 6.2 from Q_0 on one cell."""
    q = fixed_point(WITNESS.mdp, WITNESS.theta, 0, 0)
    Q = q_function(WITNESS.mdp, WITNESS.V[0], 0)
    table = critic_tables(WITNESS.mdp, WITNESS.theta, 0, 24_000, 60.0, 120.0)[0]
    assert np.abs(table - q).max() < 0.1 * np.abs(q - Q).max()
    assert np.abs(table - Q).max() == pytest.approx(np.abs(q - Q).max(), rel=0.1)


def test_the_right_side():
    """2cρ^{κ+1}/(1-γ)² and the noise are added."""
    assert critic_bias(3.0, 0.5, 1, 0.75) == pytest.approx(2 * 3 * 0.25 * 16)
    assert critic(0.5, 1.0) == 1.5


def test_necessary_exploration():
    """On the relay σ = 0: no step size is admitted, nothing is compared."""
    assert list(check(uniform_case(RELAY))) == []
