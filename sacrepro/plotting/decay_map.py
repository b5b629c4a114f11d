"""The graph itself, each agent in the colour of what its state is worth to one of them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from sacrepro.claims.decay_map import MapRow
from sacrepro.plotting.panels import grid_of, remark
from sacrepro.plotting.style import BOUND_COLOR, literal, names

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


DRAWINGS = {"decay_map": (MapRow, decay_map)}
