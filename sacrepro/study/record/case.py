"""One instance under one policy with everything exact about it, computed or loaded from what was stored."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from sacrepro.archive.files import write_arrays
from sacrepro.exact.chain import chain_of
from sacrepro.exact.decay.profile import certified_decay
from sacrepro.exact.dense import q_function
from sacrepro.exact.solver.occupancy import occupancy
from sacrepro.exact.values import evaluate, objective_and_gradient
from sacrepro.instances import build
from sacrepro.model.checks import Array
from sacrepro.model.graph import outside
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP
from sacrepro.model.memory import demand, demand_axes, readable_count
from sacrepro.model.policy import SCORE_BOUND, gaussian_theta, uniform_theta
from sacrepro.study.arguments import Count, File, NonNegative, Ordinal, Spec
from sacrepro.study.record.comparison import Left

Measured = TypeVar("Measured")

#: Entries of one Q_i up to which D_i is swept; beyond, branch and bound is several times faster (Florentine families).
SWEEP_LIMIT = 1 << 28


#: Tables over all (s, a) that one comparison of Q_i with another takes: both, what they are made of, the difference.
COMPARED = 5

#: Fields of a case that are stored under their own names.
TABLES, NUMBERS = ("V", "pi_theta", "D"), ("J", "error", "pi_error", "D_error", "nabla_error")


def exact_case(instance: str, policy: str, mdp: NetworkedMDP, theta: tuple[Array, ...]) -> Case:
    """The case of one policy, by the exact engine."""
    evaluation = evaluate(mdp, theta)
    law = occupancy(chain_of(mdp, theta))
    decay = certified_decay(mdp, theta, sweep_limit=SWEEP_LIMIT)
    objective = objective_and_gradient(mdp, theta)
    return Case(
        instance=instance,
        policy=policy,
        mdp=mdp,
        theta=theta,
        V=evaluation.V,
        J=evaluation.J,
        error=evaluation.error,
        pi_theta=law.pi,
        pi_error=law.error,
        D=0.5 * (decay.lower + decay.upper),
        D_error=0.5 * float((decay.upper - decay.lower).max()),
        gradient=objective.gradient,
        nabla_error=objective.gradient_error,
    )


def uniform_case(instance: str, mdp: NetworkedMDP) -> Case:
    """The case of the uniform policy."""
    return exact_case(instance, "uniform", mdp, uniform_theta(mdp))


def exact_cases(instance: str, mdp: NetworkedMDP, policies: int, seed: int, scale: float) -> Iterator[Case]:
    """The uniform policy, then Gaussian ones with independent N(0, scale²) logits, `policies` in all."""
    rng = np.random.default_rng(seed)
    for p in range(policies):
        theta = gaussian_theta(mdp, rng, scale) if p else uniform_theta(mdp)
        yield exact_case(instance, f"gaussian {p}" if p else "uniform", mdp, theta)


def arrays(spec: Mapping[str, Any], cases: Sequence[Case]) -> dict[str, Array]:
    """The cases of one instance as named arrays with a leading axis over policies."""
    stored = {
        "spec": np.array(json.dumps(spec, sort_keys=True)),
        "instance": np.array(cases[0].instance),
        "policy": np.array([case.policy for case in cases]),
    }
    for name in (*TABLES, *NUMBERS):
        stored[name] = np.stack([getattr(case, name) for case in cases])
    for i in range(cases[0].mdp.n):
        stored[f"theta_{i}"] = np.stack([case.theta[i] for case in cases])
        stored[f"gradient_{i}"] = np.stack([case.gradient[i] for case in cases])
    return stored


def cases(stored: Mapping[str, Array]) -> Iterator[Case]:
    """The cases that `arrays` stored."""
    mdp = build(json.loads(str(stored["spec"])))
    for p, policy in enumerate(stored["policy"]):
        named: dict[str, Any] = {name: stored[name][p] for name in TABLES}
        yield Case(
            instance=str(stored["instance"]),
            policy=str(policy),
            mdp=mdp,
            theta=tuple(stored[f"theta_{i}"][p] for i in range(mdp.n)),
            gradient=tuple(stored[f"gradient_{i}"][p] for i in range(mdp.n)),
            **named | {name: float(stored[name][p]) for name in NUMBERS},
        )


#: Relative rounding of a mean with respect to weights: products of at most 64 factors, sums by halves of at most 2^64
#: non-negative terms, so at most 128 roundings of half an epsilon each.
SUMMATION = 64 * sys.float_info.epsilon


@dataclass(frozen=True, eq=False)
class Case:
    """One instance under one localized policy tuple, with everything exact that the claims compare against.

    V, J, pi_theta, D, gradient : as returned by `evaluate`, `discounted_state_distribution`, `certified_decay` and
    `objective_and_gradient`. Each *_error is certified: `error` bounds |V_i - V_i^θ|, `D_error` that of every D_i(κ),
    `pi_error` the 1-norm error of π^θ, `nabla_error` the 2-norm error of every block of ∇J.
    """

    instance: str
    policy: str
    mdp: NetworkedMDP
    theta: tuple[Array, ...]
    V: Array
    J: float
    error: float
    pi_theta: Array
    pi_error: float
    D: Array
    D_error: float
    gradient: tuple[Array, ...]
    nabla_error: float

    def demand_tables(self, count: int) -> None:
        """MemoryError unless so many tables over all (s, a), and ValueError unless the axes of one, fit."""
        entries = math.prod(r_i.size for r_i in self.mdp.r)
        what = f"{self.instance}: {count} tables over all {readable_count(entries)} pairs (s, a)"
        demand(what, 8 * count * entries, None, "an instance of fewer agents fits")
        demand_axes(self.mdp.n, 1, 2)

    def Q(self, i: int) -> Array:
        """Q_i^θ(s, a) by eq. (3), from V_i; errors of `demand_tables`, with room to compare it with another."""
        self.demand_tables(COMPARED)
        return q_function(self.mdp, self.V[i], i)

    def kappas(self, i: int) -> list[int]:
        """Every κ up to the diameter that leaves somebody outside N_i^κ; with nobody outside both sides are trivial."""
        return [kappa for kappa in range(self.D.shape[1]) if outside(self.mdp.graph, i, kappa)]

    def left(self, i: int, kappa: int, left: float, error: float, case: str = "", trivial: float = math.inf) -> Left:
        """What was measured for one agent and κ, to be put against right sides."""
        return Left(self.instance, self.policy, case, i, kappa, float(left), float(error), trivial)

    def gaps(self) -> Iterator[Left]:
        """D_i(κ) for each agent and each κ that leaves somebody outside."""
        for i in range(self.mdp.n):
            for kappa in self.kappas(i):
                yield self.left(i, kappa, self.D[i, kappa], self.D_error)

    @property
    def gradient_error(self) -> float:
        """That of ‖ĥ_i - ∇_{θ_i}J‖ for ĥ_i computed from V and π^θ of this case."""
        return gradient_error(self.mdp, self.error, self.pi_error, self.nabla_error)


def once(measure: Callable[[Case], Measured]) -> Callable[[Case], Measured]:
    """What is measured of a case, kept as long as the case is there: claims of one process measure it once."""
    known: WeakKeyDictionary[Case, Measured] = WeakKeyDictionary()

    @functools.wraps(measure)
    def found(case: Case) -> Measured:
        if case not in known:
            known[case] = measure(case)
        return known[case]

    return found


def gradient_error(mdp: NetworkedMDP | CoupledMDP, error: float, pi_error: float, nabla_error: float) -> float:
    """A bound on the error of ‖ĥ_i - ∇_{θ_i}J‖ where values are within `error`, and the others as in `Case`.

    ĥ_i is a π^θ-mean of values in [0, r̄/(1-γ)] times scores, over 1-γ; `SUMMATION` covers its own rounding.
    """
    h_hat_error = error + (pi_error + SUMMATION) * mdp.r_bar / (1.0 - mdp.gamma)
    return nabla_error + SCORE_BOUND * h_hat_error / (1.0 - mdp.gamma)


def exact(
    *, instance: str, spec: Spec, policies: Count, seed: Ordinal, scale: NonNegative, output: File
) -> Iterator[str]:
    """Write V, J, π^θ, D and ∇J of one instance under the uniform and seeded Gaussian policies."""
    mdp = build(spec)
    done = []
    for case in exact_cases(instance, mdp, policies, seed, scale):
        done.append(case)
        yield f"{case.instance}: {mdp.n} agents, θ {case.policy}, certified error {case.error:.1e}"
    write_arrays(output, arrays(spec, done))
