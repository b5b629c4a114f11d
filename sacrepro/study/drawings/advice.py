"""The network itself: which κ is certified for each agent, what others are worth to one of them; and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from sacrepro.adviser.advice import AgentRow
from sacrepro.model.checks import Array
from sacrepro.study.bench.exact import VALUES, Timing
from sacrepro.study.bench.sac import Throughput
from sacrepro.study.drawings.panels import (
    BOUND_COLOR,
    KAPPA_COLORS,
    LINE,
    beside,
    frame,
    grid_of,
    kappa_color,
    kappa_marker,
    literal,
    log_axis,
    names,
    panels,
    remark,
    swatches,
    width_of,
)
from sacrepro.study.experiments.environments import MapRow

#: With more edges than this they would hide the agents; beyond so many agents a raster keeps the file small.
MOST_EDGES = 3000
#: Colour of agents for which no κ looked at is enough.
NONE = "#999999"
#: Names are drawn for at most so many agents, each in at most so many points.
NAMED, NAME_WIDTH, NAME_SIZE = 40, 66.0, 6.0
#: Inches of a panel, and the share of it that the agents take.
SIDE, SHARE = 3.5, 0.86

Box = tuple[float, float, float, float]


def advice(rows: Sequence[AgentRow], edges: Sequence[tuple[int, int]], error: float) -> Figure:
    """Agents at their places: left in colour and marker of the κ they need for `error`, right in the colour of their
    decay rate, unless all have the same.
    """
    rates = np.array([row.rate for row in rows])
    finite = rates[np.isfinite(rates)]
    differ = len(finite) > 0 and bool(np.ptp(finite) > 0.01 * np.abs(finite).max())
    figure, grid = grid_of(1, 2 if differ else 1, SIDE + 0.8, SIDE, left=0.3, gap=0.8, end=0.8)
    place = in_points(np.array([[row.x, row.y] for row in rows], dtype=float))
    size = float(np.sqrt(np.clip(2400 / len(rows), 1.5, 70)))
    for axes in grid[0]:
        network(axes, place, edges)
    left = grid[0, 0]
    needed(left, rows, place, size)
    left.set_title(f"least κ certified to keep an agent's table within {error:.3g}")
    factor = r"factor of its influence bound from one $\kappa$ to the next"
    if differ:
        right = grid[0, 1]
        large = len(rows) > MOST_EDGES
        drawn = right.scatter(*place.T, s=size**2, c=rates, cmap="viridis", linewidths=0, zorder=2, rasterized=large)
        right.set_title(factor)
        figure.colorbar(drawn, cax=right.inset_axes((1.02, 0.15, 0.03, 0.7)))
    frame(figure, "" if differ or not len(finite) else f"{factor}: {finite[0]:.2g} for all")
    return figure


def in_points(place: Array) -> Array:
    """Places with the same scale on both axes, centred in a panel, in points from its lower left corner."""
    side = 72.0 * (SIDE - LINE)
    low, high = place.min(axis=0), place.max(axis=0)
    scale = SHARE * side / max(float((high - low).max()), 1e-12)
    placed: Array = side / 2 + scale * (place - (low + high) / 2)
    return placed


def network(axes: Axes, place: Array, edges: Sequence[tuple[int, int]]) -> None:
    """An empty panel with the edges, one unit a point."""
    across, up = axes.get_position().size * axes.get_figure().get_size_inches() * 72.0  # type: ignore[union-attr]
    middle = 72.0 * (SIDE - LINE) / 2
    axes.set(xlim=(middle - across / 2, middle + across / 2), ylim=(middle - up / 2, middle + up / 2))
    axes.set_axis_off()
    if len(edges) <= MOST_EDGES:
        lines = LineCollection(place[np.array(edges, dtype=int).reshape(-1, 2)], colors="#c8c8c8", linewidths=0.7)
        lines.set_zorder(1)
        axes.add_collection(lines, autolim=False)


def needed(axes: Axes, rows: Sequence[AgentRow], place: Array, size: float) -> None:
    """Each agent by the κ it needs, those that were measured in a ring, and the names for which there is room."""
    large = len(rows) > MOST_EDGES
    for kappa in sorted({row.kappa for row in rows}):
        own = np.array([row.kappa == kappa for row in rows])
        count = f"({int(own.sum()):,})"
        if kappa < 0:
            color, marker, label = NONE, "o", f"none looked at {count}"
        else:
            color, marker, label = kappa_color(kappa), kappa_marker(kappa), rf"$\kappa={kappa}$ {count}"
        look: dict[str, Any] = {"color": color, "markersize": size, "markeredgewidth": 0, "rasterized": large}
        axes.plot(*place[own].T, marker, label=label, zorder=2, **look)
    looked_at = np.array([row.looked_at for row in rows])
    if not looked_at.all():
        ring: dict[str, Any] = {
            "color": BOUND_COLOR,
            "markersize": size + 4,
            "fillstyle": "none",
            "markeredgewidth": 0.9,
        }
        axes.plot(*place[looked_at].T, "o", label="measured", zorder=3, **ring)
    if len(rows) <= NAMED:
        left_out = name_agents(axes, [row.name for row in rows], place, size)
        if left_out:
            axes.text(0.0, 0.0, f"names without room: {left_out}", transform=axes.transAxes, fontsize=NAME_SIZE)


def name_agents(axes: Axes, names: Sequence[str], place: Array, size: float) -> int:
    """Write each name where it covers no agent and no other name, and return how many names found no such place."""
    side = 72.0 * (SIDE - LINE)
    radius = size / 2 + 2.5
    agents = [(x - radius, y - radius, x + radius, y + radius) for x, y in place]
    taken: list[Box] = []
    left_out = 0
    for name, (x, y), own in zip(names, place, agents, strict=True):
        label = literal(name, NAME_WIDTH, NAME_SIZE)
        half, high = width_of(label, NAME_SIZE) / 2 + 1.0, NAME_SIZE + 1.0
        spots = [(0.0, -radius - high / 2), (0.0, radius + high / 2), (radius + half, 0.0), (-radius - half, 0.0)]
        boxes = [(x + a - half, y + b - high / 2, x + a + half, y + b + high / 2) for a, b in spots]
        others = [agent for agent in agents if agent != own]
        free = [box for box in boxes if not overlaps(box, others + taken) and inside(box, side)]
        if not free:
            left_out += 1
            continue
        taken.append(free[0])
        middle = ((free[0][0] + free[0][2]) / 2, (free[0][1] + free[0][3]) / 2)
        halo = [withStroke(linewidth=1.5, foreground="white")]
        axes.text(*middle, label, fontsize=NAME_SIZE, ha="center", va="center_baseline", path_effects=halo, zorder=4)
    return left_out


def overlaps(box: Box, others: Iterable[Box]) -> bool:
    """Whether a box meets one of the others."""
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in others)


def inside(box: Box, side: float) -> bool:
    """Whether a box lies in the panel or not far beside it."""
    return box[0] > -20.0 and box[1] > 8.0 and box[2] < side + 20.0 and box[3] < side


# The graph itself, each agent in the colour of what its state is worth to one of them.

#: At most so many instances are drawn, those with the most agents.
PANELS = 3


def decay_map(rows: Sequence[MapRow]) -> Figure:
    """How much V_i varies with the state of each agent alone, i the ringed one, under the uniform policy.
    The number in a node is its distance d from i. A node whose colour exceeds r̄γ^d/(1-γ), the dashed tick of d at the
    colour bar, would falsify the light cone; a hollow node has no influence beyond the certified error.
    """
    rows = [row for row in rows if row.policy == rows[0].policy]
    sizes = {name: sum(row.instance == name for row in rows) for name in names(rows)}
    shown = sorted(sizes, key=lambda name: -sizes[name])[:PANELS]
    figure, grid = grid_of(1, len(shown), 3.3, 2.9, left=0.0, gap=0.75, bottom=0.0, end=0.75)
    for axes, name in zip(grid[0], shown, strict=True):
        axes.set_title(literal(name))
        draw_network(figure, axes, [row for row in rows if row.instance == name])
    return figure


def draw_network(figure: Figure, axes: Axes, rows: Sequence[MapRow]) -> None:
    """One network with its colour bar."""
    by_agent = {row.agent: row for row in rows}
    for row in rows:
        for j in map(int, row.neighbors.split()):
            axes.plot([row.x, by_agent[j].x], [row.y, by_agent[j].y], color="#bbbbbb", linewidth=0.8, zorder=1)
    felt = [row for row in rows if row.influence > row.error]
    least = min((row.influence for row in felt), default=1.0)
    norm = LogNorm(0.5 * least, max(row.bound for row in rows) * 1.2)
    palette = mpl.colormaps["viridis_r"]
    for row in rows:
        color = palette(norm(row.influence)) if row in felt else "white"
        edge, width = ("black", 2.2) if row.agent == row.center else ("#555555", 0.6)
        axes.scatter([row.x], [row.y], s=150, color=color, edgecolor=edge, linewidth=width, zorder=2)
        dark = row in felt and float(norm(row.influence)) > 0.5
        label = str(row.distance) if row.distance >= 0 else "∞"
        axes.text(
            row.x, row.y, label, ha="center", va="center", fontsize=7, color="white" if dark else "black", zorder=3
        )
    axes.set_axis_off()
    if not felt:
        remark(axes, "0 up to the certificate")
    axes.margins(0.12)
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm, palette), cax=axes.inset_axes((1.0, 0.1, 0.04, 0.8)))
    bar.ax.minorticks_off()
    bar.set_label(r"variation of $V_i$ with $s_j$", fontsize=8)
    for bound in sorted({row.bound for row in rows if row.bound > 0.0}):
        bar.ax.axhline(bound, color=BOUND_COLOR, linestyle=(0, (1.5, 1)), linewidth=1.2)


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
