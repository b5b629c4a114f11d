"""Rules `verdicts` and `verify`: the one place where comparisons are judged, and the one that fails a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sacrepro.archive.files import read_rows, some_rows, write_rows, write_text
from sacrepro.study.arguments import ClaimName, File
from sacrepro.study.audit.adversary import Found
from sacrepro.study.audit.falsify import Planted, false_sentences, plants
from sacrepro.study.claims import all_claims
from sacrepro.study.claims import claim as claim_named
from sacrepro.study.coq import proofs_of
from sacrepro.study.record.comparison import JUDGEMENTS, Comparison, Verdict, by_hypothesis, holds, place, verdict
from sacrepro.study.report.table import markdown_table, summary_table, violations


def verdicts(
    comparisons: Sequence[str],
    *,
    counterexamples: str | None = None,
    claims: Sequence[ClaimName] | None = None,
    formal: tuple[str, str] | None = None,
    output: File | None = None,
    markdown: File | None = None,
    keep_going: bool = False,
) -> Iterator[str]:
    """Judge every claim and counterexample and print the table; write it as csv and its summary as Markdown.

    Exit status 1 if a claim is violated or a counterexample is none, unless --keep-going leaves that to `verify`.
    """
    if formal and not markdown:
        raise ValueError("--formal: proofs are told in --markdown alone, which is not given")
    rows, proved = [], proofs_of(*formal or (None, None))
    for path in comparisons:
        chosen = claim_named(Path(path).stem)
        own = read_rows(path, Comparison)
        if own:
            chosen.check_variants({row.hypothesis for row in own}, path)
        for group in by_hypothesis(own):
            rows.append(verdict(chosen.name, chosen.statement, chosen.reference, group))
    if counterexamples:
        measured = read_rows(counterexamples, Comparison)
        for sentence in false_sentences(claims):
            rows.append(sentence.judged([row for row in measured if row.hypothesis == sentence.key]))
    if not rows:
        raise ValueError(f"{', '.join(comparisons)}: no rows below the header, so there is nothing to judge")
    if output:
        write_rows(output, Verdict, rows)
    if markdown:
        write_text(markdown, summary_table(rows, proved))
    yield markdown_table(rows).rstrip("\n")
    if not keep_going and (faults := violations(rows)):
        yield from faults
        raise SystemExit(1)


def verify(
    claims: str,
    *,
    falsification: str | None = None,
    adversary: str | None = None,
    of: Sequence[ClaimName] | None = None,
    scale: str | None = None,
    output: File,
) -> Iterator[str]:
    """Fail if a claim is violated, also under attack, a counterexample is none, or a planted mistake is not caught."""
    rows = read_rows(claims, Verdict)
    if not rows:
        raise ValueError(f"{claims} holds no claim")
    faults = violations(rows)
    statements = sum(row.verdict in JUDGEMENTS for row in rows)
    passed = [f"{statements} claims, none violated", f"{len(rows) - statements} counterexamples, all violated"]
    if falsification:
        planted = read_rows(falsification, Planted)
        caught = [row for row in planted if row.caught == "yes"]
        faults += [f"NOT CAUGHT {row.mistake} in {row.claim} {row.hypothesis}" for row in planted if row.caught == "no"]
        if len(caught) < (asked := len(plants(of))):
            faults.append(f"CAUGHT {len(caught)} of {asked} planted mistakes")
        passed.append(f"{len(caught)} planted mistakes, all caught")
    if adversary:
        found = read_rows(adversary, Found)
        faults += [
            f"VIOLATED under attack {row.claim} {row.hypothesis}: {row.adversary:.6g} at {row.where}"
            for row in found
            if row.violations
        ]
        missing = {(claim.name, variant) for claim in all_claims(of) for variant in claim.attacked}
        missing -= {(row.claim, row.hypothesis) for row in found}
        faults += [f"NOT ATTACKED {claim} {variant}" for claim, variant in sorted(missing)]
        passed.append(f"{len(found)} variants attacked, none violated")
    if scale:
        large = some_rows([scale], Comparison)
        faults += [f"VIOLATED at scale: {row.hypothesis} at {place(row)}" for row in large if not holds(row)]
        passed.append(f"{len(large)} comparisons on the largest network, none violated")
    if faults:
        yield from faults
        raise SystemExit(1)
    write_text(output, "\n".join(passed) + "\n")
    yield from passed
