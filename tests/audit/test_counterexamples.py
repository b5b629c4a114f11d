"""Every counterexample violates its sentence, by numbers known by hand, and one that does not fails the run."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest

from sacrepro.exact import q_function, td_fixed_point
from sacrepro.instances.extremal import NEXT_IS_ONE, td_witness
from sacrepro.model.policy import uniform_theta
from sacrepro.study.audit.falsify import false_sentences
from sacrepro.study.measures.fixed_points import solve, td_hull
from sacrepro.study.record.comparison import JUDGEMENTS, UNEARNED, holds

FALSE_SENTENCES = {sentence.key: sentence for sentence in false_sentences()}


@functools.cache
def rows_of(name):
    """The comparisons of a sentence."""
    return tuple(FALSE_SENTENCES[name].measured())


@pytest.mark.parametrize("sentence", FALSE_SENTENCES.values(), ids=FALSE_SENTENCES)
def test_every_comparison_of_a_false_sentence_is_violated(sentence):
    rows = rows_of(sentence.key)
    assert rows
    assert not any(holds(row) for row in rows)
    row = sentence.judged(rows)
    assert row.verdict == sentence.of.finding
    assert row.verdict not in JUDGEMENTS
    assert row.ratio > 1.0
    assert row.where


@pytest.mark.parametrize("sentence", FALSE_SENTENCES.values(), ids=FALSE_SENTENCES)
def test_a_verdict_must_be_earned(sentence):
    """One comparison that holds, or none at all, and the finding is gone."""
    rows = rows_of(sentence.key)
    assert sentence.judged([]).verdict == UNEARNED
    assert sentence.judged([*rows, rows[0]._replace(right=rows[0].left)]).verdict == UNEARNED
    assert sentence.judged([row._replace(error=2.0 * row.left) for row in rows]).verdict == UNEARNED


#: Solved by hand: the largest left/right.
RATIOS = {
    "lemma3: r_i ≤ r̄ and no more": 10.0,  # rewards in [-9, 1]
    "lemma3: |r_i| ≤ r̄": 2.0,
    "lemma3: κ+2": 1 / 0.9,
    "lemma3: two hops a step": 0.9**-2,  # κ = 3: two steps in place of four
    "lemma3: one-sided cells": 0.9**-2,  # κ = 2: one step in place of three
    "actions_one_hop_later: two hops later": 2.0,
    "lemma4: κ+2": 6 / (32 * 0.1),  # (n-2)/(4nγ)
    "lemma4: L_i = 1/4": 6 / 32 * math.sqrt(2) * 4,
    "influence: C^θ at once": 1.9,  # s_1 = a_0 two steps on, and again: γ + γ² where C^θ has γ
    "assumption3: any policy": 4.04,  # .01 over (1/4) · (1/101): noise ½, the rarer action
}
#: Measured once, to be what they were.
MEASURED = {
    "definition2: deterministic policies": 1.71383735,
    "appendix_a: c for 2c": 1.96372079,
    "truncation: weights sum to 1.1": 1.13717421,
    "lemma4: weights sum to 1.1": 2.59666667,
    "lemma4: one-sided sum": 5.20666666,
    "lemma4_vector: ½ for 1/√2": 1.40000001,
    "lemma4_vector: κ+3": 40.8995759,
    "td_fixed_point: the gap alone": 1.95415785,
    "td_fixed_point: the start alone": 1.92513647,
}


#: Agents of the relay of four with somebody before them, outside N_i^κ.
RELAYED = {(i, kappa) for i in range(4) for kappa in range(i)}
#: Where each counterexample is: instance, policies, what else is varied, and (agent, κ).
PLACES = {
    "definition2: deterministic policies": ("coin_lover", {"mixed"}, {""}, {(1, 0)}),
    "lemma3: r_i ≤ r̄ and no more": ("relay, r ∈ [-9, 1]", {"uniform"}, {""}, RELAYED),
    "lemma3: |r_i| ≤ r̄": ("relay, r ∈ [-1, 1]", {"uniform"}, {""}, RELAYED),
    "lemma3: κ+2": ("relay", {"uniform"}, {""}, RELAYED),
    "lemma3: two hops a step": (
        "long_range_relay",
        {"uniform"},
        {"cells of (1, 2, 3, 4)", "cells of (2, 3, 4)", "cells of (3, 4)"},
        {(4, 1), (4, 2), (4, 3)},
    ),
    "lemma3: one-sided cells": (
        "relay",
        {"uniform"},
        {"cells of (1, 2)", "cells of (1, 2, 3)", "cells of (2, 3)"},
        {(1, 1), (1, 2), (2, 1), (2, 2)},
    ),
    "appendix_a: c for 2c": ("noisy relay", {"uniform"}, {"m=0.7075"}, RELAYED),
    "influence: C^θ at once": ("signal", {"uniform"}, {""}, {(1, 0)}),
    "influence: κ = 10": ("non_normal", {"any"}, {"κ=10"}, {(1, 10)}),
    "actions_one_hop_later: two hops later": (
        "latch",
        {"uniform"},
        {"27 of 54 cells", "81 of 162 cells"},
        {(1, 1), (3, 3), (2, 2)},
    ),
    "truncation: weights sum to 1.1": ("relay", {"uniform"}, {"weights sum to 1.1"}, RELAYED),
    "lemma4: κ+2": ("broadcast", {"uniform"}, {"opposed"}, {(0, 1)}),
    "lemma4: L_i = 1/4": ("broadcast", {"uniform"}, {"opposed"}, {(0, 1)}),
    "lemma4: weights sum to 1.1": ("latch", {"uniform"}, {"weights sum to 1.1"}, {(0, 4)}),
    "lemma4: one-sided sum": ("latch", {"uniform"}, {"sum over (0,)"}, {(0, 4)}),
    "lemma4_vector: ½ for 1/√2": ("parity", {"uniform"}, {"climbed from uniform"}, {(0, 1)}),
    "lemma4_vector: κ+3": ("parity", {"uniform"}, {"natural"}, {(0, 0)}),
    "td_fixed_point: form (5)": ("td_witness", {"any"}, {"Q_0(1, ·) ∈ [8.6217, 8.6267], q*(1) = 7.5909"}, {(0, 0)}),
    "td_fixed_point: the gap alone": ("ladder", {"uniform"}, {""}, {(0, 0)}),
    "td_fixed_point: the start alone": ("ladder", {"uniform"}, {""}, {(0, 0)}),
    "critic: twice 1/p": (
        "rare_state",
        {"any"},
        {f"p={10.0**-k:g}, T={2 * 10**k}" for k in range(1, 7)},
        {(0, 0)},
    ),
    "theorem5_sharp: no bias": ("signal", {"uniform"}, {"M=100000"}, {(0, 0)}),
    "assumption3: any policy": (
        "noisy relay",
        {f"logit -{k} log 10" for k in (2, 4, 8, 16)},
        {f"σ={10.0**-k:g}, τ={tau}" for k in (2, 4, 8, 16) for tau in (2, 3, 9)},
        {(0, 0)},
    ),
    "assumption3: absorbing dynamics": (
        "relay",
        {"uniform"},
        {f"σ={10.0**-k:g}, τ={tau}" for k in (2, 4, 8, 16) for tau in (2, 3, 9)},
        {(0, 0)},
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_rows_say_where_they_were_made(name):
    rows = rows_of(name)
    instance, policies, cases, places = PLACES[name]
    assert {row.instance for row in rows} == {instance}
    assert {row.policy for row in rows} == policies
    assert {row.case for row in rows} == cases
    assert {(row.agent, row.kappa) for row in rows} == places
    assert {row.hypothesis for row in rows} == {name}


def test_every_counterexample_is_placed():
    assert set(PLACES) == set(FALSE_SENTENCES)


@pytest.mark.parametrize("name", RATIOS)
def test_ratios_known_by_hand(name):
    assert FALSE_SENTENCES[name].judged(rows_of(name)).ratio == pytest.approx(RATIOS[name], rel=1e-6)


@pytest.mark.parametrize("name", MEASURED)
def test_ratios_measured_before(name):
    rows = rows_of(name)
    assert max(row.left / row.right for row in rows) == pytest.approx(MEASURED[name], rel=1e-7)
    assert all(row.error < 1e-3 * row.left for row in rows)


def test_the_keys_are_unique():
    assert len(FALSE_SENTENCES) == len(false_sentences())


def test_rational_and_floating_arithmetic_agree_on_the_td_witness():
    mdp = td_witness()
    hull, q = td_hull(NEXT_IS_ONE, 0.9)
    Q = q_function(mdp, uniform_theta(mdp), 0)[1].ravel()
    np.testing.assert_allclose([float(x) for x in hull], Q, rtol=1e-9)
    assert td_fixed_point(mdp, uniform_theta(mdp), 0, 0).ravel()[1] == pytest.approx(float(q), rel=1e-9)
    assert all(isinstance(x, Fraction) for x in (*hull, q))


def test_elimination_pivots():
    """A zero on the diagonal: x + y = 3, y alone first."""
    assert solve([[Fraction(0), Fraction(2)], [Fraction(1), Fraction(1)]], [Fraction(4), Fraction(3)]) == [1, 2]
