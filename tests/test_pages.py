"""What the pages with code show is what it prints."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sacrepro.study.claims import CLAIMS

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", ["audit", "simulator"])
def test_the_code_of_a_page_prints_what_stands_below_it(page, tmp_path):
    text = (ROOT / f"paper/{page}.md").read_text()
    code, shown = ("".join(re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)) for kind in ("python", "text"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


def test_notation_says_where_each_symbol_is():
    """Each file is there, and what is named before it is defined in it."""
    places = [line.split(" | ")[-1] for line in (ROOT / "paper/notation.md").read_text().split("## ")[0].splitlines()]
    found = re.findall(r"((?:`\w+`, )*)`(sacrepro/[\w/]+\.py)`", " ".join(places))
    assert len(found) > 20
    for names, path in found:
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^(def |class |){name}\b", (ROOT / path).read_text(), re.MULTILINE), (name, path)


def test_the_proofs_are_listed_in_the_order_of_the_paper():
    page = (ROOT / "paper/proofs.md").read_text()
    listed = re.findall(r"\[(\w+)\]\(#\1\)", page.split("\n## ")[0])
    assert sorted(listed) == sorted(re.findall(r"^## (\w+)$", page, re.MULTILINE))
    assert [name for name in listed if name in CLAIMS] == [name for name in CLAIMS if name in listed]


@pytest.mark.slow
def test_the_notebook_prints_what_stands_below_its_cells(monkeypatch):
    """Another machine may round otherwise: the last digit shown may differ by one."""
    nbformat = pytest.importorskip("nbformat", reason="the extra [site] is not installed")
    client = pytest.importorskip("nbclient", reason="the extra [site] is not installed")
    pytest.importorskip("ipykernel", reason="the extra [site] is not installed")
    pytest.importorskip("pandas", reason="the extra [pandas] is not installed")
    notebook = nbformat.read(ROOT / "paper/library.ipynb", as_version=4)
    shown = [outputs(cell) for cell in notebook.cells]
    client.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    number = r"-?\d+\.\d+"
    for cell, before in zip(notebook.cells, shown, strict=True):
        found = outputs(cell)
        assert re.sub(rf" *{number}", " N", found) == re.sub(rf" *{number}", " N", before)
        for one, other in zip(re.findall(number, found), re.findall(number, before), strict=True):
            assert abs(float(one) - float(other)) <= 1.01 * 10.0 ** -len(one.partition(".")[2])


def outputs(cell):
    """The text below a cell."""
    return "".join(own.get("text") or own["data"]["text/plain"] for own in cell.get("outputs", []))


def records(name):
    with (ROOT / "paper" / name).open() as file:
        return list(csv.DictReader(file))


def test_the_table_of_mutants_is_the_csv_and_what_survives_is_listed():
    """A mutant is noticed or survives; of the survivors each that is equivalent or a setting has its line and why."""
    rows, left = records("mutation.csv"), records("mutation_left.csv")
    shown = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", (ROOT / "paper/mutation.md").read_text(), flags=re.MULTILINE)
    table = {module: cells.split(" | ") for module, cells in shown}
    for row in rows:
        judged, killed, timed_out, survived = (int(row[k]) for k in ("mutants", "killed", "timed_out", "survived"))
        assert killed + timed_out + survived == judged <= int(row["of"])
        if row["names"] != "drawn":
            continue
        kinds = [found["kind"] for found in left if found["where"] == row["module"]]
        equivalent, settings = int(row["equivalent"]), int(row["settings"])
        assert (kinds.count("equivalent"), kinds.count("setting"), len(kinds)) == (equivalent, settings, survived)
        score = f"{(killed + timed_out) / (judged - equivalent):.0%}".replace("%", " %")
        at_first = int(row["at_first"])
        assert at_first <= killed + timed_out
        expected = (row["of"], judged, at_first, killed + timed_out, equivalent, settings, score)
        assert table.pop(row["module"].removeprefix("sacrepro.")) == list(map(str, expected))
    for names, cells in table.items():
        found = [row for row in rows if row["names"] == names]
        judged, noticed = (
            sum(int(row[k]) for row in found for k in ks) for ks in (("mutants",), ("killed", "timed_out"))
        )
        assert cells == [f"{len(found)}", f"{judged:,}", f"{noticed:,}", f"{noticed / judged:.0%}".replace("%", " %")]
