"""V_i^θ for all agents and J(θ), with certificates.

Value iteration V ← r_i + γ P^θ V, whose first steps live on the light cone N_i^t, is stopped by MacQueen's bounds: with
δ = r_i + γ P V - V,  V_i^θ - (V + δ) = Σ_{t≥1} γ^t P^t δ lies between γ/(1-γ) min δ and γ/(1-γ) max δ. Where
the chain is slow, BiCGSTAB solves (I - γP) x = δ and the same bounds judge the result. Every certificate is a
residual that was computed, plus a bound on its rounding. Rows of kernels miss 1 by rounding: certificates hold for the
kernels as stored and for the same with every row divided by its exact sum, here as in every room of the exact engine.

MacQueen (1966), A modified dynamic programming method for Markovian decision problems. Van der Vorst (1992), Bi-CGSTAB.

Lemma 1: ∇J(θ) in S^n memory with a certificate, and eq. (7) under natural weights.

(4) needs Q^θ = (1/n) Σ_i Q_i^θ only, so one value function V̄ = (1/n) Σ_i V_i^θ, and it only through its mean over
a_{-i}. With M_i(s_{N_i}, s_i') = ∂⟨π^θ, P^θ V̄⟩ / ∂P̄_i, one backward sweep through the factored product, the expected
Q of (s_i, a_i) is a sum of P_i M_i over s_{N_i} and s_i'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sacrepro.exact.chain import Chain, chain_of
from sacrepro.exact.models import averaged, exact_model
from sacrepro.exact.product.matrix import MATRIX_ENTRIES, joint_rows, many_values, transposed
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.solver.bellman import (
    DEFAULT_TOL,
    check_tol,
    demand_value_tables,
    mean_values,
    residual_error,
    values,
)
from sacrepro.exact.solver.occupancy import occupancy
from sacrepro.model.checks import NORMALISATION_TOLERANCE, Array, is_listed
from sacrepro.model.graph import check_agent, check_agents, check_kappa, neighborhood
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.memory import demand_axes
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import Policy, Theta, all_actions_possible, check_theta, softmaxes


@in_one_line
class PolicyEvaluation(NamedTuple):
    """Values of one localized policy tuple θ.

    V        : V_i^θ(s), shape (n, S_0, …, S_{n-1}); of the agents that were asked for.
    J        : J(θ) of eq. (2), = E_{s~π_0} (1/n) Σ_i V_i(s).
    error    : certified bound on |V_i - V_i^θ|, in sup norm over agents and states, rounding included.
    J_error  : certified bound on |J - J(θ)|.
    products : the most products with P^θ that any agent took.

    >>> from sacrepro import build, evaluate, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> found = evaluate(mdp, uniform_theta(mdp))
    >>> found.V.shape, found.J_error < 1e-9
    ((3, 2, 2, 2), True)
    """

    V: Array
    J: float
    error: float
    J_error: float
    products: int


def evaluate(
    mdp: Model | CountedMDP,
    theta: Theta,
    tol: float | None = None,
    *,
    agents: Sequence[int] | None = None,
    memory_limit: int | None = None,
) -> PolicyEvaluation:
    """V_i^θ for every agent and J(θ), with certified errors.

    agents : those whose V_i are wanted, in this order, by default all; J is then the mean over them, which is J(θ)
    where agents are alike, as on a ring of identical ones.

    tol : largest certified error of any V_i; by default 1e-10, or what rounding allows where that is more (γ near 1,
    large rewards): see `error` of the result. memory_limit : bytes; by default a share of all memory.
    Raises MemoryError before starting if the tables cannot fit, ValueError if rounding makes a `tol` that was asked
    for unattainable, naming what is attainable.

    >>> from sacrepro import build, evaluate, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> round(evaluate(mdp, uniform_theta(mdp)).J, 6)  # each bit is 1 half of the time: 0.5/(1-γ)
    1.0
    >>> evaluate(mdp, uniform_theta(mdp), agents=[2]).V.shape
    (1, 2, 2, 2)
    """
    check_tol(tol)
    chain = chain_of(mdp, theta)
    asked = tuple(range(chain.n)) if agents is None else check_agents(agents, chain.n)
    together = [asked] if len(chain.together) == 1 else [(i,) for i in asked]
    demand_value_tables(chain.hoods, chain.sizes, memory_limit, tables=chain.copies * len(together[0]))
    tables, error, products = [], 0.0, 0
    for portion in together:
        found, found_error, count = values(chain, tol, portion)
        table, rounding = chain.state_values(found)
        tables.append(table)
        error, products = max(error, found_error + rounding), max(products, count)
    V = tables[0] if len(tables) == 1 else np.concatenate(tables)
    J, J_error = objective(chain.facts.start, np.add.reduce(V), error, len(V))
    return PolicyEvaluation(V, J, error, J_error, products)


def objective(start: tuple[Array, ...] | Array, V: Array, error: float, count: int = 1) -> tuple[float, float]:
    """(J, certified bound on |J - J(θ)|), eq. (2): J = E_{s~start} V(s)/count, for the sum V of `count` tables.

    V : (S_0, …, S_{n-1}). error : of each table; what it is a bound for is not negative, as rewards are.
    """
    J, J_error = objectives(start, V, error, count)
    return float(J), float(J_error)


def objectives(start: tuple[Array, ...] | Array, V: Array, error: Any, count: int = 1) -> tuple[Any, Any]:
    """As `objective`, also for V of many policies, (policies, S_0, …, S_{n-1}), with the error of each."""
    average, k = V, count + 1
    if isinstance(start, np.ndarray) and start.size <= MATRIX_ENTRIES:
        agents = start.ndim
        average = average.reshape(*V.shape[:-agents], -1) @ start.reshape(-1)
        k += start.size + agents - 1  # which is a product of marginals, perhaps
    elif isinstance(start, np.ndarray):
        agents = start.ndim
        average = average * start
        for S_i in reversed(start.shape):
            average = average.sum(axis=-1)
            k += S_i + 1
    else:
        agents = len(start)
        for pi0_i in reversed(start):
            average = average.reshape(-1, len(pi0_i)) @ pi0_i
            k += len(pi0_i) + 1
        average = average.reshape(V.shape[:-agents])
    J, off = average / count, (1.0 + 2 * NORMALISATION_TOLERANCE * (agents + 1)) * error
    # No entry is below -error, so the mean of their sizes, which rounding is relative to, is at most J + 2 off.
    return J, (off + gamma_k(k) * (J + 2.0 * off)) * (1.0 + 1e-9)


@in_one_line
class PolicyEvaluations(NamedTuple):
    """Values of many localized policies θ of one model, as `PolicyEvaluation` of each; policies come first.

    V       : shape (policies, n, S_0, …, S_{n-1}).
    J, error, J_error : shape (policies,).

    >>> from sacrepro import build, evaluate_many, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> found = evaluate_many(mdp, [uniform_theta(mdp)] * 5)
    >>> found.V.shape, found.J.shape
    ((5, 3, 2, 2, 2), (5,))
    """

    V: Array
    J: Array
    error: Array
    J_error: Array


#: Entries of the matrices that `evaluate_many` makes at once.
MANY_ENTRIES = 1 << 16


def evaluate_many(
    mdp: Model | CountedMDP, thetas: Sequence[Theta], tol: float | None = None, *, memory_limit: int | None = None
) -> PolicyEvaluations:
    """`evaluate` of each of `thetas`: V_i^θ for every agent and J(θ), with certified errors, policies first.

    On up to 256 joint states many policies are solved at once; beyond, and where a model couples, one after the other.
    thetas : a sequence of θ or `Policy`, as `evaluate` takes them. tol, memory_limit : as in `evaluate`. Raises what it
    raises, the policy named by its place in `thetas`, and ValueError where there is none.

    >>> import numpy as np
    >>> from sacrepro import build, evaluate_many, gaussian_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> rng = np.random.default_rng(0)
    >>> J = evaluate_many(mdp, [gaussian_theta(mdp, rng) for _ in range(100)]).J
    >>> print(round(J.mean(), 6))  # on the relay nobody's action matters
    1.0
    """
    check_tol(tol)
    model = exact_model(mdp)
    _check_policies(thetas)
    n, sizes = model.n, model.state_sizes
    demand_value_tables(model.neighbors, sizes, memory_limit, tables=n * len(thetas))
    demand_axes(n, before=2)
    blocks = []
    for k, theta in enumerate(thetas):
        try:
            blocks.append(check_theta(model, theta, f"thetas[{k}]"))
        except (TypeError, ValueError) as error:
            told = str(error)
            raise type(error)(told if told.startswith(f"thetas[{k}]") else f"thetas[{k}]: {told}") from None
    found = PolicyEvaluations(np.empty((len(thetas), n, *sizes)), *np.full((3, len(thetas)), math.inf))
    if not model.couples and math.prod(sizes) <= MATRIX_ENTRIES:
        many = max(1, MANY_ENTRIES // math.prod(sizes) ** 2)
        for start in range(0, len(thetas), many):
            part = slice(start, start + many)
            _evaluate_together(model, thetas[part], blocks[part], PolicyEvaluations(*(field[part] for field in found)))
    goal = DEFAULT_TOL if tol is None else tol
    for k in map(int, np.flatnonzero(found.error > goal)):
        theta = thetas[k] if isinstance(thetas[k], Policy) else blocks[k]
        try:
            one = evaluate(model, theta, tol, memory_limit=memory_limit)
        except ValueError as error:
            raise ValueError(f"thetas[{k}]: {error}") from None
        found.V[k], found.J[k], found.error[k], found.J_error[k] = one[:4]
    return found


def _check_policies(thetas: Any) -> None:
    """TypeError unless `thetas` is a sequence, and not that of one policy's blocks; ValueError where it is empty."""
    expected, one = "thetas: expected a sequence of policies", isinstance(thetas, Policy)
    if not one and not is_listed(thetas):
        told = "; pass list(thetas)" if isinstance(thetas, Iterator) else ""
        raise TypeError(f"{expected}, got {type(thetas).__name__}{told}; of one policy pass [theta]")
    if not one and len(thetas) == 0:
        raise ValueError("thetas holds no policy, expected at least one")
    if one or _axes(thetas[0]) == 2:
        raise TypeError(f"{expected}; this is one policy: pass [theta]")


def _axes(table: Any) -> int:
    """How many axes an array or nested lists have; 0 where they are ragged, as blocks of several sizes."""
    try:
        return np.ndim(table)
    except ValueError:
        return 0


def _evaluate_together(
    model: Model, thetas: Sequence[Theta], blocks: Sequence[Sequence[Array]], out: PolicyEvaluations
) -> None:
    """Write the evaluations of a few policies of a small model to `out`; where one is none, errors stay infinite."""
    try:
        zeta = softmaxes([np.stack(of_agent) for of_agent in zip(*blocks, strict=True)])
    except ValueError:
        return
    for k, theta in enumerate(thetas):
        if isinstance(theta, Policy):
            for i, zeta_i in enumerate(theta.zeta):
                zeta[i][k] = zeta_i
    chain = chain_of(model, thetas[0] if isinstance(thetas[0], Policy) else blocks[0])
    chain.discount_range()
    laws, means = averaged(chain.facts.stacks, zeta)
    joint = means.take(joint_rows(chain.reward_hoods, chain.sizes), axis=-1)
    V, delta = many_values(transposed(laws, chain.hoods, chain.sizes), joint, model.gamma)
    size, groups = np.abs(V).max(axis=(1, 2)), [(i,) for i in range(model.n)]
    out.V[...] = V.reshape(out.V.shape)
    out.error[...], _ = residual_error(chain, groups, np.abs(delta).max(axis=(1, 2)), size)
    out.J[...], out.J_error[...] = objectives(chain.facts.start, out.V.sum(axis=1), out.error, model.n)


# Q_i^θ(s, a) of eq. (3) as one table, where it fits.


def q_function(
    mdp: Model | CountedMDP, theta: Theta, i: int, tol: float | None = None, *, memory_limit: int | None = None
) -> Array:
    """Q_i^θ(s, a) of eq. (3), shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}), from V_i^θ certified to `tol`.

    tol : by default 1e-10, or what rounding allows where that is more; Q_i is then within γ tol and its own rounding.
    memory_limit : bytes; by default a share of all memory. Raises MemoryError before starting if the table cannot fit,
    ValueError for an unknown agent.

    >>> from sacrepro import build, q_function, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> round(float(q_function(mdp, uniform_theta(mdp), 0)[1, 0, 0, 0, 0, 0]), 6)  # a 1 that stays: 1/(1-γ)
    2.0
    """
    mdp = exact_model(mdp)
    check_agent(i, mdp.n)
    return q_functions(chain_of(mdp, theta), tol, [i], memory_limit)[0][0]


def q_functions(
    chain: Chain, tol: float | None, agents: Sequence[int], memory_limit: int | None = None
) -> tuple[list[Array], float]:
    """(Q, error): Q_i^θ of each of `agents` as `q_function`; `error` bounds that of the values they are made from."""
    for i in agents:
        chain.demand_q(i, memory_limit)
    demand_value_tables(chain.hoods, chain.sizes, memory_limit, tables=chain.copies * len(agents))
    found, error, _ = values(chain, tol, agents)
    return [chain.q_table(table, i) for i, table in zip(agents, found, strict=True)], error


@in_one_line
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
