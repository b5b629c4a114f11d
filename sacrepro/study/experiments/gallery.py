"""A gallery of real cases: network files to copy, each with its advice, its decay, and SAC beside an expert's rule.

J is exact, with certified ends, of the expert's rule and of what every run of Algorithm 1 has learned; D_i(κ) lies
between certified ends under the uniform policy. The page is made of these numbers and of the files' own first lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from sacrepro.adviser.advice import Advice, advise
from sacrepro.adviser.evaluation import Objective
from sacrepro.adviser.pilot import trained
from sacrepro.adviser.policies import read_policy
from sacrepro.adviser.prose import words
from sacrepro.adviser.settings import proposal
from sacrepro.archive.files import read_text, write_rows, write_text
from sacrepro.exact.decay.profile import certified_decay
from sacrepro.instances.network.files import load
from sacrepro.instances.network.labelled import Network
from sacrepro.model.notices import power
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import File, Record
from sacrepro.study.experiments import Experiment

#: κ's and seeds of Algorithm 1, its outer iterations and the steps of an episode; κ's of D_i(κ) at most.
KAPPAS, SEEDS, M, T, DECAY = (0, 1), range(4), 1000, 400, 5
#: What the rows tell: largest D_i(κ) of an agent, what advice says bounds it for every policy, and returns.
D, BOUND, J = "D", "influence", "J"
UNIFORM, EXPERT, SAC = "uniform", "expert's rule", "SAC"

PAGE = """# A gallery of real cases

Network files to copy. Each comes with its advice, how D_i(κ) decays, and what Algorithm 1 earns in {samples:,} steps a
run, beside a rule that an expert would write down: what to do in each state of one's own. The workflow writes this
page; every number is from its last run.

![Decay and returns of the four cases](../figures/gallery.svg)
"""

CASE = """
## {title}

{about} [{file}](../{file}), [{expert}](../{expert})

```
$ sacrepro advise {file} --error {error} --seconds 0
{advice}```

| κ | max_i D_i(κ), uniform policy | at most, for every policy: *eq. (5), any policy* above |
| --- | --- | --- |
{decay}

| policy | J | certified within | more than the expert's rule |
| --- | --- | --- | --- |
{returns}

Episodes of SAC have {T} steps; ten visits an entry of the median table, the rule of thumb above, would take {visits}.
The rule by the command line: `sacrepro evaluate {file} --policy {expert}`.
"""


class GalleryRow(NamedTuple):
    """One quantity of one case, between certified ends.

    what : ``D`` or ``influence``, at κ and under `policy`, or ``J`` of a policy; of these, runs of SAC have κ and seed,
        others -1.
    """

    instance: str
    n: int
    what: str
    policy: str
    kappa: int
    seed: int
    low: float
    value: float
    high: float


def gallery_rows(name: str, network: Network, advice: Advice, expert: str) -> Iterator[GalleryRow]:
    """All rows of one case, with the bounds of its advice; `expert` is the file of the expert's rule."""
    mdp, simulator = network.mdp(), network.simulator()
    bounds = [row.certified_truncated for row in advice.rows][:DECAY]
    low, high = certified_decay(mdp, uniform_theta(mdp), kappas=range(len(bounds)))
    for kappa, bound in enumerate(bounds):
        ends = float(low[:, kappa].max()), float(high[:, kappa].max())
        yield GalleryRow(name, mdp.n, D, UNIFORM, kappa, -1, ends[0], 0.5 * sum(ends), ends[1])
        yield GalleryRow(name, mdp.n, BOUND, "every policy", kappa, -1, 0.0, bound, bound)
    objective = Objective(network, simulator)
    told = objective(read_policy(network, expert))
    yield GalleryRow(name, mdp.n, J, EXPERT, -1, -1, told.low, told.J, told.high)
    settings = proposal(network, simulator, KAPPAS, seeds=len(SEEDS), M=M, T=T)
    found = trained(network, simulator, objective, settings, KAPPAS, SEEDS)
    yield GalleryRow(name, mdp.n, J, UNIFORM, -1, -1, found.start.low, found.start.J, found.start.high)
    for run in found.runs:
        yield GalleryRow(name, mdp.n, J, SAC, run.kappa, run.seed, run.low, run.J, run.high)


def gallery_case(
    file: str, title: str, error: float, expert: str, network: Network, advice: Advice, rows: Sequence[GalleryRow]
) -> str:
    """The section of one case."""
    visits = " and ".join(
        f"{power(advice.rows[kappa].entries_median + 1)} at κ = {kappa}" for kappa in KAPPAS if kappa < len(advice.rows)
    )
    about = " ".join(line.lstrip("# ") for line in takewhile(lambda line: line[:1] == "#", read_text(file).split("\n")))
    bound = {row.kappa: row.value for row in rows if row.what == BOUND}
    decay = [
        f"| {row.kappa} | {row.value if row.low > 0.0 else 0:.3g} | {bound[row.kappa]:.3g} |"
        for row in rows
        if row.what == D
    ]
    groups: dict[str, list[GalleryRow]] = {}
    for row in rows:
        if row.what == J:
            groups.setdefault(row.policy + (f", κ = {row.kappa}" if row.kappa >= 0 else ""), []).append(row)
    rule = groups[EXPERT][0].value
    returns = []
    for name, own in groups.items():
        values = [row.value for row in own]
        label = f"{name}, mean of {len(own)} seeds ({min(values):.3f} to {max(values):.3f})" if len(own) > 1 else name
        within, mean = max(row.high - row.low for row in own) / 2, float(np.mean(values))
        more = "" if name == EXPERT else f"{mean - rule:+.3f}"
        returns.append(f"| {label} | {mean:.3f} | {within:.0e} | {more} |")
    return CASE.format(
        title=title, about=about, file=file, expert=expert, error=error, advice=words(network, advice), T=T,
        visits=visits, decay="\n".join(decay), returns="\n".join(returns),
    )  # fmt: skip


def gallery(file: Sequence[str], *, settings: Record, markdown: File, output: File) -> Iterator[str]:
    """Write rows and page of the gallery from network files and the title, error and expert's rule of each."""
    if len(file) != len(settings):
        raise ValueError(f"--settings: {len(settings)} cases for {len(file)} network files")
    rows: list[GalleryRow] = []
    page = PAGE.format(samples=M * T)
    for path, (name, asked) in zip(file, settings.items(), strict=True):
        if not isinstance(asked, dict) or asked.keys() != {"title", "error", "expert"}:
            raise ValueError(f"--settings: {name}: expected title, error and expert, got {asked!r}")
        network = load(path)
        advice = advise(network, asked["error"], seconds=0)
        own = list(gallery_rows(name, network, advice, asked["expert"]))
        page += gallery_case(path, **asked, network=network, advice=advice, rows=own)
        rows += own
        yield f"{name}: done"
    write_rows(output, GalleryRow, rows)
    write_text(markdown, page)


EXPERIMENTS = (Experiment(order=135, name="gallery", rows=GalleryRow, key="gallery", figures=("gallery",)),)
