# What the rules share: names, the constrained wildcards, and digests of the code a job runs.
import json
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

from sacrepro.claims import CLAIMS as ALL_CLAIMS
from sacrepro.claims import WITHOUT_TABLES
from sacrepro.provenance import code_digest, import_closure

SCHEMA = yaml.safe_load(
    (Path(workflow.basedir) / "workflow/schemas/config.schema.yaml").read_text()
)
fault = best_match(Draft202012Validator(SCHEMA).iter_errors(config))
if fault is not None:
    place = ".".join(map(str, fault.absolute_path)) or "top level"
    raise WorkflowError(f"configuration, {place}: {fault.message[:300]}")

CLAIMS = list(ALL_CLAIMS)
INSTANCES = config["instances"]
EVALUATED = [name for name, entry in INSTANCES.items() if entry["exact"] != "none"]
TABULATED = [name for name, entry in INSTANCES.items() if entry["exact"] == "tables"]
RUNS = [(name, kappa) for name, run in config["sac"].items() for kappa in run["kappas"]]
EXACT_RUNS = [(name, kappa) for name, kappa in RUNS if name in EVALUATED]

LARGE_RUNS = [(name, kappa) for name, kappa in RUNS if name not in EVALUATED]
DIAGNOSTICS = config.get("diagnostics", {"instances": [], "records": 2})
DIAGNOSED = [(name, kappa) for name, kappa in RUNS if name in DIAGNOSTICS["instances"]]
PATIENT = config.get("patient", {})
CRITIC_ERRORS, RIVALS = config.get("critic_error", {}), config.get("rivals", {})

# The kind of rows that each figure about runs shows, and the files that hold such rows.
SHOWN = {
    "learning": "learning",
    "objective": "stationarity",
    "stationarity": "stationarity",
    "patient": "patient",
    "critic_error": "critic_error",
    "critic_floor": "critic_error",
    "diagnostics": "diagnostics",
    "extensions": "rivals",
    "simulated": "simulated",
}
ROWS = {
    "learning": ["results/traces/learning.csv"],
    "stationarity": ["results/traces/stationarity.csv"],
    "patient": [f"results/patient/{name}.csv" for name in PATIENT],
    "simulated": ["results/traces/simulated.csv"] if LARGE_RUNS else [],
    "critic_error": [f"results/critic_error/{name}.csv" for name in CRITIC_ERRORS],
    "diagnostics": [
        f"results/diagnostics/{name}_kappa{kappa}.csv" for name, kappa in DIAGNOSED
    ],
    "rivals": [f"results/rivals/{name}.csv" for name in RIVALS],
    "estimators": [f"results/estimators/{name}.csv" for name in RIVALS],
}
TRACES = [
    figure for figure in [*SHOWN, "estimators"] if ROWS[SHOWN.get(figure, figure)]
]

BY_KAPPA = [
    kind for kind in ("stationarity", "simulated", "critic_error") if ROWS[kind]
]

DRAWN = config.get("figures", [*CLAIMS, *TRACES])

# Only the figures of the paper configuration are published; others stay beside their results.
FIGURES = "figures" if config["published"] else "results/figures"


wildcard_constraints:
    instance="[a-z0-9_]+",
    claim="|".join(CLAIMS),
    figure="|".join([*CLAIMS, *SHOWN, "estimators"]),
    kappa=r"\d+",
    kind="|".join(ROWS),
    room="exact|learn|rivals",


def spec(wildcards):
    """The specification of an instance, as JSON."""
    return json.dumps(INSTANCES[wildcards.instance]["spec"], sort_keys=True)


def runs(names_and_kappas):
    """The files that hold the recorded SAC runs."""
    return [f"results/sac/{name}_kappa{kappa}.npz" for name, kappa in names_and_kappas]


def room_code(wildcards):
    """Digest of everything that one room runs."""
    room = "claims.rivals" if wildcards.room == "rivals" else wildcards.room
    return code_digest(f"sacrepro.{room}")


def options(settings):
    """Settings as options of a verb: key by key, lists one value after another."""
    return " ".join(
        f"--{key.replace('_', '-')} "
        + " ".join(map(str, value if isinstance(value, list) else [value]))
        for key, value in settings.items()
    )


def sac_options(wildcards):
    """The settings of the run of one instance, as options of the verb sac."""
    settings = config["sac"][wildcards.instance]
    return options({key: settings[key] for key in settings if key != "kappas"})


def patient_options(wildcards):
    """The settings of the ascent without sampling on one instance, as options of its verb."""
    return options(PATIENT[wildcards.instance])


def critic_error_options(wildcards):
    """The settings of the critic's error on one instance, as options of its verb."""
    return options(CRITIC_ERRORS[wildcards.instance])


def rival_options(wildcards):
    """The settings of the rivals on one instance, as options of the verb rivals."""
    settings = RIVALS[wildcards.instance]
    return options(
        {key: settings[key] for key in settings if key not in ("lengths", "episodes")}
    )


def estimator_options(wildcards):
    """The settings of the estimators on one instance, as options of their verb."""
    settings = RIVALS[wildcards.instance]
    return options(
        {key: settings[key] for key in ("kappa", "h", "t0", "lengths", "episodes")}
    )


def summary_rows(wildcards):
    """The files that hold the rows of one kind."""
    return ROWS[wildcards.kind]


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
    if wildcards.figure in SHOWN:
        return f"results/summaries/{SHOWN[wildcards.figure]}.csv"
    if wildcards.figure in ROWS:
        return ROWS[wildcards.figure]
    return f"results/claims/{wildcards.figure}.csv"
