"""The witness that TD does not compute a truncated Q-function of form (5).

Two agents, κ = 0, actions without effect, r_0 = s_0, γ = 0.9, and the probabilities of s_i' = 1 below. Under the
stationary law the outside s_1 is mostly 1 when s_0 = 0 and mostly 0 when s_0 = 1; TD averages the next cell
with these odds in every step, so it puts q*(s_0 = 1) a whole unit below every Q_0(s_0 = 1, ·).
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from sacrepro.model import Array, NetworkedMDP

#: P(s_i' = 1 | s_0, s_1) for i = 0, 1.
NEXT_IS_ONE = (
    np.array([[0.98, 0.0], [0.97, 0.94]]),
    np.array([[1.0, 0.99], [0.57, 0.23]]),
)


def td_witness(*, gamma: float = 0.9, actions: int = 1) -> NetworkedMDP:
    """The two-agent witness, S_i = 2; its numbers are those of γ = 0.9.

    actions : A_i; actions have no effect.
    """
    if actions < 1:
        raise ValueError(f"td_witness: actions must be at least 1, got {actions}")

    def kernel(one: Array) -> Array:
        both = np.stack([1.0 - one, one], axis=-1)
        return np.repeat(both[:, :, None, :], actions, axis=2)

    r_0 = np.repeat([[0.0], [1.0]], actions, axis=1)
    half = np.full(2, 0.5)
    P = tuple(kernel(one) for one in NEXT_IS_ONE)
    return NetworkedMDP(nx.path_graph(2), P, (r_0, np.zeros((2, actions))), gamma, (half, half))
