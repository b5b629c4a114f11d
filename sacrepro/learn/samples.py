"""What one outer iteration estimates at a fixed θ, over many seeds: the samples behind bias, variance and J."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.learn.actor import g_hat_blocks, softmax_blocks
from sacrepro.learn.algorithm1 import AlgorithmOne, modelled
from sacrepro.learn.critic import critic, inner_loops, prepare
from sacrepro.learn.problem import Lines, Problem, batches, seeds_together
from sacrepro.learn.settings import check_arguments, check_seed, check_theta0
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta, softmax
from sacrepro.simulate.compiled_model import Simulator
from sacrepro.simulate.rollout import room
from sacrepro.simulate.stepped import as_simulator
from sacrepro.simulate.trajectory import observed


class Samples(NamedTuple):
    """Independent outer iterations at one θ, one a seed.

    g_hat      : ĝ_i(m), one array of shape (seeds, S_i, A_i) an agent.
    J_estimate : (seeds,) Σ_{t=0}^T γ^t (1/n) Σ_i r_i(t).
    """

    g_hat: tuple[Array, ...]
    J_estimate: Array

    def __repr__(self) -> str:
        return brief(self)


def samples(
    mdp: object,
    theta: Theta,
    m: int,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
    seeds: Iterable[int],
    lines: Callable[[Problem], Lines] = AlgorithmOne,
) -> Samples:
    """ĝ(m) and the sampled return at θ(m) = `theta` for each seed, as a run with that seed has them.

    lines : lines 3-10, those of Algorithm 1 by default; what a method carries from one iteration to the next is empty.
    """
    check_arguments(kappa=kappa, M=1, T=T, h=h, t0=t0, eta=1.0)
    simulator = as_simulator(mdp)
    together = seeds_together(simulator.n) if isinstance(simulator, Simulator) else 1
    blocks: list[list[Array]] = [[] for _ in range(simulator.n)]
    returns = []
    for problem, batch in batches(simulator, theta, seeds, together, kappa=kappa, T=T, h=h, t0=t0):
        zeta, G = np.empty_like(problem.theta0), np.empty_like(problem.theta0)
        softmax_blocks(problem.pair, problem.A, problem.theta0, zeta)
        if isinstance(simulator, Simulator):
            trajectory = room(simulator.n * len(batch), T, len(batch), simulator.code_type)
            keys = np.array(batch, dtype=np.uint64)
            episode = modelled(simulator.tables(len(batch)), zeta, keys, m, T, trajectory)
        else:
            policies = [block[0] for block in problem.blocks(zeta[None], 0)]
            episode = observed(simulator.rollout(policies, T, seed=batch[0], m=m), problem.A, simulator.code_type)
        J, share = np.empty(len(batch)), np.empty(len(batch))
        lines(problem)(episode, zeta, G, J, share)
        g_hat_blocks(problem.pair, problem.A, zeta, simulator.n, G, G)
        if not np.isfinite(G).all():
            row = int(np.searchsorted(problem.pair, np.argmin(np.isfinite(G)), side="right")) - 1
            i = row // problem.copies
            raise ValueError(f"g_hat[{i}] of agent {i} is not finite: the critic diverges; lower h or lambda_")
        returns.append(J)
        for b in range(len(batch)):
            for i, block in enumerate(problem.blocks(G[None], b)):
                blocks[i].append(block[0])
    return Samples(tuple(np.stack(block) for block in blocks), np.concatenate(returns))


# Q̂_i^T itself: the entries that one outer iteration visited, which `sac` leaves in no table.


class VisitedCells(NamedTuple):
    """Q̂_i^T on the cells that an episode visits; on all others it is zero.

    hood    : N_i^κ, sorted.
    s, a    : (cells, |N_i^κ|) states and actions of its agents.
    value   : (cells,) Q̂_i^T(s, a).
    updated : (cells,) whether line 7 wrote the entry; False for a cell that is visited at t = T alone.
    visits  : (cells,) how many t of 0..T visit it: the histogram of the episode.
    """

    hood: tuple[int, ...]
    s: Array
    a: Array
    value: Array
    updated: Array
    visits: Array


class OuterIteration(NamedTuple):
    """Q̂^T and ĝ(m) of one outer iteration, one entry an agent, and what it adds to the trace."""

    Q_hat: tuple[VisitedCells, ...]
    g_hat: tuple[Array, ...]
    J_estimate: float
    first_visit_share: float


def visited_cells(
    mdp: object, theta: Sequence[Array], m: int, *, kappa: int, T: int, h: float, t0: float, seed: int
) -> OuterIteration:
    """Q̂^T and ĝ(m) of lines 2-11 at θ(m) = `theta`, from the kernels that `sac` runs."""
    check_arguments(kappa=kappa, M=1, T=T, h=h, t0=t0, eta=1.0)
    simulator = as_simulator(mdp)
    theta = check_theta0(theta, simulator)
    zeta = [softmax(theta_i) for theta_i in theta]
    episode = simulator.rollout(zeta, T, seed=check_seed(seed), m=m)
    problem = Problem(simulator, theta, kappa, T, h, t0, copies=1)
    neighborhoods, plan, work, pair, A = problem.hoods, problem.plan, problem.work, problem.pair, problem.A
    z, code, reward, start = observed(episode, A, simulator.code_type)
    G, J_estimate, share = np.empty(pair[-1]), np.empty(1), np.empty(1)
    critic(z, code, reward, start, pair, neighborhoods, plan, work, 1, G, J_estimate, share)
    g_hat_blocks(pair, A, np.concatenate([zeta_i.ravel() for zeta_i in zeta]), simulator.n, G, G)
    Q_hat = []
    for i in range(simulator.n):
        prepare(z, reward, start, neighborhoods, i, 0, work)
        inner_loops(plan, work, code, i)
        visits = np.bincount(work.ids[0])
        ids = np.flatnonzero(visits)
        first = np.zeros(len(visits), dtype=np.int64)
        first[work.ids[0, ::-1]] = np.arange(T, -1, -1)  # of equal indices the last, that is the earliest t, counts
        first, visits = first[ids], visits[ids]
        hood = neighborhood(simulator.graph, i, kappa)
        rows = np.array(hood)[None, :], first[:, None]
        value = work.Q_hat[0, ids].copy()
        Q_hat.append(VisitedCells(hood, episode.s[rows], episode.a[rows], value, first < T, visits))
    bounds = zip(pair[:-1], pair[1:], simulator.action_sizes, strict=True)
    g_hat = tuple(G[first:last].reshape(-1, A_i) for first, last, A_i in bounds)
    return OuterIteration(tuple(Q_hat), g_hat, float(J_estimate[0]), float(share[0]))
