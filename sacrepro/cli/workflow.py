"""The verbs of the workflow: one for each rule, in the order of the DAG."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sacrepro.cli.arguments import COUNT, FIGURE, FILE, NON_NEGATIVE, ORDINAL, POSITIVE, Verbs, one_of, specification
from sacrepro.cli.inputs import arrays_of, some_rows

if TYPE_CHECKING:
    from sacrepro.model.checks import Array
    from sacrepro.model.mdp import NetworkedMDP
    from sacrepro.study.record.comparison import Comparison, Verdict


def exact(args: argparse.Namespace) -> None:
    """Write V, J, π^θ, D and ∇J of one instance under the uniform and seeded Gaussian policies."""
    from sacrepro.archive.files import write_arrays
    from sacrepro.instances import build
    from sacrepro.study.record.case import arrays, exact_cases

    mdp = build(args.spec)
    done = []
    for case in exact_cases(args.instance, mdp, args.policies, args.seed, args.scale):
        done.append(case)
        print(f"{case.instance}: {mdp.n} agents, θ {case.policy}, certified error {case.error:.1e}", flush=True)
    write_arrays(args.output, arrays(args.spec, done))


def claim(args: argparse.Namespace) -> None:
    """Measure both sides of one claim on every given instance, write the comparisons and tell the verdict.

    Exit status 1 if it is violated, unless --keep-going, as in the workflow, leaves that to `verify`.
    """
    from sacrepro.archive.files import write_rows
    from sacrepro.study.claims import claim as claim_named
    from sacrepro.study.record.case import cases
    from sacrepro.study.record.comparison import Comparison, by_hypothesis, verdict
    from sacrepro.study.report.table import markdown_table

    chosen = claim_named(args.claim)
    for option, given in (("--stationarity", args.stationarity), ("--runs", args.runs)):
        if given and not chosen.along_runs:
            raise ValueError(f"{option} is for theorem5, not for {chosen.name}")
    if args.runs and not args.stationarity:
        raise ValueError("--runs: nothing is measured along them without --stationarity")
    rows: list[Comparison] = []
    for path in args.exact:
        for case in cases(arrays_of("exact", path)):
            rows += chosen.check(case)
            print(f"{chosen.name}: {case.instance}, θ {case.policy}: {len(rows)} comparisons so far", flush=True)
    if args.stationarity and chosen.along_runs:
        rows += along_runs(args, *chosen.along_runs)
        print(f"{chosen.name}: {len(rows)} comparisons with those along runs", flush=True)
    write_rows(args.output, Comparison, rows)
    if not args.keep_going:
        judged = [
            verdict(chosen.name, chosen.statement, chosen.reference, group) for group in by_hypothesis(rows) if group
        ]
        print(markdown_table(judged), end="")
        fail(violations(judged))


def violations(rows: Iterable[Verdict]) -> list[str]:
    """Two lines for each claim that is violated and each counterexample that is none."""
    from sacrepro.study.record.comparison import UNEARNED

    lines = []
    for row in rows:
        if row.verdict == "violated":
            lines.append(f"VIOLATED {row.claim}: {row.statement}")
        elif row.verdict == UNEARNED:
            lines.append(f"NO COUNTEREXAMPLE {row.claim}, {row.hypothesis}: {row.statement}")
        else:
            continue
        lines.append(
            f"  {row.violations} of {row.comparisons} comparisons; worst left/right {row.ratio:.6g} at {row.where}"
        )
    return lines


def fail(faults: list[str]) -> None:
    """Print the faults and end with exit status 1, if there are any."""
    if faults:
        print("\n".join(faults))
        raise SystemExit(1)


def along_runs(
    args: argparse.Namespace, kind: type[Any], check: Callable[..., Iterator[Comparison]]
) -> list[Comparison]:
    """The comparisons of (9) along the runs that `trace --exact` has evaluated."""
    from sacrepro.archive.files import read_rows
    from sacrepro.instances import build

    models = {}
    for path in args.runs:
        run = arrays_of("sac", path)
        models[str(run["instance"])] = build(json.loads(str(run["spec"])))
    return [row for path in args.stationarity for row in check(read_rows(path, kind), models)]


def sac(args: argparse.Namespace) -> None:
    """Run Algorithm 1 on one instance for one κ over a range of seeds and write what it recorded."""
    import numpy as np

    from sacrepro.archive.files import write_arrays
    from sacrepro.instances import build_for_sampling
    from sacrepro.learn.algorithm1 import sac_seeds
    from sacrepro.model.policy import uniform_theta

    mdp = build_for_sampling(args.spec)
    traces = sac_seeds(
        mdp,
        uniform_theta(mdp),
        kappa=args.kappa,
        M=args.M,
        T=args.T,
        h=args.h,
        t0=args.t0,
        eta=args.eta,
        seeds=range(args.seeds),
        record_every=args.record_every,
    )
    arrays = {
        "spec": np.array(json.dumps(args.spec, sort_keys=True)),
        "instance": np.array(args.instance),
        "kappa": np.array(args.kappa),
        "T": np.array(args.T),
        "h": np.array(args.h),
        "t0": np.array(args.t0),
        "m": np.asarray(traces[0].m),
        "J_estimate": np.stack([trace.J_estimate for trace in traces]),
        "first_visit_share": np.stack([trace.first_visit_share for trace in traces]),
    }
    for i in range(mdp.n):
        arrays[f"theta_{i}"] = np.stack([trace.thetas[i] for trace in traces])
    write_arrays(args.output, arrays)
    J = arrays["J_estimate"]
    print(
        f"{args.instance}, κ={args.kappa}: {args.seeds} seeds, J_estimate {J[:, 0].mean():.4f} → {J[:, -1].mean():.4f}"
    )


def trace(args: argparse.Namespace) -> None:
    """Turn recorded SAC runs into rows: sampled returns, or exact J and ‖∇J‖² with --exact."""
    from sacrepro.archive.files import write_rows
    from sacrepro.instances import build
    from sacrepro.study.experiments.runs import LearningRow, learning_rows
    from sacrepro.study.measures.stationarity import StationarityRow, stationarity_rows

    sampled: list[LearningRow] = []
    exactly: list[StationarityRow] = []
    for path in args.runs:
        run = arrays_of("sac", path)
        instance, kappa, m = str(run["instance"]), int(run["kappa"]), run["m"]
        mdp = build(json.loads(str(run["spec"]))) if args.exact else None
        for seed in range(len(run["J_estimate"])):
            if mdp is not None:
                thetas = [run[f"theta_{i}"][seed] for i in range(mdp.n)]
                exactly += stationarity_rows(mdp, instance, kappa, seed, m, thetas)
            else:
                J_estimate, share = run["J_estimate"][seed], run["first_visit_share"][seed]
                sampled += learning_rows(instance, kappa, seed, m, J_estimate, share)
        print(f"{instance}, κ={kappa}: done", flush=True)
    if args.exact:
        write_rows(args.output, StationarityRow, exactly)
    else:
        write_rows(args.output, LearningRow, sampled)


def figure(args: argparse.Namespace) -> None:
    """Draw one figure from the rows it shows; the suffix of each --output picks its format."""
    from sacrepro.archive.files import write_figure
    from sacrepro.study.drawings import drawing
    from sacrepro.study.drawings.style import house_style

    chosen = drawing(args.figure)
    rows = rows_of_figure(args.figure, args.rows, chosen.rows)
    with house_style():
        try:
            drawn = chosen.draw(rows)
        except (ArithmeticError, LookupError, ValueError) as error:
            raise ValueError(f"{', '.join(args.rows)}: not rows of the figure {args.figure} ({error})") from error
        if not any(axes.has_data() or axes.texts or axes.tables for axes in drawn.axes):
            raise ValueError(f"{', '.join(args.rows)}: nothing in these rows is shown by the figure {args.figure}")
        for path in args.output:
            write_figure(path, drawn)


def rows_of_figure(figure: str, paths: Iterable[str], kind: type[Any]) -> list[Any]:
    """The rows that a figure shows, at least one; of a claim or of runs only if they are not another one's.

    Such rows are known by the name of their file, and a claim's by their readings where the file has a name of its own.
    """
    from sacrepro.study.claims import CLAIMS
    from sacrepro.study.claims import claim as claim_named
    from sacrepro.study.experiments.summary import KINDS, SHOWN

    paths = list(paths)
    for what, known, shown in (("comparisons", CLAIMS, figure), ("summary", KINDS, SHOWN.get(figure))):
        for path in paths:
            if shown in known and (stem := Path(path).stem) in known and stem != shown:
                raise ValueError(f"{path} holds the {what} of {stem}; the figure {figure} shows those of {shown}")
    rows = some_rows(paths, kind)
    if figure in CLAIMS:
        claim_named(figure).check_readings({row.hypothesis for row in rows}, ", ".join(paths))
    return rows


def verdicts(args: argparse.Namespace) -> None:
    """Judge every claim and counterexample and print the table; write it as csv and its summary as Markdown.

    Exit status 1 if a claim is violated or a counterexample is none, unless --keep-going leaves that to `verify`.
    """
    from sacrepro.archive.files import read_rows, write_rows, write_text
    from sacrepro.cli.proofs import proofs_of
    from sacrepro.study.claims import claim as claim_named
    from sacrepro.study.record.comparison import Comparison, Verdict, by_hypothesis, verdict
    from sacrepro.study.report.table import markdown_table, summary_table

    rows = []
    for path in args.comparisons:
        chosen = claim_named(Path(path).stem)
        own = read_rows(path, Comparison)
        if own:
            chosen.check_readings({row.hypothesis for row in own}, path)
        for group in by_hypothesis(own):
            rows.append(verdict(chosen.name, chosen.statement, chosen.reference, group))
    if args.witnesses:
        from sacrepro.study.audit.counterexamples import witnesses

        measured = read_rows(args.witnesses, Comparison)
        for witness in witnesses():
            rows.append(witness.judged([row for row in measured if row.hypothesis == witness.key]))
    if not rows:
        raise ValueError(f"{', '.join(args.comparisons)}: no rows below the header, so there is nothing to judge")
    if args.output:
        write_rows(args.output, Verdict, rows)
    if args.markdown:
        write_text(args.markdown, summary_table(rows, proofs_of(*args.formal or (None, None))))
    print(markdown_table(rows), end="")
    if not args.keep_going:
        fail(violations(rows))


def verify(args: argparse.Namespace) -> None:
    """Fail if a claim is violated, also under attack, a counterexample is none, or a planted mistake is not caught."""
    from sacrepro.archive.files import read_rows, write_text
    from sacrepro.study.record.comparison import JUDGEMENTS, Verdict

    rows = read_rows(args.claims, Verdict)
    if not rows:
        raise ValueError(f"{args.claims} holds no claim")
    faults = violations(rows)
    statements = sum(row.verdict in JUDGEMENTS for row in rows)
    passed = [f"{statements} claims, none violated", f"{len(rows) - statements} counterexamples, all violated"]
    if args.falsification:
        from sacrepro.study.audit.falsify import Planted, plants

        planted = read_rows(args.falsification, Planted)
        caught = [row for row in planted if row.caught == "yes"]
        faults += [f"NOT CAUGHT {row.mistake} in {row.claim} {row.hypothesis}" for row in planted if row.caught == "no"]
        if len(caught) < (asked := len(plants())):
            faults.append(f"CAUGHT {len(caught)} of {asked} planted mistakes")
        passed.append(f"{len(caught)} planted mistakes, all caught")
    if args.adversary:
        from sacrepro.study.audit.adversary import Found
        from sacrepro.study.claims import all_claims

        found = read_rows(args.adversary, Found)
        faults += [
            f"VIOLATED under attack {row.claim} {row.hypothesis}: {row.adversary:.6g} at {row.where}"
            for row in found
            if row.violations
        ]
        missing = {(claim.name, reading) for claim in all_claims() for reading in claim.attacked}
        missing -= {(row.claim, row.hypothesis) for row in found}
        faults += [f"NOT ATTACKED {claim} {reading}" for claim, reading in sorted(missing)]
        passed.append(f"{len(found)} readings attacked, none violated")
    if args.scale:
        from sacrepro.study.record.comparison import Comparison, holds, place

        large = some_rows([args.scale], Comparison)
        faults += [f"VIOLATED at scale: {row.hypothesis} at {place(row)}" for row in large if not holds(row)]
        passed.append(f"{len(large)} comparisons on the largest network, none violated")
    fail(faults)
    write_text(args.output, "\n".join(passed) + "\n")
    print("\n".join(passed))


def warm(args: argparse.Namespace) -> None:
    """Compile the kernels of one room once, so that parallel jobs find them in the cache."""
    from sacrepro.archive.files import write_text

    {"exact": warm_exact, "learn": warm_learn, "rivals": warm_rivals}[args.room]()
    write_text(args.output, "compiled\n")


def small() -> tuple[NetworkedMDP, tuple[Array, ...]]:
    """A noisy relay of three agents and the uniform policy."""
    from sacrepro.instances import build
    from sacrepro.model.policy import uniform_theta

    return (mdp := build({"model": "relay", "n": 3, "gamma": 0.5, "noise": 0.5})), uniform_theta(mdp)


def warm_exact() -> None:
    """What D_i(κ) and TD's fixed points need."""
    from sacrepro.exact import decay_profile, td_fixed_point

    decay_profile(*small())
    td_fixed_point(*small(), 0, 0)


def warm_learn() -> None:
    """What Algorithm 1 needs."""
    from sacrepro.learn.algorithm1 import sac_seeds

    for kappa in range(3):
        sac_seeds(*small(), kappa=kappa, M=2, T=5, h=1.0, t0=1.0, eta=1.0, seeds=range(2))


def warm_rivals() -> None:
    """What every method and estimator needs."""
    from sacrepro.study.experiments.methods import METHODS, estimator_rows, rival_rows

    mdp, _ = small()
    for method in METHODS:
        list(rival_rows(mdp, "relay", method, kappa=1, seeds=2, M=2, T=5, h=1.0, t0=1.0, eta=1.0, record_every=1))
    list(estimator_rows(mdp, "relay", kappa=1, lengths=(5,), episodes=2, h=1.0, t0=1.0))


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""

    def instance(added: argparse.ArgumentParser) -> None:
        added.add_argument("--instance", required=True, help="name of the instance in all tables")
        added.add_argument("--spec", type=specification, required=True, help="specification of the instance, as JSON")

    added = verbs.add(exact)
    instance(added)
    added.add_argument(
        "--policies", type=COUNT, required=True, help="number of policies: the uniform one, then Gaussian ones"
    )
    added.add_argument("--seed", type=ORDINAL, required=True, help="seed of the Gaussian logits")
    added.add_argument("--scale", type=NON_NEGATIVE, required=True, help="standard deviation of the Gaussian logits")

    added = verbs.add(claim)
    added.add_argument("claim", type=one_of("claim", "study.claims", "CLAIMS"), help="name of the claim")
    added.add_argument("exact", nargs="+", help="files written by `exact`")
    added.add_argument("--stationarity", nargs="*", default=[], help="files written by `trace --exact`, for theorem5")
    added.add_argument("--runs", nargs="*", default=[], help="files written by `sac`, which those evaluate")
    added.add_argument("--keep-going", action="store_true", help="exit status 0 whatever the verdict")

    added = verbs.add(sac)
    instance(added)
    for name, kind, text in (
        ("kappa", ORDINAL, "κ, how many hops the critic sees"),
        ("seeds", COUNT, "number of seeds, 0..seeds-1"),
        ("M", COUNT, "outer iterations"),
        ("T", COUNT, "inner loop length"),
        ("h", POSITIVE, "critic step α_t = h/(t+t0)"),
        ("t0", POSITIVE, "critic step α_t = h/(t+t0)"),
        ("eta", POSITIVE, "actor step η_m = η/√(m+1)"),
        ("record-every", COUNT, "outer iterations between two records of θ"),
    ):
        added.add_argument(f"--{name}", type=kind, required=True, help=text)

    added = verbs.add(trace)
    added.add_argument("runs", nargs="+", help="files written by `sac`")
    added.add_argument("--exact", action="store_true", help="exact J and ‖∇J‖² in place of sampled returns")

    added = verbs.add(figure, output=False)
    added.add_argument("figure", type=one_of("figure", "study.drawings", "FIGURES"), help="name of the figure")
    added.add_argument("rows", nargs="+", help="csv files with the rows it shows")
    added.add_argument("--output", type=FIGURE, nargs="+", required=True, help="files to write, .svg, .pdf or .png")

    added = verbs.add(verdicts, output=False)
    added.add_argument("comparisons", nargs="+", help="csv files written by `claim`")
    added.add_argument("--witnesses", help="csv file written by `witnesses`")
    added.add_argument("--formal", nargs=2, help="csv file written by `formal`, and the page of proofs")
    added.add_argument("--output", type=FILE, help="csv file to write")
    added.add_argument("--markdown", type=FILE, help="a summary to write, one line a claim")
    added.add_argument("--keep-going", action="store_true", help="exit status 0 whatever the verdict")

    added = verbs.add(verify)
    added.add_argument("claims", help="the table written by `verdicts`")
    added.add_argument("--falsification", help="the table written by `falsify`")
    added.add_argument("--adversary", help="the table written by `adversary-table`")
    added.add_argument("--scale", help="the table written by `scale`")

    added = verbs.add(warm)
    added.add_argument("room", choices=["exact", "learn", "rivals"], help="the room whose kernels are compiled")
