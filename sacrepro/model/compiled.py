"""How loops are compiled: what is kept on disk is used for as long as no file that a kernel may call has changed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

#: Rooms with kernels, and with what kernels call and read.
ROOMS = ("model", "simulate", "exact", "learn")


def njit(**options: Any) -> Callable[[F], F]:
    """`numba.njit` with these options, kept on disk.

    By itself numba looks at the file of a kernel alone: a kernel that calls one of another file, or reads a number
    there, would go on as if that file had never changed.
    """

    def decorated(function: F) -> F:
        kernel = numba.njit(cache=True, **options)(function)
        kept = getattr(getattr(kernel, "_cache", None), "_cache_file", None)  # none with NUMBA_DISABLE_JIT
        if kept is not None:
            kept._source_stamp = _stamp()
        return cast(F, kernel)

    return decorated


@functools.cache
def _stamp() -> tuple[tuple[str, int, int], ...]:
    """Path, time of the last change and size of each file of `ROOMS`."""
    root = Path(__file__).parents[1]
    files = ((path, path.stat()) for room in ROOMS for path in (root / room).rglob("*.py"))
    return tuple(sorted((str(path.relative_to(root)), found.st_mtime_ns, found.st_size) for path, found in files))


#: IEEE arithmetic as written, neither reassociated nor fused: a kernel rounds as Python does.
compiled = njit(nogil=True, error_model="numpy", fastmath=False)
