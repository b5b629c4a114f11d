"""Rule `formal`: the Coq library, checked where there is a proof checker; and how each claim is proved."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sacrepro.archive.files import read_rows, read_text, write_rows, write_text
from sacrepro.study.arguments import File
from sacrepro.study.claims import CLAIMS, all_claims
from sacrepro.study.theorems import Theorem, assumptions, axioms, digests, proofs, theorems
from sacrepro.study.theorems import required as required_by


def formal(
    folder: str, *, cache: str | None = None, required: bool = False, coqchk: bool = False, output: File
) -> Iterator[str]:
    """Check every machine-readable proof that changed, and write what each theorem assumes; without coqc say so."""
    files = [line for line in read_text(Path(folder, "_CoqProject")).split("\n") if line.endswith(".v")]
    texts = {file: read_text(Path(folder, file)) for file in files}
    unchecked = [row for file in files for row in theorems(file, texts[file], CLAIMS)]
    version = coq_version()
    if version is None:
        if required:
            raise ValueError("no coqc with MathComp on the path, and --required asks for it")
        yield "coqc with MathComp is not here: no proof was checked"
        write_rows(output, Theorem, unchecked)
        return
    rows: list[Theorem] = []
    keys, kept = digests(texts, version), Path(cache or f"{folder}/.checked").absolute()
    for file in keys:
        printed = compiled(kept, file, texts, keys)
        rows += theorems(file, texts[file], CLAIMS, assumptions(printed))
        yield f"{file}: accepted"
    if found := axioms(rows):
        raise ValueError("; ".join(found))
    if coqchk:
        recheck(kept, keys)
        yield "coqchk accepts the compiled files"
    write_rows(output, Theorem, rows)


def coq_version() -> str | None:
    """The version of the Coq on the path, if it has MathComp's algebra; else None."""
    if shutil.which("coqc") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder, "try.v"), "From mathcomp Require Import all_ssreflect all_algebra.\n")
        tried = subprocess.run(["coqc", "-w", "none", "try.v"], cwd=folder, capture_output=True, text=True, check=False)
    if tried.returncode:
        return None
    return subprocess.run(["coqc", "--print-version"], capture_output=True, text=True, check=True).stdout.strip()


def compiled(cache: Path, file: str, texts: dict[str, str], keys: dict[str, str]) -> str:
    """What coqc prints of one file: from the cache, or compiled there first. ValueError with its words if it refuses.

    The folder of a file is named after its digest and put in place whole, so that runs side by side share it.
    """
    done = cache / keys[file]
    if not (done / "printed.txt").exists():
        cache.mkdir(parents=True, exist_ok=True)
        needed, pending = {file}, [file]
        while pending:
            more = {f"{name}.v" for name in required_by(texts[pending.pop()])} - needed
            needed |= more
            pending += more
        folders = [part for other in sorted(needed - {file}) for part in ("-R", str(cache / keys[other]), "sacrepro")]
        new = Path(tempfile.mkdtemp(dir=cache))
        write_text(new / file, texts[file])
        call = ["coqc", "-w", "none", *folders, "-R", ".", "sacrepro", file]
        run = subprocess.run(call, cwd=new, capture_output=True, text=True, check=False)
        if run.returncode:
            shutil.rmtree(new)
            raise ValueError(f"{file} is not accepted: {' '.join(run.stderr.split())[:400]}")
        write_text(new / "printed.txt", run.stdout)
        try:
            os.rename(new, done)
        except OSError:  # another run was faster
            shutil.rmtree(new)
    return read_text(done / "printed.txt")


def recheck(cache: Path, keys: dict[str, str]) -> None:
    """Have coqchk, a smaller checker, read the compiled files; ValueError with its words if it refuses one."""
    call = ["coqchk", "-silent"]
    for key in keys.values():
        call += ["-R", str(cache / key), "sacrepro"]
    for file in keys:
        call += ["-norec", f"sacrepro.{file.removesuffix('.v')}"]
    run = subprocess.run(call, capture_output=True, text=True, check=False)
    if run.returncode:
        raise ValueError(f"coqchk does not accept the compiled files: {' '.join(run.stderr.split())[:400]}")


def proofs_of(formal: str | None, pages: str | None) -> dict[str, str]:
    """How each claim is proved; nothing where no table of theorems was given."""
    return proofs(all_claims(), read_rows(formal, Theorem), read_text(pages) if pages else "") if formal else {}
