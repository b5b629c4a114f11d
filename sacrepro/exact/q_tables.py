"""Q_i^θ(s, a) of eq. (3) as one table, where it fits."""

from __future__ import annotations

import math

import numpy as np

from sacrepro.counted import CountedMDP
from sacrepro.coupled import CoupledMDP, Model
from sacrepro.exact import dense
from sacrepro.exact.chain import chain_of, exact_model
from sacrepro.exact.memory import demand, readable_count
from sacrepro.exact.values import values
from sacrepro.graph import check_agent
from sacrepro.model import Array
from sacrepro.policy import Theta


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
