"""What spreads along edges by counts of neighbors: epidemics, failures of machines, opinions.

S_i = A_i = 2, and an agent's law depends on its neighbors through how many of them are in state 1.
"""

from __future__ import annotations

import math

import networkx as nx
import numpy as np

from sacrepro.instances.graphs import at_least_zero, finite, one_for_each_action, probabilities
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, counted, tabulated


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
