"""The same run on a SLURM cluster, eight jobs at once, with the same bytes."""

import pytest
from cluster import cluster, obstacle
from runs import SMOKE, contents, run, same, workspace

pytestmark = pytest.mark.slow

#: Snakemake that asks for its jobs every second: the plugin waits ten seconds longer after each question without news.
ASKING = """
import sys
from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

every_second = property(lambda executor: 1, lambda executor, seconds: None)
RemoteExecutor.next_seconds_between_status_checks = every_second
main()
"""


@pytest.mark.skipif(bool(obstacle()), reason=str(obstacle()))
def test_slurm_and_this_machine_give_the_same_bytes(tmp_path, smoke):
    distant = workspace(tmp_path / "distant")
    fast = ["--slurm-init-seconds-before-status-checks", "1"]
    fast += ["--slurm-status-command", "squeue"]  # sacct asks for accounting, which one node does without
    with cluster(tmp_path / "cluster"):
        done = run(distant, "--profile", "workflow/profiles/slurm", *fast, config=SMOKE, program=("-c", ASKING))
    assert done.returncode == 0, done.stdout[-6000:]
    assert "SLURM" in done.stdout
    assert same(smoke, contents(distant))
