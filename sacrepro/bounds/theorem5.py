"""Theorem 5: every constant, the least T that (8) admits, and the right side of (9)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from sacrepro.bounds.critic import critic_bias, td_fixed_point_local, theorem5_bias
from sacrepro.bounds.gradient import lemma4_vector


class Constants(NamedTuple):
    """What Theorem 5 assumes: (c, ρ) of Assumption 2, (σ, τ) of Assumption 3, r̄, γ, and f(κ) log(SA)."""

    c: float
    rho: float
    sigma: float
    tau: int
    r_bar: float
    gamma: float
    log_cells: float


def smoothness(r_bar: float, gamma: float) -> float:
    """L' = r̄ / (2(1-γ)²): ∇J of tabular softmax policies is L'-Lipschitz, for any n (`paper/proofs.md`, theorem5)."""
    return r_bar / (2.0 * (1.0 - gamma) ** 2)


def gradient_norm(r_bar: float, gamma: float) -> float:
    """r̄ / (2√2 (1-γ)^{3/2}) ≥ ‖∇J‖ for tabular softmax policies and any n (`paper/proofs.md`, theorem5)."""
    return r_bar / (2.0 * math.sqrt(2.0) * (1.0 - gamma) ** 1.5)


def epsilon_bar(r_bar: float, gamma: float) -> float:
    """ε̄ = 4 r̄/(1-γ) + 2 r̄."""
    return 4.0 * r_bar / (1.0 - gamma) + 2.0 * r_bar


def least_h(sigma: float, gamma: float) -> float:
    """The least h of the critic step, (1/σ) max(2, 1/(1-√γ)); `paper/errata.md` on √γ."""
    return max(2.0, 1.0 / (1.0 - math.sqrt(gamma))) / sigma


def least_t0(h: float, sigma: float, tau: int) -> float:
    """The least t0 of the critic step, max(2h, 4σh, τ)."""
    return max(2.0 * h, 4.0 * sigma * h, float(tau))


def C_a(delta: float, T: int, h: float, constants: Constants) -> float:
    """C_a(δ, T) = 6ε̄/(1-√γ) · √((τh/σ) [log(2τT²/δ) + f(κ) log SA])."""
    logarithm = math.log(2.0 * constants.tau * float(T) ** 2 / delta) + constants.log_cells
    spread = math.sqrt(constants.tau * h / constants.sigma * logarithm)
    return 6.0 * epsilon_bar(constants.r_bar, constants.gamma) / (1.0 - math.sqrt(constants.gamma)) * spread


def C_a_prime(h: float, t0: float, constants: Constants) -> float:
    """C_a' = 2/(1-√γ) · max(16 ε̄ h τ/σ, (2r̄/(1-γ)) (τ + t0))."""
    sigma, tau, r_bar, gamma = constants.sigma, constants.tau, constants.r_bar, constants.gamma
    worst = max(16.0 * epsilon_bar(r_bar, gamma) * h * tau / sigma, 2.0 * r_bar / (1.0 - gamma) * (tau + t0))
    return 2.0 / (1.0 - math.sqrt(gamma)) * worst


def critic_noise(delta: float, T: int, h: float, t0: float, constants: Constants) -> float:
    """C_a(δ, T)/√(T+t0) + C_a'/(T+t0): the part of the critic's error that T removes."""
    return C_a(delta, T, h, constants) / math.sqrt(T + t0) + C_a_prime(h, t0, constants) / (T + t0)


#: C_a is so many times what its proof leaves of it, or more: 6ε̄ ≥ 24 r̄/(1-γ) against √(2/5) r̄/(1-γ), rounded down.
LOOSE = math.floor(24.0 / math.sqrt(0.4))


def critic_noise_sharp(delta: float, T: int, h: float, t0: float, constants: Constants) -> float:
    """The same part with the proof's constants written out: |Q_i - Q̂_i^T| ≤ it + r̄γ^{κ+1}/(1-γ) with probability 1-δ.

    With p = σh, l = τ-1 and x = T + t0 (`paper/proofs.md`, critic, where each step has its line)

        (r̄/(1-γ)) [(2p-1)/(2p(1-γ)-1) √(τV/2 · [log(T²/δ) + f(κ) log SA] / x)
                   + (p-1)/(p(1-γ)-1) (l + t0 + 2(1+γ) l h²/(p-1)) / x],      V = h²/(2p - 1 - p²/t0).

    For one agent; at most 1/`LOOSE` of C_a/√x and a third of C_a'/x. Raises ValueError unless p ≥ max(2, 1/(1-√γ)) and
    t0 ≥ max(2h, 4p, τ), as Theorem 5 asks, and T ≥ τ.
    """
    sigma, tau, gamma = constants.sigma, constants.tau, constants.gamma
    if h < least_h(sigma, gamma) or t0 < least_t0(h, sigma, tau) or tau > T:
        raise ValueError(
            f"the critic's bound needs h ≥ {least_h(sigma, gamma)!r}, t0 ≥ {least_t0(h, sigma, tau)!r} and T ≥ {tau}, "
            f"got h = {h!r}, t0 = {t0!r}, T = {T}"
        )
    p, lag, x = sigma * h, tau - 1, T + t0
    variance = h**2 / (2.0 * p - 1.0 - p**2 / t0)
    logarithm = math.log(float(T) ** 2 / delta) + constants.log_cells
    chance = math.sqrt(0.5 * tau * variance * logarithm / x)
    drift = (lag + t0 + 2.0 * (1.0 + gamma) * lag * h**2 / (p - 1.0)) / x
    scale = constants.r_bar / (1.0 - gamma)
    slow, fast = (2.0 * p - 1.0) / (2.0 * p * (1.0 - gamma) - 1.0), (p - 1.0) / (p * (1.0 - gamma) - 1.0)
    return scale * (slow * chance + fast * drift)


def least_T(delta: float, n: int, M: int, kappa: int, constants: Constants) -> int:
    """The least T ≥ t0 that meets both conditions of Theorem 5, with the least h and t0.

    From t0 on the noise falls with T as long as log(2τT²/δ') + f(κ) log SA ≥ 4; σ ≤ 1/2 ensures that.
    """
    h = least_h(constants.sigma, constants.gamma)
    t0 = least_t0(h, constants.sigma, constants.tau)
    bias = critic_bias(constants.c, constants.rho, kappa, constants.gamma)

    def met(T: int) -> bool:
        return critic_noise(delta / (2.0 * n * M), T, h, t0, constants) <= bias

    low = max(math.ceil(t0), math.ceil(horizon(kappa, constants)), 1)
    if met(low):
        return low
    high = low
    while not met(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if met(middle) else (middle, high)
    return high


def horizon(kappa: int, constants: Constants) -> float:
    """log_γ(c(1-γ)/r̄) + (κ+1) log_γ ρ - 1 ≤ T: rewards after T weigh less than the truncation."""
    c, rho, r_bar, gamma = constants.c, constants.rho, constants.r_bar, constants.gamma
    return math.log(c * (1.0 - gamma) / r_bar, gamma) + (kappa + 1) * math.log(rho, gamma) - 1.0


def best_eta(M: int, L: float, L_prime: float, r_bar: float, gamma: float) -> float:
    """The η that makes the right side of (9) least after M iterations; the theorem asks for η ≤ 1/(4L') besides."""
    curvature = 96.0 * (r_bar * L / (1.0 - gamma) ** 2) ** 2 * L_prime * math.log(M)
    return math.sqrt(2.0 * r_bar / ((1.0 - gamma) * curvature))


def theorem5(M: int, eta: float, delta: float, L: float, L_prime: float, kappa: int, constants: Constants) -> float:
    """The right side of (9): what bounds Σ η_m ‖∇J(θ(m))‖² / Σ η_m with probability 1-δ after M ≥ 3 iterations."""
    r_bar, gamma = constants.r_bar, constants.gamma
    steep = r_bar**2 * L**2 / (1.0 - gamma) ** 4
    start = 2.0 * r_bar / (eta * (1.0 - gamma))
    chance = 8.0 * steep * math.sqrt(math.log(M) * math.log(4.0 / delta))
    curvature = 96.0 * steep * L_prime * eta * math.log(M)
    bias = theorem5_bias(constants.c, constants.rho, kappa, L, r_bar, gamma)
    return (start + chance + curvature) / math.sqrt(M + 1.0) + bias


def theorem5_sharp(
    J_gap: float, etas: Sequence[float], bias: Sequence[float], variance: Sequence[float], L_prime: float
) -> float:
    """What bounds Σ η_m E‖∇J(θ(m))‖² / Σ η_m where η_m ≤ 1/L': the bias enters squared, not times sup ‖∇J‖ as in (9).

        (2 (J_sup - J(θ(0))) + Σ η_m E‖b_m‖² + L' Σ η_m² E v_m) / Σ η_m,

    b_m = E[ĝ(m) | θ(m)] - ∇J(θ(m)), v_m = E[‖ĝ(m) - E ĝ(m)‖² | θ(m)]. With g = ∇J + b the mean step, smoothness gives
    E J(θ(m+1)) ≥ J + η⟨∇J, g⟩ - (L'η²/2)(‖g‖² + v), ⟨∇J, g⟩ = ½‖∇J‖² + ½‖g‖² - ½‖b‖², and η ≤ 1/L' absorbs ½‖g‖².
    J_gap : J_sup - J(θ(0)) or more. etas : η_0, η_1, …. bias : ‖b_m‖ or more. variance : v_m or more.
    Raises ValueError for an η_m beyond 1/L'.
    """
    for m, eta in enumerate(etas):
        if not 0.0 < eta * L_prime <= 1.0:
            raise ValueError(f"eta_{m} = {eta!r} must lie above 0 and at most 1/L' = {1.0 / L_prime!r}")
    terms = zip(etas, bias, variance, strict=True)
    noise = math.fsum(eta * b**2 + L_prime * eta**2 * v for eta, b, v in terms)
    return (2.0 * J_gap + noise) / math.fsum(etas)


def update_norm(hood_sizes: Sequence[int], r_bar: float, gamma: float) -> float:
    """√2 r̄ √(Σ_i |N_i^κ|²) / (n (1-γ)²) ≥ ‖ĝ‖ of Algorithm 1 with h ≤ t0, tabular softmax; hood_sizes : |N_i^κ|."""
    together = math.sqrt(math.fsum(size**2 for size in hood_sizes))
    return math.sqrt(2.0) * r_bar * together / (len(hood_sizes) * (1.0 - gamma) ** 2)


def theorem5_sharp_chance(etas: Sequence[float], L_prime: float, steep: float, longest: float, delta: float) -> float:
    """2B √(2 log(1/δ) Σ η_m² (G + L'η_m B)²) / Σ η_m: what `theorem5_sharp` adds to hold with probability 1-δ.

    Then ‖ĝ(m) - E ĝ(m)‖² of the run stands for v_m, and the run's ‖∇J‖² and ‖b_m‖² for their means. By Hoeffding for
    the martingale of η_m⟨∇J - L'η_m E ĝ, ĝ - E ĝ⟩, twice of which the mean leaves out. steep : G ≥ ‖∇J‖. longest :
    B ≥ ‖ĝ‖, such as `update_norm`. Proof: `paper/proofs.md`, theorem5_sharp.
    """
    spread = math.fsum(eta**2 * (steep + L_prime * eta * longest) ** 2 for eta in etas)
    return 2.0 * longest * math.sqrt(2.0 * math.log(1.0 / delta) * spread) / math.fsum(etas)


def td_limit_bias(kappa: int, gamma: float, r_bar: float) -> float:
    """r̄γ^{κ+1} / (√2 (1-γ)²) ≥ ‖b‖ for ĥ of TD's limit and any n: squared it is of order ρ^{2(κ+1)}, in (9) ρ^{κ+1}."""
    return lemma4_vector([td_fixed_point_local(r_bar, gamma, kappa)], gamma)


# What holds without any κ, and from which κ on a bound says more than that.


def steepest(L: float, r_bar: float, gamma: float) -> float:
    """L r̄ / (1-γ)² ≥ ‖∇J‖, from 0 ≤ Q ≤ r̄/(1-γ) in (4); the proof of Theorem 5 uses it."""
    return L * r_bar / (1.0 - gamma) ** 2


def steepest_for_agent(spheres: Sequence[int], n: int, L_i: float, r_bar: float, gamma: float) -> float:
    """(L_i r̄ / (2n(1-γ)²)) (1 + Σ_{d≥1} |S_i(d)| γ^{d+1}) ≥ ‖∇_{θ_i}J‖, the error of the estimate 0.

    spheres : (|S_i(0)|, |S_i(1)|, …) as `sphere_sizes` returns them, for a constants of n agents.
    Proof: `paper/proofs.md`, vacuity.
    """
    felt = 1.0 + sum(size * gamma ** (d + 1) for d, size in enumerate(spheres) if d > 0)
    return L_i * r_bar * felt / (2.0 * n * (1.0 - gamma) ** 2)


def least_kappa(bound: Callable[[int], float], trivial: float) -> int:
    """The least κ with bound(κ) < trivial, for a bound that tends to 0; ValueError unless trivial > 0."""
    if not trivial > 0.0:
        raise ValueError(f"least_kappa: the trivial bound must be above 0, got {trivial!r}")
    return next(kappa for kappa in count() if bound(kappa) < trivial)
