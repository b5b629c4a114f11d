"""Assumption 3: the best σ for each τ, exactly, between a floor from local kernels and a ceiling from counting.

σ_i(τ) is the least probability of a cell of N_i^κ at time τ over all (s, a) at time 1; the lag is τ-1 and the
assumption's σ is min_i σ_i. ``floor`` and ``ceiling`` bound σ_i for the policy θ. ``floor, mixed`` replaces ζ by
(1-ε)ζ + ε/A with ε = `MIXING`; its floor does not depend on θ, so Assumption 3 holds for all such policies at once.
``later`` compares σ_i(τ) with σ_i at the next larger τ: a minimum over starts can only grow. On the relay σ = 0 always.

Skipped: models with more than `MOST_ENTRIES` probabilities of a joint state given a joint pair (s, a).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sacrepro.bounds.critic import assumption3, assumption3_ceiling
from sacrepro.model.graph import neighborhood
from sacrepro.model.policy import policies
from sacrepro.study.measures.exploration import MOST_ENTRIES, best_sigma, entries, relative_error
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison

STATEMENT = "Π_{N_i^κ} min P_j min ζ_j ≤ σ_i(τ) ≤ Π_{N_i^κ} max_s min_a ζ_j / S_j, and σ_i(τ) grows with τ"

REFERENCE = "Assumption 3"

#: Times τ at which σ is computed; τ = 1 is the start itself.
TAUS = (2, 3, 5, 9)

#: ε of the mixed policies.
MIXING = 0.1


def check(case: Case) -> Iterator[Comparison]:
    """The floor, the ceiling and the growth of σ_i(τ) for each agent, κ and τ."""
    mdp = case.mdp
    if entries(mdp) > MOST_ENTRIES:
        return
    zeta = policies(mdp, case.theta)
    mixed = tuple((1.0 - MIXING) * zeta_i + MIXING / zeta_i.shape[1] for zeta_i in zeta)
    sigma, sigma_mixed = best_sigma(mdp, zeta, TAUS), best_sigma(mdp, mixed, TAUS)
    for i in range(mdp.n):
        for kappa in range(case.D.shape[1]):
            hood = neighborhood(mdp.graph, i, kappa)
            kernels = [mdp.P[j] for j in hood]
            floor = assumption3(kernels, [float(zeta[j].min()) for j in hood])
            always = assumption3(kernels, [MIXING / mdp.action_sizes[j] for j in hood])
            ceiling = assumption3_ceiling([zeta[j] for j in hood])
            sides = [("floor", tau, floor, sigma[i, kappa, tau]) for tau in TAUS]
            sides += [("floor, mixed", tau, always, sigma_mixed[i, kappa, tau]) for tau in TAUS]
            sides += [("ceiling", tau, sigma[i, kappa, tau], ceiling) for tau in TAUS]
            sides += [("later", a, sigma[i, kappa, a], sigma[i, kappa, b]) for a, b in pairwise(TAUS)]
            for hypothesis, tau, left, right in sides:
                error = relative_error(mdp, tau) * max(left, right)
                yield Comparison(case.instance, case.policy, hypothesis, f"τ={tau}", i, kappa, left, right, error)
