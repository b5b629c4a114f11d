"""All claims in one figure, how close each bound comes to what it bounds; environments, settings, benchmarks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.study.audit.adversary import Found
from sacrepro.study.bench.exact import VALUES, Timing
from sacrepro.study.bench.sac import Throughput
from sacrepro.study.drawings.decay import bound_line, dots, integer_axis, policies_of, zero_remark
from sacrepro.study.drawings.panels import (
    BESIDE,
    BOUND_COLOR,
    KAPPA_COLORS,
    LINE,
    beside,
    columns_of,
    framed,
    grid_of,
    kappa_color,
    kappa_curve,
    listed,
    literal,
    log_axis,
    panels,
    remark,
    swatches,
    width_of,
)
from sacrepro.study.experiments.environments import EnvironmentRow
from sacrepro.study.experiments.gallery import GalleryRow
from sacrepro.study.experiments.table1 import Table1Row
from sacrepro.study.experiments.wireless import RECORDED, WirelessRow
from sacrepro.study.record.comparison import JUDGEMENTS, Verdict, by

#: What is false as written, or with one hypothesis less.
COUNTEREXAMPLE = "counterexample"

#: Colour and marker of each verdict.
VERDICTS = {
    "violated": ("#D55E00", "X"),
    "tight": ("#0072B2", "o"),
    "holds": ("#009E73", "s"),
    "vacuous": ("#777777", "D"),
    COUNTEREXAMPLE: ("#D55E00", "x"),
}


def overview(rows: Sequence[Verdict]) -> Figure:
    """The largest left/right of every right side; 1 is equality, a marker to the right of it would be a violation.
    What has no ratio stands in columns of its own: identities, what constrains nothing, left sides of 0.
    Counterexamples, which lie to the right on purpose, are crosses.
    """
    claims = list(by(rows, "claim"))
    columns = [name for name in COLUMNS if name in map(column, rows)]
    apart_in = COLUMN * len(columns)
    shares = (apart_in, RATIOS) if columns else (RATIOS,)
    figure, (*apart, axes) = listed(claims, row=0.24, width=apart_in + RATIOS, shares=shares)
    for row in rows:
        color, marker = VERDICTS[kind(row)]
        where, x = (apart[0], columns.index(column(row))) if column(row) else (axes, row.ratio)
        where.plot([x], [claims.index(row.claim)], marker, color=color, alpha=0.8, markersize=6, label=kind(row))
    for columns_axes in apart:
        columns_of(columns_axes, columns)
    axes.axvline(1.0, color=BOUND_COLOR, linestyle="--", label="left = right")
    log_axis(axes, "x")
    return framed(figure, "largest left side / right side on the study's instances")


#: Inches of a column for verdicts without a ratio, and of the axis of ratios; what the columns are called.
COLUMN, RATIOS = 0.6, 4.6

COLUMNS = ("identity", "vacuous", "left = 0")


def column(row: Verdict) -> str:
    """The column of a verdict without a ratio above 0; empty for one with."""
    if row.ratio > 0.0:
        return ""
    return "vacuous" if row.verdict == "vacuous" else "left = 0" if row.ratio == 0.0 else "identity"


def kind(row: Verdict) -> str:
    """The key of `VERDICTS` for one row."""
    return row.verdict if row.verdict in JUDGEMENTS else COUNTEREXAMPLE


# How close each bound was pushed to equality: at random, by the adversary, and on instances built for it.

#: Marker, colour and label of each search.
SEARCHES = {
    "random": ("|", KAPPA_COLORS[0], "random models"),
    "adversary": ("o", KAPPA_COLORS[5], "adversary"),
    "structured": ("x", KAPPA_COLORS[2], "instances built for it"),
}


def adversary(rows: Sequence[Found]) -> Figure:
    """One line a variant of a claim: the largest left/right of each search; a mark beyond 1 would falsify the claim.
    What found no ratio above 0 stands in a column of its own.
    """
    labels = [f"{row.claim}: {row.hypothesis}".removesuffix(": ") for row in rows]
    figure, (none, axes) = listed(labels, row=0.22, width=4.6, shares=(1, 12))
    for name, (marker, color, label) in SEARCHES.items():
        ratios = [getattr(row, name) for row in rows]
        found = [place for place, ratio in enumerate(ratios) if ratio > 0]
        missed = [place for place, ratio in enumerate(ratios) if not ratio > 0]
        axes.plot([ratios[k] for k in found], found, marker, color=color, label=label, fillstyle="none")
        none.plot([0] * len(missed), missed, marker, color=color, fillstyle="none")
    columns_of(none, ["no ratio"])
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR, label="left = right")
    log_axis(axes, "x")
    return framed(figure, "largest left/right found")


# The environments side by side: decay of D_i(κ), the influence matrix's certificate, and Lemma 3.

#: The bounds: field, line style, label.
ENVIRONMENT_BOUNDS = (
    ("lemma3", ":", r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$, Lemma 3"),
    ("influence", "--", "influence matrix, worst agent"),
    ("influence_median", "-.", "influence matrix, median agent"),
)


def environments(rows: Sequence[EnvironmentRow]) -> Figure:
    """max_i D_i(κ) of each policy below the bounds; instances of one model stand together."""
    models = list(by(rows, "model"))
    groups = sorted(by(rows, "instance").values(), key=lambda own: models.index(own[0].model))
    titles = [f"{literal(own[0].instance)}\nn = {own[0].n:,}" for own in groups]
    figure, grid = panels(titles, columns=4, width=2.2, height=2.2)
    policies = policies_of(row for row in rows if row.policy)
    for axes, own in zip(grid, groups, strict=True):
        kappas = sorted({row.kappa for row in own})
        zero = []
        for kappa in kappas:
            known = [row for row in own if row.kappa == kappa and not math.isnan(row.D)]
            for policy, marker in policies.items():
                D = [row.D for row in known if row.policy == policy and row.D_error < row.D]
                label = rf"$\max_i D_i(\kappa)$, {literal(policy)} policy"
                dots(axes, [kappa] * len(D), D, kappa, marker, label=label, alpha=0.6)
            zero += [kappa] if known and all(row.D_error >= row.D for row in known) else []
        at = {row.kappa: row for row in own}
        for field, style, label in ENVIRONMENT_BOUNDS:
            bound_line(axes, {kappa: getattr(at[kappa], field) for kappa in kappas}, style, label)
        log_axis(axes)
        integer_axis(axes, kappas[-1])
        if all(math.isnan(row.D) for row in own):
            remark(axes, "no exact solution")
        else:
            zero_remark(axes, zero, set(kappas) - set(zero))
    return framed(figure, r"$\kappa$", r"$\max_i D_i(\kappa)$")


# Table 1 of the paper as curves over κ: D_i(κ), its bounds, and two approximations of Q^θ = (1/n) Σ_i Q_i^θ.
#
# *Truncated* is (1/n) Σ_i Q̂_i with natural weights, *linear* a sum of functions of single agents.

#: The bounds: field, line style, label; the markers: field, marker, colour, label.
TABLE1_BOUNDS = (("lemma3", ":", "Lemma 3"), ("influence", "--", "influence matrix"))

MARKERS = (
    ("D", "o", BOUND_COLOR, r"$\max_i D_i(\kappa)$"),
    ("truncated", "s", KAPPA_COLORS[0], "truncated Q-functions"),
)

#: The rival, which does not depend on κ.
RIVALS = (
    ("best", KAPPA_COLORS[1], "best sum over single agents"),
    ("lstd", KAPPA_COLORS[5], "the sum that LSTD finds"),
)


def table1(rows: Sequence[Table1Row]) -> Figure:
    """One panel a setting, every value the largest over policies; zeros, up to certified errors, are left out."""
    groups = by(rows, "setting")
    figure, grid = panels([literal(setting, 190.0) for setting in groups], width=3.0, height=2.2)
    for axes, own in zip(grid, groups.values(), strict=True):
        kappas = sorted({row.kappa for row in own})
        floor = 2.0 * max(row.D_error for row in own)
        for field, style, label in TABLE1_BOUNDS:
            bound_line(axes, largest(own, field, floor), style, label)
        for field, marker, color, label in MARKERS:
            shown = largest(own, field, floor)
            axes.plot([*shown], [*shown.values()], marker, color=color, label=label)
        for field, color, label in RIVALS:
            error = max(getattr(row, field) for row in own)
            if error > floor:
                axes.plot([-0.4, kappas[-1] + 0.4], [error] * 2, color=color, linewidth=1, label=label)
        log_axis(axes)
        integer_axis(axes, kappas[-1])
        if not any(floor < row.D for row in own):
            remark(axes, r"$D_i(\kappa)$: 0 up to the certificate")
    return framed(figure, r"$\kappa$", r"largest error over $(s, a)$")


def largest(rows: Sequence[Table1Row], field: str, floor: float) -> dict[int, float]:
    """The largest value of a field at each κ, where it is above the certified error."""
    at = {kappa: max(getattr(row, field) for row in own) for kappa, own in sorted(by(rows, "kappa").items())}
    return {kappa: value for kappa, value in at.items() if value > floor}


# The published wireless benchmark: the objective along the runs, and how often the critic sees a cell again.

#: The size of the names beside the lines.
NAMES = 6.0

#: Line style and name of each learner.
LEARNERS = {
    "Algorithm 1": ("-", "Algorithm 1"),
    "Algorithm 1, λ=1": ("-.", r"with TD($\lambda = 1$)"),
    "published variant": ("--", "the public code's variant"),
}

#: What the references are called beside their lines. ALOHA sends the oldest packet with one probability for all users.
REFERENCES = {
    "start": "uniform policy, the start",
    "ALOHA": "ALOHA, best probability",
    "ALOHA, stale queue": "ALOHA, queue known a step late",
}


def wireless_benchmark(rows: Sequence[WirelessRow]) -> Figure:
    """Left: the mean objective over seeds, with each seed thin, and the references. Right: how new the keys are.
    The claim that κ = 1 exceeds the recorded value is refuted if the solid line of κ = 1 ends below the dotted one.
    """
    references = {
        f"{REFERENCES.get(row.method, row.method)}: {row.objective:.3f}": row.objective
        for row in rows
        if row.method not in LEARNERS
    }
    known = {**references, f"the public code's own record: {RECORDED:.3f}": RECORDED}
    levels = {literal(name, 200.0, NAMES): level for name, level in known.items()}
    room = max(width_of(name, NAMES) for name in levels) / 72 + 0.2
    gap = room + LINE + BESIDE
    figure, grid = grid_of(1, 2, 2.9 + gap, 3.0, gap=gap, titles=0, width_ratios=(3, 2))
    left, right = grid[0]
    for method, (style, told) in LEARNERS.items():
        for kappa, own in sorted(by((row for row in rows if row.method == method), "kappa").items()):
            label = rf"{told}, $\kappa={kappa}$"
            seeds_and_mean(left, own, "objective", style, kappa, label)
            seeds_and_mean(right, [row for row in own if row.m], "first_visit_share", style, kappa, None)
    for level in references.values():
        left.axhline(level, color=BOUND_COLOR, linestyle="-.", linewidth=0.8)
    left.axhline(RECORDED, color=BOUND_COLOR, linestyle=":")
    left.set_ylim(0, 1.12 * max(RECORDED, *(row.objective for row in rows)))
    name_lines(left, levels)
    beside(left, r"mean over users of $\Sigma_{t<10}\,\gamma^t r_i(t)$")
    beside(right, "share of first visits among updates")
    right.set_ylim(-0.05, 1.05)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.xaxis.set_major_formatter(lambda m, _: f"{m / 1000:g}")
    return framed(figure, r"outer iteration $m$, thousands")


def name_lines(axes: Axes, levels: Mapping[str, float]) -> None:
    """The name of each level line right of the axes; names keep the height of a letter apart."""
    least = 0.045 * axes.get_ylim()[1]
    place = -least
    for name, level in sorted(levels.items(), key=lambda item: item[1]):
        place = max(level, place + least)
        axes.annotate(
            name, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=NAMES, color=BOUND_COLOR
        )


def seeds_and_mean(
    axes: Axes, rows: Sequence[WirelessRow], field: str, style: str, kappa: int, label: str | None
) -> None:
    """Each seed as a thin line, their mean as a thick one."""
    seeds = sorted({row.seed for row in rows})
    m = [row.m for row in rows if row.seed == seeds[0]]
    values = np.array([[getattr(row, field) for row in rows if row.seed == seed] for seed in seeds])
    axes.plot(m, values.T, linestyle=style, color=kappa_color(kappa), alpha=0.25, linewidth=0.5)
    kappa_curve(axes, m, values.mean(axis=0), kappa, linestyle=style, label=label)


def gallery(rows: Sequence[GalleryRow]) -> Figure:
    """Above: max_i D_i(κ) under the uniform policy, and the influence matrix's bound for every policy. Below: J of each
    run of Algorithm 1, by κ, beside an expert's rule. A marker above the dashed line would falsify the bound.
    Neither is drawn where it is below the width of the interval that holds D_i(κ): there both are 0 or rounding.
    """
    cases = by(rows, "instance")
    figure, grid = grid_of(2, len(cases), 2.2, 1.9, titles=2)
    for (above, below), (name, own) in zip(grid.T, cases.items(), strict=True):
        width = {row.kappa: row.high - row.low for row in own if row.what == "D"}
        bound = {row.kappa: row.value for row in own if row.what == "influence" and row.value > width[row.kappa]}
        for row in own:
            if row.what == "D" and row.value > width[row.kappa]:
                dots(above, [row.kappa], [row.value], row.kappa, label=r"$\max_i D_i(\kappa)$, uniform policy")
            elif row.what == "J" and row.kappa >= 0:
                dots(below, [row.kappa], [row.value], row.kappa, label="SAC, one marker a run", alpha=0.6)
            elif row.what == "J":
                style, label = ("-", "expert's rule") if row.policy != "uniform" else (":", "uniform policy")
                below.axhline(row.value, linestyle=style, color=BOUND_COLOR, linewidth=0.9, label=label)
        bound_line(above, bound, "--", "influence matrix")
        above.set_title(f"{literal(name)}\nn = {own[0].n}")
        log_axis(above)
        integer_axis(above, max(row.kappa for row in own if row.what == "D"))
        integer_axis(below, max(row.kappa for row in own if row.what == "J"))
    beside(grid[0, 0], r"$\max_i D_i(\kappa)$")
    beside(grid[1, 0], "J")
    return framed(figure, r"$\kappa$")


#: One marker a method, in order of appearance; this engine also has the thick line.
METHOD_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


def bench_exact(rows: Sequence[Timing]) -> Figure:
    """Median seconds for all n value functions; a line ends where its method met a limit or failed."""
    rows = [row for row in rows if row.quantity == VALUES]
    cases, methods = by(rows, "family", "gamma"), by(rows, "method")
    width, height = (6.4, 3.8) if len(cases) == 1 else (2.5, 2.1)
    titles = [rf"{literal(family)}, $\gamma={gamma}$" for family, gamma in cases]
    figure, grid = panels(titles, width=width, height=height)
    for axes, case in zip(grid, cases.values(), strict=True):
        for place, method in enumerate(methods):
            own = [row for row in case if (row.method, row.status) == (method, "ok")]
            color = KAPPA_COLORS[place % len(KAPPA_COLORS)]
            width = 2.4 if method == "engine" else 1.0
            marker = METHOD_MARKERS[place % len(METHOD_MARKERS)]
            axes.plot(
                [row.n for row in own],
                [row.seconds for row in own],
                f"{marker}-",
                color=color,
                linewidth=width,
                label=literal(method),
            )
        log_axis(axes)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return framed(figure, r"number of agents $n$", "seconds, all value functions")


#: Line and label of each method of `sacrepro bench sac`.
LINES = {
    "sac": ("o-", "one seed"),
    "sac_seeds": ("D", "seeds run together"),
    "two_processes": ("s", "two processes at once"),
    "transcription": ("^:", "plain transcription"),
    "dictionaries": ("v:", "dictionaries"),
}


def bench_sac(rows: Sequence[Throughput]) -> Figure:
    """Nanoseconds an agent-step over n, above, and the peak memory of one seed's process, below."""
    cases = by(rows, "family", "S", "A")
    figure, grid = grid_of(2, len(cases), 2.9, 2.5, gap=0.2, sharex=True, sharey="row")
    for (above, below), ((family, S, A), case) in zip(grid.T, cases.items(), strict=True):
        above.set_title(f"{literal(family)}, $S={S}$, $A={A}$")
        own = (row for row in case if row.status == "ok")
        for kappa, at in sorted(by(own, "kappa").items()):
            for method, (line, label) in LINES.items():
                points = [row for row in at if row.method == method]
                n, color = [row.n for row in points], kappa_color(kappa)
                nanoseconds = [1e9 / row.agent_steps_per_second for row in points]
                above.plot(n, nanoseconds, line, color=color, label=label)
                if method == "sac":
                    below.plot(n, [row.peak_mb for row in points], line, color=color)
        for axes in (above, below):
            log_axis(axes, "x")
            log_axis(axes)
    beside(grid[0, 0], "nanoseconds an agent-step")
    beside(grid[1, 0], "peak memory, MiB")
    return framed(figure, r"number of agents $n$", more=swatches({row.kappa for row in rows if row.status == "ok"}))


#: The rows of those figures that are no experiment's.
ROWS = {"overview": Verdict, "adversary": Found, "bench_exact": Timing, "bench_sac": Throughput}
