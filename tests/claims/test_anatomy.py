"""The slack of Lemma 4 is a product of factors, each at most 1, each known by hand on the broadcast star."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings

from claims.instances import BROADCAST, random_case, uniform_case
from sacrepro.bounds.critic import theorem5_bias
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.gradient import STEPS
from sacrepro.instances import build
from sacrepro.study.claims import claim, lemma4
from sacrepro.study.claims.anatomy import FAMILIES, MOST_ENTRIES, check
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=20)
@given(cases(max_n=3))
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


def steps(rows, agent, kappa, family):
    """left/right of each step, in order."""
    own = [
        row for row in rows if (row.agent, row.kappa, row.case) == (agent, kappa, family) and row.hypothesis in STEPS
    ]
    assert tuple(row.hypothesis for row in own) == STEPS
    return own


def test_tight():
    """Solved by hand: at the hub of the broadcast, κ = 1, opposed weights, (n-2)/(4n) falls into factors.

    A fair coin has scores of norm √2/2, half of L_i; n-2 of n agents are off; they are off for one of two actions.
    Everything else, Lemma 3 included, is an equality there - so κ+2 in its exponent would make a step unsound.
    """
    n = BROADCAST.n
    kept = [row.left / row.right for row in steps(check(uniform_case(BROADCAST)), 0, 1, "opposed")]
    assert kept == pytest.approx([1.0, 1.0, 0.5, (n - 2) / n, 1.0, 0.5, 1.0, 1.0], rel=1e-9)


@pytest.mark.parametrize("family", ["path", "star"])
def test_the_product_is_the_ratio_of_lemma4(family):
    """The steps telescope: product of left/right = left/right of the claim `lemma4`, for every agent, κ and family."""
    case = random_case(family=family)
    rows = [row for row in check(case) if row.hypothesis in STEPS]
    compared = 0
    for whole in lemma4.check(case):
        if whole.hypothesis == "worst case" and whole.case in FAMILIES:
            own = steps(rows, whole.agent, whole.kappa, whole.case)
            assert own[0].right == whole.right
            assert own[-1].left == pytest.approx(whole.left, rel=1e-7, abs=whole.error)
            product = math.prod(row.left / row.right for row in own)
            assert product == pytest.approx(whole.left / whole.right, rel=1e-7, abs=whole.error / whole.right)
            compared += 1
    assert compared == len(rows) / len(STEPS) > 0


def test_necessary_exponent():
    rows = [row for row in check(uniform_case(BROADCAST)) if row.hypothesis == STEPS[1]]
    shrunk = [row._replace(right=row.right * BROADCAST.gamma) for row in rows]
    assert verdict("", "", "", rows).verdict == "tight"
    assert verdict("", "", "", shrunk).verdict == "violated"


def test_necessary_score_norm():
    """The step from L_i to the measured norm stops there: with a tenth of the norm the next steps are unsound."""
    rows = steps(check(uniform_case(BROADCAST)), 0, 1, "opposed")
    assert not holds(rows[6]._replace(right=rows[6].right / 10))


def test_the_reward_span_is_a_factor():
    """Rewards in [½, 1] have half of the span that r̄ = 1 allows."""
    mdp = build({"model": "sis", "graph": {"family": "path", "n": 3}, "gamma": 0.5, "health": 0.5, "cost": 0.0})
    rows = [row for row in check(uniform_case(mdp)) if row.hypothesis == STEPS[0]]
    assert {row.left / row.right for row in rows} == {1.0}
    lifted = type(mdp)(mdp.graph, mdp.P, tuple(r_i + 0.5 for r_i in mdp.r), mdp.gamma, mdp.pi0)
    rows = [row for row in check(uniform_case(lifted)) if row.hypothesis == STEPS[0]]
    assert {row.left / row.right for row in rows} == {0.5}


def test_large_models_are_skipped():
    kite = build({"model": "sis", "graph": {"family": "krackhardt_kite"}, "gamma": 0.7})
    assert 4**kite.n > MOST_ENTRIES


#: claim, variant and weights of the inequality that each chain takes apart.
CHAINS = {
    "lemma3": ("lemma3", "", ""),
    "truncation": ("truncation", "", "uniform"),
    "td_fixed_point": ("td_fixed_point", "paper", ""),
    "critic_sharp": ("critic_sharp", "paper", ""),
    "lemma4_sharp": ("lemma4_sharp", "natural weights", "natural"),
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("family", ["path", "star"])
def test_every_chain_runs_from_the_right_to_the_left_side_of_its_claim(name, family):
    """Its first right and last left are those of the claim, each left is the next right, so ratios multiply."""
    case = random_case(family=family)
    rows = [row for row in check(case) if row.hypothesis.startswith(f"{name}: ")]
    about, variant, weights = CHAINS[name]
    compared = 0
    for whole in claim(about).check(case):
        if whole.hypothesis != variant or whole.case != weights:
            continue
        own = [row for row in rows if (row.agent, row.kappa, row.case) == (whole.agent, whole.kappa, weights)]
        if not own:
            continue
        assert own[0].right == pytest.approx(whole.right, rel=1e-12)
        assert own[-1].left == pytest.approx(whole.left, rel=1e-9, abs=whole.error)
        assert all(a.left == b.right for a, b in pairwise(own))
        compared += 1
    assert compared > 0


def test_the_chain_of_9_starts_at_its_printed_bias():
    case = random_case()
    row = next(row for row in check(case) if row.hypothesis == "(9): 2/(1-γ)², by locality")
    c, rho = lemma3(case.mdp.r_bar, case.mdp.gamma)
    assert row.right == theorem5_bias(c, rho, 0, math.sqrt(2 * case.mdp.n), case.mdp.r_bar, case.mdp.gamma)
    assert row.right / row.left == pytest.approx(2 / (1 - case.mdp.gamma) ** 2)


def test_lemma3_loses_nothing_on_the_relay_and_one_factor_on_the_noisy_one():
    """Without noise every step is free; with it the starts meet, and (1-γ) ρ^{κ+1}/(γ^{κ+1}(1-ρ)) is the whole loss."""
    for noise in (0.0, 0.5):
        mdp = build({"model": "relay", "n": 4, "gamma": 0.9, "noise": noise})
        rows = [row for row in check(uniform_case(mdp)) if row.hypothesis.startswith("lemma3: ")]
        kept = [row.left / row.right for row in rows if (row.agent, row.kappa) == (3, 1)]
        rho = 0.9 * (1 - noise)
        assert kept == pytest.approx([1.0, 0.1 * rho**2 / (0.81 * (1 - rho)), 1.0], rel=1e-8)


def test_necessary_every_step_of_every_chain_is_measured():
    """A right side scaled by what a step keeps at worst, and a little more, is violated: no step is idle."""
    rows = list(check(random_case()))
    for step in {row.hypothesis for row in rows}:
        own = [row for row in rows if row.hypothesis == step and row.left > row.error]
        worst = max(row.left / row.right for row in own)
        assert not all(holds(row._replace(right=0.99 * worst * row.right)) for row in own), step
