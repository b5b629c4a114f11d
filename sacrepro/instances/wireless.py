"""Wireless access with deadlines, named in the paper's introduction (Zocca, 2019): users share access points.

Users sit in the cells of a grid; access points stand at its interior corners, and a user reaches those at the corners
of its cell (in a grid of one row, those on the borders of its cell). Neighbors are users that share an access point.

Original, action-coupled (`wireless`). State: b_i ∈ {0,1}^d, b_k = 1 if a packet with k+1 slots left waits, stored as
Σ_k b_k 2^k. Action: 0, none, or an access point y to which the most urgent packet is sent; with `slots`, a slot and an
access point, as in the public code of arXiv 2006.06555. In one slot

    success of i  =  i sends a packet to y, no other user of y picks y, and y serves it (probability q_y),
    b_i'          =  b_i without the packet if it succeeded; then all packets lose one slot, those with none are
                     lost, and a new one with d slots arrives with probability p_i;
    r_i           =  success of i, its mean in r[i].

A user that picks an access point occupies it even with nothing to send. Both the kernel and the reward see
neighbors' states and actions: R = 1 in `sacrepro.bounds.decay`.

Seed-conform (`wireless_committed`), of the product form of eq. (1): s_i = (b_i, u_i, f_i), u_i the choice committed one
slot before, f_i whether the last slot succeeded, a_i the choice for the next slot, r_i = f_i: the success of slot t is
paid at t+1. s_i is stored as (b_i·(1+|Y_i|) + u_i)·2 + f_i.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array, integer, is_listed
from sacrepro.model.graph import check_air, check_kernel_sizes, neighborhood, sharing_graph
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP


class Layout(NamedTuple):
    """access : the access points of each user, users cell by cell. points : how many there are."""

    access: tuple[tuple[int, ...], ...]
    points: int


def layout(rows: int, columns: int, users_per_cell: int = 1) -> Layout:
    """Cells and access points row by row; ValueError for a grid without access points."""
    for name, count in (("rows", rows), ("columns", columns), ("users_per_cell", users_per_cell)):
        integer(f"wireless: {name}", count, 1)
    if rows * columns < 2:
        raise ValueError("wireless: rows and columns must make two cells or more, got 1")
    heights, widths = max(rows - 1, 1), max(columns - 1, 1)
    access = []
    for row in range(rows):
        for column in range(columns):
            near_rows = [y for y in (row - 1, row) if 0 <= y < heights] if rows > 1 else [0]
            near_columns = [x for x in (column - 1, column) if 0 <= x < widths] if columns > 1 else [0]
            access += [tuple(y * widths + x for y in near_rows for x in near_columns)] * users_per_cell
    return Layout(tuple(access), heights * widths)


def wireless(
    *,
    rows: int,
    columns: int,
    users_per_cell: int = 1,
    deadline: int = 2,
    p: float = 0.5,
    q: float | tuple[float, ...] = 0.8,
    gamma: float = 0.7,
    slots: bool = False,
) -> CoupledMDP:
    """The original model; its tables grow like (2^d A)^{|N_i|}, so small grids only (`sacrepro.simulate.wireless`).

    deadline : d, slots in which a packet can be sent.       p : probability a slot that a packet arrives.
    q        : success probability of a lone sender, one for all access points or one each.
    slots    : whether actions name the slot whose packet is sent. Start: newest slot Bernoulli(p), rest empty.
    Raises ValueError for numbers out of range.
    """
    access, q_of = _checked(rows, columns, users_per_cell, deadline, p, q)
    n, S = len(access), 1 << deadline
    A = [1 + len(points) * (deadline if slots else 1) for points in access]
    graph = sharing_graph(access)
    P, r = [], []
    for i in range(n):
        hood = neighborhood(graph, i, 1)
        own = hood.index(i)
        rows_of = (*(S,) * len(hood), *(A[j] for j in hood))
        P_i, r_i = np.zeros((*rows_of, S)), np.zeros(rows_of)
        for row in np.ndindex(*rows_of):
            s_i, a = row[own], row[len(hood) :]
            picks = [point(access[j], a_j) for j, a_j in zip(hood, a, strict=True)]
            y = picks[own]
            slot = (a[own] - 1) // len(access[i]) if slots else most_urgent(s_i)
            heard = y >= 0 and picks.count(y) == 1 and slot >= 0 and (s_i >> slot) & 1
            r_i[row] = q_of[y] if heard else 0.0
            P_i[row] = (1.0 - r_i[row]) * queue(s_i, deadline, p)
            if heard:
                P_i[row] += r_i[row] * queue(s_i - (1 << slot), deadline, p)
        P.append(P_i)
        r.append(r_i)
    return CoupledMDP(graph, tuple(P), tuple(r), gamma, (start(deadline, p),) * n)


def wireless_committed(
    *,
    rows: int,
    columns: int,
    users_per_cell: int = 1,
    deadline: int = 1,
    p: float = 0.5,
    q: float | tuple[float, ...] = 0.8,
    gamma: float = 0.7,
) -> NetworkedMDP:
    """The seed-conform model; parameters as `wireless`. Start: as there, nothing committed, nothing succeeded."""
    access, q_of = _checked(rows, columns, users_per_cell, deadline, p, q)
    n = len(access)
    A = [1 + len(points) for points in access]
    S = [(1 << deadline) * A_i * 2 for A_i in A]
    graph = sharing_graph(access)
    check_kernel_sizes(graph, S, A)
    P, r, pi0 = [], [], []
    for i in range(n):
        hood = neighborhood(graph, i, 1)
        own = hood.index(i)
        P_i = np.zeros((*(S[j] for j in hood), A[i], S[i]))
        for states in np.ndindex(*P_i.shape[:-2]):
            picks = [point(access[j], (s_j // 2) % A[j]) for j, s_j in zip(hood, states, strict=True)]
            y, b_i = picks[own], states[own] // 2 // A[i]
            slot = most_urgent(b_i)
            success = q_of[y] if y >= 0 and picks.count(y) == 1 and slot >= 0 else 0.0
            for a_i in range(A[i]):
                after = P_i[states][a_i].reshape(1 << deadline, A[i], 2)
                after[:, a_i, 0] = (1.0 - success) * queue(b_i, deadline, p)
                if success > 0.0:
                    after[:, a_i, 1] = success * queue(b_i - (1 << slot), deadline, p)
        P.append(P_i)
        r.append(np.repeat((np.arange(S[i]) % 2)[:, None], A[i], axis=1))
        pi0_i = np.zeros((1 << deadline, A[i], 2))
        pi0_i[:, 0, 0] = start(deadline, p)
        pi0.append(pi0_i.ravel())
    return NetworkedMDP(graph, tuple(P), tuple(r), gamma, tuple(pi0))


def point(points: Sequence[int], a_i: int) -> int:
    """The access point that action a_i picks, -1 for none."""
    return points[(a_i - 1) % len(points)] if a_i > 0 else -1


def most_urgent(b: int) -> int:
    """The slot of the packet with the fewest slots left, -1 for an empty queue."""
    return (b & -b).bit_length() - 1


def queue(b: int, deadline: int, p: float) -> Array:
    """The law of the queue after a slot that leaves b: packets lose one slot, one arrives with probability p."""
    law = np.zeros(1 << deadline)
    law[b >> 1] += 1.0 - p
    law[(b >> 1) | (1 << (deadline - 1))] += p
    return law


def start(deadline: int, p: float) -> Array:
    """The law of the first queue: a packet in the newest slot with probability p, the others empty."""
    return queue(0, deadline, p)


def _checked(
    rows: int, columns: int, users_per_cell: int, deadline: int, p: float, q: float | tuple[float, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[float, ...]]:
    access, points = layout(rows, columns, users_per_cell)
    q_of = tuple(q) if is_listed(q) else (q,) * points
    if len(q_of) != points:
        raise ValueError(f"wireless: q holds {len(q_of)} numbers, but there are {points} access points")
    _, succeeds, _ = check_air(access, q_of, (p,) * len(access), deadline)
    return access, tuple(succeeds.tolist())
