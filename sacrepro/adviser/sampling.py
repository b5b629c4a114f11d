"""Sampling a network of the user's own without tables: one row of a kernel for each agent, whatever its degree.

The row of agent i is a linear function of the states, ``base_i + (M s)_i + a_i``, for kernels by table and for counts
of two states; counts of more states are numbered first.

A lower bound on D_i(κ) by search: two starts that agree on N_i^κ, moved one agent at a time to where i differs most.

Starts are compared by simulation with common random numbers: the difference of agent i's discounted rewards. The search
begins at all corners (lowest or highest states and actions, inside and outside) and at random starts, and tries every
pair (s_j, a_j) of every agent near i, inside in both starts, outside in either. What it ends at is measured again with
fresh numbers, so that the lower end holds up to a stated chance although the starts were chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from itertools import product

import numpy as np
from scipy.sparse import csr_array

from sacrepro.adviser.clock import Clock
from sacrepro.bounds.decay import cone_width
from sacrepro.bounds.influence import horizon
from sacrepro.instances.network.labelled import Network, kernel_rows
from sacrepro.model.checks import Array
from sacrepro.simulate.tables import flat


class Sampler:
    """Next states and rewards of all agents at once; arrays have shape (n, copies).

    state_sizes, action_sizes, gamma : as in the network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.gamma = network.gamma
        self.state_sizes: Sequence[int] = tuple(network.state_sizes.tolist())
        self.action_sizes: Sequence[int] = tuple(network.action_sizes.tolist())
        n, rows, most = network.n, kernel_rows(network), int(network.state_sizes.max())
        self.A = network.action_sizes[:, None]
        laws = [_cumulative(block, most) for block in rows.blocks]
        self._law = np.concatenate(laws)
        self._base = (np.cumsum([0, *map(len, laws)])[rows.block] + rows.row)[:, None]
        at = np.repeat(np.arange(n), np.diff(rows.begin)) + rows.offset
        self._M = csr_array((rows.stride.astype(float), at, rows.begin), shape=(n, n))
        self._adjacency = network.reading
        # Counts of more than two states are numbered: members, numbers in rows, degree.
        self._codes: dict[int, tuple[Array, Array, int]] = {}
        for g, kernel in enumerate(network.groups):
            if kernel.coupled and kernel.beside > 2:
                number = network.codes(g)[1] * kernel.A
                self._codes[g] = (np.flatnonzero(network.group == g), number, kernel.degree)
        sizes = network.state_sizes * network.action_sizes
        self._reward, self._reward_at = flat(network.r), (np.cumsum(sizes) - sizes)[:, None]

    def among(self, members: Array) -> Sampler:
        """The sampler of these agents alone, all others staying in state 0; T steps are right T hops inside.

        `members` are sorted; arrays then have one row for each of them.
        """
        part = copy(self)
        part.A, part._base = self.A[members], self._base[members]
        part._M, part._adjacency = self._M[members][:, members], self._adjacency[members][:, members]
        part._reward_at = self._reward_at[members]
        place = {int(i): k for k, i in enumerate(members)}
        part._codes = {}
        for g, (agents, number, d) in self._codes.items():
            inside = [place[int(i)] for i in agents if int(i) in place]
            if inside:
                part._codes[g] = (np.array(inside), number, d)
        return part

    def next_states(self, s: Array, a: Array, u: Array) -> Array:
        """The states after (s, a), by inverting distribution functions at u ∈ [0, 1); all of one shape (n, copies)."""
        row = self._base + (self._M @ s).astype(np.int64) + a
        for members, number, d in self._codes.values():
            beside = self._adjacency[members]
            code = sum(((beside @ (s == x)) * (d + 1) ** (x - 1) for x in range(1, int(s.max()) + 1)), np.zeros(1))
            row[members] += number[np.broadcast_to(code, (len(members), s.shape[1])).astype(np.int64)]
        if self._law.shape[1] == 1:
            return (u >= self._law[row, 0]).astype(np.int64)
        moved: Array = (u[..., None] >= self._law[row]).sum(axis=-1)
        return moved

    def rewards(self, s: Array, a: Array) -> Array:
        """r_i(s_i, a_i), shape (n, copies)."""
        found: Array = self._reward[self._reward_at + s * self.A + a]
        return found


def _cumulative(table: Array, most: int) -> Array:
    """Distribution functions without their last value, one row each, filled up with 1 to `most` - 1 columns."""
    law = np.cumsum(table.reshape(-1, table.shape[-1]), axis=1)[:, :-1]
    filled = np.ones((len(law), most - 1))
    filled[:, : law.shape[1]] = law
    return filled


#: Simulated agent-copies at a time, copies of a final measurement, and agents of the surroundings that are simulated.
TOGETHER, MOST_COPIES, MOST_AROUND = 100_000, 8192, 4_000
#: Agent-copies, and copies at most, that compare starts; random starts beside the corners; rounds; hops beyond κ tried.
SEARCHED, COMPARED, RANDOM_STARTS, ROUNDS, BEYOND = 60_000, 512, 4, 3, 3
#: Values of coordinates that one round tries at most, nearest agents first.
MOST_TRIED = 400
#: A lower end is the mean less so many standard errors: one-sided error rate 0.1 %, and more of them for few copies,
#: which covers Student's quantiles from 7 degrees of freedom on.
STANDARD_ERRORS, FEW_COPIES = 3.1, 4.0


#: States and actions of two starts, each of shape (n, 2).
_Pair = tuple[Array, Array]


class _Surroundings:
    """Simulation of the agents near i: for T steps only the T-hop surroundings matter (light cone)."""

    def __init__(self, network: Network, sampler: Sampler, i: int, farthest: int, distance: Array, tol: float) -> None:
        gamma, r_bar = network.gamma, network.r_bar
        steps = horizon(gamma, max(tol * (1.0 - gamma) / max(r_bar, tol), 1e-12))
        sizes = np.cumsum(np.bincount(distance[distance >= 0]))
        far = len(sizes) - 1
        if sizes[-1] > MOST_AROUND:
            far = max(farthest, int(np.searchsorted(sizes, MOST_AROUND, side="right")) - 1)
        elif steps < far:
            far = steps
        self.steps = steps if far == len(sizes) - 1 else min(steps, far)
        members = np.flatnonzero((distance >= 0) & (distance <= far))
        self.local, self.own = sampler.among(members), int(np.searchsorted(members, i))
        self.distance = distance[members]
        self.S, self.A = network.state_sizes[members], network.action_sizes[members]
        self.gamma = gamma

    def returns(self, s: Array, a: Array, copies: int, rng: np.random.Generator) -> Array:
        """Discounted rewards of i, (starts, copies), from starts s, a, (n, starts), by common random numbers."""
        n, starts = s.shape
        s, a = np.repeat(s, copies, axis=1), np.repeat(a, copies, axis=1)
        total = np.zeros(starts * copies)
        for t in range(self.steps + 1):
            total += self.gamma**t * self.local.rewards(s, a)[self.own]
            if t < self.steps:
                s = self.local.next_states(s, a, np.tile(rng.random((n, copies)), starts))
                a = (np.tile(rng.random((n, copies)), starts) * self.A[:, None]).astype(int)
        return total.reshape(starts, copies)


def least_decay(
    network: Network,
    sampler: Sampler,
    i: int,
    few: int,
    distance: Array,
    tol: float,
    rng: np.random.Generator,
    seconds: float,
) -> tuple[Array, Array]:
    """(lower ends, means) for κ = 0, 1, …, fewer than `few` if the time is used before; later κ serve earlier ones.

    seconds : for all κ together.
    """
    few = min(few, int(distance.max()))
    if few == 0:
        return np.zeros(1), np.zeros(1)
    near, clock = _Surroundings(network, sampler, i, few, distance, tol), Clock(seconds)
    lower, mean = [], []
    for kappa in range(few):
        if kappa and not clock.left():
            break
        best = _searched(near, kappa, rng, Clock(clock.left() / (few - kappa)))
        low, middle = _measured_again(near, best, network.r_bar, kappa, rng)
        lower.append(low)
        mean.append(middle)
    # Starts that agree on N_i^{κ+1} agree on N_i^κ.
    return np.maximum.accumulate(lower[::-1])[::-1], np.maximum.accumulate(mean[::-1])[::-1]


def _searched(near: _Surroundings, kappa: int, rng: np.random.Generator, clock: Clock) -> _Pair:
    """The best pair of starts found, the lesser return first."""
    inside = (near.distance <= kappa)[:, None]
    pairs = _corners(near, inside)
    for _ in range(RANDOM_STARTS):
        s, a = (rng.integers(0, sizes[:, None], size=(len(sizes), 2)) for sizes in (near.S, near.A))
        pairs.append((np.where(inside, s[:, :1], s), np.where(inside, a[:, :1], a)))
    best, value = _best(near, pairs, rng, clock)
    for _ in range(ROUNDS):
        before, tried = value, 0
        for j in np.argsort(near.distance, kind="stable"):
            if near.distance[j] > kappa + BEYOND or tried > MOST_TRIED or not clock.left():
                break
            candidates = _moved(best, int(j), bool(inside[j, 0]), int(near.S[j]), int(near.A[j]))
            tried += len(candidates)
            best, value = _best(near, [best, *candidates], rng, clock)
        if value <= before or not clock.left():
            break
    return best


def _corners(near: _Surroundings, inside: Array) -> list[_Pair]:
    """Lowest or highest states and actions inside, beside outsides of lowest against highest, actions either way."""
    ends_s, ends_a = np.stack([near.S * 0, near.S - 1], axis=1), np.stack([near.A * 0, near.A - 1], axis=1)
    found = []
    for x, y, flip in product((0, 1), (0, 1), (1, -1)):
        found.append(
            (np.where(inside, ends_s[:, x : x + 1], ends_s), np.where(inside, ends_a[:, y : y + 1], ends_a[:, ::flip]))
        )
    return found


def _moved(best: _Pair, j: int, inside: bool, S: int, A: int) -> list[_Pair]:
    """The pairs of starts that differ from `best` in agent j alone."""
    found = []
    for s_j, a_j in product(range(S), range(A)):
        for columns in (slice(None),) if inside else (slice(0, 1), slice(1, 2)):
            s, a = best[0].copy(), best[1].copy()
            s[j, columns], a[j, columns] = s_j, a_j
            found.append((s, a))
    return found


def _best(near: _Surroundings, pairs: list[_Pair], rng: np.random.Generator, clock: Clock) -> tuple[_Pair, float]:
    """The pair whose returns differ most, the lesser first, and by how much; all with the same random numbers."""
    seed = int(rng.integers(1 << 62))
    copies = max(4, min(COMPARED, SEARCHED // (2 * len(near.S) * len(pairs))))
    step = max(1, TOGETHER // (2 * len(near.S) * copies))
    gaps: list[float] = []
    for k in range(0, len(pairs), step):
        s, a = (np.concatenate([pair[part] for pair in pairs[k : k + step]], axis=1) for part in (0, 1))
        returns = near.returns(s, a, copies, np.random.default_rng(seed)).mean(axis=1)
        gaps += (returns[1::2] - returns[::2]).tolist()
        if not clock.left():
            break
    k = int(np.abs(gaps).argmax())
    s, a = pairs[k]
    return ((s, a) if gaps[k] >= 0.0 else (s[:, ::-1], a[:, ::-1])), abs(gaps[k])


def _measured_again(
    near: _Surroundings, best: _Pair, r_bar: float, kappa: int, rng: np.random.Generator
) -> tuple[float, float]:
    """(lower end, mean) of the difference with fresh numbers; what later rewards may undo is taken off."""
    copies = max(8, min(MOST_COPIES, TOGETHER // (2 * len(near.S))))
    returns = near.returns(*best, copies, rng)
    difference = returns[1] - returns[0]
    mean, error = float(difference.mean()), float(difference.std(ddof=1)) / math.sqrt(copies)
    missed = cone_width(near.steps, kappa, near.gamma, r_bar)
    return max(mean - STANDARD_ERRORS * (1.0 + FEW_COPIES / (copies - 1)) * error - missed, 0.0), mean
