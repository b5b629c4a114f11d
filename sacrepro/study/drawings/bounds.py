"""One measured quantity over κ against several bounds: markers and dashed lines, one panel an instance."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sacrepro.study.drawings.decay import (
    HALF,
    STYLES,
    apart,
    bound_line,
    bound_ticks,
    dots,
    kappa_axis,
    largest_right,
    zero_remark,
)
from sacrepro.study.drawings.panels import frame, log_axis, swatches, titled
from sacrepro.study.drawings.style import kappa_color, names
from sacrepro.study.record.claim import Drawing
from sacrepro.study.record.comparison import Comparison

#: Where a variant has stars of its own: how far left of κ the dots stand, and right of it the stars; their bound is a
#: solid tick from the stars to as far as `HALF`, so that it is right of the dots, which it does not bound.
DOTTED, STARRED = 0.2, 0.24


def lines(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Every left side above its error as a marker, and the largest right side of each variant as a line.

    Stars stand to the right of the other markers, with a solid tick.
    """
    instances, starred = names(rows), drawing.starred or None
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            shown = [row for row in own if row.kappa == kappa and row.left > row.error]
            stars = apart(row.left for row in shown if row.hypothesis == starred)
            plain = [left for left in apart(row.left for row in shown) if left not in stars]
            place = kappa - DOTTED * (starred is not None)
            dots(axes, [place] * len(plain), plain, kappa, label=drawing.markers, alpha=0.5)
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
    frame(figure, r"$\kappa$", drawing.left)
    return figure


def cone(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Over T: D_i(κ) as markers between the ends of its interval, for the agent and policy whose D_i(κ) is largest.
    A lower end at 0 is left out.

    κ above `MOST_KAPPA` would hide the others.
    """
    upper_end, lower_end = drawing.lines
    ends = [row for row in rows if row.hypothesis in drawing.lines and row.kappa <= MOST_KAPPA]
    instances = names(ends)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in ends if row.instance == name]
        zero = set()
        for kappa in sorted({row.kappa for row in own}):
            upper = [row for row in own if row.kappa == kappa and row.hypothesis == upper_end]
            widest = max(upper, key=lambda row: row.left)
            same = [row for row in own if (row.kappa, *whose(row)) == (kappa, *whose(widest))]
            above = [row for row in same if row.hypothesis == upper_end]
            below = [row for row in same if row.hypothesis == lower_end and row.left > row.error]
            color = kappa_color(kappa)
            axes.plot(
                [horizon(row) for row in above], [row.right for row in above], "--", color=color, label="upper end"
            )
            axes.plot([horizon(row) for row in below], [row.left for row in below], ":", color=color, label="lower end")
            shown = [row for row in above if row.left > row.error]
            places = [horizon(row) for row in shown]
            dots(axes, places, [row.left for row in shown], kappa, label=drawing.markers, alpha=0.7)
            zero |= set() if shown else {kappa}
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
        log_axis(axes)
        zero_remark(axes, zero, {row.kappa for row in own} - zero)
    more = swatches({row.kappa for row in ends})
    frame(figure, r"horizon $T$", drawing.left, more)
    return figure


def whose(row: Comparison) -> tuple[str, int]:
    """The policy and the agent of a row."""
    return row.policy, row.agent


def horizon(row: Comparison) -> int:
    """T of a row of the light cone."""
    return int(row.case.removeprefix("T="))


#: The largest κ for which the interval of the light cone is drawn.
MOST_KAPPA = 3


def guarantee(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """What Algorithm 1 is guaranteed and what it achieves: the mean of ‖∇J(θ(m))‖² along TD's limit and along runs,
    each below its bound with the squared bias, and the solid line that holds at every θ.
    """
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for variant, marker, shift, style, label in RUNS:
            shown = [row for row in own if row.hypothesis == variant]
            for row in shown:
                # What a mean over seeds may be off is no rounding of its left side.
                certificate = 1e-12 * row.right if variant == "as run" else row.error
                left = [row.left] if row.left > certificate and marker else []
                dots(axes, [row.kappa + shift] * len(left), left, row.kappa, marker or "o", label=label)
            heights = largest_right(shown)
            bound_ticks(axes, heights, style, drawing.lines[variant], shift=shift, half=0.18)
        trivial = {row.kappa: row.trivial for row in own}
        bound_ticks(axes, trivial, "-", "holds at every θ", half=0.5)
        kappa_axis(axes, own)
    frame(figure, r"$\kappa$", drawing.left)
    return figure


#: Variant, marker of its left side (the second has that of the first), place beside κ, bound's style, label.
RUNS = (
    ("TD's limit", "o", -0.22, "--", "along TD's limit"),
    ("TD's limit, any policy", "", -0.22, ":", ""),
    ("as run", "s", 0.22, "-.", "along Algorithm 1, mean over seeds"),
)


# D_i(κ) of action-coupled models, for rewards of radius 0 and 1, each under its own bound.

#: Marker, shift along κ, line style and legend of the markers, for each variant.
VARIANTS = {
    "D, kernels": ("o", -0.2, "--", r"rewards $r_i(s_i, a_i)$"),
    "D, rewards": ("^", 0.2, ":", r"rewards $r_i(s_{N_i}, a_{N_i})$"),
}


def radii(rows: Sequence[Comparison], drawing: Drawing) -> Figure:
    """Every D_i(κ) above its error as a marker, below the bound of its own rewards; the relay lies on the bounds."""
    own = [row for row in rows if row.hypothesis in VARIANTS]
    instances = names(own)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        here = [row for row in own if row.instance == name]
        for hypothesis, (marker, shift, style, label) in VARIANTS.items():
            shown = [row for row in here if row.hypothesis == hypothesis]
            for kappa in sorted({row.kappa for row in shown}):
                left = apart(row.left for row in shown if row.kappa == kappa and row.left > row.error)
                dots(axes, [kappa + shift] * len(left), left, kappa, marker, label=label, alpha=0.5)
            bound_ticks(axes, largest_right(shown), style, drawing.lines[hypothesis], shift=shift, half=0.18)
        kappa_axis(axes, here)
    frame(figure, r"$\kappa$", drawing.left)
    return figure


KINDS = {"lines": lines, "cone": cone, "guarantee": guarantee, "radii": radii}
