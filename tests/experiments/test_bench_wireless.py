"""The published wireless benchmark: what is recorded of it is met, and its verbs and figure run."""

import numpy as np
import pytest

from sacrepro import cli
from sacrepro.archive.files import read_rows
from sacrepro.learn import sac
from sacrepro.study.experiments.wireless import (
    EVALUATION_SEED,
    RECORDED,
    T,
    WirelessRow,
    aloha,
    benchmark_simulator,
    learning_rows,
    reference_rows,
)


def test_recorded_start_and_aloha():
    """.0201 at θ = 0 over 400 episodes, ALOHA .136 with a stale queue; .180 with its own: within five standard errors.

    The recorded means have errors of their own: about .001 for the start, and .006 for ALOHA's hundred episodes.
    """
    rows = {row.method: row for row in reference_rows(4000)}
    assert rows["start"].objective == pytest.approx(0.0201, abs=5 * np.hypot(rows["start"].standard_error, 0.001))
    assert rows["ALOHA"].objective == pytest.approx(0.18, abs=5 * rows["ALOHA"].standard_error)
    stale = rows["ALOHA, stale queue"]
    assert stale.objective == pytest.approx(0.136, abs=5 * stale.standard_error)
    assert stale.objective < rows["ALOHA"].objective < RECORDED


def test_aloha_sends_the_most_urgent_packet():
    zeta = aloha(0.35)
    assert all(zeta_i.sum(axis=1) == pytest.approx(1.0) for zeta_i in zeta)
    assert all((zeta_i[0] == np.eye(zeta_i.shape[1])[0]).all() for zeta_i in zeta)
    assert zeta[0][1].tolist() == pytest.approx([0.65, 0.35, 0.0])  # 0b01: slot 0
    assert zeta[0][2].tolist() == pytest.approx([0.65, 0.0, 0.35])  # 0b10: slot 1
    assert zeta[0][3].tolist() == pytest.approx([0.65, 0.35, 0.0])


def test_runs_leave_rows_at_every_record():
    rows = list(learning_rows("Algorithm 1", 1, 2, 40, 2, 50, h=1000.0, t0=1000.0, eta=40.0))
    assert [(row.seed, row.m) for row in rows] == [(0, 0), (0, 20), (0, 40), (1, 0), (1, 20), (1, 40)]
    assert all(row.first_visit_share == 1.0 for row in rows if row.m)
    simulator = benchmark_simulator()
    uniform = [np.full((4, A_i), 1 / A_i) for A_i in simulator.action_sizes]
    found = simulator.returns(uniform, T, seed=EVALUATION_SEED, episodes=50)
    assert rows[0].objective == found.mean()
    with pytest.raises(ValueError, match="unknown method"):
        list(learning_rows("SARSA", 1, 1, 2, 1, 2))


def test_verbs_and_figure(tmp_path):
    paths = [str(tmp_path / f"{name}.csv") for name in ("references", "one", "other")]
    cli.main(["wireless", "references", "--episodes", "50", "--output", paths[0]])
    options = ["--seeds", "2", "--M", "20", "--records", "2", "--episodes", "20"]
    steps = ["--h", "2", "--t0", "4", "--eta", "1"]
    cli.main(["wireless", "run", "--method", "algorithm1", "--kappa", "0", *options, *steps, "--output", paths[1]])
    cli.main(["wireless", "run", "--method", "published", "--kappa", "1", *options, "--output", paths[2]])
    assert {row.method for path in paths for row in read_rows(path, WirelessRow)} == {
        "start", "ALOHA", "ALOHA, stale queue", "Algorithm 1", "published variant",
    }  # fmt: skip
    cli.main(["figure", "wireless_benchmark", *paths, "--output", str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_no_table_of_one_hop_can_be_kept():
    """Users in the middle of the benchmark have more than 2^62 cells at κ = 1."""
    simulator = benchmark_simulator()
    theta0 = [np.zeros((4, A_i)) for A_i in simulator.action_sizes]
    for extension in ({"warm_start": True}, {"baseline": True}):
        with pytest.raises(ValueError, match=r"at most 2\^62 cells an agent"):
            sac(simulator, theta0, kappa=1, M=1, T=T, h=1.0, t0=1.0, eta=1.0, seed=0, **extension)
