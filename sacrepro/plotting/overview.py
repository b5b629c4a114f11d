"""All claims in one figure: how close each bound comes to what it bounds."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import JUDGEMENTS, Verdict
from sacrepro.plotting.panels import columns_of, frame, listed, log_axis
from sacrepro.plotting.style import BOUND_COLOR

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
    """The worst left/right of every right side of every claim; 1 is equality, a marker to the right of it a violation.
    What has no ratio stands in columns of its own: identities, what constrains nothing, left sides of 0.
    Counterexamples, which lie to the right on purpose, are crosses.
    """
    claims = list(dict.fromkeys(row.claim for row in rows))
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
    frame(figure, "worst left / right of each right side")
    return figure


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


DRAWINGS = {"overview": (Verdict, overview)}
