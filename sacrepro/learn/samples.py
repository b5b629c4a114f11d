"""What one outer iteration estimates at a fixed θ, over many seeds: the samples behind bias, variance and J."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from sacrepro.learn.actor import g_hat_blocks, softmax_blocks
from sacrepro.learn.checks import check_arguments
from sacrepro.learn.iterations import AlgorithmOne, Lines, modelled, observed
from sacrepro.learn.problem import Problem, batches, seeds_together
from sacrepro.model import Array
from sacrepro.notices import brief
from sacrepro.policy import Theta
from sacrepro.simulate import Simulator, as_simulator
from sacrepro.simulate.kernel import room


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
