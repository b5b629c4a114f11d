"""Compiled sampling of eq. (1): T steps of all agents under localized policies, written agent by agent.

A trajectory is stored as z_i(t) = s_i(t)·A_i + a_i(t), one small integer an agent-step, row i holding agent i's own
time series: what Algorithm 1 reads is one agent's neighborhood over time.

Arrays are taken out of their tuples before the loops and the loops are written flat, because the compiler counts
references to an array whenever it is fetched or passed inside one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.simulate.random_bits import SCALE, START, STEP, action_bits, run_key, state_bits, step_keys, word
from sacrepro.simulate.tables import CHUNK, Sampled, Tables, sampled, tables
from sacrepro.simulate.trajectory import BaseSimulator, Episode

#: What `Tables.top` leaves out of a threshold.
_TOP = np.uint32(23)


class Buffers(NamedTuple):
    """Where a trajectory is written: z (agents, at least T+1), and scratch."""

    z: Array
    s: Array  # (agents,)
    s_next: Array  # (agents,)
    block: Array  # (BLOCK, at least agents): z of the last steps, one step a row
    u_action: Array  # (CHUNK,)
    u_state: Array  # (CHUNK,)
    at: Array  # (CHUNK,): position of the kernel's row
    zero: Array  # (agents,): thresholds of ζ_i(0|0), for binary agents
    one: Array  # (agents,): thresholds of ζ_i(0|1)
    k0: Array  # (B,): keys of each copy at this step
    k1: Array


def buffers(tables: Tables, T: int) -> Buffers:
    """What one trajectory at t = 0..T of all copies needs. Rows are padded to whole blocks."""
    agents = len(tables.S)
    code_type = np.uint8 if tables.most <= 1 << 8 else np.uint16
    length = -(-(T + 1) // BLOCK) * BLOCK
    padded = -(-agents // 8) * 8
    return Buffers(
        z=np.zeros((padded, length), code_type),
        s=np.zeros(agents, code_type),
        s_next=np.zeros(agents, code_type),
        block=np.zeros((BLOCK, padded), code_type),
        u_action=np.zeros(CHUNK, np.uint32),
        u_state=np.zeros(CHUNK, np.uint32),
        at=np.zeros(CHUNK, np.uint32),
        zero=np.zeros(agents, np.uint32),
        one=np.zeros(agents, np.uint32),
        k0=np.zeros(tables.copies, np.uint64),
        k1=np.zeros(tables.copies, np.uint64),
    )


@compiled
def policy_thresholds(S: Array, A: Array, pair: Array, zeta: Array, out: Array) -> None:
    """Writes the thresholds of ζ_i(·|s), flat over (i, s, a); the last of each (i, s) is 2^31."""
    for i in range(len(S)):
        for s in range(S[i]):
            first = pair[i] + s * A[i]
            total = 0.0
            for k in range(first, first + A[i] - 1):
                total += zeta[k]
                out[k] = np.uint32(min(np.floor(total * SCALE + 0.5), float(SCALE)))
            out[first + A[i] - 1] = np.uint32(SCALE)


@compiled
def sample_actions(
    A: Array, pair: Array, policy: Array, seed: np.uint64, m: np.uint64, t: int, s: Array, a: Array
) -> None:
    """Writes a_i(t) ~ ζ_i(·|s_i), line 5 of Algorithm 1, from the same words as `rollout`."""
    k0, k1 = step_keys(run_key(seed, m, np.uint64(STEP)), np.uint64(t))
    for i in range(len(s)):
        u = action_bits(word(k0, k1, np.uint64(i)))
        first = pair[i] + s[i] * A[i]
        a[i] = 0
        for k in range(first, first + A[i] - 1):
            a[i] += u >= policy[k]


@compiled
def sample_start(tables: Tables, seeds: Array, m: np.uint64, s: Array) -> None:
    """Writes s(0) ~ π_0 of every copy: one word an agent for marginals, one word in all for a joint law."""
    copies = len(seeds)
    S, joint, start, start_row = tables.S, tables.joint, tables.start, tables.start_row
    for b in range(copies):
        k0, k1 = step_keys(run_key(seeds[b], m, np.uint64(START)), np.uint64(0))
        n = len(s) // copies
        index = 0
        if len(joint) > 0:
            u53 = float(word(k0, k1, np.uint64(0)) >> np.uint64(11)) * 2.0**-53
            last = len(joint) - 1
            while index < last:  # the first outcome whose cumulative probability exceeds u
                middle = (index + last) // 2
                if joint[middle] > u53:
                    last = middle
                else:
                    index = middle + 1
        for i in range(n - 1, -1, -1):
            q = i * copies + b
            if len(joint) > 0:
                s[q] = index % S[q]
                index //= S[q]
            else:
                u = state_bits(word(k0, k1, np.uint64(i)))
                s[q] = 0
                for k in range(start_row[q], start_row[q] + S[q] - 1):
                    s[q] += u >= start[k]


@compiled
def rollout(tables: Tables, policy: Array, seeds: Array, m: np.uint64, T: int, trajectory: Buffers) -> None:
    """Writes trajectory.z at t = 0..T of outer iteration m, one seed a copy, under the thresholds `policy`."""
    sample_start(tables, seeds, m, trajectory.s)
    run_keys = np.empty(len(seeds), np.uint64)
    for b in range(len(seeds)):
        run_keys[b] = run_key(seeds[b], m, np.uint64(STEP))
    if tables.binary:
        zero, one = trajectory.zero, trajectory.one
        for i in range(len(zero)):
            zero[i] = policy[4 * i]
            one[i] = policy[4 * i + 2]
    sample_steps(tables, policy, run_keys, T, trajectory)


# The parts of a step that are written out here would, as functions of their own, halve the speed of ten binary agents
# and take a tenth from that of a thousand; `act`, `count_neighbors` and `move` cost nothing measurable.


@compiled
def sample_steps(tables: Tables, policy: Array, run_keys: Array, T: int, trajectory: Buffers) -> None:
    """Writes trajectory.z at t = 0..T from s(0) in trajectory.s, the keys of each copy and the thresholds of ζ."""
    copies, binary = tables.copies, tables.binary
    A, pair, row, width, kernel, top = tables.A, tables.pair, tables.row, tables.width, tables.kernel, tables.top
    chunk_run, run_first, run_term = tables.chunk_run, tables.run_first, tables.run_term
    term_offset, term_stride = tables.term_offset, tables.term_stride
    neighbor_start, neighbor, stride = tables.neighbor_start, tables.neighbor, tables.stride
    counted_chunk, counted, counted_start = tables.counted_chunk, tables.counted, tables.counted_start
    counted_neighbor, weight_at, weight = tables.counted_neighbor, tables.weight_at, tables.weight
    number_at, number = tables.number_at, tables.number
    s, s_next, block = trajectory.s, trajectory.s_next, trajectory.block
    u_action, u_state, at = trajectory.u_action, trajectory.u_state, trajectory.at
    zero, one, k0, k1 = trajectory.zero, trajectory.one, trajectory.k0, trajectory.k1
    agents = len(s)
    for t0 in range(0, T + 1, BLOCK):
        for h in range(min(BLOCK, T + 1 - t0)):
            for b in range(copies):
                k0[b], k1[b] = step_keys(run_keys[b], np.uint64(t0 + h))
            for c in range(-(-agents // CHUNK)):
                low = c * CHUNK
                size = min(CHUNK, agents - low)
                # the words
                if copies == 1:
                    first_key, second_key = k0[0], k1[0]
                    for x in range(size):
                        w = word(first_key, second_key, np.uint64(low + x))
                        u_action[x] = action_bits(w)
                        u_state[x] = state_bits(w)
                else:
                    done = 0
                    while done < size:
                        b = (low + done) % copies
                        agent, first_copy, to = np.uint64((low + done) // copies), np.uint64(b), np.uint64(done)
                        count = min(copies - b, size - done)
                        for y in range(np.uint64(count)):
                            w = word(k0[first_copy + y], k1[first_copy + y], agent)
                            u_action[to + y] = action_bits(w)
                            u_state[to + y] = state_bits(w)
                        done += count
                # a_i(t), and the part of the kernel's row that is agent i's own
                if binary:
                    for x in range(size):
                        s_i = np.uint32(s[low + x])
                        mask = np.uint32(0) - s_i
                        a_i = np.uint32(u_action[x] >= ((zero[low + x] & ~mask) | (one[low + x] & mask)))
                        block[h, low + x] = s_i + s_i + a_i
                        at[x] = row[low + x] + a_i
                else:
                    act(s, u_action, A, pair, policy, row, width, low, size, block, h, at)
                # s_{N_i}(t)
                if len(chunk_run) > 0:
                    for k in range(chunk_run[c], chunk_run[c + 1]):
                        to, length = np.uint64(run_first[k] - low), np.uint64(run_first[k + 1] - run_first[k])
                        e, last = run_term[k], run_term[k + 1]
                        while e + 1 < last:  # two at a time: half as many passes over `at`
                            source, factor = np.uint64(run_first[k] + term_offset[e]), term_stride[e]
                            other, second = np.uint64(run_first[k] + term_offset[e + 1]), term_stride[e + 1]
                            for y in range(length):
                                at[to + y] += np.uint32(s[source + y]) * factor + np.uint32(s[other + y]) * second
                            e += 2
                        if e < last:
                            source, factor = np.uint64(run_first[k] + term_offset[e]), term_stride[e]
                            for y in range(length):
                                at[to + y] += np.uint32(s[source + y]) * factor
                else:
                    for x in range(size):
                        position = at[x]
                        for e in range(neighbor_start[low + x], neighbor_start[low + x + 1]):
                            position += np.uint32(s[neighbor[e]]) * stride[e]
                        at[x] = position
                if counted_chunk[c] < counted_chunk[c + 1]:
                    count_neighbors(
                        counted_chunk[c], counted_chunk[c + 1], low, s, counted, counted_start, counted_neighbor,
                        weight_at, weight, number_at, number, at,
                    )  # fmt: skip
                # s_i(t+1)
                if binary:
                    for x in range(size):
                        u, where = u_state[x], np.uint64(at[x])
                        high, settled = np.uint32(u >> _TOP), np.uint32(top[where])
                        s_next[low + x] = high > settled
                        if high == settled:
                            s_next[low + x] = u >= kernel[where]
                else:
                    move(kernel, width, u_state, at, low, size, s_next)
            for i in range(agents):
                s[i] = s_next[i]
        transpose(block, t0, trajectory.z)


@compiled
def act(
    s: Array,
    u_action: Array,
    A: Array,
    pair: Array,
    policy: Array,
    row: Array,
    width: Array,
    low: int,
    size: int,
    block: Array,
    h: int,
    at: Array,
) -> None:
    """Writes z_i(t) of the agents from `low` on, and to `at` the part of the kernel's row that is their own."""
    for x in range(size):
        i = low + x
        local = np.uint32(s[i]) * A[i]
        first = np.uint64(pair[i]) + np.uint64(local)
        u = u_action[x]
        a_i = np.uint32(u >= policy[first])
        for k in range(np.uint64(1), np.uint64(A[i])):
            a_i += np.uint32(u >= policy[first + k])
        block[h, i] = local + a_i
        at[x] = row[i] + a_i * width[i]


@compiled
def count_neighbors(
    begin: int,
    end: int,
    low: int,
    s: Array,
    counted: Array,
    counted_start: Array,
    counted_neighbor: Array,
    weight_at: Array,
    weight: Array,
    number_at: Array,
    number: Array,
    at: Array,
) -> None:
    """Adds the part of the row that depends on how many neighbors are in each state, for entries begin, …, end-1."""
    for k in range(begin, end):
        code, first_weight = number_at[k], weight_at[k]
        for e in range(counted_start[k], counted_start[k + 1]):
            code += weight[first_weight + s[counted_neighbor[e]]]
        at[counted[k] - low] += number[code]


@compiled
def move(kernel: Array, width: Array, u_state: Array, at: Array, low: int, size: int, s_next: Array) -> None:
    """Writes s_i(t+1), the number of thresholds of its row that the bits reach."""
    for x in range(size):
        u, where = u_state[x], np.uint64(at[x])
        s_i = np.uint32(u >= kernel[where])
        for k in range(np.uint64(1), np.uint64(width[low + x])):
            s_i += np.uint32(u >= kernel[where + k])
        s_next[low + x] = s_i


# From one row a step to one row an agent, eight by eight bytes at a time.

#: Steps that are sampled before they are transposed; a multiple of 8.
BLOCK = 64

_BYTES = np.uint64(0x00FF00FF00FF00FF)

_PAIRS = np.uint64(0x0000FFFF0000FFFF)

_FOURS = np.uint64(0x00000000FFFFFFFF)

_8, _16, _32 = np.uint64(8), np.uint64(16), np.uint64(32)


@compiled
def transpose(block: Array, t0: int, z: Array) -> None:
    """z[i, t0 + k] = block[k, i] for all k < BLOCK. The number of agents is a multiple of 8, as is t0."""
    if block.itemsize == 1:
        _transpose_bytes(block.view(np.uint64), t0 // 8, z.view(np.uint64))
        return
    for low in range(0, block.shape[1], 8):
        for i in range(low, low + 8):
            for k in range(BLOCK):
                z[i, t0 + k] = block[k, i]


@compiled
def _transpose_bytes(block: Array, column: int, z: Array) -> None:
    """The same on words of 8 bytes: halves, then pairs, then bytes change places between the rows of each square."""
    for column8 in range(block.shape[1]):
        i = 8 * column8
        for k in range(0, BLOCK, 8):
            a0, a1, a2, a3 = block[k, column8], block[k + 1, column8], block[k + 2, column8], block[k + 3, column8]
            a4, a5, a6, a7 = block[k + 4, column8], block[k + 5, column8], block[k + 6, column8], block[k + 7, column8]
            b0, b4 = (a0 & _FOURS) | (a4 << _32), (a0 >> _32) | (a4 & ~_FOURS)
            b1, b5 = (a1 & _FOURS) | (a5 << _32), (a1 >> _32) | (a5 & ~_FOURS)
            b2, b6 = (a2 & _FOURS) | (a6 << _32), (a2 >> _32) | (a6 & ~_FOURS)
            b3, b7 = (a3 & _FOURS) | (a7 << _32), (a3 >> _32) | (a7 & ~_FOURS)
            a0, a2 = (b0 & _PAIRS) | ((b2 & _PAIRS) << _16), ((b0 >> _16) & _PAIRS) | (b2 & ~_PAIRS)
            a1, a3 = (b1 & _PAIRS) | ((b3 & _PAIRS) << _16), ((b1 >> _16) & _PAIRS) | (b3 & ~_PAIRS)
            a4, a6 = (b4 & _PAIRS) | ((b6 & _PAIRS) << _16), ((b4 >> _16) & _PAIRS) | (b6 & ~_PAIRS)
            a5, a7 = (b5 & _PAIRS) | ((b7 & _PAIRS) << _16), ((b5 >> _16) & _PAIRS) | (b7 & ~_PAIRS)
            c = column + k // 8
            z[i, c], z[i + 1, c] = (a0 & _BYTES) | ((a1 & _BYTES) << _8), ((a0 >> _8) & _BYTES) | (a1 & ~_BYTES)
            z[i + 2, c], z[i + 3, c] = (a2 & _BYTES) | ((a3 & _BYTES) << _8), ((a2 >> _8) & _BYTES) | (a3 & ~_BYTES)
            z[i + 4, c], z[i + 5, c] = (a4 & _BYTES) | ((a5 & _BYTES) << _8), ((a4 >> _8) & _BYTES) | (a5 & ~_BYTES)
            z[i + 6, c], z[i + 7, c] = (a6 & _BYTES) | ((a7 & _BYTES) << _8), ((a6 >> _8) & _BYTES) | (a7 & ~_BYTES)


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
