"""What a results tree is: configuration, code, versions, seeds, a checksum of every file; and how two trees differ.

`manifest` depends on its inputs only, so the same run gives the same; `circumstances` is about one machine on one day.
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import math
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sacrepro.archive.files import checksum, files_below, read_arrays, read_json, read_text
from sacrepro.archive.provenance import package_digest
from sacrepro.model.checks import Array

#: Distributions whose version may change a result.
DISTRIBUTIONS = ("numpy", "scipy", "networkx", "numba", "llvmlite", "matplotlib", "snakemake", "typst")


def manifest(config: Mapping[str, Any], files: Mapping[str, Path], tree: str = "results") -> dict[str, Any]:
    """The record of a run; `files` are its results by the name they are known under, in or beside the folder `tree`."""
    return {
        "config": dict(config),
        "tree": tree,
        "seeds": dict(seeds(config)),
        "code": package_digest(),
        "versions": versions(),
        "files": {name: {"sha256": checksum(path), "bytes": path.stat().st_size} for name, path in files.items()},
    }


def seeds(config: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every seed in a configuration, by its place."""
    if isinstance(config, Mapping):
        for key, value in config.items():
            where = f"{place}.{key}" if place else str(key)
            if key in {"seed", "seeds"}:
                yield where, value
            else:
                yield from seeds(value, where)


def versions() -> dict[str, str]:
    """Python's version and those of `DISTRIBUTIONS`; one that is not installed is absent."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def recorded_files(paths: Iterable[str]) -> dict[str, Path]:
    """Files by the name they are given, sorted; a folder stands for the files below it, named from beside it.

    Hidden files and the folder's own manifest do not count. ValueError names a file that is not there.
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            below = files_below(path)
            found |= {f"{path.name}/{name}": own for name, own in below.items() if name != "manifest.json"}
        elif path.is_file():
            found[path.as_posix()] = path
        else:
            raise ValueError(f"{path} does not exist, expected a file or a folder of results")
    return {name: found[name] for name in sorted(found)}


def circumstances(logs: Path) -> dict[str, Any]:
    """Clock, machine and durations, which no result depends on; durations are those that the benchmarks recorded."""
    seconds = {}
    for name, path in files_below(logs / "benchmarks").items():
        header, *lines = read_text(path).splitlines()
        if lines:
            seconds[name.removesuffix(".tsv")] = float(lines[-1].split("\t")[header.split("\t").index("s")])
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": sys.version,
        "core_seconds": round(sum(seconds.values()), 2),
        "durations": seconds,
    }


def processor() -> str:
    """The model name of the processor, where the system tells it."""
    try:
        lines = read_text("/proc/cpuinfo").splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


class Difference(NamedTuple):
    """One way in which two trees differ; `matters` unless it is within the tolerance."""

    file: str
    place: str
    what: str
    matters: bool = True

    def __str__(self) -> str:
        """One line."""
        place = f", {self.place}" if self.place else ""
        return f"{self.file}{place}: {self.what}" + ("" if self.matters else " (within the tolerance)")


def tree_differences(one: str | Path, other: str | Path, tolerance: float) -> Iterator[Difference]:
    """What differs between two folders or two files.

    Numbers x, y of tables and arrays count as equal if |x - y| ≤ tolerance · max(|x|, |y|, 1); everything else must be
    identical. Manifests differ where what they describe does, and are compared without their checksums.
    """
    one, other = Path(one), Path(other)
    for path in (one, other):
        if not path.exists():
            raise ValueError(f"{path} does not exist")
    if one.is_dir() != other.is_dir():
        folder, file = (one, other) if one.is_dir() else (other, one)
        raise ValueError(f"{folder} is a folder and {file} is a file; expected two of one kind")
    if one.is_file():
        yield from file_differences(one.name, one, other, tolerance)
        return
    left, right = files_below(one), files_below(other)
    for name in sorted(left | right):
        if name not in right:
            yield Difference(name, "", f"only in {one}")
        elif name not in left:
            yield Difference(name, "", f"only in {other}")
        else:
            yield from file_differences(name, left[name], right[name], tolerance)


def file_differences(name: str, one: Path, other: Path, tolerance: float) -> Iterator[Difference]:
    """What differs between two files of one kind as they are, edited or unreadable ones too."""
    if one.read_bytes() == other.read_bytes():
        return
    compare = {".npz": array_differences, ".csv": column_differences, ".json": record_differences}.get(one.suffix)
    try:
        found = list(compare(name, one, other, tolerance)) if compare else []
    except ValueError as error:
        yield Difference(name, "", str(error))
        return
    if name.endswith("manifest.json"):
        yield from found
    else:
        yield from found or [Difference(name, "", f"bytes differ ({one.stat().st_size} and {other.stat().st_size})")]


def array_differences(name: str, one: Path, other: Path, tolerance: float) -> Iterator[Difference]:
    """Arrays by name: shape, type, and the largest difference with its place."""
    left, right = read_arrays(one), read_arrays(other)
    for key in sorted(left | right):
        place = f"array {key}"
        if key not in left or key not in right:
            yield Difference(name, place, f"only in {one if key in left else other}")
            continue
        x, y = left[key], right[key]
        if x.shape != y.shape or x.dtype != y.dtype:
            yield Difference(name, place, f"{x.dtype}{x.shape} and {y.dtype}{y.shape}")
        elif x.dtype.kind in "fiu":
            yield from largest(name, place, x, y, tolerance)
        elif not np.array_equal(x, y):
            yield Difference(name, place, "differs")


def column_differences(name: str, one: Path, other: Path, tolerance: float) -> Iterator[Difference]:
    """Columns by name; numbers where every entry is one, text elsewhere."""
    left, right = columns(one), columns(other)
    for key in sorted(left.keys() ^ right.keys()):
        yield Difference(name, f"column {key}", f"only in {one if key in left else other}")
    rows = len(next(iter(left.values()), [])), len(next(iter(right.values()), []))
    if rows[0] != rows[1]:
        yield Difference(name, "", f"{rows[0]} and {rows[1]} rows")
        return
    for key in [key for key in left if key in right]:
        place = f"column {key}"
        x, y = left[key], right[key]
        if x == y:
            continue
        try:
            numbers = np.array([float(value) for value in x]), np.array([float(value) for value in y])
        except ValueError:
            row = next(row for row, (a, b) in enumerate(zip(x, y, strict=True)) if a != b)
            yield Difference(name, place, f"row {row + 1}: {x[row]!r} and {y[row]!r}")
        else:
            yield from largest(name, place, *numbers, tolerance)


def columns(path: Path) -> dict[str, list[str]]:
    """The columns of a csv file."""
    lines = list(csv.reader(io.StringIO(read_text(path))))
    if not lines:
        raise ValueError(f"{path} is empty")
    header, *rows = lines
    return {key: [row[place] for row in rows] for place, key in enumerate(header)}


def largest(name: str, place: str, x: Array, y: Array, tolerance: float) -> Iterator[Difference]:
    """The largest difference between two arrays of one shape, if there is any; NaN equals NaN, ∞ equals ∞."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    differ = ~((x == y) | (np.isnan(x) & np.isnan(y)))
    if not differ.any():
        return
    with np.errstate(invalid="ignore"):
        apart = np.where(differ, np.abs(x - y), 0.0)
        within = apart <= tolerance * np.maximum(np.maximum(np.abs(x), np.abs(y)), 1.0)
    within &= np.isfinite(apart)
    where = np.unravel_index(int(np.argmax(np.where(np.isnan(apart), math.inf, apart))), apart.shape)
    values = f"{x[where]!s} and {y[where]!s} at [{', '.join(map(str, where))}]"
    text = f"{differ.sum()} of {differ.size} numbers differ, at most by {apart[where]:.3g}: {values}"
    yield Difference(name, place, text, bool((differ & ~within).any()))


def record_differences(name: str, one: Path, other: Path, tolerance: float) -> Iterator[Difference]:
    """Values of two JSON records by their place; checksums are left to the files they belong to."""
    left, right = (dict(leaves(read_json(path))) for path in (one, other))
    for key in sorted(left | right):
        if left.get(key) != right.get(key) and not key.startswith("files."):
            yield Difference(name, key, f"{left.get(key, 'nothing')} and {right.get(key, 'nothing')}")


def leaves(record: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The values in a JSON record that hold no others."""
    inside = record.items() if isinstance(record, Mapping) else enumerate(record) if isinstance(record, list) else None
    if inside is None:
        yield place, record
        return
    for key, value in inside:
        yield from leaves(value, f"{place}.{key}" if place else str(key))


def departures(manifest: Mapping[str, Any], folder: Path) -> list[str]:
    """One line for each file of a manifest that is missing or not as recorded; the manifest lies in `folder` now."""
    lines = []
    for name in manifest["files"].keys() - left_out(manifest, folder):
        path = place(name, manifest, folder)
        if not path.exists():
            lines.append(f"{name}: missing")
        elif checksum(path) != manifest["files"][name]["sha256"]:
            lines.append(f"{name}: not as recorded in the manifest")
    return sorted(lines)


def left_out(manifest: Mapping[str, Any], folder: Path) -> set[str]:
    """Files recorded beside the results, such as published figures, whose own folder is not beside this copy."""
    places = {name: place(name, manifest, folder) for name in manifest["files"]}
    beside = folder.absolute().parent
    return {
        name
        for name, path in places.items()
        if not path.is_relative_to(folder.absolute()) and not (beside / path.relative_to(beside).parts[0]).exists()
    }


def place(name: str, manifest: Mapping[str, Any], folder: Path) -> Path:
    """Where a file of a manifest is: in its folder, whatever that is called now, or beside it."""
    folder = folder.absolute()
    tree = manifest.get("tree", folder.name)
    if not tree:
        return folder / name
    top, _, rest = name.partition("/")
    return folder / rest if top == tree and rest else folder.parent / name
