"""How far a policy is from a stationary point, and ascent without sampling.

Exact values along runs, first-order optimality, entropy. Ascent goes along the exact ∇J, or along eq. (7) with TD's
fixed points: Algorithm 1 with T = ∞, what κ alone does, no noise, no unvisited cell, nothing but the bias. It lives
here and not with the learners because it sees the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import chain_of
from sacrepro.exact.truncation import td_fixed_point, truncated_policy_gradient
from sacrepro.exact.values import objective_and_gradient, q_function
from sacrepro.model.checks import Array
from sacrepro.model.graph import outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import check_theta, policies, score


class StationarityRow(NamedTuple):
    """Exact values at one recorded outer iteration of one run.

    J, gradient_norm_squared : J(θ(m)) and ‖∇J(θ(m))‖².
    gap     : `first_order_gap`, which does not vanish merely because policies become deterministic.
    entropy : mean entropy of the policies, in nats.
    gradient_error : certified bound on the error of ‖∇J(θ(m))‖.
    """

    instance: str
    kappa: int
    seed: int
    m: int
    J: float
    gradient_norm_squared: float
    gap: float
    entropy: float
    gradient_error: float


def stationarity_rows(
    mdp: NetworkedMDP, instance: str, kappa: int, seed: int, m: Array, thetas: Sequence[Array]
) -> Iterator[StationarityRow]:
    """One row for each record; ``thetas[i]`` has shape (records, S_i, A_i)."""
    for record, iteration in enumerate(m):
        theta = tuple(theta_i[record] for theta_i in thetas)
        J, gradient, _, error = objective_and_gradient(mdp, theta)
        norm_squared = float(sum(np.sum(block**2) for block in gradient))
        zeta = policies(mdp, theta)
        gap = first_order_gap(zeta, gradient)
        off = float(error * np.sqrt(mdp.n))
        yield StationarityRow(instance, kappa, seed, int(iteration), J, norm_squared, gap, entropy(zeta), off)


def first_order_gap(zeta: Sequence[Array], gradient: Sequence[Array]) -> float:
    """max over localized ζ' of the derivative of J(ζ + t(ζ'-ζ)) at t = 0: Σ_i Σ_s max_b ∂J/∂θ_i(s,b) / ζ_i(b|s).

    ∂J/∂θ_i(s,b) is ζ_i(b|s) times the advantage of b in s, weighted by how often s comes up. ‖∇J‖ is small wherever ζ
    is nearly deterministic, at the worst action too; this is zero only where no agent would rather act otherwise.
    Actions of probability 0 are left out.
    """
    total = 0.0
    for zeta_i, g_i in zip(zeta, gradient, strict=True):
        played = zeta_i > 0
        total += float(np.where(played, g_i / np.where(played, zeta_i, 1.0), -np.inf).max(axis=1).sum())
    return total


def entropy(zeta: Sequence[Array]) -> float:
    """Mean over agents and local states of the entropy of ζ_i(·|s_i), in nats."""
    rows = []
    for zeta_i in zeta:
        logs = np.log(np.where(zeta_i > 0, zeta_i, 1.0))
        rows.append(float(-(zeta_i * logs).sum(axis=1).mean()))
    return float(np.mean(rows))


def exact_ascent(
    mdp: NetworkedMDP, theta0: Sequence[Array], *, M: int, eta: float, record_every: int, kappa: int | None = None
) -> tuple[tuple[Array, ...], Array]:
    """(thetas, m): line 12 of Algorithm 1 without sampling, recorded as `SACTrace.thetas` and `.m`.

    kappa : None for ∇J(θ(m)) in place of ĝ(m), else κ for ĥ(θ(m)) of eq. (7) with Q̂_j = q*_j.
    η_m = η/√(m+1). thetas holds one array of shape (records, S_i, A_i) an agent; a function of the arguments alone.
    """
    theta = tuple(block.copy() for block in check_theta(mdp, theta0))
    stops = [*range(0, M, record_every), M]
    kept: list[list[Array]] = [[block.copy()] for block in theta]
    for m in range(M):
        g = objective_and_gradient(mdp, theta).gradient if kappa is None else limit_direction(mdp, theta, kappa)
        theta = tuple(block + eta / np.sqrt(m + 1.0) * g_i for block, g_i in zip(theta, g, strict=True))
        if m + 1 in stops:
            for i, block in enumerate(theta):
                kept[i].append(block.copy())
    return tuple(np.stack(blocks) for blocks in kept), np.array(stops)


def limit_direction(mdp: NetworkedMDP, theta: Sequence[Array], kappa: int) -> tuple[Array, ...]:
    """ĥ(θ) of eq. (7) with TD's fixed points q*_j, blocks (S_i, A_i); with nobody outside it is ∇J(θ)."""
    tables = [
        td_fixed_point(mdp, theta, j, kappa) if outside(mdp.graph, j, kappa) else q_function(mdp, theta, j)
        for j in range(mdp.n)
    ]
    return truncated_policy_gradient(mdp, theta, tables, kappa)


def fresh_direction(mdp: NetworkedMDP, theta: Sequence[Array], T: int, h: float, t0: float) -> tuple[Array, ...]:
    """g⁰_i = (1/n) Σ_{k<T} γ^k α_k E[r_i(k) ∇log ζ_i(a_i(k)|s_i(k))]: E ĝ_i where no cell comes twice, whatever κ is.

    Every table then holds α_k r_j(k) where line 11 reads it, and r_j(k) does not depend on a_i(k) for j ≠ i
    (`paper/proofs.md`, theorem5_sharp, New cells). Blocks (S_i, A_i); steps with γ^k below rounding are left out.
    """
    zeta, law, operator = policies(mdp, theta), mdp.joint_pi0(), chain_of(mdp, theta).operator
    weights = [np.zeros(r_i.shape) for r_i in mdp.r]
    for k in range(T):
        if mdp.gamma**k < np.finfo(float).eps ** 2:
            break
        for i, weight in enumerate(weights):
            own = law.sum(axis=tuple(j for j in range(mdp.n) if j != i))
            weight += mdp.gamma**k * h / (k + t0) * own[:, None]
        law = operator.transpose(law[None])[0]
    return tuple(
        np.einsum("sa,sab->sb", weight * zeta_i * r_i, score(zeta_i)) / mdp.n
        for weight, zeta_i, r_i in zip(weights, zeta, mdp.r, strict=True)
    )
