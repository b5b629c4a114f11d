"""`sacrepro new`, `validate`, `advise`: a network of your own, from a file to an answer."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator

from sacrepro.cli.verbs import Verbs


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Say what is wrong with a file in one line and end with status 1."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.exit(f"sacrepro: {error}")


def new(args: argparse.Namespace) -> None:
    """Write a commented network file to start from; an existing file is kept unless --force is given."""
    from pathlib import Path

    from sacrepro.network import example
    from sacrepro.store import write_text

    with one_line_errors():
        if Path(args.file).exists() and not args.force:
            raise ValueError(f"{args.file} exists; --force replaces it")
        write_text(args.file, example())
    print(f"{args.file} written; sacrepro validate {args.file} checks it")


def validate(args: argparse.Namespace) -> None:
    """Check a network file and print what it describes."""
    from sacrepro.advise import summary
    from sacrepro.network import load

    with one_line_errors():
        print(summary(load(args.file)), end="")


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(new, output=False)
    added.add_argument("file", help="network file to write, .yaml")
    added.add_argument("--force", action="store_true", help="replace an existing file")

    added = verbs.add(validate, output=False)
    added.add_argument("file", help="network file, .yaml or .py")
