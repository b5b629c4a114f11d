"""The words of the command line: what an argument may be, and what its name means.

The signature of a job is its command line. Parameters before `*` are given by their place, those behind it as options;
one with a default may be left out, a bool is a flag, a `Sequence` takes several values. An annotation is
checked while the line is read, before anything is computed or written.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from sacrepro.model.notices import OF_THE_STUDY, meant

Number = TypeVar("Number", int, float)


def spaces(text: str) -> str:
    """What the end of a refusal says of a text with commas."""
    return "; several are separated by spaces" if "," in text else ""


def parser(kind: Callable[[str], Number], told: str, admits: Callable[[Number], bool]) -> Callable[[str], Number]:
    """What reads a number of a kind, and refuses what it does not admit."""

    def parsed(text: str) -> Number:
        with contextlib.suppress(ValueError):
            if admits(value := kind(text)):
                return value
        raise argparse.ArgumentTypeError(f"expected {told}, got {text!r}{spaces(text)}")

    return parsed


def integer(least: int, below: int | None = None) -> Callable[[str], int]:
    """An integer of at least `least`, and below `below`."""
    told = f"an integer of at least {least}" + ("" if below is None else f" and below {below}")
    return parser(int, told, lambda value: least <= value and (below is None or value < below))


def number(
    *, least: float = -math.inf, above: float = -math.inf, below: float = math.inf, most: float = math.inf
) -> Callable[[str], float]:
    """A finite number with least ≤ x ≤ most and above < x < below."""
    limits = (("of at least", least), ("above", above), ("below", below), ("at most", most))
    told = " and ".join(f"{words} {limit:g}" for words, limit in limits if math.isfinite(limit))

    def admits(value: float) -> bool:
        return math.isfinite(value) and least <= value <= most and above < value < below

    return parser(float, f"a finite number {told}", admits)


def one_of(what: str, room: str, *lists: str) -> Callable[[str], str]:
    """A name out of these lists of a room, loaded when the name is read: `choices=` would load every room at start."""

    def parsed(text: str) -> str:
        found = (getattr(importlib.import_module(f"sacrepro.{room}"), known) for known in lists)
        names = [name for known in found for name in ([known] if isinstance(known, str) else known)]
        if text not in names:
            hint = spaces(text) or meant(text, names) or f"; known are {', '.join(names)}"
            raise argparse.ArgumentTypeError(f"unknown {what} {text!r}{hint}")
        return text

    return parsed


def word(*known: str) -> Callable[[str], str]:
    """One of a few words."""

    def parsed(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"expected {' or '.join(known)}, got {text!r}{meant(text, known)}")
        return text

    return parsed


def state_action_counts(text: str) -> tuple[int, int]:
    """(S, A) from a text such as ``2,3``."""
    parts = text.split(",")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"expected two numbers of at least 1 such as 2,3, got {text!r}")
    return int(parts[0]), int(parts[1])


def mapping(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        hint = OF_THE_STUDY if text.isidentifier() else ""
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}{hint}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f'expected a JSON object such as {{"model": "relay"}}, got {text!r}')
    return value


def specification(text: str) -> dict[str, Any]:
    """The specification of an instance in JSON, with the content of its network file if it has one."""
    spec = mapping(text)
    if spec.get("model") != "file":
        return spec
    from sacrepro.instances.network.files import resolve

    try:
        return resolve(spec)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def output(*endings: str) -> Callable[[str], str]:
    """A file that can be written, with one of these endings if there are any."""

    def parsed(text: str) -> str:
        from sacrepro.archive.files import check_place

        if endings and not text.endswith(endings):
            raise argparse.ArgumentTypeError(f"{text}: expected a name ending in {', '.join(endings)}")
        try:
            check_place(text)
        except (ValueError, OSError) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return parsed


# What an annotation of a job is, and admits. Averages with a standard error need two episodes; seeds from 2^62 on
# belong to the episodes that judge; a share is λ of TD(λ).
Count = Annotated[int, integer(1)]
Ordinal = Annotated[int, integer(0)]
Several = Annotated[int, integer(2)]
Seed = Annotated[int, integer(0, (1 << 62) - (1 << 20))]
Positive = Annotated[float, number(above=0.0)]
NonNegative = Annotated[float, number(least=0.0)]
Share = Annotated[float, number(least=0.0, most=1.0)]
Discount = Annotated[float, number(least=0.0, below=1.0)]
File = Annotated[str, output()]
Figure = Annotated[str, output(".svg", ".pdf", ".png")]
Npz = Annotated[str, output(".npz")]
Json = Annotated[str, output(".json")]
CsvOrJson = Annotated[str, output(".csv", ".json")]
YamlOrJson = Annotated[str, output(".yaml", ".json")]
ClaimName = Annotated[str, one_of("claim", "study.claims", "CLAIMS")]
Attacked = Annotated[str, one_of("claim", "study.claims", "ATTACKED")]
FigureName = Annotated[str, one_of("figure", "study.drawings", "FIGURES")]
Use = Annotated[str, one_of("use", "study.drawings", "USES")]
Kind = Annotated[str, one_of("kind of rows", "study.experiments", "KINDS")]
Method = Annotated[str, one_of("method", "study.experiments.methods", "METHODS", "EXACT")]
Family = Annotated[str, one_of("family", "study.bench.peers", "SIZES")]
Peer = Annotated[str, one_of("method", "study.bench.peers", "METHODS")]
Quantity = Annotated[str, one_of("quantity", "study.bench.quantities", "QUANTITIES")]
SacFamily = Annotated[str, one_of("family", "study.bench.sac", "FAMILIES")]
SacMethod = Annotated[str, one_of("method", "study.bench.sac", "METHODS")]
Pair = Annotated[tuple[int, int], state_action_counts]
Record = Annotated[dict[str, Any], mapping]
Spec = Annotated[dict[str, Any], specification]
Repeated: TypeAlias = Sequence[str]

#: Files that are written: an option that takes several of them takes at least one.
WRITTEN = ("File", "Figure", "Npz", "Json", "CsvOrJson", "YamlOrJson")

#: What the names of arguments mean, everywhere or in one job.
WORDS = {
    "against": "what J is compared with, repeatable: a policy file, all runs of a file of train (.npz) κ by κ, optimum",
    "agent": "label of an agent; repeat it for several",
    "agents": "agents around which a light cone is computed",
    "beside": "other claims that are measured on the same instances, each with an --output of its own",
    "cache": "where compiled files are kept; FOLDER/.checked by default",
    "catalog": "written by `catalog`",
    "certified": "instances without an exact solution, as JSON by name",
    "claim": "name of the claim",
    "claims": "the table written by `verdicts`",
    "verdicts claims": "claims by name; all by default",
    "falsify claims": "claims by name; all by default",
    "counterexamples claims": "claims by name; all by default",
    "comparisons": "csv files written by `claim`",
    "coqchk": "have coqchk read the compiled files, too: half a minute",
    "config": "written by `config`",
    "config config": "the resolved configuration, as JSON",
    "episodes": "episodes behind each mean",
    "error": "ε, the error that is allowed",
    "eta": "actor step η_m = η/√(m+1)",
    "etas": "every η",
    "evaluations": "random models, and steps of each climb",
    "exact": "files written by `exact`",
    "trace exact": "exact J and ‖∇J‖² in place of sampled returns",
    "adversary": "the table written by `adversary-table`",
    "falsification": "the table written by `falsify`",
    "families": "graph families; all by default",
    "figure": "name of the figure",
    "advise figure": "files to draw the network to, .svg, .pdf or .png",
    "figures": "svg files, each named after its figure",
    "file": "network file, .yaml or .py",
    "new file": "network file to write, .yaml",
    "formal folder": "the Coq library, with its _CoqProject",
    "sketches folder": "folder to write the pictures to",
    "force": "replace an existing file",
    "formal": "csv file written by `formal`, and the page of proofs",
    "report formal": "csv file written by `formal`",
    "found": "csv files written by `adversary`",
    "gamma": "discount",
    "gammas": "discounts",
    "h": "h of the critic's steps α_t = h/(t+t0)",
    "instance": "name of the instance in all tables",
    "kappa": "κ, how many hops the critic sees",
    "evaluate kappa": "which run of an .npz file",
    "train kappa": "every κ",
    "kappa_max": "largest κ",
    "kappas": "every κ",
    "keep_going": "exit status 0 whatever the verdict",
    "kind": "what the rows are",
    "for": "paper, at most eight panels, or slide, at most four; paper by default",
    "instances": "instances to show, a few of them by default",
    "lambda": "TD(λ) in place of line 7",
    "lengths": "every T",
    "log": "file for clock, machine and durations",
    "M": "outer iterations, one episode each",
    "logs": "the logs of a run, logs by default",
    "manifest": "written by `manifest`",
    "check manifest": "results/manifest.json, or its folder, under whatever name",
    "release manifest": "results/manifest.json, or its folder, under whatever name",
    "markdown": "the table as Markdown, to write",
    "memory_limit_gb": "GiB a process",
    "method": "the learner",
    "bench-one method": "a method, or `quantity`",
    "methods": "methods by name; all by default",
    "models": "npz file for the models found",
    "n": "number of agents",
    "name": "the family, or the name of the quantity",
    "of": "what the error is of; q by default",
    "one": "a results tree, or a file",
    "other": "another one",
    "output": "file to write",
    "advise output": "files to write: .csv, one row a κ, or .json, everything; paper/tutorial.md explains them",
    "evaluate output": "files to write, .json; paper/tutorial.md explains it",
    "figure output": "files to write, .svg, .pdf or .png",
    "train output": "files to write: .csv, one row a run, or .json, all; paper/tutorial.md explains them",
    "pages": "Markdown pages, such as proofs.md",
    "pairs": "S,A such as 2,2; 2,2 3,3 4,4 by default",
    "policies": "number of policies: the uniform one, then Gaussian ones",
    "evaluate policy": "uniform, the default; a file of actions or probabilities by names, .yaml or .json; "
    "a file of train, .npz",
    "train policy": "files to write the best run of the smallest κ not shown to earn less to, by names, .yaml or .json",
    "quantities": "what only this engine computes; all by default",
    "page": "README.md or paper/verdicts.md, in which they are replaced",
    "record_every": "outer iterations between two records",
    "records": "records that are measured, evenly spaced",
    "references": "BibTeX entries it cites",
    "repeats": "repeats a measurement; the median counts",
    "required": "fail where there is no coqc",
    "results": "the files that are recorded, or a folder with all its files",
    "rows": "csv files of one kind",
    "run": "file written by `sac`",
    "evaluate run": "seed of the run of an .npz file",
    "runs": "files written by `sac`",
    "scale": "the table written by `scale`",
    "exact scale": "standard deviation of the Gaussian logits",
    "advise seconds": "for everything but reading the file and compiling, a pilot of SAC too; 20 by default. "
    "0 does what takes a few seconds",
    "evaluate seconds": "after so many no further light cone is begun; 20 by default",
    "seed": "seed of the generator",
    "advise seed": "seed of simulations, which can only refute, and first of the pilot; 0 by default",
    "evaluate seed": "seed of these episodes; 0 by default",
    "train seed": "the first seed; 0 by default",
    "seeds": "number of seeds, 0..seeds-1",
    "train seeds": "runs a κ; 8 by default",
    "settings": "the setting of each instance, as JSON",
    "sizes": "numbers of agents; all of the benchmark by default",
    "spec": "specification of the instance, as JSON",
    "site rows": "csv files written by `claim`, for the explorer",
    "stationarity": "files written by `trace --exact`, for theorem5",
    "summaries": "files written by `summary`, curves told apart by κ",
    "T": "steps of an episode",
    "table": "whose error: of TD's limit q*, which Algorithm 1 learns, or of tables of form (5); td by default",
    "template": "the typst document",
    "site template": "the folder of templates, paper/site",
    "theta": "files to write every run's logits to, .npz",
    "time_limit": "seconds a repeat",
    "tol": "half width of the light cone's intervals",
    "tolerance": "relative difference of numbers up to which they count as equal",
    "t0": "t0 of the critic's steps α_t = h/(t+t0)",
    "verdicts": "results/claims.csv or results/claims.md, written by `verdicts`",
    "whole": "file to write with every instance, .svg, .pdf or .png",
    "counterexamples": "csv file written by `counterexamples`",
}


def add_arguments(parser: argparse.ArgumentParser, job: str, signature: ast.arguments) -> None:
    """The arguments of a job, read off its signature."""
    positional = [*signature.posonlyargs, *signature.args]
    defaults = [None] * (len(positional) - len(signature.defaults)) + signature.defaults
    for parameter, default in zip(positional, defaults, strict=True):
        options = options_of(parameter, default)
        if default is not None:
            options.setdefault("nargs", "?")
        parser.add_argument(parameter.arg, help=meaning(job, parameter.arg), **options)
    for parameter, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
        name = parameter.arg.rstrip("_")
        options = options_of(parameter, default) | {"dest": parameter.arg}
        if options.get("action") != "store_true":
            options["required"] = default is None
        parser.add_argument(f"--{name.replace('_', '-')}", help=meaning(job, name), **options)


def meaning(job: str, name: str) -> str:
    """What an argument of a job means."""
    return WORDS.get(f"{job} {name}") or WORDS[name]


def admitted(kind: str) -> Callable[[str], Any]:
    """What reads a value of an annotation, and refuses what it does not admit."""
    found: Callable[[str], Any] = str if kind == "str" else get_args(globals()[kind])[1]
    return found


def options_of(parameter: ast.arg, default: ast.expr | None) -> dict[str, Any]:
    """What argparse is to know about a parameter, but for its name."""
    value = None if default is None else ast.literal_eval(default)
    kind = ast.unparse(parameter.annotation or ast.Name("str")).removesuffix(" | None")
    if kind == "bool":
        return {"action": "store_true"}
    if kind == "Repeated":
        return {"action": "append", "default": list(value or ())}
    if kind == "tuple[str, str]":
        return {"nargs": 2, "default": value}
    if kind.startswith("Literal["):
        known = ast.literal_eval(kind.removeprefix("Literal"))
        return {"type": word(*known), "choices": known, "default": value}
    if kind.startswith("Sequence["):
        kind = kind[len("Sequence[") : -1]
        several = "+" if default is None or value or kind in WRITTEN else "*"
        return {"nargs": several, "type": admitted(kind), "default": value}
    return {"type": admitted(kind), "default": value}


#: Texts that name nothing that is read; `manifest` leaves itself out of its results.
NOT_READ = ("agent", "instance", "instances", "method", "name", "results")


def check_files(signature: ast.arguments, given: Mapping[str, Any]) -> None:
    """ValueError if two files to be written are one, or one is read as well, under whatever names."""
    written: list[tuple[str, str]] = []
    read: list[tuple[str, str]] = []
    for parameter in (*signature.args, *signature.kwonlyargs):
        name, value = parameter.arg, given[parameter.arg]
        kind = ast.unparse(parameter.annotation or ast.Name("str")).removesuffix(" | None")
        kind = kind.removeprefix("Sequence[").removesuffix("]")
        if kind == "Spec" and value.get("model") == "file":
            kind, value = "str", str(value["path"])
        option = name if parameter in signature.args else f"--{name.rstrip('_').replace('_', '-')}"
        if kind in (*WRITTEN, "str", "Repeated", "tuple[str, str") and name not in NOT_READ:
            paths = [value] if isinstance(value, str) else value or ()
            (written if kind in WRITTEN else read).extend((f"{option} {path}", path) for path in paths)
    outputs: dict[Path, str] = {}
    for told, path in written:
        other = outputs.setdefault(Path(path).resolve(), told)
        if other is not told:
            raise ValueError(f"{other} and {told} are one file, and only the last would be kept; give them two names")
    if not any(place.exists() for place in outputs):
        return  # what is read is there
    for told, path in read:
        if Path(path).resolve() in outputs:
            raise ValueError(
                f"{outputs[Path(path).resolve()]} would replace {told}, which is read; give it another name"
            )
        if told.startswith(("file ", "--spec ")):
            from sacrepro.instances.network.files import inputs

            for place in (Path(named).resolve() for named in inputs(path)[1:]):
                if place in outputs:
                    raise ValueError(f"{outputs[place]} would replace what {told} reads; give it another name")
