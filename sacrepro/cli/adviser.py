"""`sacrepro new`, `validate`, `advise`: a network of your own, from a file to an answer."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

from sacrepro.cli.arguments import COUNT, FIGURE, FILE, NON_NEGATIVE, ORDINAL, POSITIVE, Verbs, output

#: Seconds between two lines of progress where standard error is no terminal.
SILENT = 5.0


def new(args: argparse.Namespace) -> None:
    """Write a commented network file to start from; an existing file is kept unless --force is given."""
    from pathlib import Path

    from sacrepro.adviser.files import example
    from sacrepro.archive.files import write_text

    if Path(args.file).exists() and not args.force:
        raise ValueError(f"{args.file} exists; --force replaces it")
    write_text(args.file, example())
    print(f"{args.file} written; sacrepro validate {args.file} checks it")


def validate(args: argparse.Namespace) -> None:
    """Check a network file and print what it describes."""
    from sacrepro.adviser.describe import summary
    from sacrepro.adviser.files import load

    print(summary(load(args.file)), end="")


def advise(args: argparse.Namespace) -> None:
    """Say which κ is enough for a network: what is certified, what is measured, what it costs, what to do."""
    from sacrepro.adviser.advice import KappaRow, error_of_q
    from sacrepro.adviser.advice import advise as advice_on
    from sacrepro.adviser.files import load
    from sacrepro.adviser.prose import words
    from sacrepro.archive.files import write_json, write_rows

    outputs = [*(args.output or []), *(args.figure or [])]
    network = load(args.file)
    agents = network.agents(args.agent or [], args.file)
    options = {"T": args.T, "seed": args.seed, "seconds": args.seconds, "table": args.table}
    with progress() as told:
        advice = advice_on(network, args.error, args.of, agents, **options, progress=told)
    text = words(network, advice)
    print(text, end="")
    for path in args.output or []:
        if path.endswith(".csv"):
            write_rows(path, KappaRow, advice.rows)
        else:
            write_json(path, plain(advice) | {"text": text})
    if args.figure:
        from sacrepro.archive.files import write_figure
        from sacrepro.study.drawings.advice import advice as draw
        from sacrepro.study.drawings.style import house_style

        with house_style():
            gap = error_of_q(network, args.error, args.of)
            drawn = draw(advice.agents, list(network.graph.edges), gap)
            for path in args.figure:
                write_figure(path, drawn)
    for path in outputs:
        print(f"{path} written")


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that says on standard error what is being done, once it takes long: one line, the last word only."""
    import time

    begin = time.monotonic()

    def tell(what: str) -> None:
        nonlocal begin
        now = time.monotonic()
        if sys.stderr.isatty():
            print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
        elif what and now - begin >= SILENT:
            print(f"{what} …", file=sys.stderr, flush=True)
            begin = now

    yield tell
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def plain(value: Any) -> Any:
    """A value as JSON holds it: NaN and infinity as null, records as objects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "_asdict"):
        return {key: plain(entry) for key, entry in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(new, output=False)
    added.add_argument("file", type=FILE, help="network file to write, .yaml")
    added.add_argument("--force", action="store_true", help="replace an existing file")

    added = verbs.add(validate, output=False)
    added.add_argument("file", help="network file, .yaml or .py")

    added = verbs.add(advise, output=False)
    added.epilog = "example: sacrepro advise mine.yaml --error 0.3 --agent ann --agent bob --output mine.csv"
    added.add_argument("file", help="network file, .yaml or .py")
    added.add_argument("--error", type=POSITIVE, required=True, help="ε, the error that is allowed")
    added.add_argument("--of", choices=["q", "gradient"], default="q", help="what the error is of; q by default")
    added.add_argument("--agent", action="append", help="label of an agent; repeat it for several, all by default")
    added.add_argument(
        "--table",
        choices=["td", "truncated"],
        default="td",
        help="whose error: of TD's limit q*, which Algorithm 1 learns, or of tables of form (5); td by default",
    )
    added.add_argument("--T", type=COUNT, default=1000, help="episode length of SAC; 1000 by default")
    added.add_argument(
        "--seed",
        type=ORDINAL,
        default=0,
        help="seed of simulations, which can only refute, and first of the pilot; 0 by default",
    )
    added.add_argument(
        "--seconds",
        type=NON_NEGATIVE,
        default=20.0,
        help="for everything but reading the file, a pilot of SAC too; 20 by default. 0 does what takes a few seconds",
    )
    added.add_argument(
        "--output",
        type=output(".csv", ".json"),
        nargs="+",
        help="files to write: .csv, one row a κ, or .json, everything; paper/tutorial.md explains them",
    )
    added.add_argument("--figure", type=FIGURE, nargs="+", help="files to draw the network to, .svg, .pdf or .png")
