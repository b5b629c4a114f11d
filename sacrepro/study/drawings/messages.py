"""What the figure of a claim says, as its title: read off all rows behind it, so that it is true of the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from sacrepro.study.drawings.panels import names
from sacrepro.study.record.comparison import (
    Comparison,
    attained,
    claim_is_identity,
    constrains,
    excess_of,
    factor_text,
    holds,
)


def of_claim(rows: Sequence[Comparison], words: str) -> str:
    """On how many instances the right side is attained, and how close the others come."""
    words = (words[:1].upper() + words[1:]).replace("∇_{θ_i}", "∇_i").replace("_i", "ᵢ")
    if wrong := sorted({row.instance for row in rows if not holds(row)}):
        return f"{words}: violated on {', '.join(wrong)}"
    if claim_is_identity(rows):
        return f"{words}: equal up to the certified error on {several(len(names(rows)), 'instance')}"
    said = [row for row in rows if constrains(row)]
    if not said:
        excess = excess_of(rows)
        told = f", right sides at least {factor_text(excess)} times the trivial bound" if excess > 0 else ""
        return f"{words}: nothing is said here{told}"
    equal = {row.instance for row in said if attained(row)}
    worst = {name: max(row.left / row.right for row in said if row.instance == name) for name in names(said)}
    others = [ratio for name, ratio in worst.items() if name not in equal]
    parts = [f"attained on {len(equal)} of {several(len(worst), 'instance')}"] if equal else []
    if others:
        where = "elsewhere" if equal else f"on {several(len(others), 'instance')}"
        parts.append(f"{where} left/right is {max(others):.2g} at most, {median(others):.2g} in the median")
    return f"{words}: {'; '.join(parts)}"


def theorem5_sharp(rows: Sequence[Comparison], words: str) -> str:
    """How far below what holds at every θ the bound along runs is, and how far above what is achieved."""
    own = [row for row in rows if row.hypothesis == "as run"]
    if not own or not all(map(holds, rows)) or not all(row.right < row.trivial < math.inf for row in own):
        return of_claim(rows, words)
    gain = factor_text(min(row.trivial / row.right for row in own))
    where = several(len(names(own)), "instance")
    words = "Along Algorithm 1 the bound with the squared bias is below what holds at every θ"
    return f"{words}, by a factor of {gain} or more, on {where}"


def several(count: int, word: str) -> str:
    """A number of things."""
    return f"{count} {word}{'' if count == 1 else 's'}"


#: Of the claims that say something else than how close their right sides come; called with the claim's words, too.
OF_CLAIMS: Mapping[str, Callable[..., str]] = {"theorem5_sharp": theorem5_sharp}
