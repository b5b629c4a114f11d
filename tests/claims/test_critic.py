"""The critic over T: a case by hand, the slope -1/2, the plateau at q*; bounds that constrain, and what they need."""

import dataclasses
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import binom

from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.critic import chebyshev, critic, critic_bias, steps_to_write, td_fixed_point_local
from sacrepro.bounds.theorem5 import (
    LOOSE,
    C_a,
    C_a_prime,
    Constants,
    critic_noise,
    critic_noise_sharp,
    least_h,
    least_t0,
)
from sacrepro.exact import td_fixed_point as fixed_point
from sacrepro.exact.dense import q_function
from sacrepro.exact.law.cell_chain import law_cost
from sacrepro.exact.law.moments import CriticLaw
from sacrepro.instances import build
from sacrepro.instances.extremal import rare_state, sticky_relay
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.learn.transcription import outer_iteration
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import uniform_theta
from sacrepro.study.claims import critic as claim
from sacrepro.study.claims.critic import (
    CHANCE,
    DELTA,
    LAW,
    LENGTHS,
    MOST_STEPS,
    SEEDS,
    USUAL,
    check,
    critic_tables,
    exceeding,
    law_bound,
    least_steps,
    long_run,
    tables_by_seeds,
    theorem_constants,
    twice_the_return_time,
)
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, constrains, holds, verdict
from strategies import cases

WITNESS = uniform_case(build({"model": "td_witness"}), "td_witness")
EXPLORED = uniform_case(
    build(
        {"model": "random", "graph": {"family": "path", "n": 2}, "seed": 3, "gamma": 0.05,
         "state_sizes": [2, 2], "action_sizes": [1, 1], "concentration": 4}
    )
)  # fmt: skip
BY_EPISODE = ("paper", "locality", "written out")


@pytest.mark.parametrize("case", [WITNESS, random_case(gamma=0.7), random_case(family="star", gamma=0.5)])
def test_holds(case):
    """Every comparison holds; at the T that is usual the printed bound is above r̄/(1-γ) and says nothing."""
    rows = list(check(case))
    assert {f"T={T}" for T in LENGTHS if T <= USUAL} <= {row.case for row in rows}
    assert all(holds(row) for row in rows)
    assert {row.trivial for row in rows} == {case.mdp.r_bar / (1 - case.mdp.gamma)}
    assert all(row.left <= row.trivial + row.error for row in rows)
    printed = [row for row in rows if row.hypothesis == "paper"]
    assert verdict("", "", "", printed).verdict == "vacuous"


@settings(max_examples=15)
@given(cases(max_n=3))
def test_holds_on_drawn_models(case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "LENGTHS", (100, 1000))
        patch.setattr(claim, "LAW_LENGTHS", (100,))
        assert all(holds(row) for row in check(exact_case("random", "uniform", *case)))


def test_confirmed_where_it_constrains():
    """On a model that is explored well every bound says something: the printed one after 10⁷ steps."""
    rows = list(check(EXPLORED))
    judged = {group[0].hypothesis: verdict("critic", "", "", group) for group in by_hypothesis(rows)}
    assert {name: row.verdict for name, row in judged.items()} == dict.fromkeys((*BY_EPISODE, LAW), "holds")
    saying = {name: {row.case for row in rows if row.hypothesis == name and constrains(row)} for name in judged}
    assert saying["paper"] == {"T=10000000"}
    assert saying["written out"] == {"T=1000", "T=10000", "T=10000000"}
    assert saying[LAW] == {"T=1000", "T=10000"}
    assert judged[LAW].ratio > 0.85
    assert 10_000_000 * EXPLORED.mdp.n == MOST_STEPS


def test_the_tables_are_those_of_the_transcription():
    """Cell by cell, with unwritten cells at 0."""
    where = {"kappa": 1, "T": 60, "h": 3.0, "t0": 7.0, "seed": 4}
    case = random_case(gamma=0.7)
    tables = critic_tables(case.mdp, case.theta, **where)
    printed = outer_iteration(case.mdp, case.theta, 0, eta=1.0, **where)
    for table, Q_hat in zip(tables, printed.Q_hat, strict=True):
        assert table.sum() == pytest.approx(sum(Q_hat.values()), rel=1e-12)
        assert np.count_nonzero(table) == np.count_nonzero(list(Q_hat.values()))
        assert set(table[table != 0.0]) == {value for value in Q_hat.values() if value}


def test_tight():
    """One state, one action, r = 1: the error is Π_t (1 - α_t (1-γ)) / (1-γ), whatever the seed."""
    mdp = NetworkedMDP(nx.empty_graph(1), (np.ones((1, 1, 1)),), (np.ones((1, 1)),), 0.5, (np.ones(1),))
    T, h, t0 = 50, 3.0, 7.0
    table = critic_tables(mdp, (np.zeros((1, 1)),), 0, T, h, t0)[0]
    by_hand = 2.0 * math.prod(1 - h / (t + t0) * 0.5 for t in range(T))
    assert 2.0 - table[0, 0] == pytest.approx(by_hand, rel=1e-12)


def errors(kappa, T, seeds, limit):
    """The mean square over cells of Q̂_0^T - limit on the counterexample, of each seed."""
    runs = tables_by_seeds(WITNESS.mdp, WITNESS.theta, kappa, T, 60.0, 120.0, range(seeds))
    return [float(np.mean((tables[0] - limit) ** 2)) for tables in runs]


def test_the_slope():
    """With nobody outside (κ = 1) the error falls like T^{-1/2}: 16 times the steps, a quarter of the error."""
    Q = q_function(WITNESS.mdp, WITNESS.V[0], 0)
    short, long = (math.sqrt(np.mean(errors(1, T, 6, Q))) for T in (500, 8000))
    assert 2.5 < short / long < 6.5


def test_the_plateau():
    """With κ = 0 it does not: Q̂^T settles at q*, 6.2 from Q_0 on one cell."""
    q = fixed_point(WITNESS.mdp, WITNESS.theta, 0, 0)
    Q = q_function(WITNESS.mdp, WITNESS.V[0], 0)
    table = critic_tables(WITNESS.mdp, WITNESS.theta, 0, 24_000, 60.0, 120.0)[0]
    assert np.abs(table - q).max() < 0.1 * np.abs(q - Q).max()
    assert np.abs(table - Q).max() == pytest.approx(np.abs(q - Q).max(), rel=0.1)


def test_the_right_side():
    """2cρ^{κ+1}/(1-γ)² and the noise are added."""
    assert critic_bias(3.0, 0.5, 1, 0.75) == pytest.approx(2 * 3 * 0.25 * 16)
    assert critic(0.5, 1.0) == 1.5


def test_necessary_exploration():
    """On the relay σ = 0: no step size is admitted, nothing is compared."""
    assert list(check(uniform_case(RELAY))) == []


# The proof's constants, line by line.

CONSTANTS = Constants(6.0, 0.5, 0.2, 4, 3.0, 0.5, 1.5)


def test_the_noise_by_hand():
    """σ = .2, τ = 4, r̄ = 3, γ = ½: p = 4, h = 20, t0 = 40, l = 3, V = 400/6.6, H = 6."""
    T, delta = 960, 0.01
    logarithm = math.log(960**2 / 0.01) + 1.5
    chance = (7 / 3) * 6 * math.sqrt(2 * 400 / 6.6 * logarithm / 1000)
    drift = 3 * 6 * (43 + 2 * 1.5 * 3 * 400 / 3) / 1000
    assert critic_noise_sharp(delta, T, 20.0, 40.0, CONSTANTS) == pytest.approx(chance + drift, rel=1e-13)


@pytest.mark.parametrize(("T", "h", "t0"), [(3, 20.0, 40.0), (960, 17.0, 40.0), (960, 20.0, 39.0)])
def test_what_the_theorem_asks_of_the_steps_is_asked(T, h, t0):
    with pytest.raises(ValueError, match="needs h ≥"):
        critic_noise_sharp(0.01, T, h, t0, CONSTANTS)


@pytest.mark.parametrize("gamma", [0.0, 0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(("sigma", "tau"), [(0.5, 2), (0.01, 9)])
def test_37_and_3_times_less_than_printed(gamma, sigma, tau):
    assert LOOSE == 37
    constants = Constants(1.0, gamma, sigma, tau, 1.0, gamma, 2.0)
    for more in (1.0, 5.0):
        h = more * least_h(sigma, gamma)
        t0 = more * least_t0(h, sigma, tau)
        for T in (tau, 10**5, 10**12):
            least = C_a(0.1, T, h, constants) / LOOSE / math.sqrt(T + t0) + C_a_prime(h, t0, constants) / 3 / (T + t0)
            assert 0 < critic_noise_sharp(0.1, T, h, t0, constants) <= least


@pytest.mark.parametrize("p", [2.0, 3.5, 20.0])
def test_lines_4_to_9_of_the_proof(p):
    """The recursions against their bounds, d_t anywhere in [σ, 1]; the noise, path by path, against line 6."""
    rng = np.random.default_rng(int(10 * p))
    sigma, lag = 0.1, 2
    h, t0 = p / sigma, max(2 * p / sigma, 4 * p, lag + 1)
    V = h**2 / (2 * p - 1 - p**2 / t0)
    for spread in (0.0, 0.2, 1.0):
        start = squares = drift = N = 0.0
        start, slow, fast, sums = 1.0, 0.0, 0.0, np.zeros(0)
        for t in range(lag, 400):
            x, alpha = t + t0, h / (t + t0)
            d, w = sigma + spread * (1 - sigma) * rng.random(), rng.choice([-1.0, 1.0])
            start *= 1 - alpha * d
            squares = (1 - alpha * sigma) ** 2 * squares + alpha**2
            drift = (1 - alpha * d) * drift + (h / x) ** 2
            slow, fast = ((1 - alpha * d) * s + alpha * d * f for s, f in ((slow, x**-0.5), (fast, 1 / x)))
            N = (1 - alpha * d) * N + alpha * w
            sums = np.append((1 - alpha * sigma) * sums, 0.0) + alpha * w
            following = (x + 1) * (1 + 1e-12)
            assert start <= (lag + t0) / following
            assert squares <= V / following * (1 + 1e-11)
            assert drift <= h**2 / (p - 1) / following * (1 + 1e-11)
            assert slow <= (x + 1) ** -0.5 / (1 - 0.5 / p)
            assert fast <= 1 / (x + 1) / (1 - 1 / p)
            assert sums.min() - 1e-9 <= N <= sums.max() + 1e-9


# The exact law.


def test_chebyshev_is_attained():
    """Three points: 0, and ±2 with probability 1/20 each. P(|X| ≥ 2) = .1 = Var/4; a second cell adds its bias."""
    assert chebyshev(np.array([0.0]), np.array([0.4]), 0.1) == pytest.approx(2.0, rel=1e-11)
    two = chebyshev(np.array([0.0, 0.5]), np.array([0.4, 0.1]), 0.1)
    assert 0.4 / two**2 + 0.1 / (two - 0.5) ** 2 == pytest.approx(0.1, rel=1e-10)
    assert chebyshev(np.array([0.7, 0.5]), np.zeros(2), 0.1) == pytest.approx(0.7, rel=1e-11)
    # From above, and at every scale.
    assert chebyshev(np.array([0.0]), np.array([0.4]), 0.1) > 2.0
    for scale in (1e-6, 1e6):
        scaled = chebyshev(scale * np.array([0.0, 0.5]), scale**2 * np.array([0.4, 0.1]), 0.1)
        assert scaled == pytest.approx(scale * two, rel=1e-11)


def test_the_error_of_the_seeds_is_of_a_stated_rate():
    """`exceeding` or more of `SEEDS` events of probability .1 have probability 10⁻⁶ at most; one fewer has more."""
    assert binom.sf(exceeding() - 1, SEEDS, CHANCE) <= DELTA < binom.sf(exceeding() - 2, SEEDS, CHANCE)


def test_necessary_bias_and_variance_of_the_law():
    """The law's bound is neither the bias alone nor the spread alone: half of the episodes exceed the first."""
    case, T, h, t0 = WITNESS, 10_000, 60.0, 120.0
    Q = q_function(case.mdp, case.V[0], 0)
    bound = law_bound(case, 0, 0, T, h, t0, Q, CHANCE)
    centre = law_bound(case, 0, 0, T, h, t0, Q, 1e9)
    runs = tables_by_seeds(case.mdp, case.theta, 0, T, h, t0, range(60))
    errors = [float(np.abs(tables[0] - Q).max()) for tables in runs]
    assert sum(error > bound for error in errors) <= 0.2 * len(errors)
    assert sum(error > centre for error in errors) >= 0.2 * len(errors)
    assert sum(error > bound - centre for error in errors) == len(errors)


def test_the_bound_of_the_law_by_hand(monkeypatch):
    """Off by (3, ½) and certified to ¼, variances .3 and -1: a bias of (3.25, .75) and variances of .55 and .25."""
    asked = []

    def law(mdp, theta, i, **options):
        assert (mdp, theta) == (EXPLORED.mdp, EXPLORED.theta)
        asked.append((i, options))
        return CriticLaw(np.array([1.0, -1.0]).reshape(2, 1, 1, 1), np.array([[0.3, 9.0], [9.0, -1.0]]), 0.25)

    monkeypatch.setattr(claim, "critic_law", law)
    Q = np.array([[4.0, 2.0], [-1.25, -0.5]]).reshape(2, 2, 1, 1)
    bound = law_bound(EXPLORED, 0, 0, 7, 2.0, 3.0, Q, 0.2)
    assert bound == pytest.approx(chebyshev(np.array([3.25, 0.75]), np.array([0.55, 0.25]), 0.2), rel=1e-12)
    assert asked == [(0, {"kappa": 0, "T": 7, "h": 2.0, "t0": 3.0})]


def test_what_is_put_against_the_law(monkeypatch):
    """Of 20 episodes the error that `exceeding` reach, at each T that the law affords, one row an agent."""
    monkeypatch.setattr(claim, "SEEDS", 20)
    monkeypatch.setattr(claim, "LAW_LENGTHS", (6, 5, 10**6, 4))
    cost = law_cost(EXPLORED.mdp, kappa=0, T=5, critic_only=True)
    monkeypatch.setattr(claim, "LAW_WORK", cost.multiplications * cost.cells)
    Q = [np.full((2, 2, 1, 1), float(i)) for i in range(2)]
    constants = theorem_constants(EXPLORED.mdp, 0, 0.25, 2)
    steps = least_steps(constants)

    def tables(mdp, theta, kappa, T, h, t0, seeds):
        assert (mdp, theta, kappa, (h, t0)) == (EXPLORED.mdp, EXPLORED.theta, 0, steps)
        for seed in seeds:
            yield [Q_i - seed - T + np.array([[0.0, 0.5]])[:, :, None, None] for Q_i in Q]

    def bound(case, i, kappa, T, h, t0, Q_i, delta):
        assert (case, kappa, (h, t0), delta) == (EXPLORED, 0, steps, CHANCE)
        return 100.0 * T + 10.0 * i + Q_i[0, 0, 0, 0]

    monkeypatch.setattr(claim, "tables_by_seeds", tables)
    monkeypatch.setattr(claim, "law_bound", bound)
    k = next(k for k in range(21) if binom.sf(k - 1, 20, CHANCE) <= DELTA)
    rows = list(claim.by_exact_law(EXPLORED, 0, Q, constants))
    told = [(row.agent, row.kappa, row.case, row.hypothesis, row.left, row.right) for row in rows]
    assert told == [(i, 0, f"T={T}", LAW, 20 - k + T, 100 * T + 11 * i) for T in (5, 4) for i in (0, 1)]
    assert {row.trivial for row in rows} == {EXPLORED.mdp.r_bar / 0.95}
    assert [row.error for row in rows] == [claim.error_of(EXPLORED, T) for T in (5, 5, 4, 4)]


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("policy", ["uniform", "other"])
def test_which_lengths_are_run(n, policy, monkeypatch):
    """The usual ones; longer ones under the uniform policy, where a variant says what none said before."""
    case = dataclasses.replace(uniform_case(random_mdp(nx.path_graph(n), seed=0, gamma=0.5)), policy=policy)
    trivial = case.mdp.r_bar / 0.5
    least = {"a": 100, "b": 10**6, "c": 10**7, "d": 10**9}
    constants = theorem_constants(case.mdp, 0, 0.25, 2)

    def sides(kappa, T, given):
        assert (kappa, given) == (0, constants)
        return {name: 0.5 * trivial if first <= T else trivial for name, first in least.items()}

    Q = [np.full((2,) * (2 * n), 3.0 * i) for i in range(n)]

    def tables(mdp, theta, kappa, T, h, t0):
        assert (mdp, theta, kappa, (h, t0)) == (case.mdp, case.theta, 0, least_steps(constants))
        return [Q_i + 1.0 + i for i, Q_i in enumerate(Q)]

    monkeypatch.setattr(claim, "right_sides", sides)
    monkeypatch.setattr(claim, "critic_tables", tables)
    rows = list(claim.after_an_episode(case, 0, Q, constants))
    lengths = [100, 1000, 10_000] + [10**6] * (policy == "uniform") + [10**7] * (policy == "uniform" and n == 2)
    told = [(row.case, row.agent, row.kappa, row.hypothesis, row.left, row.right, row.error) for row in rows]
    assert told == [
        (f"T={T}", i, 0, name, 1.0 + i, right, claim.error_of(case, T))
        for T in lengths
        for i in range(n)
        for name, right in sides(0, T, constants).items()
    ]
    assert {row.trivial for row in rows} == {trivial}
    # What was said once is not said again, whatever was run since.
    del least["b"], least["c"]
    monkeypatch.setattr(claim, "LENGTHS", (100, 1000, 10**5))
    rows = list(claim.after_an_episode(case, 0, Q, constants))
    assert {row.case for row in rows} == {"T=100", "T=1000"}


@pytest.mark.parametrize(("n", "policy"), [(3, "uniform"), (4, "uniform"), (2, "other")])
def test_what_is_compared_and_with_which_lag(n, policy, monkeypatch):
    """The least σ of all agents, between 1e-3 and ½, at the least τ/σ²; the law of small networks, uniform policy."""
    case = dataclasses.replace(uniform_case(random_mdp(nx.path_graph(n), seed=0, gamma=0.5)), policy=policy)
    by_lag = [{2: 0.3, 3: 0.45, 5: 0.6, 9: 0.5}, {2: 0.5, 3: 0.6, 5: 0.9, 9: 0.9}, {2: 9e-4, 3: 9e-4, 5: 1e-3, 9: 0.0}]
    by_lag += [dict.fromkeys(claim.TAUS, 9e-4)]
    sigma = {
        (i, kappa, tau): value + (0.0 if i == 1 else 0.05)
        for i in range(n)
        for kappa in range(n)
        for tau, value in by_lag[kappa].items()
    }
    found = []

    def best(mdp, zeta, taus):
        assert (mdp, taus) == (case.mdp, claim.TAUS)
        assert [zeta_i.tolist() for zeta_i in zeta] == [[[0.5, 0.5]] * 2] * n
        return sigma

    monkeypatch.setattr(claim, "best_sigma", best)
    for name in ("after_an_episode", "by_exact_law"):
        monkeypatch.setattr(claim, name, lambda *given, name=name: found.append((name, *given)) or [])
    assert list(check(case)) == []
    expected = [
        (kappa, theorem_constants(case.mdp, kappa, by_lag[kappa][tau], tau)) for kappa, tau in enumerate((3, 2, 5))
    ]
    names = ["after_an_episode", "by_exact_law"] if n == 3 else ["after_an_episode"]
    told = [(name, kappa, constants) for kappa, constants in expected[:n] for name in names]
    assert [(name, kappa, constants) for name, _, kappa, _, constants in found] == told
    for _, seen, _, Q, _ in found:
        assert seen is case
        assert [Q_i.tolist() for Q_i in Q] == [q_function(case.mdp, case.V[i], i).tolist() for i in range(n)]
    found.clear()
    monkeypatch.setattr(claim, "MOST_ENTRIES", 8**n - 1)
    assert list(check(case)) == found == []
    monkeypatch.setattr(claim, "MOST_ENTRIES", 8**n)
    list(check(case))
    assert found


def test_nothing_is_compared_where_nothing_is_paid():
    free = NetworkedMDP(EXPLORED.mdp.graph, EXPLORED.mdp.P, (np.zeros((2, 1)),) * 2, 0.05, EXPLORED.mdp.pi0)
    assert list(check(uniform_case(free))) == []


def test_the_constants_and_right_sides_by_hand():
    """r̄ = 3, γ = ½: c = 6, ρ = ½; of cells (s, a) the largest S times the largest A, once for each of N_i^κ."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(3, 2, 2), action_sizes=(2, 5, 2), gamma=0.5)
    mdp = NetworkedMDP(mdp.graph, mdp.P, (*mdp.r[:2], np.array([[3.0, 0.0], [0.0, 0.0]])), 0.5, mdp.pi0)
    constants = theorem_constants(mdp, 1, 0.2, 4)
    assert constants == pytest.approx((6.0, 0.5, 0.2, 4, 3.0, 0.5, 3 * math.log(15)), rel=1e-15)
    h = 1 / (1 - math.sqrt(0.5)) / 0.2
    assert least_steps(constants) == pytest.approx((h, 2 * h), rel=1e-15)
    sides = claim.right_sides(1, 500, constants)
    printed, own = critic_noise(1e-6, 500, h, 2 * h, constants), critic_noise_sharp(1e-6, 500, h, 2 * h, constants)
    assert sides == pytest.approx(
        {"paper": printed + 2 * 6 * 0.25 / 0.25, "locality": printed + 1.5, "written out": own + 1.5}, rel=1e-14
    )
    case = dataclasses.replace(EXPLORED, mdp=mdp, error=1e-9)
    assert claim.error_of(case, 500) == pytest.approx(2e-9 + 8 * 500 * 2.0**-52 * 3 * 4, rel=1e-14)


def test_a_short_run_by_hand():
    """flip = .2: σ = .2 at τ = 3, since agent 1 at τ is agent 0 at τ-1; then h = 10, t0 = 20."""
    (row,) = long_run(0.2, 0.2, 1000)
    mdp = sticky_relay(0.2, 0.2)
    Q = q_function(mdp, uniform_case(mdp).V[1], 1)
    left = np.abs(Q - critic_tables(mdp, uniform_theta(mdp), 0, 1000, 10.0, 20.0)[1]).max()
    noise = critic_noise_sharp(1e-6, 1000, 10.0, 20.0, Constants(1.25, 0.2, 0.2, 3, 1.0, 0.2, math.log(2)))
    assert row[:6] == ("sticky relay", "uniform", "written out", "T=1000", 1, 0)
    assert row.left == pytest.approx(left, rel=1e-12)
    assert row.right == pytest.approx(noise + 0.25, rel=1e-12)
    assert row.error == pytest.approx(8 * 1000 * 2.0**-52 / 0.64, rel=1e-2)
    assert row.trivial == 1.25
    assert claim.with_bias(0.05, 0.2)(row) == row._replace(right=row.right - 0.25 + 0.05)


def test_how_often_the_rare_state_is_not_seen():
    """(1-p)^{2/p}, which is .81 times .99^{198} and tends to e^{-2}; 4T roundings."""
    rows = list(twice_the_return_time())
    assert [row.case for row in rows] == ["p=0.1, T=20", "p=0.01, T=200", "p=0.001, T=2000", "p=0.0001, T=20000",
                                          "p=1e-05, T=200000", "p=1e-06, T=2000000"]  # fmt: skip
    assert {row[:3] + row[4:6] for row in rows} == {("rare_state", "any", "", 0, 0)}
    for k, row in enumerate(rows, 1):
        T = 2 * 10**k
        assert row.left == pytest.approx((1 - 10.0**-k) ** T, rel=1e-9)
        assert (row.right, row.error) == (CHANCE, pytest.approx(4 * T * 2.0**-52, rel=1e-14))
        assert not holds(row)


# What is necessary.


def test_necessary_noise():
    """After 100 steps a ring of five is not learned: with the bias alone the bound fails."""
    case = random_case(gamma=0.7)
    rows = [row for row in check(case) if (row.hypothesis, row.kappa, row.case) == ("written out", 1, "T=100")]
    local = td_fixed_point_local(case.mdp.r_bar, 0.7, 1)
    assert rows
    assert not any(holds(row._replace(right=local)) for row in rows)


def test_necessary_bias():
    """After 10⁷ steps on a sticky relay more than half of the right side is used; with r̄γ for the bias it fails."""
    (row,) = long_run(0.6, 0.1, 10_000_000)
    assert holds(row)
    assert row.left > 0.5 * row.right
    assert not holds(row._replace(right=row.right - 1.5 + 0.6))


def test_necessary_given_any_past_a_frequency_does_not_do():
    """A clock of 5 states writes each in 5 steps, where frequency 1/5 would ask for 10 to have nine of ten."""
    kernel, start = np.roll(np.eye(5), 1, axis=1)[:, None], np.full(5, 0.2)
    tick = NetworkedMDP(nx.empty_graph(1), (kernel,), (np.ones((5, 1)),), 0.5, (start,))
    for seed in range(5):
        assert (critic_tables(tick, (np.zeros((5, 1)),), 0, 5, 4.0, 8.0, seed)[0] > 0.0).all()
    assert steps_to_write(0.2, CHANCE) > 10 > 5


def test_necessary_one_over_p():
    """How often a cell is unwritten is (1-p)^T, and then the error is Q: 2,000 seeds, five standard errors."""
    p, T, seeds = 0.01, 100, 2000
    mdp = rare_state(p)
    theta = (np.zeros((2, 1)),)
    unwritten = np.mean([own[1, 0] == 0.0 for (own,) in tables_by_seeds(mdp, theta, 0, T, 4.0, 8.0, range(seeds))])
    assert unwritten == pytest.approx(0.99**T, abs=5 * math.sqrt(0.37 * 0.63 / seeds))
    rows = list(twice_the_return_time())
    assert all(not holds(row) for row in rows)
    assert rows[1].left == pytest.approx(0.99**200, rel=1e-12)
    assert math.log(1 / CHANCE) / math.log(1 / 0.99) > 200
