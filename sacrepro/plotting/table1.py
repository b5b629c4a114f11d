"""Table 1 of the paper as curves over κ: D_i(κ), its bounds, and two approximations of Q^θ = (1/n) Σ_i Q_i^θ.

*Truncated* is (1/n) Σ_i Q̂_i with natural weights, *linear* a sum of functions of single agents.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.claims.table1 import Table1Row
from sacrepro.plotting.decay import two_decades
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, outer_labels, panels, remark, shared_legend

#: What is drawn at each κ: field, style, colour, label. Bounds are lines.
SERIES = (
    ("lemma3", "_:", BOUND_COLOR, "Lemma 3"),
    ("influence", "_--", BOUND_COLOR, "influence matrix"),
    ("D", "o", BOUND_COLOR, r"$\max_i D_i(\kappa)$"),
    ("truncated", "s", KAPPA_COLORS[0], "truncated, error"),
)
#: The rival, which does not depend on κ.
RIVALS = (
    ("best", "-", KAPPA_COLORS[1], "linear, best error"),
    ("lstd", "-", KAPPA_COLORS[5], "linear, LSTD error"),
)


def table1(rows: Sequence[Table1Row]) -> Figure:
    """One panel a setting, every value the largest over policies; zeros, up to certified errors, are left out."""
    settings = list(dict.fromkeys(row.setting for row in rows))
    figure, grid = panels(settings, width=3.0, height=2.2)
    for axes, setting in zip(grid, settings, strict=True):
        own = [row for row in rows if row.setting == setting]
        kappas = sorted({row.kappa for row in own})
        floor = 2.0 * max(row.D_error for row in own)
        for field, style, color, label in SERIES:
            largest = {k: max(getattr(row, field) for row in own if row.kappa == k) for k in kappas}
            shown = [k for k in kappas if largest[k] > floor]
            axes.plot(shown, [largest[k] for k in shown], style, color=color, label=label)
        for field, style, color, label in RIVALS:
            error = max(getattr(row, field) for row in own)
            ends = [-0.4, kappas[-1] + 0.4] if error > floor else []
            axes.plot(ends, [error] * len(ends), style, color=color, linewidth=1, label=label)
        if not any(floor < row.D for row in own):
            remark(axes, r"$D_i(\kappa)$: 0 up to the certificate")
        two_decades(axes)
        axes.set_xlim(-0.5, kappas[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    outer_labels(figure, r"$\kappa$", "sup norm")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"table1": (Table1Row, table1)}
