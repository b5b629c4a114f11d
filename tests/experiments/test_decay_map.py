"""The influence of single states on V_i decays with the distance, as the light cone says."""

import dataclasses

import networkx as nx
import pytest

from claims.instances import uniform_case
from sacrepro.instances import build
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.study.experiments.environments import map_rows
from sacrepro.study.record.case import exact_cases


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


def test_the_center_feels_the_farthest():
    """On the relay 0 → 1 → … → 4 that is the last agent; where nothing can be told apart, the first."""
    assert {row.center for row in rows_of({"model": "relay", "n": 5, "gamma": 0.8})} == {4}
    coarse = dataclasses.replace(uniform_case(relay(4, gamma=0.5)), error=1.0)
    assert {row.center for row in map_rows(coarse)} == {0}


def test_agents_that_cannot_be_reached():
    mdp = random_mdp(nx.disjoint_union(nx.path_graph(2), nx.empty_graph(1)), seed=0)
    unreachable = list(map_rows(uniform_case(mdp)))[2]
    assert (unreachable.distance, unreachable.bound) == (-1, 0.0)
    assert unreachable.influence <= unreachable.error


@pytest.mark.parametrize("n", [1, 2, 5])
def test_places_are_the_layout_of_the_graph_in_four_digits(n):
    rows = list(map_rows(uniform_case(random_mdp(nx.path_graph(n), seed=0))))
    layout = nx.kamada_kawai_layout(nx.path_graph(n))
    for row in rows:
        assert (row.x, row.y) == tuple(round(float(place), 4) for place in layout[row.agent])
