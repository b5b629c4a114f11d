"""Section 3.2, Algorithm 1: SAC, the Scalable Actor Critic (not Soft Actor-Critic), exactly as printed.

The learner sees a simulator: the graph, the sizes, γ and trajectories. For a model the whole outer loop is compiled;
`sacrepro.learn.transcription` is the same algorithm line by line, and the oracle of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from sacrepro.learn.actor import ascend, g_hat_blocks, softmax_blocks
from sacrepro.learn.cells import Hoods
from sacrepro.learn.critic import Schedule, Scratch, critic
from sacrepro.learn.problem import Lines, Problem, SACTrace, batches, seeds_together
from sacrepro.learn.settings import Settings, check_arguments, check_extensions
from sacrepro.model.checks import Array
from sacrepro.model.policy import Theta
from sacrepro.simulate.compiled import compiled
from sacrepro.simulate.compiled_model import Simulator
from sacrepro.simulate.rollout import Room, policy_thresholds, rollout, room
from sacrepro.simulate.stepped import AnySimulator, SteppedSimulator, as_simulator
from sacrepro.simulate.tables import Tables
from sacrepro.simulate.trajectory import Observed, listed, observed
from sacrepro.simulate.wireless import WirelessSimulator

#: Agent-steps between two returns to the interpreter, which is when an interrupt is heard.
_AGENT_STEPS_A_CALL = 50_000_000


def sac(
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
    warm_start: bool = False,
    lambda_: float = 0.0,
    baseline: bool = False,
    epsilon: float = 0.0,
) -> SACTrace:
    """θ(M) of Algorithm 1 from θ(0) = `theta0`, with what was recorded on the way.

    mdp    : a NetworkedMDP, CountedMDP or CoupledMDP, a Simulator, or your own (`sacrepro.simulate.OwnSimulator`).
    theta0 : logits of the tabular softmax, one array of shape (S_i, A_i) an agent, or a Policy without zeros.
    kappa, M, T : κ ≥ 0, of which all beyond the diameter are the same run; outer iterations M ≥ 1; episode length
             T ≥ 1: t = 0..T, so T updates of line 7 and T+1 rewards.
    h, t0, eta  : α_t = h/(t+t0) with 0 < h ≤ t0, so that line 7 is a convex combination; η_m = η/√(m+1), η > 0.
    seed   : 0..2^64-1; the run is a function of the arguments alone.
    record_every : outer iterations between two records of θ; by default about a hundred are kept.

    Extensions named in the Discussion of section 3.2, any of them together; the defaults are Algorithm 1 as printed.
    warm_start : line 3 keeps the Q̂ of the last outer iteration (`sacrepro.learn.hashing`).
    lambda_    : TD(λ) with accumulating traces in place of line 7, λ ∈ [0, 1] (`sacrepro.learn.extensions`).
    baseline   : line 11 sees Q̂_j less its ζ_i-mean over a_i, the advantage (`sacrepro.learn.extensions`).
    epsilon    : policies (1-ε) softmax + ε uniform with their exact score, ε ∈ [0, 1) (`sacrepro.learn.actor`).

    Raises TypeError or ValueError naming the argument.
    """
    settings = Settings(kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=record_every, epsilon=epsilon)
    return seeds_with(critic_lines(warm_start, lambda_, baseline), mdp, theta0, settings, (seed,))[0]


def sac_seeds(
    mdp: object,
    theta0: Theta,
    *,
    kappa: int,
    M: int,
    T: int,
    h: float,
    t0: float,
    eta: float,
    seeds: Iterable[int],
    record_every: int | None = None,
    warm_start: bool = False,
    lambda_: float = 0.0,
    baseline: bool = False,
    epsilon: float = 0.0,
) -> tuple[SACTrace, ...]:
    """The traces of `sac` for each seed, bit for bit, with tables and neighborhoods built once."""
    settings = Settings(kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=record_every, epsilon=epsilon)
    return seeds_with(critic_lines(warm_start, lambda_, baseline), mdp, theta0, settings, seeds)


def critic_lines(warm_start: bool, lambda_: float, baseline: bool) -> Callable[[Problem], Lines]:
    """Lines 3-10 as printed, or with the extensions that are asked for."""
    check_extensions(warm_start=warm_start, lambda_=lambda_, baseline=baseline)
    if not (warm_start or lambda_ > 0 or baseline):
        return AlgorithmOne
    from sacrepro.learn.extensions import Extended

    return partial(Extended, warm_start=warm_start, lambda_=float(lambda_), baseline=baseline)


def seeds_with(
    lines: Callable[[Problem], Lines], mdp: object, theta0: Theta, settings: Settings, seeds: Iterable[int]
) -> tuple[SACTrace, ...]:
    """The traces of Algorithm 1 with `lines` for lines 3-10, one a seed; arguments and errors as of `sac`."""
    simulator = as_simulator(mdp)
    check_arguments(**settings._asdict())
    kappa, M, T, h, t0, eta, record_every, epsilon = settings
    every = record_every or -(-M // 100)
    together = 1 if isinstance(simulator, SteppedSimulator) else seeds_together(simulator.n)
    traces: list[SACTrace] = []
    for problem, batch in batches(simulator, theta0, seeds, together, kappa=kappa, T=T, h=h, t0=t0):
        if lines is AlgorithmOne and isinstance(simulator, Simulator) and epsilon == 0:
            traces += run_model(simulator, problem, M, float(eta), batch, every)
        else:
            traces += run_by_iterations(simulator, problem, lines(problem), M, float(eta), batch, every, float(epsilon))
    return tuple(traces)


@compiled
def outer_iterations(
    opaque: Tables,
    hoods: Hoods,
    plan: Schedule,
    eta: float,
    seeds: Array,
    m_first: int,
    theta: Array,
    trajectory: Room,
    work: Scratch,
    J_estimate: Array,
    first_visit_share: Array,
) -> tuple[int, int]:
    """Lines 1-13 for m = m_first, …, one for each row of J_estimate; theta is moved in place.

    Returns the m at which an entry of theta was lost, and the entry, as `ascend` has it; (…, -1) where none was.
    """
    copies, pair, S, A, reward = opaque.copies, opaque.pair, opaque.S, opaque.A, opaque.reward
    n = len(S) // copies
    z = trajectory.z
    zeta, G = np.empty_like(theta), np.empty_like(theta)
    policy = np.empty(len(theta), dtype=np.uint32)
    for k in range(len(J_estimate)):
        m = m_first + k
        softmax_blocks(pair, A, theta, zeta)
        policy_thresholds(S, A, pair, zeta, policy)
        rollout(opaque, policy, seeds, np.uint64(m), len(plan.alpha), trajectory)  # lines 2 and 5
        critic(  # lines 3-9, and the sums of line 11
            z, z, reward, pair, pair, hoods, plan, work, copies, G, J_estimate[k], first_visit_share[k]
        )
        g_hat_blocks(pair, A, zeta, n, G, G)  # lines 10-11
        lost = ascend(theta, G, eta, m)  # line 12
        if lost >= 0:
            return m, lost
    return m_first + len(J_estimate), -1


def run_model(
    simulator: Simulator, problem: Problem, M: int, eta: float, seeds: list[int], every: int
) -> list[SACTrace]:
    """The traces of Algorithm 1 on a model, all seeds at once."""
    copies, T, n = problem.copies, problem.T, simulator.n
    opaque, theta = simulator.tables(copies), problem.theta0.copy()
    trajectory = room(n * copies, T, copies, simulator.code_type)
    J_estimate, share = np.empty((M, copies)), np.empty((M, copies))
    most = max(1, _AGENT_STEPS_A_CALL // (n * copies * (T + 1)))
    stops = [*range(0, M, every), M]
    thetas = [theta.copy()]
    keys = np.array(seeds, dtype=np.uint64)
    for begin, end in pairwise(stops):
        for m in range(begin, end, most):
            part = slice(m, min(end, m + most))
            m_lost, lost = outer_iterations(
                opaque,
                problem.hoods,
                problem.plan,
                eta,
                keys,
                m,
                theta,
                trajectory,
                problem.work,
                J_estimate[part],
                share[part],
            )
            problem.check_ascent(lost, m_lost, eta, seeds)
        thetas.append(theta.copy())
    return problem.traces(thetas, stops, J_estimate, share)


# Outer iterations one call at a time: for a user's own simulator, for the extensions of Algorithm 1 and its rivals.
#
# They differ in lines 3-10 alone, that is in how an episode becomes the sums of line 11,
#
#     G[i, (s, a)] = Σ_t γ^t Σ_{j ∈ N_i^κ} (what is held against the score) 1{z_i(t) = (s, a)};
#
# the policies, the episode, the score and the ascent are the same for all.


class AlgorithmOne:
    """Lines 3-10 as printed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __call__(self, episode: Observed, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """The critic of `sacrepro.learn.critic`."""
        problem = self.problem
        critic(*episode, problem.pair, problem.hoods, problem.plan, problem.work, problem.copies, G, J, share)


def run_by_iterations(
    simulator: AnySimulator,
    problem: Problem,
    lines: Lines,
    M: int,
    eta: float,
    seeds: Sequence[int],
    every: int,
    epsilon: float,
) -> list[SACTrace]:
    """The traces of M outer iterations, one a seed, with `lines` for lines 3-10 and ε-mixed policies if ε > 0."""
    pair, A, n = problem.pair, problem.A, simulator.n
    theta = problem.theta0.copy()
    softmax, zeta, G = np.empty_like(theta), np.empty_like(theta), np.empty_like(theta)
    J_estimate, share = np.empty((M, problem.copies)), np.empty((M, problem.copies))
    stops = [*range(0, M, every), M]
    recorded = set(stops)
    thetas = []
    keys = np.array(seeds, dtype=np.uint64)
    if isinstance(simulator, Simulator):
        opaque = simulator.tables(problem.copies)
        trajectory = room(n * problem.copies, problem.T, problem.copies, simulator.code_type)
    for m in range(M):
        if m in recorded:
            thetas.append(theta.copy())
        softmax_blocks(pair, A, theta, softmax)
        zeta[:] = softmax
        if epsilon > 0:
            from sacrepro.learn.actor import mixed_blocks, mixed_sums

            mixed_blocks(pair, A, softmax, epsilon, zeta)
        if isinstance(simulator, Simulator):
            episode = modelled(opaque, zeta, keys, m, problem.T, trajectory)
        elif isinstance(simulator, WirelessSimulator):
            episode = listed(*simulator.episodes(zeta, keys, m, problem.T))
        else:
            policies = [block[0] for block in problem.blocks(zeta[None], 0)]
            recording = simulator.rollout(policies, problem.T, seed=seeds[0], m=m)
            episode = observed(recording, A, simulator.code_type)
        lines(episode, zeta, G, J_estimate[m], share[m])
        if epsilon > 0:
            mixed_sums(softmax, zeta, epsilon, G)
        g_hat_blocks(pair, A, softmax, n, G, G)
        problem.check_ascent(ascend(theta, G, eta, m), m, eta, seeds)
    thetas.append(theta.copy())
    return problem.traces(thetas, stops, J_estimate, share)


def modelled(opaque: Tables, zeta: Array, keys: Array, m: int, T: int, trajectory: Room) -> Observed:
    """One episode of a model, all seeds at once; the trajectory's room is overwritten by the next."""
    policy = np.empty(len(zeta), dtype=np.uint32)
    policy_thresholds(opaque.S, opaque.A, opaque.pair, zeta, policy)
    rollout(opaque, policy, keys, np.uint64(m), T, trajectory)
    return trajectory.z, trajectory.z, opaque.reward, opaque.pair
