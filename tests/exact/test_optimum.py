"""The best joint and the best localized policy against enumeration, and what their certificates promise."""

import doctest
import itertools
import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import sacrepro.exact.models as models
import sacrepro.exact.optimum as optimum
from adviser.network_files import SIS, load_dict
from sacrepro import (
    Policy,
    best_joint,
    best_localized,
    evaluate,
    objective_and_gradient,
    optimality_gap,
    uniform_theta,
)
from sacrepro.exact.dense import transition_matrix
from sacrepro.exact.models import joint_kernel, joint_model, joint_reward
from sacrepro.exact.optimum import search_cost
from sacrepro.exact.rounding import gamma_k, normalising_roundings
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.model.graph import diameter, neighborhood
from sacrepro.model.mdp import CoupledMDP, NetworkedMDP, as_coupled
from sacrepro.model.policy import gaussian_theta, policies
from strategies import cases


def value_of(mdp, a):
    """J of joint actions, numbers of shape (S,), by a linear system."""
    P, r, number = joint_kernel(mdp), joint_reward(mdp), np.arange(len(a))
    V = np.linalg.solve(np.eye(len(a)) - mdp.gamma * P[number, a], r[number, a])
    return float(mdp.joint_pi0().ravel() @ V)


def localized(mdp):
    """Every deterministic localized policy."""
    rows = [
        itertools.product(range(A_i), repeat=S_i) for S_i, A_i in zip(mdp.state_sizes, mdp.action_sizes, strict=True)
    ]
    for chosen in itertools.product(*rows):
        yield Policy.of(mdp, lambda i, s, chosen=chosen: chosen[i][s])


def close(one, other, within=1e-9):
    return abs(one - other) <= within


def tolerance(mdp):
    return 1e-9 * max(1.0, mdp.r_bar / (1 - mdp.gamma))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 0.9, 0.99]), st.sampled_from([(2, 2), (1, 3), (2, 1)]))
def test_enumeration(seed, gamma, sizes):
    mdp = random_mdp(nx.path_graph(2), seed=seed, gamma=gamma, state_sizes=sizes, action_sizes=2, concentration=0.3)
    S, A = int(np.prod(mdp.state_sizes)), int(np.prod(mdp.action_sizes))
    best = max(value_of(mdp, np.array(a)) for a in itertools.product(range(A), repeat=S))
    found = best_joint(mdp)
    assert abs(found.J - best) <= found.J_error + tolerance(mdp)
    assert found.J_error <= tolerance(mdp)
    a = np.ravel_multi_index(np.moveaxis(found.policy, -1, 0), mdp.action_sizes).ravel()
    assert abs(value_of(mdp, a) - found.J) <= found.J_error + tolerance(mdp)
    best = max(evaluate(mdp, policy).J for policy in localized(mdp))
    found = best_localized(mdp)
    assert abs(found.J - best) <= tolerance(mdp)
    assert found.J_high - found.J <= tolerance(mdp)
    assert close(evaluate(mdp, found.policy).J, found.J, tolerance(mdp))


@settings(max_examples=40, deadline=None)
@given(cases(max_n=3), st.integers(1, 5))
def test_the_yardsticks_are_in_order(case, nodes):
    """Whatever the number of parts: low ≤ the best localized policy ≤ J_high, and J_sup is above."""
    mdp, theta = case
    few, all_, joint = best_localized(mdp, nodes=nodes), best_localized(mdp), best_joint(mdp)
    slack = tolerance(mdp)
    assert few.J - few.J_error <= all_.J_high + slack
    assert all_.J - all_.J_error <= few.J_high + slack
    assert few.parts <= nodes
    assert all_.J - all_.J_error <= joint.J_high
    gap = optimality_gap(mdp, theta)
    assert gap.to_joint[1] >= 0.0  # J_sup is above every policy
    assert close(gap.J, evaluate(mdp, theta).J, slack)
    assert gap.to_localized[0] <= gap.to_joint[1] + slack
    assert close(gap.joint.J - gap.J, gap.to_joint[0], slack)


def test_localized_policies_by_enumeration_on_three():
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2)
    best = max(evaluate(mdp, policy).J for policy in localized(mdp))
    found = best_localized(mdp)
    assert close(found.J, best, 1e-9)
    assert found.J_high < best_joint(mdp).J - 1e-4  # on this one locality costs something
    assert 1 < found.parts < 4**3


def test_models_by_pairs_and_permutations():
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2)
    coupled = as_coupled(mdp)
    assert close(best_joint(coupled).J, best_joint(mdp).J, 1e-11)
    assert close(best_localized(coupled).J, best_localized(mdp).J, 1e-11)
    turned = NetworkedMDP(
        mdp.graph,
        [P.transpose(*range(P.ndim - 3, -1, -1), -2, -1) for P in mdp.P[::-1]],
        mdp.r[::-1],
        0.9,
        mdp.pi0[::-1],
    )
    assert close(best_localized(turned).J, best_localized(mdp).J, 1e-11)


def test_what_locality_costs_in_a_ring_of_friends():
    """A network whose agents are all alike, so that many policies are equally good."""
    network = load_dict(SIS | {"graph": {"family": "ring", "n": 5}})
    mdp = network.mdp()
    gap = optimality_gap(mdp, uniform_theta(mdp))
    assert gap.localized.J_high - gap.localized.J <= 1e-8
    assert 0.0 <= gap.to_localized[0] <= gap.to_joint[1]
    for rule in itertools.product((0, 1), repeat=2):
        alike = evaluate(mdp, Policy.of(mdp, lambda i, s, rule=rule: rule[s]))
        assert alike.J - alike.J_error <= gap.localized.J_high
    assert diameter(mdp.graph) == 2


def test_a_stochastic_localized_policy_may_earn_more_than_every_deterministic_one():
    """Found by ascent: what an agent does not see it may guess."""
    mdp = random_mdp(nx.path_graph(2), seed=82, gamma=0.9, concentration=0.05)

    def descent(x):
        found = objective_and_gradient(mdp, (x[:4].reshape(2, 2), x[4:].reshape(2, 2)))
        return -found.J, -np.concatenate([block.ravel() for block in found.gradient])

    starts = np.random.default_rng(82).normal(size=(4, 8))
    best = min((minimize(descent, x, jac=True, bounds=[(-20, 20)] * 8) for x in starts), key=lambda end: end.fun).x
    gap = optimality_gap(mdp, (best[:4].reshape(2, 2), best[4:].reshape(2, 2)))
    assert gap.to_localized[1] < -0.2
    assert gap.to_joint[0] > 0.2


def test_slow_chains_are_certified():
    mdp = random_mdp(nx.path_graph(3), seed=1, gamma=0.9999, concentration=0.2)
    found = best_joint(mdp)
    assert 0 < found.J_error < 1e-6
    assert optimality_gap(mdp, gaussian_theta(mdp, np.random.default_rng(0))).to_joint[0] > 0


def test_refusals():
    with pytest.raises(
        ValueError, match=r"best_joint needs a table over \(s, a\) with 67,108,864 entries and 8,192 joint"
    ):
        best_joint(random_mdp(nx.path_graph(13), seed=0, gamma=0.5))
    with pytest.raises(ValueError, match="best_localized needs"):
        best_localized(random_mdp(nx.path_graph(13), seed=0, gamma=0.5))
    with pytest.raises(ValueError, match="nodes must be at least 1"):
        best_localized(random_mdp(nx.path_graph(2), seed=0), nodes=0)
    with pytest.raises(ValueError, match=r"P\(s'\|s, a\) has 134,217,728 entries"):
        joint_kernel(random_mdp(nx.path_graph(9), seed=0, gamma=0.5))


def test_the_examples_run():
    assert doctest.testmod(optimum).failed == 0


def exact_value(mdp, a):
    """J of joint actions, numbers of shape (S,), in rational arithmetic on the kernels as stored."""
    S, gamma = len(a), Fraction(mdp.gamma)
    own = [np.unravel_index(a, mdp.action_sizes)[i].reshape(mdp.state_sizes) for i in range(mdp.n)]
    rows = []
    for s in np.ndindex(*mdp.state_sizes):
        acts = [int(own[i][s]) for i in range(mdp.n)]
        laws = [mdp.P[i][(*(s[j] for j in hood), acts[i])] for i, hood in enumerate(mdp.neighbors)]
        law = [math.prod(map(Fraction, map(float, entries))) for entries in itertools.product(*laws)]
        reward = sum(Fraction(float(mdp.r[i][s[i], acts[i]])) for i in range(mdp.n)) / mdp.n
        rows.append([(k == len(rows)) - gamma * p for k, p in enumerate(law)] + [reward])
    for k in range(S):  # Gauss and Jordan; I - γP is diagonally dominant
        rows[k] = [entry / rows[k][k] for entry in rows[k]]
        for m in range(S):
            if m != k:
                rows[m] = [x - rows[m][k] * y for x, y in zip(rows[m], rows[k], strict=True)]
    return sum(Fraction(float(p)) * row[-1] for p, row in zip(mdp.joint_pi0().ravel(), rows, strict=True))


@pytest.mark.parametrize("gamma", [0.3, 0.9, 0.999])
@pytest.mark.parametrize("seed", range(5))
def test_certificates_hold_in_rational_arithmetic(gamma, seed):
    """No tolerance: J_error bounds the error, and no policy exceeds J_high."""
    mdp = random_mdp(nx.path_graph(2), seed=seed, gamma=gamma, concentration=0.3)
    best, localized_ = best_joint(mdp), best_localized(mdp)
    number = lambda policy: np.ravel_multi_index(np.moveaxis(policy, -1, 0), mdp.action_sizes).ravel()  # noqa: E731
    assert abs(exact_value(mdp, number(best.policy)) - Fraction(best.J)) <= Fraction(best.J_error)
    for policy in localized(mdp):
        acts = [zeta_i.argmax(axis=1) for zeta_i in policy.zeta]
        joint = np.array([[acts[0][s], acts[1][t]] for s, t in np.ndindex(2, 2)]).reshape(2, 2, 2)
        J = exact_value(mdp, number(joint))
        assert J <= Fraction(localized_.J_high) <= Fraction(best.J_high) + Fraction(1, 10**9)
        if all(np.array_equal(a, b) for a, b in zip(policy.zeta, localized_.policy.zeta, strict=True)):
            assert abs(J - Fraction(localized_.J)) <= Fraction(localized_.J_error)


@pytest.mark.parametrize("seed", [170, 358, 530, 686])
def test_parts_that_promise_the_same_are_told_apart(seed):
    """Kernels and rewards of 0 and 1 promise alike, and blocks differ in size."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    sizes, acts = rng.integers(1, 4 if n == 2 else 3, n), rng.integers(2, 4, n)
    P = [np.eye(S_i)[rng.integers(0, S_i, (*sizes, A_i))] for S_i, A_i in zip(sizes, acts, strict=True)]
    r = [(rng.random((S_i, A_i)) < 0.3) * 1.0 for S_i, A_i in zip(sizes, acts, strict=True)]
    mdp = NetworkedMDP(nx.complete_graph(n), P, r, 0.5, [np.ones(S_i) / S_i for S_i in sizes])
    found = best_localized(mdp)
    assert found.J <= found.J_high <= best_joint(mdp).J_high + 1e-9


# What the certificates are made of, term by term.


def two_islands(gamma=0.5):
    """One agent that keeps its state, two actions: 1 or ½ in state 0, 2 or 0 in state 1. All numbers are dyadic."""
    P = np.broadcast_to(np.eye(2)[:, None], (2, 2, 2))
    return NetworkedMDP(
        nx.empty_graph(1), (P,), (np.array([[1.0, 0.5], [2.0, 0.0]]),), gamma, (np.array([0.25, 0.75]),)
    )


def test_the_certificate_of_the_best_joint_policy_by_hand():
    """V = (2, 4): two rounds, MacQueen's bounds with rounding on both sides, sums of γ^t that rows of 1 ± γ_4 have."""
    mdp, unit = two_islands(), 2.0**-53
    high, low = 1.0 * (1 + gamma_k(4)), 1.0 * (1 - gamma_k(4))
    after = 1 / (1 - 0.5 * high) - 1, 1 / (1 - 0.5 * low) - 1
    k = 2 + 2 + 8 + (0 / unit + 2 + 2)
    rounding = gamma_k(k) * (high * 4 + 2) + 4 * unit * 4
    V = np.array([2.0, 4.0])
    lower, upper = V - rounding - rounding * max(after), V + rounding + rounding * max(after)
    error = (0.5 * (upper - lower).max() + 8 * unit * 4) * (1 + 1e-9)
    mass = 1 + 2e-12 * 2
    J_error = (mass * error + gamma_k(2 + 3) * (3.5 + 2 * mass * error)) * (1 + 1e-9)
    found = best_joint(mdp)
    assert found.policy.tolist() == [[0], [0]]
    assert pytest.approx(3.5, rel=1e-15) == found.J
    assert found.J_error == pytest.approx(J_error, rel=1e-12, abs=0)
    assert (found.J_high, found.parts) == (found.J + found.J_error, 1)
    joint = optimum._Joint(mdp, "it")
    assert (joint.after, joint.high, joint.roundings) == (pytest.approx(after, rel=1e-15), high, k)
    assert repr(found) == f"Optimum(J=3.5, J_error={J_error:.10g}, J_high=3.5, parts=1)"
    # Two agents of 2 and 3 states, and what their rows miss of 1.
    pair = random_mdp(nx.path_graph(2), seed=0, state_sizes=(2, 3))
    assert optimum._Joint(pair, "it").roundings == 5 + 4 + 8 + normalising_roundings(pair.P)


def test_the_first_round_alone_by_hand(monkeypatch):
    """V = 0, T V = (1, 2): J lies between those of (1, 2) + 1 and (1, 2) + 2, and the middle is off by a half."""
    monkeypatch.setattr(optimum, "ROUNDS", 1)
    a, J, J_error, _ = optimum._Joint(two_islands(), "it").best([np.ones((2, 2), bool)])
    assert a.tolist() == [0, 0]
    assert pytest.approx(0.25 * 2.5 + 0.75 * 3.5, rel=1e-14) == J
    assert 0.5 * (1 + 1.9e-9) < J_error < 0.5 * (1 + 2.1e-9)
    # With action 0 barred in state 1 the best there is 0.
    a, J, J_error, _ = optimum._Joint(two_islands(), "it").best([np.array([[1, 1], [0, 1]], bool)])
    assert a.tolist() == [0, 1]
    assert abs(J - 0.25 * 2) <= J_error


def test_rounding_that_leaves_no_discount_is_refused():
    with pytest.raises(ValueError, match=r"^gamma = 0.9999999999999999 is too near 1 for the rounding of the kernels"):
        best_joint(two_islands(gamma=np.nextafter(1.0, 0.0)))


def test_as_many_entries_as_are_taken(monkeypatch):
    mdp = random_mdp(nx.path_graph(2), seed=0, state_sizes=(2, 3), action_sizes=(2, 1))
    for room in (optimum, models):
        monkeypatch.setattr(room, "MOST_ENTRIES", 12)
    monkeypatch.setattr(optimum, "MOST_STATES", 6)
    best_joint(mdp)
    with pytest.raises(ValueError, match=r"P\(s'\|s, a\) has 72 entries, at most 12 are made"):
        joint_kernel(mdp)
    monkeypatch.setattr(optimum, "MOST_STATES", 5)
    with pytest.raises(ValueError, match="with 12 entries and 6 joint states; at most 12 and 5 are taken"):
        best_localized(mdp)
    monkeypatch.setattr(optimum, "MOST_STATES", 6)
    monkeypatch.setattr(optimum, "MOST_ENTRIES", 11)
    with pytest.raises(ValueError, match="best_joint needs a table"):
        best_joint(mdp)
    monkeypatch.setattr(models, "MOST_ENTRIES", 72)
    assert joint_kernel(mdp).shape == (6, 2, 6)


def test_the_cost_of_a_part_by_hand():
    """Three agents of 2, 3 and 5 states, and 2, 1 and 4 actions: two are taken together, then the third."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(2, 3, 5), action_sizes=(2, 1, 4))
    both = 30 * 2 * 6 * 5 + 30 * 8 * 5
    assert optimum.search_cost(mdp) == 4 * (both + 30**3 // 3)
    assert optimum.search_cost(random_mdp(nx.empty_graph(1), seed=0)) == 4 * (2 * 2 * 2 + 2 * 2 * 1 + 8 // 3)
    # From 2¹⁰ joint states on values are found by products, counted as 60.
    for n, values in ((10, 1024**3 // 3), (11, 2 * 60 * 2048**2)):
        S, half = 2**n, 2 ** ((n + 1) // 2)
        mdp = random_mdp(nx.path_graph(n), seed=0, action_sizes=[1] * n)
        assert optimum.search_cost(mdp) == 4 * (S * S + S * (S // half) + values)


def test_the_largest_networks_that_are_taken():
    """2¹² joint states, 2²⁴ entries over (s, a); nothing of that size is made."""

    def sizes(n, last):
        return optimum._joint_sizes(random_mdp(nx.path_graph(n), seed=0, action_sizes=[*[2] * (n - 1), last]), "it")

    assert sizes(12, 2) == (1 << 12, 1 << 12)
    for n, last, told in ((12, 3, "25,165,824 entries and 4,096"), (13, 1, "33,554,432 entries and 8,192")):
        with pytest.raises(ValueError, match=f"^it needs .* {told} joint states; at most 16,777,216 and 4,096 are"):
            sizes(n, last)


def test_a_row_of_three_actions_is_split_into_three_parts():
    """Three rows are, one after the other, and all nine parts are looked at."""
    mdp = random_mdp(nx.path_graph(2), seed=8, gamma=0.9, concentration=0.2, action_sizes=(3, 3))
    found = best_localized(mdp)
    assert found.parts == 1 + 3 * 3
    assert pytest.approx(max(evaluate(mdp, policy).J for policy in localized(mdp)), abs=1e-9) == found.J
    assert found.J_high - found.J <= 1e-9 / (1 - 0.9) * mdp.r_bar


def test_a_search_is_refused_or_ended_by_its_work():
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2)
    one, told = optimum.search_cost(mdp), []
    with pytest.raises(ValueError, match=f"takes {one:,} multiply-adds, more than work = {one - 1:,}: raise work"):
        best_localized(mdp, work=one - 1)
    with pytest.raises(ValueError, match="more than work = 0: raise work"):
        best_localized(mdp, work=0)
    with pytest.raises(ValueError, match="work must be"):
        best_localized(mdp, work=-1)
    with pytest.raises(TypeError, match="work must be an integer"):
        optimality_gap(mdp, uniform_theta(mdp), work=1.5)
    some, all_ = best_localized(mdp, work=4 * one - 1, progress=told.append), best_localized(mdp)
    assert (some.parts, len(told)) == (3, 3)
    assert some.J_high == best_localized(mdp, nodes=3).J_high
    assert some.J <= all_.J + 1e-9 <= some.J_high + 2e-9
    assert told[-1].startswith("best localized policy: part 3 of at most 3, J = ")
    assert float(told[-1].split()[-1]) == pytest.approx(some.J_high, rel=1e-5)


def test_each_part_is_told_with_what_is_certified_after_it():
    mdp, told = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2), []
    for nodes in range(1, best_localized(mdp, progress=told.append).parts + 1):
        found = best_localized(mdp, nodes=nodes)
        assert told[nodes - 1].endswith(f", J = {found.J:.6g}, at most {found.J_high:.6g}")


def test_what_a_part_may_leave_open_is_a_share_of_the_largest_return(monkeypatch):
    """A first part that promises `gap` more than what it found is the last if the slack is as much, and only then."""
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2)
    one = best_localized(mdp, nodes=1)
    gap = one.J_high - one.J
    assert gap > 1e-3
    for share, parts in ((1.001, 1), (0.999, 2)):
        monkeypatch.setattr(optimum, "SLACK", share * gap * (1.0 - 0.9) / mdp.r_bar)
        assert min(best_localized(mdp).parts, 2) == parts


@pytest.mark.parametrize("couples", [False, True])
def test_values_by_elimination_and_by_gmres_are_one(monkeypatch, couples):
    mdp = random_mdp(nx.path_graph(4), seed=2, gamma=0.99, concentration=0.2)
    mdp = as_coupled(mdp) if couples else mdp
    eliminated = best_localized(mdp, nodes=5)
    monkeypatch.setattr(optimum, "ELIMINATED", 1)
    iterated = best_localized(mdp, nodes=5)
    assert close(iterated.J, eliminated.J, 1e-9)
    assert close(iterated.J_high, eliminated.J_high, 1e-9)
    assert iterated.J_error < 1e-9


def test_what_gmres_is_asked_and_what_stands_where_it_fails(monkeypatch):
    mdp, asked = random_mdp(nx.path_graph(2), seed=2, gamma=0.9), []
    joint, near = optimum._Joint(mdp, "it"), np.arange(4.0)
    eliminated = joint._values(np.zeros(4, int), near)
    monkeypatch.setattr(optimum, "ELIMINATED", 3)
    for failed, expected in ((0, 2.0 * near), (1, eliminated)):
        monkeypatch.setattr(optimum, "gmres", lambda A, b, failed=failed, **k: asked.append(k) or (2.0 * near, failed))
        assert joint._values(np.zeros(4, int), near).tolist() == expected.tolist()
        assert asked.pop() == {"x0": near, "rtol": 1e-13, "atol": 0.0, "restart": 60, "maxiter": 4}
    assert joint._only(joint.everything) is None
    rows = [np.array([[0, 1], [1, 0]], bool), np.array([[1, 0], [0, 1]], bool)]
    assert joint._only(rows).tolist() == [2, 3, 0, 1]


def test_the_expectation_from_two_parts_is_that_of_the_whole():
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(2, 3, 4), action_sizes=(3, 1, 2))
    joint, V = optimum._Joint(mdp, "it"), np.random.default_rng(0).normal(size=24)
    whole = joint_kernel(mdp)
    assert joint._expected(V) == pytest.approx(whole @ V, abs=1e-12)
    a = np.arange(24) % 6
    assert joint._after(a, V) == pytest.approx(joint.r[range(24), a] + mdp.gamma * (whole[range(24), a] @ V), abs=1e-12)
    values = np.linalg.solve(np.eye(24) - mdp.gamma * whole[range(24), a], joint.r[range(24), a])
    assert joint._values(a, V) == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize("together", [1, 50, 1 << 22])
@pytest.mark.parametrize("graph", [nx.path_graph(1), nx.path_graph(4), nx.complete_graph(3), nx.empty_graph(3)])
def test_the_expectation_where_actions_move_others(monkeypatch, graph, together):
    """Σ_{s'} P(s'|s, a) V(s') from P_j(s_j'|s_{N_j}, a_{N_j}), one s_j' after the other, whatever is made at a time."""
    rng, n = np.random.default_rng(0), len(graph)
    S, A = (2, 3, 1, 2)[:n], (3, 2, 2, 1)[:n]
    hoods = [neighborhood(graph, j, 1) for j in range(n)]
    sizes = [(*(S[k] for k in hood), *(A[k] for k in hood)) for hood in hoods]
    P = [rng.dirichlet(np.ones(S[j]), size=sizes[j]) for j in range(n)]
    mdp = CoupledMDP(graph, P, [rng.random(size) for size in sizes], 0.9, [np.full(size, 1 / size) for size in S])
    V = rng.normal(size=S)
    operands = [V, [2 * n + j for j in range(n)]]
    for j, hood in enumerate(hoods):
        operands += [mdp.P[j], [*hood, *(n + k for k in hood), 2 * n + j]]
    monkeypatch.setattr(optimum, "TOGETHER", together)
    found = optimum._Joint(mdp, "it")._expected(V.ravel())
    assert found.ravel() == pytest.approx(np.einsum(*operands, list(range(2 * n))).ravel(), abs=1e-14)
    P = joint_kernel(mdp)
    assert P @ V.ravel() == pytest.approx(found, abs=1e-14)
    assert P.flags.writeable  # loops are compiled for one kind of array
    assert P.flags.c_contiguous


def test_the_actions_of_all_who_move_a_part_are_counted():
    """On a complete graph all actions enter both parts, and what is added up over (s, a, s') is no matrix product."""
    mdp = as_coupled(random_mdp(nx.complete_graph(4), seed=0, gamma=0.5))
    assert search_cost(mdp) == 4 * (16 * 16 * 16 + 16 * 16 * 4 * optimum.ADDED + 16**3 // 3)
    mdp = as_coupled(random_mdp(nx.path_graph(4), seed=0, gamma=0.5))
    assert search_cost(mdp) == 4 * (16 * 8 * 16 + 16 * 16 * 4 * optimum.ADDED + 16**3 // 3)


def test_progress_must_be_callable():
    with pytest.raises(TypeError, match="progress must be a function of a sentence, got 3"):
        best_localized(random_mdp(nx.path_graph(2), seed=0, gamma=0.5), progress=3)


def test_the_gap_tells_the_progress_of_its_search():
    mdp, told, known = random_mdp(nx.path_graph(3), seed=0, gamma=0.5), [], []
    optimality_gap(mdp, uniform_theta(mdp), progress=told.append)
    best_localized(mdp, progress=known.append)
    assert told == known != []


def test_the_row_of_least_agreement():
    """Agent 0 acts (1, 1, 0) in its state 0 and 0 in its state 1; agent 1 is of two minds in its state 1."""
    mdp = random_mdp(nx.path_graph(2), seed=0, state_sizes=(2, 3), action_sizes=(2, 2))
    joint = optimum._Joint(mdp, "it")
    acts = np.array([[[1, 1], [1, 0], [0, 0]], [[0, 1], [0, 1], [0, 0]]])
    a = np.ravel_multi_index(np.moveaxis(acts, -1, 0), (2, 2)).ravel()
    rows, doubt = joint.localized(a, joint.everything)
    assert [row.argmax(axis=1).tolist() for row in rows] == [[1, 0], [1, 0, 0]]
    assert [row.sum(axis=1).tolist() for row in rows] == [[1, 1], [1, 1, 1]]
    assert doubt == (1, 1)
    acts[1, 1, 1] = 0
    rows, doubt = joint.localized(np.ravel_multi_index(np.moveaxis(acts, -1, 0), (2, 2)).ravel(), joint.everything)
    assert doubt == (0, 0)
    acts[0, 2, 0] = 1
    assert joint.localized(np.ravel_multi_index(np.moveaxis(acts, -1, 0), (2, 2)).ravel(), joint.everything)[1] is None


def test_the_first_part_promises_what_joint_policies_earn():
    """After one part the bound is J_sup's; the policy does what the best joint one does most often."""
    mdp = random_mdp(nx.path_graph(3), seed=4, gamma=0.9, concentration=0.2)
    one, joint = best_localized(mdp, nodes=1), best_joint(mdp)
    assert (one.parts, one.J_high) == (1, joint.J_high)
    for i, zeta_i in enumerate(one.policy.zeta):
        mean = np.moveaxis(joint.policy[..., i], i, 0).reshape(2, -1).mean(axis=1)
        assert zeta_i.argmax(axis=1).tolist() == [int(m > 0.5) for m in mean]
    assert abs(one.J - evaluate(mdp, one.policy).J) <= one.J_error + 1e-9
    found = [best_localized(mdp, nodes=nodes) for nodes in range(1, 12)]
    assert [x.J_high for x in found] == sorted((x.J_high for x in found), reverse=True)
    assert all(x.J_high >= found[-1].J - 1e-9 for x in found)
    gap = optimality_gap(mdp, uniform_theta(mdp), nodes=1)
    J = evaluate(mdp, uniform_theta(mdp))
    assert (gap.J, gap.J_error) == (J.J, J.J_error)
    assert gap.to_localized == (one.J - one.J_error - J.J - J.J_error, one.J_high - J.J + J.J_error)
    assert gap.to_joint == (joint.J - joint.J_error - J.J - J.J_error, joint.J_high - J.J + J.J_error)


def test_the_joint_model_under_a_policy_and_of_some_agents():
    mdp = random_mdp(nx.path_graph(2), seed=3, state_sizes=(2, 3), action_sizes=(2, 2))
    theta = gaussian_theta(mdp, np.random.default_rng(3))
    zeta = policies(mdp, theta)
    r, P = joint_model(mdp)
    assert (r.shape, P.shape) == ((6, 4), (6, 4, 6))
    followed, law = joint_model(mdp, theta, agent=1)
    assert law[:, 0] == pytest.approx(transition_matrix(mdp, zeta), abs=1e-14)
    own = (zeta[1] * mdp.r[1]).sum(axis=1)
    assert followed == pytest.approx(np.tile(own, 2)[:, None], abs=1e-14)
    both = joint_reward(mdp)
    for k, (s, t) in enumerate(np.ndindex(2, 3)):
        for m, (a, b) in enumerate(np.ndindex(2, 2)):
            assert both[k, m] == pytest.approx((mdp.r[0][s, a] + mdp.r[1][t, b]) / 2, rel=1e-15)
