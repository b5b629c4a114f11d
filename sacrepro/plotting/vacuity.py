"""Where the bounds say something: from which κ on each is below the trivial one, and by what factor it misses that."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, ScalarFormatter

from sacrepro.claims.comparison import Comparison, excess_of
from sacrepro.claims.vacuity import SHARPER
from sacrepro.plotting.panels import frame, listed, log_axis
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names

#: Marker, colour and vertical shift of each reading; hollow beside the sharper trivial bound.
READINGS = {
    "(9)": ("X", KAPPA_COLORS[5], -0.26),
    "(9), influence": ("D", KAPPA_COLORS[3], -0.13),
    "(9), sharp bias": ("s", KAPPA_COLORS[1], 0.0),
    "squared bias": ("^", KAPPA_COLORS[2], 0.13),
    "Lemma 4": ("o", KAPPA_COLORS[0], 0.26),
}
HOLLOW = {f"{reading}{SHARPER}": look for reading, look in READINGS.items()}


def vacuity(rows: Sequence[Comparison]) -> Figure:
    """Left: the κ from which on bound/trivial bound is below 1, bars for every κ under the diameter; right: that ratio.

    One marker a reading, hollow beside the sharper trivial bound. Lemma 4 is shown for the agent where it is first, and
    every ratio at the κ where it is least.
    """
    instances = names(rows)
    figure, (needed, excess) = listed(instances, row=0.34, width=6.0, shares=(3, 2))
    for place, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        last = max(row.kappa for row in own)
        needed.barh(place, last + 0.8, left=-0.4, height=0.7, color="#d9d9d9", label=None if place else OWN)
        for hypothesis in READINGS | HOLLOW:
            mark(needed, place, hypothesis, first(own, hypothesis))
            mark(excess, place, hypothesis, excess_of([row for row in own if row.hypothesis == hypothesis]))
    needed.axvline(-0.4, color=BOUND_COLOR, linewidth=0.6)
    needed.set_xscale("symlog", linthresh=10, linscale=1.5)
    needed.set_xticks([0, 2, 4, 6, 8, 10, 20, 50, 100, 200])
    needed.xaxis.set_minor_locator(NullLocator())
    needed.xaxis.set_major_formatter(ScalarFormatter())
    needed.set_xlim(left=-0.4)
    needed.set_xlabel(r"$\kappa$; within the bar: the bound says something here")
    excess.axvline(1.0, color=BOUND_COLOR, linestyle="--")
    log_axis(excess, "x")
    excess.set_xlabel("bound / trivial bound, least here")
    hollow = Line2D([], [], linestyle="", marker="o", color=BOUND_COLOR, fillstyle="none")
    frame(figure, more={r"hollow: beside the sharper $\|\nabla J\|$": hollow})
    return figure


def mark(axes: Axes, place: int, hypothesis: str, x: float) -> None:
    """The marker of a reading, unless there is nothing to mark."""
    marker, color, shift = (READINGS | HOLLOW)[hypothesis]
    if math.isnan(x):
        return
    if hypothesis in HOLLOW:
        axes.plot([x], [place + shift], marker, color=color, fillstyle="none", markeredgewidth=0.8)
    else:
        axes.plot([x], [place + shift], marker, color=color, markeredgewidth=0, label=hypothesis)


def first(rows: Sequence[Comparison], hypothesis: str) -> float:
    """The κ from which on the reading says something, for the agent where it is least; nan if it never does."""
    found = [row.case.removeprefix(FROM) for row in rows if row.hypothesis == hypothesis]
    return min((int(kappa) for kappa in found if kappa.isdigit()), default=math.nan)


#: How `case` begins, and the label of the bars.
FROM, OWN = "from κ=", r"$\kappa$ under the diameter"

DRAWINGS = {"vacuity": (Comparison, vacuity)}
