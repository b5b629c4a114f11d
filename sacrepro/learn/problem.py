"""What every learner of this room shares: the arrays of one problem, and the trace that a run leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sacrepro.learn.cells import copied, hoods
from sacrepro.learn.critic import schedule, scratch
from sacrepro.learn.settings import check_seed, check_theta0
from sacrepro.model.checks import Array
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta
from sacrepro.simulate.stepped import AnySimulator
from sacrepro.simulate.tables import pair_starts
from sacrepro.simulate.trajectory import Observed

#: Seeds are run together up to this many agents, which is where longer loops stop paying.
_AGENTS_TOGETHER = 1024


class SACTrace(NamedTuple):
    """What one run of Algorithm 1 leaves.

    theta  : θ(M), one array of shape (S_i, A_i) an agent.
    thetas : θ at the recorded outer iterations, one array of shape (records, S_i, A_i) an agent.
    m      : (records,) the recorded outer iterations: 0, record_every, 2·record_every, …, and M.
    J_estimate : (M,) Σ_{t=0}^T γ^t (1/n) Σ_i r_i(t) of each episode.
    first_visit_share : (M,) share of the n·T updates of line 7 that were the first of their entry. Where it is near 1,
             Q̂_i is hardly more than α r_i and κ is not being tested.
    """

    theta: tuple[Array, ...]
    thetas: tuple[Array, ...]
    m: Array
    J_estimate: Array
    first_visit_share: Array

    def __repr__(self) -> str:
        return brief(self)


class Problem:
    """What the outer iterations share: B = `copies` disjoint copies of the network, one a seed, as one network."""

    def __init__(
        self,
        simulator: AnySimulator,
        theta0: tuple[Array, ...],
        kappa: int,
        T: int,
        h: float,
        t0: float,
        copies: int,
    ) -> None:
        self.copies, self.T = copies, T
        self.state_sizes, self.action_sizes = simulator.state_sizes, simulator.action_sizes
        self.hoods = copied(hoods(simulator.graph, kappa, simulator.state_sizes, simulator.action_sizes), copies)
        self.plan = schedule(h, t0, simulator.gamma, T)
        self.work = scratch(self.hoods, T)
        self.A = np.repeat(np.array(simulator.action_sizes, dtype=np.uint32), copies)
        self.pair = pair_starts(np.repeat(simulator.state_sizes, copies), self.A)
        self.theta0 = np.concatenate([theta_i.ravel() for theta_i in theta0 for _ in range(copies)])

    def blocks(self, theta: Array, b: int) -> tuple[Array, ...]:
        """θ of copy b from flat arrays (records, …): blocks (records, S_i, A_i)."""
        copies, pair = self.copies, self.pair
        return tuple(
            theta[:, pair[i * copies + b] : pair[i * copies + b + 1]].reshape(-1, S_i, A_i).copy()
            for i, (S_i, A_i) in enumerate(zip(self.state_sizes, self.action_sizes, strict=True))
        )

    def check_ascent(self, lost: int, m: int, eta: float, seeds: Sequence[int]) -> None:
        """ValueError if line 12 of outer iteration m lost this entry of the flat θ; -1 stands for none."""
        if lost < 0:
            return
        row = int(np.searchsorted(self.pair, lost, side="right")) - 1
        i, b = divmod(row, self.copies)
        s, a = divmod(int(lost - self.pair[row]), int(self.A[row]))
        raise ValueError(
            f"theta[{i}] of agent {i} is no longer finite at ({s}, {a}) after outer iteration m = {m} of seed "
            f"{seeds[b]}: lower eta = {eta:g}, divide the rewards by a constant, or, where the critic itself diverges "
            "(lambda_ above 0, pairwise), lower h"
        )

    def traces(self, thetas: list[Array], m: list[int], J_estimate: Array, share: Array) -> list[SACTrace]:
        """One trace a copy from what was recorded, θ flat; J_estimate and share have shape (M, B)."""
        stacked = np.stack(thetas)
        traces = []
        for b in range(self.copies):
            blocks = self.blocks(stacked, b)
            theta = tuple(block[-1].copy() for block in blocks)
            traces.append(SACTrace(theta, blocks, np.array(m), J_estimate[:, b].copy(), share[:, b].copy()))
        return traces


def seeds_together(n: int) -> int:
    """How many seeds of a network of n agents are run as one network."""
    return max(1, _AGENTS_TOGETHER // n)


def batches(
    simulator: AnySimulator,
    theta0: Theta,
    seeds: Iterable[int],
    together: int,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
) -> Iterator[tuple[Problem, list[int]]]:
    """The seeds, `together` at a time, each batch with its problem; θ(0) and all seeds are checked before the first."""
    theta = check_theta0(theta0, simulator)
    if not isinstance(seeds, Iterable):
        raise TypeError(f"seeds must hold integers, got {seeds!r}")
    chosen = [check_seed(seed) for seed in seeds]
    for low in range(0, len(chosen), together):
        batch = chosen[low : low + together]
        yield Problem(simulator, theta, kappa, T, h, t0, copies=len(batch)), batch


class Lines(Protocol):
    """Lines 3-10 and the sums of line 11: writes G, flat like the policies, and each copy's J and share."""

    def __call__(self, episode: Observed, zeta: Array, G: Array, J: Array, share: Array) -> None: ...
