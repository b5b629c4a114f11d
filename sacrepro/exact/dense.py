"""The formula as code: joint transition matrix, linear solve, full tables.

This is the oracle against which the tests hold the structured engine. It forms P^θ with S^n × S^n entries, so it is
for small joint spaces only.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.graph import diameter, neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.memory import demand, demand_axes, readable_count
from sacrepro.model.policy import on_agent_axes, policies, score

#: Axes that one call of numpy's einsum has names for.
EINSUM_AXES = 52

#: Values of s_{N_j} from which on the order that einsum finds may need much more room than the result.
CROWD = 1 << 10


def contracted(*operands: Any, optimize: tuple[str, int] | str | bool = False) -> Array:
    """np.einsum of tables and their axes by number, the axes to keep last.

    Beyond the axes that it has names for, those of length 1 are left out, of the result, too; ValueError if that does
    not help.
    """
    *pairs, kept = operands
    tables, axes = pairs[::2], pairs[1::2]
    if max((k for own in axes for k in own), default=0) < EINSUM_AXES:
        return np.asarray(np.einsum(*operands, optimize=optimize))
    sizes = {k: size for table, own in zip(tables, axes, strict=True) for k, size in zip(own, table.shape, strict=True)}
    names = {k: name for name, k in enumerate(k for k, size in sizes.items() if size > 1)}
    if len(names) > EINSUM_AXES:
        raise ValueError(f"a product of tables has {len(names)} axes; numpy takes {EINSUM_AXES}: a smaller kappa fits")
    given: list[Any] = []
    for table, own in zip(tables, axes, strict=True):
        given += [table.squeeze(), [names[k] for k in own if k in names]]
    return np.asarray(np.einsum(*given, [names[k] for k in kept if k in names], optimize=optimize))


def averaged_kernels(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> tuple[Array, ...]:
    """P̄_i(s_i' | s_{N_i}) = Σ_a ζ_i(a|s_i) P_i(s_i' | s_{N_i}, a): shape (S_j for j in sorted N_i) + (S_i,)."""
    P_bar = []
    for i, hood in enumerate(mdp.neighbors):
        own = hood.index(i)
        zeta_i = zeta[i].reshape(*(mdp.state_sizes[i] if k == own else 1 for k in range(len(hood))), -1, 1)
        P_bar.append((zeta_i * mdp.P[i]).sum(axis=-2))
    return tuple(P_bar)


def demand_matrices(mdp: NetworkedMDP, count: int) -> None:
    """MemoryError unless so many tables like P^θ, and ValueError unless the axes of one, fit."""
    size = math.prod(mdp.state_sizes)
    demand(f"P^θ over {readable_count(size)} joint states", 8 * count * size**2, None, "fewer agents fit")
    demand_axes(mdp.n, 0, 2)


def transition_matrix(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> Array:
    """P^θ(s' | s) = Π_i P̄_i(s_i' | s_{N_i}), shape (S^n, S^n) with joint states in row-major order."""
    n, S = mdp.n, mdp.state_sizes
    demand_matrices(mdp, 2)
    joint = np.ones((1,) * (2 * n))
    for i, P_bar_i in enumerate(averaged_kernels(mdp, zeta)):
        shape = [1] * (2 * n)
        for j in mdp.neighbors[i]:
            shape[j] = S[j]
        shape[n + i] = S[i]
        joint = joint * P_bar_i.reshape(shape)
    size = int(np.prod(S))
    return np.broadcast_to(joint, S + S).reshape(size, size)


def mean_rewards(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> Array:
    """r_i^θ for every agent over joint states in row-major order, shape (n, S^n)."""
    rewards = np.empty((mdp.n, *mdp.state_sizes))
    for i, (zeta_i, r_i) in enumerate(zip(zeta, mdp.r, strict=True)):
        rewards[i] = _on_axis((zeta_i * r_i).sum(axis=1), i, mdp.n)
    return rewards.reshape(mdp.n, -1)


def values(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> Array:
    """V_i^θ for every agent, shape (n, S_0, …, S_{n-1}): solves (I - γ P^θ) V_i = r_i^θ."""
    matrix = np.eye(int(np.prod(mdp.state_sizes))) - mdp.gamma * transition_matrix(mdp, zeta)
    return np.linalg.solve(matrix, mean_rewards(mdp, zeta).T).T.reshape(mdp.n, *mdp.state_sizes)


def q_function(mdp: NetworkedMDP, V_i: Array, i: int) -> Array:
    """Q_i^θ(s, a) = r_i(s_i, a_i) + γ Σ_{s'} Π_j P_j(s_j' | s_{N_j}, a_j) V_i(s'), eq. (3).

    V_i has shape (S_0, …, S_{n-1}); the result has shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}).
    """
    n = mdp.n
    if (order := turns(mdp)[0]) is None:
        operands: list[Any] = [V_i, [2 * n + j for j in range(n)]]
        for j in range(n):
            operands += [mdp.P[j], [*mdp.neighbors[j], n + j, 2 * n + j]]
        expected = np.einsum(*operands, list(range(2 * n)), optimize="greedy")
    else:
        expected = V_i.reshape((1,) * n + V_i.shape)  # s before x, and x_j is s_j' before its turn and a_j after it
        for j in order:
            seen = [S_k if k in mdp.neighbors[j] else 1 for k, S_k in enumerate(mdp.state_sizes)]
            kernel = mdp.P[j].reshape(*seen, *(1,) * (n - 1), *mdp.P[j].shape[-2:])
            turned = np.einsum("...at,...t->...a", kernel, np.moveaxis(expected, n + j, -1))
            expected = np.moveaxis(turned, -1, n + j)
    return on_agent_axes(mdp.r[i], i, n) + mdp.gamma * expected


def turns(mdp: NetworkedMDP) -> tuple[list[int] | None, int]:
    """(order, entries of the largest table on the way) in which `q_function` sums out s_j': fewest new states first.

    None where one call of einsum, which finds an order of its own, has names for all axes and nobody a crowd around.
    """
    n, S = mdp.n, mdp.state_sizes
    size = math.prod(S)
    if 3 * n <= EINSUM_AXES and max(math.prod(S[k] for k in hood) for hood in mdp.neighbors) <= CROWD:
        return None, size
    order: list[int] = []
    seen, peak = set[int](), size
    while len(order) < n:
        rest = [j for j in range(n) if j not in order]
        new, j = min((math.prod(S[k] for k in mdp.neighbors[j] if k not in seen), j) for j in rest)
        size = size * new * mdp.action_sizes[j] // S[j]
        peak = max(peak, size)
        seen.update(mdp.neighbors[j])
        order.append(j)
    return order, peak


def occupancy(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> Array:
    """π^θ = (1-γ) Σ_t γ^t π_t^θ of Lemma 1, shape (S_0, …, S_{n-1}): solves π (I - γ P^θ) = (1-γ) π_0."""
    matrix = np.eye(int(np.prod(mdp.state_sizes))) - mdp.gamma * transition_matrix(mdp, zeta)
    return np.linalg.solve(matrix.T, (1.0 - mdp.gamma) * mdp.joint_pi0().ravel()).reshape(mdp.state_sizes)


def policy_gradient(mdp: NetworkedMDP, theta: tuple[Array, ...]) -> tuple[Array, ...]:
    """∇J(θ) by eq. (4) from the full table Q^θ = (1/n) Σ_i Q_i^θ; blocks (S_i, A_i)."""
    zeta = policies(mdp, theta)
    V = values(mdp, zeta)
    Q = np.add.reduce([q_function(mdp, V[i], i) for i in range(mdp.n)]) / mdp.n
    return gradient_from_q(mdp, zeta, occupancy(mdp, zeta), (Q,) * mdp.n)


def gradient_from_q(
    mdp: NetworkedMDP, zeta: tuple[Array, ...], pi_theta: Array, Q: tuple[Array, ...]
) -> tuple[Array, ...]:
    """(1/(1-γ)) E_{s~π^θ, a~ζ} Q_i(s,a) ∇_{θ_i} log ζ_i(a_i|s_i) for each agent's own table ``Q[i]`` over (s, a)."""
    n = mdp.n
    joint = pi_theta.reshape(*mdp.state_sizes, *(1,) * n)
    for j in range(n):
        joint = joint * on_agent_axes(zeta[j], j, n)
    blocks = []
    for i in range(n):
        others = tuple(k for k in range(2 * n) if k not in (i, n + i))
        weighted = (joint * Q[i]).sum(axis=others)
        blocks.append(np.einsum("sa,sab->sb", weighted, score(zeta[i])) / (1.0 - mdp.gamma))
    return tuple(blocks)


def decay_profile(mdp: NetworkedMDP, theta: tuple[Array, ...]) -> Array:
    """D_i(κ), the left side of Definition 2: the largest oscillation of Q_i over a cell (s_{N_i^κ}, a_{N_i^κ}).

    Shape (n, κ_max + 1), where κ_max is the diameter.
    """
    V = values(mdp, policies(mdp, theta))
    D = np.zeros((mdp.n, diameter(mdp.graph) + 1))
    for i in range(mdp.n):
        Q_i = q_function(mdp, V[i], i)
        for kappa in range(D.shape[1]):
            D[i, kappa] = oscillation(Q_i, neighborhood(mdp.graph, i, kappa)).max()
    return D


def oscillation(Q_i: Array, hood: tuple[int, ...]) -> Array:
    """max - min of Q_i over each cell of the agents in `hood`; axes outside are kept with length 1."""
    n = Q_i.ndim // 2
    others = tuple(k for j in range(n) if j not in hood for k in (j, n + j))
    return Q_i.max(axis=others, keepdims=True) - Q_i.min(axis=others, keepdims=True)


def _on_axis(vector: Array, axis: int, ndim: int) -> Array:
    return vector.reshape([-1 if k == axis else 1 for k in range(ndim)])


#: Far below the rounding unit of any θ, and its image stays far above the smallest normal number.
COMPLEX_STEP = 1e-40


def complex_step_gradient(mdp: NetworkedMDP, theta: tuple[Array, ...]) -> tuple[Array, ...]:
    """∇J(θ) by differentiating J = π_0ᵀ (I - γP^θ)^{-1} r^θ, without Lemma 1; blocks (S_i, A_i).

    ζ' of each logit is Im ζ(θ + i h e)/h: no difference is taken, so the error is rounding alone. P^θ and r^θ are
    linear in ζ_i, and J' = π_0ᵀ (I - γP^θ)^{-1} (r' + γ P' V) with V = (I - γP^θ)^{-1} r^θ.
    """
    n, zeta = mdp.n, policies(mdp, theta)
    size = int(np.prod(mdp.state_sizes))
    demand_matrices(mdp, 8)  # two of them complex

    def reward(i: int, zeta_i: Array) -> Array:
        """Agent i's part of r^θ."""
        own = _on_axis((zeta_i * mdp.r[i]).sum(axis=1), i, n) / n
        return np.broadcast_to(own, mdp.state_sizes).ravel()

    matrix = np.eye(size) - mdp.gamma * transition_matrix(mdp, zeta)
    V = np.linalg.solve(matrix, np.sum([reward(i, zeta_i) for i, zeta_i in enumerate(zeta)], axis=0))
    visits = np.linalg.solve(matrix.T, mdp.joint_pi0().ravel())
    blocks = tuple(np.zeros(theta_i.shape) for theta_i in theta)
    for i, block in enumerate(blocks):
        for entry in np.ndindex(*block.shape):
            moved = np.array(theta[i], dtype=complex)
            moved[entry] += 1j * COMPLEX_STEP
            weight = np.exp(moved - moved.real.max(axis=1, keepdims=True))
            change = (weight / weight.sum(axis=1, keepdims=True)).imag / COMPLEX_STEP
            P_change = transition_matrix(mdp, (*zeta[:i], change, *zeta[i + 1 :]))
            block[entry] = visits @ (reward(i, change) + mdp.gamma * (P_change @ V))
    return blocks
