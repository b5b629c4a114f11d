"""Definition 2 measured: D_i(κ), the largest oscillation of Q_i^θ over a cell (s_{N_i^κ}, a_{N_i^κ}), certified.

r_i is constant on every cell, so D_i(κ) is γ times the largest oscillation of Σ_{s'} P(s'|s,a) V_i(s'), found by the
sweep over all (s, a) where (SA)^n allows it and by branch and bound beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of, exact_model
from sacrepro.exact.decay.branch import branch_oscillation
from sacrepro.exact.decay.sweep import sweep_oscillations, sweep_plan, sweep_table, sweep_work
from sacrepro.exact.rounding import UNIT, gamma_k, normalising_roundings, sup
from sacrepro.exact.solver.bellman import demand_value_tables, values
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent, check_kappa, diameter
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model, NetworkedMDP
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta

#: Entries of one Q_i that `decay_profile` is willing to visit: about a minute on one core.
WORK = 1 << 35
#: Where the default tolerance of `decay_profile` starts, relative to the largest return r̄/(1-γ).
TIGHTEST = 2e-14
#: Table entries that one branch and bound search may touch before it returns an interval.
BRANCH_WORK = 1 << 33


class DecayBounds(NamedTuple):
    """lower ≤ D_i(κ) ≤ upper, both of shape (agents, κ's), certified: V's error and all rounding are inside."""

    lower: Array
    upper: Array

    def __repr__(self) -> str:
        return brief(self)


def decay_profile(mdp: Model | CountedMDP, theta: Theta, *, tol: float | None = None, work: int = WORK) -> Array:
    """D_i(κ) for κ = 0..diameter, the left side of Definition 2; shape (n, diameter + 1).

    tol : certified error of V_i, by default close to what rounding allows; D is then off by at most 2γ tol and
    rounding. Raises, before starting, MemoryError if the value tables cannot fit and ValueError if some Q_i has more
    than `work` entries to visit (about a second for 10⁹ of them, agent after agent); `certified_decay` then still gives
    intervals, and `local_decay` those of one agent of any network.
    """
    mdp = exact_model(mdp)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.decay_profile(mdp, theta, tol, work)
    demand_value_tables(mdp, None, tables=6)
    most = max(sweep_work(mdp, i) for i in range(mdp.n))
    if most > work:
        raise ValueError(
            f"a sweep over {most} entries of one Q_i exceeds work = {work}; "
            "ask certified_decay for the kappas of interest, or raise work"
        )
    chain = chain_of(mdp, theta)
    D = np.zeros((mdp.n, diameter(mdp.graph) + 1))
    for i in range(mdp.n):
        V, _, _ = tight_values(chain, i) if tol is None else values(chain, tol, [i])
        row = _sweep_row(mdp, i, V[0].reshape(mdp.state_sizes))
        D[i, : len(row)] = row
    return D


def tight_values(chain: Chain, i: int) -> tuple[Array, float, int]:
    """V_i^θ to a small multiple of its rounding, as `values`: the tolerance grows until it can be certified."""
    tol = TIGHTEST * max(chain.reward_size(i), np.finfo(float).tiny) / (1.0 - chain.mdp.gamma)
    while True:
        try:
            return values(chain, tol, [i])
        except ValueError:
            if tol > 1e-6 * max(1.0, chain.reward_size(i)) / (1.0 - chain.mdp.gamma):
                raise
            tol *= 4.0


def certified_decay(
    mdp: Model | CountedMDP,
    theta: Theta,
    agents: Sequence[int] | None = None,
    kappas: Sequence[int] | None = None,
    *,
    tol: float | None = None,
    slack: float = 1e-9,
    sweep_limit: int = 1 << 28,
    branch_limit: int = BRANCH_WORK,
) -> DecayBounds:
    """Certified bounds on D_i(κ) for `agents` (all by default) and `kappas` (0..diameter by default).

    tol          : certified error of V_i, by default 1e-10, or what rounding allows where that is more.
    slack        : branch and bound may leave D open by this much.
    sweep_limit  : largest Q_i that is swept; beyond, branch and bound runs and stops after `branch_limit` table
                   entries with whatever interval it then has. A `CoupledMDP` is swept only: ValueError beyond.
    """
    mdp = exact_model(mdp)
    if isinstance(slack, bool) or not isinstance(slack, (int, float, np.integer, np.floating)):
        raise TypeError(f"slack must be a number, got {slack!r}")
    if not 0.0 <= slack < np.inf:
        raise ValueError(f"slack must be at least 0 and finite, got {slack!r}")
    agents = range(mdp.n) if agents is None else agents
    kappas = range(diameter(mdp.graph) + 1) if kappas is None else kappas
    for name, asked in (("agents", agents), ("kappas", kappas)):
        if not isinstance(asked, (Sequence, np.ndarray)):
            raise TypeError(f"{name} must be a sequence of integers, got {asked!r}")
    for i in agents:
        check_agent(i, mdp.n)
    for kappa in kappas:
        check_kappa(kappa)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.certified_decay(mdp, theta, agents, kappas, tol, sweep_limit)
    chain = chain_of(mdp, theta)
    demand_value_tables(mdp, None, tables=12)
    lower, upper = np.zeros((len(agents), len(kappas))), np.zeros((len(agents), len(kappas)))
    for row, i in enumerate(agents):
        V, error, _ = values(chain, tol, [i])
        V_i = V[0].reshape(mdp.state_sizes)
        margin = decay_margin(chain, V_i, error)
        plan = sweep_plan(mdp, i)
        if sweep_work(mdp, i) <= sweep_limit:
            swept = _sweep_row(mdp, i, V_i)
            for column, kappa in enumerate(kappas):
                lower[row, column] = upper[row, column] = swept[kappa] if kappa < len(swept) else 0.0
        else:
            table = sweep_table(mdp, plan, V_i)
            for column, kappa in enumerate(kappas):
                if kappa < len(plan.prefix) - 1:
                    interval = branch_oscillation(plan, table, kappa, slack, branch_limit)
                    lower[row, column], upper[row, column] = mdp.gamma * interval[0], mdp.gamma * interval[1]
            # Cells of N_i^κ contain those of N_i^{κ+1}: D_i does not increase with κ, so an interval bounds later ones.
            for column, kappa in enumerate(kappas):
                earlier = [upper[row, k] for k, other in enumerate(kappas) if other <= kappa]
                later = [lower[row, k] for k, other in enumerate(kappas) if other >= kappa]
                lower[row, column], upper[row, column] = max(later), min(earlier)
        for column, kappa in enumerate(kappas):
            if kappa < len(plan.prefix) - 1:
                lower[row, column] -= margin
                upper[row, column] += margin
    return DecayBounds(np.maximum(lower, 0.0), upper)


def decay_margin(chain: Chain, V_i: Array, error: float) -> float:
    """How far D_i(κ) as computed from V_i, itself within `error`, can be from the truth: 2γ·error and rounding."""
    mdp = chain.mdp
    row_low, row_high = chain.row_sums
    low, high = float(V_i.min()), float(V_i.max())
    k = sum(mdp.state_sizes) + mdp.n + 6 + normalising_roundings(mdp.P)
    spread = 0.5 * (high - low) * (1 + 4 * UNIT) + 4 * UNIT * sup(V_i)
    off_centre = 0.5 * abs(high + low) * max(abs(row_high - 1.0), abs(row_low - 1.0))
    return 2.0 * mdp.gamma * (row_high * error + row_high * gamma_k(k) * spread + 4 * UNIT * sup(V_i) + off_centre)


def _sweep_row(mdp: NetworkedMDP, i: int, V_i: Array) -> Array:
    plan = sweep_plan(mdp, i)
    return mdp.gamma * sweep_oscillations(plan, sweep_table(mdp, plan, V_i))
