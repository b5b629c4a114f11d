"""Wrong statements, planted on purpose: each must end in the verdict ``violated``, and its true sister must not."""

import dataclasses

import numpy as np
import pytest

from claims.instances import BROADCAST, RELAY, uniform_case
from sacrepro.bounds.decay import between_starts, definition2
from sacrepro.exact.dense import oscillation, q_function
from sacrepro.exact.truncation import outside_axes, truncate
from sacrepro.instances.extremal import latch
from sacrepro.instances.relay import relay
from sacrepro.model.graph import neighborhood
from sacrepro.study.audit import falsify
from sacrepro.study.audit.falsify import hidden, planted, plants, sides
from sacrepro.study.claims import (
    actions_one_hop_later,
    appendix_a,
    claim,
    influence,
    lemma3,
    lemma4,
    lemma4_sharp,
    light_cone,
    truncation,
)
from sacrepro.study.claims.definition2 import rooted, shifted_root
from sacrepro.study.claims.light_cone import narrower
from sacrepro.study.measures.truncation import point_mass_weights
from sacrepro.study.record.claim import MISTAKES, Plant, times
from sacrepro.study.record.comparison import Comparison, verdict

GAMMA = RELAY.gamma
RELAY_CASE = uniform_case(RELAY)
BROADCAST_CASE = uniform_case(BROADCAST)
NOISY_CASE = uniform_case(relay(4, gamma=GAMMA, noise=0.3))
LATCH_CASE = uniform_case(latch(4, 0.02))


@pytest.fixture(scope="module", autouse=True)
def nothing_kept():
    """What was measured before these tests does not answer for them."""
    falsify.case.cache_clear()
    falsify.checked.cache_clear()


def rows_of(claim, case, hypothesis=None):
    """The comparisons of one claim, all variants or one."""
    rows = [row for row in claim.check(case) if hypothesis in (None, row.hypothesis)]
    assert rows
    return rows


def scaled(rows, factor):
    """The rows with right sides multiplied by `factor`, a number or a function of the row."""
    return [row._replace(right=row.right * (factor(row) if callable(factor) else factor)) for row in rows]


def one_sided_decay():
    """The relay's D over neighborhoods that look one way: i … i+κ, away from where the bit comes from."""
    D = np.zeros_like(RELAY_CASE.D)
    for i in range(RELAY.n):
        Q_i = q_function(RELAY, RELAY_CASE.V[i], i)
        for kappa in range(D.shape[1]):
            D[i, kappa] = oscillation(Q_i, tuple(range(i, min(i + kappa, RELAY.n - 1) + 1))).max()
    return rows_of(lemma3, dataclasses.replace(RELAY_CASE, D=D))


def weights_of_total(total):
    """`truncation`'s comparisons of the relay for point masses on the largest entry, scaled to sum to `total`."""
    rows = []
    for row in rows_of(truncation, RELAY_CASE):
        if row.case == "largest":
            Q_i = q_function(RELAY, RELAY_CASE.V[row.agent], row.agent)
            hood = neighborhood(RELAY.graph, row.agent, row.kappa)
            w = total * point_mass_weights(Q_i, hood, largest=True)
            Q_hat_i = (w * Q_i).sum(axis=outside_axes(hood, RELAY.n), keepdims=True)
            rows.append(row._replace(left=float(np.abs(Q_hat_i - Q_i).max())))
    return rows


def noisy_rate_on_the_relay():
    """The rate ρ = γ(1-ε) of the noisy relay, in Lemma 3's place on the relay that never forgets."""
    c, rho = between_starts(1.0, 0.7, 1.0, GAMMA)
    return [row._replace(right=definition2(c, rho, row.kappa)) for row in rows_of(lemma3, RELAY_CASE)]


def noisy_hops():
    """The relay whose source keeps its bit while copies are redrawn with probability .3: D_{κ+1}(κ) = ρ^{κ+1}/(1-γ)."""
    mdp = relay(4, gamma=GAMMA, noise=0.3)
    return uniform_case(dataclasses.replace(mdp, P=(RELAY.P[0], *mdp.P[1:])))


def gamma_and_rho_swapped():
    """γ^{κ+1}/(1-ρ) for ρ^{κ+1}/(1-γ), ρ = .7γ, where the source is just outside."""
    rows = [row for row in rows_of(influence, noisy_hops(), "clipped series") if row.agent == row.kappa + 1]
    for row in rows:
        assert row.right == pytest.approx((0.7 * GAMMA) ** (row.kappa + 1) / (1 - GAMMA), rel=1e-9)
    return [row._replace(right=GAMMA ** (row.kappa + 1) / (1 - 0.7 * GAMMA)) for row in rows]


PLANTED = {
    "Lemma 3 with κ+2": lambda: scaled(rows_of(lemma3, RELAY_CASE), GAMMA),
    "Lemma 3 without 1/(1-γ)": lambda: scaled(rows_of(lemma3, RELAY_CASE), 1 - GAMMA),
    "Lemma 3 with half the reward range": lambda: scaled(rows_of(lemma3, RELAY_CASE), 0.5),
    "Lemma 3 with the rate of a chain that forgets": noisy_rate_on_the_relay,
    "Lemma 3 on neighborhoods that look one way": one_sided_decay,
    "truncation with κ+2": lambda: scaled(rows_of(truncation, RELAY_CASE), GAMMA),
    "weights that sum to 1.1": lambda: weights_of_total(1.1),
    "influence with κ+2": lambda: scaled(rows_of(influence, NOISY_CASE, "clipped series"), 0.7 * GAMMA),
    "influence without the rest of the series": lambda: scaled(
        rows_of(influence, NOISY_CASE, "closed form"), 1 - 0.7 * GAMMA
    ),
    "influence with γ and ρ swapped": gamma_and_rho_swapped,
    "Appendix A without its factor 2": lambda: scaled(rows_of(appendix_a, NOISY_CASE, "law to its limit"), 0.5),
    "Appendix A with m² for m": lambda: scaled(
        rows_of(appendix_a, NOISY_CASE, "laws of two starts"), lambda row: 0.7 ** (row.kappa + 1)
    ),
    "light cone with half its width": lambda: [
        row._replace(right=row.right - 0.5 * GAMMA**17 / (1 - GAMMA))
        for row in rows_of(light_cone, RELAY_CASE, "upper end")
        if row.case == "T=16"
    ],
    "actions two hops later": lambda: scaled(rows_of(actions_one_hop_later, LATCH_CASE), 0.02),
    "sharper Lemma 4 with κ+2": lambda: scaled(rows_of(lemma4_sharp, LATCH_CASE, "natural weights"), 0.02),
    "sharper Lemma 4 with a twentieth less than L_i": lambda: scaled(
        rows_of(lemma4_sharp, LATCH_CASE, "natural weights"), 0.95
    ),
    "Lemma 4 with a tenth of L_i": lambda: scaled(rows_of(lemma4, BROADCAST_CASE, "own hypothesis"), 0.1),
}

TRUE = {
    "Lemma 3": lambda: rows_of(lemma3, RELAY_CASE),
    "truncation": lambda: rows_of(truncation, RELAY_CASE),
    "weights that sum to 1": lambda: weights_of_total(1.0),
    "influence": lambda: rows_of(influence, NOISY_CASE),
    "Appendix A": lambda: rows_of(appendix_a, NOISY_CASE),
    "light cone": lambda: rows_of(light_cone, RELAY_CASE),
    "actions one hop later": lambda: rows_of(actions_one_hop_later, LATCH_CASE),
    "sharper Lemma 4": lambda: rows_of(lemma4_sharp, LATCH_CASE),
    "Lemma 4": lambda: rows_of(lemma4, BROADCAST_CASE),
    "influence on noisy hops": lambda: rows_of(influence, noisy_hops()),
}


@pytest.mark.parametrize("statement", PLANTED)
def test_planted(statement):
    judged = verdict("planted", "", "", PLANTED[statement]())
    assert judged.verdict == "violated", judged


@pytest.mark.parametrize("statement", TRUE)
def test_true(statement):
    assert verdict("true", "", "", TRUE[statement]()).verdict in {"holds", "tight"}


def test_weights_that_do_not_sum_to_one_are_refused_before_they_can_be_judged():
    Q_i = q_function(RELAY, RELAY_CASE.V[2], 2)
    hood = neighborhood(RELAY.graph, 2, 0)
    with pytest.raises(ValueError, match=r"eq. \(6\) asks for 1"):
        truncate(Q_i, hood, 1.1 * point_mass_weights(Q_i, hood, largest=True))


def test_a_broken_measurement_is_violated_too():
    """NaN is never consistent with left ≤ right."""
    rows = rows_of(lemma3, RELAY_CASE)
    assert verdict("planted", "", "", [rows[0]._replace(left=float("nan")), *rows[1:]]).verdict == "violated"


PLANTS = plants()


@pytest.mark.parametrize(("of", "plant"), PLANTS, ids=lambda own: own.name if hasattr(own, "check") else own.mistake)
def test_every_plant_is_caught_where_the_truth_holds(of, plant):
    row = planted(of, plant)
    assert row[:3] == (plant.mistake, of.name, plant.variant)
    assert row.truth in {"tight", "holds"}
    assert row.catches > 0
    assert row.ratio > 1.0
    assert row.caught == "yes"
    variants = {variant.name for variant in of.variants}
    assert plant.variant in variants
    if isinstance(plant.on, str):
        assert {row.hypothesis for row in falsify.checked(of.name, plant.on)} <= variants
    assert plant.mistake in MISTAKES


def test_every_mistake_is_planted_in_every_claim_or_said_to_be_hidden():
    """Each claim with an exponent, a factor, a score, neighborhoods or weights plants it, or excuses itself."""
    planted_in = {mistake: {of.name for of, plant in PLANTS if plant.mistake == mistake} for mistake in MISTAKES}
    excused = {mistake: {name for other, name, _ in hidden() if other == mistake} for mistake in MISTAKES}
    squared = {"theorem5_sharp"}
    decaying = {
        "definition2", "lemma3", "appendix_a", "influence", "light_cone", "actions_one_hop_later", "truncation",
        "lemma4", "lemma4_sharp", "lemma4_vector", "anatomy", "td_fixed_point", "critic_sharp",
        "critic",
    }  # fmt: skip
    assert planted_in["κ+2 for κ+1"] == decaying | squared
    assert excused["κ+2 for κ+1"] == {"theorem5", "vacuity"}
    # No claim of the paper beyond these, though one that somebody adds may.
    others = {"lemma1", "reward_radius", "theorem5_sharp", "assumption3", "complexity", "vacuity"}
    judged = (planted_in["1/(1-γ) left out"] | excused["1/(1-γ) left out"]) & (decaying | {"theorem5"} | others)
    assert judged == decaying | {"theorem5"}
    assert planted_in["L_i too small"] == {"lemma4", "lemma4_sharp", "lemma4_vector", "anatomy", "critic_sharp"}
    assert planted_in["weights sum to 1.1"] == {"truncation", "lemma4", "lemma4_sharp"}
    assert planted_in["γ and ρ swapped"] == {"influence", "lemma4"}
    assert len(planted_in["one-sided neighborhoods"]) == 7


def test_a_plant_that_changes_nothing_is_not_caught():
    """Nor is one whose true comparisons are violated: what is wrong anyway proves nothing about the mistake."""
    of, plant = PLANTS[0]
    true, wrong = sides(of, plant)
    for on, instead in ((true, true), (wrong, wrong), (true, [])):
        changed = plant._replace(on=lambda on=on: on, rows=lambda instead=instead: instead)
        assert planted(of, changed).caught == "no"


ROW = Comparison("relay", "uniform", "upper end", "T=3", 3, 1, 0.5, 2.0, 0.1)


def test_the_changes_do_what_they_say():
    """κ = 1 and T = 3: the width of the light cone is γ^4/(1-γ)."""
    assert times(0.25)(ROW) == ROW._replace(right=0.5)
    assert rooted(0.25)(ROW) == ROW._replace(left=1.0)
    assert shifted_root(ROW) == ROW._replace(left=0.5 ** (2 / 3))
    lost = 0.75 * 0.5**4 / 0.5
    assert narrower(0.25, 0.5)(ROW) == ROW._replace(right=2.0 - lost)
    assert narrower(0.25, 0.5)(ROW._replace(hypothesis="lower end", kappa=4)) == ROW._replace(
        hypothesis="lower end", kappa=4, left=0.5 + 0.75 * 0.5**5 / 0.5
    )


def test_plants_take_the_rows_of_their_reading():
    true, wrong = sides(claim("lemma3"), Plant("a mistake", "", "relay", times(0.5)))
    assert {row.instance for row in true} == {"relay"}
    assert [row.right for row in wrong] == [0.5 * row.right for row in true]
    one_sided = {
        plant.variant: plant for plant in claim("influence").plants if plant.mistake == "one-sided neighborhoods"
    }
    true, wrong = sides(claim("influence"), one_sided["own C^θ"])
    assert {row.hypothesis for row in true} == {row.hypothesis for row in wrong} == {"own C^θ"}
    assert [row.left for row in true] != [row.left for row in wrong]
    plain, sharp = (
        {plant.mistake: sides(of, plant) for plant in of.plants if not isinstance(plant.on, str)}
        for of in (claim("lemma4"), claim("lemma4_sharp"))
    )
    for mistake in ("weights sum to 1.1", "one-sided neighborhoods"):
        (true, wrong), (true_sharp, wrong_sharp) = plain[mistake], sharp[mistake]
        assert [row.left for row in true] == [row.left for row in true_sharp]
        assert [row.left for row in wrong] == [row.left for row in wrong_sharp] != [row.left for row in true]
        assert [row.right for row in wrong_sharp] == [row.right for row in true_sharp]


def test_all_plants_then_the_hidden_ones(monkeypatch):
    monkeypatch.setattr(falsify, "plants", lambda _: PLANTS[2:3])
    first, *excused = falsify.falsification()
    assert first == planted(*PLANTS[2])
    assert [(row.mistake, row.claim, row.reason) for row in excused] == hidden()
    for row in excused:
        assert (row.hypothesis, row.truth, row.comparisons, row.catches, row.where) == ("", "", 0, 0, "")
        assert np.isnan(row.ratio)
        assert row.caught == "hidden"
