"""The environments side by side: decay of D_i(κ), the influence matrix's certificate, and Lemma 3."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.claims.environments import EnvironmentRow
from sacrepro.plotting.decay import two_decades
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, remark, shared_legend

#: The bounds: field, line style, label.
BOUNDS = (
    ("lemma3", ":", r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$, Lemma 3"),
    ("influence", "--", "influence matrix, worst agent"),
    ("influence_median", "-.", "influence matrix, median agent"),
)


def environments(rows: Sequence[EnvironmentRow]) -> Figure:
    """max_i D_i(κ), one marker a policy, below the bounds; instances of one model stand together."""
    model = {row.instance: row.model for row in rows}
    models = list(dict.fromkeys(row.model for row in rows))
    instances = sorted(names(rows), key=lambda name: models.index(model[name]))
    sizes = {row.instance: row.n for row in rows}
    figure, grid = panels([f"{name}\nn = {sizes[name]}" for name in instances], columns=4, width=2.2, height=2.0)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for row in own:
            if row.D_error < row.D:  # false for NaN
                axes.plot([row.kappa], [row.D], "o", color=kappa_color(row.kappa), alpha=0.6, markeredgewidth=0)
        if all(math.isnan(row.D) for row in own):
            remark(axes, "no exact solution")
        elif not any(row.D_error < row.D for row in own):
            remark(axes, "0 up to the certificate")
        at = {row.kappa: row for row in own}
        kappas = sorted(at)
        for field, style, label in BOUNDS:
            heights = [getattr(at[kappa], field) for kappa in kappas]
            axes.plot(kappas, heights, style, color=BOUND_COLOR, label=label)
        two_decades(axes)
        axes.set_xlim(-0.5, kappas[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    grid[0].plot([], [], "o", color=BOUND_COLOR, label=r"$\max_i D_i(\kappa)$, one marker a policy")
    outer_labels(figure, r"$\kappa$", r"$\max_i D_i(\kappa)$")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"environments": (EnvironmentRow, environments)}
