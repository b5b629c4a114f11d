# What the rules share: names, the constrained wildcards, and digests of the code a job runs.
import functools
import json
import os
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

from sacrepro.claims import CLAIMS as ALL_CLAIMS
from sacrepro.claims import WITHOUT_TABLES
from sacrepro.provenance import (
    code_digest,
    import_closure,
    package_digest,
    source_digest,
)
from sacrepro.store import broken_files, read_json

# The folder of the Snakefile, whichever workflow uses it and from wherever it runs.
ROOT = os.path.relpath(Path(workflow.current_basedir).resolve().parent.parent)

SCHEMA = yaml.safe_load(Path(ROOT, "workflow/schemas/config.schema.yaml").read_text())
fault = best_match(Draft202012Validator(SCHEMA).iter_errors(config))
if fault is not None:
    place = ".".join(map(str, fault.absolute_path)) or "top level"
    raise WorkflowError(f"configuration, {place}: {fault.message[:300]}")

CLAIMS = list(ALL_CLAIMS)
# The rows that each figure about runs shows.
TRACES = {
    "learning": "learning",
    "objective": "stationarity",
    "stationarity": "stationarity",
}
# The rows of figures about the whole.
OVERVIEWS = {"overview": "results/claims.csv", "decay_map": "results/decay_map.csv"}
INSTANCES = config["instances"]
EVALUATED = [name for name, entry in INSTANCES.items() if entry["exact"] != "none"]
TABULATED = [name for name, entry in INSTANCES.items() if entry["exact"] == "tables"]
RUNS = [(name, kappa) for name, run in config["sac"].items() for kappa in run["kappas"]]
EXACT_RUNS = [(name, kappa) for name, kappa in RUNS if name in EVALUATED]

DRAWN = config.get("figures", [*CLAIMS, *TRACES, *OVERVIEWS])

# Only what the paper configuration draws is published; the rest stays beside its results.
FIGURES = "figures" if config["published"] else "results/figures"
REPORT = "paper/report.pdf" if config["published"] else "results/report.pdf"
MANIFEST = "results/manifest.json"
VERIFIED = "results/verified.txt"
CATALOG = "results/catalog.json"

for path in broken_files("results") if workflow.is_main_process else []:
    raise WorkflowError(
        f"{path} is not as it was written (its checksum differs): delete it and run again"
    )


wildcard_constraints:
    instance="[a-z0-9_]+",
    claim="|".join(CLAIMS),
    figure="|".join([*CLAIMS, *TRACES, *OVERVIEWS]),
    kappa=r"\d+",
    room="exact|learn",


def spec(wildcards):
    """The specification of an instance, as JSON."""
    return json.dumps(INSTANCES[wildcards.instance]["spec"], sort_keys=True)


def runs(names_and_kappas):
    """The files that hold the recorded SAC runs."""
    return [f"results/sac/{name}_kappa{kappa}.npz" for name, kappa in names_and_kappas]


def room_code(wildcards):
    """Digest of everything that one room runs."""
    return code_digest(f"sacrepro.{wildcards.room}")


def sac_options(wildcards):
    """The settings of the run of one instance, as options of the verb sac."""
    settings = config["sac"][wildcards.instance].items()
    return " ".join(
        f"--{key.replace('_', '-')} {value}"
        for key, value in settings
        if key != "kappas"
    )


def checked(wildcards):
    """The exact values of every instance on which one claim is checked."""
    names = EVALUATED if wildcards.claim in WITHOUT_TABLES else TABULATED
    return [f"results/exact/{name}.npz" for name in names]


def learner_kernels(wildcards):
    """The learner's compiled kernels, where the check of a claim runs the learner."""
    runs_it = any(
        name.startswith("sacrepro.learn")
        for name in import_closure((f"sacrepro.claims.{wildcards.claim}",))
    )
    return ["results/warm/learn.txt"] if runs_it else []


def claim_code(wildcards):
    """Digest of everything that the check of one claim runs."""
    return code_digest(f"sacrepro.claims.{wildcards.claim}", "sacrepro.claims.case")


def figure_rows(wildcards):
    """The rows that a figure shows."""
    if wildcards.figure in OVERVIEWS:
        return OVERVIEWS[wildcards.figure]
    if wildcards.figure in TRACES:
        return f"results/traces/{TRACES[wildcards.figure]}.csv"
    return f"results/claims/{wildcards.figure}.csv"


def measured(wildcards):
    """Everything that is asked for, except what sums it up."""
    return [
        path
        for path in rules.all.input
        if path not in {MANIFEST, REPORT, VERIFIED, CATALOG}
    ]


def intermediate(wildcards):
    """What everything else is made from, so that a manifest never lists less than a whole run."""
    names = {TRACES[figure] for figure in DRAWN if figure in TRACES}
    return [
        *(f"results/exact/{name}.npz" for name in EVALUATED),
        *(f"results/claims/{claim}.csv" for claim in CLAIMS),
        *(f"results/traces/{name}.csv" for name in sorted(names)),
        *(runs(RUNS) if "learning" in names else runs(EXACT_RUNS) if names else []),
    ]


def published(wildcards):
    """What is asked for outside results/."""
    return [path for path in measured(wildcards) if not path.startswith("results/")]


def shown(wildcards):
    """The figures of the report."""
    return [path for path in measured(wildcards) if path.endswith(".svg")]


def paper(name):
    """A source of the report."""
    return Path(ROOT, "paper", name).as_posix()


def figure_category(wildcards):
    """Where the HTML report lists a figure."""
    return "Claims" if wildcards.figure in CLAIMS else "Experiments"


def figure_labels(wildcards):
    """What the HTML report says about a figure in its list; the statement once results/catalog.json is there."""
    return {
        "figure": wildcards.figure,
        "shows": statements().get(wildcards.figure, "experiment"),
    }


@functools.cache
def statements():
    """The statement of every claim, by name."""
    entries = read_json(CATALOG) if Path(CATALOG).exists() else {}
    # Snakemake takes a name in braces for a wildcard.
    braces = str.maketrans("{}", "()")
    return {
        entry["name"]: entry["statement"].translate(braces)
        for entry in entries.get("claims", [])
    }
