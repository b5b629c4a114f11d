"""What is kept along SAC runs: sampled returns, and J and ‖∇J‖² computed exactly at recorded iterations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sacrepro.claims.diagnostics import FRESH
from sacrepro.claims.yardsticks import entropy, first_order_gap
from sacrepro.counted import CountedMDP
from sacrepro.exact import objective_and_gradient
from sacrepro.learn.samples import samples
from sacrepro.model import Array, NetworkedMDP
from sacrepro.policy import policies
from sacrepro.simulate import Simulator


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


class StationarityRow(NamedTuple):
    """Exact values at one recorded outer iteration of one run.

    J, gradient_norm_squared : J(θ(m)) and ‖∇J(θ(m))‖².
    gap     : `yardsticks.first_order_gap`, which does not vanish merely because policies become deterministic.
    entropy : mean entropy of the policies, in nats.
    gradient_error : certified bound on the error of ‖∇J(θ(m))‖.
    """

    instance: str
    kappa: int
    seed: int
    m: int
    J: float
    gradient_norm_squared: float
    gap: float
    entropy: float
    gradient_error: float


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


def stationarity_rows(
    mdp: NetworkedMDP, instance: str, kappa: int, seed: int, m: Array, thetas: Sequence[Array]
) -> Iterator[StationarityRow]:
    """One row for each record; ``thetas[i]`` has shape (records, S_i, A_i)."""
    for record, iteration in enumerate(m):
        theta = tuple(theta_i[record] for theta_i in thetas)
        J, gradient, _, error = objective_and_gradient(mdp, theta)
        norm_squared = float(sum(np.sum(block**2) for block in gradient))
        zeta = policies(mdp, theta)
        gap = first_order_gap(zeta, gradient)
        off = float(error * np.sqrt(mdp.n))
        yield StationarityRow(instance, kappa, seed, int(iteration), J, norm_squared, gap, entropy(zeta), off)


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
