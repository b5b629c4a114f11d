"""Rows in, Figure out. A drawing computes nothing but what it shows and opens nothing.

Measured values are markers, bounds are dashed lines, and κ keeps one colour in every figure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure


class NamedDrawing(NamedTuple):
    """A figure by name: the type of the rows it shows, and the function that draws them."""

    rows: type[Any]
    draw: Callable[[Sequence[Any]], Figure]


#: The room that draws each figure, in the paper's order.
FIGURES = {
    "lemma1": "proofs",
    "definition2": "decay",
    "lemma3": "decay",
    "appendix_a": "bounds",
    "influence": "bounds",
    "light_cone": "bounds",
    "actions_one_hop_later": "bounds",
    "reward_radius": "bounds",
    "truncation": "decay",
    "lemma4": "decay",
    "lemma4_sharp": "bounds",
    "lemma4_vector": "bounds",
    "anatomy": "proofs",
    "td_fixed_point": "critic",
    "critic": "critic",
    "critic_sharp": "critic",
    "assumption3": "critic",
    "theorem5": "critic",
    "theorem5_sharp": "bounds",
    "complexity": "critic",
    "vacuity": "proofs",
    "adversary": "surveys",
    "learning": "runs",
    "objective": "runs",
    "stationarity": "runs",
    "environments": "surveys",
    "table1": "surveys",
    "wireless_benchmark": "surveys",
    "patient": "runs",
    "simulated": "runs",
    "critic_error": "runs",
    "critic_floor": "runs",
    "diagnostics": "runs",
    "extensions": "runs",
    "estimators": "runs",
    "bench_exact": "bench",
    "bench_sac": "bench",
    "decay_map": "surveys",
    "overview": "surveys",
}


def drawing(name: str) -> NamedDrawing:
    """The drawing called `name`; ValueError lists the known ones."""
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}")
    room = importlib.import_module(f"sacrepro.study.drawings.{FIGURES[name]}")
    return NamedDrawing(*room.DRAWINGS[name])
