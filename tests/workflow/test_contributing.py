"""CONTRIBUTING's example, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from runs import ROOT, TINY

from forked import snakemake

pytestmark = pytest.mark.slow

COPIED = ("sacrepro", "tests", "workflow", "profiles", "paper", "figures", "Snakefile", "pyproject.toml", "README.md",
          "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE")  # fmt: skip

#: Tests that go through claims, figures or rooms one by one, whatever they are. The rest of the suite, which does not,
#: takes minutes more.
TESTED = (
    "tests/claims/test_value_range.py", "tests/claims/test_certificates.py", "tests/claims/test_comparison.py",
    "tests/audit/test_falsification.py", "tests/audit/test_counterexamples.py", "tests/test_house.py",
    "tests/test_formal.py", "tests/report", "tests/archive/test_provenance.py", "tests/study",
)  # fmt: skip
#: What is left out of these: a page that a run of the whole study writes, and what takes long and sees no claim but
#: those that it names.
LEFT_OUT = (
    "tests/report/test_document.py::test_the_page_of_claims_is_current",
    "tests/report/test_site.py::test_the_explorer_draws_whatever_the_link_asks_for",
    "tests/study/test_jobs.py::test_the_audit_and_scale_compile_nothing_that_their_rules_do_not_wait_for",
)


def files(page):
    """The files that a page asks for: a path in the line before a block of code."""
    return re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", page, flags=re.DOTALL)


def test_the_example_claim_works(tmp_path):
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)  # with what is compiled, of Python and of Coq
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    if (ROOT / ".mypy_cache").exists():  # what mypy knows of a file holds for its content
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / ".mypy_cache")
    asked = files((ROOT / "CONTRIBUTING.md").read_text())
    assert len(asked) == 3
    for path, text in asked:
        assert not (tmp_path / path).exists()
        (tmp_path / path).write_text(text)

    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OPENBLAS_NUM_THREADS": "1"}

    def call(*words):
        command = [sys.executable, "-m", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr

    call("ruff", "check", "sacrepro", "tests")
    call("ruff", "format", "--check", *(path for path, _ in asked))
    call("mypy")
    call("pytest", "-q", *TESTED, *(word for test in LEFT_OUT for word in ("--deselect", test)))
    call("pytest", "-q", "tests/drawings/test_figures.py", "-k", "value_range")
    config = yaml.safe_load(TINY.read_text())
    config["claims"].append("value_range")
    config["figures"].append("value_range")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config))
    done = snakemake("--cores", 2, "--configfile", "study.yaml", cwd=tmp_path, env=environment, merged=True, jobs=True)
    assert done.returncode == 0, done.stdout[-3000:]
    for path in ("catalog.json", "claims.csv", "claims.md", "falsification.csv", "manifest.json"):
        assert "value_range" in (tmp_path / "results" / path).read_text(), path
    assert "**holds**" in call("sacrepro", "verdicts", "results/claims/value_range.csv")
