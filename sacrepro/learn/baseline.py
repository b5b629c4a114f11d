"""Extension `baseline` of Algorithm 1: line 11 with advantages.

Agent i holds against its score, for each j ∈ N_i^κ, not Q̂_j(x) but

    Q̂_j(x) - b_ij(x),      b_ij(x) = Σ_b ζ_i(b|s_i) Q̂_j(x with a_i = b),      x = (s_{N_j^κ}, a_{N_j^κ}).

Why this leaves ĥ_i of eq. (7) unchanged for every table Q̂. Fix the states and the actions of all agents but i. Then
b_ij is a number, since a_i is averaged out of it, and the actions of different agents are independent given the
states, so

    E[b_ij ∇_{θ_i} log ζ_i(a_i|s_i)] = b_ij Σ_a ζ_i(a|s_i) ∇ log ζ_i(a|s_i) = b_ij ∇ Σ_a ζ_i(a|s_i) = b_ij ∇ 1 = 0.

Taking the mean over everything fixed ends the proof. All it needs is that b_ij does not depend on a_i; with ε-mixed
policies ζ_i is the mixture. The table must be fixed before the actions are drawn: Algorithm 1 reads Q̂^T off the same
episode, so line 11 is not an unbiased estimate of (7), with or without a baseline. Where Q̂_j does not change with a_i
the advantage is zero, and that term's variance with it. Entries that line 7 has not written count as zero in the mean,
as they do in Q̂.
"""

from __future__ import annotations

import numpy as np

from sacrepro.learn.cells import Hoods, id_of
from sacrepro.learn.warm_start import Carried, slot_of
from sacrepro.model import Array
from sacrepro.simulate.compiled import compiled


@compiled
def advantage_marginals(
    W: Array,
    Q_hat: Array,
    cells: int,
    first: Array,
    code: Array,
    slot: Array,
    table: Carried,
    z: Array,
    A: Array,
    pair: Array,
    zeta: Array,
    hoods: Hoods,
    j: int,
    G: Array,
) -> None:
    """Adds Σ_{cells with z_i = z} W(cell) (Q̂_j(cell) - b_ij(cell)) to G[i, z] for each i ∈ N_j^κ.

    Cells of this episode are numbered as by `compress`; Q̂_j of others is in `table`, or zero.
    """
    stride = np.uint64(1)
    for e in range(hoods.start[j + 1] - 1, hoods.start[j] - 1, -1):
        i = hoods.agent[e]
        actions = np.int64(A[i])
        for c in range(cells):
            t = first[c]
            z_i = np.int64(z[i, t])
            own = z_i % actions
            least = code[t] - np.uint64(own) * stride
            mean = 0.0
            for b in range(actions):
                cell = least + np.uint64(b) * stride
                known = id_of(cell, code, slot, first)
                value = Q_hat[known] if known >= 0 else table.value[slot_of(table, j, cell)]
                mean += zeta[pair[i] + z_i - own + b] * value
            G[pair[i] + z_i] += W[c] * (Q_hat[c] - mean)
        stride *= np.uint64(hoods.pairs[i])
