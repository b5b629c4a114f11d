"""What a learner may be given, `AnySimulator`, and what it sees of it: episodes, how they are keyed and checked."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array, action_tables, integer
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.notices import described, in_one_line
from sacrepro.model.policy import Policy
from sacrepro.simulate.tables import Tables, pair_starts

#: s_i·A_i + a_i must fit an unsigned 16-bit integer.
MOST_PAIRS = 1 << 16

#: Seeds are run together up to this many agents, which is where longer loops stop paying.
_AGENTS_TOGETHER = 1024


@in_one_line
class Trajectory(NamedTuple):
    """One episode of Algorithm 1, lines 2-5, at t = 0..T; row i is agent i's own time series.

    s : (n, T+1) local states.        a : (n, T+1) local actions.        r : (n, T+1) rewards r_i(t), float64.
    """

    s: Array
    a: Array
    r: Array


class Episode(NamedTuple):
    """Trajectories of B seeds at t = 0..T as `critic` reads them; row i·B + b is agent i under seed b.

    z     : s_i(t)·A_i + a_i(t), at least n·B rows and T+1 columns; what is beyond is not read.
    code, reward, start : r_i(t) = reward[start[i] + code[i, t]].
    """

    z: Array
    code: Array
    reward: Array
    start: Array

    @staticmethod
    def of(z: Array, r: Array) -> Episode:
        """From z and r, both (agents, T+1). Few distinct rewards are numbered in the type of z, so that what is
        compiled for a model's episodes reads these too; of many, each is an entry of the agent's own list."""
        values = np.unique(r) + 0.0  # -0.0 becomes 0.0
        if len(values) <= min(np.iinfo(z.dtype).max + 1, r.shape[1]):
            return Episode.among(values, z, np.searchsorted(values, r).astype(z.dtype))
        code, start = _own_entries(*z.shape)
        return Episode(z, code, r.ravel() + 0.0, start)

    @staticmethod
    def among(values: Array, z: Array, code: Array) -> Episode:
        """Every agent's rewards are values[code]."""
        agents = len(z)
        return Episode(z, code, np.tile(values, agents), np.arange(agents + 1) * len(values))

    def r(self, agents: int, T: int) -> Array:
        """r_i(t), shape (agents, T+1)."""
        return self.reward[self.start[:agents, None] + self.code[:agents, : T + 1]]


@functools.lru_cache(maxsize=4)
def _own_entries(n: int, length: int) -> tuple[Array, Array]:
    """(code, start) of an `Episode` in which each reward has an entry of its own; shared, and only read."""
    return np.tile(np.arange(length, dtype=np.uint32), (n, 1)), np.arange(n + 1) * length


@runtime_checkable
class AnySimulator(Protocol):
    """What a learner may be given, and all that it asks of it; whatever has these is one.

    graph, state_sizes, action_sizes, gamma, n : of the network.
    together : how many seeds `episodes` takes at once, and profitably does.
    """

    graph: nx.Graph
    state_sizes: tuple[int, ...]
    action_sizes: tuple[int, ...]
    gamma: float
    n: int
    together: int

    def episodes(self, zeta: Array, seeds: Array, m: int, T: int) -> Episode:
        """The episodes of outer iteration m, one a seed, under policies ζ that are flat over (i, b, s, a)."""

    def compiled(self, copies: int) -> Tables | None:
        """What `sacrepro.simulate.rollout.rollout` reads to sample `copies` seeds; None for what is stepped."""

    def rollout(self, zeta: Sequence[Array] | Policy, T: int, *, seed: int, m: int) -> Trajectory:
        """The trajectory of outer iteration m under `seed` and the policies ζ, blocks (S_i, A_i), at t = 0..T."""


class BaseSimulator(ABC):
    """What the simulators of this room share: sizes, and `rollout` by `episodes`.

    graph, state_sizes, action_sizes, gamma, n : of the network.
    pair : (n+1,) where agent i's block (S_i, A_i) begins in flat arrays over all agents.
    """

    def __init__(self, graph: nx.Graph, state_sizes: Sequence[int], action_sizes: Sequence[int], gamma: float) -> None:
        self.graph, self.gamma, self.n = graph, gamma, len(graph)
        self.state_sizes, self.action_sizes = tuple(state_sizes), tuple(action_sizes)
        self.together = seeds_together(self.n)
        self.pair = pair_starts(self.state_sizes, self.action_sizes)
        self.code_type = code_type(self.state_sizes, self.action_sizes)

    @abstractmethod
    def episodes(self, zeta: Array, seeds: Array, m: int, T: int) -> Episode:
        """As of `AnySimulator`."""

    def compiled(self, copies: int) -> Tables | None:
        """None: it is stepped, and has no tables."""
        return None

    def rollout(self, zeta: Sequence[Array] | Policy, T: int, *, seed: int, m: int) -> Trajectory:
        """The trajectory of outer iteration m under `seed` and the policies ζ, blocks (S_i, A_i), at t = 0..T.

        It depends on (ζ, T's length, seed, m) alone, and a longer T continues a shorter one. Raises ValueError for
        policies that are not distributions of the right shape, T < 1, or a key outside 0..2^64-1, MemoryError before
        starting if so long an episode cannot fit.
        """
        flat = flat_policy(zeta, self.state_sizes, self.action_sizes)
        check_key(seed, m)
        T = integer("T", T, 1)
        item = np.dtype(self.code_type).itemsize
        demand_episode(self, T, 1, self.n * (2 * item + np.dtype(np.float64).itemsize))
        episode = self.episodes(flat, np.array([seed], dtype=np.uint64), m, T)
        s, a = np.divmod(episode.z[: self.n, : T + 1], np.array(self.action_sizes, dtype=np.uint32)[:, None])
        return Trajectory(s.astype(self.code_type), a.astype(self.code_type), episode.r(self.n, T))

    def __repr__(self) -> str:
        return described(self)


def seeds_together(n: int) -> int:
    """How many seeds of a network of n agents are run as one network."""
    return max(1, _AGENTS_TOGETHER // n)


def code_type(state_sizes: Sequence[int], action_sizes: Sequence[int]) -> type[np.uint8] | type[np.uint16]:
    """The smallest unsigned type that holds every s_i·A_i + a_i; ValueError names an agent with too many pairs."""
    pairs = [S_i * A_i for S_i, A_i in zip(state_sizes, action_sizes, strict=True)]
    largest = max(pairs)
    if largest > MOST_PAIRS:
        i = pairs.index(largest)
        raise ValueError(f"agent {i} has S_{i}·A_{i} = {largest} state-action pairs; at most {MOST_PAIRS} fit")
    return np.uint8 if largest <= 1 << 8 else np.uint16


def demand_episode(simulator: AnySimulator, T: int, copies: int, each: int = 0) -> None:
    """MemoryError unless an episode of so many copies fits; each : bytes that a step takes beside z."""
    item = np.dtype(code_type(simulator.state_sizes, simulator.action_sizes)).itemsize
    needed = (T + 1) * (simulator.n * copies * item + each)
    demand(f"an episode of T = {readable_count(T)} steps", needed, None, "a smaller T fits")


def check_key(seed: int, m: int) -> None:
    """Refuse what is not a pair of integers in 0..2^64-1."""
    for name, value in (("seed", seed), ("m", m)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, got {value!r}")
        if not 0 <= value < 1 << 64:
            raise ValueError(f"{name} must lie in 0..2^64-1, got {value}")


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
