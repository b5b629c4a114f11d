"""Theorem 5: constants by hand, T that is least, an L' that is pinned, and both sides of (9) along a run."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import RELAY, random_case, uniform_case
from sacrepro import cli
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import (
    C_a,
    C_a_prime,
    Constants,
    best_eta,
    critic_noise,
    epsilon_bar,
    gradient_norm,
    horizon,
    least_h,
    least_T,
    least_t0,
    smoothness,
    steepest,
    theorem5,
    theorem5_sharp,
)
from sacrepro.exact import evaluate, expected_update, mean_curve, policy_gradient
from sacrepro.instances.extremal import tally
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac_seeds
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.claims.theorem5 import DELTA, MOVES, along_runs, check, left_of_9
from sacrepro.study.measures.stationarity import StationarityRow, stationarity_rows
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases

#: A binary path under uniform exploration at κ = 0: σ = 1/4, f = 1.
PATH = Constants(c=1 / 0.3, rho=0.7, sigma=0.25, tau=2, r_bar=1.0, gamma=0.7, log_cells=math.log(4))


@settings(max_examples=15)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def test_constants_by_hand():
    """γ = 1/4, r̄ = 3, σ = 1/10, τ = 5: √γ = 1/2 keeps every constant rational up to the logarithm."""
    network = Constants(c=4.0, rho=0.25, sigma=0.1, tau=5, r_bar=3.0, gamma=0.25, log_cells=2.0)
    assert epsilon_bar(3.0, 0.25) == pytest.approx(22)
    assert least_h(0.1, 0.25) == pytest.approx(20)
    assert least_h(0.1, 0.81) == pytest.approx(100)
    assert least_t0(20, 0.1, 5) == 40
    assert least_t0(20, 0.9, 5) == 72
    assert least_t0(20, 0.1, 500) == 500
    assert C_a_prime(20, 40, network) == pytest.approx(4 * 16 * 22 * 20 * 5 * 10)
    assert C_a_prime(1e-9, 40, network) == pytest.approx(4 * 8 * 45)
    T = 7
    logarithm = math.log(2 * 5 * 49 / 0.2) + 2.0
    assert C_a(0.2, T, 20, network) == pytest.approx(12 * 22 * math.sqrt(5 * 20 * 10 * logarithm))
    assert horizon(3, network) == pytest.approx(3)


def test_tight_smoothness():
    """A bandit with rewards 0 and 1: the Hessian's norm 2p(1-p)|1-2p| peaks at √3/9, which is 2√3/9 of L' = 1/2."""
    P = (np.ones((1, 2, 1)),)
    mdp = NetworkedMDP(nx.empty_graph(1), P, (np.array([[0.0, 1.0]]),), 0.0, (np.ones(1),))
    p, step = (3 + math.sqrt(3)) / 6, 1e-5
    at = np.array([[0.0, math.log(p / (1 - p))]])
    along = np.array([[-1.0, 1.0]]) / math.sqrt(2)
    there, here = policy_gradient(mdp, (at + step * along,))[0], policy_gradient(mdp, (at - step * along,))[0]
    assert np.linalg.norm(there - here) / (2 * step) == pytest.approx(
        smoothness(1.0, 0.0) * 2 * math.sqrt(3) / 9, rel=1e-6
    )


def test_necessary_smoothness():
    """With a third of L' the same bandit breaks the bound."""
    P = (np.ones((1, 2, 1)),)
    mdp = NetworkedMDP(nx.empty_graph(1), P, (np.array([[0.0, 1.0]]),), 0.0, (np.ones(1),))
    at = math.log((3 + math.sqrt(3)) / (3 - math.sqrt(3)))
    rows = [row for row in check(exact_case("bandit", "", mdp, (np.array([[0.0, at]]),))) if row.hypothesis == "L'"]
    assert len(rows) == len(MOVES)
    assert verdict("", "", "", rows).verdict == "holds"
    assert verdict("", "", "", [row._replace(right=row.right / 3) for row in rows]).verdict == "violated"


def own(case, hypothesis):
    """The rows of one variant."""
    return [row for row in check(case) if row.hypothesis == hypothesis]


def test_tight_gradient_norm():
    """A fair coin paid 0 or 2 at once: ∇J = (-½, ½), of norm √2/2 = r̄/(2√2)."""
    P = (np.ones((1, 2, 1)),)
    mdp = NetworkedMDP(nx.empty_graph(1), P, (np.array([[0.0, 2.0]]),), 0.0, (np.ones(1),))
    rows = own(uniform_case(mdp), "‖∇J‖")
    assert rows[0].left == pytest.approx(math.sqrt(0.5), rel=1e-12)
    assert rows[0].trivial == pytest.approx(2 * math.sqrt(2))
    assert verdict("", "", "", rows).verdict == "tight"


@pytest.mark.parametrize("gamma", [0.99, 0.998, 0.999])
def test_necessary_power_of_the_gradient_norm(gamma):
    """On the tally a quarter of the right side is attained at every γ near 1; with the power 1 it is broken."""
    rows = own(uniform_case(tally(80, gamma)), "‖∇J‖")
    assert 0.24 < rows[0].left / rows[0].right < 0.26
    assert verdict("", "", "", [rows[0]._replace(right=rows[0].right * math.sqrt(1 - gamma))]).verdict == "violated"


@pytest.mark.parametrize(("gamma", "half", "kept"), [(0.99, 80, 0.4865), (0.999, 250, 0.4981)])
def test_half_of_the_gradient_norms_bound_on_a_star_of_tallies(gamma, half, kept):
    """Leaves never meet, so ∇_{θ_0}J of a star of n-1 tallies is 2(n-1)/n times that of one: n = 1000 here."""
    row = own(uniform_case(tally(half, gamma)), "‖∇J‖")[0]
    walk = sum(gamma**t * mean for t, mean in enumerate(distances_of_a_walk(6000)))
    assert walk == pytest.approx(gamma / ((1 - gamma) * math.sqrt(1 - gamma**2)), rel=3e-2)
    assert 2 * 999 / 1000 * row.left / row.right == pytest.approx(kept, abs=2e-4)


def distances_of_a_walk(T):
    """E|S_t| of the simple walk: E|S_{t+1}| - E|S_t| is the probability of S_t = 0."""
    mean, home = 0.0, 1.0
    for t in range(T):
        yield mean
        if t % 2 == 0:
            mean += home
            home *= (t + 1) / (t + 2)


def test_the_tally_by_enumeration():
    """Three steps of a fair walk: ∇J against finite differences of J over all coin sequences, γ = ½, half = 2."""
    mdp, gamma = tally(2, 0.5), 0.5

    def J(p, T=30):
        law, total = {0: 1.0}, 0.0
        law_of_shown = 0.5
        for t in range(T):
            total += gamma**t * sum(m * (1.0 if k > 0 else 0.5 if k == 0 else 0.0) for k, m in law.items())
            moved = {}
            for k, m in law.items():
                for step, chance in ((1, law_of_shown), (-1, 1 - law_of_shown)):
                    to = max(-2, min(2, k + step))
                    moved[to] = moved.get(to, 0.0) + m * chance
            law, law_of_shown = moved, p
        return total / 2

    gradient = policy_gradient(mdp, tuple(np.zeros(r_i.shape) for r_i in mdp.r))[0]
    slope = (J(0.5 + 1e-5) - J(0.5 - 1e-5)) / 2e-5
    # Both rows of agent 0 share its logit: dp/dx = p(1-p) for each.
    assert gradient[:, 1].sum() == pytest.approx(0.25 * slope, rel=1e-6)


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_T_is_least(kappa):
    """(8) holds at the least T and not one step before."""
    size = 2 * kappa + 1
    network = PATH._replace(sigma=0.25**size, log_cells=size * math.log(4))
    T = least_T(0.1, 10, 100, kappa, network)
    h = least_h(network.sigma, 0.7)
    t0 = least_t0(h, network.sigma, 2)
    bias = 2 * network.c * 0.7 ** (kappa + 1) / 0.3**2
    assert critic_noise(0.1 / 2000, T, h, t0, network) <= bias < critic_noise(0.1 / 2000, T - 1, h, t0, network)
    assert 4**size < T
    among_five = least_T(0.1, 5, 10**6, kappa, network)
    assert math.log10(among_five) == pytest.approx((6.06, 8.90, 11.71)[kappa], abs=0.005)


def test_the_right_side_of_9_by_hand():
    """r̄ = 1, γ = 0.7, M = 99: three terms over √100, and the bias 12L²cρ/(1-γ)^5."""
    c, rho = lemma3(1.0, 0.7)
    right = theorem5(99, 0.5, 0.1, 2.0, 3.0, 0, PATH)
    start = 2 / (0.5 * 0.3)
    chance = 8 * 4 / 0.3**4 * math.sqrt(math.log(99) * math.log(40))
    curvature = 96 * 3 * 4 / 0.3**4 * 0.5 * math.log(99)
    assert right == pytest.approx((start + chance + curvature) / 10 + 12 * 4 * c * rho / 0.3**5)
    assert right > steepest(2.0, 1.0, 0.7) ** 2


def test_the_best_eta():
    """No η makes the right side of (9) smaller; the bias and the chance of failure do not depend on it."""
    best = best_eta(99, 2.0, 3.0, 1.0, 0.7)
    curvature = 96 * 4 / 0.3**4 * 3 * math.log(99)
    assert 2 / (best * 0.3) == pytest.approx(curvature * best)
    least = theorem5(99, best, 0.1, 2.0, 3.0, 0, PATH)
    assert all(least < theorem5(99, eta * best, 0.1, 2.0, 3.0, 0, PATH) for eta in (0.5, 0.99, 1.01, 2.0))


def test_9_is_vacuous_after_a_million_iterations():
    groups = {rows[0].hypothesis: rows for rows in by_hypothesis(list(check(random_case())))}
    assert set(groups) == {"L'", "‖∇J‖", "T of (8)", "(9)"}
    assert verdict("", "", "", groups["(9)"]).verdict == "vacuous"
    assert all(row.left <= row.trivial < row.right for row in groups["(9)"])
    assert verdict("", "", "", groups["T of (8)"]).verdict == "holds"


def test_without_exploration_no_T_is_enough():
    """On the relay σ = 0, so (8) cannot be met and only L' is compared."""
    assert {row.hypothesis for row in check(uniform_case(RELAY))} == {"L'", "‖∇J‖"}


def row(m, value, seed=0):
    """One recorded iteration."""
    return StationarityRow("x", 1, seed, m, 0.0, value, gap=0.0, entropy=0.0, gradient_error=0.5)


def test_the_left_side_of_9():
    """Weights 1, 1/2 for m = 0, 3; θ(M) itself is not part of it. ‖∇J‖ = 2 within .5: its square within 2.25."""
    left, error = left_of_9([row(0, 1.0), row(3, 4.0), row(8, 100.0)])
    assert left == pytest.approx((1 + 2) / 1.5)
    assert error == pytest.approx(2.25)
    with pytest.raises(ValueError, match="one run"):
        left_of_9([row(0, 1.0), row(1, 1.0, seed=1)])
    with pytest.raises(ValueError, match="two recorded"):
        left_of_9([row(0, 1.0)])


def test_9_along_runs_of_algorithm_1():
    """The runs' own mean of ‖∇J‖² beside the least right side, which exceeds what holds at every θ."""
    case = random_case()
    mdp, L, L_prime = case.mdp, math.sqrt(2 * case.mdp.n), smoothness(case.mdp.r_bar, case.mdp.gamma)
    exact = list(recorded(mdp, kappa=1, seeds=2))
    rows = list(along_runs(exact, {"random": mdp}))
    assert [row.case for row in rows] == ["M=8, seed 0", "M=8, seed 1"]
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    network = PATH._replace(c=c, rho=rho, r_bar=mdp.r_bar, gamma=mdp.gamma)
    eta = best_eta(8, L, L_prime, mdp.r_bar, mdp.gamma)
    for seed, found in enumerate(rows):
        assert (found.instance, found.policy, found.hypothesis, found.kappa) == (
            "random", "Algorithm 1", "(9) along runs", 1,
        )  # fmt: skip
        weights = [(m + 1) ** -0.5 for m in (0, 4)]
        norms = [row.gradient_norm_squared for row in exact if row.seed == seed][:2]
        assert found.left == pytest.approx(np.dot(weights, norms) / sum(weights), rel=1e-9)
        assert 0 < found.error <= 1e-6
        assert found.right == pytest.approx(theorem5(8, eta, DELTA, L, L_prime, 1, network), rel=1e-12)
        assert found.trivial == pytest.approx(gradient_norm(mdp.r_bar, mdp.gamma) ** 2)
        assert holds(found)
    assert verdict("theorem5", "", "", rows).verdict == "vacuous"


def test_runs_that_the_theorem_leaves_out():
    """Fewer than three iterations, or rewards that are zero: (9) has no right side."""
    mdp = random_case().mdp
    short = [row._replace(m=row.m // 4) for row in recorded(mdp, kappa=0, seeds=1)]
    assert list(along_runs(short, {"random": mdp})) == []
    unpaid = NetworkedMDP(mdp.graph, mdp.P, tuple(0 * r_i for r_i in mdp.r), mdp.gamma, mdp.pi0)
    assert list(along_runs(list(recorded(mdp, kappa=0, seeds=1)), {"random": unpaid})) == []


def recorded(mdp, kappa, seeds):
    """Exact values at m = 0, 4, 8 of short runs."""
    traces = sac_seeds(
        mdp, uniform_theta(mdp), kappa=kappa, M=8, T=20, h=5, t0=10, eta=1.0, seeds=range(seeds), record_every=4
    )
    for seed, trace in enumerate(traces):
        yield from stationarity_rows(mdp, "random", kappa, seed, trace.m, trace.thetas)


def test_the_rows_of_runs_are_those_of_theorem5_alone():
    with pytest.raises(ValueError, match="--stationarity is for theorem5, not for lemma4"):
        cli.main(["claim", "lemma4", "x.npz", "--stationarity", "x.csv", "--output", "y.csv"])


def norm(blocks):
    return float(np.linalg.norm(np.concatenate([block.ravel() for block in blocks])))


@pytest.mark.parametrize(("kappa", "gamma"), [(0, 0.5), (1, 0.5), (0, 0.8)])
def test_the_sharper_theorem_holds_along_the_mean_curve(kappa, gamma):
    """Steps E ĝ(m) have no noise, v_m = 0, and their bias is exact."""
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=gamma)
    theta = uniform_theta(mdp)
    eta, M = 1.0 / smoothness(mdp.r_bar, gamma), 20
    options = {"kappa": kappa, "T": 40, "h": 5.0, "t0": 10.0}
    curve = mean_curve(mdp, theta, M=M, eta=eta, **options)
    etas = [eta / math.sqrt(m + 1.0) for m in range(M)]
    points = [tuple(block[m] for block in curve) for m in range(M)]
    bias = [norm(expected_update(mdp, at, **options).b) for at in points]
    left = sum(e * norm(policy_gradient(mdp, at)) ** 2 for e, at in zip(etas, points, strict=True)) / sum(etas)
    J_gap = mdp.r_bar / (1.0 - gamma) - evaluate(mdp, theta).J
    right = theorem5_sharp(J_gap, etas, bias, [0.0] * M, 1.0 / eta)
    # What the ascent gained is all of the first term that this run needs.
    gained = evaluate(mdp, tuple(block[M] for block in curve)).J - evaluate(mdp, theta).J
    assert left <= theorem5_sharp(gained, etas, bias, [0.0] * M, 1.0 / eta) + 1e-9
    assert left < right


def paid_beyond():
    """Agent 1, who has no choice, goes where agent 0 goes and is paid; agent 0 is not: at κ = 0 ĝ = 0 for every θ."""
    own = np.broadcast_to(np.eye(2), (2, 2, 2, 2)).copy()
    copy = np.broadcast_to(np.eye(2)[:, None, None], (2, 2, 1, 2)).copy()
    rewards = (np.zeros((2, 2)), np.array([[0.0], [1.0]]))
    return NetworkedMDP(nx.path_graph(2), (own, copy), rewards, 0.5, (np.full(2, 0.5),) * 2)


def test_the_sharper_theorem_is_tight_where_only_others_are_paid():
    """The step is zero, the gradient stays: left = ‖∇J‖² = ‖b‖², and the right side tends to it as M grows."""
    mdp = paid_beyond()
    theta = uniform_theta(mdp)
    update = expected_update(mdp, theta, kappa=0, T=50, h=2.0, t0=4.0)
    assert all((block == 0.0).all() for block in update.g_hat)
    assert norm(update.b) == pytest.approx(norm(policy_gradient(mdp, theta)), rel=1e-9)
    assert norm(update.b) > 0.01
    M, L_prime = 100_000, smoothness(mdp.r_bar, mdp.gamma)
    right = theorem5_sharp(1.0, [1.0 / L_prime] * M, [norm(update.b)] * M, [0.0] * M, L_prime)
    assert 0.9 <= norm(update.b) ** 2 / right <= 1.0


def test_the_sharper_theorem_by_hand_and_its_step():
    """η = (½, ¼), ‖b‖ = (2, 4), v = (8, 16), L' = 2, J_sup - J = 3."""
    right = theorem5_sharp(3.0, [0.5, 0.25], [2.0, 4.0], [8.0, 16.0], 2.0)
    assert right == pytest.approx((6.0 + (0.5 * 4 + 0.25 * 16) + 2.0 * (0.25 * 8 + 0.0625 * 16)) / 0.75, rel=1e-15)
    with pytest.raises(ValueError, match=r"eta_1 = 0.51 must lie above 0 and at most 1/L' = 0.5"):
        theorem5_sharp(3.0, [0.5, 0.51], [2.0, 4.0], [8.0, 16.0], 2.0)
