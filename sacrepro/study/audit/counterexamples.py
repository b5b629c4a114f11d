"""Counterexamples, computed: sentences that are false as written, and statements with one hypothesis taken away.

Each reads a false sentence as left ≤ right and measures both sides where it fails. It earns its verdict only if EVERY
one of its comparisons is violated beyond its certified error; one that stops violating fails the run.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sacrepro.archive.files import write_rows
from sacrepro.study.arguments import ClaimName, File
from sacrepro.study.claims import all_claims
from sacrepro.study.record.claim import Counterexample
from sacrepro.study.record.comparison import UNEARNED, Comparison, Verdict, holds, place, ratio, verdict


class Witness(NamedTuple):
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


def all_witnesses(claims: Collection[str] | None = None) -> list[Witness]:
    """Every counterexample, or those of some claims, in the paper's order."""
    return [Witness(claim.name, own) for claim in all_claims(claims) for own in claim.counterexamples]


def witnesses(*, claims: Sequence[ClaimName] | None = None, output: File) -> Iterator[str]:
    """Measure both sides of every false sentence where it fails."""
    rows: list[Comparison] = []
    for witness in all_witnesses(claims):
        own = witness.measured()
        rows += own
        yield f"{witness.key}: {len(own)} comparisons"
    write_rows(output, Comparison, rows)
