"""How close each bound was pushed to equality: at random, by the adversary, and on instances built for it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.adversary import Found
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS

#: Marker, colour and label of each search.
SEARCHES = {
    "random": ("|", KAPPA_COLORS[0], "random models"),
    "adversary": ("o", KAPPA_COLORS[5], "adversary"),
    "structured": ("x", KAPPA_COLORS[2], "instances built for it"),
}


def adversary(rows: Sequence[Found]) -> Figure:
    """One line a reading of a claim: the largest left/right of each search; a mark beyond 1 would falsify the claim."""
    figure = Figure(figsize=(6.4, 0.9 + 0.22 * len(rows)))
    axes = figure.subplots()
    places = range(len(rows))
    for name, (marker, color, label) in SEARCHES.items():
        ratios = [getattr(row, name) for row in rows]
        shown = [(ratio, place) for ratio, place in zip(ratios, places, strict=True) if ratio > 0]
        axes.plot(*zip(*shown, strict=True), marker, color=color, label=label, fillstyle="none")
    axes.axvline(1.0, linestyle="--", color=BOUND_COLOR)
    axes.set_xscale("log")
    axes.set_yticks(places, [f"{row.claim}: {row.hypothesis}".removesuffix(": ") for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", alpha=0.3)
    axes.set_xlabel("largest left/right found")
    figure.legend(loc="outside upper center", ncols=len(SEARCHES))
    return figure


DRAWINGS = {"adversary": (Found, adversary)}
