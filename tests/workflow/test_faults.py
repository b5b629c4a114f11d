"""A run that is killed, starved or tampered with completes with the same bytes, or stops and says why in one line."""

import contextlib
import itertools
import os
import random
import shutil
import subprocess
import sys
import time

import pytest
import yaml
from runs import TINY, contents, environment, run, same, workspace

pytestmark = pytest.mark.slow

KILLS = 10


def ended_before(seconds, folder, *options):
    """Whether a run was done; if not, it was killed then."""
    try:
        done = run(folder, *options, timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    assert done.returncode == 0, done.stdout[-3000:]
    return True


def test_a_run_killed_at_random_moments_completes_with_the_same_bytes(tmp_path, expected):
    """A moment is in units of what a plan takes, so that a busy machine is as far when it comes.

    A run that is done before its moment is begun again in an empty folder, and killed sooner.
    """
    folders = (workspace(tmp_path / f"run{count}") for count in itertools.count())
    folder = next(folders)
    start = time.monotonic()
    assert run(folder, "--dry-run").returncode == 0
    plan, moments, stages = time.monotonic() - start, random.Random(0), set()
    for kill in range(KILLS):
        # The last one holds the lock when it dies, as every run does, and a person unlocks the folder.
        options = ["--nolock"] if kill < KILLS - 1 else []
        while ended_before(plan * moments.uniform(0.5, 3.0), folder, *options):
            folder, plan = next(folders), plan / 2
        made = contents(folder)
        for name, content in made.items():
            assert content == expected[name], f"after kill {kill}, {name} is neither absent nor complete"
        stages.add(len(made))
    assert len(stages) > KILLS / 3, "killed before there was anything to damage"
    assert run(folder, "--unlock").returncode == 0
    done = run(folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert same(contents(folder), expected)
    assert not list((folder / "results").rglob(".*.part")), "half-written files are left"


@contextlib.contextmanager
def small_disk(folder, options):
    """A file system of its own in `folder`."""
    folder.mkdir(parents=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


#: A result of each kind, small and large, text and binary, and what makes it.
SOME = ("claims/lemma3.csv", "traces/stationarity.csv", "figures/lemma4.png", "adversary/lemma3.npz", "formal.csv")


def test_a_full_or_write_protected_disk_stops_the_run_and_no_more(tmp_path, expected):
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = workspace(tmp_path / "run")
    wanted = [f"results/{name}" for name in SOME]
    with small_disk(folder / "results", "ro"):
        for options, complaint in (("", "Read-only file system"), ("rw,size=32k", "No space left on device")):
            if options:
                subprocess.run(["mount", "-o", f"remount,{options}", str(folder / "results")], check=True)
            done = run(folder, *wanted)
            assert done.returncode != 0
            assert complaint in done.stdout, done.stdout[-3000:]
            assert "Traceback" not in done.stdout
            for name, content in contents(folder).items():
                assert content == expected[name], name
        subprocess.run(["mount", "-o", "remount,rw,size=64m", str(folder / "results")], check=True)
        done = run(folder, *wanted)
        assert done.returncode == 0, done.stdout[-3000:]
        made = contents(folder)
        assert set(SOME) <= made.keys()
        assert same(made, {name: expected[name] for name in made})


def test_a_request_beyond_memory_stops_with_one_line(tmp_path):
    config = yaml.safe_load(TINY.read_text())
    config["instances"]["relay"]["spec"] = {"model": "relay", "n": 60, "gamma": 0.5}
    (tmp_path / "large.yaml").write_text(yaml.safe_dump(config))
    folder = workspace(tmp_path / "run")
    done = run(folder, "results/exact/relay.npz", config=tmp_path / "large.yaml")
    assert done.returncode != 0
    assert [line for line in done.stdout.splitlines() if "sacrepro: " in line and "TB, but" in line]
    assert "Traceback" not in done.stdout
    assert not (folder / "results/exact/relay.npz").exists()


def test_the_command_line_says_what_is_wrong_in_one_line(tmp_path):
    (tmp_path / "half.npz").write_bytes(b"PK\3\4 half")
    call = [sys.executable, "-m", "sacrepro", "claim", "lemma3", str(tmp_path / "half.npz"), "--output", "x.csv"]
    done = subprocess.run(call, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "half.npz is not a readable npz file" in done.stderr
