"""One look for every figure: the style sheet, the colours of κ, names as they are written."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from importlib.resources import files

import matplotlib as mpl
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

#: Okabe-Ito colours, safe for colour-blind readers: κ = 0, 1, 2, …
KAPPA_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
#: What tells κ = 7, 8, … from those that have the same colour: marker and line.
KAPPA_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
KAPPA_LINES = ("-", "--", "-.", ":")
BOUND_COLOR = "#444444"


def kappa_color(kappa: int) -> str:
    """The colour of κ, in every figure; the seven colours come again from κ = 7 on."""
    return KAPPA_COLORS[kappa % len(KAPPA_COLORS)]


def kappa_marker(kappa: int) -> str:
    """The marker of κ where κ is told by marker and colour alone."""
    return KAPPA_MARKERS[kappa // len(KAPPA_COLORS) % len(KAPPA_MARKERS)]


def kappa_line(kappa: int) -> str:
    """The line of κ where κ is told by line and colour alone."""
    return KAPPA_LINES[kappa // len(KAPPA_COLORS) % len(KAPPA_LINES)]


def kappa_label(kappa: int) -> str:
    """κ's entry in a legend."""
    return rf"$\kappa={kappa}$"


@contextlib.contextmanager
def house_style() -> Iterator[None]:
    """The style sheet, for the time of a drawing."""
    sheet = files("sacrepro.study.drawings") / "house.mplstyle"
    with mpl.rc_context():
        mpl.rcParams.update(mpl.rc_params_from_file(str(sheet), use_default_template=False))
        yield


def names(rows: Sequence[object]) -> list[str]:
    """The instances that occur in `rows`, in order of appearance."""
    return list(dict.fromkeys(row.instance for row in rows))  # type: ignore[attr-defined]


@functools.cache
def width_of(text: str, size: float, mathematics: bool = False) -> float:
    """The width of one line of text, in points."""
    font = FontProperties(family="DejaVu Sans", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=mathematics)
    return float(width)


#: The widest name, in points: that of about 22 letters.
WIDEST = 132.0


def literal(name: str, widest: float = WIDEST, size: float = 9.0) -> str:
    """A name as a label that shows it letter by letter, on one line, the middle left out where it is too wide.

    A dollar begins no formula, a leading underscore hides no entry of a legend; what has no glyph is dropped.
    """
    text = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())
    shown, kept = text, len(text)
    while width_of(shown, size) > widest and kept > 1:
        kept -= 1
        shown = text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]
    return ("\N{HAIR SPACE}" if shown.startswith("_") else "") + shown.replace("$", r"\$")
