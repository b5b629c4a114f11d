"""The reference of the public names, from their signatures and docstrings, as Markdown."""

from __future__ import annotations

import ast
import contextlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sacrepro
from sacrepro import adapters
from sacrepro.archive.files import read_text

#: Rooms of the library, in the order of the reference.
ROOMS = {
    "model": "The model and its policies (Section 2)",
    "exact": "Exact values, gradients, decay, and the law of Algorithm 1",
    "bounds": "Right-hand sides",
    "simulate": "Simulators",
    "learn": "Algorithm 1 and other learners (Section 3)",
    "instances": "Named models",
    "adviser": "Your own network",
}


def reference() -> Iterator[dict[str, Any]]:
    """The public names by room: signature, docstring as Markdown, and what the methods of a class do."""
    for room, title in ROOMS.items():
        names = [name for name in sacrepro.__all__ if getattr(sacrepro, name).__module__.split(".")[1] == room]
        yield {"title": title, "names": [name_entry(name) for name in names]}
    yield {"title": "Doors to other libraries, each with an extra", "names": list(doors())}


def doors() -> Iterator[dict[str, Any]]:
    """The functions of the adapters: read, not imported, for that takes the other library."""
    for path in sorted(Path(adapters.__path__[0]).glob("[a-z]*.py")):
        for node in ast.parse(read_text(path)).body:
            if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
                returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
                doc = ast.get_docstring(node) or ""
                yield {
                    "name": f"adapters.{path.stem}.{node.name}",
                    "kind": "function",
                    "home": f"sacrepro.adapters.{path.stem}",
                    "module": f"sacrepro.adapters.{path.stem}",
                    "signature": f"{node.name}({ast.unparse(node.args)}){returns}",
                    "first": " ".join(doc.partition("\n\n")[0].split()),
                    "doc": described(doc, own=node.name),
                    "members": [],
                }


def name_entry(name: str) -> dict[str, Any]:
    """One public name."""

    def called(label: str, own: Any) -> str:
        with contextlib.suppress(TypeError, ValueError):  # no function, or what Python keeps no signature of
            found = re.sub(r"ForwardRef\((.*?)\)(?=[,) ])", r"\1", str(inspect.signature(own)))
            return label + re.sub(r"""(: |-> )(['"])(.*?)\2(?=[,) ]|$)""", r"\1\3", found)  # annotations are texts
        return label

    found = getattr(sacrepro, name)
    kind, doc = "class" if inspect.isclass(found) else "function", inspect.getdoc(found) or ""
    members = [own for own in dir(found) if kind == "class" and own[0] != "_"]
    made = {own: getattr(found, own) for own in members if has_body(inspect.getattr_static(found, own))}
    return {
        "name": name,
        "kind": kind,
        "home": "sacrepro",
        "module": found.__module__,
        "signature": called(name, found),
        "first": " ".join(doc.partition("\n\n")[0].split()),
        "doc": described(doc, own=name),
        "members": [
            {"signature": called(own, member), "doc": described(inspect.getdoc(member) or "")}
            for own, member in made.items()
        ],
    }


def has_body(member: Any) -> bool:
    """Whether an attribute of a class is a property or a method of this package, and no field of a record."""
    return isinstance(member, property) or str(getattr(member, "__module__", "")).startswith("sacrepro")


#: The beginning of an entry such as ``tol : certified error``, and where one begins inside a line.
ENTRY = re.compile(r"([\w*]+(?:, [\w*]+)*)\s*: +(.*)", re.DOTALL)
INSIDE = re.compile(r"(?:(?<=[.;])\s|\s{3,})(?=[\w*]+(?:, [\w*]+)* +: )|\s(?=Raises )")


def described(doc: str, own: str = "") -> str:
    """A docstring of this house as Markdown: its examples as code, its entries as a list, public names as links."""
    parts = []
    for block in doc.split("\n\n"):
        if block.lstrip().startswith(">>>"):
            parts.append(f"```pycon\n{inspect.cleandoc(block)}\n```")
            continue
        pieces_of = re.split(r"\n(?=[\w*]+(?:, [\w*]+)*\s+: |Raises )", block)
        for text in (piece for line in pieces_of for piece in INSIDE.split(line)):
            text = " ".join(text.split())
            found = ENTRY.fullmatch(text) if re.match(r"[\w*]+(?:, [\w*]+)* +: ", text) else None
            parts.append(f"`{found[1]}`\n: {marked(found[2], own)}" if found else marked(text, own))
    return "\n\n".join(parts)


def marked(text: str, own: str = "") -> str:
    """Plain text as Markdown that shows it as it is, but for code, which is code, and public names, which are links."""

    def set_span(span: str) -> str:
        name = span.strip("`")
        if span[0] != "`":
            return re.sub(r"(?<!\\)([*_<\[\]])", r"\\\1", span)
        return f"[`{name}`](/apis/{name}.md)" if name in sacrepro.__all__ and own and name != own else f"`{name}`"

    return "".join(set_span(span) for span in re.split(r"(``.+?``|`[^`]+`)", text) if span)
