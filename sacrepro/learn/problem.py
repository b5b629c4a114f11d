"""What every learner of this room shares: the arrays of one problem, and the trace that a run leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from sacrepro.learn.cells import copied, hoods
from sacrepro.learn.critic import schedule, scratch
from sacrepro.learn.settings import Settings, check_seed, check_theta0
from sacrepro.model.checks import Array
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta
from sacrepro.simulate.tables import pair_starts
from sacrepro.simulate.trajectory import AnySimulator, Episode


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
    """What the outer iterations share: B disjoint copies of the network, one a seed, as one network."""

    def __init__(
        self, simulator: AnySimulator, theta0: tuple[Array, ...], settings: Settings, seeds: Sequence[int]
    ) -> None:
        self.settings, self.seeds, self.copies, self.n = settings, seeds, len(seeds), simulator.n
        self.keys = np.array(seeds, dtype=np.uint64)
        self.state_sizes, self.action_sizes = simulator.state_sizes, simulator.action_sizes
        near = hoods(simulator.graph, settings.kappa, simulator.state_sizes, simulator.action_sizes)
        self.hoods = copied(near, self.copies)
        self.plan = schedule(settings.h, settings.t0, simulator.gamma, settings.T)
        self.work = scratch(self.hoods, settings.T)
        self.A = np.repeat(np.array(simulator.action_sizes, dtype=np.uint32), self.copies)
        self.pair = pair_starts(np.repeat(simulator.state_sizes, self.copies), self.A)
        self.theta0 = np.concatenate([theta_i.ravel() for theta_i in theta0 for _ in range(self.copies)])

    def blocks(self, theta: Array, b: int) -> tuple[Array, ...]:
        """θ of copy b from flat arrays (records, …): blocks (records, S_i, A_i)."""
        copies, pair = self.copies, self.pair
        return tuple(
            theta[:, pair[i * copies + b] : pair[i * copies + b + 1]].reshape(-1, S_i, A_i).copy()
            for i, (S_i, A_i) in enumerate(zip(self.state_sizes, self.action_sizes, strict=True))
        )

    def place(self, entry: int) -> tuple[int, int, int, int]:
        """(i, b, s, a) of an entry of a flat array: agent i of copy b at (s, a)."""
        row = int(np.searchsorted(self.pair, entry, side="right")) - 1
        return *divmod(row, self.copies), *divmod(int(entry - self.pair[row]), int(self.A[row]))

    def check_ascent(self, lost: int, m: int) -> None:
        """ValueError if line 12 of outer iteration m lost this entry of the flat θ; -1 stands for none."""
        if lost < 0:
            return
        i, b, s, a = self.place(lost)
        raise ValueError(
            f"theta[{i}] of agent {i} is no longer finite at ({s}, {a}) after outer iteration m = {m} of seed "
            f"{self.seeds[b]}: lower eta = {self.settings.eta:g}, divide the rewards by a constant, or, where the "
            "critic itself diverges (lambda_ above 0, pairwise), lower h"
        )

    def traces(self, thetas: list[Array], J_estimate: Array, share: Array) -> list[SACTrace]:
        """One trace a copy from θ, flat, at each of `settings.stops`; J_estimate and share have shape (M, B)."""
        stacked, m = np.stack(thetas), np.array(self.settings.stops)
        traces = []
        for b in range(self.copies):
            blocks = self.blocks(stacked, b)
            theta = tuple(block[-1].copy() for block in blocks)
            traces.append(SACTrace(theta, blocks, m.copy(), J_estimate[:, b].copy(), share[:, b].copy()))
        return traces


def problems(simulator: AnySimulator, theta0: Theta, settings: Settings, seeds: Iterable[int]) -> Iterator[Problem]:
    """The seeds, `simulator.together` at a time; θ(0) and all seeds are checked before the first."""
    theta = check_theta0(theta0, simulator)
    if not isinstance(seeds, Iterable):
        raise TypeError(f"seeds must hold integers, got {seeds!r}")
    chosen = [check_seed(seed) for seed in seeds]
    for low in range(0, len(chosen), simulator.together):
        yield Problem(simulator, theta, settings, chosen[low : low + simulator.together])


class Lines(Protocol):
    """Lines 3-10 and the sums of line 11: writes G, flat like the policies, and each copy's J and share."""

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None: ...


class Learner(Protocol):
    """What plays and learns: policies of each outer iteration, and what their episodes do to it."""

    def policies(self, m: int) -> Array:
        """ζ of outer iteration m, flat over (i, b, s, a)."""

    def logits(self) -> Array:
        """θ of the policies that were last asked for, flat like them, as a new array."""

    def learn(self, m: int, episode: Episode, J: Array, share: Array) -> None:
        """Learns from the episode of outer iteration m; writes each copy's J and share of first visits."""


def iterated(simulator: AnySimulator, problem: Problem, learner: Learner) -> list[SACTrace]:
    """The traces of M outer iterations, one a seed."""
    settings, thetas = problem.settings, []
    J_estimate, share = np.empty((settings.M, problem.copies)), np.empty((settings.M, problem.copies))
    recorded = set(settings.stops)
    for m in range(settings.M + 1):
        zeta = learner.policies(m)
        if m in recorded:
            thetas.append(learner.logits())
        if m < settings.M:
            learner.learn(m, simulator.episodes(zeta, problem.keys, m, settings.T), J_estimate[m], share[m])
    return problem.traces(thetas, J_estimate, share)
