"""SAC over its outer iterations m, one curve for each κ with a band over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from sacrepro.claims.trace import LearningRow, StationarityRow
from sacrepro.model import Array
from sacrepro.plotting.style import kappa_color, names, outer_labels, panels, shared_legend

#: The band covers the middle 80 % of the seeds.
BAND = (10.0, 90.0)


def learning(rows: Sequence[LearningRow]) -> Figure:
    """The discounted return of the sampled trajectories, averaged since the record before."""
    return curves(rows, "J_estimate", r"$\sum_{t\leq T}\gamma^t r(t)$, sampled", log=False)


def objective(rows: Sequence[StationarityRow]) -> Figure:
    """J(θ(m)) computed exactly along the runs."""
    return curves(rows, "J", r"$J(\theta(m))$, exact", log=False)


def stationarity(rows: Sequence[StationarityRow]) -> Figure:
    """‖∇J(θ(m))‖² computed exactly along the runs, on a log axis."""
    return curves(rows, "gradient_norm_squared", r"$\|\nabla J(\theta(m))\|^2$, exact", log=True)


def curves(rows: Sequence[LearningRow | StationarityRow], field: str, label: str, *, log: bool) -> Figure:
    """Median over seeds and the band of `BAND`, for each κ; one panel an instance."""
    instances = names(rows)
    figure, grid = panels(instances, columns=2, width=3.4, height=2.6)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            m, values = by_seed([row for row in own if row.kappa == kappa], field)
            low, high = np.percentile(values, BAND, axis=0)
            axes.fill_between(m, low, high, color=kappa_color(kappa), alpha=0.15, linewidth=0)
            axes.plot(m, np.median(values, axis=0), color=kappa_color(kappa), label=rf"$\kappa={kappa}$")
        if log:
            axes.set_yscale("log")
    outer_labels(figure, r"outer iteration $m$", label)
    shared_legend(figure, max(grid, key=lambda axes: len(axes.get_lines())))
    return figure


def by_seed(rows: Sequence[LearningRow | StationarityRow], field: str) -> tuple[Array, Array]:
    """(m, values): the recorded iterations, and one row of values a seed."""
    seeds = sorted({row.seed for row in rows})
    series = [[(row.m, getattr(row, field)) for row in rows if row.seed == seed] for seed in seeds]
    m = np.array([m for m, _ in series[0]])
    return m, np.array([[value for _, value in one] for one in series])


DRAWINGS = {
    "learning": (LearningRow, learning),
    "objective": (StationarityRow, objective),
    "stationarity": (StationarityRow, stationarity),
}
