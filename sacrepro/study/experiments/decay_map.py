"""Decay drawn on the graph: how much the state of each agent matters to the value of one.

A change of s_j alone reaches s_i after d(i, j) steps at the earliest, so V_i varies by r̄γ^{d(i,j)}/(1-γ) at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.archive.files import arrays_of, write_rows
from sacrepro.study.arguments import File
from sacrepro.study.record.case import Case, cases


class MapRow(NamedTuple):
    """One agent as the center sees it.

    x, y      : place in the drawing. neighbors: agents it is joined to, with spaces between.
    influence : the largest |V_i(s) - V_i(s')| over s, s' that differ at this agent only, i the center.
    """

    instance: str
    policy: str
    center: int
    agent: int
    x: float
    y: float
    neighbors: str
    distance: int
    influence: float
    bound: float
    error: float


def map_rows(case: Case) -> Iterator[MapRow]:
    """A row for each agent, seen from the one that feels the farthest; unreachable agents have distance -1."""
    mdp = case.mdp
    lengths = dict(nx.all_pairs_shortest_path_length(mdp.graph))
    influence = [[float(np.ptp(V_i, axis=j).max()) for j in range(mdp.n)] for V_i in case.V]
    error = 2.0 * case.error
    center = max(range(mdp.n), key=lambda i: max(d for j, d in lengths[i].items() if influence[i][j] > error or j == i))
    places = nx.kamada_kawai_layout(mdp.graph) if mdp.n > 1 else {0: (0.0, 0.0)}
    for j in range(mdp.n):
        d = lengths[center].get(j, -1)
        bound = mdp.r_bar * mdp.gamma**d / (1.0 - mdp.gamma) if d >= 0 else 0.0
        yield MapRow(
            instance=case.instance,
            policy=case.policy,
            center=center,
            agent=j,
            x=round(float(places[j][0]), 4),
            y=round(float(places[j][1]), 4),
            neighbors=" ".join(map(str, sorted(mdp.graph[j]))),
            distance=d,
            influence=influence[center][j],
            bound=bound,
            error=error,
        )


def decay_map(exact: Sequence[str], *, output: File) -> Iterator[str]:
    """Write what the state of each agent is worth to one of them, with its place in a drawing of the graph."""
    rows: list[MapRow] = []
    for path in exact:
        for case in cases(arrays_of("exact", path)):
            rows += map_rows(case)
        yield f"{case.instance}: done"
    write_rows(output, MapRow, rows)
