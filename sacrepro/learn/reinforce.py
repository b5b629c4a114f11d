"""What Algorithm 1 is compared with at equal samples: the same episodes, ascent and trace, another estimate of Q.

* REINFORCE, `reinforce`: line 11 holds the observed returns of the agents in N_i^κ against the score, no Q̂ is learned.
* Independent learners: `sac` with κ = 0. Each agent learns Q̂_i(s_i, a_i) and holds nothing but its own against its
  score, as if the others were a part of its environment.
* The full critic: `sac` with κ = the diameter, or any larger number, which changes nothing. Every Q̂_i is a table over
  all states and actions, eqs. (5)-(7) hold without truncation, and an episode visits a vanishing part of each table.
* The pairwise critic, `sacrepro.learn.linear_critic`: Q̂_i linear in indicators of agents and pairs, learned by TD(0).
* REINFORCE with κ = the diameter is the policy gradient theorem (4) with returns cut at T: its mean is ∇J up to
  O(γ^{T+1}), whatever the network. With a smaller κ it leaves out the agents that Algorithm 1 leaves out.

All of them draw the words of `simulate.random_bits`: at equal (seed, m) and equal policies they see equal episodes.
"""

from __future__ import annotations

from sacrepro.learn.algorithm1 import run
from sacrepro.learn.cells import Hoods
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
        return_sums(*episode, problem.pair, problem.hoods, problem.plan.weight, problem.copies, G, J)
        share.fill(float("nan"))


@compiled
def return_sums(
    z: Array,
    code: Array,
    reward: Array,
    start: Array,
    pair: Array,
    hoods: Hoods,
    weight: Array,
    copies: int,
    G: Array,
    J: Array,
) -> None:
    """Writes G[i, z] = Σ_t γ^t Σ_{j ∈ N_i^κ} R_j(t) 1{z_i(t) = z}, by γ^t R_j(t) = Σ_{u=t}^T γ^u r_j(u), and J."""
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
