"""Returns in words: what a training was run with, what each κ earned, and which κ follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap

from sacrepro.adviser.pilot import Pilot, Trained, not_below
from sacrepro.adviser.settings import Proposal

#: Columns of a line of words.
WIDTH = 110


def settings_words(settings: Proposal) -> str:
    """The arguments of `sac`, with the reasons of those that were proposed."""
    given = f"M = {settings.M:,}, T = {settings.T:,}, h = {settings.h:g}, t0 = {settings.t0:g}, η = {settings.eta:g}"
    lines = [f"Algorithm 1 with {given}"]
    for reason in settings.reasons:
        lines += wrap(reason, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines) + "\n\n"


def training_words(found: Trained) -> str:
    """The table of returns, and the κ that follows from it."""
    return "\n".join([*returns_table(found), "", *wrap(which_kappa(found), WIDTH)]) + "\n"


def returns_table(found: Trained) -> list[str]:
    """κ, mean return, spread over seeds, 95 % interval of the mean; J at the start below."""
    table = [["κ", "J(θ(M))", "spread", "95 % of the mean", "seeds", "first visits"]]
    for row in found.rows:
        one = math.isnan(row.spread)
        seen = [run.first_visit_share for run in found.runs if run.kappa == row.kappa]
        table.append(
            [
                str(row.kappa),
                f"{row.J:.4g}",
                "" if one else f"{row.spread:.2g}",
                "" if one else f"[{row.low:.4g}, {row.high:.4g}]",
                str(row.seeds),
                f"{sum(seen) / len(seen):.0%}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    start = found.start
    how = (
        "exact"
        if start.method == "exact"
        else f"by simulation on fresh episodes; at the start [{start.low:.4g}, {start.high:.4g}]"
    )
    return [*lines, f"J at the start, the uniform policy: {start.J:.4g}. J is {how}."]


def which_kappa(found: Trained) -> str:
    """What was compared, the smallest κ that is not shown to earn less than another, and how far that goes."""
    several, seeds, told = len(found.rows) > 1, found.rows[0].seeds, ""
    top = max(found.rows, key=lambda row: row.J).kappa
    if several and seeds > 1:
        tied = [kappa for kappa in not_below(found.rows) if kappa != top]
        near = f"{_kappas(tied)} below it by no more" if tied else "every other κ is below it by more"
        told = (
            f"Compared: mean returns over {seeds} seeds. The largest is that of κ = {top}; {near} than the noise of "
            f"their difference (Student's 95 %). So κ = {found.best} is the smallest that is not shown to earn less. "
        )
    elif several:
        told = f"κ = {found.best} has the largest return, of one seed each, which shows no noise: take more seeds. "
    if not found.gains:
        told += (
            f"But κ = {found.best} is not above the start beyond noise: more iterations or another η may show more. "
        )
    runs = "these samples" if several else "so many samples"
    return f"{told}All of this is for {runs}, M·T = {found.proposal.M * found.proposal.T:,} steps a run."


def _kappas(kappas: Sequence[int]) -> str:
    """Several κ with their verb."""
    return f"κ = {', '.join(map(str, kappas))} {'is' if len(kappas) == 1 else 'are'}"


def pilot_words(found: Pilot, advised: int | None, error: float) -> list[str]:
    """The return's answer, beside the κ that keeps the error at or below ε, and whether the two agree."""
    if found.trained is None:
        return wrap(f"RETURN: no pilot of SAC was run: {found.note}.", WIDTH)
    best = found.trained.best
    lines = [
        "RETURN: what short runs of SAC earn, judged by episodes of their own.",
        *settings_words(found.trained.proposal).splitlines(),
        *returns_table(found.trained),
        "",
    ]
    told = which_kappa(found.trained)
    if advised is None:
        told += f" No κ was shown to keep the error at or below ε = {error:g}, which is a question of its own."
    elif advised == best:
        told += f" The error at or below ε = {error:g} asks for the same κ = {best}."
    elif not found.trained.gains:
        told += (
            f" So the pilot says nothing against the κ = {advised} that the error at or below ε = {error:g} asks for."
        )
    elif advised in not_below(found.trained.rows):
        told += (
            f" The error at or below ε = {error:g} asks for κ = {advised}, which is not shown to earn less either: the "
            f"return does not tell it from κ = {best}."
        )
    else:
        worse = "a larger table is learned worse from them" if best < advised else "a larger table pays already"
        why = worse if advised in {row.kappa for row in found.trained.rows} else f"κ = {advised} was not tried"
        told += (
            f" THE TWO ANSWERS DIFFER: the error at or below ε = {error:g} asks for κ = {advised}, the return for "
            f"κ = {best}. The first bounds an error; the second is what these samples earn, and {why}."
        )
    return [*lines, *wrap(told, WIDTH)]


def chosen_run(found: Trained) -> int:
    """The run of largest J among those of the best κ."""
    return max((k for k, run in enumerate(found.runs) if run.kappa == found.best), key=lambda k: found.runs[k].J)
