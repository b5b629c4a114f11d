"""The README's findings say what the verdicts say, or stop the run."""

import math

import pytest

from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.record.comparison import Verdict
from sacrepro.study.report.findings import FINDINGS, findings, front_page


def row(claim, variant="", verdict="holds", ratio=0.5, excess=math.nan, statement="x ≤ y"):
    return Verdict(claim, variant, statement, "", 1, 1, 1, 0, ratio, "", excess, 0.0, verdict, f"{claim}.svg")


#: Rows that bear every finding out, and the counterexamples that two of them quote.
ROWS = [
    *(
        row(claim, variant, expected[0], *((math.nan, 7654.0) if expected == ("vacuous",) else (0.8125, math.nan)))
        for finding in FINDINGS
        for (claim, variant), expected in finding.rests_on.items()
    ),
    row("lemma3", "", "false as written", 10.0, statement="D ≤ c if r_i is upper bounded by r̄"),
    row("assumption3", "", "not satisfied by the softmax", 4.04, statement="one σ > 0 serves every softmax policy"),
]


def test_numbers_come_from_the_rows():
    text = findings(ROWS)
    assert "attained up to a factor 0.812 with" in text
    assert "the right side of (9) is at least 7,600 times the trivial bound" in text
    assert "from κ = 1, 3, 6, 17 on at γ = .5, .7, .8, .9" in text
    assert "any factor is possible (10 in the run)" in text
    assert "r̄γ^{κ+1}/(1−γ)" in text
    assert text.count("\n") == len(FINDINGS) <= 7


@pytest.mark.parametrize("place", range(len(ROWS) - 2))
@pytest.mark.parametrize("other", ["violated", "fails without locality"])
def test_a_finding_that_is_no_longer_true_is_refused(place, other):
    rows = [*ROWS[:place], ROWS[place]._replace(verdict=other), *ROWS[place + 1 :]]
    with pytest.raises(ValueError, match=f"wants .* for {ROWS[place].claim}"):
        findings(rows)


def test_the_front_page_has_a_line_a_claim():
    page = front_page([*ROWS, row("lemma3", "another", "tight", 1.0)], dict.fromkeys(CLAIMS, "on paper"))
    assert f"| `lemma3` | {claim('lemma3').words} | 2 **tight** | 1 | on paper |" in page
    assert f"| `critic` | {claim('critic').words} | **vacuous** |  | on paper |" in page
