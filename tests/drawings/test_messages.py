"""The title of a figure is read off all rows; of many instances a few are shown, or those that are asked for."""

import math
import xml.etree.ElementTree as ET

import pytest

from figure_rows import comparison
from sacrepro.archive.files import write_rows
from sacrepro.cli import main
from sacrepro.study.drawings import FIRST, USES, drawing, few
from sacrepro.study.drawings.messages import spans
from sacrepro.study.drawings.panels import house_style
from sacrepro.study.experiments.exact_bias import BiasRow
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.record.comparison import Comparison


def of(instance, left, right=1.0, trivial=math.inf):
    return comparison(instance, "", "", 0, left, right, trivial=trivial)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [of("a", 1.0), of("b", 0.5), of("c", 0.1)],
            "attained on 1 of 3 instances; elsewhere left/right is 0.5 at most, 0.3 in the median",
        ),
        ([of("a", 0.5), of("a", 0.25)], "on 1 instance left/right is 0.5 at most, 0.5 in the median"),
        ([of("a", 0.999)], "on 1 instance left/right is 1 - 0.001 at most, 1 - 0.001 in the median"),
        ([of("a", 1.0), of("b", 1.0)], "attained on 2 of 2 instances"),
        ([of("a", 2.0), of("b", 1.0)], "violated on a"),
        ([of("a", 0.5, 80.0, 2.0)], "nothing is said here, right sides at least 40 times the trivial bound"),
    ],
)  # fmt: skip
def test_the_message_of_a_claim_is_what_its_rows_say(rows, told):
    assert drawing("lemma3").message(rows) == f"Qᵢ forgets agents more than κ hops away at the rate γ: {told}"


@pytest.mark.parametrize(
    ("right", "told"), [(2.0, "by a factor of 10 or more, on 2 instances"), (30.0, "is 0.5 at most")]
)
def test_the_squared_bias_is_said_to_gain_only_where_it_does(right, told):
    rows = [
        comparison(name, "as run", "", 0, 0.5 * least, least, trivial=20.0)
        for name, least in (("a", 1.0), ("b", right))
    ]
    assert told in drawing("theorem5_sharp").message(rows)


def test_runs_of_one_kappa_are_told_together():
    assert spans({10: {0}, 100: {0}, 1000: {0, 1}, 9999: set()}) == (
        "κ = 0 at T = 10 to 100; κ = 0 or 1 at T = 1,000; none clearly at T = 9,999"
    )


def test_a_title_tells_of_every_instance_and_of_no_other():
    """Where no κ is closest on one instance it says so, and instances need not have the same T."""
    bias = [
        BiasRow(name, kappa, 10, 1.0, 0.0, 0.1, 2.0, int(name == "a" and not kappa), 0.5)
        for name in "ab"
        for kappa in (0, 1)
    ]
    assert drawing("exact_bias").message(bias) == "Closest to ∇J in the mean: κ = 0 or none clearly at T = 10"
    rows = [SummaryRow(name, "0", T, "to_Q", 1.0, 1.0, 1.0, 3) for name, T in (("a", 10.0), ("b", 20.0))]
    assert drawing("critic_error").message(rows) == "Closest to Qᵢ after T steps: κ = 0 at T = 10 to 20"
    for name in ("critic_error", "objective", "stationarity", "extensions"):
        assert not drawing(name).message([SummaryRow("a", "0", 1.0, "another", 1.0, 1.0, 1.0, 3)])


def test_the_largest_return_is_that_of_the_last_iteration():
    rows = [
        SummaryRow("a", str(kappa), m, "J", J, J, J, 3)
        for kappa, start, end in ((0, 9.0, 1.0), (1, 0.0, 2.0))
        for m, J in ((0, start), (9, end))
    ]
    assert drawing("objective").message(rows) == "Largest J at the end, at equal samples: κ = 1 on 1 of 1 instance"


def test_of_many_instances_a_few_are_shown_and_all_of_them_in_the_whole(tmp_path):
    most = USES["paper"]
    known = [f"x{k}" for k in range(most)] + ["relay"]
    rows = [of(name, 0.5) for name in known]
    write_rows(tmp_path / "lemma3.csv", Comparison, rows)
    with house_style():
        kept = few(rows, drawing("lemma3").draw(rows), most)
        assert not few(rows[:most], drawing("lemma3").draw(rows[:most]), most)
    assert "relay" in FIRST
    assert kept == [*known[: most - 1], "relay"]

    def panels(name, *asked):
        files = ["--output", str(tmp_path / name), "--whole", str(tmp_path / f"whole_{name}")]
        main(["figure", "lemma3", str(tmp_path / "lemma3.csv"), *asked, *files])
        return [
            sum("axes_" in own.get("id", "") for own in ET.parse(tmp_path / file).iter())
            for file in (name, f"whole_{name}")
        ]

    assert panels("few.svg") == [most, len(known)]
    assert panels("slide.svg", "--for", "slide") == [USES["slide"], len(known)]
    assert panels("two.svg", "--instances", "x3", "relay") == [2, len(known)]
    with pytest.raises((SystemExit, ValueError)):
        panels("none.svg", "--instances", "x33")
    assert not (tmp_path / "none.svg").exists()
