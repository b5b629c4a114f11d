"""What one outer iteration estimates at a fixed θ, over many seeds: the samples behind bias, variance and J."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.learn.algorithm1 import Actor, critic_lines
from sacrepro.learn.cells import recurrences
from sacrepro.learn.critic import LANES, clear, g_hat_blocks, inner_loops, prepare, spread
from sacrepro.learn.problem import Lines, Problem, Settings, check_theta0, problems
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import Theta, softmax
from sacrepro.simulate.stepped import as_simulator
from sacrepro.simulate.trajectory import Episode, check_key


@in_one_line
class Samples(NamedTuple):
    """Independent outer iterations at one θ, one a seed.

    g_hat      : ĝ_i(m), one array of shape (seeds, S_i, A_i) an agent.
    J_estimate : (seeds,) Σ_{t=0}^T γ^t (1/n) Σ_i r_i(t).
    """

    g_hat: tuple[Array, ...]
    J_estimate: Array


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
    lambda_: float = 0.0,
    baseline: bool = False,
    lines: Callable[[Problem], Lines] | None = None,
) -> Samples:
    """ĝ(m) and the sampled return at θ(m) = `theta` for each seed, as a run with that seed has them.

    lines : lines 3-10, those of `sac` by default.
    """
    check_key(0, m)
    settings = Settings(kappa=kappa, T=T, h=h, t0=t0, lambda_=lambda_, baseline=baseline)
    simulator = as_simulator(mdp)
    blocks: list[list[Array]] = [[] for _ in range(simulator.n)]
    returns = []
    for problem in problems(simulator, theta, settings, seeds):
        actor, J = Actor(problem, (lines or critic_lines(settings))(problem)), np.empty(problem.copies)
        G = actor.g_hat(simulator.episodes(actor.policies(m), problem.keys, m, T), J, np.empty(problem.copies))
        if not np.isfinite(G).all():
            i, *_ = problem.place(int(np.argmin(np.isfinite(G))))
            raise ValueError(f"g_hat[{i}] of agent {i} is not finite: the critic diverges; lower h or lambda_")
        returns.append(J)
        for b in range(problem.copies):
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

    def places(self, n: int) -> tuple[Array | int, ...]:
        """Where the cells stand in a table over (s, a) of n agents that has length 1 outside N_i^κ."""
        index: list[Array | int] = [0] * (2 * n)
        for k, j in enumerate(self.hood):
            index[j], index[n + j] = self.s[:, k], self.a[:, k]
        return tuple(index)


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
    return next(visited_by_seeds(mdp, theta, m, kappa=kappa, T=T, h=h, t0=t0, seeds=(seed,)))


def visited_by_seeds(
    mdp: object, theta: Sequence[Array], m: int, *, kappa: int, T: int, h: float, t0: float, seeds: Iterable[int]
) -> Iterator[OuterIteration]:
    """`visited_cells` of one seed after the other, with what they share made once."""
    settings, simulator = Settings(kappa=kappa, T=T, h=h, t0=t0), as_simulator(mdp)
    theta = check_theta0(theta, simulator)
    problem = Problem(simulator, theta, settings, (0,))
    zeta = np.concatenate([softmax(theta_i).ravel() for theta_i in theta])
    hoods = [neighborhood(simulator.graph, i, kappa) for i in range(simulator.n)]
    for seed in seeds:
        check_key(seed, m)
        episode = simulator.episodes(zeta, np.array([seed], dtype=np.uint64), m, T)
        yield _outer_iteration(problem, zeta, hoods, episode)


def _outer_iteration(
    problem: Problem, zeta: Array, neighborhoods: Sequence[tuple[int, ...]], episode: Episode
) -> OuterIteration:
    z, code, reward, start = episode
    hoods, plan, work, pair, A, n = problem.hoods, problem.plan, problem.work, problem.pair, problem.A, problem.n
    T = len(plan.alpha)
    s, a = (part.astype(z.dtype) for part in np.divmod(z[:n], A[:, None]))
    G, J, written, Q_hat = np.zeros(pair[-1]), 0.0, 0, []
    recurrences(z, hoods, work.same)
    for i in range(n):
        lane = i % LANES
        if lane == 0:
            block = range(i, min(i + LANES, n))
            cells = [int(prepare(z, reward, start, hoods, j, j - i, work)) for j in block]
            clear(work, len(cells))
            inner_loops(plan, work, code, i)
        J += work.J[lane]
        written += spread(z, pair, hoods, i, lane, cells[lane], work, G)
        visits = np.bincount(work.ids[lane])
        ids = np.flatnonzero(visits)
        first = np.zeros(len(visits), dtype=np.int64)
        first[work.ids[lane, ::-1]] = np.arange(T, -1, -1)  # of equal indices the last, that is the earliest t, counts
        first, visits = first[ids], visits[ids]
        rows = np.array(neighborhoods[i])[None, :], first[:, None]
        Q_hat.append(VisitedCells(neighborhoods[i], s[rows], a[rows], work.Q_hat[lane, ids], first < T, visits))
    g_hat_blocks(pair, A, zeta, n, G, G)
    bounds = zip(pair[:-1], pair[1:], problem.action_sizes, strict=True)
    g_hat = tuple(G[first:last].reshape(-1, A_i) for first, last, A_i in bounds)
    return OuterIteration(tuple(Q_hat), g_hat, float(J / n), written / (n * T))
