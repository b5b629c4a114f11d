"""The verdict table as Markdown, for the README and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sacrepro.study.record.comparison import JUDGEMENTS, UNEARNED, Verdict, by, excess_text, ratio_text, table

HEADER = (
    "claim", "right side", "statement", "paper", "instances", "comparisons", "constraining", "violations",
    "largest left/right", "where", "verdict",
)  # fmt: skip


def markdown_table(rows: Sequence[Verdict]) -> str:
    """One line a claim."""
    body = []
    for row in rows:
        identity = "-" if row.verdict == "vacuous" else "identity"
        ratio = identity if row.ratio != row.ratio else ratio_text(row.ratio, 4)
        body.append((
            f"`{row.claim}`", row.hypothesis, row.statement, row.reference, row.instances, row.comparisons,
            row.constraining, row.violations, ratio, row.where, f"**{row.verdict}**",
        ))  # fmt: skip
    return "\n".join(table(HEADER, body)) + "\n"


def totals(rows: Sequence[Verdict]) -> dict[str, int]:
    """How much was compared, and how many variants, ``sides``, were judged how; of the most instances any has."""
    judged = [row for row in rows if row.verdict in JUDGEMENTS]
    return {
        "claims": len({row.claim for row in judged}),
        "instances": max((row.instances for row in judged), default=0),
        "comparisons": sum(row.comparisons for row in judged),
        "constraining": sum(row.constraining for row in judged),
        "violations": sum(row.violations for row in judged),
        "sides": len(judged),
        "counterexamples": len(rows) - len(judged),
        **{name: sum(row.verdict == name for row in judged) for name in JUDGEMENTS},
    }


#: What stands above the counterexamples.
COUNTEREXAMPLES = (
    "Sentences that are violated on every run. What is *false as written*, or *not satisfied*, is a sentence of the "
    "paper, what is *numerically off* one of later work; the others drop a hypothesis or improve a constant, to show "
    "what these are for: they are ours. A lemma may be *tight* above and *false as written* here: above its hypothesis "
    "is read as the rest of the paper has it."
)


def summary_table(rows: Sequence[Verdict], proofs: Mapping[str, str] | None = None) -> str:
    """One line a claim: all its comparisons, for each right side the verdict with the largest left/right, and where.

    Below, one line a counterexample. proofs : how each claim is proved, by name, for a column of its own.
    """
    statements = [row for row in rows if row.verdict in JUDGEMENTS]
    header = (
        "claim", "statement", "paper", "instances", "comparisons", "constraining", "violations",
        "verdict, largest left/right", "worst at", "certificate", *(["proof"] if proofs else []), "figure",
    )  # fmt: skip
    body = []
    for name, own in by(statements, "claim").items():
        body.append((
            f"`{name}`", own[0].statement, own[0].reference, max(row.instances for row in own),
            sum(row.comparisons for row in own), sum(row.constraining for row in own),
            sum(row.violations for row in own), verdicts(own),
            places(own), f"{max(row.certificate for row in own):.1g}", *([proofs[name]] if proofs else []),
            f"`figures/{own[0].figure}`",
        ))  # fmt: skip
    lines = table(header, body)
    counterexamples = [row for row in rows if row.verdict not in JUDGEMENTS]
    if counterexamples:
        columns = ("sentence", "paper", "verdict", "left/right", "attained at", "certificate", "statement")
        false = [
            (
                row.statement, row.reference, f"**{row.verdict}**", f"{row.ratio:.4g}", row.where,
                f"{row.certificate:.1g}", f"`{row.claim}`",
            )
            for row in counterexamples
        ]  # fmt: skip
        lines += ["", COUNTEREXAMPLES, "", *table(columns, false)]
    return "\n".join(lines) + "\n"


#: Where the README leads for models that come closer to equality than the study's instances.
BY_SEARCH = "[by search](paper/figures.md#how-far-a-bound-can-be-pushed)"


def brief_table(rows: Sequence[Verdict], words: Mapping[str, str], proofs: Mapping[str, str]) -> str:
    """One short line a claim: what it says in words, how many of its right sides are what, the largest left/right.

    Where some are vacuous all are named.

    words, proofs : of each claim, by name.
    """
    header = ("claim", "in words", "verdict", f"largest left/right on the study's instances ({BY_SEARCH})", "proof")
    body = []
    for name, own in by((row for row in rows if row.verdict in JUDGEMENTS), "claim").items():
        named = any(row.verdict == "vacuous" for row in own)
        told = ", ".join(counted(own, named)) if len(own) > 1 else f"**{own[0].verdict}**"
        body.append((f"`{name}`", words[name], told, worst(own), proofs.get(name, "")))
    return "\n".join(table(header, body)) + "\n"


def worst(rows: Sequence[Verdict]) -> str:
    """The largest left/right of a claim's variants, with the variant's name where it is below equality."""
    found = max((row for row in rows if row.ratio == row.ratio), key=lambda row: row.ratio, default=None)
    if found is None:
        return ""
    named = len(rows) > 1 and found.verdict != "tight"
    return f"{ratio_text(found.ratio)} ({found.hypothesis})" if named else ratio_text(found.ratio)


def counted(rows: Sequence[Verdict], named: bool = False) -> list[str]:
    """How many rows have which verdict, and on demand which variants these are."""
    groups = [(name, [row.hypothesis for row in rows if row.verdict == name]) for name in JUDGEMENTS]
    return [f"{len(own)} **{name}**" + f" ({'; '.join(own)})" * named for name, own in groups if own]


#: Variants of a claim that are listed openly; more are folded.
OPEN = 6


def verdicts(rows: Sequence[Verdict]) -> str:
    """The verdicts on the variants of one claim; many are folded behind how many there are of each."""
    lines = "<br>".join(map(judged, rows))
    if len(rows) <= OPEN:
        return lines
    return f"<details><summary>{len(rows)} variants: {', '.join(counted(rows))}</summary>{lines}</details>"


def judged(row: Verdict) -> str:
    """The verdict on one right side, with its name and worst ratio, or how far it is from saying anything."""
    name = f"{row.hypothesis}: " if row.hypothesis else ""
    number = excess_text(row) if row.ratio != row.ratio else ratio_text(row.ratio)
    return f"{name}**{row.verdict}**{', ' if number else ''}{number}"


def places(rows: Sequence[Verdict]) -> str:
    """Where the worst ratios of a claim occur, folded behind the first one's instance."""
    told = [f"{row.hypothesis}: {row.where}" if row.hypothesis else row.where for row in rows if row.where]
    if not told:
        return ""
    first = next(row.where for row in rows if row.where).split(",")[0]
    return f"<details><summary>{first}</summary>{'<br>'.join(told)}</details>"


#: What encloses the tables in the README.
MARKERS = ("<!-- claims -->\n", "<!-- /claims -->\n")


def between_markers(text: str, table: str) -> str:
    """`text` with the lines between the two markers replaced by `table`; ValueError if a marker is missing."""
    start, end = MARKERS
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"expected the lines {start.strip()} and {end.strip()} once each")
    before, rest = text.split(start)
    return before + start + table + end + rest.split(end)[1]


def violations(rows: Iterable[Verdict]) -> list[str]:
    """Two lines for each claim that is violated and each counterexample that is none."""
    lines = []
    for row in rows:
        if row.verdict == "violated":
            lines.append(f"VIOLATED {row.claim}: {row.statement}")
        elif row.verdict == UNEARNED:
            lines.append(f"NO COUNTEREXAMPLE {row.claim}, {row.hypothesis}: {row.statement}")
        else:
            continue
        lines.append(
            f"  {row.violations} of {row.comparisons} comparisons; largest left/right {row.ratio:.6g} at {row.where}"
        )
    return lines
