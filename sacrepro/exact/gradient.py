"""Lemma 1: ∇J(θ) in S^n memory with a certificate, and eq. (7) under natural weights.

(4) needs Q^θ = (1/n) Σ_i Q_i^θ only, so one value function V̄ = (1/n) Σ_i V_i^θ, and it only through its mean over
a_{-i}. With M_i(s_{N_i}, s_i') = ∂⟨π^θ, P^θ V̄⟩ / ∂P̄_i, one backward sweep through the factored product, the expected
Q of (s_i, a_i) is a sum of P_i M_i over s_{N_i} and s_i'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of, exact_model
from sacrepro.exact.rounding import UNIT, gamma_k, policy_roundings, sup
from sacrepro.exact.solver.bellman import demand_value_tables, mean_values, objective
from sacrepro.exact.solver.occupancy import Law, occupancy
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model
from sacrepro.model.notices import brief
from sacrepro.model.policy import Theta, all_actions_possible, score

#: ‖E_{a~ζ} Q(a) ∇ log ζ(a)‖₂ ≤ √2/4 · osc Q, with equality for two actions, ζ = (1/2, 1/2). The vector has entries
#: ζ_b (Q_b - E Q): they sum to zero and their 1-norm is a mean absolute deviation, at most osc Q / 2.
OSCILLATION_TO_GRADIENT = float(np.sqrt(2.0)) / 4.0


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
    """
    mdp = exact_model(mdp)
    all_actions_possible(theta, "∇J in θ")
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.objective_and_gradient(mdp, theta, tol)
    demand_value_tables(mdp, None, tables=8)
    chain = chain_of(mdp, theta)
    everyone = tuple(range(mdp.n))
    V, V_error, _ = mean_values(chain, tol, [everyone])
    V_bar = V[0].reshape(mdp.state_sizes)
    J, J_error = objective(mdp, V_bar, V_error)
    law = occupancy(chain, tol)
    middle = 0.5 * (float(V_bar.max()) + float(V_bar.min()))
    # The score has mean zero, so a constant in V̄ matters by rounding alone; without it there is less to round.
    gradient = expected_score(chain, V_bar - middle, law.pi, [1.0 / mdp.n] * mdp.n, everyone)
    return ObjectiveGradient(J, gradient, J_error, gradient_error(chain, V_bar, V_error, law))


def policy_gradient(mdp: Model | CountedMDP, theta: Theta, tol: float | None = None) -> tuple[Array, ...]:
    """∇J(θ) of Lemma 1, eq. (4): blocks (S_i, A_i); see `objective_and_gradient`, which also certifies it."""
    return objective_and_gradient(mdp, theta, tol).gradient


def gradient_error(chain: Chain, V_bar: Array, V_error: float, law: Law) -> float:
    """Bound on ‖g_i - ∇_{θ_i} J‖₂ over all i, for g_i from V̄ within `V_error` (sup norm) and π within `law.error`.

    An error of V̄ moves the mean Q of (s, a_i) by an oscillation of 2γ V_error over a_i, an error of π meets the
    oscillation of that mean itself; both pass through `OSCILLATION_TO_GRADIENT`. Rounding is counted, not estimated.
    """
    mdp, operator = chain.mdp, chain.operator
    gamma, n = mdp.gamma, mdp.n
    low, high = float(V_bar.min()), float(V_bar.max())
    middle, half = 0.5 * (high + low), 0.5 * (high - low) * (1 + 4 * UNIT) + 4 * UNIT * sup(V_bar)
    row_low, row_high = chain.row_sums
    off_centre = abs(middle) * max(abs(row_high - 1.0), abs(row_low - 1.0))
    mass = (1.0 - gamma) * chain.discount_range()[1] * (1.0 + 1e-9)
    computed_mass = float(law.pi.sum()) * (1.0 + gamma_k(chain.entries))
    errors = []
    for i, r_i in enumerate(mdp.r):
        own = float((r_i.max(axis=1) - r_i.min(axis=1)).max()) * (1 + UNIT) / n
        oscillation = own + 2 * gamma * (row_high * half + off_centre)
        from_V = OSCILLATION_TO_GRADIENT * 2 * gamma * row_high * (V_error + 4 * UNIT * sup(V_bar)) * mass
        # V̄ - middle is used, so what rows miss of 1 moves Q by γ·off_centre.
        from_V += OSCILLATION_TO_GRADIENT * 2 * gamma * off_centre * mass
        from_pi = OSCILLATION_TO_GRADIENT * oscillation * law.error
        size = float(r_i.max()) / n + gamma * row_high * half
        k = operator.kernel_roundings + chain.kernel_roundings + chain.entries + mdp.P[i].size
        k += 2 * policy_roundings(chain.theta[i]) + 2 * r_i.shape[1] + 12
        rounding = gamma_k(k) * 2.0 * size * computed_mass
        errors.append((from_V + from_pi + rounding) / (1.0 - gamma) * (1.0 + 1e-9))
    return max(errors)


def natural_truncated_gradient(
    mdp: Model | CountedMDP, theta: Theta, kappa: int, tol: float | None = None
) -> tuple[Array, ...]:
    """ĥ_i(θ) of eq. (7) for every i with natural weights, blocks (S_i, A_i), without any table over actions.

    With w the law of the outside given the cell under π^θ × ζ^θ, E[Q̂_j ∇log ζ_i] = E[Q_j ∇log ζ_i] for every
    j ∈ N_i^κ, because i belongs to the cell of j. So only the V_j of N_i^κ enter.
    """
    mdp = exact_model(mdp)
    all_actions_possible(theta, "ĥ, which is in θ,")
    check_kappa(kappa)
    if isinstance(mdp, CoupledMDP):
        from sacrepro.exact import coupled

        return coupled.natural_truncated_gradient(mdp, theta, kappa, tol)
    demand_value_tables(mdp, None, tables=8)
    chain = chain_of(mdp, theta)
    pi = occupancy(chain, tol).pi
    blocks = []
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, kappa)
        share = [1.0 / mdp.n if j in hood else 0.0 for j in range(mdp.n)]
        V, _, _ = mean_values(chain, tol, [hood])
        blocks.append(expected_score(chain, V[0] * (len(hood) / mdp.n), pi, share, (i,))[0])
    return tuple(blocks)


def expected_score(
    chain: Chain, V: Array, pi: Array, shares: Sequence[float], agents: Sequence[int]
) -> tuple[Array, ...]:
    """(1/(1-γ)) E_{s~π, a~ζ} Q(s,a) ∇_{θ_i} log ζ_i for each of `agents`, with Q = Σ_j shares_j r_j + γ P V.

    V : Σ_j shares_j V_j over joint states. pi : π^θ. Rewards of other agents drop out: the score has mean zero.
    """
    mdp, operator = chain.mdp, chain.operator
    sizes = mdp.state_sizes
    through = operator.kernel_adjoint(operator.to_memory(V.reshape(sizes)), operator.to_memory(pi.reshape(sizes)))
    blocks = []
    for i in agents:
        hood = mdp.neighbors[i]
        own = hood.index(i)
        # Axes of P_i: s_{N_i}, a_i, s_i'; of M_i: s_{N_i}, s_i'.
        expected = (mdp.P[i] * through[i][..., None, :]).sum(axis=-1)
        axes = tuple(k for k in range(len(hood)) if k != own)
        marginal = pi.reshape(sizes).sum(axis=tuple(j for j in range(mdp.n) if j != i))
        Q = shares[i] * mdp.r[i] * marginal[:, None] + mdp.gamma * expected.sum(axis=axes)
        blocks.append(np.einsum("sa,sab->sb", chain.zeta[i] * Q, score(chain.zeta[i])) / (1.0 - mdp.gamma))
    return tuple(blocks)
