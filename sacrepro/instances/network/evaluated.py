"""Rules of a network file, kernels, rewards and starts, evaluated for all agents that share one at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import csr_array

from sacrepro.instances.network.formula import SUMMED, VARIABLES
from sacrepro.instances.network.labelled import MOST_ENTRIES, MOST_ENTRIES_IN_ALL, of_each
from sacrepro.instances.network.links import Links, reading, row_of
from sacrepro.instances.network.rule import Rule, State, check_laws, check_size, laws, undefined
from sacrepro.model.checks import Array, shortened
from sacrepro.model.kernels import CountKernel, composition_count, compositions, ranks_fit
from sacrepro.model.notices import meant, rounded

T = TypeVar("T")


@dataclass(frozen=True)
class Agents:
    """What a file says about its agents: one entry an agent; rules are one object where they are shared."""

    names: tuple[str, ...]
    links: Links
    states: tuple[State, ...]
    actions: tuple[State, ...]
    attributes: Mapping[str, Array]
    kernel: Sequence[Rule]
    reward: Sequence[Rule]
    pi0: Sequence[Rule | None]
    reads: tuple[tuple[int, ...], ...] | None = None
    weights: Mapping[tuple[int, int], float] | None = None

    @cached_property
    def reading(self) -> csr_array:
        """As `Network.reading`."""
        return reading(self.links, self.reads)

    @cached_property
    def kinds(self) -> tuple[list[State], Array, Array]:
        """The different lists of states, which each agent has, and which list of actions."""
        kinds, states = numbered(self.states)
        return kinds, states, numbered(self.actions)[1]

    def beside(self, i: int) -> list[int]:
        """The neighbors whose states P_i reads, as `Network.beside`."""
        return row_of(self.reading, i)


def kernels(agents: Agents) -> tuple[tuple[CountKernel, ...], Array, Array, dict[int, Array]]:
    """(groups, group, row, tables) of a `Network`."""
    n = len(agents.names)
    group, row = np.full(n, -1), np.zeros(n, dtype=np.int64)
    tables: dict[int, Array] = {}
    spent = 0
    own = of_each(lambda rule: rule.kind == "table" or bool(rule.neighbors or rule.summed), agents.kernel)
    kinds, beside = _beside(agents)
    alone = np.array(own) | (beside == len(kinds))
    for i in np.flatnonzero(alone).tolist():
        rule = agents.kernel[i]
        tables[i] = _own_table(agents, i, rule)
        spent += tables[i].size if rule.table is None else 0
        _check_sum(spent)
    groups: list[CountKernel] = []
    degree = np.diff(agents.reading.indptr)
    for members in alike(numbered(agents.kernel, id)[1], *agents.kinds[1:], beside, degree, among=~alone):
        kernel, rows = _by_counts(agents, members, kinds[beside[members[0]]], int(degree[members[0]]))
        spent += kernel.rows.size
        _check_sum(spent)
        group[members], row[members] = len(groups), rows
        groups.append(kernel)
    return tuple(groups), group, row, tables


def _beside(agents: Agents) -> tuple[list[State], Array]:
    """Lists of states, and the number of that of what each agent reads; one beyond where they are of several kinds.

    What reads nothing has the list ("0",), the last.
    """
    states, kind, _ = agents.kinds
    read, begins = kind[agents.reading.indices], agents.reading.indptr
    some = np.diff(begins) > 0
    found = np.full(len(kind), len(states))
    lowest, highest = (ends.reduceat(read, begins[:-1][some]) for ends in (np.minimum, np.maximum))
    found[some] = np.where(lowest == highest, lowest, len(states) + 1)
    return [*states, ("0",)], found


def _check_sum(spent: int) -> None:
    if spent > MOST_ENTRIES_IN_ALL:
        raise ValueError(f"kernel: the rules have more than {rounded(MOST_ENTRIES_IN_ALL)} entries in all")


def rewards(agents: Agents) -> tuple[Array, ...]:
    """r_i of shape (S_i, A_i) for each agent, entries finite and at least 0."""
    made, which = list[Array](), np.zeros(len(agents.names), dtype=np.int64)
    for rule, i, members in _alike(agents, agents.reward):
        states, actions = agents.states[i], agents.actions[i]
        shape = (len(states), len(actions))
        if rule.table is not None:
            values, rows, first = _given(agents, rule, members, shape, "(S, A)")
        else:
            scope, rows, first = _scope(agents, rule, members, 2)
            scope |= {"s": np.arange(shape[0])[:, None], "a": np.arange(shape[1])}
            check_size(rule, agents.names[i], "rewards", math.prod(shape) * len(first))
            values = np.broadcast_to(rule.formulas[""].value(scope, {}, {}), (len(first), *shape))
        wrong = np.argwhere(~(np.isfinite(values) & (values >= 0)))
        if len(wrong):
            m, s, a = (int(k) for k in wrong[0])
            where = f"{rule.where}: agent {agents.names[first[m]]!r}, s = {states[s]}, a = {actions[a]}"
            value = float(values[m, s, a])
            if math.isnan(value):
                raise ValueError(f"{where}: {undefined(rule.formulas.get(''))}")
            least = float(np.nanmin(values))
            advice = (
                f"add a constant c ≥ {-least:.6g} to the formula or table: Q_i shifts by c/(1-γ), D_i(κ) and ∇J do not "
                "change"
                if math.isfinite(value) and math.isfinite(least)
                else "a number outgrew 1.8e308 there, or a logarithm is that of 0"
            )
            raise ValueError(f"{where}: the reward is {value!r}, expected a finite number of at least 0; {advice}")
        which[members] = len(made) + rows
        made.extend(map(np.ascontiguousarray, values))
    return tuple(map(made.__getitem__, which.tolist()))


def starts(agents: Agents) -> tuple[Array, ...]:
    """π_0 of each agent, shape (S_i,); uniform where the file says nothing."""
    made, which = list[Array](), np.zeros(len(agents.names), dtype=np.int64)
    for rule, i, members in _alike(agents, agents.pi0):
        states = agents.states[i]
        if rule is None:
            values, rows = np.full((1, len(states)), 1.0 / len(states)), np.zeros(len(members), dtype=int)
        elif rule.table is not None:
            values, rows, first = _given(agents, rule, members, (len(states),), "(S,)")
            check_laws(rule, states, values, _only_agent(agents, first))
        else:
            scope, rows, first = _scope(agents, rule, members, 0)
            values = laws(rule, states, (len(first),), scope, {}, {}, _only_agent(agents, first))
        which[members] = len(made) + rows
        made.extend(values)
    return tuple(map(made.__getitem__, which.tolist()))


def _only_agent(agents: Agents, first: list[int]) -> Callable[[int, tuple[int, ...]], str]:
    return lambda m, place: f"agent {agents.names[first[m]]!r}"


def _alike(agents: Agents, rules: Sequence[Any]) -> list[tuple[Any, int, Array]]:
    """(rule, one agent, all agents) for agents with one rule and the same states and actions."""
    groups = alike(numbered(rules, id)[1], *agents.kinds[1:])
    return [(rules[members[0]], int(members[0]), members) for members in groups]


def numbered(values: Sequence[T], key: Callable[[T], Any] = lambda value: value) -> tuple[list[T], Array]:
    """The values of different `key`, and which of them each is; what is one object is looked at once."""
    _, first, which = np.unique(np.fromiter(map(id, values), np.int64), return_index=True, return_inverse=True)
    number: dict[Any, int] = {}
    place = {i: number.setdefault(key(values[i]), len(number)) for i in sorted(first.tolist())}
    kept: dict[int, T] = {}
    for i, k in place.items():
        kept.setdefault(k, values[i])
    return list(kept.values()), np.array([place[i] for i in first.tolist()])[which]


def alike(*columns: Array, among: Array | None = None) -> list[Array]:
    """The agents of equal numbers in all columns, in order, group by group as their first agents stand."""
    agents = np.arange(len(columns[0])) if among is None else np.flatnonzero(among)
    key = np.zeros(len(agents), dtype=np.int64)
    for column in filter(np.ptp, columns):  # numbered again after each, so that no key outgrows 64 bits
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column[agents], return_inverse=True)
    _, first, sizes = np.unique(key, return_index=True, return_counts=True)
    members = np.split(agents[np.argsort(key, kind="stable")], np.cumsum(sizes)[:-1])
    return [members[k] for k in np.argsort(first).tolist()]


def _given(
    agents: Agents, rule: Rule, members: Array, shape: tuple[int, ...], expected: str
) -> tuple[Array, Array, list[int]]:
    assert rule.table is not None
    if rule.table.shape != shape:
        name = agents.names[members[0]]
        raise ValueError(
            f"{rule.where}: the table has shape {rule.table.shape}; agent {name!r} needs {shape}: {expected}"
        )
    return rule.table[None], np.zeros(len(members), dtype=int), members[:1].tolist()


def _scope(agents: Agents, rule: Rule, members: Array, axes: int) -> tuple[dict[str, Array], Array, list[int]]:
    """Values of all names for agents alike: attributes with a leading axis over their different sets and `axes` more.

    Also the set of each agent, and one agent for each set. ValueError names what is unknown or missing.
    """
    i = int(members[0])
    scope: dict[str, Array] = {"degree": np.array(float(len(agents.beside(i))))}
    for names in (agents.states[i], agents.actions[i]):
        for k, name in enumerate(names):
            if float(scope.get(name, np.array(float(k)))) != k:
                raise ValueError(f"{rule.where}: {name!r} is both a state and an action, with different numbers")
            scope[name] = np.array(float(k))
    _check_compared(agents, rule, i)
    used = sorted((rule.names | rule.summed) & set(agents.attributes))
    known = {*scope, *agents.attributes, *VARIABLES}
    for name in sorted(rule.names - known):
        hint = meant(name, sorted(known)) or f"; known are {', '.join(sorted(known))}"
        hint = f"; {name} has a meaning inside sum(…) alone" if name in SUMMED else hint
        raise ValueError(f"{rule.where}: agent {agents.names[i]!r} knows no {name!r}{hint}")
    matrix = (
        np.stack([agents.attributes[name][members] for name in used], axis=1) if used else np.zeros((len(members), 0))
    )
    if np.isnan(matrix).any():
        k, column = (int(x) for x in np.argwhere(np.isnan(matrix))[0])
        raise ValueError(f"{rule.where}: agent {agents.names[members[k]]!r} has no attribute {used[column]!r}")
    if used:
        sets, index, rows = np.unique(matrix, axis=0, return_index=True, return_inverse=True)
    else:
        sets, index, rows = matrix[:1], np.array([0]), np.zeros(len(members), dtype=int)
    for column, name in enumerate(used):
        scope[name] = sets[:, column].reshape(-1, *(1,) * axes)
    return scope, rows.ravel(), members[index].tolist()


def _check_compared(agents: Agents, rule: Rule, i: int) -> None:
    """ValueError where a state is compared with the name of an action, or an action with that of a state."""
    theirs = {name for j in agents.beside(i) for name in agents.states[j]}
    states, actions = set(agents.states[i]), set(agents.actions[i])
    for formula in rule.formulas.values():
        for variable, name in sorted(formula.compared):
            mine, other = (actions, states) if variable == "a" else (states if variable == "s" else theirs, actions)
            if name in other - mine:
                told = "a state" if variable == "a" else "an action"
                raise ValueError(
                    f"{rule.where}: agent {agents.names[i]!r} compares {variable} with {name}, which is {told}"
                )


def _by_counts(agents: Agents, members: Array, beside: State, degree: int) -> tuple[CountKernel, Array]:
    i = int(members[0])
    rule, states, actions = agents.kernel[i], agents.states[i], agents.actions[i]
    S, A = len(states), len(actions)
    scope, rows, first = _scope(agents, rule, members, 3)
    ks = np.zeros((1, len(beside)), dtype=int)
    if rule.coupled and degree:
        K = composition_count(degree, len(beside))
        if K * S * A * S * len(first) > MOST_ENTRIES or not ranks_fit(degree, len(beside)):
            raise ValueError(
                f"{rule.where}: agent {agents.names[i]!r} has {degree} neighbors of {len(beside)} "
                f"states each: {rounded(K)} "
                f"counts times {rounded(S * A * S * len(first))} entries; at most {rounded(MOST_ENTRIES)} are made"
            )
        ks = compositions(degree, len(beside))
    scope |= {
        "s": np.arange(S).reshape(-1, 1, 1),
        "a": np.arange(A).reshape(-1, 1),
        "total": (ks @ np.arange(len(beside))).astype(float),
    }
    count = {x: ks[:, beside.index(x)].astype(float) if x in beside else np.zeros(len(ks)) for x in rule.counted}
    _check_counted(agents, rule, i, beside)

    def entry(m: int, place: tuple[int, ...]) -> str:
        s, a, k = place
        seen = ", ".join(f"{number} in {x}" for number, x in zip(ks[k], beside, strict=True))
        told = f", neighbors: {seen}" if rule.coupled and degree else ""
        return f"agent {agents.names[first[m]]!r}, s = {states[s]}, a = {actions[a]}{told}"

    shape = (len(first), S, A, len(ks))
    check_size(rule, agents.names[i], "kernels", math.prod(shape) * S)
    table = laws(rule, states, shape, scope, count, {}, entry)
    sizes = (S, *(len(beside),) * degree)
    return CountKernel(table.reshape(len(first), -1, S), sizes, (A, *(1,) * degree), 0), rows


def _stranger(agents: Agents, i: int, label: str) -> str:
    near = [agents.names[j] for j in row_of(agents.links.adjacency, i)]
    if label in near:
        return f"read by no arrow: {label} → {agents.names[i]} is missing"
    return f"not a neighbor of {agents.names[i]!r}{meant(label, near)}"


def _check_counted(agents: Agents, rule: Rule, i: int, beside: Sequence[str]) -> None:
    known = {*beside, *agents.states[i]}
    for x in sorted(rule.counted - known):
        if not any(x in names for names in dict.fromkeys(agents.states)):
            raise ValueError(
                f"{rule.where}: count({x}): {x!r} is not a state; agent {agents.names[i]!r} sees {sorted(known)}"
                f"{meant(x, sorted(known))}"
            )


def _own_table(agents: Agents, i: int, rule: Rule) -> Array:
    """P_i with axes (s_j for all j that it reads), a_i, s_i', from a table or by a formula of all neighbors' states."""
    hood = sorted((i, *agents.beside(i)))
    states, actions = agents.states[i], agents.actions[i]
    sizes = tuple(len(agents.states[j]) for j in hood)
    shape = (*sizes, len(actions), len(states))
    if math.prod(shape) > MOST_ENTRIES:
        raise ValueError(
            f"{rule.where}: agent {agents.names[i]!r} has {len(hood) - 1} neighbors: its table has "
            f"{rounded(math.prod(shape))} "
            f"entries, at most {rounded(MOST_ENTRIES)} are made; a formula of count(…) alone needs no table"
        )

    def entry(m: int, place: tuple[int, ...]) -> str:
        told = ", ".join(f"{agents.names[j]}: {agents.states[j][x]}" for j, x in zip(hood, place, strict=False))
        return f"agent {agents.names[i]!r}, states {told}, a = {actions[place[-1]]}"

    if rule.table is not None:
        if rule.table.shape != shape:
            axes = ", ".join([*(f"state of {agents.names[j]}" for j in hood), "action", "next state"])
            raise ValueError(
                f"{rule.where}: the table has shape {rule.table.shape}; agent {agents.names[i]!r} "
                f"needs {shape}: {shortened(axes)[1:-1]}"
            )
        check_laws(rule, states, rule.table[None], entry)
        return rule.table
    scope, _, _ = _scope(agents, rule, np.array([i]), len(hood) + 1)
    _check_counted(agents, rule, i, [x for j in hood for x in agents.states[j]])
    axis = {
        j: np.arange(len(agents.states[j]), dtype=float).reshape(
            [-1 if k == place else 1 for k in range(len(hood) + 1)]
        )
        for place, j in enumerate(hood)
    }
    beside = [j for j in hood if j != i]
    scope |= {"s": axis[i], "a": np.arange(len(actions), dtype=float)}
    scope["total"] = np.asarray(sum((axis[j] for j in beside), np.zeros(())))
    count = {
        x: np.asarray(
            sum((axis[j] == agents.states[j].index(x) for j in beside if x in agents.states[j]), np.zeros(()))
        )
        for x in rule.counted
    }
    state = {agents.names[j]: axis[j] for j in hood}
    for label in sorted(rule.neighbors - set(state)):
        raise ValueError(f"{rule.where}: state({label!r}): agent {label!r} is {_stranger(agents, i, label)}")
    around = _around(agents, rule, i, scope, axis) if rule.summed else ()
    return laws(rule, states, (1, *shape[:-1]), scope, count, state, entry, around)[0]


def _around(
    agents: Agents, rule: Rule, i: int, scope: Mapping[str, Array], axis: Mapping[int, Array]
) -> Sequence[Mapping[str, Array]]:
    """What names mean inside sum(…), for each neighbor that P_i reads: s_j, w, and the names of its states."""
    found: list[dict[str, Array]] = []
    for name in sorted(rule.summed.intersection(SUMMED) & set(scope)):
        raise ValueError(
            f"{rule.where}: inside sum(…) {name} is {'a state' if name == 's_j' else 'the weight of an edge'}, but "
            f"agent {agents.names[i]!r} has a state, action or attribute of this name; rename that"
        )
    for j in agents.beside(i):
        own = {name: np.array(float(k)) for k, name in enumerate(agents.states[j])}
        for name in sorted(rule.summed - set(SUMMED)):
            if name not in scope and name not in own:
                raise ValueError(
                    f"{rule.where}: inside sum(…) neighbor {agents.names[j]!r} of agent {agents.names[i]!r} knows no "
                    f"{name!r}; its states are {', '.join(agents.states[j])}{meant(name, [*own, *scope, *SUMMED])}"
                )
            if name in scope and name in own and not np.array_equal(scope[name], own[name]):
                raise ValueError(
                    f"{rule.where}: inside sum(…) {name!r} has another number for agent {agents.names[i]!r} than for "
                    f"its neighbor {agents.names[j]!r}; list their states in one order"
                )
        own["s_j"] = axis[j]
        if agents.weights is not None:
            own["w"] = np.array(agents.weights[j, i])
        found.append(own)
    return found
