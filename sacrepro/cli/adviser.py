"""`sacrepro new`, `validate`, `advise`: a network of your own, from a file to an answer."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from sacrepro.study.arguments import Count, CsvOrJson, Figure, File, NonNegative, Ordinal, Positive, Repeated

#: Seconds between two lines of progress where standard error is no terminal.
SILENT = 5.0


def new(file: File, *, force: bool = False) -> None:
    """Write a commented network file to start from; an existing file is kept unless --force is given."""
    from pathlib import Path

    from sacrepro.adviser.files import example
    from sacrepro.archive.files import write_text

    if Path(file).exists() and not force:
        raise ValueError(f"{file} exists; --force replaces it")
    write_text(file, example())
    print(f"{file} written; sacrepro validate {file} checks it")


def validate(file: str) -> None:
    """Check a network file and print what it describes."""
    from sacrepro.adviser.describe import summary
    from sacrepro.adviser.files import load

    print(summary(load(file)), end="")


def advise(
    file: str,
    *,
    error: Positive,
    of: Literal["q", "gradient"] = "q",
    agent: Repeated = (),
    table: Literal["td", "truncated"] = "td",
    T: Count = 1000,
    seed: Ordinal = 0,
    seconds: NonNegative = 20.0,
    output: Sequence[CsvOrJson] = (),
    figure: Sequence[Figure] = (),
) -> None:
    """Say which κ is enough for a network: what is certified, what is measured, what it costs, what to do.

    example: sacrepro advise mine.yaml --error 0.3 --agent ann --agent bob --output mine.csv
    """
    from sacrepro.adviser.advice import KappaRow, error_of_q
    from sacrepro.adviser.advice import advise as advice_on
    from sacrepro.adviser.files import load
    from sacrepro.adviser.prose import words
    from sacrepro.archive.files import write_json, write_rows

    network = load(file)
    agents = network.agents(agent, file)
    options: dict[str, Any] = {"T": T, "seed": seed, "seconds": seconds, "table": table}
    with progress() as told:
        advice = advice_on(network, error, of, agents, **options, progress=told)
    text = words(network, advice)
    print(text, end="")
    for path in output:
        if path.endswith(".csv"):
            write_rows(path, KappaRow, advice.rows)
        else:
            write_json(path, plain(advice) | {"text": text})
    if figure:
        from sacrepro.archive.files import write_figure
        from sacrepro.study.drawings.advice import advice as draw
        from sacrepro.study.drawings.style import house_style

        with house_style():
            gap = error_of_q(network, error, of)
            drawn = draw(advice.agents, list(network.graph.edges), gap)
            for path in figure:
                write_figure(path, drawn)
    for path in (*output, *figure):
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
