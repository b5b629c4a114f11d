"""Action-coupled networks, a superset of eqs. (1)-(2): neighbors' actions act at once, and rewards see neighbors.

    P(s(t+1) | s(t), a(t)) = Π_i P_i(s_i(t+1) | s_{N_i}(t), a_{N_i}(t)),      r_i = r_i(s_{N_i}, a_{N_i}) ∈ [0, r̄].

With neighbors' actions in the kernels Lemma 3 keeps its exponent; with neighbors in the rewards it loses one hop
(`sacrepro.bounds.reward_radius`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx
import numpy as np

from sacrepro.model import (
    Array,
    NetworkedMDP,
    discount,
    frozen_graph,
    joint_law,
    local_tables,
    start,
    sum_to_one,
)


@dataclass(frozen=True, eq=False)
class CoupledMDP:
    """The action-coupled model, copied, checked and frozen on construction.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i) + (S_i,)``.
    r     : one reward table an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i)``, entries ≥ 0.
    gamma : discount γ ∈ [0, 1).
    pi0   : a tuple of n marginals of shape ``(S_i,)``, or one joint array of shape ``(S_0, …, S_{n-1})``.

    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.
    """

    graph: nx.Graph
    P: tuple[Array, ...]
    r: tuple[Array, ...]
    gamma: float
    pi0: tuple[Array, ...] | Array
    #: N_i for each agent, sorted, i included: the order of the state and action axes of ``P[i]`` and ``r[i]``.
    neighbors: tuple[tuple[int, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        graph, hoods = frozen_graph(self.graph)
        n = len(graph)
        gamma = discount(self.gamma)
        r = local_tables("r", self.r, n)
        for i, r_i in enumerate(r):
            if r_i.ndim != 2 * len(hoods[i]) or r_i.size == 0:
                what = f"one state and one action axis for each agent of N_{i} = {hoods[i]}, none empty"
                raise ValueError(f"r[{i}] of agent {i} has shape {r_i.shape}, expected {what}")
        own = [hood.index(i) for i, hood in enumerate(hoods)]
        S = tuple(r_i.shape[k] for r_i, k in zip(r, own, strict=True))
        A = tuple(r_i.shape[r_i.ndim // 2 + k] for r_i, k in zip(r, own, strict=True))
        P = local_tables("P", self.P, n)
        for i, hood in enumerate(hoods):
            rows = (*(S[j] for j in hood), *(A[j] for j in hood))
            for name, table, expected in (("r", r[i], rows), ("P", P[i], (*rows, S[i]))):
                if table.shape != expected:
                    raise ValueError(
                        f"{name}[{i}] of agent {i} has shape {table.shape}, expected {expected}: {_axes(name, hood, i)}"
                    )
        sum_to_one("P", P)
        pi0 = start(self.pi0, S)
        for name, value in (("graph", graph), ("P", P), ("r", r), ("gamma", gamma), ("pi0", pi0)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "neighbors", hoods)

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.r)

    @cached_property
    def state_sizes(self) -> tuple[int, ...]:
        """(S_0, …, S_{n-1})."""
        return tuple(P_i.shape[-1] for P_i in self.P)

    @cached_property
    def action_sizes(self) -> tuple[int, ...]:
        """(A_0, …, A_{n-1})."""
        return tuple(self.r[i].shape[len(hood) + hood.index(i)] for i, hood in enumerate(self.neighbors))

    @cached_property
    def r_bar(self) -> float:
        """r̄: the largest reward entry, so that 0 ≤ r_i ≤ r̄ (Assumption 1)."""
        return float(max(r_i.max() for r_i in self.r))

    def joint_pi0(self) -> Array:
        """π_0 as one array of shape (S_0, …, S_{n-1})."""
        return joint_law(self.pi0)


#: Either kind of model, for what accepts both.
Model = NetworkedMDP | CoupledMDP


def as_coupled(mdp: NetworkedMDP) -> CoupledMDP:
    """A model of eq. (1) as an action-coupled one, whose kernels and rewards do not use what they may see."""
    P, r = [], []
    for i, hood in enumerate(mdp.neighbors):
        own = hood.index(i)
        S, A = [mdp.state_sizes[j] for j in hood], [mdp.action_sizes[j] for j in hood]
        alone = [A[k] if k == own else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(mdp.P[i].reshape(*S, *alone, mdp.state_sizes[i]), (*S, *A, mdp.state_sizes[i])))
        itself = [S[k] if k == own else 1 for k in range(len(hood))]
        r.append(np.broadcast_to(mdp.r[i].reshape(*itself, *alone), (*S, *A)))
    return CoupledMDP(mdp.graph, tuple(P), tuple(r), mdp.gamma, mdp.pi0)


def over_pairs(table: Array, count: int) -> Array:
    """Axes (s_1, …, s_k, a_1, …, a_k, rest) as (z_1, …, z_k, rest), z = s·A + a."""
    order = [axis for k in range(count) for axis in (k, count + k)]
    pairs = [table.shape[k] * table.shape[count + k] for k in range(count)]
    return table.transpose([*order, *range(2 * count, table.ndim)]).reshape(*pairs, *table.shape[2 * count :])


def _axes(name: str, hood: tuple[int, ...], i: int) -> str:
    states, actions = ", ".join(f"S_{j}" for j in hood), ", ".join(f"A_{j}" for j in hood)
    last = (f", S_{i}", ", then the next state") if name == "P" else ("", "")
    return f"({states}, {actions}{last[0]}), the states, then the actions of N_{i} in sorted order{last[1]}"
