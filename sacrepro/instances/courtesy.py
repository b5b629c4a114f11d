"""The courtesy chain: agents that pay for what others enjoy, each needing to look some hops ahead to see that it pays.

On the path 0 - 1 - … - n-1 agent i's next bit is 1 with probability (1-c) a_i + c s_{i-1} (s_{-1} = 1/2), so an act of
agent i raises the bit of agent i+d by (1-c) c^d, d+1 steps later, whatever anybody else does. With
r_i(s_i, a_i) = s_i + price_i 1{a_i = 0} acting is worth

    B_i(κ) = Σ_{d=0}^{min(κ, n-1-i)} γ^{d+1} (1-c) c^d

to the agents up to κ hops on, and price_i lies midway between B_i(h_i - 1) and B_i(h_i), h_i = i mod (most + 1): who
counts fewer than h_i hops finds that acting does not pay, who counts h_i or more that it does. What all of them lose
with κ hops falls like (γc)^{κ+1}.
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.model.mdp import NetworkedMDP


def courtesy(n: int, *, gamma: float, coupling: float, most: int) -> NetworkedMDP:
    """The courtesy chain on n agents, S_i = A_i = 2.

    coupling : c ∈ (0, 1).        most : the largest h_i, from 0 to n-1; h_i is cut at n-1-i, where the path ends.
    """
    if not 0.0 < coupling < 1.0:
        raise ValueError(f"courtesy: coupling must lie in (0, 1), got {coupling}")
    if n < 1 or not 0 <= most < n:
        raise ValueError(f"courtesy: most must lie in 0..n-1, got {most} with n = {n}")
    P, r = [], []
    for i in range(n):
        before = np.array([0.5, 0.5]) if i == 0 else np.array([0.0, 1.0])
        # Axes of P_i: the sorted neighbors (i-1, i, i+1 where they exist), a_i, s_i'.
        one = coupling * before[:, None] + (1.0 - coupling) * np.array([0.0, 1.0])
        rows = np.stack([1.0 - one, one], axis=-1)
        if i > 0:
            rows = np.broadcast_to(rows[:, None], (2, 2, 2, 2))
        if i < n - 1:
            rows = np.broadcast_to(rows[..., None, :, :], (*rows.shape[:-2], 2, 2, 2))
        P.append(rows)
        hops = min(i % (most + 1), n - 1 - i)
        worth = np.cumsum([gamma ** (d + 1) * (1.0 - coupling) * coupling**d for d in range(hops + 1)])
        price = worth[-1] - 0.5 * gamma ** (hops + 1) * (1.0 - coupling) * coupling**hops
        r.append(np.array([[price, 0.0], [1.0 + price, 1.0]]))
    return NetworkedMDP(nx.path_graph(n), tuple(P), tuple(r), gamma, (np.full(2, 0.5),) * n)
