"""V_i^θ for all agents and J(θ), with certificates.

Value iteration V ← r_i + γ P^θ V, whose first steps live on the light cone N_i^t, is stopped by MacQueen's bounds: with
δ = r_i + γ P V - V,  V_i^θ - (V + δ) = Σ_{t≥1} γ^t P^t δ lies between γ/(1-γ) min δ and γ/(1-γ) max δ. Where
the chain is slow, BiCGSTAB solves (I - γP) x = δ and the same bounds judge the result. Every certificate is a
residual that was computed, plus a bound on its rounding. Rows of kernels miss 1 by rounding: certificates hold for the
kernels as stored and for the same with every row divided by its exact sum, here as in every room of the exact engine.

MacQueen (1966), A modified dynamic programming method for Markovian decision problems. Van der Vorst (1992), Bi-CGSTAB.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sacrepro.exact import dense
from sacrepro.exact.chain import chain_of, exact_model
from sacrepro.exact.memory import demand, readable_count
from sacrepro.exact.rounding import gamma_k, sup
from sacrepro.exact.solver.bellman import check_tol, demand_value_tables, objective, values
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta


class PolicyEvaluation(NamedTuple):
    """Values of one localized policy tuple θ.

    V        : V_i^θ(s), shape (n, S_0, …, S_{n-1}).
    J        : J(θ) of eq. (2), = E_{s~π_0} (1/n) Σ_i V_i(s).
    error    : certified bound on |V_i - V_i^θ|, in sup norm over agents and states, rounding included.
    J_error  : certified bound on |J - J(θ)|.
    products : the most products with P^θ that any agent took.
    """

    V: Array
    J: float
    error: float
    J_error: float
    products: int

    def __repr__(self) -> str:
        return brief(self)


def evaluate(
    mdp: Model | CountedMDP, theta: Theta, tol: float | None = None, *, memory_limit: int | None = None
) -> PolicyEvaluation:
    """V_i^θ for every agent and J(θ), with certified errors.

    tol : largest certified error of any V_i; by default 1e-10, or what rounding allows where that is more (γ near 1,
    large rewards): see `error` of the result. memory_limit : bytes; by default most of what is free.
    Raises MemoryError before starting if the tables cannot fit, ValueError if rounding makes a `tol` that was asked
    for unattainable, naming what is attainable.
    """
    check_tol(tol)
    mdp = exact_model(mdp)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.evaluate(mdp, theta, tol, memory_limit=memory_limit)
    chain = chain_of(mdp, theta)
    demand_value_tables(mdp, memory_limit, tables=mdp.n)
    V, error, products = values(chain, tol)
    V = V.reshape(mdp.n, *mdp.state_sizes)
    # The mean over agents is off by n + 2 roundings of V.
    J, J_error = objective(mdp, V.mean(axis=0), error + gamma_k(mdp.n + 2) * sup(V))
    return PolicyEvaluation(V, J, error, J_error, products)


# Q_i^θ(s, a) of eq. (3) as one table, where it fits.


def q_function(
    mdp: Model | CountedMDP, theta: Theta, i: int, tol: float | None = None, *, memory_limit: int | None = None
) -> Array:
    """Q_i^θ(s, a) of eq. (3), shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}), from V_i^θ certified to `tol`.

    tol : by default 1e-10, or what rounding allows where that is more; Q_i is then within γ tol and its own rounding.
    memory_limit : bytes; by default most of what is free. Raises MemoryError before starting if the table cannot fit,
    ValueError for an unknown agent.
    """
    mdp = exact_model(mdp)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.q_function(mdp, theta, i, tol, memory_limit=memory_limit)
    check_agent(i, mdp.n)
    entries = math.prod(mdp.state_sizes) * math.prod(mdp.action_sizes)
    width = max(math.prod(mdp.state_sizes[j] for j in hood) for hood in mdp.neighbors)
    demand(
        f"Q_{i} with {readable_count(entries)} entries",
        8 * entries * (3 + (width > 64)),
        memory_limit,
        "evaluate needs V_i only, and certified_decay streams D_i(κ) without the table",
    )
    V, _, _ = values(chain_of(mdp, theta), tol, [i])
    return dense.q_function(mdp, np.ascontiguousarray(V[0]).reshape(mdp.state_sizes), i)
