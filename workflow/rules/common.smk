# The configuration, checked; the constrained wildcards; and what jobs are given: files, options and digests.
import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import snakemake.dag
import snakemake.workflow
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from sacrepro.archive.files import (
    LEDGER,
    changed_files,
    is_result,
    read_json,
    read_text,
)
from sacrepro.archive.provenance import package_digest, source_digest
from sacrepro.instances.network.files import explained
from sacrepro.study import jobs, plan
from sacrepro.study.claims import CLAIMS

# The folder of the Snakefile, whichever workflow uses it and from wherever it runs.
ROOT = os.path.relpath(Path(workflow.current_basedir).resolve().parent.parent)

SCHEMA = yaml.load(
    read_text(Path(ROOT, "workflow/schemas/config.schema.yaml")),
    getattr(yaml, "CSafeLoader", yaml.SafeLoader),
)
fault = best_match(Draft202012Validator(SCHEMA).iter_errors(config))
if fault is not None:
    place = ".".join(map(str, fault.absolute_path)) or "top level"
    raise WorkflowError(f"configuration, {place}: {explained(fault)}")
try:
    PLAN = plan.Plan(config)
except ValueError as error:
    raise WorkflowError(f"configuration, {error}")

FIGURES, REPORT, PAPER = PLAN.figures, PLAN.report, PLAN.paper
MANIFEST, CATALOG = "results/manifest.json", "results/catalog.json"
VERIFIED = "results/verified.txt"

if workflow.is_main_process and Path("results").exists():
    try:
        tempfile.TemporaryFile(dir="results").close()
    except OSError as error:
        raise WorkflowError(f"results/ cannot be written: {error.strerror}")
# Jobs note what they write, also on a cluster, where each job reads this file.
os.environ[LEDGER] = "results/.written"


class Recorded(snakemake.dag.DAG):
    """The jobs that are asked for; those whose files are not as they were written run, and questions change nothing."""

    async def check_incomplete(self):
        await super().check_incomplete()
        made = {path for job in self.jobs for path in job.output if is_result(path)}
        changed, unknown = changed_files(os.environ[LEDGER], made)
        for path in changed:
            logger.warning(
                f"{path} is not as it was written (its checksum differs): a run makes it again"
            )
        if unknown:
            names = ", ".join(map(str, unknown))
            logger.warning(
                f"no record of how these were written: {names}: made again by a run"
            )
        again = {*changed, *unknown}
        self.forcefiles |= {path for path in made if Path(path) in again}


if workflow.is_main_process:
    if not all(
        hasattr(snakemake.dag.DAG, name) for name in ("check_incomplete", "jobs")
    ):
        raise WorkflowError(
            "this version of Snakemake has no place where changed results are found: install requirements.lock"
        )
    snakemake.workflow.DAG = Recorded


wildcard_constraints:
    network="[a-z0-9_]+",
    run="(?!references)[a-z0-9_]+",
    figure="|".join(PLAN.every_figure),
    kernels="exact|learn|methods",


def options(job):
    """The settings of a job as options of its command line, by the wildcards of its rule."""

    def words(wildcards):
        return jobs.options(job, PLAN.settings, dict(wildcards.items()))

    return words


process = functools.partial(jobs.process, settings=PLAN.settings)


def code(*names, claims=None):
    """The digest of what jobs load; names in braces are wildcards. Of the claims they load those, if told so."""

    def digest(wildcards):
        def filled(name):
            return name.format(**dict(wildcards.items()))

        told = {} if claims is None else {"claims": {*map(filled, claims)} & {*CLAIMS}}
        return " ".join(jobs.job_digest(filled(name), **told) for name in names)

    return digest


def planned(table, wildcard):
    """What the plan has for the value of a wildcard: an entry of a table, or what a method gives."""

    def found(wildcards):
        key = wildcards.get(wildcard)
        return table(key) if callable(table) else table[key]

    return found


def paper(name):
    """A source of the report."""
    return Path(ROOT, "paper", name).as_posix()


def figure_labels(figure):
    """What the HTML report says about a figure in its list; the statement once results/catalog.json is there.

    One label: of two, the report makes a switch out of the second where it has two values, and loses the rows.
    """

    def found(wildcards):
        return {"figure": f"{figure}: {statements().get(figure, 'experiment')}"}

    return found


@functools.cache
def statements():
    """The statement of every claim, by name, without the braces that Snakemake takes for wildcards."""
    entries = read_json(CATALOG) if Path(CATALOG).exists() else {}
    braces = str.maketrans("{}", "()")
    return {
        entry["name"]: entry["statement"].translate(braces)
        for entry in entries.get("claims", [])
    }
