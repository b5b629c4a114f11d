"""What a network is, in a few lines: sizes, rewards, how strongly it is coupled; and where its agents are drawn.

That is the same place for the same graph, for five agents and for a hundred thousand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from sacrepro.adviser.certificates import distances
from sacrepro.bounds.influence import spectral_radius
from sacrepro.instances.network.labelled import Network, network_influence
from sacrepro.instances.network.links import Links, links_of
from sacrepro.model.checks import Array
from sacrepro.model.kernels import composition_count
from sacrepro.model.notices import rounded

#: Work that `validate` spends on the influence matrix, in numbers compared: ten seconds. C_ii is a largest distance
#: over all two of the pairs (s_i, a_i), so it takes the square of S_i·A_i.
MOST_COMPARED = 1 << 33
#: What a rate that is no better than γ does not say.
SERIES = "advise adds it up all the same: at no κ is it above Lemma 3's bound, and at small κ it may be far below"
#: What the arrows of a directed network mean.
DIRECTED = "j → i: P_i reads s_j; N_i^κ counts hops along and against the arrows, as Lemma 4 needs"
#: What starting one comparison costs, in numbers compared.
A_COMPARISON = 1 << 12


def summary(network: Network) -> str:
    """The lines that `sacrepro validate` prints."""
    lines = [*about(network), *coupling(network)]
    width = max(len(name) for name, _ in lines)
    return "".join(f"{name:<{width}}  {text}\n" for name, text in lines)


def about(network: Network) -> list[tuple[str, str]]:
    """What was read, line by line: a name, and what there is to say."""
    degrees = np.diff(network.reading.indptr)
    pairs, one = int(degrees.sum()), "arrow"
    if network.reads is None:
        pairs, one = pairs // 2, "edge"
    hub = int(degrees.argmax())
    gamma = network.gamma
    counted = int((network.group >= 0).sum())
    joint = network.adjacency @ np.log2(network.state_sizes) + np.log2(network.state_sizes**2 * network.action_sizes)
    largest = network.entries(int(joint.argmax()))
    return [
        ("agents n", f"{network.n:,}, {pairs:,} {one}{'s' * (pairs != 1)}, {pieces(network)}"),
        ("labels", listed([repr(name) for name in network.names])),
        (
            "degree" if network.reads is None else "reads",
            f"{sizes(degrees)}, median {np.median(degrees):,g}; the largest is {network.names[hub]!r}",
        ),
        ("states S", f"{sizes(network.state_sizes)}: {named(network.states)}"),
        ("actions A", f"{sizes(network.action_sizes)}: {named(network.actions)}"),
        *(
            [("attributes", listed([described(network, name) for name in network.attributes]))]
            if network.attributes
            else []
        ),
        *([("directed", DIRECTED)] if network.reads is not None else []),
        *([("weights", weighed(network))] if network.weights is not None else []),
        (
            "kernels",
            f"{counted:,} by counts, {network.n - counted:,} by table; the largest table would have "
            f"{rounded(largest)} entries",
        ),
        ("rewards", f"0 to r̄ = {network.r_bar:g}; γ = {gamma:g}; r̄/(1-γ) = {network.r_bar / (1 - gamma):g}"),
        ("start π_0", begins(network)),
    ]


def named(names: Sequence[tuple[str, ...]]) -> str:
    """The names of the first agent's states or actions, and whether others have other ones."""
    return listed(list(names[0])) + ("" if len(set(names)) == 1 else "; others have others")


def weighed(network: Network) -> str:
    """The weights of the edges: how many, their range, and whose kernels read them."""
    assert network.weights is not None
    values = network.weights.values()
    low, high, readers = min(values), max(values), len(network.weighted)
    told = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"{told} on all edges; read by the kernels of {'all' if readers == network.n else f'{readers:,}'} agents"


def begins(network: Network) -> str:
    """π_0: one law of all agents, or that of the first; nothing of a joint law but that it is one."""
    if not isinstance(network.pi0, tuple):
        return "one joint law"
    laws = [*{id(law): law for law in network.pi0}.values()]
    if all((law == law[0]).all() for law in laws):
        return "uniform"
    told = listed([f"{name} {p:g}" for name, p in zip(network.states[0], laws[0], strict=True)])
    alike = all(len(law) == len(laws[0]) and (law == laws[0]).all() for law in laws)
    return told if alike else f"{told} for {network.names[0]!r}; others begin otherwise"


def listed(words: list[str], most: int = 6) -> str:
    """The first words, and how many more there are."""
    more = f", … ({len(words) - most:,} more)" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def described(network: Network, name: str) -> str:
    """An attribute: its name, whether all have an integer, its range, who has it, and whether a formula uses it."""
    values = network.attributes[name]
    values = values[~np.isnan(values)]
    kind = "integer" if (values == np.floor(values)).all() else "real"
    low, high = float(values.min()), float(values.max())
    told = [kind, f"{low:g}" if low == high else f"{low:g} to {high:g}"]
    if len(values) < network.n:
        told.append(f"{len(values):,} of {network.n:,} agents")
    if name not in network.used:
        told.append("no formula uses it")
    return f"{name} ({', '.join(told)})"


def coupling(network: Network) -> list[tuple[str, str]]:
    """What the influence matrix says; of very large local tables, that it was not computed."""
    gamma, work = network.gamma, compared(network)
    if work > MOST_COMPARED:
        pairs = network.state_sizes * network.action_sizes
        i = int(pairs.argmax())
        why = f"it would compare {rounded(work)} numbers; agent {network.names[i]!r} has {pairs[i]:,} (s, a)"
        return [
            ("influence matrix C", f"not computed: {why}"),
            ("γ", f"by Lemma 3 Q_i decays at rate ρ = γ = {gamma:g}, or faster"),
        ]
    C = network_influence(network)
    low, high = spectral_radius(C)
    mu = float(C.sum(axis=1).max())
    known = low > NOTHING * high
    radius = (
        f"in [{decimals(low)}, {decimals(high)}]" if known else f"at most {decimals(high)}, nothing known from below"
    )
    return [
        ("influence matrix C", f"spectral radius {radius}, largest row sum μ = {decimals(mu)}"),
        ("γ·(spectral radius)", f"{decimals(gamma * high)}: {decays(gamma * low, gamma * high)}"),
        ("γμ", f"{decimals(gamma * mu)}: {rate(gamma, mu)}"),
        *([("influence series", SERIES)] if mu >= 1.0 else []),
    ]


def decimals(value: float) -> str:
    """Four decimals, or three digits where these would be few."""
    return f"{value:.4f}" if value == 0.0 or value >= 0.1 else f"{value:.3g}"


def compared(network: Network) -> int:
    """The numbers that `network_influence` compares: all pairs of values of each argument of each kernel."""

    def work(values: int, size: int) -> int:
        return math.comb(values, 2) * (size // values)

    total, kinds = 0, set()
    for kernel in network.groups:
        m, S, A, K, _ = kernel.laws.shape
        K_beside = composition_count(kernel.degree - 1, kernel.beside) if kernel.coupled else 0
        total += work(S * A, m * S * A * K * S) + work(kernel.beside, m * kernel.beside * S * A * K_beside * S)
        total += A_COMPARISON * (math.comb(S * A, 2) + math.comb(kernel.beside, 2))
    for i, table in network.tables.items():
        *S, A, S_i = table.shape
        own = network.near(i).index(i)
        values = [S_j * A if k == own else S_j for k, S_j in enumerate(S)]
        total += sum(work(x, table.size) for x in values)
        kinds.add((own, tuple(values), S_i))
    return total + A_COMPARISON * sum(math.comb(x, 2) for _, values, _ in kinds for x in values)


def sizes(values: Array | Sequence[int]) -> str:
    """One size, or the range of sizes."""
    low, high = int(np.min(values)), int(np.max(values))
    return rounded(low) if low == high else f"{rounded(low)} to {rounded(high)}"


def pieces(network: Network) -> str:
    """How many connected components, in words."""
    count = len(network.pieces)
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
        return f"below γ, so by the influence matrix Q_i decays at rate ρ = {decimals(gamma * mu)}, or faster"
    return f"not below γ, so by Lemma 3 Q_i decays at rate ρ = γ = {gamma:g}, or faster"


#: A lower bound that is no more of the upper one says nothing.
NOTHING = 1e-6
#: Up to so many agents all distances on the page follow distances in the graph.
SPREAD = 150
#: Beyond, distances to so many pivots do; but graphs of fewer hops than `FLAT` from a hub are drawn as rings around it.
PIVOTS, FLAT = 30, 8
#: Ring width that agents are scattered over, in hops.
SCATTER = 0.7


def layout(links: Links | nx.Graph) -> Array:
    """(x, y) of each agent in the unit disk, shape (n, 2)."""
    if not isinstance(links, Links):
        links = links_of(links)
    if 2 < links.n <= SPREAD and nx.is_connected(graph := links.graph):
        place = nx.kamada_kawai_layout(graph, pos=nx.circular_layout(graph))
        return np.array([place[i] for i in range(links.n)])
    hub = int(np.diff(links.adjacency.indptr).argmax())
    flat = int(distances(links.adjacency, hub).max()) < FLAT
    return rings(links.graph) if flat else pivots(links.adjacency, hub)


def pivots(A: csr_array, hub: int) -> Array:
    """Pivot multidimensional scaling (Brandes and Pich, 2006): the plane that shows distances to the pivots best."""
    n, chosen = A.shape[0], [hub]
    columns: list[Array] = []
    nearest = np.full(n, np.inf)
    while len(columns) < min(PIVOTS, n):
        d = distances(A, chosen[-1]).astype(float)
        d[d < 0] = d.max() + 2.0
        columns.append(d)
        nearest = np.minimum(nearest, d)
        chosen.append(int(nearest.argmax()))
    centred = np.stack(columns, axis=1)
    columns.clear()
    centred **= 2
    rows, mean = centred.mean(axis=1, keepdims=True), centred.mean()
    # One array of n times PIVOTS, for a million agents the largest that there is.
    centred -= centred.mean(axis=0)
    centred -= rows
    centred += mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    place = centred @ vectors[:, :-3:-1]
    place *= np.where(place[np.abs(place).argmax(axis=0), [0, 1]] > 0, 1.0, -1.0)
    return np.asarray(place / max(float(np.abs(place).max()), 1e-300))


def rings(graph: nx.Graph) -> Array:
    """Radius: hops from the agent of largest degree of the piece; angle: a share for every leaf of a search tree."""
    n = len(graph)
    parent, depth = np.full(n, -1), np.zeros(n, dtype=int)
    order: list[int] = []
    pieces = sorted(nx.connected_components(graph), key=lambda piece: (-len(piece), min(piece)))
    roots = []
    for piece in pieces:
        root = min(piece, key=lambda i: (-graph.degree(i), i))
        roots.append(root)
        depth[root] = 1 if len(pieces) > 1 else 0
        order.append(root)
        for i, j in nx.bfs_edges(graph, root, sort_neighbors=sorted):
            parent[j], depth[j] = i, depth[i] + 1
            order.append(j)
    leaves = np.zeros(n)
    for i in reversed(order):
        leaves[i] = max(leaves[i], 1.0)
        if parent[i] >= 0:
            leaves[parent[i]] += leaves[i]
    first, taken = np.zeros(n), np.zeros(n)
    start = 0.0
    for root in roots:
        first[root] = start
        start += leaves[root]
    for i in order:
        if parent[i] >= 0:
            first[i] = first[parent[i]] + taken[parent[i]]
            taken[parent[i]] += leaves[i]
    angle = 2.0 * np.pi * (first + 0.5 * leaves) / start
    # The golden ratio scatters agents of one ring evenly, without chance.
    scatter = np.where(depth > 0, SCATTER * ((np.arange(n) * 0.6180339887498949) % 1.0 - 0.5), 0.0)
    radius = (depth + scatter) / max(int(depth.max()), 1)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
