"""Types of arguments: what is not right is refused while the line is read, before anything is computed or written."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import math
import shutil
import textwrap
from collections.abc import Callable, Collection
from typing import Any


def integer(least: int, below: int | None = None) -> Callable[[str], int]:
    """An integer of at least `least`, and below `below`."""
    told = f"of at least {least}" + ("" if below is None else f" and below {below}")

    def parsed(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (below is not None and value >= below):
            raise argparse.ArgumentTypeError(f"expected an integer {told}, got {text!r}")
        return value

    return parsed


def number(
    *, least: float = -math.inf, above: float = -math.inf, below: float = math.inf, most: float = math.inf
) -> Callable[[str], float]:
    """A finite number with least ≤ x ≤ most and above < x < below."""
    limits = (("of at least", least), ("above", above), ("below", below), ("at most", most))
    told = " and ".join(f"{words} {limit:g}" for words, limit in limits if math.isfinite(limit))

    def parsed(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and least <= value <= most and above < value < below):
            raise argparse.ArgumentTypeError(f"expected a finite number {told}, got {text!r}")
        return value

    return parsed


#: What counts: seeds, episodes, steps, records; what may be zero: κ, the seed of a generator; steps and tolerances.
COUNT, ORDINAL, POSITIVE, NON_NEGATIVE = integer(1), integer(0), number(above=0.0), number(least=0.0)

#: Averages with a standard error need two episodes.
SEVERAL = integer(2)

#: The first of a few seeds: those from 2^62 on belong to the episodes that judge.
SEED = integer(0, (1 << 62) - (1 << 20))

#: λ of TD(λ), and γ.
SHARE, DISCOUNT = number(least=0.0, most=1.0), number(least=0.0, below=1.0)


def one_of(what: str, room: str, *lists: str) -> Callable[[str], str]:
    """A name out of these lists of a room, loaded when the name is read: `choices=` would load every room at start."""

    def parsed(text: str) -> str:
        found = (getattr(importlib.import_module(f"sacrepro.{room}"), known) for known in lists)
        names = [name for known in found for name in ([known] if isinstance(known, str) else known)]
        if text not in names:
            close = difflib.get_close_matches(text, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
            raise argparse.ArgumentTypeError(f"unknown {what} {text!r}; {hint}")
        return text

    return parsed


def mapping(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'expected a JSON object such as {{"model": "relay"}}, got {text!r}')
    return value


def specification(text: str) -> dict[str, Any]:
    """The specification of an instance in JSON, with the content of its network file if it has one."""
    spec = mapping(text)
    if spec.get("model") != "file":
        return spec
    from sacrepro.adviser.files import resolve

    try:
        return resolve(spec)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def output(*endings: str) -> Callable[[str], str]:
    """A file that can be written, with one of these endings if there are any."""

    def parsed(text: str) -> str:
        from sacrepro.archive.files import check_place

        if endings and not text.endswith(endings):
            raise argparse.ArgumentTypeError(f"{text}: expected a name ending in {', '.join(endings)}")
        try:
            check_place(text)
        except (ValueError, OSError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return parsed


#: Any file; the formats of figures.
FILE, FIGURE = output(), output(".svg", ".pdf", ".png")


# How a verb enters the command line: a function of the parsed arguments, its docstring the help text.

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
