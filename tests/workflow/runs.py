"""Whole runs of the workflow in folders of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from forked import snakemake

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/workflow/tiny.yaml"
EVERY_RULE = ROOT / "tests/workflow/every_rule.yaml"
SMOKE = ROOT / "workflow/config/smoke.yaml"
#: What a run needs besides the installed package.
SOURCES = ("Snakefile", "workflow", "profiles", "paper")


def workspace(folder):
    """`folder` with the workflow in it, and no results."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        (folder / name).symlink_to(ROOT / name)
    return folder


def command(*options, config=TINY, cores=2, program=("-m", "snakemake")):
    """The command line of a run."""
    cli = [sys.executable, *program, "--cores", str(cores), *map(str, options)]
    return [*cli, "--configfile", str(config)]  # last, because it takes every word after it


def environment(PYTHONPATH="", **more):
    """One BLAS thread, and this package first, but for what is to come before it."""
    python_path = os.pathsep.join(filter(None, (PYTHONPATH, str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": python_path} | more


def run(folder, *options, config=TINY, cores=2, timeout=1500, program=None, own=False, **more):
    """A run in `folder`, with more in its environment; its output is text.

    program : Python's options that make another program of it, in a process of its own.
    own : whether each job has a process of its own from the start, and with it a seed of its own for its hashes.
    """
    if program is None:
        words = command(*options, config=config, cores=cores)[3:]
        return snakemake(*words, cwd=folder, env=environment(**more), merged=True, timeout=timeout, jobs=not own)
    return subprocess.run(
        command(*options, config=config, cores=cores, program=program),
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def shared(temporary):
    """The folder that all processes of this session see."""
    base = temporary.getbasetemp()
    return base.parent / "shared" if "PYTEST_XDIST_WORKER" in os.environ else base


def finished_once(temporary, name, *targets, after=None, **options):
    """The folder of a complete run, made by whichever process of this session asks first; to be read, or copied.

    after : a finished run, in a copy of which this one makes its targets. The folder lies as deep as the `run` of a
    test's own folder, because inputs beside the Snakefile have relative names.
    """
    folder = shared(temporary) / name / "run"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = folder.with_suffix(".new")
            new = copy(after, new) if after else workspace(new)
            done = run(new, *targets, **options)
            assert done.returncode == 0, done.stdout[-3000:]
            new.rename(folder)
    return folder


def copy(finished, folder):
    """A copy of a finished run."""
    return shutil.copytree(finished, folder, symlinks=True)


def contents(folder):
    """The bytes of every result that a reader sees, by its path."""
    root = Path(folder) / "results"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def same(one, other):
    """Whether two results trees are the same; names what differs."""
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    return True
