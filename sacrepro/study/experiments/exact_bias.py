"""κ × T without sampling: how far the mean step of Algorithm 1 is from the policy gradient, and which κ is closest.

E ĝ is exact (`exact.law`), so there is a curve and no band. The policy is the uniform one, where every run starts, and
the step sizes are those of `critic_error`. As T grows ‖E ĝ - ∇J‖ tends to what κ alone costs, ‖ĥ - ∇J‖ with TD's fixed
points; while no cell has come twice E ĝ knows of κ through α_t alone (`paper/proofs.md`, theorem5_sharp). The larger κ,
the smaller the bound on the limit and the rarer the cells, each of which must be visited again and again before it is
learned: which κ is closest may so grow with T; with one α_t for every κ, no faster than cells become rare.

Beside it the mean step over outer iterations: followed from θ(0) next to sampled runs, and with the warm start of
footnote 2 while the policy is held. The learner is imported where it runs, so that the other jobs do not load it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, takewhile
from typing import Any, NamedTuple

from sacrepro.archive.files import write_rows
from sacrepro.exact.law.update import expected_update, expected_updates, mean_curve
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances import build
from sacrepro.model.checks import convex
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Several, Spec
from sacrepro.study.experiments import Experiment
from sacrepro.study.experiments.exact_errors import step_sizes
from sacrepro.study.measures.stationarity import (
    StationarityRow,
    exact_ascent,
    fresh_direction,
    limit_direction,
    stationarity_rows,
)
from sacrepro.study.measures.truncation import distance, norm

#: Multiply-adds of one κ, some five minutes.
WORK = 10**12


class BiasRow(NamedTuple):
    """One κ and T at the uniform policy.

    bias     : ‖E ĝ - ∇J‖ over all agents' blocks, and `error` its certified bound.
    limit    : ‖ĥ - ∇J‖ of eq. (7) with TD's fixed points, what T → ∞ leaves.
    gradient : ‖∇J‖, to compare with.
    best     : 1 for the κ whose bias is least at this T by more than the errors, else 0.
    fresh    : ‖g⁰ - ∇J‖, the bias of tables whose cells have not come twice yet, as of large κ and short T; α_t of κ.
    """

    instance: str
    kappa: int
    T: int
    bias: float
    error: float
    limit: float
    gradient: float
    best: int
    fresh: float


def bias_rows(mdp: NetworkedMDP, instance: str, kappas: Sequence[int], lengths: Sequence[int]) -> list[BiasRow]:
    """One row for each κ and T; ValueError beyond `WORK` or if the stationary law is not unique."""
    theta = uniform_theta(mdp)
    gradient = objective_and_gradient(mdp, theta).gradient
    rows = []
    for kappa in kappas:
        limit = distance(limit_direction(mdp, theta, kappa), gradient)
        h, t0 = step_sizes(mdp, kappa)
        updates = expected_updates(mdp, theta, kappa=kappa, lengths=lengths, h=h, t0=t0, work=WORK)
        for T, found in zip(lengths, updates, strict=True):
            fresh = distance(fresh_direction(mdp, theta, T, h, t0), gradient)
            rows.append(BiasRow(instance, kappa, T, norm(found.b), found.b_error, limit, norm(gradient), 0, fresh))
    return [row._replace(best=int(is_best(row, rows))) for row in rows]


def is_best(row: BiasRow, rows: Sequence[BiasRow]) -> bool:
    """Whether no other κ is as close at the same T, whatever the errors are."""
    others = [other for other in rows if other.T == row.T and other.kappa != row.kappa]
    return all(row.bias + row.error < other.bias - other.error for other in others)


def exact_bias(
    *, instance: str, spec: Spec, kappas: Sequence[Ordinal], lengths: Sequence[Count], output: File
) -> Iterator[str]:
    """Compute how far the mean step of Algorithm 1 is from ∇J, for every κ and T, without sampling."""
    rows = bias_rows(build(spec), instance, kappas, lengths)
    write_rows(output, BiasRow, rows)
    for T in lengths:
        best = [f"κ = {row.kappa}" for row in rows if row.T == T and row.best]
        yield f"{instance}, T = {T}: {best[0] if best else 'no κ'} is closest to the gradient"


def exact_critic(
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


#: What a curve of `MeanRow` follows, beside the numbers of seeds.
MEAN_STEP, GRADIENT = "mean step", "∇J"


class MeanRow(NamedTuple):
    """J(θ(m)), exact, at one outer iteration of one run from the uniform policy.

    run : what moves θ. ``mean step``: η_m E ĝ(m) at the policy of this very curve, exact. ``∇J``: η_m ∇J. Else a seed
        of Algorithm 1, which moves by η_m ĝ(m).

    E θ(1) is the mean step's θ(1), as θ(0) is given. Later E θ(m) is θ(0) and the mean over the seeds' paths of
    Σ η_k E[ĝ(k)|θ(k)] at *their* θ(k), and not this sum along one curve: where E ĝ and J bend, noise moves the mean.
    """

    instance: str
    kappa: int
    T: int
    eta: float
    run: str
    m: int
    J: float


def mean_rows(
    mdp: NetworkedMDP, instance: str, etas: Sequence[float], *, seeds: int, M: int, record_every: int, **loop: Any
) -> Iterator[MeanRow]:
    """One row for each η, curve and record; ValueError beyond the `work` of `expected_update`.

    loop : kappa, T, h and t0 of the inner loop.
    """
    from sacrepro.learn.algorithm1 import sac_seeds

    theta0, stops = uniform_theta(mdp), [*range(0, M, record_every), M]
    for eta in etas:
        mean = mean_curve(mdp, theta0, M=M, eta=eta, **loop)
        ascent, _ = exact_ascent(mdp, theta0, M=M, eta=eta, record_every=record_every)
        runs = {MEAN_STEP: [theta_i[stops] for theta_i in mean], GRADIENT: ascent}
        sampled = sac_seeds(mdp, theta0, M=M, eta=eta, record_every=record_every, seeds=range(seeds), **loop)
        runs |= {str(seed): trace.thetas for seed, trace in enumerate(sampled)}
        for run, thetas in runs.items():
            for record, m in enumerate(stops):
                J = objective_and_gradient(mdp, tuple(theta_i[record] for theta_i in thetas)).J
                yield MeanRow(instance, loop["kappa"], loop["T"], eta, run, m, J)


def mean_step(
    *,
    instance: str,
    spec: Spec,
    kappa: Ordinal,
    seeds: Several,
    M: Count,
    T: Count,
    h: Positive,
    t0: Positive,
    etas: Sequence[Positive],
    record_every: Count,
    output: File,
) -> Iterator[str]:
    """Follow J along the exact mean step of Algorithm 1, beside sampled runs and the exact gradient."""
    loop = {"kappa": kappa, "T": T, "h": h, "t0": t0}
    rows = list(mean_rows(build(spec), instance, etas, seeds=seeds, M=M, record_every=record_every, **loop))
    write_rows(output, MeanRow, rows)
    yield f"{instance}: {len(rows)} values of J"


#: How the table of an inner loop begins: from zero in each, from that of the loop before, or one loop of all steps.
STARTS = ("zero start", "warm start", "one loop")


class WarmRow(NamedTuple):
    """‖E ĝ - ∇J‖ of the m-th inner loop of T steps at the uniform policy, which is held; exact.

    start : ``zero start``: line 3 as printed. ``warm start``: Q̂^0 is the Q̂^T of the loop before. ``one loop``: zero
        start and m·T steps, as many samples as of m loops.        error : certified bound on that of `bias`.

    While θ is held a loop's trajectory is independent of the tables it begins with, and line 7 is linear in them, so
    E ĝ after a warm start is that of the mean table: nothing is sampled and nothing is left out. The error of that
    table passes through line 7 as it is, since h ≤ t0, and through line 11 with Σ_j |N_j^κ| scores.
    """

    instance: str
    kappa: int
    start: str
    T: int
    m: int
    bias: float
    error: float
    gradient: float


def warm_rows(
    mdp: NetworkedMDP, instance: str, kappas: Sequence[int], *, M: int, T: int, h: float, t0: float
) -> Iterator[WarmRow]:
    """Rows of each κ: of every m up to M, of ``one loop`` those that are powers of two.

    Raises ValueError if h > t0, which `expected_update` would take.
    """
    convex(h, t0)
    theta = uniform_theta(mdp)
    gradient = norm(objective_and_gradient(mdp, theta).gradient)
    for kappa in kappas:
        zero = expected_update(mdp, theta, kappa=kappa, T=T, h=h, t0=t0, work=WORK)
        warm, off = zero, 0.0
        scores = 2.0 * sum(len(neighborhood(mdp.graph, j, kappa)) for j in range(mdp.n)) / (mdp.n * (1.0 - mdp.gamma))
        for done in range(1, M + 1):
            for start, found, carried in ((STARTS[0], zero, 0.0), (STARTS[1], warm, scores * off)):
                yield WarmRow(instance, kappa, start, T, done, norm(found.b), found.b_error + carried, gradient)
            if done < M:
                off += warm.error
                warm = expected_update(mdp, theta, kappa=kappa, T=T, h=h, t0=t0, Q_hat=warm.Q_hat, work=WORK)
        powers = list(takewhile(lambda power: power <= M, (1 << k for k in count())))
        lengths = [done * T for done in powers]
        updates = expected_updates(mdp, theta, kappa=kappa, lengths=lengths, h=h, t0=t0, work=WORK)
        for done, found in zip(powers, updates, strict=True):
            yield WarmRow(instance, kappa, STARTS[2], T, done, norm(found.b), found.b_error, gradient)


def warm_start(
    *,
    instance: str,
    spec: Spec,
    kappas: Sequence[Ordinal],
    M: Count,
    T: Count,
    h: Positive,
    t0: Positive,
    output: File,
) -> Iterator[str]:
    """Compare warm start and zero start of the inner loop at equal samples, without sampling."""
    rows = list(warm_rows(build(spec), instance, kappas, M=M, T=T, h=h, t0=t0))
    write_rows(output, WarmRow, rows)
    for kappa in kappas:
        ends = {row.start: row.bias for row in rows if row.kappa == kappa and row.start != STARTS[2]}
        yield f"{instance}, κ={kappa}: ‖E ĝ - ∇J‖ {ends[STARTS[0]]:.3g} from zero, {ends[STARTS[1]]:.3g} warm"


EXPERIMENTS = (
    Experiment(
        order=40, name="exact_critic", rows=StationarityRow, per="instance", key="exact_critic", warm=("exact",),
        alone=True, series="kappa", x="m", quantities=("J", "gradient_norm_squared", "gap", "entropy"),
        figures=("exact_critic",),
    ),
    Experiment(
        order=110, name="exact_bias", rows=BiasRow, per="instance", key="exact_bias", warm=("exact",),
        figures=("exact_bias",),
    ),
    Experiment(
        order=112, name="mean_step", rows=MeanRow, per="instance", key="mean_step", warm=("exact", "learn"),
        figures=("mean_step",),
    ),
    Experiment(
        order=114, name="warm_start", rows=WarmRow, per="instance", key="warm_start", warm=("exact",),
        figures=("warm_start",),
    ),
)  # fmt: skip
