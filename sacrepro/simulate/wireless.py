"""Compiled sampling of wireless access with deadlines on any number of users, without a kernel table.

The dynamics are those of `sacrepro.instances.wireless`, where they are written out, and networks of two, three and
twelve users; in the published benchmark, of 24, P_i(·|s_{N_i}, a_{N_i}) of a user with 17 neighbors would have 10^27
entries. Here one step costs a few operations a user: pick an action, count the users
on each access point, draw successes and arrivals.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array, discount, integer
from sacrepro.model.compiled import compiled
from sacrepro.model.graph import check_air, sharing_graph
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.policy import Policy
from sacrepro.simulate.random_bits import SCALE, START, STEP, action_bits, run_key, state_bits, step_keys, word
from sacrepro.simulate.rollout import policy_thresholds
from sacrepro.simulate.tables import pair_starts
from sacrepro.simulate.trajectory import BaseSimulator, Episode, check_key, demand_episode, flat_policy

#: Purpose of the words that decide whether an access point serves the one user that sends to it.
SERVICE = 2


class Air(NamedTuple):
    """What `air_rollout` reads of the network. q, p : thresholds on the scale of 2^31.

    first, points : agent i's access points are points[first[i]], …, points[first[i+1] - 1].
    deadline      : d, slots that a packet has.                slots : whether actions name a slot.
    """

    first: Array
    points: Array
    q: Array
    p: Array
    deadline: int
    slots: bool


class WirelessSimulator(BaseSimulator):
    """Trajectories of wireless access with deadlines; a user's state is its queue, Σ_k b_k 2^k with b_0 most urgent.

    access   : the access points of each user.       q : success probability of each access point.
    p        : arrival probability of each user.     deadline : d ≥ 1, slots in which a packet can be sent.
    slots    : False: an action is 0, none, or 1 + y, the most urgent packet to the user's y-th access point. True: 1 +
               k·(number of access points) + y, slot k to it, as in the published benchmark.
    opaque   : what `air_rollout` reads; opaque to the learner.
    A user that picks an access point occupies it, with or without a packet.
    Raises TypeError or ValueError naming the user and the entry that is wrong.
    """

    def __init__(
        self,
        access: Sequence[Sequence[int]],
        q: Sequence[float],
        p: Sequence[float],
        *,
        deadline: int,
        gamma: float,
        slots: bool = False,
    ) -> None:
        access, succeeds, deadline = check_air(access, q, p, deadline)
        if not isinstance(slots, (bool, np.bool_)):
            raise TypeError(f"wireless: slots must be True or False, got {slots!r}")
        actions = [1 + len(points) * (deadline if slots else 1) for points in access]
        super().__init__(sharing_graph(access), [1 << deadline] * len(access), actions, discount(gamma))
        first = np.concatenate([[0], np.cumsum([len(points) for points in access])])
        points = np.array([y for own in access for y in own], dtype=np.int64)
        self.opaque = Air(first, points, _threshold(succeeds), _threshold(p), deadline, bool(slots))

    def episodes(self, zeta: Array, seeds: Array, m: int, T: int) -> Episode:
        """As of `AnySimulator`; rewards are 0 or 1."""
        copies = len(seeds)
        S, A, pair = _copied(self.state_sizes, self.action_sizes, copies)
        policy = np.empty(len(zeta), dtype=np.uint32)
        policy_thresholds(S, A, pair, zeta, policy)
        z, r = np.empty((2, self.n * copies, T + 1), dtype=self.code_type)
        nothing = np.empty(0, dtype=np.int64)
        air_rollout(self.opaque, A, pair, policy, seeds, np.uint64(m), nothing, z, r)
        return Episode.among(np.array([0.0, 1.0]), z, r)

    def returns(
        self, zeta: Sequence[Array] | Policy, T: int, *, seed: int, episodes: int, stale: bool = False
    ) -> Array:
        """Σ_{t<T} γ^t (1/n) Σ_i r_i(t) of each of so many episodes.

        stale : at t = 0 users see the queues that the episode before left, as the published benchmark's ALOHA did.
        Raises TypeError or ValueError as `rollout` does, and for episodes < 1.
        """
        flat = flat_policy(zeta, self.state_sizes, self.action_sizes)
        check_key(seed, 0)
        T, episodes = integer("T", T, 1), integer("episodes", episodes, 1)
        demand_episode(self, T, 2)
        demand(f"an array of {readable_count(episodes)} returns", 8 * episodes, None, "fewer episodes fit")
        A, S = np.array(self.action_sizes, dtype=np.uint32), np.array(self.state_sizes, dtype=np.uint32)
        policy = np.empty(len(flat), dtype=np.uint32)
        policy_thresholds(S, A, self.pair, flat, policy)
        z, r = np.empty((2, self.n, T + 1), dtype=self.code_type)
        seen = np.zeros(self.n if stale else 0, dtype=np.int64)
        found = np.empty(episodes)
        key = np.array([seed], dtype=np.uint64)
        air_returns(self.opaque, A, self.pair, policy, key, seen, z, r, self.gamma, found)
        return found


@functools.lru_cache(maxsize=4)
def _copied(state_sizes: tuple[int, ...], action_sizes: tuple[int, ...], copies: int) -> tuple[Array, Array, Array]:
    """(S, A, where each policy begins) of so many copies of every agent; shared, and only read."""
    S, A = (np.repeat(np.array(sizes, dtype=np.uint32), copies) for sizes in (state_sizes, action_sizes))
    return S, A, pair_starts(S, A)


def _threshold(values: Sequence[float] | Array) -> Array:
    return np.floor(np.asarray(values, dtype=np.float64) * SCALE + 0.5).astype(np.uint32)


@compiled
def air_rollout(
    air: Air, A: Array, pair: Array, policy: Array, seeds: Array, m: np.uint64, seen: Array, z: Array, r: Array
) -> None:
    """Writes z and r, which is 0 or 1, at t = 0..T, one seed a copy.

    seen : the queues that users see at t = 0 in place of theirs, overwritten with the last ones; or empty.
    """
    copies = len(seeds)
    n = len(z) // copies
    T = z.shape[1] - 1
    first, points, q, p, deadline, slots = air.first, air.points, air.q, air.p, air.deadline, air.slots
    s = np.zeros(n, np.int64)
    target, slot = np.zeros(n, np.int64), np.zeros(n, np.int64)
    senders = np.zeros(len(q), np.int64)
    newest = np.int64(1) << (deadline - 1)
    for b in range(copies):
        k0, k1 = step_keys(run_key(seeds[b], m, np.uint64(START)), np.uint64(0))
        for i in range(n):
            s[i] = newest if state_bits(word(k0, k1, np.uint64(i))) < p[i] else 0
        step_key = run_key(seeds[b], m, np.uint64(STEP))
        service_key = run_key(seeds[b], m, np.uint64(SERVICE))
        for t in range(T + 1):
            k0, k1 = step_keys(step_key, np.uint64(t))
            c0, c1 = step_keys(service_key, np.uint64(t))
            senders[:] = 0
            for i in range(n):
                at = i * copies + b
                u = action_bits(word(k0, k1, np.uint64(i)))
                shown = seen[i] if t == 0 and len(seen) > 0 else s[i]
                actions = np.int64(A[at])
                begin = pair[at] + shown * actions
                a = 0
                for k in range(begin, begin + actions - 1):
                    a += int(u >= policy[k])
                z[at, t] = s[i] * actions + a
                r[at, t] = 0
                target[i] = -1
                if a > 0:
                    own = first[i + 1] - first[i]
                    target[i] = points[first[i] + (a - 1) % own]
                    senders[target[i]] += 1
                    slot[i] = (a - 1) // own
                    if not slots:
                        slot[i] = 0
                        while slot[i] < deadline - 1 and not (shown >> slot[i]) & 1:
                            slot[i] += 1
            for i in range(n):
                y = target[i]
                heard = y >= 0 and senders[y] == 1 and (s[i] >> slot[i]) & 1
                if heard and state_bits(word(c0, c1, np.uint64(y))) < q[y]:
                    s[i] -= np.int64(1) << slot[i]
                    r[i * copies + b, t] = 1
                arrived = state_bits(word(k0, k1, np.uint64(i))) < p[i]
                if t == T and len(seen) > 0:
                    seen[i] = z[i * copies + b, t] // np.int64(A[i * copies + b])
                s[i] = (s[i] >> 1) | (newest if arrived else 0)


@compiled
def air_returns(
    air: Air,
    A: Array,
    pair: Array,
    policy: Array,
    key: Array,
    seen: Array,
    z: Array,
    r: Array,
    gamma: float,
    found: Array,
) -> None:
    """Writes Σ_{t<T} γ^t (1/n) Σ_i r_i(t) of the episodes m = 0, 1, …."""
    n, T = len(z), z.shape[1] - 1
    for m in range(len(found)):
        air_rollout(air, A, pair, policy, key, np.uint64(m), seen, z, r)
        total = 0.0
        weight = 1.0
        for t in range(T):
            for i in range(n):
                total += weight * r[i, t]
            weight *= gamma
        found[m] = total / n
