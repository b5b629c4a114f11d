"""Action-coupled models on a given graph: random ones, and the relay whose rewards look one hop ahead."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.coupled import CoupledMDP
from sacrepro.graph import neighborhood


def random_coupled(
    graph: nx.Graph,
    *,
    seed: int,
    state_sizes: tuple[int, ...],
    action_sizes: tuple[int, ...],
    gamma: float,
    radius: int,
    concentration: float = 0.2,
) -> CoupledMDP:
    """Every row of P_i(·|s_{N_i}, a_{N_i}) a Dirichlet draw, rewards uniform on [0, 1].

    radius        : what rewards see, 0 for r_i(s_i, a_i) and 1 for r_i(s_{N_i}, a_{N_i}).
    concentration : Dirichlet parameter; below 1 the kernels come near deterministic and couple agents strongly.
    """
    rng = np.random.default_rng(seed)
    P, r = [], []
    for i in range(len(graph)):
        hood = neighborhood(graph, i, 1)
        rows = (*(state_sizes[j] for j in hood), *(action_sizes[j] for j in hood))
        draws = rng.standard_gamma(concentration, size=(*rows, state_sizes[i])) + np.finfo(float).tiny
        P.append(draws / draws.sum(axis=-1, keepdims=True))
        seen = tuple(size if radius or hood[k % len(hood)] == i else 1 for k, size in enumerate(rows))
        r.append(np.broadcast_to(rng.uniform(size=seen), rows))
    pi0 = tuple(rng.dirichlet(np.ones(S_i)) for S_i in state_sizes)
    return CoupledMDP(graph, tuple(P), tuple(r), gamma, pi0)


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
