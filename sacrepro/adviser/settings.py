"""What Algorithm 1 is to be run with: h, t0, η, M and T where they are not given, each with its reason in words.

Theorem 5's own conditions ask for more than a run can pay (T of 10^6 and more, η below 1/(4L')): what is taken from it
is the shape of the critic's steps, t0 ≥ 2h, and the scale of h, (1/σ) max(2, 1/(1-√γ)), where episodes are so long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.adviser.certificates import eccentricities
from sacrepro.adviser.clock import Clock
from sacrepro.adviser.cost import Cost, costs
from sacrepro.adviser.labelled import Network
from sacrepro.bounds.theorem5 import least_h, smoothness
from sacrepro.learn.samples import samples
from sacrepro.learn.settings import Settings
from sacrepro.model.notices import brief, power, rounded
from sacrepro.simulate.compiled_model import Simulator

#: Steps of an episode at most and discounted horizons 1/(1-γ) at least, where T is proposed; visits an entry.
LONGEST, HORIZONS, VISITS = 1000, 10.0, 10.0
#: h is at most this share of T, so that α_t falls from 1/2 to 1/12 within an episode.
SHARE = 0.1
#: Outer iterations that are proposed, and agent-steps that they may take in all runs.
ITERATIONS, AGENT_STEPS = (2000, 1000, 500, 200, 100), 4_000_000_000
#: Episodes behind the scale of ĝ, and logits that its noise may move one by, as a standard deviation over all M.
PROBES, WANDER = 32, 0.5
#: Seeds of episodes that no run learns from: those of the scale of ĝ, and those that returns are judged by.
PROBING, FRESH = 1 << 62, 1 << 63


class Proposal(NamedTuple):
    """Arguments of `sac`, and one sentence for each."""

    M: int
    T: int
    h: float
    t0: float
    eta: float
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        return brief(self)


def check_kappas(network: Network, kappas: Sequence[int]) -> list[Cost]:
    """The sizes of the tables of κ = 0, …, the largest; ValueError for a κ that is none, too large or there twice."""
    if not kappas:
        raise ValueError("kappa: expected one κ or more, got none")
    for kappa in kappas:
        Settings(kappa=kappa)
        if list(kappas).count(kappa) > 1:
            raise ValueError(f"kappa: {kappa} is asked for twice")
    largest, farthest = max(kappas), int(eccentricities(network.graph).max())
    if largest > farthest:
        raise ValueError(
            f"kappa: {largest} is more than {farthest}, from which on every table holds all that an agent can reach; "
            f"expected at most {farthest}"
        )
    sizes = table_sizes(network, largest + 1)
    if len(sizes) <= largest:
        raise ValueError(
            f"kappa: the neighborhoods of κ = {len(sizes)} are too many to list; expected at most {len(sizes) - 1}"
        )
    return sizes


def table_sizes(network: Network, kappas: int, seconds: float = math.inf) -> list[Cost]:
    """The sizes of all Q̂_i for κ = 0, 1, …, `kappas` of them, or fewer where neighborhoods are too large to list."""
    return costs(network, kappas, 1, Clock(seconds), timed=False)


def proposal(
    network: Network,
    simulator: Simulator,
    kappas: Sequence[int],
    *,
    seeds: int,
    M: int | None = None,
    T: int | None = None,
    h: float | None = None,
    t0: float | None = None,
    eta: float | None = None,
    longest: int = LONGEST,
) -> Proposal:
    """What is given, and a value and a reason for what is not; the same for every κ, so that returns compare.

    seeds : runs a κ.        longest : most steps of an episode that are proposed.
    Raises ValueError naming the argument that makes no sense.
    """
    sizes = check_kappas(network, kappas)
    gamma, n, largest = network.gamma, network.n, max(kappas)
    entries = sizes[largest].entries_median
    reasons = []
    if T is None:
        least = math.ceil(HORIZONS / (1.0 - gamma))
        wanted = 10.0 ** min(entries + math.log10(VISITS), 12.0)
        T = int(max(least, min(round(wanted), longest)))
        reasons.append(
            f"T = {T:,}: {VISITS:g} visits an entry of the median table at κ = {largest} would take "
            f"{power(entries + 1)} steps; at least {HORIZONS:g} horizons 1/(1-γ), at most {longest:,} steps"
        )
    if h is None:
        visited = least_h(10.0 ** -min(entries, 12.0), gamma)
        h = min(max(1.0, SHARE * T), visited)
        if t0 is not None:
            h = min(h, 0.5 * t0)
        reasons.append(
            f"h = {h:g}: Theorem 5 asks for h ≥ (1/σ) max(2, 1/(1-√γ)), that is {rounded(math.ceil(visited))} if all "
            f"entries of the median table at κ = {largest} are visited alike; at most T/{1 / SHARE:g}, so that "
            "α_t = h/(t+t0) falls to 1/12 or less in an episode"
        )
    if t0 is None:
        t0 = 2.0 * h
        reasons.append(f"t0 = {t0:g}: 2h, the least that Theorem 5 allows; α_0 = 1/2")
    if M is None:
        work = n * T * len(kappas) * seeds
        M = next((count for count in ITERATIONS if count * work <= AGENT_STEPS), ITERATIONS[-1])
        reasons.append(
            f"M = {M:,}: noise averages out over iterations, so as many of {written(ITERATIONS)} as keep "
            f"all runs, {len(kappas) * seeds} of them, below {rounded(AGENT_STEPS)} agent-steps"
        )
    if eta is None:
        Settings(kappa=largest, M=M, T=T, h=h, t0=t0)
        eta, noise = step(network, simulator, min(kappas), M=M, T=T, h=h, t0=t0)
        reasons.append(
            "η = 1: ĝ does not vary at θ = 0, so that nothing tells its scale"
            if noise == 0.0
            else f"η = {eta:.3g}: one ĝ has entries of standard deviation {noise:.3g} at θ = 0, and M steps η/√(m+1) "
            f"of such noise move a logit by {WANDER:g}"
        )
    Settings(kappa=largest, M=M, T=T, h=h, t0=t0, eta=eta)
    L_prime = smoothness(network.r_bar, gamma)
    if eta * L_prime > 1.0:
        reasons.append(
            f"η = {eta:g} is above 1/L' = {1.0 / L_prime:.2g}: the theory covers no such step, Theorem 5 only "
            f"η ≤ 1/(4L') = {0.25 / L_prime:.2g}"
        )
    return Proposal(M, T, h, t0, eta, tuple(reasons))


def step(
    network: Network, simulator: Simulator, kappa: int, *, M: int, T: int, h: float, t0: float
) -> tuple[float, float]:
    """(η, standard deviation of an entry of ĝ at θ = 0): noise alone then moves a logit by `WANDER` in M iterations.

    Σ_{m<M} 1/(m+1) is about log M + .58. Where ĝ never varies, as with rewards of 0, η is 1.
    """
    theta = [np.zeros(r_i.shape) for r_i in network.r]
    probes = range(PROBING, PROBING + PROBES)
    g_hat = samples(simulator, theta, 0, kappa=kappa, T=T, h=h, t0=t0, seeds=probes).g_hat
    noise = math.sqrt(float(np.mean([block.var(axis=0, ddof=1).mean() for block in g_hat])))
    if noise == 0.0:
        return 1.0, 0.0
    eta = WANDER / (noise * math.sqrt(math.log(M) + 0.58))
    digits = 1 - math.floor(math.log10(eta))
    return round(eta, digits), noise


def written(counts: Sequence[int]) -> str:
    """Counts one after the other."""
    return ", ".join(map(rounded, counts))
