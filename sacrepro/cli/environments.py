"""The verbs about the applications: the environments side by side, and the paper's Table 1."""

from __future__ import annotations

import argparse
import json

from sacrepro.cli.arguments import FILE, Verbs, mapping
from sacrepro.cli.inputs import arrays_of


def environments(args: argparse.Namespace) -> None:
    """Write how D_i(κ) decays in each environment and what the influence matrix certifies, exactly or for large n."""
    from sacrepro.adviser.files import resolve
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build_for_sampling
    from sacrepro.study.experiments.environments import EnvironmentRow, certified_rows, exact_rows
    from sacrepro.study.record.case import cases

    if not (args.exact or args.certified):
        raise ValueError("environments: nothing to compare; give files written by `exact`, or --certified instances")
    rows: list[EnvironmentRow] = []
    for path in args.exact:
        stored = arrays_of("exact", path)
        for case in cases(stored):
            rows += exact_rows(case, json.loads(str(stored["spec"]))["model"])
    for name, spec in args.certified.items():
        if not isinstance(spec, dict) or "model" not in spec:
            raise ValueError(f"--certified: {name}: expected a specification with a model, got {spec!r}")
        rows += certified_rows(build_for_sampling(resolve(spec)), name, spec["model"])
        print(f"{name}: certified", flush=True)
    write_rows(args.output, EnvironmentRow, rows)


def table1(args: argparse.Namespace) -> None:
    """Write the paper's Table 1 as numbers, from exact files and the setting that each stands for."""
    from sacrepro.archive.files import write_rows, write_text
    from sacrepro.study.experiments.table1 import Table1Row, markdown_table1, table1_rows
    from sacrepro.study.record.case import cases

    rows: list[Table1Row] = []
    for path in args.exact:
        for case in cases(arrays_of("exact", path)):
            if case.instance not in args.settings:
                raise ValueError(f"--settings: the instance {case.instance!r} of {path} has no setting")
            rows += table1_rows(case, args.settings[case.instance])
            print(f"{case.instance}, θ {case.policy}: done", flush=True)
    write_rows(args.output, Table1Row, rows)
    write_text(args.markdown, markdown_table1(rows))


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(environments)
    added.add_argument("exact", nargs="*", help="files written by `exact`")
    added.add_argument(
        "--certified", type=mapping, default={}, help="instances without an exact solution, as JSON by name"
    )

    added = verbs.add(table1)
    added.add_argument("exact", nargs="+", help="files written by `exact`")
    added.add_argument("--settings", type=mapping, required=True, help="the setting of each instance, as JSON")
    added.add_argument("--markdown", type=FILE, required=True, help="the table, largest values over policies")
