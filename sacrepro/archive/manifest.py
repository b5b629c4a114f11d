"""What a results tree is: configuration, code, versions, seeds, and a checksum of every file.

`manifest` depends on its inputs only, so the same run gives the same; `circumstances` is about one machine on one day.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sacrepro.archive.files import checksum, files_below, read_text
from sacrepro.archive.provenance import package_digest

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
