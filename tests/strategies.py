"""What hypothesis draws: small graphs, models and policies from small integers, normalised.

Isolated agents, one-state and one-action agents, deterministic kernels and γ = 0 are all reachable.
"""

from __future__ import annotations

import functools

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP

GAMMAS = (0.0, 0.5, 0.7, 0.9, 0.95)


@st.composite
def graphs(draw, min_n: int = 1, max_n: int = 4) -> nx.Graph:
    """Any graph on 0..n-1, connected or not."""
    n = draw(st.integers(min_n, max_n))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    graph = nx.empty_graph(n)
    graph.add_edges_from(pair for pair in pairs if draw(st.booleans()))
    return graph


@functools.cache
def arrays(shape: tuple[int, ...], smallest: int, largest: int) -> st.SearchStrategy[np.ndarray]:
    """Integer arrays of one shape, as floats."""
    size = int(np.prod(shape))
    entries = st.lists(st.integers(smallest, largest), min_size=size, max_size=size)
    return entries.map(lambda values: np.array(values, dtype=float).reshape(shape))


@st.composite
def distributions(draw, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of small integers over their sum; a row of zeros becomes a point mass, so deterministic rows are common."""
    weights = draw(arrays(shape, 0, 4))
    weights[..., 0] += weights.sum(axis=-1) == 0
    return weights / weights.sum(axis=-1, keepdims=True)


@st.composite
def mdps(draw, min_n: int = 1, max_n: int = 4, max_size: int = 3, graph: nx.Graph | None = None) -> NetworkedMDP:
    """Any networked MDP with at most `max_size` states and two actions an agent."""
    graph = draw(graphs(min_n, max_n)) if graph is None else graph
    n = len(graph)
    S = [draw(st.integers(1, max_size)) for _ in range(n)]
    A = [draw(st.integers(1, 2)) for _ in range(n)]
    P = tuple(draw(distributions((*(S[j] for j in neighborhood(graph, i, 1)), A[i], S[i]))) for i in range(n))
    r = tuple(draw(arrays((S[i], A[i]), 0, 4)) for i in range(n))
    gamma = draw(st.sampled_from(GAMMAS))
    if draw(st.booleans()):
        pi0: tuple[np.ndarray, ...] | np.ndarray = tuple(draw(distributions((S[i],))) for i in range(n))
    else:
        pi0 = draw(distributions((int(np.prod(S)),))).reshape(S)
    return NetworkedMDP(graph, P, r, gamma, pi0)


@st.composite
def coupled_mdps(
    draw, min_n: int = 1, max_n: int = 3, max_size: int = 2, graph: nx.Graph | None = None, local_rewards: bool = False
) -> CoupledMDP:
    """Any action-coupled model; with `local_rewards` r_i depends on (s_i, a_i) alone."""
    graph = draw(graphs(min_n, max_n)) if graph is None else graph
    n = len(graph)
    S = [draw(st.integers(1, max_size)) for _ in range(n)]
    A = [draw(st.integers(1, 2)) for _ in range(n)]
    P, r = [], []
    for i in range(n):
        hood = neighborhood(graph, i, 1)
        rows = (*(S[j] for j in hood), *(A[j] for j in hood))
        P.append(draw(distributions((*rows, S[i]))))
        kept = [size if not local_rewards or hood[k % len(hood)] == i else 1 for k, size in enumerate(rows)]
        r.append(np.broadcast_to(draw(arrays(tuple(kept), 0, 4)), rows))
    gamma = draw(st.sampled_from(GAMMAS))
    if draw(st.booleans()):
        pi0: tuple[np.ndarray, ...] | np.ndarray = tuple(draw(distributions((S[i],))) for i in range(n))
    else:
        pi0 = draw(distributions((int(np.prod(S)),))).reshape(S)
    return CoupledMDP(graph, tuple(P), tuple(r), gamma, pi0)


@st.composite
def coupled_cases(draw, **limits) -> tuple[CoupledMDP, tuple[np.ndarray, ...]]:
    """An action-coupled model with a policy tuple."""
    mdp = draw(coupled_mdps(**limits))
    return mdp, draw(thetas(mdp))


@st.composite
def thetas(draw, mdp: NetworkedMDP | CoupledMDP) -> tuple[np.ndarray, ...]:
    """Logits from -3 to 3 in steps of one half, for every agent, shifted: rows of one or two never sum to 1."""
    shapes = zip(mdp.state_sizes, mdp.action_sizes, strict=True)
    return tuple(draw(arrays(shape, -6, 6)) / 2 + 0.125 for shape in shapes)


@st.composite
def cases(draw, **limits: int) -> tuple[NetworkedMDP, tuple[np.ndarray, ...]]:
    """A model with a policy tuple."""
    mdp = draw(mdps(**limits))
    return mdp, draw(thetas(mdp))
