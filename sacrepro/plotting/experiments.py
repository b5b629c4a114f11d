"""What SAC does along T, κ and rivals, against exact yardsticks: interquartile means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.rivals import EXACT, EstimatorRow
from sacrepro.claims.summary import SummaryRow
from sacrepro.plotting.learning import kappa_curves
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, kappa_color, names, outer_labels, shared_legend


def grid_of(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    """A figure with rows × columns panels."""
    figure = Figure(figsize=(width * columns, height * rows + 0.5))
    return figure, figure.subplots(rows, columns, squeeze=False)


def of(rows: Sequence[SummaryRow], instance: str, quantity: str) -> list[SummaryRow]:
    """The rows of one quantity on one instance."""
    return [row for row in rows if row.instance == instance and row.quantity == quantity]


def intervals(axes: Axes, rows: Sequence[SummaryRow], marker: str, filled: bool) -> None:
    """Markers with intervals over x, one colour a κ."""
    for kappa in sorted({int(row.series) for row in rows}):
        own = [row for row in rows if int(row.series) == kappa]
        middle = [row.iqm for row in own]
        spread = [[row.iqm - row.low for row in own], [row.high - row.iqm for row in own]]
        color = kappa_color(kappa)
        face = color if filled else "white"
        axes.errorbar(
            [row.x for row in own], middle, spread, fmt=f"{marker}-", color=color, markerfacecolor=face, linewidth=0.8
        )


def critic_error(rows: Sequence[SummaryRow]) -> Figure:
    """Above: the mean |q* - Q̂^T| with the slope T^{-1/2}. Below: the mean |Q - Q̂^T|, which stops at the exact bias."""
    instances = names(rows)
    figure, grid = grid_of(2, len(instances), 2.7, 2.3)
    for column, name in enumerate(instances):
        near, far, bias = (of(rows, name, quantity) for quantity in ("to_q_star", "to_Q", "bias"))
        above, below = grid[0, column], grid[1, column]
        above.set_title(name)
        intervals(above, near, "o", filled=True)
        last = max(row.x for row in near)
        end = min(row.iqm for row in near if row.x == last)
        first = min(row.x for row in near)
        above.plot([first, last], [end * (last / first) ** 0.5, end], "--", color=BOUND_COLOR)
        intervals(below, far, "o", filled=True)
        for kappa in sorted({int(row.series) for row in bias}):
            level = next(row.iqm for row in bias if int(row.series) == kappa)
            if level > 0:
                below.axhline(level, color=kappa_color(kappa), linestyle=":")
        for axes in (above, below):
            axes.set_xscale("log")
            axes.set_yscale("log")
    for kappa in sorted({int(row.series) for row in rows}):
        grid[0, 0].plot([], [], "o-", color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
    grid[0, 0].plot([], [], "--", color=BOUND_COLOR, label=r"$\propto T^{-1/2}$")
    grid[0, 0].plot([], [], ":", color=BOUND_COLOR, label=r"$|q^* - Q_i|$, exact")
    grid[0, 0].set_ylabel(r"mean $|q^*_i - \hat Q_i^T|$")
    grid[1, 0].set_ylabel(r"mean $|Q_i - \hat Q_i^T|$")
    figure.supxlabel(r"$T$", fontsize=9)
    shared_legend(figure, grid[0, 0])
    return figure


def critic_floor(rows: Sequence[SummaryRow]) -> Figure:
    """Over κ: the mean error at the longest T, the exact mean and largest bias, and the bounds on the largest."""
    instances = names(rows)
    figure, grid = grid_of(1, len(instances), 2.7, 2.6)
    for axes, name in zip(grid[0], instances, strict=True):
        axes.set_title(name)
        measured = of(rows, name, "to_Q")
        last = max(row.x for row in measured)
        for row in measured:
            if row.x == last:
                spread = [[row.iqm - row.low], [row.high - row.iqm]]
                color = kappa_color(int(row.series))
                axes.errorbar([int(row.series)], [row.iqm], spread, fmt="o", color=color, capsize=2)
        for quantity, style in (("bias", "x-"), ("bias_sup", "+-"), ("locality", "--"), ("paper", ":")):
            levels = {int(row.series): row.iqm for row in of(rows, name, quantity) if row.iqm > 0}
            axes.plot([*levels], [*levels.values()], style, color=BOUND_COLOR, linewidth=0.9)
        axes.set_yscale("log")
        axes.set_xticks(sorted({int(row.series) for row in measured}))
    for style, label in (
        ("o", r"mean $|Q_i - \hat Q_i^T|$, longest $T$"),
        ("x-", r"mean $|Q_i - q^*_i|$, exact"),
        ("+-", r"$\max\,|Q_i - q^*_i|$, exact"),
        ("--", r"$\bar r\gamma^{\kappa+1}/(1-\gamma)$"),
        (":", r"$2c\rho^{\kappa+1}/(1-\gamma)^2$, the paper's"),
    ):
        grid[0, 0].plot([], [], style, color=BOUND_COLOR, label=label)
    outer_labels(figure, r"$\kappa$", "critic error")
    shared_legend(figure, grid[0, 0])
    return figure


#: Rows of the diagnostics figure: quantity, label, and whether the axis is logarithmic.
DIAGNOSED = (
    ("first_visit_share", "first visits", False),
    ("to_q_star", r"mean $|q^*_i-\hat Q_i^T|$", True),
    ("to_Q", r"mean $|Q_i-\hat Q_i^T|$", True),
    ("variance", r"variance of $\hat g$", True),
    ("bias_squared", r"$\|E\hat g-\nabla J\|^2$", False),
    ("cosine", r"cosine of $\hat g$, $\nabla J$", False),
    ("entropy", "entropy, nats", False),
)


def diagnostics(rows: Sequence[SummaryRow]) -> Figure:
    """One row a diagnostic, one column an instance, over outer iterations."""
    instances = names(rows)
    figure, grid = grid_of(len(DIAGNOSED), len(instances), 2.2, 1.4)
    for line, (quantity, label, log) in enumerate(DIAGNOSED):
        for column, name in enumerate(instances):
            axes = grid[line, column]
            own = of(rows, name, quantity)
            kappa_curves(axes, own)
            if not own:
                axes.text(0.5, 0.5, "out of reach", ha="center", va="center", transform=axes.transAxes)
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            elif log:
                axes.set_yscale("log")
            if not line:
                axes.set_title(name)
            if not column:
                axes.set_ylabel(label)
    figure.supxlabel(r"outer iteration $m$", fontsize=9)
    shared_legend(figure, grid[0, 0])
    return figure


def extensions(rows: Sequence[SummaryRow]) -> Figure:
    """J after the same samples, one line a method, each with the η that was best for it; dashed: the exact gradient."""
    final = [row for row in rows if row.quantity == "J"]
    instances = names(final)
    methods = list(dict.fromkeys(row.series.split(" | ")[0] for row in final))
    figure, grid = grid_of(1, len(instances), 2.8, 0.24 * len(methods) + 0.4)
    for axes, name in zip(grid[0], instances, strict=True):
        axes.set_title(name)
        own = [row for row in final if row.instance == name]
        start = next(row.iqm for row in own if row.x == 0)
        axes.axvline(start, color=BOUND_COLOR, linestyle=":", linewidth=0.9)
        last = max(row.x for row in own)
        for place, method in enumerate(methods):
            candidates = [row for row in own if row.x == last and row.series.split(" | ")[0] == method]
            if not candidates:
                continue
            best = max(candidates, key=lambda row: row.iqm)
            color = BOUND_COLOR if method == EXACT else KAPPA_COLORS[0]
            spread = [[best.iqm - best.low], [best.high - best.iqm]]
            axes.errorbar([best.iqm], [place], xerr=spread, fmt="o", color=color, capsize=2)
            if method == EXACT:
                axes.axvline(best.iqm, color=BOUND_COLOR, linestyle="--", linewidth=0.9)
        axes.set_yticks(range(len(methods)), methods if axes is grid[0, 0] else [""] * len(methods))
        axes.invert_yaxis()
    grid[0, 0].plot([], [], "o", color=KAPPA_COLORS[0], label="after all episodes, best η of those tried")
    grid[0, 0].plot([], [], "--", color=BOUND_COLOR, label="gradient ascent with the exact ∇J")
    grid[0, 0].plot([], [], ":", color=BOUND_COLOR, label="uniform policy, the start")
    figure.supxlabel(r"$J$, exact", fontsize=9)
    shared_legend(figure, grid[0, 0])
    return figure


def estimators(rows: Sequence[EstimatorRow]) -> Figure:
    """Bias² and variance of ĝ beside ‖∇J‖² for each method at a fixed policy and the shortest T."""
    T = {name: min(row.T for row in rows if row.instance == name) for name in names(rows)}
    cases = list(dict.fromkeys((row.instance, row.policy) for row in rows))
    methods = list(dict.fromkeys(row.method for row in rows))
    policies = list(dict.fromkeys(policy for _, policy in cases))
    figure, grid = grid_of(len(policies), len(T), 2.9, 0.26 * len(methods) + 0.3)
    for axes, (name, policy) in zip(grid.T.ravel(), cases, strict=True):
        axes.set_title(f"{name}, {policy}")
        for row in rows:
            if (row.instance, row.policy, row.T) == (name, policy, T[name]):
                place = methods.index(row.method)
                axes.plot([row.variance], [place], "o", color=KAPPA_COLORS[0])
                axes.axvline(row.norm_squared, color=BOUND_COLOR, linewidth=0.8)
                resolved = row.variance / row.episodes
                shown = max(abs(row.bias_squared), resolved)
                marker = "D" if row.bias_squared > 2 * resolved else "<"
                axes.plot([shown], [place], marker, color=KAPPA_COLORS[1], markerfacecolor="white")
        axes.set_xscale("log")
        axes.set_yticks(range(len(methods)), methods if axes in grid[:, 0] else [""] * len(methods))
        axes.invert_yaxis()
    grid[0, 0].plot([], [], "o", color=KAPPA_COLORS[0], label=r"variance of $\hat g$")
    grid[0, 0].plot([], [], "-", color=BOUND_COLOR, linewidth=0.8, label=r"$\|\nabla J\|^2$")
    for marker, label in (("D", r"bias$^2$ of $\hat g$"), ("<", "bias lost in noise: at most about this")):
        grid[0, 0].plot([], [], marker, color=KAPPA_COLORS[1], markerfacecolor="white", label=label)
    shared_legend(figure, grid[0, 0])
    return figure


DRAWINGS = {
    "critic_error": (SummaryRow, critic_error),
    "critic_floor": (SummaryRow, critic_floor),
    "diagnostics": (SummaryRow, diagnostics),
    "extensions": (SummaryRow, extensions),
    "estimators": (EstimatorRow, estimators),
}
