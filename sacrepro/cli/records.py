"""The verbs about a run as a whole: its configuration, its manifest, and how two runs differ."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sacrepro.cli.arguments import FILE, NON_NEGATIVE, Verbs, mapping
from sacrepro.cli.inputs import record_of


def config(args: argparse.Namespace) -> None:
    """Write the resolved configuration beside the results."""
    from sacrepro.archive.files import write_json

    write_json(args.output, args.config)


def manifest(args: argparse.Namespace) -> None:
    """Write configuration, code digest, versions, seeds and checksums of results; clock and machine to --log."""
    from sacrepro.archive.files import write_json
    from sacrepro.archive.manifest import circumstances, recorded_files
    from sacrepro.archive.manifest import manifest as record

    files = recorded_files([path for path in args.results if Path(path) != Path(args.output)])
    write_json(args.output, record(record_of("config", args.config), files, Path(args.output).parent.name))
    write_json(args.log, circumstances(Path(args.log).parent))
    print(f"{len(files)} files")


def diff(args: argparse.Namespace) -> None:
    """Say what differs between two result trees, file by file; exit status 1 if they differ beyond the tolerance."""
    from sacrepro.archive.difference import tree_differences

    found = list(tree_differences(args.one, args.other, args.tolerance))
    for line in found:
        print(line)
    print(f"{args.one} and {args.other}: {len(found) or 'no'} difference{'s' if len(found) != 1 else ''}")
    if any(line.matters for line in found):
        raise SystemExit(1)


def check(args: argparse.Namespace) -> None:
    """Compare a results tree with its manifest; exit status 1 if a file is missing, damaged or changed."""
    from sacrepro.archive.difference import departures, left_out

    path, recorded = recorded_at(args.manifest)
    found, absent = departures(recorded, path.parent), left_out(recorded, path.parent)
    for line in found:
        print(line)
    if absent:
        folders = ", ".join(sorted({name.partition("/")[0] for name in absent}))
        print(f"{len(absent)} files of {folders}: not checked, for there is no such folder beside this one")
    if found:
        raise SystemExit(1)
    print(f"{path}: {len(recorded['files']) - len(absent)} files are as recorded")


def release(args: argparse.Namespace) -> None:
    """Pack a results tree with its manifest and figures into one zip file; exit status 1 if it is not as recorded.

    The same results give the same bytes.
    """
    from sacrepro.archive.difference import departures, left_out, place
    from sacrepro.archive.files import write_zip

    path, recorded = recorded_at(args.manifest)
    found = departures(recorded, path.parent) + [
        f"{name}: missing, its folder is not beside this one" for name in sorted(left_out(recorded, path.parent))
    ]
    for line in found:
        print(line)
    if found:
        raise SystemExit(1)
    members = {name: place(name, recorded, path.parent) for name in sorted(recorded["files"])}
    write_zip(args.output, {f"{recorded.get('tree') or 'results'}/manifest.json": path, **members})
    print(f"{args.output}: {len(members)} files and their manifest")


def recorded_at(name: str) -> tuple[Path, dict[str, Any]]:
    """The manifest of a results tree, given by its own name or by its folder's, and where it is."""
    path = Path(name)
    path = path / "manifest.json" if path.is_dir() else path
    recorded = record_of("manifest", str(path), "files")
    files = recorded["files"]
    if not isinstance(files, dict) or not all(isinstance(own, dict) and "sha256" in own for own in files.values()):
        raise ValueError(f"{path}: files must hold a sha256 for each file; expected a file of `manifest`")
    return path, recorded


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(config)
    added.add_argument("config", type=mapping, help="the resolved configuration, as JSON")

    added = verbs.add(manifest)
    added.add_argument("results", nargs="+", help="the files that are recorded, or a folder with all its files")
    added.add_argument("--config", required=True, help="written by `config`")
    added.add_argument("--log", type=FILE, required=True, help="file for clock, machine and durations")

    added = verbs.add(diff, output=False)
    added.add_argument("one", help="a results tree, or a file")
    added.add_argument("other", help="another one")
    added.add_argument(
        "--tolerance",
        type=NON_NEGATIVE,
        default=0.0,
        help="relative difference of numbers up to which they count as equal",
    )

    added = verbs.add(check, output=False)
    added.add_argument("manifest", help="results/manifest.json, or its folder, under whatever name")

    added = verbs.add(release)
    added.add_argument("manifest", help="results/manifest.json, or its folder, under whatever name")
