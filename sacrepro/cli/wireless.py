"""`sacrepro wireless …`: the published wireless benchmark, its references and its runs."""

from __future__ import annotations

import argparse

from sacrepro.cli.arguments import COUNT, ORDINAL, POSITIVE, SEVERAL, SHARE, Verbs

#: The methods by the names they have in the configuration.
METHODS = {"algorithm1": "Algorithm 1", "published": "published variant"}


def wireless_references(args: argparse.Namespace) -> None:
    """The objective at θ = 0 and of ALOHA, with its own queue and with a stale one."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.experiments.wireless import WirelessRow, reference_rows

    rows = list(reference_rows(args.episodes))
    write_rows(args.output, WirelessRow, rows)
    for row in rows:
        print(f"{row.method} ({row.case}): {row.objective:.4f} ± {row.standard_error:.4f}")


def wireless_run(args: argparse.Namespace) -> None:
    """The objective along runs of one learner with one κ."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.experiments.wireless import WirelessRow, learning_rows

    rows = []
    settings = (args.kappa, args.seeds, args.M, args.records, args.episodes, args.h, args.t0, args.eta, args.lambda_)
    for row in learning_rows(METHODS[args.method], *settings):
        rows.append(row)
        if row.m == args.M:
            print(f"{row.method}, κ={row.kappa}, seed {row.seed}: {row.objective:.4f}", flush=True)
    write_rows(args.output, WirelessRow, rows)


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    family = verbs.family("wireless", "The published wireless benchmark.")
    for function in (wireless_references, wireless_run):
        added = family.add(function, name=function.__name__.removeprefix("wireless_"))
        added.add_argument("--episodes", type=SEVERAL, required=True, help="episodes of each evaluation")
        if function is wireless_run:
            added.add_argument("--method", choices=sorted(METHODS), required=True, help="the learner")
            for name, kind, text in (
                ("kappa", ORDINAL, "κ, how many hops the critic sees"),
                ("seeds", COUNT, "number of seeds, 0..seeds-1"),
                ("M", COUNT, "outer iterations"),
                ("records", COUNT, "evaluations along a run"),
            ):
                added.add_argument(f"--{name}", type=kind, required=True, help=text)
            for name, text in (("h", "critic step α_t = h/(t+t0)"), ("t0", "the same"), ("eta", "η_m = η/√(m+1)")):
                added.add_argument(f"--{name}", type=POSITIVE, default=1.0, help=f"{text}; Algorithm 1 only")
            added.add_argument("--lambda", dest="lambda_", type=SHARE, default=0.0, help="TD(λ) in place of line 7")
