"""How fast the law of (s_i(t), a_i(t)) forgets its start: measured step by step, certified for all t.

Up to `STEPS` steps the largest distance between laws is computed for every start. Beyond, with μ close to the
stationary law and Δ_K = max_s ‖P^K(s,·) - μ‖₁ plus what μ may be off, every distance shrinks by the factor Δ_K in
b = K+1 steps (the first is spent from (s, a) to a state), so d(t) ≤ c' m^t for all t ≥ 1 with m = Δ_K^{1/b} and
c' = max_{1≤t≤b} d(t)/m^t. Proof in `paper/proofs.md`, appendix_a.

The start itself, t = 0, plays no part in D_i(κ); from t = 1 on actions are drawn from states, so that the laws of
s_i(t) are as far apart as those of (s_i(t), a_i(t)).

Assumption 3 asks for more: the best σ for a given τ, and its rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np

from sacrepro.bounds.influence import (
    influence,
    influence_closed_form,
    influence_everywhere,
    influence_matrix,
    influence_row_sums,
    policy_influence,
)
from sacrepro.exact.dense import averaged_kernels, contracted, demand_matrices, transition_matrix
from sacrepro.exact.models import joint_kernel
from sacrepro.exact.rounding import gamma_k
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array
from sacrepro.model.graph import diameter, neighborhood, outside
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.record.case import Case, once

#: Steps of the chain that are followed, a power of two.
STEPS = 128

#: The variants of the influence matrix.
CLIPPED, OWN, AT_ONCE = "clipped series", "own C^θ", "all agents at once"
CLOSED, ROW_SUMS = "closed form", "row sums"

#: Entries of P(s' | s, a) up to which starts (s, a) are followed; beyond, the law at t from (s, a) is a mixture of laws
#: at t-1 from states, so the distances between those stand in.
START_ENTRIES = 1 << 22


@dataclass(frozen=True)
class Mixing:
    """Distances of one agent's law for t = 0..STEPS, rounding included, and their certified geometric bound.

    At t = 0 they are set to 1.

    between : largest TV between the laws of (s_i(t), a_i(t)) from two starts. to_limit : largest TV to the limit, or
    None if the chain is not certified to have one. m, block : the rate, and the steps b after which it is certified to
    have acted; m = 1 and block = 0 without one.
    """

    between: Array
    to_limit: Array | None
    m: float
    block: int

    def constant(self, distance: Array) -> float:
        """The least c' with d(t) ≤ c' m^t for 1 ≤ t ≤ b, and hence for all t ≥ 1."""
        return max(float(distance[t]) / self.m**t for t in range(1, max(self.block, 1) + 1))


def mixing(mdp: NetworkedMDP, zeta: tuple[Array, ...]) -> list[Mixing]:
    """`Mixing` of every agent under ζ."""
    demand_matrices(mdp, 4 + STEPS.bit_length())  # P^θ, its powers, and what tells how far they are from their limit
    P = transition_matrix(mdp, zeta)
    size = len(P)
    mu, off, m, block = _certified_rate(P)
    few = size * math.prod(mdp.action_sizes) * size <= START_ENTRIES
    onward = np.ascontiguousarray(P.T)
    first = np.ascontiguousarray(joint_kernel(mdp).reshape(-1, size).T) if few else None
    events = [_events(mdp, i) for i in range(mdp.n)]
    now = np.ascontiguousarray(np.concatenate(events, axis=1).T)  # one row a set of states
    rounding = [gamma_k((t + 1) * (size + 4 * mdp.n + 8)) for t in range(STEPS + 1)]
    highest, lowest = np.ones((STEPS + 1, len(now))), np.zeros((STEPS + 1, len(now)))
    for t in range(1, STEPS + 1):
        starts = now if first is None else now @ first
        highest[t], lowest[t] = starts.max(axis=1) + rounding[t], starts.min(axis=1) - rounding[t]
        now = now @ onward
    found = []
    offset = 0
    for i in range(mdp.n):
        own = slice(offset, offset + events[i].shape[1])
        offset = own.stop
        between = np.minimum(1.0, (highest - lowest)[:, own].max(axis=1, initial=0.0))
        between[0] = 1.0
        to_limit = None
        if block:
            limit = mu @ events[i]
            to_limit = np.maximum(highest[:, own] - limit, limit - lowest[:, own]).max(axis=1, initial=0.0) + off
            to_limit = np.minimum(1.0, to_limit)
            to_limit[0] = 1.0
        found.append(Mixing(between, to_limit, m, block))
    return found


@once
def mixing_of(case: Case) -> list[Mixing]:
    """`mixing` under the policies of a case."""
    return mixing(case.mdp, policies(case.mdp, case.theta))


def _certified_rate(P: Array) -> tuple[Array, float, float, int]:
    """(μ, bound on ‖π - μ‖₁, m, b): the least m = Δ_K^{1/b} < 1, b = K+1, over K = 1, 2, 4, … < `STEPS`; else 1, 0."""
    powers = {1: P}
    for _ in range(int(math.log2(STEPS))):
        K = max(powers)
        powers[2 * K] = powers[K] @ powers[K]
    # Non-negative products: entries of P^K carry a relative error below γ_k, rows a 1-norm error as large.
    error = {K: gamma_k(K * (len(P) + 64)) for K in powers}
    mu = powers[STEPS].mean(axis=0)
    off = float(np.abs(powers[STEPS] - mu).sum(axis=1).max()) + error[STEPS]
    best = (1.0, 0)
    for K, power in powers.items():
        Delta = float(np.abs(power - mu).sum(axis=1).max()) + error[K] + off
        if Delta < 1.0 and K < STEPS:
            best = min(best, (Delta ** (1.0 / (K + 1)), K + 1))
    return mu, off, *best


def _events(mdp: NetworkedMDP, i: int) -> Array:
    """1{s_i ∈ X} over joint states in columns, for sets X of states of agent i: their ranges give the largest TV.

    One of each pair of complements suffices.
    """
    S = mdp.state_sizes
    values = np.broadcast_to(np.arange(S[i]).reshape([-1 if k == i else 1 for k in range(mdp.n)]), S).ravel()
    sets = [X for size in range(1, S[i] // 2 + 1) for X in combinations(range(S[i]), size)]
    return np.stack([np.isin(values, X) for X in sets], axis=1).astype(float) if sets else np.zeros((len(values), 0))


def outsiders(graph: nx.Graph, places: Sequence[tuple[int, int]]) -> Array:
    """1_O for the agents O outside N_i^κ of each place (i, κ), in columns: shape (n, places)."""
    columns = np.zeros((len(graph), len(places)))
    for column, (i, kappa) in enumerate(places):
        columns[list(outside(graph, i, kappa)), column] = 1.0
    return columns


def variants(case: Case, places: list[tuple[int, int]]) -> dict[str, Array]:
    """The bound on D_i(κ) for each (i, κ) of `places`, keyed by the variant."""
    mdp = case.mdp
    gamma, r_bar = mdp.gamma, mdp.r_bar
    C = influence_matrix(mdp)
    own = policy_influence(averaged_kernels(mdp, policies(mdp, case.theta)), mdp.neighbors)
    out = outsiders(mdp.graph, places)
    agents = [i for i, _ in places]
    columns = range(len(places))
    everywhere = influence_everywhere(C, max(kappa for _, kappa in places), gamma, r_bar)
    found = {
        CLIPPED: influence(C, out, gamma, r_bar)[agents, columns],
        OWN: influence(C, out, gamma, r_bar, own)[agents, columns],
        AT_ONCE: np.array([everywhere[place] for place in places]),
    }
    if gamma * float(np.abs(np.linalg.eigvals(C.toarray())).max()) < 1.0:
        found[CLOSED] = influence_closed_form(C, out, gamma, r_bar)[agents, columns]
    if gamma * float(C.sum(axis=1).max()) < 1.0:
        found[ROW_SUMS] = np.array([influence_row_sums(C, kappa, gamma, r_bar) for _, kappa in places])
    return found


MOST_ENTRIES = 2**22


def best_sigma(mdp: NetworkedMDP, zeta: tuple[Array, ...], taus: Sequence[int]) -> dict[tuple[int, int, int], float]:
    """σ_i(τ) by (i, κ, τ): min over (s, a) at time 1 and cells of P(s_B(τ), a_B(τ) | s(1) = s, a(1) = a), B = N_i^κ."""
    n, S = mdp.n, mdp.state_sizes
    operands: list[Any] = []
    for j in range(n):
        operands += [mdp.P[j], [*mdp.neighbors[j], n + j, 2 * n + j]]
    law = contracted(*operands, list(range(3 * n)), optimize="greedy").reshape(-1, int(np.prod(S)))
    onward = transition_matrix(mdp, zeta)
    hoods = {
        (i, kappa): neighborhood(mdp.graph, i, kappa) for i in range(n) for kappa in range(diameter(mdp.graph) + 1)
    }
    found: dict[tuple[int, int, int], float] = {}
    for tau in range(2, max(taus) + 1):
        if tau in taus:
            least = {hood: least_cell(mdp, zeta, law, hood) for hood in set(hoods.values())}
            found |= {(i, kappa, tau): least[hood] for (i, kappa), hood in hoods.items()}
        law = law @ onward
    return found


def least_cell(mdp: NetworkedMDP, zeta: Sequence[Array], law: Array, hood: Sequence[int]) -> float:
    """The least probability of a cell of `hood` under the laws of the joint state in the rows of `law`."""
    sizes = [mdp.state_sizes[j] for j in hood]
    cells = law
    if len(hood) < mdp.n:
        joint = np.array(np.unravel_index(np.arange(law.shape[1]), mdp.state_sizes))
        cells = law @ np.eye(int(np.prod(sizes)))[np.ravel_multi_index(joint[list(hood)], sizes)]
    least = cells.min(axis=0).reshape(sizes)
    for position, j in enumerate(hood):
        shape = [-1 if k == position else 1 for k in range(len(hood))]
        least = least * zeta[j].min(axis=1).reshape(shape)
    return float(least.min())


def entries(mdp: NetworkedMDP) -> int:
    """Probabilities of a joint state given a joint pair (s, a)."""
    return int(np.prod([float(S_j) ** 2 * A_j for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True)]))


def relative_error(mdp: NetworkedMDP, tau: int) -> float:
    """A bound on the relative error of σ_i(τ): sums of products of non-negative terms, and kernels that miss sum 1."""
    u = float(np.finfo(float).eps) / 2
    roundings = 2 * (tau + 1) * (int(np.prod(mdp.state_sizes)) + 4 * mdp.n)
    return 2.0 * roundings * u + 2.0 * tau * mdp.n * NORMALISATION_TOLERANCE
