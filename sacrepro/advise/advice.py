"""Advice on one network: for each κ what is certified, what is measured and what it costs, and which κ follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.advise.certificates import Certificates, certificates, kappa_range
from sacrepro.advise.cost import Cost, costs
from sacrepro.advise.layout import layout
from sacrepro.advise.measured import Measured, exactly_measurable, measured
from sacrepro.bounds.influence import influence_profile
from sacrepro.bounds.lemma4_gaps import lemma4_gaps
from sacrepro.graph import check_agent
from sacrepro.instances.network import Network
from sacrepro.model import Array

NOTHING = float("nan")

#: κ for which tables are counted and iterations measured.
COSTED = 6


class KappaRow(NamedTuple):
    """One κ; errors are those asked for, of Q (``q``) or of ∇J (``gradient``). NaN: not computed.

    paper, influence, spheres : right-hand sides that hold for every policy: Lemma 3 or 4; from the influence matrix;
        `any_weights_error`, for the gradient of the agents looked at.
    certified     : the least of those that hold for all agents asked about.
    measured_low, measured, measured_high : under the uniform policy, the largest over the agents looked at; low up to
        chance, high certified. For the gradient ``measured`` puts the measured gaps into `lemma4_gaps`.
    hood_median to seen : as in `Cost`; 0 agents are ``whole`` where no table was counted.
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
    hood_max: int
    whole: int
    entries_median: float
    entries_max: float
    over: float
    later_median: float
    table_bytes: float
    learner_bytes: float
    seconds: float
    measured_T: int
    seen: float


class AgentRow(NamedTuple):
    """One agent: the least κ with an influence bound on D_i(κ) below the error, or -1, and its decay rate.

    rate : factor by which the bound falls from one κ to the next.        x, y : where it is drawn.
    looked_at : whether it was measured.
    """

    agent: int
    name: str
    degree: int
    kappa: int
    rate: float
    x: float
    y: float
    looked_at: bool


class Advice(NamedTuple):
    """Everything `sacrepro advise` says; κ's are None where no κ looked at qualifies.

    trivial   : the error that needs no κ at all.        looked_at : agents that were measured.
    paper, certified, measured : least κ with that column below the error.
    learnable : largest κ whose median table has at most T entries.
    everyone  : whether the certificate is for all agents or for the chosen ones.
    farthest  : from this κ on nothing is left out of any table, so that every error is 0; the diameter, or at most so
        beyond 600 agents.        components : of the graph.
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
    measurements: tuple[Measured, ...]


def advise(
    network: Network,
    error: float,
    of: str = "q",
    agents: Sequence[int] = (),
    *,
    T: int = 1000,
    seed: int = 0,
    seconds: float = 20.0,
) -> Advice:
    """Which κ brings the error of Q (``q``) or of the gradient (``gradient``) below `error`, and at what cost.

    agents  : those it is asked for; all by default, and then a few are chosen to be measured.
    T       : episode length of SAC.        seconds : how long to measure decay, and how long to measure run time.

    Raises TypeError or ValueError naming the argument.
    """
    check_question(network, error, of, agents, T, seed, seconds)
    everyone = not agents
    looked_at = tuple(agents) if agents else sampled(network, seed)
    kappas = kappa_range(network, error, of)
    bounds = certificates(network, range(network.n) if everyone and network.n <= 60 else looked_at, kappas)
    seen = measured(network, looked_at, kappas, tol=0.1 * error_of_q(network, error, of), seed=seed, seconds=seconds)
    seen = [entry for entry in seen if informative(entry, bounds)]
    prices = costs(network, min(kappas, COSTED), T, seconds=seconds)
    rows = tuple(
        _row(network, bounds, seen, prices, kappa, of, () if everyone else looked_at) for kappa in range(kappas)
    )
    trivial = bounds.trivial_q if of == "q" else float(bounds.trivial_gradient.max())
    return Advice(
        error,
        of,
        T,
        network.n,
        trivial,
        looked_at,
        least([row.paper for row in rows], error),
        least([row.certified for row in rows], error),
        least([row.measured for row in rows], error),
        max(cost.kappa for cost in prices if cost.kappa == 0 or cost.entries_median <= math.log10(T)),
        everyone,
        min([int(bounds.eccentricity.max()), *(cost.kappa for cost in prices if cost.whole == network.n)]),
        nx.number_connected_components(network.graph),
        rows,
        tuple(_agents(network, bounds, looked_at, error_of_q(network, error, of))),
        tuple(seen),
    )


def check_question(
    network: Network, error: float, of: str, agents: Sequence[int], T: int, seed: int, seconds: float
) -> None:
    """TypeError or ValueError for what `advise` has no answer to."""
    if not isinstance(network, Network):
        raise TypeError(f"expected a network as sacrepro.network.load returns it, got {type(network).__name__}")
    for what, number in (("the error", error), ("seconds", seconds)):
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{what} must be a number, got {number!r}")
    if not (math.isfinite(error) and error > 0.0):
        raise ValueError(f"the error must be a number above 0, got {error!r}")
    if not (math.isfinite(seconds) and seconds >= 0.0):
        raise ValueError(f"seconds must be a number of at least 0, got {seconds!r}")
    if of not in ("q", "gradient"):
        raise ValueError(f"the error is of q or gradient, got {of!r}")
    for name, count, least in (("T", T, 1), ("seed", seed, 0)):
        if isinstance(count, bool) or not isinstance(count, Integral):
            raise TypeError(f"{name} must be an integer, got {count!r}")
        if count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
    for i in agents:
        check_agent(i, network.n)


def error_of_q(network: Network, error: float, of: str) -> float:
    """The gap D_j(κ) that is allowed if every agent has the same."""
    return error if of == "q" else error / lemma4_gaps(np.ones(1), network.gamma)


def sampled(network: Network, seed: int) -> tuple[int, ...]:
    """Everybody where decay is computed exactly; else an agent of most neighbors, of the median, and at random."""
    if exactly_measurable(network):
        return tuple(range(network.n))
    degree = np.array([network.graph.degree(i) for i in range(network.n)])
    middle = np.argsort(degree, kind="stable")[network.n // 2]
    some = (int(degree.argmax()), int(middle), int(np.random.default_rng(seed).integers(network.n)))
    return tuple(dict.fromkeys(some))


def least(errors: Sequence[float], error: float) -> int | None:
    """The first κ with an error of at most `error`; NaN never qualifies."""
    return next((kappa for kappa, value in enumerate(errors) if value <= error), None)


def _row(
    network: Network,
    bounds: Certificates,
    seen: Sequence[Measured],
    prices: Sequence[Cost],
    kappa: int,
    of: str,
    chosen: Sequence[int],
) -> KappaRow:
    gaps = bounds.influence[:, kappa]
    spheres = NOTHING
    if of == "q":
        paper = float(bounds.paper_q[kappa])
        influence = max(_own_gap(network, bounds, i, kappa) for i in chosen) if chosen else float(gaps.max())
        certified = min(paper, influence)
    else:
        paper, influence = float(bounds.paper_gradient[kappa]), float(bounds.gradient[kappa])
        spheres = float(bounds.spheres[:, kappa].max())
        known = chosen or bounds.spheres.shape[0] == network.n
        certified = min(paper, influence, spheres) if known else min(paper, influence)
    at = [entry for entry in seen if kappa < len(entry.mean)]
    exact = [entry for entry in at if entry.method != "simulation"]
    exact = [
        entry._replace(upper=np.minimum(entry.upper, bounds.influence[entry.agent, : len(entry.upper)]))
        for entry in exact
    ]
    values = {
        name: np.array([float(getattr(entry, name)[kappa]) for entry in entries])
        for name, entries in (("lower", at), ("mean", _best(at)), ("upper", exact))
    }
    low, middle, high = (float(v.max()) if len(v) else NOTHING for v in values.values())
    if of == "gradient":
        middle = lemma4_gaps(values["mean"], network.gamma) if len(values["mean"]) else NOTHING
        low = high = NOTHING
    price = prices[kappa] if kappa < len(prices) else None
    cost = (
        (NOTHING, 0, 0, *(NOTHING,) * 7, 0, NOTHING)
        if price is None
        else (
            price.hood_median,
            price.hood_max,
            price.whole,
            price.entries_median,
            price.entries_max,
            price.over,
            price.later_median,
            price.table_bytes,
            price.learner_bytes,
            price.seconds,
            price.measured_T,
            price.seen,
        )
    )
    return KappaRow(kappa, paper, influence, spheres, certified, low, middle, high, *cost)


def informative(entry: Measured, bounds: Certificates) -> bool:
    """Whether a measurement says more than the influence bound; only light cones may not."""
    return entry.method != "light cone" or bool((entry.upper < bounds.influence[entry.agent, : len(entry.upper)]).any())


def _best(entries: Sequence[Measured]) -> list[Measured]:
    """One measurement an agent: exact if there is one, otherwise its simulation; a light cone is an interval only."""
    chosen: dict[int, Measured] = {}
    for entry in entries:
        if entry.method == "exact" or (entry.method == "simulation" and entry.agent not in chosen):
            chosen[entry.agent] = entry
    return list(chosen.values())


def _own_gap(network: Network, bounds: Certificates, i: int, kappa: int) -> float:
    """The influence bound of one agent with its own outside."""
    profile = influence_profile(bounds.C, network.graph, i, network.gamma, network.r_bar)
    return float(min(bounds.influence[i, kappa], profile[kappa] if kappa < len(profile) else 0.0))


def _agents(network: Network, bounds: Certificates, looked_at: Sequence[int], gap: float) -> list[AgentRow]:
    place = layout(network.graph)
    below = bounds.influence <= gap
    needed = np.where(below.any(axis=1), below.argmax(axis=1), -1)
    return [
        AgentRow(
            i,
            network.names[i],
            network.graph.degree(i),
            int(needed[i]),
            decay_rate(bounds.influence[i]),
            float(place[i, 0]),
            float(place[i, 1]),
            i in looked_at,
        )
        for i in range(network.n)
    ]


def decay_rate(gaps: Array, most: int = 5) -> float:
    """(D(k)/D(0))^{1/k} for the last k ≤ `most` with a bound above 0; 0 where there is none."""
    positive = np.flatnonzero(gaps[: most + 1] > 0.0)
    if len(positive) < 2:
        return 0.0
    k = int(positive[-1])
    return float((gaps[k] / gaps[0]) ** (1.0 / k))
