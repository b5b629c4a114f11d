"""The published wireless benchmark: the objective along the runs, and how often the critic sees a cell again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.bench.wireless import RECORDED, WirelessRow
from sacrepro.plotting.panels import BESIDE, LINE, beside, frame, grid_of
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, literal, width_of

#: The size of the names beside the lines.
NAMES = 6.0
#: Line style of each learner.
LEARNERS = {"Algorithm 1": "-", "Algorithm 1, λ=1": "-.", "published variant": "--"}


def wireless_benchmark(rows: Sequence[WirelessRow]) -> Figure:
    """Left: the mean objective over seeds, with each seed thin, and the references. Right: how new the keys are.
    The claim that κ = 1 exceeds the recorded value is refuted if the solid line of κ = 1 ends below the dotted one.
    """
    references = {f"{row.method} {row.objective:.3f}": row.objective for row in rows if row.method not in LEARNERS}
    levels = {literal(name): level for name, level in {**references, f"recorded {RECORDED}": RECORDED}.items()}
    room = max(width_of(name, NAMES) for name in levels) / 72 + 0.2
    gap = room + LINE + BESIDE
    figure, grid = grid_of(1, 2, 2.9 + gap, 3.0, gap=gap, titles=0, width_ratios=(3, 2))
    left, right = grid[0]
    for method, style in LEARNERS.items():
        for kappa in sorted({row.kappa for row in rows if row.method == method}):
            own = [row for row in rows if (row.method, row.kappa) == (method, kappa)]
            label = rf"{method}, $\kappa={kappa}$".replace("λ=1", r"$\lambda=1$")
            seeds_and_mean(left, own, "objective", style, kappa, label)
            seeds_and_mean(right, [row for row in own if row.m], "first_visit_share", style, kappa, None)
    for level in references.values():
        left.axhline(level, color=BOUND_COLOR, linestyle="-.", linewidth=0.8)
    left.axhline(RECORDED, color=BOUND_COLOR, linestyle=":")
    left.set_ylim(0, 1.12 * max(RECORDED, *(row.objective for row in rows)))
    name_lines(left, levels)
    beside(left, r"mean over users of $\Sigma_{t<10}\,\gamma^t r_i(t)$")
    beside(right, "share of first visits among updates")
    right.set_ylim(-0.05, 1.05)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.xaxis.set_major_formatter(lambda m, _: f"{m / 1000:g}")
    frame(figure, r"outer iteration $m$, thousands")
    return figure


def name_lines(axes: Axes, levels: Mapping[str, float]) -> None:
    """The name of each level line right of the axes; names keep the height of a letter apart."""
    least = 0.045 * axes.get_ylim()[1]
    place = -least
    for name, level in sorted(levels.items(), key=lambda item: item[1]):
        place = max(level, place + least)
        axes.annotate(
            name, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=NAMES, color=BOUND_COLOR
        )


def seeds_and_mean(
    axes: Axes, rows: Sequence[WirelessRow], field: str, style: str, kappa: int, label: str | None
) -> None:
    """Each seed as a thin line, their mean as a thick one."""
    seeds = sorted({row.seed for row in rows})
    m = [row.m for row in rows if row.seed == seeds[0]]
    values = np.array([[getattr(row, field) for row in rows if row.seed == seed] for seed in seeds])
    axes.plot(m, values.T, linestyle=style, color=kappa_color(kappa), alpha=0.25, linewidth=0.5)
    axes.plot(m, values.mean(axis=0), linestyle=style, color=kappa_color(kappa), label=label)


DRAWINGS = {"wireless_benchmark": (WirelessRow, wireless_benchmark)}
