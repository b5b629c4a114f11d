"""The report follows the rows of the verdict table, and says nothing else."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sacrepro import cli
from sacrepro.archive.files import write_json, write_rows
from sacrepro.study.claims import CLAIMS, all_claims, assumption3, reward_radius
from sacrepro.study.coq import CLOSED, proofs, theorems
from sacrepro.study.drawings import FIGURES
from sacrepro.study.record.comparison import Verdict
from sacrepro.study.report.catalog import CONSTANT, catalog, claims_page, in_figures, with_values
from sacrepro.study.report.document import in_words, placed, record, separated
from sacrepro.study.report.mathematics import quoted

ROOT = Path(__file__).parents[2]
ENTRIES = catalog()
MANIFEST = {
    "config": {
        "policies": {"count": 2, "seed": 0, "scale": 1.5},
        "instances": {"relay": {"exact": "tables", "spec": {"model": "relay", "n": 3, "gamma": 0.5}}},
        "sac": {},
    },
    "versions": {"python": "3"},
    "code": "0123456789ab",
}
PAGES = {"proofs": "# Proofs\n\nText.", "errata": "# Errata\n\nText."}


def verdict(claim, judged="holds", hypothesis=""):
    violations = int(judged == "violated")
    return Verdict(
        claim, hypothesis, "x ≤ y", "Lemma", 1, 12345, 12000, violations, 0.5, "relay", 9.0, 1e-9, judged, ""
    )


def test_there_is_a_section_for_every_judged_claim_in_the_papers_order():
    made = record([verdict(name) for name in reversed(CLAIMS)], ENTRIES, MANIFEST, {}, PAGES)
    assert [claim["name"] for claim in made["claims"]] == list(CLAIMS)
    assert made["totals"]["comparisons"] == "\N{NARROW NO-BREAK SPACE}".join(f"{12345 * len(CLAIMS):,}".split(","))
    assert len(record([verdict("lemma3")], ENTRIES, MANIFEST, {}, PAGES)["claims"]) == 1


def test_a_violated_claim_is_in_the_summary():
    made = record([verdict("lemma3", "violated"), verdict("lemma4")], ENTRIES, MANIFEST, {}, PAGES)
    assert made["totals"]["violated"] == ["lemma3"]
    assert made["totals"]["violations"] == 1


def test_figures_of_claims_and_others_are_told_apart_and_unknown_claims_are_refused():
    made = record([verdict("lemma3")], ENTRIES, MANIFEST, {"lemma3": "a.svg", "new_experiment": "b.svg"}, PAGES)
    assert made["claims"][0]["figure"] == "a.svg"
    assert [entry["name"] for entry in made["experiments"]] == ["new_experiment"]
    with pytest.raises(ValueError, match="no claim is called lemma9"):
        record([verdict("lemma9")], ENTRIES, MANIFEST, {}, PAGES)


def test_the_catalog_says_something_about_everything():
    for entry in ENTRIES["claims"]:
        assert entry["title"], entry["name"]
        assert entry["measures"], entry["name"]
        for key in ("module", "test"):
            assert (ROOT / entry[key]).is_file() or entry[key].startswith("tests"), entry[key]
    for entry in ENTRIES["figures"]:
        assert entry["caption"], entry["name"]
        assert "partial(" not in entry["caption"], entry["name"]
        assert " : " not in entry["caption"], entry["name"]
        assert "\n\n" not in entry["caption"], entry["name"]
    assert [entry["name"] for entry in ENTRIES["figures"]] == list(FIGURES)
    captions = [entry["caption"] for entry in ENTRIES["figures"]]
    assert len(set(captions)) == len(captions), "two figures say the same about themselves"


def test_the_place_of_a_comparison_is_a_list():
    assert separated("ring, agent 0, κ=12 ‖θ'-θ‖=1") == "ring, agent 0, κ=12, ‖θ'-θ‖=1"
    assert separated("ring, agent 0, κ=1") == "ring, agent 0, κ=1"


def test_a_constant_appears_as_its_value():
    entries = {entry["name"]: entry for entry in ENTRIES["claims"]}
    for entry in entries.values():
        assert not CONSTANT.search(entry["about"] + entry["measures"]), entry["name"]
    assert f"more than {reward_radius.MOST_PAIRS:,} joint pairs" in entries["reward_radius"]["about"]
    assert f"ε = {assumption3.MIXING};" in entries["assumption3"]["about"]
    assert in_figures((2, 4096, 1e-6, 0.25)) == "2, 4,096, 10^{-6}, 0.25"
    with pytest.raises(KeyError, match="MOST_WORDS"):
        with_values("more than `MOST_WORDS` words", {})


def test_the_page_of_claims_is_current():
    """The page of a machine with Coq, on which every theorem is accepted."""
    folder = ROOT / "paper/formal"
    rows = theorems({path.name: path.read_text() for path in folder.glob("*.v")}, CLAIMS)
    told = proofs(
        all_claims(), [row._replace(assumptions=CLOSED) for row in rows], (ROOT / "paper/proofs.md").read_text()
    )
    assert (ROOT / "paper/claims.md").read_text() == claims_page(ENTRIES, told, rows), (
        "python -m sacrepro catalog --output results/catalog.json --markdown paper/claims.md"
        " --formal results/formal.csv paper/proofs.md"
    )


def test_what_is_called_machine_checked_leads_to_its_theorems():
    page = (ROOT / "paper/claims.md").read_text()
    told = re.findall(r"proof: machine-checked ?(.*)", page)
    assert all(re.match(r"\(\[\w+\.v\]\(formal/", files) for files in told)
    assert "proof: machine-checked ([lemma1.v](formal/lemma1.v)); by hand: that" in page


@pytest.mark.parametrize("judged", ["violated", "vacuous"])
def test_the_document_is_byte_stable_and_has_its_numbers_from_the_table(tmp_path, judged):
    rows = [verdict("lemma3"), verdict("lemma4", judged, "worst case"), verdict("lemma4", "tight", "own hypothesis")]
    write_rows(tmp_path / "claims.csv", Verdict, rows)
    write_json(tmp_path / "catalog.json", ENTRIES)
    write_json(tmp_path / "manifest.json", MANIFEST)
    tables = [str(tmp_path / file) for file in ("claims.csv", "catalog.json", "manifest.json")]
    pages = ["--pages", str(ROOT / "paper/proofs.md"), str(ROOT / "paper/errata.md")]
    sources = ["--template", str(ROOT / "paper/appendix.typ"), "--references", str(ROOT / "paper/references.bib")]
    for name in ("one", "two"):
        drawn = ["--figures", str(ROOT / "figures/lemma3.svg"), "--output", str(tmp_path / f"{name}.pdf")]
        cli.main(["report", *tables, *sources, *pages, *drawn])
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert len((tmp_path / "one.pdf").read_bytes()) < 1_000_000


def test_the_template_holds_no_result():
    """Digits in the template are sizes and labels of the layout; in its sentences there are none."""
    text = (ROOT / "paper/appendix.typ").read_text()
    for line in text.splitlines():
        if line.strip().startswith(("#", "//", "set ", "if ", "let ", "columns", "inset", "align", "text(", "image(")):
            continue
        sentence = line.split("#")[0]
        words = [word.strip(".,()") for word in sentence.split()]
        assert not [word for word in words if word.isdigit() and int(word) > 2], line


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"model": "relay", "n": 4, "gamma": 0.9}, "`relay`, n = 4; γ = 0.9"),
        ({"model": "td_witness"}, "`td_witness`"),
        ({"model": "file", "path": "net.yaml"}, "`file`, `net.yaml`"),
        (
            {"model": "sis", "graph": {"family": "grid", "rows": 2}, "beta": [0.1, 0.2]},
            "`sis` on a graph `grid`, β = 0.1, 0.2; rows = 2",
        ),
    ],
)
def test_the_parameters_of_an_instance_are_told_in_words(spec, words):
    assert in_words(spec) == words


def test_the_catalog_is_a_verb(tmp_path):
    call = [sys.executable, "-m", "sacrepro", "catalog", "--output", "c.json", "--markdown", "c.md"]
    subprocess.run(call, cwd=tmp_path, check=True)
    assert json.loads((tmp_path / "c.json").read_text()) == ENTRIES


@pytest.mark.parametrize("name", ["relay", "sis_kite", "x_", "_x", "a*b*", "$x$", "<b>", "n_i", "`code`", "two\nlines"])
def test_the_name_of_an_instance_is_set_letter_by_letter(name):
    made = placed(f"{name}, θ uniform, agent 0, κ=12 τ=3")
    assert made.startswith(f"#raw({quoted(name)});, $θ$ uniform, agent 0")
