"""Appendix A holds with certified (c', m), the noisy relay attains it, and the mixing hypothesis is needed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

from brute_force import BruteForce
from claims.instances import RELAY, SIGNAL, random_case, uniform_case
from sacrepro.bounds.decay import appendix_a, between_starts, definition2, lemma3, mixing_series
from sacrepro.exact.dense import transition_matrix
from sacrepro.instances.relay import relay
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.claims.appendix_a import check
from sacrepro.study.measures.decay import STEPS, mixing
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases


@settings(max_examples=50)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


@settings(max_examples=12)
@given(cases(max_n=3, max_size=3))
def test_distances_agree_with_enumeration(case):
    """TV between the laws of s_i(1) and s_i(2) from any two pairs (s, a), by loops over joint states."""
    mdp, theta = case
    brute = BruteForce(mdp, policies(mdp, theta))
    found = mixing(mdp, policies(mdp, theta))
    for t in (1, 2):
        laws = {}
        for s, a in brute.pairs:
            law = {x: brute.step(s, a, x) for x in brute.states}
            if t == 2:
                law = {
                    y: sum(law[x] * brute.act(x, b) * brute.step(x, b, y) for x in brute.states for b in brute.actions)
                    for y in brute.states
                }
            laws[s, a] = law
        for i in range(mdp.n):
            marginals = [
                [sum(p for x, p in law.items() if x[i] == value) for value in range(mdp.state_sizes[i])]
                for law in laws.values()
            ]
            largest = max(
                (0.5 * sum(abs(p - q) for p, q in zip(one, other, strict=True)) for one, other in
                 itertools.combinations(marginals, 2)), default=0.0,
            )  # fmt: skip
            assert found[i].between[t] == pytest.approx(largest, abs=1e-10)
            assert found[i].between[t] >= largest - 1e-15


@pytest.mark.parametrize("seed", range(3))
def test_the_rate_is_certified_far_beyond_the_block(seed):
    """Beyond the block of b steps that certifies m, the distances stay below c' m^t."""
    case = random_case(seed=seed)
    P = transition_matrix(case.mdp, policies(case.mdp, case.theta))
    for found in mixing(case.mdp, policies(case.mdp, case.theta)):
        assert 0 < found.block < STEPS
        assert found.m < 1
        c = found.constant(found.between)
        assert all(found.between[t] <= c * found.m**t + 1e-10 for t in range(1, STEPS + 1))
        assert found.m >= np.sort(np.abs(np.linalg.eigvals(P)))[-2] - 1e-6


@pytest.mark.parametrize("gamma", [0.5, 0.9])
@pytest.mark.parametrize("noise", [0.1, 0.6])
def test_tight(gamma, noise):
    """On the noisy relay TV to the limit is (1-ε)^t/2, so c' = ½, m = 1-ε, and D_i(κ) = c ρ^{κ+1} exactly."""
    mdp = relay(4, gamma=gamma, noise=noise)
    case = uniform_case(mdp)
    for found in mixing(mdp, policies(mdp, case.theta)):
        for t in (1, 2, 5):
            assert found.between[t] == pytest.approx((1 - noise) ** t, rel=1e-10)
            assert found.to_limit[t] == pytest.approx((1 - noise) ** t / 2, rel=1e-4)
    c, rho = appendix_a(0.5, 1 - noise, 1.0, gamma)
    for i in range(1, 4):
        for kappa in range(i):
            assert case.D[i, kappa] == pytest.approx(definition2(c, rho, kappa), rel=1e-9)
            assert case.D[i, kappa] > definition2(c, rho, kappa + 1) + 2 * case.error


def test_verdicts_on_the_noisy_relay():
    """The measured distances are attained; the certified m is a little above 1-ε, so its variants come close only."""
    rows = list(check(uniform_case(relay(4, gamma=0.9, noise=0.3))))
    judged = {group[0].hypothesis: verdict("appendix_a", "", "", group) for group in by_hypothesis(rows)}
    assert judged["measured distances"].verdict == "tight"
    for hypothesis in ("law to its limit", "laws of two starts"):
        assert judged[hypothesis].verdict == "holds"
        assert 0.95 < judged[hypothesis].ratio < 1


def test_the_first_step_is_not_part_of_the_block():
    """s' = (a_0, s_0): P² forgets everything, but from (s, a) the action is felt up to t = 2: the block is 3 steps."""
    found = mixing(SIGNAL, policies(SIGNAL, uniform_theta(SIGNAL)))[1]
    assert found.between[2] == 1.0
    assert found.between[3] == pytest.approx(0.0, abs=1e-12)
    assert found.block == 3


def test_without_a_limit_two_starts_give_lemma3():
    """The relay never forgets: no variant with a limit, and m = 1, c' = 1 is Lemma 3, attained."""
    rows = list(check(uniform_case(RELAY)))
    assert {row.hypothesis for row in rows} == {"laws of two starts", "measured distances"}
    assert verdict("appendix_a", "", "", [r for r in rows if r.hypothesis == "laws of two starts"]).verdict == "tight"
    assert between_starts(1.0, 1.0, 2.0, 0.9) == pytest.approx(lemma3(2.0, 0.9), rel=1e-12)


def test_series_of_geometric_distances_is_the_closed_form():
    d = 0.8 ** np.arange(200)
    c, rho = between_starts(1.0, 0.8, 2.0, 0.9)
    for kappa in (0, 3):
        assert mixing_series(d, kappa, 2.0, 0.9) == pytest.approx(definition2(c, rho, kappa), rel=1e-12)
    assert mixing_series(np.ones(2), 4, 2.0, 0.9) == pytest.approx(definition2(*lemma3(2.0, 0.9), 4), rel=1e-12)


def test_necessary_mixing():
    """Pretending that the relay forgets at the rate of its noisy sister breaks the bound."""
    mdp = RELAY
    case = uniform_case(mdp)
    noisy = relay(4, gamma=0.9, noise=0.3)
    found = mixing(noisy, policies(noisy, uniform_theta(noisy)))[3]
    c, rho = appendix_a(found.constant(found.to_limit), found.m, 1.0, 0.9)
    assert case.D[3, 0] > definition2(c, rho, 0) + 2 * case.error


def test_necessary_factor_two():
    """TV to the limit counts once for each start: without the factor 2 the noisy relay breaks the bound."""
    rows = [r for r in check(uniform_case(relay(4, gamma=0.9, noise=0.3))) if r.hypothesis == "law to its limit"]
    assert all(holds(row) for row in rows)
    assert not all(holds(row._replace(right=row.right / 2)) for row in rows)
