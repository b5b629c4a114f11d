"""J(θ) of a network file's policies: exact with a certificate where the network is solved, by simulation otherwise.

A simulation averages sampled returns of fresh episodes, with seeds that no run learns from; its interval is Student's
at 95 %, and rewards after the last step, which are at least 0, widen it upwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from sacrepro.adviser.labelled import Network
from sacrepro.adviser.settings import FRESH
from sacrepro.exact.gradient import objective_and_gradient
from sacrepro.learn.samples import samples
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.simulate.compiled_model import Simulator

#: Joint states, in bits, up to which J is computed exactly, and entries of all kernels as tables.
EXACT_BITS, EXACT_ENTRIES = 16.0, 1 << 22
#: Episodes behind one J by simulation; rewards after their last step are worth at most this share of r̄/(1-γ).
EPISODES, CUT = 64, 1e-3
#: Confidence of every interval that is not certified.
CONFIDENCE = 0.95


class Return(NamedTuple):
    """J(θ) lies in [low, high]: certified if `method` is ``exact``, with 95 % confidence if it is ``simulation``."""

    J: float
    low: float
    high: float
    method: str


class Objective:
    """J of one network, θ by θ.

    mdp : the model, where J is exact, None where it is simulated.        T : steps of a simulated episode.
    """

    def __init__(
        self,
        network: Network,
        simulator: Simulator,
        *,
        seed: int = 0,
        episodes: int = EPISODES,
        bits: float = EXACT_BITS,
    ) -> None:
        self.network, self.simulator, self.episodes = network, simulator, episodes
        self.seed = seed % (1 << 32)
        self.T = horizon(network.gamma)
        self.mdp: NetworkedMDP | None = network.mdp() if solvable(network, bits) else None

    def __call__(self, theta: Sequence[Array], run: int = 0) -> Return:
        """J(θ); `run` numbers the policies of one question, each of which is judged by episodes of its own."""
        if self.mdp is not None:
            J, _, error, _ = objective_and_gradient(self.mdp, theta)
            return Return(J, J - error, J + error, "exact")
        first = FRESH + (self.seed << 28) + run * self.episodes
        seeds = range(first, first + self.episodes)
        sampled = samples(self.simulator, theta, 0, kappa=0, T=self.T, h=1.0, t0=1.0, seeds=seeds).J_estimate
        half = half_width(sampled)
        cut = self.network.gamma ** (self.T + 1) * self.network.r_bar / (1.0 - self.network.gamma)
        J = float(sampled.mean())
        return Return(J, J - half, J + half + cut, "simulation")


def solvable(network: Network, bits: float = EXACT_BITS) -> bool:
    """Whether V̄ over all joint states, and every kernel as a table, is small."""
    if float(np.log2(network.state_sizes).sum()) > bits:
        return False
    return sum(network.entries(i) for i in range(network.n)) <= EXACT_ENTRIES


def horizon(gamma: float) -> int:
    """The least T ≥ 1 with γ^{T+1} ≤ `CUT`."""
    return 1 if gamma == 0.0 else max(1, math.ceil(math.log(CUT) / math.log(gamma)) - 1)


def half_width(values: Array) -> float:
    """Half of Student's interval for the mean of independent values; infinite for one."""
    count = len(values)
    if count < 2:
        return math.inf
    quantile = float(stdtrit(count - 1, 0.5 + 0.5 * CONFIDENCE))
    return quantile * float(values.std(ddof=1)) / math.sqrt(count)
