"""Cells (s_{N_i^κ}, a_{N_i^κ}): what the outside does on average, given the inside. TD and natural weights.

Both need a law μ over joint states only: its marginal on B and the states around B. Given the cell, actions outside
are drawn from ζ and are independent of the cell, so kernels outside B enter averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sacrepro.counted import CountedMDP
from sacrepro.coupled import CoupledMDP, Model
from sacrepro.exact.chain import Chain, chain_of, exact_model, plain_model
from sacrepro.exact.memory import demand
from sacrepro.exact.occupancy import occupancy
from sacrepro.exact.operator import FactoredOperator
from sacrepro.exact.stationary import stationary_law
from sacrepro.exact.values import demand_value_tables, values
from sacrepro.graph import check_agent, check_kappa, neighborhood
from sacrepro.model import Array, NetworkedMDP, real
from sacrepro.policy import Theta

#: How far the sum of a law that is given may be from 1.
LAW_TOLERANCE = 1e-6


def td_fixed_point(mdp: Model | CountedMDP, theta: Theta, i: int, kappa: int, *, mu: Array | None = None) -> Array:
    """q*: where TD(0) on the cells of N_i^κ settles under the stationary law μ of the joint chain (s, a).

    q*(x) = E_μ[r_i | x] + γ E_μ[q*(x') | x], shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 on the axes outside N_i^κ.
    Cells: where s_{N_i^κ} has μ-probability zero, TD never comes; the outside is then taken uniform. Where only the
    action has probability zero the conditional law of the outside exists, and is used. mu : μ over joint states, shape
    (S_0, …, S_{n-1}), where it is known already. Raises ValueError if the stationary law is not unique or out of reach
    or `mu` is no law over joint states, MemoryError before starting if S^n tables or the cells cannot fit.
    """
    mdp = exact_model(mdp)
    _check(mdp, i, kappa)
    inside = neighborhood(mdp.graph, i, kappa)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        chain: Chain = coupled.pair_chain(mdp, theta)
    else:
        chain = chain_of(mdp, theta)
    demand_value_tables(chain.mdp, None, tables=4)
    if mu is not None:
        mu = _checked_law("mu", mu, mdp)
    elif isinstance(mdp, CoupledMDP):
        pairs = coupled.states_first(stationary_law(chain).pi.ravel(), mdp)
        mu = pairs.sum(axis=tuple(range(mdp.n, 2 * mdp.n)))
    else:
        mu = stationary_law(chain).pi
    nearby = neighborhood(mdp.graph, i, kappa + 1)
    law = mu.sum(axis=tuple(j for j in range(mdp.n) if j not in nearby))
    conditional = _given_inside(law, nearby, inside)
    sizes, actions = mdp.state_sizes, mdp.action_sizes
    states, cells = _shape(sizes, inside), _shape(actions, inside)
    inner = tuple(range(len(inside), 2 * len(inside)))
    cell_count = math.prod(states) * math.prod(cells)
    demand(f"q_{i} on {cell_count} cells", 8 * cell_count * math.prod(states), None, "a smaller kappa fits")
    # E[1{s_B'} | s_B, a_B]: one column for each s_B', by the product of the inside kernels.
    moved = _inside_mean(mdp, chain.zeta, conditional, nearby, inside, {j: mdp.P[j] for j in inside}, inside)
    if isinstance(mdp, CoupledMDP):
        reward = _inside_mean(mdp, chain.zeta, conditional, nearby, inside, {i: mdp.r[i]}, ())
    else:
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
    mdp: NetworkedMDP | CountedMDP,
    theta: Theta,
    i: int,
    kappa: int,
    tol: float | None = None,
    pi: Array | None = None,
) -> Array:
    """Q̂_i of eq. (5) with natural weights: E[Q_i | cell] under π^θ × ζ^θ, without the table Q_i.

    Shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 outside N_i^κ. pi : another law over joint states in place of π^θ.
    Where s_{N_i^κ} has probability zero the outside states are taken uniform.
    """
    mdp = plain_model(mdp, "natural_mean", "truncate its q_function under its natural_weights")
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


def _check(mdp: Model, i: int, kappa: int) -> None:
    check_kappa(kappa)
    check_agent(i, mdp.n)


def _checked_law(name: str, law: Array, mdp: Model) -> Array:
    law = real(name, law)
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


def _inside_mean(
    mdp: Model,
    zeta: Sequence[Array],
    conditional: Array,
    nearby: tuple[int, ...],
    inside: tuple[int, ...],
    tables: dict[int, Array],
    movers: tuple[int, ...],
) -> Array:
    """The mean of a product of local tables given (s_B, a_B), shape (S_B) + (A_B) + (S_j for movers): next states last.

    conditional : the law of the states around B given s_B; actions around B are drawn from ζ.
    tables      : P_j for agents of `movers`, whose last axis is s_j', and r_j of an action-coupled model.
    """
    m, b = len(nearby), len(inside)
    state = {j: k for k, j in enumerate(nearby)}
    order = (*inside, *(j for j in nearby if j not in inside))
    action = {j: m + k + b * (k >= b) for k, j in enumerate(order)}
    operands: list[Any] = [conditional, list(range(m))]
    seen: set[int] = set()
    for j, table in tables.items():
        acting = mdp.neighbors[j] if isinstance(mdp, CoupledMDP) else (j,)
        seen |= set(acting)
        following = [m + b + inside.index(j)] if j in movers else []
        operands += [table, [*(state[k] for k in mdp.neighbors[j]), *(action[k] for k in acting), *following]]
    for j in sorted(seen.difference(inside)):
        operands += [zeta[j], [state[j], action[j]]]
    for j in set(inside) - seen:
        operands += [np.ones(mdp.action_sizes[j]), [action[j]]]
    kept = [*(state[j] for j in inside), *(action[j] for j in inside), *(m + b + inside.index(j) for j in movers)]
    return np.einsum(*operands, kept, optimize="greedy")


def _own_reward(mdp: NetworkedMDP, i: int, inside: tuple[int, ...]) -> Array:
    """r_i(s_i, a_i) with one state axis, then one action axis, for each agent inside."""
    return _two_axes(mdp.r[i], inside.index(i), len(inside))


def _two_axes(table: Array, position: int, count: int) -> Array:
    shape = [1] * (2 * count)
    shape[position], shape[count + position] = table.shape
    return table.reshape(shape)


def _shape(sizes: tuple[int, ...], agents: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sizes[j] for j in agents)


def _padded(mdp: Model, inside: tuple[int, ...]) -> tuple[int, ...]:
    states = tuple(S_j if j in inside else 1 for j, S_j in enumerate(mdp.state_sizes))
    return states + tuple(A_j if j in inside else 1 for j, A_j in enumerate(mdp.action_sizes))
