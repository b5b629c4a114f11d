"""What a policy of a network file is worth: J, the range of every V_i and D_i(κ), exactly where the network is solved.
Otherwise J by simulation, with an interval, and for a few agents V_i and D_i(κ) between certified ends of light cones.

A simulation averages sampled returns of fresh episodes, with seeds that no run learns from; its interval is Student's
at 95 %, and rewards after the last step, which are at least 0, widen it upwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from sacrepro.adviser.certificates import farthest_around
from sacrepro.adviser.clock import working
from sacrepro.adviser.measured import largest_cone
from sacrepro.adviser.settings import FRESH
from sacrepro.exact.decay.profile import certified_decay
from sacrepro.exact.light_cone import local_decay, local_value
from sacrepro.exact.optimum import best_joint, best_localized
from sacrepro.exact.values import evaluate, objective_and_gradient
from sacrepro.instances.network.labelled import Network
from sacrepro.learn.samples import samples
from sacrepro.model.checks import Array
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.memory import MOST_AXES
from sacrepro.model.notices import aligned, in_one_line
from sacrepro.simulate.rollout import Simulator

#: Episodes behind one J by simulation; rewards after their last step are worth at most this share of r̄/(1-γ).
EPISODES, CUT = 64, 1e-3
#: κ's of D_i(κ), and joint pairs, in bits, up to which it is computed for the whole network.
KAPPAS, PAIR_BITS = 6, 26.0
#: Agents that are looked at where the network is not solved, and κ's of their light cones.
SOME, CONE_KAPPAS = 3, 3
#: What no policy exceeds.
BEST_JOINT = "the best joint policy"
#: Columns of a line of words, and agents that are listed.
WIDTH, LISTED = 110, 12


class AgentValue(NamedTuple):
    """One agent: low ≤ V_i(s) ≤ high for every joint state s, both certified; D lies in [D_low, D_high] at κ = 0, 1, ….

    D_low, D_high are empty where D_i(κ) was not computed.
    """

    agent: int
    name: str
    low: float
    high: float
    D_low: tuple[float, ...]
    D_high: tuple[float, ...]


class Compared(NamedTuple):
    """Another policy, or the mean over several runs, and how much more it earns: between more_low and more_high.

    J, low, high, method : as of `Return`; of an optimum, ``exact``, and no policy of its kind exceeds high.
    noise : half of Student's 95 % interval for a mean over runs; NaN for one policy. It is in none of the ends, which
    are those of these runs.
    """

    name: str
    runs: int
    J: float
    low: float
    high: float
    method: str
    more_low: float
    more_high: float
    noise: float


@in_one_line
class Evaluation(NamedTuple):
    """J of one policy, and what is known of the agents' values.

    error : certified bound on every |V_i|'s own error where the network is solved, NaN otherwise.
    agents : all of them where the network is solved, otherwise those whose light cones were computed.
    left_out : agents that were asked for and have no light cone that fits, with the reason.
    against : what J is compared with, if anything.
    """

    J: Return
    error: float
    agents: tuple[AgentValue, ...]
    left_out: tuple[str, ...]
    against: tuple[Compared, ...] = ()


def evaluation(
    network: Network,
    theta: Sequence[Array],
    agents: Sequence[int] = (),
    *,
    episodes: int = EPISODES,
    seed: int = 0,
    seconds: float = 20.0,
) -> Evaluation:
    """J, V and D of θ; `agents` are those whose light cones are computed where the network is not solved."""
    if solvable(network):
        return _exact(network, theta, agents)
    J = Objective(network, network.simulator(), seed=seed, episodes=episodes)(theta)
    begin = working()
    found, left_out = [], []
    for i in agents or _typical(network):
        if working() - begin > seconds:
            left_out.append(f"{network.names[i]!r}: the {seconds:g} s were used")
            continue
        try:
            found.append(_by_light_cone(network, theta, i))
        except ValueError as error:
            left_out.append(f"{network.names[i]!r}: {error}")
    return Evaluation(J, math.nan, tuple(found), tuple(left_out))


def compared(
    network: Network,
    J: Return,
    policies: Mapping[str, Sequence[Sequence[Array]]],
    *,
    optimum: bool = False,
    episodes: int = EPISODES,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> tuple[Compared, ...]:
    """One row for each name: the mean J over its policies, less J. optimum : the best localized and joint one, too.

    Ends of a mean are the means of ends. progress : called with sentences while the optimum is sought. ValueError where
    the optimum of so large a network is not computed.
    """
    objective, rows, judged = Objective(network, network.simulator(), seed=seed, episodes=episodes), [], 0
    for name, runs in policies.items():
        found = []
        for theta in runs:
            judged += 1
            found.append(objective(theta, run=judged))
        ends = [math.fsum(column) / len(found) for column in zip(*(row[:3] for row in found), strict=True)]
        noise = half_width(np.array([row.J for row in found])) if len(found) > 1 else math.nan
        rows.append((name, len(runs), Return(ends[0], ends[1], ends[2], found[0].method), noise))
    searched = partial(best_localized, progress=progress)
    for name, best in (("the best localized policy that is deterministic", searched), (BEST_JOINT, best_joint)):
        if optimum:
            at_most = best(network.mdp())
            certified = Return(at_most.J, at_most.J - at_most.J_error, at_most.J_high, "exact")
            rows.append((name, 1, certified, math.nan))
    return tuple(
        Compared(name, runs, *row, row.low - J.high, row.high - J.low, noise) for name, runs, row, noise in rows
    )


def _exact(network: Network, theta: Sequence[Array], agents: Sequence[int]) -> Evaluation:
    mdp = network.mdp()
    V, J, error, J_error, _ = evaluate(mdp, theta)
    chosen = list(agents) or list(range(network.n))
    pairs = float(np.log2(network.state_sizes * network.action_sizes).sum())
    D_low = D_high = np.zeros((len(chosen), 0))
    if pairs <= PAIR_BITS:
        kappas = range(min(KAPPAS, farthest_around(network, chosen) + 1))
        D_low, D_high = certified_decay(mdp, theta, chosen, kappas)[:2]
    rows = tuple(
        AgentValue(i, network.names[i], *_ends(network, V[i], error), tuple(low.tolist()), tuple(high.tolist()))
        for i, low, high in zip(chosen, D_low, D_high, strict=True)
    )
    return Evaluation(Return(J, J - J_error, J + J_error, "exact"), error, rows, ())


def _by_light_cone(network: Network, theta: Sequence[Array], i: int) -> AgentValue:
    most = network.r_bar / (1.0 - network.gamma)
    tol = 1e-3 * max(most, 1e-12)
    largest = largest_cone(network, theta, i, tol)
    if not largest:
        raise ValueError("the tables around it are too large")
    value = local_value(network, theta, i, tol, largest=largest)
    ends = _ends(network, value.V, value.error)
    decay = local_decay(network, theta, i, CONE_KAPPAS - 1, tol, largest=largest)
    return AgentValue(
        i, network.names[i], *ends, tuple(decay.lower.tolist()), tuple(np.minimum(decay.upper, most).tolist())
    )


def _typical(network: Network) -> list[int]:
    """A few agents of median degree and below, whose light cones may fit."""
    order = np.argsort(np.diff(network.adjacency.indptr), kind="stable")
    return sorted({int(order[k]) for k in np.linspace(0, network.n // 2, SOME).astype(int)})


def _ends(network: Network, V_i: Array, error: float) -> tuple[float, float]:
    """Ends of a table's range that is known up to `error`; none leaves [0, r̄/(1-γ)]."""
    most = network.r_bar / (1.0 - network.gamma)
    return max(float(V_i.min()) - error, 0.0), min(float(V_i.max()) + error, most)


def evaluation_words(network: Network, found: Evaluation, policy: str) -> str:
    """The text that `sacrepro evaluate` prints."""
    J = found.J
    lines = [f"{policy}, {network.n:,} agent{'s' * (network.n > 1)}, γ = {network.gamma:g}"]
    if J.method == "exact":
        lines.append(f"J = {J.J:.10g}, exact, certified error {0.5 * (J.high - J.low):.1g}")
        lines.append(f"V_i: certified error {found.error:.1g} for every agent and joint state")
    else:
        lines.append(f"J = {J.J:.5g} by simulation, 95 % confidence [{J.low:.5g}, {J.high:.5g}]")
        lines.append("V_i and D_i(κ): certified ends from light cones, of the agents listed alone")
    shown = found.agents[:LISTED]
    kappas = max((len(row.D_low) for row in shown), default=0)
    table = [["agent", "V_i from", "to", *(f"D_i({kappa})" for kappa in range(kappas))]]
    for row in shown:
        gaps = zip(row.D_low, row.D_high, strict=True)
        table.append([row.name, f"{row.low:.5g}", f"{row.high:.5g}", *(_gap(low, high) for low, high in gaps)])
    if shown:
        lines += ["", *aligned(table)]
    if found.agents and kappas <= farthest_around(network, [row.agent for row in found.agents]):
        last = f" beyond κ = {kappas - 1}" if kappas else f": the network has more than 2^{PAIR_BITS:g} pairs (s, a)"
        lines.append(f"D_i(κ) is not computed{last}")
    if len(found.agents) > LISTED:
        lines.append(f"… {len(found.agents) - LISTED:,} more; --output writes all")
    if found.against:
        most = network.r_bar / (1.0 - network.gamma)
        gains = [_gain(*_with_noise(row, J, most)) for row in found.against]
        names = [row.name + (f", mean of {row.runs}" if row.runs > 1 else "") for row in found.against]
        width = max(map(len, names))
        lines += ["", f"{'compared with':<{width}}  {'J':>8}  more than this policy by"]
        rows = zip(names, found.against, gains, strict=True)
        lines += [f"{name:<{width}}  {row.J:>8.5g}  {gain}" for name, row, gain in rows]
        if any(row.runs > 1 for row in found.against):
            lines.append("The interval of a mean is one of 95 % over seeds (Student): other seeds give other runs.")
    for reason in found.left_out:
        lines += wrap(f"no light cone of {reason}", WIDTH, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _with_noise(row: Compared, J: Return, most: float) -> tuple[float, float]:
    """The ends of a difference, with the noise of a mean over runs; no mean leaves [0, r̄/(1-γ)]."""
    if row.runs < 2:
        return row.more_low, row.more_high
    return max(row.low - row.noise, 0.0) - J.high, min(row.high + row.noise, most) - J.low


def _gain(low: float, high: float) -> str:
    """A difference, or its ends where they are not the same in three digits."""
    if low <= 0.0 <= high and high - low < 1e-8:
        return f"0, certified error {max(high, -low):.1g}"
    return f"{0.5 * (low + high):+.3g}" if high - low <= 1e-3 * abs(low + high) else f"[{low:+.3g}, {high:+.3g}]"


def _gap(low: float, high: float) -> str:
    """D_i(κ), or its ends where they differ in three digits."""
    middle = f"{0.5 * (low + high):.3g}"
    if high - low <= 1e-3 * high or high < 1e-8:
        return "0" if high < 1e-8 else middle
    return f"[{low:.3g}, {high:.3g}]"


#: Joint states, in bits, up to which J is computed exactly, and entries of all kernels as tables.
EXACT_BITS, EXACT_ENTRIES = 16.0, 1 << 22
#: Confidence of every interval that is not certified.
CONFIDENCE = 0.95


class Return(NamedTuple):
    """J(θ) lies in [low, high]: certified if `method` is ``exact``, with 95 % confidence if it is ``simulation``."""

    J: float
    low: float
    high: float
    method: str


class Objective:
    """J of one network, θ by θ.

    mdp : the model, where J is exact, None where it is simulated.        T : steps of a simulated episode.
    """

    def __init__(
        self,
        network: Network,
        simulator: Simulator,
        *,
        seed: int = 0,
        episodes: int = EPISODES,
        bits: float = EXACT_BITS,
    ) -> None:
        self.network, self.simulator, self.episodes = network, simulator, episodes
        self.seed = seed % (1 << 32)
        self.T = horizon(network.gamma)
        self.mdp: NetworkedMDP | None = network.mdp() if solvable(network, bits) else None

    def __call__(self, theta: Sequence[Array], run: int = 0) -> Return:
        """J(θ); `run` numbers the policies of one question, each of which is judged by episodes of its own."""
        if self.mdp is not None:
            J, _, error, _ = objective_and_gradient(self.mdp, theta)
            return Return(J, J - error, J + error, "exact")
        first = FRESH + (self.seed << 28) + run * self.episodes
        seeds = range(first, first + self.episodes)
        sampled = samples(self.simulator, theta, 0, kappa=0, T=self.T, h=1.0, t0=1.0, seeds=seeds).J_estimate
        half = half_width(sampled)
        cut = self.network.gamma ** (self.T + 1) * self.network.r_bar / (1.0 - self.network.gamma)
        J, most = float(sampled.mean()), self.network.r_bar / (1.0 - self.network.gamma)
        return Return(J, max(J - half, 0.0), min(J + half + cut, most), "simulation")


def solvable(network: Network, bits: float = EXACT_BITS) -> bool:
    """Whether V̄ over all joint states, which has an axis an agent, and every kernel as a table, is small."""
    if network.n >= MOST_AXES or float(np.log2(network.state_sizes).sum()) > bits:
        return False
    return sum(network.entries(i) for i in range(network.n)) <= EXACT_ENTRIES


def horizon(gamma: float) -> int:
    """The least T ≥ 1 with γ^{T+1} ≤ `CUT`."""
    return 1 if gamma == 0.0 else max(1, math.ceil(math.log(CUT) / math.log(gamma)) - 1)


def half_width(values: Array) -> float:
    """Half of Student's interval for the mean of independent values; infinite for one."""
    count = len(values)
    if count < 2:
        return math.inf
    quantile = float(stdtrit(count - 1, 0.5 + 0.5 * CONFIDENCE))
    return quantile * float(values.std(ddof=1)) / math.sqrt(count)
