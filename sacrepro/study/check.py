"""Rule `claim`: both sides of one claim, measured."""

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
    stationarity: Sequence[str] = (),
    runs: Sequence[str] = (),
    keep_going: bool = False,
    output: File,
) -> Iterator[str]:
    """Measure both sides of one claim on every given instance, write the comparisons and tell the verdict.

    Exit status 1 if it is violated, unless --keep-going, as in the workflow, leaves that to `verify`.
    """
    chosen = claim_named(claim)
    for option, given in (("--stationarity", stationarity), ("--runs", runs)):
        if given and not chosen.along_runs:
            raise ValueError(f"{option} is for theorem5, not for {chosen.name}")
    if runs and not stationarity:
        raise ValueError("--runs: nothing is measured along them without --stationarity")
    rows: list[Comparison] = []
    for path in exact:
        for case in cases(arrays_of("exact", path)):
            rows += chosen.check(case)
            yield f"{chosen.name}: {case.instance}, θ {case.policy}: {len(rows)} comparisons so far"
    if stationarity and chosen.along_runs:
        rows += along_runs(stationarity, runs, *chosen.along_runs)
        yield f"{chosen.name}: {len(rows)} comparisons with those along runs"
    write_rows(output, Comparison, rows)
    if not keep_going:
        judged = [
            verdict(chosen.name, chosen.statement, chosen.reference, group) for group in by_hypothesis(rows) if group
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
