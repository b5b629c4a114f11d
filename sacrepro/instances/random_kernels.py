"""Random kernels on a given graph: every row of P_i a Dirichlet draw, rewards uniform on [0, 1]."""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.graph import neighborhood
from sacrepro.instances.formula import shortened
from sacrepro.instances.refusals import at_least, positive
from sacrepro.model import NetworkedMDP, check_kernel_sizes


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
