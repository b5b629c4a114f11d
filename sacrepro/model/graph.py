"""Section 2: the dependence graph G = (N, E) and its neighborhoods.

Agents are the integers 0..n-1. ``N_i^κ`` holds the agents at graph distance at most κ from i, i itself
included; ``f(κ) = max_i |N_i^κ|``; the sphere ``S_i(d)`` holds the agents at distance exactly d.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array, integer, is_listed, probabilities, real, shortened

#: Entries of one kernel P_i that instances are willing to tabulate, 128 MiB; binary states reach it at degree 21.
KERNEL_ENTRIES = 1 << 24

#: What to do about an agent that is joined to itself.
SELF_LOOP = "remove this edge: N_i holds i already, so every agent sees its own state"


def check_graph(graph: nx.Graph) -> None:
    """Refuse what is not an undirected simple graph on the agents 0..n-1.

    Raises TypeError for other objects, directed graphs and multigraphs; ValueError for other node names and self-loops.
    """
    check_kind(graph)
    n = graph.number_of_nodes()
    if n == 0:
        raise ValueError("graph has no nodes; at least agent 0 is needed")
    if set(graph.nodes) != set(range(n)) or any(isinstance(node, bool) for node in graph.nodes):
        wrong = next(node for node in graph.nodes if isinstance(node, bool) or node not in range(n))
        missing, how = "", "number the agents yourself, networkx.relabel_nodes(graph, {name: agent, …})"
        if all(isinstance(node, Integral) and not isinstance(node, bool) for node in graph.nodes):
            missing = f"node {next(i for i in range(n) if i not in graph)} is missing: "
            how = "networkx.convert_node_labels_to_integers(graph, ordering='sorted') numbers them anew, in their order"
        raise ValueError(f"{missing}graph nodes must be the agents 0..{n - 1}, got node {wrong!r}; {how}")
    check_no_self_loop(graph, range(n))


def check_no_self_loop(graph: nx.Graph, agents: Iterable[int]) -> None:
    """ValueError if one of these agents is joined to itself."""
    beside = graph.adj
    for i in agents:
        if i in beside[i]:
            raise ValueError(f"graph: agent {i} is joined to itself; {SELF_LOOP}")


def check_kind(graph: nx.Graph) -> None:
    """TypeError for what is not an undirected simple graph."""
    if not isinstance(graph, nx.Graph):
        raise TypeError(f"graph must be a networkx.Graph, got {type(graph).__name__}")
    if graph.is_directed():
        edge = next(iter(graph.edges), None)
        told = (
            f"graph must be undirected, and has an edge {edge[0]} → {edge[1]}" if edge else "graph must be undirected"
        )
        raise TypeError(
            f"{told}: the paper's is undirected, so that j ∈ N_i^κ iff i ∈ N_j^κ, without which Lemma 4 fails "
            "(counterexample in paper/errata.md). If P_i reads s_j where j → i, and nothing else, then "
            "graph, P = sacrepro.from_directed(graph, P) is the same model on an undirected graph; if P_i has an axis "
            "for each neighbor along and against the arrows already, pass graph.to_undirected()"
        )
    if graph.is_multigraph():
        raise TypeError("graph must not be a multigraph; convert it with networkx.Graph(graph)")


def from_directed(graph: nx.DiGraph, P: Sequence[Array]) -> tuple[nx.Graph, tuple[Array, ...]]:
    """(graph, P) of eq. (1), undirected, for a model whose kernels read along arrows: P_i reads s_j where j → i.

    graph : networkx.DiGraph on the agents 0..n-1; i reads itself without an edge.
    P     : one kernel an agent, shape ``(S_j for j in sorted {i and all j → i}) + (A_i, S_i)``, next state last.

    The graph has an edge wherever one of two agents reads the other, and P_i an axis for each neighbor, on which it
    does not depend where nothing is read: it is the same process, N_i^κ counts hops along and against the arrows, and
    every statement of the paper is about this N_i^κ. Lemma 3 alone would do with hops against the arrows
    (`paper/errata.md`). P are views, no copies. Raises TypeError or ValueError naming the agent and the expected shape.

    >>> import networkx as nx, numpy as np
    >>> from sacrepro import from_directed
    >>> arrow = nx.DiGraph([(0, 1)])
    >>> orders, copies = np.full((2, 2, 2), 0.5), np.full((2, 2, 1, 2), 0.5)
    >>> graph, P = from_directed(arrow, (orders, copies))
    >>> graph.is_directed(), [P_i.shape for P_i in P]
    (False, [(2, 2, 2, 2), (2, 2, 1, 2)])
    """
    if not isinstance(graph, nx.DiGraph) or graph.is_multigraph():
        raise TypeError(f"expected a networkx.DiGraph without parallel edges, got {type(graph).__name__}")
    undirected = graph.to_undirected()
    check_graph(undirected)
    if not isinstance(P, (tuple, list)) or len(P) != len(graph):
        raise ValueError(f"P must be a tuple or list with one array for each of the {len(graph)} agents")
    tables = [real(f"P[{i}] of agent {i}", P_i) for i, P_i in enumerate(P)]
    sizes = [table.shape[-1] if table.ndim else 0 for table in tables]
    full = []
    for i, table in enumerate(tables):
        near, hood = sorted((i, *graph.predecessors(i))), sorted((i, *undirected[i]))
        expected = (*(sizes[j] for j in near), table.shape[-2] if table.ndim > 1 else 0, sizes[i])
        if table.shape != expected:
            read = ", ".join(f"S_{j}" for j in near)
            raise ValueError(
                f"P[{i}] of agent {i} has shape {table.shape}, expected ({read}, A_{i}, S_{i}), the states of those it "
                f"reads, {near}, with S = {sizes}, read off the last axis of each kernel"
            )
        unread = tuple(place for place, j in enumerate(hood) if j not in near)
        full.append(np.broadcast_to(np.expand_dims(table, unread), (*(sizes[j] for j in hood), *table.shape[-2:])))
    return undirected, tuple(full)


def check_kappa(kappa: int) -> None:
    """TypeError unless κ is an integer, ValueError unless it is at least 0."""
    integer("kappa", kappa, 0)


def check_agent(i: int, n: int, where: str = "model") -> None:
    """TypeError unless i is an integer, ValueError unless it is one of the agents 0..n-1."""
    if isinstance(i, bool) or not isinstance(i, Integral):
        raise TypeError(f"an agent is an integer, got {i!r}")
    if i not in range(n):
        raise ValueError(f"agent {i} is not in the {where}, whose agents are 0..{n - 1}")


def check_agents(agents: Sequence[int], n: int, where: str = "model") -> tuple[int, ...]:
    """`agents` as integers; TypeError or ValueError unless they are some of 0, …, n-1, each once."""
    return _each_once("agents", "agent", agents, lambda i: check_agent(i, n, where))


def check_kappas(kappas: Sequence[int]) -> tuple[int, ...]:
    """`kappas` as integers; TypeError or ValueError unless they are some of 0, 1, …, each once."""
    return _each_once("kappas", "kappa", kappas, check_kappa)


def _each_once(name: str, one: str, asked: Sequence[int], check: Callable[[int], None]) -> tuple[int, ...]:
    if not is_listed(asked):
        raise TypeError(f"{name} must be a sequence of integers such as (0,), got {shortened(asked)}")
    for value in asked:
        check(value)
    if len(asked) == 0 or len(set(asked)) < len(asked):
        raise ValueError(f"{name} must name at least one {one}, each once, got {shortened(list(asked))}")
    return tuple(int(value) for value in asked)


#: Where a model's graph, which never changes, keeps the N_i^κ that were found; and the largest graph that does.
KNOWN, KEPT = "_neighborhoods", 64


def neighborhood(graph: nx.Graph, i: int, kappa: int) -> tuple[int, ...]:
    """N_i^κ: the sorted agents within κ hops of i, i included; κ = 0 gives ``(i,)``.

    Raises TypeError for a directed graph and for an agent or a κ that is no integer, ValueError for a negative κ, an
    agent that is not in the graph, and an agent of N_i^κ that is joined to itself.

    >>> import networkx as nx
    >>> from sacrepro import neighborhood
    >>> neighborhood(nx.path_graph(5), 1, 2)
    (0, 1, 2, 3)
    """
    check_kind(graph)
    check_kappa(kappa)
    check_agent(i, len(graph), "graph")
    known = vars(graph).get(KNOWN, {})
    place = int(i), min(int(kappa), len(graph))
    if place not in known:
        hood = tuple(sorted(nx.single_source_shortest_path_length(graph, place[0], cutoff=place[1])))
        check_no_self_loop(graph, hood)
        known[place] = hood
    return known[place]


def outside(graph: nx.Graph, i: int, kappa: int) -> tuple[int, ...]:
    """N_{-i}^κ: the sorted agents that are not in N_i^κ."""
    inside = set(neighborhood(graph, i, kappa))
    return tuple(j for j in range(len(graph)) if j not in inside)


def segments(begin: Array, chosen: Array) -> tuple[Array, Array]:
    """(starts, entries): begin[k], …, begin[k+1] - 1 for each chosen k, one after the other, and where each starts.

    Where `begin` says where the neighbors of each agent begin in one array, these are the places of chosen agents'.
    """
    lengths = np.diff(begin)[chosen]
    starts = np.append(0, np.cumsum(lengths, dtype=np.int64))
    return starts, np.arange(starts[-1]) + np.repeat(begin[chosen] - starts[:-1], lengths)


def sphere_sizes(graph: nx.Graph, i: int) -> tuple[int, ...]:
    """(\\|S_i(0)\\|, \\|S_i(1)\\|, …): how many agents lie at each finite distance from i."""
    return tuple(np.bincount([*nx.single_source_shortest_path_length(graph, i).values()]).tolist())


def diameter(graph: nx.Graph) -> int:
    """The largest finite distance between two agents; for κ at or above it nothing reachable is outside N_i^κ."""
    return max(len(sphere_sizes(graph, i)) - 1 for i in range(len(graph)))


def max_neighborhood_size(graph: nx.Graph, kappa: int) -> int:
    """f(κ) = max_i |N_i^κ|, Section 2."""
    return max(len(neighborhood(graph, i, kappa)) for i in range(len(graph)))


#: Slots that a packet may have: a queue is one of 2^slots, and no more than 2^16 states have a number.
MOST_SLOTS = 16


def check_air(access: object, q: object, p: object, deadline: object) -> tuple[tuple[tuple[int, ...], ...], Array, int]:
    """(access, q, deadline) of wireless access: access points of each user, their success probabilities, and slots.

    p : arrival probabilities of the users. TypeError or ValueError names the user and the entry that is wrong.
    """
    d = integer("wireless: deadline", deadline, 1)
    if d > MOST_SLOTS:
        raise ValueError(f"wireless: deadline must be at most {MOST_SLOTS}, got {shortened(d)}")
    succeeds = probabilities("wireless: q", q, "access point")
    if not is_listed(access):
        raise TypeError(f"wireless: access must hold the access points of each user, got {shortened(access)}")
    if len(access) == 0:
        raise ValueError("wireless: access holds no user, expected at least one")
    found = tuple(_points(i, points, len(succeeds)) for i, points in enumerate(access))
    arrives = probabilities("wireless: p", p, "user")
    if len(arrives) != len(found):
        raise ValueError(f"wireless: {len(found)} users need as many p, got {len(arrives)}")
    return found, succeeds, d


def _points(i: int, points: object, count: int) -> tuple[int, ...]:
    """The access points of user i, each once and each out of so many."""
    what = f"wireless: access[{i}] of user {i}"
    if not is_listed(points):
        raise TypeError(f"{what} must hold its access points, got {shortened(points)}")
    found = tuple(integer(f"wireless: access[{i}][{k}] of user {i}", y, 0) for k, y in enumerate(points))
    if found and max(found) >= count:
        raise ValueError(f"{what} has access point {max(found)}, but q holds {count}: every access point needs a q")
    if twice := [y for k, y in enumerate(found) if y in found[:k]]:
        raise ValueError(f"{what} has access point {twice[0]} twice")
    return found


def sharing_graph(access: Sequence[Sequence[int]]) -> nx.Graph:
    """The graph of agents with an access point in common; access[i] : the access points of agent i."""
    graph = nx.empty_graph(len(access))
    graph.add_edges_from(
        (i, j) for i in range(len(access)) for j in range(i + 1, len(access)) if set(access[i]) & set(access[j])
    )
    return graph


def frozen_graph(graph: nx.Graph) -> tuple[nx.Graph, tuple[tuple[int, ...], ...]]:
    """A frozen copy of the graph on 0..n-1, and N_i of each agent, sorted, i included."""
    check_graph(graph)
    copy = nx.Graph()
    copy.add_nodes_from(range(len(graph)))
    copy.add_edges_from(graph.edges)
    hoods = tuple(tuple(sorted((i, *copy[i]))) for i in range(len(copy)))
    if len(copy) <= KEPT:
        setattr(copy, KNOWN, {})
    return nx.freeze(copy), hoods


def check_kernel_sizes(graph: nx.Graph, state_sizes: Sequence[int], action_sizes: Sequence[int]) -> None:
    """Refuse kernels over s_{N_i} that are too large to tabulate; ValueError names agent, degree and entries."""
    for i in range(len(graph)):
        hood = {i, *graph[i]}
        entries = math.prod(state_sizes[j] for j in hood) * action_sizes[i] * state_sizes[i]
        if entries > KERNEL_ENTRIES:
            raise ValueError(
                f"agent {i} has degree {len(hood) - 1}, so its kernel P[{i}] has about 10^{math.log10(entries):.1f} "
                f"entries, one row for each s_{{N_{i}}} and a_{i}; at most {KERNEL_ENTRIES} are tabulated"
            )
