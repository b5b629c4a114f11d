"""What a run cost, from records that its jobs write themselves."""

import re
import subprocess
import sys

import pytest

from sacrepro import cli
from sacrepro.archive.files import read_rows, write_rows
from sacrepro.study.record.comparison import Comparison
from sacrepro.study.spent import CAUSES, KindCost, costs, table

SNAKEMAKE = "s\th:m:s\tmax_rss\tcpu_time\n{}\t0:00:01\t{}\t0.0\n"


def record(logs, name, spent, seconds=1.5, peak=100.0):
    """A job's log and Snakemake's record."""
    for place, text in (
        (logs / f"{name}.log", f"what it tells\nCPU-seconds: {spent}\n"),
        (logs / f"benchmarks/{name}.tsv", SNAKEMAKE.format(seconds, peak)),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    record(folder, "claims/lemma3", "start 0.500, compile 0.250, figures 0.000, numerics 1.000")
    record(folder, "claims/lemma4", "start 0.500, compile 0.000, figures 0.000, numerics 2.000", 4.0, 300.0)
    record(folder, "figures/claims", "start 1.000, compile 0.000, figures 8.000, numerics 0.125", peak=200.0)
    (folder / "run.json").write_text("{}")
    return folder


def test_jobs_of_a_kind_are_summed_and_the_dearest_comes_first(logs, tmp_path, capsys):
    assert costs(logs) == [
        KindCost("figures", 1, 1.0, 0.0, 8.0, 0.125, 9.125, 1.5, 200.0),
        KindCost("claims", 2, 1.0, 0.25, 0.0, 3.0, 4.25, 5.5, 300.0),
    ]
    cli.main(["bench", "run", str(logs), "--output", str(tmp_path / "cost.csv")])
    assert read_rows(tmp_path / "cost.csv", KindCost) == costs(logs)
    told = capsys.readouterr().out.splitlines()
    assert told == table(costs(logs))
    assert told[0].split() == ["kind", "jobs", *CAUSES, "CPU-s", "wall", "s", "peak", "MB"]
    assert told[-1].split() == ["in", "all", "3", "2.0", "0.2", "8.0", "3.1", "13.4", "7.0", "300"]


def test_what_is_no_record_is_named(logs, tmp_path):
    with pytest.raises(ValueError, match="no records; expected the logs of a run"):
        costs(tmp_path)
    (logs / "claims/lemma3.log").write_text("killed\n")
    with pytest.raises(ValueError, match=r"claims/lemma3\.log: the last line is not `CPU-seconds: …`"):
        costs(logs)
    record(logs, "claims/lemma3", "start 0.500, compile 0.250, figures 0.000, numerics 1.000")
    (logs / "benchmarks/claims/lemma4.tsv").write_text("s\th:m:s\n")
    with pytest.raises(ValueError, match=r"lemma4\.tsv: no record of Snakemake"):
        costs(logs)


def spent(tmp_path, *words):
    """What a job says that it spent."""
    call = [sys.executable, "-m", "sacrepro.study", *words]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"CPU-seconds:( \w+ \d+\.\d{3},?){4}", last)
    return {cause: float(re.search(rf"{cause} ([\d.]+)", last)[1]) for cause in CAUSES}


def test_each_cause_is_measured_where_it_is(tmp_path, monkeypatch):
    """A figure is figures; kernels compiled for the first time are compile, loaded again they are little of it."""
    rows = [Comparison("relay", "uniform", "", "", 1, kappa, 0.5, 1.0, 0.0) for kappa in (0, 1)]
    write_rows(tmp_path / "lemma3.csv", Comparison, rows)
    drawn = spent(tmp_path, "figure", "lemma3", "lemma3.csv", "--output", "lemma3.svg")
    assert drawn["figures"] > 0.1
    assert drawn["compile"] == 0.0
    assert drawn["start"] > 0.1
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    words = ["exact", "--instance", "a", "--spec", '{"model": "relay", "n": 3, "gamma": 0.5}', "--policies", "1"]
    words += ["--seed", "0", "--scale", "1", "--output", "a.npz"]  # compiles the sweep over pairs of states
    first, again = (spent(tmp_path, *words) for _ in range(2))
    assert first["compile"] > 4 * again["compile"] > 0.0
    assert first["compile"] > first["numerics"]
    assert first["figures"] == again["figures"] == 0.0


def test_a_job_that_fails_says_what_it_spent(tmp_path):
    assert spent(tmp_path, "exact", "--nothing")["start"] > 0.0
