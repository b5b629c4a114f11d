"""A network of the user's own as the compiled sampling loop reads it: no kernel by counts becomes a table.

The position of agent i's row is linear in the states, for kernels by table and for counts of two states; counts of more
states are looked up by their number. The thresholds are those of the table, so trajectories are, too, bit for bit.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from sacrepro.model.checks import LARGEST_SCALE, Array, normalised
from sacrepro.simulate.compiled_model import Simulator
from sacrepro.simulate.random_bits import SCALE, thresholds
from sacrepro.simulate.tables import Counts, Sampled, no_counts

if TYPE_CHECKING:
    from sacrepro.adviser.labelled import Network

#: Thresholds are numbered by 32 bits.
MOST_THRESHOLDS = 1 << 32


def simulator(network: Network) -> Simulator:
    """What `sac` and every other learner accept: a simulator of the network, whatever the degrees.

    Raises ValueError for rewards too large to square, kernels of 2^32 entries, and counts that cannot be numbered.
    """
    largest = LARGEST_SCALE * (1.0 - network.gamma) ** 2
    if network.r_bar > largest:
        i = max(range(network.n), key=lambda j: network.r[j].max())
        raise ValueError(
            f"agent {network.names[i]!r} has a reward of {network.r_bar!r}; with gamma = {network.gamma!r} rewards may "
            f"be at most {largest:.3g}, so that the square of r̄/(1-γ)² is finite"
        )
    return Simulator(sampled(network))


def sampled(network: Network) -> Sampled:
    """Thresholds, strides and numbers of a network."""
    blocks: list[Array] = []
    terms: list[tuple[tuple[int, int], ...]] = [()] * network.n
    row, used = np.zeros(network.n, dtype=np.int64), 0
    for g, kernel in enumerate(network.groups):
        members = np.flatnonzero(network.group == g)
        _, S, A, K, _ = kernel.laws.shape
        width = max(S - 1, 1)
        blocks.append(_rows(kernel.laws.transpose(0, 1, 3, 2, 4)))
        row[members] = used + network.row[members] * S * K * A * width
        used += len(blocks[-1])
        linear = kernel.coupled and kernel.beside <= 2
        for i in members.tolist():
            beside = [(j - i, A * width) for j in sorted(network.graph[i])] if linear else []
            terms[i] = ((0, K * A * width), *beside)
    made: dict[int, int] = {}
    for i, table in network.tables.items():
        if id(table) not in made:
            made[id(table)] = used
            blocks.append(_rows(table))
            used += len(blocks[-1])
        row[i] = made[id(table)]
        strides = accumulate(table.shape[-2:0:-1], int.__mul__)
        width = max(table.shape[-1] - 1, 1)
        terms[i] = tuple((j - i, stride * width) for j, stride in zip(reversed(network.hood(i)), strides, strict=True))
    if used >= MOST_THRESHOLDS:
        raise ValueError(f"the network has {used:,} different kernel entries; at most 2^32 - 1 are supported")
    return Sampled(
        network.graph,
        tuple(map(int, network.state_sizes)),
        tuple(map(int, network.action_sizes)),
        network.gamma,
        network.r,
        network.pi0 if isinstance(network.pi0, np.ndarray) else tuple(map(normalised, network.pi0)),
        row.astype(np.uint32),
        np.concatenate(blocks),
        terms,
        _counts(network),
    )


def _rows(table: Array) -> Array:
    """The thresholds of a table of laws, flat; an only outcome gets one that no draw reaches."""
    if table.shape[-1] == 1:
        return np.full(table.size, SCALE, dtype=np.uint32)
    return thresholds(normalised(table)).ravel()


def _counts(network: Network) -> Counts:
    """The agents whose rows are numbered, with the numbers of their groups in entries of the kernel."""
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
    neighbors = tuple(tuple(sorted(network.graph[i])) for i in agent.tolist())
    return Counts(agent, neighbors, begins[0], np.concatenate(weights), begins[1], np.concatenate(numbers))
