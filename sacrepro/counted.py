"""Eq. (1) for agents that see their neighbors through a sum: P_i(s_i' | s_i, k, a_i) with k = Σ_{j∈N_i, j≠i} s_j.

Epidemics, majority dynamics and machines that fail with their neighbors are of this kind. A table over s_{N_i} has
S^{|N_i|} entries, so an agent with more than about twenty neighbors cannot be tabulated; a table over the sum has one
row for each value of k, and a hub of degree 1000 costs a thousand. Sampling, SAC and the influence matrix need no more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps
from typing import ParamSpec

import networkx as nx
import numpy as np

from sacrepro.model import Array, LocalModel, NetworkedMDP, check_kernel_sizes, marginals

Parameters = ParamSpec("Parameters")


class CountedMDP(LocalModel):
    """A networked MDP whose kernels depend on the neighbors' states through their sum, copied, checked and frozen.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_i, K_i + 1, A_i, S_i)`` with K_i = Σ_{j∈N_i, j≠i} (S_j - 1): own state,
            sum of the other neighbors' states, action, next state.
    r, gamma : as in `NetworkedMDP`.
    pi0   : n marginals of shape ``(S_i,)``.

    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.
    """

    pi0: tuple[Array, ...]

    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        S_i = self.state_sizes[i]
        K_i = sum(self.state_sizes[j] - 1 for j in self.neighbors[i] if j != i)
        return (S_i, K_i + 1, self.action_sizes[i], S_i)

    def _kernel_axes(self, i: int) -> str:
        return (
            f"(S_{i}, K_{i} + 1, A_{i}, S_{i}), the own state, the sum of the other neighbors' states, the action, "
            "the next state"
        )

    def _start(self) -> tuple[Array, ...]:
        return marginals(self.pi0, self.state_sizes)

    def expanded(self) -> NetworkedMDP:
        """The same model with kernels over s_{N_i}, made once; agents with equal kernels share one table.

        Raises ValueError, naming the agent, its degree and the entries, where such a table is too large.
        """
        return self._expanded

    @cached_property
    def _expanded(self) -> NetworkedMDP:
        sizes = self.state_sizes
        check_kernel_sizes(self.graph, sizes, self.action_sizes)
        known: dict[tuple[int, int, tuple[int, ...]], Array] = {}
        P = []
        for i, hood in enumerate(self.neighbors):
            own, shape = hood.index(i), tuple(sizes[j] for j in hood)
            key = (id(self.P[i]), own, shape)
            if key not in known:
                states = np.indices(shape, sparse=True)
                k = np.broadcast_to(sum(states) - states[own], shape)
                known[key] = self.P[i][np.broadcast_to(states[own], shape), k]
            P.append(known[key])
        return NetworkedMDP(self.graph, tuple(P), self.r, self.gamma, self.pi0)


def tabulated(model: Callable[Parameters, CountedMDP]) -> Callable[Parameters, NetworkedMDP]:
    """The model that `model` builds, with kernels over s_{N_i}."""

    @wraps(model)
    def build(*args: Parameters.args, **kwargs: Parameters.kwargs) -> NetworkedMDP:
        return model(*args, **kwargs).expanded()

    return build


def counted(
    graph: nx.Graph, law: Callable[[int, int, int, int], Array], r_i: Array, gamma: float, pi0_i: Array
) -> CountedMDP:
    """Agents alike but for their degree, S_i = r_i's rows: `law` (s_i, k, degree, a_i) is the law of s_i'."""
    S, A = r_i.shape
    tables: dict[int, Array] = {}
    for i in range(len(graph)):
        degree = sum(j != i for j in graph[i])
        if degree not in tables:
            places = (S, degree * (S - 1) + 1, A)
            rows = [law(s_i, k, degree, a_i) for s_i, k, a_i in np.ndindex(*places)]
            tables[degree] = np.array(rows).reshape(*places, S)
    n = len(graph)
    P = tuple(tables[sum(j != i for j in graph[i])] for i in range(n))
    return CountedMDP(graph, P, (r_i,) * n, gamma, (pi0_i,) * n)
