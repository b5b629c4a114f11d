"""The expression language of network files: parsed, held to a white list, evaluated on whole arrays, never by eval.

    beta * count(sick) if s == healthy else 1 - delta

Names are s (own state), a (own action), degree, total (sum of the neighbors' state numbers), the attributes of the
agent and the names of its states and actions, which stand for their numbers. ``count(x)`` is how many neighbors are in
state x, ``state('ann')`` the state of one neighbor, and ``sum(w * (s_j == sick))`` adds up over the neighbors j, with
s_j for the state and w for the weight of the edge between them. Numbers, + - * / // % **, comparisons, and/or/not, x if
c else y, and `FUNCTIONS` are all there is; every number is a float64, so nothing can grow without bound. What has no
value, as 0/0, 1/0 or log(-1), is NaN and makes all that is computed from it NaN, conditions and powers included.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from sacrepro.model.checks import Array, shortened
from sacrepro.model.notices import meant

#: Functions of one argument, and of one or more.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
}

EXTREMES: Mapping[str, Callable[..., Any]] = {"min": np.minimum, "max": np.maximum}

#: Names with a meaning of their own; no attribute, state or action may take one.
VARIABLES = ("s", "a", "degree", "total")

#: What has a meaning inside sum(…) alone: the state of neighbor j, and the weight of the edge to it.
SUMMED = ("s_j", "w")

#: Functions of the neighbors.
OF_NEIGHBORS = ("count", "state", "sum")

RESERVED = frozenset((*VARIABLES, *OF_NEIGHBORS, *FUNCTIONS, *EXTREMES))

LONGEST, DEEPEST = 4000, 60

TOO_DEEP = f"nested more than {DEEPEST} deep; a sum or product of {DEEPEST} terms is as deep as that"

#: What to write in place of signs of other languages.
HINTS = {
    "&&": "write and",
    r"\|\|": "write or",
    r"\?": "write x if c else y",
    r"!(?!=)": "write not",
    r"(?<![=!<>])=(?!=)": "write == to compare",
    "%$": "write 0.5 for 50 %",
    "×": "write * to multiply",
    "[–−]": "write - for minus",
}

_BINARY: Mapping[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: lambda x, y: np.divide(x, _nonzero(y)),
    ast.FloorDiv: lambda x, y: np.floor_divide(x, _nonzero(y)),
    ast.Mod: lambda x, y: np.mod(x, _nonzero(y)),
    # numpy takes NaN ** 0 and 1 ** NaN for 1, and 0 ** -1 for infinity.
    ast.Pow: lambda x, y: _where_defined(np.power(np.where((x == 0) & (y < 0), np.nan, x), y), x, y),
}

_COMPARED: Mapping[type, Callable[..., Any]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


@dataclass(frozen=True)
class Formula:
    """A checked expression.

    names   : variables, attributes, states and actions that occur, but for those below.
    counted : states x of `count(x)`.        neighbors : labels of `state('label')`.
    compared : pairs of s, a, s_j or state(…), written as "state", and a name that it is compared with.
    summed : names that occur inside `sum(…)`, with s_j among them wherever there is one.
    """

    text: str
    tree: ast.expr
    names: frozenset[str]
    counted: frozenset[str]
    neighbors: frozenset[str]
    compared: frozenset[tuple[str, str]]
    summed: frozenset[str]

    def value(
        self,
        scope: Mapping[str, Array],
        count: Mapping[str, Array],
        state: Mapping[str, Array],
        beside: Sequence[Mapping[str, Array]] = (),
    ) -> Array:
        """The expression on arrays that broadcast; NaN where it has no value, infinite where it overflows.

        beside : what names mean inside `sum(…)` beyond `scope`, for each neighbor.

        The branch of ``x if c else y`` that is not taken does not count, nor what ``and`` and ``or`` need not look at.
        """
        with np.errstate(all="ignore"):
            return np.asarray(_value(self.tree, scope, count, state, beside), dtype=np.float64)


def parse(source: object) -> Formula:
    """The formula in a text or number; ValueError says what is not part of the language."""
    if isinstance(source, bool) or not isinstance(source, (str, int, float)):
        raise ValueError(f"expected a formula, that is text or a number, got {shortened(source)}")
    if isinstance(source, float) and not math.isfinite(source):
        raise ValueError(f"expected a formula, that is text or a finite number, got {source!r}")
    text = source.strip() if isinstance(source, str) else repr(source)
    what = f"formula {shortened(text)}"
    if len(text) > LONGEST:
        raise ValueError(f"{what} has {len(text)} characters; at most {LONGEST} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        hint = next((f"; {hint}" for sign, hint in HINTS.items() if re.search(sign, text)), "")
        raise ValueError(f"{what} cannot be read: {getattr(error, 'msg', None) or error}{hint}") from None
    except (RecursionError, MemoryError):
        raise ValueError(f"{what}: {TOO_DEEP}") from None
    found: dict[str, set[str]] = {key: set() for key in ("names", "counted", "neighbors", "summed")}
    try:
        _check(tree, found, 0)
        compared = _compared(tree)
        _check_small(tree, text)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    except RecursionError:
        raise ValueError(f"{what}: {TOO_DEEP}") from None
    names, counted, neighbors, summed = map(frozenset, found.values())
    return Formula(text, tree, names, counted, neighbors, compared, summed)


def _check(node: ast.expr, found: dict[str, set[str]], depth: int, names: str = "names") -> None:
    if depth > DEEPEST:
        raise ValueError(TOO_DEEP)
    children: list[ast.expr]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            hint = "; names of states and actions stand without quotes" if isinstance(node.value, str) else ""
            raise ValueError(f"{shortened(node.value)} is not a number{hint}")
        try:
            infinite = math.isinf(float(node.value))
        except OverflowError:
            infinite = True
        if infinite:
            raise ValueError("a number is too large, at most 1.8e308")
        return
    if isinstance(node, ast.Name):
        if node.id in RESERVED and node.id not in VARIABLES:
            raise ValueError(f"{node.id} is a function: write {node.id}(…)")
        found[names].add(node.id)
        return
    if isinstance(node, ast.Call):
        children = _check_call(node, found)
        if ast.unparse(node.func) == "sum":
            if names == "summed":
                raise ValueError("a sum(…) stands inside another")
            names = "summed"
            found[names].add("s_j")
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        children = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd, ast.Not)):
        children = [node.operand]
    elif isinstance(node, ast.BoolOp):
        children = node.values
    elif isinstance(node, ast.Compare) and all(type(op) in _COMPARED for op in node.ops):
        children = [node.left, *node.comparators]
    elif isinstance(node, ast.IfExp):
        children = [node.test, node.body, node.orelse]
    else:
        hint = {ast.Tuple: "; decimals have a point", ast.BinOp: "; a power is x ** y"}.get(type(node), "")
        raise ValueError(f"{shortened(ast.unparse(node))} is not part of the language{hint}")
    for child in children:
        _check(child, found, depth + 1, names)


def _check_call(node: ast.Call, found: dict[str, set[str]]) -> list[ast.expr]:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in RESERVED or name in VARIABLES:
        known = (*OF_NEIGHBORS, *FUNCTIONS, *EXTREMES)
        raise ValueError(f"unknown function {shortened(name)}; known are {', '.join(known)}{meant(name, known)}")
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ValueError(f"{name}(…) takes plain arguments")
    if (name in EXTREMES and not node.args) or (name not in EXTREMES and len(node.args) != 1):
        raise ValueError(f"{name}(…) got {len(node.args)} arguments")
    if name in ("count", "state"):
        found["counted" if name == "count" else "neighbors"].add(_label(node))
        return []
    return node.args


def _compared(tree: ast.expr) -> frozenset[tuple[str, str]]:
    pairs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for sides in itertools.pairwise([node.left, *node.comparators]):
                called = [side.func if isinstance(side, ast.Call) else side for side in sides]
                names = tuple(side.id if isinstance(side, ast.Name) else "" for side in called)
                pairs |= {names, names[::-1]}
    return frozenset((x, name) for x, name in pairs if x in ("s", "a", "s_j", "state"))


def _check_small(tree: ast.expr, text: str) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value == 0.0:
            written = ast.get_source_segment(text, node) or ""
            if re.search("[1-9]", re.split("[eE]", written)[0]):
                raise ValueError(f"{written} is too small for a number, it would be read as 0")


def _label(node: ast.Call) -> str:
    """The state of `count(x)`, by name or number, or the agent of `state('label')`."""
    (argument,) = node.args
    if isinstance(argument, ast.Name):
        return argument.id
    if isinstance(argument, ast.Constant) and type(argument.value) in (str, int):
        return str(argument.value)
    raise ValueError(f"{ast.unparse(node)}: the argument must be a name")


def _value(
    node: ast.expr,
    scope: Mapping[str, Array],
    count: Mapping[str, Array],
    state: Mapping[str, Array],
    beside: Sequence[Mapping[str, Array]],
) -> Any:
    def of(child: ast.expr) -> Any:
        return _value(child, scope, count, state, beside)

    if isinstance(node, ast.Constant):
        return np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return scope[node.id]
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name == "count":
            return count[_label(node)]
        if name == "state":
            return state[_label(node)]
        if name == "sum":
            terms = (_number(_value(node.args[0], {**scope, **own}, count, state, ())) for own in beside)
            return sum(terms, np.zeros(()))
        if name in EXTREMES:
            return reduce(EXTREMES[name], [_number(of(child)) for child in node.args])
        return FUNCTIONS[name](_number(of(node.args[0])))
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_number(of(node.left)), _number(of(node.right)))
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            operand = _number(of(node.operand))
            return _where_defined(operand == 0, operand)
        return -_number(of(node.operand)) if isinstance(node.op, ast.USub) else _number(of(node.operand))
    if isinstance(node, ast.BoolOp):
        value, *others = (_number(of(child)) for child in node.values)
        for other in others:
            undecided = value != 0 if isinstance(node.op, ast.And) else value == 0
            value = np.where(undecided & ~np.isnan(value), other, value)
        return value
    if isinstance(node, ast.Compare):
        sides = [_number(of(child)) for child in (node.left, *node.comparators)]
        held = [_COMPARED[type(op)](x, y) for op, x, y in zip(node.ops, sides, sides[1:], strict=False)]
        return _where_defined(reduce(np.logical_and, held), *sides)
    assert isinstance(node, ast.IfExp)
    test = _number(of(node.test))
    return _where_defined(np.where(test != 0, _number(of(node.body)), _number(of(node.orelse))), test)


def _number(value: Any) -> Array:
    return np.asarray(value, dtype=np.float64)


def _nonzero(y: Array) -> Array:
    """y with NaN in place of 0: a division by 0 has no value."""
    return np.where(y == 0, np.nan, y)


def _where_defined(value: Any, *arguments: Array) -> Array:
    """`value` as a number, NaN wherever an argument is."""
    value = _number(value)
    for argument in arguments:
        undefined = np.isnan(argument)
        if undefined.any():
            value = np.where(undefined, np.nan, value)
    return value
