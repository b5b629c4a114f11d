"""What the learner may see of a model: its graph, its sizes, γ and trajectories. The kernels stay behind the wall."""

from __future__ import annotations

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.simulate.rollout import buffers, policy_thresholds, rollout
from sacrepro.simulate.tables import Sampled, Tables, sampled, tables
from sacrepro.simulate.trajectory import BaseSimulator, Episode


class Simulator(BaseSimulator):
    """Samples trajectories of a model under localized policies and shows nothing else of it.

    mdp   : a NetworkedMDP or CountedMDP, or what a network file makes of rules that never become tables.
    graph, state_sizes, action_sizes, gamma, n : as in the model.
    pair : (n+1,) where agent i's block (S_i, A_i) begins in flat arrays over all agents.
    Raises TypeError for another kind of model, ValueError when some S_i·A_i exceeds 65,536.

    >>> from sacrepro import Simulator, build, sac, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> simulator = Simulator(mdp)
    >>> trace = sac(simulator, uniform_theta(mdp), kappa=0, M=10, T=20, h=2, t0=4, eta=1.0, seed=0)
    >>> trace.first_visit_share.shape
    (10,)
    """

    def __init__(self, mdp: NetworkedMDP | CountedMDP | Sampled) -> None:
        if not isinstance(mdp, (NetworkedMDP, CountedMDP, Sampled)):
            raise TypeError(
                f"expected a NetworkedMDP or a CountedMDP, got {type(mdp).__name__}; sacrepro.simulate.as_simulator "
                "takes any model"
            )
        super().__init__(mdp.graph, mdp.state_sizes, mdp.action_sizes, mdp.gamma)
        self._mdp: NetworkedMDP | CountedMDP | Sampled = mdp
        self._tables: dict[int, Tables] = {}

    def compiled(self, copies: int) -> Tables:
        """What `sacrepro.simulate.rollout.rollout` reads to sample `copies` seeds at once; opaque to the learner."""
        if copies not in self._tables:
            if not isinstance(self._mdp, Sampled):
                self._mdp = sampled(self._mdp)
            self._tables[copies] = tables(self._mdp, copies)
        return self._tables[copies]

    def episodes(self, zeta: Array, seeds: Array, m: int, T: int) -> Episode:
        """As of `AnySimulator`: rewards are entries of the model's tables, which z itself numbers."""
        opaque = self.compiled(len(seeds))
        trajectory = buffers(opaque, T)
        policy = np.empty(len(zeta), dtype=np.uint32)
        policy_thresholds(opaque.S, opaque.A, opaque.pair, zeta, policy)
        rollout(opaque, policy, seeds, np.uint64(m), T, trajectory)
        return Episode(trajectory.z, trajectory.z, opaque.reward, opaque.pair)
