"""What Algorithm 1 is compared with at equal samples: the same episodes, ascent and trace, another estimate of Q.

* REINFORCE, `reinforce`: line 11 holds the observed returns of the agents in N_i^κ against the score, no Q̂ is learned.
* Independent learners: `sac` with κ = 0. Each agent learns Q̂_i(s_i, a_i) and holds nothing but its own against its
  score, as if the others were a part of its environment.
* The full critic: `sac` with κ = the diameter, or any larger number, which changes nothing. Every Q̂_i is a table over
  all states and actions, eqs. (5)-(7) hold without truncation, and an episode visits a vanishing part of each table.
* The pairwise critic, `pairwise`: Q̂_i linear in indicators of agents and pairs, learned by TD(0).
* REINFORCE with κ = the diameter is the policy gradient theorem (4) with returns cut at T: its mean is ∇J up to
  O(γ^{T+1}), whatever the network. With a smaller κ it leaves out the agents that Algorithm 1 leaves out.

All of them draw the words of `simulate.random_bits`: at equal (seed, m) and equal policies they see equal episodes.
"""

from __future__ import annotations

import numpy as np

from sacrepro.learn.algorithm1 import run
from sacrepro.learn.cells import Hoods
from sacrepro.learn.critic import Schedule
from sacrepro.learn.problem import Problem, SACTrace, Settings
from sacrepro.model.checks import Array
from sacrepro.model.compiled import compiled
from sacrepro.model.policy import Theta
from sacrepro.simulate.trajectory import Episode


def reinforce(
    mdp: object,
    theta0: Theta,
    *,
    kappa: int,
    M: int,
    T: int,
    eta: float,
    seed: int,
    record_every: int | None = None,
    epsilon: float = 0.0,
) -> SACTrace:
    """θ(M) by Algorithm 1 with the return R_j(t) = Σ_{u=t}^T γ^{u-t} r_j(u) in place of Q̂_j^T at time t in line 11.

    Arguments and errors as of `sac`. `first_visit_share` of the trace is nan: there is no table.

    >>> from sacrepro import build, reinforce, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> reinforce(mdp, uniform_theta(mdp), kappa=1, M=10, T=20, eta=1.0, seed=0).theta[0].shape
    (2, 2)
    """
    settings = Settings(kappa=kappa, M=M, T=T, eta=eta, record_every=record_every, epsilon=epsilon)
    return run(Returns, mdp, theta0, settings, (seed,))[0]


class Returns:
    """Lines 3-10 left out: the sums of line 11 with R_j(t) in place of Q̂_j^T."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """Writes G and J; there is no share of first visits."""
        problem = self.problem
        return_sums(episode, problem.pair, problem.hoods, problem.plan.weight, problem.copies, G, J)
        share.fill(float("nan"))


@compiled
def return_sums(episode: Episode, pair: Array, hoods: Hoods, weight: Array, copies: int, G: Array, J: Array) -> None:
    """Writes G[i, z] = Σ_t γ^t Σ_{j ∈ N_i^κ} R_j(t) 1{z_i(t) = z}, by γ^t R_j(t) = Σ_{u=t}^T γ^u r_j(u), and J."""
    z, code, reward, start = episode
    agents, last = len(hoods.pairs), len(weight) - 1
    ahead = weight.copy()
    G.fill(0.0)
    J.fill(0.0)
    for j in range(agents):
        total = 0.0
        for t in range(last, -1, -1):
            total += weight[t] * reward[start[j] + code[j, t]]
            ahead[t] = total
        J[j % copies] += total / (agents // copies)
        for e in range(hoods.start[j], hoods.start[j + 1]):
            i = hoods.agent[e]
            for t in range(last + 1):
                G[pair[i] + z[i, t]] += ahead[t]


# In place of Algorithm 1's table a critic that is linear in indicators of single agents and of pairs.
#
#     Q̂_i(cell) = w_i(z_i) + Σ_{j ∈ N_i^κ, j ≠ i} w_ij(z_i, z_j),      z_j = (s_j, a_j),
#
# has S_i A_i (1 + Σ_j S_j A_j) weights where the table has Π_j S_j A_j entries: it grows with f(κ), not exponentially
# in it. With κ = 0, or a neighborhood of two, it can represent every table; else it cannot see three agents at once.
#
# TD(0) in place of line 7, w zero at the start of each inner loop, F = |N_i^κ| features of the value 1 at every step:
#
#     w ← w + (α_{t-1}/F) (r_i(t-1) + γ Q̂_i(cell(t)) - Q̂_i(cell(t-1))) for the features of cell(t-1).
#
# The division by F makes Q̂_i(cell(t-1)) move by α_{t-1} times the temporal difference, as in line 7.


def pairwise(
    mdp: object,
    theta0: Theta,
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seed: int,
    record_every: int | None = None,
    epsilon: float = 0.0,
) -> SACTrace:
    """θ(M) by Algorithm 1 with the pairwise critic in place of Q̂'s table.

    Arguments and errors as of `sac`. `first_visit_share` of the trace is nan: there is no table.

    >>> from sacrepro import build, pairwise, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> pairwise(mdp, uniform_theta(mdp), kappa=1, M=10, T=20, h=2, t0=4, eta=1.0, seed=0).m.tolist()[-1]
    10
    """
    settings = Settings(kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=record_every, epsilon=epsilon)
    return run(Pairwise, mdp, theta0, settings, (seed,))[0]


class Pairwise:
    """Lines 3-10 with the pairwise critic."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        hoods = problem.hoods
        others = np.add.reduceat(hoods.pairs[hoods.agent], hoods.start[:-1]) - hoods.pairs
        self.w = np.zeros(int((hoods.pairs * (1 + others)).max()))
        self.at = np.zeros((int(np.diff(hoods.start).max()), problem.settings.T + 1), dtype=np.int64)

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """Writes G and J; there is no share of first visits."""
        problem = self.problem
        pairwise_critic(episode, problem.pair, problem.hoods, problem.plan, self.w, self.at, problem.copies, G, J)
        share.fill(float("nan"))


@compiled
def pairwise_critic(
    episode: Episode, pair: Array, hoods: Hoods, plan: Schedule, w: Array, at: Array, copies: int, G: Array, J: Array
) -> None:
    """As `critic`. w and at are scratch: the weights of one agent, and the place of its k-th feature at each step."""
    z, code, reward, start = episode
    alpha, weight, gamma = plan.alpha, plan.weight, plan.gamma
    T = len(alpha)
    n = len(hoods.pairs) // copies
    G.fill(0.0)
    J.fill(0.0)
    for i in range(len(hoods.pairs)):
        begin, end = hoods.start[i], hoods.start[i + 1]
        features = end - begin
        used = hoods.pairs[i]
        for k in range(features):
            j = np.int64(hoods.agent[begin + k])
            if j == i:
                for t in range(T + 1):
                    at[k, t] = z[i, t]
                continue
            for t in range(T + 1):
                at[k, t] = used + np.int64(z[i, t]) * hoods.pairs[j] + np.int64(z[j, t])
            used += hoods.pairs[i] * hoods.pairs[j]
        for k in range(used):
            w[k] = 0.0
        own = start[i]
        for t in range(T):
            now = 0.0
            ahead = 0.0
            for k in range(features):
                now += w[at[k, t]]
                ahead += w[at[k, t + 1]]
            step = alpha[t] / features * (reward[own + code[i, t]] + gamma * ahead - now)
            for k in range(features):
                w[at[k, t]] += step
        total = 0.0
        for t in range(T + 1):
            Q_hat = 0.0
            for k in range(features):
                Q_hat += w[at[k, t]]
            for e in range(begin, end):
                j = np.int64(hoods.agent[e])
                G[pair[j] + z[j, t]] += weight[t] * Q_hat
            total += weight[t] * reward[own + code[i, t]]
        J[i % copies] += total
    for b in range(copies):
        J[b] /= n
