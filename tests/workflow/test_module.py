"""Another workflow uses this one as a module, with its own configuration and its own rules on top."""

import pytest
from runs import ROOT, TINY, contents, environment, same

from forked import snakemake

pytestmark = pytest.mark.slow

SNAKEFILE = f"""
import yaml

with open({str(TINY)!r}) as file:
    STUDY = yaml.safe_load(file)


module sacrepro:
    snakefile: {str(ROOT / "Snakefile")!r}
    config: STUDY


use rule * from sacrepro


rule ours:
    default_target: True
    input:
        rules.all.input,
        claims="results/claims.csv",
    output:
        "ours.txt",
    shell:
        "wc -l < {{input.claims:q}} > {{output:q}}"
"""


def test_another_workflow_uses_this_one(tmp_path, expected):
    """On eight cores; the run that it is compared with had two."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    done = snakemake("--cores", 8, cwd=tmp_path, env=environment(), jobs=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int((tmp_path / "ours.txt").read_text()) > 10
    assert same(contents(tmp_path), expected)
