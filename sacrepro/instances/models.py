"""The models by name, and what each makes of a graph and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sacrepro.instances.extremal import courtesy, parity, td_witness
from sacrepro.instances.flows import queueing, thermal
from sacrepro.instances.random_kernels import downstream, random_mdp
from sacrepro.instances.relay import broadcast, relay
from sacrepro.instances.spread import sis, social, sysadmin
from sacrepro.instances.wireless import wireless_committed
from sacrepro.model.mdp import NetworkedMDP

NAMED: Mapping[str, Callable[..., NetworkedMDP]] = {
    "relay": relay,
    "broadcast": broadcast,
    "parity": parity,
    "random": random_mdp,
    "sis": sis,
    "td_witness": td_witness,
    "wireless": wireless_committed,
    "social": social,
    "sysadmin": sysadmin,
    "thermal": thermal,
    "queueing": queueing,
    "downstream": downstream,
    "courtesy": courtesy,
}
