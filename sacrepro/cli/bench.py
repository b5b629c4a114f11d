"""`sacrepro bench …`: benchmarks that anybody can run."""

from __future__ import annotations

import argparse
import json

from sacrepro.cli.arguments import COUNT, DISCOUNT, ORDINAL, POSITIVE, Verbs, one_of


def bench_exact(args: argparse.Namespace) -> None:
    """Time this engine against other tools on the same instances, then what only it computes; one process each."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.bench import exact
    from sacrepro.study.bench.peers import METHODS, SIZES
    from sacrepro.study.bench.quantities import QUANTITIES

    def progress(row: exact.Timing) -> None:
        what = row.method if row.quantity == exact.VALUES else row.quantity
        print(
            f"{row.family:10} n={row.n:<7} γ={row.gamma:<5} {what:32} {row.status:10}"
            f" {row.seconds:9.4f} s {row.peak_mb:8.0f} MB  difference {row.difference:.1e}  error {row.error:.1e}"
            + (f"  {row.products} products" if row.products else ""),
            flush=True,
        )

    limits = {name: getattr(args, name) for name in ("repeats", "time_limit", "memory_limit_gb")}
    families = list(SIZES) if args.families is None else args.families
    rows = list(exact.bench_exact(families, args.gammas, args.methods or list(METHODS), **limits, progress=progress))
    names = list(QUANTITIES) if args.quantities is None else args.quantities
    rows += exact.bench_quantities(names, **limits, progress=progress)
    for own, peer, ratio in exact.speedups(rows):
        print(f"{own.family:10} n={own.n:<7} γ={own.gamma:<5} {ratio:8.1f} times faster than {peer.method}")
    write_rows(args.output, exact.Timing, rows)


def bench_sac(args: argparse.Namespace) -> None:
    """Throughput of Algorithm 1 against its transcription and against dictionaries, in agent-steps a second."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.bench import sac as throughput

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
        args.pairs or throughput.PAIRS,
        methods=args.methods or throughput.METHODS,
        T=args.T,
        repeats=args.repeats,
        time_limit=args.time_limit,
        memory_limit_gb=args.memory_limit_gb,
        progress=progress,
    )
    write_rows(args.output, throughput.Throughput, rows)


def state_action_counts(text: str) -> tuple[int, int]:
    """(S, A) from a text such as ``2,3``."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"expected two numbers of at least 1 such as 2,3, got {text!r}")
    return int(parts[0]), int(parts[1])


def bench_one(args: argparse.Namespace) -> None:
    """One measurement of `bench`, printed as JSON."""
    from sacrepro.study.bench.exact import one, one_quantity

    if args.method == "quantity":
        print(json.dumps(one_quantity(args.name, args.repeats)))
    elif args.n is None or args.gamma is None:
        raise ValueError("bench-one: a method needs the number of agents n and the discount gamma behind its family")
    else:
        print(json.dumps(one(args.method, args.name, args.n, args.gamma, args.repeats)))


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    benchmarks = verbs.family("bench", "Benchmarks that anybody can run.")
    for function in (bench_exact, bench_sac):
        added = benchmarks.add(function, name=function.__name__.removeprefix("bench_"))
        if function is bench_exact:
            family, method = (
                one_of("family", "study.bench.peers", "SIZES"),
                one_of("method", "study.bench.peers", "METHODS"),
            )
        else:
            family, method = (
                one_of("family", "study.bench.sac", "FAMILIES"),
                one_of("method", "study.bench.sac", "METHODS"),
            )
        added.add_argument("--families", type=family, nargs="*", help="graph families; all by default")
        added.add_argument("--methods", type=method, nargs="*", help="methods; all by default")
        added.add_argument("--repeats", type=COUNT, default=3, help="repeats a measurement; the median counts")
        added.add_argument("--time-limit", type=POSITIVE, default=60.0, help="seconds a repeat")
        added.add_argument("--memory-limit-gb", type=POSITIVE, default=8.0, help="GiB a process")
        if function is bench_exact:
            quantity = one_of("quantity", "study.bench.quantities", "QUANTITIES")
            added.add_argument("--gammas", nargs="+", type=DISCOUNT, default=[0.7, 0.9], help="discounts")
            added.add_argument(
                "--quantities", type=quantity, nargs="*", help="what only this engine computes; all by default"
            )
        else:
            added.add_argument("--sizes", nargs="*", type=COUNT, help="numbers of agents; 10 to a million by default")
            added.add_argument("--kappas", nargs="*", type=ORDINAL, help="κ; 0, 1, 2 by default")
            added.add_argument(
                "--pairs", type=state_action_counts, nargs="*", help="S,A such as 2,2; 2,2 3,3 4,4 by default"
            )
            added.add_argument("--T", type=COUNT, default=1000, help="inner loop length")

    added = verbs.add(bench_one, output=False)
    added.add_argument("method", help="a method, or `quantity`")
    added.add_argument("name", help="the family, or the name of the quantity")
    added.add_argument("n", type=COUNT, nargs="?", help="number of agents")
    added.add_argument("gamma", type=DISCOUNT, nargs="?", help="discount")
    added.add_argument("--repeats", type=COUNT, default=3, help="repeats; the median counts")
