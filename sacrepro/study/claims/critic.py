"""The critic of Algorithm 1 after T steps: |Q_i - Q̂_i^T| on sampled episodes against its finite-time bound.

The step sizes are the theorem's, h and t0 as small as it allows for the exact σ of this θ. ``paper`` has the bias
2cρ^{κ+1}/(1-γ)², ``locality`` r̄γ^{κ+1}/(1-γ). Without any of it the left side is at most r̄/(1-γ).
Unvisited cells count with Q̂ = 0. The statement is one of probability 1-δ; δ = `DELTA` for each comparison.

Skipped: σ below `LEAST_SIGMA`, where h = 2/σ and more exceeds every T that is run; more than `MOST_STEPS` agent-steps;
models whose σ is not computed (see `assumption3`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sacrepro.bounds.critic import critic, critic_bias, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import Constants, critic_noise, least_h, least_t0
from sacrepro.exact.dense import q_function
from sacrepro.exact.truncation import cell_shape
from sacrepro.learn.transcription import Cell, outer_iteration
from sacrepro.model.checks import Array
from sacrepro.model.graph import max_neighborhood_size, neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.measures.exploration import MOST_ENTRIES, best_sigma, entries
from sacrepro.study.measures.fixed_points import LOCALITY, PAPER
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.mistakes import EXPONENT

DELTA = 1e-6
TAU = 9
LENGTHS = (100, 1000, 10_000)
LEAST_SIGMA = 1e-3
MOST_STEPS = 20_000


def check(case: Case) -> Iterator[Comparison]:
    """The largest |Q_i - Q̂_i^T| over (s, a) for each agent, κ and T against both right sides; one episode each."""
    mdp = case.mdp
    if mdp.r_bar == 0.0 or entries(mdp) > MOST_ENTRIES:
        return
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    sigma = best_sigma(mdp, policies(mdp, case.theta), (TAU,))
    Q = [q_function(mdp, case.V[i], i) for i in range(mdp.n)]
    pairs = float(np.log(max(mdp.state_sizes) * max(mdp.action_sizes)))
    for kappa in range(case.D.shape[1]):
        explored = min(sigma[i, kappa, TAU] for i in range(mdp.n))
        if not LEAST_SIGMA <= explored <= 0.5:
            continue
        log_cells = max_neighborhood_size(mdp.graph, kappa) * pairs
        constants = Constants(c, rho, explored, TAU, mdp.r_bar, mdp.gamma, log_cells)
        h = least_h(explored, mdp.gamma)
        t0 = least_t0(h, explored, TAU)
        for T in LENGTHS:
            if T * mdp.n > MOST_STEPS:
                continue
            noise = critic_noise(DELTA, T, h, t0, constants)
            tables = critic_tables(mdp, case.theta, kappa, T, h, t0)
            rounding = 8.0 * T * float(np.finfo(float).eps) * mdp.r_bar / (1.0 - mdp.gamma) ** 2
            rights = {
                PAPER: critic(noise, critic_bias(c, rho, kappa, mdp.gamma)),
                LOCALITY: critic(noise, td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa)),
            }
            for i in range(mdp.n):
                left = float(np.abs(Q[i] - tables[i]).max())
                error, trivial = 2.0 * case.error + rounding, mdp.r_bar / (1.0 - mdp.gamma)
                yield from case.left(i, kappa, left, error, f"T={T}", trivial).against(rights)


def critic_tables(
    mdp: NetworkedMDP, theta: tuple[Array, ...], kappa: int, T: int, h: float, t0: float, seed: int = 0
) -> list[Array]:
    """Q̂_i^T of every agent after one inner loop of Algorithm 1, shape of Q̂_i; 0 where line 7 never wrote."""
    iteration = outer_iteration(mdp, theta, 0, kappa=kappa, T=T, h=h, t0=t0, eta=1.0, seed=seed)
    full = (*mdp.state_sizes, *mdp.action_sizes)
    tables = []
    for i, Q_hat in enumerate(iteration.Q_hat):
        hood = neighborhood(mdp.graph, i, kappa)
        table = np.zeros(cell_shape(full, hood))
        for cell, value in Q_hat.items():
            table[place(cell, hood, mdp.n)] = value
        tables.append(table)
    return tables


def place(cell: Cell, hood: tuple[int, ...], n: int) -> tuple[int, ...]:
    """Where a cell stands in a table that keeps the axes outside `hood` with length 1."""
    index = [0] * (2 * n)
    for j, s_j, a_j in zip(hood, *cell, strict=True):
        index[j], index[n + j] = s_j, a_j
    return tuple(index)


CLAIM = Claim(
    order=150, words="finite-time bound on the critic's error, Appendix C",
    statement="|Q_i(z) - Q̂_i^T(z_{N_i^κ})| ≤ C_a/√(T+t0) + C_a'/(T+t0) + bias with probability 1-δ",
    reference="Appendix C; lines 4-9 of Algorithm 1", check=check, needs=("tables", "learner"),
    variants=(Variant(PAPER), Variant(LOCALITY)),
    drawing=Drawing("critic", r"$\max\,|Q_i - \hat Q_i^T|$, one episode",
                    {PAPER: "the paper's bound, least over agents and policies", LOCALITY: "with the smaller bias"}),
    attack="hardly ever below its trivial bound",
    hidden={EXPONENT: "the noise of C_a exceeds r̄/(1-γ) at every T that is run: both sides of κ+2 are vacuous"},
)  # fmt: skip
