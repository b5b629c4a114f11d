"""Rows in, Figure out. A drawing computes nothing but what it shows and opens nothing.

A figure is drawn by the function of its name in a module of this folder; a claim's, by the function that its record
names in `Drawing`, with the labels that stand there. Titles are in `messages`, or below for claims.

Measured values are markers, bounds are dashed lines, and κ keeps one colour in every figure.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from sacrepro.archive.files import some_rows, write_figure
from sacrepro.model.notices import brought_by, meant

with brought_by("workflow"):
    from matplotlib import figure as canvas

from sacrepro.study.arguments import Figure, FigureName, Use
from sacrepro.study.claims import CLAIMS, claim
from sacrepro.study.drawings.panels import entitle, house_style, names, several
from sacrepro.study.experiments import KINDS, SHOWN, rows_of
from sacrepro.study.experiments.summary import SummaryRow
from sacrepro.study.record.comparison import (
    Comparison,
    attained,
    claim_is_identity,
    constrains,
    excess_of,
    factor_text,
    holds,
    ratio_text,
)


class NamedDrawing(NamedTuple):
    """A figure by name: the type of the rows it shows, the function that draws them, what it says below and above."""

    rows: type[Any]
    draw: Callable[[Sequence[Any]], canvas.Figure]
    caption: str
    message: Callable[[Sequence[Any]], str]


#: Those of claims in the paper's order, those of all claims, of experiments, and of benchmarks.
FIGURES = (*CLAIMS, "adversary", "overview", *SHOWN, "bench_exact", "bench_sac")


def drawing(name: str) -> NamedDrawing:
    """The drawing called `name`; ValueError lists the known ones."""
    if name not in FIGURES:
        raise ValueError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}{meant(name, FIGURES)}")
    if name in CLAIMS:  # which does not wait for the learners that runs load
        from sacrepro.study.drawings import critic, decay

        shown = claim(name).drawing
        kind = named(shown.kind, critic, decay)
        told: Callable[[Sequence[Any]], str] = partial(OF_CLAIMS.get(name, of_claim), words=claim(name).words)
        return NamedDrawing(Comparison, partial(kind, drawing=shown), shown.caption or caption(kind), told)
    from sacrepro.study.drawings import messages, networks, runs, surveys

    own = SHOWN.get(name)
    rows = surveys.ROWS[name] if own is None else SummaryRow if own.series else rows_of(own)
    draw = named(name, runs, surveys, networks)
    return NamedDrawing(rows, draw, caption(draw), getattr(messages, f"say_{name}", lambda rows: ""))


def named(name: str, *rooms: Any) -> Any:
    """The function of this name in the first of the modules that has it."""
    return next(getattr(room, name) for room in rooms if hasattr(room, name))


def caption(draw: Callable[..., canvas.Figure]) -> str:
    """The first paragraph of a drawing's docstring."""
    return inspect.cleandoc(draw.__doc__ or "").partition("\n\n")[0]


# What the figure of a claim says, as its title: read off all rows behind it, so that it is true of the run.


def of_claim(rows: Sequence[Comparison], words: str) -> str:
    """On how many instances the right side is attained, and how close the others come."""
    words = (words[:1].upper() + words[1:]).replace("∇_{θ_i}", "∇_i").replace("_i", "ᵢ")
    if wrong := sorted({row.instance for row in rows if not holds(row)}):
        return f"{words}: violated on {', '.join(wrong)}"
    if claim_is_identity(rows):
        return f"{words}: equal up to the certified error on {several(len(names(rows)), 'instance')}"
    said = [row for row in rows if constrains(row)]
    if not said:
        excess = excess_of(rows)
        told = f", right sides at least {factor_text(excess)} times the trivial bound" if excess > 0 else ""
        return f"{words}: nothing is said here{told}"
    equal = {row.instance for row in said if attained(row)}
    worst = {name: max(row.left / row.right for row in said if row.instance == name) for name in names(said)}
    others = [ratio for name, ratio in worst.items() if name not in equal]
    parts = [f"attained on {len(equal)} of {several(len(worst), 'instance')}"] if equal else []
    if others:
        where = "elsewhere" if equal else f"on {several(len(others), 'instance')}"
        parts.append(
            f"{where} left/right is {ratio_text(max(others), 2)} at most, {ratio_text(median(others), 2)} in the median"
        )
    return f"{words}: {'; '.join(parts)}"


def theorem5_sharp(rows: Sequence[Comparison], words: str) -> str:
    """How far below what holds at every θ the bound along runs is, and how far above what is achieved."""
    own = [row for row in rows if row.hypothesis == "as run"]
    if not (gained := gain(own)) or not all(map(holds, rows)):
        return of_claim(rows, words)
    where = several(len(names(own)), "instance")
    words = "Along Algorithm 1 the bound with the squared bias is below what holds at every θ"
    return f"{words}, by a factor of {factor_text(gained)} or more, on {where}"


def gain(rows: Sequence[Comparison]) -> float:
    """The least trivial bound over right side, if every right side is below a trivial bound that there is; else 0."""
    informative = all(0.0 < row.right < row.trivial < math.inf for row in rows)
    return min(row.trivial / row.right for row in rows) if rows and informative else 0.0


#: Of the claims that say something else than how close their right sides come; called with the claim's words, too.
OF_CLAIMS: Mapping[str, Callable[..., str]] = {"theorem5_sharp": theorem5_sharp}


#: The most panels of a figure by what it is for, and the instances that are shown first where there are more.
USES = {"paper": 8, "slide": 4}
FIRST = (
    "relay", "broadcast", "parity", "noisy_relay", "random_path", "courtesy", "sis_kite", "wireless", "random_ring",
    "trio_50", "trio_70", "trio_80", "trio_90", "sharp_path", "sharp_ring", "sharp_star", "wireless_pair",
    "sis_internet", "social_les_miserables", "thermal_path", "sysadmin_ring", "queueing_path",
)  # fmt: skip


def figure(
    figure: FigureName,
    rows: Sequence[str],
    *,
    output: Sequence[Figure],
    instances: Sequence[str] = (),
    for_: Use = "paper",
    whole: Figure | None = None,
) -> None:
    """Draw one figure from the rows it shows; the suffix of each --output picks its format.

    Of many instances it shows as many as --for admits, or those of --instances; --whole writes the figure of all. Its
    title is what all rows say.
    """
    chosen = drawing(figure)
    given = rows_of_figure(figure, rows, chosen.rows)
    where = ", ".join(rows)
    of_instances = "instance" in chosen.rows._fields
    if unknown := sorted({*instances} - {row.instance for row in given if of_instances}):
        known = names(given) if of_instances else []
        told = f"{where}: no rows of {', '.join(unknown)}; instances here: {', '.join(known) or 'none'}"
        raise ValueError(told + meant(unknown[0], known))
    with house_style():
        try:
            title = chosen.message(given)
            every = made(chosen, given, title)
            kept = instances or (few(given, every, USES[for_]) if of_instances else ())
            shown = made(chosen, [row for row in given if row.instance in kept], title) if kept else every
        except (ArithmeticError, LookupError, ValueError) as error:
            raise ValueError(f"{where}: not rows of the figure {figure} ({error})") from error
        for one in (every, shown):
            if not any(axes.has_data() or axes.texts or axes.tables for axes in one.axes):
                raise ValueError(f"{where}: nothing in these rows is shown by the figure {figure}")
        if whole and every is not shown:
            write_figure(every, whole)
        write_figure(shown, *output, *([whole] if whole and every is shown else []))


def made(chosen: NamedDrawing, rows: Sequence[Any], title: str) -> canvas.Figure:
    """The figure of these rows under its title."""
    drawn = chosen.draw(rows)
    entitle(drawn, title)
    return drawn


def few(rows: Sequence[Any], every: canvas.Figure, most: int) -> list[str]:
    """The instances for so many panels, in the order of the rows; none where all of them fit."""
    known = names(rows)
    panels = sum(axes.get_visible() and axes.get_label() != "<colorbar>" for axes in every.axes)
    if panels <= most or panels < len(known):  # many instances in one panel
        return []
    order = sorted(known, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    kept = order[: max(1, most // (panels // len(known)))]
    return [name for name in known if name in kept]


def rows_of_figure(figure: str, paths: Iterable[str], kind: type[Any]) -> list[Any]:
    """The rows that a figure shows, at least one; of a claim or of runs only if they are not another one's.

    Such rows are known by the name of their file, and a claim's by their variants where the file has a name of its own.
    """
    paths = list(paths)
    summarised = SHOWN[figure].name if figure in SHOWN else ""
    for what, known, shown in (("comparisons", CLAIMS, figure), ("summary", KINDS, summarised)):
        for path in paths:
            if shown in known and (stem := Path(path).stem) in known and stem != shown:
                raise ValueError(f"{path} holds the {what} of {stem}; the figure {figure} shows those of {shown}")
    rows = some_rows(paths, kind)
    if figure in CLAIMS:
        claim(figure).check_variants({row.hypothesis for row in rows}, ", ".join(paths))
    return rows
