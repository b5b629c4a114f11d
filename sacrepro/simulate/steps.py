"""The sampling formula as plain code: one agent, one step, one word at a time. The oracle of the compiled loop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.model.checks import Array, action_tables
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.policy import Policy
from sacrepro.simulate.random_bits import SCALE, START, STEP
from sacrepro.simulate.trajectory import Trajectory

_MASK = (1 << 64) - 1
_G = 0x9E3779B97F4A7C15


def mix(z: int, k: int = 0) -> int:
    """SplitMix64's finalizer of z on Python integers, with the key k added between its multiplications."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = ((z ^ (z >> 27)) + k) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def word(seed: int, m: int, purpose: int, t: int, i: int) -> int:
    """The 64-bit word of (seed, m, purpose, t, i), as defined in `sacrepro.simulate.random_bits`."""
    key = mix((seed + _G) & _MASK)
    key = mix((key + m + _G) & _MASK)
    key = mix((key + purpose + _G) & _MASK)
    k0 = mix((key + (t + 1) * _G) & _MASK)
    k1 = mix(k0 ^ key)
    return mix((k0 + i * _G) & _MASK, k1)


def draw(u: int, distribution: Sequence[float]) -> int:
    """The outcome that the 31-bit integer u picks: the first k with u < ⌊2^31 (p_0 + … + p_k) + ½⌋."""
    total = 0.0
    for k, p in enumerate(distribution[:-1]):
        total += float(p)
        if u < int(total * SCALE + 0.5):
            return k
    return len(distribution) - 1


def start_by_steps(mdp: NetworkedMDP, *, seed: int, m: int) -> tuple[int, ...]:
    """s(0) ~ π_0 of outer iteration m under `seed`."""
    if isinstance(mdp.pi0, np.ndarray):
        u53 = (word(seed, m, START, 0, 0) >> 11) * 2.0**-53
        total = 0.0
        for s in np.ndindex(*mdp.state_sizes):
            total += float(mdp.pi0[s])
            if u53 < total:
                return tuple(s)
        return tuple(int(s_i) for s_i in np.argwhere(mdp.pi0)[-1])  # the last possible outcome
    return tuple(draw(word(seed, m, START, 0, i) & (SCALE - 1), list(p)) for i, p in enumerate(mdp.pi0))


def rollout_by_steps(
    mdp: NetworkedMDP | CountedMDP, zeta: Sequence[Array] | Policy, T: int, *, seed: int, m: int
) -> Trajectory:
    """The trajectory that `Simulator(mdp).rollout` returns for the same keys, read off eq. (1) step by step."""
    if isinstance(mdp, CountedMDP):
        mdp = mdp.expanded()
    if not isinstance(mdp, NetworkedMDP):
        raise TypeError(f"expected a NetworkedMDP or a CountedMDP, got {type(mdp).__name__}")
    laws = action_tables("zeta", zeta.zeta if isinstance(zeta, Policy) else zeta, mdp.state_sizes, mdp.action_sizes)
    n = mdp.n
    s = np.zeros((n, T + 1), dtype=np.int64)
    a = np.zeros((n, T + 1), dtype=np.int64)
    r = np.zeros((n, T + 1))
    state = start_by_steps(mdp, seed=seed, m=m)
    for t in range(T + 1):
        following = []
        for i in range(n):
            w = word(seed, m, STEP, t, i)
            a_i = draw(w >> 33, list(laws[i][state[i]]))
            s[i, t], a[i, t], r[i, t] = state[i], a_i, mdp.r[i][state[i], a_i]
            conditions = tuple(state[j] for j in mdp.neighbors[i])
            following.append(draw(w & (SCALE - 1), list(mdp.P[i][(*conditions, a_i)])))
        state = tuple(following)
    return Trajectory(s, a, r)
