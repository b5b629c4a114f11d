"""Actions one hop closer suffice, the relay and the latch attain the bound, and two hops closer would be too few."""

import pytest
from hypothesis import given, settings

from brute_force import BruteForce
from claims.instances import RELAY, random_case, uniform_case
from sacrepro.bounds.decay import actions_one_hop_later
from sacrepro.exact.dense import q_function
from sacrepro.instances.extremal import latch
from sacrepro.model.policy import policies
from sacrepro.study.claims.actions_one_hop_later import check, open_axes
from sacrepro.study.record.case import exact_case
from sacrepro.study.record.comparison import holds, verdict
from strategies import cases


@settings(max_examples=60)
@given(cases())
def test_holds(case):
    assert all(holds(row) for row in check(exact_case("random", "drawn", *case)))


@settings(max_examples=10)
@given(cases(max_n=3, max_size=2))
def test_left_side_agrees_with_enumeration(case):
    mdp, theta = case
    brute = BruteForce(mdp, policies(mdp, theta))
    Q = brute.q()
    exact = exact_case("random", "drawn", mdp, theta)
    for row in check(exact):
        near, nearer = brute.hood(row.agent, row.kappa), brute.hood(row.agent, max(row.kappa - 1, 0))
        groups = {}
        for s, a in brute.pairs:
            key = (tuple(s[j] for j in near), tuple(a[j] for j in nearer))
            groups.setdefault(key, []).append(Q[row.agent][s, a])
        assert row.left == pytest.approx(max(max(g) - min(g) for g in groups.values()), abs=row.error)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_tight_for_actions(gamma):
    """Agent d of the latch knows every state within d hops, and still the source's action decides all from d+1 on."""
    rows = list(check(uniform_case(latch(4, gamma))))
    for d in (1, 2, 3):
        row = next(r for r in rows if (r.agent, r.kappa) == (d, d))
        assert row.left == pytest.approx(gamma ** (d + 1) / (1 - gamma), abs=row.error)
        assert not holds(row._replace(right=gamma * row.right))
    assert verdict("actions_one_hop_later", "", "", rows).verdict == "tight"


def test_tight_for_states():
    assert verdict("actions_one_hop_later", "", "", list(check(uniform_case(RELAY)))).verdict == "tight"


def test_the_table_is_smaller():
    """On a ring of five binary agents N_i^1 has three: 2³ states and 2¹ actions in place of 2³."""
    row = next(r for r in check(random_case()) if r.kappa == 1)
    assert row.case == "16 of 64 cells"


def test_necessary_actions_of_the_inner_neighborhood():
    """Dropping actions two hops closer, a_0 at distance κ-1 is missed, and it acts already at time κ."""
    mdp = latch(4, 0.9)
    case = uniform_case(mdp)
    kappa, i = 2, 1
    assert mdp.n + 0 not in open_axes(mdp, i, kappa)
    axes = (*open_axes(mdp, i, kappa), mdp.n + 0)
    Q_i = q_function(mdp, case.V[i], i)
    left = (Q_i.max(axis=axes) - Q_i.min(axis=axes)).max()
    assert left == pytest.approx(0.9**kappa / 0.1, abs=2 * case.error)
    assert left > actions_one_hop_later(1.0, 0.9, kappa) + 2 * case.error


def test_necessary_own_action_at_kappa_zero():
    """r_i(s_i, a_i) sees a_i at once: with states alone at κ = 0 the bound fails where γ is small."""
    case = random_case(gamma=0.1)
    failing = 0
    for i in range(case.mdp.n):
        Q_i = q_function(case.mdp, case.V[i], i)
        axes = (*open_axes(case.mdp, i, 0), case.mdp.n + i)
        failing += (Q_i.max(axis=axes) - Q_i.min(axis=axes)).max() > actions_one_hop_later(case.mdp.r_bar, 0.1, 0)
    assert failing > 0
    assert all(set(open_axes(case.mdp, i, 0)).isdisjoint({i, case.mdp.n + i}) for i in range(case.mdp.n))
