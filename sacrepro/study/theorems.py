"""What the Coq library proves: theorems, the claims they belong to, and what the proof checker says they assume.

A theorem is what a file of the library prints the assumptions of. It belongs to the claim of the last comment
``(* claim: NAME *)`` above that line, else to the claim that the file is named after, else to none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sacrepro.study.record.claim import Claim

#: What Coq prints of a theorem without axioms.
CLOSED = "Closed under the global context"

#: In place of it where there is no proof checker.
UNCHECKED = "not checked on this machine"

#: What assumes instead of proving, wherever it stands.
ASSUMING = re.compile(
    r"\b(Admitted|admit|Axioms?|Parameters?|Conjectures?|give_up|bypass_check|Unset Guard Checking)\b"
)
COMMENT = re.compile(r"\(\*.*?\*\)", re.DOTALL)
PRINTED = re.compile(r"Print Assumptions (\w+)\.|\(\* claim: (\w+) \*\)")
REQUIRED = re.compile(r"From sacrepro Require Import ([\w ]+)\.")


class Theorem(NamedTuple):
    """A theorem of the library; `claim` is empty for what others build on."""

    claim: str
    theorem: str
    file: str
    assumptions: str


def theorems(file: str, text: str, claims: Iterable[str], said: Iterable[str] = ()) -> list[Theorem]:
    """The theorems of one file, in its order, with what was said of each when it was compiled; else `UNCHECKED`.

    ValueError if the file assumes anything, or if not every theorem was answered for.
    """
    known = set(claims)
    code = COMMENT.sub("", text)
    if found := ASSUMING.search(code):
        raise ValueError(f"{file}: {found[1]} assumes what should be proved")
    stem = file.removesuffix(".v")
    claim = stem if stem in known else ""
    names = []
    for found in PRINTED.finditer(text):
        if found[2] is None:
            names.append((claim, found[1]))
        elif found[2] in known:
            claim = found[2]
        else:
            raise ValueError(f"{file}: no claim is called {found[2]!r}")
    answers = list(said) or [UNCHECKED] * len(names)
    if len(answers) != len(names):
        raise ValueError(f"{file}: {len(names)} theorems, {len(answers)} answers of the proof checker")
    return [Theorem(claim, name, file, answer) for (claim, name), answer in zip(names, answers, strict=True)]


def assumptions(printed: str) -> list[str]:
    """What Coq printed of each theorem, one line each, in order."""
    return [" ".join(part.split()) for part in re.split(rf"(?={CLOSED}|^Axioms:)", printed, flags=re.MULTILINE) if part]


def required(text: str) -> list[str]:
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
            for name in required(texts[file]):
                if f"{name}.v" not in texts:
                    raise ValueError(f"{file} imports {name}, which is not in _CoqProject")
                digest.update(add(f"{name}.v").encode())
            found[file] = digest.hexdigest()[:16]
        return found[file]

    for file in texts:
        add(file)
    return found


def axioms(rows: Iterable[Theorem]) -> list[str]:
    """What was checked and is not closed."""
    return [
        f"{row.file}: {row.theorem}: {row.assumptions}" for row in rows if row.assumptions not in (CLOSED, UNCHECKED)
    ]


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
            raise ValueError(f"{claim.name}: no theorem is called {', '.join(missing)}")
        if stated:
            left = [variant.name for variant in claim.variants if not variant.theorem]
            left += [claim.beside] if claim.beside else []
            word = "machine-checked" if {said[name] for name in stated} == {CLOSED} else f"formal, {UNCHECKED}"
            told[claim.name] = f"{word}, but by hand: {'; '.join(left)}" if left else word
        else:
            told[claim.name] = "by hand" if claim.proof else "as in the paper"
    return told
