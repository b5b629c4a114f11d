"""Network files: read, checked and made self-contained, so that a model needs no file once it is resolved.

A YAML file holds what `instances/network.schema.yaml` describes; a Python file defines ``network() -> NetworkedMDP``
and is executed, so run only those you trust. Every fault is one ValueError, one line, that begins with the file's name.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import networkx as nx
import yaml

from sacrepro.instances.document import network
from sacrepro.instances.files import python_network
from sacrepro.instances.formula import shortened
from sacrepro.instances.network import Network
from sacrepro.store import read_text

#: Values in one file, after aliases are expanded.
MOST_VALUES = 20_000_000

#: Words for the limits of a number in the schema.
LIMITS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}


def load(path: str | Path) -> Network:
    """The network that a file describes; ValueError names the file, the key, the agent and the entry that is wrong."""
    spec = resolve({"model": "file", "path": str(path)})
    try:
        if "source" in spec:
            return python_network(spec["source"])
        return network(spec["document"])
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None


def resolve(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An instance's specification with the content of its file, and of all files that this one names, inside."""
    if spec.get("model") != "file" or "document" in spec or "source" in spec:
        return dict(spec)
    if not isinstance(spec.get("path"), (str, Path)):
        raise ValueError(f"instance: path must be the name of a network file, .yaml or .py, got {spec.get('path')!r}")
    path = Path(spec["path"])
    if path.suffix == ".py":
        return {**spec, "source": _text(path)}
    document = read_document(path)
    try:
        return {**spec, "document": document | {"graph": _graph(document["graph"], path)}}
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None


def inputs(path: str | Path) -> list[str]:
    """The file and the files that it names."""
    path = Path(path)
    if path.suffix == ".py":
        return [str(path)]
    graph = read_document(path)["graph"]
    return [str(path), *(str(path.parent / graph[key]) for key in ("edges_file", "graphml") if key in graph)]


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON schema of network files."""
    found: dict[str, Any] = yaml.safe_load(read_text(_packaged("network.schema.yaml")))
    return found


def example() -> str:
    """A commented network file."""
    return read_text(_packaged("network.example.yaml"))


def read_yaml(path: Path) -> Any:
    """The content of a YAML or JSON file: labels and names are text, and no key occurs twice."""
    text = _text(path)
    try:
        return _plain(yaml.load(text, Loader=_Loader), [0])
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{path}: {where}{one_line(error.problem or error.context)}") from None
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None
    except Exception as error:  # PyYAML's constructors raise whatever Python's own parsers do
        raise ValueError(f"{path}: {one_line(error)}") from None


def read_document(path: Path) -> dict[str, Any]:
    """The content of a network file, held to the schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    document = read_yaml(path)
    try:
        fault = best_match(Draft202012Validator(schema()).iter_errors(document))
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None
    except Exception as error:  # patterns and numbers that jsonschema cannot take
        raise ValueError(f"{path}: {one_line(error)}") from None
    if fault is not None:
        key = ".".join(map(str, fault.absolute_path)) or "top level"
        raise ValueError(f"{path}: {key}: {_explained(fault)}")
    graph = document["graph"]
    sources = [key for key in ("edges", "edges_file", "graphml", "family") if key in graph]
    if len(sources) > 1 or not (sources or "nodes" in graph):
        found = " and ".join(sources) or "none of them"
        raise ValueError(f"{path}: graph: expected one of edges, edges_file, graphml and family, found {found}")
    if sources != ["family"]:
        for key in graph:
            if key not in (*sources, *(["nodes"] if sources != ["graphml"] else [])):
                raise ValueError(f"{path}: graph.{key}: unknown key beside {', '.join(sources) or 'nodes'}")
    elif "nodes" in graph:
        raise ValueError(f"{path}: graph.nodes: a family brings its own agents, 0, 1, …")
    checked: dict[str, Any] = document
    return checked


def _explained(fault: Any) -> str:
    if fault.validator == "additionalProperties":
        known = ", ".join(fault.schema.get("properties", {}))
        return one_line(fault.message.split("(")[-1].rstrip(")") + f"; known keys are {known}")
    value = shortened(fault.instance)
    if fault.validator in LIMITS:
        return f"{value} must be {LIMITS[fault.validator]} {fault.validator_value}"
    if fault.validator == "type":
        return f"expected {' or '.join(_listed(fault.validator_value))}, got {value}"
    if fault.validator == "pattern":
        return f"{value} is not a name: letters, digits and _, not beginning with a digit"
    if fault.validator in ("minProperties", "maxProperties") and "properties" in fault.schema:
        return f"expected exactly one of {', '.join(fault.schema['properties'])}, got {value}"
    return one_line(fault.message.replace(repr(fault.instance), value))


def _listed(types: Any) -> list[str]:
    words = {"object": "a mapping", "array": "a list", "string": "text", "null": "nothing", "integer": "an integer"}
    return [words.get(name, f"a {name}") for name in ([types] if isinstance(types, str) else types)]


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: not a UTF-8 text file: {one_line(error)}") from None


def _graph(spec: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The graph of a document with the file it names read into it."""
    graph = dict(spec)
    if "edges_file" in graph:
        name = graph.pop("edges_file")
        graph["edges"] = _edges(_text(path.parent / name), name)
    elif "graphml" in graph:
        name = graph.pop("graphml")
        graph.update(_graphml(_text(path.parent / name), name))
    return graph


def _edges(text: str, name: str) -> list[list[str]]:
    edges = []
    for number, line in enumerate(text.splitlines(), 1):
        labels = line.split("#")[0].replace(",", " ").split()
        if labels and len(labels) != 2:
            raise ValueError(
                f"graph.edges_file: {name}, line {number}: {len(labels)} labels, expected 2, got {shortened(line)}"
            )
        if labels:
            edges.append(labels)
    return edges


def _graphml(text: str, name: str) -> dict[str, Any]:
    try:
        graph = nx.Graph(nx.parse_graphml(text))
    except Exception as error:  # networkx and expat raise a dozen kinds
        raise ValueError(f"graph.graphml: {name} is not readable GraphML: {one_line(error)}") from None
    nodes = {
        str(label): {
            str(key): value
            for key, value in own.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        for label, own in graph.nodes(data=True)
    }
    return {"nodes": nodes, "edges": [[str(i), str(j)] for i, j in graph.edges if i != j]}


def one_line(message: object) -> str:
    """A message without line breaks."""
    return " ".join(str(message).split())


def _packaged(name: str) -> Path:
    return Path(str(files("sacrepro") / "instances" / name))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with the plain scalars of JSON: a label such as no, 010 or 1:30 stays text, and 1e-3 is a number."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """As in PyYAML, but a key that occurs twice is refused."""
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else []:
            if isinstance(key, yaml.ScalarNode) and key.value in seen and key.value != "<<":
                raise yaml.MarkedYAMLError(None, None, f"the key {key.value!r} occurs twice", key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def _resolvers() -> None:
    _Loader.yaml_implicit_resolvers = {}
    number = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
    for tag, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("null", r"null|~|", ["n", "~", ""]),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
        ("float", rf"[-+]?(?:{number}|\.inf)|\.nan", "-+.0123456789"),
        ("merge", "<<", "<"),
    ):
        _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))


_resolvers()


def _plain(value: Any, count: list[int]) -> Any:
    """The value with text keys, as JSON has them; ValueError for keys of other kinds and for alias bombs."""
    count[0] += 1
    if count[0] > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values after aliases are expanded")
    if isinstance(value, dict):
        plain = {}
        for key, entry in value.items():
            if isinstance(key, bool) or not isinstance(key, (str, int)):
                raise ValueError(f"the key {shortened(key)} is neither text nor an integer; put it in quotes")
            if str(key) in plain:
                raise ValueError(f"the key {key} occurs twice, as a number and as text")
            plain[str(key)] = _plain(entry, count)
        return plain
    if isinstance(value, list):
        return [_plain(entry, count) for entry in value]
    return value
