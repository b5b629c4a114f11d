"""Section 3.3, complexity: what one agent stores depends on its neighborhood, not on n."""

from __future__ import annotations

import networkx as nx

from sacrepro.graph import max_neighborhood_size


def complexity(graph: nx.Graph, kappa: int, S: int, A: int) -> float:
    """(SA)^{f(κ)}, f(κ) = max_i |N_i^κ|: entries of the largest table Q̂_i."""
    return float(S * A) ** max_neighborhood_size(graph, kappa)
