"""Algorithm 1, its extensions and other methods at equal samples: the same episodes' length and number, seeds, steps.

Every method plays M episodes of T steps, so n·M·T agent-steps; only the exact gradient sees the model instead. J is
exact, of the policy that is played: an ε-mixed or ε-greedy one counts with its exploration.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise as neighbors
from typing import Any, NamedTuple

import numpy as np

from sacrepro.archive.files import write_rows
from sacrepro.exact.values import objective_and_gradient
from sacrepro.instances import build
from sacrepro.learn.algorithm1 import critic_lines, run
from sacrepro.learn.problem import Lines, Problem, SACTrace, Settings
from sacrepro.learn.samples import samples
from sacrepro.learn.td_control import run_control
from sacrepro.learn.without_tables import Pairwise, Returns
from sacrepro.model.checks import Array
from sacrepro.model.graph import diameter
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.notices import meant
from sacrepro.model.policy import gaussian_theta, policies, softmax, uniform_theta
from sacrepro.study.arguments import Count, File, Method, Ordinal, Positive, Several, Spec
from sacrepro.study.experiments import Experiment
from sacrepro.study.experiments.exact_errors import gradient_error
from sacrepro.study.measures.stationarity import entropy, exact_ascent

#: ε of the mixed policies, λ of the traces, and the first ε of the ε-greedy policies.
MIXED, LAMBDA, GREEDY = 0.1, 0.5, 0.5

#: A κ from which on everybody is inside.
FULL = sys.maxsize


def _sac(mdp: NetworkedMDP, settings: Settings, seeds: Sequence[int], **extension: Any) -> tuple[SACTrace, ...]:
    settings = replace(settings, **extension)
    return _with(mdp, settings, seeds, critic_lines(settings))


def _with(
    mdp: NetworkedMDP, settings: Settings, seeds: Sequence[int], lines: Callable[[Problem], Lines]
) -> tuple[SACTrace, ...]:
    return run(lines, mdp, uniform_theta(mdp), settings, seeds)


#: Every sampling method by name: its κ, None for that of the experiment, and the runs it makes.
METHODS: dict[str, tuple[int | None, Callable[[NetworkedMDP, Settings, Sequence[int]], tuple[SACTrace, ...]]]] = {
    "SAC": (None, _sac),
    "independent": (0, _sac),
    "full critic": (FULL, _sac),
    "warm start": (None, partial(_sac, warm_start=True)),
    "TD(λ)": (None, partial(_sac, lambda_=LAMBDA)),
    "advantages": (None, partial(_sac, baseline=True)),
    "warm start, advantages": (None, partial(_sac, warm_start=True, baseline=True)),
    "ε-mixed": (None, partial(_sac, epsilon=MIXED)),
    "pairwise critic": (None, partial(_with, lines=Pairwise)),
    "pairwise critic, full": (FULL, partial(_with, lines=Pairwise)),
    "REINFORCE": (None, partial(_with, lines=Returns)),
    "REINFORCE, full": (FULL, partial(_with, lines=Returns)),
    "SARSA": (None, partial(run_control, target="sarsa", epsilon=GREEDY)),
    "Q-learning": (None, partial(run_control, target="q_learning", epsilon=GREEDY)),
}

EXACT = "exact gradient"


def kappa_of(method: str, mdp: NetworkedMDP, kappa: int) -> int:
    """The κ of a method where the experiment's is `kappa`; at most the diameter, unless it is that."""
    own = METHODS[method][0]
    return kappa if own is None else min(own, diameter(mdp.graph))


#: Methods without an actor, whose runs do not depend on η.
CRITICS_ALONE = ("SARSA", "Q-learning")


class MethodRow(NamedTuple):
    """One method at outer iteration m of one run.

    eta : the actor's η; 0 where there is no actor.

    J, gradient_norm_squared, entropy : exact, of the policy that is played and in the logits of that policy.
    J_estimate, first_visit_share : of the episodes from this record up to the next, at the last record of the last
        episode; nan where the method samples nothing or has no table.
    """

    instance: str
    method: str
    eta: float
    seed: int
    m: int
    J: float
    gradient_norm_squared: float
    entropy: float
    J_estimate: float
    first_visit_share: float

    @property
    def method_eta(self) -> str:
        """The curve this row belongs to: the method and its η."""
        return f"{self.method} | {self.eta:g}"


def method_rows(mdp: NetworkedMDP, instance: str, method: str, settings: Settings, seeds: int) -> Iterator[MethodRow]:
    """The recorded runs of one method from the uniform policy; ValueError for an unknown one."""
    M, eta = settings.M, settings.eta
    if method == EXACT:
        thetas, m = exact_ascent(mdp, uniform_theta(mdp), M=M, eta=eta, record_every=settings.record_every or M)
        nothing = np.full(M, np.nan)
        yield from _rows(mdp, instance, method, eta, 0, SACTrace((), thetas, m, nothing, nothing))
        return
    if method not in METHODS:
        known = (*METHODS, EXACT)
        raise ValueError(f"unknown method {method!r}; known are {', '.join(known)}{meant(method, known)}")
    _, runs = METHODS[method]
    settings = replace(settings, kappa=kappa_of(method, mdp, settings.kappa))
    for seed, trace in enumerate(runs(mdp, settings, range(seeds))):
        if method == "ε-mixed":
            played = (np.stack([np.log(mixed(theta_i)) for theta_i in block]) for block in trace.thetas)
            trace = trace._replace(thetas=tuple(played))
        yield from _rows(mdp, instance, method, eta, seed, trace)


def mixed(theta_i: Array) -> Array:
    """The ε-mixed policy that is played at the logits θ_i."""
    return (1.0 - MIXED) * softmax(theta_i) + MIXED / theta_i.shape[1]


def _rows(mdp: NetworkedMDP, instance: str, method: str, eta: float, seed: int, trace: SACTrace) -> Iterator[MethodRow]:
    spans = [*(slice(int(low), int(high)) for low, high in neighbors(trace.m)), slice(-1, None)]
    for record, (iteration, since) in enumerate(zip(trace.m, spans, strict=True)):
        theta = tuple(block[record] for block in trace.thetas)
        J, gradient, _, _ = objective_and_gradient(mdp, theta)
        norm_squared = float(sum(np.sum(block**2) for block in gradient))
        sampled = float(trace.J_estimate[since].mean()), float(trace.first_visit_share[since].mean())
        spread = entropy(policies(mdp, theta))
        actor = 0.0 if method in CRITICS_ALONE else eta
        yield MethodRow(instance, method, actor, seed, int(iteration), J, norm_squared, spread, *sampled)


#: Methods whose ĝ(m) depends on one episode alone, so that `samples` has it under the same settings.
ESTIMATORS = (
    "SAC", "independent", "full critic", "TD(λ)", "advantages", "pairwise critic", "pairwise critic, full", "REINFORCE",
    "REINFORCE, full",
)  # fmt: skip


class EstimatorRow(NamedTuple):
    """ĝ of one method at a fixed θ against ∇J, from independent episodes of T steps; `exact_errors.GradientError`."""

    instance: str
    method: str
    policy: str
    T: int
    episodes: int
    bias_squared: float
    variance: float
    norm_squared: float
    cosine: float


def estimator_rows(
    mdp: NetworkedMDP, instance: str, *, kappa: int, lengths: Sequence[int], episodes: int, h: float, t0: float
) -> Iterator[EstimatorRow]:
    """Every estimator of `ESTIMATORS` at the uniform policy and at a Gaussian one, for each T."""
    gaussian = gaussian_theta(mdp, np.random.default_rng(0))
    for policy, theta in (("uniform", uniform_theta(mdp)), ("gaussian", gaussian)):
        gradient = objective_and_gradient(mdp, theta).gradient
        for method in ESTIMATORS:
            _, runs = METHODS[method]
            told = runs.keywords if isinstance(runs, partial) else {}
            for T in lengths:
                settings: dict[str, Any] = {"kappa": kappa_of(method, mdp, kappa), "T": T, "h": h, "t0": t0, **told}
                found = gradient_error(samples(mdp, theta, 0, seeds=range(episodes), **settings), gradient)
                yield EstimatorRow(instance, method, policy, T, episodes, *found)


def methods(
    *,
    instance: str,
    spec: Spec,
    kappa: Ordinal,
    seeds: Count,
    M: Count,
    T: Count,
    h: Positive,
    t0: Positive,
    etas: Sequence[Positive],
    record_every: Count,
    methods: Sequence[Method] = (),
    output: File,
) -> Iterator[str]:
    """Run Algorithm 1, its extensions and other methods at equal samples, with exact J."""
    mdp = build(spec)
    settings = Settings(kappa=kappa, M=M, T=T, h=h, t0=t0, record_every=record_every)
    rows: list[MethodRow] = []
    for method in methods or (*METHODS, EXACT):
        for eta in etas[:1] if method in CRITICS_ALONE else etas:
            rows += method_rows(mdp, instance, method, replace(settings, eta=eta), seeds)
        yield f"{instance}, {method}: {len(rows)} records so far"
    write_rows(output, MethodRow, rows)


def estimators(
    *,
    instance: str,
    spec: Spec,
    kappa: Ordinal,
    h: Positive,
    t0: Positive,
    lengths: Sequence[Count],
    episodes: Several,
    output: File,
) -> Iterator[str]:
    """Measure bias and variance of every method's gradient estimate at fixed policies, against the exact gradient."""
    mdp = build(spec)
    rows = list(estimator_rows(mdp, instance, kappa=kappa, lengths=lengths, episodes=episodes, h=h, t0=t0))
    write_rows(output, EstimatorRow, rows)
    yield f"{instance}: {len(rows)} estimates"


EXPERIMENTS = (
    Experiment(
        order=70, name="methods", rows=MethodRow, per="instance", key="methods", warm=("methods",), alone=True,
        series="method_eta", x="m", quantities=("J", "gradient_norm_squared", "entropy"), figures=("extensions",),
    ),
    Experiment(
        order=90, name="estimators", rows=EstimatorRow, per="instance", key="methods", warm=("methods",),
        figures=("estimators",),
    ),
)  # fmt: skip
