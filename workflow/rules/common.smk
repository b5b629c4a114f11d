# What the rules share: names, the constrained wildcards, and digests of the code a job runs.
import json
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

from sacrepro.claims import CLAIMS as ALL_CLAIMS
from sacrepro.claims import WITHOUT_TABLES
from sacrepro.network import inputs
from sacrepro.provenance import code_digest, import_closure

SCHEMA = yaml.safe_load(
    (Path(workflow.basedir) / "workflow/schemas/config.schema.yaml").read_text()
)
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
INSTANCES = config["instances"]
EVALUATED = [name for name, entry in INSTANCES.items() if entry["exact"] != "none"]
TABULATED = [name for name, entry in INSTANCES.items() if entry["exact"] == "tables"]
# What the instances that are network files read.
NETWORK_FILES = {}
for name, entry in INSTANCES.items():
    if entry["spec"]["model"] == "file":
        try:
            NETWORK_FILES[name] = inputs(entry["spec"]["path"])
        except ValueError as error:
            raise WorkflowError(f"configuration, instances.{name}.spec.path: {error}")
ADVICE = config.get("advice", {})
for name in ADVICE:
    if name not in NETWORK_FILES:
        raise WorkflowError(
            f"configuration, advice.{name}: no instance of this name is a network file"
        )
RUNS = [(name, kappa) for name, run in config["sac"].items() for kappa in run["kappas"]]
EXACT_RUNS = [(name, kappa) for name, kappa in RUNS if name in EVALUATED]

DRAWN = config.get("figures", [*CLAIMS, *TRACES])

# Only the figures of the paper configuration are published; others stay beside their results.
FIGURES = "figures" if config["published"] else "results/figures"


wildcard_constraints:
    instance="[a-z0-9_]+",
    network="[a-z0-9_]+",
    claim="|".join(CLAIMS),
    figure="|".join([*CLAIMS, *TRACES]),
    kappa=r"\d+",
    room="exact|learn",


def spec(wildcards):
    """The specification of an instance, as JSON."""
    return json.dumps(INSTANCES[wildcards.instance]["spec"], sort_keys=True)


def network_files(wildcards):
    """The network file of an instance and the files it names; nothing for other models."""
    return NETWORK_FILES.get(wildcards.instance, [])


def advised_files(wildcards):
    """The network file that advice is asked for, and the files it names."""
    return NETWORK_FILES[wildcards.network]


def advice_question(wildcards):
    """The error that is allowed, as options of the verb advise."""
    question = ADVICE[wildcards.network]
    return f"--error {question['error']} --of {question['of']}"


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
    if wildcards.figure in TRACES:
        return f"results/traces/{TRACES[wildcards.figure]}.csv"
    return f"results/claims/{wildcards.figure}.csv"
