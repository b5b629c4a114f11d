"""The parity star: the instance on which Lemma 4 with its own gap and score norm is attained in the limit.

Every leaf copies the hub and is paid r̄ for a 1; the hub goes to a_0 ⊕ s_1 ⊕ … ⊕ s_{n-1}. A leaf's cell at κ = 1 holds
a_0 but no other leaf, so the parity behind it may be either: weights of eq. (6) can credit each action with the reward
of the other, for every leaf at once.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.refusals import at_least_zero
from sacrepro.model import NetworkedMDP, check_kernel_sizes


def parity(n: int, *, gamma: float, r_bar: float = 1.0) -> NetworkedMDP:
    """The star with hub 0 and leaves 1, …, n-1, S_i = A_i = 2; leaves have actions that do nothing.

    It starts with a 1 at the hub and at leaf 1, so the parity is odd, and with n even once more after a step.
    """
    if n < 3:
        raise ValueError(f"parity: n must be at least 3, got {n}")
    at_least_zero("parity", r_bar=r_bar)
    graph = nx.star_graph(n - 1)
    check_kernel_sizes(graph, (2,) * n, (2,) * n)
    # Axes: hub s_0, s_1, …, s_{n-1}, a_0, s_0'; a leaf j has s_0, s_j, a_j, s_j'.
    following = np.indices((2,) * (n + 1))[1:].sum(axis=0) % 2
    hub = np.eye(2)[following]
    leaf = np.broadcast_to(np.eye(2)[:, None, None, :], (2, 2, 2, 2))
    r_leaf = r_bar * np.array([[0.0, 0.0], [1.0, 1.0]])
    zero, one = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    pi0 = (one, one, *(zero,) * (n - 2))
    return NetworkedMDP(graph, (hub, *(leaf,) * (n - 1)), (np.zeros((2, 2)), *(r_leaf,) * (n - 1)), gamma, pi0)
