"""Optimal yardsticks of small networks: the best joint policy, and the best localized policy that is deterministic.

A joint policy lets every action depend on the whole state, so none that is localized exceeds the best one, J_sup; the
localized policies of the paper see s_i alone. A stochastic localized policy may earn more than every deterministic one,
as with any policy that sees a part of the state; only J_sup bounds them all.

Policy iteration by Howard (1960) on one table over (s, a); with δ = T V - V, T the Bellman operator of all policies
that are admitted, MacQueen's bounds certify both the largest J and that of the greedy policy.
"""

from __future__ import annotations

import heapq
import math
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.chain import joint_policy
from sacrepro.exact.models import exact_model
from sacrepro.exact.rounding import UNIT, gamma_k, normalising_roundings, row_sum_range, sup
from sacrepro.exact.solver.bellman import objective
from sacrepro.exact.values import evaluate
from sacrepro.model.checks import Array, integer
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brief
from sacrepro.model.policy import Policy, Theta, policies

#: Entries of a table over (s, a), and of P(s'|s, a) where it is formed; joint states, as linear systems have them.
MOST_ENTRIES, MOST_STATES = 1 << 24, 1 << 12

#: Steps of one policy iteration, which takes a handful.
ROUNDS = 1000

#: Parts of the set of localized policies that are looked at, and what a part must promise beyond the best policy known,
#: relative to the largest return r̄/(1-γ).
NODES, SLACK = 2_000, 1e-9


class Optimum(NamedTuple):
    """A policy, what it earns, and what none of its kind exceeds, all certified.

    policy  : a joint one as an integer array (S_0, …, S_{n-1}, n), the actions a_i in each joint state; a localized one
              as a `Policy`.
    J       : J of this policy.        J_error : certified bound on |J - J(policy)|, rounding included.
    J_high  : certified; no policy of its kind earns more.
    parts   : parts of the set of policies that were looked at; 1 for a joint policy.
    """

    policy: Any
    J: float
    J_error: float
    J_high: float
    parts: int

    def __repr__(self) -> str:
        return brief(self, "J", "J_error", "J_high", "parts")


class OptimalityGap(NamedTuple):
    """How far a policy is from both yardsticks: ends (low, high) of J* - J(θ), certified.

    J, J_error   : of the policy.
    to_localized : for J* the largest J of a deterministic localized policy; negative where a stochastic one earns more.
    to_joint     : for J* = J_sup, the largest J of a joint policy; never below 0 but for `J_error`.
    localized, joint : the yardsticks themselves.
    """

    J: float
    J_error: float
    to_localized: tuple[float, float]
    to_joint: tuple[float, float]
    localized: Optimum
    joint: Optimum

    def __repr__(self) -> str:
        return brief(self)


def optimality_gap(mdp: Model | CountedMDP, theta: Theta, *, nodes: int = NODES) -> OptimalityGap:
    """J* - J(θ) for the best localized deterministic policy and for the best joint one.

    nodes : as of `best_localized`. Raises ValueError as `best_joint` does.

    >>> from sacrepro import optimality_gap, uniform_theta
    >>> from sacrepro.instances.extremal import signal
    >>> mdp = signal(0.5)
    >>> found = optimality_gap(mdp, uniform_theta(mdp))
    >>> [round(end, 9) for end in (*found.to_localized, *found.to_joint)]
    [0.125, 0.125, 0.125, 0.125]
    """
    _, J, _, J_error, _ = evaluate(mdp, theta)
    localized, joint = best_localized(mdp, nodes=nodes), best_joint(mdp)
    one, two = ((x.J - x.J_error - J - J_error, x.J_high - J + J_error) for x in (localized, joint))
    return OptimalityGap(J, J_error, one, two, localized, joint)


def best_joint(mdp: Model | CountedMDP) -> Optimum:
    """The joint policy of largest J, J_sup = max over policies a(t) = a(s(t)) of J; no localized policy exceeds it.

    Raises ValueError, naming the entries, where a table over (s, a) or the joint states are too many.

    >>> from sacrepro import best_joint
    >>> from sacrepro.instances.extremal import signal
    >>> best = best_joint(signal(0.5))
    >>> round(best.J, 9), best.J_high - best.J < 1e-12
    (0.625, True)
    """
    joint = _Joint(exact_model(mdp), "best_joint")
    a, J, J_error = joint.best(joint.everything)
    return Optimum(np.stack(joint.each(a), axis=-1), J, J_error, J + J_error, 1)


def best_localized(mdp: Model | CountedMDP, *, nodes: int = NODES) -> Optimum:
    """The deterministic localized policy of largest J, by branch and bound over its rows a_i(s_i).

    A part of the set fixes some rows; what it promises is the largest J of the joint policies that keep to them. At
    most `nodes` parts are looked at: where that ends the search, the policy is the best that was found and `J_high` is
    what the rest promises. Else `J_high` - `J` is at most 1e-9 r̄/(1-γ) and the certificates.

    Raises ValueError, naming the entries, where a table over (s, a) or the joint states are too many.

    >>> from sacrepro import best_localized
    >>> from sacrepro.instances.extremal import signal
    >>> round(best_localized(signal(0.5)).J, 9)
    0.625
    """
    integer("nodes", nodes, 1)
    joint = _Joint(exact_model(mdp), "best_localized")
    best: tuple[list[Array], float, float] | None = None
    slack = SLACK * joint.model.r_bar / (1.0 - joint.model.gamma)
    parts, J_high = 0, -math.inf
    # (-what it promises, a number of its own, rows: allowed actions of each agent in each state).
    number = count()
    open_parts: list[tuple[float, int, list[Array]]] = [(-math.inf, next(number), joint.everything)]
    while open_parts and parts < nodes:
        promised, _, rows = heapq.heappop(open_parts)
        if best and -promised <= best[1] - best[2] + slack:
            heapq.heappush(open_parts, (promised, next(number), rows))
            break
        parts += 1
        a, J, J_error = joint.best(rows)
        localized, doubt = joint.localized(a, rows)
        if doubt is None:
            found: tuple[list[Array], float, float] = localized, J, J_error
        else:
            _, *J_of_it = joint.best(localized)
            found = localized, J_of_it[0], J_of_it[1]
        if best is None or found[1] - found[2] > best[1] - best[2]:
            best = found
        if doubt is None or J + J_error <= best[1] - best[2] + slack:
            J_high = max(J_high, J + J_error)
            continue
        i, s = doubt
        for action in np.flatnonzero(rows[i][s]):
            fixed = rows[i].copy()
            fixed[s] = np.arange(fixed.shape[1]) == action
            kept = [fixed if j == i else row for j, row in enumerate(rows)]
            heapq.heappush(open_parts, (-J - J_error, next(number), kept))
    assert best is not None
    J_high = max([J_high, best[1] + best[2], *(-promised for promised, _, _ in open_parts)])
    return Optimum(Policy([row.astype(float) for row in best[0]]), best[1], best[2], J_high, parts)


class _Joint:
    """A model as one decision process over joint states and actions.

    everything : all actions of each agent in each state, boolean blocks (S_i, A_i), as `best` takes what is allowed.
    """

    def __init__(self, model: Model, asked: str) -> None:
        self.model = model
        self.S, self.A = math.prod(model.state_sizes), math.prod(model.action_sizes)
        if self.S * self.A > MOST_ENTRIES or self.S > MOST_STATES:
            raise ValueError(
                f"{asked} needs a table over (s, a) with {self.S * self.A:,} entries and {self.S:,} joint states; at "
                f"most {MOST_ENTRIES:,} and {MOST_STATES:,} are taken: take a smaller network"
            )
        self.everything = [np.ones(sizes, bool) for sizes in zip(model.state_sizes, model.action_sizes, strict=True)]
        self.r = joint_reward(model)
        self.s = np.indices(model.state_sizes).reshape(model.n, -1)
        low, high = row_sum_range(model.P)
        self.high = max(high, 1.0)
        if not model.gamma * self.high < 1.0:
            raise ValueError(f"gamma = {model.gamma!r} is too near 1 for the rounding of the kernels")
        self.after = 1.0 / (1.0 - model.gamma * self.high) - 1.0, 1.0 / (1.0 - model.gamma * min(low, 1.0)) - 1.0
        self.roundings = math.fsum(model.state_sizes) + 2 * model.n + 8 + normalising_roundings(model.P)

    def each(self, a: Array) -> list[Array]:
        """Joint actions, numbers of shape (S,), as one table (S_0, …, S_{n-1}) an agent."""
        sizes = self.model.state_sizes
        return [a_i.reshape(sizes) for a_i in np.unravel_index(a, self.model.action_sizes)]

    def best(self, allowed: list[Array]) -> tuple[Array, float, float]:
        """(joint actions in each joint state, J, its certified error) of the best joint policy that is allowed.

        The error bounds both the distance to J of this policy and to the largest J.
        """
        model, S = self.model, self.S
        barred = self._barred(allowed)
        V, last, number = np.zeros(S), math.inf, np.arange(S)
        a: Array | None = None
        for _ in range(ROUNDS):
            Q = self.r + model.gamma * self._expected(V)
            Q[barred] = -math.inf
            T_V = Q.max(axis=1)
            rounding = gamma_k(self.roundings) * (self.high * sup(V) + model.r_bar) + 4 * UNIT * sup(T_V)
            before, a = a, Q.argmax(axis=1)
            if before is not None:  # what rounding alone prefers is no improvement
                a = np.where(Q[number, before] >= T_V - 2.0 * rounding, before, a)
            T_a_V = Q[number, a]
            low, high = float((T_a_V - V).min()) - rounding, float((T_V - V).max()) + rounding
            lower = T_a_V - rounding + min(low * k for k in self.after)
            upper = T_V + rounding + max(high * k for k in self.after)
            if (width := 0.5 * float((upper - lower).max())) < last:
                last, found = width, (a, 0.5 * (lower + upper))
            if before is not None and (a == before).all():
                break
            V = np.linalg.solve(np.eye(S) - model.gamma * self._rows(a), self.r[number, a])
        error = (last + 8 * UNIT * sup(found[1])) * (1.0 + 1e-9)
        return found[0], *objective(model.pi0, found[1].reshape(model.state_sizes), error)

    def localized(self, a: Array, allowed: list[Array]) -> tuple[list[Array], tuple[int, int] | None]:
        """(the localized policy that does what `a` does most often, the row where `a` is least of one mind or None)."""
        rows, doubt, most = [], None, 0.0
        for i, a_i in enumerate(self.each(a)):
            votes: Array = np.zeros(allowed[i].shape)
            np.add.at(votes, (self.s[i], a_i.ravel()), 1.0)
            rows.append(np.arange(votes.shape[1]) == votes.argmax(axis=1)[:, None])
            split = 1.0 - votes.max(axis=1) / votes.sum(axis=1)
            if split.max() > most:
                most, doubt = float(split.max()), (i, int(split.argmax()))
        return rows, doubt

    def _barred(self, allowed: list[Array]) -> Array:
        n, sizes = self.model.n, (*self.model.state_sizes, *self.model.action_sizes)
        open_ = np.ones((1,) * (2 * n), bool)
        for i, rows in enumerate(allowed):
            open_ = open_ & rows.reshape([sizes[k] if k % n == i else 1 for k in range(2 * n)])
        return np.broadcast_to(~open_, sizes).reshape(self.S, self.A)

    def _expected(self, V: Array) -> Array:
        """Σ_{s'} P(s'|s, a) V(s'), shape (S, A), one s_j' after the other."""
        model, n = self.model, self.model.n
        operands: list[Any] = [V.reshape(model.state_sizes), [2 * n + j for j in range(n)]]
        for j, hood in enumerate(model.neighbors):
            acting = hood if model.couples else (j,)
            operands += [model.P[j], [*hood, *(n + k for k in acting), 2 * n + j]]
        expected = np.einsum(*operands, list(range(2 * n)), optimize="greedy")
        return np.asarray(expected).reshape(self.S, self.A)

    def _rows(self, a: Array) -> Array:
        """P(s'|s, a(s)), shape (S, S)."""
        model, acts = self.model, [a_i.ravel() for a_i in self.each(a)]
        rows = np.ones((self.S, 1))
        for j, hood in enumerate(model.neighbors):
            acting = hood if model.couples else (j,)
            law = model.P[j][(*(self.s[k] for k in hood), *(acts[k] for k in acting))]
            rows = (rows[:, :, None] * law[:, None, :]).reshape(self.S, -1)
        return rows


# The joint model itself, for other tools.


def joint_model(model: Model, theta: Theta | None = None, agents: tuple[int, ...] | None = None) -> tuple[Array, Array]:
    """(r, P), shapes (S, A) and (S, A, S), with one action in place of A where a policy θ is followed."""
    P, r = joint_kernel(model), joint_reward(model, agents)
    if theta is None:
        return r, P
    acted = joint_policy(policies(model, theta)).reshape(r.shape)
    return (acted * r).sum(axis=1, keepdims=True), np.einsum("sa,sat->st", acted, P)[:, None]


def joint_kernel(model: Model) -> Array:
    """P(s'|s, a), shape (S, A, S) over joint states and actions in row-major order.

    Raises ValueError, naming the entries, where it is too large to be formed.
    """
    n, S, A = model.n, math.prod(model.state_sizes), math.prod(model.action_sizes)
    if S * S * A > MOST_ENTRIES:
        raise ValueError(f"P(s'|s, a) has {S * S * A:,} entries, at most {MOST_ENTRIES:,} are made")
    joint = np.ones((1,) * (3 * n))
    for i, hood in enumerate(model.neighbors):
        shape = [1] * (3 * n)
        for j in hood:
            shape[j] = model.state_sizes[j]
        for j in hood if model.couples else (i,):
            shape[n + j] = model.action_sizes[j]
        shape[2 * n + i] = model.state_sizes[i]
        joint = joint * model.P[i].reshape(shape)
    return np.broadcast_to(joint, (*model.state_sizes, *model.action_sizes, *model.state_sizes)).reshape(S, A, S)


def joint_reward(model: Model, agents: tuple[int, ...] | None = None) -> Array:
    """The mean of r_i over `agents`, all by default: r(s, a) = (1/n) Σ_i r_i, shape (S, A)."""
    n, chosen = model.n, range(model.n) if agents is None else agents
    total = np.zeros((*model.state_sizes, *model.action_sizes))
    for i in chosen:
        shape, hood = [1] * (2 * n), model.reward_hoods[i]
        for j in hood:
            shape[j], shape[n + j] = model.state_sizes[j], model.action_sizes[j]
        total += model.r[i].reshape(shape) / len(chosen)
    return total.reshape(math.prod(model.state_sizes), -1)
