"""What each step of a proof costs: one mark a comparison, one line a step, one panel an inequality."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.panels import frame, grid_of, log_axis
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, kappa_label, literal, width_of

#: The inequality whose steps bear no prefix.
FIRST = "lemma4"


def anatomy(rows: Sequence[Comparison]) -> Figure:
    """right/left of every step over instances, policies, agents and weights, one colour a κ; 1 is free."""
    parts: dict[str, list[str]] = {}
    for step in dict.fromkeys(row.hypothesis for row in rows):
        parts.setdefault(inequality(step), []).append(step)
    kappas = sorted({row.kappa for row in rows})
    widest = max(width_of(label(step), 8.0) for own in parts.values() for step in own)
    shares = [len(own) + 0.4 for own in parts.values()]
    figure, grid = grid_of(
        len(parts),
        1,
        4.6,
        0.32 * sum(shares) / len(parts) + 0.5,
        left=widest / 72 + 0.14,
        gap=0.0,
        sharex=True,
        height_ratios=shares,
    )
    for axes, (name, own) in zip(grid.ravel(), parts.items(), strict=True):
        panel(axes, [row for row in rows if row.hypothesis in own], own, kappas)
        axes.set_title(literal(name))
    frame(figure, "factor that a step costs; their product is right/left of the inequality")
    return figure


def inequality(step: str) -> str:
    """The inequality that a step belongs to."""
    return step.split(": ")[0] if ": " in step else FIRST


def label(step: str) -> str:
    """The name of a step within its inequality."""
    return literal(step.split(": ")[-1], 220.0, 8.0)


def panel(axes: Axes, rows: Sequence[Comparison], steps: Sequence[str], kappas: Sequence[int]) -> None:
    """The steps of one inequality."""
    for k, kappa in enumerate(kappas):
        shift = 0.7 * ((k + 0.5) / len(kappas) - 0.5)
        for place, step in enumerate(steps):
            chosen = [row for row in rows if row.hypothesis == step and row.kappa == kappa and row.left > row.error]
            cost = sorted({row.right / row.left for row in chosen})
            heights = [place + shift] * len(cost)
            axes.plot(
                cost, heights, "|", color=kappa_color(kappa), alpha=0.4, rasterized=True, label=kappa_label(kappa)
            )
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR)
    log_axis(axes, "x")
    axes.set_yticks(range(len(steps)), [label(step) for step in steps])
    axes.set_ylim(len(steps) - 0.5, -0.5)


DRAWINGS = {"anatomy": (Comparison, anatomy)}
