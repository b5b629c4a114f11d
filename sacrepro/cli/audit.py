"""The verbs of the audit: counterexamples, planted mistakes, the adversary, and bounds on huge networks."""

from __future__ import annotations

import argparse

from sacrepro.cli.arguments import COUNT, FILE, ORDINAL, POSITIVE, Verbs, one_of, specification
from sacrepro.cli.inputs import some_rows


def witnesses(args: argparse.Namespace) -> None:
    """Measure both sides of every false sentence where it fails."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.audit.counterexamples import witnesses as all_witnesses
    from sacrepro.study.record.comparison import Comparison

    rows: list[Comparison] = []
    for witness in all_witnesses():
        own = witness.measured()
        rows += own
        print(f"{witness.key}: {len(own)} comparisons", flush=True)
    write_rows(args.output, Comparison, rows)


def falsify(args: argparse.Namespace) -> None:
    """Plant wrong bounds and write which of them are caught."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.audit.falsify import Planted, falsification

    rows: list[Planted] = []
    for row in falsification():
        rows.append(row)
        print(f"{row.caught}: {row.mistake}, {row.claim} {row.hypothesis}", flush=True)
    write_rows(args.output, Planted, rows)


def adversary(args: argparse.Namespace) -> None:
    """Attack every reading of one claim and write the largest left/right, and the models that attain it."""
    from sacrepro.archive.files import write_arrays, write_rows
    from sacrepro.study.audit.adversary import Found, arrays, attack

    found = []
    for row, model in attack(args.claim, args.evaluations, args.seed):
        found.append((row, model))
        print(f"{row.claim} {row.hypothesis}: random {row.random:.4f}, adversary {row.adversary:.4f}", flush=True)
    write_rows(args.output, Found, [row for row, _ in found])
    write_arrays(args.models, arrays(found))


def adversary_table(args: argparse.Namespace) -> None:
    """Join what `adversary` wrote for each claim."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.audit.adversary import Found

    write_rows(args.output, Found, some_rows(args.found, Found))


def scale(args: argparse.Namespace) -> None:
    """Bound D_i(κ) for every agent of a large network, and around some agents from both sides; print what it took."""
    import time

    import numpy as np

    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.scale import scale as bounds_at_scale
    from sacrepro.study.record.comparison import Comparison

    start = time.perf_counter()
    mdp = build(args.spec)
    print(f"model: {mdp.n} agents, {time.perf_counter() - start:.2f} s", flush=True)
    agents = np.linspace(0, mdp.n - 1, args.agents, dtype=int).tolist()
    found = bounds_at_scale(args.instance, mdp, agents, args.kappa_max, args.tol)
    for step in found.steps:
        print(f"{step.what}: {step.agents} agents, {step.seconds:.2f} s")
    print(f"all: {time.perf_counter() - start:.2f} s")
    for kappa in range(args.kappa_max + 1):
        bounds = found.everywhere[:, kappa]
        print(f"κ={kappa}: influence bound {bounds.min():.4g} to {bounds.max():.4g} over all agents")
    write_rows(args.output, Comparison, found.rows)


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    verbs.add(witnesses)
    verbs.add(falsify)

    added = verbs.add(adversary)
    added.add_argument("claim", type=one_of("claim", "study.claims", "ATTACKED"), help="name of the claim")
    added.add_argument("--evaluations", type=COUNT, required=True, help="random models, and steps of each climb")
    added.add_argument("--seed", type=ORDINAL, required=True, help="seed of the search")
    added.add_argument("--models", type=FILE, required=True, help="npz file for the models found")

    added = verbs.add(adversary_table)
    added.add_argument("found", nargs="+", help="csv files written by `adversary`")

    added = verbs.add(scale)
    added.add_argument("--instance", required=True, help="name of the instance in the table")
    added.add_argument("--spec", type=specification, required=True, help="specification of the instance, as JSON")
    added.add_argument("--agents", type=COUNT, required=True, help="agents around which a light cone is computed")
    added.add_argument("--kappa-max", type=ORDINAL, required=True, help="largest κ")
    added.add_argument("--tol", type=POSITIVE, required=True, help="half width of the light cone's intervals")
