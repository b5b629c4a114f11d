"""What κ costs: sizes of tables, memory, and the time of an outer iteration of SAC, measured on the network itself."""

from __future__ import annotations

import time
from typing import NamedTuple

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, eye_array

from sacrepro.adviser.certificates import adjacency
from sacrepro.adviser.clock import Clock
from sacrepro.adviser.labelled import Network
from sacrepro.learn.algorithm1 import run_compiled
from sacrepro.learn.problem import Problem
from sacrepro.learn.settings import Settings
from sacrepro.model.checks import Array
from sacrepro.simulate.compiled_model import Simulator

#: Members of all N_i^κ together that are listed; 4 bytes each for the learner.
MOST_MEMBERS = 30_000_000
#: Members of neighborhoods' neighborhoods that are merged whatever the clock says, and how many a second are.
FREE_MEMBERS, MEMBERS_A_SECOND = 20_000_000, 50_000_000
#: Agent-steps of a measurement.
MEASURED = 10_000_000
NOTHING = float("nan")


class Cost(NamedTuple):
    """One κ. Sizes of tables are logarithms to base 10, because they outgrow every number.

    hood_median, hood_max       : |N_i^κ|.        whole : agents whose N_i^κ is all they can reach: the full table.
    entries_median, entries_max : log10 of the entries of Q̂_i over (s, a) on N_i^κ; largest : the agent with the most.
    over         : share of agents whose table has more than T entries.
    later_median : the same with actions on N_i^{κ-1} only (`actions_one_hop_later`).
    table_bytes  : log10 of the bytes of all tables in full.
    learner_bytes : bytes this learner needs for an episode: members of all N_i^κ and the trajectory.
    seconds : of one outer iteration with T steps, from measured ones of `measured_T` steps at most; NaN where none was.
    seen : share of the updates of that measurement that were the first of their entry.
    """

    kappa: int
    hood_median: float
    hood_max: float
    whole: float
    entries_median: float
    entries_max: float
    largest: int
    over: float
    later_median: float
    table_bytes: float
    learner_bytes: float
    seconds: float
    measured_T: float
    seen: float


#: The cost of a κ whose neighborhoods are too large to list.
UNCOUNTED = Cost(
    -1, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, -1, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING
)


def costs(network: Network, kappas: int, T: int, clock: Clock, *, timed: bool = True) -> list[Cost]:
    """The cost of κ = 0, 1, … while all N_i^κ can be listed; if `timed`, with iterations measured as time allows."""
    n = network.n
    pairs = np.log10(network.state_sizes * network.action_sizes)
    states = np.log10(network.state_sizes)
    one_hop = (adjacency(network.graph) + eye_array(n, format="csr")).tocsr()
    reach = csr_array(eye_array(n, format="csr"))
    before: Array | None = None
    slowest = 0.0
    reachable = np.zeros(n, dtype=int)
    for piece in nx.connected_components(network.graph):
        reachable[list(piece)] = len(piece)
    simulator: Simulator | None = None
    found: list[Cost] = []
    for kappa in range(kappas):
        if kappa:
            before = reach @ (pairs - states)
            listed = int(np.diff(reach.indptr)[one_hop.indices].sum())
            if listed > 8 * MOST_MEMBERS:
                break
            if listed > FREE_MEMBERS and clock.left() < listed / MEMBERS_A_SECOND:
                clock.stop(f"sizes of tables from κ = {kappa} on")
                break
            wider = reach @ one_hop
            wider.data[:] = 1.0
            if wider.nnz > MOST_MEMBERS:
                break
            reach = wider
        hood, entries = np.diff(reach.indptr), reach @ pairs
        later = reach @ states + ((pairs - states) if before is None else before)
        measured: tuple[float, float, float] = (NOTHING,) * 3
        if found and found[-1].whole == n:
            measured = (found[-1].seconds, found[-1].measured_T, found[-1].seen)
        elif timed and clock.left() > slowest:
            begin = time.monotonic()
            simulator = simulator or network.simulator()
            measured = _iteration(network, simulator, kappa, T)
            # The first one compiles, which the next ones do not.
            slowest = time.monotonic() - begin if kappa else 0.0
        elif timed:
            clock.stop("run time")
        code = 1 if int((network.state_sizes * network.action_sizes).max()) <= 256 else 2
        top = float(entries.max())
        found.append(
            Cost(
                kappa,
                float(np.median(hood)),
                int(hood.max()),
                int((hood == reachable).sum()),
                float(np.median(entries)),
                top,
                int(entries.argmax()),
                float((entries > np.log10(T)).mean()),
                float(np.median(later)),
                top + float(np.log10((10.0 ** (entries - top)).sum() * 8)),
                float(4 * hood.sum() + n * (T + 1) * code),
                *measured,
            )
        )
        clock.reach("sizes of tables", kappa)
    return found


def _iteration(network: Network, simulator: Simulator, kappa: int, T: int) -> tuple[float, int, float]:
    """(processor seconds with T steps, steps measured, share of first visits in those) of an outer iteration."""
    steps = max(10, min(T, MEASURED // network.n))
    theta0 = tuple(np.zeros(r_i.shape) for r_i in network.r)
    opaque = simulator.compiled(1)

    def run(length: int) -> tuple[float, float]:
        problem = Problem(simulator, theta0, Settings(kappa=kappa, T=length, h=1.0, t0=10.0, eta=0.1), (0,))
        begin = time.process_time()
        trace = run_compiled(opaque, problem)[0]
        return time.process_time() - begin, float(trace.first_visit_share[0])

    run(2)  # compiles
    spent, seen = run(steps)
    if steps < T:
        # An iteration has a part that does not grow with T, so two lengths are extrapolated.
        short = max(2, steps // 4)
        spent += max(spent - run(short)[0], 0.0) / (steps - short) * (T - steps)
    return spent, steps, seen
