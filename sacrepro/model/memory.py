"""Refusals: a request that cannot fit says so before it starts, whatever else the machine is doing then."""

from __future__ import annotations

import os
from functools import cache

#: What is assumed to be there where the operating system does not tell.
FALLBACK_BYTES = 2 << 30

#: The share of the memory that one request may take.
SHARE = 0.8

#: Axes that an array of numpy has at most.
MOST_AXES = 64

#: Bytes that this process was given, as a job of the workflow is; all memory if none.
_given: list[int] = []


def give(amount: int) -> None:
    """Let requests of this process count on so many bytes, and no more."""
    _given[:] = [amount]


def memory_bytes() -> int:
    """Bytes that this process was given, by default all that the machine has, free or not."""
    return _given[0] if _given else machine_bytes()


@cache
def machine_bytes() -> int:
    """Bytes that the machine has; asked once, for a call to the system is a good part of what a small model takes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return FALLBACK_BYTES


def allowed_bytes(limit: int | None) -> int:
    """`limit`, by default `SHARE` of the memory."""
    return int(SHARE * memory_bytes()) if limit is None else limit


def readable_count(number: int) -> str:
    """A count in full where that is short, by its power of ten beyond: the message must stay one line."""
    return str(number) if number < 10**15 else f"10^{len(str(number)) - 1}"


def demand(what: str, needed: int, limit: int | None, instead: str) -> None:
    """Raise MemoryError unless `needed` bytes fit under `limit`, by default a share of the memory.

    what, instead : the request and what would fit, for the message.
    """
    allowed = allowed_bytes(limit)
    if needed > allowed:
        raise MemoryError(f"{what} needs {_readable(needed)}, but {_readable(allowed)} are allowed; {instead}")


def demand_axes(n: int, before: int = 1, each: int = 1) -> None:
    """Raise ValueError unless an array can have `each` axes for each of n agents, and `before` more."""
    most = (MOST_AXES - before) // each
    if n > most:
        raise ValueError(
            f"a table over all {n} agents has {'an axis' if each == 1 else f'{each} axes'} an agent, and an array of "
            f"numpy {MOST_AXES} axes at most: {most} agents are taken; local_value and local_decay take any number"
        )


def _readable(number: int) -> str:
    if number >= 10**18:
        return f"10^{len(str(number)) - 13} TB"
    size = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError
