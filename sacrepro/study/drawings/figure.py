"""Rule `figure`: one figure, drawn from the rows it shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sacrepro.archive.files import some_rows, write_figure
from sacrepro.study.arguments import Figure, FigureName
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.drawings import drawing
from sacrepro.study.drawings.style import house_style
from sacrepro.study.experiments.summary import KINDS, SHOWN


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
