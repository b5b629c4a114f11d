"""Rigorous bounds on rounding errors, through products and sums of non-negative numbers.

A sum of products of non-negative floating point numbers, in any order of summation, has relative error at most
γ_k = k u / (1 - k u) if no entry goes through more than k roundings (Higham, Accuracy and Stability of Numerical
Algorithms, §3.1). Kernels are non-negative, so with a signed table x the error of a product is at most γ_k P|x|.
Underflow is not modelled: it would add multiples of 5e-324.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sacrepro.model.checks import Array

#: u, the unit roundoff of float64.
UNIT = 2.0**-53

#: Roundings charged to one call of exp; the vectorised library behind numpy states at most 4 units in the last place.
EXP_ROUNDINGS = 8


def gamma_k(k: float) -> float:
    """γ_k = k u / (1 - k u), slightly enlarged so that its own rounding cannot hurt."""
    return k * UNIT / (1.0 - k * UNIT) * (1.0 + 1e-9)


def policy_roundings(theta_i: Array) -> float:
    """How many roundings separate the computed ζ_i from the softmax of ``theta_i``, weighted by ζ_i; shape (S_i, A_i).

    With x = θ - max θ ≤ 0, exp inherits |x| roundings from its argument, but Σ_a ζ_a |x_a| ≤ Σ_a |x_a| e^{x_a} < A_i,
    and so does the normalising sum. The bound holds for sup-norm and 1-norm errors of products, not entry by entry.
    """
    return float(2 * EXP_ROUNDINGS + 2 * theta_i.shape[1] + 2)


def row_sum_range(kernels: Sequence[Array]) -> tuple[float, float]:
    """(least, largest) possible row sum of Π_j P_j, next states on the last axis of each kernel, rounding included."""
    low = high = 1.0
    for kernel in kernels:
        slack = gamma_k(kernel.shape[-1] + 2)
        totals = kernel.sum(axis=-1)
        low *= float(totals.min()) * (1.0 - slack)
        high *= float(totals.max()) * (1.0 + slack)
    return low, high


def normalising_roundings(kernels: Sequence[Array]) -> float:
    """Roundings between Π_j P_j as stored and with every row divided by its exact sum.

    Rows miss 1 by rounding, and a model is that of the divided rows: what is computed from stored ones holds for both.
    """
    misses = (float(np.abs(kernel.sum(axis=-1) - 1.0).max()) / UNIT + kernel.shape[-1] + 2 for kernel in kernels)
    return math.fsum(misses)


def averaging_roundings(theta: Sequence[Array]) -> float:
    """Roundings between Π_j P̄_j for the exact softmax of `theta` and for the computed averaged kernels."""
    return math.fsum(policy_roundings(theta_i) + theta_i.shape[1] + 1 for theta_i in theta)


def sup(table: Array) -> float:
    """max |table|, as a float; 0 for an empty table."""
    return max(float(table.max(initial=0.0)), -float(table.min(initial=0.0)))
