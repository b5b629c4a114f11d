"""Tree dependence: information flows from the root to the leaves (Qu and Li, CDC 2019).

Every agent sees its own state and that of its parent, P_i(s_i' | s_parent, s_i, a_i), so what happens below an agent
never reaches it. The graph of eq. (1) is undirected and counts children as neighbors all the same.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.graph import check_graph, neighborhood
from sacrepro.instances.refusals import at_least, positive
from sacrepro.model import NetworkedMDP, check_kernel_sizes


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
