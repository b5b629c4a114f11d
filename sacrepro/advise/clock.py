"""The time that advice may take: one budget for everything, and a record of what it cut short."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Seconds since it was made, against a budget.

    cut : what was left out or stopped early because the budget was spent, in the order in which it happened.
    """

    def __init__(self, seconds: float, progress: Callable[[str], None] | None = None) -> None:
        self.seconds = seconds
        self.cut: list[str] = []
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
