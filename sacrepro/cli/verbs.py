"""How a verb enters the command line: a function of the parsed arguments, its docstring the help text."""

from __future__ import annotations

import argparse
import difflib
import shutil
import textwrap
from collections.abc import Callable, Collection
from typing import Any

from sacrepro.cli.arguments import FILE

#: Columns of the list of verbs, where the terminal has as many.
WIDTH = 110


class Verbs:
    """The subcommands of one level of the command line.

    listed : whether argparse lists them with their help; otherwise `listing` does, in groups.
    """

    def __init__(self, subparsers: Any, *, listed: bool = True) -> None:
        self._subparsers = subparsers
        self._listed = listed
        self.help: dict[str, str] = {}

    def add(
        self, function: Callable[[argparse.Namespace], None], *, name: str | None = None, output: bool = True
    ) -> argparse.ArgumentParser:
        """The parser of a verb, called after its function unless `name` says otherwise; with --output by default."""
        added = self._parser(name or function.__name__.replace("_", "-"), function.__doc__ or "")
        added.set_defaults(function=function)
        if output:
            added.add_argument("--output", type=FILE, required=True, help="file to write")
        return added

    def family(self, name: str, help: str) -> Verbs:
        """The verbs under a verb, such as those of `bench`."""
        return Verbs(self._parser(name, help).add_subparsers(dest="what", required=True, metavar="WHAT"))

    def listing(self, title: str, names: Collection[str]) -> str:
        """The verbs of these names under a title, each with its help."""
        lines, width = [f"{title}:"], min(WIDTH, shutil.get_terminal_size().columns - 2)
        for name in names:
            first = f"  {name:<16} "
            lines += textwrap.wrap(self.help[name], width, initial_indent=first, subsequent_indent=" " * len(first))
        return "\n".join(lines)

    def refusal(self, name: str) -> str | None:
        """What to say of a verb that does not exist, with the one that may be meant."""
        if name in self.help:
            return None
        close = difflib.get_close_matches(name, self.help, n=1)
        return f"there is no verb {name!r}" + (f"; did you mean {close[0]!r}?" if close else "; --help lists them")

    def _parser(self, name: str, help: str) -> argparse.ArgumentParser:
        self.help[name] = help
        listed = {"help": help} if self._listed else {}
        added: argparse.ArgumentParser = self._subparsers.add_parser(name, description=help, **listed)
        return added
