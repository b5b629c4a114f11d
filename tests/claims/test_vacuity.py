"""From which κ on the bounds say anything: the thresholds, the trivial bounds, and the verdict `vacuous`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from claims.instances import random_case, uniform_case
from sacrepro.bounds.critic import theorem5_bias, theorem5_bias_sharp
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import lemma4, natural_weights_error, score_sum_factor
from sacrepro.bounds.theorem5 import least_kappa, steepest, steepest_for_agent
from sacrepro.instances import build
from sacrepro.instances.graphs import path
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.policy import SCORE_BOUND
from sacrepro.study.claims.vacuity import SHARPER, check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases

VARIANTS = {variant + mark for variant in ("ε_κ of (9)", "ε_κ, sharp bias", "Lemma 4") for mark in ("", SHARPER)}


@settings(max_examples=25)
@given(cases(max_n=3))
def test_holds(case):
    exact = exact_case("random", "drawn", *case)
    assert all(holds(row) for row in check(exact))
    mdp = case[0]
    for i, block in enumerate(exact.gradient):
        size = steepest_for_agent(sphere_sizes(mdp.graph, i), mdp.n, SCORE_BOUND, mdp.r_bar, mdp.gamma)
        assert np.linalg.norm(block) <= size + exact.gradient_error


@pytest.mark.parametrize(
    ("gamma", "printed", "sharp", "eight"), [(0.5, 5, 2, 3), (0.7, 13, 5, 5), (0.9, 67, 17, 19), (0.99, 1163, 178, 206)]
)
def test_tight(gamma, printed, sharp, eight):
    """ε_κ passes the trivial bound exactly where 12 γ^{κ+1} < (1-γ)², sharpened 6 γ^{κ+1} < 1 (or 8)."""
    c, rho = lemma3(1.0, gamma)
    trivial = steepest(1.0, 1.0, gamma) ** 2
    assert least_kappa(lambda kappa: theorem5_bias(c, rho, kappa, 1.0, 1.0, gamma), trivial) == printed
    assert least_kappa(lambda kappa: theorem5_bias_sharp(kappa, 1.0, 1.0, gamma), trivial) == sharp
    assert least_kappa(lambda kappa: theorem5_bias_sharp(kappa, 1.0, 1.0, gamma) * 8 / 6, trivial) == eight
    assert printed == math.floor(math.log((1 - gamma) ** 2 / 12, gamma))


def test_lemma4_on_a_path_of_100():
    """The middle agent's gradient is so small that Lemma 4 says nothing below κ = 10 at γ = .7."""
    c, rho = lemma3(1.0, 0.7)
    trivial = steepest_for_agent(sphere_sizes(path(100), 50), 100, SCORE_BOUND, 1.0, 0.7)
    assert least_kappa(lambda kappa: lemma4(c, rho, kappa, SCORE_BOUND, 0.7), trivial) == 10


def test_necessary():
    """An agent's own reward feels its action at once: with γ^{d+1} for d = 0 as well the bound fails at γ = 0."""
    spec = {"model": "sis", "graph": {"family": "path", "n": 3}, "gamma": 0.0, "health": 0.0, "cost": 1.0}
    mdp = build({**spec, "initially_infected": 1.0})
    norm = np.linalg.norm(uniform_case(mdp).gradient[0])
    spheres = sphere_sizes(mdp.graph, 0)
    assert norm == pytest.approx(steepest_for_agent(spheres, 3, SCORE_BOUND, 1.0, 0.0) / 2)
    later = SCORE_BOUND / (2 * 3) * sum(size * 0.0 ** (d + 1) for d, size in enumerate(spheres))
    assert norm > later


def test_a_bound_above_the_trivial_one_is_vacuous():
    """At γ = .9 on five agents all of (9) is above the trivial bound; at γ = 0.2 on a path the sharp one is not."""
    groups = by_hypothesis(list(check(random_case(gamma=0.9))))
    judged = {rows[0].hypothesis: verdict("vacuity", "", "", rows).verdict for rows in groups}
    assert judged.pop("squared bias") == "holds"
    assert judged == dict.fromkeys(VARIANTS | {"squared bias, sharper ‖∇J‖"}, "vacuous")
    rows = list(check(random_case(family="path", gamma=0.2)))
    judged = {group[0].hypothesis: verdict("vacuity", "", "", group) for group in by_hypothesis(rows)}
    assert {name for name in judged if judged[name].verdict == "vacuous"} == {
        "ε_κ of (9), sharper ‖∇J‖",
        "ε_κ, influence",  # μ > 1: at γ = .2 a rate above γ
        "ε_κ, influence, sharper ‖∇J‖",
    }
    assert all(0 < row.ratio < 1 for row in judged.values() if row.verdict == "holds")
    assert {row.case for row in rows if row.hypothesis == "ε_κ of (9)"} == {"from κ=1"}
    for row in rows:
        assert (row.right < row.trivial) == (row.kappa >= int(row.case.removeprefix("from κ=")))
        assert row.left <= row.trivial + row.error


@pytest.mark.parametrize("gamma", [0.2, 0.5, 0.9])
def test_the_sharper_trivial_bounds_ask_for_more(gamma):
    """ε_κ passes r̄²/(8(1-γ)³) where 192nγ^{κ+1} < (1-γ)³, or 96nγ^{κ+1} < 1-γ; Lemma 4 half of before at most."""
    case = random_case(family="path", gamma=gamma)
    n, rows = case.mdp.n, list(check(case))
    for variant, factor in (("ε_κ of (9)", (1 - gamma) ** 3 / 192), ("ε_κ, sharp bias", (1 - gamma) / 96)):
        first = math.floor(math.log(factor / n, gamma))
        assert {row.case for row in rows if row.hypothesis == variant + SHARPER} == {f"from κ={first}"}
    for i in range(n):
        both = [
            {row.trivial for row in rows if row.hypothesis == variant and row.agent == i}
            for variant in ("Lemma 4", "Lemma 4" + SHARPER)
        ]
        spheres = sphere_sizes(case.mdp.graph, i)
        assert both[1] == {natural_weights_error(spheres, -1, n, gamma, case.mdp.r_bar)}
        assert both[1].pop() == pytest.approx(both[0].pop() * (1 - gamma) * score_sum_factor(gamma) / 2)


def test_agents_that_cannot_matter_never_get_a_bound():
    case = uniform_case(
        build({"model": "sis", "graph": {"family": "path", "n": 2}, "gamma": 0.5, "health": 0.0, "cost": 0.0})
    )
    assert {row.case for row in check(case)} == {"never"}
    with pytest.raises(ValueError, match="above 0"):
        least_kappa(lambda kappa: 1.0, 0.0)


@pytest.mark.parametrize("gamma", [0.3, 0.5, 0.7, 0.9])
def test_the_squared_bias_says_something_for_every_n(gamma):
    """It is below r̄²/(8(1-γ)³) exactly where 4γ^{2κ+2} < 1-γ, with no n in it."""
    for n in (3, 6):
        case = uniform_case(random_mdp(path(n), seed=1, gamma=gamma))
        rows = [row for row in check(case) if row.hypothesis == "squared bias" + SHARPER]
        first = next(kappa for kappa in range(99) if 4 * gamma ** (2 * kappa + 2) < 1 - gamma)
        assert {row.case for row in rows} == {f"from κ={first}"}
        assert all(holds(row) for row in rows)


def test_the_influence_matrix_certifies_a_smaller_rate():
    """Row sums of .7: ρ = .63 and c = r̄/.37 in ε_κ; where γμ ≥ 1 there is no such variant."""
    case = uniform_case(build({"model": "relay", "n": 4, "gamma": 0.9, "noise": 0.3}))
    row = next(row for row in check(case) if (row.hypothesis, row.kappa) == ("ε_κ, influence", 1))
    L = SCORE_BOUND * 2.0
    assert row.right == pytest.approx(theorem5_bias(1 / 0.37, 0.63, 1, L, 1.0, 0.9), rel=1e-12)
    assert not [row for row in check(random_case(gamma=0.9)) if row.hypothesis.startswith("ε_κ, influence")]
