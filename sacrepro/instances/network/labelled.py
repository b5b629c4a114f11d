"""A network of the user's own: agents with names, kernels by table or by counts, tables made on demand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from sacrepro.bounds.influence import influence_of
from sacrepro.instances.network.links import Links, links_of, pieces, reading, row_of
from sacrepro.model.checks import LARGEST_SCALE, Array, normalised
from sacrepro.model.graph import segments
from sacrepro.model.kernels import Alike, CountKernel, TableKernel, alike, codes
from sacrepro.model.mdp import CountedMDP, CoupledMDP, NetworkedMDP
from sacrepro.model.notices import described, meant, repeated, rounded

if TYPE_CHECKING:
    from sacrepro.simulate.rollout import Simulator
    from sacrepro.simulate.tables import Counts, Sampled

T = TypeVar("T")
U = TypeVar("U")

#: Entries of one agent's table, and of all different tables of a network, that are made: 128 MiB and 1 GiB.
MOST_ENTRIES, MOST_ENTRIES_IN_ALL = 1 << 24, 1 << 27
#: Thresholds are numbered by 32 bits.
MOST_THRESHOLDS = 1 << 32


@dataclass(frozen=True, eq=False)
class Network:
    """What a network file describes; agents are 0..n-1 in its order.

    names           : label of each agent.        links : `Links`; `graph`, `adjacency` : as there.
    states, actions : their names, one tuple an agent.
    r, gamma, pi0   : as in `NetworkedMDP`.
    groups          : kernels by counts; agent i has row `row[i]` of `groups[group[i]]`, unless group[i] = -1.
    tables          : P_i of the agents with group -1.
    attributes      : numbers that formulas may use, shape (n,), NaN where an agent has none.
    used            : the attributes that some formula uses.
    weights         : of the edges, by (j, i) where P_i reads s_j; None where none is read.
    weighted        : the agents whose kernels read weights.
    reads           : of a directed network, whose states P_i reads beside s_i, sorted; None where these are all of N_i.
                      `links` then has an edge wherever one of two agents reads the other.
    """

    names: tuple[str, ...]
    links: Links = field(repr=False)
    states: tuple[tuple[str, ...], ...]
    actions: tuple[tuple[str, ...], ...]
    r: tuple[Array, ...]
    gamma: float
    pi0: tuple[Array, ...] | Array
    groups: tuple[CountKernel, ...]
    group: Array
    row: Array
    tables: Mapping[int, Array]
    attributes: Mapping[str, Array] = field(default_factory=dict, repr=False)
    used: frozenset[str] = frozenset()
    reads: tuple[tuple[int, ...], ...] | None = None
    weights: Mapping[tuple[int, int], float] | None = field(default=None, repr=False)
    weighted: tuple[int, ...] = field(default=(), repr=False)
    _made: dict[Any, Array] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return described(self)

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.names)

    @cached_property
    def r_bar(self) -> float:
        """r̄, the largest reward."""
        return float(max(of_each(np.max, self.r)))

    @cached_property
    def state_sizes(self) -> Array:
        """(S_0, …, S_{n-1})."""
        return np.array([len(names) for names in self.states])

    @cached_property
    def action_sizes(self) -> Array:
        """(A_0, …, A_{n-1})."""
        return np.array([len(names) for names in self.actions])

    @cached_property
    def P(self) -> Sequence[Array]:
        """P_i of each agent, made when it is asked for; ValueError names an agent whose table is too large."""
        return _Kernels(self)

    @property
    def graph(self) -> nx.Graph:
        """The dependence graph."""
        return self.links.graph

    def hood(self, i: int) -> tuple[int, ...]:
        """N_i, sorted, i included."""
        return tuple(sorted((i, *row_of(self.adjacency, i))))

    def beside(self, i: int) -> tuple[int, ...]:
        """The agents whose states P_i reads beside s_i, sorted: all neighbors but in a directed network."""
        return tuple(row_of(self.reading, i))

    def near(self, i: int) -> tuple[int, ...]:
        """What P_i reads, sorted, i included: N_i, or a part of it in a directed network."""
        return tuple(sorted((i, *self.beside(i))))

    def agents(self, labels: Sequence[str], where: str = "network") -> list[int]:
        """The agents of these labels; ValueError names one that there is not, or that is asked for twice."""
        index = {name: i for i, name in enumerate(self.names)}
        for k, label in enumerate(labels):
            if label in labels[:k]:
                raise ValueError(f"{where}: agent {label!r} is asked for twice")
            if label not in index:
                apart = all(part.strip() in index for part in label.split(","))
                hint = repeated("--agent", label) if apart else meant(label, index)
                raise ValueError(f"{where}: there is no agent {label!r}{hint}")
        return [index[label] for label in labels]

    def entries(self, i: int) -> int:
        """Entries of P_i as a table, made or not."""
        return math.prod(int(self.state_sizes[j]) for j in self.hood(i)) * int(
            self.action_sizes[i] * self.state_sizes[i]
        )

    def key(self, i: int) -> tuple[int, int, int]:
        """Equal for agents whose tables are equal: group, row, and place of i in N_i, all of which P_i reads."""
        if self.group[i] < 0:
            return (-1, i, 0)
        if self.reads is not None and len(self.beside(i)) + 1 < len(self.hood(i)):
            return (int(self.group[i]), int(self.row[i]), -1 - i)
        return (int(self.group[i]), int(self.row[i]), self.hood(i).index(i))

    def alike(self) -> list[Alike]:
        """The agents in groups of like kernels, as `NetworkedMDP.alike`; kernels by counts stay what they are."""
        groups = []
        beside = self.reading
        for g, kernel in enumerate(self.groups):
            members = np.flatnonzero(self.group == g)
            places = beside.indptr[members][:, None] + np.arange(kernel.degree)
            hoods = np.concatenate([members[:, None], beside.indices[places]], axis=1)
            groups.append(Alike(kernel, kernel.rows, members, self.row[members], hoods))
        kernels, made = [], dict[int, Array]()
        tabulated = sorted(self.tables)
        for i in tabulated:
            table, around = self.tables[i], self.near(i)
            flat = made.setdefault(id(table), table.reshape(-1, table.shape[-1]))
            actions = tuple(table.shape[-2] if j == i else 1 for j in around)
            kernels.append(TableKernel(flat, table.shape[:-2], actions, around.index(i)))
        return groups + alike(kernels, [self.near(i) for i in tabulated], tabulated)

    @property
    def adjacency(self) -> csr_array:
        """(n, n), 1 where two agents are joined."""
        return self.links.adjacency

    @cached_property
    def pieces(self) -> list[Array]:
        """The agents of each connected component, sorted; components in the order of their first agents."""
        return pieces(self.adjacency)

    @cached_property
    def reading(self) -> csr_array:
        """(n, n), 1 where P_i reads s_j, j ≠ i."""
        return reading(self.links, self.reads)

    def codes(self, g: int) -> tuple[Array, Array]:
        """(weight, number) of the counts of group g, as `kernels.codes`; ValueError names an agent."""
        kernel = self.groups[g]
        try:
            return codes(kernel.degree, kernel.beside)
        except ValueError as error:
            raise ValueError(f"agent {self.names[int((self.group == g).argmax())]!r}: {error}") from None

    def simulator(self) -> Simulator:
        """What `sac`, J by simulation and every other learner accept; kernels by counts never become tables.

        The trajectories are those of `mdp()`, bit for bit, where that exists. ValueError says why there is none: a
        reward too large to square, kernels of 2^32 entries, counts that cannot be numbered.
        """
        from sacrepro.simulate.rollout import Simulator

        largest = LARGEST_SCALE * (1.0 - self.gamma) ** 2
        if self.r_bar > largest:
            i = max(range(self.n), key=lambda j: self.r[j].max())
            raise ValueError(
                f"agent {self.names[i]!r} has a reward of {self.r_bar!r}; with gamma = {self.gamma!r} rewards may "
                f"be at most {largest:.3g}, so that the square of r̄/(1-γ)² is finite"
            )
        return Simulator(_sampled(self))

    def mdp(self) -> NetworkedMDP:
        """The model with all its tables; ValueError says which agent makes that impossible."""
        distinct = {self.key(i): i for i in range(self.n)}
        sizes = {i: self.entries(i) for i in distinct.values()}
        total = sum(sizes.values())
        if total > MOST_ENTRIES_IN_ALL:
            i = max(sizes, key=lambda k: sizes[k])
            raise ValueError(
                f"the kernels as tables would have {rounded(total)} entries, most of them, "
                f"{rounded(sizes[i])}, for agent "
                f"{self.names[i]!r} with {self.graph.degree(i)} neighbors; at most "
                f"{rounded(MOST_ENTRIES_IN_ALL)} are made"
            )
        return NetworkedMDP(self.graph, tuple(self.P), self.r, self.gamma, self.pi0)


def of_each(function: Callable[[T], U], blocks: Iterable[T]) -> list[U]:
    """`function` of each block, computed once for all that are one object: of a million agents few have their own."""
    made: dict[int, U] = {}
    return [made[id(x)] if id(x) in made else made.setdefault(id(x), function(x)) for x in blocks]


class _Kernels(Sequence[Array]):
    def __init__(self, network: Network) -> None:
        self._network = network

    def __len__(self) -> int:
        return self._network.n

    def __getitem__(self, i: Any) -> Any:
        network = self._network
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        if not 0 <= i < network.n:
            raise IndexError(i)
        if network.group[i] < 0 and len(network.near(i)) == len(network.hood(i)):
            return network.tables[i]
        key = network.key(i)
        if key not in network._made:
            if network.entries(i) > MOST_ENTRIES:
                raise ValueError(
                    f"agent {network.names[i]!r} has {network.graph.degree(i)} neighbors: its kernel "
                    f"as a table would have "
                    f"{rounded(network.entries(i))} entries; at most {rounded(MOST_ENTRIES)} are made"
                )
            near, hood = network.near(i), network.hood(i)
            P_i = network.tables[i] if key[0] < 0 else network.groups[key[0]].of(key[1], near.index(i)).table()
            unread = tuple(place for place, j in enumerate(hood) if j not in near)
            shape = (*(int(network.state_sizes[j]) for j in hood), *P_i.shape[-2:])
            P_i = np.ascontiguousarray(np.broadcast_to(np.expand_dims(P_i, unread), shape))
            P_i.setflags(write=False)
            network._made[key] = P_i
        return network._made[key]


def network_influence(network: Network, *, averaged: bool = False) -> csr_array:
    """C of `influence_of`, or C^θ of the uniform policy; in rows by counts an agent's own entry is stored first.

    Sums over a row are taken in the order in which it is stored.
    """
    groups, n = network.alike(), network.n
    parts = [groups[: len(network.groups)], groups[len(network.groups) :]]
    found = [influence_of(n, part, averaged=averaged) for part in parts if part]
    if network.groups:
        by_counts = found[0]
        row = np.repeat(np.arange(n), np.diff(by_counts.indptr))
        order = np.lexsort((by_counts.indices, by_counts.indices != row, row))
        arrays = by_counts.data[order], by_counts.indices[order], by_counts.indptr
        found[0] = csr_array(arrays, shape=(n, n))
    return found[0] if len(found) == 1 else csr_array(found[0] + found[1])


def of_model(mdp: Network | NetworkedMDP | CountedMDP, names: Sequence[str] | None = None) -> Network:
    """A model as a network, its agents and states named by their numbers; a network itself.

    Raises TypeError for anything else, ValueError where a count cannot be tabulated.
    """
    if isinstance(mdp, Network):
        return mdp
    if isinstance(mdp, CountedMDP):
        mdp = mdp.expanded()
    if not isinstance(mdp, NetworkedMDP):
        hint = "; where neighbors' actions act, sac and certified_decay serve" if isinstance(mdp, CoupledMDP) else ""
        if hasattr(mdp, "step") or hasattr(mdp, "rollout"):
            hint = "; a simulator shows no kernels that could be bounded: pass the model that it samples"
        known = "a network as sacrepro.load returns it, a NetworkedMDP or a CountedMDP"
        raise TypeError(f"expected {known}, got {type(mdp).__name__}{hint}")
    return Network(
        names=tuple(map(str, range(mdp.n))) if names is None else tuple(names),
        links=links_of(mdp.graph),
        states=tuple(tuple(map(str, range(S))) for S in mdp.state_sizes),
        actions=tuple(tuple(map(str, range(A))) for A in mdp.action_sizes),
        r=mdp.r,
        gamma=mdp.gamma,
        pi0=mdp.pi0,
        groups=(),
        group=np.full(mdp.n, -1),
        row=np.zeros(mdp.n, dtype=int),
        tables=dict(enumerate(mdp.P)),
    )


class KernelRows(NamedTuple):
    """Where the laws of s_i' stand: row[i] + a_i + Σ stride·s_{i + offset} of blocks[block[i]], beside `codes`.

    blocks : the laws, actions innermost, (…, S_i).        block, row : (n,).
    begin  : (n+1,) where the pairs (offset, stride) of each agent begin, first those of i where it has counts.
    """

    blocks: list[Array]
    block: Array
    row: Array
    begin: Array
    offset: Array
    stride: Array


def kernel_rows(network: Network) -> KernelRows:
    """`KernelRows`: the states of neighbors enter linearly but where more than two are counted."""
    n, A = network.n, network.reading
    blocks: list[Array] = []
    block, row, own, beside = np.zeros((4, n), dtype=np.int64)
    for g, kernel in enumerate(network.groups):
        members = np.flatnonzero(network.group == g)
        _, S, A_i, K, _ = kernel.laws.shape
        block[members], row[members] = g, network.row[members] * (S * K * A_i)
        own[members], beside[members] = K * A_i, A_i * (kernel.coupled and kernel.beside <= 2)
        blocks.append(kernel.laws.transpose(0, 1, 3, 2, 4))
    degree = np.diff(A.indptr).astype(np.int64)
    begin = np.append(0, np.cumsum(1 + degree * ((beside > 0) | (network.group < 0))))
    offset, stride = np.zeros((2, begin[-1]), dtype=np.int64)
    stride[begin[:-1]] = own
    linear = np.flatnonzero(beside)
    starts, entries = segments(A.indptr, linear)
    agent = np.repeat(linear, degree[linear])
    places = np.arange(starts[-1]) + np.repeat(begin[linear] + 1 - starts[:-1], degree[linear])
    offset[places], stride[places] = A.indices[entries] - agent, beside[agent]
    made = {id(table): table for table in network.tables.values()}
    blocks += made.values()
    number = {key: len(network.groups) + k for k, key in enumerate(made)}
    for i, table in network.tables.items():
        block[i], where = number[id(table)], slice(begin[i], begin[i + 1])
        offset[where] = [j - i for j in reversed(network.near(i))]
        stride[where] = [*accumulate(table.shape[-2:0:-1], int.__mul__)]
    return KernelRows(blocks, block, row, begin, offset, stride)


def _sampled(network: Network) -> Sampled:
    """Thresholds, strides and numbers of a network. Thresholds are those of its tables, so trajectories are, too."""
    from sacrepro.simulate.tables import Sampled, Terms

    rows = kernel_rows(network)
    kernels = [_rows(laws) for laws in rows.blocks]
    first = np.cumsum([0, *map(len, kernels)])
    if first[-1] >= MOST_THRESHOLDS:
        raise ValueError(f"the network has {first[-1]:,} different kernel entries; at most 2^32 - 1 are supported")
    width = np.array([max(laws.shape[-1] - 1, 1) for laws in rows.blocks])[rows.block]
    return Sampled(
        network.graph,
        tuple(network.state_sizes.tolist()),
        tuple(network.action_sizes.tolist()),
        network.gamma,
        network.r,
        network.pi0 if isinstance(network.pi0, np.ndarray) else tuple(of_each(normalised, network.pi0)),
        (first[rows.block] + rows.row * width).astype(np.uint32),
        np.concatenate(kernels),
        Terms(rows.begin, rows.offset, rows.stride * np.repeat(width, np.diff(rows.begin))),
        _counts(network),
    )


def _rows(table: Array) -> Array:
    """The thresholds of a table of laws, flat; an only outcome gets one that no draw reaches."""
    from sacrepro.simulate.random_bits import SCALE, thresholds

    if table.shape[-1] == 1:
        return np.full(table.size, SCALE, dtype=np.uint32)
    return thresholds(normalised(table)).ravel()


def _counts(network: Network) -> Counts:
    """The agents whose rows are numbered, with the numbers of their groups in entries of the kernel."""
    from sacrepro.simulate.tables import Counts, no_counts

    numbered = [g for g, kernel in enumerate(network.groups) if kernel.coupled and kernel.beside > 2]
    if not numbered:
        return no_counts()
    weights, numbers = [], []
    for g in numbered:
        weight, number = network.codes(g)
        _, S, A, _, _ = network.groups[g].laws.shape
        weights.append(weight)
        numbers.append(number * (A * max(S - 1, 1)))
    agent = np.flatnonzero(np.isin(network.group, numbered))
    place = np.searchsorted(numbered, network.group[agent])
    begins = [np.cumsum([0, *map(len, pieces)])[place] for pieces in (weights, numbers)]
    starts, entries = segments(network.reading.indptr, agent)
    neighbor = network.reading.indices[entries]
    return Counts(agent, starts, neighbor, begins[0], np.concatenate(weights), begins[1], np.concatenate(numbers))
