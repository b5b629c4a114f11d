"""`sacrepro bench …`: benchmarks that anybody can run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sacrepro.study.arguments import (
    Count,
    Discount,
    Family,
    File,
    Ordinal,
    Pair,
    Peer,
    Positive,
    Quantity,
    SacFamily,
    SacMethod,
)


def bench_exact(
    *,
    families: Sequence[Family] | None = None,
    methods: Sequence[Peer] | None = None,
    repeats: Count = 3,
    time_limit: Positive = 60.0,
    memory_limit_gb: Positive = 8.0,
    gammas: Sequence[Discount] = (0.7, 0.9),
    quantities: Sequence[Quantity] | None = None,
    output: File,
) -> None:
    """Time this engine against other tools on the same instances, then what only it computes; one process each."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.bench import exact
    from sacrepro.study.bench.peers import METHODS, SIZES
    from sacrepro.study.bench.quantities import QUANTITIES

    def progress(row: exact.Timing) -> None:
        what = row.method if row.quantity == exact.VALUES else row.quantity
        print(
            f"{row.family:10} n={row.n:<7} γ={row.gamma:<5} {what:32} {row.status:10}"
            f" {row.seconds:10.6f} s (first {row.first_call:.2f}) {row.peak_mb:6.0f} MB"
            f"  difference {row.difference:.1e}  error {row.error:.1e}"
            + (f"  {row.products} products" if row.products else ""),
            flush=True,
        )

    limits: dict[str, Any] = {"repeats": repeats, "time_limit": time_limit, "memory_limit_gb": memory_limit_gb}
    families = list(SIZES) if families is None else families
    rows = list(exact.bench_exact(families, gammas, methods or list(METHODS), **limits, progress=progress))
    names = list(QUANTITIES) if quantities is None else quantities
    rows += exact.bench_quantities(names, **limits, progress=progress)
    for own, peer, ratio in exact.speedups(rows):
        print(f"{own.family:10} n={own.n:<7} γ={own.gamma:<5} {ratio:8.1f} times faster than {peer.method}")
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
) -> None:
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
        families or throughput.FAMILIES,
        sizes or throughput.SIZES,
        kappas or throughput.KAPPAS,
        pairs or throughput.PAIRS,
        methods=methods or throughput.METHODS,
        T=T,
        repeats=repeats,
        time_limit=time_limit,
        memory_limit_gb=memory_limit_gb,
        progress=progress,
    )
    write_rows(output, throughput.Throughput, rows)


def bench_one(
    method: str, name: str, n: Count | None = None, gamma: Discount | None = None, *, repeats: Count = 3
) -> None:
    """One measurement of `bench`, printed as JSON."""
    from sacrepro.study.bench.exact import one, one_quantity

    if method == "quantity":
        print(json.dumps(one_quantity(name, repeats)))
    elif n is None or gamma is None:
        raise ValueError("bench-one: a method needs the number of agents n and the discount gamma behind its family")
    else:
        print(json.dumps(one(method, name, n, gamma, repeats)))
