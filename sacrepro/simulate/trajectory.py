"""Trajectories, how they are keyed and checked, and what a learner observes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array, action_tables
from sacrepro.model.notices import brief
from sacrepro.model.policy import Policy

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


#: z, then each reward's place in the agent's list, the lists, and where they begin: what `critic` reads.
Observed = tuple[Array, Array, Array, Array]


def observed(episode: Trajectory, A: Array, code_type: type) -> Observed:
    """A trajectory as `critic` reads it: z; and r_i(t) as entry t of agent i's own list of rewards."""
    return listed((episode.s * A[:, None] + episode.a).astype(code_type), episode.r)


def listed(z: Array, r: Array) -> Observed:
    """z and r, both (agents, T+1), as `critic` reads them."""
    n, length = z.shape
    steps = np.broadcast_to(np.arange(length, dtype=np.uint32), (n, length)).copy()
    return z, steps, r.ravel() + 0.0, np.arange(n + 1) * length
