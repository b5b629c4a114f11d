"""The models by name. Here are applications: what spreads along edges, by counts of neighbors; what flows along them.

Epidemics, failures of machines and opinions spread: S_i = A_i = 2, and an agent's law depends on its neighbors through
how many of them are in state 1. Heat flows between rooms, packets between queues.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import networkx as nx
import numpy as np

from sacrepro.instances.extremal import courtesy, parity, td_witness
from sacrepro.instances.graphs import at_least, at_least_zero, finite, one_for_each_action, positive, probabilities
from sacrepro.instances.random_kernels import downstream, random_mdp
from sacrepro.instances.relay import broadcast, relay
from sacrepro.instances.wireless import wireless_committed
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_kernel_sizes, neighborhood
from sacrepro.model.mdp import CountedMDP, NetworkedMDP, counted, tabulated


def counted_sis(
    graph: nx.Graph,
    *,
    gamma: float,
    beta: tuple[float, float] = (0.4, 0.2),
    delta: tuple[float, float] = (0.2, 0.6),
    epsilon: float = 0.05,
    health: float = 1.0,
    cost: float = 0.3,
    initially_infected: float = 0.5,
) -> CountedMDP:
    """SIS epidemics with treatment: an application named in the paper's introduction (Mei et al., 2017).

    State s_i ∈ {0 susceptible, 1 infected}; action a_i ∈ {0 nothing, 1 treat}. With k infected neighbors,

        P(s_i' = 1 | s_i = 0) = 1 - (1-ε) (1-β_{a_i})^k,          P(s_i' = 1 | s_i = 1) = 1 - δ_{a_i},
        r_i(s_i, a_i) = health·1{s_i = 0} + cost·1{a_i = 0},

    that is: health minus the cost of treatment, shifted by `cost` into [0, r̄]. ε > 0 keeps every state reachable, so
    Assumption 3 can hold for policies that explore.

    beta    : (β_0, β_1), probability a step that one infected neighbor infects agent i, without and with treatment.
    delta   : (δ_0, δ_1), probability a step of recovery, without and with treatment.
    epsilon : ε, probability a step of infection from outside the network.
    health, cost : reward per step of being susceptible, and price per step of treatment; both ≥ 0.
    initially_infected : probability that an agent starts infected, independently.
    """
    one_for_each_action("sis", beta=beta, delta=delta)
    probabilities("sis", beta=beta, delta=delta, epsilon=epsilon, initially_infected=initially_infected)
    at_least_zero("sis", health=health, cost=cost)

    def law(s_i: int, k: int, degree: int, a_i: int) -> Array:
        infected = 1.0 - delta[a_i] if s_i else 1.0 - (1.0 - epsilon) * (1.0 - beta[a_i]) ** k
        return np.array([1.0 - infected, infected])

    r_i = np.array([[health + cost, health], [cost, 0.0]])
    return counted(graph, law, r_i, gamma, np.array([1.0 - initially_infected, initially_infected]))


sis = tabulated(counted_sis)


def counted_sysadmin(
    graph: nx.Graph,
    *,
    gamma: float,
    keep: float = 0.45,
    support: float = 0.5,
    revival: float = 0.1,
    cost: float = 0.75,
    initially_working: float = 1.0,
) -> CountedMDP:
    """SysAdmin: machines that fail with their neighbors (Guestrin, Koller, Parr, IJCAI 2001 and JAIR 2003).

    State s_i ∈ {0 failed, 1 works}; action a_i ∈ {0 nothing, 1 reboot}. With k of its d neighbors working,

        P(s_i' = 1 | a_i = 1) = 1,
        P(s_i' = 1 | s_i = 1, a_i = 0) = keep + support·(1+k)/(1+d),        P(s_i' = 1 | s_i = 0, a_i = 0) = revival,
        r_i(s_i, a_i) = s_i + cost·1{a_i = 0},

    working machines minus the price of reboots, shifted by `cost` into [0, r̄]. The probabilities and the price are
    those of Sanner's RDDL version of the benchmark. There one administrator reboots one machine a step, a global
    action; here every machine decides on its own, which is what makes it an instance of eq. (1).

    keep, support : a working machine goes on with probability keep + support·(1+k)/(1+d); keep + support ≤ 1.
    revival       : probability a step that a failed machine works again without a reboot.
    cost          : price of a reboot in steps of one working machine; ≥ 0.
    initially_working : probability that a machine starts working, independently.
    """
    probabilities("sysadmin", keep=keep, support=support, revival=revival, initially_working=initially_working)
    at_least_zero("sysadmin", cost=cost)
    if keep + support > 1.0:
        raise ValueError(f"sysadmin: keep + support must be at most 1, got {keep} + {support}")

    def law(s_i: int, k: int, degree: int, a_i: int) -> Array:
        works = 1.0 if a_i else keep + support * (1 + k) / (1 + degree) if s_i else revival
        return np.array([1.0 - works, works])

    r_i = np.array([[cost, 0.0], [1.0 + cost, 1.0]])
    return counted(graph, law, r_i, gamma, np.array([1.0 - initially_working, initially_working]))


sysadmin = tabulated(counted_sysadmin)


def counted_social(
    graph: nx.Graph,
    *,
    gamma: float,
    coupling: float = 0.3,
    bias: float = -0.2,
    promotion: float = 0.5,
    inertia: float = 0.2,
    value: float = 1.0,
    cost: float = 0.3,
    initially_adopting: float = 0.5,
) -> CountedMDP:
    """Social influence: synchronous Glauber dynamics with promotion (Llas et al., 2003; Mezard and Montanari, 2009).

    State s_i ∈ {0 rejects, 1 adopts} an opinion or a product; action a_i ∈ {0 nothing, 1 promote}. Agent i feels the
    field of its neighbors' opinions σ_j = 2s_j - 1 ∈ {-1, +1}, the fashion and its own promotion,

        h_i = coupling·Σ_{j∈N_i, j≠i} σ_j + bias + promotion·a_i,

    keeps its opinion with probability `inertia`, and otherwise adopts with the heat-bath probability of all agents at
    once

        P(s_i' = 1) = 1 / (1 + exp(-2 h_i)),          r_i(s_i, a_i) = value·s_i + cost·1{a_i = 0}.

    The reward is adoption minus the cost of promotion, shifted by `cost` into [0, r̄]. One neighbor moves the law by at
    most C_ij = (1-inertia)·tanh|coupling|, attained where the other fields cancel: with degree·C_ij < 1 - inertia
    (Dobrushin's condition) opinions forget their start. Fields are in units of the temperature.

    coupling  : field of one neighbor's opinion, in units of the temperature; negative for contrarians.
    bias, promotion : field of fashion, and what promotion adds to it, in the same units.
    inertia   : probability a step of keeping the opinion unexamined.
    value, cost : reward per step of an adopter, and price per step of promotion; both ≥ 0.
    initially_adopting : probability that an agent starts as an adopter, independently.
    """
    probabilities("social", inertia=inertia, initially_adopting=initially_adopting)
    at_least_zero("social", value=value, cost=cost)
    finite("social", coupling=coupling, bias=bias, promotion=promotion)

    def law(s_i: int, k: int, degree: int, a_i: int) -> Array:
        h_i = coupling * (2 * k - degree) + bias + promotion * a_i
        adopts = inertia * s_i + (1.0 - inertia) * 0.5 * (1.0 + math.tanh(h_i))  # tanh neither over- nor underflows
        return np.array([1.0 - adopts, adopts])

    r_i = np.array([[cost, 0.0], [value + cost, value]])
    return counted(graph, law, r_i, gamma, np.array([1.0 - initially_adopting, initially_adopting]))


social = tabulated(counted_social)


def thermal(
    graph: nx.Graph,
    *,
    gamma: float,
    levels: int = 3,
    coldest: float = 16.0,
    step: float = 2.0,
    outdoor: float = 10.0,
    target: float = 20.0,
    leak: float = 0.1,
    exchange: float = 0.1,
    heating: float = 2.0,
    disturbance: float = 0.1,
    discomfort: float = 0.25,
    energy: float = 0.2,
) -> NetworkedMDP:
    """Heating of a building: rooms that exchange heat (Wu et al., 2016; Zhang et al., 2017).

    State s_i ∈ {0, …, levels-1}: the temperature of room i is x_i = coldest + step·s_i in °C. Action a_i ∈ {0 off, 1
    heat}. In one step of the RC network room i comes to

        y_i = x_i + leak·(outdoor - x_i) + exchange·Σ_{j∈N_i, j≠i} (x_j - x_i) + heating·a_i          (°C),

    cut to the range of temperatures. The next level is one of the two around y_i, drawn so that the mean temperature is
    exactly y_i; with probability `disturbance` (sun, doors, people) it is then one level colder or warmer with equal
    odds, cut to the range again.

        r_i(s_i, a_i) = discomfort·(worst - |x_i - target|) + energy·1{a_i = 0},

    discomfort in every room minus energy, shifted into [0, r̄] by the worst deviation `worst` from the target and by
    `energy`. leak + degree·exchange ≤ 1 keeps y_i between the temperatures it mixes, as heat does.

    The building on `graph`, rooms as agents, S_i = `levels`, A_i = 2; every room starts at the coldest level.

    levels, coldest, step : the temperatures coldest, coldest + step, … in °C.
    outdoor, target       : in °C.
    leak, exchange        : share of the difference to outdoors, and to one neighbor, that is lost in a step.
    heating               : °C that heating adds in a step.
    disturbance           : probability a step of a disturbance by one level.
    discomfort, energy    : price per °C off the target and step, and per step of heating; both ≥ 0.
    """
    probabilities("thermal", leak=leak, exchange=exchange, disturbance=disturbance)
    at_least_zero("thermal", heating=heating, discomfort=discomfort, energy=energy)
    finite("thermal", coldest=coldest, outdoor=outdoor, target=target)
    positive("thermal", step=step)
    at_least(1, "thermal", levels=levels)
    n = len(graph)
    hoods = [neighborhood(graph, i, 1) for i in range(n)]
    for i, hood in enumerate(hoods):
        if leak + (len(hood) - 1) * exchange > 1.0:
            mixed = f"{leak} + {len(hood) - 1}·{exchange}"
            raise ValueError(f"thermal: leak + degree·exchange must be at most 1, got {mixed} at agent {i}")
    check_kernel_sizes(graph, (levels,) * n, (2,) * n)
    x = coldest + step * np.arange(levels)
    after = disturbed(levels, disturbance)
    P = []
    for i, hood in enumerate(hoods):
        shape = (levels,) * len(hood)
        temperatures = [x[level] for level in np.indices(shape)]
        own = temperatures[hood.index(i)]
        drift = leak * (outdoor - own) + sum(exchange * (other - own) for other in temperatures)
        y = own[..., None] + drift[..., None] + heating * np.arange(2)
        P.append(two_levels((y - coldest) / step, levels) @ after)
    worst = float(np.abs(x - target).max())
    comfort = discomfort * (worst - np.abs(x - target))
    r_i = comfort[:, None] + energy * np.array([1.0, 0.0])
    pi0_i = np.eye(levels)[0]
    return NetworkedMDP(graph, tuple(P), (r_i,) * n, gamma, (pi0_i,) * n)


def two_levels(level: Array, levels: int) -> Array:
    """The law on {0, …, levels-1} with mean `level`, cut to that range, on the two integers around it."""
    cut = np.clip(level, 0.0, levels - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(cut[..., None] - np.arange(levels)))


def disturbed(levels: int, disturbance: float) -> Array:
    """The law of the level after a disturbance given the one before, shape (levels, levels)."""
    colder, warmer = (np.eye(levels)[np.clip(np.arange(levels) + d, 0, levels - 1)] for d in (-1, 1))
    return (1.0 - disturbance) * np.eye(levels) + 0.5 * disturbance * (colder + warmer)


def queueing(
    graph: nx.Graph,
    *,
    gamma: float,
    exits: tuple[int, ...] = (0,),
    capacity: int = 1,
    arrival: float | tuple[float, ...] = 0.2,
    service: float = 0.9,
    delivery: float = 1.0,
    holding: float = 0.1,
) -> NetworkedMDP:
    """Store-and-forward networks: queues of packets or vehicles that are routed hop by hop (Papadimitriou and
    Tsitsiklis, 1999; Zhang and Pavone, 2016).

    Agent i, a router or an intersection, has outgoing links: to its neighbors in sorted order, and last to the outside
    if it is an exit. Action a_i is the link that is served in this step, the green phase. State s_i = (q_i, d_i),
    numbered q_i·(links + 1) + d_i:

        q_i ∈ {0, …, capacity}   packets that wait,
        d_i ∈ {0, …, links}      where the packet that left in the last step went: 0 nowhere, else over link d_i - 1.

    In one step, with D_i ~ Bernoulli(service) if q_i > 0 and else 0, and E_i ~ Bernoulli(arrival_i) from outside,

        q_i' = min(capacity, q_i - D_i + #{j ∈ N_i: d_j leads to i} + E_i),          d_i' = D_i·(a_i + 1).

    A packet is on the link for one step, stored and then forwarded; what finds the queue full is lost. Without d_i the
    kernels would not be those of eq. (1): the packet that leaves j would enter i in the same step, so q_i' would depend
    on the action a_j and, given (s, a), on q_j'. With d_i the departure is part of the state upstream.

        r_i(s_i, a_i) = delivery·1{d_i leads outside} + holding·(capacity - q_i),

    deliveries minus the cost of waiting, shifted by holding·capacity into [0, r̄].

    The store-and-forward network on `graph`, S_i = (capacity + 1)(links_i + 1), A_i = links_i; it starts empty.

    exits    : agents with a link to the outside.
    capacity : packets that fit into a queue.
    arrival  : probability a step that a packet enters an agent from outside, for all agents or one each.
    service  : probability a step that the served link takes a waiting packet.
    delivery, holding : reward of a packet that leaves the network, and price per waiting packet and step; both ≥ 0.
    """
    n = len(graph)
    if any(i not in graph for i in exits) or len(set(exits)) != len(exits):
        raise ValueError(f"queueing: exits must be distinct agents out of 0..{n - 1}, got {exits}")
    if capacity < 1:
        raise ValueError(f"queueing: capacity must be at least 1, got {capacity}")
    entering = arrival if isinstance(arrival, tuple) else (arrival,) * n
    if len(entering) != n:
        raise ValueError(f"queueing: arrival must hold one probability for each of the {n} agents, got {len(entering)}")
    probabilities("queueing", arrival=entering, service=service)
    at_least_zero("queueing", delivery=delivery, holding=holding)
    out = links(graph, exits)
    for i, out_i in enumerate(out):
        if not out_i:
            raise ValueError(f"queueing: agent {i} has no outgoing link; give it a neighbor or make it an exit")
    sizes = [(capacity + 1) * (len(out_i) + 1) for out_i in out]
    check_kernel_sizes(graph, sizes, [len(out_i) for out_i in out])
    P, r = [], []
    for i, out_i in enumerate(out):
        P.append(_kernel(i, neighborhood(graph, i, 1), out, capacity, entering[i], service))
        q, d = np.divmod(np.arange(sizes[i]), len(out_i) + 1)
        delivered = (d > 0) & (np.array([None, *out_i])[d] == OUTSIDE)
        r_i = delivery * delivered + holding * (capacity - q)
        r.append(np.repeat(r_i[:, None], len(out_i), axis=1))
    return NetworkedMDP(graph, tuple(P), tuple(r), gamma, tuple(np.eye(size)[0] for size in sizes))


#: The end of a link that leaves the network.
OUTSIDE = -1


def links(graph: nx.Graph, exits: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Where the links of each agent lead: its neighbors in sorted order, then `OUTSIDE` if it is an exit."""
    return [
        (*(j for j in neighborhood(graph, i, 1) if j != i), *((OUTSIDE,) if i in exits else ()))
        for i in range(len(graph))
    ]


def _kernel(
    i: int, hood: tuple[int, ...], out: list[tuple[int, ...]], capacity: int, arrival: float, service: float
) -> Array:
    """P_i with axes (s_j for j in hood), a_i, s_i'."""
    sizes = [(capacity + 1) * (len(out[j]) + 1) for j in hood]
    own, width = hood.index(i), len(out[i]) + 1
    P_i = np.zeros((*sizes, len(out[i]), sizes[own]))
    for states in np.ndindex(*sizes):
        q = states[own] // width
        incoming = 0
        for j, s_j in zip(hood, states, strict=True):
            d_j = s_j % (len(out[j]) + 1)
            incoming += d_j > 0 and out[j][d_j - 1] == i
        leaves = service if q > 0 else 0.0
        for a_i, D, E in itertools.product(range(len(out[i])), range(2), range(2)):
            probability = (leaves if D else 1.0 - leaves) * (arrival if E else 1.0 - arrival)
            q_next = min(capacity, q - D + incoming + E)
            if probability > 0.0:
                P_i[states][a_i, q_next * width + D * (a_i + 1)] += probability
    return P_i


#: What each model makes of a graph and its parameters.
NAMED: Mapping[str, Callable[..., NetworkedMDP]] = {
    "relay": relay,
    "broadcast": broadcast,
    "parity": parity,
    "random": random_mdp,
    "sis": sis,
    "td_witness": td_witness,
    "wireless": wireless_committed,
    "social": social,
    "sysadmin": sysadmin,
    "thermal": thermal,
    "queueing": queueing,
    "downstream": downstream,
    "courtesy": courtesy,
}
