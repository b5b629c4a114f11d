"""The influence matrix of kernels that count: C read off one row a composition, so that a hub needs no table.

If P_i sees its neighbors through k = (k_0, k_1, …) alone, a change of one neighbor from x to y turns c + e_x into
c + e_y, where c is the composition of the others: C_ij is the largest TV between those two rows over c, x, y, s_i and
a_i, the same for every neighbor j. It equals the C_ij of the table, entry for entry.
"""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
from scipy.sparse import csr_array, diags_array

from sacrepro.adviser.labelled import Network
from sacrepro.bounds.influence import BLOCK_ENTRIES, kernel_influence, largest_distance
from sacrepro.model.checks import Array
from sacrepro.model.kernels import CountKernel, compositions, rank


def network_influence(network: Network) -> csr_array:
    """C of shape (n, n), as `influence_matrix` would give it, with tables only for the agents that came with one."""
    n = network.n
    adjacency = csr_array(nx.to_scipy_sparse_array(network.graph, nodelist=range(n), dtype=float, format="csr"))
    own, beside = np.zeros(n), np.zeros(n)
    for g, kernel in enumerate(network.groups):
        members = np.flatnonzero(network.group == g)
        rows = network.row[members]
        own[members] = own_influence(kernel)[rows]
        beside[members] = neighbor_influence(kernel)[rows]
    C = (diags_array(beside) @ adjacency + diags_array(own)).tocsr()
    tabulated = sorted(network.tables)
    if tabulated:
        # Agents without a table have a one-state kernel here, which nobody moves.
        nobody = np.ones((1, 1, 1))
        P = [network.tables.get(i, nobody) for i in range(n)]
        C = C + kernel_influence(P, [network.hood(i) if i in network.tables else (i,) for i in range(n)])
    C = csr_array(C)
    C.eliminate_zeros()
    return C


def uniform_policy_influence(network: Network) -> csr_array:
    """C^θ ≤ C of `policy_influence` for the uniform policy: the influence matrix of kernels averaged over actions."""
    groups = tuple(kernel._replace(table=kernel.table.mean(axis=2, keepdims=True)) for kernel in network.groups)
    distinct = {id(P_i): P_i for P_i in network.tables.values()}
    averaged = {key: P_i.mean(axis=-2, keepdims=True) for key, P_i in distinct.items()}
    tables = {i: averaged[id(P_i)] for i, P_i in network.tables.items()}
    return network_influence(replace(network, groups=groups, tables=tables, _made={}))


def own_influence(kernel: CountKernel) -> Array:
    """C_ii for each row of the kernel."""
    m, S, A, K, _ = kernel.table.shape
    return _by_blocks(kernel.table.reshape(m, S * A, K, S))


def neighbor_influence(kernel: CountKernel) -> Array:
    """C_ij, j ≠ i, for each row of the kernel."""
    m, S, A, _, _ = kernel.table.shape
    if not kernel.coupled:
        return np.zeros(m)
    others = compositions(kernel.degree - 1, kernel.S)
    moved = rank(others[:, None, :] + np.eye(kernel.S, dtype=int), kernel.degree)
    rows = kernel.table[:, :, :, moved].transpose(0, 4, 1, 2, 3, 5)
    return _by_blocks(rows.reshape(m, kernel.S, S * A * len(others), S))


def _by_blocks(rows: Array) -> Array:
    step = max(1, BLOCK_ENTRIES // max(1, rows[0].size))
    return np.concatenate([largest_distance(rows[k : k + step]) for k in range(0, len(rows), step)])


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
