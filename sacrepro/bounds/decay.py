"""How fast Q_i forgets: Definition 2, Lemma 3, Appendix A, the light cone, eqs. (5)-(6), and action-coupled models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array


def definition2(c: float, rho: float, kappa: int) -> float:
    """c ρ^{κ+1}, the right side of Definition 2: how much Q_i may vary over a cell of N_i^κ."""
    return c * rho ** (kappa + 1)


def least_rho(gap: float, c: float, kappa: int) -> float:
    """(gap/c)^{1/(κ+1)}: the least ρ with c ρ^{κ+1} ≥ gap, for c > 0."""
    return float((gap / c) ** (1.0 / (kappa + 1)))


# Lemma 3: the exponential decay property holds for every networked MDP with rewards in [0, r̄].


class Decay(NamedTuple):
    """The constants (c, ρ) of Definition 2."""

    c: float
    rho: float


def lemma3(r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (r̄/(1-γ), γ): what leaves N_i^κ reaches agent i after κ+1 steps at the earliest.

    r̄ is the RANGE of the rewards, 0 ≤ r_i ≤ r̄; with |r_i| ≤ r̄ alone c doubles (`paper/errata.md`).
    """
    return Decay(c=r_bar / (1.0 - gamma), rho=gamma)


# Appendix A: where local states mix, the decay rate is ρ = γm < γ.
#
# Hypothesis: TV(law of (s_i(t), a_i(t)), its limit) ≤ c' m^t from every start (s(0), a(0)).


def appendix_a(c_prime: float, m: float, r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (2c'r̄/(1-γm), γm): two starts differ by 2c'm^t at most, once for each way to the limit."""
    return between_starts(2.0 * c_prime, m, r_bar, gamma)


def between_starts(c_prime: float, m: float, r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (c'r̄/(1-γm), γm) when the laws from any TWO starts are c'm^t close: no limit is needed, nor a factor 2.

    m = 1 is allowed, and with c' = 1 it is Lemma 3.
    """
    return Decay(c=c_prime * r_bar / (1.0 - gamma * m), rho=gamma * m)


def mixing_series(distance: Array, kappa: int, r_bar: float, gamma: float) -> float:
    """r̄ Σ_{t≥κ+1} γ^t d(t) ≥ D_i(κ) for distances d(t) between the laws from any two starts.

    distance : d(t) for t = 0..T, each at most the one before; after T it counts as d(T).
    """
    T = len(distance) - 1
    first = min(kappa + 1, T + 1)
    seen = float((gamma ** np.arange(first, T + 1) * distance[first:]).sum())
    return r_bar * (seen + float(distance[T]) * gamma ** max(T + 1, kappa + 1) / (1.0 - gamma))


# The light cone: what agent i shows up to time T depends on its T-hop surroundings only, so a horizon bounds D_i(κ).
#
# Let D_i^T(κ) be the left side of Definition 2 for Q_i^T(s, a) = E Σ_{t≤T} γ^t r_i(t). It can be computed from N_i^T
# alone, at a cost that does not grow with n, and D_i(κ) is within `cone_width` of it. Proof in `paper/proofs.md`.


class Interval(NamedTuple):
    """low ≤ D_i(κ) ≤ high."""

    low: float
    high: float


def cone_width(T: int, kappa: int, gamma: float, r_bar: float) -> float:
    """r̄ γ^{max(T,κ)+1} / (1-γ) ≥ |D_i(κ) - D_i^T(κ)|: the rewards after T, of which those up to κ are common."""
    return r_bar * gamma ** (max(T, kappa) + 1) / (1.0 - gamma)


def light_cone(D_T: float, T: int, kappa: int, gamma: float, r_bar: float) -> Interval:
    """The interval for D_i(κ) around D_i^T(κ), of width at most 2 r̄ γ^{T+1} / (1-γ)."""
    width = cone_width(T, kappa, gamma, r_bar)
    return Interval(low=max(0.0, D_T - width), high=D_T + width)


# An action acts one hop later than a state, so Lemma 3's bound holds for smaller tables.
#
# a_j(0) moves s_j(1) and nothing else, so agent i feels it d(i, j) + 1 steps later, when it would feel a state from one
# hop farther out. Proof in `paper/proofs.md`.


def actions_kept(kappa: int) -> int:
    """max(κ-1, 0): actions are kept on N_i^{κ-1}, and i's own at κ = 0, because r_i(s_i, a_i) sees it at once."""
    return max(kappa - 1, 0)


def actions_one_hop_later(r_bar: float, gamma: float, kappa: int) -> float:
    """r̄ γ^{κ+1} / (1-γ), Lemma 3's bound, on the oscillation of Q_i over a cell (s_{N_i^κ}, a_{N_i^{κ-1}})."""
    return definition2(*lemma3(r_bar, gamma), kappa)


# Eqs. (5)-(6): a weighted mean over a cell differs from each entry of the cell by its oscillation at most.


def truncation(c: float, rho: float, kappa: int) -> float:
    """c ρ^{κ+1} ≥ |Q̂_i - Q_i| for all weights of eq. (6), when the (c, ρ)-decay property holds."""
    return definition2(c, rho, kappa)


# Lemmas 3 and 4 for action-coupled models: what they keep, and the hop that rewards of radius 1 cost.
#
# The law of z on N_i^d at time t depends on z(0) on N_i^{d+t}, whether kernels see neighbors' actions or not. A reward
# of radius R, r_i(z_{N_i^R}), so sees N_i^{t+R} at time t, and two starts that agree on N_i^κ pay the same for t ≤ κ-R.
# Proof in `paper/proofs.md`.


def reward_radius(r_bar: float, gamma: float, kappa: int, radius: int) -> float:
    """r̄ γ^{κ+1-R} / (1-γ) ≥ D_i(κ): Lemma 3's bound for R = 0, one power of γ more for R = 1."""
    return r_bar * gamma ** (kappa + 1 - radius) / (1.0 - gamma)
