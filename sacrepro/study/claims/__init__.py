"""One file per claim: its statement in one line and a `check` that measures both sides. Only here do they meet."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

#: In the paper's order.
CLAIMS = (
    "lemma1",
    "definition2",
    "lemma3",
    "appendix_a",
    "influence",
    "light_cone",
    "actions_one_hop_later",
    "reward_radius",
    "truncation",
    "lemma4",
    "lemma4_sharp",
    "lemma4_vector",
    "anatomy",
    "td_fixed_point",
    "critic",
    "critic_sharp",
    "assumption3",
    "theorem5",
    "theorem5_sharp",
    "complexity",
    "vacuity",
)

#: Claims that need V, D and local kernels only, and so are checked where tables over all (s, a) do not fit.
WITHOUT_TABLES = ("lemma3", "influence")


class Claim(NamedTuple):
    """A statement of the paper, where it stands, and the check that measures it.

    along_runs : of theorem5 alone, the kind of rows that `trace --exact` writes and the check of such rows.
    """

    name: str
    statement: str
    reference: str
    check: Callable[[Case], Iterator[Comparison]]
    along_runs: tuple[type[Any], Callable[..., Iterator[Comparison]]] | None = None


def claim(name: str) -> Claim:
    """The claim called `name`; ValueError lists the known ones."""
    if name not in CLAIMS:
        raise ValueError(f"unknown claim {name!r}; known are {', '.join(CLAIMS)}")
    module = importlib.import_module(f"sacrepro.study.claims.{name}")
    return Claim(name, module.STATEMENT, module.REFERENCE, module.check, getattr(module, "ALONG_RUNS", None))
