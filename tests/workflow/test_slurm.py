"""The same run on a SLURM cluster, with the same bytes."""

import importlib.util

import pytest
from cluster import cluster, obstacle
from runs import SMOKE, contents, run, same, workspace

pytestmark = pytest.mark.slow

PLUGIN = "snakemake_executor_plugin_slurm"


@pytest.mark.skipif(bool(obstacle()), reason=str(obstacle()))
@pytest.mark.skipif(importlib.util.find_spec(PLUGIN) is None, reason="pip install -r requirements.lock")
def test_slurm_and_this_machine_give_the_same_bytes(tmp_path, smoke):
    distant = workspace(tmp_path / "distant")
    fast = ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
    fast += ["--slurm-status-command", "squeue"]  # sacct asks for accounting, which one node does without
    with cluster(tmp_path / "cluster"):
        done = run(distant, "--profile", "workflow/profiles/slurm", *fast, config=SMOKE)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "SLURM" in done.stdout
    assert same(smoke, contents(distant))
