"""One measured quantity over κ against several bounds: markers and dashed lines, one panel an instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.decay import integer_axis, two_decades
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, remark, shared_legend

#: Line style of the first, second, … bound of a figure.
STYLES = ("--", ":", "-.", (0, (5, 1)), (0, (1, 3)), (0, (3, 1, 1, 1)))


def measured_and_bounds(
    rows: Sequence[Comparison], *, measured: str, axis: str, bounds: Mapping[str, str], starred: str | None = None
) -> Figure:
    """Every left side above its error as a marker, and the largest right side of each reading as a line.

    measured, axis : what the markers show, in the legend and on the axis. bounds : label of each reading's line.
    starred        : a reading whose left sides are a subset; they are drawn as stars, to the right.
    """
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            shown = [row for row in own if row.kappa == kappa and row.left > row.error]
            stars = {row.left for row in shown if row.hypothesis == starred}
            for marker, place, left in (
                ("o", kappa, sorted({row.left for row in shown} - stars)),
                ("*", kappa + 0.2, sorted(stars)),
            ):
                color = kappa_color(kappa)
                axes.plot([place] * len(left), left, marker, color=color, alpha=0.5, markeredgewidth=0)
        for hypothesis, style in zip(bounds, STYLES, strict=False):
            line = [row for row in own if row.hypothesis == hypothesis]
            kappas = [k for k in sorted({row.kappa for row in line}) if largest_right(line, k) > largest_error(line, k)]
            axes.plot(kappas, [largest_right(line, k) for k in kappas], linestyle=style, marker="_", color=BOUND_COLOR)
        integer_axis(axes, own)
    grid[0].plot([], [], "o", color=BOUND_COLOR, label=measured)
    if starred is not None:
        grid[0].plot([], [], "*", color=BOUND_COLOR, label=starred)
    for label, style in zip(bounds.values(), STYLES, strict=False):
        grid[0].plot([], [], linestyle=style, color=BOUND_COLOR, label=label)
    outer_labels(figure, r"$\kappa$", axis)
    shared_legend(figure, grid[0])
    return figure


def largest_right(rows: Sequence[Comparison], kappa: int) -> float:
    """The largest right side at κ."""
    return max(row.right for row in rows if row.kappa == kappa)


def largest_error(rows: Sequence[Comparison], kappa: int) -> float:
    """The largest certified error at κ."""
    return max(row.error for row in rows if row.kappa == kappa)


def cone(rows: Sequence[Comparison]) -> Figure:
    """Over T: D_i(κ) as markers between the ends of its interval, for the agent and policy whose D_i(κ) is largest.
    A lower end at 0 is left out.

    κ above `MOST_KAPPA` would hide the others.
    """
    ends = [row for row in rows if row.hypothesis in CONE_ENDS and row.kappa <= MOST_KAPPA]
    instances = names(ends)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in ends if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            upper = [row for row in own if row.kappa == kappa and row.hypothesis == "upper end"]
            widest = max(upper, key=lambda row: row.left)
            same = [row for row in own if (row.kappa, *whose(row)) == (kappa, *whose(widest))]
            above = [row for row in same if row.hypothesis == "upper end"]
            below = [row for row in same if row.hypothesis == "lower end" and row.left > row.error]
            color = kappa_color(kappa)
            axes.plot([horizon(row) for row in above], [row.right for row in above], "--", color=color)
            axes.plot([horizon(row) for row in below], [row.left for row in below], ":", color=color)
            shown = [row for row in above if row.left > row.error]
            places = [horizon(row) * (1 + 0.06 * kappa) for row in shown]
            axes.plot(places, [row.left for row in shown], "o", color=color, alpha=0.7, markeredgewidth=0)
        if not any(row.left > row.error for row in own if row.hypothesis == "upper end"):
            remark(axes, r"$D_i(\kappa)$: 0 up to the certificate")
        axes.set_xscale("log", base=2)
        two_decades(axes)
    for style, label in (("o", r"largest $D_i(\kappa)$"), ("--", "upper end"), (":", "lower end")):
        grid[0].plot([], [], style, color=BOUND_COLOR, label=label)
    for kappa in sorted({row.kappa for row in ends}):
        grid[0].plot([], [], "-", color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
    outer_labels(figure, r"horizon $T$", r"$D_i(\kappa)$ and its interval $D_i^T(\kappa) \pm$ width")
    shared_legend(figure, grid[0])
    return figure


def whose(row: Comparison) -> tuple[str, int]:
    """The policy and the agent of a row."""
    return row.policy, row.agent


def horizon(row: Comparison) -> int:
    """T of a row of the light cone."""
    return int(row.case.removeprefix("T="))


#: The two ends of the light cone's interval, and the largest κ for which it is drawn.
CONE_ENDS = frozenset(["upper end", "lower end"])
MOST_KAPPA = 3


def influence(rows: Sequence[Comparison]) -> Figure:
    """D_i(κ) of every agent and policy, and as lines the largest of each bound that the influence matrix gives."""
    return measured_and_bounds(
        rows,
        measured=r"$D_i(\kappa)$, one marker an agent and policy",
        axis=r"$D_i(\kappa)$",
        bounds={
            "clipped series": r"clipped series of $C$",
            "own C^θ": r"with the policy's own $C^\theta$",
            "closed form": r"$\bar r[(I-\gamma C)^{-1}1_O]_i$",
            "row sums": r"row sums of $C$",
            "all agents at once": "one bound for all agents",
        },
    )


def lemma4_sharp(rows: Sequence[Comparison]) -> Figure:
    """‖ĥ_i - ∇_{θ_i}J‖ for any weights, and as stars for natural ones; lines: the largest of each bound."""
    return measured_and_bounds(
        rows,
        measured="one marker an agent, policy and weight family",
        axis=r"$\|\hat h_i - \nabla_{\theta_i} J\|$",
        bounds={"any weights": "bound, any weights", "natural weights": "bound, natural weights"},
        starred="natural weights",
    )


def actions_one_hop_later(rows: Sequence[Comparison]) -> Figure:
    """How far Q_i varies where states on N_i^κ and only the actions on N_i^{κ-1} are fixed, below Lemma 3's bound."""
    return measured_and_bounds(
        rows,
        measured=r"with actions of $N_i^{\kappa-1}$ only, one marker an agent and policy",
        axis=r"oscillation of $Q_i$ over a cell $(s_{N_i^\kappa}, a_{N_i^{\kappa-1}})$",
        bounds={"": r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"},
    )


def appendix_a(rows: Sequence[Comparison]) -> Figure:
    """D_i(κ) of every agent and policy below the largest of each bound that mixing gives."""
    return measured_and_bounds(
        rows,
        measured=r"$D_i(\kappa)$, one marker an agent and policy",
        axis=r"$D_i(\kappa)$",
        bounds={
            "law to its limit": r"$2c'\bar r\,(\gamma m)^{\kappa+1}/(1-\gamma m)$",
            "laws of two starts": "with the distance of two starts",
            "measured distances": "sum of the measured distances",
        },
    )


DRAWINGS = {
    "influence": (Comparison, influence),
    "light_cone": (Comparison, cone),
    "lemma4_sharp": (Comparison, lemma4_sharp),
    "actions_one_hop_later": (Comparison, actions_one_hop_later),
    "appendix_a": (Comparison, appendix_a),
}
