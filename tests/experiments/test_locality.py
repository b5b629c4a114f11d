"""What locality costs: the yardsticks are those of enumeration, and every gap is a bracket of what it says."""

import itertools

import networkx as nx
import numpy as np
import pytest

from sacrepro.archive.files import ARRAYS, read_rows, write_arrays
from sacrepro.cli import main
from sacrepro.exact.values import evaluate
from sacrepro.instances import build
from sacrepro.instances.extremal import signal
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import Policy, gaussian_theta, uniform_theta
from sacrepro.study.experiments import locality as locality_room
from sacrepro.study.experiments.locality import LocalityRow, locality_rows


def best_by_enumeration(mdp):
    """The largest J over all deterministic localized policies."""
    rows = [np.eye(A) for S, A in zip(mdp.state_sizes, mdp.action_sizes, strict=True) for _ in range(S)]
    found = []
    for chosen in itertools.product(*rows):
        left = list(chosen)
        found.append(evaluate(mdp, Policy([np.array([left.pop(0) for _ in range(S)]) for S in mdp.state_sizes])).J)
    return max(found)


@pytest.mark.parametrize("seed", range(3))
def test_holds_every_gap_brackets_what_enumeration_finds(seed):
    mdp = random_mdp(nx.path_graph(2), seed=seed, gamma=0.8, concentration=0.1)
    thetas = [gaussian_theta(mdp, np.random.default_rng(k)) for k in range(3)]
    finals = {1: [np.stack(blocks) for blocks in zip(*thetas, strict=True)]}
    own = {row.policy: row for row in locality_rows(mdp, "x", finals)}
    assert list(own) == ["best joint", "best localized", "uniform", "SAC"]
    best, J = best_by_enumeration(mdp), np.array([evaluate(mdp, theta).J for theta in thetas])
    assert pytest.approx(J.mean(), abs=1e-12) == own["SAC"].J
    assert own["SAC"].spread == pytest.approx(J.std(ddof=1), abs=1e-12)
    assert (own["SAC"].kappa, own["SAC"].seeds, own["uniform"].seeds) == (1, 3, 1)
    for row, true in ((own["SAC"], J.mean()), (own["uniform"], evaluate(mdp, uniform_theta(mdp)).J)):
        assert row.localized_low <= best - true + 1e-12
        assert best - true <= row.localized_high + 1e-12
        assert row.localized_high - row.localized_low < 1e-7
        assert row.joint_low >= row.localized_low - 1e-8
    assert pytest.approx(best, abs=1e-9) == own["best localized"].J


def test_tight_where_an_agent_needs_no_more_than_its_state_locality_is_free():
    own = {row.policy: row for row in locality_rows(signal(0.5), "signal", {})}
    assert abs(own["best localized"].joint_low) < 1e-9 > abs(own["best localized"].joint_high)
    assert own["uniform"].joint_low == pytest.approx(0.125, abs=1e-9)


def test_necessary_an_agent_that_cannot_see_what_it_needs_pays():
    """Agent 1 is paid for the bit of agent 0, which it does not see: localized, it can but guess."""
    coin = np.full((2, 2, 1, 2), 0.5)
    guess = np.zeros((2, 2, 2, 2))
    for bit, own, action in np.ndindex(2, 2, 2):
        guess[bit, own, action, int(bit == action)] = 1.0
    rewards = (np.zeros((2, 1)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    mdp = NetworkedMDP(nx.path_graph(2), (coin, guess), rewards, 0.5, (np.full(2, 0.5), np.array([1.0, 0.0])))
    own = {row.policy: row for row in locality_rows(mdp, "guess", {})}
    # Σ_{t≥1} γ^t = 1, half of it for the mean over two agents, and half of that for a guess.
    assert pytest.approx(0.5, abs=1e-9) == own["best joint"].J
    assert own["best localized"].joint_low == pytest.approx(0.25, abs=1e-8)


def test_the_job_takes_the_last_record_of_every_seed(tmp_path):
    spec = '{"model": "relay", "n": 2, "gamma": 0.5, "noise": 0.5}'
    exact, run, output = (str(tmp_path / name) for name in ("exact.npz", "run.npz", "locality.csv"))
    known = {"spec": np.array(spec), "instance": np.array("relay"), "kappa": np.array(1)}
    write_arrays(exact, dict.fromkeys(ARRAYS["exact"], np.zeros(1)) | known)
    thetas = {f"theta_{i}": np.arange(24.0).reshape(2, 3, 2, 2) for i in range(2)}
    write_arrays(run, dict.fromkeys(ARRAYS["sac"], np.zeros(1)) | known | thetas)
    main(["locality", exact, "--runs", run, "--output", output])
    rows = read_rows(output, LocalityRow)
    assert [row.policy for row in rows] == ["best joint", "best localized", "uniform", "SAC"]
    assert (rows[-1].kappa, rows[-1].seeds) == (1, 2)
    mdp = build({"model": "relay", "n": 2, "gamma": 0.5, "noise": 0.5})
    last = [evaluate(mdp, tuple(block[seed, -1] for block in thetas.values())).J for seed in range(2)]
    assert pytest.approx(np.mean(last), abs=1e-12) == rows[-1].J


def test_necessary_a_search_that_is_cut_short_certifies_no_cost_of_locality(monkeypatch):
    """With one part looked at nothing is known of the other localized policies: locality may cost nothing."""
    mdp = random_mdp(nx.path_graph(2), seed=0, gamma=0.8, concentration=0.1)
    whole = {row.policy: row for row in locality_rows(mdp, "x", {})}["best localized"]
    monkeypatch.setattr(locality_room, "NODES", 1)
    cut = {row.policy: row for row in locality_rows(mdp, "x", {})}["best localized"]
    assert whole.joint_low > 1e-3
    assert cut.joint_low <= 1e-9 < cut.joint_high
    assert cut.joint_low <= whole.joint_low <= whole.joint_high <= cut.joint_high + 1e-9
