"""What is kept along SAC runs: sampled returns, and J and ‖∇J‖² computed exactly at recorded iterations.

θ(m) is recorded, and a run's randomness is a function of (seed, m): for diagnostics Q̂^T and ĝ(m) are computed again,
bit for bit as the run had them. Bias and variance of ĝ are at this θ(m) fixed, from `EPISODES` fresh episodes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from sacrepro.archive.files import arrays_of, write_rows
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances import build, build_for_sampling
from sacrepro.learn.samples import VisitedCells, samples, visited_cells
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.simulate.rollout import Simulator
from sacrepro.study.arguments import Count, File, Several
from sacrepro.study.experiments import Experiment
from sacrepro.study.experiments.exact_errors import Yardstick, cosine, fits, gradient_error
from sacrepro.study.measures.stationarity import StationarityRow, entropy, stationarity_rows


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
    """Estimate J by simulation at some records of runs of Algorithm 1, on networks of any size."""
    rows: list[SimulatedRow] = []
    for path in runs:
        run = arrays_of("sac", path)
        mdp = build_for_sampling(json.loads(str(run["spec"])))
        instance, kappa = str(run["instance"]), int(run["kappa"])
        for seed, m, thetas in at_records(run, mdp.n, records):
            rows += simulated_rows(mdp, instance, kappa, seed, m, thetas, episodes=episodes, T=T)
        yield f"{instance}, κ={kappa}: done"
    write_rows(output, SimulatedRow, rows)


def at_records(run: Mapping[str, Array], n: int, records: int) -> Iterator[tuple[int, list[int], list[Array]]]:
    """(seed, m, thetas) of each run in a file of `sac`, at so many records, evenly spaced."""
    chosen = np.unique(np.linspace(0, len(run["m"]) - 1, records).round().astype(int))
    for seed in range(len(run["J_estimate"])):
        yield seed, run["m"][chosen].tolist(), [run[f"theta_{i}"][seed][chosen] for i in range(n)]


#: Episodes behind one estimate of bias and variance.
EPISODES = 64

#: Fresh episodes have seeds from here on, run by run; runs have small ones.
FRESH = 1 << 32

#: Bins of the visit histogram: at least so many visits, fewer than the next.
BINS = (1, 10, 100, 1000)


class DiagnosticRow(NamedTuple):
    """One quantity at outer iteration m of one run.

    first_visit_share : of the updates of line 7, those that were the first of their entry.
    visits_1, visits_10, … : of the cells that the episode visits, those with at least so many visits and fewer than
        the next bin's.
    to_q_star, to_q_star_sup, to_Q, to_Q_sup, written : as in `exact_errors.CriticError`, where Q_i fits.
    bias_squared, variance, norm_squared : as in `exact_errors.GradientError`.
    cosine : between the run's ĝ(m) and ∇J(θ(m)); no row where one is zero.
    entropy : mean entropy of the policies, in nats.            J : exact.
    """

    instance: str
    kappa: int
    seed: int
    m: int
    quantity: str
    value: float


def diagnostic_rows(
    mdp: NetworkedMDP, instance: str, kappa: int, seed: int, m: Sequence[int], thetas: Sequence[Array], **steps: Any
) -> Iterator[DiagnosticRow]:
    """Rows for the records m of one run; ``thetas[i]`` has shape (records, S_i, A_i). steps : T, h and t0."""
    for record, iteration in enumerate(m):
        theta = tuple(theta_i[record] for theta_i in thetas)
        loop = visited_cells(mdp, theta, iteration, kappa=kappa, seed=seed, **steps)
        J, gradient, _, _ = objective_and_gradient(mdp, theta)
        fresh = range(FRESH + seed * EPISODES, FRESH + (seed + 1) * EPISODES)
        sampled = samples(mdp, theta, iteration, kappa=kappa, seeds=fresh, **steps)
        bias_squared, variance, norm_squared, _ = gradient_error(sampled, gradient)
        found = {"J": J, "entropy": entropy(policies(mdp, theta)), "first_visit_share": loop.first_visit_share}
        found |= visit_histogram(loop.Q_hat)
        found |= {"bias_squared": bias_squared, "variance": variance, "norm_squared": norm_squared}
        own = np.concatenate([block.ravel() for block in loop.g_hat])
        angle = cosine(own[None], np.concatenate([block.ravel() for block in gradient]))
        if not np.isnan(angle):
            found["cosine"] = angle
        if fits(mdp):
            found |= Yardstick(mdp, theta, kappa).critic_error(loop.Q_hat)._asdict()
        for quantity, value in found.items():
            yield DiagnosticRow(instance, kappa, seed, int(iteration), quantity, float(value))


def visit_histogram(Q_hat: Sequence[VisitedCells]) -> dict[str, float]:
    """Of the cells visited by all agents, the share in each of `BINS`."""
    visits = np.concatenate([cells.visits for cells in Q_hat])
    bins = np.searchsorted(BINS, visits, side="right") - 1
    return {f"visits_{least}": float((bins == k).mean()) for k, least in enumerate(BINS)}


def diagnostics(run: str, *, records: Count, output: File) -> Iterator[str]:
    """Measure critic, gradient and policy exactly at some records of runs of Algorithm 1."""
    found = arrays_of("sac", run)
    mdp = build(json.loads(str(found["spec"])))
    instance, kappa = str(found["instance"]), int(found["kappa"])
    steps = {"T": int(found["T"]), "h": float(found["h"]), "t0": float(found["t0"])}
    rows: list[DiagnosticRow] = []
    for seed, m, thetas in at_records(found, mdp.n, records):
        rows += diagnostic_rows(mdp, instance, kappa, seed, m, thetas, **steps)
    write_rows(output, DiagnosticRow, rows)
    yield f"{instance}, κ={kappa}: {len(rows)} values"


EXPERIMENTS = (
    Experiment(
        order=20, name="learning", rows=LearningRow, per="every run", series="kappa", x="m",
        quantities=("J_estimate", "first_visit_share"), figures=("learning",),
    ),
    Experiment(
        order=30, name="stationarity", rows=StationarityRow, per="exact run", series="kappa", x="m",
        quantities=("J", "gradient_norm_squared", "gap", "entropy"), by_kappa=True,
        figures=("objective", "stationarity"),
    ),
    Experiment(
        order=80, name="simulated", rows=SimulatedRow, per="run", key="simulated", default={"instances": []},
        series="kappa", x="m", quantities=("J",), by_kappa=True, figures=("simulated",),
    ),
    Experiment(
        order=60, name="diagnostics", rows=DiagnosticRow, per="run", key="diagnostics",
        default={"instances": [], "records": 2}, alone=True, series="kappa", x="m", figures=("diagnostics",),
    ),
)  # fmt: skip
