"""The critic: what it misses of Q_i, what TD's limit does to the actor, Assumption 3, and what an agent stores.

Section 3.3 and Appendix C: how far the TD inner loop stays from Q_i, as the paper bounds it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, diags_array

from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.model.checks import Array
from sacrepro.model.graph import max_neighborhood_size


def critic_bias(c: float, rho: float, kappa: int, gamma: float) -> float:
    """2 c ρ^{κ+1} / (1-γ)²: the part of |Q_i - Q̂_i^T| that no T removes, right side of (8)."""
    return 2.0 * definition2(c, rho, kappa) / (1.0 - gamma) ** 2


def critic(noise: float, bias: float) -> float:
    """noise + bias ≥ |Q_i - Q̂_i^T| with probability 1-δ.

    noise : `sacrepro.bounds.theorem5.critic_noise`. bias : `critic_bias`, or a bound of `td_fixed_point`.
    """
    return noise + bias


def chebyshev(bias: Array, variance: Array, delta: float) -> float:
    """The least B with Σ_x Var Q̂_i^T(x) / (B - bias(x))² ≤ δ, B > bias: |Q_i - Q̂_i^T| < B with probability 1-δ.

    bias : |E Q̂_i^T(x) - Q_i(z)| or more for all z in the cell x. variance : Var Q̂_i^T(x) or more, of the same shape.
    By Chebyshev's inequality cell x fails with probability Var/(B - bias)² at most. Rounded up by 1e-12 of itself.
    """
    low, high = float(bias.max()), float(bias.max() + math.sqrt(float(variance.sum()) / delta))
    while high - low > 1e-13 * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        enough = middle > bias.max() and float((variance / (middle - bias) ** 2).sum()) <= delta
        low, high = (low, middle) if enough else (middle, high)
    return high * (1.0 + 1e-12)


# What a table cannot know yet: cells that come up with a probability of at most p a step, given any past.


def likeliest_pair(P_i: Array, zeta_i: Array) -> float:
    """q_i = max P_i(s'|·) ζ_i(a'|s') ≥ the probability of any next pair (s_i, a_i), given any past.

    P_i : next state last, whatever stands before it. The product of q_j over N_i^κ bounds that of any next cell of i.
    """
    return float((P_i.reshape(-1, P_i.shape[-1]).max(axis=0) * zeta_i.max(axis=1)).max())


def unwritten(p: float, T: int) -> float:
    """(1-p)^T ≤ the probability that T steps leave a cell unwritten, if p bounds that of writing it in one step."""
    return (1.0 - p) ** T


def steps_to_write(p: float, delta: float) -> float:
    """log(1/δ) / log(1/(1-p)) ≤ the T after which a cell is written with probability 1-δ; infinite if p is 0."""
    return math.inf if p == 0.0 else math.log(1.0 / delta) / -math.log1p(-p) if p < 1.0 else 0.0


def new_cells(p: Sequence[float], hoods: Sequence[Sequence[int]], r_bar: float, gamma: float, T: int) -> float:
    """(√2 r̄/(n(1-γ))) A_T √(Σ_i (Σ_{j∈N_i^κ} p_j)²) ≥ ‖E ĝ - g⁰‖, g⁰ what E ĝ would be if no cell came twice.

    A_T = Σ_{k<T} γ^k (T-1+k) + γ^T T. p : by agent, at least the probability of any next cell of j. hoods : N_i^κ.
    Needs 0 ≤ Q̂ ≤ r̄/(1-γ), so h ≤ t0 (`paper/proofs.md`, theorem5_sharp, New cells).
    """
    chances = math.fsum(gamma**k * (T - 1 + k) for k in range(T)) + gamma**T * T
    met = math.sqrt(math.fsum(math.fsum(p[j] for j in hood) ** 2 for hood in hoods))
    return math.sqrt(2.0) * r_bar * chances * met / (len(hoods) * (1.0 - gamma)) * (1.0 + 1e-9)


# What a biased critic does to the actor, with the paper's bias and with the sharper ones of `td_fixed_point`.
#
# The last two functions are the second term of (9): twice the largest ‖∇J‖ times the bias of the direction of ascent.


def critic_sharp(L_i: float, bias: float, gamma: float) -> float:
    """L_i bias / (1-γ) ≥ ‖ĥ_i - ∇_{θ_i}J‖ when (7) is fed tables on the cells with |Q̂_j - Q_j| ≤ bias."""
    return L_i * bias / (1.0 - gamma)


def theorem5_bias(c: float, rho: float, kappa: int, L: float, r_bar: float, gamma: float) -> float:
    """12 L² c r̄ ρ^{κ+1} / (1-γ)^5, ε_κ as printed in (9)."""
    return 12.0 * L**2 * r_bar * definition2(c, rho, kappa) / (1.0 - gamma) ** 5


def theorem5_bias_sharp(kappa: int, L: float, r_bar: float, gamma: float) -> float:
    """6 L² r̄² γ^{κ+1} / (1-γ)^4: ε_κ with the bias of Lemma 3's structure (`paper/proofs.md`, critic_sharp)."""
    return 6.0 * L**2 * r_bar * td_fixed_point_local(r_bar, gamma, kappa) / (1.0 - gamma) ** 3


# Where TD settles: the fixed point q* is not a truncated Q-function of form (5), but it stays near Q_i.
#
# The first two bounds hold for the fixed point of q(x) = r_i(x) + γ E_m[q(x') | x] with ANY conditional law m of the
# outside given the cell, of which TD's is one (`paper/proofs.md`, td_fixed_point). So do those from the influence
# matrix (influence (d)); with C^θ from the second step on, m may depend on the inside's states only, as TD's does.

#: The series is iterated from above, so that every iterate is a bound, until none falls by more than this share.
SETTLED, MOST_ITERATIONS = 1e-6, 400


def td_fixed_point(gap: float, gamma: float) -> float:
    """gap / (1-γ) ≥ |q* - Q_i| when Q_i varies by `gap` (≤ c ρ^{κ+1}) at most over every cell; nothing else is used."""
    return gap / (1.0 - gamma)


def td_fixed_point_local(r_bar: float, gamma: float, kappa: int) -> float:
    """r̄ γ^{κ+1} / (1-γ) ≥ |q* - Q_i|: with the locality of eq. (1) averaging over the outside costs nothing more."""
    return definition2(*lemma3(r_bar, gamma), kappa)


def td_fixed_point_influence(
    C: csr_array, outsiders: Array, gamma: float, r_bar: float, later: csr_array | None = None
) -> Array:
    """(r̄γ/(1-γ)) (I - γC_BB)^{-1} C_BO 1 ≥ |q*_i - Q_i| for the cells of B, no entry above r̄γ^{d(i,O)}/(1-γ).

    outsiders : 1_O in columns, shape (n, m); row i of the result is the bound for agent i if i is not in O.
    later     : C^θ, which replaces C from the second step on. r_bar may be the span max r_i - min r_i of agent i.
    """
    out = np.asarray(outsiders, dtype=float)
    step = C if later is None else later
    bound = (1.0 - out) * _light_cone(C, out, gamma)
    # Everybody outside differs at every step; the first step takes C, the others C^θ.
    source = (1.0 - out) * (gamma * (C @ out) + gamma * gamma / (1.0 - gamma) * (step @ out))
    for _ in range(MOST_ITERATIONS):
        lower = np.minimum(bound, source + gamma * (1.0 - out) * (step @ bound))
        settled = bool((bound - lower <= SETTLED * bound).all())
        bound = lower
        if settled:
            break
    return r_bar * bound * _rounded_up(C, MOST_ITERATIONS)


def td_fixed_point_everywhere(
    C: csr_array, kappa_max: int, gamma: float, r_bar: float, later: csr_array | None = None
) -> Array:
    """A bound on |q*_i - Q_i| for all agents at once, shape (n, κ_max + 1), by one sparse product for each κ.

    S_0 = 1/(1-γ) and S_{d,i} = min(γ^d/(1-γ), γ Σ_{j≠i} C_ij S_{d-1,j} / (1 - γC_ii)) bounds `td_fixed_point_influence`
    for every B from whose outside i is d hops away; the bound at κ is r̄ S_{κ+1,i}. It bounds D_i(κ), too.
    """
    step = C if later is None else later
    off, first = (M - diags_array(M.diagonal()) for M in (step, C))
    scale = gamma / (1.0 - gamma * step.diagonal())
    ones = np.ones(C.shape[0])
    S = scale * (first @ ones + gamma / (1.0 - gamma) * (off @ ones))
    found = np.zeros((C.shape[0], kappa_max + 1))
    for kappa in range(kappa_max + 1):
        if kappa:
            S = np.minimum(S, scale * (off @ S))
        S = np.minimum(S, gamma ** (kappa + 1) / (1.0 - gamma))
        found[:, kappa] = S
    return r_bar * found * _rounded_up(C, kappa_max + 1)


def _light_cone(C: csr_array, outsiders: Array, gamma: float) -> Array:
    """γ^{d}/(1-γ), d the steps that the support of C needs from O to an agent; 0 where it never arrives."""
    reached, bound, d = outsiders > 0.0, np.zeros(outsiders.shape), 0
    rim = reached
    while rim.any():
        d += 1
        rim = (C @ reached.astype(float) > 0.0) & ~reached
        bound[rim] = gamma**d / (1.0 - gamma)
        reached = reached | rim
    return bound


def _rounded_up(C: csr_array, products: int) -> float:
    """A factor that covers the rounding of so many products; all terms are positive, so relative errors add."""
    return 1.0 + 4.0 * np.finfo(float).eps * (products + 2) * (int(np.diff(C.indptr).max(initial=0)) + 4)


# Assumption 3, sufficient local exploration: bounds on σ that need local kernels and local policies only.


def assumption3(kernels: Sequence[Array], least_actions: Sequence[float]) -> float:
    """Π_{j∈N_i^κ} min P_j · min ζ_j ≤ σ, for every lag of at least one step.

    kernels : P_j for j ∈ N_i^κ. least_actions : for each of them a lower bound on ζ_j(a|s), such as ε/A_j for policies
    mixed with ε of the uniform one; then the bound holds for ALL of these policies, as the assumption demands.
    """
    return math.prod(float(P_j.min()) * z_j for P_j, z_j in zip(kernels, least_actions, strict=True))


def assumption3_ceiling(policies: Sequence[Array]) -> float:
    """Π_{j∈N_i^κ} (max_s min_a ζ_j(a|s)) / S_j ≥ σ, at any lag: some s_{N_i^κ} has at most its share of the mass.

    policies : ζ_j of shape (S_j, A_j) for j ∈ N_i^κ. A softmax whose logits may grow has inf σ = 0.
    """
    return math.prod(float(zeta_j.min(axis=1).max()) / len(zeta_j) for zeta_j in policies)


# Section 3.3, complexity: what one agent stores depends on its neighborhood, not on n.


def complexity(graph: nx.Graph, kappa: int, S: int, A: int) -> float:
    """(SA)^{f(κ)}, f(κ) = max_i |N_i^κ|: entries of the largest table Q̂_i."""
    return float(S * A) ** max_neighborhood_size(graph, kappa)
