"""Entries of Q̂_i over κ: what the neighborhood asks for, what an episode writes, and the joint table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, shared_legend


def complexity(rows: Sequence[Comparison]) -> Figure:
    """Circles: entries of Q̂_i; crosses: those that an episode wrote; dashed (SA)^{f(κ)}, dotted the joint table."""
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        kappas = sorted({row.kappa for row in own})
        for hypothesis, marker, shift in (("table", "o", -0.1), ("written", "x", 0.1)):
            for row in own:
                if row.hypothesis == hypothesis:
                    axes.plot([row.kappa + shift], [row.left], marker, color=kappa_color(row.kappa), alpha=0.5)
        for hypothesis, line in (("table", "--"), ("joint", ":")):
            right = [max(r.right for r in own if r.hypothesis == hypothesis and r.kappa == kappa) for kappa in kappas]
            axes.plot(kappas, right, line, color=BOUND_COLOR)
        axes.set_yscale("log")
        axes.set_xticks(kappas)
    for style, label in (
        ("o", r"entries of $\hat Q_i$"),
        ("x", "written by an episode"),
        ("--", r"$(SA)^{f(\kappa)}$"),
        (":", r"entries of $Q_i$"),
    ):
        grid[0].plot([], [], style, color=BOUND_COLOR, label=label)
    outer_labels(figure, r"$\kappa$", "entries of an agent's table")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"complexity": (Comparison, complexity)}
