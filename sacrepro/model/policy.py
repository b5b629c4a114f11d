"""Section 2: localized policies ζ_i^{θ_i}(a_i | s_i), here the tabular softmax, and their scores.

θ_i has shape (S_i, A_i) and ζ_i(a|s) ∝ exp θ_i(s, a). A logit of -inf makes an action impossible, so the
deterministic localized policies, over which Definition 2 also quantifies, are members of the family.

Every function that takes θ takes a `Policy` in its place: the probabilities ζ_i(a|s) themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from sacrepro.model.checks import (
    SINGLE_PRECISION,
    Array,
    action_table,
    action_tables,
    distributions,
    is_listed,
    local_tables,
    one_an_agent,
    real,
)
from sacrepro.model.notices import sizes, warn

#: L_i of Assumption 4 for the tabular softmax: ‖e_a - ζ_i(·|s)‖ ≤ √2, approached as ζ_i(·|s) tends to another vertex.
SCORE_BOUND = float(np.sqrt(2.0))


def on_agent_axes(table: Array, j: int, n: int) -> Array:
    """A table over (s_j, a_j), such as ζ_j, laid on these two axes of a table over (s, a) of n agents."""
    return table.reshape([table.shape[axis // n] if axis % n == j else 1 for axis in range(2 * n)])


def pair_marginals(table: Array) -> list[Array]:
    """A table over (s, a), or over cells, summed to (s_i, a_i) for each agent i: (S_i, A_i), or (1, 1) outside."""
    n, found = table.ndim // 2, []
    rows, columns = (math.prod(sizes) for sizes in (table.shape[:n], table.shape[n:]))
    for S_i, A_i in zip(table.shape[:n], table.shape[n:], strict=True):
        rows, columns = rows // S_i, columns // A_i
        table = table.reshape(S_i, rows, A_i, columns)
        found.append(table.sum(axis=(1, 3)))
        table = table.sum(axis=(0, 2))
    return found


def joint_policy(zeta: Sequence[Array]) -> Array:
    """Π_i ζ_i(a_i|s_i), shape (S_0, …, S_{n-1}, A_0, …, A_{n-1})."""
    n = len(zeta)
    joint = np.ones((1,) * (2 * n))
    for j, zeta_j in enumerate(zeta):
        joint = joint * on_agent_axes(zeta_j, j, n)
    return joint


def softmax(theta_i: Array) -> Array:
    """ζ_i(a|s) = exp θ_i(s,a) / Σ_b exp θ_i(s,b), shape (S_i, A_i).

    theta_i : logits of one agent.
    Raises TypeError unless they are real numbers, ValueError for NaN, +inf, or a state whose logits are all -inf.

    >>> import numpy as np
    >>> from sacrepro import softmax
    >>> softmax(np.log([[1.0, 3.0], [1.0, 1.0]])).round(6)
    array([[0.25, 0.75],
           [0.5 , 0.5 ]])
    """
    theta_i = real("theta_i", theta_i)
    if theta_i.ndim != 2:
        raise ValueError(f"theta_i has shape {theta_i.shape}, expected (S_i, A_i)")
    if theta_i.shape[1] == 0:
        raise ValueError(f"theta_i has shape {theta_i.shape}: there is no action")
    largest = theta_i.max(axis=1, keepdims=True)
    if not np.isfinite(largest).all():
        s = int(np.argwhere(~np.isfinite(largest))[0][0])
        raise ValueError(
            f"theta_i has logits {theta_i[s].tolist()} in state {s}; expected finite ones or -inf, not all -inf"
        )
    with np.errstate(over="ignore"):  # a difference beyond the range of floats is one of probability 0
        weights = np.exp(theta_i - largest)
    return weights / weights.sum(axis=1, keepdims=True)


class Sized(Protocol):
    """What policies see of a model, a simulator or a network file: how many local states and actions agents have."""

    @property
    def state_sizes(self) -> Sequence[int] | Array: ...

    @property
    def action_sizes(self) -> Sequence[int] | Array: ...


def agent_sizes(mdp: Sized) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """((S_0, …), (A_0, …)); TypeError for what has no sizes, ValueError for sizes that are none or do not match."""
    if hasattr(mdp, "couples"):  # a model, which has checked the tables that its sizes are those of
        return tuple(mdp.state_sizes), tuple(mdp.action_sizes)
    if not all(hasattr(mdp, name) for name in ("state_sizes", "action_sizes")):
        raise TypeError(
            f"expected a model such as a NetworkedMDP, got {type(mdp).__name__}, without state_sizes and action_sizes"
        )
    n = len(mdp.graph) if hasattr(mdp, "graph") else None
    S = one_size_an_agent("state_sizes", mdp.state_sizes, n)
    return S, one_size_an_agent("action_sizes", mdp.action_sizes, len(S))


def one_size_an_agent(name: str, numbers: object, n: int | None = None) -> tuple[int, ...]:
    """`numbers` as a tuple; TypeError or ValueError unless they are integers of at least 1, one an agent."""
    if not is_listed(numbers):
        raise TypeError(f"{name} must hold one integer an agent, got {numbers!r}")
    if n is not None and len(numbers) != n:
        raise ValueError(f"{name} holds {len(numbers)} numbers, but the graph has {n} agents")
    for i, size in enumerate(numbers):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"{name}[{i}] of agent {i} must be an integer of at least 1, got {size!r}")
    return tuple(map(int, numbers))


class Policy:
    """Localized policies as probabilities ζ_i(a|s), copied, checked and frozen; accepted wherever θ is.

    zeta  : one block of shape (S_i, A_i) an agent, each row a distribution; zeros are allowed, so a policy may be
            deterministic. Errors name the agent and the row.
    theta : log ζ, -inf where ζ is zero; the same policy as logits.

    >>> import numpy as np
    >>> from sacrepro import Policy, build, evaluate
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> always_0 = Policy((np.array([[1.0, 0.0], [1.0, 0.0]]),) * 3)
    >>> print(round(evaluate(mdp, always_0).J, 6))
    1.0
    """

    def __init__(self, zeta: Sequence[Array]) -> None:
        blocks = tuple(one_an_agent("zeta", zeta))
        if not blocks:
            raise ValueError("zeta holds no array, expected one an agent")
        tables = local_tables("zeta", blocks, len(blocks))
        for i, zeta_i in enumerate(tables):
            if zeta_i.ndim != 2 or zeta_i.size == 0:
                raise ValueError(f"zeta[{i}] of agent {i} has shape {zeta_i.shape}, expected (S_{i}, A_{i})")
        self.zeta: tuple[Array, ...] = distributions("zeta", tables)

    @classmethod
    def from_logits(cls, theta: Sequence[Array]) -> Policy:
        """The tabular softmax of θ."""
        return cls([policy_of(i, theta_i) for i, theta_i in enumerate(one_an_agent("theta", theta))])

    @classmethod
    def of(cls, mdp: Sized, rule: Callable[[int, int], object]) -> Policy:
        """rule(i, s) for every agent and local state: an action, or a distribution over the A_i actions."""
        if not callable(rule):
            told = f"rule must be a function of (i, s_i), got {type(rule).__name__}"
            raise TypeError(f"{told}; of a dictionary by (agent, state) pass lambda i, s: rule[i, s]")
        blocks = []
        for i, (S_i, A_i) in enumerate(zip(*agent_sizes(mdp), strict=True)):
            block = np.zeros((S_i, A_i))
            for s in range(S_i):
                choice = rule(i, s)
                if isinstance(choice, (int, np.integer)) and not isinstance(choice, bool):
                    if not 0 <= choice < A_i:
                        raise ValueError(f"rule({i}, {s}) is action {choice}, but agent {i} has 0..{A_i - 1}")
                    block[s, int(choice)] = 1.0
                    continue
                row = real(f"rule({i}, {s})", choice)
                if row.shape != (A_i,):
                    raise ValueError(f"rule({i}, {s}) must be an action or a distribution over {A_i}, got {choice!r}")
                block[s] = row
            blocks.append(block)
        return cls(blocks)

    @cached_property
    def theta(self) -> tuple[Array, ...]:
        """log ζ, blocks (S_i, A_i), -inf where ζ is zero."""
        with np.errstate(divide="ignore"):
            return tuple(np.log(zeta_i) for zeta_i in self.zeta)

    def __repr__(self) -> str:
        S, A = zip(*(zeta_i.shape for zeta_i in self.zeta), strict=True)
        deterministic = all(((zeta_i == 0) | (zeta_i == 1)).all() for zeta_i in self.zeta)
        return f"Policy(n={len(S)}, S={sizes(S)}, A={sizes(A)}{', deterministic' if deterministic else ''})"


#: What a function of θ is given: logits, or a `Policy` in their place.
Theta = Sequence[Array] | Policy


class Checked(tuple[Array, ...]):
    """Blocks of θ as `check_theta` leaves them: who is given them again does not warn of them again."""


def check_theta(mdp: Sized, theta: Theta, name: str = "theta") -> tuple[Array, ...]:
    """θ as a tuple of float64 arrays, one of shape (S_i, A_i) an agent; ValueError names the agent that differs.

    Warns where every row of every agent is a distribution, which are probabilities taken for logits.
    """
    if isinstance(theta, Policy):
        action_tables("zeta", theta.zeta, *agent_sizes(mdp))
        return theta.theta
    blocks = action_tables(name, theta, *agent_sizes(mdp))
    if not isinstance(theta, Checked):
        warn_of_probabilities(blocks, name)
    return Checked(blocks)


def checked(mdp: Sized, theta: Theta, name: str = "theta") -> Theta:
    """`theta` after `check_theta`, a `Policy` as it is: what a function hands on that needs it several times."""
    blocks = check_theta(mdp, theta, name)
    return theta if isinstance(theta, Policy) else blocks


def warn_of_probabilities(blocks: Sequence[Array], name: str = "theta") -> None:
    """Warn if every row of every block is a distribution and not all are uniform: as logits they mean another policy.

    Uniform rows mean the uniform policy either way.
    """
    # Logits hardly ever pass the first row, so this is what a call costs.
    if blocks[0].size == 0 or abs(float(blocks[0][0].sum()) - 1.0) > SINGLE_PRECISION:
        return
    if not all((block >= 0).all() and (np.abs(block.sum(axis=1) - 1.0) <= SINGLE_PRECISION).all() for block in blocks):
        return
    if not all((np.ptp(block, axis=1) <= SINGLE_PRECISION).all() for block in blocks):
        warn(
            f"every row of {name} is a distribution, but {name} is taken for logits, whose softmax is another policy; "
            f"pass sacrepro.Policy({name}) if these are probabilities, or subtract 1 from every entry, which changes "
            "no policy, if they are logits"
        )


def all_actions_possible(theta: Theta, purpose: str) -> Theta:
    """`theta` itself; ValueError for a `Policy` with a probability of zero, which no finite logit gives."""
    if isinstance(theta, Policy):
        for i, zeta_i in enumerate(theta.zeta):
            if not (zeta_i > 0).all():
                s, a = (int(k) for k in np.argwhere(zeta_i == 0)[0])
                raise ValueError(
                    f"zeta[{i}] of agent {i} has probability 0 for action {a} in state {s}: {purpose} needs "
                    "probabilities above 0, since θ = log ζ; mix in a little of the uniform policy"
                )
    return theta


def policies(mdp: Sized, theta: Theta) -> tuple[Array, ...]:
    """(ζ_0, …, ζ_{n-1}): the localized policies of θ, blocks (S_i, A_i); errors name the agent."""
    return logits_and_policies(mdp, theta)[1]


def logits_and_policies(mdp: Sized, theta: Theta) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """(θ, ζ), both as blocks (S_i, A_i), checked once."""
    blocks = check_theta(mdp, theta)
    if isinstance(theta, Policy):
        return blocks, theta.zeta
    try:
        return blocks, softmaxes(blocks)
    except ValueError:
        for i, block in enumerate(blocks):
            policy_of(i, block)
        raise


def softmaxes(blocks: Sequence[Array]) -> tuple[Array, ...]:
    """The softmax over the last axis of each block, as `softmax`, of those with equally many actions at once."""
    alike: dict[int, list[int]] = {}
    for i, block in enumerate(blocks):
        alike.setdefault(block.shape[-1], []).append(i)
    zeta = list(blocks)
    for A, agents in alike.items():
        rows = softmax(np.concatenate([blocks[i].reshape(-1, A) for i in agents]))
        end = 0
        for i in agents:
            start, end = end, end + blocks[i].size // A
            zeta[i] = rows[start:end].reshape(blocks[i].shape)
    return tuple(zeta)


def policy_of(i: int, theta_i: Array) -> Array:
    """ζ_i of agent i; errors name the agent."""
    try:
        return softmax(theta_i)
    except ValueError as error:
        raise ValueError(f"agent {i}: {error}") from None


def policy_at(theta: Theta, j: int, size: tuple[int, int]) -> Array:
    """ζ_j of agent j alone, block (S_j, A_j) of the given size; errors name the agent."""
    if not isinstance(theta, Policy):
        return policy_of(j, action_table("theta", j, theta[j], size))
    if j >= len(theta.zeta):
        raise ValueError(f"zeta holds {len(theta.zeta)} arrays, but there is an agent {j}")
    return action_table("zeta", j, theta.zeta[j], size)


def mixed(zeta: Sequence[Array], epsilon: float) -> Policy:
    """(1-ε) ζ_i + ε/A_i for each agent: the policies of Algorithm 1's extension `epsilon`."""
    return Policy([(1.0 - epsilon) * zeta_i + epsilon / zeta_i.shape[1] for zeta_i in zeta])


def score(zeta_i: Array) -> Array:
    """∂ log ζ_i(a|s) / ∂ θ_i(s,b) = 1{a=b} - ζ_i(b|s), shape (S_i, A_i, A_i) indexed [s, a, b].

    Derivatives with respect to θ_i(s', ·) for s' ≠ s vanish and are not stored.
    """
    return np.eye(zeta_i.shape[1]) - zeta_i[:, None, :]


def score_norm(zeta_i: Array) -> float:
    """max_{s,a} ‖∇_{θ_i} log ζ_i(a|s)‖₂, the least L_i that Lemma 4 admits at this θ_i; at most `SCORE_BOUND`."""
    return float(np.linalg.norm(score(zeta_i), axis=2).max())


def uniform_theta(mdp: Sized) -> tuple[Array, ...]:
    """θ = 0: every agent picks its actions uniformly.

    Blocks (S_i, A_i). Raises TypeError for what is no model.

    >>> from sacrepro import build, softmax, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> softmax(uniform_theta(mdp)[0])
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    return tuple(np.zeros(shape) for shape in zip(*agent_sizes(mdp), strict=True))


def gaussian_theta(mdp: Sized, rng: np.random.Generator, scale: float = 1.0) -> tuple[Array, ...]:
    """θ with independent N(0, scale²) logits.

    Blocks (S_i, A_i). rng : the generator. scale : their standard deviation. Raises TypeError for what is no model.

    >>> import numpy as np
    >>> from sacrepro import build, gaussian_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> [theta_i.shape for theta_i in gaussian_theta(mdp, np.random.default_rng(0))]
    [(2, 2), (2, 2), (2, 2)]
    """
    return tuple(scale * rng.standard_normal(shape) for shape in zip(*agent_sizes(mdp), strict=True))
