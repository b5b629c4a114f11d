"""Named models: the instances on which every statement is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sacrepro.instances.courtesy import courtesy
from sacrepro.instances.graphs import build_graph
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import broadcast, relay
from sacrepro.instances.sis import sis
from sacrepro.instances.td_witness import td_witness
from sacrepro.model import NetworkedMDP

MODELS: Mapping[str, Callable[..., NetworkedMDP]] = {
    "relay": relay,
    "broadcast": broadcast,
    "random": random_mdp,
    "sis": sis,
    "td_witness": td_witness,
    "courtesy": courtesy,
}


def build(spec: Mapping[str, Any]) -> NetworkedMDP:
    """The model that `spec` describes: ``{"model": name, "graph": {…}, parameter: value, …}``.

    Lists become tuples, so that a specification may come from YAML or JSON. Raises ValueError naming what is wrong.
    """
    parameters: dict[str, Any] = dict(spec)
    for key, value in spec.items():
        if isinstance(value, list):
            parameters[key] = tuple(value)
    model = parameters.pop("model", None)
    if model not in MODELS:
        raise ValueError(f"instance: unknown model {model!r}; known are {', '.join(MODELS)}")
    if "graph" in parameters:
        parameters["graph"] = build_graph(parameters["graph"])
    try:
        return MODELS[model](**parameters)
    except TypeError as error:
        raise ValueError(f"instance: {error}") from None
