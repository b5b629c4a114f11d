"""The verb that has the Coq library checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from sacrepro.cli.arguments import Verbs


def formal(args: argparse.Namespace) -> None:
    """Check every machine-readable proof that changed, and write what each theorem assumes; without coqc say so."""
    from sacrepro.archive.files import read_text, write_rows
    from sacrepro.study.claims import CLAIMS
    from sacrepro.study.formal import Theorem, assumptions, axioms, digests, theorems

    folder = Path(args.folder)
    files = [line for line in read_text(folder / "_CoqProject").split("\n") if line.endswith(".v")]
    texts = {file: read_text(folder / file) for file in files}
    unchecked = [row for file in files for row in theorems(file, texts[file], CLAIMS)]
    version = coq_version()
    if version is None:
        if args.required:
            raise ValueError("no coqc with MathComp on the path, and --required asks for it")
        print("coqc with MathComp is not here: no proof was checked")
        write_rows(args.output, Theorem, unchecked)
        return
    rows: list[Theorem] = []
    keys, cache = digests(texts, version), Path(args.cache or folder / ".checked").absolute()
    for file in keys:
        printed = compiled(cache, file, texts, keys)
        rows += theorems(file, texts[file], CLAIMS, assumptions(printed))
        print(f"{file}: accepted", flush=True)
    if found := axioms(rows):
        raise ValueError("; ".join(found))
    if args.coqchk:
        recheck(cache, keys)
        print("coqchk accepts the compiled files", flush=True)
    write_rows(args.output, Theorem, rows)


def coq_version() -> str | None:
    """The version of the Coq on the path, if it has MathComp's algebra; else None."""
    import shutil
    import subprocess
    import tempfile

    from sacrepro.archive.files import write_text

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
    import os
    import shutil
    import subprocess
    import tempfile

    from sacrepro.archive.files import read_text, write_text
    from sacrepro.study.formal import required

    done = cache / keys[file]
    if not (done / "printed.txt").exists():
        cache.mkdir(parents=True, exist_ok=True)
        needed, pending = {file}, [file]
        while pending:
            more = {f"{name}.v" for name in required(texts[pending.pop()])} - needed
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
    import subprocess

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
    from sacrepro.archive.files import read_rows, read_text
    from sacrepro.study.claims import all_claims
    from sacrepro.study.formal import Theorem, proofs

    return proofs(all_claims(), read_rows(formal, Theorem), read_text(pages) if pages else "") if formal else {}


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(formal)
    added.add_argument("folder", help="the Coq library, with its _CoqProject")
    added.add_argument("--cache", help="where compiled files are kept; FOLDER/.checked by default")
    added.add_argument("--required", action="store_true", help="fail where there is no coqc")
    added.add_argument("--coqchk", action="store_true", help="have coqchk read the compiled files, too; takes minutes")
