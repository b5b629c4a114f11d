"""The model as the compiled sampling loop reads it: thresholds, strides and runs of alike agents.

Several seeds are sampled as one network of B·n agents, B disjoint copies of the model: copy b of agent i is the agent
i·B + b. A *run* is a range of agents whose neighbors lie at the same offsets with the same strides, so that s_{N_i} is
read without looking indices up; every agent's copies are a run, and so is the inside of a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.counted import CountedMDP
from sacrepro.model import Array, NetworkedMDP
from sacrepro.simulate.words import SCALE, thresholds

#: Agents that are sampled together while their scratch stays in the first-level cache.
CHUNK = 512

#: Below this mean length runs do not pay, and neighbors are looked up one by one.
_SHORTEST_RUN = 8


class Tables(NamedTuple):
    """What `rollout` reads; opaque to everyone else. Agents are those of the B·n-agent network.

    copies   : B.
    S, A     : (B·n,) state and action counts.                       binary : whether all of them are 2.
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
    start_row, start : thresholds of the marginals of π_0, and where agent i's begin.
    joint    : cumulative joint π_0 in row-major order, or empty when π_0 is given by marginals.
    """

    copies: int
    S: Array
    A: Array
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
    start_row: Array
    start: Array
    joint: Array


def pair_starts(state_sizes: Sequence[int] | Array, action_sizes: Sequence[int] | Array) -> Array:
    """(n+1,) where the block (S_i, A_i) of agent i begins in an array that holds all blocks flat."""
    return np.concatenate([[0], np.cumsum(np.multiply(state_sizes, action_sizes, dtype=np.int64))])


def tables(mdp: NetworkedMDP | CountedMDP, copies: int) -> Tables:
    """The tables of B = `copies` disjoint copies of the model. Raises ValueError if they have 2^32 or more entries."""
    S, A = np.array(mdp.state_sizes), np.array(mdp.action_sizes)
    row, kernel = _shared(_rows(mdp.P))
    terms = _terms(mdp)
    joint = isinstance(mdp.pi0, np.ndarray)
    start_row, start = _shared(_rows([np.ones(1)] * mdp.n if joint else list(mdp.pi0)))
    runs, by_agent = _runs(terms, copies)
    S, A = np.repeat(S, copies), np.repeat(A, copies)
    return Tables(
        copies=copies,
        S=S.astype(np.uint32),
        A=A.astype(np.uint32),
        binary=bool((S == 2).all() and (A == 2).all()),
        pair=pair_starts(S, A),
        reward=np.concatenate([r_i.ravel() for r_i in mdp.r for _ in range(copies)]) + 0.0,  # -0.0 becomes 0.0
        row=np.repeat(row, copies),
        width=np.maximum(S - 1, 1).astype(np.uint32),
        kernel=kernel,
        top=np.minimum(kernel >> 23, 255).astype(np.uint8),
        **runs,
        **by_agent,
        start_row=np.repeat(start_row, copies),
        start=start,
        joint=_cumulative(np.ravel(mdp.pi0)) if joint else np.empty(0),
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
    """For each agent the pairs (j - i, stride) of its neighbors j: s_j·stride is j's part of the row's position.

    Where kernels depend on a sum, all neighbors but i itself have the same stride.
    """
    terms = []
    for i, hood in enumerate(mdp.neighbors):
        step = mdp.action_sizes[i] * max(mdp.state_sizes[i] - 1, 1)
        if isinstance(mdp, CountedMDP):
            terms.append(tuple((j - i, step * (mdp.P[i].shape[1] if j == i else 1)) for j in reversed(hood)))
            continue
        own = []
        for j in reversed(hood):
            own.append((j - i, step))
            step *= mdp.state_sizes[j]
        terms.append(tuple(own))
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


def _cumulative(distribution: Array) -> Array:
    cumulative = np.cumsum(distribution)
    cumulative[np.flatnonzero(distribution)[-1] :] = 1.0  # rounding must not open the door to impossible outcomes
    return cumulative
