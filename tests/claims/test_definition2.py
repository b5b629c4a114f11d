"""The least ρ is bracketed on every model, attained on both relays, and deterministic policies do not decide it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.decay import definition2, least_rho
from sacrepro.exact import decay_profile, decay_supremum, worst_decay
from sacrepro.instances.extremal import coin_lover
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.study.claims.definition2 import bracketed_rho, certified_rho, check, fit
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases


@settings(max_examples=15)
@given(cases(max_n=2, max_size=2))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


@pytest.mark.parametrize("kappa", [0, 2])
def test_least_rho_inverts_definition2(kappa):
    assert definition2(3.0, least_rho(0.7, 3.0, kappa), kappa) == pytest.approx(0.7, rel=1e-12)


def test_tight():
    """The relay asks for ρ = γ, whatever the policy; the noisy relay for exactly what C certifies, less than γ."""
    rows = list(check(uniform_case(RELAY)))
    assert len(rows) == 4
    assert all(row.left == pytest.approx(0.9, rel=1e-8) for row in rows)
    for group in by_hypothesis(rows):
        assert verdict("definition2", "", "", group).verdict == "tight"
    noisy = list(check(uniform_case(relay(4, gamma=0.9, noise=0.3))))
    judged = {group[0].hypothesis: verdict("definition2", "", "", group).verdict for group in by_hypothesis(noisy)}
    assert judged == {"Lemma 3": "holds", "influence matrix": "tight"}
    assert not all(holds(row._replace(right=row.right - 1e-4)) for row in noisy if row.hypothesis == "influence matrix")


def test_the_own_fit_of_the_noisy_relay_is_its_rate():
    """D(κ) = D(0) (γ(1-ε))^κ, so that the fit is c = r̄/(1-γ(1-ε)), ρ = γ(1-ε) = .63."""
    assert fit(uniform_case(relay(4, gamma=0.9, noise=0.3))) == "given policy, own c=2.7 ρ=0.63"


def test_the_worst_policy_asks_for_more_than_the_given_one():
    """On a strongly coupled ring the search finds a policy that asks for a ρ at least .05 larger."""
    rows = [row for row in check(random_case()) if row.hypothesis == "Lemma 3"]
    given_policy, worst = rows
    assert worst.left > given_policy.left + 0.05


def vertex(a):
    return [0.0, -np.inf] if a == 0 else [-np.inf, 0.0]


def test_necessary_stochastic_policies():
    """Over deterministic localized policies sup D_1(0) is γ + γ² = 1.71; a coin at s_1 = 0 makes it 2.535…

    A localized policy sees s_i alone, so it is a memoryless policy of a partially observed chain, and those may need
    to randomise. Definition 2's "any localized policy" cannot be checked on deterministic ones.
    """
    mdp = coin_lover()
    deterministic = [
        decay_profile(mdp, tuple(np.array([vertex(a), vertex(b)]) for a, b in (zero, one)))[1, 0]
        for zero in itertools.product(range(2), repeat=2)
        for one in itertools.product(range(2), repeat=2)
    ]
    assert max(deterministic) == pytest.approx(0.9 + 0.81, rel=1e-9)
    coin = (np.array([vertex(0), vertex(0)]), np.array([[0.0, 0.0], vertex(1)]))
    assert decay_profile(mdp, coin)[1, 0] > 1.48 * max(deterministic)
    found = worst_decay(mdp, 1, 0)
    assert found.exhaustive
    assert decay_profile(mdp, coin)[1, 0] - 1e-6 <= found.D


TRIO = random_mdp(build_graph({"family": "path", "n": 3}), seed=1, gamma=0.7, concentration=0.3)


def test_the_least_rho_of_all_policies_is_known_to_one_percent_of_D():
    """On a path of three: what every policy asks for is .43, where Lemma 3 has .7, and the search found .26."""
    rows = list(check(uniform_case(TRIO)))
    assert all(holds(row) for row in rows)
    bracket = {row.case.split(",")[0]: row for row in rows if row.hypothesis == "branch and bound"}
    all_policies = bracket["worst of all policies"]
    assert 0.99 < all_policies.left / all_policies.right < 1.0
    assert all_policies.right == pytest.approx(0.4297, abs=1e-3)
    assert all(row.left <= all_policies.left for row in bracket.values())
    influence = next(row for row in rows if row.hypothesis == "influence matrix")
    assert all_policies.right < influence.right <= 0.7


def test_the_least_rho_is_that_of_the_worst_place():
    """Bracketed one by one, without what is known of other agents and κ."""
    places, c = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)], TRIO.r_bar / (1.0 - TRIO.gamma)
    ends = {place: decay_supremum(TRIO, *place) for place in places}
    (left, _), right = bracketed_rho(TRIO, places, c)
    assert left == pytest.approx(max(least_rho(ends[place].lower, c, place[1]) for place in places), rel=1e-6)
    assert left <= right <= max(least_rho(ends[place].upper, c, place[1]) for place in places) * (1 + 1e-6)


def test_necessary_every_policy():
    """What one policy asks for does not hold for all: the ρ of the uniform policy is too small for the worst one."""
    case = random_case()
    rows = [row for row in check(case) if row.hypothesis == "Lemma 3"]
    uniform, worst = rows
    assert not holds(worst._replace(right=uniform.left + uniform.error))
    places = [(i, kappa) for i in range(case.mdp.n) for kappa in case.kappas(i)]
    assert certified_rho(case, places) >= worst.left
