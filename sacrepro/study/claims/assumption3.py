"""Assumption 3: the best σ for each τ, exactly, between a floor from local kernels and a ceiling from counting.

σ_i(τ) is the least probability of a cell of N_i^κ at time τ over all (s, a) at time 1; the lag is τ-1 and the
assumption's σ is min_i σ_i. ``floor`` and ``ceiling`` bound σ_i for the policy θ. ``floor, mixed`` replaces ζ by
(1-ε)ζ + ε/A with ε = `MIXING`; its floor does not depend on θ, so Assumption 3 holds for all such policies at once.
``later`` compares σ_i(τ) with σ_i at the next larger τ: a minimum over starts can only grow. On the relay σ = 0 always.

Skipped: models with more than `MOST_ENTRIES` probabilities of a joint state given a joint pair (s, a).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from sacrepro.bounds.critic import assumption3, assumption3_ceiling
from sacrepro.instances.relay import relay
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies, uniform_theta
from sacrepro.study.measures.decay import MOST_ENTRIES, best_sigma, entries, relative_error
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Variant

FLOOR, MIXED, CEILING, LATER = "floor", "floor, mixed", "ceiling", "later"


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
            sides = [(FLOOR, tau, floor, sigma[i, kappa, tau]) for tau in TAUS]
            sides += [(MIXED, tau, always, sigma_mixed[i, kappa, tau]) for tau in TAUS]
            sides += [(CEILING, tau, sigma[i, kappa, tau], ceiling) for tau in TAUS]
            sides += [(LATER, a, sigma[i, kappa, a], sigma[i, kappa, b]) for a, b in pairwise(TAUS)]
            for hypothesis, tau, left, right in sides:
                error = relative_error(mdp, tau) * max(left, right)
                yield from case.left(i, kappa, left, error, f"τ={tau}").against({hypothesis: right})


def one_for_all_policies() -> Iterator[Comparison]:
    """σ = 10^-k against the σ(τ) of a softmax policy with one logit of -k log 10, on a noisy relay of two."""
    mdp = relay(2, gamma=0.9, noise=0.5)
    for k in (2, 4, 8, 16):
        theta = tuple(np.array([[0.0, -k * np.log(10.0)]] * 2) for _ in range(2))
        yield from against_sigma(mdp, theta, "noisy relay", f"logit -{k} log 10", 10.0**-k)


def of_absorbing_dynamics() -> Iterator[Comparison]:
    """σ = 10^-k against the σ(τ) of the relay, whose source never changes: the uniform policy does not help."""
    mdp = relay(2, gamma=0.9)
    for k in (2, 4, 8, 16):
        yield from against_sigma(mdp, uniform_theta(mdp), "relay", "uniform", 10.0**-k)


def against_sigma(
    mdp: NetworkedMDP, theta: Sequence[Array], instance: str, policy: str, sigma: float
) -> Iterator[Comparison]:
    """A candidate σ against the best σ_0(τ) at κ = 0, for several τ."""
    best = best_sigma(mdp, policies(mdp, theta), (2, 3, 9))
    for tau in (2, 3, 9):
        right = best[0, 0, tau]
        error = relative_error(mdp, tau) * right
        yield Comparison(instance, policy, "", f"σ={sigma:g}, τ={tau}", 0, 0, sigma, right, error)


CLAIM = Claim(
    order=170, words="local exploration: what bounds σ from below and above",
    statement="Π_{N_i^κ} min P_j min ζ_j ≤ σ_i(τ) ≤ Π_{N_i^κ} max_s min_a ζ_j / S_j, and σ_i(τ) grows with τ",
    reference="Assumption 3", proof="assumption3", check=check,
    variants=(Variant(FLOOR), Variant(MIXED), Variant(CEILING), Variant(LATER)),
    drawing=Drawing("assumption3", r"$\sigma(\tau)$, least over policies and agents", {FLOOR: FLOOR}),
    attack=Attack(stream=11, built=("noisy relay",)),
    counterexamples=(
        Counterexample(
            "any policy",
            "one σ > 0 serves every softmax policy (σ = 10^{-k}, k = 2, 4, 8, 16; for any other see the ceiling's "
            "proof)",
            "Assumption 3, any fixed policy", "not satisfied by the softmax", one_for_all_policies,
        ),
        Counterexample("absorbing dynamics",
                       "some σ > 0 serves the uniform policy, whatever the kernels (here the least probability is 0)",
                       "Assumption 3", "fails without dynamics that mix", of_absorbing_dynamics),
    ),
)  # fmt: skip
