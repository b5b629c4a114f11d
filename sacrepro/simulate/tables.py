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
from sacrepro.model.graph import segments
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.simulate.random_bits import SCALE, thresholds

#: Agents that are sampled together while their scratch stays in the first-level cache.
CHUNK = 512

#: Below this mean length runs do not pay, and neighbors are looked up one by one.
_SHORTEST_RUN = 8


class Counts(NamedTuple):
    """Agents whose row is number[number_at + Σ_j weight[weight_at + s_j]] entries further, j over their neighbors.

    agent : (m,) sorted.        begin : (m+1,) where those that each of them counts begin in `neighbor`.
    weight_at, number_at : (m,) where the weights of the states 0, 1, …, and the numbers, begin.
    """

    agent: Array
    begin: Array
    neighbor: Array
    weight_at: Array
    weight: Array
    number_at: Array
    number: Array


class Terms(NamedTuple):
    """For each agent the pairs (j - i, stride) of those that enter its row linearly, one after the other.

    begin : (n+1,) where those of each agent begin in `offset` and `stride`.
    """

    begin: Array
    offset: Array
    stride: Array


class Sampled(NamedTuple):
    """A model as sampling reads it: agent i's row begins at row[i] + a_i·max(S_i - 1, 1) + Σ_j s_j·stride, or `counts`.

    graph, state_sizes, action_sizes, gamma, r, pi0 : as in the model.
    row    : (n,) where agent i's kernel begins in `kernel`, thresholds of P_i(· | s_{N_i}, a_i), actions innermost.
    """

    graph: nx.Graph
    state_sizes: tuple[int, ...]
    action_sizes: tuple[int, ...]
    gamma: float
    r: tuple[Array, ...]
    pi0: tuple[Array, ...] | Array
    row: Array
    kernel: Array
    terms: Terms
    counts: Counts


def no_counts() -> Counts:
    """No agent."""
    none = np.zeros(0, dtype=np.int64)
    return Counts(none, np.zeros(1, dtype=np.int64), none, none, none, none, none)


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
    row, kernel = _shared(mdp.P)
    sizes = (mdp.graph, mdp.state_sizes, mdp.action_sizes, mdp.gamma)
    return Sampled(*sizes, mdp.r, mdp.pi0, row, kernel, _terms(mdp), no_counts())


def tables(model: Sampled, copies: int) -> Tables:
    """The tables of B = `copies` disjoint copies of the model."""
    n = len(model.r)
    S, A = np.array(model.state_sizes), np.array(model.action_sizes)
    joint = isinstance(model.pi0, np.ndarray)
    start_row, start = _shared([np.ones(1)] * n if joint else list(model.pi0))
    runs, by_agent = _runs(model.terms, copies)
    S, A = np.repeat(S, copies), np.repeat(A, copies)
    return Tables(
        copies=copies,
        S=S.astype(np.uint32),
        A=A.astype(np.uint32),
        most=int((S * A).max()),
        binary=bool((S == 2).all() and (A == 2).all()),
        pair=pair_starts(S, A),
        reward=flat(model.r, copies) + 0.0,  # -0.0 becomes 0.0
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


def flat(blocks: Sequence[Array], copies: int = 1) -> Array:
    """All blocks flat, each so many times; one that several agents share is taken once."""
    different = {id(block): block for block in blocks}
    place = {key: k for k, key in enumerate(different)}
    which = np.fromiter((place[id(block)] for block in blocks), dtype=np.int64, count=len(blocks))
    own = [block.ravel() for block in different.values()]
    return np.concatenate(own)[segments(np.cumsum([0, *map(len, own)]), np.repeat(which, copies))[1]]


def _shared(distributions: Sequence[Array]) -> tuple[Array, Array]:
    """Where the thresholds of each table begin, and those of all one after another; equal ones are stored once."""
    different = {id(table): table for table in distributions}
    known: dict[bytes, int] = {}
    where: dict[int, int] = {}
    kept: list[Array] = []
    used = 0
    for key, piece in zip(different, _rows(list(different.values())), strict=True):
        if piece.tobytes() not in known:
            known[piece.tobytes()] = used
            kept.append(piece)
            used += len(piece)
        where[key] = known[piece.tobytes()]
    if used >= 1 << 32:
        raise ValueError(f"the model has {used} different kernel entries; at most 2^32 - 1 are supported")
    return np.array([where[id(table)] for table in distributions], dtype=np.uint32), np.concatenate(kept)


def _rows(tables: Sequence[Array]) -> list[Array]:
    """The thresholds of each table of distributions, flat, with at least one a row: an only outcome gets one that no
    draw reaches. Tables of one shape are taken together."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for k, table in enumerate(tables):
        alike.setdefault(table.shape, []).append(k)
    rows: dict[int, Array] = {}
    for shape, members in alike.items():
        if shape[-1] == 1:
            flat = np.full((len(members), int(np.prod(shape))), SCALE, dtype=np.uint32)
        else:
            flat = thresholds(np.stack([tables[k] for k in members])).reshape(len(members), -1)
        rows.update(zip(members, flat, strict=True))
    return [rows[k] for k in range(len(tables))]


def _terms(mdp: NetworkedMDP | CountedMDP) -> Terms:
    """`Sampled.terms`: s_j·stride is j's part of the row's position; the rows of these kernels are linear."""
    known: dict[int, tuple[int, ...]] = {}
    begin, offset, stride = [0], list[int](), list[int]()
    for i, (kernel, hood) in enumerate(zip(mdp.kernels, mdp.neighbors, strict=True)):
        if id(kernel) not in known:
            strides, width = kernel.strides(), max(kernel.S - 1, 1)
            assert strides is not None, "rows of tables and of sums are linear"
            known[id(kernel)] = tuple(width * weight for weight in reversed(strides[0]))
        offset += [j - i for j in reversed(hood)]
        stride += known[id(kernel)]
        begin.append(len(offset))
    return Terms(*(np.array(part, dtype=np.int64) for part in (begin, offset, stride)))


def _runs(terms: Terms, copies: int) -> tuple[dict[str, Array], dict[str, Array]]:
    n, none, nothing = len(terms.begin) - 1, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)
    firsts = np.flatnonzero(_news(terms))
    if n * copies < _SHORTEST_RUN * len(firsts):
        starts, entries = segments(terms.begin, np.repeat(np.arange(n), copies))
        agent = np.repeat(np.arange(n * copies), np.diff(starts))
        return (
            dict.fromkeys(("chunk_run", "run_first", "run_term", "term_offset"), none) | {"term_stride": nothing},
            {
                "neighbor_start": starts.astype(np.uint32),
                "neighbor": (agent + terms.offset[entries] * copies).astype(np.uint32),
                "stride": terms.stride[entries].astype(np.uint32),
            },
        )
    chunks = -(-n * copies // CHUNK)
    begins = np.union1d(firsts * copies, np.arange(chunks) * CHUNK)
    starts, entries = segments(terms.begin, begins // copies)
    chunk_run = np.searchsorted(begins, np.arange(chunks + 1) * CHUNK)
    chunk_run[-1] = len(begins)
    return (
        {
            "chunk_run": chunk_run.astype(np.int64),
            "run_first": np.append(begins, n * copies).astype(np.int64),
            "run_term": starts,
            "term_offset": terms.offset[entries] * copies,
            "term_stride": terms.stride[entries].astype(np.uint32),
        },
        {"neighbor_start": nothing, "neighbor": nothing, "stride": nothing},
    )


def _news(terms: Terms) -> Array:
    """Whether the terms of each agent are others than those of the one before; (n,), true for the first."""
    begin, offset, stride = terms
    lengths = np.diff(begin)
    before = np.arange(len(offset)) - np.repeat(lengths, lengths)  # where the terms of equally many begin
    differing = np.cumsum((offset != offset[before]) | (stride != stride[before]))
    new = np.diff(np.append(0, differing)[begin]) > 0
    new[1:] |= lengths[1:] != lengths[:-1]
    new[:1] = True
    return new


def _counted(counts: Counts, n: int, copies: int) -> dict[str, Array]:
    m = len(counts.agent)
    agent = (counts.agent[:, None] * copies + np.arange(copies)).ravel()
    starts, entries = segments(counts.begin, np.repeat(np.arange(m), copies))
    own = np.repeat(np.tile(np.arange(copies), m), np.diff(starts))
    return {
        "counted_chunk": np.searchsorted(agent, np.arange(-(-n * copies // CHUNK) + 1) * CHUNK).astype(np.int64),
        "counted": agent.astype(np.int64),
        "counted_start": starts,
        "counted_neighbor": (counts.neighbor[entries] * copies + own).astype(np.uint32),
        "weight_at": np.repeat(counts.weight_at, copies).astype(np.int64),
        "weight": counts.weight.astype(np.int64),
        "number_at": np.repeat(counts.number_at, copies).astype(np.int64),
        "number": counts.number.astype(np.uint32),
    }


def _cumulative(distribution: Array) -> Array:
    cumulative = np.cumsum(distribution)
    cumulative[np.flatnonzero(distribution)[-1] :] = 1.0  # rounding must not open the door to impossible outcomes
    return cumulative
