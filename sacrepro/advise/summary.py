"""What a network is, in a few lines: sizes, rewards, and how strongly it is coupled."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np

from sacrepro.bounds.count_influence import network_influence, spectral_radius
from sacrepro.instances.network import Network, rounded
from sacrepro.model import Array


def summary(network: Network) -> str:
    """The lines that `sacrepro validate` prints."""
    degrees = np.array([degree for _, degree in network.graph.degree])
    hub = int(degrees.argmax())
    C = network_influence(network)
    low, high = spectral_radius(C)
    mu = float(C.sum(axis=1).max())
    gamma = network.gamma
    counted = int((network.group >= 0).sum())
    largest = max(network.entries(i) for i in {network.key(i): i for i in range(network.n)}.values())
    lines = [
        ("agents n", f"{network.n:,}, {network.graph.number_of_edges():,} edges, {pieces(network.graph)}"),
        (
            "degree",
            f"{degrees.min()} to {degrees.max()}, median {np.median(degrees):g}; the largest is {network.names[hub]!r}",
        ),
        ("states S, actions A", f"{sizes(network.state_sizes)}; {sizes(network.action_sizes)}"),
        (
            "kernels",
            f"{counted:,} by counts, {network.n - counted:,} by table; the largest table would have "
            f"{rounded(largest)} entries",
        ),
        ("rewards", f"0 to r̄ = {network.r_bar:g}; γ = {gamma:g}; r̄/(1-γ) = {network.r_bar / (1 - gamma):g}"),
        ("influence matrix C", f"spectral radius in [{low:.4f}, {high:.4f}], largest row sum μ = {mu:.4f}"),
        ("γ·(spectral radius)", f"{gamma * high:.4f}: {decays(gamma * low, gamma * high)}"),
        ("γμ", f"{gamma * mu:.4f}: {rate(gamma, mu)}"),
    ]
    width = max(len(name) for name, _ in lines)
    return "".join(f"{name:<{width}}  {text}\n" for name, text in lines)


def sizes(values: Array | Sequence[int]) -> str:
    """One size, or the range of sizes."""
    low, high = int(np.min(values)), int(np.max(values))
    return str(low) if low == high else f"{low} to {high}"


def pieces(graph: nx.Graph) -> str:
    """How many connected components, in words."""
    count = nx.number_connected_components(graph)
    return "connected" if count == 1 else f"{count:,} components"


def decays(low: float, high: float) -> str:
    """What γ·(spectral radius of C) says about the decay."""
    if high < 1.0:
        return "below 1, so influence fades faster than it spreads"
    if low >= 1.0:
        return "at least 1, so the influence matrix certifies no rate below γ"
    return "not decided"


def rate(gamma: float, mu: float) -> str:
    """The smaller of Lemma 3's decay rate γ and that of the influence matrix's row sums, γμ."""
    if mu < 1.0:
        return f"below γ, so by the influence matrix Q_i decays at rate ρ = {gamma * mu:.4f}, or faster"
    return f"not below γ, so by Lemma 3 Q_i decays at rate ρ = γ = {gamma:g}, or faster"
