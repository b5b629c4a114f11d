"""Where the bounds say something: measured biases, and a line only where a bound is below the trivial one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, shared_legend

#: Marker and line of each reading.
READINGS = {"(9)": ("s", "--"), "(9), sharp bias": ("s", "-."), "Lemma 4": ("o", ":")}


def vacuity(rows: Sequence[Comparison]) -> Figure:
    """One panel an instance: squares 2‖∇J‖‖ĥ-∇J‖, circles ‖ĥ_i-∇J_i‖, and the bounds where they are not vacuous."""
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        kappas = sorted({row.kappa for row in own})
        for hypothesis, (marker, line) in READINGS.items():
            chosen = [row for row in own if row.hypothesis == hypothesis]
            for kappa in kappas:
                left = [row.left for row in chosen if row.kappa == kappa and row.left > row.error]
                axes.plot([kappa] * min(1, len(left)), [max(left)] if left else [], marker, color=kappa_color(kappa))
            told = [row for row in chosen if math.isfinite(row.right) and row.right > 0]
            at = sorted({row.kappa for row in told})
            right = [max(row.right for row in told if row.kappa == kappa) for kappa in at]
            axes.plot(at, right, line, marker="_", color=BOUND_COLOR)
        axes.set_yscale("log")
        axes.set_xticks(kappas)
        axes.set_xlim(-0.5, max(kappas) + 0.5)
    for hypothesis, (_, line) in READINGS.items():
        grid[0].plot([], [], line, color=BOUND_COLOR, label=f"{hypothesis}, where below the trivial bound")
    grid[0].plot([], [], "s", color=BOUND_COLOR, label=r"$2\|\nabla J\|\|\hat h-\nabla J\|$")
    grid[0].plot([], [], "o", color=BOUND_COLOR, label=r"$\max_i\|\hat h_i-\nabla_{\theta_i}J\|$")
    outer_labels(figure, r"$\kappa$", "bias, natural weights")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"vacuity": (Comparison, vacuity)}
