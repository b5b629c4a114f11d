"""What the law of Algorithm 1 is asked for: its arguments, its cost, and tables over cells in the shape of Q̂_i."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.law.chain import CellShape
from sacrepro.exact.memory import demand, readable_count
from sacrepro.exact.models import chain_sizes, exact_model
from sacrepro.model.checks import Array, integer, mixture, one_an_agent, positive, real, wrong_shape
from sacrepro.model.graph import check_kappa, diameter
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brief, warn_of_diameter
from sacrepro.model.policy import Theta, checked, mixed, policies

#: Multiply-adds that one call may take: about five minutes on one core.
WORK = 1 << 40

#: Entries of the tables of all weights that are advanced together: they stay in cache.
BLOCK_ENTRIES = 3 << 18


class LawCost(NamedTuple):
    """What the law takes, known before it starts.

    memory : bytes of tables at a time. multiplications : multiply-adds, all agents together.
    agent, cells : the agent whose critic takes most of them, and its number of cells.
    """

    memory: int
    multiplications: int
    agent: int
    cells: int

    def __repr__(self) -> str:
        return brief(self)


def law_cost(
    mdp: Model | CountedMDP, *, kappa: int, T: int, critic_only: bool = False, agents: Sequence[int] | None = None
) -> LawCost:
    """What `expected_update`, or with `critic_only` `expected_critic`, takes on this model; nothing is computed.

    agents : those whose critic is wanted; all by default. Arguments and errors as of `expected_update`.

    >>> from sacrepro import build, law_cost
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> law_cost(mdp, kappa=0, T=20).cells  # s_i and a_i
    4
    """
    mdp = exact_model(mdp)
    S, A = chain_sizes(mdp)
    memory = total = most = 0
    worst = (0, 0)
    for i in range(mdp.n) if agents is None else agents:
        shape = CellShape(mdp.graph, S, A, i, kappa)
        weights = 1 if critic_only else 1 + shape.c
        block = min(weights, 1 + weights_together(shape))
        kernels = shape.o * shape.c * shape.b * 2 + (shape.r * shape.o**2 if shape.o > 1 else 0)
        memory = max(memory, 8 * (shape.entries * block + kernels))
        needed = T * shape.multiplications * (weights + (weights - 1) // max(1, block - 1))
        total += needed
        if needed > most:
            most, worst = needed, (i, shape.c)
    return LawCost(memory, total, *worst)


def weights_together(shape: CellShape) -> int:
    """How many weights d(x) are advanced together with d = 1."""
    return max(1, BLOCK_ENTRIES // shape.entries)


def afford(cost: LawCost, work: int, memory_limit: int | None) -> None:
    """ValueError beyond `work` multiply-adds, MemoryError where the tables do not fit; both name the agent."""
    what = f"the law of agent {cost.agent}'s critic, which has {readable_count(cost.cells)} cells,"
    if cost.multiplications > work:
        raise ValueError(
            f"{what} and those of the others need {readable_count(cost.multiplications)} multiply-adds, which exceeds "
            f"work = {work}; take a smaller kappa, T or network, or raise work"
        )
    demand(what, cost.memory, memory_limit, "a smaller kappa or network fits")


def kappa_within(mdp: Model, kappa: int) -> int:
    """κ, or the diameter with a warning where κ is beyond it: the neighborhoods, and so the law, are the same."""
    check_kappa(kappa)
    farthest = diameter(mdp.graph)
    if kappa > farthest:
        warn_of_diameter(kappa, farthest)
    return min(int(kappa), farthest)


def step_sizes(T: int, h: float, t0: float, epsilon: float) -> Array:
    """α_0, …, α_{T-1} of line 6; TypeError or ValueError names the argument that makes no sense."""
    T, h, t0 = integer("T", T, 1), positive("h", h), positive("t0", t0)
    mixture(epsilon)
    return h / (np.arange(T) + t0)


def mixed_chain(mdp: Model, theta: Theta, epsilon: float) -> Chain:
    """The chain of the policies (1-ε) ζ_i + ε/A_i: over states, or over pairs for an action-coupled model."""
    theta = checked(mdp, theta)
    policy = mixed(policies(mdp, theta), float(epsilon)) if epsilon > 0 else theta
    return chain_of(mdp, policy)


def first_tables(mdp: Model, kappa: int, Q_hat: Sequence[Array] | None) -> list[Array]:
    """Q̂^0 of every agent over its cells, zero where none is given; ValueError names the agent whose table is wrong."""
    S, A = chain_sizes(mdp)
    shapes = [CellShape(mdp.graph, S, A, i, kappa) for i in range(mdp.n)]
    if Q_hat is None:
        return [np.zeros(shape.c) for shape in shapes]
    one_an_agent("Q_hat", Q_hat, mdp.n)
    return [from_Q_hat(real(f"Q_hat[{i}] of agent {i}", Q_hat[i]), shapes[i], mdp) for i in range(mdp.n)]


def as_Q_hat(mean: Array, shape: CellShape, mdp: Model) -> Array:
    """A table over cells in the shape of Q̂_i: (S_0, …, A_{n-1}) with length 1 outside N_i^κ."""
    n = mdp.n
    order, split = _places(shape, mdp)
    padded = [mdp.state_sizes[j] if j in shape.hood else 1 for j in range(n)]
    padded += [mdp.action_sizes[j] if j in shape.hood else 1 for j in range(n)]
    return np.ascontiguousarray(mean.reshape(split).transpose(order)).reshape(padded)


def from_Q_hat(table: Array, shape: CellShape, mdp: Model) -> Array:
    """The inverse of `as_Q_hat`, flat; ValueError names the agent whose table has another shape."""
    n = mdp.n
    expected = tuple(mdp.state_sizes[j] if j in shape.hood else 1 for j in range(n))
    expected += tuple(mdp.action_sizes[j] if j in shape.hood else 1 for j in range(n))
    if table.shape != expected:
        raise ValueError(wrong_shape("Q_hat", shape.agent, table, f"{expected}: length 1 outside {shape.hood}"))
    if not np.isfinite(table).all():
        entry = tuple(int(k) for k in np.argwhere(~np.isfinite(table))[0])
        raise ValueError(f"Q_hat[{shape.agent}] of agent {shape.agent} has entry {float(table[entry])!r} at {entry}")
    order, _ = _places(shape, mdp)
    hood = shape.hood
    inside = [mdp.state_sizes[j] for j in hood] + [mdp.action_sizes[j] for j in hood]
    return np.ascontiguousarray(table.reshape(inside).transpose(np.argsort(order))).ravel()


def _places(shape: CellShape, mdp: Model) -> tuple[list[int], list[int]]:
    """(order, split): the axes of a table over cells, split into states and actions, and how they become sorted."""
    m = len(shape.inside)
    where = [shape.inside.index(j) for j in shape.hood]
    states, actions = [mdp.state_sizes[j] for j in shape.inside], [mdp.action_sizes[j] for j in shape.inside]
    if mdp.couples:
        split = [size for both in zip(states, actions, strict=True) for size in both]
        return [2 * k for k in where] + [2 * k + 1 for k in where], split
    return where + [m + k for k in where], states + actions
