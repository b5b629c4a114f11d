"""Upper bounds on what κ leaves, for every agent: of tables of form (5) and of TD's limit, for every policy and one.

From the paper (Lemmas 3 and 4) and sharper ones: the influence matrix C, for all agents at once by sparse products, and
with each agent's own outside where that is affordable; C^θ of the uniform policy from the second step on; and, for one
agent's gradient, the sums over spheres of `lemma4_sharp`. A number here is never below what it bounds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from sacrepro.adviser.clock import Clock
from sacrepro.bounds.critic import td_fixed_point, td_fixed_point_everywhere, td_fixed_point_influence
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.gradient import (
    TABULAR_COVARIANCE,
    action_reach,
    any_weights_error,
    lemma4,
    lemma4_vector,
    score_sum_factor,
)
from sacrepro.bounds.influence import horizon, influence, influence_everywhere
from sacrepro.bounds.theorem5 import gradient_norm
from sacrepro.instances.network.labelled import Network, network_influence, of_each
from sacrepro.instances.network.links import adjacency, hops, pieces
from sacrepro.model.checks import Array
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.policy import SCORE_BOUND

#: Components up to this size are searched agent by agent, which is faster there.
FEW = 16
#: Searches of a component, times its agents, behind its eccentricities: all that may be needed up to 2,048 agents; if
#: they do not suffice, those from all agents of largest degree are taken, if there are so few.
MOST_SEARCHED, MOST_HUBS = 1 << 22, 64
#: Entries of the table of bounds, agents times κ.
MOST_BOUNDS = 20_000_000
MOST_KAPPA = 400
#: Numbers moved, agents × columns × steps, up to which own outsides enter whatever the clock says; and κ that they do.
FREE_WORK, MOST_WORK, OWN_KAPPAS = 1 << 27, 1 << 29, 8
OWN = "bounds from each agent's own outside"
#: What starting on a component costs, in the same unit.
A_COMPONENT = 1 << 20


#: Entries of C that the series over all agents may take whatever the clock says, and how many a second; what a product
#: costs besides.
FREE_SERIES, SERIES_A_SECOND, A_PRODUCT = 1 << 28, 1 << 27, 1 << 14


class Bounds(NamedTuple):
    """(n, κ's) upper bounds for every agent: of \\|Q̂_i - Q_i\\| for tables of form (5), and of \\|q*_i - Q_i\\|."""

    truncated: Array
    td: Array

    def of(self, table: str) -> Array:
        """Those of one kind of table, ``td`` or ``truncated``."""
        return self.td if table == "td" else self.truncated


class Certificates(NamedTuple):
    """Right-hand sides for κ = 0, 1, ….

    paper_q, paper_gradient : Lemma 3 and Lemma 4; every agent, every policy, and for both kinds of table.
    every, uniform : `Bounds` for every localized policy and for the uniform one; 0 once N_i^κ holds all that i feels.
    spheres    : (agents, κ's) `any_weights_error` of the chosen agents, for both kinds of table and every policy.
    trivial_q, trivial_gradient : what the error cannot exceed whatever κ is; of the whole gradient, or of the chosen
        agents' blocks.        eccentricity : from this κ on nothing is outside N_i^κ, as `eccentricities` has it.
    """

    paper_q: Array
    paper_gradient: Array
    every: Bounds
    uniform: Bounds
    spheres: Array
    trivial_q: float
    trivial_gradient: float
    eccentricity: Array


def certificates(
    network: Network, asked: Sequence[int], kappas: int, clock: Clock | None = None, blocks: Sequence[int] = ()
) -> Certificates:
    """All bounds for κ = 0..kappas-1. asked : agents whose own outsides enter; blocks : those whose spheres do."""
    clock = clock or Clock(0.0)
    n, gamma, r_bar = network.n, network.gamma, network.r_bar
    clock.say("influence matrix")
    C, C_theta = network_influence(network), network_influence(network, averaged=True)
    c, rho = lemma3(r_bar, gamma)
    paper_q = np.array([definition2(c, rho, kappa) for kappa in range(kappas)])
    eccentricity = eccentricity_of(network)
    # Two starts that agree on a_i and s_i differ by no more than the span of r_i in any reward of i.
    span = np.array(of_each(np.ptp, network.r))
    settled = np.arange(kappas) >= eccentricity[:, None]
    found = []
    for later in (None, C_theta):
        td = td_fixed_point_everywhere(C, kappas - 1, gamma, 1.0, later)
        series = td
        work = horizon(gamma) * (C.nnz + A_PRODUCT)
        if work <= FREE_SERIES or work / SERIES_A_SECOND < clock.left(0.15):
            series = influence_everywhere(C, kappas - 1, gamma, 1.0, later)
        else:
            clock.stop("influence series of all agents")
        found.append(Bounds(np.minimum(series, td), td.copy()))
    own_bounds(C, C_theta, network.adjacency, network.pieces, asked, gamma, eccentricity, found, clock)
    for bounds in found:
        for bound in bounds:
            bound *= span[:, None]
            np.minimum(bound, paper_q, out=bound)
            bound[settled] = 0.0
            # Cells of N_i^κ contain those of N_i^{κ+1}, and both series shrink with the outside.
            np.minimum.accumulate(bound, axis=1, out=bound)
    spheres = [sphere_sizes(network.graph, i) for i in blocks]
    return Certificates(
        paper_q=paper_q,
        paper_gradient=np.array([lemma4(c, rho, kappa, SCORE_BOUND, gamma) for kappa in range(kappas)]),
        every=found[0],
        uniform=found[1],
        spheres=np.array(
            [
                [
                    any_weights_error(own, _seeing_out(network.graph, i, eccentricity, kappa), kappa, n, gamma, r_bar)
                    for kappa in range(kappas)
                ]
                for i, own in zip(blocks, spheres, strict=True)
            ]
        ),
        trivial_q=definition2(c, rho, 0),
        trivial_gradient=max(trivial_block(own, n, gamma, r_bar) for own in spheres)
        if spheres
        else trivial_gradient(gamma, r_bar),
        eccentricity=eccentricity,
    )


def own_bounds(
    C: csr_array,
    C_theta: csr_array,
    A: csr_array,
    pieces: Sequence[Array],
    asked: Sequence[int],
    gamma: float,
    eccentricity: Array,
    found: Sequence[Bounds],
    clock: Clock,
) -> None:
    """Lower the bounds of the agents asked for to those of their own outsides, component by component."""
    steps, wanted, works = horizon(gamma), set(asked), []
    own_of = [np.array([i for i in members if i in wanted], dtype=int) for members in pieces]
    for members, own in zip(pieces, own_of, strict=True):
        kappas = min(found[0].td.shape[1], OWN_KAPPAS, int(eccentricity[own].max(initial=0)))
        work = len(members) * len(own) * kappas * min(steps, 500)
        works.append(work + A_COMPONENT if 0 < work <= MOST_WORK else 0)
        if work > MOST_WORK:
            clock.reach(OWN, -1)
    free = affordable(works, FREE_WORK)
    for k in sorted((k for k, work in enumerate(works) if work), key=lambda k: not free[k]):
        members, own = pieces[k], own_of[k]
        kappas = min(found[0].td.shape[1], OWN_KAPPAS, int(eccentricity[own].max()))
        if not free[k] and not clock.left(0.3):
            clock.stop(OWN)
            break
        clock.say(f"influence bounds of {len(own):,} agents")
        clock.reach(OWN, kappas - 1)
        distance = dijkstra(A[members][:, members], unweighted=True, indices=np.searchsorted(members, own))
        inside, outside = C[members][:, members], C_theta[members][:, members]
        place = np.searchsorted(members, own)
        for kappa in range(kappas):
            outsiders = (distance > kappa).astype(float).T
            for bounds, later in zip(found, (None, outside), strict=True):
                td = td_fixed_point_influence(inside, outsiders, gamma, 1.0, later)[place, np.arange(len(own))]
                bounds.td[own, kappa] = np.minimum(bounds.td[own, kappa], td)
                series = td
                if len(members) * len(own) * kappas * steps <= FREE_WORK:
                    series = influence(inside, outsiders, gamma, 1.0, later)[place, np.arange(len(own))]
                least = np.minimum(series, td)
                bounds.truncated[own, kappa] = np.minimum(bounds.truncated[own, kappa], least)


def affordable(works: Sequence[float], limit: float) -> Array:
    """Which parts are done whatever the clock says: the smallest, together within `limit`; equal ones all or none.

    So neither the order of agents decides, nor a part that is larger.
    """
    sizes = np.sort(np.asarray(works, dtype=float))
    return np.append(0.0, np.cumsum(sizes))[np.searchsorted(sizes, works, side="right")] <= limit


def gradient_bounds(gaps: Array, gamma: float) -> Array:
    """`lemma4_vector` of the (n, κ's) bounds on every agent's table, for each κ: of ∇J and of each block of it."""
    return np.array([lemma4_vector(gap, gamma) for gap in gaps.T])


def trivial_gradient(gamma: float, r_bar: float) -> float:
    """What ‖ĥ - ∇J‖ cannot exceed for any tables between 0 and r̄/(1-γ) that agree with Q_i in the first reward.

    The gaps are at most γr̄/(1-γ); and ‖ĥ‖ ≤ r̄/(2√2(1-γ)²), ‖∇J‖ ≤ r̄/(2√2(1-γ)^{3/2}).
    """
    gap = lemma4_vector(np.array([gamma * r_bar / (1.0 - gamma)]), gamma)
    norms = r_bar / (math.sqrt(8.0) * (1.0 - gamma) ** 2) + gradient_norm(r_bar, gamma)
    return float(min(gap, norms))


def trivial_block(spheres: Sequence[int], n: int, gamma: float, r_bar: float) -> float:
    """The same for ‖ĥ_i - ∇_{θ_i}J‖; as in line (e) 3 of lemma4_sharp a_i moves table and Q_j by R_d at most."""
    moved = sum(size * action_reach(d, gamma, r_bar) for d, size in enumerate(spheres))
    both = 1.0 / (1.0 - gamma) + score_sum_factor(gamma)
    return float(min(trivial_gradient(gamma, r_bar), TABULAR_COVARIANCE / n * moved * both))


def td_from_decay(truncated: Array, td: Array, gamma: float) -> Array:
    """The least of the bound on q* and D_i(κ)/(1-γ)."""
    return np.minimum(td, td_fixed_point(1.0, gamma) * truncated)


def kappa_range(network: Network, error: float, of: str) -> int:
    """How many κ are looked at: until the paper's bound is below the error, or all there are memory for."""
    c, rho = lemma3(network.r_bar, network.gamma)
    scale = 1.0 if of == "q" else SCORE_BOUND / (1.0 - network.gamma)
    most = max(2, min(MOST_KAPPA, MOST_BOUNDS // network.n))
    return next((kappa + 1 for kappa in range(most) if scale * definition2(c, rho, kappa) <= error), most)


#: What `eccentricity_of` has found.
_KNOWN: WeakKeyDictionary[Network, Array] = WeakKeyDictionary()


def eccentricity_of(network: Network) -> Array:
    """`eccentricities` of a network, found once."""
    if network not in _KNOWN:
        _KNOWN[network] = eccentricities(network.adjacency, network.pieces)
    return _KNOWN[network]


def farthest_around(network: Network, agents: Sequence[int]) -> int:
    """The largest eccentricity in the components of some agents."""
    chosen = set(agents)
    return max(int(eccentricity_of(network)[piece].max()) for piece in network.pieces if chosen & {*piece.tolist()})


def eccentricities(graph: nx.Graph | csr_array, parts: Sequence[Array] | None = None) -> Array:
    """The least κ with nothing reachable outside N_i^κ for each agent, whatever the agents are called.

    Exact, but where `MOST_SEARCHED` does not suffice: there it is the least d(i, hub) + ecc(hub), or one bound for all.
    """
    A = adjacency(graph) if isinstance(graph, nx.Graph) else graph
    bound = np.zeros(A.shape[0], dtype=int)
    for members in parts or pieces(A):
        if len(members) <= FEW:
            bound[members] = [max(hops(A, i).values()) for i in members.tolist()]
        else:
            bound[members] = _farthest(A[members][:, members])
    return bound


def _farthest(A: csr_array) -> Array:
    """Eccentricities in a connected graph, by bounds from few searches (Takes and Kosters, Algorithms 6, 2013)."""
    n = A.shape[0]
    low, high, central = np.zeros(n, dtype=int), np.full(n, n - 1), True
    for _ in range(MOST_SEARCHED // n):
        open_ = np.flatnonzero(low < high)
        if not len(open_):
            return low
        # In turn one that may be close to all others, and one that may be far from some.
        v = int(open_[low[open_].argmin() if central else high[open_].argmax()])
        central = not central
        distance = distances(A, v)
        farthest = int(distance.max())
        low = np.maximum(low, np.maximum(distance, farthest - distance))
        high = np.minimum(high, farthest + distance)
        low[v] = high[v] = farthest
    if (low == high).all():
        return low
    degree = np.diff(A.indptr)
    hubs = np.flatnonzero(degree == degree.max())
    if len(hubs) > MOST_HUBS:
        return np.full(n, high.max())
    searched = [distances(A, hub) for hub in hubs.tolist()]
    return np.min([distance + distance.max() for distance in searched], axis=0)


def distances(A: csr_array, i: int) -> Array:
    """d(i, j) for every j, -1 where there is no path."""
    order, before = breadth_first_order(A, i)
    place = np.zeros(A.shape[0], dtype=int)
    place[order] = np.arange(len(order))
    before[i] = i
    # Places of an agent before each in a search tree, and steps to it: twice as far each time, until all are at i.
    ahead, steps = place[before[order]], (np.arange(len(order)) > 0).astype(int)
    while ahead.any():
        steps += steps[ahead]
        ahead = ahead[ahead]
    found = np.full(A.shape[0], -1)
    found[order] = steps
    return found


def _seeing_out(graph: nx.Graph, i: int, eccentricity: Array, kappa: int) -> list[int]:
    """m_d for d = 0..κ; where eccentricities are bounds only, no fewer."""
    m = [0] * (kappa + 1)
    for j, d in nx.single_source_shortest_path_length(graph, i, cutoff=kappa).items():
        if kappa < eccentricity[j]:
            m[d] += 1
    return m


def decay_rates(gaps: Array, most: int = 5) -> Array:
    """(D_i(k)/D_i(0))^{1/k} for the last k ≤ `most` with a bound above 0, for each row of `gaps`; 0 where k is 0."""
    positive = gaps[:, : most + 1] > 0.0
    k = np.where(positive, np.arange(positive.shape[1]), 0).max(axis=1)
    decays = k > 0
    rates = np.zeros(len(gaps))
    rates[decays] = (gaps[decays, k[decays]] / gaps[decays, 0]) ** (1.0 / k[decays])
    return rates
