"""The arguments of Algorithm 1, refused with one clear message each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.model.checks import Array
from sacrepro.model.policy import Sized, Theta, all_actions_possible, check_theta

#: The largest step that is taken: with rewards as large as a model may have them θ stays finite in Algorithm 1.
LARGEST = 1e150


class Settings(NamedTuple):
    """What Algorithm 1 and its rivals take beside a model, θ(0) and seeds; names as in `sac`."""

    kappa: int
    M: int
    T: int
    h: float
    t0: float
    eta: float
    record_every: int | None
    epsilon: float


def check_arguments(
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    record_every: int | None = None,
    epsilon: float = 0.0,
) -> None:
    """Raises TypeError for the wrong kind of number and ValueError for one out of range."""
    for name, value, least in (("kappa", kappa, 0), ("M", M, 1), ("T", T, 1)):
        _integer(name, value, least)
    if record_every is not None:
        _integer("record_every", record_every, 1)
    for name, number in (("h", h), ("t0", t0), ("eta", eta)):
        _number(name, number)
        if not (math.isfinite(number) and number > 0):
            raise ValueError(f"{name} must be finite and above 0, got {number!r}")
        if number > LARGEST:
            raise ValueError(f"{name} must be at most {LARGEST:g}, so that steps stay finite, got {number!r}")
    if h > t0:
        raise ValueError(
            f"h = {h} and t0 = {t0} give the step size α_0 = h/t0 = {h / t0:.6g}, but line 7 is a convex combination: "
            "h must be at most t0"
        )
    _number("epsilon", epsilon)
    if not 0.0 <= epsilon < 1.0:
        raise ValueError(f"epsilon must lie in [0, 1), got {epsilon!r}; at 1 the policies would not depend on θ")


def check_extensions(*, warm_start: bool, lambda_: float, baseline: bool) -> None:
    """Raises TypeError or ValueError naming the extension of Algorithm 1 whose value makes no sense."""
    for name, flag in (("warm_start", warm_start), ("baseline", baseline)):
        if not isinstance(flag, (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, got {flag!r}")
    _number("lambda_", lambda_)
    if not 0.0 <= lambda_ <= 1.0:
        raise ValueError(f"lambda_ must lie in [0, 1], got {lambda_!r}")


def check_control(*, target: str, targets: Sequence[str], epsilon: float | None, temperature: float | None) -> None:
    """Raises TypeError or ValueError naming the argument of `control` that makes no sense."""
    if target not in targets:
        raise ValueError(f"target must be one of {', '.join(targets)}, got {target!r}")
    if (epsilon is None) == (temperature is None):
        raise ValueError("exactly one of epsilon and temperature must be given: ε-greedy or Boltzmann policies")
    for name, number in (("epsilon", epsilon), ("temperature", temperature)):
        if number is not None:
            _number(name, number)
    if epsilon is not None and not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must lie in [0, 1], got {epsilon!r}")
    if temperature is not None and not (math.isfinite(temperature) and temperature > 0.0):
        raise ValueError(f"temperature must be finite and above 0, got {temperature!r}")


def check_seed(seed: int) -> int:
    """The seed, refused unless it is an integer in 0..2^64-1."""
    _integer("seed", seed, 0)
    if seed >= 1 << 64:
        raise ValueError(f"seed must lie in 0..2^64-1, got {seed}")
    return int(seed)


def check_theta0(theta0: Theta, simulator: Sized) -> tuple[Array, ...]:
    """θ(0) as float64 blocks (S_i, A_i); ValueError names the agent whose block is wrong."""
    blocks = check_theta(simulator, all_actions_possible(theta0, "a start θ(0) that is to be improved"), "theta0")
    if np.isfinite(np.concatenate([theta_i.ravel() for theta_i in blocks])).all():
        return blocks
    for i, theta_i in enumerate(blocks):
        wrong = np.isnan(theta_i) | (theta_i == np.inf) | np.isneginf(theta_i).all(axis=1, keepdims=True)
        if wrong.any():
            entry = tuple(int(k) for k in np.argwhere(wrong)[0])
            raise ValueError(
                f"theta0[{i}] of agent {i} has logit {theta_i[entry]} at {entry}; expected finite logits, or -inf for "
                "some but not all actions of a state"
            )
    return blocks


def _number(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, got {value!r}")


def _integer(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
