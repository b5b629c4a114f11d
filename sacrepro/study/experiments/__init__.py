"""Experiments, each a record in the file that runs it, off which jobs, plans, summaries and figures are read."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sacrepro.archive.provenance import written


class Experiment(NamedTuple):
    """One kind of rows. A plan reads those fields that are literals, and runs nothing.

    order   : its place among the figures. name : of its rows, of their files and of their summary.
    rows    : their type.
    per     : what has a file of its own: ``instance``, or ``run`` of Algorithm 1 on one, written by the function `name`
              with the settings of the instance or of `key`; one file holds ``all``, or what was kept along
              ``every run``, or every ``exact run``; ``wireless`` is filed by its learners.
    key     : of the configuration, which names the instances; empty where the experiment is always made.
    default : of that key, by default no entry.
    warm    : the kernels that are compiled before. alone : whether each instance has a process of its own.
    series, x, quantities : fields of the rows that tell curves apart, are the x axis, and are summarised over seeds; an
              empty series: no summary. Without quantities each row names its own, in its fields quantity and value.
    by_kappa : whether the best κ is told.
    figures : that show the rows, or their summary if there is one.
    file    : the module, known to `ENTRIES`.
    """

    order: int
    name: str
    rows: type[Any] | None = None
    per: Literal["instance", "run", "all", "every run", "exact run", "wireless"] = "all"
    key: str = ""
    default: Mapping[str, Any] | Sequence[str] = {}
    warm: tuple[str, ...] = ()
    alone: bool = False
    series: str = ""
    x: str = ""
    quantities: tuple[str, ...] = ()
    by_kappa: bool = False
    figures: tuple[str, ...] = ()
    file: str = ""


def entries(path: Path) -> list[Experiment]:
    """The records of one file, read and not run: a plan does not wait for the learners."""
    found = []
    for record in written(path, "Experiment"):
        fields: dict[str, Any] = {own.arg or "": own.value for own in record.keywords if own.arg != "rows"}
        literals = {name: ast.literal_eval(value) for name, value in fields.items()}
        found.append(Experiment(**literals, file=path.stem))
    return found


#: In the order of their figures.
ENTRIES = tuple(sorted(own for path in Path(str(files(__name__))).glob("[a-z]*.py") for own in entries(path)))

#: Those whose seeds are summarised, by name.
KINDS: Mapping[str, Experiment] = {own.name: own for own in ENTRIES if own.series}

#: The experiment that each figure shows.
SHOWN: Mapping[str, Experiment] = {figure: own for own in ENTRIES for figure in own.figures}


def rows_of(entry: Experiment) -> type[Any]:
    """The type of the rows of an experiment."""
    room = importlib.import_module(f"sacrepro.study.experiments.{entry.file}")
    return next(own.rows for own in room.EXPERIMENTS if own.name == entry.name)
