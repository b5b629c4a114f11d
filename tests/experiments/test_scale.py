"""Bounds for every agent of a large network: they hold, agree with small networks, and cost what n costs."""

import time

import numpy as np
import pytest

from sacrepro import cli
from sacrepro.archive.files import read_rows
from sacrepro.exact import decay_profile
from sacrepro.instances import build
from sacrepro.model.policy import uniform_theta
from sacrepro.study.experiments.environments import scale
from sacrepro.study.record.comparison import Comparison, holds

SIS = {"model": "sis", "gamma": 0.8, "beta": (0.2, 0.1), "delta": (0.5, 0.8)}


def ring(n):
    return build(SIS | {"graph": {"family": "ring", "n": n}})


def test_holds_and_agrees_with_the_exact_profile_of_a_small_network():
    mdp = ring(7)
    found = scale("ring", mdp, range(7), 2, 1e-3)
    D = decay_profile(mdp, uniform_theta(mdp))
    assert len(found.rows) == 7 * 3 * 2
    assert (D[:, :3] <= found.everywhere).all()
    for row in found.rows:
        assert holds(row)
        low, high = (float(end) for end in row.case.removeprefix("D in [").removesuffix("]").split(","))
        assert low - 1e-3 <= D[row.agent, row.kappa] <= high + 1e-3
        assert row.left == pytest.approx(D[row.agent, row.kappa], abs=1e-3)


def test_tight_on_the_noisy_relay():
    """The influence bound is an equality there, so the interval's lower end is within its width of the bound."""
    mdp = build({"model": "relay", "n": 200, "gamma": 0.8, "noise": 0.5})
    found = scale("relay", mdp, [100], 2, 1e-2)
    rows = [row for row in found.rows if row.hypothesis == "influence"]
    assert [row.right for row in rows] == pytest.approx([0.4 ** (kappa + 1) / 0.6 for kappa in range(3)], rel=1e-9)
    for row in rows:
        assert row.left == pytest.approx(row.right, abs=3e-2)


def test_necessary_certificate():
    """A bound one κ too small is exceeded by the certified lower end."""
    mdp = build({"model": "relay", "n": 50, "gamma": 0.8, "noise": 0.5})
    rows = [row for row in scale("relay", mdp, [25], 2, 1e-2).rows if row.hypothesis == "influence"]
    assert not any(holds(row._replace(right=0.4 * row.right)) for row in rows)


def test_ten_times_the_agents_cost_about_ten_times_the_work():
    """C has the sparsity of the graph, and the cone does not see n: 20,000 agents stay far below a minute."""
    mdp = ring(20_000)
    start = time.perf_counter()
    found = scale("ring", mdp, [10_000], 3, 0.05)
    assert time.perf_counter() - start < 30.0
    assert found.everywhere.shape == (20_000, 4)
    assert np.ptp(found.everywhere, axis=0).max() <= 1e-12
    assert [step.agents for step in found.steps] == [20_000, 20_000, 1]
    assert all(step.seconds >= 0.0 for step in found.steps)


def test_the_verb(tmp_path, capsys):
    spec = '{"model": "relay", "n": 30, "gamma": 0.8, "noise": 0.3}'
    options = ["--agents", "2", "--kappa-max", "1", "--tol", "0.01", "--output", str(tmp_path / "scale.csv")]
    cli.main(["scale", "--instance", "relay", "--spec", spec, *options])
    rows = read_rows(tmp_path / "scale.csv", Comparison)
    assert {row.agent for row in rows} == {0, 29}
    assert "influence bound" in capsys.readouterr().out
