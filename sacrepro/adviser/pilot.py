"""Which κ earns most? Algorithm 1 for every κ and seed, J of what it learned, the smallest κ not shown to earn less.

Every κ gets the same episodes (M, T), so the answer is for these samples: with more of them larger tables gain.

What a training was run with, what each κ earned, and which κ follows, are told in words, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from sacrepro.adviser.certificates import eccentricity_of
from sacrepro.adviser.clock import working
from sacrepro.adviser.evaluation import CONFIDENCE, Objective, Return, half_width
from sacrepro.adviser.settings import FRESH, ITERATIONS, Cost, Proposal, proposal, table_sizes, written
from sacrepro.instances.network.labelled import Network, of_each
from sacrepro.learn.algorithm1 import sac_seeds
from sacrepro.learn.problem import SACTrace, check_seed
from sacrepro.model.checks import Array
from sacrepro.model.notices import aligned, brief, rounded
from sacrepro.simulate.rollout import Simulator

#: κ = 0, 1, … that a pilot tries, seeds for each, steps of its episodes at most, and bits of what it solves exactly.
KAPPAS, SEEDS, LONGEST, BITS = 4, 4, 400, 14.0
#: Returns that differ by less than this share are equal up to rounding.
ROUNDING = 1e-9
#: Agent-steps a second that no run exceeds: what would be too slow even so is not begun.
FASTEST = 5e8
#: Outer iterations that are timed.
TRIAL = 11
#: A pilot tries a κ as long as the median table has at most so many entries, log10.
LARGEST_TABLE = 5.0


class RunRow(NamedTuple):
    """One run of Algorithm 1: J(θ(M)) in [low, high], as `Return` has it; first visits of its last iteration."""

    kappa: int
    seed: int
    J: float
    low: float
    high: float
    method: str
    first_visit_share: float


class KappaReturn(NamedTuple):
    """One κ over its seeds: mean J(θ(M)), standard deviation between seeds, 95 % interval of the mean; NaN for one."""

    kappa: int
    seeds: int
    J: float
    spread: float
    low: float
    high: float


class Trained(NamedTuple):
    """What a question about returns comes to.

    start  : J at θ = 0, the uniform policy.        runs, thetas : one an entry for each κ and seed.
    best   : the smallest κ that is not shown to earn less than another.
    gains  : whether its mean is above the start beyond noise.
    """

    proposal: Proposal
    start: Return
    runs: tuple[RunRow, ...]
    thetas: tuple[tuple[Array, ...], ...]
    rows: tuple[KappaReturn, ...]
    best: int
    gains: bool

    def __repr__(self) -> str:
        return brief(self)


class Pilot(NamedTuple):
    """The return's answer to which κ: `trained`, without its θ, is None where there was no time, as `note` says."""

    trained: Trained | None
    note: str


def learned(
    simulator: Simulator, theta0: Sequence[Array], settings: Proposal, kappa: int, seeds: Sequence[int]
) -> tuple[SACTrace, ...]:
    """Algorithm 1 with these settings for every seed, recorded at its start and end alone."""
    M, T, h, t0, eta, _ = settings
    return sac_seeds(simulator, theta0, kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=M, seeds=seeds)


def trained(
    network: Network,
    simulator: Simulator,
    objective: Objective,
    settings: Proposal,
    kappas: Sequence[int],
    seeds: Sequence[int],
    told: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Algorithm 1 from θ = 0 for every κ and seed, and J of each result.

    told : is called with a line of progress.
    """
    for seed in seeds:
        if check_seed(seed) >= FRESH >> 1:
            raise ValueError(f"seed must lie below 2^62, from where on episodes are fresh, got {seed}")
    theta0 = tuple(of_each(np.zeros_like, network.r))
    start = objective(theta0)
    runs: list[RunRow] = []
    thetas: list[tuple[Array, ...]] = []
    together, total = simulator.together, len(kappas) * len(seeds)
    for kappa in kappas:
        for low in range(0, len(seeds), together):
            batch = seeds[low : low + together]
            which = f"seeds {batch[0]} to {batch[-1]}" if len(batch) > 1 else f"seed {batch[0]}"
            told(f"κ = {kappa}, {which}: {len(runs)} of {total} runs done")
            for seed, trace in zip(batch, learned(simulator, theta0, settings, kappa, batch), strict=True):
                found = objective(trace.theta, run=len(runs) + 1)
                runs.append(RunRow(kappa, seed, *found, float(trace.first_visit_share[-1])))
                thetas.append(trace.theta)
    rows = tuple(kappa_returns(runs, network.r_bar / (1.0 - network.gamma)))
    chosen = best(rows)
    J = np.array([run.J for run in runs if run.kappa == chosen])
    noise = math.hypot(half_width(J), max(start.high - start.J, start.J - start.low)) if len(J) > 1 else 0.0
    return Trained(settings, start, tuple(runs), tuple(thetas), rows, chosen, noise < float(J.mean()) - start.J)


def kappa_returns(runs: Sequence[RunRow], most: float = math.inf) -> Iterator[KappaReturn]:
    """One row a κ, in the order of the runs. most : r̄/(1-γ), above which no J is, as none is below 0."""
    for kappa in dict.fromkeys(run.kappa for run in runs):
        J = np.array([run.J for run in runs if run.kappa == kappa])
        mean, nothing = float(J.mean()), math.nan
        if len(J) < 2:
            yield KappaReturn(kappa, 1, mean, nothing, nothing, nothing)
            continue
        half = half_width(J)
        yield KappaReturn(kappa, len(J), mean, float(J.std(ddof=1)), max(mean - half, 0.0), min(mean + half, most))


def best(rows: Sequence[KappaReturn]) -> int:
    """The smallest κ that is not shown to earn less than the κ of the largest mean return."""
    return min(not_below(rows))


def not_below(rows: Sequence[KappaReturn]) -> list[int]:
    """The κ whose mean return is below the largest by no more than the noise of their difference.

    Noise: Student's quantile at 95 % times √(sd²/seeds + sd²/seeds). With one seed a κ there is no noise to go by, and
    the largest return is taken.
    """
    top, found = max(rows, key=lambda row: row.J), []
    for row in rows:
        if row.seeds > 1 and top.seeds > 1:
            error = math.sqrt(row.spread**2 / row.seeds + top.spread**2 / top.seeds)
            allowed = float(stdtrit(row.seeds + top.seeds - 2, 0.5 + 0.5 * CONFIDENCE)) * error
        else:
            allowed = 0.0
        if max(allowed, ROUNDING * abs(top.J)) >= top.J - row.J:
            found.append(row.kappa)
    return found


def pilot(
    network: Network,
    *,
    seconds: float,
    seed: int = 0,
    simulator: Callable[[], Simulator] | None = None,
    sizes: Sequence[Cost] = (),
) -> Pilot:
    """A short run of Algorithm 1 at κ = 0, 1, … that ends within about `seconds`, or a sentence on why there is none.

    simulator : makes that of the network, by default anew.        sizes : `table_sizes`, where they are known.
    The network decides which κ are tried and how long episodes are, the clock only how many outer iterations of a few
    given numbers, so two pilots that could afford the same are the same.
    """
    begin = working()
    if seconds <= 0.0:
        return Pilot(None, "no time was left for it; more --seconds make one")
    tried = min(KAPPAS, int(eccentricity_of(network).max()) + 1)
    sizes = sizes[:tried] if len(sizes) >= tried else table_sizes(network, tried, seconds)
    kappas = [cost.kappa for cost in sizes if cost.kappa == 0 or cost.entries_median <= LARGEST_TABLE]
    settings = proposal(network, None, kappas, seeds=SEEDS, M=1, eta=1.0, longest=LONGEST, sizes=sizes)
    # More than what preparing takes, agent for agent: where this fits, so does that.
    needed = network.n * settings.T * SEEDS * len(kappas) * ITERATIONS[-1] / FASTEST
    if needed > seconds - (working() - begin):
        return Pilot(None, _too_slow(needed, "or more"))
    try:
        played = simulator() if simulator else network.simulator()
    except ValueError as error:
        return Pilot(None, f"the network cannot be sampled: {error}")
    objective = Objective(network, played, seed=seed, episodes=32, bits=BITS)
    theta0 = tuple(of_each(np.zeros_like, network.r))
    seeds = range(seed, seed + SEEDS)

    def seconds_of(M: int, some: Sequence[int]) -> float:
        start = working()
        learned(played, theta0, settings._replace(M=M), kappas[-1], some)
        return working() - start

    seconds_of(1, seeds[:1])  # makes what the next ones share
    iteration = SEEDS * seconds_of(1, seeds[:1])
    if TRIAL * iteration <= 0.1 * (seconds - (working() - begin)):
        # What does not grow with M is left out, where there is time to tell.
        growth = (seconds_of(TRIAL, seeds) - seconds_of(1, seeds)) / (TRIAL - 1.0)
        # A busy machine may take longer for one iteration than for all: then the first estimate stands.
        iteration = growth if growth > 0.0 else iteration
    # Half of the time is kept for a machine that others use as well.
    each, judged = 2.0 * len(kappas) * iteration, 0.0
    if ITERATIONS[-1] * each <= seconds - (working() - begin):
        objective(theta0)
        between = working()
        objective(theta0)
        judged = working() - between
    judging = (len(kappas) * SEEDS + 1) * judged
    left = seconds - (working() - begin) - judging
    M = next((count for count in ITERATIONS if count * each <= left), None)
    if M is None:
        needed = working() - begin + judging + ITERATIONS[-1] * each
        return Pilot(None, _too_slow(needed, "with a reserve"))
    settings = proposal(network, played, kappas, seeds=SEEDS, M=M, longest=LONGEST, sizes=sizes)
    enough = f"M = {M:,}: as many of {written(ITERATIONS)} as there was time for"
    settings = settings._replace(reasons=(*settings.reasons, enough))
    found = trained(network, played, objective, settings, kappas, seeds)
    return Pilot(found._replace(thetas=()), "")


def _too_slow(needed: float, how: str) -> str:
    two_digits = float(f"{needed:.2g}")
    took = f"{rounded(round(two_digits)) if needed >= 10.0 else f'{two_digits:g}'} s {how}; more --seconds make one"
    return f"{rounded(ITERATIONS[-1])} outer iterations for each κ and seed would take {took}"


#: Columns of a line of words.
WIDTH = 110


def settings_words(settings: Proposal) -> str:
    """The arguments of `sac`, with the reasons of those that were proposed."""
    given = f"M = {settings.M:,}, T = {settings.T:,}, h = {settings.h:g}, t0 = {settings.t0:g}, η = {settings.eta:g}"
    lines = [f"Algorithm 1 with {given}"]
    for reason in settings.reasons:
        lines += wrap(reason, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines) + "\n\n"


def training_words(found: Trained) -> str:
    """The table of returns, and the κ that follows from it."""
    return "\n".join([*returns_table(found), "", *wrap(which_kappa(found), WIDTH)]) + "\n"


def returns_table(found: Trained) -> list[str]:
    """κ, mean return, spread over seeds, 95 % interval of the mean; J at the start below."""
    table = [["κ", "J(θ(M))", "spread", "95 % of the mean", "seeds", "first visits"]]
    for row in found.rows:
        one = math.isnan(row.spread)
        seen = [run.first_visit_share for run in found.runs if run.kappa == row.kappa]
        table.append(
            [
                str(row.kappa),
                f"{row.J:.4g}",
                "" if one else f"{row.spread:.2g}",
                "" if one else f"[{row.low:.4g}, {row.high:.4g}]",
                str(row.seeds),
                f"{sum(seen) / len(seen):.0%}",
            ]
        )
    start = found.start
    how = (
        "exact"
        if start.method == "exact"
        else f"by simulation on fresh episodes; at the start [{start.low:.4g}, {start.high:.4g}]"
    )
    return [*aligned(table), f"J at the start, the uniform policy: {start.J:.4g}. J is {how}."]


def which_kappa(found: Trained) -> str:
    """What was compared, the smallest κ that is not shown to earn less than another, and how far that goes."""
    several, seeds, told = len(found.rows) > 1, found.rows[0].seeds, ""
    top = max(found.rows, key=lambda row: row.J).kappa
    if several and seeds > 1:
        tied = [kappa for kappa in not_below(found.rows) if kappa != top]
        less = [row.kappa for row in found.rows if row.kappa not in (top, *tied)]
        near = f"{_kappas(tied)} below it by no more" if tied else "every other κ is below it by more"
        far = f", {_kappas(less)} by more" if tied and less else ""
        told = (
            f"Compared: mean returns over {seeds} seeds. The largest is that of κ = {top}; {near} than the noise of "
            f"their difference (Student's 95 %){far}. So κ = {found.best} is the smallest that is not shown to earn "
            "less. "
        )
    elif several:
        told = f"κ = {found.best} has the largest return, of one seed each, which shows no noise: take more seeds. "
    if not found.gains:
        told += (
            f"But κ = {found.best} is not above the start beyond noise: more iterations or another η may show more. "
        )
    if worse := [row.kappa for row in found.rows if row.high < found.start.low]:
        told += f"{_kappas(worse)} below the start by more than noise. "
    return f"{told}All of this is for these samples, M·T = {found.proposal.M * found.proposal.T:,} steps a run."


def _kappas(kappas: Sequence[int]) -> str:
    """Several κ with their verb."""
    return f"κ = {', '.join(map(str, kappas))} {'is' if len(kappas) == 1 else 'are'}"


def pilot_words(found: Pilot, advised: int | None, error: float) -> list[str]:
    """The return's answer, beside the κ that keeps the error at or below ε, and whether the two agree."""
    if found.trained is None:
        return wrap(f"RETURN: no pilot of SAC was run: {found.note}.", WIDTH)
    best = found.trained.best
    lines = [
        "RETURN: what short runs of SAC earn, judged by episodes of their own.",
        *settings_words(found.trained.proposal).splitlines(),
        *returns_table(found.trained),
        "",
    ]
    told = which_kappa(found.trained)
    if advised is None:
        told += f" No κ was shown to keep the error at or below ε = {error:g}, which is a question of its own."
    elif advised == best:
        told += f" The error at or below ε = {error:g} asks for the same κ = {best}."
    elif not found.trained.gains:
        told += (
            f" So the pilot says nothing against the κ = {advised} that the error at or below ε = {error:g} asks for."
        )
    elif advised in not_below(found.trained.rows):
        told += (
            f" The error at or below ε = {error:g} asks for κ = {advised}, which is not shown to earn less either: the "
            f"return does not tell it from κ = {best}."
        )
    else:
        worse = "a larger table is learned worse from them" if best < advised else "a larger table pays already"
        why = worse if advised in {row.kappa for row in found.trained.rows} else f"κ = {advised} was not tried"
        told += (
            f" THE TWO ANSWERS DIFFER: the error at or below ε = {error:g} asks for κ = {advised}, the return for "
            f"κ = {best}. The first bounds an error; the second is what these samples earn, and {why}. "
            f"Take κ = {best} to earn from so many samples, κ = {advised} where the error is what counts."
        )
    return [*lines, *wrap(told, WIDTH)]


def chosen_run(found: Trained) -> int:
    """The run of largest J among those of the best κ."""
    return max((k for k, run in enumerate(found.runs) if run.kappa == found.best), key=lambda k: found.runs[k].J)
