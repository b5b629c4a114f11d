"""κ × T × seeds: how the critic's error falls with T, where it stops, and which κ is best at which T.

The policy is the uniform one, where every run starts. The step sizes are h = 4 (SA)^{f(κ)}/(1-γ) and t0 = 2h: a cell
is visited every (SA)^{f(κ)} steps or so, and α_t must shrink no faster than its visits come in if the error is to fall
as T^{-1/2}; the h of the critic's theorem is larger still (`critic`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sacrepro.archive.files import write_rows
from sacrepro.bounds.critic import complexity, critic_bias, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.instances import build
from sacrepro.learn.samples import visited_cells
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Spec
from sacrepro.study.experiments.exact_errors import Yardstick


class CriticErrorRow(NamedTuple):
    """One inner loop of T steps: the critic's errors, its exact bias, and the bounds on the bias.

    to_q_star, to_q_star_sup, to_Q, to_Q_sup, written : as in `exact_errors.CriticError`.
    bias, bias_sup : as in `exact_errors.Yardstick`; what to_Q and to_Q_sup tend to.
    locality, paper : r̄γ^{κ+1}/(1-γ) and 2cρ^{κ+1}/(1-γ)², bounds on bias_sup.
    """

    instance: str
    kappa: int
    T: int
    seed: int
    to_q_star: float
    to_q_star_sup: float
    to_Q: float
    to_Q_sup: float
    written: float
    bias: float
    bias_sup: float
    locality: float
    paper: float


def step_sizes(mdp: NetworkedMDP, kappa: int) -> tuple[float, float]:
    """(h, t0) of this experiment."""
    h = 4.0 * complexity(mdp.graph, kappa, max(mdp.state_sizes), max(mdp.action_sizes)) / (1.0 - mdp.gamma)
    return h, 2.0 * h


def critic_error_rows(
    mdp: NetworkedMDP, instance: str, kappas: Sequence[int], lengths: Sequence[int], seeds: int
) -> Iterator[CriticErrorRow]:
    """One row for each κ, T and seed; ValueError if the stationary law is not unique."""
    theta = uniform_theta(mdp)
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for kappa in kappas:
        yardstick = Yardstick(mdp, theta, kappa)
        h, t0 = step_sizes(mdp, kappa)
        bounds = td_fixed_point_local(mdp.r_bar, mdp.gamma, kappa), critic_bias(c, rho, kappa, mdp.gamma)
        for T in lengths:
            for seed in range(seeds):
                loop = visited_cells(mdp, theta, 0, kappa=kappa, T=T, h=h, t0=t0, seed=seed)
                error = yardstick.critic_error(loop.Q_hat)
                yield CriticErrorRow(instance, kappa, T, seed, *error, yardstick.bias, yardstick.bias_sup, *bounds)


def critic_error(
    *, instance: str, spec: Spec, kappas: Sequence[Ordinal], lengths: Sequence[Count], seeds: Count, output: File
) -> Iterator[str]:
    """Measure the critic's error on one instance for every κ, T and seed."""
    rows = list(critic_error_rows(build(spec), instance, kappas, lengths, seeds))
    write_rows(output, CriticErrorRow, rows)
    yield f"{instance}: {len(rows)} inner loops"
