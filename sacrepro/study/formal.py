"""What the Coq library proves: theorems, the claims they belong to, and what the proof checker says they assume.

A theorem is what a file of the library prints the assumptions of. It belongs to the claim of the last comment
``(* claim: NAME *)`` above that line, else to the claim that the file is named after, else to none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

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


#: By claim and reading the theorem that states what the rows compare, both sides squared where they are norms; empty:
#: on paper. A claim that is not here has no theorem at all. A test holds the readings against what the checks yield.
READINGS: Mapping[str, Mapping[str, str]] = {
    "lemma1": {"": "lemma1_gradient"},
    "definition2": {"Lemma 3": "definition2_lemma3", "influence matrix": "definition2_influence"},
    "lemma3": {"": "lemma3_D"},
    "appendix_a": {
        "laws of two starts": "appendix_a_two_starts",
        "law to its limit": "appendix_a_limit",
        "measured distances": "appendix_a_measured",
    },
    "influence": {
        "clipped series": "influence",
        "own C^θ": "influence_own",
        "all agents at once": "influence_everywhere",
        "closed form": "influence_closed_form",
        "row sums": "influence_row_sums",
    },
    "light_cone": {"outside the cone": "light_cone_sees_V", "upper end": "light_cone", "lower end": "light_cone"},
    "actions_one_hop_later": {"": "actions_one_hop_later"},
    "reward_radius": {
        "D, kernels": "reward_radius",
        "D influence, kernels": "reward_radius_d",
        "ĥ, kernels": "reward_radius_b",
        "ĥ natural, kernels": "",
        "D, rewards": "reward_radius",
        "D influence, rewards": "reward_radius_d",
        "ĥ, rewards": "reward_radius_b",
        "ĥ natural, rewards": "",
    },
    "truncation": {"": "truncation"},
    "lemma4": {"worst case": "lemma4_worst_case", "own hypothesis": "lemma4_own_hypothesis"},
    "lemma4_vector": {
        "any weights": "lemma4_vector",
        "worst case": "lemma4_vector_worst_case",
        "paper": "lemma4_vector_paper",
        "natural weights": "",
        "TD's limit": "lemma4_vector_td",
    },
    "td_fixed_point": {
        "paper": "td_fixed_point_paper",
        "decay gap alone": "td_fixed_point_gap",
        "locality": "td_fixed_point_b",
    },
    "critic_sharp": {
        "paper": "critic_sharp_paper",
        "decay gap alone": "critic_sharp_gap",
        "locality": "critic_sharp_local",
    },
}

#: What a claim's theorem leaves to paper although its reading has one.
BESIDES: Mapping[str, str] = {"lemma1": "that ∂/∂θ is a derivation"}


def proofs(claims: Iterable[str], rows: Iterable[Theorem], page: str) -> dict[str, str]:
    """How each claim is proved, with the readings that are left to paper: by machine, on `page`, or by the paper.

    page : the page of proofs, whose headings are claims. ValueError if a theorem of `READINGS` is not among the rows.
    """
    said, headings = {row.theorem: row.assumptions for row in rows}, set(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    told = {}
    for claim in claims:
        readings = READINGS.get(claim, {})
        if missing := [name for name in readings.values() if name and name not in said]:
            raise ValueError(f"{claim}: no theorem is called {', '.join(missing)}")
        stated = [said[name] for name in readings.values() if name]
        if stated:
            left = [reading for reading, name in readings.items() if not name]
            left += [BESIDES[claim]] if claim in BESIDES else []
            word = "machine-checked" if set(stated) == {CLOSED} else f"formal, {UNCHECKED}"
            told[claim] = f"{word}, but on paper: {'; '.join(left)}" if left else word
        else:
            told[claim] = "on paper" if claim in headings else "the paper's own"
    return told
