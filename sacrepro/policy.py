"""Section 2: localized policies ζ_i^{θ_i}(a_i | s_i), here the tabular softmax, and their scores.

θ_i has shape (S_i, A_i) and ζ_i(a|s) ∝ exp θ_i(s, a). A logit of -inf makes an action impossible, so the
deterministic localized policies, over which Definition 2 also quantifies, are members of the family.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sacrepro.model import Array, action_tables, real

#: L_i of Assumption 4 for the tabular softmax: ‖e_a - ζ_i(·|s)‖ ≤ √2, approached as ζ_i(·|s) tends to another vertex.
SCORE_BOUND = float(np.sqrt(2.0))


def softmax(theta_i: Array) -> Array:
    """ζ_i(a|s) = exp θ_i(s,a) / Σ_b exp θ_i(s,b), shape (S_i, A_i).

    Raises TypeError unless they are real numbers, ValueError for NaN, +inf, or a state whose logits are all -inf.
    """
    theta_i = real("theta_i", theta_i)
    if theta_i.ndim != 2:
        raise ValueError(f"theta_i has shape {theta_i.shape}, expected (S_i, A_i)")
    if theta_i.shape[1] == 0:
        raise ValueError(f"theta_i has shape {theta_i.shape}: there is no action")
    largest = theta_i.max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        s = int(np.argwhere(~np.isfinite(largest))[0][0])
        raise ValueError(
            f"theta_i has logits {theta_i[s].tolist()} in state {s}; expected finite ones or -inf, not all -inf"
        )
    weights = np.exp(theta_i - largest)
    return weights / weights.sum(axis=1, keepdims=True)


class Sized(Protocol):
    """A model as policies see it: how many agents, with how many local states and actions."""

    @property
    def n(self) -> int: ...

    @property
    def state_sizes(self) -> tuple[int, ...]: ...

    @property
    def action_sizes(self) -> tuple[int, ...]: ...


def check_sized(mdp: object) -> None:
    """TypeError for what is no model."""
    if not all(hasattr(mdp, name) for name in ("n", "state_sizes", "action_sizes")):
        raise TypeError(f"expected a model such as a NetworkedMDP, got {type(mdp).__name__}")


def check_theta(mdp: Sized, theta: Sequence[Array], name: str = "theta") -> tuple[Array, ...]:
    """θ as a tuple of float64 arrays, one of shape (S_i, A_i) an agent; ValueError names the agent that differs."""
    check_sized(mdp)
    return action_tables(name, theta, mdp.state_sizes, mdp.action_sizes)


def policies(mdp: Sized, theta: Sequence[Array]) -> tuple[Array, ...]:
    """(ζ_0, …, ζ_{n-1}): the localized policies of θ, blocks (S_i, A_i); errors name the agent."""
    return tuple(policy_of(i, theta_i) for i, theta_i in enumerate(check_theta(mdp, theta)))


def policy_of(i: int, theta_i: Array) -> Array:
    """ζ_i of agent i; errors name the agent."""
    try:
        return softmax(theta_i)
    except ValueError as error:
        raise ValueError(f"agent {i}: {error}") from None


def score(zeta_i: Array) -> Array:
    """∂ log ζ_i(a|s) / ∂ θ_i(s,b) = 1{a=b} - ζ_i(b|s), shape (S_i, A_i, A_i) indexed [s, a, b].

    Derivatives with respect to θ_i(s', ·) for s' ≠ s vanish and are not stored.
    """
    return np.eye(zeta_i.shape[1]) - zeta_i[:, None, :]


def score_norm(zeta_i: Array) -> float:
    """max_{s,a} ‖∇_{θ_i} log ζ_i(a|s)‖₂, the least L_i that Lemma 4 admits at this θ_i; at most `SCORE_BOUND`."""
    return float(np.linalg.norm(score(zeta_i), axis=2).max())


def uniform_theta(mdp: Sized) -> tuple[Array, ...]:
    """θ = 0: every agent picks its actions uniformly."""
    check_sized(mdp)
    return tuple(np.zeros(shape) for shape in zip(mdp.state_sizes, mdp.action_sizes, strict=True))


def gaussian_theta(mdp: Sized, rng: np.random.Generator, scale: float = 1.0) -> tuple[Array, ...]:
    """θ with independent N(0, scale²) logits."""
    check_sized(mdp)
    return tuple(scale * rng.standard_normal(shape) for shape in zip(mdp.state_sizes, mdp.action_sizes, strict=True))
