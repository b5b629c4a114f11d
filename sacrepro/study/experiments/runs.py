"""What is kept along SAC runs: sampled returns, and J and ‖∇J‖² computed exactly at recorded iterations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import arrays_of, write_rows
from sacrepro.instances import build, build_for_sampling
from sacrepro.learn.samples import samples
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.simulate.rollout import Simulator
from sacrepro.study.arguments import Count, File, Several
from sacrepro.study.experiments import Experiment
from sacrepro.study.experiments.diagnostics import FRESH
from sacrepro.study.measures.stationarity import StationarityRow, stationarity_rows


class LearningRow(NamedTuple):
    """Outer iteration m of one run: the sampled return and the share of TD updates on a key never seen before.

    Both are means over the outer iterations since the record before.
    """

    instance: str
    kappa: int
    seed: int
    m: int
    J_estimate: float
    first_visit_share: float


class SimulatedRow(NamedTuple):
    """J(θ(m)) at one recorded outer iteration of one run by simulation: the mean of sampled returns of fresh episodes.

    standard_error : of this mean, over the episodes.
    cut            : γ^{T+1} r̄/(1-γ), what cutting episodes at T can hide.
    """

    instance: str
    kappa: int
    seed: int
    m: int
    J: float
    standard_error: float
    cut: float


def learning_rows(
    instance: str, kappa: int, seed: int, m: Array, J_estimate: Array, first_visit_share: Array
) -> Iterator[LearningRow]:
    """One row for each record m ≥ 1; J_estimate and first_visit_share have shape (M,)."""
    for start, end in pairwise(m):
        since = slice(int(start), int(end))
        yield LearningRow(
            instance, kappa, seed, int(end), float(J_estimate[since].mean()), float(first_visit_share[since].mean())
        )


def simulated_rows(
    mdp: NetworkedMDP | CountedMDP,
    instance: str,
    kappa: int,
    seed: int,
    m: Sequence[int],
    thetas: Sequence[Array],
    *,
    episodes: int,
    T: int,
) -> Iterator[SimulatedRow]:
    """One row for each record, from `episodes` fresh episodes of T steps; ``thetas[i]`` as in `stationarity_rows`."""
    cut = mdp.gamma ** (T + 1) * mdp.r_bar / (1.0 - mdp.gamma)
    fresh = range(FRESH + seed * episodes, FRESH + (seed + 1) * episodes)
    simulator = Simulator(mdp)
    for record, iteration in enumerate(m):
        theta = tuple(theta_i[record] for theta_i in thetas)
        returns = samples(simulator, theta, iteration, kappa=0, T=T, h=1.0, t0=1.0, seeds=fresh).J_estimate
        error = float(returns.std(ddof=1) / np.sqrt(episodes))
        yield SimulatedRow(instance, kappa, seed, int(iteration), float(returns.mean()), error, cut)


def trace(runs: Sequence[str], *, exact: bool = False, output: File) -> Iterator[str]:
    """Turn recorded SAC runs into rows: sampled returns, or exact J and ‖∇J‖² with --exact."""
    sampled: list[LearningRow] = []
    exactly: list[StationarityRow] = []
    for path in runs:
        run = arrays_of("sac", path)
        instance, kappa, m = str(run["instance"]), int(run["kappa"]), run["m"]
        mdp = build(json.loads(str(run["spec"]))) if exact else None
        for seed in range(len(run["J_estimate"])):
            if mdp is not None:
                thetas = [run[f"theta_{i}"][seed] for i in range(mdp.n)]
                exactly += stationarity_rows(mdp, instance, kappa, seed, m, thetas)
            else:
                J_estimate, share = run["J_estimate"][seed], run["first_visit_share"][seed]
                sampled += learning_rows(instance, kappa, seed, m, J_estimate, share)
        yield f"{instance}, κ={kappa}: done"
    if exact:
        write_rows(output, StationarityRow, exactly)
    else:
        write_rows(output, LearningRow, sampled)


def simulated(runs: Sequence[str], *, records: Count, episodes: Several, T: Count, output: File) -> Iterator[str]:
    """Estimate J by simulation at some records of every run in files of `sac`."""
    rows: list[SimulatedRow] = []
    for path in runs:
        run = arrays_of("sac", path)
        mdp = build_for_sampling(json.loads(str(run["spec"])))
        instance, kappa = str(run["instance"]), int(run["kappa"])
        chosen = np.unique(np.linspace(0, len(run["m"]) - 1, records).round().astype(int))
        for seed in range(len(run["J_estimate"])):
            thetas = [run[f"theta_{i}"][seed][chosen] for i in range(mdp.n)]
            m = [int(iteration) for iteration in run["m"][chosen]]
            rows += simulated_rows(mdp, instance, kappa, seed, m, thetas, episodes=episodes, T=T)
        yield f"{instance}, κ={kappa}: done"
    write_rows(output, SimulatedRow, rows)


EXPERIMENTS = (
    Experiment(
        order=20,
        name="learning",
        rows=LearningRow,
        per="every run",
        series="kappa",
        x="m",
        quantities=("J_estimate", "first_visit_share"),
        figures=("learning",),
    ),
    Experiment(
        order=30,
        name="stationarity",
        rows=StationarityRow,
        per="exact run",
        series="kappa",
        x="m",
        quantities=("J", "gradient_norm_squared", "gap", "entropy"),
        by_kappa=True,
        figures=("objective", "stationarity"),
    ),
    Experiment(
        order=80,
        name="simulated",
        rows=SimulatedRow,
        per="run",
        key="simulated",
        default={"instances": []},
        job="simulated",
        series="kappa",
        x="m",
        quantities=("J",),
        by_kappa=True,
        figures=("simulated",),
    ),
)
