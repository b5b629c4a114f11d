"""What SAC does along T, κ and methods, against exact yardsticks: interquartile means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.study.drawings.messages import TOLD
from sacrepro.study.drawings.panels import (
    BESIDE,
    BOUND_COLOR,
    KAPPA_COLORS,
    LINE,
    bare,
    beside,
    framed,
    grid_of,
    kappa_color,
    kappa_curve,
    kappa_label,
    listed,
    literal,
    log_axis,
    names,
    panels,
    titled,
    width_of,
)
from sacrepro.study.experiments.exact_bias import GRADIENT, MEAN_STEP, STARTS, BiasRow, MeanRow, WarmRow
from sacrepro.study.experiments.methods import EXACT, EstimatorRow
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.record.comparison import at_end, by


def of(rows: Sequence[SummaryRow], instance: str, quantity: str) -> list[SummaryRow]:
    """The rows of one quantity on one instance."""
    return [row for row in rows if row.instance == instance and row.quantity == quantity]


def by_kappa(rows: Sequence[SummaryRow]) -> list[tuple[int, list[SummaryRow]]]:
    """The rows of each κ, in their order."""
    return sorted((int(kappa), own) for kappa, own in by(rows, "series").items())


def intervals(axes: Axes, rows: Sequence[SummaryRow]) -> None:
    """Markers with intervals over x, one colour a κ."""
    for kappa, own in by_kappa(rows):
        x, middle = [row.x for row in own], [row.iqm for row in own]
        spread = [[row.iqm - row.low for row in own], [row.high - row.iqm for row in own]]
        axes.errorbar(x, middle, spread, fmt="none", ecolor=kappa_color(kappa), elinewidth=0.8)
        kappa_curve(axes, x, middle, kappa, linewidth=0.8)


def critic_error(rows: Sequence[SummaryRow]) -> Figure:
    """Above: the mean |q* - Q̂^T| with the slope T^{-1/2}. Below: the mean |Q - Q̂^T|, which stops at the exact bias."""
    instances = names(rows)
    figure, grid = grid_of(2, len(instances), 2.7, 2.3)
    for column, name in enumerate(instances):
        near, far, bias = (of(rows, name, quantity) for quantity in ("to_q_star", "to_Q", "bias"))
        above, below = grid[:, column]
        above.set_title(literal(name))
        intervals(above, near)
        last = max(row.x for row in near)
        end = min(row.iqm for row in near if row.x == last)
        first = min(row.x for row in near)
        slope = [end * (last / first) ** 0.5, end]
        above.plot([first, last], slope, "--", color=BOUND_COLOR, label=r"$\propto T^{-1/2}$")
        intervals(below, far)
        for kappa, own in by_kappa(bias):
            if own[0].iqm > 0:
                below.axhline(own[0].iqm, color=kappa_color(kappa), linestyle=":", label=r"$|q^* - Q_i|$, exact")
        for axes in (above, below):
            log_axis(axes, "x")
            log_axis(axes)
    beside(grid[0, 0], r"mean $|q^*_i - \hat Q_i^T|$")
    beside(grid[1, 0], r"mean $|Q_i - \hat Q_i^T|$")
    return framed(figure, r"$T$")


def exact_bias(rows: Sequence[BiasRow]) -> Figure:
    """‖E ĝ - ∇J‖ over T without sampling: κ = 0 is closest to the gradient until T is long enough for more.
    Dotted: what T → ∞ leaves of each κ; dash-dotted: what tables leave whose cells have not come twice; dashed: ‖∇J‖.
    Ringed: the κ that is closest at this T.
    """
    figure, grid = titled(rows, columns=2, width=2.9, height=2.5)
    for axes, own in grid:
        kappas = sorted(by(own, "kappa").items())
        for kappa, at in kappas:
            curve = {row.T: row.bias for row in at if row.bias > row.error}
            kappa_curve(axes, [*curve], [*curve.values()], kappa, linewidth=0.8)
            if at[0].limit > 1e-3 * own[0].gradient:
                axes.axhline(at[0].limit, color=kappa_color(kappa), linestyle=":", label=r"$T\to\infty$")
        fresh = {row.T: row.fresh for row in kappas[-1][1]}
        axes.plot([*fresh], [*fresh.values()], "-.", color=BOUND_COLOR, linewidth=0.8, label="no cell twice")
        axes.axhline(own[0].gradient, color=BOUND_COLOR, linestyle="--", label=r"$\|\nabla J\|$")
        best = [row for row in own if row.best]
        ring: Any = {"markersize": 9, "fillstyle": "none", "color": BOUND_COLOR}
        axes.plot([row.T for row in best], [row.bias for row in best], "o", label=r"closest to $\nabla J$", **ring)
        log_axis(axes, "x")
        log_axis(axes)
    return framed(figure, r"$T$", r"$\|E\,\hat g - \nabla J\|$")


def mean_step(rows: Sequence[MeanRow]) -> Figure:
    """J(θ(m)), exact, where θ moves by the exact mean of Algorithm 1's step, by sampled steps, and by the exact ∇J.
    Thin: seeds, in bold their mean. Up to m = 1 the mean step is the true mean of θ; later the noise, through what is
    not linear in θ, takes the seeds' mean elsewhere.
    """
    groups = by(rows, "instance", "eta")
    figure, grid = panels(
        [f"{literal(name)}, $\\eta={eta:g}$" for name, eta in groups], columns=2, width=2.9, height=2.3
    )
    for axes, own in zip(grid, groups.values(), strict=True):
        m = sorted({row.m for row in own})
        curves = {run: [row.J for row in at] for run, at in by(own, "run").items()}
        seeds = [J for run, J in curves.items() if run not in (MEAN_STEP, GRADIENT)]
        color = kappa_color(own[0].kappa)
        for J in seeds:
            axes.plot(m, J, color=color, linewidth=0.4, alpha=0.4)
        mean = [sum(J) / len(J) for J in zip(*seeds, strict=True)]
        axes.plot(m, mean, color=color, linewidth=2.2, label=f"mean of seeds, {kappa_label(own[0].kappa)}")
        axes.plot(m, curves[MEAN_STEP], "-.", color="#000000", label=r"steps $\eta_m\,E\,\hat g(m)$, no seeds")
        axes.plot(m, curves[GRADIENT], ":", color=BOUND_COLOR, label=r"steps $\eta_m\nabla J$")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    return framed(figure, r"outer iteration $m$", r"$J(\theta(m))$, exact")


def warm_start(rows: Sequence[WarmRow]) -> Figure:
    """‖E ĝ - ∇J‖ over the samples spent at one policy, exact: zero start in each loop of T steps, warm start, one loop.
    Dashed: ‖∇J‖. At equal samples the lowest marker is the least biased; of variance nothing is said.
    """
    groups = by(rows, "instance", "kappa")
    titles = [f"{literal(name)}, {kappa_label(kappa)}" for name, kappa in groups]
    figure, grid = panels(titles, columns=2, width=2.9, height=2.3)
    words = (f"$Q^0=0$ in each loop of $T={rows[0].T}$", "warm start of each loop", "one loop of all steps")
    for axes, ((_, kappa), at) in zip(grid, groups.items(), strict=True):
        own = [row for row in at if row.bias > row.error]
        for start, style, label in zip(STARTS, (":", "o-", "x-"), words, strict=True):
            curve = sorted((row.m * row.T, row.bias) for row in own if row.start == start)
            axes.plot(*zip(*curve, strict=True), style, color=kappa_color(kappa), linewidth=0.9, label=label)
        axes.axhline(own[0].gradient, color=BOUND_COLOR, linestyle="--", label=r"$\|\nabla J\|$")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        log_axis(axes)
    return framed(figure, r"steps sampled, $mT$", r"$\|E\,\hat g - \nabla J\|$")


#: The exact values and bounds of the floor: quantity, line and label.
FLOOR = (
    ("bias", "x-", r"mean $|Q_i - q^*_i|$, exact"),
    ("bias_sup", "+-", r"$\max\,|Q_i - q^*_i|$, exact"),
    ("locality", "_--", r"$\bar r\gamma^{\kappa+1}/(1-\gamma)$"),
    ("paper", "_:", r"$2c\rho^{\kappa+1}/(1-\gamma)^2$, the paper's"),
)


def critic_floor(rows: Sequence[SummaryRow]) -> Figure:
    """Over κ: the mean error at the longest T, the exact mean and largest bias, and the bounds on the largest."""
    instances = names(rows)
    figure, grid = grid_of(1, len(instances), 2.7, 2.6)
    for axes, name in zip(grid[0], instances, strict=True):
        axes.set_title(literal(name))
        measured = of(rows, name, "to_Q")
        for row in at_end(measured, "x"):
            spread = [[row.iqm - row.low], [row.high - row.iqm]]
            color = kappa_color(int(row.series))
            axes.errorbar([int(row.series)], [row.iqm], spread, fmt="none", ecolor=color, capsize=2)
            label = r"mean $|Q_i - \hat Q_i^T|$, longest $T$"
            axes.plot([int(row.series)], [row.iqm], "o", color=color, label=label)
        for quantity, style, label in FLOOR:
            levels = {int(row.series): row.iqm for row in of(rows, name, quantity) if row.iqm > 0}
            axes.plot([*levels], [*levels.values()], style, color=BOUND_COLOR, linewidth=0.9, label=label)
        log_axis(axes)
        axes.set_xticks(sorted({int(row.series) for row in measured}))
    return framed(figure, r"$\kappa$", "critic error")


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
    figure, grid = grid_of(len(DIAGNOSED), len(instances), 2.2, 1.35, titles=0, top=LINE)
    for line, (quantity, label, log) in enumerate(DIAGNOSED):
        for axes, name in zip(grid[line], instances, strict=True):
            own = of(rows, name, quantity)
            kappa_curves(axes, own)
            if not own:
                bare(axes, "out of reach")
            elif log:
                log_axis(axes)
            if not line:
                axes.set_title(literal(name))
        beside(grid[line, 0], label)
    return framed(figure, r"outer iteration $m$")


def extensions(rows: Sequence[SummaryRow]) -> Figure:
    """J after the same samples, one line a method, each with the η that was best for it; dashed: the exact gradient."""
    final = [row for row in rows if row.quantity == "J"]
    groups = by(final, "instance")
    methods = list(dict.fromkeys(row.series.split(" | ")[0] for row in final))
    told = [TOLD.get(method, method) for method in methods]
    figure, grid = listed(told, row=0.24, width=2.5 * len(groups), shares=[1] * len(groups), titles=1)
    for axes, (name, own) in zip(grid, groups.items(), strict=True):
        axes.set_title(literal(name))
        start = next(row.iqm for row in own if row.x == 0)
        axes.axvline(start, color=BOUND_COLOR, linestyle=":", linewidth=0.9, label="uniform policy, the start")
        end = at_end(own, "x")
        for place, method in enumerate(methods):
            candidates = [row for row in end if row.series.split(" | ")[0] == method]
            if not candidates:
                continue
            best = max(candidates, key=lambda row: row.iqm)
            color = BOUND_COLOR if method == EXACT else KAPPA_COLORS[0]
            spread = [[best.iqm - best.low], [best.high - best.iqm]]
            axes.errorbar([best.iqm], [place], xerr=spread, fmt="none", ecolor=color, capsize=2)
            label = None if method == EXACT else "after all episodes, with the best step size of those tried"
            axes.plot([best.iqm], [place], "o", color=color, label=label)
            if method == EXACT:
                label = "ascent along the exact ∇J, no samples"
                axes.axvline(best.iqm, color=BOUND_COLOR, linestyle="--", linewidth=0.9, label=label)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    return framed(figure, r"$J$, exact")


def estimators(rows: Sequence[EstimatorRow]) -> Figure:
    """Bias² and variance of ĝ beside ‖∇J‖² for each method at a fixed policy and the shortest T."""
    T = {name: min(row.T for row in rows if row.instance == name) for name in names(rows)}
    methods, policies = list(by(rows, "method")), list(by(rows, "policy"))
    shown = [literal(TOLD.get(method, method), 200.0, 8.0) for method in methods]
    left = max(width_of(method, 8.0) for method in shown) / 72 + 0.12
    height = 0.25 * len(methods) + 0.5
    figure, grid = grid_of(len(policies), len(T), 2.5, height, left=left, gap=0.2, sharey=True)
    for line, policy in zip(grid, policies, strict=True):
        for axes, name in zip(line, T, strict=True):
            axes.set_title(f"{literal(name)}, {literal(policy)}")
            own = [row for row in rows if (row.instance, row.policy, row.T) == (name, policy, T[name])]
            for row in own:
                place = methods.index(row.method)
                axes.plot([row.variance], [place], "o", color=KAPPA_COLORS[0], label=r"variance of $\hat g$")
                resolved = row.variance / row.episodes
                found = row.bias_squared > 2 * resolved
                marker, label = BIAS[found]
                value = max(abs(row.bias_squared), resolved)
                axes.plot([value], [place], marker, color=KAPPA_COLORS[1], markerfacecolor="white", label=label)
            for level in {row.norm_squared for row in own}:
                axes.axvline(level, color=BOUND_COLOR, linewidth=0.8, label=r"$\|\nabla J\|^2$")
            log_axis(axes, "x")
            axes.set_yticks(range(len(methods)), shown)
    grid[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    return framed(figure)


#: Marker and label of a bias that is, or is not, above what the noise of its estimate hides.
BIAS = {True: ("D", r"bias$^2$ of $\hat g$"), False: ("<", "bias lost in noise: at most about this")}


# SAC over its outer iterations m: the interquartile mean over seeds of each κ, with its bootstrap interval.

#: What is computed exactly along them: quantity and label.
EXACTLY = (
    ("gradient_norm_squared", r"$\|\nabla J(\theta(m))\|^2$"),
    ("gap", r"$\mathrm{max}_{\zeta'}\langle\nabla_\zeta J, \zeta'-\zeta\rangle$"),
    ("J", r"$J(\theta(m))$"),
)


def learning(rows: Sequence[SummaryRow]) -> Figure:
    """The discounted return of the sampled trajectories, averaged since the record before."""
    return curves(rows, "J_estimate", r"$\sum_{t\leq T}\gamma^t r(t)$, sampled")


def objective(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) computed exactly along the runs."""
    return curves(rows, "J", r"$J(\theta(m))$, exact")


def stationarity(rows: Sequence[SummaryRow]) -> Figure:
    """‖∇J(θ(m))‖² computed exactly along the runs, and beside it the first-order optimality gap; log axes."""
    return exact_values(rows, EXACTLY[:2])


def exact_critic(rows: Sequence[SummaryRow]) -> Figure:
    """The same and J where the critic is TD's fixed point: what κ does without any sampling."""
    return exact_values(rows, EXACTLY)


def exact_values(rows: Sequence[SummaryRow], quantities: Sequence[tuple[str, str]]) -> Figure:
    """One row a quantity, with its label, one column an instance; log axes for all but J. Many stand the other way."""
    instances = names(rows)
    turned = len(instances) > 3
    if turned:
        figure, grid = grid_of(len(instances), len(quantities), 3.3, 1.65, left=BESIDE)
        grid = grid.T
    else:
        figure, grid = grid_of(len(quantities), len(instances), 2.6, 1.9)
    for line, (quantity, label) in enumerate(quantities):
        for axes, name in zip(grid[line], instances, strict=True):
            own = of(rows, name, quantity)
            kappa_curves(axes, own)
            if quantity != "J" and any(row.iqm > 0 for row in own):
                log_axis(axes)
            if turned:
                axes.set_title(f"{literal(name)}, {label}")
            elif not line:
                axes.set_title(literal(name))
        if not turned:
            beside(grid[line, 0], label)
    return framed(figure, r"outer iteration $m$")


def simulated(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) by simulation, on networks whose joint state space is out of reach."""
    return curves(rows, "J", r"$J(\theta(m))$, simulated")


def curves(rows: Sequence[SummaryRow], quantity: str, label: str) -> Figure:
    """One curve and one band for each κ; one panel an instance."""
    chosen = [row for row in rows if row.quantity == quantity]
    few = len(names(chosen)) <= 6
    width, height = (3.4, 2.6) if few else (2.2, 1.9)
    figure, grid = titled(chosen, columns=2 if few else 4, width=width, height=height)
    for axes, own in grid:
        kappa_curves(axes, own)
    return framed(figure, r"outer iteration $m$", label)


def kappa_curves(axes: Axes, rows: Sequence[SummaryRow]) -> None:
    """The curve and the band of each κ of one quantity on one instance; a marker where there is one point."""
    for kappa, own in by_kappa(rows):
        x, color = [row.x for row in own], kappa_color(kappa)
        axes.fill_between(x, [row.low for row in own], [row.high for row in own], color=color, alpha=0.2, linewidth=0)
        kappa_curve(axes, x, [row.iqm for row in own], kappa)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
