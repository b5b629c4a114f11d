"""Lemmas 3 and 4 where agents see neighbors' actions: unchanged for local rewards, one hop worse for radius 1.

The models are action-coupled and made from the case: its graph, sizes, γ and θ, with random kernels seeded by its
name; and, once an instance, the relay along its longest shortest path, which attains the bounds on D. `kernels` has
rewards r_i(s_i, a_i), `rewards` has r_i(s_{N_i}, a_{N_i}). Cases with more than `MOST_PAIRS` joint pairs are skipped.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, eye_array

from sacrepro.bounds.decay import reward_radius
from sacrepro.bounds.gradient import reward_radius_gradient, reward_radius_natural
from sacrepro.bounds.influence import influence_matrix, reward_radius_influence
from sacrepro.exact.chain import chain_of
from sacrepro.exact.dense import oscillation
from sacrepro.exact.solver.occupancy import state_law
from sacrepro.exact.truncation import truncated_gradient_from
from sacrepro.exact.values import objective_and_gradient, q_functions
from sacrepro.instances.random_kernels import random_coupled
from sacrepro.instances.relay import relay_along
from sacrepro.model.checks import Array
from sacrepro.model.graph import diameter, neighborhood, outside, sphere_sizes
from sacrepro.model.mdp import CoupledMDP
from sacrepro.model.policy import SCORE_BOUND, policies, uniform_theta
from sacrepro.study.measures.decay import outsiders
from sacrepro.study.measures.truncation import truncations
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.case import SUMMATION, gradient_error

#: Π S_i A_i up to which a case is checked.
MOST_PAIRS = 1 << 16

#: What the rewards see.
RADII = {"kernels": 0, "rewards": 1}


class Coupled(NamedTuple):
    """An action-coupled model under θ with everything exact about it.

    Q : Q_i for each agent, within `Q_error`. pi_theta : within `pi_error` in 1-norm. gradient : within `nabla_error`.
    """

    mdp: CoupledMDP
    theta: tuple[Array, ...]
    Q: list[Array]
    Q_error: float
    pi_theta: Array
    pi_error: float
    gradient: tuple[Array, ...]
    nabla_error: float


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ), and ‖ĥ_i - ∇_{θ_i}J‖ for each weight family, of the models made from the case, against both radii."""
    plain = case.mdp
    for kind, radius in RADII.items():
        if case.policy == "uniform":
            relay = relay_along(plain.graph, gamma=plain.gamma, radius=radius)
            yield from decay_rows(case, kind, "relay", coupled(relay, uniform_theta(relay)), radius)
        if math.prod(plain.state_sizes) * math.prod(plain.action_sizes) > MOST_PAIRS:
            continue
        mdp = random_coupled(
            plain.graph,
            seed=zlib.crc32(case.instance.encode()),
            state_sizes=plain.state_sizes,
            action_sizes=plain.action_sizes,
            gamma=plain.gamma,
            radius=radius,
        )
        exact = coupled(mdp, case.theta)
        yield from decay_rows(case, kind, "random", exact, radius)
        yield from gradient_rows(case, kind, exact, radius)


def coupled(mdp: CoupledMDP, theta: tuple[Array, ...]) -> Coupled:
    """The model under θ, by the exact engine."""
    Q, Q_error = q_functions(chain_of(mdp, theta), 1e-10, range(mdp.n))
    law, objective = state_law(mdp, theta), objective_and_gradient(mdp, theta)
    return Coupled(mdp, theta, Q, Q_error, law.pi, law.error, objective.gradient, objective.gradient_error)


def decay_rows(case: Case, kind: str, model: str, exact: Coupled, radius: int) -> Iterator[Comparison]:
    """D_i(κ) against γ^{κ+1-R} and against the influence series, for each κ that leaves somebody outside."""
    mdp = exact.mdp
    C = influence_matrix(mdp)
    seen = csr_array(nx.to_scipy_sparse_array(mdp.graph, nodelist=range(mdp.n))) * radius + eye_array(mdp.n)
    places = [(i, kappa) for i in range(mdp.n) for kappa in range(diameter(mdp.graph) + 1)]
    places = [place for place in places if outside(mdp.graph, *place)]
    series = reward_radius_influence(C, seen, outsiders(mdp.graph, places), mdp.gamma, mdp.r_bar)
    error = 2.0 * exact.Q_error + SUMMATION * mdp.r_bar / (1.0 - mdp.gamma)
    for column, (i, kappa) in enumerate(places):
        left = float(oscillation(exact.Q[i], neighborhood(mdp.graph, i, kappa)).max())
        rights = {
            f"D, {kind}": reward_radius(mdp.r_bar, mdp.gamma, kappa, radius),
            f"D influence, {kind}": series[i, column],
        }
        yield from case.left(i, kappa, left, error, model).against(rights)


def gradient_rows(case: Case, kind: str, exact: Coupled, radius: int) -> Iterator[Comparison]:
    """‖ĥ_i - ∇_{θ_i}J‖ for each agent, κ and weight family, with j summed over N_i^κ as eq. (7) is printed."""
    mdp = exact.mdp
    zeta = policies(mdp, exact.theta)
    for kappa in range(diameter(mdp.graph) + 1):
        if not any(outside(mdp.graph, i, kappa) for i in range(mdp.n)):
            continue
        tables: dict[str, list[Array]] = {}
        for j in range(mdp.n):
            for family, Q_hat_j in truncations(exact, exact.Q[j], j, kappa).items():
                tables.setdefault(family, []).append(Q_hat_j)
        anyhow = reward_radius_gradient(mdp.r_bar, mdp.gamma, kappa, radius, SCORE_BOUND)
        error = gradient_error(mdp, exact.Q_error, exact.pi_error, exact.nabla_error)
        for family, Q_hat in tables.items():
            h_hat = truncated_gradient_from(mdp, zeta, exact.pi_theta, Q_hat, kappa)
            for i in range(mdp.n):
                left = float(np.linalg.norm(h_hat[i] - exact.gradient[i]))
                rights = {f"ĥ, {kind}": anyhow}
                if family == "natural":
                    sizes = (kappa, mdp.n, mdp.gamma, mdp.r_bar, radius)
                    rights[f"ĥ natural, {kind}"] = reward_radius_natural(sphere_sizes(mdp.graph, i), *sizes)
                yield from case.left(i, kappa, left, error, family).against(rights)


def variants(kind: str) -> tuple[Variant, ...]:
    """Those of models whose rewards are of one kind."""
    return (
        Variant(f"D, {kind}", "reward_radius"),
        Variant(f"D influence, {kind}", "reward_radius_d"),
        Variant(f"ĥ, {kind}", "reward_radius_b"),
        Variant(f"ĥ natural, {kind}"),
    )


CLAIM = Claim(
    order=80, words="Lemmas 3 and 4 where neighbors' actions act at once or rewards see neighbors",
    statement="with P_i(·|s_{N_i}, a_{N_i}): D_i(κ) ≤ r̄γ^{κ+1-R}/(1-γ) and ‖ĥ_i - ∇_{θ_i}J‖ ≤ L_i r̄γ^{κ+1-R}/(1-γ)², "
              "R = 0 for rewards r_i(s_i, a_i), R = 1 for r_i(s_{N_i}, a_{N_i})",
    reference="extends Lemmas 3 and 4", proof="reward_radius", check=check,
    variants=(*variants("kernels"), *variants("rewards")),
    drawing=Drawing("radii", r"$D_i(\kappa)$ with $P_i(\cdot|s_{N_i}, a_{N_i})$",
                    {"D, kernels": r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$",
                     "D, rewards": r"$\bar r\,\gamma^{\kappa}/(1-\gamma)$"}),
    attack="a climb over plain models does not reach action-coupled ones",
)  # fmt: skip
