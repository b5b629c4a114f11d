"""Social influence: synchronous Glauber dynamics with promotion (Llas et al., 2003; Mezard and Montanari, 2009).

State s_i ∈ {0 rejects, 1 adopts} an opinion or a product; action a_i ∈ {0 nothing, 1 promote}. Agent i feels the field
of its neighbors' opinions σ_j = 2s_j - 1 ∈ {-1, +1}, the fashion and its own promotion,

    h_i = coupling·Σ_{j∈N_i, j≠i} σ_j + bias + promotion·a_i,

keeps its opinion with probability `inertia`, and otherwise adopts with the heat-bath probability of all agents at once

    P(s_i' = 1) = 1 / (1 + exp(-2 h_i)),          r_i(s_i, a_i) = value·s_i + cost·1{a_i = 0}.

The reward is adoption minus the cost of promotion, shifted by `cost` into [0, r̄]. One neighbor moves the law by at
most C_ij = (1-inertia)·tanh|coupling|, attained where the other fields cancel: with degree·C_ij < 1 - inertia
(Dobrushin's condition) opinions forget their start. Fields are in units of the temperature.
"""

from __future__ import annotations

import math

import networkx as nx
import numpy as np

from sacrepro.instances.parameters import at_least_zero, finite, probabilities
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, counted, tabulated


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
    """Social influence on `graph`, S_i = A_i = 2.

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
