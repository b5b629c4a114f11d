"""Theorem 5 with a squared bias holds along TD's limit and along runs, is attained where ĥ = 0, and needs its terms."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import uniform_case
from sacrepro.bounds.theorem5 import (
    gradient_norm,
    smoothness,
    td_limit_bias,
    theorem5_sharp,
    theorem5_sharp_chance,
    update_norm,
)
from sacrepro.exact import evaluate, objective_and_gradient
from sacrepro.exact.dense import transition_matrix
from sacrepro.exact.law.cell_chain import law_cost
from sacrepro.exact.law.update import expected_update
from sacrepro.exact.models import joint_kernel, joint_reward
from sacrepro.exact.optimum import best_joint
from sacrepro.instances.extremal import signal
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn import sac_seeds
from sacrepro.learn.samples import samples
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from sacrepro.study.claims import theorem5_sharp as claim
from sacrepro.study.claims.lemma4_vector import distance
from sacrepro.study.claims.theorem5_sharp import along_td_limit, as_run, check, drawn, looked_at, one_run, step_sizes
from sacrepro.study.measures.stationarity import limit_direction
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import constrains, holds
from strategies import cases

TRIO = random_mdp(build_graph({"family": "path", "n": 3}), seed=1, gamma=0.7, concentration=0.3)
CASE = uniform_case(TRIO)


@settings(max_examples=10)
@given(cases(max_n=3))
def test_holds_along_td_limit(case):
    """From any θ, along TD's limit; 30 steps."""
    exact = exact_case("random", "drawn", *case)
    if exact.mdp.r_bar == 0.0:
        return
    gain = best_joint(exact.mdp).J_high - exact.J + exact.error
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "ASCENT", 30)
        for kappa in {kappa for i in range(exact.mdp.n) for kappa in exact.kappas(i)}:
            try:
                rows = list(along_td_limit(exact, kappa, gain))
            except ValueError:  # no unique stationary law
                continue
            assert all(holds(row) for row in rows)


def test_holds_as_run_and_says_something():
    """100 runs: the right side is below a tenth of what holds at every θ, and the left side above a tenth of it."""
    (row,) = as_run(CASE, 0, best_joint(TRIO).J_high - CASE.J)
    assert holds(row)
    assert constrains(row)
    assert row.right < 0.1 * row.trivial == 0.1 * gradient_norm(TRIO.r_bar, 0.7) ** 2
    assert row.left > 0.1 * row.right


@pytest.mark.parametrize("gamma", [0.3, 0.7])
def test_tight(gamma):
    """Nothing that agent 0 sees is paid: b = -∇J for ever, and only 2L'(J_sup - J)/M is between the two sides."""
    case = uniform_case(signal(gamma))
    row = next(row for row in check(case) if row.hypothesis == "TD's limit")
    stays = distance(case.gradient, tuple(np.zeros(block.shape) for block in case.gradient)) ** 2
    rest = 2 * smoothness(1.0, gamma) * (best_joint(case.mdp).J_high - case.J) / claim.ASCENT
    assert row.left == pytest.approx(stays, rel=1e-7)
    assert row.right == pytest.approx(stays + rest, rel=1e-7)
    after = [theorem5_sharp(1.0, [0.1] * M, [math.sqrt(stays)] * M, [0.0] * M, 1.0) for M in (10**3, 10**5)]
    assert after[1] - stays < 0.011 * (after[0] - stays)


@pytest.mark.parametrize("kappa", [0, 1])
def test_the_bound_on_the_bias_holds_along_the_ascent(kappa):
    theta = uniform_theta(TRIO)
    for _ in range(20):
        h_hat = limit_direction(TRIO, theta, kappa)
        b = distance(h_hat, objective_and_gradient(TRIO, theta).gradient)
        assert b <= td_limit_bias(kappa, 0.7, TRIO.r_bar)
        theta = tuple(block + h_i for block, h_i in zip(theta, h_hat, strict=True))


def test_the_bias_by_hand():
    """r̄ = 3, γ = ½, κ = 1: 3·¼/(√2·¼)."""
    assert td_limit_bias(1, 0.5, 3.0) == pytest.approx(3 / math.sqrt(2), rel=1e-14)


def test_the_right_side_by_hand():
    """J_sup - J = 2, η = (½, ¼), ‖b‖ = (1, 3), v = (4, 8), L' = 2: (4 + ½ + 9/4 + 2·4/4 + 2·8/16)/¾, and η_0 = 1/L'."""
    assert theorem5_sharp(2.0, [0.5, 0.25], [1.0, 3.0], [4.0, 8.0], 2.0) == pytest.approx(13.0, rel=1e-14)
    with pytest.raises(ValueError, match="shorter"):
        theorem5_sharp(2.0, [0.5, 0.25], [1.0, 3.0], [4.0], 2.0)


@pytest.mark.parametrize("eta", [0.0, -0.5, 0.75])
def test_step_sizes_of_which_the_theorem_says_nothing_are_refused(eta):
    with pytest.raises(ValueError, match=f"^eta_1 = {eta} must lie above 0 and at most 1/L' = 0.5$"):
        theorem5_sharp(2.0, [0.5, eta], [1.0, 3.0], [4.0, 8.0], 2.0)


def test_necessary_bias():
    """Left out, the other terms vanish with M while ‖∇J‖² stays."""
    case = uniform_case(signal(0.3))
    row = next(row for row in check(case) if row.hypothesis == "TD's limit")
    gain, etas = best_joint(case.mdp).J_high - case.J, [1 / smoothness(1.0, 0.3)] * 10_000
    nothing = [0.0] * 10_000
    assert not holds(row._replace(right=theorem5_sharp(gain, etas, nothing, nothing, smoothness(1.0, 0.3))))


def test_what_is_looked_at_is_what_a_run_did():
    """∇J, E ĝ and ĝ at θ(m), computed once more."""
    settings_ = {"kappa": 0, "T": claim.T, "h": claim.H, "t0": claim.T0}
    run = sac_seeds(TRIO, CASE.theta, M=5, eta=1.0, seeds=(3,), record_every=1, **settings_)[0]
    left, bias, noise, off = looked_at(TRIO, run.thetas, 4, 0, 1 / math.sqrt(5))
    theta = tuple(block[4] for block in run.thetas)
    gradient = objective_and_gradient(TRIO, theta).gradient
    mean = expected_update(TRIO, theta, **settings_).g_hat
    g_hat = tuple((block[5] - block[4]) * math.sqrt(5) for block in run.thetas)
    zero = tuple(np.zeros(block.shape) for block in gradient)
    assert left == pytest.approx(distance(gradient, zero) ** 2, rel=1e-12)
    assert bias == pytest.approx(distance(mean, gradient) ** 2, rel=1e-12)
    assert noise == pytest.approx(distance(g_hat, mean) ** 2, rel=1e-9)
    assert 0 < off < 1e-6


# With high probability, along one run.


def test_one_run_holds_and_says_something():
    """40,000 outer iterations: below what holds at every θ, with probability .999."""
    (row,) = one_run(CASE, 0, best_joint(TRIO).J_high - CASE.J)
    assert holds(row)
    assert constrains(row)
    assert row.case == "M=40000 T=100"
    # Seen by hand: chance takes nearly all of the right side, so it is what a longer run brings down.
    etas = step_sizes(TRIO, 40_000)
    hoods = [1, 1, 1]
    chance = theorem5_sharp_chance(
        etas, smoothness(1, 0.7) * TRIO.r_bar, gradient_norm(TRIO.r_bar, 0.7), update_norm(hoods, TRIO.r_bar, 0.7), 1e-3
    )
    assert 0.9 * row.right < chance < row.right


def test_one_run_is_left_out_where_it_could_say_nothing():
    """At κ = 1 all three tables are averaged at agent 1, and the bound on ‖ĝ‖ is too large for 40,000 iterations."""
    assert list(one_run(CASE, 1, 1.0)) == []


def test_what_chance_takes_by_hand():
    """η = (½, ¼), L' = 2, G = 3, B = 5, δ = e^{-2}: Σ η²(G + L'ηB)² = ¼·8² + 1/16·5.5²."""
    spread = 0.25 * 64 + 5.5**2 / 16
    chance = theorem5_sharp_chance([0.5, 0.25], 2.0, 3.0, 5.0, math.exp(-2))
    assert chance == pytest.approx(2 * 5 * math.sqrt(4 * spread) / 0.75, rel=1e-13)


def test_the_norm_of_an_update():
    """√2·3·√(4+9+4)/(3·¼) by hand; and no sampled ĝ is longer."""
    assert update_norm([2, 3, 2], 3.0, 0.5) == pytest.approx(math.sqrt(2) * 3 * math.sqrt(17) * 4 / 3, rel=1e-14)
    for kappa, hoods in ((0, [1, 1, 1]), (1, [2, 3, 2])):
        found = samples(TRIO, CASE.theta, 0, kappa=kappa, T=50, h=10.0, t0=10.0, seeds=range(50))
        lengths = np.sqrt(sum((block.reshape(50, -1) ** 2).sum(axis=1) for block in found.g_hat))
        assert 0 < lengths.max() <= update_norm(hoods, TRIO.r_bar, 0.7)


def test_the_draws_follow_the_step_sizes():
    """Each slice of equal Σ η_m has one; the mean of 1/η over many draws is M/Σ η."""
    etas = step_sizes(TRIO, 500)
    many = np.array([drawn(etas, 20, seed) for seed in range(400)])
    assert ((many >= 0) & (many < 500)).all()
    assert (np.diff(many, axis=1) >= 0).all()
    assert np.mean(1 / etas[many]) == pytest.approx(500 / etas.sum(), rel=0.01)


def test_networks_that_are_too_large_are_left_out():
    assert list(check(uniform_case(random_mdp(build_graph({"family": "path", "n": 5}), seed=1, gamma=0.5)))) == []


@settings(max_examples=30)
@given(cases(max_n=3))
def test_no_policy_exceeds_the_best_joint_one(case):
    mdp, theta = case
    excess = evaluate(mdp, theta).J - best_joint(mdp).J_high
    assert excess <= 1e-9 * (1 + mdp.r_bar / (1 - mdp.gamma))


@settings(max_examples=30)
@given(cases(max_n=3))
def test_the_joint_kernel_is_the_product(case):
    mdp, theta = case
    zeta = policies(mdp, theta)
    joint = np.ones((1,) * (2 * mdp.n))
    for i, zeta_i in enumerate(zeta):
        shape = [zeta_i.shape[axis // mdp.n] if axis % mdp.n == i else 1 for axis in range(2 * mdp.n)]
        joint = joint * zeta_i.reshape(shape)
    P = joint_kernel(mdp)
    acted = np.broadcast_to(joint, (*mdp.state_sizes, *mdp.action_sizes)).reshape(P.shape[:2])
    np.testing.assert_allclose(np.einsum("sa,sat->st", acted, P), transition_matrix(mdp, zeta), atol=1e-12)
    assert joint_reward(mdp).shape == P.shape[:2]


def test_the_best_joint_policy_by_hand():
    """`signal`: agent 0 always acts 1, and agent 1 is paid from time 2 on; at times 0 and 1 half of the time."""
    assert abs(best_joint(signal(0.5)).J - (0.5 + 0.25 + 0.25 / 0.5) / 2) < 1e-9


# Row by row on two agents, every term with its own size.

PAIR = random_mdp(build_graph({"family": "path", "n": 2}), seed=1, gamma=0.75, state_sizes=[2, 3], action_sizes=[3, 2])
BOTH = dataclasses.replace(
    exact_case("pair", "uniform", PAIR, gaussian_theta(PAIR, np.random.default_rng(1))), error=2.0**-4
)
L = PAIR.r_bar / (2 * 0.25**2)
EVERYWHERE = PAIR.r_bar**2 / (8 * 0.25**3)


def squared(blocks):
    return sum(float((block**2).sum()) for block in blocks)


def coarse(found, **errors):
    """What computes `found`, with certificates that count."""
    return lambda *args, **kwargs: found(*args, **kwargs)._replace(**errors)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_rows_along_td_limit_by_hand(monkeypatch, seed):
    """Three steps of 1/L': √2 for the error of two blocks, and 2 off (‖∇J‖ + ‖b‖ + off) for that of two squares.

    From the first θ the largest of these is the first, from the second the last.
    """
    start = dataclasses.replace(BOTH, theta=gaussian_theta(PAIR, np.random.default_rng(seed)))
    monkeypatch.setattr(claim, "ASCENT", 3)
    monkeypatch.setattr(claim, "objective_and_gradient", coarse(objective_and_gradient, gradient_error=2.0**-6))
    theta, lefts, biases, errors, off = start.theta, [], [], [], math.sqrt(2) * 2.0**-6
    for _ in range(3):
        gradient, h_hat = objective_and_gradient(PAIR, theta).gradient, limit_direction(PAIR, theta, 0)
        lefts.append(squared(gradient))
        biases.append(squared([h - g for h, g in zip(h_hat, gradient, strict=True)]))
        errors.append(2 * off * (math.sqrt(lefts[-1]) + math.sqrt(biases[-1]) + off))
        theta = tuple(block + h / L for block, h in zip(theta, h_hat, strict=True))
    first, second = along_td_limit(start, 0, 0.5)
    rest = 2 * 0.5 * L / 3
    assert (first.hypothesis, second.hypothesis) == ("TD's limit", "TD's limit, any policy")
    for row, bias in ((first, sum(biases) / 3), (second, (PAIR.r_bar * 0.75 / (math.sqrt(2) * 0.25**2)) ** 2)):
        assert (row.instance, row.policy, row.case, row.agent, row.kappa) == ("pair", "uniform", "M=3", 0, 0)
        assert row.left == pytest.approx(sum(lefts) / 3, rel=1e-12)
        assert row.right == pytest.approx(rest + bias, rel=1e-12)
        assert row.error == pytest.approx(max(errors) + 1e-12 * row.right, rel=1e-12)
        assert row.trivial == pytest.approx(EVERYWHERE, rel=1e-12)
    assert (np.diff(errors) < 0).all() if seed == 1 else (np.diff(errors) > 0).all()


def test_the_rounding_of_a_right_side_along_td_limit_is_charged(monkeypatch):
    monkeypatch.setattr(claim, "ASCENT", 2)
    monkeypatch.setattr(claim, "objective_and_gradient", coarse(objective_and_gradient, gradient_error=0.0))
    for row in along_td_limit(BOTH, 0, 0.5):
        assert row.error == pytest.approx(1e-12 * row.right, rel=1e-12)


def looks(kappa, iterations, seeds, ms):
    """(‖∇J‖², ‖b‖² + L'η‖ĝ - E ĝ‖², bound on their error) at one m of each run, computed anew."""
    settings_ = {"kappa": kappa, "T": claim.T, "h": claim.H, "t0": claim.T0}
    runs = sac_seeds(PAIR, BOTH.theta, M=iterations, eta=1 / L, seeds=seeds, record_every=1, **settings_)
    for run, m in zip(runs, ms, strict=True):
        eta = 1 / (L * math.sqrt(m + 1))
        left, bias, noise, off = looked_at(PAIR, run.thetas, m, kappa, eta)
        yield left, bias + L * eta * noise, off


def test_the_rows_of_runs_by_hand(monkeypatch):
    """Four runs of six iterations: one m each, Student's bound on the mean of left - right, and the largest bound."""
    for name, value in (("M", 6), ("T", 4), ("SEEDS", 4)):
        monkeypatch.setattr(claim, name, value)
    monkeypatch.setattr(claim, "objective_and_gradient", coarse(objective_and_gradient, gradient_error=2.0**-6))
    etas = [1 / (L * math.sqrt(m + 1)) for m in range(6)]
    (row,) = as_run(BOTH, 0, 0.5)
    left, right, off = map(np.array, zip(*looks(0, 6, range(4), drawn(np.array(etas), 4, 0)), strict=True))
    assert (row.hypothesis, row.case, row.agent, row.kappa) == ("as run", "M=6 T=4", 0, 0)
    assert row.left == pytest.approx(left.mean(), rel=1e-12)
    assert row.right == pytest.approx(2 * 0.5 / sum(etas) + right.mean(), rel=1e-12)
    # Quantiles of Student's law at .999: 10.21 with 3 degrees of freedom, 22.33 with 2.
    assert row.error == pytest.approx(10.2145 * np.std(left - right, ddof=1) / 2 + off.max(), rel=1e-5)
    assert row.trivial == pytest.approx(EVERYWHERE, rel=1e-12)
    assert off.min() < off.max()


def test_the_row_of_one_run_by_hand(monkeypatch):
    """One run of seed 0, looked at three times; left out where what is known beforehand reaches the trivial bound."""
    for name, value in (("LONG", 6), ("T", 4), ("SEEDS", 3), ("DELTA", 0.25)):
        monkeypatch.setattr(claim, name, value)
    etas = [1 / (L * math.sqrt(m + 1)) for m in range(6)]
    G, B = math.sqrt(EVERYWHERE), update_norm([1, 1], PAIR.r_bar, 0.75)
    certain = 2 * 0.5 / sum(etas) + theorem5_sharp_chance(etas, L, G, B, 0.25)
    assert certain > EVERYWHERE
    assert list(one_run(BOTH, 0, 0.5)) == []
    monkeypatch.setattr(claim, "trivial", lambda mdp: math.inf)
    ms = drawn(np.array(etas), 3, 0)
    run = sac_seeds(PAIR, BOTH.theta, kappa=0, M=6, T=4, h=claim.H, t0=claim.T0, eta=1 / L, seeds=[0], record_every=1)[
        0
    ]
    found = [looked_at(PAIR, run.thetas, m, 0, etas[m]) for m in ms]
    left, right = (
        np.array([f[0] for f in found]),
        np.array([f[1] + L * etas[m] * f[2] for f, m in zip(found, ms, strict=True)]),
    )
    (row,) = one_run(BOTH, 0, 0.5)
    assert (row.hypothesis, row.case, row.agent, row.kappa) == ("one run", "M=6 T=4", 0, 0)
    assert row.left == pytest.approx(left.mean(), rel=1e-12)
    assert row.right == pytest.approx(certain + right.mean(), rel=1e-10)
    off = max(f[3] for f in found)
    assert row.error == pytest.approx(22.3271 * np.std(left - right, ddof=1) / math.sqrt(3) + off, rel=1e-5)
    monkeypatch.setattr(claim, "trivial", lambda mdp: row.right - right.mean())
    assert list(one_run(BOTH, 0, 0.5)) == []


def test_what_a_look_may_be_off_by_by_hand(monkeypatch):
    """√2 times the error of a block of ∇J, that of E ĝ, and four roundings of the largest logit over η, √12 entries."""
    monkeypatch.setattr(claim, "objective_and_gradient", coarse(objective_and_gradient, gradient_error=2.0**-5))
    monkeypatch.setattr(claim, "expected_update", coarse(expected_update, error=2.0**-7))
    eta, m = 2.0**-44, 1
    rng = np.random.default_rng(0)
    start = [rng.integers(-8, 9, r.shape) / 2.0 for r in PAIR.r]
    start[0][0, 0], start[1][0, 0] = -16.0, 3.0
    steps = [rng.integers(-8, 9, r.shape) * 1.0 for r in PAIR.r]
    thetas = tuple(np.stack([np.zeros_like(a), a, a + eta * b]) for a, b in zip(start, steps, strict=True))
    left, bias, noise, error = looked_at(PAIR, thetas, m, 0, eta)
    gradient = objective_and_gradient(PAIR, tuple(start)).gradient
    mean = expected_update(PAIR, tuple(start), kappa=0, T=claim.T, h=claim.H, t0=claim.T0).g_hat
    assert left == pytest.approx(squared(gradient), rel=1e-12)
    assert bias == pytest.approx(squared([x - y for x, y in zip(mean, gradient, strict=True)]), rel=1e-12)
    assert noise == pytest.approx(squared([x - y for x, y in zip(steps, mean, strict=True)]), rel=1e-12)
    off = math.sqrt(2) * 2.0**-5 + 2.0**-7 + 4 * 2.0**-52 * 16 / eta * math.sqrt(12)
    norms = math.sqrt(left) + math.sqrt(bias) + math.sqrt(noise)
    assert error == pytest.approx(2 * off * (norms + 2 * off), rel=1e-10)


@pytest.mark.parametrize("unique", [True, False])
def test_what_is_run_on_a_case(monkeypatch, unique):
    """Every κ with somebody outside, with J_sup - J and the error of J; TD's limit on one recurrent class only."""
    asked = []
    for name in ("along_td_limit", "as_run", "one_run"):
        monkeypatch.setattr(claim, name, lambda *args, name=name: asked.append((name, *args)) or iter([name]))
    monkeypatch.setattr(claim, "has_unique_stationary_law", lambda case: unique)
    case = dataclasses.replace(CASE, error=2.0**-4)
    gain = best_joint(TRIO).J_high - CASE.J + 2.0**-4
    rows = list(check(case))
    assert rows == [name for name, *_ in asked]
    names = ["along_td_limit"] * unique + ["as_run", "one_run"]
    assert [(name, kappa) for name, _, kappa, _ in asked] == [(name, kappa) for kappa in (0, 1) for name in names]
    assert all(of is case and own == pytest.approx(gain, abs=1e-9) for _, of, _, own in asked)


def test_cases_that_are_left_out(monkeypatch):
    for name in ("along_td_limit", "as_run", "one_run"):
        monkeypatch.setattr(claim, name, lambda *args, name=name: iter([name]))
    assert len(list(check(CASE))) == 6
    assert list(check(dataclasses.replace(CASE, policy="gaussian 1"))) == []
    for least, rows in ((law_cost(TRIO, kappa=0, T=claim.T), 3), (law_cost(TRIO, kappa=1, T=claim.T), 6)):
        monkeypatch.setattr(claim, "WORK", least.multiplications)
        assert len(list(check(CASE))) == rows
        monkeypatch.setattr(claim, "WORK", least.multiplications - 1)
        assert len(list(check(CASE))) == rows - 3
    monkeypatch.setattr(claim, "WORK", 1 << 40)
    for n, rows in ((4, 3), (5, 0)):  # at κ = 0; beyond, the law takes too much work
        monkeypatch.setattr(claim, "WORK", law_cost(wide(n), kappa=0, T=claim.T).multiplications)
        assert len(list(check(uniform_case(wide(n))))) == rows
    monkeypatch.setattr(claim, "WORK", 1 << 40)
    path = build_graph({"family": "path", "n": 2})
    for sizes, rows in (([1, 1], 0), ([1, 2], 3), ([2, 1], 3)):
        assert len(list(check(uniform_case(random_mdp(path, seed=0, gamma=0.5, action_sizes=sizes))))) == rows
    unpaid = NetworkedMDP(PAIR.graph, PAIR.P, tuple(0.0 * r for r in PAIR.r), 0.75, PAIR.pi0)
    assert list(check(uniform_case(unpaid))) == []


def wide(n):
    return random_mdp(build_graph({"family": "path", "n": n}), seed=0, gamma=0.5)


def test_what_is_run_is_what_the_pages_say():
    """M, T and δ of paper/verdicts.md and paper/proofs.md; the bound on ‖ĝ‖ asks for h ≤ t0."""
    verdicts, proofs = (
        (Path(__file__).parents[2] / "paper" / name).read_text() for name in ("verdicts.md", "proofs.md")
    )
    for told in (
        f"M={claim.ASCENT} |",
        f"M={claim.M} T={claim.T} |",
        f"M={claim.LONG} T={claim.T} |",
        f"M={claim.STILL};",
    ):
        assert told in verdicts
    assert f"at M = {claim.LONG:,} the right side" in proofs
    assert f"with δ = {claim.DELTA}.".replace("0.", ".") in proofs
    assert claim.H <= claim.T0


def test_step_sizes_and_draws_by_hand():
    """1/L' = ⅛ at r̄ = 1 and γ = ¾; slices of equal Σ η_m, of which each has its own draw."""
    at = NetworkedMDP(PAIR.graph, PAIR.P, tuple(r / PAIR.r_bar for r in PAIR.r), 0.75, PAIR.pi0)
    assert step_sizes(at, 3) == pytest.approx([1 / 8, 1 / (8 * math.sqrt(2)), 1 / (8 * math.sqrt(3))], rel=1e-14)
    for seed in range(9):
        assert drawn(np.ones(9), 9, seed) == list(range(9))
        assert drawn(np.array([1.0, 1.0, 2.0]), 4, seed) == [0, 1, 2, 2]
        u = np.random.default_rng(seed).random(3)
        assert drawn(np.ones(3000), 3, seed) == [int(1000 * (k + u[k])) for k in range(3)]
    assert drawn(np.array([1.0, 0.0]), 1, 0) == [0]


def test_a_policy_that_stands_still_by_hand(monkeypatch):
    """2L'(J_sup - J)/100,000, certificates included, against what is measured along TD's limit."""
    monkeypatch.setattr(claim, "ASCENT", 2)
    for name in ("as_run", "one_run"):
        monkeypatch.setattr(claim, name, lambda *args: iter(()))
    monkeypatch.setattr(
        claim, "uniform_case", lambda name, mdp: dataclasses.replace(uniform_case(mdp, name), error=0.25)
    )
    mdp = signal(0.3)
    case = uniform_case(mdp, "signal")
    (row,) = claim.standing_still()
    assert (row.instance, row.policy, row.case, row.hypothesis) == ("signal", "uniform", "M=100000", "TD's limit")
    gain = best_joint(mdp).J_high - case.J + 0.25
    assert row.right == pytest.approx(2 * gain * mdp.r_bar / (2 * 0.7**2) / 100_000, rel=1e-9)
    assert row.left == pytest.approx(squared(case.gradient), rel=1e-9)
