"""Rule `site`: findings, verdicts, claims, instances, explorer and reference as a folder of HTML that fetches nothing.

Sphinx sets the project's pages as they are, and pages that the templates of paper/site make of results. What the report
takes for a formula is one here, too: typst sets it as MathML, which browsers know.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import math
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

import sacrepro
from sacrepro import adapters
from sacrepro.adviser.describe import layout
from sacrepro.archive.files import arrays_of, read_json, read_rows, read_text, record_of, some_rows, write_text
from sacrepro.model.notices import brought_by
from sacrepro.study.arguments import File
from sacrepro.study.claims import claim
from sacrepro.study.coq import Theorem, proofs_of
from sacrepro.study.record.case import Case, cases
from sacrepro.study.record.comparison import JUDGEMENTS, Comparison, Verdict, excess_text, ratio_text
from sacrepro.study.report.mathematics import mathml
from sacrepro.study.report.pages import pieces
from sacrepro.study.report.table import counted, worst

#: What pages link to.
FOLDERS = ("paper", "figures", "workflow", "sacrepro", "tests")

#: What the explorer sets beside D_i(κ): a claim, and its variant.
BOUNDS = {"lemma3": "", "influence": "clipped series"}


def site(
    claims: str, *, catalog: str, config: str, formal: tuple[str, str], exact: Sequence[str] = (),
    rows: Sequence[str] = (), figures: Sequence[str] = (), template: str, output: File,
) -> Iterator[str]:  # fmt: skip
    """Write the site; its front page is the output, everything else beside it."""
    folder, root = Path(template).resolve(), Path(template).resolve().parents[1]
    verdicts, known = some_rows([claims], Verdict), record_of("catalog", catalog, "claims", "figures")
    asked, drawn = record_of("config", config, "instances", "published"), {Path(path).stem: path for path in figures}
    explored = dict(pictures(exact, rows))
    made: dict[str, Any] = {
        "claims": list(claim_pages(known, verdicts, read_rows(formal[0], Theorem), proofs_of(*formal), drawn)),
        "instances": list(instance_pages(asked["instances"], root, verdicts, explored)),
        "rooms": list(reference()),
        "published": asked["published"],
        "explored": explored,
    }
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        for own in FOLDERS:
            shutil.copytree(
                root / own, source / own, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.vo*", "*.glob")
            )
        for page in root.glob("[A-Z]*.*"):
            shutil.copy(page, source)
        (source / "drawn").mkdir()  # by this run; what the pages show was drawn by the published study
        for path in figures:
            shutil.copy(path, source / "drawn")
        for notebook in (root / "paper").glob("*.ipynb"):
            write_text(source / "paper" / notebook.name, notebook_page(read_json(notebook)))
        written = list(written_pages(folder, source, made))
        warned = built(source, folder / "static", Path(output).resolve().parent)
    if warned:
        raise ValueError(f"the site has faults: {warned}")
    yield f"{len(written)} pages made of {len(made['claims'])} claims, {len(explored)} instances and the code"


def written_pages(folder: Path, source: Path, made: Mapping[str, Any]) -> Iterator[str]:
    """Fill the templates, one page an entry for those whose name says of what; the names of the pages."""
    with brought_by("site"):
        import jinja2

    loader = jinja2.FileSystemLoader(folder)
    engine = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    engine.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}
    names = [entry["name"] for entry in made["instances"]]
    engine.filters |= {
        "md": marked,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "cell": lambda text: text.replace("|", "\\|"),
        "ratio": lambda row: excess_text(row) if row.ratio != row.ratio else ratio_text(row.ratio),
        "place": lambda where: linked_place(where, names),
    }
    entries = {
        "claim": made["claims"],
        "instance": made["instances"],
        "api": [entry for room in made["rooms"] for entry in room["names"]],
    }
    for template in sorted(folder.glob("*.md")):
        for entry in entries.get(template.stem, [None]):
            page = f"{template.stem}s/{entry['name']}.md" if entry else template.name
            write_text(source / page, engine.get_template(template.name).render(made, entry=entry))
            yield page


def notebook_page(notebook: Mapping[str, Any]) -> str:
    """A notebook as Markdown: its words, its code, and what the code printed."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            text = "".join(output.get("text") or output["data"]["text/plain"])
            parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def claim_pages(
    known: Mapping[str, Any], verdicts: Sequence[Verdict], theorems: Sequence[Theorem], proofs: Mapping[str, str],
    drawn: Mapping[str, str],
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What the page of each claim shows: its entry of the catalog, verdicts, theorems, figure and counterexamples."""
    captions = {entry["name"]: entry["caption"] for entry in known["figures"]}
    for entry in known["claims"]:
        if not (rows := [row for row in verdicts if row.claim == entry["name"]]):
            continue  # which this run did not audit
        variants = [row for row in rows if row.verdict in JUDGEMENTS]
        yield entry | {
            "words": claim(entry["name"]).words,
            "about": described(entry["about"]),
            "measures": described(entry["measures"]),
            "variants": variants,
            "told": ", ".join(counted(variants)),
            "worst": worst(variants),
            "counterexamples": [row for row in rows if row.verdict not in JUDGEMENTS],
            "theorems": [row for row in theorems if row.claim == entry["name"]],
            "proof": proofs[entry["name"]],
            "heading": claim(entry["name"]).proof,
            "figure": f"{entry['name']}.svg" if entry["name"] in drawn else "",
            "caption": captions.get(entry["name"], ""),
        }


def instance_pages(
    specs: Mapping[str, Any], root: Path, verdicts: Sequence[Verdict], explored: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """What the page of each instance shows: its words, its specification, its graph, and what is worst there."""
    told = re.findall(r"^\* (.*?)(?=^\* |^#|\Z)", read_text(root / "paper/instances.md"), re.MULTILINE | re.DOTALL)
    for name, entry in specs.items():
        words = [
            re.sub(r"\]\((?=\w)(?!\w+:)", "](/paper/", " ".join(text.split()))  # links of that page, from this one
            for text in told
            if any(
                name == own or (own[-1] == "…" and name.startswith(own[:-1])) for own in re.findall(r"`(\w+…?)`", text)
            )
        ]
        yield {
            "name": name,
            "words": words,
            "spec": json.dumps(entry["spec"], ensure_ascii=False),
            "worst": [row for row in verdicts if row.where.partition(",")[0] == name],
            "picture": explored.get(name),
        }


def pictures(exact: Sequence[str], rows: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the explorer shows of each instance: its graph, and for each policy D_i(κ), bounds, and who matters to whom.

    policies : by series, agent and κ; None where no row, or no finite number, is given, for JSON knows no infinity.
    influence : the largest |V_i(s) - V_i(s')| over s, s' that differ at agent j only, to four digits, by i, then j.
    """
    measured: dict[tuple[str, str], Any] = {}
    for path in rows:
        own = Path(path).stem
        for row in read_rows(path, Comparison):
            if own in BOUNDS and row.hypothesis == BOUNDS[own]:
                series = measured.setdefault((row.instance, row.policy), {})
                for name, value in {own: row.right, **({"D": row.left} if own == "lemma3" else {})}.items():
                    curve = series.setdefault(name, {}).setdefault(row.agent, [])
                    curve += [None] * (row.kappa + 1 - len(curve))
                    curve[row.kappa] = value if math.isfinite(value) else None
    for path in exact:
        found: list[Case] = list(cases(arrays_of("exact", path)))
        mdp, series = found[0].mdp, {case.policy: measured.get((case.instance, case.policy), {}) for case in found}
        hops = dict(nx.all_pairs_shortest_path_length(mdp.graph))
        yield (
            found[0].instance,
            {
                "n": mdp.n,
                "gamma": mdp.gamma,
                "r_bar": mdp.r_bar,
                "place": [[round(float(x), 3) for x in xy] for xy in layout(mdp.graph)],
                "edges": sorted(sorted(edge) for edge in mdp.graph.edges if edge[0] != edge[1]),
                "hops": [[hops[i].get(j, -1) for j in range(mdp.n)] for i in range(mdp.n)],
                "policies": series,
                "influence": {
                    case.policy: [[float(f"{np.ptp(V_i, axis=j).max():.4g}") for j in range(mdp.n)] for V_i in case.V]
                    for case in found
                },
            },
        )


def linked_place(where: str, instances: Iterable[str]) -> str:
    """Where a comparison was made, with its instance as a link."""
    name, _, rest = where.partition(",")
    return f"[`{name}`](/instances/{name}.md), {marked(rest)}" if name in instances else marked(where)


def built(source: Path, static: Path, output: Path) -> str:
    """Have Sphinx set the pages of `source`; its warnings."""
    with brought_by("site"):
        from sphinx.application import Sphinx

    warned = io.StringIO()
    settings = {
        "project": "sacrepro",
        "html_title": "sacrepro",
        "version": sacrepro.__version__,
        "extensions": ["myst_parser", __name__],
        "source_suffix": {".md": "markdown", ".ipynb": "markdown"},
        "exclude_patterns": ["paper/site", "paper/formal/.checked", "tests", "sacrepro", "workflow", "README.md"],
        "myst_enable_extensions": ["deflist", "colon_fence", "html_image"],
        "myst_heading_anchors": 3,
        "html_theme": "furo",
        "html_static_path": [str(static)],
        "html_css_files": ["site.css"],
        "html_js_files": ["site.js"],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_copyright": False,
        "smartquotes": False,
        "maximum_signature_line_length": 60,
        "toc_object_entries": False,
    }
    with tempfile.TemporaryDirectory() as doctrees:
        Sphinx(
            str(source), None, str(output), doctrees, "html", settings, status=None, warning=warned, freshenv=True
        ).build()
    return warned.getvalue()


def setup(app: Any) -> dict[str, bool]:
    """What makes this module an extension of Sphinx: formulas are set in every page that was read."""
    app.connect("doctree-read", lambda _, page: set_formulas(page))
    return {"parallel_read_safe": True}


#: Letters with a hat that Unicode has, as what it has of all others.
HATS = {ord(letter): unicodedata.normalize("NFD", letter) for letter in "ĝĥ"}


def set_formulas(page: Any) -> None:
    """Put MathML in place of the formulas of a page; headings and code stay as they are."""
    from docutils import nodes

    wanted: list[tuple[Any, list[Any], list[tuple[str, str]]]] = []
    for block in page.findall(lambda node: isinstance(node, nodes.paragraph | nodes.term | nodes.caption)):
        for node in block.findall(nodes.TextElement):
            run: list[Any] = []
            for child in [] if isinstance(node, nodes.literal | nodes.raw) else [*node.children, None]:
                if isinstance(child, nodes.Text):
                    run.append(child)
                    continue
                parts = list(pieces("".join(run).translate(HATS)))
                if any(kind == "formula" for kind, _ in parts):
                    wanted.append((node, run, parts))
                run = []
    known = mathml(list(dict.fromkeys(text for _, _, parts in wanted for kind, text in parts if kind == "formula")))
    for node, run, parts in wanted:
        place = node.index(run[0])
        for child in run:
            node.remove(child)
        for kind, text in reversed(parts):
            new = {"words": nodes.Text, "code": lambda own: nodes.literal(own, own)}.get(kind)
            node.insert(place, new(text) if new else nodes.raw("", known[text], format="html"))


# The reference of the public names, from their signatures and docstrings.

#: Rooms of the library, in the order of the reference.
ROOMS = {
    "model": "The model and its policies (Section 2)",
    "exact": "Exact values, gradients, decay, and the law of Algorithm 1",
    "bounds": "Right-hand sides",
    "simulate": "Simulators",
    "learn": "Algorithm 1 and other learners (Section 3)",
    "instances": "Named models, and networks from files",
    "adviser": "Advice about your own network",
}


def reference() -> Iterator[dict[str, Any]]:
    """The public names by room: signature, docstring as Markdown, and what the methods of a class do."""
    for room, title in ROOMS.items():
        names = [name for name in sacrepro.__all__ if getattr(sacrepro, name).__module__.split(".")[1] == room]
        yield {"title": title, "names": [name_entry(name) for name in names]}
    yield {"title": "Doors to other libraries, each with an extra", "names": list(doors())}


def doors() -> Iterator[dict[str, Any]]:
    """The functions of the adapters: read, not imported, for that takes the other library."""
    for path in sorted(Path(adapters.__path__[0]).glob("[a-z]*.py")):
        for node in ast.parse(read_text(path)).body:
            if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
                returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
                signature, doc = f"{node.name}({ast.unparse(node.args)}){returns}", ast.get_docstring(node) or ""
                home = f"adapters.{path.stem}"
                yield entry_of(f"{home}.{node.name}", signature, doc, f"sacrepro.{home}")


def name_entry(name: str) -> dict[str, Any]:
    """One public name, with the properties and methods of a class; fields are in its docstring."""
    found, members = getattr(sacrepro, name), []
    for own in dir(found) if inspect.isclass(found) else ():
        member = inspect.getattr_static(found, own)
        if own[0] != "_" and (isinstance(member, property) or getattr(member, "__module__", "").startswith("sacrepro")):
            called = getattr(found, own)
            members.append({"signature": own + signature(called), "doc": described(inspect.getdoc(called) or "")})
    kind = "class" if inspect.isclass(found) else "function"
    return entry_of(name, name + signature(found), inspect.getdoc(found) or "", found.__module__, kind, members)


def entry_of(
    name: str, signature: str, doc: str, module: str, kind: str = "function", members: Sequence[Any] = ()
) -> dict[str, Any]:
    """What the page of a name shows."""
    first, called = " ".join(doc.partition("\n\n")[0].split()), name.rpartition(".")[2]
    return {
        "name": name,
        "kind": kind,
        "home": f"sacrepro.{name}".rpartition(".")[0],
        "module": module,
        "signature": signature,
        "first": first,
        "doc": described(doc, own=called),
        "members": members,
    }


def signature(own: Any) -> str:
    """The signature of a function as it is written, whose annotations are texts; nothing for what has none."""
    with contextlib.suppress(TypeError, ValueError):
        found = re.sub(r"ForwardRef\((.*?)\)(?=[,) ])", r"\1", str(inspect.signature(own)))
        return re.sub(r"""(: |-> )(['"])(.*?)\2(?=[,) ]|$)""", r"\1\3", found)
    return ""


#: The beginning of an entry such as ``tol : certified error``, and where one begins inside a line.
ENTRY = re.compile(r"([\w*]+(?:, [\w*]+)*)\s*: +(.*)", re.DOTALL)
INSIDE = re.compile(r"(?:(?<=[.;])\s|\s{3,})(?=[\w*]+(?:, [\w*]+)* +: )|\s(?=Raises )")


def described(doc: str, own: str = "") -> str:
    """A docstring of this house as Markdown: its examples as code, its entries as a list, public names as links."""
    parts = []
    for block in doc.split("\n\n"):
        if block.lstrip().startswith(">>>"):
            parts.append(f"```pycon\n{inspect.cleandoc(block)}\n```")
            continue
        pieces_of = re.split(r"\n(?=[\w*]+(?:, [\w*]+)*\s+: |Raises )", block)
        for text in (piece for line in pieces_of for piece in INSIDE.split(line)):
            text = " ".join(text.split())
            found = ENTRY.fullmatch(text) if re.match(r"[\w*]+(?:, [\w*]+)* +: ", text) else None
            parts.append(f"`{found[1]}`\n: {marked(found[2], own)}" if found else marked(text, own))
    return "\n\n".join(parts)


#: What would be markup in Markdown; escaped already or not.
MARKUP = re.compile(r"\\([*|_])|([\\`*_{}<>&\[\]])")


def marked(text: str, own: str = "") -> str:
    """Plain text as Markdown that shows it as it is, but for code, which is code, and public names, which are links."""

    def set_span(span: str) -> str:
        if not (code := re.fullmatch(r"(`+)(.+)\1", span)):
            return MARKUP.sub(lambda found: "\\" + (found[1] or found[2]), span)
        name = code[2]
        return f"[`{name}`](/apis/{name}.md)" if name in sacrepro.__all__ and own and name != own else span

    return "".join(set_span(span) for span in re.split(r"(``.+?``|`[^`]+`)", text) if span)
