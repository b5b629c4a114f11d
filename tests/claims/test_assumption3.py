"""Assumption 3: σ exactly, its floor attained on noisy relays, and the two ways in which the assumption fails."""

import numpy as np
import pytest
from hypothesis import given, settings

from brute_force import BruteForce
from claims.instances import RELAY, random_case, uniform_case
from sacrepro.exact.dense import transition_matrix
from sacrepro.instances import build
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.study.claims.assumption3 import MIXING, TAUS, check
from sacrepro.study.measures.decay import MOST_ENTRIES, best_sigma, entries
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


def enumerated(mdp, zeta, i, kappa, tau):
    """σ_i(τ) by walking τ-1 steps from every joint pair."""
    brute = BruteForce(mdp, zeta)
    chain = np.array([[brute.step(s, a, t) * brute.act(t, b) for t, b in brute.pairs] for s, a in brute.pairs])
    law = np.linalg.matrix_power(chain, tau - 1)
    place = {z: k for k, z in enumerate(brute.pairs)}
    return min(
        law[:, [place[z] for z in group]].sum(axis=1).min() for group in brute.cells(brute.hood(i, kappa)).values()
    )


@settings(max_examples=15)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


@pytest.mark.parametrize("tau", [2, 3, 5])
def test_sigma_agrees_with_enumeration(tau):
    mdp = build({"model": "random", "graph": {"family": "path", "n": 3}, "seed": 3, "gamma": 0.9})
    zeta = policies(mdp, gaussian_theta(mdp, np.random.default_rng(0)))
    sigma = best_sigma(mdp, zeta, (tau,))
    for i in range(3):
        for kappa in range(3):
            assert sigma[i, kappa, tau] == pytest.approx(enumerated(mdp, zeta, i, kappa, tau), rel=1e-10)


def own(rows, hypothesis):
    """The rows of one variant."""
    return [row for row in rows if row.hypothesis == hypothesis]


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_tight(noise):
    """On the noisy relay σ_i(2) = (ε/4)^|N_i^κ| exactly: every agent may miss the bit it copies, with either action."""
    case = uniform_case(build({"model": "relay", "n": 4, "gamma": 0.9, "noise": noise}))
    rows = list(check(case))
    assert verdict("", "", "", own(rows, "floor")).verdict == "tight"
    for row in own(rows, "floor"):
        if row.case == "τ=2":
            size = len(neighborhood(case.mdp.graph, row.agent, row.kappa))
            assert row.right == pytest.approx((noise / 4) ** size, rel=1e-12)
            assert row.left == pytest.approx(row.right, rel=1e-12)
    assert (verdict("", "", "", own(rows, "ceiling")).verdict == "tight") == (noise == 1.0)


def test_necessary_neighborhood():
    """The floor of N_i^0 is above σ_i for N_i^1: the exponent is the size of the neighborhood."""
    rows = own(check(uniform_case(build({"model": "relay", "n": 4, "gamma": 0.9, "noise": 0.3}))), "floor")
    floor = {(row.agent, row.kappa, row.case): row.left for row in rows}
    shrunk = [row._replace(left=floor[row.agent, row.kappa - 1, row.case]) for row in rows if row.kappa == 1]
    assert not all(holds(row) for row in shrunk)


def test_necessary_mixing_dynamics():
    """The relay's source keeps its bit, so σ = 0 at every τ: no policy explores its state."""
    zeta = policies(RELAY, uniform_theta(RELAY))
    sigma = best_sigma(RELAY, zeta, TAUS)
    assert {sigma[0, kappa, tau] for kappa in range(4) for tau in TAUS} == {0.0}
    assert np.linalg.matrix_power(transition_matrix(RELAY, zeta), 64)[0].max() == 1.0


def test_necessary_bounded_logits():
    """Softmax logits of size x send σ to 0 like e^{-2x}; mixed with ε of the uniform policy σ keeps a floor."""
    mdp = build({"model": "relay", "n": 2, "gamma": 0.9, "noise": 1.0})
    sigmas, floors = [], []
    for x in (0.0, 2.0, 4.0):
        theta = tuple(np.broadcast_to([x, -x], (2, 2)) for _ in range(2))
        sigmas.append(best_sigma(mdp, policies(mdp, theta), (5,))[0, 0, 5])
        rows = own(check(exact_case("", "", mdp, theta)), "floor, mixed")
        floors.append(min(row.right for row in rows if row.kappa == 0))
    assert sigmas == pytest.approx([0.5 / (1 + np.exp(2 * x)) for x in (0.0, 2.0, 4.0)])
    assert min(floors) >= 0.5 * MIXING / 2


def test_large_models_are_skipped():
    kite = build({"model": "sis", "graph": {"family": "krackhardt_kite"}, "gamma": 0.7})
    assert entries(kite) == 8**10 > MOST_ENTRIES
    assert entries(random_case().mdp) == 8**5
