"""What holds for every policy: bounds on |Q̂_i - Q_i| and ‖ĥ_i - ∇_{θ_i}J‖ at each κ, for all agents or for some.

From the paper (Lemmas 3 and 4) and sharper ones: the influence matrix for all agents at once, by one sparse product a
step; where n is small, agent by agent; and, for the gradient, the sums over spheres of `lemma4_sharp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from sacrepro.bounds.count_influence import network_influence
from sacrepro.bounds.definition2 import definition2
from sacrepro.bounds.influence import influence_everywhere, influence_profile
from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.lemma4 import lemma4
from sacrepro.bounds.lemma4_gaps import lemma4_gaps
from sacrepro.bounds.lemma4_sharp import any_weights_error, natural_weights_error
from sacrepro.instances.network import Network
from sacrepro.model import Array
from sacrepro.policy import SCORE_BOUND

#: Up to so many agents every agent's own outside enters its bound, and its eccentricity is exact.
SMALL = 600
#: Entries of the table of bounds, agents times κ.
MOST_BOUNDS = 20_000_000
MOST_KAPPA = 400


class Certificates(NamedTuple):
    """Right-hand sides for κ = 0, 1, ….

    paper     : Lemma 3 for Q, Lemma 4 for the gradient; every agent, every policy.
    influence : (n, κ's) bounds on D_i(κ) from the influence matrix, 0 once N_i^κ holds all that i can feel.
    gradient  : `lemma4_gaps` of these, for every agent.
    spheres   : (agents, κ's) `any_weights_error` of the chosen agents.
    trivial_q, trivial_gradient : what is known of the error without any κ, the latter for each chosen agent.
    eccentricity : from this κ on nothing is outside N_i^κ, for each agent (at most so, beyond `SMALL` agents).
    """

    paper_q: Array
    paper_gradient: Array
    influence: Array
    gradient: Array
    spheres: Array
    trivial_q: float
    trivial_gradient: Array
    eccentricity: Array
    C: csr_array


def certificates(network: Network, chosen: Sequence[int], kappas: int) -> Certificates:
    """All bounds for κ = 0..kappas-1; `chosen` are the agents whose spheres are counted."""
    n, gamma, r_bar = network.n, network.gamma, network.r_bar
    C = network_influence(network)
    c, rho = lemma3(r_bar, gamma)
    paper_q = np.array([definition2(c, rho, kappa) for kappa in range(kappas)])
    eccentricity = eccentricities(network.graph)
    if n <= SMALL:
        influence = np.zeros((n, kappas))
        for i in range(n):
            own = influence_profile(C, network.graph, i, gamma, r_bar)[:kappas]
            influence[i, : len(own)] = own
    else:
        influence = influence_everywhere(C, kappas - 1, gamma, r_bar)
    influence = np.minimum(influence, paper_q)
    influence[np.arange(kappas) >= eccentricity[:, None]] = 0.0
    spheres = [sphere_sizes(network.graph, i) for i in chosen]
    sizes = (n, gamma, r_bar)
    reached = [_reached(network.graph, i, eccentricity) if n <= SMALL else None for i in chosen]
    return Certificates(
        paper_q=paper_q,
        paper_gradient=np.array([lemma4(c, rho, kappa, SCORE_BOUND, gamma) for kappa in range(kappas)]),
        influence=influence,
        gradient=np.array([lemma4_gaps(influence[:, kappa], gamma) for kappa in range(kappas)]),
        spheres=np.array(
            [
                [any_weights_error(own, _seeing_out(own, far, kappa), kappa, *sizes) for kappa in range(kappas)]
                for own, far in zip(spheres, reached, strict=True)
            ]
        ),
        trivial_q=definition2(c, rho, 0),
        trivial_gradient=np.array(
            # At most half of `steepest_for_agent`, whatever γ is.
            [natural_weights_error(own, -1, *sizes) for own in spheres]
        ),
        eccentricity=eccentricity,
        C=C,
    )


def kappa_range(network: Network, error: float, of: str) -> int:
    """How many κ are looked at: until the paper's bound is below the error, or all there are memory for."""
    c, rho = lemma3(network.r_bar, network.gamma)
    scale = 1.0 if of == "q" else SCORE_BOUND / (1.0 - network.gamma)
    most = max(2, min(MOST_KAPPA, MOST_BOUNDS // network.n))
    return next((kappa + 1 for kappa in range(most) if scale * definition2(c, rho, kappa) <= error), most)


def adjacency(graph: nx.Graph) -> csr_array:
    """The adjacency matrix of ones, agents in order."""
    return csr_array(nx.to_scipy_sparse_array(graph, nodelist=range(len(graph)), dtype=float, format="csr"))


def eccentricities(graph: nx.Graph) -> Array:
    """The least κ with nothing reachable outside N_i^κ for each agent; beyond `SMALL` agents d(i, hub) + ecc(hub)."""
    n = len(graph)
    A = adjacency(graph)
    if n <= SMALL:
        distance = dijkstra(A, unweighted=True)
        return np.where(np.isfinite(distance), distance, 0).max(axis=1).astype(int)
    bound = np.zeros(n, dtype=int)
    for piece in nx.connected_components(graph):
        members = np.array(sorted(piece))
        hub = max(piece, key=graph.degree)
        distance = distances(A, hub)[members]
        bound[members] = distance + distance.max()
    return bound


def distances(A: csr_array, i: int) -> Array:
    """d(i, j) for every j, -1 where there is no path."""
    found = dijkstra(A, unweighted=True, indices=i)
    return np.where(np.isfinite(found), found, -1).astype(int)


def sphere_sizes(graph: nx.Graph, i: int) -> list[int]:
    """(|S_i(0)|, |S_i(1)|, …)."""
    d = nx.single_source_shortest_path_length(graph, i)
    return np.bincount(np.fromiter(d.values(), dtype=int)).tolist()


def _reached(graph: nx.Graph, i: int, eccentricity: Array) -> list[tuple[int, int]]:
    """(d(i, j), eccentricity of j) for every agent j of the component."""
    return [(d, int(eccentricity[j])) for j, d in nx.single_source_shortest_path_length(graph, i).items()]


def _seeing_out(spheres: list[int], reached: list[tuple[int, int]] | None, kappa: int) -> list[int]:
    """m_d for d = 0..κ, or the whole spheres, which are no fewer, where eccentricities are not known exactly."""
    if reached is None:
        return spheres[: kappa + 1]
    m = [0] * (kappa + 1)
    for d, farthest in reached:
        if d <= kappa < farthest:
            m[d] += 1
    return m
