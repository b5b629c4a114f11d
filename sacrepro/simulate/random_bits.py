"""Counter-based randomness: the 64-bit word of (seed, m, purpose, t, i) is a function of these five numbers alone.

Results therefore do not depend on threads, on batching or on the order of jobs. Two mixing functions are used, both
bijections of 64 bits: `mix`, the finalizer of SplitMix64 (Steele, Lea, Flood 2014, constants of Stafford's variant 13),
and `keyed_mix`, the same with a second key added between its two multiplications.

    (k0, k1) = keys of (seed, m, purpose), then of t, by repeated `mix`; once a step, shared by all agents
    word     = keyed_mix(k0 + i·G, k1),    G = 2^64 / golden ratio, odd

Two steps, runs or purposes would have to agree in 128 key bits, up to a shift, to share words. Within a step the words
of different agents are distinct.

One word serves one agent-step: bits 33-63 pick a_i(t) and bits 0-30 pick s_i(t+1), by comparing 31-bit integers with
cumulative probabilities rounded to multiples of 2^-31. A draw from k outcomes so misses its law by less than
(k-1) 2^-32 in total variation, which about 2^62 draws would be needed to notice; certain and impossible outcomes stay
so. Draws of s(0) use words of their own, of the other purpose.
"""

from __future__ import annotations

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled

#: Purposes of a word.
STEP, START = 0, 1

#: Probabilities are compared as integers on this scale.
SCALE = 1 << 31

_G = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_ACTION_SHIFT = np.uint64(33)
_STATE_MASK = np.uint64(SCALE - 1)


@compiled
def mix(z: np.uint64) -> np.uint64:
    """SplitMix64's finalizer: a bijection of 64-bit words."""
    z = (z ^ (z >> _30)) * _M1
    z = (z ^ (z >> _27)) * _M2
    return z ^ (z >> _31)


@compiled
def keyed_mix(z: np.uint64, k: np.uint64) -> np.uint64:
    """`mix` with the key k added between the multiplications; a bijection in z for every k."""
    z = (z ^ (z >> _30)) * _M1
    z = ((z ^ (z >> _27)) + k) * _M2
    return z ^ (z >> _31)


@compiled
def run_key(seed: np.uint64, m: np.uint64, purpose: np.uint64) -> np.uint64:
    """The key of outer iteration m under `seed`, for draws of one purpose."""
    return mix(mix(mix(seed + _G) + m + _G) + purpose + _G)


@compiled
def step_keys(key: np.uint64, t: np.uint64) -> tuple[np.uint64, np.uint64]:
    """(k0, k1) of step t."""
    k0 = mix(key + (t + np.uint64(1)) * _G)
    return k0, mix(k0 ^ key)


@compiled
def word(k0: np.uint64, k1: np.uint64, i: np.uint64) -> np.uint64:
    """The 64-bit word of agent i in the step with keys (k0, k1)."""
    return keyed_mix(k0 + i * _G, k1)


@compiled
def action_bits(w: np.uint64) -> np.uint32:
    """The 31 bits of w that pick the action, uniform on 0..2^31-1."""
    return np.uint32(w >> _ACTION_SHIFT)


@compiled
def state_bits(w: np.uint64) -> np.uint32:
    """The 31 bits of w that pick the next state, uniform on 0..2^31-1; disjoint from `action_bits`."""
    return np.uint32(w & _STATE_MASK)


def thresholds(distribution: Array) -> Array:
    """⌊2^31 Σ_{k ≤ j} p_k + ½⌋ for j = 0..K-2 along the last axis, uint32: outcome = #{j : u ≥ threshold_j}."""
    cumulative = np.cumsum(distribution, axis=-1)[..., :-1]
    return np.minimum(np.floor(cumulative * SCALE + 0.5), SCALE).astype(np.uint32)
