"""The pointwise step of the factored product: one agent's next state is summed out, its kernel spread over U.

Small tables go through numpy, which needs no compiler; large ones through `compiled`, loaded on first use. The choice
depends on the sizes only, so results do not depend on what ran before.
"""

from __future__ import annotations

import numpy as np

from sacrepro.model.checks import Array

#: Multiply-adds of one step from which the compiled pass is worth loading a compiler.
COMPILED = 1 << 18


def pointwise(table: Array, kernel: Array, out: Array) -> None:
    """out(rows, new, U) = Σ_{s'} kernel(s', new, U) table(rows, s', U)."""
    if out.size * len(kernel) < COMPILED:
        np.einsum("rgu,geu->reu", table, kernel, out=out)
        return
    from sacrepro.exact.product.compiled import forward

    forward(table, kernel, out)


def pointwise_adjoint(weights: Array, kernel: Array, out: Array) -> None:
    """out(rows, s', U) = Σ_new kernel(s', new, U) weights(rows, new, U)."""
    if out.size * kernel.shape[1] < COMPILED:
        np.einsum("reu,geu->rgu", weights, kernel, out=out)
        return
    from sacrepro.exact.product.compiled import adjoint

    adjoint(weights, kernel, out)


def pointwise_kernel(table: Array, weights: Array, out: Array) -> None:
    """out(U, new, s') += Σ_rows table(rows, s', U) weights(rows, new, U)."""
    if table.size * weights.shape[1] < COMPILED:
        out += np.einsum("rgu,reu->ueg", table, weights)
        return
    from sacrepro.exact.product.compiled import kernel_adjoint

    kernel_adjoint(table, weights, out)
