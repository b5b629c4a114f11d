"""BiCGSTAB as the solvers of slow chains use it: a correction that helps, or none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sacrepro.model import Array

#: Up to this many joint states a chain that BiCGSTAB does not help is solved as a dense linear system.
LARGEST_DENSE = 1 << 11


def halving_correction(product: Callable[[Array], Array], right: Array, goal: float, steps: int) -> Array | None:
    """x with product(x) close to `right`, both of shape (entries,), by `steps` of BiCGSTAB at most.

    None unless x at least halves the residual in 2-norm or brings it below `goal`: BiCGSTAB may break down or diverge.
    """
    from scipy.sparse.linalg import LinearOperator, bicgstab

    linear = LinearOperator((right.size, right.size), matvec=product, dtype=np.float64)
    # An x that diverged shows by numbers that are not finite, which compare as False.
    with np.errstate(all="ignore"):
        x, _ = bicgstab(linear, right, rtol=0.0, atol=goal, maxiter=steps)
        helped = np.linalg.norm(right - product(x)) <= max(0.5 * float(np.linalg.norm(right)), goal)
    return np.asarray(x) if helped else None
