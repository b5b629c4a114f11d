"""Assumption 3 and what it costs in Theorem 5: σ over τ and κ, the T of (8), and both sides of (9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import bound_ticks, dots
from sacrepro.plotting.panels import frame, listed, log_axis, remark, swatches, titled
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, kappa_label, literal, names


def assumption3(rows: Sequence[Comparison]) -> Figure:
    """σ(τ) = min_i σ_i(τ) over τ, one colour a κ, the least over policies; dashed: the floor from local kernels."""
    instances = names(rows)
    figure, grid = titled(instances)
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name and row.hypothesis == "floor"]
        taus = list(dict.fromkeys(row.case for row in own))
        for kappa in sorted({row.kappa for row in own}):
            chosen = [[row for row in own if row.kappa == kappa and row.case == tau] for tau in taus]
            sigma = {k: min(row.right for row in group) for k, group in enumerate(chosen) if group}
            floor = {k: min(row.left for row in group) for k, group in enumerate(chosen) if group}
            shift = step * (kappas.index(kappa) - (len(kappas) - 1) / 2)
            shown = [k for k in sigma if sigma[k] > 0]
            dots(axes, [k + shift for k in shown], [sigma[k] for k in shown], kappa, label=kappa_label(kappa))
            positive = {k: value for k, value in floor.items() if value > 0}
            bound_ticks(axes, positive, "--", "floor", half=0.48, color=kappa_color(kappa))
        if any(row.right > 0 for row in own):
            log_axis(axes)
        else:
            remark(axes, r"$\sigma(\tau) = 0$")
        axes.set_xticks(range(len(taus)), [literal(tau.removeprefix("τ=")) for tau in taus])
        axes.set_xlim(-0.5, len(taus) - 0.5)
    frame(figure, r"$\tau$", r"$\sigma(\tau)$, least over policies and agents")
    return figure


#: The readings of Theorem 5 that are drawn, and their titles.
PARTS = {
    "T of (8)": r"$1/\sigma$ and the least $T$ of (8)",
    "(9)": r"(9): $\|\nabla J(\theta)\|^2$",
    "(9) along runs": "(9) along runs: its weighted mean",
}


def theorem5(rows: Sequence[Comparison]) -> Figure:
    """One line a κ, from above: markers are left sides, ticks beside them the easiest and the hardest right side.
    First 1/σ and the T of (8), then (9) at given policies and along runs of Algorithm 1. The solid tick is what
    holds at every θ: a right side beyond it says nothing. Where σ is 0 or not computed there is no (8).
    """
    shown = [row for row in rows if row.hypothesis in PARTS]
    parts = [part for part in PARTS if any(row.hypothesis == part for row in shown)]
    instances = names(shown)
    most = max((len({row.kappa for row in shown if row.instance == name}) for name in instances), default=1)
    figure, grid = listed(instances, row=0.1 + 0.07 * most, width=2.6 * len(parts), shares=[1] * len(parts), titles=1)
    for axes, part in zip(grid, parts, strict=True):
        axes.set_title(PARTS[part])
        for place, name in enumerate(instances):
            own = [row for row in shown if (row.hypothesis, row.instance) == (part, name)]
            against_right(axes, place, own)
        log_axis(axes, "x")
    frame(figure, more=swatches({row.kappa for row in shown}))
    return figure


def against_right(axes: Axes, place: int, rows: Sequence[Comparison]) -> None:
    """Both sides of one reading on one instance, one line a κ, and the trivial bound if there is one."""
    kappas = sorted({row.kappa for row in rows})
    step = 0.84 / max(len(kappas), 1)
    for k, kappa in enumerate(kappas):
        own = [row for row in rows if row.kappa == kappa]
        height = place + step * (k - (len(kappas) - 1) / 2)
        # What ‖∇J‖² may be off is of its size; what the T of (8) may be off is of the size of T.
        left = sorted({row.left for row in own if row.left > row.error or row.hypothesis == "T of (8)"})
        dots(axes, left, [height] * len(left), kappa, label="left side", alpha=0.6, markersize=3.5)
        right = sorted({row.right for row in own})
        ends = dict.fromkeys((right[0], right[-1]))
        axes.plot([*ends], [height] * len(ends), "|", color=kappa_color(kappa), label="right side")
    if rows and not any(row.left > row.error for row in rows) and rows[0].hypothesis != "T of (8)":
        level = min(min(row.right, row.trivial) for row in rows)
        note: dict[str, Any] = {
            "textcoords": "offset points",
            "xytext": (4, 0),
            "ha": "left",
            "va": "center",
            "fontsize": 7,
        }
        axes.annotate("0 up to the certificate", (level, place), **note)
    trivial = {row.trivial for row in rows if row.trivial < float("inf")}
    for level in sorted(trivial):
        axes.plot([level] * 2, [place - 0.45, place + 0.45], color=BOUND_COLOR, linewidth=0.9, label="holds at every θ")


DRAWINGS = {"assumption3": (Comparison, assumption3), "theorem5": (Comparison, theorem5)}
