"""Definition 2 asks for every localized policy: the largest D_i(κ) over θ, found by search.

For few agents all deterministic localized policies are tried; beyond, and for stochastic policies in between, local
search from several starts changes one agent's row at a time. A search finds a policy, so its value is a lower bound on
the supremum of Definition 2; `supremum` brackets it for a few small agents, and bounds from `bounds` hold for any.
Deterministic policies need not attain it: D_i(κ) is not convex in ζ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import chain_of
from sacrepro.exact.decay.sweep import sweep_bytes, sweep_oscillations, sweep_plan, sweep_table, sweep_work
from sacrepro.exact.models import plain_model
from sacrepro.exact.solver.bellman import demand_value_tables, values
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent, check_kappa
from sacrepro.model.mdp import CountedMDP, NetworkedMDP
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import gaussian_theta, uniform_theta

#: Entries of one Q_i that a search is willing to visit for every policy it tries: a few seconds on one core.
WORK = 1 << 32


@in_one_line
class WorstDecay(NamedTuple):
    """The largest D_i(κ) found and where.

    D     : the value. theta : the policy that attains it, blocks (S_i, A_i), logit -inf for an action never taken.
    tried : policies evaluated. exhaustive : whether every deterministic localized policy was among them.
    """

    D: float
    theta: tuple[Array, ...]
    tried: int
    exhaustive: bool


def worst_decay(
    mdp: NetworkedMDP | CountedMDP,
    i: int,
    kappa: int,
    *,
    seed: int = 0,
    exhaustive_limit: int = 4096,
    starts: int = 4,
    tol: float | None = None,
    work: int = WORK,
) -> WorstDecay:
    """The largest D_i(κ) found over localized policies; a lower bound on the supremum in Definition 2.

    exhaustive_limit : try all deterministic policies if there are no more than this many. starts : local searches
    beyond: from the uniform policy and from `starts` - 1 random ones. seed : of the generator.
    tol  : certified error of V_i, by default 1e-10, or what rounding allows where that is more.
    work : entries of one Q_i that a single policy may cost. Raises ValueError beyond it, for an unknown agent or a
    negative κ; MemoryError before starting if value tables or a sweep cannot fit.

    >>> from sacrepro import build, worst_decay
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> round(worst_decay(mdp, 2, 0).D, 6)
    1.0
    """
    mdp = plain_model(mdp, "worst_decay", "certified_decay takes it, for one policy")
    check_agent(i, mdp.n)
    check_kappa(kappa)
    demand_value_tables(mdp.neighbors, mdp.state_sizes, None, tables=6)
    if sweep_work(mdp, i) > work:
        raise ValueError(
            f"every policy tried needs a sweep over {readable_count(sweep_work(mdp, i))} entries of Q_{i}, which "
            f"exceeds work = {work}; take a smaller network, or raise work"
        )
    demand(f"a sweep over the entries of Q_{i}", sweep_bytes(mdp, i), None, "take a smaller network")
    plan = sweep_plan(mdp, i)
    tried = 0

    def D(theta: tuple[Array, ...]) -> float:
        nonlocal tried
        tried += 1
        if kappa >= len(plan.prefix):
            return 0.0
        V, _, _ = values(chain_of(mdp, theta), tol, [i])
        return mdp.gamma * float(sweep_oscillations(plan, sweep_table(mdp, plan, V[0].reshape(mdp.state_sizes)))[kappa])

    # Policies of agents that i is not connected to do not matter.
    relevant = plan.agents
    count = math.prod(mdp.action_sizes[j] ** mdp.state_sizes[j] for j in relevant)
    rng = np.random.default_rng(seed)
    best: tuple[float, tuple[Array, ...]] = (-1.0, uniform_theta(mdp))
    exhaustive = count <= exhaustive_limit
    if starts < (0 if exhaustive else 1):
        raise ValueError(f"starts must be at least {0 if exhaustive else 1}, got {starts!r}: no policy would be tried")
    if exhaustive:
        for theta in _deterministic(mdp, relevant):
            best = max(best, (D(theta), theta), key=lambda found: found[0])
    for start in range(starts):
        theta = uniform_theta(mdp) if start == 0 else gaussian_theta(mdp, rng, 3.0)
        if start == starts - 1 and exhaustive:
            theta = best[1]
        best = max(best, _ascend(mdp, relevant, theta, D), key=lambda found: found[0])
    return WorstDecay(best[0], best[1], tried, exhaustive)


def _deterministic(mdp: NetworkedMDP, relevant: tuple[int, ...]) -> Iterator[tuple[Array, ...]]:
    rows = [(j, s) for j in relevant for s in range(mdp.state_sizes[j])]
    for choice in itertools.product(*(range(mdp.action_sizes[j]) for j, _ in rows)):
        theta = [np.zeros(r_j.shape) for r_j in mdp.r]
        for (j, s), a in zip(rows, choice, strict=True):
            theta[j][s] = _vertex(mdp.action_sizes[j], a)
        yield tuple(theta)


def _vertex(A: int, a: int) -> Array:
    row = np.full(A, -np.inf)
    row[a] = 0.0
    return row


def _ascend(
    mdp: NetworkedMDP, relevant: tuple[int, ...], theta: tuple[Array, ...], D: object
) -> tuple[float, tuple[Array, ...]]:
    """Coordinate ascent: give one row one of its vertices or the uniform law while that raises D."""
    assert callable(D)
    best = D(theta)
    improved = True
    while improved:
        improved = False
        for j in relevant:
            A = mdp.action_sizes[j]
            if A == 1:
                continue
            for s in range(mdp.state_sizes[j]):
                for row in [*(_vertex(A, a) for a in range(A)), np.zeros(A)]:
                    moved = [block.copy() for block in theta]
                    moved[j][s] = row
                    value = D(tuple(moved))
                    if value > best * (1 + 1e-6) + 1e-7:
                        best, theta, improved = value, tuple(moved), True
    return best, theta
