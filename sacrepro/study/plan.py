"""What a configuration asks for: instances by how they are solved, runs, rows by kind, figures, and all evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sacrepro.instances.network.files import inputs
from sacrepro.model.notices import meant
from sacrepro.study.claims import ATTACKED, CLAIMS, PROCESSES, WITH_LEARNER, WITHOUT_TABLES
from sacrepro.study.experiments import ENTRIES, KINDS, SHOWN, Experiment

#: What is studied unless the configuration says otherwise.
DEFAULTS: Mapping[str, Any] = {own.key: own.default for own in ENTRIES if own.key} | {
    "claims": list(CLAIMS),
    "advice": {},
    "adversary": {"evaluations": 20, "seed": 0},
    "scale": {
        "spec": {"model": "relay", "n": 1000, "gamma": 0.8, "noise": 0.3},
        "agents": 2,
        "kappa_max": 2,
        "tol": 0.01,
    },
}

#: Parts of a configuration whose keys or entries are names of instances.
OF_INSTANCES = ("sac", *dict.fromkeys(own.key for own in ENTRIES if own.key and own.per in ("instance", "all")))

#: Claims about runs, and figures of all claims by their rows.
OF_RUNS, OF_ALL_CLAIMS = ("theorem5",), {"adversary": "results/adversary.csv", "overview": "results/claims.csv"}

#: A run: its instance and κ.
Run = tuple[str, int]


def unknown(key: str, what: str, name: str, known: Collection[str]) -> ValueError:
    """What is wrong with a name under a key of the configuration."""
    return ValueError(f"{key}: no {what} is called {name!r}; there are {', '.join(known)}{meant(name, known)}")


class Process(NamedTuple):
    """An experiment, the instances or runs that one process works on, their rows, and the files that it reads."""

    own: Experiment
    names: list[str]
    rows: list[str]
    reads: list[str]


class Plan:
    """A configuration, and what follows from it; ValueError names the key that does not fit.

    settings : the configuration with its defaults, from which jobs get their options. network_files : what the
    instances that are network files read, by name.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.settings: dict[str, Any] = {**DEFAULTS, **config}
        self.instances: Mapping[str, Any] = config["instances"]
        for name in self.settings["claims"]:
            if name not in CLAIMS:
                raise unknown("claims", "claim", name, CLAIMS)
        self.claims = [name for name in CLAIMS if name in self.settings["claims"]]
        self.attacked = [name for name in ATTACKED if name in self.claims]
        for key in OF_INSTANCES:
            for name in self.settings[key]:
                if name not in self.instances:
                    raise unknown(key, "instance", name, self.instances)
        self.network_files = {name: read_by(f"instances.{name}", own["spec"]) for name, own in self.instances.items()}
        for name in self.settings["advice"]:
            if not self.network_files.get(name):
                raise ValueError(f"advice.{name}: no instance of this name is a network file")
        self.scale_files = read_by("scale", self.settings["scale"]["spec"])
        for name in self.settings.get("figures", ()):
            self.check_figure(name)
        self.settings["certified"] = {name: self.instances[name]["spec"] for name in self.certified}
        # Only what the paper configuration draws is published; the rest stays beside its results.
        self.figures = "figures" if config["published"] else "results/figures"
        beside = "paper" if config["published"] else "results"
        self.paper, self.report = f"{beside}/paper.pdf", f"{beside}/appendix.pdf"
        self.gallery = f"{beside}/gallery.md"
        for name in self.settings["gallery"]:
            if not self.network_files[name]:
                raise ValueError(f"gallery.{name}: no instance of this name is a network file")

    @cached_property
    def evaluated(self) -> list[str]:
        """Instances with exact values."""
        return [name for name, entry in self.instances.items() if entry["exact"] != "none"]

    @cached_property
    def solved(self) -> dict[str, list[str]]:
        """Those of each process, by what it is called: small ones, whose tables are checked, share one."""
        small = [name for name in self.evaluated if self.instances[name]["exact"] == "tables"]
        return {"small-ones": small} | {name: [name] for name in self.evaluated if name not in small}

    @cached_property
    def certified(self) -> list[str]:
        """Environments without exact values."""
        return [name for name in self.settings["environments"] if name not in self.evaluated]

    @cached_property
    def runs(self) -> list[Run]:
        """The runs of Algorithm 1."""
        return [(name, kappa) for name, run in self.settings["sac"].items() for kappa in run["kappas"]]

    @cached_property
    def exact_runs(self) -> list[Run]:
        """Those on instances with exact values."""
        return self.runs_on(self.evaluated)

    def runs_on(self, instances: Sequence[str]) -> list[Run]:
        """Those on some instances."""
        return [(name, kappa) for name, kappa in self.runs if name in instances]

    @cached_property
    def runs_of(self) -> dict[str, list[Run]]:
        """Those on each instance."""
        return {name: self.runs_on([name]) for name in self.settings["sac"]}

    @cached_property
    def runs_behind(self) -> dict[str, list[Run]]:
        """The runs that rows of a kind are read off."""
        found = {}
        for own in ENTRIES:
            if own.per == "run":
                found[own.name] = self.runs_on(self.settings[own.key]["instances"])
            elif own.per in ("every run", "exact run"):
                found[own.name] = self.runs if own.per == "every run" else self.exact_runs
        return found

    @cached_property
    def rows(self) -> dict[str, list[str]]:
        """The files that hold the rows of each kind."""
        return {own.name: self.files_of(own) for own in ENTRIES}

    def files_of(self, own: Experiment) -> list[str]:
        """The files that hold the rows of one experiment."""
        asked: Any = self.settings[own.key] if own.key else {"": ""}
        if own.per in ("every run", "exact run"):
            names = [f"traces/{own.name}"]
        elif own.per == "run":
            names = [f"{own.name}/{run}" for run in names_of(self.runs_behind[own.name])]
        elif own.per == "instance":
            names = [f"{own.name}/{name}" for name in asked]
        elif own.per == "wireless":
            names = [f"{own.name}/{name}" for name in ("references", *asked.get("runs", {}))] if asked else []
        else:
            names = [own.name] if asked else []
        return [f"results/{name}.csv" for name in names]

    @cached_property
    def processes(self) -> dict[str, Process]:
        """Those of experiments with a file for each instance or run, by the path of their logs."""
        found = {}
        for own in (own for own in ENTRIES if own.per in ("instance", "run")):
            asked = self.settings[own.key] if own.per == "instance" else self.settings[own.key]["instances"]
            lots = {f"{own.name}/{name}": [name] for name in asked} if own.alone else {own.name: list(asked)}
            for place, lot in lots.items():
                runs = self.runs_on(lot)
                names = lot if own.per == "instance" else names_of(runs)
                read = [path for name in lot for path in self.network_files[name]]
                rows = [f"results/{own.name}/{name}.csv" for name in names]
                if names:
                    found[place] = Process(own, names, rows, read if own.per == "instance" else sac(runs))
        return found

    @cached_property
    def by_kappa(self) -> list[str]:
        """The kinds of rows of which the best κ is told."""
        return [own.name for own in ENTRIES if own.by_kappa and self.rows[own.name]]

    @cached_property
    def drawn(self) -> list[str]:
        """The figures that are drawn."""
        return list(self.settings.get("figures", self.every_figure))

    @cached_property
    def every_figure(self) -> list[str]:
        """The figures that can be asked for: of the claims that are audited, and of rows that there are."""
        return [name for name in (*CLAIMS, *OF_ALL_CLAIMS, *SHOWN) if self.rows_of(name)]

    @cached_property
    def pictured(self) -> dict[str, list[str]]:
        """The figures of each process: of claims, of what is summarised over seeds, and of other rows."""
        kinds: dict[str, list[str]] = {}
        for name in self.drawn:
            summarised = name in SHOWN and SHOWN[name].series
            kinds.setdefault("claims" if name in CLAIMS else "runs" if summarised else "surveys", []).append(name)
        return kinds

    @cached_property
    def summarised(self) -> list[str]:
        """The kinds of rows that are summarised over seeds."""
        shown = {SHOWN[figure].name for figure in self.drawn if figure in SHOWN}
        return [name for name in KINDS if name in {*self.by_kappa, *shown}]

    def check_figure(self, figure: str) -> None:
        """ValueError unless the configuration makes the rows that a figure shows."""
        if figure in self.every_figure:
            return
        if figure in CLAIMS:
            raise ValueError(
                f"figures: {figure!r} shows a claim that is not among `claims`; add it there, or leave it out"
            )
        if figure in SHOWN:
            needed = f"add the key `{SHOWN[figure].key}`, or leave it out"
            raise ValueError(f"figures: {figure!r} shows rows that are not made; {needed}")
        raise unknown("figures", "figure", figure, self.every_figure)

    def rows_of(self, figure: str) -> list[str]:
        """The files with the rows that a figure shows; none unless the configuration makes them."""
        if figure in OF_ALL_CLAIMS:
            return [OF_ALL_CLAIMS[figure]]
        if figure not in SHOWN:
            return [f"results/claims/{figure}.csv"] if figure in self.claims else []
        files, shown = self.rows[SHOWN[figure].name], SHOWN[figure]
        return [f"results/summaries/{shown.name}.csv"] if files and shown.series else files

    @cached_property
    def measured(self) -> dict[str, list[str]]:
        """The claims of each process, by what it is called."""
        found = {place: [name for name in own if name in self.claims] for place, own in PROCESSES.items()}
        return {place: names for place, names in found.items() if names}

    def checked(self, claim: str) -> list[str]:
        """The exact values of every instance on which a claim is checked."""
        kinds = ("tables", "values") if claim in WITHOUT_TABLES else ("tables",)
        return exact(name for name, entry in self.instances.items() if entry["exact"] in kinds)

    def evaluated_runs(self, claim: str) -> list[str]:
        """Exact values along runs, for a claim about runs."""
        return self.rows["stationarity"] if claim in OF_RUNS and self.exact_runs else []

    def recorded_runs(self, claim: str) -> list[str]:
        """The runs that those are values of."""
        return sac(self.exact_runs) if claim in OF_RUNS else []

    def compiled(self, claim: str) -> list[str]:
        """The learner's compiled kernels, where the check of a claim runs the learner."""
        return ["logs/compiled/learn.txt"] if claim in WITH_LEARNER else []

    @cached_property
    def told(self) -> list[str]:
        """The rows of which the paper tells more than their verdicts."""
        named = [f"claims/{name}" for name in ("anatomy", "theorem5_sharp")] + ["falsification", "adversary"]
        named += [f"summaries/{kind}" for kind in ("stationarity", "exact_critic", "critic_error", "methods")]
        surveyed = [
            path
            for name in ("exact_bias", "mean_step", "warm_start", "locality", "wireless")
            for path in self.rows[name]
        ]
        evidence = {*self.evidence()}
        return [path for path in (*(f"results/{name}.csv" for name in named), *surveyed) if path in evidence]

    def evidence(self) -> list[str]:
        """Every file that the configuration asks for and all that they are made from, level by level; nothing else.

        All of them are asked for by name, so that whatever is deleted comes back, and they are what a manifest lists.
        """
        shown = {SHOWN[figure].name for figure in self.drawn if figure in SHOWN}
        kinds = {*shown, *self.by_kappa, *(["stationarity"] if self.exact_runs else []), "locality"}
        pictures = [*self.drawn, *(f"advice_{network}" for network in self.settings["advice"])]
        levels: Iterable[Iterable[str]] = (
            ["results/config.json"],
            exact(self.evaluated),
            *(sac(runs) for kind, runs in self.runs_behind.items() if kind in kinds),
            sac(self.runs_on(self.settings["locality"])),
            *(files for kind, files in self.rows.items() if kind in kinds),
            [f"results/summaries/{kind}.csv" for kind in self.summarised],
            ["results/best_kappa.csv", "results/formal.csv"],
            [f"results/claims/{claim}.csv" for claim in self.claims],
            [f"results/{name}" for name in ("counterexamples.csv", "claims.csv", "claims.md", "falsification.csv")],
            [f"results/adversary/{claim}.{suffix}" for claim in self.attacked for suffix in ("csv", "npz")],
            ["results/adversary.csv", "results/scale.csv"],
            [f"results/advice/{name}.{suffix}" for name in self.settings["advice"] for suffix in ("csv", "json")],
            *(self.rows_of(figure) for figure in self.drawn),
            ["results/table1.md"] if "table1" in self.drawn else [],
            [self.gallery] if "gallery" in self.drawn else [],
            [f"{self.figures}/{figure}.{suffix}" for figure in pictures for suffix in ("svg", "png")],
            [f"{self.figures}/whole/{figure}.svg" for figure in self.drawn],
        )
        return list(dict.fromkeys(path for level in levels for path in level))


def exact(instances: Iterable[str]) -> list[str]:
    """The files with exact values of instances."""
    return [f"results/exact/{name}.npz" for name in instances]


def sac(runs: Iterable[Run]) -> list[str]:
    """The files of recorded runs."""
    return [f"results/sac/{run}.npz" for run in names_of(runs)]


def names_of(runs: Iterable[Run]) -> list[str]:
    """What the files of runs are called."""
    return [f"{name}_kappa{kappa}" for name, kappa in runs]


def read_by(place: str, spec: Mapping[str, Any]) -> list[str]:
    """The files that a specification reads: a network file and those it names, or none; ValueError names the place."""
    try:
        return list(inputs(spec["path"])) if spec["model"] == "file" else []
    except ValueError as error:
        raise ValueError(f"{place}.spec.path: {error}") from None
