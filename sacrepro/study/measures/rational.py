"""TD's fixed point of a two-agent model without actions, κ = 0, by rational arithmetic: no rounding at all.

Kernels are given in decimals, so that every number of the witness can be checked with a pencil.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sacrepro.model.checks import Array

#: Digits after the point that the given probabilities have at most.
DECIMALS = 10**6


def td_hull(next_is_one: Sequence[Array], gamma: float) -> tuple[list[Fraction], Fraction]:
    """Q_0(s_0 = 1, s_1) for both s_1, and q*(s_0 = 1), for r_0 = s_0.

    next_is_one : P(s_i' = 1 | s_0, s_1) for i = 0, 1, decimals.
    """
    discount = decimal(gamma)
    states = [(s, t) for s in range(2) for t in range(2)]
    P = [[side(next_is_one[0], z, s) * side(next_is_one[1], z, t) for s, t in states] for z in states]
    rewards = [Fraction(s) for s, _ in states]
    Q = solve([[Fraction(x == y) - discount * P[x][y] for y in range(4)] for x in range(4)], rewards)
    # μ (P - I) = 0, with one equation replaced by Σ μ = 1.
    balance = [[P[x][y] - Fraction(x == y) for x in range(4)] for y in range(3)]
    mu = solve([*balance, [Fraction(1)] * 4], [Fraction(0)] * 3 + [Fraction(1)])
    M = [[Fraction(0)] * 2 for _ in range(2)]
    for x, (s, _) in enumerate(states):
        for y, (s_next, _) in enumerate(states):
            M[s][s_next] += mu[x] * P[x][y] / sum(mu[k] for k in range(4) if states[k][0] == s)
    q = solve([[Fraction(x == y) - discount * M[x][y] for y in range(2)] for x in range(2)], [Fraction(0), Fraction(1)])
    return [Q[2], Q[3]], q[1]


def decimal(x: float) -> Fraction:
    """The decimal number that a float was written as."""
    return Fraction(float(x)).limit_denominator(DECIMALS)


def side(one: Array, z: tuple[int, int], outcome: int) -> Fraction:
    """P(s_i' = outcome | z)."""
    p = decimal(one[z])
    return p if outcome else 1 - p


def solve(matrix: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction]:
    """The solution of a regular linear system, by elimination."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    for column in range(len(rows)):
        pivot = next(k for k in range(column, len(rows)) if rows[k][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for k in range(len(rows)):
            if k != column:
                factor = rows[k][column] / rows[column][column]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[column], strict=True)]
    return [rows[k][-1] / rows[k][k] for k in range(len(rows))]
