"""SIS epidemics with treatment: an application named in the paper's introduction (Mei et al., 2017).

State s_i ∈ {0 susceptible, 1 infected}; action a_i ∈ {0 nothing, 1 treat}. With k infected neighbors,

    P(s_i' = 1 | s_i = 0) = 1 - (1-ε) (1-β_{a_i})^k,          P(s_i' = 1 | s_i = 1) = 1 - δ_{a_i},
    r_i(s_i, a_i) = health·1{s_i = 0} + cost·1{a_i = 0},

that is: health minus the cost of treatment, shifted by `cost` into [0, r̄]. ε > 0 keeps every state reachable, so
Assumption 3 can hold for policies that explore.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.parameters import at_least_zero, one_for_each_action, probabilities
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
    """The SIS model on `graph`, S_i = A_i = 2.

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
