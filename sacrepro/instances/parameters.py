"""Refusals that the models share: parameters out of their range, named with their model."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from sacrepro.model.checks import discount, shortened

INTEGER = (int, np.integer)
NUMBER = (*INTEGER, float, np.floating)

#: Agents, states and actions that are asked for; seeds may be larger.
MOST = 10_000_000


def fitting(name: str, function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """ValueError unless these are parameters of `function`, none is missing, and numbers are of the annotated kind."""
    known, hints = inspect.signature(function).parameters, get_type_hints(function)
    for key, value in parameters.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known) or 'none'}"
            raise ValueError(f"{name}: {key} is no parameter; {hint}")
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
