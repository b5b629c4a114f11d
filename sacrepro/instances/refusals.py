"""Refusals that the models share: parameters out of their range, named with their model."""

from __future__ import annotations


def probabilities(model: str, **parameters: float | tuple[float, ...]) -> None:
    """ValueError unless every parameter, or every entry of it, lies in [0, 1]."""
    for name, value in parameters.items():
        if not all(0.0 <= p <= 1.0 for p in _entries(value)):
            raise ValueError(f"{model}: {name} must hold probabilities in [0, 1], got {value}")


def at_least_zero(model: str, **parameters: float | tuple[float, ...]) -> None:
    """ValueError unless every parameter, or every entry of it, is a finite number of at least 0."""
    for name, value in parameters.items():
        if not all(0.0 <= x < float("inf") for x in _entries(value)):
            raise ValueError(f"{model}: {name} must be finite and at least 0, got {value}")


def _entries(value: float | tuple[float, ...]) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)
