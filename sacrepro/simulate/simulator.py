"""What the learner may see of a model: its graph, its sizes, γ and trajectories. The kernels stay behind the wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.counted import CountedMDP
from sacrepro.model import Array, NetworkedMDP, action_tables
from sacrepro.notices import brief, described
from sacrepro.policy import Policy
from sacrepro.simulate.kernel import policy_thresholds, rollout, room
from sacrepro.simulate.tables import Sampled, Tables, pair_starts, sampled, tables

#: s_i·A_i + a_i must fit an unsigned 16-bit integer.
MOST_PAIRS = 1 << 16


class Trajectory(NamedTuple):
    """One episode of Algorithm 1, lines 2-5, at t = 0..T; row i is agent i's own time series.

    s : (n, T+1) local states.        a : (n, T+1) local actions.        r : (n, T+1) rewards r_i(t), float64.
    """

    s: Array
    a: Array
    r: Array

    def __repr__(self) -> str:
        return brief(self)


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
        """What `sacrepro.simulate.kernel.rollout` reads to sample `copies` seeds at once; opaque to the learner."""
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


def code_type(state_sizes: Sequence[int], action_sizes: Sequence[int]) -> type[np.uint8] | type[np.uint16]:
    """The smallest unsigned type that holds every s_i·A_i + a_i; ValueError names an agent with too many pairs."""
    pairs = [S_i * A_i for S_i, A_i in zip(state_sizes, action_sizes, strict=True)]
    largest = max(pairs)
    if largest > MOST_PAIRS:
        i = pairs.index(largest)
        raise ValueError(f"agent {i} has S_{i}·A_{i} = {largest} state-action pairs; at most {MOST_PAIRS} fit")
    return np.uint8 if largest <= 1 << 8 else np.uint16


def check_key(seed: int, m: int) -> None:
    """Refuse what is not a pair of integers in 0..2^64-1."""
    for name, value in (("seed", seed), ("m", m)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if not 0 <= value < 1 << 64:
            raise ValueError(f"{name} must lie in 0..2^64-1, got {value}")


def episode_length(T: int) -> int:
    """T, refused unless it is an integer of at least 1."""
    if isinstance(T, bool) or not isinstance(T, (int, np.integer)):
        raise TypeError(f"T must be an integer, got {T!r}")
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    return int(T)


def flat_policy(zeta: Sequence[Array] | Policy, state_sizes: Sequence[int], action_sizes: Sequence[int]) -> Array:
    """The policies ζ_i, blocks (S_i, A_i), as one flat float64 array; ValueError names the agent that is wrong."""
    blocks = action_tables("zeta", zeta.zeta if isinstance(zeta, Policy) else zeta, state_sizes, action_sizes)
    for i, block in enumerate(blocks):
        if not ((block >= 0).all() and (np.abs(block.sum(axis=1) - 1.0) <= 1e-12).all()):
            raise ValueError(
                f"zeta[{i}] of agent {i} must hold one distribution over actions in each row; "
                "of logits that is sacrepro.softmax"
            )
    return np.concatenate([block.ravel() for block in blocks])
