"""What a comparison says about itself: where it was made, and how far its sides may be off, term by term."""

import dataclasses
import math
import re

import networkx as nx
import numpy as np
import pytest

from claims.instances import random_case, uniform_case
from sacrepro.bounds.theorem5 import Constants, critic_noise, critic_noise_sharp, least_h, least_T, least_t0
from sacrepro.bounds.theorem5 import theorem5 as bound_of_theorem5
from sacrepro.exact.rounding import gamma_k
from sacrepro.exact.truncation import solve_error
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.claims import (
    CLAIMS,
    actions_one_hop_later,
    claim,
    critic,
    critic_sharp,
    definition2,
    light_cone,
    td_fixed_point,
    theorem5,
    truncation,
)
from sacrepro.study.claims.light_cone import HORIZONS, finite_values
from sacrepro.study.experiments.environments import map_rows
from sacrepro.study.measures.decay import STEPS, best_sigma, entries, mixing, relative_error
from sacrepro.study.measures.fixed_points import inside_states
from sacrepro.study.record.comparison import by_hypothesis

CASE = random_case(family="path", gamma=0.5)
#: Errors large enough to tell them apart, each with its own digits.
COARSE = dataclasses.replace(CASE, instance="here", policy="now", error=1e-3, D_error=1e-5)


WEIGHTS = {"natural", "uniform", "sparse", "random", "largest", "smallest", "opposed"}
#: One agent, r̄ = 3 and γ = .75.
ALONE = random_mdp(nx.empty_graph(1), seed=0, gamma=0.75)
SCALED = uniform_case(NetworkedMDP(ALONE.graph, ALONE.P, (np.array([[0.0, 3.0], [1.0, 2.0]]),), 0.75, ALONE.pi0))
#: What else is varied, with `#` for numbers, of the case below; nothing where a claim is not here.
VARIED = {
    "definition2": {"given policy, own c=# ρ=#", "worst of # policies"},
    "appendix_a": {"", "m=#"},
    "light_cone": {"T=#"},
    "actions_one_hop_later": {"# of # cells"},
    "reward_radius": WEIGHTS,
    "truncation": WEIGHTS,
    "lemma4": WEIGHTS | {"worst of all"},
    "lemma4_sharp": WEIGHTS | {"worst of all"},
    "lemma4_vector": WEIGHTS | {"climbed from uniform", "climbed from opposed", ""},
    "anatomy": {"", "natural", "uniform", "opposed"},
    "assumption3": {"τ=#"},
    "theorem5": {"", "τ=#", "‖θ'-θ‖=#"},
    "vacuity": {"from κ=#"},
}
#: Variants whose condition fails on this case, or that need runs.
ABSENT = {
    "influence": {"closed form", "row sums", "average reward"},
    "definition2": {"branch and bound"},
    "theorem5": {"(9) along runs"},
    "vacuity": {"ε_κ, influence", "ε_κ, influence, sharper ‖∇J‖"},
}


@pytest.mark.parametrize("name", [name for name in CLAIMS if name not in ("critic", "theorem5_sharp")])
def test_every_comparison_names_its_instance_and_policy(name):
    """Those that run episodes take their labels the same way, and are left out for time."""
    case = COARSE if name not in ("definition2", "complexity") else dataclasses.replace(CASE, instance="here")
    rows = list(claim(name).check(case))
    assert rows
    assert {row.instance for row in rows} == {"here"}
    assert {row.policy for row in rows} == {case.policy}
    assert {row.agent for row in rows} <= set(range(case.mdp.n))
    assert all(type(row.kappa) is int and 0 <= row.kappa <= case.D.shape[1] for row in rows)
    assert all(row.error >= 0.0 for row in rows)
    numberless = {re.sub(r"\d[\d.]*(e[+-]\d+)?", "#", row.case) for row in rows}
    assert numberless == VARIED.get(name, {""})
    variants = {variant.name for variant in claim(name).variants}
    assert ABSENT.get(name, set()) < variants
    assert {row.hypothesis for row in rows} == variants - ABSENT.get(name, set())
    # No two rows are told alike.
    assert len({(row.agent, row.kappa, row.case, row.hypothesis) for row in rows}) == len(rows)


def test_the_certificate_of_truncation():
    """Q̂_i and Q_i are each off by the error of V_i at most."""
    rows = list(truncation.check(COARSE))
    assert {row.error for row in rows} == {2e-3}
    assert {row.hypothesis for row in rows} == {""}


def test_the_certificate_of_the_td_fixed_point():
    """2·error + D_error/(1-γ) + the rounding of the solve."""
    for row in td_fixed_point.check(COARSE):
        own = solve_error(CASE.mdp, inside_states(CASE.mdp, row.agent, row.kappa))
        assert row.error == pytest.approx(2e-3 + 2e-5 + own, rel=1e-12)
        assert row.error > 2e-3 + 2e-5
    assert solve_error(CASE.mdp, 8) == pytest.approx(16 * 64 * 2.0**-53 * CASE.mdp.r_bar * 4, rel=1e-12)


def test_the_certificate_of_the_light_cone():
    """Both ends: D_error and the rounding of V^T, twice; the identity: that rounding twice. T+1 products each."""
    rounding = {T: gamma_k((T + 1) * (32 + 4 * 5 + 8)) * 2.0 * CASE.mdp.r_bar for T in HORIZONS}
    rows = list(light_cone.check(COARSE))
    for row in rows:
        own = 2.0 * rounding[int(row.case[2:])]
        if row.hypothesis == "outside the cone":
            assert row.error == pytest.approx(own, rel=1e-12, abs=0)
            assert (row.right, row.kappa) == (0.0, 0)
        else:
            assert row.error - 1e-5 == pytest.approx(own, rel=1e-4, abs=0)
    assert max(finite_values(CASE)) == max(HORIZONS)


def test_the_certificate_of_the_critic():
    """Q_i twice, and the rounding of T updates of numbers up to r̄/(1-γ), at most 8 an update and 1/(1-γ) each."""
    case = dataclasses.replace(SCALED, instance="here", policy="now", error=1e-9)
    rows = list(critic.check(case))
    assert {(row.instance, row.policy) for row in rows} == {("here", "now")}
    assert {row.hypothesis for row in rows} == {"paper", "locality", "written out"}
    assert {row.case for row in rows} == {"T=100", "T=1000", "T=10000"}
    for row in rows:
        rounding = 8 * int(row.case[2:]) * 2.0**-52 * 3.0 / 0.25**2
        assert row.error - 2e-9 == pytest.approx(rounding, rel=1e-4, abs=0)
        assert row.trivial == pytest.approx(12.0)


def test_the_certificate_of_the_limit_direction():
    """That of the gradient, and L_i/(1-γ) times what q* may be off by: its solve and D_error/(1-γ)."""
    case = dataclasses.replace(COARSE, D_error=1e-3)
    for row in critic_sharp.check(case):
        own = case.gradient_error + math.sqrt(2) / 0.5 * 1e-3 / 0.5
        assert row.error == pytest.approx(own, rel=1e-8, abs=0)
        assert row.error > own


def test_the_certificate_of_smaller_cells():
    """Q_i twice."""
    assert {row.error for row in actions_one_hop_later.check(COARSE)} == {2e-3}


def test_the_certificate_of_the_map():
    """V_i twice."""
    rows = list(map_rows(COARSE))
    assert {row.error for row in rows} == {2e-3}
    assert {(row.instance, row.policy) for row in rows} == {("here", "now")}


def test_the_certificate_of_the_mixing_distances():
    """Both laws at t go through t+1 products over all joint states; equal laws are at distance twice their rounding."""
    P = (np.full((2, 2, 2), 0.5),) * 2
    mdp = NetworkedMDP(nx.empty_graph(2), P, (np.eye(2),) * 2, 0.5, (np.full(2, 0.5),) * 2)
    for found in mixing(mdp, (np.full((2, 2), 0.5),) * 2):
        for t in (1, 2, 100):
            assert found.between[t] == pytest.approx(2 * gamma_k((t + 1) * (4 + 4 * 2 + 8)), rel=1e-3, abs=0)
        assert found.between[0] == found.to_limit[0] == 1.0
        # ‖P - μ‖ and ‖P^128 - μ‖ are rounding: that of one product and that of 128.
        assert found.block == 2
        assert found.m == pytest.approx(math.sqrt(gamma_k(4 + 64) + gamma_k(128 * (4 + 64))), rel=1e-3, abs=0)
        assert len(found.between) == STEPS + 1


def test_the_certificate_of_exploration():
    """2(τ+1)(|S| + 4n) roundings on either side, and kernels that miss 1 by the tolerance of a model, τ n times."""
    u = 2.0**-53
    assert relative_error(CASE.mdp, 5) == pytest.approx(2 * 2 * 6 * (32 + 20) * u + 2 * 5 * 5 * 1e-12, rel=1e-12, abs=0)
    assert entries(CASE.mdp) == 8**5
    assert entries(random_mdp(nx.path_graph(2), seed=0, state_sizes=(2, 3), action_sizes=(3, 1))) == 2**2 * 3 * 3**2


def test_the_certificate_of_definition_2():
    """(D ± error)^{1/(κ+1)}: the larger distance, for the policy given and for the worst one found."""
    found = definition2.asked([(0.25, 1), (0.01, 0)], 1.0, 0.0625)
    assert found == (0.5, pytest.approx(0.5 - math.sqrt(0.1875)))
    assert definition2.asked([(0.25, 1)], 1.0, 0.3) == (0.5, 0.5)
    rows = list(definition2.check(CASE))
    (worst,) = {row.case for row in rows} - {definition2.fit(CASE)}
    c = CASE.mdp.r_bar / 0.5
    row = next(row for row in rows if row.case == worst)
    D = row.left ** (row.kappa + 1) * c
    assert row.error == pytest.approx(definition2.asked([(D, row.kappa)], c, 2e-9)[1], rel=1e-3, abs=0)


def test_the_label_of_a_policys_own_decay():
    """c ρ and the slowest decay from κ = 0 on; nothing to tell of one κ, or where D_i(0) is within its error."""

    def told(D, error=1e-3):
        return definition2.fit(dataclasses.replace(CASE, D=np.tile(D, (5, 1)), D_error=error))

    assert told([0.8, 0.4, 0.05, 0.0, 0.0]) == "given policy, own c=1.6 ρ=0.5"
    assert told([0.8, 0.08, 0.072, 0.0, 0.0]) == "given policy, own c=2.67 ρ=0.3"
    assert told([0.8, 0.0, 0.0, 0.0, 0.0]) == "given policy"
    assert told([1e-3, 1e-4, 0.0, 0.0, 0.0]) == "given policy"
    pair = uniform_case(random_mdp(nx.path_graph(2), seed=0))
    assert definition2.fit(pair) == "given policy"
    three = uniform_case(random_mdp(nx.path_graph(3), seed=0))
    assert definition2.fit(three).startswith("given policy, own c=")


def test_the_certificates_of_theorem_5():
    """√n blocks of ∇J, each off by `gradient_error`: once for the norm, twice for a difference, in squares for (9)."""
    norm = math.sqrt(sum(float((block**2).sum()) for block in CASE.gradient))
    off = COARSE.gradient_error * math.sqrt(5)
    steepest = math.sqrt(2 * 5) * CASE.mdp.r_bar / 0.25
    groups = {rows[0].hypothesis: rows for rows in by_hypothesis(list(theorem5.check(COARSE)))}
    for hypothesis, rows in groups.items():
        assert {row.agent for row in rows} == {0}
        assert {row.kappa for row in rows} == ({0} if hypothesis in ("‖∇J‖", "L'") else set(range(5)))
    for row in groups["‖∇J‖"]:
        assert (row.left, row.error, row.trivial) == pytest.approx((norm, off, steepest), rel=1e-12, abs=0)
    for row in groups["(9)"]:
        expected = (norm**2, off * (2 * norm + off), CASE.mdp.r_bar**2 / (8 * 0.5**3))
        assert (row.left, row.error, row.trivial) == pytest.approx(expected, rel=1e-12, abs=0)
    for row in groups["L'"]:
        assert row.error == pytest.approx(2 * off + 1e-12 * row.right, rel=1e-13, abs=0)
        assert row.right == pytest.approx(CASE.mdp.r_bar / (2 * 0.25) * float(row.case.split("=")[1]), rel=1e-12, abs=0)
    sigma = best_sigma(CASE.mdp, policies(CASE.mdp, CASE.theta), theorem5.TAUS)
    for row in groups["T of (8)"]:
        tau = int(row.case[2:])
        assert row.left == pytest.approx(1 / min(sigma[i, row.kappa, tau] for i in range(5)), rel=1e-12, abs=0)
        assert row.error == pytest.approx(1e-9 * row.right, rel=1e-12, abs=0)


def test_the_networks_of_the_finite_time_bounds(monkeypatch):
    """f(κ) log(SA) with S = 3, A = 2 on a path of two, Lemma 3's (c, ρ), the σ of this θ, the least h and t0."""
    monkeypatch.setattr(critic, "LENGTHS", (100, 1000, 10_000))
    mdp = random_mdp(nx.path_graph(2), seed=0, state_sizes=(3, 2), action_sizes=(2, 2), gamma=0.5)
    case = uniform_case(mdp)
    c, L = mdp.r_bar / 0.5, math.sqrt(2) * math.sqrt(2)
    L_prime = mdp.r_bar / (2 * 0.25)
    of_theorem5, of_the_critic, compared = list(theorem5.check(case)), list(critic.check(case)), 0
    for kappa in (0, 1):
        log_cells = (1, 2)[kappa] * math.log(6)

        def network(tau, kappa=kappa, log_cells=log_cells):
            sigma = best_sigma(mdp, policies(mdp, case.theta), (tau,))
            least = min(sigma[i, kappa, tau] for i in range(2))
            return Constants(c, 0.5, least, tau, mdp.r_bar, 0.5, log_cells)

        least = {tau: least_T(theorem5.DELTA, 2, theorem5.M, kappa, network(tau)) for tau in theorem5.TAUS}
        tau = min(least, key=least.get)
        right = bound_of_theorem5(theorem5.M, 1 / (4 * L_prime), theorem5.DELTA, L, L_prime, kappa, network(tau))
        rows = {row.hypothesis: row for row in of_theorem5 if row.kappa == kappa and row.case == f"τ={tau}"}
        assert rows["T of (8)"].right == least[tau]
        assert rows["(9)"].right == pytest.approx(right, rel=1e-12)
        known = network(min(critic.TAUS, key=lambda tau: tau / network(tau).sigma ** 2))
        h = least_h(known.sigma, 0.5)
        t0, locality = least_t0(h, known.sigma, known.tau), c * 0.5 ** (kappa + 1)
        for row in of_the_critic:
            if row.kappa == kappa and row.hypothesis != critic.LAW:
                T = int(row.case[2:])
                noise = critic_noise(critic.DELTA, T, h, t0, known)
                sides = {
                    "paper": noise + 2 * c * 0.5 ** (kappa + 1) / 0.25,
                    "locality": noise + locality,
                    "written out": critic_noise_sharp(critic.DELTA, T, h, t0, known) + locality,
                }
                assert row.right == pytest.approx(sides[row.hypothesis], rel=1e-12)
                compared += 1
    assert compared == 2 * 2 * 3 * 3
