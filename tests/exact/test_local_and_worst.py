"""Intervals from an agent's surroundings alone, the search over policies, and the bracket of the supremum."""

import itertools
import re
import time
import types
from fractions import Fraction

import networkx as nx
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sacrepro import NetworkedMDP, as_coupled
from sacrepro.exact import (
    decay_profile,
    decay_supremum,
    dense,
    evaluate,
    light_cone,
    local_decay,
    local_value,
    objective_and_gradient,
    worst_decay,
)
from sacrepro.exact.decay import supremum
from sacrepro.exact.decay.supremum import (
    MOST_FREE,
    _differences,
    _followed,
    _free_rows,
    _over_box,
    _policies,
    _search,
)
from sacrepro.exact.decay.worst import _deterministic
from sacrepro.exact.models import joint_kernel, joint_reward
from sacrepro.instances.extremal import coin_lover, signal, td_witness
from sacrepro.instances.random_kernels import random_mdp
from sacrepro.instances.relay import relay
from sacrepro.model import memory
from sacrepro.model.graph import diameter
from sacrepro.model.policy import gaussian_theta, policies, uniform_theta
from strategies import cases

#: The dense solve: condition 2/(1-γ) times a few hundred units, r̄ ≤ 4, γ ≤ .95.
DENSE = 400 * 2.0**-53 * 4 * 2 / 0.05**2


def spread(mdp, agents, table):
    return table.reshape([mdp.state_sizes[j] if j in agents else 1 for j in range(mdp.n)])


@given(cases(max_n=4))
@settings(max_examples=40)
def test_local_intervals_hold_everywhere(case):
    mdp, theta = case
    V, D = dense.values(mdp, policies(mdp, theta)), dense.decay_profile(mdp, theta)
    for i in range(mdp.n):
        for tol in (1.0, 1e-3, 1e-8):
            value = local_value(mdp, theta, i, tol)
            assert value.error <= tol
            assert np.abs(V[i] - spread(mdp, value.agents, value.V)).max() <= value.error + DENSE
            lower, upper = local_decay(mdp, theta, i, diameter(mdp.graph), tol)
            assert (lower <= D[i] + DENSE).all()
            assert (D[i] <= upper + DENSE).all()


def sticky(gamma, stay=0.999, rewards=1.0):
    """Three agents that keep their state with this probability, whatever they do."""
    base = random_mdp(nx.path_graph(3), seed=0, gamma=gamma)
    P = []
    for P_i, hood, i in zip(base.P, base.neighbors, range(3), strict=True):
        own = [2 if j == i else 1 for j in hood]
        P.append((1.0 - stay) * P_i + stay * np.eye(2).reshape([*own, 1, 2]))
    return NetworkedMDP(base.graph, P, [rewards * r_i for r_i in base.r], gamma, base.pi0)


@pytest.mark.parametrize("gamma", [0.9999, 0.999999])
def test_a_tolerance_below_rounding_is_refused_at_once(gamma):
    """Seen: 30 s at γ = .9999 and minutes at .999999, long after rounding had passed `tol`."""
    mdp = sticky(gamma)
    started = time.process_time()
    with pytest.raises(ValueError, match=r"an error of 1e-08 is below what rounding allows for V_1 .*attainable: tol"):
        local_value(mdp, uniform_theta(mdp), 1)
    with pytest.raises(ValueError, match=r"below what rounding allows for V_0 .* for local_decay"):
        local_decay(mdp, uniform_theta(mdp), 0, 1, 1e-8)
    assert time.process_time() - started < 5.0


def test_the_tolerance_that_is_named_is_attainable():
    mdp = sticky(0.99, 0.9, rewards=1e4)
    theta = uniform_theta(mdp)
    with pytest.raises(ValueError, match="attainable") as refused:
        local_value(mdp, theta, 1, 1e-10)
    tol = float(re.search(r"attainable: tol = ([^,]+),", str(refused.value)).group(1))
    value = local_value(mdp, theta, 1, tol)
    assert value.error <= tol
    assert np.abs(evaluate(mdp, theta).V[1] - spread(mdp, value.agents, value.V)).max() <= tol + 1e-7
    decay_tol = float(re.search(r"or (\S+) for local_decay", str(refused.value)).group(1))
    lower, upper = local_decay(mdp, theta, 1, 0, decay_tol)
    assert lower[0] <= decay_profile(mdp, theta)[1, 0] <= upper[0]


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_certificates_hold_for_kernels_that_are_normalised_exactly(gamma):
    """Rows miss 1 by rounding; with r = 1 the normalised model has V = 1/(1-γ), whatever it does."""
    low = np.array([0.5, 0.5 - 1.5e-15])
    mdp = NetworkedMDP(nx.path_graph(2), (np.broadcast_to(low, (2, 2, 2, 2)),) * 2, (np.ones((2, 2)),) * 2, gamma,
                       (np.full(2, 0.5),) * 2)  # fmt: skip
    assert abs(mdp.P[0].sum(axis=-1) - 1.0).max() > 1e-15
    theta = uniform_theta(mdp)
    value, local = evaluate(mdp, theta), local_value(mdp, theta, 0, 1e-6)
    gradient = objective_and_gradient(mdp, theta)
    coupled = evaluate(as_coupled(mdp), theta)
    exact = Fraction(1) / (1 - Fraction(gamma))
    for found, error in ((value.V.ravel()[0], value.error), (value.J, value.J_error), (local.V.ravel()[0], local.error),
                         (coupled.V.ravel()[0], coupled.error), (gradient.J, gradient.J_error)):  # fmt: skip
        assert abs(Fraction(float(found)) - exact) <= Fraction(error)


def test_agents_are_integers():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    assert local_value(mdp, uniform_theta(mdp), np.int64(1)).error <= 1e-8
    for wrong in (True, 1.0, "1"):
        with pytest.raises(TypeError, match="an agent is an integer, got"):
            local_value(mdp, uniform_theta(mdp), wrong)


def test_freezing_is_charged():
    """On a tight budget of table entries the interval widens, and still holds."""
    mdp = random_mdp(nx.cycle_graph(9), seed=3, concentration=0.3)
    theta = gaussian_theta(mdp, np.random.default_rng(3))
    V = evaluate(mdp, theta).V[4]
    wide = local_value(mdp, theta, 4, 1e-8, largest=64)
    narrow = local_value(mdp, theta, 4, 1e-8)
    assert narrow.error <= 1e-8 < wide.error
    for value in (wide, narrow):
        assert np.abs(V - spread(mdp, value.agents, value.V)).max() <= value.error + 1e-10
    D = decay_profile(mdp, theta)[4]
    lower, upper = local_decay(mdp, theta, 4, 4, 1e-6, largest=64)
    assert (lower <= D + 1e-9).all()
    assert (upper + 1e-9 >= D).all()


def test_the_cost_does_not_depend_on_n():
    """The same kernels on paths of 40 and of 40 thousand agents: the same table around the middle agent."""
    base = random_mdp(nx.path_graph(40), seed=2)
    theta = gaussian_theta(base, np.random.default_rng(2))
    small = local_value(base, theta, 20, 1e-6)
    offset = 20000
    kernels = [base.P[1]] * 39960 + [base.P[0]] * 80
    kernels[offset : offset + 38] = base.P[1:39]
    rewards, logits = [base.r[0]] * 40040, [theta[0]] * 40040
    rewards[offset : offset + 38], logits[offset : offset + 38] = base.r[1:39], theta[1:39]
    long = types.SimpleNamespace(graph=nx.path_graph(40040), P=kernels, r=rewards, gamma=base.gamma)
    large = local_value(long, logits, offset + 19, 1e-6)
    assert large.agents == tuple(j + offset - 1 for j in small.agents)
    assert np.array_equal(large.V, small.V)
    assert large.error == small.error


def test_local_refusals():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    with pytest.raises(ValueError, match="agent 7"):
        local_value(mdp, uniform_theta(mdp), 7)
    theta = (np.zeros((2, 3)), *uniform_theta(mdp)[1:])
    with pytest.raises(ValueError, match=r"theta\[0\] of agent 0 has shape \(2, 3\), expected \(2, 2\)"):
        local_value(mdp, theta, 0)


def test_theta_of_a_local_evaluation_is_checked():
    mdp = random_mdp(nx.path_graph(3), seed=0)
    theta = uniform_theta(mdp)
    for evaluated in (local_value, lambda *given: local_decay(*given, 1)):
        with pytest.raises(ValueError, match="theta holds 2 arrays, but there are 3 agents"):
            evaluated(mdp, theta[:2], 0)
        with pytest.raises(TypeError, match=r"theta\[1\] of agent 1 must hold real numbers"):
            evaluated(mdp, ([[0.5, 0.5]] * 2, np.array([["a", "b"]] * 2), theta[2]), 0)
        with pytest.raises(TypeError, match=r"theta\[1\] of agent 1 must hold real numbers"):
            evaluated(mdp, (theta[0], np.array([["a", "b"]] * 2), theta[2]), 0)
        with pytest.raises(ValueError, match=r"agent 1: theta_i has logits \[nan, nan\] in state 0"):
            evaluated(mdp, (theta[0], np.full((2, 2), np.nan), theta[2]), 0)


def test_a_cell_of_everybody_leaves_nothing_open():
    """D_i(κ) = 0 once i reaches nobody outside: no margin of the value function is charged there."""
    mdp = random_mdp(nx.disjoint_union(nx.path_graph(3), nx.path_graph(2)), seed=0, gamma=0.99)
    found = local_decay(mdp, uniform_theta(mdp), 0, 4)
    assert found.upper[2:].tolist() == [0.0, 0.0, 0.0]
    assert found.lower[1] > 0.0
    # The table of values ends earlier here, and what was frozen may still move Q_0.
    long = random_mdp(nx.path_graph(12), seed=0, gamma=0.9)
    assert (local_decay(long, uniform_theta(long), 0, 10, 1e-3).upper > 0.0).all()
    assert local_decay(long, uniform_theta(long), 0, 11, 1e-3).upper[11] == 0.0


def test_the_worst_policy_is_at_least_every_policy_tried():
    mdp = random_mdp(nx.path_graph(3), seed=8)
    worst = worst_decay(mdp, 1, 0)
    assert worst.exhaustive
    assert worst.tried >= 4**3
    assert abs(dense.decay_profile(mdp, worst.theta)[1, 0] - worst.D) <= 1e-7
    brute = max(dense.decay_profile(mdp, theta)[1, 0] for theta in _deterministic(mdp, (0, 1, 2)))
    assert brute - 1e-7 <= worst.D
    rng = np.random.default_rng(0)
    for _ in range(50):
        assert dense.decay_profile(mdp, gaussian_theta(mdp, rng, 3.0))[1, 0] <= worst.D + 1e-7


def test_a_search_without_a_policy_is_refused():
    """Seen: D = -1."""
    mdp = random_mdp(nx.path_graph(3), seed=8)
    with pytest.raises(ValueError, match="starts must be at least 1, got 0"):
        worst_decay(mdp, 1, 0, starts=0, exhaustive_limit=0)
    with pytest.raises(ValueError, match="starts must be at least 0, got -1"):
        worst_decay(mdp, 1, 0, starts=-1)


def test_local_search_finds_what_enumeration_finds():
    mdp = random_mdp(nx.path_graph(3), seed=9)
    everything = worst_decay(mdp, 0, 0)
    searched = worst_decay(mdp, 0, 0, exhaustive_limit=0, starts=6)
    assert not searched.exhaustive
    assert searched.D <= everything.D + 1e-7
    assert abs(dense.decay_profile(mdp, searched.theta)[0, 0] - searched.D) <= 1e-7
    # What coordinate ascent promises: no single row, set to a vertex or to the uniform law, raises D by what it counts
    # as progress, 1e-6 relative and 1e-7. D is off by 2γ tol on either side.
    for j, block in enumerate(searched.theta):
        for s in range(len(block)):
            for row in (np.array([0.0, -np.inf]), np.array([-np.inf, 0.0]), np.zeros(2)):
                moved = [other.copy() for other in searched.theta]
                moved[j][s] = row
                D = dense.decay_profile(mdp, tuple(moved))[0, 0]
                assert D <= searched.D * (1 + 1e-6) + 2e-7


def test_the_relay_is_worst_under_every_policy_and_far_agents_never_matter():
    mdp = relay(3, gamma=0.5)
    assert abs(worst_decay(mdp, 2, 1, starts=1, exhaustive_limit=0).D - 0.5) <= 1e-7
    assert worst_decay(mdp, 2, 5, starts=1, exhaustive_limit=0).D == 0.0
    with pytest.raises(ValueError, match="kappa"):
        worst_decay(mdp, 0, -1)
    with pytest.raises(ValueError, match="agent 3"):
        worst_decay(mdp, 3, 0)


@pytest.mark.parametrize("gap", [1.0, 78.0, 250.0, 500.0, 740.0])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_certificates_hold_for_logits_far_apart(gap, gamma):
    """Against balls of 400 bits, rewards and moves on actions that are taken with probability e^-gap among them."""
    flint = pytest.importorskip("flint")
    rng = np.random.default_rng(int(gap))
    flint.ctx.prec = 400
    ball = np.vectorize(lambda x: flint.arb(float(x)), otypes=[object])
    for _ in range(10):
        S, A = int(rng.integers(1, 4)), int(rng.integers(2, 4))
        P = np.eye(S)[rng.integers(0, S, size=(S, A))] if rng.random() < 0.5 else rng.dirichlet(np.full(S, 0.5), (S, A))
        theta = gap * rng.random((S, A)) * rng.choice([0, 1, 2], size=(S, A))
        r = rng.random((S, A)) * (theta < theta.max(axis=1, keepdims=True))
        mdp = NetworkedMDP(nx.empty_graph(1), [P], [r], gamma, (np.full(S, 1 / S),))
        P, r = ball(mdp.P[0]), ball(mdp.r[0])
        weights = np.array([[x.exp() for x in row] for row in ball(theta)], dtype=object)
        zeta = weights / weights.sum(axis=1, keepdims=True)
        matrix = ball(np.eye(S)) - ball(gamma) * (zeta[..., None] * P).sum(axis=1)
        mean = flint.arb_mat(S, 1, list((zeta * r).sum(axis=1)))
        V = flint.arb_mat(S, S, list(matrix.ravel())).solve(mean)
        value, local = evaluate(mdp, (theta,)), local_value(mdp, (theta,), 0)
        for s in range(S):
            assert abs(flint.arb(float(value.V[0][s])) - V[s, 0]) < flint.arb(value.error) * (1 + 1e-12) + 1e-300
            assert abs(flint.arb(float(local.V[s])) - V[s, 0]) < flint.arb(local.error) * (1 + 1e-12) + 1e-300


# The supremum over all policies, bracketed.


class Boxes:
    """What `decay_supremum` bounds, for one agent and κ of a small model."""

    def __init__(self, mdp, i, kappa):
        self.mdp, self.i, self.kappa = mdp, i, kappa
        self.rows, self.acts, self.free = _free_rows(mdp)
        self.P, self.r = joint_kernel(mdp), np.ascontiguousarray(joint_reward(mdp, (i,)))
        self.gaps = mdp.gamma * _differences(mdp, self.P, i, kappa)

    def over(self, gap, low, high):
        return _over_box(self.P, self.r, self.rows, self.acts, self.mdp.gamma, gap, low, high)

    def at(self, theta):
        """gap V for every gap, by a dense solve of the joint chain."""
        law, reward = _followed(
            self.P, self.r, self.rows, self.acts, theta, theta, np.zeros(len(self.P), dtype=np.int64)
        )
        return self.gaps @ np.linalg.solve(np.eye(len(law)) - self.mdp.gamma * law, reward)

    def grid(self, steps):
        """The largest D_i(κ) over a grid of policies, all at once; two agents."""
        points = np.stack(np.meshgrid(*[np.linspace(0, 1, steps)] * self.free, indexing="ij"), -1).reshape(
            -1, self.free
        )
        laws, rewards = np.zeros((len(points), *self.P.shape[::2])), np.zeros((len(points), len(self.P)))
        for s in range(len(self.P)):
            for a, act in enumerate(self.acts):
                weight = np.ones(len(points))
                for k, a_j in zip(self.rows[s], act, strict=True):
                    if k >= 0:
                        weight = weight * (points[:, k] if a_j else 1.0 - points[:, k])
                laws[:, s] += weight[:, None] * self.P[s, a]
                rewards[:, s] += weight * self.r[s, a]
        V = np.linalg.solve(np.eye(len(self.P)) - self.mdp.gamma * laws, rewards[..., None])[..., 0]
        return float((V @ self.gaps.T).max(initial=0.0))


def of_two_actions(case):
    mdp, _ = case
    free = sum(S_j for S_j, A_j in zip(mdp.state_sizes, mdp.action_sizes, strict=True) if A_j == 2)
    return max(mdp.action_sizes) <= 2 and free <= 6


@given(cases(max_n=3).filter(of_two_actions), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_policy_of_a_box_exceeds_its_bound(case, seed):
    """Corners and inner points of a random box, for every agent, κ and pair; D_i(κ) by the dense oracle."""
    mdp, rng = case[0], np.random.default_rng(seed)
    for i in range(mdp.n):
        box = Boxes(mdp, i, int(rng.integers(0, 2)))
        ends = np.sort(rng.choice([0.0, 1.0, *rng.random(3)], size=(2, box.free)), axis=0)
        inside = [np.where(rng.random(box.free) < 0.5, *ends) for _ in range(4)]
        inside += [ends[0] + rng.random(box.free) * (ends[1] - ends[0]) for _ in range(4)]
        values = np.array([box.at(theta) for theta in inside])
        for k, gap in enumerate(box.gaps):
            centre, bound, split = box.over(gap, *ends)
            assert values[:, k].max() <= bound + DENSE
            assert centre <= bound + DENSE
            assert centre == pytest.approx(box.at(0.5 * ends.sum(axis=0))[k], abs=DENSE)
            assert 0 <= split < max(box.free, 1)
        with np.errstate(divide="ignore"):
            theta = tuple(np.log(zeta_j) for zeta_j in _policies(mdp, inside[0]))
        D = dense.decay_profile(mdp, theta)[i]
        known = D[box.kappa] if box.kappa < len(D) else 0.0
        assert values[0].max(initial=0.0) == pytest.approx(known, abs=DENSE)


@pytest.mark.parametrize(("seed", "gamma"), [(0, 0.5), (1, 0.9), (2, 0.9), (3, 0.97)])
def test_the_bracket_holds_a_dense_grid(seed, gamma):
    """17⁴ policies of two agents; the bracket is as narrow as asked, and its policy has the value that is told."""
    mdp = random_mdp(nx.path_graph(2), seed=seed, gamma=gamma, concentration=0.2)
    for i in range(2):
        found = decay_supremum(mdp, i, 0, width=1e-3)
        on_grid = Boxes(mdp, i, 0).grid(17)
        assert on_grid <= found.upper
        assert on_grid >= 0.98 * found.lower
        assert found.upper <= 1.001 * found.lower + 1e-5 / (1 - gamma)
        assert dense.decay_profile(mdp, found.theta)[i, 0] == pytest.approx(found.lower, abs=1e-8)
        assert found.upper >= worst_decay(mdp, i, 0).D


def test_the_supremum_of_the_coin_lover():
    """Within 10⁻⁴: 1.7138 times what deterministic policies reach, where a fair coin has 1.48 times."""
    found = decay_supremum(coin_lover(), 1, 0, width=1e-4)
    assert 2.9306 < found.lower <= found.upper < 2.931
    assert found.lower / 1.71 == pytest.approx(1.7138, abs=1e-4)
    assert np.exp(found.theta[1])[0, 1] == pytest.approx(0.718, abs=1e-3)
    assert decay_profile(coin_lover(), found.theta)[1, 0] == pytest.approx(found.lower, abs=1e-9)


def test_the_supremum_is_exact_where_no_policy_matters():
    """The relay attains Lemma 3; a chain without actions has one policy; a cell of everybody leaves nothing."""
    found = decay_supremum(relay(3, gamma=0.9), 2, 1)
    assert found.lower == pytest.approx(0.81 / 0.1, abs=1e-9)
    assert found.lower <= found.upper <= found.lower + 1e-6
    only = decay_supremum(td_witness(), 0, 0)
    assert only.lower <= evaluate_D(td_witness(), 0) <= only.upper <= only.lower + 1e-6
    assert decay_supremum(signal(), 1, 1)[:2] == pytest.approx((0.0, 0.0), abs=1e-5)


def evaluate_D(mdp, i):
    return dense.decay_profile(mdp, uniform_theta(mdp))[i, 0]


def test_the_excess_of_a_box_is_of_second_order():
    """Around the best policy of the coin lover: half the box, a quarter of what is added to the centre's value."""
    box = Boxes(coin_lover(), 1, 0)
    best = np.array([0.0, 0.5, 0.71837, 1.0])
    k = int(np.argmax(box.at(best)))
    excess = []
    for half in (2e-3, 1e-3):
        low, high = best.copy(), best.copy()
        low[2], high[2] = best[2] - half, best[2] + half
        centre, bound, _ = box.over(box.gaps[k], low, high)
        excess.append(bound - centre)
    assert 3.0 < excess[0] / excess[1] < 5.0


def test_what_need_not_be_told_apart_is_not():
    """With `above` beyond the supremum one box a pair is enough, and the upper end is still one."""
    told = decay_supremum(coin_lover(), 1, 0, width=1e-4)
    quick = decay_supremum(coin_lover(), 1, 0, width=1e-4, above=5.0)
    assert quick.boxes < told.boxes
    assert told.lower <= quick.upper <= 5.0 + 1e-6


def test_a_search_that_ends_early_still_brackets():
    """What was not looked at counts with r̄γ/(1-γ), the most that any V can tell apart."""
    early, told = decay_supremum(coin_lover(), 1, 0, boxes=3), decay_supremum(coin_lover(), 1, 0)
    mdp = coin_lover()
    most = mdp.gamma * mdp.r_bar / (1.0 - mdp.gamma)
    assert early.lower <= told.lower <= told.upper < early.upper <= most * (1.0 + 1e-6)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_a_supremum_of_zero_is_told_to_the_width(gamma):
    """Agent 0 is read and reads nobody, and agent 1 may ignore what it reads: nothing relative to 0 is asked for."""
    rng = np.random.default_rng(0)
    source, target = rng.dirichlet([1.0, 1.0], size=(2, 2)), rng.dirichlet([1.0, 1.0], size=(2, 2))
    P = (np.stack([source, source], axis=1), np.stack([target, target], axis=0))
    mdp = NetworkedMDP(nx.path_graph(2), P, (rng.random((2, 2)), rng.random((2, 2))), gamma, (np.full(2, 0.5),) * 2)
    for i in range(2):
        found = decay_supremum(mdp, i, 0)
        assert found.lower == pytest.approx(0.0, abs=1e-9)
        assert found.upper <= 0.01 * mdp.r_bar * gamma / (1.0 - gamma) + 1e-6


def test_refusals_of_the_bracket():
    three = random_mdp(nx.path_graph(2), seed=0, gamma=0.5, action_sizes=(2, 3))
    with pytest.raises(ValueError, match="agent 1 has 3 actions; at most 2"):
        decay_supremum(three, 0, 0)
    with pytest.raises(ValueError, match=f"10 free probabilities; at most {MOST_FREE}"):
        decay_supremum(random_mdp(nx.path_graph(5), seed=0, gamma=0.5), 0, 0)
    many = random_mdp(nx.path_graph(2), seed=0, gamma=0.5, state_sizes=(9, 8), action_sizes=(1, 1))
    with pytest.raises(ValueError, match="72 joint states; at most 64"):
        decay_supremum(many, 0, 0)
    with pytest.raises(ValueError, match="width"):
        decay_supremum(coin_lover(), 1, 0, width=0.0)
    with pytest.raises(ValueError, match=r"^boxes must be at least 1"):
        decay_supremum(coin_lover(), 1, 0, boxes=0)
    with pytest.raises(TypeError, match=r"^above must be a number"):
        decay_supremum(coin_lover(), 1, 0, above="x")
    with pytest.raises(ValueError, match="above must be at least 0"):
        decay_supremum(coin_lover(), 1, 0, above=float("nan"))
    with pytest.raises(ValueError, match="agent"):
        decay_supremum(coin_lover(), 5, 0)


# What the bracket is made of, against the plain formulas.

SMALL = (
    Boxes(random_mdp(nx.path_graph(2), seed=1, gamma=0.7, concentration=0.3), 0, 0),
    Boxes(random_mdp(nx.path_graph(2), seed=2, gamma=0.9, state_sizes=(2, 3), action_sizes=(1, 2)), 1, 0),
    Boxes(random_mdp(nx.path_graph(3), seed=3, gamma=0.4, state_sizes=(1, 2, 1), action_sizes=(2, 2, 1)), 0, 0),
)


def chain_at(box, probabilities):
    """(P^θ, r^θ); probabilities : of action 1, for each agent in each joint state."""
    joint = np.ones((len(box.P), len(box.acts)))
    for a, act in enumerate(box.acts):
        for j, a_j in enumerate(act):
            joint[:, a] *= np.where(box.rows[:, j] < 0, 1.0, np.where(a_j, probabilities[j], 1 - probabilities[j]))
    return np.einsum("sa,sat->st", joint, box.P), (joint * box.r).sum(axis=1)


def ends_of(box, low, high, corner):
    """The end of the box that each agent takes in each joint state: `high` where its bit is set."""
    return [np.where((corner >> j) & 1, high[rows], low[rows]) for j, rows in enumerate(box.rows.T)]


@pytest.mark.parametrize("box", SMALL)
def test_the_chain_at_a_corner(box):
    rng = np.random.default_rng(0)
    low, high = np.sort(rng.random((2, box.free)), axis=0)
    for corner in (np.zeros(len(box.P), int), rng.integers(0, 2 ** box.rows.shape[1], len(box.P))):
        law, reward = _followed(box.P, box.r, box.rows, box.acts, low, high, corner)
        expected, r = chain_at(box, ends_of(box, low, high, corner))
        assert law == pytest.approx(expected, abs=1e-15)
        assert reward == pytest.approx(r, abs=1e-15)
        assert law.sum(axis=1) == pytest.approx(1.0)


def bound_of_a_box(box, gap, low, high):
    """`_over_box` in matrices: eq. of the module's docstring at every corner of the box."""
    gamma, N, n = box.mdp.gamma, len(box.P), box.rows.shape[1]
    law, reward = chain_at(box, ends_of(box, 0.5 * (low + high), low, np.zeros(N, int)))
    v = np.linalg.solve(np.eye(N) - gamma * law, reward)
    d = np.linalg.solve(np.eye(N) - gamma * law.T, gap)
    local = [chain_at(box, ends_of(box, low, high, np.full(N, corner))) for corner in range(2**n)]
    A = np.array([reward + gamma * law @ v - v for law, reward in local])
    upper, lower = np.full(N, max(0.0, A.max()) / (1 - gamma)), np.full(N, min(0.0, A.min()) / (1 - gamma))
    for _ in range(12):
        for s in range(N):
            upper[s] = min(upper[s], max(A[k, s] + gamma * law[s] @ upper for k, (law, _) in enumerate(local)))
            lower[s] = max(lower[s], min(A[k, s] + gamma * law[s] @ lower for k, (law, _) in enumerate(local)))
    largest = -np.inf
    for ends in itertools.product((0, 1), repeat=box.free):
        picked = [sum(ends[k] << j for j, k in enumerate(row) if k >= 0) for row in box.rows]
        rho = gap - d + gamma * sum(d[s] * local[picked[s]][0][s] for s in range(N))
        first = sum(d[s] * A[picked[s], s] for s in range(N))
        largest = max(largest, first + np.maximum(rho * upper, rho * lower).sum())
    moved = 1e-3 * (high - low)
    for s, row in enumerate(box.rows):
        for j, k in enumerate(row):
            if k >= 0:
                moved[k] += abs(d[s]) * max(abs(A[c | 1 << j, s] - A[c & ~(1 << j), s]) for c in range(2**n))
    return gap @ v, gap @ v + largest, int(np.argmax(moved)) if box.free else 0


@pytest.mark.parametrize("box", SMALL)
def test_the_bound_of_a_box_in_matrices(box):
    rng = np.random.default_rng(1)
    whole = np.zeros(box.free), np.ones(box.free)
    for low, high in (whole, *(np.sort(rng.random((2, box.free)), axis=0) for _ in range(3))):
        for gap in box.gaps[:3]:
            centre, bound, split = box.over(gap, low, high)
            expected = bound_of_a_box(box, gap, low, high)
            assert (centre, bound) == pytest.approx(expected[:2], rel=1e-11, abs=1e-13)
            assert split == expected[2]
            assert centre < bound


def test_what_moves_nothing_is_split_where_it_is_widest():
    """All policies are the same chain: a split halves the widest side."""
    P = (np.full((2, 2, 2), 0.5),)
    box = Boxes(NetworkedMDP(nx.empty_graph(1), P, (np.zeros((2, 2)),), 0.5, (np.full(2, 0.5),)), 0, 0)
    assert box.over(np.array([0.1, -0.1]), np.array([0.2, 0.0]), np.array([0.4, 0.5])) == (0.0, 0.0, 1)
    assert box.over(np.array([0.1, -0.1]), np.array([0.25, 0.0]), np.array([0.5, 0.25])) == (0.0, 0.0, 0)


def plain_search(box, gap, best, at, width, above, boxes, span, waiting=1 << 12):
    """Depth first, upper half first; what promises no more than asked for is told by its bound."""
    stack, used, most = [(np.zeros(box.free), np.ones(box.free), span)], 0, 0.0
    while stack and used < boxes and len(stack) < waiting - 1:
        low, high, known = stack.pop()
        if known > max(above, best * (1 + width)):
            value, over, split = box.over(gap, low, high)
            known, used = min(known, over), used + 1
            if value > best:
                best, at = value, 0.5 * (low + high)
        if known <= max(above, best * (1 + width)) or box.free == 0:
            most = max(most, known)
            continue
        for half in range(2):
            ends = [low.copy(), high.copy()]
            ends[1 - half][split] = 0.5 * (low[split] + high[split])
            stack.append((*ends, known))
    return best, at, max([most, *(known for _, _, known in stack)]), used


@pytest.mark.parametrize("box", SMALL)
def test_the_search_over_boxes_step_by_step(box):
    span = box.mdp.gamma * box.mdp.r_bar / (1 - box.mdp.gamma)
    start, gap = np.full(box.free, 0.25), box.gaps[0]
    value = float((box.at(start))[0])
    cases = [(0.0, boxes, span) for boxes in (0, 1, 2, 3, 8, 30)]
    cases += [(span, 5, span), (0.3 * span, 30, span), (0.0, 30, 0.9 * span)]
    for above, boxes, most in cases:
        for best in (0.0, value, 0.5 * span):
            options = (best, start, 0.1, above, boxes, most)
            found = _search(box.P, box.r, box.rows, box.acts, box.mdp.gamma, gap, *options)
            expected = plain_search(box, gap, *options)
            assert (found[0], found[2], found[3]) == (expected[0], expected[2], expected[3])
            assert found[1].tolist() == expected[1].tolist()


def test_a_search_with_little_room_ends_before_it_is_full(monkeypatch):
    box = SMALL[0]
    monkeypatch.setattr(supremum, "WAITING", 5)
    options = (0.0, np.full(4, 0.5), 1e-3, 0.0, 100, 2.0)
    search = getattr(_search, "py_func", _search)
    found = search(box.P, box.r, box.rows, box.acts, 0.7, box.gaps[0], *options)
    expected = plain_search(box, box.gaps[0], *options, waiting=5)
    assert (found[0], found[2], found[3]) == (expected[0], expected[2], expected[3])
    assert found[3] == 3


def test_differences_within_a_cell_by_definition():
    """Every z, z̃ of one cell, each difference once and none that is 0; both orders."""
    mdp = random_mdp(nx.path_graph(3), seed=5, state_sizes=(2, 1, 2), action_sizes=(1, 2, 1))
    P = joint_kernel(mdp)
    for i, kappa, hood in ((0, 0, (0,)), (1, 0, (1,)), (0, 1, (0, 1)), (1, 1, (0, 1, 2))):
        cells = [
            (tuple(s[j] for j in hood) + tuple(a[j] for j in hood), P[k, m])
            for k, s in enumerate(np.ndindex(2, 1, 2))
            for m, a in enumerate(np.ndindex(1, 2, 1))
        ]
        expected = {tuple(p - q) for x, p in cells for y, q in cells if x == y} - {(0.0,) * 4}
        found = _differences(mdp, P, i, kappa)
        assert len(found) == len(expected)
        assert {tuple(row) for row in found} == expected


def test_which_probabilities_are_free():
    """Agents 0 and 2 choose, 2 + 3 probabilities; agent 1 does not."""
    mdp = random_mdp(nx.path_graph(3), seed=0, state_sizes=(2, 2, 3), action_sizes=(2, 1, 2))
    rows, acts, free = _free_rows(mdp)
    assert free == 5
    assert rows.tolist() == [[s, -1, 2 + u] for s in range(2) for _ in range(2) for u in range(3)]
    assert acts.tolist() == [[0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1]]
    zeta = _policies(mdp, np.array([0.25, 1.0, 0.0, 0.5, 0.125]))
    assert [block.tolist() for block in zeta] == [
        [[0.75, 0.25], [0.0, 1.0]],
        [[1.0], [1.0]],
        [[1.0, 0.0], [0.5, 0.5], [0.875, 0.125]],
    ]
    assert _free_rows(random_mdp(nx.path_graph(2), seed=0, state_sizes=(4, 4), action_sizes=(2, 2)))[2] == MOST_FREE
    assert _free_rows(random_mdp(nx.path_graph(2), seed=0, state_sizes=(8, 8), action_sizes=(1, 1)))[2] == 0


def test_the_climb_ends_where_no_probability_helps():
    box = Boxes(coin_lover(), 1, 0)
    best, at = supremum._climb(
        box.P, box.r, box.rows, box.acts, box.mdp.gamma, box.gaps, np.array([0.1, 0.5, 0.6, 0.9])
    )
    assert best == pytest.approx(box.at(at).max(), rel=1e-14)
    assert best == pytest.approx(2.93065, abs=1e-4)
    assert ((at >= 0) & (at <= 1)).all()
    for k in range(4):
        for step in (3e-5, 1e-3, 0.1, 0.5):
            for sign in (-1, 1):
                other = at.copy()
                other[k] = np.clip(at[k] + sign * step, 0, 1)
                assert box.at(other).max() <= best * (1 + 1e-9)
    # Without gaps nothing is told apart, and the start is kept.
    nothing = supremum._climb(box.P, box.r, box.rows, box.acts, 0.9, box.gaps[:0], np.full(4, 0.25))
    assert (nothing[0], nothing[1].tolist()) == (0.0, [0.25] * 4)


def test_how_the_search_is_asked_and_told(monkeypatch):
    """`above` at least width · r̄γ^{κ+1}/(1-γ), boxes that are left, the best so far; the largest bound of all pairs."""
    mdp = random_mdp(nx.path_graph(3), seed=1, gamma=0.5, state_sizes=(1, 2, 2), action_sizes=(1, 2, 1))
    box, asked, most = Boxes(mdp, 0, 1), [], itertools.chain([0.25, 4.0, 1.0], itertools.repeat(0.5))
    assert len(box.gaps) > 2
    span, agent = 0.5 * mdp.r_bar / 0.5, 0

    def search(P, r, rows, acts, gamma, gap, best, at, width, above, boxes, span):
        assert (P.tolist(), rows.tolist(), acts.tolist()) == (box.P.tolist(), box.rows.tolist(), box.acts.tolist())
        assert r.tolist() == joint_reward(mdp, (agent,)).tolist()
        asked.append((gap.tolist(), gamma, best, width, above, boxes, span))
        return best + 1.0, np.array([0.0, 1.0]), next(most), 3

    monkeypatch.setattr(supremum, "_search", search)

    def climb(P, r, rows, acts, gamma, gaps, start):
        assert (P.tolist(), rows.tolist(), acts.tolist()) == (box.P.tolist(), box.rows.tolist(), box.acts.tolist())
        assert (r.tolist(), gamma) == (joint_reward(mdp, (agent,)).tolist(), 0.5)
        return float(start[0]), start

    monkeypatch.setattr(supremum, "_climb", climb)
    starts = [0.5, *np.random.default_rng(9).random((7, 2))[:, 0]]
    found = decay_supremum(mdp, 0, 1, width=0.125, boxes=100, seed=9)
    assert asked == [
        (gap.tolist(), 0.5, max(starts) + k, 0.125, 0.125 * span * 0.5, 100 - 3 * k, span)
        for k, gap in enumerate(box.gaps)
    ]
    k = 2 * (2 + 6 + 4) + 16
    rounding = (130 * k * 2.0**-53 + 24e-12) * mdp.r_bar / 0.5**4
    assert found.upper - rounding == pytest.approx(4.0, abs=1e-14)
    assert found.boxes == 3 * len(box.gaps)
    assert [block.tolist() for block in found.theta] == [[[0.0]], [[0.0, -np.inf], [-np.inf, 0.0]], [[0.0], [0.0]]]
    decay_supremum(mdp, 0, 1, above=7.0)
    assert asked[-1][4] == 7.0
    assert repr(found).startswith("DecaySupremum(lower=")
    agent = 2
    other = decay_supremum(mdp, 2, 0)
    assert asked[-1][4] == 0.01 * span
    assert other.lower == pytest.approx(decay_profile(mdp, other.theta)[2, 0], abs=1e-9)
    # A cell of everybody has no pairs: what is left is rounding.
    agent = 1
    alone = decay_supremum(mdp, 1, 1, seed=9)
    assert alone.upper == pytest.approx(max(starts) + rounding, rel=1e-14)
    assert alone.boxes == 0


def test_one_search_is_compiled_for_all_models(monkeypatch):
    """Every agent sees every one of the first: nothing of its kernel is broadcast."""
    asked = set()

    def search(P, r, rows, acts, gamma, gap, best, at, width, above, boxes, span):
        asked.add(str([numba.typeof(own) for own in (P, r, rows, acts, gap, at)]))
        return best, at, best, 1

    monkeypatch.setattr(supremum, "_search", search)
    monkeypatch.setattr(supremum, "_climb", lambda P, r, rows, acts, gamma, gaps, start: (0.0, start))
    for mdp in (random_mdp(nx.complete_graph(3), seed=1), random_mdp(nx.path_graph(3), seed=1), relay(4, gamma=0.5)):
        decay_supremum(mdp, 0, 0)
    assert len(asked) == 1


def test_terms_that_are_small_one_by_one_do_not_span_a_table_without_end():
    """On the relay the term of step t is a table of agent i-t alone; `local_decay` asked for 256 TiB."""
    mdp = relay(500, gamma=0.7)
    found = local_value(mdp, uniform_theta(mdp), 250, largest=1 << 12)
    assert found.V.size <= 1 << 12
    assert 1e-8 < found.error < 0.7**12 / 0.3
    # V_i(s) = Σ_t γ^t s_{i-t}, to within γ^250/(1-γ).
    rng = np.random.default_rng(0)
    for bits in (np.zeros(251), np.ones(251), *rng.integers(0, 2, size=(20, 251))):
        exact = sum(0.7**t * bits[250 - t] for t in range(251))
        assert abs(found.V[tuple(int(bits[j]) for j in found.agents)] - exact) <= found.error
    bounds = local_decay(mdp, uniform_theta(mdp), 250, 2)
    for kappa in range(3):
        assert bounds.lower[kappa] <= 0.7 ** (kappa + 1) / 0.3 <= bounds.upper[kappa]
    assert (bounds.upper - bounds.lower).max() < 0.05


def test_light_cones_freeze_what_no_step_could_hold(monkeypatch):
    """On 60 agents with four neighbors each a table over 18 agents reaches 35: 256 GiB that it once asked for."""
    graph = nx.random_regular_graph(4, 60, seed=0)
    mdp = random_mdp(graph, seed=0, state_sizes=[2] * 60, action_sizes=[2] * 60, gamma=0.99, concentration=0.05)
    monkeypatch.setattr(light_cone, "WIDEST", 1 << 14)
    found = local_value(mdp, uniform_theta(mdp), 15, tol=0.01, largest=1 << 10)
    assert found.error > 0.01
    assert found.largest <= 1 << 14
    assert found.V.size <= 1 << 10
    monkeypatch.setattr(memory, "_given", [])
    memory.give(10**5)
    with pytest.raises(MemoryError, match=r"a step of the tables around an agent needs .* a smaller `largest` fits"):
        local_value(mdp, uniform_theta(mdp), 15, tol=0.01, largest=1 << 10)


def test_a_local_sweep_that_cannot_fit_is_refused_before_it_begins(monkeypatch):
    mdp = random_mdp(nx.path_graph(30), seed=0, state_sizes=[2] * 30, action_sizes=[2] * 30, gamma=0.9)
    monkeypatch.setattr(light_cone, "sweep_oscillations", lambda *_: pytest.fail("it began"))
    monkeypatch.setattr(light_cone, "plan_bytes", lambda plan: 10**20)
    with pytest.raises(MemoryError, match=r"a sweep over \d+ entries around agent 15 needs .*; a smaller `larg"):
        local_decay(mdp, uniform_theta(mdp), 15, 1, 0.1)
