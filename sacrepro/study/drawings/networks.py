"""The network itself: which κ is certified for each agent, what others are worth to one of them; and small sketches.

    python -m sacrepro sketches paper/instances

draws those of paper/instances.md. An arrow j → i stands where P_i depends on s_j.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from sacrepro.adviser.advice import AgentRow
from sacrepro.archive.files import write_text
from sacrepro.instances.extremal import coin_lover, courtesy, ladder, latch, parity, td_witness
from sacrepro.instances.relay import relay
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.drawings.panels import (
    BOUND_COLOR,
    LINE,
    framed,
    grid_of,
    kappa_color,
    kappa_marker,
    literal,
    remark,
    width_of,
)
from sacrepro.study.experiments.environments import MapRow
from sacrepro.study.record.comparison import by

#: With more edges than this they would hide the agents; beyond so many agents a raster keeps the file small.
MOST_EDGES = 3000
#: Colour of agents for which no κ looked at is enough.
NONE = "#999999"
#: Names are drawn for at most so many agents, each in at most so many points.
NAMED, NAME_WIDTH, NAME_SIZE = 40, 66.0, 6.0
#: Inches of a panel, and the share of it that the agents take.
SIDE, SHARE = 3.5, 0.86

Box = tuple[float, float, float, float]


def advice(rows: Sequence[AgentRow], edges: Sequence[tuple[int, int]], error: float) -> Figure:
    """Agents at their places: left in colour and marker of the κ they need for `error`, right in the colour of their
    decay rate, unless all have the same.
    """
    rates = np.array([row.rate for row in rows])
    finite = rates[np.isfinite(rates)]
    differ = len(finite) > 0 and bool(np.ptp(finite) > 0.01 * np.abs(finite).max())
    figure, grid = grid_of(1, 2 if differ else 1, SIDE + 0.8, SIDE, left=0.3, gap=0.8, end=0.8)
    place = in_points(np.array([[row.x, row.y] for row in rows], dtype=float))
    size = float(np.sqrt(np.clip(2400 / len(rows), 1.5, 70)))
    for axes in grid[0]:
        network(axes, place, edges)
    left = grid[0, 0]
    needed(left, rows, place, size)
    left.set_title(f"least κ certified to keep an agent's table within {error:.3g}")
    factor = r"factor of its influence bound from one $\kappa$ to the next"
    if differ:
        right = grid[0, 1]
        large = len(rows) > MOST_EDGES
        drawn = right.scatter(*place.T, s=size**2, c=rates, cmap="viridis", linewidths=0, zorder=2, rasterized=large)
        right.set_title(factor)
        figure.colorbar(drawn, cax=right.inset_axes((1.02, 0.15, 0.03, 0.7)))
    return framed(figure, "" if differ or not len(finite) else f"{factor}: {finite[0]:.2g} for all")


def in_points(place: Array) -> Array:
    """Places with the same scale on both axes, centred in a panel, in points from its lower left corner."""
    side = 72.0 * (SIDE - LINE)
    low, high = place.min(axis=0), place.max(axis=0)
    scale = SHARE * side / max(float((high - low).max()), 1e-12)
    placed: Array = side / 2 + scale * (place - (low + high) / 2)
    return placed


def network(axes: Axes, place: Array, edges: Sequence[tuple[int, int]]) -> None:
    """An empty panel with the edges, one unit a point."""
    across, up = axes.get_position().size * axes.get_figure().get_size_inches() * 72.0  # type: ignore[union-attr]
    middle = 72.0 * (SIDE - LINE) / 2
    axes.set(xlim=(middle - across / 2, middle + across / 2), ylim=(middle - up / 2, middle + up / 2))
    axes.set_axis_off()
    if len(edges) <= MOST_EDGES:
        lines = LineCollection(place[np.array(edges, dtype=int).reshape(-1, 2)], colors="#c8c8c8", linewidths=0.7)
        lines.set_zorder(1)
        axes.add_collection(lines, autolim=False)


def needed(axes: Axes, rows: Sequence[AgentRow], place: Array, size: float) -> None:
    """Each agent by the κ it needs, those that were measured in a ring, and the names for which there is room."""
    large = len(rows) > MOST_EDGES
    for kappa in sorted({row.kappa for row in rows}):
        own = np.array([row.kappa == kappa for row in rows])
        count = f"({int(own.sum()):,})"
        if kappa < 0:
            color, marker, label = NONE, "o", f"none looked at {count}"
        else:
            color, marker, label = kappa_color(kappa), kappa_marker(kappa), rf"$\kappa={kappa}$ {count}"
        look: dict[str, Any] = {"color": color, "markersize": size, "markeredgewidth": 0, "rasterized": large}
        axes.plot(*place[own].T, marker, label=label, zorder=2, **look)
    looked_at = np.array([row.looked_at for row in rows])
    if not looked_at.all():
        ring: dict[str, Any] = {"color": BOUND_COLOR, "markersize": size + 4, "fillstyle": "none"}
        axes.plot(*place[looked_at].T, "o", label="measured", zorder=3, markeredgewidth=0.9, **ring)
    if len(rows) <= NAMED:
        left_out = name_agents(axes, [row.name for row in rows], place, size)
        if left_out:
            axes.text(0.0, 0.0, f"names without room: {left_out}", transform=axes.transAxes, fontsize=NAME_SIZE)


def name_agents(axes: Axes, names: Sequence[str], place: Array, size: float) -> int:
    """Write each name where it covers no agent and no other name, and return how many names found no such place."""
    side = 72.0 * (SIDE - LINE)
    radius = size / 2 + 2.5
    agents = [(x - radius, y - radius, x + radius, y + radius) for x, y in place]
    taken: list[Box] = []
    left_out = 0
    for name, (x, y), own in zip(names, place, agents, strict=True):
        label = literal(name, NAME_WIDTH, NAME_SIZE)
        half, high = width_of(label, NAME_SIZE) / 2 + 1.0, NAME_SIZE + 1.0
        spots = [(0.0, -radius - high / 2), (0.0, radius + high / 2), (radius + half, 0.0), (-radius - half, 0.0)]
        boxes = [(x + a - half, y + b - high / 2, x + a + half, y + b + high / 2) for a, b in spots]
        others = [agent for agent in agents if agent != own]
        free = [box for box in boxes if not overlaps(box, others + taken) and inside(box, side)]
        if not free:
            left_out += 1
            continue
        taken.append(free[0])
        middle = ((free[0][0] + free[0][2]) / 2, (free[0][1] + free[0][3]) / 2)
        halo = [withStroke(linewidth=1.5, foreground="white")]
        axes.text(*middle, label, fontsize=NAME_SIZE, ha="center", va="center_baseline", path_effects=halo, zorder=4)
    return left_out


def overlaps(box: Box, others: Iterable[Box]) -> bool:
    """Whether a box meets one of the others."""
    return any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in others)


def inside(box: Box, side: float) -> bool:
    """Whether a box lies in the panel or not far beside it."""
    return box[0] > -20.0 and box[1] > 8.0 and box[2] < side + 20.0 and box[3] < side


# The graph itself, each agent in the colour of what its state is worth to one of them.

#: At most so many instances are drawn, those with the most agents.
PANELS = 3


def decay_map(rows: Sequence[MapRow]) -> Figure:
    """How much V_i varies with the state of each agent alone, i the ringed one, under the uniform policy.
    The number in a node is its distance d from i. A node whose colour exceeds r̄γ^d/(1-γ), the dashed tick of d at the
    colour bar, would falsify the light cone; a hollow node has no influence beyond the certified error.
    """
    groups = by((row for row in rows if row.policy == rows[0].policy), "instance")
    shown = sorted(groups.items(), key=lambda group: -len(group[1]))[:PANELS]
    figure, grid = grid_of(1, len(shown), 3.3, 2.9, left=0.0, gap=0.75, bottom=0.0, end=0.75)
    for axes, (name, own) in zip(grid[0], shown, strict=True):
        axes.set_title(literal(name))
        draw_network(figure, axes, own)
    return figure


def draw_network(figure: Figure, axes: Axes, rows: Sequence[MapRow]) -> None:
    """One network with its colour bar."""
    by_agent = {row.agent: row for row in rows}
    for row in rows:
        for j in map(int, row.neighbors.split()):
            axes.plot([row.x, by_agent[j].x], [row.y, by_agent[j].y], color="#bbbbbb", linewidth=0.8, zorder=1)
    felt = [row for row in rows if row.influence > row.error]
    least = min((row.influence for row in felt), default=1.0)
    norm = LogNorm(0.5 * least, max(row.bound for row in rows) * 1.2)
    palette = mpl.colormaps["viridis_r"]
    for row in rows:
        color = palette(norm(row.influence)) if row in felt else "white"
        edge, width = ("black", 2.2) if row.agent == row.center else ("#555555", 0.6)
        axes.scatter([row.x], [row.y], s=150, color=color, edgecolor=edge, linewidth=width, zorder=2)
        dark = row in felt and float(norm(row.influence)) > 0.5
        label = str(row.distance) if row.distance >= 0 else "∞"
        axes.text(
            row.x, row.y, label, ha="center", va="center", fontsize=7, color="white" if dark else "black", zorder=3
        )
    axes.set_axis_off()
    if not felt:
        remark(axes, "0 up to the certificate")
    axes.margins(0.12)
    bar = figure.colorbar(mpl.cm.ScalarMappable(norm, palette), cax=axes.inset_axes((1.0, 0.1, 0.04, 0.8)))
    bar.ax.minorticks_off()
    bar.set_label(r"variation of $V_i$ with $s_j$", fontsize=8)
    for bound in sorted({row.bound for row in rows if row.bound > 0.0}):
        bar.ax.axhline(bound, color=BOUND_COLOR, linestyle=(0, (1.5, 1)), linewidth=1.2)


# Instances, read off their models: who reads whom, whose action matters, who is paid.

#: Points: the radius of an agent, between two agents of a path, around a star, the margins, one line of text.
RADIUS, STEP, AROUND, MARGIN, ROW = 11.0, 74.0, 62.0, 30.0, 13.0
INK, PAID, PAPER = "#222222", "#E69F00", "#ffffff"


class Role(NamedTuple):
    """reads : the agents j whose s_j moves P_i. acts : whether a_i moves P_i or r_i. paid : whether r_i varies."""

    reads: tuple[int, ...]
    acts: bool
    paid: bool


def varies(table: Array, axis: int) -> bool:
    """Whether a table depends on its index along an axis."""
    return bool(np.ptp(table, axis=axis).max() > 0)


def roles(mdp: NetworkedMDP) -> list[Role]:
    """The part of every agent, from its kernel and rewards."""
    found = []
    for i, (P_i, r_i) in enumerate(zip(mdp.P, mdp.r, strict=True)):
        reads = tuple(j for axis, j in enumerate(neighborhood(mdp.graph, i, 1)) if varies(P_i, axis))
        found.append(Role(reads, varies(P_i, P_i.ndim - 2) or varies(r_i, 1), bool(np.ptp(r_i) > 0)))
    return found


def sketch(name: str, mdp: NetworkedMDP, does: Sequence[str]) -> str:
    """The picture as SVG. does : what each agent does, in a few words; empty for one that does as the agent before."""
    hub = next((i for i in mdp.graph if mdp.n > 3 and mdp.graph.degree(i) == mdp.n - 1), None)
    if hub is None:
        place = [(MARGIN + STEP * i, MARGIN + ROW + RADIUS) for i in range(mdp.n)]
    else:
        turn = 2 * math.pi / (mdp.n - 1)
        spots = iter([(AROUND * math.sin(k * turn), -AROUND * math.cos(k * turn)) for k in range(mdp.n - 1)])
        middle = MARGIN + AROUND
        offsets = [(0.0, 0.0) if i == hub else next(spots) for i in range(mdp.n)]
        place = [(1.4 * middle + x, middle + 2 * ROW + y) for x, y in offsets]
    width = max(max(x for x, _ in place) + MARGIN, 5.6 * max(map(len, [name, *does])) + 24)
    told = [f"{'all' if len(agents) == mdp.n else told_agents(agents)}: {words}" for words, agents in grouped(does)]
    low = max(y for _, y in place) + RADIUS + 6
    height = low + ROW * len(told) + 6
    found = roles(mdp)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-family="sans-serif"'
        f' font-size="10" role="img" aria-label="{escape(name)}">',
        '<defs><marker id="a" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0L6 3L0 6z" fill="{INK}"/></marker></defs>',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text x="6" y="{ROW:.0f}" font-weight="bold">{escape(name)}</text>',
        *(shape for i in range(mdp.n) for shape in drawn(i, found, place)),
        *(f'<text x="6" y="{low + ROW * (k + 0.7):.0f}">{escape(line)}</text>' for k, line in enumerate(told)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def drawn(i: int, found: Sequence[Role], place: Sequence[tuple[float, float]]) -> Iterator[str]:
    """One agent with the arrows that lead to it."""
    (x, y), role = place[i], found[i]
    line = f'fill="none" stroke="{INK}" marker-end="url(#a)"'
    for j in role.reads:
        if j == i:
            yield f'<path d="M{x - 5:.1f} {y - RADIUS:.1f}c-6 -13 16 -13 10 -1" {line}/>'
            continue
        a, b = x - place[j][0], y - place[j][1]
        length = math.hypot(a, b)
        u, v = a / length, b / length
        aside = 3 if i in found[j].reads else 0  # two arrows between two agents stand side by side
        start = place[j][0] + RADIUS * u - aside * v, place[j][1] + RADIUS * v + aside * u
        end = x - (RADIUS + 1) * u - aside * v, y - (RADIUS + 1) * v + aside * u
        yield f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" {line}/>'
    look = f'fill="{PAID if role.paid else PAPER}" stroke="{INK}"'
    if role.acts:
        side = 1.8 * RADIUS
        yield f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" {look}/>'
    else:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:.0f}" {look}/>'
    yield f'<text x="{x:.1f}" y="{y + 3.5:.1f}" text-anchor="middle">{i}</text>'


def grouped(does: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Words with the agents they are about."""
    groups: list[tuple[str, list[int]]] = []
    for i, words in enumerate(does):
        if words or not groups:
            groups.append((words, [i]))
        else:
            groups[-1][1].append(i)
    return groups


def told_agents(agents: Sequence[int]) -> str:
    """Agents in a row: 3, or 1–4."""
    return str(agents[0]) if len(agents) == 1 else f"{agents[0]}–{agents[-1]}"


def sketches(folder: str) -> Iterator[str]:
    """Draw the instances that carry results, one SVG each, into a folder."""
    for name, (mdp, does) in sketched().items():
        write_text(Path(folder) / f"{name}.svg", sketch(name, mdp, does))
        yield f"{name}.svg"


def sketched() -> dict[str, tuple[NetworkedMDP, Sequence[str]]]:
    """The instances that carry results, smaller where that shows as much, each with what its agents do."""
    return {
        "relay": (relay(5, gamma=0.9), ["keeps its bit", "copy the agent before", "", "", ""]),
        "parity": (parity(6, gamma=0.5), ["goes to a_0 ⊕ the leaves' bits", "copy the hub", *[""] * 4]),
        "courtesy": (
            courtesy(5, gamma=0.9, coupling=0.6, most=3),
            ["a_i = 1 costs i now, pays i, i+1, … later", *[""] * 4],
        ),
        "td_witness": (td_witness(), ["paid for a 1; both mix all bits", "mostly 1 when s_0 = 0, 0 when s_0 = 1"]),
        "ladder": (ladder(3, 2.0, 0.1, 0.9), ["climbs rungs, hopes for the bonus", "good once, on entry; then bad"]),
        "latch": (latch(5, 0.9), ["keeps its first action for ever", "copy the agent before", "", "", ""]),
        "coin_lover": (coin_lover(), ["moves by a_0, s_0 and s_1", "moves by a_1, s_1 and s_0, paid where a_1 = s_1"]),
    }
