"""The least ρ of Definition 2 for each instance: what policies ask for, and what holds for every policy."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.panels import frame, listed
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names

#: Marker, colour and label of the policies; line and label of the bounds.
POLICIES = {
    "given": ("o", KAPPA_COLORS[0], "given policies"),
    "worst": ("X", KAPPA_COLORS[5], "worst policy found"),
}
BOUNDS = {"influence matrix": (":", "influence matrix, every policy"), "Lemma 3": ("--", r"$\gamma$, Lemma 3")}


def rates(rows: Sequence[Comparison]) -> Figure:
    """Markers: given policies and the worst found; dashed ticks: the influence matrix's ρ and γ."""
    instances = names(rows)
    figure, (axes,) = listed(instances, row=0.28, width=5.2)
    for k, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        for case, (marker, color, label) in POLICIES.items():
            rho = sorted({row.left for row in own if row.case.startswith(case)})
            axes.plot(rho, [k] * len(rho), marker, color=color, alpha=0.6, markeredgewidth=0, label=label)
        for hypothesis, (style, label) in BOUNDS.items():
            right = max(row.right for row in own if row.hypothesis == hypothesis)
            axes.plot([right, right], [k - 0.4, k + 0.4], style, color=BOUND_COLOR, label=label)
    axes.set_xlim(-0.02, 1.02)
    frame(
        figure,
        r"least $\rho$ with $c\,\rho^{\kappa+1} \geq D_i(\kappa)$ for all $i$, $\kappa$, at $c = \bar r/(1-\gamma)$",
    )
    return figure


DRAWINGS = {"definition2": (Comparison, rates)}
