"""What is kept along SAC runs: sampled returns, and J and ‖∇J‖² computed exactly at recorded iterations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sacrepro.exact import objective_and_gradient
from sacrepro.model import Array, NetworkedMDP


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
    """Exact J(θ(m)) and ‖∇J(θ(m))‖² at one recorded outer iteration of one run."""

    instance: str
    kappa: int
    seed: int
    m: int
    J: float
    gradient_norm_squared: float


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
        J, gradient, _, _ = objective_and_gradient(mdp, theta)
        norm_squared = float(sum(np.sum(block**2) for block in gradient))
        yield StationarityRow(instance, kappa, seed, int(iteration), J, norm_squared)
