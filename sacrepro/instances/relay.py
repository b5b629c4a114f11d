"""The relay or copy chain: the path on which Lemma 3 is an equality.

Agent i > 0 copies the state of agent i-1, agent 0 keeps its own, actions do nothing, r_i = r̄ s_i. A bit that
enters at agent 0 travels one hop a step and never fades, so D_i(κ) = r̄ γ^{κ+1} / (1-γ) exactly for κ < i. With
noise ε every copied bit is redrawn uniformly with probability ε, and the decay rate falls below γ (Appendix A).
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.graphs import at_least_zero
from sacrepro.model.graph import check_kernel_sizes, neighborhood
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP


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


def fading_relay(n: int, gamma: float, fade: float) -> NetworkedMDP:
    """A relay whose source, agent 0, drops a 1 with probability `fade` and never finds it again."""
    mdp = relay(n, gamma=gamma)
    source = np.broadcast_to(np.array([[1.0, 0.0], [fade, 1.0 - fade]])[:, None, None, :], mdp.P[0].shape)
    return NetworkedMDP(mdp.graph, (source, *mdp.P[1:]), mdp.r, gamma, mdp.pi0)


def noisy_hops(n: int, gamma: float, noise: float) -> NetworkedMDP:
    """The noisy relay whose source keeps its bit: D_{κ+1}(κ) = ρ^{κ+1}/(1-γ) with ρ = γ(1-noise)."""
    noisy = relay(n, gamma=gamma, noise=noise)
    return NetworkedMDP(noisy.graph, (relay(n, gamma=gamma).P[0], *noisy.P[1:]), noisy.r, gamma, noisy.pi0)


def noisy_broadcast(n: int, gamma: float, noise: float) -> NetworkedMDP:
    """`broadcast` whose source and copies are redrawn with probability `noise`: every D falls at ρ = γ(1-noise)."""
    mdp = broadcast(n, gamma=gamma)
    P = tuple((1.0 - noise) * P_i + noise * 0.5 for P_i in mdp.P)
    return NetworkedMDP(mdp.graph, P, mdp.r, gamma, mdp.pi0)


def long_range_relay(n: int, gamma: float) -> NetworkedMDP:
    """A relay in which agent i copies agent i-2: a networked MDP on the squared path, not on the path."""
    graph = nx.power(nx.path_graph(n), 2)
    P = []
    for i in range(n):
        hood = sorted({i, *graph.neighbors(i)})
        source = hood.index(i - 2 if i >= 2 else i)
        shape = [2 if k == source else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(np.eye(2).reshape(*shape, 1, 2), (*(2,) * len(hood), 2, 2)))
    r_i = np.array([[0.0, 0.0], [1.0, 1.0]])
    return NetworkedMDP(graph, tuple(P), (r_i,) * n, gamma, (np.full(2, 0.5),) * n)


def relay_along(graph: nx.Graph, *, gamma: float, radius: int, r_bar: float = 1.0) -> CoupledMDP:
    """The relay of `sacrepro.instances.relay` along a longest shortest path v_0, …, v_D of any graph, S_i = 2, A_i = 1.

    v_0 keeps its bit, v_k copies that of v_{k-1}, everybody else keeps 0 or 1 forever and earns nothing.
    r_{v_k} = r̄ s_{v_k} for radius 0; r̄ s_{v_{k-1}} for radius 1 and k ≥ 1. Then D_{v_k}(κ) = r̄ γ^{κ+1-radius}/(1-γ)
    at κ = k-1, by a bit that reaches the reward of v_k after k - radius steps and stays.
    """
    path = longest_shortest_path(graph)
    before = dict(zip(path[1:], path, strict=False))
    P, r = [], []
    for i in range(len(graph)):
        hood = neighborhood(graph, i, 1)
        rows = (2,) * len(hood) + (1,) * len(hood)
        P.append(np.broadcast_to(_along(np.eye(2), hood.index(before.get(i, i)), len(hood)), (*rows, 2)))
        paid = np.array([0.0, r_bar if i in path else 0.0])
        source = before.get(i, i) if radius else i
        r.append(np.broadcast_to(_along(paid[:, None], hood.index(source), len(hood))[..., 0], rows))
    return CoupledMDP(graph, tuple(P), tuple(r), gamma, (np.full(2, 0.5),) * len(graph))


def longest_shortest_path(graph: nx.Graph) -> list[int]:
    """The agents of a shortest path between two agents that are as far apart as any two of one component."""
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    start, end = max(((i, j) for i in lengths for j in lengths[i]), key=lambda pair: lengths[pair[0]][pair[1]])
    path: list[int] = nx.shortest_path(graph, start, end)
    return path


def _along(table: np.ndarray, position: int, count: int) -> np.ndarray:
    """A table (2, k) of one neighbor's state as one over (s_{N_i}, a_{N_i}) of single actions, and k."""
    shape = [1] * (2 * count) + [table.shape[1]]
    shape[position] = 2
    return table.reshape(shape)
