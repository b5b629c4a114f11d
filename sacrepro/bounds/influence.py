"""The influence matrix: a decay rate read off the local kernels, for every policy at once.

C_ij bounds in total variation how far a change at agent j can move the law of s_i' in one step. Two copies of the
network that start with different outsides O of N_i^κ can be coupled so that agent i differs at time t with
probability at most q_i(t), where

    q(0) = 1_O,    q(t+1) = min(1, C q(t)),    hence    D_i(κ) ≤ r̄ Σ_{t≥1} γ^t q_i(t).

C has the sparsity of the graph, so q_i(t) = 0 for t ≤ κ: the sum starts at κ+1. Proof in `paper/proofs.md`, Influence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, identity
from scipy.sparse.linalg import spsolve

from sacrepro.bounds.decay import definition2
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model, NetworkedMDP, no_model, over_pairs

#: What the truncated series leaves out, relative to r̄/(1-γ); it is added to the bound, so the bound stays a bound.
SERIES_TOLERANCE = 2.0**-53

#: Terms of a series that are summed; γ up to .9988 needs fewer.
MOST_STEPS = 1 << 15


def influence_matrix(mdp: Model | CountedMDP) -> csr_array:
    """C: scipy sparse array of shape (n, n), from the local kernels alone, valid for every localized policy.

    C_ij (j ≠ i) is the largest TV(P_i(·|s_j, …), P_i(·|s_j', …)) over s_j, s_j', the other neighbors' states and a_i;
    C_ii the largest over pairs (s_i, a_i), (s_i', a_i') and the neighbors' states. Zeros are not stored. In an
    action-coupled model every C_ij is over pairs (s_j, a_j), (s_j', a_j') and the pairs of the other neighbors.
    """
    if not isinstance(mdp, (NetworkedMDP, CoupledMDP, CountedMDP)):
        raise no_model(mdp)
    if isinstance(mdp, CountedMDP):
        return _sparse(mdp.n, list(count_influences(mdp.P, mdp.neighbors)))
    if isinstance(mdp, CoupledMDP):
        P = [over_pairs(P_i, len(hood))[..., None, :] for P_i, hood in zip(mdp.P, mdp.neighbors, strict=True)]
        return kernel_influence(P, mdp.neighbors)
    return kernel_influence(mdp.P, mdp.neighbors)


def kernel_influence(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> csr_array:
    """C of `influence_matrix` for any local kernels with axes (s_j for j in sorted N_i), a_i, s_i'."""
    return _sparse(len(P), list(argument_influences(P, neighbors)))


def _sparse(n: int, parts: list[tuple[Array, Array, Array]]) -> csr_array:
    i, j, entry = (np.concatenate(column) for column in zip(*parts, strict=True))
    C = csr_array((entry, (i, j)), shape=(n, n))
    C.eliminate_zeros()
    return C


def policy_influence(P_bar: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> csr_array:
    """C^θ ≤ C: the influence matrix of the averaged kernels P̄_i(s_i' | s_{N_i}), valid from the second step on.

    P_bar : axes (s_j for j in sorted N_i), s_i'.
    """
    return kernel_influence([P_bar_i[..., None, :] for P_bar_i in P_bar], neighbors)


def horizon(gamma: float, tolerance: float = SERIES_TOLERANCE) -> int:
    """The least T ≥ 1 with γ^{T+1} ≤ tolerance: Σ_{t>T} γ^t ≤ tolerance/(1-γ)."""
    return 1 if gamma <= tolerance else max(1, math.ceil(math.log(tolerance) / math.log(gamma)) - 1)


def summed_steps(gamma: float, at_least: int = 1) -> int:
    """How many terms of a series are summed one by one: `horizon`, or `MOST_STEPS` where that is less."""
    return max(min(horizon(gamma), MOST_STEPS), at_least)


def rest(gamma: float, T: int, largest: Array | float, mu: float) -> Array | float:
    """A bound on Σ_{t>T} γ^t min(1, x_t) where x_T ≤ `largest` and x_{t+1} ≤ μ x_t."""
    anything = gamma ** (T + 1) / (1.0 - gamma)
    if horizon(gamma) <= T or gamma * mu >= 1.0:
        return anything
    return np.minimum(anything, mu * gamma ** (T + 1) / (1.0 - gamma * mu) * largest)


def influence(C: csr_array, outsiders: Array, gamma: float, r_bar: float, later: csr_array | None = None) -> Array:
    """r̄ Σ_{t≥1} γ^t q(t) ≥ D_i(κ), with the rest of the series bounded by r̄ γ^{T+1}/(1-γ); shape of `outsiders`.

    outsiders : 1_O in columns, shape (n, m); row i of the result is the bound for agent i if i is not in O.
    later     : C^θ, which replaces C from the second step on.
    """
    T = summed_steps(gamma)
    q = np.asarray(outsiders, dtype=float)
    total = np.zeros(q.shape)
    for t in range(1, T + 1):
        step = C if later is None or t == 1 else later
        q = np.minimum(1.0, step @ q)
        total += gamma**t * q
    last = C if later is None else later
    return r_bar * (total + rest(gamma, T, q.max(initial=0.0), float(last.sum(axis=1).max())))


def influence_closed_form(C: csr_array, outsiders: Array, gamma: float, r_bar: float) -> Array:
    """r̄ [(I-γC)^{-1} 1_O]_i ≥ D_i(κ) for agents i outside O, plus what rounding may hide; shape of `outsiders`.

    Raises ValueError unless γ·(spectral radius of C) < 1, certified by a vector x > 0 with γ C x < x.
    """
    n = C.shape[0]
    matrix = (identity(n, format="csc") - gamma * C).tocsc()
    x = np.atleast_1d(spsolve(matrix, np.ones(n)))
    if not ((x > 0).all() and (gamma * (C @ x) < x).all()):
        raise ValueError(f"gamma = {gamma!r} times the spectral radius of C is not below 1; sum the clipped series")
    starts = np.asarray(outsiders, dtype=float)
    solved = np.stack([np.atleast_1d(spsolve(matrix, column)) for column in starts.T], axis=1)
    # (I-γC)^{-1} is non-negative and (I-γC) x ≥ margin > 0, so what the solver left over is worth residual/margin x.
    margin = float((x - gamma * (C @ x)).min())
    rounding = 8.0 * np.finfo(float).eps * (1.0 + np.abs(solved).max(axis=0))
    residual = np.abs(starts - solved + gamma * (C @ solved)).max(axis=0) + rounding
    return r_bar * np.maximum(0.0, solved + x[:, None] * residual / margin)


def influence_row_sums(C: csr_array, kappa: int, gamma: float, r_bar: float) -> float:
    """c ρ^{κ+1} ≥ D_i(κ) for every i, with ρ = γμ, c = r̄/(1-γμ) and μ the largest row sum of C.

    Raises ValueError unless γμ < 1.
    """
    mu = float(C.sum(axis=1).max())
    if not gamma * mu < 1.0:
        raise ValueError(f"gamma = {gamma!r} times the largest row sum {mu!r} of C is not below 1")
    return definition2(r_bar / (1.0 - gamma * mu), gamma * mu, kappa)


def influence_everywhere(
    C: csr_array, kappa_max: int, gamma: float, r_bar: float, later: csr_array | None = None
) -> Array:
    """A bound on D_i(κ) for all agents at once, shape (n, κ_max + 1), from one sparse product a step.

    With O replaced by all agents q(0) = 1, which no O exceeds, so D_i(κ) ≤ r̄ Σ_{t>κ} γ^t q_i(t). later : as in
    `influence`.
    """
    T = summed_steps(gamma, kappa_max + 1)
    q = np.ones(C.shape[0])
    terms = np.zeros((C.shape[0], kappa_max + 1))
    for t in range(1, T + 1):
        q = np.minimum(1.0, (C if later is None or t == 1 else later) @ q)
        terms[:, min(t - 1, kappa_max)] += gamma**t * q
    terms[:, kappa_max] += rest(gamma, T, q.max(), float(C.sum(axis=1).max()))
    return r_bar * np.cumsum(terms[:, ::-1], axis=1)[:, ::-1]


def influence_profile(C: csr_array, graph: nx.Graph, i: int, gamma: float, r_bar: float) -> Array:
    """r̄ Σ_{t≥κ+1} γ^t min(1, (C^t 1_O)_i) ≥ D_i(κ) for one agent and every κ up to its eccentricity.

    Row i of C^t is moved, not the columns 1_O, so one pass of sparse products serves all κ; shape (eccentricity + 1,).
    Near γ = 1 `MOST_STEPS` terms are summed and the others bounded, tightly where the row sums of C are below 1.
    """
    lengths = nx.single_source_shortest_path_length(graph, i)
    distance = np.zeros(C.shape[0], dtype=int)
    for j, d in lengths.items():
        distance[j] = d
    T = summed_steps(gamma)
    forward = C.T.tocsr()
    row = np.zeros(C.shape[0])
    row[i] = 1.0
    size = int(distance.max()) + 1
    total = np.zeros(size)
    for t in range(1, T + 1):
        row = forward @ row
        # Above a spectral radius of 1 the entries may outgrow float64; ∞ is then as good as 1.
        with np.errstate(over="ignore"):
            beyond = np.bincount(distance, weights=row, minlength=size)[::-1].cumsum()[::-1]
        beyond = np.append(beyond[1:], 0.0)
        total += gamma**t * np.minimum(1.0, beyond)
    return r_bar * (total + rest(gamma, T, float(row.sum()), float(C.sum(axis=1).max())))


# Total variation between the rows of local kernels: how much one argument of P_i can move the law of s_i'.
#
# Agents whose kernels have the same shape and the same position among their neighbors are treated as one array.

#: Entries of stacked kernels that are differenced at a time.
BLOCK_ENTRIES = 1 << 21


def largest_distance(rows: Array) -> Array:
    """max over pairs x, y of TV(rows[k, x, …], rows[k, y, …]), then over everything between; shape (m,).

    rows : shape (m, values of the argument, everything else, outcomes).
    """
    largest = np.zeros(len(rows))
    for x, y in combinations(range(rows.shape[1]), 2):
        distance = 0.5 * np.abs(rows[:, x] - rows[:, y]).sum(axis=-1)
        np.maximum(largest, distance.max(axis=1), out=largest)
    return largest


def argument_influences(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> Iterator[tuple[Array, Array, Array]]:
    """(i, j, C_ij) for agents i and their neighbors j, in blocks of agents with kernels of one shape.

    P : kernels with axes (s_k for k in sorted N_i), a_i, s_i'. The argument of agent i itself is the pair (s_i, a_i).
    """
    for own, agents in _alike(P, neighbors):
        shape = P[agents[0]].shape
        states = len(shape) - 2
        for block in _blocks(agents, P[agents[0]].size):
            stacked = np.stack([P[i] for i in block])
            hoods = np.array([neighbors[i] for i in block])
            for axis in range(states):
                argument = [1 + axis, 1 + states] if axis == own else [1 + axis]
                others = [k for k in range(1, states + 2) if k not in argument]
                values = int(np.prod([stacked.shape[k] for k in argument]))
                rows = stacked.transpose(0, *argument, *others, states + 2)
                rows = rows.reshape(len(block), values, -1, shape[-1])
                yield np.array(block), hoods[:, axis], largest_distance(rows)


def count_influences(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> Iterator[tuple[Array, Array, Array]]:
    """(i, j, C_ij) for agents that see the sum k of the other neighbors' states, one block an agent.

    P : kernels with axes s_i, k, a_i, s_i'. Neighbor j moves k by at most S_j - 1, from any k. A table is read once.
    """
    known: dict[int, tuple[float, dict[int, float]]] = {}
    for i, hood in enumerate(neighbors):
        if id(P[i]) not in known:
            rows = P[i].transpose(0, 2, 1, 3)
            own = largest_distance(rows.reshape(1, -1, *rows.shape[2:]))[0]
            known[id(P[i])] = (float(own), {})
        own, by_size = known[id(P[i])]
        entries = []
        for j in hood:
            if j == i:
                entries.append(own)
                continue
            S_j = P[j].shape[0]
            if S_j not in by_size:
                by_size[S_j] = largest_move(P[i], S_j - 1)
            entries.append(by_size[S_j])
        yield np.full(len(hood), i), np.array(hood), np.array(entries)


def largest_move(P_i: Array, most: int) -> float:
    """max of TV(P_i(·|s_i, k, a_i), P_i(·|s_i, k', a_i)) over s_i, a_i and sums with |k - k'| ≤ most."""
    moves = [np.abs(P_i[:, d:] - P_i[:, :-d]).sum(axis=-1).max() for d in range(1, min(most, P_i.shape[1] - 1) + 1)]
    return 0.5 * float(max(moves, default=0.0))


def _alike(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """(own position among the neighbors, agents) for each group with equal kernel shape and own position."""
    groups: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for i, hood in enumerate(neighbors):
        groups.setdefault((list(hood).index(i), P[i].shape), []).append(i)
    return [(own, agents) for (own, _), agents in groups.items()]


def _blocks(agents: list[int], size: int) -> Iterator[list[int]]:
    step = max(1, BLOCK_ENTRIES // size)
    for start in range(0, len(agents), step):
        yield agents[start : start + step]


def reward_radius_influence(C: csr_array, seen: csr_array, outsiders: Array, gamma: float, r_bar: float) -> Array:
    """r̄ Σ_{t≥0} γ^t min(1, (B q(t))_i) ≥ D_i(κ), q(0) = 1_O, q(t+1) = min(1, C q(t)); shape of `outsiders`.

    C : `influence_matrix` of the action-coupled model. seen : B, row i marks the agents that r_i sees.
    outsiders : 1_O in columns; row i of the result is the bound for agent i. The rest of the series is added.
    """
    T = horizon(gamma)
    q = np.asarray(outsiders, dtype=float)
    total = np.full(q.shape, gamma ** (T + 1) / (1.0 - gamma))
    for t in range(T + 1):
        total += gamma**t * np.minimum(1.0, seen @ q)
        q = np.minimum(1.0, C @ q)
    return r_bar * total
