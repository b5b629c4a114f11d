"""SARSA and Q-learning on truncated Q-functions, which the Discussion of section 3.2 names and leaves open.

There is no actor: policies are read off the tables. A table Q̂_j on the cells of N_j^κ does not say how agent i should
act, for i may look at s_i alone. What it may act on is the marginal of the tables that its action enters,

    q_i(s, a) = Σ_{j ∈ N_i^κ} (1/|{t : z_i(t) = (s, a)}|) Σ_{t : z_i(t) = (s, a)} Q̂_j^T(cell_j(t)),

the mean of Σ_{j ∈ N_i^κ} Q̂_j over the last episode's visits to (s, a): the other agents are averaged out as they were
met, which is eq. (5) once more, with the visited outside of {i} as weights. A pair that no episode has visited has
q_i = 0, one that the last did not visit keeps its value. Outer iteration m plays, independently at every agent,

    ε-greedy   ζ_i(a|s) = ε_m/A_i + (1-ε_m) 1{a ∈ argmax q_i(s,·)} / |argmax q_i(s,·)|,     ε_m = ε/√(m+1);
    Boltzmann  ζ_i(a|s) ∝ exp(q_i(s, a)/τ_m),                                              τ_m = τ/√(m+1).

Greedy thus means: agent i's best reply, seen from s_i alone, to what the others did in the last episode. It is no
greedy step of a joint Q-function, and no policy improvement theorem stands behind it: all agents reply at once, and the
means move when the others do. With one agent q_i is Q̂_i, and the two methods are the textbook's, but for the policy,
which changes between episodes and not within one.

Tables are kept from episode to episode; the step sizes of line 6 start again in each. Line 7 is replaced by

    Q̂_i(cell_i(t-1)) ← (1-α_{t-1}) Q̂_i(cell_i(t-1)) + α_{t-1} (r_i(t-1) + γ Q̂_i(x)),

with x = cell_i(t) for SARSA, the cell that is visited next, and for Q-learning the cell (s_{N_i^κ}(t), b_{N_i^κ}),
b_j the first of argmax q_j(s_j(t),·): what would be visited next if every agent of N_i^κ acted greedily, q as it was
at the start of the episode. A maximum over a_{N_i^κ} of the table itself would promise what no localized policies can
keep, since its maximizer may change with s_{N_i^κ}.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sacrepro.learn.cells import Carried, Hoods, carried, carry, slot_of, visited_ids, with_room
from sacrepro.learn.critic import Schedule, Scratch, scratch, softmax_blocks
from sacrepro.learn.extensions import check_cells
from sacrepro.learn.problem import Problem, SACTrace, Settings, iterated, problems
from sacrepro.model.checks import Array, number, positive
from sacrepro.model.compiled import compiled
from sacrepro.model.notices import meant
from sacrepro.simulate.stepped import as_simulator
from sacrepro.simulate.trajectory import Episode

#: What the tables learn from: the action taken next, or the greedy one.
TARGETS = ("sarsa", "q_learning")


def control(
    mdp: object,
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    seed: int,
    target: str = "sarsa",
    epsilon: float | None = None,
    temperature: float | None = None,
    record_every: int | None = None,
) -> SACTrace:
    """M episodes of control on truncated Q-functions; in the trace θ_i = log ζ_i, -inf where an action is never taken.

    mdp, kappa, M, T, h, t0, seed, record_every : as of `sac`.
    target      : ``sarsa`` or ``q_learning``.
    epsilon     : ε-greedy policies, ε ∈ [0, 1].        temperature : Boltzmann policies, τ > 0. One of the two.

    Raises TypeError or ValueError naming the argument; ValueError if an agent has more than 2^62 cells.

    >>> from sacrepro import build, control
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> trace = control(mdp, kappa=1, M=10, T=20, h=2, t0=4, seed=0, epsilon=0.1)
    >>> trace.theta[0].shape
    (2, 2)
    """
    settings = Settings(kappa=kappa, M=M, T=T, h=h, t0=t0, record_every=record_every)
    return run_control(mdp, settings, (seed,), target=target, epsilon=epsilon, temperature=temperature)[0]


def run_control(
    mdp: object,
    settings: Settings,
    seeds: Iterable[int],
    *,
    target: str = "sarsa",
    epsilon: float | None = None,
    temperature: float | None = None,
) -> tuple[SACTrace, ...]:
    """The traces of `control`, one a seed, bit for bit as if alone."""
    check_control(target, epsilon, temperature)
    simulator, traces = as_simulator(mdp), list[SACTrace]()
    nothing = [np.zeros(size) for size in zip(simulator.state_sizes, simulator.action_sizes, strict=True)]
    for problem in problems(simulator, nothing, settings, seeds):
        traces += iterated(simulator, problem, QTables(problem, target, epsilon, temperature))
    return tuple(traces)


def check_control(target: str, epsilon: float | None, temperature: float | None) -> None:
    """Raises TypeError or ValueError naming the argument of `control` that makes no sense."""
    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}, got {target!r}{meant(str(target), TARGETS)}")
    if (epsilon is None) == (temperature is None):
        raise ValueError("exactly one of epsilon and temperature must be given: ε-greedy or Boltzmann policies")
    if epsilon is not None and not 0.0 <= number("epsilon", epsilon) <= 1.0:
        raise ValueError(f"epsilon must lie in [0, 1], got {epsilon!r}")
    if temperature is not None:
        positive("temperature", temperature)


class QTables:
    """Q̂ of every agent, kept from episode to episode, and the marginals q that agents act on."""

    def __init__(self, problem: Problem, target: str, epsilon: float | None, temperature: float | None) -> None:
        check_cells(problem, "control")
        self.problem, self.epsilon, self.temperature = problem, epsilon, temperature
        self.Q_hat = carried(1)
        self.q = problem.theta0.copy()
        self.zeta = np.empty_like(self.q)
        self._length = (1 + (target == "q_learning")) * (problem.settings.T + 1)
        self._work = scratch(problem.hoods, self._length - 1)

    def policies(self, m: int) -> Array:
        """ζ of outer iteration m: ε-greedy if ε is given, else Boltzmann."""
        problem, q = self.problem, self.q
        if self.epsilon is not None:
            greedy_blocks(problem.pair, problem.A, q, self.epsilon / np.sqrt(m + 1.0), self.zeta)
            return self.zeta
        assert self.temperature is not None
        with np.errstate(over="ignore"):
            logits = q / (self.temperature / np.sqrt(m + 1.0))
        if not np.isfinite(logits).all():
            i, *_ = problem.place(int(np.argmin(np.isfinite(logits))))
            raise ValueError(
                f"q_i/τ_m of agent {i} is not finite before episode m = {m}: raise temperature = "
                f"{self.temperature:g}, or divide the rewards by a constant"
            )
        softmax_blocks(problem.pair, problem.A, logits, self.zeta)
        return self.zeta

    def logits(self) -> Array:
        """log ζ of the policies that were last asked for."""
        with np.errstate(divide="ignore"):
            return np.log(self.zeta)

    def learn(self, m: int, episode: Episode, J: Array, share: Array) -> None:
        """Learns from one episode; the share counts updates that were the first of their entry."""
        problem, T = self.problem, self.problem.settings.T
        both = np.empty((len(problem.A), self._length), episode.z.dtype)
        with_greedy(episode.z, problem.A, problem.pair, self.q, T, both)
        self.Q_hat = with_room(self.Q_hat, len(problem.A) * T)
        G, visits = np.zeros_like(self.q), np.zeros_like(self.q)
        control_critic(
            episode._replace(z=both), problem.pair, problem.hoods, problem.plan, self._work, self.Q_hat,
            self._length - T - 1, problem.copies, G, visits, J, share,
        )  # fmt: skip
        marginal_means(G, visits, self.q)


@compiled
def greedy_blocks(pair: Array, A: Array, q: Array, epsilon: float, zeta: Array) -> None:
    """Writes the ε-greedy ζ_i(a|s) for all agents; ties share. q and zeta are flat over (i, s, a)."""
    for i in range(len(A)):
        for low in range(pair[i], pair[i + 1], A[i]):
            high = low + A[i]
            largest = q[low]
            for k in range(low, high):
                largest = max(largest, q[k])
            ties = 0
            for k in range(low, high):
                ties += int(q[k] == largest)
            for k in range(low, high):
                zeta[k] = epsilon / A[i] + (1.0 - epsilon) * (int(q[k] == largest) / ties)


# What `sacrepro.learn.td_control` compiles: line 7 with the next or the greedy cell, and the marginals of the tables.


@compiled
def with_greedy(z: Array, A: Array, pair: Array, q: Array, T: int, both: Array) -> None:
    """Copies z_i(t) to both[i, t], t ≤ T, and where it is twice as long (s_i(t), argmax q_i(s_i(t),·)) behind them."""
    length = T + 1
    for i in range(len(A)):
        for t in range(length):
            both[i, t] = z[i, t]
        if both.shape[1] == length:
            continue
        actions = np.int64(A[i])
        for t in range(length):
            low = (np.int64(z[i, t]) // actions) * actions
            row = pair[i] + low
            best = 0
            for a in range(1, actions):
                if q[row + a] > q[row + best]:
                    best = a
            both[i, length + t] = low + best


@compiled
def control_critic(
    episode: Episode,
    pair: Array,
    hoods: Hoods,
    plan: Schedule,
    work: Scratch,
    table: Carried,
    ahead: int,
    copies: int,
    G: Array,
    visits: Array,
    J: Array,
    share: Array,
) -> None:
    """Line 7 with the cell at z[:, ahead + t] of `with_greedy` for what comes after t-1, in every agent's table.

    Adds to visits[i, z] the number of t with z_i(t) = z, and to G[i, z] the sum of Σ_{j ∈ N_i^κ} Q̂_j^T(cell_j(t)) over
    them. Agents, rewards, J and the share are those of `critic`; the share counts entries never written before.
    """
    both, code, reward, start = episode
    alpha, keep, weight, gamma = plan.alpha, plan.keep, plan.weight, plan.gamma
    T = len(alpha)
    n = len(hoods.pairs) // copies
    ids, first, Q_hat, W, numbers = work.ids[0], work.first[0], work.Q_hat[0], work.W[0], work.code
    J.fill(0.0)
    share.fill(0.0)
    for i in range(len(hoods.pairs)):
        b = i % copies
        cells = visited_ids(both, hoods, i, work.part, numbers, work.slot, ids, first)
        own = start[i]
        for c in range(cells):
            at = slot_of(table, i, numbers[first[c]])
            W[c] = 0.0
            Q_hat[c] = table.value[at]
            share[b] += int(first[c] < T and table.agent[at] == 0)
        for t in range(T):
            target = reward[own + code[i, t]] + gamma * Q_hat[ids[ahead + t + 1]]
            Q_hat[ids[t]] = keep[t] * Q_hat[ids[t]] + alpha[t] * target
        total = 0.0
        for t in range(T + 1):
            W[ids[t]] += 1.0
            visits[pair[i] + both[i, t]] += 1.0
            total += weight[t] * reward[own + code[i, t]]
        J[b] += total
        for c in range(cells):
            if first[c] < T:
                carry(table, i, numbers[first[c]], Q_hat[c])
        for e in range(hoods.start[i], hoods.start[i + 1]):
            j = hoods.agent[e]
            for c in range(cells):
                if first[c] <= T:
                    G[pair[j] + both[j, first[c]]] += W[c] * Q_hat[c]
    for b in range(copies):
        J[b] /= n
        share[b] /= n * T


@compiled
def marginal_means(G: Array, visits: Array, q: Array) -> None:
    """q = G/visits where there were visits; elsewhere q keeps its value."""
    for k in range(len(q)):
        if visits[k] > 0.0:
            q[k] = G[k] / visits[k]
