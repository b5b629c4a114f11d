"""What locality costs: the best joint policy, the best localized deterministic one, and where Algorithm 1 ends.

Each gap is certified: J is exact for every seed, and `exact.optimum` brackets both yardsticks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.archive.files import arrays_of, write_rows
from sacrepro.exact.optimum import Optimum, best_joint, best_localized
from sacrepro.exact.rounding import UNIT
from sacrepro.exact.values import evaluate
from sacrepro.instances import build
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.arguments import File
from sacrepro.study.experiments import Experiment
from sacrepro.study.record.comparison import by, percent

#: Parts of the set of localized policies that are looked at on one instance; what is left open widens the gaps.
NODES = 200


class LocalityRow(NamedTuple):
    """One policy of one instance, or the mean over the seeds of one κ, beside both yardsticks.

    policy : ``best joint``, ``best localized`` (deterministic), ``uniform`` or ``SAC``.
    kappa, seeds : of SAC, else 0 and 1.
    J, error : J and its certified error, for SAC the mean over seeds; spread : their standard deviation.
    joint_low, joint_high : certified ends of the largest J of a joint policy, less J; beside a yardstick, less the
        largest J of its kind, which may be more than that of the policy that was found.
    localized_low, localized_high : of the largest J of a deterministic localized policy, less J; below 0 where a
        stochastic one earns more.
    """

    instance: str
    policy: str
    kappa: int
    seeds: int
    J: float
    error: float
    spread: float
    joint_low: float
    joint_high: float
    localized_low: float
    localized_high: float


#: Final policies of all seeds, by κ; ``finals[kappa][i]`` has shape (seeds, S_i, A_i).
Finals = dict[int, list[Array]]


def locality_rows(mdp: NetworkedMDP, instance: str, finals: Finals) -> Iterator[LocalityRow]:
    """The yardsticks, the uniform policy and SAC at each κ; ValueError where a table over (s, a) is too large."""
    joint, localized = best_joint(mdp), best_localized(mdp, nodes=NODES)

    def row(policy: str, kappa: int, J: Sequence[float], error: float, most: float = -np.inf) -> LocalityRow:
        mean = float(np.mean(J))
        error += len(J) * UNIT * float(np.abs(J).max())
        ends = [end for best in (joint, localized) for end in less(best, mean - error, max(mean + error, most))]
        return LocalityRow(instance, policy, kappa, len(J), mean, error, float(np.std(J, ddof=len(J) > 1)), *ends)

    yield row("best joint", 0, [joint.J], joint.J_error, joint.J_high)
    yield row("best localized", 0, [localized.J], localized.J_error, localized.J_high)
    uniform = evaluate(mdp, uniform_theta(mdp))
    yield row("uniform", 0, [uniform.J], uniform.J_error)
    for kappa, thetas in sorted(finals.items()):
        found = [evaluate(mdp, theta) for theta in zip(*thetas, strict=True)]
        yield row("SAC", kappa, [own.J for own in found], max(own.J_error for own in found))


def less(best: Optimum, low: float, high: float) -> tuple[float, float]:
    """Certified ends of the largest J of a kind of policies, less a J between `low` and `high`."""
    return best.J - best.J_error - high, best.J_high - low


def locality_facts(rows: Sequence[LocalityRow]) -> Iterator[tuple[str, str]]:
    """On how many networks a joint policy earns certainly more than every localized deterministic one, and how much.

    Shares are of what the best joint policy has above the uniform one; SAC's is that of the κ with the largest mean.
    """
    own = {(row.instance, row.policy): row for row in rows if row.policy != "SAC"}
    gained = {name: row.joint_low for (name, policy), row in own.items() if policy == "uniform" and row.joint_low > 0}
    costs = {name: own[name, "best localized"] for name in gained}
    yield "locality of", str(len(costs))
    yield "locality costs", str(sum(row.joint_low > 0.0 for row in costs.values()))
    if costs:
        yield "locality most", percent([max(row.joint_high / gained[name] for name, row in costs.items())])
    if ends := best_ends([row for row in rows if row.instance in gained]):
        yield "locality SAC of", str(len(ends))
        yield "locality SAC", percent([row.localized_high / gained[row.instance] for row in ends])
        more = all(row.localized_low > max(0.0, costs[row.instance].joint_high) for row in ends)
        yield "locality", "SAC leaves more" if more else "SAC does not leave more"


def best_ends(rows: Sequence[LocalityRow]) -> list[LocalityRow]:
    """SAC at the κ with the largest mean J on each instance."""
    runs = by((row for row in rows if row.policy == "SAC"), "instance")
    return [max(own, key=lambda row: row.J) for own in runs.values()]


def locality(exact: Sequence[str], *, runs: Sequence[str] = (), output: File) -> Iterator[str]:
    """Compare the best joint, the best localized and SAC's final policies on each instance, with certified gaps."""
    finals: dict[str, Finals] = {}
    for path in runs:
        run = arrays_of("sac", path)
        blocks = [run[f"theta_{i}"][:, -1] for i in range(sum(name.startswith("theta_") for name in run))]
        finals.setdefault(str(run["instance"]), {})[int(run["kappa"])] = blocks
    rows: list[LocalityRow] = []
    for path in exact:
        stored = arrays_of("exact", path)
        name = str(stored["instance"])
        own = list(locality_rows(build(json.loads(str(stored["spec"]))), name, finals.get(name, {})))
        rows += own
        yield f"{name}: best joint J = {own[0].J:.4g}, best localized {own[1].J:.4g}"
    write_rows(output, LocalityRow, rows)


EXPERIMENTS = (Experiment(order=125, name="locality", rows=LocalityRow, key="locality", default=[]),)
