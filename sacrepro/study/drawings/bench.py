"""Benchmarks: seconds and memory against the number of agents, one line a method."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.study.bench.exact import VALUES, Timing
from sacrepro.study.bench.sac import Throughput
from sacrepro.study.drawings.panels import beside, frame, grid_of, log_axis, panels, swatches
from sacrepro.study.drawings.style import KAPPA_COLORS, kappa_color, literal

#: One marker a method, in order of appearance; this engine also has the thick line.
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def bench_exact(rows: Sequence[Timing]) -> Figure:
    """Median seconds for all n value functions; a line ends where its method met a limit or failed."""
    rows = [row for row in rows if row.quantity == VALUES]
    cases = list(dict.fromkeys((row.family, row.gamma) for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    width, height = (6.4, 3.8) if len(cases) == 1 else (2.5, 2.1)
    titles = [rf"{literal(family)}, $\gamma={gamma}$" for family, gamma in cases]
    figure, grid = panels(titles, width=width, height=height)
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
                label=literal(method),
            )
        log_axis(axes)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    frame(figure, r"number of agents $n$", "seconds, all value functions")
    return figure


#: Line and label of each method of `sacrepro bench sac`.
LINES = {
    "sac": ("o-", "one seed"),
    "sac_seeds": ("D", "seeds run together"),
    "two_processes": ("s", "two processes at once"),
    "transcription": ("^:", "plain transcription"),
    "dictionaries": ("v:", "dictionaries"),
}


def bench_sac(rows: Sequence[Throughput]) -> Figure:
    """Nanoseconds an agent-step over n, above, and the peak memory of one seed's process, below."""
    cases = list(dict.fromkeys((row.family, row.S, row.A) for row in rows))
    figure, grid = grid_of(2, len(cases), 2.9, 2.5, gap=0.2, sharex=True, sharey="row")
    for column, case in enumerate(cases):
        above, below = grid[:, column]
        above.set_title(f"{literal(case[0])}, $S={case[1]}$, $A={case[2]}$")
        own = [row for row in rows if (row.family, row.S, row.A) == case and row.status == "ok"]
        for kappa in sorted({row.kappa for row in own}):
            for method, (line, label) in LINES.items():
                points = [row for row in own if (row.kappa, row.method) == (kappa, method)]
                n, color = [row.n for row in points], kappa_color(kappa)
                nanoseconds = [1e9 / row.agent_steps_per_second for row in points]
                above.plot(n, nanoseconds, line, color=color, label=label)
                if method == "sac":
                    below.plot(n, [row.peak_mb for row in points], line, color=color)
        for axes in (above, below):
            log_axis(axes, "x")
            log_axis(axes)
    beside(grid[0, 0], "nanoseconds an agent-step")
    beside(grid[1, 0], "peak memory, MiB")
    frame(figure, r"number of agents $n$", more=swatches({row.kappa for row in rows if row.status == "ok"}))
    return figure


DRAWINGS = {"bench_exact": (Timing, bench_exact), "bench_sac": (Throughput, bench_sac)}
