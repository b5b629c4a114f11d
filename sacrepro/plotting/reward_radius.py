"""D_i(κ) of action-coupled models, for rewards of radius 0 and 1, each under its own bound."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import integer_axis
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, shared_legend

#: Marker, shift along κ, line style, legend of the markers and of the line, for each reading.
READINGS = {
    "D, kernels": ("o", -0.12, "--", r"rewards $r_i(s_i, a_i)$", r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"),
    "D, rewards": ("^", 0.12, ":", r"rewards $r_i(s_{N_i}, a_{N_i})$", r"$\bar r\,\gamma^{\kappa}/(1-\gamma)$"),
}


def radii(rows: Sequence[Comparison]) -> Figure:
    """Every D_i(κ) above its error as a marker, and both bounds; the relay lies on the lines."""
    own = [row for row in rows if row.hypothesis in READINGS]
    instances = names(own)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        for hypothesis, (marker, shift, style, _, _) in READINGS.items():
            shown = [row for row in own if row.instance == name and row.hypothesis == hypothesis]
            for row in shown:
                if row.left > row.error:
                    color = kappa_color(row.kappa)
                    axes.plot(row.kappa + shift, row.left, marker, color=color, alpha=0.5, markeredgewidth=0)
            kappas = sorted({row.kappa for row in shown})
            largest = [max(row.right for row in shown if row.kappa == kappa) for kappa in kappas]
            axes.plot(kappas, largest, linestyle=style, marker="_", color=BOUND_COLOR)
        integer_axis(axes, [row for row in own if row.instance == name])
    for marker, _, _, label, _ in READINGS.values():
        grid[0].plot([], [], marker, color=BOUND_COLOR, label=label)
    for _, _, style, _, label in READINGS.values():
        grid[0].plot([], [], linestyle=style, color=BOUND_COLOR, label=label)
    outer_labels(figure, r"$\kappa$", r"$D_i(\kappa)$ with $P_i(\cdot|s_{N_i}, a_{N_i})$")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"reward_radius": (Comparison, radii)}
