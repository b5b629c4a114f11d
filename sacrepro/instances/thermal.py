"""Heating of a building: rooms that exchange heat (Wu et al., 2016; Zhang et al., 2017).

State s_i ∈ {0, …, levels-1}: the temperature of room i is x_i = coldest + step·s_i in °C. Action a_i ∈ {0 off, 1 heat}.
In one step of the RC network room i comes to

    y_i = x_i + leak·(outdoor - x_i) + exchange·Σ_{j∈N_i, j≠i} (x_j - x_i) + heating·a_i          (°C),

cut to the range of temperatures. The next level is one of the two around y_i, drawn so that the mean temperature is
exactly y_i; with probability `disturbance` (sun, doors, people) it is then one level colder or warmer with equal odds,
cut to the range again.

    r_i(s_i, a_i) = discomfort·(worst - |x_i - target|) + energy·1{a_i = 0},

discomfort in every room minus energy, shifted into [0, r̄] by the worst deviation `worst` from the target and by
`energy`. leak + degree·exchange ≤ 1 keeps y_i between the temperatures it mixes, as heat does.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.graphs import at_least, at_least_zero, finite, positive, probabilities
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP, check_kernel_sizes


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
    """The building on `graph`, rooms as agents, S_i = `levels`, A_i = 2; every room starts at the coldest level.

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
        P.append(rounded((y - coldest) / step, levels) @ after)
    worst = float(np.abs(x - target).max())
    comfort = discomfort * (worst - np.abs(x - target))
    r_i = comfort[:, None] + energy * np.array([1.0, 0.0])
    pi0_i = np.eye(levels)[0]
    return NetworkedMDP(graph, tuple(P), (r_i,) * n, gamma, (pi0_i,) * n)


def rounded(level: Array, levels: int) -> Array:
    """The law on {0, …, levels-1} with mean `level`, cut to that range, on the two integers around it."""
    cut = np.clip(level, 0.0, levels - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(cut[..., None] - np.arange(levels)))


def disturbed(levels: int, disturbance: float) -> Array:
    """The law of the level after a disturbance given the one before, shape (levels, levels)."""
    colder, warmer = (np.eye(levels)[np.clip(np.arange(levels) + d, 0, levels - 1)] for d in (-1, 1))
    return (1.0 - disturbance) * np.eye(levels) + 0.5 * disturbance * (colder + warmer)
