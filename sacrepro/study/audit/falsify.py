"""Wrong bounds, planted on purpose: each must be caught, on an instance where the true bound holds.

A plant takes the comparisons of a claim on one instance and changes them as a mistake would: the exponent κ+2, a factor
1/(1-γ) left out, γ and ρ swapped, L_i too small, neighborhoods that look one way, weights of eq. (6) that sum to 1.1.
It is caught if some changed comparison is violated. A check that cannot catch its plants is none, and fails the run.

A claim also names the mistakes that no comparison can catch, and why: the wrong sentence is true, or no instance is
known.

Counterexamples are computed: sentences that are false as written, and statements with one hypothesis taken away. Each
reads a false sentence as left ≤ right and measures both sides where it fails. It earns its verdict only if EVERY one of
its comparisons is violated beyond its certified error; one that stops violating fails the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import write_rows
from sacrepro.instances.extremal import gate, ladder, latch, mirage, parity, signal, tally, turncoat
from sacrepro.instances.relay import broadcast, fading_relay, noisy_hops, relay
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.arguments import ClaimName, File
from sacrepro.study.claims import all_claims
from sacrepro.study.claims import claim as claim_named
from sacrepro.study.record.case import Case, uniform_case
from sacrepro.study.record.claim import MIRAGE, MISTAKES, NOISE, TALLY, Claim, Counterexample, Plant
from sacrepro.study.record.comparison import UNEARNED, Comparison, Verdict, holds, place, ratio, verdict


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


def plants(claims: Collection[str] | None = None) -> list[tuple[Claim, Plant]]:
    """Every plant with its claim, or those of some claims, by mistake and then in the paper's order."""
    found = [(claim, plant) for claim in all_claims(claims) for plant in claim.plants]
    return sorted(found, key=lambda own: MISTAKES.index(own[1].mistake))


def hidden(claims: Collection[str] | None = None) -> list[tuple[str, str, str]]:
    """(mistake, claim, reason) for what no comparison can catch, in the same order."""
    found = [(mistake, claim.name, reason) for claim in all_claims(claims) for mistake, reason in claim.hidden.items()]
    return sorted(found, key=lambda own: MISTAKES.index(own[0]))


def sides(claim: Claim, plant: Plant) -> tuple[list[Comparison], list[Comparison]]:
    """The true comparisons of a plant, and those with the mistake made."""
    true = rows(claim.name, plant.variant, plant.on) if isinstance(plant.on, str) else list(plant.on())
    if plant.rows is not None:
        return true, list(plant.rows())
    return true, [plant.change(row) for row in true] if plant.change else []


def planted(claim: Claim, plant: Plant) -> Planted:
    """What became of one plant: caught if a wrong comparison is violated while all true ones hold."""
    true, wrong = sides(claim, plant)
    truth = verdict(claim.name, "", "", true).verdict
    catches = [row for row in wrong if not holds(row)]
    worst = max(catches, key=ratio, default=None)
    sound = truth in ("tight", "holds")
    return Planted(
        plant.mistake,
        claim.name,
        plant.variant,
        truth,
        len(wrong),
        len(catches),
        ratio(worst) if worst else np.nan,
        place(worst) if worst else "",
        "yes" if catches and sound else "no",
        "",
    )


def falsification(claims: Collection[str] | None = None) -> Iterator[Planted]:
    """Every plant, then the hidden mistakes."""
    for claim, plant in plants(claims):
        yield planted(claim, plant)
    for mistake, name, reason in hidden(claims):
        yield Planted(mistake, name, "", "", 0, 0, np.nan, "", "hidden", reason)


INSTANCES: dict[str, Callable[[], NetworkedMDP]] = {
    "relay": lambda: relay(4, gamma=0.9),
    "noisy relay": lambda: relay(4, gamma=0.9, noise=NOISE),
    "noisy hops": lambda: noisy_hops(4, 0.9, NOISE),
    "latch .9": lambda: latch(4, 0.9),
    "latch .02": lambda: latch(4, 0.02),
    "broadcast .9": lambda: broadcast(8, gamma=0.9),
    "broadcast .1": lambda: broadcast(8, gamma=0.1),
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
def checked(name: str, instance: str) -> tuple[Comparison, ...]:
    """The comparisons of a claim on one of `INSTANCES`."""
    return tuple(claim_named(name).check(case(instance)))


def rows(name: str, variant: str, instance: str) -> list[Comparison]:
    """Those of one variant."""
    return [row for row in checked(name, instance) if row.hypothesis == variant]


def falsify(*, claims: Sequence[ClaimName] | None = None, output: File) -> Iterator[str]:
    """Plant wrong bounds and write which of them are caught."""
    rows: list[Planted] = []
    for row in falsification(claims):
        rows.append(row)
        yield f"{row.caught}: {row.mistake}, {row.claim} {row.hypothesis}"
    write_rows(output, Planted, rows)


class FalseSentence(NamedTuple):
    """A counterexample with the name of its claim."""

    claim: str
    of: Counterexample

    @property
    def key(self) -> str:
        """Its name, unique among all."""
        return f"{self.claim}: {self.of.name}"

    def measured(self) -> list[Comparison]:
        """Its comparisons, marked with its key."""
        return [row._replace(hypothesis=self.key) for row in self.of.rows()]

    def judged(self, rows: Sequence[Comparison]) -> Verdict:
        """Its row of the verdict table: the finding, if there are comparisons and all are violated, else `UNEARNED`.

        ratio is the largest left/right, ∞ where the right side is 0.
        """
        table = verdict(self.claim, self.of.sentence, self.of.reference, rows)
        earned = bool(rows) and not any(holds(row) for row in rows)
        worst = max(rows, key=ratio, default=None)
        return table._replace(
            hypothesis=self.of.name,
            ratio=ratio(worst) if worst else math.nan,
            where=place(worst) if worst else "",
            verdict=self.of.finding if earned else UNEARNED,
        )


def false_sentences(claims: Collection[str] | None = None) -> list[FalseSentence]:
    """Every counterexample, or those of some claims, in the paper's order."""
    return [FalseSentence(claim.name, own) for claim in all_claims(claims) for own in claim.counterexamples]


def counterexamples(*, claims: Sequence[ClaimName] | None = None, output: File) -> Iterator[str]:
    """Measure both sides of every false sentence where it fails."""
    rows: list[Comparison] = []
    for sentence in false_sentences(claims):
        own = sentence.measured()
        rows += own
        yield f"{sentence.key}: {len(own)} comparisons"
    write_rows(output, Comparison, rows)
