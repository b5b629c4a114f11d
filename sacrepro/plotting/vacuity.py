"""Where the bounds say something: from which κ on each is below the trivial one, beside the κ that the network has."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, KAPPA_COLORS, names

#: Marker, colour and vertical shift of each reading.
READINGS = {
    "(9)": ("X", KAPPA_COLORS[5], -0.2),
    "(9), sharp bias": ("s", KAPPA_COLORS[1], 0.0),
    "Lemma 4": ("o", KAPPA_COLORS[0], 0.2),
}


def vacuity(rows: Sequence[Comparison]) -> Figure:
    """The κ from which on bound/trivial bound is below 1, one marker a reading; bars: every κ under the diameter.

    Lemma 4 is shown for the agent where it is first.
    """
    instances = names(rows)
    figure = Figure(figsize=(6.4, 0.9 + 0.26 * len(instances)))
    axes = figure.subplots()
    for place, name in enumerate(instances):
        own = [row for row in rows if row.instance == name]
        last = max(row.kappa for row in own)
        axes.barh(place, last + 0.8, left=-0.4, height=0.7, color="#d9d9d9", label=None if place else OWN)
        for hypothesis, (marker, color, shift) in READINGS.items():
            found = [row.case.removeprefix(FROM) for row in own if row.hypothesis == hypothesis]
            first = min((int(kappa) for kappa in found if kappa.isdigit()), default=None)
            if first is not None:
                axes.plot([first], [place + shift], marker, color=color, markeredgewidth=0)
    for hypothesis, (marker, color, _) in READINGS.items():
        axes.plot([], [], marker, color=color, label=hypothesis)
    axes.axvline(-0.4, color=BOUND_COLOR, linewidth=0.6)
    axes.set_xscale("symlog", linthresh=10, linscale=1.5)
    axes.set_xticks([0, 2, 4, 6, 8, 10, 20, 50, 100, 200])
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlim(left=-0.4)
    axes.set_yticks(range(len(instances)), instances)
    axes.set_ylim(len(instances) - 0.5, -0.5)
    axes.set_xlabel(r"$\kappa$; a marker within the bar: the bound says something on this network")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


#: How `case` begins, and the label of the bars.
FROM, OWN = "from κ=", r"$\kappa$ under the diameter"

DRAWINGS = {"vacuity": (Comparison, vacuity)}
