"""The jobs of the workflow: which function each runs, and which settings of the configuration it is given.

A job is a function that yields the lines to print. What it is called with is its command line (`arguments`), what it
loads is what its digest covers (`archive.provenance`), and of the configuration it sees what its entry names.
"""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sacrepro.archive.provenance import Names, closure, closure_digest, definition
from sacrepro.model.notices import meant
from sacrepro.study.experiments import ENTRIES

#: The word between two jobs of one process.
THEN = "--then"

#: The setting whose keys are options by their own names, as far as the job has such options.
EACH = "each"


class Job(NamedTuple):
    """A function of this package, and the settings that become its options: place in the configuration by option.

    Names in braces are wildcards of the rule. An option called `each` stands for all keys of that place.
    """

    function: str
    settings: Mapping[str, str] = {}


INSTANCE = {"spec": "instances.{instance}.spec"}

#: Jobs of experiments that have files of their own: the settings of an instance or, for runs, those of all.
OF_EXPERIMENTS = {
    own.name.replace("_", "-"): Job(
        f"study.experiments.{own.file}:{own.name}",
        INSTANCE | {EACH: f"{own.key}.{{instance}}"} if own.per == "instance" else {EACH: own.key},
    )
    for own in ENTRIES
    if own.per in ("instance", "run")
}

JOBS = {
    "warm exact": Job("study.experiments.sac:warm_exact"),
    "warm learn": Job("study.experiments.sac:warm_learn"),
    "warm methods": Job("study.experiments.sac:warm_methods"),
    "exact": Job(
        "study.record.case:exact",
        INSTANCE | {"policies": "policies.count", "seed": "policies.seed", "scale": "policies.scale"},
    ),
    "claim": Job("study.check:claim"),
    "counterexamples": Job("study.audit.falsify:counterexamples", {"claims": "claims"}),
    "falsify": Job("study.audit.falsify:falsify", {"claims": "claims"}),
    "adversary": Job("study.audit.adversary:adversary", {EACH: "adversary"}),
    "adversary-table": Job("study.audit.adversary:adversary_table"),
    "scale": Job("study.experiments.environments:job", {EACH: "scale"}),
    "sac": Job("study.experiments.sac:sac", INSTANCE | {EACH: "sac.{instance}"}),
    "trace": Job("study.experiments.runs:trace"),
    "wireless references": Job("study.experiments.wireless:references", {"episodes": "wireless.reference_episodes"}),
    "wireless run": Job(
        "study.experiments.wireless:run",
        {"episodes": "wireless.episodes", "records": "wireless.records", EACH: "wireless.runs.{run}"},
    ),
    "environments": Job("study.experiments.environments:environments", {"certified": "certified"}),
    "table1": Job("study.experiments.table1:table1", {"settings": "table1"}),
    "gallery": Job("study.experiments.gallery:gallery", {"settings": "gallery"}),
    "locality": Job("study.experiments.locality:locality"),
    "summary": Job("study.experiments.summary:job"),
    "best-kappa": Job("study.experiments.summary:best_kappa"),
    "decay-map": Job("study.experiments.environments:decay_map"),
    "advise": Job("study.your_network:advise", {EACH: "advice.{network}"}),
    "figure": Job("study.drawings:figure"),
    "formal": Job("study.coq:formal"),
    "verdicts": Job("study.judge:verdicts", {"claims": "claims"}),
    "verify": Job("study.judge:verify", {"of": "claims"}),
    "config": Job("study.report.catalog:config"),
    "catalog": Job("study.report.catalog:job"),
    "manifest": Job("study.report.catalog:manifest"),
    "report": Job("study.report.document:report"),
    "paper": Job("study.report.paper:paper"),
    "site": Job("study.report.site:site"),
    "readme": Job("study.report.findings:readme"),
    "sketches": Job("study.drawings.networks:sketches"),
} | OF_EXPERIMENTS


def job_closure(name: str, **named: Collection[str]) -> dict[str, Names]:
    """The modules that a job loads, each with the names of it that count.

    named : of a package whose modules are imported by name, such as ``claims``, the names; all by default.
    """
    if name not in JOBS:
        raise ValueError(f"{name!r} is not a job; known are {', '.join(JOBS)}{meant(name, JOBS)}")
    module, _, function = JOBS[name].function.partition(":")
    return closure([("sacrepro.study.__main__", None), (f"sacrepro.{module}", frozenset({function}))], **named)


def job_digest(name: str, **named: Collection[str]) -> str:
    """Twelve hexadecimal digits over everything that a job runs; docstrings, comments and help do not count."""
    return closure_digest(job_closure(name, **named))


def options(name: str, settings: Mapping[str, Any], wildcards: Mapping[str, str]) -> str:
    """The settings of a job as options of its command line, quoted for the shell."""
    known = {parameter.arg.rstrip("_") for parameter in definition(JOBS[name].function).args.kwonlyargs}
    chosen: dict[str, Any] = {}
    for option, place in JOBS[name].settings.items():
        value: Any = settings
        for key in place.split("."):
            value = value[key.format_map(wildcards)]
        chosen |= {key: value[key] for key in value if key in known} if option == EACH else {option: value}
    return " ".join(words(key, value) for key, value in chosen.items())


def process(name: str, words: str, *, settings: Mapping[str, Any], **wildcards: Iterable[Any]) -> str:
    """The command line of a process that runs a job several times: the wildcards, side by side, fill its words."""
    members = [dict(zip(wildcards, own, strict=True)) for own in zip(*wildcards.values(), strict=True)]
    return f" {THEN} ".join(
        f"{name} {words.format_map(own)} {options(name, settings, own)}".rstrip() for own in members
    )


def words(option: str, value: Any) -> str:
    """An option with its value: a list one after another, a mapping as JSON."""
    if isinstance(value, Mapping):
        values = [json.dumps(value, sort_keys=option == "spec")]
    else:
        values = [str(own) for own in (value if isinstance(value, list) else [value])]
    return shlex.join([f"--{option.replace('_', '-')}", *values])


def about(name: str, jobs: Mapping[str, Job]) -> tuple[str, ast.arguments]:
    """What a job says about itself, and its signature: read, not imported."""
    found = definition(jobs[name].function)
    return ast.get_docstring(found) or "", found.args
