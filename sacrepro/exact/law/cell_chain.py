"""The network as the critic of one agent sees it: its cells x = (s_B, a_B), B = N_i^κ, and the states O around them.

Algorithm 1 updates Q̂_i at x(t-1) with a look at x(t). Given s(t) the actions a(t) are drawn independently, so the law
of what happens next is a matter of (s(t), a_B(t)); all other actions are averaged out. One step is the product over B
with the actions kept, a table, and the product over O, factored where that is cheaper.

What the law of Algorithm 1 is asked for: its arguments, its cost, and tables over cells in the shape of Q̂_i.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.dense import contracted
from sacrepro.exact.models import chain_sizes, exact_model
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import policy_roundings
from sacrepro.exact.truncation import cell_shape
from sacrepro.model.checks import Array, integer, mixture, one_an_agent, positive, real, wrong_shape
from sacrepro.model.graph import check_agents, check_kappa, diameter, neighborhood
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.memory import demand, demand_axes, readable_count
from sacrepro.model.notices import beyond_diameter, in_one_line, warn
from sacrepro.model.policy import Theta, checked, mixed, policies

#: Up to this many states of O the product over O is a matrix: there it is faster than the factored product.
DENSE_OUTSIDE = 64


class CellShape:
    """Who is inside and how large everything is: read off the graph and the sizes, before any table is made.

    inside : B, first the agents with a neighbor in O (the rim), then the others; the axes of cells follow this order.
    outside : O, the other agents of i's component, sorted; agents of other components never matter.
    b, a, o, r : numbers of values of s_B, of a_B, of s_O and of the states of the rim. c = b·a : number of cells.
    """

    def __init__(self, graph: nx.Graph, S: tuple[int, ...], A: tuple[int, ...], i: int, kappa: int) -> None:
        self.agent, self.hood = i, neighborhood(graph, i, kappa)
        self.outside = tuple(sorted(nx.node_connected_component(graph, i) - set(self.hood)))
        self.rim = tuple(j for j in self.hood if set(graph[j]) & set(self.outside))
        self.inside = (*self.rim, *(j for j in self.hood if j not in self.rim))
        self.S, self.A = tuple(S[j] for j in self.inside), tuple(A[j] for j in self.inside)
        self.outer_S = tuple(S[j] for j in self.outside)
        self.b, self.a, self.o = math.prod(self.S), math.prod(self.A), math.prod(self.outer_S)
        self.r, self.c = math.prod(S[j] for j in self.rim), self.b * self.a

    @property
    def entries(self) -> int:
        """Entries of the tables that one weight of the recursion takes (`moments.final_sums`)."""
        o, c, N = self.o, self.c, self.c + 1
        if o <= DENSE_OUTSIDE:
            return 2 * o * c * N + (self.r + 1) * o * self.b * N
        return 2 * o * c * N + 5 * o * max(c * c // self.r, self.b * N)

    @property
    def multiplications(self) -> int:
        """Multiply-adds of one step for one weight, the product over O taken as a matrix."""
        c, b, o = self.c, self.b, self.o
        return (c + 1) * (o * c * b + o * o * self.r * b) + o * o * c * c

    @property
    def kernels(self) -> int:
        """Entries of the kernels as the recursion takes them."""
        o, inside = self.o, self.o * self.c * self.b
        return 2 * inside + (self.r * o * o + inside * o if 1 < o <= DENSE_OUTSIDE else inside)


@dataclass(frozen=True, eq=False)
class CellChain:
    """The chain (s(t), a_B(t)) of one agent. Axes: o (s_O), u (s_B), a (a_B), x = (u, a), primed for the next state.

    zeta   : ζ_B(a|u), (b, a).        P_inside : Π_{j∈B} P_j, (o, c, b').
    start  : π_0(u, o), (o, b).       reward   : r_i, (o, c).
    """

    chain: Chain
    shape: CellShape
    zeta: Array
    P_inside: Array
    start: Array
    reward: Array

    @cached_property
    def _operators(self) -> list[FactoredOperator]:
        """Π_{j∈O} P̄_j on tables over s_O, one operator for each state of the rim."""
        neighbors, outside = self.chain.hoods, self.shape.outside
        index = {j: k for k, j in enumerate(outside)}
        hoods = tuple(tuple(index[k] for k in neighbors[j] if k in index) for j in outside)
        operators = []
        for state in np.ndindex(*self.shape.S[: len(self.shape.rim)]):
            given = dict(zip(self.shape.rim, state, strict=True))
            rows = [tuple(given.get(k, slice(None)) for k in neighbors[j]) for j in outside]
            kernels = [np.ascontiguousarray(self.chain.P_bar[j][row]) for j, row in zip(outside, rows, strict=True)]
            operators.append(FactoredOperator(kernels, hoods, self.shape.outer_S))
        return operators

    @cached_property
    def matrices(self) -> Array:
        """The same as matrices, (r, o', o)."""
        chain, shape = self.chain, self.shape
        following = {j: chain.n + k for k, j in enumerate(shape.outside)}
        given = [*shape.rim, *shape.outside]
        operands: list[Any] = [np.ones((*shape.S[: len(shape.rim)], *shape.outer_S)), given]
        for j in shape.outside:
            operands += [chain.P_bar[j], [*chain.hoods[j], following[j]]]
        product = contracted(*operands, [*shape.rim, *following.values(), *shape.outside])
        return np.ascontiguousarray(product).reshape(shape.r, shape.o, shape.o)

    def around(self, rim: int, table: Array) -> Array:
        """Σ_o P(o'|o, rim) of a table (o, …) for one state of the rim, (o', …)."""
        o = self.shape.o
        if o <= DENSE_OUTSIDE:
            return np.asarray(self.matrices[rim] @ table)
        rows = np.ascontiguousarray(table.T).reshape(-1, *self.shape.outer_S)
        return np.asarray(self._operators[rim].transpose(rows).reshape(-1, o).T)

    @property
    def roundings(self) -> float:
        """Roundings that an entry passes through in one step of the recursion, those of the kernels included."""
        shape, chain = self.shape, self.chain
        outside = len(shape.outside)
        if shape.o > DENSE_OUTSIDE:
            outside = max(operator.adjoint_roundings for operator in self._operators)
        policies = sum(policy_roundings(chain.theta[j]) + 4 for j in range(len(chain.theta)))
        return (
            2 * outside + shape.r * shape.o + shape.c + chain.kernel_roundings + policies + 2 * len(shape.inside) + 16
        )


def cell_chain(chain: Chain, i: int, kappa: int) -> CellChain:
    """The chain of agent i's cells of N_i^κ under the policies of `chain`."""
    shape = CellShape(chain.model.graph, *chain_sizes(chain.model), i, kappa)
    n, m = chain.n, len(shape.inside)
    action = {j: n + k for k, j in enumerate(shape.inside)}
    following = {j: n + m + k for k, j in enumerate(shape.inside)}
    places = [*shape.outside, *shape.inside, *action.values()]
    around = [np.ones(shape.outer_S), [*shape.outside]]
    operands: list[Any] = [*around]
    for j in shape.inside:
        operands += [chain.kernels[j], [*chain.hoods[j], action[j], following[j]]]
    P_inside = contracted(*operands, [*places, *following.values()], optimize="greedy")
    operands = []
    for j in shape.inside:
        operands += [chain.policies[j], [j, action[j]]]
    zeta = contracted(*operands, [*shape.inside, *action.values()])
    everywhere = np.ones((*shape.outer_S, *shape.S, *shape.A)), places
    r_i, states, actions = chain.reward_table(i)
    reward = contracted(*everywhere, r_i, [*states, *(action[j] for j in actions)], places)
    o, b, a, c = shape.o, shape.b, shape.a, shape.c
    return CellChain(
        chain,
        shape,
        zeta.reshape(b, a),
        np.ascontiguousarray(P_inside).reshape(o, c, b),
        _start(chain, shape).reshape(o, b),
        np.ascontiguousarray(reward).reshape(o, c),
    )


def _start(chain: Chain, shape: CellShape) -> Array:
    """The law of s(0), axes O, then B."""
    agents = [*shape.outside, *shape.inside]
    pi0 = chain.start
    if isinstance(pi0, np.ndarray):
        return np.ascontiguousarray(contracted(pi0, [*range(chain.n)], agents))
    operands: list[Any] = []
    for j in agents:
        operands += [pi0[j], [j]]
    return np.ascontiguousarray(contracted(*operands, agents))


#: Multiply-adds that one call may take: about five minutes on one core.
WORK = 1 << 40

#: Entries of the tables of all weights that are advanced together: they stay in cache.
BLOCK_ENTRIES = 1 << 18


@in_one_line
class LawCost(NamedTuple):
    """What the law takes, known before it starts.

    memory : bytes of tables at a time. multiplications : multiply-adds, all agents together.
    agent, cells : the agent whose critic takes most of them, and its number of cells.
    """

    memory: int
    multiplications: int
    agent: int
    cells: int


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
    agents = check_agents(range(mdp.n) if agents is None else agents, mdp.n)
    shapes = [CellShape(mdp.graph, S, A, i, kappa) for i in agents]
    seen: set[tuple[int, ...]] = set()
    for shape in shapes:
        i, alike = shape.agent, sum(other.hood == shape.hood for other in shapes)
        weights = 1 if critic_only or shape.hood in seen else 1 + shape.c
        block = min(weights, 1 + weights_together(shape))
        memory = max(memory, 8 * (shape.entries * block + shape.kernels))
        # Of agents with the same cells all weights are advanced once, d = 1 for each.
        apart = int(weights > 1 and alike > 1)
        needed = T * shape.multiplications * (weights + (weights - 1) // max(1, block - 1) + apart)
        total += needed
        seen.add(shape.hood)
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
        warn(beyond_diameter(kappa, farthest))
    return min(int(kappa), farthest)


def step_sizes(T: int, h: float, t0: float, epsilon: float) -> Array:
    """α_0, …, α_{T-1} of line 6; TypeError or ValueError names the argument that makes no sense."""
    T, h, t0 = integer("T", T, 1), positive("h", h), positive("t0", t0)
    mixture(epsilon)
    return h / (np.arange(T) + t0)


def mixed_chain(mdp: Model, theta: Theta, epsilon: float) -> Chain:
    """The chain of the policies (1-ε) ζ_i + ε/A_i: over states, or over pairs for an action-coupled model.

    ValueError where tables in the shape of Q̂_i have more axes than an array may.
    """
    demand_axes(mdp.n, 0, 2)
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
    order, split = _places(shape, mdp)
    padded = cell_shape((*mdp.state_sizes, *mdp.action_sizes), shape.hood)
    return np.ascontiguousarray(mean.reshape(split).transpose(order)).reshape(padded)


def from_Q_hat(table: Array, shape: CellShape, mdp: Model) -> Array:
    """The inverse of `as_Q_hat`, flat; ValueError names the agent whose table has another shape."""
    expected = cell_shape((*mdp.state_sizes, *mdp.action_sizes), shape.hood)
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
