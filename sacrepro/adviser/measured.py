"""What is known of D_i(κ) under the uniform policy: exactly, in a certified interval, or from below by simulation.

Every agent's component is a network of its own, so agents elsewhere change nothing. Exact values come first, where a
component fits, with TD's limit q* where it is small; then light cones; then simulation, which only ever says that
D_i(κ) is at least something. Agents whose certificate is largest go first, until the time is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.adviser.certificates import affordable, distances
from sacrepro.adviser.clock import Clock, working
from sacrepro.adviser.sampling import Sampler, least_decay
from sacrepro.bounds.influence import BLOCK_ENTRIES
from sacrepro.exact.chain import chain_of
from sacrepro.exact.decay.profile import certified_decay
from sacrepro.exact.dense import EINSUM_AXES, q_function
from sacrepro.exact.light_cone import local_decay, local_value
from sacrepro.exact.rounding import gamma_k, normalising_roundings
from sacrepro.exact.solver.stationary import eliminated_law, recurrent_class
from sacrepro.exact.truncation import cell_entries, solve_error, td_fixed_point
from sacrepro.exact.values import evaluate
from sacrepro.instances.network.labelled import Network
from sacrepro.instances.network.links import hops, row_of
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.memory import MOST_AXES
from sacrepro.model.policy import Theta, uniform_theta

#: Joint states of a component, and pairs (s, a) up to which Q_i is swept, both in bits; beyond, branch and bound runs.
WHOLE_STATES, SWEPT_PAIRS = 20, 31
#: Entries of Q_i that are swept whatever the clock says, all agents together; what an agent costs besides; entries a
#: second, for a guess at what is left.
FREE_PAIRS, AN_AGENT, PAIRS_A_SECOND = 1 << 28, 1 << 21, 1 << 25
#: Entries a second of branch and bound; it is begun where there are so many seconds for each κ.
BRANCHED_A_SECOND, A_SEARCH = 1 << 22, 30.0
#: What a joint state costs in the same unit, for V_i.
A_STATE = 1 << 8
#: Joint states, in bits, up to which a component's μ is found whatever the clock says, and where there is time, for a
#: third of their cube at so many a second; and entries of Q_i.
LAW_STATES, MOST_LAW_STATES, LAW_A_SECOND, LAW_PAIRS = 11, 12, 1 << 31, 22
#: `cell_entries` up to which TD's limit q* is found from μ, in bits and a second: the same of them.
LIMIT_ENTRIES, MOST_LIMIT_ENTRIES, LIMIT_A_SECOND = 22, 27, 1 << 24
LIMIT = "TD's limit itself"
#: Joint states, of all components together and in bits, up to which it is searched which of them come again and again.
MOST_SEARCHED = 16
#: Entries of V_i near i that a light cone tries, in turn, and pairs (in bits) of the local Q_i that it sweeps.
CONES, CONE_BITS, STEP_BITS = (1 << 3, 1 << 5, 1 << 7, 1 << 10), 25, 26
#: Beyond this discount a light cone takes too many steps to be tried.
LARGEST_GAMMA = 0.9995
#: κ's of a simulation, and agents a second for whom it is prepared.
SIMULATED_KAPPAS, SAMPLED_A_SECOND = 6, 500_000
#: So many agents share the time that is left, if there are so many.
AT_LEAST = 4
#: Shares of the time by the end of which exact values, light cones and simulations are done; the rest is for run time.
EXACT, CONE, SIMULATION = 0.6, 0.7, 0.85


class MeasuredDecay(NamedTuple):
    """lower ≤ D_i(κ) ≤ upper for one agent under the uniform policy, κ = 0, 1, ….

    method : ``exact``, ``branch and bound``, ``light cone``, all certified, or ``simulation`` (upper is infinite; lower
        holds up to chance).
    mean   : the mean difference of a simulation, an estimate of what it searched; otherwise the middle of the interval.
    limit  : at least |q*_i - Q_i| for TD's limit q* on the cells of κ that recur; infinite where q* was not found.
    """

    agent: int
    method: str
    lower: Array
    mean: Array
    upper: Array
    limit: Array


def measured(
    network: Network,
    agents: Sequence[int],
    kappas: int,
    *,
    tol: float,
    seed: int,
    clock: Clock,
    simulate_all: bool = False,
) -> list[MeasuredDecay]:
    """What there is time to find out about `agents`, those whose certificates are largest first in the list.

    simulate_all : simulate agents whose decay is known exactly, too.
    """
    found = exact_values(network, agents, kappas, tol, clock)
    # Branch and bound may end with a wide interval, so light cones are tried as well.
    known = {entry.agent for entry in found if entry.method == "exact"}
    unknown = [i for i in agents if i not in known]
    found += light_cones(network, unknown, min(kappas, SIMULATED_KAPPAS), tol, clock)
    rest = list(agents) if simulate_all else unknown
    return found + simulations(network, rest, min(kappas, SIMULATED_KAPPAS), tol, seed, clock)


def exact_values(network: Network, agents: Sequence[int], kappas: int, tol: float, clock: Clock) -> list[MeasuredDecay]:
    """D_i(κ) of agents in components that fit, exactly; intervals where branch and bound ran out of work."""
    found, few = [], min(kappas, SIMULATED_KAPPAS)
    order = np.full(network.n, -1)
    order[list(agents)] = np.arange(len(agents))
    pairs_of = network.state_sizes * network.action_sizes
    parts, works = [], []
    for piece in network.pieces:
        states, pairs = _bits(network.state_sizes[piece]), _bits(pairs_of[piece])
        own = piece[order[piece] >= 0]
        own = own[np.argsort(order[own])].tolist()
        if not own or states > WHOLE_STATES or len(piece) >= MOST_AXES:
            continue
        members = piece.tolist()
        each = 2.0 ** min(pairs, SWEPT_PAIRS) + A_STATE * 2.0**states + AN_AGENT
        parts.append((members, own, pairs <= SWEPT_PAIRS, each))
        works.append(each * len(own) if pairs <= SWEPT_PAIRS else math.inf)
    first = affordable(works, FREE_PAIRS)
    for k in sorted(range(len(parts)), key=lambda k: (not first[k], order[parts[k][1][0]])):
        (piece, own, swept, each), free = parts[k], first[k]
        needed = each / PAIRS_A_SECOND if swept else few * A_SEARCH
        if not free and clock.left(EXACT) < needed:
            clock.stop("exact values")
            continue
        try:
            mdp = component(network, piece)
        except ValueError:  # some kernel is too large for a table
            continue
        theta = uniform_theta(mdp)
        law = law_in_time(mdp, theta, clock)
        for done, i in enumerate(own):
            left = clock.left(EXACT)
            if not free and left < needed:
                clock.stop("exact values")
                break
            clock.say(f"exact decay of agent {done + 1:,} of {len(own):,} ({len(piece):,} agents in its component)")
            begin = working()
            work = int(left / few / min(len(own) - done, AT_LEAST) * BRANCHED_A_SECOND)
            try:
                bounds = certified_decay(
                    mdp,
                    theta,
                    [piece.index(i)],
                    range(kappas if swept else few),
                    slack=0.01 * tol,
                    sweep_limit=1 << SWEPT_PAIRS,
                    branch_limit=max(work, 1),
                )
            except MemoryError:
                clock.reach("exact values", -1)
                break
            lower, upper = bounds.lower[0], bounds.upper[0]
            method = "exact" if swept else "branch and bound"
            limit = limit_gaps(mdp, theta, piece.index(i), len(upper), law, clock)
            found.append(MeasuredDecay(i, method, lower, 0.5 * (lower + upper), upper, limit))
            if not swept:
                clock.reach(method, few - 1)
            needed = max(needed, working() - begin) if done else needed
    return found


def law_in_time(mdp: NetworkedMDP, theta: Theta, clock: Clock) -> tuple[Array, float] | None:
    """`eliminated_law` of a component, or None where its states or pairs are many, or there is no time for them."""
    states, pairs = _bits(np.array(mdp.state_sizes)), _bits(np.array(mdp.state_sizes) * mdp.action_sizes)
    if 3 * mdp.n > EINSUM_AXES or states > MOST_LAW_STATES or pairs > LAW_PAIRS:
        return None
    if states > LAW_STATES and clock.left(EXACT) < 8.0**states / 3.0 / LAW_A_SECOND:
        clock.stop(LIMIT)
        return None
    clock.say(f"stationary law of {mdp.n:,} agents")
    return eliminated_law(chain_of(mdp, theta))


def limit_gaps(
    mdp: NetworkedMDP, theta: Theta, i: int, kappas: int, law: tuple[Array, float] | None, clock: Clock
) -> Array:
    """At least |q*_i - Q_i| for κ = 0..kappas-1 in cells that recur; infinite where the cells are many, or without μ.

    Rounding included. Of cells with mass the next have mass, too: what is left for ever does not enter their q*.
    law : of `eliminated_law`. q* is the fixed point of a γ-contraction whose every number is a sum of products without
    signs, so that what roundings move it is at most what they move one application, over 1-γ.
    """
    gaps = np.full(kappas, np.inf)
    if law is None:
        return gaps
    (mu, off), largest = law, mdp.r_bar / (1.0 - mdp.gamma)
    found = evaluate(mdp, theta, agents=[i])
    Q_i = q_function(mdp, found.V[0], i)
    relative = gamma_k(sum(mdp.state_sizes) + sum(mdp.action_sizes) + 4 * mdp.n + 6 + normalising_roundings(mdp.P))
    for kappa in range(kappas):
        inside = neighborhood(mdp.graph, i, kappa)
        if len(inside) == mdp.n:
            gaps[kappa:] = 0.0
            break
        if (entries := cell_entries(mdp, i, kappa)) > 1 << MOST_LIMIT_ENTRIES:
            clock.reach(LIMIT, kappa - 1)
            break
        if entries > 1 << LIMIT_ENTRIES and clock.left(EXACT) < entries / LIMIT_A_SECOND:
            clock.stop(LIMIT)
            break
        q = td_fixed_point(mdp, theta, i, kappa, mu=mu)
        moved = (relative + 3.0 * off) * largest / (1.0 - mdp.gamma) + solve_error(mdp, math.prod(q.shape[: mdp.n]))
        outside = tuple(j for j in range(mdp.n) if j not in inside)
        recur = mu.sum(axis=outside, keepdims=True).reshape(q.shape[: mdp.n] + (1,) * mdp.n) > 0.0
        gaps[kappa] = float(np.where(recur, np.abs(q - Q_i), 0.0).max()) + found.error + relative * largest + moved
    return gaps


def recurs(network: Network) -> bool | None:
    """Whether every joint state comes again and again under every policy that tries all actions; None: not known.

    It does if no averaged law has a zero; elsewhere the supports are searched, where there are `MOST_SEARCHED` states.
    """
    positive = True
    for group in network.alike():
        step = max(1, BLOCK_ENTRIES // group.rows[0].size)
        for start in range(0, len(group.rows), step):
            kernel = replace(group.kernel, rows=np.asarray(group.rows[start : start + step]))
            positive &= bool((kernel.averaged().rows > 0.0).all())
    pieces = network.pieces
    if positive or sum(2.0 ** _bits(network.state_sizes[piece]) for piece in pieces) > 1 << MOST_SEARCHED:
        return positive or None
    for piece in pieces:
        try:
            mdp = component(network, piece.tolist())
            found = recurrent_class(chain_of(mdp, uniform_theta(mdp)))
        except ValueError:  # some kernel is too large for a table, or there are more agents than arrays have axes
            return None
        if found is None or not found.all():
            return False
    return True


def component(network: Network, piece: Sequence[int]) -> NetworkedMDP:
    """The model of one component alone, agents renumbered in order, with a uniform start: no decay depends on it."""
    graph, place = nx.empty_graph(len(piece)), {i: k for k, i in enumerate(piece)}
    graph.add_edges_from((place[i], place[j]) for i in piece for j in row_of(network.adjacency, i))
    pi0 = tuple(np.full(int(S), 1.0 / S) for S in network.state_sizes[piece])
    return NetworkedMDP(
        graph, tuple(network.P[i] for i in piece), tuple(network.r[i] for i in piece), network.gamma, pi0
    )


def light_cones(network: Network, agents: Sequence[int], few: int, tol: float, clock: Clock) -> list[MeasuredDecay]:
    """Certified intervals from the surroundings of agents whose component does not fit."""
    if network.gamma > LARGEST_GAMMA:
        return []
    theta = [np.zeros(r_i.shape) for r_i in network.r]
    found: list[MeasuredDecay] = []
    slowest, begin = 0.0, working()
    for k, i in enumerate(agents):
        if clock.left(CONE) <= slowest:
            clock.stop("light cones")
            break
        clock.say(f"light cone of agent {k + 1:,} of {len(agents):,}")
        try:
            largest = largest_cone(network, theta, i, tol)
        except ValueError:  # some agent nearby has a kernel that is too large for a table
            largest = 0
        if largest:
            cone = local_decay(network, theta, i, few - 1, tol, largest=largest)
            clock.reach("light cones", few - 1)
            middle, limit = 0.5 * (cone.lower + cone.upper), np.full(few, np.inf)
            found.append(MeasuredDecay(i, "light cone", cone.lower, middle, cone.upper, limit))
        slowest, begin = max(slowest, working() - begin), working()
    return found


def simulations(
    network: Network, agents: Sequence[int], few: int, tol: float, seed: int, clock: Clock
) -> list[MeasuredDecay]:
    """Lower bounds by search and simulation, agent after agent until the time is used."""
    if not agents or clock.left(SIMULATION) <= network.n / SAMPLED_A_SECOND:
        if agents:
            clock.stop("simulation")
        return []
    sampler, A = Sampler(network), network.adjacency
    found = []
    for k, i in enumerate(agents):
        left = clock.left(SIMULATION)
        if not left:
            clock.stop("simulation")
            break
        clock.say(f"simulated decay of agent {k + 1:,} of {len(agents):,}")
        rng = np.random.default_rng([seed, i])
        each = left / min(len(agents) - k, AT_LEAST)
        clock.reach("simulation", few - 1)
        lower, mean = least_decay(network, sampler, i, few, distances(A, i), tol, rng, each)
        unknown = np.full(len(lower), np.inf)
        found.append(MeasuredDecay(i, "simulation", lower, mean, unknown, unknown))
    return found


def largest_cone(network: Network, theta: Sequence[Array], i: int, tol: float) -> int:
    """The largest of `CONES` whose next step fits and whose local Q_i can be swept, 0 if there is none."""
    pairs = np.log2(network.state_sizes * network.action_sizes)
    near_i = list(hops(network.adjacency, i, 4))
    hoods = max(float(np.log2(network.state_sizes[list(network.hood(j))]).sum()) for j in near_i)
    least = max(1.0, float(np.log2(network.state_sizes[near_i]).min()))
    chosen = 0
    for largest in CONES:
        # A table has at most largest/4 entries when it is moved on, and every agent in it brings its neighbors.
        if (math.log2(largest) - 2.0) / least * hoods > STEP_BITS:
            break
        near = local_value(network, theta, i, tol, largest=largest).agents
        if pairs[sorted(set().union(*(network.hood(j) for j in near)))].sum() > CONE_BITS:
            break
        chosen = largest
    return chosen


def _bits(sizes: Array) -> float:
    """log2 of the product, the same in any order."""
    return math.fsum(np.log2(sizes).tolist())
