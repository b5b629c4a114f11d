"""What the figures about runs say, as their titles: read off all rows behind them, so that it is true of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sacrepro.study.drawings.messages import several
from sacrepro.study.drawings.panels import names
from sacrepro.study.experiments.exact_bias import BiasRow
from sacrepro.study.experiments.methods import EXACT
from sacrepro.study.experiments.summary import SummaryRow


def say_exact_bias(rows: Sequence[BiasRow]) -> str:
    """Which κ is closest to ∇J at the shortest and at the longest T."""
    best = {T: {row.kappa for row in rows if row.T == T and row.best} for T in sorted({row.T for row in rows})}
    return "Closest to ∇J in the mean: " + spans(best)


def say_critic_error(rows: Sequence[SummaryRow]) -> str:
    """Which κ has the least mean |Q_i - Q̂_i^T| at each T."""
    far = [row for row in rows if row.quantity == "to_Q"]
    best = {int(T): {*best_at(far, T, 1.0).values()} for T in sorted({row.x for row in far})}
    return "Closest to Qᵢ after T steps: " + spans(best)


def spans(best: Mapping[int, set[int]]) -> str:
    """Runs of T with the same best κ, in words."""
    runs: list[tuple[list[int], set[int]]] = []
    for T, kappas in best.items():
        if runs and runs[-1][1] == kappas:
            runs[-1][0].append(T)
        else:
            runs.append(([T], kappas))
    told = []
    for lengths, kappas in runs:
        where = f"T = {lengths[0]:,}" + (f" to {lengths[-1]:,}" if len(lengths) > 1 else "")
        told.append(f"{one_of(kappas)} at {where}")
    return "; ".join(told)


def one_of(kappas: Iterable[int]) -> str:
    """One κ or several."""
    return f"κ = {' or '.join(map(str, sorted({*kappas})))}" if kappas else "none clearly"


def best_at(rows: Sequence[SummaryRow], x: float | None, sign: float) -> dict[str, int]:
    """For each instance the κ whose middle is least at x, by default the last; `sign` -1: the largest."""
    found = {}
    for name in names(rows):
        own = [row for row in rows if row.instance == name]
        place = max(row.x for row in own) if x is None else x
        found[name] = min((sign * row.iqm, int(row.series)) for row in own if row.x == place)[1]
    return found


def returns(quantity: str, words: str) -> Callable[[Sequence[SummaryRow]], str]:
    """Which κ ends with the largest return, on how many instances."""

    def told(rows: Sequence[SummaryRow]) -> str:
        best = best_at([row for row in rows if row.quantity == quantity], None, -1.0)
        counts = {kappa: sum(own == kappa for own in best.values()) for kappa in sorted({*best.values()})}
        shares = ", ".join(f"κ = {kappa} on {count}" for kappa, count in counts.items())
        return f"Largest {words} at the end, at equal samples: {shares} of {several(len(best), 'instance')}"

    return told


def falls(words: str) -> Callable[[Sequence[SummaryRow]], str]:
    """By what factor ‖∇J‖² and the first-order gap change along the runs."""

    def told(rows: Sequence[SummaryRow]) -> str:
        factors = {quantity: changes(rows, quantity) for quantity in ("gradient_norm_squared", "gap")}
        return words + ", ".join(
            f"{label} ends at {min(own):.1g} to {max(own):.1g} of its start"
            for label, own in zip(("‖∇J‖²", "the first-order gap"), factors.values(), strict=True)
            if own
        )

    return told


def changes(rows: Sequence[SummaryRow], quantity: str) -> list[float]:
    """Last over first middle of each curve."""
    found = []
    for instance, series in dict.fromkeys((row.instance, row.series) for row in rows if row.quantity == quantity):
        own = sorted(
            (row.x, row.iqm) for row in rows if (row.instance, row.series, row.quantity) == (instance, series, quantity)
        )
        if own[0][1] > 0:
            found.append(own[-1][1] / own[0][1])
    return found


def say_extensions(rows: Sequence[SummaryRow]) -> str:
    """The method with the largest J on each instance."""
    told = []
    for name in names(rows):
        own = [row for row in rows if (row.instance, row.quantity) == (name, "J")]
        last = [row for row in own if row.x == max(other.x for other in own)]
        learned = [row for row in last if row.series.split(" | ")[0] != EXACT]
        if learned:
            told.append(f"{max(learned, key=lambda row: row.iqm).series.split(' | ')[0]} on {name}")
    return f"Largest J at equal samples: {', '.join(told)}"


MESSAGES = {
    "exact_bias": say_exact_bias,
    "critic_error": say_critic_error,
    "objective": returns("J", "J"),
    "learning": returns("J_estimate", "sampled return"),
    "simulated": returns("J", "simulated J"),
    "stationarity": falls("Along Algorithm 1 "),
    "patient": falls("Along TD's limit, without sampling, "),
    "extensions": say_extensions,
}
