"""Assumption 3 and what it costs in Theorem 5: σ over τ and κ, and the T of (8) over κ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, shared_legend


def assumption3(rows: Sequence[Comparison]) -> Figure:
    """σ(τ) = min_i σ_i(τ) over τ, one colour a κ, the least over policies; dashed: the floor from local kernels."""
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name and row.hypothesis == "floor"]
        taus = list(dict.fromkeys(row.case for row in own))
        for kappa in sorted({row.kappa for row in own}):
            chosen = [[row for row in own if row.kappa == kappa and row.case == tau] for tau in taus]
            sigma = [min(row.right for row in group) for group in chosen]
            floor = [min(row.left for row in group) for group in chosen]
            color = kappa_color(kappa)
            shown = [k for k, value in enumerate(sigma) if value > 0]
            axes.plot(shown, [sigma[k] for k in shown], "o", color=color, label=rf"$\sigma,\ \kappa={kappa}$")
            positive = [k for k, value in enumerate(floor) if value > 0]
            axes.plot(positive, [floor[k] for k in positive], "--", color=color)
        if not any(np.size(line.get_xdata()) for line in axes.get_lines()):
            axes.text(0.5, 0.5, r"$\sigma(\tau) = 0$", transform=axes.transAxes, ha="center")
        axes.set_yscale("log")
        axes.set_xticks(range(len(taus)), [tau.removeprefix("τ=") for tau in taus])
        axes.set_xlim(-0.5, len(taus) - 0.5)
    outer_labels(figure, r"$\tau$", r"$\sigma(\tau)$, least over policies and agents; dashed: floor")
    shared_legend(figure, max(grid, key=lambda axes: len(axes.get_lines())))
    return figure


def theorem5(rows: Sequence[Comparison]) -> Figure:
    """1/σ, one marker a policy, and dashed the least T that (8) admits."""
    shown = [row for row in rows if row.hypothesis == "T of (8)"]
    instances = names(shown)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in shown if row.instance == name]
        for row in own:
            axes.plot([row.kappa], [row.left], "o", color=kappa_color(row.kappa), alpha=0.5, markeredgewidth=0)
        kappas = sorted({row.kappa for row in own})
        for bound in (min, max):
            T = [bound(row.right for row in own if row.kappa == kappa) for kappa in kappas]
            axes.plot(kappas, T, "--", color=BOUND_COLOR)
        axes.set_yscale("log")
        axes.set_xticks(kappas)
        axes.set_xlim(-0.5, max(kappas) + 0.5)
    grid[0].plot([], [], "o", color=BOUND_COLOR, label=r"$1/\sigma$, one marker a policy")
    grid[0].plot([], [], "--", color=BOUND_COLOR, label="least T of (8), easiest and hardest policy")
    outer_labels(figure, r"$\kappa$", "steps of the inner loop")
    shared_legend(figure, grid[0])
    return figure


DRAWINGS = {"assumption3": (Comparison, assumption3), "theorem5": (Comparison, theorem5)}
