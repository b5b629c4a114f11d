"""Section 3.2, Algorithm 1: SAC, the Scalable Actor Critic (not Soft Actor-Critic), exactly as printed.

The learner sees a simulator: the graph, the sizes, γ and trajectories. For a model the whole outer loop is compiled;
`sacrepro.learn.transcription` is the same algorithm line by line, and the oracle of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from sacrepro.learn.cells import Hoods
from sacrepro.learn.critic import (
    Schedule,
    Scratch,
    ascend,
    critic,
    g_hat_blocks,
    mixed_blocks,
    mixed_sums,
    softmax_blocks,
)
from sacrepro.learn.extensions import Extended
from sacrepro.learn.problem import Finished, Lines, Problem, SACTrace, Settings, Told, bar, iterated, problems
from sacrepro.model.checks import Array, integer
from sacrepro.model.compiled import compiled
from sacrepro.model.policy import Theta
from sacrepro.simulate.rollout import Buffers, buffers, policy_thresholds, rollout
from sacrepro.simulate.stepped import as_simulator
from sacrepro.simulate.tables import Tables
from sacrepro.simulate.trajectory import Episode

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
    progress: bool | Told = False,
) -> SACTrace:
    """θ(M) of Algorithm 1 from θ(0) = `theta0`, with what was recorded on the way.

    mdp    : a NetworkedMDP, CountedMDP or CoupledMDP, a Simulator, or your own (`sacrepro.simulate.OwnSimulator`).
    theta0 : logits of the tabular softmax, one array of shape (S_i, A_i) an agent, or a Policy. A logit
             of -inf, that of a probability of zero, stays: the action is never taken, and nothing is learned of it.
    kappa, M, T : κ ≥ 0, of which all beyond the diameter are the same run; outer iterations M ≥ 1; episode length
             T ≥ 1: t = 0..T, so T updates of line 7 and T+1 rewards.
    h, t0, eta  : α_t = h/(t+t0) with 0 < h ≤ t0, so that line 7 is a convex combination; η_m = η/√(m+1), η > 0.
    seed   : 0..2^64-1; the run is a function of the arguments alone.
    record_every : outer iterations between two records of θ; by default about a hundred are kept.

    Extensions named in the Discussion of section 3.2, any of them together; the defaults are Algorithm 1 as printed.
    warm_start : line 3 keeps the Q̂ of the last outer iteration (`sacrepro.learn.cells`).
    lambda_    : TD(λ) with accumulating traces in place of line 7, λ ∈ [0, 1] (`sacrepro.learn.extensions`).
    baseline   : line 11 sees Q̂_j less its ζ_i-mean over a_i, the advantage (`sacrepro.learn.extensions`).
    epsilon    : policies (1-ε) softmax + ε uniform with their exact score, ε ∈ [0, 1) (`sacrepro.learn.critic`).

    progress   : True for a bar of tqdm (extra ``tqdm``), or a function that is called as progress(m, M, J) when m of M
                 outer iterations are done, J being the sampled return of the last; after each record of θ or oftener.

    Ctrl-C ends the run and returns the outer iterations that were finished, with a RuntimeWarning: θ(m), the records
    and returns up to this m. `resume` goes on from there. A KeyboardInterrupt that `progress` raises does the same.

    Raises TypeError or ValueError naming the argument, MemoryError before starting if episodes or traces cannot fit.

    >>> from sacrepro import build, sac, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> trace = sac(mdp, uniform_theta(mdp), kappa=1, M=10, T=20, h=2, t0=4, eta=1.0, seed=0)
    >>> trace.theta[0].shape, int(trace.m[-1])
    ((2, 2), 10)
    """
    settings = Settings(
        kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=record_every,
        warm_start=warm_start, lambda_=lambda_, baseline=baseline, epsilon=epsilon,
    )  # fmt: skip
    return run(critic_lines(settings), mdp, theta0, settings, (seed,), told=_told(progress))[0]


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
    """The traces of `sac` for each seed, bit for bit, with tables and neighborhoods built once.

    Arguments and errors as of `sac`; seeds : one or more.

    >>> from sacrepro import build, sac_seeds, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> traces = sac_seeds(mdp, uniform_theta(mdp), kappa=0, M=10, T=20, h=2, t0=4, eta=1.0, seeds=range(3))
    >>> [trace.J_estimate.shape for trace in traces]
    [(10,), (10,), (10,)]
    """
    settings = Settings(
        kappa=kappa, M=M, T=T, h=h, t0=t0, eta=eta, record_every=record_every,
        warm_start=warm_start, lambda_=lambda_, baseline=baseline, epsilon=epsilon,
    )  # fmt: skip
    return run(critic_lines(settings), mdp, theta0, settings, seeds)


def critic_lines(settings: Settings) -> Callable[[Problem], Lines]:
    """Lines 3-10 as printed, or with the extensions that are asked for."""
    return Extended if settings.warm_start or settings.lambda_ > 0 or settings.baseline else AlgorithmOne


def resume(mdp: object, trace: SACTrace, M: int, *, progress: bool | Told = False) -> SACTrace:
    """The run of `sac` behind `trace`, carried on to M outer iterations in all, with its settings and its seed.

    Random words are keyed by (seed, m, t, i), and line 3 forgets Q̂, so on the same model (or a simulator of your own
    that draws from its `rng` alone) θ, J_estimate and first_visit_share are bit for bit those of `sac` with this M. The
    records are those of `trace`, its last included, and those of this M beyond it: with `record_every` unset θ may be
    kept at other m than in one run. What differs from one run is no random stream: `warm_start` alone, whose Q̂ a trace
    does not hold, and it is refused. For other settings start anew, ``sac(mdp, trace.theta, …)``: that is another run,
    whose m begins at 0, and so do its steps η_m and its random words.

    mdp, progress : as of `sac`; that it is the same model is seen by its sizes alone.
    Raises ValueError for the trace of another learner, and unless M is more than the trace has.

    >>> from sacrepro import build, resume, sac, uniform_theta
    >>> mdp = build({"model": "relay", "n": 3, "gamma": 0.5})
    >>> trace = sac(mdp, uniform_theta(mdp), kappa=1, M=10, T=20, h=2, t0=4, eta=1.0, seed=0)
    >>> resume(mdp, trace, 20).J_estimate.shape
    (20,)
    """
    if not isinstance(trace, SACTrace):
        raise TypeError(f"expected the trace of a run, got {type(trace).__name__}; SACTrace.load(path) reads one")
    if trace.settings is None or trace.seed is None:
        raise ValueError("the trace has no settings: only runs of sac are resumed; start anew from trace.theta")
    if trace.settings.warm_start:
        raise ValueError("a run with warm_start is not resumed: its Q̂ is not in the trace; start anew from trace.theta")
    done = int(trace.m[-1])
    if integer("M", M, 1) <= done:
        raise ValueError(f"M = {M}, but the trace has {done} outer iterations already; M counts them all")
    settings = replace(trace.settings, M=M)
    rest = run(critic_lines(settings), mdp, trace.theta, settings, (trace.seed,), done, _told(progress, done))[0]
    thetas = tuple(np.concatenate([one, two[1:]]) for one, two in zip(trace.thetas, rest.thetas, strict=True))
    return rest._replace(
        thetas=thetas,
        m=np.concatenate([trace.m, rest.m[1:]]),
        J_estimate=np.concatenate([trace.J_estimate, rest.J_estimate]),
        first_visit_share=np.concatenate([trace.first_visit_share, rest.first_visit_share]),
    )


def _told(progress: object, first: int = 0) -> Told:
    """What is told of progress."""
    if callable(progress):
        return progress
    if not isinstance(progress, (bool, np.bool_)):
        raise TypeError(f"progress must be True, False or a function of (m, M, J), got {progress!r}")
    return bar(first) if progress else lambda m, M, J: None


def run(
    lines: Callable[[Problem], Lines],
    mdp: object,
    theta0: Theta,
    settings: Settings,
    seeds: Iterable[int],
    first: int = 0,
    told: Told | None = None,
) -> tuple[SACTrace, ...]:
    """The traces of Algorithm 1 with `lines` for lines 3-10, one a seed, bit for bit as if alone.

    first, told : of `Problem`.
    """
    simulator, traces = as_simulator(mdp), list[SACTrace]()
    for problem in problems(simulator, theta0, settings, seeds, first, told):
        printed = lines is AlgorithmOne and settings.epsilon == 0
        opaque = simulator.compiled(problem.copies) if printed else None
        found = (
            run_compiled(opaque, problem) if opaque else iterated(simulator, problem, Actor(problem, lines(problem)))
        )
        if lines is critic_lines(settings):
            pairs = zip(found, problem.seeds, strict=True)
            found = [trace._replace(settings=settings, seed=seed) for trace, seed in pairs]
        traces += found
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
    trajectory: Buffers,
    work: Scratch,
    J_estimate: Array,
    first_visit_share: Array,
    stops: Array,
    kept: Array,
) -> tuple[int, int]:
    """Lines 1-13 for m = m_first, …, one for each row of J_estimate; theta is moved in place.

    kept : row k is θ(stops[k]), for ascending stops from m_first + 1 on.
    Returns the m at which an entry of theta was lost, and the entry, as `ascend` has it; (…, -1) where none was.
    """
    copies, pair, S, A, reward = opaque.copies, opaque.pair, opaque.S, opaque.A, opaque.reward
    n = len(S) // copies
    z = trajectory.z
    zeta, G = np.empty_like(theta), np.empty_like(theta)
    policy = np.empty(len(theta), dtype=np.uint32)
    stop = 0
    for k in range(len(J_estimate)):
        m = m_first + k
        softmax_blocks(pair, A, theta, zeta)
        policy_thresholds(S, A, pair, zeta, policy)
        rollout(opaque, policy, seeds, np.uint64(m), len(plan.alpha), trajectory)  # lines 2 and 5
        episode = Episode(z, z, reward, pair)  # lines 3-9, and the sums of line 11
        critic(episode, pair, hoods, plan, work, copies, G, J_estimate[k], first_visit_share[k])
        g_hat_blocks(pair, A, zeta, n, G, G)  # lines 10-11
        lost = ascend(theta, G, eta, m)  # line 12
        if lost >= 0:
            return m, lost
        if stop < len(stops) and stops[stop] == m + 1:
            for entry in range(len(theta)):
                kept[stop, entry] = theta[entry]
            stop += 1
    return m_first + len(J_estimate), -1


def run_compiled(opaque: Tables, problem: Problem) -> list[SACTrace]:
    """The traces of Algorithm 1 as printed on a model, all seeds at once."""
    settings, copies, first = problem.settings, problem.copies, problem.first
    shape = (settings.M - first, copies)
    J_estimate, share = np.empty(shape), np.empty(shape)
    most = max(1, _AGENT_STEPS_A_CALL // (problem.n * copies * (settings.T + 1)))

    def iterations() -> Iterator[Finished]:
        theta, trajectory = problem.theta0.copy(), buffers(opaque, settings.T)
        yield first, theta.copy()
        stops = np.array(problem.stops)
        for m in range(first, settings.M, most):
            end = min(settings.M, m + most)
            part = slice(m - first, end - first)
            passed = stops[(stops > m) & (stops <= end)]
            kept = np.empty((len(passed), len(theta)))
            m_lost, lost = outer_iterations(
                opaque, problem.hoods, problem.plan, settings.eta, problem.keys, m, theta, trajectory,
                problem.work, J_estimate[part], share[part], passed, kept,
            )  # fmt: skip
            problem.check_ascent(lost, m_lost)
            yield from zip(passed.tolist(), kept, strict=True)
            if end not in passed:
                yield end, theta.copy()

    return problem.recorded(iterations(), J_estimate, share)


# Outer iterations one call at a time: for a user's own simulator, for the extensions of Algorithm 1, and other methods.
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

    def __call__(self, episode: Episode, zeta: Array, G: Array, J: Array, share: Array) -> None:
        """The critic of `sacrepro.learn.critic`."""
        problem = self.problem
        critic(episode, problem.pair, problem.hoods, problem.plan, problem.work, problem.copies, G, J, share)


class Actor:
    """Lines 2 and 11-12 around `lines`: softmax policies, ε-mixed if ε > 0, their score, and the ascent."""

    def __init__(self, problem: Problem, lines: Lines) -> None:
        self.problem, self.lines, self.theta = problem, lines, problem.theta0.copy()
        self.softmax, self.zeta, self.G = (np.empty_like(self.theta) for _ in range(3))

    def policies(self, m: int) -> Array:
        """ζ at θ(m)."""
        problem, epsilon = self.problem, self.problem.settings.epsilon
        softmax_blocks(problem.pair, problem.A, self.theta, self.softmax)
        self.zeta[:] = self.softmax
        if epsilon > 0:
            mixed_blocks(problem.pair, problem.A, self.softmax, epsilon, self.zeta)
        return self.zeta

    def logits(self) -> Array:
        """θ(m)."""
        return self.theta.copy()

    def g_hat(self, episode: Episode, J: Array, share: Array) -> Array:
        """ĝ(m) of lines 3-11, flat like θ; overwritten by the next."""
        problem, epsilon = self.problem, self.problem.settings.epsilon
        self.lines(episode, self.zeta, self.G, J, share)
        if epsilon > 0:
            mixed_sums(self.softmax, self.zeta, epsilon, self.G)
        g_hat_blocks(problem.pair, problem.A, self.softmax, problem.n, self.G, self.G)
        return self.G

    def learn(self, m: int, episode: Episode, J: Array, share: Array) -> None:
        """Lines 3-12."""
        problem = self.problem
        problem.check_ascent(ascend(self.theta, self.g_hat(episode, J, share), problem.settings.eta, m), m)
