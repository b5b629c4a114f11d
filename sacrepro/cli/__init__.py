"""The command line: one module a group of verbs. Rooms are imported inside the verbs, so that each starts fast."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import sacrepro
from sacrepro.cli import adviser as network
from sacrepro.cli import audit, bench, environments, experiments, learning, proofs, report, wireless, workflow
from sacrepro.cli import records as reproducibility
from sacrepro.cli.arguments import Verbs

_SHOWWARNING: Any = warnings.showwarning

#: The verbs that a person calls; every other one is a job of the workflow.
FOR_YOU = ("new", "validate", "advise", "train", "evaluate", "check", "diff", "release", "bench", "wireless")


def parser() -> tuple[argparse.ArgumentParser, Verbs]:
    """The command line, one subcommand for each verb of this room, and its verbs."""
    top = argparse.ArgumentParser(
        prog="sacrepro",
        description=(sys.modules["sacrepro"].__doc__ or "").split(" The public names")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"sacrepro {sacrepro.__version__}")
    verbs = Verbs(
        top.add_subparsers(dest="verb", required=True, metavar="VERB", help="one of those below"), listed=False
    )
    for group in (
        workflow,
        audit,
        experiments,
        environments,
        wireless,
        network,
        learning,
        proofs,
        report,
        reproducibility,
        bench,
    ):
        group.add_verbs(verbs)
    top.epilog = "\n\n".join(
        (
            verbs.listing("for you", FOR_YOU),
            verbs.listing("for the workflow", [name for name in verbs.help if name not in FOR_YOU]),
            "sacrepro VERB --help lists the options of a verb.",
        )
    )
    return top, verbs


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    top, verbs = parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and not given[0].startswith("-") and (refusal := verbs.refusal(given[0])):
        top.error(refusal)
    args = top.parse_args(given)
    args.function(args)


def _one_line_warning(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Doubts of this package about its input are one line; other warnings look as they always do."""
    if category.__module__.startswith("sacrepro."):
        print(f"sacrepro: warning: {message}", file=sys.stderr)
    else:
        _SHOWWARNING(message, category, *where, **more)


#: Characters of a command that a message about it repeats.
LONGEST_COMMAND = 200


def command() -> None:
    """Run the verb of the command line; what is wrong with input, files or memory is one line, not a traceback.

    The whole traceback appears if the environment has SACREPRO_TRACEBACK.
    """
    warnings.showwarning = _one_line_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # κ, θ and names of agents are told whatever the locale can spell
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    try:
        main()
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


def told(error: Exception) -> str:
    """An error in one line; where memory ran out without warning, what was asked for."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) and "allowed" not in text:
        asked = shlex.join(sys.argv[1:])
        asked = asked if len(asked) <= LONGEST_COMMAND else f"{asked[:LONGEST_COMMAND]} …"
        return f"out of memory{f' ({text})' if text else ''}; asked for was: {asked}"
    return text or type(error).__name__
