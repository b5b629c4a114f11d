"""The horizon's interval holds D_i(κ), both ends are attained, and it needs the width and the locality."""

import dataclasses

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from brute_force import BruteForce
from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.decay import cone_width, light_cone
from sacrepro.instances.extremal import turncoat
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import long_range_relay
from sacrepro.model.mdp import NetworkedMDP
from sacrepro.model.policy import policies
from sacrepro.study.claims.light_cone import HORIZONS, check, finite_values
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import by_hypothesis, holds, verdict
from strategies import cases


@settings(max_examples=50)
@given(cases())
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


@settings(max_examples=15)
@given(cases(max_n=2, max_size=2))
def test_finite_values_agree_with_enumeration(case):
    mdp, theta = case
    brute = BruteForce(mdp, policies(mdp, theta))
    ahead = {
        s: {x: sum(brute.act(s, a) * brute.step(s, a, x) for a in brute.actions) for x in brute.states}
        for s in brute.states
    }
    reward = [
        {s: sum(brute.act(s, a) * mdp.r[i][s[i], a[i]] for a in brute.actions) for s in brute.states}
        for i in range(mdp.n)
    ]
    V = reward
    for _ in range(2):
        V = [
            {s: now[s] + mdp.gamma * sum(ahead[s][x] * V_i[x] for x in brute.states) for s in brute.states}
            for now, V_i in zip(reward, V, strict=True)
        ]
    computed = finite_values(exact_case("random", "drawn", mdp, theta))[2][1]
    assert all(computed[(i, *s)] == pytest.approx(V[i][s], rel=1e-12) for i in range(mdp.n) for s in brute.states)


@pytest.mark.parametrize("T", [1, 2, 8])
def test_tight_upper_end(T):
    """The relay pays after T as before, so D_i(κ) is the upper end exactly: one γ more in the width would fail."""
    rows = [r for r in check(uniform_case(RELAY)) if r.case == f"T={T}" and r.hypothesis == "upper end"]
    informative = [row for row in rows if row.kappa < row.agent]
    assert len(informative) == 6
    for row in informative:
        assert row.left == pytest.approx(row.right, abs=row.error)
        narrower = (1 - 0.9) * cone_width(T, row.kappa, 0.9, 1.0)
        assert not holds(row._replace(right=row.right - narrower))


@pytest.mark.parametrize("T", [2, 3, 5])
def test_tight_lower_end(T):
    """A bit that pays 1 for times 1…T-1 and costs 1 ever after: D is D^{T-1} minus the width, the lower end exactly."""
    gamma = 0.3
    case = uniform_case(turncoat(T, gamma))
    early = sum(gamma**t for t in range(1, T))
    late = gamma**T / (1 - gamma)
    assert case.D[1, 0] == pytest.approx(early - late, abs=2 * case.error)
    assert light_cone(early, T - 1, 0, gamma, 1.0).low == pytest.approx(early - late, rel=1e-12)
    assert early > late
    row = next(r for r in check(case) if (r.agent, r.case, r.hypothesis) == (1, f"T={T - 1}", "lower end"))
    assert row.left == pytest.approx(row.right, abs=row.error)


def test_exact_as_T_grows():
    """At γ = .5 the ends come 2^{-T}·2 close; at T = 16 both are within 2^{-15} of D_i(κ), at T = 1 they are not."""
    rows = [row for row in check(random_case(gamma=0.5)) if row.hypothesis != "outside the cone"]
    gaps = {T: max(row.right - row.left for row in rows if row.case == f"T={T}") for T in HORIZONS}
    assert gaps[16] <= 2.0**-15
    assert gaps[1] > 2.0**-3


def test_verdicts():
    judged = {rows[0].hypothesis: verdict("light_cone", "", "", rows).verdict
              for rows in by_hypothesis(list(check(uniform_case(RELAY))))}  # fmt: skip
    assert judged == {"outside the cone": "holds", "upper end": "tight", "lower end": "holds"}
    assert HORIZONS[0] == 1


def test_necessary_locality():
    """Measured with the path's distances, a relay over two hops leaves its cone."""
    case = uniform_case(long_range_relay(5, 0.9))
    V = finite_values(case)[1][1]
    on_the_path = {j for j in range(5) if abs(j - 4) > 1}
    assert np.ptp(V[4], axis=tuple(on_the_path)).max() == pytest.approx(0.9, rel=1e-12)


def test_necessary_horizon():
    """The finite-horizon D alone, without the width, is not a bound."""
    rows = [r for r in check(uniform_case(RELAY)) if r.hypothesis == "upper end" and r.case == "T=2" and r.agent == 3]
    assert not any(holds(r._replace(right=r.right - cone_width(2, r.kappa, 0.9, 1.0))) for r in rows)


def test_a_gap_is_judged_with_its_own_certificate():
    """Found by the adversary: D_2(1) = 0 because agent 1 ignores agent 0. The certified interval then starts at 0, and
    its middle is off by `D_error`, which may be more than twice the error of V."""
    mdp = random_mdp(nx.path_graph(3), seed=0, gamma=0.1)
    deaf = np.broadcast_to(mdp.P[1][:1], mdp.P[1].shape)
    case = uniform_case(NetworkedMDP(mdp.graph, (mdp.P[0], deaf, mdp.P[2]), mdp.r, 0.1, mdp.pi0))
    assert case.D[2, 1] <= case.D_error
    coarse = dataclasses.replace(case, D=np.maximum(case.D, 1e-6), D_error=1e-6)
    assert all(holds(row) for row in check(case))
    assert all(holds(row) for row in check(coarse))


def test_intervals_that_the_certificate_does_not_resolve_are_left_out():
    """At γ = .05 and T = 8 the ends are 10^-12 apart, at T = 16 10^-21: any D would seem to attain them."""
    case = uniform_case(random_mdp(nx.path_graph(4), seed=0, gamma=0.05))
    rows = [row for row in check(case) if row.hypothesis != "outside the cone"]
    assert {row.case for row in rows} == {"T=1", "T=2", "T=4"}
    assert all(1e-3 * cone_width(int(row.case[2:]), row.kappa, 0.05, case.mdp.r_bar) >= row.error for row in rows)
