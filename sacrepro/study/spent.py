"""CPU-seconds of a job by cause, as the clock of its process counts them: the last line of its log, for `bench run`.

Each moment belongs to the innermost cause. start: the interpreter, and imports until the job's function is called.
compile: numba holds its lock, to compile a kernel or to load one that was. figures: the style sheet of figures is in
force. numerics: everything else, reading and writing and other programs among it.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

CAUSES = ("start", "compile", "figures", "numerics")

#: What the last line of a log begins with.
RECORD = "CPU-seconds:"

_seconds = dict.fromkeys(CAUSES, 0.0)
_causes = ["start"]
_charged = 0.0


def charge() -> None:
    """What was spent since the last call goes to the cause of now."""
    global _charged
    now = time.process_time()
    _seconds[_causes[-1]] += now - _charged
    _charged = now


def enter(cause: str) -> None:
    """From now on `cause`, until `leave`."""
    charge()
    _causes.append(cause)


def leave() -> None:
    """Back to the cause before."""
    charge()
    _causes.pop()


@contextlib.contextmanager
def spent_on(cause: str) -> Iterator[None]:
    """What the process spends meanwhile belongs to a cause."""
    enter(cause)
    try:
        yield
    finally:
        leave()


def watch_compiler() -> None:
    """Once numba is loaded: what it spends under its lock is `compile`."""
    if "numba" not in sys.modules:
        return
    from numba.core import event

    class Watch(event.Listener):  # type: ignore[misc]
        """Of a lock that is taken and given back."""

        def on_start(self, event: Any) -> None:
            enter("compile")

        def on_end(self, event: Any) -> None:
            leave()

    if not any(type(known).__qualname__ == Watch.__qualname__ for known in event._registered["numba:compiler_lock"]):
        event.register("numba:compiler_lock", Watch())


def record() -> str:
    """What was spent on each cause so far, in one line."""
    charge()
    children = os.times()
    found = _seconds | {"numerics": _seconds["numerics"] + children.children_user + children.children_system}
    return f"{RECORD} " + ", ".join(f"{cause} {found[cause]:.3f}" for cause in CAUSES)


# What a finished run cost, read off the jobs' own records. Time and memory are Snakemake's, whose own CPU-seconds are
# not used: it samples them, and misses what is short.


class KindCost(NamedTuple):
    """Of all jobs of one kind: CPU-seconds by cause and in all, seconds on the clock, and the peak of the largest."""

    kind: str
    jobs: int
    start: float
    compile: float
    figures: float
    numerics: float
    cpu: float
    seconds: float
    peak_mb: float


def costs(logs: str | Path) -> list[KindCost]:
    """One row for each kind of job, the dearest first; ValueError names a job without record.

    A job is what has a file in ``benchmarks``: jobs of another configuration that left theirs count, too.
    """
    folder = Path(logs) / "benchmarks"
    found: dict[str, list[KindCost]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        place = path.relative_to(folder).with_suffix("")
        found.setdefault(place.parts[0], []).append(cost(place.parts[0], Path(logs, place).with_suffix(".log"), path))
    if not found:
        raise ValueError(f"{folder}: no records; expected the logs of a run, in which each job has one")
    return sorted((total(kind, rows) for kind, rows in found.items()), key=lambda row: -row.cpu)


def cost(kind: str, log: Path, benchmark: Path) -> KindCost:
    """What one job cost, by the last line of its log and by Snakemake's record."""
    from sacrepro.archive.files import read_text

    last = read_text(log).rstrip("\n").rpartition("\n")[2]
    spent = re.fullmatch(RECORD + ",".join(rf" {cause} (\d+\.\d+)" for cause in CAUSES), last)
    if spent is None:
        raise ValueError(f"{log}: the last line is not `{RECORD} …`, as of a job that ended; make its result again")
    start, compiled, figures, numerics = (float(value) for value in spent.groups())
    cpu = start + compiled + figures + numerics
    lines = list(csv.DictReader(read_text(benchmark).splitlines(), delimiter="\t"))
    try:
        seconds, peak = float(lines[0]["s"]), float(lines[0]["max_rss"])
    except (IndexError, KeyError, TypeError, ValueError):
        raise ValueError(f"{benchmark}: no record of Snakemake, expected columns s and max_rss") from None
    return KindCost(kind, 1, start, compiled, figures, numerics, cpu, seconds, peak)


def total(kind: str, rows: Sequence[KindCost]) -> KindCost:
    """The rows as one."""
    sums = {name: sum(getattr(row, name) for row in rows) for name in KindCost._fields[1:-1]}
    return KindCost(kind=kind, **sums, peak_mb=max(row.peak_mb for row in rows))


def table(rows: Sequence[KindCost]) -> list[str]:
    """The rows and their sum, for a terminal."""
    from sacrepro.model.notices import aligned

    everything = [*rows, total("in all", rows)]
    shown = [
        [row.kind, f"{row.jobs}", *(f"{value:.1f}" for value in row[2:-1]), f"{row.peak_mb:.0f}"] for row in everything
    ]
    head = ["kind", "jobs", *CAUSES, "CPU-s", "wall s", "peak MB"]
    first = max(len(line[0]) for line in (head, *shown))
    return aligned([[line[0].ljust(first), *line[1:]] for line in (head, *shown)])
