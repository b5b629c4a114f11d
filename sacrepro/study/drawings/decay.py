"""How a quantity decays or grows with κ: what is measured, and bounds, on a log axis or one panel an instance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sacrepro.study.drawings.panels import (
    BOUND_COLOR,
    KAPPA_COLORS,
    framed,
    kappa_color,
    kappa_marker,
    listed,
    literal,
    log_axis,
    remark,
    swatches,
    titled,
)
from sacrepro.study.measures.truncation import FAMILIES, WORST
from sacrepro.study.record.claim import Drawing
from sacrepro.study.record.comparison import Comparison, by

#: Marker of each weight family of eq. (6).
FAMILY_MARKERS = dict(zip((*FAMILIES, WORST), "osD^vX*P", strict=True))

#: Half of the width of a bound at one κ: markers of this κ stand within it, none of another does.
HALF = 0.42


#: Line style of the first, second, … bound of a figure.
STYLES = ("--", ":", "-.", (0, (5, 1)), (0, (1, 3)), (0, (3, 1, 1, 1)))


#: Marker of the first, second, … policy.
POLICY_MARKERS = ("o", "^", "D", "v", "s")


def policies_of(rows: Iterable[Any]) -> dict[str, str]:
    """The marker of each policy, in order of appearance."""
    return dict(zip(dict.fromkeys(row.policy for row in rows), itertools.cycle(POLICY_MARKERS), strict=False))


def markers(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Every left side above its error, policies side by side, and one bound at each κ."""
    policies = policies_of(rows)
    figure, grid = titled(rows)
    (label,) = drawing.lines.values()
    for axes, own in grid:
        for kappa, at in sorted(by(own, "kappa").items()):
            for place, (policy, marker) in enumerate(policies.items()):
                left = apart(row.left for row in at if row.policy == policy and row.left > row.error)
                x = [kappa + 0.6 * ((place + 0.5) / len(policies) - 0.5)] * len(left)
                dots(axes, x, left, kappa, marker, label=f"{drawing.markers}, {literal(policy)} policy", alpha=0.5)
        bound_ticks(axes, largest_right(own), "--", label)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)


def families(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """The largest left side at each κ for each weight family, side by side, below the bounds at that κ."""
    figure, grid = titled(rows)
    cases = list(dict.fromkeys(row.case for row in rows))
    for axes, own in grid:
        for place, case in enumerate(cases):
            chosen = [row for row in own if row.case == case]
            shift = 2 * (HALF - 0.06) * ((place + 0.5) / len(cases) - 0.5)
            draw_largest(axes, chosen, FAMILY_MARKERS[case], shift, label=f"{case} weights")
        for (hypothesis, label), style in zip(drawing.lines.items(), STYLES, strict=False):
            bound_ticks(axes, largest_right([row for row in own if row.hypothesis == hypothesis]), style, label)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)


def dots(axes: Axes, x: Sequence[float], y: Sequence[float], kappa: int, marker: str = "o", **look: Any) -> None:
    """Markers in κ's colour."""
    axes.plot(x, y, marker, color=kappa_color(kappa), markeredgewidth=0, **look)


def apart(values: Iterable[float]) -> list[float]:
    """Values that a reader can tell apart, sorted: what differs in the last digits is one marker on every machine."""
    return sorted({float(f"{value:.6g}") for value in values})


def draw_largest(axes: Axes, rows: Sequence[Comparison], marker: str, shift: float, label: str) -> None:
    """The largest left side at each κ, in κ's colour, where it exceeds its error."""
    for kappa, own in sorted(by(rows, "kappa").items()):
        left = [row.left for row in own if row.left > row.error]
        dots(axes, [kappa + shift] * bool(left), [max(left)] if left else [], kappa, marker, label=label)


def largest_right(rows: Sequence[Comparison]) -> dict[int, float]:
    """The largest right side at each κ, where it exceeds the certificate."""
    at = sorted(by(rows, "kappa").items())
    heights = {kappa: (max(row.right for row in own), max(row.error for row in own)) for kappa, own in at}
    return {kappa: right for kappa, (right, error) in heights.items() if right > error}


def bound_ticks(
    axes: Axes,
    heights: Mapping[Any, float],
    style: Any,
    label: str,
    *,
    shift: float = 0.0,
    half: float = HALF,
    color: str = BOUND_COLOR,
) -> None:
    """A bound at each κ alone: a level line as wide as the markers of this κ stand apart, and none between two κ."""
    x = [edge for kappa in heights for edge in (kappa + shift - half, kappa + shift + half, math.nan)]
    y = [edge for height in heights.values() for edge in (height, height, math.nan)]
    axes.plot(x, y, linestyle=style, color=color, label=label)


def bound_line(axes: Axes, heights: Mapping[int, float], style: Any, label: str, **look: Any) -> None:
    """A bound over κ where all markers stand at their κ; a level line where there is one κ."""
    if len(heights) == 1:
        bound_ticks(axes, heights, style, label)
    else:
        axes.plot([*heights], [*heights.values()], linestyle=style, color=BOUND_COLOR, label=label, **look)


def kappa_axis(axes: Axes, rows: Sequence[Comparison]) -> None:
    """A log axis over integer κ, with a word where every left side at a κ is 0 up to its certified error."""
    log_axis(axes)
    integer_axis(axes, max(row.kappa for row in rows))
    shown = {row.kappa for row in rows if row.left > row.error}
    zero_remark(axes, {row.kappa for row in rows} - shown, shown)


def integer_axis(axes: Axes, largest: int) -> None:
    """Ticks at κ = 0, …, `largest`, or at some of them."""
    axes.set_xticks(range(0, largest + 1, 1 + largest // 7))
    axes.set_xlim(-0.5, largest + 0.5)


def zero_remark(axes: Axes, zero: Iterable[int], shown: Iterable[int]) -> None:
    """That nothing is above the certificate, for all κ of a panel or for some; `shown` are those with a marker."""
    some, least = sorted(zero), max(shown, default=-1)
    if some and least < 0:
        remark(axes, "0 up to the certificate")
    elif len(some) > 1 and some[0] > least:
        remark(axes, rf"$\kappa \geq {some[0]}$: 0 up to the certificate")
    elif some:
        remark(axes, rf"$\kappa = {', '.join(map(str, some))}$: 0 up to the certificate")


# The least ρ of Definition 2 for each instance: what policies ask for, and what holds for every policy.


def rates(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Markers: given policies and the worst found; ticks: the influence matrix's ρ, γ, and where it is known within 1 %
    of D the least ρ of all policies.
    """
    groups, policies = by(rows, "instance"), policies_of(rows)
    figure, (axes,) = listed([*groups], row=0.28, width=5.2)
    for k, own in enumerate(groups.values()):
        shown = [("given", policy, marker, KAPPA_COLORS[0], f"{policy} policy") for policy, marker in policies.items()]
        shown += [("worst", policy, "X", KAPPA_COLORS[5], "worst policy found") for policy in policies]
        for case, policy, marker, color, label in shown:
            rho = apart(row.left for row in own if row.case.startswith(case) and row.policy == policy)
            axes.plot(rho, [k] * len(rho), marker, color=color, alpha=0.6, markeredgewidth=0, label=literal(label))
        for (hypothesis, label), style in zip(drawing.lines.items(), (":", "--", "-"), strict=True):
            if right := [row.right for row in own if row.hypothesis == hypothesis]:
                axes.plot([max(right)] * 2, [k - 0.4, k + 0.4], style, color=BOUND_COLOR, label=label)
    axes.set_xlim(-0.02, 1.02)
    return framed(figure, drawing.left)


#: Where a variant has stars of its own: how far left of κ the dots stand, and right of it the stars; their bound is a
#: solid tick from the stars to as far as `HALF`, so that it is right of the dots, which it does not bound.
DOTTED, STARRED = 0.2, 0.24


def lines(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Every left side above its error as a marker, and the largest right side of each variant as a line.

    Stars stand to the right of the other markers, with a solid tick.
    """
    policies, starred = policies_of(rows), drawing.starred or None
    figure, grid = titled(rows)
    for axes, own in grid:
        for kappa, at in sorted(by(own, "kappa").items()):
            shown = [row for row in at if row.left > row.error]
            stars = apart(row.left for row in shown if row.hypothesis == starred)
            place = kappa - DOTTED * (starred is not None)
            for policy, marker in policies.items():
                plain = [left for left in apart(row.left for row in shown if row.policy == policy) if left not in stars]
                label = f"{literal(policy)} policy" if len(policies) > 1 else drawing.markers
                dots(axes, [place] * len(plain), plain, kappa, marker, label=label, alpha=0.5)
            dots(axes, [kappa + STARRED] * len(stars), stars, kappa, "*", label=starred, alpha=0.5)
        for (hypothesis, label), style in zip(drawing.lines.items(), STYLES, strict=False):
            heights = largest_right([row for row in own if row.hypothesis == hypothesis])
            if starred is None:
                bound_line(axes, heights, style, label, marker="_")
            elif hypothesis == starred:
                bound_ticks(axes, heights, "-", label, shift=STARRED, half=HALF - STARRED)
            else:
                bound_ticks(axes, heights, style, label)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)


def cone(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Over T: D_i(κ) as markers between the ends of its interval, for the agent and policy whose D_i(κ) is largest.
    A lower end at 0 is left out.

    κ above `MOST_KAPPA` would hide the others.
    """
    upper_end, lower_end = drawing.lines
    ends = [row for row in rows if row.hypothesis in drawing.lines and row.kappa <= MOST_KAPPA]
    figure, grid = titled(ends)
    for axes, own in grid:
        zero = set()
        for kappa, at in sorted(by(own, "kappa").items()):
            widest = max((row for row in at if row.hypothesis == upper_end), key=lambda row: row.left)
            same = [row for row in at if (row.policy, row.agent) == (widest.policy, widest.agent)]
            above = {horizon(row): row for row in same if row.hypothesis == upper_end}
            below = {horizon(row): row.left for row in same if row.hypothesis == lower_end and row.left > row.error}
            right, color = [row.right for row in above.values()], kappa_color(kappa)
            axes.plot([*above], right, "--", color=color, label="upper end")
            axes.plot([*below], [*below.values()], ":", color=color, label="lower end")
            shown = {T: row.left for T, row in above.items() if row.left > row.error}
            dots(axes, [*shown], [*shown.values()], kappa, kappa_marker(kappa), label=drawing.markers, alpha=0.7)
            zero |= set() if shown else {kappa}
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
        log_axis(axes)
        zero_remark(axes, zero, {row.kappa for row in own} - zero)
    return framed(figure, r"horizon $T$", drawing.left, swatches({row.kappa for row in ends}, marked=True))


def horizon(row: Comparison) -> int:
    """T of a row of the light cone."""
    return int(row.case.removeprefix("T="))


#: The largest κ for which the interval of the light cone is drawn.
MOST_KAPPA = 3


def guarantee(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """What Algorithm 1 is guaranteed and what it achieves: the mean of ‖∇J(θ(m))‖² along TD's limit, over runs
    and along one, each below its bound with the squared bias, and the solid line that holds at every θ.
    """
    figure, grid = titled(rows)
    for axes, own in grid:
        for variant, marker, shift, style, label in RUNS:
            shown = [row for row in own if row.hypothesis == variant]
            for row in shown:
                # What a mean over seeds or draws may be off is no rounding of its left side.
                certificate = 1e-12 * row.right if variant in ("as run", "one run") else row.error
                left = [row.left] if row.left > certificate and marker else []
                dots(axes, [row.kappa + shift] * len(left), left, row.kappa, marker or "o", label=label)
            heights = largest_right(shown)
            bound_ticks(axes, heights, style, drawing.lines[variant], shift=shift, half=0.14)
        trivial = {row.kappa: row.trivial for row in own}
        bound_ticks(axes, trivial, "-", "holds at every θ", half=0.5)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)


#: Variant, marker of its left side (the second has that of the first), place beside κ, bound's style, label.
RUNS = (
    ("TD's limit", "o", -0.3, "--", "along TD's limit"),
    ("TD's limit, any policy", "", -0.3, ":", ""),
    ("as run", "s", 0.0, "-.", "along Algorithm 1, mean over seeds"),
    ("one run", "^", 0.3, (0, (3, 1, 1, 1, 1, 1)), "along one long run"),
)


# D_i(κ) of action-coupled models, for rewards of radius 0 and 1, each under its own bound.

#: Marker, shift along κ, line style and legend of the markers, for each variant.
VARIANTS = {
    "D, kernels": ("o", -0.2, "--", r"rewards $r_i(s_i, a_i)$"),
    "D, rewards": ("^", 0.2, ":", r"rewards $r_i(s_{N_i}, a_{N_i})$"),
}


def radii(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Every D_i(κ) above its error as a marker, below the bound of its own rewards; the relay lies on the bounds."""
    figure, grid = titled([row for row in rows if row.hypothesis in VARIANTS])
    for axes, own in grid:
        for hypothesis, (marker, shift, style, label) in VARIANTS.items():
            shown = [row for row in own if row.hypothesis == hypothesis]
            for kappa, at in sorted(by(shown, "kappa").items()):
                left = apart(row.left for row in at if row.left > row.error)
                dots(axes, [kappa + shift] * len(left), left, kappa, marker, label=label, alpha=0.5)
            bound_ticks(axes, largest_right(shown), style, drawing.lines[hypothesis], shift=shift, half=0.18)
        kappa_axis(axes, own)
    return framed(figure, r"$\kappa$", drawing.left)
