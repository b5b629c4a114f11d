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

from sacrepro.graph import neighborhood
from sacrepro.model import NetworkedMDP


def sis(
    graph: nx.Graph,
    *,
    gamma: float,
    beta: tuple[float, float] = (0.4, 0.2),
    delta: tuple[float, float] = (0.2, 0.6),
    epsilon: float = 0.05,
    health: float = 1.0,
    cost: float = 0.3,
    initially_infected: float = 0.5,
) -> NetworkedMDP:
    """The SIS model on `graph`, S_i = A_i = 2.

    beta    : (β_0, β_1), probability a step that one infected neighbor infects agent i, without and with treatment.
    delta   : (δ_0, δ_1), probability a step of recovery, without and with treatment.
    epsilon : ε, probability a step of infection from outside the network.
    health, cost : reward per step of being susceptible, and price per step of treatment; both ≥ 0.
    initially_infected : probability that an agent starts infected, independently.
    """
    for name, value in (
        ("beta", beta),
        ("delta", delta),
        ("epsilon", (epsilon,)),
        ("initially_infected", (initially_infected,)),
    ):
        if not all(0.0 <= p <= 1.0 for p in value):
            raise ValueError(f"sis: {name} must hold probabilities in [0, 1], got {value}")
    P = []
    for i in range(len(graph)):
        hood = neighborhood(graph, i, 1)
        P_i = np.zeros((2,) * len(hood) + (2, 2))
        own = hood.index(i)
        for states in np.ndindex(*P_i.shape[:-2]):
            infected_neighbors = sum(states) - states[own]
            for a_i in range(2):
                if states[own]:
                    infected = 1.0 - delta[a_i]
                else:
                    infected = 1.0 - (1.0 - epsilon) * (1.0 - beta[a_i]) ** infected_neighbors
                P_i[states][a_i] = (1.0 - infected, infected)
        P.append(P_i)
    r_i = np.array([[health + cost, health], [cost, 0.0]])
    pi0_i = np.array([1.0 - initially_infected, initially_infected])
    return NetworkedMDP(graph, tuple(P), (r_i,) * len(graph), gamma, (pi0_i,) * len(graph))
