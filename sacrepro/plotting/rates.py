"""The least ρ of Definition 2 for each instance: what policies ask for, and what holds for every policy."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names


def rates(rows: Sequence[Comparison]) -> Figure:
    """Markers: given policies and the worst found; dashed ticks: the influence matrix's ρ and γ."""
    instances = names(rows)
    figure = Figure(figsize=(6.4, 0.9 + 0.3 * len(instances)))
    axes = figure.subplots()
    for k, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        given = [row.left for row in own if row.case.startswith("given")]
        worst = [row.left for row in own if row.case.startswith("worst")]
        axes.plot(given, [k] * len(given), "o", color=KAPPA_COLORS[0], alpha=0.5, markeredgewidth=0)
        axes.plot(worst, [k] * len(worst), "X", color=KAPPA_COLORS[5], markeredgewidth=0)
        for hypothesis, style in (("influence matrix", ":"), ("Lemma 3", "--")):
            right = max(row.right for row in own if row.hypothesis == hypothesis)
            axes.plot([right, right], [k - 0.4, k + 0.4], style, color=BOUND_COLOR)
    axes.plot([], [], "o", color=KAPPA_COLORS[0], label="given policies")
    axes.plot([], [], "X", color=KAPPA_COLORS[5], label="worst policy found")
    axes.plot([], [], ":", color=BOUND_COLOR, label="influence matrix, every policy")
    axes.plot([], [], "--", color=BOUND_COLOR, label=r"$\gamma$, Lemma 3")
    axes.set_yticks(range(len(instances)), instances)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel(
        r"least $\rho$ with $c\,\rho^{\kappa+1} \geq D_i(\kappa)$ for all $i$, $\kappa$, at $c = \bar r/(1-\gamma)$"
    )
    figure.legend(loc="outside upper center", ncols=2)
    return figure


DRAWINGS = {"definition2": (Comparison, rates)}
