"""Rule `advise`: which κ is enough for a network, in words, rows and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from sacrepro.adviser.advice import KappaRow, error_of_q
from sacrepro.adviser.advice import advise as advice_on
from sacrepro.adviser.clock import progress
from sacrepro.adviser.describe import about
from sacrepro.adviser.prose import words
from sacrepro.archive.files import plain, write_figure, write_json, write_rows
from sacrepro.instances.network.files import load
from sacrepro.study.arguments import Count, CsvOrJson, Figure, NonNegative, Ordinal, Positive, Repeated


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
) -> Iterator[str]:
    """Say which κ is enough for a network: what is certified, what is measured, what it costs, what to do.

    example: sacrepro advise mine.yaml --error 0.3 --agent ann --agent bob --output mine.csv
    """
    network = load(file)
    agents = network.agents(agent, file)
    options: dict[str, Any] = {"T": T, "seed": seed, "seconds": seconds, "table": table}
    with progress() as told:
        advice = advice_on(network, error, of, agents, **options, progress=told)
    text = words(network, advice)
    yield text.removesuffix("\n")
    for path in output:
        if path.endswith(".csv"):
            write_rows(path, KappaRow, advice.rows)
        else:
            write_json(path, plain(advice) | {"network": dict(about(network)), "text": text})
    if figure:
        from sacrepro.study.drawings.advice import advice as draw
        from sacrepro.study.drawings.panels import house_style

        with house_style():
            gap = error_of_q(network, error, of)
            drawn = draw(advice.agents, list(network.graph.edges), gap)
            for path in figure:
                write_figure(path, drawn)
    for path in (*output, *figure):
        yield f"{path} written"
