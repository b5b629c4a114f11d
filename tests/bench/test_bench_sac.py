"""The throughput benchmark: its peers run Algorithm 1, and its rows say what was measured."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sacrepro import cli
from sacrepro.archive.files import write_rows
from sacrepro.instances.graphs import grid
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn.transcription import outer_iteration
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, uniform_theta
from sacrepro.simulate import Simulator, Trajectory
from sacrepro.study.arguments import state_action_counts
from sacrepro.study.bench.peers import dictionary_iteration, dictionary_sac
from sacrepro.study.bench.sac import Throughput, bench_sac, one, throughput_graph, throughput_mdp

STEPS = {"h": 3.0, "t0": 5.0, "eta": 2.0}


class Replay(Simulator):
    """A model's simulator that returns a recorded episode."""

    def __init__(self, mdp: NetworkedMDP, episode: Trajectory) -> None:
        super().__init__(mdp)
        self.episode = episode

    def rollout(self, zeta: Sequence[Array], T: int, *, seed: int, m: int) -> Trajectory:
        return self.episode


@pytest.mark.parametrize("kappa", [0, 1, 2])
def test_dictionaries_are_algorithm_1_on_their_own_episode(kappa: int) -> None:
    mdp = random_mdp(nx.path_graph(5), seed=2, state_sizes=(2, 3, 1, 2, 2), action_sizes=(2, 1, 3, 2, 2))
    theta = gaussian_theta(mdp, np.random.default_rng(0))
    hoods = [neighborhood(mdp.graph, i, kappa) for i in range(mdp.n)]
    found = dictionary_iteration(mdp, hoods, theta, 3, np.random.default_rng(5), T=60, **STEPS)
    episode = Trajectory(*(np.array(series).T for series in (found.s, found.a, found.r)))
    plain = outer_iteration(Replay(mdp, episode), theta, 3, kappa=kappa, T=60, seed=0, **STEPS)
    for i in range(mdp.n):
        assert np.abs(found.theta_next[i] - plain.theta_next[i]).max() <= 1e-12 * (1 + np.abs(theta[i]).max())
        assert not np.array_equal(found.theta_next[i], theta[i]) or mdp.action_sizes[i] == 1


@pytest.mark.parametrize("joint", [False, True])
def test_dictionaries_sample_the_model(joint: bool) -> None:
    """Frequencies of s(0), a(0), s(1) of a two-agent model within six standard deviations of their law."""
    mdp = random_mdp(nx.path_graph(2), seed=3)
    if joint:
        mdp = NetworkedMDP(mdp.graph, mdp.P, mdp.r, mdp.gamma, np.array([[0.1, 0.2], [0.3, 0.4]]))
    rng, runs = np.random.default_rng(1), 2000
    theta, hoods = uniform_theta(mdp), [(0,), (1,)]
    counts = np.zeros((2, 2, 2, 2, 2, 2))
    for _ in range(runs):
        episode = dictionary_iteration(mdp, hoods, theta, 0, rng, T=1, h=1.0, t0=1.0, eta=1.0)
        counts[(*episode.s[0], *episode.a[0], *episode.s[1])] += 1
    law = np.einsum("st,stax,stby->stabxy", mdp.joint_pi0() / 4, mdp.P[0], mdp.P[1])
    assert np.abs(counts - runs * law).max() <= 6 * math.sqrt(runs / 4)
    assert (np.abs(counts - runs * law) <= 6 * np.sqrt(runs * law) + 6).all()


def test_dictionaries_depend_on_the_seed_alone() -> None:
    mdp = random_mdp(nx.path_graph(3), seed=0)
    arguments = {"kappa": 1, "M": 3, "T": 20, **STEPS}
    once, again, other = (dictionary_sac(mdp, uniform_theta(mdp), seed=seed, **arguments) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(once, other, strict=True))


def test_graphs_are_the_named_ones() -> None:
    assert nx.utils.graphs_equal(throughput_graph("grid", 12), grid(3, 4))
    assert nx.utils.graphs_equal(throughput_graph("grid", 7), nx.path_graph(7))
    assert nx.utils.graphs_equal(throughput_graph("path", 7), nx.path_graph(7))
    with pytest.raises(ValueError, match="unknown family 'torus'; known are path, grid"):
        throughput_graph("torus", 9)


def test_large_models_share_kernels_among_agents_of_one_degree(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp, kernels = throughput_mdp("grid", 12, 2, 3)
    assert kernels == "own"
    assert not np.array_equal(mdp.P[5], mdp.P[6])
    monkeypatch.setattr("sacrepro.study.bench.sac.OWN_ENTRIES", 100)
    mdp, kernels = throughput_mdp("grid", 12, 2, 3)
    assert kernels == "shared"
    assert mdp.P[5] is mdp.P[6]
    assert mdp.P[0].shape != mdp.P[5].shape


@pytest.mark.parametrize("method", ["sac", "sac_seeds", "two_processes", "transcription", "dictionaries"])
def test_one_measures_whole_outer_iterations(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sacrepro.study.bench.sac.LEAST_SECONDS", 0.01)
    record = one(method, "path", 4, 2, 2, 1, 20, 2)
    assert record["seeds"] == {"sac_seeds": 256, "two_processes": 2}.get(method, 1)
    assert record["seconds"] > 0
    assert record["agent_steps_per_second"] == record["seeds"] * 4 * 20 / record["seconds"]
    assert (0 < record["first_visit_share"] <= 1) is (method != "dictionaries")


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown method 'jax'"):
        one("jax", "path", 4, 2, 2, 1, 20, 1)


def test_a_method_that_meets_a_limit_stops_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def measure(method: str, family: str, n: int, S: int, A: int, kappa: int, **limits: float) -> Throughput:
        measured.append((method, n))
        speed = 1e3 if method == "dictionaries" else 1e9
        return Throughput(family, n, S, A, kappa, method, 1, 10, "own", "ok", speed, n * 10 / speed, 0.0, 1.0, 1.0)

    monkeypatch.setattr("sacrepro.study.bench.sac.measure", measure)
    sizes, methods = (1000, 10, 100), ("sac", "dictionaries")
    rows = list(bench_sac(["path"], sizes, (1,), ((2, 2),), methods, T=10, time_limit=0.05))
    # 10·10 steps at a thousand a second take 0.1 s, above the limit of 0.05 s: 100 agents are not tried.
    assert measured == [("sac", 10), ("dictionaries", 10), ("sac", 100), ("sac", 1000)]
    assert [row.status for row in rows if row.method == "dictionaries"] == ["ok", "time", "time"]


def test_a_process_that_fails_leaves_a_row() -> None:
    rows = list(bench_sac(["path"], (4,), (0,), ((0, 2),), ("sac",), T=5, repeats=1))
    assert [row.status for row in rows] == ["failed"]
    assert math.isnan(rows[0].seconds)


def test_the_figure_and_the_verb_take_the_same_rows(tmp_path: Path) -> None:
    rows = [
        Throughput("path", n, 2, 2, kappa, method, 1, 10, "own", "ok", 1e6 * n, 1e-5, 0.0, 100.0 + n, 0.5)
        for n in (10, 100)
        for kappa in (0, 1)
        for method in ("sac", "dictionaries")
    ]
    write_rows(tmp_path / "rows.csv", Throughput, rows)
    cli.main(["figure", "bench_sac", str(tmp_path / "rows.csv"), "--output", str(tmp_path / "rows.png")])
    assert (tmp_path / "rows.png").stat().st_size > 1000


def test_pairs_on_the_command_line() -> None:
    assert state_action_counts("2,3") == (2, 3)
    for wrong in ("2", "2,0", "2,x", "2,3,4"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected two numbers"):
            state_action_counts(wrong)
