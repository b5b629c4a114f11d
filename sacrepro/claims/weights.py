"""The weight families of eq. (6) under which truncation and Lemma 4 are checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from sacrepro.coupled import Model
from sacrepro.graph import neighborhood
from sacrepro.model import Array
from sacrepro.policy import policies
from sacrepro.truncation import conditional_law, dirichlet_weights, point_mass_weights, sparse_weights, uniform_weights

FAMILIES = ("uniform", "random", "sparse", "largest", "smallest", "opposed", "natural")


class Evaluated(Protocol):
    """A model under a policy, with the occupancy that the natural weights need; a `Case` is one."""

    @property
    def mdp(self) -> Model: ...

    @property
    def theta(self) -> tuple[Array, ...]: ...

    @property
    def pi_theta(self) -> Array: ...


def weight_families(case: Evaluated, Q_i: Array, i: int, kappa: int) -> Iterator[tuple[str, Array]]:
    """(name, w_i) for each family: uniform, two random ones, three choices of point masses, and the natural law.

    The point masses are the vertices at which each cell's truncation error is largest. ``opposed`` takes the largest
    entry where the first agent of the cell acts 0 and the smallest elsewhere, so that the errors do not cancel against
    that agent's score.
    """
    hood = neighborhood(case.mdp.graph, i, kappa)
    rng = np.random.default_rng((i, kappa))
    yield "uniform", uniform_weights(Q_i.shape, hood)
    yield "random", dirichlet_weights(Q_i.shape, hood, rng)
    yield "sparse", sparse_weights(Q_i.shape, hood, rng)
    yield "largest", point_mass_weights(Q_i, hood, largest=True)
    yield "smallest", point_mass_weights(Q_i, hood, largest=False)
    first_action = len(Q_i.shape) // 2 + hood[0]
    acts_zero = np.arange(Q_i.shape[first_action]) == 0
    on_its_axis = acts_zero.reshape([-1 if axis == first_action else 1 for axis in range(Q_i.ndim)])
    yield "opposed", point_mass_weights(Q_i, hood, largest=on_its_axis)
    yield "natural", conditional_law(case.mdp, policies(case.mdp, case.theta), case.pi_theta, hood)
