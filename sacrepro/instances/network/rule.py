"""One rule of a network file, a kernel, a reward or a start: its formulas or its table, and the laws they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sacrepro.instances.network.formula import Formula, parse
from sacrepro.instances.network.labelled import MOST_ENTRIES
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array, shortened
from sacrepro.model.notices import meant, rounded

State = tuple[str, ...]


class Rule(NamedTuple):
    """One entry of a file: formulas by next state (by "" for a reward), or a table.

    where : the key it stands under.        kind : ``probabilities``, ``weights``, ``formula`` or ``table``.
    """

    where: str
    kind: str
    formulas: Mapping[str, Formula]
    table: Array | None

    @property
    def names(self) -> frozenset[str]:
        """Every name that its formulas use."""
        return frozenset().union(*(formula.names for formula in self.formulas.values()))

    @property
    def neighbors(self) -> frozenset[str]:
        """Labels of agents whose states it reads one by one."""
        return frozenset().union(*(formula.neighbors for formula in self.formulas.values()))

    @property
    def counted(self) -> frozenset[str]:
        """States whose neighbors it counts."""
        return frozenset().union(*(formula.counted for formula in self.formulas.values()))

    @property
    def summed(self) -> frozenset[str]:
        """Names that it uses inside ``sum(…)``; w among them asks for weights of edges."""
        return frozenset().union(*(formula.summed for formula in self.formulas.values()))

    @property
    def coupled(self) -> bool:
        """Whether it reads the neighbors through counts."""
        return bool(self.counted) or "total" in self.names


def rule_of(key: str, where: str, value: Any) -> Rule:
    """The rule that stands at `where`; `key` is ``kernel``, ``reward`` or ``pi0``."""
    kind, body = "formula", value
    if key == "pi0":
        kind, body = ("table", value) if isinstance(value, list) else ("probabilities", value)
    elif isinstance(value, Mapping):
        ((kind, body),) = value.items()
        where = f"{where}.{kind}"
    if kind == "table":
        leaves = [body]
        while leaves:
            leaf = leaves.pop()
            if isinstance(leaf, list):
                leaves += reversed(leaf)
            elif isinstance(leaf, bool) or not isinstance(leaf, (int, float)):
                raise ValueError(f"{where}: the table holds {shortened(leaf)}, expected a number")
        try:
            table = np.array(body, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{where}: the table is ragged or holds something that is not a number") from None
        table.setflags(write=False)
        return Rule(where, kind, {}, table)
    formulas = {}
    for name, source in body.items() if isinstance(body, Mapping) else [("", body)]:
        place = f"{where}.{name}" if name else where
        try:
            formulas[str(name)] = parse(source)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        own = formulas[str(name)]
        if key != "kernel" and (own.counted or own.neighbors or own.summed):
            raise ValueError(
                f"{place}: neighbors enter kernels only, eq. (1); a {key} sees no count(…), no state(…) and no sum(…)"
            )
        barred = {"kernel": (), "reward": ("total",), "pi0": ("total", "s", "a")}[key]
        for variable in sorted(own.names.intersection(barred)):
            raise ValueError(f"{place}: a {key} does not depend on {variable}")
    return Rule(where, kind, formulas, None)


def laws(
    rule: Rule,
    states: State,
    shape: tuple[int, ...],
    scope: Mapping[str, Array],
    count: Mapping[str, Array],
    state: Mapping[str, Array],
    entry: Callable[[int, tuple[int, ...]], str],
    beside: Sequence[Mapping[str, Array]] = (),
) -> Array:
    """Laws of the next state or the first, `shape` + (S,), from weights, or from probabilities but for at most one."""
    for name in rule.formulas:
        if name not in states:
            where = f"{rule.where}.{name}: {entry(0, (0,) * (len(shape) - 1))}"
            raise ValueError(f"{where} has no state {name!r}, but {list(states)}{meant(name, states)}")
    missing = [x for x in states if x not in rule.formulas]
    if len(missing) > (rule.kind == "probabilities"):
        more = ", ".join(missing) if rule.kind == "weights" else f"all but one of {', '.join(missing)}"
        raise ValueError(f"{rule.where}: {rule.kind} of {more} are missing")
    found = np.zeros((*shape, len(states)))
    for k, x in enumerate(states):
        if x in rule.formulas:
            found[..., k] = value = rule.formulas[x].value(scope, count, state, beside)
            if np.isnan(value).any():
                place = tuple(int(at) for at in np.argwhere(np.isnan(found[..., k]))[0])
                raise ValueError(f"{rule.where}.{x}: {entry(place[0], place[1:])}: {undefined(rule.formulas[x])}")
    if rule.kind == "weights":
        check_entries(rule, states, found, entry, np.inf, "a finite number of at least 0")
        sums = found.sum(axis=-1, keepdims=True)
        wrong = np.argwhere(~((sums > 0) & np.isfinite(sums)))
        if len(wrong):
            place = tuple(int(k) for k in wrong[0])
            raise ValueError(f"{rule.where}: {entry(place[0], place[1:-1])}: the weights sum to {float(sums[place])!r}")
        found = found / sums
    elif missing:
        check_entries(rule, states, found, entry, 1.0, "a number in [0, 1]")
        found[..., states.index(missing[0])] = 1.0 - found.sum(axis=-1)
    check_laws(rule, states, found, entry)
    # Rounding may leave -1e-17 where 0 is meant.
    return np.clip(found, 0.0, None)


def undefined(formula: Formula | None) -> str:
    """What is wrong where a formula, or an entry of a table, is NaN."""
    if formula is None:
        return "the table holds NaN, expected a number"
    return (
        f"the formula {shortened(formula.text)} has no value there: it divides by 0, or takes the logarithm, root or a "
        "fraction's power of a negative number; guard it, as in: x / y if y > 0 else 0"
    )


def check_size(rule: Rule, name: str, what: str, size: int) -> None:
    """Refuse a rule whose arrays would be too large, before they are made."""
    if size > MOST_ENTRIES:
        raise ValueError(
            f"{rule.where}: the {what} of agent {name!r} and those like it would have {rounded(size)} entries; at most "
            f"{rounded(MOST_ENTRIES)} are made"
        )


def check_laws(rule: Rule, states: State, laws: Array, entry: Callable[[int, tuple[int, ...]], str]) -> None:
    """Refuse entries outside [0, 1] and rows that do not sum to 1; `entry` says where one stands."""
    check_entries(rule, states, laws, entry, 1.0, "a number in [0, 1]")
    sums = laws.sum(axis=-1)
    wrong = np.argwhere(~(np.abs(sums - 1.0) <= NORMALISATION_TOLERANCE))
    if len(wrong):
        place = tuple(int(k) for k in wrong[0])
        raise ValueError(
            f"{rule.where}: {entry(place[0], place[1:])}: the probabilities sum to {float(sums[place])!r}, not to 1"
        )


def check_entries(
    rule: Rule, states: State, laws: Array, entry: Callable[[int, tuple[int, ...]], str], most: float, expected: str
) -> None:
    """Refuse entries that are not finite, below 0 or above `most`."""
    slack = NORMALISATION_TOLERANCE if rule.kind == "probabilities" else 0.0
    wrong = np.argwhere(~(np.isfinite(laws) & (laws >= -slack) & (laws <= most + slack)))
    if len(wrong):
        *place, x = (int(k) for k in wrong[0])
        value = float(laws[tuple(wrong[0])])
        start = rule.where.endswith("pi0")
        told = f"the start distribution gives {states[x]}" if start else f"the next state {states[x]} gets"
        raise ValueError(f"{rule.where}: {entry(place[0], tuple(place[1:]))}: {told} {value!r}, expected {expected}")
