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
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from sacrepro.exact.models import MOST_ENTRIES, acting, exact_model, joint_reward, laws
from sacrepro.exact.rounding import UNIT, gamma_k, normalising_roundings, row_sum_range, sup
from sacrepro.exact.values import evaluate, objective
from sacrepro.model.checks import Array, integer
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brief, in_one_line
from sacrepro.model.policy import Policy, Theta, joint_policy

#: Joint states at most, as linear systems have them.
MOST_STATES = 1 << 12

#: Steps of one policy iteration, which takes a handful; joint states up to which V is found by elimination, not GMRES.
ROUNDS, ELIMINATED = 1000, 1 << 10

#: Parts of the set of localized policies that are looked at, and what a part must promise beyond the best policy known,
#: relative to the largest return r̄/(1-γ).
NODES, SLACK = 2_000, 1e-9

#: Multiply-adds of all parts: about a minute on one core. Rounds of a part, and products of a policy's values, by which
#: they are counted.
WORK, ROUNDS_OF_A_PART, PRODUCTS = 1 << 39, 4, 60
#: Where actions move others: entries over (s, a, s') made at a time; multiply-adds that one of them costs.
TOGETHER, ADDED = 1 << 22, 32


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


@in_one_line
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


def optimality_gap(
    mdp: Model | CountedMDP,
    theta: Theta,
    *,
    nodes: int = NODES,
    work: int = WORK,
    progress: Callable[[str], None] | None = None,
) -> OptimalityGap:
    """J* - J(θ) for the best localized deterministic policy and for the best joint one.

    nodes, work, progress : as of `best_localized`, which is what takes time. Raises ValueError as it does.

    >>> from sacrepro import optimality_gap, uniform_theta
    >>> from sacrepro.instances.extremal import signal
    >>> mdp = signal(0.5)
    >>> found = optimality_gap(mdp, uniform_theta(mdp))
    >>> [round(end, 9) for end in (*found.to_localized, *found.to_joint)]
    [0.125, 0.125, 0.125, 0.125]
    """
    _, J, _, J_error, _ = evaluate(mdp, theta)
    localized, joint = best_localized(mdp, nodes=nodes, work=work, progress=progress), best_joint(mdp)
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
    a, J, J_error, _ = joint.best(joint.everything)
    return Optimum(np.stack(joint.each(a), axis=-1), J, J_error, J + J_error, 1)


def best_localized(
    mdp: Model | CountedMDP, *, nodes: int = NODES, work: int = WORK, progress: Callable[[str], None] | None = None
) -> Optimum:
    """The deterministic localized policy of largest J, by branch and bound over its rows a_i(s_i).

    A part of the set fixes some rows; what it promises is the largest J of the joint policies that keep to them. At
    most `nodes` parts are looked at, and no more than `work` multiply-adds allow as `search_cost` counts them, about
    a second for 10¹⁰: where that ends the search, the policy is the best that was found and `J_high` is what the
    rest promises. Else `J_high` - `J` is at most 1e-9 r̄/(1-γ) and the certificates. progress : called with a sentence
    after each part.

    Raises ValueError before starting, naming the entries, where a table over (s, a) or the joint states are too many,
    and naming the multiply-adds where `work` is less than one part takes.

    >>> from sacrepro import best_localized
    >>> from sacrepro.instances.extremal import signal
    >>> round(best_localized(signal(0.5)).J, 9)
    0.625
    """
    integer("nodes", nodes, 1)
    if not (progress is None or callable(progress)):
        raise TypeError(f"progress must be a function of a sentence, got {progress!r}")
    model = exact_model(mdp)
    one = search_cost(model, "best_localized")
    if one > integer("work", work, 0):
        raise ValueError(f"one part of the search takes {one:,} multiply-adds, more than work = {work:,}: raise work")
    nodes, joint = min(nodes, work // one), _Joint(model, "best_localized")
    best: tuple[list[Array], float, float] | None = None
    slack = SLACK * joint.model.r_bar / (1.0 - joint.model.gamma)
    parts, J_high = 0, -math.inf
    # (-what it promises, a number of its own, rows: allowed actions of each agent in each state, V of the part before).
    number = count()
    open_parts: list[tuple[float, int, list[Array], Array | None]] = [(-math.inf, next(number), joint.everything, None)]
    while open_parts and parts < nodes:
        promised, _, rows, near = heapq.heappop(open_parts)
        if best and -promised <= best[1] - best[2] + slack:
            heapq.heappush(open_parts, (promised, next(number), rows, near))
            break
        parts += 1
        a, J, J_error, V = joint.best(rows, near)
        localized, doubt = joint.localized(a, rows)
        found = (localized, J, J_error) if doubt is None else (localized, *joint.best(localized, V)[1:3])
        if best is None or found[1] - found[2] > best[1] - best[2]:
            best = found
        if progress:
            high = max(J_high, J + J_error, *(-promised for promised, *_ in open_parts[:1]))
            progress(f"best localized policy: part {parts} of at most {nodes:,}, J = {best[1]:.6g}, at most {high:.6g}")
        if doubt is None or J + J_error <= best[1] - best[2] + slack:
            J_high = max(J_high, J + J_error)
            continue
        i, s = doubt
        for action in np.flatnonzero(rows[i][s]):
            fixed = rows[i].copy()
            fixed[s] = np.arange(fixed.shape[1]) == action
            kept = [fixed if j == i else row for j, row in enumerate(rows)]
            heapq.heappush(open_parts, (-J - J_error, next(number), kept, V))
    assert best is not None
    J_high = max([J_high, best[1] + best[2], *(-promised for promised, *_ in open_parts)])
    return Optimum(Policy([row.astype(float) for row in best[0]]), best[1], best[2], J_high, parts)


def search_cost(mdp: Model | CountedMDP, asked: str = "search_cost") -> int:
    """Multiply-adds by which `best_localized` counts one part of its search; at most `work` in all.

    ValueError as of `best_joint`, in the name of what was `asked`.

    >>> from sacrepro import build
    >>> from sacrepro.exact.optimum import search_cost
    >>> search_cost(build({"model": "relay", "n": 4, "gamma": 0.5}))
    13652
    """
    model = exact_model(mdp)
    S, A = _joint_sizes(model, asked)
    first = _parts(model.n)[0]
    values = S**3 // 3 if S <= ELIMINATED else 2 * PRODUCTS * S * S
    moving = {k for j in first for k in acting(model, j)}
    rest = math.prod(model.state_sizes[len(first) :]) * (ADDED if model.couples else 1)
    return ROUNDS_OF_A_PART * (S * math.prod(model.action_sizes[k] for k in moving) * S + S * A * rest + values)


def _joint_sizes(model: Model, asked: str) -> tuple[int, int]:
    """How many joint states and actions there are; ValueError where they are too many."""
    S, A = math.prod(model.state_sizes), math.prod(model.action_sizes)
    if S * A > MOST_ENTRIES or S > MOST_STATES:
        raise ValueError(
            f"{asked} needs a table over (s, a) with {S * A:,} entries and {S:,} joint states; at most "
            f"{MOST_ENTRIES:,} and {MOST_STATES:,} are taken: take a smaller network"
        )
    return S, A


def _parts(n: int) -> list[range]:
    """The agents in two parts, or one: of P(s'|s, a) a factor of each is kept, never the whole."""
    return [part for part in (range((n + 1) // 2), range((n + 1) // 2, n)) if part]


class _Joint:
    """A model as one decision process over joint states and actions.

    everything : all actions of each agent in each state, boolean blocks (S_i, A_i), as `best` takes what is allowed.
    laws : of either part of the agents that of s', (S, A of the part, S of the part), unless actions move others.
    """

    def __init__(self, model: Model, asked: str) -> None:
        self.model = model
        self.S, self.A = _joint_sizes(model, asked)
        self.everything = [np.ones(sizes, bool) for sizes in zip(model.state_sizes, model.action_sizes, strict=True)]
        self.r = joint_reward(model)
        self.s = np.indices(model.state_sizes).reshape(model.n, -1)
        low, high = row_sum_range(model.P)
        self.high = max(high, 1.0)
        if not model.gamma * self.high < 1.0:
            raise ValueError(f"gamma = {model.gamma!r} is too near 1 for the rounding of the kernels")
        self.after = 1.0 / (1.0 - model.gamma * self.high) - 1.0, 1.0 / (1.0 - model.gamma * min(low, 1.0)) - 1.0
        self.parts = _parts(model.n)
        sums = sum(math.prod(model.state_sizes[j] for j in part) for part in self.parts)
        self.roundings = sums + 2 * model.n + 8 + normalising_roundings(model.P)
        self.laws = [] if model.couples else [laws(model, part, self.s) for part in self.parts]

    def each(self, a: Array) -> list[Array]:
        """Joint actions, numbers of shape (S,), as one table (S_0, …, S_{n-1}) an agent."""
        sizes = self.model.state_sizes
        return [a_i.reshape(sizes) for a_i in np.unravel_index(a, self.model.action_sizes)]

    def best(self, allowed: list[Array], V: Array | None = None) -> tuple[Array, float, float, Array]:
        """(joint actions in each joint state, J, its certified error, V) of the best joint policy that is allowed.

        The error bounds both the distance to J of this policy and to the largest J. V : values that are near.
        """
        model, last, number = self.model, math.inf, np.arange(self.S)
        V = np.zeros(self.S) if V is None else V
        only = self._only(allowed)
        barred = None if only is not None else joint_policy(allowed).reshape(self.S, self.A) == 0
        a: Array | None = None
        for _ in range(ROUNDS):
            Q, before = None, a
            if only is not None:
                a, T_V = only, self._after(only, V)
            else:
                Q = self._expected(V)
                Q *= model.gamma
                Q += self.r
                Q[barred] = -math.inf
                a = Q.argmax(axis=1)
                T_V = Q[number, a]
            T_a_V, rounding = T_V, gamma_k(self.roundings) * (self.high * sup(V) + model.r_bar) + 4 * UNIT * sup(T_V)
            if Q is not None and before is not None:  # what rounding alone prefers is no improvement
                a = np.where(Q[number, before] >= T_V - 2.0 * rounding, before, a)
                T_a_V = Q[number, a]
            low, high = float((T_a_V - V).min()) - rounding, float((T_V - V).max()) + rounding
            lower = T_a_V - rounding + min(low * k for k in self.after)
            upper = T_V + rounding + max(high * k for k in self.after)
            if (width := 0.5 * float((upper - lower).max())) < last:
                last, found = width, (a, 0.5 * (lower + upper))
            if before is not None and (a == before).all():
                break
            V = self._values(a, V)
        error = (last + 8 * UNIT * sup(found[1])) * (1.0 + 1e-9)
        return found[0], *objective(model.pi0, found[1].reshape(model.state_sizes), error), V

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

    def _only(self, allowed: list[Array]) -> Array | None:
        """The joint action in each joint state, shape (S,), where one alone is allowed in each."""
        if any((rows.sum(axis=1) > 1).any() for rows in allowed):
            return None
        acts = tuple(rows.argmax(axis=1)[s_i] for rows, s_i in zip(allowed, self.s, strict=True))
        return np.ravel_multi_index(acts, self.model.action_sizes)

    def _followed(self, a: Array) -> list[Array]:
        """P(s_j' for j in a part|s, a(s)) of each part of the agents, shape (S, S of the part)."""
        acts = np.unravel_index(a, self.model.action_sizes)
        return [laws(self.model, part, self.s, acts) for part in self.parts]

    def _expected(self, V: Array) -> Array:
        """Σ_{s'} P(s'|s, a) V(s'), shape (S, A): one part of the agents after the other."""
        if self.laws:
            first, *second = (law.reshape(self.S, -1, law.shape[-1]) for law in self.laws)
            found = (first.reshape(-1, first.shape[2]) @ V.reshape(first.shape[2], -1)).reshape(*first.shape[:2], -1)
            return (found @ second[0].transpose(0, 2, 1) if second else found).reshape(self.S, self.A)
        expected = np.empty((self.S, *self.model.action_sizes))
        step = max(1, TOGETHER // (self.S * self.A))
        for begin in range(0, self.S, step):
            first, *second = (laws(self.model, part, self.s[:, begin : begin + step]) for part in self.parts)
            found = (first.reshape(-1, first.shape[-1]) @ V.reshape(first.shape[-1], -1)).reshape(*first.shape[:-1], -1)
            expected[begin : begin + step] = np.einsum("...t,...t->...", found, second[0] if second else np.ones(1))
        return expected.reshape(self.S, self.A)

    def _after(self, a: Array, V: Array) -> Array:
        """r(s, a(s)) + γ Σ_{s'} P(s'|s, a(s)) V(s'), shape (S,)."""
        return self.r[np.arange(self.S), a] + self.model.gamma * _mean(self._followed(a), V)

    def _values(self, a: Array, near: Array) -> Array:
        """V of a joint policy, shape (S,); uncertified."""
        gamma, followed = self.model.gamma, self._followed(a)
        reward = self.r[np.arange(self.S), a]
        if self.S > ELIMINATED:
            product = LinearOperator(
                (self.S, self.S), matvec=lambda x: x - gamma * _mean(followed, x.ravel()), dtype=float
            )
            V, left = gmres(product, reward, x0=near, rtol=1e-13, atol=0.0, restart=PRODUCTS, maxiter=4)
            if left == 0:
                return np.asarray(V)
        first, *second = followed
        P = (first[:, :, None] * second[0][:, None, :]).reshape(self.S, self.S) if second else first
        return np.asarray(np.linalg.solve(np.eye(self.S) - gamma * P, reward))


def _mean(laws: list[Array], V: Array) -> Array:
    """Σ_{s'} P(s'|s) V(s') from the laws of the parts, shapes (S, S of the part)."""
    found = laws[0] @ V.reshape(laws[0].shape[1], -1)
    return np.asarray(found[:, 0] if len(laws) == 1 else (found * laws[1]).sum(axis=1))
