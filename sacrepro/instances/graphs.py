"""Dependence graphs by name, with parameters or from networkx; and parameters of models, refused out of their range."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import networkx as nx
import numpy as np

from sacrepro.model.checks import discount, shortened
from sacrepro.model.notices import meant, rounded


def path(n: int) -> nx.Graph:
    """0 - 1 - … - n-1."""
    at_least(1, "path", n=n)
    return nx.path_graph(n)


def ring(n: int) -> nx.Graph:
    """The cycle on n ≥ 3 agents."""
    at_least(3, "ring", n=n)
    return nx.cycle_graph(n)


def star(n: int) -> nx.Graph:
    """Agent 0 in the middle of n-1 leaves."""
    at_least(1, "star", n=n)
    return nx.star_graph(n - 1)


def complete(n: int) -> nx.Graph:
    """Every agent a neighbor of every other: nothing is local."""
    at_least(1, "complete", n=n)
    return nx.complete_graph(n)


def grid(rows: int, columns: int) -> nx.Graph:
    """The 2-D grid, agents numbered row by row."""
    at_least(1, "grid", rows=rows, columns=columns)
    return nx.convert_node_labels_to_integers(nx.grid_2d_graph(rows, columns), ordering="sorted")


def random_tree(n: int, seed: int) -> nx.Graph:
    """A uniformly random labelled tree on n agents."""
    at_least(1, "random_tree", n=n)
    at_least(0, "random_tree", seed=seed)
    return nx.random_labeled_tree(n, seed=seed)


def krackhardt_kite() -> nx.Graph:
    """Krackhardt's kite social network, n = 10."""
    return nx.krackhardt_kite_graph()


def florentine_families() -> nx.Graph:
    """Marriages among the Florentine families, n = 15, agents in alphabetical order."""
    return nx.convert_node_labels_to_integers(nx.florentine_families_graph(), ordering="sorted")


def karate_club() -> nx.Graph:
    """Friendships in Zachary's karate club, n = 34, degrees up to 17."""
    return _agents(nx.karate_club_graph())


def les_miserables() -> nx.Graph:
    """Characters of Les Misérables who meet in a chapter (Knuth), n = 77 in alphabetical order, degrees up to 36."""
    return _agents(nx.les_miserables_graph())


def davis_women() -> nx.Graph:
    """Davis' Southern women and the events they attended, n = 32 in alphabetical order, degrees up to 14.

    Women and events are both agents: the two-mode graph as it was recorded, whose projection on the 18 women is almost
    complete and would leave nothing outside N_i^1.
    """
    return _agents(nx.davis_southern_women_graph())


def internet(n: int, seed: int) -> nx.Graph:
    """A random graph like that of the internet's autonomous systems (Elmokashfi et al., 2008), with a few huge hubs."""
    at_least(1, "internet", n=n)
    at_least(0, "internet", seed=seed)
    return _agents(nx.random_internet_as_graph(n, seed=seed))


def _agents(graph: nx.Graph) -> nx.Graph:
    """The bare graph on 0..n-1, nodes in sorted order, without weights and attributes."""
    bare = nx.Graph()
    bare.add_nodes_from(sorted(graph))
    bare.add_edges_from(graph.edges)
    return nx.convert_node_labels_to_integers(bare, ordering="sorted")


#: Agents, and edges, of a family that are built.
MOST_AGENTS, MOST_EDGES = 10_000_000, 10_000_000

FAMILIES: Mapping[str, Callable[..., nx.Graph]] = {
    family.__name__: family
    for family in (
        path, ring, star, complete, grid, random_tree, krackhardt_kite, florentine_families, karate_club,
        les_miserables, davis_women, internet,
    )
}  # fmt: skip


def family(spec: Mapping[str, Any]) -> tuple[Callable[..., nx.Graph], dict[str, Any]]:
    """The family that `spec` names, and its parameters; ValueError names the one that is not right."""
    if not isinstance(spec, Mapping):
        raise ValueError(f"graph: expected a mapping such as {{'family': 'ring', 'n': 6}}, got {spec!r}")
    parameters = dict(spec)
    name = parameters.pop("family", None)
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"graph: unknown family {name!r}; known are {', '.join(FAMILIES)}{meant(str(name), FAMILIES)}")
    fitting(name, FAMILIES[name], parameters)
    return FAMILIES[name], parameters


def build_graph(spec: Mapping[str, Any]) -> nx.Graph:
    """The graph that `spec` describes: ``{"family": name, parameter: value, …}``; ValueError names what is wrong.

    Agents and edges are counted before they are built.
    """
    build, parameters = family(spec)
    n = math.prod(value for key, value in parameters.items() if key != "seed" and value > 1)
    # No other family has a degree that grows with n; random_internet_as_graph joins a newcomer to a few.
    edges = math.comb(n, 2) if build is complete else n
    for count, what, most in ((n, "agents", MOST_AGENTS), (edges, "edges", MOST_EDGES)):
        if count > most:
            raise ValueError(
                f"graph: {build.__name__}: these parameters ask for {rounded(count)} {what}; at most {most:,} are built"
            )
    return build(**parameters)


INTEGER = (int, np.integer)
NUMBER = (*INTEGER, float, np.floating)

#: Agents, states and actions that are asked for; seeds may be larger.
MOST = 10_000_000


def fitting(name: str, function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """ValueError unless these are parameters of `function`, none is missing, and numbers are of the annotated kind."""
    known, hints = inspect.signature(function).parameters, get_type_hints(function)
    for key, value in parameters.items():
        if key not in known:
            hint = meant(key, known) or f"; known are {', '.join(known) or 'none'}"
            raise ValueError(f"{name}: {key} is no parameter{hint}")
        expected = _expected(value, hints[key])
        if expected:
            raise ValueError(f"{name}: {key} must be {expected}, got {shortened(value)}")
        if hints[key] is int and key != "seed" and value > MOST:
            raise ValueError(f"{name}: {key} must be at most {MOST:,}, got {shortened(value)}")
        if key == "gamma":
            discount(value)
    for key, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and key not in parameters:
            raise ValueError(f"{name}: {key} is missing")


def _expected(value: Any, hint: Any) -> str:
    """What a parameter annotated as number, as tuple of numbers, or as either should be, if `value` is not that."""
    words = []
    for kind in get_args(hint) if isinstance(hint, UnionType) else (hint,):
        entry = get_args(kind)[0] if get_origin(kind) is tuple else kind
        if entry not in (int, float):
            return ""
        given = value if entry is not kind and isinstance(value, tuple) else (value,) if entry is kind else (None,)
        if all(isinstance(x, NUMBER if entry is float else INTEGER) and not isinstance(x, bool) for x in given):
            return ""
        one, several = ("a number", "numbers") if entry is float else ("an integer", "integers")
        words.append(one if entry is kind else f"a list of {'' if ... in get_args(kind) else 'two '}{several}")
    return " or ".join(words)


def at_least(least: int, name: str, **parameters: int) -> None:
    """ValueError unless every parameter is at least `least`."""
    for key, value in parameters.items():
        if value < least:
            raise ValueError(f"{name}: {key} must be at least {least}, got {value}")


def probabilities(model: str, **parameters: float | tuple[float, ...]) -> None:
    """ValueError unless every parameter, or every entry of it, lies in [0, 1]."""
    for name, value in parameters.items():
        if not all(isinstance(p, NUMBER) and 0.0 <= p <= 1.0 for p in _entries(value)):
            raise ValueError(f"{model}: {name} must hold probabilities in [0, 1], got {value}")


def at_least_zero(model: str, **parameters: float | tuple[float, ...]) -> None:
    """ValueError unless every parameter, or every entry of it, is a finite number of at least 0."""
    for name, value in parameters.items():
        if not all(isinstance(x, NUMBER) and 0.0 <= x < float("inf") for x in _entries(value)):
            raise ValueError(f"{model}: {name} must be finite and at least 0, got {value}")


def positive(model: str, **parameters: float) -> None:
    """ValueError unless every parameter is a finite number above 0."""
    for name, value in parameters.items():
        if not (isinstance(value, NUMBER) and 0.0 < value < float("inf")):
            raise ValueError(f"{model}: {name} must be finite and above 0, got {value!r}")


def finite(model: str, **parameters: float) -> None:
    """ValueError unless every parameter is a finite number."""
    for name, value in parameters.items():
        if not (isinstance(value, NUMBER) and -float("inf") < value < float("inf")):
            raise ValueError(f"{model}: {name} must be finite, got {value!r}")


def one_for_each_action(model: str, **parameters: tuple[float, float]) -> None:
    """ValueError unless every parameter holds two numbers, for actions 0 and 1."""
    for name, value in parameters.items():
        if len(_entries(value)) != 2:
            raise ValueError(f"{model}: {name} must hold two numbers, for actions 0 and 1, got {value!r}")


def _entries(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,)
