"""`sacrepro bench exact`: time, memory and largest n of each method, every measurement in a process of its own.

All methods compute the n value functions; what only this engine computes follows (`sacrepro.study.bench.quantities`).
"""

from __future__ import annotations

import itertools
import math
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sacrepro.study.bench.peers import METHODS, SIZES, TOLERANCE, benchmark_mdp, in_a_process, refuse_unknown
from sacrepro.study.bench.quantities import QUANTITIES


class Timing(NamedTuple):
    """One method on one instance.

    quantity   : ``V_i`` for all agents, or a name of `sacrepro.study.bench.quantities.QUANTITIES`.
    status     : ``ok``, or why there is no number to use: ``time``, ``memory``, ``absent`` (not installed), ``failed``,
                 ``inaccurate`` (farther from this engine's values than both tolerances explain).
    seconds    : CPU-seconds of the process, one thread, which other work on the machine hardly changes; median of the
                 repeats, model and joint matrix included where the method needs them, imports not.
    peak_mb    : the largest resident memory of the process.
    difference : sup-norm distance to this engine's values at the states compared.
    error      : certified error of the result, nan where the method certifies none.
    products   : the most products with P^θ for one function, 0 where they are not counted.
    first_call : CPU-seconds of the first solve in a fresh process, of a small instance where methods are compared:
                 what is imported and compiled for it, nothing kept from earlier runs.
    """

    quantity: str
    family: str
    n: int
    gamma: float
    method: str
    status: str
    seconds: float
    peak_mb: float
    difference: float
    error: float
    products: int
    first_call: float = math.nan


#: The quantity that every method computes.
VALUES = "V_i"


#: Joint states at which methods are compared: the first ones.
COMPARED = 64

#: What is solved first, to tell what a first call takes; then, unmeasured, what reaches every compiled kernel.
WARM_UP = (("path", 10),)
FIRST = ("path", 4)
ENGINE_WARM_UP = (("path", 14), ("grid_2", 16))

#: A fast solve is repeated until it took this many seconds in all, or so often.
ENOUGH_SECONDS, ENOUGH_REPEATS = 1.0, 10_000

#: Seconds a process may take to start, import and warm up, on top of the measured solves.
START_UP = 120.0

#: What libraries read to run on one thread.
ONE_THREAD = {
    **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def one(method: str, family: str, n: int, gamma: float, repeats: int) -> dict[str, object]:
    """Run one method here and now: seconds of each repeat, peak memory, and values at the first states."""
    refuse_unknown("method", [method], METHODS)
    solve = METHODS[method]
    start = time.process_time()
    solve(benchmark_mdp(*FIRST, gamma))
    first_call = time.process_time() - start
    for warm_up in ENGINE_WARM_UP if method == "engine" else WARM_UP:  # imports and compilation
        solve(benchmark_mdp(*warm_up, gamma))
    mdp = benchmark_mdp(family, n, gamma)
    seconds: list[float] = []
    while len(seconds) < repeats or (sum(seconds) < ENOUGH_SECONDS and len(seconds) < ENOUGH_REPEATS):
        start = time.process_time()
        V = solve(mdp)
        seconds.append(time.process_time() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak_mb, "V": V[:, :COMPARED].tolist(), "first_call": first_call}


def one_quantity(name: str, repeats: int) -> dict[str, object]:
    """Run one of `QUANTITIES` here and now: seconds of each repeat, peak memory, and its certified error."""
    refuse_unknown("quantity", [name], QUANTITIES)
    measured = QUANTITIES[name]
    compute = measured.prepare(measured.make())
    seconds: list[float] = []
    for _ in range(repeats + 1):
        start = time.process_time()
        found = compute()
        seconds.append(time.process_time() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    record = {"seconds": seconds[1:], "peak_mb": peak_mb, "error": found.error, "products": found.products}
    return {**record, "first_call": seconds[0]}


def measure(
    arguments: Sequence[object],
    *,
    repeats: int,
    time_limit: float,
    memory_limit_gb: float,
    compiled: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """(status, record) of ``bench-one`` with these arguments, from a fresh process under both limits.

    compiled : folder of what earlier processes compiled, by default an empty one.
    """
    command = ["-m", "sacrepro", "bench-one", "--repeats", repeats, *arguments]
    seconds, limits = time_limit * repeats + START_UP, {"time_limit": time_limit, "memory_limit_gb": memory_limit_gb}
    with tempfile.TemporaryDirectory() as empty:
        # The exception's name tells why there is no number.
        env = {**os.environ, **ONE_THREAD, "NUMBA_CACHE_DIR": compiled or empty, "SACREPRO_TRACEBACK": "1"}
        return in_a_process(command, seconds=seconds, env=env, **limits)


def bench_exact(
    families: Sequence[str],
    gammas: Sequence[float],
    methods: Sequence[str],
    sizes: Sequence[int] | None = None,
    **limits: Any,
) -> Iterator[Timing]:
    """Each method on growing instances until it meets a limit or fails.

    sizes  : those numbers of agents of `SIZES`; by default all of each family.
    limits : repeats, time_limit and memory_limit_gb, as of `measure`.
    """
    refuse_unknown("family", families, SIZES)
    refuse_unknown("method", methods, METHODS)
    refuse_unknown("size", map(str, sizes or ()), {str(n): n for family in families for n in SIZES[family]})
    with tempfile.TemporaryDirectory() as compiled:
        # The engine's first solve, of `FIRST`, compiles nothing: what its warm-up needs is compiled once for all rows.
        kept = {"engine": compiled}
        for family, gamma in itertools.product(families, gammas):
            alive = list(methods)
            for n in SIZES[family] if sizes is None else [n for n in SIZES[family] if n in sizes]:
                reference: list[list[float]] | None = None
                for method in list(alive):
                    status, record = measure((method, family, n, gamma), compiled=kept.get(method), **limits)
                    row = timing(VALUES, family, n, gamma, method, status, record, reference)
                    if method == "engine" and status == "ok":
                        reference = record["V"]
                    if row.status not in ("ok", "inaccurate"):
                        alive.remove(method)
                    yield row


def bench_quantities(names: Sequence[str], **limits: Any) -> Iterator[Timing]:
    """What this engine alone computes, one process each; limits : as of `measure`."""
    refuse_unknown("quantity", names, QUANTITIES)
    for name in names:
        measured = QUANTITIES[name]
        status, record = measure(("quantity", name), **limits)
        yield timing(name, measured.family, measured.n, measured.gamma, "engine", status, record, None)


def speedups(rows: Sequence[Timing]) -> Iterator[tuple[Timing, Timing, float]]:
    """(engine, peer, how many times faster the engine was) for every value computation of a peer that is right."""
    engine = {(row.family, row.n, row.gamma): row for row in rows if (row.method, row.quantity) == ("engine", VALUES)}
    for row in rows:
        own = engine.get((row.family, row.n, row.gamma))
        if row.method != "engine" and row.status == "ok" and own is not None and own.status == "ok":
            yield own, row, row.seconds / own.seconds


def timing(
    quantity: str,
    family: str,
    n: int,
    gamma: float,
    method: str,
    status: str,
    record: dict[str, Any],
    reference: list[list[float]] | None,
) -> Timing:
    """The row of one measurement; numbers are nan where there is nothing to report."""
    difference = math.nan
    if reference is not None and "V" in record:
        values = zip(reference, record["V"], strict=True)
        pairs = (pair for ours, theirs in values for pair in zip(ours, theirs, strict=True))
        difference = max(abs(a - b) for a, b in pairs)
        # Each of the two may be off by its residual over 1 - γ.
        if status == "ok" and difference > 2 * TOLERANCE * (1 + gamma) / (1 - gamma):
            status = "inaccurate"
    return Timing(
        *(quantity, family, n, gamma, method, status),
        statistics.median(record["seconds"]) if record else math.nan,
        record.get("peak_mb", math.nan),
        difference,
        record.get("error", TOLERANCE if method == "engine" and status == "ok" else math.nan),
        record.get("products", 0),
        record.get("first_call", math.nan),
    )
