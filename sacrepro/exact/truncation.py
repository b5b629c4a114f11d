"""Section 3.1: truncated Q-functions, eqs. (5)-(6), and the truncated policy gradient, eq. (7).

A *cell* is one value of (s_{N_i^κ}, a_{N_i^κ}). Weights w_i are a distribution over (s_{N_{-i}^κ}, a_{N_{-i}^κ})
for each cell, stored in the shape of Q_i, and Q̂_i keeps the axes outside N_i^κ with length 1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np

from sacrepro.exact.chain import chain_of
from sacrepro.exact.dense import contracted
from sacrepro.exact.models import exact_model, plain_model
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import UNIT
from sacrepro.exact.solver.bellman import demand_value_tables, values
from sacrepro.exact.solver.occupancy import discounted_state_distribution, occupancy
from sacrepro.exact.solver.stationary import stationary_law
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array, real, wrong_shape
from sacrepro.model.graph import check_agent, check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, Model, NetworkedMDP
from sacrepro.model.memory import demand, demand_axes, readable_count
from sacrepro.model.policy import (
    Theta,
    all_actions_possible,
    checked,
    joint_policy,
    on_agent_axes,
    pair_marginals,
    policies,
    score,
)


def outside_axes(hood: Sequence[int], n: int) -> tuple[int, ...]:
    """The axes of a table over (s, a) that belong to agents outside `hood`."""
    return tuple(axis for axis in range(2 * n) if axis % n not in set(hood))


def cell_shape(shape: Sequence[int], hood: Sequence[int]) -> tuple[int, ...]:
    """The shape of Q̂_i: that of Q_i with length 1 on the axes outside `hood`."""
    closed = set(outside_axes(hood, len(shape) // 2))
    return tuple(1 if axis in closed else size for axis, size in enumerate(shape))


def truncate(Q_i: Array, hood: Sequence[int], w: Array) -> Array:
    """Q̂_i of eq. (5): the mean of Q_i over the outside of `hood` under the weights w.

    Q_i  : shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}).
    hood : the agents of N_i^κ.
    w    : shape of Q_i, non-negative, summing to 1 in each cell (eq. 6).
    Result: shape of Q_i with length 1 on the axes outside `hood`. Raises TypeError for tables that do not hold real
    numbers, ValueError when w breaks eq. (6) or `hood` is no set of agents.

    >>> from sacrepro import build, natural_weights, q_function, truncate, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> theta = uniform_theta(mdp)
    >>> truncate(q_function(mdp, theta, 0), (0, 1), natural_weights(mdp, theta, 0, 1)).shape
    (2, 2, 1, 2, 2, 1)
    """
    Q_i, w = real("Q_i", Q_i), real("weights", w)
    n = _number_of_agents(Q_i)
    if not isinstance(hood, Collection):
        raise TypeError(f"hood must hold agents, got {hood!r}")
    agents = all(isinstance(j, Integral) and not isinstance(j, bool) and j in range(n) for j in hood)
    if len(hood) == 0:
        raise ValueError(f"hood is empty, expected agents out of 0..{n - 1}: N_i^κ holds i")
    if not agents or len(set(hood)) != len(hood):
        raise ValueError(f"hood {tuple(hood)} must hold distinct agents out of 0..{n - 1}")
    _check_finite("Q_i", Q_i)
    if w.shape != Q_i.shape:
        raise ValueError(f"weights have shape {w.shape}, expected the shape of Q_i, {Q_i.shape}")
    if not (w >= 0).all():
        entry = tuple(int(k) for k in np.argwhere(~(w >= 0))[0])
        raise ValueError(f"weights have entry {float(w[entry])!r} at {entry}; eq. (6) needs non-negative weights")
    totals = over_outside(np.add, w, hood)
    terms = max(1, w.size // totals.size)
    off = np.abs(totals - 1.0) > max(NORMALISATION_TOLERANCE, terms * np.finfo(float).eps)
    if off.any():
        cell = tuple(int(k) for k in np.argwhere(off)[0])
        raise ValueError(f"weights sum to {float(totals[cell])!r} in the cell at {cell}; eq. (6) asks for 1")
    return over_outside(np.add, w * Q_i, hood)


def over_outside(reduction: np.ufunc, table: Array, hood: Sequence[int]) -> Array:
    """A table over (s, a) reduced over the axes outside `hood`, which keep length 1; cells are made rows first."""
    axes = outside_axes(hood, table.ndim // 2)
    inside = tuple(axis for axis in range(table.ndim) if axis not in axes)
    shape = cell_shape(table.shape, hood)
    return reduction.reduce(table.transpose(inside + axes).reshape(math.prod(shape), -1), axis=1).reshape(shape)


def natural_weights(mdp: Model | CountedMDP, theta: Theta, i: int, kappa: int) -> Array:
    """The conditional law of (s, a) outside N_i^κ given the cell under π^θ × ζ^θ, shape of Q_i.

    Actions are independent given states, so w = π^θ(s_out | s_in) Π_{j outside} ζ_j(a_j|s_j). Where π^θ gives s_in no
    mass the conditional law does not exist and the uniform law over s_out stands in for it.
    Raises ValueError for an unknown agent or a negative κ, MemoryError before starting if the tables cannot fit.

    >>> from sacrepro import build, natural_weights, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> w = natural_weights(mdp, uniform_theta(mdp), 0, 1)
    >>> w.shape, float(w[0, 0, :, 0, 0, :].sum().round(9))  # one cell of N_0^1
    ((2, 2, 2, 2, 2, 2), 1.0)
    """
    mdp = exact_model(mdp)
    check_agent(i, mdp.n)
    check_kappa(kappa)
    theta = checked(mdp, theta)
    entries = math.prod(mdp.state_sizes) * math.prod(mdp.action_sizes)
    demand(f"w_{i} with {readable_count(entries)} entries", 24 * entries, None, "a network of fewer agents fits")
    demand_axes(mdp.n, 1, 2)
    zeta = policies(mdp, theta)
    return conditional_law(mdp, zeta, discounted_state_distribution(mdp, theta), neighborhood(mdp.graph, i, kappa))


def conditional_law(mdp: Model, zeta: Sequence[Array], pi: Array, hood: Sequence[int]) -> Array:
    """The law of (s, a) outside `hood` given the cell under π × ζ, for a state law `pi` of shape (S_0, …, S_{n-1})."""
    given = _given_inside(pi, range(mdp.n), hood)
    w = _with_actions(given, zeta, [j for j in range(mdp.n) if j not in hood])
    return np.array(np.broadcast_to(w, (*mdp.state_sizes, *mdp.action_sizes)))


def cell_law(pi: Array, zeta: Sequence[Array], hood: Sequence[int]) -> Array:
    """π × ζ of the cells of `hood`, with length 1 on the axes outside."""
    return _with_actions(pi.sum(axis=tuple(k for k in range(pi.ndim) if k not in hood), keepdims=True), zeta, hood)


def _with_actions(law: Array, zeta: Sequence[Array], agents: Iterable[int]) -> Array:
    """A law over states times ζ_j(a_j|s_j) for j in `agents`; the action axes of others have length 1."""
    law = law.reshape(*law.shape, *(1,) * law.ndim)
    for j in agents:
        law = law * on_agent_axes(zeta[j], j, len(zeta))
    return law


def truncated_policy_gradient(
    mdp: Model | CountedMDP, theta: Theta, Q_hat: Sequence[Array], kappa: int
) -> tuple[Array, ...]:
    """ĥ_i(θ) of eq. (7) for every agent; blocks (S_i, A_i).

    Q_hat : one truncated Q-function an agent, shape of Q_j with length 1 on the axes outside N_j^κ.
    The expectation over (s, a) ~ π^θ × ζ^θ reduces to the marginal on N_j^κ, so no table over all agents is formed.
    Raises ValueError for another number or shape of tables.

    >>> import networkx as nx
    >>> from sacrepro import random_mdp, td_fixed_point, truncated_policy_gradient, uniform_theta
    >>> mdp = random_mdp(nx.path_graph(3), seed=0)
    >>> theta = uniform_theta(mdp)
    >>> q = [td_fixed_point(mdp, theta, i, 1) for i in range(3)]
    >>> [block.shape for block in truncated_policy_gradient(mdp, theta, q, 1)]
    [(2, 2), (2, 2), (2, 2)]
    """
    mdp = exact_model(mdp)
    all_actions_possible(theta, "ĥ, which is in θ,")
    check_kappa(kappa)
    theta = checked(mdp, theta)
    demand_axes(mdp.n, 1, 2)
    return truncated_gradient_from(mdp, policies(mdp, theta), discounted_state_distribution(mdp, theta), Q_hat, kappa)


def truncated_gradient_from(
    mdp: Model, zeta: Sequence[Array], pi_theta: Array, Q_hat: Sequence[Array], kappa: int
) -> tuple[Array, ...]:
    """`truncated_policy_gradient` for given ζ^θ and π^θ."""
    n = mdp.n
    if not isinstance(Q_hat, (Sequence, np.ndarray)):
        raise TypeError(f"Q_hat must be a sequence of tables, one an agent, got {type(Q_hat).__name__}")
    if len(Q_hat) != n:
        raise ValueError(f"Q_hat holds {len(Q_hat)} tables, but the model has {n} agents")
    full = (*mdp.state_sizes, *mdp.action_sizes)
    weighted = [np.zeros(zeta_i.shape) for zeta_i in zeta]
    for j in range(n):
        hood = neighborhood(mdp.graph, j, kappa)
        Q_hat_j = real(f"Q_hat[{j}] of agent {j}", Q_hat[j])
        if Q_hat_j.shape != cell_shape(full, hood):
            expected = f"{cell_shape(full, hood)}: length 1 on the axes outside N_{j}^{kappa} = {hood}"
            raise ValueError(wrong_shape("Q_hat", j, Q_hat_j, expected))
        _check_finite(f"Q_hat[{j}] of agent {j}", Q_hat_j)
        product = cell_law(pi_theta, zeta, hood) * Q_hat_j
        marginals = pair_marginals(product)
        for i in hood:  # j ∈ N_i^κ exactly when i ∈ N_j^κ
            weighted[i] += marginals[i]
    factor = 1.0 / (n * (1.0 - mdp.gamma))
    return tuple(factor * np.einsum("sa,sab->sb", weighted[i], score(zeta[i])) for i in range(n))


def _check_finite(name: str, table: Array) -> None:
    if not np.isfinite(table).all():
        entry = tuple(int(k) for k in np.argwhere(~np.isfinite(table))[0])
        raise ValueError(f"{name} has entry {float(table[entry])!r} at {entry}; a Q-function is finite")


def _number_of_agents(Q_i: Array) -> int:
    if Q_i.ndim == 0 or Q_i.ndim % 2:
        raise ValueError(f"Q_i has {Q_i.ndim} axes, expected one state axis and one action axis for each agent")
    return Q_i.ndim // 2


# Cells (s_{N_i^κ}, a_{N_i^κ}): what the outside does on average, given the inside. TD and natural weights.
#
# Both need a law μ over joint states only: its marginal on B and the states around B. Given the cell, actions outside
# are drawn from ζ and are independent of the cell, so kernels outside B enter averaged.

#: Tables that `td_fixed_point` holds at once, as large as `cell_entries`: a product of kernels and what it is made of.
PRODUCTS = 3

#: How far the sum of a law that is given may be from 1.
LAW_TOLERANCE = 1e-6


def td_fixed_point(mdp: Model | CountedMDP, theta: Theta, i: int, kappa: int, *, mu: Array | None = None) -> Array:
    """q*: where TD(0) on the cells of N_i^κ settles under the stationary law μ of the joint chain (s, a).

    q*(x) = E_μ[r_i | x] + γ E_μ[q*(x') | x], shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 on the axes outside N_i^κ.
    Cells: where s_{N_i^κ} has μ-probability zero, TD comes finitely often; the outside is then uniform. Where only the
    action has probability zero the conditional law of the outside exists, and is used. mu : μ over joint states, shape
    (S_0, …, S_{n-1}), where it is known already. Raises ValueError if the stationary law is not unique or out of reach
    or `mu` is no law over joint states, MemoryError before starting if S^n tables or the cells cannot fit.

    >>> from sacrepro import random_mdp, td_fixed_point, uniform_theta
    >>> import networkx as nx
    >>> mdp = random_mdp(nx.path_graph(3), seed=0)
    >>> td_fixed_point(mdp, uniform_theta(mdp), 0, 1).shape  # s_2 and a_2 are not seen
    (2, 2, 1, 2, 2, 1)
    """
    mdp = exact_model(mdp)
    check_kappa(kappa)
    check_agent(i, mdp.n)
    inside = neighborhood(mdp.graph, i, kappa)
    chain = chain_of(mdp, theta)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=4)
    demand_axes(mdp.n, 1, 2)
    cells = math.prod(_shape(mdp.state_sizes, inside)) * math.prod(_shape(mdp.action_sizes, inside))
    most = cell_entries(mdp, i, kappa)
    demand(f"q_{i} on {readable_count(cells)} cells", 8 * PRODUCTS * most, None, "a smaller kappa fits")
    mu = chain.state_law(stationary_law(chain).pi)[0] if mu is None else _checked_law("mu", mu, mdp)
    nearby = neighborhood(mdp.graph, i, kappa + 1)
    law = mu.sum(axis=tuple(j for j in range(mdp.n) if j not in nearby))
    conditional = _given_inside(law, nearby, inside)
    mean = partial(_inside_mean, mdp, chain.zeta, conditional, nearby, inside, most)
    kernels = {j: mdp.P[j] for j in inside}
    if mdp.reward_hoods[i] == (i,):
        reward = on_agent_axes(mdp.r[i], inside.index(i), len(inside))
    else:
        reward = mean({i: mdp.r[i]})
    # w(s_B) = Σ_a ζ_B q solves w = r^θ + γ M^θ w with M^θ averaged over the inside actions.
    averaged = (joint_policy([chain.zeta[j] for j in inside]) * reward).sum(axis=tuple(range(len(inside), reward.ndim)))
    matrix = mean(kernels, drawn=True).reshape(averaged.size, averaged.size)
    w = np.linalg.solve(np.eye(averaged.size) - mdp.gamma * matrix, averaged.ravel()).reshape(averaged.shape)
    q = reward + mdp.gamma * mean(kernels, onto=w)
    return q.reshape(cell_shape((*mdp.state_sizes, *mdp.action_sizes), inside))


def cell_entries(mdp: Model, i: int, kappa: int) -> int:
    """What the largest table behind q* may hold: (s_B, s_B') or (s_B, a_B), times the states around B = N_i^κ.

    Where kernels see neighbors' actions these stay to the end: (s_B, a_B, s_B').
    """
    inside, nearby = (neighborhood(mdp.graph, i, k) for k in (kappa, kappa + 1))
    states, cells = (math.prod(_shape(sizes, inside)) for sizes in (mdp.state_sizes, mdp.action_sizes))
    around = math.prod(_shape(mdp.state_sizes, nearby))
    return max(states * states * cells, around) if mdp.couples else max(states, cells) * around


def solve_error(mdp: NetworkedMDP, N: int) -> float:
    """A bound on the rounding of q* in its N equations (I - γM) w = b, diagonally dominant by rows, M as computed.

    Elimination solves nearby equations, ‖ΔA‖∞ ≤ 3Nu (2N-1) ‖A‖∞ (Higham 2002, Theorems 9.4 and 9.9); ‖w‖∞ ≤ r̄/(1-γ) and
    ‖A^{-1}‖∞ ≤ 1/(1-γ). What bounds |q* - Q_i| for every conditional law needs no more.
    """
    return 16.0 * N * N * UNIT * mdp.r_bar / (1.0 - mdp.gamma) ** 2


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
    check_kappa(kappa)
    check_agent(i, mdp.n)
    chain = chain_of(mdp, theta)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=4)
    demand_axes(mdp.n, 1, 2)
    inside = neighborhood(mdp.graph, i, kappa)
    sizes, actions = _shape(mdp.state_sizes, inside), _shape(mdp.action_sizes, inside)
    cells = math.prod(sizes) * math.prod(actions)
    demand(f"Q̂_{i} on {readable_count(cells)} cells", 24 * cells, None, "a smaller kappa fits")
    V, _, _ = values(chain, tol, [i])
    law = occupancy(chain, tol).pi if pi is None else _checked_law("pi", pi, mdp)
    everyone = tuple(range(mdp.n))
    conditional = _given_inside(law, everyone, inside)
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
    Q_hat = on_agent_axes(mdp.r[i], inside.index(i), len(inside)) + mdp.gamma * following
    return Q_hat.reshape(cell_shape((*mdp.state_sizes, *mdp.action_sizes), inside))


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


def _given_inside(law: Array, axes: Iterable[int], inside: Sequence[int]) -> Array:
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
    most: int,
    tables: dict[int, Array],
    *,
    drawn: bool = False,
    onto: Array | None = None,
) -> Array:
    """The mean of a product of local tables given (s_B, a_B), shape (S_B) + (A_B).

    conditional : the law of the states around B given s_B; actions around B are drawn from ζ.
    most        : entries of a product that is made on the way.
    tables      : r_j of an action-coupled model, or P_j of all agents of B, whose last axis is s_j'.
    drawn       : actions of B are drawn, too, and next states are kept: (S_B) + (S_B).
    onto        : a table over the next states, of which it is the mean.
    """
    m, b = len(nearby), len(inside)
    state = {j: k for k, j in enumerate(nearby)}
    order = (*inside, *(j for j in nearby if j not in inside))
    action = {j: m + k + b * (k >= b) for k, j in enumerate(order)}
    following = [m + b + k for k in range(b)]
    operands: list[Any] = [conditional, list(range(m))]
    seen: set[int] = set()
    for j, table in tables.items():
        acting = mdp.neighbors[j] if mdp.couples else (j,)
        seen |= set(acting)
        moved = [following[inside.index(j)]] if drawn or onto is not None else []
        operands += [table, [*(state[k] for k in mdp.neighbors[j]), *(action[k] for k in acting), *moved]]
    for j in sorted(seen if drawn else seen.difference(inside)):
        operands += [zeta[j], [state[j], action[j]]]
    for j in set(inside) - seen:
        operands += [np.ones(mdp.action_sizes[j]), [action[j]]]
    if onto is not None:
        operands += [onto, following]
    kept = [*(state[j] for j in inside), *(following if drawn else (action[j] for j in inside))]
    shape = _shape(mdp.state_sizes, inside) + _shape(mdp.state_sizes if drawn else mdp.action_sizes, inside)
    return contracted(*operands, kept, optimize=("greedy", most)).reshape(shape)


def _shape(sizes: tuple[int, ...], agents: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sizes[j] for j in agents)
