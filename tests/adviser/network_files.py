"""Network files that several tests read."""

import numpy as np
import yaml

from sacrepro.instances.network.document import network

SIS = {
    "graph": {"family": "krackhardt_kite"},
    "gamma": 0.8,
    "states": ["healthy", "sick"],
    "actions": ["wait", "treat"],
    "attributes": {"beta0": 0.4, "beta1": 0.2, "delta0": 0.2, "delta1": 0.6, "epsilon": 0.05},
    "kernel": {
        "probabilities": {
            "sick": "1 - (1-epsilon) * (1 - (beta0 if a == wait else beta1)) ** count(sick) if s == healthy"
            " else 1 - (delta1 if a == treat else delta0)"
        }
    },
    "reward": "(s == healthy) + 0.3 * (a == wait)",
}

#: Four states, five counted outcomes, asymmetric weights: nothing about it is special.
THREE = {
    "graph": {
        "nodes": ["hub", "x", "y", "z", "alone"],
        "edges": [["hub", "x"], ["hub", "y"], ["z", "hub"], ["x", "y"]],
    },
    "gamma": 0.9,
    "states": ["low", "mid", "top"],
    "actions": 2,
    "kernel": {
        "weights": {
            "low": "1 + count(low) * (s == low) + a",
            "mid": "exp(0.3 * count(mid) - 0.1 * count(top))",
            "top": "0.2 + total / max(1, degree) + abs(s - 1)",
        }
    },
    "reward": "s / 2",
}

SMALL = SIS | {"graph": {"nodes": {"a": {"beta0": 0.1}, "b": None}, "edges": [["a", "b"]]}, "pi0": {"sick": "epsilon"}}
SMALL |= {"agents": {"a": {"kernel": {"table": np.full((2, 2, 2, 2), 0.5).tolist()}}}}


def written(tmp_path, document, name="net.yaml"):
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


def load_dict(document):
    return network(document)
