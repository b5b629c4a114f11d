"""`sacrepro bench exact`: time, memory and largest n of each method, every measurement in a process of its own."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sacrepro.bench.families import SIZES, benchmark_mdp
from sacrepro.bench.peers import METHODS


class Timing(NamedTuple):
    """One method on one instance.

    status     : ``ok``, or why there is no number: ``time``, ``memory``, ``absent`` (not installed), ``failed``.
    seconds    : median of the repeats, model and joint matrix included where the method needs them, imports not.
    peak_mb    : the largest resident memory of the process.
    difference : sup-norm distance to this engine's values at the states compared.
    """

    family: str
    n: int
    gamma: float
    method: str
    status: str
    seconds: float
    peak_mb: float
    difference: float


#: Joint states at which methods are compared: the first ones.
COMPARED = 64

#: Agents of the path that is solved first, unmeasured: large enough to reach every compiled kernel.
WARM_UP = 10

#: Seconds a process may take to start, import and warm up, on top of the measured solves.
START_UP = 120.0

NOTHING = float("nan")


def one(method: str, family: str, n: int, gamma: float, repeats: int) -> dict[str, object]:
    """Run one method here and now: seconds of each repeat, peak memory, and values at the first states."""
    solve = METHODS[method]
    solve(benchmark_mdp("path", WARM_UP, gamma))  # imports and compilation
    mdp = benchmark_mdp(family, n, gamma)
    seconds: list[float] = []
    while len(seconds) < repeats:
        start = time.perf_counter()
        V = solve(mdp)
        seconds.append(time.perf_counter() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "peak_mb": peak_mb, "V": V[:, :COMPARED].tolist()}


def measure(
    method: str, family: str, n: int, gamma: float, *, repeats: int, time_limit: float, memory_limit_gb: float
) -> tuple[str, dict[str, object]]:
    """(status, record of `one`) from a fresh process under both limits."""
    command = [sys.executable, "-m", "sacrepro", "bench-one", method, family, str(n), str(repeats), str(gamma)]
    limit = int(memory_limit_gb * 2**30)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=time_limit * repeats + START_UP,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
        )
    except subprocess.TimeoutExpired:
        return "time", {}
    if done.returncode == 0:
        record = json.loads(done.stdout.splitlines()[-1])
        return ("ok" if statistics.median(record["seconds"]) <= time_limit else "time"), record
    if "ModuleNotFoundError" in done.stderr:
        return "absent", {}
    out_of_memory = done.returncode < 0 or "MemoryError" in done.stderr or "bad_alloc" in done.stderr
    return ("memory" if out_of_memory else "failed"), {}


def bench_exact(
    families: Sequence[str],
    gammas: Sequence[float],
    methods: Sequence[str],
    *,
    repeats: int,
    time_limit: float,
    memory_limit_gb: float,
    progress: Callable[[Timing], None],
) -> Iterator[Timing]:
    """Each method on growing instances until it meets a limit or fails; `progress` sees each row as it comes."""
    for family in families:
        for gamma in gammas:
            alive = list(methods)
            for n in SIZES[family]:
                reference: list[list[float]] | None = None
                for method in list(alive):
                    status, record = measure(
                        method,
                        family,
                        n,
                        gamma,
                        repeats=repeats,
                        time_limit=time_limit,
                        memory_limit_gb=memory_limit_gb,
                    )
                    row = timing(family, n, gamma, method, status, record, reference)
                    if method == "engine" and status == "ok":
                        reference = record["V"]  # type: ignore[assignment]
                    if status != "ok":
                        alive.remove(method)
                    progress(row)
                    yield row


def timing(
    family: str,
    n: int,
    gamma: float,
    method: str,
    status: str,
    record: dict[str, object],
    reference: list[list[float]] | None,
) -> Timing:
    """The row of one measurement; numbers are nan where there is nothing to report."""
    seconds, peak_mb, V = record.get("seconds"), record.get("peak_mb"), record.get("V")
    difference = NOTHING
    if reference is not None and isinstance(V, list):
        pairs = (pair for ours, theirs in zip(reference, V, strict=True) for pair in zip(ours, theirs, strict=True))
        difference = max(abs(a - b) for a, b in pairs)
    return Timing(
        family,
        n,
        gamma,
        method,
        status,
        statistics.median(seconds) if isinstance(seconds, list) else NOTHING,
        peak_mb if isinstance(peak_mb, float) else NOTHING,
        difference,
    )
