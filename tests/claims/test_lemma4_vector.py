"""Lemma 4 for the whole gradient holds without n, is attained on the parity star, and needs what it assumes."""

import dataclasses
import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.instances import random_case, uniform_case
from sacrepro.bounds import gradient as gradient_room
from sacrepro.bounds.gradient import (
    SCORE_DEVIATION,
    lemma4_vector,
    lemma4_vector_natural,
    lemma4_vector_paper,
    score_sum_factor,
)
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import outside_axes, truncate, truncated_gradient_from
from sacrepro.instances.extremal import parity
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import SCORE_BOUND, gaussian_theta, policies, score, softmax, uniform_theta
from sacrepro.study.claims import lemma4_vector as claim
from sacrepro.study.claims.lemma4_vector import STARTS, check, climbed, distance
from sacrepro.study.measures.stationarity import limit_direction
from sacrepro.study.measures.truncation import FAMILIES, truncated_gradients, uniform_weights
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds
from strategies import arrays, cases


@settings(max_examples=40)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def worst(case, hypothesis):
    """The largest left/right of a variant."""
    rows = [row for row in check(case) if row.hypothesis == hypothesis and row.right > row.error]
    return max(rows, key=lambda row: row.left / row.right)


@pytest.mark.parametrize("n", [4, 6])
@pytest.mark.parametrize("gamma", [0.1, 0.02])
def test_tight_any_weights(n, gamma):
    """The hub's block alone is 1 - γ/2 + O(γ²) of the bound, for every n: no constant below 1/√2 serves."""
    row = worst(uniform_case(parity(n, gamma=gamma)), "any weights")
    assert (row.kappa, row.case) == (1, "climbed from uniform")
    assert row.left / row.right == pytest.approx(1 - gamma / 2, abs=gamma**2)
    assert not holds(row._replace(right=(1 - gamma) * row.right))


@pytest.mark.parametrize("n", [4, 6, 8])
def test_tight_natural_weights(n):
    """(n-1)/n · (1 - γ/2)/M on the parity star, → 1 as n → ∞ and γ → 0; .818 at n = 6 and γ = .02."""
    gamma = 0.02
    row = worst(uniform_case(parity(n, gamma=gamma)), "natural weights")
    expected = (n - 1) / n * (1 - gamma / 2) / score_sum_factor(gamma)
    assert row.left / row.right == pytest.approx(expected, abs=gamma**2)


@pytest.mark.parametrize("n", [4, 6])
def test_how_much_the_papers_sum_over_blocks_costs(n):
    """√(2n) for 1/√2: 2√n times more, on every instance."""
    case = uniform_case(parity(n, gamma=0.1))
    paper, own = ({row.case: row for row in check(case) if row.hypothesis == h} for h in ("paper", "worst case"))
    assert all(paper[family].right == pytest.approx(2 * math.sqrt(n) * own[family].right, rel=1e-12) for family in own)


def test_right_sides_by_hand():
    """γ = ½: errors ½ and 1 average to ¾, twice that over 1-γ; M = ½ Σ 2^{-s} √(s+1) = 1.347253…."""
    assert lemma4_vector([0.5, 1.0], 0.5) == pytest.approx(1.5 / math.sqrt(2), rel=1e-15)
    assert lemma4_vector([1.0], 0.5, deviation=3.0) == pytest.approx(6.0, rel=1e-15)
    assert lemma4_vector_paper(2.0, 0.5, 1, 4.0, 0.5) == pytest.approx(4.0, rel=1e-15)
    M = sum(0.5**s * math.sqrt(s + 1) for s in range(200)) / 2
    assert score_sum_factor(0.5) == pytest.approx(M, rel=1e-12)
    assert lemma4_vector_natural(1, 0.5, 3.0) == pytest.approx(3 * 0.125 * M / math.sqrt(2), rel=1e-12)


def test_the_rest_of_the_factor_by_hand(monkeypatch):
    """Beyond three terms the root is 2 + (s-3)/4; beyond one term its closed form 1/√(1-γ) is the lesser bound."""
    gamma, M = 17 / 32, gradient_room.score_sum_factor
    monkeypatch.setattr(gradient_room, "TERMS", 3)
    rest = math.fsum(gamma**s * (2 + (s - 3) / 4) for s in range(3, 400))
    expected = (1 - gamma) * (1 + gamma * math.sqrt(2) + gamma**2 * math.sqrt(3) + rest)
    assert M(gamma) == pytest.approx(expected, rel=1e-13)
    monkeypatch.setattr(gradient_room, "TERMS", 0)
    assert M(19 / 32) == pytest.approx(1 / math.sqrt(13 / 32), rel=1e-15)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 0.99, 0.9999, 0.9999999])
def test_the_factor_is_an_upper_bound_between_1_and_its_closed_form(gamma):
    """Beyond its terms the root is below its tangent; → √π/2 of 1/√(1-γ) as γ → 1."""
    few = (1 - gamma) * math.fsum(gamma**s * math.sqrt(s + 1) for s in range(3000))
    factor = score_sum_factor(gamma)
    assert few <= factor * (1 + 1e-12)
    assert 1.0 <= factor <= 1 / math.sqrt(1 - gamma) * (1 + 1e-15)
    if gamma in (0.9, 0.99):
        exact = (1 - gamma) * math.fsum(gamma**s * math.sqrt(s + 1) for s in range(20000))
        assert factor == pytest.approx(exact, rel=1e-9)


@given(st.data())
def test_deviation_of_the_joint_score(data):
    """E⟨u, ∇log ζ⟩² ≤ ½‖u‖² for agents that act independently, equal to it for fair coins and u = (1, -1)/√2."""
    zeta = [softmax(data.draw(arrays((1, A), -4, 4)))[0] for A in data.draw(st.lists(st.integers(1, 3), max_size=3))]
    u = [data.draw(arrays(z.shape, -2, 2)) for z in zeta]
    squares = sum(float(np.sum(z * (score(z[None])[0] @ v) ** 2)) for z, v in zip(zeta, u, strict=True))
    assert squares <= SCORE_DEVIATION**2 * sum(float(v @ v) for v in u) + 1e-12
    coin = np.array([0.5, 0.5])
    attained = coin @ (score(coin[None])[0] @ np.array([1.0, -1.0]) / math.sqrt(2)) ** 2
    assert math.sqrt(attained) == pytest.approx(SCORE_DEVIATION, rel=1e-12)
    assert pytest.approx(SCORE_BOUND / 2, rel=1e-12) == SCORE_DEVIATION


def test_necessary_independent_actions():
    """n agents that toss ONE coin, Q̂ - Q = ±1 with its side: ‖E (Q̂ - Q) ∇log ζ‖ = √(n/2), below the paper's √(2n)."""
    n = 9
    coin = score(np.full((1, 2), 0.5))[0]
    joint = np.tile(coin, (1, n))  # the score of all agents, given the one coin
    together = 0.5 * (joint[0] - joint[1])
    assert np.linalg.norm(together) == pytest.approx(math.sqrt(n / 2), rel=1e-12)
    assert np.linalg.norm(together) > lemma4_vector([1.0] * n, 0.0)
    apart = sum(
        0.5**n * np.sign(sum(sides) + 0.5) * np.concatenate([coin[0 if side > 0 else 1] for side in sides])
        for sides in itertools.product((-1, 1), repeat=n)
    )
    assert np.linalg.norm(apart) <= lemma4_vector([1.0] * n, 0.0)


def test_necessary_one_half():
    """A constant of ½, and one κ more under natural weights, fail on the parity star."""
    case = uniform_case(parity(6, gamma=0.02))
    assert not holds(worst(case, "any weights")._replace(right=worst(case, "any weights").right / math.sqrt(2)))
    natural = worst(case, "natural weights")
    assert not holds(natural._replace(right=lemma4_vector_natural(natural.kappa + 1, 0.02, 1.0)))


def test_the_climb_finds_the_worst_weights():
    """Two agents of two states and actions, κ = 0: the largest over all vertices of both tables, 2^8 choices."""
    mdp = random_mdp(build_graph({"family": "path", "n": 2}), seed=0, gamma=0.9, concentration=0.3)
    case = exact_case("random", "uniform", mdp, uniform_theta(mdp))
    zeta = policies(mdp, case.theta)
    ends, means = [], []
    for j in range(2):
        Q_j, axes = q_function(mdp, case.V[j], j), outside_axes((j,), 2)
        ends.append((Q_j.min(axis=axes, keepdims=True), Q_j.max(axis=axes, keepdims=True)))
        means.append(truncate(Q_j, (j,), uniform_weights(Q_j.shape, (j,))))
    brute = 0.0
    for picks in itertools.product((0, 1), repeat=8):
        Q_hat = [np.where(np.reshape(picks[4 * j : 4 * j + 4], ends[j][0].shape), *ends[j]) for j in range(2)]
        h_hat = truncated_gradient_from(mdp, zeta, case.pi_theta, Q_hat, 0)
        brute = max(brute, distance(h_hat, case.gradient))
    start = truncated_gradient_from(mdp, zeta, case.pi_theta, means, 0)
    assert distance(climbed(case, zeta, 0, start), case.gradient) == pytest.approx(brute, rel=1e-12)


def test_the_climb_never_falls_below_its_start():
    case = random_case()
    zeta = policies(case.mdp, case.theta)
    for kappa in (0, 1):
        hoods = [neighborhood(case.mdp.graph, j, kappa) for j in range(case.mdp.n)]
        Q = [q_function(case.mdp, case.V[j], j) for j in range(case.mdp.n)]
        means = [truncate(Q_j, hood, uniform_weights(Q_j.shape, hood)) for Q_j, hood in zip(Q, hoods, strict=True)]
        start = truncated_gradient_from(case.mdp, zeta, case.pi_theta, means, kappa)
        assert distance(climbed(case, zeta, kappa, start), case.gradient) >= distance(start, case.gradient)
    assert STARTS == ("uniform", "opposed")


# Row by row on three agents of different sizes, every term with its own size.

TRIO = random_mdp(
    build_graph({"family": "path", "n": 3}), seed=2, gamma=0.75, state_sizes=[2, 3, 4], action_sizes=[2, 2, 3]
)
EXACT = exact_case("trio", "gaussian 1", TRIO, gaussian_theta(TRIO, np.random.default_rng(1)))
COARSE = dataclasses.replace(EXACT, error=2.0**-9, D_error=2.0**-6, nabla_error=2.0**-8)


def test_every_row_by_hand(monkeypatch):
    """c = 4r̄, ρ = ¾; √3 for three blocks, the width of D, and the largest of three solves, each over √2(1-γ)."""
    solved, most = {2: 2.0**-7, 3: 2.0**-6, 4: 2.0**-5, 6: 2.0**-4, 12: 2.0**-3, 24: 2.0**-2}, (2.0**-5, 2.0**-2)
    monkeypatch.setattr(claim, "solve_error", lambda mdp, N: solved[N])
    block, r_bar, M = math.sqrt(3) * COARSE.gradient_error, TRIO.r_bar, score_sum_factor(0.75)
    zeta, gradients = policies(TRIO, COARSE.theta), truncated_gradients(COARSE)
    rows = list(check(COARSE))
    assert {(row.instance, row.policy, row.agent) for row in rows} == {("trio", "gaussian 1", 0)}
    families = [*FAMILIES, "climbed from uniform", "climbed from opposed"]
    for kappa in (0, 1):
        known = {
            "any weights": (COARSE.D[:, kappa].mean() / (math.sqrt(2) * 0.25), 2.0**-6 / (math.sqrt(2) * 0.25)),
            "worst case": (4 * r_bar * 0.75 ** (kappa + 1) / (math.sqrt(2) * 0.25), 0.0),
            "paper": (4 * r_bar * 0.75 ** (kappa + 1) * math.sqrt(6) / 0.25, 0.0),
            "natural weights": (r_bar * 0.75 ** (kappa + 2) * M / (2 * math.sqrt(2) * 0.25), 0.0),
            "TD's limit": (r_bar * 0.75 ** (kappa + 1) / (math.sqrt(2) / 16), most[kappa] / (math.sqrt(2) * 0.25)),
        }  # fmt: skip
        for variant, (right, off) in known.items():
            found = {row.case: row for row in rows if (row.kappa, row.hypothesis) == (kappa, variant)}
            assert sorted(found) == sorted({"natural weights": ["natural"], "TD's limit": [""]}.get(variant, families))
            for family, row in found.items():
                start = family.removeprefix("climbed from ")
                h_hat = gradients[kappa, start] if family else limit_direction(TRIO, COARSE.theta, kappa)
                h_hat = climbed(COARSE, zeta, kappa, h_hat) if start != family else h_hat
                squares = [float(((h - g) ** 2).sum()) for h, g in zip(h_hat, COARSE.gradient, strict=True)]
                assert row.left == pytest.approx(math.sqrt(sum(squares)), rel=1e-9)
                assert row.right == pytest.approx(right, rel=1e-12)
                assert row.error == pytest.approx(block + off, rel=1e-12)
    assert {row.kappa for row in rows} == {0, 1}


def test_large_tables_are_not_climbed(monkeypatch):
    """Q_j has 24 · 12 entries."""
    for most, climbs in ((288, 2), (287, 0)):
        monkeypatch.setattr(claim, "CLIMBED", most)
        found = {row.case for row in check(EXACT)}
        assert sum(name.startswith("climbed") for name in found) == climbs
        assert set(FAMILIES) < found


def test_networks_of_up_to_eight_binary_agents_are_climbed(monkeypatch):
    """2¹⁶ entries (s, a) of one Q_j, and no third state; gradients, climbs and critics stand still here."""
    for last, climbs in ((2, 2), (3, 0)):
        mdp = random_mdp(build_graph({"family": "path", "n": 8}), seed=0, state_sizes=[*[2] * 7, last])
        zero = tuple(np.zeros((S_i, 2)) for S_i in mdp.state_sizes)
        monkeypatch.setattr(claim, "truncated_gradients", lambda case, h=zero: {(0, start): h for start in STARTS})
        monkeypatch.setattr(claim, "climbed", lambda *args, h=zero: h)
        monkeypatch.setattr(claim, "critics", lambda case: ())
        case = SimpleNamespace(
            mdp=mdp, theta=zero, gradient=zero, gradient_error=0.0, D=np.ones((8, 1)), D_error=0.0, left=EXACT.left
        )
        assert sum(name.startswith("climbed") for name in {row.case for row in check(case)}) == climbs


def test_four_rounds_are_taken_of_a_climb_that_would_go_on(monkeypatch):
    graph = build_graph({"family": "path", "n": 3})
    mdp = random_mdp(graph, seed=34, gamma=0.75, concentration=0.2, state_sizes=[2] * 3, action_sizes=[3] * 3)
    case = exact_case("path", "gaussian 1", mdp, gaussian_theta(mdp, np.random.default_rng(34)))
    zeta, start = policies(mdp, case.theta), truncated_gradients(case)[1, "opposed"]
    four, h_hat = climbed(case, zeta, 1, start), start
    monkeypatch.setattr(claim, "ROUNDS", 1)
    away = []
    for _ in range(5):
        h_hat = climbed(case, zeta, 1, h_hat)
        away.append(distance(h_hat, four))
    assert away[3] <= 1e-12
    assert min(away[2], away[4]) > 1e-3


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_a_climb_by_hand(monkeypatch, rounds):
    """From ĥ, each round: every cell of N_j^κ takes the end of Q_j that raises ⟨ĥ - ∇J, ĥ'⟩ most."""
    monkeypatch.setattr(claim, "ROUNDS", rounds)
    zeta, kappa = policies(TRIO, EXACT.theta), 1
    h_hat = truncated_gradients(EXACT)[kappa, "uniform"]
    for _ in range(rounds):
        direction = [h - g for h, g in zip(h_hat, EXACT.gradient, strict=True)]
        best = []
        for j, hood in enumerate(((0, 1), (0, 1, 2), (1, 2))):
            Q_j = q_function(TRIO, EXACT.V[j], j)
            axes = outside_axes(hood, 3)
            low, high = Q_j.min(axis=axes, keepdims=True), Q_j.max(axis=axes, keepdims=True)
            table = low.copy()
            for cell in np.ndindex(*low.shape):
                # score_i(s_i, a_i) = e_{a_i} - ζ_i(·|s_i) in the row s_i, nothing elsewhere.
                worth = sum(
                    direction[i][cell[i], cell[3 + i]] - float(zeta[i][cell[i]] @ direction[i][cell[i]]) for i in hood
                )
                table[cell] = high[cell] if worth > 0 else low[cell]
            best.append(table)
        h_hat = truncated_gradient_from(TRIO, zeta, EXACT.pi_theta, best, kappa)
    found = climbed(EXACT, zeta, kappa, truncated_gradients(EXACT)[kappa, "uniform"])
    assert distance(found, h_hat) <= 1e-12


def test_where_a_climb_has_no_direction_it_takes_the_smallest_entries(monkeypatch):
    """From ∇J itself every cell is a tie, and what is taken there is told: ĥ of the smallest and largest differ."""
    monkeypatch.setattr(claim, "ROUNDS", 1)
    gradients = truncated_gradients(EXACT)
    found = climbed(EXACT, policies(TRIO, EXACT.theta), 1, EXACT.gradient)
    assert distance(found, gradients[1, "smallest"]) <= 1e-12
    assert distance(gradients[1, "smallest"], gradients[1, "largest"]) > 1e-3


def test_sums_of_scores_on_cells_by_hand():
    """Two agents of three, with length 1 on the axes of the one between."""
    along = [np.arange(4.0).reshape(2, 2), np.arange(6.0).reshape(3, 2) + 10, np.arange(6.0).reshape(2, 3) + 100]
    cells = claim._on_cells(along, (0, 2))
    assert cells.shape == (2, 1, 2, 2, 1, 3)
    assert all(cells[s, 0, t, a, 0, b] == along[0][s, a] + along[2][t, b] for s, t, a, b in np.ndindex(2, 2, 2, 3))


@pytest.mark.parametrize("variant", ["any weights", "natural weights"])
def test_the_worst_on_the_star_by_hand(variant):
    """The row of largest left/right on six agents at γ = .02, its right side times a factor."""
    row = worst(uniform_case(parity(6, gamma=0.02), "parity"), variant)
    assert list(claim.worst_on_the_star(variant, 0.25)) == [row._replace(right=0.25 * row.right)]
