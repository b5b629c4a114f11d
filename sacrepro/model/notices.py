"""What is said beside results: warnings of input that was probably meant otherwise, and records in one line."""

from __future__ import annotations

import difflib
import math
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

Kind = TypeVar("Kind")

#: Entries of an array that are written out, and letters of a tuple.
_FEW, _LONG = 4, 60

#: Words that an unknown one is compared with.
MOST_MEANT = 2000

#: Where a name such as trio_90 leads, which is no model.
OF_THE_STUDY = "; instances of the study by name: `instances:` of workflow/config/paper.yaml, each with its `spec`"

#: Counts of up to so many digits are written out.
WRITTEN_OUT = 9


class InputWarning(UserWarning):
    """Input that has a meaning, but probably not the one that was meant; the text says what to pass instead.

    >>> import warnings
    >>> from sacrepro import build, expected_update, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> with warnings.catch_warnings(record=True) as doubts:
    ...     warnings.simplefilter("always")
    ...     step = expected_update(mdp, uniform_theta(mdp), kappa=9, T=20, h=2, t0=4)  # nobody is nine hops away
    >>> [doubt.category.__name__ for doubt in doubts]
    ['InputWarning']
    """


def warn(text: str, category: type[Warning] = InputWarning) -> None:
    """Warn with `text`, at the line that called into this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "sacrepro":
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)


def beyond_diameter(kappa: int, diameter: int) -> str:
    """What runs and their laws warn of, and several κ side by side are refused for: likely a slip."""
    return (
        f"kappa = {kappa} is beyond the diameter of the graph, {diameter}: every N_i^κ holds all agents that i "
        f"can reach, so the run is that of kappa = {diameter}"
    )


def meant(word: str, known: Iterable[str]) -> str:
    """What the end of a refusal asks where one of the first `MOST_MEANT` known words is close, whatever the case."""
    spellings: dict[str, list[str]] = {}
    for name in islice(known, MOST_MEANT):
        spellings.setdefault(name.casefold(), []).append(name)
    if not (close := difflib.get_close_matches(word.casefold(), spellings, 1)):
        return ""
    (nearest,) = difflib.get_close_matches(word, spellings[close[0]], 1, cutoff=0.0)
    return f"; did you mean {nearest!r}?"


@contextmanager
def brought_by(extra: str) -> Iterator[None]:
    """What is imported inside comes with this extra of the package: ModuleNotFoundError says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        told = f"{error}; in the folder of the repository, pip install -e '.[{extra}]' brings it"
        raise ModuleNotFoundError(told, name=error.name, path=error.path) from None


def repeated(option: str, text: str) -> str:
    """What the end of a refusal says of parts between commas, given to an option that takes one of them at a time."""
    return f"; repeat {option}: {shlex.join(word for part in text.split(',') for word in (option, part.strip()))}"


def brief(record: Any, *names: str) -> str:
    """One line for a NamedTuple, or of `names` alone: numbers are written out, arrays and tuples of arrays by shape."""
    fields = ", ".join(f"{name}={_short(getattr(record, name))}" for name in names or record._fields)
    return f"{type(record).__name__}({fields})"


def in_one_line(kind: type[Kind]) -> type[Kind]:
    """A NamedTuple that shows itself by `brief`."""
    kind.__repr__ = brief  # type: ignore[method-assign]
    return kind


def described(model: Any) -> str:
    """One line for what has a graph, sizes and γ: a model, a network file's, a simulator; r̄ where it is known."""
    S, A = (sizes(tuple(map(int, numbers))) for numbers in (model.state_sizes, model.action_sizes))
    told = f"n={len(model.graph)}, edges={model.graph.number_of_edges()}, S={S}, A={A}, γ={model.gamma:g}"
    return f"{type(model).__name__}({told}{f', r̄={model.r_bar:g}' if hasattr(model, 'r_bar') else ''})"


def sizes(numbers: tuple[int, ...]) -> str:
    """(S_0, …, S_{n-1}) in short: one number where all are equal."""
    if len(set(numbers)) == 1:
        return str(numbers[0])
    return str(numbers) if len(numbers) <= 8 else f"{min(numbers)}..{max(numbers)}"


def _short(value: Any) -> str:
    import numpy as np  # for which a typing error on the command line does not wait

    if isinstance(value, np.ndarray):
        if 0 < value.size <= _FEW and value.ndim == 1:
            return "[" + ", ".join(f"{float(x):.6g}" for x in value) + "]"
        return f"array{value.shape}"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.10g}"
    if hasattr(value, "_fields"):
        return f"{type(value).__name__}(…)"
    if isinstance(value, tuple) and value and all(isinstance(x, np.ndarray) for x in value):
        shapes = sorted({x.shape for x in value})
        return f"{len(value)} arrays {' '.join(str(shape) for shape in shapes[:_FEW])}"
    if isinstance(value, tuple) and (len(value) > _FEW or len(repr(value)) > _LONG):
        return f"{len(value)} of {type(value[0]).__name__}"
    return repr(value)


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table of texts, for a terminal: two blanks between columns, cells at the right of theirs."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def rounded(count: int) -> str:
    """A count as a person reads it: written out below a billion, two digits and a power of ten from there on."""
    return f"{count:,}" if count < 10**WRITTEN_OUT else power(math.log10(count))


def power(logarithm: float) -> str:
    """`rounded` of a count that is given by its logarithm to base 10."""
    if logarithm < WRITTEN_OUT:
        return f"{round(10**logarithm):,}"
    exponent = math.floor(logarithm)
    tenths = round(10.0 ** (logarithm - exponent + 1.0))
    return f"{tenths / 10:.1f}e{exponent}" if tenths < 100 else f"1.0e{exponent + 1}"


def digits(value: float) -> str:
    """Three digits, or a question mark for NaN."""
    return "?" if math.isnan(value) else f"{value:.3g}"


def upward(value: float) -> str:
    """Two digits, rounded up."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0.0 else 1.0
    return f"{math.ceil(value / unit) * unit:.3g}"


def byte_count(logarithm: float) -> str:
    """Bytes given by their logarithm to base 10."""
    count = float(round(10.0 ** min(logarithm, 15.0)))
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000.0
    return f"{power(logarithm)} B"


def duration(value: float) -> str:
    """Seconds, or minutes or hours where there are many."""
    return f"{value:.2g} s" if value < 100 else f"{value / 60:.3g} min" if value < 6000 else f"{value / 3600:.3g} h"
