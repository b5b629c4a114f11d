"""The competition's SysAdmin instances, transition by transition against the simulator of pyRDDLGym."""

import doctest
import json

import numpy as np
import pytest

from adviser.network_files import load_dict
from sacrepro.adviser.advice import advise
from sacrepro.instances.network.files import load

pytest.importorskip("pyRDDLGym", reason="pyRDDLGym is an optional extra, pip install -e '.[rddl]'")
pytest.importorskip("rddlrepository", reason="rddlrepository is an optional extra, pip install -e '.[rddl]'")
from pyRDDLGym.core.simulator import RDDLSimulator

import sacrepro.adapters.rddl as adapter
from sacrepro.adapters.rddl import rddl_model, sysadmin


class Thresholds:
    """A generator that draws, for every computer, the number it is given."""

    def __init__(self, u):
        self.u = u

    def uniform(self, size=None):
        assert size == self.u.shape
        return self.u


@pytest.mark.parametrize("instance", range(1, 11))
def test_every_instance_moves_as_its_simulator(instance):
    """Drawn a hair below and above p, the simulator's machines run and do not: its p is that of the kernel."""
    network = load_dict(sysadmin(instance))
    simulator = RDDLSimulator(rddl_model(instance), keep_tensors=True)
    simulator.reset()
    assert simulator.subs["running"].tolist() == [pi0_i[1] == 1.0 for pi0_i in network.pi0]
    penalty, rng = float(np.max(network.r[0]) - 1.0), np.random.default_rng(instance)
    for _ in range(40):
        s = rng.integers(0, 2, network.n)
        a = np.zeros(network.n, dtype=int)
        if rng.random() < 0.7:
            a[rng.integers(network.n)] = 1
        p = np.empty(network.n)
        for i in range(network.n):
            near = network.near(i)
            kernel = network.groups[network.group[i]].of(int(network.row[i]), near.index(i))
            p[i] = kernel.rows[kernel.row(s[list(near)], [a[j] if j == i else 0 for j in near]), 1]
        for u, runs in ((p - 1e-9, True), (p + 1e-9, False)):
            simulator.subs["running"] = s.astype(bool)
            simulator.rng = Thresholds(u)
            moved, reward, _ = simulator.step({"reboot": a.astype(bool)})
            assert moved["running"].tolist() == [bool(a_i) or runs for a_i in a]
            own = sum(float(r_i[s_i, a_i]) for r_i, s_i, a_i in zip(network.r, s, a, strict=True))
            assert own - network.n * penalty == pytest.approx(reward_before(s, a, penalty), abs=1e-12)
            assert reward == pytest.approx(reward_before(s, a, penalty), abs=1e-12)


def reward_before(s, a, penalty):
    """Σ running - REBOOT-PENALTY · reboot, by hand."""
    return float(s.sum() - penalty * a.sum())


def test_reading_says_nothing_and_leaves_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    sysadmin(1)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_it_is_advised(tmp_path):
    path = tmp_path / "sysadmin.yaml"
    path.write_text(json.dumps(sysadmin(3, gamma=0.8)))
    network = load(path)
    assert network.names[0] == "c1"
    assert network.reads is not None
    assert advise(network, 0.5, seconds=0).n == network.n


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (ValueError, "instance must lie in 1..10, got 11", lambda: sysadmin(11)),
        (TypeError, "instance must be an integer", lambda: sysadmin("1")),
        (ValueError, "instance must lie in 1..10, got 11", lambda: rddl_model(11)),
        (ValueError, "gamma must lie in", lambda: sysadmin(1, gamma=1.0)),
    ],
)
def test_refusals(error, match, call):
    with pytest.raises(error, match=match):
        call()


def test_the_example_runs():
    assert doctest.testmod(adapter).failed == 0
