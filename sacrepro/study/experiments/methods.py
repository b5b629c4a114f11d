"""Algorithm 1, its extensions and its rivals at equal samples: the same episodes' length and number, seeds and steps.

Every method plays M episodes of T steps, so n·M·T agent-steps; only the exact gradient sees the model instead. J is
exact, of the policy that is played: an ε-mixed or ε-greedy one counts with its exploration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise as neighbors
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.gradient import objective_and_gradient
from sacrepro.learn.algorithm1 import AlgorithmOne, sac_seeds
from sacrepro.learn.extensions import Extended
from sacrepro.learn.linear_critic import Pairwise, pairwise_seeds
from sacrepro.learn.problem import Lines, Problem, SACTrace
from sacrepro.learn.reinforce import Returns, reinforce_seeds
from sacrepro.learn.samples import samples
from sacrepro.learn.td_control import control_seeds
from sacrepro.model.checks import Array
from sacrepro.model.graph import diameter
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, policies, softmax, uniform_theta
from sacrepro.study.experiments.exact_errors import gradient_error
from sacrepro.study.measures.exact_critic import exact_ascent
from sacrepro.study.measures.stationarity import entropy

#: ε of the mixed policies, λ of the traces, and the first ε of the ε-greedy policies.
MIXED, LAMBDA, GREEDY = 0.1, 0.5, 0.5

#: Each method's κ: 0, that of the experiment, or the diameter.
Kappa = Callable[[NetworkedMDP, int], int]


def nobody(mdp: NetworkedMDP, kappa: int) -> int:
    """κ = 0."""
    return 0


def given(mdp: NetworkedMDP, kappa: int) -> int:
    """κ of the experiment."""
    return kappa


def everybody(mdp: NetworkedMDP, kappa: int) -> int:
    """κ = the diameter."""
    return diameter(mdp.graph)


def _sac(mdp: NetworkedMDP, eta: float, common: dict[str, Any], **extension: Any) -> tuple[SACTrace, ...]:
    return sac_seeds(mdp, uniform_theta(mdp), eta=eta, **common, **extension)


def _pairwise(mdp: NetworkedMDP, eta: float, common: dict[str, Any]) -> tuple[SACTrace, ...]:
    return pairwise_seeds(mdp, uniform_theta(mdp), eta=eta, **common)


def _reinforce(mdp: NetworkedMDP, eta: float, common: dict[str, Any]) -> tuple[SACTrace, ...]:
    common = {name: value for name, value in common.items() if name not in ("h", "t0")}
    return reinforce_seeds(mdp, uniform_theta(mdp), eta=eta, **common)


def _control(mdp: NetworkedMDP, eta: float, common: dict[str, Any], target: str) -> tuple[SACTrace, ...]:
    return control_seeds(mdp, target=target, epsilon=GREEDY, **common)


#: Every sampling method by name: its κ, and the runs it makes.
METHODS: dict[str, tuple[Kappa, Callable[..., tuple[SACTrace, ...]]]] = {
    "SAC": (given, _sac),
    "independent": (nobody, _sac),
    "full critic": (everybody, _sac),
    "warm start": (given, partial(_sac, warm_start=True)),
    "TD(λ)": (given, partial(_sac, lambda_=LAMBDA)),
    "advantages": (given, partial(_sac, baseline=True)),
    "warm start, advantages": (given, partial(_sac, warm_start=True, baseline=True)),
    "ε-mixed": (given, partial(_sac, epsilon=MIXED)),
    "pairwise critic": (given, _pairwise),
    "pairwise critic, full": (everybody, _pairwise),
    "REINFORCE": (given, _reinforce),
    "REINFORCE, full": (everybody, _reinforce),
    "SARSA": (given, partial(_control, target="sarsa")),
    "Q-learning": (given, partial(_control, target="q_learning")),
}

EXACT = "exact gradient"

#: Methods without an actor, whose runs do not depend on η.
CRITICS_ALONE = ("SARSA", "Q-learning")


class RivalRow(NamedTuple):
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


def rival_rows(
    mdp: NetworkedMDP,
    instance: str,
    method: str,
    *,
    kappa: int,
    seeds: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    record_every: int,
) -> Iterator[RivalRow]:
    """The recorded runs of one method from the uniform policy; ValueError for an unknown one."""
    if method == EXACT:
        thetas, m = exact_ascent(mdp, uniform_theta(mdp), M=M, eta=eta, record_every=record_every)
        nothing = np.full(M, np.nan)
        yield from _rows(mdp, instance, method, eta, 0, thetas, m, nothing, nothing)
        return
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; known are {', '.join((*METHODS, EXACT))}")
    sees, run = METHODS[method]
    common = {"kappa": sees(mdp, kappa), "M": M, "T": T, "h": h, "t0": t0, "seeds": range(seeds)}
    for seed, trace in enumerate(run(mdp, eta, common | {"record_every": record_every})):
        thetas = trace.thetas
        if method == "ε-mixed":
            thetas = tuple(np.stack([np.log(mixed(theta_i)) for theta_i in block]) for block in thetas)
        yield from _rows(mdp, instance, method, eta, seed, thetas, trace.m, trace.J_estimate, trace.first_visit_share)


def mixed(theta_i: Array) -> Array:
    """The ε-mixed policy that is played at the logits θ_i."""
    return (1.0 - MIXED) * softmax(theta_i) + MIXED / theta_i.shape[1]


def _rows(
    mdp: NetworkedMDP,
    instance: str,
    method: str,
    eta: float,
    seed: int,
    thetas: Sequence[Array],
    m: Array,
    J_estimate: Array,
    share: Array,
) -> Iterator[RivalRow]:
    spans = [*(slice(int(low), int(high)) for low, high in neighbors(m)), slice(-1, None)]
    for record, (iteration, since) in enumerate(zip(m, spans, strict=True)):
        theta = tuple(block[record] for block in thetas)
        J, gradient, _, _ = objective_and_gradient(mdp, theta)
        norm_squared = float(sum(np.sum(block**2) for block in gradient))
        sampled = float(J_estimate[since].mean()), float(share[since].mean())
        spread = entropy(policies(mdp, theta))
        actor = 0.0 if method in CRITICS_ALONE else eta
        yield RivalRow(instance, method, actor, seed, int(iteration), J, norm_squared, spread, *sampled)


#: Methods whose ĝ(m) depends on one episode alone: their κ, and lines 3-10.
ESTIMATORS: dict[str, tuple[Kappa, Callable[[Problem], Lines]]] = {
    "SAC": (given, AlgorithmOne),
    "independent": (nobody, AlgorithmOne),
    "full critic": (everybody, AlgorithmOne),
    "TD(λ)": (given, partial(Extended, warm_start=False, lambda_=LAMBDA, baseline=False)),
    "advantages": (given, partial(Extended, warm_start=False, lambda_=0.0, baseline=True)),
    "pairwise critic": (given, Pairwise),
    "pairwise critic, full": (everybody, Pairwise),
    "REINFORCE": (given, Returns),
    "REINFORCE, full": (everybody, Returns),
}


class EstimatorRow(NamedTuple):
    """ĝ of one method at a fixed θ against ∇J, from independent episodes of T steps; `yardsticks.GradientError`."""

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
        for method, (sees, lines) in ESTIMATORS.items():
            for T in lengths:
                settings: dict[str, Any] = {"kappa": sees(mdp, kappa), "T": T, "h": h, "t0": t0, "lines": lines}
                found = gradient_error(samples(mdp, theta, 0, seeds=range(episodes), **settings), gradient)
                yield EstimatorRow(instance, method, policy, T, episodes, *found)
