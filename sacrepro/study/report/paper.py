"""The paper: paper/paper.typ, whose numbers are fields and whose paragraphs name the verdicts that they rest on.

A block of the source, which ends at an empty line, may begin with lines ``//: PLACE = VERDICT, VERDICT``: it stands
only if the run has one of these verdicts there. ``⟦FIELD⟧`` is a number of the run (`findings.Evidence`). What a run
does not bear out is refused where the paper configuration is published, and elsewhere left out and listed.

Below are the facts that a sentence may rest on: read off the rows of a run, each a text such as a number or *yes*.
What the run did not compute has no entry.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from sacrepro.archive.files import read_bytes, read_text, record_of, some_rows, write_bytes
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import Constants, least_T
from sacrepro.study.arguments import File
from sacrepro.study.audit.adversary import Found
from sacrepro.study.audit.falsify import Planted
from sacrepro.study.claims import all_claims
from sacrepro.study.coq import proofs_of
from sacrepro.study.drawings import gain
from sacrepro.study.drawings.messages import behind, best_at, best_method, closest, final_returns, one_of, reach, share
from sacrepro.study.drawings.panels import names
from sacrepro.study.experiments.exact_bias import STARTS, BiasRow, MeanRow, WarmRow
from sacrepro.study.experiments.locality import LocalityRow, best_ends, locality_facts
from sacrepro.study.experiments.summary import CONFIDENCE, SummaryRow
from sacrepro.study.experiments.wireless import METHODS, RECORDED, WirelessRow
from sacrepro.study.record.comparison import (
    JUDGEMENTS,
    Comparison,
    Verdict,
    at_end,
    by,
    constrains,
    factor_text,
    percent,
    ratio_text,
)
from sacrepro.study.report.document import pdf
from sacrepro.study.report.findings import Evidence, as_place
from sacrepro.study.report.pages import inline
from sacrepro.study.report.table import counted, totals, worst

#: A condition of a block, and a field.
CONDITION, FIELD = re.compile(r"^//: (.+?) = (.+)$", re.MULTILINE), re.compile("⟦([^⟧]+)⟧")


def borne_out(source: str, evidence: Evidence) -> tuple[str, list[str]]:
    """The blocks of a source with their numbers, without those that the run does not bear out; and why not."""
    kept, objections = [], []
    for block in re.split(r"\n{2,}", source):
        found = [
            objection
            for place, expected in CONDITION.findall(block)
            if (objection := evidence.objection(as_place(place), expected.split(", ")))
        ]
        try:
            text = FIELD.sub(lambda field: inline(evidence.number(field[1])), CONDITION.sub("", block))
        except KeyError as error:
            found.append(f"a number for {error.args[0]}, got none")
        if found:
            objections.append("; ".join(found))
        else:
            kept.append(text)
    return "\n\n".join(kept), objections


def record(verdicts: Sequence[Verdict], steps: Sequence[Comparison], proofs: Mapping[str, str]) -> dict[str, Any]:
    """The tables of the paper, as typst markup: verdicts, counterexamples, and what each step of the proofs costs."""
    claims = []
    for claim in all_claims():
        if own := [row for row in verdicts if row.claim == claim.name and row.verdict in JUDGEMENTS]:
            told = ", ".join(counted(own)).removeprefix("1 " if len(own) == 1 else "")
            shown = (claim.words, told, worst(own), proofs.get(claim.name, ""))
            claims.append([f"#raw({json.dumps(claim.name)})", *map(inline, shown)])
    return {
        "claims": claims,
        "counterexamples": [
            [inline(row.statement), inline(row.verdict), ratio_text(row.ratio)]
            for row in verdicts
            if row.verdict not in JUDGEMENTS
        ],
        "steps": [[inline(step), *costs] for step, *costs in medians(steps)],
    }


def paper(
    claims: str,
    manifest: str,
    *,
    template: str,
    references: str,
    formal: tuple[str, str] | None = None,
    rows: Sequence[str] = (),
    figures: Sequence[str] = (),
    output: File,
) -> Iterator[str]:
    """Set the paper from verdicts, rows and figures; ValueError for what a published run does not bear out."""
    config = record_of("manifest", manifest, "config", "versions", "code")["config"]
    verdicts = some_rows([claims], Verdict)
    anatomy = named(rows, "anatomy")
    facts = facts_of([path for path in rows if path not in anatomy], verdicts, config)
    facts |= {f"figure {Path(path).stem}": "drawn" for path in figures}
    steps = some_rows(anatomy, Comparison) if anatomy else []
    text, objections = borne_out(
        read_text(template), Evidence(verdicts, facts | ({"steps": "measured"} if steps else {}))
    )
    if objections and config["published"]:
        raise ValueError(f"{template} wants " + "; and ".join(objections))
    made = record(verdicts, steps, proofs_of(*formal or (None, None))) | {"left_out": [*map(inline, objections)]}
    made["locality"] = locality_table(some_rows(own, LocalityRow)) if (own := named(rows, "locality")) else []
    files = {f"figures/{Path(path).name}": read_bytes(path) for path in figures}
    files |= {"paper.json": json.dumps(made, ensure_ascii=False).encode(), "main.typ": text.encode()}
    document = pdf(files | {"references.bib": read_bytes(references)})
    write_bytes(output, document)
    yield f"{len(document)} bytes, {len(objections)} blocks left out"


def named(paths: Iterable[str], stem: str) -> list[str]:
    """The files of this name."""
    return [path for path in paths if Path(path).stem == stem]


def facts_of(paths: Iterable[str], verdicts: Sequence[Verdict], config: Mapping[str, Any]) -> dict[str, str]:
    """The facts of a run, from the files that it has: of one kind by its folder, others by their name.

    config : the resolved configuration.
    """
    found = {name: f"{count:,}" for name, count in totals(verdicts).items()} | {
        "policies": str(config["policies"]["count"]),
        "confidence": f"{100 * CONFIDENCE:g}",
        "length": ", ".join(f"10^{{{math.log10(asked_for(kappa)):.1f}}}" for kappa in range(3)),
    }
    kinds: dict[str, tuple[type[Any], Callable[[Any], Iterable[tuple[str, str]]]]] = {
        "exact_bias": (BiasRow, bias_facts),
        "mean_step": (MeanRow, mean_facts),
        "warm_start": (WarmRow, warm_facts),
        "locality": (LocalityRow, locality_facts),
        "wireless": (WirelessRow, wireless_facts),
        "theorem5_sharp": (Comparison, sharp_facts),
        "critic_error": (SummaryRow, critic_facts),
        "stationarity": (SummaryRow, return_facts),
        "exact_critic": (SummaryRow, exact_critic_facts),
        "methods": (SummaryRow, method_facts),
        "falsification": (Planted, lambda rows: [("planted", f"{sum(row.caught == 'yes' for row in rows):,}")]),
        "adversary": (Found, lambda rows: [("attacked", f"{len(rows):,}")]),
    }
    files: dict[str, list[str]] = {}
    for path in paths:
        folder, stem = Path(path).parent.name, Path(path).stem
        files.setdefault(folder if folder in kinds else stem, []).append(path)
    runs = {key: config.get(key, {}) for key in ("methods", "critic_error")}
    for name, (kind, facts) in kinds.items():
        if name not in files:
            continue
        rows = some_rows(files[name], kind)
        found |= facts(rows)
        if name == "stationarity":
            runs["objective"] = {own: config["sac"][own] for own in names(rows) if own in config["sac"]}
    return found | {f"runs of {key}": told for key, own in runs.items() if (told := told_runs(own))}


def asked_for(kappa: int) -> int:
    """The T of (8) on a path of five binary agents, explored uniformly: γ = .7, τ = 2, δ = .1, M = 10⁶."""
    cell = (2 * kappa + 1) * math.log(4.0)
    return least_T(0.1, 5, 10**6, kappa, Constants(*lemma3(1.0, 0.7), math.exp(-cell), 2, 1.0, 0.7, cell))


def bias_facts(rows: Sequence[BiasRow]) -> Iterator[tuple[str, str]]:
    """Up to which T κ = 0 is closest to ∇J everywhere, from which on a larger κ, and what that buys in the limit."""
    best = closest(rows)
    short = [T for T in best if all(best[t] == {0} for t in best if t <= T)]
    long = [T for T in best if all(not best[t] & {0, None} for t in best if t >= T)]
    yield "bias paths", str(len({row.instance for row in rows}))
    yield "bias order", "yes" if short and long else "no"
    if short and long:
        yield "bias short", f"{short[-1]:,}"
        yield "bias long", f"{long[0]:,}"
    of = {(row.instance, row.kappa): row for row in rows}
    gains = [
        of[name, 0].limit / row.limit
        for (name, kappa), row in of.items()
        if kappa == 1 and row.limit > 0 and (name, 0) in of
    ]
    if gains:
        yield "bias gain", factor_text(min(gains))
    if shares := [row.limit / row.gradient for (_, kappa), row in of.items() if kappa == 0 and row.gradient > 0]:
        yield "bias share", f"{100 * max(shares):.2g}"


def mean_facts(rows: Sequence[MeanRow]) -> Iterator[tuple[str, str]]:
    """How many standard errors the mean of the seeds ends below the curve of the mean step, at the largest η."""
    eta = max(row.eta for row in rows)
    off = [behind(rows, name, eta) for name in names([row for row in rows if row.eta == eta])]
    yield "mean step", "above the seeds" if min(off) > 2.0 else "not above the seeds"
    yield "mean step off", reach(off)
    yield "mean step eta", f"{eta:g}"


def warm_facts(rows: Sequence[WarmRow]) -> Iterator[tuple[str, str]]:
    """What a warm start, and one loop of as many steps, leave of a zero start's bias at the largest κ."""
    kappa = max(row.kappa for row in rows)
    warm, one = ([share(rows, name, kappa, start) for name in names(rows)] for start in STARTS[1:])
    yield "warm", "helps more than length" if all(a < b < 1.0 for a, b in zip(warm, one, strict=True)) else "mixed"
    yield "warm kappa", str(kappa)
    yield "warm left", percent(warm)
    yield "warm one loop", percent(one)
    yield "warm loops", str(max(row.m for row in rows if row.start == STARTS[2]))
    yield "warm T", f"{rows[0].T:,}"


def locality_table(rows: Sequence[LocalityRow]) -> list[list[str]]:
    """Where SAC was run or locality costs: J of uniform, SAC, its gap, best localized, its gap, best joint."""
    own = {(row.instance, row.policy): row for row in rows if row.policy != "SAC"}
    ends = {row.instance: row for row in best_ends(rows)}
    table = []
    for name in names(rows):
        uniform, localized, joint = (own[name, policy] for policy in ("uniform", "best localized", "best joint"))
        sac = ends.get(name)
        if sac or localized.joint_low > 0.0:
            learned = f"{sac.J:.4g} ± {sac.spread:.1g} ($kappa={sac.kappa}$)" if sac else ""
            gap = bracket(sac.localized_low, sac.localized_high) if sac else ""
            cost = bracket(max(0.0, localized.joint_low), localized.joint_high)  # no localized policy earns more
            J = [f"{row.J:.4g}" for row in (uniform, localized, joint)]
            table.append([f"#raw({json.dumps(name)})", J[0], learned, gap, J[1], cost, J[2]])
    return table


def bracket(low: float, high: float) -> str:
    """A certified gap: one number where both ends are it to three digits; what is 0 to nine places is 0."""
    ends = [f"{0.0 if abs(end) < 1e-9 else end:.3g}" for end in (low, high)]
    return " to ".join(dict.fromkeys(ends))


def critic_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """The κ whose critic is closest to Q_i at the shortest and at the longest T, over instances."""
    far = [row for row in rows if row.quantity == "to_Q"]
    lengths = {row.x for row in far}
    for name, T in (("short", min(lengths)), ("long", max(lengths))) if far else ():
        yield f"critic {name} T", f"{int(T):,}"
        yield f"critic {name}", one_of(best_at(far, T, 1.0).values())


def return_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """Which κ has the largest J at the end of the runs, and whether ‖∇J‖² agrees."""
    best = best_at([row for row in rows if row.quantity == "J"], None, -1.0)
    steepest = best_at([row for row in rows if row.quantity == "gradient_norm_squared"], None, 1.0)
    yield "return", by_kappa(best)
    yield from ((f"best on {name}", f"κ = {kappa}") for name, kappa in best.items())
    yield "return of", str(len(best))
    yield "return zero", str(sum(kappa == 0 for kappa in best.values()))
    if best.keys() <= steepest.keys():
        yield "return disagrees", str(sum(steepest[name] != best[name] for name in best))


def exact_critic_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """With the exact critic: the gap that each κ leaves at the end, where it falls with κ on some instance."""
    for name, own in by(rows, "instance").items():
        at = at_end(own, "x")
        gaps = {int(row.series): row.iqm for row in at if row.quantity == "gap"}
        left = [gaps[kappa] for kappa in sorted(gaps)]
        falls = len(left) > 1 and all(one > other for one, other in pairwise(left))
        yield f"exact critic {name}", "falls" if falls else "does not fall"
        yield f"exact critic {name} gaps", ", ".join(f"{gap:.2g}" for gap in left)
        yield f"exact critic {name} kappas", ", ".join(map(str, sorted(gaps)))
        if norms := [row.iqm for row in at if row.quantity == "gradient_norm_squared"]:
            yield f"exact critic {name} norm", f"{max(norms):.1g}"


def method_facts(rows: Sequence[SummaryRow]) -> Iterator[tuple[str, str]]:
    """Which method has the largest J at equal samples, with the step size that is best for it."""
    learned = final_returns(rows)
    if learned:
        yield "methods", "; ".join(f"{best_method(own)} on `{name}`" for name, own in learned.items())
    if learned and all({"SAC", "independent"} <= own.keys() for own in learned.values()):
        yield "methods independent", str(sum(own["independent"] > own["SAC"] for own in learned.values()))
        yield "methods of", str(len(learned))


def wireless_facts(rows: Sequence[WirelessRow]) -> Iterator[tuple[str, str]]:
    """Where κ = 0 and κ = 1 of Algorithm 1 end on the published benchmark, beside its start."""
    ends = {}
    for kappa in (0, 1):
        own = [row for row in rows if (row.method, row.kappa) == (METHODS["algorithm1"], kappa)]
        if last := at_end(own, "m"):
            ends[kappa] = sum(row.objective for row in last) / len(last)
            yield f"wireless {kappa}", f"{ends[kappa]:.3f}"
            yield f"wireless {kappa} M", f"{last[0].m:,}"
            yield f"wireless {kappa} seeds", str(len(last))
    yield "wireless recorded", f"{RECORDED:.3f}"
    for start in [row.objective for row in rows if row.method == "start"][:1]:
        yield "wireless start", f"{start:.3f}"
        yield "wireless order", "yes" if len(ends) > 1 and ends[0] < start and ends[1] > RECORDED else "no"


def sharp_facts(rows: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    """How far below what holds at every θ the bound with the squared bias is along runs of Algorithm 1."""
    own = [row for row in rows if row.hypothesis == "as run"]
    if slack := [row.right / row.left for row in own if row.left > row.error]:
        gained = gain(own)
        yield "sharp", "informative" if gained else "not everywhere"
        if gained:
            yield "sharp gain", factor_text(gained)
        yield "sharp slack", f"{median(slack):.2g}"
        yield "sharp instances", str(len({row.instance for row in own}))
        yield "sharp case", "; ".join(dict.fromkeys(row.case.replace(" ", ", ").replace("=", " = ") for row in own))


def medians(rows: Sequence[Comparison]) -> Iterator[tuple[str, ...]]:
    """(step, median, lower and upper quartile, largest right/left) of each step of `anatomy`, what costs most last."""
    for step, own in by(rows, "hypothesis").items():
        if cost := sorted(row.right / row.left for row in own if constrains(row) and row.left > row.error):
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


def told_runs(runs: Mapping[str, Mapping[str, Any]]) -> str:
    """The seeds, M and T of each instance's runs, as far as they have them."""
    told = []
    for name, run in runs.items():
        parts = [f"{run['seeds']} seeds"] if "seeds" in run else []
        parts += [f"{key} = {run[key]:,}" for key in ("M", "T") if key in run]
        parts += [f"T up to {max(run['lengths']):,}"] if "lengths" in run and "T" not in run else []
        told.append(f"`{name}` {', '.join(parts)}")
    return "; ".join(told)
