"""The README's findings say what the verdicts say, or stop the run."""

import math
import re

import pytest

from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.record.comparison import Verdict
from sacrepro.study.report.table import FINDINGS, findings, front_page


def row(claim, variant="", verdict="holds", ratio=0.5, excess=math.nan, statement="x ≤ y"):
    return Verdict(claim, variant, statement, "", 1, 1, 1, 0, ratio, "", excess, 0.0, verdict, f"{claim}.svg")


def bearing(claim, variant, verdict):
    """A row that bears a finding out, as `Finding.rests_on` asks for it; of counterexamples the sentence counts."""
    if claim == "!":
        return row("assumption3", "", verdict, 10.0, statement=f"{variant} …")
    return row(claim, variant, verdict, *((math.nan, 7654.0) if verdict == "vacuous" else (0.8125, math.nan)))


ROWS = [bearing(*place, expected[0]) for finding in FINDINGS for place, expected in finding.rests_on.items()]
PLACES = [place for finding in FINDINGS for place in finding.rests_on]


def test_numbers_come_from_the_rows():
    text = findings(ROWS)
    assert "attained up to a factor 0.812 with" in text
    assert "the right side of (9) is at least 7,600 times the trivial bound" in text
    assert "from κ = 1, 3, 6, 17 on at γ = .5, .7, .8, .9" in text
    assert "any factor is possible (10 in the run)" in text
    assert "r̄γ^{κ+1}/(1−γ)" in text
    assert text.count("\n") == len(FINDINGS) <= 7


@pytest.mark.parametrize("place", range(len(ROWS)))
@pytest.mark.parametrize("other", ["violated", "fails without locality"])
def test_a_finding_that_is_no_longer_true_is_refused(place, other):
    rows = [*ROWS[:place], ROWS[place]._replace(verdict=other), *ROWS[place + 1 :]]
    with pytest.raises(ValueError, match=re.escape(f"for {', '.join(PLACES[place])}".removesuffix(", "))):
        findings(rows)


def test_the_front_page_has_a_line_a_claim():
    page = front_page([*ROWS, row("lemma3", "another", "tight", 1.0)], dict.fromkeys(CLAIMS, "on paper"))
    assert f"| `lemma3` | {claim('lemma3').words} | 2 **tight** | 1 | on paper |" in page
    assert f"| `theorem5` | {claim('theorem5').words} | **vacuous** |  | on paper |" in page
