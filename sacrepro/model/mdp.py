"""Section 2, eqs. (1)-(2): the networked Markov decision process.

The next state of agent i depends on the states of its neighbors and on its own action,

    P(s(t+1) | s(t), a(t)) = Π_i P_i(s_i(t+1) | s_{N_i}(t), a_i(t)),          (1)

its reward is r_i(s_i, a_i) ∈ [0, r̄], and J(θ) = E Σ_t γ^t (1/n) Σ_i r_i with s(0) ~ π_0.          (2)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial, wraps
from typing import ClassVar, ParamSpec

import networkx as nx
import numpy as np

from sacrepro.model.checks import (
    LARGEST_SCALE,
    Array,
    check_least,
    discount,
    distributions,
    local_tables,
    marginals,
    sizes_of_rewards,
    start,
    wrong_shape,
)
from sacrepro.model.graph import check_kernel_sizes, frozen_graph
from sacrepro.model.kernels import Alike, Kernel, PairKernel, SumKernel, TableKernel, alike
from sacrepro.model.notices import described

#: What to do about rewards below 0.
SHIFT = "add a constant c to every reward: Q shifts by c/(1-γ), D and ∇J do not change"


@dataclass(frozen=True, eq=False, repr=False)
class LocalModel(ABC):
    """What every kind of model is: a kernel and a reward table an agent, copied, checked and frozen on construction.

    A kind says which shapes its tables have; rewards r_i(s_i, a_i) are what it has unless it says otherwise.
    """

    graph: nx.Graph
    P: tuple[Array, ...]
    r: tuple[Array, ...]
    gamma: float
    pi0: tuple[Array, ...] | Array
    #: N_i for each agent, sorted, i included: the order of the axes over neighbors.
    neighbors: tuple[tuple[int, ...], ...] = field(init=False, repr=False)
    #: Whether anything sees a neighbor's action or pays for its state.
    couples: ClassVar[bool] = False
    _kind: ClassVar[type[Kernel]]

    def __post_init__(self) -> None:
        keep = partial(object.__setattr__, self)
        graph, hoods = frozen_graph(self.graph)
        keep("graph", graph)
        keep("neighbors", hoods)
        keep("gamma", discount(self.gamma))
        keep("r", local_tables("r", self.r, len(graph), SHIFT))
        self._check_rewards()
        self._check_scale()
        keep("P", local_tables("P", self.P, len(graph)))
        for i, P_i in enumerate(self.P):
            if P_i.shape != (expected := self._kernel_shape(i)):
                raise ValueError(f"{wrong_shape('P', i, P_i, expected)}: {self._kernel_axes(i)}; {self._sizes(i)}")
        keep("P", distributions("P", self.P))
        keep("pi0", self._start())

    def _check_rewards(self) -> None:
        for i, r_i in enumerate(self.r):
            if r_i.ndim != 2 or r_i.size == 0:
                raise ValueError(wrong_shape("r", i, r_i, f"(S_{i}, A_{i}) with S_{i}, A_{i} ≥ 1"))

    def _check_scale(self) -> None:
        check_least(self.r)
        if self.r_bar <= (largest := LARGEST_SCALE * (1.0 - self.gamma) ** 2):
            return
        i = max(range(self.n), key=lambda j: self.r[j].max())
        entry = tuple(int(k) for k in np.unravel_index(int(self.r[i].argmax()), self.r[i].shape))
        raise ValueError(
            f"r[{i}] of agent {i} has entry {self.r_bar!r} at {entry}; with gamma = {self.gamma!r} rewards may be at "
            f"most {largest:.3g}, so that the square of r̄/(1-γ)² is finite"
        )

    @abstractmethod
    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        """The shape of P_i."""

    @abstractmethod
    def _kernel_axes(self, i: int) -> str:
        """What the axes of P_i are, in words."""

    def _sizes(self, i: int) -> str:
        return sizes_of_rewards(i, self.neighbors[i], self.state_sizes, self.action_sizes)

    def _start(self) -> tuple[Array, ...] | Array:
        return start(self.pi0, self.state_sizes)

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.r)

    @cached_property
    def state_sizes(self) -> tuple[int, ...]:
        """(S_0, …, S_{n-1})."""
        return tuple(r_i.shape[0] for r_i in self.r)

    @cached_property
    def action_sizes(self) -> tuple[int, ...]:
        """(A_0, …, A_{n-1})."""
        return tuple(r_i.shape[1] for r_i in self.r)

    @cached_property
    def r_bar(self) -> float:
        """r̄: the largest reward entry, so that 0 ≤ r_i ≤ r̄ (Assumption 1)."""
        return float(max(r_i.max() for r_i in self.r))

    @cached_property
    def kernels(self) -> tuple[Kernel, ...]:
        """P_i of each agent as a `Kernel`, over the same numbers; agents of one table and size share it."""
        S, A = self.state_sizes, self.action_sizes
        rows: dict[int, Array] = {}
        made: dict[tuple[object, ...], Kernel] = {}
        kernels = []
        for i, hood in enumerate(self.neighbors):
            table = self.P[i]
            key = (id(table), hood.index(i), tuple([S[j] for j in hood]), tuple([A[j] for j in hood]))
            if key not in made:
                flat = rows.setdefault(id(table), table.reshape(-1, S[i]))
                made[key] = self._kind(flat, key[2], key[3], key[1])
            kernels.append(made[key])
        return tuple(kernels)

    @cached_property
    def reward_hoods(self) -> tuple[tuple[int, ...], ...]:
        """Whose states and actions r_i sees, sorted: those of i alone, by eq. (2)."""
        return tuple((i,) for i in range(self.n))

    def alike(self) -> list[Alike]:
        """The agents in groups whose kernels differ in their numbers alone."""
        return self._alike

    @cached_property
    def _alike(self) -> list[Alike]:
        return alike(self.kernels, self.neighbors)

    def __repr__(self) -> str:
        return described(self)

    def joint_pi0(self) -> Array:
        """π_0 as one array of shape (S_0, …, S_{n-1})."""
        return joint_law(self.pi0)


class NetworkedMDP(LocalModel):
    """The model of eqs. (1)-(2), copied, checked and frozen on construction.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_j for j in sorted N_i) + (A_i, S_i)``, next state last.
    r     : one reward table an agent, shape ``(S_i, A_i)``, entries ≥ 0.
    gamma : discount γ ∈ [0, 1).
    pi0   : a tuple of n marginals of shape ``(S_i,)``, or one joint array of shape ``(S_0, …, S_{n-1})``.
    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.

    >>> import networkx as nx, numpy as np
    >>> from sacrepro import NetworkedMDP
    >>> orders = np.broadcast_to(np.array([[0.9, 0.1], [0.1, 0.9]]), (2, 2, 2, 2))  # axes s_0, s_1, a_0, s_0'
    >>> copies = np.broadcast_to(np.eye(2)[:, None, None, :], (2, 2, 2, 2))  # axes s_0, s_1, a_1, s_1'
    >>> r = (np.zeros((2, 2)), np.array([[0.0, 0.0], [1.0, 1.0]]))
    >>> mdp = NetworkedMDP(nx.path_graph(2), (orders, copies), r, gamma=0.9, pi0=(np.full(2, 0.5),) * 2)
    >>> mdp.n, mdp.state_sizes, mdp.r_bar
    (2, (2, 2), 1.0)
    """

    _kind = TableKernel

    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        return (*(self.state_sizes[j] for j in self.neighbors[i]), self.action_sizes[i], self.state_sizes[i])

    def _kernel_axes(self, i: int) -> str:
        states = ", ".join(f"S_{j}" for j in self.neighbors[i])
        return f"({states}, A_{i}, S_{i}), the states of N_{i} in sorted order, then the action, then the next state"


def joint_law(pi0: tuple[Array, ...] | Array) -> Array:
    """A law over joint states as one array, from its marginals or as it is."""
    if isinstance(pi0, np.ndarray):
        return pi0
    joint = np.ones(())
    for marginal in pi0:
        joint = np.multiply.outer(joint, marginal)
    return joint


def no_model(mdp: object) -> TypeError:
    """The error for what is none of the three kinds of model."""
    hint = "; a simulator shows no kernels: pass the model that it samples" if hasattr(mdp, "rollout") else ""
    hint = "; take its .mdp()" if hasattr(mdp, "mdp") else hint
    return TypeError(f"expected a NetworkedMDP, a CoupledMDP or a CountedMDP, got {type(mdp).__name__}{hint}")


# Eq. (1) for agents that see their neighbors through a sum: P_i(s_i' | s_i, k, a_i) with k = Σ_{j∈N_i, j≠i} s_j.
#
# Epidemics, majority dynamics and machines that fail with their neighbors are of this kind. A table over s_{N_i} has
# S^{|N_i|} entries, so an agent with more than about twenty neighbors cannot be tabulated; a table over the sum has one
# row for each value of k, and a hub of degree 1000 costs a thousand. Sampling and SAC need no more.

Parameters = ParamSpec("Parameters")


class CountedMDP(LocalModel):
    """A networked MDP whose kernels depend on the neighbors' states through their sum, copied, checked and frozen.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_i, K_i + 1, A_i, S_i)`` with K_i = Σ_{j∈N_i, j≠i} (S_j - 1): own state,
            sum of the other neighbors' states, action, next state.
    r, gamma : as in `NetworkedMDP`.        pi0 : n marginals of shape ``(S_i,)``.
    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.

    >>> import networkx as nx, numpy as np
    >>> from sacrepro import CountedMDP
    >>> joins = np.array([0.1, 0.5, 0.9])  # probability of s_i' = 1, by how many other neighbors are in state 1
    >>> P_i = np.broadcast_to(np.stack([1 - joins, joins], axis=-1)[None, :, None, :], (2, 3, 2, 2))
    >>> mdp = CountedMDP(nx.cycle_graph(4), (P_i,) * 4, (np.eye(2),) * 4, gamma=0.9, pi0=(np.full(2, 0.5),) * 4)
    >>> mdp.n, mdp.P[0].shape
    (4, (2, 3, 2, 2))
    """

    pi0: tuple[Array, ...]
    _kind = SumKernel

    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        S_i = self.state_sizes[i]
        K_i = sum(self.state_sizes[j] - 1 for j in self.neighbors[i] if j != i)
        return (S_i, K_i + 1, self.action_sizes[i], S_i)

    def _kernel_axes(self, i: int) -> str:
        return (
            f"(S_{i}, K_{i} + 1, A_{i}, S_{i}), the own state, the sum of the other neighbors' states, the action, "
            "the next state"
        )

    def _start(self) -> tuple[Array, ...]:
        return marginals(self.pi0, self.state_sizes)

    def expanded(self) -> NetworkedMDP:
        """The same model with kernels over s_{N_i}, made once; agents with equal kernels share one table.

        Raises ValueError, naming the agent, its degree and the entries, where such a table is too large.
        """
        return self._expanded

    @cached_property
    def _expanded(self) -> NetworkedMDP:
        check_kernel_sizes(self.graph, self.state_sizes, self.action_sizes)
        made = {id(kernel): kernel.table() for kernel in {id(kernel): kernel for kernel in self.kernels}.values()}
        P = tuple(made[id(kernel)] for kernel in self.kernels)
        return NetworkedMDP(self.graph, P, self.r, self.gamma, self.pi0)


def tabulated(model: Callable[Parameters, CountedMDP]) -> Callable[Parameters, NetworkedMDP]:
    """The model that `model` builds, with kernels over s_{N_i}."""

    @wraps(model)
    def build(*args: Parameters.args, **kwargs: Parameters.kwargs) -> NetworkedMDP:
        return model(*args, **kwargs).expanded()

    return build


def counted(
    graph: nx.Graph, law: Callable[[int, int, int, int], Array], r_i: Array, gamma: float, pi0_i: Array
) -> CountedMDP:
    """Agents alike but for their degree, S_i = r_i's rows: `law` (s_i, k, degree, a_i) is the law of s_i'."""
    S, A = r_i.shape
    tables: dict[int, Array] = {}
    for i in range(len(graph)):
        degree = sum(j != i for j in graph[i])
        if degree not in tables:
            places = (S, degree * (S - 1) + 1, A)
            rows = [law(s_i, k, degree, a_i) for s_i, k, a_i in np.ndindex(*places)]
            tables[degree] = np.array(rows).reshape(*places, S)
    n = len(graph)
    P = tuple(tables[sum(j != i for j in graph[i])] for i in range(n))
    return CountedMDP(graph, P, (r_i,) * n, gamma, (pi0_i,) * n)


# Action-coupled networks, a superset of eqs. (1)-(2): neighbors' actions act at once, and rewards see neighbors.
#
#     P(s(t+1) | s(t), a(t)) = Π_i P_i(s_i(t+1) | s_{N_i}(t), a_{N_i}(t)),      r_i = r_i(s_{N_i}, a_{N_i}) ∈ [0, r̄].
#
# With neighbors' actions in the kernels Lemma 3 keeps its exponent; with neighbors in the rewards it loses one hop
# (`sacrepro.bounds.decay`).


class CoupledMDP(LocalModel):
    """The action-coupled model, copied, checked and frozen on construction.

    graph : networkx.Graph on the agents 0..n-1.
    P     : one kernel an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i) + (S_i,)``.
    r     : one reward table an agent, shape ``(S_j for j in sorted N_i) + (A_j for j in sorted N_i)``, entries ≥ 0.
    gamma : discount γ ∈ [0, 1).
    pi0   : a tuple of n marginals of shape ``(S_i,)``, or one joint array of shape ``(S_0, …, S_{n-1})``.
    Raises TypeError or ValueError, naming the agent, the entry and the expected shape.

    >>> import networkx as nx, numpy as np
    >>> from sacrepro import CoupledMDP, evaluate, uniform_theta
    >>> r_i = np.zeros((2, 2, 2, 2))
    >>> r_i[..., 1, 1] = 1.0  # both are paid where both act
    >>> stays = np.full((2, 2, 2, 2, 2), 0.5)
    >>> mdp = CoupledMDP(nx.path_graph(2), (stays, stays), (r_i, r_i), gamma=0.5, pi0=(np.full(2, 0.5),) * 2)
    >>> print(round(evaluate(mdp, uniform_theta(mdp)).J, 6))
    0.5
    """

    couples = True
    _kind = PairKernel

    @property
    def reward_hoods(self) -> tuple[tuple[int, ...], ...]:
        """Whose states and actions r_i sees: those of N_i."""
        return self.neighbors

    def _check_rewards(self) -> None:
        for i, (r_i, hood) in enumerate(zip(self.r, self.neighbors, strict=True)):
            if r_i.ndim != 2 * len(hood) or r_i.size == 0:
                what = f"one state and one action axis for each agent of N_{i} = {hood}, none empty"
                raise ValueError(wrong_shape("r", i, r_i, what))
        for i, (r_i, hood) in enumerate(zip(self.r, self.neighbors, strict=True)):
            if r_i.shape != (expected := self._row_shape(i)):
                raise ValueError(f"{wrong_shape('r', i, r_i, expected)}: {_axes('r', hood, i)}; {self._sizes(i)}")

    def _row_shape(self, i: int) -> tuple[int, ...]:
        hood = self.neighbors[i]
        return (*(self.state_sizes[j] for j in hood), *(self.action_sizes[j] for j in hood))

    def _kernel_shape(self, i: int) -> tuple[int, ...]:
        return (*self._row_shape(i), self.state_sizes[i])

    def _kernel_axes(self, i: int) -> str:
        return _axes("P", self.neighbors[i], i)

    @cached_property
    def state_sizes(self) -> tuple[int, ...]:
        """(S_0, …, S_{n-1})."""
        return tuple(self.r[i].shape[hood.index(i)] for i, hood in enumerate(self.neighbors))

    @cached_property
    def action_sizes(self) -> tuple[int, ...]:
        """(A_0, …, A_{n-1})."""
        return tuple(self.r[i].shape[len(hood) + hood.index(i)] for i, hood in enumerate(self.neighbors))


#: Either kind of model, for what accepts both.
Model = NetworkedMDP | CoupledMDP


def as_coupled(mdp: NetworkedMDP | CountedMDP) -> CoupledMDP:
    """A model of eq. (1) as an action-coupled one, whose kernels and rewards do not use what they may see.

    Raises ValueError where a count cannot be tabulated.

    >>> from sacrepro import as_coupled, build
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> as_coupled(mdp).P[0].shape  # s_0, s_1, a_0, a_1, s_0'
    (2, 2, 2, 2, 2)
    """
    if isinstance(mdp, CountedMDP):
        mdp = mdp.expanded()
    if not isinstance(mdp, NetworkedMDP):
        raise TypeError(f"expected a NetworkedMDP or a CountedMDP, got {type(mdp).__name__}")
    P, r = [], []
    for i, hood in enumerate(mdp.neighbors):
        own = hood.index(i)
        S, A = [mdp.state_sizes[j] for j in hood], [mdp.action_sizes[j] for j in hood]
        alone = [A[k] if k == own else 1 for k in range(len(hood))]
        P.append(np.broadcast_to(mdp.P[i].reshape(*S, *alone, mdp.state_sizes[i]), (*S, *A, mdp.state_sizes[i])))
        itself = [S[k] if k == own else 1 for k in range(len(hood))]
        r.append(np.broadcast_to(mdp.r[i].reshape(*itself, *alone), (*S, *A)))
    return CoupledMDP(mdp.graph, tuple(P), tuple(r), mdp.gamma, mdp.pi0)


def over_pairs(table: Array, count: int) -> Array:
    """Axes (s_1, …, s_k, a_1, …, a_k, rest) as (z_1, …, z_k, rest), z = s·A + a."""
    order = [axis for k in range(count) for axis in (k, count + k)]
    pairs = [table.shape[k] * table.shape[count + k] for k in range(count)]
    return table.transpose([*order, *range(2 * count, table.ndim)]).reshape(*pairs, *table.shape[2 * count :])


def _axes(name: str, hood: tuple[int, ...], i: int) -> str:
    states, actions = ", ".join(f"S_{j}" for j in hood), ", ".join(f"A_{j}" for j in hood)
    last = (f", S_{i}", ", then the next state") if name == "P" else ("", "")
    return f"({states}, {actions}{last[0]}), the states, then the actions of N_{i} in sorted order{last[1]}"
