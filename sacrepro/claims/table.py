"""The verdict table as Markdown, for the README and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from sacrepro.claims.comparison import Verdict

HEADER = (
    "claim", "right side", "statement", "paper", "instances", "comparisons", "violations", "worst left/right", "where",
    "verdict",
)  # fmt: skip


def markdown_table(rows: Sequence[Verdict]) -> str:
    """One line a claim."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    for row in rows:
        identity = "-" if row.verdict == "vacuous" else "identity"
        ratio = identity if row.ratio != row.ratio else f"{row.ratio:.4g}"
        cells = (
            f"`{row.claim}`", row.hypothesis,
            row.statement.replace("|", "\\|"), row.reference, row.instances, row.comparisons,
            row.violations, ratio, row.where.replace("|", "\\|"), f"**{row.verdict}**",
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def summary_table(rows: Sequence[Verdict]) -> str:
    """One line a claim: all its comparisons, and for each right side the verdict with the worst left/right."""
    header = ("claim", "statement", "paper", "instances", "comparisons", "violations", "verdict, worst left/right")
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for name in dict.fromkeys(row.claim for row in rows):
        own = [row for row in rows if row.claim == name]
        cells = (
            f"`{name}`", own[0].statement.replace("|", "\\|"), own[0].reference, max(row.instances for row in own),
            sum(row.comparisons for row in own), sum(row.violations for row in own), "<br>".join(map(judged, own)),
        )  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def judged(row: Verdict) -> str:
    """The verdict on one right side, with its name and worst ratio where there are any."""
    name = f"{row.hypothesis}: ".replace("|", "\\|") if row.hypothesis else ""
    ratio = "" if row.ratio != row.ratio else f", {row.ratio:.3g}"
    return f"{name}**{row.verdict}**{ratio}"


#: What encloses the table in the README.
MARKERS = ("<!-- claims -->\n", "<!-- /claims -->\n")


def between_markers(text: str, table: str) -> str:
    """`text` with the lines between the two markers replaced by `table`; ValueError if a marker is missing."""
    start, end = MARKERS
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"expected the lines {start.strip()} and {end.strip()} once each")
    before, rest = text.split(start)
    return before + start + table + end + rest.split(end)[1]
