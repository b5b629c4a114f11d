"""κ × T without sampling: how far the mean step of Algorithm 1 is from the policy gradient, and which κ is closest.

E ĝ is exact (`exact.law`), so there is a curve and no band. The policy is the uniform one, where every run starts, and
the step sizes are those of `critic_error`. As T grows ‖E ĝ - ∇J‖ tends to what κ alone costs, ‖ĥ - ∇J‖ with TD's fixed
points (`paper/proofs.md`, theorem5_sharp). The larger κ, the smaller this limit and the rarer the cells, each of which
must be visited again and again before it is learned: which κ is closest may so grow with T.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sacrepro.archive.files import write_rows
from sacrepro.exact.law.update import expected_update
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances import build
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Spec
from sacrepro.study.experiments import Experiment
from sacrepro.study.experiments.exact_errors import step_sizes
from sacrepro.study.measures.stationarity import StationarityRow, exact_ascent, patient_direction, stationarity_rows
from sacrepro.study.measures.truncation import distance, norm

#: Multiply-adds of one κ and T, some five minutes.
WORK = 10**12


class BiasRow(NamedTuple):
    """One κ and T at the uniform policy.

    bias     : ‖E ĝ - ∇J‖ over all agents' blocks, and `error` its certified bound.
    limit    : ‖ĥ - ∇J‖ of eq. (7) with TD's fixed points, what T → ∞ leaves.
    gradient : ‖∇J‖, to compare with.
    best     : 1 for the κ whose bias is least at this T by more than the errors, else 0.
    """

    instance: str
    kappa: int
    T: int
    bias: float
    error: float
    limit: float
    gradient: float
    best: int


def bias_rows(mdp: NetworkedMDP, instance: str, kappas: Sequence[int], lengths: Sequence[int]) -> list[BiasRow]:
    """One row for each κ and T; ValueError beyond `WORK` or if the stationary law is not unique."""
    theta = uniform_theta(mdp)
    gradient = objective_and_gradient(mdp, theta).gradient
    rows = []
    for kappa in kappas:
        limit = distance(patient_direction(mdp, theta, kappa), gradient)
        h, t0 = step_sizes(mdp, kappa)
        for T in lengths:
            found = expected_update(mdp, theta, kappa=kappa, T=T, h=h, t0=t0, work=WORK)
            rows.append(BiasRow(instance, kappa, T, norm(found.b), found.b_error, limit, norm(gradient), 0))
    return [row._replace(best=int(is_best(row, rows))) for row in rows]


def is_best(row: BiasRow, rows: Sequence[BiasRow]) -> bool:
    """Whether no other κ is as close at the same T, whatever the errors are."""
    rivals = [other for other in rows if other.T == row.T and other.kappa != row.kappa]
    return all(row.bias + row.error < other.bias - other.error for other in rivals)


def exact_bias(
    *, instance: str, spec: Spec, kappas: Sequence[Ordinal], lengths: Sequence[Count], output: File
) -> Iterator[str]:
    """Compute how far the mean step of Algorithm 1 is from ∇J on one instance, for every κ and T, without sampling."""
    rows = bias_rows(build(spec), instance, kappas, lengths)
    write_rows(output, BiasRow, rows)
    for T in lengths:
        best = [f"κ = {row.kappa}" for row in rows if row.T == T and row.best]
        yield f"{instance}, T = {T}: {best[0] if best else 'no κ'} is closest to the gradient"


def patient(
    *,
    instance: str,
    spec: Spec,
    kappas: Sequence[Ordinal],
    M: Count,
    eta: Positive,
    record_every: Count,
    output: File,
) -> Iterator[str]:
    """Ascend along eq. (7) with TD's fixed points for every κ: Algorithm 1 with T = ∞, without sampling."""
    mdp = build(spec)
    rows: list[StationarityRow] = []
    for kappa in kappas:
        thetas, m = exact_ascent(mdp, uniform_theta(mdp), M=M, eta=eta, record_every=record_every, kappa=kappa)
        rows += stationarity_rows(mdp, instance, kappa, 0, m, thetas)
        yield f"{instance}, κ={kappa}: done"
    write_rows(output, StationarityRow, rows)


EXPERIMENTS = (
    Experiment(
        order=40,
        name="patient",
        rows=StationarityRow,
        per="instance",
        key="patient",
        default={},
        job="patient",
        series="kappa",
        x="m",
        quantities=("J", "gradient_norm_squared", "gap", "entropy"),
        figures=("patient",),
    ),
    Experiment(
        order=110,
        name="exact_bias",
        rows=BiasRow,
        per="instance",
        key="exact_bias",
        default={},
        job="exact_bias",
        figures=("exact_bias",),
    ),
)
