"""Labels that a reader cannot tell apart: two agents in the file, one in the mind of whoever wrote it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sacrepro.model.notices import warn

#: Cyrillic and Greek letters that look like Latin ones.
LATIN = str.maketrans(
    "асеһіјоԛрѕухԝАВЕЅІЈКМНОРСТУХԜԚ" + "αινορυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "acehijoqpsyxwABESIJKMHOPCTYXWQ" + "aivopuxABEZHIKMNOPTYX",
)
NUMBER = re.compile(r"([-+]?)0*(\d+?)(?:\.0*)?").fullmatch


def appearance(label: str) -> str:
    """One text for all labels that look like `label`, or are the same number written differently."""
    if not label.isascii():
        kept = "".join(x for x in unicodedata.normalize("NFKC", label) if unicodedata.category(x) not in ("Cf", "Cc"))
        label = unicodedata.normalize("NFC", kept.translate(LATIN))
    label = " ".join(label.split())
    if label[:1].isalpha() or not (number := NUMBER(label)):
        return label
    return number[1].removeprefix("+") + number[2]


def warn_of_look_alikes(labels: Iterable[str], where: str, what: str) -> None:
    """An `InputWarning` for the first two labels that look alike, and how many more do."""
    seen: dict[str, str] = {}
    alike = []
    for label in labels:
        other = seen.setdefault(appearance(label), label)
        if other != label:
            alike.append((other, label))
    if alike:
        more = f" (and {len(alike) - 1:,} more)" if len(alike) > 1 else ""
        first, second = (ascii(label) for label in alike[0])
        warn(
            f"{where}: {first} and {second} look alike{more}, but are two {what}; write one label in one way, if they "
            "are one"
        )
