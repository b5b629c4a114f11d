"""Rules `config` and `manifest`: what was asked for, and what came out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sacrepro.archive.files import record_of, write_json
from sacrepro.archive.manifest import circumstances, recorded_files
from sacrepro.archive.manifest import manifest as record
from sacrepro.study.arguments import File, Record


def config(config: Record, *, output: File) -> None:
    """Write the resolved configuration beside the results."""
    write_json(output, config)


def manifest(results: Sequence[str], *, config: str, log: File, output: File) -> Iterator[str]:
    """Write configuration, code digest, versions, seeds and checksums of results; clock and machine to --log."""
    files = recorded_files([path for path in results if Path(path) != Path(output)])
    write_json(output, record(record_of("config", config), files, Path(output).parent.name))
    write_json(log, circumstances(Path(log).parent))
    yield f"{len(files)} files"
