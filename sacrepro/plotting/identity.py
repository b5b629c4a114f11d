"""Lemma 1: how far two independent derivatives of J lie apart, against the certified error."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.panels import columns_of, frame, listed, log_axis
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names

MEASURED = r"$\|\nabla_{\theta_i} J\ \mathrm{by\ (4)} - \nabla_{\theta_i} J\ \mathrm{by\ differentiation}\|$"


def identity(rows: Sequence[Comparison]) -> Figure:
    """One marker an agent and policy: ‖∇J by eq. (4) - ∇J by differentiation‖; dashed: the certified error.
    Differences that are 0 in floating point stand in a column of their own.
    """
    instances = names(rows)
    figure, (zero, axes) = listed(instances, row=0.26, width=5.2, shares=(1, 14))
    for k, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        left = sorted({row.left for row in own})
        for where, x in ((zero, [0.0 for value in left if value == 0]), (axes, [value for value in left if value > 0])):
            where.plot(x, [k] * len(x), "o", color=KAPPA_COLORS[0], alpha=0.6, markeredgewidth=0, label=MEASURED)
        error = max(row.error for row in own)
        axes.plot([error, error], [k - 0.4, k + 0.4], "--", color=BOUND_COLOR, label="certified error")
    columns_of(zero, ["0"])
    log_axis(axes, "x")
    frame(figure, "difference, one marker an agent and policy")
    return figure


DRAWINGS = {"lemma1": (Comparison, identity)}
