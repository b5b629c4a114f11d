"""Table 1 of the paper as curves over κ: D_i(κ), its bounds, and two approximations of Q^θ = (1/n) Σ_i Q_i^θ.

*Truncated* is (1/n) Σ_i Q̂_i with natural weights, *linear* a sum of functions of single agents.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.table1 import Table1Row
from sacrepro.plotting.decay import bound_line, integer_axis
from sacrepro.plotting.panels import frame, log_axis, panels, remark
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, literal

#: The bounds: field, line style, label; the markers: field, marker, colour, label.
BOUNDS = (("lemma3", ":", "Lemma 3"), ("influence", "--", "influence matrix"))
MARKERS = (
    ("D", "o", BOUND_COLOR, r"$\max_i D_i(\kappa)$"),
    ("truncated", "s", KAPPA_COLORS[0], "truncated, error"),
)
#: The rival, which does not depend on κ.
RIVALS = (
    ("best", KAPPA_COLORS[1], "linear, best error"),
    ("lstd", KAPPA_COLORS[5], "linear, LSTD error"),
)


def table1(rows: Sequence[Table1Row]) -> Figure:
    """One panel a setting, every value the largest over policies; zeros, up to certified errors, are left out."""
    settings = list(dict.fromkeys(row.setting for row in rows))
    figure, grid = panels([literal(setting, 190.0) for setting in settings], width=3.0, height=2.2)
    for axes, setting in zip(grid, settings, strict=True):
        own = [row for row in rows if row.setting == setting]
        kappas = sorted({row.kappa for row in own})
        floor = 2.0 * max(row.D_error for row in own)
        for field, style, label in BOUNDS:
            bound_line(axes, largest(own, field, floor), style, label)
        for field, marker, color, label in MARKERS:
            shown = largest(own, field, floor)
            axes.plot([*shown], [*shown.values()], marker, color=color, label=label)
        for field, color, label in RIVALS:
            error = max(getattr(row, field) for row in own)
            if error > floor:
                axes.plot([-0.4, kappas[-1] + 0.4], [error] * 2, color=color, linewidth=1, label=label)
        log_axis(axes)
        integer_axis(axes, kappas[-1])
        if not any(floor < row.D for row in own):
            remark(axes, r"$D_i(\kappa)$: 0 up to the certificate")
    frame(figure, r"$\kappa$", "sup norm")
    return figure


def largest(rows: Sequence[Table1Row], field: str, floor: float) -> dict[int, float]:
    """The largest value of a field at each κ, where it is above the certified error."""
    at: dict[int, float] = {}
    for row in sorted(rows, key=lambda row: row.kappa):
        at[row.kappa] = max(at.get(row.kappa, 0.0), getattr(row, field))
    return {kappa: value for kappa, value in at.items() if value > floor}


DRAWINGS = {"table1": (Table1Row, table1)}
