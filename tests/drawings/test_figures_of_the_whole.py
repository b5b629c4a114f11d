"""The overview and the map of decay are drawn from any rows, and the same rows give the same bytes."""

import math

import pytest
from matplotlib.figure import Figure

from sacrepro import cli
from sacrepro.archive.files import write_rows
from sacrepro.study.drawings import drawing
from sacrepro.study.drawings.surveys import name_lines
from sacrepro.study.experiments.environments import EnvironmentRow
from sacrepro.study.record.comparison import Comparison, Verdict


def comparison(hypothesis, case, kappa, left, right, instance="relay", trivial=math.inf):
    return Comparison(instance, "uniform", hypothesis, case, 0, kappa, left, right, 1e-9, trivial)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_every_panel_of_the_critic_has_its_bound_at_its_height_however_far_it_is_from_saying_something():
    rows = [comparison("paper", f"T={T}", 0, 1.0, 5e6 / T, trivial=2.0) for T in (100, 1000)]
    rows.append(comparison("paper", "T=100", 0, 1.0, 2.0, "other", trivial=2.5))
    without, finite = drawing("critic").draw(rows).axes
    assert bounds(without) == {5e4, 5e3}
    assert bounds(finite) == {2.0}
    assert [line.get_ydata()[0] for line in without.lines if "trivial" in line.get_label()] == [2.0]


def bounds(axes):
    """The heights of the dashed bounds."""
    return {float(y) for line in axes.lines if line.get_linestyle() == "--" for y in line.get_ydata() if y == y}


def test_vacuity_shows_every_reading_at_the_least_kappa_of_its_best_agent_and_its_least_ratio():
    rows = [
        comparison("ε_κ of (9)", "from κ=67", 0, 0.1, 80.0, trivial=2.0),
        comparison("ε_κ of (9)", "from κ=67", 3, 0.1, 60.0, trivial=2.0),
        comparison("ε_κ, sharp bias", "never", 0, 0.0, 0.0, trivial=0.0),
        comparison("Lemma 4", "from κ=8", 0, 0.1, 10.0, trivial=1.0),
        comparison("Lemma 4", "from κ=5", 0, 0.1, 7.0, trivial=1.0),
    ]
    needed, excess = drawing("vacuity").draw(rows).axes
    marked = [
        {line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None" and len(line.get_xdata())}
        for axes in (needed, excess)
    ]
    assert marked == [{67, 5}, {30, 7}]
    (bar,) = needed.patches
    assert 3 < bar.get_x() + bar.get_width() < 4


def test_the_light_cone_shows_its_interval_around_what_it_encloses():
    rows = [comparison("upper end", f"T={T}", 0, 1.0, 1.0 + 0.5**T) for T in (1, 2)]
    rows += [comparison("lower end", f"T={T}", 0, 1.0 - 0.5**T, 1.0) for T in (1, 2)]
    (axes,) = drawing("light_cone").draw(rows).axes
    heights = [list(line.get_ydata()) for line in axes.lines if len(line.get_ydata())]
    assert heights == [[1.5, 1.25], [0.5, 0.75], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("D", "said"), [(math.nan, ["no exact solution"]), (0.0, ["0 up to the certificate"]), (1.0, [])]
)
def test_an_environment_without_markers_says_why(D, said):
    told = {"instance": "ring", "model": "ring", "policy": "uniform", "n": 3, "kappa": 0, "D": D, "D_error": 1e-9}
    row = EnvironmentRow(**{**dict.fromkeys(EnvironmentRow._fields, 1.0), **told})
    (axes,) = drawing("environments").draw([row]).axes
    assert texts(axes) == said


def test_names_of_lines_stand_outside_and_apart():
    axes = Figure().subplots()
    name_lines(axes, {"high": 1.0, "low": 0.5, "just above": 0.501})
    places = {note.get_text(): note.xy for note in axes.texts}
    assert all(x > 1.0 for x, _ in places.values())
    assert places["just above"][1] - places["low"][1] > 0.03


def verdict(claim, judged, ratio):
    violations = int(judged == "violated")
    return Verdict(claim, "", "x ≤ y", "Lemma", 1, 10, 10, violations, ratio, "relay", math.nan, 1e-9, judged, "")


ROWS = [
    verdict("lemma1", "holds", math.nan),
    verdict("lemma3", "tight", 1.0),
    verdict("lemma4", "holds", 1e-3),
    verdict("critic", "vacuous", math.nan),
    verdict("lemma9", "violated", 1.5),
]


def test_the_overview_shows_every_claim_and_every_verdict():
    apart, axes = drawing("overview").draw(ROWS).axes
    assert [label.get_text() for label in apart.get_yticklabels()] == [row.claim for row in ROWS]
    assert [label.get_text() for label in apart.get_xticklabels()] == ["identity", "vacuous"]
    assert [line.get_xdata()[0] for line in apart.lines] == [0, 1]  # what has no ratio is on no scale of ratios
    assert [line.get_xdata()[0] for line in axes.lines[:3]] == [1.0, 1e-3, 1.5]  # a violation is right of the line


@pytest.mark.parametrize("graph", [{"family": "star", "n": 4}, {"family": "path", "n": 1}])
def test_the_map_is_drawn_through_the_verbs_and_byte_stable(tmp_path, graph):
    import json

    spec = {"model": "random", "graph": graph, "seed": 1, "gamma": 0.7}
    options = ["--policies", "2", "--seed", "0", "--scale", "1"]
    exact, rows = str(tmp_path / "x.npz"), str(tmp_path / "map.csv")
    cli.main(["exact", "--instance", "x", "--spec", json.dumps(spec), *options, "--output", exact])
    cli.main(["decay-map", exact, "--output", rows])
    drawn = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in drawn:
        cli.main(["figure", "decay_map", rows, "--output", str(path)])
    assert drawn[0].read_bytes() == drawn[1].read_bytes()


def test_an_overview_of_written_rows(tmp_path):
    write_rows(tmp_path / "claims.csv", Verdict, ROWS)
    cli.main(["figure", "overview", str(tmp_path / "claims.csv"), "--output", str(tmp_path / "overview.pdf")])
    assert (tmp_path / "overview.pdf").read_bytes().startswith(b"%PDF")
