"""The verdict: a comparison is judged against its certified error and nothing else."""

import math

import numpy as np
import pytest

from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.record.comparison import (
    Comparison,
    by_hypothesis,
    excess_of,
    excess_text,
    factor_text,
    ratio_text,
    verdict,
)
from sacrepro.study.report.table import COUNTEREXAMPLES, between_markers, markdown_table, summary_table


def row(left, right, error=0.01, **fields):
    values = {"instance": "a", "policy": "uniform", "hypothesis": "", "case": "", "agent": 0, "kappa": 0} | fields
    return Comparison(**values, left=left, right=right, error=error)


@pytest.mark.parametrize(
    ("rows", "judged", "violations"),
    [
        ([row(1.0, 2.0)], "holds", 0),
        ([row(1.0, 2.0), row(2.0, 2.005)], "tight", 0),
        ([row(2.005, 2.0)], "tight", 0),
        ([row(2.02, 2.0)], "violated", 1),
        ([row(1.0, 2.0), row(3.0, 2.0), row(9.0, 2.0)], "violated", 2),
        ([row(math.nan, 2.0)], "violated", 1),
        ([row(1.0, math.nan)], "violated", 1),
        ([row(0.005, 0.0)], "holds", 0),
        ([row(0.02, 0.0)], "violated", 1),
        ([], "vacuous", 0),
    ],
)
def test_verdict(rows, judged, violations):
    result = verdict("lemma9", "", "", rows)
    assert (result.verdict, result.violations, result.comparisons) == (judged, violations, len(rows))


def test_the_worst_ratio_is_named():
    rows = [row(1.0, 4.0), row(3.0, 4.0, agent=2, kappa=1, instance="kite", case="natural"), row(5e-3, 1e-3)]
    result = verdict("lemma9", "", "", rows)
    assert result.ratio == 0.75  # the last right side is below its certificate and says nothing
    assert result.where == "kite, θ uniform, agent 2, κ=1 natural"
    assert result.instances == 2
    assert result.certificate == 0.01


def test_each_reading_of_the_right_side_is_judged_by_itself():
    rows = [row(1.0, 2.0, hypothesis="x"), row(3.0, 2.0, hypothesis="y"), row(1.0, 3.0, hypothesis="x")]
    assert [len(group) for group in by_hypothesis(rows)] == [2, 1]


def test_the_table_escapes_bars():
    table = markdown_table([verdict("lemma9", "|Q| ≤ c", "Lemma 9", [row(1.0, 2.0)])])
    assert table.splitlines()[2].startswith("| `lemma9` |  | \\|Q\\| ≤ c | Lemma 9 | 1 | 1 | 1 | 0 | 0.5 |")


def test_every_claim_is_known_by_name():
    for name in CLAIMS:
        found = claim(name)
        assert found.name == name
        assert found.statement
        assert found.reference
    with pytest.raises(ValueError, match="unknown claim 'lemma9'; known are lemma1"):
        claim("lemma9")


def test_the_table_takes_its_place_between_the_markers():
    text = "a\n<!-- claims -->\nold\n<!-- /claims -->\nb\n"
    assert between_markers(text, "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="expected the lines <!-- claims -->"):
        between_markers("a\n", "new\n")


def test_the_summary_has_one_line_a_claim():
    rows = [
        verdict("lemma9", "x ≤ y", "Lemma 9", [row(1.0, 2.0, hypothesis="a"), row(1.0, 4.0, hypothesis="a")]),
        verdict("lemma9", "x ≤ y", "Lemma 9", [row(3.0, 2.0, hypothesis="b")]),
    ]
    line = (
        "| `lemma9` | x ≤ y | Lemma 9 | 1 | 3 | 3 | 1 | a: **holds**, 0.5<br>b: **violated**, 1.5 | <details><summary>a"
        "</summary>a: a, θ uniform, agent 0, κ=0<br>b: a, θ uniform, agent 0, κ=0</details> | 0.01 "
        "| `figures/lemma9.svg` |"
    )
    assert summary_table(rows).splitlines()[2:] == [line]
    false = rows[1]._replace(verdict="false as written")
    assert summary_table([*rows, false]).splitlines()[2:4] == [line, ""]
    assert summary_table([*rows, false]).splitlines()[-1] == (
        "| x ≤ y | Lemma 9 | **false as written** | 1.5 | a, θ uniform, agent 0, κ=0 | 0.01 | `lemma9` |"
    )


def test_many_readings_are_folded_behind_their_counts():
    rows = [verdict("lemma9", "", "", [row(1.0, 2.0, hypothesis=name)]) for name in "abcdef"]
    assert "variants" not in summary_table(rows)
    rows.append(verdict("lemma9", "", "", [row(2.0, 2.0, hypothesis="g")]))
    assert "<summary>7 variants: 1 **tight**, 6 **holds**</summary>a: **holds**, 0.5<br>" in summary_table(rows)


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.0, "1"), (0.9999997, "1 - 3e-07"), (0.5, "0.5"), (1.2346, "1.23"), (np.inf, "inf")]
)
def test_a_ratio_below_one_never_reads_one(ratio, text):
    assert ratio_text(ratio) == text


def test_what_constrains_is_counted_apart():
    rows = [row(1.0, 2.0), row(0.0, 0.0), row(1.0, np.inf), row(1.0, 3.0, trivial=3.0), row(1.0, 2.9, trivial=3.0)]
    found = verdict("lemma9", "x ≤ y", "Lemma 9", rows)
    assert (found.comparisons, found.constraining, found.ratio) == (5, 2, 0.5)


def test_what_says_nothing_says_by_what_factor():
    """At or above the trivial bound a right side is true and useless: vacuous, never tight; violated if exceeded."""
    rows = [row(3.0, 9e4, trivial=3.0), row(2.0, 2468.0, trivial=2.0), row(0.0, 0.0, trivial=0.0)]
    found = verdict("lemma9", "x ≤ y", "Lemma 9", rows)
    assert (found.verdict, found.constraining, found.excess) == ("vacuous", 0, 1234.0)
    assert "**vacuous**, at least 1,200 times the trivial bound" in summary_table([found])
    told = {factor: factor_text(factor) for factor in (1.0, 1.2, 3.99, 99.99, 928.25, 12999.0, 1.2e9)}
    assert list(told.values()) == ["1", "1.2", "3.9", "99", "920", "12,000", "1,200,000,000"]
    assert verdict("lemma9", "", "", [row(2.0, 2.0, trivial=2.0)]).verdict == "vacuous"
    assert verdict("lemma9", "", "", [row(2.1, 2.0, trivial=2.0)]).verdict == "violated"
    assert math.isnan(verdict("lemma9", "", "", [row(1.0, 2.0)]).excess)


def test_the_whole_table():
    """Every line: headings, a tight claim, an identity, and a right side that says nothing."""
    rows = [
        verdict("lemma9", "x ≤ y", "Lemma 9", [row(1.23456, 2.0, instance="b"), row(2.0, 2.0)]),
        verdict("lemma8", "x = 0", "Lemma 8", [row(0.0, 0.0)]),
        verdict("lemma7", "x ≤ z", "Lemma 7", [row(1.0, 34.0, trivial=10.0)]),
    ]
    assert markdown_table(rows) == (
        "| claim | right side | statement | paper | instances | comparisons | constraining | violations "
        "| largest left/right | where | verdict |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| `lemma9` |  | x ≤ y | Lemma 9 | 2 | 2 | 2 | 0 | 1 | a, θ uniform, agent 0, κ=0 | **tight** |\n"
        "| `lemma8` |  | x = 0 | Lemma 8 | 1 | 1 | 0 | 0 | identity |  | **holds** |\n"
        "| `lemma7` |  | x ≤ z | Lemma 7 | 1 | 1 | 0 | 0 | - |  | **vacuous** |\n"
    )
    assert markdown_table([rows[0]._replace(ratio=0.123456)]).splitlines()[2].split(" | ")[8] == "0.1235"


def test_the_whole_summary():
    """Headings, claims with and without names of variants, and the counterexamples below."""
    rows = [
        verdict("lemma9", "x ≤ y", "Lemma 9", [row(1.0, 2.0)]),
        verdict("lemma8", "x = 0", "Lemma 8", [row(0.0, 0.0)]),
        verdict("lemma7", "x ≤ z", "Lemma 7", [row(1.0, 34.0, trivial=10.0)]),
        verdict("sentence", "x ≤ w", "p. 1", [row(3.0, 2.0)])._replace(verdict="false as written"),
    ]
    assert summary_table(rows) == (
        "| claim | statement | paper | instances | comparisons | constraining | violations "
        "| verdict, largest left/right | worst at | certificate | figure |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| `lemma9` | x ≤ y | Lemma 9 | 1 | 1 | 1 | 0 | **holds**, 0.5 | <details><summary>a</summary>a, θ uniform, "
        "agent 0, κ=0</details> | 0.01 | `figures/lemma9.svg` |\n"
        "| `lemma8` | x = 0 | Lemma 8 | 1 | 1 | 0 | 0 | **holds** |  | 0.01 | `figures/lemma8.svg` |\n"
        "| `lemma7` | x ≤ z | Lemma 7 | 1 | 1 | 0 | 0 | **vacuous**, at least 3.4 times the trivial bound |  | 0.01 "
        "| `figures/lemma7.svg` |\n"
        f"\n{COUNTEREXAMPLES}\n\n"
        "| sentence | paper | verdict | left/right | attained at | certificate | statement |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| x ≤ w | p. 1 | **false as written** | 1.5 | a, θ uniform, agent 0, κ=0 | 0.01 | `sentence` |\n"
    )


def test_both_markers_must_stand_once():
    for text in ("<!-- claims -->\n", "<!-- /claims -->\n", 2 * "<!-- claims -->\n<!-- /claims -->\n"):
        with pytest.raises(ValueError, match="once each"):
            between_markers(text, "new\n")


def test_readings_are_named_in_order_and_ends_count():
    rows = [row(1.0, 2.0, hypothesis="b"), row(1.0, 2.0, hypothesis="a")]
    assert verdict("lemma9", "", "", rows).hypothesis == "a, b"
    assert [[r.hypothesis for r in group] for group in by_hypothesis([*rows, rows[0]])] == [["b", "b"], ["a"]]
    assert verdict("lemma9", "", "", [row(2.5, 2.0, error=0.5)]).verdict == "tight"
    assert verdict("lemma9", "", "", [row(0.25, 0.5, error=0.5)]).verdict == "vacuous"
    assert excess_of([row(1.0, 2.0, trivial=0.5), row(1.0, 2.0)]) == 4.0
    assert excess_text(verdict("lemma9", "", "", [row(1.0, 2.0, trivial=4.0)])) == ""
    assert excess_text(verdict("lemma9", "", "", [row(1.0, 2.0, trivial=2.0)])) == (
        "at least 1 times the trivial bound"
    )
