"""What Algorithm 1 is to be run with: h, t0, η, M and T where they are not given, each with its reason in words.

Theorem 5's own conditions ask for more than a run can pay (T of 10^6 and more, η below 1/(4L')): what is taken from it
is the shape of the critic's steps, t0 ≥ 2h, and the scale of h, (1/σ) max(2, 1/(1-√γ)), where episodes are so long.

What κ costs, sizes of tables, memory and the time of an outer iteration, is measured on the network itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array

from sacrepro.adviser.certificates import eccentricity_of
from sacrepro.adviser.clock import Clock, preparing, working
from sacrepro.bounds.theorem5 import least_h, smoothness
from sacrepro.instances.network.labelled import Network, of_each
from sacrepro.learn.algorithm1 import run_compiled
from sacrepro.learn.problem import Problem, Settings
from sacrepro.learn.samples import samples
from sacrepro.model.checks import Array
from sacrepro.model.notices import beyond_diameter, in_one_line, power, rounded
from sacrepro.simulate.rollout import Simulator

#: Steps of an episode at most and discounted horizons 1/(1-γ) at least, where T is proposed; visits an entry.
LONGEST, HORIZONS, VISITS = 1000, 10.0, 10.0
#: h is at most this share of T, so that α_t falls from 1/2 to 1/12 within an episode.
SHARE = 0.1
#: Outer iterations that are proposed, and agent-steps that they may take in all runs.
ITERATIONS, AGENT_STEPS = (2000, 1000, 500, 200, 100), 4_000_000_000
#: Episodes behind the scale of ĝ, and logits that its noise may move one by, as a standard deviation over all M.
PROBES, WANDER = 32, 0.5
#: Seeds of episodes that no run learns from: those of the scale of ĝ, and those that returns are judged by.
PROBING, FRESH = 1 << 62, 1 << 63


@in_one_line
class Proposal(NamedTuple):
    """Arguments of `sac`, and one sentence for each."""

    M: int
    T: int
    h: float
    t0: float
    eta: float
    reasons: tuple[str, ...]


def sizes_for(network: Network, kappas: Sequence[int]) -> list[Cost]:
    """The sizes of the tables of κ = 0, …, the largest; ValueError for a κ that is none, too large or there twice."""
    if not kappas:
        raise ValueError("kappa: expected one κ or more, got none")
    for kappa in kappas:
        Settings(kappa=kappa)
        if list(kappas).count(kappa) > 1:
            raise ValueError(f"kappa: {kappa} is asked for twice")
    largest, farthest = max(kappas), int(eccentricity_of(network).max())
    if largest > farthest:
        raise ValueError(f"{beyond_diameter(largest, farthest)}; expected at most {farthest}")
    sizes = table_sizes(network, largest + 1)
    if len(sizes) <= largest:
        raise ValueError(
            f"kappa: the neighborhoods of κ = {len(sizes)} are too many to list; expected at most {len(sizes) - 1}"
        )
    return sizes


def table_sizes(network: Network, kappas: int, seconds: float = math.inf) -> list[Cost]:
    """The sizes of all Q̂_i for κ = 0, 1, …, `kappas` of them, or fewer where neighborhoods are too large to list."""
    return costs(network, kappas, 1, Clock(seconds))


def proposal(
    network: Network,
    simulator: Simulator | None,
    kappas: Sequence[int],
    *,
    seeds: int,
    M: int | None = None,
    T: int | None = None,
    h: float | None = None,
    t0: float | None = None,
    eta: float | None = None,
    longest: int = LONGEST,
    sizes: Sequence[Cost] = (),
) -> Proposal:
    """What is given, and a value and a reason for what is not; the same for every κ, so that returns compare.

    simulator : of the network, for η: None where that is given.        seeds : runs a κ.
    longest : most steps of an episode that are proposed.        sizes : `sizes_for`, where they are known.
    Raises ValueError naming the argument that makes no sense.
    """
    sizes = sizes or sizes_for(network, kappas)
    gamma, n, largest = network.gamma, network.n, max(kappas)
    entries = sizes[largest].entries_median
    reasons = []
    if T is None:
        least = math.ceil(HORIZONS / (1.0 - gamma))
        wanted = 10.0 ** min(entries + math.log10(VISITS), 12.0)
        T = int(max(least, min(round(wanted), longest)))
        reasons.append(
            f"T = {T:,}: {VISITS:g} visits an entry of the median table at κ = {largest} would take "
            f"{power(entries + 1)} steps; at least {HORIZONS:g} horizons 1/(1-γ), at most {longest:,} steps"
        )
    if h is None:
        visited = least_h(10.0 ** -min(entries, 12.0), gamma)
        h = min(max(1.0, SHARE * T), visited)
        if t0 is not None:
            h = min(h, 0.5 * t0)
        reasons.append(
            f"h = {h:g}: Theorem 5 asks for h ≥ (1/σ) max(2, 1/(1-√γ)), that is {rounded(math.ceil(visited))} if all "
            f"entries of the median table at κ = {largest} are visited alike; at most T/{1 / SHARE:g}, so that "
            "α_t = h/(t+t0) falls to 1/12 or less in an episode"
        )
    if t0 is None:
        t0 = 2.0 * h
        reasons.append(f"t0 = {t0:g}: 2h, the least that Theorem 5 allows; α_0 = 1/2")
    if M is None:
        work = n * T * len(kappas) * seeds
        M = next((count for count in ITERATIONS if count * work <= AGENT_STEPS), ITERATIONS[-1])
        reasons.append(
            f"M = {M:,}: noise averages out over iterations, so as many of {written(ITERATIONS)} as keep "
            f"all runs, {len(kappas) * seeds} of them, below {rounded(AGENT_STEPS)} agent-steps"
        )
    if eta is None:
        Settings(kappa=largest, M=M, T=T, h=h, t0=t0)
        assert simulator is not None
        eta, noise = step(network, simulator, min(kappas), M=M, T=T, h=h, t0=t0)
        reasons.append(
            "η = 1: ĝ does not vary at θ = 0, so that nothing tells its scale"
            if noise == 0.0
            else f"η = {eta:.3g}: one ĝ has entries of standard deviation {noise:.3g} at θ = 0, and M steps η/√(m+1) "
            f"of such noise move a logit by {WANDER:g}"
        )
    Settings(kappa=largest, M=M, T=T, h=h, t0=t0, eta=eta)
    L_prime = smoothness(network.r_bar, gamma)
    if eta * L_prime > 1.0:
        reasons.append(
            f"η = {eta:g} is above 1/L' = {1.0 / L_prime:.2g}: the theory covers no such step, Theorem 5 only "
            f"η ≤ 1/(4L') = {0.25 / L_prime:.2g}"
        )
    return Proposal(M, T, h, t0, eta, tuple(reasons))


def step(
    network: Network, simulator: Simulator, kappa: int, *, M: int, T: int, h: float, t0: float
) -> tuple[float, float]:
    """(η, standard deviation of an entry of ĝ at θ = 0): noise alone then moves a logit by `WANDER` in M iterations.

    Σ_{m<M} 1/(m+1) is about log M + .58. Where ĝ never varies, as with rewards of 0, η is 1.
    """
    theta = [np.zeros(r_i.shape) for r_i in network.r]
    probes = range(PROBING, PROBING + PROBES)
    g_hat = samples(simulator, theta, 0, kappa=kappa, T=T, h=h, t0=t0, seeds=probes).g_hat
    noise = math.sqrt(float(np.mean([block.var(axis=0, ddof=1).mean() for block in g_hat])))
    if noise == 0.0:
        return 1.0, 0.0
    eta = WANDER / (noise * math.sqrt(math.log(M) + 0.58))
    digits = 1 - math.floor(math.log10(eta))
    return round(eta, digits), noise


def written(counts: Sequence[int]) -> str:
    """Counts one after the other."""
    return ", ".join(map(rounded, counts))


#: Members of all N_i^κ together that are listed; 4 bytes each for the learner.
MOST_MEMBERS = 30_000_000
#: Members of neighborhoods' neighborhoods that are merged whatever the clock says, and how many a second are.
FREE_MEMBERS, MEMBERS_A_SECOND = 20_000_000, 50_000_000
#: Agent-steps of a measurement, and agents a second for whom one is prepared and run.
MEASURED, TIMED_A_SECOND = 10_000_000, 40_000


class Cost(NamedTuple):
    """One κ. Sizes of tables are logarithms to base 10, because they outgrow every number.

    hood_median, hood_max       : |N_i^κ|.        whole : of all agents, whose N_i^κ is all they can reach: full tables.
    entries_median, entries_max : log10 of the entries of Q̂_i over (s, a) on N_i^κ.
    over         : share of agents whose table has more than T entries.
    later_median : the same with actions on N_i^{κ-1} only (`actions_one_hop_later`).
    often        : log10 of a probability that no entry of half of the tables exceeds in a step, whatever came before,
        under the uniform policy: the median of Π_{j∈N_i^κ} q_j, q_j = max P_j/A_j.
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
    over: float
    later_median: float
    often: float
    table_bytes: float
    learner_bytes: float
    seconds: float
    measured_T: float
    seen: float


#: The cost of a κ whose neighborhoods are too large to list.
UNCOUNTED = Cost._make([-1 if name == "kappa" else math.nan for name in Cost._fields])


def costs(
    network: Network,
    kappas: int,
    T: int,
    clock: Clock,
    simulator: Callable[[], Simulator] | None = None,
    agents: Sequence[int] = (),
) -> list[Cost]:
    """The cost of κ = 0, 1, … while all N_i^κ can be listed; with a `simulator`, iterations measured as time allows.

    agents : whose tables are told, all by default; bytes and seconds are of all, who learn together.
    """
    n = network.n
    about = list(agents) or slice(None)
    pairs = np.log10(network.state_sizes * network.action_sizes)
    states = np.log10(network.state_sizes)
    likeliest = np.log10(likeliest_pairs(network))
    one_hop = (network.adjacency + eye_array(n, format="csr")).tocsr()
    reach = csr_array(eye_array(n, format="csr"))
    before: Array | None = None
    slowest = 0.0
    reachable = np.zeros(n, dtype=int)
    for piece in network.pieces:
        reachable[piece] = len(piece)
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
        measured: tuple[float, float, float] = (math.nan,) * 3
        if found and found[-1].whole == n:
            measured = (found[-1].seconds, found[-1].measured_T, found[-1].seen)
        elif simulator and clock.left() > max(slowest, n / TIMED_A_SECOND):
            played, begin = simulator(), working()
            measured = _iteration(network, played, kappa, T)
            slowest = working() - begin
        elif simulator:
            clock.stop("run time")
        code = 1 if int((network.state_sizes * network.action_sizes).max()) <= 256 else 2
        top, told = float(entries.max()), entries[about]
        found.append(
            Cost(
                kappa,
                float(np.median(hood[about])),
                int(hood[about].max()),
                int((hood == reachable).sum()),
                float(np.median(told)),
                float(told.max()),
                float((told > np.log10(T)).mean()),
                float(np.median(later[about])),
                float(np.quantile((reach @ likeliest)[about], 0.5, method="higher")),
                top + float(np.log10((10.0 ** (entries - top)).sum() * 8)),
                float(4 * hood.sum() + n * (T + 1) * code),
                *measured,
            )
        )
        clock.reach("sizes of tables", kappa)
    return found


def likeliest_pairs(network: Network) -> Array:
    """max P_j/A_j, the largest probability of any next (s_j, a_j) under the uniform policy, for every agent."""
    largest = np.empty(network.n)
    for g, kernel in enumerate(network.groups):
        members = network.group == g
        largest[members] = kernel.laws.reshape(len(kernel.laws), -1).max(axis=1)[network.row[members]]
    for i, table in network.tables.items():
        largest[i] = table.max()
    return largest / network.action_sizes


def _iteration(network: Network, simulator: Simulator, kappa: int, T: int) -> tuple[float, int, float]:
    """(processor seconds with T steps, steps measured, share of first visits in those) of an outer iteration."""
    steps = max(10, min(T, MEASURED // network.n))
    theta0 = tuple(of_each(np.zeros_like, network.r))
    opaque = simulator.compiled(1)

    def run(length: int) -> tuple[float, float]:
        """Of a run for which no kernel had to be compiled or loaded: which are needed hangs on T and on the tables."""
        problem = Problem(simulator, theta0, Settings(kappa=kappa, T=length, h=1.0, t0=10.0, eta=0.1), (0,))
        prepared, begin = preparing(), time.process_time()
        trace = run_compiled(opaque, problem)[0]
        spent = time.process_time() - begin
        return (spent, float(trace.first_visit_share[0])) if preparing() == prepared else run(length)

    spent, seen = run(steps)
    if steps < T:
        # An iteration has a part that does not grow with T, so two lengths are extrapolated.
        short = max(2, steps // 4)
        spent += max(spent - run(short)[0], 0.0) / (steps - short) * (T - steps)
    return spent, steps, seen
