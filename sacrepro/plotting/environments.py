"""The environments side by side: decay of D_i(κ), the influence matrix's certificate, and Lemma 3."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.environments import EnvironmentRow
from sacrepro.plotting.decay import bound_line, dots, integer_axis, zero_remark
from sacrepro.plotting.panels import frame, log_axis, panels, remark
from sacrepro.plotting.style import literal, names

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
    titles = [f"{literal(name)}\nn = {sizes[name]:,}" for name in instances]
    figure, grid = panels(titles, columns=4, width=2.2, height=2.2)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        kappas = sorted({row.kappa for row in own})
        zero = []
        for kappa in kappas:
            known = [row for row in own if row.kappa == kappa and not math.isnan(row.D)]
            D = [row.D for row in known if row.D_error < row.D]
            dots(axes, [kappa] * len(D), D, kappa, label=r"$\max_i D_i(\kappa)$, one marker a policy", alpha=0.6)
            zero += [kappa] if known and not D else []
        at = {row.kappa: row for row in own}
        for field, style, label in BOUNDS:
            bound_line(axes, {kappa: getattr(at[kappa], field) for kappa in kappas}, style, label)
        log_axis(axes)
        integer_axis(axes, kappas[-1])
        if all(math.isnan(row.D) for row in own):
            remark(axes, "no exact solution")
        else:
            zero_remark(axes, zero, set(kappas) - set(zero))
    frame(figure, r"$\kappa$", r"$\max_i D_i(\kappa)$")
    return figure


DRAWINGS = {"environments": (EnvironmentRow, environments)}
