"""CONTRIBUTING's example, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from runs import ROOT, TINY

pytestmark = pytest.mark.slow

COPIED = ("sacrepro", "tests", "workflow", "profiles", "paper", "figures", "Snakefile", "pyproject.toml", "README.md")


def files(page):
    """The files that a page asks for: a path in the line before a block of code."""
    return re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", page, flags=re.DOTALL)


def test_the_example_claim_works(tmp_path):
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)  # with what is compiled, of Python and of Coq
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    asked = files((ROOT / "CONTRIBUTING.md").read_text())
    assert len(asked) == 4
    for path, text in asked:
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(text)
    for path, before, entry in (
        ("sacrepro/study/claims/__init__.py", '    "lemma3",\n', '    "value_range",\n'),
        ("sacrepro/study/drawings/__init__.py", '    "lemma3": ', '    "value_range": "value_range",\n'),
    ):
        text = (tmp_path / path).read_text()
        assert text.count(before) >= 1
        (tmp_path / path).write_text(text.replace(before, entry + before, 1))

    def call(*words):
        environment = os.environ | {"PYTHONPATH": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    call("pytest", "-q", "tests/claims/test_value_range.py", "tests/test_house.py")
    call("ruff", "check", "sacrepro", "tests")
    call("ruff", "format", "--check", *(path for path, _ in asked))
    targets = ["results/claims/value_range.csv", "results/figures/value_range.svg", "results/catalog.json"]
    call("snakemake", "--cores", 2, *targets, "--configfile", TINY)
    assert "value_range" in (tmp_path / "results/catalog.json").read_text()
    judged = ["sacrepro", "verdicts", targets[0], "--output", "results/one.csv", "--markdown", "results/one.md"]
    assert "**holds**" in call(*judged)
