"""Advice in words: a table a person can read, a recommendation to act on, and its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap

from sacrepro.advise.advice import Advice, KappaRow
from sacrepro.instances.network import Network

#: κ's that are listed one by one.
LISTED = 12
#: How each way to measure is called.
METHODS = {"exact": "exact values", "light cone": "certified intervals", "simulation": "simulation"}
RULE_OF_THUMB = "ten visits an entry if all are visited alike, a rule of thumb that nothing certifies"
#: Columns of a line of words.
WIDTH = 110
#: A smaller κ is worth a word if it misses ε by this factor at most and all tables shrink by that one.
NEARLY, MUCH_SMALLER = 1.5, 4.0
#: log10 of the longest episode that is worth recommending: a million steps fill a table of 10^5 entries ten times.
LONGEST = 5.0


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
        *(line for note in _notes(network, advice) for line in wrap(note, WIDTH, subsequent_indent="  ")),
        "",
        *wrap(f"RECOMMENDATION: {recommendation(advice)}", WIDTH),
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
    paper = _paper(advice)
    if _fillable(advice, advice.certified):
        row = rows[advice.certified or 0]
        return (
            f"take κ = {row.kappa}. It is certified: for every policy the error is at most {_number(row.certified)}; "
            f"{paper}. {_full(advice, row)}{_affordable(advice, row)}{_nearly(advice, row, 'certified')}"
        )
    proof = (
        f"a certificate needs κ = {advice.certified}, {_too_large(rows, advice.certified)}"
        if advice.certified is not None
        else f"no certificate is at or below ε up to κ = {rows[-1].kappa}"
    )
    if _fillable(advice, advice.measured):
        row = rows[advice.measured or 0]
        return (
            f"take κ = {row.kappa}, on evidence and not on proof: {_evidence(advice, row)}. For all policies {proof}; "
            f"{paper}. At κ = {row.kappa} the error is certified to be at most {_number(row.certified)}"
            f"{_certified_agents(advice, row)}. "
            f"{_full(advice, row)}{_affordable(advice, row)}{_nearly(advice, row, 'measured')}"
        )
    row = rows[max(row.kappa for row in rows if _fillable(advice, row.kappa))]
    evidence = (
        "no κ that was measured is at or below ε either"
        if advice.measured is None
        else f"{_evidence(advice, rows[advice.measured])} at κ = {advice.measured}, {_too_large(rows, advice.measured)}"
    )
    expected = min((value for value in (row.certified, row.measured) if not math.isnan(value)), default=row.certified)
    wish = (
        f"ask for ε = {_upward(expected)} or more, or couple the agents less"
        if expected < advice.trivial
        else f"no better than the {_number(advice.trivial)} that needs no κ: couple the agents less"
    )
    return (
        f"take κ = {row.kappa} and expect an error above ε. {proof[0].upper()}{proof[1:]}; {evidence}; {paper}. "
        f"κ = {row.kappa} is the largest whose median table an episode can fill; the error there is certified to be at "
        f"most {_number(row.certified)}{_certified_agents(advice, row)}, and measured decay suggests "
        f"{_number(row.measured)}: {wish}. "
        f"{_full(advice, row)}{_affordable(advice, row)}"
    )


def _paper(advice: Advice) -> str:
    """From which κ on the paper's bound is below ε, if that is before every table is full."""
    last = advice.rows[-1].kappa
    if advice.farthest <= (last if advice.paper is None else advice.paper):
        if advice.farthest == 0:
            return "nobody has a neighbor, so that no bound is needed"
        return f"the paper's bound never helps before κ = {advice.farthest}, where every table is {_whole(advice)}"
    if advice.paper is None:
        return f"the paper's bound is above ε at every κ up to {last}"
    return f"the paper's bound asks for κ = {advice.paper}"


def _whole(advice: Advice) -> str:
    """What a table over all that an agent can reach holds."""
    return "the whole network" if advice.components == 1 else "a whole component"


def _full(advice: Advice, row: KappaRow) -> str:
    """That a κ saves nothing, where half of the tables or more are full."""
    if 2 * row.whole < advice.n or advice.farthest == 0:
        return ""
    if row.whole == advice.n:
        return f"This is the full table, {_whole(advice)} for every agent: nothing is saved. "
    some = f"For {row.whole:,} of {advice.n:,} agents"
    return f"{some} this is the full table, {_whole(advice)}: nothing is saved for them. "


def _nearly(advice: Advice, row: KappaRow, column: str) -> str:
    """A smaller κ that misses ε by little with much smaller tables, and how many agents need a smaller κ only."""
    told = ""
    for less in advice.rows[: row.kappa]:
        value, fewer = getattr(less, column), row.table_bytes - less.table_bytes
        if value <= min(NEARLY * advice.error, 0.99 * advice.trivial) and fewer >= math.log10(MUCH_SMALLER):
            makes = "would make" if column == "certified" else "would, on the same evidence, make"
            told = (
                f" ε = {_upward(value)} {makes} κ = {less.kappa} enough, with 1/{_power(fewer)} of the entries in all."
            )
            break
    enough = [agent.kappa for agent in advice.agents if 0 <= agent.kappa < row.kappa]
    if column == "certified" and advice.of == "q" and advice.everyone and enough:
        most = max(enough)
        at = f"κ = {most}" if most == min(enough) else f"κ ≤ {most}"
        told += f" {len(enough):,} of {advice.n:,} agents need {at} only."
    return told


def _certified_agents(advice: Advice, row: KappaRow) -> str:
    """How many agents a κ is certified for although it is not for all."""
    count = sum(0 <= agent.kappa <= row.kappa for agent in advice.agents)
    if count == 0 or advice.of != "q" or not advice.everyone:
        return ""
    return f", and at or below ε for {count:,} of {advice.n:,} agents"


def _fillable(advice: Advice, kappa: int | None) -> bool:
    """Whether there is a κ and its median table is one that some affordable episode fills."""
    return kappa is not None and kappa < len(advice.rows) and advice.rows[kappa].entries_median <= LONGEST


def _evidence(advice: Advice, row: KappaRow) -> str:
    """What is measured at one κ, and how far that can be trusted."""
    count = len(advice.looked_at)
    doubt = " (a simulation may miss the largest)" if any(m.method == "simulation" for m in advice.measurements) else ""
    if advice.of == "gradient":
        return f"the decay of {count} agents, measured under the uniform policy{doubt}, gives {_number(row.measured)}"
    return f"under the uniform policy the decay of {count} agents is {_number(row.measured)}{doubt}"


def _affordable(advice: Advice, row: KappaRow) -> str:
    """What the tables of this κ ask of an episode."""
    told = f"The median table has {_power(row.entries_median)} entries and the largest {_power(row.entries_max)}"
    told += f"; an episode of T = {advice.T:,} steps visits one entry a step"
    if row.entries_median > math.log10(advice.T):
        told += f", so take T = {_power(row.entries_median + 1)} or more"
        if row.entries_max > row.entries_median:
            told += f", for the largest table T = {_power(row.entries_max + 1)}"
        told += f": {RULE_OF_THUMB}{_too_long(row)}"
    elif row.over > 0:
        told += f", too few for {row.over:.1%} of the agents, whose critics hardly see an entry twice"
        if row.kappa:
            told += f": run κ = {row.kappa - 1} beside it, a smaller table may learn more than it loses"
        told += f". The largest would take T = {_power(row.entries_max + 1)}: {RULE_OF_THUMB}{_too_long(row)}"
    if not math.isnan(row.seconds):
        told += f". An outer iteration with T = {advice.T:,} takes about {_seconds(row.seconds)}"
    return told + "."


def _too_long(row: KappaRow) -> str:
    """That no episode fills the largest table, where it is so."""
    return "; no episode fills the largest" if row.entries_max > LONGEST else ""


def _too_large(rows: Sequence[KappaRow], kappa: int) -> str:
    if kappa < len(rows) and not math.isnan(rows[kappa].entries_median):
        return f"where the median table has {_power(rows[kappa].entries_median)} entries, more than any episode fills"
    return "where neighborhoods are too large to list"


def _table(advice: Advice) -> list[str]:
    gradient = advice.of == "gradient"
    header = ["κ", "paper", "influence", *(["spheres"] if gradient else []), "measured"]
    if not gradient:
        header.append("interval")
    header += ["|N_i^κ|", "entries of Q̂_i", "all tables", "learner", "s/iteration", "first visits"]
    table: list[list[str]] = [header]
    marks = {advice.paper, advice.certified, advice.measured}
    settled = next((row.kappa for row in advice.rows if row.certified == 0.0), len(advice.rows) - 1)
    shown = [
        row
        for row in advice.rows[: settled + 1]
        if row.kappa <= LISTED or row.kappa in marks or row.kappa == settled or row.kappa % 50 == 49
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
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


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
    everybody = ", ".join(map(repr, network.names))
    told = "; ".join(
        f"{METHODS[method]} of "
        f"{'all agents' if ', '.join(map(repr, names)) == everybody else ', '.join(map(repr, names))}"
        for method, names in methods.items()
    )
    lower = " A simulation bounds the decay from below." if "simulation" in methods else ""
    lengths = sorted({row.measured_T for row in advice.rows if not math.isnan(row.seconds)})
    notes = [
        "* at or below ε; (…) not below the error that needs no κ. paper, influence"
        + (", spheres" if advice.of == "gradient" else "")
        + " hold for every policy.",
        *(
            [
                "spheres: the sharpened Lemma 4, from how many agents are at each distance of those looked at "
                "(lemma4_sharp in paper/proofs.md); influence: from the influence matrix, for all agents at once."
            ]
            if advice.of == "gradient"
            else []
        ),
        f"measured: under the uniform policy only, {told}.{lower}",
        "entries of Q̂_i: median agent, and the largest; s/iteration: "
        + (f"for T = {advice.T:,}, from {lengths[0]:,} steps timed just now." if lengths else "not measured."),
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


def _upward(value: float) -> str:
    """Two digits, rounded up."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1) if value > 0.0 else 1.0
    return f"{math.ceil(value / unit) * unit:.3g}"


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
