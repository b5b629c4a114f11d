"""Dependence graphs from text: edge lists, GraphML and GML. What a graph here cannot hold is refused, never left out.

Edges have no multiplicity, and a weight only where a kernel reads it; agents have numbers as attributes. An edge has a
direction where the file or the document says that all have: j → i then means that P_i reads s_j. Every fault is a
ValueError that begins with the name of the file and says where it is and what would be right.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn
from xml.etree import ElementTree

import networkx as nx

from sacrepro.model.checks import shortened
from sacrepro.model.graph import SELF_LOOP
from sacrepro.model.notices import meant, warn

#: Why an edge cannot be kept as it is written.
NO_DIRECTION = (
    "edges say who may influence whom, in both directions unless all are directed: with directed: true beside "
    'edges_file or edges, or in GraphML with edgedefault="directed", each edge is source, target, and P of the target '
    "reads the source"
)
NO_WEIGHT = (
    "edges carry nothing but a weight that a kernel reads, as in sum(w * (s_j == sick)); give agents attributes, or "
    "name neighbors in formulas, state('ann')"
)
#: Where weights stand.
WEIGHTS = (
    "they stand in a third column of edges_file, third in each of edges, or as the attribute weight of edges of "
    "GraphML or GML"
)

#: What is read at agents.
NUMBERS = "only numbers are read as attributes: remove it, or write it as a number"

#: A line of an edge list in which nothing needs thought.
LABEL = r"([^\s\x00-\x1f\x7f,;:#%<>\"'()\[\]{}|/]+)"
PLAIN = re.compile(rf"^[ \t]*{LABEL}(?:[ \t]*,[ \t]*|[ \t]+){LABEL}[ \t]*$", re.MULTILINE)
#: What an unquoted label does not begin or end with.
FOREIGN = re.compile(r"^[(\[{'|]|[)\]}'|;:]$|[\"\x00-\x1f\x7f]").search
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?").fullmatch
GML_NUMBER = re.compile(r"[-+]?(?:\d+|(?:\d+\.\d*|\.\d+|INF)(?:[eE][-+]?\d+)?)").fullmatch
#: Pairs that head columns.
HEADERS = {
    frozenset(pair.split())
    for pair in (
        "source target", "src dst", "src dest", "from to", "node1 node2", "node_1 node_2", "nodea nodeb", "id1 id2",
        "id_1 id_2", "node node", "head tail", "fromnodeid tonodeid", "source_id target_id", "sourceid targetid",
        "agent1 agent2", "agent_1 agent_2", "user1 user2", "from_id to_id", "node_a node_b", "vertex1 vertex2",
        "origin destination", "origin dest", "orig dest", "follower followee", "follower following", "sender receiver",
        "citing cited", "parent child", "start end", "source_node target_node", "from_node to_node", "tail head",
    )
}  # fmt: skip
#: Endings of files that hold no edge list.
OTHERS = (".gml", ".gexf", ".json", ".net", ".mtx", ".dot", ".xlsx", ".xls", ".parquet", ".npz", ".pkl", ".gz", ".zip")


def edge_list(
    text: str, name: str, nodes: Iterable[str] | None = None, *, directed: bool = False, weighted: bool = False
) -> list[list[Any]]:
    """The edges in a text with two labels a line, separated by white space or a comma; # begins a comment.

    nodes : the labels that there are, if somebody says so; otherwise a first line that looks like a header is refused.
    weighted : a third column then is the weight.
    """
    if name.lower().endswith((".graphml", ".xml")) or text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise ValueError(f"{name}: this is no list of edges but XML; give GraphML under the key graphml")
    if name.lower().endswith(OTHERS):
        raise ValueError(
            f"{name}: expected a text file with two labels a line, separated by white space or a comma; GML goes under "
            "the key gml, and networkx makes GraphML of GEXF and others: "
            "networkx.write_graphml(networkx.read_gexf('x.gexf'), 'x.graphml')"
        )
    text = text.removeprefix("\ufeff")
    edges: list[list[Any]] = list(map(list, PLAIN.findall(text)))
    lines: Sequence[int] = range(1, len(edges) + 1)
    if "\r" in text or len(edges) < text.count("\n") + (not text.endswith("\n")):
        every = enumerate(re.split(r"\r\n|\r|\n", text), 1)
        told = [(k, labels) for k, line in every if (labels := _labels(line, f"{name}, line {k}", weighted))]
        lines, edges = [k for k, _ in told], [labels for _, labels in told]
    if not edges:
        raise ValueError(f"{name}: no line holds an edge; expected two labels a line, such as: ann bob")
    pairs = [edge[:2] for edge in edges] if weighted else edges
    if nodes is None:
        _check_first(pairs, f"{name}, line {lines[0]}")
    elif odd := _stranger(pairs, known := [*map(str, nodes)]):
        fault = f"agent {odd[1]!r} is not among graph.nodes{meant(odd[1], known)}"
        raise ValueError(f"{name}, line {lines[odd[0]]}: {fault}")
    check_pairs(pairs, lambda k: f"{name}, line {lines[k]}", directed)
    if weighted:
        check_weights(edges, lambda k: f"{name}, line {lines[k]}")
    return edges


def _stranger(pairs: Iterable[Sequence[str]], known: Iterable[str]) -> tuple[int, str] | None:
    """The first edge with a label that is not known, and the label."""
    known = {*known}
    return next(((k, label) for k, pair in enumerate(pairs) for label in pair if label not in known), None)


def _labels(line: str, where: str, weighted: bool) -> list[Any]:
    """The labels of a line: none, or two, and the weight where there is one."""
    if found := PLAIN.fullmatch(line):
        return list(found.groups())
    what = f"{where}: {shortened(line.strip())}"
    if line.lstrip().startswith(("%", "//", ";", "--")):
        raise ValueError(f"{what}: comments begin with #")
    line, bare, comment = _parts(line)
    if comment and line and not line[-1].isspace():
        raise ValueError(f"{what}: put white space before the # of a comment, and a label with # in double quotes")
    line = line.strip()
    if not line:
        return []
    delimiter = "," if "," in bare else " "
    try:
        words = line if delimiter == "," else " ".join(re.findall(r'"[^"]*"\S*|\S+', line))
        row = next(csv.reader([words], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise ValueError(f"{what}: the quotes do not match: {error}") from None
    labels = [label.strip() for label in row]
    weight: list[float] = []
    if weighted and len(labels) == 3 and all(labels):
        if not NUMBER(labels[2]):
            raise ValueError(f"{what}: the third column is the weight, expected a number, got {labels[2]!r}")
        weight = [float(labels.pop())]
    if len(labels) != 2 or not all(labels):
        raise ValueError(f"{what}: {_miscounted(line, labels, delimiter)}")
    for label in labels:
        quoted = label.replace('"', '""')
        if f'"{quoted}"' not in line and FOREIGN(label):
            raise ValueError(
                f"{what}: {label!r} does not look like a label: two labels a line and nothing else; put a label with "
                "quotes or brackets in double quotes"
            )
    return [*labels, *weight]


def _parts(line: str) -> tuple[str, str, str]:
    """What stands before the first # outside double quotes, the same without what is quoted, and the comment."""
    bare = re.sub('"[^"]*"', lambda quoted: "_" * len(quoted[0]), line)
    at = bare.find("#")
    return (line, bare, "") if at < 0 else (line[:at], bare[:at], line[at:])


def _miscounted(line: str, labels: list[str], delimiter: str) -> str:
    if re.search("->|<-|=>", line):
        return f"arrows are not read; {NO_DIRECTION}"
    if len(labels) == 1:
        return "1 label, expected 2, separated by white space or a comma; an agent without edges goes into graph.nodes"
    count = f"{len(labels)} {'columns' if delimiter == ',' else 'labels'}, expected 2"
    if not all(labels):
        return f"{count} and none empty; remove what separates nothing"
    if delimiter == " ":
        return f"{count}; a label with spaces goes into double quotes, and {NO_WEIGHT}"
    return f"{count}; {NO_WEIGHT}"


def _check_first(edges: list[list[str]], where: str) -> None:
    """Refuse a first line that is a header, warn of one that may be."""
    first, rest = edges[0], edges[1:]
    if any(label in first for edge in rest for label in edge):
        return
    told = f"{where}: {first[0]!r} and {first[1]!r}"
    numbers = bool(rest) and all(_numeric(label) for edge in rest for label in edge)
    if frozenset(label.lower() for label in first) in HEADERS or (numbers and not any(map(_numeric, first))):
        raise ValueError(
            f"{told} look like the header of a table, and no other line has them; remove this line, or list the agents "
            "under graph.nodes if they are agents"
        )
    if rest and not any(map(_numeric, first)):
        warn(
            f"{told} occur on the first line alone and are taken for two agents; if they are the header of a table, "
            "remove this line"
        )


def _numeric(label: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d+(?:\.\d*)?", label))


def check_edges(edges: Sequence[Any], weighted: bool = False) -> None:
    """Refuse what is no pair of labels, or with weights no pair and its weight, in the list under graph.edges."""
    for k, edge in enumerate(edges):
        where = f"graph.edges.{k}"
        if type(edge) is not list or not 2 <= len(edge) <= 2 + weighted:
            reason = f"; {NO_WEIGHT}" if type(edge) is list and len(edge) > 2 else ""
            raise ValueError(f"{where}: expected two labels, such as [ann, bob], got {shortened(edge)}{reason}")
        for label in edge[:2]:
            if type(label) is not str and type(label) is not int:
                raise ValueError(f"{where}: a label is text or an integer, got {shortened(label)}; put it in quotes")


def check_pairs(edges: Sequence[Sequence[Any]], where: Callable[[int], str], directed: bool = False) -> None:
    """Refuse an edge that joins an agent to itself, and one that occurs twice; `where` says where the k-th stands."""
    seen = {(i, j) if i < j or directed else (j, i) for i, j in edges if i != j}
    if len(seen) == len(edges):
        return
    place: dict[tuple[Any, Any], int] = {}
    for k, (i, j) in enumerate(edges):
        if i == j:
            raise ValueError(f"{where(k)}: agent {i!r} is joined to itself; {SELF_LOOP}")
        earlier = place.setdefault((i, j) if i < j or directed else (j, i), k)
        if earlier < k:
            way = "again" if tuple(edges[earlier]) == (i, j) else "in the other direction"
            raise ValueError(
                f"{where(k)}: {i!r} and {j!r} are joined {way}, as at {where(earlier)}; write each pair once: edges "
                f"are not counted{'' if directed else ' and have no direction, unless directed: true says so'}"
            )


def check_weights(edges: Sequence[Sequence[Any]], where: Callable[[int], str]) -> None:
    """Refuse a weight that is no number, and edges of which some have a weight."""
    for k, edge in enumerate(edges):
        if len(edge) != len(edges[0]):
            told = (f"no weight, but {where(0)} has one", f"a weight, but {where(0)} has none")[len(edge) > 2]
            raise ValueError(f"{where(k)}: {told}; all edges have a weight, or none")
        weight = edge[2] if len(edge) > 2 else 0.0
        if type(weight) not in (int, float) or not abs(weight) < 1e300:
            raise ValueError(f"{where(k)}: the weight is a number below 1e300 in size, got {shortened(weight)}")


#: Attributes of the elements of GraphML that mean something here; numbers of an agent are <data>.
ATTRIBUTES = {"node": {"id"}, "edge": {"id", "source", "target", "directed", "sourceport", "targetport"}}


def graphml(text: str, name: str, *, weighted: bool = False) -> dict[str, Any]:
    """Nodes with their attributes, and edges, of a GraphML text: one simple graph with numbers at nodes.

    Key ``directed`` where it says so: every edge then is an arrow from its source to its target.
    """

    def refuse(fault: str) -> NoReturn:
        raise ValueError(f"{name}: {fault}")

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        refuse("declarations of a DTD (<!DOCTYPE, <!ENTITY) are not read; remove them")
    try:
        root = ElementTree.fromstring(text.removeprefix("\ufeff"))
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"{name} is not readable GraphML: {error}") from None
    if _tag(root) != "graphml":
        refuse(f"is not readable GraphML: the outermost element is <{_tag(root)}>, expected <graphml>")
    graphs = [child for child in root if _tag(child) == "graph"]
    if len(graphs) != 1:
        refuse(f"holds {len(graphs)} graphs, expected one")
    keys: dict[str | None, ElementTree.Element] = {}
    for child in root:
        if _tag(child) == "key":
            if child.get("id") in keys or sum(_tag(part) == "default" for part in child) > 1:
                refuse(f"the key {child.get('id')!r} is declared twice, or has two defaults")
            keys[child.get("id")] = child
    defaults = {
        kind: {
            str(id): default.text or ""
            for id, key in keys.items()
            for default in key
            if _tag(default) == "default" and key.get("for", "all") in (kind, "all")
        }
        for kind in ("node", "edge")
    }
    direction = graphs[0].get("edgedefault")
    if direction not in ("undirected", "directed"):
        told = f"the graph is {direction}" if direction else "the graph does not say whether it is directed"
        refuse(f'{told}, expected edgedefault="undirected" or "directed"; {NO_DIRECTION}')
    directed = direction == "directed"
    nodes: dict[str, dict[str, float]] = {}
    edges: list[list[Any]] = []
    for child in graphs[0]:
        kind = _tag(child)
        if kind == "desc":
            continue
        if kind not in ("node", "edge"):
            told = f" ({_named(keys, child.get('key'))} = {shortened(child.text)})" if kind == "data" else ""
            refuse(f"<{kind}> of the whole graph{told} is not read: remove it; numbers go under the key attributes")
        own: dict[str, str] = {}
        for part in child:
            if _tag(part) not in ("data", "desc") or len(part):
                refuse(f"{_place(child)}: <{_tag(part[0] if len(part) else part)}> is not read: remove it")
            if _tag(part) == "data":
                if _named(keys, part.get("key")) in {_named(keys, key) for key in own}:
                    refuse(f"{_place(child)} has {_named(keys, part.get('key'))} twice")
                own[str(part.get("key"))] = part.text or ""
        data = defaults[kind] | own
        for written in sorted(child.attrib.keys() - ATTRIBUTES[kind]):
            refuse(f"{_place(child)}: {written} = {shortened(child.get(written))} is not read: remove it; {NO_WEIGHT}")
        for words in (child.text, *(part.tail for part in child)):
            if words and words.strip():
                refuse(f"{_place(child)}: the text {shortened(words.strip())} is not read: remove it")
        if kind == "node":
            label = child.get("id")
            if label is None or label in nodes:
                refuse(f"{_place(child)}: {'there is another node of this id' if label else 'it has no id'}")
            nodes[label] = {}
            for key, written in data.items():
                nodes[label][_named(keys, key)] = _number(keys, key, written, f"{name}: {_place(child)}")
        else:
            if (own_direction := child.get("directed")) not in (None, str(directed).lower()):
                told = {"true": "directed", "false": "undirected"}.get(str(own_direction), f"{own_direction!r}")
                refuse(f"{_place(child)} is {told}, but the graph is {direction}; {NO_DIRECTION}")
            carried = {_named(keys, key): (key, written) for key, written in data.items()}
            weight = [carried.pop("weight")] if weighted and "weight" in carried else []
            for key, (_, written) in carried.items():
                refuse(f"{_place(child)} has {key} = {shortened(written)}; {NO_WEIGHT}")
            ends = [child.get("source"), child.get("target")]
            if None in ends or "sourceport" in child.attrib or "targetport" in child.attrib:
                refuse(f"{_place(child)} must have a source, a target and no ports")
            numbers = [_number(keys, key, written, f"{name}: {_place(child)}") for key, written in weight]
            edges.append([*map(str, ends), *numbers])
    return _simple(name, nodes, edges, directed)


def _simple(name: str, nodes: Mapping[str, Any], edges: Sequence[Sequence[Any]], directed: bool) -> dict[str, Any]:
    """The graph, if it is simple and all edges have a weight, or none."""
    pairs = [edge[:2] for edge in edges]

    def where(k: int) -> str:
        return f"{name}: edge {k + 1}, {' - '.join(pairs[k])}"

    if odd := _stranger(pairs, nodes):
        raise ValueError(f"{where(odd[0])}: there is no node {odd[1]!r}{meant(odd[1], nodes)}")
    check_pairs(pairs, where, directed)
    check_weights(edges, where)
    return {"nodes": nodes, "edges": edges} | ({"directed": True} if directed else {})


def gml(text: str, name: str, *, weighted: bool = False) -> dict[str, Any]:
    """As `graphml`, of a GML text: agents are called by their labels if there are any, by their ids otherwise."""
    bare = re.sub(r'"[^"]*"|#.*', '""', text.removeprefix("\ufeff"))
    for word in re.findall(r"[^\s\[\]]+", bare):  # of 1E-3 the parser makes 1, and another key, E
        if word[0] in "+-.0123456789" and not GML_NUMBER(word):
            raise ValueError(f"{name}: {shortened(word)} is no number of GML; with an exponent one has a point, 1.0E-3")
    try:
        found = nx.parse_gml(text.removeprefix("\ufeff"), label=None)
    except nx.NetworkXException as error:
        raise ValueError(f"{name} is not readable GML: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # what the parser of networkx lets pass
        expected = "expected graph [ node [ id 1 ] … edge [ source 1 … ] ]"
        raise ValueError(f"{name} is not readable GML: {expected}") from None
    said = re.findall(r"(?<![^\s\[\]])directed\s+(\S+)", bare)
    if len(said) > 1 or not {*said} <= {"0", "1"}:  # of which the parser takes any for a yes
        raise ValueError(f"{name}: directed is 0 or 1, said once, got {' and '.join(said)}")
    for key, value in found.graph.items():
        raise ValueError(f"{name}: {key} = {shortened(value)} of the whole graph is not read: remove it")
    own = {v: dict(data) for v, data in found.nodes(data=True)}
    labelled = any("label" in data for data in own.values())
    label = {v: str(data.pop("label", "")) if labelled else str(v) for v, data in own.items()}
    nodes: dict[str, Any] = {}
    for v, data in own.items():
        if not label[v] or label[v] in nodes:
            told = f"there is another node {label[v]!r}" if label[v] else "it has no label, and others have"
            raise ValueError(f"{name}: node {v}: {told}")
        for key, value in data.items():
            if type(value) not in (int, float):
                kind = "text" if isinstance(value, str) else "no number"
                told = f"{name}: node {label[v]!r} has {key} = {shortened(value)}, which is {kind}"
                raise ValueError(f"{told}; {NUMBERS}, without quotes")
        nodes[label[v]] = data
    edges = []
    for one, other, carried in found.edges(data=True):
        weight = [carried.pop("weight")] if weighted and "weight" in carried else []
        for key, value in carried.items():
            raise ValueError(f"{name}: edge {label[one]} - {label[other]} has {key} = {shortened(value)}; {NO_WEIGHT}")
        edges.append([label[one], label[other], *weight])
    return _simple(name, nodes, edges, found.is_directed())


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "?"


def _place(child: ElementTree.Element) -> str:
    ends = f"edge {child.get('source')} - {child.get('target')}"
    return f"node {child.get('id')!r}" if _tag(child) == "node" else ends


def _named(keys: dict[str | None, ElementTree.Element], key: str | None) -> str:
    """The name of an attribute, or its key where it has none."""
    found = keys.get(key)
    return str(key if found is None else found.get("attr.name", key))


def _number(keys: dict[str | None, ElementTree.Element], key: str, written: str, where: str) -> float:
    """A numeric attribute of a node."""
    found = keys.get(key)
    kind = "undeclared" if found is None else found.get("attr.type", "string")
    told = f"{where} has {_named(keys, key)} = {shortened(written)}"
    words = {"string": "text", "boolean": "a boolean", "undeclared": "not declared by a <key>"}
    if kind not in ("int", "long", "float", "double"):
        raise ValueError(f"{told}, which is {words.get(kind, kind)}; {NUMBERS}")
    try:
        number = written.replace("_", "?")  # 1_0 is a number to Python alone
        value: float = int(number) if kind in ("int", "long") and len(number) < 300 else float(number)
    except ValueError:
        raise ValueError(f"{told}, expected a number ({kind})") from None
    return value
