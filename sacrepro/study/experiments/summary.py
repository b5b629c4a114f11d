"""Seeds summarised: the interquartile mean, with a bootstrap interval over seeds.

The interquartile mean drops a quarter of the seeds at either end: less noisy than the median, less moved by single
runs than the mean. Intervals are percentile bootstraps of 2,000 resamples under a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sacrepro.archive.files import some_rows, write_rows
from sacrepro.model.checks import Array
from sacrepro.study.arguments import File, Kind
from sacrepro.study.experiments import KINDS, rows_of
from sacrepro.study.record.comparison import by

#: Share of the seeds dropped at either end, resamples, confidence, and the seed of the resampling.
TRIM, RESAMPLES, CONFIDENCE, SEED = 0.25, 2000, 0.95, 0


class SummaryRow(NamedTuple):
    """One quantity at one place on the x axis, over all seeds: its interquartile mean and the interval [low, high].

    series : what distinguishes curves of one instance, such as κ or the method.    x : outer iteration, T, …
    """

    instance: str
    series: str
    x: float
    quantity: str
    iqm: float
    low: float
    high: float
    seeds: int


def summary(kind: str, rows: Sequence[Any]) -> list[SummaryRow]:
    """All rows of one kind, summarised over their seeds."""
    chosen = KINDS[kind]
    if chosen.quantities:
        return list(summary_rows(rows, chosen.series, chosen.x, chosen.quantities))
    found = []
    for quantity, own in by(rows, "quantity").items():
        found += [row._replace(quantity=quantity) for row in summary_rows(own, chosen.series, chosen.x, ("value",))]
    return found


def iqm_interval(values: Array) -> tuple[Array, Array, Array]:
    """(interquartile mean, low, high) over the first axis, seeds, of shape (seeds, …) at each place of the others."""
    from scipy.stats import bootstrap, trim_mean

    middle = trim_mean(values, TRIM, axis=0)
    if len(values) < 2:
        return middle, middle, middle
    found = bootstrap(
        (values,),
        lambda sample, axis: trim_mean(sample, TRIM, axis=axis),
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        axis=0,
        rng=np.random.default_rng(SEED),
    )
    return middle, found.confidence_interval.low, found.confidence_interval.high


def summary_rows(rows: Sequence[Any], series: str, x: str, quantities: Sequence[str]) -> Iterator[SummaryRow]:
    """One row for each instance, value of the field `series`, value of the field `x`, and quantity.

    Every curve must have the same seeds at all its places; ValueError names one that has not.
    """
    curves: dict[tuple[str, str], dict[float, dict[int, Any]]] = {}
    for row in rows:
        curve = curves.setdefault((row.instance, str(getattr(row, series))), {})
        curve.setdefault(float(getattr(row, x)), {})[row.seed] = row
    for (instance, own), places in curves.items():
        seeds = sorted(next(iter(places.values())))
        for place, found in places.items():
            if sorted(found) != seeds:
                raise ValueError(f"{instance}, {series} {own}: {x} = {place} has seeds {sorted(found)}, not {seeds}")
        for quantity in quantities:
            values = np.array([[getattr(found[seed], quantity) for found in places.values()] for seed in seeds])
            for place, iqm, low, high in zip(places, *iqm_interval(values), strict=True):
                yield SummaryRow(instance, own, place, quantity, float(iqm), float(low), float(high), len(seeds))


# Which κ is best at which sample budget, and whether the seeds tell it from the others.

#: Quantities that are compared, and whether more is better.
COMPARED = {"to_Q": False, "J": True, "gap": False, "gradient_norm_squared": False}


class BestKappaRow(NamedTuple):
    """The best κ of one quantity on one instance at one place of the x axis: T, or the outer iteration.

    clear : 1 if its interval meets no other κ's interval, else 0.
    """

    instance: str
    quantity: str
    x: float
    kappa: int
    iqm: float
    clear: int


def best_kappa_rows(rows: Sequence[SummaryRow]) -> Iterator[BestKappaRow]:
    """One row for each instance, compared quantity and place where two or more κ were measured; ties: the least κ."""
    compared = (row for row in rows if row.quantity in COMPARED)
    for (instance, quantity, x), group in by(compared, "instance", "quantity", "x").items():
        if len(group) < 2:
            continue
        sign = -1.0 if COMPARED[quantity] else 1.0
        best = min(group, key=lambda row: (sign * row.iqm, int(row.series)))
        others = [row for row in group if row is not best]
        clear = all(row.low > best.high or row.high < best.low for row in others)
        yield BestKappaRow(instance, quantity, x, int(best.series), best.iqm, int(clear))


def job(kind: Kind, rows: Sequence[str], *, output: File) -> Iterator[str]:
    """Summarise rows of one kind over their seeds: interquartile means with bootstrap intervals."""
    given = some_rows(rows, rows_of(KINDS[kind]))
    found = summary(kind, given)
    write_rows(output, SummaryRow, found)
    yield f"{kind}: {len(given)} rows, {len(found)} summaries"


def best_kappa(summaries: Sequence[str], *, output: File) -> Iterator[str]:
    """Say which κ is best at which sample budget, from summaries of runs."""
    found = [row for path in summaries for row in best_kappa_rows(some_rows([path], SummaryRow))]
    write_rows(output, BestKappaRow, found)
    yield f"{len(found)} comparisons, {sum(row.clear for row in found)} clear"
