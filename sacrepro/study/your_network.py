"""`sacrepro new`, `validate`, `advise`, `train`, `evaluate`: a network of your own, from a file to what a policy earns.

Each loads what it needs when it is called. `advise` is a job of the workflow as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from sacrepro.study.arguments import (
    Count,
    CsvOrJson,
    Figure,
    File,
    Json,
    NonNegative,
    Npz,
    Ordinal,
    Positive,
    Repeated,
    Seed,
    Several,
    YamlOrJson,
)
from sacrepro.study.spent import watch_compiler


def new(file: File, *, force: bool = False) -> Iterator[str]:
    """Write a commented network file to start from; an existing file is kept unless --force is given."""
    from sacrepro.archive.files import write_text
    from sacrepro.instances.network.files import example

    if Path(file).exists() and not force:
        raise ValueError(f"{file} exists; --force replaces it")
    write_text(file, example())
    yield f"{file} written; sacrepro validate {file} checks it"


def validate(file: str) -> Iterator[str]:
    """Check a network file and print what it describes."""
    from sacrepro.adviser.describe import summary
    from sacrepro.instances.network.files import load

    yield summary(load(file)).removesuffix("\n")


def advise(
    file: str,
    *,
    error: Positive,
    of: Literal["q", "gradient"] = "q",
    agent: Repeated = (),
    table: Literal["td", "truncated"] = "td",
    T: Count = 1000,
    seed: Ordinal = 0,
    seconds: NonNegative = 20.0,
    output: Sequence[CsvOrJson] = (),
    figure: Sequence[Figure] = (),
) -> Iterator[str]:
    """Say which κ is enough for a network: what is certified, what is measured, what it costs, what to do.

    example: sacrepro advise mine.yaml --error 0.3 --agent ann --agent bob --output mine.csv
    """
    from sacrepro.adviser import advice as room
    from sacrepro.adviser.clock import progress
    from sacrepro.adviser.describe import about
    from sacrepro.adviser.prose import words
    from sacrepro.archive.files import plain, write_figure, write_json, write_rows
    from sacrepro.instances.network.files import load

    watch_compiler()
    network = load(file)
    agents = network.agents(agent, file)
    with progress() as told:
        advice = room.advise(network, error, of, agents, T=T, seed=seed, seconds=seconds, table=table, progress=told)
    text = words(network, advice)
    yield text.removesuffix("\n")
    for path in output:
        if path.endswith(".csv"):
            write_rows(path, room.KappaRow, advice.rows)
        else:
            write_json(path, plain(advice) | {"network": dict(about(network)), "text": text})
    if figure:
        from sacrepro.study.drawings.networks import advice as draw
        from sacrepro.study.drawings.panels import house_style

        with house_style():
            gap = room.error_of_q(network, error, of)
            drawn = draw(advice.agents, list(network.graph.edges), gap)
            write_figure(drawn, *figure)
    for path in (*output, *figure):
        yield f"{path} written"


def train(
    file: str,
    *,
    kappa: Sequence[Ordinal],
    seeds: Count = 8,
    seed: Seed = 0,
    M: Count | None = None,
    T: Count | None = None,
    h: Positive | None = None,
    t0: Positive | None = None,
    eta: Positive | None = None,
    episodes: Several = 64,
    output: Sequence[CsvOrJson] = (),
    theta: Sequence[Npz] = (),
    policy: Sequence[YamlOrJson] = (),
) -> Iterator[str]:
    """Run Algorithm 1 on a network for every κ and seed, and say what the policies earn.

    Of M, T, h, t0 and η, what is not given is proposed with a reason.

    example: sacrepro train mine.yaml --kappa 0 1 2 --seeds 8 --output runs.csv --policy best.yaml
    """
    from sacrepro.adviser.clock import progress
    from sacrepro.adviser.evaluation import Objective
    from sacrepro.adviser.pilot import RunRow, chosen_run, settings_words, trained, training_words
    from sacrepro.adviser.policies import policy_text, training_arrays
    from sacrepro.adviser.settings import proposal
    from sacrepro.archive.files import plain, write_arrays, write_json, write_rows, write_text
    from sacrepro.instances.network.files import load

    network = load(file)
    simulator = network.simulator()
    with progress() as told:
        settings = proposal(network, simulator, kappa, seeds=seeds, M=M, T=T, h=h, t0=t0, eta=eta)
        yield settings_words(settings).removesuffix("\n")
        objective = Objective(network, simulator, seed=seed, episodes=episodes)
        found = trained(network, simulator, objective, settings, kappa, range(seed, seed + seeds), told)
    text = training_words(found)
    yield text.removesuffix("\n")
    for path in output:
        if path.endswith(".csv"):
            write_rows(path, RunRow, found.runs)
        else:
            kept = found._replace(thetas=())
            write_json(path, plain(kept) | {"text": text})
    for path in theta:
        write_arrays(path, training_arrays(network, found))
    if policy:
        k = chosen_run(found)
        run = found.runs[k]
        origin = f"sacrepro train {file}, κ = {run.kappa}, seed {run.seed}"
        for path in policy:
            write_text(path, policy_text(network, found.thetas[k], origin, as_json=path.endswith(".json")))
        optimistic = ", and so rather too large" if run.method == "simulation" else ""
        largest = f" is the largest of {seeds} seeds{optimistic}" if seeds > 1 else ""
        yield f"the policy of κ = {run.kappa}, seed {run.seed} is kept: its J = {run.J:.4g}{largest}"
    for path in (*output, *theta, *policy):
        yield f"{path} written"


def evaluate(
    file: str,
    *,
    policy: str = "uniform",
    kappa: Ordinal | None = None,
    run: Ordinal | None = None,
    against: Repeated = (),
    agent: Repeated = (),
    episodes: Several = 64,
    seed: Seed = 0,
    seconds: NonNegative = 20.0,
    output: Sequence[Json] = (),
) -> Iterator[str]:
    """Say what a policy of a network is worth: J, V and D_i(κ), exact where the network can be solved.

    example: sacrepro evaluate mine.yaml --policy expert.yaml --against runs.npz --against optimum
    """
    from sacrepro.adviser.clock import progress
    from sacrepro.adviser.evaluation import compared, evaluation, evaluation_words
    from sacrepro.adviser.policies import OPTIMUM, read_policies, read_policy
    from sacrepro.archive.files import plain, write_json
    from sacrepro.exact.optimum import search_cost
    from sacrepro.instances.network.files import load

    network = load(file)
    best = OPTIMUM in against
    if best:
        search_cost(network.mdp(), "--against optimum")  # refuses what is too large before anything is computed
    theta = read_policy(network, policy, kappa, run)
    agents = network.agents(agent, file)
    others = [read_policies(network, source) for source in against if source != OPTIMUM]
    named = {name: runs for policies in others for name, runs in policies.items()}
    with progress() as told:
        found = evaluation(network, theta, agents, episodes=episodes, seed=seed, seconds=seconds)
        if against:
            rows = compared(network, found.J, named, optimum=best, episodes=episodes, seed=seed, progress=told)
            found = found._replace(against=rows)
    text = evaluation_words(network, found, policy)
    yield text.removesuffix("\n")
    for path in output:
        write_json(path, plain(found) | {"text": text})
    yield from (f"{path} written" for path in output)
