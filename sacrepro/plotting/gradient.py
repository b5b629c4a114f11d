"""Lemma 4: the error of the truncated policy gradient against both right sides."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import FAMILY_MARKERS, dashed_bound, draw_largest, integer_axis, offset
from sacrepro.plotting.style import BOUND_COLOR, names, outer_labels, panels, shared_legend


def gradient_error(rows: Sequence[Comparison]) -> Figure:
    """The largest ‖ĥ_i - ∇_{θ_i}J‖ over agents and policies, for each weight family and κ; lines: the two bounds."""
    instances = names(rows)
    figure, grid = panels(instances)
    families = list(dict.fromkeys(row.case for row in rows))
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for place, family in enumerate(families):
            marker = FAMILY_MARKERS[family]
            draw_largest(axes, own, family, marker, offset(place, len(families)))
        for hypothesis, style, label in (
            ("worst case", "--", r"$cL_i\rho^{\kappa+1}/(1-\gamma)$, worst case over policies"),
            ("own hypothesis", ":", "with the measured decay gap and score norm"),
        ):
            dashed_bound(axes, [row for row in own if row.hypothesis == hypothesis and row.right > 0], label, style)
        integer_axis(axes, own)
    for family in families:
        grid[0].plot([], [], FAMILY_MARKERS[family], color=BOUND_COLOR, label=f"{family} weights")
    outer_labels(figure, r"$\kappa$", r"$\max_i\,\|\hat h_i - \nabla_{\theta_i} J\|$")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"lemma4": (Comparison, gradient_error)}
