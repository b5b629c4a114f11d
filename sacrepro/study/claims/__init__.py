"""One file per claim, and nothing else: the folder is the list. Only here do both sides of an inequality meet."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sacrepro.archive.provenance import written
from sacrepro.model.notices import meant

if TYPE_CHECKING:
    from sacrepro.study.record.claim import Claim


class Entry(NamedTuple):
    """What a workflow asks of a claim: its place, what its check needs and shares, its attack's stream if there is one.

    Each is that field of the record.
    """

    name: str
    order: int
    needs: tuple[str, ...]
    shares: str
    stream: int | None


def entry(path: Path) -> Entry:
    """The entry of one file, read and not run: a plan does not wait for the engine."""
    fields: dict[str, ast.expr] = {}
    for record in written(path, "Claim", "Attack"):
        fields |= {own.arg: own.value for own in record.keywords if own.arg in Entry._fields}
    given: dict[str, Any] = {name: ast.literal_eval(value) for name, value in fields.items()}
    return Entry(path.stem, **({"needs": ("tables",), "shares": "", "stream": None} | given))


#: In the paper's order.
ENTRIES = tuple(
    sorted(
        (entry(path) for path in Path(str(files(__name__))).glob("[a-z]*.py")),
        key=lambda found: found.order,
    )
)

CLAIMS = tuple(found.name for found in ENTRIES)

#: Claims that need V, D and local kernels only, and so are checked where tables over all (s, a) do not fit.
WITHOUT_TABLES = tuple(found.name for found in ENTRIES if "tables" not in found.needs)

#: Claims whose check runs the learner.
WITH_LEARNER = tuple(found.name for found in ENTRIES if "learner" in found.needs)

#: Claims of each process, by its name: those that share a measure share one.
PROCESSES: dict[str, tuple[str, ...]] = {}
for own in ENTRIES:
    PROCESSES[own.shares or own.name] = (*PROCESSES.get(own.shares or own.name, ()), own.name)

#: Claims that the adversary attacks, by stream.
ATTACKED = tuple(name for _, name in sorted((own.stream, own.name) for own in ENTRIES if own.stream is not None))


def claim(name: str) -> Claim:
    """The claim called `name`; ValueError lists the known ones."""
    if name not in CLAIMS:
        raise ValueError(f"unknown claim {name!r}; known are {', '.join(CLAIMS)}{meant(name, CLAIMS)}")
    found: Claim = importlib.import_module(f"sacrepro.study.claims.{name}").CLAIM
    return found


def all_claims(names: Collection[str] | None = None) -> tuple[Claim, ...]:
    """Every claim, or those of these names, in the paper's order."""
    return tuple(claim(name) for name in CLAIMS if names is None or name in names)
