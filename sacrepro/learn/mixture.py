"""Extension `epsilon` of Algorithm 1: ε-mixed policies, so that Assumption 3 can hold.

    ζ_i^ε(a|s) = (1-ε) ζ_i(a|s) + ε/A_i,      ζ_i the softmax of θ_i.

Every action keeps probability at least ε/A_i, whatever θ_i; a softmax alone has no such floor. The score is exact,

    ∂ log ζ_i^ε(a|s) / ∂θ_i(s,b) = w_i(a|s) (1{a=b} - ζ_i(b|s)),     w_i = (1-ε) ζ_i / ζ_i^ε ∈ [0, 1],

so the bound L_i = √2 of the softmax stays valid. Line 11 is linear in the score: with G replaced by w·G it is the
softmax's line 11, which is how it is computed.
"""

from __future__ import annotations

from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled


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
