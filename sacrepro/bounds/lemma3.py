"""Lemma 3: the exponential decay property holds for every networked MDP with rewards in [0, r̄]."""

from __future__ import annotations

from typing import NamedTuple


class Decay(NamedTuple):
    """The constants (c, ρ) of Definition 2."""

    c: float
    rho: float


def lemma3(r_bar: float, gamma: float) -> Decay:
    """(c, ρ) = (r̄/(1-γ), γ): what leaves N_i^κ reaches agent i after κ+1 steps at the earliest.

    r̄ is the RANGE of the rewards, 0 ≤ r_i ≤ r̄; with |r_i| ≤ r̄ alone c doubles (`paper/errata.md`).
    """
    return Decay(c=r_bar / (1.0 - gamma), rho=gamma)
