"""Rule `warm`: each room's kernels are compiled once, so that parallel jobs find them in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sacrepro.archive.files import write_text
from sacrepro.instances import build
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import File

if TYPE_CHECKING:
    from sacrepro.model.checks import Array
    from sacrepro.model.mdp import NetworkedMDP

# Imports stand inside, so that the digest of a room is that of its own kernels.


def exact(*, output: File) -> Iterator[str]:
    """Compile what D_i(κ) and TD's fixed points need."""
    from sacrepro.exact.decay.profile import decay_profile
    from sacrepro.exact.truncation import td_fixed_point

    decay_profile(*small())
    td_fixed_point(*small(), 0, 0)
    yield compiled(output)


def learn(*, output: File) -> Iterator[str]:
    """Compile what Algorithm 1 needs."""
    from sacrepro.learn.algorithm1 import sac_seeds

    for kappa in range(3):
        sac_seeds(*small(), kappa=kappa, M=2, T=5, h=1.0, t0=1.0, eta=1.0, seeds=range(2))
    yield compiled(output)


def rivals(*, output: File) -> Iterator[str]:
    """Compile what every method and estimator needs."""
    from sacrepro.study.experiments.methods import METHODS, estimator_rows, rival_rows

    mdp, _ = small()
    for method in METHODS:
        list(rival_rows(mdp, "relay", method, kappa=1, seeds=2, M=2, T=5, h=1.0, t0=1.0, eta=1.0, record_every=1))
    list(estimator_rows(mdp, "relay", kappa=1, lengths=(5,), episodes=2, h=1.0, t0=1.0))
    yield compiled(output)


def small() -> tuple[NetworkedMDP, tuple[Array, ...]]:
    """A noisy relay of three agents and the uniform policy."""
    return (mdp := build({"model": "relay", "n": 3, "gamma": 0.5, "noise": 0.5})), uniform_theta(mdp)


def compiled(output: str) -> str:
    """The line to print once the file that says so is written."""
    write_text(output, "compiled\n")
    return "compiled"
