"""Benchmarks: seconds and memory against the number of agents, one line a method."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.bench.exact import VALUES, Timing
from sacrepro.bench.sac import Throughput
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, kappa_color, outer_labels, panels, shared_legend

#: One marker a method, in order of appearance; this engine also has the thick line.
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def bench_exact(rows: Sequence[Timing]) -> Figure:
    """Median seconds for all n value functions; a line ends where its method met a limit or failed."""
    rows = [row for row in rows if row.quantity == VALUES]
    cases = list(dict.fromkeys((row.family, row.gamma) for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    width, height = (6.4, 3.8) if len(cases) == 1 else (2.5, 2.1)
    figure, grid = panels([rf"{family}, $\gamma={gamma}$" for family, gamma in cases], width=width, height=height)
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
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    outer_labels(figure, r"number of agents $n$", "seconds, all value functions")
    shared_legend(figure, grid[0])
    return figure


#: The line of each method of `sacrepro bench sac`.
LINES = {"sac": "o-", "sac_seeds": "D", "two_processes": "s", "transcription": "^:", "dictionaries": "v:"}


def bench_sac(rows: Sequence[Throughput]) -> Figure:
    """Nanoseconds an agent-step over n, above, and the peak memory of one seed's process, below."""
    cases = list(dict.fromkeys((row.family, row.S, row.A) for row in rows))
    figure = Figure(figsize=(2.9 * len(cases), 5.2))
    grid = figure.subplots(2, len(cases), squeeze=False, sharex=True, sharey="row")
    for column, case in enumerate(cases):
        above, below = grid[:, column]
        above.set_title(f"{case[0]}, $S={case[1]}$, $A={case[2]}$")
        own = [row for row in rows if (row.family, row.S, row.A) == case and row.status == "ok"]
        for kappa in sorted({row.kappa for row in own}):
            for method, line in LINES.items():
                points = [row for row in own if (row.kappa, row.method) == (kappa, method)]
                n = [row.n for row in points]
                above.plot(n, [1e9 / row.agent_steps_per_second for row in points], line, color=kappa_color(kappa))
                if method == "sac":
                    below.plot(n, [row.peak_mb for row in points], line, color=kappa_color(kappa))
        for axes in (above, below):
            axes.set_xscale("log")
            axes.set_yscale("log")
    for kappa in sorted({row.kappa for row in rows}):
        grid[0, 0].plot([], [], "-", color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
    for method, label in (
        ("sac", "one seed"),
        ("sac_seeds", "seeds run together"),
        ("two_processes", "two processes at once"),
        ("transcription", "plain transcription"),
        ("dictionaries", "dictionaries"),
    ):
        if any(row.method == method for row in rows):
            grid[0, 0].plot([], [], LINES[method], color=BOUND_COLOR, label=label)
    grid[0, 0].set_ylabel("nanoseconds an agent-step")
    grid[1, 0].set_ylabel("peak memory, MiB")
    figure.supxlabel(r"number of agents $n$", fontsize=9)
    shared_legend(figure, grid[0, 0])
    return figure


DRAWINGS = {"bench_exact": (Timing, bench_exact), "bench_sac": (Throughput, bench_sac)}
