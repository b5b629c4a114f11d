"""The README's findings say what the verdicts say, or stop the run."""

import math
import re
from pathlib import Path

import pytest

from sacrepro.archive.files import write_rows
from sacrepro.cli import main
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.experiments.exact_bias import BiasRow
from sacrepro.study.experiments.locality import LocalityRow
from sacrepro.study.record.comparison import Verdict
from sacrepro.study.report.findings import FINDINGS, findings, front_page, kappa_table, sections
from sacrepro.study.report.table import BY_SEARCH

README = Path(__file__).parents[2] / "README.md"


def row(claim, variant="", verdict="holds", ratio=0.5, excess=math.nan, statement="x ≤ y"):
    return Verdict(claim, variant, statement, "", 1, 1, 1, 0, ratio, "", excess, 0.0, verdict, f"{claim}.svg")


def bearing(claim, variant, verdict):
    """A row that bears a finding out, as `Finding.rests_on` asks for it; of counterexamples the sentence counts."""
    if claim == "!":
        return row("assumption3", "", verdict, 10.0, statement=f"{variant} …")
    own = row(claim, variant, verdict, *((math.nan, 7654.0) if verdict == "vacuous" else (0.8125, math.nan)))
    return own._replace(where="well_explored, agent 1, κ=0 T=10000000")


ROWS = [bearing(*place, expected[0]) for finding in FINDINGS for place, expected in finding.rests_on.items()]
PLACES = [place for finding in FINDINGS for place in finding.rests_on]


def test_numbers_come_from_the_rows():
    text = findings(ROWS)
    assert "attained up to a factor 0.812 with" in text
    assert "the right side of (9) is at least 7,600 times a bound on ‖∇J‖² that holds at every θ" in text
    assert "from κ = 1, 3, 6, 17 on at γ = .5, .7, .8, .9" in text
    assert "any factor is possible (10 in the run)" in text
    assert "r̄γ^{κ+1}/(1−γ)" in text
    assert "left/right is 0.812 at most, at T = 10,000,000. With its proof written out" in text
    assert "less than 1/37 of it" in text
    assert text.count("\n") == len(FINDINGS) <= 7


@pytest.mark.parametrize("place", range(len(ROWS)))
@pytest.mark.parametrize("other", ["violated", "fails without locality"])
def test_a_finding_that_is_no_longer_true_is_refused(place, other):
    rows = [*ROWS[:place], ROWS[place]._replace(verdict=other), *ROWS[place + 1 :]]
    with pytest.raises(ValueError, match=re.escape(f"for {', '.join(PLACES[place])}".removesuffix(", "))):
        findings(rows)


@pytest.mark.parametrize("place", [k for k, own in enumerate(ROWS) if own.verdict in ("tight", "holds", "vacuous")])
def test_a_number_that_the_run_does_not_have_is_never_nan(place):
    """An identity has no left/right, and without a trivial bound nothing is so many times above it."""
    own = ROWS[place]
    rows = [*ROWS[:place], own._replace(ratio=math.nan, excess=math.nan), *ROWS[place + 1 :]]
    if any(f"{{{own.claim}/{own.hypothesis}}}" in finding.text for finding in FINDINGS):
        with pytest.raises(ValueError, match=re.escape(f"a number for {own.claim}/{own.hypothesis}, got none")):
            findings(rows)
    else:
        assert "nan" not in findings(rows)


def test_the_front_page_has_a_line_a_claim():
    page = front_page([*ROWS, row("lemma3", "another", "tight", 1.0)], dict.fromkeys(CLAIMS, "on paper"))
    assert f"| claim | in words | verdict | largest left/right on the study's instances ({BY_SEARCH}) | proof |" in page
    assert f"| verdict | largest left/right on the study's instances ({BY_SEARCH}) | proof |" in README.read_text()
    lemma3, theorem5 = (f"| [`{name}`](paper/verdicts.md#{name}) |" for name in ("lemma3", "theorem5"))
    assert f"{lemma3} {claim('lemma3').words} | 2 **tight** | 1 | on paper |" in page
    told = "1 **tight** (T of (8)), 2 **vacuous** ((9); (9) along runs) | 0.812"
    assert f"{theorem5} {claim('theorem5').words} | {told} | on paper |" in page


def bias_row(kappa, T, bias, best, limit=0.002, instance="trio"):
    return BiasRow(instance, kappa, T, bias, 1e-9, limit, 0.5, best, 0.4)


BIAS = [
    bias_row(0, 10, 0.1, 1),
    bias_row(0, 3000, 0.0123, 0),
    bias_row(1, 10, 0.2, 0, 1e-16),
    bias_row(1, 3000, 0.004, 1),
]


def test_kappa_against_T_is_in_per_cent_of_the_gradient_and_the_closest_is_bold():
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in kappa_table(BIAS).splitlines()[2:]]
    assert table[0] == ["κ on `trio`", "T = 10", "T = 3,000", "T → ∞"]
    assert table[2:] == [["κ = 0", "**20 %**", "2.5 %", "0.4 %"], ["κ = 1", "40 %", "**0.8 %**", "0"]]
    with pytest.raises(ValueError, match="of one instance, not of other, trio"):
        kappa_table([*BIAS, bias_row(0, 10, 0.1, 1, instance="other")])


def test_the_front_page_keeps_kappa_against_T_where_no_rows_are_given(tmp_path):
    page, claims, rows = (str(tmp_path / name) for name in ("page.md", "claims.csv", "trio.csv"))
    Path(page).write_text("before\n<!-- claims -->\nold\n<!-- /claims -->\nafter\n")
    write_rows(claims, Verdict, ROWS)
    write_rows(rows, BiasRow, BIAS)
    main(["readme", claims, page])
    assert "κ against T" not in Path(page).read_text()
    main(["readme", claims, page, "--rows", rows])
    text = Path(page).read_text()
    assert kappa_table(BIAS) in text
    assert text.index("What κ buys") < text.index("κ against T") < text.index("| claim |")
    main(["readme", claims, page])
    assert Path(page).read_text() == text


def test_a_number_of_steps_that_no_row_tells_is_refused():
    rows = [own._replace(where="well_explored, agent 1") for own in ROWS]
    with pytest.raises(ValueError, match=r"a number for \^critic/paper, got none"):
        findings(rows)


def test_what_locality_costs_is_read_off_its_rows_and_kept(tmp_path):
    page, claims, rows = (str(tmp_path / name) for name in ("page.md", "claims.csv", "locality.csv"))
    Path(page).write_text("before\n<!-- claims -->\nold\n<!-- /claims -->\nafter\n")
    write_rows(claims, Verdict, ROWS)
    ends = {"best joint": (0.0, 0.0), "best localized": (0.5, 0.0), "uniform": (2.0, 1.5), "SAC": (1.5, 1.0)}
    made = [LocalityRow("a", who, 0, 1, 3.0 - x, 0.0, 0.0, x, x, y, y) for who, (x, y) in ends.items()]
    write_rows(rows, LocalityRow, made)
    main(["readme", claims, page, "--rows", rows])
    text = Path(page).read_text()
    assert "What locality costs: on 1 of 1 small networks the best joint policy" in text
    assert "is at most 25% of what the joint policy gains over the uniform one. SAC ran on 1 of the networks" in text
    assert "fell short by more, 50% of that gain (Section 6" in text
    main(["readme", claims, page])
    assert Path(page).read_text() == text
    write_rows(rows, LocalityRow, [*made[:3], made[3]._replace(localized_low=0.25)])
    with pytest.raises(ValueError, match="what locality costs wants SAC leaves more for locality, got SAC does not"):
        main(["readme", claims, page, "--rows", rows])


def test_the_page_of_verdicts_has_a_section_a_claim_with_everything_that_the_rows_say():
    rows = [
        Verdict("lemma3", "", "D ≤ c", "Lemma 3", 3, 1200, 7, 0, 1.0, "relay, κ=0", math.nan, 6e-10, "tight", ""),
        Verdict("theorem5", "a|b", "", "", 2, 30, 20, 1, 1.23456, "ring, κ=1", math.nan, 2e-8, "violated", ""),
        Verdict("theorem5", "(9)", "", "", 4, 5, 0, 0, math.nan, "", 12999.0, 3e-8, "vacuous", ""),
        Verdict("lemma3", "x", "|D| ≤ 1", "p. 3", 1, 1, 1, 1, 11.342, "κ=2", math.nan, 4e-12, "false as written", ""),
    ]  # fmt: skip
    lemma3, theorem5 = claim("lemma3"), claim("theorem5")
    assert (
        sections(rows, {"lemma3": "machine-checked"})
        == f"""\
[lemma3](#lemma3) · [theorem5](#theorem5)

## lemma3

{lemma3.words} ({lemma3.reference}):

> {lemma3.statement}

1,200 comparisons on 3 instances, 7 constraining; 0 violations. Proof: machine-checked. Figure: `figures/lemma3.svg`. \
[Check, tests, command](claims.md#lemma3).

| verdict | largest left/right | where | certificate |
| --- | --- | --- | --- |
| **tight** | 1 | relay, κ=0 | 6e-10 |

Counterexamples:

* |D| ≤ 1 (p. 3): **false as written**, left/right 11.34 at κ=2; certificate 4e-12

## theorem5

{theorem5.words} ({theorem5.reference}):

> {theorem5.statement}

35 comparisons on 4 instances, 20 constraining; 1 violations. Figure: `figures/theorem5.svg`. \
[Check, tests, command](claims.md#theorem5).

| variant | verdict | largest left/right | where | certificate |
| --- | --- | --- | --- | --- |
| a\\|b | **violated** | 1.235 | ring, κ=1 | 2e-08 |
| (9) | **vacuous** | at least 12,000 times the trivial bound |  | 3e-08 |
"""
    )


def test_a_page_called_verdicts_gets_all_of_them_and_no_findings(tmp_path):
    page, claims = tmp_path / "verdicts.md", str(tmp_path / "claims.csv")
    page.write_text("before\n<!-- claims -->\nold\n<!-- /claims -->\nafter\n")
    write_rows(claims, Verdict, [row("lemma3")])  # which bears out no finding
    main(["readme", claims, str(page)])
    shown = sections([row("lemma3")], {})
    assert page.read_text() == f"before\n<!-- claims -->\n{shown}<!-- /claims -->\nafter\n"
    with pytest.raises(ValueError, match=r"--rows: κ against T stands beside findings, and .*verdicts.md has none"):
        main(["readme", claims, str(page), "--rows", claims])
