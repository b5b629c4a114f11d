"""D_i(κ) of action-coupled models, for rewards of radius 0 and 1, each under its own bound."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import bound_ticks, dots, kappa_axis, largest_right
from sacrepro.plotting.panels import frame, titled
from sacrepro.plotting.style import names

#: Marker, shift along κ, line style, legend of the markers and of the line, for each reading.
READINGS = {
    "D, kernels": ("o", -0.2, "--", r"rewards $r_i(s_i, a_i)$", r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"),
    "D, rewards": ("^", 0.2, ":", r"rewards $r_i(s_{N_i}, a_{N_i})$", r"$\bar r\,\gamma^{\kappa}/(1-\gamma)$"),
}


def radii(rows: Sequence[Comparison]) -> Figure:
    """Every D_i(κ) above its error as a marker, below the bound of its own rewards; the relay lies on the bounds."""
    own = [row for row in rows if row.hypothesis in READINGS]
    instances = names(own)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        here = [row for row in own if row.instance == name]
        for hypothesis, (marker, shift, style, label, of_bound) in READINGS.items():
            shown = [row for row in here if row.hypothesis == hypothesis]
            for kappa in sorted({row.kappa for row in shown}):
                left = sorted({row.left for row in shown if row.kappa == kappa and row.left > row.error})
                dots(axes, [kappa + shift] * len(left), left, kappa, marker, label=label, alpha=0.5)
            bound_ticks(axes, largest_right(shown), style, of_bound, shift=shift, half=0.18)
        kappa_axis(axes, here)
    frame(figure, r"$\kappa$", r"$D_i(\kappa)$ with $P_i(\cdot|s_{N_i}, a_{N_i})$")
    return figure


DRAWINGS = {"reward_radius": (Comparison, radii)}
