"""What this engine computes beyond value functions, on instances whose joint matrix no peer could hold.

Each measurement returns the certified error of its result; where the field's tools have nothing to compare with, time
and certificate are all there is to report.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from sacrepro.exact.chain import chain_of
from sacrepro.exact.decay.profile import certified_decay
from sacrepro.exact.light_cone import local_decay, local_value
from sacrepro.exact.solver.bellman import mean_values
from sacrepro.exact.solver.occupancy import occupancy
from sacrepro.exact.solver.stationary import stationary_law
from sacrepro.exact.truncation import td_fixed_point
from sacrepro.exact.values import evaluate, evaluate_many, objective_and_gradient
from sacrepro.instances import build
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import gaussian_theta, uniform_theta
from sacrepro.study.bench.peers import benchmark_mdp


class Certified(NamedTuple):
    """Certified error of a result, nan where none is certified; products with P^θ, 0 where they are not counted."""

    error: float
    products: int = 0


#: A computation that is timed.
Compute = Callable[[], Certified]


def certified(found: Any) -> Certified:
    """What a solver tells of its result."""
    return Certified(found.error, found.products)


def half_width(found: Any) -> Certified:
    """The largest half width of intervals."""
    return Certified(0.5 * float((found.upper - found.lower).max()))


class Quantity(NamedTuple):
    """family, n, gamma : of the instance. make builds it; prepare computes what is known before the clock starts."""

    family: str
    n: int
    gamma: float
    make: Callable[[], Any]
    prepare: Callable[[Any], Compute]


def sticky(n: int, gamma: float, flip: float = 0.01) -> NetworkedMDP:
    """A path whose random kernels act with probability `flip` and keep the state otherwise: a slow chain."""
    base = benchmark_mdp("path", n, gamma)
    kernels = []
    for i, hood in enumerate(base.neighbors):
        own = np.eye(2).reshape([*(2 if j == i else 1 for j in hood), 1, 2])
        kernels.append((1.0 - flip) * own + flip * base.P[i])
    return NetworkedMDP(base.graph, tuple(kernels), base.r, gamma, base.pi0)


class LongPath(NamedTuple):
    """A path too long to copy: the kernels of a short one, repeated; and a policy."""

    mdp: SimpleNamespace
    theta: list[Array]


def long_path(n: int, gamma: float = 0.9) -> LongPath:
    """A path of n agents with 64 random inner kernels in turn, under the uniform policy."""
    base = random_mdp(nx.path_graph(66), seed=0, gamma=gamma)
    inner = [*base.P[1:-1]]
    kernels = [base.P[0], *(inner[i % 64] for i in range(n - 2)), base.P[-1]]
    rewards = [base.r[i % 64] for i in range(n)]
    mdp = SimpleNamespace(graph=nx.path_graph(n), P=kernels, r=rewards, gamma=gamma)
    return LongPath(mdp, [np.zeros((2, 2))] * n)


def many(mdp: NetworkedMDP) -> Compute:
    """V_i and J of `MANY` policies with Gaussian logits."""
    rng = np.random.default_rng(0)
    thetas = [gaussian_theta(mdp, rng) for _ in range(MANY)]
    return lambda: Certified(float(evaluate_many(mdp, thetas).error.max()))


def one_by_one(mdp: NetworkedMDP) -> Compute:
    """The same by a loop over `evaluate`."""
    rng = np.random.default_rng(0)
    thetas = [gaussian_theta(mdp, rng) for _ in range(MANY)]
    return lambda: Certified(max(evaluate(mdp, theta).error for theta in thetas))


def all_values(tol: float | None = None) -> Callable[[Any], Compute]:
    """V_i of all agents under the uniform policy, certified to `tol`."""
    return lambda mdp: lambda: certified(evaluate(mdp, uniform_theta(mdp), tol))


def law(mdp: NetworkedMDP) -> Compute:
    """π^θ."""
    chain = chain_of(mdp, uniform_theta(mdp))
    return lambda: certified(occupancy(chain))


def gradient(mdp: NetworkedMDP) -> Compute:
    """∇J of all agents from V̄ and π^θ."""
    theta = uniform_theta(mdp)
    chain = chain_of(mdp, theta)
    everyone = tuple(range(mdp.n))
    V, _, _ = mean_values(chain, 1e-10, [everyone])
    pi = occupancy(chain).pi
    error = objective_and_gradient(mdp, theta).gradient_error

    def compute() -> Certified:
        chain.expected_score(V[0], pi, [1.0 / mdp.n] * mdp.n, everyone)
        return Certified(error)

    return compute


def fixed_point(mdp: NetworkedMDP) -> Compute:
    """q* of the middle agent at κ = 2 from the stationary law."""
    theta = uniform_theta(mdp)
    mu = stationary_law(chain_of(mdp, theta)).pi

    def compute() -> Certified:
        td_fixed_point(mdp, theta, mdp.n // 2, 2, mu=mu)
        return Certified(math.nan)

    return compute


def decay(agents: Sequence[int] | None, kappas: Sequence[int] | None, sweep_limit: int) -> Callable[[Any], Compute]:
    """D_i(κ) with certified bounds; the error is their largest half width."""

    def prepare(mdp: NetworkedMDP) -> Compute:
        theta = uniform_theta(mdp)
        return lambda: half_width(certified_decay(mdp, theta, agents, kappas, sweep_limit=sweep_limit))

    return prepare


def identical(n: int) -> Callable[[], NetworkedMDP]:
    """A ring of n identical agents, an epidemic, γ = .9."""
    return lambda: build({"model": "sis", "graph": {"family": "ring", "n": n}, "gamma": 0.9})


def florentine() -> NetworkedMDP:
    """SIS on the Florentine families, n = 15."""
    return build({"model": "sis", "graph": {"family": "florentine_families"}, "gamma": 0.8})


def far_value(network: LongPath) -> Compute:
    """V_i of the middle agent, certified to 1e-8."""
    middle = len(network.theta) // 2
    return lambda: Certified(local_value(network.mdp, network.theta, middle, 1e-8).error)


def far_decay(network: LongPath) -> Compute:
    """D_i(κ), κ ≤ 4, of the middle agent, certified to 1e-6."""
    middle = len(network.theta) // 2
    return lambda: half_width(local_decay(network.mdp, network.theta, middle, 4, 1e-6))


def path(n: int) -> Callable[[], NetworkedMDP]:
    """The path of n agents, γ = .9, made when it is asked for."""
    return lambda: benchmark_mdp("path", n, 0.9)


#: Policies of `many`.
MANY = 64

#: Pairs (s, a) up to which D_i(κ) is swept, beyond which it is bracketed by branch and bound: what the larger networks
#: below ask for, and the limit of the study's own tables.
SWEEP, BRANCHED = 1 << 32, 1 << 28

QUANTITIES: Mapping[str, Quantity] = {
    "V_i, sticky": Quantity("path", 12, 0.999, lambda: sticky(12, 0.999), all_values(1e-8)),
    "64 policies, n=4": Quantity("path", 4, 0.9, path(4), many),
    "64 policies, n=4, one by one": Quantity("path", 4, 0.9, path(4), one_by_one),
    "64 policies, n=6": Quantity("path", 6, 0.9, path(6), many),
    "64 policies, n=6, one by one": Quantity("path", 6, 0.9, path(6), one_by_one),
    "V_i, identical agents, n=16": Quantity("ring", 16, 0.9, identical(16), all_values()),
    "V_i, identical agents, n=20": Quantity("ring", 20, 0.9, identical(20), all_values()),
    "D_i all kappa, identical agents": Quantity("ring", 14, 0.9, identical(14), decay(None, None, SWEEP)),
    "pi_theta": Quantity("path", 18, 0.9, path(18), law),
    "nabla_J after V and pi_theta": Quantity("path", 18, 0.9, path(18), gradient),
    "q_star at kappa=2 after mu": Quantity("path", 18, 0.9, path(18), fixed_point),
    "D_i all kappa, one agent, n=14": Quantity("path", 14, 0.9, path(14), decay((7,), None, SWEEP)),
    "D_i all kappa, one agent, n=16": Quantity("path", 16, 0.9, path(16), decay((8,), None, SWEEP)),
    "D_i kappa<=5, one agent": Quantity("path", 20, 0.9, path(20), decay((10,), range(6), BRANCHED)),
    "D_i all agents, all kappa": Quantity("florentine", 15, 0.8, florentine, decay(None, None, BRANCHED)),
    "V_i of one of a million": Quantity("path", 10**6, 0.9, lambda: long_path(10**6), far_value),
    "D_i kappa<=4 of one of a million": Quantity("path", 10**6, 0.9, lambda: long_path(10**6), far_decay),
}
