"""The critic's limit and what it does to the actor: the largest left side at each κ, and every right side as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.study.drawings.decay import (
    STYLES,
    bound_line,
    bound_ticks,
    dots,
    draw_largest,
    integer_axis,
    kappa_axis,
    largest_right,
)
from sacrepro.study.drawings.panels import frame, listed, log_axis, remark, swatches, titled
from sacrepro.study.drawings.style import BOUND_COLOR, kappa_color, kappa_label, literal, names
from sacrepro.study.record.claim import Drawing
from sacrepro.study.record.comparison import Comparison


def sides(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """One panel an instance: the largest left side over agents and policies, and one line a variant of the right."""
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        draw_largest(axes, own, "o", 0.0, drawing.markers)
        for (hypothesis, label), style in zip(drawing.lines.items(), STYLES, strict=False):
            bound_line(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), style, label)
        kappa_axis(axes, own)
    frame(figure, r"$\kappa$", drawing.left)
    return figure


def critic(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """The critic's error over T, one marker an agent and policy, and in the colour of its κ the least of each bound.
    A bound above the solid line, which holds for any tables in [0, r̄/(1-γ)], says nothing.
    """
    instances = names(rows)
    lengths = sorted({row.case for row in rows}, key=lambda case: int(case.removeprefix("T=")))
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for k, kappa in enumerate(kappas):
            shift = step * (k - (len(kappas) - 1) / 2)
            mine = [row for row in own if row.kappa == kappa]
            places = [lengths.index(row.case) + shift for row in mine]
            dots(axes, places, [row.left for row in mine], kappa, label=kappa_label(kappa), alpha=0.4)
            for (hypothesis, label), line in zip(drawing.lines.items(), STYLES, strict=False):
                said = [row for row in mine if row.hypothesis == hypothesis]
                at = {T: [row.right for row in said if row.case == length] for T, length in enumerate(lengths)}
                heights = {T: min(right) for T, right in at.items() if right}
                bound_ticks(axes, heights, line, label, shift=shift, half=0.45 * step, color=kappa_color(kappa))
        level = max(row.trivial for row in own)
        axes.axhline(level, color=BOUND_COLOR, linewidth=0.8, label=r"$\bar r/(1-\gamma)$, trivial bound")
        log_axis(axes)
        axes.set_xticks(range(len(lengths)), [literal(T.removeprefix("T=")) for T in lengths])
        axes.set_xlim(-0.5, len(lengths) - 0.5)
    frame(figure, r"$T$", drawing.left)
    return figure


# Entries of Q̂_i over κ: what the neighborhood asks for, what an episode writes, and the joint table.

#: Marker, shift along κ and label of what is counted.
COUNTED = {"table": ("o", -0.15, r"entries of $\hat Q_i$"), "written": ("x", 0.15, "written by an episode")}


def complexity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Circles: entries of Q̂_i; crosses: those that an episode wrote; dashed (SA)^{f(κ)}, dotted the joint table."""
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for hypothesis, (marker, shift, label) in COUNTED.items():
            for kappa in sorted({row.kappa for row in own}):
                chosen = (row for row in own if (row.hypothesis, row.kappa) == (hypothesis, kappa))
                left = sorted({row.left for row in chosen})
                axes.plot([kappa + shift] * len(left), left, marker, color=kappa_color(kappa), label=label, alpha=0.6)
        for (hypothesis, label), line in zip(drawing.lines.items(), STYLES, strict=False):
            bound_ticks(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), line, label)
        log_axis(axes)
        integer_axis(axes, max(row.kappa for row in own))
    frame(figure, r"$\kappa$", drawing.left)
    return figure


# Assumption 3 and what it costs in Theorem 5: σ over τ and κ, the T of (8), and both sides of (9).


def assumption3(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """σ(τ) = min_i σ_i(τ) over τ, one colour a κ, the least over policies; dashed: the floor from local kernels."""
    instances = names(rows)
    ((hypothesis, label),) = drawing.lines.items()
    figure, grid = titled(instances)
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name and row.hypothesis == hypothesis]
        taus = list(dict.fromkeys(row.case for row in own))
        for kappa in sorted({row.kappa for row in own}):
            chosen = [[row for row in own if row.kappa == kappa and row.case == tau] for tau in taus]
            sigma = {k: min(row.right for row in group) for k, group in enumerate(chosen) if group}
            floor = {k: min(row.left for row in group) for k, group in enumerate(chosen) if group}
            shift = step * (kappas.index(kappa) - (len(kappas) - 1) / 2)
            shown = [k for k in sigma if sigma[k] > 0]
            dots(axes, [k + shift for k in shown], [sigma[k] for k in shown], kappa, label=kappa_label(kappa))
            positive = {k: value for k, value in floor.items() if value > 0}
            bound_ticks(axes, positive, "--", label, half=0.48, color=kappa_color(kappa))
        if any(row.right > 0 for row in own):
            log_axis(axes)
        else:
            remark(axes, r"$\sigma(\tau) = 0$")
        axes.set_xticks(range(len(taus)), [literal(tau.removeprefix("τ=")) for tau in taus])
        axes.set_xlim(-0.5, len(taus) - 0.5)
    frame(figure, r"$\tau$", drawing.left)
    return figure


def theorem5(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """One line a κ, from above: markers are left sides, ticks beside them the easiest and the hardest right side.
    First 1/σ and the T of (8), then (9) at given policies and along runs of Algorithm 1. The solid tick is what
    holds at every θ: a right side beyond it says nothing. Where σ is 0 or not computed there is no (8).
    """
    shown = [row for row in rows if row.hypothesis in drawing.lines]
    parts = [part for part in drawing.lines if any(row.hypothesis == part for row in shown)]
    instances = names(shown)
    most = max((len({row.kappa for row in shown if row.instance == name}) for name in instances), default=1)
    figure, grid = listed(instances, row=0.1 + 0.07 * most, width=2.6 * len(parts), shares=[1] * len(parts), titles=1)
    for axes, part in zip(grid, parts, strict=True):
        axes.set_title(drawing.lines[part])
        for place, name in enumerate(instances):
            own = [row for row in shown if (row.hypothesis, row.instance) == (part, name)]
            against_right(axes, place, own)
        log_axis(axes, "x")
    frame(figure, more=swatches({row.kappa for row in shown}))
    return figure


def against_right(axes: Axes, place: int, rows: Sequence[Comparison]) -> None:
    """Both sides of one variant on one instance, one line a κ, and the trivial bound if there is one."""
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


KINDS = {
    "sides": sides,
    "critic": critic,
    "complexity": complexity,
    "assumption3": assumption3,
    "theorem5": theorem5,
}
