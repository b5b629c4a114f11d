"""What a check measures: the two sides of an inequality, and how they are judged.

`check` functions return comparisons and judge nothing; `verdict` judges a whole table, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row")


class Comparison(NamedTuple):
    """left ≤ right, measured once; `error` bounds how far the computed left - right may be from the true one.

    hypothesis : which variant of the statement's right side, where there are several, else empty.
    case       : what else was varied, such as the weights of eq. (6).
    trivial    : what bounds the left side without the statement; a right side that is no smaller says nothing.
    """

    instance: str
    policy: str
    hypothesis: str
    case: str
    agent: int
    kappa: int
    left: float
    right: float
    error: float
    trivial: float = math.inf


class Left(NamedTuple):
    """A comparison without its right side and its variant."""

    instance: str
    policy: str
    case: str
    agent: int
    kappa: int
    left: float
    error: float
    trivial: float = math.inf

    def against(self, rights: Mapping[str, float]) -> Iterator[Comparison]:
        """One comparison for each right side, keyed by its variant."""
        for hypothesis, right in rights.items():
            where = (self.instance, self.policy, hypothesis, self.case, self.agent, self.kappa)
            yield Comparison(*where, self.left, float(right), self.error, self.trivial)


#: What can become of a statement; any other verdict belongs to a `Counterexample`.
JUDGEMENTS = ("violated", "tight", "holds", "vacuous")

#: The verdict on a counterexample that does not violate its sentence everywhere; it fails the run.
UNEARNED = "no counterexample"


class Verdict(NamedTuple):
    """One row of ``results/claims.csv``: a statement with one of the `JUDGEMENTS`, or a counterexample.

    constraining : comparisons whose right side exceeds the certificate and is below the trivial bound; the others are
    identities, 0 ≤ 0, or say nothing. ratio : the largest left/right over them, and `where`. excess : the least
    right/trivial bound, nan where there is none. certificate : the largest certified error of left - right, in their
    unit.
    """

    claim: str
    hypothesis: str
    statement: str
    reference: str
    instances: int
    comparisons: int
    constraining: int
    violations: int
    ratio: float
    where: str
    excess: float
    certificate: float
    verdict: str
    figure: str


def verdict(claim: str, statement: str, reference: str, rows: Sequence[Comparison]) -> Verdict:
    """The judgement over all comparisons of one claim.

    A comparison is violated when left - right exceeds its certified error, so rounding can neither cause nor hide a
    violation. The claim is ``violated`` if any is, ``tight`` if some nonzero right side is attained within its
    certificate, ``vacuous`` if no right side constrains anything (`constrains`), else ``holds``.
    """
    violations = sum(not holds(row) for row in rows)
    informative = [row for row in rows if constrains(row)]
    worst = max(informative, key=ratio, default=None)
    if violations:
        judged = "violated"
    elif claim_is_identity(rows):
        judged = "holds"
    elif worst is None:
        judged = "vacuous"
    else:
        judged = "tight" if any(attained(row) for row in informative) else "holds"
    return Verdict(
        claim=claim,
        hypothesis=", ".join(sorted({row.hypothesis for row in rows})),
        statement=statement,
        reference=reference,
        instances=len({row.instance for row in rows}),
        comparisons=len(rows),
        constraining=len(informative),
        violations=violations,
        ratio=ratio(worst) if worst else math.nan,
        where=place(worst) if worst else "",
        excess=excess_of(rows),
        certificate=max((row.error for row in rows), default=math.nan),
        verdict=judged,
        figure=f"{claim}.svg",
    )


def ratio(row: Comparison) -> float:
    """left/right, ∞ where the right side is 0."""
    return row.left / row.right if row.right > 0.0 else math.inf


def ratio_text(value: float, digits: int = 3) -> str:
    """left/right for people: what is below 1 never reads 1."""
    text = f"{value:.{digits}g}"
    return f"1 - {1.0 - value:.1g}" if text == "1" and value < 1.0 - 1e-12 else text


def excess_of(rows: Iterable[Comparison]) -> float:
    """The least right/trivial bound; nan where no trivial bound is above 0 and finite."""
    return min((row.right / row.trivial for row in rows if 0.0 < row.trivial < math.inf), default=math.nan)


def excess_text(row: Verdict) -> str:
    """By what factor a vacuous right side misses, in words; empty for one that constrains or has no trivial bound."""
    vacuous = row.verdict == "vacuous" and row.excess > 0
    return f"at least {factor_text(row.excess)} times the trivial bound" if vacuous else ""


def factor_text(factor: float) -> str:
    """Two digits of a factor for people, such as 3.4 or 12,000, rounded down: "at least" stays true."""
    exact = Decimal(f"{factor:.15g}")
    return f"{float(exact.quantize(Decimal((0, (1,), exact.adjusted() - 1)), ROUND_DOWN)):,.15g}"


def table(header: Sequence[object], body: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a Markdown table; bars inside a cell are escaped."""
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |" for cells in (header, *body)]
    return [lines[0], "|" + " --- |" * len(header), *lines[1:]]


def percent(values: Sequence[float]) -> str:
    """Shares in words: one, or the least and the largest."""
    low, high = (f"{own(values):.0%}" for own in (min, max))
    return low if low == high else f"{low} to {high}"


def place(row: Comparison) -> str:
    """Where a comparison was made, in words."""
    return f"{row.instance}, θ {row.policy}, agent {row.agent}, κ={row.kappa} {row.case}".strip()


def by(rows: Iterable[Row], *fields: str) -> dict[Any, list[Row]]:
    """The rows by the value of a field, or by those of several, in order of appearance."""
    value, groups = attrgetter(*fields), dict[Any, list[Row]]()
    for row in rows:
        groups.setdefault(value(row), []).append(row)
    return groups


def at_end(rows: Iterable[Row], field: str) -> list[Row]:
    """The rows in which a field has its largest value."""
    groups = by(rows, field)
    return groups[max(groups)] if groups else []


def by_hypothesis(rows: Sequence[Comparison]) -> list[list[Comparison]]:
    """The rows by the variant of the right side."""
    return list(by(rows, "hypothesis").values())


def holds(row: Comparison) -> bool:
    """Whether the comparison is consistent with left ≤ right; NaN never is."""
    return row.left - row.right <= row.error


def constrains(row: Comparison) -> bool:
    """Whether the right side says something: above the certificate, and below the trivial bound."""
    return row.error < row.right < row.trivial


def attained(row: Comparison) -> bool:
    """Whether left equals right within the certificate."""
    return abs(row.left - row.right) <= row.error


def claim_is_identity(rows: Iterable[Comparison]) -> bool:
    """An identity compares a difference with 0: every right side is zero."""
    rows = list(rows)
    return bool(rows) and all(row.right == 0.0 for row in rows)
