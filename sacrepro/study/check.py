"""Rules `claims_of_…`: both sides of claims, measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sacrepro.archive.files import arrays_of, read_rows, write_rows
from sacrepro.instances import build
from sacrepro.study.arguments import ClaimName, File
from sacrepro.study.claims import claim as claim_named
from sacrepro.study.record.case import cases
from sacrepro.study.record.comparison import Comparison, by_hypothesis, verdict
from sacrepro.study.report.table import markdown_table, violations


def claim(
    claim: ClaimName,
    exact: Sequence[str],
    *,
    beside: Sequence[ClaimName] = (),
    stationarity: Sequence[str] = (),
    runs: Sequence[str] = (),
    keep_going: bool = False,
    output: Sequence[File],
) -> Iterator[str]:
    """Measure both sides of claims on every given instance, write the comparisons of each and tell the verdicts.

    Exit status 1 if one is violated, unless --keep-going, as in the workflow, leaves that to `verify`.
    """
    chosen = [claim_named(name) for name in (claim, *beside)]
    if len(output) != len(chosen):
        raise ValueError(f"--output: {len(chosen)} claims need as many files, got {len(output)}")
    for option, given in (("--stationarity", stationarity), ("--runs", runs)):
        if given and not all(own.along_runs for own in chosen):
            raise ValueError(f"{option} is for theorem5, not for {', '.join(own.name for own in chosen)}")
    if runs and not stationarity:
        raise ValueError("--runs: nothing is measured along them without --stationarity")
    found: list[list[Comparison]] = [[] for _ in chosen]
    for path in exact:
        for case in cases(arrays_of("exact", path)):
            for own, rows in zip(chosen, found, strict=True):
                rows += own.check(case)
                yield f"{own.name}: {case.instance}, θ {case.policy}: {len(rows)} comparisons so far"
    for own, rows, place in zip(chosen, found, output, strict=True):
        if stationarity and own.along_runs:
            rows += along_runs(stationarity, runs, *own.along_runs)
            yield f"{own.name}: {len(rows)} comparisons with those along runs"
        write_rows(place, Comparison, rows)
    if not keep_going:
        judged = [
            verdict(own.name, own.statement, own.reference, group)
            for own, rows in zip(chosen, found, strict=True)
            for group in by_hypothesis(rows)
            if group
        ]
        yield markdown_table(judged).rstrip("\n")
        if faults := violations(judged):
            yield from faults
            raise SystemExit(1)


def along_runs(
    stationarity: Sequence[str], runs: Sequence[str], kind: type[Any], check: Callable[..., Iterator[Comparison]]
) -> list[Comparison]:
    """The comparisons of (9) along the runs that `trace --exact` has evaluated."""
    models = {}
    for path in runs:
        run = arrays_of("sac", path)
        models[str(run["instance"])] = build(json.loads(str(run["spec"])))
    return [row for path in stationarity for row in check(read_rows(path, kind), models)]
