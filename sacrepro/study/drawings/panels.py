"""The look of every figure: style sheet, colours of κ, names; panels with margins in inches, legends above."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import NullLocator

from sacrepro.study.record.comparison import Row, by
from sacrepro.study.spent import spent_on

#: Inches: the edge of a figure, what tick labels need left of, right of and below a panel, one line of text.
EDGE, BESIDE, END, BELOW, LINE = 0.06, 0.52, 0.16, 0.24, 0.2


def grid_of(
    rows: int,
    columns: int,
    width: float,
    height: float,
    *,
    left: float = LINE + BESIDE,
    gap: float = BESIDE,
    titles: int = 1,
    top: float = 0.0,
    bottom: float = LINE,
    end: float = END,
    **shared: Any,
) -> tuple[Figure, Any]:
    """rows × columns panels, each `width` × `height` inches with what stands around it.

    left, gap, end : inches left of the first panel, between two, and right of the last.
    titles         : lines of text above a panel.
    top, bottom    : inches above the first row and below the last tick labels; the legend gets its room from `framed`.
    shared         : further arguments of `Figure.subplots`.
    """
    wide, high = width - gap, height - BELOW - LINE * titles
    across = EDGE + left + columns * wide + (columns - 1) * gap + end
    up = top + rows * height + bottom + EDGE
    figure = Figure(figsize=(across, up))
    figure.subplots_adjust(
        left=(left + EDGE) / across,
        right=1 - end / across,
        bottom=(bottom + BELOW) / up,
        top=1 - (EDGE + top + LINE * titles) / up,
        wspace=gap / wide,
        hspace=(height - high) / high,
    )
    return figure, figure.subplots(rows, columns, squeeze=False, **shared)


def panels(
    titles: Sequence[str], *, columns: int | None = None, width: float = 2.5, height: float = 2.1
) -> tuple[Figure, list[Axes]]:
    """A figure with one panel for each entry of `titles`, on a grid; superfluous places stay empty.

    Without `columns`, up to nine panels stand three to a row, or two or four; more are smaller, five to a row.
    """
    if columns is None:
        columns = 3
        if len(titles) == 4:
            columns = 2
        elif len(titles) in (7, 8):
            columns, width = 4, 0.92 * width
        elif len(titles) > 9:
            columns, width, height = 5, 0.8 * width, 0.85 * height
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    lines = 1 + max(title.count("\n") for title in titles)
    figure, grid = grid_of(rows, columns, width, height, titles=lines)
    for axes, title in zip(grid.ravel(), titles, strict=False):
        axes.set_title(title)
    for axes in grid.ravel()[len(titles) :]:
        axes.set_visible(False)
    return figure, list(grid.ravel()[: len(titles)])


def titled(rows: Sequence[Row], **size: Any) -> tuple[Figure, list[tuple[Axes, list[Row]]]]:
    """One panel an instance, under its name, each with the rows of its instance."""
    groups = by(rows, "instance")
    figure, grid = panels([literal(name) for name in groups], **size)
    return figure, list(zip(grid, groups.values(), strict=True))


def listed(
    labels: Sequence[str], *, row: float, width: float, shares: Sequence[float] = (1.0,), titles: int = 0
) -> tuple[Figure, list[Axes]]:
    """A figure whose rows, `row` inches each, are named at the left; a panel for each share of `width`."""
    shown = [literal(label, 200.0, 8.0) for label in labels]
    left = max(width_of(label, 8.0) for label in shown) / 72 + 0.12
    high, gap = row * len(labels), 0.22
    across, up = EDGE + left + width + END, high + BELOW + LINE * (1 + titles) + EDGE
    figure = Figure(figsize=(across, up))
    figure.subplots_adjust(
        left=(left + EDGE) / across,
        right=1 - END / across,
        bottom=(LINE + BELOW) / up,
        top=(LINE + BELOW + high) / up,
        wspace=gap * len(shares) / (width - gap * (len(shares) - 1)),
    )
    grid = list(figure.subplots(1, len(shares), squeeze=False, sharey=True, width_ratios=shares).ravel())
    grid[0].set_yticks(range(len(labels)), shown)
    grid[0].set_ylim(len(labels) - 0.5, -0.5)
    for axes in grid[1:]:
        axes.tick_params(axis="y", left=False, labelleft=False)
    return figure, grid


def columns_of(axes: Axes, categories: Sequence[str]) -> None:
    """An axis that is no scale: one place for each of `categories`, for what has no number."""
    axes.set_xticks(range(len(categories)), categories)
    axes.set_xlim(-0.5, len(categories) - 0.5)


def beside(axes: Axes, label: str) -> None:
    """The label of one row of panels, at the left edge of the figure."""
    axes.set_ylabel(label)
    axes.yaxis.set_label_coords(-(BESIDE + 0.04) / width_in(axes), 0.5)


def width_in(axes: Axes) -> float:
    """The width of a panel in inches."""
    return float(axes.get_position().width * axes.get_figure().get_size_inches()[0])  # type: ignore[union-attr]


def remark(axes: Axes, text: str) -> None:
    """What a panel has to say where it shows less than the others; below what it shows."""
    if any(has_data(line) for line in axes.get_lines()):
        low, high = axes.get_ylim()
        if axes.get_yscale() == "log":
            axes.set_ylim(bottom=low / (high / low) ** 0.16)
        else:
            axes.set_ylim(bottom=low - 0.16 * (high - low))
    else:
        axes.set_yticks([])
    axes.text(0.5, 0.04, text, transform=axes.transAxes, ha="center", va="bottom", fontsize=7)


def bare(axes: Axes, text: str) -> None:
    """A panel that shows nothing but words."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
    axes.minorticks_off()
    axes.spines[:].set_visible(False)


def log_axis(axes: Axes, which: str = "y") -> None:
    """A log axis over what is drawn on which two powers of ten are in view; without ticks between them."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_minor_locator(NullLocator())
    low, high = sorted(axis.get_view_interval())
    if math.floor(math.log10(high) + 1e-9) - math.ceil(math.log10(low) - 1e-9) < 1:
        low, high = 10.0 ** math.floor(math.log10(low)) / 1.3, 10.0 ** math.ceil(math.log10(high)) * 1.3
        axes.set(**{f"{which}lim": (low, high)})


def has_data(artist: Any) -> bool:
    """Whether an artist shows something: a line without any finite point does not."""
    return not isinstance(artist, Line2D) or bool(np.isfinite(np.asarray(artist.get_ydata(), dtype=float)).any())


def legend_keys(figure: Figure) -> dict[str, Any]:
    """The keys of the legend by label: one for all artists that show something; grey for several colours."""
    drawn: dict[str, list[Any]] = {}
    for axes in figure.get_axes():
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            drawn.setdefault(label, []).extend([handle] * has_data(handle))
    return {label: key_of(handles) for label, handles in drawn.items() if handles}


def key_of(handles: Sequence[Any]) -> Any:
    """A key for artists of one label."""
    first = handles[0]
    if not isinstance(first, Line2D):
        return first
    alike = len({handle.get_color() for handle in handles}) == 1
    color = first.get_color() if alike else BOUND_COLOR
    return Line2D(
        [],
        [],
        linestyle=first.get_linestyle(),
        linewidth=first.get_linewidth(),
        marker=first.get_marker(),
        color=color,
        fillstyle=first.get_fillstyle(),
        markerfacecolor=first.get_markerfacecolor() if alike else color,
        markeredgewidth=first.get_markeredgewidth(),
    )


def swatches(kappas: Iterable[int], marked: bool = False) -> dict[str, Artist]:
    """Keys for the colours of κ alone, or for its markers as well."""
    look: dict[str, Any] = {"linestyle": "none"} if marked else {"linewidth": 4}
    return {
        kappa_label(k): Line2D([], [], color=kappa_color(k), marker=kappa_marker(k) if marked else "", **look)
        for k in sorted(kappas)
    }


#: Where curves have many points: that many markers, small ones.
MARKED, SMALL = 6, 3.5


def kappa_curve(axes: Axes, x: Sequence[float], y: Sequence[float], kappa: int, **look: Any) -> None:
    """A curve of κ in its colour, with its marker at a few of its points, shifted a little from one κ to the next."""
    every = max(1, round(len(x) / MARKED))
    look = {"markersize": SMALL, "markevery": (kappa % every, every), "label": kappa_label(kappa), **look}
    axes.plot(x, y, marker=kappa_marker(kappa), color=kappa_color(kappa), **look)


def framed(figure: Figure, x: str = "", y: str = "", more: Mapping[str, Artist] | None = None) -> Figure:
    """The figure with one legend of everything with a label above all panels, and axis labels that all panels share.

    more : keys that no artist bears. Comes last: it knows what was drawn.
    """
    keys = {**legend_keys(figure), **(more or {})}
    if keys:
        order = sorted(keys, key=lambda label: not label.startswith(r"$\kappa="))
        add_legend(figure, {label: keys[label] for label in order})
    across, up = figure.get_size_inches()
    if x:
        figure.supxlabel(x, fontsize=9, y=EDGE / up)
    if y:
        figure.supylabel(y, fontsize=9, x=EDGE / across)
    return figure


def add_legend(figure: Figure, keys: Mapping[str, Artist]) -> None:
    """A legend above everything, in as many columns as fit; the figure grows by its height."""
    across, up = figure.get_size_inches()
    for lines in range(1, len(keys) + 1):
        columns = math.ceil(len(keys) / lines)
        legend = figure.legend(
            [*keys.values()], [*keys], loc="upper center", ncols=columns, borderaxespad=0.0, columnspacing=1.6
        )
        box = legend.get_window_extent()
        if box.width / figure.dpi < across - EDGE or columns == 1:
            break
        legend.remove()
    room = box.height / figure.dpi + EDGE
    edges = figure.subplotpars
    share = up / (up + room)
    figure.set_size_inches(across, up + room)
    figure.subplots_adjust(bottom=edges.bottom * share, top=edges.top * share)


#: The size of a figure's title.
TITLE = 10.0


def entitle(figure: Figure, title: str) -> None:
    """A title above everything, on as many lines as it needs; the figure grows by their height."""
    across, up = figure.get_size_inches()
    lines = [""]
    for word in literal(title, math.inf).split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines, word] if width_of(longer, TITLE) / 72 > across - 2 * EDGE else [*lines[:-1], longer]
    if not title:
        return
    room = len(lines) * LINE + EDGE
    edges, share = figure.subplotpars, up / (up + room)
    figure.set_size_inches(across, up + room)
    figure.subplots_adjust(bottom=edges.bottom * share, top=edges.top * share)
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0.0, 0.0, 1.0, share), transform=figure.transFigure)
    for text in figure.texts:
        text.set_y(text.get_position()[1] * share)
    figure.text(0.5, 1 - EDGE / (up + room), "\n".join(lines), ha="center", va="top", fontsize=TITLE)


#: Okabe-Ito colours, safe for colour-blind readers: κ = 0, 1, 2, …
KAPPA_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
#: What tells κ apart without colour, and κ = 7, 8, … from those that have the same one.
KAPPA_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
BOUND_COLOR = "#444444"


def kappa_color(kappa: int) -> str:
    """The colour of κ, in every figure; the seven colours come again from κ = 7 on."""
    return KAPPA_COLORS[kappa % len(KAPPA_COLORS)]


def kappa_marker(kappa: int) -> str:
    """The marker of κ where no axis tells κ; the first seven differ without any colour."""
    return KAPPA_MARKERS[(kappa + kappa // len(KAPPA_COLORS)) % len(KAPPA_MARKERS)]


def kappa_label(kappa: int) -> str:
    """κ's entry in a legend."""
    return rf"$\kappa={kappa}$"


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """The style sheet, for the time of a drawing."""
    sheet = files("sacrepro.study.drawings") / "house.mplstyle"
    with mpl.rc_context(), spent_on("figures"):
        mpl.rcParams.update(mpl.rc_params_from_file(str(sheet), use_default_template=False))
        yield


def names(rows: Sequence[object]) -> list[str]:
    """The instances that occur in `rows`, in order of appearance."""
    return list(by(rows, "instance"))


def several(count: int, word: str) -> str:
    """A number of things."""
    return f"{count} {word}{'' if count == 1 else 's'}"


@functools.cache
def width_of(text: str, size: float, mathematics: bool = False) -> float:
    """The width of one line of text, in points."""
    font = FontProperties(family="DejaVu Sans", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=mathematics)
    return float(width)


#: The widest name, in points: that of about 22 letters.
WIDEST = 132.0


def literal(name: str, widest: float = WIDEST, size: float = 9.0) -> str:
    """A name as a label that shows it letter by letter, on one line, the middle left out where it is too wide.

    A dollar begins no formula, a leading underscore hides no entry of a legend; what has no glyph is dropped.
    """
    text = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
    shown, kept = text, len(text)
    while width_of(shown, size) > widest and kept > 1:
        kept -= 1
        shown = text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]
    return ("\N{HAIR SPACE}" if shown.startswith("_") else "") + shown.replace("$", r"\$")
