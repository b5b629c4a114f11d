"""Lemma 1: how far two independent derivatives of J lie apart, against the certified error."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names


def identity(rows: Sequence[Comparison]) -> Figure:
    """One marker an agent and policy: ‖∇J by eq. (4) - ∇J by differentiation‖; dashed: the certified error."""
    instances = names(rows)
    figure = Figure(figsize=(6.4, 0.9 + 0.28 * len(instances)))
    axes = figure.subplots()
    place = {name: k for k, name in enumerate(instances)}
    smallest = min((row.left for row in rows if row.left > 0), default=1e-18)
    axes.plot(
        [max(row.left, smallest / 2) for row in rows],
        [place[row.instance] for row in rows],
        "o",
        color=KAPPA_COLORS[0],
        alpha=0.6,
        markeredgewidth=0,
        label=r"$\|\nabla_{\theta_i} J\ \mathrm{by\ (4)} - \nabla_{\theta_i} J\ \mathrm{by\ differentiation}\|$",
    )
    for name, k in place.items():
        error = max(row.error for row in rows if row.instance == name)
        axes.plot(
            [error, error], [k - 0.4, k + 0.4], "--", color=BOUND_COLOR, label="certified error" if k == 0 else None
        )
    axes.set_xscale("log")
    axes.set_yticks(range(len(instances)), instances)
    axes.invert_yaxis()
    axes.set_xlabel("difference, one marker an agent and policy")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


DRAWINGS = {"lemma1": (Comparison, identity)}
