"""The verbs of the experiments: what SAC does along κ, T, seeds and rivals, against exact yardsticks."""

from __future__ import annotations

import argparse
import json

from sacrepro.cli.arguments import COUNT, ORDINAL, POSITIVE, SEVERAL, Verbs, one_of, specification
from sacrepro.cli.inputs import arrays_of, some_rows


def critic_error(args: argparse.Namespace) -> None:
    """Measure the critic's error on one instance for every κ, T and seed."""
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.critic_error import CriticErrorRow, critic_error_rows

    rows = list(critic_error_rows(build(args.spec), args.instance, args.kappas, args.lengths, args.seeds))
    write_rows(args.output, CriticErrorRow, rows)
    print(f"{args.instance}: {len(rows)} inner loops")


def diagnostics(args: argparse.Namespace) -> None:
    """Measure critic, gradient and policy exactly at some records of every run in one file of `sac`."""
    import numpy as np

    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.diagnostics import DiagnosticRow, diagnostic_rows

    run = arrays_of("sac", args.run)
    mdp = build(json.loads(str(run["spec"])))
    chosen = np.unique(np.linspace(0, len(run["m"]) - 1, args.records).round().astype(int))
    instance, kappa, T = str(run["instance"]), int(run["kappa"]), int(run["T"])
    h, t0 = float(run["h"]), float(run["t0"])
    rows: list[DiagnosticRow] = []
    for seed in range(len(run["J_estimate"])):
        thetas = [run[f"theta_{i}"][seed][chosen] for i in range(mdp.n)]
        m = [int(iteration) for iteration in run["m"][chosen]]
        rows += diagnostic_rows(mdp, instance, kappa, seed, m, thetas, T=T, h=h, t0=t0)
    write_rows(args.output, DiagnosticRow, rows)
    print(f"{instance}, κ={kappa}: {len(rows)} values")


def simulated(args: argparse.Namespace) -> None:
    """Estimate J by simulation at some records of every run in files of `sac`."""
    import numpy as np

    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build_for_sampling
    from sacrepro.study.experiments.runs import SimulatedRow, simulated_rows

    rows: list[SimulatedRow] = []
    for path in args.runs:
        run = arrays_of("sac", path)
        mdp = build_for_sampling(json.loads(str(run["spec"])))
        instance, kappa = str(run["instance"]), int(run["kappa"])
        chosen = np.unique(np.linspace(0, len(run["m"]) - 1, args.records).round().astype(int))
        for seed in range(len(run["J_estimate"])):
            thetas = [run[f"theta_{i}"][seed][chosen] for i in range(mdp.n)]
            m = [int(iteration) for iteration in run["m"][chosen]]
            rows += simulated_rows(mdp, instance, kappa, seed, m, thetas, episodes=args.episodes, T=args.T)
        print(f"{instance}, κ={kappa}: done", flush=True)
    write_rows(args.output, SimulatedRow, rows)


def rivals(args: argparse.Namespace) -> None:
    """Run Algorithm 1, its extensions and its rivals on one instance at equal samples."""
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.methods import CRITICS_ALONE, EXACT, METHODS, RivalRow, rival_rows

    mdp = build(args.spec)
    rows: list[RivalRow] = []
    for method in args.methods or (*METHODS, EXACT):
        for eta in args.etas[:1] if method in CRITICS_ALONE else args.etas:
            rows += rival_rows(
                mdp,
                args.instance,
                method,
                kappa=args.kappa,
                seeds=args.seeds,
                M=args.M,
                T=args.T,
                h=args.h,
                t0=args.t0,
                eta=eta,
                record_every=args.record_every,
            )
        print(f"{args.instance}, {method}: {len(rows)} records so far", flush=True)
    write_rows(args.output, RivalRow, rows)


def estimators(args: argparse.Namespace) -> None:
    """Measure bias and variance of every method's gradient estimate at fixed policies of one instance."""
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.methods import EstimatorRow, estimator_rows

    settings = {"lengths": args.lengths, "episodes": args.episodes, "h": args.h, "t0": args.t0}
    rows = list(estimator_rows(build(args.spec), args.instance, kappa=args.kappa, **settings))
    write_rows(args.output, EstimatorRow, rows)
    print(f"{args.instance}: {len(rows)} estimates")


def summary(args: argparse.Namespace) -> None:
    """Summarise rows of one kind over their seeds: interquartile means with bootstrap intervals."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.experiments.summary import SummaryRow, summarised
    from sacrepro.study.experiments.summary import summary as summary_of

    rows = some_rows(args.rows, summarised(args.kind).rows)
    found = summary_of(args.kind, rows)
    write_rows(args.output, SummaryRow, found)
    print(f"{args.kind}: {len(rows)} rows, {len(found)} summaries")


def patient(args: argparse.Namespace) -> None:
    """Ascend along eq. (7) with TD's fixed points for every κ: Algorithm 1 of endless T, without sampling."""
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.model.policy import uniform_theta
    from sacrepro.study.measures.exact_critic import exact_ascent
    from sacrepro.study.measures.stationarity import StationarityRow, stationarity_rows

    mdp = build(args.spec)
    rows: list[StationarityRow] = []
    for kappa in args.kappas:
        theta0, every = uniform_theta(mdp), args.record_every
        thetas, m = exact_ascent(mdp, theta0, M=args.M, eta=args.eta, record_every=every, kappa=kappa)
        rows += stationarity_rows(mdp, args.instance, kappa, 0, m, thetas)
        print(f"{args.instance}, κ={kappa}: done", flush=True)
    write_rows(args.output, StationarityRow, rows)


def best_kappa(args: argparse.Namespace) -> None:
    """Say which κ is best at which sample budget, from summaries of runs."""
    from sacrepro.archive.files import write_rows
    from sacrepro.study.experiments.summary import BestKappaRow, SummaryRow, best_kappa_rows

    found = [row for path in args.summaries for row in best_kappa_rows(some_rows([path], SummaryRow))]
    write_rows(args.output, BestKappaRow, found)
    print(f"{len(found)} comparisons, {sum(row.clear for row in found)} clear")


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    for function in (critic_error, rivals, estimators):
        added = verbs.add(function)
        added.add_argument("--instance", required=True, help="name of the instance in all tables")
        added.add_argument("--spec", type=specification, required=True, help="specification of the instance, as JSON")
        if function is not estimators:
            added.add_argument("--seeds", type=COUNT, required=True, help="number of seeds, 0..seeds-1")
        if function is critic_error:
            added.add_argument("--kappas", type=ORDINAL, nargs="+", required=True, help="every κ")
        else:
            added.add_argument("--kappa", type=ORDINAL, required=True, help="κ of the methods that have one")
            for name, text in (("h", "h of the critic's steps"), ("t0", "t0 of the critic's steps")):
                added.add_argument(f"--{name}", type=POSITIVE, required=True, help=text)
        if function is not rivals:
            added.add_argument("--lengths", type=COUNT, nargs="+", required=True, help="every T")
        if function is rivals:
            for name, text in (("M", "episodes"), ("T", "steps of an episode"), ("record-every", "between records")):
                added.add_argument(f"--{name}", type=COUNT, required=True, help=text)
            added.add_argument("--etas", type=POSITIVE, nargs="+", required=True, help="every η")
            added.add_argument(
                "--methods",
                type=one_of("method", "study.experiments.methods", "METHODS", "EXACT"),
                nargs="*",
                help="methods by name; all by default",
            )
        if function is estimators:
            added.add_argument("--episodes", type=SEVERAL, required=True, help="episodes behind each estimate")

    added = verbs.add(patient)
    added.add_argument("--instance", required=True, help="name of the instance in all tables")
    added.add_argument("--spec", type=specification, required=True, help="specification of the instance, as JSON")
    added.add_argument("--kappas", type=ORDINAL, nargs="+", required=True, help="every κ")
    added.add_argument("--eta", type=POSITIVE, required=True, help="actor step η_m = η/√(m+1)")
    for name, text in (("M", "outer iterations"), ("record-every", "outer iterations between two records")):
        added.add_argument(f"--{name}", type=COUNT, required=True, help=text)

    added = verbs.add(diagnostics)
    added.add_argument("run", help="file written by `sac`")
    added.add_argument("--records", type=COUNT, required=True, help="records that are measured, evenly spaced")

    added = verbs.add(simulated)
    added.add_argument("runs", nargs="+", help="files written by `sac`")
    added.add_argument("--records", type=COUNT, required=True, help="records that are measured, evenly spaced")
    added.add_argument("--episodes", type=SEVERAL, required=True, help="fresh episodes a record")
    added.add_argument("--T", type=COUNT, required=True, help="steps of an episode")

    added = verbs.add(best_kappa)
    added.add_argument("summaries", nargs="+", help="files written by `summary`, curves told apart by κ")

    added = verbs.add(summary)
    added.add_argument(
        "kind", type=one_of("kind of rows", "study.experiments.summary", "KINDS"), help="what the rows are"
    )
    added.add_argument("rows", nargs="+", help="csv files of one kind")
