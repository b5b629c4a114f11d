"""Named models: the instances on which every statement is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sacrepro.instances.graphs import build_graph, fitting
from sacrepro.instances.models import NAMED, counted_sis, counted_social, counted_sysadmin
from sacrepro.instances.network.files import model_of
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.notices import OF_THE_STUDY, meant

Model = TypeVar("Model")


#: The models that a specification may ask for: those by name, and that of a network file.
MODELS: Mapping[str, Callable[..., NetworkedMDP]] = {**NAMED, "file": model_of}

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
        expected = "instance: expected a mapping such as {'model': 'relay', 'n': 6, 'gamma': 0.9}"
        raise ValueError(f"{expected}, got {spec!r}{OF_THE_STUDY if isinstance(spec, str) else ''}")
    parameters: dict[str, Any] = dict(spec)
    for key, value in spec.items():
        if isinstance(value, list):
            parameters[key] = tuple(value)
    model = parameters.pop("model", None)
    if not isinstance(model, str) or model not in models:
        hint = meant(str(model), models) or OF_THE_STUDY
        raise ValueError(f"instance: unknown model {model!r}; known are {', '.join(models)}{hint}")
    fitting(model, models[model], parameters)
    if "graph" in parameters:
        parameters["graph"] = build_graph(parameters["graph"])
    try:
        return models[model](**parameters)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"instance: {error}") from None
