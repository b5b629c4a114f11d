"""Section 2 for action-coupled models: under θ the pairs z_j = (s_j, a_j) are a networked chain without actions,

    P̄_j(z_j' | z_{N_j}) = P_j(s_j' | s_{N_j}, a_{N_j}) ζ_j(a_j' | s_j'),      reward r_i(z_{N_i}),

so the engine of plain models runs on it as it is, on tables of Π S_j A_j entries. Its value functions are the Q_i^θ
themselves, its occupancy is π^θ(s) ζ^θ(a|s), and D_i(κ) is an oscillation over z outside N_i^κ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sacrepro.exact.chain import Chain
from sacrepro.exact.decay.profile import DecayBounds, tight_values
from sacrepro.exact.dense import oscillation
from sacrepro.exact.gradient import OSCILLATION_TO_GRADIENT, ObjectiveGradient
from sacrepro.exact.memory import demand, readable_count
from sacrepro.exact.rounding import UNIT, gamma_k, normalising_roundings, policy_roundings, sup
from sacrepro.exact.solver.bellman import check_tol, demand_value_tables, mean_values, objective, values
from sacrepro.exact.solver.occupancy import Law, occupancy
from sacrepro.exact.values import PolicyEvaluation
from sacrepro.model.checks import Array
from sacrepro.model.graph import check_agent, diameter, neighborhood
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP, over_pairs
from sacrepro.model.policy import SCORE_BOUND, Theta, logits_and_policies, score


class Pairs(NetworkedMDP):
    """The networked chain of the pairs z_i = s_i·A_i + a_i as a model with one action, its rewards left to the chain.

    Made from a `CoupledMDP`, which has been checked.
    """

    def __post_init__(self) -> None:
        hoods = tuple(tuple(sorted((i, *(j for j in self.graph[i] if j != i)))) for i in range(len(self.graph)))
        object.__setattr__(self, "neighbors", hoods)


@dataclass(frozen=True, eq=False, repr=False)
class PairChain(Chain):
    """The chain z(t) → z(t+1). theta, zeta : those of the model. rewards : over the pairs of N_i.

    source : the model.
    """

    source: CoupledMDP

    @cached_property
    def reward_hoods(self) -> tuple[tuple[int, ...], ...]:
        """N_i: what r_i(z_{N_i}) depends on."""
        return self.mdp.neighbors

    @cached_property
    def kernel_roundings(self) -> float:
        """Roundings between Π_j P_j ζ_j as computed and for the exact softmax and exactly normalised kernels."""
        own = sum(policy_roundings(theta_i) + 1 for theta_i in self.theta)
        return own + normalising_roundings(self.source.P)

    def reward_size(self, i: int) -> float:
        """max r_i of the model."""
        return float(self.source.r[i].max())

    def reward_roundings(self, i: int) -> float:
        """None: rewards of pairs are those of the model."""
        return 0.0


def pair_chain(mdp: CoupledMDP, theta: Theta) -> PairChain:
    """The chain of pairs under θ; errors name the agent whose block is wrong."""
    blocks, zeta = logits_and_policies(mdp, theta)
    sizes = [S_i * A_i for S_i, A_i in zip(mdp.state_sizes, mdp.action_sizes, strict=True)]
    P_bar, rewards = [], []
    for i, hood in enumerate(mdp.neighbors):
        rewards.append(over_pairs(mdp.r[i], len(hood)))
        kernel = over_pairs(mdp.P[i], len(hood))[..., None] * zeta[i]
        P_bar.append(kernel.reshape(*(sizes[j] for j in hood), sizes[i]))
    if isinstance(mdp.pi0, np.ndarray):
        joint = mdp.pi0.reshape(*mdp.state_sizes, *(1,) * mdp.n) * _joint_policy(zeta)
        pi0: Array | tuple[Array, ...] = over_pairs(joint, mdp.n)
    else:
        pi0 = tuple((pi0_i[:, None] * zeta_i).ravel() for pi0_i, zeta_i in zip(mdp.pi0, zeta, strict=True))
    P = tuple(P_bar_i[..., None, :] for P_bar_i in P_bar)
    pairs_model = Pairs(mdp.graph, P, tuple(np.zeros((size, 1)) for size in sizes), mdp.gamma, pi0)
    return PairChain(pairs_model, blocks, zeta, tuple(P_bar), tuple(rewards), mdp)


def q_function(
    mdp: CoupledMDP, theta: Theta, i: int, tol: float | None = None, *, memory_limit: int | None = None
) -> Array:
    """Q_i^θ(s, a); as `sacrepro.exact.q_function`."""
    check_agent(i, mdp.n)
    return q_functions(pair_chain(mdp, theta), tol, [i], memory_limit)[0][0]


def q_functions(
    chain: PairChain, tol: float | None, agents: Sequence[int], memory_limit: int | None = None
) -> tuple[list[Array], float]:
    """(Q, error): Q_i^θ for each of `agents`, shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}), within `error` in sup norm."""
    demand_value_tables(chain.mdp, memory_limit, tables=2 * len(agents))
    Q, error, _ = values(chain, tol, agents)
    return [states_first(Q_i, chain.source) for Q_i in Q], error


def evaluate(
    mdp: CoupledMDP, theta: Theta, tol: float | None = None, *, memory_limit: int | None = None
) -> PolicyEvaluation:
    """V_i^θ(s) = E_{a~ζ} Q_i^θ(s, a) and J(θ); as `sacrepro.exact.evaluate`."""
    check_tol(tol)
    chain = pair_chain(mdp, theta)
    demand_value_tables(chain.mdp, memory_limit, tables=2)
    V = np.empty((mdp.n, *mdp.state_sizes))
    error, products = 0.0, 0
    k = chain.kernel_roundings + sum(mdp.action_sizes) + mdp.n
    for i in range(mdp.n):
        Q_i, Q_error, count = values(chain, tol, [i])
        V[i] = over_actions(states_first(Q_i[0], mdp), chain.zeta)
        error, products = max(error, Q_error + gamma_k(k) * sup(Q_i)), max(products, count)
    J, J_error = objective(mdp, V.mean(axis=0), error + gamma_k(mdp.n + 2) * sup(V))
    return PolicyEvaluation(V, J, error, J_error, products)


def state_occupancy(mdp: CoupledMDP, theta: Theta, tol: float | None = None) -> Law:
    """π^θ of Lemma 1, the state marginal of the pairs' occupancy, with a certified 1-norm error."""
    chain = pair_chain(mdp, theta)
    demand_value_tables(chain.mdp, None, tables=2)
    law = occupancy(chain, tol)
    joint = states_first(law.pi.ravel(), mdp)
    pi = joint.sum(axis=tuple(range(mdp.n, 2 * mdp.n)))
    return Law(pi, law.error + gamma_k(chain.entries), law.products)


def objective_and_gradient(mdp: CoupledMDP, theta: Theta, tol: float | None = None) -> ObjectiveGradient:
    """J(θ) and ∇J(θ) = (1/(1-γ)) E_{π×ζ}[Q̄ ∇log ζ_i], Q̄ = (1/n) Σ_j Q_j; as `sacrepro.exact.objective_and_gradient`.

    An error of Q̄ passes through `OSCILLATION_TO_GRADIENT`, one of the occupancy meets a score of norm √2 at most.
    """
    chain = pair_chain(mdp, theta)
    demand_value_tables(chain.mdp, None, tables=8)
    Q, Q_error, _ = mean_values(chain, tol, [tuple(range(mdp.n))])
    starting = gamma_k(chain.kernel_roundings) * sup(Q)
    J, J_error = objective(chain.mdp, Q[0].reshape(chain.mdp.state_sizes), Q_error + starting)
    law = occupancy(chain, tol)
    middle = 0.5 * (float(Q.max()) + float(Q.min()))
    centred = Q[0] - middle
    gradient = [expected_score(chain, centred, law.pi, i) for i in range(mdp.n)]
    largest = sup(centred) * (1.0 + 4 * UNIT) + 4 * UNIT * sup(Q)
    mass = max(float(law.pi.sum()), 1.0) * (1.0 + gamma_k(chain.entries)) + law.error
    k = chain.entries + max(policy_roundings(theta_i) + theta_i.size for theta_i in chain.theta) + 16
    error = OSCILLATION_TO_GRADIENT * 2.0 * (Q_error + 4 * UNIT * sup(Q)) * mass
    error += SCORE_BOUND * largest * (law.error + 2.0 * gamma_k(k) * mass)
    return ObjectiveGradient(J, tuple(gradient), J_error, error / (1.0 - mdp.gamma) * (1.0 + 1e-9))


def expected_score(chain: PairChain, Q: Array, pi: Array, i: int) -> Array:
    """(1/(1-γ)) E Q(z) ∇_{θ_i} log ζ_i over z ~ pi, block (S_i, A_i); Q and pi over joint pairs."""
    n = chain.source.n
    weighted = states_first(pi.ravel() * Q.ravel(), chain.source)
    own = weighted.sum(axis=tuple(axis for axis in range(2 * n) if axis % n != i))
    return np.einsum("sa,sab->sb", own, score(chain.zeta[i])) / (1.0 - chain.mdp.gamma)


def natural_truncated_gradient(
    mdp: CoupledMDP, theta: Theta, kappa: int, tol: float | None = None
) -> tuple[Array, ...]:
    """ĥ_i(θ) of eq. (7) with natural weights; as `sacrepro.exact.natural_truncated_gradient`."""
    chain = pair_chain(mdp, theta)
    demand_value_tables(chain.mdp, None, tables=8)
    pi = occupancy(chain, tol).pi
    blocks = []
    for i in range(mdp.n):
        hood = neighborhood(mdp.graph, i, kappa)
        Q, _, _ = mean_values(chain, tol, [hood])
        blocks.append(expected_score(chain, Q[0] * (len(hood) / mdp.n), pi, i))
    return tuple(blocks)


def certified_decay(
    mdp: CoupledMDP,
    theta: Theta,
    agents: Sequence[int],
    kappas: Sequence[int],
    tol: float | None,
    sweep_limit: int,
) -> DecayBounds:
    """Certified bounds on D_i(κ), the largest oscillation of Q_i over a cell; as `sacrepro.exact.certified_decay`."""
    refuse_sweep(mdp, sweep_limit, "sweep_limit", "action-coupled models are swept only, so raise it")
    chain = pair_chain(mdp, theta)
    D, margin = np.zeros((len(agents), len(kappas))), np.zeros((len(agents), len(kappas)))
    for row, i in enumerate(agents):
        (Q_i,), error = q_functions(chain, tol, [i])
        D[row] = oscillations(Q_i, mdp, i, kappas)
        everybody = [len(neighborhood(mdp.graph, i, kappa)) == mdp.n for kappa in kappas]
        margin[row] = np.where(everybody, 0.0, 2.0 * error + 4 * UNIT * sup(Q_i))
    return DecayBounds(np.maximum(D - margin, 0.0), D + margin)


def refuse_sweep(mdp: CoupledMDP, limit: int, name: str, instead: str) -> None:
    """ValueError if one Q_i has more entries than `limit`, the argument `name`."""
    entries = math.prod(mdp.state_sizes) * math.prod(mdp.action_sizes)
    if entries > limit:
        raise ValueError(f"Q_i has {readable_count(entries)} entries, which exceeds {name} = {limit}; {instead}")


def decay_profile(mdp: CoupledMDP, theta: Theta, tol: float | None, work: int) -> Array:
    """D_i(κ) for κ = 0..diameter, shape (n, diameter + 1).

    tol : certified error of Q_i, by default close to what rounding allows; D is then off by at most 2 tol and rounding.
    """
    refuse_sweep(mdp, work, "work", "take a smaller network, or raise work")
    chain = pair_chain(mdp, theta)
    demand_value_tables(chain.mdp, None, tables=2)
    kappas = range(diameter(mdp.graph) + 1)
    rows = []
    for i in range(mdp.n):
        Q_i, _, _ = tight_values(chain, i) if tol is None else values(chain, tol, [i])
        rows.append(oscillations(states_first(Q_i, mdp), mdp, i, kappas))
    return np.array(rows)


def oscillations(Q_i: Array, mdp: CoupledMDP, i: int, kappas: Sequence[int]) -> Array:
    """The largest oscillation of Q_i over a cell of N_i^κ for each κ; zero where the cell is everybody."""
    hoods = [neighborhood(mdp.graph, i, kappa) for kappa in kappas]
    return np.array([oscillation(Q_i, hood).max() if len(hood) < mdp.n else 0.0 for hood in hoods])


def states_first(table: Array, mdp: CoupledMDP) -> Array:
    """A flat table over the pairs (z_0, …, z_{n-1}) with all states before all actions: (S_0, …, A_{n-1})."""
    n = mdp.n
    interleaved = [size for both in zip(mdp.state_sizes, mdp.action_sizes, strict=True) for size in both]
    demand(f"a table with {readable_count(table.size)} entries", 8 * table.size, None, "fewer agents fit")
    return np.ascontiguousarray(table.reshape(interleaved).transpose([*range(0, 2 * n, 2), *range(1, 2 * n, 2)]))


def over_actions(Q_i: Array, zeta: Sequence[Array]) -> Array:
    """E_{a~ζ} Q_i(s, a), shape (S_0, …, S_{n-1})."""
    for j in range(len(zeta) - 1, -1, -1):
        shape = [1] * (Q_i.ndim - 1)
        shape[j] = zeta[j].shape[0]
        Q_i = (Q_i * zeta[j].reshape(*shape, -1)).sum(axis=-1)
    return Q_i


def _joint_policy(zeta: Sequence[Array]) -> Array:
    n = len(zeta)
    joint = np.ones((1,) * (2 * n))
    for j, zeta_j in enumerate(zeta):
        joint = joint * zeta_j.reshape([zeta_j.shape[axis // n] if axis % n == j else 1 for axis in range(2 * n)])
    return joint
