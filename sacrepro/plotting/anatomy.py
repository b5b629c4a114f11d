"""What each step of Lemma 4's proof costs: one mark a comparison, one row a step."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color


def anatomy(rows: Sequence[Comparison]) -> Figure:
    """right/left of every step over instances, policies, agents and weights, one colour a κ; 1 is free."""
    steps = list(dict.fromkeys(row.hypothesis for row in rows))
    kappas = sorted({row.kappa for row in rows})
    figure = Figure(figsize=(6.4, 0.9 + 0.5 * len(steps)))
    axes = figure.subplots()
    for kappa in kappas:
        shift = 0.12 * (kappa - (len(kappas) - 1) / 2)
        for place, step in enumerate(steps):
            chosen = [row for row in rows if row.hypothesis == step and row.kappa == kappa and row.left > row.error]
            cost = [row.right / row.left for row in chosen]
            heights = [place + shift] * len(cost)
            axes.plot(cost, heights, "|", color=kappa_color(kappa), alpha=0.4, rasterized=True)
        axes.plot([], [], "|", color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR)
    axes.set_xscale("log")
    axes.set_yticks(range(len(steps)), steps)
    axes.invert_yaxis()
    axes.set_xlabel("factor that the step costs; their product is right/left of Lemma 4")
    figure.legend(loc="outside upper center", ncols=len(kappas))
    return figure


DRAWINGS = {"anatomy": (Comparison, anatomy)}
