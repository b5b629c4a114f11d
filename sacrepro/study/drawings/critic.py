"""The critic's limit, what it does to the actor, and what each step of a proof costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, ScalarFormatter

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
from sacrepro.study.drawings.panels import (
    BOUND_COLOR,
    KAPPA_COLORS,
    columns_of,
    framed,
    grid_of,
    kappa_color,
    kappa_label,
    listed,
    literal,
    log_axis,
    names,
    remark,
    swatches,
    titled,
    width_of,
)
from sacrepro.study.record.claim import Drawing
from sacrepro.study.record.comparison import Comparison, by, excess_of


def sides(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """One panel an instance: the largest left side over agents and policies, and one line a variant of the right."""
    figure, grid = titled(rows)
    for axes, own in grid:
        draw_largest(axes, own, "o", 0.0, drawing.markers)
        for k, ((hypothesis, label), style) in enumerate(zip(drawing.lines.items(), STYLES, strict=False)):
            look = {"marker": "|x+"[k - 3], "markersize": 5} if k > 2 else {}  # more dashes would be too alike
            bound_line(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), style, label, **look)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)


def critic(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """The critic's error over T, one marker an agent and policy, and in the colour of its κ the least of each bound.
    A bound above the solid line, which holds for any tables in [0, r̄/(1-γ)], says nothing.
    """
    lengths = sorted({row.case for row in rows}, key=lambda case: int(case.removeprefix("T=")))
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    figure, grid = titled(rows)
    for axes, own in grid:
        for k, kappa in enumerate(kappas):
            shift = step * (k - (len(kappas) - 1) / 2)
            mine = [row for row in own if row.kappa == kappa]
            places = [lengths.index(row.case) + shift for row in mine]
            dots(axes, places, [row.left for row in mine], kappa, label=kappa_label(kappa), alpha=0.4)
            for (hypothesis, label), line in zip(drawing.lines.items(), STYLES, strict=False):
                at = by((row for row in mine if row.hypothesis == hypothesis), "case")
                least = {T: min(row.right for row in at[length]) for T, length in enumerate(lengths) if length in at}
                bound_ticks(axes, least, line, label, shift=shift, half=0.45 * step, color=kappa_color(kappa))
        level = max(row.trivial for row in own)
        axes.axhline(level, color=BOUND_COLOR, linewidth=0.8, label=r"$\bar r/(1-\gamma)$, trivial bound")
        log_axis(axes)
        columns_of(axes, [length_label(int(T.removeprefix("T="))) for T in lengths])
    return framed(figure, r"$T$", drawing.left)


def length_label(T: int) -> str:
    """T as a tick has it: powers of ten from 10⁴ on as such."""
    power = len(str(T)) - 1
    return rf"$10^{power}$" if power > 3 and 10**power == T else str(T)


# Entries of Q̂_i over κ: what the neighborhood asks for, what an episode writes, and the joint table.

#: Marker, shift along κ and label of what is counted.
COUNTED = {"table": ("o", -0.15, r"entries of $\hat Q_i$"), "written": ("x", 0.15, "written by an episode")}


def complexity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Circles: entries of Q̂_i; crosses: those that an episode wrote; dashed (SA)^{f(κ)}, dotted the joint table."""
    figure, grid = titled(rows)
    for axes, own in grid:
        for hypothesis, (marker, shift, label) in COUNTED.items():
            for kappa, at in sorted(by(own, "kappa").items()):
                left = sorted({row.left for row in at if row.hypothesis == hypothesis})
                axes.plot([kappa + shift] * len(left), left, marker, color=kappa_color(kappa), label=label, alpha=0.6)
        for (hypothesis, label), line in zip(drawing.lines.items(), STYLES, strict=False):
            bound_ticks(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), line, label)
        log_axis(axes)
        integer_axis(axes, max(row.kappa for row in own))
    return framed(figure, r"$\kappa$", drawing.left)


# Assumption 3 and what it costs in Theorem 5: σ over τ and κ, the T of (8), and both sides of (9).


def assumption3(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """σ(τ) = min_i σ_i(τ) over τ, one colour a κ, the least over policies; dashed: the floor from local kernels."""
    ((hypothesis, label),) = drawing.lines.items()
    figure, grid = titled(rows)
    kappas = sorted({row.kappa for row in rows})
    step = 0.9 / len(kappas)
    for axes, instance in grid:
        own = [row for row in instance if row.hypothesis == hypothesis]
        taus = list(by(own, "case"))
        for kappa, at in sorted(by(own, "kappa").items()):
            chosen = {taus.index(tau): group for tau, group in by(at, "case").items()}
            sigma = {k: min(row.right for row in chosen[k]) for k in sorted(chosen)}
            floor = {k: min(row.left for row in chosen[k]) for k in sorted(chosen)}
            shift = step * (kappas.index(kappa) - (len(kappas) - 1) / 2)
            shown = [k for k in sigma if sigma[k] > 0]
            dots(axes, [k + shift for k in shown], [sigma[k] for k in shown], kappa, label=kappa_label(kappa))
            positive = {k: value for k, value in floor.items() if value > 0}
            bound_ticks(axes, positive, "--", label, half=0.48, color=kappa_color(kappa))
        if any(row.right > 0 for row in own):
            log_axis(axes)
        else:
            remark(axes, r"$\sigma(\tau) = 0$")
        columns_of(axes, [literal(tau.removeprefix("τ=")) for tau in taus])
    return framed(figure, r"$\tau$", drawing.left)


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
    return framed(figure, more=swatches({row.kappa for row in shown}))


def against_right(axes: Axes, place: int, rows: Sequence[Comparison]) -> None:
    """Both sides of one variant on one instance, one line a κ, and the trivial bound if there is one."""
    kappas = by(rows, "kappa")
    step = 0.84 / max(len(kappas), 1)
    for k, (kappa, own) in enumerate(sorted(kappas.items())):
        height = place + step * (k - (len(kappas) - 1) / 2)
        # What ‖∇J‖² may be off is of its size; what the T of (8) may be off is of the size of T.
        left = sorted({row.left for row in own if row.left > row.error or row.hypothesis == "T of (8)"})
        dots(axes, left, [height] * len(left), kappa, label="left side", alpha=0.6, markersize=3.5)
        right = sorted({row.right for row in own})
        ends = dict.fromkeys((right[0], right[-1]))
        axes.plot([*ends], [height] * len(ends), "|", color=kappa_color(kappa), label="right side")
    if rows and not any(row.left > row.error for row in rows) and rows[0].hypothesis != "T of (8)":
        level = min(min(row.right, row.trivial) for row in rows)
        note: dict[str, Any] = {"textcoords": "offset points", "ha": "left", "va": "center", "fontsize": 7}
        axes.annotate("0 up to the certificate", (level, place), (4, 0), **note)
    trivial = {row.trivial for row in rows if row.trivial < float("inf")}
    for level in sorted(trivial):
        axes.plot([level] * 2, [place - 0.45, place + 0.45], color=BOUND_COLOR, linewidth=0.9, label="holds at every θ")


#: The inequality whose steps bear no prefix.
FIRST = "lemma4"


def anatomy(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """right/left of every step over instances, policies, agents and weights, one colour a κ; 1 is free."""
    parts: dict[str, list[str]] = {}
    for step in by(rows, "hypothesis"):
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
    return framed(figure, drawing.left)


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


# Lemma 1: how far two independent derivatives of J lie apart, against the certified error.


def identity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """One marker an agent and policy: ‖∇J by eq. (4) - ∇J by differentiation‖; dashed: the certified error.
    Differences that are 0 in floating point stand in a column of their own.
    """
    groups = by(rows, "instance")
    figure, (zero, axes) = listed([*groups], row=0.26, width=5.2, shares=(1, 14))
    for k, own in enumerate(groups.values()):
        left = sorted({row.left for row in own})
        for where, x in ((zero, [0.0 for value in left if value == 0]), (axes, [value for value in left if value > 0])):
            where.plot(x, [k] * len(x), "o", color=KAPPA_COLORS[0], alpha=0.6, markeredgewidth=0, label=drawing.markers)
        error = max(row.error for row in own)
        axes.plot([error, error], [k - 0.4, k + 0.4], "--", color=BOUND_COLOR, label="certified error")
    columns_of(zero, ["0"])
    log_axis(axes, "x")
    return framed(figure, drawing.left)


# Where the bounds say something: from which κ on each is below the trivial one, and by what factor it misses that.

#: Marker, colour and vertical shift of each variant; once more for those that are hollow.
LOOKS = (
    ("X", KAPPA_COLORS[5], -0.26),
    ("D", KAPPA_COLORS[3], -0.13),
    ("s", KAPPA_COLORS[1], 0.0),
    ("^", KAPPA_COLORS[2], 0.13),
    ("o", KAPPA_COLORS[0], 0.26),
)


def vacuity(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Left: the κ from which on bound/trivial bound is below 1, bars for every κ under the diameter; right: that ratio.

    One marker a variant, hollow beside the sharper trivial bound. Lemma 4 is shown for the agent where it is first, and
    every ratio at the κ where it is least.
    """
    groups = by(rows, "instance")
    figure, (needed, excess) = listed([*groups], row=0.34, width=6.0, shares=(3, 2))
    for place, own in enumerate(groups.values()):
        last = max(row.kappa for row in own)
        needed.barh(place, last + 0.8, left=-0.4, height=0.7, color="#d9d9d9", label=None if place else OWN)
        for k, hypothesis in enumerate(drawing.lines):
            label = drawing.lines[hypothesis] if k < len(LOOKS) else ""
            for axes, x in (
                (needed, first(own, hypothesis)),
                (excess, excess_of([row for row in own if row.hypothesis == hypothesis])),
            ):
                mark(axes, place, LOOKS[k % len(LOOKS)], label, x)
    needed.axvline(-0.4, color=BOUND_COLOR, linewidth=0.6)
    needed.set_xscale("symlog", linthresh=10, linscale=1.5)
    needed.set_xticks([0, 2, 4, 6, 8, 10, 20, 50, 100, 200])
    needed.xaxis.set_minor_locator(NullLocator())
    needed.xaxis.set_major_formatter(ScalarFormatter())
    needed.set_xlim(left=-0.4)
    needed.set_xlabel(drawing.left)
    excess.axvline(1.0, color=BOUND_COLOR, linestyle="--")
    log_axis(excess, "x")
    excess.set_xlabel("bound / trivial bound, least here")
    hollow = Line2D([], [], linestyle="", marker="o", color=BOUND_COLOR, fillstyle="none")
    return framed(figure, more={r"hollow: beside the sharper $\|\nabla J\|$": hollow})


def mark(axes: Axes, place: int, look: tuple[str, str, float], label: str, x: float) -> None:
    """The marker of a variant, hollow without a label, unless there is nothing to mark."""
    marker, color, shift = look
    if math.isnan(x):
        return
    if label:
        axes.plot([x], [place + shift], marker, color=color, markeredgewidth=0, label=label)
    else:
        axes.plot([x], [place + shift], marker, color=color, fillstyle="none", markeredgewidth=0.8)


def first(rows: Sequence[Comparison], hypothesis: str) -> float:
    """The κ from which on the variant says something, for the agent where it is least; nan if it never does."""
    found = [row.case.removeprefix(FROM) for row in rows if row.hypothesis == hypothesis]
    return min((int(kappa) for kappa in found if kappa.isdigit()), default=math.nan)


#: How `case` begins, and the label of the bars.
FROM, OWN = "from κ=", r"$\kappa$ under the diameter"
