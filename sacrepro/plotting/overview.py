"""All claims in one figure: how close each bound comes to what it bounds."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from sacrepro.claims.comparison import JUDGEMENTS, Verdict

#: What is false as written, or with one hypothesis less.
COUNTEREXAMPLE = "counterexample"

#: Colour and marker of each verdict.
VERDICTS = {
    "violated": ("#D55E00", "X"),
    "tight": ("#0072B2", "o"),
    "holds": ("#009E73", "s"),
    "vacuous": ("#999999", "|"),
    COUNTEREXAMPLE: ("#D55E00", "x"),
}


def overview(rows: Sequence[Verdict]) -> Figure:
    """The worst left/right of every right side of every claim; 1 is equality, a marker to the right of it a violation.
    Identities have no ratio and stand at the left margin with their verdict, as do right sides that constrain nothing.
    Counterexamples, which lie to the right on purpose, are crosses.
    """
    claims = list(dict.fromkeys(row.claim for row in rows))
    figure = Figure(figsize=(7.2, 0.24 * len(claims) + 1.0))
    axes = figure.subplots()
    ratios = [row.ratio for row in rows if row.ratio > 0.0]
    margin = min([*ratios, 0.1]) / 10
    for row in rows:
        color, marker = VERDICTS[kind(row)]
        place = row.ratio if row.ratio > 0.0 else margin
        axes.plot([place], [claims.index(row.claim)], marker, color=color, alpha=0.8, markersize=6)
    for verdict, (color, marker) in VERDICTS.items():
        if any(
            row.verdict == verdict or (verdict, row.verdict in JUDGEMENTS) == (COUNTEREXAMPLE, False) for row in rows
        ):
            axes.plot([], [], marker, color=color, label=verdict)
    axes.axvline(1.0, color="#444444", linestyle="--", label="left = right")
    axes.set_xscale("log")
    axes.set_yticks(range(len(claims)), claims)
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_xlabel("worst left / right of each right side")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure


def kind(row: Verdict) -> str:
    """The key of `VERDICTS` for one row."""
    return row.verdict if row.verdict in JUDGEMENTS else COUNTEREXAMPLE


DRAWINGS = {"overview": (Verdict, overview)}
