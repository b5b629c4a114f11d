"""Files that verbs read, refused by name where they are not of the kind that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sacrepro.model.checks import Array

Row = TypeVar("Row")

#: Arrays in a file of each verb, by which its files are known.
ARRAYS = {
    "exact": ("spec", "instance", "policy", "V", "J", "error", "pi_theta", "pi_error", "D", "D_error", "nabla_error"),
    "sac": ("spec", "instance", "kappa", "T", "h", "t0", "m", "J_estimate", "first_visit_share"),
}


def arrays_of(verb: str, path: str) -> dict[str, Array]:
    """The arrays of a file that `verb` wrote."""
    from sacrepro.archive.files import read_arrays

    found = read_arrays(path)
    missing = next((name for name in ARRAYS[verb] if name not in found), None)
    if missing:
        raise ValueError(f"{path} has no array {missing!r}; expected a file written by `{verb}`")
    return found


def some_rows(paths: Iterable[str], kind: type[Row]) -> list[Row]:
    """The rows of csv files, at least one in all."""
    from sacrepro.archive.files import read_rows

    paths = list(paths)
    rows: list[Row] = [row for path in paths for row in read_rows(path, kind)]  # type: ignore[type-var]
    if not rows:
        raise ValueError(f"{', '.join(paths)}: no rows below the header, expected at least one")
    return rows


def record_of(verb: str, path: str, *keys: str) -> dict[str, Any]:
    """The JSON object that `verb` wrote, with these keys."""
    from sacrepro.archive.files import read_json

    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no JSON object; expected a file written by `{verb}`")
    missing = next((key for key in keys if key not in found), None)
    if missing:
        raise ValueError(f"{path} has no key {missing!r}; expected a file written by `{verb}`")
    return found
