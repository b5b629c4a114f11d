"""Lemma 3 holds, the relay attains it, and it needs the reward range and the locality of eq. (1)."""

import dataclasses

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from claims.instances import RELAY, uniform_case
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.exact import decay_profile
from sacrepro.instances.relay import long_range_relay
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import uniform_theta
from sacrepro.study.claims.lemma3 import check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@given(cases())
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def test_tight():
    """The relay attains the bound at every κ < i; this is the test that an exponent κ+2 fails."""
    D = decay_profile(RELAY, uniform_theta(RELAY))
    c, rho = lemma3(RELAY.r_bar, RELAY.gamma)
    for i in range(RELAY.n):
        for kappa in range(i):
            assert D[i, kappa] == pytest.approx(definition2(c, rho, kappa), rel=1e-12)
    rows = list(check(uniform_case(RELAY)))
    assert verdict("lemma3", "", "", rows).verdict == "tight"


@pytest.mark.parametrize("gamma", [0.3, 0.7, 0.95])
def test_tight_for_every_discount_and_reward_range(gamma):
    from sacrepro.instances.relay import relay

    mdp = relay(3, gamma=gamma, r_bar=2.5)
    assert decay_profile(mdp, uniform_theta(mdp))[2, 1] == pytest.approx(2.5 * gamma**2 / (1 - gamma), rel=1e-12)


def test_necessary_reward_range():
    """|r_i| ≤ 1 allows a range of 2: the relay shifted from [-1, 1] to [0, 2] has twice the D of the bound for 1."""
    from sacrepro.instances.relay import relay

    mdp = relay(3, gamma=0.9, r_bar=2.0)
    c, rho = lemma3(1.0, 0.9)
    assert decay_profile(mdp, uniform_theta(mdp))[2, 0] == pytest.approx(2 * definition2(c, rho, 0), rel=1e-12)


def test_necessary_locality():
    """Measured with the neighborhoods of the path, a model whose agents see two hops breaks the bound."""
    case = uniform_case(long_range_relay(5, 0.9))
    assert all(holds(row) for row in check(case))
    path = nx.path_graph(5)
    D = np.zeros((5, 5))
    from sacrepro.exact.dense import oscillation, q_function

    for i in range(5):
        Q_i = q_function(case.mdp, case.V[i], i)
        for kappa in range(5):
            D[i, kappa] = oscillation(Q_i, neighborhood(path, i, kappa)).max()
    shrunk = dataclasses.replace(case, D=D)
    assert not all(holds(row) for row in check(shrunk))


def test_necessary_exponent():
    """The sentence with κ+2 is false: the relay violates it."""
    case = uniform_case(RELAY)
    rows = [row._replace(right=row.right * RELAY.gamma) for row in check(case)]
    assert verdict("lemma3", "", "", rows).verdict == "violated"
