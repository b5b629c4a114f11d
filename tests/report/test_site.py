"""The parts of the site: docstrings as Markdown, formulas as MathML, signatures as they are written."""

import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import sacrepro
from sacrepro.archive.files import write_rows
from sacrepro.cli import main
from sacrepro.study.claims import CLAIMS
from sacrepro.study.coq import Theorem
from sacrepro.study.record.comparison import Comparison, Verdict
from sacrepro.study.report.catalog import catalog
from sacrepro.study.report.mathematics import LONG, mathml
from sacrepro.study.report.site import (
    claim_pages,
    described,
    instance_pages,
    marked,
    name_entry,
    pictures,
    reference,
    written_pages,
)

ROOT = Path(__file__).parents[2]


def test_every_page_has_its_place_in_the_navigation():
    """Else the site refuses to be built."""
    templates = "".join(path.read_text() for path in (ROOT / "paper/site").glob("*.md"))
    pages = [*ROOT.glob("paper/*.md"), *ROOT.glob("paper/*.ipynb"), *ROOT.glob("*.md")]
    places = {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages} - {"README"}
    assert len(places) > 10
    listed = re.findall(r"^(?:.* <)?([\w/]+)>?$", templates, flags=re.MULTILINE)
    assert sorted(places) == sorted(places & {*listed})
    assert len([place for place in listed if place in places]) == len(places)


DOC = """Q_i of eq. (3) near q*, see `evaluate`.

tol, work : by default 1e-10,
      or more. memory_limit : bytes; [0, 1].    T : steps.
Raises ValueError for both.

>>> 1 + 1
2"""


def test_a_docstring_becomes_a_list_of_its_entries_with_links_and_examples():
    assert described(DOC, own="q_function").split("\n\n") == [
        "Q\\_i of eq. (3) near q\\*, see [`evaluate`](/apis/evaluate.md).",
        "`tol, work`\n: by default 1e-10, or more.",
        "`memory_limit`\n: bytes; \\[0, 1\\].",
        "`T`\n: steps.",
        "Raises ValueError for both.",
        "```pycon\n>>> 1 + 1\n2\n```",
    ]


@pytest.mark.parametrize("text", ["a & b &lt; c", "1`", "{x} {ref}", r"\\alpha", "a_b*c <b>x</b> [y](z)", r"|r\|\* \_"])
def test_text_is_shown_as_it_is(text):
    """Names, places and sentences are no markup, escaped for Markdown or not; what is escaped for its tables, once."""
    shown = marked(text)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown) == re.sub(r"\\([*|_])", r"\1", text)
    assert not re.search(r"(?<!\\)(\\\\)*[`*_{}<>&\[\]]", shown)


@pytest.mark.parametrize("link", ["", "#instance=gone", "#instance=two&agent=7&kappa=9", "#policy=gone&agent=1"])
def test_the_explorer_draws_whatever_the_link_asks_for(tmp_path, link):
    """What there is no more is left out, and the rest shown."""
    browser = shutil.which("chromium") or pytest.skip("chromium is not installed")
    series, influence = {"uniform": {"D": [[0.5, 0.0]] * 2}}, {"uniform": [[0.0, 0.1], [0.1, 0.0]]}
    one = {"n": 2, "edges": [[0, 1]], "place": [[0, 0], [1, 1]], "hops": [[0, 1], [1, 0]], "policies": series}
    page = (ROOT / "paper/site/explorer.md").read_text().split("```")[1].removeprefix("{raw} html")
    told = page.replace(
        "{{ explored | tojson }}", json.dumps(dict.fromkeys(("one", "two"), one | {"influence": influence}))
    )
    script = (ROOT / "paper/site/static/site.js").read_text()
    (tmp_path / "page.html").write_text(f'<meta charset="utf-8">{told}<script>{script}</script>')
    words = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/own", "--dump-dom"]
    found = subprocess.run([*words, f"file://{tmp_path}/page.html{link}"], capture_output=True, text=True, check=True)
    assert re.search(r'data-series="D">0(\.5)?<', found.stdout)
    assert found.stdout.count("<circle") == 4  # two agents, and D_i at two κ


def test_the_explorer_has_each_bound_at_its_kappa_and_no_number_that_json_does_not_know(tmp_path):
    settings = ["--policies", "1", "--seed", "0", "--scale", "1", "--output", str(tmp_path / "relay.npz")]
    main(["exact", "--instance", "relay", "--spec", '{"model": "relay", "n": 3, "gamma": 0.5}', *settings])
    rows = [Comparison("relay", "uniform", "", "", 0, kappa, left, right, 0.0) for kappa, left, right in (
        (2, 0.25, 0.5), (0, 1.0, math.inf))]  # fmt: skip
    write_rows(tmp_path / "lemma3.csv", Comparison, rows)
    ((name, shown),) = pictures([str(tmp_path / "relay.npz")], [str(tmp_path / "lemma3.csv")])
    assert name == "relay"
    assert shown["policies"]["uniform"] == {"lemma3": {0: [None, None, 0.5]}, "D": {0: [1.0, None, 0.25]}}
    json.dumps(shown, allow_nan=False)


def test_formulas_are_mathml_that_may_end_a_line_where_they_are_long():
    short, long = (
        "macron(r)",
        "norm(hat(h)_i - nabla_(theta_i) J) <= sum_(j in N) D_j (kappa) + c rho^(kappa+1) / (1-gamma)",
    )
    known = mathml([short, long])
    assert known[short].count("<math>") == 1
    assert "\u00af" in known[short]
    assert "\u0304" not in known[short]
    parts = [re.sub("<[^>]+>", "", part) for part in known[long].split("<wbr>")]
    assert len(parts) > 2
    assert "".join(parts).startswith("‖ℎ^𝑖−∇𝜃𝑖𝐽‖≤")
    assert all(part.count("(") == part.count(")") for part in parts if len(part) <= LONG)
    assert mathml([]) == {}
    with pytest.raises(ValueError, match="1 formulas became 2"):
        mathml(["x$ $y"])


def test_the_reference_has_every_public_name_once_with_its_signature():
    entries = [entry for room in reference() for entry in room["names"]]
    assert sorted(entry["name"] for entry in entries if "." not in entry["name"]) == sacrepro.__all__
    doors = {entry["name"]: entry["signature"] for entry in entries if "." in entry["name"]}
    assert doors["adapters.frames.to_frame"].startswith("to_frame(result: object, mdp: object=None, *, agents:")
    assert "adapters.pettingzoo.parallel_env" in doors
    for entry in entries:
        assert "'" not in entry["signature"].replace("= '", "").replace("',", "").replace("')", ""), entry["signature"]
        assert entry["signature"].count("(") == entry["signature"].count(")")
        assert entry["first"]
    found = name_entry("Policy")
    assert {"of", "from_logits"} <= {member["signature"].partition("(")[0] for member in found["members"]}


def test_links_in_the_words_of_an_instance_lead_from_its_own_page_to_where_they_led(tmp_path):
    (tmp_path / "paper").mkdir()
    told = "* `one` — [a](gallery.md), [b](verdicts.md#two), [c](https://example.org), [d](../README.md).\n"
    (tmp_path / "paper/instances.md").write_text(told)
    (page,) = instance_pages({"one": {"spec": {}}}, tmp_path, [], {})
    assert page["words"] == [
        "`one` — [a](/paper/gallery.md), [b](/paper/verdicts.md#two), [c](https://example.org), [d](../README.md)."
    ]


def test_every_link_of_every_page_leads_somewhere_whatever_a_run_holds(tmp_path):
    """All instances, claims, names and written pages of the published study, as the site has them, without a run."""
    specs = {}
    for path in sorted(ROOT.glob("workflow/config/*.yaml")):
        specs |= yaml.safe_load(path.read_text())["instances"]
    drawn = dict.fromkeys(CLAIMS, "")
    verdicts = [
        Verdict(name, variant, "x ≤ y", "", 1, 1, 1, 0, 0.5, f"{place}, θ uniform, agent 0", math.nan, 0.0, verdict, "")
        for name in CLAIMS
        for place in specs
        for variant, verdict in (("", "holds"), ("x", "false as written"))
    ]
    proved = [Theorem(name, "t", own.name, "Closed") for name in CLAIMS for own in (ROOT / "paper/formal").glob("*.v")]
    made = {
        "claims": list(claim_pages(catalog(), verdicts, proved, dict.fromkeys(CLAIMS, "by hand"), drawn)),
        "instances": list(instance_pages(specs, ROOT, verdicts, {})),
        "rooms": list(reference()),
        "published": True,
        "explored": {},
    }
    assert [entry["name"] for entry in made["instances"] if not entry["words"]] == []
    written = list(written_pages(ROOT / "paper/site", tmp_path, made))
    assert len(written) > len(CLAIMS) + len(specs) + len(sacrepro.__all__)
    pages = [tmp_path / page for page in written] + [*ROOT.glob("paper/*.md"), *ROOT.glob("*.md")]
    headings = {}
    for page in pages:
        root = ROOT if page.is_relative_to(ROOT) else tmp_path
        text = re.sub(r"^(```+)[^`].*?^\1|``.+?``|`[^`\n]+`", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            if "://" in target or name.startswith("mailto:"):
                continue
            place = (root / name[1:]) if name[:1] == "/" else (page.parent / name) if name else page
            found = place if place.exists() else ROOT / Path(os.path.normpath(place)).relative_to(root)
            if found.stem != "README" or not found.is_relative_to(tmp_path):
                assert found.exists(), (page.name, target)
            if anchor and found.suffix == ".md":
                known = headings.setdefault(found, anchors(found.read_text()))
                assert anchor in known, (page.name, target)


def anchors(text):
    """What links into a page may name."""
    slugs = [
        re.sub(r"[^\w -]", "", own.lower()).replace(" ", "-") for own in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    ]
    return {*slugs, *re.findall(r'id="([^"]+)"', text)}
