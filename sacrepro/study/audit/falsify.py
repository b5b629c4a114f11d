"""Wrong bounds, planted on purpose: each must be caught, on an instance where the true bound holds.

A plant takes the comparisons of a claim on one instance and changes them as a mistake would: the exponent κ+2, a factor
1/(1-γ) left out, γ and ρ swapped, L_i too small, neighborhoods that look one way, weights of eq. (6) that sum to 1.1.
It is caught if some changed comparison is violated. A check that cannot catch its plants is none, and fails the run.

`HIDDEN` names the mistakes that no comparison can catch, and why: the wrong sentence is true, or no instance is known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from sacrepro.bounds.gradient import any_weights_error, natural_weights_error
from sacrepro.bounds.gradient import lemma4 as lemma4_bound
from sacrepro.bounds.theorem5 import smoothness
from sacrepro.exact.dense import oscillation, q_function
from sacrepro.exact.gradient import policy_gradient
from sacrepro.instances.extremal import gate, ladder, latch, mirage, parity, signal, tally, turncoat
from sacrepro.instances.relay import broadcast, fading_relay, noisy_broadcast, noisy_hops, relay
from sacrepro.model.graph import sphere_sizes
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.audit.counterexamples import (
    lemma3_on_one_sided_cells,
    lemma4_sum,
    truncation_of_total,
    uniform_case,
)
from sacrepro.study.claims import claim as claim_named
from sacrepro.study.measures.truncation import seeing_out
from sacrepro.study.record.case import Case
from sacrepro.study.record.comparison import Comparison, holds, place, verdict

#: Noise of the forgetful instances: ρ = .7γ.
NOISE = 0.3

#: γ of the tally, so near 1 that √(1-γ) makes up for the constants of the bounds it breaks.
TALLY = 0.998

#: γ of the mirage, which keeps an eighth of a bound at most.
MIRAGE = 0.95

#: Length of a move of the tally's θ.
LENGTH = 0.01

#: Total of the weights that break eq. (6), and the part of L_i that is left.
TOTAL, SHARE = 1.1, 1.0 / 20.0

EXPONENT, FACTOR, SWAP = "κ+2 for κ+1", "1/(1-γ) left out", "γ and ρ swapped"
SCORES, ONE_SIDED, WEIGHTS = "L_i too small", "one-sided neighborhoods", "weights sum to 1.1"
MISTAKES = (EXPONENT, FACTOR, SWAP, SCORES, ONE_SIDED, WEIGHTS)

Rows = Iterable[Comparison]
Change = Callable[[Comparison], Comparison]


class Plant(NamedTuple):
    """A mistake in one reading of a claim: the true comparisons, and the same with the mistake made."""

    mistake: str
    claim: str
    hypothesis: str
    true: Callable[[], Rows]
    wrong: Callable[[], Rows]


class Planted(NamedTuple):
    """One row of ``results/falsification.csv``.

    truth : verdict on the comparisons before the mistake. catches : how many of `comparisons` violate the wrong bound.
    ratio : largest left/right of those that catch it, and `where`. caught : yes, no, or hidden, with the `reason`.
    """

    mistake: str
    claim: str
    hypothesis: str
    truth: str
    comparisons: int
    catches: int
    ratio: float
    where: str
    caught: str
    reason: str


INSTANCES: dict[str, Callable[[], NetworkedMDP]] = {
    "relay": lambda: relay(4, gamma=0.9),
    "noisy relay": lambda: relay(4, gamma=0.9, noise=NOISE),
    "noisy hops": lambda: noisy_hops(4, 0.9, NOISE),
    "latch .9": lambda: latch(4, 0.9),
    "latch .02": lambda: latch(4, 0.02),
    "broadcast .9": lambda: broadcast(8, gamma=0.9),
    "broadcast .1": lambda: broadcast(8, gamma=0.1),
    "noisy broadcast .98": lambda: noisy_broadcast(8, 0.98, NOISE),
    "turncoat": lambda: turncoat(2, 0.3),
    "fading relay .9": lambda: fading_relay(3, 0.9, 1e-3),
    "fading relay .1": lambda: fading_relay(3, 0.1, 1e-3),
    "ladder": lambda: ladder(8, 50, 0.01, 0.5),
    "gate": lambda: gate(0.01),
    "parity .02": lambda: parity(6, gamma=0.02),
    "signal .3": lambda: signal(0.3),
    "tally": lambda: tally(60, TALLY),
    "mirage": lambda: mirage(60, 1000, 0.001, MIRAGE),
}


@cache
def case(instance: str) -> Case:
    """The case of one of `INSTANCES` under the uniform policy."""
    return uniform_case(instance, INSTANCES[instance]())


@cache
def rows(claim: str, hypothesis: str, instance: str) -> tuple[Comparison, ...]:
    """The comparisons of one reading of a claim on one of `INSTANCES`."""
    return tuple(row for row in claim_named(claim).check(case(instance)) if row.hypothesis == hypothesis)


def plant(mistake: str, claim: str, hypothesis: str, instance: str, change: Change) -> Plant:
    """A mistake that changes comparisons one by one."""
    return Plant(
        mistake,
        claim,
        hypothesis,
        lambda: rows(claim, hypothesis, instance),
        lambda: [change(row) for row in rows(claim, hypothesis, instance)],
    )


def times(factor: float) -> Change:
    """The right side multiplied."""
    return lambda row: row._replace(right=row.right * factor)


def rooted(factor: float) -> Change:
    """`definition2` with c multiplied by `factor`: the least ρ becomes ρ factor^{-1/(κ+1)}."""
    return lambda row: row._replace(left=row.left * factor ** (-1.0 / (row.kappa + 1)))


def shifted_root(row: Comparison) -> Comparison:
    """`definition2` with c ρ^{κ+2}: the least ρ is a (κ+2)-nd root."""
    return row._replace(left=row.left ** ((row.kappa + 1) / (row.kappa + 2)))


def narrower(factor: float, gamma: float) -> Change:
    """`light_cone` with the width multiplied, at the end that the row is about."""

    def change(row: Comparison) -> Comparison:
        T = int(row.case.removeprefix("T="))
        lost = (1.0 - factor) * gamma ** (max(T, row.kappa) + 1) / (1.0 - gamma)
        upper = row.hypothesis == "upper end"
        return row._replace(right=row.right - lost) if upper else row._replace(left=row.left + lost)

    return change


def with_swapped_rates(row: Comparison) -> Comparison:
    """Where the source is just outside, ρ^{κ+1}/(1-γ) becomes γ^{κ+1}/(1-ρ), ρ = (1-ε)γ."""
    gamma = case("noisy hops").mdp.gamma
    right = gamma ** (row.kappa + 1) / (1.0 - (1.0 - NOISE) * gamma)
    return row._replace(right=right) if row.agent == row.kappa + 1 else row


def lemma4_with_a_rate(swapped: bool) -> list[Comparison]:
    """Lemma 4 on a broadcast that forgets, (c, ρ) = (r̄/(1-ρ), .7γ) by the influence matrix, or with γ and ρ swapped."""
    known = case("noisy broadcast .98")
    gamma = known.mdp.gamma
    rho = (1.0 - NOISE) * gamma
    c = known.mdp.r_bar / (1.0 - rho)
    (rate, discount) = (gamma, rho) if swapped else (rho, gamma)
    return [
        row._replace(right=lemma4_bound(c, rate, row.kappa, 2.0**0.5, discount))
        for row in rows("lemma4", "worst case", "noisy broadcast .98")
    ]


def one_sided_decay() -> Case:
    """The relay with D over cells {i, …, i+κ}, away from where the bit comes from."""
    known = case("relay")
    D = np.zeros_like(known.D)
    for i in range(known.mdp.n):
        Q_i = q_function(known.mdp, known.V[i], i)
        for kappa in range(D.shape[1]):
            D[i, kappa] = oscillation(Q_i, tuple(range(i, min(i + kappa, known.mdp.n - 1) + 1))).max()
    return dataclasses.replace(known, D=D)


def measured_one_sided(claim: str, hypothesis: str) -> Plant:
    """A claim about D_i(κ), given D over cells that look one way."""

    def wrong() -> list[Comparison]:
        return [row for row in claim_named(claim).check(one_sided_decay()) if row.hypothesis == hypothesis]

    return Plant(ONE_SIDED, claim, hypothesis, lambda: rows(claim, hypothesis, "relay"), wrong)


def gradient_plants() -> Iterator[Plant]:
    """Eq. (7) for agent 0 of the latch, with weights of the wrong total and with a sum over {0} in place of N_0^κ."""
    for mistake, scale, one_sided in ((WEIGHTS, TOTAL, False), (ONE_SIDED, 1.0, True)):
        yield Plant(
            mistake, "lemma4", "worst case",
            partial(lemma4_sum, 1.0, False), partial(lemma4_sum, scale, one_sided),
        )  # fmt: skip
        yield Plant(
            mistake, "lemma4_sharp", "any weights",
            partial(against_the_sharp_bound, 1.0, False), partial(against_the_sharp_bound, scale, one_sided),
        )  # fmt: skip


def against_the_sharp_bound(scale: float, one_sided: bool) -> list[Comparison]:
    """`lemma4_sum` with the right side of `lemma4_sharp`."""
    mdp = latch(6, 0.2)
    spheres = sphere_sizes(mdp.graph, 0)
    return [
        row._replace(
            right=any_weights_error(
                spheres, seeing_out(mdp.graph, 0, row.kappa), row.kappa, mdp.n, mdp.gamma, mdp.r_bar
            )
        )
        for row in lemma4_sum(scale, one_sided)
    ]


def natural_one_sided() -> list[Comparison]:
    """The sum over {0} with Q̂_0 of natural weights misses agents 1, …, κ, which natural weights do not excuse."""
    mdp = latch(6, 0.2)
    spheres = sphere_sizes(mdp.graph, 0)
    return [
        row._replace(right=natural_weights_error(spheres, row.kappa, mdp.n, mdp.gamma, mdp.r_bar))
        for row in lemma4_sum(1.0, one_sided=True)
    ]


def steep_moves(share: float) -> list[Comparison]:
    """On the tally, away from the fair coin, where ∇J turns fastest: moves towards action 1 against a share of L'."""
    known = case("tally")
    mdp = known.mdp
    towards = np.array([[-0.5, 0.5], [-0.5, 0.5]])
    right, error = smoothness(mdp.r_bar, mdp.gamma), 2.0 * known.gradient_error
    found = []
    for start in (0.05, 0.1):
        here, there = (policy_gradient(mdp, (towards * (start + move), known.theta[1]))[0] for move in (0.0, LENGTH))
        left = float(np.linalg.norm(there - here))
        found.append(Comparison("tally", f"{start} towards 1", "L'", "", 0, 0, left, share * right * LENGTH, error))
    return found


SERIES = ("clipped series", "own C^θ", "all agents at once", "closed form", "row sums")
MIXED = ("laws of two starts", "law to its limit", "measured distances")
BIASES = ("paper", "decay gap alone", "locality")
VECTOR = ("any weights", "worst case", "paper", "natural weights", "TD's limit")
LEMMA3_STEP, SCORE_STEP = "1/(1-γ) of Lemma 3, sup over policies", "L_i for the score norm"

PLANTS: tuple[Plant, ...] = (
    *(plant(EXPONENT, "definition2", reading, "relay", shifted_root) for reading in ("Lemma 3", "influence matrix")),
    plant(EXPONENT, "lemma3", "", "relay", times(0.9)),
    *(plant(EXPONENT, "appendix_a", reading, "noisy relay", times(0.9 * (1.0 - NOISE))) for reading in MIXED),
    *(plant(EXPONENT, "influence", reading, "noisy relay", times(0.9 * (1.0 - NOISE))) for reading in SERIES),
    plant(EXPONENT, "light_cone", "upper end", "relay", narrower(0.9, 0.9)),
    plant(EXPONENT, "light_cone", "lower end", "turncoat", narrower(0.3, 0.3)),
    plant(EXPONENT, "actions_one_hop_later", "", "latch .9", times(0.9)),
    plant(EXPONENT, "truncation", "", "relay", times(0.9)),
    *(plant(EXPONENT, "lemma4", reading, "broadcast .1", times(0.1)) for reading in ("worst case", "own hypothesis")),
    plant(EXPONENT, "lemma4_sharp", "any weights", "broadcast .1", times(0.1)),
    plant(EXPONENT, "lemma4_sharp", "natural weights", "latch .02", times(0.02)),
    *(plant(EXPONENT, "lemma4_vector", reading, "parity .02", times(0.02)) for reading in VECTOR),
    plant(EXPONENT, "anatomy", LEMMA3_STEP, "broadcast .1", times(0.1)),
    plant(EXPONENT, "theorem5_sharp", "TD's limit", "signal .3", times(0.3**2)),
    plant(EXPONENT, "td_fixed_point", "paper", "fading relay .1", times(0.1)),
    plant(EXPONENT, "td_fixed_point", "decay gap alone", "ladder", times(0.5)),
    plant(EXPONENT, "td_fixed_point", "locality", "fading relay .9", times(0.9)),
    *(plant(EXPONENT, "critic_sharp", reading, "gate", times(0.01)) for reading in BIASES),
    *(plant(FACTOR, "definition2", reading, "relay", rooted(0.1)) for reading in ("Lemma 3", "influence matrix")),
    plant(FACTOR, "lemma3", "", "relay", times(0.1)),
    *(plant(FACTOR, "appendix_a", reading, "noisy relay", times(1.0 - 0.9 * (1.0 - NOISE))) for reading in MIXED),
    *(plant(FACTOR, "influence", reading, "noisy relay", times(1.0 - 0.9 * (1.0 - NOISE))) for reading in SERIES),
    plant(FACTOR, "light_cone", "upper end", "relay", narrower(0.1, 0.9)),
    plant(FACTOR, "light_cone", "lower end", "turncoat", narrower(0.7, 0.3)),
    plant(FACTOR, "actions_one_hop_later", "", "latch .9", times(0.1)),
    plant(FACTOR, "truncation", "", "relay", times(0.1)),
    *(plant(FACTOR, "lemma4", reading, "broadcast .9", times(0.1)) for reading in ("worst case", "own hypothesis")),
    plant(FACTOR, "lemma4_sharp", "any weights", "broadcast .9", times(0.1)),
    plant(FACTOR, "lemma4_sharp", "natural weights", "latch .9", times(0.1)),
    *(plant(FACTOR, "lemma4_vector", reading, "broadcast .9", times(0.1)) for reading in VECTOR[:2]),
    *(plant(FACTOR, "lemma4_vector", reading, "tally", times(1.0 - TALLY)) for reading in VECTOR[3:]),
    plant(FACTOR, "anatomy", LEMMA3_STEP, "broadcast .9", times(0.1)),
    plant(FACTOR, "td_fixed_point", "decay gap alone", "ladder", times(0.5)),
    plant(FACTOR, "td_fixed_point", "locality", "fading relay .9", times(0.1)),
    plant(FACTOR, "critic_sharp", "decay gap alone", "mirage", times(1.0 - MIRAGE)),
    plant(FACTOR, "critic_sharp", "locality", "tally", times(1.0 - TALLY)),
    Plant(FACTOR, "theorem5", "L'", partial(steep_moves, 1.0), partial(steep_moves, 1.0 - TALLY)),
    plant(FACTOR, "theorem5", "‖∇J‖", "tally", times(1.0 - TALLY)),
    plant(SWAP, "influence", "clipped series", "noisy hops", with_swapped_rates),
    Plant(SWAP, "lemma4", "worst case", partial(lemma4_with_a_rate, False), partial(lemma4_with_a_rate, True)),
    *(plant(SCORES, "lemma4", reading, "broadcast .9", times(SHARE)) for reading in ("worst case", "own hypothesis")),
    plant(SCORES, "lemma4_sharp", "any weights", "broadcast .9", times(SHARE)),
    plant(SCORES, "lemma4_sharp", "natural weights", "latch .02", times(SHARE)),
    *(plant(SCORES, "lemma4_vector", reading, "parity .02", times(SHARE)) for reading in VECTOR),
    plant(SCORES, "anatomy", SCORE_STEP, "broadcast .9", times(SHARE)),
    *(plant(SCORES, "critic_sharp", reading, "gate", times(SHARE)) for reading in BIASES),
    *(measured_one_sided("definition2", reading) for reading in ("Lemma 3", "influence matrix")),
    Plant(
        ONE_SIDED, "lemma3", "",
        partial(rows, "lemma3", "", "relay"), lemma3_on_one_sided_cells,
    ),
    *(measured_one_sided("appendix_a", reading) for reading in ("laws of two starts", "measured distances")),
    *(measured_one_sided("influence", reading) for reading in ("clipped series", "own C^θ", "all agents at once")),
    measured_one_sided("light_cone", "upper end"),
    Plant(
        ONE_SIDED, "lemma4_sharp", "natural weights",
        partial(rows, "lemma4_sharp", "natural weights", "latch .02"), natural_one_sided,
    ),
    *gradient_plants(),
    Plant(
        WEIGHTS, "truncation", "",
        partial(truncation_of_total, 1.0), partial(truncation_of_total, TOTAL),
    ),
)  # fmt: skip

#: (mistake, claim, reason): what no comparison can catch.
HIDDEN = (
    (EXPONENT, "vacuity", "natural weights obey κ+2 themselves: lemma4_sharp (d) starts at γ^{κ+2}"),
    (EXPONENT, "theorem5", "ε_κ of (9) is above the trivial bound wherever it is compared"),
    (EXPONENT, "critic", "the noise of C_a exceeds r̄/(1-γ) at every T that is run: both sides of κ+2 are vacuous"),
    (FACTOR, "td_fixed_point", "paper: 2cρ^{κ+1}/(1-γ) is true, by td_fixed_point (a)"),
    (FACTOR, "critic_sharp", "paper: 2cρ^{κ+1}/(1-γ) is true, by locality"),
    (FACTOR, "lemma4_vector", "paper: √n times too large, as `worst case` shows, and here √n makes up for 1/(1-γ)"),
    (SWAP, "appendix_a", "γ^{κ+1} c'r̄/(1-γ) ≥ ρ^{κ+1} c'r̄/(1-ρ) for ρ ≤ γ: true"),
    (SWAP, "td_fixed_point", "paper: 2cγ^{κ+1}/(1-ρ)² ≥ 2cρ^{κ+1}, and locality gives cρ^{κ+1} for ρ = γ: true there"),
    (ONE_SIDED, "td_fixed_point", "the fixed point is defined on N_i^κ only; the engine takes no other cells"),
)


def planted(seed: Plant) -> Planted:
    """What became of one plant: caught if a wrong comparison is violated while all true ones hold."""
    true, wrong = list(seed.true()), list(seed.wrong())
    truth = verdict(seed.claim, "", "", true).verdict
    catches = [row for row in wrong if not holds(row)]
    worst = max(catches, key=lambda row: row.left / row.right if row.right > 0 else np.inf, default=None)
    sound = truth in ("tight", "holds")
    return Planted(
        seed.mistake,
        seed.claim,
        seed.hypothesis,
        truth,
        len(wrong),
        len(catches),
        (worst.left / worst.right if worst.right > 0 else np.inf) if worst else np.nan,
        place(worst) if worst else "",
        "yes" if catches and sound else "no",
        "",
    )


def falsification() -> Iterator[Planted]:
    """Every plant, then the hidden mistakes."""
    for seed in PLANTS:
        yield planted(seed)
    for mistake, claim, reason in HIDDEN:
        yield Planted(mistake, claim, "", "", 0, 0, np.nan, "", "hidden", reason)
