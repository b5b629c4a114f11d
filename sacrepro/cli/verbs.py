"""How a verb enters the command line: a function of the parsed arguments, its docstring the help text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any


class Verbs:
    """The subcommands of one level of the command line."""

    def __init__(self, subparsers: Any) -> None:
        self._subparsers = subparsers

    def add(
        self, function: Callable[[argparse.Namespace], None], *, name: str | None = None, output: bool = True
    ) -> argparse.ArgumentParser:
        """The parser of a verb, called after its function unless `name` says otherwise; with --output by default."""
        added: argparse.ArgumentParser = self._subparsers.add_parser(
            name or function.__name__.replace("_", "-"), help=function.__doc__, description=function.__doc__
        )
        added.set_defaults(function=function)
        if output:
            added.add_argument("--output", required=True, help="file to write")
        return added

    def family(self, name: str, help: str) -> Verbs:
        """The verbs under a verb, such as those of `bench`."""
        return Verbs(
            self._subparsers.add_parser(name, help=help, description=help).add_subparsers(
                dest="what", required=True, metavar="WHAT"
            )
        )


def specification(text: str) -> dict[str, Any]:
    """The specification of an instance in JSON, with the content of its network file if it has one."""
    spec: dict[str, Any] = json.loads(text)
    if spec.get("model") == "file":
        from sacrepro.network import resolve

        try:
            return resolve(spec)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return spec
