"""What each step of a proof costs: one mark a comparison, one line a step, one panel an inequality."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color

#: The inequality whose steps bear no prefix.
FIRST = "lemma4"


def anatomy(rows: Sequence[Comparison]) -> Figure:
    """right/left of every step over instances, policies, agents and weights, one colour a κ; 1 is free."""
    steps = list(dict.fromkeys(row.hypothesis for row in rows))
    parts: dict[str, list[str]] = {}
    for step in steps:
        parts.setdefault(inequality(step), []).append(step)
    kappas = sorted({row.kappa for row in rows})
    figure = Figure(figsize=(6.4, 0.9 + 0.32 * len(steps) + 0.3 * len(parts)))
    ratios = [len(own) + 0.6 for own in parts.values()]
    grid = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=ratios).ravel()
    for axes, (name, own) in zip(grid, parts.items(), strict=True):
        panel(axes, [row for row in rows if row.hypothesis in own], own, kappas)
        axes.set_title(name)
    for kappa in kappas:
        grid[0].plot([], [], "|", color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
    figure.supxlabel("factor that a step costs; their product is right/left of the inequality", fontsize=9)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(kappas))
    return figure


def inequality(step: str) -> str:
    """The inequality that a step belongs to."""
    return step.split(": ")[0] if ": " in step else FIRST


def panel(axes: Axes, rows: Sequence[Comparison], steps: Sequence[str], kappas: Sequence[int]) -> None:
    """The steps of one inequality."""
    for kappa in kappas:
        shift = 0.12 * (kappa - (len(kappas) - 1) / 2)
        for place, step in enumerate(steps):
            chosen = [row for row in rows if row.hypothesis == step and row.kappa == kappa and row.left > row.error]
            cost = [row.right / row.left for row in chosen]
            heights = [place + shift] * len(cost)
            axes.plot(cost, heights, "|", color=kappa_color(kappa), alpha=0.4, rasterized=True)
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR)
    axes.set_xscale("log")
    axes.set_yticks(range(len(steps)), [step.split(": ")[-1] for step in steps])
    axes.set_ylim(len(steps) - 0.5, -0.5)


DRAWINGS = {"anatomy": (Comparison, anatomy)}
