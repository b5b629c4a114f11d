"""SysAdmin: machines that fail with their neighbors (Guestrin, Koller, Parr, IJCAI 2001 and JAIR 2003).

State s_i ∈ {0 failed, 1 works}; action a_i ∈ {0 nothing, 1 reboot}. With k of its d neighbors working,

    P(s_i' = 1 | a_i = 1) = 1,
    P(s_i' = 1 | s_i = 1, a_i = 0) = keep + support·(1+k)/(1+d),        P(s_i' = 1 | s_i = 0, a_i = 0) = revival,
    r_i(s_i, a_i) = s_i + cost·1{a_i = 0},

working machines minus the price of reboots, shifted by `cost` into [0, r̄]. The probabilities and the price are those of
Sanner's RDDL version of the benchmark. There one administrator reboots one machine a step, a global action; here every
machine decides on its own, which is what makes it an instance of eq. (1).
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.parameters import at_least_zero, probabilities
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, counted, tabulated


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
    """SysAdmin on `graph`, S_i = A_i = 2.

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
