"""Rule `sac`: Algorithm 1 on one instance with one κ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from sacrepro.archive.files import write_arrays
from sacrepro.instances import build_for_sampling
from sacrepro.learn.algorithm1 import sac_seeds
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Spec


def sac(
    *,
    instance: str,
    spec: Spec,
    kappa: Ordinal,
    seeds: Count,
    M: Count,
    T: Count,
    h: Positive,
    t0: Positive,
    eta: Positive,
    record_every: Count,
    output: File,
) -> Iterator[str]:
    """Run Algorithm 1 on one instance for one κ over a range of seeds and write what it recorded."""
    mdp = build_for_sampling(spec)
    settings: dict[str, Any] = {"M": M, "T": T, "h": h, "t0": t0, "eta": eta, "record_every": record_every}
    traces = sac_seeds(mdp, uniform_theta(mdp), kappa=kappa, seeds=range(seeds), **settings)
    arrays = {
        "spec": np.array(json.dumps(spec, sort_keys=True)),
        "instance": np.array(instance),
        "kappa": np.array(kappa),
        "T": np.array(T),
        "h": np.array(h),
        "t0": np.array(t0),
        "m": np.asarray(traces[0].m),
        "J_estimate": np.stack([trace.J_estimate for trace in traces]),
        "first_visit_share": np.stack([trace.first_visit_share for trace in traces]),
    }
    for i in range(mdp.n):
        arrays[f"theta_{i}"] = np.stack([trace.thetas[i] for trace in traces])
    write_arrays(output, arrays)
    J = arrays["J_estimate"]
    yield f"{instance}, κ={kappa}: {seeds} seeds, J_estimate {J[:, 0].mean():.4f} → {J[:, -1].mean():.4f}"
