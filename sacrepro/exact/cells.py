"""Cells (s_{N_i^κ}, a_{N_i^κ}): what the outside does on average, given the inside. TD and natural weights.

Both need a law μ over joint states only: its marginal on B and the states around B. Given the cell, actions outside
are drawn from ζ and are independent of the cell, so kernels outside B enter averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.memory import demand
from sacrepro.exact.occupancy import occupancy
from sacrepro.exact.operator import FactoredOperator
from sacrepro.exact.stationary import stationary_law
from sacrepro.exact.values import demand_value_tables, values
from sacrepro.graph import check_agent, check_kappa, neighborhood
from sacrepro.model import Array, NetworkedMDP

#: How far the sum of a law that is given may be from 1.
LAW_TOLERANCE = 1e-6


def td_fixed_point(mdp: NetworkedMDP, theta: Sequence[Array], i: int, kappa: int, *, mu: Array | None = None) -> Array:
    """q*: where TD(0) on the cells of N_i^κ settles under the stationary law μ of the joint chain (s, a).

    q*(x) = r_i + γ E_μ[q*(x') | x], shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 on the axes outside N_i^κ.
    Cells: where s_{N_i^κ} has μ-probability zero, TD never comes; the outside is then taken uniform. Where only the
    action has probability zero the conditional law of the outside exists, and is used. mu : μ over joint states, shape
    (S_0, …, S_{n-1}), where it is known already. Raises ValueError if the stationary law is not unique or out of reach
    or `mu` is no law over joint states, MemoryError before starting if S^n tables or the cells cannot fit.
    """
    _check(mdp, i, kappa)
    inside = neighborhood(mdp.graph, i, kappa)
    demand_value_tables(mdp, None, tables=4)
    chain = chain_of(mdp, theta)
    mu = stationary_law(chain).pi if mu is None else _checked_law("mu", mu, mdp)
    nearby = neighborhood(mdp.graph, i, kappa + 1)
    law = mu.sum(axis=tuple(j for j in range(mdp.n) if j not in nearby))
    conditional = _given_inside(law, nearby, inside)
    sizes, actions = mdp.state_sizes, mdp.action_sizes
    states, cells = _shape(sizes, inside), _shape(actions, inside)
    inner = tuple(range(len(inside), 2 * len(inside)))
    cell_count = math.prod(states) * math.prod(cells)
    demand(f"q_{i} on {cell_count} cells", 8 * cell_count * math.prod(states), None, "a smaller kappa fits")
    # E[1{s_B'} | s_B, a_B]: one column for each s_B', by the product of the inside kernels.
    moved = _inside_kernel(chain, conditional, nearby, inside)
    reward = _own_reward(mdp, i, inside)
    # w(s_B) = Σ_a ζ_B q solves w = r^θ + γ M^θ w with M^θ averaged over the inside actions.
    zeta = np.ones(states + cells)
    for position, j in enumerate(inside):
        zeta = zeta * _two_axes(chain.zeta[j], position, len(inside))
    count = math.prod(states)
    matrix = (zeta[..., None] * moved.reshape(*states, *cells, count)).sum(axis=inner)
    averaged = (zeta * reward).sum(axis=inner)
    w = np.linalg.solve(np.eye(count) - mdp.gamma * matrix.reshape(count, count), averaged.ravel())
    q = reward + mdp.gamma * (moved.reshape(-1, count) @ w).reshape(states + cells)
    return q.reshape(_padded(mdp, inside))


def natural_mean(
    mdp: NetworkedMDP, theta: Sequence[Array], i: int, kappa: int, tol: float | None = None, pi: Array | None = None
) -> Array:
    """Q̂_i of eq. (5) with natural weights: E[Q_i | cell] under π^θ × ζ^θ, without the table Q_i.

    Shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 outside N_i^κ. pi : another law over joint states in place of π^θ.
    Where s_{N_i^κ} has probability zero the outside states are taken uniform.
    """
    _check(mdp, i, kappa)
    demand_value_tables(mdp, None, tables=4)
    chain = chain_of(mdp, theta)
    inside = neighborhood(mdp.graph, i, kappa)
    V, _, _ = values(chain, tol, [i])
    law = occupancy(chain, tol).pi if pi is None else _checked_law("pi", pi, mdp)
    everyone = tuple(range(mdp.n))
    conditional = _given_inside(law, everyone, inside)
    sizes, actions = _shape(mdp.state_sizes, inside), _shape(mdp.action_sizes, inside)
    outside = tuple(j for j in everyone if j not in inside)
    following = np.empty(sizes + actions)
    # One product with P^θ for each joint action of the inside.
    for a in np.ndindex(*actions):
        kernels = list(chain.P_bar)
        for j, a_j in zip(inside, a, strict=True):
            kernels[j] = mdp.P[j][..., a_j, :]
        operator = FactoredOperator(kernels, mdp.neighbors, mdp.state_sizes)
        after = operator(V[0].reshape(mdp.state_sizes))
        following[(..., *a)] = (after * conditional).sum(axis=outside)
    Q_hat = _own_reward(mdp, i, inside) + mdp.gamma * following
    return Q_hat.reshape(_padded(mdp, inside))


def _check(mdp: NetworkedMDP, i: int, kappa: int) -> None:
    check_kappa(kappa)
    check_agent(i, mdp.n)


def _checked_law(name: str, law: Array, mdp: NetworkedMDP) -> Array:
    law = np.asarray(law, dtype=np.float64)
    if law.shape != mdp.state_sizes:
        raise ValueError(f"{name} has shape {law.shape}, expected {mdp.state_sizes}: a law over joint states")
    if not (law >= 0).all():
        entry = tuple(int(k) for k in np.argwhere(~(law >= 0))[0])
        raise ValueError(f"{name} has entry {float(law[entry])!r} at {entry}; a law is non-negative and finite")
    # Sums over many states round; a law that came from elsewhere may be normalised to single precision.
    if abs(float(law.sum()) - 1.0) > LAW_TOLERANCE:
        raise ValueError(f"{name} sums to {float(law.sum())!r}, expected 1")
    return law


def _given_inside(law: Array, axes: tuple[int, ...], inside: tuple[int, ...]) -> Array:
    """The law of the states `axes` given those of `inside`, each cell summing to 1; uniform in cells of mass zero."""
    rest = tuple(k for k, j in enumerate(axes) if j not in inside)
    mass = law.sum(axis=rest, keepdims=True)
    uniform = 1.0 / math.prod(law.shape[k] for k in rest)
    return np.where(mass > 0, law / np.where(mass > 0, mass, 1.0), uniform)


def _inside_kernel(chain: Chain, conditional: Array, nearby: tuple[int, ...], inside: tuple[int, ...]) -> Array:
    """Law of s_B' given (s_B, a_B), shape (S_B) + (A_B) + (S_B): the states around B averaged out."""
    index = {j: k for k, j in enumerate(nearby)}
    m, b = len(nearby), len(inside)
    operands: list[Any] = [conditional, list(range(m))]
    for k, j in enumerate(inside):
        operands += [chain.mdp.P[j], [*(index[neighbor] for neighbor in chain.mdp.neighbors[j]), m + k, m + b + k]]
    states = [index[j] for j in inside]
    return np.einsum(*operands, [*states, *range(m, m + 2 * b)], optimize="greedy")


def _own_reward(mdp: NetworkedMDP, i: int, inside: tuple[int, ...]) -> Array:
    """r_i(s_i, a_i) with one state axis, then one action axis, for each agent inside."""
    return _two_axes(mdp.r[i], inside.index(i), len(inside))


def _two_axes(table: Array, position: int, count: int) -> Array:
    shape = [1] * (2 * count)
    shape[position], shape[count + position] = table.shape
    return table.reshape(shape)


def _shape(sizes: tuple[int, ...], agents: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sizes[j] for j in agents)


def _padded(mdp: NetworkedMDP, inside: tuple[int, ...]) -> tuple[int, ...]:
    states = tuple(S_j if j in inside else 1 for j, S_j in enumerate(mdp.state_sizes))
    return states + tuple(A_j if j in inside else 1 for j, A_j in enumerate(mdp.action_sizes))
