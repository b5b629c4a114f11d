"""The benchmark solves the same problem with every method, and says why where there is no number."""

import math

import numpy as np
import pytest

from sacrepro.bench import exact as bench
from sacrepro.bench.families import SIZES, benchmark_graph, benchmark_mdp
from sacrepro.bench.peers import METHODS, TOLERANCE
from sacrepro.plotting import drawing
from sacrepro.plotting.style import house_style


@pytest.mark.parametrize("family", SIZES)
def test_families_have_the_agents_they_name(family):
    for n in SIZES[family]:
        graph = benchmark_graph(family, n)
        assert set(graph) == set(range(n))
    with pytest.raises(ValueError, match="unknown family 'torus'"):
        benchmark_graph("torus", 4)


@pytest.mark.parametrize("method", ["dense_lu", "dense_value_iteration", "sparse_value_iteration", "sparse_gmres"])
def test_methods_agree_with_the_engine(method):
    mdp = benchmark_mdp("ring", 6, 0.9)
    difference = np.abs(METHODS[method](mdp) - METHODS["engine"](mdp)).max()
    assert difference <= 2 * TOLERANCE * (1 + mdp.gamma) / (1 - mdp.gamma)


def test_one_measurement_in_a_process_of_its_own():
    status, record = bench.measure("engine", "path", 6, 0.9, repeats=2, time_limit=60, memory_limit_gb=8)
    assert status == "ok"
    assert len(record["seconds"]) == 2
    assert record["peak_mb"] > 10


def test_limits_and_absent_tools_are_named(monkeypatch):
    status, _ = bench.measure("dense_lu", "path", 12, 0.9, repeats=1, time_limit=60, memory_limit_gb=0.2)
    assert status == "memory"
    monkeypatch.setattr(bench, "START_UP", 0.0)
    status, _ = bench.measure("engine", "path", 6, 0.9, repeats=1, time_limit=0.01, memory_limit_gb=8)
    assert status == "time"


def test_a_method_that_failed_is_not_tried_on_larger_instances(monkeypatch):
    def measure(method, family, n, gamma, **limits):
        if method == "dense_lu" and n > 4:
            return "memory", {}
        return "ok", {"seconds": [0.1, 0.3, 0.2], "peak_mb": 5.0, "V": [[1.0, 2.0 + (method == "dense_lu")]]}

    monkeypatch.setattr(bench, "measure", measure)
    seen = []
    limits = {"repeats": 3, "time_limit": 1.0, "memory_limit_gb": 1.0}
    rows = list(bench.bench_exact(["star"], [0.9], ["engine", "dense_lu"], **limits, progress=seen.append))
    assert seen == rows
    assert [row.n for row in rows if row.method == "dense_lu"] == [4, 6]
    assert [row.status for row in rows if row.method == "dense_lu"] == ["ok", "memory"]
    assert (rows[0].seconds, rows[1].difference) == (0.2, 1.0)
    assert math.isnan(rows[3].seconds)
    with house_style():
        assert len(drawing("bench_exact").draw(rows).get_axes()) == 1
