"""Where the bounds say something: each right side beside a trivial bound, which holds without any κ.

``ε_κ of (9)`` and ``ε_κ, sharp bias`` are the second term of (9), as printed and as in `critic_sharp`; the trivial
bound is the square of ‖∇J‖ ≤ L r̄/(1-γ)², and the left side what ε_κ stands for at this θ: 2 ‖∇J‖ ‖ĥ - ∇J‖.
``ε_κ, influence`` is ε_κ with the (c, ρ) = (r̄/(1-γμ), γμ) that the row sums μ of the influence matrix certify for every
policy, where γμ < 1. ``squared bias`` is the term of `theorem5_sharp`, ‖ĥ - ∇J‖², against its bound for every policy
and n. ``Lemma 4`` is compared for each agent; there the trivial bound is that of `steepest_for_agent`, the error of the
estimate 0.
These trivial bounds are what the paper's own steps give. Each variant with ``sharper ‖∇J‖`` has one that is proved here
in its place: `gradient_norm`, and for an agent `natural_weights_error` at κ = -1.
ĥ has natural weights. `case` says from which κ on the bound is below the trivial one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from sacrepro.bounds.critic import theorem5_bias, theorem5_bias_sharp
from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.bounds.gradient import lemma4, lemma4_vector, natural_weights_error
from sacrepro.bounds.influence import influence_matrix
from sacrepro.bounds.theorem5 import gradient_norm, least_kappa, steepest, steepest_for_agent
from sacrepro.exact.values import natural_truncated_gradient
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import SCORE_BOUND
from sacrepro.study.record import Case, Claim, Comparison, Drawing, Variant
from sacrepro.study.record.claim import EXPONENT

#: What a variant is called whose trivial bound is the sharpest that is proved here.
SHARPER = ", sharper ‖∇J‖"

NINE, INFLUENCE, SHARP, LEMMA4 = "ε_κ of (9)", "ε_κ, influence", "ε_κ, sharp bias", "Lemma 4"

#: The variant whose left side is ‖ĥ - ∇J‖².
SQUARED = "squared bias"

#: Accuracy of V and π^θ behind ĥ.
TOLERANCE = 1e-10


def check(case: Case) -> Iterator[Comparison]:
    """Measured biases against the bounds on them and against the trivial ones."""
    mdp = case.mdp
    kappas = sorted({kappa for i in range(mdp.n) for kappa in case.kappas(i)})
    norm = float(np.sqrt(sum(np.sum(block**2) for block in case.gradient)))
    values = TOLERANCE * (1.0 + mdp.r_bar / (1.0 - mdp.gamma))
    error = case.gradient_error + SCORE_BOUND * values / (1.0 - mdp.gamma)
    together = error * math.sqrt(mdp.n)
    for kappa in kappas:
        h_hat = natural_truncated_gradient(mdp, case.theta, kappa, TOLERANCE)
        misses = [float(np.linalg.norm(h - g)) for h, g in zip(h_hat, case.gradient, strict=True)]
        miss = float(np.linalg.norm(misses))
        for hypothesis, epsilon, trivial in biases(mdp):
            slack = 2.0 * together * (norm + miss + together)
            left = miss**2 if hypothesis.startswith(SQUARED) else 2.0 * norm * miss
            found = case.left(0, kappa, left, slack, informative(epsilon, trivial), trivial)
            yield from found.against({hypothesis: epsilon(kappa)})
        for i, hypothesis, epsilon, trivial in agents(mdp):
            found = case.left(i, kappa, misses[i], error, informative(epsilon, trivial), trivial)
            yield from found.against({hypothesis: epsilon(kappa)})


def informative(bound: Callable[[int], float], trivial: float) -> str:
    """The κ from which on the bound is below `trivial`, in words."""
    return f"from κ={least_kappa(bound, trivial)}" if trivial > 0.0 else "never"


def biases(mdp: NetworkedMDP) -> Iterator[tuple[str, Callable[[int], float], float]]:
    """(variant, κ ↦ its bias, trivial bound) for (9) as printed and sharpened, beside both trivial bounds."""
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    mu = float(influence_matrix(mdp).sum(axis=1).max())
    L = SCORE_BOUND * math.sqrt(mdp.n)
    steep, sharper = steepest(L, mdp.r_bar, mdp.gamma), gradient_norm(mdp.r_bar, mdp.gamma)
    for mark, trivial in (("", steep**2), (SHARPER, sharper**2)):
        yield f"{NINE}{mark}", lambda kappa: theorem5_bias(c, rho, kappa, L, mdp.r_bar, mdp.gamma), trivial
        if 0.0 < mdp.gamma * mu < 1.0:
            own = partial(theorem5_bias, mdp.r_bar / (1.0 - mdp.gamma * mu), mdp.gamma * mu)
            yield f"{INFLUENCE}{mark}", partial(own, L=L, r_bar=mdp.r_bar, gamma=mdp.gamma), trivial
        yield f"{SHARP}{mark}", lambda kappa: theorem5_bias_sharp(kappa, L, mdp.r_bar, mdp.gamma), trivial
        yield f"{SQUARED}{mark}", lambda kappa: lemma4_vector([definition2(c, rho, kappa)], mdp.gamma) ** 2, trivial


def agents(mdp: NetworkedMDP) -> Iterator[tuple[int, str, Callable[[int], float], float]]:
    """(agent, variant, κ ↦ Lemma 4's bound, trivial bound) for each agent, beside both trivial bounds."""
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    bound = partial(lemma4, c, rho, L_i=SCORE_BOUND, gamma=mdp.gamma)
    for i in range(mdp.n):
        spheres = sphere_sizes(mdp.graph, i)
        yield i, LEMMA4, bound, steepest_for_agent(spheres, mdp.n, SCORE_BOUND, mdp.r_bar, mdp.gamma)
        yield i, f"{LEMMA4}{SHARPER}", bound, natural_weights_error(spheres, -1, mdp.n, mdp.gamma, mdp.r_bar)


EVERY = (NINE, INFLUENCE, SHARP, SQUARED, LEMMA4)

CLAIM = Claim(
    order=210, words="from which κ on the guarantees are below the trivial bound",
    statement=(
        "the bias at this θ is below ε_κ of (9) where ε_κ is below a bound on ‖∇J‖², L²r̄²/(1-γ)⁴ or r̄²/(8(1-γ)³), and "
        "below Lemma 4's bound where that is below one on ‖∇_{θ_i}J‖; κ under the diameter"
    ),
    reference="Lemma 4; Theorem 5, eq. (9)", proof="vacuity", check=check, shares="tables",
    variants=tuple(Variant(f"{name}{mark}") for mark in ("", SHARPER) for name in EVERY),
    drawing=Drawing("vacuity", r"$\kappa$; within the bar: the bound says something here",
                    {f"{name}{mark}": name for mark in ("", SHARPER) for name in EVERY}),
    attack="hardly ever below its trivial bound",
    hidden={EXPONENT: "natural weights obey κ+2 themselves: lemma4_sharp (d) starts at γ^{κ+2}"},
)  # fmt: skip
