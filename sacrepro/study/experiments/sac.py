"""Rules `sac` and `warm`: Algorithm 1 on one instance with one κ; kernels compiled once, for parallel jobs to find.

Imports of kernels stand inside, so that the digest of each job is that of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import sacrepro.model.compiled  # noqa: F401  # numba is there when a job begins, so that what it compiles is told apart
from sacrepro.archive.files import write_arrays, write_text
from sacrepro.instances import build, build_for_sampling
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import Count, File, Ordinal, Positive, Spec

if TYPE_CHECKING:
    from sacrepro.model.checks import Array
    from sacrepro.model.mdp import NetworkedMDP


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
    from sacrepro.learn.algorithm1 import sac_seeds

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


def warm_exact(*, output: File) -> Iterator[str]:
    """Compile what D_i(κ), its intervals and supremum, TD's fixed points and the law of Algorithm 1 need."""
    from sacrepro.exact.decay.profile import certified_decay, decay_profile
    from sacrepro.exact.decay.supremum import decay_supremum
    from sacrepro.exact.law.moments import critic_law
    from sacrepro.exact.law.update import expected_critic
    from sacrepro.exact.truncation import td_fixed_point

    decay_profile(*small())
    certified_decay(*small(), sweep_limit=1)
    decay_supremum(small()[0], 2, 0, width=1.0)
    td_fixed_point(*small(), 0, 0)
    expected_critic(*small(), kappa=0, T=1, h=1.0, t0=1.0)
    critic_law(*small(), 0, kappa=0, T=1, h=1.0, t0=1.0)
    yield compiled(output)


def warm_learn(*, output: File) -> Iterator[str]:
    """Compile what Algorithm 1 needs, and what looks at its Q̂."""
    from sacrepro.learn.algorithm1 import sac_seeds
    from sacrepro.learn.samples import visited_cells

    for kappa in range(3):
        sac_seeds(*small(), kappa=kappa, M=2, T=5, h=1.0, t0=1.0, eta=1.0, seeds=range(2))
    visited_cells(*small(), 0, kappa=0, T=5, h=1.0, t0=1.0, seed=0)
    yield compiled(output)


def warm_library() -> Iterator[str]:
    """Compile what first calls need: V, D_i(κ), TD's limit, the exact law, Algorithm 1; once, after installing.

    Left to their first calls: agents of more than 256 pairs (s_i, a_i), extensions, searches, other methods.
    """
    from sacrepro.exact.decay.profile import certified_decay, decay_profile
    from sacrepro.exact.law.moments import critic_law
    from sacrepro.exact.law.update import expected_critic
    from sacrepro.exact.truncation import td_fixed_point
    from sacrepro.learn.algorithm1 import sac_seeds
    from sacrepro.model.mdp import as_coupled

    mdp, theta = small()
    decay_profile(mdp, theta)
    certified_decay(mdp, theta, sweep_limit=1)
    td_fixed_point(mdp, theta, 0, 0)
    yield "evaluate, decay_profile, certified_decay, td_fixed_point: compiled"
    expected_critic(mdp, theta, kappa=0, T=1, h=1.0, t0=1.0)
    critic_law(mdp, theta, 0, kappa=0, T=1, h=1.0, t0=1.0)
    yield "expected_update, expected_critic, mean_curve, critic_law: compiled"
    for model in (mdp, as_coupled(mdp)):
        sac_seeds(model, theta, kappa=1, M=2, T=5, h=1.0, t0=1.0, eta=1.0, seeds=range(2))
    larger = build({"model": "relay", "n": 8, "gamma": 0.5})  # with κ = 7 and such a T, cells are numbered in 32 bits
    sac_seeds(larger, uniform_theta(larger), kappa=7, M=1, T=1 << 16, h=1.0, t0=1.0, eta=1.0, seeds=range(2))
    yield "sac, sac_seeds: compiled"


def warm_methods(*, output: File) -> Iterator[str]:
    """Compile what every method and estimator needs."""
    from sacrepro.learn.problem import Settings
    from sacrepro.study.experiments.methods import METHODS, estimator_rows, method_rows

    mdp, _ = small()
    for method in METHODS:
        list(method_rows(mdp, "relay", method, Settings(kappa=1, M=2, T=5, record_every=1), 2))
    list(estimator_rows(mdp, "relay", kappa=1, lengths=(5,), episodes=2, h=1.0, t0=1.0))
    yield compiled(output)


def small() -> tuple[NetworkedMDP, tuple[Array, ...]]:
    """A noisy relay of three agents and the uniform policy."""
    return (mdp := build({"model": "relay", "n": 3, "gamma": 0.5, "noise": 0.5})), uniform_theta(mdp)


def compiled(output: str) -> str:
    """The line to print once the file that says so is written."""
    write_text(output, "compiled\n")
    return "compiled"
