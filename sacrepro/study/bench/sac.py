"""`sacrepro bench sac`: agent-steps a second of whole outer iterations of Algorithm 1, each in a process of its own.

One outer iteration is lines 2-12: an episode of T steps, n·T updates of line 7, n gradients, n ascents. It counts as
n·T agent-steps a seed. Seconds are processor time, which a busy machine stretches less than the clock; those of two
processes side by side can only be the clock's.
"""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Barrier
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from sacrepro.learn.algorithm1 import run_compiled
from sacrepro.learn.problem import Problem, Settings
from sacrepro.learn.transcription import sac_transcribed
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.notices import meant
from sacrepro.model.policy import uniform_theta
from sacrepro.simulate.rollout import Simulator
from sacrepro.simulate.trajectory import seeds_together
from sacrepro.study.bench.peers import dictionary_sac, in_a_process, refuse_unknown


class Throughput(NamedTuple):
    """One method on one instance.

    method     : ``sac``, one seed; ``sac_seeds``, as many seeds as are run together; ``two_processes``, one seed
                 in each of two processes at once; ``transcription``, the plain Python oracle; ``dictionaries``, in the
                 style of published codes.
    seeds, T   : seeds run together; steps of an episode.
    kernels    : ``own`` where each agent has a kernel of its own, ``shared`` where agents of one degree share one.
    status     : ``ok``, or why there is no number: ``time``, ``memory``, ``failed``. A method that an earlier, smaller
                 instance shows to be too slow for the limit is not started and gets ``time``.
    agent_steps_per_second : seeds·n·T over `seconds`.
    seconds    : median processor time of an outer iteration of all seeds; wall-clock time for ``two_processes``.
    setup_seconds : processor time from the model to the first iteration: thresholds, neighborhoods, scratch.
    peak_mb    : the largest resident memory of one process.
    first_visit_share : share of the updates of line 7 that were the first of their entry, in the iterations measured.
    """

    family: str
    n: int
    S: int
    A: int
    kappa: int
    method: str
    seeds: int
    T: int
    kernels: str
    status: str
    agent_steps_per_second: float
    seconds: float
    setup_seconds: float
    peak_mb: float
    first_visit_share: float


FAMILIES = ("path", "grid")
METHODS = ("sac", "sac_seeds", "two_processes", "transcription", "dictionaries")
SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
KAPPAS = (0, 1, 2)
PAIRS = ((2, 2), (3, 3), (4, 4))

#: Each agent has a kernel of its own up to this many entries in all, that is 128 MiB.
OWN_ENTRIES = 1 << 24

#: A repeat runs whole outer iterations for at least this much processor time.
LEAST_SECONDS = 0.3

#: Whose memory is told: this process and those that it started.
WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)

#: Seconds a process may take to start, import, compile and build its model, on top of the measured iterations.
START_UP = 240.0

STEPS: dict[str, Any] = {"h": 1.0, "t0": 10.0, "eta": 0.1}
GAMMA = 0.9


def throughput_graph(family: str, n: int) -> nx.Graph:
    """The path, or the most nearly square grid numbered row by row, on n agents."""
    if family == "path":
        return nx.path_graph(n)
    if family == "grid":
        rows = next(rows for rows in range(math.isqrt(n), 0, -1) if n % rows == 0)
        columns = n // rows
        graph = nx.empty_graph(n)
        graph.add_edges_from((i, i + 1) for i in range(n) if i % columns != columns - 1)
        graph.add_edges_from((i, i + columns) for i in range(n - columns))
        return graph
    raise ValueError(f"unknown family {family!r}; known are {', '.join(FAMILIES)}{meant(family, FAMILIES)}")


def throughput_mdp(family: str, n: int, S: int, A: int) -> tuple[NetworkedMDP, str]:
    """A model with Dirichlet kernels and uniform rewards, seed n, and whether its kernels are ``own`` or ``shared``."""
    graph = throughput_graph(family, n)
    rng = np.random.default_rng(n)
    degree = [graph.degree(i) for i in range(n)]
    own = sum(S ** (d + 2) * A for d in degree) <= OWN_ENTRIES
    kernels: dict[int, Array] = {}
    P = []
    for i, d in enumerate(degree):
        key = i if own else d
        if key not in kernels:
            draws = rng.standard_exponential((*(S,) * (d + 1), A, S)) + np.finfo(float).tiny
            kernels[key] = draws / draws.sum(axis=-1, keepdims=True)
        P.append(kernels[key])
    r = tuple(rng.uniform(size=(n, S, A)))
    return NetworkedMDP(graph, tuple(P), r, GAMMA, (np.full(S, 1 / S),) * n), "own" if own else "shared"


def iterate(mdp: NetworkedMDP, method: str, kappa: int, T: int) -> tuple[Callable[[int], float], int, float]:
    """(run, seeds, set-up seconds): run(M) performs M outer iterations and returns their share of first visits."""
    theta0 = uniform_theta(mdp)
    if method in ("sac", "sac_seeds", "two_processes"):
        begin = time.process_time()
        simulator = Simulator(mdp)
        seeds = simulator.together if method == "sac_seeds" else 1
        problem = Problem(simulator, theta0, Settings(kappa=kappa, T=T, **STEPS), range(seeds))
        opaque = simulator.compiled(seeds)
        setup = time.process_time() - begin

        def run(M: int) -> float:
            problem.settings = replace(problem.settings, M=M, record_every=M)
            traces = run_compiled(opaque, problem)
            return float(np.mean([trace.first_visit_share for trace in traces]))

        return run, seeds, setup
    if method == "transcription":

        def run(M: int) -> float:
            iterations = sac_transcribed(mdp, theta0, kappa=kappa, M=M, T=T, seed=0, **STEPS)
            return float(np.mean([iteration.first_visit_share for iteration in iterations]))

        return run, 1, 0.0
    if method == "dictionaries":

        def run(M: int) -> float:
            dictionary_sac(mdp, theta0, kappa=kappa, M=M, T=T, seed=0, **STEPS)
            return math.nan

        return run, 1, 0.0
    raise ValueError(f"unknown method {method!r}; known are {', '.join(METHODS)}{meant(method, METHODS)}")


def one(method: str, family: str, n: int, S: int, A: int, kappa: int, T: int, repeats: int) -> dict[str, Any]:
    """Measure one method here and now; the numbers of a `Throughput`."""
    mdp, _ = throughput_mdp("path", 4, S, A)
    for small in (1, 2):  # imports and compilation
        iterate(mdp, method, kappa, T=small)[0](1)
    mdp, kernels = throughput_mdp(family, n, S, A)
    run, seeds, setup = iterate(mdp, method, kappa, T)
    begin = time.process_time()
    share = run(1)
    M = max(1, math.ceil(LEAST_SECONDS / max(time.process_time() - begin, 1e-9)))
    seconds = []
    if method == "two_processes":
        seeds, seconds = 2, [wall / M for wall in side_by_side(run, (family, n, S, A, kappa, T), M, repeats)]
    else:
        for _ in range(repeats):
            begin = time.process_time()
            share = run(M)
            seconds.append((time.process_time() - begin) / M)
    median = statistics.median(seconds)
    return {
        "seeds": seeds,
        "kernels": kernels,
        "agent_steps_per_second": seeds * n * T / median,
        "seconds": median,
        "setup_seconds": setup,
        "peak_mb": max(resource.getrusage(who).ru_maxrss for who in WHO) / 1024,
        "first_visit_share": share,
    }


def side_by_side(
    run: Callable[[int], float], arguments: tuple[str, int, int, int, int, int], M: int, repeats: int
) -> list[float]:
    """Wall-clock seconds of each repeat: this process and a second one run M iterations each, both have ended.

    arguments : (family, n, S, A, κ, T) of the second process.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2, timeout=START_UP)
    second = context.Process(target=_second, args=(barrier, arguments, M, repeats), daemon=True)
    second.start()
    seconds = []
    for _ in range(repeats):
        barrier.wait()
        begin = time.perf_counter()
        run(M)
        barrier.wait()
        seconds.append(time.perf_counter() - begin)
    second.join()
    return seconds


def _second(barrier: Barrier, arguments: tuple[str, int, int, int, int, int], M: int, repeats: int) -> None:
    """The second process of `side_by_side`."""
    family, n, S, A, kappa, T = arguments
    run, _, _ = iterate(throughput_mdp(family, n, S, A)[0], "two_processes", kappa, T)
    run(1)
    for _ in range(repeats):
        barrier.wait()
        run(M)
        barrier.wait()


_PROGRAM = (
    "import json, sys; from sacrepro.study.bench.sac import one; print(json.dumps(one(*json.loads(sys.argv[1]))))"
)


def measure(
    method: str, family: str, n: int, S: int, A: int, kappa: int,
    *, T: int, time_limit: float, repeats: int = 3, memory_limit_gb: float = 8.0,
) -> Throughput:  # fmt: skip
    """The row of one method on one instance, from a fresh process under both limits."""
    arguments = json.dumps([method, family, n, S, A, kappa, T, repeats])
    seconds = (time_limit + LEAST_SECONDS) * (repeats + 1) + START_UP
    limits = {"time_limit": time_limit, "memory_limit_gb": memory_limit_gb}
    status, record = in_a_process(["-c", _PROGRAM, arguments], seconds=seconds, **limits)
    return throughput(method, family, n, S, A, kappa, T, status, record)


def throughput(
    method: str, family: str, n: int, S: int, A: int, kappa: int, T: int, status: str, record: dict[str, Any]
) -> Throughput:
    """The row of one measurement; numbers are nan, seeds 0 and kernels empty where there is nothing to report."""
    told = ("agent_steps_per_second", "seconds", "setup_seconds", "peak_mb", "first_visit_share")
    where = (family, n, S, A, kappa, method, record.get("seeds", 0), T, record.get("kernels", ""), status)
    return Throughput(*where, *(record.get(name, math.nan) for name in told))


def bench_sac(
    families: Sequence[str] = FAMILIES,
    sizes: Sequence[int] = SIZES,
    kappas: Sequence[int] = KAPPAS,
    pairs: Sequence[tuple[int, int]] = PAIRS,
    methods: Sequence[str] = METHODS,
    *,
    T: int = 1000,
    time_limit: float = 60.0,
    **limits: Any,
) -> Iterator[Throughput]:
    """Every method on growing networks of each family, (S, A) and κ.

    time_limit : seconds an outer iteration may take; a method that meets it, or runs out of memory, stops growing.
    limits : repeats and memory_limit_gb, as of `measure`.
    ``sac_seeds`` is skipped where one seed fills the machine's caches, since it is then ``sac``.
    """
    refuse_unknown("family", families, FAMILIES)
    refuse_unknown("method", methods, METHODS)
    for family, (S, A), kappa in itertools.product(families, pairs, kappas):
        last: dict[str, Throughput] = {}
        for n, method in itertools.product(sorted(sizes), methods):
            if method == "sac_seeds" and seeds_together(n) == 1:
                continue
            before = last.get(method)
            if before is not None and (
                before.status != "ok" or before.seeds * n * T > time_limit * before.agent_steps_per_second
            ):
                status = "time" if before.status == "ok" else before.status
                row = throughput(method, family, n, S, A, kappa, T, status, {})
            else:
                row = measure(method, family, n, S, A, kappa, T=T, time_limit=time_limit, **limits)
            last[method] = row
            yield row
