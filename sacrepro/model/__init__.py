"""Section 2 of the paper: graphs, networked MDPs of every kind, localized policies, checks of what a user gives."""

from __future__ import annotations

import ast
import sys
from importlib.abc import InspectLoader


def rooms(front: str) -> dict[str, str]:
    """The room of every name that a front imports for type checkers alone, from where it is loaded on first use.

    front : the module's name; rooms are told without it. Sorted by name.
    """
    spec = sys.modules[front].__spec__
    source = spec.loader.get_source(front) if spec and isinstance(spec.loader, InspectLoader) else None
    found = {
        alias.name: (node.module or "").removeprefix(f"{front}.")
        for node in ast.walk(ast.parse(source or ""))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    return {name: found[name] for name in sorted(found)}
