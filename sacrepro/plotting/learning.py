"""SAC over its outer iterations m: the interquartile mean over seeds of each κ, with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sacrepro.claims.summary import SummaryRow
from sacrepro.plotting.panels import BESIDE, beside, frame, grid_of, log_axis, titled
from sacrepro.plotting.style import kappa_color, kappa_label, kappa_line, literal, names

#: What first-order optimality lacks, in a label.
GAP = r"$\mathrm{max}_{\zeta'}\langle\nabla_\zeta J, \zeta'-\zeta\rangle$"


def learning(rows: Sequence[SummaryRow]) -> Figure:
    """The discounted return of the sampled trajectories, averaged since the record before."""
    return curves(rows, "J_estimate", r"$\sum_{t\leq T}\gamma^t r(t)$, sampled")


def objective(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) computed exactly along the runs."""
    return curves(rows, "J", r"$J(\theta(m))$, exact")


def stationarity(rows: Sequence[SummaryRow]) -> Figure:
    """‖∇J(θ(m))‖² computed exactly along the runs, and beside it what first-order optimality lacks; log axes."""
    return exact_values(
        rows,
        {
            "gradient_norm_squared": r"$\|\nabla J(\theta(m))\|^2$",
            "gap": GAP,
        },
    )


def patient(rows: Sequence[SummaryRow]) -> Figure:
    """The same and J where the critic is TD's fixed point: what κ does without any sampling."""
    return exact_values(
        rows,
        {
            "gradient_norm_squared": r"$\|\nabla J(\theta(m))\|^2$",
            "gap": GAP,
            "J": r"$J(\theta(m))$",
        },
    )


def exact_values(rows: Sequence[SummaryRow], quantities: Mapping[str, str]) -> Figure:
    """One row a quantity, with its label, one column an instance; log axes for all but J. Many stand the other way."""
    instances = names(rows)
    turned = len(instances) > 3
    if turned:
        figure, grid = grid_of(len(instances), len(quantities), 3.3, 1.65, left=BESIDE)
        grid = grid.T
    else:
        figure, grid = grid_of(len(quantities), len(instances), 2.6, 1.9)
    for line, (quantity, label) in enumerate(quantities.items()):
        for axes, name in zip(grid[line], instances, strict=True):
            own = [row for row in rows if row.quantity == quantity and row.instance == name]
            kappa_curves(axes, own)
            if quantity != "J" and any(row.iqm > 0 for row in own):
                log_axis(axes)
            if turned:
                axes.set_title(f"{literal(name)}, {label}")
            elif not line:
                axes.set_title(literal(name))
        if not turned:
            beside(grid[line, 0], label)
    frame(figure, r"outer iteration $m$")
    return figure


def simulated(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) by simulation, on networks whose joint state space is out of reach."""
    return curves(rows, "J", r"$J(\theta(m))$, simulated")


def curves(rows: Sequence[SummaryRow], quantity: str, label: str) -> Figure:
    """One curve and one band for each κ; one panel an instance."""
    chosen = [row for row in rows if row.quantity == quantity]
    instances = names(chosen)
    few = len(instances) <= 6
    width, height = (3.4, 2.6) if few else (2.2, 1.9)
    figure, grid = titled(instances, columns=2 if few else 4, width=width, height=height)
    for axes, name in zip(grid, instances, strict=True):
        kappa_curves(axes, [row for row in chosen if row.instance == name])
    frame(figure, r"outer iteration $m$", label)
    return figure


def kappa_curves(axes: Axes, rows: Sequence[SummaryRow]) -> None:
    """The curve and the band of each κ of one quantity on one instance; a marker where there is one point."""
    for kappa in sorted({int(row.series) for row in rows}):
        own = [row for row in rows if int(row.series) == kappa]
        x, color = [row.x for row in own], kappa_color(kappa)
        axes.fill_between(x, [row.low for row in own], [row.high for row in own], color=color, alpha=0.2, linewidth=0)
        line = kappa_line(kappa) if len(own) > 1 else "o"
        axes.plot(x, [row.iqm for row in own], line, color=color, label=kappa_label(kappa))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))


DRAWINGS = {
    "learning": (SummaryRow, learning),
    "objective": (SummaryRow, objective),
    "stationarity": (SummaryRow, stationarity),
    "patient": (SummaryRow, patient),
    "simulated": (SummaryRow, simulated),
}
