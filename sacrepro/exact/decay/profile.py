"""Definition 2 measured: D_i(κ), the largest oscillation of Q_i^θ over a cell (s_{N_i^κ}, a_{N_i^κ}), certified.

r_i is constant on every cell, so D_i(κ) is γ times the largest oscillation of Σ_{s'} P(s'|s,a) V_i(s'), found by the
sweep over all (s, a) where (SA)^n allows it and by branch and bound beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.decay.branch import branch_oscillation
from sacrepro.exact.decay.sweep import SweepPlan, sweep_bytes, sweep_oscillations, sweep_plan, sweep_table, sweep_work
from sacrepro.exact.dense import oscillation
from sacrepro.exact.models import exact_model
from sacrepro.exact.rounding import UNIT, gamma_k, normalising_roundings, sup
from sacrepro.exact.solver.bellman import demand_value_tables, values
from sacrepro.model.checks import Array, integer, number
from sacrepro.model.graph import check_agents, check_kappas, diameter, neighborhood
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.memory import demand, readable_count
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta

#: Entries of one Q_i that `decay_profile` is willing to visit: about a minute on one core.
WORK = 1 << 35
#: The default tolerance of `decay_profile`, relative to the largest return r̄/(1-γ): rounding often allows no less.
TIGHTEST = 1e-13
#: Table entries that one branch and bound search may touch before it returns an interval.
BRANCH_WORK = 1 << 33


class DecayBounds(NamedTuple):
    """lower ≤ D_i(κ) ≤ upper, both of shape (agents, κ's), certified: V's error and all rounding are inside."""

    lower: Array
    upper: Array

    def __repr__(self) -> str:
        return brief(self)


class DecayProfile(np.ndarray):
    """D_i(κ), shape (n, diameter + 1): known by its type, as its copies are; what is made of it is a plain array."""

    def __getattribute__(self, name: str) -> Any:
        own = name.startswith("_") or name in {"copy", "resize", "setflags"}
        return super().__getattribute__(name) if own else getattr(np.asarray(self), name)

    def __getitem__(self, key: Any) -> Any:
        return np.asarray(self)[key]

    def __array_wrap__(self, found: Array, context: Any = None, return_scalar: bool = False) -> Any:
        return found[()] if return_scalar else np.asarray(found)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        found = super().__array_function__(function, types, args, kwargs)
        return np.asarray(found) if isinstance(found, DecayProfile) else found

    def __repr__(self) -> str:
        return repr(np.asarray(self))


def decay_profile(mdp: Model | CountedMDP, theta: Theta, *, tol: float | None = None, work: int = WORK) -> DecayProfile:
    """D_i(κ) for κ = 0..diameter, the left side of Definition 2; shape (n, diameter + 1).

    tol : certified error of V_i, by default close to what rounding allows; D is then off by at most 2γ tol and
    rounding. Raises, before starting, MemoryError if value tables or a sweep cannot fit and ValueError if some Q_i has
    more than `work` entries to visit (about a second for 10⁹ of them, agent after agent); `certified_decay` then still
    gives intervals, and `local_decay` those of one agent of any network.

    >>> from sacrepro import build, decay_profile, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> decay_profile(mdp, uniform_theta(mdp)).round(6)  # Lemma 3's 0.5^κ, attained at κ < i
    array([[0. , 0. , 0. ],
           [1. , 0. , 0. ],
           [1. , 0.5, 0. ]])
    """
    integer("work", work, 0)
    chain = chain_of(mdp, theta)
    cells = _cells_of(chain)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=cells.tables[0] + chain.n)
    cells.refuse_profile(work)
    kappas = range(diameter(chain.model.graph) + 1)
    V, _, _ = values(chain, tol, best=TIGHTEST * max(chain.model.r_bar, np.finfo(float).tiny) / (1.0 - chain.gamma))
    rows: dict[int, Array] = {}
    for source in sorted({source for source, _ in chain.images}):
        rows[source] = cells.oscillations(source, V[source], kappas)
    return np.array([rows[source] for source, _ in chain.images]).view(DecayProfile)


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
    """Certified bounds on D_i(κ) for `agents` (all by default) and `kappas` (0..diameter by default), each once.

    tol          : certified error of V_i, by default 1e-10, or what rounding allows where that is more.
    slack        : branch and bound may leave D open by this much.
    sweep_limit  : largest Q_i that is swept; beyond, branch and bound runs and stops after `branch_limit` table
                   entries with whatever interval it then has. A `CoupledMDP` is swept only: ValueError beyond.
    Raises MemoryError before starting if value tables or a sweep cannot fit.

    >>> from sacrepro import build, certified_decay, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> bounds = certified_decay(mdp, uniform_theta(mdp), agents=[2], kappas=[0, 1])
    >>> bounds.lower.round(6)
    array([[1. , 0.5]])
    """
    mdp = exact_model(mdp)
    integer("sweep_limit", sweep_limit, 0)
    integer("branch_limit", branch_limit, 0)
    if not 0.0 <= number("slack", slack) < np.inf:
        raise ValueError(f"slack must be at least 0 and finite, got {slack!r}")
    agents = check_agents(range(mdp.n) if agents is None else agents, mdp.n)
    kappas = check_kappas(range(diameter(mdp.graph) + 1) if kappas is None else kappas)
    chain = chain_of(mdp, theta)
    cells = _cells_of(chain)
    cells.refuse_certified(sweep_limit, agents)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=cells.tables[1])
    lower, upper = np.zeros((len(agents), len(kappas))), np.zeros((len(agents), len(kappas)))
    known: dict[int, int] = {}
    for row, agent in enumerate(agents):
        i = chain.images[agent][0]
        if known.setdefault(i, row) < row:
            lower[row], upper[row] = lower[known[i]], upper[known[i]]
            continue
        V, error, _ = values(chain, tol, [i])
        low, high = cells.intervals(i, V[0], kappas, sweep_limit, slack, branch_limit)
        # A cell of everybody leaves nothing to move Q_i.
        margin = np.where([cells.holds_all(i, kappa) for kappa in kappas], 0.0, cells.margin(V[0], error))
        lower[row], upper[row] = low - margin, high + margin
    return DecayBounds(np.maximum(lower, 0.0), upper)


class _Cells:
    """D_i(κ) from V_i: Q_i = r_i + γ Σ_{s'} P(s'|s,a) V_i(s') is swept or searched, never made.

    tables : value tables that `decay_profile` and `certified_decay` need room for.
    """

    tables = (6, 12)

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._plans: dict[int, SweepPlan] = {}

    def refuse_profile(self, work: int) -> None:
        """ValueError if some Q_i has more than `work` entries, MemoryError if a sweep does not fit."""
        most = max(sweep_work(self.chain.model, i) for i in range(self.chain.n))
        if most > work:
            raise ValueError(
                f"a sweep over {most} entries of one Q_i exceeds work = {work}; "
                "ask certified_decay for the kappas of interest, or raise work"
            )
        self._demand(range(self.chain.n), "certified_decay searches beyond its sweep_limit")

    def refuse_certified(self, sweep_limit: int, agents: Sequence[int]) -> None:
        """ValueError if nothing helps beyond `sweep_limit` entries of one Q_i; here branch and bound does.

        MemoryError if the sweep of one of the agents that are swept does not fit.
        """
        swept = [i for i in agents if sweep_work(self.chain.model, i) <= sweep_limit]
        self._demand(swept, "lower sweep_limit, beyond which branch and bound searches")

    def _demand(self, agents: Sequence[int], instead: str) -> None:
        needed, i = max(((sweep_bytes(self.chain.model, i), i) for i in agents), default=(0, 0))
        work = readable_count(sweep_work(self.chain.model, i))
        demand(f"a sweep over {work} entries of Q_{i}", needed, None, instead)

    def oscillations(self, i: int, values: Array, kappas: Sequence[int]) -> Array:
        """D_i(κ) of these values for each κ."""
        swept = self.chain.gamma * sweep_oscillations(self._plan(i), self._table(i, values))
        return np.array([swept[kappa] if kappa < len(swept) else 0.0 for kappa in kappas])

    def intervals(
        self, i: int, values: Array, kappas: Sequence[int], sweep_limit: int, slack: float, branch_limit: int
    ) -> tuple[Array, Array]:
        """(lower, upper) for the same."""
        if sweep_work(self.chain.model, i) <= sweep_limit:
            swept = self.oscillations(i, values, kappas)
            return swept, swept
        plan, table = self._plan(i), self._table(i, values)
        found = [
            (0.0, 0.0) if self.holds_all(i, kappa) else branch_oscillation(plan, table, kappa, slack, branch_limit)
            for kappa in kappas
        ]
        low, high = self.chain.gamma * np.array(found).reshape(-1, 2).T
        # Cells of N_i^κ contain those of N_i^{κ+1}: D_i does not increase with κ, so an interval bounds later ones.
        lower = [max(low[k] for k, other in enumerate(kappas) if other >= kappa) for kappa in kappas]
        upper = [min(high[k] for k, other in enumerate(kappas) if other <= kappa) for kappa in kappas]
        return np.array(lower), np.array(upper)

    def holds_all(self, i: int, kappa: int) -> bool:
        """Whether nobody that may move Q_i is outside N_i^κ."""
        return kappa >= len(self._plan(i).prefix) - 1

    def margin(self, values: Array, error: float) -> float:
        """How far D_i(κ) as computed can be from the truth for values within `error`, rounding included."""
        return decay_margin(self.chain, values, error)

    def _plan(self, i: int) -> SweepPlan:
        if i not in self._plans:
            self._plans = {i: sweep_plan(self.chain.model, i)}
        return self._plans[i]

    def _table(self, i: int, values: Array) -> Array:
        return sweep_table(self.chain.model, self._plan(i), values.reshape(self.chain.sizes))


class _PairCells(_Cells):
    """D_i(κ) from Q_i, which is there as a table."""

    tables = (2, 2)

    def refuse_profile(self, work: int) -> None:
        self._refuse("work", work, "take a smaller network, or raise work")

    def refuse_certified(self, sweep_limit: int, agents: Sequence[int]) -> None:
        self._refuse("sweep_limit", sweep_limit, "action-coupled models are swept only, so raise it")

    def _refuse(self, name: str, limit: int, instead: str) -> None:
        entries = math.prod(self.chain.sizes)
        if entries > limit:
            raise ValueError(f"Q_i has {readable_count(entries)} entries, which exceeds {name} = {limit}; {instead}")

    def oscillations(self, i: int, values: Array, kappas: Sequence[int]) -> Array:
        Q_i = self.chain.q_table(values, i)
        hoods = [neighborhood(self.chain.model.graph, i, kappa) for kappa in kappas]
        return np.array([oscillation(Q_i, hood).max() if len(hood) < self.chain.n else 0.0 for hood in hoods])

    def intervals(self, i: int, values: Array, kappas: Sequence[int], *limits: float) -> tuple[Array, Array]:
        D = self.oscillations(i, values, kappas)
        return D, D

    def holds_all(self, i: int, kappa: int) -> bool:
        return len(neighborhood(self.chain.model.graph, i, kappa)) == self.chain.n

    def margin(self, values: Array, error: float) -> float:
        return 2.0 * error + 4 * UNIT * sup(values)


def _cells_of(chain: Chain) -> _Cells:
    return _PairCells(chain) if chain.over_pairs else _Cells(chain)


def decay_margin(chain: Chain, V_i: Array, error: float) -> float:
    """How far D_i(κ) as computed from V_i, itself within `error`, can be from the truth: 2γ·error and rounding."""
    row_low, row_high = chain.row_sums
    low, high = float(V_i.min()), float(V_i.max())
    k = sum(chain.sizes) + chain.n + 6 + normalising_roundings(chain.model.P)
    spread = 0.5 * (high - low) * (1 + 4 * UNIT) + 4 * UNIT * sup(V_i)
    off_centre = 0.5 * abs(high + low) * max(abs(row_high - 1.0), abs(row_low - 1.0))
    return 2.0 * chain.gamma * (row_high * error + row_high * gamma_k(k) * spread + 4 * UNIT * sup(V_i) + off_centre)
