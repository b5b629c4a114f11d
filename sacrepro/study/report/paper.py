"""The paper: paper/paper.typ, whose numbers are fields and whose paragraphs name the verdicts that they rest on.

A block of the source, which ends at an empty line, may begin with lines ``//: PLACE = VERDICT, VERDICT``: it stands
only if the run has one of these verdicts there. ``⟦FIELD⟧`` is a number of the run (`table.Evidence`). What a run
does not bear out is refused where the paper configuration is published, and elsewhere left out and listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sacrepro.archive.files import read_bytes, read_text, record_of, some_rows, write_bytes
from sacrepro.study.arguments import File
from sacrepro.study.claims import all_claims
from sacrepro.study.coq import proofs_of
from sacrepro.study.record.comparison import JUDGEMENTS, Comparison, Verdict, ratio_text
from sacrepro.study.report.document import pdf
from sacrepro.study.report.facts import facts_of, medians
from sacrepro.study.report.pages import inline
from sacrepro.study.report.table import Evidence, as_place, counted, worst

CONDITION, FIELD = re.compile(r"^//: (.+?) = (.+)$", re.MULTILINE), re.compile("⟦([^⟧]+)⟧")

#: Blocks that the run bears out, and why others are left out.
Text = tuple[str, list[str]]


def borne_out(source: str, evidence: Evidence) -> Text:
    """The blocks of a source with their numbers, without those that the run does not bear out; and why not."""
    kept, objections = [], []
    for block in re.split(r"\n{2,}", source):
        found = [
            objection
            for place, expected in CONDITION.findall(block)
            if (objection := evidence.objection(as_place(place), expected.split(", ")))
        ]
        try:
            text = FIELD.sub(lambda field: inline(evidence.number(field[1])), CONDITION.sub("", block))
        except KeyError as error:
            found.append(f"a number for {error.args[0]}, got none")
        if found:
            objections.append("; ".join(found))
        else:
            kept.append(text)
    return "\n\n".join(kept), objections


def record(verdicts: Sequence[Verdict], steps: Sequence[Comparison], proofs: Mapping[str, str]) -> dict[str, Any]:
    """The tables of the paper, as typst markup: verdicts, counterexamples, and what each step of the proofs costs."""
    words = {claim.name: claim.words for claim in all_claims()}
    own = {name: [row for row in verdicts if row.claim == name and row.verdict in JUDGEMENTS] for name in words}
    return {
        "claims": [
            [
                f"#raw({json.dumps(name)})",
                *map(
                    inline,
                    (
                        words[name],
                        ", ".join(counted(rows)).removeprefix("1 " if len(rows) == 1 else ""),
                        worst(rows),
                        proofs.get(name, ""),
                    ),
                ),
            ]
            for name, rows in own.items()
            if rows
        ],
        "counterexamples": [
            [inline(row.statement), inline(row.verdict), ratio_text(row.ratio)]
            for row in verdicts
            if row.verdict not in JUDGEMENTS
        ],
        "steps": [[inline(step), *costs] for step, *costs in medians(steps)],
    }


def paper(
    claims: str,
    manifest: str,
    *,
    template: str,
    references: str,
    formal: tuple[str, str] | None = None,
    rows: Sequence[str] = (),
    figures: Sequence[str] = (),
    output: File,
) -> Iterator[str]:
    """Set the paper from verdicts, rows and figures; ValueError for what a published run does not bear out."""
    config = record_of("manifest", manifest, "config", "versions", "code")["config"]
    verdicts = some_rows([claims], Verdict)
    anatomy = [path for path in rows if Path(path).stem == "anatomy"]
    facts = facts_of([path for path in rows if path not in anatomy], verdicts, config)
    facts |= {f"figure {Path(path).stem}": "drawn" for path in figures}
    steps = some_rows(anatomy, Comparison) if anatomy else []
    text, objections = borne_out(
        read_text(template), Evidence(verdicts, facts | ({"steps": "measured"} if steps else {}))
    )
    if objections and config["published"]:
        raise ValueError(f"{template} wants " + "; and ".join(objections))
    made = record(verdicts, steps, proofs_of(*formal or (None, None))) | {"left_out": [*map(inline, objections)]}
    files = {f"figures/{Path(path).name}": read_bytes(path) for path in figures}
    files |= {"paper.json": json.dumps(made, ensure_ascii=False).encode(), "main.typ": text.encode()}
    document = pdf(files | {"references.bib": read_bytes(references)})
    write_bytes(output, document)
    yield f"{len(document)} bytes, {len(objections)} blocks left out"
