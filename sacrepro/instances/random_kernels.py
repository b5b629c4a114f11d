"""Random kernels on a given graph: every row of P_i a Dirichlet draw, rewards uniform on [0, 1]."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.instances.graphs import at_least, positive
from sacrepro.model.checks import shortened
from sacrepro.model.graph import check_graph, check_kernel_sizes, neighborhood
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP


def random_mdp(
    graph: nx.Graph,
    *,
    seed: int,
    state_sizes: int | tuple[int, ...] = 2,
    action_sizes: int | tuple[int, ...] = 2,
    gamma: float = 0.9,
    concentration: float = 1.0,
) -> NetworkedMDP:
    """A model on `graph` with seeded random kernels and rewards.

    state_sizes, action_sizes : one number for all agents or one each.
    concentration : Dirichlet parameter; below 1 the kernels come near deterministic and couple agents strongly.
    seed : of the generator.        gamma : discount γ ∈ [0, 1). Raises ValueError naming the argument.

    >>> import networkx as nx
    >>> from sacrepro import random_mdp
    >>> random_mdp(nx.cycle_graph(4), seed=0, state_sizes=3, gamma=0.8).P[0].shape
    (3, 3, 3, 2, 3)
    """
    positive("random", concentration=concentration)
    at_least(0, "random", seed=seed)
    n = len(graph)
    rng = np.random.default_rng(seed)
    S = (state_sizes,) * n if isinstance(state_sizes, int) else tuple(state_sizes)
    A = (action_sizes,) * n if isinstance(action_sizes, int) else tuple(action_sizes)
    for name, sizes in (("state_sizes", S), ("action_sizes", A)):
        if len(sizes) != n or min(sizes) < 1:
            raise ValueError(
                f"random: {name} must hold integers of at least 1, one for all or {n}, got {shortened(sizes)}"
            )
    check_kernel_sizes(graph, S, A)
    P, r = [], []
    for i in range(n):
        rows = (*(S[j] for j in neighborhood(graph, i, 1)), A[i])
        draws = rng.standard_gamma(concentration, size=(*rows, S[i])) + np.finfo(float).tiny
        P.append(draws / draws.sum(axis=-1, keepdims=True))
        r.append(rng.uniform(size=(S[i], A[i])))
    pi0 = tuple(rng.dirichlet(np.ones(S[i])) for i in range(n))
    return NetworkedMDP(graph, tuple(P), tuple(r), gamma, pi0)


# Action-coupled models on a given graph: random ones, and the relay whose rewards look one hop ahead.


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


# Tree dependence: information flows from the root to the leaves (Qu and Li, CDC 2019).
#
# Every agent sees its own state and that of its parent, P_i(s_i' | s_parent, s_i, a_i), so what happens below an agent
# never reaches it. The graph of eq. (1) is undirected and counts children as neighbors all the same.


def downstream(graph: nx.Graph, *, gamma: float, seed: int, root: int = 0, concentration: float = 1.0) -> NetworkedMDP:
    """Random kernels on a tree, S_i = A_i = 2, every row a Dirichlet draw over (s_parent, s_i, a_i), rewards on [0, 1].

    root          : the agent that has no parent.
    concentration : Dirichlet parameter; below 1 the kernels come near deterministic and couple agents strongly.
    Raises ValueError for a graph that is not a tree or a root outside it.
    """
    check_graph(graph)
    if not nx.is_tree(graph):
        raise ValueError("downstream: graph must be a tree, connected and without cycles")
    if root not in graph:
        raise ValueError(f"downstream: root must be an agent out of 0..{len(graph) - 1}, got {root}")
    positive("downstream", concentration=concentration)
    at_least(0, "downstream", seed=seed)
    n = len(graph)
    check_kernel_sizes(graph, (2,) * n, (2,) * n)
    parent = nx.predecessor(graph, root)
    rng = np.random.default_rng(seed)
    P, r = [], []
    for i in range(n):
        hood = neighborhood(graph, i, 1)
        seen = {i, *parent[i]}
        sizes = [2 if j in seen else 1 for j in hood]
        draws = rng.standard_gamma(concentration, size=(*sizes, 2, 2)) + np.finfo(float).tiny
        P.append(np.broadcast_to(draws / draws.sum(axis=-1, keepdims=True), (*(2,) * len(hood), 2, 2)))
        r.append(rng.uniform(size=(2, 2)))
    return NetworkedMDP(graph, tuple(P), tuple(r), gamma, (np.full(2, 0.5),) * n)
