"""What there is: every claim with its files and its command, every figure with its caption, from the code itself.

Rules `config` and `manifest` write beside it what was asked for, and what came out of it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sacrepro.archive.files import read_rows, record_of, write_json, write_text
from sacrepro.archive.manifest import circumstances, recorded_files
from sacrepro.archive.manifest import manifest as record
from sacrepro.study.arguments import File, Json, Record
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.coq import Theorem, proofs_of
from sacrepro.study.drawings import FIGURES, drawing
from sacrepro.study.report.findings import contents, opening


def catalog() -> dict[str, list[dict[str, Any]]]:
    """The claims in the paper's order, and the figures; only strings inside."""
    return {"claims": [claim_entry(name) for name in CLAIMS], "figures": [figure_entry(name) for name in FIGURES]}


def claim_entry(name: str) -> dict[str, Any]:
    """One claim: what it states, how it is checked in the words of its module, and where its parts are."""
    chosen = claim(name)
    room = sys.modules[chosen.check.__module__]
    first, _, rest = inspect.cleandoc(room.__doc__ or "").partition("\n\n")
    return {
        "name": name,
        "title": " ".join(first.split()),
        "statement": chosen.statement,
        "reference": chosen.reference,
        "about": with_values(rest, vars(room)),
        "measures": with_values(inspect.cleandoc(chosen.check.__doc__ or ""), vars(room)),
        "module": f"sacrepro/study/claims/{name}.py",
        "test": f"tests/claims/test_{name}.py",
        "rows": f"results/claims/{name}.csv",
        "command": f"snakemake --cores 2 results/claims/{name}.csv && sacrepro verdicts results/claims/{name}.csv",
    }


#: A constant of a module, as a docstring names it.
CONSTANT = re.compile(r"`([A-Z][A-Z_]+)`")


def with_values(text: str, room: Mapping[str, Any]) -> str:
    """`text` with its value in place of each constant that it names, as a reader has numbers; KeyError without one."""
    return CONSTANT.sub(lambda found: in_figures(room[found[1]]), text)


def in_figures(value: Any) -> str:
    """A number with commas or as a power of ten, several one after the other."""
    if isinstance(value, tuple):
        return ", ".join(map(in_figures, value))
    mantissa, _, exponent = f"{value:.15g}".partition("e")
    return f"10^{{{int(exponent)}}}" if (mantissa, exponent[:1]) == ("1", "-") else f"{value:,}"


def figure_entry(name: str) -> dict[str, Any]:
    """One figure: its caption, and whether it shows a claim's rows."""
    return {"name": name, "caption": drawing(name).caption, "of_claim": name in CLAIMS}


def claims_page(
    entries: dict[str, list[dict[str, Any]]], proofs: Mapping[str, str], theorems: Sequence[Theorem] = ()
) -> str:
    """paper/claims.md: claim → rule → file → command. proofs : how each claim is proved, by name."""
    files = {row.theorem: row.file for row in theorems}
    lines = [
        "# From a claim to its numbers",
        "",
        "Written by `python -m sacrepro catalog`. Rule `claim` measures, rule `verdicts` judges, rule `figure` draws.",
        "Each command computes what it needs and nothing else, prints the verdict and fails if the claim is violated.",
        "So does `sacrepro claim NAME FILES --output ROWS` on files of `sacrepro exact`. In the workflow both",
        "have `--keep-going`, so that every table is written before rule `verify` fails the run.",
        "Proofs by hand are in [proofs.md](proofs.md), machine-checked ones in [formal](formal/README.md); letters",
        "such as Γ, G, R_d, m_d, B and words such as *own hypothesis* are in [notation.md](notation.md).",
        "",
        contents(entry["name"] for entry in entries["claims"]),
    ]
    for entry in entries["claims"]:
        proof, left, by_hand = proofs.get(entry["name"], "").partition(";")
        stated = dict.fromkeys(files[own.theorem] for own in claim(entry["name"]).variants if own.theorem in files)
        linked = f" ({', '.join(f'[{file}](formal/{file})' for file in stated)})" if stated else ""
        proof = f"; proof: {proof}{linked}{left}{by_hand}" if proof else ""
        lines += [
            *opening(entry["name"]),
            f"[Check](../{entry['module']}), [tests](../{entry['test']}){proof}.",
            "",
            "```",
            entry["command"],
            "```",
        ]
    return "\n".join(lines) + "\n"


def job(*, output: Json, markdown: File | None = None, formal: tuple[str, str] | None = None) -> None:
    """Write what claims and figures say about themselves as JSON, and the way from claims to commands as Markdown."""
    if formal and not markdown:
        raise ValueError("--formal: proofs are told in --markdown alone, which is not given")
    found, proved = catalog(), proofs_of(*formal or (None, None))
    theorems = read_rows(formal[0], Theorem) if formal else ()
    write_json(output, found)
    if markdown:
        write_text(markdown, claims_page(found, proved, theorems))


def config(config: Record, *, output: Json) -> None:
    """Write the resolved configuration beside the results."""
    write_json(output, config)


def manifest(results: Sequence[str], *, config: str, log: Json, output: Json) -> Iterator[str]:
    """Write configuration, code digest, versions, seeds and checksums of results; clock and machine to --log."""
    files = recorded_files([path for path in results if Path(path) != Path(output)])
    write_json(output, record(record_of("config", config), files, Path(output).parent.name))
    write_json(log, circumstances(Path(log).parent))
    yield f"{len(files)} files"
