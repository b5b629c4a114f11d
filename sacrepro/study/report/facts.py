"""Facts of a run that a sentence may rest on: read off its rows, each a text such as a number or *yes*.

What the run did not compute has no entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from sacrepro.archive.files import some_rows
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import Constants, least_T
from sacrepro.study.audit.adversary import Found
from sacrepro.study.audit.falsify import Planted
from sacrepro.study.drawings.panels import names
from sacrepro.study.drawings.run_messages import best_at, one_of
from sacrepro.study.experiments.exact_bias import BiasRow
from sacrepro.study.experiments.methods import EXACT
from sacrepro.study.experiments.summary import CONFIDENCE, SummaryRow
from sacrepro.study.experiments.wireless import METHODS, RECORDED, WirelessRow
from sacrepro.study.record.comparison import (
    JUDGEMENTS,
    Comparison,
    Verdict,
    constrains,
    factor_text,
)


def facts_of(paths: Iterable[str], verdicts: Sequence[Verdict], config: Mapping[str, Any]) -> dict[str, str]:
    """The facts of a run, from the files that it has: of one kind by its folder, others by their name.

    config : the resolved configuration.
    """
    found = dict(totals(verdicts))
    found["policies"] = str(config["policies"]["count"])
    found["confidence"] = f"{100 * CONFIDENCE:g}"
    found["length"] = ", ".join(f"10^{{{math.log10(asked_for(kappa)):.1f}}}" for kappa in range(3))
    files = {path: Path(path) for path in paths}
    bias = [path for path in files if files[path].parent.name == "exact_bias"]
    wireless = [path for path in files if files[path].parent.name == "wireless"]
    if bias:
        found |= bias_facts(some_rows(bias, BiasRow))
    if wireless:
        found |= wireless_facts(some_rows(wireless, WirelessRow))
    named: dict[str, tuple[type[Any], Any]] = {
        "theorem5_sharp": (Comparison, sharp_facts),
        "critic_error": (SummaryRow, critic_facts),
        "stationarity": (SummaryRow, return_facts),
        "patient": (SummaryRow, patient_facts),
        "rivals": (SummaryRow, rival_facts),
        "falsification": (Planted, lambda rows: [("planted", many(sum(row.caught == "yes" for row in rows)))]),
        "adversary": (Found, lambda rows: [("attacked", many(len(rows)))]),
    }
    for path, parts in files.items():
        if parts.stem in named:
            kind, facts = named[parts.stem]
            rows = some_rows([path], kind)
            found |= facts(rows)
            if parts.stem == "stationarity":
                found["runs of objective"] = told_runs({name: config["sac"][name] for name in names(rows)})
    for key in ("rivals", "critic_error"):
        found |= {f"runs of {key}": runs} if (runs := told_runs(config.get(key, {}))) else {}
    return found


def totals(rows: Sequence[Verdict]) -> Iterator[tuple[str, str]]:
    """How much was compared, and how it was judged."""
    judged = [row for row in rows if row.verdict in JUDGEMENTS]
    yield "claims", str(len({row.claim for row in judged}))
    yield "instances", str(max((row.instances for row in judged), default=0))
    yield "comparisons", many(sum(row.comparisons for row in judged))
    yield "constraining", many(sum(row.constraining for row in judged))
    yield "sides", str(len(judged))
    yield "counterexamples", str(len(rows) - len(judged))
    for name in JUDGEMENTS:
        yield name, str(sum(row.verdict == name for row in judged))


def asked_for(kappa: int) -> int:
    """The T of (8) on a path of five binary agents, explored uniformly: γ = .7, τ = 2, δ = .1, M = 10⁶."""
    cell = (2 * kappa + 1) * math.log(4.0)
    return least_T(0.1, 5, 10**6, kappa, Constants(*lemma3(1.0, 0.7), math.exp(-cell), 2, 1.0, 0.7, cell))


def bias_facts(rows: Sequence[BiasRow]) -> Iterator[tuple[str, str]]:
    """Up to which T κ = 0 is closest to ∇J everywhere, from which on a larger κ, and what that buys in the limit."""
    best = {T: {row.kappa for row in rows if row.T == T and row.best} for T in sorted({row.T for row in rows})}
    short = [T for T in best if all(best[t] == {0} for t in best if t <= T)]
    long = [T for T in best if all(0 not in best[t] and best[t] for t in best if t >= T)]
    yield "bias paths", str(len({row.instance for row in rows}))
    yield "bias order", "yes" if short and long else "no"
    if short and long:
        yield "bias short", many(short[-1])
        yield "bias long", many(long[0])
    limits = {(row.instance, row.kappa): row.limit for row in rows}
    gains = [limits[name, 0] / limits[name, 1] for name, kappa in limits if kappa == 1 and limits[name, 1] > 0]
    gradient = {row.instance: row.gradient for row in rows}
    shares = [limit / gradient[name] for (name, kappa), limit in limits.items() if kappa == 0]
    if gains:
        yield "bias gain", factor_text(min(gains))
    yield "bias share", f"{100 * max(shares):.2g}"
    yield "bias longest", many(max(best))


def critic_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """The κ whose critic is closest to Q_i at the shortest and at the longest T, over instances."""
    far = [row for row in rows if row.quantity == "to_Q"]
    for name, T in (("short", min(row.x for row in far)), ("long", max(row.x for row in far))):
        yield f"critic {name} T", many(int(T))
        yield f"critic {name}", one_of(best_at(far, T, 1.0).values())


def return_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """Which κ has the largest J at the end of the runs, and whether ‖∇J‖² agrees."""
    J = [row for row in rows if row.quantity == "J"]
    norms = [row for row in rows if row.quantity == "gradient_norm_squared"]
    best = best_at(J, None, -1.0)
    steepest = best_at(norms, None, 1.0)
    yield "return", by_kappa(best)
    yield from ((f"best on {name}", f"κ = {kappa}") for name, kappa in best.items())
    yield "return of", str(len(best))
    yield "return zero", str(sum(kappa == 0 for kappa in best.values()))
    yield "return disagrees", str(sum(steepest[name] != best[name] for name in best))
    yield "return seeds", kappa_range({row.seeds for row in J})


def patient_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """With the exact critic: the gap that each κ leaves at the end, where it falls with κ on some instance."""
    for name in dict.fromkeys(row.instance for row in rows):
        last = max(row.x for row in rows if row.instance == name)
        ends = {
            quantity: {
                int(row.series): row.iqm
                for row in rows
                if (row.instance, row.quantity, row.x) == (name, quantity, last)
            }
            for quantity in ("gap", "gradient_norm_squared")
        }
        gaps = [ends["gap"][kappa] for kappa in sorted(ends["gap"])]
        yield f"patient {name}", "falls" if len(gaps) > 1 and gaps == sorted(gaps, reverse=True) else "does not fall"
        yield f"patient {name} gaps", ", ".join(f"{gap:.2g}" for gap in gaps)
        yield f"patient {name} kappas", ", ".join(map(str, sorted(ends["gap"])))
        yield f"patient {name} norm", f"{max(ends['gradient_norm_squared'].values()):.1g}"


def rival_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """Which method has the largest J at equal samples, with the step size that is best for it."""
    final: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(row.instance for row in rows):
        own = [row for row in rows if (row.instance, row.quantity) == (name, "J")]
        for row in (row for row in own if row.x == max(other.x for other in own)):
            method = row.series.split(" | ")[0]
            final.setdefault(name, {})[method] = max(row.iqm, final.get(name, {}).get(method, row.iqm))
    learned = {name: {method: J for method, J in own.items() if method != EXACT} for name, own in final.items()}
    best = {name: max(own, key=lambda method: own[method]) for name, own in learned.items()}
    yield "rivals", "; ".join(f"{method} on `{name}`" for name, method in best.items())
    if all({"SAC", "independent"} <= own.keys() for own in learned.values()):
        yield "rivals independent", str(sum(own["independent"] > own["SAC"] for own in learned.values()))
        yield "rivals of", str(len(learned))


def wireless_facts(rows: Sequence[WirelessRow]) -> Iterator[tuple[str, str]]:
    """Where κ = 0 and κ = 1 of Algorithm 1 end on the published benchmark, beside its start."""
    start = next(row.objective for row in rows if row.method == "start")
    ends = {}
    for kappa in (0, 1):
        own = [row for row in rows if (row.method, row.kappa) == (METHODS["algorithm1"], kappa)]
        last = [row for row in own if row.m == max((other.m for other in own), default=0)]
        if last:
            ends[kappa] = sum(row.objective for row in last) / len(last)
            yield f"wireless {kappa}", f"{ends[kappa]:.3f}"
            yield f"wireless {kappa} M", many(last[0].m)
            yield f"wireless {kappa} seeds", str(len(last))
    yield "wireless start", f"{start:.3f}"
    yield "wireless recorded", f"{RECORDED:.3f}"
    yield "wireless order", "yes" if len(ends) > 1 and ends[0] < start and ends[1] > RECORDED else "no"


def sharp_facts(rows: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    """How far below what holds at every θ the bound with the squared bias is along runs of Algorithm 1."""
    own = [row for row in rows if row.hypothesis == "as run"]
    if any(row.left > row.error for row in own):
        yield "sharp", "informative" if all(row.right < row.trivial < math.inf for row in own) else "not everywhere"
        yield "sharp gain", factor_text(min(row.trivial / row.right for row in own))
        yield "sharp slack", f"{median(row.right / row.left for row in own if row.left > row.error):.2g}"
        yield "sharp instances", str(len({row.instance for row in own}))
        yield "sharp case", own[0].case.replace(" ", ", ").replace("=", " = ")


def medians(rows: Sequence[Comparison]) -> Iterator[tuple[str, ...]]:
    """(step, median, lower and upper quartile, largest right/left) of each step of `anatomy`, what costs most last."""
    for step in dict.fromkeys(row.hypothesis for row in rows):
        own = [row for row in rows if row.hypothesis == step and constrains(row) and row.left > row.error]
        cost = sorted(row.right / row.left for row in own)
        if cost:
            places = (len(cost) // 4, (3 * len(cost)) // 4, len(cost) - 1)
            shown = [median(cost), *(cost[place] for place in places)]
            yield step, *(f"{float(f'{value:.3g}'):,.15g}" for value in shown)


def by_kappa(best: Mapping[str, int]) -> str:
    """Which instances have which κ, in words."""
    groups = {kappa: [name for name in best if best[name] == kappa] for kappa in sorted({*best.values()})}
    return "; ".join(f"κ = {kappa} on {listed(names)}" for kappa, names in groups.items())


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    shown = [f"`{name}`" for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def kappa_range(values: Iterable[int]) -> str:
    """One number, or the least and the largest."""
    least_one, largest = min(values := [*values]), max(values)
    return str(least_one) if least_one == largest else f"{least_one} to {largest}"


def told_runs(runs: Mapping[str, Mapping[str, Any]]) -> str:
    """The seeds, M and T of each instance's runs, as far as they have them."""
    told = []
    for name, run in runs.items():
        parts = [f"{run['seeds']} seeds"] if "seeds" in run else []
        parts += [f"{key} = {many(run[key])}" for key in ("M", "T") if key in run]
        parts += [f"T up to {many(max(run['lengths']))}"] if "lengths" in run and "T" not in run else []
        told.append(f"`{name}` {', '.join(parts)}")
    return "; ".join(told)


def many(number: int) -> str:
    """An integer with its thousands apart."""
    return f"{number:,}"
