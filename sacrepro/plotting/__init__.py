"""Rows in, Figure out. A drawing computes nothing but what it shows and opens nothing.

Measured values are markers, bounds are dashed lines, and κ keeps one colour in every figure.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure


class Drawing(NamedTuple):
    """A figure by name: the type of the rows it shows, and the function that draws them."""

    rows: type[Any]
    draw: Callable[[Sequence[Any]], Figure]


#: The room that draws each figure, in the paper's order.
FIGURES = {
    "lemma1": "identity",
    "definition2": "rates",
    "lemma3": "decay",
    "appendix_a": "bounds",
    "influence": "bounds",
    "light_cone": "bounds",
    "actions_one_hop_later": "bounds",
    "reward_radius": "reward_radius",
    "truncation": "decay",
    "lemma4": "gradient",
    "lemma4_sharp": "bounds",
    "lemma4_vector": "bounds",
    "anatomy": "anatomy",
    "td_fixed_point": "critic",
    "critic": "critic",
    "critic_sharp": "critic",
    "assumption3": "exploration",
    "theorem5": "exploration",
    "theorem5_sharp": "bounds",
    "complexity": "complexity",
    "vacuity": "vacuity",
    "adversary": "adversary",
    "learning": "learning",
    "objective": "learning",
    "stationarity": "learning",
    "environments": "environments",
    "table1": "table1",
    "wireless_benchmark": "wireless",
    "patient": "learning",
    "simulated": "learning",
    "critic_error": "experiments",
    "critic_floor": "experiments",
    "diagnostics": "experiments",
    "extensions": "experiments",
    "estimators": "experiments",
    "bench_exact": "bench",
    "bench_sac": "bench",
    "decay_map": "decay_map",
    "overview": "overview",
}


def drawing(name: str) -> Drawing:
    """The drawing called `name`; ValueError lists the known ones."""
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}")
    room = importlib.import_module(f"sacrepro.plotting.{FIGURES[name]}")
    return Drawing(*room.DRAWINGS[name])
