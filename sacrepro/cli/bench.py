"""`sacrepro bench …`: benchmarks that anybody can run."""

from __future__ import annotations

import argparse
import json

from sacrepro.cli.verbs import Verbs


def bench_exact(args: argparse.Namespace) -> None:
    """Time this engine against other tools on the same instances, each measurement in a process of its own."""
    from sacrepro.bench import exact
    from sacrepro.bench.families import SIZES
    from sacrepro.bench.peers import METHODS
    from sacrepro.store import write_rows

    def progress(row: exact.Timing) -> None:
        print(
            f"{row.family:10} n={row.n:<3} γ={row.gamma:<4} {row.method:23} {row.status:7}"
            f" {row.seconds:9.4f} s {row.peak_mb:8.0f} MB  difference {row.difference:.1e}",
            flush=True,
        )

    rows = exact.bench_exact(
        args.families or list(SIZES),
        args.gammas,
        args.methods or list(METHODS),
        repeats=args.repeats,
        time_limit=args.time_limit,
        memory_limit_gb=args.memory_limit_gb,
        progress=progress,
    )
    write_rows(args.output, exact.Timing, rows)


def bench_sac(args: argparse.Namespace) -> None:
    """Throughput of Algorithm 1 against its transcription and against dictionaries, in agent-steps a second."""
    from sacrepro.bench import sac as throughput
    from sacrepro.store import write_rows

    def progress(row: throughput.Throughput) -> None:
        print(
            f"{row.family:5} n={row.n:<8} S={row.S} A={row.A} κ={row.kappa} {row.method:14} {row.status:7}"
            f" {row.agent_steps_per_second / 1e6:10.3f} M agent-steps/s {row.peak_mb:8.0f} MB",
            flush=True,
        )

    rows = throughput.bench_sac(
        args.families or throughput.FAMILIES,
        args.sizes or throughput.SIZES,
        args.kappas or throughput.KAPPAS,
        [state_action_counts(text) for text in args.pairs] or throughput.PAIRS,
        methods=args.methods or throughput.METHODS,
        T=args.T,
        repeats=args.repeats,
        time_limit=args.time_limit,
        memory_limit_gb=args.memory_limit_gb,
        progress=progress,
    )
    write_rows(args.output, throughput.Throughput, rows)


def state_action_counts(text: str) -> tuple[int, int]:
    """(S, A) from a text such as ``2,3``; ValueError says what was expected."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"--pairs: expected two numbers of at least 1 such as 2,3, got {text!r}")
    return int(parts[0]), int(parts[1])


def bench_one(args: argparse.Namespace) -> None:
    """One measurement of `bench`, printed as JSON."""
    from sacrepro.bench.exact import one

    print(json.dumps(one(args.method, args.family, args.n, args.gamma, args.repeats)))


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    benchmarks = verbs.family("bench", "Benchmarks that anybody can run.")
    for function in (bench_exact, bench_sac):
        added = benchmarks.add(function, name=function.__name__.removeprefix("bench_"))
        added.add_argument("--families", nargs="*", help="graph families; all by default")
        added.add_argument("--methods", nargs="*", help="methods; all by default")
        added.add_argument("--repeats", type=int, default=3, help="repeats a measurement; the median counts")
        added.add_argument("--time-limit", type=float, default=60.0, help="seconds a repeat")
        added.add_argument("--memory-limit-gb", type=float, default=8.0, help="GiB a process")
        if function is bench_exact:
            added.add_argument("--gammas", nargs="+", type=float, default=[0.7, 0.9], help="discounts")
        else:
            added.add_argument("--sizes", nargs="*", type=int, help="numbers of agents; 10 to a million by default")
            added.add_argument("--kappas", nargs="*", type=int, help="κ; 0, 1, 2 by default")
            added.add_argument("--pairs", nargs="*", default=[], help="S,A such as 2,2; 2,2 3,3 4,4 by default")
            added.add_argument("--T", type=int, default=1000, help="inner loop length")

    added = verbs.add(bench_one, output=False)
    for name in ("method", "family"):
        added.add_argument(name)
    for name in ("n", "repeats"):
        added.add_argument(name, type=int)
    added.add_argument("gamma", type=float)
