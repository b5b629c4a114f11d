"""How close each bound was pushed to equality: at random, by the adversary, and on instances built for it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.adversary import Found
from sacrepro.plotting.panels import columns_of, frame, listed, log_axis
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS

#: Marker, colour and label of each search.
SEARCHES = {
    "random": ("|", KAPPA_COLORS[0], "random models"),
    "adversary": ("o", KAPPA_COLORS[5], "adversary"),
    "structured": ("x", KAPPA_COLORS[2], "instances built for it"),
}


def adversary(rows: Sequence[Found]) -> Figure:
    """One line a reading of a claim: the largest left/right of each search; a mark beyond 1 would falsify the claim.
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
    columns_of(none, ["none"])
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR, label="left = right")
    log_axis(axes, "x")
    frame(figure, "largest left/right found")
    return figure


DRAWINGS = {"adversary": (Found, adversary)}
