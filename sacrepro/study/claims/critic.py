"""The critic of Algorithm 1 after T steps: |Q_i - Q̂_i^T| on sampled episodes against its finite-time bounds.

The step sizes are the theorem's, h and t0 as small as it allows for the exact σ of this θ, at the τ of `TAUS` with the
least τ/σ². ``paper`` has the bias 2cρ^{κ+1}/(1-γ)², ``locality`` r̄γ^{κ+1}/(1-γ), ``written out`` besides it the noise
with the constants of the proof. They hold with probability 1-δ, δ = `DELTA` for each comparison, which is one episode.
Without any of it the left side is at most r̄/(1-γ). Unvisited cells count with Q̂ = 0.

``exact law`` is Chebyshev's inequality with the exact mean and covariance of Q̂_i^T, δ = `CHANCE`. Left is an error that
`exceeding` of `SEEDS` episodes reach: were it above the right side, the bound would fail more often than with
probability δ, or something of probability `DELTA` had happened.

Beyond `USUAL` steps T is run where a variant says something that did not at any shorter T. Skipped: σ below
`LEAST_SIGMA`; more than `MOST_STEPS` agent-steps; models whose σ is not computed (see `assumption3`); for the exact law
more than `LAW_AGENTS` agents and more than `LAW_WORK` multiply-adds; for it and for long runs other policies than the
uniform one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial

import numpy as np
from scipy.special import bdtrc

from sacrepro.bounds.critic import chebyshev, critic, critic_bias, td_fixed_point_local
from sacrepro.bounds.decay import lemma3
from sacrepro.bounds.theorem5 import Constants, critic_noise, critic_noise_sharp, least_h, least_t0
from sacrepro.exact.law.cell_chain import law_cost
from sacrepro.exact.law.moments import critic_law
from sacrepro.exact.truncation import cell_shape, outside_axes
from sacrepro.instances.extremal import rare_state, sticky_relay
from sacrepro.learn.samples import visited_by_seeds
from sacrepro.model.checks import Array
from sacrepro.model.graph import max_neighborhood_size, neighborhood
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.measures.decay import MOST_ENTRIES, best_sigma, entries
from sacrepro.study.measures.fixed_points import LOCALITY, PAPER
from sacrepro.study.record import Case, Change, Claim, Comparison, Counterexample, Drawing, Variant, uniform_case
from sacrepro.study.record.claim import EXPONENT, FACTOR, planted

WRITTEN_OUT, LAW = "written out", "exact law"

DELTA = 1e-6
TAUS = (2, 3, 5, 9)
LENGTHS = (100, 1000, 10_000, 100_000, 1_000_000, 10_000_000)
USUAL = 10_000
LEAST_SIGMA = 1e-3
MOST_STEPS = 20_000_000

#: The exact law: δ, how many episodes, their lengths, and what it may take.
CHANCE, SEEDS, LAW_LENGTHS = 0.1, 200, (1000, 10_000)
LAW_AGENTS, LAW_WORK = 3, 1 << 29


def check(case: Case) -> Iterator[Comparison]:
    """The largest |Q_i - Q̂_i^T| over (s, a) for each agent, κ and T against every right side."""
    mdp = case.mdp
    if mdp.r_bar == 0.0 or entries(mdp) > MOST_ENTRIES:
        return
    sigma = best_sigma(mdp, policies(mdp, case.theta), TAUS)
    Q = [case.Q(i) for i in range(mdp.n)]
    for kappa in range(case.D.shape[1]):
        explored = {tau: min(sigma[i, kappa, tau] for i in range(mdp.n)) for tau in TAUS}
        usable = [tau for tau in TAUS if LEAST_SIGMA <= explored[tau] <= 0.5]
        if usable:
            tau = min(usable, key=lambda tau: tau / explored[tau] ** 2)
            constants = theorem_constants(mdp, kappa, explored[tau], tau)
            yield from after_an_episode(case, kappa, Q, constants)
            if case.policy == "uniform" and mdp.n <= LAW_AGENTS:
                yield from by_exact_law(case, kappa, Q, constants)


def theorem_constants(mdp: NetworkedMDP, kappa: int, sigma: float, tau: int) -> Constants:
    """What Theorem 5 assumes, with Lemma 3's (c, ρ)."""
    pairs = float(np.log(max(mdp.state_sizes) * max(mdp.action_sizes)))
    log_cells = max_neighborhood_size(mdp.graph, kappa) * pairs
    return Constants(*lemma3(mdp.r_bar, mdp.gamma), sigma, tau, mdp.r_bar, mdp.gamma, log_cells)


def least_steps(constants: Constants) -> tuple[float, float]:
    """(h, t0), the least that the theorem admits."""
    h = least_h(constants.sigma, constants.gamma)
    return h, least_t0(h, constants.sigma, constants.tau)


def right_sides(kappa: int, T: int, constants: Constants) -> dict[str, float]:
    """The finite-time bounds, of probability 1 - `DELTA`."""
    h, t0 = least_steps(constants)
    noise = critic_noise(DELTA, T, h, t0, constants)
    local = td_fixed_point_local(constants.r_bar, constants.gamma, kappa)
    return {
        PAPER: critic(noise, critic_bias(constants.c, constants.rho, kappa, constants.gamma)),
        LOCALITY: critic(noise, local),
        WRITTEN_OUT: critic(critic_noise_sharp(DELTA, T, h, t0, constants), local),
    }


def after_an_episode(case: Case, kappa: int, Q: Sequence[Array], constants: Constants) -> Iterator[Comparison]:
    """One episode for each T that is run."""
    mdp, trivial = case.mdp, case.mdp.r_bar / (1.0 - case.mdp.gamma)
    saying: set[str] = set()
    for T in LENGTHS:
        rights = right_sides(kappa, T, constants)
        new = {name for name, right in rights.items() if right < trivial} - saying
        if T * mdp.n > MOST_STEPS or (T > USUAL and (case.policy != "uniform" or not new)):
            continue
        saying |= new
        tables = critic_tables(mdp, case.theta, kappa, T, *least_steps(constants))
        for i in range(mdp.n):
            left = float(np.abs(Q[i] - tables[i]).max())
            yield from case.left(i, kappa, left, error_of(case, T), f"T={T}", trivial).against(rights)


def error_of(case: Case, T: int) -> float:
    """A bound on the error of |Q_i - Q̂_i^T|: that of Q_i, and the rounding of line 7."""
    mdp = case.mdp
    return 2.0 * case.error + 8.0 * T * float(np.finfo(float).eps) * mdp.r_bar / (1.0 - mdp.gamma) ** 2


def by_exact_law(case: Case, kappa: int, Q: Sequence[Array], constants: Constants) -> Iterator[Comparison]:
    """Chebyshev's inequality with the law of Q̂_i^T, against `SEEDS` episodes."""
    mdp, trivial = case.mdp, case.mdp.r_bar / (1.0 - case.mdp.gamma)
    h, t0 = least_steps(constants)
    for T in LAW_LENGTHS:
        cost = law_cost(mdp, kappa=kappa, T=T, critic_only=True)
        if cost.multiplications * cost.cells > LAW_WORK:
            continue
        runs = list(tables_by_seeds(mdp, case.theta, kappa, T, h, t0, range(SEEDS)))
        for i in range(mdp.n):
            errors = sorted((float(np.abs(Q[i] - tables[i]).max()) for tables in runs), reverse=True)
            right = law_bound(case, i, kappa, T, h, t0, Q[i], CHANCE)
            found = case.left(i, kappa, errors[exceeding() - 1], error_of(case, T), f"T={T}", trivial)
            yield from found.against({LAW: right})


def law_bound(case: Case, i: int, kappa: int, T: int, h: float, t0: float, Q_i: Array, delta: float) -> float:
    """The bound of `chebyshev` on |Q_i - Q̂_i^T| under this policy, rounded up by the law's certified error."""
    law = critic_law(case.mdp, case.theta, i, kappa=kappa, T=T, h=h, t0=t0)
    bias = np.abs(law.mean - Q_i).max(axis=outside_axes(neighborhood(case.mdp.graph, i, kappa), case.mdp.n))
    variance = law.covariance.diagonal().clip(min=0.0) + law.error
    return chebyshev(bias.ravel() + law.error, variance, delta)


def exceeding() -> int:
    """The least k such that k or more of `SEEDS` events of probability `CHANCE` have probability `DELTA` at most."""
    return next(k for k in range(SEEDS + 2) if bdtrc(k - 1, SEEDS, CHANCE) <= DELTA)


def critic_tables(
    mdp: NetworkedMDP, theta: tuple[Array, ...], kappa: int, T: int, h: float, t0: float, seed: int = 0
) -> list[Array]:
    """Q̂_i^T of every agent after one inner loop of Algorithm 1, shape of Q̂_i; 0 where line 7 never wrote."""
    return next(tables_by_seeds(mdp, theta, kappa, T, h, t0, (seed,)))


def tables_by_seeds(
    mdp: NetworkedMDP, theta: tuple[Array, ...], kappa: int, T: int, h: float, t0: float, seeds: Iterable[int]
) -> Iterator[list[Array]]:
    """`critic_tables` of one seed after the other."""
    full = (*mdp.state_sizes, *mdp.action_sizes)
    for loop in visited_by_seeds(mdp, theta, 0, kappa=kappa, T=T, h=h, t0=t0, seeds=seeds):
        tables = []
        for cells in loop.Q_hat:
            table = np.zeros(cell_shape(full, cells.hood))
            table[cells.places(mdp.n)] = cells.value
            tables.append(table)
        yield tables


@cache
def long_run(gamma: float, flip: float, T: int) -> tuple[Comparison, ...]:
    """The row of agent 1 of a sticky relay at κ = 0 after T steps."""
    case = uniform_case("sticky relay", sticky_relay(gamma, flip))
    sigma = best_sigma(case.mdp, policies(case.mdp, case.theta), TAUS)
    constants = theorem_constants(case.mdp, 0, min(sigma[0, 0, 3], sigma[1, 0, 3]), 3)
    table = critic_tables(case.mdp, case.theta, 0, T, *least_steps(constants))[1]
    left = float(np.abs(case.Q(1) - table).max())
    found = case.left(1, 0, left, error_of(case, T), f"T={T}", 1.0 / (1.0 - gamma))
    return tuple(found.against({WRITTEN_OUT: right_sides(0, T, constants)[WRITTEN_OUT]}))


def with_bias(wrong: float, gamma: float) -> Change:
    """`wrong` in place of the bias r̄γ/(1-γ) at κ = 0, r̄ = 1."""
    return lambda row: row._replace(right=row.right - td_fixed_point_local(1.0, gamma, 0) + wrong)


def twice_the_return_time() -> Iterator[Comparison]:
    """(1-p)^T, the probability that line 7 never writes the cell of `rare_state`, against δ = `CHANCE` at T = 2/p.

    Unwritten it holds 0, and Q = 1 there or more: the error is at least r̄, above r̄γ/(1-γ).
    """
    for k in range(1, 7):
        p, T = 10.0**-k, 2 * 10**k
        unwritten = float(rare_state(p).P[0][0, 0, 0]) ** T
        rounding = 4.0 * T * float(np.finfo(float).eps)
        yield Comparison("rare_state", "any", "", f"p={p:g}, T={T}", 0, 0, unwritten, CHANCE, rounding)


CLAIM = Claim(
    order=150, words="finite-time bound on the critic's error, Appendix C",
    statement="|Q_i(z) - Q̂_i^T(z_{N_i^κ})| ≤ C_a/√(T+t0) + C_a'/(T+t0) + bias with probability 1-δ; bias "
              "2cρ^{κ+1}/(1-γ)² (paper), r̄γ^{κ+1}/(1-γ) (locality), that and the proof's own constants for C_a, C_a' "
              "(written out); or by Chebyshev's inequality from the exact mean and covariance of Q̂_i^T (exact law)",
    reference="Appendix C; lines 4-9 of Algorithm 1", proof="critic", check=check, needs=("tables", "learner"),
    variants=(Variant(PAPER), Variant(LOCALITY), Variant(WRITTEN_OUT), Variant(LAW)),
    drawing=Drawing("critic", r"$\max\,|Q_i - \hat Q_i^T|$",
                    {PAPER: "the paper's bound, least over agents and policies", LOCALITY: "with the smaller bias",
                     WRITTEN_OUT: "and the proof's constants", LAW: "exact law, probability .9"}),
    attack="true of nearly every episode of a model, not of the best of the many that a climb would look at",
    plants=(*planted(EXPONENT, partial(long_run, 0.2, 0.2, 10**6), with_bias(0.2**2 / 0.8, 0.2), WRITTEN_OUT),
            *planted(FACTOR, partial(long_run, 0.6, 0.1, 10**7), with_bias(0.6, 0.6), WRITTEN_OUT)),
    counterexamples=(
        Counterexample("twice 1/p",
                       "T = 2/p steps bring |Q_i - Q̂_i^T| to r̄γ^{κ+1}/(1-γ) with probability .9, where the rarest cell "
                       "has frequency p",
                       "Theorem 5, eq. (8)", "fails without T ≥ log(1/δ)/log(1/(1-p))", twice_the_return_time),
    ),
)  # fmt: skip
