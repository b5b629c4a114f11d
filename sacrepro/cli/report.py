"""The verbs about the whole: what there is, what it says, as a page and as a document."""

from __future__ import annotations

import argparse

from sacrepro.cli.arguments import FILE, Verbs
from sacrepro.cli.inputs import arrays_of, record_of, some_rows


def catalog(args: argparse.Namespace) -> None:
    """Write what claims and figures say about themselves as JSON, and the table from claims to commands as Markdown."""
    from sacrepro.archive.files import write_json, write_text
    from sacrepro.cli.proofs import proofs_of
    from sacrepro.study.report.catalog import catalog as entries
    from sacrepro.study.report.catalog import claims_page

    found = entries()
    write_json(args.output, found)
    if args.markdown:
        write_text(args.markdown, claims_page(found, proofs_of(*args.formal or (None, None))))


def decay_map(args: argparse.Namespace) -> None:
    """Write what the state of each agent is worth to one of them, with its place in a drawing of the graph."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.experiments.decay_map import MapRow, map_rows
    from sacrepro.study.record.case import cases

    rows: list[MapRow] = []
    for path in args.exact:
        for case in cases(arrays_of("exact", path)):
            rows += map_rows(case)
        print(f"{case.instance}: done", flush=True)
    write_rows(args.output, MapRow, rows)


def report(args: argparse.Namespace) -> None:
    """Set the report from verdicts, catalog, manifest, pages and figures; no number in it has another source."""
    import json
    from pathlib import Path

    from sacrepro.archive.files import read_bytes, read_text, write_bytes
    from sacrepro.cli.proofs import proofs_of
    from sacrepro.study.record.comparison import Verdict
    from sacrepro.study.report.document import RECORD, pdf, record

    paths = {Path(path).stem: Path(path) for path in args.figures}
    files = {f"figures/{path.name}": read_bytes(path) for path in paths.values()}
    made = record(
        some_rows([args.claims], Verdict),
        record_of("catalog", args.catalog, "claims", "figures"),
        record_of("manifest", args.manifest, "config", "versions", "code"),
        {name: f"figures/{path.name}" for name, path in paths.items()},
        {Path(path).stem: read_text(path) for path in args.pages},
        proofs_of(args.formal, next((path for path in args.pages if Path(path).stem == "proofs"), None)),
    )
    files[RECORD] = json.dumps(made, ensure_ascii=False).encode()
    files["references.bib"] = read_bytes(args.references)
    files["main.typ"] = read_bytes(args.template)
    document = pdf(files)
    write_bytes(args.output, document)
    print(f"{len(made['claims'])} claims, {len(paths)} figures, {len(document)} bytes")


def readme(args: argparse.Namespace) -> None:
    """Put verdicts between the markers of a page: those of a csv file as findings and a short table."""
    from sacrepro.archive.files import read_text, write_text
    from sacrepro.cli.proofs import proofs_of
    from sacrepro.study.record.comparison import Verdict
    from sacrepro.study.report.findings import front_page
    from sacrepro.study.report.table import between_markers

    if args.verdicts.endswith(".csv"):
        shown = front_page(some_rows([args.verdicts], Verdict), proofs_of(*args.formal or (None, None)))
    else:
        shown = read_text(args.verdicts)
    write_text(args.page, between_markers(read_text(args.page), shown))


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(catalog)
    added.add_argument("--markdown", type=FILE, help="the table claim → rule → file → command")
    added.add_argument("--formal", nargs=2, help="csv file written by `formal`, and the page of proofs")

    added = verbs.add(decay_map)
    added.add_argument("exact", nargs="+", help="files written by `exact`")

    added = verbs.add(readme, output=False)
    added.add_argument("verdicts", help="results/claims.csv or results/claims.md, written by `verdicts`")
    added.add_argument("page", help="README.md or paper/verdicts.md, in which they are replaced")
    added.add_argument("--formal", nargs=2, help="csv file written by `formal`, and the page of proofs")

    added = verbs.add(report)
    added.add_argument("claims", help="the table written by `verdicts`")
    added.add_argument("catalog", help="written by `catalog`")
    added.add_argument("manifest", help="written by `manifest`")
    added.add_argument("--template", required=True, help="the typst document")
    added.add_argument("--references", required=True, help="BibTeX entries it cites")
    added.add_argument("--pages", nargs="+", required=True, help="Markdown pages, such as proofs.md")
    added.add_argument("--formal", help="csv file written by `formal`")
    added.add_argument("--figures", nargs="*", default=[], help="svg files, each named after its figure")
