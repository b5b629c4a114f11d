"""Lemma 3: the (r̄/(1-γ), γ)-exponential decay property of Definition 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from sacrepro.bounds.decay import definition2, lemma3
from sacrepro.exact.dense import oscillation
from sacrepro.instances.relay import long_range_relay, relay
from sacrepro.study.record import Attack, Case, Claim, Comparison, Counterexample, Drawing, Plant, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, FALSE, ONE_SIDED, planted, times

BOUND = "D_i(κ) ≤ r̄ γ^{κ+1} / (1-γ)"

#: (c, ρ) of the instances below, whose rewards are said to be in [0, 1].
C_RHO = lemma3(1.0, 0.9)


def check(case: Case) -> Iterator[Comparison]:
    """D_i(κ) against c ρ^{κ+1} with Lemma 3's (c, ρ), for each agent and each κ that leaves somebody outside."""
    c, rho = lemma3(case.mdp.r_bar, case.mdp.gamma)
    for gap in case.gaps():
        yield from gap.against({"": definition2(c, rho, gap.kappa)})


def at_equality(low: float = 0.0, exponent: int = 1) -> Iterator[Comparison]:
    """c ρ^{κ+exponent} on the relay, κ < i, with rewards in [low, 1].

    Shifting r_i by a constant shifts Q_i, so D is that of rewards in [0, 1 - low].
    """
    name = f"relay, r ∈ [{low:g}, 1]" if low else "relay"
    for gap in uniform_case(name, relay(4, gamma=0.9, r_bar=1.0 - low)).gaps():
        if gap.kappa < gap.agent:
            yield from gap.against({"": definition2(*C_RHO, gap.kappa + exponent - 1)})


def over(case: Case, cells: Iterable[tuple[int, int, range]]) -> Iterator[Comparison]:
    """The oscillation of Q_i over cells of other agents than N_i^κ, for (i, κ, agents)."""
    for i, kappa, hood in cells:
        left = float(oscillation(case.Q(i), tuple(hood)).max())
        found = case.left(i, kappa, left, 2.0 * case.error, f"cells of {tuple(hood)}")
        yield from found.against({"": definition2(*C_RHO, kappa)})


def one_sided() -> Iterator[Comparison]:
    """Cells {i, …, i+κ} of the relay, which leave out the side that the bit comes from."""
    cells = [(i, kappa, range(i, min(i + kappa, 3) + 1)) for i in (1, 2) for kappa in (1, 2)]
    return over(uniform_case("relay", relay(4, gamma=0.9)), cells)


def two_hops() -> Iterator[Comparison]:
    """A relay of two hops a step over the cells of the path: the last agent hears from outside too early."""
    cells = [(4, kappa, range(4 - kappa, 5)) for kappa in (1, 2, 3)]
    return over(uniform_case("long_range_relay", long_range_relay(5, 0.9)), cells)


CLAIM = Claim(
    order=30, words="Q_i forgets agents more than κ hops away at the rate γ", statement=BOUND,
    reference="Lemma 3, Definition 2", check=check, needs=(), shares="gaps", variants=(Variant(theorem="lemma3_D"),),
    drawing=Drawing("markers", r"$D_i(\kappa)$", {"": r"$\bar r\,\gamma^{\kappa+1}/(1-\gamma)$, Lemma 3"},
                    r"$D_i(\kappa)$",
                    "D_i(κ) for every agent and policy, against Lemma 3's bound."),
    attack=Attack(stream=1, built=("relay",)),
    plants=(*planted(EXPONENT, "relay", times(0.9)), *planted(FACTOR, "relay", times(0.1)),
            Plant(ONE_SIDED, "", "relay", rows=one_sided)),
    counterexamples=(
        Counterexample("r_i ≤ r̄ and no more", f"{BOUND} if r_i is upper bounded by r̄", "Lemma 3", FALSE,
                       partial(at_equality, -9.0)),
        Counterexample("|r_i| ≤ r̄", f"{BOUND} if |r_i| ≤ r̄", "Lemma 3", "fails without 0 ≤ r_i",
                       partial(at_equality, -1.0)),
        Counterexample("κ+2", "D_i(κ) ≤ r̄ γ^{κ+2} / (1-γ)", "Lemma 3", "fails with κ+2",
                       partial(at_equality, exponent=2)),
        Counterexample("two hops a step", f"{BOUND} if agents see two hops far", "Lemma 3, eq. (1)",
                       "fails without locality", two_hops),
        Counterexample("one-sided cells", f"{BOUND} over cells of {{i, …, i+κ}}", "Lemma 3, N_i^κ",
                       "fails without those whom i reads", one_sided),
    ),
)  # fmt: skip
