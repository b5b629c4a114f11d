"""The influence matrix: a decay rate read off the local kernels, for every policy at once.

C_ij bounds in total variation how far a change at agent j can move the law of s_i' in one step. Two copies of the
network that start with different outsides O of N_i^κ can be coupled so that agent i differs at time t with
probability at most q_i(t), where

    q(0) = 1_O,    q(t+1) = min(1, C q(t)),    hence    D_i(κ) ≤ r̄ Σ_{t≥1} γ^t q_i(t).

C has the sparsity of the graph, so q_i(t) = 0 for t ≤ κ: the sum starts at κ+1. Proof in `paper/proofs.md`, Influence.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, identity
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import spsolve

from sacrepro.bounds.decay import definition2
from sacrepro.model.checks import Array
from sacrepro.model.kernels import Alike, TableKernel, alike
from sacrepro.model.mdp import CountedMDP, LocalModel, Model, no_model

#: What the truncated series leaves out, relative to r̄/(1-γ); it is added to the bound, so the bound stays a bound.
SERIES_TOLERANCE = 2.0**-53

#: Terms of a series that are summed; γ up to .9988 needs fewer.
MOST_STEPS = 1 << 15


def influence_matrix(mdp: Model | CountedMDP) -> csr_array:
    """C: scipy sparse array of shape (n, n), from the local kernels alone, valid for every localized policy.

    C_ij (j ≠ i) is the largest TV(P_i(·|s_j, …), P_i(·|s_j', …)) over s_j, s_j', the other neighbors' states and a_i;
    C_ii the largest over pairs (s_i, a_i), (s_i', a_i') and the neighbors' states. Zeros are not stored. In an
    action-coupled model every C_ij is over pairs (s_j, a_j), (s_j', a_j') and the pairs of the other neighbors.
    Raises TypeError for what is no model.

    >>> from sacrepro import build, influence_matrix
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> influence_matrix(mdp).toarray()  # agent 0 keeps its bit, each other agent copies the one before it
    array([[1., 0., 0.],
           [1., 0., 0.],
           [0., 1., 0.]])
    """
    if not isinstance(mdp, LocalModel):
        raise no_model(mdp)
    return influence_of(mdp.n, mdp.alike())


def influence_of(n: int, groups: Iterable[Alike], *, averaged: bool = False) -> csr_array:
    """C of `influence_matrix` for n agents in groups of like kernels; averaged : C^θ of the uniform policy instead."""
    parts = []
    for group in groups:
        entry: Array = np.empty(group.hoods.shape)
        for columns, largest in _moves(group, averaged):
            entry[:, columns] = largest[group.which, None]
        parts.append((np.repeat(group.agents, entry.shape[1]), group.hoods.ravel(), entry.ravel()))
    i, j, entries = (np.concatenate(column) for column in zip(*parts, strict=True))
    C = csr_array((entries, (i, j)), shape=(n, n))
    C.eliminate_zeros()
    return C


def _moves(group: Alike, averaged: bool) -> list[tuple[list[int], Array]]:
    """For each kind of argument its places, and how far it moves each of the group's different rows."""
    places: dict[Hashable, list[int]] = {}
    for k, name in enumerate(group.kernel.arguments()):
        places.setdefault(name, []).append(k)
    step = max(1, BLOCK_ENTRIES // group.rows[0].size)
    found: dict[Hashable, list[Array]] = {name: [] for name in places}
    for start in range(0, len(group.rows), step):
        kernel = replace(group.kernel, rows=np.asarray(group.rows[start : start + step]))
        kernel = kernel.averaged() if averaged else kernel
        for name, columns in places.items():
            found[name].append(largest_distance(kernel.varied(columns[0])))
    return [(places[name], np.concatenate(largest)) for name, largest in found.items()]


def kernel_influence(P: Sequence[Array], neighbors: Sequence[Sequence[int]]) -> csr_array:
    """C of `influence_matrix` for any local kernels with axes (s_j for j in sorted N_i), a_i, s_i'."""
    kernels = []
    for i, hood in enumerate(neighbors):
        *sizes, A_i, S_i = P[i].shape
        actions = [1] * len(hood)
        actions[list(hood).index(i)] = A_i
        kernels.append(TableKernel(P[i].reshape(-1, S_i), tuple(sizes), tuple(actions), list(hood).index(i)))
    return influence_of(len(P), alike(kernels, neighbors))


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
    terms = np.zeros((kappa_max + 1, C.shape[0]))
    for t in range(1, T + 1):
        q = np.minimum(1.0, (C if later is None or t == 1 else later) @ q)
        terms[min(t - 1, kappa_max)] += gamma**t * q
    terms[kappa_max] += rest(gamma, T, q.max(), float(C.sum(axis=1).max()))
    return np.ascontiguousarray((r_bar * np.cumsum(terms[::-1], axis=0)[::-1]).T)


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
    total += rest(gamma, T, float(row.sum()), float(C.sum(axis=1).max()))
    reached = breadth_first_order(C, i, return_predecessors=False)
    total[distance[reached].max() :] = 0.0  # nobody farther away ever matters to i
    return r_bar * total


# Total variation between the rows of local kernels: how much one argument of P_i can move the law of s_i'.

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


def spectral_radius(C: csr_array, steps: int = 300) -> tuple[float, float]:
    """(low, high) around the spectral radius of C ≥ 0: min and max of (Cx)_i / x_i (Collatz, Wielandt), for x > 0.

    Both ends are valid for every x; `steps` averages of x and Cx bring them together where the graph is connected.
    """
    low, high = 0.0, float("inf")
    x = np.ones(C.shape[0])
    for _ in range(steps):
        moved = C @ x
        high = min(high, float((moved / x).max()))
        low = max(low, float((moved / x).min()))
        x = 0.5 * (x + moved / max(float(moved.max()), 1e-300))
        if high - low <= 1e-9 * high:
            break
    return low, high


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
