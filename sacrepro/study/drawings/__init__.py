"""Rows in, Figure out. A drawing computes nothing but what it shows and opens nothing.

Measured values are markers, bounds are dashed lines, and κ keeps one colour in every figure.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.record.comparison import Comparison


class NamedDrawing(NamedTuple):
    """A figure by name: the type of the rows it shows, the function that draws them, and what it says below them."""

    rows: type[Any]
    draw: Callable[[Sequence[Any]], Figure]
    caption: str


#: Those of claims in the paper's order, then all others.
FIGURES = (
    *CLAIMS, "adversary", "learning", "objective", "stationarity", "environments", "table1", "wireless_benchmark",
    "patient", "simulated", "critic_error", "critic_floor", "diagnostics", "extensions", "estimators", "bench_exact",
    "bench_sac", "decay_map", "exact_bias", "overview",
)  # fmt: skip


def drawing(name: str) -> NamedDrawing:
    """The drawing called `name`; ValueError lists the known ones."""
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}")
    if name in CLAIMS:  # which does not wait for the learners that runs load
        from sacrepro.study.drawings import bounds, critic, decay, proofs

        shown = claim(name).drawing
        kinds: dict[str, Any] = {**bounds.KINDS, **critic.KINDS, **decay.KINDS, **proofs.KINDS}
        kind = kinds[shown.kind]
        return NamedDrawing(Comparison, partial(kind, drawing=shown), shown.caption or caption(kind))
    from sacrepro.study.drawings import bench, runs, surveys

    others: dict[str, Any] = {**bench.DRAWINGS, **runs.DRAWINGS, **surveys.DRAWINGS}
    rows, draw = others[name]
    return NamedDrawing(rows, draw, caption(draw))


def caption(draw: Callable[..., Figure]) -> str:
    """The first paragraph of a drawing's docstring."""
    return inspect.cleandoc(draw.__doc__ or "").partition("\n\n")[0]
