"""The Markov chain that a localized policy θ makes of a model, as everything exact sees it: `chain_of`.

Of a model of eq. (1) it is s(t) → s(t+1), with P^θ = Π_j P̄_j and r_i^θ. In an action-coupled one the pairs
z_j = (s_j, a_j) are such a chain,

    P̄_j(z_j' | z_{N_j}) = P_j(s_j' | s_{N_j}, a_{N_j}) ζ_j(a_j' | s_j'),      reward r_i(z_{N_i}),

on tables of Π S_j A_j entries. Its value functions are the Q_i^θ themselves, its occupancy is π^θ(s) ζ^θ(a|s).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from sacrepro.exact import dense
from sacrepro.exact.models import Facts, averaged, chain_sizes, exact_model, facts, least_and_largest_row_sums
from sacrepro.exact.product.matrix import MATRIX_ENTRIES, Matrix, joint_rows, split_tables
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.product.steps import Choice, Step
from sacrepro.exact.rounding import UNIT, gamma_k, policy_roundings, sup
from sacrepro.exact.symmetry import Image, images
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, Model, NetworkedMDP, over_pairs
from sacrepro.model.memory import MOST_AXES, allowed_bytes, demand, demand_axes, readable_count
from sacrepro.model.policy import SCORE_BOUND, Theta, joint_policy, logits_and_policies, pair_marginals, score

#: Operators over part of the agents are kept, this many of them, up to this many peak entries each.
KEPT_CONES, KEPT_ENTRIES = 64, 1 << 15

#: ‖E_{a~ζ} Q(a) ∇ log ζ(a)‖₂ ≤ √2/4 · osc Q, with equality for two actions, ζ = (1/2, 1/2). The vector has entries
#: ζ_b (Q_b - E Q): they sum to zero and their 1-norm is a mean absolute deviation, at most osc Q / 2.
OSCILLATION_TO_GRADIENT = float(np.sqrt(2.0)) / 4.0


@dataclass(frozen=True, eq=False, repr=False)
class Chain:
    """P^θ = Π_j P̄_j in factored form, with r_i^θ(s_i) = Σ_a ζ_i(a|s_i) r_i(s_i, a).

    model       : what θ acts in. theta, zeta : blocks (S_i, A_i).
    sizes       : numbers of states. hoods : N_i. gamma : γ. start : the law of the first state, as π_0 of a model.
    laws, means : `P_bar` and `rewards` of all agents, flat, one after the other. facts : what the model alone decides.
    """

    model: Model
    facts: Facts
    theta: tuple[Array, ...]
    zeta: tuple[Array, ...]
    sizes: tuple[int, ...]
    hoods: tuple[tuple[int, ...], ...]
    gamma: float
    start: tuple[Array, ...] | Array
    laws: Array
    means: Array

    #: Whether the values are over (s, a) already, and how many tables one of them takes on its way into a result.
    over_pairs: ClassVar[bool] = False
    copies: ClassVar[int] = 1

    @property
    def n(self) -> int:
        """Number of agents."""
        return len(self.hoods)

    @property
    def entries(self) -> int:
        """Number of joint states, Π S_i."""
        return math.prod(self.sizes)

    @cached_property
    def P_bar(self) -> tuple[Array, ...]:
        """P̄_i, shape (S_k for k in sorted N_i) + (S_i,)."""
        return split_tables(self.laws, [(*hood, i) for i, hood in enumerate(self.hoods)], self.sizes)

    @cached_property
    def rewards(self) -> tuple[Array, ...]:
        """r_i^θ, over the states of `reward_hoods[i]`."""
        return split_tables(self.means, self.reward_hoods, self.sizes)

    @cached_property
    def matrix(self) -> Matrix | None:
        """P^θ as a matrix, where that is faster than the operator."""
        if self.entries > MATRIX_ENTRIES:
            return None
        return Matrix(self.laws, self.hoods, self.sizes, self.gamma)

    @cached_property
    def images(self) -> list[Image]:
        """For each agent one that it is like, and the automorphism that shows it: `sacrepro.exact.symmetry`."""
        return images(self.model, self.zeta)

    @cached_property
    def joint_rewards(self) -> Array:
        """r_i^θ of every agent over all joint states, shape (n, Π S_j): where there are few."""
        return self.means.take(joint_rows(self.reward_hoods, self.sizes))

    @cached_property
    def operator(self) -> FactoredOperator:
        """P^θ on tables over all agents."""
        return FactoredOperator(self.P_bar, self.hoods, self.sizes, known=self._steps)

    def cone(self, support: tuple[int, ...]) -> FactoredOperator:
        """P^θ on tables over the agents of `support`; the result lives on the union of their neighborhoods."""
        agents = frozenset(support)
        operator = self._cones.get(agents)
        if operator is None:
            operator = FactoredOperator(
                self.P_bar, self.hoods, self.sizes, support, self.operator.order, known=self._steps
            )
            # A large operator takes longer to apply than to prepare, and its buffers are large.
            if operator.peak <= KEPT_ENTRIES:
                if len(self._cones) == KEPT_CONES:
                    del self._cones[next(iter(self._cones))]
                self._cones[agents] = operator
        return operator

    @cached_property
    def _cones(self) -> dict[frozenset[int], FactoredOperator]:
        return {}

    @cached_property
    def _steps(self) -> dict[Choice, Step]:
        return {}

    @cached_property
    def careful_operator(self) -> FactoredOperator:
        """P^θ one agent at a time: slower, with the fewest roundings per entry."""
        return FactoredOperator(self.P_bar, self.hoods, self.sizes, largest_group=1)

    @property
    def kernels(self) -> tuple[Array, ...]:
        """P_i with what is left of the actions: (S_k for k in sorted N_i) + (A_i, S_i)."""
        return self.model.P

    @property
    def policies(self) -> tuple[Array, ...]:
        """The law of what is left of the action in each state, (S_i, A_i)."""
        return self.zeta

    def reward_table(self, i: int) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
        """r_i and the agents whose states and whose actions are its axes."""
        return self.model.r[i], (i,), (i,)

    @property
    def row_sums(self) -> tuple[float, float]:
        """Bounds (least, largest) on the row sums of P^θ: 1, and what the kernels as given miss of it."""
        return self.facts.row_sums

    @property
    def kernel_roundings(self) -> float:
        """Roundings between Π_j P̄_j as computed and for the exact softmax and kernels that are normalised exactly."""
        return self.facts.averaging + self.facts.normalising

    @property
    def reward_hoods(self) -> tuple[tuple[int, ...], ...]:
        """The agents whose states each r_i^θ depends on, sorted."""
        return self.model.reward_hoods

    @property
    def reward_sizes(self) -> tuple[float, ...]:
        """max r_i: what roundings of ζ_i are relative to, also where the mean r_i^θ is small."""
        return self.facts.reward_sizes

    @property
    def reward_roundings(self) -> float:
        """The most roundings between an r_i^θ as computed and for the exact softmax."""
        return self.facts.reward_roundings

    def discount_range(self) -> tuple[float, float]:
        """(least, largest) value of Σ_t γ^t (P^θ)^t 1, as stored or normalised; ValueError if it need not converge."""
        low, high = self.row_sums
        gamma = self.gamma
        if not gamma * high < 1.0:
            raise ValueError(
                f"gamma = {gamma!r} times the largest row sum {high!r} of P is not below 1, "
                "so the discounted sums are not bounded; normalise the kernels or lower gamma"
            )
        return 1.0 / (1.0 - gamma * low), 1.0 / (1.0 - gamma * high)

    # From the chain to the model: its values to V_i and Q_i, its law to π^θ, both to ∇J.

    @property
    def together(self) -> tuple[tuple[int, ...], ...]:
        """The agents in portions whose values `evaluate` holds at once."""
        return (tuple(range(self.n)),)

    def state_values(self, values: Array) -> tuple[Array, float]:
        """V_i^θ, (rows, S_0, …, S_{n-1}), from values, (rows, entries), and what rounding adds to errors."""
        return values.reshape(len(values), *self.sizes), 0.0

    def start_error(self, values: Array) -> float:
        """What the rounding of `start` adds to the error of a mean of these values under it."""
        return 0.0

    def demand_q(self, i: int, memory_limit: int | None) -> None:
        """MemoryError if Q_i^θ(s, a) does not fit."""
        model = self.model
        entries = math.prod(model.state_sizes) * math.prod(model.action_sizes)
        if 8 * entries <= allowed_bytes(memory_limit):
            demand_axes(self.n, 1, 2)
        assert isinstance(model, NetworkedMDP)
        width = max(math.prod(model.state_sizes[j] for j in hood) for hood in model.neighbors)
        needed, allowed = 8 * entries * (3 + (width > 64)), allowed_bytes(memory_limit)
        # An order is looked for only where the table itself fits: for 2,000 agents that takes long.
        order, peak = dense.turns(model) if needed <= allowed else (None, 0)
        demand(
            f"Q_{i} with {readable_count(entries)} entries",
            needed + (16 * peak if order else 0),
            memory_limit,
            "evaluate needs V_i only, and certified_decay streams D_i(κ) without the table",
        )

    def q_table(self, values: Array, i: int) -> Array:
        """Q_i^θ(s, a), shape (S_0, …, S_{n-1}, A_0, …, A_{n-1}), from agent i's values, (entries,)."""
        assert isinstance(self.model, NetworkedMDP)
        return dense.q_function(self.model, np.ascontiguousarray(values).reshape(self.sizes), i)

    def state_law(self, pi: Array) -> tuple[Array, float]:
        """A law over the model's states, from one over those of the chain, and what rounding adds to its error."""
        return pi, 0.0

    def expected_score(self, V: Array, pi: Array, shares: Sequence[float], agents: Sequence[int]) -> tuple[Array, ...]:
        """(1/(1-γ)) E_{s~π, a~ζ} Q(s,a) ∇_{θ_i} log ζ_i for each of `agents`, with Q = Σ_j shares_j r_j + γ P V.

        V : Σ_j shares_j V_j over joint states. pi : π^θ. Rewards of other agents drop out: the score has mean zero.
        """
        if self.matrix is not None:
            scores = self.matrix.scores(self.facts.stacks, self.zeta, V, pi.ravel(), shares)
            return tuple(scores[i] for i in agents)
        operator, sizes = self.operator, self.sizes
        through = operator.kernel_adjoint(operator.to_memory(V.reshape(sizes)), operator.to_memory(pi.reshape(sizes)))
        blocks = []
        for i in agents:
            hood = self.hoods[i]
            own = hood.index(i)
            # Axes of P_i: s_{N_i}, a_i, s_i'; of M_i: s_{N_i}, s_i'.
            expected = (self.model.P[i] * through[i][..., None, :]).sum(axis=-1)
            axes = tuple(k for k in range(len(hood)) if k != own)
            marginal = pi.reshape(sizes).sum(axis=tuple(j for j in range(self.n) if j != i))
            Q = shares[i] * self.model.r[i] * marginal[:, None] + self.gamma * expected.sum(axis=axes)
            blocks.append(np.einsum("sa,sab->sb", self.zeta[i] * Q, score(self.zeta[i])) / (1.0 - self.gamma))
        return tuple(blocks)

    def gradient_error(self, V_bar: Array, V_error: float, pi: Array, pi_error: float) -> float:
        """Bound on ‖g_i - ∇_{θ_i} J‖₂ over all i, for g_i from V̄ within `V_error` (sup norm), π within `pi_error`.

        An error of V̄ moves the mean Q of (s, a_i) by an oscillation of 2γ V_error over a_i, an error of π meets the
        oscillation of that mean itself; both pass through `OSCILLATION_TO_GRADIENT`. Rounding is counted, not
        estimated.
        """
        gamma, n = self.gamma, self.n
        low, high = float(V_bar.min()), float(V_bar.max())
        middle, half = 0.5 * (high + low), 0.5 * (high - low) * (1 + 4 * UNIT) + 4 * UNIT * sup(V_bar)
        row_low, row_high = self.row_sums
        off_centre = abs(middle) * max(abs(row_high - 1.0), abs(row_low - 1.0))
        mass = (1.0 - gamma) * self.discount_range()[1] * (1.0 + 1e-9)
        computed_mass = float(pi.sum()) * (1.0 + gamma_k(self.entries))
        # The largest of every part serves all agents.
        own, size = self.facts.reward_spread * (1 + UNIT) / n, self.model.r_bar / n + gamma * row_high * half
        oscillation = own + 2 * gamma * (row_high * half + off_centre)
        from_V = OSCILLATION_TO_GRADIENT * 2 * gamma * row_high * (V_error + 4 * UNIT * sup(V_bar)) * mass
        # V̄ - middle is used, so what rows miss of 1 moves Q by γ·off_centre.
        from_V += OSCILLATION_TO_GRADIENT * 2 * gamma * off_centre * mass
        from_pi = OSCILLATION_TO_GRADIENT * oscillation * pi_error
        product = self.operator if self.matrix is None else self.matrix
        k = product.kernel_roundings + self.kernel_roundings + self.entries + self.facts.score_roundings
        rounding = gamma_k(k) * 2.0 * size * computed_mass
        return (from_V + from_pi + rounding) / (1.0 - gamma) * (1.0 + 1e-9)


class PairChain(Chain):
    """The chain z(t) → z(t+1) of an action-coupled model. theta, zeta : those of the model; no action is left."""

    over_pairs = True
    copies = 2

    @cached_property
    def images(self) -> list[Image]:
        """Every agent for itself: pairs are not searched for symmetry."""
        return [(i, tuple(range(self.n))) for i in range(self.n)]

    @cached_property
    def kernels(self) -> tuple[Array, ...]:
        """P̄_i, with one action."""
        return tuple(P_bar_i[..., None, :] for P_bar_i in self.P_bar)

    @cached_property
    def policies(self) -> tuple[Array, ...]:
        """One action in every state."""
        return tuple(np.ones((size, 1)) for size in self.sizes)

    def reward_table(self, i: int) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
        """r_i(z_{N_i})."""
        return self.rewards[i], self.hoods[i], ()

    @cached_property
    def row_sums(self) -> tuple[float, float]:
        """As in `Chain`, of kernels that depend on ζ."""
        return least_and_largest_row_sums(self.kernels)

    @cached_property
    def kernel_roundings(self) -> float:
        """Roundings between Π_j P_j ζ_j as computed and for the exact softmax and exactly normalised kernels."""
        own = sum(policy_roundings(theta_i) + 1 for theta_i in self.theta)
        return own + self.facts.normalising

    @property
    def reward_roundings(self) -> float:
        """None: rewards of pairs are those of the model."""
        return 0.0

    @property
    def together(self) -> tuple[tuple[int, ...], ...]:
        """One after the other: a value function of pairs is larger than all that is left of it."""
        return tuple((i,) for i in range(self.n))

    def state_values(self, values: Array) -> tuple[Array, float]:
        """V_i^θ(s) = E_{a~ζ} Q_i^θ(s, a), with the roundings of the sums and of ζ."""
        V = np.stack([self._over_actions(self._states_first(Q_i)) for Q_i in values])
        return V, gamma_k(self.kernel_roundings + sum(self.model.action_sizes) + self.n) * sup(values)

    def start_error(self, values: Array) -> float:
        """That of ζ."""
        return gamma_k(self.kernel_roundings) * sup(values)

    def demand_q(self, i: int, memory_limit: int | None) -> None:
        """Nothing: the values are Q_i."""

    def q_table(self, values: Array, i: int) -> Array:
        """The values themselves, all states before all actions."""
        return self._states_first(values)

    def state_law(self, pi: Array) -> tuple[Array, float]:
        """The state marginal."""
        return self._states_first(pi.ravel()).sum(axis=tuple(range(self.n, 2 * self.n))), gamma_k(self.entries)

    def expected_score(self, V: Array, pi: Array, shares: Sequence[float], agents: Sequence[int]) -> tuple[Array, ...]:
        """(1/(1-γ)) E V(z) ∇_{θ_i} log ζ_i over z ~ pi for each of `agents`; `shares` are in V = Q already."""
        weighted = pair_marginals(self._states_first(pi.ravel() * V.ravel()))
        return tuple(np.einsum("sa,sab->sb", weighted[i], score(self.zeta[i])) / (1.0 - self.gamma) for i in agents)

    def gradient_error(self, V_bar: Array, V_error: float, pi: Array, pi_error: float) -> float:
        """As in `Chain`: an error of Q̄ passes through `OSCILLATION_TO_GRADIENT`, one of π meets a score ≤ √2."""
        middle = 0.5 * (float(V_bar.max()) + float(V_bar.min()))
        largest = max(float(V_bar.max()) - middle, middle - float(V_bar.min())) * (1.0 + 4 * UNIT)
        largest += 4 * UNIT * sup(V_bar)
        mass = max(float(pi.sum()), 1.0) * (1.0 + gamma_k(self.entries)) + pi_error
        k = self.entries + max(policy_roundings(theta_i) + theta_i.size for theta_i in self.theta) + 16
        error = OSCILLATION_TO_GRADIENT * 2.0 * (V_error + 4 * UNIT * sup(V_bar)) * mass
        error += SCORE_BOUND * largest * (pi_error + 2.0 * gamma_k(k) * mass)
        return error / (1.0 - self.gamma) * (1.0 + 1e-9)

    def _states_first(self, table: Array) -> Array:
        """A flat table over the pairs (z_0, …, z_{n-1}) with all states before all actions: (S_0, …, A_{n-1})."""
        model, n = self.model, self.n
        interleaved = [size for both in zip(model.state_sizes, model.action_sizes, strict=True) for size in both]
        demand(f"a table with {readable_count(table.size)} entries", 8 * table.size, None, "fewer agents fit")
        return np.ascontiguousarray(table.reshape(interleaved).transpose([*range(0, 2 * n, 2), *range(1, 2 * n, 2)]))

    def _over_actions(self, Q_i: Array) -> Array:
        """E_{a~ζ} Q_i(s, a), shape (S_0, …, S_{n-1})."""
        for j in range(self.n - 1, -1, -1):
            shape = [1] * (Q_i.ndim - 1)
            shape[j] = self.zeta[j].shape[0]
            Q_i = (Q_i * self.zeta[j].reshape(*shape, -1)).sum(axis=-1)
        return Q_i


def chain_of(mdp: Model | CountedMDP, theta: Theta) -> Chain:
    """The chain of the policy tuple θ: over states, over pairs where a model couples. Errors name the agent."""
    model = exact_model(mdp)
    blocks, zeta = logits_and_policies(model, theta)
    sizes, _ = chain_sizes(model)
    before, each = (0, 2) if model.couples else (1, 1)
    if model.n * each >= MOST_AXES and 8 * math.prod(sizes) <= allowed_bytes(None):  # what cannot fit is told later
        demand_axes(model.n, before, each)
    known, hoods, gamma, r = facts(model), model.neighbors, model.gamma, model.r
    if isinstance(model, NetworkedMDP):
        return Chain(model, known, blocks, zeta, sizes, hoods, gamma, known.start, *averaged(known.stacks, zeta))
    means = np.concatenate([over_pairs(r_i, len(hood)).ravel() for r_i, hood in zip(r, hoods, strict=True)])
    acted = (over_pairs(P_i, len(hood))[..., None] for P_i, hood in zip(model.P, hoods, strict=True))
    laws = np.concatenate([(P_i * zeta_i).ravel() for P_i, zeta_i in zip(acted, zeta, strict=True)])
    if isinstance(model.pi0, np.ndarray):
        joint = model.pi0.reshape(*model.state_sizes, *(1,) * model.n) * joint_policy(zeta)
        start: Array | tuple[Array, ...] = over_pairs(joint, model.n)
    else:
        start = tuple((pi0_i[:, None] * zeta_i).ravel() for pi0_i, zeta_i in zip(model.pi0, zeta, strict=True))
    return PairChain(model, known, blocks, zeta, sizes, hoods, gamma, start, laws, means)
