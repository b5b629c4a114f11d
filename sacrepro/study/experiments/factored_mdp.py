"""The rival of Table 1's factored MDPs: Q^θ as a sum of functions of single agents (Guestrin et al., JAIR 2003).

Q^θ(s, a) = (1/n) Σ_i Q_i^θ(s, a) is approximated by Σ_j f_j(s_j, a_j), that is by Σ_j S_j A_j indicator functions.
Three ways to choose the f_j: two that need the exact Q^θ and show what the basis could do at best, and LSTD, which
needs the local kernels alone because the expectation of a single-agent function after one step is local. Everything is
formed over all (s, a), so this is for small instances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP


def single_agent_features(mdp: NetworkedMDP) -> Array:
    """Φ, shape (entries of Q, Σ_j S_j A_j): indicators of (s_j, a_j), agent after agent; (s, a) in row-major order."""
    blocks = []
    for j, (S_j, A_j) in enumerate(zip(mdp.state_sizes, mdp.action_sizes, strict=True)):
        s, a = _places(mdp, [j, mdp.n + j])
        blocks.append(_rows(mdp, np.eye(S_j * A_j)[s * A_j + a]))
    return np.concatenate(blocks, axis=1)


def expected_next_features(mdp: NetworkedMDP, zeta: Sequence[Array]) -> Array:
    """E[Φ(s', a') | s, a] under ζ, shape of Φ: block j depends on (s_{N_j}, a_j) alone."""
    blocks = []
    for j, hood in enumerate(mdp.neighbors):
        local = (mdp.P[j][..., None] * zeta[j]).reshape(*mdp.P[j].shape[:-1], -1)
        blocks.append(_rows(mdp, local[tuple(_places(mdp, [*hood, mdp.n + j]))]))
    return np.concatenate(blocks, axis=1)


def least_squares(Phi: Array, Q: Array) -> Array:
    """The member of the span that is closest to Q in the 2-norm over all (s, a), flat."""
    return Phi @ np.linalg.lstsq(Phi, Q.ravel(), rcond=None)[0]


def max_norm_fit(Phi: Array, Q: Array) -> Array:
    """The member of the span that is closest to Q in the sup norm, flat: no choice of the f_j does better.

    The linear program min ε subject to |Q - Φw| ≤ ε. Raises ArithmeticError if it is not solved.
    """
    from scipy.optimize import linprog

    rows = len(Phi)
    error = np.ones((rows, 1))
    upper = np.concatenate([np.hstack([Phi, -error]), np.hstack([-Phi, -error])])
    cost = np.append(np.zeros(Phi.shape[1]), 1.0)
    free = [(None, None)] * Phi.shape[1] + [(0, None)]
    solved = linprog(cost, A_ub=upper, b_ub=np.concatenate([Q.ravel(), -Q.ravel()]), bounds=free, method="highs")
    if not solved.success:
        raise ArithmeticError(f"the max-norm projection was not solved: {solved.message}")
    return Phi @ solved.x[:-1]


def lstd(mdp: NetworkedMDP, zeta: Sequence[Array], pi_theta: Array) -> Array:
    """The fixed point of Φw = Π(r + γ P^ζ Φw), Π the projection in the 2-norm under π^θ × ζ^θ, flat over (s, a)."""
    Phi, Phi_next = single_agent_features(mdp), expected_next_features(mdp, zeta)
    law = pi_theta.reshape(*mdp.state_sizes, *(1,) * mdp.n)
    r = np.zeros((1,) * (2 * mdp.n))
    for j in range(mdp.n):
        s, a = _places(mdp, [j, mdp.n + j])
        law = law * zeta[j][s, a]
        r = r + mdp.r[j][s, a] / mdp.n
    weighted = Phi * law.reshape(-1, 1)
    rewards = np.broadcast_to(r, (*mdp.state_sizes, *mdp.action_sizes)).ravel()
    w = np.linalg.lstsq(weighted.T @ (Phi - mdp.gamma * Phi_next), weighted.T @ rewards, rcond=None)[0]
    return Phi @ w


def _places(mdp: NetworkedMDP, axes: Sequence[int]) -> list[Array]:
    """The indices along some axes of a table over (s, a), broadcast against each other."""
    full = (*mdp.state_sizes, *mdp.action_sizes)
    return [np.arange(full[axis]).reshape([-1 if k == axis else 1 for k in range(len(full))]) for axis in axes]


def _rows(mdp: NetworkedMDP, block: Array) -> Array:
    """One row for each (s, a) of a block that is constant along some axes."""
    return np.broadcast_to(block, (*mdp.state_sizes, *mdp.action_sizes, block.shape[-1])).reshape(-1, block.shape[-1])
