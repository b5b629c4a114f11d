"""Benchmarks: seconds and memory against the number of agents, one line a method."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.bench.exact import VALUES, Timing
from sacrepro.plotting.style import KAPPA_COLORS, outer_labels, panels, shared_legend

#: One marker a method, in order of appearance; this engine also has the thick line.
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def bench_exact(rows: Sequence[Timing]) -> Figure:
    """Median seconds for all n value functions; a line ends where its method met a limit or failed."""
    rows = [row for row in rows if row.quantity == VALUES]
    cases = list(dict.fromkeys((row.family, row.gamma) for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    figure, grid = panels([rf"{family}, $\gamma={gamma}$" for family, gamma in cases])
    for axes, case in zip(grid, cases, strict=True):
        for place, method in enumerate(methods):
            own = [row for row in rows if (row.family, row.gamma, row.method, row.status) == (*case, method, "ok")]
            color = KAPPA_COLORS[place % len(KAPPA_COLORS)]
            width = 2.4 if method == "engine" else 1.0
            marker = MARKERS[place % len(MARKERS)]
            axes.plot(
                [row.n for row in own],
                [row.seconds for row in own],
                f"{marker}-",
                color=color,
                linewidth=width,
                label=method,
            )
        axes.set_yscale("log")
    outer_labels(figure, r"number of agents $n$", "seconds, all value functions")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"bench_exact": (Timing, bench_exact)}
