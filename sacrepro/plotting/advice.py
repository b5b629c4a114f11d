"""The network itself: which κ each agent needs, and how fast its decay is, by the influence matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from sacrepro.advise import AgentRow
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, kappa_color

#: With more edges than this they would hide the agents.
MOST_EDGES = 3000
#: Colour of agents for which no κ looked at is enough.
NONE = "#999999"


def advice(rows: Sequence[AgentRow], edges: Sequence[tuple[int, int]], error: float) -> Figure:
    """Agents at their places: left in the colour of the κ they need for `error`, right in that of their decay rate."""
    figure = Figure(figsize=(8.2, 4.3))
    left, right = figure.subplots(1, 2)
    place = np.array([[row.x, row.y] for row in rows])
    size = float(np.clip(2400 / len(rows), 1.5, 70))
    for axes in (left, right):
        axes.set_aspect("equal")
        axes.set_axis_off()
        if len(edges) <= MOST_EDGES:
            lines = LineCollection(place[np.array(edges, dtype=int).reshape(-1, 2)], colors="#c8c8c8", linewidths=0.7)
            lines.set_zorder(1)
            axes.add_collection(lines)
    # Beyond so many agents a raster keeps the file small.
    large = len(rows) > MOST_EDGES
    most = max(row.kappa for row in rows)
    for kappa in sorted({row.kappa for row in rows}):
        own = np.array([row.kappa == kappa for row in rows])
        label = rf"$\kappa = {kappa}$ ({int(own.sum()):,})" if kappa >= 0 else f"none looked at ({int(own.sum()):,})"
        color = color_of(kappa, most)
        left.scatter(*place[own].T, s=size, color=color, linewidths=0, zorder=2, label=label, rasterized=large)
    looked_at = np.array([row.looked_at for row in rows])
    if not looked_at.all():
        marked = place[looked_at]
        left.scatter(*marked.T, s=size + 60, facecolors="none", edgecolors=BOUND_COLOR, zorder=3, label="measured")
    rates = np.array([row.rate for row in rows])
    drawn = right.scatter(*place.T, s=size, c=rates, cmap="viridis", vmin=0, linewidths=0, zorder=2, rasterized=large)
    if len(rows) <= 40:
        for row in rows:
            left.annotate(row.name, (row.x, row.y), fontsize=5.5, ha="center", va="center", color="white", zorder=4)
    left.set_title(f"κ that brings the influence bound on $D_i(\\kappa)$ below {error:.3g}")
    right.set_title(r"factor of that bound from one $\kappa$ to the next")
    figure.colorbar(drawn, ax=right, shrink=0.75, pad=0.02)
    handles, labels = left.get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower left", ncols=min(len(labels), 7))
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([24.0])
    return figure


def color_of(kappa: int, most: int) -> Any:
    """The house's colour of κ while all have one of their own, otherwise a scale from 0 to `most`."""
    if kappa < 0:
        return NONE
    return kappa_color(kappa) if most < len(KAPPA_COLORS) else mpl.colormaps["viridis"](kappa / most)
