"""What holds without any κ, and from which κ on a bound says more than that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count


def steepest(L: float, r_bar: float, gamma: float) -> float:
    """L r̄ / (1-γ)² ≥ ‖∇J‖, from 0 ≤ Q ≤ r̄/(1-γ) in (4); the proof of Theorem 5 uses it."""
    return L * r_bar / (1.0 - gamma) ** 2


def steepest_for_agent(spheres: Sequence[int], n: int, L_i: float, r_bar: float, gamma: float) -> float:
    """(L_i r̄ / (2n(1-γ)²)) (1 + Σ_{d≥1} |S_i(d)| γ^{d+1}) ≥ ‖∇_{θ_i}J‖, the error of the estimate 0.

    spheres : (|S_i(0)|, |S_i(1)|, …) as `sphere_sizes` returns them, for a network of n agents.
    Proof: `paper/proofs.md`, vacuity.
    """
    felt = 1.0 + sum(size * gamma ** (d + 1) for d, size in enumerate(spheres) if d > 0)
    return L_i * r_bar * felt / (2.0 * n * (1.0 - gamma) ** 2)


def least_kappa(bound: Callable[[int], float], trivial: float) -> int:
    """The least κ with bound(κ) < trivial, for a bound that tends to 0; ValueError unless trivial > 0."""
    if not trivial > 0.0:
        raise ValueError(f"least_kappa: the trivial bound must be above 0, got {trivial!r}")
    return next(kappa for kappa in count() if bound(kappa) < trivial)
