"""Localized policies by names: files that a person writes or `sacrepro train` leaves, as θ of a network, and back.

A YAML or JSON file gives each state an action, or probabilities of actions that sum to 1; under ``policy`` for all
agents, under ``agents`` for those that differ:

    policy: {healthy: wait, sick: {wait: 0.25, treat: 0.75}}
    agents:
      ann: {sick: treat}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sacrepro.adviser.pilot import Trained
from sacrepro.archive.files import read_arrays, unread
from sacrepro.instances.network.files import one_line, read_yaml
from sacrepro.instances.network.labelled import Network
from sacrepro.model.checks import Array, shortened
from sacrepro.model.notices import meant, repeated
from sacrepro.model.policy import softmax

#: What J is compared with that is no file.
OPTIMUM = "optimum"

#: Probabilities may miss 1 by this much; they are divided by their sum.
TOLERANCE = 1e-9


def policy_document(network: Network, theta: Sequence[Array]) -> dict[str, Any]:
    """θ as probabilities by the names of agents, states and actions."""
    agents = {}
    for i, theta_i in enumerate(theta):
        rows = zip(network.states[i], softmax(theta_i).tolist(), strict=True)
        agents[network.names[i]] = {s: dict(zip(network.actions[i], row, strict=True)) for s, row in rows}
    return {"agents": agents}


def policy_text(network: Network, theta: Sequence[Array], origin: str, *, as_json: bool = False) -> str:
    """The policy file of θ; `origin` says where it comes from."""
    document = policy_document(network, theta)
    if as_json:
        return json.dumps({"origin": origin} | document, indent=2, ensure_ascii=False) + "\n"
    lines = [f"origin: {_quoted(origin)}", "agents:"]
    for name, states in document["agents"].items():
        lines.append(f"  {_quoted(name)}:")
        for s, row in states.items():
            entries = ", ".join(f"{_quoted(a)}: {probability!r}" for a, probability in row.items())
            lines.append(f"    {_quoted(s)}: {{{entries}}}")
    return "\n".join(lines) + "\n"


def theta_of(network: Network, document: Any) -> tuple[Array, ...]:
    """θ of a policy document, log ζ with -inf for what is never done; ValueError names key, agent, state and action."""
    if not isinstance(document, Mapping):
        raise ValueError(f"expected a mapping with the keys policy and agents, got {shortened(document)}")
    for key in document:
        if key not in ("policy", "agents", "origin"):
            raise ValueError(
                f"{key}: unknown key; known are policy, agents and origin{meant(key, ['policy', 'agents'])}"
            )
    shared = _mapping("policy", document.get("policy") or {})
    own = {
        name: _mapping(f"agents.{name}", value)
        for name, value in _mapping("agents", document.get("agents") or {}).items()
    }
    for name in own:
        if name not in network.names:
            known = f"whose agents are {shortened(list(network.names))}{meant(name, network.names)}"
            raise ValueError(f"agents.{name}: there is no agent {name!r} in the network, {known}")
    everywhere = {s for states in dict.fromkeys(network.states) for s in states}
    for s in shared:
        if s not in everywhere:
            raise ValueError(f"policy.{s}: no agent has a state {s!r}{meant(s, sorted(everywhere))}")
    theta = []
    for i, name in enumerate(network.names):
        mine, states, actions = own.get(name, {}), network.states[i], network.actions[i]
        for s in mine:
            if s not in states:
                raise ValueError(
                    f"agents.{name}.{s}: agent {name!r} has no state {s!r}, but {', '.join(states)}{meant(s, states)}"
                )
        rows = []
        for s in states:
            where = f"agents.{name}.{s}" if s in mine else f"policy.{s}"
            if s not in mine and s not in shared:
                raise ValueError(
                    f"agents.{name}: agent {name!r} is not told what to do in state {s!r}; give it an action, or "
                    f"probabilities of {', '.join(actions)}, there or under policy"
                )
            rows.append(_law(where, mine.get(s, shared.get(s)), name, actions))
        with np.errstate(divide="ignore"):
            theta.append(np.log(np.array(rows)))
    return tuple(theta)


def read_policy(
    network: Network, source: str, kappa: int | None = None, seed: int | None = None, beside: Sequence[str] = ()
) -> tuple[Array, ...]:
    """θ of ``uniform``, of a policy file (.yaml, .yml, .json), or of one run in a file of `sacrepro train` (.npz).

    kappa, seed : which run of an .npz file, where it has several. beside : words of the caller's that are no
    file either. ValueError names the file and what is wrong; it is a FileNotFoundError where there is no such file.
    """
    if not source.endswith(".npz") and not (kappa is None and seed is None):
        raise ValueError(f"{source}: this is one policy; --kappa and --run choose a run of a file .npz")
    if source == "uniform":
        return tuple(np.zeros(r_i.shape) for r_i in network.r)
    suffix = Path(source).suffix
    if suffix not in (".yaml", ".yml", ".json", ".npz"):
        words = ("uniform", *beside)
        raise ValueError(f"{source}: expected {', '.join(words)} or a file .yaml, .json or .npz{meant(source, words)}")
    try:
        if suffix == ".npz":
            return _run(network, read_arrays(source), kappa, seed)
        return theta_of(network, read_yaml(Path(source)))
    except OSError as error:
        raise unread(source, error) from None
    except ValueError as error:
        told = one_line(error)
        raise ValueError(told if told.startswith(str(source)) else f"{source}: {told}") from None


def read_policies(network: Network, source: str) -> dict[str, list[tuple[Array, ...]]]:
    """θ of every policy of `source`, by words for it: of one as `read_policy`, of a file .npz all runs, κ by κ."""
    if "," in source and not Path(source).exists():
        raise ValueError(f"{source}: there is no such file{repeated('--against', source)}")
    if not source.endswith(".npz"):
        return {source: [read_policy(network, source, beside=(OPTIMUM,))]}
    found: dict[str, list[tuple[Array, ...]]] = {}
    try:
        arrays = read_arrays(source)
        for kappa, seed in _runs(arrays):
            found.setdefault(f"{source}, κ = {kappa}", []).append(_run(network, arrays, kappa, seed))
    except OSError as error:
        raise unread(source, error) from None
    except ValueError as error:
        told = one_line(error)
        raise ValueError(told if told.startswith(source) else f"{source}: {told}") from None
    return found


def training_arrays(network: Network, found: Trained) -> dict[str, Array]:
    """What `sacrepro train --theta` writes: one run a row, θ flat over agents, states and actions in this order.

    theta : (runs, Σ S_i A_i).        kappa, seed, J : (runs,).        names : labels of agents; states, actions : JSON.
    """
    return {
        "theta": np.stack([np.concatenate([block.ravel() for block in theta]) for theta in found.thetas]),
        "kappa": np.array([run.kappa for run in found.runs]),
        "seed": np.array([run.seed for run in found.runs]),
        "J": np.array([run.J for run in found.runs]),
        **_labels(network),
    }


def _labels(network: Network) -> dict[str, Array]:
    return {
        "names": np.array(network.names),
        "states": np.array(json.dumps(network.states, ensure_ascii=False)),
        "actions": np.array(json.dumps(network.actions, ensure_ascii=False)),
    }


def _runs(arrays: Mapping[str, Array]) -> list[tuple[int, int]]:
    """κ and seed of every run in a file of `training_arrays`; ValueError names the array that is missing or wrong."""
    for key in ("theta", "kappa", "seed", "names", "states", "actions"):
        if key not in arrays:
            raise ValueError(f"it has no array {key!r}; expected a file written by sacrepro train --theta")
    for key, axes, kind in (("theta", 2, "f"), ("kappa", 1, "iu"), ("seed", 1, "iu")):
        own, expected = arrays[key], "(runs, numbers)" if axes == 2 else "one integer a run"
        if own.ndim != axes or own.dtype.kind not in kind or len(own) != len(arrays["theta"]):
            raise ValueError(f"its array {key} has shape {own.shape} and type {own.dtype}, expected {expected}")
    return list(zip(arrays["kappa"].tolist(), arrays["seed"].tolist(), strict=True))


def _run(network: Network, arrays: Mapping[str, Array], kappa: int | None, seed: int | None) -> tuple[Array, ...]:
    runs = _runs(arrays)
    for key, own in _labels(network).items():
        if not np.array_equal(arrays[key], own):
            what = "agents" if key == "names" else key
            raise ValueError(f"its {what} are not those of the network; it was trained on another one")
    fitting = [k for k, (own, s) in enumerate(runs) if kappa in (None, own) and seed in (None, s)]
    if len(fitting) != 1:
        told = ", ".join(f"κ = {own} seed {s}" for own, s in runs[:12]) + (", …" if len(runs) > 12 else "")
        problem = "several runs fit" if fitting else "no run fits"
        raise ValueError(f"{problem}: choose one with --kappa and --run; it has {told}")
    sizes = [r_i.size for r_i in network.r]
    flat = np.asarray(arrays["theta"][fitting[0]], dtype=float)
    if flat.shape != (sum(sizes),) or np.isnan(flat).any():
        raise ValueError(f"its array theta has shape {arrays['theta'].shape}, expected (runs, {sum(sizes)}) numbers")
    pieces = np.split(flat, np.cumsum(sizes)[:-1])
    return tuple(piece.reshape(r_i.shape) for piece, r_i in zip(pieces, network.r, strict=True))


def _law(where: str, value: Any, name: str, actions: Sequence[str]) -> list[float]:
    """The probabilities of an agent's actions: 1 for an action by name, or those of a mapping and 0 for the others."""
    told = {str(value): 1.0} if isinstance(value, (str, int)) and not isinstance(value, bool) else value
    if not isinstance(told, Mapping):
        raise ValueError(f"{where}: expected an action or probabilities of actions, got {shortened(value)}")
    for a, probability in told.items():
        if a not in actions:
            raise ValueError(
                f"{where}: agent {name!r} has no action {a!r}, but {', '.join(actions)}{meant(a, actions)}"
            )
        if isinstance(probability, bool) or not isinstance(probability, (int, float)) or not 0 <= probability <= 1:
            raise ValueError(f"{where}.{a}: expected a probability in [0, 1], got {shortened(probability)}")
    total = sum(told.values())
    if not abs(total - 1.0) <= TOLERANCE:
        raise ValueError(f"{where}: the probabilities of agent {name!r} sum to {total!r}, not to 1")
    return [told.get(a, 0.0) for a in actions]


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: expected a mapping, got {shortened(value)}")
    return value


def _quoted(text: str) -> str:
    """A text as YAML reads it back, whatever it looks like."""
    return json.dumps(text, ensure_ascii=False)
