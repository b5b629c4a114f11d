"""What exact values say about one inner loop: the distance of Q̂_i^T from TD's fixed point q* and from Q_i, and of ĝ
from ∇J. The learner sees none of this.

Means over cells are under μ×ζ, μ the stationary law of s(t): how often a long episode visits them. A cell that line 7
has not written counts with Q̂ = 0, as Algorithm 1 has it.

The experiment is κ × T × seeds: how the critic's error falls with T, where it stops, and which κ is best at which T.
The policy is the uniform one, where every run starts. The step sizes are h = 4 (SA)^{f(κ)}/(1-γ) and t0 = 2h: a cell
is visited every (SA)^{f(κ)} steps or so, and α_t must shrink no faster than its visits come in if the error is to fall
as T^{-1/2}; the h of the critic's theorem is larger still (`critic`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import write_rows
from sacrepro.bounds.critic import complexity, critic_bias, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.exact.chain import chain_of
from sacrepro.exact.solver.stationary import stationary_law
from sacrepro.exact.truncation import cell_law, cell_shape, outside_axes, td_fixed_point
from sacrepro.exact.values import q_function
from sacrepro.instances import build
from sacrepro.learn.samples import Samples, VisitedCells, visited_by_seeds
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Spec
from sacrepro.study.experiments import Experiment

#: Entries of one Q_i up to which the critic is measured against it.
MOST_ENTRIES = 1 << 16


class CriticError(NamedTuple):
    """The critic's error, means over agents; each *_sup is the largest over cells, agents and what is outside.

    to_q_star, to_q_star_sup : |q*_i - Q̂_i^T|.              to_Q, to_Q_sup : |Q_i - Q̂_i^T|.
    written : μ×ζ-mass of the cells that line 7 has written.
    """

    to_q_star: float
    to_q_star_sup: float
    to_Q: float
    to_Q_sup: float
    written: float


class Yardstick:
    """Q_i, q*_i for one κ, and the law μ×ζ, at one θ. Raises ValueError if the stationary law is not unique.

    bias, bias_sup : |q*_i - Q_i|, the mean over agents and cells under μ×ζ, and the largest: the critic's plateau.
    """

    def __init__(self, mdp: NetworkedMDP, theta: Sequence[Array], kappa: int) -> None:
        n = mdp.n
        zeta = policies(mdp, theta)
        self.law = law = cell_law(stationary_law(chain_of(mdp, theta)).pi, zeta, range(n))
        self.hoods = [neighborhood(mdp.graph, i, kappa) for i in range(n)]
        self.Q = [q_function(mdp, theta, i) for i in range(n)]
        self.q_star = [
            td_fixed_point(mdp, theta, i, kappa) if outside(mdp.graph, i, kappa) else self.Q[i] for i in range(n)
        ]
        self.masses = [law.sum(axis=outside_axes(hood, n), keepdims=True) for hood in self.hoods]
        gaps = [np.abs(Q_i - q_i) for Q_i, q_i in zip(self.Q, self.q_star, strict=True)]
        self.bias = float(np.mean([(law * gap).sum() for gap in gaps]))
        self.bias_sup = float(max(gap.max() for gap in gaps))

    def critic_error(self, Q_hat: Sequence[VisitedCells]) -> CriticError:
        """The errors of one inner loop's tables."""
        n = len(self.hoods)
        to_q_star, to_Q, written = [], [], []
        q_star_sup = Q_sup = 0.0
        for i, cells in enumerate(Q_hat):
            table, wrote = (np.zeros(cell_shape(self.law.shape, self.hoods[i])) for _ in range(2))
            at = cells.places(n)
            table[at], wrote[at] = cells.value, cells.updated
            near, far = np.abs(self.q_star[i] - table), np.abs(self.Q[i] - table)
            to_q_star.append(float((self.masses[i] * near).sum()))
            to_Q.append(float((self.law * far).sum()))
            written.append(float((self.masses[i] * wrote).sum()))
            q_star_sup, Q_sup = max(q_star_sup, float(near.max())), max(Q_sup, float(far.max()))
        return CriticError(float(np.mean(to_q_star)), q_star_sup, float(np.mean(to_Q)), Q_sup, float(np.mean(written)))


def fits(mdp: NetworkedMDP) -> bool:
    """Whether Q_i has at most `MOST_ENTRIES` entries."""
    return math.prod(mdp.state_sizes) * math.prod(mdp.action_sizes) <= MOST_ENTRIES


class GradientError(NamedTuple):
    """ĝ(m) at a fixed θ against ∇J, over all agents together.

    bias_squared : ‖E ĝ - ∇J‖², estimated without bias and so possibly negative.
    variance     : the trace of ĝ's covariance.              norm_squared : ‖∇J‖².
    cosine       : mean cosine between ĝ and ∇J; nan where ∇J or some ĝ is zero.
    """

    bias_squared: float
    variance: float
    norm_squared: float
    cosine: float


def gradient_error(sampled: Samples, gradient: Sequence[Array]) -> GradientError:
    """Bias and variance of ĝ from two or more independent samples."""
    g_hat = np.concatenate([block.reshape(len(block), -1) for block in sampled.g_hat], axis=1)
    nabla = np.concatenate([block.ravel() for block in gradient])
    variance = float(g_hat.var(axis=0, ddof=1).sum())
    off = float(((g_hat.mean(axis=0) - nabla) ** 2).sum())
    return GradientError(off - variance / len(g_hat), variance, float((nabla**2).sum()), cosine(g_hat, nabla))


def cosine(g_hat: Array, nabla: Array) -> float:
    """Mean cosine between the rows of g_hat and nabla; nan where one of them is zero."""
    lengths = np.linalg.norm(g_hat, axis=1) * np.linalg.norm(nabla)
    return float((g_hat @ nabla / lengths).mean()) if lengths.all() else math.nan


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
            loops = visited_by_seeds(mdp, theta, 0, kappa=kappa, T=T, h=h, t0=t0, seeds=range(seeds))
            for seed, loop in enumerate(loops):
                error = yardstick.critic_error(loop.Q_hat)
                yield CriticErrorRow(instance, kappa, T, seed, *error, yardstick.bias, yardstick.bias_sup, *bounds)


def critic_error(
    *, instance: str, spec: Spec, kappas: Sequence[Ordinal], lengths: Sequence[Count], seeds: Count, output: File
) -> Iterator[str]:
    """Measure the critic's error for every κ, T and seed, against TD's fixed point and against Q_i."""
    rows = list(critic_error_rows(build(spec), instance, kappas, lengths, seeds))
    write_rows(output, CriticErrorRow, rows)
    yield f"{instance}: {len(rows)} inner loops"


EXPERIMENTS = (
    Experiment(
        order=50, name="critic_error", rows=CriticErrorRow, per="instance", key="critic_error", warm=("learn",),
        alone=True, series="kappa", x="T",
        quantities=(
            "to_q_star", "to_q_star_sup", "to_Q", "to_Q_sup", "written", "bias", "bias_sup", "locality", "paper",
        ),
        by_kappa=True, figures=("critic_error", "critic_floor"),
    ),
)  # fmt: skip
