"""SAC over its outer iterations m: the interquartile mean over seeds of each κ, with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.summary import SummaryRow
from sacrepro.plotting.style import kappa_color, names, outer_labels, panels, shared_legend


def learning(rows: Sequence[SummaryRow]) -> Figure:
    """The discounted return of the sampled trajectories, averaged since the record before."""
    return curves(rows, "J_estimate", r"$\sum_{t\leq T}\gamma^t r(t)$, sampled", log=False)


def objective(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) computed exactly along the runs."""
    return curves(rows, "J", r"$J(\theta(m))$, exact", log=False)


def stationarity(rows: Sequence[SummaryRow]) -> Figure:
    """‖∇J(θ(m))‖² computed exactly along the runs, and beside it what first-order optimality lacks; log axes."""
    return exact_values(
        rows,
        {
            "gradient_norm_squared": r"$\|\nabla J(\theta(m))\|^2$",
            "gap": r"$\max_{\zeta'}\langle\nabla_\zeta J, \zeta'-\zeta\rangle$",
        },
    )


def patient(rows: Sequence[SummaryRow]) -> Figure:
    """The same and J where the critic is TD's fixed point: what κ does without any sampling."""
    return exact_values(
        rows,
        {
            "gradient_norm_squared": r"$\|\nabla J(\theta(m))\|^2$",
            "gap": r"$\max_{\zeta'}\langle\nabla_\zeta J, \zeta'-\zeta\rangle$",
            "J": r"$J(\theta(m))$",
        },
    )


def exact_values(rows: Sequence[SummaryRow], quantities: Mapping[str, str]) -> Figure:
    """One row a quantity, with its label, one column an instance; log axes for all but J. Many stand the other way."""
    instances = names(rows)
    turned = len(instances) > 3
    across, down = (quantities, instances) if turned else (instances, quantities)
    figure = Figure(figsize=((3.4 if turned else 2.5) * len(across), (1.6 if turned else 2.1) * len(down) + 0.5))
    grid = figure.subplots(len(down), len(across), squeeze=False, sharex=False if turned else "col")
    grid = grid.T if turned else grid
    for line, (quantity, label) in enumerate(quantities.items()):
        for axes, name in zip(grid[line], instances, strict=True):
            own = [row for row in rows if row.quantity == quantity and row.instance == name]
            kappa_curves(axes, own)
            if quantity != "J" and any(row.iqm > 0 for row in own):
                axes.set_yscale("log")
            if turned:
                axes.set_title(f"{name}, {label}")
            elif not line:
                axes.set_title(name)
        grid[line, 0].set_ylabel("" if turned else label)
    figure.supxlabel(r"outer iteration $m$", fontsize=9)
    shared_legend(figure, max(grid[0], key=lambda axes: len(axes.get_lines())))
    return figure


def simulated(rows: Sequence[SummaryRow]) -> Figure:
    """J(θ(m)) by simulation, on networks whose joint state space is out of reach."""
    return curves(rows, "J", r"$J(\theta(m))$, simulated", log=False)


def curves(rows: Sequence[SummaryRow], quantity: str, label: str, *, log: bool) -> Figure:
    """One curve and one band for each κ; one panel an instance."""
    chosen = [row for row in rows if row.quantity == quantity]
    instances = names(chosen)
    few = len(instances) <= 6
    width, height = (3.4, 2.6) if few else (2.2, 1.9)
    figure, grid = panels(instances, columns=2 if few else 4, width=width, height=height)
    for axes, name in zip(grid, instances, strict=True):
        kappa_curves(axes, [row for row in chosen if row.instance == name])
        if log:
            axes.set_yscale("log")
    outer_labels(figure, r"outer iteration $m$", label)
    shared_legend(figure, max(grid, key=lambda axes: len(axes.get_lines())))
    return figure


def kappa_curves(axes: Axes, rows: Sequence[SummaryRow]) -> None:
    """The curve and the band of each κ of one quantity on one instance."""
    for kappa in sorted({int(row.series) for row in rows}):
        own = [row for row in rows if int(row.series) == kappa]
        x = [row.x for row in own]
        low, high = [row.low for row in own], [row.high for row in own]
        axes.fill_between(x, low, high, color=kappa_color(kappa), alpha=0.2, linewidth=0)
        axes.plot(x, [row.iqm for row in own], color=kappa_color(kappa), label=rf"$\kappa={kappa}$")


DRAWINGS = {
    "learning": (SummaryRow, learning),
    "objective": (SummaryRow, objective),
    "stationarity": (SummaryRow, stationarity),
    "patient": (SummaryRow, patient),
    "simulated": (SummaryRow, simulated),
}
