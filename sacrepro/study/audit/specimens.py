"""Instances by name, on which mistakes are planted and beside which the adversary stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from sacrepro.instances.extremal import gate, ladder, latch, mirage, parity, signal, tally, turncoat
from sacrepro.instances.relay import broadcast, fading_relay, noisy_hops, relay
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.study.claims import claim
from sacrepro.study.record.case import Case, uniform_case
from sacrepro.study.record.comparison import Comparison
from sacrepro.study.record.mistakes import MIRAGE, NOISE, TALLY

INSTANCES: dict[str, Callable[[], NetworkedMDP]] = {
    "relay": lambda: relay(4, gamma=0.9),
    "noisy relay": lambda: relay(4, gamma=0.9, noise=NOISE),
    "noisy hops": lambda: noisy_hops(4, 0.9, NOISE),
    "latch .9": lambda: latch(4, 0.9),
    "latch .02": lambda: latch(4, 0.02),
    "broadcast .9": lambda: broadcast(8, gamma=0.9),
    "broadcast .1": lambda: broadcast(8, gamma=0.1),
    "turncoat": lambda: turncoat(2, 0.3),
    "fading relay .9": lambda: fading_relay(3, 0.9, 1e-3),
    "fading relay .1": lambda: fading_relay(3, 0.1, 1e-3),
    "ladder": lambda: ladder(8, 50, 0.01, 0.5),
    "gate": lambda: gate(0.01),
    "parity .02": lambda: parity(6, gamma=0.02),
    "signal .3": lambda: signal(0.3),
    "tally": lambda: tally(60, TALLY),
    "mirage": lambda: mirage(60, 1000, 0.001, MIRAGE),
}


@cache
def case(instance: str) -> Case:
    """The case of one of `INSTANCES` under the uniform policy."""
    return uniform_case(instance, INSTANCES[instance]())


@cache
def checked(name: str, instance: str) -> tuple[Comparison, ...]:
    """The comparisons of a claim on one of `INSTANCES`."""
    return tuple(claim(name).check(case(instance)))


def rows(name: str, variant: str, instance: str) -> list[Comparison]:
    """Those of one variant."""
    return [row for row in checked(name, instance) if row.hypothesis == variant]
