"""Which κ is best at which sample budget, and whether the seeds tell it from the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sacrepro.claims.summary import SummaryRow

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
    groups: dict[tuple[str, str, float], list[SummaryRow]] = {}
    for row in rows:
        if row.quantity in COMPARED:
            groups.setdefault((row.instance, row.quantity, row.x), []).append(row)
    for (instance, quantity, x), group in groups.items():
        if len(group) < 2:
            continue
        sign = -1.0 if COMPARED[quantity] else 1.0
        best = min(group, key=lambda row: (sign * row.iqm, int(row.series)))
        others = [row for row in group if row is not best]
        clear = all(row.low > best.high or row.high < best.low for row in others)
        yield BestKappaRow(instance, quantity, x, int(best.series), best.iqm, int(clear))
