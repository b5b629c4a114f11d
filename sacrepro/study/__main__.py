"""``python -m sacrepro.study [--mem-mb N] JOB … [--then JOB …]``: runs jobs, in this order, and prints what they tell.

N megabytes are what a job may count on, as its rule declares; what needs more is refused by name. No job begins before
the command lines of all are read. The last line says what the process spent, and on what.
"""

from __future__ import annotations

import argparse
import atexit
import codecs
import errno
import gc
import importlib
import io
import os
import shlex
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

from sacrepro.model.memory import give
from sacrepro.model.notices import meant
from sacrepro.study.arguments import add_arguments, admitted, check_files, word
from sacrepro.study.jobs import JOBS, THEN, Job, about
from sacrepro.study.spent import record, spent_on, watch_compiler

_SHOWWARNING: Any = warnings.showwarning

#: Characters of a command that a message about it repeats.
LONGEST_COMMAND = 200


class Parser(argparse.ArgumentParser):
    """A command line whose refusals say which option a mistyped one was meant to be."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.given = [str(word).partition("=")[0] for word in args or () if str(word).startswith("--")]
        return super().parse_args(args, namespace)

    def print_help(self, file: Any = None) -> None:
        print(self.format_help(), end="", file=file)  # argparse itself is silent about what cannot be written

    def error(self, message: str) -> NoReturn:
        known = self._option_string_actions
        unknown = [word for word in self.given if not any(option.startswith(word) for option in known)]
        super().error(
            message + "".join(f"; there is no {word}{hint}" for word in unknown if (hint := meant(word, known)))
        )


def parser_of(name: str, jobs: Mapping[str, Job]) -> argparse.ArgumentParser:
    """The command line of one job."""
    told, signature = about(name, jobs)
    parser = Parser(prog=f"sacrepro {name}", description=" ".join(told.split()))
    add_arguments(parser, name, signature)
    return parser


def named(words: Sequence[str], jobs: Iterable[str]) -> tuple[str, list[str]]:
    """The job that a command line names by its first word or two, and the other words; refuses what names none."""
    names = list(jobs)
    for length in (2, 1):
        if (name := " ".join(words[:length])) in names:
            return name, list(words[length:])
    first = words[0] if words else ""
    parser = argparse.ArgumentParser(prog="sacrepro", usage="sacrepro VERB …")
    if kinds := [name.partition(" ")[2] for name in names if name.startswith(f"{first} ")]:
        parser = argparse.ArgumentParser(prog=f"sacrepro {first}")
        parser.add_argument("what", metavar="WHAT", type=word(*kinds), help=f"one of {', '.join(kinds)}")
        parser.parse_args(words[1:2])
    if not words:
        parser.error("a verb is missing; --help lists them")
    hint = meant(first, [name.partition(" ")[0] for name in names]) or "; --help lists them"
    return parser.error(f"there is no verb {first!r}{hint}")


def run(words: Sequence[str], jobs: Mapping[str, Job] = JOBS) -> None:
    """Run the jobs that a command line names, and print their lines."""
    if words[:1] == ["--mem-mb"]:
        parser = argparse.ArgumentParser(prog="sacrepro")
        parser.add_argument("--mem-mb", type=admitted("Count"), help="megabytes that the job may count on")
        give(parser.parse_args(words[:2]).mem_mb * 10**6)
        words = words[2:]
    for name, given in [read(part, jobs) for part in parts(words)]:
        module, _, function = jobs[name].function.partition(":")
        with spent_on("start"):
            job = getattr(importlib.import_module(f"sacrepro.{module}"), function)
            watch_compiler()
        with spent_on("numerics"):
            for line in job(**given) or ():
                print(line, flush=True)


def parts(words: Sequence[str]) -> list[list[str]]:
    """The words of each job of a command line."""
    found: list[list[str]] = [[]]
    for own in words:
        if own == THEN:
            found.append([])
        else:
            found[-1].append(own)
    return found


def read(words: Sequence[str], jobs: Mapping[str, Job]) -> tuple[str, dict[str, Any]]:
    """The job that words name, and its arguments, checked."""
    name, rest = named(words, jobs)
    given = vars(parser_of(name, jobs).parse_args(rest))
    check_files(about(name, jobs)[1], given)
    return name, given


def command(main: Callable[[Sequence[str]], None] = run) -> None:
    """Run the job of the command line; what is wrong with input, files or memory is one line, not a traceback.

    The whole traceback appears if the environment has SACREPRO_TRACEBACK. A closed pipe ends it as it ends other tools.
    """
    atexit.register(gc.freeze)  # or the end looks through all that numba and matplotlib hold: a quarter of a second
    warnings.showwarning = _one_line_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # κ, θ and names of agents are told whatever the locale can spell
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    try:
        try:
            main(sys.argv[1:])
        finally:
            flush()
    except BrokenPipeError:  # who reads has read enough
        raise SystemExit(128 + signal.SIGPIPE) from None
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("SACREPRO_TRACEBACK"):
            raise
        error.__traceback__ = error.__cause__ = error.__context__ = None  # they hold what filled the memory
        print(f"sacrepro: {told(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        if os.environ.get("SACREPRO_TRACEBACK"):
            raise
        print("sacrepro: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def flush() -> None:
    """What was printed, out of the buffers; where nobody takes it, nowhere, lest it be tried again at exit."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            from sacrepro.archive.files import to_nowhere

            to_nowhere(stream)
            raise


def told(error: Exception) -> str:
    """An error in one line; where memory ran out without warning, what was asked for."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.filename is not None and error.filename2 is None:
        unread = " cannot be read:" if error.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR) else ""
        return f"{os.fsdecode(error.filename)}:{unread} {error.strerror}"
    if isinstance(error, MemoryError) and "allowed" not in text:
        asked = shlex.join(sys.argv[1:])
        asked = asked if len(asked) <= LONGEST_COMMAND else f"{asked[:LONGEST_COMMAND]} …"
        return f"out of memory{f' ({text})' if text else ''}; asked for was: {asked}"
    return text or type(error).__name__


def _one_line_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Doubts of this package about its input are one line; other warnings look as they always do."""
    if category.__module__.startswith("sacrepro."):
        print(f"sacrepro: warning: {message}", file=sys.stderr)
    else:
        _SHOWWARNING(message, category, *where, **more)


if __name__ == "__main__":
    try:
        command()
    finally:
        print(record(), file=sys.stderr)
