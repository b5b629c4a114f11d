"""Refusals that the models share: parameters out of their range, named with their model."""

from __future__ import annotations

from typing import Any

import numpy as np

NUMBER = (int, float, np.integer, np.floating)


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


def one_for_each_action(model: str, **parameters: tuple[float, float]) -> None:
    """ValueError unless every parameter holds two numbers, for actions 0 and 1."""
    for name, value in parameters.items():
        if len(_entries(value)) != 2:
            raise ValueError(f"{model}: {name} must hold two numbers, for actions 0 and 1, got {value!r}")


def _entries(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value,)
