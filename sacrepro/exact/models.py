"""Models as the exact engine takes them, and what each decides about its chains whatever θ is: `facts`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from sacrepro.exact.product.matrix import MATRIX_ENTRIES, Stack
from sacrepro.exact.rounding import averaging_roundings, normalising_roundings, policy_roundings, row_sum_range
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model, NetworkedMDP, no_model
from sacrepro.model.memory import demand_axes
from sacrepro.model.policy import Theta, joint_policy, policies

#: Kernels of agents alike are kept a second time, one after the other, up to this many entries in all.
STACKED_ENTRIES = 1 << 14

#: Entries of P(s'|s, a), and of a table over (s, a), that are made.
MOST_ENTRIES = 1 << 24


def exact_model(mdp: object) -> Model:
    """`mdp` as the functions of this room take it, a model by counts with its kernels over s_{N_i}.

    Raises TypeError for what is no model, ValueError where a count cannot be tabulated.
    """
    if isinstance(mdp, (NetworkedMDP, CoupledMDP)):
        return mdp
    if isinstance(mdp, CountedMDP):
        return mdp.expanded()
    raise no_model(mdp)


def plain_model(mdp: object, asked: str, instead: str) -> NetworkedMDP:
    """As `exact_model`, for what has no theory for action-coupled models: TypeError names what is asked and instead."""
    model = exact_model(mdp)
    if isinstance(model, CoupledMDP):
        raise TypeError(f"{asked} takes a NetworkedMDP or a CountedMDP, got a CoupledMDP; {instead}")
    return model


def chain_sizes(model: Model) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of states, and of what is left of the actions: pairs leave one action."""
    if not model.couples:
        return model.state_sizes, model.action_sizes
    return tuple(S_i * A_i for S_i, A_i in zip(model.state_sizes, model.action_sizes, strict=True)), (1,) * model.n


def stacks_of(model: Model) -> tuple[Stack, ...]:
    """The stacks of a model of eq. (1): one for each pair of sizes where tables are small, one an agent else."""
    if model.couples:
        return ()
    small = sum(P_i.size for P_i in model.P) <= STACKED_ENTRIES
    alike: dict[tuple[int, ...], list[int]] = {}
    for i, r_i in enumerate(model.r):
        alike.setdefault(r_i.shape if small else (i,), []).append(i)
    stacks = []
    for agents in alike.values():
        rows, (S, A) = [], model.r[agents[0]].shape
        for start, i in enumerate(agents):
            hood, shape = model.neighbors[i], model.P[i].shape[:-2]
            own = np.arange(S).reshape([S if j == i else 1 for j in hood])
            rows.append(start * S + np.broadcast_to(own, shape).ravel())
        P = [model.P[i].reshape(-1, A, S) for i in agents]
        stacks.append(
            Stack(
                tuple(agents),
                np.concatenate(rows),
                P[0] if len(P) == 1 else np.concatenate(P),
                np.concatenate([model.r[i] for i in agents]),
                tuple(accumulate(model.P[i].size // A for i in agents[:-1])),
            )
        )
    return tuple(stacks)


def averaged(stacks: Sequence[Stack], zeta: Sequence[Array]) -> tuple[Array, Array]:
    """(P̄, r^θ) of a model of eq. (1): Σ_a ζ_i(a|s_i) P_i(· | s_{N_i}, a) and Σ_a ζ_i(a|s_i) r_i(s_i, a), each flat.

    The tables of all agents stand one after the other. zeta : blocks (..., S_i, A_i); what leads them, one entry a
    policy, leads the results.
    """
    lead = zeta[0].shape[:-2]
    parts: list[tuple[int, Array, Array]] = []
    for agents, rows, P, r, ends in stacks:
        weights = np.concatenate([zeta[i] for i in agents], axis=-2) if len(agents) > 1 else zeta[agents[0]]
        laws = np.einsum("...ra,ras->...rs", weights.take(rows, axis=-2), P).reshape(*lead, -1)
        means = np.add.reduce(weights * r, axis=-1)
        if len(stacks) == 1:
            return laws, means
        own = range(P.shape[-1], means.shape[-1], P.shape[-1])
        parts += zip(agents, np.split(laws, ends, axis=-1), np.split(means, own, axis=-1), strict=True)
    _, kernels, rewards = zip(*sorted(parts, key=lambda part: part[0]), strict=True)
    return np.concatenate(kernels, axis=-1), np.concatenate(rewards, axis=-1)


class Facts(NamedTuple):
    """What rounding costs a model whatever θ is, as `Chain` says; row_sums : those of Π_j P_j as stored.

    averaging, normalising : the parts of `kernel_roundings` that are due to ζ and to the rows of P.
    score_roundings        : of a gradient, beyond those of products. reward_spread : max_i max_s osc r_i(s, ·).
    start                  : π_0, as one table where there are few joint states.
    """

    row_sums: tuple[float, float]
    averaging: float
    normalising: float
    reward_roundings: float
    score_roundings: float
    reward_spread: float
    reward_sizes: tuple[float, ...]
    stacks: tuple[Stack, ...]
    start: tuple[Array, ...] | Array


#: Many policies of one model are evaluated one after the other.
_KNOWN: WeakKeyDictionary[Model, Facts] = WeakKeyDictionary()


def facts(model: Model) -> Facts:
    """`Facts` of a model, found once."""
    known = _KNOWN.get(model)
    if known is None:
        start = model.joint_pi0() if math.prod(model.state_sizes) <= MATRIX_ENTRIES else model.pi0
        if isinstance(start, np.ndarray):
            start.setflags(write=False)
        blocks = [np.empty(shape) for shape in zip(model.state_sizes, model.action_sizes, strict=True)]
        known = _KNOWN[model] = Facts(
            least_and_largest_row_sums(model.P),
            averaging_roundings(blocks),
            normalising_roundings(model.P),
            max(policy_roundings(block) + block.shape[1] + 1 for block in blocks),
            max(
                2 * policy_roundings(block) + P_i.size + 2 * block.shape[1] + 12
                for block, P_i in zip(blocks, model.P, strict=True)
            ),
            max(float(np.ptp(r_i, axis=-1).max()) for r_i in model.r),
            tuple(float(r_i.max()) for r_i in model.r),
            stacks_of(model),
            start,
        )
    return known


def least_and_largest_row_sums(kernels: Sequence[Array]) -> tuple[float, float]:
    """Bounds on the row sums of Π_j P_j: 1, and what rows as given miss of it."""
    low, high = row_sum_range(kernels)
    return min(low, 1.0), max(high, 1.0)


# A model as one decision process over joint states and actions, row-major, agent 0 first.


def acting(model: Model, j: int) -> tuple[int, ...]:
    """The agents whose actions move agent j."""
    return model.neighbors[j] if model.couples else (j,)


def laws(model: Model, part: Iterable[int], s: Array, a: Sequence[Array] | None = None) -> Array:
    """P(s_j' for j in part|s, a) from states s, shape (n, m), and one action (m,) an agent: (m, S of the part).

    Without a after every action, shape (m, A_0 or 1, …, A_{n-1} or 1, S of the part), 1 where it moves none of them.
    """
    if a is None:
        s, a = s.reshape(*s.shape, *(1,) * model.n), np.ix_(*map(range, model.action_sizes))
    law = np.ones(1)
    for j in part:
        own = model.P[j][(*(s[k] for k in model.neighbors[j]), *(a[k] for k in acting(model, j)))]
        law = law[..., None] * own[..., None, :]
        law = law.reshape(*law.shape[:-2], -1)
    return law


def joint_model(model: Model, theta: Theta | None = None, agent: int | None = None) -> tuple[Array, Array]:
    """(r, P), shapes (S, A) and (S, A, S), with one action in place of A where a policy θ is followed.

    agent : whose r_i is the reward, by default the mean over all. TypeError or ValueError for what is no agent.
    """
    if agent is not None:
        check_agent(agent, model.n)
    P, r = joint_kernel(model), joint_reward(model, None if agent is None else (int(agent),))
    if theta is None:
        return r, P
    acted = joint_policy(policies(model, theta)).reshape(r.shape)
    return (acted * r).sum(axis=1, keepdims=True), np.einsum("sa,sat->st", acted, P)[:, None]


def joint_kernel(model: Model) -> Array:
    """P(s'|s, a), shape (S, A, S), row-major; ValueError, naming the entries, where these are too many to be made."""
    n, S, A = model.n, math.prod(model.state_sizes), math.prod(model.action_sizes)
    if S * S * A > MOST_ENTRIES:
        raise ValueError(f"P(s'|s, a) has {S * S * A:,} entries, at most {MOST_ENTRIES:,} are made")
    demand_axes(n, 2)
    law = laws(model, range(n), np.indices(model.state_sizes).reshape(n, -1))
    return np.ascontiguousarray(law).reshape(S, A, S)


def joint_reward(model: Model, agents: tuple[int, ...] | None = None) -> Array:
    """The mean of r_i over `agents`, all by default: r(s, a) = (1/n) Σ_i r_i, shape (S, A)."""
    n, chosen = model.n, range(model.n) if agents is None else agents
    demand_axes(n, 0, 2)
    total = np.zeros((*model.state_sizes, *model.action_sizes))
    for i in chosen:
        shape, hood = [1] * (2 * n), model.reward_hoods[i]
        for j in hood:
            shape[j], shape[n + j] = model.state_sizes[j], model.action_sizes[j]
        total += model.r[i].reshape(shape) / len(chosen)
    return total.reshape(math.prod(model.state_sizes), -1)
