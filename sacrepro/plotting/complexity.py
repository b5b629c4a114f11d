"""Entries of Q̂_i over κ: what the neighborhood asks for, what an episode writes, and the joint table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import bound_ticks, integer_axis, largest_right
from sacrepro.plotting.panels import frame, log_axis, titled
from sacrepro.plotting.style import kappa_color, names

#: Marker, shift along κ and label of what is counted; line and label of the bounds.
COUNTED = {"table": ("o", -0.15, r"entries of $\hat Q_i$"), "written": ("x", 0.15, "written by an episode")}
BOUNDS = {"table": ("--", r"$(SA)^{f(\kappa)}$"), "joint": (":", r"entries of $Q_i$")}


def complexity(rows: Sequence[Comparison]) -> Figure:
    """Circles: entries of Q̂_i; crosses: those that an episode wrote; dashed (SA)^{f(κ)}, dotted the joint table."""
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for hypothesis, (marker, shift, label) in COUNTED.items():
            for kappa in sorted({row.kappa for row in own}):
                chosen = (row for row in own if (row.hypothesis, row.kappa) == (hypothesis, kappa))
                left = sorted({row.left for row in chosen})
                axes.plot([kappa + shift] * len(left), left, marker, color=kappa_color(kappa), label=label, alpha=0.6)
        for hypothesis, (line, label) in BOUNDS.items():
            bound_ticks(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), line, label)
        log_axis(axes)
        integer_axis(axes, max(row.kappa for row in own))
    frame(figure, r"$\kappa$", "entries of an agent's table")
    return figure


DRAWINGS = {"complexity": (Comparison, complexity)}
