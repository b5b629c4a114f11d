"""CPU-seconds of a job by cause, as the clock of its process counts them: the last line of its log, for `bench run`.

Each moment belongs to the innermost cause. start: the interpreter, and imports until the job's function is called.
compile: numba holds its lock, to compile a kernel or to load one that was. figures: the style sheet of figures is in
force. numerics: everything else, reading and writing and other programs among it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

CAUSES = ("start", "compile", "figures", "numerics")

#: What the last line of a log begins with.
RECORD = "CPU-seconds:"

_seconds = dict.fromkeys(CAUSES, 0.0)
_causes = ["start"]
_charged = 0.0


def charge() -> None:
    """What was spent since the last call goes to the cause of now."""
    global _charged
    now = time.process_time()
    _seconds[_causes[-1]] += now - _charged
    _charged = now


def enter(cause: str) -> None:
    """From now on `cause`, until `leave`."""
    charge()
    _causes.append(cause)


def leave() -> None:
    """Back to the cause before."""
    charge()
    _causes.pop()


@contextlib.contextmanager
def spent_on(cause: str) -> Iterator[None]:
    """What the process spends meanwhile belongs to a cause."""
    enter(cause)
    try:
        yield
    finally:
        leave()


def watch_compiler() -> None:
    """Once numba is loaded: what it spends under its lock is `compile`."""
    if "numba" not in sys.modules:
        return
    from numba.core import event

    class Watch(event.Listener):  # type: ignore[misc]
        """Of a lock that is taken and given back."""

        def on_start(self, event: Any) -> None:
            enter("compile")

        def on_end(self, event: Any) -> None:
            leave()

    if not any(type(known).__qualname__ == Watch.__qualname__ for known in event._registered["numba:compiler_lock"]):
        event.register("numba:compiler_lock", Watch())


def record() -> str:
    """What was spent on each cause so far, in one line."""
    charge()
    children = os.times()
    found = _seconds | {"numerics": _seconds["numerics"] + children.children_user + children.children_system}
    return f"{RECORD} " + ", ".join(f"{cause} {found[cause]:.3f}" for cause in CAUSES)
