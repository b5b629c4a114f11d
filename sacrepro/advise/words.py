"""Advice in words: a table a person can read, a recommendation to act on, and its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sacrepro.advise.advice import Advice, KappaRow
from sacrepro.instances.network import Network

#: κ's that are listed one by one.
LISTED = 12


def words(network: Network, advice: Advice) -> str:
    """The text that `sacrepro advise` prints."""
    error = "|Q̂_i - Q_i|" if advice.of == "q" else "‖ĥ_i - ∇_{θ_i}J‖"
    whom = "every agent" if advice.everyone else ", ".join(repr(network.names[i]) for i in advice.looked_at)
    lines = [
        f"Which κ keeps {error} at or below ε = {advice.error:g}, for {whom} of {network.n:,}?",
        f"Without any κ the error is at most {_number(advice.trivial)}; a bound above that says nothing.",
        "",
        *_table(advice),
        "",
        *_notes(network, advice),
        "",
        f"RECOMMENDATION: {recommendation(advice)}",
    ]
    return "\n".join(lines) + "\n"


def recommendation(advice: Advice) -> str:
    """Which κ to take, and why."""
    rows, eps = advice.rows, advice.error
    if advice.trivial <= eps:
        what = "Q" if advice.of == "q" else "gradient"
        return (
            f"any κ will do, even κ = 0: ε = {eps:g} is more than a {what} can be off without looking at anybody "
            f"({_number(advice.trivial)}). If that is no use to you, ask for a smaller ε."
        )
    certified, learnable = advice.certified, advice.learnable
    paper = (
        f"the paper's bound asks for κ = {advice.paper}"
        if advice.paper is not None
        else f"the paper's bound is above ε at every κ up to {rows[-1].kappa}"
    )
    if certified is not None and certified <= learnable:
        return (
            f"take κ = {certified}. It is certified: for every policy the error is at most "
            f"{_number(rows[certified].certified)} "
            f"({paper}). {_affordable(rows[certified], advice.T)}"
        )
    proof = (
        f"a certificate needs κ = {certified}, {_too_large(rows, certified, advice.T)}"
        if certified is not None
        else f"no bound is at or below ε up to κ = {rows[-1].kappa}"
    )
    if advice.measured is not None and advice.measured <= learnable:
        row = rows[advice.measured]
        return (
            f"take κ = {row.kappa}, on evidence and not on proof: {_evidence(advice, row)}. For all "
            f"policies {proof}; at κ = {row.kappa} "
            f"the error is certified to be at most {_number(row.certified)} ({paper}). {_affordable(row, advice.T)}"
        )
    row = rows[learnable]
    if advice.measured is None:
        evidence = "no κ that was measured is at or below ε either"
    else:
        short = _too_large(rows, advice.measured, advice.T)
        evidence = f"{_evidence(advice, rows[advice.measured])} from κ = {advice.measured} on, {short}"
    wish = advice.measured if advice.measured is not None else certified
    longer = ""
    if wish is not None and wish < len(rows) and rows[wish].entries_median <= 9:
        longer = f", or T of at least {_power(rows[wish].entries_median)} with κ = {wish}"
    return (
        f"take κ = {row.kappa} and expect an error above ε: {proof}, and {evidence}. κ = {row.kappa} "
        f"is the largest whose median table "
        f"({_power(row.entries_median)} entries) an episode of T = {advice.T:,} can fill; the error "
        f"there is certified to be at most "
        f"{_number(row.certified)} and measured as {_number(row.measured)}. To do better, ask for ε of about "
        f"{_number(row.measured)}{longer}."
    )


def _evidence(advice: Advice, row: KappaRow) -> str:
    if advice.of == "gradient":
        count = len(advice.looked_at)
        return f"the decay of {count} agents, measured under the uniform policy, gives {_number(row.measured)}"
    return f"under the uniform policy the decay of {len(advice.looked_at)} agents is {_number(row.measured)}"


def _affordable(row: KappaRow, T: int) -> str:
    time = "" if math.isnan(row.seconds) else f", and an outer iteration takes about {_seconds(row.seconds)}"
    return (
        f"The median table has {_power(row.entries_median)} entries and the largest {_power(row.entries_max)}, "
        f"for T = {T:,} visits an episode{time}."
    )


def _too_large(rows: Sequence[KappaRow], kappa: int, T: int) -> str:
    if kappa < len(rows) and not math.isnan(rows[kappa].entries_median):
        return f"whose median table has {_power(rows[kappa].entries_median)} entries, too many for T = {T:,}"
    return "whose neighborhoods are too large to list"


def _table(advice: Advice) -> list[str]:
    gradient = advice.of == "gradient"
    header = ["κ", "paper", "influence", *(["spheres"] if gradient else []), "measured"]
    if not gradient:
        header.append("certified interval")
    header += ["|N_i^κ|", "entries of Q̂_i", "all tables", "learner", "s/iteration", "first visits"]
    table = [header]
    marks = {advice.paper, advice.certified, advice.measured}
    shown = [
        row
        for row in advice.rows
        if row.kappa < LISTED or row.kappa in marks or row.kappa == len(advice.rows) - 1 or row.kappa % 50 == 0
    ]
    for row in shown:
        line = [str(row.kappa), *(_mark(value, advice) for value in (row.paper, row.influence))]
        line += [_mark(row.spheres, advice)] if gradient else []
        line.append(_mark(row.measured, advice))
        if not gradient:
            interval = f"[{_number(row.measured_low)}, {_number(row.measured_high)}]"
            line.append(interval if not math.isnan(row.measured_high) else "")
        if math.isnan(row.entries_median):
            line += [""] * 6
        else:
            line += [
                f"{row.hood_median:g}, ≤ {row.hood_max}",
                f"{_power(row.entries_median)}, ≤ {_power(row.entries_max)}",
                f"{_power(row.table_bytes)} B",
                _bytes(row.learner_bytes),
                "" if math.isnan(row.seconds) else _seconds(row.seconds),
                "" if math.isnan(row.seen) else f"{row.seen:.0%}",
            ]
        table.append(line)
    widths = [max(len(line[k]) for line in table) for k in range(len(header))]
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]


def _mark(value: float, advice: Advice) -> str:
    """A number; * at or below ε, (…) where it is no better than knowing nothing."""
    if math.isnan(value):
        return ""
    text = _number(value)
    if value <= advice.error:
        return text + "*"
    return f"({text})" if value >= advice.trivial else text


def _notes(network: Network, advice: Advice) -> list[str]:
    methods: dict[str, list[str]] = {}
    for entry in advice.measurements:
        methods.setdefault(entry.method, []).append(network.names[entry.agent])
    told = "; ".join(f"{method} of {', '.join(map(repr, names))}" for method, names in methods.items())
    timed = [row for row in advice.rows if not math.isnan(row.seconds)]
    notes = [
        "* at or below ε; (…) not below the error that needs no κ. paper, influence"
        + (", spheres" if advice.of == "gradient" else "")
        + " hold for every policy.",
        f"measured: under the uniform policy only, {told}. A simulation bounds the decay from below.",
        "entries of Q̂_i: median agent, and the largest; s/iteration: "
        + (
            f"T = {advice.T:,} steps, from iterations of "
            f"{', '.join(str(row.measured_T) for row in timed)} steps timed just now."
            if timed
            else "not measured."
        ),
    ]
    needed = [agent.kappa for agent in advice.agents]
    gap = "ε" if advice.of == "q" else "the gap that ε allows each agent"
    counts = {kappa: needed.count(kappa) for kappa in sorted(set(needed))}
    shares = ", ".join(
        f"κ = {kappa}: {count:,}" if kappa >= 0 else f"none looked at: {count:,}" for kappa, count in counts.items()
    )
    notes.append(f"agents by the κ that brings their influence bound below {gap}: {shares}.")
    return notes


def _number(value: float) -> str:
    return "?" if math.isnan(value) else f"{value:.3g}"


def _power(logarithm: float) -> str:
    """A count given by its logarithm to base 10."""
    if logarithm < 6:
        return f"{round(10**logarithm):,}"
    exponent = math.floor(logarithm)
    return f"{10 ** (logarithm - exponent):.0f}e{exponent}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 100 else f"{value / 60:.3g} min"
