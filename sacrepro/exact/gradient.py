"""Lemma 1: ∇J(θ) in S^n memory with a certificate, and eq. (7) under natural weights.

(4) needs Q^θ = (1/n) Σ_i Q_i^θ only, so one value function V̄ = (1/n) Σ_i V_i^θ, and it only through its mean over
a_{-i}. With M_i(s_{N_i}, s_i') = ∂⟨π^θ, P^θ V̄⟩ / ∂P̄_i, one backward sweep through the factored product, the expected
Q of (s_i, a_i) is a sum of P_i M_i over s_{N_i} and s_i'.
"""

from __future__ import annotations

from typing import NamedTuple

from sacrepro.exact.chain import chain_of
from sacrepro.exact.models import exact_model
from sacrepro.exact.solver.bellman import demand_value_tables, mean_values, objective
from sacrepro.exact.solver.occupancy import occupancy
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta, all_actions_possible


class ObjectiveGradient(NamedTuple):
    """J(θ) of eq. (2) and ∇J(θ) of eq. (4), both certified.

    J              : E_{s~π_0} V̄(s).
    gradient       : blocks ∇_{θ_i} J, shape (S_i, A_i).
    J_error        : certified bound on |J - J(θ)|.
    gradient_error : certified bound on the 2-norm of the error of every block, rounding included.
    """

    J: float
    gradient: tuple[Array, ...]
    J_error: float
    gradient_error: float

    def __repr__(self) -> str:
        return brief(self)


def objective_and_gradient(mdp: Model | CountedMDP, theta: Theta, tol: float | None = None) -> ObjectiveGradient:
    """J(θ) and ∇J(θ) of Lemma 1 from one value function V̄ and one occupancy π^θ, with certificates.

    tol : certified error of V̄ (sup norm) and of π^θ (1-norm) that enter, by default 1e-10, or what rounding allows
    where that is more; `gradient_error` is what follows from them. Raises MemoryError before starting if the tables
    cannot fit, ValueError if rounding makes a `tol` asked for unattainable.

    >>> from sacrepro import build, objective_and_gradient, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> found = objective_and_gradient(mdp, uniform_theta(mdp))
    >>> round(found.J, 6), found.gradient_error < 1e-9
    (1.0, True)
    """
    model = exact_model(mdp)
    all_actions_possible(theta, "∇J in θ")
    chain = chain_of(model, theta)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=8)
    everyone = tuple(range(chain.n))
    V, V_error, _ = mean_values(chain, tol, [everyone])
    V_bar = V[0].reshape(chain.sizes)
    J, J_error = objective(chain.start, V_bar, V_error + chain.start_error(V_bar))
    law = occupancy(chain, tol)
    middle = 0.5 * (float(V_bar.max()) + float(V_bar.min()))
    # The score has mean zero, so a constant in V̄ matters by rounding alone; without it there is less to round.
    gradient = chain.expected_score(V_bar - middle, law.pi, [1.0 / chain.n] * chain.n, everyone)
    return ObjectiveGradient(J, gradient, J_error, chain.gradient_error(V_bar, V_error, law.pi, law.error))


def policy_gradient(mdp: Model | CountedMDP, theta: Theta, tol: float | None = None) -> tuple[Array, ...]:
    """∇J(θ) of Lemma 1, eq. (4): blocks (S_i, A_i); see `objective_and_gradient`, which also certifies it.

    tol, and errors, as there.

    >>> from sacrepro import build, policy_gradient, uniform_theta
    >>> mdp = build({"model": "sis", "graph": {"family": "path", "n": 3}, "gamma": 0.9})
    >>> [block.shape for block in policy_gradient(mdp, uniform_theta(mdp))]
    [(2, 2), (2, 2), (2, 2)]
    """
    return objective_and_gradient(mdp, theta, tol).gradient


def natural_truncated_gradient(
    mdp: Model | CountedMDP, theta: Theta, kappa: int, tol: float | None = None
) -> tuple[Array, ...]:
    """ĥ_i(θ) of eq. (7) for every i with natural weights, blocks (S_i, A_i), without any table over actions.

    With w the law of the outside given the cell under π^θ × ζ^θ, E[Q̂_j ∇log ζ_i] = E[Q_j ∇log ζ_i] for every
    j ∈ N_i^κ, because i belongs to the cell of j. So only the V_j of N_i^κ enter.
    """
    model = exact_model(mdp)
    all_actions_possible(theta, "ĥ, which is in θ,")
    check_kappa(kappa)
    chain = chain_of(model, theta)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=8)
    pi = occupancy(chain, tol).pi
    blocks = []
    for i in range(chain.n):
        hood = neighborhood(model.graph, i, kappa)
        share = [1.0 / chain.n if j in hood else 0.0 for j in range(chain.n)]
        V, _, _ = mean_values(chain, tol, [hood])
        blocks.append(chain.expected_score(V[0] * (len(hood) / chain.n), pi, share, (i,))[0])
    return tuple(blocks)
