"""Refusals: a request that cannot fit says so before it starts."""

from __future__ import annotations

#: What is assumed to be free where the operating system does not tell.
FALLBACK_BYTES = 2 << 30

#: The share of the free memory that one request may take.
SHARE = 0.8


def available_bytes() -> int:
    """Bytes that can be allocated now: MemAvailable where the system tells, `FALLBACK_BYTES` elsewhere."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return FALLBACK_BYTES


def allowed_bytes(limit: int | None) -> int:
    """`limit`, by default `SHARE` of the free memory."""
    return int(SHARE * available_bytes()) if limit is None else limit


def readable_count(number: int) -> str:
    """A count in full where that is short, by its power of ten beyond: the message must stay one line."""
    return str(number) if number < 10**15 else f"10^{len(str(number)) - 1}"


def demand(what: str, needed: int, limit: int | None, instead: str) -> None:
    """Raise MemoryError unless `needed` bytes fit under `limit`, by default a share of the free memory.

    what, instead : the request and what would fit, for the message.
    """
    allowed = allowed_bytes(limit)
    if needed > allowed:
        raise MemoryError(f"{what} needs {_readable(needed)}, but {_readable(allowed)} are allowed; {instead}")


def _readable(number: int) -> str:
    if number >= 10**18:
        return f"10^{len(str(number)) - 13} TB"
    size = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError
