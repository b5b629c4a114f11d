"""V_i and D_i(κ) for one agent of a network of any size, as rigorous intervals from its surroundings alone.

W_t = (P^θ)^t r_i^θ lives on N_i^t and V_i = Σ_t γ^t W_t. After each step a state at the rim along which W_t moves by
little is frozen: W_t is replaced by its midrange over it, half its movement is charged to every later W (averages
keep sup norms), and the table stops growing where influence fades. The series is cut when what is left, at most
γ^T/(1-γ) times half the range of W_T, is small. Cost and memory depend on the surroundings, never on n. On graphs of
degree three and more with strong coupling the tables grow too fast: then the interval returned is wide, and honest.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import networkx as nx
import numpy as np

from sacrepro.exact.decay.branch import branch_oscillation
from sacrepro.exact.decay.sweep import plan_bytes, plan_of, sweep_oscillations
from sacrepro.exact.models import plain_model
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import UNIT, gamma_k, policy_roundings, row_sum_range, sup
from sacrepro.exact.solver.bellman import check_tol
from sacrepro.model.checks import Array, action_table, one_an_agent
from sacrepro.model.graph import check_agent, check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, LocalModel
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import Policy, Theta, policy_at, warn_of_probabilities

#: Beyond this many entries of the local Q_i, branch and bound replaces the sweep, and stops after so many of its own.
SWEEP_ENTRIES = 1 << 27
BRANCH_ENTRIES = 1 << 31
#: Entries of a table over all whom one step reaches, beyond which more is frozen before it.
WIDEST = 1 << 28


#: What may not fit, and what then does.
SURROUNDINGS, SMALLER = "a step of the tables around an agent", "a smaller `largest` fits"


class LocalKernels(Protocol):
    """What is read of a model: only the entries of agents near i. A `NetworkedMDP` is one."""

    @property
    def graph(self) -> nx.Graph:
        """The dependence graph."""

    @property
    def P(self) -> Sequence[Array]:
        """Local kernels by agent."""

    @property
    def r(self) -> Sequence[Array]:
        """Local rewards by agent."""

    @property
    def gamma(self) -> float:
        """The discount."""


@in_one_line
class LocalValue(NamedTuple):
    """V_i^θ(s) ∈ V(s_agents) ± error for every joint state s of the network.

    agents : sorted; V has one axis for each. largest : entries of the largest table that was needed.
    """

    agents: tuple[int, ...]
    V: Array
    error: float
    largest: int


@in_one_line
class LocalDecay(NamedTuple):
    """lower ≤ D_i(κ) ≤ upper for κ = 0, 1, …, certified."""

    lower: Array
    upper: Array


class _Surroundings:
    """The agents near i under their own names, with averaged kernels made on first use."""

    def __init__(self, mdp: LocalKernels, theta: Theta) -> None:
        self.mdp, self.theta = mdp, theta
        self._known: dict[int, tuple[tuple[int, ...], Array, Array, float]] = {}
        self._last: tuple[tuple[int, ...], FactoredOperator, tuple[int, ...], float, float] | None = None

    def agent(self, j: int) -> tuple[tuple[int, ...], Array, Array, float]:
        """N_j sorted, P̄_j, r_j^θ, roundings of both."""
        if j not in self._known:
            states, actions = self.mdp.r[j].shape
            zeta = policy_at(self.theta, j, (states, actions))
            hood = neighborhood(self.mdp.graph, j, 1)
            own = hood.index(j)
            shaped = zeta.reshape([*(zeta.shape[0] if k == own else 1 for k in range(len(hood))), zeta.shape[1], 1])
            roundings = policy_roundings(zeta) + zeta.shape[1] + 1
            self._known[j] = (
                hood,
                (shaped * self.mdp.P[j]).sum(axis=-2),
                (zeta * self.mdp.r[j]).sum(axis=1),
                roundings,
            )
        return self._known[j]

    def size(self, j: int) -> int:
        """S_j."""
        return int(self.mdp.r[j].shape[0])

    def step(self, table: Array, axes: tuple[int, ...], level: float) -> tuple[Array, tuple[int, ...], float]:
        """P^θ applied to a table over the agents `axes`: the new table, its agents, and a bound on its rounding.

        level : a constant that is carried beside the table, for what rows miss of 1.
        """
        if self._last is None or self._last[0] != axes:
            self._last = (axes, *self._operator(axes))
        _, operator, reached, roundings, drift = self._last
        sizes = [self.size(j) for j in reached]
        names = [reached[k] for k in operator.memory_in]
        where = {j: k for k, j in enumerate(axes)}
        flat = np.ascontiguousarray(table.transpose([where[j] for j in names])).reshape(1, -1)
        following = operator.forward(flat)[0].reshape([sizes[k] for k in operator.memory_out])
        inverse = {k: a for a, k in enumerate(operator.memory_out)}
        following = following.transpose([inverse[k] for k in range(len(reached))])
        rounding = gamma_k(roundings) * sup(table) * (1 + 1e-9)
        return following, reached, rounding + drift * (sup(table) + level)

    def reached(self, axes: Iterable[int]) -> set[int]:
        """Whose states a table over the agents `axes` depends on one step before."""
        return set().union(*(self.agent(j)[0] for j in axes))

    def entries(self, agents: Iterable[int]) -> int:
        """Entries of a table over these agents."""
        return math.prod(map(self.size, agents))

    def _operator(self, axes: tuple[int, ...]) -> tuple[FactoredOperator, tuple[int, ...], float, float]:
        """P^θ on tables over the agents `axes`, whom it reaches, its roundings, and how far its rows may miss 1."""
        reached = tuple(sorted(self.reached(axes)))
        index = {j: k for k, j in enumerate(reached)}
        # Agents that are reached but not summed out need no kernel: they appear as states only.
        hoods = tuple(tuple(index[k] for k in self.agent(j)[0]) if j in axes else (index[j],) for j in reached)
        sizes = tuple(self.size(j) for j in reached)
        kernels = [self.agent(j)[1] if j in axes else np.eye(self.size(j)) for j in reached]
        demand(SURROUNDINGS, 16 * math.prod(sizes), None, SMALLER)
        operator = FactoredOperator(kernels, hoods, sizes, [index[j] for j in axes])
        demand(SURROUNDINGS, 16 * operator.peak, None, SMALLER)
        low, high = row_sum_range([self.mdp.P[j] for j in axes])
        roundings = operator.roundings + sum(self.agent(j)[3] for j in axes) + 2
        return operator, reached, roundings, max(abs(high - 1.0), abs(low - 1.0))


def local_value(
    mdp: LocalKernels | CountedMDP, theta: Theta, i: int, tol: float = 1e-8, *, largest: int = 1 << 22
) -> LocalValue:
    """V_i^θ as an interval around a table over the agents near i, valid for every state of all others.

    tol : wanted error; `largest` : most entries of a table. Where the surroundings do not fit, more is frozen than
    `tol` allows and the error returned is larger: check it. Raises ValueError as soon as rounding alone exceeds `tol`,
    naming what is attainable, MemoryError before a step whose tables cannot fit. As everywhere, kernels are those whose
    rows are divided by their exact sums.

    >>> from sacrepro import build, local_value, uniform_theta
    >>> mdp = build({"model": "relay", "n": 12, "gamma": 0.5})
    >>> found = local_value(mdp, uniform_theta(mdp), 6, tol=0.01)
    >>> found.error <= 0.01
    True
    """
    mdp = _local_kernels(mdp)
    check_tol(tol)
    check_agent(i, len(mdp.graph))
    if not isinstance(theta, Policy):
        one_an_agent("theta", theta, len(mdp.graph))
        near_i = (i, *mdp.graph[i])
        warn_of_probabilities([action_table("theta", j, theta[j], np.asarray(mdp.r[j]).shape) for j in near_i])
    gamma = mdp.gamma
    near = _Surroundings(mdp, theta)
    reward = near.agent(i)[2]
    centre = 0.5 * (float(reward.max()) + float(reward.min()))
    axes: tuple[int, ...] = (i,)
    table = reward - centre
    # Roundings of ζ_i are relative to what it weighs, also where the mean is small.
    charge = gamma_k(near.agent(i)[3] + 2) * sup(np.asarray(mdp.r[i]))
    parts: list[tuple[tuple[int, ...], Array]] = [(axes, table)]
    error, weight = charge / (1.0 - gamma), 1.0
    rounded = error
    level = centre / (1.0 - gamma)
    most, spanned = table.size, {i}
    while True:
        rest = weight * gamma / (1.0 - gamma)
        half = 0.5 * float(table.max() - table.min())
        if rest * half <= 0.25 * tol or half == 0.0 or rest == 0.0:
            middle = 0.5 * (float(table.max()) + float(table.min()))
            level += rest * middle
            error += rest * (half + 4 * UNIT * sup(table))
            break
        weight *= gamma
        table, axes, rounding = near.step(table, axes, abs(centre))
        most = max(most, table.size)
        # Whatever is charged now stays in every later term: Σ_{u ≥ t} γ^u = weight / (1-γ).
        # So √weight-shaped allowances spend 70 % of tol in all, and the tail a quarter.
        allowance = 0.7 * tol * (1.0 - gamma) * (1.0 - math.sqrt(gamma)) / math.sqrt(weight)
        table, axes, frozen = _freeze(table, axes, near, i, allowance, largest)
        error += (frozen + rounding) * weight / (1.0 - gamma)
        rounded += rounding * weight / (1.0 - gamma)
        if rounded > tol:
            # A slow chain rounds as much in every step to come. Tables are charged 95 % of tol, which leaves 5 %.
            total = rounded + rounding * weight * gamma / (1.0 - gamma) ** 2
            raise ValueError(
                f"an error of {tol:g} is below what rounding allows for V_{i} with gamma = {gamma!r}; attainable: "
                f"tol = {20.0 * total:.2g}, or {40.0 * total:.2g} for local_decay"
            )
        spanned |= set(axes)
        if near.entries(spanned) > largest:
            # Each term is small, but not their sum: this term and all later ones become one number, too.
            rest = weight / (1.0 - gamma)
            level += rest * 0.5 * (float(table.max()) + float(table.min()))
            error += rest * (0.5 * float(table.max() - table.min()) + 4 * UNIT * sup(table))
            break
        parts.append((axes, weight * table))
    agents = tuple(sorted(set().union(*(set(a) for a, _ in parts))))
    V = np.full([near.size(j) for j in agents], level)
    for part_axes, part in parts:
        V += part.reshape([near.size(j) if j in part_axes else 1 for j in agents])
    error += gamma_k(len(parts) + 8) * (sup(V) + (sup(reward) + abs(centre)) / (1.0 - gamma))
    return LocalValue(agents, V, error * (1 + 1e-9), most)


def _local_kernels(mdp: LocalKernels | CountedMDP) -> LocalKernels:
    """`mdp`, expanded if it counts; TypeError for what has no kernels over s_{N_i} and a_i."""
    if isinstance(mdp, LocalModel) or not all(hasattr(mdp, name) for name in ("graph", "P", "r", "gamma")):
        return plain_model(mdp, "local_value, as local_decay,", "evaluate and certified_decay take it")
    return mdp


def _freeze(
    table: Array, axes: tuple[int, ...], near: _Surroundings, i: int, allowance: float, largest: int
) -> tuple[Array, tuple[int, ...], float]:
    """Replace axes by midranges, least movement first, within `allowance`, and further while the table is too large."""
    charge = 0.0
    while len(axes) > 1:
        movement = {j: float(np.subtract(*_extremes(table, k)).max()) / 2.0 for k, j in enumerate(axes) if j != i}
        j = min(movement, key=lambda k: (movement[k], k))
        fits = table.size * 4 <= largest
        if fits and charge + movement[j] > allowance and near.entries(near.reached(axes)) <= max(WIDEST, largest):
            break
        k = axes.index(j)
        table = 0.5 * np.add(*_extremes(table, k))
        charge += movement[j] * (1 + 4 * UNIT) + 2 * UNIT * sup(table)
        axes = (*axes[:k], *axes[k + 1 :])
    return table, axes, charge


def _extremes(table: Array, k: int) -> tuple[Array, Array]:
    """The largest and the smallest along axis k, slice by slice: numpy reduces a short axis entry by entry."""
    slices = np.moveaxis(table, k, 0)
    return functools.reduce(np.maximum, slices), functools.reduce(np.minimum, slices)


def local_decay(
    mdp: LocalKernels | CountedMDP,
    theta: Theta,
    i: int,
    kappa_max: int,
    tol: float = 1e-6,
    *,
    largest: int = 1 << 18,
) -> LocalDecay:
    """Certified intervals for D_i(κ), κ = 0..kappa_max, at a cost that does not depend on n.

    V_i is taken as a table over agents near i with error e (`local_value`); freezing the same agents in Q_i leaves
    D_i(κ) within 2γe. The oscillation of the rest is found as in `certified_decay`. tol : wanted half width.
    largest : most entries of a table, as of `local_value`. Raises what that does, and ValueError for a negative κ.

    >>> from sacrepro import build, local_decay, uniform_theta
    >>> mdp = build({"model": "relay", "n": 12, "gamma": 0.5})
    >>> found = local_decay(mdp, uniform_theta(mdp), 6, 2)
    >>> found.lower.round(5)
    array([1.  , 0.5 , 0.25])
    """
    mdp = _local_kernels(mdp)
    check_kappa(kappa_max)
    value = local_value(mdp, theta, i, 0.5 * tol / max(mdp.gamma, 1e-3), largest=largest)
    inside = set(value.agents)
    hoods = {j: tuple(sorted((j, *mdp.graph[j]))) for j in inside}
    P = {j: np.asarray(mdp.P[j]) for j in inside}
    # States around the table enter its kernels but carry no axis of their own.
    for j in set().union(*hoods.values()) - inside:
        hoods[j] = (j,)
        P[j] = np.ones((int(mdp.r[j].shape[0]), 1, 1))
    reach = max(_reach(mdp.graph, i, set(hoods)), kappa_max + 1)
    distance = nx.single_source_shortest_path_length(mdp.graph, i, cutoff=reach)
    farthest = max(distance.values())
    agents = tuple(sorted(hoods, key=lambda j: (distance[j], j)))
    prefix = tuple(sum(distance[j] <= kappa for j in agents) for kappa in range(kappa_max + 1))
    plan = plan_of(hoods, P, agents, prefix)
    axes = [value.agents.index(j) for j in reversed(agents) if j in inside]
    table = np.ascontiguousarray(value.V.transpose(axes)).ravel()
    table = table - 0.5 * (table.min() + table.max())
    entries = math.prod(P[j].shape[-2] * int(mdp.r[j].shape[0]) for j in agents)
    low, high = row_sum_range([mdp.P[j] for j in inside])
    drift = max(abs(high - 1.0), abs(low - 1.0)) * sup(value.V)
    rounding = gamma_k(sum(P[j].shape[-1] for j in agents) + len(agents) + 6) * sup(table) + 4 * UNIT * sup(value.V)
    margin = 2.0 * mdp.gamma * (high * value.error + rounding + drift) * (1 + 1e-9)
    lower, upper = np.zeros(kappa_max + 1), np.zeros(kappa_max + 1)
    if entries <= SWEEP_ENTRIES:
        demand(f"a sweep over {readable_count(entries)} entries around agent {i}", plan_bytes(plan), None, SMALLER)
    swept = sweep_oscillations(plan, table) if entries <= SWEEP_ENTRIES else None
    for kappa in range(kappa_max + 1):
        if prefix[kappa] == len(agents):
            found = (0.0, 0.0)
        elif swept is not None:
            found = (float(swept[kappa]), float(swept[kappa]))
        else:
            found = branch_oscillation(plan, table, kappa, 0.2 * tol, BRANCH_ENTRIES)
        # A cell of everybody whom i can reach leaves nothing to move Q_i.
        missed = margin if kappa < farthest else 0.0
        lower[kappa] = max(mdp.gamma * found[0] - missed, 0.0)
        upper[kappa] = mdp.gamma * found[1] + missed
    return LocalDecay(lower, upper)


def _reach(graph: nx.Graph, i: int, wanted: set[int]) -> int:
    """The least distance from i within which all `wanted` agents are."""
    radius, seen, rim = 0, {i}, {i}
    while not wanted <= seen:
        rim = {k for j in rim for k in graph[j]} - seen
        seen |= rim
        radius += 1
    return radius
