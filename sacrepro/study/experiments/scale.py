"""Bounds on a network of any size: the influence matrix for all agents at once, the light cone around some of them.

Both cost nothing that grows faster than n: C is as sparse as the graph, and the cone never leaves an agent's
surroundings. Where they meet, the lower end of the cone's interval for D_i(κ) must not exceed the influence bound.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import write_rows
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.influence import influence_everywhere, influence_matrix
from sacrepro.exact.light_cone import local_decay
from sacrepro.instances import build
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Spec
from sacrepro.study.record.comparison import Comparison


class Timed(NamedTuple):
    """What was computed, for how many agents, and the seconds it took."""

    what: str
    agents: int
    seconds: float


class Scale(NamedTuple):
    """Comparisons of the sampled agents, the influence bound of every agent and κ, and what each part took."""

    rows: list[Comparison]
    everywhere: Array
    steps: list[Timed]


def scale(instance: str, mdp: NetworkedMDP, agents: Sequence[int], kappa_max: int, tol: float) -> Scale:
    """Influence bounds for all agents, intervals of half width `tol` for D_i(κ) of `agents`, the uniform policy."""
    start = time.perf_counter()
    C = influence_matrix(mdp)
    matrix = time.perf_counter()
    everywhere = influence_everywhere(C, kappa_max, mdp.gamma, mdp.r_bar)
    series = time.perf_counter()
    rows = list(meetings(instance, mdp, agents, everywhere, tol))
    end = time.perf_counter()
    steps = [
        Timed("influence matrix", mdp.n, matrix - start),
        Timed(f"influence bounds, κ = 0..{kappa_max}", mdp.n, series - matrix),
        Timed(f"light-cone intervals, κ = 0..{kappa_max}", len(agents), end - series),
    ]
    return Scale(rows, everywhere, steps)


def meetings(
    instance: str, mdp: NetworkedMDP, agents: Sequence[int], everywhere: Array, tol: float
) -> Iterator[Comparison]:
    """For each sampled agent and κ: the interval's lower end against both bounds; `case` is the interval."""
    theta = uniform_theta(mdp)
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i in agents:
        lower, upper = local_decay(mdp, theta, i, everywhere.shape[1] - 1, tol)
        for kappa, (low, high) in enumerate(zip(lower.tolist(), upper.tolist(), strict=True)):
            rights = {"influence": float(everywhere[i, kappa]), "Lemma 3": definition2(c, rho, kappa)}
            for hypothesis, right in rights.items():
                where = (instance, "uniform", hypothesis, f"D in [{low:.3g}, {high:.3g}]", i, kappa)
                # `low` is certified, so nothing is left to forgive but the rounding of the right side.
                yield Comparison(*where, low, right, float(np.spacing(64.0 * right)))


def job(*, instance: str, spec: Spec, agents: Count, kappa_max: Ordinal, tol: Positive, output: File) -> Iterator[str]:
    """Bound D_i(κ) for every agent of a large network, and around some agents from both sides; print what it took."""
    start = time.perf_counter()
    mdp = build(spec)
    yield f"model: {mdp.n} agents, {time.perf_counter() - start:.2f} s"
    found = scale(instance, mdp, np.linspace(0, mdp.n - 1, agents, dtype=int).tolist(), kappa_max, tol)
    for step in found.steps:
        yield f"{step.what}: {step.agents} agents, {step.seconds:.2f} s"
    yield f"all: {time.perf_counter() - start:.2f} s"
    for kappa in range(kappa_max + 1):
        bounds = found.everywhere[:, kappa]
        yield f"κ={kappa}: influence bound {bounds.min():.4g} to {bounds.max():.4g} over all agents"
    write_rows(output, Comparison, found.rows)
