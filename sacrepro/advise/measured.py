"""What is measured under the uniform policy: D_i(κ) exactly, in a certified interval, or from below by simulation.

A simulation follows two copies of the network from starts that agree on N_i^κ, with common random numbers, and averages
the difference of agent i's discounted rewards. D_i(κ) is a largest difference, so the mean is below it up to its error.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.advise.certificates import adjacency, distances
from sacrepro.bounds.influence import horizon
from sacrepro.bounds.light_cone import cone_width
from sacrepro.exact import certified_decay, local_decay, local_value
from sacrepro.instances.network import Network
from sacrepro.instances.sampling import Sampler
from sacrepro.model import Array
from sacrepro.policy import uniform_theta

#: Joint states and pairs, in bits, up to which D_i is computed for the whole network.
WHOLE_STATES, WHOLE_PAIRS = 14, 28
#: Entries of V_i near i that a light cone tries, in turn, and pairs (in bits) of the local Q_i that it sweeps.
CONES, CONE_BITS, STEP_BITS = (1 << 3, 1 << 5, 1 << 7, 1 << 10), 25, 26
#: Simulated agent-copies at a time, copies at most, and agents of the surroundings that are simulated.
TOGETHER, MOST_COPIES, MOST_AROUND = 300_000, 512, 12_000
SIMULATED_KAPPAS = 6
#: Networks up to this size are measured without looking at the clock, so that same input gives same output.
UNTIMED = 1000
#: A lower end of the simulated gap is the mean less so many standard errors: one-sided error rate 0.1 %.
STANDARD_ERRORS = 3.1


class Measured(NamedTuple):
    """lower ≤ D_i(κ) ≤ upper for one agent under the uniform policy, κ = 0, 1, ….

    method : ``exact``, ``light cone`` (both certified) or ``simulation`` (upper is infinite; lower holds up to chance).
    mean   : the largest mean difference of a simulation, otherwise the middle of the interval.
    """

    agent: int
    method: str
    lower: Array
    mean: Array
    upper: Array


def measured(
    network: Network,
    agents: Sequence[int],
    kappas: int,
    *,
    tol: float,
    seed: int,
    seconds: float,
    simulate_all: bool = False,
) -> list[Measured]:
    """What can be measured of each agent: exactly, or else by simulation, and within a light cone where one fits.

    seconds : on large networks, how long; simulate_all : simulate agents whose decay is known exactly, too.
    """
    begin = time.monotonic()
    few = min(kappas, SIMULATED_KAPPAS)
    found = _certified(network, agents, few, tol)
    known = set() if simulate_all else {entry.agent for entry in found if entry.method == "exact"}
    unknown = [i for i in agents if i not in known]
    if not unknown:
        return found
    sampler, A = Sampler(network), adjacency(network.graph)
    for i in unknown:
        rng = np.random.default_rng([seed, i])
        distance = distances(A, i)
        rows = []
        for kappa in range(few):
            # On large networks the first two κ are simulated for every agent, those after them while there is time.
            if network.n <= UNTIMED or kappa < 2 or time.monotonic() - begin < seconds:
                rows.append(_simulated(network, sampler, i, kappa, distance, tol, rng))
        lower, mean = np.array(rows).T
        found.append(Measured(i, "simulation", lower, mean, np.full(len(rows), np.inf)))
    return found


def exactly_measurable(network: Network) -> bool:
    """Whether D_i is computed for the whole network."""
    pairs = _bits(network.state_sizes * network.action_sizes)
    return _bits(network.state_sizes) <= WHOLE_STATES and pairs <= WHOLE_PAIRS


def _certified(network: Network, agents: Sequence[int], few: int, tol: float) -> list[Measured]:
    """D_i(κ) of the whole network if it is small enough, otherwise the light cones that are."""
    if exactly_measurable(network):
        mdp = network.mdp()
        whole = certified_decay(mdp, uniform_theta(mdp), list(agents), range(few))
        return [
            Measured(i, "exact", lower, 0.5 * (lower + upper), upper)
            for i, lower, upper in zip(agents, whole.lower, whole.upper, strict=True)
        ]
    theta = [np.zeros(r_i.shape) for r_i in network.r]
    found = []
    for i in agents:
        try:
            largest = _largest_cone(network, theta, i, tol)
        except ValueError:  # some agent nearby has a kernel that is too large for a table
            continue
        if largest:
            cone = local_decay(network, theta, i, few - 1, tol, largest=largest)
            found.append(Measured(i, "light cone", cone.lower, 0.5 * (cone.lower + cone.upper), cone.upper))
    return found


def _largest_cone(network: Network, theta: Sequence[Array], i: int, tol: float) -> int:
    """The largest of `CONES` whose next step fits and whose local Q_i can be swept, 0 if there is none."""
    pairs = np.log2(network.state_sizes * network.action_sizes)
    near_i = list(nx.single_source_shortest_path_length(network.graph, i, cutoff=4))
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


def _simulated(
    network: Network, sampler: Sampler, i: int, kappa: int, distance: Array, tol: float, rng: np.random.Generator
) -> tuple[float, float]:
    """(lower end, mean) of the largest difference over two kinds of cells, outside lowest against highest.

    Only the T-hop surroundings matter for T steps (light cone), and later rewards are worth r̄γ^{T+1}/(1-γ) at most.
    """
    gamma, r_bar = network.gamma, network.r_bar
    steps = horizon(gamma, max(tol * (1.0 - gamma) / max(r_bar, tol), 1e-12))
    sizes = np.cumsum(np.bincount(distance[distance >= 0]))
    far = len(sizes) - 1
    if sizes[-1] > MOST_AROUND:
        far = max(kappa + 1, int(np.searchsorted(sizes, MOST_AROUND, side="right")) - 1)
    elif steps < far:
        far = steps
    whole = far == len(sizes) - 1
    steps = steps if whole else min(steps, far)
    members = np.flatnonzero((distance >= 0) & (distance <= far))
    local, own = sampler.among(members), int(np.searchsorted(members, i))
    n = len(members)
    copies = max(8, min(MOST_COPIES, TOGETHER // n))
    S, A = network.state_sizes[members, None], network.action_sizes[members, None]
    inside = (distance[members] <= kappa)[:, None]
    ends = []
    for cell in range(2):
        s = (rng.integers(0, S, size=(n, 1)) if cell else np.zeros((n, 1), dtype=int)) + np.zeros(
            (n, copies), dtype=int
        )
        a = rng.integers(0, A, size=(n, 1)) + np.zeros((n, copies), dtype=int)
        low, high = np.where(inside, s, 0), np.where(inside, s, S - 1)
        act_low, act_high = np.where(inside, a, 0), np.where(inside, a, A - 1)
        total = np.zeros(copies)
        for t in range(steps + 1):
            total += gamma**t * (local.rewards(high, act_high)[own] - local.rewards(low, act_low)[own])
            u = rng.random((n, copies))
            low, high = local.next_states(low, act_low, u), local.next_states(high, act_high, u)
            act_low = act_high = (rng.random((n, copies)) * A).astype(int)
        mean, error = abs(float(total.mean())), float(total.std(ddof=1)) / math.sqrt(copies)
        ends.append((max(mean - STANDARD_ERRORS * error - cone_width(steps, kappa, gamma, r_bar), 0.0), mean))
    return max(ends)


def _bits(sizes: Array) -> float:
    return float(np.log2(sizes).sum())
