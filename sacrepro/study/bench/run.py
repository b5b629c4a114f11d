"""What a finished run cost: CPU-seconds by kind of job and by cause, read off the jobs' own records.

The causes are those of `study.spent`, which each job's process measures itself and tells in the last line of its log.
Time and memory are Snakemake's, whose own CPU-seconds are not used: it samples them, and misses what is short.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sacrepro.archive.files import read_text
from sacrepro.study.spent import CAUSES, RECORD


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
    everything = [*rows, total("in all", rows)]
    shown = [
        [row.kind, f"{row.jobs}", *(f"{value:.1f}" for value in row[2:-1]), f"{row.peak_mb:.0f}"] for row in everything
    ]
    head = ["kind", "jobs", *CAUSES, "CPU-s", "wall s", "peak MB"]
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    return [
        "  ".join(
            [line[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in (head, *shown)
    ]
