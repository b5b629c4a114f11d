"""The appendix: verdicts, catalog, configuration and manifest as one record, which paper/appendix.typ sets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sacrepro.archive.files import read_bytes, read_text, record_of, some_rows, write_bytes
from sacrepro.model.notices import brought_by, meant
from sacrepro.study.arguments import File
from sacrepro.study.coq import proofs_of
from sacrepro.study.record.comparison import JUDGEMENTS, Verdict, excess_text, ratio_text
from sacrepro.study.report.mathematics import quoted
from sacrepro.study.report.pages import inline, markup
from sacrepro.study.report.table import totals

#: Title in BibTeX's and Markdown's files that the template reads beside the record.
RECORD = "report.json"


def record(
    verdicts: Sequence[Verdict],
    catalog: Mapping[str, Any],
    manifest: Mapping[str, Any],
    figures: Mapping[str, str],
    pages: Mapping[str, str],
    proofs: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything that the template shows, as typst markup where it is text.

    figures : file of each figure that was drawn, by name. pages : Markdown pages by name, such as ``proofs``.
    proofs : how each claim is proved, by name.
    ValueError if a verdict is about a claim that the catalog does not know.
    """
    known = {entry["name"]: entry for entry in catalog["claims"]}
    judged = list(dict.fromkeys(row.claim for row in verdicts))
    if unknown := [name for name in judged if name not in known]:
        raise ValueError(f"no claim is called {', '.join(unknown)}{meant(unknown[0], known)}")
    captions = {entry["name"]: entry for entry in catalog["figures"]}
    counts = totals(verdicts)
    counterexamples = [row for row in verdicts if row.verdict not in JUDGEMENTS]
    verdicts = [row for row in verdicts if row.verdict in JUDGEMENTS]
    return {
        "claims": [
            claim_record(known[name], [row for row in verdicts if row.claim == name], figures, captions)
            | {"proof": inline((proofs or {}).get(name, ""))}
            for name in known
            if name in judged
        ],
        "totals": {
            **counts,
            **{name: grouped(counts[name]) for name in ("comparisons", "constraining")},
            "unconfirmed": [
                f"{row.claim}: {row.hypothesis}".removesuffix(": ") for row in verdicts if row.verdict == "vacuous"
            ],
            "violated": [row.claim for row in verdicts if row.verdict == "violated"],
        },
        "counterexamples": [
            {
                "sentence": inline(row.statement),
                "claim": row.claim,
                "reference": inline(row.reference),
                "verdict": inline(row.verdict),
                "ratio": f"{row.ratio:.4g}",
                "where": placed(row.where),
            }
            for row in counterexamples
        ],
        "experiments": [
            {"name": name, "caption": markup(captions[name]["caption"] if name in captions else name), "figure": path}
            for name, path in figures.items()
            if name not in known
        ],
        "instances": [
            {"name": name, "exact": entry["exact"], "words": inline(in_words(entry["spec"]))}
            for name, entry in manifest["config"]["instances"].items()
        ],
        "config": manifest["config"],
        "versions": manifest["versions"],
        "code": manifest["code"],
        "pages": {name: markup(without_title(page), level=0) for name, page in pages.items()},
    }


def claim_record(
    entry: Mapping[str, Any],
    rows: Sequence[Verdict],
    figures: Mapping[str, str],
    captions: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The section of one claim."""
    name = entry["name"]
    kinds = list(dict.fromkeys(row.verdict for row in rows))
    return {
        "name": name,
        "title": inline(entry["title"].rstrip(".")),
        "statement": inline(entry["statement"]),
        "reference": inline(entry["reference"]),
        "about": markup(entry["about"]),
        "measures": markup(entry["measures"]),
        "module": entry["module"],
        "test": entry["test"],
        "rows": entry["rows"],
        "command": entry["command"],
        "figure": figures.get(name),
        "caption": markup(captions[name]["caption"]) if name in captions else "",
        "comparisons": grouped(sum(row.comparisons for row in rows)),
        "violations": sum(row.violations for row in rows),
        "kinds": [{"verdict": kind, "count": sum(row.verdict == kind for row in rows)} for kind in kinds],
        "long": any(len(row.hypothesis) > 24 for row in rows),
        "sides": [
            {
                "hypothesis": inline(row.hypothesis),
                "instances": row.instances,
                "comparisons": grouped(row.comparisons),
                "violations": row.violations,
                "ratio": "" if row.ratio != row.ratio else ratio_text(row.ratio),
                "where": placed(row.where) or inline(excess_text(row)),
                "certificate": f"{row.certificate:.1e}",
                "verdict": row.verdict,
            }
            for row in rows
        ],
    }


#: Parameters that have a letter.
LETTERS = {"gamma": "γ", "beta": "β", "delta": "δ", "epsilon": "ε"}


def in_words(spec: Mapping[str, Any]) -> str:
    """A specification as words: the model, its graph, then the parameters of either."""
    graph = spec.get("graph", {})
    what = [f"`{spec['model']}`", *([f"on a graph `{graph['family']}`"] if graph else [])]
    others = {**{key: value for key, value in spec.items() if key not in ("model", "graph")}, **graph}
    shown = (
        f"{LETTERS.get(key, key)} = {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in others.items()
        if key not in ("family", "path")
    )
    return ", ".join([" ".join(what), *([f"`{spec['path']}`"] if "path" in spec else []), "; ".join(shown)]).strip(", ")


def placed(place: str) -> str:
    """Where a comparison stands, as markup: the name of the instance letter by letter, the rest as prose."""
    name, theta, rest = place.partition(", θ ")
    return (f"#raw({quoted(name)});" if name else "") + inline(separated(theta + rest))


def separated(place: str) -> str:
    """Where a comparison stands, with a comma between κ and the case that follows it."""
    return re.sub(r"(κ=\d+) (?=\S)", r"\1, ", place)


def grouped(number: int) -> str:
    """An integer with its thousands apart."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def without_title(page: str) -> str:
    """A Markdown page without its first heading; the template gives it a place and a title."""
    first, _, rest = page.partition("\n")
    return rest if first.startswith("# ") else page


def pdf(files: Mapping[str, bytes]) -> bytes:
    """The document whose main file is ``main.typ``; the same files give the same bytes."""
    with brought_by("workflow"):
        import typst  # which verdicts and tables do without

    # Its stubs do not know that files may come from memory.
    compile_files: Any = typst.compile
    made: bytes = compile_files(dict(files), format="pdf", ignore_system_fonts=True, pdf_tags=False, timestamp=0)
    return made


def report(
    claims: str,
    catalog: str,
    manifest: str,
    *,
    template: str,
    references: str,
    pages: Sequence[str],
    formal: str | None = None,
    figures: Sequence[str] = (),
    output: File,
) -> Iterator[str]:
    """Set the report from verdicts, catalog, manifest, pages and figures; no number in it has another source."""
    paths = {Path(path).stem: Path(path) for path in figures}
    files = {f"figures/{path.name}": read_bytes(path) for path in paths.values()}
    made = record(
        some_rows([claims], Verdict),
        record_of("catalog", catalog, "claims", "figures"),
        record_of("manifest", manifest, "config", "versions", "code"),
        {name: f"figures/{path.name}" for name, path in paths.items()},
        {Path(path).stem: read_text(path) for path in pages},
        proofs_of(formal, next((path for path in pages if Path(path).stem == "proofs"), None)),
    )
    files[RECORD] = json.dumps(made, ensure_ascii=False).encode()
    files["references.bib"] = read_bytes(references)
    files["main.typ"] = read_bytes(template)
    document = pdf(files)
    write_bytes(output, document)
    yield f"{len(made['claims'])} claims, {len(paths)} figures, {len(document)} bytes"
