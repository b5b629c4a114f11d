"""Algorithm 1 without sampling: E Q̂_i^T and E ĝ_i(m), exactly, for any κ, T, h, t0.

Line 7 is linear in Q̂ with coefficients that (x(t-1), x(t)) determine. So for d_t = 1, or the weight of one cell so far,
d_t(x) = Σ_{t'≤t} γ^{t'} 1{x(t') = x}, the tables

    B_t(z)[y] = E[d_t Q̂^t(y) 1{z(t) = z}],      z = (s, a_B),      B = N_i^κ,      y over the cells of i,

close under a linear recursion that carries E[d_t 1{z(t) = z}] along: for B before d_t receives the visit of time t,

    B_t(z')[y] = Σ_z P(z'|z) B_{t-1}(z)[y]
               + α_{t-1} Σ_{z ∈ y} P(z'|z) (r_i(z) E[d 1{z}] + γ B_{t-1}(z)[x(z')] - B_{t-1}(z)[y]).

Line 11 needs no more: i ∈ N_j^κ if and only if z_i is part of the cell of j, so

    E ĝ_i(m) = (1/n) Σ_{j ∈ N_i^κ} Σ_x ∇ log ζ_i(x_i) E[Q̂_j^T(x) d_T(x)],

the entries y = x of the tables of d(x) at time T. The weights d(x) do not see each other: one table at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sacrepro.exact.law.cell_chain import (
    WORK,
    CellChain,
    afford,
    as_Q_hat,
    cell_chain,
    first_tables,
    kappa_within,
    law_cost,
    mixed_chain,
    step_sizes,
    weights_together,
)
from sacrepro.exact.law.moments import final_sums, rounding_error
from sacrepro.exact.models import exact_model
from sacrepro.exact.values import objective_and_gradient
from sacrepro.model.checks import Array, is_listed
from sacrepro.model.graph import check_agents, neighborhood
from sacrepro.model.mdp import CountedMDP, Model
from sacrepro.model.notices import in_one_line
from sacrepro.model.policy import (
    Checked,
    Theta,
    all_actions_possible,
    check_theta,
    checked,
    mixed,
    pair_marginals,
    policies,
    score,
)


@in_one_line
class ExpectedUpdate(NamedTuple):
    """The law of one outer iteration of Algorithm 1 at θ(m) = θ, in the mean.

    g_hat   : E ĝ_i(m) of lines 10-11, blocks (S_i, A_i).      Q_hat : E Q̂_i^T over the cells, shape of Q̂_i.
    error   : certified bound on the 2-norm of the error of all of g_hat, and on the error of each entry of Q_hat.
    b       : E ĝ(m) - ∇J(θ(m)), the bias of the step, blocks (S_i, A_i); ∇J is that of the policies that are run.
    b_error : certified bound on the 2-norm of the error of all of b.

    >>> from sacrepro import build, expected_update, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> step = expected_update(mdp, uniform_theta(mdp), kappa=1, T=20, h=2, t0=4)
    >>> step.Q_hat[0].shape, step.error < 1e-9
    ((2, 2, 1, 2, 2, 1), True)
    """

    g_hat: tuple[Array, ...]
    Q_hat: tuple[Array, ...]
    error: float
    b: tuple[Array, ...]
    b_error: float


def expected_update(
    mdp: Model | CountedMDP,
    theta: Theta,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
    epsilon: float = 0.0,
    Q_hat: Sequence[Array] | None = None,
    work: int = WORK,
    memory_limit: int | None = None,
) -> ExpectedUpdate:
    """E ĝ_i(m) and E Q̂_i^T of Algorithm 1 at θ(m) = `theta`, α_t = h/(t+t0), exactly.

    epsilon : policies (1-ε) softmax + ε uniform with their exact score, as the learner's extension has them.
    Q_hat   : Q̂^0 of line 3, one table an agent in the shape of Q̂_i, for a warm start; zero by default.

    h may exceed t0: line 7 is then computed as printed, and `error` says what that costs.
    A κ beyond the diameter is that of the diameter, with a warning.
    Raises TypeError or ValueError naming the argument, ValueError where more than `work` multiply-adds are needed and
    MemoryError where the tables do not fit, both before anything is computed; `law_cost` tells beforehand.
    work : most multiply-adds.        memory_limit : bytes; by default a share of all memory.

    >>> from sacrepro import build, expected_update, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> step = expected_update(mdp, uniform_theta(mdp), kappa=0, T=20, h=2, t0=4)
    >>> step.g_hat[0].shape
    (2, 2)
    """
    return expected_updates(
        mdp, theta, kappa=kappa, lengths=[T], h=h, t0=t0, epsilon=epsilon, Q_hat=Q_hat, work=work,
        memory_limit=memory_limit,
    )[0]  # fmt: skip


def expected_updates(
    mdp: Model | CountedMDP,
    theta: Theta,
    *,
    kappa: int,
    lengths: Sequence[int],
    h: float,
    t0: float,
    epsilon: float = 0.0,
    Q_hat: Sequence[Array] | None = None,
    work: int = WORK,
    memory_limit: int | None = None,
) -> list[ExpectedUpdate]:
    """`expected_update` for each T of `lengths`, at least one, at the cost of the largest."""
    mdp = exact_model(mdp)
    some = is_listed(lengths) and len(lengths) > 0
    if not some:
        raise ValueError(f"lengths must be a sequence of at least one T, got {lengths!r}")
    all_actions_possible(theta, "E ĝ, which is in θ,")
    theta, kappa = checked(mdp, theta), kappa_within(mdp, kappa)
    for T in lengths:
        step_sizes(T, h, t0, epsilon)
    alpha = step_sizes(max(lengths), h, t0, epsilon)
    afford(law_cost(mdp, kappa=kappa, T=len(alpha)), work, memory_limit)
    chain, starts = mixed_chain(mdp, theta, epsilon), first_tables(mdp, kappa, Q_hat)
    n, sizes = mdp.n, list(zip(mdp.state_sizes, mdp.action_sizes, strict=True))
    sums = [[np.zeros(size) for size in sizes] for _ in lengths]
    means: list[list[Array]] = [[np.zeros(0)] * n for _ in lengths]
    error, g_error = np.zeros(len(lengths)), np.zeros(len(lengths))
    for alike in _alike(mdp, kappa):
        all_cells = [cell_chain(chain, j, kappa) for j in alike]
        # Line 7 is linear in r and Q̂, and of agents with the same cells line 11 sees the sum.
        cells = replace(all_cells[0], reward=np.sum([cells_j.reward for cells_j in all_cells], axis=0))
        start = np.sum([starts[j] for j in alike], axis=0)
        found = _critic(cells, start, alpha, range(cells.shape.c), lengths)
        for j, cells_j in zip(alike, all_cells, strict=True):
            own = found if len(alike) == 1 else _critic(cells_j, starts[j], alpha, range(0), lengths)
            for k, (T, (_, mean)) in enumerate(zip(lengths, own, strict=True)):
                means[k][j] = as_Q_hat(mean, cells_j.shape, mdp)
                # In terms of each agent's scale, which the sum over them does not exceed.
                off = rounding_error(cells_j, starts[j], alpha[:T])
                error[k] = max(error[k], off)
                g_error[k] += 2.0 * len(cells.shape.hood) * off / (1.0 - mdp.gamma) / n
        for k, (weighted, _) in enumerate(found):
            by_pair = pair_marginals(weighted.reshape(*cells.shape.S, *cells.shape.A))
            for i, marginal in zip(cells.shape.inside, by_pair, strict=True):
                sums[k][i] += marginal.reshape(sizes[i])
    softmax, (gradient, gradient_error) = policies(mdp, theta), _gradient(mdp, theta, epsilon)
    updates = []
    for k in range(len(lengths)):
        g_hat = _through_score(softmax, epsilon, [sums_i / n for sums_i in sums[k]])
        off = float(max(error[k], g_error[k])) * (1.0 + 1e-9)
        b = tuple(g - block for g, block in zip(g_hat, gradient, strict=True))
        updates.append(ExpectedUpdate(g_hat, tuple(means[k]), off, b, off + gradient_error))
    return updates


def _alike(mdp: Model, kappa: int) -> list[list[int]]:
    """The agents by N_i^κ, which decides their cells and who is outside."""
    found: dict[tuple[int, ...], list[int]] = {}
    for i in range(mdp.n):
        found.setdefault(neighborhood(mdp.graph, i, kappa), []).append(i)
    return list(found.values())


def mean_curve(
    mdp: Model | CountedMDP,
    theta0: Theta,
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    epsilon: float = 0.0,
    work: int = WORK,
    memory_limit: int | None = None,
) -> tuple[Array, ...]:
    """θ(0), …, θ(M) of θ(m+1) = θ(m) + η/√(m+1) E ĝ(m): Algorithm 1 with its step replaced by the mean.

    One array (M + 1, S_i, A_i) an agent, no seeds. `work` and `memory_limit` are those of one `expected_update`.
    Arguments and errors as of `expected_update`, M and eta as of `sac`.

    >>> from sacrepro import build, mean_curve, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> curve = mean_curve(mdp, uniform_theta(mdp), kappa=0, M=3, T=20, h=2, t0=4, eta=1.0)
    >>> curve[0].shape
    (4, 2, 2)
    """
    if isinstance(M, bool) or not isinstance(M, (int, np.integer)) or M < 1:
        raise ValueError(f"M must be an integer of at least 1, got {M!r}")
    if isinstance(eta, bool) or not (isinstance(eta, (int, float, np.number)) and math.isfinite(eta) and eta > 0):
        raise ValueError(f"eta must be finite and above 0, got {eta!r}")
    mdp = exact_model(mdp)
    start, kappa = checked(mdp, theta0, "theta0"), kappa_within(mdp, kappa)
    theta = [check_theta(mdp, start)]
    for m in range(M):
        at = start if m == 0 else Checked(theta[-1])
        g_hat = expected_update(
            mdp, at, kappa=kappa, T=T, h=h, t0=t0, epsilon=epsilon, work=work, memory_limit=memory_limit
        ).g_hat
        theta.append(tuple(block + eta / math.sqrt(m + 1.0) * g for block, g in zip(theta[-1], g_hat, strict=True)))
    return tuple(np.stack(blocks) for blocks in zip(*theta, strict=True))


def expected_critic(
    mdp: Model | CountedMDP,
    theta: Theta,
    *,
    kappa: int,
    T: int,
    h: float,
    t0: float,
    epsilon: float = 0.0,
    Q_hat: Sequence[Array] | None = None,
    agents: Sequence[int] | None = None,
    work: int = WORK,
    memory_limit: int | None = None,
) -> tuple[tuple[Array, ...], float]:
    """(E Q̂_i^T for each of `agents`, certified error of each entry): what `expected_update` says of the critic alone.

    One weight in place of one for each cell, so T may be a few hundred times as long; arguments and errors as there.

    >>> from sacrepro import build, expected_critic, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> Q_hat, error = expected_critic(mdp, uniform_theta(mdp), kappa=0, T=20, h=2, t0=4, agents=[0])
    >>> Q_hat[0].shape, error < 1e-9
    ((2, 1, 1, 2, 1, 1), True)
    """
    mdp = exact_model(mdp)
    kappa = kappa_within(mdp, kappa)
    alpha = step_sizes(T, h, t0, epsilon)
    agents = check_agents(range(mdp.n) if agents is None else agents, mdp.n)
    afford(law_cost(mdp, kappa=kappa, T=T, critic_only=True, agents=agents), work, memory_limit)
    chain, starts = mixed_chain(mdp, theta, epsilon), first_tables(mdp, kappa, Q_hat)
    means, error = [], 0.0
    for i in agents:
        cells = cell_chain(chain, i, kappa)
        means.append(as_Q_hat(_critic(cells, starts[i], alpha, range(0), [T])[0][1], cells.shape, mdp))
        error = max(error, rounding_error(cells, starts[i], alpha))
    return tuple(means), error


def _critic(
    cells: CellChain, start: Array, alpha: Array, marked: Sequence[int], lengths: Sequence[int]
) -> list[tuple[Array, Array]]:
    """(E[Q̂^T(x) d_T(x)] for the cells x of `marked`, E Q̂^T over all cells) for each T of `lengths`."""
    size = weights_together(cells.shape)
    weighted: list[list[Array]] = [[np.zeros(0)] for _ in lengths]
    means = [np.zeros(0)] * len(lengths)
    for low in range(0, max(1, len(marked)), size):
        block = np.array(marked[low : low + size], dtype=np.int64)
        for k, final in enumerate(final_sums(cells, start, alpha, block, lengths)):
            means[k] = final[:-1, 0]
            weighted[k].append(final[block, 1 + np.arange(len(block))])
    return [(np.concatenate(parts), mean) for parts, mean in zip(weighted, means, strict=True)]


def _through_score(softmax: Sequence[Array], epsilon: float, sums: Sequence[Array]) -> tuple[Array, ...]:
    """Σ_a sums_i(s, a) ∂ log ζ_i^ε(a|s) / ∂θ_i(s, b): the mixture's score is (1-ε) ζ_i/ζ_i^ε times the softmax's."""
    blocks = []
    for zeta_i, sums_i, mixed_i in zip(softmax, sums, mixed(softmax, epsilon).zeta, strict=True):
        weight = np.divide((1.0 - epsilon) * zeta_i, mixed_i, out=np.zeros(zeta_i.shape), where=mixed_i > 0)
        blocks.append(np.einsum("sa,sab->sb", weight * sums_i, score(zeta_i)))
    return tuple(blocks)


def _gradient(mdp: Model, theta: Theta, epsilon: float) -> tuple[tuple[Array, ...], float]:
    """(∇_θ J of the mixed policies, bound on the 2-norm of its error).

    With G the gradient in the logits of the mixture, G_i(s, a) = π(s) ζ_i^ε(a|s) A_i(s, a)/(1-γ), what multiplies the
    score in Lemma 1; the score's mean is zero. Through it an error grows by 1 + √A_i at most.
    """
    if epsilon == 0.0:
        exact = objective_and_gradient(mdp, theta)
        return exact.gradient, math.sqrt(mdp.n) * exact.gradient_error
    softmax = policies(mdp, theta)
    exact = objective_and_gradient(mdp, mixed(softmax, epsilon))
    growth = 1.0 + math.sqrt(max(mdp.action_sizes))
    return _through_score(softmax, epsilon, exact.gradient), growth * math.sqrt(mdp.n) * exact.gradient_error
