"""Network files: read, checked and made self-contained, so that a model needs no file once it is resolved.

A YAML file holds what `network.schema.yaml` describes; a Python file defines ``network() -> NetworkedMDP``
and is executed, so run only those you trust. Every fault is one ValueError, one line, that begins with the file's name.
Nothing is left out and nothing is read twice in two ways: what a network cannot hold is refused with the reason. Sizes
are bounded before the work, and files outside the folder of the network file are not read.
"""

from __future__ import annotations

import functools
import re
import traceback
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sacrepro.archive.files import read_input, read_text, unread
from sacrepro.instances.network.graph_files import check_edges, edge_list, gml, graphml
from sacrepro.instances.network.yaml_text import plain
from sacrepro.model.checks import shortened
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.notices import meant, warn

if TYPE_CHECKING:  # a plan, which asks what files an instance reads, does not wait for scipy
    from sacrepro.instances.network.labelled import Network

#: Bytes of a network file, and of a file that it names.
MOST_BYTES = 1 << 28

#: Words for the limits of a number in the schema.
LIMITS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}


def load(path: str | Path) -> Network:
    """The network that a file describes; ValueError names the file, the key, the agent and the entry that is wrong.

    path : a .yaml or .py file. FileNotFoundError, which is that ValueError, names one that is not there.

    >>> from sacrepro import load
    >>> load("workflow/networks/friends.yaml").names
    ('ann', 'bob', 'cid', 'dot', 'eve')
    """
    spec = resolve({"model": "file", "path": str(path)})
    try:
        found = python_network(spec["source"]) if "source" in spec else described_network(spec["document"])
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None
    warn_of_look_alikes(found.names, f"{path}: graph", "agents")
    if "document" in spec and "nodes" not in spec["document"]["graph"]:
        warn_of_misspellings(found.names, f"{path}: graph")
    warn_of_look_alikes(found.attributes, f"{path}: attributes", "attributes")
    return found


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
        return {**spec, "document": document | {"graph": _graph(document["graph"], path, _asks_for_weights(document))}}
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None


def inputs(path: str | Path) -> list[str]:
    """The file and the files that it names."""
    path = Path(path)
    if path.suffix == ".py":
        return [str(path)]
    graph = read_document(path)["graph"]
    return [str(path), *(str(path.parent / graph[key]) for key in GRAPH_FILES if key in graph)]


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON schema of network files."""
    found: dict[str, Any] = plain(read_text(_packaged("network.schema.yaml")))
    return found


def example() -> str:
    """A commented network file."""
    return read_text(_packaged("network.example.yaml"))


def read_yaml(path: Path) -> Any:
    """The content of a YAML or JSON file: labels and names are text, and no key occurs twice."""
    text = _text(path)
    try:
        return plain(text)
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None


def read_document(path: Path) -> dict[str, Any]:
    """The content of a network file, held to the schema."""
    document = read_yaml(path)
    try:
        _check_schema(document)
    except ValueError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None
    graph = document["graph"]
    sources = [key for key in SOURCES if key in graph]
    if len(sources) > 1 or not (sources or "nodes" in graph):
        odd = next((f", but {key!r}{hint}" for key in graph if (hint := meant(key, SOURCES))), "")
        found = " and ".join(sources) or f"none of them{odd}"
        raise ValueError(f"{path}: graph: expected one of {', '.join(SOURCES[:-1])} and family, found {found}")
    if sources != ["family"]:
        for key in graph:
            if key not in (*sources, *(["nodes", "directed"] if sources not in (["graphml"], ["gml"]) else [])):
                says = {"graphml": 'edgedefault="directed"', "gml": "directed 1"}.get("".join(sources))
                told = f"; the file says so itself, by {says}" if key == "directed" else meant(key, GRAPH_KEYS)
                raise ValueError(f"{path}: graph.{key}: unknown key beside {', '.join(sources) or 'nodes'}{told}")
    elif "nodes" in graph:
        raise ValueError(f"{path}: graph.nodes: a family brings its own agents, 0, 1, …")
    checked: dict[str, Any] = document
    return checked


def _check_schema(document: Any) -> None:
    """ValueError names the key that breaks the schema; edges, of which there may be millions, are looked at here."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from jsonschema.validators import extend

    # To jsonschema 2.0 is an integer; as a label it would be another agent than 2.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, x: type(x) is int)
    rules = extend(Draft202012Validator, type_checker=types)(schema())
    graph = document.get("graph") if isinstance(document, dict) else None
    looked_at = document
    if isinstance(graph, dict) and isinstance(graph.get("edges"), list):
        check_edges(graph["edges"], _asks_for_weights(document))
        looked_at = document | {"graph": graph | {"edges": []}}
    fault = best_match(rules.iter_errors(looked_at))
    if fault is not None:
        raise ValueError(f"{'.'.join(map(str, fault.absolute_path)) or 'top level'}: {explained(fault)}")


#: What a pattern of the schema asks for.
NAME = "a name: letters, digits and _, not beginning with a digit"


def explained(fault: Any) -> str:
    """What a breach of a schema is, a jsonschema.ValidationError, and what would be right."""
    if fault.validator == "additionalProperties":
        known = fault.schema.get("properties", {})
        other = next((meant(key, known) for key in fault.instance if key not in known and meant(key, known)), "")
        return one_line(fault.message.split("(", 1)[-1].rstrip(")") + f"; known keys are {', '.join(known)}{other}")
    value = shortened(fault.instance)
    if fault.validator in LIMITS:
        return f"{value} must be {LIMITS[fault.validator]} {fault.validator_value}"
    if fault.validator == "type":
        name = f", {NAME}" if "pattern" in fault.schema else ""
        return f"expected {' or '.join(_listed(fault.validator_value))}{name}, got {value}"
    if fault.validator == "required":
        return f"{next(key for key in fault.validator_value if key not in fault.instance)} is missing"
    if fault.validator == "enum":
        known = [str(word) for word in fault.validator_value]
        return f"expected {' or '.join(known)}, got {value}{meant(str(fault.instance), known)}"
    if fault.validator == "pattern":
        return f"{value} is not {NAME}"
    if fault.validator in ("minProperties", "maxProperties") and "properties" in fault.schema:
        return f"expected exactly one of {', '.join(fault.schema['properties'])}, got {value}"
    return one_line(fault.message.replace(repr(fault.instance), value))


def _listed(types: Any) -> list[str]:
    words = {"object": "a mapping", "array": "a list", "string": "text", "null": "nothing", "integer": "an integer"}
    return [words.get(name, f"a {name}") for name in ([types] if isinstance(types, str) else types)]


def _text(path: Path) -> str:
    try:
        return read_input(path, MOST_BYTES)
    except OSError as error:
        raise unread(path, error) from None


def _asks_for_weights(document: Mapping[str, Any]) -> bool:
    """Whether a kernel may read weights of edges: where it does not, those that there are will be refused as well."""
    agents = document.get("agents")
    for own in (document, *(agents.values() if isinstance(agents, Mapping) else [])):
        kernel = own.get("kernel") if isinstance(own, Mapping) else None
        for formulas in kernel.values() if isinstance(kernel, Mapping) else ():
            for text in formulas.values() if isinstance(formulas, Mapping) else ():
                if isinstance(text, str) and re.search(r"\bw\b", text):
                    return True
    return False


#: What reads the files that a graph may name; each takes the text, the name, the graph of the document, and whether a
#: kernel reads weights.
GRAPH_FILES: Mapping[str, Callable[[str, str, Mapping[str, Any], bool], dict[str, Any]]] = {
    "edges_file": lambda text, name, own, weighted: {
        "edges": edge_list(text, name, own.get("nodes"), directed=bool(own.get("directed")), weighted=weighted)
    },
    "graphml": lambda text, name, own, weighted: graphml(text, name, weighted=weighted),
    "gml": lambda text, name, own, weighted: gml(text, name, weighted=weighted),
}
#: Where edges come from, and what may stand beside them.
SOURCES = ("edges", *GRAPH_FILES, "family")
GRAPH_KEYS = (*SOURCES, "nodes", "directed")


def _graph(spec: Mapping[str, Any], path: Path, weighted: bool) -> dict[str, Any]:
    """The graph of a document with the file it names read into it; files outside the document's folder are not read."""
    graph = dict(spec)
    for key, read in GRAPH_FILES.items():
        if key in graph:
            name = graph.pop(key)
            folder = path.parent.resolve()
            try:
                inside = "\0" not in name and (folder / name).resolve().is_relative_to(folder)
            except (OSError, RuntimeError):  # a circle of links
                inside = False
            if not inside:
                raise ValueError(
                    f"graph.{key}: {name!r} is not in the folder of the network file, outside which nothing is read; "
                    "put it there"
                )
            text = _text(path.parent / name)
            try:
                graph |= read(text, name, graph, weighted)
            except ValueError as error:
                raise ValueError(f"graph.{key}: {error}") from None
    return graph


def one_line(message: object) -> str:
    """A message without line breaks."""
    return " ".join(str(message).split())


def _packaged(name: str) -> Path:
    return Path(str(files("sacrepro") / "instances" / "network" / name))


# Models from files, once their content has been read: this room opens nothing.


def model_of(*, path: str, document: Mapping[str, Any] | None = None, source: str | None = None) -> NetworkedMDP:
    """The model of a network file, `sacrepro.instances.network.files`: its document, or the source of a Python file.

    path : name of the file, for messages. `sacrepro.instances.network.files.resolve` puts the content beside it.
    """
    try:
        if source is not None:
            if not isinstance(source, str):
                raise ValueError(f"source must be the text of a Python file, got {type(source).__name__}")
            return python_network(source).mdp()
        if document is None:
            raise ValueError("the content has not been read; resolve the specification first")
        if not isinstance(document, Mapping) or not {"graph", "gamma"} <= set(document):
            raise ValueError("document must be the content of a network file, with the keys graph and gamma")
        return described_network(document).mdp()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def described_network(document: Mapping[str, Any]) -> Network:
    """What the content of a network file describes."""
    from sacrepro.instances.network.document import network

    return network(document)


def python_network(source: str) -> Network:
    """What `network()` of a Python source returns; ValueError says which line of it failed."""
    from sacrepro.instances.network.labelled import of_model

    name = "<network file>"
    scope: dict[str, Any] = {"__name__": "network_file"}
    try:
        exec(compile(source, name, "exec"), scope)
        function = scope.get("network")
        mdp = function() if callable(function) else None
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
        where = f"line {lines[-1]}: " if lines else ""
        raise ValueError(f"{where}{' '.join(f'{type(error).__name__}: {error}'.split())}") from None
    if not callable(function):
        raise ValueError("the file must define network(), which returns a NetworkedMDP or a CountedMDP")
    if not isinstance(mdp, (NetworkedMDP, CountedMDP)):
        raise ValueError(f"network() returned {type(mdp).__name__}, expected a NetworkedMDP or a CountedMDP")
    return of_model(mdp)


#: Cyrillic and Greek letters that look like Latin ones.
LATIN = str.maketrans(
    "асеһіјоԛрѕухԝАВЕЅІЈКМНОРСТУХԜԚ" + "αινορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "acehijoqpsyxwABESIJKMHOPCTYXWQ" + "aivopuxABEZHIKMNOPTYX",
)
NUMBER = re.compile(r"([-+]?)0*(\d+?)(?:\.0*)?").fullmatch


def appearance(label: str) -> str:
    """One text for all labels that look like `label`, or are the same number written differently."""
    if label.isascii() and label.isdecimal() and label[0] != "0":
        return label
    if not label.isascii():
        kept = "".join(x for x in unicodedata.normalize("NFKC", label) if unicodedata.category(x) not in ("Cf", "Cc"))
        label = unicodedata.normalize("NFC", kept.translate(LATIN))
    label = " ".join(label.split())
    if label[:1].isalpha() or not (number := NUMBER(label)):
        return label
    return number[1].removeprefix("+") + number[2]


def warn_of_look_alikes(labels: Iterable[str], where: str, what: str) -> None:
    """An `InputWarning` for the first two labels that look alike, and how many more do."""
    seen: dict[str, str] = {}
    alike = []
    for label in labels:
        other = seen.setdefault(appearance(label), label)
        if other != label:
            alike.append((other, label))
    if alike:
        more = f" (and {len(alike) - 1:,} more)" if len(alike) > 1 else ""
        first, second = (ascii(label) for label in alike[0])
        warn(
            f"{where}: {first} and {second} look alike{more}, but are two {what}; write one label in one way, if they "
            "are one"
        )


#: Letters of a word that may be misspelled, and agents whose labels are compared.
SHORTEST_WORD, MOST_COMPARED = 4, 20_000


def warn_of_misspellings(labels: Sequence[str], where: str) -> None:
    """An `InputWarning` where two labels are words a letter apart, of agents that edges alone made."""
    if pairs := misspellings(labels):
        more = f" (and {len(pairs) - 1:,} more)" if len(pairs) > 1 else ""
        first, second = pairs[0]
        warn(
            f"{where}: agents {first!r} and {second!r} are named alike{more}: is one of them mistyped? If not, list "
            "all agents under graph.nodes: then none is made by an edge alone"
        )


def misspellings(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of words a letter apart: one left out, exchanged, or two beside each other turned round.

    None where two thirds of the words are so, which is a pattern, in names with digits, and where there are more than
    `MOST_COMPARED`; initials may be exchanged, and what looks alike is told of elsewhere.
    """
    words = {label: None for label in labels if _is_word(label)} if len(labels) <= MOST_COMPARED else {}
    seen: dict[tuple[int, str], str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for word in words:
        for k in range(len(word)):
            before, letter, after = word[:k], word[k], word[k + 1 :]
            alone = not (before[-1:].isalpha() or after[:1].isalpha())
            other = seen.setdefault((k, before + after), word)
            if other != word and not alone:
                pairs[other, word] = None
            if before + after in words:
                pairs[before + after, word] = None
            turned = before + after[:1] + letter + after[1:]
            if word < turned and turned in words:
                pairs[word, turned] = None
    told = [(one, other) for one, other in pairs if appearance(one) != appearance(other)]
    return told if len({*chain.from_iterable(told)}) <= max(2, 2 * len(words) // 3) else []


def _is_word(label: str) -> bool:
    letters = sum(letter.isalpha() for letter in label)
    return letters >= SHORTEST_WORD and letters + sum(letter in " .'’-" for letter in label) == len(label)
