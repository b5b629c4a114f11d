"""The benchmark solves the same problem with every method, and says why where there is no number."""

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sacrepro.study.bench import exact as bench
from sacrepro.study.bench.peers import METHODS, SIZES, TOLERANCE, benchmark_graph, benchmark_mdp
from sacrepro.study.bench.quantities import decay, far_decay, far_value, long_path, sticky
from sacrepro.study.bench.sac import bench_sac
from sacrepro.study.drawings import drawing
from sacrepro.study.drawings.panels import house_style


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


@pytest.fixture(scope="module")
def first_of_all(tmp_path_factory):
    """(the folder of compiled code, status, record) of a measurement that finds the folder empty."""
    folder, limits = str(tmp_path_factory.mktemp("compiled")), {"time_limit": 60, "memory_limit_gb": 8}
    return folder, *bench.measure(("engine", "path", 6, 0.9), repeats=2, compiled=folder, **limits)


def test_one_measurement_in_a_process_of_its_own(first_of_all):
    _, status, record = first_of_all
    assert status == "ok"
    assert sum(record["seconds"]) >= bench.ENOUGH_SECONDS or len(record["seconds"]) == bench.ENOUGH_REPEATS
    assert len(record["seconds"]) > 100  # milliseconds each
    assert record["peak_mb"] > 10
    # The first solve also imports: it takes longer than any other, with no compiled code kept from earlier runs.
    assert record["first_call"] > max(record["seconds"])


def test_a_first_solve_compiles_nothing_and_the_warm_up_once(tmp_path, first_of_all):
    """So the engine's processes may share what is compiled, and a first call is that of an empty folder."""
    solve = "from sacrepro.study.bench.exact import *; METHODS['engine'](benchmark_mdp(*FIRST, 0.9))"
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", solve], env=env, check=True)
    assert not list(tmp_path.rglob("*.nb[ic]"))

    def kept():
        return {(path.name, path.stat().st_mtime_ns) for path in Path(first_of_all[0]).rglob("*.nb[ic]")}

    compiled, limits = kept(), {"repeats": 1, "time_limit": 60, "memory_limit_gb": 8}
    assert compiled
    assert bench.measure(("engine", "path", 4, 0.9), compiled=first_of_all[0], **limits)[0] == "ok"
    assert kept() == compiled


LIMITS = {"repeats": 1, "time_limit": 1.0, "memory_limit_gb": 1.0}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (lambda: bench.bench_exact(["torus"], [0.5], ["engine"], **LIMITS), "unknown family 'torus'; known are path, "),
        (lambda: bench.bench_exact(["path"], [0.5], ["nope"], **LIMITS), "unknown method 'nope'; known are engine, "),
        (
            lambda: bench.bench_exact(["star"], [0.5], ["engine"], [4, 9], **LIMITS),
            "unknown size '9'; known are 4, 5, 6",
        ),
        (lambda: bench.bench_quantities(["nope"], **LIMITS), "unknown quantity 'nope'; known are V_i, "),
        (lambda: bench_sac(["ring"]), "unknown family 'ring'; known are path, grid"),
        (lambda: bench_sac(methods=["nope"]), "unknown method 'nope'; known are sac, "),
    ],
)
def test_unknown_names_are_refused_before_anything_is_measured(rows, message):
    """Seen: rows that say \"failed\", as if the machine had."""
    with pytest.raises(ValueError, match=message):
        next(rows())


def test_limits_and_absent_tools_are_named(monkeypatch):
    status, _ = bench.measure(("dense_lu", "path", 12, 0.9), repeats=1, time_limit=60, memory_limit_gb=0.2)
    assert status == "memory"
    monkeypatch.setattr(bench, "START_UP", 0.0)
    status, _ = bench.measure(("engine", "path", 6, 0.9), repeats=1, time_limit=0.01, memory_limit_gb=8)
    assert status == "time"


def test_a_method_that_failed_is_not_tried_on_larger_instances(monkeypatch):
    def measure(arguments, **limits):
        method, _, n, _ = arguments
        if method == "dense_lu" and n > 4:
            return "memory", {}
        return "ok", {"seconds": [0.1, 0.3, 0.2], "peak_mb": 5.0, "V": [[1.0, 2.0 + (method == "dense_lu")]]}

    monkeypatch.setattr(bench, "measure", measure)
    limits = {"repeats": 3, "time_limit": 1.0, "memory_limit_gb": 1.0}
    assert [row.n for row in bench.bench_exact(["star", "grid_3"], [0.9], ["engine"], [9, 5], **limits)] == [5, 9]
    rows = list(bench.bench_exact(["star"], [0.9], ["engine", "dense_lu"], **limits))
    assert [row.n for row in rows if row.method == "dense_lu"] == [4, 5]
    assert [row.status for row in rows if row.method == "dense_lu"] == ["inaccurate", "memory"]
    assert (rows[0].seconds, rows[1].difference) == (0.2, 1.0)
    assert math.isnan(rows[3].seconds)
    with house_style():
        assert len(drawing("bench_exact").draw(rows).get_axes()) == 1


def test_what_only_this_engine_computes_carries_its_certificate():
    name = "D_i all kappa, one agent, n=14"
    assert set(bench.QUANTITIES) >= {"pi_theta", name}
    small = bench.QUANTITIES["pi_theta"]._replace(make=lambda: benchmark_mdp("path", 9, 0.9))
    error, products = small.prepare(small.make())()
    assert 0 < error <= TOLERANCE
    assert products > 5
    record = {"seconds": [0.2], "peak_mb": 3.0, "error": 1e-9, "products": 7}
    row = bench.timing(name, "path", 14, 0.9, "engine", "ok", record, None)
    assert (row.quantity, row.seconds, row.error, row.products) == (name, 0.2, 1e-9, 7)


def test_a_peer_that_is_not_installed_is_absent(monkeypatch):
    """Its import fails, and where that ends a process the row is absent."""
    monkeypatch.setitem(os.environ, "PYTHONPATH", os.pathsep.join(sys.path))
    peers = [method for method in ("jaxdp", "quantecon", "mdpsolver") if importlib.util.find_spec(method) is None]
    for method in peers:
        with pytest.raises(ModuleNotFoundError, match="No module named"):
            METHODS[method](benchmark_mdp("path", 4, 0.9))
    for method in peers[:1]:
        assert bench.measure((method, "path", 4, 0.9), repeats=1, time_limit=60, memory_limit_gb=8)[0] == "absent"


@pytest.mark.parametrize("name", [name for name, entry in bench.QUANTITIES.items() if entry.n < 10**6])
def test_every_quantity_is_computed_on_a_small_network(name):
    """The same computation on six agents, so that no benchmark is broken for lack of being run."""
    make = {"V_i, sticky": lambda: sticky(6, 0.999)}.get(name, lambda: benchmark_mdp("path", 6, 0.9))
    entry = bench.QUANTITIES[name]
    if "one agent" in name:
        agents = (3,)
        prepare = decay(agents, None, 1 << 20)
    else:
        prepare = entry.prepare
    error, products = prepare(make())()
    assert error <= 1e-7 or math.isnan(error)
    assert products <= 200


def test_a_long_path_is_the_short_one_repeated():
    network = long_path(300)
    assert [network.mdp.P[j].shape for j in (0, 1, 299)] == [(2, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 2, 2)]
    assert network.mdp.P[1] is network.mdp.P[65]
    assert far_value(network)().error <= 1e-8
    assert far_decay(network)().error <= 1e-6


def test_speedups_leave_out_what_is_wrong_or_missing():
    def row(method, status, seconds):
        return bench.Timing("V_i", "path", 4, 0.9, method, status, seconds, 1.0, 0.0, 0.0, 0)

    rows = [row("engine", "ok", 0.1), row("dense_lu", "ok", 4.0), row("mdpsolver", "inaccurate", 2.0)]
    assert [(peer.method, ratio) for _, peer, ratio in bench.speedups(rows)] == [("dense_lu", 40.0)]
