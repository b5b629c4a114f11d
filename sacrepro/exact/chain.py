"""The Markov chain s(t) → s(t+1) that a localized policy θ makes of the model: P^θ, r_i^θ and their rounding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sacrepro.exact.dense import averaged_kernels
from sacrepro.exact.product.operator import FactoredOperator
from sacrepro.exact.product.steps import Choice, Step
from sacrepro.exact.rounding import averaging_roundings, normalising_roundings, policy_roundings, row_sum_range
from sacrepro.model.checks import Array
from sacrepro.model.mdp import CountedMDP, CoupledMDP, Model, NetworkedMDP, no_model
from sacrepro.model.policy import Theta, logits_and_policies

#: Operators over part of the agents are kept, this many of them, up to this many peak entries each.
KEPT_CONES, KEPT_ENTRIES = 64, 1 << 15


@dataclass(frozen=True, eq=False, repr=False)
class Chain:
    """P^θ = Π_j P̄_j in factored form, with r_i^θ(s_i) = Σ_a ζ_i(a|s_i) r_i(s_i, a).

    theta, zeta : blocks (S_i, A_i). P_bar : (S_k for k in sorted N_i) + (S_i,).
    rewards     : (S_i,) each; in a chain whose rewards see more, the states of `reward_hoods[i]`.
    """

    mdp: NetworkedMDP
    theta: tuple[Array, ...]
    zeta: tuple[Array, ...]
    P_bar: tuple[Array, ...]
    rewards: tuple[Array, ...]

    @cached_property
    def entries(self) -> int:
        """Number of joint states, Π S_i."""
        return int(np.prod([float(S_i) for S_i in self.mdp.state_sizes]))

    @cached_property
    def operator(self) -> FactoredOperator:
        """P^θ on tables over all agents."""
        return FactoredOperator(self.P_bar, self.mdp.neighbors, self.mdp.state_sizes, known=self._steps)

    def cone(self, support: tuple[int, ...]) -> FactoredOperator:
        """P^θ on tables over the agents of `support`; the result lives on the union of their neighborhoods."""
        mdp = self.mdp
        agents = frozenset(support)
        operator = self._cones.get(agents)
        if operator is None:
            operator = FactoredOperator(
                self.P_bar, mdp.neighbors, mdp.state_sizes, support, self.operator.order, known=self._steps
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
        return FactoredOperator(self.P_bar, self.mdp.neighbors, self.mdp.state_sizes, largest_group=1)

    @cached_property
    def row_sums(self) -> tuple[float, float]:
        """Bounds (least, largest) on the row sums of P^θ: 1, and what the kernels as given miss of it."""
        low, high = row_sum_range(self.mdp.P)
        return min(low, 1.0), max(high, 1.0)

    @cached_property
    def kernel_roundings(self) -> float:
        """Roundings between Π_j P̄_j as computed and for the exact softmax and kernels that are normalised exactly."""
        return averaging_roundings(self.mdp, self.theta) + normalising_roundings(self.mdp.P)

    @cached_property
    def reward_hoods(self) -> tuple[tuple[int, ...], ...]:
        """The agents whose states each r_i^θ depends on, sorted: i alone, by eq. (2)."""
        return tuple((i,) for i in range(self.mdp.n))

    def reward_size(self, i: int) -> float:
        """max r_i: what roundings of ζ_i are relative to, also where the mean r_i^θ is small."""
        return float(self.mdp.r[i].max())

    def reward_roundings(self, i: int) -> float:
        """Roundings between r_i^θ as computed and for the exact softmax."""
        return policy_roundings(self.theta[i]) + self.theta[i].shape[1] + 1

    def discount_range(self) -> tuple[float, float]:
        """(least, largest) value of Σ_t γ^t (P^θ)^t 1, as stored or normalised; ValueError if it need not converge."""
        low, high = self.row_sums
        gamma = self.mdp.gamma
        if not gamma * high < 1.0:
            raise ValueError(
                f"gamma = {gamma!r} times the largest row sum {high!r} of P is not below 1, "
                "so the discounted sums are not bounded; normalise the kernels or lower gamma"
            )
        return 1.0 / (1.0 - gamma * low), 1.0 / (1.0 - gamma * high)


def exact_model(mdp: object) -> Model:
    """`mdp` as the functions of this room take it, a model by counts with its kernels over s_{N_i}.

    Raises TypeError for what is no model, ValueError where a count cannot be tabulated.
    """
    if isinstance(mdp, (NetworkedMDP, CoupledMDP)):
        return mdp
    if isinstance(mdp, CountedMDP):
        return mdp.expanded()
    raise no_model(mdp)


def plain_model(mdp: object, asked: str, instead: str) -> NetworkedMDP:
    """As `exact_model`, for what has no theory for action-coupled models: TypeError names what is asked and instead."""
    model = exact_model(mdp)
    if isinstance(model, CoupledMDP):
        raise TypeError(f"{asked} takes a NetworkedMDP or a CountedMDP, got a CoupledMDP; {instead}")
    return model


def chain_of(mdp: NetworkedMDP, theta: Theta) -> Chain:
    """The chain of the policy tuple θ; errors name the agent whose block is wrong."""
    blocks, zeta = logits_and_policies(mdp, theta)
    rewards = tuple((zeta_i * r_i).sum(axis=1) for zeta_i, r_i in zip(zeta, mdp.r, strict=True))
    return Chain(mdp, blocks, zeta, averaged_kernels(mdp, zeta), rewards)
