"""The command line: one module a group of verbs. Rooms are imported inside the verbs, so that each starts fast."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sacrepro.cli import bench, report, reproducibility, workflow
from sacrepro.cli.verbs import Verbs


def parser() -> argparse.ArgumentParser:
    """The command line: one subcommand for each verb of this room."""
    top = argparse.ArgumentParser(prog="sacrepro", description=sys.modules["sacrepro"].__doc__)
    verbs = Verbs(top.add_subparsers(dest="verb", required=True, metavar="VERB"))
    for group in (workflow, report, reproducibility, bench):
        group.add_verbs(verbs)
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    args = parser().parse_args(arguments)
    args.function(args)
