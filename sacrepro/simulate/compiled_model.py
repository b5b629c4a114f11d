"""What the learner may see of a model: its graph, its sizes, γ and trajectories. The kernels stay behind the wall."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.notices import described
from sacrepro.model.policy import Policy
from sacrepro.simulate.rollout import policy_thresholds, rollout, room
from sacrepro.simulate.tables import Sampled, Tables, pair_starts, sampled, tables
from sacrepro.simulate.trajectory import Trajectory, check_key, code_type, episode_length, flat_policy


class Simulator:
    """Samples trajectories of a model under localized policies and shows nothing else of it.

    mdp   : a NetworkedMDP or CountedMDP, or what a network file makes of rules that never become tables.
    graph, state_sizes, action_sizes, gamma, n : as in the model.
    pair : (n+1,) where agent i's block (S_i, A_i) begins in flat arrays over all agents.
    Raises TypeError for another kind of model, ValueError when some S_i·A_i exceeds 65,536.
    """

    def __init__(self, mdp: NetworkedMDP | CountedMDP | Sampled) -> None:
        if not isinstance(mdp, (NetworkedMDP, CountedMDP, Sampled)):
            raise TypeError(
                f"expected a NetworkedMDP or a CountedMDP, got {type(mdp).__name__}; sacrepro.simulate.as_simulator "
                "takes any model"
            )
        self.graph: nx.Graph = mdp.graph
        self.state_sizes = mdp.state_sizes
        self.action_sizes = mdp.action_sizes
        self.gamma = mdp.gamma
        self.n = len(mdp.r)
        self.pair = pair_starts(self.state_sizes, self.action_sizes)
        self.code_type = code_type(self.state_sizes, self.action_sizes)
        self._mdp: NetworkedMDP | CountedMDP | Sampled = mdp
        self._tables: dict[int, Tables] = {}

    def __repr__(self) -> str:
        return described(self)

    def tables(self, copies: int) -> Tables:
        """What `sacrepro.simulate.rollout.rollout` reads to sample `copies` seeds at once; opaque to the learner."""
        if copies not in self._tables:
            if not isinstance(self._mdp, Sampled):
                self._mdp = sampled(self._mdp)
            self._tables[copies] = tables(self._mdp, copies)
        return self._tables[copies]

    def rollout(self, zeta: Sequence[Array] | Policy, T: int, *, seed: int, m: int) -> Trajectory:
        """The trajectory of outer iteration m under `seed` and the policies ζ, blocks (S_i, A_i), at t = 0..T.

        It depends on (ζ, T's length, seed, m) alone, and a longer T continues a shorter one. Raises ValueError for
        policies that are not distributions of the right shape, T < 1, or a key outside 0..2^64-1.
        """
        flat = flat_policy(zeta, self.state_sizes, self.action_sizes)
        check_key(seed, m)
        opaque = self.tables(1)
        trajectory = room(self.n, episode_length(T), 1, self.code_type)
        policy = np.empty(len(flat), dtype=np.uint32)
        policy_thresholds(opaque.S, opaque.A, self.pair, flat, policy)
        rollout(opaque, policy, np.array([seed], dtype=np.uint64), np.uint64(m), T, trajectory)
        z = trajectory.z[: self.n, : T + 1]
        s, a = np.divmod(z, opaque.A[:, None])
        r = opaque.reward[self.pair[:-1, None] + z]
        return Trajectory(s.astype(self.code_type), a.astype(self.code_type), r)
