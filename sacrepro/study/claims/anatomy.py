"""Anatomy of Lemma 4: its slack right/left as a product of factors, one for each coarse step of its proof.

Each comparison is one step: `right` is the bound before it, `left` after it, and the steps telescope from Lemma 4's
right side to ‖ĥ_i - ∇_{θ_i}J‖. So left/right ≤ 1 says that the step is sound, 1 that it costs nothing, and the product
over the steps is exactly the ratio of `lemma4`. `anatomies` takes the others apart.
With ε_j = Q̂_j - Q_j for j ∈ N_i^κ, and for other j the middle of the
range of Q_j over a_i less Q_j, the last four steps are

    ‖score‖ mean_j D_j ≥ ‖score‖ mean_j max|ε_j| ≥ ‖score‖ mean_j E|ε_j| ≥ E‖mean_j ε_j score‖ ≥ ‖E mean_j ε_j score‖,

each over 1-γ, which costs nothing: it normalises π^θ. Skipped: models with more than `MOST_ENTRIES` pairs (s, a).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from sacrepro.bounds.gradient import STEPS, anatomy
from sacrepro.exact.truncation import cell_law
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import SCORE_BOUND, policies, score, score_norm
from sacrepro.study.measures.proof_steps import CHAINS, anatomies
from sacrepro.study.measures.truncation import truncated_q_functions
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.case import COMPARED
from sacrepro.study.record.claim import EXPONENT, FACTOR, SCORES, SHARE, planted, times

#: Joint pairs (s, a) up to which a model is taken apart.
MOST_ENTRIES = 2**16

#: The weight families that are taken apart: the algorithm's own, a neutral one, and the worst.
FAMILIES = ("natural", "uniform", "opposed")


def check(case: Case) -> Iterator[Comparison]:
    """One comparison for each step of Lemma 4, agent, κ and weight family, then for each step of the other chains."""
    mdp = case.mdp
    n, zeta = mdp.n, policies(case.mdp, case.theta)
    if float(np.prod([float(r_i.size) for r_i in mdp.r])) > MOST_ENTRIES:
        return
    case.demand_tables(COMPARED + n)
    law = cell_law(case.pi_theta, zeta, range(n))
    Q = [case.Q(j) for j in range(n)]
    error = 2.0 * case.gradient_error + 2.0 * SCORE_BOUND * case.D_error / (1.0 - mdp.gamma)
    span = max(float(r_j.max() - r_j.min()) for r_j in mdp.r)
    truncated = {key: tables for key, tables in truncated_q_functions(case).items() if key[1] in FAMILIES}
    for (kappa, family), Q_hat in truncated.items():
        inside = [Q_hat[j] - Q[j] for j in range(n)]
        for i in range(n):
            hood = neighborhood(mdp.graph, i, kappa)
            epsilon = [inside[j] if j in hood else centred(Q[j], n + i) for j in range(n)]
            norm = score_norm(zeta[i])
            values = [
                *anatomy(
                    mdp.r_bar, span, [float(D_j) for D_j in case.D[:, kappa]], SCORE_BOUND, norm, mdp.gamma, kappa
                ),
                *measured(law, epsilon, zeta[i], i, norm, mdp.gamma),
            ]
            for step, (right, left) in zip(STEPS, pairwise(values), strict=True):
                yield from case.left(i, kappa, left, error, family).against({step: right})
    yield from anatomies(case, Q, truncated)


def measured(
    law: Array, epsilon: list[Array], zeta_i: Array, i: int, norm: float, gamma: float
) -> tuple[float, float, float, float]:
    """What is left after each of the last four steps, for the errors ε_j of all agents under the law of (s, a)."""
    n = len(epsilon)
    factor = norm / (n * (1.0 - gamma))
    others = tuple(axis for axis in range(2 * n) if axis not in (i, n + i))
    largest = sum(float(np.abs(e).max()) for e in epsilon)
    mean = sum(float((law * np.abs(e)).sum()) for e in epsilon)
    together = np.add.reduce([np.broadcast_to(e, law.shape) for e in epsilon])
    scores = score(zeta_i)
    by_pair = (law * np.abs(together)).sum(axis=others)
    absolute = float((by_pair * np.linalg.norm(scores, axis=2)).sum()) / (n * (1.0 - gamma))
    block = np.einsum("sa,sab->sb", (law * together).sum(axis=others), scores) / (n * (1.0 - gamma))
    return factor * largest, factor * mean, absolute, float(np.linalg.norm(block))


def centred(Q_j: Array, axis: int) -> Array:
    """The middle of Q_j's range along one axis less Q_j: half the oscillation at most; same mean score as -Q_j."""
    return 0.5 * (Q_j.max(axis=axis, keepdims=True) + Q_j.min(axis=axis, keepdims=True)) - Q_j


LEMMA3_STEP, SCORE_STEP = "1/(1-γ) of Lemma 3, sup over policies", "L_i for the score norm"

CLAIM = Claim(
    order=130, words="each step of the proofs is sound; how much it gives away",
    statement=(
        "every step of the proofs is sound; left/right is what a step keeps, the product is the inequality's ratio"
    ),
    reference="Lemmas 3 and 4, eqs. (5), (7), (9)", proof="anatomy", check=check, shares="tables",
    variants=(*map(Variant, STEPS),
              *(Variant(f"{inequality}: {step}") for inequality, steps in CHAINS.items() for step in steps)),
    drawing=Drawing("anatomy", "factor that a step costs; their product is right/left of the inequality"),
    attack="single steps of inequalities that are attacked",
    plants=(*planted(EXPONENT, "broadcast .1", times(0.1), LEMMA3_STEP),
            *planted(FACTOR, "broadcast .9", times(0.1), LEMMA3_STEP),
            *planted(SCORES, "broadcast .9", times(SHARE), SCORE_STEP)),
)  # fmt: skip
