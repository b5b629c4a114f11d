"""The verbs about a run as a whole: its configuration, its manifest, and how two runs differ."""

from __future__ import annotations

import argparse

from sacrepro.cli.arguments import FILE, NON_NEGATIVE, mapping
from sacrepro.cli.inputs import record_of
from sacrepro.cli.verbs import Verbs


def config(args: argparse.Namespace) -> None:
    """Write the resolved configuration beside the results."""
    from sacrepro.store import write_json

    write_json(args.output, args.config)


def manifest(args: argparse.Namespace) -> None:
    """Write configuration, code digest, versions, seeds and checksums of a results tree; clock and machine to --log."""
    from pathlib import Path

    from sacrepro.manifest import circumstances, results_below
    from sacrepro.manifest import manifest as record
    from sacrepro.store import write_json

    if not Path(args.results).is_dir():
        raise ValueError(f"{args.results} is not a folder, expected a results tree")
    skip = frozenset({Path(args.output).name, *args.skip})
    files = results_below(Path(args.results), skip)
    files |= {path: Path(path) for path in sorted(args.files)}
    write_json(args.output, record(record_of("config", args.config), files))
    write_json(args.log, circumstances(Path(args.log).parent))
    print(f"{len(files)} files")


def diff(args: argparse.Namespace) -> None:
    """Say what differs between two result trees, file by file; exit status 1 if they differ beyond the tolerance."""
    from sacrepro.difference import tree_differences

    found = list(tree_differences(args.one, args.other, args.tolerance))
    for line in found:
        print(line)
    print(f"{args.one} and {args.other}: {len(found) or 'no'} difference{'s' if len(found) != 1 else ''}")
    if any(line.matters for line in found):
        raise SystemExit(1)


def check(args: argparse.Namespace) -> None:
    """Compare a results tree with its manifest; exit status 1 if a file is missing, damaged or changed."""
    from pathlib import Path

    from sacrepro.difference import departures

    recorded = record_of("manifest", args.manifest, "files")
    files = recorded["files"]
    if not isinstance(files, dict) or not all(isinstance(own, dict) and "sha256" in own for own in files.values()):
        raise ValueError(f"{args.manifest}: files must hold a sha256 for each file; expected a file of `manifest`")
    found = departures(recorded, Path(args.manifest).parent)
    for line in found:
        print(line)
    if found:
        raise SystemExit(1)
    print(f"{args.manifest}: every file is as recorded")


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(config)
    added.add_argument("config", type=mapping, help="the resolved configuration, as JSON")

    added = verbs.add(manifest)
    added.add_argument("results", help="the folder that is recorded")
    added.add_argument("--config", required=True, help="written by `config`")
    added.add_argument("--files", nargs="*", default=[], help="files elsewhere that belong to the run")
    added.add_argument("--skip", nargs="*", default=[], help="files in the folder that do not")
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
    added.add_argument("manifest", help="results/manifest.json")
