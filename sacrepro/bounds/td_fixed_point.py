"""Where TD settles: the fixed point q* is not a truncated Q-function of form (5), but it stays near Q_i.

The first two bounds hold for the fixed point of q(x) = r_i(x) + γ E_m[q(x') | x] with ANY conditional law m of the
outside given the cell, of which TD's is one (`paper/proofs.md`, td_fixed_point). So do those from the influence matrix
(influence (d)); with C^θ from the second step on, m may depend on the inside's states only, as TD's does.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

from sacrepro.bounds.definition2 import definition2
from sacrepro.bounds.lemma3 import lemma3
from sacrepro.model import Array

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
