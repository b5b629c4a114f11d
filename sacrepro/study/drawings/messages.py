"""What figures other than those of claims say, as their titles: read off all rows behind them, so true of the run.

Nothing, where the rows have not what the title is about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean, stdev

from sacrepro.study.audit.adversary import Found
from sacrepro.study.drawings.panels import names, several
from sacrepro.study.experiments.environments import EnvironmentRow
from sacrepro.study.experiments.exact_bias import GRADIENT, MEAN_STEP, STARTS, BiasRow, MeanRow, WarmRow
from sacrepro.study.experiments.gallery import GalleryRow
from sacrepro.study.experiments.methods import EXACT
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.experiments.table1 import Table1Row
from sacrepro.study.experiments.wireless import METHODS, RECORDED, WirelessRow
from sacrepro.study.record.comparison import JUDGEMENTS, Verdict, at_end, by, percent


def closest(rows: Sequence[BiasRow]) -> dict[int, set[int | None]]:
    """By T, the κ that is closest to ∇J on some instance; None where on some instance no κ is."""
    found: dict[int, dict[str, int | None]] = {}
    for row in sorted(rows, key=lambda row: row.T):
        at = found.setdefault(row.T, {})
        at[row.instance] = row.kappa if row.best else at.get(row.instance)
    return {T: {*at.values()} for T, at in found.items()}


def say_exact_bias(rows: Sequence[BiasRow]) -> str:
    """Which κ is closest to ∇J at the shortest and at the longest T."""
    return "Closest to ∇J in the mean: " + spans(closest(rows))


def say_mean_step(rows: Sequence[MeanRow]) -> str:
    """How far the mean of the seeds ends from the curve of the mean step, in standard errors, by η."""
    off = {
        eta: [behind(rows, name, eta) for name in names([row for row in rows if row.eta == eta])]
        for eta in sorted({row.eta for row in rows})
    }
    where = "below" if all(value > 0.0 for own in off.values() for value in own) else "off"
    told = ", ".join(f"{reach(own)} at η = {eta:g}" for eta, own in off.items())
    return f"The mean of the seeds ends {where} the curve of the mean step, in standard errors: {told}"


def behind(rows: Sequence[MeanRow], instance: str, eta: float) -> float:
    """How many standard errors the seeds' mean J ends below that of the mean step; below 0: above it."""
    own = [row for row in rows if (row.instance, row.eta) == (instance, eta)]
    last = {row.run: row.J for row in at_end(own, "m")}
    seeds = [J for run, J in last.items() if run not in (MEAN_STEP, GRADIENT)]
    error = stdev(seeds) / math.sqrt(len(seeds))
    gap = last[MEAN_STEP] - fmean(seeds)
    return gap / error if error > 0.0 else math.copysign(math.inf, gap) if gap else 0.0


def reach(values: Sequence[float]) -> str:
    """One number, or the least and the largest, by size."""
    low, high = (f"{own(map(abs, values)):.1f}" for own in (min, max))
    return low if low == high else f"{low} to {high}"


def say_warm_start(rows: Sequence[WarmRow]) -> str:
    """What a warm start leaves of a zero start's bias after the most loops, and one loop of as many steps, by κ."""
    told = []
    for kappa in sorted({row.kappa for row in rows}):
        shares = {start: [share(rows, name, kappa, start) for name in names(rows)] for start in STARTS[1:]}
        words = zip(("warm start", "one long loop"), shares.values(), strict=True)
        told.append(f"κ = {kappa}: " + ", ".join(f"{word} {percent(own)}" for word, own in words))
    return "Of a zero start's bias is left at equal samples, at " + "; at ".join(told)


def share(rows: Sequence[WarmRow], instance: str, kappa: int, start: str) -> float:
    """The bias after as many loops as all starts have, over that of a zero start."""
    own = {(row.start, row.m): row.bias for row in rows if (row.instance, row.kappa) == (instance, kappa)}
    last = max(m for begin, m in own if begin == STARTS[2])
    return own[start, last] / own[STARTS[0], last]


def say_critic_error(rows: Sequence[SummaryRow]) -> str:
    """Which κ has the least mean |Q_i - Q̂_i^T| at each T."""
    far = [row for row in rows if row.quantity == "to_Q"]
    best = {int(T): {*best_at(far, T, 1.0).values()} for T in sorted({row.x for row in far})}
    return "Closest to Qᵢ after T steps: " + spans(best) if best else ""


def spans(best: Mapping[int, Iterable[int | None]]) -> str:
    """Runs of T with the same best κ, in words."""
    runs = [(kappas, list(lengths)) for kappas, lengths in groupby(best, key=lambda T: one_of(best[T]))]
    return "; ".join(
        f"{kappas} at T = {lengths[0]:,}" + (f" to {lengths[-1]:,}" if len(lengths) > 1 else "")
        for kappas, lengths in runs
    )


def one_of(kappas: Iterable[int | None]) -> str:
    """One κ or several; None, or nothing, where no κ is the best beyond the errors."""
    known = sorted({kappa for kappa in kappas if kappa is not None})
    told = [f"κ = {' or '.join(map(str, known))}"] if known else []
    return " or ".join(told + ["none clearly"] * (not known or None in kappas))


def best_at(rows: Sequence[SummaryRow], x: float | None, sign: float) -> dict[str, int]:
    """By instance with rows there, the κ whose middle is least at x, the last by default; `sign` -1: largest."""
    found = {}
    for name, own in by(rows, "instance").items():
        place = max(row.x for row in own) if x is None else x
        if at := [(sign * row.iqm, int(row.series)) for row in own if row.x == place]:
            found[name] = min(at)[1]
    return found


def returns(quantity: str, words: str) -> Callable[[Sequence[SummaryRow]], str]:
    """Which κ ends with the largest return, on how many instances."""

    def told(rows: Sequence[SummaryRow]) -> str:
        best = best_at([row for row in rows if row.quantity == quantity], None, -1.0)
        counts = {kappa: sum(own == kappa for own in best.values()) for kappa in sorted({*best.values()})}
        shares = ", ".join(f"κ = {kappa} on {count}" for kappa, count in counts.items())
        of = several(len(best), "instance")
        return f"Largest {words} at the end, at equal samples: {shares} of {of}" if best else ""

    return told


def falls(words: str) -> Callable[[Sequence[SummaryRow]], str]:
    """By what factor ‖∇J‖² and the first-order gap change along the runs."""

    def told(rows: Sequence[SummaryRow]) -> str:
        labels = {"gradient_norm_squared": "‖∇J‖²", "gap": "the first-order gap"}
        parts = [
            f"{label} ends at {min(own):.1g} to {max(own):.1g} of its start"
            for quantity, label in labels.items()
            if (own := changes(rows, quantity))
        ]
        return words + ", ".join(parts) if parts else ""

    return told


def changes(rows: Sequence[SummaryRow], quantity: str) -> list[float]:
    """Last over first middle of each curve."""
    curves = by((row for row in rows if row.quantity == quantity), "instance", "series").values()
    ends = [(min(own, key=lambda row: row.x).iqm, max(own, key=lambda row: row.x).iqm) for own in curves]
    return [last / first for first, last in ends if first > 0]


def final_returns(rows: Sequence[SummaryRow]) -> dict[str, dict[str, float]]:
    """By instance, the J with which each method that samples ends, at the step size that is best for it."""
    found: dict[str, dict[str, float]] = {}
    for name, own in by((row for row in rows if row.quantity == "J"), "instance").items():
        for row in at_end(own, "x"):
            method = row.series.split(" | ")[0]
            if method != EXACT:
                known = found.setdefault(name, {})
                known[method] = max(row.iqm, known.get(method, row.iqm))
    return found


#: The methods in words, κ that of the experiment where none is named; without words by their own name.
TOLD = {
    "SAC": "SAC, Algorithm 1",
    "independent": "independent learners: SAC at κ = 0",
    "full critic": "SAC whose critics see everybody",
    "warm start": "SAC, tables kept from episode to episode",
    "TD(λ)": "SAC with TD(λ)",
    "advantages": "SAC with advantages in line 11",
    "warm start, advantages": "SAC, tables kept, advantages",
    "ε-mixed": "SAC, policies mixed with the uniform one",
    "pairwise critic": "SAC, critics sums over pairs within κ",
    "pairwise critic, full": "SAC, critics sums over all pairs",
    "REINFORCE": "REINFORCE, returns within κ hops",
    "REINFORCE, full": "REINFORCE, returns of everybody",
    "SARSA": "SARSA, ε-greedy",
    "Q-learning": "Q-learning, ε-greedy",
    EXACT: "ascent along the exact ∇J",
}


def best_method(returns: Mapping[str, float]) -> str:
    """The method with the largest J, in words; of equal ones the first."""
    best = max(returns, key=lambda method: returns[method])
    return TOLD.get(best, best)


def say_extensions(rows: Sequence[SummaryRow]) -> str:
    """The method with the largest J on each instance."""
    told = "; ".join(f"{best_method(own)} on {name}" for name, own in final_returns(rows).items())
    return f"Largest J at equal samples: {told}" if told else ""


def say_gallery(rows: Sequence[GalleryRow]) -> str:
    """On how many networks Algorithm 1 earns more than the expert's rule, on average over the seeds of its better κ."""
    won, cases = 0, by((row for row in rows if row.what == "J"), "instance")
    for J in cases.values():
        rule = next(row.high for row in J if row.policy == "expert's rule")
        runs = by((row for row in J if row.kappa >= 0), "kappa").values()
        won += max(sum(row.value for row in own) / len(own) for own in runs) > rule
    return f"SAC earns more than an expert's rule on {won} of {several(len(cases), 'network')}"


say_objective = returns("J", "J")
say_learning = returns("J_estimate", "sampled return")
say_simulated = returns("J", "simulated J")
say_stationarity = falls("Along Algorithm 1 ")
say_exact_critic = falls("Along TD's limit, without sampling, ")


def say_overview(rows: Sequence[Verdict]) -> str:
    """How many right sides have which verdict."""
    judged = [row for row in rows if row.verdict in JUDGEMENTS]
    counts = {name: sum(row.verdict == name for row in judged) for name in JUDGEMENTS}
    first = f"{counts['violated'] or 'None'} of {several(len(judged), 'right side')} is violated"
    return f"{first}, {counts['tight']} are attained, {counts['vacuous']} say nothing here"


def say_adversary(rows: Sequence[Found]) -> str:
    """How much closer the climb and the built instances come than random models."""
    climbed = sum(row.adversary > row.random for row in rows)
    built = sum(row.structured > max(row.adversary, row.random) for row in rows)
    violated = sum(row.violations > 0 for row in rows)
    return (
        f"{violated or 'None'} of {several(len(rows), 'right side')} is violated: the climb comes closer than random"
        f" models on {climbed}, instances built for it closest on {built}"
    )


def say_environments(rows: Sequence[EnvironmentRow]) -> str:
    """On how many networks the influence matrix certifies less than Lemma 3 for the worst agent at the largest κ."""
    last = {row.instance: row for row in sorted(rows, key=lambda row: row.kappa)}
    below = sum(row.influence < row.lemma3 for row in last.values())
    count = several(len(last), "network")
    return f"Read off the local kernels, the bound on Dᵢ(κ) is below Lemma 3's on {below} of {count}"


def say_table1(rows: Sequence[Table1Row]) -> str:
    """On how many settings the truncated Q-functions beat the best sum over single agents, at the largest κ."""
    settings = by(rows, "setting")
    won = sum(
        max(row.truncated for row in at_end(own, "kappa")) < max(row.best for row in own) for own in settings.values()
    )
    words = "At the largest κ truncated Q-functions are closer than the best sum over single agents"
    return f"{words} on {won} of {several(len(settings), 'setting')}"


def say_wireless_benchmark(rows: Sequence[WirelessRow]) -> str:
    """Where Algorithm 1 ends for each κ."""
    ends = []
    for kappa, own in sorted(by((row for row in rows if row.method == METHODS["algorithm1"]), "kappa").items()):
        J = [row.objective for row in at_end(own, "m")]
        ends.append(f"{sum(J) / len(J):.3f} at κ = {kappa}")
    return f"Algorithm 1 on the published benchmark ends at {', '.join(ends)}; the public code at {RECORDED:.3f}"


def say_decay_map(rows: Sequence[object]) -> str:
    """What the colours are."""
    return "What the state of each agent, so many hops away, is worth to the ringed one"
