"""The discounted occupancy π^θ of Lemma 1, by the adjoint of P^θ.

π^θ = (1-γ) π_0 + γ π^θ P^θ. Starting from a law of the same mass, the error has mass zero, so it shrinks as fast as
the chain forgets, not only as γ^t. The certificate is a residual: ‖π - π^θ‖_1 ≤ ‖residual‖_1 / (1-γ).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.product.matrix import Matrix
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.solver.bellman import DEFAULT_TOL, check_tol, demand_value_tables
from sacrepro.exact.solver.krylov import corrected
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, Model, joint_law
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import Theta

#: Steps of the first BiCGSTAB; twice as many each time that it does not halve the residual.
KRYLOV_STEPS = 45


@in_one_line
class Law(NamedTuple):
    """A law over joint states.

    pi       : shape (S_0, …, S_{n-1}).
    error    : for π^θ, certified bound on its 1-norm error; for the stationary law, its residual ‖μ - μP‖_1.
    products : products with P^θ that it took.
    """

    pi: Array
    error: float
    products: int


def discounted_state_distribution(mdp: Model | CountedMDP, theta: Theta, tol: float | None = None) -> Array:
    """π^θ(s) = (1-γ) Σ_t γ^t π_t^θ(s) of Lemma 1, shape (S_0, …, S_{n-1}), sums to 1.

    tol : certified bound on the 1-norm error; by default 1e-10, or what rounding allows where that is more. Raises
    MemoryError before starting if the tables cannot fit, ValueError if rounding makes a `tol` asked for unattainable.

    >>> from sacrepro import build, discounted_state_distribution, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> pi = discounted_state_distribution(mdp, uniform_theta(mdp))
    >>> pi.shape, float(pi.sum().round(9))
    ((2, 2, 2), 1.0)
    """
    return state_law(mdp, theta, tol).pi


def state_law(mdp: Model | CountedMDP, theta: Theta, tol: float | None = None) -> Law:
    """π^θ of Lemma 1 with its certified 1-norm error; see `discounted_state_distribution`."""
    chain = chain_of(mdp, theta)
    demand_value_tables(chain.hoods, chain.sizes, None, tables=2)
    law = occupancy(chain, tol)
    pi, rounding = chain.state_law(law.pi)
    return Law(pi, law.error + rounding, law.products)


def occupancy(chain: Chain, tol: float | None = None) -> Law:
    """The occupancy of the chain with a certified bound on its 1-norm error; see `discounted_state_distribution`."""
    check_tol(tol)
    asked, tol = tol, DEFAULT_TOL if tol is None else tol
    if chain.matrix is not None:
        law = _solution(chain, chain.matrix)
        if law.error <= tol or asked is None:
            return law
    gamma, operator = chain.gamma, chain.operator
    start = operator.to_memory(joint_law(chain.start))
    factor = chain.discount_range()[1]
    pi, spare = start.copy(), np.empty_like(start)
    norms: list[float] = []
    products, steps, wait = 0, KRYLOV_STEPS, 20
    while True:
        following = operator.adjoint(pi, spare)
        products += 1
        following *= gamma
        following += (1.0 - gamma) * start
        residual = np.subtract(following, pi, out=pi)
        norms.append(float(np.abs(residual).sum()))
        # One more step shrinks the residual by γ: ‖following - π^θ‖ ≤ γ/(1-γ) ‖residual‖.
        rounding = _rounding(chain, operator.adjoint_roundings)
        error = (gamma * norms[-1] + rounding) * factor * (1.0 + 1e-9)
        exhausted = gamma * norms[-1] <= rounding
        if error <= tol or (exhausted and asked is None):
            return Law(np.ascontiguousarray(operator.from_memory(following)), error, products)
        if exhausted:
            raise ValueError(f"tol = {tol!r} is below what rounding allows for π^θ; attainable: tol = {2 * error:.2g}")
        if len(norms) >= wait and remaining_products(norms, (1.0 - gamma) * tol) > 60:
            count, helped = _krylov_correction(gamma, operator, residual, following, tol, steps)
            products += count
            if not helped:
                # The steps of π P^θ, which always help, get as many products as the next try.
                steps *= 2
                wait = steps
            norms.clear()
        pi, spare = following, residual


def _solution(chain: Chain, matrix: Matrix) -> Law:
    """π^θ from the linear system, where there are few joint states, with one product for the certificate."""
    factor = chain.discount_range()[1]
    start = (1.0 - chain.gamma) * joint_law(chain.start).ravel()
    pi = np.maximum(matrix.law(start), 0.0)
    pi /= pi.sum()
    following = start + chain.gamma * (pi @ matrix.P)
    residual = float(np.abs(following - pi).sum())
    error = (chain.gamma * residual + _rounding(chain, matrix.roundings)) * factor * (1.0 + 1e-9)
    return Law(following.reshape(chain.sizes), error, 1)


def _rounding(chain: Chain, product: int) -> float:
    """Bound on the 1-norm of what rounding adds to (1-γ) π_0 + γ π P and to a difference of two laws.

    product : roundings of an entry of π P.
    """
    return gamma_k(product + chain.kernel_roundings + chain.n + 70) * 3.0


def remaining_products(norms: list[float], goal: float) -> float:
    """Products until the norms come down to `goal` at the pace of the last eight."""
    pace = np.log(norms[-9] / norms[-1]) / 8.0 if norms[-1] > 0 else np.inf
    distance = np.log(max(norms[-1] / goal, 1.0))
    return float("inf") if pace <= 0 else float(distance / pace)


def _krylov_correction(
    gamma: float, operator: FactoredOperator, residual: Array, pi: Array, tol: float, steps: int
) -> tuple[int, bool]:
    """Add to `pi` the solution x of x (I - γP) = γ residual P, found by BiCGSTAB; returns the products taken.

    The second result says whether there was one that helps; else `pi` stays as it was.
    """
    right = gamma * operator.adjoint(residual)[0]
    goal = 0.1 * tol * (1.0 - gamma) / right.size**0.5
    x, count = corrected(operator.adjoint, gamma, right, goal, steps, steps > KRYLOV_STEPS)
    if x is not None:
        np.maximum(pi + x, 0.0, out=pi)
    return 1 + count, x is not None
