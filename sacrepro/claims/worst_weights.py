"""The worst weights of eq. (6) for Lemma 4, exactly: no family of weights can do more than these.

‖ĥ_i - ∇_{θ_i}J‖ is convex in the weights, so it is largest where every cell of every j ∈ N_i^κ takes the largest or the
smallest entry of Q_j. The score of i depends on (s_i, a_i) alone and its blocks for different s_i are orthogonal, so
which of the two is best depends on (s_i, a_i) alone, and each s_i is decided by itself: 2^{A_i} choices for each s_i.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from sacrepro.claims.comparison import Case
from sacrepro.exact.dense import q_function
from sacrepro.graph import neighborhood
from sacrepro.model import Array
from sacrepro.policy import policies, score
from sacrepro.truncation import outside_axes

#: The name of these weights among the families of `weights`.
WORST = "worst of all"


def worst_weights_errors(case: Case) -> dict[int, list[float]]:
    """sup over the weights of eq. (6) of ‖ĥ_i - ∇_{θ_i}J‖ for every agent i, keyed by κ."""
    mdp = case.mdp
    n = mdp.n
    zeta = policies(mdp, case.theta)
    kappas = sorted({kappa for i in range(n) for kappa in case.kappas(i)})
    ends = {(kappa, i): np.zeros((2, *mdp.r[i].shape)) for kappa in kappas for i in range(n)}
    for j in range(n):
        Q_j = q_function(mdp, case.V[j], j)
        for kappa in kappas:
            hood = neighborhood(mdp.graph, j, kappa)
            axes = outside_axes(hood, n)
            law = cell_law(case, zeta, hood)
            for end, extreme in enumerate((Q_j.min(axis=axes, keepdims=True), Q_j.max(axis=axes, keepdims=True))):
                weighted = law * extreme
                for i in hood:
                    others = tuple(axis for axis in range(2 * n) if axis % n != i)
                    ends[kappa, i][end] += weighted.sum(axis=others)
    return {
        kappa: [largest(ends[kappa, i] / (n * (1.0 - mdp.gamma)), score(zeta[i]), case.gradient[i]) for i in range(n)]
        for kappa in kappas
    }


def cell_law(case: Case, zeta: tuple[Array, ...], hood: tuple[int, ...]) -> Array:
    """π^θ × ζ^θ of the cells of `hood`, with length 1 on the axes outside."""
    n = case.mdp.n
    law = case.pi_theta.sum(axis=tuple(k for k in range(n) if k not in hood), keepdims=True)
    law = law.reshape(*law.shape, *(1,) * n)
    for k in hood:
        law = law * zeta[k].reshape([zeta[k].shape[axis // n] if axis % n == k else 1 for axis in range(2 * n)])
    return np.asarray(law)


def largest(ends: Array, scores: Array, gradient: Array) -> float:
    """√(Σ_s max over choices of an end for each action of ‖Σ_a ends(s,a) score(s,a) - ∇J(s)‖²)."""
    actions = ends.shape[2]
    squares = []
    for choice in product(range(2), repeat=actions):
        chosen = ends[list(choice), :, range(actions)].T
        squares.append(((np.einsum("sa,sab->sb", chosen, scores) - gradient) ** 2).sum(axis=1))
    return float(np.sqrt(np.max(squares, axis=0).sum()))
