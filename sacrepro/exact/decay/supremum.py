"""The supremum of Definition 2, bracketed: D_i(κ) over ALL localized policies by branch and bound.

Two or three agents with two actions each have a handful of free probabilities θ = ζ_j(1|s_j). There `decay_supremum`
covers all policies with boxes and bounds D_i(κ) over each. For any vectors v and d, with g = γ(P(·|z) - P(·|z̃)),

    Q_i(z) - Q_i(z̃) = g V^θ = g v + d A^θ + ρ^θ (V^θ - v),   A^θ = r_i + γP^θ v - v,   ρ^θ = g - d + γ d P^θ,

and for a fixed V^θ - v the right side is affine in each entry of θ: its largest value is at a corner of the box. With v
and d the solutions at the centre, A and ρ vanish there, and what the box adds to the first order is of second order
(`paper/proofs.md`, definition2).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.decay.profile import certified_decay
from sacrepro.exact.models import joint_kernel, joint_reward, plain_model
from sacrepro.exact.rounding import UNIT
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array, integer, number, positive
from sacrepro.model.compiled import njit
from sacrepro.model.graph import check_agent, check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.notices import in_one_line

#: Free probabilities of all agents together, a box has two to the power of them as corners; and joint states.
MOST_FREE, MOST_STATES = 8, 64
#: Sweeps that tighten the interval of V - v over a box, each of which is valid.
SWEEPS = 12
#: Boxes that wait; the search is depth first, so that they are few.
WAITING = 1 << 12


@in_one_line
class DecaySupremum(NamedTuple):
    """lower ≤ sup_θ D_i(κ) ≤ upper over all localized policies, both certified, rounding included.

    theta : the policy whose D_i(κ) is `lower`, blocks (S_i, A_i), logit -inf for an action never taken.
    boxes : boxes of policies that were bounded.
    """

    lower: float
    upper: float
    theta: tuple[Array, ...]
    boxes: int


def decay_supremum(
    mdp: NetworkedMDP | CountedMDP,
    i: int,
    kappa: int,
    *,
    width: float = 0.01,
    above: float = 0.0,
    boxes: int = 1 << 20,
    seed: int = 0,
) -> DecaySupremum:
    """A certified bracket of sup_θ D_i(κ) over ALL localized policies, those of Definition 2.

    width : upper ≤ (1 + width) lower or upper ≤ width r̄γ^{κ+1}/(1-γ), and rounding, unless the search ended before,
            after `boxes` boxes (some 10⁵ a second) or with `WAITING` of them for one pair of a cell. Then upper is
            what is certified so far: r̄γ/(1-γ), the most that V can tell, where a pair was not looked at.
    above : what lies below this value need not be told apart; upper may then be as large as `above`.
    seed  : of the starts of the climb that finds the policy.
    Raises ValueError for an agent with more than two actions, more than `MOST_FREE` free probabilities Σ_j S_j or
    `MOST_STATES` joint states.

    >>> from sacrepro.instances.extremal import coin_lover
    >>> found = decay_supremum(coin_lover(), 1, 0, width=0.001)
    >>> round(found.lower, 3), found.upper <= 1.001 * found.lower + 1e-6
    (2.931, True)
    """
    mdp = plain_model(mdp, "decay_supremum", "certified_decay takes it, for one policy")
    check_agent(i, mdp.n)
    check_kappa(kappa)
    width, boxes, above = positive("width", width), integer("boxes", boxes, 1), number("above", above)
    if not 0.0 <= above < np.inf:
        raise ValueError(f"above must be at least 0 and finite, got {above!r}")
    rows, acts, free = _free_rows(mdp)
    P, r = joint_kernel(mdp), joint_reward(mdp, (i,))
    gaps = mdp.gamma * _differences(mdp, P, i, kappa)
    best, at = 0.0, np.full(free, 0.5)
    for start in np.vstack([at, np.random.default_rng(seed).random((7, free))]):
        best, at = max((best, at), _climb(P, r, rows, acts, mdp.gamma, gaps, start), key=lambda found: found[0])
    span = mdp.gamma * mdp.r_bar / (1.0 - mdp.gamma)
    above = max(above, width * span * mdp.gamma**kappa)
    upper, used = best, 0
    for gap in gaps:
        best, at, most, more = _search(P, r, rows, acts, mdp.gamma, gap, best, at, width, above, boxes - used, span)
        upper, used = max(upper, most), used + more
    with np.errstate(divide="ignore"):
        theta = tuple(np.log(zeta_j) for zeta_j in _policies(mdp, at))
    lower = float(certified_decay(mdp, theta, [i], [kappa]).lower[0, 0])
    # What rounding may do to the bound over a box: |v|, |A| and |V - v| are at most 2, 5 and 5/(1-γ) times H = r̄/(1-γ),
    # |d|_1 and |ρ|_1 at most 4/(1-γ) and 10/(1-γ), and no entry passes more than k roundings in one sweep.
    k = 2 * (P.shape[1] + 2 * mdp.n + P.shape[0]) + 16
    relative = 130 * k * UNIT + 8 * mdp.n * NORMALISATION_TOLERANCE
    return DecaySupremum(lower, upper + relative * mdp.r_bar / (1.0 - mdp.gamma) ** 4, theta, used)


def _free_rows(mdp: NetworkedMDP) -> tuple[Array, Array, int]:
    """(free probability of agent j in joint state s or -1, action of agent j in joint action a, how many are free)."""
    for j, A_j in enumerate(mdp.action_sizes):
        if A_j > 2:
            raise ValueError(f"decay_supremum: agent {j} has {A_j} actions; at most 2 are admitted")
    counts = [S_j if A_j == 2 else 0 for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True)]
    first, free = np.concatenate([[0], np.cumsum(counts)[:-1]]), sum(counts)
    if free > MOST_FREE:
        raise ValueError(
            f"decay_supremum: the policies have {free} free probabilities; at most {MOST_FREE} are admitted"
        )
    if math.prod(mdp.state_sizes) > MOST_STATES:
        raise ValueError(
            f"decay_supremum: there are {math.prod(mdp.state_sizes)} joint states; at most {MOST_STATES} are admitted"
        )
    states = np.array(list(np.ndindex(*mdp.state_sizes)))
    rows = np.where(np.array(counts) > 0, first + states, -1)
    return rows, np.array(list(np.ndindex(*mdp.action_sizes))), free


def _policies(mdp: NetworkedMDP, at: Array) -> tuple[Array, ...]:
    """ζ of these probabilities of action 1."""
    zeta, k = [], 0
    for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True):
        one = at[k : k + S_j] if A_j == 2 else np.zeros(S_j)
        zeta.append(np.stack([1.0 - one, one], axis=1)[:, :A_j])
        k += S_j if A_j == 2 else 0
    return tuple(zeta)


def _differences(mdp: NetworkedMDP, P: Array, i: int, kappa: int) -> Array:
    """The distinct P(·|z) - P(·|z̃) of all z, z̃ in one cell of N_i^κ, in both orders; shape (pairs, N)."""
    hood = list(neighborhood(mdp.graph, i, kappa))
    cells: dict[tuple[int, ...], list[Array]] = {}
    for s, state in enumerate(np.ndindex(*mdp.state_sizes)):
        for a, action in enumerate(np.ndindex(*mdp.action_sizes)):
            cells.setdefault((*(state[j] for j in hood), *(action[j] for j in hood)), []).append(P[s, a])
    found = [np.zeros((0, P.shape[0]))]
    for laws in cells.values():
        distinct = np.unique(np.array(laws), axis=0)
        found += [one - np.delete(distinct, k, axis=0) for k, one in enumerate(distinct)]
    return np.unique(np.concatenate(found), axis=0)


def _climb(
    P: Array, r: Array, rows: Array, acts: Array, gamma: float, gaps: Array, start: Array
) -> tuple[float, Array]:
    """Pattern search from `start`: one probability at a time, by steps that are halved."""

    def D(at: Array) -> float:
        law, reward = _followed(P, r, rows, acts, at, at, np.zeros(len(P), dtype=np.int64))
        return float((gaps @ np.linalg.solve(np.eye(len(P)) - gamma * law, reward)).max(initial=0.0))

    at, best, step = start, D(start), 0.5
    while step > 1e-5:
        before = best
        for k in range(len(at)):
            for moved in (min(1.0, at[k] + step), max(0.0, at[k] - step)):
                other = at.copy()
                other[k] = moved
                value = D(other)
                if value > best * (1.0 + 1e-12):
                    at, best = other, value
        if best == before:
            step *= 0.5
    return best, at


@njit()
def _followed(P: Any, r: Any, rows: Any, acts: Any, low: Any, high: Any, corner: Any) -> tuple[Any, Any]:
    """(P^θ, r_i^θ) where in joint state s agent j takes high for θ if bit j of corner[s] is set, else low."""
    N, A, n = P.shape[0], P.shape[1], rows.shape[1]
    law, reward = np.zeros((N, N)), np.zeros(N)
    for s in range(N):
        for a in range(A):
            weight = 1.0
            for j in range(n):
                k = rows[s, j]
                if k >= 0:
                    one = high[k] if (corner[s] >> j) & 1 else low[k]
                    weight *= one if acts[a, j] == 1 else 1.0 - one
            if weight > 0.0:
                reward[s] += weight * r[s, a]
                for t in range(N):
                    law[s, t] += weight * P[s, a, t]
    return law, reward


@njit()
def _solved(U: Any, x: Any) -> Any:
    """U⁻¹x by elimination without pivots, which I - γP and its transpose do not need; both are overwritten."""
    for k in range(len(x)):
        for s in range(k + 1, len(x)):
            factor = U[s, k] / U[k, k]
            x[s] -= factor * x[k]
            for t in range(k + 1, len(x)):
                U[s, t] -= factor * U[k, t]
    for k in range(len(x) - 1, -1, -1):
        for t in range(k + 1, len(x)):
            x[k] -= U[k, t] * x[t]
        x[k] /= U[k, k]
    return x


@njit()
def _over_box(
    P: Any, r: Any, rows: Any, acts: Any, gamma: float, gap: Any, low: Any, high: Any
) -> tuple[float, float, int]:
    """(gap V at the centre of the box, a bound on gap V over the box, the entry of θ to split)."""
    N, n, free = P.shape[0], rows.shape[1], len(low)
    local = 1 << n
    centre = 0.5 * (low + high)
    everywhere = np.zeros(N, dtype=np.int64)
    away, reward = _followed(P, r, rows, acts, centre, centre, everywhere)
    for s in range(N):
        for t in range(N):
            away[s, t] = (1.0 if s == t else 0.0) - gamma * away[s, t]
    d = _solved(away.T.copy(), gap.copy())
    v = _solved(away, reward)
    laws, A, least, most = np.empty((local, N, N)), np.empty((local, N)), 0.0, 0.0
    for corner in range(local):
        everywhere.fill(corner)
        law, reward = _followed(P, r, rows, acts, low, high, everywhere)
        for s in range(N):
            A[corner, s] = reward[s] - v[s]
            for t in range(N):
                laws[corner, s, t] = law[s, t]
                A[corner, s] += gamma * law[s, t] * v[t]
            least, most = min(least, A[corner, s]), max(most, A[corner, s])
    # V - v ≤ upper on the box: constants to start with, then sweeps of the operator, which is monotone.
    upper, lower = np.full(N, most / (1.0 - gamma)), np.full(N, least / (1.0 - gamma))
    for _ in range(SWEEPS):
        for s in range(N):
            most, least = -np.inf, np.inf
            for corner in range(local):
                above, below = A[corner, s], A[corner, s]
                for t in range(N):
                    above += gamma * laws[corner, s, t] * upper[t]
                    below += gamma * laws[corner, s, t] * lower[t]
                most, least = max(most, above), min(least, below)
            upper[s], lower[s] = min(upper[s], most), max(lower[s], least)
    largest = -np.inf
    for corners in range(1 << free):
        total, residual = 0.0, gap - d
        for s in range(N):
            corner = 0
            for j in range(n):
                if rows[s, j] >= 0 and (corners >> rows[s, j]) & 1:
                    corner |= 1 << j
            total += d[s] * A[corner, s]
            for t in range(N):
                residual[t] += gamma * d[s] * laws[corner, s, t]
        for t in range(N):
            total += max(residual[t] * upper[t], residual[t] * lower[t])
        largest = max(largest, total)
    at_centre = 0.0
    for s in range(N):
        at_centre += gap[s] * v[s]
    # Split what moves d A most, and among entries that move nothing the widest.
    split, reach = 0, -1.0
    for k in range(free):
        moved = 1e-3 * (high[k] - low[k])
        for s in range(N):
            for j in range(n):
                if rows[s, j] == k:
                    most = 0.0
                    for corner in range(local):
                        most = max(most, abs(A[corner | (1 << j), s] - A[corner & ~(1 << j), s]))
                    moved += abs(d[s]) * most
        if moved > reach:
            split, reach = k, moved
    return at_centre, at_centre + largest, split


@njit()
def _search(
    P: Any,
    r: Any,
    rows: Any,
    acts: Any,
    gamma: float,
    gap: Any,
    best: float,
    at: Any,
    width: float,
    above: float,
    boxes: int,
    span: float,
) -> tuple[float, Any, float, int]:
    """(best, its θ, a bound on gap V over all policies, at most `span`, boxes bounded)."""
    free = len(at)
    low, high, bound = np.zeros((WAITING, free)), np.ones((WAITING, free)), np.full(WAITING, span)
    waiting, used, most = 1, 0, 0.0
    while waiting > 0 and used < boxes and waiting < WAITING - 1:
        waiting -= 1
        below, beyond, known = low[waiting].copy(), high[waiting].copy(), bound[waiting]
        if known > max(above, best * (1.0 + width)):
            value, over, split = _over_box(P, r, rows, acts, gamma, gap, below, beyond)
            known, used = min(known, over), used + 1
            if value > best:
                best, at = value, 0.5 * (below + beyond)
        if known <= max(above, best * (1.0 + width)) or free == 0:
            most = max(most, known)
            continue
        middle = 0.5 * (below[split] + beyond[split])
        for half in range(2):
            bound[waiting] = known
            for k in range(free):
                low[waiting, k] = middle if k == split and half == 1 else below[k]
                high[waiting, k] = middle if k == split and half == 0 else beyond[k]
            waiting += 1
    for place in range(waiting):
        most = max(most, bound[place])
    return best, at, most, used
