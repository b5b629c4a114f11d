"""`sacrepro diff`, `check`, `release`: how two runs differ, and whether a run is as it was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sacrepro.study.arguments import File, NonNegative


def diff(one: str, other: str, *, tolerance: NonNegative = 0.0) -> None:
    """Say what differs between two result trees, file by file; exit status 1 if they differ beyond the tolerance."""
    from sacrepro.archive.manifest import tree_differences

    found = list(tree_differences(one, other, tolerance))
    for line in found:
        print(line)
    print(f"{one} and {other}: {len(found) or 'no'} difference{'s' if len(found) != 1 else ''}")
    if any(line.matters for line in found):
        raise SystemExit(1)


def check(manifest: str) -> None:
    """Compare a results tree with its manifest; exit status 1 if a file is missing, damaged or changed."""
    from sacrepro.archive.manifest import departures, left_out

    path, recorded = recorded_at(manifest)
    found, absent = departures(recorded, path.parent), left_out(recorded, path.parent)
    for line in found:
        print(line)
    if absent:
        folders = ", ".join(sorted({name.partition("/")[0] for name in absent}))
        print(f"{len(absent)} files of {folders}: not checked, for there is no such folder beside this one")
    if found:
        raise SystemExit(1)
    print(f"{path}: {len(recorded['files']) - len(absent)} files are as recorded")


def release(manifest: str, *, output: File) -> None:
    """Pack a results tree with its manifest and figures into one zip file; exit status 1 if it is not as recorded.

    The same results give the same bytes.
    """
    from sacrepro.archive.files import write_zip
    from sacrepro.archive.manifest import departures, left_out, place

    path, recorded = recorded_at(manifest)
    found = departures(recorded, path.parent) + [
        f"{name}: missing, its folder is not beside this one" for name in sorted(left_out(recorded, path.parent))
    ]
    for line in found:
        print(line)
    if found:
        raise SystemExit(1)
    members = {name: place(name, recorded, path.parent) for name in sorted(recorded["files"])}
    write_zip(output, {f"{recorded.get('tree') or 'results'}/manifest.json": path, **members})
    print(f"{output}: {len(members)} files and their manifest")


def recorded_at(name: str) -> tuple[Path, dict[str, Any]]:
    """The manifest of a results tree, given by its own name or by its folder's, and where it is."""
    from sacrepro.archive.files import record_of

    path = Path(name)
    path = path / "manifest.json" if path.is_dir() else path
    recorded = record_of("manifest", str(path), "files")
    files = recorded["files"]
    if not isinstance(files, dict) or not all(isinstance(own, dict) and "sha256" in own for own in files.values()):
        raise ValueError(f"{path}: files must hold a sha256 for each file; expected a file of `manifest`")
    return path, recorded
