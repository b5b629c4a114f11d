"""Rule `formal`: the Coq library, checked where there is a proof checker; and how each claim is proved.

A theorem is what ``theorems.v`` names, ``@file.theorem``, and prints the assumptions of: once, of all together, because
Coq goes through what MathComp proves each time that it is asked. It belongs to the claim of the last comment
``(* claim: NAME *)`` above it, to none below ``(* no claim *)``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sacrepro.archive.files import read_rows, read_text, write_rows, write_text
from sacrepro.model.notices import meant
from sacrepro.study.arguments import File
from sacrepro.study.claims import CLAIMS, all_claims
from sacrepro.study.record.claim import Claim


def formal(
    folder: str, *, cache: str | None = None, required: bool = False, coqchk: bool = False, output: File
) -> Iterator[str]:
    """Check every machine-readable proof that changed, and write what each theorem assumes; without coqc say so."""
    files = [line for line in read_text(Path(folder, "_CoqProject")).split("\n") if line.endswith(".v")]
    texts = {file: read_text(Path(folder, file)) for file in files}
    unchecked = theorems(texts, CLAIMS)
    if required and not unchecked:
        raise ValueError(
            f"{folder}/_CoqProject: {THEOREMS} is not in it, which says of what the assumptions are printed"
        )
    version, kept = coq_version(), Path(cache or f"{folder}/.checked").absolute()
    keys = digests(texts, version or "")
    if version is None or not (all((kept / key / ANSWERS).exists() for key in keys.values()) or has_mathcomp()):
        if required:
            raise ValueError("no coqc with MathComp on the path, and --required asks for it")
        yield "coqc with MathComp is not here: no proof was checked"
        write_rows(output, Theorem, unchecked)
        return
    printed = {}
    for file in keys:
        printed[file] = " ".join(compiled(kept, file, texts, keys).split())
        yield f"{file}: accepted"
    if unchecked and printed[THEOREMS] != CLOSED:
        raise ValueError(f"{THEOREMS}: not {CLOSED}, as all theorems should be: {printed[THEOREMS]}")
    if coqchk:
        recheck(kept, keys)
        yield "coqchk accepts the compiled files"
    write_rows(output, Theorem, [row._replace(assumptions=CLOSED) for row in unchecked])


def coq_version() -> str | None:
    """The version of the Coq on the path, or None."""
    if shutil.which("coqc") is None:
        return None
    return subprocess.run(["coqc", "--print-version"], capture_output=True, text=True, check=True).stdout.strip()


def has_mathcomp() -> bool:
    """Whether that Coq has MathComp's algebra: loading it takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder, "try.v"), "From mathcomp Require all_ssreflect vector.\n")
        tried = subprocess.run(["coqc", "-w", "none", "try.v"], cwd=folder, capture_output=True, check=False)
    return tried.returncode == 0


#: Beside each compiled file: what coqc printed of it.
ANSWERS = "printed.txt"


def compiled(cache: Path, file: str, texts: dict[str, str], keys: dict[str, str]) -> str:
    """What coqc prints of one file: from the cache, or compiled there first. ValueError with its words if it refuses.

    The folder of a file is named after its digest and put in place whole, so that runs side by side share it.
    """
    done = cache / keys[file]
    if not (done / ANSWERS).exists():
        cache.mkdir(parents=True, exist_ok=True)
        needed, pending = {file}, [file]
        while pending:
            more = {f"{name}.v" for name in imported_files(texts[pending.pop()])} - needed
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
        write_text(new / ANSWERS, run.stdout)
        try:
            os.rename(new, done)
        except OSError:  # another run was faster
            shutil.rmtree(new)
    return read_text(done / ANSWERS)


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


#: What Coq prints of a theorem without axioms.
CLOSED = "Closed under the global context"

#: In place of it where there is no proof checker.
UNCHECKED = "not checked on this machine"

#: What assumes instead of proving, wherever it stands.
ASSUMING = re.compile(
    r"\b(Admitted|admit|Axioms?|Parameters?|Conjectures?|give_up|bypass_check|Unset Guard Checking)\b"
)
COMMENT = re.compile(r"\(\*.*?\*\)", re.DOTALL)
REQUIRED = re.compile(r"From sacrepro Require (?:Import )?([\w\s]+)\.")

#: The file that names the theorems and prints what they assume; its form without comments; what is read of it. It
#: imports nothing, so that no notation and no module of a file stands between a name and its theorem, and has no
#: string, inside which a comment does not end for Coq.
THEOREMS = "theorems.v"
FORM = re.compile(
    r"\s*From sacrepro Require (?!Import\b|Export\b)[\w\s]+\.\s+Definition theorems :="
    r"(\s+let _ := \(@\w+\.\w+(,\s+@\w+\.\w+)*\) in)+\s+tt\.\s+Print Assumptions theorems\.\s*"
)
NAMED = re.compile(r"@(?P<file>\w+)\.(?P<theorem>\w+)|\(\* (?:claim: (?P<claim>\w+)|no claim) \*\)")


class Theorem(NamedTuple):
    """A theorem of the library; `claim` is empty for what others build on."""

    claim: str
    theorem: str
    file: str
    assumptions: str


def theorems(texts: Mapping[str, str], claims: Iterable[str]) -> list[Theorem]:
    """The theorems of the library, in the order of `THEOREMS`, as `UNCHECKED`; none if there is no such file.

    ValueError if a file assumes anything, or if it is not of what is named there that Coq prints the assumptions.
    """
    known, claim, rows = {"", *claims}, "", []
    for file, text in texts.items():
        if found := ASSUMING.search(COMMENT.sub("", text)):
            raise ValueError(f"{file}: {found[1]} assumes what should be proved")
    listed = texts.get(THEOREMS, "")
    if listed and ('"' in listed or not FORM.fullmatch(COMMENT.sub("", listed))):
        form = "Definition theorems := let _ := (@file.theorem, ...) in ... tt. Print Assumptions theorems."
        raise ValueError(f"{THEOREMS} should be From sacrepro Require file ..., without Import and strings, and {form}")
    for said in COMMENT.findall(listed):
        if "claim:" in said and not NAMED.fullmatch(said):
            raise ValueError(f"{THEOREMS}: expected (* claim: NAME *) or (* no claim *), got {said}")
    for found in NAMED.finditer(COMMENT.sub(lambda said: said[0] if NAMED.fullmatch(said[0]) else "", listed)):
        if found["theorem"]:
            rows.append(Theorem(claim, found["theorem"], f"{found['file']}.v", UNCHECKED))
        elif (claim := found["claim"] or "") not in known:
            raise ValueError(f"{THEOREMS}: no claim is called {claim!r}{meant(claim, known)}")
    return rows


def imported_files(text: str) -> list[str]:
    """The files of the library that one imports, without their suffix."""
    return [name for found in REQUIRED.findall(text) for name in found.split()]


def digests(texts: Mapping[str, str], compiler: str) -> dict[str, str]:
    """A digest of each file with all that it imports and the compiler's version; what is imported comes first.

    ValueError if a file imports one that is not there.
    """
    found: dict[str, str] = {}

    def add(file: str) -> str:
        if file not in found:
            digest = hashlib.sha256(f"{compiler}\0{texts[file]}".encode())
            for name in imported_files(texts[file]):
                if f"{name}.v" not in texts:
                    raise ValueError(f"{file} imports {name}, which is not in _CoqProject")
                digest.update(add(f"{name}.v").encode())
            found[file] = digest.hexdigest()[:16]
        return found[file]

    for file in texts:
        add(file)
    return found


def proofs(claims: Iterable[Claim], rows: Iterable[Theorem], page: str) -> dict[str, str]:
    """How each claim is proved, with the variants that are left to paper: by machine, on `page`, or by the paper.

    page : the page of proofs. ValueError if it has no heading of a claim's proof, or if a theorem of a variant is not
    among the rows.
    """
    said, headings = {row.theorem: row.assumptions for row in rows}, set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    told = {}
    for claim in claims:
        if claim.proof and claim.proof not in headings:
            raise ValueError(f"{claim.name}: the page of proofs has no heading {claim.proof}")
        stated = [variant.theorem for variant in claim.variants if variant.theorem]
        if missing := [name for name in stated if name not in said]:
            raise ValueError(f"{claim.name}: no theorem is called {', '.join(missing)}{meant(missing[0], said)}")
        if stated:
            left = [variant.name for variant in claim.variants if not variant.theorem]
            left += [claim.beside] if claim.beside else []
            word = "machine-checked" if {said[name] for name in stated} == {CLOSED} else f"formal, {UNCHECKED}"
            told[claim.name] = f"{word}; by hand: {'; '.join(left)}" if left else word
        else:
            told[claim.name] = "by hand" if claim.proof else "as in the paper"
    return told
