"""The stationary law μ = μ P^θ of the chain over joint states, which TD learns under.

A residual ‖μ - μP‖_1 says nothing about the error of μ where the chain hardly ever leaves a part of its states: every
mixture of the laws of two parts then has a residual as small as the probability of a passage. So small chains are
eliminated state by state without a subtraction, which keeps every entry's relative accuracy however seldom the parts
are left, and on large ones the iteration from two starts far apart has to come to one law.

Grassmann, Taksar, Heyman (1985), Regenerative analysis and steady state distributions for Markov chains.
"""

from __future__ import annotations

import numpy as np

from sacrepro.exact.chain import Chain
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.solver.krylov import LARGEST_DENSE
from sacrepro.exact.solver.occupancy import Law, remaining_products
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled

#: Up to this many recurrent joint states the chain is eliminated at once.
ELIMINATED = 1 << 9
#: States that are left out between two products of matrices.
BLOCK = 64
#: How far apart in 1-norm the laws from two starts may be; rows that mix in 10⁵ steps end closer.
AGREEMENT = 1e-6
#: What a stationary probability that nearly underflows lies below, with a wide margin.
RARE = 1e-60


def stationary_law(chain: Chain, tol: float = 1e-12) -> Law:
    """μ = μ P^θ, the stationary law over joint states; its `error` is the residual ‖μ - μP‖_1.

    Joint states outside the recurrent class have mass zero, exactly. tol : wanted residual on large chains.
    Raises ValueError if the chain has more than one recurrent class, so that the stationary law is not unique, or if
    it is so close to that, on more joint states than can be eliminated, that iterations from two starts disagree.
    """
    operator = chain.operator
    recurrent = recurrent_class(chain)
    if recurrent is None:
        raise ValueError(
            "the stationary law is not unique: the chain of theta has several recurrent classes; "
            "make the kernels or the policy explore (ε > 0)"
        )
    count = np.count_nonzero(recurrent)
    if count <= ELIMINATED:
        mu, products = _eliminated(operator, recurrent), 1
    else:
        # From inside the class no mass leaves it, so that zeros stay zeros.
        everywhere, one_state = recurrent / count, np.zeros_like(recurrent, dtype=np.float64)
        one_state[0, np.flatnonzero(recurrent)[0]] = 1.0
        both, products = _iterated(operator, np.concatenate([everywhere, one_state]), recurrent, tol)
        mu = both[:1]
        apart = float(np.abs(both[0] - both[1]).sum())
        if apart > AGREEMENT and count <= LARGEST_DENSE:
            mu, products = _eliminated(operator, recurrent), products + 1
        elif apart > AGREEMENT:
            raise ValueError(
                f"the stationary law is out of reach: iterations from two starts end {apart:.2g} apart in 1-norm, so "
                f"the chain of theta hardly ever leaves parts of its {count} recurrent joint states; chains of up to "
                f"{LARGEST_DENSE} are solved whatever they do, larger ones need kernels or a policy that explore more"
            )
    error = float(np.abs(operator.adjoint(mu) - mu).sum())
    return Law(np.ascontiguousarray(operator.from_memory(mu)), error, products + 1)


def eliminated_law(chain: Chain) -> tuple[Array, float] | None:
    """μ over joint states, (S_0, …, S_{n-1}), and a bound on the relative error of every entry, rounding included.

    None if there are several recurrent classes, or a state of the one is visited so seldom (`RARE`) that underflow
    might matter; outside it μ is zero, exactly. In a class of N states μ_k is proportional to a sum over trees of
    products of N - 1 entries off the diagonal (Markov chain tree theorem), so one rounding of the entries moves no μ_k
    by more than 2(N-1). Leaving out the last of k + 1 states is k + 2 roundings of what remains; all of them and the
    sums that follow are less than N³ + 4N², and those of the first entries are added (O'Cinneide 1993).
    """
    recurrent = recurrent_class(chain)
    if recurrent is None:
        return None
    N = np.count_nonzero(recurrent)
    try:
        mu = _eliminated(chain.operator, recurrent)
    except ValueError:
        return None
    entries = chain.kernel_roundings + sum(chain.sizes) + chain.n + 6
    if mu[recurrent].min() <= RARE:
        return None
    return chain.operator.from_memory(mu[0]), gamma_k(N**3 + 4 * N**2 + 2 * N * entries)


def _eliminated(operator: FactoredOperator, recurrent: Array) -> Array:
    """μ by the elimination of one recurrent state after the other, (1, entries) in memory order."""
    states = np.flatnonzero(recurrent)
    rows = np.zeros((len(states), recurrent.size))
    rows[np.arange(len(states)), states] = 1.0
    P = operator.adjoint(rows)[:, states]
    weights = _censored(np.ascontiguousarray(P))
    if not np.isfinite(weights).all():
        raise ValueError(
            "the stationary law is out of reach: probabilities of passages in the chain of theta are below 1e-308; "
            "make the kernels or the policy explore more"
        )
    mu = np.zeros_like(recurrent, dtype=np.float64)
    mu[0, states] = weights
    return mu


def _censored(P: Array) -> Array:
    """The law of an irreducible chain, whose matrix is used up; not finite where passages are too rare.

    States are left out one after the other, the last first, in blocks: what a block adds to the states before it is one
    product of matrices, whose sums have no more roundings than one state after the other.
    """
    for end in range(len(P), 0, -BLOCK):
        begin = max(end - BLOCK, 0)
        _leave_out(P, begin, end)
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so and is refused
            P[:begin, :begin] += P[:begin, begin:end] @ P[begin:end, :begin]
    return _backwards(P)


@compiled
def _leave_out(P: Array, begin: int, end: int) -> None:
    """Leaves out the states begin, …, end - 1, the last first, in the rows and columns of the block alone."""
    for k in range(end - 1, max(begin, 1) - 1, -1):
        # Out of state k the censored chain goes to those before it; 1 - P_kk would cancel.
        out = 0.0
        for j in range(k):
            out += P[k, j]
        for i in range(k):
            P[i, k] /= out
            for j in range(begin if i < begin else 0, k):
                P[i, j] += P[i, k] * P[k, j]


@compiled
def _backwards(P: Array) -> Array:
    """The law, from the state that is left to the one that was left out first."""
    size = len(P)
    weights = np.zeros(size)
    weights[0] = 1.0
    total = 1.0
    for k in range(1, size):
        for i in range(k):
            weights[k] += weights[i] * P[i, k]
        total += weights[k]
    for k in range(size):
        weights[k] /= total
    return weights


def _iterated(operator: FactoredOperator, mu: Array, recurrent: Array, tol: float) -> tuple[Array, int]:
    """μ P^t from each row of `mu` until the residual is `tol`, or by GMRES where that is far off; and the products."""
    products = 0
    norms: list[float] = []
    while True:
        following = operator.adjoint(mu)
        products += 1
        following /= following.sum(axis=1, keepdims=True)
        norms.append(float(np.abs(following - mu).sum(axis=1).max()))
        if norms[-1] <= tol:
            return following, products
        mu = following
        if len(norms) >= 40 and remaining_products(norms, tol) > 200:
            solved = [_by_gmres(operator, row[None], recurrent, tol) for row in mu]
            mu = np.concatenate([law for law, _ in solved])
            left = float(np.abs(operator.adjoint(mu) - mu).sum(axis=1).max())
            if left > 1e3 * tol:
                raise ValueError(f"the stationary law was found only to a residual of {left:.2g} in 1-norm")
            return mu, products + sum(count for _, count in solved) + 1


def _by_gmres(operator: FactoredOperator, mu: Array, recurrent: Array, tol: float) -> tuple[Array, int]:
    """Solve μ (I - P + 1 u) = u, u uniform on the recurrent class: non-singular if there is one, periodic or not."""
    from scipy.sparse.linalg import LinearOperator, gmres

    size, count = mu.size, 0
    uniform = recurrent[0] / np.count_nonzero(recurrent)

    def product(x: Array) -> Array:
        nonlocal count
        count += 1
        return x - operator.adjoint(x.reshape(1, -1))[0] + x.sum() * uniform

    linear = LinearOperator((size, size), matvec=product, dtype=np.float64)
    goal = 0.1 * tol / size**0.5
    x, _ = gmres(linear, uniform, x0=mu[0], rtol=0, atol=goal, restart=60, maxiter=20)
    x = np.where(recurrent[0], np.maximum(x, 0.0), 0.0)
    return (x / x.sum()).reshape(1, -1), count


def recurrent_class(chain: Chain) -> Array | None:
    """The closed class that every state reaches, (1, entries) in memory order; None if there is no such class.

    Decided on the supports of the kernels.
    """
    if all((P_bar_i > 0).all() for P_bar_i in chain.P_bar):
        return np.ones((1, chain.entries), dtype=bool)
    supports = [(P_bar_i > 0).astype(np.float64) for P_bar_i in chain.P_bar]
    operator = FactoredOperator(supports, chain.hoods, chain.sizes, order=chain.operator.order)

    def closure(start: Array, product: object) -> Array:
        assert callable(product)
        reached = start
        while True:
            grown = reached | (product(reached.astype(np.float64)) > 0)
            if (grown == reached).all():
                return reached
            reached = grown

    x = np.zeros((1, chain.entries), dtype=bool)
    x[0, 0] = True
    while True:
        ahead, behind = closure(x, operator.adjoint), closure(x, operator.forward)
        beyond = np.flatnonzero(ahead & ~behind)
        if not len(beyond):
            return ahead if closure(ahead, operator.forward).all() else None
        x = np.zeros_like(x)
        x[0, beyond[0]] = True
