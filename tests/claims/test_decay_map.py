"""The influence of single states on V_i decays with the distance, as the light cone says."""

from sacrepro.claims.case import exact_cases
from sacrepro.claims.decay_map import map_rows
from sacrepro.instances import build


def rows_of(spec):
    return [row for case in exact_cases("x", build(spec), 2, 0, 1.0) for row in map_rows(case)]


def test_holds():
    spec = {"model": "random", "graph": {"family": "ring", "n": 5}, "seed": 1, "gamma": 0.8, "concentration": 0.2}
    rows = rows_of(spec)
    assert {row.distance for row in rows} == {0, 1, 2}
    for row in rows:
        assert row.influence <= row.bound + row.error


def test_tight():
    """On the relay a state travels one agent a step and nothing else decides it."""
    rows = [row for row in rows_of({"model": "relay", "n": 5, "gamma": 0.8}) if row.agent < 4]
    sources = [row for row in rows if row.agent == 0]
    assert sources
    for row in sources:
        assert row.center == 4
        assert abs(row.influence - row.bound) <= row.error


def test_the_drawing_knows_places_and_neighbors():
    rows = rows_of({"model": "relay", "n": 3, "gamma": 0.5})
    assert [row.neighbors for row in rows[:3]] == ["1", "0 2", "1"]
    assert len({(row.x, row.y) for row in rows[:3]}) == 3
