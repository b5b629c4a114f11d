"""The time that advice may take: one budget, a record of what it cut short, and what is told meanwhile.

Compiling happens once an installation and is in no budget, so that a first call says what a second one does.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from numba.core import event

#: Seconds between two lines of progress where standard error is no terminal; seconds of compiling that are worth one.
SILENT, COMPILED = 5.0, 1.0

#: Of numba's lock, which it holds to compile a kernel or to load one that was compiled; and of compiling alone.
_lock, _compiling = event.TimingListener(), event.TimingListener()
event.register("numba:compiler_lock", _lock)
event.register("numba:compile", _compiling)


def preparing() -> float:
    """Seconds that went into compiling kernels, and into loading what was compiled, since this room was loaded."""
    return float(_lock.duration) if _lock.done else 0.0


def compiling() -> float:
    """Seconds of these in which kernels were compiled that no file held."""
    return float(_compiling.duration) if _compiling.done else 0.0


def working() -> float:
    """Seconds from some moment on, without those of `preparing`: differences count."""
    return time.monotonic() - preparing()


class Clock:
    """Seconds since it was made, without those of `preparing`, against a budget.

    cut : what was left out or stopped early because the budget was spent, in the order in which it happened.
    last : the last κ for which something was computed, whatever the budget.
    """

    def __init__(self, seconds: float, progress: Callable[[str], None] | None = None) -> None:
        self.seconds = seconds
        self.cut: list[str] = []
        self.last: dict[str, int] = {}
        self._begin = working()
        self._progress = progress

    def left(self, share: float = 1.0) -> float:
        """Seconds until this share of the budget is spent, at least 0."""
        return max(0.0, share * self.seconds - (working() - self._begin))

    def say(self, what: str) -> None:
        """Tell whoever waits what is being done."""
        if self._progress is not None:
            self._progress(what)

    def stop(self, what: str) -> None:
        """Note what the budget cut, once."""
        if what not in self.cut:
            self.cut.append(what)

    def reach(self, what: str, kappa: int) -> None:
        """Note the last κ for which something is computed, of several the largest; -1 for none."""
        self.last[what] = max(kappa, self.last.get(what, kappa))

    def short_of(self, kappa: int) -> tuple[str, ...]:
        """What was computed, but not up to κ."""
        short = [(what, last) for what, last in self.last.items() if last < kappa]
        return tuple(what if last < 0 else f"{what} beyond κ = {last}" for what, last in short)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """A function that says on standard error what is being done, once it takes long: one line, the last word only.

    In the end it is told how long compiling took, where it took long.
    """
    begin, compiled = time.monotonic(), compiling()

    def tell(what: str) -> None:
        nonlocal begin
        now = time.monotonic()
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{what}")
            sys.stderr.flush()
        elif what and now - begin >= SILENT:
            sys.stderr.write(f"{what} …\n")
            begin = now

    yield tell
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
    if (took := compiling() - compiled) >= COMPILED:
        sys.stderr.write(f"Compiling took {took:.0f} s, once: it is kept, no later call compiles this again.\n")
