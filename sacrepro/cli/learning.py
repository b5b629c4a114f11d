"""`sacrepro train`, `evaluate`: Algorithm 1 on a network of your own, and what a policy of it is worth."""

from __future__ import annotations

import argparse

from sacrepro.cli.adviser import plain, progress
from sacrepro.cli.arguments import COUNT, NON_NEGATIVE, ORDINAL, POSITIVE, SEED, SEVERAL, Verbs, output


def train(args: argparse.Namespace) -> None:
    """Run Algorithm 1 on a network for every κ and seed, and say what the policies earn."""
    from sacrepro.adviser.files import load
    from sacrepro.adviser.pilot import RunRow, trained
    from sacrepro.adviser.policies import policy_text, training_arrays
    from sacrepro.adviser.prose_of_return import chosen_run, settings_words, training_words
    from sacrepro.adviser.returns import Objective
    from sacrepro.adviser.settings import proposal
    from sacrepro.archive.files import write_arrays, write_json, write_rows, write_text

    network = load(args.file)
    simulator = network.simulator()
    given = {name: getattr(args, name) for name in ("M", "T", "h", "t0", "eta")}
    settings = proposal(network, simulator, args.kappa, seeds=args.seeds, **given)
    print(settings_words(settings), end="", flush=True)
    objective = Objective(network, simulator, seed=args.seed, episodes=args.episodes)
    seeds = range(args.seed, args.seed + args.seeds)
    with progress() as told:
        found = trained(network, simulator, objective, settings, args.kappa, seeds, told)
    text = training_words(found)
    print(text, end="")
    for path in args.output or []:
        if path.endswith(".csv"):
            write_rows(path, RunRow, found.runs)
        else:
            kept = found._replace(thetas=())
            write_json(path, plain(kept) | {"text": text})
    for path in args.theta or []:
        write_arrays(path, training_arrays(network, found))
    if args.policy:
        k = chosen_run(found)
        run = found.runs[k]
        origin = f"sacrepro train {args.file}, κ = {run.kappa}, seed {run.seed}"
        for path in args.policy:
            write_text(path, policy_text(network, found.thetas[k], origin, as_json=path.endswith(".json")))
        optimistic = ", and so rather too large" if run.method == "simulation" else ""
        largest = f" is the largest of {args.seeds} seeds{optimistic}" if args.seeds > 1 else ""
        print(f"the policy of κ = {run.kappa}, seed {run.seed} is kept: its J = {run.J:.4g}{largest}")
    for path in (*(args.output or []), *(args.theta or []), *(args.policy or [])):
        print(f"{path} written")


def evaluate(args: argparse.Namespace) -> None:
    """Say what a policy of a network is worth: J, V and D_i(κ), exact where the network can be solved."""
    from sacrepro.adviser.evaluation import evaluation, evaluation_words
    from sacrepro.adviser.files import load
    from sacrepro.adviser.policies import read_policy
    from sacrepro.archive.files import write_json

    network = load(args.file)
    theta = read_policy(network, args.policy, args.kappa, args.seed_of_run)
    agents = network.agents(args.agent or [], args.file)
    found = evaluation(network, theta, agents, episodes=args.episodes, seed=args.seed, seconds=args.seconds)
    text = evaluation_words(network, found, args.policy)
    print(text, end="")
    for path in args.output or []:
        write_json(path, plain(found) | {"text": text})
    for path in args.output or []:
        print(f"{path} written")


def add_verbs(verbs: Verbs) -> None:
    """The verbs of this module, with their options."""
    added = verbs.add(train, output=False)
    added.epilog = "example: sacrepro train mine.yaml --kappa 0 1 2 --seeds 8 --output runs.csv --policy best.yaml"
    added.add_argument("file", help="network file, .yaml or .py")
    added.add_argument("--kappa", type=ORDINAL, nargs="+", required=True, help="every κ")
    added.add_argument("--seeds", type=COUNT, default=8, help="runs a κ; 8 by default")
    added.add_argument("--seed", type=SEED, default=0, help="the first seed; 0 by default")
    for name, kind, text in (
        ("M", COUNT, "outer iterations"),
        ("T", COUNT, "steps of an episode"),
        ("h", POSITIVE, "h of the critic's steps h/(t+t0)"),
        ("t0", POSITIVE, "t0 of the critic's steps, at least h"),
        ("eta", POSITIVE, "actor step η_m = η/√(m+1)"),
    ):
        added.add_argument(f"--{name}", type=kind, help=f"{text}; proposed with a reason if not given")
    added.add_argument("--episodes", type=SEVERAL, default=64, help="episodes behind a J by simulation; 64 by default")
    added.add_argument(
        "--output",
        type=output(".csv", ".json"),
        nargs="+",
        help="files to write: .csv, one row a run, or .json, all; paper/tutorial.md explains them",
    )
    added.add_argument("--theta", type=output(".npz"), nargs="+", help="files to write every run's logits to, .npz")
    added.add_argument(
        "--policy",
        type=output(".yaml", ".json"),
        nargs="+",
        help="files to write the best run of the smallest κ not shown to earn less to, by names, .yaml or .json",
    )

    added = verbs.add(evaluate, output=False)
    added.epilog = "example: sacrepro evaluate mine.yaml --policy best.yaml --agent ann"
    added.add_argument("file", help="network file, .yaml or .py")
    added.add_argument(
        "--policy",
        default="uniform",
        help="uniform, the default; a file of actions or probabilities by names, .yaml or .json; a file of train, .npz",
    )
    added.add_argument("--kappa", type=ORDINAL, help="which run of an .npz file")
    added.add_argument("--run", type=ORDINAL, dest="seed_of_run", metavar="SEED", help="which run of an .npz file")
    added.add_argument("--agent", action="append", help="label of an agent; repeat it for several")
    added.add_argument("--episodes", type=SEVERAL, default=64, help="episodes behind a J by simulation; 64 by default")
    added.add_argument("--seed", type=SEED, default=0, help="seed of these episodes; 0 by default")
    added.add_argument(
        "--seconds", type=NON_NEGATIVE, default=20.0, help="after so many no further light cone is begun; 20 by default"
    )
    added.add_argument(
        "--output", type=output(".json"), nargs="+", help="files to write, .json; paper/tutorial.md explains it"
    )
