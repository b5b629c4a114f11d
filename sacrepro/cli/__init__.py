"""The command line: one module a group of verbs. Rooms are imported inside the verbs, so that each starts fast."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sacrepro.cli import (
    audit,
    bench,
    environments,
    experiments,
    network,
    report,
    reproducibility,
    wireless,
    workflow,
)
from sacrepro.cli.verbs import Verbs


def parser() -> argparse.ArgumentParser:
    """The command line: one subcommand for each verb of this room."""
    top = argparse.ArgumentParser(prog="sacrepro", description=sys.modules["sacrepro"].__doc__)
    verbs = Verbs(top.add_subparsers(dest="verb", required=True, metavar="VERB"))
    for group in (
        workflow,
        audit,
        experiments,
        environments,
        wireless,
        network,
        report,
        reproducibility,
        bench,
    ):
        group.add_verbs(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    args = parser().parse_args(arguments)
    args.function(args)


def command() -> None:
    """Run the verb of the command line; what is wrong with input, files or memory is one line, not a traceback.

    The whole traceback appears if the environment has SACREPRO_TRACEBACK.
    """
    try:
        main()
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("SACREPRO_TRACEBACK"):
            raise
        print(f"sacrepro: {error or 'out of memory'}", file=sys.stderr)
        raise SystemExit(1) from None
