"""Exponential decay on a log axis: what is measured at each κ, and the bound c ρ^{κ+1}."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sacrepro.claims.comparison import Comparison
from sacrepro.plotting.style import BOUND_COLOR, kappa_color, names, outer_labels, panels, shared_legend

#: Marker of each weight family of eq. (6).
FAMILY_MARKERS = {
    "uniform": "o",
    "random": "s",
    "sparse": "D",
    "largest": "^",
    "smallest": "v",
    "opposed": "X",
    "natural": "*",
    "worst of all": "P",
}


def decay(rows: Sequence[Comparison]) -> Figure:
    """D_i(κ) for every agent and policy, against Lemma 3's bound."""
    instances = names(rows)
    figure, grid = panels(instances)
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for kappa in sorted({row.kappa for row in own}):
            left = [row.left for row in own if row.kappa == kappa and row.left > row.error]
            axes.plot([kappa] * len(left), left, "o", color=kappa_color(kappa), alpha=0.5, markeredgewidth=0)
        dashed_bound(axes, own, r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$, Lemma 3")
        integer_axis(axes, own)
    grid[0].plot([], [], "o", color=BOUND_COLOR, label=r"$D_i(\kappa)$, one marker an agent and policy")
    outer_labels(figure, r"$\kappa$", r"$D_i(\kappa)$")
    shared_legend(figure, grid[0])
    return figure


def truncation(rows: Sequence[Comparison]) -> Figure:
    """The largest |Q̂_i - Q_i| over agents and policies for each weight family, against the same bound."""
    instances = names(rows)
    figure, grid = panels(instances)
    families = list(dict.fromkeys(row.case for row in rows))
    for axes, name in zip(grid, instances, strict=True):
        own = [row for row in rows if row.instance == name]
        for place, family in enumerate(families):
            draw_largest(axes, own, family, FAMILY_MARKERS[family], offset(place, len(families)))
        dashed_bound(axes, own, r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$")
        integer_axis(axes, own)
    for family in families:
        grid[0].plot([], [], FAMILY_MARKERS[family], color=BOUND_COLOR, label=f"{family} weights")
    outer_labels(figure, r"$\kappa$", r"$\max\,|\hat Q_i - Q_i|$ over cells, agents, policies")
    shared_legend(figure, grid[0])
    return figure


def draw_largest(axes: Axes, rows: Sequence[Comparison], case: str, marker: str, shift: float) -> None:
    """The largest left side of `case` at each κ, in κ's colour, where it exceeds its error."""
    for kappa in sorted({row.kappa for row in rows}):
        left = [row.left for row in rows if row.case == case and row.kappa == kappa and row.left > row.error]
        if left:
            axes.plot([kappa + shift], [max(left)], marker, color=kappa_color(kappa), markeredgewidth=0)


def offset(place: int, places: int) -> float:
    """A sideways shift that keeps markers at one κ apart."""
    return 0.09 * (place - (places - 1) / 2)


def dashed_bound(axes: Axes, rows: Sequence[Comparison], label: str, style: str = "--") -> None:
    """The largest right side at each κ, as a dashed line; a short one where there is one κ."""
    kappas = sorted({row.kappa for row in rows})
    rights = [max(row.right for row in rows if row.kappa == k) for k in kappas]
    places: list[float] = [kappas[0] - 0.3, kappas[0] + 0.3] if len(kappas) == 1 else [*kappas]
    axes.plot(places, rights * 2 if len(kappas) == 1 else rights, style, color=BOUND_COLOR, label=label)


def integer_axis(axes: Axes, rows: Sequence[Comparison]) -> None:
    """A log axis over integer κ that spans at least two decades, so that its ticks are powers of ten."""
    largest = max(row.kappa for row in rows)
    two_decades(axes)
    axes.set_xticks(range(largest + 1))
    axes.set_xlim(-0.5, largest + 0.5)


def two_decades(axes: Axes) -> None:
    """A vertical log axis over what is drawn, and over two decades at least."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, high / 100), 1.5 * high)


DRAWINGS = {"lemma3": (Comparison, decay), "truncation": (Comparison, truncation)}
