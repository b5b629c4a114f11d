"""What each step of a proof costs: one mark a comparison, one line a step, one panel an inequality."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, ScalarFormatter

from sacrepro.study.drawings.panels import columns_of, frame, grid_of, listed, log_axis
from sacrepro.study.drawings.style import BOUND_COLOR, KAPPA_COLORS, kappa_color, kappa_label, literal, names, width_of
from sacrepro.study.record.claim import Drawing
from sacrepro.study.record.comparison import Comparison, excess_of

#: The inequality whose steps bear no prefix.
FIRST = "lemma4"


def anatomy(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """right/left of every step over instances, policies, agents and weights, one colour a κ; 1 is free."""
    parts: dict[str, list[str]] = {}
    for step in dict.fromkeys(row.hypothesis for row in rows):
        parts.setdefault(inequality(step), []).append(step)
    kappas = sorted({row.kappa for row in rows})
    widest = max(width_of(label(step), 8.0) for own in parts.values() for step in own)
    shares = [len(own) + 0.4 for own in parts.values()]
    figure, grid = grid_of(
        len(parts),
        1,
        4.6,
        0.32 * sum(shares) / len(parts) + 0.5,
        left=widest / 72 + 0.14,
        gap=0.0,
        sharex=True,
        height_ratios=shares,
    )
    for axes, (name, own) in zip(grid.ravel(), parts.items(), strict=True):
        panel(axes, [row for row in rows if row.hypothesis in own], own, kappas)
        axes.set_title(literal(name))
    frame(figure, drawing.left)
    return figure


def inequality(step: str) -> str:
    """The inequality that a step belongs to."""
    return step.split(": ")[0] if ": " in step else FIRST


def label(step: str) -> str:
    """The name of a step within its inequality."""
    return literal(step.split(": ")[-1], 220.0, 8.0)


def panel(axes: Axes, rows: Sequence[Comparison], steps: Sequence[str], kappas: Sequence[int]) -> None:
    """The steps of one inequality."""
    for k, kappa in enumerate(kappas):
        shift = 0.7 * ((k + 0.5) / len(kappas) - 0.5)
        for place, step in enumerate(steps):
            chosen = [row for row in rows if row.hypothesis == step and row.kappa == kappa and row.left > row.error]
            cost = sorted({row.right / row.left for row in chosen})
            heights = [place + shift] * len(cost)
            axes.plot(
                cost, heights, "|", color=kappa_color(kappa), alpha=0.4, rasterized=True, label=kappa_label(kappa)
            )
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR)
    log_axis(axes, "x")
    axes.set_yticks(range(len(steps)), [label(step) for step in steps])
    axes.set_ylim(len(steps) - 0.5, -0.5)


# Lemma 1: how far two independent derivatives of J lie apart, against the certified error.


def identity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """One marker an agent and policy: ‖∇J by eq. (4) - ∇J by differentiation‖; dashed: the certified error.
    Differences that are 0 in floating point stand in a column of their own.
    """
    instances = names(rows)
    figure, (zero, axes) = listed(instances, row=0.26, width=5.2, shares=(1, 14))
    for k, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        left = sorted({row.left for row in own})
        for where, x in ((zero, [0.0 for value in left if value == 0]), (axes, [value for value in left if value > 0])):
            where.plot(x, [k] * len(x), "o", color=KAPPA_COLORS[0], alpha=0.6, markeredgewidth=0, label=drawing.markers)
        error = max(row.error for row in own)
        axes.plot([error, error], [k - 0.4, k + 0.4], "--", color=BOUND_COLOR, label="certified error")
    columns_of(zero, ["0"])
    log_axis(axes, "x")
    frame(figure, drawing.left)
    return figure


# Where the bounds say something: from which κ on each is below the trivial one, and by what factor it misses that.

#: Marker, colour and vertical shift of each variant; once more for those that are hollow.
LOOKS = (
    ("X", KAPPA_COLORS[5], -0.26),
    ("D", KAPPA_COLORS[3], -0.13),
    ("s", KAPPA_COLORS[1], 0.0),
    ("^", KAPPA_COLORS[2], 0.13),
    ("o", KAPPA_COLORS[0], 0.26),
)


def vacuity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Left: the κ from which on bound/trivial bound is below 1, bars for every κ under the diameter; right: that ratio.

    One marker a variant, hollow beside the sharper trivial bound. Lemma 4 is shown for the agent where it is first, and
    every ratio at the κ where it is least.
    """
    instances = names(rows)
    figure, (needed, excess) = listed(instances, row=0.34, width=6.0, shares=(3, 2))
    for place, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        last = max(row.kappa for row in own)
        needed.barh(place, last + 0.8, left=-0.4, height=0.7, color="#d9d9d9", label=None if place else OWN)
        for k, hypothesis in enumerate(drawing.lines):
            label = drawing.lines[hypothesis] if k < len(LOOKS) else ""
            for axes, x in (
                (needed, first(own, hypothesis)),
                (excess, excess_of([row for row in own if row.hypothesis == hypothesis])),
            ):
                mark(axes, place, LOOKS[k % len(LOOKS)], label, x)
    needed.axvline(-0.4, color=BOUND_COLOR, linewidth=0.6)
    needed.set_xscale("symlog", linthresh=10, linscale=1.5)
    needed.set_xticks([0, 2, 4, 6, 8, 10, 20, 50, 100, 200])
    needed.xaxis.set_minor_locator(NullLocator())
    needed.xaxis.set_major_formatter(ScalarFormatter())
    needed.set_xlim(left=-0.4)
    needed.set_xlabel(drawing.left)
    excess.axvline(1.0, color=BOUND_COLOR, linestyle="--")
    log_axis(excess, "x")
    excess.set_xlabel("bound / trivial bound, least here")
    hollow = Line2D([], [], linestyle="", marker="o", color=BOUND_COLOR, fillstyle="none")
    frame(figure, more={r"hollow: beside the sharper $\|\nabla J\|$": hollow})
    return figure


def mark(axes: Axes, place: int, look: tuple[str, str, float], label: str, x: float) -> None:
    """The marker of a variant, hollow without a label, unless there is nothing to mark."""
    marker, color, shift = look
    if math.isnan(x):
        return
    if label:
        axes.plot([x], [place + shift], marker, color=color, markeredgewidth=0, label=label)
    else:
        axes.plot([x], [place + shift], marker, color=color, fillstyle="none", markeredgewidth=0.8)


def first(rows: Sequence[Comparison], hypothesis: str) -> float:
    """The κ from which on the variant says something, for the agent where it is least; nan if it never does."""
    found = [row.case.removeprefix(FROM) for row in rows if row.hypothesis == hypothesis]
    return min((int(kappa) for kappa in found if kappa.isdigit()), default=math.nan)


#: How `case` begins, and the label of the bars.
FROM, OWN = "from κ=", r"$\kappa$ under the diameter"


KINDS = {"anatomy": anatomy, "identity": identity, "vacuity": vacuity}
