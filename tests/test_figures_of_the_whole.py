"""The overview and the map of decay are drawn from any rows, and the same rows give the same bytes."""

import math

import pytest

from sacrepro import cli
from sacrepro.claims.comparison import Verdict
from sacrepro.plotting import drawing
from sacrepro.store import write_rows


def verdict(claim, judged, ratio):
    return Verdict(claim, "", "x ≤ y", "Lemma", 1, 10, 10, int(judged == "violated"), ratio, "relay", 1e-9, judged, "")


ROWS = [
    verdict("lemma1", "holds", math.nan),
    verdict("lemma3", "tight", 1.0),
    verdict("lemma4", "holds", 1e-3),
    verdict("critic", "vacuous", math.nan),
    verdict("lemma9", "violated", 1.5),
]


def test_the_overview_shows_every_claim_and_every_verdict():
    figure = drawing("overview").draw(ROWS)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.claim for row in ROWS]
    places = [line.get_xdata()[0] for line in axes.lines[: len(ROWS)]]
    assert max(places) == 1.5  # a violation stands right of the line
    assert min(places) == places[0] == places[3] < 1e-3  # what has no ratio stands at the margin


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
