"""Agents that an automorphism exchanges: one of them is solved, the others are the same tables with axes renamed.

A permutation φ of the agents that keeps the edges, with P̄_φ(j) = P̄_j and r_φ(j)^θ = r_j^θ once neighbors are renamed,
gives V_φ(i)(φs) = V_i(s), where φs has the state of j at φ(j), and D_φ(i) = D_i. Every φ is found by search and
verified entry by entry on P, r and ζ: nothing is assumed of a graph, and what is not found is only not used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.mdp import Model

#: Agents that a search may try to place, for each agent of the network, before it gives up.
MOST_TRIED = 64

#: An agent i that is solved, and φ with φ(i) = the agent at hand.
Image = tuple[int, tuple[int, ...]]


def images(model: Model, zeta: Sequence[Array]) -> list[Image]:
    """For each agent one that it is the image of, and the automorphism: itself and the identity if there is no other.

    zeta : the localized policies, blocks (S_i, A_i).
    """
    n = model.n
    kinds: dict[tuple[bytes, ...], int] = {}
    colours = []
    for P_i, r_i, zeta_i in zip(model.P, model.r, zeta, strict=True):
        # Equal tables up to an order of the axes have equal entries in order.
        key = (np.sort(P_i, axis=None).tobytes(), r_i.tobytes(), zeta_i.tobytes(), bytes(str(r_i.shape), "ascii"))
        colours.append(kinds.setdefault(key, len(kinds)))
    found: dict[int, Image] = {}
    generators: list[tuple[int, ...]] = []
    for i in range(n):
        if i in found:
            continue
        alike = (j for j, (source, _) in found.items() if j == source and colours[i] == colours[j])
        phi = next(filter(None, (_automorphism(model, colours, j, i) for j in alike)), None)
        if phi is None:
            found[i] = (i, tuple(range(n)))
        else:
            generators.append(phi)
        # What automorphisms do one after the other is one, too: a ring needs a single search.
        reached = list(found)
        while reached:
            source, psi = found[j := reached.pop()]
            for phi in generators:
                if phi[j] not in found:
                    found[phi[j]] = (source, tuple(phi[k] for k in psi))
                    reached.append(phi[j])
    return [found[i] for i in range(n)]


def renamed(table: Array, phi: tuple[int, ...]) -> Array:
    """The table of φ(i) from that of i, axes (S_0, …, S_{n-1}): the axis of j becomes that of φ(j). A view."""
    return table.transpose(np.argsort(phi))


def _automorphism(model: Model, colours: list[int], source: int, target: int) -> tuple[int, ...] | None:
    """φ with φ(source) = target; None if there is none or the search takes too long."""
    hoods = model.neighbors
    order = _outwards(hoods, source)
    position = {j: k for k, j in enumerate(order)}
    # Each agent is placed after one of its neighbors, where its component has any; hoods are compared once complete.
    before = [next((u for u in hoods[j] if position[u] < k), None) for k, j in enumerate(order)]
    complete: list[list[int]] = [[] for _ in order]
    for j in order:
        complete[max(position[u] for u in hoods[j])].append(j)
    phi: dict[int, int] = {}
    used: set[int] = set()
    left = MOST_TRIED * model.n

    def place(k: int) -> bool:
        nonlocal left
        if k == len(order):
            return True
        j, parent = order[k], before[k]
        candidates = [target] if k == 0 else range(model.n) if parent is None else hoods[phi[parent]]
        for image in candidates:
            if image in used or colours[image] != colours[j]:
                continue
            if left == 0:
                return False
            left -= 1
            phi[j] = image
            used.add(image)
            if all(_same_kernel(model, phi, u) for u in complete[k]) and place(k + 1):
                return True
            used.discard(phi.pop(j))
        return False

    return tuple(phi[j] for j in range(model.n)) if place(0) else None


def _same_kernel(model: Model, phi: dict[int, int], j: int) -> bool:
    """Whether N_φ(j) = φ(N_j), and P_φ(j) is P_j with its neighbors renamed."""
    hood, image = model.neighbors[j], model.neighbors[phi[j]]
    if sorted(phi[u] for u in hood) != list(image):
        return False
    back = {phi[u]: k for k, u in enumerate(hood)}
    axes = [*(back[v] for v in image), len(hood), len(hood) + 1]
    return np.array_equal(model.P[j].transpose(axes), model.P[phi[j]])


def _outwards(hoods: Sequence[Sequence[int]], source: int) -> list[int]:
    """All agents, `source` first, then by distance, then other components, each from its first agent outwards."""
    order: list[int] = []
    seen: set[int] = set()
    for start in (source, *range(len(hoods))):
        queue = [start] if start not in seen else []
        while queue:
            j = queue.pop(0)
            if j not in seen:
                seen.add(j)
                order.append(j)
                queue += [u for u in hoods[j] if u not in seen]
    return order
