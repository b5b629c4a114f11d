"""Algorithm 1, lines 11-12, compiled, for the tabular softmax: ∇_{θ_i} log ζ_i(a|s) has entries 1{b=a} - ζ_i(b|s)."""

from __future__ import annotations

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled


@compiled
def softmax_blocks(pair: Array, A: Array, theta: Array, zeta: Array) -> None:
    """Writes ζ_i(a|s) for all agents; theta and zeta are flat over (i, s, a)."""
    for i in range(len(A)):
        for first in range(pair[i], pair[i + 1], A[i]):
            last = first + A[i]
            largest = theta[first]
            for k in range(first, last):
                largest = max(largest, theta[k])
            total = 0.0
            for k in range(first, last):
                zeta[k] = np.exp(theta[k] - largest)
                total += zeta[k]
            for k in range(first, last):
                zeta[k] /= total


@compiled
def g_hat_blocks(pair: Array, A: Array, zeta: Array, n: int, G: Array, g_hat: Array) -> None:
    """Writes ĝ_i(m) of line 11 from G[i, z], the discounted sums that `critic` leaves; all flat over (i, s, a)."""
    for i in range(len(A)):
        for first in range(pair[i], pair[i + 1], A[i]):
            total = 0.0
            for k in range(first, first + A[i]):
                total += G[k]
            for k in range(first, first + A[i]):
                g_hat[k] = (G[k] - zeta[k] * total) / n


@compiled
def ascend(theta: Array, g_hat: Array, eta: float, m: int) -> int:
    """θ(m+1) = θ(m) + η_m ĝ(m) with η_m = η/√(m+1), line 12, in place; returns the first entry that is lost, or -1.

    Lost is what was finite and is not, or is NaN: a logit of -inf, which makes an action impossible, stays.
    """
    eta_m = eta / np.sqrt(m + 1.0)
    nothing = 0.0  # a difference of what is not finite with itself is NaN, and a sum is quicker than a branch
    for k in range(len(theta)):
        after = theta[k] + eta_m * g_hat[k]
        nothing += after - after
    lost = -1
    if nothing != 0.0:
        for k in range(len(theta)):
            after = theta[k] + eta_m * g_hat[k]
            if lost < 0 and not np.isfinite(after) and after != theta[k]:
                lost = k
    for k in range(len(theta)):
        theta[k] += eta_m * g_hat[k]
    return lost


# Extension `epsilon` of Algorithm 1: ε-mixed policies, so that Assumption 3 can hold.
#
#     ζ_i^ε(a|s) = (1-ε) ζ_i(a|s) + ε/A_i,      ζ_i the softmax of θ_i.
#
# Every action keeps probability at least ε/A_i, whatever θ_i; a softmax alone has no such floor. The score is exact,
#
#     ∂ log ζ_i^ε(a|s) / ∂θ_i(s,b) = w_i(a|s) (1{a=b} - ζ_i(b|s)),     w_i = (1-ε) ζ_i / ζ_i^ε ∈ [0, 1],
#
# so the bound L_i = √2 of the softmax stays valid. Line 11 is linear in the score: with G replaced by w·G it is the
# softmax's line 11, which is how it is computed.


@compiled
def mixed_blocks(pair: Array, A: Array, softmax: Array, epsilon: float, zeta: Array) -> None:
    """Writes ζ_i^ε(a|s) for all agents; flat over (i, s, a)."""
    for i in range(len(A)):
        for k in range(pair[i], pair[i + 1]):
            zeta[k] = (1.0 - epsilon) * softmax[k] + epsilon / A[i]


@compiled
def mixed_sums(softmax: Array, zeta: Array, epsilon: float, G: Array) -> None:
    """G[i, (s, a)] times w_i(a|s), in place."""
    for k in range(len(G)):
        G[k] *= (1.0 - epsilon) * softmax[k] / zeta[k]
