"""The paper's applications side by side: how D_i(κ) decays, and what the influence matrix certifies.

Small versions have both sides. Versions too large for an exact solution have the certificate alone, from sparse
products with kernels that may depend on a sum over thousands of neighbors.

Decay is drawn on the graph as well: how much the state of each agent matters to the value of one. A change of s_j alone
reaches s_i after d(i, j) steps at the earliest, so V_i varies by r̄γ^{d(i,j)}/(1-γ) at most.

On a network of any size (`scale`) are the influence matrix for all agents at once and the light cone around some. Both
cost nothing that grows faster than n: C is as sparse as the graph, and the cone never leaves an agent's surroundings.
Where they meet, the lower end of the cone's interval for D_i(κ) must not exceed the influence bound.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.archive.files import arrays_of, write_rows
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.influence import influence_everywhere, influence_matrix, influence_profile
from sacrepro.exact.light_cone import local_decay
from sacrepro.instances import build, build_for_sampling
from sacrepro.instances.network.files import resolve
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Record, Spec
from sacrepro.study.experiments import Experiment
from sacrepro.study.record.case import Case, cases
from sacrepro.study.record.comparison import Comparison

#: Agents whose certificates are computed; in larger networks every n/100-th, since each costs a pass over all edges.
AGENTS = 100


class EnvironmentRow(NamedTuple):
    """max_i D_i(κ) of one environment under one policy, and what bounds D_i(κ) for every policy.

    agents     : agents that have somebody outside N_i^κ and whose certificate was computed.
    D, D_error : the largest D_i(κ) and its certified error; NaN where the instance has no exact solution.
    influence, influence_median : the influence matrix's bound for the worst and for the median of those agents.
    lemma3     : r̄γ^{κ+1}/(1-γ).
    """

    instance: str
    model: str
    n: int
    policy: str
    kappa: int
    agents: int
    D: float
    D_error: float
    influence: float
    influence_median: float
    lemma3: float


def exact_rows(case: Case, model: str) -> Iterator[EnvironmentRow]:
    """One row for each κ that leaves somebody outside, from an exact solution."""
    for row in certified_rows(case.mdp, case.instance, model):
        D = max(float(case.D[i, row.kappa]) for i in range(case.mdp.n) if row.kappa in case.kappas(i))
        yield row._replace(policy=case.policy, D=D, D_error=case.D_error)


def certified_rows(mdp: NetworkedMDP | CountedMDP, instance: str, model: str) -> Iterator[EnvironmentRow]:
    """One row for each κ that leaves somebody outside, from the local kernels alone."""
    profiles = certificates(mdp)
    for kappa in range(max(len(profile) for profile in profiles) - 1):
        bounds = np.array([profile[kappa] for profile in profiles if kappa < len(profile) - 1])
        right = definition2(*lemma3(mdp.r_bar, mdp.gamma), kappa)
        worst, median = float(bounds.max()), float(np.median(bounds))
        yield EnvironmentRow(
            instance, model, mdp.n, "", kappa, len(bounds), math.nan, math.nan, worst, median, right
        )  # fmt: skip


def certificates(mdp: NetworkedMDP | CountedMDP) -> list[Array]:
    """The influence matrix's bound on D_i(κ), κ = 0 up to the eccentricity of i, for `AGENTS` agents or all."""
    C = influence_matrix(mdp)
    agents = range(0, mdp.n, max(1, mdp.n // AGENTS))
    return [influence_profile(C, mdp.graph, i, mdp.gamma, mdp.r_bar) for i in agents]


def environments(exact: Sequence[str] = (), *, certified: Record | None = None, output: File) -> Iterator[str]:
    """Write how D_i(κ) decays in each environment and what the influence matrix certifies, exactly or for large n."""
    if not (exact or certified):
        raise ValueError("environments: nothing to compare; give files written by `exact`, or --certified instances")
    rows: list[EnvironmentRow] = []
    for path in exact:
        stored = arrays_of("exact", path)
        for case in cases(stored):
            rows += exact_rows(case, json.loads(str(stored["spec"]))["model"])
    for name, spec in (certified or {}).items():
        if not isinstance(spec, dict) or "model" not in spec:
            raise ValueError(f"--certified: {name}: expected a specification with a model, got {spec!r}")
        rows += certified_rows(build_for_sampling(resolve(spec)), name, spec["model"])
        yield f"{name}: certified"
    write_rows(output, EnvironmentRow, rows)


class MapRow(NamedTuple):
    """One agent as the center sees it.

    x, y      : place in the drawing. neighbors: agents it is joined to, with spaces between.
    influence : the largest |V_i(s) - V_i(s')| over s, s' that differ at this agent only, i the center.
    """

    instance: str
    policy: str
    center: int
    agent: int
    x: float
    y: float
    neighbors: str
    distance: int
    influence: float
    bound: float
    error: float


def map_rows(case: Case) -> Iterator[MapRow]:
    """A row for each agent, seen from the one that feels the farthest; unreachable agents have distance -1."""
    mdp = case.mdp
    lengths = dict(nx.all_pairs_shortest_path_length(mdp.graph))
    influence = [[float(np.ptp(V_i, axis=j).max()) for j in range(mdp.n)] for V_i in case.V]
    error = 2.0 * case.error
    center = max(range(mdp.n), key=lambda i: max(d for j, d in lengths[i].items() if influence[i][j] > error or j == i))
    places = nx.kamada_kawai_layout(mdp.graph) if mdp.n > 1 else {0: (0.0, 0.0)}
    for j in range(mdp.n):
        d = lengths[center].get(j, -1)
        bound = mdp.r_bar * mdp.gamma**d / (1.0 - mdp.gamma) if d >= 0 else 0.0
        yield MapRow(
            instance=case.instance,
            policy=case.policy,
            center=center,
            agent=j,
            x=round(float(places[j][0]), 4),
            y=round(float(places[j][1]), 4),
            neighbors=" ".join(map(str, sorted(mdp.graph[j]))),
            distance=d,
            influence=influence[center][j],
            bound=bound,
            error=error,
        )


def decay_map(exact: Sequence[str], *, output: File) -> Iterator[str]:
    """Write what the state of each agent is worth to one of them, with its place in a drawing of the graph."""
    rows: list[MapRow] = []
    for path in exact:
        for case in cases(arrays_of("exact", path)):
            rows += map_rows(case)
        yield f"{case.instance}: done"
    write_rows(output, MapRow, rows)


EXPERIMENTS = (
    Experiment(
        order=120, name="environments", rows=EnvironmentRow, key="environments", default=[], figures=("environments",)
    ),
    Experiment(order=100, name="decay_map", rows=MapRow, figures=("decay_map",)),
)


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
