"""Where the bounds say something: a right side above what holds without any κ is written as ∞ and constrains nothing.

``(9)`` and ``(9), sharp bias`` are ε_κ, the second term of (9), as printed and as in `critic_sharp`; the trivial bound
is the square of ‖∇J‖ ≤ L r̄/(1-γ)², and the left side what ε_κ stands for at this θ: 2 ‖∇J‖ ‖ĥ - ∇J‖. ``Lemma 4`` is
compared for each agent; there the trivial bound is that of `steepest_for_agent`, the error of the estimate 0.
ĥ has natural weights. `case` says from which κ on the bound is below the trivial one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from sacrepro.bounds.critic_sharp import theorem5_bias, theorem5_bias_sharp
from sacrepro.bounds.lemma3 import lemma3
from sacrepro.bounds.lemma4 import lemma4
from sacrepro.bounds.vacuity import least_kappa, steepest, steepest_for_agent
from sacrepro.claims.comparison import Case, Comparison
from sacrepro.exact import natural_truncated_gradient
from sacrepro.graph import sphere_sizes
from sacrepro.model import NetworkedMDP
from sacrepro.policy import SCORE_BOUND

STATEMENT = (
    "the bias at this θ is below ε_κ of (9) where ε_κ is below L²r̄²/(1-γ)⁴, and below Lemma 4's bound where "
    "that is below one on ‖∇_{θ_i}J‖; κ under the diameter"
)
REFERENCE = "Lemma 4; Theorem 5, eq. (9)"

#: Accuracy of V and π^θ behind ĥ.
TOLERANCE = 1e-10


def check(case: Case) -> Iterator[Comparison]:
    """Measured biases against the bounds on them, with ∞ for a bound that says nothing."""
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
            bound, label = informative(epsilon, kappa, trivial)
            slack = 2.0 * together * (norm + miss + together)
            yield Comparison(case.instance, case.policy, hypothesis, label, 0, kappa, 2.0 * norm * miss, bound, slack)
        for i, (epsilon, trivial) in enumerate(agents(mdp)):
            bound, label = informative(epsilon, kappa, trivial)
            yield Comparison(case.instance, case.policy, "Lemma 4", label, i, kappa, misses[i], bound, error)


def informative(bound: Callable[[int], float], kappa: int, trivial: float) -> tuple[float, str]:
    """(bound(κ) or ∞ where it is not below `trivial`, the κ from which on it is)."""
    if not trivial > 0.0:
        return math.inf, "never"
    return bound(kappa) if bound(kappa) < trivial else math.inf, f"from κ={least_kappa(bound, trivial)}"


def biases(mdp: NetworkedMDP) -> Iterator[tuple[str, Callable[[int], float], float]]:
    """(reading, κ ↦ ε_κ, trivial bound) for (9) as printed and sharpened."""
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    L = SCORE_BOUND * math.sqrt(mdp.n)
    trivial = steepest(L, mdp.r_bar, mdp.gamma) ** 2
    yield "(9)", lambda kappa: theorem5_bias(c, rho, kappa, L, mdp.r_bar, mdp.gamma), trivial
    yield "(9), sharp bias", lambda kappa: theorem5_bias_sharp(kappa, L, mdp.r_bar, mdp.gamma), trivial


def agents(mdp: NetworkedMDP) -> Iterator[tuple[Callable[[int], float], float]]:
    """(κ ↦ Lemma 4's bound, trivial bound) for each agent."""
    c, rho = lemma3(mdp.r_bar, mdp.gamma)
    for i in range(mdp.n):
        bound = partial(lemma4, c, rho, L_i=SCORE_BOUND, gamma=mdp.gamma)
        yield bound, steepest_for_agent(sphere_sizes(mdp.graph, i), mdp.n, SCORE_BOUND, mdp.r_bar, mdp.gamma)
