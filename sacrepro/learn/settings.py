"""The arguments of Algorithm 1, refused with one clear message each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sacrepro.model.checks import Array, integer, mixture, number, positive
from sacrepro.model.policy import Sized, Theta, all_actions_possible, check_theta

#: The largest step that is taken: with rewards as large as a model may have them θ stays finite in Algorithm 1.
LARGEST = 1e150


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What Algorithm 1 and its rivals take beside a model, θ(0) and seeds; names as in `sac`, all of it checked.

    Raises TypeError for the wrong kind of number and ValueError for one out of range.
    """

    kappa: int
    M: int = 1
    T: int = 1
    h: float = 1.0
    t0: float = 1.0
    eta: float = 1.0
    record_every: int | None = None
    warm_start: bool = False
    lambda_: float = 0.0
    baseline: bool = False
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        for name in ("warm_start", "baseline"):
            flag = getattr(self, name)
            if not isinstance(flag, (bool, np.bool_)):
                raise TypeError(f"{name} must be True or False, got {flag!r}")
        if not 0.0 <= number("lambda_", self.lambda_) <= 1.0:
            raise ValueError(f"lambda_ must lie in [0, 1], got {self.lambda_!r}")
        for name, least in (("kappa", 0), ("M", 1), ("T", 1), ("record_every", 1)):
            if name != "record_every" or self.record_every is not None:
                integer(name, getattr(self, name), least)
        for name in ("h", "t0", "eta"):
            if positive(name, size := getattr(self, name)) > LARGEST:
                raise ValueError(f"{name} must be at most {LARGEST:g}, so that steps stay finite, got {size!r}")
        h, t0 = self.h, self.t0
        if h > t0:
            raise ValueError(
                f"h = {h} and t0 = {t0} give the step size α_0 = h/t0 = {h / t0:.6g}, but line 7 is a convex "
                "combination: h must be at most t0"
            )
        mixture(self.epsilon)
        for name in ("h", "t0", "eta", "lambda_", "epsilon"):
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def stops(self) -> list[int]:
        """The outer iterations at which θ is recorded; by default about a hundred."""
        return [*range(0, self.M, self.record_every or -(-self.M // 100)), self.M]


def check_control(*, target: str, targets: Sequence[str], epsilon: float | None, temperature: float | None) -> None:
    """Raises TypeError or ValueError naming the argument of `control` that makes no sense."""
    if target not in targets:
        raise ValueError(f"target must be one of {', '.join(targets)}, got {target!r}")
    if (epsilon is None) == (temperature is None):
        raise ValueError("exactly one of epsilon and temperature must be given: ε-greedy or Boltzmann policies")
    for name, value in (("epsilon", epsilon), ("temperature", temperature)):
        if value is not None:
            number(name, value)
    if epsilon is not None and not 0.0 <= epsilon <= 1.0:
        raise ValueError(f"epsilon must lie in [0, 1], got {epsilon!r}")
    if temperature is not None and not (math.isfinite(temperature) and temperature > 0.0):
        raise ValueError(f"temperature must be finite and above 0, got {temperature!r}")


def check_seed(seed: int) -> int:
    """The seed, refused unless it is an integer in 0..2^64-1."""
    integer("seed", seed, 0)
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
