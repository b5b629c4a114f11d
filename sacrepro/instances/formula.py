"""The expression language of network files: parsed, held to a white list, evaluated on whole arrays, never by eval.

    beta * count(sick) if s == healthy else 1 - delta

Names are s (own state), a (own action), degree, total (sum of the neighbors' state numbers), the attributes of the
agent and the names of its states and actions, which stand for their numbers. ``count(x)`` is how many neighbors are in
state x, ``state('ann')`` the state of one neighbor. Numbers, + - * / // % **, comparisons, and/or/not, x if c else y,
and `FUNCTIONS` are all there is; every number is a float64, so nothing can grow without bound.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from sacrepro.model import Array

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
RESERVED = frozenset((*VARIABLES, "count", "state", *FUNCTIONS, *EXTREMES))

LONGEST, DEEPEST = 4000, 60

_BINARY: Mapping[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
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
    """

    text: str
    tree: ast.expr
    names: frozenset[str]
    counted: frozenset[str]
    neighbors: frozenset[str]

    def value(self, scope: Mapping[str, Array], count: Mapping[str, Array], state: Mapping[str, Array]) -> Array:
        """The expression on arrays that broadcast; entries may come out non-finite, which the caller must judge."""
        with np.errstate(all="ignore"):
            return np.asarray(_value(self.tree, scope, count, state), dtype=np.float64)


def parse(source: object) -> Formula:
    """The formula in a text or number; ValueError says what is not part of the language."""
    if isinstance(source, bool) or not isinstance(source, (str, int, float)):
        raise ValueError(f"expected a formula, that is text or a number, got {shortened(source)}")
    text = source.strip() if isinstance(source, str) else repr(source)
    what = f"formula {shortened(text)}"
    if len(text) > LONGEST:
        raise ValueError(f"{what} has {len(text)} characters; at most {LONGEST} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{what} cannot be read: {getattr(error, 'msg', None) or error}") from None
    found: dict[str, set[str]] = {"names": set(), "counted": set(), "neighbors": set()}
    try:
        _check(tree, found, 0)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    return Formula(text, tree, *(frozenset(found[key]) for key in ("names", "counted", "neighbors")))


def shortened(value: object) -> str:
    """`value` as a reader should see it in one line."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check(node: ast.expr, found: dict[str, set[str]], depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    children: list[ast.expr]
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise ValueError(f"{shortened(node.value)} is not a number")
        try:
            float(node.value)
        except OverflowError:
            raise ValueError("a number is too large") from None
        return
    if isinstance(node, ast.Name):
        if node.id in RESERVED and node.id not in VARIABLES:
            raise ValueError(f"{node.id} is a function: write {node.id}(…)")
        found["names"].add(node.id)
        return
    if isinstance(node, ast.Call):
        children = _check_call(node, found)
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
        raise ValueError(f"{shortened(ast.unparse(node))} is not part of the language")
    for child in children:
        _check(child, found, depth + 1)


def _check_call(node: ast.Call, found: dict[str, set[str]]) -> list[ast.expr]:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in RESERVED or name in VARIABLES:
        known = ", ".join(("count", "state", *FUNCTIONS, *EXTREMES))
        raise ValueError(f"unknown function {shortened(name)}; known are {known}")
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ValueError(f"{name}(…) takes plain arguments")
    if (name in EXTREMES and not node.args) or (name not in EXTREMES and len(node.args) != 1):
        raise ValueError(f"{name}(…) got {len(node.args)} arguments")
    if name in ("count", "state"):
        found["counted" if name == "count" else "neighbors"].add(_label(node))
        return []
    return node.args


def _label(node: ast.Call) -> str:
    """The state of `count(x)`, by name or number, or the agent of `state('label')`."""
    (argument,) = node.args
    if isinstance(argument, ast.Name):
        return argument.id
    if isinstance(argument, ast.Constant) and type(argument.value) in (str, int):
        return str(argument.value)
    raise ValueError(f"{ast.unparse(node)}: the argument must be a name")


def _value(node: ast.expr, scope: Mapping[str, Array], count: Mapping[str, Array], state: Mapping[str, Array]) -> Any:
    def of(child: ast.expr) -> Any:
        return _value(child, scope, count, state)

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
        if name in EXTREMES:
            return reduce(EXTREMES[name], [_number(of(child)) for child in node.args])
        return FUNCTIONS[name](_number(of(node.args[0])))
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_number(of(node.left)), _number(of(node.right)))
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            return ~_truth(of(node.operand))
        return -_number(of(node.operand)) if isinstance(node.op, ast.USub) else _number(of(node.operand))
    if isinstance(node, ast.BoolOp):
        return reduce(np.logical_and if isinstance(node.op, ast.And) else np.logical_or, map(of, node.values))
    if isinstance(node, ast.Compare):
        sides = [_number(of(child)) for child in (node.left, *node.comparators)]
        held = [_COMPARED[type(op)](x, y) for op, x, y in zip(node.ops, sides, sides[1:], strict=False)]
        return reduce(np.logical_and, held)
    assert isinstance(node, ast.IfExp)
    return np.where(_truth(of(node.test)), _number(of(node.body)), _number(of(node.orelse)))


def _number(value: Any) -> Array:
    return np.asarray(value, dtype=np.float64)


def _truth(value: Any) -> Array:
    return np.asarray(value, dtype=bool)
