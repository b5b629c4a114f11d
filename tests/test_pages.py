"""What the pages with code show is what it prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", ["audit", "simulator"])
def test_the_code_of_a_page_prints_what_stands_below_it(page, tmp_path):
    text = (ROOT / f"paper/{page}.md").read_text()
    code, shown = ("".join(re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)) for kind in ("python", "text"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown


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
