"""The model as the compiled sampling loop reads it: thresholds, strides and runs of alike agents.

Several seeds are sampled as one network of B·n agents, B disjoint copies of the model: copy b of agent i is the agent
i·B + b. A *run* is a range of agents whose neighbors lie at the same offsets with the same strides, so that s_{N_i} is
read without looking indices up; every agent's copies are a run, and so is the inside of a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.simulate.random_bits import SCALE, thresholds

#: Agents that are sampled together while their scratch stays in the first-level cache.
CHUNK = 512

#: Below this mean length runs do not pay, and neighbors are looked up one by one.
_SHORTEST_RUN = 8


class Counts(NamedTuple):
    """Agents whose row is number[number_at + Σ_j weight[weight_at + s_j]] entries further, j over their neighbors.

    agent : (m,) sorted.        neighbors : for each of them those that are counted.
    weight_at, number_at : (m,) where the weights of the states 0, 1, …, and the numbers, begin.
    """

    agent: Array
    neighbors: tuple[tuple[int, ...], ...]
    weight_at: Array
    weight: Array
    number_at: Array
    number: Array


class Sampled(NamedTuple):
    """A model as sampling reads it: agent i's row begins at row[i] + a_i·max(S_i - 1, 1) + Σ_j s_j·stride, or `counts`.

    graph, state_sizes, action_sizes, gamma, r, pi0 : as in the model.
    row    : (n,) where agent i's kernel begins in `kernel`, thresholds of P_i(· | s_{N_i}, a_i), actions innermost.
    terms  : for each agent the pairs (j - i, stride) of those that enter linearly.
    """

    graph: nx.Graph
    state_sizes: tuple[int, ...]
    action_sizes: tuple[int, ...]
    gamma: float
    r: tuple[Array, ...]
    pi0: tuple[Array, ...] | Array
    row: Array
    kernel: Array
    terms: list[tuple[tuple[int, int], ...]]
    counts: Counts


def no_counts() -> Counts:
    """No agent."""
    none = np.zeros(0, dtype=np.int64)
    return Counts(none, (), none, none, none, none)


class Tables(NamedTuple):
    """What `rollout` reads; opaque to everyone else. Agents are those of the B·n-agent network.

    copies   : B.
    S, A     : (B·n,) state and action counts, most : the largest S_i·A_i.        binary : whether all of them are 2.
    pair     : (B·n+1,) where agent i's block begins in flat arrays over (s_i, a_i), such as policies.
    reward   : r_i(s_i, a_i), flat over (i, s_i, a_i).
    row      : (B·n,) where agent i's kernel begins; agents with equal kernels share one.
    width    : (B·n,) max(S_i - 1, 1), thresholds in each row of the kernel.
    kernel   : thresholds of P_i(· | s_{N_i}, a_i), rows in the order (s_{N_i}, a_i).
    top      : the same divided by 2^23 and at most 255; one byte settles all but every 256th comparison, and a quarter
               of the memory is read.
    chunk_run, run_first, run_term, term_offset, term_stride : chunk c has the runs chunk_run[c], …; run k begins at
               agent run_first[k] and has the terms run_term[k], …; a term adds s[i + offset]·stride to the row.
    neighbor_start, neighbor, stride : the same by agent, for graphs without runs; empty otherwise.
    counted_chunk, counted, counted_start, counted_neighbor, weight_at, weight, number_at, number : `Counts` by chunk.
    start_row, start : thresholds of the marginals of π_0, and where agent i's begin.
    joint    : cumulative joint π_0 in row-major order, or empty when π_0 is given by marginals.
    """

    copies: int
    S: Array
    A: Array
    most: int
    binary: bool
    pair: Array
    reward: Array
    row: Array
    width: Array
    kernel: Array
    top: Array
    chunk_run: Array
    run_first: Array
    run_term: Array
    term_offset: Array
    term_stride: Array
    neighbor_start: Array
    neighbor: Array
    stride: Array
    counted_chunk: Array
    counted: Array
    counted_start: Array
    counted_neighbor: Array
    weight_at: Array
    weight: Array
    number_at: Array
    number: Array
    start_row: Array
    start: Array
    joint: Array


def pair_starts(state_sizes: Sequence[int] | Array, action_sizes: Sequence[int] | Array) -> Array:
    """(n+1,) where the block (S_i, A_i) of agent i begins in an array that holds all blocks flat."""
    return np.concatenate([[0], np.cumsum(np.multiply(state_sizes, action_sizes, dtype=np.int64))])


def sampled(mdp: NetworkedMDP | CountedMDP) -> Sampled:
    """A model as sampling reads it. Raises ValueError if its kernels have 2^32 or more entries."""
    row, kernel = _shared(_rows(mdp.P))
    sizes = (mdp.graph, mdp.state_sizes, mdp.action_sizes, mdp.gamma)
    return Sampled(*sizes, mdp.r, mdp.pi0, row, kernel, _terms(mdp), no_counts())


def tables(model: Sampled, copies: int) -> Tables:
    """The tables of B = `copies` disjoint copies of the model."""
    n = len(model.r)
    S, A = np.array(model.state_sizes), np.array(model.action_sizes)
    joint = isinstance(model.pi0, np.ndarray)
    start_row, start = _shared(_rows([np.ones(1)] * n if joint else list(model.pi0)))
    runs, by_agent = _runs(model.terms, copies)
    S, A = np.repeat(S, copies), np.repeat(A, copies)
    return Tables(
        copies=copies,
        S=S.astype(np.uint32),
        A=A.astype(np.uint32),
        most=int((S * A).max()),
        binary=bool((S == 2).all() and (A == 2).all()),
        pair=pair_starts(S, A),
        reward=np.concatenate([r_i.ravel() for r_i in model.r for _ in range(copies)]) + 0.0,  # -0.0 becomes 0.0
        row=np.repeat(model.row, copies),
        width=np.maximum(S - 1, 1).astype(np.uint32),
        kernel=model.kernel,
        top=np.minimum(model.kernel >> 23, 255).astype(np.uint8),
        **runs,
        **by_agent,
        **_counted(model.counts, n, copies),
        start_row=np.repeat(start_row, copies),
        start=start,
        joint=_cumulative(np.ravel(model.pi0)) if joint else np.empty(0),
    )


def _rows(distributions: Sequence[Array]) -> list[Array]:
    """The thresholds of each table of distributions, flat, with at least one a row: an only outcome gets one that no
    draw reaches. Tables of one shape are taken together, and one that several agents share is taken once."""
    alike: dict[tuple[int, ...], dict[int, Array]] = {}
    for table in distributions:
        alike.setdefault(table.shape, {})[id(table)] = table
    rows: dict[int, Array] = {}
    for shape, members in alike.items():
        if shape[-1] == 1:
            flat = np.full((len(members), int(np.prod(shape))), SCALE, dtype=np.uint32)
        else:
            flat = thresholds(np.stack([*members.values()])).reshape(len(members), -1)
        rows.update(zip(members, flat, strict=True))
    return [rows[id(table)] for table in distributions]


def _shared(pieces: Sequence[Array]) -> tuple[Array, Array]:
    """Where each piece begins, and the pieces one after another; equal ones are stored once."""
    known: dict[bytes, int] = {}
    seen: dict[int, int] = {}
    kept: list[Array] = []
    where = []
    used = 0
    for piece in pieces:
        if id(piece) not in seen:
            key = piece.tobytes()
            if key not in known:
                known[key] = used
                kept.append(piece)
                used += len(piece)
            seen[id(piece)] = known[key]
        where.append(seen[id(piece)])
    if used >= 1 << 32:
        raise ValueError(f"the model has {used} different kernel entries; at most 2^32 - 1 are supported")
    return np.array(where, dtype=np.uint32), np.concatenate(kept).astype(np.uint32)


def _terms(mdp: NetworkedMDP | CountedMDP) -> list[tuple[tuple[int, int], ...]]:
    """`Sampled.terms`: s_j·stride is j's part of the row's position; the rows of these kernels are linear."""
    known: dict[int, tuple[int, ...]] = {}
    terms = []
    for i, (kernel, hood) in enumerate(zip(mdp.kernels, mdp.neighbors, strict=True)):
        if id(kernel) not in known:
            strides, width = kernel.strides(), max(kernel.S - 1, 1)
            assert strides is not None, "rows of tables and of sums are linear"
            known[id(kernel)] = tuple(width * weight for weight in reversed(strides[0]))
        terms.append(tuple([(j - i, step) for j, step in zip(reversed(hood), known[id(kernel)], strict=True)]))
    return terms


def _runs(terms: list[tuple[tuple[int, int], ...]], copies: int) -> tuple[dict[str, Array], dict[str, Array]]:
    n = len(terms)
    firsts = [i for i in range(n) if i == 0 or terms[i] != terms[i - 1]]
    if n * copies < _SHORTEST_RUN * len(firsts):
        flat = [
            ((i + offset) * copies + b, stride)
            for i, own in enumerate(terms)
            for b in range(copies)
            for offset, stride in own
        ]
        table = np.array(flat, dtype=np.uint32)
        lengths = np.concatenate([[0], np.cumsum(np.repeat([*map(len, terms)], copies))])
        none = np.zeros(0, dtype=np.int64)
        return (
            dict.fromkeys(("chunk_run", "run_first", "run_term", "term_offset"), none)
            | {"term_stride": none.astype(np.uint32)},
            {"neighbor_start": lengths.astype(np.uint32), "neighbor": table[:, 0].copy(), "stride": table[:, 1].copy()},
        )
    chunks = -(-n * copies // CHUNK)
    begins = np.union1d(np.array(firsts) * copies, np.arange(chunks) * CHUNK)
    owners = [terms[begin // copies] for begin in begins]
    flat = [(offset * copies, stride) for own in owners for offset, stride in own]
    table = np.array(flat, dtype=np.int64)
    chunk_run = np.searchsorted(begins, np.arange(chunks + 1) * CHUNK)
    chunk_run[-1] = len(begins)
    none = np.zeros(0, dtype=np.uint32)
    return (
        {
            "chunk_run": chunk_run.astype(np.int64),
            "run_first": np.append(begins, n * copies).astype(np.int64),
            "run_term": np.cumsum([0, *map(len, owners)]).astype(np.int64),
            "term_offset": table[:, 0].copy(),
            "term_stride": table[:, 1].astype(np.uint32),
        },
        {"neighbor_start": none, "neighbor": none, "stride": none},
    )


def _counted(counts: Counts, n: int, copies: int) -> dict[str, Array]:
    agent = (counts.agent[:, None] * copies + np.arange(copies)).ravel()
    flat = [j * copies + b for hood in counts.neighbors for b in range(copies) for j in hood]
    lengths = np.repeat([*map(len, counts.neighbors)], copies)
    return {
        "counted_chunk": np.searchsorted(agent, np.arange(-(-n * copies // CHUNK) + 1) * CHUNK).astype(np.int64),
        "counted": agent.astype(np.int64),
        "counted_start": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "counted_neighbor": np.array(flat, dtype=np.uint32),
        "weight_at": np.repeat(counts.weight_at, copies).astype(np.int64),
        "weight": counts.weight.astype(np.int64),
        "number_at": np.repeat(counts.number_at, copies).astype(np.int64),
        "number": counts.number.astype(np.uint32),
    }


def _cumulative(distribution: Array) -> Array:
    cumulative = np.cumsum(distribution)
    cumulative[np.flatnonzero(distribution)[-1] :] = 1.0  # rounding must not open the door to impossible outcomes
    return cumulative
