"""Mistakes that are planted on purpose: their names, and what they make of comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np

from sacrepro.exact.dense import oscillation, q_function
from sacrepro.instances.relay import relay
from sacrepro.study.record.case import Case, uniform_case
from sacrepro.study.record.claim import Change, Plant, Rows
from sacrepro.study.record.comparison import Comparison

EXPONENT, FACTOR, SWAP = "κ+2 for κ+1", "1/(1-γ) left out", "γ and ρ swapped"
SCORES, ONE_SIDED, WEIGHTS = "L_i too small", "one-sided neighborhoods", "weights sum to 1.1"
#: In the order in which they are tabulated.
MISTAKES = (EXPONENT, FACTOR, SWAP, SCORES, ONE_SIDED, WEIGHTS)

#: The finding of a counterexample to a sentence of the paper.
FALSE = "false as written"

#: Noise of the forgetful specimens: ρ = .7γ.
NOISE = 0.3

#: γ of the tally, so near 1 that √(1-γ) makes up for the constants of the bounds it breaks.
TALLY = 0.998

#: γ of the mirage, which keeps an eighth of a bound at most.
MIRAGE = 0.95

#: Total of the weights that break eq. (6), and the part of L_i that is left.
TOTAL, SHARE = 1.1, 1.0 / 20.0


def times(factor: float) -> Change:
    """The right side multiplied."""
    return lambda row: row._replace(right=row.right * factor)


def planted(mistake: str, on: str | Rows, change: Change, *variants: str) -> tuple[Plant, ...]:
    """A mistake that changes comparisons one by one, in each of these variants; in the only one by default."""
    return tuple(Plant(mistake, variant, on, change) for variant in variants or ("",))


def planted_one_sided(check: Callable[[Case], Iterator[Comparison]], *variants: str) -> tuple[Plant, ...]:
    """A claim about D_i(κ), given D over cells that look one way."""
    return tuple(
        Plant(ONE_SIDED, variant, "relay", rows=partial(looking_one_way, check, variant)) for variant in variants
    )


def looking_one_way(check: Callable[[Case], Iterator[Comparison]], variant: str) -> list[Comparison]:
    """The comparisons of one variant on `one_sided_relay`."""
    return [row for row in check(one_sided_relay()) if row.hypothesis == variant]


@cache
def one_sided_relay() -> Case:
    """The relay with D over cells {i, …, i+κ}, away from where the bit comes from."""
    known = uniform_case("relay", relay(4, gamma=0.9))
    D = np.zeros_like(known.D)
    for i in range(known.mdp.n):
        Q_i = q_function(known.mdp, known.V[i], i)
        for kappa in range(D.shape[1]):
            D[i, kappa] = oscillation(Q_i, tuple(range(i, min(i + kappa, known.mdp.n - 1) + 1))).max()
    return dataclasses.replace(known, D=D)
