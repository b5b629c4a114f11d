"""Outer iterations one call at a time: for a user's own simulator, for the extensions of Algorithm 1 and its rivals.

They differ in lines 3-10 alone, that is in how an episode becomes the sums of line 11,

    G[i, (s, a)] = Σ_t γ^t Σ_{j ∈ N_i^κ} (what is held against the score) 1{z_i(t) = (s, a)};

the policies, the episode, the score and the ascent are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sacrepro.learn.actor import ascend, g_hat_blocks, softmax_blocks
from sacrepro.learn.critic import critic
from sacrepro.learn.problem import Problem, SACTrace
from sacrepro.model import Array
from sacrepro.simulate import AnySimulator, Simulator, Trajectory, WirelessSimulator
from sacrepro.simulate.kernel import Room, policy_thresholds, rollout, room
from sacrepro.simulate.tables import Tables

#: z, then each reward's place in the agent's list, the lists, and where they begin: what `critic` reads.
Observed = tuple[Array, Array, Array, Array]


class Lines(Protocol):
    """Lines 3-10 and the sums of line 11: writes G, flat like the policies, and each copy's J and share."""

    def __call__(self, episode: Observed, zeta: Array, G: Array, J: Array, share: Array) -> None: ...


class AlgorithmOne:
    """Lines 3-10 as printed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __call__(self, episode: Observed, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """The critic of `sacrepro.learn.critic`."""
        problem = self.problem
        critic(*episode, problem.pair, problem.hoods, problem.plan, problem.work, problem.copies, G, J, share)


def run_by_iterations(
    simulator: AnySimulator,
    problem: Problem,
    lines: Lines,
    M: int,
    eta: float,
    seeds: Sequence[int],
    every: int,
    epsilon: float,
) -> list[SACTrace]:
    """The traces of M outer iterations, one a seed, with `lines` for lines 3-10 and ε-mixed policies if ε > 0."""
    pair, A, n = problem.pair, problem.A, simulator.n
    theta = problem.theta0.copy()
    softmax, zeta, G = np.empty_like(theta), np.empty_like(theta), np.empty_like(theta)
    J_estimate, share = np.empty((M, problem.copies)), np.empty((M, problem.copies))
    stops = [*range(0, M, every), M]
    recorded = set(stops)
    thetas = []
    keys = np.array(seeds, dtype=np.uint64)
    if isinstance(simulator, Simulator):
        opaque = simulator.tables(problem.copies)
        trajectory = room(n * problem.copies, problem.T, problem.copies, simulator.code_type)
    for m in range(M):
        if m in recorded:
            thetas.append(theta.copy())
        softmax_blocks(pair, A, theta, softmax)
        zeta[:] = softmax
        if epsilon > 0:
            from sacrepro.learn.mixture import mixed_blocks, mixed_sums

            mixed_blocks(pair, A, softmax, epsilon, zeta)
        if isinstance(simulator, Simulator):
            episode = modelled(opaque, zeta, keys, m, problem.T, trajectory)
        elif isinstance(simulator, WirelessSimulator):
            episode = listed(*simulator.episodes(zeta, keys, m, problem.T))
        else:
            policies = [block[0] for block in problem.blocks(zeta[None], 0)]
            recording = simulator.rollout(policies, problem.T, seed=seeds[0], m=m)
            episode = observed(recording, A, simulator.code_type)
        lines(episode, zeta, G, J_estimate[m], share[m])
        if epsilon > 0:
            mixed_sums(softmax, zeta, epsilon, G)
        g_hat_blocks(pair, A, softmax, n, G, G)
        problem.check_ascent(ascend(theta, G, eta, m), m, eta, seeds)
    thetas.append(theta.copy())
    return problem.traces(thetas, stops, J_estimate, share)


def modelled(opaque: Tables, zeta: Array, keys: Array, m: int, T: int, trajectory: Room) -> Observed:
    """One episode of a model, all seeds at once; the trajectory's room is overwritten by the next."""
    policy = np.empty(len(zeta), dtype=np.uint32)
    policy_thresholds(opaque.S, opaque.A, opaque.pair, zeta, policy)
    rollout(opaque, policy, keys, np.uint64(m), T, trajectory)
    return trajectory.z, trajectory.z, opaque.reward, opaque.pair


def observed(episode: Trajectory, A: Array, code_type: type) -> Observed:
    """A trajectory as `critic` reads it: z; and r_i(t) as entry t of agent i's own list of rewards."""
    return listed((episode.s * A[:, None] + episode.a).astype(code_type), episode.r)


def listed(z: Array, r: Array) -> Observed:
    """z and r, both (agents, T+1), as `critic` reads them."""
    n, length = z.shape
    steps = np.broadcast_to(np.arange(length, dtype=np.uint32), (n, length)).copy()
    return z, steps, r.ravel() + 0.0, np.arange(n + 1) * length
