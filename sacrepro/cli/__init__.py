"""The command line: verbs for people, and every job of the workflow by its name."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

import sacrepro
from sacrepro.study.__main__ import command as run_command
from sacrepro.study.__main__ import run
from sacrepro.study.jobs import JOBS, Job, about

#: All that `sacrepro` runs; `bench-one` is a process of `bench`.
VERBS = JOBS | {
    "new": Job("cli.adviser:new"),
    "validate": Job("cli.adviser:validate"),
    "train": Job("cli.adviser:train"),
    "evaluate": Job("cli.adviser:evaluate"),
    "check": Job("cli.records:check"),
    "diff": Job("cli.records:diff"),
    "release": Job("cli.records:release"),
    "bench exact": Job("cli.bench:bench_exact"),
    "bench sac": Job("cli.bench:bench_sac"),
    "bench-one": Job("cli.bench:bench_one"),
}

#: The verbs that a person calls; every other one is a job of the workflow.
FOR_YOU = ("new", "validate", "advise", "train", "evaluate", "check", "diff", "release", "bench", "wireless")

#: What verbs of two words have in common.
FAMILIES = {
    "bench": "Benchmarks that anybody can run.",
    "warm": "Compile the kernels of one room once, so that parallel jobs find them in the cache.",
    "wireless": "The published wireless benchmark.",
}

#: Columns of the list of verbs, where the terminal has as many.
WIDTH = 110


def verbs() -> dict[str, str]:
    """What each verb says about itself, by its first word."""
    found = {name: about(name, VERBS)[0] for name in VERBS if " " not in name}
    return found | {
        family: f"{told} One of {', '.join(name.partition(' ')[2] for name in VERBS if name.startswith(f'{family} '))}."
        for family, told in FAMILIES.items()
    }


def listing(title: str, told: Mapping[str, str]) -> str:
    """Verbs under a title, each with the first paragraph of what it says about itself."""
    lines, width = [f"{title}:"], min(WIDTH, shutil.get_terminal_size().columns - 2)
    for name, text in told.items():
        first, words = f"  {name:<16} ", " ".join(text.partition("\n\n")[0].split())
        lines += textwrap.wrap(words, width, initial_indent=first, subsequent_indent=" " * len(first))
    return "\n".join(lines)


def overview() -> str:
    """What there is to call."""
    about_it, told = (sys.modules["sacrepro"].__doc__ or "").split(" The public names")[0], verbs()
    yours = listing("for you", {name: told[name] for name in FOR_YOU})
    others = listing("for the workflow", {name: told[name] for name in told if name not in FOR_YOU})
    last = "sacrepro VERB --help lists the options of a verb."
    return "\n\n".join(["usage: sacrepro VERB …", about_it, yours, others, last])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["-h"], ["--help"], ["--version"]):
        print(f"sacrepro {sacrepro.__version__}" if given[0] == "--version" else overview())
        raise SystemExit(0)
    run(given, VERBS)


def command() -> None:
    """Run the verb of the command line; see `sacrepro.study.__main__.command`."""
    run_command(main)
