"""The relay or copy chain: the path on which Lemma 3 is an equality.

Agent i > 0 copies the state of agent i-1, agent 0 keeps its own, actions do nothing, r_i = r̄ s_i. A bit that
enters at agent 0 travels one hop a step and never fades, so D_i(κ) = r̄ γ^{κ+1} / (1-γ) exactly for κ < i. With
noise ε every copied bit is redrawn uniformly with probability ε, and the decay rate falls below γ (Appendix A).
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.refusals import at_least_zero
from sacrepro.model import NetworkedMDP, check_kernel_sizes


def relay(n: int, *, gamma: float, r_bar: float = 1.0, noise: float = 0.0) -> NetworkedMDP:
    """The relay on a path of n agents, S_i = A_i = 2.

    noise : probability ε ∈ [0, 1] that a copied bit is redrawn uniformly; 0 is the tight instance of Lemma 3.
    """
    if n < 1:
        raise ValueError(f"relay: n must be at least 1, got {n}")
    at_least_zero("relay", r_bar=r_bar)
    if not 0.0 <= noise <= 1.0:
        raise ValueError(f"relay: noise must lie in [0, 1], got {noise}")
    copy = (1.0 - noise) * np.eye(2) + noise * np.full((2, 2), 0.5)
    P = []
    for i in range(n):
        # Axes of P_i: the sorted neighbors (i-1, i, i+1 where they exist), a_i, s_i'.
        source = copy if i == 0 else copy[:, None, :]
        if i > 0:
            source = np.broadcast_to(source, (2, 2, 2))
        if i < n - 1:
            source = np.broadcast_to(source[..., None, :], (*source.shape[:-1], 2, 2))
        P.append(np.broadcast_to(source[..., None, :], (*source.shape[:-1], 2, 2)))
    r_i = r_bar * np.array([[0.0, 0.0], [1.0, 1.0]])
    return NetworkedMDP(nx.path_graph(n), tuple(P), (r_i,) * n, gamma, (np.full(2, 0.5),) * n)


def broadcast(n: int, *, gamma: float, r_bar: float = 1.0) -> NetworkedMDP:
    """The relay bent into a star: leaf 1 keeps its bit, hub 0 copies it, every other leaf copies the hub.

    Leaf 1 lies two hops from every rewarded leaf, so with κ = 1 each of their Q_j varies by r̄γ²/(1-γ) over its cells
    while all of them lie in N_0^1: the n-2 errors of Lemma 4 add up at the hub. Everyone starts at 0 and stays there.
    """
    if n < 3:
        raise ValueError(f"broadcast: n must be at least 3, got {n}")
    at_least_zero("broadcast", r_bar=r_bar)
    graph = nx.star_graph(n - 1)
    check_kernel_sizes(graph, (2,) * n, (2,) * n)
    copy = np.eye(2)
    # Axes: hub s_0, s_1, …, s_{n-1}, a_0, s_0'; a leaf j has s_0, s_j, a_j, s_j'.
    hub = np.broadcast_to(copy.reshape(1, 2, *(1,) * (n - 1), 2), (2,) * (n + 2))
    source = np.broadcast_to(copy[None, :, None, :], (2, 2, 2, 2))
    leaf = np.broadcast_to(copy[:, None, None, :], (2, 2, 2, 2))
    r_leaf = r_bar * np.array([[0.0, 0.0], [1.0, 1.0]])
    r = (np.zeros((2, 2)), np.zeros((2, 2)), *(r_leaf,) * (n - 2))
    return NetworkedMDP(graph, (hub, source, *(leaf,) * (n - 2)), r, gamma, (np.array([1.0, 0.0]),) * n)
