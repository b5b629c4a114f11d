"""The pointwise step of the factored product over large tables, compiled; `steps` decides when it is loaded."""

from __future__ import annotations

from sacrepro.model.checks import Array
from sacrepro.model.compiled import njit


@njit()
def forward(table: Array, kernel: Array, out: Array) -> None:
    """out(rows, new, U) = Σ_{s'} kernel(s', new, U) table(rows, s', U)."""
    rows, G, spread = table.shape
    new = kernel.shape[1]
    for r in range(rows):
        for e in range(new):
            target = out[r, e]
            x, k = table[r, 0], kernel[0, e]
            if G == 2:
                x1, k1 = table[r, 1], kernel[1, e]
                for u in range(spread):
                    target[u] = x[u] * k[u] + x1[u] * k1[u]
            else:
                for u in range(spread):
                    target[u] = x[u] * k[u]
                for g in range(1, G):
                    x, k = table[r, g], kernel[g, e]
                    for u in range(spread):
                        target[u] += x[u] * k[u]


@njit()
def adjoint(weights: Array, kernel: Array, out: Array) -> None:
    """out(rows, s', U) = Σ_new kernel(s', new, U) weights(rows, new, U)."""
    rows, new, spread = weights.shape
    G = kernel.shape[0]
    for r in range(rows):
        for g in range(G):
            target = out[r, g]
            y, k = weights[r, 0], kernel[g, 0]
            for u in range(spread):
                target[u] = y[u] * k[u]
            for e in range(1, new):
                y, k = weights[r, e], kernel[g, e]
                for u in range(spread):
                    target[u] += y[u] * k[u]


@njit()
def kernel_adjoint(table: Array, weights: Array, out: Array) -> None:
    """out(U, new, s') += Σ_rows table(rows, s', U) weights(rows, new, U)."""
    rows, G, spread = table.shape
    new = weights.shape[1]
    for r in range(rows):
        for g in range(G):
            for e in range(new):
                for u in range(spread):
                    out[u, e, g] += table[r, g, u] * weights[r, e, u]
