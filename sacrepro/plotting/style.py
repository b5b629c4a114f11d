"""One look for every figure: the style sheet, the colours of κ, panels on a grid."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from importlib.resources import files

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Okabe-Ito colours, safe for colour-blind readers: κ = 0, 1, 2, …
KAPPA_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
BOUND_COLOR = "#444444"


def kappa_color(kappa: int) -> str:
    """The colour of κ; from the seventh on, all κ share the last."""
    return KAPPA_COLORS[min(kappa, len(KAPPA_COLORS) - 1)]


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """The style sheet, for the time of a drawing."""
    sheet = files("sacrepro.plotting") / "house.mplstyle"
    with mpl.rc_context():
        mpl.rcParams.update(mpl.rc_params_from_file(str(sheet), use_default_template=False))
        yield


def panels(
    titles: Sequence[str], *, columns: int | None = None, width: float = 2.5, height: float = 2.1
) -> tuple[Figure, list[Axes]]:
    """A figure with one titled panel for each entry of `titles`, on a grid; superfluous places stay empty.

    Without `columns`, up to nine panels stand three to a row; more are smaller, five to a row.
    """
    if columns is None:
        columns = 3
        if len(titles) > 9:
            columns, width, height = 5, 0.8 * width, 0.85 * height
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    figure = Figure(figsize=(width * columns, height * rows + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, title in zip(grid, titles, strict=False):
        axes.set_title(title)
    for axes in grid[len(titles) :]:
        axes.set_visible(False)
    return figure, list(grid[: len(titles)])


def remark(axes: Axes, text: str) -> None:
    """What a panel has to say where it shows less than the others."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    axes.text(0.5, 0.04, text, transform=axes.transAxes, ha="center", va="bottom", fontsize=7, bbox=box)


def names(rows: Sequence[object]) -> list[str]:
    """The instances that occur in `rows`, in order of appearance."""
    return list(dict.fromkeys(row.instance for row in rows))  # type: ignore[attr-defined]


def outer_labels(figure: Figure, x: str, y: str) -> None:
    """Shared axis labels of a grid of panels."""
    figure.supxlabel(x, fontsize=9)
    figure.supylabel(y, fontsize=9)


def shared_legend(figure: Figure, axes: Axes) -> None:
    """One legend above all panels, with the entries of `axes`."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, int(figure.get_figwidth() // 2.2))
    figure.legend(handles, labels, loc="outside upper center", ncols=min(columns, len(labels)))
