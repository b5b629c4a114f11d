"""Advice on one network: for each κ what is certified, what the uniform policy adds, what it costs; what follows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import starmap
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np

from sacrepro.adviser.certificates import (
    Bounds,
    Certificates,
    certificates,
    decay_rates,
    farthest_around,
    gradient_bounds,
    kappa_range,
    td_from_decay,
)
from sacrepro.adviser.clock import Clock, working
from sacrepro.adviser.describe import layout
from sacrepro.adviser.measured import MeasuredDecay, measured, recurs
from sacrepro.adviser.pilot import Pilot, pilot
from sacrepro.adviser.settings import UNCOUNTED, Cost, costs
from sacrepro.bounds.gradient import lemma4_vector
from sacrepro.instances.network.labelled import Network, of_model
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.notices import brief, meant

#: κ for which tables are counted and iterations measured.
COSTED = 6
#: Which tables the error is of: of TD's limit q*, which Algorithm 1 learns, or of form (5), for any weights of eq. (6).
TABLES = ("td", "truncated")
#: Share of the time that is kept for the pilot; what the rest leaves over is its own as well.
PILOT = 0.4
#: log10 of the longest episode that is worth recommending: a million steps fill a table of 10^5 entries ten times.
LONGEST = 5.0


class KappaRow(NamedTuple):
    """One κ; errors are those asked for, of Q (``q``) or of ∇J (``gradient``), over all agents asked about.

    All but measured_low are upper bounds. NaN: nothing known. Logarithms to base 10: entries_median, entries_max,
    later_median, often, table_bytes. Columns of the file of `sacrepro advise`, which `paper/tutorial.md` explains.

    paper, influence, spheres : right-hand sides for every policy: Lemma 3 or 4; from the influence matrix, for the
        tables asked about; `any_weights_error`, where the gradient of chosen agents is asked for.
    certified     : what holds for every policy: the largest over the agents of the least bound of each.
    measured_low, measured_high : of D_i(κ) under the uniform policy, the largest over the agents, of Q only: at least
        (up to chance if simulated), at most.
    measured      : at most so under the uniform policy, for the tables asked about.
    hood_median to seen : as in `Cost` of the agents asked about, and NaN where no table was counted.
    certified_truncated, certified_td, truncated, td : `certified` and `measured` for tables of form (5), and for q*.
    """

    kappa: int
    paper: float
    influence: float
    spheres: float
    certified: float
    measured_low: float
    measured: float
    measured_high: float
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
    certified_truncated: float
    certified_td: float
    truncated: float
    td: float


#: The columns that a row takes over from its `Cost`.
PRICED = tuple(name for name in Cost._fields if name in KappaRow._fields and name != "kappa")


class AgentRow(NamedTuple):
    """One agent: the least κ with a bound for every policy at or below the error, or -1, and its decay rate.

    rate : factor by which the influence bound falls from one κ to the next.        x, y : where it is drawn.
    looked_at : whether anything was measured.        uniform : as `kappa`, under the uniform policy.
    """

    agent: int
    name: str
    degree: int
    kappa: int
    rate: float
    x: float
    y: float
    looked_at: bool
    uniform: int


class Advice(NamedTuple):
    """Everything `sacrepro advise` says; κ's are None where no κ looked at qualifies.

    recommended : the κ that is shown to be enough: `certified`, or `measured` where no episode fills the tables of
        that; None where nothing shows one.        shown_for : ``every policy`` or ``the uniform policy``.
    trivial   : the error that needs no κ at all.        looked_at : agents of whom something was measured.
    paper, certified, measured : least κ with that column, an upper bound over all agents asked about, at or below the
        error.        refuted : largest κ that `measured_low` shows not to be enough for tables of form (5).
    learnable : largest κ whose median table has at most T entries.
    everyone  : whether all agents are asked about or chosen ones.
    farthest  : from this κ on nothing is left out of any table that is asked about, so that every error is 0; the
        diameter of their components, or at most so in large ones.        components : of the graph.
    asked     : the agents asked about.        table : which tables, of `TABLES`.
    seconds   : the time given.        cut : what it cut short.        beyond : what is not computed beyond some κ,
        whatever the time; what is certified at that κ holds at every larger one.
    pilot     : what short runs of SAC earn at each κ: the return's answer, beside that of the error.
    recurs    : whether every joint state comes again and again under every policy that tries all actions; None: not
        known. TD has no limit in cells that are left for ever, and what is said of q* is not said of them.
    """

    error: float
    of: str
    T: int
    n: int
    trivial: float
    looked_at: tuple[int, ...]
    paper: int | None
    certified: int | None
    measured: int | None
    learnable: int
    everyone: bool
    farthest: int
    components: int
    rows: tuple[KappaRow, ...]
    agents: tuple[AgentRow, ...]
    measurements: tuple[MeasuredDecay, ...]
    recommended: int | None
    shown_for: str | None
    refuted: int | None
    asked: tuple[int, ...]
    table: str
    seconds: float
    cut: tuple[str, ...]
    beyond: tuple[str, ...]
    pilot: Pilot
    recurs: bool | None

    def __repr__(self) -> str:
        return brief(self, "error", "of", "table", "n", "recommended", "shown_for", "certified", "measured", "paper")


def advise(
    network: Network | NetworkedMDP | CountedMDP,
    error: float,
    of: str = "q",
    agents: Sequence[int] = (),
    *,
    T: int = 1000,
    seed: int = 0,
    seconds: float = 20.0,
    table: str = "td",
    progress: Callable[[str], None] | None = None,
) -> Advice:
    """Which κ brings the error of Q (``q``) or of the gradient (``gradient``) below `error`, and at what cost.

    agents  : those it is asked for; all by default.        T : episode length of SAC.
    seconds : for everything but compiling, the pilot of SAC included; what takes a few seconds is done whatever it is.
    table   : ``td`` for the limit q* of TD, which Algorithm 1 learns, or ``truncated`` for tables of form (5).
    progress : called with a word on what is being done, where that takes time.

    More time can only lower upper bounds; what is simulated from below is by chance, with other numbers every time.
    Without time the answer is the same whatever agents are called. Raises TypeError or ValueError naming the argument.
    network : of `load`, or a NetworkedMDP or a CountedMDP.        seed : of what is simulated.

    >>> from sacrepro import advise, load
    >>> network = load("workflow/networks/friends.yaml")
    >>> advice = advise(network, 0.3, seconds=0)
    >>> advice.recommended, advice.shown_for
    (3, 'every policy')
    """
    network = of_model(network)
    check_question(network, error, of, agents, T, seed, seconds, table)
    begin = working()
    clock = Clock((1.0 - PILOT) * seconds, progress)
    everyone = not agents
    asked = list(range(network.n)) if everyone else sorted(set(agents))
    # The gradient of one agent hangs on the tables of all.
    about = list(range(network.n)) if of == "gradient" else asked
    kappas = kappa_range(network, error, of)
    bounds = certificates(network, about, kappas, clock, () if everyone or of == "q" else asked)
    clock.say("layout")
    place = layout(network.links)
    order = [about[k] for k in np.argsort(-bounds.uniform.truncated[about, :COSTED].sum(axis=1), kind="stable")]
    seen = measured(network, order, kappas, tol=0.1 * error_of_q(network, error, of), seed=seed, clock=clock)
    every, uniform, lower = known(network, bounds, seen)
    clock.say("sizes of tables, and run time")
    learned = asked if of == "q" else about
    prices = costs(network, min(kappas, COSTED), T, clock, simulator := cache(network.simulator), learned)
    rows = tuple(_rows(network, bounds, every, uniform, lower, prices, of, table, asked))
    certified = least([row.certified for row in rows], error)
    under_uniform = least([row.measured for row in rows], error)
    recommended = recommended_kappa(rows, certified, under_uniform)
    # An agent's gradient hangs on the tables of its whole component.
    around = int(bounds.eccentricity[asked].max()) if of == "q" else farthest_around(network, asked)
    farthest = min([around, *(cost.kappa for cost in prices if cost.whole == network.n)])
    paper = least([row.paper for row in rows], error)
    clock.say("pilot of SAC")
    left = seconds - (working() - begin)
    earned = pilot(network, seconds=left, seed=seed, simulator=simulator, sizes=prices)
    clock.say("")
    return Advice(
        error=error,
        of=of,
        T=T,
        n=network.n,
        trivial=bounds.trivial_q if of == "q" else bounds.trivial_gradient,
        looked_at=tuple(sorted({entry.agent for entry in seen})),
        paper=paper,
        certified=certified,
        measured=under_uniform,
        learnable=max(cost.kappa for cost in prices if cost.kappa == 0 or cost.entries_median <= math.log10(T)),
        everyone=everyone,
        farthest=farthest,
        components=len(network.pieces),
        rows=rows,
        agents=tuple(_agents(network, bounds, every, uniform, seen, table, error_of_q(network, error, of), place)),
        measurements=tuple(seen),
        recommended=recommended,
        shown_for=None
        if recommended is None
        else "every policy"
        if certified is not None and recommended >= certified
        else "the uniform policy",
        refuted=max((row.kappa for row in rows if row.measured_low > error), default=None),
        asked=tuple(asked),
        table=table,
        seconds=seconds,
        cut=tuple(clock.cut),
        beyond=(
            *clock.short_of(min(kappas, farthest) - 1),
            *([f"any bound beyond κ = {kappas - 1}"] if paper is None and kappas < farthest else []),
        ),
        pilot=earned,
        recurs=recurs(network),
    )


def check_question(
    network: Network, error: float, of: str, agents: Sequence[int], T: int, seed: int, seconds: float, table: str
) -> None:
    """TypeError or ValueError for what `advise` has no answer to."""
    for what, number in (("the error", error), ("seconds", seconds)):
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{what} must be a number, got {number!r}")
    if not (math.isfinite(error) and error > 0.0):
        raise ValueError(f"the error must be a number above 0, got {error!r}")
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise ValueError(f"seconds must be a number of at least 0, got {seconds!r}")
    if of not in ("q", "gradient"):
        raise ValueError(f"the error is of q or gradient, got {of!r}{meant(str(of), ('q', 'gradient'))}")
    if table not in TABLES:
        raise ValueError(f"the table is td or truncated, got {table!r}{meant(str(table), TABLES)}")
    for name, count, least_count in (("T", T, 1), ("seed", seed, 0)):
        if isinstance(count, bool) or not isinstance(count, Integral):
            raise TypeError(f"{name} must be an integer, got {count!r}")
        if count < least_count:
            raise ValueError(f"{name} must be at least {least_count}, got {count}")
    for i in agents:
        check_agent(i, network.n)


def error_of_q(network: Network, error: float, of: str) -> float:
    """The gap D_j(κ) that is allowed if every agent has the same."""
    return error if of == "q" else error / lemma4_vector(np.ones(1), network.gamma)


def least(errors: Sequence[float], error: float) -> int | None:
    """The first κ with an error of at most `error`; NaN never qualifies."""
    return next((kappa for kappa, value in enumerate(errors) if value <= error), None)


def fillable(row: KappaRow) -> bool:
    """Whether its median table is counted, and one that some affordable episode fills."""
    return row.entries_median <= LONGEST


def recommended_kappa(rows: Sequence[KappaRow], certified: int | None, under_uniform: int | None) -> int | None:
    """The κ for every policy if an episode fills its tables; otherwise that for the uniform policy, no larger."""
    if certified is not None and fillable(rows[certified]):
        return certified
    return under_uniform


def known(network: Network, bounds: Certificates, seen: Sequence[MeasuredDecay]) -> tuple[Bounds, Bounds, Array]:
    """The least upper bounds for every policy and for the uniform one, and lower bounds on D_i(κ) under it."""
    gamma = network.gamma
    every = Bounds(bounds.every.truncated, td_from_decay(*bounds.every, gamma))
    upper, lower = bounds.uniform.truncated.copy(), np.zeros_like(bounds.uniform.truncated)
    for entry in seen:
        few = len(entry.upper)
        # D_i(κ) does not increase with κ, so what bounds it at the last κ looked at bounds it beyond.
        beyond = np.append(entry.upper, np.full(upper.shape[1] - few, entry.upper[-1]))
        upper[entry.agent] = np.minimum.accumulate(np.minimum(upper[entry.agent], beyond))
        lower[entry.agent, :few] = np.maximum(lower[entry.agent, :few], entry.lower)
    td = td_from_decay(upper, bounds.uniform.td, gamma)
    for entry in seen:
        td[entry.agent, : len(entry.limit)] = np.minimum(td[entry.agent, : len(entry.limit)], entry.limit)
    return every, Bounds(upper, td), np.minimum(lower, upper)


def _rows(
    network: Network,
    bounds: Certificates,
    every: Bounds,
    uniform: Bounds,
    lower: Array,
    prices: Sequence[Cost],
    of: str,
    table: str,
    asked: Sequence[int],
) -> Iterator[KappaRow]:
    def over_agents(kind: Bounds) -> Bounds:
        if of == "q":
            return Bounds(*(bound[asked].max(axis=0) for bound in kind))
        return Bounds(*(np.minimum(gradient_bounds(bound, network.gamma), bounds.trivial_gradient) for bound in kind))

    every, uniform = over_agents(every), over_agents(uniform)
    low = high = spheres = np.full(len(bounds.paper_q), math.nan)
    if of == "q":
        paper, low, high = bounds.paper_q, lower[asked].max(axis=0), uniform.truncated
    else:
        paper = bounds.paper_gradient
        if len(bounds.spheres):
            spheres = np.minimum(bounds.spheres.max(axis=0), bounds.trivial_gradient)
    certified = Bounds(*(np.fmin(bound, np.fmin(paper, spheres)) for bound in every))
    under_uniform = Bounds(*(np.fmin(bound, least) for bound, least in zip(uniform, certified, strict=True)))
    for kappa in range(len(paper)):
        price = prices[kappa] if kappa < len(prices) else UNCOUNTED
        columns: dict[str, float] = {name: getattr(price, name) for name in PRICED}
        yield KappaRow(
            **columns,
            kappa=kappa,
            paper=float(paper[kappa]),
            influence=float(every.of(table)[kappa]),
            spheres=float(spheres[kappa]),
            certified=float(certified.of(table)[kappa]),
            measured_low=float(low[kappa]),
            measured=float(under_uniform.of(table)[kappa]),
            measured_high=float(high[kappa]),
            certified_truncated=float(certified.truncated[kappa]),
            certified_td=float(certified.td[kappa]),
            truncated=float(under_uniform.truncated[kappa]),
            td=float(under_uniform.td[kappa]),
        )


def _agents(
    network: Network,
    bounds: Certificates,
    every: Bounds,
    uniform: Bounds,
    seen: Sequence[MeasuredDecay],
    table: str,
    gap: float,
    place: Array,
) -> Iterator[AgentRow]:
    looked_at = {entry.agent for entry in seen}
    needed = []
    for kind in (every, uniform):
        below = kind.of(table) <= gap
        needed.append(np.where(below.any(axis=1), below.argmax(axis=1), -1))
    agents = range(network.n)
    # Column by column: there may be millions of rows.
    yield from starmap(
        AgentRow,
        zip(
            agents,
            network.names,
            np.diff(network.adjacency.indptr).tolist(),
            needed[0].tolist(),
            decay_rates(bounds.every.truncated).tolist(),
            place[:, 0].tolist(),
            place[:, 1].tolist(),
            (i in looked_at for i in agents),
            needed[1].tolist(),
            strict=True,
        ),
    )
