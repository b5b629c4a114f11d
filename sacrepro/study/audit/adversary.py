"""An adversary: the largest left/right it can reach, over kernels, rewards, starts, policies, discounts and weights.

It looks at random models first and then climbs from the worst of them, one agent's rows at a time, by random changes
that it keeps if left/right does not fall. Weights need no search: the claims include their worst choice. Every
comparison on the way is judged with its certified error, so one violation anywhere on the climb is a violation found.

All models are small: binary states and actions on a path, star or triangle. Probabilities are 0, 1, or at least `RARE`,
so that stationary laws stay well conditioned. One seed, one answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import networkx as nx
import numpy as np

from sacrepro.archive.files import some_rows, write_arrays, write_rows
from sacrepro.model.checks import Array
from sacrepro.model.graph import neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.arguments import Attacked, Count, File, Ordinal
from sacrepro.study.audit.falsify import rows as rows_of
from sacrepro.study.claims import claim as claim_named
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import Comparison, by, constrains, holds, place

GAMMAS = (0.1, 0.5, 0.7, 0.9, 0.95)
GRAPHS = (nx.path_graph(2), nx.path_graph(3), nx.complete_graph(3), nx.star_graph(3))

#: Random models beyond those asked for, while some variant has no comparison yet.
MOST_MORE = 1000

#: Least probability other than 0 and 1, and largest logit.
RARE, LOGIT = 0.02, 6.0


class Found(NamedTuple):
    """One row of ``results/adversary.csv``: the largest left/right of one variant, by three kinds of search.

    evaluations : models tried by each of the two searches. violations : comparisons violated on any of them.
    adversary   : reached by the climb, `where`. structured : largest on the specimens of the claim's attack, `there`.
    """

    claim: str
    hypothesis: str
    evaluations: int
    comparisons: int
    violations: int
    random: float
    adversary: float
    where: str
    structured: float
    there: str


class Model(NamedTuple):
    """A point of the search: P(s_i' = 1 | …), r_i, π_0 and θ_i by agent, a discount and a graph."""

    graph: nx.Graph
    gamma: float
    one: tuple[Array, ...]
    r: tuple[Array, ...]
    start: Array
    theta: tuple[Array, ...]

    def mdp(self) -> NetworkedMDP:
        """The networked MDP."""
        P = tuple(np.stack([1.0 - one, one], axis=-1) for one in self.one)
        pi0 = tuple(np.array([1.0 - p, p]) for p in self.start)
        return NetworkedMDP(self.graph, P, self.r, self.gamma, pi0)


class Best(NamedTuple):
    """The worst model found so far for one variant, with its worst comparison."""

    ratio: float
    model: Model | None
    row: Comparison | None


def random_model(rng: np.random.Generator, graphs: Sequence[nx.Graph]) -> Model:
    """Graph, discount, kernels, rewards and policy at random; half of the kernels have deterministic rows only."""
    graph = graphs[int(rng.integers(len(graphs)))]
    n = len(graph)
    pure = rng.random() < 0.5
    one = []
    for i in range(n):
        shape = (2,) * (len(neighborhood(graph, i, 1)) + 1)
        one.append(probabilities(rng, shape, 1.0 if pure else 0.3))
    r = tuple(probabilities(rng, (2, 2), 0.7) for _ in range(n))
    theta = tuple(rng.normal(scale=2.0, size=(2, 2)).clip(-LOGIT, LOGIT) for _ in range(n))
    return Model(graph, float(rng.choice(GAMMAS)), tuple(one), r, probabilities(rng, (n,), 0.7), theta)


def probabilities(rng: np.random.Generator, shape: tuple[int, ...], pure: float) -> Array:
    """Numbers in [0, 1]: 0 or 1 with probability `pure`, else uniform on [RARE, 1-RARE]."""
    vertex = rng.integers(2, size=shape).astype(float)
    return np.where(rng.random(shape) < pure, vertex, rng.uniform(RARE, 1.0 - RARE, size=shape))


def neighbor(model: Model, rng: np.random.Generator) -> Model:
    """The model with one thing changed: its discount, its start, or one agent's kernel, reward or policy."""
    what = rng.choice(["one", "one", "one", "r", "theta", "theta", "start", "gamma"])
    i = int(rng.integers(len(model.r)))
    if what == "gamma":
        return model._replace(gamma=float(rng.choice(GAMMAS)))
    if what == "start":
        return model._replace(start=changed(model.start, rng, theta=False))
    if what == "one":
        return model._replace(one=with_entry(model.one, i, changed(model.one[i], rng, theta=False)))
    if what == "r":
        return model._replace(r=with_entry(model.r, i, changed(model.r[i], rng, theta=False)))
    return model._replace(theta=with_entry(model.theta, i, changed(model.theta[i], rng, theta=True)))


def with_entry(tables: tuple[Array, ...], i: int, table: Array) -> tuple[Array, ...]:
    """The tables with the i-th replaced."""
    return (*tables[:i], table, *tables[i + 1 :])


def changed(table: Array, rng: np.random.Generator, theta: bool) -> Array:
    """Some entries redrawn, or moved a little, or one slice along a random axis copied over its sister."""
    table = table.copy()
    kind = rng.integers(3)
    if kind == 0 and table.ndim > 1:
        axis, source = int(rng.integers(table.ndim)), int(rng.integers(2))
        moved = np.moveaxis(table, axis, 0)
        moved[1 - source] = moved[source]
        return table
    chosen = rng.random(table.shape) < rng.choice([0.15, 0.5])
    chosen.flat[rng.integers(table.size)] = True
    if theta:
        drawn = (
            rng.choice([-LOGIT, 0.0, LOGIT], size=table.shape) if kind == 1 else table + rng.normal(size=table.shape)
        )
        return np.where(chosen, drawn.clip(-LOGIT, LOGIT), table)
    if kind == 1:
        return np.where(chosen, probabilities(rng, table.shape, 0.7), table)
    near = (table + rng.normal(scale=0.2, size=table.shape)).clip(0.0, 1.0)
    near = np.where((near < RARE) | (near > 1.0 - RARE), near.round(), near)
    return np.where(chosen, near, table)


def certain_ratio(row: Comparison) -> float:
    """What left/right certainly is, (left - error)/right, where the right side says something.

    A climb on left/right itself would be led to sides that are rounding.
    """
    return max(0.0, row.left - row.error) / row.right if constrains(row) else 0.0


def measured(model: Model, claim: str) -> tuple[list[Comparison], dict[str, Comparison]]:
    """All comparisons of a claim on one model, and the worst of each variant."""
    rows = list(claim_named(claim).check(exact_case("found", "found", model.mdp(), model.theta)))
    return rows, {variant: max(own, key=certain_ratio) for variant, own in by(rows, "hypothesis").items()}


def attack(claim: str, evaluations: int, seed: int) -> Iterator[tuple[Found, Model]]:
    """For each variant of a claim: `evaluations` random models, then as many steps of the climb from the worst.

    Where none of these models yields a comparison for some variant, more are drawn until one does. ValueError for a
    claim that is not attacked.
    """
    chosen = claim_named(claim)
    if isinstance(chosen.attack, str):
        raise ValueError(f"{claim} is not attacked: {chosen.attack}")
    variants = chosen.attacked
    graphs = GRAPHS[:1] if chosen.attack.two_agents else GRAPHS
    rng = np.random.default_rng((seed, chosen.attack.stream))
    at_random = {variant: Best(-1.0, None, None) for variant in variants}
    compared = violated = 0
    for tried in range(evaluations + MOST_MORE):
        if tried >= evaluations and all(best.model is not None for best in at_random.values()):
            break
        model = random_model(rng, graphs)
        rows, worst = measured(model, claim)
        compared, violated = compared + len(rows), violated + sum(not holds(row) for row in rows)
        for variant in variants:
            row = worst.get(variant)
            if row is not None and certain_ratio(row) > at_random[variant].ratio:
                at_random[variant] = Best(certain_ratio(row), model, row)
    for variant in variants:
        best, own, faults = climb(claim, variant, at_random[variant], evaluations, rng)
        if best.model is None or best.row is None:
            raise ValueError(f"{claim}, {variant}: no comparison on {evaluations + MOST_MORE} random models")
        top, there = structured(claim, variant, chosen.attack.built)
        where = f"n={len(best.model.r)}, γ={best.model.gamma:g}, agent {best.row.agent}, κ={best.row.kappa}"
        counts = (evaluations, compared + own, violated + faults)
        where = f"{where} {best.row.case}".strip()
        found = Found(claim, variant, *counts, at_random[variant].ratio, best.ratio, where, top, there)
        yield found, best.model


def climb(claim: str, variant: str, start: Best, steps: int, rng: np.random.Generator) -> tuple[Best, int, int]:
    """The best model after `steps` changes, how many comparisons were made, and how many were violated."""
    best = start
    compared = violated = 0
    for _ in range(steps):
        if best.model is None:
            break
        model = neighbor(best.model, rng)
        rows, worst = measured(model, claim)
        compared, violated = compared + len(rows), violated + sum(not holds(row) for row in rows)
        row = worst.get(variant)
        if row is not None and certain_ratio(row) >= best.ratio:
            best = Best(certain_ratio(row), model, row)
    return best, compared, violated


def structured(claim: str, variant: str, built: Sequence[str]) -> tuple[float, str]:
    """The largest left/right of a variant over the specimens built to come close, and where."""
    rows = [row for name in built for row in rows_of(claim, variant, name)]
    worst = max(rows, key=certain_ratio, default=None)
    return (certain_ratio(worst), place(worst)) if worst else (0.0, "")


def arrays(found: Sequence[tuple[Found, Model]]) -> dict[str, Array]:
    """The models of one claim by variant, as named arrays."""
    stored: dict[str, Array] = {"claim": np.array(found[0][0].claim)}
    stored["hypothesis"] = np.array([row.hypothesis for row, _ in found])
    stored["ratio"] = np.array([row.adversary for row, _ in found])
    for k, (_, model) in enumerate(found):
        stored[f"{k}/edges"] = np.array(sorted(model.graph.edges))
        stored[f"{k}/gamma"] = np.array(model.gamma)
        stored[f"{k}/start"] = model.start
        for name in ("one", "r", "theta"):
            for i, table in enumerate(getattr(model, name)):
                stored[f"{k}/{name}_{i}"] = table
    return stored


def models(stored: Mapping[str, Array]) -> Iterator[tuple[str, str, float, Model]]:
    """(claim, variant, left/right, model) for everything that `arrays` stored."""
    for k, variant in enumerate(stored["hypothesis"]):
        n = len(stored[f"{k}/start"])
        graph = nx.empty_graph(n)
        graph.add_edges_from((int(i), int(j)) for i, j in stored[f"{k}/edges"])
        one, r, theta = (tuple(stored[f"{k}/{name}_{i}"] for i in range(n)) for name in ("one", "r", "theta"))
        model = Model(graph, float(stored[f"{k}/gamma"]), one, r, stored[f"{k}/start"], theta)
        yield str(stored["claim"]), str(variant), float(stored["ratio"][k]), model


def adversary(claim: Attacked, *, evaluations: Count, seed: Ordinal, models: File, output: File) -> Iterator[str]:
    """Attack every variant of one claim and write the largest left/right, and the models that attain it."""
    found = []
    for row, model in attack(claim, evaluations, seed):
        found.append((row, model))
        yield f"{row.claim} {row.hypothesis}: random {row.random:.4f}, adversary {row.adversary:.4f}"
    write_rows(output, Found, [row for row, _ in found])
    write_arrays(models, arrays(found))


def adversary_table(found: Sequence[str], *, output: File) -> None:
    """Join what `adversary` wrote for each claim."""
    write_rows(output, Found, some_rows(found, Found))
