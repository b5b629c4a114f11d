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


def adversary(args: argparse.Namespace) -> None:
    """Attack every reading of one claim and write the largest left/right, and the models that attain it."""
    from sacrepro.claims.adversary import Found, arrays, attack
    from sacrepro.store import write_arrays, write_rows

    found = []
    for row, model in attack(args.claim, args.evaluations, args.seed):
        found.append((row, model))
        print(f"{row.claim} {row.hypothesis}: random {row.random:.4f}, adversary {row.adversary:.4f}", flush=True)
    write_rows(args.output, Found, [row for row, _ in found])
    write_arrays(args.models, arrays(found))


def adversary_table(args: argparse.Namespace) -> None:
    """Join what `adversary` wrote for each claim."""
    from sacrepro.claims.adversary import Found
    from sacrepro.store import read_rows, write_rows

    write_rows(args.output, Found, [row for path in args.found for row in read_rows(path, Found)])


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    verbs.add(witnesses)
    verbs.add(falsify)

    added = verbs.add(adversary)
    added.add_argument("claim", help="name of the claim")
    added.add_argument("--evaluations", type=int, required=True, help="random models, and steps of each climb")
    added.add_argument("--seed", type=int, required=True, help="seed of the search")
    added.add_argument("--models", required=True, help="npz file for the models found")

    added = verbs.add(adversary_table)
    added.add_argument("found", nargs="+", help="csv files written by `adversary`")
