"""One measured quantity over κ against several bounds: markers and dashed lines, one panel an instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sacrepro.study.drawings.decay import HALF, bound_line, bound_ticks, dots, kappa_axis, largest_right, zero_remark
from sacrepro.study.drawings.panels import frame, log_axis, swatches, titled
from sacrepro.study.drawings.style import kappa_color, names
from sacrepro.study.record.comparison import Comparison

#: Where a reading has stars of its own: how far left of κ the dots stand, and right of it the stars; their bound is a
#: solid tick from the stars to as far as `HALF`, so that it is right of the dots, which it does not bound.
DOTTED, STARRED = 0.2, 0.24
#: Line style of the first, second, … bound of a figure.
STYLES = ("--", ":", "-.", (0, (5, 1)), (0, (1, 3)), (0, (3, 1, 1, 1)))


def measured_and_bounds(
    rows: Sequence[Comparison], *, measured: str, axis: str, bounds: Mapping[str, str], starred: str | None = None
) -> Figure:
    """Every left side above its error as a marker, and the largest right side of each reading as a line.

    measured, axis : what the markers show, in the legend and on the axis. bounds : label of each reading's line.
    starred        : a reading whose left sides are a subset; drawn as stars, to the right, with a solid tick.
    """
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            shown = [row for row in own if row.kappa == kappa and row.left > row.error]
            stars = {row.left for row in shown if row.hypothesis == starred}
            plain = sorted({row.left for row in shown} - stars)
            place = kappa - DOTTED * (starred is not None)
            dots(axes, [place] * len(plain), plain, kappa, label=measured, alpha=0.5)
            dots(axes, [kappa + STARRED] * len(stars), sorted(stars), kappa, "*", label=starred, alpha=0.5)
        for hypothesis, style in zip(bounds, STYLES, strict=False):
            heights = largest_right([row for row in own if row.hypothesis == hypothesis])
            if starred is None:
                bound_line(axes, heights, style, bounds[hypothesis], marker="_")
            elif hypothesis == starred:
                bound_ticks(axes, heights, "-", bounds[hypothesis], shift=STARRED, half=HALF - STARRED)
            else:
                bound_ticks(axes, heights, style, bounds[hypothesis])
        kappa_axis(axes, own)
    frame(figure, r"$\kappa$", axis)
    return figure


def cone(rows: Sequence[Comparison]) -> Figure:
    """Over T: D_i(κ) as markers between the ends of its interval, for the agent and policy whose D_i(κ) is largest.
    A lower end at 0 is left out.

    κ above `MOST_KAPPA` would hide the others.
    """
    ends = [row for row in rows if row.hypothesis in CONE_ENDS and row.kappa <= MOST_KAPPA]
    instances = names(ends)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in ends if row.instance == name]
        zero = set()
        for kappa in sorted({row.kappa for row in own}):
            upper = [row for row in own if row.kappa == kappa and row.hypothesis == "upper end"]
            widest = max(upper, key=lambda row: row.left)
            same = [row for row in own if (row.kappa, *whose(row)) == (kappa, *whose(widest))]
            above = [row for row in same if row.hypothesis == "upper end"]
            below = [row for row in same if row.hypothesis == "lower end" and row.left > row.error]
            color = kappa_color(kappa)
            axes.plot(
                [horizon(row) for row in above], [row.right for row in above], "--", color=color, label="upper end"
            )
            axes.plot([horizon(row) for row in below], [row.left for row in below], ":", color=color, label="lower end")
            shown = [row for row in above if row.left > row.error]
            places = [horizon(row) for row in shown]
            dots(axes, places, [row.left for row in shown], kappa, label=r"largest $D_i(\kappa)$", alpha=0.7)
            zero |= set() if shown else {kappa}
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
        log_axis(axes)
        zero_remark(axes, zero, {row.kappa for row in own} - zero)
    more = swatches({row.kappa for row in ends})
    frame(figure, r"horizon $T$", r"$D_i(\kappa)$ and its interval $D_i^T(\kappa) \pm$ width", more)
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
        bounds={"any weights": "bound, any weights", "natural weights": "bound, natural weights, the stars alone"},
        starred="natural weights",
    )


def lemma4_vector(rows: Sequence[Comparison]) -> Figure:
    """‖ĥ - ∇J‖ over all agents; lines: the largest of each bound. Only the paper's grows with n."""
    return measured_and_bounds(
        rows,
        measured="one marker a policy and weight family",
        axis=r"$\|\hat h - \nabla J\|$",
        bounds={
            "paper": r"paper, $\sqrt{2n}\,c\rho^{\kappa+1}/(1-\gamma)$",
            "TD's limit": r"TD's limit, $\bar r\gamma^{\kappa+1}/(\sqrt{2}(1-\gamma)^2)$",
            "any weights": "any weights, with the decay gaps of the policy",
            "natural weights": "natural weights, the stars alone",
        },
        starred="natural weights",
    )


def theorem5_sharp(rows: Sequence[Comparison]) -> Figure:
    """What Algorithm 1 is guaranteed and what it achieves: the mean of ‖∇J(θ(m))‖² along TD's limit and along runs,
    each below its bound with the squared bias, and the solid line that holds at every θ.
    """
    instances = names(rows)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for reading, marker, shift, style, label in RUNS:
            shown = [row for row in own if row.hypothesis == reading]
            for row in shown:
                # What a mean over seeds may be off is no rounding of its left side.
                certificate = 1e-12 * row.right if reading == "as run" else row.error
                left = [row.left] if row.left > certificate and marker else []
                dots(axes, [row.kappa + shift] * len(left), left, row.kappa, marker or "o", label=label)
            heights = largest_right(shown)
            bound_ticks(axes, heights, style, f"bound: {reading}", shift=shift, half=0.18)
        trivial = {row.kappa: row.trivial for row in own}
        bound_ticks(axes, trivial, "-", "holds at every θ", half=0.5)
        kappa_axis(axes, own)
    frame(figure, r"$\kappa$", r"mean of $\|\nabla J(\theta(m))\|^2$")
    return figure


#: Reading, marker of its left side (the second has that of the first), place beside κ, bound's style, label.
RUNS = (
    ("TD's limit", "o", -0.22, "--", "along TD's limit"),
    ("TD's limit, any policy", "", -0.22, ":", ""),
    ("as run", "s", 0.22, "-.", "along Algorithm 1, mean over seeds"),
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


# D_i(κ) of action-coupled models, for rewards of radius 0 and 1, each under its own bound.

#: Marker, shift along κ, line style, legend of the markers and of the line, for each reading.
READINGS = {
    "D, kernels": ("o", -0.2, "--", r"rewards $r_i(s_i, a_i)$", r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$"),
    "D, rewards": ("^", 0.2, ":", r"rewards $r_i(s_{N_i}, a_{N_i})$", r"$\bar r\,\gamma^{\kappa}/(1-\gamma)$"),
}


def radii(rows: Sequence[Comparison]) -> Figure:
    """Every D_i(κ) above its error as a marker, below the bound of its own rewards; the relay lies on the bounds."""
    own = [row for row in rows if row.hypothesis in READINGS]
    instances = names(own)
    figure, grid = titled(instances)
    for axes, name in zip(grid, instances, strict=True):
        here = [row for row in own if row.instance == name]
        for hypothesis, (marker, shift, style, label, of_bound) in READINGS.items():
            shown = [row for row in here if row.hypothesis == hypothesis]
            for kappa in sorted({row.kappa for row in shown}):
                left = sorted({row.left for row in shown if row.kappa == kappa and row.left > row.error})
                dots(axes, [kappa + shift] * len(left), left, kappa, marker, label=label, alpha=0.5)
            bound_ticks(axes, largest_right(shown), style, of_bound, shift=shift, half=0.18)
        kappa_axis(axes, here)
    frame(figure, r"$\kappa$", r"$D_i(\kappa)$ with $P_i(\cdot|s_{N_i}, a_{N_i})$")
    return figure


DRAWINGS = {
    "influence": (Comparison, influence),
    "light_cone": (Comparison, cone),
    "lemma4_sharp": (Comparison, lemma4_sharp),
    "lemma4_vector": (Comparison, lemma4_vector),
    "theorem5_sharp": (Comparison, theorem5_sharp),
    "actions_one_hop_later": (Comparison, actions_one_hop_later),
    "appendix_a": (Comparison, appendix_a),
    "reward_radius": (Comparison, radii),
}
