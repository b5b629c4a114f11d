"""Named models: the instances on which every statement is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sacrepro.instances.extremal import courtesy, parity, td_witness
from sacrepro.instances.flows import queueing, thermal
from sacrepro.instances.graphs import build_graph, fitting
from sacrepro.instances.random_kernels import downstream, random_mdp
from sacrepro.instances.relay import broadcast, relay
from sacrepro.instances.spread import counted_sis, counted_social, counted_sysadmin, sis, social, sysadmin
from sacrepro.instances.wireless import wireless_committed
from sacrepro.model.mdp import CountedMDP, NetworkedMDP

Model = TypeVar("Model")


def file(*, path: str, document: Mapping[str, Any] | None = None, source: str | None = None) -> NetworkedMDP:
    """The model of a network file; `sacrepro.adviser.files.model_of`, which may ask for one of these models in turn."""
    from sacrepro.adviser.files import model_of

    return model_of(path=path, document=document, source=source)


MODELS: Mapping[str, Callable[..., NetworkedMDP]] = {
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
    "file": file,
}

#: The models whose agents see their neighbors through a sum, so that hubs of any degree can be sampled and bounded.
COUNTED: Mapping[str, Callable[..., CountedMDP]] = {
    "sis": counted_sis,
    "social": counted_social,
    "sysadmin": counted_sysadmin,
}


def build(spec: Mapping[str, Any]) -> NetworkedMDP:
    """The model that `spec` describes: ``{"model": name, "graph": {…}, parameter: value, …}``.

    Lists become tuples, so that a specification may come from YAML or JSON. Raises ValueError naming what is wrong.

    >>> from sacrepro import build
    >>> mdp = build({"model": "sis", "graph": {"family": "path", "n": 3}, "gamma": 0.9})
    >>> mdp.n, mdp.gamma
    (3, 0.9)
    """
    return _built(spec, MODELS)


def build_for_sampling(spec: Mapping[str, Any]) -> NetworkedMDP | CountedMDP:
    """The same model in the form with the smallest kernels: by counts where it has one. Trajectories are the same."""
    if isinstance(spec, Mapping) and spec.get("model") in COUNTED:
        return _built(spec, COUNTED)
    return build(spec)


def _built(spec: Mapping[str, Any], models: Mapping[str, Callable[..., Model]]) -> Model:
    if not isinstance(spec, Mapping):
        raise ValueError(
            f"instance: expected a mapping such as {{'model': 'relay', 'n': 6, 'gamma': 0.9}}, got {spec!r}"
        )
    parameters: dict[str, Any] = dict(spec)
    for key, value in spec.items():
        if isinstance(value, list):
            parameters[key] = tuple(value)
    model = parameters.pop("model", None)
    if not isinstance(model, str) or model not in models:
        raise ValueError(f"instance: unknown model {model!r}; known are {', '.join(models)}")
    fitting(model, models[model], parameters)
    if "graph" in parameters:
        parameters["graph"] = build_graph(parameters["graph"])
    try:
        return models[model](**parameters)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"instance: {error}") from None
