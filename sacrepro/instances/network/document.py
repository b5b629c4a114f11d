"""A network file, once read, as a `Network`: rules are resolved for each agent and evaluated for whole groups at once.

Every fault is a ValueError that begins with the key of the file and names agent, entry and what would be right.
`network.schema.yaml` in this folder describes the keys; whoever reads a file holds it to that schema first.
"""

from __future__ import annotations

import inspect
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from keyword import iskeyword
from typing import Any, NamedTuple

import numpy as np

from sacrepro.instances.graphs import build_graph, fitting
from sacrepro.instances.models import NAMED
from sacrepro.instances.network.evaluated import Agents, kernels, rewards, starts
from sacrepro.instances.network.formula import RESERVED
from sacrepro.instances.network.graph_files import NO_WEIGHT, WEIGHTS, check_edges, check_pairs, check_weights
from sacrepro.instances.network.labelled import MOST_ENTRIES, MOST_ENTRIES_IN_ALL, Network, of_each, of_model
from sacrepro.instances.network.links import Links, links_of
from sacrepro.instances.network.rule import rule_of
from sacrepro.model.checks import Array, shortened
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.notices import meant, rounded

#: Characters of a label, and states or actions of an agent.
LONGEST_LABEL, MOST_NAMES = 255, 1 << 16


class Drawn(NamedTuple):
    """The graph of a file: labels in order, who is joined to whom, attributes by label, and `Network.reads`.

    weights : of the edges, by (j, i) where P_i reads s_j; None where no edge has one.
    """

    names: tuple[str, ...]
    links: Links
    attributes: Mapping[str, Mapping[str, Any]]
    reads: tuple[tuple[int, ...], ...] | None = None
    weights: Mapping[tuple[int, int], float] | None = None


def network(document: Mapping[str, Any]) -> Network:
    """The network that a checked document describes."""
    if not 0.0 <= document["gamma"] < 1.0:  # a schema lets NaN pass
        raise ValueError(f"gamma: {document['gamma']} must lie in [0, 1)")
    drawn = graph_of(document["graph"])
    if "model" in document:
        superfluous = sorted(set(document) - {"graph", "model", "gamma"})
        if superfluous:
            raise ValueError(f"{superfluous[0]}: a named model brings its own; drop this key or the key model")
        return of_model(_named_model(document, drawn), drawn.names)
    for key in ("states", "actions", "kernel", "reward"):
        if key not in document and not all(key in own for own in _settings(document, drawn)):
            raise ValueError(f"{key}: missing; give it for all agents, or a model")
    agents = _agents(document, drawn)
    different = {id(rule): rule for rule in agents.kernel}.values()
    asking = next((rule.where for rule in different if "w" in rule.summed), None)
    if asking is not None and agents.weights is None and len(agents.links.edges):
        raise ValueError(
            f"{asking}: w inside sum(…) is the weight of an edge, and the edges of the graph have none; {WEIGHTS}"
        )
    groups, group, row, tables = kernels(agents)
    if asking is None and agents.weights is not None:
        raise ValueError(f"graph: the edges have weights, which no kernel reads; {NO_WEIGHT}")
    return Network(
        names=drawn.names,
        links=drawn.links,
        states=agents.states,
        actions=agents.actions,
        r=rewards(agents),
        gamma=float(document["gamma"]),
        pi0=starts(agents),
        groups=groups,
        group=group,
        row=row,
        tables=tables,
        attributes=agents.attributes,
        used=frozenset(
            name
            for rules in (agents.kernel, agents.reward, agents.pi0)
            for rule in {id(rule): rule for rule in rules if rule is not None}.values()
            for name in rule.names | rule.summed
        ).intersection(agents.attributes),
        reads=drawn.reads,
        weights=drawn.weights,
        weighted=tuple(np.flatnonzero(of_each(lambda rule: "w" in rule.summed, agents.kernel)).tolist()),
    )


def graph_of(spec: Mapping[str, Any]) -> Drawn:
    """The graph of a document: a family, or nodes and edges by label."""
    if "family" in spec:
        try:
            graph = build_graph(spec)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"graph: {str(error).removeprefix('graph: ')}") from None
        return Drawn(tuple(map(str, range(len(graph)))), links_of(graph), {})
    nodes = spec.get("nodes", [])
    attributes = {str(label): own or {} for label, own in nodes.items()} if isinstance(nodes, Mapping) else {}
    listed = [str(label) for label in nodes]
    twice = next((label for label, count in Counter(listed).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"graph.nodes: agent {twice!r} is listed twice")
    edges = spec.get("edges", [])
    sizes = {*map(len, edges)}
    if not sizes <= {2, 3}:
        check_edges(edges, weighted=True)
    carried = 3 in sizes
    labels = [*map(str, chain.from_iterable(edge[:2] for edge in edges) if carried else chain.from_iterable(edges))]
    index = dict(zip(dict.fromkeys(listed or labels), count(), strict=False))
    for k, label in enumerate(labels if listed else ()):
        if label not in index:
            raise ValueError(f"graph.edges.{k // 2}: agent {label!r} is not among graph.nodes{meant(label, index)}")
    if not index:
        raise ValueError("graph: there are no agents; give edges, nodes or a family")
    for label in index:
        if not 0 < len(label.strip()) <= LONGEST_LABEL:
            raise ValueError(f"graph: a label has 1 to {LONGEST_LABEL} characters, got {shortened(label)}")
    arrows = np.fromiter(map(index.__getitem__, labels), np.int64, len(labels)).reshape(-1, 2)
    directed = bool(spec.get("directed"))
    one, other = arrows.T if directed else np.sort(arrows, axis=1).T
    if (one == other).any() or not np.diff(np.sort(one * len(index) + other)).all():
        check_pairs([*zip(labels[::2], labels[1::2], strict=True)], lambda k: f"graph.edges.{k}", directed)
    reads = None
    if directed:
        read: list[list[int]] = [[] for _ in index]
        for source, target in sorted(arrows.tolist()):
            read[target].append(source)
        reads = tuple(map(tuple, read))
    weights: dict[tuple[int, int], float] | None = None
    if carried:
        check_weights(edges, lambda k: f"graph.edges.{k}")
        weights = {(j, i): float(edge[2]) for (j, i), edge in zip(arrows.tolist(), edges, strict=True)}
        weights |= {} if directed else {(i, j): w for (j, i), w in weights.items()}
    return Drawn(tuple(index), Links(len(index), arrows), attributes, reads, weights)


def _named_model(document: Mapping[str, Any], drawn: Drawn) -> NetworkedMDP:
    described = next((label for label in drawn.attributes if drawn.attributes[label]), None)
    if described is not None:
        first = next(iter(drawn.attributes[described]))
        raise ValueError(
            f"graph.nodes.{described}.{first}: a named model knows no attributes; remove them, or give kernel and "
            "reward by formula in place of the model"
        )
    if drawn.weights is not None:
        raise ValueError(f"graph: the edges have weights, of which a named model knows nothing; {NO_WEIGHT}")
    if drawn.reads is not None:
        raise ValueError(
            "model: a named model takes an undirected graph; drop the direction, or give kernel and reward by formula, "
            "where count(…) and total see the agents at the tails of arrows alone"
        )
    parameters = {key: tuple(value) if isinstance(value, list) else value for key, value in document["model"].items()}
    name = parameters.pop("name", None)
    known = [name for name, model in NAMED.items() if "graph" in inspect.signature(model).parameters]
    if name not in known:
        told = f"model.name: {name!r} is not a model on any graph; known are {', '.join(known)}"
        raise ValueError(told + meant(str(name), known))
    hub, degree = max(drawn.links.graph.degree, key=lambda pair: pair[1])
    if 2 ** (degree + 2) > MOST_ENTRIES:
        raise ValueError(
            f"model: agent {drawn.names[hub]!r} has {degree} neighbors, so its table would have "
            f"{rounded(2 ** (degree + 2))} "
            "entries or more; give the kernel by formula, which needs none"
        )
    try:
        fitting(name, NAMED[name], {"graph": drawn.links.graph, "gamma": document["gamma"], **parameters})
        return NAMED[name](drawn.links.graph, **{"gamma": document["gamma"], **parameters})
    except (TypeError, ValueError, OverflowError, IndexError) as error:
        raise ValueError(f"model: {error}") from None


def _agents(document: Mapping[str, Any], drawn: Drawn) -> Agents:
    """Rules, names and attributes of every agent, its own where it has them."""
    own = _settings(document, drawn)
    states, actions = (_all_names(document, own, kind, drawn.names) for kind in ("states", "actions"))
    agents = Agents(
        names=drawn.names,
        links=drawn.links,
        states=states,
        actions=actions,
        attributes=_attributes(document, drawn, own),
        kernel=_rules(document, own, "kernel", drawn.names),
        reward=_rules(document, own, "reward", drawn.names),
        pi0=_rules(document, own, "pi0", drawn.names),
        reads=drawn.reads,
        weights=drawn.weights,
    )
    for kind, lists in (("states", states), ("actions", actions)):
        for names in dict.fromkeys(lists):
            for x in names:
                if iskeyword(x) or x in RESERVED or x in agents.attributes:
                    raise ValueError(f"{kind}: {x!r} also is a word of formulas or an attribute; choose another name")
    return agents


def _settings(document: Mapping[str, Any], drawn: Drawn) -> list[Mapping[str, Any]]:
    """What the file says about each agent alone."""
    named = {str(label): own or {} for label, own in document.get("agents", {}).items()}
    known = dict.fromkeys(drawn.names)
    for label in named:
        if label not in known:
            raise ValueError(f"agents.{label}: there is no agent {label!r} in the graph{meant(label, known)}")
    nothing: Mapping[str, Any] = {}
    return [named.get(label, nothing) for label in drawn.names]


def _all_names(
    document: Mapping[str, Any], own: list[Mapping[str, Any]], kind: str, labels: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    shared = _names(document[kind], kind) if kind in document else ()
    return tuple(
        _names(mine[kind], f"agents.{label}.{kind}") if kind in mine else shared
        for mine, label in zip(own, labels, strict=True)
    )


def _names(value: Any, where: str) -> tuple[str, ...]:
    """Names of states or actions, or so many numbers."""
    size = value if isinstance(value, int) else len(value)
    if size > MOST_NAMES:
        raise ValueError(f"{where}: {rounded(size)} are too many; at most {MOST_NAMES:,}")
    names = tuple(map(str, range(value) if isinstance(value, int) else value))
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{where}: the name {twice!r} occurs twice")
    return names


def _attributes(document: Mapping[str, Any], drawn: Drawn, own: list[Mapping[str, Any]]) -> dict[str, Array]:
    """One array over agents for each attribute; NaN where an agent has none."""
    values: dict[str, Array] = {}
    sources: list[tuple[str, Iterable[tuple[int | slice, Mapping[str, Any]]]]] = [
        ("attributes", [(slice(None), document.get("attributes") or {})]),
        ("graph.nodes", ((i, drawn.attributes.get(label, {})) for i, label in enumerate(drawn.names))),
        ("agents", ((i, mine.get("attributes") or {}) for i, mine in enumerate(own) if mine)),
    ]
    for where, given in sources:
        for i, attributes in given:
            for name, value in attributes.items():
                place = f"{where}.{name}" if isinstance(i, slice) else f"{where}.{drawn.names[i]}.{name}"
                if name in RESERVED or iskeyword(name) or not name.isidentifier():
                    raise ValueError(f"{place}: {name!r} cannot name an attribute: formulas could not refer to it")
                if unicodedata.normalize("NFKC", name) != name:
                    raise ValueError(
                        f"{place}: {name!a} is not in Unicode's normal form NFKC, in which formulas are read; "
                        f"write {unicodedata.normalize('NFKC', name)!r}"
                    )
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
                    raise ValueError(f"{place}: expected a number below 1e300 in size, got {shortened(value)}")
                if name not in values and (len(values) + 1) * len(drawn.names) > MOST_ENTRIES_IN_ALL:
                    raise ValueError(
                        f"{place}: {len(values) + 1:,} attributes of {len(drawn.names):,} agents are more than "
                        f"{rounded(MOST_ENTRIES_IN_ALL)} numbers"
                    )
                if where == "agents" and name not in values and (hint := meant(name, values)):
                    raise ValueError(f"{place}: no other agent has an attribute {name!r}{hint}")
                values.setdefault(name, np.full(len(drawn.names), np.nan))[i] = value
    return values


def _rules(document: Mapping[str, Any], own: list[Mapping[str, Any]], key: str, names: Sequence[str]) -> list[Any]:
    """The rule of each agent under `key`; one object for all that share it, None where there is none."""
    shared = rule_of(key, key, document[key]) if key in document else None
    return [
        rule_of(key, f"agents.{label}.{key}", mine[key]) if key in mine else shared
        for mine, label in zip(own, names, strict=True)
    ]
