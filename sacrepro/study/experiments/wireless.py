"""The published wireless benchmark (public code of arXiv 2006.06555), run again: 24 users, 6 access points.

3×4 cells with two users each, access points at the six interior corners, d = 2, p = .5, γ = .7, T = 10; s(0) has a
packet in the newest slot with probability p and nothing else; θ = 0. The objective is the mean over users of
Σ_{t=0}^{9} γ^t r_i(t). An action names a slot and an access point, and a user that sends an empty slot still occupies
the access point; with these two rules, read off that code, its recorded start value is met. Recorded there: .0201 at
the start, .2414 after 120,000 outer iterations with κ = 1, ALOHA .136.

What the numbers mean. κ = 0 falls below the start: each user holds only its own reward against its score, so it
learns to send more and more. With κ = 1 a user holds its neighbors' rewards too, which is what stops it. But the cells
of 8 to 18 users hardly ever recur within an episode, so line 7 writes Q̂_i = α_t r_i(t) and the critic never looks
ahead: what helps is the sum over j ∈ N_i^κ in line 11, not the table of N_i^κ. Users in the middle have more than 2^62
cells, where `warm_start` and `baseline` refuse. TD(λ) looks ahead in any table: at λ = 1 it holds returns, whose
variance costs more here than the look-ahead is worth. In the published variant, which keeps its table, keys begin to
recur once the policies have settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from sacrepro.archive.files import write_rows
from sacrepro.instances.wireless import layout, most_urgent
from sacrepro.learn.algorithm1 import sac_seeds
from sacrepro.learn.problem import SACTrace
from sacrepro.learn.published import sac_published
from sacrepro.model.checks import Array
from sacrepro.model.policy import softmax
from sacrepro.simulate.wireless import WirelessSimulator
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Several, Share
from sacrepro.study.experiments import Experiment

#: Success probabilities of the access points, row by row, as recorded with the benchmark.
Q = (0.5488, 0.7152, 0.6028, 0.5449, 0.4237, 0.6459)
ROWS, COLUMNS, USERS_PER_CELL, DEADLINE, P, GAMMA, T = 3, 4, 2, 2, 0.5, 0.7, 10

#: The value of the last recorded evaluation of the public code, 400 episodes.
RECORDED = 0.2414

#: ALOHA's probabilities of sending among which the best is picked, and the seeds of the pick and of all evaluations.
SENDING = tuple(k / 20 for k in range(1, 20))
PICKING_SEED, EVALUATION_SEED = 1 << 32, (1 << 32) + 1


#: The methods by the names they have in the configuration.
METHODS = {"algorithm1": "Algorithm 1", "published": "published variant"}


class WirelessRow(NamedTuple):
    """The objective of one policy, over fresh episodes.

    method : `start`, `ALOHA`, `ALOHA, stale queue`, `Algorithm 1` or `published variant`. case : its parameter.
    m : outer iterations done. objective, standard_error : over `episodes` of seed `EVALUATION_SEED`.
    first_visit_share : of the updates since the record before; nan where there is no table.
    """

    method: str
    case: str
    kappa: int
    seed: int
    m: int
    objective: float
    standard_error: float
    first_visit_share: float


def benchmark_simulator() -> WirelessSimulator:
    """The network of the benchmark."""
    access, _ = layout(ROWS, COLUMNS, USERS_PER_CELL)
    return WirelessSimulator(access, Q, (P,) * len(access), deadline=DEADLINE, gamma=GAMMA, slots=True)


def aloha(sending: float) -> tuple[Array, ...]:
    """ζ of localized ALOHA: the most urgent packet, if any, w.p. `sending`, to point y w.p. ∝ q_y / (users of y)."""
    access, points = layout(ROWS, COLUMNS, USERS_PER_CELL)
    users = [sum(y in own for own in access) for y in range(points)]
    zeta = []
    for own in access:
        share = np.array([Q[y] / users[y] for y in own])
        zeta_i = np.zeros((1 << DEADLINE, 1 + DEADLINE * len(own)))
        zeta_i[:, 0] = 1.0 - sending
        zeta_i[0, 0] = 1.0
        for s_i in range(1, 1 << DEADLINE):
            first = 1 + most_urgent(s_i) * len(own)
            zeta_i[s_i, first : first + len(own)] = sending * share / share.sum()
        zeta.append(zeta_i)
    return tuple(zeta)


def reference_rows(episodes: int) -> Iterator[WirelessRow]:
    """θ = 0, and ALOHA at its best parameter, picked on other episodes, with its own queue and with a stale one."""
    simulator = benchmark_simulator()

    def row(method: str, case: str, zeta: Sequence[Array], stale: bool) -> WirelessRow:
        objective, error = evaluated(simulator, zeta, episodes, stale)
        return WirelessRow(method, case, -1, 0, 0, objective, error, float("nan"))

    yield row("start", "θ=0", [np.full((1 << DEADLINE, A_i), 1.0 / A_i) for A_i in simulator.action_sizes], False)
    means = [simulator.returns(aloha(x), T, seed=PICKING_SEED, episodes=episodes).mean() for x in SENDING]
    best = SENDING[int(np.argmax(means))]
    yield row("ALOHA", f"sends w.p. {best}", aloha(best), False)
    yield row("ALOHA, stale queue", f"sends w.p. {best}", aloha(best), True)


def learning_rows(
    method: str, kappa: int, seeds: int, M: int, records: int, episodes: int, *, lambda_: float = 0.0, **steps: Any
) -> Iterator[WirelessRow]:
    """The objective along runs from θ = 0 under the seeds 0, 1, …, at m = 0 and `records` later places.

    method : `Algorithm 1` with its TD(λ), and h, t0 and eta as `steps`; or `published variant`, which has steps of its
    own instead.
    """
    simulator = benchmark_simulator()
    theta0 = [np.zeros((1 << DEADLINE, A_i)) for A_i in simulator.action_sizes]
    every = -(-M // records)
    if method == "Algorithm 1":
        method += f", λ={lambda_:g}" if lambda_ else ""
        case = "h={h:g}, t0={t0:g}, η={eta:g}".format_map(steps)
        settings: dict[str, Any] = {"M": M, "T": T, "lambda_": lambda_, "record_every": every} | steps
        traces = sac_seeds(simulator, theta0, kappa=kappa, seeds=range(seeds), **settings)
        for seed, trace in enumerate(traces):
            yield from trace_rows(simulator, method, case, kappa, seed, trace, episodes)
    elif method == "published variant":
        for seed in range(seeds):
            trace = sac_published(simulator, theta0, kappa=kappa, M=M, T=T, seed=seed, record_every=every)
            yield from trace_rows(simulator, method, "", kappa, seed, trace, episodes)
    else:
        raise ValueError(f"unknown method {method!r}; known are Algorithm 1 and published variant")


def trace_rows(
    simulator: WirelessSimulator, method: str, case: str, kappa: int, seed: int, trace: SACTrace, episodes: int
) -> Iterator[WirelessRow]:
    """One row for each record of a run."""
    for record, m in enumerate(trace.m):
        zeta = [softmax(theta_i[record]) for theta_i in trace.thetas]
        objective, error = evaluated(simulator, zeta, episodes)
        since = trace.first_visit_share[trace.m[record - 1] : m] if record else np.array([np.nan])
        yield WirelessRow(method, case, kappa, seed, int(m), objective, error, float(since.mean()))


def evaluated(
    simulator: WirelessSimulator, zeta: Sequence[Array], episodes: int, stale: bool = False
) -> tuple[float, float]:
    """(mean, standard error) of the objective."""
    found = simulator.returns(zeta, T, seed=EVALUATION_SEED, episodes=episodes, stale=stale)
    return float(found.mean()), float(found.std(ddof=1) / np.sqrt(episodes))


def references(*, episodes: Several, output: File) -> Iterator[str]:
    """The objective at θ = 0 and of ALOHA, with its own queue and with a stale one; compiles the learners, too."""
    for method, lambda_ in (("Algorithm 1", 0.0), ("Algorithm 1", 1.0), ("published variant", 0.0)):
        few = {"kappa": 1, "seeds": 1, "M": 1, "records": 1, "episodes": 2}
        list(learning_rows(method, **few, lambda_=lambda_, h=1.0, t0=1.0, eta=1.0))
    rows = list(reference_rows(episodes))
    write_rows(output, WirelessRow, rows)
    for row in rows:
        yield f"{row.method} ({row.case}): {row.objective:.4f} ± {row.standard_error:.4f}"


def run(
    *,
    episodes: Several,
    method: Literal["algorithm1", "published"],
    kappa: Ordinal,
    seeds: Count,
    M: Count,
    records: Count,
    h: Positive = 1.0,
    t0: Positive = 1.0,
    eta: Positive = 1.0,
    lambda_: Share = 0.0,
    output: File,
) -> Iterator[str]:
    """The objective along runs of one learner with one κ. The published variant has steps of its own."""
    rows = []
    steps = {"h": h, "t0": t0, "eta": eta, "lambda_": lambda_}
    for row in learning_rows(METHODS[method], kappa, seeds, M, records, episodes, **steps):
        rows.append(row)
        if row.m == M:
            yield f"{row.method}, κ={row.kappa}, seed {row.seed}: {row.objective:.4f}"
    write_rows(output, WirelessRow, rows)


EXPERIMENTS = (
    Experiment(
        order=140, name="wireless", rows=WirelessRow, per="wireless", key="wireless",
        figures=("wireless_benchmark",),
    ),
)  # fmt: skip
