"""Action-coupled networks, a superset of eqs. (1)-(2): neighbors' actions act at once, and rewards see neighbors.

    P(s(t+1) | s(t), a(t)) = Π_i P_i(s_i(t+1) | s_{N_i}(t), a_{N_i}(t)),      r_i = r_i(s_{N_i}, a_{N_i}) ∈ [0, r̄].

With neighbors' actions in the kernels Lemma 3 keeps its exponent; with neighbors in the rewards it loses one hop
(`sacrepro.bounds.reward_radius`).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sacrepro.model import Array, LocalModel, NetworkedMDP, wrong_shape


class CoupledMDP(LocalModel):
    """The action-coupled model, copied, checked and frozen on construction.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i) + (S_i,)``.
    r     : one reward table an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i)``, entries ≥ 0.
    gamma : discount γ ∈ [0, 1).
    pi0   : a tuple of n marginals of shape ``(S_i,)``, or one joint array of shape ``(S_0, …, S_{n-1})``.

    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.
    """

    def _check_rewards(self) -> None:
        for i, (r_i, hood) in enumerate(zip(self.r, self.neighbors, strict=True)):
            if r_i.ndim != 2 * len(hood) or r_i.size == 0:
                what = f"one state and one action axis for each agent of N_{i} = {hood}, none empty"
                raise ValueError(wrong_shape("r", i, r_i, what))
        for i, r_i in enumerate(self.r):
            if r_i.shape != self._row_shape(i):
                raise ValueError(f"{wrong_shape('r', i, r_i, self._row_shape(i))}: {_axes('r', self.neighbors[i], i)}")

    def _row_shape(self, i: int) -> tuple[int, ...]:
        hood = self.neighbors[i]
        return (*(self.state_sizes[j] for j in hood), *(self.action_sizes[j] for j in hood))

    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        return (*self._row_shape(i), self.state_sizes[i])

    def _kernel_axes(self, i: int) -> str:
        return _axes("P", self.neighbors[i], i)

    @cached_property
    def state_sizes(self) -> tuple[int, ...]:
        """(S_0, …, S_{n-1})."""
        return tuple(self.r[i].shape[hood.index(i)] for i, hood in enumerate(self.neighbors))

    @cached_property
    def action_sizes(self) -> tuple[int, ...]:
        """(A_0, …, A_{n-1})."""
        return tuple(self.r[i].shape[len(hood) + hood.index(i)] for i, hood in enumerate(self.neighbors))


#: Either kind of model, for what accepts both.
Model = NetworkedMDP | CoupledMDP


def as_coupled(mdp: NetworkedMDP) -> CoupledMDP:
    """A model of eq. (1) as an action-coupled one, whose kernels and rewards do not use what they may see."""
    if not isinstance(mdp, NetworkedMDP):
        raise TypeError(f"expected a NetworkedMDP, got {type(mdp).__name__}")
    P, r = [], []
    for i, hood in enumerate(mdp.neighbors):
        own = hood.index(i)
        S, A = [mdp.state_sizes[j] for j in hood], [mdp.action_sizes[j] for j in hood]
        alone = [A[k] if k == own else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(mdp.P[i].reshape(*S, *alone, mdp.state_sizes[i]), (*S, *A, mdp.state_sizes[i])))
        itself = [S[k] if k == own else 1 for k in range(len(hood))]
        r.append(np.broadcast_to(mdp.r[i].reshape(*itself, *alone), (*S, *A)))
    return CoupledMDP(mdp.graph, tuple(P), tuple(r), mdp.gamma, mdp.pi0)


def over_pairs(table: Array, count: int) -> Array:
    """Axes (s_1, …, s_k, a_1, …, a_k, rest) as (z_1, …, z_k, rest), z = s·A + a."""
    order = [axis for k in range(count) for axis in (k, count + k)]
    pairs = [table.shape[k] * table.shape[count + k] for k in range(count)]
    return table.transpose([*order, *range(2 * count, table.ndim)]).reshape(*pairs, *table.shape[2 * count :])


def _axes(name: str, hood: tuple[int, ...], i: int) -> str:
    states, actions = ", ".join(f"S_{j}" for j in hood), ", ".join(f"A_{j}" for j in hood)
    last = (f", S_{i}", ", then the next state") if name == "P" else ("", "")
    return f"({states}, {actions}{last[0]}), the states, then the actions of N_{i} in sorted order{last[1]}"
