"""Advice in words: a table a person can read, a recommendation to act on, and its reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from textwrap import wrap

from sacrepro.adviser.advice import LONGEST, Advice, KappaRow, fillable
from sacrepro.adviser.certificates import OWN
from sacrepro.adviser.measured import LIMIT
from sacrepro.adviser.pilot import WIDTH, pilot_words
from sacrepro.bounds.critic import steps_to_write
from sacrepro.instances.network.labelled import Network
from sacrepro.model.notices import WRITTEN_OUT, aligned, byte_count, digits, duration, power, rounded, upward

#: κ's that are listed one by one, and names of agents.
LISTED, NAMED = 12, 8
#: How each way to measure is called.
METHODS = {
    "exact": "exact values",
    "branch and bound": "intervals by branch and bound",
    "light cone": "certified intervals from light cones",
    "simulation": "lower bounds by simulation",
}
#: What is cut short at the cost of upper bounds.
SHOWING = ("influence series of all agents", OWN, "exact values", LIMIT, "light cones")
RULE_OF_THUMB = "ten visits an entry if all are visited alike, a rule of thumb that nothing certifies"
#: A smaller κ is worth a word if it misses ε by this factor at most and all tables shrink by that one.
NEARLY, MUCH_SMALLER = 1.5, 4.0
#: Which tables an error is of, in a heading and in a sentence.
HEADING = {"td": "q*", "truncated": "eq. (5)"}
TABLE = {
    "td": "the limit q* of Algorithm 1's critic as T → ∞",
    "truncated": "any table of form (5), whatever its weights",
}


def words(network: Network, advice: Advice) -> str:
    """The text that `sacrepro advise` prints."""
    exact = advice.rows[advice.learnable if advice.recommended is None else advice.recommended].certified == 0.0
    lines = [
        *_wrapped(f"Which κ keeps {_error(advice)} at or below ε = {advice.error:g}, for {_whom(network, advice)}?"),
        *_wrapped(
            f"Q̂_i is {TABLE[advice.table]}.{_left_for_ever(advice)} Whatever κ is, the error is at most "
            f"{digits(advice.trivial)}; a bound no better than that says nothing."
        ),
        "",
        *_table(advice),
        "",
        *(line for note in _notes(network, advice) for line in _wrapped(note, "  ")),
        "",
        *_wrapped(f"RECOMMENDATION: {recommendation(advice)}"),
        "",
        *([*_wrapped(f"LARGER κ: {told}"), ""] if not exact and (told := larger(advice)) else []),
        *pilot_words(advice.pilot, advice.recommended, advice.error),
    ]
    return "\n".join(lines) + "\n"


def _left_for_ever(advice: Advice) -> str:
    """That TD has no limit in cells to which a run never comes back, where it is not known that it always does."""
    if advice.table != "td" or advice.recurs:
        return ""
    which = "some joint states" if advice.recurs is False else "it may be that some joint states"
    return (
        f" It is so in cells that are visited again and again. Here {which} are left for ever: in their cells Q̂_i "
        "keeps what it held, and nothing below is said of them."
    )


def _proviso(advice: Advice) -> str:
    return ", in cells that are visited again and again" if _left_for_ever(advice) else ""


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of `WIDTH` columns that do not break an equation."""
    lines = wrap(text.replace(" = ", "\u00a0=\u00a0"), WIDTH, subsequent_indent=indent)
    return [line.replace("\u00a0", " ") for line in lines]


def _error(advice: Advice) -> str:
    return "|Q̂_i - Q_i|" if advice.of == "q" else "‖ĥ - ∇J‖" if advice.everyone else "‖ĥ_i - ∇_{θ_i}J‖"


def _whom(network: Network, advice: Advice) -> str:
    if advice.everyone:
        return f"every agent of {advice.n:,}" if advice.of == "q" else f"the whole gradient of {advice.n:,} agents"
    return f"{_names(network, advice.asked)} of {advice.n:,}"


def _names(network: Network, agents: Sequence[int]) -> str:
    """Names of agents, cut short; "all agents" where it is all."""
    if len(agents) == network.n:
        return "all agents"
    more = f" and {len(agents) - NAMED:,} more" if len(agents) > NAMED else ""
    return ", ".join(repr(network.names[i]) for i in agents[:NAMED]) + more


def recommendation(advice: Advice) -> str:
    """Which κ to take, and why; where nothing shows that a κ is enough, that, and what might."""
    rows, eps = advice.rows, advice.error
    if advice.trivial <= eps:
        what = "Q" if advice.of == "q" else "gradient"
        return (
            f"any κ will do, even κ = 0: ε = {eps:g} is no less than the error of a {what} can be whatever κ is "
            f"({digits(advice.trivial)}). If that is no use to you, ask for a smaller ε."
        )
    if advice.recommended is None:
        return _nothing_shown(advice)
    row = rows[advice.recommended]
    if not fillable(row):
        return _not_fillable(advice, row)
    if advice.shown_for == "every policy":
        return (
            f"take κ = {row.kappa}. It is certified{_proviso(advice)}: for every policy the error is at most "
            f"{digits(row.certified)}; {_paper(advice)}. {_full(advice, row)}{_other(advice)}{_affordable(advice, row)}"
            f"{_nearly(advice, row, 'certified')}"
        )
    return (
        f"take κ = {row.kappa}, which is shown to be enough for the uniform policy, where learning starts, and for no "
        f"other{_proviso(advice)}: the error under it is at most {digits(row.measured)}. For every policy "
        f"{_proof(advice)}; {_paper(advice)}. At κ = {row.kappa} the error under any policy is at most "
        f"{digits(row.certified)}{_certified_agents(advice, row)}. {_full(advice, row)}{_other(advice)}"
        f"{_affordable(advice, row)}{_nearly(advice, row, 'measured')}"
    )


def larger(advice: Advice) -> str:
    """The T below which an entry of a larger κ is likely unwritten, proved, and one that may do, by thumb."""
    kappa = 1 + (advice.learnable if advice.recommended is None else advice.recommended)
    row = advice.rows[min(kappa, len(advice.rows) - 1)]
    if kappa > min(advice.farthest, row.kappa) or not -300.0 < row.often < math.log10(0.5):
        return ""
    p, enough = 10.0**row.often, row.entries_median + 1
    steps = math.ceil(steps_to_write(p, 0.5))
    steps -= steps % 10 ** (len(str(steps)) - 2) if steps >= 10**WRITTEN_OUT else 0  # two digits, rounded down
    place = (steps <= advice.T) + (enough <= math.log10(advice.T))
    return (
        f"what T would the tables of κ = {kappa} need? Under the uniform policy no entry of half of them comes up with "
        f"a probability above {upward(p)} in a step, whatever came before. So in fewer than T = {rounded(steps)} "
        "steps each of them, but the one of the start, is more likely unwritten than not, with Q̂ = 0 there: proved. To "
        "know an entry that T is needed, not enough, and of what such a κ earns, or how close its step is to ∇J, it "
        f"says nothing. From T = {power(enough)} on the median table may be learned: {RULE_OF_THUMB}. "
        f"T = {advice.T:,} is {('below the first', 'between the two', 'beyond both')[place]}."
    )


def _nothing_shown(advice: Advice) -> str:
    """That no κ looked at is shown to be enough, and what would show one."""
    row = advice.rows[-1]
    return (
        f"none. Nothing shows that any κ up to {row.kappa} is enough: the best bound there is {digits(row.measured)}. "
        f"{_refuted(advice)}{_what_would(advice)}"
    )


def _not_fillable(advice: Advice, row: KappaRow) -> str:
    """That the κ that is enough is too large to learn, and what is known of the largest that is not."""
    small = advice.rows[max((row.kappa for row in advice.rows if fillable(row)), default=0)]
    policy = "for every policy" if advice.shown_for == "every policy" else "for the uniform policy"
    wish = (
        f"ask for ε = {upward(small.measured)} or more, or couple the agents less"
        if small.measured < advice.trivial
        else f"no better than the {digits(advice.trivial)} that holds for every κ: couple the agents less"
    )
    return (
        f"κ = {row.kappa} is shown to be enough {policy}{_proviso(advice)}, {_too_large(row)}; {_paper(advice)}. "
        f"κ = {small.kappa} is the largest whose median table an episode can fill, which nothing shows to be enough: "
        f"the error is at most {digits(small.measured)} under the uniform policy and at most "
        f"{digits(small.certified)} under any{_certified_agents(advice, small)}: {wish}. "
        f"{_other(advice)}{_refuted(advice)}{_what_would(advice)}{_full(advice, small)}{_affordable(advice, small)}"
    )


def _refuted(advice: Advice) -> str:
    """Up to which κ tables of form (5) are known to miss ε."""
    if advice.refuted is None:
        return ""
    low = advice.rows[advice.refuted].measured_low
    chance = ", up to chance," if any(entry.method == "simulation" for entry in advice.measurements) else ""
    return f"κ = {advice.refuted} is{chance} not enough for tables of form (5): D_i(κ) ≥ {digits(low)} for some agent. "


def _what_would(advice: Advice) -> str:
    """What might show that a smaller κ is enough."""
    exact = {entry.agent for entry in advice.measurements if entry.method == "exact"}
    cut = [what for what in advice.cut if what in SHOWING]
    ways = [f"more time (--seconds; cut short: {', '.join(cut)})"] * bool(cut)
    if len(exact) < len(advice.asked):
        fewer = ["fewer agents (--agent)"] * (len(advice.asked) > 1)
        ways += [*fewer, "a component small enough for exact values (2^20 joint states)"]
    return f"What might show more: {'; '.join(ways)}. " if ways else ""


def _proof(advice: Advice) -> str:
    """What is certified for every policy, if not the κ that is recommended."""
    if advice.certified is None:
        return f"no bound is at or below ε up to κ = {advice.rows[-1].kappa}"
    return f"the bounds ask for κ = {advice.certified}, {_too_large(advice.rows[advice.certified])}"


def _other(advice: Advice) -> str:
    """Which smaller κ is shown to be enough under the uniform policy, and for form (5) if q* is asked about."""
    taken, told = advice.recommended or 0, ""
    if advice.measured is not None and advice.measured < taken:
        told += (
            f"If small tables count more than a bound for every policy, take κ = {advice.measured}: it is shown to be "
            "enough for the uniform policy, where learning starts, and for no other. "
        )
    enough = next((row.kappa for row in advice.rows if row.truncated <= advice.error), taken)
    if advice.table == "td" and enough < min(taken, taken if advice.measured is None else advice.measured):
        told += f"For tables of form (5), under the uniform policy, κ = {enough} is shown to be enough. "
    return told


def _paper(advice: Advice) -> str:
    """From which κ on the paper's bound is below ε, if that is before every table is full."""
    last = advice.rows[-1].kappa
    if advice.farthest <= (last if advice.paper is None else advice.paper):
        one = len(advice.asked) == 1
        if advice.farthest == 0:
            nobody = "nobody" if advice.everyone else "it" if one else "none of them"
            return f"{nobody} has {'no' if one and not advice.everyone else 'a'} neighbor, so that no bound is needed"
        tables = "every table" if advice.everyone or advice.of == "gradient" else "its table" if one else "each table"
        if advice.of == "gradient" and not advice.everyone:
            tables += f" that {'it hangs' if one else 'they hang'} on"
        return f"the paper's bound never helps before κ = {advice.farthest}, where {tables} is {_whole(advice)}"
    if advice.paper is None:
        return f"the paper's bound is above ε at every κ up to {last}"
    return f"the paper's bound asks for κ = {advice.paper}"


def _whole(advice: Advice) -> str:
    """What a table over all that an agent can reach holds."""
    return "the whole network" if advice.components == 1 else "a whole component"


def _full(advice: Advice, row: KappaRow) -> str:
    """That a κ saves nothing, where half of the tables or more are full."""
    if not 2 * row.whole >= advice.n or advice.farthest == 0:
        return ""
    if row.whole == advice.n:
        return f"κ = {row.kappa} is the full table, {_whole(advice)} for every agent: nothing is saved. "
    some = f"For {row.whole:,} of {advice.n:,} agents κ = {row.kappa}"
    return f"{some} is the full table, {_whole(advice)}: nothing is saved for them. "


def _nearly(advice: Advice, row: KappaRow, column: str) -> str:
    """A smaller κ that misses ε by little with much smaller tables, and how many agents need a smaller κ only."""
    told = ""
    for less in advice.rows[: row.kappa]:
        value, fewer = getattr(less, column), row.table_bytes - less.table_bytes
        if value <= min(NEARLY * advice.error, 0.99 * advice.trivial) and fewer >= math.log10(MUCH_SMALLER):
            makes = "would make" if column == "certified" else "would, for the uniform policy, make"
            told = f" ε = {upward(value)} {makes} κ = {less.kappa} enough, with 1/{power(fewer)} of the entries in all."
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


def _affordable(advice: Advice, row: KappaRow) -> str:
    """What the tables of this κ ask of an episode."""
    wanted, most = power(row.entries_median + 1), f"T = {power(row.entries_max + 1)}"
    thumb = f": {RULE_OF_THUMB}{'; no episode fills the largest' * (row.entries_max > LONGEST)}"
    sizes = f"its table has {power(row.entries_median)} entries"
    if len(advice.asked) > 1 or advice.of == "gradient":
        sizes = f"the median table has {power(row.entries_median)} entries and the largest {power(row.entries_max)}"
    told = f"At κ = {row.kappa} {sizes}; an episode of T = {advice.T:,} steps visits one entry a step"
    if row.entries_median > math.log10(advice.T):
        told += f", so take T = {wanted} or more"
        told += f", for the largest table {most}" * (row.entries_max > row.entries_median) + thumb
    elif row.over > 0:
        told += f", too few for {row.over:.1%} of the agents, whose critics hardly see an entry twice"
        if row.kappa:
            told += f": run κ = {row.kappa - 1} beside it, a smaller table may learn more than it loses"
        told += f". The largest would take {most}{thumb}"
    if not math.isnan(row.seconds):
        told += f". An outer iteration with T = {advice.T:,} takes about {duration(row.seconds)}"
        longer = 10.0 ** (row.entries_median + 1) / advice.T
        if 10.0 < longer < 10.0**LONGEST:
            told += f", a thousand with T = {wanted} about {duration(1e3 * longer * row.seconds)}"
    return told + "."


def _too_large(row: KappaRow) -> str:
    if not math.isnan(row.entries_median):
        most = f"{power(LONGEST)}, the most that count as fillable: ten visits each in {power(LONGEST + 1)} steps"
        return f"where the median table has {power(row.entries_median)} entries, more than {most}"
    return "where neighborhoods are too large to list"


def _table(advice: Advice) -> list[str]:
    kinds = [advice.table, *(kind for kind in HEADING if kind != advice.table)]
    header = ["κ", "paper"]
    for kind in kinds:
        header += [f"{HEADING[kind]}, any policy", f"{HEADING[kind]}, uniform"]
    header += ["D_i(κ)", "|N_i^κ|", "entries of Q̂_i", "all tables", "learner", "s/iteration", "first visits"]
    table: list[list[str]] = [header]
    marks = {advice.paper, advice.certified, advice.measured}
    settled = next((row.kappa for row in advice.rows if row.certified == 0.0), len(advice.rows) - 1)
    shown = [
        row
        for row in advice.rows[: settled + 1]
        if row.kappa <= LISTED or row.kappa in marks or row.kappa == settled or row.kappa % 50 == 49
    ]
    for row in shown:
        line = [str(row.kappa), _mark(row.paper, advice)]
        for kind in kinds:
            line += [_mark(getattr(row, name), advice) for name in (f"certified_{kind}", kind)]
        line.append(_decay(row))
        if math.isnan(row.entries_median):
            line += [""] * 6
        else:
            line += [
                f"{row.hood_median:,.1f}".removesuffix(".0") + f", ≤ {row.hood_max:,.0f}",
                f"{power(row.entries_median)}, ≤ {power(row.entries_max)}",
                byte_count(row.table_bytes),
                byte_count(math.log10(row.learner_bytes)),
                "" if math.isnan(row.seconds) else duration(row.seconds),
                "" if math.isnan(row.seen) else f"{row.seen:.0%}",
            ]
        table.append(line)
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    return aligned([*zip(*columns, strict=True)])


def _decay(row: KappaRow) -> str:
    """What is known of the largest D_i(κ): its value, or from below."""
    if not row.measured_high >= 0.0:
        return ""
    low, high = digits(row.measured_low), digits(row.measured_high)
    if low == high or row.measured_high - row.measured_low < 1e-6 * row.measured_high:
        return f"= {high}"
    return f"≥ {low}" if row.measured_low > 0.0 else ""


def _mark(value: float, advice: Advice) -> str:
    """An upper bound; * at or below ε, (…) where it is no better than knowing nothing."""
    if math.isnan(value):
        return ""
    text = digits(value)
    if value <= advice.error:
        return text + "*"
    return f"({text})" if value >= advice.trivial else text


def _notes(network: Network, advice: Advice) -> list[str]:
    lengths = sorted({row.measured_T for row in advice.rows if not math.isnan(row.seconds)})
    lemma = "Lemma 3" if advice.of == "q" else "Lemma 4"
    spheres = ", or spheres (lemma4_sharp)" if not math.isnan(advice.rows[0].spheres) else ""
    largest = "the largest over the agents asked about" if advice.of == "q" else "from the bounds of all agents"
    apart = advice.of == "q" and not advice.everyone
    own = "its exact values, " * any(entry.limit.min() < math.inf for entry in advice.measurements)
    notes = [
        f"* at or below ε; (…) no better than what holds for every κ. These columns are upper bounds, {largest}."
        + (" D_i(κ) with ≥ is a lower one: it can refute tables of form (5) and never confirms." * (advice.of == "q")),
        "q*: where TD settles, which need not be of form (5). eq. (5): truncated Q-functions, any weights of eq. (6).",
        f"paper: {lemma}. any policy: {lemma} or the influence matrix{spheres}. "
        f"uniform: the uniform policy only, {'D_i(κ) ' * (advice.of == 'q')}by {_evidence(network, advice)}"
        f"the influence matrix of averaged kernels{f', q* by {own}D_i(κ)/(1-γ) or that matrix' * (advice.of == 'q')}.",
        f"entries of Q̂_i: median agent, and the largest{', of those asked about' * apart}; s/iteration: "
        + (f"for T = {advice.T:,}, from {lengths[0]:,} steps timed just now." if lengths else "not measured."),
    ]
    if advice.cut:
        notes.append(f"cut short by the time given, {advice.seconds:g} s: {', '.join(advice.cut)}.")
    if advice.beyond:
        notes.append(f"not computed: {'; '.join(advice.beyond)}. A bound for any policy holds at every larger κ.")
    gap, about = ("ε", advice.asked) if advice.of == "q" else ("the gap that ε allows each agent", range(advice.n))
    for column, policy in (("kappa", "any policy"), ("uniform", "the uniform policy")):
        counts = dict(sorted(Counter(getattr(advice.agents[i], column) for i in about).items()))
        shares = ", ".join(
            f"κ = {kappa}: {count:,}" if kappa >= 0 else f"none looked at: {count:,}" for kappa, count in counts.items()
        )
        notes.append(f"agents by the least κ shown to keep their own table within {gap}, {policy}: {shares}.")
    return notes


def _evidence(network: Network, advice: Advice) -> str:
    """Which agents are known better than by the influence matrix, and how."""
    told = ""
    for method, how in METHODS.items():
        agents = sorted(entry.agent for entry in advice.measurements if entry.method == method != "simulation")
        told += f"{how} of {_names(network, agents)}, " if agents else ""
    return told and told + "or "
