"""The verbs of the audit: counterexamples, planted mistakes, the adversary, and bounds on huge networks."""

from __future__ import annotations

import argparse

from sacrepro.cli.verbs import Verbs


def witnesses(args: argparse.Namespace) -> None:
    """Measure both sides of every false sentence where it fails."""
    from sacrepro.claims.comparison import Comparison
    from sacrepro.claims.witnesses import WITNESSES, key, measured
    from sacrepro.store import write_rows

    rows: list[Comparison] = []
    for witness in WITNESSES:
        own = measured(witness)
        rows += own
        print(f"{key(witness)}: {len(own)} comparisons", flush=True)
    write_rows(args.output, Comparison, rows)


def falsify(args: argparse.Namespace) -> None:
    """Plant wrong bounds and write which of them are caught."""
    from sacrepro.claims.falsification import Planted, falsification
    from sacrepro.store import write_rows

    rows: list[Planted] = []
    for row in falsification():
        rows.append(row)
        print(f"{row.caught}: {row.mistake}, {row.claim} {row.hypothesis}", flush=True)
    write_rows(args.output, Planted, rows)


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    verbs.add(witnesses)
    verbs.add(falsify)
