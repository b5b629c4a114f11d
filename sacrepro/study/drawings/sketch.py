"""A small picture of an instance, read off its model: who reads whom, whose action matters, who is paid.

    python -m sacrepro sketches paper/instances

draws those of paper/instances.md. An arrow j → i stands where P_i depends on s_j.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import write_text
from sacrepro.instances.extremal import coin_lover, courtesy, ladder, latch, parity, td_witness
from sacrepro.instances.relay import relay
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP

#: Points: the radius of an agent, between two agents of a path, around a star, the margins, one line of text.
RADIUS, STEP, AROUND, MARGIN, LINE = 11.0, 74.0, 62.0, 30.0, 13.0
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
        place = [(MARGIN + STEP * i, MARGIN + LINE + RADIUS) for i in range(mdp.n)]
    else:
        turn = 2 * math.pi / (mdp.n - 1)
        spots = iter([(AROUND * math.sin(k * turn), -AROUND * math.cos(k * turn)) for k in range(mdp.n - 1)])
        middle = MARGIN + AROUND
        offsets = [(0.0, 0.0) if i == hub else next(spots) for i in range(mdp.n)]
        place = [(1.4 * middle + x, middle + 2 * LINE + y) for x, y in offsets]
    width = max(max(x for x, _ in place) + MARGIN, 5.6 * max(map(len, [name, *does])) + 24)
    told = [f"{'all' if len(agents) == mdp.n else told_agents(agents)}: {words}" for words, agents in grouped(does)]
    low = max(y for _, y in place) + RADIUS + 6
    height = low + LINE * len(told) + 6
    found = roles(mdp)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-family="sans-serif"'
        f' font-size="10" role="img" aria-label="{escape(name)}">',
        '<defs><marker id="a" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0L6 3L0 6z" fill="{INK}"/></marker></defs>',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text x="6" y="{LINE:.0f}" font-weight="bold">{escape(name)}</text>',
        *(shape for i in range(mdp.n) for shape in drawn(i, found, place)),
        *(f'<text x="6" y="{low + LINE * (k + 0.7):.0f}">{escape(line)}</text>' for k, line in enumerate(told)),
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
