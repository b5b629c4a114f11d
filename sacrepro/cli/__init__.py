"""The command line: verbs for people, every job of the workflow by its name; how two runs differ; benchmarks.

A verb loads what it needs when it is called, so that `--help` and a typing error wait for nothing.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sacrepro
from sacrepro.study.__main__ import command as run_command
from sacrepro.study.__main__ import run
from sacrepro.study.arguments import (
    Count,
    Discount,
    Family,
    File,
    NonNegative,
    Ordinal,
    Pair,
    Peer,
    Positive,
    Quantity,
    SacFamily,
    SacMethod,
)
from sacrepro.study.jobs import JOBS, Job, about

#: All that `sacrepro` runs; `bench-one` is a process of `bench`.
VERBS = JOBS | {
    "new": Job("study.your_network:new"),
    "validate": Job("study.your_network:validate"),
    "train": Job("study.your_network:train"),
    "evaluate": Job("study.your_network:evaluate"),
    "check": Job("cli:check"),
    "diff": Job("cli:diff"),
    "release": Job("cli:release"),
    "warm library": Job("study.experiments.sac:warm_library"),
    "bench exact": Job("cli:bench_exact"),
    "bench sac": Job("cli:bench_sac"),
    "bench run": Job("cli:bench_run"),
    "bench-one": Job("cli:bench_one"),
}

#: The verbs that a person calls; every other one is a job of the workflow.
FOR_YOU = ("new", "validate", "advise", "train", "evaluate", "check", "diff", "release", "bench", "warm", "wireless")

#: What verbs of two words have in common.
FAMILIES = {
    "bench": "Benchmarks that anybody can run.",
    "warm": "Compile kernels once, so that first calls and parallel jobs find them in the cache.",
    "wireless": "The published wireless benchmark.",
}

#: Columns of the list of verbs, where the terminal has as many.
WIDTH = 110


def verbs() -> dict[str, str]:
    """What each verb says about itself, by its first word."""
    found = {name: about(name, VERBS)[0] for name in VERBS if " " not in name}
    return found | {
        family: f"{told} One of {', '.join(name.partition(' ')[2] for name in VERBS if name.startswith(f'{family} '))}."
        for family, told in FAMILIES.items()
    }


def listing(title: str, told: Mapping[str, str]) -> str:
    """Verbs under a title, each with the first paragraph of what it says about itself."""
    lines, width = [f"{title}:"], min(WIDTH, shutil.get_terminal_size().columns - 2)
    for name, text in told.items():
        first, words = f"  {name:<16} ", " ".join(text.partition("\n\n")[0].split())
        lines += textwrap.wrap(words, width, initial_indent=first, subsequent_indent=" " * len(first))
    return "\n".join(lines)


def overview() -> str:
    """What there is to call."""
    about_it, told = (sys.modules["sacrepro"].__doc__ or "").split(" The public names")[0], verbs()
    yours = listing("for you", {name: told[name] for name in FOR_YOU})
    others = listing("for the workflow", {name: told[name] for name in told if name not in FOR_YOU})
    last = "sacrepro VERB --help lists the options of a verb."
    return "\n\n".join(["usage: sacrepro VERB …", about_it, yours, others, last])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["-h"], ["--help"], ["--version"]):
        print(f"sacrepro {sacrepro.__version__}" if given[0] == "--version" else overview())
        raise SystemExit(0)
    run(given, VERBS)


def command() -> None:
    """Run the verb of the command line; see `sacrepro.study.__main__.command`."""
    run_command(main)


def diff(one: str, other: str, *, tolerance: NonNegative = 0.0) -> Iterator[str]:
    """Say what differs between two result trees, file by file; exit status 1 if they differ beyond the tolerance."""
    from sacrepro.archive.manifest import tree_differences

    found = list(tree_differences(one, other, tolerance))
    yield from map(str, found)
    yield f"{one} and {other}: {len(found) or 'no'} difference{'s' if len(found) != 1 else ''}"
    if any(line.matters for line in found):
        raise SystemExit(1)


def check(manifest: str) -> Iterator[str]:
    """Compare a results tree with its manifest; exit status 1 if a file is missing, damaged or changed."""
    from sacrepro.archive.manifest import departures, left_out

    path, recorded = recorded_at(manifest)
    found, absent = departures(recorded, path.parent), left_out(recorded, path.parent)
    yield from found
    if absent:
        folders = ", ".join(sorted({name.partition("/")[0] for name in absent}))
        yield f"{len(absent)} files of {folders}: not checked, for there is no such folder beside this one"
    if found:
        raise SystemExit(1)
    yield f"{path}: {len(recorded['files']) - len(absent)} files are as recorded"


def release(manifest: str, *, output: File) -> Iterator[str]:
    """Pack a results tree with its manifest and figures into one zip file; exit status 1 if it is not as recorded.

    The same results give the same bytes.
    """
    from sacrepro.archive.files import write_zip
    from sacrepro.archive.manifest import departures, left_out, place

    path, recorded = recorded_at(manifest)
    found = departures(recorded, path.parent) + [
        f"{name}: missing, its folder is not beside this one" for name in sorted(left_out(recorded, path.parent))
    ]
    yield from found
    if found:
        raise SystemExit(1)
    members = {name: place(name, recorded, path.parent) for name in sorted(recorded["files"])}
    write_zip(output, {f"{recorded.get('tree') or 'results'}/manifest.json": path, **members})
    yield f"{output}: {len(members)} files and their manifest"


def recorded_at(name: str) -> tuple[Path, dict[str, Any]]:
    """The manifest of a results tree, given by its own name or by its folder's, and where it is."""
    from sacrepro.archive.files import record_of

    path = Path(name)
    path = path / "manifest.json" if path.is_dir() else path
    recorded = record_of("manifest", str(path), "files")
    files = recorded["files"]
    if not isinstance(files, dict) or not all(isinstance(own, dict) and "sha256" in own for own in files.values()):
        raise ValueError(f"{path}: files must hold a sha256 for each file; expected a file of `manifest`")
    return path, recorded


# Benchmarks that anybody can run.


def bench_exact(
    *,
    families: Sequence[Family] | None = None,
    methods: Sequence[Peer] | None = None,
    repeats: Count = 3,
    time_limit: Positive = 60.0,
    memory_limit_gb: Positive = 8.0,
    gammas: Sequence[Discount] = (0.7, 0.9),
    sizes: Sequence[Count] | None = None,
    quantities: Sequence[Quantity] | None = None,
    output: File,
) -> Iterator[str]:
    """Time this engine against other tools on the same instances, then what only it computes; one process each."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.bench import exact
    from sacrepro.study.bench.peers import METHODS, SIZES
    from sacrepro.study.bench.quantities import QUANTITIES

    limits: dict[str, Any] = {"repeats": repeats, "time_limit": time_limit, "memory_limit_gb": memory_limit_gb}
    chosen = list(SIZES) if families is None else families, gammas, methods or list(METHODS)
    names = list(QUANTITIES) if quantities is None else quantities
    rows: list[exact.Timing] = []
    for row in itertools.chain(exact.bench_exact(*chosen, sizes, **limits), exact.bench_quantities(names, **limits)):
        what = row.method if row.quantity == exact.VALUES else row.quantity
        rows.append(row)
        yield (
            f"{row.family:10} n={row.n:<7} γ={row.gamma:<5} {what:32} {row.status:10}"
            f" {row.seconds:10.6f} s (first {row.first_call:.2f}) {row.peak_mb:6.0f} MB"
            f"  difference {row.difference:.1e}  error {row.error:.1e}"
            + (f"  {row.products} products" if row.products else "")
        )
    for own, peer, ratio in exact.speedups(rows):
        yield f"{own.family:10} n={own.n:<7} γ={own.gamma:<5} {ratio:8.1f} times faster than {peer.method}"
    write_rows(output, exact.Timing, rows)


def bench_sac(
    *,
    families: Sequence[SacFamily] | None = None,
    methods: Sequence[SacMethod] | None = None,
    repeats: Count = 3,
    time_limit: Positive = 60.0,
    memory_limit_gb: Positive = 8.0,
    sizes: Sequence[Count] | None = None,
    kappas: Sequence[Ordinal] | None = None,
    pairs: Sequence[Pair] | None = None,
    T: Count = 1000,
    output: File,
) -> Iterator[str]:
    """Throughput of Algorithm 1 against its transcription and against dictionaries, in agent-steps a second."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.bench import sac as throughput

    rows: list[throughput.Throughput] = []
    for row in throughput.bench_sac(
        families or throughput.FAMILIES,
        sizes or throughput.SIZES,
        kappas or throughput.KAPPAS,
        pairs or throughput.PAIRS,
        methods=methods or throughput.METHODS,
        T=T,
        repeats=repeats,
        time_limit=time_limit,
        memory_limit_gb=memory_limit_gb,
    ):
        rows.append(row)
        yield (
            f"{row.family:5} n={row.n:<8} S={row.S} A={row.A} κ={row.kappa} {row.method:14} {row.status:7}"
            f" {row.agent_steps_per_second / 1e6:10.3f} M agent-steps/s {row.peak_mb:8.0f} MB"
        )
    write_rows(output, throughput.Throughput, rows)


def bench_run(logs: str = "logs", *, output: File | None = None) -> Iterator[str]:
    """CPU-seconds of a finished run by kind of job and by cause, which each job has told in the last line of its log.

    start: the interpreter, and imports until the job's function is called. compile: kernels compiled, or loaded where
    they were before. figures: drawn and written. numerics: the rest, with reading, writing and other programs.
    """
    from sacrepro.archive.files import write_rows
    from sacrepro.study.spent import KindCost, costs, table

    rows = costs(logs)
    yield from table(rows)
    if output:
        write_rows(output, KindCost, rows)


def bench_one(
    method: str, name: str, n: Count | None = None, gamma: Discount | None = None, *, repeats: Count = 3
) -> Iterator[str]:
    """One measurement of `bench`, printed as JSON."""
    from sacrepro.study.bench.exact import one, one_quantity

    if method == "quantity":
        yield json.dumps(one_quantity(name, repeats))
    elif n is None or gamma is None:
        raise ValueError("bench-one: a method needs the number of agents n and the discount gamma behind its family")
    else:
        yield json.dumps(one(method, name, n, gamma, repeats))
