"""A claim as one record: what it states, how it is checked, attacked and drawn, and which mistakes it would catch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from sacrepro.exact.dense import oscillation
from sacrepro.instances.relay import relay
from sacrepro.study.record.case import Case, uniform_case
from sacrepro.study.record.comparison import Comparison

if TYPE_CHECKING:
    from sacrepro.study.record.case import Case

Rows = Callable[[], Iterable[Comparison]]
Change = Callable[[Comparison], Comparison]


class Variant(NamedTuple):
    """One right side of a statement, or of a claim without several the only one.

    name    : column `hypothesis` of its comparisons.
    theorem : of paper/formal/, which states what these rows compare, both sides squared where they are norms; empty: on
    paper. excuse : why the adversary spares this variant of a claim that it attacks.
    """

    name: str = ""
    theorem: str = ""
    excuse: str = ""


class Drawing(NamedTuple):
    """How the comparisons are drawn.

    kind    : a function of `drawings`, which takes the rows and this. left : label of the axis of left sides.
    lines   : label of each variant that is drawn, in the order of the legend. markers : label of what is measured.
    caption : where the kind serves several claims; empty: the docstring of its function.
    starred : a variant whose left sides are some of the others', drawn as stars.
    """

    kind: str
    left: str = ""
    lines: Mapping[str, str] = {}
    markers: str = ""
    caption: str = ""
    starred: str = ""


class Attack(NamedTuple):
    """What the adversary needs to know.

    stream : of its random numbers, a number of this claim alone and for ever. built : specimens that come close, whose
    ratio is shown beside what it reaches. two_agents : a check that searches over policies itself is work enough so.
    """

    stream: int
    built: tuple[str, ...]
    two_agents: bool = False


class Plant(NamedTuple):
    """A mistake in one variant, which must be caught where the true comparisons hold.

    on     : the true comparisons: those of a specimen of `audit.falsify`, or what a function yields.
    change : what the mistake makes of each of them; otherwise `rows` yields the wrong comparisons.
    """

    mistake: str
    variant: str
    on: str | Rows
    change: Change | None = None
    rows: Rows | None = None


class Counterexample(NamedTuple):
    """A false sentence, what its failure shows, and comparisons every one of which must violate it."""

    name: str
    sentence: str
    reference: str
    finding: str
    rows: Rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim:
    """One statement. Registries, tables, pages and figures are read off these fields and kept nowhere else.

    order      : its place in the paper. words : what it says, for the README.
    proof      : its heading in paper/proofs.md; empty: the paper's own.
    beside     : what its theorems leave to paper although each variant has one.
    check      : measures both sides on a case and judges nothing.
    along_runs : of theorem5 alone, the kind of rows that `trace --exact` writes and the check of such rows.
    needs      : beyond V, D, ∇J and local kernels: tables over all (s, a), and compiled kernels of the learner.
    shares     : what it measures as others of this word do, and so in one process with them.
    attack     : how the adversary attacks it, or why it does not.
    hidden     : mistakes that no comparison can catch, each with the reason.
    """

    order: int
    words: str
    statement: str
    reference: str
    proof: str = ""
    beside: str = ""
    check: Callable[[Case], Iterator[Comparison]]
    along_runs: tuple[type[Any], Callable[..., Iterator[Comparison]]] | None = None
    needs: tuple[Literal["tables", "learner"], ...] = ("tables",)
    shares: str = ""
    variants: tuple[Variant, ...] = (Variant(),)
    drawing: Drawing
    attack: Attack | str
    plants: tuple[Plant, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    counterexamples: tuple[Counterexample, ...] = ()

    @property
    def name(self) -> str:
        """That of its file, of its table, of its figure and of its tests."""
        return self.check.__module__.rpartition(".")[2]

    @property
    def attacked(self) -> tuple[str, ...]:
        """The variants that the adversary attacks, in its order."""
        return () if isinstance(self.attack, str) else tuple(own.name for own in self.variants if not own.excuse)

    def check_variants(self, found: Collection[str], where: str) -> None:
        """ValueError if none of the variants found in the rows of a file is one of this claim: they are another's."""
        known = [variant.name for variant in self.variants]
        if not set(known) & set(found):
            raise ValueError(f"{where}: no row has a variant of {self.name}, which are {', '.join(map(repr, known))}")


EXPONENT, FACTOR, SWAP = "κ+2 for κ+1", "1/(1-γ) left out", "γ and ρ swapped"
SCORES, ONE_SIDED, WEIGHTS = "L_i too small", "one-sided neighborhoods", "weights sum to 1.1"
#: In the order in which they are tabulated.
MISTAKES = (EXPONENT, FACTOR, SWAP, SCORES, ONE_SIDED, WEIGHTS)

#: The finding of a counterexample to a sentence of the paper.
FALSE = "false as written"

#: Noise of the forgetful specimens: ρ = .7γ.
NOISE = 0.3

#: γ of the tally, so near 1 that √(1-γ) makes up for the constants of the bounds it breaks.
TALLY = 0.998

#: γ of the mirage, which keeps an eighth of a bound at most.
MIRAGE = 0.95

#: Total of the weights that break eq. (6), and the part of L_i that is left.
TOTAL, SHARE = 1.1, 1.0 / 20.0


def times(factor: float) -> Change:
    """The right side multiplied."""
    return lambda row: row._replace(right=row.right * factor)


def planted(mistake: str, on: str | Rows, change: Change, *variants: str) -> tuple[Plant, ...]:
    """A mistake that changes comparisons one by one, in each of these variants; in the only one by default."""
    return tuple(Plant(mistake, variant, on, change) for variant in variants or ("",))


def planted_one_sided(check: Callable[[Case], Iterator[Comparison]], *variants: str) -> tuple[Plant, ...]:
    """A claim about D_i(κ), given D over cells that look one way."""
    return tuple(
        Plant(ONE_SIDED, variant, "relay", rows=partial(looking_one_way, check, variant)) for variant in variants
    )


def looking_one_way(check: Callable[[Case], Iterator[Comparison]], variant: str) -> list[Comparison]:
    """The comparisons of one variant on `one_sided_relay`."""
    return [row for row in check(one_sided_relay()) if row.hypothesis == variant]


@cache
def one_sided_relay() -> Case:
    """The relay with D over cells {i, …, i+κ}, away from where the bit comes from."""
    known = uniform_case("relay", relay(4, gamma=0.9))
    D = np.zeros_like(known.D)
    for i in range(known.mdp.n):
        Q_i = known.Q(i)
        for kappa in range(D.shape[1]):
            D[i, kappa] = oscillation(Q_i, tuple(range(i, min(i + kappa, known.mdp.n - 1) + 1))).max()
    return dataclasses.replace(known, D=D)
