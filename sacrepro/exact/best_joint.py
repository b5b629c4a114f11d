"""The best joint policy of a small network, which no localized policy exceeds: the formula as code."""

from __future__ import annotations

import math

import numpy as np

from sacrepro.exact.chain import plain_model
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP

#: Entries of P(s'|s, a) for which it is meant.
MOST_ENTRIES = 1 << 24


def best_joint(mdp: NetworkedMDP | CountedMDP, tol: float = 1e-10) -> float:
    """J_sup = max over joint policies of J, from above by at most `tol` and rounding, by value iteration.

    Raises ValueError, naming the entries, where P(s'|s, a) is too large to be formed.
    """
    mdp = plain_model(mdp, "best_joint", "take a model of eq. (1)")
    S, A = math.prod(mdp.state_sizes), math.prod(mdp.action_sizes)
    if S * S * A > MOST_ENTRIES:
        raise ValueError(f"P(s'|s, a) has {S * S * A} entries, more than {MOST_ENTRIES}")
    P, r = joint_kernel(mdp), joint_reward(mdp)
    gamma = mdp.gamma
    V = np.full(S, mdp.r_bar / (1.0 - gamma))
    while True:
        following = (r + gamma * (P @ V)).max(axis=1)
        change = float((following - V).max()), float((V - following).max())
        V = following
        if max(change) * gamma / (1.0 - gamma) <= tol:
            break
    # Value iteration from above stays above; the last change bounds what is left, rounding included.
    above = V + max(change) * gamma / (1.0 - gamma) + 4.0 * np.finfo(float).eps * S * mdp.r_bar / (1.0 - gamma) ** 2
    return float((start_law(mdp) * above).sum())


def joint_kernel(mdp: NetworkedMDP) -> Array:
    """P(s'|s, a) of eq. (1), shape (S, A, S) over joint states and actions in row-major order."""
    n = mdp.n
    joint = np.ones((1,) * (3 * n))
    for i, hood in enumerate(mdp.neighbors):
        shape = [1] * (3 * n)
        for j in hood:
            shape[j] = mdp.state_sizes[j]
        shape[n + i], shape[2 * n + i] = mdp.action_sizes[i], mdp.state_sizes[i]
        joint = joint * mdp.P[i].reshape(shape)
    S, A = math.prod(mdp.state_sizes), math.prod(mdp.action_sizes)
    return np.broadcast_to(joint, (*mdp.state_sizes, *mdp.action_sizes, *mdp.state_sizes)).reshape(S, A, S)


def joint_reward(mdp: NetworkedMDP) -> Array:
    """r(s, a) = (1/n) Σ_i r_i(s_i, a_i), shape (S, A)."""
    n, total = mdp.n, np.zeros((*mdp.state_sizes, *mdp.action_sizes))
    for i, r_i in enumerate(mdp.r):
        total += r_i.reshape([r_i.shape[axis // n] if axis % n == i else 1 for axis in range(2 * n)]) / n
    return total.reshape(math.prod(mdp.state_sizes), -1)


def start_law(mdp: NetworkedMDP) -> Array:
    """π_0 over joint states, shape (S,)."""
    if isinstance(mdp.pi0, np.ndarray):
        return mdp.pi0.ravel()
    law = np.ones((1,) * mdp.n)
    for i, marginal in enumerate(mdp.pi0):
        law = law * marginal.reshape([-1 if axis == i else 1 for axis in range(mdp.n)])
    return law.ravel()
