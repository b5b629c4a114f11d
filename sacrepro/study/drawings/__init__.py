"""Rows in, Figure out. A drawing computes nothing but what it shows and opens nothing.

Measured values are markers, bounds are dashed lines, and κ keeps one colour in every figure.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import figure as canvas

from sacrepro.archive.files import some_rows, write_figure
from sacrepro.study.arguments import Figure, FigureName
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.drawings.style import house_style
from sacrepro.study.experiments.summary import KINDS, SHOWN
from sacrepro.study.record.comparison import Comparison


class NamedDrawing(NamedTuple):
    """A figure by name: the type of the rows it shows, the function that draws them, and what it says below them."""

    rows: type[Any]
    draw: Callable[[Sequence[Any]], canvas.Figure]
    caption: str


#: Those of claims in the paper's order, then all others.
FIGURES = (
    *CLAIMS, "adversary", "learning", "objective", "stationarity", "environments", "table1", "wireless_benchmark",
    "patient", "simulated", "critic_error", "critic_floor", "diagnostics", "extensions", "estimators", "bench_exact",
    "bench_sac", "decay_map", "exact_bias", "overview",
)  # fmt: skip


def drawing(name: str) -> NamedDrawing:
    """The drawing called `name`; ValueError lists the known ones."""
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}")
    if name in CLAIMS:  # which does not wait for the learners that runs load
        from sacrepro.study.drawings import critic, decay

        shown = claim(name).drawing
        kinds: dict[str, Any] = {**critic.KINDS, **decay.KINDS}
        kind = kinds[shown.kind]
        return NamedDrawing(Comparison, partial(kind, drawing=shown), shown.caption or caption(kind))
    from sacrepro.study.drawings import bench, runs, surveys

    others: dict[str, Any] = {**bench.DRAWINGS, **runs.DRAWINGS, **surveys.DRAWINGS}
    rows, draw = others[name]
    return NamedDrawing(rows, draw, caption(draw))


def caption(draw: Callable[..., canvas.Figure]) -> str:
    """The first paragraph of a drawing's docstring."""
    return inspect.cleandoc(draw.__doc__ or "").partition("\n\n")[0]


def figure(figure: FigureName, rows: Sequence[str], *, output: Sequence[Figure]) -> None:
    """Draw one figure from the rows it shows; the suffix of each --output picks its format."""
    chosen = drawing(figure)
    shown = rows_of_figure(figure, rows, chosen.rows)
    with house_style():
        try:
            drawn = chosen.draw(shown)
        except (ArithmeticError, LookupError, ValueError) as error:
            raise ValueError(f"{', '.join(rows)}: not rows of the figure {figure} ({error})") from error
        if not any(axes.has_data() or axes.texts or axes.tables for axes in drawn.axes):
            raise ValueError(f"{', '.join(rows)}: nothing in these rows is shown by the figure {figure}")
        for path in output:
            write_figure(path, drawn)


def rows_of_figure(figure: str, paths: Iterable[str], kind: type[Any]) -> list[Any]:
    """The rows that a figure shows, at least one; of a claim or of runs only if they are not another one's.

    Such rows are known by the name of their file, and a claim's by their variants where the file has a name of its own.
    """
    paths = list(paths)
    for what, known, shown in (("comparisons", CLAIMS, figure), ("summary", KINDS, SHOWN.get(figure))):
        for path in paths:
            if shown in known and (stem := Path(path).stem) in known and stem != shown:
                raise ValueError(f"{path} holds the {what} of {stem}; the figure {figure} shows those of {shown}")
    rows = some_rows(paths, kind)
    if figure in CLAIMS:
        claim(figure).check_variants({row.hypothesis for row in rows}, ", ".join(paths))
    return rows
