"""Models from files, once their content has been read: this room opens nothing."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from sacrepro.instances.document import network
from sacrepro.instances.network import Network, of_model
from sacrepro.model import NetworkedMDP


def file(*, path: str, document: Mapping[str, Any] | None = None, source: str | None = None) -> NetworkedMDP:
    """The model of a network file, `sacrepro.network`: its document, or the source of a Python file.

    path : name of the file, for messages. `sacrepro.network.resolve` puts the content beside it.
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
        return network(document).mdp()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def python_network(source: str) -> Network:
    """What `network()` of a Python source returns; ValueError says which line of it failed."""
    name = "<network file>"
    scope: dict[str, Any] = {"__name__": "network_file"}
    try:
        exec(compile(source, name, "exec"), scope)
        function = scope.get("network")
        if not callable(function):
            raise ValueError("the file must define network(), which returns a NetworkedMDP")
        mdp = function()
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
        where = f"line {lines[-1]}: " if lines else ""
        raise ValueError(f"{where}{' '.join(f'{type(error).__name__}: {error}'.split())}") from None
    if not isinstance(mdp, NetworkedMDP):
        raise ValueError(f"network() returned {type(mdp).__name__}, expected a NetworkedMDP")
    return of_model(mdp)
