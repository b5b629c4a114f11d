# What the rules share: names, the constrained wildcards, and digests of the code a job runs.
import functools
import json
import os
import shutil
import tempfile
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

from sacrepro.adviser.files import inputs
from sacrepro.archive.files import SEALING, broken_files, read_json, read_text
from sacrepro.archive.provenance import (
    job_digest,
    package_digest,
    source_digest,
)
from sacrepro.study.claims import ATTACKED, WITH_LEARNER, WITHOUT_TABLES
from sacrepro.study.claims import CLAIMS as ALL_CLAIMS
from sacrepro.study.experiments.summary import SHOWN

# The folder of the Snakefile, whichever workflow uses it and from wherever it runs.
ROOT = os.path.relpath(Path(workflow.current_basedir).resolve().parent.parent)

SCHEMA = yaml.safe_load(read_text(Path(ROOT, "workflow/schemas/config.schema.yaml")))
fault = best_match(Draft202012Validator(SCHEMA).iter_errors(config))
if fault is not None:
    place = ".".join(map(str, fault.absolute_path)) or "top level"
    raise WorkflowError(f"configuration, {place}: {fault.message[:300]}")

CLAIMS = list(ALL_CLAIMS)
# What stands side by side, the settings of Table 1, and the rows of the figures about them.
ENVIRONMENTS = config.get("environments", [])
SETTINGS = config.get("table1", {})
SURVEYS = {
    "adversary": ["results/adversary.csv"],
    "overview": ["results/claims.csv"],
    "decay_map": ["results/decay_map.csv"],
}
if ENVIRONMENTS:
    SURVEYS["environments"] = ["results/environments.csv"]
if SETTINGS:
    SURVEYS["table1"] = ["results/table1.csv"]
INSTANCES = config["instances"]
for key in ("environments", "table1", "sac", "critic_error", "rivals", "patient"):
    for name in config.get(key, []):
        if name not in INSTANCES:
            raise WorkflowError(
                f"configuration, {key}: no instance is called {name!r}; there are {', '.join(INSTANCES)}"
            )
EVALUATED = [name for name, entry in INSTANCES.items() if entry["exact"] != "none"]
TABULATED = [name for name, entry in INSTANCES.items() if entry["exact"] == "tables"]


def read_by(place, spec):
    """The files that a specification reads: a network file and those it names, or none."""
    try:
        return inputs(spec["path"]) if spec["model"] == "file" else []
    except ValueError as error:
        raise WorkflowError(f"configuration, {place}.spec.path: {error}")


# What the instances that are network files read.
NETWORK_FILES = {
    name: read_by(f"instances.{name}", entry["spec"])
    for name, entry in INSTANCES.items()
}
ADVICE = config.get("advice", {})
for name in ADVICE:
    if not NETWORK_FILES.get(name):
        raise WorkflowError(
            f"configuration, advice.{name}: no instance of this name is a network file"
        )
RUNS = [(name, kappa) for name, run in config["sac"].items() for kappa in run["kappas"]]
EXACT_RUNS = [(name, kappa) for name, kappa in RUNS if name in EVALUATED]

# The wireless benchmark, and the files that its figure shows.
WIRELESS = config.get("wireless", {})
BENCHMARK = ["references", *WIRELESS.get("runs", {})] if WIRELESS else []

if WIRELESS:
    SURVEYS["wireless_benchmark"] = [
        f"results/wireless/{name}.csv" for name in BENCHMARK
    ]

SIMULATED = config.get("simulated", {"instances": []})
DIAGNOSTICS = config.get("diagnostics", {"instances": [], "records": 2})
DIAGNOSED = [(name, kappa) for name, kappa in RUNS if name in DIAGNOSTICS["instances"]]
PATIENT = config.get("patient", {})
CRITIC_ERRORS, RIVALS = config.get("critic_error", {}), config.get("rivals", {})

# The files that hold the rows of each kind.
ROWS = {
    "learning": ["results/traces/learning.csv"],
    "stationarity": ["results/traces/stationarity.csv"],
    "patient": [f"results/patient/{name}.csv" for name in PATIENT],
    "simulated": [
        f"results/simulated/{name}_kappa{kappa}.csv"
        for name, kappa in RUNS
        if name in SIMULATED["instances"]
    ],
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

ADVERSARY = config.get("adversary", {"evaluations": 20, "seed": 0})
# The network on which bounds are computed for every agent; a small one unless the configuration says otherwise.
SCALE = config.get(
    "scale",
    {
        "spec": {"model": "relay", "n": 1000, "gamma": 0.8, "noise": 0.3},
        "agents": 2,
        "kappa_max": 2,
        "tol": 0.01,
    },
)

DRAWN = config.get("figures", [*CLAIMS, *TRACES, *SURVEYS])

# Only what the paper configuration draws is published; the rest stays beside its results.
FIGURES = "figures" if config["published"] else "results/figures"
REPORT = "paper/report.pdf" if config["published"] else "results/report.pdf"
MANIFEST = "results/manifest.json"
VERIFIED = "results/verified.txt"
CATALOG = "results/catalog.json"

if workflow.is_main_process and Path("results").exists():
    try:
        tempfile.TemporaryFile(dir="results").close()
    except OSError as error:
        raise WorkflowError(f"results/ cannot be written: {error.strerror}")
# What jobs write is sealed with its checksum, also on a cluster, where each job reads this file.
os.environ[SEALING] = "yes"
folders = ("results", FIGURES, Path(REPORT).parent) if workflow.is_main_process else ()
broken = [
    f"{path} is not as it was written (its checksum differs): delete it and run again"
    for path in broken_files(*folders)
]
if broken:
    raise WorkflowError("\n".join(broken))


wildcard_constraints:
    instance="[a-z0-9_]+",
    network="[a-z0-9_]+",
    claim="|".join(CLAIMS),
    run="(?!references)[a-z0-9_]+",
    figure="|".join([*CLAIMS, *SHOWN, "estimators", *SURVEYS]),
    attacked="|".join(ATTACKED),
    kappa=r"\d+",
    kind="|".join(ROWS),
    room="exact|learn|rivals",


def spec(wildcards):
    """The specification of an instance, as JSON."""
    return json.dumps(INSTANCES[wildcards.instance]["spec"], sort_keys=True)


CERTIFIED = [name for name in ENVIRONMENTS if name not in EVALUATED]


def network_files(wildcards):
    """The network file of an instance and the files it names; nothing for other models."""
    return NETWORK_FILES[wildcards.instance]


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
    """Digest of everything that compiles the kernels of one room."""
    return job_digest(f"warm_{wildcards.room}")


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


def wireless_options(wildcards):
    """The settings of one run of the wireless benchmark, as options of the verb."""
    return " ".join(
        f"--{key} {value}" for key, value in WIRELESS["runs"][wildcards.run].items()
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
    return ["logs/compiled/learn.txt"] if wildcards.claim in WITH_LEARNER else []


def evaluated_runs(wildcards):
    """Exact values along runs, for the claim about the left side of (9)."""
    return ROWS["stationarity"] if wildcards.claim == "theorem5" and EXACT_RUNS else []


def recorded_runs(wildcards):
    """The runs that those are values of."""
    return runs(EXACT_RUNS) if wildcards.claim == "theorem5" else []


def claim_code(wildcards):
    """Digest of everything that the check of one claim runs."""
    return job_digest("claim", claims=[wildcards.claim])


def figure_code(wildcards):
    """Digest of everything that draws one figure: of the claims, its own alone."""
    shown = [wildcards.figure] if wildcards.figure in CLAIMS else []
    return job_digest("figure", claims=shown)


def attack_code(wildcards):
    """Digest of everything that the attack on one claim runs."""
    return job_digest("adversary", claims=[wildcards.attacked])


def rows_of(figure):
    """The files with the rows that a figure shows."""
    if figure in SURVEYS:
        return SURVEYS[figure]
    if figure in SHOWN:
        return [f"results/summaries/{SHOWN[figure]}.csv"]
    return ROWS.get(figure, [f"results/claims/{figure}.csv"])


def figure_rows(wildcards):
    """The files with the rows that a figure shows."""
    return rows_of(wildcards.figure)


def evidence():
    """Every file that the configuration asks for and all that they are made from, level by level; nothing else.

    All of them are asked for by name, so that whatever is deleted comes back, and they are what a manifest lists.
    """
    names = {SHOWN.get(figure, figure) for figure in DRAWN if figure in TRACES}
    summarised = {*BY_KAPPA, *(name for name in names if name != "estimators")}
    kinds = {*names, *summarised, *(["stationarity"] if EXACT_RUNS else [])}
    needs_runs = {
        "learning": RUNS,
        "stationarity": EXACT_RUNS,
        "diagnostics": DIAGNOSED,
    }
    needs_runs["simulated"] = [
        (name, kappa) for name, kappa in RUNS if name in SIMULATED["instances"]
    ]
    rows = [path for figure in DRAWN for path in rows_of(figure)]
    return unique(
        [
            "results/config.json",
            *(f"results/exact/{name}.npz" for name in EVALUATED),
            *(runs(pairs) for kind, pairs in needs_runs.items() if kind in kinds),
            *(ROWS[kind] for kind in ROWS if kind in kinds),
            *(f"results/summaries/{kind}.csv" for kind in ROWS if kind in summarised),
            "results/best_kappa.csv",
            "results/formal.csv",
            *(f"results/claims/{claim}.csv" for claim in CLAIMS),
            "results/witnesses.csv",
            "results/claims.csv",
            "results/claims.md",
            "results/falsification.csv",
            *(
                f"results/adversary/{attacked}.{suffix}"
                for attacked in ATTACKED
                for suffix in ("csv", "npz")
            ),
            "results/adversary.csv",
            "results/scale.csv",
            *(
                f"results/advice/{network}.{suffix}"
                for network in ADVICE
                for suffix in ("csv", "json")
            ),
            rows,
            ["results/table1.md"] if "table1" in DRAWN else [],
            *(
                f"{FIGURES}/{figure}.{suffix}"
                for figure in [*DRAWN, *(f"advice_{network}" for network in ADVICE)]
                for suffix in ("svg", "png")
            ),
        ]
    )


def unique(paths):
    """Paths and lists of paths as one list without repetitions."""
    flat = [
        own for path in paths for own in ([path] if isinstance(path, str) else path)
    ]
    return list(dict.fromkeys(flat))


def shown(wildcards):
    """The figures of the report."""
    return [f"{FIGURES}/{figure}.svg" for figure in DRAWN]


def paper(name):
    """A source of the report."""
    return Path(ROOT, "paper", name).as_posix()


def figure_category(wildcards):
    """Where the HTML report lists a figure."""
    return "Claims" if wildcards.figure in CLAIMS else "Experiments"


def figure_labels(wildcards):
    """What the HTML report says about a figure in its list; the statement once results/catalog.json is there.

    One label: of two, the report makes a switch out of the second where it has two values, and loses the rows.
    """
    shows = statements().get(wildcards.figure, "experiment")
    return {"figure": f"{wildcards.figure}: {shows}"}


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
