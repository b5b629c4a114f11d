"""The time that advice may take: one budget, a record of what it cut short, and what is told meanwhile."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

#: Seconds between two lines of progress where standard error is no terminal.
SILENT = 5.0


class Clock:
    """Seconds since it was made, against a budget.

    cut : what was left out or stopped early because the budget was spent, in the order in which it happened.
    last : the last κ for which something was computed, whatever the budget.
    """

    def __init__(self, seconds: float, progress: Callable[[str], None] | None = None) -> None:
        self.seconds = seconds
        self.cut: list[str] = []
        self.last: dict[str, int] = {}
        self._begin = time.monotonic()
        self._progress = progress

    def left(self, share: float = 1.0) -> float:
        """Seconds until this share of the budget is spent, at least 0."""
        return max(0.0, share * self.seconds - (time.monotonic() - self._begin))

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
    """A function that says on standard error what is being done, once it takes long: one line, the last word only."""
    begin = time.monotonic()

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
